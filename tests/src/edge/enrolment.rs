//! Enrolment: who has the code, whom the code trusts, and what guessing gets.

use std::fs;

use labward_identity::EnrolmentCode;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::bench::{self, code, enrol, free_port};
use crate::support::Installation;

fn lab() -> Installation {
    bench::lab(free_port())
}

#[test]
fn a_code_works_once_and_only_where_its_authority_answers_under_the_right_name() {
    let (lab, other) = (lab(), lab());
    let (_server, _other_server) = (lab.serve(), other.serve());
    let (first, door) = code(&lab, "bench-1");
    // It keeps the door open.
    let (second, _) = code(&lab, "bench-2");
    let (_, other_door) = code(&other, "bench-1");
    let folder = lab.beside("edge");
    let nothing_came = || assert!(!folder.join("identity.json").exists());

    enrol(&folder, &first, &other_door).fails(77, "edge.wrong-authority");
    nothing_came();
    let by_address = door.replace("localhost", "127.0.0.1");
    enrol(&folder, &first, &by_address).fails(77, "edge.wrong-name");
    nothing_came();
    let last = if first.ends_with('7') { "8" } else { "7" };
    let mistyped = format!("{}{last}", &first[..first.len() - 1]);
    enrol(&folder, &mistyped, &door).fails(77, "edge.bad-code");
    nothing_came();

    enrol(&folder, &first, &door).ok();
    let identity = fs::read_to_string(folder.join("identity.json")).unwrap();
    assert!(identity.contains("\"bench-1\""));
    let twice = lab.beside("twice");
    enrol(&twice, &first, &door).fails(77, "edge.bad-code");
    assert!(!twice.join("identity.json").exists());
    enrol(&twice, &second, &door).ok();

    let peers = lab.json(&["peer", "list"]);
    let names: Vec<&str> = peers
        .as_array()
        .unwrap()
        .iter()
        .map(|peer| peer["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["bench-1", "bench-2"]);
    // The key was made on the edge: the server has never had it.
    let key = identity.split("PRIVATE KEY-----\\n").nth(1).unwrap();
    let key = key.split("\\n").next().unwrap().as_bytes();
    let database = fs::read(lab.data().join("db/labward.sqlite")).unwrap();
    assert_eq!(memchr::memmem::find(&database, key), None);
}

#[test]
fn the_door_is_closed_without_a_code_and_guessing_closes_it() {
    let lab = lab();
    let server = lab.serve();
    let (right, door) = code(&lab, "bench-1");
    let pem = fs::read(lab.data().join("tls/authority.pem")).unwrap();
    let authority = CertificateDer::from_pem_slice(&pem).unwrap();
    let folder = lab.beside("edge");
    for _ in 0..10 {
        let guess = EnrolmentCode::generate(&authority).unwrap();
        enrol(&folder, guess.to_text().expose(), &door).fails(77, "edge.bad-code");
    }
    let late = enrol(&folder, &right, &door);
    assert!(matches!(late.code, Some(69 | 77)), "{late:?}");
    assert!(!folder.join("identity.json").exists());
    let page = lab.json(&["ledger", "list", "--limit", "1000"]).to_string();
    assert_eq!(page.matches("enrolment.refused").count(), 10);
    server.stop();
}

#[test]
fn an_edge_gets_no_key_from_the_server_and_a_lab_without_a_door_says_what_is_missing() {
    let lab = Installation::create("");
    let _server = lab.serve();
    lab.run(&["peer", "enroll", "bench-1"])
        .fails(73, "edge.no-door");
    let words = ["peer", "add", "bench-1", "--kind", "edge"];
    assert_eq!(lab.run(&words).code, Some(64));
}
