//! A sender over real sockets: MLLP over mutual TLS, or whatever bytes a stranger writes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use labward_hl7::mllp::{Decoder, Event, encode};
use labward_hl7::parse_ack;
use labward_seal::sha256;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};

use super::wait::PATIENCE;

/// Larger than any answer.
const MAX_FRAME_BYTES: usize = 1 << 20;

/// Who connects: certificate, key, and the authority of the other side.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    authority: CertificateDer<'static>,
}

/// One connection to a link.
pub(crate) struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    decoder: Decoder,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self {
            certificate: self.certificate.clone(),
            key: self.key.clone_key(),
            authority: self.authority.clone(),
        }
    }
}

impl Identity {
    /// The identity of a bundle: certificate, key and authority in one PEM text.
    pub(crate) fn from_pem(pem: &[u8]) -> Self {
        let mut certificates = CertificateDer::pem_slice_iter(pem).map(Result::unwrap);
        Self {
            certificate: certificates.next().expect("a certificate"),
            authority: certificates.next().expect("the authority behind it"),
            key: PrivateKeyDer::from_pem_slice(pem).unwrap(),
        }
    }

    /// The identity of a bundle's file.
    pub(crate) fn read(path: &Path) -> Self {
        let pem = std::fs::read(path);
        Self::from_pem(&pem.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The same authority to check the other side with, and another's certificate to show.
    pub(crate) fn shown_as(&self, other: &Self) -> Self {
        Self {
            authority: self.authority.clone(),
            ..other.clone()
        }
    }

    /// Trust in this identity's authority and nobody else.
    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).unwrap();
        Arc::new(roots)
    }

    /// Certificate and key, as a TLS configuration takes them.
    pub(crate) fn shown(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (vec![self.certificate.clone()], self.key.clone_key())
    }

    /// The configuration of a client that shows its certificate, or none.
    pub(crate) fn client_config(&self, shows_certificate: bool) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots());
        Arc::new(if shows_certificate {
            let (chain, key) = self.shown();
            builder.with_client_auth_cert(chain, key).unwrap()
        } else {
            builder.with_no_client_auth()
        })
    }
}

/// A TCP connection whose reads and writes do not hang.
pub(crate) fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

impl Client {
    /// Connects to the server that is certified for `localhost`; a refusal of our certificate shows
    /// only when the first answer is read.
    pub(crate) fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
        let mut stream = StreamOwned::new(connection, dial(address)?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self {
            stream,
            decoder: Decoder::new(MAX_FRAME_BYTES),
        })
    }

    /// Writes bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends one message in one frame.
    pub(crate) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.write(&encode(message))
    }

    /// The next byte, such as the answer to an ASTM frame.
    pub(crate) fn byte(&mut self) -> io::Result<u8> {
        let mut one = [0];
        self.stream.read_exact(&mut one)?;
        Ok(one[0])
    }

    /// The next acknowledgement: MSA-1 and MSA-2.
    pub(crate) fn ack(&mut self) -> io::Result<(&'static str, String)> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(event) = self.decoder.next_event() {
                let Event::Frame(frame) = event else {
                    return Err(io::Error::other(format!("no acknowledgement: {event:?}")));
                };
                let ack = parse_ack(&frame).map_err(io::Error::other)?;
                let id = String::from_utf8_lossy(ack.acknowledged_id).into_owned();
                return Ok((ack.code.as_str(), id));
            }
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.decoder.feed(&buffer[..count]);
        }
    }

    /// Sends one message and takes its answer, which must carry `control_id`; gives MSA-1.
    pub(crate) fn exchange(
        &mut self,
        message: &[u8],
        control_id: &str,
    ) -> io::Result<&'static str> {
        self.send(message)?;
        let (code, acknowledged) = self.ack()?;
        assert_eq!(acknowledged, control_id, "an answer to another message");
        Ok(code)
    }
}

/// Trust in the authority of this file and nobody else, showing no certificate.
pub(crate) fn trusting(authority: &Path) -> Arc<ClientConfig> {
    let pem = std::fs::read(authority).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&pem).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Trust in the one certificate of this SHA-256, as who compares it with what the server printed.
pub(crate) fn pinning(fingerprint: &str) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pinned = Pinned {
        fingerprint: fingerprint.to_owned(),
        algorithms: provider.signature_verification_algorithms,
    };
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = builder.dangerous();
    let builder = builder.with_custom_certificate_verifier(Arc::new(pinned));
    Arc::new(builder.with_no_client_auth())
}

#[derive(Debug)]
struct Pinned {
    fingerprint: String,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = sha256(end_entity).map(|byte| format!("{byte:02X}"));
        match shown.join(":") == self.fingerprint {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A browser without a screen: it keeps its cookie and says that our own pages send its forms.
#[derive(Clone)]
pub(crate) struct Browser {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    pub(crate) cookie: Option<String>,
    /// What its cookie is called.
    pub(crate) cookie_name: &'static str,
    /// The cookie of a sign-in with the identity provider.
    pub(crate) sign_on: Option<String>,
    /// By which name it found the console.
    pub(crate) host: String,
    /// What it sends as `Authorization`.
    pub(crate) authorization: Option<String>,
    /// What it says of where a form comes from.
    pub(crate) site: &'static str,
    /// The language that it asks for.
    pub(crate) language: &'static str,
    /// What else it sends.
    pub(crate) headers: Vec<(String, String)>,
}

/// What a browser was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answered {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fits = |line: &'_ str| line.to_ascii_lowercase().starts_with(&format!("{name}: "));
        let line = self.head.lines().find(|line| fits(line))?;
        line.get(name.len() + 2..)
    }

    /// The value of a hidden field of the page's first form that has one.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let opening = format!("name=\"{name}\" value=\"");
        let behind = self.body.split(&opening).nth(1);
        let behind = behind.unwrap_or_else(|| panic!("no {name} in {}", self.body));
        behind.split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    /// A browser that trusts the installation's authority.
    pub(crate) fn new(address: SocketAddr, config: Arc<ClientConfig>) -> Self {
        Self {
            address,
            config,
            cookie: None,
            cookie_name: "__Host-labward",
            sign_on: None,
            host: "localhost".to_owned(),
            authorization: None,
            site: "same-origin",
            language: "en",
            headers: Vec::new(),
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answered {
        self.ask("GET", path, "")
    }

    /// Sends a form.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answered {
        let encode = |text: &str| -> String {
            let one = |byte: u8| match byte.is_ascii_alphanumeric() {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            };
            text.bytes().map(one).collect()
        };
        let pair = |(name, value): &(&str, &str)| format!("{}={}", encode(name), encode(value));
        let form: Vec<String> = fields.iter().map(pair).collect();
        self.ask("POST", path, &form.join("&"))
    }

    pub(crate) fn ask(&mut self, verb: &str, path: &str, form: &str) -> Answered {
        let kind = "application/x-www-form-urlencoded";
        self.send(verb, path, kind, form.as_bytes())
    }

    /// Sends a body of this type.
    pub(crate) fn send(&mut self, verb: &str, path: &str, kind: &str, body: &[u8]) -> Answered {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.config), name).unwrap();
        let mut stream = StreamOwned::new(connection, dial(self.address).unwrap());
        let cookie = self.cookie.as_ref();
        let cookie = cookie.map(|value| format!("cookie: {}={value}\r\n", self.cookie_name));
        let sign_on = self.sign_on.as_ref();
        let sign_on = sign_on.map(|value| format!("cookie: __Host-labward-sign-on={value}\r\n"));
        let authorization = self.authorization.as_ref();
        let authorization = authorization.map(|value| format!("authorization: {value}\r\n"));
        let headers = self.headers.iter();
        let headers: String = headers
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!(
            "{verb} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             user-agent: Test\r\nsec-fetch-site: {}\r\naccept-language: {}\r\n{}{}{}{headers}\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            self.host,
            self.site,
            self.language,
            cookie.unwrap_or_default(),
            sign_on.unwrap_or_default(),
            authorization.unwrap_or_default(),
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut bytes = Vec::new();
        // Without the end of TLS, which some leave out, the answer is all the same whole.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let answered = Answered {
            status: status.unwrap_or_default(),
            head: head.to_owned(),
            body: body.to_owned(),
        };
        if let Some(set) = answered.header("set-cookie") {
            let (name, rest) = set.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            if name == self.cookie_name {
                self.cookie = Some(value).filter(|value| !value.is_empty());
            } else if name == "__Host-labward-sign-on" {
                self.sign_on = Some(value);
            }
        }
        answered
    }
}
