//! The gateway as a whole: it starts in an order that never accepts what cannot be kept.
//!
//! Check the configuration, make sure that messages can be kept, rebuild the duplicate windows,
//! start the threads, and only then open the listeners. It stops the other way round.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use labward_base::id::SiteId;
use labward_base::{Clock, Problem, Timestamp, problem};
use labward_identity::Peers;
use labward_seal::IndexKey;
use labward_store::{Store, StoreError};

use crate::ack::AckWriter;
use crate::config::{ConfigError, Framing, GatewayConfig, LinkConfig, LinkName, PlainException};
use crate::delivery::Dispatch;
use crate::edge::Edges;
use crate::events::{Counts, Events};
use crate::front::Front;
use crate::hints::{Hint, link_tag};
use crate::keep::{Keep, KeepError};
use crate::link::Link;
use crate::messages::Messages;
use crate::path::Shared;
use crate::routes::Routes;
use crate::store;
use crate::stranger::Strangers;
use crate::tls::{ServerIdentity, TlsError, server_config};

/// What the gateway is plugged into.
pub struct GatewayParts {
    /// The database; the gateway writes entries and held messages to it.
    pub store: Store,
    /// Who keeps messages.
    pub keep: Arc<dyn Keep>,
    /// The peers.
    pub peers: Peers,
    /// The key of the tags in the duplicate window.
    pub index_key: Arc<IndexKey>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who delivers.
    pub dispatch: Arc<dyn Dispatch>,
    /// What the listeners show; not needed if every link is plain.
    pub identity: Option<ServerIdentity>,
    /// The counters, shared with delivery.
    pub events: Events,
    /// The edges; not needed if no link is for them.
    pub edges: Option<Edges>,
    /// The site of this installation.
    pub site: SiteId,
}

/// The running gateway; dropped, it stops.
pub struct Gateway {
    front: Front,
    links: Vec<(Arc<Link>, SocketAddr)>,
    shared: Arc<Shared>,
    plain: Vec<PlainException>,
}

/// What a link is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// Its name.
    pub name: LinkName,
    /// How messages are framed.
    pub framing: Framing,
    /// Whether it is unencrypted.
    pub is_plain: bool,
    /// Where it listens.
    pub address: SocketAddr,
    /// Messages in its duplicate window.
    pub window: usize,
    /// What came through it since the start.
    pub counts: Counts,
}

/// Why the gateway did not start; nothing was accepted.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration asks for what is not done.
    #[error("start the gateway with this configuration")]
    Config(#[from] ConfigError),
    /// Messages could not be kept, or the duplicate window not be rebuilt.
    #[error("start the gateway: messages could not be kept")]
    Keep(#[from] KeepError),
    /// A listener's address cannot be used.
    #[error("listen on {address} for link {link}")]
    Listen {
        /// The link.
        link: LinkName,
        /// Its address.
        address: SocketAddr,
        /// The operating system's report.
        #[source]
        source: io::Error,
    },
    /// A link over TLS, but no certificate to show.
    #[error("start the gateway: there is no server certificate")]
    NoCertificate,
    /// The held messages could not be read.
    #[error("start the gateway: read the held messages")]
    Store(#[from] StoreError),
    /// The threads could not be started.
    #[error("start the threads of the gateway")]
    Threads(#[source] io::Error),
    /// TLS could not be set up.
    #[error("start the gateway")]
    Tls(#[from] TlsError),
}

impl StartError {
    /// What a person sees.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Config(error) => error.problem(),
            Self::Keep(error) => error.problem(),
            Self::Store(error) => error.problem(),
            Self::Listen { .. } => &problem::CONFIG_UNSAFE,
            Self::NoCertificate => &problem::IDENTITY_BAD_CERTIFICATE,
            Self::Threads(_) => &problem::SERVER_INTERNAL,
            Self::Tls(error) => error.problem(),
        }
    }
}

impl Gateway {
    /// Starts the gateway; when this returns, its listeners are open.
    pub fn start(config: GatewayConfig, parts: GatewayParts) -> Result<Self, StartError> {
        let now = parts.clock.now();
        let plain = config.check(now)?;
        if !parts.keep.is_ready() {
            return Err(KeepError::Sealed.into());
        }
        let links = make_links(&config, &parts)?;
        rebuild_windows(&links, &parts, now)?;
        let shared = Arc::new(Shared {
            store: parts.store,
            keep: parts.keep,
            peers: parts.peers,
            index_key: parts.index_key,
            clock: parts.clock,
            dispatch: parts.dispatch,
            routes: Routes::new(config.routes),
            acks: AckWriter::new(now),
            strangers: Strangers::default(),
            events: parts.events,
            edges: parts.edges,
            site: parts.site,
        });
        // Every address is taken before the first message is: a wrong one stops the start whole.
        let mut bound = Vec::with_capacity(links.len());
        for link in links {
            bound.push(bind(link)?);
        }
        let drain = Duration::from_secs(config.drain_seconds);
        let front = Front::start(config.runtimes, &shared, drain).map_err(StartError::Threads)?;
        let mut links = Vec::with_capacity(bound.len());
        for (link, listener, address) in bound {
            front.listen(Arc::clone(&link), listener, &shared);
            links.push((link, address));
        }
        Ok(Self {
            front,
            links,
            shared,
            plain,
        })
    }

    /// What each link is doing.
    pub fn status(&self) -> Vec<LinkStatus> {
        let status = |(link, address): &(Arc<Link>, SocketAddr)| LinkStatus {
            name: link.config.name.clone(),
            framing: link.config.framing,
            is_plain: link.config.transport.is_plain(),
            address: *address,
            window: link.window.len(),
            counts: link.counters.counts(),
        };
        self.links.iter().map(status).collect()
    }

    /// The counters of links, peers and destinations.
    pub fn events(&self) -> &Events {
        &self.shared.events
    }

    /// The plain lines of the configuration; each is a finding.
    pub fn plain_exceptions(&self) -> &[PlainException] {
        &self.plain
    }

    /// The held messages.
    pub fn messages(&self) -> Messages {
        let Shared {
            store,
            keep,
            dispatch,
            site,
            ..
        } = &*self.shared;
        let windows = self
            .links
            .iter()
            .map(|(link, _)| Arc::clone(&link.window))
            .collect();
        Messages::new(
            store.clone(),
            Arc::clone(keep),
            Arc::clone(dispatch),
            *site,
            windows,
        )
    }

    /// Where each link really listens; a configured port 0 is shown as the one that was given.
    pub fn local_addresses(&self) -> Vec<(LinkName, SocketAddr)> {
        self.links
            .iter()
            .map(|(link, address)| (link.config.name.clone(), *address))
            .collect()
    }

    /// Stops accepting, lets messages in flight end, closes the connections; blocks until done.
    pub fn shutdown(&self) {
        self.front.stop();
    }
}

fn make_links(config: &GatewayConfig, parts: &GatewayParts) -> Result<Vec<Arc<Link>>, StartError> {
    let tls = match &parts.identity {
        Some(identity) => Some(server_config(
            identity,
            &parts.peers,
            Arc::clone(&parts.clock),
        )?),
        None => None,
    };
    let link = |config: &LinkConfig| {
        let tls = match config.transport.is_plain() {
            true => None,
            false => Some(tls.clone().ok_or(StartError::NoCertificate)?),
        };
        Ok(Link::new(config.clone(), tls, &parts.events))
    };
    config.links.iter().map(link).collect()
}

/// Reads the hints of what came before, the newest first, into the windows of the links.
fn rebuild_windows(
    links: &[Arc<Link>],
    parts: &GatewayParts,
    now: Timestamp,
) -> Result<(), StartError> {
    let Some(span) = links.iter().map(|link| link.config.limits.window()).max() else {
        return Ok(());
    };
    let tags: Vec<_> = links
        .iter()
        .map(|link| link_tag(link.config.name.as_str()))
        .collect();
    let mut open = vec![true; links.len()];
    parts.keep.recall(now.minus(span), &mut |recalled| {
        if let Some(hint) = Hint::parse(recalled.hints) {
            for ((link, tag), open) in links.iter().zip(&tags).zip(&mut open) {
                let reaches = now.since(recalled.time) <= link.config.limits.window();
                if *open && hint.is_of(*tag) {
                    *open = reaches && hint.restore(&link.window, recalled.record, recalled.time);
                }
            }
        }
        if open.contains(&true) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    let oldest = now.minus(span);
    let released = parts
        .store
        .read(|snapshot| store::released_since(snapshot, oldest))?;
    links.iter().for_each(|link| link.window.accept(&released));
    Ok(())
}

fn bind(link: Arc<Link>) -> Result<(Arc<Link>, TcpListener, SocketAddr), StartError> {
    let address = link.config.listen;
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    match bound {
        Ok((listener, address)) => Ok((link, listener, address)),
        Err(source) => Err(StartError::Listen {
            link: link.config.name.clone(),
            address,
            source,
        }),
    }
}
