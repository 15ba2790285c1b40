//! The host's end of a link: takes frames, answers them, hands out messages (E1381 / LIS01-A2).
//!
//! **Invariant:** no acknowledgement before durability. The frame that ends a message is answered
//! only when the caller says [`Receiver::committed`]. Nothing that was acknowledged is ever dropped:
//! it leaves as an [`Action::Message`] or, if the device gave up, as [`Action::Damaged`].

use std::collections::VecDeque;

use labward_base::Timestamp;

use super::assembly::{Assembly, begins_message};
use super::collect::{Checksum, Collector, Fed, LineEnd, RawFrame};
use super::conduct::{Conduct, Strictness};
use crate::Deviation;
use crate::control::{ACK, CR, ENQ, EOT, LF, NAK};
use crate::frame::{FrameEnd, MAX_TEXT_BYTES, next_number};

/// So many actions are prepared at most; the rest of the input waits until they are fetched.
const MAX_ACTIONS: usize = 64;

/// What whoever drives a [`Receiver`] has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A message broke off; what was acknowledged of it is here, to be kept for a person.
    Damaged {
        /// The text of the frames that were accepted, joined.
        bytes: Vec<u8>,
        /// Why it broke off.
        damage: Damage,
        /// Number and text of the frame that was not accepted or not whole, if there was one.
        rest: Vec<u8>,
        /// What was noted while it came.
        deviations: Vec<Deviation>,
    },
    /// A message is complete.
    Message(LinkMessage),
    /// The device deviates from the standard outside any message.
    Noted(Deviation),
    /// A frame or ENQ is answered with NAK, for this reason.
    Refused {
        /// Why.
        refusal: Refusal,
        /// How many NAKs in a row this makes; 0 for an ENQ.
        tries: u8,
    },
    /// This byte (ACK or NAK) is to be sent.
    Send(u8),
}

/// A message as it came over the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMessage {
    /// The records, joined exactly as sent, without frame overhead.
    pub bytes: Vec<u8>,
    /// What was noted while it came, in the order of names, each once.
    pub deviations: Vec<Deviation>,
    /// Whether [`Receiver::committed`] or [`Receiver::refused`] must follow.
    ///
    /// False for a message that ended with EOT instead of an L record: its frames were answered.
    pub awaits_commit: bool,
}

/// Why a message broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Damage {
    /// EOT came before the message was whole.
    Abandoned,
    /// The connection was closed.
    Closed,
    /// Another message began.
    NewMessage,
    /// Nothing came for longer than [`Conduct::frame_timeout`].
    Timeout,
    /// Too many frames in a row had to be refused.
    TooManyTries,
}

/// Why a frame or an ENQ was answered with NAK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The host said it is busy.
    Busy,
    /// The host could not keep the message.
    ByHost,
    /// The checksum is wrong or garbled.
    Checksum,
    /// A strict link met this deviation.
    Deviation(Deviation),
    /// It has neither the number due nor that of the frame before.
    FrameNumber,
    /// The frame is longer than the link allows.
    FrameTooLong,
    /// The message is longer than the link allows.
    MessageTooLong,
    /// The message has more frames than the link allows.
    TooManyFrames,
}

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

/// What an acceptable frame turned out to be.
enum Verdict {
    Next(Next),
    Repeated,
}

/// How a frame goes on with the message, or begins one.
struct Next {
    /// The frame number due after it.
    expected: u8,
    /// Where its text begins: after the frame number, if it has one.
    text_at: usize,
    /// It begins a message although another is under way.
    cuts: bool,
    deviations: Vec<Deviation>,
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
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.collector.waits_for_silence() {
            self.settle();
        } else {
            self.give_up(Damage::Timeout);
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
                self.give_up(Damage::Closed);
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

    fn give_up(&mut self, damage: Damage) {
        self.end_transmission(damage);
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
        self.tries = 0;
        let expected_before = std::mem::replace(&mut self.expected, next.expected);
        let last_before = self.last.replace(frame.body);
        if !self.assembly.is_complete() {
            self.state = State::Receiving { enq };
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

    fn judge(&self, frame: &RawFrame) -> Result<Verdict, Refusal> {
        if frame.too_long {
            return Err(Refusal::FrameTooLong);
        }
        if matches!(frame.checksum, Checksum::Garbled | Checksum::Wrong) {
            return Err(Refusal::Checksum);
        }
        let mut deviations = form_deviations(frame);
        let lacks_checksum = frame.checksum == Checksum::Absent;
        if lacks_checksum && self.sends_checksums {
            return Err(Refusal::Checksum);
        }
        if self.is_strict()
            && let Some(deviation) = deviations.first()
        {
            return Err(Refusal::Deviation(*deviation));
        }
        if self.last.as_ref() == Some(&frame.body) {
            return Ok(Verdict::Repeated);
        }
        let mut next = self.place(frame)?;
        let text = frame.body.get(next.text_at..).unwrap_or_default();
        let begins = next.cuts || self.assembly.is_empty();
        if begins && !self.has_enq() {
            next.deviations.push(Deviation::NoEnq);
        }
        self.text_deviations(frame.end, text, begins, &mut next.deviations);
        if self.is_strict()
            && let Some(deviation) = next.deviations.first()
        {
            return Err(Refusal::Deviation(*deviation));
        }
        self.check_limits(text, begins)?;
        deviations.append(&mut next.deviations);
        Ok(Verdict::Next(Next { deviations, ..next }))
    }

    /// Finds where the frame belongs by its number.
    fn place(&self, frame: &RawFrame) -> Result<Next, Refusal> {
        let text = frame.body.get(1..).unwrap_or_default();
        let begins_message = begins_message(text) && self.assembly.is_between_records();
        let cuts = begins_message && !self.assembly.is_empty();
        let number = match frame.body.first() {
            Some(digit @ b'0'..=b'7') => Some(digit - b'0'),
            _ => None,
        };
        let lacks_checksum = frame.checksum == Checksum::Absent;
        if lacks_checksum && self.assembly.is_empty() && !(begins_message && number.is_some()) {
            let deviations = vec![Deviation::NoFrameNumber];
            return Ok(Next {
                expected: self.expected,
                text_at: 0,
                cuts: false,
                deviations,
            });
        }
        let number = number.ok_or(Refusal::FrameNumber)?;
        let mut deviations = Vec::new();
        if number != self.expected {
            // In the middle of a message a jump means that a frame is missing; before a message it
            // means a device that does not count as the standard says, and nothing is lost.
            if !begins_message {
                return Err(Refusal::FrameNumber);
            }
            deviations.push(Deviation::FrameNumberJump);
        }
        if cuts && self.is_strict() {
            deviations.push(Deviation::NoTerminator);
        }
        Ok(Next {
            expected: next_number(number),
            text_at: 1,
            cuts,
            deviations,
        })
    }

    fn text_deviations(&self, end: FrameEnd, text: &[u8], begins: bool, out: &mut Vec<Deviation>) {
        let is_e1394 = if begins {
            begins_message(text)
        } else {
            self.assembly.is_e1394_with(text)
        };
        let ends_record = text.last() == Some(&CR);
        match end {
            FrameEnd::Last if !is_e1394 && !(begins && text.is_empty()) => {
                out.push(Deviation::NotE1394);
            }
            FrameEnd::Last if !ends_record && !text.is_empty() => out.push(Deviation::NoRecordEnd),
            // A full frame may end at a record's end by chance.
            FrameEnd::Intermediate if ends_record && text.len() < MAX_TEXT_BYTES => {
                out.push(Deviation::EtbEndsRecord);
            }
            _ => {}
        }
    }

    fn check_limits(&self, text: &[u8], begins: bool) -> Result<(), Refusal> {
        let (bytes, frames) = if begins {
            (0, 0)
        } else {
            (self.assembly.bytes.len(), self.assembly.frames)
        };
        if begins && self.busy {
            Err(Refusal::Busy)
        } else if bytes.saturating_add(text.len()) > self.conduct.max_message_bytes {
            Err(Refusal::MessageTooLong)
        } else if frames >= self.conduct.max_frames {
            Err(Refusal::TooManyFrames)
        } else {
            Ok(())
        }
    }

    fn has_enq(&self) -> bool {
        matches!(self.state, State::Receiving { enq: true })
    }
}

/// How the frame's form departs from the standard.
fn form_deviations(frame: &RawFrame) -> Vec<Deviation> {
    let mut deviations = Vec::new();
    match frame.checksum {
        Checksum::Absent => deviations.push(Deviation::NoChecksum),
        Checksum::Matches { lower_case: true } => deviations.push(Deviation::LowerCaseChecksum),
        _ => {}
    }
    match frame.line_end {
        LineEnd::Cr => deviations.push(Deviation::LineEndCr),
        LineEnd::CrLf => {}
        LineEnd::Lf => deviations.push(Deviation::LineEndLf),
        LineEnd::Missing => deviations.push(Deviation::NoLineEnd),
    }
    if frame.body.len().saturating_sub(1) > MAX_TEXT_BYTES {
        deviations.push(Deviation::FrameTooLong);
    }
    if frame.control_in_text {
        deviations.push(Deviation::ControlInText);
    }
    deviations
}
