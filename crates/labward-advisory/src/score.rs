//! CVSS vectors and the scores that they give.
//!
//! It must never take a number from a file: the vector is computed, by the crate `cvss`.

use cvss::Cvss;
use cvss::v3::metric::temporal;
use cvss::v3::{self, Metric as _};

/// The version of CVSS that a vector is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CvssVersion {
    /// CVSS 2.0.
    V2,
    /// CVSS 3.0.
    V30,
    /// CVSS 3.1.
    V31,
    /// CVSS 4.0.
    V40,
}

impl CvssVersion {
    /// `2.0`, `3.0`, `3.1` or `4.0`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V30 => "3.0",
            Self::V31 => "3.1",
            Self::V40 => "4.0",
        }
    }
}

/// The qualitative severity of a score (CVSS 3.1, clause 5); version 2.0 is read by the same scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// 0.0.
    None,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// The severity of a score in tenths.
    pub const fn of_tenths(tenths: u8) -> Self {
        match tenths {
            0 => Self::None,
            1..40 => Self::Low,
            40..70 => Self::Medium,
            70..90 => Self::High,
            _ => Self::Critical,
        }
    }

    /// `NONE` to `CRITICAL`, as CVSS files spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

/// What a vector says, computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    vector: Cvss,
}

fn tenths(score: f64) -> u8 {
    let tenths = (score * 10.0).round().clamp(0.0, 100.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped"
    )]
    let tenths = tenths as u8;
    tenths
}

impl Scored {
    /// Reads a vector of any version; the parentheses of old version 2 vectors are no part of it.
    ///
    /// Letters must be in the case that the standard gives them. `None` if it is no whole vector.
    pub fn parse(vector: &str) -> Option<Self> {
        let bare = vector.trim();
        let bare = bare
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
            .unwrap_or(bare);
        let parsed: Cvss = bare.parse().ok()?;
        if let Cvss::CvssV30(one) | Cvss::CvssV31(one) = &parsed {
            // The crate reads version 3 in any case and without its base metrics, too.
            let has_all = one.av.is_some()
                && one.ac.is_some()
                && one.pr.is_some()
                && one.ui.is_some()
                && one.s.is_some()
                && one.c.is_some()
                && one.i.is_some()
                && one.a.is_some();
            if !has_all || bare.bytes().any(|byte| byte.is_ascii_lowercase()) {
                return None;
            }
        }
        Some(Self { vector: parsed })
    }

    /// The version of the vector.
    pub const fn version(&self) -> CvssVersion {
        match self.vector {
            Cvss::CvssV20(_) => CvssVersion::V2,
            Cvss::CvssV30(_) => CvssVersion::V30,
            Cvss::CvssV40(_) => CvssVersion::V40,
            _ => CvssVersion::V31,
        }
    }

    /// The base score in tenths, 0 to 100; of version 4.0 the score of all its metrics.
    pub fn base_tenths(&self) -> u8 {
        match &self.vector {
            Cvss::CvssV30(vector) | Cvss::CvssV31(vector) => tenths(vector.base_score().value()),
            other => tenths(other.score()),
        }
    }

    /// The severity of the base score.
    pub fn severity(&self) -> Severity {
        Severity::of_tenths(self.base_tenths())
    }

    /// The temporal score in tenths; of version 4.0 there is none.
    pub fn temporal_tenths(&self) -> Option<u8> {
        match &self.vector {
            Cvss::CvssV20(vector) => Some(tenths(vector.temporal_score().value())),
            Cvss::CvssV30(vector) | Cvss::CvssV31(vector) => {
                let factor = vector
                    .e
                    .unwrap_or(temporal::ExploitCodeMaturity::NotDefined)
                    .score()
                    * vector
                        .rl
                        .unwrap_or(temporal::RemediationLevel::NotDefined)
                        .score()
                    * vector
                        .rc
                        .unwrap_or(temporal::ReportConfidence::NotDefined)
                        .score();
                let score = v3::Score::new(vector.base_score().value() * factor);
                Some(tenths(
                    score.roundup_for_version(vector.minor_version).value(),
                ))
            }
            _ => None,
        }
    }

    /// The environmental score in tenths; of version 4.0 there is none.
    pub fn environmental_tenths(&self) -> Option<u8> {
        match &self.vector {
            Cvss::CvssV20(vector) => Some(tenths(vector.environmental_score().value())),
            Cvss::CvssV30(vector) | Cvss::CvssV31(vector) => {
                Some(tenths(vector.environmental_score().value()))
            }
            _ => None,
        }
    }

    /// The value of a metric by its short name (`AV`), as the vector writes it.
    pub fn metric(&self, name: &str) -> Option<String> {
        let text = self.vector.to_string();
        text.split('/')
            .filter_map(|part| part.split_once(':'))
            .find_map(|(key, value)| (key == name).then(|| value.to_owned()))
    }
}

/// One score of a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// The vector as the file writes it.
    pub vector: crate::Text,
    /// Its version; `None` if it is no CVSS vector.
    pub version: Option<CvssVersion>,
    /// The base score in tenths as computed from the vector; `None` if it is no CVSS vector.
    pub base_tenths: Option<u8>,
    /// The severity of the computed score.
    pub severity: Option<Severity>,
}

impl Score {
    /// The score of a vector.
    pub fn of(vector: crate::Text) -> Self {
        let scored = Scored::parse(&vector);
        Self::from_scored(vector, scored.as_ref())
    }

    /// The score of a vector that was read before.
    pub(crate) fn from_scored(vector: crate::Text, scored: Option<&Scored>) -> Self {
        let base_tenths = scored.map(Scored::base_tenths);
        Self {
            version: scored.map(Scored::version),
            base_tenths,
            severity: base_tenths.map(Severity::of_tenths),
            vector,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(vector: &str, version: CvssVersion, base_tenths: u8, severity: Severity) {
        let scored = Scored::parse(vector).unwrap();
        assert_eq!(
            (scored.version(), scored.base_tenths(), scored.severity()),
            (version, base_tenths, severity),
            "{vector}"
        );
    }

    #[test]
    fn a_vector_of_every_version_gives_its_score() {
        check(
            "AV:N/AC:L/Au:N/C:P/I:P/A:P",
            CvssVersion::V2,
            75,
            Severity::High,
        );
        check(
            "(AV:N/AC:L/Au:N/C:P/I:P/A:P)",
            CvssVersion::V2,
            75,
            Severity::High,
        );
        check(
            "CVSS:3.0/AV:P/AC:H/PR:N/UI:N/S:C/C:H/I:N/A:N",
            CvssVersion::V30,
            49,
            Severity::Medium,
        );
        check(
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
            CvssVersion::V31,
            100,
            Severity::Critical,
        );
        check(
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            CvssVersion::V40,
            93,
            Severity::Critical,
        );
        check(
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
            CvssVersion::V31,
            0,
            Severity::None,
        );
    }

    #[test]
    fn what_is_no_whole_vector_gives_no_score() {
        for text in [
            "",
            "/",
            "CVSS:3.1",
            "CVSS:3.1/AV:N",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:X",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N/A:N",
            "CVSS:3.1/av:n/ac:l/pr:n/ui:n/s:u/c:n/i:n/a:n",
            "AV:N/AC:L/Au:N/C:P/I:P",
        ] {
            assert_eq!(Scored::parse(text), None, "{text}");
            assert_eq!(Score::of(text.into()).base_tenths, None);
        }
    }

    #[test]
    fn temporal_and_environmental_scores_are_computed() {
        let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C/MC:N/MI:N/MA:N";
        let scored = Scored::parse(vector).unwrap();
        assert_eq!(scored.base_tenths(), 98);
        assert_eq!(scored.temporal_tenths(), Some(88));
        assert_eq!(scored.environmental_tenths(), Some(0));
        assert_eq!(scored.metric("RL").as_deref(), Some("O"));
        assert_eq!(scored.metric("CR"), None);
    }
}
