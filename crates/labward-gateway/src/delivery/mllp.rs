//! One connection to an HL7 receiver: MLLP over mutual TLS, or plain where an exception allows it.
//!
//! It must never change a byte of the message, have two messages in flight, or go on with a
//! connection on which something came that was not asked for.

use std::io;
use std::time::Duration;

use labward_base::{Problem, problem};
use labward_hl7::AckCode;
use labward_hl7::mllp::{self, Decoder, Event};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::{Expected, Settled, Verdict};
use super::dial::Dial;

/// Bytes an acknowledgement may have.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// How long a receiver that was not asked for an answer may still object.
const OBJECTION: Duration = Duration::from_secs(2);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// An open connection.
pub(super) struct Line {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    settled: Settled,
    /// How it is protected, for facts.
    pub(super) protection: String,
    /// Whether a message was answered on it already.
    used: bool,
}

/// How a message ended on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The receiver answered; `None` if none was asked for and none came.
    Answered(Option<AckCode>),
    /// It is not known whether the receiver has it.
    Unknown(&'static Problem),
    /// Nothing of it was taken: the connection was stale, or the receiver refuses us.
    NotSent(&'static Problem),
}

impl Line {
    /// Connects, within the time that the destination allows.
    pub(super) async fn open(dial: &Dial, within: Duration) -> Result<Self, &'static Problem> {
        match timeout(within, Self::connect(dial)).await {
            Ok(result) => result,
            Err(_) => Err(&problem::SEND_UNREACHABLE),
        }
    }

    async fn connect(dial: &Dial) -> Result<Self, &'static Problem> {
        dial.check()?;
        let unreachable = |_| &problem::SEND_UNREACHABLE;
        let tcp = TcpStream::connect(dial.address.as_str())
            .await
            .map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        let (stream, protection): (Box<dyn Stream>, _) = match &dial.tls {
            None => (Box::new(tcp), "UNENCRYPTED".to_owned()),
            Some(tls) => {
                let (stream, protection) = tls.connect(tcp).await?;
                (Box::new(stream), protection)
            }
        };
        Ok(Self {
            stream,
            decoder: Decoder::new(ANSWER_MAX_BYTES),
            settled: Settled::default(),
            protection,
            used: false,
        })
    }

    /// Whether nothing waits to be read that would be taken for the next message's answer.
    pub(super) async fn is_clean(&mut self) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match timeout(Duration::ZERO, self.stream.read(&mut buffer)).await {
                Err(_) => return true,
                Ok(Ok(count)) if count > 0 => self.decoder.feed(prefix(&buffer, count)),
                Ok(_) => return false,
            }
            while let Some(event) = self.take_event() {
                let harmless = match event {
                    Event::Frame(frame) | Event::LenientFrame(frame) => {
                        self.settled.is_late(&frame)
                    }
                    Event::Noise { .. } | Event::EmptyFrame => true,
                    _ => false,
                };
                if !harmless {
                    return false;
                }
            }
        }
    }

    /// Sends one message and waits for what settles it.
    pub(super) async fn exchange(
        &mut self,
        message: &[u8],
        expected: &Expected,
        dial: &Dial,
        within: Duration,
    ) -> Ended {
        let within = if expected.silence_is_consent() && !dial.commits {
            within.min(OBJECTION)
        } else {
            within
        };
        let ended = match timeout(within, self.send_and_wait(message, expected, dial)).await {
            Ok(ended) => ended,
            Err(_) if expected.silence_is_consent() && !dial.commits => Ended::Answered(None),
            Err(_) => Ended::Unknown(&problem::SEND_NO_ACK),
        };
        self.used = true;
        ended
    }

    async fn send_and_wait(&mut self, message: &[u8], expected: &Expected, dial: &Dial) -> Ended {
        let frame = mllp::encode(message);
        // One write a frame, so that small messages travel in one packet.
        let written = async {
            self.stream.write_all(&frame).await?;
            self.stream.flush().await
        };
        // A receiver closes an idle connection without a word: then nothing was taken.
        let mut stale = self.used;
        if let Err(error) = written.await {
            return lost(&error, stale);
        }
        let mut committed = !dial.commits;
        let mut buffer = [0; 4096];
        loop {
            while let Some(event) = self.take_event() {
                let frame = match event {
                    Event::CommitAck => {
                        committed = true;
                        continue;
                    }
                    Event::CommitNak => return Ended::Unknown(&problem::SEND_REFUSED),
                    Event::Noise { .. } | Event::EmptyFrame => continue,
                    Event::Frame(frame) | Event::LenientFrame(frame) => frame,
                    _ => return Ended::Unknown(&problem::GATEWAY_FOREIGN_ACK),
                };
                // Release 2 wants every frame answered, acknowledgements too.
                if dial.commits && self.stream.write_all(&mllp::COMMIT_ACK).await.is_err() {
                    return Ended::Unknown(&problem::SEND_NO_ACK);
                }
                match expected.judge(&frame, &mut self.settled) {
                    Verdict::Final(code) => return Ended::Answered(Some(code)),
                    Verdict::Interim | Verdict::Earlier => {}
                    Verdict::Foreign => return Ended::Unknown(&problem::GATEWAY_FOREIGN_ACK),
                }
            }
            // In release 2 the commit block says that the message is stored.
            if dial.commits && committed && expected.silence_is_consent() {
                return Ended::Answered(None);
            }
            match self.stream.read(&mut buffer).await {
                Ok(0) => return lost(&io::ErrorKind::UnexpectedEof.into(), stale),
                Ok(count) => {
                    stale = false;
                    self.decoder.feed(prefix(&buffer, count));
                }
                Err(error) => return lost(&error, stale),
            }
        }
    }

    /// Many receivers leave the last CR of an acknowledgement out; nothing else is under way that
    /// it could be mistaken for.
    fn take_event(&mut self) -> Option<Event> {
        self.decoder
            .next_event()
            .or_else(|| self.decoder.finish_lenient())
    }
}

fn lost(error: &io::Error, stale: bool) -> Ended {
    let refused = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        .is_some_and(|error| matches!(error, rustls::Error::AlertReceived(_)));
    if refused {
        // In TLS 1.3 a client learns only now that its certificate is not accepted.
        return Ended::NotSent(&problem::SEND_UNREACHABLE);
    }
    if stale {
        return Ended::NotSent(&problem::SEND_NO_ACK);
    }
    Ended::Unknown(&problem::SEND_NO_ACK)
}

fn prefix(buffer: &[u8], count: usize) -> &[u8] {
    buffer.get(..count).unwrap_or(buffer)
}
