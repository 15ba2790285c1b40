//! Files on their way in, each with what becomes of it.
//!
//! It must never hold more of a file than its packed bytes and what was read from it.

use labward_advisory::csaf::Advisory;
use labward_advisory::cyclonedx::Bom;
use labward_advisory::epss::Scores;
use labward_advisory::kev::Catalog;
use labward_advisory::openvex::OpenVex;
use labward_advisory::osv::Osv;
use labward_advisory::{Error, Limits};
use labward_base::Timestamp;
use labward_base::id::DocumentId;
use labward_seal::sha256;

use crate::document::{DocumentKind, Integrity};
use crate::osv::OsvIntake;
use crate::vex::VexDocument;

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
    pub(crate) osv: OsvIntake,
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
    /// Is read when it is needed.
    Osv,
    Vex(Box<VexDocument>),
}

/// What a file is, once it was read.
enum Read {
    Document(Content),
    CycloneDx(Bom),
    OpenVex(OpenVex),
    Osv(Osv),
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
            _ => read(incoming.bytes),
        };
        let outcome = match outcome {
            // Of these many files make one document.
            Ok(Read::Osv(osv)) => match self.osv.take(&osv) {
                Ok(()) => return,
                Err(why) => Err(why),
            },
            Ok(read) => fresh(read, incoming.bytes, integrity),
            Err(why) => Err(why),
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
        self.taken.is_empty() && self.osv.is_empty()
    }
}

fn fresh(read: Read, bytes: &[u8], integrity: &Integrity) -> Result<Fresh, String> {
    let (kind, publisher, name, version, released) = match &read {
        Read::Document(Content::Csaf(one)) => (
            DocumentKind::Csaf,
            one.publisher.namespace.to_string(),
            one.id.to_string(),
            one.tracking.version.to_string(),
            one.tracking.current_release,
        ),
        Read::Document(Content::Epss(one)) => (
            DocumentKind::Epss,
            String::new(),
            String::new(),
            one.model_version.clone().unwrap_or_default(),
            one.scored,
        ),
        Read::Document(Content::Kev(one)) => (
            DocumentKind::Kev,
            String::new(),
            String::new(),
            one.version.to_string(),
            one.released,
        ),
        Read::OpenVex(one) => (
            DocumentKind::OpenVex,
            one.author.to_string(),
            one.id.to_string(),
            one.version.as_deref().unwrap_or_default().to_owned(),
            one.updated.or(one.issued),
        ),
        Read::CycloneDx(one) => (
            DocumentKind::CycloneDx,
            VexDocument::of_cyclonedx(one).publisher,
            named(one),
            String::new(),
            one.made,
        ),
        Read::Document(Content::Osv | Content::Vex(_)) | Read::Osv(_) => {
            return Err("it is of another kind".to_owned());
        }
    };
    if name.trim().is_empty() {
        match kind {
            DocumentKind::Csaf => return Err("it has no document.tracking.id".to_owned()),
            DocumentKind::OpenVex => return Err("it has no @id".to_owned()),
            DocumentKind::CycloneDx => {
                return Err("it has neither a serial number nor a subject".to_owned());
            }
            DocumentKind::Epss | DocumentKind::Kev | DocumentKind::Osv => {}
        }
    }
    let content = match read {
        Read::Document(content) => content,
        Read::OpenVex(one) => Content::Vex(Box::new(VexDocument::of_openvex(&one))),
        Read::CycloneDx(one) => Content::Vex(Box::new(VexDocument::of_cyclonedx(&one))),
        Read::Osv(_) => Content::Osv,
    };
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

/// What a CycloneDX document is known by: its serial number, else what it is about.
fn named(bom: &Bom) -> String {
    if let Some(serial) = &bom.serial_number {
        return serial.to_string();
    }
    VexDocument::of_cyclonedx(bom).title
}

/// Reads whatever it is.
fn read(bytes: &[u8]) -> Result<Read, String> {
    read_any(bytes)
        .map_err(|error| error.to_string())
        .and_then(|read| match read {
            Read::CycloneDx(bom) if bom.vulnerabilities.is_empty() => Err(
                "a bill of materials without a statement of VEX: attach it to its device"
                    .to_owned(),
            ),
            read => Ok(read),
        })
}

fn read_any(bytes: &[u8]) -> Result<Read, Error> {
    let limits = Limits::default();
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = text.trim_ascii_start().first();
    if !matches!(first, Some(b'{' | b'[')) {
        return Scores::parse(bytes, &limits).map(|one| Read::Document(Content::Epss(one)));
    }
    // Of this kind there are hundreds of thousands in one archive.
    if first == Some(&b'[') || is_like_osv(text) {
        match Osv::parse(bytes, &limits) {
            Err(Error::NotA(_)) => {}
            read => return read.map(Read::Osv),
        }
    }
    match Advisory::parse(bytes, &limits) {
        Err(Error::NotA(_)) => {}
        read => return read.map(|one| Read::Document(Content::Csaf(Box::new(one)))),
    }
    match OpenVex::parse(bytes, &limits) {
        Err(Error::NotA(_)) => {}
        read => return read.map(Read::OpenVex),
    }
    match Bom::parse(bytes, &limits) {
        Err(Error::NotA(_)) => {}
        read => return read.map(Read::CycloneDx),
    }
    Catalog::parse(bytes, &limits).map(|one| Read::Document(Content::Kev(one)))
}

/// Whether a text has the members of OSV and none of another kind.
fn is_like_osv(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let has = |key: &str| text.contains(key);
    let others = [
        "\"csaf_version\"",
        "\"bomFormat\"",
        "\"catalogVersion\"",
        "\"@context\"",
    ];
    (has("\"affected\"") || has("\"vulns\"")) && !others.iter().any(|key| has(key))
}

/// What a document of the database says.
pub(crate) fn unpack(kind: DocumentKind, packed: &[u8]) -> Option<Content> {
    if kind == DocumentKind::Osv {
        return Some(Content::Osv);
    }
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
        DocumentKind::CycloneDx => {
            let read = Bom::parse(&bytes, &limits).ok()?;
            Some(Content::Vex(Box::new(VexDocument::of_cyclonedx(&read))))
        }
        DocumentKind::OpenVex => {
            let read = OpenVex::parse(&bytes, &limits).ok()?;
            Some(Content::Vex(Box::new(VexDocument::of_openvex(&read))))
        }
        DocumentKind::Osv => Some(Content::Osv),
    }
}
