//! Verification of a whole ledger where it lives: rows against their own digests, the tree head, the
//! tiles and every checkpoint that was ever signed.
//!
//! It must never stop at the first fault: each is named by its place. Memory does not grow with the
//! ledger. The publisher must not work on the folder meanwhile.

use std::path::Path;

use labward_base::id::{EntryIndex, NodeId};
use labward_base::{Remark, Timestamp, remark};
use labward_store::{Query, Store};

use crate::action::{Action, Subject};
use crate::checkpoint::Checkpoint;
use crate::cosigned::{COSIGNED_FOLDER, CosignedNote, cosigned_notes};
use crate::derived::Files;
use crate::entry::{Leaf, PayloadDigest};
use crate::error::LedgerError;
use crate::note::{Note, VerifierKey};
use crate::store::{self, StoredEntry};
use crate::tree::{Digest, Frontier, leaf_digest};

/// Faults that a report names; further ones are only counted.
pub const FAULTS_MAX: usize = 100;

/// Rows read from the store at a time.
const PAGE: u32 = 256;

/// What was checked and what was found wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Entries walked.
    pub entries: u64,
    /// Payloads that were compared with their digests.
    pub payloads: u64,
    /// Payloads that were dropped, each with an entry that says so.
    pub dropped: u64,
    /// Signed checkpoints whose roots were compared.
    pub checkpoints: u64,
    /// The root that the rows lead to.
    pub root: Option<Digest>,
    /// The first faults, in the order in which they were met.
    pub faults: Vec<Fault>,
    /// How many faults there are.
    pub fault_count: u64,
    /// Checkpoints of witnesses whose roots were compared.
    pub cosigned: u64,
    /// Signed checkpoints that contradict each other, whole, for somebody outside to judge.
    pub evidence: Vec<String>,
}

/// A checkpoint of this ledger that somebody else holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who holds it, as a fault names it.
    pub place: String,
    /// Size and root, signed by the ledger's key.
    pub checkpoint: Checkpoint,
    /// The note with all its signatures.
    pub note: Note,
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: an entry, a row or a file of the ledger's folder.
    pub place: Remark,
    /// What is wrong there.
    pub what: Remark,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.fault_count == 0
    }

    pub(crate) fn fault(&mut self, place: Remark, what: Remark) {
        self.fault_count += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { place, what });
        }
    }
}

impl Known {
    fn of_folder(cosigned: CosignedNote) -> Self {
        Self {
            place: COSIGNED_FOLDER.to_owned(),
            checkpoint: cosigned.checkpoint,
            note: cosigned.note,
        }
    }
}

/// Verifies the ledger of `node`: all rows, and the files below `dir` if it is given, against the
/// key of the ledger.
///
/// # Errors
/// Only what keeps it from looking: the store or a folder that cannot be read. What is wrong with
/// the ledger itself is in the report.
pub fn verify(
    store: &Store,
    node: NodeId,
    published: Option<(&Path, &VerifierKey)>,
) -> Result<VerifyReport, LedgerError> {
    verify_with(store, node, published, Vec::new())
}

/// As [`verify`], and that the entries lead to the roots of the checkpoints that others hold.
///
/// # Errors
/// As [`verify`].
pub fn verify_with(
    store: &Store,
    node: NodeId,
    published: Option<(&Path, &VerifierKey)>,
    mut known: Vec<Known>,
) -> Result<VerifyReport, LedgerError> {
    let mut report = VerifyReport::default();
    if let Some((dir, key)) = published {
        known.extend(cosigned_notes(dir, key)?.into_iter().map(Known::of_folder));
    }
    let files = published
        .map(|(dir, key)| Files::open(dir, key, known, &mut report))
        .transpose()?;
    let (head, last) = store.read(|snapshot| {
        let head = store::tree_head(snapshot, node);
        store::last_ids(snapshot).map(|(last, _)| (head, last))
    })?;
    let head = head.unwrap_or_else(|_| {
        report.fault(remark::tree_head(), remark::unreadable());
        None
    });
    let size = head.as_ref().map_or(0, |head| head.frontier.size());
    if last.map_or(0, |last| last.get() + 1) != size {
        report.fault(remark::tree_head(), remark::head_size());
    }
    let mut walk = Walk {
        node,
        report,
        frontier: Frontier::new(),
        time: None,
        files,
        whole: true,
    };
    walk.rows(store, size)?;
    let Walk {
        mut report,
        frontier,
        time,
        files,
        ..
    } = walk;
    report.root = Some(frontier.root());
    if let Some(head) = head {
        if head.root != frontier.root() || head.frontier != frontier {
            report.fault(remark::tree_head(), remark::head_root());
        }
        if time.is_some_and(|time| time != head.time) {
            report.fault(remark::tree_head(), remark::head_time());
        }
    }
    if let Some(files) = files {
        files.finish(size, &mut report);
    }
    Ok(report)
}

/// What is carried from row to row.
struct Walk<'a> {
    node: NodeId,
    report: VerifyReport,
    frontier: Frontier,
    time: Option<Timestamp>,
    files: Option<Files<'a>>,
    /// Whether no row was missing so far; behind a gap no root can be compared.
    whole: bool,
}

impl Walk<'_> {
    fn rows(&mut self, store: &Store, size: u64) -> Result<(), LedgerError> {
        let mut at = 0;
        self.check_files();
        while at < size {
            let mut dropped = Vec::new();
            let before = at;
            store.read(|snapshot| {
                store::each_entry(snapshot, EntryIndex::new(at), PAGE, &mut |index, row| {
                    if index.get() < size {
                        self.row(at, index, row, &mut dropped);
                        at = index.get() + 1;
                    }
                })?;
                dropped
                    .drain(..)
                    .try_for_each(|(entry, leaf)| self.dropped_payload(snapshot, &entry, &leaf))
            })?;
            if at == before {
                self.gap(at, size);
                at = size;
            }
        }
        Ok(())
    }

    fn row(
        &mut self,
        expected: u64,
        index: EntryIndex,
        row: Option<StoredEntry>,
        dropped: &mut Vec<(StoredEntry, Leaf)>,
    ) {
        self.gap(expected, index.get());
        self.report.entries += 1;
        let Some(row) = row else {
            self.fault(index, remark::row_unreadable());
            self.whole = false;
            return;
        };
        match Leaf::parse(&row.leaf) {
            Err(_) => self.fault(index, remark::leaf_not_canonical()),
            Ok(leaf) => {
                self.columns(&row, &leaf);
                self.payload(&row, &leaf);
                if self.time.is_some_and(|time| leaf.time < time) {
                    self.fault(index, remark::time_before());
                }
                self.time = Some(leaf.time);
                if row.dropped_by.is_some() {
                    let row = StoredEntry {
                        leaf: Vec::new(),
                        payload: None,
                        ..row.clone()
                    };
                    dropped.push((row, leaf));
                }
            }
        }
        let digest = leaf_digest(&row.leaf);
        self.frontier.push(digest);
        if let Some(files) = &mut self.files {
            files.leaf(index.get(), digest, &row.leaf, &mut self.report);
        }
        self.check_files();
    }

    fn gap(&mut self, expected: u64, found: u64) {
        if found > expected {
            let place = match found - expected {
                1 => remark::entry(expected),
                _ => remark::entries(expected, found - 1),
            };
            self.report.fault(place, remark::missing());
            self.whole = false;
        }
    }

    fn columns(&mut self, row: &StoredEntry, leaf: &Leaf) {
        let columns: [(bool, fn() -> Remark); 7] = [
            (leaf.index == row.index, remark::leaf_of_other_place),
            (leaf.node == self.node, remark::leaf_of_other_node),
            (leaf.site == row.site, remark::site_differs),
            (leaf.record == row.record, remark::record_differs),
            (leaf.patient == row.patient, remark::patient_differs),
            (leaf.kind == row.kind, remark::kind_differs),
            (leaf.action.name() == row.action, remark::action_differs),
        ];
        for (same, what) in columns {
            if !same {
                self.fault(row.index, what());
            }
        }
    }

    fn fault(&mut self, entry: EntryIndex, what: Remark) {
        self.report.fault(remark::entry(entry.get()), what);
    }

    fn payload(&mut self, row: &StoredEntry, leaf: &Leaf) {
        match (&row.payload, &leaf.payload) {
            (None, None) if row.dropped_by.is_some() => {
                self.fault(row.index, remark::payload_never_was());
            }
            (None, None) => {}
            (Some(_), None) => self.fault(row.index, remark::payload_added()),
            (None, Some(_)) if row.dropped_by.is_none() => {
                self.fault(row.index, remark::payload_missing());
            }
            (None, Some(_)) => self.report.dropped += 1,
            (Some(payload), Some(digest)) => {
                self.report.payloads += 1;
                if PayloadDigest::of(payload) != Ok(*digest) {
                    self.fault(row.index, remark::payload_differs());
                }
                if row.dropped_by.is_some() {
                    self.fault(row.index, remark::payload_still_there());
                }
            }
        }
    }

    /// Whether the entry that is said to have dropped a payload says so itself.
    fn dropped_payload<Q: Query>(
        &mut self,
        query: &mut Q,
        row: &StoredEntry,
        leaf: &Leaf,
    ) -> Result<(), LedgerError> {
        let Some(by) = row.dropped_by else {
            return Ok(());
        };
        let cause = store::entry(query, by)?.and_then(|entry| Leaf::parse(&entry.leaf).ok());
        let says_so = cause.is_some_and(|cause| {
            let ends = matches!(
                cause.action,
                Action::RecordExpired | Action::PatientDisposed | Action::MessageForwarded
            );
            let about = match cause.subject {
                Subject::Record(record) => leaf.record == Some(record),
                Subject::Patient(patient) => leaf.patient == Some(patient),
                _ => false,
            };
            ends && about && cause.index == by && by > row.index
        });
        if !says_so {
            let place = remark::entry(row.index.get());
            self.report
                .fault(place, remark::payload_dropped_otherwise());
        }
        Ok(())
    }

    /// Compares checkpoints of the present size, and the tiles that end here.
    fn check_files(&mut self) {
        if let Some(files) = &mut self.files {
            files.checkpoints(&self.frontier, self.whole, &mut self.report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::{CHECKPOINT_FILE, HISTORY_FILE};
    use crate::testing::{NODE, TestLedger};
    use labward_store::Value;
    use proptest::prelude::*;
    use std::fs;

    fn published(size: u64) -> TestLedger {
        let ledger = TestLedger::new();
        ledger.fill(0, size);
        ledger.publish();
        ledger
    }

    fn named(report: &VerifyReport, place: &str, what: &str) -> bool {
        report
            .faults
            .iter()
            .any(|fault| fault.place.to_string() == place && fault.what.to_string() == what)
    }

    #[test]
    fn a_sound_ledger_has_no_faults() {
        let ledger = TestLedger::new();
        assert!(verify(ledger.store(), NODE, None).unwrap().is_sound());
        ledger.fill(0, 600);
        ledger.publish();
        ledger.fill(600, 610);
        let report = ledger.verify();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(
            (report.entries, report.payloads, report.checkpoints),
            (610, 610, 2)
        );
    }

    #[test]
    fn a_changed_row_is_named_by_what_was_changed() {
        for (sql, what) in [
            (
                "UPDATE entry SET leaf = x'7b7d' WHERE idx = 17",
                "its leaf is not canonical",
            ),
            (
                "UPDATE entry SET leaf = (SELECT leaf FROM entry WHERE idx = 16) WHERE idx = 17",
                "its leaf belongs to another place",
            ),
            (
                "UPDATE entry SET leaf = 'text' WHERE idx = 17",
                "its row cannot be read",
            ),
            (
                "UPDATE entry SET site = 2 WHERE idx = 17",
                "its site differs from its leaf",
            ),
            (
                "UPDATE entry SET record = 999 WHERE idx = 17",
                "its record differs from its leaf",
            ),
            (
                "UPDATE entry SET patient = 99 WHERE idx = 17",
                "its patient differs from its leaf",
            ),
            (
                "UPDATE entry SET kind = 2 WHERE idx = 17",
                "its kind differs from its leaf",
            ),
            (
                "UPDATE entry SET action = 'x' WHERE idx = 17",
                "its action differs from its leaf",
            ),
            (
                "UPDATE entry SET payload = x'00' WHERE idx = 17",
                "its payload differs from its digest",
            ),
            (
                "UPDATE entry SET payload = NULL WHERE idx = 17",
                "its payload is missing, and no entry says why",
            ),
            (
                "UPDATE entry SET payload = NULL, dropped_by = 18 WHERE idx = 17",
                "its payload was dropped, but not by the entry it names",
            ),
            (
                "UPDATE entry SET dropped_by = 18 WHERE idx = 17",
                "its payload is said to be dropped but is there",
            ),
            ("DELETE FROM entry WHERE idx = 17", "missing"),
        ] {
            let ledger = published(40);
            ledger.tamper(sql, vec![]);
            let report = ledger.verify();
            assert!(named(&report, "entry 17", what), "{sql}: {report:?}");
        }
    }

    #[test]
    fn a_forged_leaf_that_is_canonical_is_named_by_its_tile() {
        let ledger = published(40);
        ledger.tamper(
            "UPDATE entry SET leaf = CAST(replace(CAST(leaf AS TEXT), 'peer:7', 'peer:8') AS BLOB) \
             WHERE idx = 17",
            vec![],
        );
        let report = ledger.verify();
        assert!(named(
            &report,
            "entry 17",
            "its leaf differs from the tile written for it"
        ));
        let root = "the entries do not lead to the root signed there";
        assert!(named(&report, CHECKPOINT_FILE, root) && named(&report, "history line 1", root));
        assert!(named(
            &report,
            "tree head",
            "its root is not that of the entries"
        ));
    }

    #[test]
    fn rows_cut_off_at_the_end_are_noticed_even_with_a_fitting_tree_head() {
        let ledger = published(3);
        let short = published(2);
        let head = short
            .store()
            .read(|s| store::tree_head(s, NODE))
            .unwrap()
            .unwrap();
        ledger.tamper("DELETE FROM entry WHERE idx = 2", vec![]);
        let (root, peaks) = (*head.root.as_bytes(), head.frontier.to_bytes());
        let root: &'static [u8] = Vec::leak(root.to_vec());
        let peaks: &'static [u8] = Vec::leak(peaks);
        let params = vec![Value::Bytes(root), Value::Bytes(peaks)];
        ledger.tamper(
            "UPDATE tree_head SET size = 2, root = $1, frontier = $2",
            params,
        );
        let report = ledger.verify();
        let what = "it was signed for more entries than there are";
        assert!(named(&report, CHECKPOINT_FILE, what), "{report:?}");
    }

    #[test]
    fn a_changed_tree_head_is_named() {
        for sql in [
            "UPDATE tree_head SET size = 39",
            "UPDATE tree_head SET root = x'00'",
            "UPDATE tree_head SET time_us = 1",
            "DELETE FROM tree_head",
        ] {
            let ledger = published(40);
            ledger.tamper(sql, vec![]);
            let report = ledger.verify();
            assert!(
                report.faults.iter().any(|f| f.place == remark::tree_head()),
                "{sql}: {report:?}"
            );
        }
    }

    #[test]
    fn a_history_that_lost_its_last_line_is_noticed() {
        let ledger = published(5);
        let first = fs::read(ledger.dir().join(HISTORY_FILE)).unwrap();
        ledger.fill(5, 6);
        ledger.publish();
        fs::write(ledger.dir().join(HISTORY_FILE), first).unwrap();
        let what = "its last line is not the newest checkpoint";
        assert!(named(&ledger.verify(), HISTORY_FILE, what));
    }

    #[test]
    fn a_changed_tile_of_an_earlier_checkpoint_is_named() {
        let ledger = published(300);
        ledger.fill(300, 310);
        ledger.publish();
        for name in ["tile/0/001.p/44", "tile/entries/001.p/44"] {
            assert!(ledger.verify().is_sound());
            let path = ledger.dir().join(name);
            let good = fs::read(&path).unwrap();
            let mut bad = good.clone();
            bad[40] ^= 1;
            fs::write(&path, bad).unwrap();
            assert!(named(&ledger.verify(), name, "it differs from the entries"));
            fs::write(&path, good).unwrap();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn any_bit_changed_in_any_file_is_found_and_the_file_is_named(
            file in 0usize..6, place: proptest::sample::Index, bit in 0u8..8
        ) {
            let ledger = published(258);
            let names = [
                CHECKPOINT_FILE, HISTORY_FILE, "tile/0/000", "tile/0/001.p/2", "tile/1/000.p/1",
                "tile/entries/000",
            ];
            let path = ledger.dir().join(names[file]);
            let mut bytes = fs::read(&path).unwrap();
            let at = place.index(bytes.len());
            bytes[at] ^= 1 << bit;
            fs::write(path, bytes).unwrap();
            let report = ledger.verify();
            let found = report.faults.iter().any(|fault| fault.place.to_string().starts_with(names[file]));
            prop_assert!(found, "{report:?}");
            if names[file].starts_with("tile/0/") {
                let first = if file == 2 { 0 } else { 256 };
                let entry = format!("entry {}", first + at / Digest::LEN);
                prop_assert!(named(&report, &entry, "its leaf differs from the tile written for it"));
            }
        }

        #[test]
        fn any_bit_changed_in_any_leaf_or_payload_is_found_and_the_entry_is_named(
            index in 0i64..40, place: proptest::sample::Index, bit in 0u8..8, payload: bool
        ) {
            let ledger = published(40);
            let at = EntryIndex::from_sql(index).unwrap();
            let rows = ledger.store().read(|s| store::entries_with_payload(s, at, 1)).unwrap();
            let row = &rows[0];
            let mut bytes = if payload { row.payload.clone().unwrap() } else { row.leaf.clone() };
            let at = place.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let params = vec![Value::Bytes(Vec::leak(bytes)), Value::Int(index)];
            ledger.tamper(
                if payload {
                    "UPDATE entry SET payload = $1 WHERE idx = $2"
                } else {
                    "UPDATE entry SET leaf = $1 WHERE idx = $2"
                },
                params,
            );
            let report = ledger.verify();
            let entry = remark::entry(u64::try_from(index).unwrap());
            prop_assert!(report.faults.iter().any(|fault| fault.place == entry), "{report:?}");
        }
    }
}
