//! One connection from its first byte: protect, identify, then speak the link's protocol.
//!
//! It must never read a message before it knows the peer, nor tell a stranger more than TLS' own
//! alert. Whoever is refused is counted, never left hanging.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use labward_identity::{Identification, Origin, Peer, Stranger};
use rustls::{InvalidMessage, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::astm_session;
use crate::completions::Completions;
use crate::config::Framing;
use crate::edge;
use crate::link::{Link, Place};
use crate::mllp_session;
use crate::outcome::Outcome;
use crate::path::{Caller, Shared};
use crate::tls::Protection;

/// A connection that was accepted and has a place on its link.
pub(crate) struct Accepted {
    pub(crate) link: Arc<Link>,
    pub(crate) address: IpAddr,
    pub(crate) place: Place,
}

/// What a connection needs of the runtime it lives on.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) shared: Arc<Shared>,
    pub(crate) completions: Arc<Completions<Outcome>>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Serves one connection until it ends.
pub(crate) async fn serve(home: Home, accepted: Accepted, stream: TcpStream) {
    let Accepted {
        link,
        address,
        place,
    } = accepted;
    let Home {
        shared,
        completions,
        ..
    } = home;
    let stop = link.ended();
    let caller = |peer, protection| {
        Caller::new(
            &shared,
            Arc::clone(&link),
            peer,
            address,
            protection,
            completions,
        )
    };
    let refused = match link.tls.as_ref().map(|tls| tls.present()) {
        Some(config) => match handshake(&shared, &link, config, stream).await {
            Ok((peer, stream)) => {
                let protection = Protection::of(stream.get_ref().1);
                let mut caller = caller(peer, protection);
                caller.certificate = shown(&link, &stream);
                speak(&shared, caller, stream, stop).await;
                None
            }
            Err(reason) => Some(reason),
        },
        None => match plain_peer(&shared, &link, address) {
            Some(peer) => {
                speak(&shared, caller(peer, Protection::none()), stream, stop).await;
                None
            }
            None => Some("unknown-address"),
        },
    };
    if let Some(reason) = refused {
        link.counters.count_refused();
        shared
            .strangers
            .note(address, &link.config.name, reason, shared.clock.now());
    }
    drop(place);
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    caller: Caller,
    stream: S,
    stop: watch::Receiver<bool>,
) {
    match caller.link.config.framing {
        Framing::Astm => astm_session::serve(shared, caller, stream, stop).await,
        Framing::Edge => edge::serve(shared, caller, stream, stop).await,
        Framing::Mllp | Framing::MllpRelease2 => {
            mllp_session::serve(shared, caller, stream, stop).await;
        }
    }
}

/// The handshake and the peer behind its certificate; `Err` names why it failed.
async fn handshake(
    shared: &Shared,
    link: &Link,
    config: Arc<ServerConfig>,
    stream: TcpStream,
) -> Result<(Arc<Peer>, TlsStream<TcpStream>), &'static str> {
    let accept = TlsAcceptor::from(config).accept(stream);
    let stream = match timeout(link.config.limits.handshake(), accept).await {
        Err(_) => return Err("handshake-timeout"),
        Ok(Err(error)) => return Err(handshake_fault(&error)),
        Ok(Ok(stream)) => stream,
    };
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let peer = shared
        .peers
        .authenticate(chain, shared.clock.now())
        .map_err(Stranger::name)?;
    if link
        .config
        .peer
        .as_ref()
        .is_some_and(|only| *only != peer.name)
    {
        return Err("other-peer");
    }
    Ok((peer, stream))
}

/// The facts of the certificate that an edge showed: it may ask for the next one.
fn shown(link: &Link, stream: &TlsStream<TcpStream>) -> Option<Box<Identification>> {
    let chain = stream.get_ref().1.peer_certificates()?;
    let certificate = chain
        .first()
        .filter(|_| link.config.framing == Framing::Edge)?;
    let facts = Identification::from_der(certificate, Origin::Foreign);
    facts.ok().map(Box::new)
}

fn handshake_fault(error: &io::Error) -> &'static str {
    let Some(cause) = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>())
    else {
        return "connection-lost";
    };
    if let Some(stranger) = Stranger::from_tls(cause) {
        return stranger.name();
    }
    match cause {
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        ) => "not-tls",
        rustls::Error::PeerIncompatible(_) => "tls-too-old",
        _ => "handshake-failed",
    }
}

/// On a plain link the configuration or the source address says who the peer is.
fn plain_peer(shared: &Shared, link: &Link, address: IpAddr) -> Option<Arc<Peer>> {
    let peer = match &link.config.peer {
        Some(name) => shared.peers.by_name(name),
        None => shared.peers.by_address(address),
    };
    peer.filter(|peer| peer.is_active())
}
