//! Passkeys at the console, with a device in software: added, used, switched, removed, refused.

use labward_testkit::Authenticator;

use crate::console::{Lab, PASSWORD};
use crate::support::{Answered, Browser};

/// Where the console is found by its name.
fn url(lab: &Lab) -> String {
    let status = lab.lab.json(&["status"]);
    status["console"].as_str().unwrap().to_owned()
}

/// What the page has the browser ask a device.
fn options(page: &Answered) -> String {
    let behind = page.body.split("data-options=\"").nth(1);
    let behind = behind.unwrap_or_else(|| panic!("nothing is asked in {}", page.body));
    let options = behind.split('"').next().unwrap();
    options.replace("&#34;", "\"").replace("&#38;", "&")
}

/// Asks for a new passkey as the page of one's account does.
fn ask_new(browser: &mut Browser, password: &str) -> Answered {
    let csrf = browser.get("/me").hidden("csrf");
    let fields = [
        ("csrf", &*csrf),
        ("name", "blue key"),
        ("password", password),
    ];
    browser.post("/me/passkeys", &fields)
}

fn sign_in(browser: &mut Browser, device: &mut Authenticator) -> Answered {
    let page = browser.get("/sign-in/passkey");
    let answer = device.answer(&options(&page));
    let ticket = page.hidden("ticket");
    let fields = [("ticket", ticket.as_str()), ("answer", &answer)];
    browser.post("/sign-in/passkey", &fields)
}

#[test]
fn a_passkey_is_added_with_the_password_signs_in_switches_and_is_removed() {
    let lab = Lab::new();
    let url = url(&lab);
    let mut kim = lab.joined("kim", "clinical-staff");
    let refused = ask_new(&mut kim, "not the password");
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    assert!(!refused.body.contains("data-options"), "nothing is asked");
    let asked = ask_new(&mut kim, PASSWORD);
    let (mut device, answer) = Authenticator::create(&options(&asked), &url);
    let (csrf, ticket) = (asked.hidden("csrf"), asked.hidden("ticket"));
    let fields = [("csrf", &*csrf), ("ticket", &*ticket), ("answer", &*answer)];
    let added = kim.post("/me/passkeys/add", &fields);
    assert_eq!(added.header("location"), Some("/me?done=passkey-added"));
    assert!(kim.get("/me").body.contains("blue key"));
    let listed = lab.lab.json(&["passkey", "list"]);
    assert_eq!(listed[0]["person_name"], "kim");
    assert_eq!(listed[0]["last_used"], serde_json::Value::Null);

    let before = kim.cookie.clone();
    let switched = kim.post("/switch", &[("csrf", &csrf)]);
    assert_eq!(switched.header("location"), Some("/sign-in/passkey"));
    let entered = sign_in(&mut kim, &mut device);
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, Some("/"))
    );
    assert_eq!(kim.get("/me").status, 200);
    let mut left = lab.browser();
    left.cookie = before;
    assert_eq!(left.get("/").header("location"), Some("/sign-in"));

    let number = listed[0]["number"].as_u64().unwrap();
    let csrf = kim.get("/me").hidden("csrf");
    let remove = format!("/me/passkeys/{number}/remove");
    let unconfirmed = kim.post(&remove, &[("csrf", &csrf), ("password", "no")]);
    assert!(unconfirmed.body.contains("role=\"alert\""));
    assert_eq!(lab.lab.json(&["passkey", "list"])[0]["number"], number);
    let removed = kim.post(&remove, &[("csrf", &csrf), ("password", PASSWORD)]);
    assert_eq!(removed.header("location"), Some("/me?done=passkey-removed"));
    let mut stranger = lab.browser();
    let refused = sign_in(&mut stranger, &mut device);
    assert_eq!((refused.status, stranger.cookie.as_deref()), (200, None));
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
}

#[test]
fn a_console_that_is_set_up_by_an_address_says_that_passkeys_need_a_name() {
    let lab = Lab::by_address();
    let mut kim = lab.joined("kim", "it");
    assert!(kim.get("/me").body.contains("[tls]"));
    let asked = ask_new(&mut kim, PASSWORD);
    assert!(asked.body.contains("DNS name") && !asked.body.contains("data-options"));
    let csrf = kim.get("/me").hidden("csrf");
    let out = kim.post("/switch", &[("csrf", &csrf)]);
    assert_eq!(out.header("location"), Some("/sign-in?done=signed-out"));
    let page = kim.get("/sign-in/passkey");
    assert!(page.body.contains("[tls]") && !page.body.contains("data-options"));
    assert!(!kim.get("/sign-in").body.contains("/sign-in/passkey"));
}
