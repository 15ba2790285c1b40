//! What the bytes of one protocol say of a device: one module a protocol, each total and bounded.
//!
//! A dissector must never read a field that is not a device's, and never take a value that the end of
//! its bytes cut off.

pub mod astm;
pub mod dhcp;
pub mod dicom;
pub mod hl7;
pub mod lldp;
pub mod mdns;
pub mod netbios;
pub mod poct1;
pub mod smb;
pub mod ssdp;
pub mod ssh;
pub mod tls;

use crate::sighting::{Facts, Source};

/// What one direction of a stream says, on any port: it is recognised by its bytes.
///
/// `bytes` are its beginning, and may end anywhere.
pub fn stream(bytes: &[u8]) -> Option<Facts> {
    let readers = [
        hl7::stream,
        tls::stream,
        dicom::stream,
        smb::stream,
        ssh::stream,
        poct1::stream,
        astm::stream,
    ];
    readers.into_iter().find_map(|read| read(bytes))
}

/// What a UDP datagram from and to these ports says.
pub fn datagram(source: u16, target: u16, bytes: &[u8]) -> Option<Facts> {
    match (source, target) {
        (67 | 68, 67 | 68) => dhcp::read(bytes),
        (5353, _) => mdns::read(bytes),
        (137, _) | (_, 137) => netbios::read(bytes),
        (1900, _) | (_, 1900) => ssdp::read(bytes),
        _ => None,
    }
}

/// The name of the protocol of facts, as conversations show it.
pub fn protocol(source: Source) -> Option<&'static str> {
    let name = match source {
        Source::Astm => "ASTM",
        Source::Dhcp => "DHCP",
        Source::Dicom => "DICOM",
        Source::Hl7 => "HL7 v2",
        Source::Mdns => "mDNS",
        Source::Netbios => "NetBIOS",
        Source::Poct1a => "POCT1-A",
        Source::Smb | Source::Ntlm => "SMB",
        Source::Ssdp => "SSDP",
        Source::Ssh => "SSH",
        Source::Tls => "TLS",
        Source::Arp | Source::Ethernet | Source::Lldp | Source::Oui => return None,
    };
    Some(name)
}

#[cfg(test)]
pub(crate) mod check {
    //! What a dissector gave, in a form that is easy to compare.

    use crate::sighting::{About, Attribute, Facts};

    /// Attribute and value of what is said of the speaker.
    pub(crate) fn said(facts: &Facts) -> Vec<(Attribute, &str)> {
        of(facts, About::Speaker)
    }

    /// Attribute and value of what is said of one party.
    pub(crate) fn of(facts: &Facts, about: About) -> Vec<(Attribute, &str)> {
        let list = facts.facts().iter().filter(|fact| fact.about == about);
        list.map(|fact| (fact.attribute, fact.value.as_str()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What each protocol begins with, so that random bytes come further.
    const BEGINNINGS: &[&[u8]] = &[
        b"",
        b"\x0bMSH|^~\\&|A|B|C|D|",
        b"\x05\x021H|\\^&|||X^Y^Z|",
        b"\x01\x00\x00\x00\x00\x60\x00\x01",
        b"<HEL.R01><DEV><DEV.model_id V=\"",
        b"SSH-2.0-",
        b"\x16\x03\x03\x00\x40\x02\x00\x00\x3c",
        b"\x16\x03\x03\x00\x40\x0b\x00\x00\x3c",
        b"\x00\x00\x00\x70\xfeSMB\x40\x00",
        b"\x00\x00\x00\x70\xffSMB\x72NTLMSSP\x00\x02\x00\x00\x00",
        b"NOTIFY * HTTP/1.1\r\nSERVER:",
        b"\x00\x00\x84\x00\x00\x00\x00\x03\x00\x00\x00\x00\x01a\xc0\x0c",
    ];

    proptest! {
        #[test]
        fn any_bytes_give_facts_or_none(
            begin in 0..BEGINNINGS.len(),
            rest in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let bytes = [BEGINNINGS[begin], &rest].concat();
            let _ = stream(&bytes);
            for (source, target) in [(68, 67), (5353, 5353), (137, 137), (9, 1900)] {
                let _ = datagram(source, target, &bytes);
            }
            let _ = lldp::read(&bytes);
        }

        #[test]
        fn bytes_that_end_anywhere_say_no_other_value(cut in 0..400usize) {
            let whole = crate::build::every_stream();
            for bytes in &whole {
                let all = stream(bytes).unwrap();
                let Some(part) = bytes.get(..cut).and_then(stream) else { continue };
                for fact in part.facts() {
                    prop_assert!(all.facts().contains(fact), "{fact:?}");
                }
            }
        }
    }
}
