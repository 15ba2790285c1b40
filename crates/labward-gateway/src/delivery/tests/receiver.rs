//! A real HL7 receiver over TCP or TLS that does what its script says.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use labward_base::Clock;
use labward_hl7::Message;
use labward_hl7::mllp::{self, Decoder, Event};
use labward_identity::{Issued, PeerKind, TlsTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::bench::Bench;
use crate::testing::bundle_of;

/// What the receiver does with a message.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Acknowledges it with these codes, one after the other.
    Codes(&'static [&'static str]),
    /// Acknowledges another message.
    Foreign,
    /// Acknowledges it a moment later.
    Slow(Duration),
    /// Says nothing.
    Silent,
    /// Closes the connection.
    Close,
    /// Acknowledges it and closes the connection.
    AckAndClose,
}

type Script = Arc<dyn Fn(&str, usize) -> Reply + Send + Sync>;

pub(super) const AA: Reply = Reply::Codes(&["AA"]);

#[derive(Default)]
pub(super) struct Log {
    /// Every message that came, whatever the reply.
    pub(super) came: Vec<Vec<u8>>,
    /// How often each control id came.
    seen: HashMap<String, usize>,
    pub(super) open: usize,
    pub(super) most_open: usize,
    pub(super) connections: usize,
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    pub(super) log: Arc<Mutex<Log>>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// A plain receiver; `script` gets the control id and how often that id came before.
    pub(super) fn start(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::on(listener, None, Arc::new(script), Arc::default())
    }

    /// A plain receiver at a port that was free before.
    pub(super) fn at(
        address: SocketAddr,
        script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        Self::on(listener, None, Arc::new(script), Arc::default())
    }

    /// A receiver over mutual TLS that wants a certificate of the bench's authority, and what was
    /// issued to it.
    pub(super) fn tls(
        bench: &Bench,
        script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
    ) -> (Self, Issued) {
        let now = bench.clock.now();
        let issued = bench
            .authority
            .issue_peer("localhost", PeerKind::Ehr, now, 30)
            .unwrap();
        let (chain, key) = bundle_of(&issued.bundle);
        let mut roots = RootCertStore::empty();
        roots.add(bench.authority.certificate().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .unwrap();
        let time = Arc::new(TlsTime(Arc::clone(&bench.clock) as Arc<dyn Clock>));
        let config = ServerConfig::builder_with_details(provider, time)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self::on(listener, Some(acceptor), Arc::new(script), Arc::default());
        (receiver, issued)
    }

    fn on(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        script: Script,
        log: Arc<Mutex<Log>>,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(Notify::new());
        let (stopped, kept) = (Arc::clone(&stop), Arc::clone(&log));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let accept = async {
                    loop {
                        let (tcp, _) = listener.accept().await.unwrap();
                        let (tls, script, log) =
                            (tls.clone(), Arc::clone(&script), Arc::clone(&kept));
                        tokio::spawn(async move {
                            match tls {
                                None => serve(tcp, script, log).await,
                                Some(tls) => {
                                    if let Ok(stream) = tls.accept(tcp).await {
                                        serve(stream, script, log).await;
                                    }
                                }
                            }
                        });
                    }
                };
                tokio::select! {
                    () = stopped.notified() => {}
                    () = accept => {}
                }
            });
            runtime.shutdown_background();
        });
        Self {
            address,
            log,
            stop,
            thread: Some(thread),
        }
    }

    /// The control ids of what came, in order.
    pub(super) fn ids(&self) -> Vec<u64> {
        let log = self.log.lock().unwrap();
        log.came
            .iter()
            .map(|bytes| id_of(bytes).parse().unwrap())
            .collect()
    }

    pub(super) fn count(&self) -> usize {
        self.log.lock().unwrap().came.len()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.notify_one();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn id_of(message: &[u8]) -> String {
    let message = Message::parse(message).unwrap();
    String::from_utf8(message.header().control_id().to_vec()).unwrap()
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: Script,
    log: Arc<Mutex<Log>>,
) {
    {
        let mut log = log.lock().unwrap();
        log.open += 1;
        log.connections += 1;
        log.most_open = log.most_open.max(log.open);
    }
    let _ = converse(&mut stream, &script, &log).await;
    log.lock().unwrap().open -= 1;
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    script: &Script,
    log: &Arc<Mutex<Log>>,
) -> std::io::Result<()> {
    let mut decoder = Decoder::new(1 << 20);
    let mut buffer = [0; 4096];
    loop {
        while let Some(event) = decoder.next_event() {
            let Event::Frame(message) = event else {
                continue;
            };
            let id = id_of(&message);
            let before = {
                let mut log = log.lock().unwrap();
                let seen = log.seen.entry(id.clone()).or_default();
                let before = *seen;
                *seen += 1;
                log.came.push(message);
                before
            };
            match script(&id, before) {
                Reply::Codes(codes) => {
                    for code in codes {
                        stream.write_all(&ack(code, &id)).await?;
                    }
                }
                Reply::Foreign => stream.write_all(&ack("AA", &format!("{id}x"))).await?,
                Reply::Slow(pause) => {
                    tokio::time::sleep(pause).await;
                    stream.write_all(&ack("AA", &id)).await?;
                }
                Reply::Silent => {}
                Reply::Close => return Ok(()),
                Reply::AckAndClose => {
                    stream.write_all(&ack("AA", &id)).await?;
                    return stream.shutdown().await;
                }
            }
        }
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => decoder.feed(&buffer[..count]),
        }
    }
}

fn ack(code: &str, id: &str) -> Vec<u8> {
    mllp::encode(format!("MSH|^~\\&|EHR|B|LAB|A|||ACK|a{id}|P|2.5\rMSA|{code}|{id}\r").as_bytes())
}
