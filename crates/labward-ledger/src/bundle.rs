//! Bundles: a range of the ledger in one text file that an outside expert checks without us.
//!
//! A line feed ends each line, and nothing stands in the file that is not checked:
//!
//! | Line | Holds |
//! |---|---|
//! | 1 | `labward-ledger-bundle 1` |
//! | 2 | `range FIRST END OLDER`: the entries FIRST to END - 1 follow, and OLDER older checkpoints |
//! | 3 | `checkpoint NOTE`: the newest signed checkpoint, as a JSON string |
//! | 4 | `peaks …`: the frontier of the FIRST entries that the file leaves out, in base64 |
//! | 5 | `before …`: the consistency proof from FIRST to the checkpoint's size |
//! | 6 | `onward …`: the consistency proof from END to the checkpoint's size |
//! | then | `older NOTE`, `consistency …`: an older checkpoint and the proof that the newest goes on from it |
//! | then | `entry DIGEST LEAF`, one a line |
//! | last | `end SHA-256` of all bytes before it, in hex |
//!
//! The notes carry the cosignatures of the ledger's witnesses, if it has any.
//!
//! [`verify_bundle`] must never read anything but the file and the public keys.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, NodeId};
use labward_base::problem::{self, Problem};
use labward_seal::Sha256;

use crate::checkpoint::{Checkpoint, parse_decimal};
use crate::cosignature::{Cosignature, WitnessKey};
use crate::entry::{LEAF_MAX_BYTES, Leaf};
use crate::note::{NOTE_MAX_BYTES, Note, NoteError, VerifierKey};
use crate::proof::{ConsistencyProof, PATH_MAX};
use crate::tree::{Digest, Frontier, leaf_digest};

pub(crate) const HEADER: &str = "labward-ledger-bundle 1";

/// Bytes a line may have; the note of a checkpoint is the longest.
const LINE_MAX: usize = 4 * NOTE_MAX_BYTES;

/// What a bundle proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleReport {
    /// The checkpoint that everything leads to.
    pub checkpoint: Checkpoint,
    /// Older checkpoints that are proved to be its beginnings.
    pub older: Vec<Checkpoint>,
    /// The first entry of the range.
    pub first: EntryIndex,
    /// Entries in the range.
    pub entries: u64,
    /// The times of the first and the last entry.
    pub times: Option<(Timestamp, Timestamp)>,
    /// What each witness that was asked about has cosigned.
    pub cosigned: Vec<CosignedSize>,
    /// How many of the checkpoints known from elsewhere were compared, and fit.
    pub compared: usize,
}

/// That a witness cosigned the ledger at a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignedSize {
    /// The size of the checkpoint.
    pub size: u64,
    /// The id of the witness's key; two witnesses of one name are not one.
    pub key_id: u32,
    /// Who, and when.
    pub cosignature: Cosignature,
}

/// What a bundle is held against.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The key of the ledger.
    pub key: &'a VerifierKey,
    /// The witnesses whose cosignatures count.
    pub witnesses: &'a [WitnessKey],
    /// Checkpoints of the ledger that are known from elsewhere, such as from a witness.
    pub known: &'a [Checkpoint],
}

impl BundleReport {
    /// The largest size that at least `quorum` witnesses vouch for; whoever cosigned a tree vouches
    /// for each of its beginnings. `None` if they are fewer.
    pub fn witnessed_size(&self, quorum: usize) -> Option<u64> {
        let mut largest: BTreeMap<u32, u64> = BTreeMap::new();
        for one in &self.cosigned {
            let size = largest.entry(one.key_id).or_default();
            *size = one.size.max(*size);
        }
        let mut sizes: Vec<u64> = largest.into_values().collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.get(quorum.checked_sub(1)?).copied()
    }
}

/// Why a bundle proves nothing, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("verify a ledger bundle: line {line}{}: {what}", entry_suffix(*entry))]
pub struct BundleError {
    /// The line, counted from 1.
    pub line: u64,
    /// The entry in that line, if an entry was to stand there.
    pub entry: Option<u64>,
    /// What is wrong there.
    pub what: &'static str,
    kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultKind {
    Form,
    SecondHistory,
    Signature,
    Tampered,
    Unread,
}

impl BundleError {
    /// The visible problem this error stands for.
    pub fn problem(&self) -> &'static Problem {
        match self.kind {
            FaultKind::Form | FaultKind::Unread => &problem::LEDGER_BAD_BUNDLE,
            FaultKind::SecondHistory => &problem::LEDGER_SECOND_HISTORY,
            FaultKind::Signature => &problem::LEDGER_BAD_SIGNATURE,
            FaultKind::Tampered => &problem::LEDGER_TAMPERED,
        }
    }
}

fn entry_suffix(entry: Option<u64>) -> String {
    entry.map_or_else(String::new, |entry| format!(" (entry {entry})"))
}

/// Verifies a bundle with nothing but the public key: form, signatures, order, times, consistency
/// and that every entry leads to the signed root.
///
/// Memory does not grow with the number of entries.
///
/// # Errors
/// [`BundleError`] names the first line, and the entry in it, that is not as it must be.
pub fn verify_bundle(reader: impl BufRead, key: &VerifierKey) -> Result<BundleReport, BundleError> {
    let trust = Trust {
        key,
        witnesses: &[],
        known: &[],
    };
    verify_bundle_with(reader, &trust)
}

/// As [`verify_bundle`], and also what the witnesses cosigned, and that the entries lead to the
/// roots of the checkpoints that are known from elsewhere.
///
/// # Errors
/// As [`verify_bundle`]; a cosignature of one of the witnesses that does not verify, or a known
/// checkpoint to which the entries do not lead.
pub fn verify_bundle_with(
    reader: impl BufRead,
    trust: &Trust<'_>,
) -> Result<BundleReport, BundleError> {
    let mut lines = Lines {
        reader,
        hash: Sha256::new(),
        number: 0,
        entry: None,
    };
    let head = read_head(&mut lines, trust)?;
    let mut walk = Walk {
        frontier: head.frontier,
        node: None,
        times: None,
        known: trust.known,
        compared: 0,
    };
    walk.compare(&lines)?;
    for index in head.range.first..head.range.end {
        lines.entry = Some(index);
        let line = lines.next()?;
        walk.entry(&lines, &line, index)?;
    }
    lines.entry = None;
    if !head
        .onward
        .verify(&walk.frontier.root(), &head.checkpoint.root)
    {
        lines.number = head.onward_line;
        return Err(lines.tampered("the entries do not lead to the signed root"));
    }
    lines.check_end()?;
    Ok(BundleReport {
        checkpoint: head.checkpoint,
        older: head.older,
        first: EntryIndex::new(head.range.first),
        entries: head.range.end - head.range.first,
        times: walk.times,
        cosigned: head.cosigned,
        compared: walk.compared,
    })
}

/// Everything that stands before the entries.
struct Head {
    range: Range,
    checkpoint: Checkpoint,
    frontier: Frontier,
    onward: ConsistencyProof,
    onward_line: u64,
    older: Vec<Checkpoint>,
    cosigned: Vec<CosignedSize>,
}

fn read_head<R: BufRead>(lines: &mut Lines<R>, trust: &Trust<'_>) -> Result<Head, BundleError> {
    if lines.next()? != HEADER {
        return Err(lines.form("it is not the first line of a bundle"));
    }
    let range = read_range(lines)?;
    let line = lines.next()?;
    let mut cosigned = Vec::new();
    let checkpoint = read_note(lines, &line, "checkpoint ", trust, &mut cosigned)?;
    if range.end > checkpoint.size {
        return Err(lines.form("the checkpoint is of a smaller ledger than the range"));
    }
    let peaks = read_digests(lines, "peaks")?;
    let frontier = Frontier::from_peaks(range.first, peaks)
        .ok_or_else(|| lines.form("the peaks do not fit the beginning of the range"))?;
    let path = read_digests(lines, "before")?;
    let before = ConsistencyProof {
        old: range.first,
        new: checkpoint.size,
        path,
    };
    if !before.verify(&frontier.root(), &checkpoint.root) {
        return Err(lines.tampered("the peaks do not lead to the signed root"));
    }
    let path = read_digests(lines, "onward")?;
    let onward = ConsistencyProof {
        old: range.end,
        new: checkpoint.size,
        path,
    };
    let onward_line = lines.number;
    let older = read_older(lines, range.older, &checkpoint, trust, &mut cosigned)?;
    Ok(Head {
        range,
        checkpoint,
        frontier,
        onward,
        onward_line,
        older,
        cosigned,
    })
}

/// What is carried from entry to entry.
struct Walk<'a> {
    frontier: Frontier,
    node: Option<NodeId>,
    times: Option<(Timestamp, Timestamp)>,
    known: &'a [Checkpoint],
    compared: usize,
}

impl Walk<'_> {
    /// Holds the entries so far against what is known of the ledger at this size.
    fn compare<R>(&mut self, lines: &Lines<R>) -> Result<(), BundleError> {
        let size = self.frontier.size();
        for known in self.known.iter().filter(|known| known.size == size) {
            if known.root != self.frontier.root() {
                let what = "the entries lead to another root than the checkpoint of this size that \
                            is known from elsewhere";
                return Err(lines.fault(FaultKind::SecondHistory, what));
            }
            self.compared += 1;
        }
        Ok(())
    }

    fn entry<R>(&mut self, lines: &Lines<R>, line: &str, index: u64) -> Result<(), BundleError> {
        let (digest, text) = line
            .strip_prefix("entry ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(|| lines.form("it is not an entry"))?;
        if text.len() > LEAF_MAX_BYTES {
            return Err(lines.form("the leaf is too long"));
        }
        let found = leaf_digest(text.as_bytes());
        if Digest::from_base64(digest) != Some(found) {
            return Err(lines.tampered("the leaf differs from its digest"));
        }
        let leaf = Leaf::parse(text.as_bytes())
            .map_err(|_| lines.tampered("the leaf is not canonical"))?;
        if leaf.index.get() != index {
            return Err(lines.tampered("the leaf belongs to another place"));
        }
        if *self.node.get_or_insert(leaf.node) != leaf.node {
            return Err(lines.tampered("the leaf is of another node"));
        }
        let (earliest, latest) = self.times.unwrap_or((leaf.time, leaf.time));
        if leaf.time < latest {
            return Err(lines.tampered("the time lies before that of the entry in front"));
        }
        self.times = Some((earliest, leaf.time));
        self.frontier.push(found);
        self.compare(lines)
    }
}

/// What the second line announces.
struct Range {
    first: u64,
    end: u64,
    older: u64,
}

fn read_range<R: BufRead>(lines: &mut Lines<R>) -> Result<Range, BundleError> {
    let line = lines.next()?;
    let read = || {
        let mut numbers = line.strip_prefix("range ")?.split(' ').map(parse_decimal);
        let (first, end, older) = (numbers.next()??, numbers.next()??, numbers.next()??);
        (numbers.next().is_none() && first <= end).then_some(Range { first, end, older })
    };
    read().ok_or_else(|| lines.form("it is not a range"))
}

fn read_digests<R: BufRead>(lines: &mut Lines<R>, word: &str) -> Result<Vec<Digest>, BundleError> {
    let line = lines.next()?;
    let mut parts = line.split(' ');
    if parts.next() != Some(word) {
        return Err(lines.form("another line was to stand here"));
    }
    let digests = parts
        .take(PATH_MAX + 2)
        .map(Digest::from_base64)
        .collect::<Option<Vec<_>>>();
    digests.ok_or_else(|| lines.form("it holds what is not a digest"))
}

/// Older checkpoints, each proved to be a beginning of the newest one.
fn read_older<R: BufRead>(
    lines: &mut Lines<R>,
    count: u64,
    newest: &Checkpoint,
    trust: &Trust<'_>,
    cosigned: &mut Vec<CosignedSize>,
) -> Result<Vec<Checkpoint>, BundleError> {
    let mut older = Vec::new();
    for _ in 0..count {
        let line = lines.next()?;
        let checkpoint = read_note(lines, &line, "older ", trust, cosigned)?;
        let path = read_digests(lines, "consistency")?;
        let proof = ConsistencyProof {
            old: checkpoint.size,
            new: newest.size,
            path,
        };
        if !proof.verify(&checkpoint.root, &newest.root) {
            return Err(lines.tampered("the ledger does not go on from this checkpoint"));
        }
        older.push(checkpoint);
    }
    Ok(older)
}

fn read_note<R>(
    lines: &Lines<R>,
    line: &str,
    word: &str,
    trust: &Trust<'_>,
    cosigned: &mut Vec<CosignedSize>,
) -> Result<Checkpoint, BundleError> {
    let text: String = line
        .strip_prefix(word)
        .and_then(|json| {
            let text: String = serde_json::from_str(json).ok()?;
            // JSON can be written in many ways; here only one counts.
            serde_json::to_string(&text)
                .is_ok_and(|canonical| canonical == json)
                .then_some(text)
        })
        .ok_or_else(|| lines.form("it is not a checkpoint"))?;
    let not_a_note = || lines.form("the checkpoint is not a signed note");
    let checkpoint = Checkpoint::open(text.as_bytes(), trust.key).map_err(|error| match error {
        NoteError::Form(_) => not_a_note(),
        _ => lines.fault(
            FaultKind::Signature,
            "the checkpoint is not signed by this key",
        ),
    })?;
    let note = Note::parse(text.as_bytes()).map_err(|_| not_a_note())?;
    for witness in trust.witnesses {
        match witness.verify(&note) {
            Ok(cosignature) => cosigned.push(CosignedSize {
                size: checkpoint.size,
                key_id: witness.key_id(),
                cosignature,
            }),
            Err(NoteError::NotSigned) => {}
            Err(_) => {
                let what = "a witness's cosignature does not verify";
                return Err(lines.fault(FaultKind::Signature, what));
            }
        }
    }
    Ok(checkpoint)
}

struct Lines<R> {
    reader: R,
    hash: Sha256,
    number: u64,
    entry: Option<u64>,
}

impl<R: BufRead> Lines<R> {
    /// The next line without its line feed; the digest runs over all lines but the last.
    fn next(&mut self) -> Result<String, BundleError> {
        self.number += 1;
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
        io::Read::take(&mut self.reader, limit)
            .read_until(b'\n', &mut line)
            .map_err(|_| self.fault(FaultKind::Unread, "it cannot be read"))?;
        if line.pop() != Some(b'\n') {
            return Err(self.form("the file ends here, or the line is too long"));
        }
        let line = String::from_utf8(line).map_err(|_| self.form("it is not text"))?;
        if !line.starts_with("end ") {
            self.hash.update(line.as_bytes());
            self.hash.update(b"\n");
        }
        Ok(line)
    }

    /// Whether this is the last line, with the digest of all others, and the file ends behind it.
    fn check_end(&mut self) -> Result<(), BundleError> {
        let line = self.next()?;
        let found = Digest::new(std::mem::take(&mut self.hash).finish());
        let Some(digest) = line.strip_prefix("end ") else {
            return Err(self.form("the last line was to stand here"));
        };
        if digest != found.to_string() {
            return Err(self.tampered("the digest over the file differs"));
        }
        let rest = self.reader.fill_buf();
        match rest.map(<[u8]>::is_empty) {
            Ok(true) => Ok(()),
            _ => Err(self.form("something stands behind the last line")),
        }
    }
}

impl<R> Lines<R> {
    fn form(&self, what: &'static str) -> BundleError {
        self.fault(FaultKind::Form, what)
    }

    fn tampered(&self, what: &'static str) -> BundleError {
        self.fault(FaultKind::Tampered, what)
    }

    fn fault(&self, kind: FaultKind, what: &'static str) -> BundleError {
        BundleError {
            line: self.number,
            entry: self.entry,
            what,
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LedgerError;
    use crate::export::{BundleRange, export_bundle};
    use crate::publish::CHECKPOINT_FILE;
    use crate::testing::TestLedger;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    struct Exported {
        whole: Vec<u8>,
        part: Vec<u8>,
        key: VerifierKey,
    }

    fn export(ledger: &TestLedger, range: &BundleRange) -> Result<Vec<u8>, LedgerError> {
        let mut out = Vec::new();
        let (dir, key) = (ledger.dir(), ledger.verifier());
        export_bundle(ledger.store(), &dir, &key, range, &mut out).map(|_| out)
    }

    fn exported() -> &'static Exported {
        static MADE: OnceLock<Exported> = OnceLock::new();
        MADE.get_or_init(|| {
            let ledger = TestLedger::new();
            ledger.fill(0, 7);
            ledger.publish();
            let older = std::fs::read_to_string(ledger.dir().join(CHECKPOINT_FILE)).unwrap();
            ledger.fill(7, 21);
            ledger.publish();
            let older = vec![older];
            let whole = BundleRange {
                older: older.clone(),
                ..BundleRange::default()
            };
            let part = BundleRange {
                first: 5,
                end: Some(18),
                older,
            };
            Exported {
                whole: export(&ledger, &whole).unwrap(),
                part: export(&ledger, &part).unwrap(),
                key: ledger.verifier(),
            }
        })
    }

    #[test]
    fn a_bundle_verifies_without_store_and_folder() {
        let Exported { whole, part, key } = exported();
        let report = verify_bundle(whole.as_slice(), key).unwrap();
        assert_eq!((report.first.get(), report.entries), (0, 21));
        assert_eq!((report.checkpoint.size, report.older[0].size), (21, 7));
        let report = verify_bundle(part.as_slice(), key).unwrap();
        assert_eq!((report.first.get(), report.entries), (5, 13));
    }

    #[test]
    fn every_range_of_a_ledger_of_more_than_a_tile_verifies() {
        let ledger = TestLedger::new();
        ledger.fill(0, 600);
        ledger.publish();
        for (first, end) in [
            (0, 0),
            (0, 1),
            (0, 600),
            (255, 257),
            (256, 512),
            (599, 600),
            (600, 600),
        ] {
            let range = BundleRange {
                first,
                end: Some(end),
                older: Vec::new(),
            };
            let bundle = export(&ledger, &range).unwrap();
            let report = verify_bundle(bundle.as_slice(), &ledger.verifier()).unwrap();
            assert_eq!(report.entries, end - first);
        }
        for (first, end) in [(0, 601), (2, 1), (601, 601)] {
            let range = BundleRange {
                first,
                end: Some(end),
                older: Vec::new(),
            };
            assert!(matches!(
                export(&ledger, &range),
                Err(LedgerError::NoEntry { .. })
            ));
        }
    }

    #[test]
    fn an_export_never_hides_that_a_row_was_changed() {
        let ledger = TestLedger::new();
        ledger.fill(0, 5);
        ledger.publish();
        ledger.tamper("UPDATE entry SET leaf = x'7b7d' WHERE idx = 3", vec![]);
        let refused = export(&ledger, &BundleRange::default());
        assert!(matches!(refused, Err(LedgerError::Tampered { .. })));
    }

    /// An attacker who may write anything but has no signing key: everything that needs no
    /// signature is made to fit the changed entry.
    #[test]
    fn a_forged_entry_with_fitting_digests_does_not_lead_to_the_signed_root() {
        let Exported { whole, key, .. } = exported();
        let text = String::from_utf8(whole.clone()).unwrap();
        let mut hash = Sha256::new();
        let mut forged = String::new();
        for line in text.lines() {
            let line = match line.split_once(" {\"v\":1,\"n\":9,") {
                Some(_) => {
                    let leaf = line
                        .splitn(3, ' ')
                        .nth(2)
                        .unwrap()
                        .replace("peer:7", "peer:8");
                    format!("entry {} {leaf}", leaf_digest(leaf.as_bytes()).to_base64())
                }
                None if line.starts_with("end ") => {
                    let digest = Digest::new(std::mem::take(&mut hash).finish());
                    format!("end {digest}")
                }
                None => line.to_owned(),
            };
            hash.update(line.as_bytes());
            hash.update(b"\n");
            forged += &line;
            forged += "\n";
        }
        assert_ne!(forged, text);
        let error = verify_bundle(forged.as_bytes(), key).unwrap_err();
        assert_eq!(
            (error.line, error.what),
            (6, "the entries do not lead to the signed root")
        );
        assert_eq!(error.problem().code, "ledger.tampered");
    }

    #[test]
    fn a_bundle_is_worth_nothing_under_another_key() {
        let other = TestLedger::new().verifier();
        let error = verify_bundle(exported().whole.as_slice(), &other).unwrap_err();
        assert_eq!(
            (error.line, error.problem().code),
            (3, "ledger.bad-signature")
        );
    }

    #[test]
    fn entries_that_were_swapped_are_named() {
        let Exported { whole, key, .. } = exported();
        let text = String::from_utf8(whole.clone()).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        let at = lines
            .iter()
            .position(|line| line.contains("\"n\":4,"))
            .unwrap();
        lines.swap(at, at + 1);
        let swapped = lines.join("\n") + "\n";
        let error = verify_bundle(swapped.as_bytes(), key).unwrap_err();
        assert_eq!(error.entry, Some(4));
        assert!(
            error
                .to_string()
                .contains("(entry 4): the leaf belongs to another place")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        #[test]
        fn a_bundle_with_any_byte_changed_removed_or_inserted_fails_and_names_the_place(
            place: proptest::sample::Index, byte: u8, kind in 0u8..3, part: bool
        ) {
            let Exported { whole, part: a_part, key } = exported();
            let original = if part { a_part } else { whole };
            let mut bytes = original.clone();
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
            prop_assume!(&bytes != original);
            let error = verify_bundle(bytes.as_slice(), key).unwrap_err();
            // The line itself, or the next one if the change was a line feed.
            let line = original[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            let lines = original.iter().filter(|byte| **byte == b'\n').count() as u64;
            let entries = if part { 13 } else { 21 };
            // Another number in the range is contradicted by the first line that it does not fit: a
            // proof, an older checkpoint, or the first entry in the place of one.
            let last = if line == 2 { lines - entries } else { line + 1 };
            prop_assert!((line..=last).contains(&error.line), "{} for {line}", error);
            if line != 2 && (lines - entries..lines).contains(&error.line) {
                let first = if part { 5 } else { 0 };
                prop_assert_eq!(error.entry, Some(first + error.line - (lines - entries)));
            }
        }

        #[test]
        fn verifying_any_text_ends_without_panic(text in "\\PC{0,80}(\n\\PC{0,80}){0,6}") {
            prop_assert!(verify_bundle(text.as_bytes(), &exported().key).is_err());
        }
    }
}
