//! Held messages and what a person decides about them.

use labward_base::id::{PersonId, RecordId};
use labward_identity::PeerRules;

use super::oru;
use crate::messages::{HeldFilter, HeldState, MessageError};
use crate::testing::{Lab, LabOptions, PEER};

/// A lab whose peer may send nothing, with this many held messages.
async fn lab_with_held(count: usize) -> Lab {
    let lab = Lab::with(LabOptions {
        rules: PeerRules::default(),
        ..LabOptions::default()
    });
    let mut client = lab.connect().await;
    for number in 0..count {
        let id = number.to_string();
        assert_eq!(client.exchange(&oru(&id, "90")).await, format!("AR {id}"));
    }
    lab
}

#[tokio::test]
async fn a_released_message_goes_where_it_would_have_gone_and_says_who_and_why() {
    let lab = lab_with_held(1).await;
    assert!(lab.sent.all().is_empty());
    let held = lab.held().remove(0);
    lab.release(&held);
    let sent = lab.sent.all();
    let [one] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!(
        (one.record, one.bytes.as_slice()),
        (held.record, oru("0", "90").as_slice())
    );
    let leaf = lab.leaves().pop().unwrap();
    assert_eq!(
        (leaf.index, leaf.action.name()),
        (one.entry, "message.released")
    );
    assert_eq!(leaf.actor.to_string(), "person:1");
    assert!(leaf.facts.get("to").is_some() && leaf.detail.is_some());
    let text = String::from_utf8(leaf.to_bytes().unwrap()).unwrap();
    assert!(!text.contains("looks right"), "the reason is sealed");
}

#[tokio::test]
async fn a_message_is_decided_about_once() {
    let lab = lab_with_held(2).await;
    let messages = lab.gateway().messages();
    let [second, first] = lab.held().try_into().unwrap();
    messages
        .reject(first.record, PersonId::new(1), "a test of the device")
        .unwrap();
    let again = messages.release(first.record, PersonId::new(2), "no, it is right");
    assert!(
        matches!(again, Err(MessageError::NotWaiting(_))),
        "{again:?}"
    );
    lab.release(&second);
    let missing = messages.reject(RecordId::new(99), PersonId::new(1), "");
    assert!(matches!(missing, Err(MessageError::NotFound(_))));
    assert_eq!(lab.sent.all().len(), 1);
    assert_eq!(messages.count().unwrap(), 0);
    assert_eq!(
        messages.show(first.record).unwrap().state,
        HeldState::Rejected
    );
}

#[tokio::test]
async fn held_messages_are_found_by_state_link_and_peer_page_by_page() {
    let lab = lab_with_held(5).await;
    let messages = lab.gateway().messages();
    messages
        .reject(lab.held()[4].record, PersonId::new(1), "")
        .unwrap();
    let all = HeldFilter::default();
    let count = |filter: HeldFilter| messages.list(&filter).unwrap().len();
    let state = Some(HeldState::Held);
    assert_eq!(count(all.clone()), 5);
    assert_eq!(
        count(HeldFilter {
            state,
            ..all.clone()
        }),
        4
    );
    assert_eq!(
        count(HeldFilter {
            peer: Some(PEER.into()),
            ..all.clone()
        }),
        5
    );
    assert_eq!(
        count(HeldFilter {
            peer: Some("x".into()),
            ..all.clone()
        }),
        0
    );
    assert_eq!(
        count(HeldFilter {
            link: Some("x".into()),
            ..all.clone()
        }),
        0
    );
    let first = messages
        .list(&HeldFilter {
            limit: 2,
            ..all.clone()
        })
        .unwrap();
    assert_eq!(first.len(), 2);
    let before = first.last().map(|held| held.record);
    assert_eq!(count(HeldFilter { before, ..all }), 3);
}

#[tokio::test]
async fn what_was_refused_is_accepted_once_the_rules_allow_it() {
    let mut lab = lab_with_held(1).await;
    assert_eq!(lab.connect().await.exchange(&oru("0", "90")).await, "AR 0");
    assert_eq!(
        lab.held().len(),
        1,
        "a repeated refusal is no second held message"
    );
    lab.restart();
    assert_eq!(lab.connect().await.exchange(&oru("0", "90")).await, "AR 0");
    assert_eq!(lab.held().len(), 1, "nor after a restart");
}

#[tokio::test]
async fn what_a_person_released_is_not_delivered_again_when_the_device_repeats_it() {
    let mut lab = lab_with_held(1).await;
    let held = lab.held().remove(0);
    lab.release(&held);
    for _ in 0..2 {
        assert_eq!(lab.connect().await.exchange(&oru("0", "90")).await, "AA 0");
        assert_eq!((lab.sent.all().len(), lab.held().len()), (1, 1));
        lab.restart();
    }
}
