//! What became of each file, told to the server until it knows.
//!
//! It must never say that a file was removed or stands again before it was or does.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_api::malware::{FileOutcome, RestoreOrder};
use labward_base::problem;
use labward_os::Stopwatch;
use labward_os::held::HeldError;

use super::watched::{Job, Watched};

/// So many outcomes wait at most; what is left out is asked about by the server.
const UNTOLD_MAX: usize = 4_096;
/// The first and the longest time before something is tried again.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(600);
/// So many times of trying again are remembered at most.
const TRIED_MAX: usize = 4_096;

/// What is to be told of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Removed,
    Gone,
    NotRemoved(&'static str),
    WrittenBack,
    NotWrittenBack(&'static str),
}

/// What is not told yet, and when what failed is due again.
pub(super) struct Ledger {
    clock: Stopwatch,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// By item, and whether it is about giving back.
    untold: BTreeMap<(u64, bool), Outcome>,
    /// Whether something was noted since it was last told.
    has_news: bool,
    /// When an item is due, and how often it was tried.
    tried: BTreeMap<u64, (Duration, u32)>,
}

impl Outcome {
    const fn is_back(self) -> bool {
        matches!(self, Self::WrittenBack | Self::NotWrittenBack(_))
    }

    const fn parts(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Removed => ("removed", None),
            Self::Gone => ("gone", None),
            Self::NotRemoved(why) => ("not-removed", Some(why)),
            Self::WrittenBack => ("written-back", None),
            Self::NotWrittenBack(why) => ("not-written-back", Some(why)),
        }
    }
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            clock: Stopwatch::start(),
            inside: Mutex::default(),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is to be told; only the last of an item matters, but that it was removed is final.
    pub(super) fn note(&self, item: u64, outcome: Outcome) {
        let mut inside = self.inside();
        inside.has_news = true;
        let key = (item, outcome.is_back());
        // Two looked at it at one moment, and one of them came late.
        if inside.untold.get(&key) != Some(&Outcome::Removed) {
            inside.untold.insert(key, outcome);
        }
        if inside.untold.len() > UNTOLD_MAX {
            inside.untold.pop_first();
        }
    }

    /// Whether something was noted since this was asked last.
    pub(super) fn has_news(&self) -> bool {
        std::mem::take(&mut self.inside().has_news)
    }

    fn untold(&self) -> Vec<(u64, Outcome)> {
        let inside = self.inside();
        let untold = inside.untold.iter();
        untold.map(|(key, outcome)| (key.0, *outcome)).collect()
    }

    fn is_untold(&self, item: u64) -> bool {
        self.inside().untold.contains_key(&(item, false))
    }

    /// Forgets what was told, unless there is something newer to tell.
    fn told(&self, item: u64, outcome: Outcome) {
        let mut inside = self.inside();
        let key = (item, outcome.is_back());
        if inside.untold.get(&key) == Some(&outcome) {
            inside.untold.remove(&key);
        }
    }

    /// Whether an item is due; if so, it is due again later, each time later than before.
    pub(super) fn is_due(&self, item: u64) -> bool {
        let now = self.clock.elapsed();
        let mut inside = self.inside();
        let (due, tries) = inside.tried.get(&item).copied().unwrap_or_default();
        if now < due {
            return false;
        }
        let wait = AGAIN.saturating_mul(1 << tries.min(16)).min(AGAIN_MAX);
        inside.tried.insert(item, (now + wait, tries + 1));
        if inside.tried.len() > TRIED_MAX {
            inside.tried.pop_first();
        }
        true
    }

    /// What is done needs no more trying.
    pub(super) fn is_done(&self, item: u64) {
        self.inside().tried.remove(&item);
    }
}

impl Watched {
    /// Tells the server what is not told yet.
    pub(super) fn tell_outcomes(&self) {
        for (item, outcome) in self.ledger.untold() {
            let (what, why) = outcome.parts();
            let said = self.shared.server.say(&FileOutcome {
                place: self.config.name.clone(),
                host: self.shared.host.clone(),
                item,
                what: what.to_owned(),
                why: why.map(str::to_owned),
            });
            match said {
                Ok(()) => self.ledger.told(item, outcome),
                Err(failure) if self.heard(&failure) => return,
                // It answered that there is nothing to tell it of.
                Err(failure) if is_refused(failure.code()) => self.ledger.told(item, outcome),
                Err(failure) => {
                    self.say_once("guard.not-told", item, failure.to_string());
                    return;
                }
            }
        }
    }

    /// Sees to a file of which the server does not know whether it was removed.
    pub(super) fn settle(&self, order: &RestoreOrder) {
        if self.ledger.is_untold(order.item) || !self.ledger.is_due(order.item) {
            return;
        }
        let Ok((path, metadata)) = super::restore::read(&order.file) else {
            return;
        };
        let Ok(below) = path.strip_prefix(&self.config.path) else {
            return self.ledger.note(order.item, Outcome::NotRemoved("outside"));
        };
        match self.stands(below) {
            Ok(Some((size_bytes, modified)))
                if size_bytes == order.size_bytes && modified == metadata.modified =>
            {
                self.later(Job::File(below.to_owned(), 0));
            }
            Ok(_) => self.ledger.note(order.item, Outcome::Gone),
            // Nobody can say.
            Err(_) => {}
        }
    }

    /// How long and of when the file is that has this name; none if none has.
    fn stands(&self, below: &Path) -> Result<Option<(u64, labward_os::held::Moment)>, HeldError> {
        let name = below.file_name().unwrap_or(OsStr::new(""));
        let parent = below.parent().filter(|one| !one.as_os_str().is_empty());
        let folder = match self.root.folder(parent.unwrap_or(Path::new("."))) {
            Err(error) if error.kind() == Some(ErrorKind::NotFound) => return Ok(None),
            other => other?,
        };
        let found = folder.look(name)?;
        Ok(found.map(|found| (found.size_bytes, found.modified)))
    }
}

/// Whether the server will never take it.
fn is_refused(code: &str) -> bool {
    [
        problem::QUARANTINE_UNKNOWN.code,
        problem::QUARANTINE_DESTROYED.code,
        problem::QUARANTINE_NOT_APPROVED.code,
        problem::SERVER_BAD_REQUEST.code,
    ]
    .contains(&code)
}

/// Why something could not be done with a file, as people are told.
pub(super) fn why(error: &HeldError) -> &'static str {
    match (error, error.kind()) {
        (_, Some(ErrorKind::ReadOnlyFilesystem)) => "read-only",
        (_, Some(ErrorKind::PermissionDenied)) => "denied",
        (_, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) => "disk-full",
        (HeldError::NotAFolder(_), _) | (_, Some(ErrorKind::NotFound)) => "folder-gone",
        (HeldError::Taken(_), _) => "name-taken",
        (HeldError::Changed(_), _) => "changed",
        (HeldError::BadPath(_), _) => "outside",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_due_later_each_time_until_it_is_done() {
        let ledger = Ledger::new();
        assert!(ledger.is_due(7));
        assert!(!ledger.is_due(7), "a second later");
        assert!(ledger.is_due(8), "each by itself");
        let due = |item| ledger.inside().tried.get(&item).copied().unwrap().0;
        let mut before = due(7);
        for _ in 0..12 {
            ledger.inside().tried.get_mut(&7).unwrap().0 = Duration::ZERO;
            assert!(ledger.is_due(7));
            assert!(due(7) + Duration::from_millis(500) > before);
            before = due(7);
        }
        assert!(before > AGAIN_MAX - AGAIN && before < AGAIN_MAX + AGAIN);
        ledger.is_done(7);
        assert!(ledger.is_due(7));
    }

    #[test]
    fn what_is_told_is_forgotten_unless_something_newer_is_to_be_told() {
        let ledger = Ledger::new();
        assert!(!ledger.has_news());
        ledger.note(7, Outcome::NotRemoved("denied"));
        assert!(ledger.has_news() && !ledger.has_news());
        ledger.note(7, Outcome::Removed);
        // Somebody else who looked at it comes late.
        ledger.note(7, Outcome::NotRemoved("changed"));
        ledger.note(7, Outcome::NotWrittenBack("denied"));
        ledger.note(7, Outcome::WrittenBack);
        ledger.told(7, Outcome::NotRemoved("denied"));
        let both = [(7, Outcome::Removed), (7, Outcome::WrittenBack)];
        assert_eq!(ledger.untold(), both);
        for (item, outcome) in both {
            ledger.told(item, outcome);
        }
        assert!(ledger.untold().is_empty() && !ledger.is_untold(7));
        for item in 0..5_000 {
            ledger.note(item, Outcome::Gone);
        }
        assert_eq!(ledger.untold().len(), UNTOLD_MAX);
    }
}
