//! `cargo xtask interop`: the test data through a live gateway, sent by clients that are not ours.
//!
//! It must never pass over a message: each is found again byte for byte among the kept records, or
//! its refusal is known; every step ends in time.

mod compare;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::guard::{Workplace, free_ports};
use crate::installation::{self, Installation, Link};
use crate::run::{capture, in_time, root};
use crate::{stunnel, tools};

use compare::{Answer, Kept, Rows, Sent, SentMessage};
use table::{Findings, Replay, Replays};

/// The variable that names the folder of the test data.
pub(crate) const TEST_DATA: &str = "LABWARD_TEST_DATA";

/// The page that is written or compared.
const PAGE: &str = "docs/ref/interop.md";

/// How long sending everything may take.
const SENDING: Duration = Duration::from_secs(300);

/// Messages of one page of a list, the most that the server gives.
const LIST_PAGE: usize = 1_000;

/// The links of the installation; each has a peer of the same name.
const HL7: &str = "hl7";
const RAW: &str = "astm-raw";
const SESSION: &str = "astm-session";

/// Sends everything, and writes the page or compares it with what stands there.
pub(crate) fn interop(write: bool) -> Result<()> {
    let data = std::env::var_os(TEST_DATA)
        .map(PathBuf::from)
        .with_context(|| format!("set {TEST_DATA} to the folder of the test data"))?;
    tools::ensure_debian()?;
    let python = tools::ensure_python_hl7()?;
    let program = installation::build_for_tests()?;
    let lab = Lab {
        program: &program,
        python: &python,
        data: &data,
    };
    let (held, replays) = lab.run("hold")?;
    let (delivered, again) = lab.run("deliver")?;
    if let Some((capture, _)) = replays
        .iter()
        .find(|(key, one)| again.get(key) != Some(one))
    {
        bail!("{capture:?} did not become the same in both runs");
    }
    let page = Findings {
        held,
        delivered,
        replays,
    }
    .page()?;
    let path = root().join(PAGE);
    if write {
        return fs::write(&path, page).with_context(|| format!("write {PAGE}"));
    }
    let stands = fs::read_to_string(&path).with_context(|| format!("read {PAGE}"))?;
    if let Some((stands, is)) = table::difference(&stands, &page) {
        bail!(
            "something else became of the test data than {PAGE} says:\n  it says: {stands}\n  \
             it is:   {is}"
        );
    }
    Ok(())
}

/// What both runs need.
struct Lab<'a> {
    program: &'a Path,
    python: &'a Path,
    data: &'a Path,
}

/// A line of `send_hl7.py`.
#[derive(Deserialize)]
struct SentLine {
    file: String,
    frame: String,
    messages: Vec<MessageLine>,
    answers: Vec<AnswerLine>,
}

/// A message in it.
#[derive(Deserialize)]
struct MessageLine {
    bytes: String,
    #[serde(rename = "type")]
    message_type: String,
    id: String,
}

/// An answer in it.
#[derive(Deserialize)]
struct AnswerLine {
    code: String,
    id: String,
    error: String,
}

/// A line of `replay_astm.py`.
#[derive(Deserialize)]
struct ReplayLine {
    file: String,
    mode: String,
    frames: usize,
    text: String,
    answers: Vec<String>,
}

impl Lab<'_> {
    /// One installation, everything sent to it, everything found again.
    fn run(&self, policy: &str) -> Result<(Rows, Replays)> {
        println!("── interop: same_id_other_content = {policy:?}");
        let place = Workplace::create(&format!("interop-{policy}"))?;
        let [tls, plain, raw, session] = free_ports()?;
        let more = format!("acknowledge = \"always\"\nsame_id_other_content = \"{policy}\"\n");
        let links = [
            Link::mutual_tls(HL7, tls, &more),
            Link::plain_astm(RAW, raw, RAW),
            Link::plain_astm(SESSION, session, SESSION),
        ];
        let lab = Installation::create(self.program, &place, "data", &links)?;
        let server = lab.serve()?;
        let bundle = lab.add_peer(HL7, &place)?;
        lab.add_peer(RAW, &place)?;
        lab.add_peer(SESSION, &place)?;

        let tunnel = stunnel::client(&place, "to-labward", plain, tls, &bundle)?;
        let sent = self.send_hl7(plain)?;
        drop(tunnel);
        let rows = compare::settle(&sent, &kept(&lab, &place, HL7)?)?;
        let replays = self.replay_astm(&lab, &place, [raw, session])?;

        let verified = lab.json(&["ledger", "verify"])?;
        ensure!(
            verified.get("good") == Some(&Value::Bool(true)),
            "the ledger does not verify: {verified}"
        );
        server.stop()?;
        Ok((rows, replays))
    }

    fn send_hl7(&self, port: u16) -> Result<Vec<Sent>> {
        let port = port.to_string();
        let lines: Vec<SentLine> = self.python("send_hl7.py", &["127.0.0.1", &port], "hl7")?;
        lines.into_iter().map(SentLine::read).collect()
    }

    fn replay_astm(
        &self,
        lab: &Installation,
        place: &Workplace,
        [raw, session]: [u16; 2],
    ) -> Result<Replays> {
        let words = [raw.to_string(), session.to_string()];
        let [raw, session] = &words;
        let lines: Vec<ReplayLine> =
            self.python("replay_astm.py", &["127.0.0.1", raw, session], "astm")?;
        let mut replays = Replays::new();
        for (link, mode) in [(RAW, "raw"), (SESSION, "session")] {
            let mut kept = kept(lab, place, link)?.into_iter();
            let deviations = deviations(lab)?;
            for line in lines.iter().filter(|line| line.mode == mode) {
                let name = format!("{} ({mode})", line.file);
                let one = kept
                    .next()
                    .with_context(|| format!("{name} was not kept"))?;
                ensure!(
                    one.bytes == STANDARD.decode(&line.text)?,
                    "{name} is not kept as it was sent"
                );
                let wanted = line.frames + usize::from(mode == "session");
                ensure!(
                    line.answers == vec!["ACK"; wanted],
                    "{name} was answered {:?}",
                    line.answers
                );
                let mut noted = deviations.get(&one.record).cloned().unwrap_or_default();
                noted.extend(one.reason);
                let replay = Replay {
                    frames: line.frames,
                    bytes: one.bytes.len(),
                    state: one.state,
                    answers: line.answers.clone(),
                    noted,
                };
                replays.insert((line.file.clone(), line.mode.clone()), replay);
            }
            ensure!(kept.next().is_none(), "{link} kept more than was sent");
        }
        Ok(replays)
    }

    /// Runs a helper on a folder of the test data and reads its lines.
    fn python<T: for<'a> Deserialize<'a>>(
        &self,
        script: &str,
        words: &[&str],
        folder: &str,
    ) -> Result<Vec<T>> {
        let mut command = Command::new(self.python);
        command
            .arg(root().join("xtask/python").join(script))
            .args(words)
            .arg(self.data.join(folder));
        let text = capture(script, &mut in_time(SENDING, &command))?;
        let read = |line: &str| serde_json::from_str(line);
        text.lines()
            .map(|line| read(line).with_context(|| format!("read a line of {script}")))
            .collect()
    }
}

impl SentLine {
    fn read(self) -> Result<Sent> {
        let message = |one: MessageLine| -> Result<SentMessage> {
            Ok(SentMessage {
                bytes: STANDARD.decode(one.bytes)?,
                message_type: one.message_type,
                id: one.id,
            })
        };
        let answer = |one: AnswerLine| Answer {
            code: one.code,
            id: one.id,
            error: one.error,
        };
        Ok(Sent {
            file: self.file,
            frame: STANDARD.decode(self.frame)?,
            messages: self
                .messages
                .into_iter()
                .map(message)
                .collect::<Result<_>>()?,
            answers: self.answers.into_iter().map(answer).collect(),
        })
    }
}

/// Every record of a link, the oldest first, each exported.
fn kept(lab: &Installation, place: &Workplace, link: &str) -> Result<Vec<Kept>> {
    let mut all = Vec::new();
    let mut before: Option<u64> = None;
    loop {
        let limit = LIST_PAGE.to_string();
        let mut words = vec!["message", "list", "--link", link, "--limit", &limit];
        let number = before.map(|record| record.to_string());
        if let Some(number) = &number {
            words.extend(["--before", number]);
        }
        let page = lab.json(&words)?;
        let page = page.as_array().context("read the list of messages")?;
        for message in page {
            let text = |name: &str| message.get(name).and_then(Value::as_str);
            let record = message
                .get("record")
                .and_then(Value::as_u64)
                .context("a message has no record")?;
            all.push(Kept {
                record,
                state: text("state").context("a message has no state")?.to_owned(),
                reason: text("reason").map(str::to_owned),
                bytes: export(lab, place, record)?,
            });
        }
        before = all.last().map(|kept| kept.record);
        if page.len() < LIST_PAGE {
            all.reverse();
            return Ok(all);
        }
    }
}

fn export(lab: &Installation, place: &Workplace, record: u64) -> Result<Vec<u8>> {
    let file = place.join("exported");
    let words = [
        "record",
        "export",
        "--record",
        &record.to_string(),
        "--why",
        "interoperability run",
        "--out",
        &file.to_string_lossy(),
    ];
    lab.labward(&words)?;
    let bytes = fs::read(&file).with_context(|| format!("read the export of record {record}"))?;
    fs::remove_file(&file)?;
    Ok(bytes)
}

/// What was outside the standard, by record, as the ledger tells it.
fn deviations(lab: &Installation) -> Result<std::collections::BTreeMap<u64, Vec<String>>> {
    let mut all = std::collections::BTreeMap::new();
    let mut from = 0_usize;
    loop {
        let limit = LIST_PAGE.to_string();
        let words = [
            "ledger",
            "list",
            "--from",
            &from.to_string(),
            "--limit",
            &limit,
        ];
        let page = lab.json(&words)?;
        let entries = page
            .get("entries")
            .and_then(Value::as_array)
            .context("read the entries of the ledger")?;
        for entry in entries {
            if let Some((record, names)) = deviations_of(entry) {
                all.insert(record, names);
            }
        }
        from += entries.len();
        if entries.len() < LIST_PAGE {
            return Ok(all);
        }
    }
}

fn deviations_of(entry: &Value) -> Option<(u64, Vec<String>)> {
    let names = entry.pointer("/facts/deviations")?.as_array()?;
    let record = entry.get("record")?.as_u64()?;
    let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
    Some((record, names.collect()))
}
