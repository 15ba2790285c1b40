//! What scripts of the pages ask for: the hits of a search while it is typed, and how long a session lasts.

use super::Lab;
use crate::support::{Browser, Client, Numbered};

/// As the script of a page asks for a part of it.
const PART: [(&str, &str); 2] = [("hx-request", "true"), ("hx-request-type", "partial")];

fn asks_for_parts(browser: &mut Browser) {
    browser.headers = PART
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
}

fn searches(lab: &Lab) -> usize {
    let entries = lab.lab.run(&["ledger", "list", "--limit", "1000"]).ok();
    entries.matches("record.searched").count()
}

#[test]
fn a_search_while_it_is_typed_is_answered_by_its_hits_alone_each_after_its_entry() {
    let lab = Lab::new();
    let peer = lab.lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &peer).unwrap();
    let message = Numbered {
        client: 1,
        patient: 3,
        number: 1,
    };
    client
        .exchange(&message.message(), &message.control_id())
        .unwrap();
    let mut browser = lab.joined("clara", "clinical-staff");
    let token = browser.get("/records").hidden("csrf");
    asks_for_parts(&mut browser);
    let mut typed = |csrf: &str, name: &str, why: &str| {
        browser.post("/records", &[("csrf", csrf), ("name", name), ("why", why)])
    };
    let foreign = typed("", "Deo", "ward round");
    assert_eq!(foreign.status, 403);
    assert!(foreign.body.contains("role=\"alert\"") && !foreign.body.contains("<html"));
    let without = typed(&token, "Deo", " ");
    assert!(without.body.contains("reason") && !without.body.contains("<html"));
    assert_eq!(searches(&lab), 0, "what is not answered is no search");
    for (number, name) in ["Deo", "Pta Doe"].into_iter().enumerate() {
        let found = typed(&token, name, "ward round");
        assert_eq!(found.status, 200);
        assert!(found.body.contains("1 patient<"), "{}", found.body);
        assert!(!found.body.contains("<html") && !found.body.contains("<form class=\"row"));
        assert_eq!(found.hidden("csrf"), token);
        assert!(!found.body.contains("DOE"), "masked: {}", found.body);
        let policy = found.header("content-security-policy").unwrap();
        assert!(policy.contains("'nonce-"), "{policy}");
        assert_eq!(searches(&lab), number + 1);
    }
    assert!(!lab.lab.log().contains("Deo"));
}

#[test]
fn what_a_script_asks_for_without_a_session_makes_its_page_leave() {
    let lab = Lab::new();
    let mut browser = lab.joined("clara", "clinical-staff");
    let token = browser.get("/records").hidden("csrf");
    let cookie = browser.cookie.clone();
    browser.post("/sign-out", &[("csrf", &token)]);
    browser.cookie = cookie;
    asks_for_parts(&mut browser);
    let asked = [("csrf", token.as_str()), ("name", "Doe"), ("why", "ward")];
    for answered in [
        browser.post("/records", &asked),
        browser.get("/flow?live=1"),
    ] {
        assert_eq!(
            (answered.status, answered.header("hx-redirect")),
            (401, Some("/sign-in"))
        );
        assert_eq!(answered.body, "");
    }
}

#[test]
fn a_page_asks_how_long_its_session_lasts_and_only_a_person_stays() {
    let lab = Lab::new();
    let mut browser = lab.joined("clara", "clinical-staff");
    let token = browser.get("/").hidden("csrf");
    let seen = || lab.lab.json(&["session", "list"])[0]["last_seen"].clone();
    let before = seen();
    let asked = browser.get("/session?live=1");
    assert_eq!((asked.status, asked.body.as_str()), (204, ""));
    assert!(asked.header("labward-session").is_some());
    assert_eq!(seen(), before, "asking is no use");
    assert_eq!(browser.post("/session", &[]).status, 403);
    let stayed = browser.post("/session", &[("csrf", &token)]);
    assert_eq!(stayed.status, 204);
    let lasts = stayed.header("labward-session").unwrap();
    assert!(lasts.starts_with("900 "), "{lasts}");
    assert_ne!(seen(), before);
}
