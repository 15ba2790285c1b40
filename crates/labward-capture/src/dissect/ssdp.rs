//! SSDP of UPnP: what `SERVER` says of system and product.
//!
//! It must never follow a `LOCATION`, nor take what is searched for as what is there.

use crate::sighting::{Attribute, Facts, Source};

/// As many lines of a datagram are read.
const LINES_MAX: usize = 64;

/// What a notification, an answer or a search says of its sender.
pub fn read(bytes: &[u8]) -> Option<Facts> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n").take(LINES_MAX);
    let first = lines.next()?;
    let is_search = first.starts_with("M-SEARCH * HTTP/1.");
    if !is_search && !first.starts_with("NOTIFY * HTTP/1.") && !first.starts_with("HTTP/1.1 200") {
        return None;
    }
    let mut facts = Facts::new(Source::Ssdp);
    // The last line is whole only if an empty one follows it.
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return Some(facts);
    };
    for line in head.split("\r\n").skip(1).take(LINES_MAX) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match (is_search, name.trim().to_ascii_uppercase().as_str()) {
            (false, "SERVER") | (true, "USER-AGENT") => server(value, &mut facts),
            (false, "NT" | "ST") => {
                // urn:schemas-upnp-org:device:MediaRenderer:1
                let mut parts = value.trim().split(':').skip(2);
                if let (Some("device"), Some(kind)) = (parts.next(), parts.next()) {
                    facts.stated(Attribute::Service, &format!("UPnP {kind}"));
                }
            }
            _ => {}
        }
    }
    Some(facts)
}

/// `OS/version UPnP/version product/version`.
fn server(value: &str, facts: &mut Facts) {
    let Some((system, rest)) = value.split_once("UPnP/") else {
        return;
    };
    let system = system.trim().trim_end_matches(',').replacen('/', " ", 1);
    facts.likely(Attribute::OperatingSystem, &system);
    let product = rest
        .split_once([' ', ','])
        .map_or("", |(_, product)| product.trim());
    match product.rsplit_once('/') {
        Some((name, version)) => {
            facts.likely(Attribute::Product, name);
            facts.likely(Attribute::Version, version);
        }
        None => facts.likely(Attribute::Product, product),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::check::said;

    #[test]
    fn a_notification_says_system_and_product() {
        let bytes = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\
            NT: urn:schemas-upnp-org:device:Printer:1\r\n\
            Server: Linux/3.14 UPnP/1.0 Acme Label Printer/2.7\r\n\r\n";
        assert_eq!(
            said(&read(bytes).unwrap()),
            [
                (Attribute::Service, "UPnP Printer"),
                (Attribute::OperatingSystem, "Linux 3.14"),
                (Attribute::Product, "Acme Label Printer"),
                (Attribute::Version, "2.7"),
            ]
        );
    }

    #[test]
    fn what_is_searched_for_is_not_what_is_there() {
        let bytes = b"M-SEARCH * HTTP/1.1\r\nST: urn:schemas-upnp-org:device:Printer:1\r\n\r\n";
        assert!(read(bytes).unwrap().facts().is_empty());
    }

    #[test]
    fn a_cut_datagram_and_another_protocol_say_nothing() {
        let cut = b"NOTIFY * HTTP/1.1\r\nSERVER: Linux/3.14 UPnP/1.0 Ac";
        assert!(read(cut).unwrap().facts().is_empty());
        assert!(read(b"GET / HTTP/1.1\r\n\r\n").is_none());
    }
}
