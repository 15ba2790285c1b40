//! What can be read from a program without understanding it: its kind, its version, and whether it bears a signature.
//!
//! It must never say that a signature is right: nobody checked it.

use serde::{Deserialize, Serialize};

use crate::commands::scan::version_of;

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) kind: ProgramKind,
    /// As its fixed version information says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// Whether it bears a signature, which was not checked; none where programs of its kind bear none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signed: Option<bool>,
}

/// What kind of program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ProgramKind {
    Elf,
    Script,
    Windows,
}

impl Program {
    /// A program by its first bytes; none if it begins like none.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let kind = match bytes {
            [b'M', b'Z', ..] => ProgramKind::Windows,
            [0x7f, b'E', b'L', b'F', ..] => ProgramKind::Elf,
            [b'#', b'!', ..] => ProgramKind::Script,
            _ => return None,
        };
        let is_windows = kind == ProgramKind::Windows;
        Some(Self {
            kind,
            version: is_windows.then(|| version_of(bytes)).flatten(),
            signed: is_windows.then(|| bears_signature(bytes).unwrap_or(false)),
        })
    }

    /// The version as numbers that compare.
    pub(super) fn numbers(&self) -> Option<Vec<u16>> {
        let version = self.version.as_ref()?;
        version.split('.').map(|part| part.parse().ok()).collect()
    }
}

/// Whether the table of certificates of a PE image (its fifth data directory) has a place and a size.
fn bears_signature(image: &[u8]) -> Option<bool> {
    let word = |at: usize| {
        let bytes = image.get(at..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let header = word(0x3c)?;
    if image.get(header..)?.first_chunk::<4>()? != b"PE\0\0" {
        return None;
    }
    let optional = header.checked_add(24)?;
    let magic = image.get(optional..)?.first_chunk::<2>()?;
    let directories = optional.checked_add(match magic {
        [0x0b, 0x01] => 96,
        [0x0b, 0x02] => 112,
        _ => return None,
    })?;
    let count = word(directories.checked_sub(4)?)?;
    let entry = directories.checked_add(4 * 8)?;
    Some(count > 4 && word(entry)? > 0 && word(entry.checked_add(4)?)? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(magic: u16, signed: bool) -> Vec<u8> {
        let mut out = vec![0; 512];
        out[..2].copy_from_slice(b"MZ");
        out[0x3c] = 0x80;
        out[0x80..0x84].copy_from_slice(b"PE\0\0");
        let optional = 0x80 + 24;
        out[optional..optional + 2].copy_from_slice(&magic.to_le_bytes());
        let directories = optional + if magic == 0x10b { 96 } else { 112 };
        out[directories - 4] = 16;
        if signed {
            out[directories + 33] = 2;
            out[directories + 37] = 1;
        }
        out
    }

    #[test]
    fn kind_and_signature_are_read_from_either_width() {
        for magic in [0x10b, 0x20b] {
            for signed in [false, true] {
                let program = Program::of(&image(magic, signed)).unwrap();
                assert_eq!(program.signed, Some(signed), "{magic:x}");
                assert_eq!(program.kind, ProgramKind::Windows);
            }
        }
        assert_eq!(
            Program::of(b"#!/bin/sh\n").unwrap().kind,
            ProgramKind::Script
        );
        assert_eq!(Program::of(b"Glucose"), None);
        assert_eq!(Program::of(b""), None);
    }

    #[test]
    fn cut_and_wild_images_are_no_harm() {
        let whole = image(0x20b, true);
        for cut in 0..whole.len() {
            let _ = Program::of(&whole[..cut]);
            let mut wild = whole.clone();
            wild[cut] = 0xff;
            let _ = Program::of(&wild);
        }
    }

    #[test]
    fn programs_of_this_machine_are_told() {
        let this = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(Program::of(&this).unwrap().kind, ProgramKind::Elf);
    }
}
