//! The engine for YARA rules, on boreal.
//!
//! It must never let a rule read a file, and never answer before the last rule was asked: a scan that ran out of time is
//! an error. Rules are compiled anew by each process: boreal 1.4.0 reads back only the first 1,024 rules of its own packed
//! form, and compiling 5,900 takes about a second. Rules of others make bytes suspicious; malicious only those whose names a person approved.

mod finder;
mod load;
mod magic;
mod split;
mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use boreal::scanner::{EvaluatedRule, ScanError, ScanParams};
use boreal::{MetadataValue, Scanner};
use labward_carrier::{Kind, Step};

pub use load::{Loader, Refused, RuleSet};

use crate::engine::{Deadline, Engine, EngineError, Hit, Look};
use crate::verdict::{FindingKind, Severity, Verdict};
use crate::{bounded, hex};

/// Our own rules, by file.
pub(crate) const OWN: &[(&str, &str)] = &[
    ("eicar.yar", include_str!("../../rules/eicar.yar")),
    ("clinical.yar", include_str!("../../rules/clinical.yar")),
    ("documents.yar", include_str!("../../rules/documents.yar")),
    ("scripts.yar", include_str!("../../rules/scripts.yar")),
];

/// The rule of ours that is the standard's: the test file and nothing else.
const EICAR: &str = "Labward_EICAR_Test_File";
/// How many matches of one string are looked for.
const STRING_MATCHES_MAX: u32 = 1_000;
/// The most rules that one part is told to have hit.
const HITS_MAX: usize = 100;

/// How a program of Windows begins.
const MZ: &[u8] = b"MZ";

/// The rules by the bytes that they can hit.
struct Groups {
    /// The general one, for bytes that hold one of `words`; the bare one, without the rules that demand one, for all others;
    /// beside them one for those that begin like a program of Windows, and one for those that begin with one of `marks`.
    scanners: [Scanner; 4],
    words: finder::Finder,
    marks: Vec<Vec<u8>>,
}

/// A set of compiled rules.
pub struct Rules {
    groups: Groups,
    sets: Vec<RuleSet>,
    approved: BTreeSet<String>,
    /// The numbers of the namespaces of which each rule is approved.
    approved_namespaces: BTreeSet<usize>,
    state: String,
}

impl Rules {
    fn new(groups: Groups, sets: Vec<RuleSet>, approved_namespaces: BTreeSet<usize>) -> Self {
        let state = |set: &RuleSet| match set.approved {
            true => format!("{} approved", set.sha256),
            false => set.sha256.clone(),
        };
        let hashes: Vec<String> = sets.iter().map(state).collect();
        Self {
            groups,
            state: hex(digest(&SHA256, hashes.join("\n").as_bytes()).as_ref()),
            sets,
            approved: BTreeSet::new(),
            approved_namespaces,
        }
    }

    /// Whether a person approved the set of this namespace, `number:file`.
    fn is_approved(&self, namespace: &str) -> bool {
        let number = namespace.split_once(':').map(|(number, _)| number.parse());
        matches!(number, Some(Ok(number)) if self.approved_namespaces.contains(&number))
    }

    /// Lets these rules, by name, make bytes malicious.
    pub fn approve(&mut self, rules: impl IntoIterator<Item = String>) {
        self.approved.extend(rules);
        let names: Vec<&str> = self.approved.iter().map(String::as_str).collect();
        let all = format!("{}\n{}", self.state, names.join("\n"));
        self.state = hex(digest(&SHA256, all.as_bytes()).as_ref());
    }

    /// What was loaded.
    #[must_use]
    pub fn sets(&self) -> &[RuleSet] {
        &self.sets
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sets.iter().map(|set| set.rules).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn ask(
        &self,
        group: &Scanner,
        part: &Look<'_>,
        deadline: &Deadline,
    ) -> Result<Vec<Hit>, EngineError> {
        let left = deadline.left();
        if left.is_zero() {
            return Err(EngineError::Late);
        }
        // The rules are shared; only the values below are this scan's own.
        let mut scanner = group.clone();
        scanner.set_scan_params(parameters(left));
        let failed =
            |error: &dyn std::fmt::Display| EngineError::Failed(bounded(&error.to_string()));
        let values = Externals::of(part);
        for (name, value) in load::EXTERNALS.into_iter().zip(values.0) {
            scanner
                .define_symbol(name, value)
                .map_err(|error| failed(&error))?;
        }
        scanner
            .define_symbol(load::CLINICAL, part.clinical)
            .map_err(|error| failed(&error))?;
        match scanner.scan_mem(part.bytes) {
            Ok(result) => {
                let told = result.rules.iter();
                Ok(told.map(|rule| self.hit(&scanner, rule)).collect())
            }
            Err((ScanError::Timeout, _)) => Err(EngineError::Late),
            Err((error, _)) => Err(failed(&error)),
        }
    }

    fn hit(&self, scanner: &Scanner, rule: &EvaluatedRule<'_>) -> Hit {
        let said = Said::of(scanner, rule);
        let kind = match rule.name {
            EICAR if rule.namespace == "0:eicar.yar" => FindingKind::Eicar,
            name if self.approved.contains(name) => FindingKind::ApprovedRule,
            _ if self.is_approved(rule.namespace) => FindingKind::ApprovedRule,
            _ => FindingKind::Rule,
        };
        Hit {
            rule: bounded(rule.name),
            description: said.sentence(),
            severity: said.severity(),
            kind,
        }
    }
}

fn parameters(timeout: Duration) -> ScanParams {
    ScanParams::default()
        .compute_full_matches(false)
        .string_max_nb_matches(STRING_MATCHES_MAX)
        .timeout_duration(Some(timeout))
}

impl Engine for Rules {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn look(&self, part: &Look<'_>, deadline: &Deadline) -> Result<Vec<Hit>, EngineError> {
        let Groups {
            scanners: [general, bare, windows, marked],
            words,
            marks,
        } = &self.groups;
        let first = match words.is_in(part.bytes) {
            true => general,
            false => bare,
        };
        let mut hits = self.ask(first, part, deadline)?;
        if part.bytes.starts_with(MZ) {
            hits.extend(self.ask(windows, part, deadline)?);
        }
        if marks.iter().any(|mark| part.bytes.starts_with(mark)) {
            hits.extend(self.ask(marked, part, deadline)?);
        }
        if hits.len() > HITS_MAX {
            // What is left out is never the worst.
            hits.sort_by_key(|hit| hit.kind.verdict() != Verdict::Malicious);
            hits.truncate(HITS_MAX);
        }
        Ok(hits)
    }

    fn state(&self) -> String {
        self.state.clone()
    }
}

/// The values of the externals for one part, in the order of their names.
struct Externals([String; 5]);

impl Externals {
    fn of(part: &Look<'_>) -> Self {
        let member = part.path.steps().iter().rev().find_map(|step| match step {
            Step::Member { name, .. } => Some(name.as_str()),
            Step::Place(_) | Step::Packing(_) => None,
        });
        let declared = part.declared.name.as_deref();
        let filepath = declared.or(member).unwrap_or_default();
        let filename = filepath.rsplit(['/', '\\']).next().unwrap_or_default();
        let extension = match filename.rsplit_once('.') {
            Some((_, ending)) => format!(".{}", ending.to_ascii_lowercase()),
            None => String::new(),
        };
        Self([
            filename.to_owned(),
            filepath.to_owned(),
            extension,
            filetype(part.claims.main()).to_owned(),
            String::new(),
        ])
    }
}

/// The kind in the words of LOKI, which rules of others compare with; empty where it has none.
fn filetype(kind: Kind) -> &'static str {
    match kind {
        Kind::Pe | Kind::Dos => "EXE",
        Kind::Elf => "ELF",
        Kind::MachO => "MACH-O",
        Kind::Zip => "ZIP",
        Kind::Rar => "RAR",
        Kind::SevenZip => "7ZIP",
        Kind::Gzip => "GZIP",
        Kind::Cab => "CAB",
        Kind::Chm => "CHM",
        Kind::Pdf => "PDF",
        Kind::Rtf => "RTF",
        Kind::Ole => "OLE",
        Kind::Shortcut => "LNK",
        Kind::Jpeg => "JPG",
        Kind::Png => "PNG",
        Kind::Gif => "GIF",
        _ => "",
    }
}

/// What a rule's author says in its metadata.
#[derive(Default)]
struct Said {
    description: Option<String>,
    author: Option<String>,
    licence: Option<String>,
    reference: Option<String>,
    date: Option<String>,
    score: Option<i64>,
    severity: Option<Severity>,
}

impl Said {
    fn of(scanner: &Scanner, rule: &EvaluatedRule<'_>) -> Self {
        let mut said = Self::default();
        for one in rule.metadatas {
            let name = scanner.get_string_symbol(one.name).to_ascii_lowercase();
            let text = || match one.value {
                MetadataValue::Bytes(value) => Some(bounded(&String::from_utf8_lossy(
                    scanner.get_bytes_symbol(value),
                ))),
                MetadataValue::Integer(value) => Some(value.to_string()),
                MetadataValue::Boolean(_) => None,
            };
            match name.as_str() {
                "description" => said.description = text(),
                "author" => said.author = text(),
                "license" | "licence" => said.licence = text(),
                "reference" => said.reference = text(),
                "date" => said.date = text(),
                "score" => said.score = text().and_then(|text| text.parse().ok()),
                "severity" => match one.value {
                    MetadataValue::Integer(value) => said.score = Some(value),
                    _ => said.severity = text().as_deref().and_then(Severity::of_word),
                },
                _ => {}
            }
        }
        said
    }

    /// A rule that says nothing of it is of medium severity.
    fn severity(&self) -> Severity {
        self.severity
            .or(self.score.map(Severity::of_score))
            .unwrap_or(Severity::Medium)
    }

    /// The description, and who says so.
    fn sentence(&self) -> String {
        let by = [&self.author, &self.date, &self.licence, &self.reference];
        let by: Vec<&str> = by.into_iter().filter_map(|one| one.as_deref()).collect();
        let description = self.description.as_deref().unwrap_or_default();
        let all = match (description.is_empty(), by.is_empty()) {
            (_, true) => description.to_owned(),
            (true, false) => format!("({})", by.join("; ")),
            (false, false) => format!("{description} ({})", by.join("; ")),
        };
        bounded(&all)
    }
}
