//! What the filter answers.
//!
//! It must never write a value that ends a string or a line of an SMTP answer early.

use crate::fields::{number, pair, put, string};
use crate::{MilterError, Options, Packet, packet};

/// The longest piece of a body in one packet, in bytes.
pub const BODY_MAX_BYTES: usize = 65_535;

/// An answer of the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The mail goes on as it is, and no more is told of it.
    Accept,
    /// A header to add behind the others: name and value.
    AddHeader(Vec<u8>, Vec<u8>),
    /// The header of this number (from 1) among those of this name gets a value; an empty one removes it.
    ChangeHeader(u32, Vec<u8>, Vec<u8>),
    /// Go on.
    Continue,
    /// The mail is taken and goes nowhere.
    Discard,
    /// What is agreed on.
    Negotiate(Options),
    /// It takes longer; wait on.
    Progress,
    /// The mail is refused for good.
    Reject,
    /// A piece of the body that replaces the one that came, at most [`BODY_MAX_BYTES`].
    ReplaceBody(Vec<u8>),
    /// An answer to the sender: a code of three digits, a code of status (RFC 3463), a sentence.
    ReplyCode(Vec<u8>),
    /// The mail is refused for now.
    TempFail,
}

impl Reply {
    /// The answer that a packet is.
    ///
    /// # Errors
    /// [`MilterError::Kind`] and [`MilterError::Malformed`].
    pub fn decode(packet: Packet) -> Result<Self, MilterError> {
        let Packet { kind, data } = packet;
        let reply = match kind {
            b'a' => Some(Self::Accept),
            b'b' => Some(Self::ReplaceBody(data)),
            b'c' => Some(Self::Continue),
            b'd' => Some(Self::Discard),
            b'h' => pair(&data).map(|(name, value)| Self::AddHeader(name, value)),
            b'm' => number(&data).and_then(|(index, rest)| {
                pair(rest).map(|(name, value)| Self::ChangeHeader(index, name, value))
            }),
            b'O' => Options::read(&data).map(Self::Negotiate),
            b'p' => Some(Self::Progress),
            b'r' => Some(Self::Reject),
            b't' => Some(Self::TempFail),
            b'y' => Some(Self::ReplyCode(string(&data))),
            other => return Err(MilterError::Kind(other)),
        };
        reply.ok_or(MilterError::Malformed(kind))
    }

    /// Writes it as a packet.
    pub fn encode(&self, out: &mut Vec<u8>) {
        packet::put(out, self.kind(), |out| match self {
            Self::AddHeader(name, value) => {
                put(out, name);
                put(out, value);
            }
            Self::ChangeHeader(index, name, value) => {
                out.extend_from_slice(&index.to_be_bytes());
                put(out, name);
                put(out, value);
            }
            Self::Negotiate(options) => options.put(out),
            Self::ReplaceBody(piece) => out.extend_from_slice(piece),
            Self::ReplyCode(line) => put(out, line),
            Self::Accept
            | Self::Continue
            | Self::Discard
            | Self::Progress
            | Self::Reject
            | Self::TempFail => {}
        });
    }

    /// What stands in a packet for it.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Accept => b'a',
            Self::AddHeader(..) => b'h',
            Self::ChangeHeader(..) => b'm',
            Self::Continue => b'c',
            Self::Discard => b'd',
            Self::Negotiate(_) => b'O',
            Self::Progress => b'p',
            Self::Reject => b'r',
            Self::ReplaceBody(_) => b'b',
            Self::ReplyCode(_) => b'y',
            Self::TempFail => b't',
        }
    }

    /// The pieces that replace a body.
    pub fn body(bytes: &[u8]) -> impl Iterator<Item = Self> {
        let pieces = bytes.chunks(BODY_MAX_BYTES);
        pieces.map(|piece| Self::ReplaceBody(piece.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actions, Decoder, Steps};
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn read(line: &[u8]) -> Vec<Reply> {
        let mut decoder = Decoder::default();
        decoder.feed(line);
        let mut read = Vec::new();
        while let Ok(Some(packet)) = decoder.next_packet() {
            read.extend(Reply::decode(packet));
        }
        read
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        vec(1_u8.., 0..40)
    }

    fn any_reply() -> impl Strategy<Value = Reply> {
        prop_oneof![
            Just(Reply::Accept),
            Just(Reply::Continue),
            Just(Reply::Discard),
            Just(Reply::Progress),
            Just(Reply::Reject),
            Just(Reply::TempFail),
            vec(any::<u8>(), 0..200).prop_map(Reply::ReplaceBody),
            text().prop_map(Reply::ReplyCode),
            (text(), text()).prop_map(|(name, value)| Reply::AddHeader(name, value)),
            (any::<u32>(), text(), text())
                .prop_map(|(index, name, value)| Reply::ChangeHeader(index, name, value)),
            any::<[u32; 3]>().prop_map(|[version, actions, steps]| Reply::Negotiate(Options {
                version,
                actions: Actions(actions),
                steps: Steps(steps),
            })),
        ]
    }

    #[test]
    fn a_header_is_removed_as_mail_servers_read_it() {
        let mut line = Vec::new();
        Reply::ChangeHeader(2, b"X-A".to_vec(), Vec::new()).encode(&mut line);
        assert_eq!(line, b"\0\0\0\x0am\0\0\0\x02X-A\0\0");
    }

    #[test]
    fn a_nul_cannot_end_a_value_and_begin_another() {
        let mut line = Vec::new();
        Reply::AddHeader(b"X".to_vec(), b"a\0b".to_vec()).encode(&mut line);
        assert_eq!(
            read(&line),
            [Reply::AddHeader(b"X".to_vec(), b"ab".to_vec())]
        );
    }

    #[test]
    fn a_long_body_goes_in_pieces() {
        let pieces: Vec<Reply> = Reply::body(&vec![1; BODY_MAX_BYTES + 1]).collect();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[1], Reply::ReplaceBody(vec![1]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(replies in vec(any_reply(), 0..10)) {
            let mut line = Vec::new();
            replies.iter().for_each(|reply| reply.encode(&mut line));
            prop_assert_eq!(read(&line), replies);
        }

        #[test]
        fn any_bytes_are_read_or_refused(line: Vec<u8>) {
            read(&line);
        }
    }
}
