//! SSH (RFC 4253, 4.2): the identification string.
//!
//! It must never read past it.

use crate::sighting::{Attribute, Facts, Source};

/// The longest identification string, in bytes (RFC 4253).
const LINE_BYTES_MAX: usize = 255;

/// What a stream says, if it begins with an identification string.
pub fn stream(bytes: &[u8]) -> Option<Facts> {
    let rest = bytes.strip_prefix(b"SSH-")?;
    let head = rest.get(..rest.len().min(LINE_BYTES_MAX))?;
    let line = head.get(..head.iter().position(|byte| *byte == b'\n')?)?;
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let (protocol, rest) = line.split_once('-')?;
    let (software, comment) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut facts = Facts::new(Source::Ssh);
    facts.stated(Attribute::Protocol, &format!("SSH {protocol}"));
    // Only a part that begins with a digit is a version: `dropbear_2022.83`, `Cisco-1.25`.
    let part = software.char_indices().find(|&(at, c)| {
        matches!(c, '_' | '-')
            && software
                .get(at + 1..)
                .is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()))
    });
    match part {
        Some((at, _)) => {
            facts.stated(Attribute::Product, software.get(..at).unwrap_or_default());
            facts.stated(
                Attribute::Version,
                software.get(at + 1..).unwrap_or_default(),
            );
        }
        None => facts.stated(Attribute::Product, software),
    }
    for system in ["Debian", "FreeBSD", "Raspbian", "Ubuntu"] {
        if comment.starts_with(system) {
            facts.likely(Attribute::OperatingSystem, system);
        }
    }
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::check::said;

    fn check(banner: &[u8], expected: &[(Attribute, &str)]) {
        assert_eq!(said(&stream(banner).unwrap()), expected);
    }

    #[test]
    fn a_banner_says_product_version_and_system() {
        check(
            b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n\0\0",
            &[
                (Attribute::Protocol, "SSH 2.0"),
                (Attribute::Product, "OpenSSH"),
                (Attribute::Version, "9.2p1"),
                (Attribute::OperatingSystem, "Debian"),
            ],
        );
        check(
            b"SSH-1.99-Cisco-1.25\n",
            &[
                (Attribute::Protocol, "SSH 1.99"),
                (Attribute::Product, "Cisco"),
                (Attribute::Version, "1.25"),
            ],
        );
        check(
            b"SSH-2.0-Rosa_SSH\r\n",
            &[
                (Attribute::Protocol, "SSH 2.0"),
                (Attribute::Product, "Rosa_SSH"),
            ],
        );
    }

    #[test]
    fn a_banner_without_end_says_nothing() {
        assert!(stream(b"SSH-2.0-OpenSSH_9.2").is_none());
        assert!(stream(&[b"SSH-2.0-".to_vec(), vec![b'x'; 400], vec![b'\n']].concat()).is_none());
    }
}
