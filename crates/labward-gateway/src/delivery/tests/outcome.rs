//! What follows each kind of answer, and what a person can do then.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use labward_base::id::PersonId;

use super::bench::{Bench, hl7};
use super::receiver::{AA, Receiver, Reply};
use super::{bench_for, delivered};
use crate::delivery::{DeliveryError, DestinationState, ExceptionState, WaitingFilter};

const WHO: PersonId = PersonId::new(1);

/// Whether so many arrived and the lane, which learns it after the ledger, knows it too.
fn is_done(bench: &Bench, count: usize) -> bool {
    delivered(bench) == count && bench.status().in_flight == 0
}

#[test]
fn bytes_go_out_as_they_came_in() {
    let receiver = Receiver::start(|_, _| AA);
    let mut bench = bench_for(&receiver, "");
    let mut odd = hl7(1, "ORU^R01", "", "");
    odd.extend_from_slice(b"NTE|1|\xe4\x00\x80\r\r\n");
    bench.send_bytes(&[7], "ORU^R01", odd.clone());
    bench.wait("delivery", |bench| delivered(bench) == 1);
    assert_eq!(receiver.log.lock().unwrap().came, [odd]);
    let leaf = bench.leaves().pop().unwrap();
    assert_eq!(leaf.facts.get_text("answer"), Some("AA"));
    assert_eq!(leaf.facts.get_text("line"), Some("UNENCRYPTED"));
    assert_eq!(bench.delivery().findings().len(), 1);
}

#[test]
fn an_error_is_tried_again_until_it_is_accepted() {
    let receiver = Receiver::start(|_, before| {
        if before < 2 {
            Reply::Codes(&["AE"])
        } else {
            AA
        }
    });
    let mut bench = bench_for(&receiver, "");
    bench.send(7);
    bench.send(7);
    bench.wait("delivery", |bench| delivered(bench) == 2);
    assert_eq!(receiver.ids(), [1, 1, 1, 2, 2, 2]);
}

#[test]
fn a_foreign_acknowledgement_delivers_nothing_and_closes_the_connection() {
    let receiver = Receiver::start(|id, before| {
        if id == "1" && before == 0 {
            Reply::Foreign
        } else {
            AA
        }
    });
    let mut bench = bench_for(&receiver, "");
    bench.send(7);
    bench.wait("delivery", |bench| delivered(bench) == 1);
    assert_eq!(receiver.ids(), [1, 1]);
    assert_eq!(receiver.log.lock().unwrap().connections, 2);
    assert_eq!(
        bench.actions(),
        ["message.delivery-failed", "message.delivered"]
    );
}

#[test]
fn a_late_acknowledgement_is_not_taken_for_the_next_message() {
    let receiver = Receiver::start(|id, before| match (id, before) {
        ("1", 0) => Reply::Slow(Duration::from_millis(1_300)),
        _ => AA,
    });
    let mut bench = bench_for(&receiver, "");
    bench.send(7);
    bench.send(8);
    bench.wait("delivery", |bench| delivered(bench) == 2);
    let ids = receiver.ids();
    assert_eq!(ids.iter().filter(|id| **id == 1).count(), 2, "{ids:?}");
    assert_eq!(ids.iter().filter(|id| **id == 2).count(), 1, "{ids:?}");
}

#[test]
fn a_silent_receiver_is_down_with_one_entry_and_comes_back() {
    let sent = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_, _| match sent.fetch_add(1, Ordering::Relaxed) {
        0..5 => Reply::Close,
        _ => AA,
    });
    let mut bench = bench_for(&receiver, "");
    for patient in 1..=5 {
        bench.send(patient);
    }
    bench.wait("delivery", |bench| delivered(bench) == 5);
    let leaves = bench.leaves();
    let of_destination = leaves.iter().filter(|leaf| {
        leaf.action.name() == "message.delivery-failed"
            && matches!(&leaf.subject, labward_ledger::Subject::Destination(name) if name == "ehr")
    });
    assert_eq!(of_destination.count(), 1);
    let recovered = leaves
        .iter()
        .any(|leaf| leaf.facts.get("down_attempts").is_some());
    assert!(recovered, "the first answer says how long it was down");
    assert_eq!(bench.status().state, DestinationState::Up);
}

#[test]
fn a_refused_message_holds_its_patient_until_a_person_decides() {
    let receiver = Receiver::start(|id, before| {
        if id == "1" && before == 0 {
            Reply::Codes(&["AR"])
        } else {
            AA
        }
    });
    let mut bench = bench_for(&receiver, "");
    let first = bench.send(7);
    bench.send(7);
    bench.send(8);
    bench.wait("the other patient's", |bench| delivered(bench) == 1);
    assert_eq!(receiver.ids(), [1, 3]);
    bench.wait("hold", |bench| bench.status().held == 1);
    bench
        .delivery()
        .resend(first, None, WHO, "the receiver was repaired")
        .unwrap();
    bench.wait("delivery", |bench| delivered(bench) == 3);
    assert_eq!(receiver.ids(), [1, 3, 1, 2]);
}

#[test]
fn what_a_person_gives_up_lets_the_next_go() {
    let receiver = Receiver::start(|id, _| if id == "1" { Reply::Codes(&["AR"]) } else { AA });
    let mut bench = bench_for(&receiver, "");
    let first = bench.send(7);
    bench.send(7);
    bench.wait("hold", |bench| bench.status().held == 1);
    let ehr = "ehr".parse().unwrap();
    bench
        .delivery()
        .give_up(first, &ehr, WHO, "a test patient")
        .unwrap();
    bench.wait("delivery", |bench| delivered(bench) == 1);
    let dead = WaitingFilter {
        state: Some(ExceptionState::Dead),
        ..WaitingFilter::default()
    };
    let dead = bench.delivery().waiting(&dead).unwrap();
    assert_eq!(
        (dead.len(), dead[0].reason.as_str()),
        (1, "gateway.given-up")
    );
    let again = bench
        .delivery()
        .give_up(first, &ehr, WHO, "twice")
        .unwrap_err();
    assert!(matches!(again, DeliveryError::NotWaiting(_)));
}

#[test]
fn a_dead_letter_is_kept_and_can_be_resent() {
    let receiver = Receiver::start(|_, before| {
        if before < 3 {
            Reply::Codes(&["AE"])
        } else {
            AA
        }
    });
    let mut bench = bench_for(&receiver, "");
    let record = bench.send(7);
    bench.wait("the dead letter", |bench| bench.status().dead == 1);
    let waiting = bench.delivery().waiting(&WaitingFilter::default()).unwrap();
    assert_eq!(
        (waiting[0].state, waiting[0].answers),
        (ExceptionState::Dead, 3)
    );
    let actions = bench.actions();
    assert_eq!(
        actions
            .iter()
            .filter(|name| **name == "message.dead")
            .count(),
        1
    );
    bench
        .delivery()
        .resend(record, None, WHO, "needed")
        .unwrap();
    bench.wait("delivery", |bench| delivered(bench) == 1);
    bench.wait("no dead letter", |bench| bench.status().dead == 0);
    assert!(
        bench
            .delivery()
            .waiting(&WaitingFilter::default())
            .unwrap()
            .is_empty()
    );
    assert_eq!(receiver.ids(), [1, 1, 1, 1]);
}

#[test]
fn a_delivered_message_can_be_sent_again_and_after_a_restart_still_once() {
    let receiver = Receiver::start(|_, _| AA);
    let mut bench = bench_for(&receiver, "");
    let record = bench.send(7);
    bench.wait("delivery", |bench| is_done(bench, 1));
    bench
        .delivery()
        .resend(record, None, WHO, "asked for")
        .unwrap();
    bench.wait("delivery", |bench| delivered(bench) == 2);
    bench.kill();
    bench.start();
    bench.send(7);
    bench.wait("delivery", |bench| delivered(bench) == 3);
    assert_eq!(receiver.ids(), [1, 1, 2]);
    let unknown = bench
        .delivery()
        .resend(labward_base::id::RecordId::new(99), None, WHO, "?");
    assert!(matches!(unknown, Err(DeliveryError::NoMessage(_))));
}

#[test]
fn a_message_that_a_person_released_can_be_sent_again() {
    let receiver = Receiver::start(|_, _| AA);
    let mut bench = bench_for(&receiver, "");
    let record = bench.hold(7);
    let resend = |bench: &Bench, to| bench.delivery().resend(record, to, WHO, "asked for");
    let held = resend(&bench, None);
    assert!(matches!(held, Err(DeliveryError::NoMessage(_))), "{held:?}");
    bench.release(record);
    bench.wait("delivery", |bench| is_done(bench, 1));
    resend(&bench, None).unwrap();
    bench.wait("another delivery", |bench| delivered(bench) == 2);
    bench.kill();
    bench.start();
    resend(&bench, Some(&"ehr".parse().unwrap())).unwrap();
    bench.wait("the third", |bench| delivered(bench) == 3);
    assert_eq!(receiver.ids(), [1, 1, 1]);
}

#[test]
fn a_stopped_destination_waits_for_a_person_even_after_a_restart() {
    let receiver = Receiver::start(|id, before| {
        if id == "1" && before == 0 {
            Reply::Codes(&["AR"])
        } else {
            AA
        }
    });
    let mut bench = bench_for(&receiver, "on = { reject = \"stop\" }");
    bench.send(7);
    bench.wait("stop", |bench| {
        matches!(bench.status().state, DestinationState::Stopped { .. })
    });
    bench.send(8);
    bench.kill();
    bench.start();
    assert!(matches!(
        bench.status().state,
        DestinationState::Stopped { .. }
    ));
    let ehr = "ehr".parse().unwrap();
    bench.delivery().resume(&ehr, WHO, "repaired").unwrap();
    bench.wait("both", |bench| delivered(bench) == 2);
    assert_eq!(receiver.ids(), [1, 1, 2]);
    assert!(bench.actions().contains(&"destination.released"));
    let twice = bench.delivery().resume(&ehr, WHO, "again");
    assert!(matches!(twice, Err(DeliveryError::NotStopped(_))));
}

#[test]
fn a_commit_acknowledgement_delivers_and_the_later_answer_is_no_foreign_one() {
    let receiver = Receiver::start(|_, _| Reply::Codes(&["CA", "AA"]));
    let mut bench = bench_for(&receiver, "");
    for id in 1..=20 {
        let message = hl7(id, "ORU^R01", "AL", "AL");
        bench.send_bytes(&[7], "ORU^R01", message);
    }
    bench.wait("delivery", |bench| delivered(bench) == 20);
    assert_eq!(receiver.ids(), (1..=20).collect::<Vec<_>>());
    assert_eq!(receiver.log.lock().unwrap().connections, 1);
}

#[test]
fn the_application_is_waited_for_where_that_is_asked() {
    let receiver = Receiver::start(|_, before| {
        if before == 0 {
            Reply::Codes(&["CA", "AE"])
        } else {
            Reply::Codes(&["CA", "AA"])
        }
    });
    let mut bench = bench_for(&receiver, "wait_for_application_ack = true");
    bench.send_bytes(&[7], "ORU^R01", hl7(1, "ORU^R01", "AL", "AL"));
    bench.wait("delivery", |bench| delivered(bench) == 1);
    assert_eq!(
        bench.leaves().pop().unwrap().facts.get_text("answer"),
        Some("AA")
    );
    assert_eq!(receiver.ids(), [1, 1]);
}

#[test]
fn silence_is_consent_where_no_answer_was_asked_for() {
    let receiver = Receiver::start(|_, _| Reply::Silent);
    let mut bench = bench_for(&receiver, "");
    bench.send_bytes(&[7], "ORU^R01", hl7(1, "ORU^R01", "NE", "NE"));
    bench.wait("delivery", |bench| delivered(bench) == 1);
    assert_eq!(
        bench.leaves().pop().unwrap().facts.get_text("answer"),
        Some("none-asked")
    );
    assert_eq!(receiver.ids(), [1]);
}

#[test]
fn a_receiver_that_closes_after_each_message_gets_each_once() {
    let receiver = Receiver::start(|_, _| Reply::AckAndClose);
    let mut bench = bench_for(&receiver, "");
    for _ in 0..20 {
        bench.send(7);
    }
    bench.wait("delivery", |bench| delivered(bench) == 20);
    let mut ids = receiver.ids();
    ids.dedup();
    assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    assert!(!bench.actions().contains(&"message.delivery-failed"));
}

#[test]
fn what_is_no_hl7_never_goes_to_an_hl7_receiver() {
    let receiver = Receiver::start(|_, _| AA);
    let mut bench = bench_for(&receiver, "");
    bench.send_bytes(&[7], "ASTM", b"H|\\^&|||\rL|1\r".to_vec());
    bench.wait("the dead letter", |bench| bench.status().dead == 1);
    let waiting = bench.delivery().waiting(&WaitingFilter::default()).unwrap();
    assert_eq!(waiting[0].reason, "gateway.not-for-hl7");
    assert_eq!(receiver.count(), 0);
}
