//! `labward mail-filter` under a real Postfix: what is clean arrives byte for byte, malware as a notice, and without the server
//! nothing is taken. Who answers for the server here looks at each mail with `labward scan`. This binary is the program when its first word is one of its commands. Skipped without Postfix or root.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test without the usual harness starts programs, waits for them and says itself what it did"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Parser as _;
use labward_cli::Arguments;
use labward_os::Stopwatch;
use labward_testkit::{Postfix, TempDir, carrier};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The number that what is malicious gets in quarantine.
const ITEM: u64 = 4_711;

fn main() -> ExitCode {
    if std::env::args()
        .nth(1)
        .is_some_and(|word| !word.starts_with("--") || word.starts_with("--data"))
    {
        let arguments = Arguments::parse();
        return labward_cli::run(&arguments, &arguments.command);
    }
    deliveries();
    ExitCode::SUCCESS
}

/// This program.
fn program() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear();
    command
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(watch.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|at| at == what).unwrap()
}

/// Answers `malware/inspect` at the socket of a data folder by what `labward scan` finds.
fn answer_as_server(data: &Path) {
    let socket = data.join("run/admin.sock");
    fs::create_dir_all(data.join("run")).unwrap();
    let listener = UnixListener::bind(socket).unwrap();
    let file = data.join("mail.eml");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            fs::write(&file, content(&mut reader)).unwrap();
            let mut scan = program();
            let words = ["scan", "--json", "--all", "--as=mail"];
            let scanned = run(scan.args(words).arg(&file));
            let found: Value = serde_json::from_slice(&scanned.stdout).unwrap();
            let verdict = &found["files"][0]["verdict"];
            let mut answer = json!({"verdict": verdict, "findings": [], "sha256": "", "rules": ""});
            if verdict == "malicious" {
                answer["item"] = ITEM.into();
            }
            let body = answer.to_string();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            reader
                .get_mut()
                .write_all((head + &body).as_bytes())
                .unwrap();
        }
    });
}

/// The part `content` of a form.
fn content(reader: &mut BufReader<UnixStream>) -> Vec<u8> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let low = head.to_ascii_lowercase();
    let length = low.split_once("content-length: ").unwrap().1;
    let length = length.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mark = b"Content-Type: application/octet-stream\r\n\r\n";
    let content = &body[find(&body, mark) + mark.len()..];
    content[..find(content, b"\r\n--labward")].to_vec()
}

/// The filter; ended by a signal, as a service is.
struct Filter(Child);

impl Filter {
    fn start(data: &Path, socket: &Path) -> Self {
        let mut command = program();
        command.arg("--data").arg(data).arg("mail-filter");
        command.arg(format!("--listen=unix:{}", socket.display()));
        let child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let filter = Self(child);
        eventually("the filter's socket", || socket.exists().then_some(()));
        filter
    }

    fn end(mut self) {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::TERM).unwrap();
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const HEAD: &str = "From: a@partner.example\r\nTo: b@lab.example\r\nDate: Sat, 28 Nov 2026 07:00:00 +0000\r\n\
                    Message-ID: <1@partner.example>\r\nSubject:  folded\r\n one\r\n\ttwo\r\n";
const CLEAN: &str = "\r\nDear colleague\r\n.dot\r\n  blanks  \r\n\r\n\r\n";

/// The mail from its own first header on, as it lies in a mailbox.
fn own(delivered: &str) -> String {
    let start = delivered
        .find("From: a@partner")
        .expect("the mail's own headers");
    delivered[start..].replace('\n', "\r\n")
}

/// Postfix delivers what is clean untouched, a notice for malware, and nothing unseen.
fn deliveries() {
    let Some(postfix) = Postfix::filtered() else {
        eprintln!("labward-skip: mail_filter: it needs Postfix and root");
        return;
    };
    let data = TempDir::new();
    let deliver = |mail: &str| {
        let said = postfix.send(mail);
        assert!(said.starts_with("250 "), "{said}");
        own(&eventually("a delivered mail", || postfix.delivered()))
    };
    let clean = format!("{HEAD}{CLEAN}");

    // Without the filter Postfix takes nothing, and without the server the filter lets it take nothing.
    assert!(postfix.send(&clean).starts_with("451 "));
    let milter = postfix.milter();
    let filter = Filter::start(data.path(), &milter);
    let later = postfix.send(&clean);
    assert!(
        later.starts_with("451 4.7.1 This mail cannot be looked at"),
        "{later}"
    );

    answer_as_server(data.path());
    assert_eq!(deliver(&clean), clean);
    let lied = format!("{HEAD}x-labward-scan: clean\r\n{CLEAN}");
    assert_eq!(deliver(&lied), clean, "what a stranger claims is gone");

    let zip = carrier::zip("result.txt", &carrier::eicar());
    let infected = format!(
        "{HEAD}X-Payload: kept by nobody\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=xyz\r\n\r\n--xyz\r\n\
         Content-Type: application/zip; name=result.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--xyz--\r\n",
        STANDARD.encode(zip)
    );
    let notice = deliver(&infected);
    assert!(notice.starts_with(HEAD), "{notice}");
    let (headers, body) = notice.split_once("\r\n\r\n").unwrap();
    assert!(headers.contains(&format!("X-Labward-Scan: malicious (quarantine {ITEM})")));
    assert!(headers.contains("Content-Type: text/plain; charset=utf-8"));
    assert_eq!(headers.matches("Content-Type").count(), 1, "{headers}");
    assert!(!headers.contains("X-Payload"), "{headers}");
    assert!(body.contains(&format!("number {ITEM}.")), "{body}");
    assert!(!body.contains("xyz"), "{body}");

    filter.end();
    assert!(!milter.exists(), "who starts it next finds no socket");
    assert_eq!(postfix.delivered(), None, "nothing else was delivered");
}
