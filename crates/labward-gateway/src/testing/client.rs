//! A client over real sockets and real TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use labward_hl7::mllp::{Decoder, Event, encode};
use labward_hl7::parse_ack;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// How long anything may take before a test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    /// What the handshake agreed on.
    pub(crate) protection: String,
    /// The certificate that the gateway showed.
    pub(crate) server: Option<CertificateDer<'static>>,
}

impl Client {
    pub(crate) async fn plain(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream, String::new())
    }

    /// Connects with this certificate; in TLS 1.3 its refusal shows only at the first read.
    pub(crate) async fn tls(
        address: SocketAddr,
        authority: &CertificateDer<'static>,
        bundle: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    ) -> io::Result<Self> {
        let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
        Self::tls_versions(address, authority, bundle, versions).await
    }

    pub(crate) async fn tls_versions(
        address: SocketAddr,
        authority: &CertificateDer<'static>,
        bundle: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> io::Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let expected = Arc::new(IssuedBy(authority.clone()));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(expected);
        let config = match bundle {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        let connection = stream.get_ref().1;
        let group = connection
            .negotiated_key_exchange_group()
            .map(|group| group.name());
        let protection = format!("{:?} {group:?}", connection.protocol_version().unwrap());
        let server = connection.peer_certificates().and_then(<[_]>::first);
        let server = server.map(|shown| shown.clone().into_owned());
        Ok(Self {
            server,
            ..Self::over(stream, protection)
        })
    }

    fn over(stream: impl Stream + 'static, protection: String) -> Self {
        Self {
            stream: Box::new(stream),
            decoder: Decoder::new(1 << 20),
            protection,
            server: None,
        }
    }

    /// Writes these bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .expect("a write hangs")
            .unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Writes these bytes and looks away if the other side has closed.
    pub(crate) async fn try_write(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .expect("a write hangs");
    }

    /// Sends one message in one frame.
    pub(crate) async fn send(&mut self, message: &[u8]) {
        self.write(&encode(message)).await;
    }

    /// The next event of the answer; `None` once the other side has closed.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(event) = self.decoder.next_event() {
                return Some(event);
            }
            let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
            match read.expect("the gateway hangs") {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.decoder.feed(buffer.get(..count).unwrap()),
            }
        }
    }

    /// The next acknowledgement as `AA id`; `None` once the other side has closed.
    pub(crate) async fn ack(&mut self) -> Option<String> {
        match self.event().await? {
            Event::Frame(frame) => {
                let ack = parse_ack(&frame).unwrap();
                let id = String::from_utf8_lossy(ack.acknowledged_id).into_owned();
                Some(format!("{} {id}", ack.code.as_str()))
            }
            other => panic!("no acknowledgement: {other:?}"),
        }
    }

    /// Sends one message and takes its answer.
    pub(crate) async fn exchange(&mut self, message: &[u8]) -> String {
        self.send(message).await;
        self.ack()
            .await
            .expect("the gateway closed instead of answering")
    }

    /// Whether nothing comes for a while.
    pub(crate) async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(150), self.event())
            .await
            .is_err()
    }

    /// Ends our side in order.
    pub(crate) async fn end(&mut self) {
        let _ = self.stream.shutdown().await;
    }
}

/// Accepts what the lab's authority issued; dates are the lab's clock's matter, not the test's.
#[derive(Debug)]
struct IssuedBy(CertificateDer<'static>);

impl ServerCertVerifier for IssuedBy {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        assert_ne!(
            certificate.as_ref(),
            self.0.as_ref(),
            "a leaf, not the authority itself"
        );
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let supported = aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &supported)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let supported = aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &supported)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
