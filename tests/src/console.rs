//! The web console: invited, signed in, at work, signed out; and everything that is refused.

mod live;

use std::net::SocketAddr;
use std::time::Duration;

use labward_base::Clock as _;
use labward_os::SystemClock;

use crate::support::{Browser, Client, Installation, Numbered, Server, trusting};

const LINK: &str = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";
pub(crate) const PASSWORD: &str = "velvet tractor mango plinth 7";

/// Everything that an engagement may be about.
pub(crate) const TOPICS: &str =
    "backups,configuration,devices,keys,ledger,links,people,records,safeguards,status";

/// Every page that is got, with the roles of the test that may see it.
const PAGES: &[(&str, &str)] = &[
    ("/", "administrator clinical-staff it expert"),
    ("/flow", "administrator clinical-staff it expert"),
    ("/first-analyzer", "administrator it"),
    ("/messages", "administrator clinical-staff it"),
    ("/records", "clinical-staff"),
    ("/break-glass", "clinical-staff"),
    ("/break-glass/reviews", ""),
    ("/ledger", "administrator it expert"),
    ("/people", "administrator expert"),
    ("/settings", "administrator it"),
    ("/me", "administrator clinical-staff it expert"),
];

/// An installation with a console.
pub(crate) struct Lab {
    pub(crate) lab: Installation,
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(LINK)
    }

    /// One with this configuration.
    pub(crate) fn with(config: &str) -> Self {
        Self::of(Installation::create(config))
    }

    /// With more lines in its table `[console]`.
    pub(crate) fn with_console(more: &str) -> Self {
        Self::of_with(Installation::create(LINK), more)
    }

    /// One whose console is set up by an address before its name.
    pub(crate) fn by_address() -> Self {
        let lab = Installation::create(LINK);
        lab.configure("\"localhost\"", "\"127.0.0.1\", \"localhost\"");
        Self::of(lab)
    }

    pub(crate) fn of(lab: Installation) -> Self {
        Self::of_with(lab, "")
    }

    fn of_with(lab: Installation, more: &str) -> Self {
        let listen = format!("[console]\nlisten = \"127.0.0.1:0\"\n{more}");
        lab.configure("[console]", &listen);
        let server = lab.serve();
        Self::served(lab, server)
    }

    /// The same installation after its server was killed, with another.
    pub(crate) fn killed_and_started(self) -> Self {
        self.server.kill();
        let server = self.lab.serve();
        Self::served(self.lab, server)
    }

    fn served(lab: Installation, server: Server) -> Self {
        let url = lab.json(&["status"])["console"]
            .as_str()
            .unwrap()
            .to_owned();
        let port = url.rsplit(':').next().unwrap().parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            lab,
            server,
            address,
        }
    }

    /// The installation and its server, which runs as long as it is held.
    pub(crate) fn lab_with_server(self) -> (Installation, Server) {
        (self.lab, self.server)
    }

    pub(crate) fn browser(&self) -> Browser {
        let authority = self.lab.data().join("tls/authority.pem");
        Browser::new(self.address, trusting(&authority))
    }

    /// Adds a person.
    pub(crate) fn add(&self, name: &str, role: &str) {
        add_person(&self.lab, name, role);
    }

    /// Adds a person and gives the code of their invitation.
    pub(crate) fn invite(&self, name: &str, role: &str) -> String {
        self.add(name, role);
        let invited = self.lab.json(&["person", "invite", name]);
        let code = invited["code"].as_str().unwrap().to_owned();
        let link = invited["link"].as_str().unwrap();
        assert!(link.starts_with("https://") && link.ends_with(&format!("/join#{code}")));
        code
    }

    /// A browser in which this person is signed in.
    pub(crate) fn joined(&self, name: &str, role: &str) -> Browser {
        let code = self.invite(name, role);
        let mut browser = self.browser();
        let fields = [
            ("code", code.as_str()),
            ("login", name),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        let joined = browser.post("/join", &fields);
        assert_eq!(
            (joined.status, joined.header("location")),
            (303, Some("/")),
            "{}",
            joined.body
        );
        browser
    }
}

/// Adds a person; an expert is engaged for everything, for longer than the tests run.
pub(crate) fn add_person(lab: &Installation, name: &str, role: &str) {
    let mut words = vec!["person", "add", name, "--role", role];
    let until = day(100);
    if role == "expert" {
        words.extend(["--expert-from", "2020-01-01", "--expert-until", &until]);
        words.extend(["--expert-topics", TOPICS, "--expires", &until]);
    }
    lab.run(&words).ok();
}

/// The day so many days from now.
pub(crate) fn day(days: u64) -> String {
    moment(days * 86_400)[..10].to_owned()
}

/// So many seconds from now, RFC 3339.
pub(crate) fn moment(seconds: u64) -> String {
    let later = SystemClock.now().plus(Duration::from_secs(seconds));
    later.to_rfc3339()
}

fn sign_in(browser: &mut Browser, login: &str, password: &str) -> u16 {
    browser
        .post("/sign-in", &[("login", login), ("password", password)])
        .status
}

#[test]
fn an_invited_person_signs_in_and_sees_what_their_role_permits_and_nothing_else() {
    let lab = Lab::new();
    let mut nobody = lab.browser();
    for (page, _) in PAGES {
        let answered = nobody.get(page);
        assert_eq!(answered.header("location"), Some("/sign-in"), "{page}");
    }
    for role in ["administrator", "clinical-staff", "it", "expert"] {
        let mut browser = lab.joined(&format!("{role}.1"), role);
        for (page, roles) in PAGES {
            let answered = browser.get(page);
            let expected = if roles.split(' ').any(|one| one == role) {
                200
            } else {
                404
            };
            assert_eq!(
                answered.status, expected,
                "{role} {page}: {}",
                answered.body
            );
            let policy = answered.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
            assert_eq!(answered.header("cache-control"), Some("no-store"));
            assert!(!answered.body.contains("<style") && !answered.body.contains(" style="));
        }
    }
}

#[test]
fn a_form_that_another_site_sends_or_without_the_sessions_token_changes_nothing() {
    let lab = Lab::new();
    let mut browser = lab.joined("ada", "administrator");
    let token = browser.get("/people").hidden("csrf");
    let add = |browser: &mut Browser, token: &str| {
        let fields = [("csrf", token), ("name", "Eve"), ("role", "administrator")];
        browser.post("/people", &fields).status
    };
    assert_eq!(add(&mut browser, ""), 403);
    assert_eq!(
        add(&mut browser, &token.replace(char::is_alphanumeric, "A")),
        403
    );
    browser.site = "cross-site";
    assert_eq!(add(&mut browser, &token), 403);
    assert_eq!(sign_in(&mut browser, "ada", PASSWORD), 403);
    browser.site = "same-origin";
    let people = lab.lab.run(&["person", "list"]).ok();
    assert!(!people.contains("Eve"), "{people}");
    assert_eq!(add(&mut browser, &token), 200);
    let people = lab.lab.run(&["person", "list"]).ok();
    assert!(people.contains("Eve"), "{people}");
}

#[test]
fn a_record_is_found_and_read_with_a_reason_and_the_ledger_says_so() {
    let lab = Lab::new();
    let peer = lab.lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &peer).unwrap();
    for number in [1, 2] {
        let message = Numbered {
            client: 1,
            patient: 3,
            number,
        };
        client
            .exchange(&message.message(), &message.control_id())
            .unwrap();
    }
    let mut browser = lab.joined("clara", "clinical-staff");
    let page = browser.get("/records");
    let token = page.hidden("csrf");
    let mrn = "C1P3".to_owned();
    let without = browser.post("/records", &[("csrf", &token), ("mrn", &mrn)]);
    assert!(without.body.contains("reason"), "{}", without.body);
    let asked = [
        ("csrf", token.as_str()),
        ("mrn", &mrn),
        ("why", "ward round"),
    ];
    let found = browser.post("/records", &asked);
    assert!(found.body.contains("1 patient<"), "{}", found.body);
    let record = found.hidden("record");
    let asked = [
        ("csrf", token.as_str()),
        ("record", &record),
        ("why", "ward round"),
    ];
    let shown = browser.post("/records/view", &asked);
    assert!(shown.body.contains("Laboratory report"), "{}", shown.body);
    assert!(
        shown.body.contains("<svg class=\"plot\"") && shown.body.contains("Earlier values"),
        "the value before stands beside it: {}",
        shown.body
    );
    assert!(
        !shown.head.contains(&mrn),
        "nothing of a patient in a header"
    );
    let listed = browser.get("/messages");
    assert!(listed.body.contains("xn550") && !listed.body.contains(&mrn));
    let entries = lab.lab.run(&["ledger", "list", "--limit", "1000"]).ok();
    for action in ["session.began", "record.searched", "record.shown"] {
        assert!(entries.contains(action), "{action}: {entries}");
    }
    assert!(!lab.lab.log().contains(&mrn));
}

#[test]
fn a_deactivated_person_is_out_at_once_and_signing_out_ends_the_session() {
    let lab = Lab::new();
    let mut ada = lab.joined("ada", "administrator");
    let mut clara = lab.joined("clara", "clinical-staff");
    assert_eq!(clara.get("/messages").status, 200);
    let people = ada.get("/people");
    let token = people.hidden("csrf");
    let (before, _) = people.body.rsplit_once("/remove\"").unwrap();
    let (_, clara_is) = before.rsplit_once("/people/").unwrap();
    let removed = ada.post(&format!("/people/{clara_is}/remove"), &[("csrf", &token)]);
    assert_eq!(removed.status, 303, "{}", removed.body);
    let out = clara.get("/messages");
    assert_eq!(out.header("location"), Some("/sign-in"));
    assert_eq!(
        sign_in(&mut clara, "clara", PASSWORD),
        200,
        "refused on the same page"
    );
    let cookie = ada.cookie.clone();
    assert_eq!(ada.post("/sign-out", &[("csrf", &token)]).status, 303);
    assert_eq!(ada.cookie, None);
    ada.cookie = cookie;
    let out = ada.get("/");
    assert_eq!(
        out.header("location"),
        Some("/sign-in"),
        "the old cookie is worth nothing"
    );
}

#[test]
fn a_page_that_keeps_itself_fresh_is_small_and_no_page_outlives_its_session_on_the_screen() {
    let lab = Lab::new();
    let mut ada = lab.joined("ada", "administrator");
    let home = ada.get("/");
    assert!(home.body.contains("check.one-slot") && home.body.contains("id=\"live\""));
    let live = ada.get("/?live=1");
    assert!(live.body.contains("id=\"live\"") && !live.body.contains("check.one-slot"));
    let lasts = home.header("labward-session").unwrap();
    let (idle, absolute) = lasts.split_once(' ').unwrap();
    let absolute: u64 = absolute.parse().unwrap();
    assert!(
        idle == "900" && (43_100..=43_200).contains(&absolute),
        "{lasts}"
    );
    let leaves = "<noscript><meta http-equiv=\"refresh\" content=\"901; url=/sign-in\"></noscript>";
    assert!(home.body.contains(leaves) && home.body.contains("role=\"alertdialog\""));
    let outside = lab.browser().get("/sign-in");
    assert!(!outside.body.contains("refresh") && !outside.body.contains("alertdialog"));
    assert_eq!(outside.header("labward-session"), None);
}

#[test]
fn who_may_not_see_the_people_reads_numbers_in_the_ledger() {
    let lab = Lab::new();
    let mut ada = lab.joined("ada", "administrator");
    assert!(ada.get("/ledger").body.contains("(person:1)"));
    let mut ian = lab.joined("ian", "it");
    let page = ian.get("/ledger").body;
    assert!(
        page.contains("person:") && !page.contains("(person:"),
        "{page}"
    );
}

#[test]
fn somebody_who_is_signed_in_can_open_the_invitation_of_another() {
    let lab = Lab::new();
    let mut browser = lab.joined("ada", "administrator");
    let code = lab.invite("bea", "it");
    let token = browser.get("/join").hidden("csrf");
    let fields = [
        ("csrf", token.as_str()),
        ("code", &code),
        ("login", "bea"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    let joined = browser.post("/join", &fields);
    assert_eq!(joined.header("location"), Some("/"), "{}", joined.body);
    assert!(browser.get("/me").body.contains("bea"));
}

#[test]
fn wrong_and_strange_input_is_a_page_that_says_so() {
    let lab = Lab::new();
    let code = lab.invite("ada", "administrator");
    let mut browser = lab.browser();
    let weak = [
        ("code", code.as_str()),
        ("login", "ada"),
        ("password", "aaaaaaaaaaaaaaaaaaaa"),
        ("again", "aaaaaaaaaaaaaaaaaaaa"),
    ];
    let refused = browser.post("/join", &weak);
    assert!(refused.body.contains("guess"), "{}", refused.body);
    let other = [
        ("code", "nonsense"),
        ("login", "ada"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    assert!(browser.post("/join", &other).body.contains("invitation"));
    assert_eq!(browser.cookie, None);
    // The same words for a wrong password and a person who is not there.
    let said = |browser: &mut Browser, login: &str| {
        let fields = [("login", login), ("password", "wrong wrong wrong wrong")];
        let page = browser.post("/sign-in", &fields).body;
        page.split("role=\"alert\"")
            .nth(1)
            .unwrap()
            .split("</div>")
            .next()
            .unwrap()
            .to_owned()
    };
    let mut ada = lab.joined("bea", "administrator");
    assert_eq!(said(&mut browser, "bea"), said(&mut browser, "nobody-here"));
    let huge = "x".repeat(70_000);
    assert_eq!(ada.post("/people", &[("csrf", &huge)]).status, 413);
    for path in [
        "/messages/x",
        "/messages/99999",
        "/messages?state=%00",
        "/nowhere",
        "/assets/x/../y",
    ] {
        let status = ada.get(path).status;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    let page = ada.get("/ledger?from=18446744073709551615");
    assert_eq!(page.status, 200, "{}", page.body);
    let spanish = browser.get("/sign-in?language=es");
    assert!(spanish.body.contains("Iniciar sesión") && spanish.body.contains("lang=\"es\""));
}
