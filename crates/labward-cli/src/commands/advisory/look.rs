//! One document: what it says, what is wrong with it, and whether its publisher made it.

use std::collections::BTreeMap;

use labward_advisory::bundle::{HashCheck, Item, Kind, Listing, SignatureCheck, Trust};
use labward_advisory::integrity::HashFault;
use labward_advisory::{Limits, Severity, Weight, csaf, json};
use serde::Serialize;

use super::files;

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
    /// `verified …`, or why not; none if there is none and no key was given.
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

/// Tests one document, which must be signed if keys were given; the error says why there is none.
pub(super) fn look(path: &str, item: &Item<'_>, must_be_signed: bool) -> Result<Document, String> {
    if item.kind != Kind::Csaf {
        return Err(files::another_kind(item.kind));
    }
    let limits = Limits::default();
    let (text, replaced) = json::to_text(item.bytes);
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
    let mut statuses = BTreeMap::new();
    for entry in advisory
        .vulnerabilities
        .iter()
        .flat_map(|one| &one.statuses)
    {
        *statuses.entry(entry.status.as_str()).or_insert(0) += 1;
    }
    Ok(Document {
        path: path.to_owned(),
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
        is_authentic: match item.trust() {
            Trust::Refuted => false,
            Trust::Signed => true,
            Trust::Unsigned => !must_be_signed,
        },
        hash: hash(item.hash),
        signature: signature(item, must_be_signed),
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

fn hash(check: HashCheck) -> Option<String> {
    match check {
        HashCheck::Absent => None,
        HashCheck::Bad(HashFault::Differs) => Some("differs".to_owned()),
        HashCheck::Bad(fault) => Some(fault.to_string()),
        HashCheck::Good => Some("fits".to_owned()),
    }
}

/// What is said of the signature; one that is missing is told if there must be one.
fn signature(item: &Item<'_>, must_be_signed: bool) -> Option<String> {
    let list = item.manifest.map(|manifest| &manifest.signature);
    match (item.listing, list) {
        (Listing::Differs, _) => return Some("not what the bundle lists".to_owned()),
        (Listing::NotListed, _) => return Some("not in the bundle's list".to_owned()),
        (Listing::Fits, Some(SignatureCheck::Good(signer))) => {
            return Some(format!("in a bundle signed by {}", signer.key));
        }
        (Listing::Fits, Some(SignatureCheck::Bad(fault))) => {
            return Some(format!("the bundle's list: {fault}"));
        }
        _ => {}
    }
    match item.signature {
        SignatureCheck::Good(signer) if signer.expired.is_some() => {
            Some(format!("verified {} (key expired since)", signer.key))
        }
        SignatureCheck::Good(signer) => Some(format!("verified {}", signer.key)),
        SignatureCheck::Bad(fault) => Some(fault.to_string()),
        SignatureCheck::KeyUnknown(key) if must_be_signed => {
            Some(format!("signed by another key: {key}"))
        }
        SignatureCheck::Absent if must_be_signed => Some("missing".to_owned()),
        SignatureCheck::Absent | SignatureCheck::KeyUnknown(_) => None,
    }
}
