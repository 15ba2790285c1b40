//! A small server of files over HTTPS: it counts who asks for what, and fails in the ways that servers do.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use labward_testkit::TempDir;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::dial;

/// What is answered for a path.
#[derive(Clone)]
pub(crate) enum Reply {
    /// 200 with these bytes.
    File(Vec<u8>),
    /// This status and nothing else.
    Status(u16),
    /// 302 to this place.
    To(String),
    /// 200, and a byte from time to time.
    Trickle,
}

/// The server; it ends when it is dropped.
pub(crate) struct Mirror {
    shared: Arc<Shared>,
    place: TempDir,
}

struct Shared {
    address: SocketAddr,
    tls: Arc<ServerConfig>,
    replies: Mutex<BTreeMap<String, Reply>>,
    asked: Mutex<Vec<String>>,
    connections: AtomicUsize,
    stopped: AtomicBool,
    /// Never told: what waits on it waits for its time.
    never: (Mutex<()>, Condvar),
}

impl Mirror {
    pub(crate) fn open() -> Self {
        let place = TempDir::new();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        std::fs::write(place.join("ca.pem"), certified.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared {
            address: listener.local_addr().unwrap(),
            tls: Arc::new(tls),
            replies: Mutex::default(),
            asked: Mutex::default(),
            connections: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            never: (Mutex::new(()), Condvar::new()),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stopped.load(Ordering::Acquire) {
                    return;
                }
                let serving = Arc::clone(&serving);
                serving.connections.fetch_add(1, Ordering::AcqRel);
                std::thread::spawn(move || serving.serve(stream.unwrap()));
            }
        });
        Self { shared, place }
    }

    /// The file of its certificate.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.place.join("ca.pem")
    }

    /// The address of a path, by this name of the machine.
    pub(crate) fn url_by(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.shared.address.port())
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        self.url_by("localhost", path)
    }

    pub(crate) fn put(&self, path: &str, reply: Reply) {
        let mut replies = self.shared.replies.lock().unwrap();
        replies.insert(path.to_owned(), reply);
    }

    pub(crate) fn file(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.put(path, Reply::File(bytes.into()));
    }

    /// What was asked for since this was said last.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.asked.lock().unwrap())
    }

    /// What was asked for so far, without forgetting it.
    pub(crate) fn shared_asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        drop(dial(self.shared.address));
    }
}

impl Shared {
    /// One request after the other, until the other side has gone.
    fn serve(&self, stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let connection = ServerConnection::new(Arc::clone(&self.tls)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        while let Some(path) = path_of(&mut stream) {
            self.asked.lock().unwrap().push(path.clone());
            let reply = self.replies.lock().unwrap().get(&path).cloned();
            if self.answer(&mut stream, reply).is_none() {
                return;
            }
        }
    }

    fn answer(
        &self,
        stream: &mut StreamOwned<ServerConnection, TcpStream>,
        reply: Option<Reply>,
    ) -> Option<()> {
        let head = |status: &str, length: usize, more: &str| {
            format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{more}\r\n")
        };
        let answer = match reply {
            None => head("404", 0, "").into_bytes(),
            Some(Reply::Status(status)) => head(&status.to_string(), 0, "").into_bytes(),
            Some(Reply::To(place)) => {
                head("302", 0, &format!("Location: {place}\r\n")).into_bytes()
            }
            Some(Reply::File(bytes)) => [head("200", bytes.len(), "").into_bytes(), bytes].concat(),
            Some(Reply::Trickle) => return self.trickle(stream, &head("200", 1_000_000, "")),
        };
        stream.write_all(&answer).ok()?;
        stream.flush().ok()
    }

    /// Until the other side has enough of it.
    fn trickle(
        &self,
        stream: &mut StreamOwned<ServerConnection, TcpStream>,
        head: &str,
    ) -> Option<()> {
        stream.write_all(head.as_bytes()).ok()?;
        let (lock, never) = &self.never;
        loop {
            stream.write_all(b"{").ok()?;
            stream.flush().ok()?;
            let guard = lock.lock().unwrap();
            drop(
                never
                    .wait_timeout(guard, Duration::from_millis(100))
                    .unwrap(),
            );
        }
    }
}

/// The path of the next request.
fn path_of(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<String> {
    let (mut bytes, mut byte) = (Vec::new(), [0; 1]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    Some(head.split(' ').nth(1)?.to_owned())
}
