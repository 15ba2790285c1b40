//! What goes wrong on the line, and what is left of it.

use std::time::Duration;

use labward_astm::control::{ACK, ENQ, EOT, NAK};

use super::{
    Device, delivered, deviations, frame, frames_of, lab, lab_with, only_held, records, text_of,
};
use crate::config::Strictness;
use crate::reason::Reason;

fn damaged() -> String {
    Reason::Damaged.problem().code.to_owned()
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_and_the_repeated_frame_taken_once() {
    let lab = lab();
    let records = records("H550", "90");
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    for frame in frames_of(&records) {
        let mut wrong = frame.clone();
        wrong[4] ^= 1;
        assert_eq!(device.ask(&wrong).await, Some(NAK));
        assert_eq!(device.ask(&frame).await, Some(ACK));
    }
    assert_eq!(delivered(&lab), [text_of(&records)]);
    assert_eq!(deviations(&lab), "wrong-checksum");
}

#[tokio::test]
async fn a_frame_whose_ack_was_lost_is_acknowledged_again_and_kept_once() {
    let lab = lab();
    let records = records("H550", "90");
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    for frame in frames_of(&records) {
        assert_eq!(device.ask(&frame).await, Some(ACK));
        assert_eq!(device.ask(&frame).await, Some(ACK));
    }
    assert_eq!(delivered(&lab), [text_of(&records)]);
    assert_eq!(lab.actions(), ["message.received"]);
}

#[tokio::test]
async fn a_device_that_dies_inside_a_message_leaves_its_frames_for_a_person() {
    let lab = lab();
    let records = records("H550", "90");
    let frames = frames_of(&records);
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    for frame in &frames[..3] {
        assert_eq!(device.ask(frame).await, Some(ACK));
    }
    device.say(&frames[3][..9]).await;
    drop(device);
    lab.wait(|lab| !lab.held().is_empty()).await;
    let expect = [&text_of(&records[..3])[..], &frames[3][..9]].concat();
    assert_eq!(only_held(&lab), (damaged(), expect));
    assert_eq!(deviations(&lab), "closed");
    assert!(delivered(&lab).is_empty());
    // The whole message comes later, in one piece.
    Device::connect(&lab).await.deliver(&frames).await;
    assert_eq!(delivered(&lab), [text_of(&records)]);
}

#[tokio::test]
async fn a_device_that_dies_between_messages_leaves_nothing() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    drop(device);
    lab.wait(|lab| lab.gateway().status()[0].counts.connections == 0)
        .await;
    assert!(lab.actions().is_empty());
}

#[tokio::test]
async fn a_message_cut_at_any_byte_is_kept_whole_or_as_damage_but_never_acknowledged_in_part() {
    let lab = lab();
    let mut expected = Vec::new();
    let whole = |number: usize| {
        let records = records("H550", &number.to_string());
        [&[ENQ][..], &frames_of(&records).concat()].concat()
    };
    let length = whole(1_000).len();
    for cut in (0..length).step_by(7) {
        let number = 1_000 + cut;
        let transmission = whole(number);
        let mut device = Device::connect(&lab).await;
        device.say(&transmission[..cut]).await;
        tokio::io::AsyncWriteExt::shutdown(&mut device.0)
            .await
            .unwrap();
        let mut acknowledged = 0;
        while let Some(byte) = device.answer().await {
            assert_eq!(byte, ACK);
            acknowledged += 1;
        }
        // ENQ and five frames.
        if acknowledged == 6 {
            expected.push(text_of(&records("H550", &number.to_string())));
        }
    }
    // A whole frame that only lacks its line end may be kept without that anyone was told.
    let kept = delivered(&lab);
    assert!(expected.iter().all(|one| kept.contains(one)));
    for held in lab.held() {
        assert_eq!(held.reason, damaged());
        assert!(lab.content(&held).starts_with(b"H|") || lab.content(&held).starts_with(b"\x02"));
    }
}

#[tokio::test]
async fn a_message_that_stands_still_is_kept_for_a_person_and_the_line_is_free_again() {
    let lab = lab_with(|link| link.limits.frame_seconds = 1);
    let records = records("H550", "90");
    let frames = frames_of(&records);
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    assert_eq!(device.ask(&frames[0]).await, Some(ACK));
    lab.wait(|lab| !lab.held().is_empty()).await;
    assert_eq!(only_held(&lab), (damaged(), text_of(&records[..1])));
    assert_eq!(deviations(&lab), "timeout");
    device.deliver(&frames).await;
    assert_eq!(delivered(&lab), [text_of(&records)]);
    assert_eq!(deviations(&lab), "no-eot");
}

#[tokio::test]
async fn a_message_given_up_by_its_sender_is_kept_for_a_person() {
    let lab = lab();
    let records = records("H550", "90");
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    assert_eq!(
        device.ask(&frame(1, b"H|\\^&|||H550\rP|1||47")).await,
        Some(ACK)
    );
    let mut wrong = frame(2, b"11\r");
    wrong[3] ^= 1;
    assert_eq!(device.ask(&wrong).await, Some(NAK));
    assert_eq!(device.ask(&[EOT, ENQ]).await, Some(ACK));
    let (reason, content) = only_held(&lab);
    assert_eq!(reason, damaged());
    assert!(content.starts_with(b"H|\\^&|||H550\rP|1||47"));
    device.say(&[EOT]).await;
    device.deliver(&frames_of(&records)).await;
    assert_eq!(delivered(&lab), [text_of(&records)]);
}

#[tokio::test]
async fn a_message_larger_than_the_link_allows_is_refused_and_its_beginning_kept() {
    let lab = lab_with(|link| link.limits.max_message_bytes = 1_024);
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    let comment = format!("C|1|I|{}\r", "x".repeat(200)).into_bytes();
    let mut number = 1;
    assert_eq!(device.ask(&frame(1, b"H|\\^&|||H550\r")).await, Some(ACK));
    let refused = loop {
        number += 1;
        if device.ask(&frame(number, &comment)).await == Some(NAK) {
            break frame(number, &comment);
        }
    };
    assert_eq!(number, 6);
    for _ in 1..6 {
        assert_eq!(device.ask(&refused).await, Some(NAK));
    }
    lab.wait(|lab| !lab.held().is_empty()).await;
    assert_eq!(only_held(&lab).0, Reason::TooLarge.problem().code);
    assert_eq!(deviations(&lab), "message-too-long too-many-tries");
    device.say(&[EOT]).await;
    device.deliver(&frames_of(&records("H550", "90"))).await;
    assert_eq!(delivered(&lab).len(), 1);
}

#[tokio::test]
async fn a_strict_link_refuses_what_a_lenient_one_notes() {
    for (strictness, answer, noted) in [
        (Strictness::Lenient, ACK, "line-end-lf"),
        (Strictness::Strict, NAK, ""),
    ] {
        let lab = lab_with(move |link| link.strictness = strictness);
        let mut device = Device::connect(&lab).await;
        let mut one = frame(1, b"H|\\^&|||H550\rL|1|N\r");
        one.remove(one.len() - 2);
        assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
        assert_eq!(device.ask(&one).await, Some(answer), "{strictness:?}");
        if answer == ACK {
            assert_eq!(deviations(&lab), noted);
        }
        assert_eq!(delivered(&lab).len(), usize::from(answer == ACK));
    }
}

#[tokio::test]
async fn noise_between_messages_is_counted_and_noted() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    device.deliver(&frames_of(&records("H550", "1"))).await;
    device.say(b"ATH0\r\n").await;
    device.deliver(&frames_of(&records("H550", "2"))).await;
    assert_eq!(deviations(&lab), "noise-before-frame");
    assert_eq!(delivered(&lab).len(), 2);
}

#[tokio::test]
async fn a_device_may_be_silent_for_as_long_as_it_likes() {
    let lab = lab_with(|link| {
        link.limits.frame_seconds = 1;
        link.limits.noise_seconds = 1;
    });
    let mut device = Device::connect(&lab).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    device.deliver(&frames_of(&records("H550", "90"))).await;
    assert_eq!(delivered(&lab).len(), 1);
}

#[tokio::test]
async fn a_stopping_gateway_lets_a_transmission_end_and_nobody_begin() {
    let mut lab = lab();
    let records = records("H550", "90");
    let frames = frames_of(&records);
    let mut idle = Device::connect(&lab).await;
    idle.deliver(&frames_of(&super::records("H550", "1"))).await;
    let mut busy = Device::connect(&lab).await;
    assert_eq!(busy.ask(&[ENQ]).await, Some(ACK));
    assert_eq!(busy.ask(&frames[0]).await, Some(ACK));
    let gateway = lab.gateway.take().unwrap();
    let stopping = tokio::task::spawn_blocking(move || gateway.shutdown());
    assert_eq!(idle.answer().await, None);
    for frame in &frames[1..] {
        assert_eq!(busy.ask(frame).await, Some(ACK));
    }
    busy.say(&[EOT]).await;
    assert_eq!(busy.answer().await, None);
    stopping.await.unwrap();
    assert_eq!(lab.sent.all().len(), 2);
}
