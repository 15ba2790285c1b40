//! Who may do what: the account of the operating system says who asks, and nothing is allowed to
//! an account that no person of the lab holds.

use std::process::Command;

use crate::support::{Installation, Outcome, as_account, program, run};

/// An account that belongs to nobody yet.
const ACCOUNT: u32 = 65_534;

/// Runs a command under the other account; none if this machine cannot.
fn as_other(lab: &Installation, words: &[&str], input: &str) -> Option<Outcome> {
    let mut command: Command = as_account(ACCOUNT, program())?;
    command.arg("--data").arg(lab.data()).args(words);
    Some(run(&mut command, input.as_bytes()))
}

#[test]
fn an_account_may_do_what_its_persons_role_allows_and_nothing_before_it_has_one() {
    let lab = Installation::create("");
    lab.configure("[http]", &format!("[http]\nsocket_group = \"{ACCOUNT}\""));
    let server = lab.serve();
    let Some(unknown) = as_other(&lab, &["status"], "") else {
        eprintln!("labward-skip: an_account_may_do: setpriv to another account needs root");
        return;
    };
    unknown.fails(77, "identity.unknown-person");
    let other = |words: &[&str], input: &str| as_other(&lab, words, input).unwrap();

    let uid = ACCOUNT.to_string();
    let words = [
        "person",
        "add",
        "Bea",
        "--role",
        "clinical-staff",
        "--uid",
        &uid,
    ];
    lab.run(&words).ok();
    other(&["status"], "").ok();
    other(
        &["record", "find"],
        "mrn: 12\nwhy: a question of the ward\n",
    )
    .ok();
    other(&["key", "rotate"], "").fails(77, "identity.denied");
    other(&["peer", "revoke", "anybody"], "").fails(77, "identity.denied");
    other(&["person", "list"], "").fails(77, "identity.denied");
    other(&["patient", "dispose", "1", "--why", "a test"], "").fails(77, "identity.denied");
    lab.run(&words).fails(73, "identity.person-exists");

    let people = lab.json(&["person", "list"]);
    let bea = people
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "Bea")
        .unwrap();
    lab.run(&["person", "remove", &bea["id"].to_string()]).ok();
    other(&["status"], "").fails(77, "identity.unknown-person");
    lab.run(&["person", "remove", "1"])
        .fails(73, "identity.last-administrator");
    // The group passes through the data folder to the socket, and sees nothing on its way.
    for path in ["labward.toml", "db/labward.sqlite", "ledger/checkpoint"] {
        let mut cat = as_account(ACCOUNT, "cat".as_ref()).unwrap();
        assert_ne!(
            run(cat.arg(lab.data().join(path)), b"").code,
            Some(0),
            "{path}"
        );
    }
    let mut list = as_account(ACCOUNT, "ls".as_ref()).unwrap();
    assert_ne!(run(list.arg(lab.data()), b"").code, Some(0));
    server.stop();
}

#[test]
fn a_person_without_an_account_is_invited_by_name_or_number_and_the_code_is_shown_once() {
    let lab = Installation::create("");
    let server = lab.serve();
    lab.run(&["person", "add", "Kim Kessler", "--role", "clinical-staff"])
        .ok();
    let by_name = lab.json(&["person", "invite", "Kim Kessler"]);
    let id = by_name["person"].to_string();
    let by_number = lab.json(&["person", "invite", &id]);
    assert_eq!(by_number["person"], by_name["person"]);
    assert_ne!(by_number["code"], by_name["code"], "never shown again");
    let shown = lab.run(&["person", "invite", &id]).ok();
    assert!(shown.contains("[console]"), "{shown}");
    lab.run(&["person", "invite", "Nobody Known"])
        .fails(66, "identity.no-person");
    lab.run(&["person", "invite", "999"])
        .fails(66, "identity.no-person");
    let listed = lab.json(&["session", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(0));
    lab.run(&["session", "end", "999"])
        .fails(66, "identity.no-session");
    server.stop();
}
