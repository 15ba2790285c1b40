//! One person, a list of people to be added, and the sheet of their invitations.
//!
//! It must never show an invitation a second time: what is on the sheet is nowhere else.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::peer::Person;
use labward_api::person::{ImportedPeople, ImportedPerson, LineState};
use labward_identity::Role;

use super::Invited;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage<'a> {
    f: &'a Frame,
    person: &'a Person,
    fault: Option<&'a ProblemBody>,
}

impl PersonPage<'_> {
    fn has(&self, role: &Role) -> bool {
        self.person.role.split(',').any(|name| name == role.name())
    }
}

/// One person, with what they are in the lab.
///
/// # Errors
///
/// [`RenderError`].
pub fn person(
    f: &Frame,
    person: &Person,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    PersonPage { f, person, fault }.render()
}

#[derive(Template)]
#[template(path = "people_import.html")]
struct ImportPage<'a> {
    f: &'a Frame,
    table: &'a str,
    read: Option<&'a ImportedPeople>,
    fault: Option<&'a ProblemBody>,
}

impl ImportPage<'_> {
    fn roles(&self, line: &ImportedPerson) -> String {
        if line.state == LineState::NoRole || line.state == LineState::NoName {
            return line.role.clone();
        }
        let roles = line.role.split(',').map(|role| self.f.of("role", role));
        roles.collect::<Vec<_>>().join(", ")
    }

    fn state(&self, line: &ImportedPerson) -> &'static str {
        match line.state {
            LineState::New => "new",
            LineState::Added => "added",
            LineState::Known => "known",
            LineState::NeedsEngagement => "expert",
            LineState::NoRole => "no-role",
            LineState::NoName => "no-name",
        }
    }
}

/// The form for a list of people and, once it was looked at, what would become of each line.
///
/// # Errors
///
/// [`RenderError`].
pub fn people_import(
    f: &Frame,
    table: &str,
    read: Option<&ImportedPeople>,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    ImportPage {
        f,
        table,
        read,
        fault,
    }
    .render()
}

#[derive(Template)]
#[template(path = "invitations.html")]
struct InvitationsPage<'a> {
    f: &'a Frame,
    invited: &'a [Invited],
}

impl InvitationsPage<'_> {
    fn count(&self) -> u64 {
        super::count(self.invited.len())
    }

    fn until(&self, invited: &Invited) -> Cow<'static, str> {
        let until = super::minute(&invited.until);
        self.f.w("invitation-until", "until", &until)
    }
}

/// The invitations of those who were just added: a sheet to be printed and cut.
///
/// # Errors
///
/// [`RenderError`].
pub fn invitations(f: &Frame, invited: &[Invited]) -> Result<String, RenderError> {
    InvitationsPage { f, invited }.render()
}
