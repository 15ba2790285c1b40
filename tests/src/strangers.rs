//! Strangers and dirt at a listener: each is refused in bounded time, counted together, and hinders
//! nobody.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use labward_base::Clock as _;
use labward_identity::{Authority, PeerKind};
use labward_os::SystemClock;
use rustls::ClientConfig;

use crate::support::{Client, Identity, Installation, Numbered, dial};

const HANDSHAKE: Duration = Duration::from_secs(3);
/// How much later than its limit a slow machine may act.
const SLACK: Duration = Duration::from_secs(12);
const IDLE: usize = 200;

fn lab() -> Installation {
    Installation::create(&format!(
        "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n\
         limits = {{ handshake_seconds = {}, max_connections_per_address = 1024 }}\n",
        HANDSHAKE.as_secs()
    ))
}

/// How long it takes until the other side has closed; what it said before does not matter.
fn until_closed(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let mut buffer = [0; 512];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return start.elapsed(),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                panic!("the connection hangs")
            }
            Err(_) => return start.elapsed(),
        }
    }
}

/// What a peer sends is acknowledged.
fn peer_is_served(address: SocketAddr, config: &Arc<ClientConfig>, number: u32) {
    let message = Numbered {
        client: 1,
        patient: 1,
        number,
    };
    let mut client = Client::connect(address, config).unwrap();
    let code = client.exchange(&message.message(), &message.control_id());
    assert_eq!(code.unwrap(), "AA");
}

/// The refusals that the ledger counts, and in how many entries.
fn refusals(lab: &Installation) -> (usize, u64) {
    let page = lab.json(&["ledger", "list", "--limit", "1000"]);
    let entries = page["entries"].as_array().unwrap().iter();
    let counts: Vec<u64> = entries
        .filter(|entry| entry["action"] == "stranger.refused")
        .map(|entry| entry["facts"]["count"].as_u64().unwrap())
        .collect();
    (counts.len(), counts.iter().sum())
}

#[test]
fn strangers_and_dirt_are_refused_in_time_counted_together_and_hinder_nobody() {
    let lab = lab();
    let server = lab.serve();
    let address = lab.address("hl7");
    let peer = lab.peer("xn550", "analyzer");
    let known = peer.client_config(true);
    let mut refused = 0;

    let nameless = peer.client_config(false);
    let stranger = peer.shown_as(&foreign()).client_config(true);
    for config in [nameless, stranger] {
        for _ in 0..5 {
            let answer = Client::connect(address, &config).and_then(|mut client| {
                client.send(b"MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\r")?;
                client.ack()
            });
            assert!(answer.is_err(), "a stranger was answered: {answer:?}");
            refused += 1;
        }
    }
    for dirt in [
        &b"\x0bMSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\r\x1c\r"[..],
        b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n",
        &[0xff; 4096],
        b"\x16\x03\x01\xff\xff",
    ] {
        let mut stream = dial(address).unwrap();
        // It may be refused while it is still written.
        let _ = stream.write_all(dirt);
        assert!(until_closed(&mut stream) < HANDSHAKE + SLACK);
        refused += 1;
    }
    peer_is_served(address, &known, 1);

    let mut idle: Vec<TcpStream> = (0..IDLE).map(|_| dial(address).unwrap()).collect();
    peer_is_served(address, &known, 2);
    let status = lab.json(&["status"]);
    assert_eq!(status["links"][0]["accepted"], 2, "{status}");
    for stream in &mut idle {
        assert!(until_closed(stream) < HANDSHAKE + SLACK);
        refused += 1;
    }
    peer_is_served(address, &known, 3);
    let messages = lab.json(&["message", "list"]);
    assert_eq!(messages.as_array().unwrap().len(), 3, "{messages}");

    // What is still being gathered is written when the server stops.
    server.stop();
    let server = lab.serve();
    let (entries, counted) = refusals(&lab);
    assert_eq!(counted, refused);
    // One source, gathered a minute at a time.
    assert!((1..=3).contains(&entries), "{entries} entries");
    assert!(!lab.log().contains("panicked"), "{}", lab.log());
    server.stop();
}

/// A certificate of an authority that this lab does not know.
fn foreign() -> Identity {
    let now = SystemClock.now();
    let authority = Authority::create("Elsewhere", now).unwrap().authority;
    let issued = authority.issue_peer("xn550", PeerKind::Analyzer, now, 30);
    Identity::from_pem(issued.unwrap().bundle.to_pem().expose().as_bytes())
}
