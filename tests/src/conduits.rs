//! With whom devices talk: what is heard becomes conduits, what nobody expected an alert, until a person decides.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use serde_json::Value;

use crate::devices::entries;
use crate::listen::{ROOT, inside, interrupt, listeners, tool};
use crate::support::{Installation, eventually};

const WHY: [&str; 2] = ["--why", "a test"];
const ANALYZER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 7);
const LIS: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
/// An address of the public internet; here it is one of this network alone.
const FOREIGN: Ipv4Addr = Ipv4Addr::new(93, 184, 216, 34);

/// One connection of the analyzer, from its opening to its end.
fn exchange(server: Ipv4Addr, port: u16) {
    let body = b"1H|\\^&|||XN-550^00-24^22723\r\x03";
    let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let said = [&b"\x05\x02"[..], body, format!("{sum:02X}\r\n").as_bytes()].concat();
    let listener = TcpListener::bind((server, port)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = vec![0; said.len()];
            stream.read_exact(&mut heard).unwrap();
            stream.write_all(b"\x06").unwrap();
        });
        let stream = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&stream, &SocketAddrV4::new(ANALYZER, 0)).unwrap();
        connect(&stream, &SocketAddrV4::new(server, port)).unwrap();
        let mut stream = TcpStream::from(stream);
        stream.write_all(&said).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    });
}

fn listen(lab: &Installation, talk: impl FnOnce()) -> Value {
    let words = [
        "--json",
        "device",
        "listen",
        "--interface",
        "lo",
        "--report",
        "--for",
        "1h",
    ];
    let mut command = lab.command(&words);
    command.stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    eventually("the socket to hear", || (listeners() == 1).then_some(()));
    talk();
    interrupt(&mut child);
    let mut out = String::new();
    child.stdout.unwrap().read_to_string(&mut out).unwrap();
    serde_json::from_str(&out).unwrap()
}

#[test]
fn an_analyzer_that_talks_to_an_unknown_address_raises_the_alert() {
    let name = "conduits::an_analyzer_that_talks_to_an_unknown_address_raises_the_alert";
    if inside(name, ROOT).is_none() {
        return;
    }
    if tool("nft", &["--version"]).code != Some(0) {
        eprintln!("labward-skip: {name}: nft is not there");
        return;
    }
    for address in [ANALYZER, LIS, FOREIGN] {
        tool(
            "ip",
            &["addr", "add", &format!("{address}/32"), "dev", "lo"],
        )
        .ok();
    }
    let lab = Installation::create("");
    let server = lab.serve();
    lab.run(&["device", "add", "name=Analyzer", "ip=10.9.0.7"])
        .ok();
    listen(&lab, || exchange(LIS, 2575));
    let heard = lab.json(&["conduit", "list"]);
    let conduit = &heard["devices"][0]["conduits"][0];
    assert_eq!(
        [
            &conduit["direction"],
            &conduit["peer"],
            &conduit["service"],
            &conduit["decision"]
        ],
        ["outbound", "10.9.0.1", "tcp/2575", "learned"]
    );
    assert_eq!(heard["alerts"].as_array().unwrap().len(), 0);

    // What the analyzer says of itself is known of the device with its address, and no other is added.
    let device = lab.json(&["device", "list", "--find", "10.9.0.7"])["devices"].clone();
    let values = &device[0]["values"];
    assert_eq!(
        [
            &values["name"],
            &values["model"],
            &values["version"],
            &values["serial"]
        ],
        ["Analyzer", "XN-550", "00-24", "22723"],
        "{device}"
    );
    assert_eq!(device.as_array().unwrap().len(), 1);

    listen(&lab, || exchange(FOREIGN, 443));
    let heard = lab.json(&["conduit", "list"]);
    let alert = &heard["alerts"][0];
    assert_eq!(
        [&alert["name"], &alert["peer"], &alert["service"]],
        ["Analyzer", "93.184.216.34", "tcp/443"]
    );
    assert_eq!(alert["public"], true);
    assert!(lab.run(&["check"]).out.contains("check.new-destination"));
    // It is told once.
    listen(&lab, || exchange(FOREIGN, 443));
    assert_eq!(entries(&lab, "conduit.alerted"), 1);

    let decide = |what: &str, peer: &str, service: &str| {
        lab.run(&[&["conduit", what, "1", peer, service][..], &WHY].concat())
    };
    decide("refuse", "93.184.216.34", "tcp/443").ok();
    decide("approve", "10.9.0.1", "tcp/2575").ok();
    decide("approve", "10.9.0.2", "tcp/2575").fails(66, "conduit.unknown");
    let heard = lab.json(&["conduit", "list"]);
    assert_eq!(heard["alerts"].as_array().unwrap().len(), 0);

    // The plan is what the machine that forwards takes.
    lab.run(&[&["conduit", "mode", "1", "enforce"][..], &WHY].concat())
        .ok();
    let plan = lab.beside("plan.json");
    lab.run(&["conduit", "plan", plan.to_str().unwrap()]).ok();
    let rules = lab.run(&[
        "segment",
        "export",
        "--plan",
        plan.to_str().unwrap(),
        "--format",
        "nftables",
    ]);
    let rules = rules.ok();
    assert!(
        rules.contains("10.9.0.1") && rules.contains("2575"),
        "{rules}"
    );
    assert!(
        !rules.contains("93.184.216.34"),
        "what is refused is not allowed: {rules}"
    );
    // What the kernel holds is told to the server; the device is kept apart from then on, as long as it is told.
    let run = lab.beside("rules");
    let segment = |words: &[&str]| {
        let folder = ["segment", "--run-folder", run.to_str().unwrap()];
        lab.run(&[&folder[..], words].concat())
    };
    let plan = plan.to_str().unwrap();
    let guarded = || lab.json(&["conduit", "list"])["guarded"].clone();
    assert_eq!(guarded(), Value::Array(Vec::new()));
    segment(&["apply", "--plan", plan, "--without-trial"]).ok();
    segment(&["status", "--plan", plan, "--report"]).ok();
    assert_eq!(guarded(), serde_json::json!([1]));
    segment(&["status", "--plan", plan, "--report"]).ok();
    assert_eq!(entries(&lab, "segmentation.measured"), 1);
    tool("nft", &["flush", "ruleset"]).ok();
    segment(&["status", "--plan", plan, "--report"]).fails(73, "segmentation.not-live");
    assert_eq!(guarded(), Value::Array(Vec::new()));
    server.stop();
    let server = lab.serve();
    assert_eq!(
        lab.json(&["conduit", "list"])["devices"][0]["mode"],
        "enforce"
    );
    server.stop();
}
