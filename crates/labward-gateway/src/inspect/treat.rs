//! What becomes of a message that was looked at: it passes, something is taken out of it, or it is held.
//!
//! It must never wait for ever, take silence for a verdict, or take anything out before the original is sealed.

use std::sync::Arc;
use std::time::Duration;

use labward_ledger::Facts;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::rewrite::{bare, rewrite, skeleton};
use super::{
    Asked, Finding, Inspect, InspectPolicy, Inspected, OnFound, Place, RecordFound, Treated,
};
use crate::keep::{Also, KeepError};
use crate::path::Incoming;
use crate::policy::Admission;
use crate::reason::Reason;

/// Longer than whoever looks may be told to take; only one that is broken is given up.
const PATIENCE: Duration = Duration::from_secs(70);

/// What was decided about a message that was looked at.
pub(crate) struct Treatment {
    verdict: Finding,
    rules: [u8; 8],
    /// `None` if nothing was found.
    pub(crate) treated: Option<Treated>,
    /// What commits with the message.
    pub(crate) also: Option<Also>,
}

impl Treatment {
    /// What the entry says of it.
    pub(crate) fn facts(&self, facts: Facts) -> Facts {
        let mut facts = facts.text("scan", self.verdict.name());
        if self.verdict != Finding::Failed {
            facts = facts.hex("rules", &self.rules);
        }
        match self.treated {
            Some(treated) => facts.text("treated", treated.name()),
            None => facts,
        }
    }
}

/// Has somebody look; who gives no answer has not looked.
pub(crate) async fn look(inspect: &dyn Inspect, asked: Asked) -> Inspected {
    let (answer, found) = oneshot::channel();
    let done = move |inspected| {
        // Who asked may be gone: its connection broke, and the sender sends the message again.
        let _ = answer.send(inspected);
    };
    inspect.inspect(asked, Box::new(done));
    match timeout(PATIENCE, found).await {
        Ok(Ok(inspected)) => inspected,
        Ok(Err(_)) | Err(_) => Inspected {
            verdict: Finding::Failed,
            rules: [0; 8],
            places: Vec::new(),
            record: None,
        },
    }
}

/// Does with `message` what the link says, once the original is sealed if anything is taken out of it.
///
/// Its bytes are those of `asked`, without what was found where that is taken out.
///
/// # Errors
/// The original could not be sealed: the message must not be kept.
pub(crate) async fn treat(
    inspect: &dyn Inspect,
    policy: InspectPolicy,
    asked: Asked,
    message: &mut Incoming,
    inspected: Inspected,
) -> Result<Treatment, KeepError> {
    let Inspected {
        verdict,
        rules,
        places,
        record,
    } = inspected;
    let mut treatment = Treatment {
        verdict,
        rules,
        treated: None,
        also: None,
    };
    if verdict == Finding::Clean {
        message.bytes = Arc::unwrap_or_clone(asked.bytes);
        return Ok(treatment);
    }
    let wish = policy.on(verdict);
    // Where nobody could look there is nothing to take out: a person decides about all of it.
    let takes_out = wish != OnFound::Pass && verdict != Finding::Failed;
    let mut is_rest = false;
    if takes_out {
        let without = Without {
            inspect,
            policy,
            asked,
            verdict,
        };
        (message.bytes, is_rest) = without.found_in(&places).await;
    } else {
        message.bytes = Arc::unwrap_or_clone(asked.bytes);
    }
    let goes_on = message.admission == Admission::Admit;
    let treated = match wish {
        OnFound::Pass => Treated::Passed,
        OnFound::Replace if is_rest && goes_on => Treated::Replaced,
        OnFound::Replace | OnFound::Hold => Treated::Held,
    };
    if treated == Treated::Held && message.admission == Admission::Admit {
        message.admission = Admission::Refuse(reason(verdict));
    }
    treatment.treated = Some(treated);
    treatment.also = match record {
        Some(record) => Some(recorded(record, treated).await?),
        // Nobody has the original.
        None if takes_out => return Err(KeepError::Internal),
        None => None,
    };
    Ok(treatment)
}

const fn reason(verdict: Finding) -> Reason {
    match verdict {
        Finding::Malicious | Finding::Suspicious => Reason::Malware,
        Finding::Clean | Finding::Unscannable | Finding::Failed => Reason::NotInspected,
    }
}

/// Seals and writes a file, which the thread of the connections must not wait for.
async fn recorded(record: RecordFound, treated: Treated) -> Result<Also, KeepError> {
    let recorded = spawn_blocking(move || record(treated)).await;
    recorded.unwrap_or(Err(KeepError::Internal))
}

/// Makes a message without what was found in it.
struct Without<'a> {
    inspect: &'a dyn Inspect,
    policy: InspectPolicy,
    asked: Asked,
    verdict: Finding,
}

impl Without<'_> {
    /// The rest of the message and `true`; where there is none, as little as says what it was.
    async fn found_in(&self, places: &[Place]) -> (Vec<u8>, bool) {
        let (kind, verdict) = (self.asked.kind, self.verdict);
        let bytes = &self.asked.bytes;
        if let Some(rest) = rewrite(kind, bytes, places, verdict)
            && let Some(rest) = self.passing(rest).await
        {
            return (rest, true);
        }
        if let Some(skeleton) = skeleton(kind, bytes, places, verdict)
            && let Some(skeleton) = self.passing(skeleton).await
        {
            return (skeleton, false);
        }
        (bare(kind, verdict), false)
    }

    /// These bytes, if they would pass on this link: places may be wrong, or not all of them be known.
    async fn passing(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let bytes = Arc::new(bytes);
        let asked = Asked {
            bytes: Arc::clone(&bytes),
            ..self.asked.clone()
        };
        let verdict = look(self.inspect, asked).await.verdict;
        let passes = verdict != Finding::Failed && self.policy.on(verdict) == OnFound::Pass;
        passes.then(|| Arc::unwrap_or_clone(bytes))
    }
}

#[cfg(test)]
mod tests;
