//! The gateway as a whole: it starts in an order that never accepts what cannot be kept.
//!
//! Check the configuration, make sure that messages can be kept, rebuild the duplicate windows,
//! start the threads, and only then open the listeners. It stops the other way round.
//!
//! `reload` puts another configuration in place without closing what is open.

mod reload;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
use crate::front::{Accepting, Front};
use crate::hints::Hint;
use crate::inspect::Inspect;
use crate::keep::{Keep, KeepError};
use crate::link::Link;
use crate::messages::{Messages, Windows};
use crate::notice::Notice;
use crate::path::Shared;
use crate::routes::Routes;
use crate::store;
use crate::stranger::Strangers;
use crate::tls::{ListenerTls, ServerIdentity, TlsError, server_config};
use crate::watch::Watch;

pub use self::reload::PreparedGateway;

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
    /// Who is told what peers say of themselves; not needed where nobody keeps a list of devices.
    pub notice: Option<Arc<dyn Notice>>,
    /// Who is told of messages that were accepted; not needed where nobody watches what devices do.
    pub watch: Option<Arc<dyn Watch>>,
    /// Who looks at messages for malware; without one nobody does.
    pub inspect: Option<Arc<dyn Inspect>>,
    /// The site of this installation.
    pub site: SiteId,
}

/// The running gateway; dropped, it stops.
pub struct Gateway {
    front: Front,
    table: Mutex<Table>,
    windows: Windows,
    shared: Arc<Shared>,
}

/// What a reload replaces.
struct Table {
    links: Vec<Listening>,
    tls: Option<Arc<ListenerTls>>,
    plain: Vec<PlainException>,
    /// Links that vanished, as long as connections of them end.
    ending: Vec<Arc<Link>>,
}

/// A link and its open listener.
struct Listening {
    link: Arc<Link>,
    address: SocketAddr,
    /// The same listener once more, to be handed to another link without being closed.
    socket: TcpListener,
    accepting: Accepting,
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
        let tls = match &parts.identity {
            Some(identity) => {
                let clock = Arc::clone(&parts.clock);
                Some(ListenerTls::new(server_config(
                    identity,
                    &parts.peers,
                    clock,
                )?))
            }
            None => None,
        };
        let links = make_links(&config, tls.as_ref(), &parts.events)?;
        rebuild_windows(&links, parts.keep.as_ref(), &parts.store, now)?;
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
            notice: parts.notice,
            watch: parts.watch,
            inspect: parts.inspect,
            site: parts.site,
        });
        // Every address is taken before the first message is: a wrong one stops the start whole.
        let mut bound = Vec::with_capacity(links.len());
        for link in links {
            let listener = bind(&link.config)?;
            bound.push((link, listener));
        }
        let front = Front::start(config.runtimes, &shared, config.drain_seconds)
            .map_err(StartError::Threads)?;
        let mut links = Vec::with_capacity(bound.len());
        for (link, bound) in bound {
            links.push(Listening::open(link, bound, &front, &shared));
        }
        let windows = Windows::default();
        let gateway = Self {
            front,
            table: Mutex::new(Table {
                links,
                tls,
                plain,
                ending: Vec::new(),
            }),
            windows,
            shared,
        };
        gateway.note_windows();
        Ok(gateway)
    }

    /// What each link is doing.
    pub fn status(&self) -> Vec<LinkStatus> {
        let status = |Listening { link, address, .. }: &Listening| LinkStatus {
            name: link.config.name.clone(),
            framing: link.config.framing,
            is_plain: link.config.transport.is_plain(),
            address: *address,
            window: link.window.len(),
            counts: link.counters.counts(),
        };
        self.table().links.iter().map(status).collect()
    }

    /// The counters of links, peers and destinations.
    pub fn events(&self) -> &Events {
        &self.shared.events
    }

    /// The plain lines of the configuration; each is a finding.
    pub fn plain_exceptions(&self) -> Vec<PlainException> {
        self.table().plain.clone()
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
        Messages::new(
            store.clone(),
            Arc::clone(keep),
            Arc::clone(dispatch),
            *site,
            Arc::clone(&self.windows),
        )
    }

    /// Where each link really listens; a configured port 0 is shown as the one that was given.
    pub fn local_addresses(&self) -> Vec<(LinkName, SocketAddr)> {
        let table = self.table();
        let address = |one: &Listening| (one.link.config.name.clone(), one.address);
        table.links.iter().map(address).collect()
    }

    /// Stops accepting, lets messages in flight end, closes the connections; blocks until done.
    pub fn shutdown(&self) {
        {
            let table = self.table();
            let links = table.links.iter().map(|one| &one.link);
            links.chain(&table.ending).for_each(|link| link.end());
        }
        self.front.stop();
    }

    /// What every connection shares.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The duplicate windows of the links that are open.
    pub(crate) fn windows(&self) -> &Windows {
        &self.windows
    }

    /// The link with this name that is open.
    pub(crate) fn link_named(&self, name: &str) -> Option<Arc<Link>> {
        let table = self.table();
        let links = &mut table.links.iter().map(|one| &one.link);
        links
            .find(|link| link.config.name.as_str() == name)
            .cloned()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets decisions about held messages reach the windows of the links that are open.
    fn note_windows(&self) {
        let table = self.table();
        let windows = table.links.iter().map(|one| Arc::clone(&one.link.window));
        let mut noted = self.windows.write().unwrap_or_else(PoisonError::into_inner);
        *noted = windows.collect();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Listening {
    fn open(link: Arc<Link>, bound: Bound, front: &Front, shared: &Arc<Shared>) -> Self {
        let Bound {
            listener,
            socket,
            address,
        } = bound;
        Self {
            accepting: front.listen(Arc::clone(&link), listener, shared),
            link,
            address,
            socket,
        }
    }
}

fn make_links(
    config: &GatewayConfig,
    tls: Option<&Arc<ListenerTls>>,
    events: &Events,
) -> Result<Vec<Arc<Link>>, StartError> {
    let link = |config: &LinkConfig| {
        let tls = tls_of(config, tls)?;
        Ok(Link::new(config.clone(), tls, events))
    };
    config.links.iter().map(link).collect()
}

/// What this link shows: nothing if it is plain.
fn tls_of(
    config: &LinkConfig,
    tls: Option<&Arc<ListenerTls>>,
) -> Result<Option<Arc<ListenerTls>>, StartError> {
    match config.transport.is_plain() {
        true => Ok(None),
        false => Ok(Some(tls.cloned().ok_or(StartError::NoCertificate)?)),
    }
}

/// Reads the hints of what came before, the newest first, into the windows of the links.
fn rebuild_windows(
    links: &[Arc<Link>],
    keep: &dyn Keep,
    store: &Store,
    now: Timestamp,
) -> Result<(), StartError> {
    let Some(span) = links.iter().map(|link| link.config.limits.window()).max() else {
        return Ok(());
    };
    let mut open = vec![true; links.len()];
    keep.recall(now.minus(span), &mut |recalled| {
        if let Some(hint) = Hint::parse(recalled.hints) {
            for (link, open) in links.iter().zip(&mut open) {
                let reaches = now.since(recalled.time) <= link.config.limits.window();
                if *open && hint.is_of(link.tag) {
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
    let released = store.read(|snapshot| store::released_since(snapshot, oldest))?;
    links.iter().for_each(|link| link.window.accept(&released));
    Ok(())
}

/// An open listener, twice: one to accept from, one to hand on.
struct Bound {
    listener: TcpListener,
    socket: TcpListener,
    address: SocketAddr,
}

impl Bound {
    fn of(listener: TcpListener) -> io::Result<Self> {
        Ok(Self {
            address: listener.local_addr()?,
            socket: listener.try_clone()?,
            listener,
        })
    }
}

fn bind(config: &LinkConfig) -> Result<Bound, StartError> {
    let bound = TcpListener::bind(config.listen).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Bound::of(listener)
    });
    bound.map_err(|source| StartError::Listen {
        link: config.name.clone(),
        address: config.listen,
        source,
    })
}
