//! The thread that reads every event at once and answers those that grew too old.
//!
//! It must never open a file, wait for anybody, or do work that takes long: everybody who opens a
//! watched file waits for it.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::getpid;

use super::kernel::{self, READ_BYTES, Told};
use super::{Event, Notice, Seen, Shared};

/// After so many reads that fail one after the other, there is no use in going on.
const FAILURES_MAX: u32 = 1_000;

pub(super) struct Listener {
    pub(super) shared: Arc<Shared>,
    pub(super) questions: Arc<OwnedFd>,
    pub(super) notices: Arc<OwnedFd>,
    pub(super) wake: Arc<OwnedFd>,
}

/// Whatever ends the thread: nobody is left waiting, and whoever listens learns of it.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.gate.close();
        self.0.queue().ended = true;
        self.0.filled.notify_all();
    }
}

impl Listener {
    pub(super) fn run(self) {
        // Dropped last, hence named first.
        let _end = End(Arc::clone(&self.shared));
        let mut buffer = vec![0; READ_BYTES];
        let mut failures = 0;
        while failures < FAILURES_MAX {
            match self.turn(&mut buffer) {
                Ok(true) => failures = 0,
                Ok(false) => return,
                Err(()) => failures += 1,
            }
        }
    }

    /// Waits for events or the next deadline; false if it is to end.
    fn turn(&self, buffer: &mut [u8]) -> Result<bool, ()> {
        let left = self.shared.gate.expire();
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds = [
            PollFd::new(&self.wake, PollFlags::IN),
            PollFd::new(&self.questions, PollFlags::IN),
            PollFd::new(&self.notices, PollFlags::IN),
        ];
        match poll(&mut fds, left.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(true),
            Err(_) => return Err(()),
        }
        let [wake, questions, notices] = fds.map(|fd| !fd.revents().is_empty());
        if wake {
            return Ok(false);
        }
        let mut outcome = Ok(true);
        for (group, is_ready) in [(&self.questions, questions), (&self.notices, notices)] {
            if !is_ready {
                continue;
            }
            match kernel::read(group, buffer) {
                Ok(told) => told.into_iter().for_each(|told| self.take(told)),
                Err(_) => {
                    self.shared.queue().overflow.unreadable += 1;
                    self.shared.filled.notify_one();
                    outcome = Err(());
                }
            }
        }
        outcome
    }

    fn take(&self, told: Told) {
        let gate = &self.shared.gate;
        let is_question = told.mask & (libc::FAN_OPEN_PERM | libc::FAN_OPEN_EXEC_PERM) != 0;
        if told.mask & libc::FAN_Q_OVERFLOW != 0 {
            self.shared.queue().overflow.kernel_queue = true;
            self.shared.filled.notify_one();
        }
        let Some(file) = told.file else { return };
        if told.pid == getpid().as_raw_nonzero().get() {
            if is_question {
                gate.exempt(&file);
            }
            return;
        }
        let seen = Seen {
            file: file.into(),
            pid: told.pid,
            process: told.process,
        };
        let event = if is_question {
            let is_execute = told.mask & libc::FAN_OPEN_EXEC_PERM != 0;
            gate.ask(seen, is_execute).map(Event::Question)
        } else {
            Some(Event::Written(Notice { seen }))
        };
        self.hand_over(event, is_question);
    }

    /// Puts an event where it is fetched from, if there is room; otherwise counts it.
    fn hand_over(&self, event: Option<Event>, is_question: bool) {
        let most = self.shared.gate.outstanding_max();
        let mut queue = self.shared.queue();
        let waiting = if is_question {
            // Those that expired and were not fetched yet count here, too.
            queue.events.len() - queue.notices
        } else {
            queue.notices
        };
        match event {
            Some(event) if waiting < most => {
                queue.notices += usize::from(!is_question);
                queue.events.push_back(event);
            }
            // A question that is dropped here is answered by the default.
            _ if is_question => queue.overflow.answered_by_default += 1,
            _ => queue.overflow.notices_lost += 1,
        }
        drop(queue);
        self.shared.filled.notify_one();
    }
}
