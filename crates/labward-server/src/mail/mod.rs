//! Reminders by e-mail to the people who must act: once a day at most, and only if something is due.
//!
//! It must never stand in the way of anything else, tell of a patient, or send what cannot be recorded. A
//! day is closed for a recipient in the database before the mail is handed over: a crash in between errs
//! towards no mail, because the next day's names again all that is due, while the same mail twice teaches
//! people to ignore both.
//!
//! | Module | Holds |
//! |---|---|
//! | `digest` | what one recipient is told, in plain text |
//! | `letter` | the mail around it |
//! | `client` | one mail over SMTP, within a time |
//! | `wire` | the line to the mail server |
//! | `round` | one recipient's reminder of today: gathered, handed over, recorded |
//! | `orders` | what a person has done: a test |
//! | `store` | what each recipient was told |

mod client;
mod digest;
mod letter;
mod orders;
mod round;
mod store;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Local, Timelike as _};
use labward_api::mail::MailStatus;
use labward_base::Timestamp;
use labward_seal::random_bytes;
use labward_store::StoreError;
use tokio::sync::watch;

use self::store::Row;
use crate::app::Core;
use crate::config::{MailDay, MailRecipientConfig};
use crate::error::ServerError;
use crate::http::chain;
use crate::recurring::Recurring;
use crate::webhook::backoff;

pub(crate) use self::digest::{Digest, Work};
pub(crate) use self::orders::MailError;
pub(crate) use self::store::MIGRATIONS;

/// How often it is looked whether a reminder is due.
const EVERY: Duration = Duration::from_secs(1);
/// Failures that the waits begin at: a mail server that is asked too often locks the account.
const PATIENT: u32 = 4;

/// What is known of reminders while the server runs.
pub(crate) struct Mails {
    live: Mutex<BTreeMap<String, Live>>,
    /// Becomes true when no more is to be sent.
    stopping: watch::Sender<bool>,
}

/// What is known of one recipient.
#[derive(Clone, Debug, Default)]
struct Live {
    /// Failures one after the other.
    failures: u32,
    next_attempt: Option<Timestamp>,
    last_error: Option<String>,
}

/// What a recipient knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Up to which moment; `None`: they were told nothing yet.
    pub(crate) until: Option<Timestamp>,
    /// The codes of findings.
    pub(crate) findings: BTreeSet<String>,
}

/// The thread that reminds; dropped, it ends.
pub(crate) struct MailLoop {
    mails: Arc<Mails>,
    /// Ends behind [`Mails::stop`].
    _recurring: Recurring,
}

/// A moment by the machine's time zone.
struct Here {
    now: Timestamp,
    /// YYYY-MM-DD.
    day: String,
    hour: u32,
    weekday: MailDay,
    /// For people.
    text: String,
}

impl Default for Mails {
    fn default() -> Self {
        Self {
            live: Mutex::default(),
            stopping: watch::Sender::new(false),
        }
    }
}

impl MailLoop {
    /// Starts for a server, as long as that is there.
    pub(crate) fn start(mails: Arc<Mails>, core: Weak<Core>) -> Result<Self, ServerError> {
        let recurring = Recurring::start("mail", EVERY, move || {
            core.upgrade()?.remind();
            Some(EVERY)
        })?;
        Ok(Self {
            mails,
            _recurring: recurring,
        })
    }
}

impl Drop for MailLoop {
    fn drop(&mut self) {
        self.mails.stop();
    }
}

impl Mails {
    /// Cuts off whatever is being sent.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self, name: &str) -> Live {
        self.lock().get(name).cloned().unwrap_or_default()
    }

    fn update(&self, name: &str, update: impl FnOnce(&mut Live)) {
        update(self.lock().entry(name.to_owned()).or_default());
    }

    /// Whether it is left alone for a while.
    fn waits(&self, name: &str, now: Timestamp) -> bool {
        let longest = backoff(u32::MAX, u8::MAX);
        // A clock that went back does not keep it waiting for longer than it ever would.
        let waits = |next: Timestamp| next > now && next.since(now) <= longest;
        self.live(name).next_attempt.is_some_and(waits)
    }

    fn failed(&self, name: &str, why: &str, now: Timestamp) {
        // Without dice all of them wait equally long.
        let [roll] = random_bytes::<1>().unwrap_or_default();
        let mut is_new = false;
        self.update(name, |live| {
            live.failures = live.failures.saturating_add(1);
            let wait = backoff(live.failures.saturating_add(PATIENT), roll);
            live.next_attempt = Some(now.plus(wait));
            is_new = live.last_error.as_deref() != Some(why);
            live.last_error = Some(why.to_owned());
        });
        if is_new {
            tracing::warn!(recipient = %name, "a reminder was not sent: {why}");
        }
    }
}

impl Row {
    fn told(&self) -> Told {
        Told {
            until: self.told,
            findings: self.findings.clone(),
        }
    }
}

impl Here {
    fn at(now: Timestamp) -> Self {
        let utc = DateTime::from_timestamp_micros(now.as_micros()).unwrap_or_default();
        let here = utc.with_timezone(&Local);
        Self {
            now,
            day: here.format("%Y-%m-%d").to_string(),
            hour: here.hour(),
            weekday: MailDay::numbered(here.weekday().num_days_from_monday()),
            text: here.format("%Y-%m-%d %H:%M %:z").to_string(),
        }
    }

    /// Whether this is a time at which they are reminded.
    fn fits(&self, recipient: &MailRecipientConfig) -> bool {
        self.hour >= recipient.hour && recipient.days.contains(&self.weekday)
    }
}

impl Core {
    /// Reminds whoever is to be reminded now, one after the other.
    fn remind(&self) {
        let config = self.config();
        let Some(mail) = config.mail.clone() else {
            return;
        };
        if config.mail_recipients.is_empty() || self.opened().is_none() {
            return;
        }
        let named = |name: &str| config.mail_recipients.iter().any(|one| one.name == name);
        self.mails.lock().retain(|name, _| named(name));
        let rows = match self.store.read(|snapshot| store::rows(snapshot)) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(error = %chain(&error), "what recipients were told cannot be read");
                return;
            }
        };
        for recipient in &config.mail_recipients {
            if self.mails.is_stopping() {
                return;
            }
            let row = rows.iter().find(|row| row.name == recipient.name);
            let row = row.cloned().unwrap_or_else(|| Row {
                name: recipient.name.clone(),
                ..Row::default()
            });
            self.remind_one(&mail, recipient, row);
        }
    }

    /// Every recipient, in the order of the configuration.
    pub(crate) fn mail_status(&self) -> Result<Vec<MailStatus>, StoreError> {
        let config = self.config();
        if config.mail_recipients.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.store.read(|snapshot| store::rows(snapshot))?;
        let time = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339);
        let status = |one: &MailRecipientConfig| {
            let row = rows.iter().find(|row| row.name == one.name);
            let live = self.mails.live(&one.name);
            let failing_since = row.and_then(|row| row.failing_since);
            MailStatus {
                name: one.name.clone(),
                state: match failing_since {
                    Some(_) => "failing".to_owned(),
                    None => "ready".to_owned(),
                },
                sent: time(row.and_then(|row| row.sent)),
                day: row.and_then(|row| row.day.clone()),
                failing_since: time(failing_since),
                next_attempt: time(live.next_attempt),
                last_error: live.last_error,
            }
        };
        Ok(config.mail_recipients.iter().map(status).collect())
    }
}
