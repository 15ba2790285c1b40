//! [`Inspect`]: who looks at messages for malware before they are kept and delivered; the server plugs it in.
//!
//! It must never lose a result: what is bad is taken out of the message, or the message is held, and whoever inspects
//! keeps the whole original sealed in the same commit. An inspector that fails is never a verdict: what happens then
//! is the link's policy. 45 CFR 164.308(a)(5)(ii)(B).
//!
//! **Invariant:** no record holds what was taken out. What was rewritten is looked at again before it is kept; if it
//! would not pass, or cannot be rewritten, the message is held and its record says no more than that.

mod astm;
mod hl7;
mod lines;
mod renumber;
mod rewrite;
mod splice;
mod treat;

use std::sync::Arc;

use labward_base::id::PeerId;
use serde::Deserialize;

pub(crate) use self::renumber::renumbered;
pub use self::rewrite::{rewrite, skeleton};
pub(crate) use self::treat::{Treatment, look, treat};
use crate::keep::{Also, KeepError, MessageKind};

/// Looks at messages.
pub trait Inspect: Send + Sync + 'static {
    /// Looks at a message within a time that it bounds itself, 60 seconds at most. `done` is called once, on any
    /// thread; dropped without having been called, nobody could look.
    ///
    /// Of a message out of which something was taken it is asked once more, and nothing of that is recorded.
    fn inspect(&self, asked: Asked, done: InspectDone);
}

/// What is called when a message was looked at.
pub type InspectDone = Box<dyn FnOnce(Inspected) + Send>;

/// A message to look at.
#[derive(Clone)]
pub struct Asked {
    /// The link.
    pub link: String,
    /// Whose it is.
    pub peer: PeerId,
    /// What the lab calls the peer.
    pub peer_name: String,
    /// What its bytes are.
    pub kind: MessageKind,
    /// `ORU^R01`, `ASTM`; empty if it has none.
    pub message_type: String,
    /// The message.
    pub bytes: Arc<Vec<u8>>,
}

/// What looking at a message gave.
pub struct Inspected {
    /// The verdict.
    pub verdict: Finding,
    /// The first 8 bytes of the hash of the rules, for the entry.
    pub rules: [u8; 8],
    /// Where what was found stands in the message, each once.
    pub places: Vec<Place>,
    /// Asked, if something was found, once it is decided what is done: seals the original where something is taken out
    /// of it, and gives what is to commit with the message. It may block. Without it nothing is taken out: the message
    /// is not kept where it would have to be.
    pub record: Option<RecordFound>,
}

/// Seals the original for this treatment; what commits with the message.
pub type RecordFound = Box<dyn FnOnce(Treated) -> Result<Also, KeepError> + Send>;

/// What an inspector says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing was found by anybody who looked.
    Clean,
    /// It is malware.
    Malicious,
    /// It may be.
    Suspicious,
    /// Something of it could not be looked into.
    Unscannable,
    /// Nobody could look.
    Failed,
}

/// What the gateway does with a message in which something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treated {
    /// It goes on with a notice in the place of what was found.
    Replaced,
    /// It waits for a person, with a notice in the place of what was found; as it is where nobody could look.
    Held,
    /// It goes on as it is.
    Passed,
}

/// Where something stands in a message: a segment or record, and the field of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The segment's name or the record's letter: `OBX`, `C`.
    pub segment: String,
    /// Which one of this name in the message, counted from 1.
    pub number: u32,
    /// The field, counted from 1 as the standard counts it (MSH-1 is the separator).
    pub field: u32,
}

/// What is done with messages in which something was found, of one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InspectPolicy {
    /// Malware: `"replace"` (with a notice and a comment) or `"hold"`. Default `"replace"`.
    pub malicious: OnMalicious,
    /// What may be malware: `"pass"`, `"replace"` or `"hold"`. Default `"pass"`.
    pub suspicious: OnFound,
    /// What could not be looked into: `"pass"`, `"replace"` or `"hold"`. Default `"pass"`.
    pub unscannable: OnFound,
    /// While nobody can look: `"pass"` (it is looked at later) or `"hold"`. Default `"pass"`.
    pub failed: OnFailed,
}

impl InspectPolicy {
    /// What is done with a message of which this was found.
    pub(crate) const fn on(&self, verdict: Finding) -> OnFound {
        match verdict {
            Finding::Clean => OnFound::Pass,
            Finding::Malicious => match self.malicious {
                OnMalicious::Replace => OnFound::Replace,
                OnMalicious::Hold => OnFound::Hold,
            },
            Finding::Suspicious => self.suspicious,
            Finding::Unscannable => self.unscannable,
            Finding::Failed => match self.failed {
                OnFailed::Pass => OnFound::Pass,
                OnFailed::Hold => OnFound::Hold,
            },
        }
    }
}

impl Finding {
    /// What it is called in facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Malicious => "malicious",
            Self::Suspicious => "suspicious",
            Self::Unscannable => "unscannable",
            Self::Failed => "failed",
        }
    }
}

impl Treated {
    /// What it is called in facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Held => "held",
            Self::Passed => "passed",
        }
    }
}

impl Default for InspectPolicy {
    fn default() -> Self {
        Self {
            malicious: OnMalicious::Replace,
            suspicious: OnFound::Pass,
            unscannable: OnFound::Pass,
            failed: OnFailed::Pass,
        }
    }
}

/// What is done with malware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnMalicious {
    /// It is taken out, and the rest is delivered; where it cannot be taken out the message is held.
    Replace,
    /// The message is held.
    Hold,
}

/// What is done with what may be malware, or could not be looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFound {
    /// It is delivered and recorded.
    Pass,
    /// It is taken out, and the rest is delivered; where it cannot be taken out the message is held.
    Replace,
    /// The message is held.
    Hold,
}

/// What is done while nobody can look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailed {
    /// It is delivered, and looked at later.
    Pass,
    /// The message is held.
    Hold,
}
