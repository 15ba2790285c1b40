//! What was seen of a device: attribute, value, source, confidence, time.
//!
//! It must never hold a value that no device field gave, nor a value without bound.

use labward_base::Timestamp;

use crate::{Address, Mac};

/// The longest value, in bytes; a longer one is cut at a character.
pub const VALUE_BYTES_MAX: usize = 256;
/// The most facts that one stream or datagram may give.
const FACTS_MAX: usize = 128;

macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its stable name, as it stands in JSON.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

names! {
    /// What a value says of a device.
    Attribute {
        /// The title of a DICOM application entity (PS3.8).
        AeTitle = "ae_title",
        /// The application of an HL7 header (MSH-3, MSH-5).
        Application = "application",
        /// Until when its TLS certificate is valid, RFC 3339.
        CertificateExpiry = "certificate_expiry",
        /// Who issued its TLS certificate.
        CertificateIssuer = "certificate_issuer",
        /// Whom its TLS certificate names.
        CertificateSubject = "certificate_subject",
        /// The DHCP options that it asks for, in its order: systems differ in it.
        DhcpParameters = "dhcp_parameters",
        /// The facility of an HL7 header (MSH-4, MSH-6), or what the lab called an analyzer.
        Facility = "facility",
        /// Its name on the network.
        Hostname = "hostname",
        /// An identifier that it gives itself: DHCP client identifier, EUI-64.
        Identifier = "identifier",
        /// The implementation class of its DICOM software, a UID (PS3.7 annex D).
        Implementation = "implementation",
        /// The lot that it was made in.
        Lot = "lot",
        /// The address of its network card.
        MacAddress = "mac_address",
        /// Who made it, or for a network card who made that.
        Manufacturer = "manufacturer",
        /// Its model.
        Model = "model",
        /// Its operating system.
        OperatingSystem = "operating_system",
        /// The build of its operating system.
        OsBuild = "os_build",
        /// The name of its software.
        Product = "product",
        /// A protocol that it speaks, with its version: `SMB 1`, `TLS 1.2`.
        Protocol = "protocol",
        /// What it is for: analyzer, information system, router.
        Role = "role",
        /// Its serial number.
        SerialNumber = "serial_number",
        /// A service that it announces: `_ipp._tcp`.
        Service = "service",
        /// Its unique device identifier, whole, as it was sent.
        Udi = "udi",
        /// The device identifier of its UDI: which model, not which piece.
        UdiDevice = "udi_device",
        /// The vendor class of DHCP (option 60).
        VendorClass = "vendor_class",
        /// The version of its software.
        Version = "version",
    }
}

names! {
    /// Which protocol said it.
    Source {
        /// ARP (RFC 826).
        Arp = "arp",
        /// ASTM E1394 / LIS02-A2, the H record.
        Astm = "astm",
        /// DHCP (RFC 2131).
        Dhcp = "dhcp",
        /// DICOM upper layer (PS3.8).
        Dicom = "dicom",
        /// The sender of Ethernet frames.
        Ethernet = "ethernet",
        /// HL7 v2.
        Hl7 = "hl7",
        /// LLDP (IEEE 802.1AB) and LLDP-MED.
        Lldp = "lldp",
        /// Multicast DNS and DNS-SD (RFC 6762, RFC 6763).
        Mdns = "mdns",
        /// NetBIOS name service (RFC 1002).
        Netbios = "netbios",
        /// NTLMSSP inside of SMB (MS-NLMP).
        Ntlm = "ntlm",
        /// The registry of manufacturers of network cards.
        Oui = "oui",
        /// POCT1-A, the hello message.
        Poct1a = "poct1a",
        /// SMB (MS-SMB2).
        Smb = "smb",
        /// SSDP of UPnP.
        Ssdp = "ssdp",
        /// SSH (RFC 4253), the banner.
        Ssh = "ssh",
        /// TLS (RFC 5246, RFC 8446).
        Tls = "tls",
    }
}

names! {
    /// How sure it is.
    Confidence {
        /// A conclusion from something else.
        Hint = "hint",
        /// Another party said it, or a field that can mean several things.
        Likely = "likely",
        /// The device said it of itself in the field that is meant for it.
        Stated = "stated",
    }
}

/// What one address was seen to be, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whose it is.
    pub device: Address,
    /// What the value says.
    pub attribute: Attribute,
    /// The value: not empty, without control characters, at most [`VALUE_BYTES_MAX`] bytes.
    pub value: String,
    /// Which protocol said it.
    pub source: Source,
    /// How sure it is.
    pub confidence: Confidence,
    /// When it was seen first, by the clock of whoever captured it.
    pub at: Timestamp,
}

/// Whom a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The device with this address.
    Address(Address),
    /// The other side of the stream or datagram.
    Listener,
    /// Who sent the bytes.
    Speaker,
}

/// One thing that bytes say of a device, before it is known whose addresses they travelled between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Whom it is about.
    pub about: About,
    /// What the value says.
    pub attribute: Attribute,
    /// The value, as in [`Sighting::value`].
    pub value: String,
    /// Which protocol said it.
    pub source: Source,
    /// How sure it is.
    pub confidence: Confidence,
}

/// The facts of one stream or datagram: bounded, each once.
#[derive(Clone, Debug)]
pub struct Facts {
    source: Source,
    about: About,
    facts: Vec<Fact>,
}

impl Facts {
    /// No facts yet, of this protocol and about the speaker.
    pub const fn new(source: Source) -> Self {
        Self {
            source,
            about: About::Speaker,
            facts: Vec::new(),
        }
    }

    /// The protocol that said them.
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The facts so far.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The facts, given away.
    pub fn into_facts(self) -> Vec<Fact> {
        self.facts
    }

    /// What comes next is about this one.
    pub(crate) fn about(&mut self, about: About) {
        self.about = about;
    }

    /// What comes next was said by this protocol.
    pub(crate) fn from(&mut self, source: Source) {
        self.source = source;
    }

    /// The device said it of itself.
    pub(crate) fn stated(&mut self, attribute: Attribute, value: &str) {
        self.add(attribute, value, Confidence::Stated);
    }

    /// It is so in all likelihood.
    pub(crate) fn likely(&mut self, attribute: Attribute, value: &str) {
        self.add(attribute, value, Confidence::Likely);
    }

    /// It may be so.
    pub(crate) fn hint(&mut self, attribute: Attribute, value: &str) {
        self.add(attribute, value, Confidence::Hint);
    }

    /// The card and the address belong together.
    pub(crate) fn bind(&mut self, mac: Mac, address: Address, confidence: Confidence) {
        let before = self.about;
        self.about = About::Address(address);
        self.add(Attribute::MacAddress, &mac.to_string(), confidence);
        self.about = before;
    }

    pub(crate) fn add(&mut self, attribute: Attribute, value: &str, confidence: Confidence) {
        let Some(value) = clean(value) else { return };
        if self.facts.len() == FACTS_MAX {
            return;
        }
        let fact = Fact {
            about: self.about,
            attribute,
            value,
            source: self.source,
            confidence,
        };
        if !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }
}

/// A value as it is kept; none if it says nothing.
pub(crate) fn clean(raw: &str) -> Option<String> {
    let mut value = String::new();
    for word in raw.split(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c)) {
        if word.is_empty() {
            continue;
        }
        let gap = usize::from(!value.is_empty());
        let room = VALUE_BYTES_MAX.saturating_sub(value.len() + gap);
        let end = (0..=room.min(word.len()))
            .rev()
            .find(|&at| word.is_char_boundary(at));
        let kept = word.get(..end.unwrap_or(0)).unwrap_or_default();
        if kept.is_empty() {
            break;
        }
        if gap == 1 {
            value.push(' ');
        }
        value.push_str(kept);
        if kept.len() < word.len() {
            break;
        }
    }
    // What only fills a field, or HL7's null.
    let says = value.chars().any(char::is_alphanumeric);
    says.then_some(value)
}

/// What a terminal does not show, or what turns the direction of what follows.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_is_kept_without_what_only_fills() {
        for (raw, kept) in [
            ("    XN-550 ", Some("XN-550")),
            ("testserver \0\0", Some("testserver")),
            ("a\r\n\tb", Some("a b")),
            ("a\u{202e}b", Some("a b")),
            ("\"\"", None),
            ("  ", None),
            ("--", None),
        ] {
            assert_eq!(clean(raw).as_deref(), kept, "{raw:?}");
        }
    }

    #[test]
    fn facts_are_bounded_and_each_stands_once() {
        let mut facts = Facts::new(Source::Lldp);
        facts.stated(Attribute::Model, "A1");
        facts.stated(Attribute::Model, " A1");
        assert_eq!(facts.facts().len(), 1);
        for n in 0..10_000 {
            facts.stated(Attribute::Model, &n.to_string());
        }
        assert_eq!(facts.facts().len(), FACTS_MAX);
    }

    #[test]
    fn names_are_stable_and_none_stands_twice() {
        let names: std::collections::BTreeSet<_> =
            Attribute::ALL.iter().map(|one| one.name()).collect();
        assert_eq!(names.len(), Attribute::ALL.len());
        assert_eq!(Source::Poct1a.name(), "poct1a");
        assert!(Confidence::Stated > Confidence::Likely && Confidence::Likely > Confidence::Hint);
    }

    proptest! {
        #[test]
        fn any_value_is_bounded_and_plain(raw in "\\PC{0,400}|[\\x00-\\x1f]{0,9}") {
            if let Some(value) = clean(&raw) {
                prop_assert!(!value.is_empty() && value.len() <= VALUE_BYTES_MAX);
                prop_assert!(!value.chars().any(char::is_control));
                prop_assert_eq!(clean(&value), Some(value.clone()));
            }
        }
    }
}
