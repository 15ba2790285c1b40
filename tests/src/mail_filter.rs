//! The mail filter between a real Postfix and the real server: over the socket, and over TLS by a token that can do nothing
//! else. Skipped without Postfix or root.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_seal::sha256;
use labward_testkit::{Postfix, TempDir, carrier};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::console::Lab;
use crate::support::{Installation, Outcome, Server, eventually, program, run};

/// More than the server takes of one account at a time.
const CROWD: usize = 40;

const HEAD: &str = "From: a@partner.example\r\nTo: b@lab.example\r\nDate: Sat, 28 Nov 2026 07:00:00 +0000\r\n\
                    Message-ID: <1@partner.example>\r\nSubject:  folded\r\n one\r\n\ttwo\r\n";

/// The filter; killed when dropped.
struct Filter {
    child: Child,
    log: PathBuf,
}

impl Filter {
    /// Starts it for this Postfix with these words, and waits until it listens.
    fn start(postfix: &Postfix, place: &TempDir, words: &[&str]) -> Self {
        let socket = postfix.milter();
        let log = place.join("filter.log");
        let mut command = filter(words);
        command.arg(format!("--listen=unix:{}", socket.display()));
        command.stderr(File::create(&log).unwrap());
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        eventually("the filter to listen", || {
            let ended = child.try_wait().unwrap();
            assert_eq!(ended, None, "{}", fs::read_to_string(&log).unwrap());
            socket.exists().then_some(())
        });
        Self { child, log }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// As a service is ended.
    fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn filter(words: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.env_clear().arg("mail-filter").args(words);
    command
}

/// A mail with this in it, in lines as mails have them.
fn mail(kind: &str, name: &str, attached: &[u8]) -> String {
    let encoded = STANDARD.encode(attached);
    let lines: Vec<&str> = (0..encoded.len())
        .step_by(76)
        .map(|at| &encoded[at..encoded.len().min(at + 76)])
        .collect();
    format!(
        "{HEAD}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_x\"\r\nX-Own: \t kept \r\n\r\n\
         --=_x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear colleague\r\n.dot\r\n  blanks  \r\n\r\n--=_x\r\n\
         Content-Type: {kind}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--=_x--\r\n",
        lines.join("\r\n")
    )
}

fn clean() -> String {
    let pdf = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
                2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
                3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>\nendobj\n\
                4 0 obj\n<</Length 37>>\nstream\nBT /F1 12 Tf 72 720 Td (WBC 6.1) Tj ET\nendstream\nendobj\n\
                trailer\n<</Size 5/Root 1 0 R>>\n%%EOF\n";
    mail("application/pdf", "report.pdf", pdf)
}

fn infected() -> String {
    let zip = carrier::zip("result.txt", &carrier::eicar());
    mail("application/zip", "result.zip", &zip)
}

/// What is next in the mailbox, from its own first header on.
fn arrived(postfix: &Postfix) -> String {
    let mail = eventually("a mail in the mailbox", || postfix.delivered());
    let start = mail.find("From: a@partner").expect("its own headers");
    mail[start..].replace('\n', "\r\n")
}

fn deliver(postfix: &Postfix, filter: &Filter, mail: &str) -> String {
    let said = postfix.send(mail);
    assert!(said.starts_with("250 "), "{said}{}", filter.log());
    arrived(postfix)
}

/// Starts the server, and waits until it looks at mails.
fn serve(lab: &Installation) -> Server {
    let server = lab.serve();
    looks(lab);
    server
}

fn looks(lab: &Installation) {
    eventually("the scanner", || {
        (lab.json(&["malware", "status"])["state"] == "ready").then_some(())
    });
}

/// What was found in mails so far, the newest first.
fn detections(lab: &Installation) -> Vec<Value> {
    let page = lab.json(&["malware", "list", "--state", "all"]);
    let all = page.get("detections").unwrap_or(&page);
    all.as_array().unwrap().clone()
}

/// The item that the newest detection names, which must lie in quarantine as these bytes.
fn quarantined(lab: &Installation, mail: &str, treatment: &str) -> u64 {
    let all = detections(lab);
    let newest = all.first().expect("a detection");
    let of_it = [&newest["way"], &newest["verdict"], &newest["treatment"]];
    assert_eq!(of_it, ["mail", "malicious", treatment], "{newest}");
    let item = newest["item"].as_u64().expect("an item");
    let shown = lab.json(&["malware", "quarantine", "show", &item.to_string()]);
    let digest = sha256(mail.as_bytes()).map(|byte| format!("{byte:02x}"));
    assert_eq!(shown["sha256"], digest.concat(), "{shown}");
    item
}

fn is_whole(lab: &Installation) {
    let ledger = lab.json(&["ledger", "verify"]);
    assert_eq!(ledger["good"], true, "{ledger}");
}

fn two(name: &str) -> Option<(Postfix, Postfix)> {
    let both = Postfix::filtered().and_then(|lab| {
        let partner = Postfix::handing_on_to(&lab)?;
        Some((lab, partner))
    });
    if both.is_none() {
        eprintln!("labward-skip: {name}: it needs Postfix and root");
    }
    both
}

#[test]
fn mails_arrive_as_they_were_or_as_a_notice_and_none_is_lost_while_the_server_is_away() {
    let Some((postfix, partner)) = two("mail_filter") else {
        return;
    };
    let lab = Installation::create("");
    let server = serve(&lab);
    let place = TempDir::new();
    let data = format!("--data={}", lab.data().display());
    let start =
        |words: &[&str]| Filter::start(&postfix, &place, &[&[data.as_str()], words].concat());
    let running = start(&[]);

    let clean = clean();
    assert_eq!(deliver(&postfix, &running, &clean), clean);
    assert_eq!(detections(&lab), [] as [Value; 0]);
    let infected = infected();
    let notice = deliver(&postfix, &running, &infected);
    let item = quarantined(&lab, &infected, "replaced");
    assert!(notice.starts_with(HEAD), "{notice}");
    assert!(notice.contains(&format!(
        "X-Labward-Scan: malicious (quarantine {item})\r\n"
    )));
    assert!(notice.contains(&format!("number {item}.")), "{notice}");
    assert!(!notice.contains("result.zip") && !notice.contains("X-Own"));
    let names = "who sent it?";
    let item = item.to_string();
    let shown = [
        "malware",
        "quarantine",
        "show",
        &item,
        "--names",
        "--why",
        names,
    ];
    let shown = lab.json(&shown).to_string();
    assert!(
        shown.contains("a@partner.example") && shown.contains("b@lab.example"),
        "{shown}"
    );
    together(&postfix, &running, &clean);

    // Away: the sender keeps it, and tries again.
    server.stop();
    assert!(postfix.send(&clean).starts_with("451 4.7.1 "));
    assert!(partner.send(&clean).starts_with("250 "));
    eventually("the partner to keep it", || {
        (partner.deferred() > 0).then_some(())
    });
    assert_eq!(postfix.delivered(), None);
    let server = serve(&lab);
    partner.flush();
    assert_eq!(arrived(&postfix), clean);
    eventually("the partner to let it go", || {
        (partner.deferred() == 0).then_some(())
    });

    // What the lab may wish instead.
    running.end();
    let running = start(&["--malicious=reject", "--unwell=accept"]);
    let refused = postfix.send(&infected);
    assert!(
        refused.starts_with("550 5.7.1 ") && !refused.contains("EICAR"),
        "{refused}"
    );
    quarantined(&lab, &infected, "refused");
    is_whole(&lab);
    server.stop();
    let unseen = deliver(&postfix, &running, &clean);
    assert!(
        unseen.contains("X-Labward-Scan: not-scanned\r\n"),
        "{unseen}"
    );
    running.end();
    assert_eq!(postfix.delivered(), None, "nothing else was delivered");
}

/// Many at once are each taken, however few the server takes at a time.
fn together(postfix: &Postfix, filter: &Filter, mail: &str) {
    thread::scope(|scope| {
        for _ in 0..CROWD {
            scope.spawn(|| {
                let said = postfix.send(mail);
                assert!(said.starts_with("250 "), "{said}{}", filter.log());
            });
        }
    });
    for _ in 0..CROWD {
        assert_eq!(arrived(postfix), mail);
    }
}

/// What the filter needs of the server on another machine.
struct Far {
    url: String,
    authority: PathBuf,
    token: PathBuf,
}

impl Far {
    fn words(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        vec![
            // There is no installation on this machine.
            "--data=/nowhere".to_owned(),
            format!("--server={}", self.url),
            format!("--ca-file={}", path(&self.authority)),
            format!("--token-file={}", path(&self.token)),
        ]
    }

    fn write(&self, token: &str, mode: u32) {
        // A file that only its owner may read cannot be written again otherwise.
        let _ = fs::remove_file(&self.token);
        fs::write(&self.token, format!("{token}\n")).unwrap();
        fs::set_permissions(&self.token, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What `--check` says.
    fn check(&self) -> Outcome {
        let words = self.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = filter(&words);
        run(command.args(["--check", "--listen=inet:127.0.0.1:1"]), b"")
    }
}

#[test]
fn over_tls_a_token_of_one_scope_is_enough_and_without_it_mails_are_put_off() {
    let Some((postfix, partner)) = two("mail_filter_tls") else {
        return;
    };
    let lab = Lab::new();
    looks(&lab.lab);
    lab.add("ian", "it");
    let (token, number) = lab.token("ian", "malware.inspect");
    let place = TempDir::new();
    let far = Far {
        url: format!("https://localhost:{}", lab.address.port()),
        authority: lab.lab.data().join("tls/authority.pem"),
        token: place.join("token"),
    };

    far.write(&token, 0o644);
    far.check().fails(65, "cli.file");
    far.write("lbw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0o400);
    far.check().fails(77, "identity.token-refused");
    far.write(&token, 0o400);
    assert!(
        far.check()
            .ok()
            .contains("the server looks at mails: clean")
    );
    // Another authority, even one that signed a certificate of the same name.
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = Far {
        authority: place.join("other.pem"),
        url: far.url.clone(),
        token: far.token.clone(),
    };
    fs::write(&other.authority, stranger.cert.pem()).unwrap();
    other.check().fails(69, "server.not-running");

    let words = far.words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let running = Filter::start(&postfix, &place, &words);
    let (clean, infected) = (clean(), infected());
    assert_eq!(deliver(&postfix, &running, &clean), clean);
    let notice = deliver(&postfix, &running, &infected);
    let item = quarantined(&lab.lab, &infected, "replaced");
    assert!(notice.contains(&format!(
        "X-Labward-Scan: malicious (quarantine {item})\r\n"
    )));
    together(&postfix, &running, &clean);

    // The token ends: nothing passes unseen, the log says why, also of a mail that is refused before it was sent whole.
    lab.lab.run(&["token", "end", &number.to_string()]).ok();
    let large = mail("application/octet-stream", "x", &vec![b'x'; 5 << 20]);
    for mail in [&clean, &large] {
        let said = postfix.send(mail);
        assert!(said.starts_with("451 4.7.1 "), "{said}");
    }
    let log = running.log();
    let named = log.matches("found identity.token-refused").count();
    assert_eq!(named, 2, "{log}");
    assert!(
        !log.contains(&token) && !log.contains("partner.example"),
        "{log}"
    );
    assert!(partner.send(&clean).starts_with("250 "));
    eventually("the partner to keep it", || {
        (partner.deferred() > 0).then_some(())
    });
    running.end();
    let (token, _) = lab.token("ian", "malware.inspect");
    far.write(&token, 0o400);
    let running = Filter::start(&postfix, &place, &words);
    partner.flush();
    assert_eq!(arrived(&postfix), clean);
    running.end();
    is_whole(&lab.lab);
    assert_eq!(postfix.delivered(), None, "nothing else was delivered");
}
