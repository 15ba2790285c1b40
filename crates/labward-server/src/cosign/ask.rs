//! One round of questions to one witness.
//!
//! It must never take an answer for a cosignature that does not verify under the configured key, or
//! for a second history what is only a lost answer: a witness that saw more than it told us is asked
//! again from the size that it names.

use std::sync::Arc;

use labward_base::{Remark, Timestamp, remark};
use labward_ledger::{AddCheckpoint, Cosigned, LedgerError, Note, VerifierKey, WitnessKey};

use super::client::{Reply, WitnessClient};
use crate::config::WitnessConfig;
use crate::http::unread;
use crate::publish::Publishing;

/// Questions in one round: from what we know, and from what the witness then says.
const QUESTIONS: usize = 3;

/// What asks one witness.
pub(super) struct Questioner {
    pub(super) name: String,
    pub(super) key: WitnessKey,
    client: WitnessClient,
    publishing: Arc<Publishing>,
}

/// What came of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It cosigned this size at this time.
    Cosigned(u64, Timestamp),
    /// It did not, for this reason; it may the next time.
    Failed(Remark),
    /// There was nothing to ask.
    Nothing,
    /// It holds another history of this ledger.
    Refused(Refusal),
}

/// That a witness holds another history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What does not fit, in a sentence.
    pub(super) what: Remark,
    /// Both checkpoints, or why the witness's own is not among them.
    pub(super) evidence: String,
}

impl Questioner {
    pub(super) fn new(
        config: &WitnessConfig,
        client: WitnessClient,
        publishing: Arc<Publishing>,
    ) -> Self {
        Self {
            name: config.name.clone(),
            key: config.key.clone(),
            client,
            publishing,
        }
    }

    /// What it cosigned last, as it is kept here.
    pub(super) fn kept(&self) -> Result<Option<Cosigned>, LedgerError> {
        self.publishing.cosigned(&self.key)
    }

    /// What the witness itself says that it cosigned last, both signatures verified.
    pub(super) fn latest(&self) -> Result<Option<Cosigned>, Remark> {
        let log = self.publishing.verifier();
        let reply = self.client.latest(log.name())?;
        if reply.status == 404 {
            return Ok(None);
        }
        if reply.status != 200 {
            return Err(remark::witness_status(u32::from(reply.status)));
        }
        let open = |bytes: &[u8], log: &VerifierKey| {
            let cosigned = Cosigned::open(bytes, &self.key)?;
            labward_ledger::Checkpoint::open(bytes, log).map(|_| cosigned)
        };
        match open(&reply.body, log) {
            Ok(cosigned) => Ok(Some(cosigned)),
            Err(_) => Err(remark::witness_not_signed()),
        }
    }

    /// Asks for a cosignature of the newest checkpoint; if nothing is new only when `even_so`.
    pub(super) fn ask(&self, even_so: bool) -> Outcome {
        self.try_ask(even_so)
            .unwrap_or_else(|error| Outcome::Failed(unread(&error)))
    }

    fn try_ask(&self, even_so: bool) -> Result<Outcome, LedgerError> {
        let Some((note, size)) = self.publishing.newest()? else {
            return Ok(Outcome::Nothing);
        };
        // What is damaged is as good as nothing: the witness says where it stands.
        let kept = self.kept().unwrap_or_default();
        let same = |kept: &Cosigned| kept.note.text_is(&note);
        if kept.as_ref().is_some_and(same) && !even_so {
            return Ok(Outcome::Nothing);
        }
        let mut old = kept.map_or(0, |kept| kept.checkpoint.size).min(size);
        for _ in 0..QUESTIONS {
            let proof = self.publishing.consistency(old, size)?;
            let call = AddCheckpoint::new(note.clone(), proof)?.to_string();
            let reply = match self.client.add_checkpoint(&call) {
                Ok(reply) => reply,
                Err(why) => return Ok(Outcome::Failed(why)),
            };
            match (reply.status, reply.size()) {
                (200, _) => return self.accept(note, &reply),
                (409, Some(seen)) if seen > size => {
                    let what = remark::witness_saw_more(seen, size);
                    return Ok(self.refused(what, &note));
                }
                (409, Some(seen)) if seen != old => old = seen,
                (422, _) => {
                    let what = remark::witness_saw_other(size, old);
                    return Ok(self.refused(what, &note));
                }
                (404, _) => {
                    return Ok(Outcome::Failed(remark::witness_knows_no_ledger()));
                }
                (403, _) => return Ok(Outcome::Failed(remark::witness_trusts_no_key())),
                (status, _) => {
                    return Ok(Outcome::Failed(remark::witness_status(u32::from(status))));
                }
            }
        }
        Ok(Outcome::Failed(remark::witness_other_size()))
    }

    fn accept(&self, note: Note, reply: &Reply) -> Result<Outcome, LedgerError> {
        let Ok(cosigned) = Cosigned::from_answer(note, &reply.body, &self.key) else {
            return Ok(Outcome::Failed(remark::witness_no_cosignature()));
        };
        self.publishing.save_cosigned(&self.key, &cosigned)?;
        Ok(Outcome::Cosigned(
            cosigned.checkpoint.size,
            cosigned.cosignature.time,
        ))
    }

    fn refused(&self, what: Remark, ours: &Note) -> Outcome {
        let theirs = match self.latest() {
            Ok(Some(latest)) => latest.note.to_string(),
            Ok(None) => "it shows no checkpoint\n".to_owned(),
            Err(why) => format!("it could not be learned: {why}\n"),
        };
        let evidence = format!(
            "{what}\n\ncosigned by witness {}:\n\n{theirs}\nthe newest of this ledger:\n\n{ours}",
            self.name
        );
        Outcome::Refused(Refusal { what, evidence })
    }
}
