//! Questions that wait, and their answers: each is answered exactly once.
//!
//! It must never answer by the number of a descriptor that was closed meanwhile: the kernel may have
//! given that number to another question. So a question is answered under the lock, while whoever
//! holds it cannot close it.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{DEADLINE_MAX, DEADLINE_MIN, OUTSTANDING_MAX, Seen, Settings, kernel};
use crate::clock::Stopwatch;
use crate::error::OsError;
use crate::held::Identity;

/// Whether somebody may open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They may.
    Allow,
    /// They get the error EPERM.
    Deny,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The kernel took it.
    Given,
    /// The deadline had passed, or listening had ended: the default was answered before.
    TooLate,
}

/// How questions were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Questions that others than this process caused.
    pub asked: u64,
    /// Those that were answered in time.
    pub answered: u64,
    /// Those whose deadline passed.
    pub expired: u64,
    /// Those that were answered by the default because they were dropped, or too many.
    pub by_default: u64,
}

/// Somebody who waits to open or run a file. Dropped without an answer, the default is given.
#[derive(Debug)]
pub struct Question {
    gate: Arc<Gate>,
    number: u64,
    seen: Seen,
    is_execute: bool,
    asked: Stopwatch,
}

#[derive(Debug)]
pub(super) struct Gate {
    settings: Settings,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Gone once listening ended.
    group: Option<Arc<OwnedFd>>,
    /// In the order in which they were asked, which is that of their deadlines.
    waiting: BTreeMap<u64, Waiting>,
    counts: Counts,
}

#[derive(Debug)]
struct Waiting {
    file: RawFd,
    asked: Stopwatch,
}

impl Gate {
    pub(super) fn new(group: Arc<OwnedFd>, mut settings: Settings) -> Self {
        settings.deadline = settings.deadline.clamp(DEADLINE_MIN, DEADLINE_MAX);
        settings.outstanding_max = settings.outstanding_max.clamp(1, OUTSTANDING_MAX);
        Self {
            settings,
            state: Mutex::new(State {
                group: Some(group),
                waiting: BTreeMap::new(),
                counts: Counts::default(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn group(&self) -> Option<Arc<OwnedFd>> {
        self.state().group.clone()
    }

    pub(super) fn counts(&self) -> Counts {
        self.state().counts
    }

    pub(super) const fn outstanding_max(&self) -> usize {
        self.settings.outstanding_max
    }

    /// Lets this process itself through.
    pub(super) fn exempt(&self, file: &OwnedFd) {
        self.state().say(file.as_raw_fd(), Verdict::Allow);
    }

    /// Takes a question on; none if too many wait, and the default was answered.
    pub(super) fn ask(self: &Arc<Self>, seen: Seen, is_execute: bool) -> Option<Question> {
        let asked = Stopwatch::start();
        let file = seen.file.as_raw_fd();
        let mut state = self.state();
        state.counts.asked += 1;
        if state.waiting.len() >= self.settings.outstanding_max {
            state.counts.by_default += 1;
            state.say(file, self.settings.default_verdict);
            return None;
        }
        let number = state.counts.asked;
        state.waiting.insert(number, Waiting { file, asked });
        drop(state);
        Some(Question {
            gate: Arc::clone(self),
            number,
            seen,
            is_execute,
            asked,
        })
    }

    /// Answers by the default whose deadline has passed; says when the next one's does.
    pub(super) fn expire(&self) -> Option<Duration> {
        let mut state = self.state();
        loop {
            let oldest = state.waiting.first_entry()?;
            let left = self
                .settings
                .deadline
                .checked_sub(oldest.get().asked.elapsed());
            if let Some(left) = left.filter(|left| !left.is_zero()) {
                return Some(left);
            }
            let waiting = oldest.remove();
            state.counts.expired += 1;
            state.say(waiting.file, self.settings.default_verdict);
        }
    }

    /// Answers everything by the default, and lets the kernel answer what comes after.
    pub(super) fn close(&self) {
        let mut state = self.state();
        while let Some((_, waiting)) = state.waiting.pop_first() {
            state.counts.by_default += 1;
            state.say(waiting.file, self.settings.default_verdict);
        }
        state.group = None;
    }

    fn answer(&self, number: u64, verdict: Option<Verdict>) -> Answer {
        let mut state = self.state();
        let Some(waiting) = state.waiting.remove(&number) else {
            return Answer::TooLate;
        };
        match verdict {
            Some(_) => state.counts.answered += 1,
            None => state.counts.by_default += 1,
        }
        let verdict = verdict.unwrap_or(self.settings.default_verdict);
        state.say(waiting.file, verdict);
        Answer::Given
    }
}

impl State {
    fn say(&self, file: RawFd, verdict: Verdict) {
        if let Some(group) = &self.group {
            // It fails only where nobody waits any more, as when the process was killed.
            let _ = kernel::respond(group, file, verdict);
        }
    }
}

impl Question {
    /// Answers.
    pub fn answer(self, verdict: Verdict) -> Answer {
        self.gate.answer(self.number, Some(verdict))
    }

    /// Whether it was answered by the default already, because its deadline passed or listening
    /// ended.
    pub fn is_expired(&self) -> bool {
        !self.gate.state().waiting.contains_key(&self.number)
    }

    /// How long somebody waits by now.
    pub fn waited(&self) -> Duration {
        self.asked.elapsed()
    }

    /// Whether the file is to be run. Where both are watched, running a file is two questions, this
    /// one first.
    pub const fn is_execute(&self) -> bool {
        self.is_execute
    }

    /// The file, to be read; reading it causes no event.
    pub const fn file(&self) -> &File {
        &self.seen.file
    }

    /// Which file it is.
    ///
    /// # Errors
    /// [`OsError`] if the system does not tell.
    pub fn identity(&self) -> Result<Identity, OsError> {
        self.seen.identity()
    }

    /// Where it lies now, as far as that can be said: it may be moved or removed meanwhile.
    pub fn path(&self) -> Option<PathBuf> {
        self.seen.path()
    }

    /// The number of the process that asks; 0 if this one cannot see it.
    pub const fn pid(&self) -> i32 {
        self.seen.pid
    }

    /// That process itself; none before kernel 5.15.
    pub fn process(&self) -> Option<BorrowedFd<'_>> {
        self.seen.process.as_ref().map(AsFd::as_fd)
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        // Too late where it was answered: then this does nothing.
        self.gate.answer(self.number, None);
    }
}
