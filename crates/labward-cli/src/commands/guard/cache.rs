//! What is known of files already, by what they are and when they were changed.
//!
//! It must never take a file for another, or for what it was before it was changed: what was changed
//! a moment ago is not kept, because the clock of the file system may not tell the next change from it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_base::{Clock as _, Timestamp};
use labward_os::held::Identity;
use labward_os::{Stopwatch, SystemClock};

use super::known::{self, Known};

/// So many files of a folder are known at most.
pub(super) const FILES_MAX: usize = 131_072;
/// What is known is asked again after so long.
const KNOWN: Duration = Duration::from_secs(7 * 86_400);
/// What is malicious: its item may not be there any more.
const KNOWN_MALICIOUS: Duration = Duration::from_secs(4 * 3_600);
/// A change after the last one is told apart from it after so long.
const SETTLED: Duration = Duration::from_millis(50);
/// The same, where the file system keeps whole seconds only.
const SETTLED_COARSE: Duration = Duration::from_secs(3);

/// What the server says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Clean,
    Malicious,
    Suspicious,
    Unscannable,
}

/// A malicious file of which the server has an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) item: u64,
    /// Of its bytes, in hexadecimal digits.
    pub(super) sha256: String,
    /// Whether a change after the copy would show by the times of the file.
    pub(super) is_settled: bool,
}

/// A verdict, what lies in quarantine, and since when it is known: in this run, and for how long before.
#[derive(Clone)]
struct Entry {
    verdict: Verdict,
    sealed: Option<Sealed>,
    since: Stopwatch,
    before: Duration,
}

impl Entry {
    fn age(&self) -> Duration {
        self.since.elapsed().saturating_add(self.before)
    }

    fn is_fresh(&self) -> bool {
        let limit = match self.verdict {
            Verdict::Malicious => KNOWN_MALICIOUS,
            _ => KNOWN,
        };
        self.age() < limit
    }
}

#[derive(Default)]
pub(super) struct Cache(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    known: HashMap<Identity, Entry>,
    /// The oldest first.
    order: VecDeque<Identity>,
    /// The rules that the verdicts are of.
    rules: String,
    /// The rules by which the server says that it looks now.
    told: String,
    /// Whether something is known that was not when it was kept last.
    is_new: bool,
}

impl Cache {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn verdict(&self, file: &Identity) -> Option<(Verdict, Option<Sealed>)> {
        let inside = self.inside();
        let known = inside.known.get(file).filter(|known| known.is_fresh())?;
        Some((known.verdict, known.sealed.clone()))
    }

    /// Takes down by which rules the server looks now; whether what was looked at before must be looked at again.
    pub(super) fn told(&self, rules: &str) -> bool {
        let mut inside = self.inside();
        if rules.is_empty() || inside.told == rules {
            return false;
        }
        // Before anything was told, what was looked at was so by the rules that stand with it.
        let before = match inside.told.is_empty() {
            true => inside.rules.clone(),
            false => inside.told.clone(),
        };
        if inside.rules != rules {
            *inside = Inside::of(rules);
        }
        inside.told = rules.to_owned();
        !before.is_empty() && before != rules
    }

    /// Knows what was known before this run.
    pub(super) fn learn(&self, known: &Known, now: Timestamp) {
        let mut inside = self.inside();
        *inside = Inside::of(&known.rules);
        inside.told.clone_from(&known.rules);
        for one in &known.entries {
            // After a clock that was set back nobody can tell how old it is.
            let before = (one.at <= now).then(|| now.since(one.at));
            if let Some(before) = before.filter(|before| *before < KNOWN) {
                inside.put(one.file, (one.verdict, None), before);
            }
        }
        inside.is_new = false;
    }

    /// What is to be kept over a restart; none if it is as it was when it was kept last.
    pub(super) fn to_keep(&self, now: Timestamp) -> Option<Known> {
        let mut inside = self.inside();
        if !std::mem::replace(&mut inside.is_new, false) {
            return None;
        }
        let keeps = |known: &&Entry| known.verdict != Verdict::Malicious && known.is_fresh();
        let entries = inside.order.iter().filter_map(|file| {
            let known = inside.known.get(file).filter(keeps)?;
            Some(known::Entry {
                file: *file,
                verdict: known.verdict,
                at: now.minus(known.age()),
            })
        });
        Some(Known {
            rules: inside.rules.clone(),
            entries: entries.collect(),
        })
    }

    /// Keeps what was said of a file that was looked at from `began` on. Other rules make everything
    /// unknown that was said by those before.
    pub(super) fn keep(
        &self,
        file: Identity,
        verdict: (Verdict, Option<Sealed>),
        rules: &str,
        began: Timestamp,
    ) {
        let mut inside = self.inside();
        if inside.rules != rules {
            let told = std::mem::take(&mut inside.told);
            *inside = Inside::of(rules);
            inside.told = told;
        }
        inside.keep(file, verdict, began);
    }

    /// The same without rules, as of a file that people gave back.
    pub(super) fn keep_given(&self, file: Identity, began: Timestamp) {
        self.inside().keep(file, (Verdict::Clean, None), began);
    }
}

impl Inside {
    fn of(rules: &str) -> Self {
        Self {
            rules: rules.to_owned(),
            is_new: true,
            ..Self::default()
        }
    }

    fn keep(&mut self, file: Identity, verdict: (Verdict, Option<Sealed>), began: Timestamp) {
        if is_settled(&file, began) {
            self.put(file, verdict, Duration::ZERO);
        }
    }

    fn put(
        &mut self,
        file: Identity,
        (verdict, sealed): (Verdict, Option<Sealed>),
        before: Duration,
    ) {
        self.is_new = true;
        let known = Entry {
            verdict,
            sealed,
            since: Stopwatch::start(),
            before,
        };
        if self.known.insert(file, known).is_none() {
            self.order.push_back(file);
        }
        while self.order.len() > FILES_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

/// Now, as what is kept is compared with.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// Whether every change since `began` shows by the times of the file.
pub(super) fn is_settled(file: &Identity, began: Timestamp) -> bool {
    let changed = file.changed;
    let margin = settles(file);
    let micros = changed.seconds.saturating_mul(1_000_000);
    let micros = micros.saturating_add(i64::from(changed.nanoseconds / 1_000));
    began.since(Timestamp::from_micros(micros)) >= margin
}

/// How long after a change the next one can be told from it.
pub(super) const fn settles(file: &Identity) -> Duration {
    match file.changed.nanoseconds {
        0 => SETTLED_COARSE,
        _ => SETTLED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_os::held::{Kind, Moment};

    fn file(inode: u64, nanoseconds: u32) -> Identity {
        let moment = Moment {
            seconds: 1_000,
            nanoseconds,
        };
        Identity {
            device: 1,
            inode,
            kind: Kind::Regular,
            links: 1,
            size_bytes: 68,
            modified: moment,
            changed: moment,
        }
    }

    #[test]
    fn what_was_just_changed_is_not_kept() {
        let cache = Cache::default();
        let at = |micros: i64| Timestamp::from_micros(1_000_000_000 + micros);
        cache.keep(file(1, 5), (Verdict::Clean, None), "r", at(40_000));
        assert_eq!(cache.verdict(&file(1, 5)), None);
        cache.keep(file(1, 5), (Verdict::Clean, None), "r", at(60_000));
        assert_eq!(cache.verdict(&file(1, 5)), Some((Verdict::Clean, None)));
        assert_eq!(cache.verdict(&file(1, 6)), None);
        cache.keep(file(2, 0), (Verdict::Clean, None), "r", at(60_000));
        assert_eq!(cache.verdict(&file(2, 0)), None);
        // A clock that stands behind the file system's.
        cache.keep(file(3, 5), (Verdict::Clean, None), "r", at(-1_000_000));
        assert_eq!(cache.verdict(&file(3, 5)), None);
    }

    #[test]
    fn what_is_kept_is_known_after_a_restart_and_other_rules_make_it_unknown() {
        let (cache, later) = (Cache::default(), Timestamp::from_seconds(2_000));
        cache.keep(file(1, 5), (Verdict::Clean, None), "r", later);
        assert!(!cache.told("r"), "they are those by which was looked");
        cache.keep(file(2, 5), (Verdict::Malicious, None), "r", later);
        let kept = cache.to_keep(later).unwrap();
        assert_eq!(cache.to_keep(later), None, "nothing new");
        let again = Cache::default();
        again.learn(&kept, later);
        assert_eq!(again.verdict(&file(1, 5)), Some((Verdict::Clean, None)));
        assert_eq!(again.verdict(&file(2, 5)), None);
        assert!(!again.told("r") && !again.told(""), "the same rules");
        assert_eq!(again.verdict(&file(1, 5)), Some((Verdict::Clean, None)));
        assert!(again.told("s"));
        assert_eq!(again.verdict(&file(1, 5)), None);
        let new = Cache::default();
        assert!(!new.told("r"), "nothing was looked at before");
        // Too old, or of a clock that was set back.
        for now in [later.plus(KNOWN), later.minus(Duration::from_secs(1))] {
            let late = Cache::default();
            late.learn(&kept, now);
            assert_eq!(late.verdict(&file(1, 5)), None, "{now:?}");
        }
        // An answer by new rules that comes before they are told: everything is looked at again all the same.
        again.keep(file(3, 5), (Verdict::Clean, None), "t", later);
        assert!(again.told("t"));
        assert_eq!(again.verdict(&file(3, 5)), Some((Verdict::Clean, None)));
    }

    #[test]
    fn other_rules_make_everything_unknown_and_the_oldest_go_first() {
        let cache = Cache::default();
        let later = Timestamp::from_seconds(2_000);
        cache.keep(file(1, 5), (Verdict::Clean, None), "r", later);
        cache.keep(file(2, 5), (Verdict::Malicious, None), "s", later);
        assert_eq!(cache.verdict(&file(1, 5)), None);
        assert_eq!(cache.verdict(&file(2, 5)), Some((Verdict::Malicious, None)));
        for inode in 0..u64::try_from(FILES_MAX).unwrap() {
            cache.keep(file(inode + 10, 5), (Verdict::Clean, None), "s", later);
        }
        assert_eq!(cache.verdict(&file(2, 5)), None);
        assert_eq!(cache.inside().known.len(), FILES_MAX);
    }
}
