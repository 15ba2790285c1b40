//! The load client: so many connections over mutual TLS, one message in flight on each, every
//! acknowledgement checked.
//!
//! It must never count a message whose MSA-1 is not AA or whose MSA-2 is not its MSH-10.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use labward_hl7::mllp::{Decoder, Event};
use labward_hl7::{AckCode, parse_ack};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificates;
use super::message::Messages;
use super::process::Used;
use super::sink::Arrivals;

/// How long connecting, and the last answers, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Larger than any acknowledgement.
const MAX_ACK_BYTES: usize = 1 << 16;

/// Messages that are sent in one go when an installation is filled.
const FILL_PART: u64 = 500_000;

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Load<'a> {
    /// Where to connect to.
    pub(crate) address: SocketAddr,
    /// Certificate, private key and CA of the client.
    pub(crate) bundle: &'a Path,
    /// Connections at the same time.
    pub(crate) connections: usize,
    /// Load before the measurement begins.
    pub(crate) warm_up: Duration,
    /// How long there is load that is measured.
    pub(crate) window: Duration,
    /// The processes that are measured.
    pub(crate) processes: &'a [u32],
    /// The length of the kernel's tick, in microseconds.
    pub(crate) tick_us: u64,
}

/// What one run showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Messages in a second.
    pub(crate) per_second: f64,
    /// The median time of a message, in ms.
    pub(crate) p50_ms: f64,
    /// The 99th percentile of that time, in ms.
    pub(crate) p99_ms: f64,
    /// Processor time of the measured processes a message, in µs.
    pub(crate) cpu_us: f64,
    /// Their resident memory at the end, in 10^6 bytes.
    pub(crate) rss_mb: f64,
    /// Bytes written to the disk a message.
    pub(crate) written: f64,
    /// Messages that had not arrived when the last one was acknowledged.
    pub(crate) behind: f64,
    /// Protocol and cipher suite.
    pub(crate) suite: String,
}

/// How one figure is read off a run.
pub(crate) type Read = fn(&Measured) -> f64;

/// One acknowledged message.
#[derive(Clone, Copy, Debug)]
struct Sample {
    number: u64,
    start: Instant,
    done: Instant,
}

/// A moment, and what the measured processes had used by then.
type Moment = (Instant, Used);

type Stream = TlsStream<TcpStream>;

/// What one connection did, and the connection for more.
type Sent = Result<(Stream, Vec<Sample>)>;

impl Load<'_> {
    /// Measures what is acknowledged; a wrong or missing acknowledgement is an error.
    pub(crate) fn run(&self, messages: &Messages) -> Result<Measured> {
        block_on(self.measure(messages))
    }

    /// Measures what arrives at a receiver behind, from a message's first byte to its arrival there
    /// and until the last has arrived; one that is lost is an error.
    pub(crate) fn run_through(&self, messages: &Messages, arrivals: &Arrivals) -> Result<Measured> {
        block_on(self.measure_through(messages, arrivals))
    }

    /// Has `count` messages acknowledged as fast as they are taken.
    pub(crate) fn fill(&self, messages: &Messages, count: u64) -> Result<()> {
        block_on(async {
            let mut streams = self.connect().await?;
            let mut left = count;
            while left > 0 {
                // In parts, because of each message a sample is kept meanwhile.
                let part = left.min(FILL_PART);
                let allowance = Arc::new(AtomicU64::new(part));
                let more = move |_| {
                    let take = |left: u64| left.checked_sub(1);
                    allowance
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                        .is_ok()
                };
                streams = finish(start(streams, messages, more)).await?.0;
                left -= part;
            }
            close(streams).await;
            Ok(())
        })
    }

    async fn measure(&self, messages: &Messages) -> Result<Measured> {
        let streams = self.connect().await?;
        let suite = streams.first().map(suite).unwrap_or_default();
        let begin = Instant::now() + self.warm_up;
        let end = begin + self.window;
        let tasks = start(streams, messages, move |now| now < end);
        sleep_until(begin.into()).await;
        let first = self.look()?;
        sleep_until(end.into()).await;
        let last = self.look()?;
        let (streams, samples) = timeout(PATIENCE, finish(tasks))
            .await
            .context("an acknowledgement did not come")??;
        close(streams).await;
        summary(inside(&samples, first.0, last.0), first, last, suite)
    }

    async fn measure_through(&self, messages: &Messages, arrivals: &Arrivals) -> Result<Measured> {
        let streams = self.connect().await?;
        let suite = streams.first().map(suite).unwrap_or_default();
        let end = Instant::now() + self.warm_up;
        let (streams, warm) = finish(start(streams, messages, move |now| now < end)).await?;
        arrivals.wait_for(warm.len()).await?;
        let first = self.look()?;
        let end = first.0 + self.window;
        let (streams, samples) = finish(start(streams, messages, move |now| now < end)).await?;
        let behind = (warm.len() + samples.len()).saturating_sub(arrivals.count());
        arrivals.wait_for(warm.len() + samples.len()).await?;
        let used = self.look()?.1;
        close(streams).await;
        let arrived = arrivals.taken();
        let mut times = Vec::with_capacity(samples.len());
        let mut last = first.0;
        for sample in &samples {
            let at = arrived.get(&sample.number);
            let at = *at.context("a message that was acknowledged never arrived")?;
            last = last.max(at).max(sample.done);
            times.push(at.saturating_duration_since(sample.start));
        }
        let mut measured = summary(times, first, (last, used), suite)?;
        measured.behind = f64::from(u32::try_from(behind)?);
        Ok(measured)
    }

    fn look(&self) -> Result<Moment> {
        let used = Used::of(self.processes, self.tick_us)?;
        Ok((Instant::now(), used))
    }

    async fn connect(&self) -> Result<Vec<Stream>> {
        let connecting = async {
            let connector = TlsConnector::from(Arc::new(tls(self.bundle)?));
            let mut tasks = JoinSet::new();
            for _ in 0..self.connections {
                let connector = connector.clone();
                let address = self.address;
                tasks.spawn(async move {
                    let stream = TcpStream::connect(address).await.context("connect")?;
                    stream.set_nodelay(true)?;
                    let name = ServerName::try_from("localhost")?;
                    connector
                        .connect(name, stream)
                        .await
                        .context("TLS handshake")
                });
            }
            let mut streams = Vec::with_capacity(self.connections);
            while let Some(stream) = tasks.join_next().await {
                streams.push(stream.context("a connection failed")??);
            }
            Ok(streams)
        };
        timeout(PATIENCE, connecting)
            .await
            .context("connecting took too long")?
    }
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the load client")?
        .block_on(work)
}

/// Sends on every connection while `more` says so of the moment.
fn start(
    streams: Vec<Stream>,
    messages: &Messages,
    more: impl Fn(Instant) -> bool + Clone + Send + 'static,
) -> JoinSet<Sent> {
    let mut tasks = JoinSet::new();
    for stream in streams {
        tasks.spawn(send(stream, messages.lane(), more.clone()));
    }
    tasks
}

/// Waits for the last answer on every connection.
async fn finish(mut tasks: JoinSet<Sent>) -> Result<(Vec<Stream>, Vec<Sample>)> {
    let (mut streams, mut samples) = (Vec::with_capacity(tasks.len()), Vec::new());
    while let Some(sent) = tasks.join_next().await {
        let (stream, sent) = sent.context("a connection failed")??;
        streams.push(stream);
        samples.extend(sent);
    }
    Ok((streams, samples))
}

async fn close(streams: Vec<Stream>) {
    for mut stream in streams {
        // Whether the server still waits for our farewell is no matter.
        let _ = stream.shutdown().await;
    }
}

/// Sends one message after the other, each when the one before was acknowledged.
async fn send(mut stream: Stream, mut messages: Messages, more: impl Fn(Instant) -> bool) -> Sent {
    let mut decoder = Decoder::new(MAX_ACK_BYTES);
    let mut buffer = vec![0; 4096];
    let mut samples = Vec::new();
    loop {
        let start = Instant::now();
        if !more(start) {
            return Ok((stream, samples));
        }
        let next = messages.next();
        stream
            .write_all(next.frame)
            .await
            .context("send a message")?;
        stream.flush().await.context("send a message")?;
        let answer = loop {
            if let Some(event) = decoder.next_event() {
                break event;
            }
            let count = stream.read(&mut buffer).await.context("read an answer")?;
            ensure!(count > 0, "the server closed before it acknowledged");
            decoder.feed(buffer.get(..count).unwrap_or_default());
        };
        check(&answer, next.control_id)?;
        samples.push(Sample {
            number: next.number,
            start,
            done: Instant::now(),
        });
    }
}

/// Fails unless `answer` accepts the message with this control id.
fn check(answer: &Event, control_id: &[u8]) -> Result<()> {
    let Event::Frame(bytes) = answer else {
        bail!("the server sent something that is no frame");
    };
    let ack = parse_ack(bytes)?;
    ensure!(
        ack.answers(control_id),
        "an acknowledgement answers another message"
    );
    ensure!(
        ack.code == AckCode::Aa,
        "message {} was answered {:?} {}",
        String::from_utf8_lossy(control_id),
        ack.code,
        String::from_utf8_lossy(ack.application_code)
    );
    Ok(())
}

/// How long each message took that was acknowledged from `first` until before `last`.
fn inside(samples: &[Sample], first: Instant, last: Instant) -> Vec<Duration> {
    samples
        .iter()
        .filter(|sample| sample.done >= first && sample.done < last)
        .map(|sample| sample.done - sample.start)
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a few seconds are far below 2^52"
)]
fn summary(
    mut times: Vec<Duration>,
    first: Moment,
    last: Moment,
    suite: String,
) -> Result<Measured> {
    ensure!(!times.is_empty(), "no message was acknowledged in time");
    times.sort_unstable();
    let count = times.len() as f64;
    let written = last.1.written.zip(first.1.written);
    let written = written.map(|(last, first)| last.saturating_sub(first));
    let percentile = |percent: usize| {
        let place = (times.len() * percent / 100).min(times.len() - 1);
        times
            .get(place)
            .map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    };
    Ok(Measured {
        per_second: count / (last.0 - first.0).as_secs_f64(),
        p50_ms: percentile(50),
        p99_ms: percentile(99),
        cpu_us: last.1.cpu_us.saturating_sub(first.1.cpu_us) as f64 / count,
        rss_mb: last.1.rss_mb(),
        written: written.map_or(f64::NAN, |bytes| bytes as f64 / count),
        behind: 0.0,
        suite,
    })
}

fn suite(stream: &TlsStream<TcpStream>) -> String {
    let (_, connection) = stream.get_ref();
    connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str())
        .unwrap_or("no TLS")
        .to_owned()
}

fn tls(bundle: &Path) -> Result<ClientConfig> {
    let opened = certificates::open(bundle)?;
    let mut roots = RootCertStore::empty();
    roots.add(opened.authority)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(opened.own, opened.key)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(code: &str, id: &str) -> Event {
        let ack = format!("MSH|^~\\&|A|B|C|D|20260101||ACK|1|P|2.5.1\rMSA|{code}|{id}\r");
        Event::Frame(ack.into_bytes())
    }

    #[test]
    fn only_the_accept_of_this_very_message_counts() {
        assert!(check(&frame("AA", "7"), b"7").is_ok());
        for (answer, id) in [("AA", "8"), ("AE", "7"), ("CA", "7")] {
            assert!(check(&frame(answer, id), b"7").is_err(), "{answer} {id}");
        }
        assert!(check(&Event::EmptyFrame, b"7").is_err());
    }

    #[test]
    fn only_what_was_acknowledged_inside_the_window_counts() {
        let begin = Instant::now();
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let samples: Vec<Sample> = (0..10)
            .map(|number| Sample {
                number,
                start: at(number) - Duration::from_millis(number),
                done: at(number),
            })
            .collect();
        let got = inside(&samples, at(2), at(6));
        let expected: Vec<Duration> = (2..6).map(Duration::from_millis).collect();
        assert_eq!(got, expected);
        assert!(inside(&samples, at(20), at(21)).is_empty());
    }

    #[test]
    fn a_run_is_summed_up_by_message() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let times = (2..6).map(Duration::from_millis).collect();
        let after = Used {
            cpu_us: 40,
            rss_kib: 2048,
            written: Some(400),
        };
        let before = Used {
            written: Some(0),
            ..Used::default()
        };
        let moments = ((start, before), (start + 4 * second, after));
        let got = summary(times, moments.0, moments.1, String::new()).unwrap();
        assert!((got.per_second - 1.0).abs() < 1e-9, "{got:?}");
        assert!((got.p50_ms - 4.0).abs() < 1e-9 && (got.p99_ms - 5.0).abs() < 1e-9);
        assert!((got.cpu_us - 10.0).abs() < 1e-9 && (got.written - 100.0).abs() < 1e-9);
        assert!((got.rss_mb - 2.097_152).abs() < 1e-9, "{got:?}");
        assert!(summary(Vec::new(), moments.0, moments.1, String::new()).is_err());
        // What the kernel does not say is not nothing.
        let unknown = (start, Used::default());
        let got = summary(vec![second], unknown, moments.1, String::new()).unwrap();
        assert!(got.written.is_nan(), "{got:?}");
    }
}
