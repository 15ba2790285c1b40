//! A receiver over mutual TLS that remembers what it got, in order, before it answers.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use labward_hl7::mllp::{Decoder, Event, encode};
use labward_hl7::{Ack, AckCode, Message};
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Identity;

/// Larger than any message.
const MAX_FRAME_BYTES: usize = 1 << 20;

/// A port that is the receiver's already, before anybody is served on it.
pub(crate) struct Bound(TcpListener);

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// MSH-10.
    pub(crate) control_id: String,
    /// The message.
    pub(crate) bytes: Vec<u8>,
    /// In which phase of the test; see [`Receiver::next_phase`].
    pub(crate) phase: usize,
}

/// The receiver; it ends when dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    state: Mutex<State>,
}

struct State {
    received: Vec<Received>,
    phase: usize,
    sockets: Vec<TcpStream>,
    answer: AckCode,
}

impl Bound {
    /// Takes a free port of this machine.
    pub(crate) fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// Takes a port that was a receiver's before.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self(TcpListener::bind(address).unwrap())
    }

    /// The address to configure.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Serves whoever shows a certificate of the identity's authority.
    pub(crate) fn receive(self, identity: &Identity) -> Receiver {
        let address = self.address();
        let config = server_config(identity);
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            state: Mutex::new(State {
                received: Vec::new(),
                phase: 0,
                sockets: Vec::new(),
                answer: AckCode::Aa,
            }),
        });
        let listening = thread::spawn({
            let shared = Arc::clone(&shared);
            move || listen(&self.0, &config, &shared)
        });
        Receiver {
            address,
            shared,
            listening: Some(listening),
        }
    }
}

impl Receiver {
    /// Everything that came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }

    /// How many messages came so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.state().received.len()
    }

    /// Answers this to everything that comes from now on.
    pub(crate) fn answer(&self, code: AckCode) {
        self.shared.state().answer = code;
    }

    /// What comes from now on belongs to the next phase.
    pub(crate) fn next_phase(&self) {
        self.shared.state().phase += 1;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(self.address);
        for socket in self.shared.state().sockets.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn server_config(identity: &Identity) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = identity.roots();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .unwrap();
    let (chain, key) = identity.shown();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

fn listen(listener: &TcpListener, config: &Arc<ServerConfig>, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let (Ok(stream), config, shared) = (stream, Arc::clone(config), Arc::clone(shared)) else {
            continue;
        };
        shared.state().sockets.extend(stream.try_clone());
        thread::spawn(move || serve(stream, config, &shared));
    }
}

/// Serves one connection until it ends; how it ends is the sender's matter.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, shared: &Shared) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let mut decoder = Decoder::new(MAX_FRAME_BYTES);
    let mut buffer = [0; 8192];
    loop {
        while let Some(event) = decoder.next_event() {
            let Event::Frame(bytes) = event else {
                continue;
            };
            let message = Message::parse(&bytes).ok()?;
            let control_id = String::from_utf8_lossy(message.header().control_id()).into_owned();
            let code = {
                let mut state = shared.state();
                let phase = state.phase;
                state.received.push(Received {
                    control_id: control_id.clone(),
                    bytes: bytes.clone(),
                    phase,
                });
                state.answer
            };
            let header = message.header();
            let answer = encode(&Ack::new(&header, code, &control_id, "20260101120000").to_vec());
            stream.write_all(&answer).ok()?;
            stream.flush().ok()?;
        }
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        decoder.feed(&buffer[..count]);
    }
}
