//! What can be read from a program without understanding it: its kind, its version, and who signed it.
//!
//! It must never say that a signer can be trusted: no chain of certificates is judged.

use std::fs::File;
use std::io;

use labward_authenticode::Signature;
use serde::{Deserialize, Serialize};

use crate::commands::scan::{read_start, version_of};

/// The largest program whose version is looked for, in bytes.
const PROGRAM_MAX: usize = 64 << 20;

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) kind: ProgramKind,
    /// As its fixed version information says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// Whether it bears a signature; none where programs of its kind bear none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signed: Option<bool>,
    /// That signature; a baseline of the first form does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<Signature>,
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
    /// The program that a file is; none if it is none.
    pub(super) fn of(mut file: &File) -> io::Result<Option<Self>> {
        let Some(kind) = ProgramKind::of(&read_start(file, 4)?) else {
            return Ok(None);
        };
        let is_windows = kind == ProgramKind::Windows;
        let mut program = Self {
            kind,
            version: None,
            signed: is_windows.then_some(false),
            signature: None,
        };
        // Only a program of Windows says more than its first bytes do.
        if is_windows {
            program.version = version_of(&read_start(file, PROGRAM_MAX)?);
            program.signature = labward_authenticode::read(&mut file)?;
            program.signed = Some(program.signature.is_some());
        }
        Ok(Some(program))
    }

    /// The version as numbers that compare.
    pub(super) fn numbers(&self) -> Option<Vec<u16>> {
        let version = self.version.as_ref()?;
        version.split('.').map(|part| part.parse().ok()).collect()
    }
}

impl ProgramKind {
    /// The kind by the first bytes; none if they are no program's.
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'M', b'Z', ..] => Some(Self::Windows),
            [0x7f, b'E', b'L', b'F', ..] => Some(Self::Elf),
            [b'#', b'!', ..] => Some(Self::Script),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use labward_testkit::program::windows_program;
    use labward_testkit::{Publisher, TempDir};

    use super::*;

    fn of(bytes: &[u8]) -> Option<Program> {
        let folder = TempDir::new();
        let path = folder.join("file");
        fs::write(&path, bytes).unwrap();
        Program::of(&File::open(path).unwrap()).unwrap()
    }

    #[test]
    fn kind_version_and_signer_are_read() {
        let plain = windows_program(b"x", [3, 2, 1, 0]);
        let program = of(&plain).unwrap();
        assert_eq!(
            (program.kind, program.signed),
            (ProgramKind::Windows, Some(false))
        );
        assert_eq!(program.version.as_deref(), Some("3.2.1.0"));
        let signed = of(&Publisher::new("Maker", "Maker").sign(&plain)).unwrap();
        assert_eq!(signed.signed, Some(true));
        let signer = signed.signature.unwrap().signer.unwrap();
        assert_eq!(signer.shown(), "Maker");
        assert_eq!(of(b"#!/bin/sh\n").unwrap().kind, ProgramKind::Script);
        assert_eq!(of(b"MZ").unwrap().signed, Some(false));
        assert_eq!(of(b"Glucose"), None);
        assert_eq!(of(b""), None);
    }

    #[test]
    fn programs_of_this_machine_are_told() {
        let this = File::open("/proc/self/exe").unwrap();
        assert_eq!(Program::of(&this).unwrap().unwrap().kind, ProgramKind::Elf);
    }
}
