//! Plain (unencrypted) connections: a named exception with owner and end, never a default.
//!
//! An exception says why it exists, who answers for it and when it ends; only on loopback may
//! these be left out. Each is reported as a finding.

use std::fmt;
use std::str::FromStr;

use labward_base::Timestamp;
use serde::Deserialize;

/// The last day of an exception, `YYYY-MM-DD`; it ends with that day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Expiry(Timestamp);

/// Text that was to be a day but is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read a day: expected a date such as 2027-06-30")]
pub struct NotADay;

impl Expiry {
    /// The first moment after the exception.
    pub const fn end(self) -> Timestamp {
        self.0
    }
}

impl FromStr for Expiry {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        if text.len() != 10 {
            return Err(NotADay);
        }
        let day = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")).ok_or(NotADay)?;
        Ok(Self(day.plus(std::time::Duration::from_secs(86_400))))
    }
}

impl TryFrom<String> for Expiry {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        text.parse()
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.minus(std::time::Duration::from_secs(1)).to_rfc3339();
        f.write_str(last.get(..10).unwrap_or(&last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_lasts_to_the_end_of_its_day() {
        let expiry: Expiry = "2027-06-30".parse().unwrap();
        assert_eq!(expiry.end().to_rfc3339(), "2027-07-01T00:00:00.000000Z");
        assert_eq!(expiry.to_string(), "2027-06-30");
        for bad in ["", "2027-13-01", "tomorrow", "2027-06-30T00:00:00Z"] {
            assert_eq!(bad.parse::<Expiry>(), Err(NotADay), "{bad}");
        }
    }
}
