//! All results of a patient, and who looked at them: what the messages of a real day become.

use serde_json::Value;

use crate::console::Lab;
use crate::support::{Browser, Client};

/// A message with one glucose.
fn glucose(id: &str, order: &str, day: &str, value: &str, status: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|XN550|HEMA|LIS|LAB|20261101||ORU^R01^ORU_R01|{id}|P|2.5.1\r\
         PID|1||4711^^^LAB^MR||MUSTER^EVA||19700102|F\r\
         OBR|1||{order}|2345-7^Glucose^LN|||{day}\r\
         OBX|1|SN|2345-7^Glucose^LN||{value}|mmol/L|3.9-5.5|||{status}\r\
         OBX|2|ST|5132-5^Titer^LN||1:128||||||F\r"
    )
    .into_bytes()
}

/// A lab that received three glucoses and a correction of the second.
fn lab() -> Lab {
    let lab = Lab::new();
    let peer = lab.lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &peer).unwrap();
    for (id, order, day, value, status) in [
        ("M1", "F1", "202611010800", "^5.4", "F"),
        ("M2", "F2", "202611020800", "^61", "F"),
        ("M3", "F3", "202611030800", "<^0.1", "F"),
        ("M4", "F2", "202611020800", "^6.1", "C"),
    ] {
        client
            .exchange(&glucose(id, order, day, value, status), id)
            .unwrap();
    }
    lab
}

/// The number of the patient, found by MRN at the command line.
fn patient(lab: &Lab) -> String {
    let asked = "mrn: 4711\nwhy: to know the number\n";
    let found = lab
        .lab
        .run_with(&["--json", "record", "find"], asked)
        .json();
    found["patients"][0]["patient"].to_string()
}

/// The newest entry, as the ledger lists it.
fn newest(lab: &Lab) -> Value {
    let page = lab.lab.json(&["ledger", "list", "--limit", "1000"]);
    let entries = page["entries"].as_array().unwrap();
    let of_newest = entries.iter().max_by_key(|entry| entry["n"].as_u64());
    of_newest.unwrap().clone()
}

/// The page behind the button of this address, of the hit that the search found.
fn press(browser: &mut Browser, address: &str, why: &str) -> String {
    let token = browser.get("/records").hidden("csrf");
    let asked = [("csrf", token.as_str()), ("mrn", "4711"), ("why", why)];
    let found = browser.post("/records", &asked);
    assert!(
        found.body.contains(&format!("action=\"{address}\"")),
        "{}",
        found.body
    );
    let number = found.hidden("patient");
    let fields = [("csrf", token.as_str()), ("patient", &number), ("why", why)];
    let page = browser.post(address, &fields);
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(!page.head.contains("4711") && !page.head.contains("MUSTER"));
    let title = page.body.split("<title>").nth(1).unwrap();
    let title = title.split("</title>").next().unwrap();
    assert!(
        !title.contains("MUSTER") && !title.contains(&number),
        "{title}"
    );
    page.body
}

#[test]
fn results_of_several_messages_cumulate_and_a_correction_takes_the_place_of_what_it_corrects() {
    let lab = lab();
    let number = patient(&lab);
    let why = "the ward called";
    let shown = lab.lab.json(&["patient", "results", &number, "--why", why]);
    let entry = newest(&lab);
    assert_eq!(entry["n"], shown["entry"]);
    assert_eq!(
        (&entry["action"], &entry["actor"]),
        (&"record.shown".into(), &"person:1".into())
    );
    assert_eq!(entry["subject"], format!("patient:{number}"));
    assert_eq!(entry["facts"]["records"].as_array().unwrap().len(), 4);
    assert!(!entry.to_string().contains(why), "why is sealed");
    let line = &shown["tests"][0];
    let values: Vec<&str> = line["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value["value"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["<0.1", "6.1", "5.4"]);
    assert_eq!(line["values"][1]["replaced"][0]["value"], "61");
    assert_eq!(
        (&shown["names"][0], &shown["sex"]),
        (&"MUSTER, EVA".into(), &"F".into())
    );

    let mut clara = lab.joined("clara", "clinical-staff");
    let page = press(&mut clara, "/patients/view", why);
    assert!(
        page.contains("MUSTER, EVA") && page.contains("1970-01-02"),
        "{page}"
    );
    let heads: Vec<usize> = ["2026-11-03 08:00", "2026-11-02 08:00", "2026-11-01 08:00"]
        .iter()
        .map(|time| page.find(time).unwrap())
        .collect();
    assert!(heads.is_sorted(), "the newest first");
    assert!(page.contains("Before: 61 mmol/L") && page.contains("corrected"));
    assert_eq!(
        page.matches("class=\"plot\"").count(),
        1,
        "a titer is no number"
    );
    assert!(page.contains("class=\"limit\"") && page.contains("class=\"band\""));
    assert!(!page.contains(" style=") && page.contains("1:128"));
    // The single report shows what was one message.
    let record = shown["tests"][0]["values"][0]["record"].to_string();
    let token = clara.get("/records").hidden("csrf");
    let fields = [("csrf", token.as_str()), ("record", &record), ("why", why)];
    let report = clara.post("/records/view", &fields).body;
    assert!(
        report.contains("Laboratory report") && report.contains("&#60;0.1"),
        "{report}"
    );
    // The message's page shows its path, and who looked at it.
    let path = clara.get(&format!("/messages/{record}")).body;
    let steps = path.split("Its path").nth(1).unwrap();
    assert!(
        steps.contains("received") && steps.matches("looked at").count() >= 3,
        "{steps}"
    );
    assert!(steps.contains("person:") && !steps.contains("MUSTER"));
    assert!(!lab.lab.log().contains("MUSTER"));
}

#[test]
fn without_a_reason_or_the_right_role_nothing_of_a_patient_is_answered() {
    let lab = lab();
    let number = patient(&lab);
    let before = newest(&lab);
    for words in ["results", "accesses"] {
        lab.lab
            .run(&["patient", words, &number, "--why", " "])
            .fails(65, "server.bad-request");
        lab.lab
            .run(&["patient", words, "999", "--why", "x"])
            .fails(66, "records.no-patient");
    }
    assert_eq!(newest(&lab), before);
    for (role, results, accesses) in [
        ("administrator", 404, 404),
        ("it", 404, 404),
        ("expert", 404, 404),
        ("clinical-staff", 200, 404),
        ("security-officer", 404, 200),
        ("lab-manager", 200, 200),
    ] {
        let mut browser = lab.joined(&format!("{role}.1"), role);
        let token = browser.get("/me").hidden("csrf");
        let fields = [("csrf", token.as_str()), ("patient", &number), ("why", "x")];
        let status = |browser: &mut Browser, page| browser.post(page, &fields).status;
        let told = (
            status(&mut browser, "/patients/view"),
            status(&mut browser, "/patients/accesses"),
        );
        assert_eq!(told, (results, accesses), "{role}");
    }
}

#[test]
fn the_list_of_accesses_names_who_looked_and_why_and_so_does_the_page_to_print() {
    let lab = lab();
    let number = patient(&lab);
    let mut clara = lab.joined("clara", "clinical-staff");
    press(&mut clara, "/patients/view", "before the ward round");
    let words = [
        "patient",
        "accesses",
        &number,
        "--why",
        "asked by the patient",
    ];
    let listed = lab.lab.json(&words);
    let told: Vec<(&str, &str, &str)> = listed["accesses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|access| {
            let text = |name: &str| access[name].as_str().unwrap_or_default();
            (text("action"), text("name"), text("why"))
        })
        .collect();
    let round = "before the ward round";
    let person = told[2].1;
    assert_eq!(
        told[..3],
        [
            ("record.shown", "clara", round),
            ("record.searched", "clara", round),
            ("record.searched", person, "to know the number"),
        ]
    );
    assert!(!person.is_empty());
    assert_eq!(told[3..], [("message.received", "xn550", ""); 4]);
    assert_eq!(
        listed["accesses"][0]["records"].as_array().unwrap().len(),
        4
    );
    assert_eq!(listed["next"], Value::Null);
    assert_eq!(newest(&lab)["n"], listed["entry"]);
    assert_eq!(newest(&lab)["action"], "patient.accounted");

    let mut maria = lab.joined("maria", "lab-manager");
    let page = press(&mut maria, "/patients/accesses", "printed for the patient");
    for words in [
        "clara",
        round,
        "Somebody looked at the records",
        "from xn550",
        "The list is complete",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("MUSTER"), "who prints it writes the name");
    let none = [
        "patient",
        "accesses",
        &number,
        "--why",
        "x",
        "--until",
        "2020-01-01",
    ];
    assert_eq!(lab.lab.json(&none)["accesses"].as_array().unwrap().len(), 0);
    lab.lab
        .run(&[
            "patient",
            "accesses",
            &number,
            "--why",
            "x",
            "--since",
            "yesterday",
        ])
        .fails(65, "server.bad-request");
}
