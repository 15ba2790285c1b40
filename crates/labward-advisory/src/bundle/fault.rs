//! Why a file, or what is in it, gave no document.

use std::fmt;

/// Why a file or an archive gave no document, or not all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The list of a bundle cannot be read.
    #[error("the bundle's list cannot be read")]
    BadManifest,
    /// A hash or a signature of something that is not there.
    #[error("a hash or signature of nothing that is there")]
    BesideNothing,
    /// The archive breaks off, or its bytes are not what they were.
    #[error("damaged or cut off")]
    Damaged,
    /// There is nothing in it.
    #[error("empty")]
    Empty,
    /// One file is larger than [`super::Bounds::max_entry_bytes`], or too large for what it is.
    #[error("too large")]
    EntryTooLarge,
    /// The list of a bundle names it, and it is not there.
    #[error("the bundle's list names it, and it is missing")]
    Missing,
    /// Its name is empty or too long.
    #[error("its name is empty or too long")]
    Name,
    /// A link, a device, or something that is encrypted or packed in an unknown way.
    #[error("no file that can be read: a link, or packed or encrypted in another way")]
    NotAFile,
    /// It starts as JSON and is none.
    #[error("no JSON: {what} at line {line}, column {column}")]
    NotJson {
        /// Which kind of fault: `syntax`, `end of file` or `data`.
        what: &'static str,
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1.
        column: usize,
    },
    /// It unpacks to more than [`super::Bounds::max_ratio`] times its size.
    #[error("unpacks to far more than its size")]
    Ratio,
    /// It nests too deep or holds too many values.
    #[error("nested too deep, or too many values")]
    TooComplex,
    /// An archive in an archive in an archive, and so on.
    #[error("archives within archives, too deep")]
    TooDeep,
    /// More files than [`super::Bounds::max_entries`].
    #[error("too many files")]
    TooManyEntries,
    /// More bytes than [`super::Bounds::max_total_bytes`].
    #[error("unpacks to too much")]
    TooMuch,
    /// It is no document of a kind that is read.
    #[error("no document of a kind that is known")]
    Unknown,
}

impl FaultKind {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadManifest => "bad-manifest",
            Self::BesideNothing => "beside-nothing",
            Self::Damaged => "damaged",
            Self::Empty => "empty",
            Self::EntryTooLarge => "entry-too-large",
            Self::Missing => "missing",
            Self::Name => "name",
            Self::NotAFile => "not-a-file",
            Self::NotJson { .. } => "not-json",
            Self::Ratio => "ratio",
            Self::TooComplex => "too-complex",
            Self::TooDeep => "too-deep",
            Self::TooManyEntries => "too-many-entries",
            Self::TooMuch => "too-much",
            Self::Unknown => "unknown",
        }
    }
}

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of the file, as people may see it.
    pub name: String,
    /// Why.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)
    }
}

/// What was left out because it says nothing about products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// A list of documents: ROLIE, `changes.csv`, `index.txt`, metadata of a provider.
    Index,
    /// Words for people, such as a licence.
    Prose,
}
