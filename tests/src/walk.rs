//! A lab's day at the command line: what a peer sends is found, shown, exported and disposed of.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Installation, Numbered, Server};

const LINK: &str = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";
const WHY: [&str; 2] = ["--why", "a question of the ward"];

/// A lab with a running server that received three messages about one patient with `labward send`.
fn lab_with_messages() -> (Installation, Server) {
    let lab = Installation::create(LINK);
    let server = lab.serve();
    let bundle = lab.add_peer("xn550", "analyzer");
    let file = lab.beside("results.hl7");
    let text: Vec<String> = (1..=3)
        .map(|number| text(number).replace('\r', "\n"))
        .collect();
    fs::write(&file, text.concat()).unwrap();
    let sent = send(&lab, &file, &bundle).ok();
    assert!(sent.contains("3 of 3 accepted"), "{sent}");
    (lab, server)
}

fn text(number: u32) -> String {
    let message = Numbered {
        client: 7,
        patient: 1,
        number,
    };
    String::from_utf8(message.message())
        .unwrap()
        .replace("DOE^PAT 7 1", "Fotheringay^Perpetua")
}

fn send(lab: &Installation, file: &Path, bundle: &Path) -> crate::support::Outcome {
    let to = lab.address("hl7").to_string();
    lab.run(&[
        "send",
        file.to_str().unwrap(),
        "--to",
        &to,
        "--server-name",
        "localhost",
        "--cert",
        bundle.to_str().unwrap(),
    ])
}

fn find(lab: &Installation, criteria: &str) -> Value {
    let input = format!("{criteria}\nwhy: a question of the ward\n");
    let outcome = lab.run_with(&["--json", "record", "find"], &input);
    outcome.json()["patients"].take()
}

/// The actions of the whole ledger, in order.
fn actions(lab: &Installation) -> Vec<String> {
    let page = lab.json(&["ledger", "list", "--limit", "1000"]);
    let entries = page["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_a_peer_sent_is_listed_found_shown_and_exported_and_each_reading_is_recorded() {
    let (lab, server) = lab_with_messages();
    let messages = lab.json(&["message", "list"]);
    let messages = messages.as_array().unwrap();
    assert_eq!(messages.len(), 3);
    for message in messages {
        let facts = ["state", "link", "peer", "kind"].map(|name| message[name].as_str().unwrap());
        assert_eq!(facts, ["received", "hl7", "xn550", "ORU^R01"]);
    }

    for criteria in [
        "name: Fotheringey, Perpetua",
        "mrn: C7P1",
        "name: Fotheringay, Perpetua\nbirth-date: 1970-01-01",
        "accession: AK7-1-2",
    ] {
        let found = find(&lab, criteria);
        let [hit] = found.as_array().unwrap().as_slice() else {
            panic!("{criteria}: {found}");
        };
        assert_eq!(hit["record_count"], 3, "{criteria}");
        let masked = hit["name"].as_str().unwrap();
        assert!(!masked.contains("otheringay"), "{masked}");
    }
    assert_eq!(
        find(&lab, "name: Perpetua Somebodyelse"),
        Value::Array(vec![])
    );

    let hit = find(&lab, "mrn: C7P1");
    let records = hit[0]["records"].as_array().unwrap();
    let newest = records[0]["record"].to_string();
    let shown = lab.run(&["record", "show", &newest, WHY[0], WHY[1]]).ok();
    assert!(shown.contains("Fotheringay"), "{shown}");

    let out = lab.beside("one.hl7");
    let words = ["record", "export", "--record", &newest, "--out"];
    let export = [&words[..], &[out.to_str().unwrap()], &WHY].concat();
    lab.run(&export).ok();
    assert_eq!(fs::read_to_string(&out).unwrap(), text(3));
    lab.run(&export).fails(65, "cli.file");

    let all = lab.beside("all.jsonl");
    let patient = hit[0]["patient"].to_string();
    let words = [
        "record",
        "export",
        "--patient",
        &patient,
        "--format",
        "json",
        "--out",
    ];
    lab.run(&[&words[..], &[all.to_str().unwrap()], &WHY].concat())
        .ok();
    assert_eq!(fs::read_to_string(&all).unwrap().lines().count(), 3);

    let actions = actions(&lab);
    let count = |action: &str| actions.iter().filter(|one| *one == action).count();
    assert_eq!(count("message.received"), 3);
    assert_eq!(count("record.searched"), 6);
    assert_eq!(count("record.shown"), 1);
    assert_eq!(count("record.exported"), 2);
    assert!(
        lab.run(&["ledger", "verify"])
            .ok()
            .contains("the ledger is whole")
    );
    server.stop();
}

#[test]
fn a_disposed_patient_is_gone_for_good_and_a_hold_or_the_retention_time_forbids_it() {
    let (lab, server) = lab_with_messages();
    let hit = find(&lab, "mrn: C7P1");
    let patient = hit[0]["patient"].to_string();
    let record = hit[0]["records"][0]["record"].to_string();
    let on = |verb: &str| lab.run(&["patient", verb, &patient, WHY[0], WHY[1]]);
    let words = ["patient", "dispose", &patient, WHY[0], WHY[1]];
    let overriding = [&words[..], &["--override-retention", "court order 12/2026"]].concat();

    on("dispose").fails(73, "records.retention");
    on("hold").ok();
    on("dispose").fails(73, "records.legal-hold");
    lab.run(&overriding).fails(73, "records.legal-hold");
    on("lift").ok();
    lab.run(&["record", "show", &record, WHY[0], WHY[1]]).ok();

    let json = [&["--json"], &overriding[..]].concat();
    let proof = lab.run(&json).json();
    assert_eq!(proof["records"], 3, "{proof}");
    assert_eq!(proof["retention_overridden"], true);
    assert!(!proof["not_covered"].as_array().unwrap().is_empty());

    lab.run(&["record", "show", &record, WHY[0], WHY[1]])
        .fails(66, "keys.disposed");
    assert_eq!(find(&lab, "mrn: C7P1"), Value::Array(vec![]));
    assert_eq!(
        find(&lab, "name: Fotheringay, Perpetua"),
        Value::Array(vec![])
    );
    server.stop();
    // Also after the next start, when everything in memory is built anew.
    let server = lab.serve();
    lab.run(&["record", "show", &record, WHY[0], WHY[1]])
        .fails(66, "keys.disposed");
    assert_eq!(
        find(&lab, "name: Fotheringay, Perpetua"),
        Value::Array(vec![])
    );
    assert!(
        lab.run(&["ledger", "verify"])
            .ok()
            .contains("the ledger is whole")
    );
    server.stop();
}

#[test]
fn a_revoked_peer_is_refused_from_now_on_and_a_renewed_one_connects_with_its_new_bundle() {
    let (lab, server) = lab_with_messages();
    let file = lab.beside("results.hl7");
    let place = lab.beside("renewed");
    fs::create_dir(&place).unwrap();
    lab.run(&["peer", "renew", "xn550", "--out", place.to_str().unwrap()])
        .ok();
    let renewed = place.join("xn550.pem");
    // The same messages again: answered as before, and not stored twice.
    assert!(send(&lab, &file, &renewed).ok().contains("3 of 3 accepted"));
    assert_eq!(lab.json(&["message", "list"]).as_array().unwrap().len(), 3);
    lab.run(&["peer", "revoke", "xn550"]).ok();
    for bundle in [&renewed, &lab.beside("xn550.pem")] {
        let outcome = send(&lab, &file, bundle);
        assert_eq!(outcome.code, Some(69), "{outcome:?}");
    }
    let peers = lab.json(&["peer", "list"]);
    assert_eq!(peers[0]["state"], "revoked", "{peers}");
    server.stop();
}

#[test]
fn a_message_that_its_peer_may_not_send_waits_sealed_until_a_person_decides() {
    let lab = Installation::create(LINK);
    let server = lab.serve();
    let out = lab.beside("");
    let words = [
        "peer",
        "add",
        "narrow",
        "--kind",
        "analyzer",
        "--application",
        "XN550",
        "--facility",
        "OTHER",
        "--type",
        "ORU^R01",
        "--out",
        out.to_str().unwrap(),
    ];
    lab.run(&words).ok();
    let file = lab.beside("one.hl7");
    fs::write(&file, text(1)).unwrap();
    send(&lab, &file, &lab.beside("narrow.pem")).fails(73, "send.refused");
    let held = lab.json(&["message", "list", "--state", "held"]);
    assert_eq!(held[0]["reason"], "gateway.not-allowed", "{held}");
    let record = held[0]["record"].to_string();
    lab.run(&["message", "release", &record, WHY[0], WHY[1]])
        .ok();
    assert_eq!(
        lab.json(&["message", "list", "--state", "held"]),
        Value::Array(vec![])
    );
    lab.run(&["message", "release", &record, WHY[0], WHY[1]])
        .fails(73, "gateway.not-waiting");
    assert_eq!(lab.json(&["message", "show", &record])["state"], "released");
    server.stop();
}
