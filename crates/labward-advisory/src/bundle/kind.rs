//! What kind of document bytes are, by what stands in them; a name alone decides nothing.

use super::{FaultKind, Notice};
use crate::{Error, Limits, json};

/// The kinds of documents that this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// [`crate::csaf::Advisory`].
    Csaf,
    /// [`crate::cyclonedx::Bom`].
    CycloneDx,
    /// [`crate::epss::Scores`].
    Epss,
    /// [`crate::kev::Catalog`].
    Kev,
    /// [`crate::openvex::OpenVex`].
    OpenVex,
    /// [`crate::osv::Osv`].
    Osv,
    /// [`crate::spdx::Spdx`].
    Spdx,
}

impl Kind {
    /// Its name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csaf => "csaf",
            Self::CycloneDx => "cyclonedx",
            Self::Epss => "epss",
            Self::Kev => "kev",
            Self::OpenVex => "openvex",
            Self::Osv => "osv",
            Self::Spdx => "spdx",
        }
    }
}

/// What bytes are.
pub(super) enum Found {
    Document(Kind),
    /// A list of documents that says nothing itself.
    Index(Notice),
}

/// Looks at the bytes of one file.
pub(super) fn look(name: &str, bytes: &[u8]) -> Result<Found, FaultKind> {
    let (text, _) = json::to_text(bytes);
    match text.trim_start().as_bytes().first() {
        None => Err(FaultKind::Empty),
        Some(b'{' | b'[') => of_json(&text),
        Some(_) => of_table(name, &text),
    }
}

fn of_json(text: &str) -> Result<Found, FaultKind> {
    let document = json::Document::parse(text, &Limits::sbom()).map_err(|error| match error {
        Error::TooLarge { .. } => FaultKind::EntryTooLarge,
        Error::TooDeep { .. } | Error::TooManyValues { .. } => FaultKind::TooComplex,
        Error::NotJson { what, line, column } => FaultKind::NotJson { what, line, column },
        Error::NotA(_) => FaultKind::Unknown,
    })?;
    let root = document.root();
    let first = root.items().next().unwrap_or(root);
    let has = |key: &str| root.get(key).is_some();
    let inner = root.get("document");
    let starts = |key: &str, with: &str| root.text_of(key).is_some_and(|it| it.starts_with(with));
    if inner.is_some_and(|one| one.get("csaf_version").is_some() || one.get("tracking").is_some()) {
        return Ok(Found::Document(Kind::Csaf));
    }
    if root.text_of("bomFormat") == Some("CycloneDX") {
        return Ok(Found::Document(Kind::CycloneDx));
    }
    if starts("spdxVersion", "SPDX-2.") {
        return Ok(Found::Document(Kind::Spdx));
    }
    if root
        .text_of("@context")
        .is_some_and(|it| it.contains("openvex"))
    {
        return Ok(Found::Document(Kind::OpenVex));
    }
    if has("catalogVersion") && has("vulnerabilities") {
        return Ok(Found::Document(Kind::Kev));
    }
    if has("feed") || (has("canonical_url") && has("metadata_version")) || has("aggregator") {
        return Ok(Found::Index(Notice::Index));
    }
    let is_osv =
        |one: json::Value<'_>| one.text_of("id").is_some() && one.get("modified").is_some();
    match has("vulns") || is_osv(first) {
        true => Ok(Found::Document(Kind::Osv)),
        false => Err(FaultKind::Unknown),
    }
}

fn of_table(name: &str, text: &str) -> Result<Found, FaultKind> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let head = lines.next().unwrap_or_default();
    let columns: Vec<String> = head
        .split(',')
        .take(64)
        .map(|one| one.trim().trim_matches('"').to_ascii_lowercase())
        .collect();
    let has = |column: &str| columns.iter().any(|one| one == column);
    if has("cve") && has("epss") {
        return Ok(Found::Document(Kind::Epss));
    }
    if has("cveid") && has("dateadded") {
        return Ok(Found::Document(Kind::Kev));
    }
    let base = name.rsplit('/').next().unwrap_or_default();
    match base.to_ascii_lowercase().as_str() {
        "changes.csv" | "index.txt" | "security.txt" => Ok(Found::Index(Notice::Index)),
        "readme" | "readme.md" | "readme.txt" | "license" | "license.md" | "license.txt" => {
            Ok(Found::Index(Notice::Prose))
        }
        _ => Err(FaultKind::Unknown),
    }
}
