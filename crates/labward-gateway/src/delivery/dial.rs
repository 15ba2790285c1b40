//! How a destination is reached, checked and built from its configuration.
//!
//! TLS is 1.3, or 1.2 with ECDHE and AEAD at least (BCP 195, RFC 9325), X25519MLKEM768 offered
//! first. The receiver is known by its authority and name, or by a known peer's public key. It must
//! never resume a session, fall back to plain, or dial after an exception has ended.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use labward_base::{Clock, Problem, Timestamp, hex, problem};
use labward_identity::{ExpectedServer, Identification, Origin, Peers, TlsTime, server_verifier};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error as TlsFault};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::DeliveryError;
use super::file_drop::FileDrop;
use crate::config::{DestinationConfig, Expiry, Framing, OutboundTransport, Target};
use crate::tls::ServerIdentity;

/// The way to a destination.
pub(super) enum Way {
    Mllp(Box<Dial>),
    Drop(FileDrop),
}

/// How an HL7 receiver is reached.
pub(super) struct Dial {
    pub(super) address: String,
    /// Whether frames are committed one by one (MLLP release 2).
    pub(super) commits: bool,
    pub(super) tls: Option<Tls>,
    expires: Option<Expiry>,
    clock: Arc<dyn Clock>,
}

/// What a way is built from besides its configuration.
pub(super) struct WayParts<'a> {
    pub(super) identity: Option<&'a ServerIdentity>,
    pub(super) peers: &'a Peers,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) certificate: &'a Arc<SeenCertificate>,
}

/// What the receiver's certificate said at the last handshake.
#[derive(Default)]
pub(super) struct SeenCertificate(AtomicI64);

/// Mutual TLS towards one receiver or witness.
pub struct Tls {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authority: CertificateDer<'static>,
    roots: Vec<CertificateDer<'static>>,
    pin: Option<Pin>,
    name: ServerName<'static>,
    peers: Peers,
    clock: Arc<dyn Clock>,
    certificate: Arc<SeenCertificate>,
}

enum Pin {
    Name(String),
    Spki([u8; 32]),
}

impl Way {
    /// The way that the configuration describes; refuses what could never work.
    pub(super) fn of(
        config: &DestinationConfig,
        parts: &WayParts<'_>,
    ) -> Result<Self, DeliveryError> {
        let refuse = |rule| DeliveryError::Config {
            place: format!("destination {}", config.name),
            rule,
        };
        match &config.target {
            Target::FileDrop { folder, recipient } => {
                let recipient = recipient
                    .parse()
                    .map_err(|_| refuse("the recipient is not an age public key (age1…)"))?;
                let folder = folder.clone();
                Ok(Self::Drop(FileDrop { folder, recipient }))
            }
            Target::Mllp {
                address,
                framing,
                transport,
            } => {
                let (tls, expires) = match transport {
                    OutboundTransport::Plain { expires, .. } => (None, *expires),
                    OutboundTransport::MutualTls { .. } => {
                        let WayParts {
                            identity,
                            peers,
                            clock,
                            certificate,
                        } = *parts;
                        let mut tls =
                            Tls::of(address, transport, identity, peers, clock).map_err(refuse)?;
                        tls.certificate = Arc::clone(certificate);
                        (Some(tls), None)
                    }
                };
                Ok(Self::Mllp(Box::new(Dial {
                    address: address.clone(),
                    commits: *framing == Framing::MllpRelease2,
                    tls,
                    expires,
                    clock: Arc::clone(parts.clock),
                })))
            }
        }
    }
}

impl SeenCertificate {
    /// When it ends; none before the first handshake.
    pub(super) fn until(&self) -> Option<Timestamp> {
        let until = self.0.load(Ordering::Relaxed);
        (until != 0).then(|| Timestamp::from_micros(until))
    }

    fn note(&self, chain: &[CertificateDer<'_>]) {
        let first = chain.first();
        let facts = first.and_then(|first| Identification::from_der(first, Origin::Foreign).ok());
        if let Some(facts) = facts {
            self.0.store(facts.not_after.as_micros(), Ordering::Relaxed);
        }
    }
}

impl Dial {
    /// Whether the line may be used at this moment.
    pub(super) fn check(&self) -> Result<(), &'static Problem> {
        let now = self.clock.now();
        if self.expires.is_some_and(|expires| expires.end() <= now) {
            return Err(&problem::GATEWAY_EXCEPTION_ENDED);
        }
        Ok(())
    }
}

impl Tls {
    /// TLS to this address as `transport` says, showing our certificate.
    ///
    /// # Errors
    /// Which rule the transport breaks, so that it could never work.
    pub fn of(
        address: &str,
        transport: &OutboundTransport,
        identity: Option<&ServerIdentity>,
        peers: &Peers,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, &'static str> {
        let OutboundTransport::MutualTls {
            server_name,
            spki_sha256,
            peer,
            ca,
        } = transport
        else {
            return Err("it has no TLS");
        };
        let identity = identity.ok_or("mutual TLS needs Labward's own certificate")?;
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = server_name.clone().unwrap_or_else(|| host.to_owned());
        let pin = match (peer, spki_sha256) {
            (Some(peer), _) => Some(Pin::Name(peer.clone())),
            (None, Some(digits)) => Some(Pin::Spki(
                pin_of(digits).ok_or("spki_sha256 has 64 hexadecimal digits")?,
            )),
            (None, None) => None,
        };
        Ok(Self {
            chain: identity.chain.clone(),
            key: identity.key.clone_key(),
            authority: identity.authority.clone(),
            roots: match ca {
                Some(file) => read_roots(file)?,
                None => vec![identity.authority.clone()],
            },
            pin,
            name: name
                .try_into()
                .map_err(|_| "server_name is not a host name or address")?,
            peers: peers.clone(),
            clock: Arc::clone(clock),
            certificate: Arc::default(),
        })
    }

    /// The name that the other side is expected to be certified for.
    pub fn name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    /// The handshake; says how the connection is protected.
    pub(super) async fn connect(
        &self,
        tcp: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, String), &'static Problem> {
        let config = self.config().ok_or(&problem::GATEWAY_UNTRUSTED_RECEIVER)?;
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector
            .connect(self.name.clone(), tcp)
            .await
            .map_err(|error| {
                let fault = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<TlsFault>());
                match fault {
                    Some(TlsFault::InvalidCertificate(_)) => &problem::GATEWAY_UNTRUSTED_RECEIVER,
                    _ => &problem::SEND_UNREACHABLE,
                }
            })?;
        let connection = stream.get_ref().1;
        self.certificate
            .note(connection.peer_certificates().unwrap_or_default());
        let protection = protection(connection);
        Ok((stream, protection))
    }

    /// The configuration of one connection, looked up anew each time, since peers come, are renewed
    /// and go; `None` if whom it expects is no peer now.
    pub fn config(&self) -> Option<ClientConfig> {
        let expected = match &self.pin {
            None => ExpectedServer::Authorities(self.roots.clone()),
            Some(Pin::Name(name)) => ExpectedServer::Peer(self.peers.by_name(name)?.id),
            Some(Pin::Spki(spki)) => ExpectedServer::Peer(self.peers.by_spki(spki)?.id),
        };
        let verifier = server_verifier(expected, &self.peers, &self.authority).ok()?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let time = Arc::new(TlsTime(Arc::clone(&self.clock)));
        let mut config = ClientConfig::builder_with_details(provider, time)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())
            .ok()?;
        config.resumption = Resumption::disabled();
        Some(config)
    }
}

fn protection(connection: &rustls::ClientConnection) -> String {
    let version = connection.protocol_version();
    let suite = connection.negotiated_cipher_suite();
    let group = connection.negotiated_key_exchange_group();
    let group = group.map(rustls::crypto::SupportedKxGroup::name);
    format!(
        "{} {} {}",
        version.and_then(|version| version.as_str()).unwrap_or("?"),
        suite
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or("?"),
        group.and_then(|group| group.as_str()).unwrap_or("?"),
    )
}

fn read_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let unreadable = "the file of authorities (ca) cannot be read as PEM";
    let roots: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(|_| unreadable)?
        .collect::<Result<_, _>>()
        .map_err(|_| unreadable)?;
    if roots.is_empty() {
        return Err("the file of authorities (ca) holds no certificate");
    }
    Ok(roots)
}

/// Digits of either case: a person writes them.
fn pin_of(digits: &str) -> Option<[u8; 32]> {
    hex::decode(&digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_64_hexadecimal_digits() {
        assert_eq!(pin_of(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(pin_of(&"0F".repeat(32)), Some([15; 32]));
        for bad in [
            "",
            "0f",
            &"0g".repeat(32),
            &"é".repeat(32),
            &"+f".repeat(32),
        ] {
            assert_eq!(pin_of(bad), None, "{bad}");
        }
    }
}
