//! One entry with everything an outsider needs to check it: a C2SP tlog-proof.
//!
//! The leaf itself stands in the `extra` line, so the file needs nothing beside it but the public
//! key. Extra data is not authenticated by itself: only what [`EntryProof::verify`] returns, whose
//! digest leads to the signed root, may be believed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::id::EntryIndex;

use crate::checkpoint::{Checkpoint, parse_decimal};
use crate::cosignature::{Cosignature, WitnessKey};
use crate::entry::Leaf;
use crate::note::{Note, NoteError, VerifierKey};
use crate::proof::{InclusionProof, PATH_MAX};
use crate::tree::{Digest, leaf_digest};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A leaf, its path to the root and the checkpoint that signs the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProof {
    leaf: Vec<u8>,
    index: u64,
    path: Vec<Digest>,
    note: Note,
}

/// Why a proof does not prove its entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("verify the proof of an entry: {place}")]
pub struct ProofError {
    /// Which part of the proof, and what is wrong with it.
    pub place: &'static str,
}

impl EntryProof {
    /// The proof with these parts, of which nothing is verified.
    pub(crate) const fn new(
        leaf: Vec<u8>,
        index: EntryIndex,
        path: Vec<Digest>,
        note: Note,
    ) -> Self {
        Self {
            leaf,
            index: index.get(),
            path,
            note,
        }
    }

    /// The cosignatures of these witnesses under the checkpoint of the proof.
    ///
    /// # Errors
    /// [`ProofError`] if one is there that does not verify.
    pub fn cosignatures(&self, witnesses: &[WitnessKey]) -> Result<Vec<Cosignature>, ProofError> {
        let mut found = Vec::new();
        for witness in witnesses {
            match witness.verify(&self.note) {
                Ok(cosignature) => found.push(cosignature),
                Err(NoteError::NotSigned) => {}
                Err(_) => {
                    let place = "a witness's cosignature does not verify";
                    return Err(ProofError { place });
                }
            }
        }
        Ok(found)
    }

    /// The leaf, if the checkpoint is signed by the key and holds it at this index.
    pub fn verify(&self, key: &VerifierKey) -> Result<Leaf, ProofError> {
        let fail = |place| ProofError { place };
        let text = self
            .note
            .verify(key)
            .map_err(|_| fail("the checkpoint is not signed by this key"))?;
        let checkpoint = Checkpoint::parse(text)
            .ok()
            .filter(|checkpoint| checkpoint.origin == key.name())
            .ok_or(fail("the checkpoint is not one of this ledger"))?;
        self.leads_to(&checkpoint)
    }

    /// The leaf, if it stands in the tree of this checkpoint at the index.
    pub(crate) fn leads_to(&self, checkpoint: &Checkpoint) -> Result<Leaf, ProofError> {
        let fail = |place| ProofError { place };
        let proof = InclusionProof {
            index: self.index,
            size: checkpoint.size,
            path: self.path.clone(),
        };
        if !proof.verify(&leaf_digest(&self.leaf), &checkpoint.root) {
            return Err(fail(
                "the path does not lead from the leaf to the signed root",
            ));
        }
        let leaf = Leaf::parse(&self.leaf).map_err(|_| fail("the leaf is not canonical"))?;
        if leaf.index.get() != self.index {
            return Err(fail("the leaf names another index"));
        }
        Ok(leaf)
    }
}

impl fmt::Display for EntryProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{HEADER}\nextra {}\nindex {}",
            STANDARD.encode(&self.leaf),
            self.index
        )?;
        self.path
            .iter()
            .try_for_each(|digest| writeln!(f, "{}", digest.to_base64()))?;
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for EntryProof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        let fail = |place| ProofError { place };
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(fail("no empty line stands before the checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(fail("the first line is not that of a tlog-proof"));
        }
        let leaf = lines
            .next()
            .and_then(|line| STANDARD.decode(line.strip_prefix("extra ")?).ok())
            .ok_or(fail("the second line holds no leaf"))?;
        let index = lines
            .next()
            .and_then(|line| parse_decimal(line.strip_prefix("index ")?))
            .ok_or(fail("the third line holds no index"))?;
        let path = lines
            .take(PATH_MAX + 1)
            .map(Digest::from_base64)
            .collect::<Option<Vec<_>>>()
            .filter(|path| path.len() <= PATH_MAX)
            .ok_or(fail("a line of the path is not a digest"))?;
        let note = Note::parse(note.as_bytes()).map_err(|_| fail("the checkpoint is malformed"))?;
        Ok(Self {
            leaf,
            index,
            path,
            note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Prover;
    use crate::testing::TestLedger;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    fn proof_and_key() -> &'static (String, VerifierKey) {
        static MADE: OnceLock<(String, VerifierKey)> = OnceLock::new();
        MADE.get_or_init(|| {
            let ledger = TestLedger::new();
            ledger.fill(0, 300);
            ledger.publish();
            let key = ledger.verifier();
            let mut prover = Prover::new(&ledger.dir(), key.clone());
            let proof = prover.prove(ledger.store(), EntryIndex::new(17)).unwrap();
            (proof.to_string(), key)
        })
    }

    fn check(text: &str, key: &VerifierKey) -> Result<Leaf, ProofError> {
        text.parse::<EntryProof>()?.verify(key)
    }

    #[test]
    fn a_proof_is_worth_nothing_under_another_key() {
        let (text, _) = proof_and_key();
        let other = TestLedger::new().verifier();
        assert!(check(text, &other).is_err());
    }

    proptest! {
        #[test]
        fn a_proof_with_any_byte_changed_removed_or_inserted_proves_nothing_else(
            place: proptest::sample::Index, byte: u8, kind in 0u8..3
        ) {
            let (text, key) = proof_and_key();
            let mut bytes = text.as_bytes().to_vec();
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
            prop_assume!(bytes != text.as_bytes());
            let verified = String::from_utf8(bytes).ok().and_then(|text| check(&text, key).ok());
            prop_assert_eq!(verified, None);
        }
    }
}
