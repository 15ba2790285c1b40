//! An outside expert: what they see is of their topics and days, bears a mark, and is over in time.

use serde_json::{Value, json};

use crate::console::{Lab, PASSWORD, TOPICS, day, moment};
use crate::support::{Browser, eventually};

/// Adds an expert who sees entries of all days until long after this test.
fn engage(lab: &Lab, name: &str, role: &str, topics: &str, expires: &str) {
    let until = day(100);
    let words = [
        "person",
        "add",
        name,
        "--role",
        role,
        "--expert-from",
        "2020-01-01",
        "--expert-until",
        &until,
        "--expert-topics",
        topics,
        "--expires",
        expires,
    ];
    lab.lab.run(&words).ok();
}

fn engage_anew(lab: &Lab, name: &str, days: [&str; 2], topics: &str) {
    let expires = day(100);
    let words = [
        "person",
        "engage",
        name,
        "--expert-from",
        days[0],
        "--expert-until",
        days[1],
        "--expert-topics",
        topics,
        "--expires",
        &expires,
    ];
    lab.lab.run(&words).ok();
}

/// A browser in which somebody who was added is signed in.
fn joined(lab: &Lab, name: &str) -> Browser {
    let code = lab.lab.json(&["person", "invite", name])["code"].clone();
    let mut browser = lab.browser();
    let fields = [
        ("code", code.as_str().unwrap()),
        ("login", name),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    assert_eq!(browser.post("/join", &fields).status, 303);
    browser
}

fn program(lab: &Lab, person: &str, scopes: &str) -> Browser {
    let (token, _) = lab.token(person, scopes);
    let mut program = lab.browser();
    program.authorization = Some(format!("Bearer {token}"));
    program
}

fn entries(program: &mut Browser) -> Vec<Value> {
    let answer = program.get("/api/v1/ledger/entries?limit=1000");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let page: Value = serde_json::from_str(&answer.body).unwrap();
    page["entries"].as_array().unwrap().clone()
}

fn families(entries: &[Value]) -> Vec<String> {
    let names = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap());
    let mut families: Vec<String> = names
        .map(|name| name.split('.').next().unwrap().to_owned())
        .collect();
    families.sort();
    families.dedup();
    families
}

#[test]
fn an_expert_sees_entries_and_pages_of_their_topics_and_days_and_nothing_else() {
    let lab = Lab::new();
    engage(&lab, "eve", "expert", "people", &day(100));
    let mut eve = joined(&lab, "eve");
    // Home shows the state of the server, which is no topic of hers.
    let home = eve.get("/");
    assert_eq!(home.header("location"), Some("/ledger"), "{}", home.body);
    for (page, status) in [
        ("/ledger", 200),
        ("/people", 200),
        ("/me", 200),
        ("/safeguards", 404),
        ("/flow", 404),
        ("/records", 404),
        ("/settings", 404),
        ("/ledger/entries/0", 404),
    ] {
        assert_eq!(eve.get(page).status, status, "{page}");
    }
    let ledger = eve.get("/ledger").body;
    assert!(
        ledger.contains("You see entries from 2020-01-01 to"),
        "{ledger}"
    );
    assert!(!ledger.contains("href=\"/safeguards\""), "{ledger}");

    let mut api = program(&lab, "eve", "ledger.read,person.read");
    let seen = entries(&mut api);
    let own_topic = ["credential", "engagement", "person", "session", "token"];
    assert_eq!(families(&seen), own_topic);
    let own = seen[0]["n"].as_u64().unwrap();
    assert_eq!(api.get(&format!("/api/v1/ledger/prove/{own}")).status, 200);
    let first = api.get("/api/v1/ledger/prove/0");
    assert_eq!(first.status, 404);
    assert!(first.body.contains("ledger.no-entry"), "{}", first.body);
    let never = api.get("/api/v1/ledger/prove/99999999");
    assert_eq!(
        never.body.replace("99999999", "0"),
        first.body,
        "it tells nothing"
    );

    // Other topics hold for the next request of the same token, and so do other days.
    engage_anew(&lab, "eve", ["2020-01-01", &day(100)], "configuration");
    assert_eq!(families(&entries(&mut api)), ["config", "installation"]);
    assert_eq!(api.get("/api/v1/people").status, 404, "no topic any more");
    engage_anew(&lab, "eve", ["2020-01-01", "2020-12-31"], TOPICS);
    assert_eq!(entries(&mut api), Vec::<Value>::new());
    assert_eq!(
        api.get("/api/v1/people").status,
        404,
        "it shows the present"
    );
    assert_eq!(eve.get("/people").status, 404);
    assert_eq!(eve.get("/safeguards").status, 404);
    let known = lab.lab.run(&["person", "list"]).ok();
    assert!(known.contains("from 2020-01-01 to 2020-12-31"), "{known}");

    let refused = |words: &[&str], code| lab.lab.run(words).fails(65, code);
    refused(
        &["person", "add", "Max", "--role", "expert"],
        "identity.bad-engagement",
    );
    let staff = [
        "person",
        "engage",
        "Ada",
        "--expert-from",
        "2020-01-01",
        "--expert-until",
        "2020-12-31",
        "--expert-topics",
        "keys",
        "--expires",
        &day(9),
    ];
    refused(&staff, "identity.bad-engagement");
    let long = day(400);
    let eve = [
        "person",
        "engage",
        "eve",
        "--expert-from",
        "2020-01-01",
        "--expert-until",
        "2020-12-31",
        "--expert-topics",
        "keys",
        "--expires",
        &long,
    ];
    refused(&eve, "identity.bad-engagement");
}

#[test]
fn somebody_who_is_more_than_an_expert_is_not_narrowed_in_what_the_rest_permits() {
    let lab = Lab::new();
    engage(&lab, "ian", "it,expert", "people", &day(100));
    let mut api = program(
        &lab,
        "ian",
        "ledger.read,safeguard.read,person.read,list.export",
    );
    assert_eq!(api.get("/api/v1/safeguards").status, 200, "as IT");
    assert_eq!(api.get("/api/v1/people").status, 200, "as an expert");
    assert!(families(&entries(&mut api)).contains(&"server".to_owned()));
    // Taking a list out is the expert's alone, so it bears the mark.
    let list = api.ask("POST", "/api/v1/exports/people", "{}");
    assert!(
        list.body.contains("confidential_issued_to"),
        "{}",
        list.body
    );
    engage_anew(&lab, "ian", ["2020-01-01", "2020-12-31"], "keys");
    assert_eq!(api.get("/api/v1/people").status, 404);
    assert_eq!(api.get("/api/v1/safeguards").status, 200, "still as IT");
}

#[test]
fn what_an_expert_takes_out_or_prints_says_who_has_it_and_a_colleagues_does_not() {
    let lab = Lab::new();
    engage(&lab, "eve", "expert", TOPICS, &day(90));
    let mut eve = joined(&lab, "eve");
    let page = eve.get("/ledger");
    let mark = "confidential; issued to eve (person 2) at ";
    assert!(
        page.body.contains("class=\"print-mark print-only\""),
        "{}",
        page.body
    );
    assert!(page.body.contains(mark), "{}", page.body);
    assert!(!page.body.contains("style="), "no policy allows it");
    let mut ada = lab.joined("ben", "administrator");
    assert!(!ada.get("/ledger").body.contains("print-mark"));

    let csrf = page.hidden("csrf");
    let file = eve.post("/export/entries", &[("csrf", &csrf)]);
    let name = file.header("content-disposition").unwrap().to_owned();
    assert!(name.contains("\"confidential-entries-"), "{name}");
    // Between the sizes of the pieces in which it is sent.
    let lines = file.body.lines();
    let mut lines = lines.skip_while(|line| !line.ends_with(",confidential_issued_to"));
    assert!(lines.next().is_some(), "{}", file.body);
    let rows: Vec<&str> = lines.take_while(|line| line.contains(',')).collect();
    assert!(rows.len() > 5, "{rows:?}");
    let ends = format!("access ends {}", day(90));
    let is_marked = |row: &&str| row.contains(mark) && row.contains(&ends);
    assert!(rows.iter().all(is_marked), "{rows:?}");
    let csrf = ada.get("/ledger").hidden("csrf");
    let file = ada.post("/export/entries", &[("csrf", &csrf)]);
    assert!(!file.body.contains("confidential_issued_to"));

    // A bundle verifies as it is; the entry of its own export says who has it.
    let mut api = program(&lab, "eve", "ledger.export,ledger.read");
    let bundle = api.ask(
        "POST",
        "/api/v1/ledger/export",
        &json!({ "format": "bundle" }).to_string(),
    );
    assert_eq!(bundle.status, 200);
    let last = bundle
        .body
        .lines()
        .rfind(|line| line.contains("ledger.exported"))
        .unwrap();
    assert!(last.contains(mark), "{last}");
    engage_anew(&lab, "eve", ["2020-01-01", &day(100)], "ledger,people");
    let refused = api.ask(
        "POST",
        "/api/v1/ledger/export",
        &json!({ "format": "bundle" }).to_string(),
    );
    assert_eq!(refused.status, 403);
    assert!(
        refused.body.contains("identity.beyond-engagement"),
        "{}",
        refused.body
    );
    let fhir = api.ask(
        "POST",
        "/api/v1/ledger/export",
        &json!({ "format": "fhir" }).to_string(),
    );
    assert!(fhir.body.contains("person.added"), "{}", fhir.body);
    assert!(!fhir.body.contains("server.started") && !fhir.body.contains("config.loaded"));
}

#[test]
fn when_an_engagement_is_over_sessions_and_tokens_end_and_it_is_recorded() {
    let lab = Lab::new();
    engage(&lab, "eve", "expert", TOPICS, &day(90));
    let mut eve = joined(&lab, "eve");
    let mut api = program(&lab, "eve", "ledger.read");
    assert_eq!(eve.get("/ledger").status, 200);
    assert!(!entries(&mut api).is_empty());
    let until = day(100);
    let soon = moment(4);
    let words = [
        "person",
        "engage",
        "eve",
        "--expert-from",
        "2020-01-01",
        "--expert-until",
        &until,
        "--expert-topics",
        TOPICS,
        "--expires",
        &soon,
    ];
    lab.lab.run(&words).ok();
    eventually("the end of the access", || {
        let is_out = eve.get("/ledger").header("location") == Some("/sign-in");
        (is_out && api.get("/api/v1/ledger/entries").status == 401).then_some(())
    });
    let ended = eventually("its entry", || {
        let page = lab.lab.json(&["ledger", "list", "--limit", "1000"]);
        let entries = page["entries"].as_array().unwrap();
        let mut ended = entries
            .iter()
            .filter(|one| one["action"] == "engagement.ended");
        ended.next().cloned()
    });
    assert_eq!(ended["facts"]["sessions_ended"], 1, "{ended}");
    assert_eq!(ended["facts"]["tokens_ended"], 1, "{ended}");
    assert_eq!(ended["actor"], "system");
    let fields = [("login", "eve"), ("password", PASSWORD)];
    let refused = lab.browser().post("/sign-in", &fields);
    assert!(
        refused.body.contains("do not fit together"),
        "{}",
        refused.body
    );
    let check = lab.lab.json_of(&["check"]);
    let found = check["findings"].as_array().unwrap().iter();
    let mut found = found.filter(|one| one["code"] == "check.expert-without-engagement");
    assert!(found.next().is_some(), "{check}");

    // What is over does not come back with another engagement; the password still does.
    engage_anew(&lab, "eve", ["2020-01-01", &day(100)], TOPICS);
    assert_eq!(eve.get("/ledger").header("location"), Some("/sign-in"));
    assert_eq!(api.get("/api/v1/ledger/entries").status, 401);
    assert_eq!(lab.browser().post("/sign-in", &fields).status, 303);
}

#[test]
fn an_expert_is_invited_and_changed_on_the_page_of_the_people() {
    let lab = Lab::new();
    let mut bo = lab.joined("ben", "administrator");
    let csrf = bo.get("/people").hidden("csrf");
    let (until, ends) = (day(10), day(20));
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "Eve"),
        ("role", "expert"),
        ("expert-from", "2026-01-01"),
        ("expert-until", &until),
        ("expires", &ends),
        ("expert-topic", "safeguards"),
        ("expert-topic", "keys"),
    ];
    let added = bo.post("/people", &fields);
    assert!(added.body.contains("/join#"), "{}", added.body);
    let sees = format!("From 2026-01-01 to {until}: Keys, Safeguards. Access ends after {ends}.");
    assert!(added.body.contains(&sees), "{}", added.body);
    let without = [("csrf", csrf.as_str()), ("name", "Max"), ("role", "expert")];
    let refused = bo.post("/people", &without);
    assert!(
        refused.body.contains("an outside expert can have"),
        "{}",
        refused.body
    );
    let people = lab.lab.json(&["person", "list"]);
    let eve = people
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "Eve")
        .unwrap();
    let path = format!("/people/{}/engage", eve["id"]);
    let changed = bo.post(&path, &[&fields[..1], &fields[3..7]].concat());
    assert_eq!(
        changed.header("location"),
        Some("/people?done=engaged"),
        "{}",
        changed.body
    );
    let page = bo.get("/people").body;
    assert!(
        page.contains(&format!("to {until}: Safeguards. Access")),
        "{page}"
    );
    let mut ian = lab.joined("ian", "it");
    let csrf = ian.get("/me").hidden("csrf");
    assert_eq!(ian.post(&path, &[("csrf", &csrf)]).status, 404);
}

#[test]
fn a_person_makes_a_token_on_their_own_page_it_is_shown_once_and_ends_there() {
    let lab = Lab::new();
    let mut ian = lab.joined("ian", "it");
    let page = ian.get("/me");
    let csrf = page.hidden("csrf");
    assert!(page.body.contains("value=\"status.read\""), "{}", page.body);
    for never in ["config.change", "key.unseal", "record.show"] {
        assert!(
            !page.body.contains(&format!("value=\"{never}\"")),
            "{never}"
        );
    }
    let ask = |ian: &mut Browser, scope: &str, days: &str, password: &str| {
        let fields = [
            ("csrf", csrf.as_str()),
            ("name", "monitoring"),
            ("scope", scope),
            ("days", days),
            ("password", password),
        ];
        ian.post("/me/tokens", &fields).body
    };
    for (scope, days, password, code) in [
        ("status.read", "90", "not this one", "do not fit"),
        ("config.change", "90", PASSWORD, "in person only"),
        (
            "record.show",
            "90",
            PASSWORD,
            "nothing that this person may do",
        ),
        ("status.read", "367", PASSWORD, "1 to 366 days"),
        ("status.read", "many", PASSWORD, "how many days is a number"),
    ] {
        let refused = ask(&mut ian, scope, days, password);
        assert!(!refused.contains("lbw_"), "{scope} {days}");
        let told = refused.contains(code) || password != PASSWORD;
        assert!(told, "{scope} {days}: {refused}");
    }
    let made = ask(&mut ian, "status.read", "90", PASSWORD);
    let secret = made
        .split("lbw_")
        .nth(1)
        .and_then(|rest| rest.get(..43))
        .unwrap();
    let mut program = lab.browser();
    program.authorization = Some(format!("Bearer lbw_{secret}"));
    assert_eq!(program.get("/api/v1/status").status, 200);
    assert_eq!(program.get("/api/v1/peers").status, 403);
    let page = ian.get("/me").body;
    assert!(
        !page.contains(secret) && page.contains("monitoring"),
        "{page}"
    );
    assert!(page.contains("See the state of the server"), "{page}");
    let token = lab.lab.json(&["token", "list"])[0].clone();
    assert!(token["last_used"].is_string(), "{token}");
    let path = format!("/me/tokens/{}/end", token["number"]);
    let mut kim = lab.joined("kim", "it");
    let hers = kim.get("/me").hidden("csrf");
    assert_eq!(kim.post(&path, &[("csrf", &hers)]).status, 404, "another's");
    let ended = ian.post(&path, &[("csrf", &csrf)]);
    assert_eq!(ended.header("location"), Some("/me?done=token-ended"));
    assert_eq!(program.get("/api/v1/status").status, 401);
}
