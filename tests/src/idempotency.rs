//! `Idempotency-Key`: what is asked for twice under one key is done once.

use serde_json::Value;

use crate::console::Lab;
use crate::support::{Answered, Browser};

fn program(lab: &Lab, person: &str, scopes: &str) -> Browser {
    lab.lab
        .run(&[
            "person",
            "add",
            person,
            "--role",
            "administrator,lab-manager",
        ])
        .ok();
    let words = ["token", "create", person, "--name", "t", "--scope", scopes];
    let secret = lab.lab.json(&words)["secret"].as_str().unwrap().to_owned();
    let mut program = lab.browser();
    program.authorization = Some(format!("Bearer {secret}"));
    program
}

fn ask(program: &mut Browser, key: &str, path: &str, body: &str) -> Answered {
    program.headers = vec![("idempotency-key".to_owned(), key.to_owned())];
    program.ask("POST", path, body)
}

fn code(answer: &Answered) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}

fn is_replayed(answer: &Answered) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

fn peers(lab: &Lab) -> usize {
    lab.lab.json(&["peer", "list"]).as_array().unwrap().len()
}

#[test]
fn the_same_request_under_one_key_is_done_once_and_answered_alike() {
    let lab = Lab::new();
    let mut program_a = program(&lab, "Quinn", "peer.change,peer.read,record.find");
    lab.lab.add_peer("chem-1", "analyzer");
    let path = "/api/v1/peers/chem-1/set";
    let body = r#"{"why":"a test","types":["ORU^R01"]}"#;
    let first = ask(&mut program_a, "k-1", path, body);
    assert_eq!(first.status, 200, "{}", first.body);
    let again = ask(&mut program_a, "k-1", path, body);
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert!(!is_replayed(&first) && is_replayed(&again));
    let changed = lab.lab.json(&[
        "ledger",
        "list",
        "--action",
        "peer.changed",
        "--limit",
        "1000",
    ]);
    assert_eq!(changed["entries"].as_array().unwrap().len(), 1);

    // Another body, another place, another person: the key alone is not the request.
    let other = ask(
        &mut program_a,
        "k-1",
        path,
        r#"{"why":"a test","types":["ORM^O01"]}"#,
    );
    assert_eq!(
        (other.status, code(&other).as_str()),
        (422, "server.key-reused")
    );
    let new = r#"{"name":"lis-2","kind":"lis"}"#;
    assert_eq!(ask(&mut program_a, "k-1", "/api/v1/peers", new).status, 200);
    let mut program_b = program(&lab, "Rosa", "peer.change");
    let his = ask(&mut program_b, "k-1", path, body);
    assert!(his.status == 200 && !is_replayed(&his));

    for key in ["", "two words", &"k".repeat(256)] {
        let wrong = ask(&mut program_a, key, path, body);
        assert_eq!(
            (wrong.status, code(&wrong).as_str()),
            (400, "server.bad-request"),
            "{key}"
        );
    }
}

#[test]
fn an_answer_with_a_secret_is_given_once_and_what_was_refused_may_be_mended() {
    let lab = Lab::new();
    let mut program = program(&lab, "Quinn", "peer.change");
    let path = "/api/v1/peers";
    let refused = ask(
        &mut program,
        "k-1",
        path,
        r#"{"name":"lis-1","kind":"toaster"}"#,
    );
    assert_eq!(refused.status, 400, "{}", refused.body);
    let body = r#"{"name":"lis-1","kind":"lis"}"#;
    let made = ask(&mut program, "k-1", path, body);
    assert!(
        made.status == 200 && made.body.contains("PRIVATE KEY"),
        "{}",
        made.body
    );
    let again = ask(&mut program, "k-1", path, body);
    assert_eq!(
        (again.status, code(&again).as_str()),
        (409, "server.key-done")
    );
    assert!(!again.body.contains("PRIVATE KEY"));
    assert_eq!(peers(&lab), 1);
}

#[test]
fn requests_under_one_key_at_the_same_time_are_one_act() {
    let lab = Lab::new();
    let first = program(&lab, "Quinn", "peer.change");
    let ask_all = |name: &str| -> Vec<u16> {
        let body = format!("{{\"name\":\"{name}\",\"kind\":\"lis\"}}");
        std::thread::scope(|scope| {
            let askers: Vec<_> = (0..6)
                .map(|_| {
                    let (mut one, body) = (first.clone(), body.clone());
                    scope.spawn(move || ask(&mut one, "k-9", "/api/v1/peers", &body).status)
                })
                .collect();
            askers.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    let statuses = ask_all("lis-1");
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| [200, 409].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(peers(&lab), 1);
}

#[test]
fn a_key_is_known_after_the_server_was_killed() {
    let lab = Lab::new();
    let mut asker = program(&lab, "Quinn", "peer.change");
    lab.lab.add_peer("chem-1", "analyzer");
    let path = "/api/v1/peers/chem-1/set";
    let body = r#"{"why":"a test","types":["ORU^R01"]}"#;
    let first = ask(&mut asker, "k-1", path, body);
    assert_eq!(first.status, 200, "{}", first.body);
    let authorization = asker.authorization.clone();
    let lab = lab.killed_and_started();
    let mut asker = lab.browser();
    asker.authorization = authorization;
    let again = ask(&mut asker, "k-1", path, body);
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert!(is_replayed(&again));
}
