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
                component.bytes().for_each(|byte| self.escaped(byte));
            }
        }
        self.bytes.push(CR);
    }

    fn escaped(&mut self, byte: u8) {
        let Delimiters {
            field,
            repeat,
            component,
            escape,
        } = self.delimiters;
        let letter = match byte {
            _ if byte == field => b'F',
            _ if byte == component => b'S',
            _ if byte == repeat => b'R',
            _ if byte == escape => b'E',
            _ if byte.is_ascii_control() => {
                let text = format!("X{byte:02X}");
                self.bytes.push(escape);
                self.bytes.extend_from_slice(text.as_bytes());
                self.bytes.push(escape);
                return;
            }
            _ => {
                self.bytes.push(byte);
                return;
            }
        };
        self.bytes.extend_from_slice(&[escape, letter, escape]);
    }
}
