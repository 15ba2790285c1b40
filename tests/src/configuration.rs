//! The configuration changed over the API and in the console while the lab works.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;

use serde_json::{Value, json};

use crate::console::Lab;
use crate::support::{Bound, Browser, Client, Installation, Numbered, eventually};

const LINK: &str = "# The analyzer in room 4\n[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";
const WHY: &str = "the new analyzer";
const KILLS: usize = 4;

/// The admin socket of a lab, over which its administrator asks the API: no token may change a
/// configuration.
struct Api(PathBuf);

impl Api {
    fn ask(&mut self, verb: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let mut socket = UnixStream::connect(&self.0).unwrap();
        let length = body.len();
        let request = format!(
            "{verb} /api/v1/{path} HTTP/1.1\r\nhost: labward\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let mut answer = String::new();
        // A server that was killed may have said nothing, or half of it.
        let _ = socket.write_all(request.as_bytes());
        let _ = socket.read_to_string(&mut answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let value = serde_json::from_str(body).unwrap_or_default();
        (status.unwrap_or_default(), value)
    }

    fn configuration(&mut self) -> Value {
        self.ask("GET", "config", &Value::Null).1
    }

    fn base(&mut self) -> String {
        self.configuration()["sha256"].as_str().unwrap().to_owned()
    }

    fn preview(&mut self, base: &str, edits: &Value) -> Value {
        let (status, seen) = self.ask(
            "POST",
            "config/preview",
            &json!({ "base": base, "edits": edits }),
        );
        assert_eq!(status, 200, "{seen}");
        seen
    }

    fn change(&mut self, base: &str, edits: &Value) -> (u16, Value) {
        let body = json!({ "base": base, "edits": edits, "why": WHY });
        self.ask("POST", "config/change", &body)
    }
}

impl Lab {
    fn api(&self) -> Api {
        api(&self.lab)
    }

    fn file(&self) -> String {
        fs::read_to_string(self.lab.data().join("labward.toml")).unwrap()
    }

    /// The last entry of the configuration.
    fn last_loaded(&self) -> Value {
        last_loaded(&self.lab)
    }
}

fn last_loaded(lab: &Installation) -> Value {
    let page = lab.json(&["ledger", "list", "--limit", "1000"]);
    let entries = page["entries"].as_array().unwrap();
    let mut loaded: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["action"] == "config.loaded")
        .collect();
    loaded.sort_by_key(|entry| entry["index"].as_u64());
    loaded.pop().unwrap().clone()
}

fn set(table: &str, name: &str, set: Value) -> Value {
    json!({ "do": "change", "table": table, "name": name, "set": set })
}

fn level(level: &str) -> Value {
    json!([{ "do": "change", "table": "log", "set": { "level": level } }])
}

fn exchange(client: &mut Client, number: u32) {
    let one = Numbered {
        client: 1,
        patient: 1,
        number,
    };
    let code = client.exchange(&one.message(), &one.control_id());
    assert_eq!(code.unwrap(), "AA", "{number}");
}

#[test]
fn a_link_is_changed_added_and_removed_while_an_analyzer_sends() {
    let lab = Lab::new();
    let mut api = lab.api();
    let config = lab.lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &config).unwrap();
    exchange(&mut client, 1);

    let before = lab.file();
    let base = api.base();
    let edits = json!([set("link", "hl7", json!({ "limits.frame_seconds": 60 }))]);
    let seen = api.preview(&base, &edits);
    assert_eq!(seen["refused"], Value::Null, "{seen}");
    assert_eq!(seen["changes"][0]["key"], "limits.frame_seconds");
    assert_eq!(
        (&seen["changes"][0]["old"], &seen["changes"][0]["new"]),
        (&"30".into(), &"60".into())
    );
    assert_eq!(seen["closes"], json!([]));
    assert_eq!(lab.file(), before, "a preview changes nothing");
    let mode = fs::metadata(lab.lab.data().join("labward.toml"))
        .unwrap()
        .mode();
    let (status, done) = api.change(&base, &edits);
    assert_eq!(status, 200, "{done}");
    exchange(&mut client, 2);
    let after = lab.file();
    let changed: Vec<&str> = after
        .lines()
        .filter(|line| !before.contains(line))
        .collect();
    assert_eq!(changed, ["limits = { frame_seconds = 60 }"]);
    assert!(
        before.lines().all(|line| after.contains(line)),
        "no line went"
    );
    let path = lab.lab.data().join("labward.toml");
    assert_eq!(fs::metadata(&path).unwrap().mode(), mode);

    let last = lab.last_loaded();
    assert_eq!(
        (&last["outcome"], &last["facts"]["how"]),
        (&"success".into(), &"change".into())
    );
    assert_eq!(last["facts"]["before"], base.as_str());
    assert_eq!(last["facts"]["sha256"], done["sha256"]);
    assert_eq!(
        last["facts"]["changed"],
        json!(["[[link]] hl7 limits.frame_seconds"])
    );
    assert!(last["actor"].as_str().unwrap().starts_with("person:"));
    assert!(!last.to_string().contains(WHY), "why is sealed: {last}");

    let add = json!([{ "do": "add", "table": "link",
        "set": { "name": "chemistry", "listen": "127.0.0.1:0" } }]);
    assert_eq!(api.change(done["sha256"].as_str().unwrap(), &add).0, 200);
    let other = lab.lab.peer("c501", "analyzer").client_config(true);
    let mut chemistry = Client::connect(lab.lab.address("chemistry"), &other).unwrap();
    exchange(&mut chemistry, 3);
    exchange(&mut client, 4);

    let base = api.base();
    let gone = json!([{ "do": "remove", "table": "link", "name": "hl7" }]);
    let seen = api.preview(&base, &gone);
    assert_eq!(
        seen["closes"],
        json!([{ "link": "hl7", "connections": 1 }]),
        "{seen}"
    );
    assert_eq!(api.change(&base, &gone).0, 200);
    exchange(&mut chemistry, 5);
    let fifth = Numbered {
        client: 1,
        patient: 1,
        number: 6,
    };
    assert!(
        client
            .exchange(&fifth.message(), &fifth.control_id())
            .is_err(),
        "its link is gone"
    );
    assert!(!lab.file().contains("\"hl7\""));
}

#[test]
fn of_two_changes_at_once_the_second_is_told_of_the_first_and_merged_where_they_do_not_touch() {
    let lab = Lab::new();
    let (mut ada, mut bo) = (lab.api(), lab.api());
    let base = ada.base();
    assert_eq!(ada.change(&base, &level("debug")).0, 200);

    // Another key: both go together, once a person has seen it.
    let edits = json!([set("link", "hl7", json!({ "limits.frame_seconds": 45 }))]);
    let (status, refused) = bo.change(&base, &edits);
    assert_eq!(
        (status, &refused["code"]),
        (409, &"config.changed".into()),
        "{refused}"
    );
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains("person:") && detail.contains("[log] level"),
        "{detail}"
    );
    assert!(detail.contains("touch none of it"), "{detail}");
    let seen = bo.preview(&base, &edits);
    assert_eq!(seen["refused"], Value::Null, "{seen}");
    assert_eq!(seen["meanwhile"]["changed"], json!(["[log] level"]));
    assert_eq!(seen["meanwhile"]["both"], json!([]));
    assert_eq!(seen["changes"].as_array().unwrap().len(), 1);
    assert_eq!(bo.change(seen["sha256"].as_str().unwrap(), &edits).0, 200);
    let file = lab.file();
    assert!(file.contains("level = \"debug\"") && file.contains("frame_seconds = 45"));

    // The same key: a person must choose.
    let seen = bo.preview(&base, &level("warn"));
    assert_eq!(
        seen["refused"]["problem"]["code"], "config.changed",
        "{seen}"
    );
    assert_eq!(seen["meanwhile"]["both"], json!(["[log] level"]));
    let (status, refused) = bo.change(&base, &level("warn"));
    assert_eq!(status, 409);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("change, too: [log] level")
    );
    assert_eq!(lab.last_loaded()["outcome"], "refused:config.changed");

    // What nobody knows any more is never merged.
    let unknown = "0".repeat(64);
    let seen = bo.preview(&unknown, &edits);
    assert_eq!(seen["refused"]["problem"]["code"], "config.changed");
    assert_eq!(seen["meanwhile"]["by"], Value::Null);
}

#[test]
fn what_is_refused_leaves_the_file_and_what_runs_as_they_were_and_names_the_place() {
    let lab = Lab::new();
    let mut api = lab.api();
    let bound = Bound::new();
    let target = json!({ "name": "ehr", "target.kind": "mllp",
        "target.address": bound.address().to_string(), "target.transport.server_name": "ehr" });
    let edits = json!([
        { "do": "add", "table": "destination", "set": target },
        { "do": "add", "table": "route", "set": { "types": ["*"], "to": ["ehr"] } },
    ]);
    let base = api.base();
    assert_eq!(api.change(&base, &edits).0, 200);
    let config = lab.lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &config).unwrap();
    exchange(&mut client, 1);

    let (base, file) = (api.base(), lab.file());
    let status = |lab: &Lab| lab.lab.json(&["status"])["links"][0]["address"].clone();
    let running = status(&lab);
    // Held open by us: nothing else can listen there.
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap();
    for (edit, code, detail, key) in [
        (
            set("link", "hl7", json!({ "listen": taken.to_string() })),
            "config.unsafe",
            "",
            Value::Null,
        ),
        (
            set("link", "hl7", json!({ "limits.window_days": 3 })),
            "config.needs-restart",
            "[[link]] hl7 limits.window_days",
            Value::Null,
        ),
        (
            set("link", "hl7", json!({ "limits.frame_seconds": 0 })),
            "config.bad-value",
            "[[link]] hl7 limits.frame_seconds",
            "limits.frame_seconds".into(),
        ),
        (
            json!({ "do": "add", "table": "link", "set": { "name": "hl7", "listen": "127.0.0.1:0" } }),
            "config.name-taken",
            "[[link]] hl7 name",
            "name".into(),
        ),
        (
            set("route", "1", json!({ "to": ["nowhere"] })),
            "config.unsafe",
            "route 1: it goes to a destination",
            Value::Null,
        ),
        (
            json!({ "do": "remove", "table": "destination", "name": "ehr" }),
            "config.unsafe",
            "route 1: it goes to a destination",
            Value::Null,
        ),
        (
            json!({ "do": "change", "table": "http", "set": { "socket_group": "users" } }),
            "config.not-editable",
            "http",
            Value::Null,
        ),
    ] {
        let (status_code, refused) = api.change(&base, &json!([edit]));
        assert_eq!(refused["code"], code, "{refused}");
        let said = refused["detail"].as_str().unwrap_or_default();
        assert!(said.contains(detail), "{said}");
        // Whether an address is free shows only when it is bound.
        if !detail.is_empty() {
            let seen = api.preview(&base, &json!([edit]));
            assert_eq!(seen["refused"]["problem"]["code"], code, "{seen}");
            assert_eq!(seen["refused"]["key"], key, "{seen}");
        }
        assert!(status_code >= 400, "{refused}");
        assert_eq!(lab.file(), file);
        assert_eq!(status(&lab), running);
        let recorded = lab.last_loaded();
        let outcome = recorded["outcome"].as_str().unwrap().to_owned();
        assert!(outcome.starts_with("refused:"), "{recorded}");
    }
    // What waits keeps its destination.
    let gone = json!([
        { "do": "remove", "table": "route", "name": "1" },
        { "do": "remove", "table": "destination", "name": "ehr" },
    ]);
    let (_, refused) = api.change(&base, &gone);
    assert_eq!(refused["code"], "config.destination-waits", "{refused}");
    let (status_code, _) = api.change("x", &gone);
    assert_eq!(status_code, 400);
    let why = json!({ "base": base, "edits": gone, "why": " " });
    assert_eq!(
        api.ask("POST", "config/change", &why).1["code"],
        "server.no-reason"
    );
    assert_eq!(lab.file(), file);

    // A file that somebody edited and did not reload is not written over.
    let path = lab.lab.data().join("labward.toml");
    fs::write(&path, format!("{file}# Jo was here\n")).unwrap();
    assert_eq!(api.configuration()["is_file"], false);
    let (_, refused) = api.change(&base, &level("debug"));
    assert_eq!(refused["code"], "config.file-differs", "{refused}");
    fs::write(&path, &file).unwrap();

    // A file that the server may not write is left to who may.
    let owner = fs::metadata(&path).unwrap().uid();
    let folder = lab.lab.data().to_owned();
    let is_other = owner == 0 && chown(&path, Some(12_345), None).is_ok();
    if !is_other {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    }
    let (_, refused) = api.change(&base, &level("debug"));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(refused["code"], "config.not-written", "{refused}");
    assert_eq!(lab.file(), file);
    exchange(&mut client, 2);
}

/// What asks the API of the server that runs now.
fn api(lab: &Installation) -> Api {
    Api(lab.data().join("run/admin.sock"))
}

#[test]
fn no_token_changes_a_configuration_whoever_it_is_of() {
    let lab = Lab::new();
    let words = ["token", "create", "Ada", "--name", "x", "--scope"];
    let with = |scope| [&words[..], &[scope]].concat();
    lab.lab
        .run(&with("config.change"))
        .fails(65, "identity.bad-token");
    let (token, _) = lab.token("Ada", "config.read");
    let mut program = lab.browser();
    program.authorization = Some(format!("Bearer {token}"));
    assert_eq!(program.get("/api/v1/config").status, 200);
    for path in ["config/change", "config/reload"] {
        let refused = program.ask("POST", &format!("/api/v1/{path}"), "{}");
        assert_eq!(refused.status, 403, "{path}: {}", refused.body);
        assert!(refused.body.contains("identity.denied"), "{}", refused.body);
    }
}

#[test]
fn a_server_killed_while_it_changes_comes_back_with_one_whole_file_that_is_recorded() {
    let lab = Installation::create(LINK);
    lab.configure("[console]", "[console]\nlisten = \"127.0.0.1:0\"");
    let path = lab.data().join("labward.toml");
    let mut server = lab.serve();
    for kill in 0..KILLS {
        let begun = fs::read_to_string(&path).unwrap();
        let mut program = api(&lab);
        let sender = thread::spawn(move || {
            // Until nobody answers.
            for number in 1.. {
                let base = program.configuration()["sha256"]
                    .as_str()
                    .map(str::to_owned);
                let Some(base) = base else { return };
                let frame = 10 + (kill * 100 + number) % 3_000;
                let edits = json!([set("link", "hl7", json!({ "limits.frame_seconds": frame }))]);
                program.change(&base, &edits);
            }
        });
        eventually("a change", || {
            (fs::read_to_string(&path).unwrap() != begun).then_some(())
        });
        server.kill();
        // It ends where it dials and nobody listens any more.
        let _ = sender.join();
        let file = fs::read_to_string(&path).unwrap();
        assert!(file.contains("# The analyzer in room 4") && file.contains("frame_seconds = "));
        server = lab.serve();
        assert_eq!(fs::read_to_string(&path).unwrap(), file);
        let last = last_loaded(&lab);
        let shown = api(&lab).configuration();
        assert_eq!(shown["sha256"], last["facts"]["sha256"], "{last}");
        assert_eq!(shown["is_file"], true);
    }
    server.stop();
}

#[test]
fn a_person_edits_a_link_in_the_console_sees_what_changes_and_puts_it_in_force() {
    let lab = Lab::new();
    let mut ada = lab.joined("ada", "administrator");
    let mut officer = lab.joined("sam", "security-officer");
    assert!(officer.get("/settings").body.contains("hl7"));
    assert_eq!(
        officer.get("/settings/edit?table=link&name=hl7").status,
        404
    );
    for nowhere in [
        "table=keys",
        "table=link&name=none",
        "table=link%27&name=%3Cb%3E",
    ] {
        assert_eq!(
            ada.get(&format!("/settings/edit?{nowhere}")).status,
            404,
            "{nowhere}"
        );
    }
    let form = ada.get("/settings/edit?table=link&name=hl7");
    let (csrf, base) = (form.hidden("csrf"), form.hidden("base"));
    let fields = |frame: &'static str| {
        [
            ("csrf", csrf.clone()),
            ("base", base.clone()),
            ("do", "change".to_owned()),
            ("table", "link".to_owned()),
            ("which", "hl7".to_owned()),
            ("listen", "127.0.0.1:0".to_owned()),
            ("was.listen", "127.0.0.1:0".to_owned()),
            ("limits.frame_seconds", frame.to_owned()),
            ("was.limits.frame_seconds", String::new()),
        ]
    };
    let post = |browser: &mut Browser, path: &str, fields: &[(&str, String)]| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        browser.post(path, &fields)
    };
    let wrong = post(&mut ada, "/settings/preview", &fields("soon"));
    assert_eq!(wrong.status, 200);
    assert!(wrong.body.contains("aria-invalid") && wrong.body.contains("value=\"soon\""));
    let seen = post(&mut ada, "/settings/preview", &fields("77"));
    assert!(
        seen.body.contains("limits.frame_seconds") && seen.body.contains("No connection closes")
    );
    assert!(!lab.file().contains("77"));
    let edits = seen
        .hidden("edits")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"");
    let confirm = [
        ("csrf", csrf.clone()),
        ("base", seen.hidden("base")),
        ("edits", edits),
        ("why", String::new()),
    ];
    let unsaid = post(&mut ada, "/settings/change", &confirm);
    assert!(
        unsaid.body.contains("no reason was given"),
        "{}",
        unsaid.body
    );
    let mut confirm = confirm;
    confirm[3].1 = WHY.to_owned();
    let done = post(&mut ada, "/settings/change", &confirm);
    assert_eq!(
        done.header("location"),
        Some("/settings?done=changed"),
        "{}",
        done.body
    );
    assert!(lab.file().contains("limits = { frame_seconds = 77 }"));

    // A form that was open meanwhile is told who came first, and what to choose.
    let mut bo = lab.joined("bob", "it");
    let csrf = bo.get("/settings").hidden("csrf");
    let mut late = fields("88");
    late[0].1 = csrf;
    let conflict = post(&mut bo, "/settings/preview", &late);
    assert!(
        conflict.body.contains("Meanwhile") && conflict.body.contains("Show my change over theirs")
    );
    assert!(conflict.body.contains("action=\"/settings/confirm\""));
    assert!(lab.file().contains("77"));
}
