//! Another configuration of links and routes in the place of the present one, all of it or nothing.
//!
//! Everything that can fail is done first and changes nothing: sockets are bound, TLS is set up,
//! duplicate windows are rebuilt. It must never close a connection that may go on, let a message
//! pass between two configurations, or accept on a link that is gone.

use std::sync::Arc;

use super::{Bound, Gateway, Listening, StartError, Table, bind, rebuild_windows, tls_of};
use crate::config::{GatewayConfig, LinkConfig, PlainException, RouteConfig};
use crate::duplicate::Window;
use crate::link::Link;
use crate::tls::{ListenerTls, ServerIdentity, TlsError, server_config};

/// A configuration that is ready to be put in place; dropped, nothing has happened.
pub struct PreparedGateway {
    links: Vec<Prepared>,
    routes: Vec<RouteConfig>,
    plain: Vec<PlainException>,
    tls: Option<(Arc<ListenerTls>, Arc<rustls::ServerConfig>)>,
    drain_seconds: u64,
}

/// One link of the next configuration.
struct Prepared {
    link: Arc<Link>,
    /// The place in the present table of the link whose connections go on here.
    follows: Option<usize>,
    bound: Bound,
}

impl PreparedGateway {
    /// The plain lines of the links and destinations; each is a finding.
    pub fn plain_exceptions(&self) -> &[PlainException] {
        &self.plain
    }
}

impl Gateway {
    /// Prepares `config`, to show `identity` from then on; one reload at a time.
    ///
    /// # Errors
    /// What would keep a gateway from starting with it, an address above all.
    pub fn prepare(
        &self,
        config: &GatewayConfig,
        identity: Option<&ServerIdentity>,
    ) -> Result<PreparedGateway, StartError> {
        let now = self.shared.clock.now();
        let plain = config.check(now)?;
        let table = self.table();
        let tls = match identity {
            Some(identity) => {
                let config = self.tls_with(identity)?;
                let shown = table.tls.clone();
                let shown = shown.unwrap_or_else(|| ListenerTls::new(Arc::clone(&config)));
                Some((shown, config))
            }
            None => None,
        };
        let shown = tls.as_ref().map(|(shown, _)| shown);
        let mut links = Vec::with_capacity(config.links.len());
        let mut fresh = Vec::new();
        for link in &config.links {
            let (link, follows) = match table.before(link) {
                Some((place, before)) if before.may_become(link) => {
                    (self.successor(before, link, shown)?, Some(place))
                }
                Some((_, before)) => {
                    let window = Arc::clone(&before.window);
                    (self.link(link, shown, Some(window))?, None)
                }
                None => {
                    let window = table.window_of_ending(link);
                    let is_new = window.is_none();
                    let made = self.link(link, shown, window)?;
                    if is_new {
                        fresh.push(Arc::clone(&made));
                    }
                    (made, None)
                }
            };
            let bound = table.listener(&link.config)?;
            links.push(Prepared {
                link,
                follows,
                bound,
            });
        }
        drop(table);
        rebuild_windows(&fresh, self.shared.keep.as_ref(), &self.shared.store, now)?;
        Ok(PreparedGateway {
            links,
            routes: config.routes.clone(),
            plain,
            tls,
            drain_seconds: config.drain_seconds,
        })
    }

    /// Puts what was prepared in place; nothing of it can fail.
    pub fn apply(&self, prepared: PreparedGateway) {
        let mut table = self.table();
        if let Some((shown, config)) = prepared.tls {
            shown.replace(config);
            table.tls = Some(shown);
        }
        self.shared.routes.replace(prepared.routes);
        self.front.set_drain(prepared.drain_seconds);
        table.plain = prepared.plain;
        let before: Vec<Listening> = table.links.drain(..).collect();
        let mut gone = vec![true; before.len()];
        for Prepared {
            link,
            follows,
            bound,
        } in prepared.links
        {
            let followed = follows.and_then(|at| Some((before.get(at)?, gone.get_mut(at)?)));
            if let Some((before, gone)) = followed {
                *gone = false;
                if !Arc::ptr_eq(&before.link, &link) {
                    before.link.lead_to(Arc::clone(&link));
                }
            }
            let open = Listening::open(link, bound, &self.front, &self.shared);
            table.links.push(open);
        }
        // Only now, so that no listener was closed for a moment.
        for (before, gone) in before.into_iter().zip(gone) {
            before.accepting.stop();
            if gone {
                before.link.end();
                table.ending.push(before.link);
            }
        }
        // Nobody is connected any more where this alone still holds the link.
        table.ending.retain(|link| Arc::strong_count(link) > 1);
        drop(table);
        self.note_windows();
    }

    /// Shows another certificate from the next handshake on.
    ///
    /// # Errors
    /// [`TlsError`]; the present one is shown then.
    pub fn show(&self, identity: &ServerIdentity) -> Result<(), TlsError> {
        let config = self.tls_with(identity)?;
        if let Some(shown) = &self.table().tls {
            shown.replace(config);
        }
        Ok(())
    }

    fn tls_with(&self, identity: &ServerIdentity) -> Result<Arc<rustls::ServerConfig>, TlsError> {
        server_config(identity, &self.shared.peers, Arc::clone(&self.shared.clock))
    }

    fn link(
        &self,
        config: &LinkConfig,
        tls: Option<&Arc<ListenerTls>>,
        window: Option<Arc<Window>>,
    ) -> Result<Arc<Link>, StartError> {
        let tls = tls_of(config, tls)?;
        let events = &self.shared.events;
        Ok(match window {
            Some(window) => Link::with_window(config.clone(), tls, events, window),
            None => Link::new(config.clone(), tls, events),
        })
    }

    fn successor(
        &self,
        before: &Arc<Link>,
        config: &LinkConfig,
        tls: Option<&Arc<ListenerTls>>,
    ) -> Result<Arc<Link>, StartError> {
        // Over TLS it may not go on without a certificate either.
        tls_of(config, tls)?;
        Ok(match before.config == *config {
            true => Arc::clone(before),
            false => before.reloaded(config.clone()),
        })
    }
}

impl Table {
    /// The link of this name as it is now, and its place.
    fn before(&self, config: &LinkConfig) -> Option<(usize, &Arc<Link>)> {
        let mut links = self.links.iter().map(|one| &one.link).enumerate();
        links.find(|(_, link)| link.config.name == config.name)
    }

    /// The window of a link of this name that vanished and still has connections.
    fn window_of_ending(&self, config: &LinkConfig) -> Option<Arc<Window>> {
        let mut ending = self.ending.iter().rev();
        let link = ending.find(|link| link.config.name == config.name)?;
        Some(Arc::clone(&link.window))
    }

    /// A listener for `config`: one that listens there already is handed on, never closed between.
    fn listener(&self, config: &LinkConfig) -> Result<Bound, StartError> {
        let is_there = |one: &&Listening| {
            let before = &one.link.config;
            before.listen == config.listen
                && (config.listen.port() != 0 || before.name == config.name)
        };
        let Some(there) = self.links.iter().find(is_there) else {
            return bind(config);
        };
        let handed_on = there.socket.try_clone().and_then(Bound::of);
        handed_on.map_err(|source| StartError::Listen {
            link: config.name.clone(),
            address: config.listen,
            source,
        })
    }
}
