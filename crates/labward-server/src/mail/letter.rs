//! The mail around a text: headers, encoding, and a name by which a mail system knows it again.
//!
//! It must never hold anything but plain text, or an address other than the two that it is for.

use std::time::{Duration, SystemTime};

use labward_base::{Timestamp, hex};
use labward_seal::sha256;
use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};

use super::client::Letter;
use crate::config::{MailConfig, MailRecipientConfig};

/// A mail before it is written.
pub(super) struct Draft<'a> {
    pub(super) config: &'a MailConfig,
    pub(super) recipient: &'a MailRecipientConfig,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) now: Timestamp,
    /// What tells it from all others, and is the same for the same mail.
    pub(super) key: String,
}

impl Draft<'_> {
    /// The mail as it is sent; why it cannot be written, in words.
    pub(super) fn letter(self) -> Result<Letter, String> {
        let from = self.config.sender()?;
        let to = self.recipient.mailbox()?;
        let mut id = hex::encode(&sha256(self.key.as_bytes()));
        id.truncate(32);
        let micros = u64::try_from(self.now.as_micros()).unwrap_or_default();
        let date = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        let message = Message::builder()
            .from(from.clone())
            .to(to.clone())
            .date(date)
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            .subject(self.subject)
            // RFC 3834: so that no holiday notice comes back.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            .body(self.text)
            .map_err(|error| error.to_string())?;
        Ok(Letter {
            from: from.email,
            to: to.email,
            bytes: message.formatted(),
        })
    }
}
