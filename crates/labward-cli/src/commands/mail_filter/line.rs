//! One line of the mail server, from its first packet to its end.
//!
//! It must never wait without a bound, or hold more of the line than one packet.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use labward_milter::{Command, Decoder, Reply};
use labward_os::Stopwatch;

use super::mail::Mail;
use super::session::{Session, SessionError, Step};

/// A wish to stop is noticed after so long at most.
const TICK: Duration = Duration::from_millis(500);
/// What is read at a time, in bytes.
const PIECE_BYTES: usize = 64 << 10;

/// How long the mail server is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From the first header of a mail to its end.
    pub(super) content: Duration,
    /// For the next packet: as long as an SMTP client may think.
    pub(super) idle: Duration,
    /// For the rest of a packet, and for an answer to be taken.
    pub(super) packet: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            content: Duration::from_secs(300),
            idle: Duration::from_secs(900),
            packet: Duration::from_secs(30),
        }
    }
}

/// A connection of either kind.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn within(&self, read: Duration, write: Duration) -> std::io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(read))?;
                stream.set_write_timeout(Some(write))
            }
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(read))?;
                stream.set_write_timeout(Some(write))
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }
}

/// Why a line ended otherwise than by the mail server's word.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("the mail server broke off")]
    Broken(#[from] std::io::Error),
    #[error("the mail server does not speak as it must")]
    Session(#[from] SessionError),
    #[error("the mail server said nothing for too long")]
    Silent,
}

/// Serves a line to its end; `judge` answers a whole mail, and `is_stopped` says that no further mail is to be begun.
pub(super) fn serve(
    mut stream: Stream,
    mut session: Session,
    patience: Patience,
    judge: &dyn Fn(&Mail, bool) -> Vec<Reply>,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), LineError> {
    stream.within(TICK.min(patience.packet), patience.packet)?;
    let mut decoder = Decoder::default();
    let mut piece = vec![0; PIECE_BYTES];
    let mut silent = Stopwatch::start();
    let mut content = None;
    loop {
        while let Some(packet) = decoder.next_packet().map_err(SessionError::from)? {
            let command = Command::decode(packet).map_err(SessionError::from)?;
            match session.take(command)? {
                Step::Close => return Ok(()),
                Step::Judge(mail) => {
                    let replies = judge(&mail, session.has_leading_space());
                    drop(mail);
                    say(&mut stream, &replies)?;
                }
                Step::Listen => {}
                Step::Say(reply) => say(&mut stream, &[reply])?,
            }
            silent = Stopwatch::start();
        }
        content = match session.is_within_content() {
            true => content.or_else(|| Some(Stopwatch::start())),
            false => None,
        };
        if is_stopped() && !session.is_within_mail() {
            return Ok(());
        }
        let most = match decoder.is_within() {
            true => patience.packet,
            false => patience.idle,
        };
        let is_slow = content.is_some_and(|since: Stopwatch| since.elapsed() > patience.content);
        if silent.elapsed() > most || is_slow {
            return Err(LineError::Silent);
        }
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                if !decoder.is_within() {
                    silent = Stopwatch::start();
                }
                decoder.feed(piece.get(..count).unwrap_or_default());
            }
            Err(error) if is_nothing(error.kind()) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_nothing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

fn say(stream: &mut Stream, replies: &[Reply]) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    replies.iter().for_each(|reply| reply.encode(&mut bytes));
    stream.write_all(&bytes)
}
