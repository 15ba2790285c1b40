//! Which file it is, and whether it was changed.
//!
//! It must never call two files the same because their names are.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};

/// A time as a file system keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Seconds since 1970; negative before.
    pub seconds: i64,
    /// Nanoseconds after them, 0 to 999,999,999.
    pub nanoseconds: u32,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A device of blocks, such as a disk.
    BlockDevice,
    /// A device of characters, such as a terminal.
    CharacterDevice,
    /// A pipe with a name.
    Fifo,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A regular file.
    Regular,
    /// A socket.
    Socket,
    /// Something that this program does not know.
    Unknown,
}

/// Which file it is and in which state.
///
/// Two that are equal are one file that nobody wrote, renamed or changed the rights of between the
/// two looks, as far as the clock of the file system tells times apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The file system.
    pub device: u64,
    /// The file's number in it.
    pub inode: u64,
    /// What it is.
    pub kind: Kind,
    /// How many names it has.
    pub links: u64,
    /// How long it is, in bytes.
    pub size_bytes: u64,
    /// When its bytes were last changed; whoever may write it can set this.
    pub modified: Moment,
    /// When anything of it was last changed, as the kernel notes it; nobody can set this.
    pub changed: Moment,
}

impl Kind {
    /// Its stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BlockDevice => "block-device",
            Self::CharacterDevice => "character-device",
            Self::Fifo => "fifo",
            Self::Folder => "folder",
            Self::Link => "link",
            Self::Regular => "regular",
            Self::Socket => "socket",
            Self::Unknown => "unknown",
        }
    }

    fn of(kind: std::fs::FileType) -> Self {
        match kind {
            kind if kind.is_file() => Self::Regular,
            kind if kind.is_dir() => Self::Folder,
            kind if kind.is_symlink() => Self::Link,
            kind if kind.is_fifo() => Self::Fifo,
            kind if kind.is_socket() => Self::Socket,
            kind if kind.is_char_device() => Self::CharacterDevice,
            kind if kind.is_block_device() => Self::BlockDevice,
            _ => Self::Unknown,
        }
    }
}

impl Moment {
    pub(super) fn new(seconds: i64, nanoseconds: i64) -> Self {
        Self {
            seconds,
            nanoseconds: u32::try_from(nanoseconds).unwrap_or_default(),
        }
    }
}

impl Identity {
    /// Which file an open one is.
    ///
    /// # Errors
    /// What the system says, if it does not tell.
    pub fn of(file: &File) -> io::Result<Self> {
        let facts = file.metadata()?;
        Ok(Self {
            device: facts.dev(),
            inode: facts.ino(),
            kind: Kind::of(facts.file_type()),
            links: facts.nlink(),
            size_bytes: facts.size(),
            modified: Moment::new(facts.mtime(), facts.mtime_nsec()),
            changed: Moment::new(facts.ctime(), facts.ctime_nsec()),
        })
    }

    /// Whether it is the same file, whatever became of it meanwhile.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode, self.kind) == (other.device, other.inode, other.kind)
    }

    /// Whether it is the same file with, as far as its size and time tell, the same bytes. A rename
    /// does not matter to this, and who may write the file can deceive it.
    pub fn has_same_bytes(&self, other: &Self) -> bool {
        self.is_same_file(other)
            && (self.size_bytes, self.modified) == (other.size_bytes, other.modified)
    }
}
