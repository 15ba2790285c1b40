//! Messages: kept before the last ACK, delivered once, held where a person must look.

use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use labward_astm::control::{ACK, ENQ, EOT, NAK};
use labward_identity::{PeerKind, PeerRules};
use labward_store::StoreError;

use super::{
    Device, delivered, deviations, frame, frames_of, lab, lab_of, only_held, records, text_of,
};
use crate::astm_session::repeat::{RETRANSMISSION, SAME_CONTENT};
use crate::config::Framing;
use crate::reason::Reason;
use crate::testing::{Client, Lab};

#[tokio::test]
async fn a_message_is_kept_as_sent_and_delivered() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    let records = records("H550", "90");
    device.deliver(&frames_of(&records)).await;
    assert_eq!(delivered(&lab), [text_of(&records)]);
    let leaf = lab.leaves().pop().unwrap();
    assert_eq!(leaf.facts.get_text("type"), Some("ASTM"));
    assert_eq!(leaf.facts.get_text("line"), Some("UNENCRYPTED"));
    assert!(leaf.facts.get("deviations").is_none());
    assert_eq!(lab.gateway().status()[0].counts.accepted, 1);
}

#[tokio::test]
async fn over_mutual_tls_the_certificate_says_who_the_instrument_is() {
    let lab = Lab::with_link(|link| link.framing = Framing::Astm);
    let mut client = lab.connect().await;
    let records = records("H550", "90");
    let transmission = [&[ENQ][..], &frames_of(&records).concat(), &[EOT]].concat();
    client.write(&transmission).await;
    lab.wait(|lab| !lab.sent.all().is_empty()).await;
    assert_eq!(delivered(&lab), [text_of(&records)]);
    let leaf = lab.leaves().pop().unwrap();
    assert!(leaf.facts.get_text("line").unwrap().starts_with("TLSv1_3"));
    assert_eq!(leaf.facts.get_text("peer"), Some("chem-1"));
}

#[tokio::test]
async fn the_last_frame_is_not_acknowledged_before_the_commit() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    let frames = frames_of(&records("H550", "90"));
    let (last, first) = frames.split_last().unwrap();
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    for frame in first {
        assert_eq!(device.ask(frame).await, Some(ACK));
    }
    let (go, wait) = mpsc::channel::<()>();
    let hold_back = move |_: &mut labward_store::Tx<'_>| {
        let _ = wait.recv();
        Ok::<_, StoreError>(())
    };
    lab.store.submit(hold_back, |_| {});
    device.say(last).await;
    assert!(device.is_silent().await);
    assert!(delivered(&lab).is_empty() && lab.actions().is_empty());
    drop(go);
    assert_eq!(device.answer().await, Some(ACK));
    assert_eq!(lab.actions(), ["message.received"]);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_and_taken_when_it_can() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    let frames = frames_of(&records("H550", "90"));
    let (last, first) = frames.split_last().unwrap();
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    for frame in first {
        assert_eq!(device.ask(frame).await, Some(ACK));
    }
    let mut wrong = last.clone();
    wrong[2] ^= 1;
    assert_eq!(device.ask(&wrong).await, Some(NAK));
    let broken = &lab.keep.broken;
    broken.store(true, Ordering::Relaxed);
    assert_eq!(device.ask(last).await, Some(NAK));
    assert!(lab.actions().is_empty());
    let mut other = Device::connect(&lab).await;
    assert_eq!(other.ask(&[ENQ]).await, Some(ACK), "another may try");
    broken.store(false, Ordering::Relaxed);
    assert_eq!(device.ask(last).await, Some(ACK), "the same frame again");
    assert_eq!(delivered(&lab).len(), 1);
    assert_eq!(deviations(&lab), "wrong-checksum");
}

#[tokio::test]
async fn after_a_refusal_the_device_is_told_to_wait_before_it_begins_again() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    lab.keep.broken.store(true, Ordering::Relaxed);
    let one = frame(1, &text_of(&records("H550", "90")));
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    assert_eq!(device.ask(&one).await, Some(NAK));
    lab.keep.broken.store(false, Ordering::Relaxed);
    device.say(&[EOT]).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(NAK));
    assert!(lab.gateway().status()[0].counts.refused >= 2);
}

#[tokio::test]
async fn a_sealed_gateway_lets_nobody_begin() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    lab.keep.sealed.store(true, Ordering::Relaxed);
    assert_eq!(device.ask(&[ENQ]).await, Some(NAK));
    lab.keep.sealed.store(false, Ordering::Relaxed);
    device.deliver(&frames_of(&records("H550", "90"))).await;
    assert_eq!(delivered(&lab).len(), 1);
}

#[tokio::test]
async fn a_message_whose_last_ack_was_lost_is_delivered_once() {
    let mut lab = lab();
    let frames = frames_of(&records("H550", "90"));
    let mut device = Device::connect(&lab).await;
    device.deliver(&frames).await;
    device.deliver(&frames).await;
    Device::connect(&lab).await.deliver(&frames).await;
    lab.clock.advance(RETRANSMISSION - Duration::from_secs(1));
    lab.restart();
    Device::connect(&lab).await.deliver(&frames).await;
    assert_eq!(delivered(&lab).len(), 1);
    let expect = [&["message.received"][..], &["message.duplicate"; 3]].concat();
    assert_eq!(lab.actions(), expect);
}

#[tokio::test]
async fn the_same_result_measured_again_later_is_delivered_and_marked() {
    let mut lab = lab();
    let frames = frames_of(&records("H550", "90"));
    Device::connect(&lab).await.deliver(&frames).await;
    // Each round is a new message, and its copies at any distance below the limit are copies.
    for round in 2..5 {
        lab.clock.advance(RETRANSMISSION);
        Device::connect(&lab).await.deliver(&frames).await;
        assert_eq!(delivered(&lab).len(), round);
        assert_eq!(deviations(&lab), SAME_CONTENT);
        for pause in [0, 250, 349] {
            lab.clock.advance(Duration::from_secs(pause));
            Device::connect(&lab).await.deliver(&frames).await;
            assert_eq!(delivered(&lab).len(), round, "round {round}, {pause} s");
        }
    }
    lab.restart();
    Device::connect(&lab).await.deliver(&frames).await;
    assert_eq!(delivered(&lab).len(), 4);
}

#[tokio::test]
async fn two_instruments_at_once_do_not_mix() {
    let lab = lab();
    let (first, second) = (records("A", "1"), records("B", "2"));
    let mut one = Device::connect(&lab).await;
    let mut two = Device::connect(&lab).await;
    assert_eq!(one.ask(&[ENQ]).await, Some(ACK));
    assert_eq!(two.ask(&[ENQ]).await, Some(ACK));
    for (a, b) in frames_of(&first).iter().zip(frames_of(&second)) {
        assert_eq!(one.ask(a).await, Some(ACK));
        assert_eq!(two.ask(&b).await, Some(ACK));
    }
    assert_eq!(delivered(&lab), [text_of(&first), text_of(&second)]);
}

#[tokio::test]
async fn the_same_message_of_another_instrument_is_no_copy() {
    let lab = Lab::with_link(|link| link.framing = Framing::Astm);
    let now = labward_base::Clock::now(&*lab.clock);
    let issued = lab
        .authority
        .issue_peer("chem-2", PeerKind::Analyzer, now, 30)
        .unwrap();
    let new = labward_identity::NewPeer {
        name: "chem-2".to_owned(),
        kind: PeerKind::Analyzer,
        site: labward_base::id::SiteId::new(1),
        rules: PeerRules::admit_all(),
        authority: None,
        addresses: Vec::new(),
        identification: issued.identification,
    };
    lab.peers.add(new, labward_ledger::Actor::System).unwrap();
    let (_, address) = lab.gateway().local_addresses().remove(0);
    let bundle = Some(crate::testing::bundle_of(&issued.bundle));
    let second = Client::tls(address, lab.authority.certificate(), bundle).await;
    let frames = frames_of(&records("H550", "90")).concat();
    let transmission = [&[ENQ][..], &frames, &[EOT]].concat();
    for mut client in [lab.connect().await, second.unwrap()] {
        client.write(&transmission).await;
        client.write(&transmission).await;
    }
    lab.wait(|lab| lab.actions().len() == 4).await;
    assert_eq!(delivered(&lab).len(), 2);
}

#[tokio::test]
async fn a_message_of_a_sender_that_the_peer_may_not_be_is_acknowledged_and_held() {
    let rules = PeerRules {
        astm_senders: vec!["H550".parse().unwrap()],
        ..PeerRules::default()
    };
    let lab = lab_of(rules, |_| {});
    let mut device = Device::connect(&lab).await;
    let strange = records("XN-550", "90");
    device.deliver(&frames_of(&strange)).await;
    assert!(delivered(&lab).is_empty());
    let reason = Reason::NotAllowed(labward_identity::RuleField::AstmSender);
    assert_eq!(
        only_held(&lab),
        (reason.problem().code.to_owned(), text_of(&strange))
    );
    assert_eq!(
        lab.leaves().pop().unwrap().facts.get_text("field"),
        Some("H-5")
    );
    lab.release(&lab.held()[0]);
    assert_eq!(delivered(&lab), [text_of(&strange)]);
    device.deliver(&frames_of(&records("H550", "90"))).await;
    assert_eq!(delivered(&lab).len(), 2);
}

#[tokio::test]
async fn a_peer_without_rules_delivers_nothing() {
    let lab = lab_of(PeerRules::default(), |_| {});
    let mut device = Device::connect(&lab).await;
    device.deliver(&frames_of(&records("H550", "90"))).await;
    let mut other = Device::connect(&lab).await;
    assert_eq!(other.ask(b"\x02no records\x03\r\n").await, Some(ACK));
    assert!(delivered(&lab).is_empty());
    let held = lab.held();
    assert_eq!(held.len(), 2);
    assert_eq!(lab.content(&held[0]), b"no records");
}

#[tokio::test]
async fn several_messages_in_one_frame_are_kept_one_by_one() {
    let lab = lab();
    let (first, second) = (
        text_of(&records("H550", "1")),
        text_of(&records("H550", "2")),
    );
    let mut device = Device::connect(&lab).await;
    let both = frame(1, &[&first[..], &second].concat());
    device.deliver(std::slice::from_ref(&both)).await;
    assert_eq!(delivered(&lab), [first, second]);
    assert_eq!(deviations(&lab), "several-messages");
    device.deliver(&[both]).await;
    assert_eq!(delivered(&lab).len(), 2);
}

#[tokio::test]
async fn a_message_without_terminator_is_held_for_a_person() {
    let lab = lab();
    let mut records = records("H550", "90");
    records.pop();
    let mut device = Device::connect(&lab).await;
    device.deliver(&frames_of(&records)).await;
    lab.wait(|lab| !lab.held().is_empty()).await;
    let reason = Reason::Damaged.problem().code.to_owned();
    assert_eq!(only_held(&lab), (reason, text_of(&records)));
    assert_eq!(deviations(&lab), "no-terminator");
    assert!(delivered(&lab).is_empty());
}

#[tokio::test]
async fn what_was_acknowledged_is_kept_even_if_the_disk_refuses_for_a_while() {
    let lab = lab();
    let mut records = records("H550", "90");
    records.pop();
    let mut device = Device::connect(&lab).await;
    lab.keep.broken.store(true, Ordering::Relaxed);
    device.deliver(&frames_of(&records)).await;
    lab.wait(|lab| lab.gateway().status()[0].counts.refused == 1)
        .await;
    assert!(lab.held().is_empty());
    lab.keep.broken.store(false, Ordering::Relaxed);
    lab.wait(|lab| !lab.held().is_empty()).await;
}
