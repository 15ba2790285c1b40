//! MSH, the message header, with names (HL7 v2.5.1 chapter 2.15.9).
//!
//! It must never mend a value: what a sender put in the wrong place stays visible as it is.

use crate::{Charset, Delimiters, Field, field::Pieces};

/// How many pieces of MSH are kept: up to MSH-21.
const PIECES: usize = 21;

/// The header of a message, split once; cheap to ask often.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    pieces: [&'a [u8]; PIECES],
    delimiters: Delimiters,
}

impl<'a> Header<'a> {
    pub(crate) fn new(segment: &'a [u8], delimiters: Delimiters) -> Self {
        let mut pieces = [&[][..]; PIECES];
        let found = Pieces::new(segment, Some(delimiters.field));
        for (slot, piece) in pieces.iter_mut().zip(found) {
            *slot = piece;
        }
        Self { pieces, delimiters }
    }

    /// A header without any value, in the standard delimiters: for answering what is not HL7.
    pub fn anonymous() -> Header<'static> {
        Header::new(b"MSH|^~\\&", Delimiters::STANDARD)
    }

    /// The delimiters the sender declared.
    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// MSH-2 as it was sent.
    pub fn encoding_characters(&self) -> &'a [u8] {
        self.raw(2)
    }

    /// MSH-3; its first component is the namespace.
    pub fn sending_application(&self) -> Field<'a> {
        self.field(3)
    }

    /// MSH-4; its first component is the namespace.
    pub fn sending_facility(&self) -> Field<'a> {
        self.field(4)
    }

    /// MSH-5; its first component is the namespace.
    pub fn receiving_application(&self) -> Field<'a> {
        self.field(5)
    }

    /// MSH-6; its first component is the namespace.
    pub fn receiving_facility(&self) -> Field<'a> {
        self.field(6)
    }

    /// MSH-7, the sender's clock, as it was sent.
    pub fn message_time(&self) -> Field<'a> {
        self.field(7)
    }

    /// MSH-9.
    pub fn message_type(&self) -> MessageType<'a> {
        let field = self.field(9);
        MessageType {
            code: field.component(1).raw(),
            event: field.component(2).raw(),
            structure: field.component(3).raw(),
        }
    }

    /// MSH-10, as it was sent: what an acknowledgement must repeat in MSA-2.
    pub fn control_id(&self) -> &'a [u8] {
        self.raw(10)
    }

    /// MSH-11: `P` production, `T` training, `D` debugging.
    pub fn processing_id(&self) -> Field<'a> {
        self.field(11)
    }

    /// MSH-12.
    pub fn version(&self) -> Field<'a> {
        self.field(12)
    }

    /// MSH-15: when the sender wants a commit acknowledgement.
    pub fn accept_ack(&self) -> AckCondition {
        AckCondition::from_raw(self.raw(15))
    }

    /// MSH-16: when the sender wants an application acknowledgement.
    pub fn application_ack(&self) -> AckCondition {
        AckCondition::from_raw(self.raw(16))
    }

    /// True if MSH-15 or MSH-16 is valued: the sender asks for enhanced mode (chapter 2.9.3).
    pub fn is_enhanced_mode(&self) -> bool {
        [self.accept_ack(), self.application_ack()]
            .iter()
            .any(|ack| *ack != AckCondition::Absent)
    }

    /// MSH-18, as it was sent.
    pub fn charset_field(&self) -> Field<'a> {
        self.field(18)
    }

    /// MSH-18: how to show this message's text.
    pub fn charset(&self) -> Charset {
        Charset::from_field(&self.charset_field())
    }

    /// MSH-`n` for `n` from 3 to 21; empty otherwise.
    pub fn field(&self, n: usize) -> Field<'a> {
        let raw = if n < 3 { &[] } else { self.raw(n) };
        Field::new(raw, self.delimiters)
    }

    /// MSH-1 is the separator itself, so piece 1 is MSH-2.
    fn raw(&self, n: usize) -> &'a [u8] {
        n.checked_sub(1)
            .and_then(|at| self.pieces.get(at))
            .copied()
            .unwrap_or(&[])
    }
}

/// MSH-9, as it was sent: `ORU^R01^ORU_R01`, and often less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageType<'a> {
    /// MSH-9.1, table HL70076: `ORU`.
    pub code: &'a [u8],
    /// MSH-9.2, table HL70003: `R01`; some leave it empty.
    pub event: &'a [u8],
    /// MSH-9.3, table HL70354: `ORU_R01`; most leave it empty.
    pub structure: &'a [u8],
}

impl<'a> MessageType<'a> {
    /// The event, or where it is missing the one the structure is named after
    /// (`ORU^^ORU_R01` is an R01).
    pub fn effective_event(&self) -> &'a [u8] {
        if !self.event.is_empty() {
            return self.event;
        }
        Pieces::new(self.structure, Some(b'_'))
            .nth(1)
            .unwrap_or(&[])
    }

    /// True for acknowledgements, which are never acknowledged themselves.
    pub fn is_ack(&self) -> bool {
        self.code == b"ACK" || self.structure == b"ACK"
    }

    /// True if two patients become one (ADT A18, A30, A34, A36, A39, A40): a barrier in the order.
    pub fn is_merge(&self) -> bool {
        let events: [&[u8]; 6] = [b"A18", b"A30", b"A34", b"A36", b"A39", b"A40"];
        self.code == b"ADT" && events.contains(&self.effective_event())
    }

    /// True if a patient's identifier changes (ADT A46, A47): what came under the old one must be
    /// done before.
    pub fn is_identifier_change(&self) -> bool {
        let events: [&[u8]; 2] = [b"A46", b"A47"];
        self.code == b"ADT" && events.contains(&self.effective_event())
    }
}

/// When an acknowledgement is wanted (table HL70155).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AckCondition {
    /// Not valued: original mode decides.
    Absent,
    /// `AL`.
    Always,
    /// `ER`: only when something is wrong.
    Error,
    /// `NE`.
    Never,
    /// `SU`: only when all went well.
    Success,
    /// Something the table does not have.
    Unknown,
}

impl AckCondition {
    fn from_raw(raw: &[u8]) -> Self {
        match raw {
            b"" | b"\"\"" => Self::Absent,
            b"AL" => Self::Always,
            b"ER" => Self::Error,
            b"NE" => Self::Never,
            b"SU" => Self::Success,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn header(bytes: &[u8]) -> Header<'_> {
        Message::parse(bytes).unwrap().header()
    }

    fn message_type(msh9: &'static str) -> MessageType<'static> {
        let text = format!("MSH|^~\\&|||||||{msh9}|1|P|2.5.1\r");
        header(text.leak().as_bytes()).message_type()
    }

    #[test]
    fn every_named_field_is_the_one_of_the_standard() {
        let header = header(
            b"MSH|^~\\&#|APP^1.2^ISO|FAC|LIS|LAB|20240102||ORU^R01^ORU_R01|id-1|P^T|2.5.1|||AL|NE||8859/1\rPID|1\r",
        );
        assert_eq!(header.encoding_characters(), b"^~\\&#");
        assert_eq!(header.sending_application().raw(), b"APP^1.2^ISO");
        assert_eq!(header.sending_application().component(1).raw(), b"APP");
        assert_eq!(header.sending_facility().raw(), b"FAC");
        assert_eq!(header.receiving_application().raw(), b"LIS");
        assert_eq!(header.receiving_facility().raw(), b"LAB");
        assert_eq!(header.message_time().raw(), b"20240102");
        assert_eq!(header.control_id(), b"id-1");
        assert_eq!(header.processing_id().component(1).raw(), b"P");
        assert_eq!(header.version().raw(), b"2.5.1");
        assert_eq!(header.accept_ack(), AckCondition::Always);
        assert_eq!(header.application_ack(), AckCondition::Never);
        assert!(header.is_enhanced_mode());
        assert_eq!(header.charset(), Charset::Iso8859(1));
        assert!(header.field(0).is_empty() && header.field(2).is_empty());
        assert!(header.field(99).is_empty());
    }

    #[test]
    fn a_short_header_has_empty_fields() {
        let header = header(b"MSH|^~\\&");
        assert!(header.control_id().is_empty() && header.version().is_empty());
        assert_eq!(header.accept_ack(), AckCondition::Absent);
        assert!(!header.is_enhanced_mode());
        assert_eq!(header.charset(), Charset::Ascii);
    }

    #[test]
    fn acknowledgement_conditions_follow_the_table() {
        for (raw, expect) in [
            (&b"AL"[..], AckCondition::Always),
            (b"NE", AckCondition::Never),
            (b"ER", AckCondition::Error),
            (b"SU", AckCondition::Success),
            (b"", AckCondition::Absent),
            (b"\"\"", AckCondition::Absent),
            (b"ACCEPT", AckCondition::Unknown),
            (b"al", AckCondition::Unknown),
        ] {
            assert_eq!(
                AckCondition::from_raw(raw),
                expect,
                "{}",
                raw.escape_ascii()
            );
        }
    }

    #[test]
    fn dirty_message_types_still_name_their_event() {
        for msh9 in ["ORU^R01^ORU_R01", "ORU^R01", "ORU^^ORU_R01"] {
            let found = message_type(msh9);
            assert_eq!(
                (found.code, found.effective_event()),
                (&b"ORU"[..], &b"R01"[..]),
                "{msh9}"
            );
        }
        assert!(message_type("ORU").effective_event().is_empty());
        assert!(message_type("").effective_event().is_empty());
    }

    #[test]
    fn merges_identifier_changes_and_acks_are_recognized() {
        for merge in [
            "ADT^A18",
            "ADT^A40^ADT_A39",
            "ADT^A34^ADT_A30",
            "ADT^^ADT_A39",
        ] {
            assert!(message_type(merge).is_merge(), "{merge}");
        }
        for other in ["ADT^A01", "ORU^A40", "ADT", "ADT^A47^ADT_A30"] {
            assert!(!message_type(other).is_merge(), "{other}");
        }
        assert!(message_type("ADT^A47^ADT_A30").is_identifier_change());
        assert!(message_type("ACK^R01^ACK").is_ack() && message_type("ACK").is_ack());
        assert!(!message_type("ORU^R01").is_ack());
    }
}
