//! Whether the ledger can be written, and what happens as soon as it can again.
//!
//! A batch that was rolled back shows that it cannot; the entry that says that it goes on, together
//! with what waits in the reserve, shows that it can. It must never call the ledger writable because
//! nothing was tried (**Invariant:** a missing measurement is never a pass), or fill it with entries
//! while the disk is full now and not the next moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_base::{Clock, Timestamp};
use labward_records::{Recorded, Reserve};
use labward_store::Store;

use crate::error::ServerError;
use crate::http::chain;
use crate::recurring::Recurring;

/// How often is looked.
const INTERVAL: Duration = Duration::from_secs(1);
/// At most one entry in so long says that the ledger goes on, unless readings wait.
const QUIET: Duration = Duration::from_secs(60);

/// What is known of the ledger's state.
#[derive(Default)]
pub(crate) struct LedgerWatch(Mutex<State>);

#[derive(Default)]
struct State {
    failing_since: Option<Timestamp>,
    resumed: Option<Timestamp>,
    failed_batches: u64,
}

impl LedgerWatch {
    /// Since when the ledger cannot be written; `None` if nothing shows that it cannot.
    pub(crate) fn failing_since(&self) -> Option<Timestamp> {
        self.state().failing_since
    }

    /// A reading was recorded: in the reserve, if the ledger cannot be written.
    pub(crate) fn note(&self, recorded: &Recorded, now: Timestamp) {
        if matches!(recorded, Recorded::Reserve(_)) {
            self.state().failing_since.get_or_insert(now);
        }
    }

    /// Looks whether a batch failed since the last time, and if one did whether the ledger can be
    /// written again; then what waits in `reserve` is merged.
    pub(crate) fn look(&self, store: &Store, reserve: &Reserve, now: Timestamp) {
        let failed_batches = store.stats().failed_batches;
        let failing_since = {
            let mut state = self.state();
            if failed_batches > state.failed_batches {
                state.failed_batches = failed_batches;
                if state.failing_since.is_none() {
                    state.failing_since = Some(now);
                    tracing::error!("the ledger cannot be written: nothing is accepted");
                }
            }
            let waits = reserve.state().waiting > 0;
            let is_quiet = state
                .resumed
                .is_some_and(|last| last <= now && now.since(last) < QUIET);
            if !waits && (state.failing_since.is_none() || is_quiet) {
                return;
            }
            state.failing_since
        };
        match reserve.merge(failing_since) {
            Ok(merged) => {
                tracing::warn!(readings = merged.readings, "the ledger goes on");
                let mut state = self.state();
                (state.failing_since, state.resumed) = (None, Some(now));
            }
            Err(error) => {
                tracing::debug!(error = %chain(&error), "the ledger still cannot be written");
                // The attempt itself is no news.
                self.state().failed_batches = store.stats().failed_batches;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks every second until it is stopped.
pub(crate) fn start(
    watch: Arc<LedgerWatch>,
    store: Store,
    reserve: Reserve,
    clock: Arc<dyn Clock>,
) -> Result<Recurring, ServerError> {
    Recurring::start("ledger-resume", INTERVAL, move || {
        watch.look(&store, &reserve, clock.now());
        Some(INTERVAL)
    })
}
