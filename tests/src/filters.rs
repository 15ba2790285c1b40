//! The ledger filtered by who, what, about what, patient, outcome and time: at the command line, over
//! the API's pages, and in the console.

use serde_json::Value;

use crate::console::Lab;
use crate::support::{Client, Numbered};

/// A lab that received five messages of two patients.
fn lab() -> Lab {
    let lab = Lab::new();
    let peer = lab.lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &peer).unwrap();
    for (patient, number) in [(1, 1), (2, 1), (1, 2), (2, 2), (1, 3)] {
        let message = Numbered {
            client: 1,
            patient,
            number,
        };
        client
            .exchange(&message.message(), &message.control_id())
            .unwrap();
    }
    lab
}

fn list(lab: &Lab, words: &[&str]) -> Vec<Value> {
    let mut all = vec!["ledger", "list", "--limit", "1000"];
    all.extend(words);
    lab.lab.json(&all)["entries"].as_array().unwrap().clone()
}

fn numbers(entries: &[Value]) -> Vec<u64> {
    entries
        .iter()
        .map(|entry| entry["n"].as_u64().unwrap())
        .collect()
}

#[test]
fn entries_are_filtered_by_who_what_about_what_patient_outcome_and_time() {
    let lab = lab();
    let received = list(&lab, &["--action", "message.received"]);
    assert_eq!(received.len(), 5);
    let all = list(&lab, &[]);
    let of = |name: &str, value: &Value| {
        let fit = all.iter().filter(|entry| entry[name] == *value);
        fit.filter_map(|entry| entry["n"].as_u64())
            .collect::<Vec<_>>()
    };
    let first = &received[0];
    let text = |name: &str| first[name].as_str().unwrap().to_owned();
    assert_eq!(
        numbers(&list(&lab, &["--actor", &text("actor")])),
        of("actor", &first["actor"])
    );
    assert_eq!(
        numbers(&list(&lab, &["--subject", &text("subject")])),
        of("subject", &first["subject"])
    );
    assert_eq!(
        list(&lab, &["--actor", "peer:", "--action", "message."]).len(),
        5
    );
    let patient = first["patient"].to_string();
    assert_eq!(numbers(&list(&lab, &["--patient", &patient])).len(), 3);
    assert_eq!(list(&lab, &["--outcome", "failed"]).len(), 0);
    assert_eq!(list(&lab, &["--outcome", "success"]).len(), all.len());
    let since = text("time");
    assert_eq!(
        list(&lab, &["--since", &since, "--action", "message.received"]).len(),
        5
    );
    assert_eq!(
        list(&lab, &["--until", &since, "--action", "message.received"]).len(),
        0
    );
    let mut newest = numbers(&list(&lab, &["--newest"]));
    newest.truncate(all.len());
    newest.reverse();
    assert_eq!(newest, numbers(&all));
    lab.lab
        .run(&["ledger", "list", "--since", "yesterday"])
        .fails(65, "server.bad-request");
}

#[test]
fn a_page_that_is_full_says_where_the_next_one_begins() {
    let lab = lab();
    let mut seen = Vec::new();
    let mut before = u64::MAX.to_string();
    loop {
        let words = [
            "ledger",
            "list",
            "--action",
            "message.received",
            "--limit",
            "2",
            "--before",
            &before,
        ];
        let page = lab.lab.json(&words);
        seen.extend(numbers(page["entries"].as_array().unwrap()));
        match page["next"].as_u64() {
            Some(next) => before = next.to_string(),
            None => break,
        }
    }
    let mut expected = numbers(&list(&lab, &["--action", "message.received"]));
    expected.reverse();
    assert_eq!(seen, expected);
}

#[test]
fn the_console_filters_and_pages_and_an_entry_has_a_page_and_a_proof() {
    let lab = lab();
    let received = list(&lab, &["--action", "message.received"]);
    let newest = received.last().unwrap();
    let (number, record) = (newest["n"].to_string(), newest["record"].to_string());
    let mut ada = lab.joined("ada", "administrator");
    let page = ada
        .get("/ledger?action=message.received&outcome=success")
        .body;
    assert_eq!(
        page.matches("<td data-label=\"What\" class=\"code action\">message.received<")
            .count(),
        5,
        "{page}"
    );
    assert!(page.contains(&format!("href=\"/ledger/entries/{number}\"")));
    assert!(page.contains(&format!("href=\"/messages/{record}\"")));
    assert!(page.contains("That is all there is."));
    let none = ada
        .get("/ledger?action=record.exported&patient=99&since=2020-01-01")
        .body;
    assert!(none.contains("Nothing here.") && none.contains("value=\"record.exported\""));
    // A filter is shown as what it is.
    let hostile = ada.get("/ledger?actor=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E");
    assert_eq!(hostile.status, 200);
    assert!(!hostile.body.contains("<script>alert"));

    let entry = ada.get(&format!("/ledger/entries/{number}")).body;
    assert!(
        entry.contains("message.received") && entry.contains("xn550"),
        "{entry}"
    );
    let proof = ada.get(&format!("/ledger/entries/{number}/proof"));
    assert_eq!(proof.status, 200);
    assert!(
        proof.body.contains("c2sp.org/tlog-proof@v1\n"),
        "{}",
        proof.body
    );
    assert!(
        proof
            .header("content-disposition")
            .unwrap()
            .contains("tlog-proof")
    );
    for missing in ["/ledger/entries/99999999", "/ledger/entries/x"] {
        assert_eq!(ada.get(missing).status, 404, "{missing}");
    }
    // Who may not read the ledger has no such page.
    let mut clara = lab.joined("clara", "clinical-staff");
    assert_eq!(clara.get(&format!("/ledger/entries/{number}")).status, 404);
}
