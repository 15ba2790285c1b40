//! The message under way: the text of its frames, joined; must never change a byte of it but to add
//! the CR that a device left out at a record's end.

use std::collections::BTreeSet;

use crate::Deviation;
use crate::control::{CR, LF};
use crate::frame::FrameEnd;

/// The message under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Assembly {
    pub(super) bytes: Vec<u8>,
    pub(super) frames: u32,
    pub(super) deviations: BTreeSet<Deviation>,
    /// The last frame said with ETX that its record ends.
    ended: bool,
}

/// How far a message was before a frame.
#[derive(Debug)]
pub(super) struct Mark {
    bytes: usize,
    frames: u32,
    deviations: BTreeSet<Deviation>,
    ended: bool,
}

impl Assembly {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Remembers how far the message is.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            frames: self.frames,
            deviations: self.deviations.clone(),
            ended: self.ended,
        }
    }

    /// A copy of the message as it was at the mark.
    pub(super) fn as_of(&self, mark: Mark) -> Self {
        Self {
            bytes: self.bytes.get(..mark.bytes).unwrap_or_default().to_vec(),
            frames: mark.frames,
            deviations: mark.deviations,
            ended: mark.ended,
        }
    }

    /// Whether a record could begin with the next frame.
    pub(super) fn is_between_records(&self) -> bool {
        self.bytes.last().is_none_or(|byte| *byte == CR)
    }

    /// Whether the message, with `text` added, begins with an H record.
    pub(super) fn is_e1394_with(&self, text: &[u8]) -> bool {
        let mut first = self.bytes.iter().chain(text);
        is_header_start(first.next().copied(), first.next().copied())
    }

    /// Adds a frame's text; a record that ETX ended without CR gets one.
    pub(super) fn append(&mut self, text: &[u8], end: FrameEnd) {
        self.bytes.extend_from_slice(text);
        self.frames = self.frames.saturating_add(1);
        self.ended = end == FrameEnd::Last;
        let lacks_cr = self.bytes.last().is_some_and(|byte| *byte != CR);
        if self.ended && lacks_cr && self.is_e1394_with(&[]) {
            self.bytes.push(CR);
            self.deviations.insert(Deviation::NoRecordEnd);
        }
    }

    /// Whether the message is complete: its last record is whole and is an L record; or, if it does
    /// not begin with an H record, its last frame ended with ETX.
    pub(super) fn is_complete(&self) -> bool {
        if !self.is_e1394_with(&[]) {
            return self.ended && !self.is_empty();
        }
        let [records @ .., CR] = self.bytes.as_slice() else {
            return false;
        };
        let last = records
            .rsplit(|byte| *byte == CR)
            .next()
            .unwrap_or_default();
        self.is_terminator(last)
    }

    /// Whether a whole message stands before the last record.
    pub(super) fn holds_several(&self) -> bool {
        let records = self.bytes.strip_suffix(&[CR]).unwrap_or(&self.bytes);
        records
            .split(|byte| *byte == CR)
            .filter(|record| self.is_terminator(record))
            .count()
            > 1
    }

    fn is_terminator(&self, record: &[u8]) -> bool {
        let record = record.strip_prefix(&[LF]).unwrap_or(record);
        match record {
            [b'L'] => true,
            [b'L', next, ..] => self.bytes.get(1) == Some(next),
            _ => false,
        }
    }
}

/// Whether a text begins with an H record.
pub(super) fn begins_message(text: &[u8]) -> bool {
    is_header_start(text.first().copied(), text.get(1).copied())
}

fn is_header_start(first: Option<u8>, second: Option<u8>) -> bool {
    first == Some(b'H') && second.is_some_and(|byte| byte.is_ascii_punctuation())
}
