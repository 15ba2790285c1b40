//! LLDP (IEEE 802.1AB) and the inventory of LLDP-MED (ANSI/TIA-1057).
//!
//! It must never take the name of a port or a location for a device's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Mac;
use crate::address::Address;
use crate::bytes::Cursor;
use crate::sighting::{About, Attribute, Confidence, Facts, Source};

/// As many elements of a frame are read.
const ELEMENTS_MAX: usize = 64;
const TIA: [u8; 3] = [0x00, 0x12, 0xbb];

/// What a frame says, without its Ethernet header.
pub fn read(bytes: &[u8]) -> Option<Facts> {
    let mut frame = Cursor::new(bytes);
    let mut facts = Facts::new(Source::Lldp);
    let mut device = Address::default();
    let mut capabilities = None;
    let mut inventory = Vec::new();
    for n in 0..ELEMENTS_MAX {
        let Some((kind, value)) = element(&mut frame) else {
            break;
        };
        match (kind, value) {
            // A frame begins with its chassis (8.2).
            (1, [4, mac @ ..]) => device.mac = Mac::of_card(mac),
            (1, [5, address @ ..]) => device.ip = ip(address),
            (1, _) => {}
            _ if n == 0 => return None,
            (0, _) => break,
            (5, name) => inventory.push((Attribute::Hostname, name)),
            (6, description) => inventory.push((Attribute::OperatingSystem, description)),
            (7, [_, _, high, low]) => capabilities = Some(u16::from_be_bytes([*high, *low])),
            (8, [length, address @ ..]) => {
                let length = usize::from(*length);
                device.ip = address.get(..length).and_then(ip).or(device.ip);
            }
            (127, value) => {
                if let Some(found) = med(value) {
                    inventory.push(found);
                }
            }
            _ => {}
        }
    }
    facts.about(About::Address(device));
    if let (Some(mac), Some(_)) = (device.mac, device.ip) {
        facts.bind(mac, device, Confidence::Stated);
    }
    for (attribute, value) in inventory {
        facts.stated(attribute, &String::from_utf8_lossy(value));
    }
    for role in roles(capabilities.unwrap_or_default()) {
        facts.stated(Attribute::Role, role);
    }
    (device != Address::default()).then_some(facts)
}

fn element<'a>(frame: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let [high, low] = frame.array()?;
    let length = usize::from(high & 1) << 8 | usize::from(low);
    Some((high >> 1, frame.take(length)?))
}

/// An address behind its family (IANA): 1 is IPv4, 2 is IPv6.
fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.split_first()? {
        (1, address) => <[u8; 4]>::try_from(address)
            .ok()
            .map(|a| Ipv4Addr::from(a).into()),
        (2, address) => <[u8; 16]>::try_from(address)
            .ok()
            .map(|a| Ipv6Addr::from(a).into()),
        _ => None,
    }
}

fn med(value: &[u8]) -> Option<(Attribute, &[u8])> {
    let (organization, rest) = value.split_first_chunk::<3>()?;
    let (subtype, value) = rest.split_first()?;
    if *organization != TIA {
        return None;
    }
    let attribute = match subtype {
        6 | 7 => Attribute::Version,
        8 => Attribute::SerialNumber,
        9 => Attribute::Manufacturer,
        10 => Attribute::Model,
        _ => return None,
    };
    Some((attribute, value))
}

/// The capabilities that are enabled (8.5.8.1).
fn roles(bits: u16) -> impl Iterator<Item = &'static str> {
    [
        (0x04, "switch"),
        (0x08, "wireless access point"),
        (0x10, "router"),
        (0x20, "telephone"),
        (0x80, "station"),
    ]
    .into_iter()
    .filter_map(move |(bit, role)| (bits & bit != 0).then_some(role))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::lldp;
    use crate::dissect::check::of;

    #[test]
    fn a_frame_says_name_system_inventory_and_role() {
        let bytes = lldp(&[
            (1, b"\x04\x00\x1b\x21\x01\x02\x03"),
            (2, b"\x07port 7"),
            (3, b"\x00\x78"),
            (5, b"sw-lab-1"),
            (6, b"Acme OS 7.1"),
            (7, &[0, 0x14, 0, 0x04]),
            (8, &[5, 1, 10, 0, 0, 254, 2, 0, 0, 0, 1, 0]),
            (127, b"\x00\x12\xbb\x08SER-1"),
            (127, b"\x00\x12\xbb\x0aModel 9"),
            (127, b"\x00\x80\xc2\x01xx"),
        ]);
        let facts = read(&bytes).unwrap();
        let device = About::Address(Address {
            ip: Some("10.0.0.254".parse().unwrap()),
            mac: Mac::of_card(&[0x00, 0x1b, 0x21, 1, 2, 3]),
        });
        assert_eq!(
            of(&facts, device),
            [
                (Attribute::MacAddress, "00:1b:21:01:02:03"),
                (Attribute::Hostname, "sw-lab-1"),
                (Attribute::OperatingSystem, "Acme OS 7.1"),
                (Attribute::SerialNumber, "SER-1"),
                (Attribute::Model, "Model 9"),
                (Attribute::Role, "switch"),
            ]
        );
    }

    #[test]
    fn a_frame_without_a_chassis_or_address_says_nothing() {
        assert!(read(&lldp(&[(5, b"sw-lab-1")])).is_none());
        assert!(read(&lldp(&[(1, b"\x07local"), (5, b"sw-lab-1")])).is_none());
    }
}
