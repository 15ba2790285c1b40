//! The records of an E1394 / LIS02-A2 message, read without copying.
//!
//! It must never panic on any bytes, allocate more than one slice a record, or change what it reads.

mod field;
mod view;
mod write;

pub use field::{Component, Delimiters, Field};
pub use view::{Header, Order, Patient};
pub use write::{MessageWriter, escape_into};

use labward_base::Problem;
use labward_base::problem::{ASTM_NOT_E1394, ASTM_TOO_MANY_RECORDS};

use crate::control::{CR, LF};

/// The most records a message may have.
pub const MAX_RECORDS: usize = 100_000;

/// The type of a record, by its first letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordType {
    /// C: a comment on the record before.
    Comment,
    /// H: sender, delimiters, version; begins a message.
    Header,
    /// M: what only the manufacturer defines.
    Manufacturer,
    /// O: what was ordered for which specimen.
    Order,
    /// A letter that E1394 does not define.
    Other(u8),
    /// P: the patient.
    Patient,
    /// Q: a host query.
    Query,
    /// R: a result.
    LabResult,
    /// S: for exchange between laboratories.
    Scientific,
    /// L: ends a message.
    Terminator,
}

/// One record, without the CR that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    bytes: &'a [u8],
    delimiters: Delimiters,
}

/// A message: the records from H on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    delimiters: Delimiters,
    records: Vec<Record<'a>>,
}

/// Why bytes are not an E1394 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The H record does not declare three different delimiters beside that of fields.
    #[error("the header declares no usable delimiters")]
    Delimiters,
    /// It does not begin with an H record.
    #[error("the text does not begin with a header record")]
    NotE1394,
    /// Another H record follows: take the messages apart with [`split_messages`].
    #[error("the text holds a second header record")]
    SeveralMessages,
    /// It has more than [`MAX_RECORDS`] records.
    #[error("the message has more than {MAX_RECORDS} records")]
    TooManyRecords,
}

impl ParseError {
    /// The visible problem.
    pub const fn problem(self) -> &'static Problem {
        match self {
            Self::Delimiters | Self::NotE1394 | Self::SeveralMessages => &ASTM_NOT_E1394,
            Self::TooManyRecords => &ASTM_TOO_MANY_RECORDS,
        }
    }
}

impl RecordType {
    /// The type with this letter.
    pub const fn from_letter(letter: u8) -> Self {
        match letter {
            b'C' => Self::Comment,
            b'H' => Self::Header,
            b'L' => Self::Terminator,
            b'M' => Self::Manufacturer,
            b'O' => Self::Order,
            b'P' => Self::Patient,
            b'Q' => Self::Query,
            b'R' => Self::LabResult,
            b'S' => Self::Scientific,
            other => Self::Other(other),
        }
    }

    /// The letter of this type.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Comment => b'C',
            Self::Header => b'H',
            Self::LabResult => b'R',
            Self::Manufacturer => b'M',
            Self::Order => b'O',
            Self::Other(letter) => letter,
            Self::Patient => b'P',
            Self::Query => b'Q',
            Self::Scientific => b'S',
            Self::Terminator => b'L',
        }
    }
}

impl<'a> Record<'a> {
    /// Its type.
    pub fn record_type(&self) -> RecordType {
        RecordType::from_letter(self.bytes.first().copied().unwrap_or_default())
    }

    /// Its bytes, as sent.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The delimiters of its message.
    pub const fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// The field with this number as in E1394, where 1 is the record type; empty if it is not there.
    ///
    /// In an H record field 2 is the declaration of the delimiters.
    pub fn field(&self, number: usize) -> Field<'a> {
        let index = number.checked_sub(1);
        let bytes = index
            .and_then(|index| self.raw_fields().nth(index))
            .unwrap_or_default();
        Field::new(bytes, self.delimiters)
    }

    /// Its fields in order, the record type first.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let delimiters = self.delimiters;
        self.raw_fields()
            .map(move |bytes| Field::new(bytes, delimiters))
    }

    fn raw_fields(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let delimiter = self.delimiters.field;
        self.bytes.split(move |byte| *byte == delimiter)
    }
}

impl<'a> Message<'a> {
    /// Reads a message: records ended by CR (or CR LF), the first of them H.
    ///
    /// # Errors
    /// It does not begin with a usable H record, holds a second one, or has too many records.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut lines = records_of(bytes);
        let header = lines.next().ok_or(ParseError::NotE1394)?;
        let delimiters = Delimiters::of_header(header)?;
        let mut records = vec![Record {
            bytes: header,
            delimiters,
        }];
        for line in lines {
            if begins_message(line, delimiters.field) {
                return Err(ParseError::SeveralMessages);
            }
            if records.len() >= MAX_RECORDS {
                return Err(ParseError::TooManyRecords);
            }
            records.push(Record {
                bytes: line,
                delimiters,
            });
        }
        Ok(Self {
            delimiters,
            records,
        })
    }

    /// The delimiters it declares.
    pub const fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// Its records in order, unknown types included.
    pub fn records(&self) -> &[Record<'a>] {
        &self.records
    }

    /// Its records of one type, in order.
    pub fn records_of(&self, wanted: RecordType) -> impl Iterator<Item = Record<'a>> + '_ {
        self.records
            .iter()
            .copied()
            .filter(move |record| record.record_type() == wanted)
    }

    /// The H record.
    pub fn header(&self) -> Header<'a> {
        let empty = Record {
            bytes: b"",
            delimiters: self.delimiters,
        };
        Header::new(self.records.first().copied().unwrap_or(empty))
    }

    /// The P records, in order.
    pub fn patients(&self) -> impl Iterator<Item = Patient<'a>> + '_ {
        self.records_of(RecordType::Patient).map(Patient::new)
    }

    /// The O records, in order.
    pub fn orders(&self) -> impl Iterator<Item = Order<'a>> + '_ {
        self.records_of(RecordType::Order).map(Order::new)
    }

    /// How many R records it has.
    pub fn result_count(&self) -> usize {
        self.records_of(RecordType::LabResult).count()
    }

    /// Whether it asks the host something: it has a Q record.
    pub fn is_query(&self) -> bool {
        self.records_of(RecordType::Query).next().is_some()
    }

    /// Whether an L record ends it.
    pub fn is_terminated(&self) -> bool {
        self.records
            .last()
            .is_some_and(|last| last.record_type() == RecordType::Terminator)
    }
}

/// Takes a text apart before each H record after the first; joined, the parts are the text.
pub fn split_messages(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let first = records_of(bytes).next().unwrap_or_default();
    let field = first.get(1).copied().unwrap_or_default();
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut end, mut is_blank) = (0, true);
        for line in rest.split_inclusive(|byte| *byte == CR) {
            let record = skip_line_feeds(line);
            // Blank lines before a message are its own, as they are to `Message::parse`.
            if !is_blank && begins_message(record, field) {
                break;
            }
            is_blank &= record.iter().all(|byte| *byte == CR);
            end += line.len();
        }
        let (message, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(message)
    })
}

fn begins_message(line: &[u8], field: u8) -> bool {
    matches!(line, [b'H', delimiter, ..] if *delimiter == field)
}

fn records_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| *byte == CR)
        .map(skip_line_feeds)
        .filter(|line| !line.is_empty())
}

fn skip_line_feeds(mut line: &[u8]) -> &[u8] {
    while let [LF, rest @ ..] = line {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MESSAGE: &[u8] = b"H|@^\\|ID-1||Lab X^Analyzer^1.2|||||Host||P|1394-97|20260102030405\r\
        P|1|PRAC|LAB|THIRD|Doe^Jane^Q||19800101|F\r\
        O|1|S1^a@S2|I1|^^^GLU@^^^HGB\r\
        R|1|^^^GLU|5.4\r\n\
        Z|what|ever\r\
        R|2|^^^HGB|14\r\
        L|1|N\r";

    #[test]
    fn the_fields_of_the_standard_are_found_by_the_declared_delimiters() {
        let message = Message::parse(MESSAGE).expect("it is a message");
        let header = message.header();
        assert_eq!(header.control_id().bytes(), b"ID-1");
        assert_eq!(header.sender_name().bytes(), b"Lab X");
        assert_eq!(header.sender().component(3).bytes(), b"1.2");
        assert_eq!(header.receiver().bytes(), b"Host");
        assert_eq!(header.processing_id().bytes(), b"P");
        assert_eq!(header.version().bytes(), b"1394-97");
        assert_eq!(header.timestamp().bytes(), b"20260102030405");
        let patient = message.patients().next().expect("it has a patient");
        assert_eq!(patient.practice_id().bytes(), b"PRAC");
        assert_eq!(patient.laboratory_id().bytes(), b"LAB");
        assert_eq!(patient.third_id().bytes(), b"THIRD");
        assert_eq!(patient.name().component(2).bytes(), b"Jane");
        assert_eq!(patient.birth_date().bytes(), b"19800101");
        assert_eq!(patient.sex().bytes(), b"F");
        let order = message.orders().next().expect("it has an order");
        assert_eq!(order.specimen_id().component(1).bytes(), b"S1");
        assert_eq!(order.instrument_specimen_id().bytes(), b"I1");
        assert_eq!(order.test_id().repeats().count(), 2);
        assert_eq!(message.result_count(), 2);
        assert!(message.is_terminated() && !message.is_query());
    }

    #[test]
    fn unknown_records_are_kept_and_missing_fields_are_empty() {
        let message = Message::parse(MESSAGE).expect("it is a message");
        let unknown = message
            .records_of(RecordType::Other(b'Z'))
            .next()
            .expect("it is kept");
        assert_eq!(unknown.bytes(), b"Z|what|ever");
        assert_eq!(unknown.fields().count(), 3);
        assert!(unknown.field(4).is_empty() && unknown.field(0).is_empty());
    }

    #[test]
    fn what_is_no_message_is_refused_by_its_cause() {
        let check = |bytes: &[u8], expect: ParseError| {
            assert_eq!(
                Message::parse(bytes).err(),
                Some(expect),
                "{}",
                bytes.escape_ascii()
            );
        };
        check(b"", ParseError::NotE1394);
        check(b"\r\n\r", ParseError::NotE1394);
        check(b"24/10/29 Na 131 mmol/L", ParseError::NotE1394);
        check(b"MSH|^~\\&|", ParseError::NotE1394);
        check(b"H|\\\\\\|X\rL|1\r", ParseError::Delimiters);
        check(b"H|\\^&\rL|1|N\rH|\\^&\r", ParseError::SeveralMessages);
        let long = [&b"H|\\^&\r"[..], &b"C\r".repeat(MAX_RECORDS)].concat();
        check(&long, ParseError::TooManyRecords);
        for error in [ParseError::NotE1394, ParseError::TooManyRecords] {
            assert!(error.problem().code.starts_with("astm."));
        }
    }

    #[test]
    fn record_types_have_their_letters() {
        for letter in 0..=u8::MAX {
            assert_eq!(RecordType::from_letter(letter).letter(), letter);
        }
    }

    #[test]
    fn messages_that_share_a_text_are_taken_apart() {
        let text = [MESSAGE, b"\n", MESSAGE, b"H|@^\\|Z"].concat();
        let parts: Vec<_> = split_messages(&text).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().all(|part| Message::parse(part).is_ok()));
        assert_eq!(split_messages(b"").count(), 0);
        assert_eq!(split_messages(b"free\rtext").count(), 1);
    }

    #[test]
    fn blank_lines_before_a_message_belong_to_it() {
        for text in [&b"\r\n\rH|\\^&\rL|1\r"[..], b"\n\nH]=?[]\xff\xff,\rH\np"] {
            assert!(Message::parse(text).is_ok());
            assert_eq!(split_messages(text).count(), 1);
        }
        let two = b"\nH|\\^&\rL|1\r\n\nH|\\^&\rL|1\r";
        assert_eq!(split_messages(two).count(), 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic_and_nothing_is_lost(
            text in "(H\\|[\\\\@]\\^&)?[HPORL|^&\\\\@\\r\\n0-9]{0,80}",
            noise: Vec<u8>,
        ) {
            for bytes in [text.as_bytes(), &noise[..]] {
                let parts: Vec<_> = split_messages(bytes).collect();
                prop_assert_eq!(parts.concat(), bytes);
                let Ok(message) = Message::parse(bytes) else { continue };
                let kept: Vec<_> = message.records().iter().map(Record::bytes).collect();
                let letters = |bytes: &[u8]| -> Vec<u8> {
                    bytes.iter().copied().filter(|byte| !matches!(*byte, CR | LF)).collect()
                };
                prop_assert_eq!(letters(&kept.concat()), letters(bytes));
                for record in message.records() {
                    let fields: Vec<_> = record.fields().map(|field| field.bytes()).collect();
                    prop_assert_eq!(&fields.join(&message.delimiters().field), record.bytes());
                }
            }
        }
    }
}
