//! Emergency access: opened with a reason, over by itself or at a button, reviewed by somebody else.

use serde_json::Value;

use crate::console::Lab;
use crate::support::{Browser, Client, Installation};

const LINK: &str = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";
const WHY: &str = "unconscious in the emergency room";
const NOTE: &str = "the ward confirms it";
const RESULT: &[u8] = b"MSH|^~\\&|XN550|HEMA|LIS|LAB|20261101||ORU^R01^ORU_R01|M1|P|2.5.1\r\
    PID|1||4711^^^LAB^MR||MUSTER^EVA||19700102|F\r\
    OBR|1||F1|2345-7^Glucose^LN|||202611010800\r\
    OBX|1|NM|2345-7^Glucose^LN||5.4|mmol/L|3.9-5.5||||F\r";

fn receive(lab: &Installation) {
    let peer = lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.address("hl7"), &peer).unwrap();
    client.exchange(RESULT, "M1").unwrap();
}

/// What a browser sends from a form, with the token of the page of this address.
fn send(browser: &mut Browser, page: &str, to: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let token = browser.get(page).hidden("csrf");
    let mut all = vec![("csrf", token.as_str())];
    all.extend(fields);
    let answered = browser.post(to, &all);
    (answered.status, answered.body)
}

fn actions(lab: &Installation) -> Vec<String> {
    let page = lab.json(&["ledger", "list", "--limit", "1000"]);
    let entries = page["entries"].as_array().unwrap();
    let mut numbered: Vec<(u64, String)> = entries
        .iter()
        .map(|entry| {
            let action = entry["action"].as_str().unwrap().to_owned();
            (entry["n"].as_u64().unwrap(), action)
        })
        .filter(|(_, action)| action.starts_with("break-glass.") || action.starts_with("record."))
        .collect();
    numbered.sort();
    numbered.into_iter().map(|(_, action)| action).collect()
}

fn finds(lab: &Installation, code: &str) -> bool {
    let check = lab.run(&["--json", "check"]);
    let check: Value = serde_json::from_str(&check.out).unwrap();
    let findings = check["findings"].as_array().unwrap();
    findings.iter().any(|finding| finding["code"] == code)
}

#[test]
fn an_emergency_access_is_seen_on_every_page_and_by_who_reviews_it_until_it_is_reviewed() {
    let lab = Lab::new();
    receive(&lab.lab);
    let mut ana = lab.joined("ana", "clinical-staff");
    let mut olga = lab.joined("olga", "security-officer");
    let mut kim = lab.joined("kim", "it");
    assert!(!ana.get("/records").body.contains("/break-glass/end"));

    let (status, page) = send(
        &mut ana,
        "/break-glass",
        "/break-glass/open",
        &[("why", " ")],
    );
    assert_eq!(status, 200);
    assert!(
        page.contains("role=\"alert\""),
        "a reason is asked for: {page}"
    );
    let (status, _) = send(
        &mut ana,
        "/break-glass",
        "/break-glass/open",
        &[("why", WHY)],
    );
    assert_eq!(status, 303);
    for page in ["/", "/records", "/messages", "/me"] {
        let body = ana.get(page).body;
        assert!(
            body.contains("minutes left") && body.contains("/break-glass/end"),
            "{page}"
        );
    }
    let (_, found) = send(
        &mut ana,
        "/records",
        "/records",
        &[("mrn", "4711"), ("why", WHY)],
    );
    let token = ana.get("/records").hidden("csrf");
    let record = found.split("name=\"record\" value=\"").nth(1).unwrap();
    let record = record.split('"').next().unwrap();
    let fields = [("csrf", token.as_str()), ("record", record), ("why", WHY)];
    let shown = ana.post("/records/view", &fields);
    assert!(shown.body.contains("Glucose"), "{}", shown.body);

    let home = olga.get("/").body;
    assert!(home.contains("ana opened emergency access"), "{home}");
    assert!(!home.contains(WHY), "why stands with the review alone");
    let place = home.split("href=\"/break-glass/reviews/").nth(1).unwrap();
    let place = format!("/break-glass/reviews/{}", place.split('"').next().unwrap());
    let page = olga.get(&place).body;
    assert!(page.contains(WHY) && page.contains("searched") && page.contains("looked at"));
    assert!(
        !page.contains("MUSTER") && !page.contains("4711"),
        "numbers, and no patient"
    );
    let review = [("verdict", "appropriate"), ("note", NOTE)];
    assert!(!page.contains("name=\"verdict\""), "not while it is open");
    let (_, refused) = send(&mut olga, "/", &place, &review);
    assert!(refused.contains("still open"), "{refused}");

    for browser in [&mut ana, &mut kim] {
        assert_eq!(browser.get(&place).status, 404);
        assert_eq!(browser.get("/break-glass/reviews").status, 404);
        assert_eq!(send(browser, "/me", &place, &review).0, 404);
        assert!(!browser.get("/").body.contains("opened emergency access"));
    }
    assert_eq!(send(&mut ana, "/", "/break-glass/end", &[]).0, 303);
    assert!(!ana.get("/records").body.contains("minutes left"));
    assert!(finds(&lab.lab, "check.break-glass"));

    let (status, _) = send(&mut olga, &place, &place, &review);
    assert_eq!(status, 303);
    assert!(!olga.get("/").body.contains("opened emergency access"));
    let page = olga.get(&place).body;
    assert!(page.contains(NOTE) && page.contains("Appropriate") && page.contains("olga"));
    assert!(!finds(&lab.lab, "check.break-glass"));
    let expected = [
        "break-glass.opened",
        "record.searched",
        "record.shown",
        "break-glass.ended",
        "break-glass.reviewed",
    ];
    assert_eq!(actions(&lab.lab), expected);
}

#[test]
fn nobody_reviews_their_own_emergency_access_by_any_way() {
    let lab = Lab::new();
    let mut luis = lab.joined("luis", "lab-manager");
    send(
        &mut luis,
        "/break-glass",
        "/break-glass/open",
        &[("why", WHY)],
    );
    send(&mut luis, "/", "/break-glass/end", &[]);
    let all = lab.lab.json(&["break-glass", "list", "--waiting"]);
    let number = all[0]["number"].to_string();
    let place = format!("/break-glass/reviews/{number}");
    assert!(!luis.get(&place).body.contains("name=\"verdict\""));
    let review = [("verdict", "appropriate"), ("note", NOTE)];
    let (_, refused) = send(&mut luis, "/", &place, &review);
    assert!(
        refused.contains("somebody else than the one who opened it"),
        "{refused}"
    );
    assert_eq!(
        lab.lab.json(&["break-glass", "list", "--waiting"])[0],
        all[0]
    );
    let words = [
        "break-glass",
        "review",
        &number,
        "not-appropriate",
        "--note",
        NOTE,
    ];
    lab.lab.run(&words).ok();
    lab.lab.run(&words).fails(73, "break-glass.reviewed");
    assert!(luis.get(&place).body.contains("Not appropriate"));
}

#[test]
fn at_the_command_line_it_is_opened_by_reading_bounded_and_known_after_a_restart() {
    let lab = Installation::create(LINK);
    lab.configure("[break_glass]", "[break_glass]\nminutes = 20");
    let server = lab.serve();
    receive(&lab);
    let too_long = ["break-glass", "open", "--why", WHY, "--minutes", "21"];
    let refused = lab.run(&too_long);
    assert!(refused.err.contains("1 to 20 minutes"), "{}", refused.err);
    let record = lab.json(&["message", "list"])[0]["record"].to_string();
    lab.run(&["record", "show", &record, "--why", WHY, "--break-glass"])
        .ok();
    let again = ["break-glass", "open", "--why", WHY];
    lab.run(&again).fails(73, "break-glass.open");
    server.stop();

    let _server = lab.serve();
    lab.run(&again).fails(73, "break-glass.open");
    let number = lab.json(&["break-glass", "list"])[0]["number"].to_string();
    lab.run(&["break-glass", "end"]).ok();
    lab.run(&["break-glass", "end"])
        .fails(66, "break-glass.none");
    let shown = lab.run(&["break-glass", "show", &number]).ok();
    assert!(
        shown.contains(WHY) && shown.contains("record.shown"),
        "{shown}"
    );
    let review = [
        "break-glass",
        "review",
        &number,
        "appropriate",
        "--note",
        NOTE,
    ];
    lab.run(&review).fails(77, "break-glass.own");
    assert!(finds(&lab, "check.break-glass"));
}
