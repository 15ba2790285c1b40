//! TLS to a server on another machine, where a token says who asks.
//!
//! It must never send in clear, trust an authority that the configuration does not name, or show the
//! token.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use labward_base::{Secret, problem};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::limit;
use crate::failure::Failure;

/// How long one address may take to answer a connection.
const DIAL: Duration = Duration::from_secs(10);
/// Where a server listens if nobody says otherwise.
const PORT: u16 = 443;

/// A server on another machine, and who asks it.
pub(crate) struct Remote {
    pub(super) connector: TlsConnector,
    pub(super) authorization: Secret<String>,
}

/// Connects to one place.
pub(super) struct TlsConnector {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
}

impl Remote {
    /// The server at `https://host[:port]`, whose certificate is from an authority in `ca_file` (PEM), by the token that
    /// stands in a file.
    pub(crate) fn new(url: &str, ca_file: &Path, token: &str) -> Result<Self, Failure> {
        let bad = |why: &str| Failure::new(&problem::CLI_FILE, format!("{url}: {why}"));
        let rest = url
            .strip_prefix("https://")
            .ok_or_else(|| bad("write it as https://host:port"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split(rest).ok_or_else(|| bad("write it as https://host:port"))?;
        let name = ServerName::try_from(host.to_owned());
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad("the file of the token holds no token"));
        }
        Ok(Self {
            connector: TlsConnector {
                name: name.map_err(|_| bad("this is no name of a machine"))?,
                host: host.to_owned(),
                port,
                tls: tls(ca_file)?,
            },
            authorization: Secret::new(format!("Bearer {token}")),
        })
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn split(place: &str) -> Option<(&str, u16)> {
    if place.is_empty() || place.contains(['/', '?', '#', '@']) {
        return None;
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = port.map_or(Some(PORT), |port| port.parse().ok())?;
    (!host.is_empty()).then_some((host, port))
}

fn tls(ca_file: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let place = ca_file.display();
    let unreadable = |why: String| Failure::new(&problem::CLI_FILE, format!("{place}: {why}"));
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(ca_file)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    if roots.add_parsable_certificates(certificates).0 == 0 {
        return Err(unreadable(
            "no certificate of an authority is in it".to_owned(),
        ));
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreadable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl TlsConnector {
    pub(super) fn place(&self) -> String {
        format!("https://{}:{}", self.host, self.port)
    }

    /// A connection to the first address that takes one.
    fn dial(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, DIAL) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl std::fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place())
    }
}

impl Connector for TlsConnector {
    type Out = TlsTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let stream = self.dial()?;
        stream.set_nodelay(true)?;
        let connection = ClientConnection::new(Arc::clone(&self.tls), self.name.clone())
            .map_err(|error| Error::Io(io::Error::other(error)))?;
        let config = &details.config;
        Ok(Some(TlsTransport {
            line: StreamOwned::new(connection, stream),
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        }))
    }
}

/// One connection, for one request.
pub(super) struct TlsTransport {
    line: StreamOwned<ClientConnection, TcpStream>,
    buffers: LazyBuffers,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a connection over TLS")
    }
}

impl TlsTransport {
    /// A handshake reads and writes, whichever is asked for.
    fn within(&self, timeout: &NextTimeout) -> io::Result<()> {
        self.line.sock.set_write_timeout(limit(timeout))?;
        self.line.sock.set_read_timeout(limit(timeout))
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.within(&timeout)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.line.write_all(output)?;
        Ok(self.line.flush()?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.within(&timeout)?;
        let input = self.buffers.input_append_buf();
        let amount = self.line.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port_and_nothing_else() {
        assert_eq!(
            split("labward.lab.example:8443"),
            Some(("labward.lab.example", 8443))
        );
        assert_eq!(
            split("labward.lab.example"),
            Some(("labward.lab.example", 443))
        );
        assert_eq!(split("[::1]:9"), Some(("::1", 9)));
        for bad in [
            "", ":8443", "a:b", "a:1:2", "a/b", "u@a", "[::1", "[]:1", "a:70000",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_not_https_or_has_no_token_is_refused() {
        let none = Path::new("/nowhere");
        for (url, token) in [("http://a", "t"), ("https://a", ""), ("https://a", "a b")] {
            assert!(Remote::new(url, none, token).is_err(), "{url}");
        }
    }
}
