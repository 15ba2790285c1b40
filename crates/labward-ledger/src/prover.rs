//! Makes the proofs of entries from rows, tiles and checkpoints.
//!
//! What it has read once and nobody may change, it keeps: digests of full tiles, and which notes the
//! ledger's key has signed. It must never hand out a proof that does not lead to a signed root.

use std::collections::BTreeMap;
use std::path::Path;

use labward_base::id::EntryIndex;
use labward_store::Store;

use crate::cosigned::{CosignedNote, signed_notes};
use crate::error::LedgerError;
use crate::note::{Note, VerifierKey};
use crate::proof::InclusionProof;
use crate::proof_text::EntryProof;
use crate::publish::{open_checkpoint, read_checkpoint_file};
use crate::store;
use crate::tile::TileFolder;

/// Notes that are kept as verified: the newest checkpoint and what each witness cosigned last.
const NOTES_KEPT: usize = 16;

/// Proves entries under the checkpoints below one folder.
#[derive(Debug)]
pub struct Prover {
    key: VerifierKey,
    tiles: TileFolder,
    signed: BTreeMap<Vec<u8>, CosignedNote>,
}

impl Prover {
    /// A prover for the ledger that is published below `dir` and signed under `key`.
    pub fn new(dir: &Path, key: VerifierKey) -> Self {
        Self {
            key,
            tiles: TileFolder::new(dir, 0),
            signed: BTreeMap::new(),
        }
    }

    /// The proof of the entry at `index` under a published checkpoint: the one with the most
    /// cosignatures that holds the entry, else the newest.
    ///
    /// # Errors
    /// [`LedgerError::NoEntry`] if the entry is not there or not published yet;
    /// [`LedgerError::Tampered`] if row, tiles and checkpoint do not fit together.
    pub fn prove(&mut self, store: &Store, index: EntryIndex) -> Result<EntryProof, LedgerError> {
        let proof = self.proof(store, index);
        if proof.is_err() {
            // What was kept may be what is wrong: the next one reads the files again.
            self.tiles.forget();
        }
        proof
    }

    fn proof(&mut self, store: &Store, index: EntryIndex) -> Result<EntryProof, LedgerError> {
        let no_entry = || LedgerError::NoEntry { index: index.get() };
        let best = self.best_checkpoint(index)?.ok_or_else(no_entry)?;
        let CosignedNote { checkpoint, note } = best;
        let entry = store
            .read(|snapshot| store::entry(snapshot, index))?
            .ok_or_else(no_entry)?;
        self.tiles.resize(checkpoint.size);
        let path = InclusionProof::compute(index.get(), checkpoint.size, &mut self.tiles)?
            .ok_or_else(no_entry)?
            .path;
        let proof = EntryProof::new(entry.leaf, index, path, note);
        // The checkpoint's signature was verified when it was read.
        proof
            .leads_to(&checkpoint)
            .map_err(|error| LedgerError::tampered(format!("entry {index}: {}", error.place)))?;
        Ok(proof)
    }

    /// The published checkpoint with the most signatures that holds the entry; of several, the newest.
    fn best_checkpoint(&mut self, index: EntryIndex) -> Result<Option<CosignedNote>, LedgerError> {
        let dir = self.tiles.dir().to_owned();
        let Some(bytes) = read_checkpoint_file(&dir)? else {
            return Ok(None);
        };
        let newest = self.open(&bytes)?;
        // A larger one is not of this ledger as it is now; that is for verifying to say.
        let sizes = index.get() + 1..=newest.checkpoint.size;
        let cosigned = signed_notes(&dir, &mut |bytes| self.open(bytes).ok())?;
        let fitting = cosigned
            .into_iter()
            .filter(|one| sizes.contains(&one.checkpoint.size));
        let signed = |one: &CosignedNote| one.note.signatures().len();
        Ok(Some(fitting.fold(newest, |best, one| {
            if signed(&one) > signed(&best) {
                one
            } else {
                best
            }
        })))
    }

    /// The checkpoint in a note, its signature verified, unless these very bytes were before.
    fn open(&mut self, bytes: &[u8]) -> Result<CosignedNote, LedgerError> {
        if let Some(known) = self.signed.get(bytes) {
            return Ok(known.clone());
        }
        let opened = CosignedNote {
            checkpoint: open_checkpoint(bytes, &self.key)?,
            note: Note::parse(bytes)?,
        };
        if self.signed.len() >= NOTES_KEPT {
            self.signed.clear();
        }
        self.signed.insert(bytes.to_owned(), opened.clone());
        Ok(opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestLedger;
    use std::fs;

    fn prover(ledger: &TestLedger) -> Prover {
        Prover::new(&ledger.dir(), ledger.verifier())
    }

    /// Whether the entry is proved to whoever has nothing but the key.
    fn is_proved(ledger: &TestLedger, prover: &mut Prover, index: u64) -> bool {
        let proof = prover.prove(ledger.store(), EntryIndex::new(index));
        let text = proof.unwrap().to_string();
        let verified = text
            .parse::<EntryProof>()
            .unwrap()
            .verify(&ledger.verifier());
        verified.unwrap().index.get() == index
    }

    #[test]
    fn every_published_entry_is_proved_and_no_other() {
        let ledger = TestLedger::new();
        let mut prover = prover(&ledger);
        let none = prover.prove(ledger.store(), EntryIndex::new(0));
        assert!(matches!(none, Err(LedgerError::NoEntry { index: 0 })));
        ledger.fill(0, 260);
        ledger.publish();
        ledger.fill(260, 261);
        for index in [0, 1, 255, 256, 259] {
            assert!(is_proved(&ledger, &mut prover, index), "{index}");
        }
        let none = prover.prove(ledger.store(), EntryIndex::new(260));
        assert!(matches!(none, Err(LedgerError::NoEntry { index: 260 })));
    }

    #[test]
    fn what_is_kept_of_a_smaller_ledger_serves_the_larger_one() {
        let ledger = TestLedger::new();
        let mut prover = prover(&ledger);
        let mut size = 0;
        for next in [1, 255, 256, 257, 511, 512, 700, 1_024] {
            ledger.fill(size, next);
            ledger.publish();
            for index in [0, size, next / 2, next - 1] {
                assert!(is_proved(&ledger, &mut prover, index), "{index} of {next}");
            }
            size = next;
        }
    }

    #[test]
    fn a_changed_row_is_not_proved() {
        let ledger = TestLedger::new();
        ledger.fill(0, 5);
        ledger.publish();
        ledger.tamper("UPDATE entry SET leaf = x'7b7d' WHERE idx = 3", vec![]);
        let proof = prover(&ledger).prove(ledger.store(), EntryIndex::new(3));
        assert!(
            matches!(proof, Err(LedgerError::Tampered { place }) if place.starts_with("entry 3:"))
        );
    }

    #[test]
    fn a_damaged_tile_proves_nothing_until_it_is_whole_again() {
        let ledger = TestLedger::new();
        ledger.fill(0, 600);
        ledger.publish();
        let tile = ledger.dir().join("tile/0/001");
        let whole = fs::read(&tile).unwrap();
        let mut damaged = whole.clone();
        damaged[0] ^= 1;
        fs::write(&tile, damaged).unwrap();
        let mut prover = prover(&ledger);
        let proof = prover.prove(ledger.store(), EntryIndex::new(257));
        assert!(matches!(proof, Err(LedgerError::Tampered { .. })));
        fs::write(&tile, whole).unwrap();
        assert!(is_proved(&ledger, &mut prover, 257));
    }

    #[test]
    fn a_checkpoint_that_was_changed_after_it_was_verified_is_refused() {
        let ledger = TestLedger::new();
        ledger.fill(0, 5);
        ledger.publish();
        let mut prover = prover(&ledger);
        assert!(is_proved(&ledger, &mut prover, 3));
        let path = ledger.dir().join("checkpoint");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("\n5\n", "\n4\n", 1)).unwrap();
        let proof = prover.prove(ledger.store(), EntryIndex::new(3));
        assert!(matches!(proof, Err(LedgerError::Note(_))));
    }
}
