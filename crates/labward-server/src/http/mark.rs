//! The mark on what an outside expert takes out: who has it, when, for what, and that it is confidential.
//!
//! It must never be left out of what an engagement alone opens, or hold anything of a patient.

use labward_base::{Clock as _, Timestamp};
use labward_identity::{Engagement, Permission, Person};

use super::call::Call;
use crate::app::Core;

/// The column that it is in a list, the last one.
///
/// Not a line in front of the names of the columns, which breaks every program that reads the file;
/// not only a line behind the rows, which is lost with the first sort or cut.
pub(super) const COLUMN: &str = "confidential_issued_to";

/// Who has it, when and for what.
pub(super) struct Mark(String);

impl Mark {
    /// The mark that what needs this permission bears, if it is for an outside expert.
    pub(super) fn of(call: &Call, permission: Permission) -> Option<Self> {
        Self::on(&call.core, &call.person, permission)
    }

    /// The same for this person.
    pub(super) fn on(core: &Core, person: &Person, permission: Permission) -> Option<Self> {
        let engagement = person.narrowed(permission)?;
        Some(Self::new(person, engagement, core.clock.now()))
    }

    /// The mark of printed pages, for who is nothing but an outside expert.
    pub(super) fn of_pages(person: &Person, now: Timestamp) -> Option<Self> {
        Some(Self::new(person, person.outside()?, now))
    }

    fn new(person: &Person, engagement: &Engagement, now: Timestamp) -> Self {
        Self(format!(
            "confidential; issued to {} (person {}) at {}; engagement {} to {}, access ends {}",
            person.name,
            person.id,
            now.to_rfc3339(),
            engagement.from_text(),
            engagement.until_text(),
            engagement.ends_text(),
        ))
    }

    /// Its words, to be kept.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Its words.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}
