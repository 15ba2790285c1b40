//! One connection that speaks MLLP: frames in, acknowledgements out.
//!
//! Every dirty case of real senders has its defined answer here; the table stands in the front page
//! of `labward_hl7::mllp`, what follows from each event in [`Session::take_event`]. It must never
//! acknowledge before the commit, answer one message with another's id, or wait without a limit for
//! the rest of a frame. There is no idle limit: analyzers are silent for hours.

use std::sync::Arc;
use std::time::Duration;

use labward_hl7::mllp::{Decoder, Event};
use labward_hl7::{Batch, LineEnding, Message};
use labward_ledger::Facts;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::ack::{AckSeed, commit_block};
use crate::config::{BatchPolicy, Framing, Strictness};
use crate::keep::MessageKind;
use crate::link::Tenure;
use crate::notice;
use crate::outcome::{Outcome, Settled};
use crate::path::{Caller, Incoming, Pending, Shared};
use crate::policy::{self, Admission};
use crate::reason::Reason;
use crate::watch::Outline;

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// How long a lenient link waits for the CR after `1C`.
const LENIENT_END: Duration = Duration::from_secs(1);

/// Messages on their way to the disk at once, of one connection.
const MAX_PENDING: usize = 64;

/// Serves a connection until it ends.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    caller: Caller,
    stream: S,
    stop: watch::Receiver<bool>,
) {
    let tenure = caller.link.take_over(caller.peer.id);
    let decoder = Decoder::new(caller.link.config.limits.max_message_bytes);
    let mut session = Session {
        shared,
        caller,
        stream,
        stop,
        tenure,
        decoder,
        buffer: vec![0; READ_BYTES],
        out: Vec::with_capacity(512),
        due: Vec::new(),
        deviations: Vec::new(),
        frame_since: None,
        junk_since: None,
    };
    session.run().await;
    // Whether the peer still listens changes nothing any more.
    let _ = timeout(Duration::from_secs(1), session.stream.shutdown()).await;
}

struct Session<'a, S> {
    shared: &'a Shared,
    caller: Caller,
    stream: S,
    stop: watch::Receiver<bool>,
    tenure: Tenure,
    decoder: Decoder,
    buffer: Vec<u8>,
    out: Vec<u8>,
    due: Vec<Due>,
    /// What was wrong before the next frame.
    deviations: Vec<&'static str>,
    frame_since: Option<Instant>,
    junk_since: Option<Instant>,
}

/// An answer that is due in its turn.
enum Due {
    /// One message; unframed or cut bytes are answered nothing.
    One {
        pending: Pending,
        seed: Option<AckSeed>,
    },
    /// A batch that is answered as one.
    Batch {
        pending: Vec<Pending>,
        seed: AckSeed,
    },
    /// A refusal that is recorded already.
    Refused { reason: Reason, seed: AckSeed },
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
    End,
    /// The frame, its last byte or the frame that noise announced did not come in time.
    Late,
    /// The gateway stops, or the device connected again.
    Stop,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    async fn run(&mut self) {
        loop {
            let flow = match self.read().await {
                Read::Bytes(count) => {
                    if !self.caller.refresh(&self.shared.peers) {
                        return;
                    }
                    self.decoder.feed(self.buffer.get(..count).unwrap_or(&[]));
                    self.take_events().await
                }
                Read::Late => self.take_late().await,
                Read::End | Read::Stop => {
                    self.take_rest().await;
                    Flow::Close
                }
            };
            if flow == Flow::Close {
                return;
            }
            self.slow_down().await;
        }
    }

    async fn read(&mut self) -> Read {
        let deadline = self.deadline();
        let inside_frame = self.decoder.is_inside_frame();
        // A peer that never pauses would keep the branches below from being looked at.
        if !inside_frame && *self.stop.borrow() {
            return Read::Stop;
        }
        tokio::select! {
            biased;
            read = self.stream.read(&mut self.buffer) => match read {
                Ok(0) | Err(_) => Read::End,
                Ok(count) => Read::Bytes(count),
            },
            // A frame that has begun may end: its own time limit holds.
            _ = self.stop.wait_for(|stop| *stop), if !inside_frame => Read::Stop,
            () = self.tenure.replaced.notified() => Read::Stop,
            () = until(deadline), if deadline.is_some() => Read::Late,
        }
    }

    /// When what has begun must have ended.
    fn deadline(&mut self) -> Option<Instant> {
        let limits = &self.caller.link.config.limits;
        if !self.decoder.is_inside_frame() {
            self.frame_since = None;
        }
        if self.decoder.pending_junk() == 0 {
            self.junk_since = None;
        }
        if self.decoder.is_inside_frame() {
            let end = *self.frame_since.get_or_insert_with(Instant::now) + limits.frame();
            let lenient = self.caller.link.config.strictness == Strictness::Lenient;
            if lenient && self.decoder.awaits_cr() {
                return Some(end.min(Instant::now() + LENIENT_END));
            }
            return Some(end);
        }
        if self.decoder.pending_junk() > 0 {
            return Some(*self.junk_since.get_or_insert_with(Instant::now) + limits.noise());
        }
        None
    }

    /// Handles what the bytes turned out to be, then answers in their order with one write.
    async fn take_events(&mut self) -> Flow {
        let mut flow = Flow::GoOn;
        while let Some(event) = self.decoder.next_event() {
            // Whatever stood open before, another frame has its own time.
            self.frame_since = None;
            if self.take_event(event).await == Flow::Close {
                flow = Flow::Close;
                break;
            }
            if self.due.len() >= MAX_PENDING {
                self.answer().await;
            }
        }
        if self.answer().await == Flow::Close {
            Flow::Close
        } else {
            flow
        }
    }

    async fn take_event(&mut self, event: Event) -> Flow {
        let strict = self.caller.link.config.strictness == Strictness::Strict;
        match event {
            Event::Frame(bytes) => {
                self.take_frame(bytes).await;
                Flow::GoOn
            }
            Event::LenientFrame(bytes) if strict => {
                self.hold(
                    bytes,
                    MessageKind::Other,
                    Reason::Framing,
                    &["end-without-cr"],
                    true,
                )
                .await;
                Flow::Close
            }
            Event::LenientFrame(bytes) => {
                self.deviations.push("end-without-cr");
                self.take_frame(bytes).await;
                Flow::GoOn
            }
            Event::EmptyFrame | Event::CommitAck | Event::CommitNak => {
                self.caller.link.counters.count_ignored();
                Flow::GoOn
            }
            Event::Noise { .. } => {
                self.caller.link.counters.count_ignored();
                self.deviations.push("noise-before-frame");
                Flow::GoOn
            }
            // Nobody waits for the answer to what was cut: the sender's next frame is here.
            Event::Cut(bytes) => {
                let (kind, reason) = (MessageKind::Other, Reason::Damaged);
                self.hold(bytes, kind, reason, &["cut"], false).await;
                Flow::GoOn
            }
            Event::Junk { bytes, resumed } => {
                self.hold(
                    bytes,
                    MessageKind::Other,
                    Reason::Framing,
                    &["unframed"],
                    false,
                )
                .await;
                if resumed && !strict {
                    Flow::GoOn
                } else {
                    Flow::Close
                }
            }
            Event::Oversized { head } => {
                self.refuse_oversized(&head).await;
                if strict { Flow::Close } else { Flow::GoOn }
            }
            Event::TlsHello => self.refuse_protocol("tls-on-plain-port"),
            Event::Http => self.refuse_protocol("http"),
        }
    }

    /// One frame: a message, a batch of them, or something else.
    async fn take_frame(&mut self, bytes: Vec<u8>) {
        if Batch::is_batch(&bytes) {
            return self.take_batch(bytes).await;
        }
        let (pending, seed) = self.take_message(bytes).await;
        self.due.push(Due::One {
            pending,
            seed: Some(seed),
        });
    }

    async fn take_batch(&mut self, bytes: Vec<u8>) {
        let Ok(batch) = Batch::parse(&bytes) else {
            let (kind, reason) = (MessageKind::Other, Reason::NotHl7);
            return self.hold(bytes, kind, reason, &["batch"], true).await;
        };
        let seed = match batch.batch_header().or(batch.file_header()) {
            Some(header) => AckSeed::of_batch(&header),
            None => batch
                .messages()
                .next()
                .map_or_else(AckSeed::anonymous, AckSeed::of_head),
        };
        if !batch.deviations().is_empty() {
            let (kind, reason) = (MessageKind::Other, Reason::BadBatch);
            let pending = self.send_held(bytes, kind, reason, &["batch-count"]).await;
            return self.due.push(Due::One {
                pending,
                seed: Some(seed),
            });
        }
        let messages: Vec<Vec<u8>> = batch.messages().map(<[u8]>::to_vec).collect();
        let mut parts = Vec::with_capacity(messages.len());
        for one in messages {
            parts.push(self.take_message(one).await);
        }
        match self.caller.link.config.batch {
            BatchPolicy::PerMessage => {
                let one = |(pending, seed)| Due::One {
                    pending,
                    seed: Some(seed),
                };
                self.due.extend(parts.into_iter().map(one));
            }
            BatchPolicy::Whole => {
                let pending = parts.into_iter().map(|(pending, _)| pending).collect();
                self.due.push(Due::Batch { pending, seed });
            }
        }
    }

    /// One message on its way, with what its acknowledgement needs.
    async fn take_message(&mut self, bytes: Vec<u8>) -> (Pending, AckSeed) {
        let mut deviations = std::mem::take(&mut self.deviations);
        let Ok(message) = Message::parse(&bytes) else {
            deviations.push("no-header");
            let reason = Reason::NotHl7;
            let pending = self
                .send_held(bytes, MessageKind::Other, reason, &deviations)
                .await;
            return (pending, AckSeed::anonymous());
        };
        let header = message.header();
        let seed = AckSeed::of(&message);
        deviations.extend(line_deviation(&message));
        let sender = header.sending_application().raw();
        let facility = header.sending_facility().raw();
        let id = match header.control_id() {
            [] => {
                deviations.push("no-control-id");
                None
            }
            id => Some(self.shared.id_tag(&self.caller, [sender, facility, id])),
        };
        let admission = policy::decide(&self.caller.peer, &header);
        if admission == Admission::Admit {
            notice::of_hl7(self.shared, &self.caller, &message);
        }
        let message_type = policy::type_name(&header.message_type());
        let is_told = self.shared.watch.is_some() && admission == Admission::Admit;
        let outline = is_told.then(|| Outline::of_hl7(&message, &message_type));
        let incoming = Incoming {
            kind: MessageKind::Hl7V2,
            message_type,
            admission,
            id,
            device: None,
            deviations,
            outline,
            bytes,
        };
        let pending = self.shared.receive(&self.caller, incoming).await;
        (pending, seed)
    }

    /// Keeps bytes for a person; `answered` is whether the sender waits for a refusal.
    async fn hold(
        &mut self,
        bytes: Vec<u8>,
        kind: MessageKind,
        reason: Reason,
        deviations: &[&'static str],
        answered: bool,
    ) {
        let seed = answered.then(|| AckSeed::of_head(&bytes));
        let pending = self.send_held(bytes, kind, reason, deviations).await;
        self.due.push(Due::One { pending, seed });
    }

    async fn send_held(
        &mut self,
        bytes: Vec<u8>,
        kind: MessageKind,
        reason: Reason,
        deviations: &[&'static str],
    ) -> Pending {
        let incoming = Incoming {
            kind,
            message_type: String::new(),
            admission: Admission::Refuse(reason),
            id: None,
            device: None,
            deviations: deviations.to_vec(),
            outline: None,
            bytes,
        };
        self.shared.receive(&self.caller, incoming).await
    }

    async fn refuse_oversized(&mut self, head: &[u8]) {
        let limit = self.caller.link.config.limits.max_message_bytes;
        let facts = Facts::new().number("limit", limit);
        self.shared
            .record_refusal(&self.caller, Reason::TooLarge, facts)
            .await;
        let seed = AckSeed::of_head(head);
        self.due.push(Due::Refused {
            reason: Reason::TooLarge,
            seed,
        });
    }

    fn refuse_protocol(&mut self, reason: &'static str) -> Flow {
        let Caller { link, address, .. } = &self.caller;
        link.counters.count_refused();
        let now = self.shared.clock.now();
        self.shared
            .strangers
            .note(*address, &link.config.name, reason, now);
        Flow::Close
    }

    /// A time limit passed: the end of a lenient frame, a frame that stays unfinished, or noise.
    async fn take_late(&mut self) -> Flow {
        let lenient = self.caller.link.config.strictness == Strictness::Lenient;
        if lenient
            && self.decoder.awaits_cr()
            && let Some(event) = self.decoder.finish_lenient()
        {
            self.frame_since = None;
            let flow = self.take_event(event).await;
            return if self.answer().await == Flow::Close {
                Flow::Close
            } else {
                flow
            };
        }
        self.take_rest().await;
        Flow::Close
    }

    /// Keeps what stands unfinished when the connection ends.
    async fn take_rest(&mut self) {
        if self.decoder.pending_junk() > 0 {
            let bytes = self.decoder.take_junk();
            self.hold(
                bytes,
                MessageKind::Other,
                Reason::Framing,
                &["unframed"],
                false,
            )
            .await;
        } else if let Some(event) = self.decoder.finish() {
            self.take_event(event).await;
        }
        self.answer().await;
    }

    /// Waits for the commits and answers in the order of the messages, with one write.
    async fn answer(&mut self) -> Flow {
        if self.due.is_empty() {
            return Flow::GoOn;
        }
        let mut due = std::mem::take(&mut self.due);
        self.out.clear();
        let mut flow = Flow::GoOn;
        for one in due.drain(..) {
            let (settled, seed) = self.settle(one).await;
            if settled == Settled::Refused(Reason::CannotKeep) {
                // What follows must not overtake what was not kept: the sender begins again.
                flow = Flow::Close;
            }
            if let Some(seed) = seed {
                self.write_answer(settled, &seed);
            }
            if flow == Flow::Close {
                break;
            }
        }
        self.due = due;
        if self.write().await == Flow::Close {
            Flow::Close
        } else {
            flow
        }
    }

    async fn settle(&self, due: Due) -> (Settled, Option<AckSeed>) {
        match due {
            Due::One { pending, seed } => (
                self.shared.settle(&self.caller, pending).await.settled,
                seed,
            ),
            Due::Batch { pending, seed } => {
                let mut worst = Settled::Accepted;
                for one in pending {
                    let Outcome { settled, .. } = self.shared.settle(&self.caller, one).await;
                    if worst == Settled::Accepted || settled == Settled::Refused(Reason::CannotKeep)
                    {
                        worst = settled;
                    }
                }
                (worst, Some(seed))
            }
            Due::Refused { reason, seed } => (Settled::Refused(reason), Some(seed)),
        }
    }

    fn write_answer(&mut self, settled: Settled, seed: &AckSeed) {
        let config = &self.caller.link.config;
        if config.framing == Framing::MllpRelease2 {
            self.out.extend_from_slice(&commit_block(settled));
        }
        let now = self.shared.clock.now();
        self.shared
            .acks
            .write(config.acknowledge, seed, settled, now, &mut self.out);
    }

    async fn write(&mut self) -> Flow {
        if self.out.is_empty() {
            return Flow::GoOn;
        }
        let limit = self.caller.link.config.limits.frame();
        let stream = &mut self.stream;
        let out = &self.out;
        let write = async {
            stream.write_all(out).await?;
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
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
    }
}

async fn until(deadline: Option<Instant>) {
    if let Some(deadline) = deadline {
        sleep_until(deadline).await;
    }
}

fn line_deviation(message: &Message<'_>) -> Option<&'static str> {
    if message.has_mixed_line_endings() {
        return Some("mixed-segment-ends");
    }
    match message.line_ending() {
        LineEnding::Cr => None,
        LineEnding::CrLf => Some("segments-end-in-crlf"),
        LineEnding::Lf => Some("segments-end-in-lf"),
        LineEnding::None => Some("segment-without-end"),
    }
}
