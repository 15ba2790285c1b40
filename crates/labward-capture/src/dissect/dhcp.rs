//! DHCP (RFC 2131, 2132): options 12, 55, 60, 61 and 81 of a client, and which address it got.
//!
//! It must never take an address that was asked for and not given.

use std::net::{IpAddr, Ipv4Addr};

use labward_base::hex;

use crate::Mac;
use crate::address::{Address, is_machine};
use crate::bytes::Cursor;
use crate::sighting::{About, Attribute, Confidence, Facts, Source};

const COOKIE: u32 = 0x6382_5363;
const ACK: u8 = 5;
/// As many options are read.
const OPTIONS_MAX: usize = 128;

/// What a message says.
pub fn read(bytes: &[u8]) -> Option<Facts> {
    let mut message = Cursor::new(bytes);
    let is_request = match message.u8()? {
        1 => true,
        2 => false,
        _ => return None,
    };
    let [kind, length] = message.array()?;
    message.skip(9)?;
    let [own, given] = [message.array()?, message.array()?].map(|a: [u8; 4]| Ipv4Addr::from(a));
    message.skip(8)?;
    let hardware = message.take(16)?;
    let mac = (kind == 1 && length == 6)
        .then(|| Mac::of_card(hardware.get(..6)?))
        .flatten();
    message.skip(64 + 128)?;
    if message.u32()? != COOKIE {
        return None;
    }
    let options = options(message);
    let mut facts = Facts::new(Source::Dhcp);
    if is_request {
        let own = IpAddr::from(own);
        let client = Address {
            ip: is_machine(own).then_some(own),
            mac,
        };
        client_options(client, &options, &mut facts);
    } else if options
        .iter()
        .any(|(code, value)| (*code, *value) == (53, &[ACK][..]))
    {
        facts.stated(Attribute::Role, "DHCP server");
        let given = IpAddr::from(given);
        if let (Some(mac), true) = (mac, is_machine(given)) {
            let client = Address {
                ip: Some(given),
                mac: Some(mac),
            };
            facts.bind(mac, client, Confidence::Stated);
        }
    }
    Some(facts)
}

fn client_options(client: Address, options: &[(u8, &[u8])], facts: &mut Facts) {
    if client == Address::default() {
        return;
    }
    facts.about(About::Address(client));
    if let (Some(mac), Some(_)) = (client.mac, client.ip) {
        facts.bind(mac, client, Confidence::Stated);
    }
    for (code, value) in options {
        let text = String::from_utf8_lossy(value);
        let text = text.trim_end_matches('\0');
        match code {
            12 => facts.stated(Attribute::Hostname, text),
            55 => facts.stated(Attribute::DhcpParameters, &numbers(value)),
            60 => {
                facts.stated(Attribute::VendorClass, text);
                if text.starts_with("MSFT 5.0") {
                    facts.hint(Attribute::OperatingSystem, "Windows");
                }
            }
            61 => identifier(value, client, facts),
            // Flags and two reserved bytes; bit 2 says that the name is in the form of DNS.
            81 => {
                if let [flags, _, _, name @ ..] = value {
                    let name = match flags & 4 {
                        0 => String::from_utf8_lossy(name).into_owned(),
                        _ => labels(name),
                    };
                    facts.stated(Attribute::Hostname, &name);
                }
            }
            _ => {}
        }
    }
    facts.about(About::Speaker);
}

/// Option 61 in hex, unless it only repeats the MAC address.
fn identifier(value: &[u8], client: Address, facts: &mut Facts) {
    if let (Some((1, rest)), Some(mac)) = (value.split_first(), client.mac)
        && rest == mac.bytes()
    {
        return;
    }
    let start = value.get(..64).unwrap_or(value);
    facts.stated(Attribute::Identifier, &hex::encode(start));
}

fn numbers(value: &[u8]) -> String {
    let numbers: Vec<String> = value.iter().map(u8::to_string).collect();
    numbers.join(",")
}

fn labels(bytes: &[u8]) -> String {
    let mut cursor = Cursor::new(bytes);
    let mut name = String::new();
    while let Some(length) = cursor.u8().filter(|length| *length > 0) {
        let Some(label) = cursor.take(length.into()) else {
            break;
        };
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&String::from_utf8_lossy(label));
    }
    name
}

fn options(mut bytes: Cursor<'_>) -> Vec<(u8, &[u8])> {
    let mut options = Vec::new();
    while let Some(code) = bytes.u8() {
        match code {
            0 => continue,
            255 => break,
            _ => {}
        }
        let value = bytes.u8().and_then(|length| bytes.take(length.into()));
        let Some(value) = value else { break };
        if options.len() == OPTIONS_MAX {
            break;
        }
        options.push((code, value));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::dhcp;
    use crate::dissect::check::{of, said};

    const MAC: [u8; 6] = [0x00, 0x10, 0x7f, 1, 2, 3];

    fn client(ip: Option<&str>) -> About {
        About::Address(Address {
            ip: ip.map(|ip| ip.parse().unwrap()),
            mac: Mac::of_card(&MAC),
        })
    }

    #[test]
    fn a_client_is_known_by_its_card_before_it_has_an_address() {
        let options: &[(u8, &[u8])] = &[
            (53, &[1]),
            (61, &[1, 0x00, 0x10, 0x7f, 1, 2, 3]),
            (12, b"XN550-PC"),
            (60, b"MSFT 5.0"),
            (55, &[1, 3, 6, 15, 31]),
            (50, &[10, 0, 0, 99]),
        ];
        let facts = read(&dhcp(1, MAC, [0; 4], [0; 4], options)).unwrap();
        assert_eq!(
            of(&facts, client(None)),
            [
                (Attribute::Hostname, "XN550-PC"),
                (Attribute::VendorClass, "MSFT 5.0"),
                (Attribute::OperatingSystem, "Windows"),
                (Attribute::DhcpParameters, "1,3,6,15,31"),
            ]
        );
        assert!(!format!("{facts:?}").contains("10.0.0.99"));
    }

    #[test]
    fn only_an_acknowledgement_binds_card_and_address() {
        for (kind, is_bound) in [(2, false), (5, true)] {
            let facts = read(&dhcp(2, MAC, [0; 4], [10, 0, 0, 7], &[(53, &[kind])])).unwrap();
            let bound = of(&facts, client(Some("10.0.0.7")));
            assert_eq!(
                bound == [(Attribute::MacAddress, "00:10:7f:01:02:03")],
                is_bound
            );
            assert_eq!(said(&facts) == [(Attribute::Role, "DHCP server")], is_bound);
        }
    }

    #[test]
    fn a_name_in_the_form_of_dns_and_another_identifier_are_read() {
        let options: &[(u8, &[u8])] = &[(81, b"\x04\0\0\x04xn55\x03lab\0"), (61, &[0xff, 1, 2])];
        let facts = read(&dhcp(1, MAC, [10, 0, 0, 7], [0; 4], options)).unwrap();
        let said = of(&facts, client(Some("10.0.0.7")));
        assert!(
            said.contains(&(Attribute::Hostname, "xn55.lab")),
            "{said:?}"
        );
        assert!(
            said.contains(&(Attribute::Identifier, "ff0102")),
            "{said:?}"
        );
    }

    #[test]
    fn bytes_without_the_cookie_are_no_message() {
        let mut bytes = dhcp(1, MAC, [0; 4], [0; 4], &[]);
        bytes[236] = 0;
        assert!(read(&bytes).is_none());
    }
}
