//! Listening on an interface: what is heard is what a capture of the same traffic holds, and whoever
//! listens has no right left.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use labward_base::Timestamp;
use labward_hl7::{Ack, AckCode, Message, mllp, to_cr};
use labward_testkit::{TempDir, test_data};
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustix::process::{Pid, Signal, getuid, kill_process};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::Value;

use crate::support::{Outcome, as_account, eventually, program, run};

/// Names the program to whoever runs a test in a network of its own.
const INSIDE: &str = "LABWARD_TEST_INSIDE";
const SERVER: [u8; 4] = [127, 0, 0, 9];
/// As whom: an ordinary account with every right in a network of its own; root of it alone; root.
const ORDINARY: &[&str] = &[
    "--user",
    "--net",
    "--map-user=1000",
    "--map-group=1000",
    "--keep-caps",
];
const ROOT_OF_IT: &[&str] = &["--user", "--net", "--map-root-user"];
pub(crate) const ROOT: &[&str] = &["--net"];
const LAST: &[u8] = b"the last datagram";

/// The program, if this process has a network of its own; otherwise the test `name` is run again in one
/// that `unshare` makes, and answered for.
pub(crate) fn inside(name: &str, how: &[&str]) -> Option<PathBuf> {
    if let Some(program) = std::env::var_os(INSIDE) {
        tool("ip", &["link", "set", "lo", "up"]).ok();
        return Some(program.into());
    }
    let can = Command::new("unshare").args(how).arg("true").output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("labward-skip: {name}: unshare {how:?} is not permitted");
        return None;
    }
    let mut again = Command::new("unshare");
    again.args(how).arg(std::env::current_exe().unwrap());
    again.args(["--exact", "--nocapture", name]);
    let outcome = run(again.env(INSIDE, program()), b"");
    // What was skipped there is skipped here.
    eprint!("{}", outcome.err);
    assert!(outcome.ok().contains("1 passed"));
    None
}

pub(crate) fn tool(name: &str, words: &[&str]) -> Outcome {
    run(tool_command(name).args(words), b"")
}

fn tool_command(name: &str) -> Command {
    let mut command = Command::new(name);
    // Debian leaves these folders out of the path of people.
    command.env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

/// How many packet sockets hear everything in this network.
pub(crate) fn listeners() -> usize {
    let table = fs::read_to_string("/proc/net/packet").unwrap();
    let every = |line: &&str| line.split_whitespace().nth(3) == Some("0003");
    table.lines().filter(every).count()
}

pub(crate) fn interrupt(child: &mut Child) {
    let pid = Pid::from_child(child);
    kill_process(pid, Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}");
}

/// A connection from this address of the machine to a port of [`SERVER`].
fn dial(client: u8, port: u16) -> TcpStream {
    let stream = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let own = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, client), 0);
    bind(&stream, &own).unwrap();
    connect(&stream, &SocketAddrV4::new(SERVER.into(), port)).unwrap();
    TcpStream::from(stream)
}

/// One connection: the client says this, the server answers, and both close.
fn exchange(client: u8, port: u16, said: &[u8], answer: &[u8]) {
    let listener = TcpListener::bind((Ipv4Addr::from(SERVER), port)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = vec![0; said.len()];
            stream.read_exact(&mut heard).unwrap();
            assert_eq!(heard, said);
            stream.write_all(answer).unwrap();
        });
        let mut stream = dial(client, port);
        stream.write_all(said).unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, answer);
    });
}

/// The first flight of TLS of a client that asks for this name.
fn hello(name: &str) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

/// A message of a lab, an analyzer's results, a hello of TLS, a page, two datagrams.
fn make_traffic(hl7: &[u8], astm: &[u8]) {
    let message = to_cr(hl7);
    let parsed = Message::parse(&message).unwrap();
    let ack = Ack::new(&parsed.header(), AckCode::Aa, "1", "20260101").to_vec();
    exchange(2, 6661, &mllp::encode(&message), &mllp::encode(&ack));
    exchange(2, 6661, &mllp::encode(&message), &mllp::encode(&ack));
    exchange(3, 4000, &[b"\x05", astm, b"\x04"].concat(), b"\x06\x06");
    exchange(4, 9443, &hello("lis.lab.example"), b"");
    let page = b"GET /index.html HTTP/1.1\r\nHost: lab\r\n\r\n";
    exchange(
        5,
        8080,
        page,
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    );
    let datagrams = UdpSocket::bind("127.0.0.5:0").unwrap();
    for (port, text) in [(514, &b"<13>lab: hello"[..]), (9_999, LAST)] {
        let to = (Ipv4Addr::from(SERVER), port);
        datagrams.send_to(text, to).unwrap();
    }
}

#[test]
fn what_is_heard_is_what_a_capture_of_the_same_traffic_holds() {
    let name = "listen::what_is_heard_is_what_a_capture_of_the_same_traffic_holds";
    let Some(data) = test_data(name) else { return };
    if tool_command("tcpdump").arg("--version").output().is_err() {
        eprintln!("labward-skip: {name}: tcpdump is not installed");
        return;
    }
    let Some(program) = inside(name, ORDINARY) else {
        return;
    };
    let read = |file: &str| fs::read(data.join(file)).unwrap();
    let folder = TempDir::new();
    let (heard, capture) = hear(&program, &folder, || {
        make_traffic(
            &read("hl7/014-valid_hl7.hl7"),
            &read("astm/sysmex_xn550.txt"),
        );
    });
    let live: Value = serde_json::from_str(&heard).unwrap();
    compare(&program, &capture, &live);
    says_who_speaks(&live);
    says_nothing_of_the_patient(&heard, &read("hl7/014-valid_hl7.hl7"));
    let opened = tshark_agrees(name, &capture, &live);
    assert!(opened.is_none_or(|opened| opened == 4));
}

#[test]
fn the_demo_is_heard_as_tshark_reads_it() {
    let name = "listen::the_demo_is_heard_as_tshark_reads_it";
    if tool_command("tcpdump").arg("--version").output().is_err() {
        eprintln!("labward-skip: {name}: tcpdump is not installed");
        return;
    }
    let Some(program) = inside(name, ORDINARY) else {
        return;
    };
    let folder = TempDir::new();
    let (heard, capture) = hear(&program, &folder, || {
        let demo = ["demo", "--once", "--messages", "20"];
        run(Command::new(&program).args(demo), b"").ok();
        let last = UdpSocket::bind("127.0.0.5:0").unwrap();
        last.send_to(LAST, (Ipv4Addr::from(SERVER), 9_999)).unwrap();
    });
    let live: Value = serde_json::from_str(&heard).unwrap();
    compare(&program, &capture, &live);
    // The links of the demo and its provider: TLS but for the one that is plain on this machine.
    let opened = tshark_agrees(name, &capture, &live);
    assert!(opened.is_none_or(|opened| opened >= 4), "{opened:?}");
    assert!(ports(&live, "TLS").len() >= 3, "{live}");
    if let Some(hellos) = tshark(name, &capture, "tls.handshake.type == 1", "tcp.dstport") {
        assert_eq!(ports(&live, "TLS"), hellos);
    }
}

/// The ports at which servers were heard to speak this protocol.
fn ports(live: &Value, protocol: &str) -> BTreeSet<String> {
    let all = live["conversations"].as_array().unwrap().iter();
    let spoken = all.filter(|one| one["protocol"] == protocol);
    spoken.map(|one| one["port"].to_string()).collect()
}

/// What the program heard, and the capture that tcpdump made, while `happens` ran to the last datagram.
fn hear(program: &Path, folder: &TempDir, happens: impl FnOnce()) -> (String, PathBuf) {
    let (heard, capture) = (folder.join("heard.json"), folder.join("lab.pcap"));
    let mut live = Command::new(program)
        .args(["--json", "device", "listen", "--interface", "lo"])
        .stdout(File::create(&heard).unwrap())
        .spawn()
        .unwrap();
    let mut record = tool_command("tcpdump")
        .args(["-i", "lo", "-U", "-w"])
        .arg(&capture)
        .spawn()
        .unwrap();
    eventually("two listeners", || (listeners() == 2).then_some(()));
    happens();
    eventually("the last datagram in the capture", || {
        let bytes = fs::read(&capture).unwrap();
        memchr::memmem::find(&bytes, LAST)
    });
    interrupt(&mut record);
    interrupt(&mut live);
    (fs::read_to_string(heard).unwrap(), capture)
}

/// The capture says the same; the kernel gives each listener a time of its own, some microseconds apart.
fn compare(program: &Path, capture: &Path, live: &Value) {
    let words = ["--json", "device", "read-capture"];
    let mut read = run(Command::new(program).args(words).arg(capture), b"").json();
    let mut live = live.clone();
    assert_eq!(live["dropped"], 0);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    take_times(&mut live, &mut ours);
    take_times(&mut read, &mut theirs);
    for part in ["frames", "bytes", "devices", "conversations", "remarks"] {
        assert_eq!(live[part], read[part], "{part}");
    }
    assert!(ours.len() > 4 && ours.len() == theirs.len());
    for (one, other) in ours.into_iter().zip(theirs) {
        let apart = one.since(other).max(other.since(one));
        assert!(apart < Duration::from_secs(1), "{one} {other}");
    }
}

/// Takes every time out of what was printed, in order.
fn take_times(value: &mut Value, times: &mut Vec<Timestamp>) {
    match value {
        Value::Object(members) => {
            for name in ["seen", "first", "last"] {
                let time = members.remove(name);
                let time = time.as_ref().and_then(Value::as_str);
                times.extend(time.and_then(Timestamp::parse_rfc3339));
            }
            members.values_mut().for_each(|one| take_times(one, times));
        }
        Value::Array(all) => all.iter_mut().for_each(|one| take_times(one, times)),
        _ => {}
    }
}

fn says_who_speaks(live: &Value) {
    let all = live["conversations"].as_array().unwrap();
    let said: Vec<String> = all
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
            let last = |name: &str| text(name).split_off("127.0.0.".len());
            let known = one["recognised"].as_bool().unwrap();
            let (client, server) = (last("client"), last("server"));
            let (port, protocol) = (&one["port"], text("protocol"));
            format!(
                "{client}>{server}:{port} {protocol} {known} {}",
                text("roles")
            )
        })
        .collect();
    for expected in [
        "2>9:6661 HL7 v2 true stated",
        "3>9:4000 ASTM true stated",
        "4>9:9443 TLS true stated",
        "5>9:8080 HTTP false stated",
        "5>9:514 syslog false likely",
        "5>9:9999 - false hint",
    ] {
        assert!(
            said.iter().any(|one| one == expected),
            "{expected}: {said:?}"
        );
    }
    let devices = live["devices"].as_array().unwrap();
    let known = |ip: &str, attribute: &str| {
        let device = devices.iter().find(|one| one["ips"][0] == ip).unwrap();
        let all = device["known"].as_array().unwrap();
        let one = all.iter().find(|one| one["attribute"] == attribute);
        one.unwrap()["value"].clone()
    };
    assert_eq!(known("127.0.0.2", "application"), "MEDITECH");
    assert_eq!(known("127.0.0.3", "model"), "XN-550");
    assert_eq!(known("127.0.0.3", "serial_number"), "22723");
}

/// No component of PID of some length stands in what was printed.
fn says_nothing_of_the_patient(heard: &str, hl7: &[u8]) {
    let message = to_cr(hl7);
    let message = Message::parse(&message).unwrap();
    let patient = message.segments().find(|one| one.id() == b"PID").unwrap();
    let mut compared = 0;
    for number in [3, 5, 7, 11, 13] {
        let field = String::from_utf8_lossy(patient.field(number).raw()).into_owned();
        for value in field.split(['^', '&', '~']).filter(|one| one.len() > 4) {
            // The assigning authority is the sender itself.
            if !value.starts_with("2.16.840") && !value.contains("MEDITECH") && value != "COCAA" {
                assert!(!heard.contains(value), "{value}");
                compared += 1;
            }
        }
    }
    assert!(compared > 3);
}

/// An independent reader sees the same streams: clients, servers and ports of what was opened. How many.
fn tshark_agrees(name: &str, capture: &Path, live: &Value) -> Option<usize> {
    let opened = "tcp.flags.syn == 1 and tcp.flags.ack == 0";
    let theirs = tshark(name, capture, opened, "ip.src ip.dst tcp.dstport")?;
    let all = live["conversations"].as_array().unwrap();
    let ours = all.iter().filter(|one| one["carrier"] == "tcp");
    let ours: BTreeSet<String> = ours
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap();
            format!("{}\t{}\t{}", text("client"), text("server"), one["port"])
        })
        .collect();
    assert_eq!(ours, theirs);
    Some(ours.len())
}

/// What tshark reads in these fields of the frames that pass the filter.
fn tshark(name: &str, capture: &Path, filter: &str, fields: &str) -> Option<BTreeSet<String>> {
    if tool_command("tshark").arg("--version").output().is_err() {
        eprintln!("labward-skip: {name}: tshark is not installed");
        return None;
    }
    let mut tshark = tool_command("tshark");
    tshark
        .arg("-r")
        .arg(capture)
        .args(["-Y", filter, "-T", "fields"]);
    for field in fields.split(' ') {
        tshark.args(["-e", field]);
    }
    Some(
        run(&mut tshark, b"")
            .ok()
            .lines()
            .map(str::to_owned)
            .collect(),
    )
}

/// Starts to listen, looks at what the kernel says of the process, and ends it.
fn rights_of_a_listener(program: &Path) -> impl Fn(&str) -> String {
    let mut live = Command::new(program)
        .args(["device", "listen", "--interface", "lo"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let path = format!("/proc/{}/status", live.id());
    let status = eventually("the rights to be given up", || {
        let status = fs::read_to_string(&path).unwrap();
        status.contains("NoNewPrivs:\t1").then_some(status)
    });
    assert_eq!(listeners(), 1);
    interrupt(&mut live);
    move |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim_start_matches(':').trim().to_owned()
    }
}

#[test]
fn root_that_listens_is_nobody_and_may_nothing() {
    let Some(program) = inside("listen::root_that_listens_is_nobody_and_may_nothing", ROOT) else {
        return;
    };
    let right = rights_of_a_listener(&program);
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(right(set), "0".repeat(16), "{set}");
    }
    assert_eq!(right("Uid"), ["65534"; 4].join("\t"));
    assert_eq!(right("Gid"), ["65534"; 4].join("\t"));
    assert_eq!(right("Groups"), "");
}

#[test]
fn in_a_user_namespace_without_other_accounts_no_capability_is_left() {
    let name = "listen::in_a_user_namespace_without_other_accounts_no_capability_is_left";
    let Some(program) = inside(name, ROOT_OF_IT) else {
        return;
    };
    let right = rights_of_a_listener(&program);
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(right(set), "0".repeat(16), "{set}");
    }
    // An interface that is not there is named beside those that are; a time ends by itself.
    let listen = |words: &[&str]| {
        run(
            Command::new(&program)
                .args(["device", "listen"])
                .args(words),
            b"",
        )
    };
    let none = listen(&["--interface", "eth7"]).fails(66, "listen.interface");
    assert!(none.err.contains("eth7; there are: lo"), "{}", none.err);
    let ended = listen(&["--interface", "lo", "--for", "1s"]);
    assert!(ended.err.contains("listening on lo"));
    assert!(ended.ok().contains("dropped by the kernel: 0"));
}

#[test]
fn who_may_not_listen_is_told_what_to_type() {
    if !getuid().is_root() {
        // Then this account is the one that may not.
        return denied(Command::new(program()));
    }
    match as_account(65_534, program()) {
        Some(command) => denied(command),
        None => eprintln!(
            "labward-skip: who_may_not_listen_is_told_what_to_type: setpriv to another account \
            needs root"
        ),
    }
}

fn denied(mut command: Command) {
    command.args(["device", "listen", "--interface", "lo"]);
    let said = run(&mut command, b"").fails(77, "listen.denied").err;
    assert!(said.contains("setcap cap_net_raw=ep"), "{said}");
}
