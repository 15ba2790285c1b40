//! TLS to a server on another machine, where a token says who asks.
//!
//! It must never send in clear, trust an authority that the configuration does not name, or show the
//! token.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use labward_base::{Secret, problem};
use labward_os::read_secret;
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
    /// The server at `https://host[:port]`, whose certificate is from an authority in `ca_file` (PEM), by the token in
    /// `token_file`, which its owner alone may read.
    pub(crate) fn new(url: &str, ca_file: &Path, token_file: &Path) -> Result<Self, Failure> {
        let token = read_secret(token_file).map_err(|error| {
            let place = token_file.display();
            Failure::new(&problem::CLI_FILE, format!("{place}: {error}"))
        })?;
        Self::by(url, ca_file, token.expose())
    }

    fn by(url: &str, ca_file: &Path, token: &str) -> Result<Self, Failure> {
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
            is_refused: false,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        }))
    }
}

/// One connection, for one request.
pub(super) struct TlsTransport {
    line: StreamOwned<ClientConnection, TcpStream>,
    /// The server takes no more, and what it said before may still be read.
    is_refused: bool,
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

fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), BrokenPipe | ConnectionReset)
}

/// Reads on without writing, which [`StreamOwned`] would try first.
fn heard(
    line: &mut StreamOwned<ClientConnection, TcpStream>,
    input: &mut [u8],
) -> io::Result<usize> {
    loop {
        match line.conn.reader().read(input) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
        line.conn.read_tls(&mut line.sock)?;
        let processed = line.conn.process_new_packets();
        processed.map_err(io::Error::other)?;
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.within(&timeout)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        if self.is_refused {
            return Ok(());
        }
        let written = self.line.write_all(output);
        match written.and_then(|()| self.line.flush()) {
            // As over the socket: the answer of a server that refuses waits to be read.
            Err(error) if is_closed(&error) => {
                self.is_refused = true;
                Ok(())
            }
            written => Ok(written?),
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.within(&timeout)?;
        let input = self.buffers.input_append_buf();
        let amount = match self.is_refused {
            false => match self.line.read(input) {
                // What was still to be written was refused.
                Err(error) if is_closed(&error) => {
                    self.is_refused = true;
                    heard(&mut self.line, input)?
                }
                read => read?,
            },
            true => heard(&mut self.line, input)?,
        };
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
    use crate::client::Client;
    use labward_testkit::TempDir;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{ServerConfig, ServerConnection};
    use std::net::TcpListener;

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
            assert!(Remote::by(url, none, token).is_err(), "{url}");
        }
    }

    /// What an upload of 4 MiB ends in, if the server reads only its beginning, answers and closes.
    fn upload_to_one_that_refuses() -> String {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)
            .unwrap();
        let folder = TempDir::new();
        std::fs::write(folder.join("ca.pem"), signed.cert.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let server = std::thread::spawn(move || {
            let connection = ServerConnection::new(Arc::new(tls)).unwrap();
            let (stream, _) = listener.accept().unwrap();
            // As Labward's server: what is said leaves before the line is closed.
            stream.set_nodelay(true).unwrap();
            let mut line = StreamOwned::new(connection, stream);
            line.read_exact(&mut [0; 16]).unwrap();
            let body = r#"{"code":"identity.token-refused","what":"w","todo":"t"}"#;
            let length = body.len();
            let answer = format!("HTTP/1.1 401 U\r\nContent-Length: {length}\r\n\r\n{body}");
            line.write_all(answer.as_bytes()).unwrap();
        });
        let remote = Remote::by(&url, &folder.join("ca.pem"), "lbw_x").unwrap();
        let client = Client::remote(remote, Duration::from_secs(20));
        let sent: Result<serde_json::Value, Failure> =
            client.upload("records/import", &[], &vec![0; 4 << 20]);
        server.join().unwrap();
        format!("{:?}", sent.unwrap_err())
    }

    #[test]
    fn a_refusal_before_the_whole_request_was_sent_is_understood() {
        for _ in 0..20 {
            let said = upload_to_one_that_refuses();
            assert!(
                said.contains(problem::IDENTITY_TOKEN_REFUSED.code),
                "{said}"
            );
        }
    }
}
