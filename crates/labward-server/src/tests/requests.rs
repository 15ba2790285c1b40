//! Requests that are wrong get a stable code, and nothing of them comes back.

use labward_api::ProblemBody;
use labward_api::key::SlotPlace;
use labward_api::peer::Peer;
use serde_json::json;

use super::testbench::{Answered, Installation, get, post, request};
use crate::app::App;
use crate::config::Config;

fn check(answer: &Answered, status: u16, code: &str) -> ProblemBody {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{text}"
    );
    serde_json::from_slice(&answer.body).unwrap()
}

fn posted(app: &App, path: &str, body: &str) -> Answered {
    request(app, "POST", path, body.as_bytes())
}

#[test]
fn a_wrong_request_gets_a_stable_code_and_is_not_quoted() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    for body in [
        "",
        "{",
        "[1]",
        "{\"name\":7,\"why\":\"x\"}",
        "{\"mrn\":\"Zebra\",\"nome\":\"Zebra\",\"why\":\"x\"}",
        "{\"Zebra\":\"Zebra\"}",
    ] {
        let answer = posted(&app, "records/find", body);
        check(&answer, 400, "server.bad-request");
        assert!(
            !String::from_utf8_lossy(&answer.body).contains("Zebra"),
            "{body}"
        );
    }
    let no_reason = posted(&app, "records/find", "{\"mrn\":\"1\",\"why\":\"  \"}");
    check(&no_reason, 400, "server.no-reason");
    let nothing = posted(&app, "records/find", "{\"why\":\"curiosity\"}");
    check(&nothing, 400, "records.no-criteria");
    let import = posted(&app, "records/import?ending=hl7", "MSH|");
    check(&import, 400, "server.no-reason");
    let missing = posted(&app, "records/4/show", "{\"why\":\"x\"}");
    check(&missing, 404, "records.not-found");
    let text = posted(&app, "records/four/show", "{\"why\":\"x\"}");
    check(&text, 400, "server.bad-request");
    let state = request(&app, "GET", "messages?state=lost", b"");
    check(&state, 400, "server.bad-request");
    let unknown = request(&app, "GET", "messages?sort=up", b"");
    check(&unknown, 400, "server.bad-request");
    let nowhere = request(&app, "GET", "nowhere", b"");
    check(&nowhere, 404, "server.no-endpoint");
    let verb = request(&app, "DELETE", "status", b"");
    check(&verb, 405, "server.no-verb");
    app.shutdown().unwrap();
}

#[test]
fn a_request_that_is_too_large_is_not_taken() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    let large = format!("{{\"mrn\":\"{}\"}}", "x".repeat(1 << 20));
    let answer = posted(&app, "records/find", &large);
    check(&answer, 413, "server.too-large");
    app.shutdown().unwrap();
}

#[test]
fn the_check_finds_what_is_wrong_with_this_very_installation() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    let check: labward_api::status::Check = get(&app, "check");
    let beside = check.findings.iter().find(|one| one.what.contains("key"));
    assert!(
        beside.is_some(),
        "one slot, never tested, on the data's disk"
    );
    assert!(check.looked_at >= 20);
    app.shutdown().unwrap();
}

#[test]
fn slots_are_tested_and_the_last_one_stays() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    let places: Vec<SlotPlace> = get(&app, "key/where");
    assert_eq!(places[0].beside_data, Some(true));
    let path = installation.key_file();
    let opener = json!({ "with": "key-file", "path": path });
    let id = places[0].id;
    let _: labward_api::Done = post(&app, &format!("key/slots/{id}/test"), &opener);
    let last = request(&app, "DELETE", &format!("key/slots/{id}"), b"");
    check(&last, 409, "keys.last-slot");
    let beside = json!({
        "kind": "key-file", "label": "x", "path": installation.data().root().join("key")
    });
    check(
        &posted(&app, "key/slots", &beside.to_string()),
        409,
        "keys.beside-data",
    );
    app.shutdown().unwrap();
}

#[test]
fn a_revoked_peer_is_not_renewed() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    let new = json!({ "name": "lis", "kind": "lis" });
    let added: labward_api::peer::AddedPeer = post(&app, "peers", &new);
    assert!(added.bundle.unwrap().contains("PRIVATE KEY"));
    assert!(added.how_to.contains("lis"));
    check(
        &posted(&app, "peers", &new.to_string()),
        409,
        "identity.peer-exists",
    );
    let _: labward_api::Done = post(&app, "peers/lis/revoke", &json!({}));
    check(
        &posted(&app, "peers/lis/renew", "{}"),
        409,
        "identity.peer-revoked",
    );
    check(
        &posted(&app, "peers/other/renew", "{}"),
        404,
        "identity.no-peer",
    );
    let peers: Vec<Peer> = get(&app, "peers");
    assert_eq!(peers[0].state, "revoked");
    app.shutdown().unwrap();
}
