//! Reminders through real mail servers, over TLS, that take them, refuse them, hang or vanish; by a clock
//! that the tests move.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use labward_api::ledger::Entries;
use labward_api::mail::{MailStatus, TestedMail};
use labward_api::status::Check;
use labward_base::Clock as _;
use labward_identity::Authority;
use labward_os::{Stopwatch, SystemClock};
use labward_testkit::{FakeClock, TempDir};
use mail_parser::MessageParser;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::bad_days::{IMPORT, advisory};
use super::testbench::{Installation, get, post, request, until};
use crate::app::App;
use crate::config::Config;

const DAY: Duration = Duration::from_secs(86_400);
const PASSWORD: &str = "correct horse battery";

/// What the mail server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Takes,
    /// Repeats what it was told when it refuses the sign-in.
    RefusesSignIn,
    RefusesRecipient,
    /// Ends when it has the mail, without a word.
    Vanishes,
    /// Says one byte a second and never ends a line.
    Trickles,
    /// Says more than anybody wants to hear, in one line.
    Floods,
    /// Offers no TLS.
    OffersNoTls,
}

/// A mail server on loopback, certified for `localhost` by an authority of its own.
struct Post {
    place: TempDir,
    address: SocketAddr,
    how: Arc<Mutex<How>>,
    taken: Arc<Mutex<Vec<Vec<u8>>>>,
    tls: &'static str,
}

impl Post {
    fn open(tls: &'static str) -> Self {
        let place = TempDir::new();
        let now = SystemClock.now();
        let made = Authority::create("Post", now).unwrap();
        let names = ["localhost".to_owned()];
        let issued = made.authority.issue_server(&names, now, 30).unwrap();
        fs::write(place.join("ca.pem"), made.authority.certificate_pem()).unwrap();
        let password = place.join("password");
        fs::write(&password, format!("{PASSWORD}\n")).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        let chain = CertificateDer::pem_slice_iter(issued.bundle.cert_pem.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(issued.bundle.key_pem.expose().as_bytes());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key.unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let post = Self {
            place,
            address: listener.local_addr().unwrap(),
            how: Arc::new(Mutex::new(How::Takes)),
            taken: Arc::default(),
            tls,
        };
        let (how, taken, config) = (post.how.clone(), post.taken.clone(), Arc::new(config));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (how, taken, config) = (*how.lock().unwrap(), taken.clone(), config.clone());
                std::thread::spawn(move || serve(stream.unwrap(), tls, how, &config, &taken));
            }
        });
        post
    }

    fn does(&self, how: How) {
        *self.how.lock().unwrap() = how;
    }

    fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    /// Subject and text of the mail with this number, once it is there.
    fn mail(&self, number: usize) -> (String, String) {
        let bytes = until("a mail", || self.taken.lock().unwrap().get(number).cloned());
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let header = |name: &str| mail.header_raw(name).unwrap().trim().to_owned();
        assert_eq!(header("Auto-Submitted"), "auto-generated");
        assert!(header("To").contains("m@lab.example"));
        assert_eq!(mail.attachment_count(), 0);
        let text = mail.body_text(0).unwrap().into_owned();
        (mail.subject().unwrap().to_owned(), text)
    }

    fn config(&self, trusted: bool, more: &str) -> String {
        let at = |name: &str| self.place.join(name).display().to_string();
        let ca = match trusted {
            true => format!("ca_file = {:?}\n", at("ca.pem")),
            false => String::new(),
        };
        format!(
            "version = 1\n[site]\nname = \"Labor Ñ\"\n[mail]\nserver = \"localhost\"\nport = {}\n\
             tls = \"{}\"\n{ca}user = \"labward\"\npassword_file = {:?}\n\
             from = \"Labward <labward@lab.example>\"\ntimeout_seconds = 5\n[[mail_recipient]]\n\
             name = \"manager\"\naddress = \"m@lab.example\"\nhour = 0\nwithin_days = 90\ndays = \
             [\"monday\", \"tuesday\", \"wednesday\", \"thursday\", \"friday\", \"saturday\", \"sunday\"]\n\
             {more}\n",
            self.address.port(),
            self.tls,
            at("password"),
        )
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn serve(
    tcp: TcpStream,
    tls: &str,
    how: How,
    config: &Arc<ServerConfig>,
    taken: &Mutex<Vec<Vec<u8>>>,
) {
    let secure = |tcp: TcpStream| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        StreamOwned::new(connection, tcp)
    };
    if tls == "implicit" {
        let mut stream = secure(tcp);
        say(&mut stream, "220 post ready");
        speak(&mut stream, how, true, taken);
        stream.conn.send_close_notify();
        let _ = stream.flush();
        return;
    }
    let mut tcp = tcp;
    match how {
        How::Trickles => {
            while tcp.write_all(b"2").is_ok() {
                std::thread::park_timeout(Duration::from_secs(1));
            }
            return;
        }
        How::Floods => {
            while tcp.write_all(&[b'2'; 65_536]).is_ok() {}
            return;
        }
        _ => say(&mut tcp, "220 post ready"),
    }
    if speak(&mut tcp, how, false, taken) {
        // What a man in the middle could put in front of the encrypted answers.
        tcp.write_all(b"220 go on\r\n250 AUTH PLAIN\r\n").unwrap();
        speak(&mut secure(tcp), how, true, taken);
    }
}

fn say(stream: &mut dyn Stream, line: &str) {
    let _ = stream.write_all(format!("{line}\r\n").as_bytes());
    let _ = stream.flush();
}

fn line(stream: &mut dyn Stream) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    Some(String::from_utf8(bytes).unwrap().trim_end().to_owned())
}

/// The dialogue; whether TLS comes next.
fn speak(stream: &mut dyn Stream, how: How, is_tls: bool, taken: &Mutex<Vec<Vec<u8>>>) -> bool {
    while let Some(said) = line(stream) {
        let verb = said.split([' ', ':']).next().unwrap().to_ascii_uppercase();
        assert!(
            is_tls || ["EHLO", "STARTTLS", "QUIT"].contains(&verb.as_str()),
            "{verb} in clear"
        );
        match verb.as_str() {
            "EHLO" if is_tls => say(stream, "250-post\r\n250 AUTH PLAIN LOGIN"),
            "EHLO" if how == How::OffersNoTls => say(stream, "250-post\r\n250 AUTH PLAIN"),
            "EHLO" => say(stream, "250-post\r\n250 STARTTLS"),
            "STARTTLS" => return true,
            "AUTH" if how == How::RefusesSignIn => {
                say(stream, &format!("535 5.7.8 no: {said} {PASSWORD}"));
            }
            "AUTH" => {
                use base64::Engine as _;
                let sent = said.rsplit(' ').next().unwrap();
                let sent = base64::engine::general_purpose::STANDARD
                    .decode(sent)
                    .unwrap();
                assert_eq!(sent, format!("\0labward\0{PASSWORD}").as_bytes());
                say(stream, "235 welcome");
            }
            "RCPT" if how == How::RefusesRecipient => {
                say(stream, "550 5.1.1 no such mailbox here");
            }
            "DATA" => {
                say(stream, "354 go on");
                let mut mail = Vec::new();
                loop {
                    let Some(said) = line(stream) else {
                        return false;
                    };
                    if said == "." {
                        break;
                    }
                    mail.extend_from_slice(said.strip_prefix('.').unwrap_or(&said).as_bytes());
                    mail.extend_from_slice(b"\r\n");
                }
                taken.lock().unwrap().push(mail);
                if how == How::Vanishes {
                    return false;
                }
                say(stream, "250 taken");
            }
            "QUIT" => {
                say(stream, "221 bye");
                return false;
            }
            _ => say(stream, "250 well"),
        }
    }
    false
}

fn lab(config: &str) -> (Installation, FakeClock) {
    let installation = Installation::new(Config::parse(config).unwrap());
    (installation, FakeClock::new(SystemClock.now()))
}

fn status(app: &App) -> MailStatus {
    let all: Vec<MailStatus> = get(app, "mail");
    all.into_iter().next().unwrap()
}

fn reminders(app: &App) -> Vec<Value> {
    let page: Entries = get(app, "ledger/entries?limit=1000");
    let entries = page.entries.into_iter();
    entries
        .filter(|entry| entry["action"] == "reminder.sent")
        .collect()
}

fn finds(app: &App, code: &str) -> bool {
    let check: Check = get(app, "check");
    check.findings.iter().any(|finding| finding.code == code)
}

fn test_mail(app: &App) -> TestedMail {
    post(app, "mail/manager/test", &json!({}))
}

fn settled(app: &App, sent: usize) {
    until("a reminder that is recorded", || {
        (reminders(app).len() == sent && status(app).day.is_some()).then_some(())
    });
}

#[test]
fn one_mail_a_day_says_what_is_due_and_a_restart_sends_none_twice() {
    let post_office = Post::open("starttls");
    let (installation, clock) = lab(&post_office.config(true, "language = \"es\""));
    let app = installation.start_at(&clock);
    let values = json!({ "name": "Secuenciador ñ", "manufacturer": "Illumina", "model": "MiSeqDx",
        "version": "4.0.1" });
    let _: Value = post(&app, "devices", &json!({ "values": values }));
    assert_eq!(
        request(&app, "POST", IMPORT, advisory(1).as_bytes()).status,
        200
    );
    settled(&app, 1);
    let (subject, text) = post_office.mail(0);
    assert!(subject.starts_with("Labward, Labor Ñ: "), "{subject}");
    assert!(subject.contains("hallazgos"), "{subject}");
    assert!(text.contains("check.no-backup"), "{text}");
    app.shutdown().unwrap();

    let app = installation.start_at(&clock);
    assert!(test_mail(&app).taken);
    assert_eq!(
        post_office.count(),
        2,
        "the reminder of the day and the test"
    );
    clock.advance(DAY);
    settled(&app, 2);
    let (subject, text) = post_office.mail(2);
    assert!(text.contains("Secuenciador ñ: CVE-"), "{text}");
    assert!(text.contains("vence el 20"), "{text}");
    assert!(subject.contains("hallazgos"), "{subject}");
    app.shutdown().unwrap();
    let app = installation.start_at(&clock);
    assert!(test_mail(&app).taken);
    assert_eq!(post_office.count(), 4);
    assert_eq!(reminders(&app).len(), 2);
    app.shutdown().unwrap();
}

#[test]
fn a_server_that_refuses_is_a_finding_after_an_hour_and_forgotten_once_it_takes_one() {
    let post_office = Post::open("implicit");
    post_office.does(How::RefusesSignIn);
    let (installation, clock) = lab(&post_office.config(true, ""));
    let app = installation.start_at(&clock);
    let failing = until("a failure", || {
        let status = status(&app);
        (status.failing_since.is_some()).then_some(status)
    });
    let why = failing.last_error.unwrap();
    assert!(
        why.contains("refused the sign-in: it answered 535"),
        "{why}"
    );
    assert!(!why.contains("horse"), "{why}");
    let tested = test_mail(&app);
    assert_eq!(tested.stage.as_deref(), Some("sign-in"));
    assert!(!tested.error.unwrap().contains("horse"));
    assert!(!finds(&app, "check.reminders-failing"));
    clock.advance(Duration::from_secs(7_200));
    assert!(finds(&app, "check.reminders-failing"));
    assert_eq!(reminders(&app).len(), 1, "a row of failures is one entry");
    assert_eq!(reminders(&app)[0]["outcome"], "failed:mail.not-sent");

    post_office.does(How::RefusesRecipient);
    let tested = test_mail(&app);
    assert_eq!(tested.stage.as_deref(), Some("recipient"));
    assert!(tested.error.unwrap().contains("no such mailbox here"));
    assert_eq!(post_office.count(), 0);
    post_office.does(How::Takes);
    assert!(test_mail(&app).taken);
    until("the reminder", || (post_office.count() == 2).then_some(()));
    until("the end of the finding", || {
        (!finds(&app, "check.reminders-failing")).then_some(())
    });
    assert_eq!(reminders(&app).len(), 2);
    app.shutdown().unwrap();
}

#[test]
fn a_mail_of_which_nobody_knows_is_not_sent_again_that_day() {
    let post_office = Post::open("implicit");
    post_office.does(How::Vanishes);
    let (installation, clock) = lab(&post_office.config(true, ""));
    let app = installation.start_at(&clock);
    settled(&app, 1);
    assert_eq!(reminders(&app)[0]["outcome"], "failed:mail.uncertain");
    app.shutdown().unwrap();
    post_office.does(How::Takes);
    let app = installation.start_at(&clock);
    clock.advance(Duration::from_secs(1));
    assert!(test_mail(&app).taken);
    assert_eq!(post_office.count(), 2);
    clock.advance(DAY);
    settled(&app, 2);
    let (_, text) = post_office.mail(2);
    assert!(text.contains("check.no-backup"), "it is told again: {text}");
    app.shutdown().unwrap();
}

#[test]
fn a_wrong_certificate_no_tls_and_endless_answers_end_the_attempt_and_never_hold_the_stop() {
    let post_office = Post::open("starttls");
    let (installation, clock) = lab(&post_office.config(false, "what = [\"due\"]"));
    let app = installation.start_at(&clock);
    let tested = test_mail(&app);
    assert_eq!(tested.stage.as_deref(), Some("tls"), "{tested:?}");
    assert!(tested.error.unwrap().contains("certificate"));
    app.shutdown().unwrap();

    let config = Config::parse(&post_office.config(true, "")).unwrap();
    let installation = installation.with(config);
    post_office.does(How::OffersNoTls);
    let app = installation.start_at(&clock);
    let tested = test_mail(&app);
    assert!(tested.error.unwrap().contains("does not offer STARTTLS"));
    post_office.does(How::Floods);
    let tested = test_mail(&app);
    assert!(tested.error.unwrap().contains("it says too much"));
    post_office.does(How::Trickles);
    let tested = test_mail(&app);
    assert!(tested.error.unwrap().contains("no answer in time"));
    assert!(tested.duration_ms < 10_000);
    // The next reminder hangs on the trickle when the server stops.
    clock.advance(DAY);
    let watch = Stopwatch::start();
    app.shutdown().unwrap();
    assert!(
        watch.elapsed() < Duration::from_secs(4),
        "{:?}",
        watch.elapsed()
    );
    assert_eq!(post_office.count(), 0);
}
