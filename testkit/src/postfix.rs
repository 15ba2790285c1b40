//! Postfix instances of a test's own: other configurations, other queues, mailboxes in a folder.
//!
//! It must never touch the mail server of the machine itself, or leave one running.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::TempDir;

const PROGRAM: &str = "/usr/sbin/postfix";
/// How often a connection is tried, and the pause between.
const TRIES: (u32, Duration) = (600, Duration::from_millis(100));
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(330);

const SERVICES: &str = "\
    pickup unix n - n 60 1 pickup\n\
    cleanup unix n - n - 0 cleanup\n\
    qmgr unix n - n 300 1 qmgr\n\
    rewrite unix - - n - - trivial-rewrite\n\
    bounce unix - - n - 0 bounce\n\
    defer unix - - n - 0 bounce\n\
    trace unix - - n - 0 bounce\n\
    proxymap unix - - n - - proxymap\n\
    error unix - - n - - error\n\
    retry unix - - n - - error\n\
    smtp unix - - n - - smtp\n\
    virtual unix - n n - - virtual\n\
    anvil unix - - n - 1 anvil\n\
    flush unix n - n 1000? 0 flush\n\
    postlog unix-dgram n - n - 1 postlogd\n";

/// A running Postfix; stopped when dropped.
#[derive(Debug)]
pub struct Postfix {
    folder: TempDir,
    port: u16,
}

/// The account and the group of Postfix; none if it is not installed, or this is not root.
fn account() -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.starts_with("postfix:"))?;
    let mut words = line.split(':').skip(2).map(str::parse);
    let ids = (words.next()?.ok()?, words.next()?.ok()?);
    let can = Path::new(PROGRAM).is_file() && rustix::process::geteuid().is_root();
    can.then_some(ids)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its rights");
}

impl Postfix {
    /// One of `lab.example` that shows each mail to the filter at [`Self::milter`], and takes none without it; none if
    /// Postfix is not installed, or this account may not start it.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn filtered() -> Option<Self> {
        let (user, group) = account()?;
        Some(Self::start("mx.lab.example", |place| {
            format!(
                "virtual_mailbox_domains = lab.example\nvirtual_mailbox_base = {place}/mail\n\
                 virtual_mailbox_maps = static:box/\nvirtual_uid_maps = static:{user}\n\
                 virtual_gid_maps = static:{group}\nvirtual_minimum_uid = 1\n\
                 smtpd_milters = unix:{place}/milter/mail.sock\nmilter_default_action = tempfail\n"
            )
        }))
    }

    /// One of a partner, which hands every mail on to `other` and keeps in its queue what is not taken; none as of
    /// [`Self::filtered`].
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn handing_on_to(other: &Self) -> Option<Self> {
        account()?;
        let port = other.port;
        Some(Self::start("mx.partner.example", |_| {
            format!("relayhost = [127.0.0.1]:{port}\nsmtp_host_lookup = native\n")
        }))
    }

    fn start(name: &str, more: impl FnOnce(&str) -> String) -> Self {
        let (user, group) = account().expect("an account of Postfix");
        let folder = TempDir::new();
        mode(folder.path(), 0o755);
        for name in ["etc", "queue", "data", "mail", "milter"] {
            fs::create_dir(folder.join(name)).expect("a folder");
        }
        chown(folder.join("data"), Some(user), None).expect("its owner");
        chown(folder.join("mail"), Some(user), None).expect("its owner");
        // As the guide has it: the folder gives the socket its group.
        chown(folder.join("milter"), None, Some(group)).expect("its group");
        mode(&folder.join("milter"), 0o2750);
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.expect("a free port").port();
        let place = folder.path().display().to_string();
        let more = more(&place);
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {place}/queue\ndata_directory = {place}/data\n\
             maillog_file = {place}/log\nmaillog_file_prefixes = {place}\nmyhostname = {name}\n\
             mydestination =\nalias_maps =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             mynetworks = 127.0.0.0/8\n{more}"
        );
        fs::write(folder.join("etc/main.cf"), main).expect("main.cf");
        let listener = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        fs::write(folder.join("etc/master.cf"), listener + SERVICES).expect("master.cf");
        let postfix = Self { folder, port };
        postfix.tell("start");
        postfix
    }

    /// Where a filter is to listen.
    pub fn milter(&self) -> PathBuf {
        self.folder.join("milter/mail.sock")
    }

    /// What it wrote into its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn command(&self, what: &str) -> Command {
        let mut command = program();
        command.arg("-c").arg(self.folder.join("etc")).arg(what);
        command.stdin(Stdio::null());
        command
    }

    fn tell(&self, what: &str) {
        let told = self.command(what).output().expect("start postfix");
        assert!(told.status.success(), "postfix {what}: {told:?}");
    }

    /// Sends a mail to b@lab.example; what was said at its end, or where it was refused.
    ///
    /// # Panics
    ///
    /// When it does not speak SMTP.
    pub fn send(&self, mail: &str) -> String {
        let mut lines = BufReader::new(self.dial());
        let mut said = answer(&mut lines);
        let dotted = mail.replace("\r\n.", "\r\n..");
        for line in [
            "EHLO partner.example",
            "MAIL FROM:<a@partner.example>",
            "RCPT TO:<b@lab.example>",
            "DATA",
            &format!("{dotted}."),
        ] {
            let line = format!("{line}\r\n");
            lines.get_mut().write_all(line.as_bytes()).expect("a line");
            said = answer(&mut lines);
            // What is refused is not gone on with.
            if said.starts_with(['4', '5']) {
                break;
            }
        }
        // Whoever leaves without a word has sent it all the same.
        let _ = lines.get_mut().write_all(b"QUIT\r\n");
        said
    }

    fn dial(&self) -> TcpStream {
        let (tries, pause) = TRIES;
        for _ in 0..tries {
            if let Ok(stream) = connect(self.port) {
                return stream;
            }
            thread::park_timeout(pause);
        }
        panic!("Postfix does not answer: {}", self.log());
    }

    /// What lies in the mailbox, and is taken out of it.
    ///
    /// # Panics
    ///
    /// When it is no text.
    pub fn delivered(&self) -> Option<String> {
        let mut files = fs::read_dir(self.folder.join("mail/box/new")).ok()?;
        let file = files.next()?.ok()?.path();
        let mail = String::from_utf8(fs::read(&file).ok()?).expect("a mail of text");
        fs::remove_file(file).expect("take it out");
        Some(mail)
    }

    /// How many mails were put off and wait for another try.
    pub fn deferred(&self) -> usize {
        count(&self.folder.join("queue/deferred"))
    }

    /// Tries now what waits.
    ///
    /// # Panics
    ///
    /// When Postfix does not take it.
    pub fn flush(&self) {
        self.tell("flush");
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // It ends with its folder in any case.
        let _ = self.command("stop").output();
    }
}

fn count(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of_one = |entry: fs::DirEntry| match entry.path() {
        path if path.is_dir() => count(&path),
        _ => 1,
    };
    entries.map(of_one).sum()
}

/// An answer of SMTP, whose last line has no hyphen.
fn answer(lines: &mut BufReader<TcpStream>) -> String {
    loop {
        let mut line = String::new();
        let read = lines.read_line(&mut line).expect("an answer");
        assert!(read > 0, "Postfix broke off");
        if line.as_bytes().get(3) != Some(&b'-') {
            return line;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own mail server")]
fn program() -> Command {
    Command::new(PROGRAM)
}

#[expect(clippy::disallowed_methods, reason = "a test's own mail server")]
fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}
