//! One recipient's reminder of today: gathered, handed over, recorded.
//!
//! It must never hand over a mail of a day that is not closed in the database first, or open the day again
//! unless the mail server said no.

use labward_base::{Clock as _, Problem, Timestamp, problem};
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Outcome, Subject, append};

use super::client::{NotSent, Stage, send};
use super::digest::Digest;
use super::letter::Draft;
use super::store::{self, Row};
use super::{Here, Told};
use crate::app::Core;
use crate::config::{MailConfig, MailRecipientConfig};
use crate::folder::SITE;
use crate::http::{chain, mail};

/// Days without a mail after which one says that nothing is due, to whoever asked for that.
const QUIET_DAYS: u64 = 7;
/// Seconds of the day less than that: the minute of the day may differ.
const SLACK_SECONDS: u64 = 43_200;

impl Core {
    /// Reminds one recipient if it is time, there is something to say, and no failure is waited for.
    pub(super) fn remind_one(
        &self,
        config: &MailConfig,
        recipient: &MailRecipientConfig,
        mut row: Row,
    ) {
        let now = self.clock.now();
        if row.handing.is_some() {
            // This thread hands over one at a time: the server ended in the middle of it.
            let ended = NotSent::interrupted();
            row.handing = None;
            return self.not_sent(row, &ended, &Digest::default(), now);
        }
        let here = Here::at(now);
        let is_closed = row.day.as_deref() == Some(here.day.as_str());
        if is_closed || !here.fits(recipient) || self.mails.waits(&row.name, now) {
            return;
        }
        let (mut digest, knows) = mail::digest(self, recipient, &row.told());
        digest.written.clone_from(&here.text);
        if digest.is_empty() && !(recipient.weekly && is_quiet(&row, now)) {
            row.day = Some(here.day);
            row.know(knows);
            return self.put_row(row, None);
        }
        self.hand_over(config, recipient, row, here, &digest, knows);
    }

    /// Closes the day as soon as the mail server agreed to the recipient, and hands the mail over.
    fn hand_over(
        &self,
        config: &MailConfig,
        recipient: &MailRecipientConfig,
        row: Row,
        here: Here,
        digest: &Digest,
        knows: Told,
    ) {
        let language = recipient.language(config);
        let origin = self.config().ledger_origin();
        let draft = Draft {
            config,
            recipient,
            subject: digest.subject(language),
            text: digest.text(language),
            now: here.now,
            key: format!("{origin} {} {}", row.name, here.day),
        };
        let mut closed = row.clone();
        closed.day = Some(here.day);
        closed.handing = Some(here.now);
        let close = || {
            let row = closed.clone();
            let written = self.store.write(move |tx| store::put(tx, &row));
            written.map_err(|error| chain(&error))
        };
        let sent = match draft.letter() {
            Ok(letter) => send(&self.way(config), &letter, close),
            Err(why) => Err(NotSent::unwritten(why)),
        };
        match sent {
            Ok(()) => self.sent(closed, knows, digest),
            Err(failure) if failure.is_uncertain => {
                closed.handing = None;
                self.not_sent(closed, &failure, digest, here.now);
            }
            Err(failure) if failure.is_stopped => self.put_row(row, None),
            Err(failure) => self.not_sent(row, &failure, digest, here.now),
        }
    }

    fn sent(&self, mut row: Row, knows: Told, digest: &Digest) {
        self.mails
            .update(&row.name, |live| *live = super::Live::default());
        row.handing = None;
        row.failing_since = None;
        row.sent = Some(self.clock.now());
        row.know(knows);
        let entry = entry(&row, digest);
        tracing::info!(recipient = %row.name, "a reminder was sent");
        self.put_row(row, Some(entry));
    }

    /// Records the first failure of a row of them, and leaves the recipient alone for a while.
    fn not_sent(&self, mut row: Row, failure: &NotSent, digest: &Digest, now: Timestamp) {
        self.mails.failed(&row.name, &failure.line(), now);
        let is_first = row.failing_since.is_none();
        let outcome: &'static Problem = match failure.is_uncertain {
            true => &problem::MAIL_UNCERTAIN,
            false => &problem::MAIL_NOT_SENT,
        };
        let entry = entry(&row, digest).outcome(Outcome::Failed(outcome.code));
        let entry = (is_first || failure.is_uncertain).then_some(entry);
        row.failing_since = row.failing_since.or(Some(now));
        self.put_row(row, entry);
    }

    /// Writes a row, and the entry of what happened in the same unit.
    fn put_row(&self, row: Row, entry: Option<NewEntry>) {
        let name = row.name.clone();
        let written = self.store.write(move |tx| -> Result<(), LedgerError> {
            store::put(tx, &row)?;
            if let Some(entry) = &entry {
                append(tx, entry)?;
            }
            Ok(())
        });
        if let Err(error) = written {
            tracing::warn!(recipient = %name, error = %chain(&error), "what became of a reminder could not be written");
        }
    }
}

impl Row {
    fn know(&mut self, knows: Told) {
        self.told = knows.until;
        self.findings = knows.findings;
    }
}

impl NotSent {
    /// It could not be written.
    pub(super) const fn unwritten(why: String) -> Self {
        Self {
            stage: Stage::Content,
            why,
            is_uncertain: false,
            is_stopped: false,
        }
    }

    /// The server ended while it was being handed over.
    fn interrupted() -> Self {
        Self {
            stage: Stage::Content,
            why: "Labward ended while it was being handed over".to_owned(),
            is_uncertain: true,
            is_stopped: false,
        }
    }
}

/// Whether no mail went to them for a week.
fn is_quiet(row: &Row, now: Timestamp) -> bool {
    let since = row.sent.map(|sent| now.since(sent).as_secs());
    since.is_none_or(|seconds| seconds >= QUIET_DAYS * 86_400 - SLACK_SECONDS)
}

fn entry(row: &Row, digest: &Digest) -> NewEntry {
    let subject = Subject::Recipient(row.name.clone().into());
    let counts = digest.counts();
    let facts = counts.iter().fold(Facts::new(), |facts, (name, count)| {
        facts.number(name, *count)
    });
    NewEntry::new(SITE, Actor::System, Action::ReminderSent, subject).facts(facts)
}
