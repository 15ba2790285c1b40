//! The words of a verdict, as they stand in JSON, ledger and screen.
//!
//! **Invariant:** a scanner error is never a verdict about the bytes, and what could not be looked into is never
//! clean.

use serde::{Deserialize, Serialize};

/// What is said of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every engine looked at every part and nothing was found.
    Clean,
    /// A rule that nobody approved for removal, or the structure, speaks against it.
    Suspicious,
    /// A known hash, the EICAR test file, or an approved rule.
    Malicious,
    /// Something in it could not be looked into: encrypted, damaged, over budget.
    Unscannable,
    /// An engine failed or was late: nothing is known.
    ScannerError,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: &[Self] = &[
        Self::Clean,
        Self::Suspicious,
        Self::Malicious,
        Self::Unscannable,
        Self::ScannerError,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Suspicious => "suspicious",
            Self::Malicious => "malicious",
            Self::Unscannable => "unscannable",
            Self::ScannerError => "scanner-error",
        }
    }
}

/// How bad a finding is, by its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Unusual for a laboratory.
    Medium,
    /// Seldom harmless.
    High,
    /// Known to be harmful.
    Critical,
}

impl Severity {
    /// From a score of 0 to 100 as rule writers give it: 80 and more critical, 60 high, 40 medium.
    #[must_use]
    pub const fn of_score(score: i64) -> Self {
        match score {
            80.. => Self::Critical,
            60..80 => Self::High,
            40..60 => Self::Medium,
            _ => Self::Low,
        }
    }

    /// From the word of a rule's author; none for other words.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "critical" => Some(Self::Critical),
            "high" => Some(Self::High),
            "medium" | "moderate" => Some(Self::Medium),
            "low" | "info" | "informational" => Some(Self::Low),
            _ => None,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a finding rests on; it decides whether it can be [`Verdict::Malicious`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A fact of the structure.
    Structure,
    /// A rule that a person brought.
    Rule,
    /// A signature of another scanner that a person runs.
    Signature,
    /// A rule that a person approved for removal.
    ApprovedRule,
    /// The hash of the part stands in a list that a person brought.
    Hash,
    /// The EICAR test file.
    Eicar,
}

impl FindingKind {
    /// What a finding of this kind alone makes of the bytes.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Structure | Self::Rule | Self::Signature => Verdict::Suspicious,
            Self::ApprovedRule | Self::Hash | Self::Eicar => Verdict::Malicious,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Rule => "rule",
            Self::Signature => "signature",
            Self::ApprovedRule => "approved-rule",
            Self::Hash => "hash",
            Self::Eicar => "eicar",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_json_says() {
        for verdict in Verdict::ALL {
            let json = serde_json::to_string(verdict).unwrap();
            assert_eq!(json, format!("\"{}\"", verdict.code()));
        }
    }

    #[test]
    fn only_hash_eicar_or_an_approved_rule_is_malicious() {
        use FindingKind::*;
        let malicious: Vec<_> = [Structure, Rule, Signature, ApprovedRule, Hash, Eicar]
            .into_iter()
            .filter(|kind| kind.verdict() == Verdict::Malicious)
            .collect();
        assert_eq!(malicious, [ApprovedRule, Hash, Eicar]);
    }

    #[test]
    fn a_score_or_a_word_is_a_severity() {
        assert_eq!(Severity::of_score(85), Severity::Critical);
        assert_eq!(Severity::of_score(60), Severity::High);
        assert_eq!(Severity::of_score(-1), Severity::Low);
        assert_eq!(Severity::of_word("HIGH"), Some(Severity::High));
        assert_eq!(Severity::of_word("bad"), None);
    }
}
