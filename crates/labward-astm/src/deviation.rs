//! What a device does outside the standard, each by a stable name; must never carry what it sent.

use std::fmt;

/// A way in which what came departs from E1381 or E1394.
///
/// A lenient link notes it and goes on, a strict one refuses it. The names go into the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deviation {
    /// The text holds a control character that E1381 forbids there, for example LF.
    ControlInText,
    /// A frame that ended at a record's end said with ETB that the record goes on.
    EtbEndsRecord,
    /// A message began with another frame number than the one due.
    FrameNumberJump,
    /// A frame was longer than 247 bytes.
    FrameTooLong,
    /// Only CR followed the checksum.
    LineEndCr,
    /// Only LF followed the checksum.
    LineEndLf,
    /// The checksum was written with small letters.
    LowerCaseChecksum,
    /// A frame had no checksum.
    NoChecksum,
    /// A message began without ENQ.
    NoEnq,
    /// A transmission ended without EOT.
    NoEot,
    /// A frame without checksum had no frame number either; its whole text was kept.
    NoFrameNumber,
    /// Neither CR nor LF followed the checksum.
    NoLineEnd,
    /// A frame ended with ETX but its last record without CR; the CR was added.
    NoRecordEnd,
    /// The transmission ended without an L record.
    NoTerminator,
    /// The text does not begin with an H record.
    NotE1394,
    /// One frame ended a message and began another; they were kept together.
    SeveralMessages,
}

impl Deviation {
    /// Every deviation, in the order of their names.
    pub const ALL: [Self; 16] = [
        Self::ControlInText,
        Self::EtbEndsRecord,
        Self::FrameNumberJump,
        Self::FrameTooLong,
        Self::LineEndCr,
        Self::LineEndLf,
        Self::LowerCaseChecksum,
        Self::NoChecksum,
        Self::NoEnq,
        Self::NoEot,
        Self::NoFrameNumber,
        Self::NoLineEnd,
        Self::NoRecordEnd,
        Self::NoTerminator,
        Self::NotE1394,
        Self::SeveralMessages,
    ];

    /// The stable name, lower case with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ControlInText => "control-in-text",
            Self::EtbEndsRecord => "etb-ends-record",
            Self::FrameNumberJump => "frame-number-jump",
            Self::FrameTooLong => "frame-too-long",
            Self::LineEndCr => "line-end-cr",
            Self::LineEndLf => "line-end-lf",
            Self::LowerCaseChecksum => "lower-case-checksum",
            Self::NoChecksum => "no-checksum",
            Self::NoEnq => "no-enq",
            Self::NoEot => "no-eot",
            Self::NoFrameNumber => "no-frame-number",
            Self::NoLineEnd => "no-line-end",
            Self::NoRecordEnd => "no-record-end",
            Self::NoTerminator => "no-terminator",
            Self::NotE1394 => "not-e1394",
            Self::SeveralMessages => "several-messages",
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique_and_variants_sort_alike() {
        for pair in Deviation::ALL.windows(2) {
            assert!(pair[0].name() < pair[1].name(), "{} {}", pair[0], pair[1]);
            assert!(pair[0] < pair[1]);
        }
    }
}
