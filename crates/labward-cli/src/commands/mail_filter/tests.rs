//! The filter between a mail server of the test's own and a server that answers as `malware/inspect` does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use clap::Parser as _;
use labward_api::malware::{InspectAbout, Inspected};
use labward_milter::{Actions, Command, Decoder, Options, Steps};
use labward_testkit::TempDir;
use serde_json::{Value, json};

use super::*;
use crate::args::Arguments;

/// A request as the server got it: what is said of the mail, and the mail.
type Asked = (InspectAbout, Vec<u8>);

/// Labward's server at its socket: answers each request with the next status and body, and shows what was asked.
fn server(data: &TempDir, answers: Vec<(u16, Value)>) -> Receiver<Asked> {
    std::fs::create_dir_all(data.join("run")).unwrap();
    let listener = UnixListener::bind(data.join("run/admin.sock")).unwrap();
    let (show, shown) = channel();
    thread::spawn(move || {
        for (status, answer) in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            show.send(asked(&mut reader)).unwrap();
            let body = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} S\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let mut stream = reader.into_inner();
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    shown
}

fn asked(reader: &mut BufReader<UnixStream>) -> Asked {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    assert!(
        head.starts_with("POST /api/v1/malware/inspect HTTP/1.1\r\n"),
        "{head}"
    );
    let value = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(of, _)| of.eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("no {name} in {head}")).1
    };
    let mut body = vec![0; value("content-length").parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let boundary = value("content-type").split_once("boundary=").unwrap().1;
    let mut parts = split(&body, format!("--{boundary}\r\n").as_bytes());
    assert_eq!(parts.len(), 3, "nothing and two parts");
    let content = parts.pop().unwrap();
    let end = format!("\r\n--{boundary}--\r\n");
    let content = content.strip_suffix(end.as_bytes()).unwrap();
    let about = parts.pop().unwrap().strip_suffix(b"\r\n").unwrap();
    let text = |part: &[u8]| split(part, b"\r\n\r\n").remove(0).to_vec();
    let of = |part: &[u8]| String::from_utf8(text(part)).unwrap();
    assert!(of(about).contains("name=\"about\""));
    assert!(of(content).contains("name=\"content\""));
    let (about_at, content_at) = (text(about).len() + 4, text(content).len() + 4);
    let about = serde_json::from_slice(&about[about_at..]).unwrap();
    (about, content[content_at..].to_vec())
}

fn split<'a>(bytes: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at + by.len() <= bytes.len() {
        if bytes[at..].starts_with(by) {
            parts.push(&bytes[start..at]);
            at += by.len();
            start = at;
        } else {
            at += 1;
        }
    }
    parts.push(&bytes[start..]);
    parts
}

fn filter(data: &TempDir, words: &[&str]) -> Arc<Filter> {
    let line = ["labward", "mail-filter", "--listen=inet:127.0.0.1:1"];
    let parsed = Arguments::try_parse_from(line.iter().chain(words)).unwrap();
    let crate::args::Command::MailFilter(arguments) = parsed.command else {
        panic!("another command");
    };
    Arc::new(Filter::new(data.path(), false, &arguments).unwrap())
}

/// A mail server's end of a line.
struct Mta {
    stream: UnixStream,
    decoder: Decoder,
    served: JoinHandle<()>,
}

impl Mta {
    fn connect(filter: &Arc<Filter>) -> Self {
        let (stream, other) = UnixStream::pair().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let filter = Arc::clone(filter);
        let mut mta = Self {
            stream,
            decoder: Decoder::default(),
            served: thread::spawn(move || filter.serve(Stream::Unix(other))),
        };
        let options = Options {
            version: 6,
            actions: Actions(0x1ff),
            steps: Steps(0x1f_ffff),
        };
        mta.say(&[Command::Negotiate(options)]);
        assert!(matches!(mta.next(), Some(Reply::Negotiate(_))));
        mta
    }

    fn say(&mut self, commands: &[Command]) {
        let mut bytes = Vec::new();
        commands
            .iter()
            .for_each(|command| command.encode(&mut bytes));
        self.stream.write_all(&bytes).unwrap();
    }

    /// The next answer; none if the line ended.
    fn next(&mut self) -> Option<Reply> {
        loop {
            if let Some(packet) = self.decoder.next_packet().unwrap() {
                return Some(Reply::decode(packet).unwrap());
            }
            let mut piece = [0; 1_000];
            let count = self.stream.read(&mut piece).unwrap();
            if count == 0 {
                return None;
            }
            self.decoder.feed(&piece[..count]);
        }
    }

    /// A whole mail, and what is answered to it.
    fn send(&mut self, headers: &[(&str, &str)], body: &[u8]) -> Vec<Reply> {
        self.say(&begun(headers));
        let pieces = body
            .chunks(60_000)
            .map(|piece| Command::Body(piece.to_vec()));
        self.say(&pieces.collect::<Vec<_>>());
        self.say(&[Command::EndOfMessage(Vec::new())]);
        self.answer()
    }

    fn answer(&mut self) -> Vec<Reply> {
        let mut replies = Vec::new();
        while !matches!(
            replies.last(),
            Some(Reply::Continue | Reply::Discard | Reply::ReplyCode(_))
        ) {
            replies.push(self.next().expect("an answer"));
        }
        replies
    }
}

fn begun(headers: &[(&str, &str)]) -> Vec<Command> {
    let word = |text: &str| text.as_bytes().to_vec();
    let mut commands = vec![
        Command::Macros(b'M', vec![word("i"), word("4XyZ")]),
        Command::Mail(vec![word("<a@partner.example>"), word("SIZE=100")]),
        Command::Rcpt(vec![word("<b@lab.example>")]),
        Command::Rcpt(vec![word("<c@lab.example>")]),
    ];
    let headers = headers.iter();
    commands.extend(headers.map(|(name, value)| Command::Header(word(name), word(value))));
    commands.push(Command::EndOfHeaders);
    commands
}

fn verdict(verdict: &str, item: Option<u64>) -> (u16, Value) {
    let found = Inspected {
        verdict: verdict.to_owned(),
        item,
        ..Inspected::default()
    };
    (200, json!(found))
}

const HEADERS: &[(&str, &str)] = &[("From", " a@partner.example"), ("Subject", " R\n\tS")];

fn later(replies: &[Reply]) -> bool {
    matches!(replies, [Reply::ReplyCode(line)] if line.starts_with(b"451 4.7.1 "))
}

#[test]
fn the_server_is_shown_the_mail_as_it_came_and_a_clean_one_is_not_touched() {
    let data = TempDir::new();
    let shown = server(&data, vec![verdict("clean", None)]);
    let mut mta = Mta::connect(&filter(&data, &["--name=mx"]));
    let body: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    assert_eq!(mta.send(HEADERS, &body), [Reply::Continue]);
    let (about, content) = shown.recv().unwrap();
    assert_eq!((about.way.as_str(), about.place.as_str()), ("mail", "mx"));
    assert!(about.quarantine && !about.host.is_empty());
    assert_eq!(about.sender.as_deref(), Some("a@partner.example"));
    assert_eq!(about.recipients, ["b@lab.example", "c@lab.example"]);
    let head = b"From: a@partner.example\r\nSubject: R\r\n\tS\r\n\r\n";
    assert!(content == [&head[..], &body].concat());
    mta.say(&[Command::Quit]);
    assert_eq!(mta.next(), None);
    mta.served.join().unwrap();
}

#[test]
fn several_mails_on_one_line_each_have_their_own_answer() {
    let data = TempDir::new();
    let answers = vec![
        verdict("malicious", Some(7)),
        verdict("unscannable", None),
        verdict("scanner-error", None),
        verdict("malicious", None),
        (
            503,
            json!({"code": "server.busy", "what": "w", "todo": "t"}),
        ),
        (200, json!("no answer at all")),
        verdict("clean", None),
    ];
    let _shown = server(&data, answers);
    let mut mta = Mta::connect(&filter(&data, &[]));
    let mut send = || mta.send(HEADERS, b"body\r\n");
    let replaced = send();
    let body = replaced.iter().find_map(|reply| match reply {
        Reply::ReplaceBody(piece) => Some(String::from_utf8_lossy(piece)),
        _ => None,
    });
    assert!(body.unwrap().contains("number 7."), "{replaced:?}");
    assert_eq!(replaced.last(), Some(&Reply::Continue));
    let marked = Reply::AddHeader(b"X-Labward-Scan".to_vec(), b" unscannable".to_vec());
    assert_eq!(send(), [marked, Reply::Continue]);
    for what in ["an error", "nothing in quarantine", "busy", "nonsense"] {
        assert!(later(&send()), "{what}");
    }
    assert_eq!(send(), [Reply::Continue]);
}

#[test]
fn without_the_server_senders_are_asked_to_try_later_unless_the_lab_wishes_otherwise() {
    let data = TempDir::new();
    let mut mta = Mta::connect(&filter(&data, &[]));
    assert!(later(&mta.send(HEADERS, b"body")));
    let mut mta = Mta::connect(&filter(&data, &["--unwell=accept"]));
    let marked = Reply::AddHeader(b"X-Labward-Scan".to_vec(), b" not-scanned".to_vec());
    assert_eq!(mta.send(HEADERS, b"body"), [marked, Reply::Continue]);
}

#[test]
fn other_wishes_reject_or_discard() {
    for (wish, expect) in [("reject", 'y'), ("discard", 'd')] {
        let data = TempDir::new();
        let _shown = server(&data, vec![verdict("malicious", Some(1))]);
        let mut mta = Mta::connect(&filter(&data, &[&format!("--malicious={wish}")]));
        let replies = mta.send(HEADERS, b"body");
        let kinds: Vec<char> = replies
            .iter()
            .map(|reply| char::from(reply.kind()))
            .collect();
        assert_eq!(kinds, [expect]);
    }
}

#[test]
fn a_mail_that_is_too_large_passes_marked_and_is_shown_to_nobody() {
    let data = TempDir::new();
    let filter = filter(&data, &["--max-mib=1"]);
    let mut mta = Mta::connect(&filter);
    let replies = mta.send(HEADERS, &vec![b'a'; (1 << 20) + 1]);
    let mark = b" unscannable (too-large)".to_vec();
    assert_eq!(
        replies[0],
        Reply::AddHeader(b"X-Labward-Scan".to_vec(), mark)
    );
    assert_eq!(filter.memory.used(), 0);
}

#[test]
fn what_is_no_milter_and_who_falls_silent_within_a_mail_holds_nothing() {
    let data = TempDir::new();
    let filter = filter(&data, &[]);
    let mut mta = Mta::connect(&filter);
    mta.stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(mta.next(), None);
    mta.served.join().unwrap();

    let mut short = Arc::into_inner(filter).unwrap();
    let moment = Duration::from_millis(50);
    short.patience = Patience {
        content: moment,
        packet: moment,
        ..Patience::default()
    };
    let short = Arc::new(short);
    for broken_off in [&b"\0\0\x10\0B"[..], b""] {
        let mut mta = Mta::connect(&short);
        mta.say(&begun(HEADERS));
        mta.stream.write_all(broken_off).unwrap();
        assert_eq!(mta.next(), None);
        mta.served.join().unwrap();
        assert_eq!(short.memory.used(), 0);
    }
}

#[test]
fn a_wish_to_stop_waits_for_a_mail_that_has_begun_and_ends_lines_without_one() {
    let data = TempDir::new();
    let _shown = server(&data, vec![verdict("clean", None)]);
    let filter = filter(&data, &[]);
    let mut idle = Mta::connect(&filter);
    let mut busy = Mta::connect(&filter);
    busy.say(&begun(HEADERS));
    // What was said is taken before the wish is heard.
    while filter.memory.used() == 0 {
        thread::yield_now();
    }
    filter.stop.store(true, Ordering::SeqCst);
    assert_eq!(idle.next(), None);
    busy.say(&[Command::EndOfMessage(b"body".to_vec())]);
    assert_eq!(busy.answer(), [Reply::Continue]);
    assert_eq!(busy.next(), None);
}

#[test]
fn no_more_lines_are_served_than_may_be_and_the_others_wait() {
    let data = TempDir::new();
    let filter = filter(&data, &["--connections=1"]);
    let socket = data.join("mail.sock");
    let listener = Listener::Unix(bind(&socket).unwrap());
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, SOCKET_MODE);
    assert!(bind(&socket).is_err(), "somebody listens there");
    let taker = Arc::clone(&filter);
    thread::spawn(move || taker.take_lines(&listener));
    let negotiate = |stream: &mut UnixStream| {
        let mut bytes = Vec::new();
        let options = Options {
            version: 6,
            actions: Actions(0x1ff),
            steps: Steps(0),
        };
        Command::Negotiate(options).encode(&mut bytes);
        stream.write_all(&bytes).unwrap();
    };
    let mut first = UnixStream::connect(&socket).unwrap();
    negotiate(&mut first);
    first.read_exact(&mut [0; 17]).unwrap();
    let mut second = UnixStream::connect(&socket).unwrap();
    negotiate(&mut second);
    second
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(second.read(&mut [0]).is_err(), "it waits");
    drop(first);
    second
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    second.read_exact(&mut [0; 17]).unwrap();
}
