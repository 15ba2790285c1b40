//! A small server that answers as the API says: it calls malicious what holds the test string of EICAR, and keeps it
//! durably, a file an item.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_seal::sha256;
use labward_testkit::TempDir;
use labward_testkit::carrier::eicar;
use serde_json::{Value, json};

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// It answers nothing until it is well.
    Hangs,
    /// It cannot put anything into quarantine, and says so.
    IsFull,
    IsWell,
}

#[derive(Default)]
struct Inside {
    mood: Option<Mood>,
    /// What was said beside each item.
    abouts: Vec<Value>,
    /// Everything that was asked about: what it is called, and the verdict.
    looked: Vec<(String, &'static str)>,
    /// Items that are to be given back.
    orders: Vec<usize>,
    /// The accounts that connected.
    accounts: Vec<u32>,
    authorizations: Vec<String>,
    /// So many answers to what is looked at are lost, and so many files break off while they are given back.
    lost: usize,
    broken: usize,
    /// Whether what breaks off leaves whoever waits hanging.
    hangs_halfway: bool,
    /// How often a file was asked for that is to be given back.
    takes: usize,
    /// What each item was submitted as.
    submissions: Vec<Value>,
    /// What was said of each item, and whether that is refused.
    outcomes: BTreeMap<usize, Vec<(String, Option<String>)>>,
    is_deaf: bool,
    /// Whether it asks for what it was not told of.
    asks: bool,
    /// Whether its rules are other ones than before.
    has_new_rules: bool,
}

/// The state of the server, and where its items lie.
pub(super) struct State {
    store: PathBuf,
    inside: Mutex<Inside>,
    well: Condvar,
}

pub(super) struct Server {
    pub(super) folder: TempDir,
    pub(super) state: Arc<State>,
}

impl Server {
    pub(super) fn start() -> Self {
        let folder = TempDir::new();
        let store = folder.join("store");
        fs::create_dir(&store).unwrap();
        fs::create_dir(folder.join("run")).unwrap();
        let state = Arc::new(State {
            store,
            inside: Mutex::default(),
            well: Condvar::new(),
        });
        let server = Self { folder, state };
        let listener = UnixListener::bind(server.socket()).unwrap();
        let state = Arc::clone(&server.state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), Arc::clone(&state));
                let account = rustix::net::sockopt::socket_peercred(&stream).unwrap().uid;
                state.inside.lock().unwrap().accounts.push(account.as_raw());
                thread::spawn(move || state.serve(stream));
            }
        });
        server
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join("run/admin.sock")
    }

    pub(super) fn set(&self, mood: Mood) {
        self.state.inside.lock().unwrap().mood = Some(mood);
        self.state.well.notify_all();
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.state.inside.lock().unwrap()
    }

    pub(super) fn lose_answers(&self, count: usize) {
        self.inside().lost = count;
    }

    pub(super) fn break_off(&self, count: usize, hangs_halfway: bool) {
        let mut inside = self.inside();
        (inside.broken, inside.hangs_halfway) = (count, hangs_halfway);
    }

    pub(super) fn be_deaf(&self, is_deaf: bool) {
        let mut inside = self.inside();
        (inside.is_deaf, inside.asks) = (is_deaf, !is_deaf);
    }

    pub(super) fn bring_rules(&self) {
        self.inside().has_new_rules = true;
    }

    pub(super) fn takes(&self) -> usize {
        self.inside().takes
    }

    /// What was said last of an item.
    pub(super) fn outcome(&self, item: usize) -> Option<(String, Option<String>)> {
        self.inside().outcomes.get(&item)?.last().cloned()
    }

    /// Whether this was ever said of it.
    pub(super) fn heard(&self, item: usize, what: &str, why: Option<&str>) -> bool {
        let inside = self.inside();
        let said = inside.outcomes.get(&item);
        said.is_some_and(|said| {
            said.iter()
                .any(|one| one.0 == what && one.1.as_deref() == why)
        })
    }

    /// How often anything was looked at.
    pub(super) fn all_looks(&self) -> usize {
        self.inside().looked.len()
    }

    pub(super) fn give_back(&self, item: usize) {
        self.state.inside.lock().unwrap().orders.push(item);
    }

    pub(super) fn accounts(&self) -> Vec<u32> {
        self.state.inside.lock().unwrap().accounts.clone()
    }

    pub(super) fn authorizations(&self) -> Vec<String> {
        self.state.inside.lock().unwrap().authorizations.clone()
    }

    /// What was said beside an item.
    pub(super) fn about(&self, item: usize) -> Value {
        self.state.inside.lock().unwrap().abouts[item].clone()
    }

    /// How often something of this name was looked at.
    pub(super) fn looks(&self, name: &str) -> usize {
        let inside = self.state.inside.lock().unwrap();
        inside.looked.iter().filter(|one| one.0 == name).count()
    }

    /// What lies in quarantine, read from the disk.
    pub(super) fn items(&self) -> Vec<Vec<u8>> {
        (0..)
            .map_while(|item| fs::read(self.state.item(item)).ok())
            .collect()
    }
}

impl State {
    fn item(&self, item: usize) -> PathBuf {
        self.store.join(format!("item-{item}"))
    }

    /// Answers one request, which is all that a connection carries.
    pub(super) fn serve(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        let Some((line, headers, body)) = request(&mut stream) else {
            return;
        };
        let mut inside = self.inside.lock().unwrap();
        inside
            .authorizations
            .extend(header(&headers, "authorization"));
        while inside.mood == Some(Mood::Hangs) {
            inside = self.well.wait(inside).unwrap();
        }
        let is_look = line.starts_with("POST /api/v1/malware/inspect ");
        let is_take = line.starts_with("POST /api/v1/malware/restores/");
        let (status, answer) = match () {
            () if line.starts_with("GET /api/v1/malware/restores?") => (200, self.orders(&inside)),
            () if line.starts_with("POST /api/v1/malware/outcomes ") => hear(&mut inside, &body),
            () if is_take => self.take(&mut inside, &line),
            () if is_look => self.inspect(&mut inside, &headers, &body),
            () => (
                404,
                b"{\"code\":\"server.not-found\",\"what\":\"\",\"todo\":\"\"}".to_vec(),
            ),
        };
        let is_lost = is_look && take_one(&mut inside.lost);
        let is_broken = is_take && take_one(&mut inside.broken);
        let hangs = is_broken && inside.hangs_halfway;
        drop(inside);
        if is_lost {
            return;
        }
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        // Whoever asked may have been killed.
        let stream = stream.get_mut();
        let sent = if is_broken {
            answer.len() / 2
        } else {
            answer.len()
        };
        let _ = stream.write_all(&[head.as_bytes(), &answer[..sent]].concat());
        let _ = stream.flush();
        if hangs {
            // Until whoever waits was killed.
            let _ = stream.read(&mut [0]);
        }
    }

    fn inspect(&self, inside: &mut Inside, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let kind = header(headers, "content-type").unwrap();
        let boundary = kind.split_once("boundary=").unwrap().1;
        let parts = parts(body, boundary);
        let about: Value = serde_json::from_slice(&parts[0]).unwrap();
        let content = &parts[1];
        let has = |needle: &[u8]| content.windows(needle.len()).any(|window| window == needle);
        let verdict = match () {
            () if has(&eicar()) => "malicious",
            () if has(b"locked with a password") => "unscannable",
            () => "clean",
        };
        let name = about["name"].as_str().unwrap().to_owned();
        inside.looked.push((name, verdict));
        let mut item = None;
        if verdict == "malicious" && about["quarantine"] == true {
            if inside.mood == Some(Mood::IsFull) {
                let refused = json!({"code": "quarantine.unwritable", "what": "", "todo": ""});
                return (503, refused.to_string().into_bytes());
            }
            let number = inside.abouts.len();
            let submission = submission(&about, content);
            let before = inside.submissions.iter().position(|one| *one == submission);
            let before = before.filter(|item| {
                let last = inside.outcomes.get(item).and_then(|said| said.last());
                last.is_none_or(|last| last.0 == "not-removed")
            });
            if let (Some(item), true) = (before, about["key"].is_string()) {
                return (200, found(inside, verdict, content, Some(item)));
            }
            inside.submissions.push(submission);
            let path = self.item(number);
            fs::write(path.with_extension("new"), content).unwrap();
            fs::File::open(path.with_extension("new"))
                .unwrap()
                .sync_all()
                .unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
            inside.abouts.push(about);
            item = Some(number);
        }
        (200, found(inside, verdict, content, item))
    }

    fn orders(&self, inside: &Inside) -> Vec<u8> {
        let orders: Vec<Value> = inside
            .orders
            .iter()
            .map(|item| self.order(inside, *item))
            .collect();
        let items = 0..inside.abouts.len();
        let unsettled = items.filter(|item| inside.asks && !inside.outcomes.contains_key(item));
        let unsettled: Vec<Value> = unsettled.map(|item| self.order(inside, item)).collect();
        json!({ "orders": orders, "unsettled": unsettled, "rules": rules(inside) })
            .to_string()
            .into_bytes()
    }

    fn order(&self, inside: &Inside, item: usize) -> Value {
        let content = fs::read(self.item(item)).unwrap();
        json!({"item": item, "size_bytes": content.len(), "sha256": hex(&sha256(&content)),
               "approved": "2026-11-28T06:00:00Z", "file": inside.abouts[item]["file"]})
    }

    fn take(&self, inside: &mut Inside, line: &str) -> (u16, Vec<u8>) {
        let rest = line.rsplit_once("restores/").unwrap().1;
        let item: usize = rest.split_once(' ').unwrap().0.parse().unwrap();
        inside.takes += 1;
        (200, fs::read(self.item(item)).unwrap())
    }
}

fn take_one(count: &mut usize) -> bool {
    let is_left = *count > 0;
    *count = count.saturating_sub(1);
    is_left
}

fn rules(inside: &Inside) -> &'static str {
    if inside.has_new_rules { "r2" } else { "r1" }
}

fn found(inside: &Inside, verdict: &str, content: &[u8], item: Option<usize>) -> Vec<u8> {
    json!({"verdict": verdict, "findings": [], "sha256": hex(&sha256(content)), "rules": rules(inside), "item": item})
        .to_string()
        .into_bytes()
}

/// What is the same submission, as the API has it: key, place, bytes, and what is said of the file but when it was read.
fn submission(about: &Value, content: &[u8]) -> Value {
    let mut about = about.clone();
    about["file"]["accessed"] = Value::Null;
    json!({ "about": about, "sha256": hex(&sha256(content)) })
}

/// Takes down what whoever watches says; what stands again is not to be given back any more.
fn hear(inside: &mut Inside, body: &[u8]) -> (u16, Vec<u8>) {
    if inside.is_deaf {
        let refused = json!({"code": "server.busy", "what": "", "todo": ""});
        return (503, refused.to_string().into_bytes());
    }
    let said: Value = serde_json::from_slice(body).unwrap();
    let item = usize::try_from(said["item"].as_u64().unwrap()).unwrap();
    let what = said["what"].as_str().unwrap().to_owned();
    if what == "written-back" {
        inside.orders.retain(|order| *order != item);
    }
    let why = said["why"].as_str().map(str::to_owned);
    inside.outcomes.entry(item).or_default().push((what, why));
    (200, b"{}".to_vec())
}

fn request(stream: &mut impl BufRead) -> Option<(String, String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let (line, headers) = head.split_once("\r\n")?;
    let length = header(headers, "content-length");
    assert!(header(headers, "transfer-encoding").is_none(), "{head}");
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some((line.to_owned(), headers.to_owned(), body))
}

fn header(headers: &str, name: &str) -> Option<String> {
    let mut lines = headers.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned())
}

fn parts(body: &[u8], boundary: &str) -> Vec<Vec<u8>> {
    let boundary = format!("--{boundary}");
    let mut rest = body.strip_prefix(boundary.as_bytes()).unwrap();
    let boundary = format!("\r\n{boundary}");
    let mut parts = Vec::new();
    while rest != b"--\r\n" {
        let start = place(rest, b"\r\n\r\n") + 4;
        let length = place(&rest[start..], boundary.as_bytes());
        parts.push(rest[start..start + length].to_vec());
        rest = &rest[start + length + boundary.len()..];
    }
    parts
}

fn place(bytes: &[u8], of: &[u8]) -> usize {
    bytes
        .windows(of.len())
        .position(|window| window == of)
        .unwrap()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The path that an item was told to lie at.
pub(super) fn path_of(about: &Value) -> PathBuf {
    let path = STANDARD
        .decode(about["file"]["path"].as_str().unwrap())
        .unwrap();
    Path::new(std::str::from_utf8(&path).unwrap()).to_owned()
}
