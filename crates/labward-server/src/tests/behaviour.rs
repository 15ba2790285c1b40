//! Weeks of two analyzers over real links, by a clock that the test moves: what they do otherwise is told, the
//! messages are delivered all the same, and a person's answer closes it.

use std::sync::Arc;
use std::time::Duration;

use labward_api::Done;
use labward_api::behaviour::{Behaviours, Unusual, UnusualPage};
use labward_api::ledger::Entries;
use labward_api::peer::{AddedPeer, NewPeer, Rules};
use labward_base::{Clock, Timestamp};
use labward_gateway::config::{DestinationConfig, Framing, GatewayConfig, LinkConfig, RouteConfig};
use labward_os::SystemClock;
use labward_testkit::FakeClock;
use serde_json::{Value, json};

use super::testbench::{Analyzer, Installation, Receiver, get, post, request};
use crate::app::App;
use crate::config::Config;

const HOUR: Duration = Duration::from_secs(3_600);
const WHY: &str = "the service engineer was here";

struct Lab {
    installation: Installation,
    clock: FakeClock,
    app: App,
    receiver: Receiver,
    peers: [AddedPeer; 2],
    chemistry: Analyzer,
    haematology: Analyzer,
    number: u64,
    orders: u64,
    sent: usize,
}

/// `YYYYMMDDHHMMSS` in UTC.
fn written(at: Timestamp) -> String {
    let text: String = at
        .to_rfc3339()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    text[..14].to_owned()
}

fn config(receiver: &Receiver) -> Config {
    let link = |name: &str, framing| LinkConfig {
        framing,
        ..LinkConfig::new(name.parse().unwrap(), "127.0.0.1:0".parse().unwrap())
    };
    let target = json!({
        "name": "ehr",
        "target": { "kind": "mllp", "address": receiver.address.to_string(), "transport": { "mode": "plain" } },
    });
    let route = json!({ "types": ["ORU^R01"], "to": ["ehr"] });
    Config {
        gateway: GatewayConfig {
            links: vec![link("chem", Framing::Mllp), link("haem", Framing::Astm)],
            destinations: vec![serde_json::from_value::<DestinationConfig>(target).unwrap()],
            routes: vec![serde_json::from_value::<RouteConfig>(route).unwrap()],
            ..GatewayConfig::default()
        },
        ..Config::default()
    }
}

fn add_peer(app: &App, name: &str) -> AddedPeer {
    let any = || vec!["*".to_owned()];
    let new = NewPeer {
        name: name.to_owned(),
        kind: "analyzer".to_owned(),
        rules: Rules {
            applications: any(),
            facilities: any(),
            types: any(),
            processing: any(),
            astm_senders: any(),
        },
        days: Some(397),
        ..NewPeer::default()
    };
    post(app, "peers", &new)
}

fn connect(app: &App, link: &str, peer: &AddedPeer, clock: &FakeClock) -> Analyzer {
    let addresses = app.addresses();
    let (_, address) = addresses
        .into_iter()
        .find(|(name, _)| name == link)
        .unwrap();
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Analyzer::connect_at(address, peer.bundle.as_deref().unwrap(), clock)
}

impl Lab {
    /// Begins on a Monday at 00:00 UTC that is still to come.
    fn start() -> Self {
        let receiver = Receiver::start();
        let installation = Installation::new(config(&receiver));
        let days = SystemClock.now().as_seconds().div_euclid(86_400) + 1;
        // 1970-01-01 was a Thursday.
        let monday = days + (4 - days).rem_euclid(7);
        let clock = FakeClock::new(Timestamp::from_seconds(monday * 86_400));
        let app = installation.start_at(&clock);
        let peers = ["chem-1", "haem-1"].map(|name| add_peer(&app, name));
        let [chem, haem] = &peers;
        Self {
            chemistry: connect(&app, "chem", chem, &clock),
            haematology: connect(&app, "haem", haem, &clock),
            peers,
            installation,
            clock,
            app,
            receiver,
            number: 0,
            orders: 0,
            sent: 0,
        }
    }

    fn restart(mut self) -> Self {
        self.app.shutdown().unwrap();
        self.app = self.installation.start_at(&self.clock);
        let [chem, haem] = &self.peers;
        self.chemistry = connect(&self.app, "chem", chem, &self.clock);
        self.haematology = connect(&self.app, "haem", haem, &self.clock);
        self
    }

    /// One result of the chemistry analyzer, with this code of LOINC and a clock that is off by so many seconds.
    fn result(&mut self, code: &str, off_s: i64) -> String {
        self.number += 1;
        let number = self.number;
        let clock = Timestamp::from_seconds(self.clock.now().as_seconds() + off_s);
        let message = format!(
            "MSH|^~\\&|COBAS|LAB|||{}+0000||ORU^R01^ORU_R01|C{number}|P|2.5.1|{number}\r\
             PID|1||4711^^^LAB^MR||MUSTERFRAU^ERIKA||19640812|F\r\
             OBR|1||ACC-{number}|2345-7^Glucose^LN\r\
             OBX|1|NM|{code}^^LN||5.4|mmol/L|||||F\r",
            written(clock)
        );
        assert_eq!(self.chemistry.send(&message).as_deref(), Some("AA"));
        self.sent += 1;
        message
    }

    /// One result of a Sysmex XN-550, as it writes its tests.
    fn count(&mut self, tests: &[&str]) {
        let header = format!(
            "H|\\^&|||    XN-550^00-24^22723^^^^BD634545||||||||E1394-97|{}",
            written(self.clock.now())
        );
        self.orders += 1;
        let order = format!("O|1||S-{}|^^^^WBC\\^^^^RBC|R", self.orders);
        let results: Vec<String> = (1..)
            .zip(tests)
            .map(|(place, test)| format!("R|{place}|^^^^{test}^1|8.13|10*3/uL||N||F"))
            .collect();
        let mut records = vec![header.as_str(), "P|1|||4711|Doe^Jane", order.as_str()];
        records.extend(results.iter().map(String::as_str));
        records.push("L|1|N");
        assert!(self.haematology.send_astm(&records));
    }

    /// An hour later, looked at.
    fn pass(&self) {
        self.clock.advance(HOUR);
        self.app.core.look_at_behaviour();
    }

    fn hour_of_week(&self) -> i64 {
        (self.clock.now().as_seconds().div_euclid(3_600) + 72).rem_euclid(168)
    }

    fn until_hour(&self, hour: i64) {
        while self.hour_of_week() != hour {
            self.pass();
        }
    }

    /// Usual weeks: both send in each hour from 7 to 18 o'clock, Monday to Friday.
    fn usual_weeks(&mut self, count: u32) {
        for hour in 0..count * 168 {
            if hour / 24 % 7 < 5 && (7..19).contains(&(hour % 24)) {
                self.result("718-7", 2);
                self.count(&["WBC", "RBC", "HGB"]);
            }
            self.pass();
        }
    }

    fn alerts(&self, state: &str) -> Vec<Unusual> {
        let page: UnusualPage = get(&self.app, &format!("behaviour/unusual?state={state}"));
        page.alerts
    }

    fn open(&self) -> Vec<String> {
        let mut kinds: Vec<String> = self
            .alerts("open")
            .into_iter()
            .map(|one| one.kind)
            .collect();
        kinds.sort();
        kinds
    }

    fn entries(&self, action: &str) -> usize {
        let page: Entries = get(
            &self.app,
            &format!("ledger/entries?limit=1000&action={action}"),
        );
        page.entries.len()
    }

    fn answer(&self, alert: u64, answer: &str) {
        let body = json!({ "alert": alert, "answer": answer, "why": WHY });
        let _: Done = post(&self.app, "behaviour/answer", &body);
    }

    fn finding(&self) -> Option<String> {
        let found: Value = get(&self.app, "check");
        let all = found["findings"].as_array().unwrap();
        let mine = all.iter().find(|one| one["code"] == "check.device-unusual");
        mine.map(ToString::to_string)
    }
}

#[test]
fn what_analyzers_do_otherwise_is_told_and_their_messages_are_delivered_all_the_same() {
    let mut lab = Lab::start();
    lab.usual_weeks(1);
    let behaviours: Behaviours = get(&lab.app, "behaviour");
    assert_eq!(behaviours.devices.len(), 2);
    for device in &behaviours.devices {
        let learning = device.learning.unwrap();
        assert_eq!(
            (learning.day, learning.days, learning.active_days),
            (7, 14, 5)
        );
    }
    lab.usual_weeks(2);
    assert_eq!(lab.alerts("all"), []);
    assert_eq!((lab.entries("behaviour.alerted"), lab.finding()), (0, None));
    let behaviours: Behaviours = get(&lab.app, "behaviour");
    let haem = behaviours
        .devices
        .iter()
        .find(|one| one.types == ["ASTM^R"])
        .unwrap();
    assert!(haem.learning.is_none());
    assert_eq!(haem.tests, ["HGB", "RBC", "WBC"]);
    assert_eq!(haem.hours, (7..19).collect::<Vec<u8>>());

    // What was learned outlives a restart, and a restart is no silence.
    let mut lab = lab.restart();
    let again: Behaviours = get(&lab.app, "behaviour");
    assert_eq!(
        again
            .devices
            .iter()
            .find(|one| one.device == haem.device)
            .unwrap()
            .tests,
        haem.tests
    );

    // Monday of the fourth week, 03:00: an hour at which nobody ever sent; and a test that is new.
    lab.until_hour(3);
    let odd = lab.result("94531-1", 2);
    lab.pass();
    assert_eq!(lab.open(), ["new-test", "unusual-hour"]);
    let mut delivered: Vec<Vec<u8>> = (0..lab.sent).map(|_| lab.receiver.next()).collect();
    let delivered = delivered.pop().unwrap();
    assert_eq!(
        String::from_utf8(delivered).unwrap(),
        odd,
        "the message itself is delivered"
    );
    let alerts = lab.alerts("open");
    let test = alerts.iter().find(|one| one.kind == "new-test").unwrap();
    assert!(
        test.text.starts_with("Sent the test 94531-1 at "),
        "{}",
        test.text
    );
    assert!(lab.finding().unwrap().contains("new-test"));
    assert_eq!(lab.entries("behaviour.alerted"), 2);
    let said = json!(alerts).to_string();
    assert!(!said.contains("4711") && !said.contains("MUSTERFRAU"));

    // A person says that the test is expected: it is usual from then on. The hour is not.
    lab.answer(test.id, "expected");
    let hour = alerts
        .iter()
        .find(|one| one.kind == "unusual-hour")
        .unwrap();
    lab.answer(hour.id, "unexpected");
    assert_eq!((lab.open().len(), lab.finding()), (0, None));
    let body = json!({ "alert": test.id, "answer": "expected", "why": WHY });
    let again = request(
        &lab.app,
        "POST",
        "behaviour/answer",
        body.to_string().as_bytes(),
    );
    assert_eq!(again.code(), "behaviour.closed");
    lab.until_hour(7);
    lab.result("94531-1", 2);
    lab.pass();
    assert_eq!(lab.open(), [] as [&str; 0]);

    // The XN-550 is silent in hours in which it always sent, until it sends again.
    for hour in 8..11 {
        lab.until_hour(hour);
        lab.result("718-7", 2);
    }
    lab.pass();
    assert_eq!(lab.open(), ["silent"]);
    lab.count(&["WBC", "RBC", "HGB"]);
    lab.pass();
    assert_eq!(lab.open(), [] as [&str; 0]);
    assert_eq!(lab.entries("behaviour.ended"), 1);

    // Tuesday: a clock that is two hours off is told when its day is over.
    for hour in 24 + 7..24 + 19 {
        lab.until_hour(hour);
        lab.result("718-7", 7_200);
        lab.count(&["WBC", "RBC", "HGB"]);
    }
    lab.until_hour(48);
    let kinds = lab.open();
    assert!(kinds.contains(&"clock-off".to_owned()), "{kinds:?}");
    let alerts = lab.alerts("open");
    let clock = alerts.iter().find(|one| one.kind == "clock-off").unwrap();
    assert!(
        clock.text.contains("its clock was 2 h ahead of ours"),
        "{}",
        clock.text
    );
    lab.answer(clock.id, "unexpected");

    // A gap in its numbers.
    lab.until_hour(48 + 7);
    lab.number += 500;
    lab.result("718-7", 2);
    lab.pass();
    assert_eq!(lab.open(), ["sequence-gap"]);
    lab.app.shutdown().unwrap();
}

#[test]
fn messages_that_come_faster_than_they_are_looked_at_are_counted_and_are_no_gap() {
    let mut lab = Lab::start();
    lab.usual_weeks(3);
    lab.until_hour(7);
    let core = Arc::clone(&lab.app.core);
    // The thread that looks is held up, as by a slow disk.
    let held = core.watching.hold();
    for _ in 0..3 {
        lab.result("718-7", 2);
    }
    core.watching.fill();
    for _ in 0..5 {
        lab.result("718-7", 2);
    }
    drop(held);
    lab.app.core.look_at_behaviour();
    let behaviours: Behaviours = get(&lab.app, "behaviour");
    assert_eq!(behaviours.dropped, 5);
    lab.result("718-7", 2);
    lab.clock.advance(Duration::from_secs(60));
    lab.app.core.look_at_behaviour();
    // What came at once is far more than usual; what did not fit is no gap.
    assert_eq!(lab.open(), ["too-many"]);
    assert_eq!(lab.alerts("all").len(), 1);
    lab.app.shutdown().unwrap();
}
