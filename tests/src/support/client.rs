//! A sender over real sockets: MLLP over mutual TLS, or whatever bytes a stranger writes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use labward_hl7::mllp::{Decoder, Event, encode};
use labward_hl7::parse_ack;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

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
