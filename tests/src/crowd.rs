//! Thousands that connect and say nothing, and one that never stops talking: memory is bounded, the
//! ledger does not grow, and a good peer is served meanwhile.

use std::fs;
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::support::{Client, Installation, Numbered, dial, eventually, from_environment};

const SILENT: usize = 10_000;
const HANDSHAKE: u64 = 12;
/// What the server may take for all of them: 25 KiB each.
const SILENT_MAX_KIB: u64 = 250 * 1024;
/// Files that a process needs besides connections.
const OTHER_FILES: usize = 200;

/// How large the frame is; `LABWARD_FRAME_MIB=1024` makes it the GiB.
const FRAME_MIB: usize = 128;
const FRAME_MAX_KIB: u64 = 48 * 1024;

fn send(client: &mut Client, number: u32) -> &'static str {
    let message = Numbered {
        client: 1,
        patient: 1,
        number,
    };
    let answer = client.exchange(&message.message(), &message.control_id());
    answer.unwrap()
}

fn peer_is_served(address: SocketAddr, config: &Arc<ClientConfig>, number: u32) -> Duration {
    let start = Instant::now();
    let mut client = Client::connect(address, config).unwrap();
    assert_eq!(send(&mut client, number), "AA");
    start.elapsed()
}

/// How many files this process and those that it starts may open, raised as far as it may.
fn raise_limit_of_files() -> usize {
    let own = std::process::id().to_string();
    let prlimit = |words: &[&str]| {
        let output = Command::new("prlimit")
            .args(["--pid", &own])
            .args(words)
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let hard = prlimit(&["--nofile", "--noheadings", "--raw", "--output", "HARD"]);
    prlimit(&[&format!("--nofile={}:", hard.trim())]);
    hard.trim().parse().unwrap_or(1_024)
}

/// Bytes of the database with its log.
fn database_bytes(lab: &Installation) -> u64 {
    let size = |name: &str| fs::metadata(lab.data().join("db").join(name)).map_or(0, |f| f.len());
    size("labward.sqlite") + size("labward.sqlite-wal")
}

#[test]
fn ten_thousand_silent_connections_keep_no_peer_out_and_fill_neither_memory_nor_ledger() {
    let count = SILENT.min(raise_limit_of_files() - OTHER_FILES);
    if count < SILENT {
        eprintln!("only {count} connections: the limit of open files is too low for {SILENT}");
    }
    let lab = Installation::create(&format!(
        "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\nlimits = {{ handshake_seconds = \
         {HANDSHAKE}, max_connections = 20000, max_connections_per_address = 20000 }}\n"
    ));
    let server = lab.serve();
    let address = lab.address("hl7");
    let peer = lab.peer("xn550", "analyzer").client_config(true);
    peer_is_served(address, &peer, 1);
    let (memory, database) = (server.memory_kib(), database_bytes(&lab));
    let silent: Vec<TcpStream> = (0..count).map(|_| dial(address).unwrap()).collect();
    let served = peer_is_served(address, &peer, 2);
    let grown = server.memory_kib().saturating_sub(memory);
    eprintln!("{count} silent connections: {grown} KiB more, a peer served in {served:?}");
    assert!(
        grown < SILENT_MAX_KIB,
        "{grown} KiB for {count} connections"
    );
    for mut stream in silent {
        // Cut off, each after its own time for the handshake; it may be told why.
        if let Err(error) = stream.read(&mut [0; 64]) {
            assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "it is still open");
        }
    }
    peer_is_served(address, &peer, 3);
    server.stop();
    let server = lab.serve();
    let page = lab.json(&["ledger", "list", "--limit", "1000"]);
    let counts: Vec<u64> = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"] == "stranger.refused")
        .map(|entry| entry["facts"]["count"].as_u64().unwrap())
        .collect();
    let counted: u64 = counts.iter().sum();
    assert_eq!(counted, u64::try_from(count).unwrap());
    assert!(
        counts.len() <= 5,
        "one source, one entry a minute: {counts:?}"
    );
    let grown = database_bytes(&lab).saturating_sub(database);
    assert!(
        grown < 1 << 20,
        "{grown} bytes for connections that said nothing"
    );
    server.stop();
}

#[test]
fn a_frame_without_end_is_refused_in_bounded_memory_and_the_next_message_taken() {
    let lab = Installation::create(
        "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n\
         limits = { frame_seconds = 600, max_message_bytes = 1048576 }\n",
    );
    let server = lab.serve();
    let peer = lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.address("hl7"), &peer).unwrap();
    assert_eq!(send(&mut client, 1), "AA");
    let (before, database) = (server.memory_kib(), database_bytes(&lab));
    let mebibytes = from_environment("LABWARD_FRAME_MIB", FRAME_MIB);
    let part = vec![b'x'; 1 << 20];
    client
        .write(b"\x0bMSH|^~\\&|XN550|HEMA|LIS|LAB|2026||ORU^R01|HUGE|P|2.5.1\rOBX|1|ED|")
        .unwrap();
    let mut most = 0;
    for _ in 0..mebibytes {
        client.write(&part).unwrap();
        most = most.max(server.memory_kib());
    }
    client.write(b"\r\x1c\r").unwrap();
    let (code, id) = client.ack().unwrap();
    assert_ne!(code, "AA");
    assert_eq!(id, "HUGE");
    let grown = most.saturating_sub(before);
    eprintln!("a frame of {mebibytes} MiB: {grown} KiB more");
    assert!(
        grown < FRAME_MAX_KIB,
        "{grown} KiB for a frame that is refused"
    );
    assert_eq!(send(&mut client, 2), "AA", "the connection goes on");
    let grown = database_bytes(&lab).saturating_sub(database);
    assert!(grown < 4 << 20, "{grown} bytes kept of it");
    eventually("the refusal in the status", || {
        let status = lab.json(&["status"]);
        let link = &status["links"][0];
        (link["refused"].as_u64() > Some(0) || link["held"].as_u64() > Some(0)).then_some(())
    });
    server.stop();
}
