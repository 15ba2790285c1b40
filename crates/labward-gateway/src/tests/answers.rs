//! What is acknowledged, when, and in which words.

use std::sync::atomic::Ordering;

use labward_hl7::mllp::Event;
use labward_identity::{PeerRules, RuleField};

use super::oru;
use crate::config::{AckMode, BatchPolicy, Framing};
use crate::reason::Reason;
use crate::testing::{Lab, LabOptions};

#[tokio::test]
async fn an_accepted_message_is_durable_recorded_and_handed_to_delivery_before_its_answer() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    let sent = lab.sent.all();
    let [one] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!(one.bytes, oru("1", "90"), "bytes are never re-encoded");
    let leaf = lab
        .leaves()
        .into_iter()
        .find(|leaf| leaf.index == one.entry)
        .unwrap();
    assert_eq!(leaf.action.name(), "message.received");
    assert_eq!(leaf.facts.get_text("link"), Some("hl7"));
    assert_eq!(leaf.facts.get_text("peer"), Some("chem-1"));
    assert_eq!(leaf.facts.get_text("type"), Some("ORU^R01"));
    assert!(leaf.facts.get_text("line").unwrap().starts_with("TLSv1_3 "));
    assert_eq!(leaf.facts.get_text("control").map(str::len), Some(16));
    assert!(leaf.facts.get("to").is_some() && leaf.facts.get("deviations").is_none());
    let text = String::from_utf8(leaf.to_bytes().unwrap()).unwrap();
    for secret in ["Doe", "4711", "Jane"] {
        assert!(!text.contains(secret), "{secret} stands in clear");
    }
}

#[tokio::test]
async fn nothing_is_answered_positively_that_could_not_be_kept() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    lab.keep.broken.store(true, Ordering::Relaxed);
    assert_eq!(client.exchange(&oru("1", "90")).await, "AE 1");
    assert_eq!(
        client.ack().await,
        None,
        "the sender begins again on a new connection"
    );
    lab.keep.broken.store(false, Ordering::Relaxed);
    assert_eq!(lab.connect().await.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.actions(), ["message.received"]);
}

#[tokio::test]
async fn after_a_message_that_was_not_kept_no_later_one_of_the_write_is_answered() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    lab.keep.broken.store(true, Ordering::Relaxed);
    let both = [oru("1", "90"), oru("2", "91")].map(|one| labward_hl7::mllp::encode(&one));
    client.write(&both.concat()).await;
    assert_eq!(client.ack().await.as_deref(), Some("AE 1"));
    assert_eq!(client.ack().await, None);
}

#[tokio::test]
async fn enhanced_mode_sends_the_commit_answer_and_then_the_application_answer() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    let message = |conditions: &str| {
        format!("MSH|^~\\&|A|B|C|D|2027||ORU^R01|e-{conditions}|P|2.5.1|||{conditions}\r")
            .replace("e-AL|AL", "e1")
            .replace("e-NE|AL", "e2")
            .into_bytes()
    };
    client.send(&message("AL|AL")).await;
    assert_eq!(client.ack().await.as_deref(), Some("CA e1"));
    assert_eq!(client.ack().await.as_deref(), Some("AA e1"));
    assert_eq!(client.exchange(&message("NE|AL")).await, "AA e2");
    client
        .send(&b"MSH|^~\\&|A|B|C|D|2027||ORU^R01|e3|P|2.5.1|||NE|NE\r"[..])
        .await;
    assert!(client.is_silent().await);
    assert_eq!(
        lab.actions().len(),
        3,
        "what wants no answer is kept all the same"
    );
}

#[tokio::test]
async fn a_link_may_always_answer_and_answer_only_aa() {
    for (mode, conditions, expect) in [
        (AckMode::Always, "NE|NE", "AA x"),
        (AckMode::AaOnly, "AL|NE", "AA x"),
        (AckMode::Enhanced, "|", "CA x"),
    ] {
        let lab = Lab::with_link(move |link| link.acknowledge = mode);
        let message = format!("MSH|^~\\&|A|B|C|D|2027||ORU^R01|x|P|2.5.1|||{conditions}\r");
        assert_eq!(
            lab.connect().await.exchange(message.as_bytes()).await,
            expect
        );
    }
}

#[tokio::test]
async fn release_2_sends_its_commit_block_before_the_acknowledgement() {
    let lab = Lab::with_link(|link| link.framing = Framing::MllpRelease2);
    let mut client = lab.connect().await;
    client.send(&oru("1", "90")).await;
    assert_eq!(client.event().await, Some(Event::CommitAck));
    assert_eq!(client.ack().await.as_deref(), Some("AA 1"));
    lab.keep.broken.store(true, Ordering::Relaxed);
    client.send(&oru("2", "90")).await;
    assert_eq!(client.event().await, Some(Event::CommitNak));
}

#[tokio::test]
async fn what_the_peer_may_not_send_is_held_and_refused_with_a_code_and_no_patient_data() {
    let rules = PeerRules {
        message_types: vec!["ADT^*".parse().unwrap()],
        ..PeerRules::admit_all()
    };
    let lab = Lab::with(LabOptions {
        rules,
        ..LabOptions::default()
    });
    let mut client = lab.connect().await;
    client.send(&oru("1", "90")).await;
    let Some(Event::Frame(ack)) = client.event().await else {
        panic!("no answer")
    };
    let ack = String::from_utf8(ack).unwrap();
    assert!(ack.contains("MSA|AR|1|") && ack.contains("|200^"), "{ack}");
    assert!(
        ack.contains("gateway.not-allowed") && !ack.contains("Doe"),
        "{ack}"
    );
    assert!(lab.sent.all().is_empty());
    let held = lab.held();
    let [one] = held.as_slice() else {
        panic!("{held:?}")
    };
    let reason = Reason::NotAllowed(RuleField::MessageType);
    assert_eq!(one.reason, reason.problem().code);
    assert_eq!(lab.content(one), oru("1", "90"));
    let leaf = lab.leaves().pop().unwrap();
    assert_eq!(leaf.action.name(), "message.held");
    assert_eq!(leaf.facts.get_text("field"), Some("MSH-9"));
}

#[tokio::test]
async fn a_batch_is_split_and_answered_message_by_message() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    client.send(&batch(2)).await;
    assert_eq!(client.ack().await.as_deref(), Some("AA 1"));
    assert_eq!(client.ack().await.as_deref(), Some("AA 2"));
    let sent: Vec<_> = lab.sent.all().into_iter().map(|sent| sent.bytes).collect();
    assert_eq!(sent, [oru("1", "90"), oru("2", "91")]);
}

#[tokio::test]
async fn a_batch_may_be_answered_as_one() {
    let lab = Lab::with_link(|link| link.batch = BatchPolicy::Whole);
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&batch(2)).await, "AA B7");
    assert!(client.is_silent().await);
    assert_eq!(lab.sent.all().len(), 2);
}

#[tokio::test]
async fn a_batch_that_does_not_add_up_is_held_whole_and_refused() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&batch(3)).await, "AE B7");
    assert!(lab.sent.all().is_empty());
    let held = lab.held();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].reason, Reason::BadBatch.problem().code);
    assert_eq!(lab.content(&held[0]), batch(3));
}

/// Two messages in a batch that says it holds `stated`.
fn batch(stated: usize) -> Vec<u8> {
    let head = b"FHS|^~\\&|A|B|C|D\rBHS|^~\\&|A|B|C|D|2027||||B7\r";
    let tail = format!("BTS|{stated}\rFTS|1\r");
    [&head[..], &oru("1", "90"), &oru("2", "91"), tail.as_bytes()].concat()
}
