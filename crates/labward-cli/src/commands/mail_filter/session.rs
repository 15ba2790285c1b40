//! What a mail server says on one line, collected until a mail is whole.
//!
//! It must never judge, wait, or answer a command for which no answer is due.

use std::sync::Arc;

use labward_milter::{Actions, Command, MilterError, Options, Reply, Steps};

use super::mail::{Mail, Memory};

/// What the filter must be able to do to a mail.
const NEEDED: Actions = Actions::ADD_HEADERS
    .with(Actions::CHANGE_BODY)
    .with(Actions::CHANGE_HEADERS);

/// What it asks for where a mail server can it: nothing is answered before a mail's end.
const WANTED: Steps = Steps::LEADING_SPACE
    .with(Steps::NO_UNKNOWN)
    .with(Steps::NO_DATA)
    .with(Steps::NO_REPLY_CONNECT)
    .with(Steps::NO_REPLY_HELO)
    .with(Steps::NO_REPLY_MAIL)
    .with(Steps::NO_REPLY_RCPT)
    .with(Steps::NO_REPLY_DATA)
    .with(Steps::NO_REPLY_UNKNOWN)
    .with(Steps::NO_REPLY_HEADER)
    .with(Steps::NO_REPLY_END_OF_HEADERS)
    .with(Steps::NO_REPLY_BODY);

/// The longest name of a mail that is kept for the log, in bytes.
const QUEUE_ID_MAX: usize = 64;

/// Why a line is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SessionError {
    /// It is not the protocol.
    #[error(transparent)]
    Milter(#[from] MilterError),
    /// A command came where it has no place.
    #[error("a command of the kind {0:#04x} came where it has no place")]
    OutOfPlace(u8),
}

/// What is to be done now.
#[derive(Debug)]
pub(super) enum Step {
    /// The line ends.
    Close,
    /// The mail is whole.
    Judge(Box<Mail>),
    /// Nothing is answered.
    Listen,
    /// This is answered.
    Say(Reply),
}

/// One line of a mail server.
#[derive(Debug)]
pub(super) struct Session {
    memory: Arc<Memory>,
    most_bytes: usize,
    agreed: Option<Options>,
    mail: Option<Box<Mail>>,
    queue_id: Vec<u8>,
}

impl Session {
    pub(super) fn new(memory: &Arc<Memory>, most_bytes: usize) -> Self {
        Self {
            memory: Arc::clone(memory),
            most_bytes,
            agreed: None,
            mail: None,
            queue_id: Vec::new(),
        }
    }

    /// Whether a mail has begun and not ended.
    pub(super) fn is_within_mail(&self) -> bool {
        self.mail.is_some()
    }

    /// Whether the content of a mail has begun and not ended.
    pub(super) fn is_within_content(&self) -> bool {
        self.mail.as_ref().is_some_and(|mail| mail.has_begun())
    }

    /// Takes a command.
    pub(super) fn take(&mut self, command: Command) -> Result<Step, SessionError> {
        if let Command::Negotiate(offered) = command {
            let agreed = offered.answer(NEEDED, WANTED)?;
            self.mail = None;
            self.agreed = Some(agreed);
            return Ok(Step::Say(Reply::Negotiate(agreed)));
        }
        let kind = command.kind();
        let Some(agreed) = self.agreed else {
            return Err(SessionError::OutOfPlace(kind));
        };
        let unanswered = |silent: Steps| match agreed.steps.has(silent) {
            true => Step::Listen,
            false => Step::Say(Reply::Continue),
        };
        match command {
            Command::Quit => Ok(Step::Close),
            Command::Abort | Command::QuitForNext => {
                self.mail = None;
                self.queue_id.clear();
                Ok(Step::Listen)
            }
            Command::Macros(..) => {
                self.note_queue_id(&command);
                Ok(Step::Listen)
            }
            Command::Connect(_) => Ok(unanswered(Steps::NO_REPLY_CONNECT)),
            Command::Helo(_) => Ok(unanswered(Steps::NO_REPLY_HELO)),
            Command::Unknown(_) => Ok(unanswered(Steps::NO_REPLY_UNKNOWN)),
            Command::Mail(words) => {
                let mut mail = Mail::new(&self.memory, self.most_bytes);
                mail.set_sender(words.into_iter().next().unwrap_or_default());
                self.mail = Some(Box::new(mail));
                Ok(unanswered(Steps::NO_REPLY_MAIL))
            }
            within => self.take_within(within, agreed.steps),
        }
    }

    /// What has its place within a mail only.
    fn take_within(&mut self, command: Command, steps: Steps) -> Result<Step, SessionError> {
        let kind = command.kind();
        let mail = self.mail.as_mut();
        let mail = mail.ok_or(SessionError::OutOfPlace(kind))?;
        let silent = match command {
            Command::Rcpt(words) => {
                mail.add_recipient(words.into_iter().next().unwrap_or_default());
                Steps::NO_REPLY_RCPT
            }
            Command::Data => Steps::NO_REPLY_DATA,
            Command::Header(name, value) => {
                match steps.has(Steps::LEADING_SPACE) {
                    true => mail.add_header(name, &value),
                    // The mail server took the space away that nearly every header begins with.
                    false => mail.add_header(name, &[b" ", value.as_slice()].concat()),
                }
                Steps::NO_REPLY_HEADER
            }
            Command::EndOfHeaders => Steps::NO_REPLY_END_OF_HEADERS,
            Command::Body(piece) => {
                mail.add_body(piece);
                Steps::NO_REPLY_BODY
            }
            Command::EndOfMessage(piece) => {
                mail.add_body(piece);
                return Ok(self.finish());
            }
            _ => return Err(SessionError::OutOfPlace(kind)),
        };
        Ok(match steps.has(silent) {
            true => Step::Listen,
            false => Step::Say(Reply::Continue),
        })
    }

    fn finish(&mut self) -> Step {
        let queue_id = std::mem::take(&mut self.queue_id);
        match self.mail.take() {
            Some(mut mail) => {
                mail.queue_id = queue_id;
                Step::Judge(mail)
            }
            None => Step::Close,
        }
    }

    fn note_queue_id(&mut self, macros: &Command) {
        let id = macros.value_of(b"i").or_else(|| macros.value_of(b"{i}"));
        if let Some(id) = id {
            self.queue_id = id.iter().copied().take(QUEUE_ID_MAX).collect();
        }
    }

    /// Whether the values of headers are passed with the space that they begin with.
    pub(super) fn has_leading_space(&self) -> bool {
        self.agreed
            .is_some_and(|agreed| agreed.steps.has(Steps::LEADING_SPACE))
    }
}

#[cfg(test)]
mod tests;
