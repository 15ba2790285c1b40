//! Who opens a file waits here until it was looked at, or until the deadline.
//!
//! It must never let anybody wait for what is known, for an account that is exempt, or for a server
//! that does not answer. What was let through unseen is looked at afterwards.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use labward_os::fanotify::{Answer, Event, Fanotify, Overflow, Question, Verdict as May};
use labward_os::held::HeldFile;

use super::cache::Verdict;
use super::config::Choice;
use super::watched::{Job, Looked, Watched, facts};

/// An end is noticed after so long at most.
const WAIT: Duration = Duration::from_millis(200);
/// A file that changes while it is looked at is looked at so often.
const LOOKS_MAX: u32 = 3;

/// Somebody who waits, and where.
pub(super) type Waiting = (Arc<Watched>, Question);

/// Takes what happens in a folder until it ends; hands on what must be looked at.
pub(super) fn listen(watched: &Arc<Watched>, fanotify: &Fanotify, pool: &SyncSender<Waiting>) {
    let mut expired = 0;
    while !watched.is_ended() {
        match fanotify.next(WAIT) {
            Ok(Some(Event::Question(question))) => ask(watched, question, pool),
            Ok(Some(Event::Written(notice))) => {
                if let Some(below) = notice.path().and_then(|path| watched.below(&path)) {
                    watched.later(Job::File(below, 0));
                }
            }
            Ok(Some(Event::Overflow(overflow))) => too_much(watched, overflow),
            Ok(None) => {}
            Err(error) => {
                watched.say("guard.ended", &[("why", error.code().to_owned())]);
                return watched
                    .ended
                    .store(true, std::sync::atomic::Ordering::Relaxed);
            }
        }
        let now = fanotify.counts().expired;
        if now > expired {
            expired = now;
            let shared = &watched.shared;
            shared.health.late(&shared.tell, watched.config.deadline());
        }
    }
}

fn too_much(watched: &Watched, overflow: Overflow) {
    let facts = [
        ("unanswered", overflow.answered_by_default.to_string()),
        ("untold", overflow.notices_lost.to_string()),
    ];
    watched.say("guard.too-much", &facts);
    watched.later(Job::Everything);
}

/// Answers at once what is known; hands the rest on.
fn ask(watched: &Arc<Watched>, question: Question, pool: &SyncSender<Waiting>) {
    if is_exempt(watched, question.pid()) {
        question.answer(May::Allow);
        return;
    }
    // Dropped, it is answered as for a server that is unwell.
    let Ok(identity) = question.identity() else {
        return;
    };
    if identity.size_bytes == 0 {
        question.answer(May::Allow);
        return;
    }
    if let Some((known, _)) = watched.cache.verdict(&identity) {
        let choice = Looked::Verdict(known, None).choice(&watched.config);
        if known == Verdict::Malicious {
            watched.say("guard.blocked", &facts(&identity, &[]));
            look_later(watched, &question);
        }
        question.answer(may(choice));
        return;
    }
    if !watched.shared.health.is_well() {
        look_later(watched, &question);
        question.answer(may(watched.config.unwell));
        return;
    }
    if let Err(TrySendError::Full((_, question)) | TrySendError::Disconnected((_, question))) =
        pool.try_send((Arc::clone(watched), question))
    {
        look_later(watched, &question);
        question.answer(may(watched.config.unwell));
    }
}

/// One of the threads that look at what somebody waits for.
pub(super) fn work(waiting: &Mutex<Receiver<Waiting>>) {
    loop {
        let next = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok((watched, question)) = next else {
            return;
        };
        answer(&watched, question);
    }
}

fn answer(watched: &Watched, question: Question) {
    if question.is_expired() {
        return look_later(watched, &question);
    }
    let path = question.path().and_then(|path| watched.below(&path));
    let mut looked = Looked::Changed;
    let mut held = None;
    for _ in 0..LOOKS_MAX {
        held = path
            .as_deref()
            .and_then(|path| held_as(watched, path, &question));
        looked = match (&held, &path, question.identity()) {
            (Some(held), Some(path), _) => watched.look(held, path),
            (_, _, Ok(identity)) => watched.look_open(question.file(), &identity),
            (_, _, Err(_)) => Looked::Unknown,
        };
        if !matches!(looked, Looked::Changed) || question.is_expired() {
            break;
        }
    }
    if matches!(looked, Looked::Changed | Looked::Unknown) {
        look_later(watched, &question);
    }
    let choice = looked.choice(&watched.config);
    let identity = question.identity();
    let given = question.answer(may(choice));
    if let (Choice::Deny, Ok(identity)) = (choice, &identity) {
        let code = match given {
            Answer::Given => "guard.blocked",
            Answer::TooLate => "guard.too-late",
        };
        watched.say(code, &facts(identity, &[]));
    }
    if let (Looked::Verdict(Verdict::Malicious, sealed), Some(held), Some(path)) =
        (&looked, &held, &path)
    {
        watched.treat(held, path, sealed.as_ref(), 0);
    }
}

/// The file that somebody opens, by its name, if that still stands for it.
fn held_as(watched: &Watched, path: &Path, question: &Question) -> Option<HeldFile> {
    let held = watched.root.file(path).ok()?;
    let asked = question.identity().ok()?;
    held.identity().is_same_file(&asked).then_some(held)
}

fn look_later(watched: &Watched, question: &Question) {
    match question.path().and_then(|path| watched.below(&path)) {
        Some(path) => watched.later(Job::File(path, 0)),
        None => watched.later(Job::Everything),
    }
}

const fn may(choice: Choice) -> May {
    match choice {
        Choice::Allow => May::Allow,
        Choice::Deny => May::Deny,
    }
}

fn is_exempt(watched: &Watched, pid: i32) -> bool {
    if watched.exempt.is_empty() || pid <= 0 {
        return false;
    }
    // The process waits for this answer, so that its number is not used again meanwhile.
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    effective_user(&status).is_some_and(|user| watched.exempt.contains(&user))
}

/// The effective user of a process, by its status.
fn effective_user(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_of_a_process_is_the_effective_one() {
        let status = "Name:\tcat\nUid:\t1000\t33\t1000\t1000\nGid:\t1\t1\t1\t1\n";
        assert_eq!(effective_user(status), Some(33));
        for bad in ["", "Uid:", "Uid:\t1", "Uid:\t1\tx"] {
            assert_eq!(effective_user(bad), None, "{bad}");
        }
    }
}
