//! A lab, an edge beside two devices, and a line between them that can be cut.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use labward_hl7::mllp::{Decoder, Event, encode};
use labward_hl7::parse_ack;
use memchr::memmem;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Bound, Installation, Numbered, Outcome, dial, eventually, program, run};

/// Any sender and type.
pub(super) const ADMIT_ALL: [&str; 10] = [
    "--application",
    "*",
    "--facility",
    "*",
    "--type",
    "*",
    "--processing",
    "*",
    "--astm-sender",
    "*",
];

/// A port that is free now.
pub(super) fn free_port() -> SocketAddr {
    Bound::new().address()
}

/// A lab with a link for edges at this address, and a door to enrol at.
pub(super) fn lab(link: SocketAddr) -> Installation {
    lab_with(link, "")
}

fn lab_with(link: SocketAddr, more: &str) -> Installation {
    let lab = Installation::create(&format!(
        "[[link]]\nname = \"edges\"\nlisten = \"{link}\"\nframing = \"edge\"\n{more}"
    ));
    lab.configure("[enrolment]\n", "[enrolment]\nlisten = \"127.0.0.1:0\"\n");
    lab
}

pub(super) struct Bench {
    pub(super) lab: Installation,
    pub(super) folder: PathBuf,
    /// The lines of `edge.toml` that say where the server is.
    server: String,
    devices: [SocketAddr; 2],
}

/// A running edge; killed when dropped.
pub(super) struct Edge {
    child: Child,
}

impl Bench {
    /// A lab, and an edge that reaches it through a relay.
    pub(super) fn new() -> (Self, Relay) {
        Self::with("")
    }

    /// The same, with this configuration of the lab behind the link for edges.
    pub(super) fn with(more: &str) -> (Self, Relay) {
        let link = free_port();
        let relay = Relay::to(link);
        let server = format!("server = \"localhost:{}\"\n", relay.address.port());
        (Self::of(lab_with(link, more), server), relay)
    }

    /// A lab with a link for edges at this address, and how the edge is told where it is.
    pub(super) fn reached(link: SocketAddr, server: String) -> Self {
        Self::of(lab(link), server)
    }

    fn of(lab: Installation, server: String) -> Self {
        Self {
            folder: lab.beside("edge"),
            lab,
            server,
            devices: [free_port(), free_port()],
        }
    }

    /// The address of the device of this client.
    pub(super) fn device(&self, client: u32) -> SocketAddr {
        self.devices[usize::try_from(client - 1).unwrap()]
    }

    /// A code for this name, and where it is shown.
    pub(super) fn code(&self, name: &str) -> (String, String) {
        code(&self.lab, name)
    }

    /// Enrols the edge and names its devices.
    pub(super) fn enrol(&mut self) {
        let (code, door) = self.code("bench-1");
        enrol(&self.folder, &code, &door).ok();
        let [first, second] = self.devices;
        self.configure(&format!(
            "[[device]]\nname = \"hema-1\"\nlisten = \"{first}\"\n\
             [[device]]\nname = \"hema-2\"\nlisten = \"{second}\"\n"
        ));
    }

    /// Writes the edge's configuration: where the server is, and these devices.
    pub(super) fn configure(&self, devices: &str) {
        let text = format!(
            "version = 1\n{}{devices}\
             [uplink]\nreconnect_max_seconds = 1\nheartbeat_seconds = 1\ncheckpoint_seconds = 1\n\
             [queue]\nmin_free_mib = 1\n",
            self.server
        );
        fs::write(self.folder.join("edge.toml"), text).unwrap();
    }

    pub(super) fn start(&self) -> Edge {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.lab.beside("edge.log"))
            .unwrap();
        let child = edge_command(&self.folder, &["run"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Edge { child }
    }

    /// What the edge says of itself.
    pub(super) fn status(&self) -> Value {
        run(&mut edge_command(&self.folder, &["status", "--json"]), b"").json()
    }

    /// What the server says of the edge.
    pub(super) fn shown(&self) -> Value {
        let peers = self.lab.run(&["--json", "peer", "list"]);
        if peers.code != Some(0) {
            return Value::Null;
        }
        let peers = peers.json();
        let mut peers = peers.as_array().unwrap().iter();
        let edge = peers.find(|peer| peer["name"] == "bench-1");
        edge.map_or(Value::Null, |peer| peer["edge"].clone())
    }

    pub(super) fn wait_connected(&self) {
        eventually("the edge to be connected", || {
            (self.shown()["state"] == "connected" && self.shown()["seen"].is_string()).then_some(())
        });
    }

    /// The last item that the server took.
    pub(super) fn taken(&self) -> u64 {
        self.shown()["taken"].as_u64().unwrap_or(0)
    }

    /// Both sides know that everything up to item `last` was taken: what was said before does not
    /// count, since it may be older than the last message.
    pub(super) fn wait_for_taken(&self, last: u64) {
        eventually("the last item to be taken", || {
            let (shown, status) = (self.shown(), self.status());
            let is_empty = shown["waiting"] == 0 && status["waiting"] == 0;
            (is_empty && shown["taken"] == last && status["sent"] == last).then_some(())
        });
    }

    /// No byte of the edge's folder says who a patient is or what was measured.
    pub(super) fn nothing_is_legible(&self) {
        // Each so long that megabytes of sealed bytes do not hold it by chance.
        let words: [&[u8]; 5] = [
            b"MSH|^~\\&",
            b"^^^LAB^MR",
            b"DOE^PAT ",
            b"19700101",
            b"6690-2^WBC",
        ];
        for file in files(&self.folder) {
            let bytes = fs::read(&file).unwrap_or_default();
            for word in words {
                let found = memmem::find(&bytes, word);
                assert_eq!(found, None, "{word:?} in {}", file.display());
            }
        }
    }

    /// Flips one bit of the sealed bytes of an item in the edge's database, which must be closed.
    pub(super) fn flip_in_item(&self, number: u64) {
        let path = self.folder.join("db/edge.sqlite");
        let mut bytes = fs::read(&path).unwrap();
        let name = format!("\"record\":{number},");
        let leaf = memmem::find(&bytes, name.as_bytes()).expect("the entry of the item");
        // The sealed bytes stand behind the leaf, in the same row.
        let end = memmem::find(&bytes[leaf..], b"}}").expect("the end of the leaf");
        bytes[leaf + end + 2 + 100] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
}

impl Edge {
    /// SIGKILL: nothing is finished, nothing is said.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; panics unless it ends in order.
    pub(super) fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let status = eventually("the edge to stop", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program on an edge's folder.
pub(super) fn edge_command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .env_clear()
        .arg("--data")
        .arg(folder)
        .arg("edge")
        .args(words);
    command
}

/// Enrols an edge in `folder`.
pub(super) fn enrol(folder: &Path, code: &str, door: &str) -> Outcome {
    let words = ["enroll", "-", "--server", door];
    run(&mut edge_command(folder, &words), code.as_bytes())
}

/// A code for this name, and where it is shown.
pub(super) fn code(lab: &Installation, name: &str) -> (String, String) {
    let words = ["peer", "enroll", name].into_iter().chain(ADMIT_ALL);
    let made = lab.json(&words.collect::<Vec<_>>());
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    (text("code"), text("server"))
}

/// A device without TLS.
pub(super) struct Device {
    stream: TcpStream,
    decoder: Decoder,
}

impl Device {
    pub(super) fn connect(address: SocketAddr) -> Self {
        Self {
            stream: eventually("the device's port", || dial(address).ok()),
            decoder: Decoder::new(1 << 20),
        }
    }

    /// Sends one message, which must be accepted.
    #[track_caller]
    pub(super) fn exchange(&mut self, message: Numbered) {
        self.send(&message.message());
        self.accepted(&message.control_id());
    }

    /// Sends one message and does not wait for its answer.
    pub(super) fn send(&mut self, message: &[u8]) {
        self.stream.write_all(&encode(message)).unwrap();
    }

    /// Waits for the answer to the message with this control id, which must have been accepted.
    #[track_caller]
    pub(super) fn accepted(&mut self, control_id: &str) {
        let mut buffer = [0; 4_096];
        loop {
            if let Some(Event::Frame(frame)) = self.decoder.next_event() {
                let ack = parse_ack(&frame).unwrap();
                let id = String::from_utf8_lossy(ack.acknowledged_id);
                assert_eq!((ack.code.as_str(), &*id), ("AA", control_id));
                return;
            }
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the edge closed");
            self.decoder.feed(&buffer[..count]);
        }
    }
}

/// A line that can be cut: what runs over it breaks, and nothing new comes through.
pub(super) struct Relay {
    pub(super) address: SocketAddr,
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            is_cut: Arc::default(),
            open: Arc::default(),
        };
        let (is_cut, open) = (Arc::clone(&relay.is_cut), Arc::clone(&relay.open));
        thread::spawn(move || {
            for near in listener.incoming() {
                let Ok(near) = near else { return };
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                // The server may be down.
                if let Ok(far) = TcpStream::connect(target) {
                    let mut open = open.lock().unwrap();
                    for (from, to) in [(&near, &far), (&far, &near)] {
                        let (mut from, mut to) =
                            (from.try_clone().unwrap(), to.try_clone().unwrap());
                        open.push(from.try_clone().unwrap());
                        thread::spawn(move || {
                            let _ = io::copy(&mut from, &mut to);
                            let _ = to.shutdown(Shutdown::Both);
                        });
                    }
                }
            }
        });
        relay
    }

    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Copies a folder with all that is in it.
pub(super) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_folder(&path, &target),
            false => {
                fs::copy(&path, &target).unwrap();
            }
        }
    }
}
