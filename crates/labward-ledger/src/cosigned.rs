//! The checkpoints of this ledger that witnesses cosigned: one file a witness below
//! `cosigned/`, named by the id of its key, each the latest.
//!
//! They are no derived files: nobody but the witness can write one again. A file of another ledger
//! or of an earlier epoch must never be taken for one of this ledger.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::checkpoint::Checkpoint;
use crate::cosignature::WitnessKey;
use crate::error::LedgerError;
use crate::note::{NOTE_MAX_BYTES, Note, VerifierKey};
use crate::publish::{read_bounded, write_durably};
use crate::witness::Cosigned;

/// The folder below the ledger's that holds what witnesses cosigned.
pub const COSIGNED_FOLDER: &str = "cosigned";

/// A checkpoint of this ledger with every cosignature that is kept for it; the log's signature was
/// verified, those of the witnesses were not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignedNote {
    /// Size and root.
    pub checkpoint: Checkpoint,
    /// The note with all its signatures.
    pub note: Note,
}

/// The latest checkpoint of this ledger that the witness cosigned, both signatures verified;
/// `None` if none of this ledger is kept.
///
/// # Errors
/// [`LedgerError::File`] if it cannot be read, [`LedgerError::Note`] if it is not what was saved.
pub fn read_cosigned(
    dir: &Path,
    log: &VerifierKey,
    witness: &WitnessKey,
) -> Result<Option<Cosigned>, LedgerError> {
    let path = dir.join(place_of(witness));
    let Some(bytes) =
        read_bounded(&path, NOTE_MAX_BYTES).map_err(LedgerError::file(place_of(witness)))?
    else {
        return Ok(None);
    };
    let cosigned = Cosigned::open(&bytes, witness)?;
    if cosigned.checkpoint.origin != log.name() {
        return Ok(None);
    }
    Checkpoint::open(&bytes, log)?;
    Ok(Some(cosigned))
}

/// Keeps what a witness cosigned in place of what it cosigned before.
///
/// # Errors
/// [`LedgerError::File`]; the former one stands then.
pub fn save_cosigned(
    dir: &Path,
    witness: &WitnessKey,
    cosigned: &Cosigned,
) -> Result<(), LedgerError> {
    let note = cosigned.note.to_string();
    write_durably(dir, &place_of(witness), note.as_bytes())
}

/// Every checkpoint of this ledger that is kept with cosignatures, the smallest first; those of
/// one text are one. What is not signed by this ledger's key is left out.
///
/// # Errors
/// [`LedgerError::File`] if the folder cannot be read.
pub fn cosigned_notes(dir: &Path, log: &VerifierKey) -> Result<Vec<CosignedNote>, LedgerError> {
    signed_notes(dir, &mut |bytes| {
        let checkpoint = Checkpoint::open(bytes, log).ok()?;
        let note = Note::parse(bytes).ok()?;
        Some(CosignedNote { checkpoint, note })
    })
}

/// As [`cosigned_notes`], of what `open` opens.
pub(crate) fn signed_notes(
    dir: &Path,
    open: &mut dyn FnMut(&[u8]) -> Option<CosignedNote>,
) -> Result<Vec<CosignedNote>, LedgerError> {
    let mut all: Vec<CosignedNote> = Vec::new();
    for path in files_of(dir).map_err(LedgerError::file(COSIGNED_FOLDER))? {
        let read = read_bounded(&path, NOTE_MAX_BYTES);
        let bytes = read.map_err(LedgerError::file(COSIGNED_FOLDER))?;
        let Some(one) = bytes.and_then(|bytes| open(&bytes)) else {
            continue;
        };
        match all
            .iter_mut()
            .find(|known| known.checkpoint == one.checkpoint)
        {
            Some(known) => known.note.join(&one.note),
            None => all.push(one),
        }
    }
    all.sort_by_key(|one| one.checkpoint.size);
    Ok(all)
}

fn place_of(witness: &WitnessKey) -> String {
    format!("{COSIGNED_FOLDER}/{:08x}", witness.key_id())
}

fn files_of(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir.join(COSIGNED_FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>()?;
    // What a crash left half written has another name.
    paths.retain(|path| path.extension().is_none());
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::cosignature::Cosigner;
    use crate::cosignature::tests::cosigner;
    use crate::testing::TestLedger;
    use crate::tree::leaf_digest;
    use crate::{
        BundleError, BundleRange, BundleReport, Prover, Trust, export_bundle, verify_bundle,
        verify_bundle_with,
    };
    use labward_base::Timestamp;
    use labward_base::id::EntryIndex;

    /// Has the newest checkpoint cosigned and keeps it, as asking a witness does.
    fn cosign(ledger: &TestLedger, witness: &Cosigner, seconds: i64) -> Note {
        let mut note = crate::publish::read_note(&ledger.dir()).unwrap();
        let time = Timestamp::from_seconds(seconds);
        let signature = witness.cosign(note.unverified_text(), time).unwrap();
        note.add_signature(signature);
        keep(ledger, witness, &note);
        note
    }

    fn keep(ledger: &TestLedger, witness: &Cosigner, note: &Note) {
        let key = witness.verifier();
        let cosigned = Cosigned::open(note.to_string().as_bytes(), &key).unwrap();
        save_cosigned(&ledger.dir(), &key, &cosigned).unwrap();
    }

    fn export(ledger: &TestLedger) -> Result<Vec<u8>, LedgerError> {
        let mut out = Vec::new();
        let (dir, key) = (ledger.dir(), ledger.verifier());
        let range = BundleRange::default();
        export_bundle(ledger.store(), &dir, &key, &range, &mut out).map(|_| out)
    }

    fn check(
        bundle: &[u8],
        ledger: &TestLedger,
        witnesses: &[&Cosigner],
        known: &[Checkpoint],
    ) -> Result<BundleReport, BundleError> {
        let witnesses: Vec<_> = witnesses.iter().map(|one| one.verifier()).collect();
        let trust = Trust {
            key: &ledger.verifier(),
            witnesses: &witnesses,
            known,
        };
        verify_bundle_with(bundle, &trust)
    }

    #[test]
    fn what_was_saved_is_read_again_and_nothing_else() {
        let (ledger, witness) = (TestLedger::new(), cosigner("witness.example/w1"));
        let (dir, log, key) = (ledger.dir(), ledger.verifier(), witness.verifier());
        assert_eq!(read_cosigned(&dir, &log, &key).unwrap(), None);
        ledger.fill(0, 5);
        ledger.publish();
        let note = cosign(&ledger, &witness, 1_000);
        let read = read_cosigned(&dir, &log, &key).unwrap().unwrap();
        assert_eq!((read.note, read.checkpoint.size), (note, 5));
        // After a restore the ledger has another origin: what was cosigned before is not of it.
        let later = VerifierKey::new("labward.local/test/2", *log.public()).unwrap();
        assert_eq!(read_cosigned(&dir, &later, &key).unwrap(), None);
        assert_eq!(cosigned_notes(&dir, &later).unwrap(), []);
        let path = dir.join(place_of(&key));
        fs::write(path, b"damaged").unwrap();
        assert!(read_cosigned(&dir, &log, &key).is_err());
        assert_eq!(cosigned_notes(&dir, &log).unwrap(), []);
    }

    #[test]
    fn a_bundle_names_which_witness_cosigned_which_size_and_when() {
        let ledger = TestLedger::new();
        let [first, second, third] =
            ["a", "b", "b"].map(|name| cosigner(&format!("w.example/{name}")));
        ledger.fill(0, 5);
        ledger.publish();
        cosign(&ledger, &first, 1_000);
        ledger.fill(5, 9);
        ledger.publish();
        cosign(&ledger, &second, 2_000);
        ledger.fill(9, 12);
        ledger.publish();
        cosign(&ledger, &third, 3_000);
        let bundle = export(&ledger).unwrap();
        assert_eq!(
            verify_bundle(bundle.as_slice(), &ledger.verifier())
                .unwrap()
                .cosigned,
            []
        );
        let report = check(&bundle, &ledger, &[&first, &second, &third], &[]).unwrap();
        let mut said: Vec<_> = report
            .cosigned
            .iter()
            .map(|one| {
                (
                    one.size,
                    one.cosignature.witness.as_str(),
                    one.cosignature.time.as_seconds(),
                )
            })
            .collect();
        said.sort_unstable();
        assert_eq!(
            said,
            [
                (5, "w.example/a", 1_000),
                (9, "w.example/b", 2_000),
                (12, "w.example/b", 3_000)
            ]
        );
        // Two witnesses of one name are two; whoever cosigned more vouches for less.
        let sizes = [0, 1, 2, 3, 4].map(|quorum| report.witnessed_size(quorum));
        assert_eq!(sizes, [None, Some(12), Some(9), Some(5), None]);
        let one = check(&bundle, &ledger, &[&first], &[]).unwrap();
        assert_eq!(
            (one.witnessed_size(1), one.witnessed_size(2)),
            (Some(5), None)
        );
    }

    #[test]
    fn a_cosignature_that_was_forged_spoils_the_bundle_for_who_knows_the_witness() {
        let (ledger, witness) = (TestLedger::new(), cosigner("w.example/a"));
        ledger.fill(0, 5);
        ledger.publish();
        let mut note = crate::publish::read_note(&ledger.dir()).unwrap();
        let mut signature = witness
            .cosign("another\n1\ntext\n", Timestamp::from_seconds(1))
            .unwrap();
        signature.bytes[9] ^= 1;
        note.add_signature(signature);
        let folder = ledger.dir().join(COSIGNED_FOLDER);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("00000000"), note.to_string()).unwrap();
        let bundle = export(&ledger).unwrap();
        assert!(check(&bundle, &ledger, &[&cosigner("w.example/a")], &[]).is_ok());
        let error = check(&bundle, &ledger, &[&witness], &[]).unwrap_err();
        assert_eq!(
            (error.line, error.problem().code),
            (3, "ledger.bad-signature")
        );
    }

    #[test]
    fn a_proof_takes_the_checkpoint_that_most_witnesses_cosigned() {
        let ledger = TestLedger::new();
        let witnesses = ["a", "b"].map(|name| cosigner(&format!("w.example/{name}")));
        ledger.fill(0, 300);
        ledger.publish();
        for witness in &witnesses {
            cosign(&ledger, witness, 1_000);
        }
        ledger.fill(300, 320);
        ledger.publish();
        let keys: Vec<_> = witnesses.iter().map(Cosigner::verifier).collect();
        let key = ledger.verifier();
        let mut prover = Prover::new(&ledger.dir(), key.clone());
        for (index, count) in [(0, 2), (299, 2), (300, 0), (319, 0)] {
            let proof = prover
                .prove(ledger.store(), EntryIndex::new(index))
                .unwrap();
            assert!(proof.verify(&key).is_ok());
            assert_eq!(
                proof.cosignatures(&keys).unwrap().len(),
                count,
                "entry {index}"
            );
        }
    }

    #[test]
    fn a_checkpoint_known_from_elsewhere_is_held_against_the_entries() {
        let ledger = TestLedger::new();
        ledger.fill(0, 5);
        let early = ledger.publish();
        ledger.fill(5, 9);
        let late = ledger.publish();
        let bundle = export(&ledger).unwrap();
        let known = [early.clone(), late];
        assert_eq!(check(&bundle, &ledger, &[], &known).unwrap().compared, 2);
        let forked = Checkpoint {
            root: leaf_digest(b"another"),
            ..early
        };
        let error = check(&bundle, &ledger, &[], &[forked]).unwrap_err();
        assert_eq!(
            (error.entry, error.problem().code),
            (Some(4), "ledger.second-history")
        );
    }

    #[test]
    fn a_ledger_that_does_not_lead_to_what_was_cosigned_is_named_with_both_checkpoints() {
        let (ledger, witness) = (TestLedger::new(), cosigner("w.example/a"));
        ledger.fill(0, 5);
        ledger.publish();
        let note = cosign(&ledger, &witness, 1_000);
        let report = ledger.verify();
        assert!(report.is_sound() && report.cosigned == 1, "{report:?}");
        for (size, what) in [
            (5, "another tree of this size"),
            (7, "more entries than there are"),
        ] {
            let other = Checkpoint {
                origin: ledger.verifier().name().to_owned(),
                size,
                root: leaf_digest(b"of another history"),
            };
            let mut other = other.sign(&ledger.key).unwrap();
            let time = Timestamp::from_seconds(1_000);
            other.add_signature(witness.cosign(other.unverified_text(), time).unwrap());
            keep(&ledger, &witness, &other);
            let report = ledger.verify();
            assert!(
                report.faults[0].what.to_string().contains(what),
                "{report:?}"
            );
            assert!(
                report.evidence[0].contains(&other.to_string()),
                "{report:?}"
            );
            let ours = note.to_string();
            let signed = ours.lines().nth(2).unwrap();
            assert!(report.evidence[0].contains(signed), "{report:?}");
            assert!(matches!(export(&ledger), Err(LedgerError::Tampered { .. })));
        }
    }
}
