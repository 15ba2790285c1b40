//! `config/…`: what a reload would change, and the reload itself.
//!
//! It must never change anything in a preview, or half of anything in a reload.

use labward_api::Why;
use labward_api::config::{ConfigChange, Reload};

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use crate::app::{ReloadError, Reloaded};

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
    let digits = reloaded.sha256.iter().map(|byte| format!("{byte:02x}"));
    let changes = reloaded.changes.into_iter().map(|change| ConfigChange {
        table: change.table,
        key: change.key,
        old: change.old,
        new: change.new,
        needs_restart: change.needs_restart,
    });
    Reload {
        sha256: digits.collect(),
        changes: changes.collect(),
        refused: None,
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
