//! What a person has done with reminders: a test.
//!
//! It must never send one without its entry (**Invariant:** no change without an entry).

use labward_api::mail::TestedMail;
use labward_base::{Clock as _, Problem, problem};
use labward_ledger::{Action, Actor, LedgerError, NewEntry, Subject, append};
use labward_os::Stopwatch;

use super::client::{NotSent, Way, send};
use super::digest::test_mail;
use super::letter::Draft;
use crate::app::Core;
use crate::config::MailConfig;
use crate::folder::SITE;
use crate::setup::server_names;

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    /// There is no recipient of this name.
    #[error("find the recipient")]
    Unknown,
    /// The entry could not be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl MailError {
    /// What a person is told about it.
    pub(crate) fn problem(&self) -> &'static Problem {
        match self {
            Self::Unknown => &problem::MAIL_UNKNOWN,
            Self::Ledger(error) => error.problem(),
        }
    }
}

impl Core {
    /// Sends a test mail now, whatever else waits, and says what the mail server answered.
    pub(crate) fn test_mail(&self, name: &str, actor: Actor) -> Result<TestedMail, MailError> {
        let config = self.config();
        let found = config.mail_recipients.iter().find(|one| one.name == name);
        let (Some(mail), Some(recipient)) = (&config.mail, found) else {
            return Err(MailError::Unknown);
        };
        let subject = Subject::Recipient(name.to_owned().into());
        let entry = NewEntry::new(SITE, actor, Action::ReminderTested, subject);
        let index = self.store.write(move |tx| append(tx, &entry))?;
        let language = recipient.language(mail);
        let (subject, text) = test_mail(language, &config.site.name, name);
        let draft = Draft {
            config: mail,
            recipient,
            subject,
            text,
            now: self.clock.now(),
            key: format!("test {} {index}", config.ledger_origin()),
        };
        let watch = Stopwatch::start();
        let sent = match draft.letter() {
            Ok(letter) => send(&self.way(mail), &letter, || Ok(())),
            Err(why) => Err(NotSent::unwritten(why)),
        };
        let failure = sent.err();
        self.mails.update(name, |live| match &failure {
            // A server that takes a test is worth another attempt.
            None => live.next_attempt = None,
            Some(failure) => live.last_error = Some(failure.line()),
        });
        Ok(TestedMail {
            taken: failure.is_none(),
            stage: failure.as_ref().map(|one| one.stage.name().to_owned()),
            error: failure.map(|one| one.line()),
            duration_ms: u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX),
            entry: index.get(),
        })
    }

    pub(super) fn way<'a>(&'a self, config: &'a MailConfig) -> Way<'a> {
        let names = server_names(&self.config().tls.names);
        Way {
            config,
            hello: names
                .into_iter()
                .next()
                .unwrap_or_else(|| "localhost".to_owned()),
            clock: &self.clock,
            stopping: self.mails.stopping.subscribe(),
        }
    }
}
