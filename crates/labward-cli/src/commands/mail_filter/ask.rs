//! Asks the server to look at a mail.
//!
//! It must never look into the mail itself, wait without end, or write any of it anywhere.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use labward_api::malware::{InspectAbout, Inspected};
use labward_base::problem;
use labward_seal::random_bytes;

use super::mail::Mail;
use super::verdict::Known;
use crate::client::Client;
use crate::failure::Failure;

/// How long looking may take.
const LOOK: Duration = Duration::from_secs(60);
/// How long the server may take for all of it; mail servers wait 300 seconds for the end of a mail.
const ANSWER: Duration = Duration::from_secs(120);
/// The most recipients that are named, and characters of each.
const RECIPIENTS_MAX: usize = 500;
const ADDRESS_MAX_CHARS: usize = 256;

/// Whom mails are shown to.
pub(super) struct Server {
    client: Client,
    /// What the filter is called.
    place: String,
    /// What this machine is called.
    host: String,
    /// Whether a notice goes on in the place of a malicious mail.
    is_noticed: bool,
}

impl Server {
    pub(super) fn new(data: &Path, place: String, host: String, is_noticed: bool) -> Self {
        Self {
            client: Client::within(data, ANSWER),
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
        let internal = |why: String| Failure::new(&problem::SERVER_INTERNAL, why);
        let about = serde_json::to_string(&self.about(mail));
        let about = about.map_err(|error| internal(error.to_string()))?;
        // By chance it stands in no mail.
        let random: [u8; 16] = random_bytes().map_err(|error| internal(error.to_string()))?;
        let boundary = format!("labward{:032x}", u128::from_ne_bytes(random));
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"about\"\r\nContent-Type: application/json\r\n\r\n\
             {about}\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"mail.eml\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let length = head.len() + mail.size_bytes() + tail.len();
        let mut form = head.as_bytes().chain(mail.reader()).chain(tail.as_bytes());
        self.client.send(
            "malware/inspect",
            &format!("multipart/form-data; boundary={boundary}"),
            u64::try_from(length).unwrap_or(u64::MAX),
            &mut form,
        )
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
