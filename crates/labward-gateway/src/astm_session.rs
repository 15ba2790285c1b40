//! One connection that speaks ASTM E1381 / LIS01: frames in, ACK and NAK out.
//!
//! [`Receiver`] knows the protocol; here it gets its bytes, its time and its commits. It must never
//! acknowledge the frame that ends a message before the commit, drop what was acknowledged, or keep
//! a stranger waiting. There is no idle limit: analyzers are silent for hours.
//!
//! | What comes | What becomes of it | On the wire |
//! |---|---|---|
//! | a message whose sender the peer may be | kept, delivered | ACK after the commit |
//! | a message of another sender | kept sealed for a person | ACK: ASTM has no other answer, a NAK would make the device repeat it for ever |
//! | the same message again | entry only | ACK |
//! | a message that cannot be kept | nothing | NAK; ENQ is NAKed for a while |
//! | no L record before EOT | kept for a person: the sender may have given it up | its frames were ACKed |
//! | a message that breaks off | its frames are kept for a person | nothing |
//! | TLS, HTTP | one entry a source and minute | closed at once |
//! | anything else | kept for a person after 1 KiB or the time for noise | closed |

mod greeting;
mod intake;
mod keeping;
mod repeat;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use labward_astm::Deviation;
use labward_astm::control::{CR, ENQ, EOT, LF};
use labward_astm::link::{Action, Conduct, Receiver, Refusal};
use labward_base::Timestamp;
use labward_ledger::Facts;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::greeting::{Greeted, Greeting, MAX_NOISE_BYTES};
use crate::config::{LinkConfig, Strictness};
use crate::link::Tenure;
use crate::path::{Caller, Shared};
use crate::reason::Reason;

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// How long a device may be silent inside a transmission while the gateway stops.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Serves a connection until it ends.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    caller: Caller,
    stream: S,
    stop: watch::Receiver<bool>,
) {
    let tenure = caller.link.take_over(caller.peer.id);
    let receiver = Receiver::new(conduct(&caller.link.config));
    let mut session = Session {
        shared,
        caller,
        stream,
        stop,
        tenure,
        receiver,
        begun: Instant::now(),
        greeting: Some(Greeting::default()),
        buffer: vec![0; READ_BYTES],
        unread: Vec::new(),
        out: Vec::new(),
        noted: Vec::new(),
        ignored_bytes: 0,
        noise_bytes: 0,
        is_too_large: false,
        is_ended: false,
        is_stopping: false,
        rests_until: None,
    };
    session.run().await;
    // Whether the peer still listens changes nothing any more.
    let _ = timeout(Duration::from_secs(1), session.stream.shutdown()).await;
}

fn conduct(config: &LinkConfig) -> Conduct {
    let conduct = match config.strictness {
        Strictness::Lenient => Conduct::lenient(),
        Strictness::Strict => Conduct::strict(),
    };
    Conduct {
        max_message_bytes: config.limits.max_message_bytes,
        frame_timeout: config.limits.frame(),
        ..conduct
    }
}

struct Session<'a, S> {
    shared: &'a Shared,
    caller: Caller,
    stream: S,
    stop: watch::Receiver<bool>,
    tenure: Tenure,
    receiver: Receiver,
    /// The link's timers count from here: a step of the wall clock must not end a message.
    begun: Instant,
    /// `None` once the other side spoke ASTM.
    greeting: Option<Greeting>,
    buffer: Vec<u8>,
    /// What the receiver had no room for.
    unread: Vec<u8>,
    out: Vec<u8>,
    /// What was outside the standard since the last message.
    noted: Vec<&'static str>,
    /// Bytes outside any frame, as the receiver counts them.
    ignored_bytes: u64,
    /// Bytes outside any frame since the last message.
    noise_bytes: u64,
    /// The last frame was refused for its size or that of its message.
    is_too_large: bool,
    /// The other side has closed.
    is_ended: bool,
    is_stopping: bool,
    /// Until when no transmission may begin, since a message could not be kept.
    rests_until: Option<Instant>,
}

/// Whether the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Close,
    GoOn,
}

/// What reading brought.
enum Read {
    Bytes(usize),
    /// A time limit of the link or of the noise before it passed.
    Due,
    /// The other side closed, the device connected again, or the gateway stops.
    End,
    /// The gateway stops once the transmission under way has ended.
    Stopping,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    async fn run(&mut self) {
        loop {
            let flow = match self.read().await {
                Read::Bytes(count) => {
                    if !self.caller.refresh(&self.shared.peers) {
                        return;
                    }
                    let bytes = self.buffer.get(..count).unwrap_or(&[]);
                    self.unread.extend_from_slice(bytes);
                    self.take_bytes().await
                }
                Read::Due => self.take_due().await,
                Read::Stopping => {
                    self.is_stopping = true;
                    Flow::GoOn
                }
                Read::End => Flow::Close,
            };
            if flow == Flow::Close {
                return self.finish().await;
            }
            self.slow_down().await;
        }
    }

    async fn read(&mut self) -> Read {
        let is_idle = self.receiver.deadline().is_none();
        if self.is_ended || (self.is_stopping && is_idle) {
            return Read::End;
        }
        let due = self.due();
        tokio::select! {
            biased;
            read = self.stream.read(&mut self.buffer) => match read {
                Ok(0) | Err(_) => Read::End,
                Ok(count) => Read::Bytes(count),
            },
            _ = self.stop.wait_for(|stop| *stop), if !self.is_stopping => Read::Stopping,
            () = self.tenure.replaced.notified() => Read::End,
            () = until(due), if due.is_some() => {
                if self.is_stopping { Read::End } else { Read::Due }
            }
        }
    }

    /// When what has begun must go on.
    fn due(&self) -> Option<Instant> {
        if self.is_stopping {
            return Some(Instant::now() + STOP_GRACE);
        }
        let zero = Timestamp::default();
        let link = self.receiver.deadline();
        let link = link.map(|deadline| self.begun + deadline.since(zero));
        link.into_iter().chain(self.noise_ends()).min()
    }

    fn noise_ends(&self) -> Option<Instant> {
        let since = self.greeting.as_ref()?.since()?;
        Some(since + self.caller.link.config.limits.noise())
    }

    fn now(&self) -> Timestamp {
        link_time(self.begun)
    }

    async fn take_due(&mut self) -> Flow {
        if self.noise_ends().is_some_and(|end| end <= Instant::now()) {
            return Flow::Close;
        }
        let now = self.now();
        self.receiver.tick(now);
        self.act().await
    }

    /// Gives the receiver what was read and does what follows from it.
    async fn take_bytes(&mut self) -> Flow {
        if self.greet() == Flow::Close {
            return Flow::Close;
        }
        while !self.unread.is_empty() {
            let busy = self.is_busy();
            self.receiver.busy(busy);
            let taken = self.receiver.receive(&self.unread, self.now());
            self.unread.drain(..taken);
            if self.act().await == Flow::Close {
                return Flow::Close;
            }
        }
        Flow::GoOn
    }

    /// Looks at the first bytes until it is sure that they are ASTM.
    fn greet(&mut self) -> Flow {
        let Some(greeting) = &mut self.greeting else {
            return Flow::GoOn;
        };
        let stranger = match greeting.take(&mut self.unread, Instant::now()) {
            Greeted::More => return Flow::GoOn,
            Greeted::Junk => return Flow::Close,
            Greeted::Astm { noise } => {
                self.greeting = None;
                if noise {
                    self.note_noise();
                }
                return Flow::GoOn;
            }
            Greeted::TlsHello => "tls-on-plain-port",
            Greeted::Http => "http",
        };
        self.greeting = None;
        let Caller { link, address, .. } = &self.caller;
        link.counters.count_refused();
        let now = self.shared.clock.now();
        self.shared
            .strangers
            .note(*address, &link.config.name, stranger, now);
        Flow::Close
    }

    /// Whether no transmission may begin now.
    fn is_busy(&self) -> bool {
        if !self.shared.keep.is_ready() {
            return true;
        }
        // A transmission that was let begin is let end, so only its ENQ is refused.
        let idle = |byte: &&u8| !matches!(**byte, EOT | CR | LF);
        let enquires = self.unread.iter().find(idle) == Some(&ENQ);
        let rests = self.rests_until.is_some_and(|end| Instant::now() < end);
        enquires && (self.is_stopping || rests)
    }

    /// Does what the receiver asks for, in its order, and writes its answers.
    async fn act(&mut self) -> Flow {
        while let Some(action) = self.receiver.next_action() {
            match action {
                Action::Send(byte) => self.out.push(byte),
                Action::Noted(deviation) => self.note(deviation.name()),
                Action::Refused { refusal, .. } => self.note_refusal(refusal),
                Action::Damaged {
                    bytes,
                    damage,
                    rest,
                    deviations,
                } => self.take_damaged(bytes, damage, rest, &deviations).await,
                Action::Message(message) => self.take_message(message).await,
            }
        }
        let flow = self.watch_noise().await;
        if self.write().await == Flow::Close {
            return Flow::Close;
        }
        flow
    }

    fn note(&mut self, name: &'static str) {
        if !self.noted.contains(&name) {
            self.noted.push(name);
        }
    }

    fn note_noise(&mut self) {
        self.caller.link.counters.count_ignored();
        self.note("noise-before-frame");
    }

    fn note_refusal(&mut self, refusal: Refusal) {
        self.is_too_large = matches!(
            refusal,
            Refusal::FrameTooLong | Refusal::MessageTooLong | Refusal::TooManyFrames
        );
        match refusal {
            // It is counted where it was settled.
            Refusal::ByHost => {}
            Refusal::Busy => self.caller.link.counters.count_refused(),
            Refusal::Checksum => self.note("wrong-checksum"),
            Refusal::Deviation(deviation) => self.note(deviation.name()),
            Refusal::FrameNumber => self.note("wrong-frame-number"),
            Refusal::FrameTooLong => self.note(Deviation::FrameTooLong.name()),
            Refusal::MessageTooLong => self.note("message-too-long"),
            Refusal::TooManyFrames => self.note("too-many-frames"),
        }
    }

    /// Ends a connection that only makes noise; what is outside any frame is counted, not kept.
    async fn watch_noise(&mut self) -> Flow {
        let ignored = self.receiver.ignored_bytes();
        let new = ignored.saturating_sub(self.ignored_bytes);
        if new == 0 {
            return Flow::GoOn;
        }
        self.ignored_bytes = ignored;
        self.noise_bytes = self.noise_bytes.saturating_add(new);
        self.note_noise();
        if self.noise_bytes < u64::try_from(MAX_NOISE_BYTES).unwrap_or(u64::MAX) {
            return Flow::GoOn;
        }
        let facts = Facts::new().number("ignored", self.noise_bytes);
        self.shared
            .record_refusal(&self.caller, Reason::Framing, facts)
            .await;
        Flow::Close
    }

    async fn write(&mut self) -> Flow {
        if self.out.is_empty() {
            return Flow::GoOn;
        }
        let out = std::mem::take(&mut self.out);
        let limit = self.caller.link.config.limits.frame();
        let stream = &mut self.stream;
        let write = async {
            stream.write_all(&out).await?;
            stream.flush().await
        };
        match timeout(limit, write).await {
            Ok(Ok(())) => Flow::GoOn,
            _ => Flow::Close,
        }
    }

    /// Back-pressure: past the link's rate nothing is read for a while.
    async fn slow_down(&mut self) {
        let Some(wait) = self.caller.link.bucket.owed(self.shared.clock.now()) else {
            return;
        };
        tokio::select! {
            () = sleep(wait) => {}
            _ = self.stop.wait_for(|stop| *stop), if !self.is_stopping => self.is_stopping = true,
        }
    }
}

/// The time that the receiver is told: since the connection began.
fn link_time(begun: Instant) -> Timestamp {
    Timestamp::default().plus(begun.elapsed())
}

async fn until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        sleep_until(deadline).await;
    }
}
