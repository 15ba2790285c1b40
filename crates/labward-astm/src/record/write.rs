//! Writes the records of a message; must never let a value end a field, a record or a frame.

use super::{Delimiters, RecordType};
use crate::control::CR;

/// Writes a message record by record, escaping what stands in its values.
#[derive(Clone, Debug)]
pub struct MessageWriter {
    delimiters: Delimiters,
    bytes: Vec<u8>,
}

impl MessageWriter {
    /// Begins a message with its H record: `fields` are H-3 and on, each a list of components.
    pub fn new(delimiters: Delimiters, fields: &[&[&str]]) -> Self {
        let Delimiters {
            field,
            repeat,
            component,
            escape,
        } = delimiters;
        let bytes = vec![
            RecordType::Header.letter(),
            field,
            repeat,
            component,
            escape,
        ];
        let mut this = Self { delimiters, bytes };
        this.fields(fields);
        this
    }

    /// Adds a record: `fields` are its second field and on, each a list of components.
    #[must_use]
    pub fn record(mut self, record_type: RecordType, fields: &[&[&str]]) -> Self {
        self.bytes.push(record_type.letter());
        self.fields(fields);
        self
    }

    /// Ends the message with `L|1|N` and gives its bytes.
    pub fn finish(self) -> Vec<u8> {
        self.record(RecordType::Terminator, &[&["1"], &["N"]]).bytes
    }

    fn fields(&mut self, fields: &[&[&str]]) {
        for components in fields {
            self.bytes.push(self.delimiters.field);
            for (at, component) in components.iter().enumerate() {
                if at > 0 {
                    self.bytes.push(self.delimiters.component);
                }
                escape_into(component.as_bytes(), self.delimiters, &mut self.bytes);
            }
        }
        self.bytes.push(CR);
    }
}

/// Appends a value as it may stand in a field: delimiters and control bytes become escapes.
pub fn escape_into(value: &[u8], delimiters: Delimiters, out: &mut Vec<u8>) {
    let Delimiters {
        field,
        repeat,
        component,
        escape,
    } = delimiters;
    for &byte in value {
        let letter = match byte {
            _ if byte == field => b'F',
            _ if byte == component => b'S',
            _ if byte == repeat => b'R',
            _ if byte == escape => b'E',
            _ if byte.is_ascii_control() => {
                out.push(escape);
                out.extend_from_slice(format!("X{byte:02X}").as_bytes());
                out.push(escape);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[escape, letter, escape]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::is_forbidden_in_text;
    use crate::record::Message;
    use proptest::prelude::*;

    #[test]
    fn a_message_is_written_as_the_standard_says() {
        let bytes = MessageWriter::new(Delimiters::USUAL, &[&[], &[], &["Lab", "A|B"]])
            .record(RecordType::Patient, &[&["1"], &["MRN&1"]])
            .record(
                RecordType::LabResult,
                &[&["1"], &["", "", "", "GLU"], &["5.4\r"]],
            )
            .finish();
        let expect = b"H|\\^&|||Lab^A&F&B\rP|1|MRN&E&1\rR|1|^^^GLU|5.4&X0D&\rL|1|N\r";
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expect.escape_ascii().to_string()
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_written(
            texts in proptest::collection::vec(".{0,12}", 1..6),
            usual: bool,
        ) {
            let other = Delimiters { field: b'|', repeat: b'@', component: b'^', escape: b'\\' };
            let delimiters = if usual { Delimiters::USUAL } else { other };
            let components: Vec<&str> = texts.iter().map(String::as_str).collect();
            let bytes = MessageWriter::new(delimiters, &[&[], &[], &components])
                .record(RecordType::Patient, &[&["1"], &components])
                .finish();
            prop_assert!(!bytes.iter().copied().any(is_forbidden_in_text));
            let message = Message::parse(&bytes).expect("it is a message");
            prop_assert_eq!(message.delimiters(), delimiters);
            prop_assert_eq!(message.records().len(), 3);
            let patient = message.patients().next().expect("it has a patient");
            for field in [message.header().sender(), patient.practice_id()] {
                let read: Vec<_> = field.components().map(|part| part.unescape().into_owned()).collect();
                let written: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
                prop_assert_eq!(read, written);
            }
        }
    }
}
