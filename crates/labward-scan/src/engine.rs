//! What every engine is: something that looks at one part in bounded time and says what it found, or that it failed.
//!
//! An engine must never answer "nothing" for a part that it did not look at to the end.

use std::time::Duration;

use labward_carrier::{Claims, Declared, Path};
use labward_os::Stopwatch;

use crate::policy::Setting;
use crate::verdict::{FindingKind, Severity};

/// Until when something must be done, on the clock that never jumps.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    watch: Stopwatch,
    limit: Duration,
}

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self {
            watch: Stopwatch::start(),
            limit,
        }
    }

    /// What is left; zero when it is over.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.watch.elapsed())
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}

/// A part as an engine sees it.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The bytes, unwrapped.
    pub bytes: &'a [u8],
    /// What they really are.
    pub claims: &'a Claims,
    /// What they were said to be.
    pub declared: &'a Declared,
    /// Where they lie; empty for the outermost.
    pub path: &'a Path,
    /// Whether a carrier of clinical data stands around them, or is them.
    pub clinical: bool,
    /// Where the outermost bytes are.
    pub setting: Setting,
    /// The SHA-256 of the bytes.
    pub sha256: &'a [u8; 32],
}

/// One thing that an engine found in a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule, by a name that is the same for the same rule.
    pub rule: String,
    /// What the rule's author says of it; may be empty.
    pub description: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it rests on.
    pub kind: FindingKind,
}

/// Why an engine did not look to the end. It says nothing about the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The deadline passed.
    #[error("time was up")]
    Late,
    /// The engine is not there.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// The engine answered what it must not.
    #[error("failed: {0}")]
    Failed(String),
    /// The part is larger than this engine takes.
    #[error("the part is larger than it takes")]
    TooLarge,
}

impl EngineError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Unreachable(_) => "unreachable",
            Self::Failed(_) => "failed",
            Self::TooLarge => "too-large",
        }
    }
}

/// Looks at parts.
pub trait Engine: Send + Sync {
    /// A short name, the same for ever: `rules`, `hashes`, `structure`, `clamd`.
    fn name(&self) -> &'static str;

    /// What was found in the part, in at most the time that `deadline` leaves.
    ///
    /// # Errors
    /// [`EngineError`] if it did not look to the end; what it had found by then is lost with it.
    fn look(&self, part: &Look<'_>, deadline: &Deadline) -> Result<Vec<Hit>, EngineError>;

    /// What changes whenever its rules change, as hexadecimal digits or words.
    fn state(&self) -> String;
}
