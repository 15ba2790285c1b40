//! An installation to test with, a client of the admin socket, an analyzer and a receiver.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use labward_base::Clock;
use labward_identity::{Authority, NewPerson, People, Role, TlsTime};
use labward_keys::{Keys, NewSlot};
use labward_ledger::{Actor, LedgerJournal};
use labward_os::{Stopwatch, SystemClock, current_uid};
use labward_seal::sign::SigningKey;
use labward_store::{Options, Store};
use labward_testkit::vfs::FaultVfs;
use labward_testkit::{FakeClock, TempDir};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::{App, ConfigSource, Parts, build, build_on};
use crate::config::Config;
use crate::folder::{AUTHORITY_KEY, DataFolder, LEDGER_KEY, NODE, SERVER_KEY, SITE};
use crate::migrations::migrations;

const PATIENCE: Duration = Duration::from_secs(20);

/// An installation whose key file lies beside its data folder, not in it.
pub(super) struct Installation {
    folder: TempDir,
    config: Config,
}

/// What came back over the admin socket.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// A sender over mutual TLS.
pub(super) struct Analyzer(StreamOwned<ClientConnection, TcpStream>);

/// A receiver on loopback that acknowledges everything.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    pub(super) messages: mpsc::Receiver<Vec<u8>>,
}

impl Installation {
    /// Set up as `init` does it, with this account as an administrator who also runs the lab.
    pub(super) fn new(config: Config) -> Self {
        let folder = TempDir::new();
        let installation = Self { folder, config };
        let data = installation.data();
        for path in data.subfolders() {
            fs::create_dir_all(path).unwrap();
        }
        labward_os::set_aside(&data.reserve(), 1 << 20).unwrap();
        let clock = Arc::new(SystemClock);
        let journal = LedgerJournal::new(NODE, clock.clone());
        let options = Options::new(data.database());
        let store = Store::open(options, &migrations(), Box::new(journal)).unwrap();
        let keys = Keys::load(store.clone(), SITE, data.root(), clock.clone()).unwrap();
        let slot = NewSlot::KeyFile {
            label: "USB stick".to_owned(),
            path: installation.key_file(),
        };
        keys.create(&[slot], Actor::System).unwrap();
        let people = People::load(store.clone(), SITE).unwrap();
        for (name, role, uid) in [
            ("Somebody Else", Role::Administrator, None),
            ("Whoever Runs This", Role::LabManager, Some(current_uid())),
        ] {
            let roles = labward_identity::Roles::from(role).and(Role::Administrator);
            let person = NewPerson {
                name: name.to_owned(),
                roles,
                uid,
            };
            people.add(person, Actor::System).unwrap();
        }
        let now = clock.now();
        let made = Authority::create("Test Lab", now).unwrap();
        let names = ["localhost".to_owned()];
        let server = made.authority.issue_server(&names, now, 30).unwrap();
        let pem = made.authority.certificate_pem();
        fs::write(data.authority_certificate(), pem).unwrap();
        fs::write(data.server_certificate(), &server.bundle.cert_pem).unwrap();
        let signing = SigningKey::generate().unwrap();
        let secrets = [
            (AUTHORITY_KEY, made.key.expose().clone()),
            (
                SERVER_KEY,
                server.bundle.key_pem.expose().clone().into_bytes(),
            ),
            (LEDGER_KEY, signing.seed().expose().to_vec()),
        ];
        for (name, secret) in secrets {
            let keys = keys.clone();
            store
                .write(move |tx| keys.put_secret(tx, name, &secret))
                .unwrap();
        }
        store.close().unwrap();
        installation
    }

    /// The same installation under another configuration.
    pub(super) fn with(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// The file that the server is said to have been started from.
    pub(super) fn config_file(&self) -> PathBuf {
        self.folder.join("labward.toml")
    }

    pub(super) fn data(&self) -> DataFolder {
        DataFolder::new(self.folder.join("data"))
    }

    pub(super) fn key_file(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// A built server that was not started.
    pub(super) fn build(&self) -> Result<App, crate::ServerError> {
        self.build_at(Arc::new(SystemClock))
    }

    fn build_at(&self, clock: Arc<dyn Clock>) -> Result<App, crate::ServerError> {
        build(self.parts(clock))
    }

    /// A started server whose disk and clock do what the test says.
    pub(super) fn start_on(&self, vfs: &FaultVfs, clock: Arc<dyn Clock>) -> App {
        let mut app = build_on(self.parts(clock), Some(vfs.name().to_owned())).unwrap();
        app.start().unwrap();
        app
    }

    fn parts(&self, clock: Arc<dyn Clock>) -> Parts {
        Parts {
            config: self.config.clone(),
            source: Some(ConfigSource {
                path: self.config_file(),
                text: "version = 1\n".to_owned(),
            }),
            data: self.data(),
            clock,
            program: None,
        }
    }

    /// A started server that lives by this clock.
    pub(super) fn start_at(&self, clock: &FakeClock) -> App {
        let mut app = self.build_at(Arc::new(clock.clone())).unwrap();
        app.start().unwrap();
        app
    }

    /// A started server; it opens by its key file if that is there.
    pub(super) fn start(&self) -> App {
        let mut app = self.build().unwrap();
        app.start().unwrap();
        app
    }
}

/// One request; HTTP/1.0, so that the end of the answer is the end of the connection.
pub(super) fn request(app: &App, verb: &str, path: &str, body: &[u8]) -> Answered {
    let mut stream = UnixStream::connect(app.socket()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let head = format!("{verb} /api/v1/{path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // A server that has read enough closes before a body that is too large has left.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    Answered {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: answer[end + 4..].to_vec(),
    }
}

pub(super) fn get<T: DeserializeOwned>(app: &App, path: &str) -> T {
    request(app, "GET", path, b"").read()
}

pub(super) fn post<T: DeserializeOwned>(app: &App, path: &str, body: &impl Serialize) -> T {
    request(app, "POST", path, &serde_json::to_vec(body).unwrap()).read()
}

/// Asks again and again until there is an answer; fails when that takes too long.
pub(super) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    while watch.elapsed() < PATIENCE {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::yield_now();
    }
    panic!("{what} did not come")
}

impl Answered {
    pub(super) fn read<T: DeserializeOwned>(&self) -> T {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, 200, "{text}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The code of a failure.
    pub(super) fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Analyzer {
    /// Connects with the PEM bundle that `POST peers` answered.
    pub(super) fn connect(address: SocketAddr, bundle: &str) -> Self {
        Self::connect_at(address, bundle, Arc::new(SystemClock))
    }

    /// The same by another clock.
    pub(super) fn connect_at(address: SocketAddr, bundle: &str, clock: Arc<dyn Clock>) -> Self {
        let mut all = CertificateDer::pem_slice_iter(bundle.as_bytes());
        let own = all.next().unwrap().unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(all.next().unwrap().unwrap()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(bundle.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_details(provider, Arc::new(TlsTime(clock)))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![own], key)
            .unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let tcp = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(StreamOwned::new(connection, tcp))
    }

    /// SHA-256 of the public key that the server showed; sends nothing but the handshake.
    pub(super) fn server_key(&mut self) -> [u8; 32] {
        while self.0.conn.is_handshaking() {
            self.0.conn.complete_io(&mut self.0.sock).unwrap();
        }
        let shown = self.0.conn.peer_certificates().unwrap();
        labward_identity::spki_sha256(&shown[0]).unwrap()
    }

    /// Sends the records of an ASTM message, each in a frame; whether every frame was acknowledged.
    pub(super) fn send_astm(&mut self, records: &[&str]) -> bool {
        let mut taken = self.ask(&[0x05]);
        for (number, record) in (1..).zip(records) {
            let body = format!("{}{record}\r\x03", number % 8);
            let sum = body.bytes().fold(0_u8, u8::wrapping_add);
            taken &= self.ask(format!("\x02{body}{sum:02X}\r\n").as_bytes());
        }
        self.0.write_all(&[0x04]).unwrap();
        taken
    }

    /// Whether what is sent is answered by ACK.
    fn ask(&mut self, bytes: &[u8]) -> bool {
        let mut answer = [0; 1];
        self.0.write_all(bytes).unwrap();
        self.0.read_exact(&mut answer).unwrap();
        answer == [0x06]
    }

    /// Sends one message; the acknowledgement code, or `None` if the connection ended first.
    pub(super) fn send(&mut self, message: &str) -> Option<String> {
        let frame = format!("\x0b{message}\x1c\r");
        self.0.write_all(frame.as_bytes()).ok()?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\x1c\r") {
            let mut byte = [0; 1];
            self.0.read_exact(&mut byte).ok()?;
            answer.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&answer).into_owned();
        let msa = text.split('\r').find(|line| line.starts_with("MSA|"))?;
        Some(msa.split('|').nth(1)?.to_owned())
    }
}

impl Receiver {
    pub(super) fn start() -> Self {
        Self::refusing("")
    }

    /// One that refuses the message with this control id, and takes all others.
    pub(super) fn refusing(control: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (hand_over, messages) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                let hand_over = hand_over.clone();
                std::thread::spawn(move || receive(socket, control, &hand_over));
            }
        });
        Self { address, messages }
    }

    pub(super) fn next(&self) -> Vec<u8> {
        self.messages.recv_timeout(PATIENCE).unwrap()
    }
}

fn receive(mut socket: TcpStream, refused: &str, hand_over: &mpsc::Sender<Vec<u8>>) {
    let mut frame = Vec::new();
    let mut byte = [0; 1];
    while socket.read_exact(&mut byte).is_ok() {
        frame.push(byte[0]);
        if !frame.ends_with(b"\x1c\r") {
            continue;
        }
        let message = frame[1..frame.len() - 2].to_vec();
        frame.clear();
        let text = String::from_utf8_lossy(&message).into_owned();
        let control = text.split('|').nth(9).unwrap_or_default();
        let code = if control == refused { "AR" } else { "AA" };
        let ack = format!(
            "\x0bMSH|^~\\&|EHR|E|LAB|L|20260101||ACK|{control}|P|2.5\rMSA|{code}|{control}\r\x1c\r"
        );
        let _ = socket.write_all(ack.as_bytes());
        let _ = hand_over.send(message);
    }
}

/// An observation of one patient.
pub(super) fn result(control: &str) -> String {
    format!(
        "MSH|^~\\&|CHEM|LAB|||20260101120000||ORU^R01|{control}|P|2.5\r\
         PID|1||4711^^^LAB^MR||MUSTERFRAU^ERIKA||19640812|F\r\
         OBR|1||ACC-1|GLU\r\
         OBX|1|NM|GLU||5.4|mmol/L\r"
    )
}
