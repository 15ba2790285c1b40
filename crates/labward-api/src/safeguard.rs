//! The requirements of the HIPAA Security Rule, each with its state from measured facts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::remark::Remark;

/// `GET safeguards`: which text is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SafeguardFilter {
    /// `law` (the rule in force, if none is given) or `proposed-2025` (90 FR 898, never law).
    pub profile: Option<String>,
}

/// The requirements of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Safeguards {
    /// `law` or `proposed-2025`.
    pub profile: String,
    /// Whether this is law; what is only proposed is not.
    pub is_law: bool,
    /// How many are in each state.
    pub counts: SafeguardCounts,
    /// Each requirement, a standard before its specifications.
    pub requirements: Vec<Safeguard>,
}

/// How many requirements are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SafeguardCounts {
    /// Everything that decides them was measured and is good.
    pub met: u64,
    /// Something that decides them was measured and is bad.
    pub not_met: u64,
    /// Not everything that decides them is measured.
    pub not_measured: u64,
    /// A person decided about them, and the decision holds.
    pub decided_otherwise: u64,
}

/// One requirement and how it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Safeguard {
    /// Its place in title 45, such as `164.312(a)(2)(iv)`.
    pub citation: String,
    /// The stable key of its text.
    pub key: String,
    /// What it is about, in English.
    pub title: String,
    /// `administrative`, `physical`, `technical`, `organizational` or `documentation`.
    pub section: String,
    /// `standard`, `required` or `addressable`.
    pub kind: String,
    /// `met`, `not-met`, `not-measured` or `decided-otherwise`.
    pub state: String,
    /// Whether its facts show only a part of it, so that they cannot make it met.
    pub in_part: bool,
    /// The facts that decide it.
    pub facts: Vec<SafeguardFact>,
    /// What was decided about it, an expired decision too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<SafeguardDecision>,
    /// The kinds of decisions that the rule lets be made about it.
    pub may_be: Vec<String>,
}

/// One thing that was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SafeguardFact {
    /// The stable key of its text.
    pub key: String,
    /// What is so if it is good, in English.
    pub title: String,
    /// `good`, `bad` or `unknown`.
    pub value: String,
    /// What was counted or read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Figure>,
    /// When it was measured, RFC 3339: now, or when the act was on which it rests.
    pub measured: String,
    /// How long ago that is, in seconds.
    pub age_seconds: u64,
    /// The entry that it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// Which places are bad, or why it could not be measured; in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The same, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<FactNote>,
}

/// What stands beside a fact: what a check found, or remarks alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct FactNote {
    /// The code of the check that found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Where it is, or why it could not be measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

/// What was counted or read.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Figure {
    /// How many.
    Count {
        /// The number.
        count: u64,
    },
    /// It never happened.
    Never,
    /// How long.
    Seconds {
        /// Seconds.
        seconds: u64,
    },
    /// So many of so many.
    Share {
        /// How many.
        of: u64,
        /// Of how many.
        all: u64,
    },
    /// When.
    Time {
        /// RFC 3339.
        time: String,
    },
}

/// What was decided about a requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SafeguardDecision {
    /// `implemented`, `alternative`, `not-reasonable` or `does-not-apply`.
    pub kind: String,
    /// The rationale; none while the root key is sealed.
    pub rationale: Option<String>,
    /// The number of the person who decided.
    pub approver: u64,
    /// Their name, for who may see the people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver_name: Option<String>,
    /// When, RFC 3339.
    pub decided: String,
    /// The last day on which it holds, `YYYY-MM-DD` in UTC.
    pub until: String,
    /// Whether that day is over: it holds no more.
    pub expired: bool,
    /// Whether a measured fact stands against it.
    pub contradicted: bool,
    /// The entry that records it.
    pub entry: u64,
}

/// `POST safeguards/decide`: a decision about a requirement of the rule in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideSafeguard {
    /// About what, such as `164.312(a)(2)(iv)`.
    pub citation: String,
    /// `implemented`, `alternative`, `not-reasonable` or `does-not-apply`.
    pub kind: String,
    /// The last day on which it holds, `YYYY-MM-DD`: at most 24 months ahead.
    pub until: String,
    /// The rationale; recorded and kept sealed.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// `POST safeguards/withdraw`: a decision to be taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawSafeguard {
    /// About what.
    pub citation: String,
    /// Why; recorded sealed.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}
