//! Conduits: which conversations of a device there are, in which direction, and what people decided.
//!
//! It must never hold a client's port, which is another each time, or anything of what was said.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use labward_base::Timestamp;
use labward_capture::conversation::{Carrier, Conversation, port_name};
use serde::{Deserialize, Serialize};

use crate::network::{Network, is_local};

/// The number of ICMP among the protocols of IP.
pub(crate) const ICMP: u8 = 1;
/// The number of TCP.
pub(crate) const TCP: u8 = 6;
/// The number of UDP.
pub(crate) const UDP: u8 = 17;
/// The number of ICMP for IPv6.
pub(crate) const ICMPV6: u8 = 58;

/// Ports in a row, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ports {
    first: u16,
    last: u16,
}

/// What is asked for: a protocol, and the port of whoever is asked.
///
/// Its text is `tcp/2575`, `udp/1024-2048`, `icmp`, `icmpv6`, or `ip-` and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Service {
    /// Another protocol of IP, by its number.
    Other(u8),
    /// TCP, to these ports.
    Tcp(Ports),
    /// UDP, to these ports.
    Udp(Ports),
}

/// Text that is no service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read a service: expected one such as tcp/2575, udp/1024-2048, icmp or ip-47")]
pub struct NotAService;

/// Who opens the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The peer asks, the device answers.
    Inbound,
    /// The device asks, the peer answers.
    Outbound,
}

/// What a person decided about a conduit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is allowed.
    Approved,
    /// It was observed, and nobody decided yet: it is not allowed.
    Learned,
    /// It is not to be.
    Refused,
}

/// What was counted of a conduit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Packets in both directions.
    pub packets: u64,
    /// Bytes in both directions.
    pub bytes: u64,
    /// The first packet (RFC 3339).
    #[serde(with = "moment")]
    pub first: Timestamp,
    /// The last packet (RFC 3339).
    #[serde(with = "moment")]
    pub last: Timestamp,
}

/// One kind of conversation between a device and a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conduit {
    /// Who opens it.
    pub direction: Direction,
    /// With whom: an address, a network, or a group's address.
    pub peer: Network,
    /// What is asked for.
    pub service: Service,
    /// What a person decided.
    pub decision: Decision,
    /// What the service is usually called, or was recognised as; for people only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<String>,
    /// What was counted; nothing if a person added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// Why a person decided so; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A conversation that was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Who asked.
    pub client: IpAddr,
    /// Who was asked; a group's address if many were.
    pub server: IpAddr,
    /// What was asked for.
    pub service: Service,
    /// What it was recognised as, if it was.
    pub known_as: Option<String>,
    /// What was counted.
    pub seen: Seen,
}

impl Ports {
    /// One port; `None` for 0, which is none.
    pub const fn one(port: u16) -> Option<Self> {
        Self::range(port, port)
    }

    /// The ports from `first` to `last`; `None` if there are none.
    pub const fn range(first: u16, last: u16) -> Option<Self> {
        if first == 0 || first > last {
            return None;
        }
        Some(Self { first, last })
    }

    /// The first of them.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The last of them.
    pub const fn last(self) -> u16 {
        self.last
    }

    const fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

impl Service {
    /// TCP to one port; `None` for port 0.
    pub fn tcp(port: u16) -> Option<Self> {
        Ports::one(port).map(Self::Tcp)
    }

    /// UDP to one port; `None` for port 0.
    pub fn udp(port: u16) -> Option<Self> {
        Ports::one(port).map(Self::Udp)
    }

    /// TCP or UDP to these ports, or without a port another protocol.
    pub(crate) const fn of(protocol: u8, ports: Ports) -> Self {
        match protocol {
            TCP => Self::Tcp(ports),
            UDP => Self::Udp(ports),
            other => Self::Other(other),
        }
    }

    /// The number of its protocol among those of IP.
    pub const fn protocol(self) -> u8 {
        match self {
            Self::Other(number) => number,
            Self::Tcp(_) => TCP,
            Self::Udp(_) => UDP,
        }
    }

    /// The name of its protocol, as in its text.
    pub fn protocol_name(self) -> String {
        match self {
            Self::Other(number) => Carrier::Other(number).name(),
            Self::Tcp(_) => Carrier::Tcp.name(),
            Self::Udp(_) => Carrier::Udp.name(),
        }
    }

    /// Its ports, if its protocol has any.
    pub const fn ports(self) -> Option<Ports> {
        match self {
            Self::Other(_) => None,
            Self::Tcp(ports) | Self::Udp(ports) => Some(ports),
        }
    }

    /// What is registered for its port or usual there, if it is one port.
    pub fn usual_name(self) -> Option<&'static str> {
        let ports = self.ports().filter(|ports| ports.first == ports.last)?;
        let carrier = match self {
            Self::Tcp(_) => Carrier::Tcp,
            _ => Carrier::Udp,
        };
        port_name(carrier, ports.first)
    }

    /// Whether it holds all that `other` is.
    pub fn covers(self, other: Self) -> bool {
        match (self.ports(), other.ports()) {
            (Some(mine), Some(others)) => {
                self.protocol() == other.protocol() && mine.covers(others)
            }
            (mine, others) => mine == others && self.protocol() == other.protocol(),
        }
    }
}

impl Direction {
    /// Its name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl Decision {
    /// Its name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Learned => "learned",
            Self::Refused => "refused",
        }
    }
}

impl Conduit {
    /// What makes it another conduit of its device.
    pub(crate) const fn key(&self) -> (Direction, Network, Service) {
        (self.direction, self.peer, self.service)
    }

    /// Whether it is of this direction and holds all that peer and service are.
    pub fn covers(&self, direction: Direction, peer: Network, service: Service) -> bool {
        self.direction == direction && self.peer.covers(peer) && self.service.covers(service)
    }

    /// Whether it never leaves the link, so that no router sees it: link-local addresses and groups, broadcast.
    pub fn is_local(&self) -> bool {
        self.peer.is_host() && is_local(self.peer.address())
    }
}

impl Observation {
    /// What captured traffic shows; `None` for TCP or UDP without a port.
    pub fn of(conversation: &Conversation) -> Option<Self> {
        let parties = conversation.parties;
        let service = match parties.carrier {
            Carrier::Other(number) => Service::Other(number),
            Carrier::Tcp => Service::tcp(parties.port)?,
            Carrier::Udp => Service::udp(parties.port)?,
        };
        Some(Self {
            client: parties.client.to_canonical(),
            server: parties.server.to_canonical(),
            service,
            known_as: conversation.protocol.map(|(name, _)| name.to_owned()),
            seen: Seen {
                packets: conversation.packets,
                bytes: conversation.bytes,
                first: conversation.first,
                last: conversation.last,
            },
        })
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => self.first.fmt(f),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

impl FromStr for Ports {
    type Err = NotAService;

    fn from_str(text: &str) -> Result<Self, NotAService> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| text.parse::<u16>().map_err(|_| NotAService);
        Self::range(port(first)?, port(last)?).ok_or(NotAService)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol_name())?;
        self.ports().map_or(Ok(()), |ports| write!(f, "/{ports}"))
    }
}

impl FromStr for Service {
    type Err = NotAService;

    fn from_str(text: &str) -> Result<Self, NotAService> {
        if let Some((protocol, ports)) = text.split_once('/') {
            return match protocol {
                "tcp" => ports.parse().map(Self::Tcp),
                "udp" => ports.parse().map(Self::Udp),
                _ => Err(NotAService),
            };
        }
        let number = match text {
            "icmp" => ICMP,
            "icmpv6" => ICMPV6,
            "igmp" => 2,
            text => text
                .strip_prefix("ip-")
                .and_then(|number| number.parse().ok())
                .ok_or(NotAService)?,
        };
        // Without a port TCP and UDP would mean all of them, which is said as a range.
        (number != TCP && number != UDP)
            .then_some(Self::Other(number))
            .ok_or(NotAService)
    }
}

impl TryFrom<String> for Service {
    type Error = NotAService;

    fn try_from(text: String) -> Result<Self, NotAService> {
        text.parse()
    }
}

impl From<Service> for String {
    fn from(service: Service) -> Self {
        service.to_string()
    }
}

/// A moment as text (RFC 3339).
mod moment {
    use labward_base::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        moment: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&moment.to_rfc3339())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse_rfc3339(&text)
            .ok_or_else(|| D::Error::custom("expected a moment such as 2026-11-22T20:33:00Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_read_back_as_shown_and_nothing_else_is_read() {
        for text in [
            "tcp/2575",
            "udp/1024-2048",
            "icmp",
            "icmpv6",
            "igmp",
            "ip-47",
            "ip-0",
        ] {
            assert_eq!(text.parse::<Service>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "tcp",
            "tcp/0",
            "tcp/2-1",
            "tcp/65536",
            "sctp/1",
            "ip-6",
            "ip-17",
            "ip-256",
            "tcp/1-2-3",
        ] {
            assert_eq!(text.parse::<Service>(), Err(NotAService), "{text}");
        }
        assert_eq!("ip-1".parse(), Ok(Service::Other(ICMP)));
    }

    #[test]
    fn a_service_covers_what_lies_in_its_ports() {
        let service = |text: &str| text.parse::<Service>().unwrap();
        assert!(service("tcp/1000-2000").covers(service("tcp/1000")));
        assert!(!service("tcp/1000-2000").covers(service("udp/1000")));
        assert!(!service("tcp/1000").covers(service("tcp/1000-2000")));
        assert!(service("icmp").covers(service("icmp")));
        assert!(!service("icmp").covers(service("icmpv6")));
        assert!(!service("icmp").covers(service("tcp/1")));
        assert_eq!(service("tcp/2575").usual_name(), Some("HL7 v2"));
        assert_eq!(service("udp/123").usual_name(), Some("NTP"));
        assert_eq!(service("tcp/1-65535").usual_name(), None);
    }
}
