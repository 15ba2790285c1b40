//! First in, first out per patient, whatever happens on the way.

use std::time::Duration;

use labward_base::id::PersonId;

use super::receiver::{AA, Receiver, Reply};
use super::{bench_for, delivered};

#[test]
fn order_holds_per_patient_over_many_lanes() {
    let receiver = Receiver::start(|id, before| match id.parse::<u64>().unwrap() % 7 {
        0 if before == 0 => Reply::Codes(&["AE"]),
        3 => Reply::Slow(Duration::from_millis(5)),
        _ => AA,
    });
    let mut bench = bench_for(&receiver, "connections = 4");
    for number in 0..200_u64 {
        bench.send(1 + number % 5);
    }
    bench.wait("delivery", |bench| delivered(bench) == 200);
    let mut ids = receiver.ids();
    for patient in 0..5 {
        let mut of: Vec<_> = ids
            .iter()
            .copied()
            .filter(|id| (id - 1) % 5 == patient)
            .collect();
        of.dedup();
        assert!(
            of.is_sorted() && of.len() == 40,
            "patient {patient}: {of:?}"
        );
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 200);
    assert!(receiver.log.lock().unwrap().most_open <= 4);
}

#[test]
fn one_blocked_patient_does_not_block_the_others_beyond_the_window() {
    let receiver = Receiver::start(|id, _| if id == "1" { Reply::Codes(&["AR"]) } else { AA });
    let mut bench = bench_for(&receiver, "");
    for _ in 0..400 {
        bench.send(7);
    }
    for _ in 0..50 {
        bench.send(8);
    }
    bench.wait("the others", |bench| delivered(bench) == 50);
    let ids = receiver.ids();
    assert_eq!(ids.iter().filter(|id| **id <= 400).count(), 1);
    bench.wait("rows", |bench| bench.status().waiting >= 399);
    bench.kill();
    bench.start();
    bench.wait("rows again", |bench| {
        let status = bench.status();
        status.held == 1 && status.waiting >= 399
    });
    assert_eq!(
        receiver.count(),
        ids.len(),
        "nothing of it goes out after a restart"
    );
}

#[test]
fn a_merge_is_a_barrier_for_both_patients() {
    let receiver = Receiver::start(|id, _| match id {
        "1" => Reply::Slow(Duration::from_millis(60)),
        _ => AA,
    });
    let mut bench = bench_for(&receiver, "connections = 4");
    bench.send(7);
    bench.send(8);
    bench.send_merge(7, 8);
    bench.send(8);
    bench.send(9);
    bench.wait("delivery", |bench| delivered(bench) == 5);
    let ids = receiver.ids();
    let at = |id| ids.iter().position(|known| *known == id).unwrap();
    assert!(at(1) < at(3) && at(2) < at(3) && at(3) < at(4), "{ids:?}");
}

#[test]
fn a_released_merge_is_a_barrier_for_both_patients_as_after_a_restart() {
    for restarts in [false, true] {
        let receiver = Receiver::start(|id, _| match id {
            "1" | "2" => Reply::Codes(&["AR"]),
            _ => AA,
        });
        let mut bench = bench_for(&receiver, "connections = 4");
        let (one, other) = (bench.send(7), bench.send(8));
        bench.wait("hold", |bench| bench.status().held == 2);
        let merge = bench.hold_merge(7, 8);
        bench.release(merge);
        if restarts {
            bench.kill();
            bench.start();
        }
        let ehr = "ehr".parse().unwrap();
        for (record, marker, count) in [(one, 9, 1), (other, 10, 2)] {
            bench.send(marker);
            bench.wait("the marker", |bench| delivered(bench) == count);
            assert!(
                !receiver.ids().contains(&merge.get()),
                "both are in front of it"
            );
            let why = "a test patient";
            bench.wait("what is held", |bench| bench.status().held > 0);
            bench
                .delivery()
                .give_up(record, &ehr, PersonId::new(1), why)
                .unwrap();
        }
        bench.wait("the merge", |bench| delivered(bench) == 3);
        assert!(receiver.ids().contains(&merge.get()));
    }
}

#[test]
fn messages_without_a_patient_stay_in_the_order_of_their_link() {
    let receiver = Receiver::start(|_, before| {
        if before == 0 {
            Reply::Codes(&["AE"])
        } else {
            AA
        }
    });
    let mut bench = bench_for(&receiver, "connections = 4");
    for _ in 0..10 {
        bench.send(0);
    }
    bench.wait("delivery", |bench| delivered(bench) == 10);
    let mut ids = receiver.ids();
    ids.dedup();
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
}
