//! One message from the analyzer to the receiver, and everything a person does around it.

use labward_api::ledger::{Entries, Verified, VerifierKey as PublicKey};
use labward_api::message::Message;
use labward_api::peer::{AddedPeer, NewPeer, Rules};
use labward_api::record::{Found, Imported, Shown};
use labward_api::status::{DestinationStatus, Status};
use labward_api::{Done, ProblemBody};
use labward_gateway::config::{
    DestinationConfig, GatewayConfig, LinkConfig, OutboundTransport, RouteConfig, Target,
};
use labward_ledger::{VerifierKey, verify_bundle};
use serde_json::{Value, json};

use super::testbench::{Analyzer, Installation, Receiver, get, post, request, result, until};
use crate::app::App;
use crate::config::Config;

fn config(receiver: Option<&Receiver>) -> Config {
    let link = LinkConfig::new("chem".parse().unwrap(), "127.0.0.1:0".parse().unwrap());
    let mut gateway = GatewayConfig {
        links: vec![link],
        ..GatewayConfig::default()
    };
    if let Some(receiver) = receiver {
        let target = json!({
            "name": "ehr",
            "target": {
                "kind": "mllp",
                "address": receiver.address.to_string(),
                "transport": { "mode": "plain" },
            },
        });
        let destination: DestinationConfig = serde_json::from_value(target).unwrap();
        let Target::Mllp { transport, .. } = &destination.target else {
            panic!("an MLLP destination")
        };
        assert!(matches!(transport, OutboundTransport::Plain { .. }));
        let route = json!({ "types": ["ORU^R01"], "to": ["ehr"] });
        gateway.destinations = vec![destination];
        gateway.routes = vec![serde_json::from_value::<RouteConfig>(route).unwrap()];
    }
    Config {
        gateway,
        ..Config::default()
    }
}

fn add_analyzer(app: &App) -> AddedPeer {
    add_analyzer_of(app, "*")
}

/// An analyzer that may send whatever it likes as this application.
fn add_analyzer_of(app: &App, application: &str) -> AddedPeer {
    let any = || vec!["*".to_owned()];
    let new = NewPeer {
        name: "chem-1".to_owned(),
        kind: "analyzer".to_owned(),
        rules: Rules {
            applications: vec![application.to_owned()],
            facilities: any(),
            types: any(),
            processing: any(),
            astm_senders: Vec::new(),
        },
        ..NewPeer::default()
    };
    post(app, "peers", &new)
}

fn connect(app: &App, peer: &AddedPeer) -> Analyzer {
    let (_, address) = app.addresses().into_iter().next().unwrap();
    Analyzer::connect(address, peer.bundle.as_deref().unwrap())
}

fn actions(app: &App) -> Vec<String> {
    let page: Entries = get(app, "ledger/entries?limit=1000");
    let action = |entry: &Value| entry["action"].as_str().unwrap().to_owned();
    page.entries.iter().map(action).collect()
}

#[test]
fn a_sealed_server_accepts_nothing_until_a_person_opens_it() {
    let installation = Installation::new(config(None));
    let away = installation.key_file().with_extension("away");
    std::fs::rename(installation.key_file(), &away).unwrap();
    let app = installation.start();
    let status: Status = get(&app, "status");
    assert!(!status.open && app.addresses().is_empty());
    assert_eq!(status.links.len(), 1, "it says what would listen");
    let find = json!({ "name": "Musterfrau", "why": "a call" });
    let refused = request(&app, "POST", "records/find", find.to_string().as_bytes());
    let body: ProblemBody = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!((refused.status, body.code.as_str()), (503, "keys.sealed"));
    assert!(body.reference.is_some() && body.detail.is_none());

    let opener = json!({ "with": "key-file", "path": installation.key_file() });
    let wrong = request(&app, "POST", "unseal", opener.to_string().as_bytes());
    assert_eq!(wrong.code(), "keys.unreadable-file");
    assert!(app.addresses().is_empty());
    let opener = json!({ "with": "key-file", "path": away });
    let _: Done = post(&app, "unseal", &opener);
    let status: Status = get(&app, "status");
    assert!(status.open && app.addresses().len() == 1);
    app.shutdown().unwrap();
}

#[test]
fn a_message_is_received_sealed_delivered_found_shown_and_proved() {
    let receiver = Receiver::start();
    let installation = Installation::new(config(Some(&receiver)));
    let app = installation.start();
    let peer = add_analyzer(&app);
    let message = result("M1");
    let mut analyzer = connect(&app, &peer);
    assert_eq!(analyzer.send(&message).as_deref(), Some("AA"));
    assert_eq!(receiver.next(), message.as_bytes(), "byte for byte");

    let find = json!({ "name": "musterfrau", "why": "a call of her doctor" });
    let found = until("the name index", || {
        let found: Found = post(&app, "records/find", &find);
        (!found.loading && !found.patients.is_empty()).then_some(found)
    });
    let hit = &found.patients[0];
    assert!(!hit.name.to_lowercase().contains("musterfrau"), "masked");
    let record = hit.records[0].record;
    let why = json!({ "why": "a call of her doctor" });
    let shown: Shown = post(&app, &format!("records/{record}/show"), &why);
    assert!(shown.view.to_string().contains("MUSTERFRAU"));

    delivered(&app, record);
    let listed: Vec<Message> = get(&app, "messages");
    let listed = &listed[0];
    assert_eq!((listed.record, listed.peer.as_str()), (record, "chem-1"));
    assert_eq!(listed.state, "received");
    assert_eq!(listed.deliveries[0].state, "delivered");
    let again = json!({ "why": "they lost it", "destination": "ehr" });
    let _: Done = post(&app, &format!("messages/{record}/resend"), &again);
    assert_eq!(receiver.next(), message.as_bytes(), "once more");
    let destinations: Vec<DestinationStatus> = get(&app, "destinations");
    assert_eq!(destinations[0].kind, "mllp-plain");

    let verified: Verified = post(&app, "ledger/verify", &json!({}));
    assert!(verified.good, "{:?}", verified.faults);
    let key: PublicKey = get(&app, "ledger/key");
    let key: VerifierKey = key.key.parse().unwrap();
    let exported = request(&app, "POST", "ledger/export", b"{\"format\":\"bundle\"}");
    assert_eq!(exported.status, 200);
    let report = verify_bundle(exported.body.as_slice(), &key).unwrap();
    assert!(report.entries > verified.entries);
    let entry = shown.entry.unwrap();
    let proof: Value = get(&app, &format!("ledger/prove/{entry}"));
    assert!(
        proof["proof"]
            .as_str()
            .unwrap()
            .starts_with("c2sp.org/tlog-proof@v1")
    );

    let actions = actions(&app);
    for action in [
        "server.started",
        "config.loaded",
        "finding.raised",
        "peer.added",
        "message.received",
        "message.delivered",
        "record.searched",
        "record.shown",
        "ledger.verified",
        "ledger.exported",
    ] {
        assert!(actions.iter().any(|one| one == action), "{action}");
    }
    drop(analyzer);
    app.shutdown().unwrap();
}

/// The message of this record once its one delivery is done.
fn delivered(app: &App, record: u64) -> Message {
    until("the delivery", || {
        let message: Message = get(app, &format!("messages/{record}"));
        let is_done = message
            .deliveries
            .iter()
            .any(|one| one.state == "delivered");
        is_done.then_some(message)
    })
}

#[test]
fn a_held_message_goes_where_a_person_decides() {
    let receiver = Receiver::start();
    let installation = Installation::new(config(Some(&receiver)));
    let app = installation.start();
    let peer = add_analyzer_of(&app, "OTHER");
    let mut analyzer = connect(&app, &peer);
    for control in ["H1", "H2"] {
        let answer = analyzer.send(&result(control)).unwrap();
        assert_ne!(answer, "AA", "its sender may not send it");
    }
    let held: Vec<Message> = get(&app, "messages?state=held");
    assert_eq!(held.len(), 2);
    assert_eq!(held[0].reason.as_deref(), Some("gateway.not-allowed"));
    assert!(held[0].deliveries.is_empty());
    let (second, first) = (held[0].record, held[1].record);

    let decision = json!({ "why": "the device was renamed" });
    let _: Done = post(&app, &format!("messages/{first}/release"), &decision);
    assert_eq!(receiver.next(), result("H1").as_bytes());
    let _: Done = post(&app, &format!("messages/{second}/reject"), &decision);
    let again = format!("messages/{second}/release");
    let again = request(&app, "POST", &again, decision.to_string().as_bytes());
    assert_eq!(
        (again.status, again.code().as_str()),
        (409, "gateway.not-waiting")
    );

    assert_eq!(delivered(&app, first).state, "released");
    let rejected: Message = get(&app, &format!("messages/{second}"));
    assert_eq!(rejected.state, "rejected");
    assert!(rejected.deliveries.is_empty());
    let status: Status = get(&app, "status");
    assert_eq!(status.held, 0);
    app.shutdown().unwrap();
}

#[test]
fn a_message_that_holds_its_patient_back_is_skipped_and_the_next_goes_on() {
    let receiver = Receiver::refusing("K1");
    let installation = Installation::new(config(Some(&receiver)));
    let app = installation.start();
    let peer = add_analyzer(&app);
    let mut analyzer = connect(&app, &peer);
    for control in ["K1", "K2"] {
        assert_eq!(analyzer.send(&result(control)).as_deref(), Some("AA"));
    }
    assert_eq!(receiver.next(), result("K1").as_bytes());
    let first = until("the refusal", || {
        let waiting: Vec<Message> = get(&app, "messages?state=waiting");
        let is_held = |one: &Message| one.deliveries.iter().any(|to| to.state == "held");
        waiting.into_iter().find(is_held).map(|one| one.record)
    });
    let skip = |body: &Value| {
        let path = format!("messages/{first}/skip");
        request(&app, "POST", &path, body.to_string().as_bytes())
    };
    assert_eq!(skip(&json!({ "why": " " })).code(), "server.no-reason");
    let nowhere = json!({ "why": "x", "destination": "lis" });
    assert_eq!(skip(&nowhere).code(), "gateway.no-destination");
    let why = json!({ "why": "a sample that was mixed up" });
    // While it is tried once more it does not wait.
    until("the skip", || (skip(&why).status == 200).then_some(()));
    assert_eq!(
        receiver.next(),
        result("K2").as_bytes(),
        "what waited behind it"
    );
    assert_eq!(skip(&why).code(), "gateway.not-waiting");
    let dead: Vec<Message> = get(&app, "messages?state=dead");
    assert_eq!(dead[0].record, first);
    let reason = dead[0].deliveries[0].reason.as_deref();
    assert_eq!(reason, Some("gateway.given-up"));
    app.shutdown().unwrap();
}

#[test]
fn a_file_is_imported_and_exported_again_byte_for_byte() {
    let installation = Installation::new(config(None));
    let app = installation.start();
    let file = result("I1");
    let path = "records/import?ending=hl7&why=the%20old%20system";
    let imported: Imported = request(&app, "POST", path, file.as_bytes()).read();
    assert_eq!((imported.records, imported.new_patients), (1, 1));
    let find = json!({ "mrn": "4711", "why": "a request" });
    let found: Found = post(&app, "records/find", &find);
    let export = json!({
        "patient": found.patients[0].patient, "format": "original", "why": "a request"
    });
    let exported = request(
        &app,
        "POST",
        "records/export",
        export.to_string().as_bytes(),
    );
    assert_eq!(exported.body, file.as_bytes());
    app.shutdown().unwrap();
}

#[test]
fn an_orderly_stop_loses_nothing_and_the_next_start_goes_on() {
    let installation = Installation::new(config(None));
    let app = installation.start();
    let peer = add_analyzer(&app);
    let mut analyzer = connect(&app, &peer);
    let sender = std::thread::spawn(move || {
        let send = |number| analyzer.send(&result(&format!("S{number}")));
        (0..10_000).map_while(send).count()
    });
    until("20 messages", || {
        let status: Status = get(&app, "status");
        (status.links[0].accepted >= 20).then_some(())
    });
    assert!(installation.build().is_err(), "one server a folder");
    app.shutdown().unwrap();
    let acknowledged = sender.join().unwrap();
    assert!(acknowledged >= 20);

    let app = installation.start();
    let status: Status = get(&app, "status");
    let mut stored = 0;
    let mut stopped = 0;
    for from in (0..status.entries).step_by(1000) {
        let page: Entries = get(&app, &format!("ledger/entries?from={from}&limit=1000"));
        let of = |action: &str| {
            page.entries
                .iter()
                .filter(|e| e["action"] == action)
                .count()
        };
        stored += of("message.received");
        stopped += of("server.stopped");
    }
    assert!(
        stored >= acknowledged,
        "{stored} stored, {acknowledged} acknowledged"
    );
    assert_eq!(stopped, 1);
    let verified: Verified = post(&app, "ledger/verify", &json!({}));
    assert!(verified.good, "{:?}", verified.faults);
    app.shutdown().unwrap();
}
