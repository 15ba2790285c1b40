//! How a hit is treated, as a person decided.
//!
//! It must never let a risk be accepted for ever.

use std::str::FromStr;
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PersonId};

use crate::ThreatsError;

/// The most days that an acceptance or a replacement lasts: 24 months.
const MAX_DAYS: u64 = 731;
const DAY: Duration = Duration::from_secs(86_400);

/// What is done about a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TreatmentKind {
    /// The risk is taken until a day.
    Accept,
    /// A compensating control, such as a conduit that is enforced; it counts while it is measured.
    Control,
    /// The vendor's update is put in.
    Patch,
    /// The device is replaced by a day.
    Replace,
}

impl TreatmentKind {
    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Control => "control",
            Self::Patch => "patch",
            Self::Replace => "replace",
        }
    }

    const fn has_last_day(self) -> bool {
        matches!(self, Self::Accept | Self::Replace)
    }
}

impl FromStr for TreatmentKind {
    type Err = ThreatsError;

    fn from_str(text: &str) -> Result<Self, ThreatsError> {
        let all = [Self::Accept, Self::Control, Self::Patch, Self::Replace];
        let found = all.into_iter().find(|one| one.name() == text);
        found.ok_or(ThreatsError::BadTreatment(
            "it is none of patch, control, accept and replace",
        ))
    }
}

/// What a person decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTreatment {
    /// What is done.
    pub kind: TreatmentKind,
    /// The first moment at which it holds no more.
    pub ends: Option<Timestamp>,
    /// Of a patch, whether the vendor approves it for this device.
    pub approved: Option<bool>,
    /// Why, sealed under the site's audit key.
    pub why: Vec<u8>,
}

impl NewTreatment {
    /// A decision; `until` is its last day as `YYYY-MM-DD` in UTC.
    ///
    /// # Errors
    /// [`ThreatsError::BadTreatment`] if a last day is missing, in the past, too far away, or does not
    /// belong to the kind.
    pub fn new(
        kind: TreatmentKind,
        until: Option<&str>,
        approved: Option<bool>,
        why: Vec<u8>,
        now: Timestamp,
    ) -> Result<Self, ThreatsError> {
        let ends = match (kind.has_last_day(), until) {
            (true, None) => return Err(ThreatsError::BadTreatment("it needs a last day")),
            (false, Some(_)) => return Err(ThreatsError::BadTreatment("it takes no last day")),
            (_, day) => day.map(|day| end_of(day, now)).transpose()?,
        };
        if approved.is_some() && kind != TreatmentKind::Patch {
            let what = "only a patch is approved by its vendor";
            return Err(ThreatsError::BadTreatment(what));
        }
        Ok(Self {
            kind,
            ends,
            approved,
            why,
        })
    }
}

/// The end of a day that is not over and not too far away.
fn end_of(day: &str, now: Timestamp) -> Result<Timestamp, ThreatsError> {
    let start = Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z"));
    let start = start.ok_or(ThreatsError::BadTreatment(
        "its last day is no day as YYYY-MM-DD",
    ))?;
    let end = start.plus(DAY);
    if end <= now {
        return Err(ThreatsError::BadTreatment("its last day is over"));
    }
    if end > now.plus(DAY * u32::try_from(MAX_DAYS).unwrap_or(731)) {
        let what = "its last day is more than two years away";
        return Err(ThreatsError::BadTreatment(what));
    }
    Ok(end)
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// What is done.
    pub kind: TreatmentKind,
    /// The first moment at which it holds no more.
    pub ends: Option<Timestamp>,
    /// Of a patch, whether the vendor approves it for this device.
    pub approved: Option<bool>,
    /// Who decided.
    pub person: PersonId,
    /// When.
    pub decided: Timestamp,
    /// Why, sealed under the site's audit key.
    pub why: Vec<u8>,
    /// The entry that recorded it.
    pub entry: EntryIndex,
}

impl Treatment {
    /// Whether it holds now.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.ends.is_none_or(|ends| now < ends)
    }

    /// Its last day, as `YYYY-MM-DD`.
    pub fn last_day(&self) -> Option<String> {
        let last = Timestamp::from_micros(self.ends?.as_micros().saturating_sub(1));
        Some(last.to_rfc3339().chars().take(10).collect())
    }
}
