//! NetBIOS name service (RFC 1002): names that a machine registers, answers for, or lists.
//!
//! It must never take a name that is only asked for.

use std::net::{IpAddr, Ipv4Addr};

use crate::Mac;
use crate::address::{Address, is_machine};
use crate::bytes::Cursor;
use crate::sighting::{About, Attribute, Facts, Source};

const NB: u16 = 0x20;
const NBSTAT: u16 = 0x21;
/// As many names of a list are read.
const NAMES_MAX: usize = 64;

/// A name and what it is for.
struct Name {
    text: String,
    /// 0x00 workstation, 0x1b domain master, 0x1c domain controllers, 0x20 file server.
    suffix: u8,
}

/// What a message says.
pub fn read(bytes: &[u8]) -> Option<Facts> {
    let mut message = Cursor::new(bytes);
    message.skip(2)?;
    let flags = message.u16()?;
    let [questions, answers] = [message.u16()?, message.u16()?];
    message.skip(4)?;
    let operation = flags >> 11 & 0xf;
    let is_response = flags & 0x8000 != 0;
    let mut facts = Facts::new(Source::Netbios);
    match (is_response, operation) {
        // Registration and refresh: the name that is asked for is to be the speaker's own.
        (false, 5 | 8 | 9) if questions == 1 => {
            let name = name(&mut message)?;
            message.skip(4)?;
            let (address, is_group) = registered(&mut message)?;
            if !is_group {
                own(&name, address, &mut facts);
            }
        }
        (true, 0) if answers > 0 && flags & 0xf == 0 => {
            let name = name(&mut message)?;
            let kind = message.u16()?;
            message.skip(6)?;
            let length = usize::from(message.u16()?);
            let data = message.take(length)?;
            match kind {
                NB => {
                    let mut data = Cursor::new(data);
                    let (address, is_group) = entry(&mut data)?;
                    if !is_group {
                        own(&name, address, &mut facts);
                    }
                }
                NBSTAT => status(data, &mut facts)?,
                _ => return None,
            }
        }
        _ => {}
    }
    Some(facts)
}

fn own(name: &Name, address: Ipv4Addr, facts: &mut Facts) {
    let ip = IpAddr::from(address);
    if matches!(name.suffix, 0 | 0x20) && is_machine(ip) {
        facts.about(About::Address(Address::of_ip(ip)));
        facts.stated(Attribute::Hostname, &name.text);
        facts.about(About::Speaker);
    }
}

/// The additional record of a registration.
fn registered(message: &mut Cursor<'_>) -> Option<(Ipv4Addr, bool)> {
    match message.u8()? {
        0xc0.. => message.skip(1)?,
        length => message.skip(usize::from(length) + 1)?,
    }
    if message.u16()? != NB {
        return None;
    }
    message.skip(6)?;
    let length = usize::from(message.u16()?);
    entry(&mut Cursor::new(message.take(length)?))
}

/// Flags, of which the highest says that many share the name, and an address.
fn entry(data: &mut Cursor<'_>) -> Option<(Ipv4Addr, bool)> {
    let flags = data.u16()?;
    let address: [u8; 4] = data.array()?;
    Some((address.into(), flags & 0x8000 != 0))
}

/// A node's own list of its names, and its card.
fn status(data: &[u8], facts: &mut Facts) -> Option<()> {
    let mut data = Cursor::new(data);
    let count = usize::from(data.u8()?).min(NAMES_MAX);
    for _ in 0..count {
        let raw = data.take(15)?;
        let suffix = data.u8()?;
        let flags = data.u16()?;
        if suffix == 0 && flags & 0x8000 == 0 {
            facts.stated(Attribute::Hostname, &String::from_utf8_lossy(raw));
        }
        if matches!(suffix, 0x1b | 0x1c) {
            facts.hint(Attribute::Role, "domain controller");
        }
    }
    if let Some(mac) = data.take(6).and_then(Mac::of_card) {
        facts.stated(Attribute::MacAddress, &mac.to_string());
    }
    Some(())
}

/// A name in the first-level encoding: each byte as two letters from A to P (RFC 1001, 14.1).
fn name(message: &mut Cursor<'_>) -> Option<Name> {
    if message.u8()? != 32 {
        return None;
    }
    let letters = message.take(32)?;
    let nibble = |letter: u8| letter.checked_sub(b'A').filter(|nibble| *nibble < 16);
    let mut bytes = Vec::with_capacity(16);
    for pair in letters.chunks_exact(2) {
        let [high, low] = <[u8; 2]>::try_from(pair).ok()?;
        bytes.push(nibble(high)? << 4 | nibble(low)?);
    }
    // A scope may follow; the name ends with an empty label.
    loop {
        match message.u8()? {
            0 => break,
            length @ 1..=63 => message.skip(length.into())?,
            _ => return None,
        }
    }
    let suffix = bytes.pop()?;
    let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
    Some(Name { text, suffix })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::netbios_name;
    use crate::dissect::check::{of, said};

    fn message(flags: u16, counts: [u16; 4], rest: &[&[u8]]) -> Vec<u8> {
        let mut bytes = [&[0, 7][..], &flags.to_be_bytes()].concat();
        bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        bytes.extend(rest.concat());
        bytes
    }

    #[test]
    fn a_registered_name_is_the_machines_own_and_a_groups_is_not() {
        for (flags, expected) in [(0u8, Some("XN550-PC")), (0x80, None)] {
            let data = [
                0xc0, 12, 0, 0x20, 0, 1, 0, 0, 0, 0, 0, 6, flags, 0, 10, 0, 0, 7,
            ];
            let name = netbios_name("XN550-PC", 0);
            let bytes = message(0x2910, [1, 0, 0, 1], &[&name, &[0, 0x20, 0, 1], &data]);
            let facts = read(&bytes).unwrap();
            let about = About::Address(Address::of_ip("10.0.0.7".parse().unwrap()));
            assert_eq!(of(&facts, about).first().map(|one| one.1), expected);
        }
    }

    #[test]
    fn a_name_that_is_asked_for_is_nobodys() {
        let name = netbios_name("LIS-SERVER", 0x20);
        let bytes = message(0x0110, [1, 0, 0, 0], &[&name, &[0, 0x20, 0, 1]]);
        assert!(read(&bytes).unwrap().facts().is_empty());
    }

    #[test]
    fn an_answer_says_whose_the_name_is() {
        let name = netbios_name("LIS-SERVER", 0x20);
        let data = [0, 0x20, 0, 1, 0, 0, 0, 60, 0, 6, 0, 0, 10, 0, 0, 9];
        let facts = read(&message(0x8580, [0, 1, 0, 0], &[&name, &data])).unwrap();
        let about = About::Address(Address::of_ip("10.0.0.9".parse().unwrap()));
        assert_eq!(of(&facts, about), [(Attribute::Hostname, "LIS-SERVER")]);
    }

    #[test]
    fn a_status_lists_name_and_card_and_not_the_workgroup() {
        let entry = |name: &str, suffix: u8, flags: u8| {
            let mut bytes = format!("{name:15}").into_bytes();
            bytes.extend([suffix, flags, 0]);
            bytes
        };
        let list = [
            vec![2],
            entry("XN550-PC", 0, 4),
            entry("WORKGROUP", 0, 0x84),
            vec![0x00, 0x1b, 0x21, 1, 2, 3],
        ]
        .concat();
        let name = netbios_name("*", 0);
        let head = [
            0,
            0x21,
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            u8::try_from(list.len()).unwrap(),
        ];
        let facts = read(&message(0x8400, [0, 1, 0, 0], &[&name, &head, &list])).unwrap();
        assert_eq!(
            said(&facts),
            [
                (Attribute::Hostname, "XN550-PC"),
                (Attribute::MacAddress, "00:1b:21:01:02:03"),
            ]
        );
    }
}
