//! What a scan answers: the verdict, and everything it rests on, bounded in number and length.
//!
//! A path and a name are the sender's and may name a patient; what goes to ledger and log is the plain path.

use serde::{Deserialize, Serialize};

use crate::verdict::{FindingKind, Severity, Verdict};

/// The most findings, obstacles, signs or faults that one report keeps; those beyond are counted.
pub(crate) const KEPT_MAX: usize = 200;

/// One thing that speaks against a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Where the part lies, with the sender's names; empty for the outermost bytes.
    pub path: String,
    /// The same without names, for ledger and log.
    pub plain_path: String,
    /// The place in the outermost bytes that the path begins with, such as `OBX[3].5.5`; empty if it begins otherwise.
    #[serde(default)]
    pub place: String,
    /// Which engine found it.
    pub engine: String,
    /// Which rule.
    pub rule: String,
    /// What the rule's author says of it; may be empty.
    pub description: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it rests on.
    pub kind: FindingKind,
    /// The SHA-256 of the part, in hexadecimal digits.
    pub sha256: String,
}

/// Something that could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundObstacle {
    /// Where, with the sender's names.
    pub path: String,
    /// The same without names.
    pub plain_path: String,
    /// The place in the outermost bytes that the path begins with; empty if it begins otherwise.
    #[serde(default)]
    pub place: String,
    /// Why: the code of a `labward_carrier::Obstacle`.
    pub why: String,
}

/// A fact of the structure, whether it counts or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundSign {
    /// Where, with the sender's names.
    pub path: String,
    /// The same without names.
    pub plain_path: String,
    /// The code of a `labward_carrier::Sign`.
    pub sign: String,
}

/// An engine, or the scanner itself, that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineFault {
    /// Which engine; `carrier` for the unwrapping, `process` for the scanner's process.
    pub engine: String,
    /// Why: the code of an [`crate::EngineError`], `panic`, or a code of the process.
    pub code: String,
    /// What is known about it.
    pub detail: String,
}

/// What a scan answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What is said of the bytes.
    pub verdict: Verdict,
    /// What speaks against them, in the order it was found.
    pub findings: Vec<Finding>,
    /// What could not be looked into.
    pub obstacles: Vec<FoundObstacle>,
    /// The facts of the structure.
    pub signs: Vec<FoundSign>,
    /// What failed.
    pub faults: Vec<EngineFault>,
    /// How many findings, obstacles, signs and faults are left out of the lists.
    pub left_out: u64,
    /// How many parts were looked at, the outermost bytes among them.
    pub parts: u64,
    /// The bytes of all parts together.
    pub bytes: u64,
    /// The SHA-256 of the outermost bytes in hexadecimal digits; empty if they never arrived.
    pub sha256: String,
    /// What changes whenever a rule, a list or an engine changes: a SHA-256 in hexadecimal digits.
    pub rules: String,
    /// When the oldest rule set was brought, in seconds since 1970; none where it is not known.
    pub rules_since: Option<i64>,
}

impl Report {
    /// Nothing is known: the report of a scan that never came to its end.
    #[must_use]
    pub fn failed(code: &str, detail: &str) -> Self {
        Self {
            verdict: Verdict::ScannerError,
            findings: Vec::new(),
            obstacles: Vec::new(),
            signs: Vec::new(),
            faults: vec![EngineFault {
                engine: "process".to_owned(),
                code: code.to_owned(),
                detail: crate::bounded(detail),
            }],
            left_out: 0,
            parts: 0,
            bytes: 0,
            sha256: String::new(),
            rules: String::new(),
            rules_since: None,
        }
    }

    /// The verdict that the lists give: malicious before an error of another engine, an error before suspicious, and
    /// clean only if nothing is left to say.
    ///
    /// A finding stands whatever failed beside it; "suspicious" with an engine down is an error, because what it would
    /// have said may be worse.
    pub(crate) fn judged(&self) -> Verdict {
        let worst = |verdict| self.findings.iter().any(|f| f.kind.verdict() == verdict);
        if worst(Verdict::Malicious) {
            Verdict::Malicious
        } else if !self.faults.is_empty() {
            Verdict::ScannerError
        } else if worst(Verdict::Suspicious) {
            Verdict::Suspicious
        } else if !self.obstacles.is_empty() {
            Verdict::Unscannable
        } else {
            Verdict::Clean
        }
    }

    /// Whether another process may have written this: nothing is longer than we write it, and the verdict is no better
    /// than the lists.
    pub(crate) fn is_plausible(&self) -> bool {
        let lists = [
            self.findings.len(),
            self.obstacles.len(),
            self.signs.len(),
            self.faults.len(),
        ];
        lists.iter().all(|len| *len <= KEPT_MAX) && self.verdict == self.judged()
    }
}

/// Adds to a list until it is full; then only counts.
pub(crate) fn keep<T>(list: &mut Vec<T>, left_out: &mut u64, item: T) {
    if list.len() < KEPT_MAX {
        list.push(item);
    } else {
        *left_out = left_out.saturating_add(1);
    }
}
