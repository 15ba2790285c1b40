//! Drives a receiver in tests and writes down what it does.

use std::fmt::Write as _;
use std::time::Duration;

use labward_base::Timestamp;

use super::{Action, Conduct, LinkMessage, Receiver};
use crate::control::{ACK, NAK};
use crate::frame::{Frame, FrameEnd};

/// A receiver, its clock, and everything it did.
pub(super) struct Host {
    pub(super) receiver: Receiver,
    pub(super) now: Timestamp,
    /// Whether messages are committed as soon as they come.
    pub(super) commits: bool,
    pub(super) log: Vec<String>,
    pub(super) messages: Vec<LinkMessage>,
    /// What it sent since this was last taken.
    pub(super) sent: Vec<u8>,
}

impl Host {
    pub(super) fn new(conduct: Conduct) -> Self {
        Self {
            receiver: Receiver::new(conduct),
            now: Timestamp::from_seconds(1_000_000),
            commits: true,
            log: Vec::new(),
            messages: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Gives it the bytes in pieces of at most `step` bytes.
    pub(super) fn give(&mut self, bytes: &[u8], step: usize) {
        for piece in bytes.chunks(step.max(1)) {
            let mut rest = piece;
            while !rest.is_empty() {
                let taken = self.receiver.receive(rest, self.now);
                rest = &rest[taken..];
                self.drain();
                assert!(
                    taken > 0 || !self.receiver.is_awaiting_commit(),
                    "it would wait for ever"
                );
            }
            self.drain();
        }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        self.receiver.tick(self.now);
        self.drain();
    }

    pub(super) fn close(&mut self) {
        self.receiver.close(self.now);
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(action) = self.receiver.next_action() {
            self.note(&action);
            if let Action::Message(message) = action {
                let awaits_commit = message.awaits_commit;
                self.messages.push(message);
                if awaits_commit && self.commits {
                    self.receiver.committed(self.now);
                }
            }
        }
    }

    fn note(&mut self, action: &Action) {
        let mut line = String::new();
        let noted = match action {
            Action::Damaged {
                bytes,
                damage,
                rest,
                deviations,
            } => write!(
                line,
                "damaged {damage:?} {} + {} {}",
                bytes.escape_ascii(),
                rest.escape_ascii(),
                names(deviations)
            ),
            Action::Message(message) => write!(
                line,
                "{} {} {}",
                if message.awaits_commit {
                    "message"
                } else {
                    "answered"
                },
                message.bytes.escape_ascii(),
                names(&message.deviations)
            ),
            Action::Noted(deviation) => write!(line, "noted {deviation}"),
            Action::Refused { refusal, tries } => write!(line, "refused {refusal:?} {tries}"),
            Action::Send(byte) => {
                self.sent.push(*byte);
                line.write_str(match *byte {
                    ACK => "ACK",
                    NAK => "NAK",
                    _ => panic!("it sent {byte}"),
                })
            }
        };
        noted.expect("a string takes what is written");
        self.log.push(line);
    }
}

fn names(deviations: &[crate::Deviation]) -> String {
    let names: Vec<_> = deviations
        .iter()
        .map(|deviation| deviation.name())
        .collect();
    format!("[{}]", names.join(" "))
}

/// A standard frame that ends with ETX.
pub(super) fn last(number: u8, text: &str) -> Vec<u8> {
    encode(number, text, FrameEnd::Last)
}

/// A standard frame that ends with ETB.
pub(super) fn more(number: u8, text: &str) -> Vec<u8> {
    encode(number, text, FrameEnd::Intermediate)
}

fn encode(number: u8, text: &str, end: FrameEnd) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame {
        number,
        text: text.as_bytes(),
        end,
    }
    .encode(&mut bytes);
    bytes
}

/// What a host of this conduct does with the bytes; it must do the same however they are cut.
pub(super) fn transcript(conduct: &Conduct, bytes: &[u8]) -> Vec<String> {
    let run = |step: usize| {
        let mut host = Host::new(conduct.clone());
        host.give(bytes, step);
        host.close();
        host.log
    };
    let whole = run(usize::MAX);
    for step in [1, 2, 3, 7, 64] {
        assert_eq!(run(step), whole, "cut every {step} bytes");
    }
    whole
}
