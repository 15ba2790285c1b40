//! The line to a mail server, as the SMTP library reads and writes it.
//!
//! It must never pass on more than a limit of what the server says: the library holds a line until its end.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Bytes that a server may say on one line altogether.
const SAID_MAX_BYTES: usize = 64 << 10;
/// What the library waits for at the beginning. After STARTTLS no server says it again.
const GREETING: &[u8] = b"220 \r\n";

/// A connection that goes out.
pub(super) struct Wire {
    line: Line,
    /// What is read before anything of the server.
    greeting: &'static [u8],
    left: usize,
}

enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// A line in clear.
    pub(super) fn plain(stream: TcpStream) -> Box<Self> {
        Self::of(Line::Plain(stream), &[])
    }

    /// A line on which TLS was first.
    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Box<Self> {
        Self::of(Line::Tls(Box::new(stream)), &[])
    }

    /// A line that went over to TLS.
    pub(super) fn upgraded(stream: TlsStream<TcpStream>) -> Box<Self> {
        Self::of(Line::Tls(Box::new(stream)), GREETING)
    }

    fn of(line: Line, greeting: &'static [u8]) -> Box<Self> {
        Box::new(Self {
            line,
            greeting,
            left: SAID_MAX_BYTES,
        })
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line to a mail server")
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        if !wire.greeting.is_empty() {
            let fits = wire.greeting.len().min(buffer.remaining());
            let (now, rest) = wire.greeting.split_at(fits);
            buffer.put_slice(now);
            wire.greeting = rest;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = match &mut wire.line {
            Line::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Line::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, buffer),
        };
        let said = buffer.filled().len().saturating_sub(before);
        match wire.left.checked_sub(said) {
            Some(left) => wire.left = left,
            None => return Poll::Ready(Err(io::Error::other("it says too much"))),
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Line::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Line::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Line::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.line {
            Line::Plain(stream) => stream.peer_addr(),
            Line::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}
