//! Turns, their ends, and failures that are said once.

use std::sync::{Arc, Mutex, Weak};

use super::*;

const SOON: Duration = Duration::from_millis(1);
const NEVER: Duration = Duration::from_secs(3_600);

/// Tells of each turn.
fn told(count: u32, next: Duration) -> (Recurring, mpsc::Receiver<u32>) {
    let (tell, turns) = mpsc::channel();
    let mut turn = 0;
    let recurring = Recurring::start("turns", SOON, move || {
        turn += 1;
        tell.send(turn).unwrap();
        (turn < count).then_some(next)
    });
    (recurring.unwrap(), turns)
}

#[test]
fn each_turn_says_when_the_next_one_is_and_the_last_one_that_there_is_none() {
    let (_recurring, turns) = told(3, SOON);
    assert_eq!(turns.iter().collect::<Vec<_>>(), [1, 2, 3]);
    let (_recurring, turns) = told(3, NEVER);
    assert_eq!(turns.recv(), Ok(1));
    assert!(turns.recv_timeout(Duration::from_millis(50)).is_err());
}

#[test]
fn what_is_dropped_ends_at_once_and_its_turn_is_waited_for() {
    let (recurring, turns) = told(u32::MAX, NEVER);
    assert_eq!(turns.recv(), Ok(1));
    drop(recurring);
    // Whoever told is gone.
    assert_eq!(turns.iter().count(), 0);

    let (began, begins) = mpsc::channel();
    let ended = Arc::new(Mutex::new(false));
    let end = Arc::clone(&ended);
    let recurring = Recurring::start("slow", SOON, move || {
        began.send(()).unwrap();
        std::thread::park_timeout(Duration::from_millis(50));
        *end.lock().unwrap() = true;
        Some(NEVER)
    });
    begins.recv().unwrap();
    drop(recurring.unwrap());
    assert!(*ended.lock().unwrap());
}

/// What is served, and the thread that serves it.
struct Served {
    recurring: Mutex<Option<Recurring>>,
    ended: mpsc::Sender<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.recurring.lock().unwrap().take());
        self.ended.send(()).unwrap();
    }
}

#[test]
fn the_thread_itself_may_be_the_last_to_hold_what_it_serves() {
    let (ended, end) = mpsc::channel();
    let served = Arc::new(Served {
        recurring: Mutex::new(None),
        ended,
    });
    let weak: Weak<Served> = Arc::downgrade(&served);
    let (held, is_held) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let recurring = Recurring::start("own", SOON, move || {
        let served = weak.upgrade()?;
        held.send(()).unwrap();
        released.recv().unwrap();
        drop(served);
        Some(SOON)
    });
    *served.recurring.lock().unwrap() = Some(recurring.unwrap());
    is_held.recv().unwrap();
    drop(served);
    release.send(()).unwrap();
    assert_eq!(end.recv_timeout(Duration::from_secs(60)), Ok(()));
}

#[test]
fn a_turn_that_panics_harms_nobody_else() {
    let recurring = Recurring::start("panics", SOON, || {
        std::panic::resume_unwind(Box::new("on purpose"))
    });
    let recurring = recurring.unwrap();
    while !recurring.thread.as_ref().unwrap().is_finished() {
        std::thread::park_timeout(SOON);
    }
    drop(recurring);
}

#[test]
fn a_failure_is_said_once_and_again_when_it_worked_in_between() {
    let (mut failing, mut said) = (Failing::default(), Vec::new());
    let turns = [Err(1), Err(2), Ok('a'), Err(3), Ok('b'), Ok('c'), Err(4)];
    let done: Vec<Option<char>> = turns
        .into_iter()
        .map(|turn| failing.told(turn, |error| said.push(*error)))
        .collect();
    assert_eq!(said, [1, 3, 4]);
    let some = [None, None, Some('a'), None, Some('b'), Some('c'), None];
    assert_eq!(done, some);
}
