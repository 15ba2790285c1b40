//! The safeguards of a real installation: states that follow what is done, and decisions about them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::console::add_person;
use crate::support::{Browser, Client, Installation, Numbered, trusting};

/// A link that is not only this machine's.
const LINK: &str = "[[link]]\nname = \"hl7\"\nlisten = \"0.0.0.0:0\"\n";
const PASSWORD: &str = "velvet tractor mango plinth 7";
const WHY: [&str; 2] = ["--why", "a test"];

const AT_REST: &str = "164.312(a)(2)(iv)";
const DISASTER: &str = "164.308(a)(7)(ii)(B)";
const INTEGRITY: &str = "164.312(c)(2)";
const RISK_ANALYSIS: &str = "164.308(a)(1)(ii)(A)";
const SENT: &str = "164.312(e)(2)(ii)";

fn all(lab: &Installation) -> Value {
    lab.json(&["safeguard", "list"])
}

fn one(lab: &Installation, citation: &str) -> Value {
    lab.json(&["safeguard", "show", citation])
}

fn state(lab: &Installation, citation: &str) -> String {
    one(lab, citation)["state"].as_str().unwrap().to_owned()
}

fn fact(lab: &Installation, citation: &str, key: &str) -> Value {
    let one = one(lab, citation);
    let facts = one["facts"].as_array().unwrap();
    facts
        .iter()
        .find(|fact| fact["key"] == key)
        .unwrap()
        .clone()
}

/// The action of the entry that a fact or a decision rests on.
fn action(lab: &Installation, on: &Value) -> String {
    let entry = on["entry"].as_u64().unwrap().to_string();
    let words = ["ledger", "list", "--from", &entry, "--limit", "1"];
    let listed = lab.json(&words);
    listed["entries"][0]["action"].as_str().unwrap().to_owned()
}

/// A day of next year.
fn next_year(lab: &Installation) -> String {
    let status = lab.json(&["status"]);
    let year: u32 = status["started"].as_str().unwrap()[..4].parse().unwrap();
    format!("{}-06-30", year + 1)
}

fn send(lab: &Installation) {
    let port = lab.address("hl7").port();
    let peer = lab.peer("xn550", "analyzer").client_config(true);
    let here = SocketAddr::from(([127, 0, 0, 1], port));
    let mut client = Client::connect(here, &peer).unwrap();
    let message = Numbered {
        client: 1,
        patient: 1,
        number: 1,
    };
    let code = client.exchange(&message.message(), &message.control_id());
    assert_eq!(code.unwrap(), "AA");
}

#[test]
fn a_state_follows_what_is_really_done_and_names_the_entry_behind_it() {
    let lab = Installation::create(LINK);
    let _server = lab.serve();
    let before = all(&lab);
    assert_eq!(before["requirements"].as_array().unwrap().len(), 65);
    let counts = before["counts"].as_object().unwrap().values();
    assert_eq!(counts.map(|one| one.as_u64().unwrap()).sum::<u64>(), 65);
    // Nobody verified the ledger, and there is no record whose seal could be seen.
    assert_eq!(state(&lab, INTEGRITY), "not-met");
    let sealed = fact(&lab, INTEGRITY, "records-sealed");
    assert_eq!(sealed["value"], "unknown", "{sealed}");
    assert_eq!(state(&lab, "164.310(b)"), "not-measured");

    send(&lab);
    lab.run(&["ledger", "verify"]).ok();
    assert_eq!(state(&lab, INTEGRITY), "met");
    let sealed = fact(&lab, INTEGRITY, "records-sealed");
    assert_eq!(
        (&sealed["figure"]["of"], &sealed["figure"]["all"]),
        (&1.into(), &1.into())
    );
    let verified = fact(&lab, INTEGRITY, "ledger-verified");
    assert_eq!(action(&lab, &verified), "ledger.verified");

    assert_eq!(state(&lab, DISASTER), "not-met");
    let place = |name: &str| lab.beside(name).to_str().unwrap().to_owned();
    let (backup, keys, key_file) = (place("backup"), place("keys"), place("root.key"));
    for words in [
        &["backup", "create", "--to", &backup][..],
        &["key", "archive", "create", "--to", &keys],
        &[
            "backup",
            "verify",
            "--from",
            &backup,
            "--drill",
            "--keys",
            &keys,
            "--key-file",
            &key_file,
        ],
    ] {
        lab.run(&[words, &WHY].concat()).ok();
    }
    assert_eq!(state(&lab, DISASTER), "met");
    let drilled = fact(&lab, DISASTER, "restore-drilled");
    assert_eq!(action(&lab, &drilled), "backup.drilled");
    // It lies on the data's own disk, as this test's folders all do.
    assert_eq!(state(&lab, "164.308(a)(7)(ii)(A)"), "not-met");
    assert_eq!(
        fact(&lab, "164.308(a)(7)(ii)(A)", "backup-recent")["value"],
        "good"
    );
    let proposed = lab.json(&["safeguard", "list", "--profile", "proposed-2025"]);
    let restore = proposed["requirements"].as_array().unwrap().iter();
    let restore = restore
        .into_iter()
        .find(|one| one["key"] == "proposed-restore");
    assert_eq!(
        restore.unwrap()["state"],
        "met",
        "a restore within 72 hours"
    );

    assert_eq!(state(&lab, SENT), "met");
    let plain = format!(
        "[[link]]\nname = \"old\"\nlisten = \"0.0.0.0:0\"\ntransport = {{ mode = \"plain\", \
         reason = \"old\", owner = \"Ada\", expires = \"{}\", from_addresses = [\"192.0.2.9\"] }}\n\
         {LINK}",
        next_year(&lab)
    );
    lab.configure(LINK, &plain);
    lab.run(&[&["reload"][..], &WHY].concat()).ok();
    assert_eq!(state(&lab, SENT), "not-met");
    assert_eq!(
        state(&lab, "164.312(e)(1)"),
        "not-met",
        "the standard above it"
    );
    let lines = fact(&lab, SENT, "lines-encrypted");
    assert_eq!(
        (&lines["figure"]["of"], &lines["figure"]["all"]),
        (&1.into(), &2.into())
    );
    assert!(
        lines["note"].as_str().unwrap().contains("link old"),
        "{lines}"
    );
}

#[test]
fn a_decision_stands_in_the_ledger_hides_no_bad_fact_and_does_away_with_nothing_required() {
    let lab = Installation::create(LINK);
    let server = lab.serve();
    let day = next_year(&lab);
    let decide = |citation: &str, kind: &str, until: &str, why: &str| {
        let words = ["safeguard", "decide", citation, "--as", kind];
        lab.run(&[&words[..], &["--until", until, "--why", why]].concat())
    };
    for kind in ["not-reasonable", "alternative", "does-not-apply"] {
        decide("164.312(b)", kind, &day, "x").fails(73, "safeguard.not-for-this");
    }
    decide("164.312(z)", "implemented", &day, "x").fails(66, "safeguard.no-requirement");
    decide(RISK_ANALYSIS, "implemented", "2020-01-01", "x").fails(65, "safeguard.bad-end");
    decide(RISK_ANALYSIS, "implemented", &day, " ").fails(65, "server.bad-request");
    assert_eq!(state(&lab, RISK_ANALYSIS), "not-measured");

    let rationale = "signed, twelfth folder on the shelf";
    decide(RISK_ANALYSIS, "implemented", &day, rationale).ok();
    let decided = one(&lab, RISK_ANALYSIS);
    assert_eq!(decided["state"], "decided-otherwise");
    let decision = &decided["decision"];
    assert_eq!(decision["rationale"], rationale);
    assert_eq!(
        (&decision["until"], &decision["approver_name"]),
        (&day.as_str().into(), &"Ada".into())
    );
    assert_eq!(action(&lab, decision), "safeguard.decided");
    let listed = lab.run(&["ledger", "list", "--limit", "1000"]).ok();
    assert!(
        listed.contains(&format!("safeguard:{RISK_ANALYSIS}")),
        "{listed}"
    );
    assert!(!listed.contains("twelfth"), "the rationale is sealed");

    // The key file lies on the data's own disk, as this test's folders all do.
    assert_eq!(state(&lab, AT_REST), "not-met");
    decide(AT_REST, "implemented", &day, "x").ok();
    assert_eq!(state(&lab, AT_REST), "not-met");
    decide(AT_REST, "alternative", &day, "the disk is encrypted").ok();
    let decided = one(&lab, AT_REST);
    assert_eq!(decided["state"], "decided-otherwise");
    assert_eq!(decided["decision"]["contradicted"], true, "{decided}");

    let withdraw =
        |citation: &str| lab.run(&[&["safeguard", "withdraw", citation][..], &WHY].concat());
    withdraw(AT_REST).ok();
    assert_eq!(state(&lab, AT_REST), "not-met");
    withdraw(AT_REST).fails(66, "safeguard.no-decision");
    server.stop();
    assert!(!holds_in_clear(lab.data(), b"twelfth folder"));

    // Sealed, what is decided still holds, and its rationale is not shown.
    fs::rename(lab.key_file(), lab.beside("elsewhere")).unwrap();
    let _server = lab.serve_until("sealed", false);
    let decided = one(&lab, RISK_ANALYSIS);
    assert_eq!(decided["state"], "decided-otherwise");
    assert_eq!(decided["decision"]["rationale"], Value::Null);
    decide(RISK_ANALYSIS, "implemented", &day, "x").fails(78, "keys.sealed");
}

fn holds_in_clear(folder: &Path, text: &[u8]) -> bool {
    let is_in = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|part| part == text)
    };
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds_in_clear(&path, text)
        } else {
            is_in(&path)
        }
    })
}

struct Console {
    lab: Installation,
    _server: crate::support::Server,
    address: SocketAddr,
}

impl Console {
    fn new() -> Self {
        let lab = Installation::create(LINK);
        lab.configure("[console]", "[console]\nlisten = \"127.0.0.1:0\"");
        let server = lab.serve();
        let status = lab.json(&["status"]);
        let port = status["console"].as_str().unwrap().rsplit(':').next();
        let address = SocketAddr::from(([127, 0, 0, 1], port.unwrap().parse().unwrap()));
        Self {
            lab,
            _server: server,
            address,
        }
    }

    fn joined(&self, name: &str, role: &str) -> Browser {
        add_person(&self.lab, name, role);
        let invited = self.lab.json(&["person", "invite", name]);
        let authority = self.lab.data().join("tls/authority.pem");
        let mut browser = Browser::new(self.address, trusting(&authority));
        let fields = [
            ("code", invited["code"].as_str().unwrap()),
            ("login", name),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        assert_eq!(browser.post("/join", &fields).status, 303);
        browser
    }
}

#[test]
fn the_page_shows_states_and_lets_decide_only_who_may() {
    let console = Console::new();
    let mut officer = console.joined("olga", "security-officer");
    let mut expert = console.joined("eve", "expert");
    let mut nurse = console.joined("clara", "clinical-staff");
    let home = officer.get("/");
    assert!(home.body.contains("href=\"/safeguards\"") && home.body.contains(" not measured, "));
    assert!(!nurse.get("/").body.contains("/safeguards"));
    assert_eq!(nurse.get("/safeguards").status, 404);

    let page = officer.get("/safeguards");
    assert_eq!(page.status, 200, "{}", page.body);
    for part in [
        AT_REST,
        "164.316(b)(2)(iii)",
        "Administrative safeguards",
        "not measured",
    ] {
        assert!(page.body.contains(part), "{part}");
    }
    let form = officer.get(&format!("/safeguards/decide?citation={RISK_ANALYSIS}"));
    let token = form.hidden("csrf");
    let day = next_year(&console.lab);
    let decide = |browser: &mut Browser, until: &str| {
        let fields = [
            ("csrf", token.as_str()),
            ("citation", RISK_ANALYSIS),
            ("kind", "implemented"),
            ("until", until),
            ("why", "the analysis of June"),
        ];
        browser.post("/safeguards/decide", &fields)
    };
    let wrong = decide(&mut officer, "2020-01-01");
    assert!(wrong.body.contains("24 months") && wrong.body.contains("the analysis of June"));
    let done = decide(&mut officer, &day);
    assert_eq!(
        done.header("location"),
        Some("/safeguards?done=decided"),
        "{}",
        done.body
    );
    let page = officer.get("/safeguards?done=decided");
    assert!(page.body.contains("the analysis of June") && page.body.contains("olga"));

    let page = expert.get("/safeguards");
    assert!(page.body.contains("the analysis of June") && page.body.contains("decided otherwise"));
    assert!(!page.body.contains("/safeguards/decide"));
    assert_eq!(
        expert
            .get(&format!("/safeguards/decide?citation={RISK_ANALYSIS}"))
            .status,
        404
    );
    let token = expert.get("/ledger").hidden("csrf");
    let fields = [
        ("csrf", token.as_str()),
        ("citation", RISK_ANALYSIS),
        ("why", "x"),
    ];
    assert_eq!(expert.post("/safeguards/withdraw", &fields).status, 404);
    assert_eq!(state(&console.lab, RISK_ANALYSIS), "decided-otherwise");

    let proposed = expert.get("/safeguards?profile=proposed-2025");
    assert!(
        proposed.body.contains("This is not law.") && proposed.body.contains("164.312(f)(2)(ii)")
    );
    let strange = officer.get("/safeguards/decide?citation=%3Cscript%3E");
    assert_eq!(strange.status, 404);
    assert!(!strange.body.contains("<script>"));

    let token = officer.get("/ledger").hidden("csrf");
    let fields = [
        ("csrf", token.as_str()),
        ("citation", RISK_ANALYSIS),
        ("why", "out of date"),
    ];
    assert_eq!(officer.post("/safeguards/withdraw", &fields).status, 303);
    assert_eq!(state(&console.lab, RISK_ANALYSIS), "not-measured");
}
