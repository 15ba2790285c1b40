//! The list of a signed bundle: `manifest.json` and `manifest.json.minisig` at the top of an archive.
//!
//! ```json
//! {"format": "labward-bundle", "version": 1, "made": "2026-11-27T23:00:00Z", "by": "whoever made it",
//!  "documents": [{"name": "csaf/a.json", "sha256": "…64 digits…"}]}
//! ```

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use labward_base::{Timestamp, hex};

use super::{Checks, Listing, SignatureCheck, Signer};
use crate::integrity::{SignatureFault, verify_minisign};
use crate::{Limits, json};

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SIGNATURE: &str = "manifest.json.minisig";
const FORMAT: &str = "labward-bundle";

/// Who made a bundle, when, and whether the signature of its list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestCheck {
    /// When the list says that it was made.
    pub made: Option<Timestamp>,
    /// By whom, as the list says.
    pub by: String,
    /// Whether one of the given keys signed the list.
    pub signature: SignatureCheck,
}

/// The list of a bundle.
pub(super) struct Manifest {
    pub(super) check: ManifestCheck,
    documents: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a list; `None` if the file is another program's, an error if it is ours and not whole.
    pub(super) fn read(
        bytes: &[u8],
        signature: Option<&[u8]>,
        checks: &Checks<'_>,
    ) -> Option<Result<Self, ()>> {
        let (text, replaced) = json::to_text(bytes);
        let document = json::Document::parse(&text, &Limits::default()).ok()?;
        let root = document.root();
        (root.text_of("format") == Some(FORMAT)).then_some(())?;
        let entry = |one: json::Value<'_>| {
            let hash = one.text_of("sha256")?.to_ascii_lowercase();
            (hash.len() == 64).then_some((one.text_of("name")?.to_owned(), hash))
        };
        let documents: Option<BTreeMap<_, _>> = root.list("documents").map(entry).collect();
        let is_ours = root.get("version").and_then(json::Value::number) == Some(1.0);
        let Some(documents) = documents.filter(|_| is_ours && !replaced) else {
            return Some(Err(()));
        };
        Some(Ok(Self {
            check: ManifestCheck {
                made: root.text_of("made").and_then(Timestamp::parse_rfc3339),
                by: root.text_of("by").unwrap_or_default().to_owned(),
                signature: signature_of(bytes, signature, checks),
            },
            documents,
        }))
    }

    /// What the list says of one file.
    pub(super) fn listing(&self, name: &str, bytes: &[u8]) -> Listing {
        match self.documents.get(name) {
            None => Listing::NotListed,
            Some(hash) if *hash == sha256(bytes) => Listing::Fits,
            Some(_) => Listing::Differs,
        }
    }

    /// The names that the list holds.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.documents.keys()
    }
}

fn signature_of(bytes: &[u8], signature: Option<&[u8]>, checks: &Checks<'_>) -> SignatureCheck {
    let Some(signature) = signature else {
        return SignatureCheck::Absent;
    };
    match verify_minisign(signature, bytes, checks.bundle_keys) {
        Ok(verified) => SignatureCheck::Good(Signer {
            key: verified.key_id,
            signed: None,
            expired: None,
        }),
        Err(SignatureFault::OtherKey(id)) => SignatureCheck::KeyUnknown(id),
        Err(fault) => SignatureCheck::Bad(fault),
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes).as_ref())
}

/// The list of some documents, ready to be signed; the same documents give the same bytes.
///
/// `documents` are the names in the archive and the bytes.
pub fn manifest_of<'d>(
    made: Timestamp,
    by: &str,
    documents: impl IntoIterator<Item = (&'d str, &'d [u8])>,
) -> String {
    let hashes: BTreeMap<&str, String> = documents
        .into_iter()
        .map(|(name, bytes)| (name, sha256(bytes)))
        .collect();
    let documents: Vec<_> = hashes
        .into_iter()
        .map(|(name, sha256)| serde_json::json!({"name": name, "sha256": sha256}))
        .collect();
    // In the order of the alphabet, which every feature of the JSON library keeps.
    let manifest = serde_json::json!({
        "by": by, "documents": documents, "format": FORMAT, "made": made.to_rfc3339(), "version": 1,
    });
    format!("{manifest:#}\n")
}
