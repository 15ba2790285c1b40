//! What the HTTP library is given for connections that this program makes itself.
//!
//! It must never decide whom to trust: TLS is set up by whoever dials.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustls::{ClientConnection, StreamOwned};
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport,
};

/// Resolves every name to one address that is never used: the connector knows its own.
#[derive(Debug)]
pub(crate) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(([127, 0, 0, 1], 80).into());
        Ok(addresses)
    }
}

/// A connection that goes out.
pub(crate) enum Line {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// The connection as the HTTP library drives it: one request a connection unless it is kept, each step
/// within what is left of the time.
pub(crate) struct LineTransport {
    line: Line,
    buffers: LazyBuffers,
    /// Whether it may serve another request.
    is_kept: bool,
}

impl LineTransport {
    /// Over a line that was just connected.
    pub(crate) fn new(line: Line, details: &ConnectionDetails<'_>) -> Self {
        let config = &details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Self {
            line,
            buffers,
            is_kept: false,
        }
    }

    /// As [`Self::new`], for one that serves the requests to the same machine one after the other.
    pub(crate) fn kept(line: Line, details: &ConnectionDetails<'_>) -> Self {
        Self {
            is_kept: true,
            ..Self::new(line, details)
        }
    }
}

impl std::fmt::Debug for LineTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a connection that goes out")
    }
}

impl Line {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Whether the other side neither closed it nor said anything that nobody asked for.
    fn is_quiet(&self) -> bool {
        let socket = self.socket();
        if socket.set_nonblocking(true).is_err() {
            return false;
        }
        let peeked = socket.peek(&mut [0]);
        let waits = matches!(peeked, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        socket.set_nonblocking(false).is_ok() && waits
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let stream: &mut dyn Write = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream,
        };
        stream.write_all(bytes)?;
        stream.flush()
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Transport for LineTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let limit = timeout.not_zero().map(|limit| *limit);
        // A handshake reads as well.
        self.line.socket().set_write_timeout(limit)?;
        self.line.socket().set_read_timeout(limit)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.line.write(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let limit = timeout.not_zero().map(|limit| *limit);
        self.line.socket().set_read_timeout(limit)?;
        let input = self.buffers.input_append_buf();
        let amount = self.line.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.is_kept && self.line.is_quiet()
    }

    fn is_tls(&self) -> bool {
        matches!(self.line, Line::Tls(_))
    }
}
