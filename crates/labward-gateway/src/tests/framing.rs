//! Every dirty thing that real senders do has one defined answer.

use labward_hl7::mllp::encode;

use super::oru;
use crate::config::Strictness;
use crate::reason::Reason;
use crate::testing::{Client, Lab};

/// A plain lab whose time limits are a second.
fn hasty() -> Lab {
    let options = crate::testing::LabOptions {
        plain: true,
        link: Box::new(|link| {
            link.limits.frame_seconds = 1;
            link.limits.noise_seconds = 1;
        }),
        ..Default::default()
    };
    Lab::with(options)
}

fn strict() -> Lab {
    let options = crate::testing::LabOptions {
        plain: true,
        link: Box::new(|link| link.strictness = Strictness::Strict),
        ..Default::default()
    };
    Lab::with(options)
}

/// The reason and content of the only held message.
fn only_held(lab: &Lab) -> (String, Vec<u8>) {
    let held = lab.held();
    let [one] = held.as_slice() else {
        panic!("{held:?}")
    };
    (one.reason.clone(), lab.content(one))
}

fn code(reason: Reason) -> String {
    reason.problem().code.to_owned()
}

/// What the last entry says was outside the standard.
fn deviations(lab: &Lab) -> String {
    format!("{:?}", lab.leaves().pop().unwrap().facts.get("deviations"))
}

#[tokio::test]
async fn several_frames_in_one_write_are_answered_each_in_order() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    let frames: Vec<u8> = (0..100)
        .flat_map(|number| encode(&oru(&number.to_string(), "90")))
        .collect();
    client.write(&frames).await;
    for number in 0..100 {
        assert_eq!(client.ack().await, Some(format!("AA {number}")));
    }
    assert_eq!(lab.sent.all().len(), 100);
}

#[tokio::test]
async fn a_frame_may_be_cut_at_every_byte() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    let frame = encode(b"MSH|^~\\&|A|B|||||ORU^R01|1|P|2.5\rOBX|1\r");
    for at in 1..frame.len() {
        let frame = [&frame[..], &encode(b"")].concat();
        let (first, second) = frame.split_at(at);
        client.write(first).await;
        tokio::task::yield_now().await;
        client.write(second).await;
        assert_eq!(client.ack().await.as_deref(), Some("AA 1"), "cut at {at}");
    }
}

#[tokio::test]
async fn little_noise_between_frames_is_passed_over_and_recorded() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    client
        .write(&[&b"\0\r\n\x0b"[..], &encode(&oru("2", "90"))].concat())
        .await;
    assert_eq!(client.ack().await.as_deref(), Some("AA 2"));
    assert!(deviations(&lab).contains("noise-before-frame"));
}

#[tokio::test]
async fn bytes_without_a_frame_are_kept_and_the_connection_ends() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    client.try_write(&[b'x'; 3_000]).await;
    assert_eq!(client.ack().await, None);
    let (reason, content) = only_held(&lab);
    assert_eq!(
        (reason, content),
        (code(Reason::Framing), vec![b'x'; 1_024])
    );
}

#[tokio::test]
async fn a_message_without_a_frame_is_kept_after_the_time_for_noise() {
    let lab = hasty();
    let mut client = lab.connect().await;
    client.write(&oru("1", "90")).await;
    assert_eq!(client.ack().await, None);
    assert_eq!(only_held(&lab), (code(Reason::Framing), oru("1", "90")));
}

#[tokio::test]
async fn junk_before_a_frame_is_kept_and_the_frame_answered() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    client
        .write(&[&b"login: "[..], &encode(&oru("1", "90"))].concat())
        .await;
    assert_eq!(client.ack().await.as_deref(), Some("AA 1"));
    assert_eq!(
        only_held(&lab),
        (code(Reason::Framing), b"login: ".to_vec())
    );
}

#[tokio::test]
async fn what_is_framed_but_not_hl7_is_refused_and_kept() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(b"<xml/>").await, "AR ");
    assert_eq!(only_held(&lab), (code(Reason::NotHl7), b"<xml/>".to_vec()));
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
}

#[tokio::test]
async fn an_empty_frame_is_passed_over_and_counted() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    client.write(&encode(b"")).await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.gateway().status()[0].counts.ignored, 1);
    assert_eq!(lab.actions(), ["message.received"]);
}

#[tokio::test]
async fn an_end_without_cr_counts_after_a_second_or_at_the_next_frame() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    let frame = |id| [b"\x0b", &oru(id, "90")[..], b"\x1c"].concat();
    client.write(&[frame("1"), frame("2")].concat()).await;
    assert_eq!(client.ack().await.as_deref(), Some("AA 1"));
    assert_eq!(client.ack().await.as_deref(), Some("AA 2"));
    assert!(deviations(&lab).contains("end-without-cr"));
}

#[tokio::test]
async fn a_strict_link_keeps_an_end_without_cr_for_a_person_and_closes() {
    let lab = strict();
    let mut client = lab.connect().await;
    let frame = [b"\x0b", &oru("1", "90")[..], b"\x1c"].concat();
    client
        .write(&[frame, encode(&oru("2", "90"))].concat())
        .await;
    assert_eq!(client.ack().await.as_deref(), Some("AR 1"));
    assert_eq!(client.ack().await, None);
    assert_eq!(only_held(&lab), (code(Reason::Framing), oru("1", "90")));
}

#[tokio::test]
async fn a_message_that_begins_inside_another_shows_that_the_first_was_cut() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    client
        .write(&[&b"\x0bMSH|^~\\&|A|B\rPID|1"[..], &encode(&oru("2", "90"))].concat())
        .await;
    assert_eq!(client.ack().await.as_deref(), Some("AA 2"));
    assert_eq!(
        only_held(&lab),
        (code(Reason::Damaged), b"MSH|^~\\&|A|B\rPID|1".to_vec())
    );
    assert_eq!(lab.sent.all().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_inside_a_frame_leaves_the_part_for_a_person() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    client.write(b"\x0bMSH|^~\\&|A|B\rPID|1").await;
    client.end().await;
    drop(client);
    lab.wait(|lab| !lab.held().is_empty()).await;
    assert_eq!(
        only_held(&lab),
        (code(Reason::Damaged), b"MSH|^~\\&|A|B\rPID|1".to_vec())
    );
    assert!(lab.sent.all().is_empty());
}

#[tokio::test]
async fn a_frame_that_does_not_end_in_time_is_kept_and_the_connection_ends() {
    let lab = hasty();
    let mut client = lab.connect().await;
    client.write(b"\x0bMSH|^~\\&|A|B\rPID|1").await;
    assert_eq!(client.ack().await, None);
    assert_eq!(only_held(&lab).0, code(Reason::Damaged));
}

#[tokio::test]
async fn special_bytes_and_other_line_ends_inside_a_frame_are_content() {
    let lab = Lab::plain();
    let mut client = lab.connect().await;
    let messages = [
        &b"MSH|^~\\&|A|B|||||ORU^R01|1|P|2.5\rOBX|1|\x0b \x1c \x00|\xfc\xdf\r"[..],
        b"MSH|^~\\&|A|B|||||ORU^R01|2|P|2.5\nOBX|1\n",
        b"MSH|^~\\&|A|B|||||ORU^R01|3|P|2.5\r\nOBX|1\r\n",
        b"MSH#*%\\!#A#B#####ORU*R01#4#P#2.5\rOBX#1\r",
    ];
    for (number, message) in messages.iter().enumerate() {
        assert_eq!(client.exchange(message).await, format!("AA {}", number + 1));
    }
    let sent: Vec<_> = lab.sent.all().into_iter().map(|sent| sent.bytes).collect();
    assert_eq!(sent, messages, "bytes are never re-encoded");
}

#[tokio::test]
async fn tls_and_http_on_a_plain_port_are_refused_at_once_and_recorded_once_a_minute() {
    let mut lab = Lab::plain();
    for hello in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut client = lab.connect().await;
        client.try_write(hello).await;
        assert_eq!(client.ack().await, None);
    }
    assert!(
        lab.actions().is_empty(),
        "a stranger is not worth an entry of its own"
    );
    lab.gateway().shutdown();
    lab.gateway = None;
    lab.wait_for_entry("stranger.refused");
    let leaf = lab.leaves().pop().unwrap();
    assert_eq!(leaf.subject.to_string(), "source:127.0.0.1");
    assert_eq!(leaf.facts.get_number("count"), Some(2));
    assert_eq!(leaf.facts.get_number("http"), Some(1));
    assert_eq!(leaf.facts.get_number("tls-on-plain-port"), Some(1));
}

#[tokio::test]
async fn a_silent_device_on_a_plain_port_may_stay_silent() {
    let lab = hasty();
    let mut client = lab.connect().await;
    assert!(client.is_silent().await);
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
}

#[tokio::test]
async fn mllp_on_a_tls_port_is_refused_at_once() {
    let lab = Lab::start();
    let (_, address) = lab.gateway().local_addresses().remove(0);
    let mut client = Client::plain(address).await;
    client.try_write(&encode(&oru("1", "90"))).await;
    while client.event().await.is_some() {}
    lab.wait(|lab| lab.gateway().status()[0].counts.refused == 1)
        .await;
    assert!(lab.actions().is_empty());
}
