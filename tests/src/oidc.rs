//! Single sign-on: a provider that tells the truth, one that lies in every way a token can, and one
//! that is slow, endless or gone.

mod provider;

use std::time::{Duration, Instant};

use crate::console::Lab;
use crate::support::{Answered, Browser, Installation};
use provider::{Lie, Provider};

/// A lab whose people may sign in at a provider.
struct Clinic {
    lab: Lab,
    provider: Provider,
}

/// A sign-in that was begun: what the provider was sent.
struct Begun {
    state: String,
}

impl Clinic {
    fn new(more: &str) -> Self {
        let provider = Provider::start();
        let oidc = provider.table(more);
        let lab = Lab::with_console(&oidc);
        Self { lab, provider }
    }

    fn lab(&self) -> &Installation {
        &self.lab.lab
    }

    /// A browser that found the console by the name of its certificate.
    fn browser(&self) -> Browser {
        let mut browser = self.lab.browser();
        let status = self.lab().json(&["status"]);
        let url = status["console"].as_str().unwrap();
        browser.host = url.strip_prefix("https://").unwrap().to_owned();
        browser
    }

    fn link(&self, name: &str, role: &str, account: &str) {
        self.lab()
            .run(&["person", "add", name, "--role", role])
            .ok();
        self.lab().run(&["person", "link", name, account]).ok();
    }

    /// Goes to the provider; it will answer as `lie` says.
    fn begin(&self, browser: &mut Browser, lie: Lie) -> Begun {
        browser.site = "same-origin";
        let sent = browser.get("/sign-in/provider");
        let place = sent.header("location");
        let place = place.unwrap_or_else(|| panic!("{}", self.lab().log()));
        assert!(place.starts_with(&self.provider.issuer()), "{place}");
        let cookie = sent.header("set-cookie").unwrap();
        for word in [
            "__Host-",
            "Secure",
            "HttpOnly",
            "SameSite=Lax",
            "Max-Age=600",
        ] {
            assert!(cookie.contains(word), "{cookie}");
        }
        let state = self.provider.asked(place, lie);
        Begun { state }
    }

    /// Comes back from the provider with a code.
    fn come_back(browser: &mut Browser, begun: &Begun, more: &str) -> Answered {
        browser.site = "cross-site";
        let path = "/sign-in/provider/callback";
        browser.get(&format!("{path}?code=c0de&state={}{more}", begun.state))
    }

    fn sign_in(&self, lie: Lie) -> (Browser, Answered) {
        let mut browser = self.browser();
        let begun = self.begin(&mut browser, lie);
        let answered = Self::come_back(&mut browser, &begun, "");
        browser.site = "same-origin";
        (browser, answered)
    }

    /// Signs in, and must get in.
    fn enter(&self, lie: Lie) -> Browser {
        let (browser, answered) = self.sign_in(lie);
        let place = answered.header("location");
        assert_eq!(
            (answered.status, place),
            (303, Some("/")),
            "{}",
            answered.body
        );
        browser
    }

    /// Signs in, and must be refused with this code.
    fn refused(&self, lie: Lie, code: &str) {
        let name = format!("{lie:?}");
        let (browser, answered) = self.sign_in(lie);
        refused_with(&browser, &answered, code, &name);
    }

    fn entries(&self, action: &str) -> String {
        entries(self.lab(), action)
    }

    /// Every refusal of the ledger: those of the last minute are written when the server stops.
    fn refusals(self) -> String {
        let Lab { lab, server, .. } = self.lab;
        server.stop();
        let _server = lab.serve();
        entries(&lab, "session.refused")
    }
}

fn entries(lab: &Installation, action: &str) -> String {
    let words = ["ledger", "list", "--limit", "1000", "--action", action];
    lab.json(&words)["entries"].to_string()
}

fn refused_with(browser: &Browser, answered: &Answered, code: &str, name: &str) {
    assert!(answered.body.contains(code), "{name}: {}", answered.body);
    assert_eq!(browser.cookie, None, "{name}");
    // The other way in stands on the same page.
    assert!(answered.body.contains("name=\"password\""), "{name}");
}

#[test]
fn a_linked_person_signs_in_at_the_provider_with_the_role_of_their_groups() {
    let clinic = Clinic::new("");
    clinic.link("Clara", "clinical-staff", "clara@example.org");
    let page = clinic.browser().get("/sign-in");
    assert!(page.body.contains("Sign in with Clinic"), "{}", page.body);
    let ways = ["name=\"password\"", "/sign-in/passkey", "/sign-in/provider"];
    assert!(
        ways.iter().all(|way| page.body.contains(way)),
        "{}",
        page.body
    );
    let mut clara = clinic.enter(Lie::None);
    let me = clara.get("/me").body;
    for part in ["clara@example.org", "sub-clara", &clinic.provider.issuer()] {
        assert!(me.contains(part), "{part}: {me}");
    }
    assert_eq!(clara.get("/records").status, 200);
    assert_eq!(clara.get("/settings").status, 404);
    // Another day, other groups: other doors, and an entry that says so.
    let mut clara = clinic.enter(Lie::Groups(&["it-people"]));
    assert_eq!(clara.get("/records").status, 404);
    assert_eq!(clara.get("/settings").status, 200);
    let changed = clinic.entries("person.changed");
    assert!(
        changed.contains("clinical-staff") && changed.contains("\"it\""),
        "{changed}"
    );
    let began = clinic.entries("session.began");
    assert!(began.contains("oidc"), "{began}");
    let accounts = clinic.lab().run(&["person", "accounts"]).ok();
    assert!(accounts.contains("clara@example.org") && accounts.contains("sub-clara"));
    let log = clinic.lab().log();
    for secret in ["c0de", "access-token", provider::SECRET, "eyJ"] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
    assert!(clinic.provider.every_exchange_was_proved());
}

#[test]
fn what_only_the_userinfo_endpoint_tells_counts_for_the_same_subject_and_no_other() {
    let clinic = Clinic::new("");
    clinic.link("Clara", "clinical-staff", "clara@example.org");
    clinic.refused(Lie::OtherUserInfo, "sign-on.not-verified");
    let mut clara = clinic.enter(Lie::ByUserInfo);
    assert_eq!(clara.get("/records").status, 200);
}

#[test]
fn no_token_that_lies_lets_anybody_in() {
    let clinic = Clinic::new("");
    clinic.link("Clara", "clinical-staff", "clara@example.org");
    for (lie, why) in [
        (Lie::AlgNone, "No signature found"),
        (Lie::AlgNoneUnsigned, "No signature found"),
        (Lie::Audience, "must contain `labward`"),
        (Lie::Expired, "Expired"),
        (Lie::Hs256WithSecret, "algorithm `HS256` is not one of"),
        (Lie::Issuer, "Invalid issuer"),
        (Lie::MoreAudiences, "is not a trusted audience"),
        (Lie::NoNonce, "missing nonce claim"),
        (Lie::Nonce, "nonce mismatch"),
        (Lie::OtherAccessToken, "the access token is not the one"),
        (Lie::OtherKey, "EC Signature was wrong"),
        (Lie::Tampered, "EC Signature was wrong"),
        (Lie::NoIdToken, "there is no ID token"),
        (Lie::Refuses, "the code was not exchanged: invalid_grant"),
    ] {
        let before = clinic.lab().log().len();
        clinic.refused(lie, "sign-on.not-verified");
        let log = clinic.lab().log();
        assert!(log[before..].contains(why), "{lie:?}: {}", &log[before..]);
    }
    clinic.refused(Lie::Garbage, "sign-on.unreachable");
    clinic.enter(Lie::None);
    let refused = clinic.refusals();
    assert!(refused.contains("sign-on.not-verified"), "{refused}");
}

#[test]
fn an_answer_that_another_browser_asked_for_signs_nobody_in() {
    let clinic = Clinic::new("");
    clinic.link("Clara", "clinical-staff", "clara@example.org");
    let code = "sign-on.not-begun";
    // Login CSRF: somebody else's answer in a browser that did not ask for it.
    let mut mallory = clinic.browser();
    let begun = clinic.begin(&mut mallory, Lie::None);
    let mut victim = clinic.browser();
    let answered = Clinic::come_back(&mut victim, &begun, "");
    refused_with(&victim, &answered, code, "no cookie");
    // It is spent by that, for the one who asked, too.
    let answered = Clinic::come_back(&mut mallory, &begun, "");
    refused_with(&mallory, &answered, code, "spent");
    // The victim has begun one of their own.
    let mine = clinic.begin(&mut victim, Lie::None);
    let theirs = clinic.begin(&mut mallory, Lie::None);
    let answered = Clinic::come_back(&mut victim, &theirs, "");
    refused_with(&victim, &answered, code, "of another");
    let answered = Clinic::come_back(&mut victim, &mine, "");
    assert_eq!(
        answered.status, 200,
        "the provider gave the nonce of the later one"
    );
    // Twice, invented, none at all.
    let mut clara = clinic.browser();
    let begun = clinic.begin(&mut clara, Lie::None);
    assert_eq!(Clinic::come_back(&mut clara, &begun, "").status, 303);
    clara.cookie = None;
    for state in [begun.state.as_str(), "invented", ""] {
        let state = state.to_owned();
        let answered = Clinic::come_back(&mut clara, &Begun { state }, "");
        refused_with(&clara, &answered, code, "again");
    }
    // In the name of another provider (RFC 9207).
    let begun = clinic.begin(&mut clara, Lie::None);
    let answered = Clinic::come_back(&mut clara, &begun, "&iss=https%3A%2F%2Fevil.example");
    refused_with(&clara, &answered, "sign-on.not-verified", "mix-up");
    // Another site does not begin a sign-in.
    clara.site = "cross-site";
    let sent = clara.get("/sign-in/provider");
    assert_eq!(sent.header("location"), Some("/sign-in"));
    let refused = clinic.refusals();
    assert!(refused.contains("foreign-answer"), "{refused}");
}

#[test]
fn who_turns_back_at_the_provider_is_told_so() {
    let clinic = Clinic::new("");
    let mut browser = clinic.browser();
    let begun = clinic.begin(&mut browser, Lie::None);
    browser.site = "cross-site";
    let path = "/sign-in/provider/callback?error=access_denied&state=";
    let answered = browser.get(&format!("{path}{}", begun.state));
    refused_with(&browser, &answered, "sign-on.declined", "declined");
}

#[test]
fn without_group_or_link_or_after_removal_nobody_enters() {
    let clinic = Clinic::new("");
    clinic.refused(Lie::None, "sign-on.not-linked");
    clinic.link("Clara", "clinical-staff", "clara@example.org");
    clinic.refused(Lie::Groups(&["strangers"]), "sign-on.no-group");
    clinic.refused(Lie::Groups(&[]), "sign-on.no-group");
    for lie in [Lie::UnverifiedEmail, Lie::UnverifiedByUserInfo] {
        clinic.refused(lie, "sign-on.not-linked");
    }
    let mut clara = clinic.enter(Lie::None);
    clinic.refused(Lie::Subject("somebody-else"), "sign-on.other-subject");
    assert_eq!(clara.get("/messages").status, 200);
    clinic.lab().run(&["person", "unlink", "Clara"]).ok();
    let out = clara.get("/messages");
    assert_eq!(
        out.header("location"),
        Some("/sign-in"),
        "her session has ended"
    );
    clinic.refused(Lie::None, "sign-on.not-linked");
    clinic
        .lab()
        .run(&["person", "link", "Clara", "clara@example.org"])
        .ok();
    let mut clara = clinic.enter(Lie::None);
    let people = clinic.lab().json(&["person", "list"]);
    let people = people.as_array().unwrap().clone();
    let number = people.iter().find(|one| one["name"] == "Clara").unwrap();
    let number = number["id"].to_string();
    clinic.lab().run(&["person", "remove", &number]).ok();
    assert_eq!(clara.get("/messages").header("location"), Some("/sign-in"));
    clinic.refused(Lie::None, "sign-on.not-linked");
    let refused = clinic.refusals();
    for reason in ["no-group", "not-linked", "other-subject", "removed"] {
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
}

#[test]
fn where_the_lab_wants_it_the_first_sign_in_adds_a_person() {
    let clinic = Clinic::new("adds_people = true, ");
    clinic.refused(Lie::Groups(&["strangers"]), "sign-on.no-group");
    let mut clara = clinic.enter(Lie::None);
    assert!(clara.get("/me").body.contains("Clara Cole"));
    clinic.enter(Lie::None);
    let people = clinic.lab().json(&["person", "list"]);
    assert_eq!(people.as_array().unwrap().len(), 2);
}

#[test]
fn a_group_makes_nobody_an_outside_expert() {
    let clinic = Clinic::new("adds_people = true, ");
    clinic.refused(Lie::Groups(&["auditors"]), "sign-on.not-linked");
    let both = &["auditors", "lab-staff"];
    clinic.refused(Lie::Groups(both), "sign-on.not-linked");
    let people = clinic.lab().json(&["person", "list"]);
    assert_eq!(people.as_array().unwrap().len(), 1, "nobody was added");
    clinic.link("Clara", "clinical-staff", "clara@example.org");
    // As an expert whom nobody engaged she would be nobody.
    clinic.refused(Lie::Groups(&["auditors"]), "sign-on.not-linked");
    let mut clara = clinic.enter(Lie::Groups(both));
    assert_eq!(clara.get("/messages").status, 200, "she works here");
    assert_ne!(clara.get("/ledger").status, 200, "nobody engaged her");
}

#[test]
fn a_provider_that_is_slow_endless_or_gone_holds_nobody_up() {
    let clinic = Clinic::new("");
    clinic.link("Clara", "clinical-staff", "clara@example.org");
    drop(clinic.lab.joined("ada", "administrator"));
    clinic.refused(Lie::Endless, "sign-on.unreachable");
    let log = clinic.lab().log();
    assert!(log.contains("its answer broke off"), "{log}");
    clinic.refused(Lie::Redirects, "sign-on.unreachable");
    assert_eq!(clinic.provider.strays(), 0, "a redirection was followed");
    clinic.enter(Lie::None);
    let begun = || {
        let mut browser = clinic.browser();
        let begun = clinic.begin(&mut browser, Lie::Silent);
        (browser, begun)
    };
    let slow = [begun(), begun()];
    let start = Instant::now();
    std::thread::scope(|scope| {
        let slow = slow.map(|(mut browser, begun)| {
            scope.spawn(move || Clinic::come_back(&mut browser, &begun, ""))
        });
        clinic.provider.until_waiting(2);
        // Who would be the third is told so at once, and the password opens as ever.
        let mut third = clinic.browser();
        third.site = "same-origin";
        let busy = third.get("/sign-in/provider");
        refused_with(&third, &busy, "server.busy", "third");
        let fields = [
            ("login", "ada"),
            ("password", "velvet tractor mango plinth 7"),
        ];
        let mut ada = clinic.browser();
        let entered = ada.post("/sign-in", &fields);
        assert_eq!(entered.header("location"), Some("/"), "{}", entered.body);
        for one in &slow {
            assert!(!one.is_finished(), "the provider let go too early");
        }
        for one in slow {
            let answered = one.join().unwrap();
            let is_over = answered.body.contains("sign-on.unreachable");
            assert!(is_over, "{}", answered.body);
        }
    });
    assert!(start.elapsed() < Duration::from_secs(60));
    clinic.provider.stop();
    let mut browser = clinic.browser();
    let answered = browser.get("/sign-in/provider");
    refused_with(&browser, &answered, "sign-on.unreachable", "gone");
    let log = clinic.lab().log();
    assert!(log.contains("Connection refused"), "{log}");
}

#[test]
fn a_secret_that_others_may_read_and_a_certificate_of_a_stranger_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let clinic = Clinic::new("");
    clinic.link("Clara", "clinical-staff", "clara@example.org");
    let readable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(clinic.provider.secret_file(), readable).unwrap();
    clinic.refused(Lie::None, "sign-on.unreachable");
    let log = clinic.lab().log();
    assert!(log.contains("others may read it"), "{log}");
    // A reload takes another authority, whose certificate the provider does not have.
    let other = Provider::start();
    let [mine, theirs] = [&clinic.provider, &other].map(|one| one.ca_file().display().to_string());
    clinic.lab().configure(&mine, &theirs);
    clinic.lab().run(&["reload", "--why", "moved"]).ok();
    let mut browser = clinic.browser();
    let answered = browser.get("/sign-in/provider");
    refused_with(&browser, &answered, "sign-on.unreachable", "stranger");
    let log = clinic.lab().log();
    assert!(log.contains("invalid peer certificate"), "{log}");
}
