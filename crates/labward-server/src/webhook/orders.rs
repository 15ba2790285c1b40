//! What a person has done with a webhook: a test, a new secret, going on.
//!
//! It must never show a secret twice, or do one of these without its entry (**Invariant:** no change
//! without an entry).

use std::sync::PoisonError;
use std::time::Duration;

use labward_api::webhook::{AddedWebhookSecret, TestedWebhook};
use labward_base::id::EntryIndex;
use labward_base::{Clock as _, Problem, Timestamp, problem};
use labward_keys::KeysError;
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Subject, append};
use labward_os::Stopwatch;
use labward_seal::CryptoFailed;
use labward_store::StoreError;

use super::client::send;
use super::round::event_of;
use super::secret::WebhookSecret;
use super::{SettleError, event, finding_key, former_name, secret_name, store};
use crate::app::Core;
use crate::config::WebhookConfig;
use crate::findings;
use crate::folder::SITE;

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    /// There is no webhook of this name.
    #[error("find the webhook")]
    Unknown,
    /// It has no secret to sign with.
    #[error("sign for a webhook without a secret")]
    NoSecret,
    /// A secret could not be made.
    #[error("make a secret")]
    Crypto(#[from] CryptoFailed),
    /// Reading or writing failed.
    #[error(transparent)]
    Ground(#[from] SettleError),
}

impl From<KeysError> for OrderError {
    fn from(error: KeysError) -> Self {
        Self::Ground(error.into())
    }
}

impl From<LedgerError> for OrderError {
    fn from(error: LedgerError) -> Self {
        Self::Ground(error.into())
    }
}

impl From<StoreError> for OrderError {
    fn from(error: StoreError) -> Self {
        Self::Ground(error.into())
    }
}

impl OrderError {
    /// What a person is told about it.
    pub(crate) fn problem(&self) -> &'static Problem {
        match self {
            Self::Unknown => &problem::WEBHOOK_UNKNOWN,
            Self::NoSecret => &problem::WEBHOOK_NO_SECRET,
            Self::Crypto(_) => &problem::SERVER_INTERNAL,
            Self::Ground(SettleError::Keys(error)) => error.problem(),
            Self::Ground(SettleError::Ledger(error)) => error.problem(),
            Self::Ground(SettleError::Store(error)) => error.problem(),
        }
    }
}

impl Core {
    /// Sends a signed test event, whatever else waits, and says what the receiver answered.
    pub(crate) fn test_webhook(
        &self,
        name: &str,
        actor: Actor,
    ) -> Result<TestedWebhook, OrderError> {
        let round = self.round(self.webhook(name)?);
        let secrets = round.secrets()?;
        if secrets.is_empty() {
            return Err(OrderError::NoSecret);
        }
        let entry = entry(name, actor, Action::WebhookTested);
        let index = self.store.write(move |tx| append(tx, &entry))?;
        let event = self.store.read(|snapshot| {
            let entry = labward_ledger::entry(snapshot, index)?;
            let entry = entry.ok_or_else(|| StoreError::Damaged {
                place: "the entry of a test".to_owned(),
            })?;
            event_of(snapshot, event::TEST, &entry)
        })?;
        let watch = Stopwatch::start();
        let attempt = send(&round.config, &secrets, &event, &self.clock);
        let failure = attempt.failure();
        self.webhooks.update(name, |live| match &failure {
            // Whoever answers a test is worth another attempt.
            None => live.next_attempt = None,
            Some(why) => live.last_error = Some(why.clone()),
        });
        Ok(TestedWebhook {
            delivered: failure.is_none(),
            status: attempt.status(),
            error: failure,
            duration_ms: u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX),
            entry: index.get(),
        })
    }

    /// Makes a new secret; the one before signs for `overlap`, too.
    pub(crate) fn new_webhook_secret(
        &self,
        name: &str,
        overlap: Duration,
        actor: Actor,
        why: Vec<u8>,
    ) -> Result<AddedWebhookSecret, OrderError> {
        self.webhook(name)?;
        let secrets = self.webhooks.secrets.lock();
        let _one = secrets.unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let present = self.keys.secret(&secret_name(name))?;
        let former = present.filter(|_| !overlap.is_zero());
        let former_until = former.as_ref().map(|_| now.plus(overlap));
        let made = WebhookSecret::generate()?;
        let text = made.text();
        let hours = overlap.as_secs() / 3_600;
        let facts = Facts::new().number("overlap_hours", hours);
        let entry = entry(name, actor, Action::WebhookSecretChanged);
        let entry = entry.facts(facts).detail(why);
        let (name, keys) = (name.to_owned(), self.keys.clone());
        let index = self
            .store
            .write(move |tx| -> Result<EntryIndex, OrderError> {
                keys.put_secret(tx, &secret_name(&name), made.bytes())?;
                match &former {
                    Some(former) => keys.put_secret(tx, &former_name(&name), former.expose())?,
                    None => keys.drop_secret(tx, &former_name(&name))?,
                }
                store::set_secret(tx, &name, now, former_until)?;
                Ok(append(tx, &entry)?)
            })?;
        Ok(AddedWebhookSecret {
            secret: text,
            former_until: former_until.map(Timestamp::to_rfc3339),
            entry: index.get(),
        })
    }

    /// Lets one go on that was given up, from where it stopped; one that fails is tried at once.
    pub(crate) fn resume_webhook(
        &self,
        name: &str,
        actor: Actor,
        why: Vec<u8>,
    ) -> Result<EntryIndex, OrderError> {
        self.webhook(name)?;
        let entry = entry(name, actor, Action::WebhookResumed).detail(why);
        let (key, now) = (finding_key(name), self.clock.now());
        let of_unit = name.to_owned();
        let index = self
            .store
            .write(move |tx| -> Result<EntryIndex, LedgerError> {
                store::set_resumed(tx, &of_unit)?;
                let index = append(tx, &entry)?;
                findings::reconcile_one(tx, SITE, &key, None, now)?;
                Ok(index)
            })?;
        self.webhooks.update(name, |live| {
            live.failures = 0;
            live.next_attempt = None;
            live.last_error = None;
        });
        Ok(index)
    }

    fn webhook(&self, name: &str) -> Result<WebhookConfig, OrderError> {
        let config = self.config();
        let found = config.webhooks.iter().find(|one| one.name == name);
        found.cloned().ok_or(OrderError::Unknown)
    }
}

fn entry(name: &str, actor: Actor, action: Action) -> NewEntry {
    let subject = Subject::Webhook(name.to_owned().into());
    NewEntry::new(SITE, actor, action, subject)
}
