//! Acknowledgements: writing one for any header, reading what a peer answers
//! (HL7 v2.5.1 chapter 2.9 and 2.15; tables HL70008 and HL70357).
//!
//! It must never put text of the message into an acknowledgement beyond the header fields that the
//! standard has copied, and never patient data. The acknowledgement is in the sender's delimiters.

use labward_base::{Problem, problem};

use crate::escape::escape_into;
use crate::{Delimiters, Header, Message, ParseError};

/// The coding system under which a problem's code stands in ERR-5.
pub const PROBLEM_CODING_SYSTEM: &str = "99LABWARD";

/// MSA-1 (table HL70008).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AckCode {
    /// Application accept.
    Aa,
    /// Application error: the content is wrong.
    Ae,
    /// Application reject: type, version or processing id, or a fault of ours.
    Ar,
    /// Commit accept: kept durably.
    Ca,
    /// Commit error: could not be kept.
    Ce,
    /// Commit reject: type, version or processing id.
    Cr,
}

impl AckCode {
    /// The code on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aa => "AA",
            Self::Ae => "AE",
            Self::Ar => "AR",
            Self::Ca => "CA",
            Self::Ce => "CE",
            Self::Cr => "CR",
        }
    }

    /// The code with these bytes.
    pub fn from_raw(raw: &[u8]) -> Option<Self> {
        [Self::Aa, Self::Ae, Self::Ar, Self::Ca, Self::Ce, Self::Cr]
            .into_iter()
            .find(|code| code.as_str().as_bytes() == raw)
    }

    /// True for AA and CA: the receiver has taken the message over.
    pub const fn is_accept(self) -> bool {
        matches!(self, Self::Aa | Self::Ca)
    }

    /// True for CA, CE and CR, which say only whether the message was kept.
    pub const fn is_commit(self) -> bool {
        matches!(self, Self::Ca | Self::Ce | Self::Cr)
    }
}

/// ERR-3 (table HL70357).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCondition {
    /// 100.
    SegmentSequence,
    /// 101.
    RequiredFieldMissing,
    /// 102.
    DataType,
    /// 103.
    TableValueNotFound,
    /// 200.
    UnsupportedMessageType,
    /// 201.
    UnsupportedEvent,
    /// 202.
    UnsupportedProcessingId,
    /// 203.
    UnsupportedVersion,
    /// 204.
    UnknownKey,
    /// 205.
    DuplicateKey,
    /// 206.
    RecordLocked,
    /// 207.
    Internal,
}

impl ErrorCondition {
    const ALL: [Self; 12] = [
        Self::SegmentSequence,
        Self::RequiredFieldMissing,
        Self::DataType,
        Self::TableValueNotFound,
        Self::UnsupportedMessageType,
        Self::UnsupportedEvent,
        Self::UnsupportedProcessingId,
        Self::UnsupportedVersion,
        Self::UnknownKey,
        Self::DuplicateKey,
        Self::RecordLocked,
        Self::Internal,
    ];

    /// The code and the text of the table.
    pub const fn code_and_text(self) -> (&'static str, &'static str) {
        match self {
            Self::SegmentSequence => ("100", "Segment sequence error"),
            Self::RequiredFieldMissing => ("101", "Required field missing"),
            Self::DataType => ("102", "Data type error"),
            Self::TableValueNotFound => ("103", "Table value not found"),
            Self::UnsupportedMessageType => ("200", "Unsupported message type"),
            Self::UnsupportedEvent => ("201", "Unsupported event code"),
            Self::UnsupportedProcessingId => ("202", "Unsupported processing id"),
            Self::UnsupportedVersion => ("203", "Unsupported version id"),
            Self::UnknownKey => ("204", "Unknown key identifier"),
            Self::DuplicateKey => ("205", "Duplicate key identifier"),
            Self::RecordLocked => ("206", "Application record locked"),
            Self::Internal => ("207", "Application internal error"),
        }
    }

    /// The condition with this code.
    pub fn from_raw(raw: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|one| one.code_and_text().0.as_bytes() == raw)
    }
}

/// An acknowledgement to be written.
#[derive(Clone, Copy, Debug)]
pub struct Ack<'a> {
    header: &'a Header<'a>,
    code: AckCode,
    control_id: &'a str,
    timestamp: &'a str,
    error: Option<(ErrorCondition, &'a Problem)>,
}

impl<'a> Ack<'a> {
    /// An acknowledgement of the message with this header; `control_id` (MSH-10) is the
    /// acknowledgement's own, `timestamp` (MSH-7) is in HL7 form.
    pub fn new(
        header: &'a Header<'a>,
        code: AckCode,
        control_id: &'a str,
        timestamp: &'a str,
    ) -> Self {
        Self {
            header,
            code,
            control_id,
            timestamp,
            error: None,
        }
    }

    /// Adds MSA-3 and an ERR segment that say why.
    #[must_use]
    pub fn with_error(mut self, condition: ErrorCondition, problem: &'a Problem) -> Self {
        self.error = Some((condition, problem));
        self
    }

    /// The whole message, every segment ended by CR.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.write_into(&mut out);
        out
    }

    /// Appends the whole message.
    pub fn write_into(&self, out: &mut Vec<u8>) {
        let mut writer = Writer {
            out,
            delimiters: self.header.delimiters(),
        };
        self.write_msh(&mut writer);
        writer.raw(b"MSA");
        writer.field(self.code.as_str().as_bytes());
        writer.field(self.header.control_id());
        if let Some((condition, problem)) = self.error {
            writer.separator();
            writer.text(problem.what);
            writer.end_segment();
            write_err(&mut writer, condition, problem);
        }
        writer.end_segment();
    }

    fn write_msh(&self, writer: &mut Writer<'_>) {
        let header = self.header;
        let component = writer.delimiters.component;
        writer.raw(b"MSH");
        writer.field(header.encoding_characters());
        writer.field(header.receiving_application().raw());
        writer.field(header.receiving_facility().raw());
        writer.field(header.sending_application().raw());
        writer.field(header.sending_facility().raw());
        writer.separator();
        writer.text(self.timestamp);
        writer.separator();
        let event = header.message_type().effective_event();
        writer.field(b"ACK");
        if !event.is_empty() {
            writer.raw(&[component]);
            writer.raw(event);
            writer.raw(&[component]);
            writer.raw(b"ACK");
        }
        writer.separator();
        writer.text(self.control_id);
        writer.field(header.processing_id().raw());
        writer.field(header.version().raw());
        let charset = header.charset_field().raw();
        if !charset.is_empty() {
            // The copied fields keep their bytes, so they need the sender's charset beside them.
            (13..=17).for_each(|_| writer.separator());
            writer.field(charset);
        }
        writer.end_segment();
    }
}

/// ERR as of v2.5: what and where it failed in codes, never in the message's words.
fn write_err(writer: &mut Writer<'_>, condition: ErrorCondition, problem: &Problem) {
    let (code, text) = condition.code_and_text();
    writer.raw(b"ERR");
    (1..=2).for_each(|_| writer.separator());
    writer.separator();
    writer.components([code, text, "HL70357"]);
    writer.field(b"E");
    writer.separator();
    writer.components([problem.code, problem.what, PROBLEM_CODING_SYSTEM]);
    (6..=8).for_each(|_| writer.separator());
    writer.text(problem.todo);
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    delimiters: Delimiters,
}

impl Writer<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn separator(&mut self) {
        self.out.push(self.delimiters.field);
    }

    fn field(&mut self, raw: &[u8]) {
        self.separator();
        self.raw(raw);
    }

    fn text(&mut self, text: &str) {
        escape_into(text.as_bytes(), &self.delimiters, self.out);
    }

    fn components(&mut self, texts: [&str; 3]) {
        for (at, text) in texts.into_iter().enumerate() {
            if at > 0 {
                self.out.push(self.delimiters.component);
            }
            self.text(text);
        }
    }

    fn end_segment(&mut self) {
        // A copied value that ends in 1C would, with this CR, end the MLLP frame.
        if self.out.last() == Some(&crate::mllp::END) {
            self.separator();
        }
        self.out.push(b'\r');
    }
}

/// Why bytes are not an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckParseError {
    /// Not an HL7 message at all.
    #[error("read an acknowledgement")]
    Message(#[from] ParseError),
    /// A message without an MSA segment.
    #[error("read an acknowledgement: the message has no MSA segment")]
    NoMsa,
    /// MSA-1 is not in table HL70008.
    #[error("read an acknowledgement: its code is not one of table HL70008")]
    UnknownCode,
}

impl AckParseError {
    /// What a person is told.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Message(source) => source.problem(),
            Self::NoMsa | Self::UnknownCode => &problem::SEND_NO_ACK,
        }
    }
}

/// An acknowledgement that a peer sent.
#[derive(Clone, Copy, Debug)]
pub struct AckView<'a> {
    /// MSA-1.
    pub code: AckCode,
    /// MSA-2, as it was sent: the control id of the message this answers.
    pub acknowledged_id: &'a [u8],
    /// MSA-3, as it was sent; may hold patient data, for it is the peer's text.
    pub text: &'a [u8],
    /// ERR-3, if the table has it.
    pub condition: Option<ErrorCondition>,
    /// ERR-5.1, the peer's own code, as it was sent.
    pub application_code: &'a [u8],
    /// The acknowledgement as a message.
    pub message: Message<'a>,
}

impl AckView<'_> {
    /// True if this answers the message that was sent with this MSH-10. One that does not is no
    /// acknowledgement of it, whatever its code says.
    pub fn answers(&self, control_id: &[u8]) -> bool {
        self.acknowledged_id == control_id
    }
}

/// Reads an acknowledgement; the last segment's end may be missing.
pub fn parse_ack(bytes: &[u8]) -> Result<AckView<'_>, AckParseError> {
    let message = Message::parse(bytes)?;
    let msa = message.segment(b"MSA").ok_or(AckParseError::NoMsa)?;
    let code = AckCode::from_raw(msa.field(1).raw()).ok_or(AckParseError::UnknownCode)?;
    let err = message.segment(b"ERR");
    Ok(AckView {
        code,
        acknowledged_id: msa.field(2).raw(),
        text: msa.field(3).raw(),
        condition: err.and_then(|err| ErrorCondition::from_raw(err.field(3).component(1).raw())),
        application_code: err.map_or(&[], |err| err.field(5).component(1).raw()),
        message,
    })
}

#[cfg(test)]
mod tests;
