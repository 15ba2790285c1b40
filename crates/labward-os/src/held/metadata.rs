//! Everything that stands beside the bytes of a file, read and given back.
//!
//! It must never set a bit by which a file runs as somebody who did not own it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;

use rustix::buffer::spare_capacity;
use rustix::fs::{
    Gid, IFlags, Mode, Timespec, Timestamps, Uid, XattrFlags, fchmod, fchown, fgetxattr,
    flistxattr, fremovexattr, fsetxattr, futimens, ioctl_getflags, ioctl_setflags,
};
use rustix::io::Errno;

use super::{HeldError, Moment, refused, shown};

/// The extended attributes of a file may take so many bytes together, names and values.
pub const ATTRIBUTES_BYTES_MAX: usize = 4 << 20;
/// No list of names and no value is longer (the kernel's own limits).
const ONE_BYTES_MAX: usize = 64 << 10;
/// The bits by which a program runs as its owner or group.
const RUNS_AS_OWNER: u32 = 0o6000;

/// What stands beside the bytes of a regular file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The permission bits, 0o000 to 0o7777.
    pub mode: u32,
    /// The owner.
    pub owner: u32,
    /// The group.
    pub group: u32,
    /// When it was last read, as far as the file system keeps that.
    pub accessed: Moment,
    /// When its bytes were last changed.
    pub modified: Moment,
    /// When anything of it was last changed. It is told, and nobody can give it back.
    pub changed: Moment,
    /// Every extended attribute that this account may see: access control lists
    /// (`system.posix_acl_access`), capabilities (`security.capability`), labels, `user.*`.
    pub attributes: BTreeMap<OsString, Vec<u8>>,
    /// Whether it is immutable, may only grow, is left out of dumps, or keeps no time of reading
    /// (the bits `FS_IOC_GETFLAGS`, of which only these are kept); none where the file system has
    /// no such flags.
    pub flags: Option<u32>,
    /// How many names it has.
    pub links: u64,
}

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The time of the last reading.
    Accessed,
    /// This extended attribute.
    Attribute(OsString),
    /// The flags.
    Flags,
    /// The group.
    Group,
    /// The permission bits.
    Mode,
    /// The time of the last writing.
    Modified,
    /// The owner.
    Owner,
}

impl Difference {
    /// Its stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Accessed => "restored.accessed",
            Self::Attribute(_) => "restored.attribute",
            Self::Flags => "restored.flags",
            Self::Group => "restored.group",
            Self::Mode => "restored.mode",
            Self::Modified => "restored.modified",
            Self::Owner => "restored.owner",
        }
    }
}

/// The flags that people set; the others are the file system's own.
fn kept() -> IFlags {
    IFlags::IMMUTABLE | IFlags::APPEND | IFlags::NODUMP | IFlags::NOATIME
}

impl Metadata {
    pub(super) fn of(file: &File, name: &OsStr) -> Result<Self, HeldError> {
        let facts = file.metadata().map_err(refused("look at", name))?;
        let flags = ioctl_getflags(file).ok();
        Ok(Self {
            mode: facts.mode() & 0o7777,
            owner: facts.uid(),
            group: facts.gid(),
            accessed: Moment::new(facts.atime(), facts.atime_nsec()),
            modified: Moment::new(facts.mtime(), facts.mtime_nsec()),
            changed: Moment::new(facts.ctime(), facts.ctime_nsec()),
            attributes: attributes(file, name)?,
            flags: flags.map(|flags| (flags & kept()).bits()),
            links: facts.nlink(),
        })
    }

    /// Gives as much of it to `file` as this account may; what is missing is found by reading again.
    pub(super) fn apply(&self, file: &File) {
        // First, because a change of owner takes capabilities away.
        let is_owned = self.apply_owner(file);
        self.apply_attributes(file);
        let mode = if is_owned {
            self.mode
        } else {
            self.mode & !RUNS_AS_OWNER
        };
        let _ = fchmod(file, Mode::from_raw_mode(mode & 0o7777));
        let timespec = |moment: Moment| Timespec {
            tv_sec: moment.seconds,
            tv_nsec: moment.nanoseconds.into(),
        };
        let times = Timestamps {
            last_access: timespec(self.accessed),
            last_modification: timespec(self.modified),
        };
        let _ = futimens(file, &times);
    }

    fn apply_owner(&self, file: &File) -> bool {
        // The highest number is no account: to the kernel it says to leave it as it is.
        if self.owner == u32::MAX || self.group == u32::MAX {
            return false;
        }
        let (owner, group) = (Uid::from_raw(self.owner), Gid::from_raw(self.group));
        if fchown(file, Some(owner), Some(group)).is_ok() {
            return true;
        }
        // A member of the group may at least give it that.
        let _ = fchown(file, None, Some(group));
        false
    }

    fn apply_attributes(&self, file: &File) {
        // A folder may have given it an access control list of its own.
        for name in names(file).unwrap_or_default() {
            if !self.attributes.contains_key(&name) {
                let _ = fremovexattr(file, &*name);
            }
        }
        for (name, value) in &self.attributes {
            let _ = fsetxattr(file, name.as_os_str(), value, XattrFlags::empty());
        }
    }

    /// The flags come last: with them the file can be neither changed nor moved.
    pub(super) fn apply_flags(&self, file: &File) {
        let Some(wanted) = self.flags.map(IFlags::from_bits_retain) else {
            return;
        };
        if let Ok(now) = ioctl_getflags(file)
            && now & kept() != wanted & kept()
        {
            let _ = ioctl_setflags(file, (now - kept()) | (wanted & kept()));
        }
    }

    /// What of `self` is not so in `now`.
    pub(super) fn differences(&self, now: &Self) -> Vec<Difference> {
        let names = self.attributes.keys().chain(
            now.attributes
                .keys()
                .filter(|name| !self.attributes.contains_key(*name)),
        );
        let attributes = names
            .filter(|name| self.attributes.get(*name) != now.attributes.get(*name))
            .map(|name| Difference::Attribute(name.clone()));
        [
            (self.owner != now.owner, Difference::Owner),
            (self.group != now.group, Difference::Group),
            (self.mode != now.mode, Difference::Mode),
            (self.modified != now.modified, Difference::Modified),
            (self.accessed != now.accessed, Difference::Accessed),
            (
                self.flags.unwrap_or_default() != now.flags.unwrap_or_default(),
                Difference::Flags,
            ),
        ]
        .into_iter()
        .filter_map(|(differs, difference)| differs.then_some(difference))
        .chain(attributes)
        .collect()
    }
}

fn attributes(file: &File, name: &OsStr) -> Result<BTreeMap<OsString, Vec<u8>>, HeldError> {
    let attempted = || refused("read the attributes of", name);
    let mut attributes = BTreeMap::new();
    let mut bytes = 0;
    for attribute in names(file).map_err(attempted())? {
        let mut value = Vec::with_capacity(ONE_BYTES_MAX);
        match fgetxattr(file, attribute.as_os_str(), spare_capacity(&mut value)) {
            Ok(_) => {}
            // Removed between list and look.
            Err(Errno::NODATA) => continue,
            Err(source) => return Err(attempted()(source)),
        }
        value.shrink_to_fit();
        bytes += attribute.len() + value.len();
        if bytes > ATTRIBUTES_BYTES_MAX {
            return Err(HeldError::AttributesTooLarge(shown(name)));
        }
        attributes.insert(attribute, value);
    }
    Ok(attributes)
}

/// The names of the extended attributes; none where the file system has no such thing.
fn names(file: &File) -> Result<Vec<OsString>, Errno> {
    let mut list = Vec::with_capacity(ONE_BYTES_MAX);
    match flistxattr(file, spare_capacity(&mut list)) {
        Ok(_) => {}
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(source) => return Err(source),
    }
    let names = list
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| OsString::from_vec(name.to_vec()))
        .collect())
}
