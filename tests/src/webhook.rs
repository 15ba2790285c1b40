//! Webhooks: a receiver behind TLS that goes and comes back, a server that is killed in between, and
//! the example of the guide that verifies what came.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_testkit::TempDir;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::support::{Installation, Numbered, dial, eventually, run};

const LINK: &str = "[[link]]\nname = \"chem\"\nlisten = \"127.0.0.1:0\"\n";

/// A receiver that is certified by itself, for `localhost`.
struct Desk {
    place: TempDir,
    tls: Arc<ServerConfig>,
    address: SocketAddr,
    taken: Arc<Mutex<Vec<Taken>>>,
    running: Option<Running>,
}

struct Running {
    thread: JoinHandle<()>,
    stop: Arc<Mutex<bool>>,
}

/// One request that was answered with 204.
#[derive(Clone)]
struct Taken {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Taken {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap().1
    }

    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn entry(&self) -> u64 {
        self.event()["data"]["entry"].as_u64().unwrap()
    }
}

impl Desk {
    fn open() -> Self {
        let place = TempDir::new();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(place.join("ca.pem"), certified.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key.into())
            .unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut desk = Self {
            place,
            tls: Arc::new(tls),
            address: free.local_addr().unwrap(),
            taken: Arc::default(),
            running: None,
        };
        desk.serve(free);
        desk
    }

    fn serve(&mut self, listener: TcpListener) {
        let stop = Arc::new(Mutex::new(false));
        let (tls, taken, told) = (
            Arc::clone(&self.tls),
            Arc::clone(&self.taken),
            Arc::clone(&stop),
        );
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *told.lock().unwrap() {
                    return;
                }
                let connection = ServerConnection::new(Arc::clone(&tls)).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                let Some(one) = read(&mut stream) else {
                    continue;
                };
                taken.lock().unwrap().push(one);
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        self.running = Some(Running { thread, stop });
    }

    fn close(&mut self) {
        let Running { thread, stop } = self.running.take().unwrap();
        *stop.lock().unwrap() = true;
        drop(dial(self.address));
        thread.join().unwrap();
    }

    fn reopen(&mut self) {
        let listener = eventually("the port to be free", || {
            TcpListener::bind(self.address).ok()
        });
        self.serve(listener);
    }

    fn all(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// The keys of a webhook that leads here.
    fn config(&self, trusted: bool) -> String {
        let port = self.address.port();
        let ca = self.place.join("ca.pem");
        let ca_file = match trusted {
            true => format!("ca_file = {:?}\n", ca.display().to_string()),
            false => String::new(),
        };
        format!(
            "[[webhook]]\nname = \"desk\"\nurl = \"https://localhost:{port}/labward\"\n{ca_file}"
        )
    }

    fn until_told(&self, kind: &str) -> Vec<Taken> {
        eventually(kind, || {
            let all = self.all();
            all.iter()
                .any(|one| one.event()["type"] == kind)
                .then_some(all)
        })
    }
}

fn read(stream: &mut StreamOwned<ServerConnection, std::net::TcpStream>) -> Option<Taken> {
    let mut bytes = Vec::new();
    let mut byte = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let headers: Vec<(String, String)> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length")?;
    let mut body = vec![0; length.1.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Taken { headers, body })
}

/// The block of the guide that verifies a request.
fn example() -> String {
    let guide = include_str!("../../docs/guide/webhooks.md");
    let (_, rest) = guide.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// What the example says of each request, at this time: the event's id, or why it is refused.
fn verified(secret: &str, requests: &[Value]) -> Vec<String> {
    let place = TempDir::new();
    let driver = "
import json, sys
secret, requests = json.load(sys.stdin)
for one in requests:
    try:
        print(verify(secret, one['headers'], base64.b64decode(one['body']), one['now']))
    except ValueError as error:
        print('refused:', error)
";
    let program = place.join("verify.py");
    fs::write(&program, example() + driver).unwrap();
    let input = json!([secret, requests]).to_string();
    let out = run(Command::new("python3").arg(&program), input.as_bytes()).ok();
    out.lines().map(str::to_owned).collect()
}

/// A request as the example takes it, so many seconds after it was signed.
fn request(one: &Taken, seconds_later: i64) -> Value {
    let sent: i64 = one.header("webhook-timestamp").parse().unwrap();
    let headers: serde_json::Map<String, Value> = one
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    json!({ "headers": headers, "body": STANDARD.encode(&one.body), "now": sent + seconds_later })
}

fn secret(lab: &Installation) -> String {
    let made = lab.json(&["webhook", "secret", "desk", "--why", "set up"]);
    made["secret"].as_str().unwrap().to_owned()
}

fn add_peer(lab: &Installation, name: &str) {
    lab.peer(name, "analyzer");
}

fn state(lab: &Installation) -> String {
    let all = lab.json(&["webhook", "list"]);
    all[0]["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_receiver_that_was_down_is_told_everything_in_order_though_the_server_was_killed_meanwhile() {
    let mut desk = Desk::open();
    let lab = Installation::create(&desk.config(true));
    let server = lab.serve();
    secret(&lab);
    add_peer(&lab, "before");
    desk.until_told("peer.added");

    desk.close();
    for name in ["a", "b", "c"] {
        add_peer(&lab, name);
    }
    eventually("the webhook to fail", || {
        (state(&lab) == "failing").then_some(())
    });
    server.kill();
    let server = lab.serve();
    add_peer(&lab, "d");
    eventually("the webhook to fail again", || {
        let all = lab.json(&["webhook", "list"]);
        all[0]["next_attempt"].is_string().then_some(())
    });
    desk.reopen();
    lab.run(&["webhook", "resume", "desk", "--why", "it is up again"])
        .ok();
    let all = desk.until_told("webhook.resumed");
    server.stop();

    // Each once but for one that may have been in flight, and never behind a later one.
    let entries: Vec<u64> = all.iter().map(Taken::entry).collect();
    assert!(entries.is_sorted(), "{entries:?}");
    let added = |one: &&Taken| one.event()["type"] == "peer.added";
    let mut peers: Vec<Value> = all
        .iter()
        .filter(added)
        .map(|one| one.event()["data"]["subject"].clone())
        .collect();
    peers.dedup();
    assert_eq!(peers.len(), 5, "{peers:?}");
    let ids = all
        .iter()
        .map(|one| (one.entry(), one.header("webhook-id")));
    let mut ids: Vec<(u64, &str)> = ids.collect();
    ids.dedup();
    let mut entries = entries;
    entries.dedup();
    assert_eq!(ids.len(), entries.len(), "one id an event");
}

#[test]
fn the_example_of_the_guide_takes_what_was_signed_and_refuses_everything_else() {
    let desk = Desk::open();
    let lab = Installation::create(&desk.config(true));
    let server = lab.serve();
    let words = ["webhook", "test", "desk"];
    lab.run(&words).fails(73, "webhook.no-secret");
    let first = secret(&lab);
    lab.run(&words).ok();
    let all = desk.until_told("webhook.test");
    let test = |one: &&Taken| one.event()["type"] == "webhook.test";
    let one = all.iter().find(test).unwrap();
    let id = one.header("webhook-id").to_owned();
    let other = Taken {
        body: [&one.body[..], b" "].concat(),
        ..one.clone()
    };
    let mut renamed = one.clone();
    for (name, value) in &mut renamed.headers {
        if name == "webhook-id" {
            value.push('0');
        }
    }
    let asked = [
        request(one, 0),
        request(one, 299),
        request(one, 301),
        request(one, -301),
        request(&other, 0),
        request(&renamed, 0),
    ];
    let (late, unsigned) = (
        "refused: sent too long ago, or in the future",
        "refused: not signed with our secret",
    );
    let expect = [id.as_str(), &id, late, late, unsigned, unsigned];
    assert_eq!(verified(&first, &asked), expect);

    // Both secrets are good while one takes the place of the other.
    let second = secret(&lab);
    assert_eq!(verified(&second, &[request(one, 0)]), [unsigned]);
    add_peer(&lab, "during");
    let all = desk.until_told("peer.added");
    let added = |one: &&Taken| one.event()["type"] == "peer.added";
    let one = all.iter().find(added).unwrap();
    let id = [one.header("webhook-id")];
    assert_eq!(verified(&first, &[request(one, 0)]), id);
    assert_eq!(verified(&second, &[request(one, 0)]), id);
    let log = lab.log();
    assert!(!log.contains(&first) && !log.contains(&second), "{log}");
    server.stop();
}

#[test]
fn a_held_patient_is_told_as_held_and_by_nothing_that_leads_to_them() {
    let desk = Desk::open();
    let lab = Installation::create(&format!("{LINK}{}", desk.config(true)));
    let server = lab.serve();
    secret(&lab);
    let out = lab.beside("");
    let words = [
        "peer",
        "add",
        "narrow",
        "--kind",
        "analyzer",
        "--application",
        "XN550",
        "--facility",
        "OTHER",
        "--type",
        "ORU^R01",
        "--out",
    ];
    lab.run(&[&words[..], &[out.to_str().unwrap()]].concat())
        .ok();
    let message = Numbered {
        client: 7,
        patient: 4_711,
        number: 1,
    };
    let file = lab.beside("one.hl7");
    fs::write(&file, message.message()).unwrap();
    let (address, bundle) = (lab.address("chem").to_string(), lab.beside("narrow.pem"));
    let (file, bundle) = (file.to_str().unwrap(), bundle.to_str().unwrap());
    let words = [
        "send",
        file,
        "--to",
        &address,
        "--server-name",
        "localhost",
        "--cert",
        bundle,
    ];
    lab.run(&words).fails(73, "send.refused");
    let all = desk.until_told("message.held");
    let held = lab.json(&["message", "list", "--state", "held"]);
    let record = held[0]["record"].to_string();
    let of_hold = |one: &&Taken| one.event()["type"] == "message.held";
    let event = all.iter().find(of_hold).unwrap().event();
    assert_eq!(event["data"]["subject"], Value::Null);
    let mut said = String::new();
    for one in &all {
        said.push_str(&String::from_utf8_lossy(&one.body));
        said.push_str(&format!("{:?}", one.headers));
    }
    for hidden in [
        "DOE",
        "PAT 7",
        "C7P4711",
        "K7-4711-1",
        "patient:",
        "record:",
        "19700101",
    ] {
        assert!(!said.contains(hidden), "{hidden}: {said}");
    }
    assert!(!said.contains(&format!("\"{record}\"")));
    server.stop();
}

#[test]
fn a_receiver_that_no_known_authority_certifies_gets_nothing() {
    let desk = Desk::open();
    let lab = Installation::create(&desk.config(false));
    let server = lab.serve();
    secret(&lab);
    lab.run(&["webhook", "test", "desk"])
        .fails(69, "webhook.not-taken");
    let listed = eventually("the webhook to fail", || {
        let all = lab.json(&["webhook", "list"]);
        (all[0]["state"] == "failing").then_some(all)
    });
    let why = listed[0]["last_error"].as_str().unwrap();
    assert!(
        why.contains("certificate") || why.contains("authority"),
        "{why}"
    );
    assert!(desk.all().is_empty());

    // The same, once it is put in force that this authority is good; no restart, nothing lost.
    lab.configure(
        "[[webhook]]\nname = \"desk\"",
        "[[webhook]]\nname = \"desk\"\nca_file = CA",
    );
    let ca = format!("{:?}", desk.place.join("ca.pem").display().to_string());
    lab.configure("ca_file = CA", &format!("ca_file = {ca}"));
    lab.run(&["reload", "--why", "its authority is known"]).ok();
    lab.run(&["webhook", "resume", "desk", "--why", "at once"])
        .ok();
    let all = desk.until_told("webhook.secret-changed");
    assert_eq!(all[0].event()["type"], "webhook.secret-changed");
    server.stop();
}
