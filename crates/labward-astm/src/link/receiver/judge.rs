//! Whether a frame is accepted, and what is noted about it; must never change the receiver's state.
//!
//! A lenient link accepts what loses nothing: never a wrong checksum, a frame number that leaves a
//! gap in a message, or a missing checksum once the device has shown that it sends them.

use super::Receiver;
use crate::Deviation;
use crate::control::CR;
use crate::frame::{FrameEnd, MAX_TEXT_BYTES, next_number};
use crate::link::Refusal;
use crate::link::assembly::begins_message;
use crate::link::collect::{Checksum, LineEnd, RawFrame};

/// What an acceptable frame turned out to be.
pub(super) enum Verdict {
    Next(Next),
    Repeated,
}

/// How a frame goes on with the message, or begins one.
pub(super) struct Next {
    /// The frame number due after it.
    pub(super) expected: u8,
    /// Where its text begins: after the frame number, if it has one.
    pub(super) text_at: usize,
    /// It begins a message although another is under way.
    pub(super) cuts: bool,
    pub(super) deviations: Vec<Deviation>,
}

impl Receiver {
    pub(super) fn judge(&self, frame: &RawFrame) -> Result<Verdict, Refusal> {
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
            FrameEnd::Last if begins && text.is_empty() => {}
            FrameEnd::Last if !is_e1394 => {
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
