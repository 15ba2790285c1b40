//! `people/{id}/roles` and `people/import`: what somebody is in the lab, and many people at once.
//!
//! It must never add some people of a list while another line of it cannot be read.

use std::collections::BTreeSet;

use labward_api::person::{ImportPeople, ImportedPeople, ImportedPerson, LineState, NewRoles};
use labward_base::id::PersonId;
use labward_base::problem;
use labward_identity::{IdentityError, NewPerson, Role, Roles, check_person_name};

use super::call::{Answer, Call};
use super::failure::Failure;
use super::peer::person;

/// People in one list: more than any lab that Labward is made for.
const MOST: usize = 5_000;

/// How the columns may be called.
const NAME: [&str; 2] = ["name", "nombre"];
const ROLE: [&str; 4] = ["role", "roles", "funcion", "funci\u{f3}n"];

/// `POST people/{id}/roles`
pub(super) fn set_roles(call: &Call) -> Result<Answer, Failure> {
    let id: PersonId = call.param("id")?;
    let new: NewRoles = call.json()?;
    let roles = new.role.parse()?;
    let set = call.core.people.set_roles(id, roles, call.actor())?;
    Answer::json(&person(&set))
}

/// `POST people/import`
pub(super) fn import(call: &Call) -> Result<Answer, Failure> {
    let asked: ImportPeople = call.json()?;
    let people = &call.core.people;
    let known = people.list().into_iter().map(|person| person.name);
    let mut read = read(&asked.table, known.collect())?;
    if !asked.preview && read.refused == 0 {
        for line in read
            .lines
            .iter_mut()
            .filter(|line| line.state == LineState::New)
        {
            let new = NewPerson {
                name: line.name.clone(),
                roles: line.role.parse()?,
                uid: None,
            };
            line.id = Some(people.add(new, call.actor())?.id.get());
            line.state = LineState::Added;
        }
    }
    Answer::json(&read)
}

/// What becomes of each line, if people of the names `known` are there already.
fn read(table: &str, mut known: BTreeSet<String>) -> Result<ImportedPeople, Failure> {
    // The reader counts a line at its line feed, and begins the next one before it.
    let table = table.replace("\r\n", "\n");
    let table = table.strip_prefix('\u{feff}').unwrap_or(&table);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(table))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(table.as_bytes());
    let head = reader.headers().map_err(|error| unreadable(&error))?;
    let column = |names: &[&str]| {
        let is = |cell: &str| names.contains(&cell.to_lowercase().as_str());
        let place = head.iter().position(is);
        place.ok_or_else(|| {
            bad_list(format!(
                "its head has no column `{}`",
                names.first().copied().unwrap_or_default()
            ))
        })
    };
    let (name_at, role_at) = (column(&NAME)?, column(&ROLE)?);
    let mut all = ImportedPeople::default();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(&error))?;
        if row.iter().all(str::is_empty) {
            continue;
        }
        if all.lines.len() == MOST {
            return Err(bad_list(format!("it holds more than {MOST} people")));
        }
        let cell = |at| row.get(at).unwrap_or_default().to_owned();
        let mut line = ImportedPerson {
            line: row.position().map_or(0, csv::Position::line),
            name: cell(name_at),
            role: cell(role_at),
            ..ImportedPerson::default()
        };
        match check_person_name(&line.name).map(|()| roles(&line.role)) {
            Err(_) => line.state = LineState::NoName,
            Ok(Err(_)) => line.state = LineState::NoRole,
            Ok(Ok(roles)) if roles.contains(Role::Expert) && !known.contains(&line.name) => {
                line.state = LineState::NeedsEngagement;
            }
            Ok(Ok(_)) if !known.insert(line.name.clone()) => line.state = LineState::Known,
            Ok(Ok(roles)) => line.role = roles.to_string(),
        }
        match line.state {
            LineState::New | LineState::Added => all.added += 1,
            LineState::Known => all.known += 1,
            LineState::NeedsEngagement | LineState::NoName | LineState::NoRole => all.refused += 1,
        }
        all.lines.push(line);
    }
    if all.refused > 0 {
        all.added = 0;
    }
    if all.lines.is_empty() {
        return Err(bad_list("it names nobody"));
    }
    Ok(all)
}

/// Of what may stand between two cells, that which the head holds most of.
fn separator(table: &str) -> u8 {
    let head = table.lines().find(|line| !line.trim().is_empty());
    let head = head.unwrap_or_default().as_bytes();
    let count = |mark: &u8| head.iter().filter(|byte| *byte == mark).count();
    // The last of those that are equal wins: a comma where there is none at all.
    *[b'\t', b';', b',']
        .iter()
        .max_by_key(|mark| count(mark))
        .unwrap_or(&b',')
}

/// Roles as people write them: `Lab manager + IT`.
fn roles(text: &str) -> Result<Roles, IdentityError> {
    let plain = |name: &str| name.trim().to_lowercase().replace([' ', '_'], "-");
    let names: Vec<String> = text.split(['+', ',']).map(plain).collect();
    names.join(",").parse()
}

fn unreadable(error: &csv::Error) -> Failure {
    let line = error.position().map(csv::Position::line);
    bad_list(match line {
        Some(line) => format!("line {line} is no CSV"),
        None => "it is no CSV".to_owned(),
    })
}

fn bad_list(detail: impl Into<String>) -> Failure {
    Failure::new(&problem::IDENTITY_BAD_LIST).with(detail)
}
