//! An address or a prefix of addresses; which of them are public, and which no router forwards.
//!
//! It must never take two spellings of one address for two: mapped IPv4 addresses are IPv4.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address, or all addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    length: u8,
}

/// Text that is neither an address nor a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read an address: expected one such as 10.1.9.1, or a network whose host bits are zero such as 10.1.9.0/24"
)]
pub struct NotANetwork;

impl Network {
    /// The network of one address.
    pub fn host(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            length: bits(address),
        }
    }

    /// The network of all addresses whose first `length` bits are those of `address`; `None` if another
    /// bit is set, or `length` is too large.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        if length == bits(address) {
            return Some(Self::host(address));
        }
        let is_clean = masked(address, length)? == number(address);
        is_clean.then_some(Self { address, length })
    }

    /// Its first address.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many bits are fixed: 0 to 32, or to 128.
    pub const fn length(self) -> u8 {
        self.length
    }

    /// Whether it is one address.
    pub fn is_host(self) -> bool {
        self.length == bits(self.address)
    }

    /// Whether `ip` is one of its addresses.
    pub fn contains(self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.address.is_ipv4()
            && masked(ip, self.length) == Some(number(self.address))
    }

    /// Whether it holds all addresses of `other`.
    pub fn covers(self, other: Self) -> bool {
        self.length <= other.length && self.contains(other.address)
    }
}

const fn bits(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The first `length` bits of an address, the others zero; `None` if it has fewer.
fn masked(ip: IpAddr, length: u8) -> Option<u128> {
    let rest = u32::from(bits(ip).checked_sub(length)?);
    let ones = u128::MAX.checked_shl(rest).unwrap_or(0);
    Some(number(ip) & ones)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_host() {
            true => self.address.fmt(f),
            false => write!(f, "{}/{}", self.address, self.length),
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let ip = |text: &str| text.parse::<IpAddr>().map_err(|_| NotANetwork);
        match text.split_once('/') {
            None => Ok(Self::host(ip(text)?)),
            Some((address, length)) => {
                let length = length.parse().map_err(|_| NotANetwork)?;
                Self::new(ip(address)?, length).ok_or(NotANetwork)
            }
        }
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

/// Whether no router forwards what goes to this address: it means this machine or this link only.
pub fn is_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_unspecified()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                // The local network control block, 224.0.0.0/24 (RFC 5771).
                || v4.octets().starts_with(&[224, 0, 0])
        }
        IpAddr::V6(v6) => {
            v6.is_unspecified()
                || v6.is_loopback()
                || v6.is_unicast_link_local()
                // Groups of this machine and of this link (RFC 4291, 2.7).
                || matches!(v6.octets(), [0xff, scope, ..] if matches!(scope & 0x0f, 1 | 2))
        }
    }
}

/// Whether this address may be anywhere in the Internet: it is a machine's and not kept for inner networks.
pub fn is_public(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    !is_local(ip)
        && !ip.is_multicast()
        && match ip {
            IpAddr::V4(v4) => !v4.is_private() && !is_shared(v4),
            IpAddr::V6(v6) => !v6.is_unique_local(),
        }
}

/// 100.64.0.0/10, between a provider and its customers (RFC 6598).
fn is_shared(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 100 && second & 0xc0 == 64
}

/// Every address of one family.
pub fn everything(v6: bool) -> Network {
    let address = match v6 {
        true => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        false => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    Network { address, length: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_read_back_as_shown_and_host_bits_are_refused() {
        for text in [
            "10.1.9.1",
            "10.1.9.0/24",
            "0.0.0.0/0",
            "2001:db8::/32",
            "fd00::1",
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "10.1.9.1/24",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "x",
            "::1/129",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
        assert_eq!("10.1.9.1/32".parse(), Ok(Network::host(ip("10.1.9.1"))));
        assert_eq!("::ffff:10.1.9.1".parse(), Ok(Network::host(ip("10.1.9.1"))));
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        let network: Network = "10.1.8.0/22".parse().unwrap();
        for (text, expected) in [
            ("10.1.8.0", true),
            ("10.1.11.255", true),
            ("10.1.12.0", false),
            ("::ffff:10.1.9.1", true),
            ("::a01:900", false),
        ] {
            assert_eq!(network.contains(ip(text)), expected, "{text}");
        }
        assert!(network.covers("10.1.9.0/24".parse().unwrap()));
        assert!(!network.covers("10.0.0.0/8".parse().unwrap()));
        assert!(everything(false).covers(network) && !everything(true).covers(network));
    }

    #[test]
    fn public_addresses_are_those_that_no_inner_network_uses() {
        for (text, public, local) in [
            ("202.114.4.119", true, false),
            ("2606:4700::1", true, false),
            ("10.0.0.1", false, false),
            ("172.31.0.1", false, false),
            ("192.168.1.1", false, false),
            ("100.64.0.1", false, false),
            ("100.128.0.1", true, false),
            ("fd00::1", false, false),
            ("239.255.255.250", false, false),
            ("ff05::2", false, false),
            ("224.0.0.251", false, true),
            ("255.255.255.255", false, true),
            ("169.254.1.1", false, true),
            ("fe80::1", false, true),
            ("ff02::fb", false, true),
            ("::ffff:202.114.4.119", true, false),
        ] {
            assert_eq!(
                (is_public(ip(text)), is_local(ip(text))),
                (public, local),
                "{text}"
            );
        }
    }
}
