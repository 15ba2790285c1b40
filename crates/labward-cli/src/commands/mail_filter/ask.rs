//! Asks the server to look at a mail.
//!
//! It must never look into the mail itself, wait without end, or write any of it anywhere.

use std::sync::Arc;
use std::time::Duration;

use labward_api::malware::{InspectAbout, Inspected};
use labward_base::problem;

use super::mail::{Mail, Memory};
use super::places::Places;
use super::verdict::Known;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::show;

/// How long looking may take.
const LOOK: Duration = Duration::from_secs(60);
/// How long the server may take for all of it. With [`TURN`] it is less than the 300 seconds that mail servers wait at the
/// end of a mail.
pub(super) const ANSWER: Duration = Duration::from_secs(120);
/// So many mails are shown to the server at a time: it takes 16 connections of one account.
const QUESTIONS: u16 = 12;
/// How long a mail waits for its turn.
const TURN: Duration = Duration::from_secs(120);
/// The most recipients that are named, and characters of each.
const RECIPIENTS_MAX: usize = 500;
const ADDRESS_MAX_CHARS: usize = 256;

/// Whom mails are shown to.
pub(super) struct Server {
    client: Client,
    turns: Arc<Places>,
    /// What the filter is called.
    place: String,
    /// What this machine is called.
    host: String,
    /// Whether a notice goes on in the place of a malicious mail.
    is_noticed: bool,
}

impl Server {
    pub(super) fn new(client: Client, place: String, host: String, is_noticed: bool) -> Self {
        Self {
            client,
            turns: Places::of(QUESTIONS),
            place,
            host,
            is_noticed,
        }
    }

    /// What the server finds in a mail.
    pub(super) fn look(&self, mail: &Mail) -> Known {
        if let Some(why) = mail.unheld() {
            return Known::Unheld(why);
        }
        match self.ask(mail) {
            Ok(found) => Known::Inspected(found),
            Err(failure) => Known::Unanswered(failure.code().to_owned()),
        }
    }

    fn ask(&self, mail: &Mail) -> Result<Inspected, Failure> {
        // Beyond, the server would close the line, and the mail would be put off for nothing.
        let turn = self.turns.take_within(TURN);
        let _turn = turn.ok_or_else(|| {
            let why = format!("{QUESTIONS} mails are being looked at");
            Failure::new(&problem::SERVER_BUSY, why)
        })?;
        let size_bytes = u64::try_from(mail.size_bytes()).unwrap_or(u64::MAX);
        self.client
            .inspect(&self.about(mail), &mut mail.reader(), size_bytes)
    }

    /// Has an empty mail looked at, and says what came of it.
    pub(super) fn check(&self, json: bool) -> Result<(), Failure> {
        let nothing = Mail::new(&Memory::of(0), 0);
        let found = self.ask(&nothing)?;
        if found.verdict != "clean" {
            return Err(Failure::new(&problem::MALWARE_UNSCANNED, found.verdict));
        }
        show(json, &found, |out| {
            writeln!(out, "the server looks at mails: {}", found.verdict)
        })
    }

    fn about(&self, mail: &Mail) -> InspectAbout {
        let recipients = mail.recipients.iter().take(RECIPIENTS_MAX);
        InspectAbout {
            way: "mail".to_owned(),
            place: self.place.clone(),
            host: self.host.clone(),
            quarantine: true,
            notice: self.is_noticed,
            sender: Some(address(&mail.sender)),
            recipients: recipients.map(|one| address(one)).collect(),
            limit_ms: u64::try_from(LOOK.as_millis()).ok(),
            ..InspectAbout::default()
        }
    }
}

/// An address of the envelope without its brackets.
fn address(bytes: &[u8]) -> String {
    let inner = bytes.strip_prefix(b"<").unwrap_or(bytes);
    let inner = inner.strip_suffix(b">").unwrap_or(inner);
    let text = String::from_utf8_lossy(inner);
    text.chars().take(ADDRESS_MAX_CHARS).collect()
}
