//! Where a device stands on the network: its MAC address, its IP address, or both.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The address of a network card (EUI-48).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac([u8; 6]);

/// An address of a device, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Its IP address.
    pub ip: Option<IpAddr>,
    /// Its MAC address; only where a protocol says so, because a frame's sender may be a router.
    pub mac: Option<Mac>,
}

impl Mac {
    /// The address of one card: neither zero nor a group's nor the broadcast address.
    pub fn of_card(bytes: &[u8]) -> Option<Self> {
        let bytes = <[u8; 6]>::try_from(bytes).ok()?;
        let [first, ..] = bytes;
        (bytes != [0; 6] && first & 1 == 0).then_some(Self(bytes))
    }

    /// Its six bytes.
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }

    /// Whether software chose it, so that its prefix names no manufacturer.
    pub const fn is_local(self) -> bool {
        let [first, ..] = self.0;
        first & 2 != 0
    }
}

impl FromStr for Mac {
    type Err = ();

    /// Reads what [`Mac`] shows: pairs of hex digits with colons between them.
    fn from_str(text: &str) -> Result<Self, ()> {
        let pairs = text
            .split(':')
            .map(|pair| u8::from_str_radix(pair, 16).map_err(|_| ()));
        Self::of_card(&pairs.collect::<Result<Vec<u8>, ()>>()?).ok_or(())
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({self})")
    }
}

impl Address {
    /// The address with this IP address alone.
    pub const fn of_ip(ip: IpAddr) -> Self {
        Self {
            ip: Some(ip),
            mac: None,
        }
    }

    /// The address with this MAC address alone.
    pub const fn of_mac(mac: Mac) -> Self {
        Self {
            ip: None,
            mac: Some(mac),
        }
    }
}

/// Whether this is the address of one machine: not unspecified, a group's or the broadcast address.
pub(crate) fn is_machine(ip: IpAddr) -> bool {
    !ip.is_unspecified() && !ip.is_multicast() && !matches!(ip, IpAddr::V4(v4) if v4.is_broadcast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_of_one_card_is_taken() {
        let mac = Mac::of_card(&[0, 0x10, 0x7f, 1, 2, 0xab]).unwrap();
        assert_eq!(mac.to_string(), "00:10:7f:01:02:ab");
        assert_eq!(mac.to_string().parse(), Ok(mac));
        assert_eq!("00:10:7f".parse::<Mac>(), Err(()));
        assert!(!mac.is_local());
        assert!(Mac::of_card(&[2, 0, 0, 0, 0, 1]).unwrap().is_local());
        for bytes in [&[0u8; 6][..], &[0xff; 6], &[1, 0, 0x5e, 0, 0, 1], &[0; 5]] {
            assert_eq!(Mac::of_card(bytes), None);
        }
    }

    #[test]
    fn groups_and_broadcast_are_no_machine() {
        for (text, expected) in [
            ("10.0.0.1", true),
            ("fe80::1", true),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("224.0.0.251", false),
            ("ff02::fb", false),
        ] {
            assert_eq!(is_machine(text.parse().unwrap()), expected, "{text}");
        }
    }
}
