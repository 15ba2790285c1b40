//! Who received, saw and was given a patient's records: a page to print for the patient.
//!
//! It must never name the patient: who prints it writes the name on the paper.

use std::borrow::Cow;

use askama::Template;
use labward_api::record::{Access, Accesses, AskedAccesses};
use labward_identity::Permission;

use super::When;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

#[derive(Template)]
#[template(path = "accesses.html")]
struct AccessesPage<'a> {
    f: &'a Frame,
    patient: &'a str,
    asked: &'a AskedAccesses,
    found: &'a Accesses,
}

impl AccessesPage<'_> {
    /// What was done, in the patient's words.
    fn what(&self, access: &Access) -> Cow<'static, str> {
        self.f.of("access", &access.action.replace('.', "-"))
    }

    /// Who did it: their name, else what the ledger calls them.
    fn who(&self, access: &Access) -> String {
        match (&access.name, access.actor.as_str()) {
            (Some(name), _) => name.clone(),
            (None, "system") => self.f.t("accesses-system").into_owned(),
            (None, actor) => actor.to_owned(),
        }
    }

    fn records(&self, access: &Access) -> String {
        let numbers = access.records.iter().map(u64::to_string);
        numbers.collect::<Vec<_>>().join(", ")
    }

    /// The day of a moment.
    fn day<'t>(&self, time: &'t str) -> &'t str {
        time.get(..10).unwrap_or(time)
    }

    fn given<'t>(&self, text: &'t Option<String>) -> &'t str {
        text.as_deref().unwrap_or_default()
    }
}

/// Who received, saw and was given the records of the patient of this number.
///
/// # Errors
///
/// [`RenderError`].
pub fn accesses(
    f: &Frame,
    patient: &str,
    asked: &AskedAccesses,
    found: &Accesses,
) -> Result<String, RenderError> {
    AccessesPage {
        f,
        patient,
        asked,
        found,
    }
    .render()
}
