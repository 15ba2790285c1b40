//! Webhooks: signed events over HTTPS to receivers that the configuration names.
//!
//! It must never stand in the way of anything else, tell of a patient, or keep a second account of
//! what happened: the ledger is the queue. Each webhook has a cursor over the acts of the ledger, so
//! that nothing is lost over a restart, and each receiver is told at least once, in order. What is
//! sent there is no disclosure, so a delivery is no entry; that a webhook is given up, or goes on, is.
//!
//! | Module | Holds |
//! |---|---|
//! | `event` | the closed list of events, and what a receiver is told of each |
//! | `secret` | signatures by the Standard Webhooks specification |
//! | `client` | HTTPS to one receiver |
//! | `backoff` | how long one that failed is left alone |
//! | `round` | what waits for one webhook, sent until there is no more or one fails |
//! | `orders` | what a person has done: a test, a secret, going on |
//! | `store` | how far each one was told |

mod backoff;
mod client;
pub(crate) mod event;
mod orders;
mod round;
mod secret;
mod store;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use labward_api::webhook::WebhookStatus;
use labward_base::id::EntryIndex;
use labward_base::{Clock as _, Timestamp};
use labward_keys::{Keys, KeysError};
use labward_ledger::LedgerError;
use labward_store::{StoreError, Tx};

use self::round::Round;
use self::store::Row;
use crate::app::Core;
use crate::config::WebhookConfig;
use crate::error::ServerError;
use crate::findings;
use crate::folder::SITE;
use crate::http::chain;
use crate::recurring::Recurring;

pub(crate) use self::backoff::wait as backoff;
pub(crate) use self::client::tls as client_tls;
pub(crate) use self::orders::OrderError;
pub(crate) use self::store::MIGRATIONS;

/// How often it is looked whether there is something new.
const EVERY: Duration = Duration::from_secs(1);
/// How long events that are being sent are waited for when the server stops.
const DRAIN: Duration = Duration::from_secs(2);
/// Acts that are looked through at most to say how many events wait.
const COUNTED_MAX: u32 = 1_000;
/// The key of the finding that a webhook was given up begins so.
const STOPPED: &str = "webhook-stopped:";

/// What is known of the webhooks while the server runs.
#[derive(Default)]
pub(crate) struct Webhooks {
    live: Mutex<BTreeMap<String, Live>>,
    /// Told when a round ends.
    ended: Condvar,
    /// Whether no more is to be sent.
    stopping: AtomicBool,
    /// Held while a secret is replaced: one at a time.
    secrets: Mutex<()>,
}

/// What is known of one of them.
#[derive(Clone, Debug, Default)]
struct Live {
    is_sending: bool,
    /// Failures one after the other.
    failures: u32,
    next_attempt: Option<Timestamp>,
    last_error: Option<String>,
    /// All before it was taken or is not meant for it, even where that is not written yet.
    ahead: u64,
}

/// The thread that looks for what is new; dropped, it ends.
pub(crate) struct WebhookLoop {
    webhooks: Arc<Webhooks>,
    recurring: Option<Recurring>,
}

impl WebhookLoop {
    /// Starts for a server, as long as that is there.
    pub(crate) fn start(webhooks: Arc<Webhooks>, core: Weak<Core>) -> Result<Self, ServerError> {
        let recurring = Recurring::start("webhooks", EVERY, move || {
            core.upgrade()?.tell_webhooks();
            Some(EVERY)
        })?;
        Ok(Self {
            webhooks,
            recurring: Some(recurring),
        })
    }
}

impl Drop for WebhookLoop {
    fn drop(&mut self) {
        self.webhooks.stopping.store(true, Ordering::Relaxed);
        drop(self.recurring.take());
        // A request in flight has a limit of its own; it is not waited for that long.
        let sending = |all: &mut BTreeMap<String, Live>| all.values().any(|live| live.is_sending);
        let ended = &self.webhooks.ended;
        drop(ended.wait_timeout_while(self.webhooks.lock(), DRAIN, sending));
    }
}

impl Webhooks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn live(&self, name: &str) -> Live {
        self.lock().get(name).cloned().unwrap_or_default()
    }

    fn update(&self, name: &str, update: impl FnOnce(&mut Live)) {
        update(self.lock().entry(name.to_owned()).or_default());
    }

    /// Whether something may be sent to it now; if so it counts as being sent to.
    fn begin(&self, name: &str, now: Timestamp) -> bool {
        let mut all = self.lock();
        let live = all.entry(name.to_owned()).or_default();
        let longest = backoff::wait(u32::MAX, u8::MAX);
        // A clock that went back does not keep it waiting for longer than it ever would.
        let waits = |next: Timestamp| next > now && next.since(now) <= longest;
        if self.is_stopping() || live.is_sending || live.next_attempt.is_some_and(waits) {
            return false;
        }
        live.is_sending = true;
        true
    }

    fn end(&self, name: &str) {
        self.update(name, |live| live.is_sending = false);
        self.ended.notify_all();
    }
}

impl Core {
    /// Begins to send whatever waits for a webhook that is not being sent to.
    fn tell_webhooks(&self) {
        if self.opened().is_none() {
            return;
        }
        let configs = self.config().webhooks.clone();
        let named = |name: &String| configs.iter().any(|config| config.name == *name);
        self.webhooks
            .lock()
            .retain(|name, live| live.is_sending || named(name));
        let now = self.clock.now();
        for config in configs {
            let name = config.name.clone();
            if !self.webhooks.begin(&name, now) {
                continue;
            }
            let round = self.round(config);
            match round.pending() {
                Ok(Some(_)) => self.begin_round(round),
                Ok(None) => self.webhooks.end(&name),
                Err(error) => {
                    self.webhooks.end(&name);
                    tracing::error!(webhook = %name, error = %chain(&error), "what waits for a webhook cannot be read");
                }
            }
        }
    }

    fn round(&self, config: WebhookConfig) -> Round {
        Round {
            config,
            webhooks: Arc::clone(&self.webhooks),
            store: self.store.clone(),
            keys: self.keys.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    fn begin_round(&self, round: Round) {
        let name = round.config.name.clone();
        let run = move || {
            let (webhooks, name) = (Arc::clone(&round.webhooks), round.config.name.clone());
            let _ends = Ends(&webhooks, &name);
            round.run();
        };
        let thread = std::thread::Builder::new().name("webhook".to_owned());
        if let Err(error) = thread.spawn(run) {
            self.webhooks.end(&name);
            tracing::error!(webhook = %name, error = %error, "a webhook has no thread to be sent to");
        }
    }

    /// Every webhook, in the order of the configuration.
    pub(crate) fn webhook_status(&self) -> Result<Vec<WebhookStatus>, StoreError> {
        let config = self.config();
        if config.webhooks.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.store.read(|snapshot| store::rows(snapshot))?;
        let all = config.webhooks.iter().map(|one| {
            let row = rows.iter().find(|row| row.name == one.name);
            self.status_of(one, row)
        });
        all.collect()
    }

    fn status_of(
        &self,
        config: &WebhookConfig,
        row: Option<&Row>,
    ) -> Result<WebhookStatus, StoreError> {
        let live = self.webhooks.live(&config.name);
        let time = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339);
        let of = |get: fn(&Row) -> Option<Timestamp>| time(row.and_then(get));
        let state = match row {
            Some(row) if row.stopped.is_some() => "stopped",
            Some(row) if row.secret_made.is_none() => "no-secret",
            None => "no-secret",
            Some(row) if live.failures > 0 || row.failing_since.is_some() => "failing",
            Some(_) => "ready",
        };
        let place = config.place().ok();
        Ok(WebhookStatus {
            name: config.name.clone(),
            host: place.map_or_else(String::new, |place| place.host),
            events: config.events.clone(),
            state: state.to_owned(),
            waiting: match row {
                Some(row) => self.round(config.clone()).count(row, COUNTED_MAX)?,
                None => 0,
            },
            delivered: of(|row| row.delivered),
            failing_since: of(|row| row.failing_since),
            next_attempt: time(live.next_attempt),
            stopped: of(|row| row.stopped),
            last_error: live.last_error,
            secret_made: of(|row| row.secret_made),
            former_until: of(|row| row.former_until),
        })
    }
}

/// Says that a round has ended, however it did.
struct Ends<'a>(&'a Webhooks, &'a str);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

/// Makes the rows those of the configuration, in the unit that records it: a webhook that is new is
/// told of what comes after `last`, and one that left takes its secrets and its finding with it.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    keys: &Keys,
    configs: &[WebhookConfig],
    last: EntryIndex,
    now: Timestamp,
) -> Result<(), SettleError> {
    for row in store::rows(tx)? {
        if configs.iter().any(|config| config.name == row.name) {
            continue;
        }
        store::delete(tx, &row.name)?;
        keys.drop_secret(tx, &secret_name(&row.name))?;
        keys.drop_secret(tx, &former_name(&row.name))?;
        findings::reconcile_one(tx, SITE, &finding_key(&row.name), None, now)?;
    }
    let next = EntryIndex::new(last.get().saturating_add(1));
    for config in configs {
        store::insert(tx, &config.name, next)?;
    }
    Ok(())
}

/// Why the rows could not be made those of the configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettleError {
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SettleError> for ServerError {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::Keys(error) => Self::Keys(error),
            SettleError::Ledger(error) => Self::Ledger(error),
            SettleError::Store(error) => Self::Store(error),
        }
    }
}

/// What the present secret of a webhook is kept under.
fn secret_name(webhook: &str) -> String {
    format!("webhook:{webhook}")
}

/// What the secret before is kept under while it signs, too.
fn former_name(webhook: &str) -> String {
    format!("webhook-former:{webhook}")
}

fn finding_key(webhook: &str) -> String {
    format!("{STOPPED}{webhook}")
}
