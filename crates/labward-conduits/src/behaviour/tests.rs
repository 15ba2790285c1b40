//! Weeks of a device, and what becomes of what it does otherwise.

use std::time::Duration;

use labward_base::Clock as _;
use labward_base::id::NodeId;
use labward_behaviour::SenderClock;
use labward_ledger::{Leaf, LedgerJournal, entries};
use labward_store::Options;
use labward_testkit::{FakeClock, TempDir};

use super::*;

const SITE: SiteId = SiteId::new(1);
const OFFICER: PersonId = PersonId::new(4);
const ANALYZER: DeviceId = DeviceId::new(7);
const HOUR: Duration = Duration::from_secs(3_600);

struct Lab {
    _folder: TempDir,
    clock: FakeClock,
    store: Store,
    behaviours: Behaviours,
    number: u64,
}

impl Lab {
    /// A device that was watched for four weeks: each hour from 7 to 18 o'clock, Monday to Friday.
    fn learned() -> Self {
        let folder = TempDir::new();
        // A Monday.
        let clock = FakeClock::new(Timestamp::from_seconds(1_767_571_200));
        let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
        let migrations = [labward_ledger::MIGRATIONS, crate::BEHAVIOUR_MIGRATIONS].concat();
        let options = Options::new(folder.join("db.sqlite"));
        let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
        let load = |now| Behaviours::load(store.clone(), SITE, Settings::default(), now);
        let behaviours = load(clock.now()).unwrap();
        let mut lab = Self {
            _folder: folder,
            clock,
            store,
            behaviours,
            number: 0,
        };
        for hour in 0..28 * 24 {
            if (hour / 24) % 7 < 5 && (7..19).contains(&(hour % 24)) {
                lab.send("GLU");
            }
            assert_eq!(lab.pass(1), [] as [&str; 0]);
        }
        lab
    }

    fn send(&mut self, test: &str) {
        self.number += 1;
        let event = Event {
            at: self.clock.now(),
            message_type: "ORU^R01",
            tests: &[test],
            sequence: Some(self.number),
            sender_clock: Some(SenderClock {
                at: self.clock.now(),
                has_zone: true,
            }),
        };
        self.behaviours.observe(ANALYZER, &event);
    }

    /// So many hours later; the codes of what is told.
    fn pass(&self, hours: u32) -> Vec<&'static str> {
        self.clock.advance(HOUR * hours);
        self.look()
    }

    fn look(&self) -> Vec<&'static str> {
        let present = [ANALYZER].into();
        let told = self.behaviours.look(&present, self.clock.now()).unwrap();
        told.iter().map(|one| one.kind).collect()
    }

    fn restart(&mut self) {
        let now = self.clock.now();
        self.behaviours.save(now).unwrap();
        let load = Behaviours::load(self.store.clone(), SITE, Settings::default(), now);
        self.behaviours = load.unwrap();
    }

    fn answer(&self, alert: AlertId, is_expected: bool) -> Result<EntryIndex, ConduitsError> {
        let answer = Answer { alert, is_expected };
        let now = self.clock.now();
        self.behaviours.answer(answer, OFFICER, vec![1; 80], now)
    }

    fn open(&self) -> Vec<Unusual> {
        let mut all = self.behaviours.alerts();
        all.retain(|one| one.closed.is_none());
        all
    }

    fn actions(&self) -> Vec<String> {
        let rows = self
            .store
            .read(|snapshot| entries(snapshot, EntryIndex::new(0), 1_000));
        let rows = Result::<_, StoreError>::unwrap(rows);
        let leaves = rows.iter().map(|row| Leaf::parse(&row.leaf).unwrap());
        leaves.map(|leaf| leaf.action.to_string()).collect()
    }
}

#[test]
fn usual_weeks_write_no_entry_and_are_known_after_a_restart() {
    let mut lab = Lab::learned();
    assert!(lab.actions().is_empty());
    let known = lab.behaviours.known(lab.clock.now());
    assert!(known[0].progress.is_over);
    assert_eq!(known[0].usual.tests, ["GLU".into()]);
    lab.restart();
    let read = lab.behaviours.known(lab.clock.now());
    assert_eq!(read[0].usual.types, known[0].usual.types);
    assert_eq!(read[0].usual.hours, known[0].usual.hours);
    assert_eq!(
        lab.behaviours.save(lab.clock.now()).unwrap(),
        0,
        "nothing changed"
    );
}

#[test]
fn one_alert_a_kind_and_day_until_a_person_expects_it() {
    let mut lab = Lab::learned();
    lab.pass(8);
    for test in ["HIV1", "HIV2", "HIV1"] {
        lab.send(test);
        lab.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(lab.look(), ["new-test"]);
    let alert = lab.open().remove(0);
    assert_eq!((alert.id, alert.count, alert.seen.len()), (1, 2, 2));
    lab.send("HIV3");
    assert_eq!(lab.pass(1), [] as [&str; 0], "it is told already");
    assert_eq!(lab.open()[0].count, 3);
    assert_eq!(lab.actions(), ["behaviour.alerted"]);
    lab.restart();
    assert_eq!(lab.open()[0].seen.len(), 3);
    lab.answer(1, true).unwrap();
    lab.restart();
    assert!(lab.open().is_empty());
    lab.clock.advance(HOUR * 24);
    lab.send("HIV2");
    lab.clock.advance(Duration::from_secs(1));
    assert_eq!(lab.look(), [] as [&str; 0], "it is usual now");
    assert_eq!(lab.actions(), ["behaviour.alerted", "behaviour.answered"]);
    assert!(matches!(
        lab.answer(1, true),
        Err(ConduitsError::AlertClosed(1))
    ));
    assert!(matches!(
        lab.answer(9, true),
        Err(ConduitsError::NoAlert(9))
    ));
}

#[test]
fn what_is_not_expected_is_told_again_on_another_day_only() {
    let mut lab = Lab::learned();
    lab.pass(8);
    lab.send("HIV1");
    assert_eq!(lab.pass(1), ["new-test"]);
    lab.answer(1, false).unwrap();
    lab.send("HIV2");
    assert_eq!(lab.pass(1), [] as [&str; 0]);
    lab.clock.advance(HOUR * 22);
    lab.send("HIV2");
    lab.clock.advance(Duration::from_secs(1));
    assert_eq!(lab.look(), ["new-test"]);
    assert_eq!(lab.open()[0].id, 2);
}

#[test]
fn silence_is_over_when_the_device_sends_and_a_start_is_no_silence() {
    let mut lab = Lab::learned();
    lab.pass(7);
    lab.send("GLU");
    assert_eq!(lab.pass(3), [] as [&str; 0]);
    lab.restart();
    assert_eq!(
        lab.pass(1),
        [] as [&str; 0],
        "nobody knows what came meanwhile"
    );
    assert_eq!(lab.pass(3), ["silent"]);
    let said = lab.open()[0].seen[0].saying().to_string();
    assert!(
        said.starts_with("Has sent nothing since 2026-02-02 07:00"),
        "{said}"
    );
    lab.send("GLU");
    assert_eq!(lab.pass(1), [] as [&str; 0]);
    assert!(lab.open().is_empty());
    assert_eq!(lab.actions(), ["behaviour.alerted", "behaviour.ended"]);
}

#[test]
fn events_that_were_dropped_are_no_gap_and_no_silence() {
    let mut lab = Lab::learned();
    lab.clock.advance(HOUR * 12);
    lab.behaviours.lost(lab.clock.now());
    lab.number += 40;
    lab.send("GLU");
    assert_eq!(lab.pass(2), [] as [&str; 0]);
    assert!(lab.actions().is_empty());
}

#[test]
fn a_device_that_is_gone_ends_its_alerts_and_tells_nothing() {
    let mut lab = Lab::learned();
    lab.pass(8);
    lab.send("HIV1");
    assert_eq!(lab.pass(1), ["new-test"]);
    let none = BTreeSet::new();
    lab.clock.advance(HOUR * 9);
    assert!(
        lab.behaviours
            .look(&none, lab.clock.now())
            .unwrap()
            .is_empty()
    );
    assert!(lab.open().is_empty());
    assert_eq!(lab.actions(), ["behaviour.alerted", "behaviour.ended"]);
}
