//! A disk that is full, and a clock that goes back: what is refused, what goes on, and what the
//! ledger says afterwards.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use labward_api::ledger::{Entries, Verified};
use labward_api::message::Message;
use labward_api::peer::AddedPeer;
use labward_api::record::{Found, Shown};
use labward_api::safeguard::Safeguards;
use labward_api::status::{Check, DestinationStatus, Status};
use labward_base::Clock;
use labward_malware::Way;
use labward_os::SystemClock;
use labward_testkit::FakeClock;
use labward_testkit::vfs::{Fault, FaultVfs};
use serde_json::{Value, json};

use super::testbench::{
    Analyzer, Answered, Installation, Receiver, get, post, request, result, until,
};
use crate::app::App;
use crate::config::Config;
use crate::http::endpoint::{ENDPOINTS, Verb};

const WHY: &str = "a patient who cannot wait";

/// One link and two receivers that refuse the message K1: one holds it, the other is stopped by it.
fn config(receivers: &[&Receiver; 2]) -> Config {
    let mut text = "version = 1\n[[link]]\nname = \"chem\"\nlisten = \"127.0.0.1:0\"\n\
        [[route]]\ntypes = [\"ORU^R01\"]\nto = [\"ehr\", \"lis\"]\n"
        .to_owned();
    for (name, receiver, then) in [("ehr", receivers[0], "hold"), ("lis", receivers[1], "stop")] {
        let address = receiver.address;
        text.push_str(&format!(
            "[[destination]]\nname = \"{name}\"\non = {{ reject = \"{then}\" }}\ntarget = {{ \
             kind = \"mllp\", address = \"{address}\", transport = {{ mode = \"plain\" }} }}\n"
        ));
    }
    // Nobody listens there: what happens to events is of no interest here.
    text.push_str(
        "[mail]\nserver = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nfrom = \"a@lab.example\"\n\
         [[mail_recipient]]\nname = \"manager\"\naddress = \"m@lab.example\"\nwhat = [\"due\"]\nwithin_days = 0\n",
    );
    text.push_str("[[webhook]]\nname = \"alarm\"\nurl = \"http://127.0.0.1:9/x\"\n");
    Config::parse(&text).unwrap()
}

fn add_peer(app: &App, name: &str, application: &str) -> AddedPeer {
    let rules = json!({
        "applications": [application], "facilities": ["*"], "types": ["*"], "processing": ["*"],
        "astm_senders": []
    });
    post(
        app,
        "peers",
        &json!({ "name": name, "kind": "analyzer", "rules": rules }),
    )
}

fn connect(app: &App, peer: &AddedPeer) -> Analyzer {
    let (_, address) = app.addresses().into_iter().next().unwrap();
    Analyzer::connect(address, peer.bundle.as_deref().unwrap())
}

fn entries(app: &App) -> Vec<Value> {
    let page: Entries = get(app, "ledger/entries?limit=1000");
    page.entries
}

fn posted(app: &App, path: &str, body: &Value) -> Answered {
    request(app, "POST", path, body.to_string().as_bytes())
}

fn status(app: &App) -> Status {
    get(app, "status")
}

fn finds(app: &App, code: &str) -> bool {
    let check: Check = get(app, "check");
    check.findings.iter().any(|finding| finding.code == code)
}

/// One act of the API that could be done now.
struct Act {
    verb: &'static str,
    /// As the table of endpoints names it.
    endpoint: &'static str,
    path: String,
    body: Value,
}

/// Acts that need more than this installation has; each is tried where it has its own tests.
const ELSEWHERE: &[&str] = &[
    // A backup to look at, a restore to confirm, an archive whose time is over: `tests/src/backup.rs`.
    "backups/verify",
    "backups/drill",
    "backups/confirm",
    "key/archives/expire",
    // A file with a configuration: `tests/src/reload.rs`, `tests/src/configuration.rs`.
    "config/change",
    "config/preview",
    "config/reload",
    // Only security officer and IT may, who do not ask here: labward-malware's `integrity`.
    "integrity/compared",
    // A door for edges: `tests/src/edge`.
    "peers/{name}/enroll",
    // Processes that look, or roles that this person has not: `malware.rs`, `tests/src/malware`.
    "malware/inspect",
    "malware/quarantine/deliver",
    "malware/outcomes",
    "malware/restores/{item}",
    "malware/rules",
    "malware/rules/decide",
];

/// The number of an alert about a test that a device never sent in three weeks.
fn something_unusual(app: &App, device: u64) -> u64 {
    let device = labward_base::id::DeviceId::new(device);
    let now = app.core.clock.now().as_seconds();
    for day in (0..=21).rev() {
        let test = if day == 0 { "94531-1" } else { "718-7" };
        let event = labward_behaviour::Event {
            at: labward_base::Timestamp::from_seconds(now - day * 86_400 - 1),
            message_type: "ORU^R01",
            tests: &[test],
            ..labward_behaviour::Event::default()
        };
        app.core.behaviours.observe(device, &event);
    }
    app.core.look_at_behaviour();
    let page: Value = get(app, "behaviour/unusual");
    page["alerts"][0]["id"].as_u64().unwrap()
}

/// Files of a machine that are otherwise, so that a person must decide.
fn files_changed(app: &App) {
    let told = labward_malware::integrity::Comparison {
        name: "xn-550-pc".to_owned(),
        manifest: [1; 32],
        is_new: false,
        changes: Some([2; 32]),
        counts: labward_malware::integrity::Counts {
            files: 9,
            changed: 1,
            ..labward_malware::integrity::Counts::default()
        },
        alarms: std::collections::BTreeMap::new(),
        signers: Vec::new(),
    };
    let (by, now) = (labward_ledger::Actor::System, app.core.clock.now());
    app.core.integrity.record(told, by, now).unwrap();
}

/// Every act of the API, each on something that really waits for it.
fn acts(app: &App, installation: &Installation) -> Vec<Act> {
    let held: Vec<Message> = get(app, "messages?state=held");
    let (first, second) = (held[0].record, held[1].record);
    let waiting: Vec<Message> = get(app, "messages?state=waiting");
    let stuck = waiting[0].record;
    let all: Vec<Message> = get(app, "messages");
    let sent = all.last().unwrap().record;
    let find = json!({ "mrn": "4711", "why": WHY });
    let found: Found = post(app, "records/find", &find);
    let patient = found.patients[0].patient;
    let slots: Value = get(app, "key/slots");
    let slot = slots[1]["id"].as_u64().unwrap();
    let people: Value = get(app, "people");
    let other = people[0]["id"].as_u64().unwrap();
    let year: u32 = status(app).started[..4].parse().unwrap();
    let last = format!("{year}-12-31T23:59:59.5Z");
    let mut engagement = json!({ "from": "2020-01-01", "until": last, "expires": last,
        "topics": ["keys"] });
    let eve = json!({ "name": "Eve", "role": "expert", "uid": null, "engagement": engagement });
    let eve: Value = post(app, "people", &eve);
    let expert = eve["id"].as_u64().unwrap();
    engagement["topics"] = json!(["people"]);
    let (kim, session) = super::sign_in::somebody_signed_in(app);
    let passkey = super::sign_in::a_passkey_of(app, kim);
    let new_token = json!({ "person": kim, "name": "x", "scopes": ["status.read"], "days": 1 });
    let made = request(app, "POST", "tokens", new_token.to_string().as_bytes());
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    let token = made["token"]["number"].as_u64().unwrap();
    let account = json!({ "account": "kim@example.org" });
    let linked = request(
        app,
        "POST",
        &format!("people/{kim}/account"),
        account.to_string().as_bytes(),
    );
    assert_eq!(linked.status, 200);
    let opener = json!({ "with": "key-file", "path": installation.key_file() });
    let own = installation.key_file().with_extension("second");
    let own = json!({ "with": "key-file", "path": own });
    let new_key = installation.key_file().with_extension("third");
    let beside = |name| installation.key_file().with_extension(name);
    let why = json!({ "why": WHY });
    let act = |verb, endpoint, path: String, body: &Value| Act {
        verb,
        endpoint,
        path,
        body: body.clone(),
    };
    let post =
        |endpoint: &'static str, path: String, body: &Value| act("POST", endpoint, path, body);
    let same =
        |endpoint: &'static str, body: &Value| act("POST", endpoint, endpoint.to_owned(), body);
    let export = json!({ "patient": patient, "format": "original", "why": WHY });
    let decision = |citation: &str| {
        let until = format!("{}-01-01", year + 1);
        json!({ "citation": citation, "kind": "implemented", "until": until, "why": WHY })
    };
    let decided = "164.308(a)(1)(ii)(A)";
    let first_decision = posted(app, "safeguards/decide", &decision(decided));
    assert_eq!(first_decision.status, 200);
    let made = posted(app, "webhooks/alarm/secret", &why);
    assert_eq!(made.status, 200);
    for name in ["A", "B", "C", "D", "E", "F"] {
        let added = posted(app, "devices", &json!({ "values": { "name": name } }));
        assert_eq!(added.status, 200);
    }
    let values = json!({ "name": "S", "manufacturer": "Illumina", "model": "MiSeqDx",
        "version": "4.0.1", "ip": "10.9.0.7" });
    let sequencer = posted(app, "devices", &json!({ "values": values }));
    let sequencer: Value = serde_json::from_slice(&sequencer.body).unwrap();
    let sequencer = sequencer["device"]["id"].as_u64().unwrap();
    let imported = request(app, "POST", IMPORT, advisory(1).as_bytes());
    assert_eq!(imported.status, 200);
    let hits: Value = get(app, "hits");
    let hit = hits["hits"][0]["id"].as_u64().unwrap();
    let products = json!({ "manufacturer": "", "model": "A", "vendor": "", "product": "B",
        "same": false, "why": WHY });
    let traffic = |server: &str| {
        let (first, last) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
        json!({ "source": "lo", "started": first, "ended": last, "packets": 3, "dropped_packets": 0,
            "conversations": [{ "client": "10.9.0.7", "server": server, "protocol": "tcp",
            "port": 2575, "roles": "stated", "packets": 3, "bytes": 180, "first": first,
            "last": last }], "sightings": [] })
    };
    for (path, body) in [
        ("hits/products", &products),
        ("traffic", &traffic("10.9.0.1")),
    ] {
        assert_eq!(posted(app, path, body).status, 200, "{path}");
    }
    let unusual = something_unusual(app, sequencer);
    files_changed(app);
    let tomorrow = format!("{}-01-01", year + 1);
    let merged = posted(app, "devices/3/merge", &json!({ "other": 4, "why": WHY }));
    let removed = posted(app, "devices/5/remove", &why);
    assert_eq!((merged.status, removed.status), (200, 200));
    let attached = request(
        app,
        "POST",
        "devices/1/sbom?file=a.json",
        sbom("1.0").to_string().as_bytes(),
    );
    let approval = |patch: &str| {
        json!({ "manufacturer": "Illumina", "model": "MiSeqDx", "patch": patch,
            "approved": "pending", "why": WHY })
    };
    let approved = posted(app, "patch-approvals", &approval("4.0.2"));
    assert_eq!((attached.status, approved.status), (200, 200));
    let named = |name: &str| json!({ "values": { "name": name } });
    let quarantined = |endpoint, item: u64, more: Value| {
        let mut body = json!({ "item": item });
        let more = more.as_object().cloned().unwrap_or_default();
        body.as_object_mut().unwrap().extend(more);
        same(endpoint, &body)
    };
    let held = super::malware::item(app, Way::Mail);
    let list = json!({ "list": "name,asset tag\nG,LAB-7\n" });
    let dispose = json!({ "why": WHY, "override_retention": "the court" });
    vec![
        post(
            "destinations/{name}/resume",
            "destinations/lis/resume".to_owned(),
            &why,
        ),
        post(
            "webhooks/{name}/secret",
            "webhooks/alarm/secret".to_owned(),
            &why,
        ),
        post(
            "webhooks/{name}/test",
            "webhooks/alarm/test".to_owned(),
            &json!({}),
        ),
        post(
            "mail/{name}/test",
            "mail/manager/test".to_owned(),
            &json!({}),
        ),
        post(
            "webhooks/{name}/resume",
            "webhooks/alarm/resume".to_owned(),
            &why,
        ),
        same("devices", &named("H")),
        post(
            "devices/{id}/set",
            "devices/1/set".to_owned(),
            &json!({ "revision": 1, "values": { "name": "A1" } }),
        ),
        post(
            "devices/{id}/merge",
            "devices/1/merge".to_owned(),
            &json!({ "other": 2, "why": WHY }),
        ),
        post("devices/{id}/split", "devices/4/split".to_owned(), &why),
        post("devices/{id}/remove", "devices/6/remove".to_owned(), &why),
        post("devices/{id}/restore", "devices/5/restore".to_owned(), &why),
        same("devices/import", &list),
        post("advisories/import", IMPORT.to_owned(), &Value::Null),
        post(
            "devices/{id}/sbom",
            "devices/2/sbom?file=a.json".to_owned(),
            &sbom("2.0"),
        ),
        post(
            "devices/{id}/mds2",
            "devices/2/mds2?file=a.xlsx".to_owned(),
            &Value::Null,
        ),
        post(
            "disclosures/{id}/remove",
            "disclosures/1/remove".to_owned(),
            &why,
        ),
        same("patch-approvals", &approval("4.0.3")),
        post(
            "patch-approvals/{id}/withdraw",
            "patch-approvals/1/withdraw".to_owned(),
            &why,
        ),
        same(
            "hits/treat",
            &json!({ "hits": [hit], "kind": "patch", "why": WHY }),
        ),
        same(
            "hits/accept",
            &json!({ "hits": [hit], "kind": "accept", "until": tomorrow, "why": WHY }),
        ),
        same("hits/products", &products),
        same(
            "hits/vulnerability",
            &json!({ "hit": hit, "status": "not-affected", "why": WHY }),
        ),
        post(
            "hits/statements/{id}/withdraw",
            "hits/statements/1/withdraw".to_owned(),
            &why,
        ),
        same("traffic", &traffic("10.9.0.2")),
        same(
            "behaviour/answer",
            &json!({ "alert": unusual, "answer": "expected", "why": WHY }),
        ),
        same(
            "integrity/decide",
            &json!({ "name": "xn-550-pc", "answer": "unexpected", "why": WHY }),
        ),
        same(
            "conduits/decide",
            &json!({ "device": sequencer, "direction": "outbound", "peer": "10.9.0.1",
                "service": "tcp/2575", "decision": "approved", "why": WHY }),
        ),
        same("conduits/rules", &json!({ "state": "missing" })),
        same(
            "conduits/mode",
            &json!({ "device": sequencer, "mode": "test", "learning": false, "why": WHY }),
        ),
        same(
            "malware/detections/close",
            &json!({ "detection": 1, "closing": "handled", "why": WHY }),
        ),
        quarantined("malware/quarantine/particulars", held, why.clone()),
        quarantined("malware/quarantine/restore", held, why.clone()),
        quarantined(
            "malware/quarantine/decide",
            super::malware::wanted(app, Way::Mail, false),
            json!({ "approve": true, "why": WHY }),
        ),
        quarantined(
            "malware/quarantine/give-back",
            super::malware::wanted(app, Way::Mail, true),
            json!({}),
        ),
        quarantined(
            "malware/quarantine/submit",
            held,
            json!({ "recipient": super::malware::EXPERT, "why": WHY }),
        ),
        quarantined(
            "malware/quarantine/destroy",
            super::malware::item(app, Way::Mail),
            why.clone(),
        ),
        same("unseal", &opener),
        same(
            "key/slots",
            &json!({ "kind": "key-file", "label": "third", "path": new_key }),
        ),
        post(
            "key/slots/{id}/test",
            format!("key/slots/{slot}/test"),
            &own,
        ),
        act(
            "DELETE",
            "key/slots/{id}",
            format!("key/slots/{slot}"),
            &json!({}),
        ),
        same("key/rotate", &json!({})),
        same("peers", &json!({ "name": "new", "kind": "lis" })),
        post(
            "peers/{name}/renew",
            "peers/chem-1/renew".to_owned(),
            &json!({}),
        ),
        post(
            "peers/{name}/set",
            "peers/chem-1/set".to_owned(),
            &json!({ "why": WHY, "types": ["ORU^R01"] }),
        ),
        same(
            "key/archives",
            &json!({ "to": beside("archives"), "days": 35, "why": WHY }),
        ),
        same(
            "backups/create",
            &json!({ "to": beside("backups"), "keep": 7, "why": WHY }),
        ),
        post(
            "peers/{name}/revoke",
            "peers/chem-1/revoke".to_owned(),
            &json!({}),
        ),
        same(
            "people",
            &json!({ "id": 0, "name": "N. N.", "role": "it", "uid": 4_711 }),
        ),
        act(
            "DELETE",
            "people/{id}",
            format!("people/{other}"),
            &json!({}),
        ),
        post(
            "people/{id}/roles",
            format!("people/{kim}/roles"),
            &json!({ "role": "it" }),
        ),
        same(
            "people/import",
            &json!({ "table": "name,role\nM. M.,it\n" }),
        ),
        post(
            "people/{id}/engage",
            format!("people/{expert}/engage"),
            &engagement,
        ),
        post(
            "people/{id}/invite",
            format!("people/{kim}/invite"),
            &json!({}),
        ),
        post(
            "people/{id}/account",
            format!("people/{kim}/account"),
            &json!({ "account": "kim.kessler@example.org" }),
        ),
        act(
            "DELETE",
            "sessions/{number}",
            format!("sessions/{session}"),
            &json!({}),
        ),
        act(
            "DELETE",
            "passkeys/{number}",
            format!("passkeys/{passkey}"),
            &json!({}),
        ),
        same("tokens", &new_token),
        act(
            "DELETE",
            "tokens/{number}",
            format!("tokens/{token}"),
            &json!({}),
        ),
        act(
            "DELETE",
            "people/{id}/account",
            format!("people/{kim}/account"),
            &json!({}),
        ),
        post(
            "messages/{record}/release",
            format!("messages/{first}/release"),
            &why,
        ),
        post(
            "messages/{record}/reject",
            format!("messages/{second}/reject"),
            &why,
        ),
        post(
            "messages/{record}/resend",
            format!("messages/{sent}/resend"),
            &why,
        ),
        post(
            "messages/{record}/skip",
            format!("messages/{stuck}/skip"),
            &json!({ "why": WHY, "destination": "ehr" }),
        ),
        same("records/find", &find),
        post(
            "records/{record}/show",
            format!("records/{sent}/show"),
            &why,
        ),
        post(
            "patients/{patient}/results",
            format!("patients/{patient}/results"),
            &why,
        ),
        post(
            "patients/{patient}/accesses",
            format!("patients/{patient}/accesses"),
            &why,
        ),
        same("records/export", &export),
        post(
            "records/import",
            "records/import?ending=hl7&why=x".to_owned(),
            &Value::Null,
        ),
        post(
            "patients/{patient}/documents",
            format!("patients/{patient}/documents?why=x"),
            &Value::Null,
        ),
        post(
            "patients/{patient}/dispose",
            format!("patients/{patient}/dispose"),
            &dispose,
        ),
        post(
            "patients/{patient}/hold",
            format!("patients/{patient}/hold"),
            &why,
        ),
        post(
            "patients/{patient}/lift",
            format!("patients/{patient}/lift"),
            &why,
        ),
        post("exports/{list}", "exports/people".to_owned(), &json!({})),
        same("ledger/verify", &json!({})),
        same("ledger/export", &json!({ "format": "bundle" })),
        same("safeguards/decide", &decision("164.310(b)")),
        same(
            "safeguards/withdraw",
            &json!({ "citation": decided, "why": WHY }),
        ),
    ]
}

/// A bill of materials of one component.
fn sbom(version: &str) -> Value {
    json!({ "bomFormat": "CycloneDX", "specVersion": "1.4", "components": [{ "type": "library",
        "name": "y", "version": version, "purl": format!("pkg:npm/y@{version}") }] })
}

/// A workbook of a few questions of MDS2.
fn mds2() -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    let rows = ["DOC-1", "DOC-3", "MPII-1", "MLDP-2", "STCF-1"];
    for (row, id) in (0..).zip(rows) {
        sheet.write_string(row, 0, id).unwrap();
        sheet.write_string(row, 1, "Asked?").unwrap();
        sheet.write_string(row, 2, "Yes").unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

pub(super) const IMPORT: &str = "advisories/import?source=cisa&file=a.json";

/// One release of an advisory about MiSeqDx.
pub(super) fn advisory(release: u32) -> String {
    let tracking = json!({ "id": "ICSMA-1", "version": release.to_string(), "status": "final",
        "current_release_date": format!("2026-01-0{release}T00:00:00Z") });
    let product = json!({ "category": "product_version_range", "name": "<= 4.0.1",
        "product": { "product_id": "P1", "name": "MiSeqDx" } });
    let named = json!({ "category": "product_name", "name": "MiSeqDx", "branches": [product] });
    let vendor = json!({ "category": "vendor", "name": "Illumina", "branches": [named] });
    json!({
        "document": { "category": "csaf_security_advisory", "csaf_version": "2.0", "title": "x",
            "publisher": { "category": "vendor", "name": "x", "namespace": "https://x.example" },
            "tracking": tracking },
        "product_tree": { "branches": [vendor] },
        "vulnerabilities": [{ "cve": "CVE-2026-1000",
            "product_status": { "known_affected": ["P1"] } }],
    })
    .to_string()
}

fn done(app: &App, act: &Act) -> Answered {
    let body = match &act.body {
        Value::Null if act.endpoint == "advisories/import" => advisory(2).into_bytes(),
        Value::Null if act.endpoint == "devices/{id}/mds2" => mds2(),
        Value::Null => result("IMPORTED").into_bytes(),
        body => body.to_string().into_bytes(),
    };
    request(app, act.verb, &act.path, &body)
}

/// Everything that the API shows of the state that acts change.
fn shown(app: &App) -> Vec<Value> {
    let paths = [
        "key/slots",
        "peers",
        "people",
        "sessions",
        "tokens",
        "passkeys",
        "accounts",
        "devices?state=all",
        "hits/statements",
        "components",
        "patch-approvals?state=all",
        "conduits",
        "behaviour/unusual?state=all",
        "integrity",
        "malware/detections?state=all",
        "malware/quarantine?state=all",
        "messages",
        "ledger/entries?limit=1000",
    ];
    // Facts grow older; decisions do not.
    let safeguards: Safeguards = get(app, "safeguards");
    let decisions = safeguards.requirements.into_iter();
    let decisions = decisions.filter_map(|one| one.decision);
    let decisions = decisions.map(|one| json!([one.kind, one.until, one.entry]));
    let shown = paths.iter().map(|path| get(app, path));
    shown.chain(decisions).collect()
}

#[test]
fn while_the_ledger_cannot_be_written_every_act_is_refused_and_changes_nothing() {
    let receivers = [Receiver::refusing("K1"), Receiver::refusing("K1")];
    let installation = Installation::new(config(&[&receivers[0], &receivers[1]]));
    let vfs = FaultVfs::register("server-every-act");
    let app = installation.start_on(&vfs, Arc::new(SystemClock));
    prepare(&app, &installation);
    let acts = acts(&app, &installation);
    let listed: BTreeSet<(&str, &str)> = acts.iter().map(|act| (act.verb, act.endpoint)).collect();
    let glass = |path: &str| path.starts_with("break-glass/");
    let table: BTreeSet<(&str, &str)> = ENDPOINTS
        .iter()
        .filter(|one| one.verb != Verb::Get && !glass(one.path))
        .filter(|one| !ELSEWHERE.contains(&one.path))
        .map(|one| (one.verb.name(), one.path))
        .collect();
    assert_eq!(listed, table, "every act of the table stands in `acts`");

    // From here on the server cannot write what it finds by itself, either.
    vfs.fail_writes_with(Some(Fault::NoSpace));
    let before = shown(&app);
    for act in &acts {
        let answer = done(&app, act);
        let readings = [
            "patients/{patient}/accesses",
            "patients/{patient}/results",
            "records/find",
            "records/{record}/show",
        ];
        let reads = readings.contains(&act.endpoint);
        let code = match reads {
            true => "records.not-recorded",
            false => "store.unwritable",
        };
        let found = (answer.status, answer.code());
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(
            found,
            (503, code.to_owned()),
            "{} {}: {text}",
            act.verb,
            act.path
        );
    }
    assert_eq!(shown(&app), before);
    let third = installation.key_file().with_extension("third");
    assert!(!third.exists(), "a key file without its slot");

    // The very same acts are done once there is room.
    vfs.fail_writes_with(None);
    let last = ["patients/{patient}/dispose", "people/{id}"];
    for act in acts.iter().filter(|act| !last.contains(&act.endpoint)) {
        let lift = act.endpoint == "patients/{patient}/lift";
        let answer = done(&app, act);
        let text = String::from_utf8_lossy(&answer.body);
        assert!(
            answer.status == 200 || lift,
            "{} {}: {text}",
            act.verb,
            act.path
        );
    }
    app.shutdown().unwrap();
}

/// Two held messages, one delivered, one that its receiver refused, and a second slot.
fn prepare(app: &App, installation: &Installation) {
    let second = installation.key_file().with_extension("second");
    let slot = json!({ "kind": "key-file", "label": "second", "path": second });
    assert_eq!(posted(app, "key/slots", &slot).status, 200);
    let (known, strange) = (
        add_peer(app, "chem-1", "*"),
        add_peer(app, "chem-2", "OTHER"),
    );
    for control in ["K0", "K1"] {
        assert_eq!(
            connect(app, &known).send(&result(control)).as_deref(),
            Some("AA")
        );
    }
    for control in ["H1", "H2"] {
        assert_ne!(
            connect(app, &strange).send(&result(control)).as_deref(),
            Some("AA")
        );
    }
    until("one destination to hold and one to stop", || {
        let all: Vec<DestinationStatus> = get(app, "destinations");
        (all[0].held == 1 && all[1].state == "stopped").then_some(())
    });
    until("the names", || status(app).search_ready.then_some(()));
}

#[test]
fn on_a_full_disk_nothing_is_acknowledged_and_results_are_read_by_break_glass_until_there_is_room()
{
    let receivers = [Receiver::start(), Receiver::start()];
    let installation = Installation::new(config(&[&receivers[0], &receivers[1]]));
    let vfs = FaultVfs::register("server-break-glass");
    let app = installation.start_on(&vfs, Arc::new(SystemClock));
    let peer = add_peer(&app, "chem-1", "*");
    let mut analyzer = connect(&app, &peer);
    assert_eq!(analyzer.send(&result("M1")).as_deref(), Some("AA"));
    let record = get::<Vec<Message>>(&app, "messages")[0].record;
    until("the names", || status(&app).search_ready.then_some(()));
    assert!(!finds(&app, "check.ledger-unwritable") && !finds(&app, "check.reserve-unusable"));

    vfs.fail_writes_with(Some(Fault::NoSpace));
    let refused = analyzer.send(&result("M2"));
    assert_ne!(refused.as_deref(), Some("AA"));
    let why = json!({ "why": WHY });
    let plain = posted(&app, &format!("records/{record}/show"), &why);
    assert_eq!(
        (plain.status, plain.code().as_str()),
        (503, "records.not-recorded")
    );
    let body = String::from_utf8_lossy(&plain.body).into_owned();
    assert!(body.contains("--break-glass"), "it says what to do: {body}");
    let no_reason = posted(
        &app,
        &format!("break-glass/records/{record}"),
        &json!({ "why": " " }),
    );
    assert_eq!(no_reason.code(), "server.no-reason");

    let find = json!({ "name": "musterfrau", "why": WHY });
    let found: Found = post(&app, "break-glass/find", &find);
    assert_eq!((found.entry, found.reserve), (None, Some(1)));
    assert_eq!(found.patients[0].records[0].record, record);
    let shown: Shown = post(&app, &format!("break-glass/records/{record}"), &why);
    assert_eq!((shown.entry, shown.reserve), (None, Some(2)));
    assert!(shown.view.to_string().contains("MUSTERFRAU"));
    let now = status(&app);
    assert!(now.ledger_failing_since.is_some());
    assert_eq!((now.reserve.waiting, now.reserve.used_bytes), (2, 8192));
    assert!(finds(&app, "check.ledger-unwritable"));
    let reserve = fs::read(installation.data().reserve()).unwrap();
    let in_clear = |text: &str| {
        reserve
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(!in_clear(WHY) && !in_clear("MUSTERFRAU"));

    vfs.fail_writes_with(None);
    until("the ledger to go on", || {
        let now = status(&app);
        (now.ledger_failing_since.is_none() && now.reserve.waiting == 0).then_some(())
    });
    // What the connection does after a refusal is its link's policy; the device sends again.
    let mut analyzer = connect(&app, &peer);
    assert_eq!(analyzer.send(&result("M2")).as_deref(), Some("AA"));
    let all = entries(&app);
    let glass: Vec<&str> = all
        .iter()
        .filter(|entry| entry["facts"]["break_glass"] == "reserve")
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(glass, ["record.searched", "record.shown"]);
    let resumed = all
        .iter()
        .find(|entry| entry["action"] == "ledger.resumed")
        .unwrap();
    assert_eq!(resumed["facts"]["readings"], 2);
    assert!(finds(&app, "check.break-glass"), "somebody is to review it");
    assert!(!finds(&app, "check.ledger-unwritable"));
    let verified: Verified = post(&app, "ledger/verify", &json!({}));
    assert!(verified.good, "{:?}", verified.faults);
    app.shutdown().unwrap();
}

#[test]
fn what_was_read_before_a_crash_on_a_full_disk_is_merged_at_the_next_start() {
    let receivers = [Receiver::start(), Receiver::start()];
    let installation = Installation::new(config(&[&receivers[0], &receivers[1]]));
    let vfs = FaultVfs::register("server-next-start");
    let app = installation.start_on(&vfs, Arc::new(SystemClock));
    let peer = add_peer(&app, "chem-1", "*");
    assert_eq!(
        connect(&app, &peer).send(&result("M1")).as_deref(),
        Some("AA")
    );
    let record = get::<Vec<Message>>(&app, "messages")[0].record;
    vfs.fail_writes_with(Some(Fault::NoSpace));
    for number in 1..=3 {
        let path = format!("break-glass/records/{record}");
        let shown: Shown = post(&app, &path, &json!({ "why": WHY }));
        assert_eq!(shown.reserve, Some(number));
    }
    // It stops while the disk is still full, and nothing of it can be recorded.
    let _ = app.shutdown();
    vfs.fail_writes_with(None);
    let app = installation.start_on(&vfs, Arc::new(SystemClock));
    let numbers: Vec<u64> = entries(&app)
        .iter()
        .filter_map(|entry| entry["facts"]["reserve"].as_u64())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(status(&app).reserve.used_bytes, 0);
    app.shutdown().unwrap();
}

#[test]
fn a_clock_that_goes_back_stops_nothing_and_no_entry_is_older_than_the_one_before() {
    let receivers = [Receiver::start(), Receiver::start()];
    let installation = Installation::new(config(&[&receivers[0], &receivers[1]]));
    let vfs = FaultVfs::register("server-clock");
    let clock = FakeClock::new(SystemClock.now());
    let app = installation.start_on(&vfs, Arc::new(clock.clone()));
    let peer = add_peer(&app, "chem-1", "*");
    let mut analyzer = connect(&app, &peer);
    assert_eq!(analyzer.send(&result("T1")).as_deref(), Some("AA"));
    let before = clock.now();
    clock.set(before.minus(Duration::from_secs(3_600)));
    for control in ["T2", "T3"] {
        assert_eq!(analyzer.send(&result(control)).as_deref(), Some("AA"));
    }
    // A connection of its own too: certificates are checked at the time that the clock shows.
    assert_eq!(
        connect(&app, &peer).send(&result("T4")).as_deref(),
        Some("AA")
    );
    assert_eq!(
        analyzer.send(&result("T1")).as_deref(),
        Some("AA"),
        "a copy is known"
    );
    for control in ["T1", "T2", "T3", "T4"] {
        assert_eq!(receivers[0].next(), result(control).as_bytes());
    }
    let all = entries(&app);
    let times: Vec<&str> = all
        .iter()
        .map(|entry| entry["time"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let jumps = all.iter().filter(|entry| entry["action"] == "clock.jumped");
    assert_eq!(jumps.count(), 1, "said once");
    let copies = all
        .iter()
        .filter(|entry| entry["action"] == "message.duplicate");
    assert_eq!(copies.count(), 1);
    assert!(finds(&app, "check.clock-jumped"));
    let verified: Verified = post(&app, "ledger/verify", &json!({}));
    assert!(verified.good, "{:?}", verified.faults);
    app.shutdown().unwrap();
}

#[test]
fn the_indexes_follow_the_ledger_though_nobody_searches() {
    let receivers = [Receiver::start(), Receiver::start()];
    let installation = Installation::new(config(&[&receivers[0], &receivers[1]]));
    let app = installation.start();
    let peer = add_peer(&app, "chem-1", "*");
    assert_eq!(
        connect(&app, &peer).send(&result("M1")).as_deref(),
        Some("AA")
    );
    let opened = app.core.opened().unwrap();
    until("the indexes", || {
        (opened.records.entries_behind().unwrap() == 0).then_some(())
    });
    drop(opened);
    app.shutdown().unwrap();
}

#[test]
fn messages_are_listed_though_many_imported_records_lie_before_them() {
    let receivers = [Receiver::start(), Receiver::start()];
    let installation = Installation::new(config(&[&receivers[0], &receivers[1]]));
    let app = installation.start();
    let peer = add_peer(&app, "chem-1", "*");
    assert_eq!(
        connect(&app, &peer).send(&result("M1")).as_deref(),
        Some("AA")
    );
    let registrations: String = (0..1_500)
        .map(|number| {
            format!(
                "MSH|^~\\&|A|B|C|D|20260101||ADT^A04|{number}|P|2.5.1\rPID|1||{number}^^^LAB^MR||DOE^PAT\r"
            )
        })
        .collect();
    let path = "records/import?ending=hl7&why=a+test";
    let imported = request(&app, "POST", path, registrations.as_bytes());
    assert_eq!(imported.status, 200, "{:?}", imported.code());
    let listed: Vec<Message> = get(&app, "messages");
    assert_eq!(listed.len(), 1);
    app.shutdown().unwrap();
}
