//! An edge beside devices: cut off, killed, damaged, set back, brought in by a code, and with malware in what passes.
//!
//! Real programs on both sides; the line between them is a relay that can be cut, or a real one
//! between two network namespaces.

mod bench;
mod cable;
mod enrolment;
mod hour;
mod malware;
mod renewal;
mod serial;

use std::fs;

use labward_base::id::EntryIndex;
use labward_hl7::Message;
use labward_ledger::{Action, Leaf, entries};
use labward_store::StoreError;
use labward_testkit::Random;

use self::bench::{Bench, Device};
use crate::support::{Numbered, Opened, eventually};

const DEVICES: [u32; 2] = [1, 2];

fn numbered(client: u32, number: u32) -> Numbered {
    Numbered {
        client,
        patient: number % 3,
        number,
    }
}

/// The control ids of what was received, in the order of the ledger.
fn received(opened: &Opened) -> Vec<Numbered> {
    let messages = opened.messages().unwrap();
    let id = |bytes: &Vec<u8>| {
        let message = Message::parse(bytes).unwrap();
        let id = String::from_utf8_lossy(message.header().control_id()).into_owned();
        Numbered::from_control_id(&id).unwrap()
    };
    messages.iter().map(id).collect()
}

/// Every number of every device came once and in its order.
#[track_caller]
fn all_came_once_in_order(opened: &Opened, last: u32) {
    let received = received(opened);
    for client in DEVICES {
        let of_one = received.iter().filter(|one| one.client == client);
        let numbers: Vec<u32> = of_one.map(|one| one.number).collect();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "device {client}");
    }
}

#[test]
fn results_outlive_a_cut_line_and_kills_on_both_sides_once_and_in_order() {
    let (mut bench, relay) = Bench::new();
    let mut server = bench.lab.serve();
    bench.enrol();
    let mut edge = bench.start();
    bench.wait_connected();
    let send = |bench: &Bench, numbers: std::ops::RangeInclusive<u32>| {
        for client in DEVICES {
            let mut device = Device::connect(bench.device(client));
            for number in numbers.clone() {
                device.exchange(numbered(client, number));
            }
        }
    };
    send(&bench, 1..=5);
    relay.cut();
    send(&bench, 6..=120);
    // Nothing of it is legible, and it is there after the power is back.
    bench.nothing_is_legible();
    edge.kill();
    edge = bench.start();
    send(&bench, 121..=150);
    assert!(bench.status()["waiting"].as_u64().is_some());
    relay.mend();
    let mut random = Random::new(5);
    for round in 0..6 {
        let far = 50 + random.below(30);
        eventually("some more to be taken", || {
            (bench.taken() >= (round + 1) * 20 + far / 4).then_some(())
        });
        if round % 2 == 0 {
            server.kill();
            server = bench.lab.serve();
        } else {
            edge.kill();
            edge = bench.start();
        }
    }
    bench.wait_for_taken(300);
    bench.nothing_is_legible();
    edge.stop();
    let ledger = bench.lab.json(&["ledger", "verify"]);
    assert_eq!(ledger["good"], true, "{ledger}");
    server.stop();
    let opened = bench.lab.open();
    all_came_once_in_order(&opened, 150);
    says_where_each_came_from(&opened);
}

/// Every entry of a message names the edge as its actor, and the device.
fn says_where_each_came_from(opened: &Opened) {
    let store = &opened.store;
    let first = EntryIndex::new(0);
    let rows = store.read(|snapshot| entries(snapshot, first, 10_000));
    let rows = rows.map_err(|error: StoreError| error).unwrap();
    let leaves = rows.iter().map(|row| Leaf::parse(&row.leaf).unwrap());
    let mut kept = 0;
    for leaf in leaves {
        match leaf.action {
            Action::MessageReceived => {
                let device = leaf.facts.get_text("device").unwrap();
                assert!(["hema-1", "hema-2"].contains(&device));
                assert_eq!(leaf.facts.get_text("peer"), Some("bench-1"));
            }
            Action::EdgeCheckpointKept => kept += 1,
            Action::EdgeRefused | Action::EdgeItemLost => panic!("{leaf:?}"),
            _ => {}
        }
    }
    assert!(kept > 0, "no checkpoint was kept");
}

#[test]
fn a_byte_flipped_in_the_queue_is_named_on_both_sides_and_stops_nothing_else() {
    let (mut bench, relay) = Bench::new();
    let server = bench.lab.serve();
    bench.enrol();
    let edge = bench.start();
    bench.wait_connected();
    relay.cut();
    let mut device = Device::connect(bench.device(1));
    for number in 1..=5 {
        device.exchange(numbered(1, number));
    }
    edge.stop();
    bench.flip_in_item(3);
    let edge = bench.start();
    relay.mend();
    bench.wait_connected();
    bench.wait_for_taken(5);
    assert_eq!(bench.status()["damaged"], 1);
    let check = bench.lab.run(&["--json", "check"]).out;
    assert!(check.contains("check.edge-damaged-items"), "{check}");
    edge.stop();
    server.stop();
    let opened = bench.lab.open();
    let numbers: Vec<u32> = received(&opened).iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 4, 5]);
    let store = &opened.store;
    let rows = store.read(|snapshot| entries(snapshot, EntryIndex::new(0), 1_000));
    let rows = rows.map_err(|error: StoreError| error).unwrap();
    let leaves = rows.iter().map(|row| Leaf::parse(&row.leaf).unwrap());
    let lost: Vec<Leaf> = leaves
        .filter(|leaf| leaf.action == Action::EdgeItemLost)
        .collect();
    let [lost] = lost.as_slice() else {
        panic!("{lost:?}")
    };
    assert_eq!(lost.facts.get_number("item"), Some(3));
    assert_eq!(lost.facts.get_text("device"), Some("hema-1"));
    assert!(lost.facts.get_text("received").is_some());
}

#[test]
fn an_edge_that_was_set_back_is_refused_and_named_and_loses_nothing_once_it_enrols_again() {
    let (mut bench, _relay) = Bench::new();
    let server = bench.lab.serve();
    bench.enrol();
    let send = |bench: &Bench, number: u32| {
        Device::connect(bench.device(1)).exchange(numbered(1, number));
    };
    let edge = bench.start();
    bench.wait_connected();
    (1..=4).for_each(|number| send(&bench, number));
    bench.wait_for_taken(4);
    edge.stop();
    let copy = bench.lab.beside("copy");
    bench::copy_folder(&bench.folder, &copy);
    let edge = bench.start();
    bench.wait_connected();
    (5..=7).for_each(|number| send(&bench, number));
    bench.wait_for_taken(7);
    edge.stop();
    fs::remove_dir_all(&bench.folder).unwrap();
    bench::copy_folder(&copy, &bench.folder);
    let edge = bench.start();
    eventually("the edge to be refused", || {
        (bench.shown()["fault"] == "edge.rewound").then_some(())
    });
    let check = bench.lab.run(&["--json", "check"]).out;
    assert!(check.contains("check.edge-refused"), "{check}");
    // The device is not left alone meanwhile.
    send(&bench, 8);
    eventually("the edge to say why", || {
        (bench.status()["fault"] == "edge.rewound").then_some(())
    });
    edge.stop();
    bench.enrol();
    let edge = bench.start();
    bench.wait_connected();
    bench.wait_for_taken(5);
    edge.stop();
    server.stop();
    let opened = bench.lab.open();
    let numbers: Vec<u32> = received(&opened).iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
}
