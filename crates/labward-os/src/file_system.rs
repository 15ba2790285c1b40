//! What kind of file system a folder lies on, and what that means for whoever watches it.
//!
//! It must never say that changes are told where it does not know that they are.

use std::os::fd::AsFd;

use rustix::fs::{fstatfs, fstatvfs};
use rustix::io::Errno;

use crate::error::OsError;
use crate::mount::mount_of;

/// `FUSE_SUPER_MAGIC`: what stands behind it, its mount says.
const FUSE: u32 = 0x6573_5546;

/// Those whose every change passes through this kernel: their number (statfs(2)), their name, and whether this kernel
/// alone sets the time of a file's last change, to less than a second.
const LOCAL: &[(u32, &str, bool)] = &[
    (0x0000_ef53, "ext", true),
    (0x5846_5342, "xfs", true),
    (0x9123_683e, "btrfs", true),
    (0xf2f5_2010, "f2fs", true),
    (0x2fc1_2fc1, "zfs", true),
    (0xca45_1a4e, "bcachefs", true),
    (0x0102_1994, "tmpfs", true),
    (0x8584_58f6, "ramfs", true),
    (0x794c_7630, "overlay", true),
    (0x0000_4d44, "vfat", false),
    (0x2011_bab0, "exfat", false),
    (0x7366_746e, "ntfs", false),
    (0x5346_544e, "ntfs", false),
    (0x0000_482b, "hfsplus", false),
    (0x0000_9660, "iso9660", false),
    (0x1501_3346, "udf", false),
    (0x7371_7368, "squashfs", false),
    (0xe0f5_e1e2, "erofs", false),
];

/// Those that other machines change, too: their number and name.
const SHARED: &[(u32, &str)] = &[
    (0x0000_6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb"),
    (0x0000_517b, "smb"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "ceph"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "afs"),
    (0x7375_7245, "coda"),
    (0x0116_1970, "gfs2"),
    (0x7461_636f, "ocfs2"),
    (0x0bd0_0bd0, "lustre"),
    (0x786f_4256, "vboxsf"),
];

/// The kind of a file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// What it is called, such as `nfs`; its number in hexadecimal digits if it is not known here.
    pub name: String,
    /// Whether every change passes through this kernel, which tells of it. Not so where other machines write, nor where
    /// nothing is known of it.
    pub is_told: bool,
    /// Whether this kernel alone sets the time of a file's last change, so that a change while nobody watched shows by
    /// it. Not so for disks on which others set it as they like, or that keep none.
    pub keeps_times: bool,
    /// By which it is told from others, where it has such a number; else 0.
    pub id: u64,
}

impl FileSystem {
    /// That of an open folder or file.
    ///
    /// # Errors
    /// [`OsError`] if the kernel does not tell.
    pub fn of(open: impl AsFd) -> Result<Self, OsError> {
        let refused =
            |source: Errno| OsError::new("ask the kernel", "which file system it is", source);
        let facts = fstatfs(&open).map_err(refused)?;
        let id = fstatvfs(&open).map_err(refused)?.f_fsid;
        // The number stands in the lower 32 bits, whatever the width of the member.
        let number = u32::try_from(facts.f_type & 0xffff_ffff).unwrap_or_default();
        let kind = match number {
            FUSE => Self::of_fuse(&mount_of(open)?.file_system),
            number => Self::of_number(number),
        };
        Ok(Self { id, ..kind })
    }

    fn of_number(number: u32) -> Self {
        let local = LOCAL.iter().find(|one| one.0 == number);
        let shared = SHARED.iter().find(|one| one.0 == number);
        let name = match (local, shared) {
            (Some(local), _) => local.1.to_owned(),
            (None, Some(shared)) => shared.1.to_owned(),
            (None, None) => format!("{number:08x}"),
        };
        Self {
            name,
            is_told: local.is_some(),
            keeps_times: local.is_some_and(|one| one.2),
            id: 0,
        }
    }

    /// A disk of this machine is one that takes a whole device; anything else may come from anywhere.
    fn of_fuse(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_told: name == "fuseblk",
            keeps_times: false,
            id: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn what_other_machines_change_or_nobody_knows_is_not_told() {
        // NFS, CIFS, SMB 2, Ceph, and one that does not exist, as statfs(2) has them.
        for number in [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x00c3_6400, 0x1234_5678] {
            let it = FileSystem::of_number(number);
            assert!(!it.is_told && !it.keeps_times, "{it:?}");
        }
        for (number, name, ..) in LOCAL {
            let it = FileSystem::of_number(*number);
            assert!(it.is_told, "{name}");
        }
        for (number, name) in SHARED {
            assert!(LOCAL.iter().all(|one| one.0 != *number), "{name}");
        }
        assert_eq!(FileSystem::of_number(0x1234_5678).name, "12345678");
    }

    #[test]
    fn on_fat_and_ntfs_a_time_proves_nothing() {
        for number in [0x4d44, 0x2011_bab0, 0x7366_746e] {
            assert!(!FileSystem::of_number(number).keeps_times);
        }
    }

    #[test]
    fn fuse_is_told_only_for_a_disk_of_this_machine() {
        assert!(FileSystem::of_fuse("fuseblk").is_told);
        for remote in ["fuse.sshfs", "fuse", "fuse.rclone", "virtiofs"] {
            assert!(!FileSystem::of_fuse(remote).is_told, "{remote}");
        }
    }

    #[test]
    fn the_kernel_says_which_it_is() {
        let proc = FileSystem::of(File::open("/proc").unwrap()).unwrap();
        assert_eq!((proc.name.as_str(), proc.is_told), ("00009fa0", false));
        let shm = FileSystem::of(File::open("/dev/shm").unwrap()).unwrap();
        assert_eq!((shm.name.as_str(), shm.is_told), ("tmpfs", true));
    }
}
