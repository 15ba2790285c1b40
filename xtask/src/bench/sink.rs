//! The receiver behind what is measured: acknowledges every message from memory and stores nothing.
//!
//! It is the cheapest receiver there can be: what stands before it is measured, and no disk behind it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use labward_hl7::mllp::{self, Decoder, Event};
use labward_hl7::{Ack, AckCode, Message};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::certificates;
use crate::guard::loopback;

/// Larger than any message of a measurement.
const MAX_FRAME_BYTES: usize = 1 << 20;

/// How often it is looked whether everything has arrived.
const LOOK: Duration = Duration::from_millis(2);

/// How long nothing more may arrive before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running receiver; it ends with this value.
pub(crate) struct Sink {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// When each message arrived first, by the number that its control id is; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrivals(Arc<Mutex<HashMap<u64, Instant>>>);

impl Arrivals {
    /// How many messages have arrived, each counted once.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// What has arrived so far.
    pub(crate) fn taken(&self) -> HashMap<u64, Instant> {
        self.lock().clone()
    }

    /// Waits until `count` messages have arrived.
    pub(crate) async fn wait_for(&self, count: usize) -> Result<()> {
        let mut last = (self.count(), Instant::now());
        while last.0 < count {
            tokio::time::sleep(LOOK).await;
            let now = (self.count(), Instant::now());
            if now.0 > last.0 {
                last = now;
            }
            ensure!(
                now.1 - last.1 < PATIENCE,
                "{} of {count} messages have arrived, and no more come",
                last.0
            );
        }
        Ok(())
    }

    fn add(&self, control_id: &[u8]) {
        let number = std::str::from_utf8(control_id).ok();
        if let Some(number) = number.and_then(|text| text.parse().ok()) {
            let now = Instant::now();
            self.lock().entry(number).or_insert(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink {
    /// Listens in plain on a free port of this machine, in a thread of its own.
    pub(crate) fn plain() -> Result<Self> {
        Self::start(0, None, None)
    }

    /// Listens on `port` over mutual TLS with the certificate of `bundle`, for clients of its
    /// authority and of that of the bundle `other`; notes in `arrivals` what arrives.
    pub(crate) fn mutual_tls(
        port: u16,
        bundle: &Path,
        other: &Path,
        arrivals: &Arrivals,
    ) -> Result<Self> {
        let opened = certificates::open(bundle)?;
        let mut roots = RootCertStore::empty();
        roots.add(opened.authority)?;
        roots.add(certificates::open(other)?.authority)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier.build()?)
            .with_single_cert(opened.own, opened.key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::start(port, Some(acceptor), Some(arrivals.clone()))
    }

    fn start(port: u16, tls: Option<TlsAcceptor>, arrivals: Option<Arrivals>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("start the sink")?;
        let listener = runtime.block_on(TcpListener::bind(loopback(port)))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, tls, arrivals) => {}
                    // Also when the guard is gone without a word.
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A sink that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, arrivals: Option<Arrivals>) {
    while let Ok((stream, _)) = listener.accept().await {
        // A connection that breaks is seen by the sender, which waits for its answer.
        tokio::spawn(welcome(stream, tls.clone(), arrivals.clone()));
    }
}

async fn welcome(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    arrivals: Option<Arrivals>,
) -> Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => serve(tls.accept(stream).await?, arrivals.as_ref()).await,
        None => serve(stream, arrivals.as_ref()).await,
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    arrivals: Option<&Arrivals>,
) -> Result<()> {
    let mut decoder = Decoder::new(MAX_FRAME_BYTES);
    let mut buffer = vec![0; 16 * 1024];
    let mut out = Vec::with_capacity(512);
    let mut answered = 0_u64;
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        decoder.feed(buffer.get(..count).unwrap_or_default());
        out.clear();
        while let Some(event) = decoder.next_event() {
            if let Event::Frame(bytes) = event {
                answered += 1;
                acknowledge(&bytes, answered, arrivals, &mut out)?;
            }
        }
        stream.write_all(&out).await?;
        stream.flush().await?;
    }
}

/// Notes the message in `bytes` and appends the framed AA to it.
fn acknowledge(
    bytes: &[u8],
    own_id: u64,
    arrivals: Option<&Arrivals>,
    out: &mut Vec<u8>,
) -> Result<()> {
    let message = Message::parse(bytes)?;
    let header = message.header();
    if let Some(arrivals) = arrivals {
        arrivals.add(header.control_id());
    }
    out.push(mllp::START);
    let id = own_id.to_string();
    Ack::new(&header, AckCode::Aa, &id, "20260101120000").write_into(out);
    out.extend_from_slice(&[mllp::END, b'\r']);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_comes_twice_arrives_once() {
        let arrivals = Arrivals::default();
        let mut out = Vec::new();
        for (id, own) in [("0000000007", 1), ("0000000007", 2), ("0000000008", 3)] {
            let message = format!("MSH|^~\\&|A|B|C|D|20260101||ORU^R01|{id}|P|2.5.1\r");
            acknowledge(message.as_bytes(), own, Some(&arrivals), &mut out).unwrap();
        }
        assert_eq!(arrivals.count(), 2);
        assert!(arrivals.taken().contains_key(&7) && arrivals.taken().contains_key(&8));
        let answers = String::from_utf8(out).unwrap();
        assert_eq!(answers.matches("MSA|AA|0000000007").count(), 2);
    }
}
