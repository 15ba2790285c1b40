//! `labward person`: who may use Labward, and as what.
//!
//! It must never take who asks from the command line.

use std::path::Path;

use labward_api::Done;
use labward_api::peer::{Engagement, Person};
use labward_api::person::{ImportPeople, ImportedPeople, LineState, NewRoles};
use labward_base::problem;

use super::session::number_of;
use super::{Context, read};
use crate::args::{ExpertArgs, PersonCommand, Role};
use crate::failure::Failure;
use crate::output::{show, table};

/// `labward person …`
pub(super) fn run(context: &Context, command: &PersonCommand) -> Result<(), Failure> {
    match command {
        PersonCommand::Add {
            name,
            roles,
            uid,
            engagement,
        } => {
            let roles: Vec<&str> = roles.iter().copied().map(role).collect();
            let person = Person {
                id: 0,
                name: name.clone(),
                role: roles.join(","),
                uid: *uid,
                login: None,
                engagement: engagement_of(engagement),
            };
            let added: Person = context.client.post("people", &person)?;
            show(context.json, &added, |out| {
                writeln!(out, "{} is person {}", added.name, added.id)
            })
        }
        PersonCommand::Engage { person, engagement } => {
            let id = number_of(context, person)?;
            let engagement = engagement_of(engagement).unwrap_or_default();
            let path = format!("people/{id}/engage");
            let engaged: Person = context.client.post(&path, &engagement)?;
            show(context.json, &engaged, |out| {
                writeln!(out, "{}: {}", engaged.name, sees(&engaged))
            })
        }
        PersonCommand::List => {
            let people: Vec<Person> = context.client.get("people", &[])?;
            show(context.json, &people, |out| {
                let rows: Vec<Vec<String>> = people
                    .iter()
                    .map(|person| {
                        let uid = person
                            .uid
                            .map_or_else(|| "-".to_owned(), |uid| uid.to_string());
                        vec![
                            person.id.to_string(),
                            person.name.clone(),
                            person.role.clone(),
                            uid,
                            person.login.clone().unwrap_or_else(|| "-".to_owned()),
                            sees(person),
                        ]
                    })
                    .collect();
                let head = [
                    "person",
                    "name",
                    "role",
                    "account",
                    "login",
                    "sees as an expert",
                ];
                table(out, &head, &rows)
            })
        }
        PersonCommand::Accounts => super::account::list(context),
        PersonCommand::Link { person, account } => super::account::link(context, person, account),
        PersonCommand::Unlink { person } => super::account::unlink(context, person),
        PersonCommand::Import { file, preview } => import(context, file, *preview),
        PersonCommand::Set { person, roles } => {
            let id = number_of(context, person)?;
            let roles: Vec<&str> = roles.iter().copied().map(role).collect();
            let new = NewRoles {
                role: roles.join(","),
            };
            let set: Person = context.client.post(&format!("people/{id}/roles"), &new)?;
            show(context.json, &set, |out| {
                writeln!(out, "{} is now: {}", set.name, set.role)
            })
        }
        PersonCommand::Invite { person } => super::session::invite(context, person),
        PersonCommand::Remove { id } => {
            let done: Done = context.client.delete(&format!("people/{id}"))?;
            show(context.json, &done, |out| {
                writeln!(out, "person {id} is removed")
            })
        }
    }
}

fn engagement_of(given: &ExpertArgs) -> Option<Engagement> {
    Some(Engagement {
        from: given.from.clone()?,
        until: given.until.clone()?,
        expires: given.expires.clone()?,
        topics: given.topics.clone(),
    })
}

/// What an outside expert sees, in a line.
fn sees(person: &Person) -> String {
    match &person.engagement {
        Some(one) => {
            let topics = one.topics.join(",");
            let (from, until, expires) = (&one.from, &one.until, &one.expires);
            format!("{topics} from {from} to {until}, access ends {expires}")
        }
        None if person.role.split(',').any(|role| role == "expert") => "nothing".to_owned(),
        None => "-".to_owned(),
    }
}

fn import(context: &Context, file: &Path, preview: bool) -> Result<(), Failure> {
    let bytes = read(file)?;
    let table_text = String::from_utf8(bytes).map_err(|_| {
        let place = format!("{} is not UTF-8", file.display());
        Failure::new(&problem::IDENTITY_BAD_LIST, place)
    })?;
    let asked = ImportPeople {
        table: table_text,
        preview,
    };
    let done: ImportedPeople = context.client.post("people/import", &asked)?;
    show(context.json, &done, |out| {
        let rows: Vec<Vec<String>> = done
            .lines
            .iter()
            .map(|one| {
                vec![
                    one.line.to_string(),
                    one.name.clone(),
                    one.role.clone(),
                    state(one.state).to_owned(),
                ]
            })
            .collect();
        table(out, &["line", "name", "role", "state"], &rows)?;
        match (done.refused, preview) {
            (0, true) => writeln!(out, "{} would be added", done.added),
            (0, false) => writeln!(
                out,
                "{} added; invite each with labward person invite NAME",
                done.added
            ),
            (refused, _) => writeln!(out, "Nothing is added: {refused} lines cannot be read"),
        }
    })
}

const fn state(state: LineState) -> &'static str {
    match state {
        LineState::New => "new",
        LineState::Added => "added",
        LineState::Known => "known",
        LineState::NeedsEngagement => "an expert is added alone, with an engagement",
        LineState::NoName => "not a name",
        LineState::NoRole => "no such role",
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Administrator => "administrator",
        Role::ClinicalStaff => "clinical-staff",
        Role::Expert => "expert",
        Role::It => "it",
        Role::LabManager => "lab-manager",
        Role::SecurityOfficer => "security-officer",
    }
}
