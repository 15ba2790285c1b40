//! Slots at the command line: any one opens, each can be tested, and the root key is replaced
//! while nothing stands still.

use std::fs;

use serde_json::Value;

use crate::support::{Installation, Outcome, run};

const PHRASE: &str = "twelve tubes on a tuesday";

const SLOTS: &str = "[[slot]]\nkind = \"shares\"\nlabel = \"paper\"\nthreshold = 2\ncount = 3\n\
                     file = \"{place}/shares.txt\"\n";

fn with_line(lab: &Installation, words: &[&str], line: &str) -> Outcome {
    run(&mut lab.command(words), format!("{line}\n").as_bytes())
}

/// The shares that `init` wrote down.
fn shares(lab: &Installation) -> Vec<String> {
    let text = fs::read_to_string(lab.beside("shares.txt")).unwrap();
    let lines = text.lines().map(str::trim);
    // A share is the long run of groups in its line, whatever stands beside it.
    let share = |line: &str| {
        let share = line.rsplit(": ").next()?.trim();
        (share.len() > 40 && share.contains('-') && !share.contains(' ')).then(|| share.to_owned())
    };
    lines.filter_map(share).collect()
}

#[test]
fn each_kind_of_slot_is_tested_without_stopping_and_a_wrong_opener_is_refused() {
    let lab = Installation::create_with("", SLOTS);
    let server = lab.serve();
    with_line(
        &lab,
        &["key", "add", "--label", "safe", "--passphrase"],
        PHRASE,
    )
    .ok();
    let slots = lab.json(&["key", "slots"]);
    let kinds = slots
        .as_array()
        .unwrap()
        .iter()
        .map(|slot| slot["kind"].as_str().unwrap());
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["key-file", "shares", "passphrase"]
    );

    lab.run(&["key", "test", "1"]).ok();
    let shares = shares(&lab);
    assert_eq!(shares.len(), 3, "{shares:?}");
    let two = format!("{}\n{}\n", shares[2], shares[0]);
    with_line(&lab, &["key", "test", "2"], &two).ok();
    with_line(&lab, &["key", "test", "2"], &shares[1]).fails(77, "keys.bad-shares");
    with_line(&lab, &["key", "test", "3"], PHRASE).ok();
    with_line(&lab, &["key", "test", "3"], "eleven tubes on a tuesday")
        .fails(77, "keys.wrong-slot");
    lab.run(&["key", "test", "9"]).fails(66, "keys.no-slot");
    let slots = lab.json(&["key", "slots"]);
    let tested = slots
        .as_array()
        .unwrap()
        .iter()
        .all(|slot| slot["last_tested"].is_string());
    assert!(tested, "{slots}");

    let places = lab.json(&["key", "where"]);
    // Both lie in the temporary folder of this machine, and the program says so.
    assert_eq!(places[0]["beside_data"], true, "{places}");
    assert_eq!(places[1]["path"], Value::Null);

    lab.run(&["key", "remove", "1"]).ok();
    lab.run(&["key", "remove", "2"]).ok();
    lab.run(&["key", "remove", "3"]).fails(73, "keys.last-slot");
    server.stop();
}

#[test]
fn a_server_without_its_key_file_stays_sealed_until_a_person_opens_it() {
    let link = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";
    let lab = Installation::create_with(link, SLOTS);
    fs::rename(lab.key_file(), lab.beside("away.key")).unwrap();
    let server = lab.serve_until("sealed", false);
    lab.run_with(&["record", "find"], "mrn: 1\nwhy: a test\n")
        .fails(78, "keys.sealed");
    lab.run(&["message", "list"]).fails(78, "keys.sealed");
    let port = lab.address("hl7").port();
    assert_eq!(port, 0, "a sealed server listens on port {port}");
    let shares = shares(&lab);
    let unseal = ["key", "unseal", "--shares"];
    with_line(&lab, &unseal, &format!("{}\n{}\n", shares[0], shares[0]))
        .fails(77, "keys.bad-shares");
    assert_eq!(lab.json(&["status"])["open"], false);
    with_line(&lab, &unseal, &format!("{}\n{}\n", shares[0], shares[1])).ok();
    assert_eq!(lab.json(&["status"])["open"], true);
    assert_ne!(lab.address("hl7").port(), 0);
    server.stop();
    // The key file opens it too, from wherever it is.
    let server = lab.serve_until("sealed", false);
    let away = lab.beside("away.key");
    lab.run(&["key", "unseal", "--key-file", away.to_str().unwrap()])
        .ok();
    assert_eq!(lab.json(&["status"])["open"], true);
    server.stop();
}

#[test]
fn rotation_replaces_the_root_key_and_every_slot_and_record_still_opens() {
    let lab = Installation::create_with("", SLOTS);
    let server = lab.serve();
    let file = lab.beside("one.hl7");
    let message = "MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\rPID|1||12^^^LAB^MR||Doe^Eva||1980\r";
    fs::write(&file, message).unwrap();
    lab.run(&[
        "record",
        "import",
        file.to_str().unwrap(),
        "--why",
        "a test",
    ])
    .ok();
    let before = lab.json(&["key", "rotate"]);
    let after = lab.json(&["key", "rotate"]);
    let generation = |rotation: &Value| rotation["generation"].as_u64().unwrap();
    assert_eq!(generation(&after), generation(&before) + 1);
    assert!(after["rewrapped"].as_u64().unwrap() > 0, "{after}");
    server.stop();
    let server = lab.serve();
    let found = lab
        .run_with(&["--json", "record", "find"], "mrn: 12\nwhy: a test\n")
        .json();
    let record = found["patients"][0]["records"][0]["record"].to_string();
    let shown = lab
        .run(&["record", "show", &record, "--why", "a test"])
        .ok();
    assert!(shown.contains("Doe"), "{shown}");
    let shares = shares(&lab);
    with_line(
        &lab,
        &["key", "test", "2"],
        &format!("{}\n{}\n", shares[1], shares[2]),
    )
    .ok();
    server.stop();
}

#[test]
fn check_names_what_endangers_the_keys_until_it_is_put_right() {
    let lab = Installation::create("");
    let server = lab.serve();
    let codes = || {
        let outcome = lab.run(&["--json", "check"]);
        let check: Value = serde_json::from_str(&outcome.out).unwrap();
        let findings = check["findings"].as_array().unwrap();
        let has_high = findings.iter().any(|one| one["harm"] == "high");
        assert_eq!(outcome.code, Some(if has_high { 73 } else { 0 }));
        let codes = findings
            .iter()
            .map(|one| one["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    let has = |code: &str| codes().iter().any(|one| one == code);
    for code in ["check.one-slot", "check.no-recovery-shares"] {
        assert!(has(code), "{code} in {:?}", codes());
    }
    lab.run(&["check"]).fails(73, "check.harmful");
    let added = lab.json(&["key", "add", "--label", "paper", "--shares", "2/3"]);
    let shares = added["shares"].as_array().unwrap();
    let two: Vec<&str> = shares[..2]
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    assert!(has("check.shares-never-tested"), "{:?}", codes());
    with_line(
        &lab,
        &["key", "test", "2"],
        &format!("{}\n", two.join("\n")),
    )
    .ok();
    for code in [
        "check.one-slot",
        "check.no-recovery-shares",
        "check.shares-never-tested",
    ] {
        assert!(!has(code), "{code}");
    }
    server.stop();
}
