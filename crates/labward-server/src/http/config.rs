//! `config`, `config/…`: what can be changed, edits of it, what a reload would change, the reload itself.
//!
//! It must never change anything in a preview, or half of anything in a reload or a change.

use labward_api::Why;
use labward_api::config::{
    ChangeConfig, ClosedLink, ConfigChange, ConfigEdit, ConfigFault, ConfigPreview, Configuration,
    Meanwhile, PreviewConfig, Reload,
};
use labward_base::{hex, remark};
use labward_seal::sha256;

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use crate::app::{ChangeError, Changing, ReloadError, Reloaded};
use crate::config::{Change, tables};

/// Characters that a table or a name in an edit may have.
const NAME_CHARS: usize = 64;

/// `GET config`
pub(super) fn show(call: &Call) -> Result<Answer, Failure> {
    let text = call.core.present_text()?;
    let digest = sha256(text.as_bytes());
    Answer::json(&Configuration {
        sha256: hex::encode(&digest),
        is_file: call.core.file_sha256() == Some(digest),
        tables: tables(&text),
    })
}

/// `POST config/preview`
pub(super) fn look_at(call: &Call) -> Result<Answer, Failure> {
    let PreviewConfig { base, edits } = call.json()?;
    let would = call.core.look_at(&changing(&base, &edits)?)?;
    let closes = would.closes.into_iter();
    Answer::json(&ConfigPreview {
        sha256: hex::encode(&would.sha256),
        changes: would.changes.into_iter().map(shown_change).collect(),
        closes: closes
            .map(|(link, connections)| ClosedLink { link, connections })
            .collect(),
        meanwhile: would.meanwhile.map(|meanwhile| Meanwhile {
            by: meanwhile.last.as_ref().map(|(by, _)| by.to_string()),
            time: meanwhile.last.as_ref().map(|(_, time)| time.to_rfc3339()),
            changed: meanwhile.changed,
            both: meanwhile.both,
        }),
        refused: would.refused.map(fault),
    })
}

/// `POST config/change`
pub(super) fn change(call: &Call) -> Result<Answer, Failure> {
    let ChangeConfig { base, edits, why } = call.json()?;
    let why = reason(&why)?;
    let asked = changing(&base, &edits)?;
    let done = call.core.change(&asked, call.actor(), why)?;
    Answer::json(&shown(done))
}

fn changing<'a>(base: &str, edits: &'a [ConfigEdit]) -> Result<Changing<'a>, Failure> {
    let base = hex::decode(base);
    let wrong = || Failure::bad_request("base is not a SHA-256 in hex");
    if edits.is_empty() {
        return Err(Failure::misunderstood(remark::no_edit()));
    }
    let is_long = |text: &str| text.chars().count() > NAME_CHARS;
    let long =
        |edit: &ConfigEdit| is_long(&edit.table) || edit.name.as_deref().is_some_and(is_long);
    if edits.iter().any(long) {
        let most = "a table and a name have at most 64 characters";
        return Err(Failure::bad_request(most));
    }
    Ok(Changing {
        base: base.ok_or_else(wrong)?,
        edits,
    })
}

fn fault(error: ChangeError) -> ConfigFault {
    ConfigFault {
        key: error.key().map(str::to_owned),
        expected: error.expected().cloned(),
        problem: Failure::from(error).into_body().1,
    }
}

/// `GET config/preview`
pub(super) fn preview(call: &Call) -> Result<Answer, Failure> {
    let (would, refused) = call.core.preview()?;
    let refused = refused.map(|refused| Failure::from(refused).into_body().1);
    Answer::json(&Reload {
        refused,
        ..shown(would)
    })
}

/// `POST config/reload`
pub(super) fn reload(call: &Call) -> Result<Answer, Failure> {
    let Why { why } = call.json()?;
    let why = reason(&why)?;
    let done = call.core.reload(call.actor(), "request", why)?;
    Answer::json(&shown(done))
}

fn shown(reloaded: Reloaded) -> Reload {
    Reload {
        sha256: hex::encode(&reloaded.sha256),
        changes: reloaded.changes.into_iter().map(shown_change).collect(),
        refused: None,
    }
}

fn shown_change(change: Change) -> ConfigChange {
    ConfigChange {
        table: change.table,
        key: change.key,
        old: change.old,
        new: change.new,
        needs_restart: change.needs_restart,
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Reload(error) => error.into(),
            error => {
                let failure = Self::new(error.problem());
                match error.detail() {
                    Some(detail) => failure.with(detail),
                    None => failure,
                }
            }
        }
    }
}

impl From<ReloadError> for Failure {
    fn from(error: ReloadError) -> Self {
        let failure = Self::new(error.problem());
        match error.detail() {
            detail if detail.is_empty() => failure,
            detail => failure.with(detail),
        }
    }
}
