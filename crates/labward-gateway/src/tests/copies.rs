//! The same message twice, the same id twice, and what is remembered over a restart.

use std::time::Duration;

use super::oru;
use crate::config::DuplicatePolicy;
use crate::reason::Reason;
use crate::testing::Lab;

#[tokio::test]
async fn a_copy_gets_the_stored_answer_and_is_not_delivered_again() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.connect().await.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.sent.all().len(), 1);
    assert_eq!(
        lab.actions(),
        ["message.received", "message.duplicate", "message.duplicate"]
    );
    let leaves = lab.leaves();
    let first = leaves
        .iter()
        .find(|leaf| leaf.action.name() == "message.received")
        .unwrap();
    let copy = leaves
        .iter()
        .find(|leaf| leaf.action.name() == "message.duplicate")
        .unwrap();
    assert_eq!(
        copy.subject.to_string(),
        format!("record:{}", first.record.unwrap())
    );
    assert_eq!(lab.gateway().status()[0].counts.duplicates, 2);
}

#[tokio::test]
async fn a_copy_in_the_same_write_waits_for_the_first() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    let frame = labward_hl7::mllp::encode(&oru("1", "90"));
    client
        .write(&[frame.clone(), frame.clone(), frame].concat())
        .await;
    for _ in 0..3 {
        assert_eq!(client.ack().await.as_deref(), Some("AA 1"));
    }
    assert_eq!(lab.sent.all().len(), 1);
    assert_eq!(
        lab.actions(),
        ["message.received", "message.duplicate", "message.duplicate"]
    );
}

#[tokio::test]
async fn a_peer_that_left_before_its_answer_gets_it_when_it_sends_again() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    client.send(&oru("1", "90")).await;
    drop(client);
    lab.wait(|lab| lab.sent.all().len() == 1).await;
    assert_eq!(lab.connect().await.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.sent.all().len(), 1);
}

#[tokio::test]
async fn the_same_id_with_another_body_is_held_once_however_often_it_comes() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    for _ in 0..3 {
        assert_eq!(client.exchange(&oru("1", "777")).await, "AE 1");
    }
    let held = lab.held();
    let [one] = held.as_slice() else {
        panic!("{held:?}")
    };
    assert_eq!(one.reason, Reason::IdReused.problem().code);
    assert_eq!(lab.sent.all().len(), 1);
    assert_eq!(
        client.exchange(&oru("1", "90")).await,
        "AA 1",
        "the first is still the first"
    );
}

#[tokio::test]
async fn a_link_may_deliver_reused_ids_and_mark_them() {
    let lab = Lab::with_link(|link| link.same_id_other_content = DuplicatePolicy::Deliver);
    let mut client = lab.connect().await;
    for result in ["90", "91", "91"] {
        assert_eq!(client.exchange(&oru("1", result)).await, "AA 1");
    }
    assert_eq!(lab.sent.all().len(), 2);
    let leaf = lab.leaves().into_iter().nth_back(1).unwrap();
    let marks = leaf.facts.get("deviations").unwrap();
    assert!(
        format!("{marks:?}").contains("control-id-reused"),
        "{marks:?}"
    );
}

#[tokio::test]
async fn a_message_without_an_id_is_never_taken_for_a_copy() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    for _ in 0..2 {
        assert_eq!(client.exchange(&oru("", "90")).await, "AA ");
    }
    assert_eq!(lab.sent.all().len(), 2);
}

#[tokio::test]
async fn the_window_is_rebuilt_after_a_restart_and_forgets_what_is_too_old() {
    let mut lab = Lab::start();
    assert_eq!(lab.connect().await.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.connect().await.exchange(&oru("1", "91")).await, "AE 1");
    lab.clock.advance(Duration::from_secs(6 * 86_400));
    lab.restart();
    assert_eq!(lab.gateway().status()[0].window, 2);
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(client.exchange(&oru("1", "91")).await, "AE 1");
    assert_eq!((lab.sent.all().len(), lab.held().len()), (1, 1));
    lab.clock.advance(Duration::from_secs(2 * 86_400));
    lab.restart();
    assert_eq!(lab.gateway().status()[0].window, 0);
    assert_eq!(lab.connect().await.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.sent.all().len(), 2);
}
