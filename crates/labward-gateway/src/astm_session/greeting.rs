//! The first bytes of a connection: does the other side speak ASTM at all?
//!
//! It must never keep a stranger waiting: TLS and HTTP are known by their first bytes, anything else
//! that begins no frame by its length or its age. What it collected is never dropped unseen.

use labward_astm::control::{CR, ENQ, EOT, LF, STX};
use tokio::time::Instant;

/// So many bytes before the first frame are noise at most; more are no ASTM.
pub(super) const MAX_NOISE_BYTES: usize = 1_024;

/// The first byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// What came before the first frame or ENQ.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    bytes: Vec<u8>,
    since: Option<Instant>,
}

/// What the first bytes turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeted {
    /// A frame, ENQ or EOT; `noise` is whether anything but line ends stood before it.
    Astm { noise: bool },
    /// An HTTP request.
    Http,
    /// More than noise, and no frame.
    Junk,
    /// Too little to tell.
    More,
    /// A TLS handshake.
    TlsHello,
}

impl Greeting {
    /// Takes all of `unread`; once the other side spoke ASTM, gives back what belongs to it.
    pub(super) fn take(&mut self, unread: &mut Vec<u8>, now: Instant) -> Greeted {
        self.bytes.append(unread);
        self.since.get_or_insert(now);
        if self.bytes.first() == Some(&TLS_HANDSHAKE) {
            return Greeted::TlsHello;
        }
        if is_http(&self.bytes) {
            return Greeted::Http;
        }
        let begins = |byte: &u8| matches!(*byte, STX | ENQ | EOT);
        match self.bytes.iter().position(begins) {
            Some(at) if at <= MAX_NOISE_BYTES => {
                *unread = self.bytes.split_off(at);
                let silent = |byte: &u8| matches!(*byte, CR | LF | 0);
                let noise = !self.bytes.iter().all(silent);
                Greeted::Astm { noise }
            }
            _ if self.bytes.len() >= MAX_NOISE_BYTES => Greeted::Junk,
            _ => Greeted::More,
        }
    }

    /// Since when bytes wait for a frame.
    pub(super) const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// What was collected, as much of it as is kept for a person.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(MAX_NOISE_BYTES);
        self.bytes
    }
}

/// Whether a method and the beginning of a path stand first (RFC 9112, section 3).
fn is_http(bytes: &[u8]) -> bool {
    let Some(space) = bytes.iter().take(8).position(|byte| *byte == b' ') else {
        return false;
    };
    let (method, path) = bytes.split_at(space);
    method.len() >= 3
        && method.iter().all(u8::is_ascii_uppercase)
        && matches!(path.get(1), Some(b'/' | b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&[u8]], expect: Greeted, rest: &[u8]) {
        let mut greeting = Greeting::default();
        let mut unread = Vec::new();
        let mut greeted = Greeted::More;
        for piece in pieces {
            assert_eq!(greeted, Greeted::More);
            unread.extend_from_slice(piece);
            greeted = greeting.take(&mut unread, Instant::now());
        }
        assert_eq!((greeted, unread.as_slice()), (expect, rest), "{pieces:?}");
    }

    #[test]
    fn a_frame_enq_or_eot_begins_the_protocol_and_line_ends_before_it_are_silence() {
        check(&[b"\x05"], Greeted::Astm { noise: false }, b"\x05");
        check(
            &[b"\r\n", b"\0\x021H"],
            Greeted::Astm { noise: false },
            b"\x021H",
        );
        check(
            &[b"+++", b"ATZ\r\x04\x05"],
            Greeted::Astm { noise: true },
            b"\x04\x05",
        );
    }

    #[test]
    fn tls_http_and_junk_are_told_apart() {
        check(&[b"\x16\x03\x01\x02\x00"], Greeted::TlsHello, b"");
        check(&[b"GE", b"T / HTTP/1.1\r\n"], Greeted::Http, b"");
        check(&[b"OPTIONS * HTTP/1.1\r\n"], Greeted::Http, b"");
        check(&[b"PRI * HTTP/2.0\r\n"], Greeted::Http, b"");
        check(&[b"\x0bMSH|^~\\&|"], Greeted::More, b"");
        check(&[&[b'x'; 1_000], &[b'x'; 24]], Greeted::Junk, b"");
        check(
            &[&[&[b'x'; 1_024][..], b"\x05"].concat()],
            Greeted::Astm { noise: true },
            b"\x05",
        );
        check(
            &[&[&[b'x'; 1_025][..], b"\x05"].concat()],
            Greeted::Junk,
            b"",
        );
    }
}
