//! The door of a witness: how many may connect, for how long, and over what.
//!
//! It must never hold a connection without limit, let one stranger's handshake delay another's, or
//! listen in clear off this machine without a named exception. TLS is 1.3, or 1.2 with ECDHE and
//! AEAD at least (BCP 195, RFC 9325).

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use labward_base::Clock;
use labward_identity::TlsTime;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::{ServeWitness, WitnessError};

/// Connections at the same time, of which the handshake of some may still be under way.
const CONNECTIONS: usize = 256;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long one connection lives; a log asks about once a minute and connects again.
const LIFETIME: Duration = Duration::from_secs(60);

/// How what comes in is protected.
pub(super) enum Protection {
    /// Unencrypted: within this machine, or as a named exception.
    Plain,
    /// TLS, mutual unless any client may connect.
    Tls(Arc<ServerConfig>),
}

/// Listens, shakes hands beside the accepting, and hands over what is ready.
pub(super) struct WitnessListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    accepting: tokio::task::JoinHandle<()>,
}

/// One connection with a certain end.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    end: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Protection {
    /// What the options ask for, unless it must not be.
    pub(super) fn of(options: &ServeWitness, clock: &Arc<dyn Clock>) -> Result<Self, WitnessError> {
        let refuse = |rule| WitnessError::Unsafe {
            address: options.listen,
            rule,
        };
        if let Some(file) = &options.tls {
            return Ok(Self::Tls(tls(file, options, Arc::clone(clock))?));
        }
        if options.listen.ip().is_loopback() {
            return Ok(Self::Plain);
        }
        let said =
            |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        match &options.plain {
            Some(plain) if said(&plain.reason) && said(&plain.owner) => match plain.expires {
                Some(last) if last.end() > clock.now() => {
                    tracing::warn!(
                        owner = plain.owner.as_deref().unwrap_or_default(),
                        "the witness listens unencrypted off this machine until {last}"
                    );
                    Ok(Self::Plain)
                }
                _ => Err(refuse("the exception for this plain line has ended")),
            },
            _ => Err(refuse(
                "off loopback it needs TLS (--tls), or a reason, an owner and a last day for a \
                 plain line",
            )),
        }
    }
}

fn tls(
    file: &Path,
    options: &ServeWitness,
    clock: Arc<dyn Clock>,
) -> Result<Arc<ServerConfig>, WitnessError> {
    let chain = certificates(file)?;
    let key = PrivateKeyDer::from_pem_file(file)
        .map_err(|_| WitnessError::Tls("the file of --tls holds no private key in PEM form"))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_details(Arc::clone(&provider), Arc::new(TlsTime(clock)))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|_| WitnessError::Tls("the versions 1.2 and 1.3 are not there"))?;
    let builder = if options.any_client {
        builder.with_no_client_auth()
    } else {
        let authorities = match &options.clients {
            Some(file) => certificates(file)?,
            None => chain.iter().skip(1).cloned().collect(),
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities);
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().map_err(|_| {
            WitnessError::Tls(
                "no authority says who may connect: name one with --clients, or say --any-client",
            )
        })?)
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|_| WitnessError::Tls("certificate and private key do not fit together"))?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, WitnessError> {
    let unreadable = WitnessError::Tls("a file of certificates cannot be read as PEM");
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(unreadable),
    }
}

impl WitnessListener {
    /// Listens; within a runtime.
    pub(super) fn bind(address: SocketAddr, protection: Protection) -> Result<Self, WitnessError> {
        let fail = |source| WitnessError::Listen { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(fail)?;
        listener.set_nonblocking(true).map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let listener = TcpListener::from_std(listener)
            .map_err(|source| WitnessError::Listen { address, source })?;
        let (hand_over, ready) = mpsc::channel(1);
        let accepting = tokio::spawn(accept(listener, protection, hand_over));
        Ok(Self {
            address,
            ready,
            accepting,
        })
    }

    /// Where it really listens; a port 0 is shown as the one given.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for WitnessListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    protection: Protection,
    hand_over: mpsc::Sender<(Connection, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let acceptor = match protection {
        Protection::Plain => None,
        Protection::Tls(config) => Some(TlsAcceptor::from(config)),
    };
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, from)) => {
                let shaking = shake_hands(stream, acceptor.clone(), place);
                let hand_over = hand_over.clone();
                tokio::spawn(async move {
                    if let Some(connection) = shaking.await {
                        // Nobody takes it when the witness stops.
                        let _ = hand_over.send((connection, from)).await;
                    }
                });
            }
            // Out of descriptors, most likely: others must close first.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn shake_hands(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    place: OwnedSemaphorePermit,
) -> Option<Connection> {
    let stream: Box<dyn Stream> = match acceptor {
        None => Box::new(stream),
        Some(acceptor) => match timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Box::new(stream),
            _ => return None,
        },
    };
    Some(Connection {
        stream,
        end: Box::pin(sleep(LIFETIME)),
        _place: place,
    })
}

impl Listener for WitnessListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The accepting ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
