//! How long records are retained, and until when a patient's may not be disposed of.
//!
//! It must never shorten a time below the default: results 7 years, pathology 10, the ledger for
//! ever. CLIA asks for 2 and 10 years (42 CFR 493.1105), states for more; HIPAA for 6 years of
//! documentation (45 CFR 164.316(b)(2)(i)).

use std::time::Duration;

use labward_base::Timestamp;

/// A leap day's anniversary in other years is the day after it.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// By which rule a record is retained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetentionClass {
    /// Results and everything that is not pathology.
    #[default]
    Results,
    /// Surgical pathology, cytopathology, autopsy.
    Pathology,
}

/// The retention times of an installation, in years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    results_years: u16,
    pathology_years: u16,
}

/// Somebody tried to set a retention time below the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("set the retention times: {years} years for {what}, at least {least} are needed")]
pub struct TooShort {
    what: &'static str,
    years: u16,
    least: u16,
}

impl RetentionClass {
    /// The number under which the class is stored.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Results => 0,
            Self::Pathology => 1,
        }
    }

    /// The class stored as `code`; an unknown one is taken for the longest.
    pub(crate) const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Results,
            _ => Self::Pathology,
        }
    }

    /// Whether a diagnostic section (HL7 table 0074) is pathology.
    pub(crate) fn is_pathology_section(code: &[u8]) -> bool {
        matches!(code, b"SP" | b"CP" | b"PAT" | b"CY")
    }
}

impl Retention {
    /// Results 7 years, pathology 10.
    pub const DEFAULT: Self = Self {
        results_years: 7,
        pathology_years: 10,
    };

    /// Longer times than the default; [`TooShort`] if one is shorter.
    pub fn lengthened(results_years: u16, pathology_years: u16) -> Result<Self, TooShort> {
        let least = Self::DEFAULT;
        for (what, years, least) in [
            ("results", results_years, least.results_years),
            ("pathology", pathology_years, least.pathology_years),
        ] {
            if years < least {
                return Err(TooShort { what, years, least });
            }
        }
        Ok(Self {
            results_years,
            pathology_years,
        })
    }

    /// Until when a record kept at `time` is retained: to the same date that many years later, the
    /// second rounded up.
    pub fn until(&self, class: RetentionClass, time: Timestamp) -> Timestamp {
        let years = match class {
            RetentionClass::Results => self.results_years,
            RetentionClass::Pathology => self.pathology_years,
        };
        let kept = time.to_offset();
        let year = kept.year().saturating_add(i32::from(years));
        let ends = kept
            .replace_year(year)
            .or_else(|_| (kept + DAY).replace_year(year));
        // Beyond the calendar's end: for ever.
        ends.map_or(Timestamp::from_micros(i64::MAX), |ends| {
            Timestamp::from_seconds(ends.unix_timestamp().saturating_add(1))
        })
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_is_only_ever_lengthened() {
        assert!(Retention::lengthened(6, 10).is_err());
        assert!(Retention::lengthened(7, 9).is_err());
        let longer = Retention::lengthened(8, 12).unwrap();
        for (class, kept, ends) in [
            (
                RetentionClass::Results,
                "2020-01-01T00:00:00Z",
                "2028-01-01",
            ),
            (
                RetentionClass::Pathology,
                "2020-01-01T00:00:00Z",
                "2032-01-01",
            ),
            (
                RetentionClass::Results,
                "2020-02-29T12:00:00Z",
                "2028-02-29",
            ),
            (
                RetentionClass::Results,
                "9999-01-01T00:00:00Z",
                "9999-12-31",
            ),
        ] {
            let until = longer.until(class, Timestamp::parse_rfc3339(kept).unwrap());
            assert_eq!(&until.to_rfc3339()[..10], ends, "{kept}");
        }
        let leap = Timestamp::parse_rfc3339("2020-02-29T12:00:00Z").unwrap();
        let until = Retention::DEFAULT.until(RetentionClass::Results, leap);
        assert_eq!(&until.to_rfc3339()[..10], "2027-03-01");
    }

    #[test]
    fn an_unknown_class_is_retained_the_longest() {
        assert_eq!(RetentionClass::from_code(200), RetentionClass::Pathology);
        for class in [RetentionClass::Results, RetentionClass::Pathology] {
            assert_eq!(RetentionClass::from_code(class.code()), class);
        }
    }
}
