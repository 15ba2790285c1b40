//! The registry of manufacturers of network cards (IEEE MA-L, MA-M, MA-S), read from a file of the user.
//!
//! It must never be shipped: the file is the user's, as IEEE publishes it (`oui.txt`, `oui.csv`) or
//! Wireshark writes it (`manuf`).

use std::collections::HashMap;
use std::fmt;

use crate::Mac;
use crate::sighting::clean;

/// The most entries that a registry may have.
const ENTRIES_MAX: usize = 500_000;
/// The lengths of the prefixes that IEEE assigns, in bits, the longest first.
const LENGTHS: [u8; 3] = [36, 28, 24];

/// Who was assigned which prefix.
#[derive(Default)]
pub struct Registry {
    names: HashMap<(u8, u64), String>,
}

/// The file holds no entry of a form that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotARegistry;

impl fmt::Display for NotARegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file holds no prefixes as oui.txt, oui.csv or manuf list them")
    }
}

impl std::error::Error for NotARegistry {}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({} prefixes)", self.names.len())
    }
}

impl Registry {
    /// Reads a registry; lines of another form are passed over.
    ///
    /// # Errors
    /// No line is an entry.
    pub fn read(bytes: &[u8]) -> Result<Self, NotARegistry> {
        let mut registry = Self::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            if registry.names.len() == ENTRIES_MAX {
                break;
            }
            let line = String::from_utf8_lossy(line);
            let entry = hex_line(&line)
                .or_else(|| comma_line(&line))
                .or_else(|| tab_line(&line));
            if let Some((prefix, name)) = entry
                && let Some(name) = clean(name)
            {
                registry.names.entry(prefix).or_insert(name);
            }
        }
        (!registry.names.is_empty())
            .then_some(registry)
            .ok_or(NotARegistry)
    }

    /// Who was assigned the prefix of this address; none for addresses that software chose.
    pub fn manufacturer(&self, mac: Mac) -> Option<&str> {
        if mac.is_local() {
            return None;
        }
        let number = mac
            .bytes()
            .iter()
            .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        LENGTHS.iter().find_map(|&bits| {
            let prefix = number >> (48 - bits);
            self.names.get(&(bits, prefix)).map(String::as_str)
        })
    }
}

type Entry<'a> = ((u8, u64), &'a str);

/// `00-00-0C   (hex)    Cisco Systems, Inc`
fn hex_line(line: &str) -> Option<Entry<'_>> {
    let (prefix, name) = line.split_once("(hex)")?;
    Some((prefix_of(prefix.trim())?, name))
}

/// `MA-L,00000C,"Cisco Systems, Inc",…`
fn comma_line(line: &str) -> Option<Entry<'_>> {
    let rest = ["MA-L,", "MA-M,", "MA-S,"]
        .into_iter()
        .find_map(|kind| line.strip_prefix(kind))?;
    let (prefix, rest) = rest.split_once(',')?;
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split("\",").next()?.trim_end_matches('"'),
        None => rest.split(',').next()?,
    };
    Some((prefix_of(prefix)?, name))
}

/// `00:00:0C  Cisco  Cisco Systems, Inc` with tabs between, and with a length `00:1B:C5:00:00:00/36  …`
fn tab_line(line: &str) -> Option<Entry<'_>> {
    let mut parts = line.split('\t');
    let prefix = parts.next()?.trim();
    let name = parts.next_back()?;
    let entry = match prefix.split_once('/') {
        Some((whole, bits)) => {
            let bits = bits.parse().ok().filter(|bits| LENGTHS.contains(bits))?;
            let (length, number) = digits(whole)?;
            (bits, (number << (48 - length)) >> (48 - bits))
        }
        None => prefix_of(prefix)?,
    };
    Some((entry, name))
}

fn prefix_of(text: &str) -> Option<(u8, u64)> {
    digits(text).filter(|(bits, _)| LENGTHS.contains(bits))
}

/// Hex digits, however they are parted: how many bits, and their number.
fn digits(text: &str) -> Option<(u8, u64)> {
    let mut bits = 0u8;
    let mut number = 0;
    for c in text.chars().filter(|c| !matches!(c, ':' | '-' | '.')) {
        number = number << 4 | u64::from(c.to_digit(16)?);
        bits = bits.checked_add(4).filter(|bits| *bits <= 48)?;
    }
    (bits > 0).then_some((bits, number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(registry: &Registry, mac: [u8; 6]) -> Option<&str> {
        registry.manufacturer(Mac::of_card(&mac).unwrap())
    }

    #[test]
    fn each_form_of_the_registry_is_read() {
        for file in [
            "OUI/MA-L  Organization\r\n00-10-7F   (hex)\t\tAcme, Inc.\r\n00107F     (base 16)\t\tAcme, Inc.\r\n",
            "Registry,Assignment,Organization Name,Organization Address\nMA-L,00107F,\"Acme, Inc.\",\"Road 1\"\n",
            "# comment\n00:10:7F\tAcme\tAcme, Inc.\n",
        ] {
            let registry = Registry::read(file.as_bytes()).unwrap();
            assert_eq!(
                name(&registry, [0, 0x10, 0x7f, 1, 2, 3]),
                Some("Acme, Inc."),
                "{file}"
            );
            assert_eq!(name(&registry, [0, 0x10, 0x80, 1, 2, 3]), None);
        }
    }

    #[test]
    fn the_longest_prefix_counts() {
        let file =
            "MA-L,001BC5,Registry,x\nMA-M,001BC5A,Middle,x\n00:1B:C5:0A:B0:00/36\tS\tSmall\n";
        let registry = Registry::read(file.as_bytes()).unwrap();
        assert_eq!(
            name(&registry, [0, 0x1b, 0xc5, 0x0a, 0xb1, 1]),
            Some("Small")
        );
        assert_eq!(name(&registry, [0, 0x1b, 0xc5, 0xa1, 0, 1]), Some("Middle"));
        assert_eq!(
            name(&registry, [0, 0x1b, 0xc5, 0x11, 0, 1]),
            Some("Registry")
        );
        assert_eq!(name(&registry, [2, 0x1b, 0xc5, 0x11, 0, 1]), None);
    }

    #[test]
    fn a_file_without_prefixes_is_refused() {
        assert_eq!(Registry::read(b"hello\nworld\n").unwrap_err(), NotARegistry);
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(file in "[0-9A-F:/\\-\t,\"\n MSL(hex)]{0,200}") {
            if let Ok(registry) = Registry::read(file.as_bytes()) {
                let _ = name(&registry, [0, 0x10, 0x7f, 1, 2, 3]);
            }
        }
    }
}
