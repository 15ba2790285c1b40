//! Takes what was committed into the indexes of the records, behind the commits, so that a search
//! finds little that is left to do.
//!
//! It must never keep the writer from messages: after each step it waits as long as the step took.

use std::sync::Weak;
use std::time::Duration;

use labward_base::Clock as _;
use labward_records::RecordsError;

use crate::app::Core;
use crate::error::ServerError;
use crate::http::chain;
use crate::recurring::{Failing, Recurring};

/// How often it looks for more.
const INTERVAL: Duration = Duration::from_secs(1);
/// The least and the longest that it waits between two steps.
const PAUSE: (Duration, Duration) = (Duration::from_millis(2), INTERVAL);
/// How long it waits after a step that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Starts for a server whose root key is open, as long as that is there.
pub(crate) fn start(core: Weak<Core>) -> Result<Recurring, ServerError> {
    let mut failing = Failing::default();
    Recurring::start("indexing", INTERVAL, move || {
        let core = core.upgrade()?;
        let pause = failing.told(step(&core), |error| {
            tracing::warn!(error = %chain(error), "the indexes fall behind the ledger");
        });
        Some(pause.unwrap_or(AFTER_FAILURE))
    })
}

/// One step, and how long to wait for the next.
fn step(core: &Core) -> Result<Duration, RecordsError> {
    let Some(opened) = core.opened() else {
        return Ok(INTERVAL);
    };
    let begin = core.clock.now();
    let more = opened.records.merge_behind()?;
    let took = core.clock.now().since(begin);
    Ok(match more {
        true => took.clamp(PAUSE.0, PAUSE.1),
        false => INTERVAL,
    })
}
