//! The host's end of a link: takes frames, answers them, hands out messages (E1381 / LIS01-A2).
//!
//! **Invariant:** no acknowledgement before durability. The frame that ends a message is answered
//! only when the caller says [`Receiver::committed`]. Nothing that was acknowledged is ever dropped:
//! it leaves as an [`Action::Message`] or, if the device gave up, as [`Action::Damaged`].

mod judge;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wild;

use std::collections::VecDeque;

use labward_base::Timestamp;

use self::judge::{Next, Verdict};
use super::action::{Action, Damage, LinkMessage, Refusal};
use super::assembly::Assembly;
use super::collect::{Checksum, Collector, Fed, RawFrame};
use super::conduct::{Conduct, Strictness};
use crate::Deviation;
use crate::control::{ACK, CR, ENQ, EOT, LF, NAK};

/// So many actions are prepared at most; the rest of the input waits until they are fetched.
const MAX_ACTIONS: usize = 64;

/// The host's end of a link, as a state machine.
#[derive(Debug)]
pub struct Receiver {
    conduct: Conduct,
    state: State,
    collector: Collector,
    assembly: Assembly,
    /// Number and text of the frame accepted last, to know it again when its ACK was lost.
    last: Option<Vec<u8>>,
    /// The frame number due.
    expected: u8,
    tries: u8,
    /// The link has shown that it sends checksums: from then on a missing one is damage.
    sends_checksums: bool,
    busy: bool,
    closing: bool,
    pending: VecDeque<u8>,
    actions: VecDeque<Action>,
    /// When the last byte of a frame, or an ENQ, came.
    progress: Timestamp,
    now: Timestamp,
    ignored_bytes: u64,
}

#[derive(Debug)]
enum State {
    /// The frame that ended a message waits for its answer.
    AwaitingCommit(Box<Held>),
    AwaitingEnq,
    Receiving {
        enq: bool,
    },
}

#[derive(Debug)]
struct Held {
    /// The state before the frame, to which a refusal goes back.
    before: Assembly,
    last_before: Option<Vec<u8>>,
    expected_before: u8,
    since: Timestamp,
    enq: bool,
}

impl Receiver {
    /// A receiver that waits for its first ENQ.
    pub fn new(conduct: Conduct) -> Self {
        Self {
            collector: Collector::new(conduct.max_frame_bytes),
            conduct,
            state: State::AwaitingEnq,
            assembly: Assembly::default(),
            last: None,
            expected: 1,
            tries: 0,
            sends_checksums: false,
            busy: false,
            closing: false,
            pending: VecDeque::new(),
            actions: VecDeque::new(),
            progress: Timestamp::default(),
            now: Timestamp::default(),
            ignored_bytes: 0,
        }
    }

    /// Takes bytes that came, and says how many it took.
    ///
    /// It takes fewer than were given only when [`Conduct::max_pending_bytes`] wait already: fetch the
    /// actions, commit, then offer the rest again; until then the socket need not be read.
    #[must_use = "bytes that were not taken must be offered again"]
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) -> usize {
        self.now = now;
        let mut taken = 0;
        loop {
            self.pump();
            let room = self
                .conduct
                .max_pending_bytes
                .saturating_sub(self.pending.len());
            let rest = bytes.get(taken..).unwrap_or_default();
            let next = rest.get(..room.min(rest.len())).unwrap_or_default();
            if next.is_empty() {
                return taken;
            }
            self.pending.extend(next);
            taken += next.len();
        }
    }

    /// The next thing to do, if there is one.
    pub fn next_action(&mut self) -> Option<Action> {
        if self.actions.is_empty() {
            self.pump();
        }
        self.actions.pop_front()
    }

    /// The message handed out last is kept durably: its last frame is acknowledged.
    pub fn committed(&mut self, now: Timestamp) {
        self.now = now;
        let state = std::mem::replace(&mut self.state, State::AwaitingEnq);
        let State::AwaitingCommit(held) = state else {
            self.state = state;
            return;
        };
        self.state = State::Receiving { enq: held.enq };
        self.progress = now;
        self.tries = 0;
        // A sender that waited longer than its time has gone on; a late ACK would be taken for the
        // answer to what it sent since.
        let is_late = now.since(held.since) >= self.conduct.reply_timeout;
        if !is_late || self.pending.is_empty() {
            self.actions.push_back(Action::Send(ACK));
        }
        self.pump();
    }

    /// The message handed out last could not be kept: its last frame is answered with NAK, and is
    /// expected again.
    pub fn refused(&mut self, now: Timestamp) {
        self.now = now;
        let state = std::mem::replace(&mut self.state, State::AwaitingEnq);
        let State::AwaitingCommit(held) = state else {
            self.state = state;
            return;
        };
        self.state = State::Receiving { enq: held.enq };
        self.progress = now;
        self.assembly = held.before;
        self.last = held.last_before;
        self.expected = held.expected_before;
        self.refuse(Refusal::ByHost, Vec::new());
        self.pump();
    }

    /// Whether a message waits for [`committed`](Self::committed) or [`refused`](Self::refused).
    pub fn is_awaiting_commit(&self) -> bool {
        matches!(self.state, State::AwaitingCommit(_))
    }

    /// Says whether the host can take messages; while it cannot, a new one is answered with NAK.
    pub fn busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    /// When [`tick`](Self::tick) is to be called, if nothing comes before.
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.is_awaiting_commit() {
            None
        } else if self.collector.waits_for_silence() {
            Some(self.progress.plus(self.conduct.settle))
        } else if self.is_under_way() {
            Some(self.progress.plus(self.conduct.frame_timeout))
        } else {
            None
        }
    }

    /// Carries out what is due at this time.
    pub fn tick(&mut self, now: Timestamp) {
        self.now = now;
        self.pump();
        // Bytes that wait for actions to be fetched are no silence.
        if !self.pending.is_empty() || self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.collector.waits_for_silence() {
            self.settle();
        } else {
            self.end_transmission(Damage::Timeout);
        }
        self.pump();
    }

    /// The connection was closed: what is still under way is handed out.
    pub fn close(&mut self, now: Timestamp) {
        self.now = now;
        self.closing = true;
        self.pump();
    }

    /// How many bytes outside any frame were ignored so far.
    pub fn ignored_bytes(&self) -> u64 {
        self.ignored_bytes
    }

    fn is_under_way(&self) -> bool {
        self.collector.is_inside()
            || !self.assembly.is_empty()
            || !matches!(self.state, State::AwaitingEnq)
    }

    fn is_strict(&self) -> bool {
        self.conduct.strictness == Strictness::Strict
    }

    /// Works through what waits, as far as it may.
    fn pump(&mut self) {
        while self.actions.len() < MAX_ACTIONS && !self.is_awaiting_commit() {
            if let Some(byte) = self.pending.pop_front() {
                self.take(byte);
            } else if self.closing && self.collector.waits_for_silence() {
                self.settle();
            } else if self.closing && self.is_under_way() {
                self.end_transmission(Damage::Closed);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, byte: u8) {
        match self.collector.feed(byte) {
            Fed::More => self.progress = self.now,
            Fed::Whole(frame) => self.take_frame(frame),
            Fed::Foreign(None) => self.take_control(byte),
            Fed::Foreign(Some(frame)) => {
                self.take_frame(frame);
                // The frame may have ended a message, so the byte after it has to wait.
                self.pending.push_front(byte);
            }
        }
    }

    fn take_control(&mut self, byte: u8) {
        match byte {
            ENQ => self.take_enq(),
            EOT => self.take_eot(),
            CR | LF => {}
            _ => self.ignored_bytes = self.ignored_bytes.saturating_add(1),
        }
    }

    fn settle(&mut self) {
        let (frame, control) = self.collector.silence();
        if let Some(frame) = frame {
            self.take_frame(frame);
        }
        match control {
            Some(ENQ) => self.take_enq(),
            Some(_) => self.take_eot(),
            None => {}
        }
    }

    fn take_enq(&mut self) {
        self.end_transmission(Damage::NewMessage);
        if self.busy {
            self.state = State::AwaitingEnq;
            self.actions.push_back(Action::Refused {
                refusal: Refusal::Busy,
                tries: 0,
            });
            self.actions.push_back(Action::Send(NAK));
            return;
        }
        self.state = State::Receiving { enq: true };
        self.progress = self.now;
        self.actions.push_back(Action::Send(ACK));
    }

    fn take_eot(&mut self) {
        let is_whole = self.assembly.is_between_records()
            && self.tries == 0
            && !self.collector.is_inside()
            && !self.is_strict();
        if is_whole && !self.assembly.is_empty() {
            let mut message = std::mem::take(&mut self.assembly);
            message.deviations.insert(Deviation::NoTerminator);
            self.actions.push_back(Action::Message(LinkMessage {
                bytes: message.bytes,
                deviations: message.deviations.into_iter().collect(),
                awaits_commit: false,
            }));
        } else {
            self.break_off(Damage::Abandoned, Vec::new());
        }
        self.go_idle();
    }

    /// Ends a transmission that EOT did not end.
    fn end_transmission(&mut self, damage: Damage) {
        let had_message = self.last.is_some();
        self.break_off(damage, Vec::new());
        if had_message && matches!(self.state, State::Receiving { enq: true }) {
            self.actions.push_back(Action::Noted(Deviation::NoEot));
        }
        self.go_idle();
    }

    /// Hands out the message under way as damaged, if there is one.
    fn break_off(&mut self, damage: Damage, refused: Vec<u8>) {
        let partial = self.collector.abandon();
        let rest = if partial.is_empty() { refused } else { partial };
        let message = std::mem::take(&mut self.assembly);
        if message.is_empty() && rest.is_empty() {
            return;
        }
        self.actions.push_back(Action::Damaged {
            bytes: message.bytes,
            damage,
            rest,
            deviations: message.deviations.into_iter().collect(),
        });
    }

    fn go_idle(&mut self) {
        self.state = State::AwaitingEnq;
        self.last = None;
        self.expected = 1;
        self.tries = 0;
    }

    fn take_frame(&mut self, frame: RawFrame) {
        self.progress = self.now;
        match self.judge(&frame) {
            Err(refusal) => self.refuse(refusal, frame.body),
            Ok(Verdict::Repeated) => {
                self.tries = 0;
                self.actions.push_back(Action::Send(ACK));
            }
            Ok(Verdict::Next(next)) => {
                if next.cuts {
                    self.break_off(Damage::NewMessage, Vec::new());
                }
                self.accept(frame, next);
            }
        }
    }

    fn refuse(&mut self, refusal: Refusal, body: Vec<u8>) {
        self.tries = self.tries.saturating_add(1);
        self.actions.push_back(Action::Refused {
            refusal,
            tries: self.tries,
        });
        self.actions.push_back(Action::Send(NAK));
        if self.tries >= self.conduct.tries {
            self.break_off(Damage::TooManyTries, body);
            self.go_idle();
        }
    }

    fn accept(&mut self, frame: RawFrame, next: Next) {
        let enq = self.has_enq();
        let mark = self.assembly.mark();
        self.assembly.deviations.extend(next.deviations);
        self.assembly.append(
            frame.body.get(next.text_at..).unwrap_or_default(),
            frame.end,
        );
        self.sends_checksums |= matches!(frame.checksum, Checksum::Matches { .. });
        let expected_before = std::mem::replace(&mut self.expected, next.expected);
        let last_before = self.last.replace(frame.body);
        if !self.assembly.is_complete() {
            self.state = State::Receiving { enq };
            self.tries = 0;
            self.actions.push_back(Action::Send(ACK));
            return;
        }
        if self.assembly.holds_several() {
            self.assembly.deviations.insert(Deviation::SeveralMessages);
        }
        let before = self.assembly.as_of(mark);
        let message = std::mem::take(&mut self.assembly);
        self.actions.push_back(Action::Message(LinkMessage {
            bytes: message.bytes,
            deviations: message.deviations.into_iter().collect(),
            awaits_commit: true,
        }));
        let since = self.now;
        let held = Held {
            before,
            last_before,
            expected_before,
            since,
            enq,
        };
        self.state = State::AwaitingCommit(Box::new(held));
    }

    fn has_enq(&self) -> bool {
        matches!(self.state, State::Receiving { enq: true })
    }
}
