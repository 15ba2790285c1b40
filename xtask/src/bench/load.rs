//! The load client: so many connections over mutual TLS, one message in flight on each, every
//! acknowledgement checked.
//!
//! It must never count a message whose MSA-1 is not AA or whose MSA-2 is not its MSH-10.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use labward_hl7::mllp::{Decoder, Event};
use labward_hl7::{AckCode, parse_ack};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::message::Messages;
use super::process::{Used, used};

/// How long connecting, and the last answers, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Larger than any acknowledgement.
const MAX_ACK_BYTES: usize = 1 << 16;

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
    /// What is measured.
    pub(crate) window: Duration,
    /// The process that is measured.
    pub(crate) process: u32,
    /// The length of the kernel's tick, in microseconds.
    pub(crate) tick_us: u64,
}

/// What one run showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Messages acknowledged in a second.
    pub(crate) per_second: f64,
    /// The median time from the message's first byte to its checked acknowledgement, in ms.
    pub(crate) p50_ms: f64,
    /// The 99th percentile of that time, in ms.
    pub(crate) p99_ms: f64,
    /// Processor time of the measured process a message, in µs.
    pub(crate) cpu_us: f64,
    /// Its resident memory at the end, in MiB.
    pub(crate) rss_mib: f64,
    /// Bytes written to the disk a message.
    pub(crate) written: f64,
    /// Protocol and cipher suite.
    pub(crate) suite: String,
}

/// One acknowledged message.
#[derive(Clone, Copy, Debug)]
struct Sample {
    done: Instant,
    took: Duration,
}

impl Load<'_> {
    /// Runs the load and measures; a wrong or missing acknowledgement is an error.
    pub(crate) fn run(&self, messages: &Messages) -> Result<Measured> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("start the load client")?
            .block_on(self.measure(messages))
    }

    async fn measure(&self, messages: &Messages) -> Result<Measured> {
        let mut streams = timeout(PATIENCE, self.connect())
            .await
            .context("connecting took too long")??;
        let suite = streams.first().map(suite).unwrap_or_default();
        let begin = Instant::now() + self.warm_up;
        let end = begin + self.window;
        let mut tasks = JoinSet::new();
        for stream in streams.drain(..) {
            tasks.spawn(send(stream, messages.lane(), end));
        }
        let look = |at: Instant| async move {
            sleep_until(at.into()).await;
            used(self.process, self.tick_us).map(|used| (Instant::now(), used))
        };
        let first = look(begin).await?;
        let last = look(end).await?;
        let mut samples = Vec::new();
        timeout(PATIENCE, async {
            while let Some(sent) = tasks.join_next().await {
                samples.extend(sent.context("a connection failed")??);
            }
            Ok::<_, anyhow::Error>(())
        })
        .await
        .context("an acknowledgement did not come")??;
        summary(&samples, first, last, suite)
    }

    async fn connect(&self) -> Result<Vec<TlsStream<TcpStream>>> {
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
    }
}

/// Sends one message after the other until `end`.
async fn send(
    mut stream: TlsStream<TcpStream>,
    mut messages: Messages,
    end: Instant,
) -> Result<Vec<Sample>> {
    let mut decoder = Decoder::new(MAX_ACK_BYTES);
    let mut buffer = vec![0; 4096];
    let mut samples = Vec::new();
    loop {
        let start = Instant::now();
        if start >= end {
            // Whether the server still waits for our farewell is no matter.
            let _ = stream.shutdown().await;
            return Ok(samples);
        }
        let (frame, control_id) = messages.next();
        stream.write_all(frame).await.context("send a message")?;
        stream.flush().await.context("send a message")?;
        let answer = loop {
            if let Some(event) = decoder.next_event() {
                break event;
            }
            let count = stream.read(&mut buffer).await.context("read an answer")?;
            ensure!(count > 0, "the server closed before it acknowledged");
            decoder.feed(buffer.get(..count).unwrap_or_default());
        };
        check(&answer, control_id)?;
        let done = Instant::now();
        samples.push(Sample {
            done,
            took: done - start,
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

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a few seconds are far below 2^52"
)]
fn summary(
    samples: &[Sample],
    first: (Instant, Used),
    last: (Instant, Used),
    suite: String,
) -> Result<Measured> {
    let mut times: Vec<Duration> = samples
        .iter()
        .filter(|sample| sample.done >= first.0 && sample.done < last.0)
        .map(|sample| sample.took)
        .collect();
    ensure!(!times.is_empty(), "no message was acknowledged in time");
    times.sort_unstable();
    let count = times.len() as f64;
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
        rss_mib: last.1.rss_kib as f64 / 1024.0,
        written: last.1.written.saturating_sub(first.1.written) as f64 / count,
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
    let pem = std::fs::read(bundle).with_context(|| format!("read {}", bundle.display()))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>()?;
    let [own @ .., authority] = certificates.as_slice() else {
        bail!("{} holds no certificate", bundle.display());
    };
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    let key = PrivateKeyDer::from_pem_slice(&pem)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(own.to_vec(), key)?)
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
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let at = |seconds: u32| start + second * seconds;
        let samples: Vec<Sample> = (0..10)
            .map(|done| Sample {
                done: at(done),
                took: Duration::from_millis(u64::from(done)),
            })
            .collect();
        let before = Used::default();
        let after = Used {
            cpu_us: 40,
            rss_kib: 2048,
            written: 400,
        };
        let got = summary(&samples, (at(2), before), (at(6), after), String::new()).unwrap();
        assert!((got.per_second - 1.0).abs() < 1e-9, "{got:?}");
        assert!((got.p50_ms - 4.0).abs() < 1e-9 && (got.p99_ms - 5.0).abs() < 1e-9);
        assert!((got.cpu_us - 10.0).abs() < 1e-9 && (got.written - 100.0).abs() < 1e-9);
        assert!(summary(&samples, (at(20), before), (at(21), after), String::new()).is_err());
    }
}
