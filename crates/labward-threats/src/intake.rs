//! Files on their way in, each with what becomes of it.
//!
//! It must never hold more of a file than its packed bytes and what was read from it.

use labward_advisory::csaf::Advisory;
use labward_advisory::epss::Scores;
use labward_advisory::kev::Catalog;
use labward_advisory::{Error, Limits};
use labward_base::Timestamp;
use labward_base::id::DocumentId;
use labward_seal::sha256;

use crate::document::{DocumentKind, Integrity};

/// How hard documents are packed; one of 25 kB takes under a millisecond.
const LEVEL: i32 = 6;

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its name; never used as a path.
    pub file: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Files of one source that were read and are not taken over yet.
#[derive(Debug, Default)]
pub struct Intake {
    pub(crate) taken: Vec<Taken>,
}

/// One file, and what it is.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) file: String,
    pub(crate) outcome: Result<Fresh, String>,
}

/// A document that was read.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) kind: DocumentKind,
    pub(crate) publisher: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) released: Option<Timestamp>,
    pub(crate) sha256: [u8; 32],
    pub(crate) has_hash: bool,
    pub(crate) signer: Option<String>,
    pub(crate) packed: Vec<u8>,
    pub(crate) content: Content,
}

/// What a document says.
#[derive(Debug)]
pub(crate) enum Content {
    Csaf(Box<Advisory>),
    Epss(Scores),
    Kev(Catalog),
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineState {
    /// It was not there.
    Added,
    /// The same bytes were there.
    Known,
    /// A later release was there; it was not taken over.
    Older,
    /// It could not be taken over: why, in English, and never with what stands in it.
    Refused(String),
    /// It took the place of an earlier release.
    Updated,
}

impl LineState {
    /// The name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Known => "known",
            Self::Older => "older",
            Self::Refused(_) => "refused",
            Self::Updated => "updated",
        }
    }
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file.
    pub file: String,
    /// The publisher's id; empty where there is none.
    pub name: String,
    /// What became of it.
    pub state: LineState,
    /// The document, if it is held.
    pub document: Option<DocumentId>,
}

impl Intake {
    /// Reads a file; what cannot be read hinders no other.
    pub fn take(&mut self, incoming: Incoming<'_>, integrity: &Integrity) {
        let outcome = match integrity {
            Integrity {
                hash: Some(false), ..
            } => Err("its hash is not the one beside it".to_owned()),
            Integrity {
                signature: Some(Err(why)),
                ..
            } => Err(format!("its signature is not good: {why}")),
            _ => read(incoming.bytes, integrity),
        };
        self.taken.push(Taken {
            file: incoming.file.chars().take(200).collect(),
            outcome,
        });
    }

    /// Notes a file that could not even be unpacked.
    pub fn refuse(&mut self, file: &str, why: String) {
        self.taken.push(Taken {
            file: file.chars().take(200).collect(),
            outcome: Err(why),
        });
    }

    /// Why the first file that was refused was.
    pub fn fault(&self) -> Option<&str> {
        let mut refused = self.taken.iter();
        refused.find_map(|one| one.outcome.as_ref().err().map(String::as_str))
    }

    /// Puts what another holds behind what is here.
    pub fn append(&mut self, mut other: Self) {
        self.taken.append(&mut other.taken);
    }

    /// Whether nothing was read and nothing refused.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }
}

fn read(bytes: &[u8], integrity: &Integrity) -> Result<Fresh, String> {
    let content = content(bytes).map_err(|error| error.to_string())?;
    let (kind, publisher, name, version, released) = match &content {
        Content::Csaf(one) => (
            DocumentKind::Csaf,
            one.publisher.namespace.to_string(),
            one.id.to_string(),
            one.tracking.version.to_string(),
            one.tracking.current_release,
        ),
        Content::Epss(one) => (
            DocumentKind::Epss,
            String::new(),
            String::new(),
            one.model_version.clone().unwrap_or_default(),
            one.scored,
        ),
        Content::Kev(one) => (
            DocumentKind::Kev,
            String::new(),
            String::new(),
            one.version.to_string(),
            one.released,
        ),
    };
    if kind == DocumentKind::Csaf && name.trim().is_empty() {
        return Err("it has no document.tracking.id".to_owned());
    }
    let packed = zstd::bulk::compress(bytes, LEVEL).map_err(|_| "it cannot be packed")?;
    let signer = integrity.signature.clone().and_then(Result::ok);
    Ok(Fresh {
        kind,
        publisher,
        name,
        version,
        released,
        sha256: sha256(bytes),
        has_hash: integrity.hash == Some(true),
        signer,
        packed,
        content,
    })
}

/// Reads whatever it is.
fn content(bytes: &[u8]) -> Result<Content, Error> {
    let limits = Limits::default();
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Scores::parse(bytes, &limits).map(Content::Epss);
    }
    match Advisory::parse(bytes, &limits) {
        Err(Error::NotA(_)) => Catalog::parse(bytes, &limits).map(Content::Kev),
        read => read.map(Box::new).map(Content::Csaf),
    }
}

/// What a document of the database says.
pub(crate) fn unpack(kind: DocumentKind, packed: &[u8]) -> Option<Content> {
    let size = zstd::zstd_safe::get_frame_content_size(packed).ok()??;
    let size = usize::try_from(size).ok()?;
    if size > Limits::default().max_bytes {
        return None;
    }
    let bytes = zstd::bulk::decompress(packed, size).ok()?;
    let limits = Limits::default();
    match kind {
        DocumentKind::Csaf => {
            let read = Advisory::parse(&bytes, &limits).ok()?;
            Some(Content::Csaf(Box::new(read)))
        }
        DocumentKind::Epss => Scores::parse(&bytes, &limits).ok().map(Content::Epss),
        DocumentKind::Kev => Catalog::parse(&bytes, &limits).ok().map(Content::Kev),
    }
}
