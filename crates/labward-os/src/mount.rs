//! Where a folder is mounted from: the disk, its file system, and whether anything can be written to it.
//!
//! It must never mount, and never say that something is read-only unless the kernel does.

use std::ffi::{CStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::makedev;
use rustix::ioctl::{Getter, ioctl, opcode};

use crate::error::OsError;

/// `FS_IOC_GETFSLABEL`.
const LABEL: rustix::ioctl::Opcode = opcode::read::<[u8; 256]>(0x94, 49);

/// One line of `/proc/self/mountinfo` (proc(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The kernel's number of it.
    pub id: u64,
    /// Major and minor number of what is mounted.
    pub device: (u32, u32),
    /// Which folder of the file system is mounted; `/` is all of it.
    pub root: PathBuf,
    /// Where.
    pub point: PathBuf,
    /// Its options, and behind a comma those of the file system.
    pub options: String,
    /// The file system, such as `ext4`.
    pub file_system: String,
    /// From what, such as `/dev/sdb1`.
    pub source: PathBuf,
}

impl Mount {
    /// Whether nothing can be written by this way.
    pub fn is_read_only(&self) -> bool {
        self.options.split(',').any(|option| option == "ro")
    }

    /// The label of the file system; none if it has none or nobody tells.
    pub fn label(&self, folder: impl AsFd) -> Option<String> {
        asked_label(folder.as_fd()).or_else(|| self.linked("/dev/disk/by-label"))
    }

    /// The number by which the file system is told from others; none if nobody tells.
    pub fn uuid(&self) -> Option<String> {
        self.linked("/dev/disk/by-uuid")
    }

    /// The name of the link in `folder` to this device.
    fn linked(&self, folder: &str) -> Option<String> {
        let device = makedev(self.device.0, self.device.1);
        let mut links = fs::read_dir(folder).ok()?.flatten();
        let link = links.find(|link| {
            fs::metadata(link.path()).is_ok_and(|facts| facts.rdev() == device && device != 0)
        })?;
        Some(link.file_name().to_string_lossy().into_owned())
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = line.split(|byte| *byte == b' ');
        let mut text = || std::str::from_utf8(words.next()?).ok();
        let id = text()?.parse().ok()?;
        let _parent = text()?;
        let (major, minor) = text()?.split_once(':')?;
        let device = (major.parse().ok()?, minor.parse().ok()?);
        let (root, point) = (path(words.next()?), path(words.next()?));
        let options = String::from_utf8_lossy(words.next()?).into_owned();
        // Optional fields end with a hyphen.
        let mut words = words.skip_while(|word| *word != b"-").skip(1);
        let file_system = String::from_utf8_lossy(words.next()?).into_owned();
        let source = path(words.next()?);
        let of_file_system = String::from_utf8_lossy(words.next()?).into_owned();
        Some(Self {
            id,
            device,
            root,
            point,
            options: format!("{options},{of_file_system}"),
            file_system,
            source,
        })
    }
}

/// The mount on which an open folder or file lies.
///
/// # Errors
/// [`OsError`] if `/proc` does not tell.
pub fn mount_of(open: impl AsFd) -> Result<Mount, OsError> {
    let number = open.as_fd().as_raw_fd();
    let refused = |source: io::Error| OsError::new("ask the kernel", "what is mounted", source);
    let facts = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).map_err(refused)?;
    let id = facts
        .lines()
        .find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse::<u64>().ok());
    let mounts = fs::read("/proc/self/mountinfo").map_err(refused)?;
    let mut mounts = mounts.split(|byte| *byte == b'\n').filter_map(Mount::parse);
    mounts
        .find(|mount| Some(mount.id) == id)
        .ok_or_else(|| refused(io::ErrorKind::NotFound.into()))
}

/// Spaces, tabs, line ends and backslashes stand as three octal digits.
fn path(word: &[u8]) -> PathBuf {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match after {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] if byte == b'\\' => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        out.push(escaped.unwrap_or(byte));
        rest = match escaped {
            Some(_) => after.get(3..).unwrap_or_default(),
            None => after,
        };
    }
    Path::new(&OsString::from_vec(out)).to_owned()
}

/// What the file system itself says; old kernels and some file systems do not.
fn asked_label(folder: BorrowedFd<'_>) -> Option<String> {
    // SAFETY: the request writes 256 bytes, which is what is read back (ioctl_fs(2)).
    let getter = unsafe { Getter::<LABEL, [u8; 256]>::new() };
    // SAFETY: the getter is the right one for the request, and the descriptor is open.
    let label = unsafe { ioctl(folder, getter) }.ok()?;
    let label = CStr::from_bytes_until_nul(&label).ok()?.to_string_lossy();
    (!label.is_empty()).then(|| label.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_line_is_read_with_its_escapes_and_optional_fields() {
        let mount = Mount::parse(
            b"36 35 98:0 /mnt1 /mnt/a\\040b\\134c rw,noatime master:1 propagate_from:2 - ext3 /dev/root ro,errors=continue",
        )
        .unwrap();
        assert_eq!(mount.id, 36);
        assert_eq!(mount.device, (98, 0));
        assert_eq!(mount.point, Path::new("/mnt/a b\\c"));
        assert_eq!(mount.file_system, "ext3");
        assert!(mount.is_read_only());
        let writable = Mount::parse(b"1 2 0:3 / /x rw,errors=remount-ro - tmpfs none rw").unwrap();
        assert!(!writable.is_read_only(), "remount-ro is no ro");
        let whole = b"36 35 98:0 / /x rw - ext4 /dev/sda1 rw";
        for cut in 0..whole.len() - 3 {
            assert_eq!(Mount::parse(&whole[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn what_is_mounted_at_proc_is_told() {
        let mount = mount_of(File::open("/proc").unwrap()).unwrap();
        assert_eq!(mount.file_system, "proc");
        assert_eq!(mount.point, Path::new("/proc"));
        assert_eq!(mount.label(File::open("/proc").unwrap()), None);
    }
}
