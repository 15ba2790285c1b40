//! Certificates that are renewed, or whose end is said in time; by a clock that the tests move.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use labward_api::ledger::Entries;
use labward_api::peer::{AddedPeer, NewPeer, Rules};
use labward_base::Clock;
use labward_gateway::config::{GatewayConfig, LinkConfig};
use labward_os::SystemClock;
use labward_store::StoreError;
use labward_testkit::FakeClock;
use serde_json::json;

use super::testbench::{Analyzer, Installation, get, post, result};
use crate::app::App;
use crate::config::Config;
use crate::findings::all_that_hold;
use crate::folder::SITE;

const DAY: Duration = Duration::from_secs(86_400);

fn lab() -> (Installation, FakeClock) {
    let link = LinkConfig::new("chem".parse().unwrap(), "127.0.0.1:0".parse().unwrap());
    let config = Config {
        gateway: GatewayConfig {
            links: vec![link],
            ..GatewayConfig::default()
        },
        ..Config::default()
    };
    (Installation::new(config), FakeClock::new(SystemClock.now()))
}

fn add_peer(app: &App, days: u32) -> AddedPeer {
    let any = || vec!["*".to_owned()];
    let new = NewPeer {
        name: "chem-1".to_owned(),
        kind: "analyzer".to_owned(),
        rules: Rules {
            applications: any(),
            facilities: any(),
            types: any(),
            processing: any(),
            astm_senders: Vec::new(),
        },
        days: Some(days),
        ..NewPeer::default()
    };
    post(app, "peers", &new)
}

fn connect(app: &App, peer: &AddedPeer, clock: &FakeClock) -> Analyzer {
    let (_, address) = app.addresses().into_iter().next().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Analyzer::connect_at(address, peer.bundle.as_deref().unwrap(), clock)
}

fn count(app: &App, action: &str) -> usize {
    let page: Entries = get(app, "ledger/entries?limit=1000");
    let is_it = |entry: &&serde_json::Value| entry["action"] == action;
    page.entries.iter().filter(is_it).count()
}

/// The findings of certificates that hold.
fn alarms(app: &App) -> Vec<String> {
    let held = app
        .core
        .store
        .read(|snapshot| all_that_hold(snapshot, SITE));
    let held = Result::<_, StoreError>::unwrap(held).into_iter();
    held.filter_map(|finding| Some(finding.key.strip_prefix("certificate-ends:")?.to_owned()))
        .collect()
}

#[test]
fn the_servers_certificate_is_renewed_when_a_third_of_its_life_is_left_and_nothing_is_closed() {
    let (installation, clock) = lab();
    let app = installation.start_at(&clock);
    let peer = add_peer(&app, 397);
    let mut before = connect(&app, &peer, &clock);
    let old = before.server_key();
    assert_eq!(before.send(&result("R1")).as_deref(), Some("AA"));
    clock.advance(DAY * 19);
    app.core.look_after();
    assert_eq!(
        count(&app, "certificate.renewed"),
        0,
        "11 of 31 days are left"
    );
    clock.advance(DAY);
    app.core.look_after();
    app.core.look_after();
    assert_eq!(count(&app, "certificate.renewed"), 1);
    assert_eq!(
        before.send(&result("R2")).as_deref(),
        Some("AA"),
        "it goes on"
    );
    let mut after = connect(&app, &peer, &clock);
    let new = after.server_key();
    assert_ne!(new, old);
    assert_eq!(after.send(&result("R3")).as_deref(), Some("AA"));
    drop((before, after));
    app.shutdown().unwrap();

    // Key and certificate are together: also when the copy for people was never written.
    let file = installation.data().server_certificate();
    let pem = fs::read_to_string(&file).unwrap();
    assert_eq!(
        pem.matches("BEGIN").count(),
        1,
        "the certificate alone: {pem}"
    );
    fs::write(&file, "left behind by a crash").unwrap();
    let app = installation.start_at(&clock);
    assert_eq!(connect(&app, &peer, &clock).server_key(), new);
    assert_eq!(fs::read_to_string(&file).unwrap(), pem);
    app.shutdown().unwrap();
}

#[test]
fn near_the_authoritys_end_there_is_no_renewal_without_gain() {
    let (installation, clock) = lab();
    let app = installation.start_at(&clock);
    clock.advance(DAY * 3_600);
    for _ in 0..3 {
        app.core.look_after();
        clock.advance(DAY);
    }
    assert_eq!(count(&app, "certificate.renewed"), 1);
    let ends = app.core.certificate().unwrap().unwrap().not_after;
    assert_eq!(ends, app.core.authority_until().unwrap());
    // The authority's end is said in its own time, long before.
    assert!(alarms(&app).contains(&"90:the built-in authority".to_owned()));
    app.shutdown().unwrap();
}

#[test]
fn the_end_of_a_peers_certificate_is_said_once_for_each_day_that_is_configured() {
    let (installation, clock) = lab();
    let app = installation.start_at(&clock);
    add_peer(&app, 40);
    let mut seen = Vec::new();
    for day in 0..=40 {
        app.core.look_after();
        app.core.look_after();
        let mine = alarms(&app)
            .into_iter()
            .find(|key| key.ends_with("peer chem-1"));
        if seen.last() != Some(&(day, mine.clone())) {
            seen.push((day, mine));
        }
        clock.advance(DAY);
    }
    let of = |key: &str| seen.iter().find(|(_, mine)| mine.as_deref() == Some(key));
    for (day, alarm) in [(10, 30), (26, 14), (33, 7), (39, 1), (40, 0)] {
        let key = format!("{alarm}:peer chem-1");
        assert_eq!(of(&key).map(|(on, _)| *on), Some(day), "{key}");
    }
    let raised = count(&app, "finding.raised");
    app.core.look_after();
    assert_eq!(count(&app, "finding.raised"), raised);
    let _: AddedPeer = post(&app, "peers/chem-1/renew", &json!({}));
    app.core.look_after();
    assert!(alarms(&app).iter().all(|key| !key.ends_with("peer chem-1")));
    app.shutdown().unwrap();
}
