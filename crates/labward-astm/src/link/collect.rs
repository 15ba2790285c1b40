//! Collects the bytes of one frame as they come, whatever the device puts where the checksum and
//! line end belong; it must never judge what it collects, and never keep more than its limit.

use crate::control::{self, CR, ENQ, EOT, ETB, ETX, LF, STX};
use crate::frame::{FrameEnd, checksum, hex_digit, hex_pair};

/// What stood where the checksum belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    Absent,
    Garbled,
    Matches { lower_case: bool },
    Wrong,
}

/// What ended the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    Cr,
    CrLf,
    Lf,
    Missing,
}

/// A frame as it came.
#[derive(Debug)]
pub(super) struct RawFrame {
    /// Frame number and text.
    pub(super) body: Vec<u8>,
    pub(super) end: FrameEnd,
    pub(super) checksum: Checksum,
    pub(super) line_end: LineEnd,
    pub(super) control_in_text: bool,
    /// Bytes were dropped because the frame was longer than the limit.
    pub(super) too_long: bool,
}

/// What became of a byte.
#[derive(Debug)]
pub(super) enum Fed {
    /// It does not belong to a frame, but another frame ended before it, if one is given.
    Foreign(Option<RawFrame>),
    /// More is needed.
    More,
    /// It ended the frame.
    Whole(RawFrame),
}

#[derive(Debug)]
pub(super) struct Collector {
    stage: Stage,
    body: Vec<u8>,
    max_body_bytes: usize,
    control_in_text: bool,
    too_long: bool,
    /// An ENQ or EOT was the last byte: after silence it was none of the text's.
    trailing: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Outside,
    Text,
    Ended(FrameEnd),
    OneDigit(FrameEnd, u8),
    TwoDigits(FrameEnd, Checksum),
    CarriageReturn(FrameEnd, Checksum),
}

impl Collector {
    pub(super) const fn new(max_frame_bytes: usize) -> Self {
        Self {
            stage: Stage::Outside,
            body: Vec::new(),
            max_body_bytes: max_frame_bytes.saturating_sub(6),
            control_in_text: false,
            too_long: false,
            trailing: None,
        }
    }

    /// Whether a frame has begun and not ended.
    pub(super) fn is_inside(&self) -> bool {
        self.stage != Stage::Outside
    }

    /// Whether silence decides what the bytes so far mean.
    pub(super) fn waits_for_silence(&self) -> bool {
        match self.stage {
            Stage::Outside => false,
            Stage::Text => self.trailing.is_some(),
            _ => true,
        }
    }

    /// Drops the frame that has begun and gives its bytes.
    pub(super) fn abandon(&mut self) -> Vec<u8> {
        self.stage = Stage::Outside;
        self.trailing = None;
        self.control_in_text = false;
        self.too_long = false;
        std::mem::take(&mut self.body)
    }

    /// The line fell silent: a frame whose text has ended is taken as it stands, and an ENQ or EOT
    /// that came last in a text without end is given back.
    pub(super) fn silence(&mut self) -> (Option<RawFrame>, Option<u8>) {
        match self.stage {
            Stage::Outside => (None, None),
            Stage::Text => (None, self.trailing.take()),
            Stage::Ended(end) => (self.finish(end, Checksum::Absent, LineEnd::Missing), None),
            Stage::OneDigit(end, _) => {
                (self.finish(end, Checksum::Garbled, LineEnd::Missing), None)
            }
            Stage::TwoDigits(end, sum) => (self.finish(end, sum, LineEnd::Missing), None),
            Stage::CarriageReturn(end, sum) => (self.finish(end, sum, LineEnd::Cr), None),
        }
    }

    /// Takes the next byte.
    pub(super) fn feed(&mut self, byte: u8) -> Fed {
        match self.stage {
            Stage::Outside if byte == STX => self.begin(),
            Stage::Outside => Fed::Foreign(None),
            Stage::Text => self.feed_text(byte),
            Stage::Ended(end) => match byte {
                CR => self.step(Stage::CarriageReturn(end, Checksum::Absent)),
                LF => self.whole(end, Checksum::Absent, LineEnd::Lf),
                STX | ENQ | EOT => self.foreign(end, Checksum::Absent, LineEnd::Missing),
                _ if hex_digit(byte).is_some() => self.step(Stage::OneDigit(end, byte)),
                _ => self.whole(end, Checksum::Garbled, LineEnd::Missing),
            },
            Stage::OneDigit(end, high) => match byte {
                STX | ENQ | EOT => self.foreign(end, Checksum::Garbled, LineEnd::Missing),
                _ => match self.compare(end, high, byte) {
                    Checksum::Garbled => self.whole(end, Checksum::Garbled, LineEnd::Missing),
                    sum => self.step(Stage::TwoDigits(end, sum)),
                },
            },
            Stage::TwoDigits(end, sum) => match byte {
                CR => self.step(Stage::CarriageReturn(end, sum)),
                LF => self.whole(end, sum, LineEnd::Lf),
                STX | ENQ | EOT => self.foreign(end, sum, LineEnd::Missing),
                // A damaged text can hold what looks like an end; no device puts text after one.
                _ => self.whole(end, Checksum::Garbled, LineEnd::Missing),
            },
            Stage::CarriageReturn(end, sum) => match byte {
                LF => self.whole(end, sum, LineEnd::CrLf),
                _ => self.foreign(end, sum, LineEnd::Cr),
            },
        }
    }

    fn feed_text(&mut self, byte: u8) -> Fed {
        self.trailing = None;
        match byte {
            // A frame cannot hold STX, so the one before was cut.
            STX => return self.begin(),
            ETX => return self.step(Stage::Ended(FrameEnd::Last)),
            ETB => return self.step(Stage::Ended(FrameEnd::Intermediate)),
            ENQ | EOT => self.trailing = Some(byte),
            _ => {}
        }
        self.control_in_text |= control::is_forbidden_in_text(byte);
        if self.body.len() < self.max_body_bytes {
            self.body.push(byte);
        } else {
            self.too_long = true;
        }
        Fed::More
    }

    fn begin(&mut self) -> Fed {
        self.abandon();
        self.step(Stage::Text)
    }

    fn step(&mut self, stage: Stage) -> Fed {
        self.stage = stage;
        Fed::More
    }

    fn compare(&self, end: FrameEnd, high: u8, low: u8) -> Checksum {
        match hex_pair(high, low) {
            None => Checksum::Garbled,
            Some(sent) if sent == checksum(&self.body, end) => Checksum::Matches {
                lower_case: high.is_ascii_lowercase() || low.is_ascii_lowercase(),
            },
            Some(_) => Checksum::Wrong,
        }
    }

    fn whole(&mut self, end: FrameEnd, sum: Checksum, line_end: LineEnd) -> Fed {
        self.finish(end, sum, line_end)
            .map_or(Fed::More, Fed::Whole)
    }

    fn foreign(&mut self, end: FrameEnd, sum: Checksum, line_end: LineEnd) -> Fed {
        Fed::Foreign(self.finish(end, sum, line_end))
    }

    fn finish(&mut self, end: FrameEnd, checksum: Checksum, line_end: LineEnd) -> Option<RawFrame> {
        let (control_in_text, too_long) = (self.control_in_text, self.too_long);
        let body = self.abandon();
        Some(RawFrame {
            body,
            end,
            checksum,
            line_end,
            control_in_text,
            too_long,
        })
    }
}
