//! A disk that is really full, or read-only, under the real program: what was acknowledged is there,
//! nothing else is acknowledged, and results are read by break-glass.

use std::sync::Arc;

use rustls::ClientConfig;
use serde_json::Value;

use crate::kill::kill_while_it_starts;
use crate::support::{Client, Installation, Numbered, Server, eventually};

const LINK: &str = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";
const DISK_MIB: u32 = 24;
/// Messages after which a full disk must have refused one: the log may still have room for some.
const MOST: u32 = 5_000;

/// A lab on a small disk, and what its one analyzer was told.
struct Lab {
    lab: Installation,
    server: Option<Server>,
    peer: Arc<ClientConfig>,
    next: u32,
    acknowledged: Vec<Numbered>,
}

impl Lab {
    /// `None`, and said so, where no disk can be mounted.
    fn start(test: &str) -> Option<Self> {
        let Some(lab) = Installation::create_on_small_disk(DISK_MIB, LINK) else {
            eprintln!("labward-skip: {test}: mounting a small disk takes root");
            return None;
        };
        let server = Some(lab.serve());
        let peer = lab.peer("xn550", "analyzer").client_config(true);
        Some(Self {
            lab,
            server,
            peer,
            next: 1,
            acknowledged: Vec::new(),
        })
    }

    /// Sends the next message; a message that was not accepted is sent again the next time.
    fn send(&mut self) -> bool {
        let message = Numbered {
            client: 1,
            patient: self.next % 3,
            number: self.next,
        };
        let answer = Client::connect(self.lab.address("hl7"), &self.peer)
            .and_then(|mut client| client.exchange(&message.message(), &message.control_id()));
        let accepted = answer.is_ok_and(|code| code == "AA");
        if accepted {
            self.acknowledged.push(message);
            self.next += 1;
        }
        accepted
    }

    fn send_all(&mut self, count: u32) {
        for _ in 0..count {
            assert!(self.send());
        }
    }

    /// Fills the disk and sends until a message is refused.
    fn fill(&mut self) {
        self.lab.disk().fill();
        assert!((0..MOST).any(|_| !self.send()), "nothing was refused");
        eventually("the server to notice", || {
            (!self.status()["ledger_failing_since"].is_null()).then_some(())
        });
    }

    fn status(&self) -> Value {
        self.lab.json(&["status"])
    }

    /// Reads the newest record by break-glass; where that was recorded.
    fn break_glass(&self) -> Value {
        let record = self.lab.json(&["message", "list"])[0]["record"].to_string();
        let words = [
            "record",
            "show",
            &record,
            "--why",
            "bleeding",
            "--break-glass",
        ];
        let shown = self.lab.json(&words);
        assert!(shown["view"].to_string().contains("DOE"), "{shown}");
        shown["reserve"].clone()
    }

    /// The numbers of the reserve that stand in the ledger, in its order.
    fn merged(&self) -> Vec<u64> {
        let mut numbers = Vec::new();
        let mut from = 0;
        loop {
            let page = self.lab.json(&[
                "ledger",
                "list",
                "--from",
                &from.to_string(),
                "--limit",
                "1000",
            ]);
            let entries = page["entries"].as_array().unwrap();
            if entries.is_empty() {
                return numbers;
            }
            from += entries.len();
            numbers.extend(
                entries
                    .iter()
                    .filter_map(|one| one["facts"]["reserve"].as_u64()),
            );
        }
    }

    /// Stops the server and compares what it kept with what it acknowledged.
    fn check_stored(self) {
        let verified = self.lab.run(&["ledger", "verify"]).ok();
        assert!(verified.contains("the ledger is whole"), "{verified}");
        self.server.unwrap().stop();
        let rooms = self.lab.open();
        let stored = rooms.messages().unwrap();
        rooms.store.close().unwrap();
        let expected: Vec<Vec<u8>> = self.acknowledged.iter().map(|one| one.message()).collect();
        assert_eq!(stored.len(), expected.len());
        assert!(
            stored == expected,
            "what is stored is not what was acknowledged"
        );
    }
}

#[test]
fn a_disk_that_fills_up_loses_nothing_acknowledged_and_it_goes_on_without_a_restart() {
    let name = "a_disk_that_fills_up_loses_nothing_acknowledged_and_it_goes_on_without_a_restart";
    let Some(mut lab) = Lab::start(name) else {
        return;
    };
    lab.send_all(30);
    for round in 1..=2 {
        lab.fill();
        let record = lab.lab.json(&["message", "list"])[0]["record"].to_string();
        let plain = lab
            .lab
            .run(&["record", "show", &record, "--why", "bleeding"]);
        let plain = plain.fails(69, "records.not-recorded");
        assert!(plain.err.contains("--break-glass"), "{}", plain.err);
        let person = ["person", "add", "Bob", "--role", "it", "--uid", "4711"];
        lab.lab.run(&person).fails(69, "store.unwritable");
        assert_eq!(lab.break_glass(), round);
        let said = lab.lab.run(&["status"]).ok();
        assert!(said.contains("THE LEDGER CANNOT BE WRITTEN"), "{said}");
        let check = lab.lab.run(&["check"]);
        assert!(
            check.out.contains("check.ledger-unwritable"),
            "{}",
            check.out
        );
        lab.lab.disk().make_room();
        eventually("the ledger to go on", || {
            let status = lab.status();
            (status["ledger_failing_since"].is_null() && status["reserve"]["waiting"] == 0)
                .then_some(())
        });
        lab.send_all(30);
    }
    assert_eq!(lab.merged(), [1, 2]);
    lab.check_stored();
}

#[test]
fn readings_in_the_reserve_outlive_kills_and_are_merged_once_in_order() {
    let name = "readings_in_the_reserve_outlive_kills_and_are_merged_once_in_order";
    let Some(mut lab) = Lab::start(name) else {
        return;
    };
    lab.send_all(10);
    lab.fill();
    for number in 1..=12 {
        assert_eq!(lab.break_glass(), number);
    }
    // The reflex of whoever finds the server stuck: without room it opens nothing, and says why.
    lab.server.take().unwrap().kill();
    let sealed = lab.lab.serve_until("sealed", false);
    let log = lab.lab.log();
    assert!(log.contains("write the database"), "{log}");
    lab.lab.disk().make_room();
    sealed.kill();
    for _ in 0..5 {
        kill_while_it_starts(&lab.lab);
    }
    lab.server = Some(lab.lab.serve());
    assert_eq!(lab.merged(), (1..=12).collect::<Vec<u64>>());
    assert_eq!(lab.status()["reserve"]["used_bytes"], 0);
    lab.send_all(10);
    lab.check_stored();
}

#[test]
fn on_a_read_only_disk_nothing_starts_and_afterwards_everything_is_there() {
    let name = "on_a_read_only_disk_nothing_starts_and_afterwards_everything_is_there";
    let Some(mut lab) = Lab::start(name) else {
        return;
    };
    lab.send_all(10);
    lab.server.take().unwrap().stop();
    lab.lab.disk().remount("ro");
    let code = lab.lab.start().end();
    assert_eq!(code, Some(69), "{}", lab.lab.log());
    lab.lab.disk().remount("rw");
    lab.server = Some(lab.lab.serve());
    lab.send_all(10);
    lab.check_stored();
}
