//! A link at run time: its configuration, its window, its counters and who is connected.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use labward_base::Timestamp;
use labward_base::id::PeerId;
use rustls::ServerConfig;
use tokio::sync::Notify;

use crate::bucket::Bucket;
use crate::config::{LinkConfig, Transport};
use crate::duplicate::Window;
use crate::events::{Counters, Events};
use crate::hints::{LinkTag, link_tag};

/// One link while the gateway runs.
pub(crate) struct Link {
    pub(crate) config: LinkConfig,
    /// What names the link in the hints beside its entries.
    pub(crate) tag: LinkTag,
    pub(crate) window: Arc<Window>,
    pub(crate) bucket: Bucket,
    pub(crate) counters: Arc<Counters>,
    /// `None` on a plain link.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    connected: Mutex<Connected>,
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
        tls: Option<Arc<ServerConfig>>,
        events: &Events,
    ) -> Arc<Self> {
        let limits = &config.limits;
        Arc::new(Self {
            window: Window::new(limits.window_messages, limits.window()),
            bucket: Bucket::new(limits.messages_per_second, limits.burst_messages),
            counters: events.link(&config.name),
            tag: link_tag(config.name.as_str()),
            connected: Mutex::default(),
            tls,
            config,
        })
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
            Transport::Plain {
                expires,
                from_addresses,
                ..
            } => {
                let lasts = expires.is_none_or(|expires| now < expires.end());
                let known = if from_addresses.is_empty() {
                    address.is_loopback()
                } else {
                    from_addresses.contains(&address)
                };
                lasts && known
            }
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
