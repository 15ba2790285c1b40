//! Multicast DNS and DNS-SD (RFC 6762, 6763): host names of addresses, services, and what TXT says of a model.
//!
//! It must never take the name of a service's instance: people put their own names there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::address::{Address, is_machine};
use crate::bytes::{Cursor, from};
use crate::sighting::{About, Attribute, Facts, Source};

/// As many records of a message are read.
const RECORDS_MAX: usize = 128;
/// As many pointers of a name are followed.
const POINTERS_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 255;

/// What the keys of TXT records mean, as printers, scanners and small devices use them.
const KEYS: &[(&str, Attribute)] = &[
    ("firmware", Attribute::Version),
    ("fv", Attribute::Version),
    ("fw_version", Attribute::Version),
    ("manufacturer", Attribute::Manufacturer),
    ("md", Attribute::Model),
    ("mf", Attribute::Manufacturer),
    ("mfg", Attribute::Manufacturer),
    ("model", Attribute::Model),
    ("serialnumber", Attribute::SerialNumber),
    ("sn", Attribute::SerialNumber),
    ("ty", Attribute::Model),
    ("usb_mdl", Attribute::Model),
    ("usb_mfg", Attribute::Manufacturer),
    ("vendor", Attribute::Manufacturer),
];

/// What a message says; questions say nothing.
pub fn read(bytes: &[u8]) -> Option<Facts> {
    let mut message = Cursor::new(bytes);
    message.skip(2)?;
    let flags = message.u16()?;
    if flags & 0xf800 != 0x8000 {
        return None;
    }
    let counts = [
        message.u16()?,
        message.u16()?,
        message.u16()?,
        message.u16()?,
    ];
    let [questions, records @ ..] = counts.map(usize::from);
    let mut facts = Facts::new(Source::Mdns);
    for _ in 0..questions.min(RECORDS_MAX) {
        skip_name(&mut message)?;
        message.skip(4)?;
    }
    for _ in 0..records.iter().sum::<usize>().min(RECORDS_MAX) {
        if record(bytes, &mut message, &mut facts).is_none() {
            break;
        }
    }
    Some(facts)
}

fn record(whole: &[u8], message: &mut Cursor<'_>, facts: &mut Facts) -> Option<()> {
    let at = whole.len() - message.rest().len();
    skip_name(message)?;
    let kind = message.u16()?;
    message.skip(6)?;
    let length = usize::from(message.u16()?);
    let place = whole.len() - message.rest().len();
    let data = message.take(length)?;
    match kind {
        1 => host::<4>(whole, at, data, facts),
        28 => host::<16>(whole, at, data, facts),
        // PTR: the name that is asked for is a kind of service.
        12 => {
            let service = name(whole, at).unwrap_or_default();
            match service.strip_suffix(".local") {
                Some("_services._dns-sd._udp") => {
                    let named = name(whole, place).unwrap_or_default();
                    service_kind(named.strip_suffix(".local").unwrap_or_default(), facts);
                }
                Some(kind) => service_kind(kind, facts),
                None => {}
            }
        }
        13 => {
            let mut data = Cursor::new(data);
            let cpu = usize::from(data.u8()?);
            data.skip(cpu)?;
            let length = usize::from(data.u8()?);
            facts.stated(
                Attribute::OperatingSystem,
                &String::from_utf8_lossy(data.take(length)?),
            );
        }
        16 => text(data, facts),
        _ => {}
    }
    Some(())
}

/// A or AAAA: the name belongs to the address, whoever says it.
fn host<const N: usize>(whole: &[u8], at: usize, data: &[u8], facts: &mut Facts) {
    let ip = match data.len() {
        4 if N == 4 => <[u8; 4]>::try_from(data).map(|a| IpAddr::from(Ipv4Addr::from(a))),
        16 if N == 16 => <[u8; 16]>::try_from(data).map(|a| IpAddr::from(Ipv6Addr::from(a))),
        _ => return,
    };
    let name = name(whole, at).unwrap_or_default();
    if let (Ok(ip), Some(host)) = (ip, name.strip_suffix(".local"))
        && is_machine(ip)
    {
        facts.about(About::Address(Address::of_ip(ip)));
        facts.stated(Attribute::Hostname, host);
        facts.about(About::Speaker);
    }
}

/// `_ipp._tcp`, and nothing that stands before it.
fn service_kind(kind: &str, facts: &mut Facts) {
    let is_kind = kind.starts_with('_') && (kind.ends_with("._tcp") || kind.ends_with("._udp"));
    if is_kind && !kind.contains("._sub.") {
        facts.stated(Attribute::Service, kind);
    }
}

fn text(data: &[u8], facts: &mut Facts) {
    let mut data = Cursor::new(data);
    while let Some(entry) = data.u8().and_then(|length| data.take(length.into())) {
        let entry = String::from_utf8_lossy(entry);
        let Some((key, value)) = entry.split_once('=') else {
            continue;
        };
        let key = key.to_ascii_lowercase();
        if let Some((_, attribute)) = KEYS.iter().find(|(known, _)| *known == key) {
            facts.likely(*attribute, value);
        }
    }
}

fn skip_name(message: &mut Cursor<'_>) -> Option<()> {
    loop {
        match message.u8()? {
            0 => return Some(()),
            length @ 1..=63 => message.skip(length.into())?,
            0xc0.. => return message.skip(1),
            _ => return None,
        }
    }
}

/// The name at a place of the message, its pointers followed.
fn name(whole: &[u8], mut at: usize) -> Option<String> {
    let mut name = String::new();
    let mut pointers = 0;
    loop {
        let mut rest = Cursor::new(from(whole, at));
        match rest.u8()? {
            0 => return Some(name),
            length @ 1..=63 => {
                let label = rest.take(length.into())?;
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(&String::from_utf8_lossy(label));
                at += usize::from(length) + 1;
            }
            high @ 0xc0.. => {
                at = usize::from(high & 0x3f) << 8 | usize::from(rest.u8()?);
                pointers += 1;
            }
            _ => return None,
        }
        if pointers > POINTERS_MAX || name.len() > NAME_BYTES_MAX {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{dns, dns_name};
    use crate::dissect::check::{of, said};

    #[test]
    fn a_host_name_belongs_to_its_address() {
        let bytes = dns(&[(dns_name("afinion-2.local"), 1, vec![10, 0, 0, 7])]);
        let facts = read(&bytes).unwrap();
        let about = About::Address(Address::of_ip("10.0.0.7".parse().unwrap()));
        assert_eq!(of(&facts, about), [(Attribute::Hostname, "afinion-2")]);
    }

    #[test]
    fn a_service_is_taken_and_the_name_of_its_instance_is_not() {
        let records = [
            (
                dns_name("_ipp._tcp.local"),
                12,
                dns_name("Jane's printer._ipp._tcp.local"),
            ),
            (
                dns_name("_services._dns-sd._udp.local"),
                12,
                dns_name("_http._tcp.local"),
            ),
            (
                dns_name("Jane's printer._ipp._tcp.local"),
                16,
                b"\x0bty=Zebra ZD\x0anote=Jane!\x08sn=A-123".to_vec(),
            ),
        ];
        let facts = read(&dns(&records)).unwrap();
        assert_eq!(
            said(&facts),
            [
                (Attribute::Service, "_ipp._tcp"),
                (Attribute::Service, "_http._tcp"),
                (Attribute::Model, "Zebra ZD"),
                (Attribute::SerialNumber, "A-123"),
            ]
        );
        assert!(!format!("{facts:?}").contains("Jane"));
    }

    #[test]
    fn a_name_that_points_to_itself_comes_to_an_end() {
        let facts = read(&dns(&[(vec![0xc0, 12], 1, vec![10, 0, 0, 7])])).unwrap();
        assert!(facts.facts().is_empty());
    }

    #[test]
    fn a_question_says_nothing() {
        let mut bytes = dns(&[(dns_name("a.local"), 1, vec![10, 0, 0, 7])]);
        bytes[2] = 0;
        assert!(read(&bytes).is_none());
    }
}
