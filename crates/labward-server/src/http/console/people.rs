//! The pages of one person, of a list of people and of their invitations.
//!
//! It must never keep an invitation: each is on the page that made it, once.

use labward_api::ProblemBody;
use labward_api::peer::Person;
use labward_api::person::{ImportPeople, ImportedPeople, LineState, NewRoles};
use labward_api::session::Invitation;
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_console::qr::Qr;
use serde_json::json;

use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /people/{id}`
pub(super) fn person(visit: &Visit) -> Result<Page, Failure> {
    person_with(visit, None)
}

fn person_with(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    let people: Vec<Person> = visit.get("people")?;
    let id = visit.text("id");
    let person = people.iter().find(|one| one.id.to_string() == id);
    let person = person.ok_or(Failure::new(&labward_base::problem::IDENTITY_NO_PERSON))?;
    written(html::person(&visit.frame(Place::People), person, fault))
}

/// `POST /people/{id}/roles`
pub(super) fn set_roles(visit: &Visit) -> Result<Page, Failure> {
    let roles: Vec<&str> = visit.form.all("role").collect();
    let new = NewRoles {
        role: roles.join(","),
    };
    let params = [("id", visit.text("id"))];
    match visit.post::<Person>("people/{id}/roles", &params, &new) {
        Ok(_) => Ok(Page::To("/people?done=roles-set".to_owned())),
        Err(failure) => person_with(visit, Some(&shown_within(failure)?)),
    }
}

/// `GET /people/import`
pub(super) fn list(visit: &Visit) -> Result<Page, Failure> {
    written(html::people_import(
        &visit.frame(Place::People),
        "",
        None,
        None,
    ))
}

/// `POST /people/import`: says what would happen or, once that was seen, does it.
pub(super) fn import(visit: &Visit) -> Result<Page, Failure> {
    let frame = visit.frame(Place::People);
    let asked = ImportPeople {
        table: visit.form.text("table").to_owned(),
        preview: visit.form.text("apply").is_empty(),
    };
    let read: ImportedPeople = match visit.post("people/import", &[], &asked) {
        Ok(read) => read,
        Err(failure) => {
            let fault = shown_within(failure)?;
            return written(html::people_import(
                &frame,
                &asked.table,
                None,
                Some(&fault),
            ));
        }
    };
    if asked.preview || read.refused > 0 {
        return written(html::people_import(&frame, &asked.table, Some(&read), None));
    }
    let added = read
        .lines
        .iter()
        .filter(|one| one.state == LineState::Added);
    let invited = added.filter_map(|one| Some(invite(visit, one.id?, &one.name)));
    let invited = invited.collect::<Result<Vec<_>, _>>()?;
    written(html::invitations(&frame, &invited))
}

/// A fresh invitation for a person.
pub(super) fn invite(visit: &Visit, id: u64, name: &str) -> Result<html::Invited, Failure> {
    let number = id.to_string();
    let made: Invitation = visit.post("people/{id}/invite", &[("id", &number)], &json!({}))?;
    let link = made.link.unwrap_or_default();
    Ok(html::Invited {
        name: name.to_owned(),
        qr: Qr::of(&link).filter(|_| !link.is_empty()),
        link,
        until: made.expires,
    })
}
