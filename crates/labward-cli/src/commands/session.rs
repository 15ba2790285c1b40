//! `session`, and the invitations that lead to one.

use labward_api::Done;
use labward_api::peer::Person;
use labward_api::session::{Invitation, Session};
use labward_base::problem;
use serde_json::json;

use super::Context;
use crate::args::SessionCommand;
use crate::failure::Failure;
use crate::output::{show, table};

/// `labward session …`
pub(super) fn run(context: &Context, command: &SessionCommand) -> Result<(), Failure> {
    match command {
        SessionCommand::End { number } => {
            let done: Done = context.client.delete(&format!("sessions/{number}"))?;
            show(context.json, &done, |out| {
                writeln!(out, "session {number} has ended")
            })
        }
        SessionCommand::List => list(context),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let sessions: Vec<Session> = context.client.get("sessions", &[])?;
    show(context.json, &sessions, |out| {
        let rows: Vec<Vec<String>> = sessions
            .iter()
            .map(|session| {
                vec![
                    session.number.to_string(),
                    session.name.clone(),
                    session.created.clone(),
                    session.last_seen.clone(),
                    session.ends_at.clone(),
                    session.source.clone(),
                    session.agent.clone(),
                ]
            })
            .collect();
        let head = [
            "session",
            "person",
            "began",
            "last used",
            "ends by",
            "from",
            "browser",
        ];
        table(out, &head, &rows)
    })
}

/// `labward person invite …`
pub(super) fn invite(context: &Context, person: &str) -> Result<(), Failure> {
    let id = number_of(context, person)?;
    let path = format!("people/{id}/invite");
    let made: Invitation = context.client.post(&path, &json!({}))?;
    show(context.json, &made, |out| {
        writeln!(out, "Good once, until {}:", made.expires)?;
        match &made.link {
            Some(link) => writeln!(out, "{link}")?,
            None => {
                writeln!(out, "{}", made.code)?;
                writeln!(
                    out,
                    "Nothing takes it before [console] listen is in labward.toml."
                )?;
            }
        }
        writeln!(
            out,
            "Hand it to the person alone; whoever has it chooses their password."
        )
    })
}

/// The number that was given, or that of the one person with this name.
pub(super) fn number_of(context: &Context, person: &str) -> Result<u64, Failure> {
    if let Ok(number) = person.parse() {
        return Ok(number);
    }
    let mut people: Vec<Person> = context.client.get("people", &[])?;
    people.retain(|one| one.name == person);
    match &people[..] {
        [one] => Ok(one.id),
        [] => Err(Failure::new(
            &problem::IDENTITY_NO_PERSON,
            person.to_owned(),
        )),
        [..] => {
            let several = format!("{} people have this name: give the number", people.len());
            Err(Failure::new(&problem::SERVER_BAD_REQUEST, several))
        }
    }
}
