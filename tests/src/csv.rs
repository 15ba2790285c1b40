//! Lists as CSV: the whole of them, for those who may, and never without an entry.

use std::fs;

use labward_base::hex;
use labward_seal::sha256;
use serde_json::Value;

use crate::console::Lab;
use crate::support::{Answered, Client, Installation};

const LISTS: &[&str] = &[
    "findings",
    "not-measured",
    "links",
    "destinations",
    "witnesses",
    "webhooks",
    "messages",
    "entries",
    "safeguards",
    "devices",
    "hits",
    "components",
    "patch-approvals",
    "hit-statements",
    "advisories",
    "advisory-sources",
    "people",
    "sessions",
    "openings",
    "accounts",
    "tokens",
    "peers",
];

/// The rows of a file, the first of which names the columns; fields hold no line break here.
fn rows(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    text.strip_suffix("\r\n")
        .unwrap()
        .split("\r\n")
        .map(fields)
        .collect()
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

fn column(table: &[Vec<String>], name: &str) -> Vec<String> {
    let at = table[0]
        .iter()
        .position(|one| one == name)
        .unwrap_or_else(|| panic!("no {name}"));
    table[1..].iter().map(|row| row[at].clone()).collect()
}

/// Takes a list out by the command.
fn export(lab: &Installation, list: &str, words: &[&str]) -> String {
    let file = lab.beside(&format!("{list}.csv"));
    let _ = fs::remove_file(&file);
    let out = file.to_str().unwrap();
    lab.run(&[&["export", list, "--out", out], words].concat())
        .ok();
    fs::read_to_string(file).unwrap()
}

fn newest(lab: &Installation, action: &str) -> Value {
    let words = [
        "ledger", "list", "--newest", "--action", action, "--limit", "1",
    ];
    lab.json(&words)["entries"][0].clone()
}

fn count(lab: &Installation, action: &str) -> usize {
    let listed = lab.json(&["ledger", "list", "--action", action, "--limit", "1000"]);
    listed["entries"].as_array().unwrap().len()
}

fn code(answer: &Answered) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn each_list_is_taken_out_whole_and_its_entry_says_what_left() {
    let lab = Lab::new().lab_with_server();
    let (lab, _server) = (&lab.0, &lab.1);
    lab.run(&["person", "add", "=1+1, \"Ana\"", "--role", "it"])
        .ok();
    for list in LISTS {
        let text = export(lab, list, &[]);
        let table = rows(&text);
        assert!(
            table.iter().all(|row| row.len() == table[0].len()),
            "{list}"
        );
        let entry = newest(lab, "list.exported");
        let facts = &entry["facts"];
        assert_eq!(facts["list"], **list);
        assert_eq!(facts["rows"], table.len() - 1, "{list}");
        assert_eq!(facts["whole"], 1);
        assert_eq!(
            facts["sha256"],
            hex::encode(&sha256(text.as_bytes())),
            "{list}"
        );
        assert_eq!(entry["outcome"], "success");
    }
    let people = rows(&export(lab, "people", &[]));
    assert!(column(&people, "name").contains(&"'=1+1, \"Ana\"".to_owned()));
}

#[test]
fn the_ledger_is_taken_out_past_its_pages_with_every_member_of_every_entry() {
    let lab = Lab::new().lab_with_server();
    let (lab, _server) = (&lab.0, &lab.1);
    for name in 0..30 {
        let name = format!("Person {name}");
        lab.run(&["person", "add", &name, "--role", "it"]).ok();
    }
    let listed = lab.json(&["ledger", "list", "--newest", "--limit", "1000"]);
    let entries = listed["entries"].as_array().unwrap();
    let table = rows(&export(lab, "entries", &[]));
    let indexes: Vec<u64> = column(&table, "n")
        .iter()
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(indexes.len(), entries.len());
    assert!(
        indexes.windows(2).all(|two| two[0] == two[1] + 1),
        "{indexes:?}"
    );
    for entry in entries {
        for member in entry.as_object().unwrap().keys() {
            // What is sealed stays out, and the version of the form is of no use in a table.
            let left = ["detail", "v"].contains(&member.as_str());
            assert!(left || table[0].contains(member), "{member}");
        }
    }
    let added = rows(&export(
        lab,
        "entries",
        &["--filter", "action=person.added"],
    ));
    assert_eq!(added.len() - 1, count(lab, "person.added"));
    let facts = newest(lab, "list.exported")["facts"].clone();
    assert_eq!(facts["filter"], serde_json::json!(["action"]));
    assert!(!facts.to_string().contains("person.added"), "{facts}");
    let file = lab.beside("wrong.csv");
    let wrong = ["export", "people", "--filter", "state=held", "--out"];
    let wrong = [&wrong[..], &[file.to_str().unwrap()]].concat();
    lab.run(&wrong).fails(65, "server.bad-request");
    assert!(!file.exists());
}

#[test]
fn the_button_of_a_page_gives_the_file_to_who_may_and_to_nobody_else() {
    let lab = Lab::new();
    let mut officer = lab.joined("olga", "security-officer");
    let page = officer.get("/people");
    assert!(page.body.contains("action=\"/export/people\""));
    let csrf = page.hidden("csrf");
    let file = officer.post("/export/people", &[("csrf", &csrf)]);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = file.header("content-disposition").unwrap();
    assert!(name.starts_with("attachment; filename=\"people-20") && name.ends_with(".csv\""));
    assert!(file.body.contains("olga"));
    let filtered = [
        ("csrf", csrf.as_str()),
        ("subject", "Smith, John"),
        ("outcome", "success"),
        ("since", ""),
    ];
    let file = officer.post("/export/entries", &filtered);
    let name = file.header("content-disposition").unwrap();
    assert!(name.contains("-outcome-success-subject.csv"), "{name}");
    let log = lab.lab.log();
    assert!(!log.contains("Smith"), "{log}");

    let mut keeper = lab.joined("ivan", "it");
    let page = keeper.get("/messages");
    assert!(!page.body.contains("/export/"));
    let csrf = page.hidden("csrf");
    assert_eq!(
        keeper.post("/export/messages", &[("csrf", &csrf)]).status,
        404
    );
    // A token needs the list's own scope beside the one for files.
    let mut program = lab.browser();
    let words = [
        "token",
        "create",
        "olga",
        "--name",
        "t",
        "--scope",
        "list.export,message.list",
    ];
    let secret = lab.lab.json(&words)["secret"].as_str().unwrap().to_owned();
    program.authorization = Some(format!("Bearer {secret}"));
    let denied = program.ask("POST", "/api/v1/exports/people", "{}");
    assert_eq!(
        (denied.status, code(&denied).as_str()),
        (403, "identity.denied")
    );
    assert_eq!(
        program.ask("POST", "/api/v1/exports/messages", "{}").status,
        200
    );
    let unknown = program.ask("POST", "/api/v1/exports/doors", "{}");
    assert_eq!(
        (unknown.status, code(&unknown).as_str()),
        (404, "server.no-endpoint")
    );
}

#[test]
fn messages_and_a_patients_results_leave_with_their_reason_and_only_by_who_may_export_records() {
    let lab = Lab::new();
    let analyzer = lab.lab.peer("chem-1", "analyzer");
    let config = analyzer.client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &config).unwrap();
    for (number, value) in ["-3.5", "+++", "=cmd"].into_iter().enumerate() {
        let message = format!(
            "MSH|^~\\&|CHEM|LAB|LIS|LAB|20261127||ORU^R01|{value}|P|2.5.1\r\
             PID|1||4711^^^LAB^MR||Núñez^Ana||19700101|F\rOBR|1||F{number}|GLU\r\
             OBX|1|ST|T{number}^Test||{value}|mmol/L|||||F|||20261127\r"
        );
        client.exchange(message.as_bytes(), value).unwrap();
    }
    let table = rows(&export(&lab.lab, "messages", &[]));
    assert_eq!(column(&table, "link"), ["hl7", "hl7", "hl7"]);

    let asked = "mrn: 4711\nwhy: a test\n";
    let found = lab
        .lab
        .run_with(&["--json", "record", "find"], asked)
        .json();
    let patient = found["patients"][0]["patient"]
        .as_u64()
        .unwrap()
        .to_string();
    let words = ["--patient", &patient, "--why", "the patient asked"];
    let table = rows(&export(&lab.lab, "results", &words));
    let mut values = column(&table, "value");
    values.sort();
    assert_eq!(values, ["'=cmd", "+++", "-3.5"]);
    assert!(
        column(&table, "names")
            .iter()
            .all(|name| name == "Núñez, Ana")
    );
    let entry = newest(&lab.lab, "list.exported");
    assert_eq!(entry["patient"].to_string(), patient);
    let text = entry.to_string();
    assert!(
        !text.contains("the patient asked") && !text.contains("4711"),
        "{text}"
    );
    let accesses = rows(&export(&lab.lab, "accesses", &words));
    assert!(column(&accesses, "action").contains(&"list.exported".to_owned()));

    let mut nurse = lab.joined("cleo", "clinical-staff");
    let csrf = nurse.get("/records").hidden("csrf");
    let fields = [
        ("csrf", csrf.as_str()),
        ("patient", &patient),
        ("why", "a test"),
    ];
    let page = nurse.post("/patients/view", &fields);
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("/export/results"));
    assert_eq!(nurse.post("/export/results", &fields).status, 404);
}
