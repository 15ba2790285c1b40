//! The first run: from an empty folder to the first sign-in, in a browser or by a file.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use crate::support::{Answered, Browser, Installation, Server, eventually, pinning, trusting};

const PASSWORD: &str = "velvet tractor mango plinth 7";
const PASSPHRASE: &str = "seven lanterns under a quiet bridge";
const LOOPBACK: &[&str] = &["--setup-listen", "127.0.0.1:0"];

/// A server that waits to be set up.
struct FirstRun {
    lab: Installation,
    server: Server,
    address: SocketAddr,
    token: String,
    fingerprint: String,
}

impl FirstRun {
    fn new() -> Self {
        Self::of(Installation::none_yet())
    }

    /// Starts the server and reads what it prints behind what it has printed so far.
    fn of(lab: Installation) -> Self {
        let so_far = lab.log().len();
        let mut server = lab.start_with(LOOPBACK);
        let said = eventually("the link", || {
            server.must_run();
            let said = lab.log().split_off(so_far);
            said.contains("data.setup-link").then_some(said)
        });
        let behind = |text: &str| {
            let part = said.split(text).nth(1).unwrap_or_else(|| panic!("{said}"));
            part.split_whitespace().next().unwrap().to_owned()
        };
        let port = behind("https://localhost:");
        let (port, token) = port.split_once("/#").unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        Self {
            address,
            token: token.to_owned(),
            fingerprint: behind("must be:"),
            lab,
            server,
        }
    }

    fn browser(&self) -> Browser {
        let mut browser = Browser::new(self.address, pinning(&self.fingerprint));
        browser.cookie_name = "__Host-labward-setup";
        browser
    }

    /// The browser that has spent the link.
    fn opened(&self) -> Browser {
        let mut browser = self.browser();
        let opened = browser.post("/open", &[("code", &self.token)]);
        assert_eq!(opened.status, 303, "{}", opened.body);
        browser
    }

    /// The answers up to the slots.
    fn asked_for_slots(&self) -> Browser {
        let mut browser = self.opened();
        let lab = [
            ("name", "Río Verde Laboratory"),
            ("names", "localhost 127.0.0.1"),
        ];
        goes_on(&send(&mut browser, "/lab", &lab));
        goes_on(&send(
            &mut browser,
            "/administrator",
            &administrator(PASSWORD),
        ));
        browser
    }

    fn key_file(&self) -> String {
        self.lab.key_file().display().to_string()
    }

    /// The answers up to the shares, with what they are.
    fn shown_shares(&self) -> (Browser, Vec<Vec<String>>) {
        let mut browser = self.asked_for_slots();
        let path = self.key_file();
        let slots = [("slot", "key-file"), ("path", &path), ("shares", "2/3")];
        goes_on(&send(&mut browser, "/keys", &slots));
        let shares = shares_in(&browser.get("/").body);
        (browser, shares)
    }

    /// All of it; the server then starts.
    fn finished(&self) -> (Browser, Answered) {
        let (mut browser, shares) = self.shown_shares();
        goes_on(&send(&mut browser, "/written", &[]));
        type_back(&mut browser, &shares);
        let done = browser.get("/");
        goes_on_to(&send(&mut browser, "/start", &[]), 200);
        (browser, done)
    }

    /// Waits until the installation's server is open.
    fn is_open(&mut self) {
        eventually("the server to be open", || {
            self.server.must_run();
            let status = self.lab.run(&["--json", "status"]);
            (status.code == Some(0) && status.json()["open"] == true).then_some(())
        });
    }
}

fn administrator(password: &str) -> [(&'static str, &str); 5] {
    [
        ("name", "Ada Moreno"),
        ("login", "ada"),
        ("password", password),
        ("again", password),
        ("reads", "yes"),
    ]
}

/// Sends a form with the token of the page that is shown now.
fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answered {
    let token = browser.get("/").hidden("csrf");
    let mut all = vec![("csrf", token.as_str())];
    all.extend(fields);
    browser.post(path, &all)
}

#[track_caller]
fn goes_on(answered: &Answered) {
    assert_eq!(answered.header("location"), Some("/"), "{}", answered.body);
    goes_on_to(answered, 303);
}

#[track_caller]
fn goes_on_to(answered: &Answered, status: u16) {
    assert_eq!(
        answered.status, status,
        "{}{}",
        answered.head, answered.body
    );
}

/// The groups of each share on the page.
fn shares_in(page: &str) -> Vec<Vec<String>> {
    let lists = page.split("<ol class=\"groups\">").skip(1);
    lists
        .map(|list| {
            let list = list.split("</ol>").next().unwrap();
            let groups = list.split("<li>").skip(1);
            groups
                .map(|group| group.split('<').next().unwrap().to_owned())
                .collect()
        })
        .collect()
}

/// What the page asks for, out of these shares.
fn asked_groups(page: &str, shares: &[Vec<String>]) -> String {
    let label = page.split("for=\"groups\">").nth(1).unwrap();
    let label = label.split('<').next().unwrap();
    let mut numbers = label
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse::<usize>().ok());
    let share = &shares[numbers.next().unwrap() - 1];
    let groups: Vec<&str> = numbers.map(|group| share[group - 1].as_str()).collect();
    assert_eq!(groups.len(), 2, "{label}");
    groups.join(" ").to_lowercase()
}

fn type_back(browser: &mut Browser, shares: &[Vec<String>]) {
    for _ in 0..2 {
        let page = browser.get("/").body;
        let groups = asked_groups(&page, shares);
        goes_on(&send(browser, "/groups", &[("groups", &groups)]));
    }
}

fn sign_in(lab: &Installation, address: SocketAddr) -> (Browser, Answered) {
    let authority = lab.data().join("tls/authority.pem");
    let mut browser = Browser::new(address, trusting(&authority));
    let fields = [("login", "ada"), ("password", PASSWORD)];
    let signed_in = browser.post("/sign-in", &fields);
    (browser, signed_in)
}

#[test]
fn a_browser_goes_from_an_empty_folder_to_the_first_sign_in() {
    let mut first = FirstRun::new();
    let file = first.lab.beside("data.setup-link");
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().contains(&first.token));
    let (_, done) = first.finished();
    let authority = first.lab.data().join("tls/authority.pem");
    assert!(done.body.contains("/authority.pem") && done.body.contains("localhost 127.0.0.1"));
    assert!(
        done.body.contains("same file system"),
        "the key file lies beside the data here, and the page says so"
    );
    first.is_open();
    let (mut console, signed_in) = sign_in(&first.lab, first.address);
    assert_eq!(
        signed_in.header("location"),
        Some("/"),
        "{}",
        signed_in.body
    );
    let me = console.get("/me").body;
    assert!(me.contains("Ada Moreno"), "{me}");
    assert_eq!(console.get("/records").status, 200, "also lab manager");
    let entries = first.lab.run(&["ledger", "list", "--limit", "1000"]).ok();
    for action in [
        "installation.initialized",
        "person.invited",
        "key.slot-tested",
    ] {
        assert!(entries.contains(action), "{action}: {entries}");
    }
    first.lab.run(&["ledger", "verify"]).ok();
    let config = fs::read_to_string(first.lab.data().join("labward.toml")).unwrap();
    assert!(config.contains("Río Verde") && !config.contains(PASSWORD));
    // The link was said once, and is worth nothing now.
    let log = first.lab.log();
    assert_eq!(log.matches(&first.token).count(), 1, "{log}");
    assert!(!log.contains(PASSWORD) && !file.exists() && authority.exists());
    first.server.stop();
    let mut again = first.lab.serve();
    again.must_run();
    assert_eq!(first.lab.log().matches("works once").count(), 1);
    let (_, signed_in) = sign_in(&first.lab, first.address);
    assert_eq!(signed_in.status, 303, "the console is where the set-up was");
}

#[test]
fn the_link_opens_one_browser_and_every_other_is_refused() {
    let first = FirstRun::new();
    let mut early = first.browser();
    for code in ["", "x", &first.token[1..], &"A".repeat(43)] {
        let refused = early.post("/open", &[("code", code)]);
        assert_eq!(refused.status, 403, "{code}");
        assert!(refused.body.contains("not the code"), "{}", refused.body);
    }
    early.site = "cross-site";
    let refused = early.post("/open", &[("code", &first.token)]);
    assert_eq!((refused.status, refused.header("set-cookie")), (403, None));
    let mut one = first.browser();
    let opened = one.post("/open", &[("code", &first.token)]);
    let cookie = opened.header("set-cookie").unwrap();
    for part in [
        "__Host-labward-setup=",
        "Path=/",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
    ] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let page = one.get("/");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("strict-transport-security"), None);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    // The file of the link goes with it.
    assert!(!first.lab.beside("data.setup-link").exists());
    let mut other = first.browser();
    for refused in [
        other.get("/"),
        other.post("/open", &[("code", &first.token)]),
    ] {
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("used already"), "{}", refused.body);
    }
    let csrf = page.hidden("csrf");
    let lab = [("csrf", csrf.as_str()), ("name", "Eve"), ("names", "eve")];
    goes_on(&other.post("/lab", &lab));
    other.cookie = Some("A".repeat(43));
    goes_on(&other.post("/lab", &lab));
    // The one goes on; but not with a form of another site, or without the form's token.
    one.site = "cross-site";
    assert_eq!(one.post("/lab", &lab).status, 403);
    one.site = "same-origin";
    assert_eq!(one.post("/lab", &lab[1..]).status, 403);
    assert!(one.get("/").body.contains("action=\"/lab\""));
    // A restart makes another link, and nothing of the old one is left.
    let (lab, token) = (first.lab, first.token);
    first.server.kill();
    let second = FirstRun::of(lab);
    assert_ne!(second.token, token);
    let mut browser = second.browser();
    assert_eq!(browser.post("/open", &[("code", &token)]).status, 403);
}

#[test]
fn before_the_setup_nothing_but_the_setup_is_there() {
    let first = FirstRun::new();
    let mut browser = first.browser();
    for path in [
        "/api/v1/status",
        "/sign-in",
        "/join",
        "/people",
        "/lab",
        "/authority.pem",
    ] {
        let answered = browser.get(path);
        let is_open_page = answered.body.contains("action=\"/open\"");
        assert!(
            answered.status == 303 || is_open_page,
            "{path}: {}",
            answered.body
        );
        assert!(!answered.body.contains("BEGIN"), "{path}");
    }
    assert!(!first.lab.data().join("run/admin.sock").exists());
    first.lab.run(&["status"]).fails(69, "server.not-running");
    // Nobody else sets the folder up meanwhile.
    first
        .lab
        .start_with(LOOPBACK)
        .end()
        .filter(|code| *code == 73)
        .unwrap();
    assert!(
        first.lab.log().contains("store.busy"),
        "{}",
        first.lab.log()
    );
    first.server.stop();
    let left: Vec<_> = fs::read_dir(first.lab.data()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_no_empty_folder_is_not_set_up() {
    let lab = Installation::none_yet();
    fs::create_dir(lab.data()).unwrap();
    fs::write(lab.data().join("letters.txt"), "not ours").unwrap();
    lab.run(&["serve"]).fails(73, "init.not-empty");
    let elsewhere = lab.beside("labward.toml").display().to_string();
    fs::write(&elsewhere, "version = 1\n[site]\nname = \"Lab\"\n").unwrap();
    fs::remove_file(lab.data().join("letters.txt")).unwrap();
    let outcome = lab.run(&["serve", "--config", &elsewhere]);
    outcome.fails(66, "server.not-initialized");
}

#[test]
fn answers_that_do_not_fit_are_asked_for_again_and_make_nothing() {
    let first = FirstRun::new();
    let mut browser = first.opened();
    let huge = "x".repeat(20_000);
    let long = "x".repeat(65);
    for (name, names) in [
        ("", "localhost"),
        (" ", "localhost"),
        (&long, "localhost"),
        ("Lab\u{7}", "localhost"),
        ("Lab", "no_such name!"),
    ] {
        let refused = send(&mut browser, "/lab", &[("name", name), ("names", names)]);
        assert_eq!(refused.status, 400, "{name} {names}: {}", refused.body);
        assert!(refused.body.contains("role=\"alert\""));
    }
    goes_on_to(&send(&mut browser, "/lab", &[("name", &huge)]), 413);
    let lab = [("name", "Lab <b>&\"'"), ("names", "localhost")];
    goes_on(&send(&mut browser, "/lab", &lab));
    let back = browser.get("/lab").body;
    assert!(!back.contains("<b>") && back.contains("Lab &"), "{back}");
    let mut differ = administrator(PASSWORD);
    differ[3].1 = "another";
    let refused = send(&mut browser, "/administrator", &differ);
    assert!(refused.status == 422 && refused.body.contains("differ"));
    assert!(!refused.body.contains(PASSWORD));
    for (place, wrong) in [(0, ""), (0, &huge[..101]), (1, "Ada!"), (1, "a"), (1, "")] {
        let mut person = administrator(PASSWORD);
        person[place].1 = wrong;
        let refused = send(&mut browser, "/administrator", &person);
        assert!((400..500).contains(&refused.status), "{place} {wrong}");
    }
    for weak in [
        "",
        "short",
        "aaaaaaaaaaaaaaaaaaaa",
        "ada moreno ada moreno",
        &huge[..300],
    ] {
        let refused = send(&mut browser, "/administrator", &administrator(weak));
        assert_eq!(refused.status, 400, "{weak}: {}", refused.body);
    }
    goes_on(&send(
        &mut browser,
        "/administrator",
        &administrator(PASSWORD),
    ));
    let inside = first.lab.data().join("root.key").display().to_string();
    let nowhere = first.lab.beside("nowhere/root.key").display().to_string();
    let taken = first.lab.beside("taken.key").display().to_string();
    fs::write(&taken, "another's").unwrap();
    for path in [
        "",
        "root.key",
        "/",
        &inside,
        &nowhere,
        &taken,
        &huge[..2_000],
    ] {
        let slots = [("slot", "key-file"), ("path", path)];
        let refused = send(&mut browser, "/keys", &slots);
        assert_eq!(refused.status, 400, "{path}: {}", refused.body);
    }
    for (one, two, status) in [
        ("", "", 400),
        ("short", "short", 400),
        (PASSPHRASE, "another", 422),
    ] {
        let slots = [
            ("slot", "passphrase"),
            ("passphrase", one),
            ("passphrase-again", two),
        ];
        let refused = send(&mut browser, "/keys", &slots);
        assert_eq!(refused.status, status, "{one}");
        assert!(!refused.body.contains(PASSPHRASE));
    }
    assert_eq!(fs::read_to_string(&taken).unwrap(), "another's");
    let left: Vec<_> = fs::read_dir(first.lab.data()).unwrap().collect();
    assert_eq!(left.len(), 1, "the lock alone: {left:?}");
    // A step that is not due yet changes nothing.
    for path in ["/written", "/groups", "/again", "/start"] {
        goes_on(&send(&mut browser, path, &[("groups", "x")]));
        assert!(browser.get("/").body.contains("action=\"/keys\""), "{path}");
    }
}

#[test]
fn shares_are_shown_until_they_are_on_paper_and_three_wrong_answers_make_new_ones() {
    let mut first = FirstRun::new();
    let (mut browser, shares) = first.shown_shares();
    assert_eq!(shares.len(), 3);
    assert_eq!(
        shares_in(&browser.get("/").body),
        shares,
        "a page read again"
    );
    // A second click on the button makes no second installation.
    goes_on(&send(
        &mut browser,
        "/keys",
        &[("slot", "key-file"), ("path", "/x")],
    ));
    assert_eq!(shares_in(&browser.get("/").body), shares);
    goes_on(&send(&mut browser, "/written", &[]));
    assert!(shares_in(&browser.get("/").body).is_empty());
    for _ in 0..2 {
        let refused = send(&mut browser, "/groups", &[("groups", "XXXX XXXX")]);
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    let ended = send(&mut browser, "/groups", &[("groups", "")]);
    assert!(ended.body.contains("did not succeed"), "{}", ended.body);
    assert!(!first.lab.data().join("labward.toml").exists());
    goes_on(&send(&mut browser, "/again", &[]));
    assert!(!first.lab.key_file().exists(), "it opened nothing");
    let path = first.key_file();
    let slots = [("slot", "key-file"), ("path", &path), ("shares", "3/5")];
    goes_on(&send(&mut browser, "/keys", &slots));
    let new = shares_in(&browser.get("/").body);
    assert!(new.len() == 5 && new[0] != shares[0]);
    goes_on(&send(&mut browser, "/written", &[]));
    for _ in 0..3 {
        let page = browser.get("/").body;
        let groups = asked_groups(&page, &new);
        goes_on(&send(&mut browser, "/groups", &[("groups", &groups)]));
    }
    goes_on_to(&send(&mut browser, "/start", &[]), 200);
    first.is_open();
    // What was shown opens the records.
    first.server.stop();
    fs::rename(first.lab.key_file(), first.lab.beside("gone")).unwrap();
    let _sealed = first.lab.serve_until("sealed", false);
    let typed: String = new.iter().take(3).map(|one| one.join("-") + "\n").collect();
    let outcome = first.lab.run_with(&["key", "unseal", "--shares"], &typed);
    outcome.ok();
}

#[test]
fn killed_at_any_step_the_next_start_sets_up_all_the_same() {
    let first = FirstRun::new();
    drop(first.asked_for_slots());
    first.server.kill();
    let second = FirstRun::of(first.lab);
    let (browser, _) = second.shown_shares();
    drop(browser);
    assert!(second.lab.key_file().exists());
    second.server.kill();
    let lab = second.lab;
    assert!(lab.data().join("labward.toml.unfinished").exists());
    let third = FirstRun::of(lab);
    assert!(third.lab.log().contains("interrupted set-up was cleared"));
    // The key file of the killed one is named and left alone.
    let mut browser = third.asked_for_slots();
    let path = third.key_file();
    let refused = send(
        &mut browser,
        "/keys",
        &[("slot", "key-file"), ("path", &path)],
    );
    assert!(refused.status == 400 && refused.body.contains("may be deleted"));
    fs::remove_file(third.lab.key_file()).unwrap();
    let slots = [("slot", "key-file"), ("path", path.as_str())];
    goes_on(&send(&mut browser, "/keys", &slots));
    let shares = shares_in(&browser.get("/").body);
    goes_on(&send(&mut browser, "/written", &[]));
    type_back(&mut browser, &shares);
    // Killed when all is done, but before the start: there is an installation.
    third.server.kill();
    let _server = third.lab.serve();
    assert!(!third.lab.beside("data.setup-link").exists());
}

#[test]
fn a_lab_with_a_passphrase_is_open_after_the_setup_and_sealed_after_a_restart() {
    let mut first = FirstRun::new();
    let mut browser = first.asked_for_slots();
    let slots = [
        ("slot", "passphrase"),
        ("passphrase", PASSPHRASE),
        ("passphrase-again", PASSPHRASE),
    ];
    goes_on(&send(&mut browser, "/keys", &slots));
    let shares = shares_in(&browser.get("/").body);
    goes_on(&send(&mut browser, "/written", &[]));
    type_back(&mut browser, &shares);
    let done = browser.get("/?language=es").body;
    assert!(done.contains("labward key unseal") && done.contains("lang=\"es\""));
    goes_on_to(&send(&mut browser, "/start", &[]), 200);
    first.is_open();
    let (_, signed_in) = sign_in(&first.lab, first.address);
    assert_eq!(signed_in.status, 303);
    assert!(!first.lab.log().contains(PASSPHRASE));
    first.server.signal(Signal::TERM);
    first.server.end();
    let _sealed = first.lab.serve_until("sealed", false);
}

#[test]
fn a_backup_is_restored_in_the_browser_and_what_cannot_be_is_said_and_asked_for_again() {
    let old = Installation::create("[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n");
    let server = old.serve();
    old.run_with(
        &["key", "add", "--label", "safe", "--passphrase"],
        &format!("{PASSPHRASE}\n"),
    )
    .ok();
    let beside = |name: &str| old.beside(name).display().to_string();
    let (backups, archives) = (beside("backups"), beside("archives"));
    let why = ["--why", "a test"];
    old.run(&[&["backup", "create", "--to", &backups][..], &why].concat())
        .ok();
    old.run(&[&["key", "archive", "create", "--to", &archives][..], &why].concat())
        .ok();
    server.stop();

    let mut first = FirstRun::new();
    let mut browser = first.opened();
    assert!(browser.get("/").body.contains("href=\"/restore\""));
    assert!(browser.get("/restore").body.contains("name=\"backups\""));
    let key_file = old.key_file().display().to_string();
    let nowhere = beside("nowhere");
    let wrong = [
        ("backups", nowhere.as_str()),
        ("archives", &archives),
        ("slot", "key-file"),
        ("path", &key_file),
    ];
    goes_on(&send(&mut browser, "/restore", &wrong));
    let refused = eventually("the restore to fail", || {
        let now = browser.get("/");
        (now.header("location") == Some("/restore")).then_some(())?;
        Some(browser.get("/restore"))
    });
    assert!(refused.body.contains("role=\"alert\""), "{}", refused.body);
    assert!(refused.body.contains(&nowhere), "what was typed stays");
    assert!(
        browser.get("/").body.contains("name=\"name\""),
        "nothing was made"
    );

    let wrong_phrase = [
        ("backups", backups.as_str()),
        ("archives", &archives),
        ("slot", "passphrase"),
        ("passphrase", "not the phrase of this laboratory"),
    ];
    goes_on(&send(&mut browser, "/restore", &wrong_phrase));
    let refused = eventually("the passphrase to be refused", || {
        let now = browser.get("/");
        (now.header("location") == Some("/restore")).then_some(())?;
        Some(browser.get("/restore"))
    });
    assert!(!refused.body.contains("not the phrase"), "{}", refused.body);

    let right = [
        ("backups", backups.as_str()),
        ("archives", &archives),
        ("slot", "passphrase"),
        ("passphrase", PASSPHRASE),
    ];
    goes_on(&send(&mut browser, "/restore", &right));
    let done = eventually("the restore", || {
        let now = browser.get("/");
        now.body.contains("Entries of the ledger").then_some(now)
    });
    assert!(!done.body.contains(PASSPHRASE));
    goes_on_to(&send(&mut browser, "/start", &[]), 200);
    first.is_open();
    let entries = first.lab.run(&["ledger", "list", "--limit", "1000"]).ok();
    assert!(entries.contains("installation.restored"), "{entries}");
    assert!(!first.lab.log().contains(PASSPHRASE));
}

#[test]
fn answers_in_a_file_set_up_without_a_browser() {
    let lab = Installation::none_yet();
    let file = lab.beside("answers.toml");
    let key = lab.key_file().display().to_string();
    let answers = format!(
        "version = 1\nreserve_mib = 1\n[administrator]\nname = \"Ada\"\n\
         [site]\nname = \"Lab\"\n[[slot]]\nkind = \"key-file\"\nlabel = \"stick\"\npath = \"{key}\"\n"
    );
    fs::write(&file, answers.replace("reserve_mib", "reserve_mb")).unwrap();
    let words = ["serve", "--setup-file", file.to_str().unwrap()];
    let refused = lab.run(&words).fails(65, "init.bad-answer");
    assert!(refused.err.contains("reserve_mb"), "{}", refused.err);
    assert!(!lab.data().exists());
    fs::write(&file, answers).unwrap();
    let mut server = lab.start_with(&words[1..]);
    eventually("the server to be open", || {
        server.must_run();
        let status = lab.run(&["--json", "status"]);
        (status.code == Some(0) && status.json()["open"] == true).then_some(())
    });
    assert!(!lab.log().contains("works once"), "{}", lab.log());
    server.stop();
    // Once there is an installation the file says nothing any more.
    fs::write(&file, "nonsense").unwrap();
    let mut server = lab.start_with(&words[1..]);
    eventually("the server to be open again", || {
        server.must_run();
        let status = lab.run(&["--json", "status"]);
        (status.code == Some(0) && status.json()["open"] == true).then_some(())
    });
}
