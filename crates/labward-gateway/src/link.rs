//! A link at run time: its configuration, its window, its counters and who is connected.
//!
//! A reload never changes a link: it makes the next one, which shares window, counters and
//! connections with it, and whoever holds the old one moves on to it when nothing is half done.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use labward_base::Timestamp;
use labward_base::id::PeerId;
use labward_identity::Peer;
use tokio::sync::{Notify, watch};

use crate::bucket::Bucket;
use crate::config::{LinkConfig, Transport};
use crate::duplicate::Window;
use crate::events::{Counters, Events};
use crate::hints::{LinkTag, link_tag};
use crate::tls::ListenerTls;

/// One link while the gateway runs.
pub(crate) struct Link {
    pub(crate) config: LinkConfig,
    /// What names the link in the hints beside its entries.
    pub(crate) tag: LinkTag,
    pub(crate) window: Arc<Window>,
    pub(crate) bucket: Bucket,
    pub(crate) counters: Arc<Counters>,
    /// `None` on a plain link.
    pub(crate) tls: Option<Arc<ListenerTls>>,
    connected: Arc<Mutex<Connected>>,
    /// Whether its connections are to end.
    end: watch::Sender<bool>,
    /// What it was reloaded to.
    next: OnceLock<Arc<Self>>,
}

#[derive(Default)]
struct Connected {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    /// Of links with one connection a peer: how to end the present one.
    by_peer: HashMap<PeerId, Arc<Notify>>,
}

/// A place among the connections of a link, given back when dropped.
pub(crate) struct Place {
    link: Arc<Link>,
    address: IpAddr,
}

/// The one connection of its peer; gives way to the next when told.
pub(crate) struct Tenure {
    link: Arc<Link>,
    peer: PeerId,
    /// Notified when the peer connected again.
    pub(crate) replaced: Arc<Notify>,
}

impl Link {
    /// A link without any connection.
    pub(crate) fn new(
        config: LinkConfig,
        tls: Option<Arc<ListenerTls>>,
        events: &Events,
    ) -> Arc<Self> {
        let limits = &config.limits;
        let window = Window::new(limits.window_messages, limits.window());
        Self::with_window(config, tls, events, window)
    }

    /// A link without any connection that knows what this window knows.
    pub(crate) fn with_window(
        config: LinkConfig,
        tls: Option<Arc<ListenerTls>>,
        events: &Events,
        window: Arc<Window>,
    ) -> Arc<Self> {
        Arc::new(Self {
            window,
            bucket: Bucket::new(
                config.limits.messages_per_second,
                config.limits.burst_messages,
            ),
            counters: events.link(&config.name),
            tag: link_tag(config.name.as_str()),
            connected: Arc::default(),
            end: watch::Sender::new(false),
            next: OnceLock::new(),
            tls,
            config,
        })
    }

    /// This link under another configuration: its connections are that one's, too. They move to it
    /// once [`Self::lead_to`] was called.
    pub(crate) fn reloaded(&self, config: LinkConfig) -> Arc<Self> {
        Arc::new(Self {
            window: Arc::clone(&self.window),
            bucket: Bucket::new(
                config.limits.messages_per_second,
                config.limits.burst_messages,
            ),
            counters: Arc::clone(&self.counters),
            tag: link_tag(config.name.as_str()),
            connected: Arc::clone(&self.connected),
            end: self.end.clone(),
            next: OnceLock::new(),
            tls: self.tls.clone(),
            config,
        })
    }

    /// Whether connections of this link could go on under `config`: same protocol, same protection.
    pub(crate) fn may_become(&self, config: &LinkConfig) -> bool {
        self.config.framing == config.framing
            && self.config.transport.is_plain() == config.transport.is_plain()
    }

    /// Makes `next` hold for everything that is connected here, from its next bytes on.
    pub(crate) fn lead_to(&self, next: Arc<Self>) {
        // A link is reloaded once: only the one that holds now is.
        let _ = self.next.set(next);
    }

    /// What this link was reloaded to last, if it was.
    pub(crate) fn newer(&self) -> Option<Arc<Self>> {
        let mut newest = self.next.get()?;
        while let Some(next) = newest.next.get() {
            newest = next;
        }
        Some(Arc::clone(newest))
    }

    /// Lets every connection end once what it has begun is answered.
    pub(crate) fn end(&self) {
        self.end.send_replace(true);
    }

    /// Becomes true when the connections of this link are to end.
    pub(crate) fn ended(&self) -> watch::Receiver<bool> {
        self.end.subscribe()
    }

    /// Whether a connection of `peer` from `address` may go on after either was changed.
    pub(crate) fn still_serves(&self, peer: &Peer, address: IpAddr) -> bool {
        let only = self.config.peer.as_deref();
        let is_its_own = match (&self.config.transport, only) {
            (_, Some(only)) => only == peer.name,
            (Transport::MutualTls, None) => true,
            (Transport::Plain { .. }, None) => peer.addresses.contains(&address),
        };
        peer.is_active() && is_its_own && self.knows(address)
    }

    /// Takes a place for a connection from `address`; `Err` names why there is none.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Place, &'static str> {
        if !self.is_open_to(address, now) {
            return Err("address-not-allowed");
        }
        let limits = &self.config.limits;
        let mut connected = self.connected();
        if connected.total >= limits.max_connections {
            return Err("too-many-connections");
        }
        let here = connected.by_address.entry(address).or_default();
        if *here >= limits.max_connections_per_address {
            return Err("too-many-connections");
        }
        *here += 1;
        connected.total += 1;
        Ok(Place {
            link: Arc::clone(self),
            address,
        })
    }

    /// The one connection of `peer`: whatever connection it had before is told to end.
    pub(crate) fn take_over(self: &Arc<Self>, peer: PeerId) -> Tenure {
        let replaced = Arc::new(Notify::new());
        if self.config.one_connection {
            let before = self.connected().by_peer.insert(peer, Arc::clone(&replaced));
            if let Some(before) = before {
                before.notify_one();
            }
        }
        Tenure {
            link: Arc::clone(self),
            peer,
            replaced,
        }
    }

    /// Whether the transport takes connections from `address` at `now`.
    fn is_open_to(&self, address: IpAddr, now: Timestamp) -> bool {
        match &self.config.transport {
            Transport::MutualTls => true,
            Transport::Plain { expires, .. } => {
                expires.is_none_or(|expires| now < expires.end()) && self.knows(address)
            }
        }
    }

    /// Whether the transport takes connections from `address` at all.
    fn knows(&self, address: IpAddr) -> bool {
        match &self.config.transport {
            Transport::MutualTls => true,
            Transport::Plain { from_addresses, .. } if from_addresses.is_empty() => {
                address.is_loopback()
            }
            Transport::Plain { from_addresses, .. } => from_addresses.contains(&address),
        }
    }

    fn connected(&self) -> MutexGuard<'_, Connected> {
        self.connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connected = self.link.connected();
        connected.total = connected.total.saturating_sub(1);
        if let Some(here) = connected.by_address.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                connected.by_address.remove(&self.address);
            }
        }
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        let mut connected = self.link.connected();
        let is_own = |present: &Arc<Notify>| Arc::ptr_eq(present, &self.replaced);
        if connected.by_peer.get(&self.peer).is_some_and(is_own) {
            connected.by_peer.remove(&self.peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Expiry, Limits};

    fn link(transport: Transport, limits: Limits) -> Arc<Link> {
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = LinkConfig {
            transport,
            limits,
            one_connection: true,
            ..LinkConfig::new("hl7".parse().unwrap(), listen)
        };
        Link::new(config, None, &Events::default())
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn connections_are_limited_per_address_and_in_all_and_places_come_back() {
        let limits = Limits {
            max_connections: 3,
            max_connections_per_address: 2,
            ..Limits::default()
        };
        let link = link(Transport::MutualTls, limits);
        let now = Timestamp::default();
        let first = link.admit(address(1), now).ok();
        let _second = link.admit(address(1), now).ok().unwrap();
        assert_eq!(
            link.admit(address(1), now).err(),
            Some("too-many-connections")
        );
        let _third = link.admit(address(2), now).ok().unwrap();
        assert_eq!(
            link.admit(address(3), now).err(),
            Some("too-many-connections")
        );
        drop(first);
        assert!(link.admit(address(1), now).is_ok());
    }

    #[test]
    fn a_plain_link_takes_named_addresses_until_its_last_day() {
        let expires: Expiry = "2027-06-30".parse().unwrap();
        let plain = Transport::Plain {
            reason: None,
            owner: None,
            expires: Some(expires),
            from_addresses: vec![address(1)],
        };
        let link = link(plain, Limits::default());
        let last_moment = expires.end().minus(std::time::Duration::from_micros(1));
        assert!(link.admit(address(1), last_moment).is_ok());
        assert_eq!(
            link.admit(address(2), last_moment).err(),
            Some("address-not-allowed")
        );
        assert_eq!(
            link.admit(address(1), expires.end()).err(),
            Some("address-not-allowed")
        );
    }

    #[test]
    fn a_reloaded_link_counts_the_connections_of_the_one_before() {
        let limits = |max_connections| Limits {
            max_connections,
            ..Limits::default()
        };
        let first = link(Transport::MutualTls, limits(1));
        let now = Timestamp::default();
        let _open = first.admit(address(1), now).ok().unwrap();
        assert!(first.newer().is_none());
        let mut config = first.config.clone();
        config.limits = limits(2);
        let second = first.reloaded(config.clone());
        first.lead_to(Arc::clone(&second));
        let third = second.reloaded(config);
        second.lead_to(Arc::clone(&third));
        assert!(Arc::ptr_eq(&first.newer().unwrap(), &third), "the newest");
        let _another = third.admit(address(1), now).ok().unwrap();
        assert_eq!(
            third.admit(address(1), now).err(),
            Some("too-many-connections")
        );
        third.end();
        assert!(*first.ended().borrow(), "one life");
    }

    #[tokio::test]
    async fn a_device_that_connects_again_replaces_its_old_connection() {
        let link = link(Transport::MutualTls, Limits::default());
        let old = link.take_over(PeerId::new(1));
        let other = link.take_over(PeerId::new(2));
        let new = link.take_over(PeerId::new(1));
        old.replaced.notified().await;
        drop(old);
        let _newest = link.take_over(PeerId::new(1));
        new.replaced.notified().await;
        let pending = tokio::time::timeout(std::time::Duration::ZERO, other.replaced.notified());
        assert!(pending.await.is_err());
    }
}
