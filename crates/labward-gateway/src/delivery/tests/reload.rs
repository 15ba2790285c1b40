//! Other destinations while messages are on their way.

use std::net::TcpListener;
use std::time::Duration;

use super::receiver::{AA, Receiver, Reply};
use super::{bench_for, delivered, plain};
use crate::delivery::{DeliveryError, DestinationState};

#[test]
fn a_receiver_that_moved_gets_what_waited_for_it_without_waiting_for_the_next_retry() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let slow =
        |address| plain(address, "").replace("first_ms = 10\nmax_ms = 40", "first_ms = 600000");
    let mut bench = super::Bench::new(slow(nobody));
    bench.start();
    bench.send(7);
    bench.wait("that nobody answers", |bench| {
        matches!(bench.status().state, DestinationState::Down { .. })
    });
    let receiver = Receiver::start(|_, _| AA);
    bench.reload(&slow(receiver.address)).unwrap();
    bench.wait("delivery", |bench| delivered(bench) == 1);
    assert_eq!(bench.status().state, DestinationState::Up);
}

#[test]
fn what_is_in_flight_is_answered_and_the_next_message_goes_to_the_new_place() {
    let slow = Duration::from_millis(300);
    let old = Receiver::start(move |_, _| Reply::Slow(slow));
    let new = Receiver::start(|_, _| AA);
    let mut bench = bench_for(&old, "");
    bench.send(7);
    bench.wait("the first at the old place", |_| {
        old.log.lock().unwrap().came.len() == 1
    });
    bench.reload(&plain(new.address, "")).unwrap();
    bench.send(7);
    bench.wait("both", |bench| delivered(bench) == 2);
    assert_eq!(old.log.lock().unwrap().came.len(), 1, "not sent twice");
    assert_eq!(new.log.lock().unwrap().came.len(), 1);
}

#[test]
fn a_destination_to_which_something_is_on_its_way_cannot_be_taken_away() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut bench = super::Bench::new(plain(nobody, ""));
    bench.start();
    bench.send(7);
    bench.wait("that it is known", |bench| bench.status().waiting > 0);
    let refused = bench.reload("").unwrap_err();
    assert!(matches!(&refused, DeliveryError::Waits(name) if name.as_str() == "ehr"));
    assert_eq!(refused.problem().code, "config.destination-waits");
    let receiver = Receiver::start(|_, _| AA);
    bench.reload(&plain(receiver.address, "")).unwrap();
    bench.wait("delivery", |bench| delivered(bench) == 1);
    bench.wait("that nothing waits", |bench| bench.reload("").is_ok());
}

#[test]
fn one_that_leaves_still_delivers_what_was_routed_before_and_is_let_go_later() {
    let receiver = Receiver::start(|_, _| AA);
    let mut bench = bench_for(&receiver, "");
    bench.wait("that it has caught up", |bench| !bench.status().catching_up);
    bench.reload("").unwrap();
    assert_eq!(bench.delivery().status(), [], "nobody sees it any more");
    bench.send(7);
    bench.wait("delivery", |_| receiver.log.lock().unwrap().came.len() == 1);
    bench.delivery().sweep();
    bench.send(7);
    bench.wait("the next one", |_| {
        receiver.log.lock().unwrap().came.len() == 2
    });
    bench.wait("that it is idle", |bench| {
        bench.delivery().status().is_empty()
    });
    bench.clock.advance(Duration::from_secs(61));
    bench.delivery().sweep();
    bench.send(7);
    // Configured again, it takes up where it stood: nothing twice, nothing left out.
    bench.reload(&plain(receiver.address, "")).unwrap();
    bench.wait("the third", |_| {
        receiver.log.lock().unwrap().came.len() == 3
    });
}

#[test]
fn more_connections_are_opened_and_superfluous_ones_end() {
    let receiver = Receiver::start(|_, _| Reply::Slow(Duration::from_millis(50)));
    let mut bench = bench_for(&receiver, "");
    let many = |count| plain(receiver.address, &format!("connections = {count}"));
    bench.reload(&many(4)).unwrap();
    let send = |bench: &mut super::Bench, from: u64| {
        for patient in from..from + 12 {
            bench.send(patient);
        }
    };
    send(&mut bench, 1);
    bench.wait("the first twelve", |bench| delivered(bench) == 12);
    assert_eq!(receiver.log.lock().unwrap().most_open, 4);
    bench.reload(&many(1)).unwrap();
    bench.wait("that three connections end", |_| {
        receiver.log.lock().unwrap().open <= 1
    });
    send(&mut bench, 20);
    bench.wait("the others", |bench| delivered(bench) == 24);
    assert!(receiver.log.lock().unwrap().open <= 1);
}
