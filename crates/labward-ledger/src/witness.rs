//! A witness of other nodes' ledgers: the call `add-checkpoint` of C2SP tlog-witness.
//!
//! A witness must never cosign two trees of which one does not begin the other, nor give a
//! cosignature away before what it cosigned is saved. It knows nothing of HTTP, of files or of what
//! stands in a ledger: origins, sizes, roots and proofs are all it ever sees.
//!
//! The body of the call is `old N`, up to 63 lines of a consistency proof from N, an empty line and
//! the signed checkpoint; a line feed ends each line.

use std::fmt;

use labward_base::Timestamp;

use crate::checkpoint::{Checkpoint, parse_decimal};
use crate::cosignature::{Cosignature, Cosigner, WitnessKey};
use crate::note::{NOTE_MAX_BYTES, Note, NoteError, Signature, VerifierKey};
use crate::proof::{ConsistencyProof, PATH_MAX};
use crate::tree::{Digest, Frontier};

/// Bytes that the body of a call may have.
pub const REQUEST_MAX_BYTES: usize = NOTE_MAX_BYTES + 8 * 1024;

/// Bytes of an answer that a log reads.
pub const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// What a log sends to a witness: its checkpoint, and the proof that it goes on from an older one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    old: u64,
    path: Vec<Digest>,
    note: Note,
    checkpoint: Checkpoint,
}

/// A checkpoint under which the cosignature of one witness was verified; the log's own signature
/// was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// Origin, size and root.
    pub checkpoint: Checkpoint,
    /// Who cosigned, and when.
    pub cosignature: Cosignature,
    /// The note as it is kept, with all its signatures.
    pub note: Note,
}

/// What a witness knows of one log.
#[derive(Clone, Debug, Default)]
pub struct WitnessedLog {
    /// The keys that it trusts for the log's origin; at least one must have signed.
    pub keys: Vec<VerifierKey>,
    /// The latest checkpoint that it cosigned.
    pub latest: Option<Cosigned>,
}

/// Where a witness keeps what it cosigned.
pub trait WitnessState {
    /// Why it could not be read or saved.
    type Error: From<NoteError>;

    /// What is known of the log with this origin; `None` if the witness does not know it.
    fn log(&self, origin: &str) -> Result<Option<WitnessedLog>, Self::Error>;

    /// Saves `cosigned` as the latest checkpoint of its origin, whole or not at all.
    ///
    /// **Invariant:** no acknowledgement before durability: when it returns `Ok`, a power cut does
    /// not bring the former state back.
    fn save(&mut self, cosigned: &Cosigned) -> Result<(), Self::Error>;
}

/// A witness: its key and what it cosigned so far. One call is worked on at a time, so that
/// checking and saving are one step.
pub struct Witness<S> {
    cosigner: Cosigner,
    state: S,
}

/// What a witness answers; the statuses are those of the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: the checkpoint is saved, and this is the cosignature.
    Cosigned(Signature),
    /// 400: the call has not the form that the specification demands.
    Malformed(&'static str),
    /// 403: no key that is trusted for this origin has signed the checkpoint.
    Untrusted,
    /// 404: the witness does not know the origin.
    UnknownLog,
    /// 409: the latest checkpoint that was cosigned has this size, not the old size of the call.
    OtherSize(u64),
    /// 422: the proof does not show that the tree goes on from what was cosigned.
    Inconsistent(Box<Contradiction>),
}

/// Two checkpoints of one origin, both signed by the log, of which the second is not shown to go on
/// from the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// What the witness has cosigned, if anything.
    pub seen: Option<Note>,
    /// What it was shown.
    pub shown: Note,
    /// What does not fit.
    pub what: &'static str,
}

impl AddCheckpoint {
    /// The call for this signed checkpoint, with the proof that ends at its size.
    ///
    /// # Errors
    /// [`NoteError::Form`] if the note is no checkpoint or the proof is of another tree size.
    pub fn new(note: Note, proof: ConsistencyProof) -> Result<Self, NoteError> {
        let (checkpoint, _) = Checkpoint::parse_with_extensions(note.unverified_text())?;
        if proof.new != checkpoint.size || proof.path.len() > PATH_MAX {
            return Err(NoteError::Form("the proof does not end at the checkpoint"));
        }
        Ok(Self {
            old: proof.old,
            path: proof.path,
            note,
            checkpoint,
        })
    }

    /// Reads the body of a call; nothing about it is verified yet.
    ///
    /// # Errors
    /// [`NoteError::Form`] says which part is malformed.
    pub fn parse(body: &[u8]) -> Result<Self, NoteError> {
        let form = NoteError::Form;
        if body.len() > REQUEST_MAX_BYTES {
            return Err(form("it is too large"));
        }
        let text = std::str::from_utf8(body).map_err(|_| form("it is not UTF-8"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(form("no empty line stands before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| parse_decimal(line.strip_prefix("old ")?))
            .ok_or(form("the first line holds no old size"))?;
        let path = lines
            .take(PATH_MAX + 1)
            .map(Digest::from_base64)
            .collect::<Option<Vec<_>>>()
            .ok_or(form("a line of the proof is not a digest"))?;
        if path.len() > PATH_MAX {
            return Err(form("the proof has more than 63 lines"));
        }
        let note = Note::parse(note.as_bytes())?;
        let (checkpoint, _) = Checkpoint::parse_with_extensions(note.unverified_text())?;
        Ok(Self {
            old,
            path,
            note,
            checkpoint,
        })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.path
            .iter()
            .try_for_each(|digest| writeln!(f, "{}", digest.to_base64()))?;
        write!(f, "\n{}", self.note)
    }
}

impl Cosigned {
    /// The checkpoint in `note`, if this witness has cosigned it.
    ///
    /// # Errors
    /// [`NoteError`] as [`WitnessKey::verify`] and [`Checkpoint::parse`] give it.
    pub fn open(note: &[u8], witness: &WitnessKey) -> Result<Self, NoteError> {
        let note = Note::parse(note)?;
        let cosignature = witness.verify(&note)?;
        let (checkpoint, _) = Checkpoint::parse_with_extensions(note.unverified_text())?;
        Ok(Self {
            checkpoint,
            cosignature,
            note,
        })
    }

    /// Adds the cosignature that stands in the answer 200 of a witness to the checkpoint that it
    /// was asked about; lines by other keys are ignored, as the specification demands.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`] if the answer holds no cosignature by this key,
    /// [`NoteError::BadSignature`] if it does not verify.
    pub fn from_answer(
        mut asked: Note,
        answer: &[u8],
        witness: &WitnessKey,
    ) -> Result<Self, NoteError> {
        let form = NoteError::Form("the answer does not consist of signature lines");
        let text = std::str::from_utf8(answer).map_err(|_| form)?;
        asked.retain(|signature| !witness.claims(signature));
        for line in text.strip_suffix('\n').ok_or(form)?.split('\n') {
            let signature = Signature::parse(line).ok_or(form)?;
            if witness.claims(&signature) {
                asked.add_signature(signature);
            }
        }
        Self::open(asked.to_string().as_bytes(), witness)
    }
}

impl<S: WitnessState> Witness<S> {
    /// A witness with this key that goes on from this state.
    pub const fn new(cosigner: Cosigner, state: S) -> Self {
        Self { cosigner, state }
    }

    /// The key with which others verify what this witness cosigned.
    pub fn verifier(&self) -> WitnessKey {
        self.cosigner.verifier()
    }

    /// What this witness cosigned.
    pub const fn state(&self) -> &S {
        &self.state
    }

    /// Answers one call at the time `now`; a cosignature is in the answer only once what it states
    /// is saved.
    ///
    /// # Errors
    /// Only what keeps it from looking or saving; then nothing was cosigned.
    pub fn add_checkpoint(&mut self, body: &[u8], now: Timestamp) -> Result<Answer, S::Error> {
        let call = match AddCheckpoint::parse(body) {
            Ok(call) => call,
            Err(NoteError::Form(what)) => return Ok(Answer::Malformed(what)),
            Err(_) => return Ok(Answer::Malformed("it is not a signed checkpoint")),
        };
        let Some(log) = self.state.log(&call.checkpoint.origin)? else {
            return Ok(Answer::UnknownLog);
        };
        let Some(mut note) = vouched_for(&call.note, &log.keys) else {
            return Ok(Answer::Untrusted);
        };
        if let Some(refused) = refuse(&call, log.latest.as_ref()) {
            return Ok(refused);
        }
        // A clock that went back must not put the larger tree before the smaller one.
        let last = log.latest.map(|latest| latest.cosignature.time);
        let now = last.map_or(now, |last| last.max(now));
        let signature = self.cosigner.cosign(note.unverified_text(), now)?;
        note.add_signature(signature.clone());
        self.state.save(&Cosigned {
            checkpoint: call.checkpoint,
            cosignature: self.cosigner.verifier().verify(&note)?,
            note,
        })?;
        Ok(Answer::Cosigned(signature))
    }
}

/// The note with the signatures of trusted keys alone; `None` unless there is one, and each one
/// that claims to be of a trusted key verifies.
fn vouched_for(note: &Note, keys: &[VerifierKey]) -> Option<Note> {
    let mut vouched = false;
    for key in keys {
        match note.verify(key) {
            Ok(_) => vouched = true,
            Err(NoteError::NotSigned) => {}
            Err(_) => return None,
        }
    }
    let mut kept = note.clone();
    kept.retain(|signature| keys.iter().any(|key| key.claims(signature)));
    vouched.then_some(kept)
}

/// Why the call of a trusted log is refused, if it is; the order is that of the specification.
fn refuse(call: &AddCheckpoint, latest: Option<&Cosigned>) -> Option<Answer> {
    let new = &call.checkpoint;
    if call.old > new.size {
        let what = "the old size is larger than the checkpoint's";
        return Some(Answer::Malformed(what));
    }
    let empty = Frontier::new().root();
    let (seen, root) = latest.map_or((0, empty), |latest| {
        (latest.checkpoint.size, latest.checkpoint.root)
    });
    if call.old != seen {
        return Some(Answer::OtherSize(seen));
    }
    let proof = ConsistencyProof {
        old: call.old,
        new: new.size,
        path: call.path.clone(),
    };
    let what = if new.size == 0 && new.root != empty {
        "the root of an empty tree is not the digest of nothing"
    } else if call.old == new.size && new.root != root {
        "the checkpoints are of one size and have different roots"
    } else if !proof.verify(&root, &new.root) {
        "the proof does not lead from the one to the other"
    } else {
        return None;
    };
    Some(Answer::Inconsistent(Box::new(Contradiction {
        seen: latest.map(|latest| latest.note.clone()),
        shown: call.note.clone(),
        what,
    })))
}

impl Answer {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::Malformed(_) => 400,
            Self::Untrusted => 403,
            Self::UnknownLog => 404,
            Self::OtherSize(_) => 409,
            Self::Inconsistent(_) => 422,
        }
    }

    /// The type of the body.
    pub const fn content_type(&self) -> &'static str {
        match self {
            Self::OtherSize(_) => "text/x.tlog.size",
            _ => "text/plain; charset=utf-8",
        }
    }

    /// The body: a signature line, a size, or what is wrong in a sentence.
    pub fn body(&self) -> String {
        match self {
            Self::Cosigned(signature) => format!("{signature}\n"),
            Self::Malformed(what) => format!("{what}\n"),
            Self::Untrusted => "no trusted key of this origin has signed the checkpoint\n".into(),
            Self::UnknownLog => "this witness does not know the origin\n".into(),
            Self::OtherSize(size) => format!("{size}\n"),
            Self::Inconsistent(contradiction) => format!("{}\n", contradiction.what),
        }
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        if let Some(seen) = &self.seen {
            writeln!(f, "\ncosigned before:\n\n{seen}")?;
        }
        write!(f, "\nshown:\n\n{}", self.shown)
    }
}

#[cfg(test)]
mod tests;
