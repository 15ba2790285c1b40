//! A file of a manufacturer, where it came from and what it says.
//!
//! It must never hold a file of which nothing could be read.

use std::str::FromStr;
use std::sync::Arc;

use labward_advisory::Limits;
use labward_base::Timestamp;
use labward_base::id::{DisclosureId, EntryIndex, PersonId};
use labward_matching::Bill;
use labward_mds2::Mds2;
use labward_seal::sha256;

use crate::DisclosuresError;
use crate::scope::Scope;

/// The largest bill of materials, in bytes.
const BILL_MAX_BYTES: usize = 64 << 20;
/// The largest workbook, in bytes.
const WORKBOOK_MAX_BYTES: usize = 16 << 20;
/// How hard files are packed.
const LEVEL: i32 = 6;

/// What a disclosure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisclosureKind {
    /// A disclosure statement for medical device security.
    Mds2,
    /// A bill of materials.
    Sbom,
}

impl DisclosureKind {
    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mds2 => "mds2",
            Self::Sbom => "sbom",
        }
    }
}

impl FromStr for DisclosureKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Mds2, Self::Sbom];
        all.into_iter().find(|one| one.name() == text).ok_or(())
    }
}

/// A disclosure that is attached to devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Its number; what takes its place keeps it.
    pub id: DisclosureId,
    /// What it is.
    pub kind: DisclosureKind,
    /// Of which devices it speaks.
    pub scope: Scope,
    /// What the file is called.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: [u8; 32],
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// Who attached it.
    pub person: PersonId,
    /// When.
    pub attached: Timestamp,
    /// The entry that recorded it.
    pub entry: EntryIndex,
}

/// What a disclosure says.
#[derive(Clone, Debug)]
pub enum Content {
    /// What the manufacturer answered.
    Mds2(Arc<Mds2>),
    /// What the devices are made of.
    Sbom(Arc<Bill>),
}

/// A disclosure with what it says.
#[derive(Clone, Debug)]
pub struct Held {
    /// Where it came from.
    pub about: Disclosure,
    /// What it says.
    pub content: Content,
}

impl Held {
    /// The bill of materials, if it is one.
    pub const fn bill(&self) -> Option<&Arc<Bill>> {
        match &self.content {
            Content::Sbom(bill) => Some(bill),
            Content::Mds2(_) => None,
        }
    }

    /// What the manufacturer answered, if it is that.
    pub const fn mds2(&self) -> Option<&Arc<Mds2>> {
        match &self.content {
            Content::Mds2(mds2) => Some(mds2),
            Content::Sbom(_) => None,
        }
    }
}

/// A file on its way in, read.
#[derive(Clone, Debug)]
pub struct NewDisclosure {
    pub(crate) kind: DisclosureKind,
    pub(crate) file: String,
    pub(crate) sha256: [u8; 32],
    pub(crate) size_bytes: u64,
    pub(crate) packed: Vec<u8>,
    pub(crate) content: Content,
}

impl NewDisclosure {
    /// Reads a file of this kind; its name is never used as a path.
    ///
    /// # Errors
    /// [`DisclosuresError::BadSbom`], [`DisclosuresError::BadMds2`], [`DisclosuresError::TooLarge`].
    pub fn read(kind: DisclosureKind, file: &str, bytes: &[u8]) -> Result<Self, DisclosuresError> {
        let content = content(kind, bytes)?;
        if let Content::Sbom(bill) = &content
            && bill.components.is_empty()
        {
            return Err(DisclosuresError::NoComponent);
        }
        let packed = zstd::bulk::compress(bytes, LEVEL);
        Ok(Self {
            kind,
            file: plain(file),
            sha256: sha256(bytes),
            size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            packed: packed.map_err(|_| DisclosuresError::TooLarge)?,
            content,
        })
    }

    /// What it says.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// SHA-256 of the file.
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// What the file is called.
    pub fn file(&self) -> &str {
        &self.file
    }
}

/// Reads the bytes of a file.
fn content(kind: DisclosureKind, bytes: &[u8]) -> Result<Content, DisclosuresError> {
    let most = match kind {
        DisclosureKind::Mds2 => WORKBOOK_MAX_BYTES,
        DisclosureKind::Sbom => BILL_MAX_BYTES,
    };
    if bytes.len() > most {
        return Err(DisclosuresError::TooLarge);
    }
    Ok(match kind {
        DisclosureKind::Mds2 => Content::Mds2(Arc::new(Mds2::read(bytes)?)),
        DisclosureKind::Sbom => Content::Sbom(Arc::new(Bill::read(bytes, &Limits::sbom())?)),
    })
}

/// Reads a file of the database again; `None` if it cannot be.
pub(crate) fn unpack(kind: DisclosureKind, packed: &[u8]) -> Option<Content> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok()??;
    let size = usize::try_from(size).ok()?;
    if size > BILL_MAX_BYTES {
        return None;
    }
    content(kind, &zstd::bulk::decompress(packed, size).ok()?).ok()
}

/// The last part of a name, without what steers a screen.
fn plain(file: &str) -> String {
    let last = file.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let shown = last.chars().filter(|c| !c.is_control()).take(100);
    let shown: String = shown.collect();
    match shown.is_empty() {
        true => "upload".to_owned(),
        false => shown,
    }
}
