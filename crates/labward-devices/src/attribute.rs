//! What is known of a device, and how a value of it must look.
//!
//! It must never keep a value that is longer than a screen shows, or with characters that steer one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use labward_base::Timestamp;

use crate::DevicesError;

/// Characters of a value at most; of notes [`NOTES_MAX_CHARS`].
const VALUE_MAX_CHARS: usize = 200;
const NOTES_MAX_CHARS: usize = 2_000;

macro_rules! attributes {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal;)+) => {
        /// One thing that is known of a device.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Attribute { $($(#[$doc])+ $variant,)+ }

        impl Attribute {
            /// Every attribute, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in commands, JSON and the database.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

attributes! {
    /// What the lab calls it.
    Name = "name";
    /// What kind of device it is, in the lab's words.
    Category = "category";
    /// Who made it.
    Manufacturer = "manufacturer";
    /// The model, such as `XN-550`.
    Model = "model";
    /// The software that makes it what it is.
    Product = "product";
    /// The version of that software.
    Version = "version";
    /// The serial number.
    Serial = "serial";
    /// The unique device identification, as on its label.
    Udi = "udi";
    /// The lab's own number on it.
    AssetTag = "asset-tag";
    /// Its host name.
    Hostname = "hostname";
    /// MAC addresses.
    Mac = "mac";
    /// IP addresses.
    Ip = "ip";
    /// Its operating system.
    Os = "os";
    /// The build of the operating system.
    OsBuild = "os-build";
    /// Whether software against malware may run on it, as its manufacturer says.
    AntiMalware = "anti-malware";
    /// Who puts in updates of its operating system, as its manufacturer says.
    Patching = "patching";
    /// What it calls itself as the sender of messages: MSH-3 and MSH-4, or the sender of an ASTM header.
    Sender = "sender";
    /// What its messages call the instrument: OBX-18 or PRT-10.
    Equipment = "equipment";
    /// What it means for patients if it fails: low, normal or high.
    Criticality = "criticality";
    /// Where it stands.
    Location = "location";
    /// Who answers for it in the lab.
    Owner = "owner";
    /// Whom to call at its vendor.
    Contact = "contact";
    /// The last day of its support contract.
    SupportUntil = "support-until";
    /// Whatever else is worth knowing.
    Notes = "notes";
}

/// What it means for patients if a device fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// Nobody notices within a day.
    Low,
    /// Work goes on in another way.
    Normal,
    /// Patients wait for it.
    High,
}

impl Criticality {
    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Some(match folded(text).as_str() {
            "low" | "baja" => Self::Low,
            "normal" | "medium" | "media" => Self::Normal,
            "high" | "critical" | "alta" | "critica" => Self::High,
            _ => return None,
        })
    }
}

impl FromStr for Attribute {
    type Err = DevicesError;

    fn from_str(text: &str) -> Result<Self, DevicesError> {
        let found = Self::ALL.iter().find(|one| one.name() == text);
        found.copied().ok_or(DevicesError::NoAttribute)
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Attribute {
    /// Whether a device may have several of them at once.
    pub const fn is_many(self) -> bool {
        matches!(self, Self::Ip | Self::Mac | Self::Notes)
    }

    /// Whether it tells devices apart by itself, so that a person who sees it may know the device.
    pub const fn is_set_by_people(self) -> bool {
        !matches!(self, Self::Equipment | Self::Sender)
    }

    /// The values in a text as people and files write them; none if it says nothing.
    ///
    /// # Errors
    /// [`DevicesError::BadValue`]: it is too long, or no value of this attribute.
    pub fn read(self, text: &str) -> Result<Vec<String>, DevicesError> {
        let bad = || DevicesError::BadValue(self);
        let text = plain(text);
        if text.is_empty() || is_placeholder(&text) {
            return Ok(Vec::new());
        }
        let most = match self {
            Self::Notes => NOTES_MAX_CHARS,
            _ => VALUE_MAX_CHARS,
        };
        if text.chars().count() > most {
            return Err(bad());
        }
        let parts = || {
            let parts = text.split([',', ';', ' ', '|']).map(str::trim);
            parts.filter(|part| !part.is_empty())
        };
        let mut all: Vec<String> = match self {
            Self::Mac => parts()
                .map(|one| mac(one).ok_or_else(bad))
                .collect::<Result<_, _>>()?,
            Self::Ip => parts()
                .map(|one| ip(one).ok_or_else(bad))
                .collect::<Result<_, _>>()?,
            Self::Criticality => vec![Criticality::read(&text).ok_or_else(bad)?.name().to_owned()],
            Self::SupportUntil => vec![day(&text).ok_or_else(bad)?],
            _ => vec![text],
        };
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// What of a value is compared: two that are the same in it say the same.
    pub(crate) fn same(self, value: &str) -> String {
        match self {
            Self::Mac | Self::Ip | Self::SupportUntil | Self::Notes => value.to_owned(),
            // 1.10 and 11.0 are not the same version.
            Self::Version | Self::OsBuild => folded(value),
            Self::Manufacturer => maker(value),
            _ => letters(value),
        }
    }
}

/// Without white space around and between, and without what steers a screen.
pub(crate) fn plain(text: &str) -> String {
    let seen = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char });
    let seen: String = seen.filter(|char| !is_unseen(*char)).collect();
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Marks that have no shape, and those that turn the direction of a text.
const fn is_unseen(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// In lower case, without accents.
pub(crate) fn folded(text: &str) -> String {
    let lower = text.to_lowercase();
    let plain = lower.chars().map(|char| match char {
        'á' | 'à' | 'ä' | 'â' => 'a',
        'é' | 'è' | 'ë' | 'ê' => 'e',
        'í' | 'ì' | 'ï' | 'î' => 'i',
        'ó' | 'ò' | 'ö' | 'ô' => 'o',
        'ú' | 'ù' | 'ü' | 'û' => 'u',
        'ñ' => 'n',
        other => other,
    });
    plain.collect()
}

/// Letters and digits alone.
pub(crate) fn letters(text: &str) -> String {
    let mut all = folded(text);
    all.retain(char::is_alphanumeric);
    all
}

/// A maker's name without the form of the firm.
pub(crate) fn maker(text: &str) -> String {
    const FORMS: &[&str] = &[
        "ab",
        "ag",
        "bv",
        "co",
        "company",
        "corp",
        "corporation",
        "gmbh",
        "inc",
        "kg",
        "kgaa",
        "llc",
        "ltd",
        "limited",
        "nv",
        "oy",
        "plc",
        "sa",
        "sl",
        "spa",
    ];
    let text = folded(text).replace('.', "");
    let words = text.split(|char: char| !char.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let rest: String = words
        .iter()
        .copied()
        .filter(|word| !FORMS.contains(word))
        .collect();
    if rest.is_empty() {
        words.concat()
    } else {
        rest
    }
}

/// What makers and systems write where nothing is known.
pub(crate) fn is_placeholder(text: &str) -> bool {
    const NOTHING: &[&str] = &[
        "na",
        "none",
        "null",
        "nil",
        "unknown",
        "desconocido",
        "ninguno",
        "notapplicable",
        "notspecified",
        "sinasignar",
        "tobefilledbyoem",
        "defaultstring",
        "systemserialnumber",
        "systemproductname",
        "systemmanufacturer",
        "chassisserialnumber",
        "notavailable",
        "invalid",
        "xxxxxxx",
    ];
    let letters = letters(text);
    letters.is_empty() || NOTHING.contains(&letters.as_str())
}

/// `00-1b:2c…` as `00:1b:2c:…`; nothing if it is no address of one interface.
fn mac(text: &str) -> Option<String> {
    let hex: String = text
        .chars()
        .filter(|char| !matches!(char, ':' | '-' | '.'))
        .collect();
    let hex = hex.to_ascii_lowercase();
    let is_hex = hex.len() == 12 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap_or_default());
    is_hex.then(|| parts.collect::<Vec<_>>().join(":"))
}

/// An IP address, without the length of its network.
fn ip(text: &str) -> Option<String> {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    address
        .parse::<IpAddr>()
        .ok()
        .map(|address| address.to_string())
}

/// A day as `YYYY-MM-DD`; a time behind it is left out.
fn day(text: &str) -> Option<String> {
    let day = text.get(..10)?;
    let rest = text.get(10..)?;
    let ends = rest.is_empty() || rest.starts_with([' ', 'T']);
    Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).filter(|_| ends)?;
    Some(day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(attribute: Attribute, text: &str, expect: &[&str]) {
        assert_eq!(
            attribute.read(text).unwrap(),
            expect,
            "{attribute} {text:?}"
        );
    }

    #[test]
    fn a_value_is_read_in_the_forms_that_people_write() {
        use Attribute::{Criticality, Ip, Mac, Model, Notes, Serial, SupportUntil};
        check(Model, "  XN-550\t\u{202e}rev \n2 ", &["XN-550 rev 2"]);
        check(Mac, "00-1B-2C-3D-4E-5F", &["00:1b:2c:3d:4e:5f"]);
        check(
            Mac,
            "001b.2c3d.4e5f; 00:1b:2c:3d:4e:5f",
            &["00:1b:2c:3d:4e:5f"],
        );
        check(Ip, "10.0.0.7/24, fe80::1", &["10.0.0.7", "fe80::1"]);
        check(Criticality, "Crítica", &["high"]);
        check(Criticality, "baja", &["low"]);
        check(SupportUntil, "2027-05-31 00:00:00", &["2027-05-31"]);
        for nothing in ["", " - ", "N/A", "To be filled by O.E.M.", "desconocido"] {
            check(Serial, nothing, &[]);
        }
        check(Notes, &"x".repeat(2_000), &[&"x".repeat(2_000)]);
    }

    #[test]
    fn what_is_no_value_of_its_attribute_is_refused() {
        use Attribute::{Criticality, Ip, Mac, Model, SupportUntil};
        for (attribute, text) in [
            (Mac, "00:1b:2c:3d:4e"),
            (Mac, "laboratory-1"),
            (Ip, "10.0.0.300"),
            (Ip, "example.org"),
            (Criticality, "very"),
            (SupportUntil, "31/05/2027"),
            (SupportUntil, "2027-02-30"),
            (SupportUntil, "2027-05-311"),
            (Model, &"x".repeat(201)),
        ] {
            let refused = attribute.read(text).unwrap_err();
            assert!(
                matches!(refused, DevicesError::BadValue(of) if of == attribute),
                "{text}"
            );
        }
    }

    #[test]
    fn the_form_of_a_firm_does_not_make_another_maker_and_a_point_makes_another_version() {
        assert_eq!(maker("Beckman Coulter, Inc."), maker("BECKMAN COULTER"));
        assert_eq!(maker("B. Braun Melsungen A.G."), maker("B Braun Melsungen"));
        assert_ne!(maker("Roche"), maker("Abbott"));
        assert_eq!(maker("AG"), "ag");
        assert_ne!(
            Attribute::Version.same("1.10"),
            Attribute::Version.same("11.0")
        );
        assert_eq!(
            Attribute::Model.same("XN 550"),
            Attribute::Model.same("xn-550")
        );
    }

    #[test]
    fn a_name_is_read_back_as_written() {
        for attribute in Attribute::ALL {
            assert_eq!(attribute.name().parse::<Attribute>().unwrap(), *attribute);
        }
        assert!("Serial".parse::<Attribute>().is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_read_again_as_it_is(text in ".{0,80}") {
            for attribute in Attribute::ALL {
                for value in attribute.read(&text).unwrap_or_default() {
                    prop_assert_eq!(attribute.read(&value).unwrap(), vec![value.clone()]);
                    prop_assert!(!value.chars().any(char::is_control));
                }
            }
        }
    }
}
