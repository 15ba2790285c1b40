//! The console's listener: TLS for browsers, bounded in number and time.
//!
//! It must never speak without TLS, wait for one handshake while another could go on, or let one
//! address shut the others out. 45 CFR 164.312(e)(1).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use labward_base::Clock;
use labward_gateway::tls::{ServerIdentity, TlsError};
use labward_identity::TlsTime;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::http::idle::{Activity, IdleStream};
use crate::http::listener::{Caller, Line};
use crate::http::places::{Place, Places};

/// Connections open at the same time.
const CONNECTIONS_MAX: usize = 512;
/// Connections of one address at the same time; a lab may stand behind one.
const CONNECTIONS_PER_ADDRESS: usize = 128;
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long to wait when the system cannot accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Connections whose handshake is done and which wait to be served.
const READY: usize = 16;

/// What a connection holds until it ends.
type Held = (OwnedSemaphorePermit, Place<IpAddr>);

/// One connection.
pub(in crate::http) type ConsoleStream = IdleStream<TlsStream<TcpStream>, Held>;

/// The listener.
pub(in crate::http) struct ConsoleListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(ConsoleStream, Caller)>,
}

impl ConsoleListener {
    /// Listens at `address`; `tls` says what to show in the next handshake. Call it within a runtime.
    pub(in crate::http) fn bind(
        address: SocketAddr,
        tls: impl Fn() -> Option<Arc<ServerConfig>> + Send + 'static,
    ) -> io::Result<Self> {
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let socket = TcpListener::from_std(socket)?;
        let address = socket.local_addr()?;
        let (to, ready) = mpsc::channel(READY);
        tokio::spawn(accept(socket, tls, to));
        Ok(Self { address, ready })
    }

    /// Where it listens.
    pub(in crate::http) const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The TLS of the console: browsers show no certificate, and the rest is as on every listener.
pub(crate) fn console_config(
    identity: &ServerIdentity,
    clock: Arc<dyn Clock>,
) -> Result<Arc<ServerConfig>, TlsError> {
    browser_config(identity.chain.clone(), identity.key.clone_key(), clock)
}

/// The same for any certificate and its key.
pub(in crate::http) fn browser_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(TlsTime(clock)))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(TlsError::Certificate)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Certificate)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // What can be replayed is not taken.
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// Accepts until nobody serves any more; each handshake is a task of its own.
async fn accept(
    socket: TcpListener,
    tls: impl Fn() -> Option<Arc<ServerConfig>>,
    to: mpsc::Sender<(ConsoleStream, Caller)>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let addresses = Places::of_each(CONNECTIONS_PER_ADDRESS);
    loop {
        // Never closed.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = to.closed() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "a connection to the console was not accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(of_address) = addresses.take(peer.ip()) else {
            continue;
        };
        // Sealed: there is no key to show.
        let Some(tls) = tls() else {
            continue;
        };
        let to = to.clone();
        tokio::spawn(async move {
            // Answers are written whole.
            let _ = stream.set_nodelay(true);
            let handshake = TlsAcceptor::from(tls).accept(stream);
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, handshake).await {
                let activity = Arc::<Activity>::default();
                let caller = Caller {
                    line: Line::Console(peer.ip()),
                    activity: Arc::clone(&activity),
                };
                let held = (place, of_address);
                // Nobody serves any more: the program ends.
                let _ = to
                    .send((IdleStream::new(stream, activity, held), caller))
                    .await;
            }
        });
    }
}

impl Listener for ConsoleListener {
    type Io = ConsoleStream;
    type Addr = Caller;

    async fn accept(&mut self) -> (ConsoleStream, Caller) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Caller> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Connected<IncomingStream<'_, ConsoleListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, ConsoleListener>) -> Self {
        stream.remote_addr().clone()
    }
}
