//! What is otherwise than in a baseline, and what explains it.
//!
//! It must never explain a change by what the machine says alone: an update needs a scan that found nothing, and a person
//! still decides.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use labward_api::integrity::{IntegrityAlarm, IntegrityCounts, IntegritySigner};
use labward_base::hex;
use serde::Serialize;

use super::manifest::{BadManifest, FileFacts, Line, Reader};
use super::program::{Program, ProgramKind};
use super::signing::{Signing, signer};

/// The most changes that are kept; those beyond are counted.
const CHANGES_MAX: usize = 200_000;
/// From so many unexplained changes in folders of the system on, each of them is an alarm.
const MANY: usize = 100;
/// The most kinds of signatures of which the server is told.
const SIGNERS_MAX: usize = 100;
/// The folders of operating systems and what is installed on them, by their first parts.
const SYSTEM: [&str; 9] = [
    "bin",
    "boot",
    "lib",
    "program files",
    "program files (x86)",
    "sbin",
    "usr/bin",
    "usr/lib",
    "windows",
];

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Added,
    Changed,
    Moved,
    Removed,
    /// Only owner, group or rights are others.
    Rights,
    /// It could be read before.
    Unread,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Removed => "removed",
            Self::Rights => "rights",
            Self::Unread => "unread",
        }
    }
}

/// One file that is otherwise.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// Where it was, if it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) was: Option<FileFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is: Option<FileFacts>,
    /// What the scanner said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<&'static str>,
    /// What became of its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signing: Option<Signing>,
    /// `update`, if that is what it looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explained: Option<&'static str>,
    pub(super) alarms: Vec<&'static str>,
}

impl Change {
    fn new(path: PathBuf, kind: Kind, was: Option<FileFacts>, is: Option<FileFacts>) -> Self {
        Self {
            path,
            kind,
            from: None,
            was,
            is,
            verdict: None,
            signing: None,
            explained: None,
            alarms: Vec::new(),
        }
    }

    /// Whether the scanner should look at it.
    pub(super) fn is_new_content(&self) -> bool {
        matches!(self.kind, Kind::Added | Kind::Changed)
    }

    /// Adds what explains it and what alarms, once the scanner has spoken.
    pub(super) fn explain(&mut self) {
        match self.verdict {
            Some("malicious" | "suspicious") => self.alarms.push("malware"),
            Some("unscannable" | "scanner-error") => self.alarms.push("not-scanned"),
            _ => {}
        }
        if self.kind == Kind::Unread {
            self.alarms.push("unread");
        }
        if !self.is_new_content() {
            return;
        }
        if let (Some(was), Some(is)) = (&self.was, &self.is)
            && (was.size, was.modified) == (is.size, is.modified)
        {
            self.alarms.push("changed-unseen");
        }
        let (was, is) = self.programs();
        let Some(is) = is else { return };
        let signing = Signing::of(was, is);
        let alarms = of_program(was, is, signing);
        let is_update = signing == Some(Signing::SameSigner) && is_newer(was, is);
        self.signing = signing;
        self.alarms.extend(alarms);
        if is_update && self.alarms.is_empty() && self.verdict == Some("clean") {
            self.explained = Some("update");
        }
    }

    /// The program that it was and the one that it is.
    pub(super) fn programs(&self) -> (Option<&Program>, Option<&Program>) {
        let was = self.was.as_ref().and_then(|was| was.program.as_ref());
        let is = self.is.as_ref().and_then(|is| is.program.as_ref());
        (was, is)
    }
}

/// What alarms about a program that is new or changed.
fn of_program(was: Option<&Program>, is: &Program, signing: Option<Signing>) -> Vec<&'static str> {
    let is_unsigned = is.signed == Some(false) || is.kind == ProgramKind::Elf;
    let of_signature = match signing {
        Some(signing) => signing.alarm(),
        None => is_unsigned.then_some("unsigned-program"),
    };
    let is_older = was.is_some_and(|was| is_newer(Some(is), was));
    let of_version = is_older.then_some("older-version");
    of_signature.into_iter().chain(of_version).collect()
}

/// Whether both say their version, and that of `is` comes after that of `was`.
fn is_newer(was: Option<&Program>, is: &Program) -> bool {
    let versions = (was.and_then(Program::numbers), is.numbers());
    matches!(versions, (Some(was), Some(is)) if is > was)
}

/// The files as they are, held against a baseline while both go by.
pub(super) struct Merge<R> {
    old: Reader<R>,
    waiting: Option<(PathBuf, Line)>,
    pub(super) changes: Vec<Change>,
    pub(super) counts: IntegrityCounts,
    /// Whether `changes` holds every change.
    pub(super) complete: bool,
}

impl<R: BufRead> Merge<R> {
    pub(super) fn begin(mut old: Reader<R>) -> Result<Self, BadManifest> {
        let waiting = old.next()?;
        Ok(Self {
            old,
            waiting,
            changes: Vec::new(),
            counts: IntegrityCounts::default(),
            complete: true,
        })
    }

    /// The next file as it is now.
    pub(super) fn take(&mut self, path: &Path, line: &Line) -> Result<(), BadManifest> {
        match line.file {
            Some(_) => self.counts.files += 1,
            None => self.counts.unread += 1,
        }
        while let Some((gone, was)) = self.waiting.take_if(|(old, _)| old.as_path() < path) {
            self.waiting = self.old.next()?;
            self.removed(gone, was);
        }
        let before = self.waiting.take_if(|(old, _)| old == path);
        if before.is_some() {
            self.waiting = self.old.next()?;
        }
        let was = before.and_then(|(_, was)| was.file);
        match (was, line.file.clone()) {
            (was, Some(is)) => self.there(path, was, is),
            (Some(was), None) => {
                self.push(Change::new(path.to_owned(), Kind::Unread, Some(was), None));
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn there(&mut self, path: &Path, was: Option<FileFacts>, is: FileFacts) {
        let kind = match &was {
            None => Kind::Added,
            Some(was) if was.sha256 != is.sha256 => Kind::Changed,
            Some(was) if (was.mode, was.owner, was.group) != (is.mode, is.owner, is.group) => {
                Kind::Rights
            }
            Some(_) => return,
        };
        self.push(Change::new(path.to_owned(), kind, was, Some(is)));
    }

    fn removed(&mut self, path: PathBuf, was: Line) {
        // What could not be read before is not known to have been there.
        if was.file.is_some() {
            self.push(Change::new(path, Kind::Removed, was.file, None));
        }
    }

    fn push(&mut self, change: Change) {
        match change.kind {
            Kind::Added => self.counts.added += 1,
            Kind::Changed => self.counts.changed += 1,
            Kind::Moved => self.counts.moved += 1,
            Kind::Removed => self.counts.removed += 1,
            Kind::Rights => self.counts.rights += 1,
            Kind::Unread => {}
        }
        if self.changes.len() < CHANGES_MAX {
            self.changes.push(change);
        } else {
            self.complete = false;
        }
    }

    /// Reads the baseline to its end, which says whether it was sound, and tells what was moved.
    pub(super) fn finish(&mut self) -> Result<(), BadManifest> {
        while let Some((gone, was)) = self.waiting.take() {
            self.waiting = self.old.next()?;
            self.removed(gone, was);
        }
        self.pair();
        Ok(())
    }

    /// A file that is gone and one that is new with the same bytes are one that was moved.
    fn pair(&mut self) {
        let mut gone: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, change) in self.changes.iter().enumerate() {
            if let (Kind::Removed, Some(was)) = (change.kind, &change.was) {
                gone.entry(was.sha256.clone()).or_default().push(at);
            }
        }
        let mut paired = Vec::new();
        for (at, change) in self.changes.iter().enumerate() {
            if let (Kind::Added, Some(is)) = (change.kind, &change.is)
                && let Some(from) = gone.get_mut(&is.sha256).and_then(Vec::pop)
            {
                paired.push((from, at));
            }
        }
        for (from, to) in &paired {
            let (path, was) = match self.changes.get(*from) {
                Some(gone) => (gone.path.clone(), gone.was.clone()),
                None => continue,
            };
            if let Some(change) = self.changes.get_mut(*to) {
                change.kind = Kind::Moved;
                change.from = Some(path);
                change.was = was;
            }
        }
        let moved: std::collections::BTreeSet<usize> =
            paired.iter().map(|(from, _)| *from).collect();
        let mut at = 0;
        self.changes.retain(|_| {
            at += 1;
            !moved.contains(&(at - 1))
        });
        let moved = moved.len() as u64;
        self.counts.moved += moved;
        self.counts.added -= moved;
        self.counts.removed -= moved;
    }
}

/// Explains every change, and counts the alarms.
pub(super) fn explain(
    changes: &mut [Change],
    counts: &mut IntegrityCounts,
    complete: bool,
) -> Vec<IntegrityAlarm> {
    changes.iter_mut().for_each(Change::explain);
    let unexplained = |change: &Change| change.explained.is_none() && is_of_system(&change.path);
    let many = changes.iter().filter(|change| unexplained(change)).count();
    if many >= MANY || !complete {
        let meant = changes.iter_mut().filter(|change| unexplained(change));
        meant.for_each(|change| change.alarms.push("many-changes"));
    }
    counts.updates = changes
        .iter()
        .filter(|change| change.explained.is_some())
        .count() as u64;
    let mut alarms: BTreeMap<&str, u64> = BTreeMap::new();
    if !complete {
        alarms.insert("many-changes", 1);
    }
    for code in changes.iter().flat_map(|change| &change.alarms) {
        *alarms.entry(code).or_default() += 1;
    }
    let alarms = alarms.into_iter();
    alarms
        .map(|(code, count)| IntegrityAlarm {
            code: code.to_owned(),
            count,
        })
        .collect()
}

/// Who signed the programs that are otherwise, and who had signed them: how many files of each kind, most first.
pub(super) fn signers(changes: &[Change]) -> Vec<IntegritySigner> {
    let mut kinds: BTreeMap<_, u64> = BTreeMap::new();
    for change in changes {
        let (was, is) = change.programs();
        if let Some(signing) = change.signing {
            let kind = (signing.code(), signer(was), signer(is));
            *kinds.entry(kind).or_default() += 1;
        }
    }
    let kinds = kinds
        .into_iter()
        .map(|((how, was, is), count)| IntegritySigner {
            how: how.to_owned(),
            was,
            is,
            count,
        });
    let mut kinds: Vec<_> = kinds.collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
    kinds.truncate(SIGNERS_MAX);
    kinds
}

/// The SHA-256 over all changes, by which the same ones are known again; none if there are none.
pub(super) fn digest(changes: &[Change]) -> Option<String> {
    let mut hash = Context::new(&SHA256);
    for change in changes {
        let sha256 = change.is.as_ref().map_or("", |is| &is.sha256);
        let rights = change.is.as_ref().map(|is| (is.mode, is.owner, is.group));
        for part in [
            change.kind.word().as_bytes(),
            change.path.as_os_str().as_bytes(),
            sha256.as_bytes(),
            format!("{rights:?}").as_bytes(),
        ] {
            hash.update(part);
            hash.update(b"\0");
        }
    }
    (!changes.is_empty()).then(|| hex::encode(hash.finish().as_ref()))
}

fn is_of_system(path: &Path) -> bool {
    let text = path.to_string_lossy().to_lowercase();
    SYSTEM.iter().any(|folder| {
        text.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}
