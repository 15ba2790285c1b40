//! What is done in a folder when there is time: looking at what was written or moved in, at what is
//! there already, and again at what could not be looked at; giving back.
//!
//! One thread a folder, so that what comes back is not taken for what came in.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use labward_os::Stopwatch;
use labward_os::fanotify::{Fanotify, News, Tree};
use labward_os::held::{HIDDEN_PREFIX, HeldFolder, Kind};
use labward_os::walk::{Bounds, Found, Walk};

use super::cache::now;
use super::watched::{Job, Watched};

/// A folder that was unmounted or exchanged is noticed after so long at most.
const LOOK_AROUND: Duration = Duration::from_secs(2);
/// A file that was written is looked at once nobody wrote it for so long.
const SETTLE: Duration = Duration::from_millis(100);
/// The first and the longest time before something is tried again.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_MAX: Duration = Duration::from_secs(60);
/// So many files wait to be looked at at most; beyond, everything is walked through.
const WAITING_MAX: usize = 16_384;
/// So long is waited for something to do.
const IDLE: Duration = Duration::from_millis(100);
/// What was given up is walked through again after so long at most.
const MISSED: Duration = Duration::from_secs(300);
/// So many names of a walk are looked at before something else has its turn.
const STEPS: usize = 64;
/// Where changes are looked for, a walk begins so long after the last at least, and takes a tenth of the time at most.
const POLL_WALK: Duration = Duration::from_secs(10);
const POLL_SHARE: u32 = 9;
/// What is known is kept so often while it grows.
const KEEP: Duration = Duration::from_secs(300);

pub(super) struct Keeper<'a> {
    watched: &'a Watched,
    jobs: &'a Receiver<Job>,
    poll: Duration,
    clock: Stopwatch,
    /// When each file is due, and how often it was tried.
    waiting: BTreeMap<PathBuf, (Duration, u32)>,
    /// What is walked through now: where it begins, and the walk.
    walks: Vec<(PathBuf, Walk)>,
    walk_due: Duration,
    /// When the walk through everything began that is under way.
    walk_began: Option<Duration>,
    keep_due: Duration,
    poll_due: Duration,
    around_due: Duration,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(watched: &'a Watched, jobs: &'a Receiver<Job>, poll: Duration) -> Self {
        Self {
            watched,
            jobs,
            poll,
            clock: Stopwatch::start(),
            waiting: BTreeMap::new(),
            walks: Vec::new(),
            walk_due: Duration::ZERO,
            walk_began: None,
            keep_due: KEEP,
            poll_due: Duration::ZERO,
            around_due: LOOK_AROUND,
        }
    }

    /// Goes on until the folder is not there any more, or the guard is to end.
    pub(super) fn run(mut self) {
        while !self.watched.is_ended() {
            self.walk();
            self.take_jobs();
            self.look_at_due();
            let now = self.clock.elapsed();
            if now >= self.poll_due {
                self.watched.tell_outcomes();
                self.watched.give_back_all();
                self.poll_due = self.clock.elapsed() + self.poll;
            }
            if self.is_well() && self.watched.ledger.has_news() {
                self.watched.tell_outcomes();
            }
            if now >= self.keep_due {
                self.keep();
            }
            if now >= self.around_due {
                self.around_due = now + LOOK_AROUND;
                if !self.is_there() {
                    self.watched.ended.store(true, Ordering::Relaxed);
                }
            }
        }
        self.watched.tell_outcomes();
        self.keep();
    }

    /// Keeps what is known over a restart.
    fn keep(&mut self) {
        self.keep_due = self.clock.elapsed() + KEEP;
        let watched = self.watched;
        let Some(memory) = &watched.memory else {
            return;
        };
        if let Some(known) = watched.cache.to_keep(now())
            && let Err(why) = memory.write(&known)
        {
            watched.say("guard.not-kept", &[("why", why)]);
        }
    }

    /// A walk through everything came to its end.
    fn walked(&mut self) {
        let Some(began) = self.walk_began.take() else {
            return;
        };
        self.keep();
        if self.watched.is_polled {
            let now = self.clock.elapsed();
            let wait = now.saturating_sub(began).saturating_mul(POLL_SHARE);
            self.walk_due = self.walk_due.min(now + wait.max(POLL_WALK));
        }
    }

    /// Whether the path still leads to the folder that is watched.
    fn is_there(&self) -> bool {
        let now = HeldFolder::open(&self.watched.config.path).and_then(|folder| folder.identity());
        let watched = self.watched.root.identity();
        matches!((now, watched), (Ok(now), Ok(watched)) if now.is_same_file(&watched))
    }

    fn take_jobs(&mut self) {
        let wait = match self.walks.is_empty() || !self.is_well() {
            true => IDLE,
            false => Duration::ZERO,
        };
        if let Ok(job) = self.jobs.recv_timeout(wait) {
            self.take(job);
        }
        while let Ok(job) = self.jobs.try_recv() {
            self.take(job);
        }
        if self.watched.overflowed.swap(false, Ordering::Relaxed) {
            self.take(Job::Everything);
        }
        if self.watched.missed.swap(false, Ordering::Relaxed) {
            self.walk_due = self.walk_due.min(self.clock.elapsed() + MISSED);
        }
    }

    fn take(&mut self, job: Job) {
        let now = self.clock.elapsed();
        match job {
            Job::Everything => self.walk_due = now,
            Job::File(path, tries) if self.waiting.len() < WAITING_MAX => {
                let wait = match tries {
                    0 => SETTLE,
                    n => AGAIN.saturating_mul(1 << n.min(16)).min(AGAIN_MAX),
                };
                self.waiting.insert(path, (now + wait, tries));
            }
            Job::File(..) => self.walk_due = now,
            Job::Folder(path) => self.begin(path),
        }
    }

    /// While the server does not answer nothing is looked at, and nothing is given up.
    fn is_well(&self) -> bool {
        self.watched.shared.health.is_well()
    }

    fn look_at_due(&mut self) {
        if !self.is_well() {
            return;
        }
        let now = self.clock.elapsed();
        let due = self.waiting.iter().filter(|(_, (due, _))| *due <= now);
        let due: Vec<PathBuf> = due.map(|(path, _)| path.clone()).take(STEPS).collect();
        for path in due {
            if let Some((_, tries)) = self.waiting.remove(&path) {
                self.watched.look_and_treat(&path, tries);
            }
        }
    }

    fn begin(&mut self, below: PathBuf) {
        // What a folder in it holds is walked through with it.
        if self.walks.iter().any(|(from, _)| below.starts_with(from))
            && !below.as_os_str().is_empty()
        {
            return;
        }
        let place = match below.as_os_str().is_empty() {
            true => Path::new("."),
            false => &below,
        };
        let mut bounds = Bounds::default();
        if !self.watched.config.recursive {
            bounds.depth_max = 0;
        }
        let begun = self.watched.root.folder(place);
        match begun.and_then(|folder| Walk::begin(&folder, bounds)) {
            Ok(walk) => self.walks.push((below.clone(), walk)),
            Err(error) => self.left_out(error.code()),
        }
        self.recover(&below);
    }

    /// Goes on with what is walked through, a little.
    fn walk(&mut self) {
        let now = self.clock.elapsed();
        if now >= self.walk_due {
            self.walk_due = now + self.watched.config.walk_every();
            self.walk_began = Some(now);
            self.walks.clear();
            self.begin(PathBuf::new());
        }
        for _ in 0..STEPS {
            if !self.is_well() {
                return;
            }
            let Some((below, walk)) = self.walks.last_mut() else {
                return self.walked();
            };
            match walk.next() {
                Some(Ok(found)) => {
                    let path = below.join(found.path());
                    self.step(&found, &path);
                }
                Some(Err(omission)) => {
                    let code = omission.reason.code();
                    // A folder that is not to be watched is none that was left out.
                    if self.watched.config.recursive || code != "walk.too-deep" {
                        self.left_out(code);
                    }
                }
                None => drop(self.walks.pop()),
            }
        }
    }

    /// Looks at what a walk found.
    fn step(&self, found: &Found, path: &Path) {
        let is_hidden = |name: &OsStr| name.as_bytes().starts_with(HIDDEN_PREFIX.as_bytes());
        let parent = path.parent().unwrap_or(Path::new(""));
        if path.file_name().is_some_and(is_hidden) {
            return self.recover(parent);
        }
        let is_left = path
            .file_name()
            .is_some_and(|name| name == "held" || name == "begun")
            && parent.file_name().is_some_and(is_hidden);
        if found.identity().kind == Kind::Regular && !is_left && !self.is_known(found) {
            self.watched.look_and_treat(path, 0);
        }
    }

    fn is_known(&self, found: &Found) -> bool {
        use super::cache::Verdict::Malicious;
        let known = self.watched.cache.verdict(found.identity());
        known.is_some_and(|(verdict, _)| verdict != Malicious)
    }

    fn recover(&self, below: &Path) {
        if let Err(error) = self.watched.recover(below) {
            self.left_out(error.code());
        }
    }

    fn left_out(&self, code: &str) {
        self.watched
            .say("guard.left-out", &[("why", code.to_owned())]);
    }
}

/// Watches folders that are made later, and hands on what nothing else tells of.
pub(super) fn follow(watched: &Watched, fanotify: &Fanotify, tree: &mut Tree) {
    const WAIT: Duration = Duration::from_millis(200);
    let mut left_out = tree.left_out();
    while !watched.is_ended() {
        let news = match tree.update(fanotify, WAIT) {
            Ok(news) => news,
            Err(error) => {
                watched.say("guard.ended", &[("why", error.code().to_owned())]);
                return watched.ended.store(true, Ordering::Relaxed);
            }
        };
        for one in news {
            watched.later(match one {
                News::Everything => Job::Everything,
                News::File(path) => Job::File(path, 0),
                News::Folder(path) => Job::Folder(path),
            });
        }
        if watched.config.recursive && tree.left_out() > left_out {
            left_out = tree.left_out();
            watched.say("guard.left-out", &[("folders", left_out.to_string())]);
        }
    }
}
