//! Frames between parent and child over a pair of pipes: one byte of kind, four of length (little-endian), the payload.
//!
//! Both sides read as if the other were hostile: every kind has its bound, and no length is believed before it is checked.

use std::io::{self, Read, Write};

use labward_carrier::Declared;
use serde::{Deserialize, Serialize};

use crate::hashes::ListSummary;
use crate::policy::Setting;
use crate::scanner::EngineState;
use crate::yara::RuleSet;

/// The most bytes of one [`Frame::Bytes`].
pub const BYTES_MAX: usize = 256 << 10;
/// The longest [`Frame::Ask`] or [`Frame::Failed`], in bytes.
const SHORT_MAX: usize = 16 << 10;
/// The longest [`Frame::Hello`] or [`Frame::Report`], in bytes.
const LONG_MAX: usize = 16 << 20;

/// What passes between the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Child: it is ready; JSON of a [`Hello`].
    Hello(Vec<u8>),
    /// Child: it cannot start; why.
    Failed(Vec<u8>),
    /// Parent: a request; JSON of an [`Ask`]. The bytes follow.
    Ask(Vec<u8>),
    /// Parent: the next bytes.
    Bytes(Vec<u8>),
    /// Parent: no more bytes follow.
    End,
    /// Parent: the request is taken back; nothing is answered.
    Abort,
    /// Child: JSON of a [`crate::Report`].
    Report(Vec<u8>),
}

/// What a child says when it is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The engines and their states.
    pub engines: Vec<EngineState>,
    /// What changes whenever one of them does.
    pub rules: String,
    /// The rule sets.
    pub sets: Vec<RuleSet>,
    /// The lists of hashes.
    pub lists: Vec<ListSummary>,
    /// The lists of known good hashes.
    pub allowed: Vec<ListSummary>,
    /// What could not be loaded, in words.
    pub refused: Vec<String>,
    /// What confines it, by name; empty if nothing does.
    pub confined: Vec<String>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Where the bytes are.
    pub setting: Setting,
    /// The name they were said to have.
    pub name: Option<String>,
    /// The media type they were said to be.
    pub media_type: Option<String>,
    /// In how many milliseconds the answer must be there.
    pub limit_ms: u64,
}

impl Ask {
    /// A request about bytes of which `declared` is said.
    #[must_use]
    pub fn of(setting: Setting, declared: &Declared) -> Self {
        Self {
            setting,
            name: declared.name.clone(),
            media_type: declared.media_type.clone(),
            limit_ms: 0,
        }
    }

    /// What was said of the bytes.
    #[must_use]
    pub fn declared(&self) -> Declared {
        let short =
            |text: &Option<String>| text.as_ref().map(|text| text.chars().take(255).collect());
        Declared {
            media_type: short(&self.media_type),
            name: short(&self.name),
        }
    }
}

/// Why no frame was read.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The other side is gone; between two frames this is how it ends.
    #[error("the other side ended")]
    Ended,
    /// The other side ended within a frame, or the pipe failed.
    #[error("the pipe failed")]
    Io(#[source] io::Error),
    /// A kind that does not exist, or one that must not come now.
    #[error("a frame of kind {0} does not belong here")]
    Unexpected(u8),
    /// Longer than its kind may be.
    #[error("a frame of kind {0} has {1} bytes")]
    TooLong(u8, u32),
    /// The JSON in it is not what it should be.
    #[error("a frame of kind {0} cannot be read")]
    Malformed(u8),
}

impl ProtocolError {
    /// Whether nothing but time was missing.
    pub(super) fn is_late(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::TimedOut)
    }
}

impl Frame {
    /// The byte of its kind.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 1,
            Self::Failed(_) => 2,
            Self::Ask(_) => 3,
            Self::Bytes(_) => 4,
            Self::End => 5,
            Self::Abort => 6,
            Self::Report(_) => 7,
        }
    }

    fn payload(&self) -> &[u8] {
        match self {
            Self::Hello(payload)
            | Self::Failed(payload)
            | Self::Ask(payload)
            | Self::Bytes(payload)
            | Self::Report(payload) => payload,
            Self::End | Self::Abort => &[],
        }
    }

    /// Reads the next frame.
    ///
    /// # Errors
    /// [`ProtocolError`]; after any but [`ProtocolError::Ended`] nothing more of the other side is to be read.
    pub fn read(from: &mut impl Read) -> Result<Self, ProtocolError> {
        let mut head = [0; 5];
        // The first byte alone tells an end between frames from one within.
        let (kind, len) = head.split_at_mut(1);
        if fill(from, kind)? == 0 {
            return Err(ProtocolError::Ended);
        }
        from.read_exact(len).map_err(ProtocolError::Io)?;
        let [kind, len @ ..] = head;
        let len = u32::from_le_bytes(len);
        if len as usize > bound(kind).ok_or(ProtocolError::Unexpected(kind))? {
            return Err(ProtocolError::TooLong(kind, len));
        }
        // Bounded for its kind above.
        let mut payload = Vec::with_capacity((len as usize).min(BYTES_MAX));
        let read = from
            .take(u64::from(len))
            .read_to_end(&mut payload)
            .map_err(ProtocolError::Io)?;
        if read != len as usize {
            return Err(ProtocolError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(match kind {
            1 => Self::Hello(payload),
            2 => Self::Failed(payload),
            3 => Self::Ask(payload),
            4 => Self::Bytes(payload),
            5 => Self::End,
            6 => Self::Abort,
            _ => Self::Report(payload),
        })
    }

    /// Writes it; it is not flushed.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`] or [`ProtocolError::Io`].
    pub fn write(&self, to: &mut impl Write) -> Result<(), ProtocolError> {
        write(to, self.kind(), self.payload())
    }
}

/// Writes a [`Frame::Bytes`] without taking the bytes.
pub(super) fn write_bytes(to: &mut impl Write, bytes: &[u8]) -> Result<(), ProtocolError> {
    write(to, 4, bytes)
}

fn write(to: &mut impl Write, kind: u8, payload: &[u8]) -> Result<(), ProtocolError> {
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    if payload.len() > bound(kind).ok_or(ProtocolError::Unexpected(kind))? {
        return Err(ProtocolError::TooLong(kind, len));
    }
    let [a, b, c, d] = len.to_le_bytes();
    to.write_all(&[kind, a, b, c, d])
        .and_then(|()| to.write_all(payload))
        .map_err(ProtocolError::Io)
}

/// The most bytes of a frame of this kind; none if there is no such kind.
fn bound(kind: u8) -> Option<usize> {
    match kind {
        1 | 7 => Some(LONG_MAX),
        2 | 3 => Some(SHORT_MAX),
        4 => Some(BYTES_MAX),
        5 | 6 => Some(0),
        _ => None,
    }
}

fn fill(from: &mut impl Read, byte: &mut [u8]) -> Result<usize, ProtocolError> {
    loop {
        match from.read(byte) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map_err(ProtocolError::Io),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames() -> impl Strategy<Value = Frame> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
        prop_oneof![
            bytes().prop_map(Frame::Hello),
            bytes().prop_map(Frame::Failed),
            bytes().prop_map(Frame::Ask),
            bytes().prop_map(Frame::Bytes),
            Just(Frame::End),
            Just(Frame::Abort),
            bytes().prop_map(Frame::Report),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(all in proptest::collection::vec(frames(), 0..6)) {
            let mut wire = Vec::new();
            for frame in &all {
                frame.write(&mut wire).unwrap();
            }
            let mut from = wire.as_slice();
            for frame in &all {
                prop_assert_eq!(&Frame::read(&mut from).unwrap(), frame);
            }
            prop_assert!(matches!(Frame::read(&mut from), Err(ProtocolError::Ended)));
        }

        #[test]
        fn any_bytes_are_frames_or_an_error(wire in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut from = wire.as_slice();
            while Frame::read(&mut from).is_ok() {}
        }
    }

    #[test]
    fn a_length_is_not_believed() {
        let read = |wire: &[u8]| Frame::read(&mut &wire[..]);
        assert!(matches!(
            read(&[4, 255, 255, 255, 255]),
            Err(ProtocolError::TooLong(4, _))
        ));
        assert!(matches!(
            read(&[5, 1, 0, 0, 0, 0]),
            Err(ProtocolError::TooLong(5, 1))
        ));
        assert!(matches!(
            read(&[99, 0, 0, 0, 0]),
            Err(ProtocolError::Unexpected(99))
        ));
        assert!(matches!(
            read(&[4, 2, 0, 0, 0, 1]),
            Err(ProtocolError::Io(_))
        ));
        assert!(matches!(read(&[4, 2]), Err(ProtocolError::Io(_))));
    }
}
