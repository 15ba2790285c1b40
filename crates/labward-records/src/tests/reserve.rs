//! Break-glass: while the ledger cannot be written a reading is durable in the reserve before it is
//! answered, and afterwards in the ledger, once.

use super::*;
use crate::reserve::{BREAK_GLASS, READ_AT};
use crate::{Merged, Recorded, Reserve, ReserveSetup};
use labward_base::Clock as _;
use labward_base::id::RecordId;
use labward_ledger::{Fact, Outcome, Subject};
use labward_os::set_aside;
use labward_seal::sha256;
use labward_testkit::vfs::{Fault, FaultVfs};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const PAGE: usize = 4096;
const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

/// A lab whose disk can be full, with one record and a reserve of so many pages.
struct BadDay {
    lab: Lab,
    vfs: FaultVfs,
    open: Open,
    reserve: Reserve,
    record: RecordId,
}

impl BadDay {
    fn new(name: &str, pages: u64) -> Self {
        let lab = Lab::new();
        let vfs = FaultVfs::register(name);
        let open = lab.start_on(Some(name));
        let record = open.keep(&result("4711^^^A^MR", "Gusikowski")).record;
        set_aside(&lab.data.join("reserve"), pages * PAGE as u64).unwrap();
        let reserve = reserve_of(&lab, &open);
        Self {
            lab,
            vfs,
            open,
            reserve,
            record,
        }
    }

    fn path(&self) -> PathBuf {
        self.lab.data.join("reserve")
    }

    fn fill_disk(&self) {
        self.vfs.fail_writes_with(Some(Fault::NoSpace));
    }

    fn make_room(&self) {
        self.vfs.fail_writes_with(None);
    }

    fn read(&self) -> Result<Recorded, RecordsError> {
        let shown = self
            .reserve
            .show(&self.open.records, self.record, ME, WHY, HALF_AN_HOUR)?;
        assert!(shown.view.to_string().contains("Gusikowski"));
        Ok(shown.recorded)
    }

    /// What the ledger says of break-glass readings: the number in the reserve, and when.
    fn merged(&self) -> Vec<(i64, String)> {
        let leaves = self.open.leaves().into_iter();
        leaves
            .filter(|leaf| leaf.facts.get_text(BREAK_GLASS) == Some("reserve"))
            .map(|leaf| {
                let number = leaf.facts.get_number("reserve").unwrap();
                (
                    number,
                    leaf.facts.get_text(READ_AT).unwrap_or_default().to_owned(),
                )
            })
            .collect()
    }
}

fn reserve_of(lab: &Lab, open: &Open) -> Reserve {
    Reserve::open(ReserveSetup {
        path: lab.data.join("reserve"),
        store: open.store.clone(),
        keys: open.keys.clone(),
        clock: Arc::new(lab.clock.clone()),
        site: SITE,
        node: NODE,
    })
    .unwrap()
}

/// A reading as the file's description says it, sealed or not.
fn page(number: u64, sealed: &[u8]) -> Vec<u8> {
    let mut bytes = b"LBRESRV1".to_vec();
    bytes.extend(number.to_be_bytes());
    bytes.extend(u32::try_from(sealed.len()).unwrap().to_be_bytes());
    bytes.extend(sealed);
    let digest = sha256(&bytes);
    bytes.extend(digest);
    bytes.resize(PAGE, 0);
    bytes
}

#[test]
fn while_the_ledger_can_be_written_a_break_glass_reading_is_an_entry_that_says_so() {
    let day = BadDay::new("glass-ledger", 8);
    let recorded = day.read().unwrap();
    let leaf = day.open.leaves().pop().unwrap();
    assert_eq!(recorded, Recorded::Entry(leaf.index));
    assert_eq!(leaf.action, Action::RecordShown);
    assert_eq!(leaf.facts.get_text(BREAK_GLASS), Some("ledger"));
    assert_eq!(day.reserve.state().used_bytes, 0);
}

#[test]
fn a_break_glass_reading_on_a_full_disk_is_in_the_reserve_sealed_before_it_is_answered() {
    let day = BadDay::new("glass-full", 32);
    day.fill_disk();
    let refused = day.open.records.show(day.record, ME, WHY);
    let refused = refused.err().unwrap();
    assert_eq!(refused.problem().code, "records.not-recorded");
    let refused = day.open.records.find(&by_mrn("4711"), ME, WHY).unwrap_err();
    assert_eq!(refused.problem().code, "records.not-recorded");
    assert_eq!(day.read().unwrap(), Recorded::Reserve(1));
    // The record was never taken into the index, which needs a write.
    let found = day
        .reserve
        .find(&day.open.records, &by_mrn("4711"), ME, WHY, HALF_AN_HOUR)
        .unwrap();
    assert_eq!(found.recorded, Recorded::Reserve(2));
    assert_eq!(found.patients[0].records[0].record, day.record);
    assert_eq!(found.patients[0].record_count, 1);

    // What another process would find if this one died now.
    let state = reserve_of(&day.lab, &day.open).state();
    assert_eq!((state.waiting, state.used_bytes), (2, 2 * PAGE as u64));
    assert!(state.is_usable());
    assert!(!day.lab.holds(WHY.as_bytes()) && !day.lab.holds(b"4711"));
}

#[test]
fn what_was_read_on_a_bad_day_is_merged_in_order_once_with_its_own_time() {
    let day = BadDay::new("glass-merge", 1024);
    day.fill_disk();
    let since = day.lab.clock.now();
    let mut expected = Vec::new();
    for number in 1..=600 {
        day.lab.clock.advance(Duration::from_secs(1));
        assert_eq!(day.read().unwrap(), Recorded::Reserve(number));
        expected.push((number.try_into().unwrap(), day.lab.clock.now().to_rfc3339()));
    }
    let failed = day.reserve.merge(Some(since)).unwrap_err();
    assert_eq!(failed.problem().code, "store.unwritable");
    assert_eq!(day.reserve.state().waiting, 600);
    let copy = fs::read(day.path()).unwrap();
    day.make_room();
    day.lab.clock.advance(Duration::from_secs(3_600));
    let merged = day.reserve.merge(Some(since)).unwrap();
    assert_eq!(
        (merged.readings, merged.missing, merged.unreadable),
        (600, 0, 0)
    );
    assert_eq!(day.merged(), expected);
    let end = day.open.leaves().pop().unwrap();
    assert_eq!(end.action, Action::LedgerResumed);
    assert_eq!(end.facts.get_number("readings"), Some(600));
    assert_eq!(
        end.facts.get_text("since"),
        Some(since.to_rfc3339().as_str())
    );
    assert_eq!(day.reserve.state().used_bytes, 0);

    // A crash came before the file was wiped: all of it is there again.
    fs::write(day.path(), copy).unwrap();
    let again = reserve_of(&day.lab, &day.open);
    assert_eq!(again.state().waiting, 0);
    assert_eq!(again.merge(None).unwrap(), Merged::default());
    assert_eq!(day.merged(), expected);

    // Who read it, when and why: as if it had been written then.
    let patient = day
        .open
        .records
        .find(&by_mrn("4711"), ME, WHY)
        .unwrap()
        .patients[0]
        .patient;
    let accesses = day.open.records.every_access(&[patient]).unwrap();
    let first = accesses
        .iter()
        .find(|access| access.action == Action::RecordShown);
    let first = first.unwrap();
    assert_eq!(first.time, since.plus(Duration::from_secs(1)));
    assert_eq!(
        (first.actor, first.why.as_deref()),
        (Actor::Person(ME), Some(WHY))
    );
    assert!(first.is_break_glass);
}

#[test]
fn all_results_are_read_by_break_glass_and_the_ledger_says_afterwards_which_records_they_were() {
    let day = BadDay::new("glass-results", 8);
    let found = day.open.records.find(&by_mrn("4711"), ME, WHY).unwrap();
    let patient = found.patients[0].patient;
    day.fill_disk();
    let refused = day.open.records.results(patient, ME, WHY);
    assert!(matches!(refused, Err(RecordsError::NotRecorded(_))));
    let results = day
        .reserve
        .results(&day.open.records, patient, ME, WHY, HALF_AN_HOUR);
    let results = results.unwrap();
    assert_eq!(results.recorded, Recorded::Reserve(1));
    assert_eq!(results.tests[0].values[0].value, "5.1");
    day.make_room();
    day.reserve.merge(None).unwrap();
    let leaves = day.open.leaves();
    let leaf = leaves
        .iter()
        .find(|leaf| leaf.facts.get_text("what") == Some("results"))
        .unwrap();
    let record = Fact::Number(day.record.get().try_into().unwrap());
    assert_eq!(leaf.facts.get("records"), Some(&Fact::List(vec![record])));
    assert_eq!(
        (leaf.patient, leaf.facts.get_text(BREAK_GLASS)),
        (Some(patient), Some("reserve"))
    );
}

#[test]
fn what_a_crash_left_behind_a_merge_is_wiped_by_the_next_start_and_not_merged_again() {
    let day = BadDay::new("glass-left", 8);
    day.fill_disk();
    day.read().unwrap();
    day.read().unwrap();
    let before = fs::read(day.path()).unwrap();
    day.make_room();
    day.reserve.merge(None).unwrap();
    // As if it had ended behind the commit and before the wiping.
    fs::write(day.path(), before).unwrap();
    let reserve = reserve_of(&day.lab, &day.open);
    assert!(reserve.state().used_bytes > 0);
    assert_eq!(reserve.merge(None).unwrap(), Merged::default());
    assert_eq!(reserve.state().used_bytes, 0);
    assert_eq!(day.merged().len(), 2);
}

#[test]
fn numbers_go_on_after_a_merge_and_a_second_bad_day_is_merged_too() {
    let day = BadDay::new("glass-twice", 8);
    for first in [1, 3] {
        day.fill_disk();
        assert_eq!(day.read().unwrap(), Recorded::Reserve(first));
        assert_eq!(day.read().unwrap(), Recorded::Reserve(first + 1));
        day.make_room();
        assert_eq!(day.reserve.merge(None).unwrap().readings, 2);
    }
    let numbers: Vec<i64> = day.merged().iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(day.reserve.merge(None).unwrap(), Merged::default());
}

#[test]
fn a_full_or_missing_reserve_refuses_and_shows_nothing() {
    let day = BadDay::new("glass-no-room", 2);
    day.fill_disk();
    for number in [1, 2] {
        assert_eq!(day.read().unwrap(), Recorded::Reserve(number));
    }
    let full = day.read().unwrap_err();
    assert_eq!(full.problem().code, "records.reserve-full");
    assert!(!day.reserve.state().is_usable());
    fs::rename(day.path(), day.lab.data.join("elsewhere")).unwrap();
    let missing = reserve_of(&day.lab, &day.open);
    let refused = missing.show(&day.open.records, day.record, ME, WHY, HALF_AN_HOUR);
    let refused = refused.err().unwrap();
    assert_eq!(refused.problem().code, "records.reserve-unusable");
    day.make_room();
    assert_eq!(day.reserve.merge(None).unwrap().readings, 2);
    assert!(matches!(day.read(), Ok(Recorded::Entry(_))), "room again");
}

#[test]
fn a_reading_that_was_changed_or_lost_in_the_reserve_is_said_in_the_ledger() {
    let day = BadDay::new("glass-changed", 8);
    day.fill_disk();
    for _ in 0..4 {
        day.read().unwrap();
    }
    let mut bytes = fs::read(day.path()).unwrap();
    // The second is replaced by a forgery with a good checksum, the third by noise.
    bytes[PAGE..2 * PAGE].copy_from_slice(&page(2, b"nobody was here"));
    bytes[2 * PAGE..3 * PAGE].fill(7);
    fs::write(day.path(), bytes).unwrap();
    day.make_room();
    let merged = day.reserve.merge(None).unwrap();
    let expected = Merged {
        readings: 2,
        missing: 1,
        unreadable: 1,
        unfinished: 1,
    };
    assert_eq!(merged, expected);
    let leaves = day.open.leaves();
    let [.., first, second, fourth, end] = leaves.as_slice() else {
        panic!("{leaves:?}")
    };
    let damaged = Outcome::Failed("records.damaged".to_owned());
    for (leaf, number, outcome) in [
        (first, 1, &Outcome::Success),
        (second, 2, &damaged),
        (fourth, 4, &Outcome::Success),
    ] {
        assert_eq!(leaf.facts.get("reserve"), Some(&Fact::Number(number)));
        assert_eq!(leaf.outcome, *outcome);
    }
    assert_eq!((&end.subject, &end.outcome), (&Subject::Ledger, &damaged));
    assert_eq!(end.facts.get_number("missing"), Some(1));
}

#[test]
fn a_sealed_reading_does_not_open_under_another_number() {
    let day = BadDay::new("glass-moved", 8);
    day.fill_disk();
    day.read().unwrap();
    let bytes = fs::read(day.path()).unwrap();
    let length = u32::from_be_bytes(bytes[16..20].try_into().unwrap());
    let sealed = bytes[20..20 + length as usize].to_vec();
    let mut moved = bytes;
    moved[PAGE..2 * PAGE].copy_from_slice(&page(2, &sealed));
    fs::write(day.path(), moved).unwrap();
    day.make_room();
    let merged = reserve_of(&day.lab, &day.open).merge(None).unwrap();
    assert_eq!((merged.readings, merged.unreadable), (1, 1));
}
