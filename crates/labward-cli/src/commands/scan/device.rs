//! A disk that is mounted here: whether it may be looked at, and what is known of it.
//!
//! It must never look at a disk that something may change meanwhile, unless a person said so.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use labward_base::problem;
use labward_os::disk_space;
use labward_os::held::HeldFolder;
use labward_os::mount::mount_of;
use serde::Serialize;

use crate::args::ScanDeviceArgs;
use crate::failure::{Failure, chain};

/// No kernel of Windows is larger, in bytes.
const KERNEL_MAX: usize = 64 << 20;
/// The fixed part of a version resource begins so: `dwSignature` and `dwStrucVersion` of VS_FIXEDFILEINFO.
const FIXED_INFO: [u8; 8] = [0xbd, 0x04, 0xef, 0xfe, 0, 0, 1, 0];
/// The most bytes of `os-release` that are read.
const OS_RELEASE_MAX: usize = 16 << 10;

/// What is known of a disk.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Disk {
    /// What a person calls it; may be empty.
    pub(super) name: String,
    pub(super) mount_point: String,
    pub(super) source: String,
    pub(super) file_system: String,
    pub(super) label: Option<String>,
    pub(super) uuid: Option<String>,
    pub(super) options: String,
    pub(super) read_only: bool,
    pub(super) size_bytes: u64,
    /// The operating systems that were found on it.
    pub(super) systems: Vec<String>,
}

/// Holds the disk's first folder, if it may be looked at.
pub(super) fn hold(point: &Path, asked: &ScanDeviceArgs) -> Result<(HeldFolder, Disk), Failure> {
    let shown = point.display();
    let none = |why: String| Failure::new(&problem::SCAN_NOT_MOUNTED, format!("{shown}: {why}"));
    let folder = HeldFolder::open(point).map_err(|error| none(chain(&error)))?;
    let mount = mount_of(folder.as_fd()).map_err(|error| none(chain(&error)))?;
    let whole = fs::canonicalize(point).map_err(|error| none(error.to_string()))?;
    if mount.point != whole {
        return Err(none(format!("it lies on {}", mount.point.display())));
    }
    if !mount.is_read_only() && !asked.allow_writable {
        let why = format!("{shown}: {}", mount.options);
        return Err(Failure::new(&problem::SCAN_WRITABLE, why));
    }
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let disk = Disk {
        name: asked.name.clone().unwrap_or_default(),
        mount_point: text(&mount.point),
        source: text(&mount.source),
        label: mount.label(folder.as_fd()),
        uuid: mount.uuid(),
        read_only: mount.is_read_only(),
        size_bytes: disk_space(point).map_or(0, |space| space.total_bytes),
        systems: Vec::new(),
        file_system: mount.file_system,
        options: mount.options,
    };
    Ok((folder, disk))
}

/// The operating system that a file at this place below the disk's first folder tells of.
pub(super) fn system(below: &Path, file: &File) -> Option<String> {
    let place = below.to_str()?;
    if place.eq_ignore_ascii_case("windows/system32/ntoskrnl.exe") {
        let version = version_of(&start(file, KERNEL_MAX).ok()?)?;
        return Some(format!("Windows {version}"));
    }
    if place == "etc/os-release" || place == "usr/lib/os-release" {
        let text = start(file, OS_RELEASE_MAX).ok()?;
        return pretty_name(&String::from_utf8_lossy(&text));
    }
    None
}

/// The version of a program of Windows as its fixed information says it, `major.minor.build.revision`.
pub(in crate::commands) fn version_of(program: &[u8]) -> Option<String> {
    let at = program
        .windows(FIXED_INFO.len())
        .position(|bytes| bytes == FIXED_INFO)?;
    let half = |from: usize| {
        let bytes = program.get(at.checked_add(from)?..)?.first_chunk::<2>()?;
        Some(u16::from_le_bytes(*bytes))
    };
    // dwFileVersionMS and dwFileVersionLS, each with its upper half last.
    let (major, minor, build, revision) = (half(10)?, half(8)?, half(14)?, half(12)?);
    Some(format!("{major}.{minor}.{build}.{revision}"))
}

fn pretty_name(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let name = lines.find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let name: String = name.trim_matches(['"', '\'']).chars().take(100).collect();
    (!name.is_empty()).then_some(name)
}

/// At most so many bytes from the beginning.
pub(in crate::commands) fn start(file: &File, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; most.min(256 << 10)];
    while bytes.len() < most {
        let n = file.read_at(&mut piece, bytes.len() as u64)?;
        if n == 0 {
            break;
        }
        bytes.extend_from_slice(piece.get(..n.min(most - bytes.len())).unwrap_or_default());
    }
    Ok(bytes)
}

/// The page to print that stands beside a report.
pub(super) fn page_of(report: &Path) -> PathBuf {
    report.with_extension("html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_kernel_is_read_from_its_fixed_information() {
        let mut program = b"MZ and much more".to_vec();
        program.extend_from_slice(&FIXED_INFO);
        for half in [0_u16, 10, 3_636, 19_045] {
            program.extend_from_slice(&half.to_le_bytes());
        }
        assert_eq!(version_of(&program).as_deref(), Some("10.0.19045.3636"));
        for cut in 0..program.len() {
            assert_eq!(version_of(&program[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn the_name_of_a_linux_is_read() {
        let text = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(
            pretty_name(text).as_deref(),
            Some("Debian GNU/Linux 12 (bookworm)")
        );
        assert_eq!(pretty_name("PRETTY_NAME=\n"), None);
        assert_eq!(pretty_name(""), None);
    }

    #[test]
    fn a_folder_that_nothing_is_mounted_on_and_a_writable_disk_are_refused() {
        let asked = ScanDeviceArgs {
            device: None,
            allow_writable: false,
            name: None,
            report: None,
            language: crate::args::ReportLanguage::En,
        };
        let code = |point: &str| {
            hold(Path::new(point), &asked)
                .unwrap_err()
                .code()
                .to_owned()
        };
        assert_eq!(code("/proc/self"), "scan.not-mounted");
        assert_eq!(code("/no/such/folder"), "scan.not-mounted");
        assert_eq!(code("/proc"), "scan.writable");
    }
}
