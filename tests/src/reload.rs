//! Another configuration in force while the lab works: nothing is closed, nothing is lost.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Bound, Client, Identity, Installation, Numbered, Receiver, eventually};

const WHY: [&str; 2] = ["--why", "a new receiver"];
const RELOADS: usize = 50;
const SENDERS: u32 = 4;

/// A destination with a route for this type.
fn destination(name: &str, bound: &Bound) -> String {
    format!(
        "[[destination]]\nname = \"{name}\"\nconnect_seconds = 2\n\
         retry = {{ first_ms = 50, max_ms = 100 }}\n\
         target = {{ kind = \"mllp\", address = \"{}\", \
         transport = {{ mode = \"mutual-tls\", server_name = \"{name}\" }} }}\n",
        bound.address()
    )
}

fn route(to: &str) -> String {
    format!("[[route]]\ntypes = [\"*\"]\nto = [\"{to}\"]\n")
}

const LINK: &str = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";

/// What stands in the file besides what `init` wrote.
struct Lab {
    lab: Installation,
    written: String,
}

impl Lab {
    fn create(rest: &str) -> Self {
        let lab = Installation::create("");
        let written = fs::read_to_string(lab.data().join("labward.toml")).unwrap();
        let lab = Self { lab, written };
        lab.write(rest);
        lab
    }

    fn write(&self, rest: &str) {
        let path = self.lab.data().join("labward.toml");
        fs::write(path, format!("{}\n{rest}", self.written)).unwrap();
    }

    fn reload(&self) -> crate::support::Outcome {
        self.lab.run(&["reload", WHY[0], WHY[1]])
    }

    /// The entries of the configuration, the oldest first.
    fn loaded(&self) -> Vec<Value> {
        let mut loaded = Vec::new();
        for from in (0..).step_by(1000) {
            let from = from.to_string();
            let words = ["ledger", "list", "--limit", "1000", "--from", &from];
            let page = self.lab.json(&words);
            let entries = page["entries"].as_array().unwrap();
            if entries.is_empty() {
                break;
            }
            let is_it = |entry: &&Value| entry["action"] == "config.loaded";
            loaded.extend(entries.iter().filter(is_it).cloned());
        }
        loaded
    }
}

fn message(client: u32, patient: u32, number: u32) -> Numbered {
    Numbered {
        client,
        patient,
        number,
    }
}

fn exchange(client: &mut Client, one: Numbered) {
    let code = client.exchange(&one.message(), &one.control_id());
    assert_eq!(code.unwrap(), "AA", "{one:?}");
}

fn came(receiver: &Receiver, count: usize) {
    eventually(&format!("{count} messages at the receiver"), || {
        (receiver.count() >= count).then_some(())
    });
}

#[test]
fn an_open_connection_loses_nothing_and_its_next_message_takes_the_new_route() {
    let (ehr, lis) = (Bound::new(), Bound::new());
    let to_ehr = destination("ehr", &ehr);
    let lab = Lab::create(&format!("{LINK}{to_ehr}{}", route("ehr")));
    let server = lab.lab.serve();
    let config = lab.lab.peer("xn550", "analyzer").client_config(true);
    let to_lis = destination("lis", &lis);
    let ehr = ehr.receive(&lab.lab.peer("ehr", "ehr"));
    let lis = lis.receive(&lab.lab.peer("lis", "lis"));
    let mut client = Client::connect(lab.lab.address("hl7"), &config).unwrap();
    exchange(&mut client, message(1, 1, 1));
    came(&ehr, 1);

    lab.write(&format!("{LINK}{to_ehr}{to_lis}{}", route("lis")));
    let preview = lab.lab.run(&["reload", "--preview"]).ok();
    assert!(
        preview.contains("[[destination]] lis") && preview.contains("\"lis\""),
        "{preview}"
    );
    exchange(&mut client, message(1, 1, 2));
    came(&ehr, 2);
    assert!(lab.reload().ok().contains("reloaded"));
    exchange(&mut client, message(1, 1, 3));
    came(&lis, 1);
    assert_eq!(ehr.count(), 2, "only what was routed there before");
    let last = lab.loaded().pop().unwrap();
    assert_eq!(last["outcome"], "success", "{last}");
    assert_eq!(last["facts"]["how"], "request", "{last}");
    assert_eq!(last["facts"]["sha256"].as_str().unwrap().len(), 64);
    assert!(last["actor"].as_str().unwrap().starts_with("person:"));
    assert_ne!(last["detail"], Value::Null, "who and why, sealed: {last}");

    // The destination that is not used any more may go, since nothing waits for it.
    lab.write(&format!("{LINK}{to_lis}{}", route("lis")));
    lab.reload().ok();
    let destinations = lab.lab.json(&["destination", "list"]);
    assert_eq!(destinations.as_array().unwrap().len(), 1, "{destinations}");
    server.stop();
}

#[test]
fn a_signal_reloads_and_a_new_link_opens_while_a_vanished_one_ends() {
    let lab = Lab::create(LINK);
    let server = lab.lab.serve();
    let config = lab.lab.peer("xn550", "analyzer").client_config(true);
    let old = lab.lab.address("hl7");
    let mut client = Client::connect(old, &config).unwrap();
    exchange(&mut client, message(1, 1, 1));
    lab.write(&LINK.replace("hl7", "chemistry"));
    server.signal(Signal::HUP);
    eventually("the new link", || {
        let status = lab.lab.json(&["status"]);
        (status["links"][0]["name"] == "chemistry").then_some(())
    });
    let code = client.exchange(&message(1, 1, 2).message(), "K1-1-2");
    assert!(code.is_err(), "its link is gone");
    assert!(Client::connect(old, &config).is_err());
    let mut client = Client::connect(lab.lab.address("chemistry"), &config).unwrap();
    exchange(&mut client, message(1, 1, 2));
    let last = lab.loaded().pop().unwrap();
    assert_eq!(
        (&last["facts"]["how"], &last["actor"]),
        (&"SIGHUP".into(), &"system".into())
    );
    server.stop();
}

#[test]
fn what_is_refused_changes_nothing_and_is_named_with_its_line_and_recorded() {
    let lab = Lab::create(LINK);
    let server = lab.lab.serve();
    let before = lab.lab.json(&["status"])["links"].clone();
    let line = lab.written.lines().count() + 1;
    let cases = [
        (
            LINK.replace("listen", "lisen"),
            65,
            "config.unreadable",
            "did you mean \"listen\"",
        ),
        (
            format!("{LINK}{LINK}"),
            65,
            "config.unsafe",
            "link hl7: the name stands twice",
        ),
        (
            format!("{LINK}limits = {{ window_days = 1 }}\n"),
            73,
            "config.needs-restart",
            "[[link]] hl7 limits.window_days",
        ),
    ];
    for (rest, exit, code, said) in &cases {
        lab.write(rest);
        let refused = lab.reload().fails(*exit, code);
        assert!(refused.err.contains(said), "{}", refused.err);
        let preview = lab.lab.run(&["reload", "--preview"]).fails(*exit, code);
        assert_eq!(preview.err.contains(said), refused.err.contains(said));
        assert_eq!(lab.lab.json(&["status"])["links"], before);
        let last = lab.loaded().pop().unwrap();
        assert_eq!(last["outcome"], format!("refused:{code}"), "{last}");
    }
    lab.write(&format!("{LINK}{LINK}"));
    let twice = lab.reload().fails(65, "config.unsafe").err;
    // The second of the two, by its name's line.
    assert!(twice.contains("line "), "{twice}");
    lab.write(&LINK.replace("listen", "lisen"));
    let wrong = lab.reload().fails(65, "config.unreadable").err;
    assert!(
        wrong.contains(&format!("line {}", line + 3)),
        "{wrong} {line}"
    );
    // A file that is another than the one in force is a finding, too.
    let check = lab.lab.json_of(&["check"]);
    let found = check["findings"].as_array().unwrap().iter();
    assert!(
        found
            .into_iter()
            .any(|one| one["code"] == "check.config-not-loaded")
    );
    lab.write(LINK);
    assert!(lab.reload().ok().contains("no key is otherwise"));
    server.stop();
}

#[test]
fn a_destination_to_which_messages_wait_is_not_taken_away() {
    let bound = Bound::new();
    let to_ehr = destination("ehr", &bound);
    let lab = Lab::create(&format!("{LINK}{to_ehr}{}", route("ehr")));
    let server = lab.lab.serve();
    let config = lab.lab.peer("xn550", "analyzer").client_config(true);
    let ehr = lab.lab.peer("ehr", "ehr");
    let mut client = Client::connect(lab.lab.address("hl7"), &config).unwrap();
    exchange(&mut client, message(1, 1, 1));
    lab.write(LINK);
    let refused = lab.reload().fails(73, "config.destination-waits");
    assert!(refused.err.contains("ehr"), "{}", refused.err);
    lab.lab
        .run(&["reload", "--preview"])
        .fails(73, "config.destination-waits");
    exchange(&mut client, message(1, 1, 2));
    let receiver = bound.receive(&ehr);
    came(&receiver, 2);
    eventually("that nothing waits", || {
        (lab.reload().code == Some(0)).then_some(())
    });
    exchange(&mut client, message(1, 1, 3));
    assert_eq!(receiver.count(), 2, "it has no route any more");
    server.stop();
}

#[test]
fn a_peers_rules_are_changed_in_place_and_hold_for_its_next_message() {
    let lab = Lab::create(LINK);
    let server = lab.lab.serve();
    let config = lab.lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &config).unwrap();
    exchange(&mut client, message(1, 1, 1));
    let set = |more: &[&str]| {
        let words = [&["peer", "set", "xn550"][..], more, &WHY].concat();
        lab.lab.run(&words)
    };
    assert_eq!(set(&[]).code, Some(64), "nothing to change");
    set(&["--type", "a*b"]).fails(65, "identity.bad-name");
    set(&["--type", "ADT^*", "--type", "OUL^R22"]).ok();
    let second = message(1, 1, 2);
    let code = client.exchange(&second.message(), &second.control_id());
    assert_eq!(code.unwrap(), "AR", "on the same connection");
    let peers = lab.lab.json(&["peer", "list"]);
    assert_eq!(
        peers[0]["rules"]["types"],
        serde_json::json!(["ADT^*", "OUL^R22"])
    );
    assert_eq!(
        peers[0]["rules"]["applications"],
        serde_json::json!(["*"]),
        "as before"
    );
    set(&["--type", "ORU^R01"]).ok();
    exchange(&mut client, message(1, 1, 3));
    set(&["--clear", "facility"]).ok();
    let fourth = message(1, 1, 4);
    let code = client.exchange(&fourth.message(), &fourth.control_id());
    assert_eq!(code.unwrap(), "AR");
    let page = lab.lab.json(&["ledger", "list", "--limit", "1000"]);
    let entries = page["entries"].as_array().unwrap().iter();
    let changes: Vec<_> = entries
        .filter(|one| one["action"] == "peer.changed")
        .collect();
    assert_eq!(changes.len(), 3);
    assert_eq!(
        changes[2]["facts"]["changed"],
        serde_json::json!(["facilities"])
    );
    server.stop();
}

#[test]
fn fifty_reloads_under_load_lose_nothing() {
    let (one, two) = (Bound::new(), Bound::new());
    let both = format!("{}{}", destination("one", &one), destination("two", &two));
    let lab = Lab::create(&format!("{LINK}{both}{}", route("one")));
    let server = lab.lab.serve();
    let config = lab.lab.peer("xn550", "analyzer").client_config(true);
    let address = lab.lab.address("hl7");
    let receive = |bound: Bound, name: &str| -> Receiver {
        let identity: Identity = lab.lab.peer(name, "ehr");
        bound.receive(&identity)
    };
    let (one, two) = (receive(one, "one"), receive(two, "two"));
    let is_over = AtomicBool::new(false);
    let sent = AtomicUsize::new(0);
    thread::scope(|scope| {
        for sender in 1..=SENDERS {
            let (config, is_over, sent) = (Arc::clone(&config), &is_over, &sent);
            scope.spawn(move || {
                // One connection for all of it: none is closed.
                let mut client = Client::connect(address, &config).unwrap();
                for number in 1.. {
                    exchange(&mut client, message(sender, 1, number));
                    sent.fetch_add(1, Ordering::Relaxed);
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        for reload in 0..RELOADS {
            let before = sent.load(Ordering::Relaxed);
            let to = ["one", "two"][(reload + 1) % 2];
            let frame = 30 + reload;
            let link = format!("{LINK}limits = {{ frame_seconds = {frame} }}\n");
            let spare = match reload % 3 {
                0 => LINK.replace("hl7", "spare"),
                _ => String::new(),
            };
            lab.write(&format!("{link}{spare}{both}{}", route(to)));
            let done = lab.lab.json(&["reload", WHY[0], WHY[1]]);
            assert!(!done["changes"].as_array().unwrap().is_empty(), "{done}");
            eventually("messages after a reload", || {
                (sent.load(Ordering::Relaxed) > before + 8).then_some(())
            });
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let sent = sent.into_inner();
    eventually("every message at a receiver", || {
        (one.count() + two.count() >= sent).then_some(())
    });
    let mut all: Vec<Numbered> = one
        .received()
        .iter()
        .chain(&two.received())
        .map(|one| Numbered::from_control_id(&one.control_id).unwrap())
        .collect();
    all.sort_unstable();
    assert_eq!(all.len(), sent, "nothing twice");
    all.dedup();
    assert_eq!(all.len(), sent, "nothing twice");
    assert!(
        one.count() > RELOADS && two.count() > RELOADS,
        "both were used"
    );
    for receiver in [&one, &two] {
        for sender in 1..=SENDERS {
            let numbers: Vec<u32> = receiver
                .received()
                .iter()
                .map(|one| Numbered::from_control_id(&one.control_id).unwrap())
                .filter(|one| one.client == sender)
                .map(|one| one.number)
                .collect();
            assert!(numbers.is_sorted(), "in order: {numbers:?}");
        }
    }
    let loaded = lab.loaded();
    assert_eq!(
        loaded.len(),
        RELOADS + 1,
        "an entry each, and one at the start"
    );
    server.stop();
}
