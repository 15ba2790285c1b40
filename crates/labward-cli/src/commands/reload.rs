//! `reload`: the configuration in force without a restart, or what that would change.

use std::io::{self, Write};

use labward_api::Why;
use labward_api::config::Reload;

use super::Context;
use crate::args::ReloadArgs;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward reload`; a preview of what would be refused ends with the exit code of the refusal.
pub(super) fn run(context: &Context, arguments: &ReloadArgs) -> Result<(), Failure> {
    if !arguments.preview {
        let why = Why {
            why: prompt::why(arguments.why.as_deref())?,
        };
        let done: Reload = context.client.post("config/reload", &why)?;
        return show(context.json, &done, |out| {
            changes(out, &done)?;
            writeln!(out, "reloaded; SHA-256 of the file: {}", done.sha256)
        });
    }
    let would: Reload = context.client.get("config/preview", &[])?;
    show(context.json, &would, |out| {
        changes(out, &would)?;
        match &would.refused {
            None => writeln!(out, "nothing was changed; labward reload puts it in force"),
            Some(_) => writeln!(out, "nothing was changed; a reload would be refused"),
        }
    })?;
    would
        .refused
        .map_or(Ok(()), |refused| Err(Failure::answered(refused)))
}

fn changes(out: &mut dyn Write, reload: &Reload) -> io::Result<()> {
    if reload.changes.is_empty() {
        return writeln!(out, "no key is otherwise");
    }
    let rows: Vec<Vec<String>> = reload
        .changes
        .iter()
        .map(|change| {
            vec![
                change.table.clone(),
                change.key.clone(),
                or_dash(change.old.as_deref()),
                or_dash(change.new.as_deref()),
                match change.needs_restart {
                    true => "needs a restart".to_owned(),
                    false => String::new(),
                },
            ]
        })
        .collect();
    table(out, &["table", "key", "old", "new", ""], &rows)
}
