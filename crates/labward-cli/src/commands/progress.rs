//! A line on the terminal that says how far something is.
//!
//! It must never be written where no person reads, such as into a file.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use labward_os::Stopwatch;

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(200);

/// The line on standard error, if that is a terminal.
pub(super) struct Progress(Option<Line>);

struct Line {
    since: Stopwatch,
    written: Option<Duration>,
}

impl Progress {
    pub(super) fn on_terminal() -> Self {
        Self(io::stderr().is_terminal().then(|| Line {
            since: Stopwatch::start(),
            written: None,
        }))
    }

    /// Writes the line anew, if it is time to.
    pub(super) fn show(&mut self, text: impl FnOnce() -> String) {
        let Some(line) = &mut self.0 else { return };
        let now = line.since.elapsed();
        if line.written.is_some_and(|before| now < before + EVERY) {
            return;
        }
        line.written = Some(now);
        // Nobody can be told that standard error is gone.
        let _ = write!(io::stderr().lock(), "\r\x1b[K{}", text());
    }

    /// Takes the line away, so that something else can be written.
    pub(super) fn clear(&mut self) {
        let written = self.0.as_mut().and_then(|line| line.written.take());
        if written.is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}
