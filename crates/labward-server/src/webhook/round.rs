//! What waits for one webhook, sent in order until there is no more or one fails.
//!
//! It must never send an event before the one in front of it was taken, or move the cursor past an
//! event that was not. What follows from each attempt is durable before the next one.

use std::sync::Arc;
use std::time::Duration;

use labward_base::id::EntryIndex;
use labward_base::{Clock, Problem, Timestamp, problem};
use labward_keys::{Keys, KeysError};
use labward_ledger::{
    Action, Actor, Facts, Leaf, LedgerError, NewEntry, Outcome, StoredEntry, Subject, append,
};
use labward_seal::random_bytes;
use labward_store::{Snapshot, Store, StoreError};

use super::client::{Attempt, send};
use super::event::{self, Event};
use super::secret::WebhookSecret;
use super::store::{self, Row};
use super::{Webhooks, backoff, finding_key, former_name, secret_name};
use crate::config::WebhookConfig;
use crate::findings::{self, Finding};
use crate::folder::SITE;
use crate::http::chain;

/// Events in one round at most; then the configuration is looked at again.
const EVENTS_A_ROUND: usize = 100;
/// Acts that are read at a time.
const ACTS: u32 = 256;
/// Acts that were not meant for it after which that is written.
const UNWRITTEN_MAX: u64 = 4_096;

/// One webhook and what sending leans on.
pub(super) struct Round {
    pub(super) config: WebhookConfig,
    pub(super) webhooks: Arc<Webhooks>,
    pub(super) store: Store,
    pub(super) keys: Keys,
    pub(super) clock: Arc<dyn Clock>,
}

/// Why what waits cannot be said.
#[derive(Debug, thiserror::Error)]
pub(super) enum PendingError {
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Round {
    /// The event that is to be sent next; `None` if there is none, or nothing may be sent.
    pub(super) fn pending(&self) -> Result<Option<Event>, PendingError> {
        let name = &self.config.name;
        let Some(row) = self.store.read(|snapshot| store::row(snapshot, name))? else {
            return Ok(None);
        };
        if row.stopped.is_some() || row.secret_made.is_none() {
            return Ok(None);
        }
        self.end_former(&row)?;
        let ahead = self.webhooks.live(name).ahead.max(row.next.get());
        let (found, seen) = self.store.read(|snapshot| self.next(snapshot, ahead))?;
        self.webhooks.update(name, |live| live.ahead = seen);
        if found.is_none() && seen.saturating_sub(row.next.get()) >= UNWRITTEN_MAX {
            self.advance(EntryIndex::new(seen), None);
        }
        Ok(found)
    }

    /// How many events wait, counted in so many acts at most.
    pub(super) fn count(&self, row: &Row, acts: u32) -> Result<u64, StoreError> {
        let from = self.webhooks.live(&self.config.name).ahead;
        let from = EntryIndex::new(from.max(row.next.get()));
        let acts = self
            .store
            .read(|snapshot| labward_ledger::acts(snapshot, from, acts))?;
        let wanted = acts.iter().filter(|act| self.wanted(act).is_some()).count();
        Ok(u64::try_from(wanted).unwrap_or(u64::MAX))
    }

    /// The first event from `from` on, and before which entry everything was seen.
    fn next(
        &self,
        snapshot: &mut Snapshot<'_>,
        from: u64,
    ) -> Result<(Option<Event>, u64), StoreError> {
        let mut from = from;
        loop {
            let acts = labward_ledger::acts(snapshot, EntryIndex::new(from), ACTS)?;
            for act in &acts {
                let Some(name) = self.wanted(act) else {
                    from = act.index.get().saturating_add(1);
                    continue;
                };
                let event = event_of(snapshot, name, act)?;
                return Ok((Some(event), act.index.get()));
            }
            if acts.len() < usize::try_from(ACTS).unwrap_or(usize::MAX) {
                return Ok((None, from));
            }
        }
    }

    /// The name of the event that an entry is for this webhook.
    fn wanted(&self, entry: &StoredEntry) -> Option<&'static str> {
        let name = event::by_name(&entry.action)?.name();
        self.config.wants(name).then_some(name)
    }

    /// Sends what waits.
    pub(super) fn run(&self) {
        for _ in 0..EVENTS_A_ROUND {
            if self.webhooks.is_stopping() {
                return;
            }
            let event = match self.pending() {
                Ok(Some(event)) => event,
                Ok(None) => return,
                Err(error) => return self.failed(chain(&error)),
            };
            let attempt = match self.secrets() {
                Ok(secrets) if secrets.is_empty() => return,
                Ok(secrets) => send(&self.config, &secrets, &event, &self.clock),
                Err(error) => return self.failed(chain(&error)),
            };
            let next = EntryIndex::new(event.index.get().saturating_add(1));
            match attempt.failure() {
                None => self.taken(next),
                Some(why) => return self.refused(&attempt, why),
            }
        }
    }

    /// The secrets that sign now, the present one first.
    pub(super) fn secrets(&self) -> Result<Vec<WebhookSecret>, KeysError> {
        let name = &self.config.name;
        let present = self.keys.secret(&secret_name(name))?;
        let former = self.keys.secret(&former_name(name))?;
        let kept = present.into_iter().chain(former);
        Ok(kept.map(WebhookSecret::kept).collect())
    }

    /// Lets go of the secret before once its time is over.
    fn end_former(&self, row: &Row) -> Result<(), KeysError> {
        let over = |until| until <= self.clock.now();
        if !row.former_until.is_some_and(over) {
            return Ok(());
        }
        let (name, keys) = (self.config.name.clone(), self.keys.clone());
        self.store.write(move |tx| -> Result<(), KeysError> {
            keys.drop_secret(tx, &former_name(&name))?;
            Ok(store::end_former(tx, &name)?)
        })
    }

    fn taken(&self, next: EntryIndex) {
        let now = self.clock.now();
        self.webhooks.update(&self.config.name, |live| {
            live.failures = 0;
            live.next_attempt = None;
            live.last_error = None;
            live.ahead = next.get();
        });
        self.advance(next, Some(now));
    }

    /// Where this cannot be written, what was taken is sent again after the next start only.
    fn advance(&self, next: EntryIndex, taken: Option<Timestamp>) {
        let name = self.config.name.clone();
        let written = self
            .store
            .write(move |tx| store::advance(tx, &name, next, taken));
        if let Err(error) = written {
            tracing::warn!(webhook = %self.config.name, error = %chain(&error), "how far a webhook was told could not be written");
        }
    }

    fn refused(&self, attempt: &Attempt, why: String) {
        let name = &self.config.name;
        let now = self.clock.now();
        let row = self.store.read(|snapshot| store::row(snapshot, name));
        let since = row.ok().flatten().and_then(|row| row.failing_since);
        let is_over = since.is_some_and(|since| now.since(since) >= self.config.patience());
        let stopped = match attempt {
            Attempt::Gone => Some(&problem::WEBHOOK_GONE),
            _ if is_over => Some(&problem::WEBHOOK_GIVEN_UP),
            _ => None,
        };
        let written = match stopped {
            Some(problem) => self.stop(problem, attempt.status(), &why, now),
            None if since.is_none() => {
                let name = name.clone();
                let written = self
                    .store
                    .write(move |tx| store::set_failing(tx, &name, now));
                written.map_err(LedgerError::from)
            }
            None => Ok(()),
        };
        if let Err(error) = written {
            tracing::warn!(webhook = %name, error = %chain(&error), "that a webhook fails could not be written");
        }
        // Last, so that whoever sees it fail also sees since when.
        self.failed(why);
    }

    /// Leaves it alone for a while.
    fn failed(&self, why: String) {
        // Without dice all of them wait equally long.
        let [roll] = random_bytes::<1>().unwrap_or_default();
        let now = self.clock.now();
        let mut wait = Duration::ZERO;
        let mut is_new = false;
        self.webhooks.update(&self.config.name, |live| {
            live.failures = live.failures.saturating_add(1);
            wait = backoff::wait(live.failures, roll);
            live.next_attempt = Some(now.plus(wait));
            is_new = live.last_error.as_ref() != Some(&why);
            live.last_error = Some(why.clone());
        });
        if is_new {
            tracing::warn!(
                webhook = %self.config.name,
                again_in_seconds = wait.as_secs(),
                "a webhook did not take an event: {why}"
            );
        }
    }

    /// Gives it up: row, entry and finding in one unit.
    fn stop(
        &self,
        problem: &'static Problem,
        status: Option<u16>,
        why: &str,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let name = self.config.name.clone();
        let subject = Subject::Webhook(name.clone().into());
        let mut facts = Facts::new();
        if let Some(status) = status {
            facts = facts.number("status", status);
        }
        let entry = NewEntry::new(SITE, Actor::System, Action::WebhookStopped, subject)
            .facts(facts)
            .outcome(Outcome::Failed(problem.code));
        let finding = Finding {
            key: finding_key(&name),
            detail: format!("webhook {name} is told nothing any more: {why}"),
        };
        tracing::error!(code = problem.code, webhook = %name, "{}", problem.what);
        self.store.write(move |tx| -> Result<(), LedgerError> {
            store::set_stopped(tx, &name, now)?;
            append(tx, &entry)?;
            findings::reconcile_one(tx, SITE, &finding.key, Some(&finding), now)
        })
    }
}

/// What is told of an entry under this name.
pub(super) fn event_of(
    snapshot: &mut Snapshot<'_>,
    name: &str,
    entry: &StoredEntry,
) -> Result<Event, StoreError> {
    let damaged = || StoreError::Damaged {
        place: "an entry that a webhook is told of".to_owned(),
    };
    let leaf = Leaf::parse(&entry.leaf).map_err(|_| damaged())?;
    let epochs = labward_ledger::epochs(snapshot)?;
    let first = labward_ledger::entry(snapshot, EntryIndex::new(0))?.ok_or_else(damaged)?;
    Ok(Event::of(name, &leaf, &epochs, &first.leaf))
}
