//! Two kinds of simulated analyzers: HL7 v2 over MLLP and mutual TLS, and ASTM on loopback.
//!
//! Like a real one, each has one message in flight and counts only what was acknowledged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use labward_astm::link::{Role, SendAction, Sender, SenderConduct};
use labward_base::Clock;
use labward_hl7::mllp::{Decoder, Event, encode};
use labward_hl7::{AckCode, Message, parse_ack};
use labward_os::SystemClock;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::material::{Discipline, astm_result, hl7_result};

/// How long an analyzer waits for an answer before it gives up, as E1381 has it.
const PATIENCE: Duration = Duration::from_secs(15);

/// What one analyzer has done so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Messages sent.
    pub(crate) sent: AtomicU64,
    /// Messages acknowledged positively.
    pub(crate) accepted: AtomicU64,
    /// Messages refused.
    pub(crate) refused: AtomicU64,
}

/// How much to send and when to stop.
#[derive(Clone)]
pub(crate) struct Pace {
    /// How many messages; without end if `None`.
    pub(crate) messages: Option<u32>,
    /// The pause between two messages.
    pub(crate) pause: Duration,
    /// Set when everyone is to stop.
    pub(crate) stop: Arc<AtomicBool>,
}

impl Pace {
    /// The numbers of the messages to send.
    fn numbers(&self) -> impl Iterator<Item = u32> + use<'_> {
        (1..=self.messages.unwrap_or(u32::MAX)).take_while(|_| !self.stop.load(Ordering::Relaxed))
    }
}

/// Sends HL7 results over MLLP and mutual TLS.
pub(crate) async fn run_mllp(
    address: SocketAddr,
    tls: TlsConnector,
    discipline: Discipline,
    pace: Pace,
    progress: Arc<Progress>,
) -> Result<()> {
    let tcp = TcpStream::connect(address)
        .await
        .context("connect to the gateway")?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let mut stream = tls
        .connect(name, tcp)
        .await
        .context("mutual TLS with the gateway")?;
    let mut decoder = Decoder::new(1 << 20);
    for number in pace.numbers() {
        let message = hl7_result(discipline, number, SystemClock.now());
        stream.write_all(&encode(&message)).await?;
        stream.flush().await?;
        progress.sent.fetch_add(1, Ordering::Relaxed);
        let answer = tokio::time::timeout(PATIENCE, next_frame(&mut stream, &mut decoder))
            .await
            .context("no acknowledgement in time")??;
        let ack = parse_ack(&answer)?;
        if !ack.answers(Message::parse(&message)?.header().control_id()) {
            bail!("an acknowledgement names another message");
        }
        let counter = if ack.code == AckCode::Aa {
            &progress.accepted
        } else {
            &progress.refused
        };
        counter.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(pace.pause).await;
    }
    stream.shutdown().await.context("close the connection")
}

/// Reads until a whole frame is there.
pub(crate) async fn next_frame(
    stream: &mut (impl AsyncRead + Unpin),
    decoder: &mut Decoder,
) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 8192];
    loop {
        while let Some(event) = decoder.next_event() {
            match event {
                Event::Frame(frame) => return Ok(frame),
                Event::Noise { .. } | Event::EmptyFrame => {}
                _ => bail!("what came is not a frame"),
            }
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            bail!("the other side closed the connection");
        }
        decoder.feed(buffer.get(..count).unwrap_or_default());
    }
}

/// Sends ASTM results over a plain connection on loopback.
pub(crate) async fn run_astm(
    address: SocketAddr,
    pace: Pace,
    progress: Arc<Progress>,
) -> Result<()> {
    let mut stream = TcpStream::connect(address)
        .await
        .context("connect to the gateway")?;
    stream.set_nodelay(true)?;
    let mut sender = Sender::new(SenderConduct::standard(Role::Instrument));
    for number in pace.numbers() {
        sender.send(&astm_result(number, SystemClock.now()), SystemClock.now())?;
        progress.sent.fetch_add(1, Ordering::Relaxed);
        let delivered = tokio::time::timeout(PATIENCE * 2, exchange(&mut stream, &mut sender))
            .await
            .context("the gateway does not answer")??;
        let counter = if delivered {
            &progress.accepted
        } else {
            &progress.refused
        };
        counter.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(pace.pause).await;
    }
    stream.shutdown().await.context("close the connection")
}

/// Drives the sender until its message is delivered (`true`) or given up (`false`).
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    sender: &mut Sender,
) -> Result<bool> {
    let mut outcome = None;
    loop {
        while let Some(action) = sender.next_action() {
            match action {
                SendAction::Send(bytes) => stream.write_all(&bytes).await?,
                SendAction::Delivered => outcome = Some(true),
                SendAction::Failed(_) => outcome = Some(false),
                SendAction::Yielded => {}
            }
        }
        if let Some(delivered) = outcome {
            stream.flush().await?;
            return Ok(delivered);
        }
        let now = SystemClock.now();
        let wait = sender
            .deadline()
            .map_or(PATIENCE, |deadline| deadline.since(now));
        let mut buffer = [0; 64];
        match tokio::time::timeout(wait, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => bail!("the gateway closed the connection"),
            Ok(Ok(count)) => {
                sender.receive(buffer.get(..count).unwrap_or_default(), SystemClock.now());
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => sender.tick(SystemClock.now()),
        }
    }
}
