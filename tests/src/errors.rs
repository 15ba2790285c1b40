//! What goes wrong has a stable code, an exit code and something to do, and never says too much.

use std::fs;

use crate::support::{Installation, run};

#[test]
fn without_a_server_every_command_that_needs_one_says_so() {
    let lab = Installation::create("");
    for words in [
        &["status"][..],
        &["check"],
        &["peer", "list"],
        &["message", "list"],
        &["key", "slots"],
        &["ledger", "verify"],
        &["ledger", "key"],
    ] {
        let outcome = lab.run(words).fails(69, "server.not-running");
        assert!(outcome.err.contains("what to do: "), "{}", outcome.err);
    }
}

#[test]
fn what_is_not_there_is_not_found_and_what_is_incomplete_is_refused() {
    let lab = Installation::create("");
    let server = lab.serve();
    lab.run(&["peer", "revoke", "nobody"])
        .fails(66, "identity.no-peer");
    lab.run(&["peer", "renew", "nobody"])
        .fails(66, "identity.no-peer");
    lab.run(&["record", "show", "999999", "--why", "a test"])
        .fails(66, "records.not-found");
    lab.run(&["message", "show", "999999"])
        .fails(66, "gateway.no-message");
    lab.run(&["patient", "hold", "999999", "--why", "a test"])
        .fails(66, "records.no-patient");
    lab.run(&["destination", "resume", "nowhere", "--why", "a test"])
        .fails(66, "gateway.no-destination");
    lab.run_with(&["record", "find"], "why: a test\n")
        .fails(65, "records.no-criteria");
    lab.run_with(&["record", "find"], "mrn: 1\n")
        .fails(65, "server.no-reason");
    lab.run(&["record", "show", "1", "--why", " "])
        .fails(65, "server.bad-request");
    lab.run(&["record", "show", "1"])
        .fails(65, "server.bad-request");
    let junk = lab.beside("junk.json");
    fs::write(&junk, "{").unwrap();
    let junk = junk.to_str().unwrap();
    lab.run(&["record", "import", junk, "--why", "a test"])
        .fails(65, "records.unreadable-import");
    lab.run(&["send", junk, "--to", "127.0.0.1:1", "--plain"])
        .fails(65, "gateway.not-hl7");
    let hl7 = lab.beside("one.hl7");
    fs::write(&hl7, "MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\r").unwrap();
    let hl7 = hl7.to_str().unwrap();
    lab.run(&["send", hl7, "--to", "127.0.0.1:1", "--plain"])
        .fails(69, "send.unreachable");
    let key = lab.data().join("copy.key");
    let words = [
        "key",
        "add",
        "--label",
        "bad",
        "--key-file",
        key.to_str().unwrap(),
    ];
    lab.run(&words).fails(73, "keys.beside-data");
    assert!(!key.exists());
    server.stop();
}

#[test]
fn a_failure_is_json_for_a_machine() {
    let lab = Installation::create("");
    let outcome = lab.run(&["--json", "status"]);
    assert_eq!(outcome.code, Some(69));
    let body: serde_json::Value = serde_json::from_str(&outcome.err).unwrap();
    assert_eq!(body["code"], "server.not-running");
    assert!(body["todo"].is_string());
}

#[test]
fn one_data_folder_has_one_server_and_one_installation() {
    let lab = Installation::create("");
    let server = lab.serve();
    lab.run(&["serve"]).fails(73, "store.busy");
    let answers = lab.beside("answers.toml");
    let init = ["init", "--unattended", answers.to_str().unwrap()];
    assert_eq!(lab.run(&init).code, Some(73));
    server.stop();
    lab.run(&init).fails(73, "init.exists");
    // Nothing of the installation was touched.
    lab.serve().stop();
}

#[test]
fn a_configuration_that_is_not_understood_or_not_safe_starts_nothing() {
    let lab = Installation::create("");
    let path = lab.data().join("labward.toml");
    let good = fs::read_to_string(&path).unwrap();
    let serve_with = |more: &str| {
        fs::write(&path, format!("{good}\n{more}\n")).unwrap();
        lab.run(&["serve"])
    };
    let link = "[[link]]\nname = \"hl7\"\n";
    let outcome = serve_with(&format!("{link}lisen = \"127.0.0.1:0\""));
    let said = outcome.fails(65, "config.unreadable").err;
    assert!(
        said.contains("lisen") && said.contains("listen") && said.contains("line "),
        "{said}"
    );
    let plain = "listen = \"0.0.0.0:2575\"\ntransport = { mode = \"plain\" }";
    serve_with(&format!("{link}{plain}")).fails(65, "config.unsafe");
    serve_with("[[route]]\ntypes = [\"*\"]\nto = [\"nowhere\"]").fails(65, "config.unsafe");
    let key = format!("files = [{:?}]", lab.data().join("root.key"));
    let beside = good.replace("[keys]", &format!("[keys]\n{key}"));
    assert_ne!(beside, good);
    fs::write(&path, beside).unwrap();
    lab.run(&["serve"]).fails(65, "config.unsafe");
    fs::write(&path, &good).unwrap();
    lab.serve().stop();
}

#[test]
fn wrong_usage_and_a_folder_that_holds_something_else_are_refused() {
    let lab = Installation::create("");
    for words in [
        &[][..],
        &["frobnicate"],
        &["record", "show"],
        &["key", "test", "one"],
        &["ledger", "verify", "--bundle", "x"],
        &["record", "find", "--mrn", "12"],
    ] {
        assert_eq!(lab.run(words).code, Some(64), "{words:?}");
    }
    // Only an empty folder becomes one, by the first run.
    let other = lab.beside("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("notes.txt"), "").unwrap();
    let mut command = lab.command(&["serve", "--data"]);
    let outcome = run(command.arg(&other), b"");
    assert_ne!(outcome.code, Some(0));
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
}
