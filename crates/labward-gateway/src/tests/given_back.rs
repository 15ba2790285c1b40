//! What people give back from quarantine is kept and delivered as one that comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use labward_base::id::{PersonId, RecordId};
use labward_ledger::{Actor, Facts};
use labward_store::StoreError;

use crate::give_back::{GiveBackError, GivenBack};
use crate::inspect::{Finding, InspectPolicy, OnMalicious};
use crate::keep::Also;
use crate::messages::HeldState;
use crate::testing::{Inspector, Lab, LabOptions, planted};

const NUMBER: &str = "LBW7-0a0b0c0d";

fn lab_with(policy: InspectPolicy) -> Lab {
    Lab::with(LabOptions {
        link: Box::new(move |link| link.inspect = policy),
        inspector: Some(Inspector::new()),
        ..LabOptions::default()
    })
}

fn bad(id: &str) -> Vec<u8> {
    let base64 = planted(Finding::Malicious);
    format!(
        "MSH|^~\\&|APP|FAC|LIS|LAB|20270115080000||ORU^R01^ORU_R01|{id}|P|2.5.1\r\
         PID|1||4711^^^LAB^MR||Doe^Jane\r\
         OBR|1|O-1|F-1|24331-1^Lipids^LN\r\
         OBX|1|ED|PDF||APP^application^pdf^Base64^{base64}||||||F\r"
    )
    .into_bytes()
}

fn given(in_place: RecordId, also: Also) -> GivenBack {
    GivenBack {
        link: "hl7".to_owned(),
        peer: None,
        in_place,
        bytes: bad("1"),
        control_id: NUMBER.to_owned(),
        by: Actor::Person(PersonId::new(9)),
        facts: Facts::new().number("quarantine_item", 7),
        also,
    }
}

fn nothing() -> Also {
    Box::new(|_, _, _| Ok(()))
}

fn give_back(lab: &Lab, given: GivenBack) -> Result<RecordId, GiveBackError> {
    lab.gateway().give_back(given).map(|gave| gave.record)
}

#[tokio::test]
async fn what_was_replaced_goes_out_whole_under_a_number_of_its_own_and_is_not_looked_at_again() {
    let lab = lab_with(InspectPolicy::default());
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AA 1");
    let in_place = lab.sent.all()[0].record;
    let asked = lab.inspector().asked();
    let record = give_back(&lab, given(in_place, nothing())).unwrap();
    let sent = lab.sent.all();
    let whole = String::from_utf8(bad("1")).unwrap();
    let expect = whole.replacen("|1|P|", &format!("|{NUMBER}|P|"), 1);
    assert_eq!((sent.len(), sent[1].record), (2, record));
    assert_eq!(sent[1].bytes, expect.as_bytes());
    assert_eq!(lab.keep_of(record), expect.as_bytes());
    assert_eq!(lab.inspector().asked(), asked);
    let leaf = lab.leaves().pop().unwrap();
    assert_eq!(
        (leaf.index, leaf.action.name()),
        (sent[1].entry, "message.received")
    );
    assert_eq!(leaf.actor.to_string(), "person:9");
    let text = |name| leaf.facts.get_text(name);
    assert_eq!((text("link"), text("type")), (Some("hl7"), Some("ORU^R01")));
    assert_eq!(text("control_id"), Some(NUMBER));
    let number = |name| leaf.facts.get_number(name);
    let in_place = i64::try_from(in_place.get()).unwrap();
    assert_eq!(number("in_place_of"), Some(in_place));
    assert_eq!(number("quarantine_item"), Some(7));
    assert!(leaf.facts.get("to").is_some());
    // Its sender's copy is one of a message that was accepted.
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AA 1");
    assert_eq!(lab.sent.all().len(), 2);
}

#[tokio::test]
async fn what_was_held_goes_out_bit_for_bit_the_rest_of_it_nowhere_and_a_copy_is_accepted_from_then_on()
 {
    let policy = InspectPolicy {
        malicious: OnMalicious::Hold,
        ..InspectPolicy::default()
    };
    let mut lab = lab_with(policy);
    let refused = lab.connect().await.exchange(&bad("1")).await;
    assert!(!refused.starts_with("AA"), "{refused}");
    let held = lab.held().remove(0);
    give_back(&lab, given(held.record, nothing())).unwrap();
    let sent = lab.sent.all();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].bytes, bad("1"));
    let held = lab.held().remove(0);
    assert_eq!(held.state, HeldState::Rejected);
    let decided = lab
        .leaves()
        .into_iter()
        .find(|leaf| Some(leaf.index) == held.decided);
    assert_eq!(decided.unwrap().action.name(), "message.rejected");
    for _ in 0..2 {
        assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AA 1");
        assert_eq!((lab.sent.all().len(), lab.held().len()), (1, 1));
        lab.restart();
    }
}

#[tokio::test]
async fn what_cannot_be_delivered_changes_nothing() {
    let lab = lab_with(InspectPolicy::default());
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AA 1");
    let in_place = lab.sent.all()[0].record;
    let (entries, runs) = (lab.leaves().len(), Arc::new(AtomicUsize::new(0)));
    let counted = |fails: bool| -> Also {
        let runs = Arc::clone(&runs);
        Box::new(move |_, _, _| {
            runs.fetch_add(1, Ordering::Relaxed);
            if fails {
                Err(StoreError::Closed)
            } else {
                Ok(())
            }
        })
    };
    let gone = GivenBack {
        link: "gone".to_owned(),
        ..given(in_place, counted(false))
    };
    let refused = give_back(&lab, gone);
    assert!(matches!(&refused, Err(GiveBackError::NoLink(name)) if name == "gone"));
    let refused = give_back(&lab, given(RecordId::new(99), counted(false)));
    assert!(
        matches!(refused, Err(GiveBackError::NoMessage(_))),
        "{refused:?}"
    );
    lab.reload(|config| config.routes.clear()).unwrap();
    let refused = give_back(&lab, given(in_place, counted(false)));
    assert!(
        matches!(refused, Err(GiveBackError::NoRoute(_))),
        "{refused:?}"
    );
    assert_eq!(runs.load(Ordering::Relaxed), 0);
    lab.reload(|_| {}).unwrap();
    let refused = give_back(&lab, given(in_place, counted(true)));
    assert!(
        matches!(refused, Err(GiveBackError::Keep(_))),
        "{refused:?}"
    );
    assert_eq!((lab.leaves().len(), lab.sent.all().len()), (entries, 1));
    give_back(&lab, given(in_place, counted(false))).unwrap();
    assert_eq!(lab.sent.all().len(), 2);
}
