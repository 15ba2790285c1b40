//! `passkey`: which there are, and that one is removed.

use labward_api::Done;
use labward_api::session::Passkey;

use super::Context;
use crate::args::PasskeyCommand;
use crate::failure::Failure;
use crate::output::{show, table};

/// `labward passkey …`
pub(super) fn run(context: &Context, command: &PasskeyCommand) -> Result<(), Failure> {
    match command {
        PasskeyCommand::List => list(context),
        PasskeyCommand::Remove { number } => {
            let done: Done = context.client.delete(&format!("passkeys/{number}"))?;
            show(context.json, &done, |out| {
                writeln!(out, "passkey {number} was removed")
            })
        }
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let passkeys: Vec<Passkey> = context.client.get("passkeys", &[])?;
    show(context.json, &passkeys, |out| {
        let rows: Vec<Vec<String>> = passkeys
            .iter()
            .map(|passkey| {
                let used = passkey.last_used.clone();
                vec![
                    passkey.number.to_string(),
                    passkey.person_name.clone(),
                    passkey.name.clone(),
                    passkey.relying_party.clone(),
                    passkey.created.clone(),
                    used.unwrap_or_else(|| "never".to_owned()),
                ]
            })
            .collect();
        let head = ["passkey", "person", "name", "for", "added", "last used"];
        table(out, &head, &rows)
    })
}
