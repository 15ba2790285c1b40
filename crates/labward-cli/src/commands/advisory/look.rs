//! One document: what it says, what is wrong with it, and whether its publisher made it.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use labward_advisory::csaf;
use labward_advisory::integrity::{HashFault, PublicKey, check_hash, verify};
use labward_advisory::{Limits, Severity, Weight, json};
use labward_base::Timestamp;
use serde::Serialize;

/// By whom documents must be signed, and when that is asked.
pub(super) struct Keys {
    pub(super) keys: Vec<PublicKey>,
    pub(super) now: Timestamp,
}

/// What is told of one document.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    pub(super) path: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) publisher: String,
    pub(super) category: String,
    pub(super) version: String,
    pub(super) legacy_version: Option<String>,
    pub(super) status: String,
    pub(super) products: usize,
    pub(super) vulnerabilities: usize,
    /// How many products have each product status, over all vulnerabilities.
    pub(super) statuses: BTreeMap<&'static str, usize>,
    pub(super) worst_cvss: Option<Worst>,
    /// `fits`, or why not; none if no hash file stands beside it.
    pub(super) hash: Option<String>,
    /// `verified …`, or why not; none if no key was given.
    pub(super) signature: Option<String>,
    pub(super) flaws: Vec<FlawLine>,
    pub(super) unlisted_flaws: u64,
    #[serde(skip)]
    is_authentic: bool,
}

/// The highest base score, computed from its vector.
#[derive(Debug, Serialize)]
pub(super) struct Worst {
    pub(super) score: f64,
    pub(super) severity: &'static str,
}

/// One flaw.
#[derive(Debug, Serialize)]
pub(super) struct FlawLine {
    pub(super) rule: &'static str,
    pub(super) weight: &'static str,
    pub(super) place: String,
    pub(super) what: String,
}

impl Document {
    /// Whether it has no error, and is what its hash and signature say.
    pub(super) fn is_sound(&self) -> bool {
        let is_error = |flaw: &FlawLine| flaw.weight == Weight::Error.as_str();
        self.is_authentic && !self.flaws.iter().any(is_error)
    }

    /// The flaws by rule, such as `6.1.9 x2, 6.2.16 x5`; errors first.
    pub(super) fn by_rule(&self) -> String {
        let mut rules: Vec<(&str, usize)> = Vec::new();
        for weight in [Weight::Error, Weight::Warning, Weight::Information] {
            for flaw in self
                .flaws
                .iter()
                .filter(|flaw| flaw.weight == weight.as_str())
            {
                match rules.iter_mut().find(|(rule, _)| *rule == flaw.rule) {
                    Some((_, count)) => *count += 1,
                    None => rules.push((flaw.rule, 1)),
                }
            }
        }
        let texts: Vec<String> = rules
            .into_iter()
            .map(|(rule, count)| match count {
                1 => rule.to_owned(),
                _ => format!("{rule} x{count}"),
            })
            .collect();
        texts.join(", ")
    }
}

/// Reads and tests one file; the error says why there is no document.
pub(super) fn look(path: &Path, keys: &Keys) -> Result<Document, String> {
    let limits = Limits::default();
    let bytes = read_bounded(path, limits.max_bytes)?;
    let (text, replaced) = json::to_text(&bytes);
    let document = csaf::Document::parse(&text, &limits).map_err(|error| error.to_string())?;
    let advisory = document.advisory();
    let mut flaws = document.validate();
    flaws.merge(advisory.flaws.clone());
    if replaced {
        flaws.add_at(
            "text",
            "",
            "bytes that are no UTF-8 were replaced by U+FFFD",
        );
    }
    let hash = beside_hash(path, &bytes);
    let signature = (!keys.keys.is_empty()).then(|| beside_signature(path, &bytes, keys));
    let mut statuses = BTreeMap::new();
    for entry in advisory
        .vulnerabilities
        .iter()
        .flat_map(|one| &one.statuses)
    {
        *statuses.entry(entry.status.as_str()).or_insert(0) += 1;
    }
    Ok(Document {
        path: path.display().to_string(),
        id: advisory.id.to_string(),
        title: advisory.title.to_string(),
        publisher: advisory.publisher.name.to_string(),
        category: advisory.category.to_string(),
        version: advisory.tracking.version.to_string(),
        legacy_version: advisory
            .tracking
            .legacy_version
            .as_deref()
            .map(str::to_owned),
        status: advisory.tracking.status.to_string(),
        products: advisory.products.len(),
        vulnerabilities: advisory.vulnerabilities.len(),
        statuses,
        worst_cvss: advisory.worst_tenths().map(|tenths| Worst {
            score: f64::from(tenths) / 10.0,
            severity: Severity::of_tenths(tenths).as_str(),
        }),
        is_authentic: hash.as_ref().is_none_or(Result::is_ok)
            && signature.as_ref().is_none_or(Result::is_ok),
        hash: hash.map(|outcome| outcome.map_or_else(|why| why, |()| "fits".to_owned())),
        signature: signature.map(|outcome| outcome.unwrap_or_else(|why| why)),
        unlisted_flaws: flaws.unlisted(),
        flaws: flaws
            .listed()
            .iter()
            .map(|flaw| FlawLine {
                rule: flaw.rule,
                weight: flaw.weight().as_str(),
                place: flaw.place.clone(),
                what: flaw.what.clone(),
            })
            .collect(),
    })
}

/// The bytes of a file that is not larger than a limit.
fn read_bounded(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if usize::try_from(length).map_or(true, |length| length > limit) {
        return Err(format!("{length} bytes, more than the limit of {limit}"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Compares with every hash file beside the document; `None` if there is none.
fn beside_hash(path: &Path, document: &[u8]) -> Option<Result<(), String>> {
    let name = path.file_name()?.to_string_lossy();
    let mut outcome = None;
    for end in [".sha512", ".sha256"] {
        let file = match read_bounded(&beside(path, end), 1 << 20) {
            Ok(file) => file,
            Err(_) if !beside(path, end).exists() => continue,
            Err(why) => return Some(Err(why)),
        };
        match check_hash(&file, &name, document) {
            Ok(()) => outcome = Some(Ok(())),
            Err(HashFault::Differs) => return Some(Err("differs".to_owned())),
            Err(fault) => return Some(Err(fault.to_string())),
        }
    }
    outcome
}

/// Verifies the signature beside the document; one that is missing is a refusal, too.
fn beside_signature(path: &Path, document: &[u8], keys: &Keys) -> Result<String, String> {
    let signature = fs::metadata(beside(path, ".asc"))
        .and_then(|_| fs::read(beside(path, ".asc")))
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => "missing".to_owned(),
            _ => error.to_string(),
        })?;
    let verified = verify(&signature, document, &keys.keys, keys.now);
    verified
        .map(|verified| match verified.expired {
            Some(_) => format!("verified {} (key expired since)", verified.fingerprint),
            None => format!("verified {}", verified.fingerprint),
        })
        .map_err(|fault| fault.to_string())
}
