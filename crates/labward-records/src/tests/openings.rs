//! Emergency access: bounded, known after a restart, and reviewed by somebody else, once.

use super::*;
use crate::reserve::{OPENING, Opening, Standing, Verdict};
use crate::{Recorded, Reserve, ReserveSetup};
use labward_base::Clock as _;
use labward_base::id::RecordId;
use labward_os::set_aside;
use labward_testkit::vfs::{Fault, FaultVfs};
use std::time::Duration;

const OTHER: PersonId = PersonId::new(8);
const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);
const NOTE: &str = "the ward confirms it";

/// A lab with one record and a reserve.
struct Ward {
    lab: Lab,
    vfs: FaultVfs,
    open: Open,
    reserve: Reserve,
    record: RecordId,
}

impl Ward {
    fn new(name: &str) -> Self {
        let lab = Lab::new();
        let vfs = FaultVfs::register(name);
        let open = lab.start_on(Some(name));
        let record = open.keep(&result("4711^^^A^MR", "Gusikowski")).record;
        set_aside(&lab.data.join("reserve"), 64 * 4_096).unwrap();
        let reserve = reserve_of(&lab, &open);
        Self {
            lab,
            vfs,
            open,
            reserve,
            record,
        }
    }

    fn read(&self, by: PersonId) -> Recorded {
        let (records, record) = (&self.open.records, self.record);
        let shown = self.reserve.show(records, record, by, WHY, HALF_AN_HOUR);
        shown.unwrap().recorded
    }

    fn begin(&self) -> Standing {
        self.reserve.open_glass(ME, WHY, HALF_AN_HOUR).unwrap().0
    }

    fn pass(&self, minutes: u64) {
        self.lab.clock.advance(Duration::from_secs(60 * minutes));
    }

    fn all(&self) -> Vec<Opening> {
        self.reserve.openings(false, None, 100).unwrap()
    }

    fn only(&self) -> Opening {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    }

    fn review(&self, number: EntryIndex, by: PersonId) -> Result<EntryIndex, &'static str> {
        let reviewed = self.reserve.review(number, by, Verdict::Appropriate, NOTE);
        reviewed.map_err(|error| error.problem().code)
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

#[test]
fn an_emergency_access_ends_by_itself_and_the_next_reading_opens_another() {
    let ward = Ward::new("opening-bounded");
    let standing = ward.begin();
    assert_eq!(standing.until().since(standing.opened()), HALF_AN_HOUR);
    let again = ward.reserve.open_glass(ME, WHY, HALF_AN_HOUR).unwrap_err();
    assert_eq!(again.problem().code, "break-glass.open");
    ward.pass(29);
    ward.read(ME);
    assert_eq!(
        ward.only().until,
        standing.until(),
        "reading lengthens nothing"
    );
    ward.pass(1);
    assert_eq!(ward.reserve.standing_of(ME), None);
    ward.read(ME);
    let [second, first] = ward.all().try_into().unwrap();
    assert!(first.is_over(ward.lab.clock.now()) && !second.is_over(ward.lab.clock.now()));
    for (opening, readings) in [(first, 1), (second, 1)] {
        let shown = ward.reserve.opening(opening.number).unwrap();
        assert_eq!(
            (shown.why.as_deref(), shown.readings.len()),
            (Some(WHY), readings)
        );
        assert_eq!(shown.readings[0].record, Some(ward.record));
    }
}

#[test]
fn every_reading_names_its_opening_and_two_people_do_not_share_one() {
    let ward = Ward::new("opening-names");
    ward.begin();
    ward.read(ME);
    ward.read(OTHER);
    let [other, mine] = ward.all().try_into().unwrap();
    assert_eq!((mine.person, other.person), (ME, OTHER));
    let leaves = ward.open.leaves();
    let under = leaves
        .iter()
        .filter_map(|leaf| Some((leaf.actor, leaf.facts.get_number(OPENING)?)));
    let expected = [(ME, &mine), (OTHER, &other)]
        .map(|(person, one)| (Actor::Person(person), one.number.as_sql()));
    assert_eq!(under.collect::<Vec<_>>(), expected);
}

#[test]
fn it_is_reviewed_by_somebody_else_when_it_is_over_and_once() {
    let ward = Ward::new("opening-review");
    ward.begin();
    ward.read(ME);
    let number = ward.only().number;
    assert_eq!(ward.review(number, OTHER), Err("break-glass.still-open"));
    ward.reserve.end_glass(ME).unwrap();
    let nothing = ward.reserve.end_glass(ME).unwrap_err();
    assert_eq!(nothing.problem().code, "break-glass.none");
    assert!(ward.only().is_ended_early);
    assert_eq!(ward.review(number, ME), Err("break-glass.own"));
    let nowhere = EntryIndex::new(number.get() + 1);
    assert_eq!(ward.review(nowhere, OTHER), Err("break-glass.none"));
    assert!(
        ward.only().review.is_none(),
        "what is refused changes nothing"
    );
    let entry = ward.review(number, OTHER).unwrap();
    assert_eq!(ward.review(number, OTHER), Err("break-glass.reviewed"));
    let leaf = ward.open.leaves().pop().unwrap();
    assert_eq!(
        (leaf.index, leaf.action),
        (entry, Action::BreakGlassReviewed)
    );
    assert_eq!(leaf.facts.get_text("verdict"), Some("appropriate"));
    assert!(ward.reserve.openings(true, None, 100).unwrap().is_empty());
    assert!(!ward.lab.holds(WHY.as_bytes()) && !ward.lab.holds(NOTE.as_bytes()));
}

#[test]
fn what_is_open_and_what_was_reviewed_is_known_after_a_restart() {
    let ward = Ward::new("opening-restart");
    let standing = ward.begin();
    ward.read(ME);
    ward.read(OTHER);
    ward.reserve.end_glass(OTHER).unwrap();
    let other = ward.all()[0].number;
    ward.review(other, ME).unwrap();
    let again = reserve_of(&ward.lab, &ward.open);
    assert_eq!(again.standing_of(ME), Some(standing));
    assert_eq!(again.standing_of(OTHER), None);
    let shown = again.opening(other).unwrap();
    let review = shown.opening.review.unwrap();
    assert_eq!((review.verdict, review.by), (Verdict::Appropriate, ME));
    assert_eq!(shown.note.as_deref(), Some(NOTE));
}

#[test]
fn on_a_full_disk_it_is_opened_read_and_ended_in_the_reserve_and_reviewed_after_the_merge() {
    let ward = Ward::new("opening-full");
    ward.vfs.fail_writes_with(Some(Fault::NoSpace));
    let standing = ward.begin();
    ward.pass(1);
    assert!(matches!(ward.read(ME), Recorded::Reserve(_)));
    ward.pass(1);
    let ended = ward.lab.clock.now();
    ward.reserve.end_glass(ME).unwrap();
    assert!(ward.all().is_empty(), "the database could not be written");
    ward.vfs.fail_writes_with(None);
    ward.pass(60);
    assert_eq!(ward.reserve.merge(None).unwrap().readings, 1);
    let opening = ward.only();
    assert_eq!((opening.opened, opening.until), (standing.opened(), ended));
    assert_eq!(ward.reserve.standing_of(ME), None);
    let shown = ward.reserve.opening(opening.number).unwrap();
    assert_eq!(shown.why.as_deref(), Some(WHY));
    assert_eq!(shown.readings[0].time, ended.minus(Duration::from_secs(60)));
    ward.vfs.fail_writes_with(Some(Fault::NoSpace));
    assert_eq!(ward.review(opening.number, OTHER), Err("store.unwritable"));
    ward.vfs.fail_writes_with(None);
    ward.review(opening.number, OTHER).unwrap();
}

#[test]
fn one_that_began_in_the_ledger_is_not_reviewed_while_readings_of_it_wait_in_the_reserve() {
    let ward = Ward::new("opening-waits");
    ward.begin();
    ward.vfs.fail_writes_with(Some(Fault::NoSpace));
    ward.read(ME);
    ward.vfs.fail_writes_with(None);
    ward.pass(31);
    let number = ward.only().number;
    assert_eq!(ward.review(number, OTHER), Err("break-glass.waiting"));
    ward.reserve.merge(None).unwrap();
    let shown = ward.reserve.opening(number).unwrap();
    assert_eq!(shown.readings.len(), 1, "the same one");
    ward.review(number, OTHER).unwrap();
}
