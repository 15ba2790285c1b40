//! `device listen`: what traffic says while it passes.
//!
//! It must never send into the network that it listens to, keep traffic, or hold a right longer than
//! until the interface is open.

use std::io::{self, Write as _};
use std::time::Duration;

use labward_base::{Clock as _, Timestamp};
use labward_capture::Observer;
use labward_capture::packet::Link;
use labward_os::{
    FrameKind, ListenError, ListenOptions, NOBODY, OsError, PacketSocket, SNAP_BYTES_MAX,
    Stopwatch, SystemClock, drop_privileges, forbid_core_dumps, is_stopped, note_stop_signals,
    undisturbed,
};

use super::report::Reporter;
use super::{Answer, Context, registry, show, write};
use crate::args::ListenArgs;
use crate::failure::{Failure, chain};

/// A signal to stop is noticed after so long at most.
const WAIT: Duration = Duration::from_millis(200);
/// So often silent streams are looked for.
const SETTLE_EVERY: Duration = Duration::from_secs(10);
/// A stream that was silent for so long is read and forgotten.
const SILENT: Duration = Duration::from_secs(30);
/// So often the server is told.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Listening that goes on.
struct Listening<'a> {
    socket: PacketSocket,
    link: Link,
    observer: Observer,
    watch: Stopwatch,
    settle_at: Duration,
    report_at: Duration,
    reporter: Option<Reporter<'a>>,
    json: bool,
}

/// `labward device listen …`
pub(in crate::commands) fn run(context: &Context, arguments: &ListenArgs) -> Result<(), Failure> {
    let registry = arguments.oui.as_deref().map(registry).transpose()?;
    // The server knows by the account who reports.
    let account = match arguments.report {
        true => context.client.owner()?,
        false => NOBODY,
    };
    let options = ListenOptions {
        promiscuous: !arguments.no_promiscuous,
        snap_bytes: SNAP_BYTES_MAX,
    };
    // Before the first frame is taken: whoever ends it gets what was heard until then.
    note_stop_signals().map_err(os_failure)?;
    let socket = PacketSocket::open(&arguments.interface, options).map_err(|e| refused(&e))?;
    drop_privileges(account)
        .and_then(|()| forbid_core_dumps())
        .map_err(os_failure)?;
    let reporter = arguments
        .report
        .then(|| Reporter::new(&context.client, &arguments.interface, SystemClock.now()));
    let mut listening = Listening::new(socket, reporter, context.json);
    // What would be refused in a minute is refused now.
    listening.report()?;
    if !context.json {
        // Nobody can be told that standard error is gone.
        let _ = writeln!(
            io::stderr().lock(),
            "listening on {}; Ctrl-C ends it",
            arguments.interface
        );
    }
    let ended = listening.listen(arguments.time);
    let (answer, reported) = listening.finish(registry.as_ref())?;
    show(context.json, &answer, |out| write(out, &answer))?;
    ended.and(reported)
}

impl<'a> Listening<'a> {
    fn new(socket: PacketSocket, reporter: Option<Reporter<'a>>, json: bool) -> Self {
        let link = match socket.kind() {
            FrameKind::Ethernet => Link::Ethernet,
            FrameKind::Ip => Link::Raw,
        };
        Self {
            socket,
            link,
            observer: Observer::default(),
            watch: Stopwatch::start(),
            settle_at: SETTLE_EVERY,
            report_at: REPORT_EVERY,
            reporter,
            json,
        }
    }

    /// Listens until a signal asks to stop, or this time is over.
    fn listen(&mut self, time: Option<Duration>) -> Result<(), Failure> {
        while !is_stopped() {
            let elapsed = self.watch.elapsed();
            let left = time.map_or(WAIT, |time| time.saturating_sub(elapsed));
            if left.is_zero() {
                break;
            }
            if elapsed >= self.settle_at {
                self.observer.settle(SystemClock.now().minus(SILENT));
                self.settle_at = elapsed.saturating_add(SETTLE_EVERY);
            }
            if elapsed >= self.report_at {
                if let Err(failure) = self.report() {
                    // What it held goes with the next one.
                    failure.report(self.json);
                }
                self.report_at = elapsed.saturating_add(REPORT_EVERY);
            }
            self.take(left.min(WAIT), None)?;
        }
        // What came before the end waits to be read.
        let end = SystemClock.now();
        while self.take(Duration::ZERO, Some(end))? {}
        Ok(())
    }

    /// Takes the next frame, if one comes in time and before `end`; whether it did.
    fn take(&mut self, wait: Duration, end: Option<Timestamp>) -> Result<bool, Failure> {
        let frame = self.socket.read(wait).map_err(|e| refused(&e))?;
        let Some(frame) = frame.filter(|frame| end.is_none_or(|end| frame.at <= end)) else {
            return Ok(false);
        };
        self.observer.observe(frame.at, self.link, frame.bytes);
        Ok(true)
    }

    /// Tells the server what is new, if it is to be told; alerts are shown at once.
    fn report(&mut self) -> Result<(), Failure> {
        let Some(reporter) = &mut self.reporter else {
            return Ok(());
        };
        let dropped = self.socket.dropped().map_err(os_failure)?;
        let now = SystemClock.now();
        let observed = self.observer.observed();
        // A wish to stop is no reason that the server does not hear what was heard.
        let alerts =
            undisturbed(|| reporter.report(&observed, dropped, now)).map_err(os_failure)??;
        if !self.json {
            let mut out = io::stdout().lock();
            for alert in alerts {
                // As with the answer: `labward … | head` is no fault.
                let _ = writeln!(out, "{}", super::report::in_words(alert));
            }
        }
        Ok(())
    }

    /// Everything that was heard, and how the last report went.
    fn finish(
        mut self,
        registry: Option<&labward_capture::oui::Registry>,
    ) -> Result<(Answer, Result<(), Failure>), Failure> {
        let dropped = self.socket.dropped().map_err(os_failure)?;
        let observed = self.observer.finish();
        let mut reported = Ok(());
        if let Some(reporter) = &mut self.reporter {
            let now = SystemClock.now();
            let told = undisturbed(|| reporter.report(&observed, dropped, now).map(drop));
            reported = told.map_err(os_failure)?;
        }
        let answer = Answer {
            dropped: Some(dropped),
            alerts: self.reporter.map(Reporter::into_alerts),
            ..Answer::new(observed, registry, Vec::new())
        };
        Ok((answer, reported))
    }
}

fn refused(error: &ListenError) -> Failure {
    Failure::new(error.problem(), chain(error))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn os_failure(error: OsError) -> Failure {
    Failure::new(error.problem(), chain(&error))
}
