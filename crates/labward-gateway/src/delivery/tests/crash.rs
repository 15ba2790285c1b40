//! Killed at any moment, delivery goes on where it was; fallen behind, it catches up.

use std::net::TcpListener;
use std::time::Duration;

use labward_testkit::Random;

use super::bench::Bench;
use super::receiver::{AA, Receiver, Reply};
use super::{bench_for, delivered, plain};
use crate::delivery::DestinationState;

#[test]
fn a_crash_doubles_at_most_the_message_in_flight() {
    let receiver = Receiver::start(|id, before| match id.parse::<u64>().unwrap() % 11 {
        0 if before == 0 => Reply::Codes(&["AE"]),
        5 => Reply::Slow(Duration::from_millis(3)),
        _ => AA,
    });
    let mut bench = bench_for(&receiver, "");
    let mut random = Random::new(7);
    let rounds = 12_u64;
    for _ in 0..rounds {
        for _ in 0..30 {
            bench.send(1 + random.below(4));
        }
        let target = receiver.count() + usize::try_from(random.below(25)).unwrap();
        bench.wait("some", |bench| {
            receiver.count() >= target || bench.status().waiting == 0
        });
        bench.kill();
        bench.start();
    }
    let all = rounds * 30;
    bench.wait("the rest", |bench| {
        let status = bench.status();
        let idle = status.waiting + status.in_flight + status.retrying == 0;
        idle && !status.catching_up && delivered(bench) >= usize::try_from(all).unwrap()
    });
    let ids = receiver.ids();
    let came = |id| ids.iter().filter(|known| **known == id).count();
    let planned = |id: u64| if id.is_multiple_of(11) { 2 } else { 1 };
    let doubled: usize = (1..=all)
        .map(|id| came(id).saturating_sub(planned(id)))
        .sum();
    assert!((1..=all).all(|id| came(id) >= 1), "nothing is lost");
    assert!(
        doubled <= usize::try_from(rounds).unwrap(),
        "{doubled} doubled"
    );
    assert_eq!(
        delivered(&bench),
        usize::try_from(all).unwrap(),
        "one entry each"
    );
}

#[test]
fn order_holds_per_patient_over_crashes() {
    let receiver = Receiver::start(|_, _| AA);
    let mut bench = bench_for(&receiver, "connections = 3");
    for _ in 0..6 {
        for patient in 0..30_u64 {
            bench.send(1 + patient % 3);
        }
        let target = receiver.count() + 11;
        bench.wait("some", |bench| {
            receiver.count() >= target || bench.status().waiting == 0
        });
        bench.kill();
        bench.start();
    }
    bench.wait("the rest", |bench| delivered(bench) >= 180);
    let ids = receiver.ids();
    for patient in 0..3 {
        let of = ids.iter().copied().filter(|id| (id - 1) % 3 == patient);
        let mut highest = 0;
        let mut distinct = 0;
        for id in of {
            // The same message may come twice in a row for its patient, never an earlier one.
            assert!(
                id == highest || id == highest + 3 || highest == 0,
                "{id} after {highest}"
            );
            distinct += u64::from(id != highest);
            highest = id;
        }
        assert_eq!(distinct, 60);
    }
}

#[test]
fn thousands_that_came_while_it_was_down_are_caught_up_in_order() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut bench = Bench::new(plain(address, ""));
    bench.start();
    for number in 0..5_000_u64 {
        bench.send(1 + number % 50);
    }
    bench.wait("down", |bench| {
        matches!(bench.status().state, DestinationState::Down { .. })
    });
    bench.wait("all kept", |bench| bench.store.stats().waiting == 0);
    let status = bench.status();
    assert!(
        status.waiting + status.in_flight <= 1_024,
        "memory is bounded: {status:?}"
    );
    bench.wait("its entry", |bench| !bench.actions().is_empty());
    let receiver = Receiver::at(address, |_, _| AA);
    bench.wait("delivery", |bench| bench.status().delivered == 5_000);
    let ids = receiver.ids();
    assert_eq!(ids, (1..=5_000).collect::<Vec<_>>());
    let mut actions = bench.actions();
    actions.retain(|name| *name != "message.delivered");
    assert_eq!(
        actions,
        ["message.delivery-failed"],
        "one entry for the outage, not one an attempt"
    );
}

#[test]
fn a_shutdown_lets_the_message_in_flight_arrive_once() {
    let receiver = Receiver::start(|_, _| Reply::Slow(Duration::from_millis(200)));
    let mut bench = bench_for(&receiver, "");
    bench.send(7);
    bench.send(7);
    bench.wait("the first under way", |_| receiver.count() == 1);
    bench.delivery().shutdown(Duration::from_secs(5));
    assert_eq!((receiver.ids(), delivered(&bench)), (vec![1], 1));
    bench.kill();
    bench.start();
    bench.wait("the second", |bench| delivered(bench) == 2);
    assert_eq!(receiver.ids(), [1, 2]);
}
