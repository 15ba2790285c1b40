//! What an edge and its server say to each other, inside mutual TLS.
//!
//! A frame is `kind 1 ‖ length 4 ‖ body`, numbers big-endian. The edge speaks, the server answers
//! what asks for an answer; it never speaks first. Reading is total and bounded: bytes that are no
//! frame must never be guessed at.
//!
//! | Frame | From | Asks | Says |
//! |---|---|---|---|
//! | `Hello` | edge | yes | which queue this is, to which key it seals, how far it was acknowledged |
//! | `Checkpoint` | edge | yes | its ledger's signed checkpoint, and proof that it continues the one before |
//! | `Item` | edge | no | one sealed message, its number and the number before |
//! | `Lost` | edge | no | a number whose message cannot be had any more |
//! | `State` | edge | yes | what still waits; asks for everything before it to be acknowledged |
//! | `Renew` | edge | yes | a request for its next certificate; since version 2 |
//! | `Welcome` | server | – | how far it was taken, and how large the ledger was when it was last seen |
//! | `Taken` | server | – | how far it was taken durably |
//! | `Renewed` | server | – | the next certificate; the line goes on with the present one |
//! | `NotRenewed` | server | – | why there is none, as a code of the table of problems; the line goes on |
//! | `Refused` | server | – | a code of the table of problems; the connection ends |
//!
//! The edge says in its `Hello` which version it speaks. A server answers every version up to its
//! own; an edge of version 1 never renews.

use std::io;

use labward_ledger::Digest;
use labward_ledger::proof::PATH_MAX;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The version of this protocol.
pub const VERSION: u8 = 2;

/// The first version, which a server still answers.
const FIRST_VERSION: u8 = 1;

/// The first version in which an edge may renew.
pub(crate) const RENEWAL_VERSION: u8 = 2;

/// How long a request for a certificate may be, in bytes; ours have some two hundred.
const REQUEST_MAX_BYTES: usize = 4_096;

/// Bytes of a frame besides those of the message that it may hold.
pub const OVERHEAD_BYTES: usize = 64 * 1024;

const HEAD_BYTES: usize = 5;

/// What an edge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromEdge {
    /// Who speaks; the first frame.
    Hello(Hello),
    /// The newest checkpoint of the edge's ledger.
    Checkpoint(Continued),
    /// One sealed message.
    Item(Item),
    /// A message that cannot be had any more.
    Lost(Lost),
    /// What still waits.
    State(State),
    /// A request for the edge's next certificate (PKCS #10, DER), at most 4 KiB.
    Renew(Vec<u8>),
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version of this protocol that it speaks, 1 to [`VERSION`].
    pub speaks: u8,
    /// The number of the queue, random, made once.
    pub queue: [u8; 16],
    /// The beginning of the SHA-256 of the public key that the queue is sealed to.
    pub key: [u8; 8],
    /// The last item that the edge knows to be taken; 0 before the first.
    pub sent: u64,
    /// The program's version.
    pub version: String,
    /// The key of the edge's ledger, as a C2SP verifier key.
    pub ledger: String,
}

/// A checkpoint that continues the one that the server named in its welcome or last answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continued {
    /// The signed note.
    pub note: String,
    /// The consistency proof (RFC 6962 §2.1.2).
    pub path: Vec<Digest>,
    /// SHA-256 of the sealed item at the server's cursor as the edge's ledger holds it; zeros if it
    /// holds none.
    pub last: [u8; 32],
}

/// One sealed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The number of the item before; 0 before the first.
    pub before: u64,
    /// Its own number, larger than the one before.
    pub number: u64,
    /// The envelope.
    pub envelope: Vec<u8>,
}

/// A message that cannot be had any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The number of the item before.
    pub before: u64,
    /// Its own number.
    pub number: u64,
    /// SHA-256 of the envelope as it once was.
    pub sha256: [u8; 32],
    /// The device that it came from; empty if that is not known either.
    pub device: String,
    /// When it came, in microseconds since 1970; 0 if not known.
    pub received_us: i64,
}

/// What still waits at the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Messages that wait.
    pub waiting: u64,
    /// When the oldest of them came, in microseconds since 1970; 0 if none waits.
    pub oldest_us: i64,
    /// Messages that could not be delivered since they were damaged in the queue.
    pub damaged: u64,
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromServer {
    /// The edge may go on.
    Welcome {
        /// The last item taken durably.
        cursor: u64,
        /// The size of the checkpoint seen last; 0 if none was.
        size: u64,
    },
    /// Everything up to here is kept durably.
    Taken {
        /// The last item taken durably.
        cursor: u64,
        /// The size of the checkpoint seen last.
        size: u64,
    },
    /// The edge's next certificate, PEM.
    Renewed {
        /// The certificate.
        certificate: String,
    },
    /// There is no next certificate now.
    NotRenewed {
        /// A code of the table of problems.
        code: String,
    },
    /// It is refused, and the connection ends.
    Refused {
        /// A code of the table of problems.
        code: String,
    },
}

/// The bytes are no frame of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read a frame between edge and server: it does not fit its form")]
pub struct NotSpoken;

/// A frame of one side.
pub trait Spoken: Sized {
    /// Its kind and body.
    fn encode(&self) -> (u8, Vec<u8>);

    /// The frame of this kind and body.
    ///
    /// # Errors
    /// [`NotSpoken`] for anything that [`Spoken::encode`] does not give.
    fn decode(kind: u8, body: Vec<u8>) -> Result<Self, NotSpoken>;
}

/// Reads one frame of at most `limit` bytes; `None` at the end of the stream.
///
/// # Errors
/// The stream's; [`io::ErrorKind::InvalidData`] for what is no frame.
pub async fn read_frame<F: Spoken>(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> io::Result<Option<F>> {
    let mut head = [0; HEAD_BYTES];
    match stream.read_exact(&mut head).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let [kind, length @ ..] = head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, NotSpoken);
    if length > limit {
        return Err(wrong());
    }
    // It grows with what really comes, not with what was announced.
    let mut body = Vec::new();
    let mut rest = stream.take(u64::try_from(length).unwrap_or(u64::MAX));
    rest.read_to_end(&mut body).await?;
    if body.len() != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    F::decode(kind, body).map(Some).map_err(|_| wrong())
}

/// Writes one frame.
///
/// # Errors
/// The stream's.
pub async fn write_frame<F: Spoken>(
    stream: &mut (impl AsyncWrite + Unpin),
    frame: &F,
) -> io::Result<()> {
    let (kind, body) = frame.encode();
    let length = u32::try_from(body.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
    bytes.push(kind);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&body);
    stream.write_all(&bytes).await
}

const HELLO: u8 = 1;
const CHECKPOINT: u8 = 2;
const ITEM: u8 = 3;
const LOST: u8 = 4;
const STATE: u8 = 5;
const RENEW: u8 = 6;
const WELCOME: u8 = 65;
const TAKEN: u8 = 66;
const REFUSED: u8 = 67;
const RENEWED: u8 = 68;
const NOT_RENEWED: u8 = 69;

impl Spoken for FromEdge {
    fn encode(&self) -> (u8, Vec<u8>) {
        let mut out = Vec::new();
        let kind = match self {
            Self::Hello(hello) => {
                out.push(hello.speaks);
                out.extend_from_slice(&hello.queue);
                out.extend_from_slice(&hello.key);
                out.extend_from_slice(&hello.sent.to_be_bytes());
                put_text(&mut out, &hello.version);
                put_text(&mut out, &hello.ledger);
                HELLO
            }
            Self::Checkpoint(Continued { note, path, last }) => {
                out.extend_from_slice(last);
                put_text(&mut out, note);
                // More than a byte can say is more than any tree has.
                out.push(u8::try_from(path.len()).unwrap_or(u8::MAX));
                for digest in path {
                    out.extend_from_slice(digest.as_bytes());
                }
                CHECKPOINT
            }
            Self::Item(item) => {
                out.reserve_exact(16 + item.envelope.len());
                out.extend_from_slice(&item.before.to_be_bytes());
                out.extend_from_slice(&item.number.to_be_bytes());
                out.extend_from_slice(&item.envelope);
                ITEM
            }
            Self::Lost(lost) => {
                out.extend_from_slice(&lost.before.to_be_bytes());
                out.extend_from_slice(&lost.number.to_be_bytes());
                out.extend_from_slice(&lost.sha256);
                out.extend_from_slice(&lost.received_us.to_be_bytes());
                put_text(&mut out, &lost.device);
                LOST
            }
            Self::State(state) => {
                out.extend_from_slice(&state.waiting.to_be_bytes());
                out.extend_from_slice(&state.oldest_us.to_be_bytes());
                out.extend_from_slice(&state.damaged.to_be_bytes());
                STATE
            }
            Self::Renew(request) => {
                out.extend_from_slice(request);
                RENEW
            }
        };
        (kind, out)
    }

    fn decode(kind: u8, body: Vec<u8>) -> Result<Self, NotSpoken> {
        let mut read = Reader(&body);
        let frame = match kind {
            HELLO => {
                let [speaks] = read.array()?;
                if !(FIRST_VERSION..=VERSION).contains(&speaks) {
                    return Err(NotSpoken);
                }
                Self::Hello(Hello {
                    speaks,
                    queue: read.array()?,
                    key: read.array()?,
                    sent: read.number()?,
                    version: read.text()?,
                    ledger: read.text()?,
                })
            }
            CHECKPOINT => {
                let last = read.array()?;
                let note = read.text()?;
                let path = read.digests()?;
                Self::Checkpoint(Continued { note, path, last })
            }
            ITEM => {
                let (before, number) = (read.number()?, read.number()?);
                let at = body.len() - read.0.len();
                let mut envelope = body;
                envelope.drain(..at);
                return Ok(Self::Item(Item {
                    before,
                    number,
                    envelope,
                }));
            }
            LOST => Self::Lost(Lost {
                before: read.number()?,
                number: read.number()?,
                sha256: read.array()?,
                received_us: read.signed()?,
                device: read.text()?,
            }),
            STATE => Self::State(State {
                waiting: read.number()?,
                oldest_us: read.signed()?,
                damaged: read.number()?,
            }),
            RENEW if body.len() <= REQUEST_MAX_BYTES => return Ok(Self::Renew(body)),
            _ => return Err(NotSpoken),
        };
        read.end(frame)
    }
}

impl Spoken for FromServer {
    fn encode(&self) -> (u8, Vec<u8>) {
        let mut out = Vec::new();
        let kind = match self {
            Self::Welcome { cursor, size } | Self::Taken { cursor, size } => {
                out.extend_from_slice(&cursor.to_be_bytes());
                out.extend_from_slice(&size.to_be_bytes());
                if matches!(self, Self::Welcome { .. }) {
                    WELCOME
                } else {
                    TAKEN
                }
            }
            Self::Renewed { certificate } => {
                put_text(&mut out, certificate);
                RENEWED
            }
            Self::NotRenewed { code } => {
                put_text(&mut out, code);
                NOT_RENEWED
            }
            Self::Refused { code } => {
                put_text(&mut out, code);
                REFUSED
            }
        };
        (kind, out)
    }

    fn decode(kind: u8, body: Vec<u8>) -> Result<Self, NotSpoken> {
        let mut read = Reader(&body);
        let frame = match kind {
            WELCOME => Self::Welcome {
                cursor: read.number()?,
                size: read.number()?,
            },
            TAKEN => Self::Taken {
                cursor: read.number()?,
                size: read.number()?,
            },
            RENEWED => Self::Renewed {
                certificate: read.text()?,
            },
            NOT_RENEWED => Self::NotRenewed { code: read.text()? },
            REFUSED => Self::Refused { code: read.text()? },
            _ => return Err(NotSpoken),
        };
        read.end(frame)
    }
}

/// A text longer than its length can say is left out; none of ours comes near.
fn put_text(out: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(0);
    out.extend_from_slice(&length.to_be_bytes());
    if length > 0 {
        out.extend_from_slice(text.as_bytes());
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotSpoken> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(NotSpoken)?;
        self.0 = rest;
        Ok(*array)
    }

    fn number(&mut self) -> Result<u64, NotSpoken> {
        self.array().map(u64::from_be_bytes)
    }

    fn signed(&mut self) -> Result<i64, NotSpoken> {
        self.array().map(i64::from_be_bytes)
    }

    fn text(&mut self) -> Result<String, NotSpoken> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (text, rest) = self.0.split_at_checked(length).ok_or(NotSpoken)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).map_err(|_| NotSpoken)
    }

    /// A number of digests, and then these.
    fn digests(&mut self) -> Result<Vec<Digest>, NotSpoken> {
        let [count] = self.array()?;
        if usize::from(count) > PATH_MAX {
            return Err(NotSpoken);
        }
        let digest = |_| {
            let bytes = self.array::<{ Digest::LEN }>()?;
            Digest::from_slice(&bytes).ok_or(NotSpoken)
        };
        (0..count).map(digest).collect()
    }

    fn end<T>(&self, frame: T) -> Result<T, NotSpoken> {
        self.0.is_empty().then_some(frame).ok_or(NotSpoken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(byte: u8) -> Digest {
        Digest::of(&[byte])
    }

    fn from_edge() -> Vec<FromEdge> {
        vec![
            FromEdge::Hello(Hello {
                speaks: VERSION,
                queue: [7; 16],
                key: [8; 8],
                sent: u64::MAX,
                version: "0.1.0".to_owned(),
                ledger: "labward.local/bench-1+00000000+AQ==".to_owned(),
            }),
            FromEdge::Checkpoint(Continued {
                note: "labward.local/bench-1\n3\n\n".to_owned(),
                path: vec![digest(1), digest(2)],
                last: [9; 32],
            }),
            FromEdge::Item(Item {
                before: 1,
                number: 3,
                envelope: vec![1, 2, 3],
            }),
            FromEdge::Lost(Lost {
                before: 1,
                number: 3,
                sha256: [4; 32],
                device: "cobas-1".to_owned(),
                received_us: -5,
            }),
            FromEdge::State(State {
                waiting: 5,
                oldest_us: 6,
                damaged: 7,
            }),
            FromEdge::Renew(vec![0x30, 0x81, 0]),
        ]
    }

    fn from_server() -> Vec<FromServer> {
        vec![
            FromServer::Welcome { cursor: 1, size: 2 },
            FromServer::Taken { cursor: 3, size: 4 },
            FromServer::Renewed {
                certificate: "-----BEGIN CERTIFICATE-----\n".to_owned(),
            },
            FromServer::NotRenewed {
                code: "edge.renewal-early".to_owned(),
            },
            FromServer::Refused {
                code: "edge.forked".to_owned(),
            },
        ]
    }

    fn check_cuts<F: Spoken + PartialEq + std::fmt::Debug>(frame: &F, open_end: bool) {
        let (kind, body) = frame.encode();
        assert_eq!(F::decode(kind, body.clone()).as_ref(), Ok(frame));
        for cut in 0..body.len() {
            let read = F::decode(kind, body[..cut].to_vec());
            assert!(open_end || read.is_err(), "{frame:?} cut at {cut}");
        }
        let longer = F::decode(kind, [body.clone(), vec![0]].concat());
        assert!(open_end || longer.is_err(), "{frame:?} and more");
        assert!(F::decode(kind ^ 0x80, body).is_err());
    }

    #[test]
    fn every_frame_is_read_back_as_written_and_no_part_of_one_is_read() {
        for frame in from_edge() {
            // An envelope or a request ends where its frame does; what was cut of one does not open,
            // or is not signed.
            check_cuts(
                &frame,
                matches!(frame, FromEdge::Item(_) | FromEdge::Renew(_)),
            );
        }
        for frame in from_server() {
            check_cuts(&frame, false);
        }
    }

    #[test]
    fn a_path_longer_than_any_tree_has_is_refused() {
        let frame = FromEdge::Checkpoint(Continued {
            note: String::new(),
            path: vec![digest(1); PATH_MAX + 1],
            last: [0; 32],
        });
        let (kind, body) = frame.encode();
        assert_eq!(FromEdge::decode(kind, body), Err(NotSpoken));
    }

    #[test]
    fn an_edge_of_an_older_version_is_understood_and_one_of_a_newer_is_not() {
        let (kind, mut body) = from_edge()[0].encode();
        for (version, expect) in [(0, false), (1, true), (2, true), (3, false), (255, false)] {
            body[0] = version;
            let read = FromEdge::decode(kind, body.clone());
            let speaks = match &read {
                Ok(FromEdge::Hello(hello)) => Some(hello.speaks),
                _ => None,
            };
            assert_eq!(speaks, expect.then_some(version), "{version}");
        }
    }

    #[test]
    fn a_request_longer_than_any_of_ours_is_refused() {
        let longest = vec![0; REQUEST_MAX_BYTES];
        assert!(FromEdge::decode(RENEW, longest.clone()).is_ok());
        let longer = [longest, vec![0]].concat();
        assert_eq!(FromEdge::decode(RENEW, longer), Err(NotSpoken));
    }

    #[tokio::test]
    async fn frames_follow_each_other_and_a_length_beyond_the_limit_is_refused_unread() {
        let mut wire = Vec::new();
        for frame in from_edge() {
            write_frame(&mut wire, &frame).await.unwrap();
        }
        let mut stream = wire.as_slice();
        for frame in from_edge() {
            let read: Option<FromEdge> = read_frame(&mut stream, 1_000).await.unwrap();
            assert_eq!(read, Some(frame));
        }
        let end: Option<FromEdge> = read_frame(&mut stream, 1_000).await.unwrap();
        assert_eq!(end, None);
        let mut stream = &[ITEM, 0xff, 0xff, 0xff, 0xff, 1][..];
        let refused = read_frame::<FromEdge>(&mut stream, 1_000).await;
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidData);
        let mut cut = &wire[..wire.len() - 1];
        let mut last = Ok(None);
        for _ in from_edge() {
            last = read_frame::<FromEdge>(&mut cut, 1_000).await;
        }
        assert_eq!(last.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            kind: u8, body in proptest::collection::vec(any::<u8>(), 0..300)
        ) {
            if let Ok(frame) = FromEdge::decode(kind, body.clone()) {
                prop_assert_eq!(frame.encode(), (kind, body.clone()));
            }
            if let Ok(frame) = FromServer::decode(kind, body.clone()) {
                prop_assert_eq!(frame.encode(), (kind, body));
            }
        }
    }
}
