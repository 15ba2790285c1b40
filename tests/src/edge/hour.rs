//! An hour of results while the cable is pulled, a kill, and the cable again.

use std::net::SocketAddr;

use super::bench::{Bench, Device};
use super::cable::{Cable, LAB};
use crate::support::{Numbered, eventually, program};

/// One every two seconds.
const HOUR: u32 = 1_800;

/// The first result of the hour; those before came while the cable was in.
const FIRST: u32 = 11;

/// Results that are looked at together while they are waited for.
const STEP: u32 = 100;

/// The result with this number, and its control id; its time runs on by two seconds each.
fn result(number: u32) -> (Vec<u8>, String) {
    let numbered = Numbered {
        client: 1,
        patient: number % 3,
        number,
    };
    let text = String::from_utf8(numbered.message()).unwrap();
    let seconds = number * 2;
    let (hour, minute, second) = (12 + seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let time = format!("20260101{hour:02}{minute:02}{second:02}");
    let text = text.replacen("20260101120000", &time, 1);
    (text.into_bytes(), numbered.control_id())
}

fn exchange(device: &mut Device, number: u32) {
    let (message, id) = result(number);
    device.send(&message);
    device.accepted(&id);
}

fn cut_off_for_an_hour(cable: &Cable) {
    let link = SocketAddr::from((LAB, 2_575));
    let server = format!("server = \"{link}\"\nserver_name = \"localhost\"\n");
    let mut bench = Bench::reached(link, server);
    let server = bench.lab.serve();
    bench.enrol();
    let start = |bench: &Bench| cable.at_edge(|| bench.start());
    let connect = |bench: &Bench| cable.at_edge(|| Device::connect(bench.device(1)));
    let edge = start(&bench);
    bench.wait_connected();
    let mut device = connect(&bench);
    (1..FIRST).for_each(|number| exchange(&mut device, number));
    bench.wait_for_taken(u64::from(FIRST - 1));

    cable.pull();
    let last = FIRST + HOUR - 1;
    (FIRST..last).for_each(|number| exchange(&mut device, number));
    // The device does not learn whether its last result was kept, and sends it again.
    device.send(&result(last).0);
    edge.kill();
    bench.nothing_is_legible();
    let edge = start(&bench);
    let mut device = connect(&bench);
    exchange(&mut device, last);
    eventually("the edge to say what waits", || {
        let status = bench.status();
        let waits = status["waiting"].as_u64() >= Some(u64::from(HOUR));
        (waits && status["connected"] == false).then_some(())
    });
    assert_eq!(bench.taken(), u64::from(FIRST - 1));

    cable.plug();
    for number in (FIRST..last).filter(|number| number % STEP == 0) {
        eventually("some more of the hour to be taken", || {
            (bench.taken() >= u64::from(number)).then_some(())
        });
    }
    let last = last + 1;
    exchange(&mut device, last);
    eventually("what came after the hour to be taken", || {
        let (shown, status) = (bench.shown(), bench.status());
        let is_empty = shown["waiting"] == 0 && status["waiting"] == 0;
        (is_empty && shown["taken"] == status["sent"] && bench.taken() >= u64::from(last))
            .then_some(())
    });
    edge.stop();
    let ledger = bench.lab.json(&["ledger", "verify"]);
    assert_eq!(ledger["good"], true, "{ledger}");
    server.stop();
    let stored = bench.lab.open().messages().unwrap();
    let sent: Vec<_> = (1..=last).map(|number| result(number).0).collect();
    assert_eq!(stored.len(), sent.len());
    assert!(stored == sent, "they are others, or in another order");
}

#[test]
fn an_hour_of_results_behind_a_pulled_cable_and_a_kill_arrives_once_and_in_order() {
    let Some(cable) = Cable::lay() else {
        let name = "an_hour_of_results_behind_a_pulled_cable_and_a_kill_arrives_once_and_in_order";
        eprintln!("labward-skip: {name}: two network namespaces take root and `ip` of iproute2");
        return;
    };
    // Built where the network is.
    program();
    cable.at_lab(|| cut_off_for_an_hour(&cable));
}
