//! `token`: how programs come to act at the API over TLS.

use labward_api::Done;
use labward_api::session::{AddedToken, NewToken, Token};

use super::Context;
use super::session::number_of;
use crate::args::TokenCommand;
use crate::failure::Failure;
use crate::output::{show, table};

/// `labward token …`
pub(super) fn run(context: &Context, command: &TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create {
            person,
            name,
            scopes,
            days,
        } => {
            let new = NewToken {
                person: number_of(context, person)?,
                name: name.clone(),
                scopes: scopes.clone(),
                days: *days,
            };
            create(context, &new)
        }
        TokenCommand::End { number } => {
            let done: Done = context.client.delete(&format!("tokens/{number}"))?;
            show(context.json, &done, |out| {
                writeln!(out, "token {number} has ended")
            })
        }
        TokenCommand::List => list(context),
    }
}

fn create(context: &Context, new: &NewToken) -> Result<(), Failure> {
    let made: AddedToken = context.client.post("tokens", new)?;
    show(context.json, &made, |out| {
        writeln!(out, "{}", made.secret)?;
        let token = &made.token;
        writeln!(
            out,
            "It is shown this once. It acts as {} until {}.",
            token.person_name, token.ends_at
        )?;
        match &made.url {
            Some(url) => writeln!(out, "The API is at {url}."),
            None => writeln!(
                out,
                "Nothing takes it before [console] listen is in labward.toml."
            ),
        }
    })
}

fn list(context: &Context) -> Result<(), Failure> {
    let tokens: Vec<Token> = context.client.get("tokens", &[])?;
    show(context.json, &tokens, |out| {
        let rows: Vec<Vec<String>> = tokens
            .iter()
            .map(|token| {
                vec![
                    token.number.to_string(),
                    token.person_name.clone(),
                    token.name.clone(),
                    token.scopes.join(","),
                    token.ends_at.clone(),
                    token
                        .last_used
                        .clone()
                        .unwrap_or_else(|| "never".to_owned()),
                ]
            })
            .collect();
        let head = ["token", "person", "for", "scopes", "ends", "last used"];
        table(out, &head, &rows)
    })
}
