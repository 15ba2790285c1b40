//! A lab loses its machine: backups, key archives, the restore, and what must hold afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use labward_base::id::EntryIndex;
use labward_ledger::entries;
use labward_store::StoreError;
use serde_json::Value;

use crate::support::{Bound, Client, Installation, Numbered, Opened, eventually};

const PHRASE: &str = "twelve tubes on a tuesday";
const WHY: [&str; 2] = ["--why", "a test"];

/// The folders beside an installation's data.
struct Places {
    backup: String,
    keys: String,
}

impl Places {
    fn of(lab: &Installation) -> Self {
        let beside = |name: &str| lab.beside(name).to_str().unwrap().to_owned();
        Self {
            backup: beside("backup"),
            keys: beside("keys"),
        }
    }

    fn backup(&self, lab: &Installation) -> Value {
        lab.json(&[&["backup", "create", "--to", &self.backup][..], &WHY].concat())
    }

    fn archive(&self, lab: &Installation) -> Value {
        lab.json(&[&["key", "archive", "create", "--to", &self.keys][..], &WHY].concat())
    }

    fn restore<'a>(&'a self, data: &'a str, key_file: &'a str) -> Vec<&'a str> {
        let from = ["backup", "restore", "--from", &self.backup];
        let with = ["--keys", &self.keys, "--to", data, "--key-file", key_file];
        [&from[..], &with].concat()
    }
}

/// Every record of an installation: its bytes, or the code of what keeps it from opening.
fn records(rooms: &Opened) -> BTreeMap<u64, Result<Vec<u8>, &'static str>> {
    let all = |s: &mut labward_store::Snapshot<'_>| entries(s, EntryIndex::new(0), 100_000);
    let all = rooms.store.read(all).map_err(|error: StoreError| error);
    let numbers = all.unwrap().into_iter().filter_map(|entry| entry.record);
    numbers
        .map(|record| {
            let opened = rooms.records.open(record);
            let bytes = opened.map(|opened| opened.bytes.expose().clone());
            (record.get(), bytes.map_err(|error| error.problem().code))
        })
        .collect()
}

fn open_records(lab: &Installation) -> BTreeMap<u64, Result<Vec<u8>, &'static str>> {
    let rooms = lab.open();
    let found = records(&rooms);
    rooms.store.close().unwrap();
    found
}

fn files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut waiting) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

fn send(lab: &Installation, client: u32, config: &std::sync::Arc<rustls::ClientConfig>) {
    let mut connection = Client::connect(lab.address("hl7"), config).unwrap();
    for number in 1..=4 {
        for patient in 0..3 {
            let message = Numbered {
                client,
                patient,
                number,
            };
            let code = connection.exchange(&message.message(), &message.control_id());
            assert_eq!(code.unwrap(), "AA");
        }
    }
}

/// A document of 1.5 MiB, which is kept in a file of its own.
fn import_large(lab: &Installation, name: &str) {
    let file = lab.beside("large.hl7");
    let text = "x".repeat(1_500_000);
    let message = format!(
        "MSH|^~\\&|A|B|C|D|20260101||ORU^R01|{name}|P|2.5.1\rPID|1||{name}^^^LAB^MR||DOE^LARGE\r\
         OBX|1|TX|1^N^L||{text}\r"
    );
    fs::write(&file, message).unwrap();
    let words = ["record", "import", file.to_str().unwrap()];
    lab.run(&[&words[..], &WHY].concat()).ok();
}

fn finding(lab: &Installation, code: &str) -> bool {
    // Something else may be of high harm, so the exit code is no matter here.
    let said = lab.run(&["--json", "check"]).out;
    let check: Value = serde_json::from_str(&said).unwrap();
    let findings = check["findings"].as_array().unwrap().iter();
    findings.into_iter().any(|finding| finding["code"] == code)
}

#[test]
fn a_lab_comes_back_with_every_record_and_delivers_when_a_person_says_so() {
    let bound = Bound::new();
    let lab = Installation::create(&format!(
        "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n\
         [[destination]]\nname = \"ehr\"\ntarget = {{ kind = \"mllp\", address = \"{}\", \
         transport = {{ mode = \"mutual-tls\", server_name = \"ehr\" }} }}\n\
         [[route]]\ntypes = [\"*\"]\nto = [\"ehr\"]\n",
        bound.address()
    ));
    let places = Places::of(&lab);
    let server = lab.serve();
    let sender = lab.peer("xn550", "analyzer").client_config(true);
    let ehr = lab.peer("ehr", "ehr");
    let add = ["key", "add", "--label", "safe", "--passphrase"];
    lab.run_with(&add, &format!("{PHRASE}\n")).ok();
    for code in ["check.no-backup", "check.no-key-archive", "check.no-drill"] {
        assert!(finding(&lab, code), "{code}");
    }
    send(&lab, 1, &sender);
    let early = lab.beside("early-keys").to_str().unwrap().to_owned();
    lab.run(&[&["key", "archive", "create", "--to", &early][..], &WHY].concat())
        .ok();
    send(&lab, 2, &sender);
    import_large(&lab, "BIG");
    server.stop();
    let before = open_records(&lab);
    assert_eq!(before.len(), 25);

    let server = lab.serve();
    places.archive(&lab);
    let first = places.backup(&lab);
    assert_eq!(first["generation"], 1);
    let second = places.backup(&lab);
    assert!(
        second["written_parts"].as_u64().unwrap() < first["written_parts"].as_u64().unwrap(),
        "{second}"
    );
    let verify = ["backup", "verify", "--from", &places.backup];
    let verified = lab.json(&verify);
    assert_eq!(
        (&verified["good"], &verified["opened"]),
        (&true.into(), &true.into())
    );
    let public = lab.run(&["ledger", "key"]).ok();
    nothing_is_legible(&places);

    // A patient is disposed of after the backup: the backup holds none of the keys.
    let found = lab
        .run_with(&["--json", "record", "find"], "mrn: C1P0\nwhy: a test\n")
        .json();
    let patient = found["patients"][0]["patient"].to_string();
    let dispose = [
        "--json",
        "patient",
        "dispose",
        &patient,
        "--override-retention",
        "a court",
    ];
    let proof = lab.run(&[&dispose[..], &WHY].concat()).json();
    assert_eq!(proof["key_archives"], 2, "{proof}");
    assert!(proof["key_archives_expire"].is_string(), "{proof}");
    places.archive(&lab);
    let key_file = lab.key_file().to_str().unwrap().to_owned();
    let drill = ["--drill", "--keys", &places.keys, "--key-file", &key_file];
    let drilled = lab.json(&[&verify[..], &drill, &WHY].concat());
    assert!(drilled["sampled"].as_u64().unwrap() > 0, "{drilled}");
    assert_eq!(drilled["key_epochs"], serde_json::json!([1]));
    assert!(
        !lab.data().join("run/drill").exists(),
        "nothing is left of it"
    );
    for code in ["check.no-backup", "check.no-key-archive", "check.no-drill"] {
        assert!(!finding(&lab, code), "{code}");
    }
    server.stop();

    // The machine is gone. Each wrong way has its own sentence, and makes nothing.
    fs::rename(lab.data(), lab.beside("lost")).unwrap();
    let data = lab.data().to_str().unwrap().to_owned();
    let restore = places.restore(&data, &key_file);
    each_wrong_way_is_told_apart(&lab, &places, &early);
    lab.run(&[&verify[..], &["--key", public.trim()]].concat())
        .ok();
    let said = lab.run(&restore).ok();
    assert!(said.contains("labward backup confirm"), "{said}");
    lab.run(&restore).fails(73, "backup.target-exists");
    let after = open_records(&lab);
    let disposed: Vec<u64> = (before.keys())
        .filter(|record| after[record] == Err("keys.disposed"))
        .copied()
        .collect();
    assert_eq!(disposed.len(), 4, "the disposed patient stays disposed");
    for (record, bytes) in &before {
        if !disposed.contains(record) {
            assert!(
                after[record] == *bytes,
                "record {record} is not what it was"
            );
        }
    }

    let server = lab.serve();
    assert!(finding(&lab, "check.restore-not-confirmed"));
    let list = lab.json(&["destination", "list"]);
    let held = (&list[0]["state"], &list[0]["last_error"]);
    assert_eq!(held, (&"stopped".into(), &"backup.restored".into()));
    let ehr = bound.receive(&ehr);
    let found = lab
        .run_with(&["--json", "record", "find"], "mrn: C1P0\nwhy: a test\n")
        .json();
    assert_eq!(found["patients"].as_array().unwrap().len(), 0, "{found}");
    send(&lab, 3, &sender);
    assert_eq!(ehr.count(), 0, "nothing goes out before a person confirms");
    lab.run(&[&["backup", "confirm"][..], &WHY].concat()).ok();
    lab.run(&[&["backup", "confirm"][..], &WHY].concat())
        .fails(73, "backup.not-restored");
    // All but what the disposed patient's four messages held.
    eventually("what waited, and what came since", || {
        (ehr.count() >= 24 + 12 - 4).then_some(())
    });
    assert!(!finding(&lab, "check.restore-not-confirmed"));
    let whole = lab.run(&["ledger", "verify"]).ok();
    assert!(whole.contains("the ledger is whole"), "{whole}");
    let public_now = lab.run(&["ledger", "key"]).ok();
    assert!(
        public_now.contains("/2-"),
        "a name of its own: {public_now}"
    );
    // And the next backup goes into the same folder.
    let third = places.backup(&lab);
    assert_eq!(third["generation"], 3);
    assert_eq!(lab.json(&verify)["good"], true);
    server.stop();
}

fn nothing_is_legible(places: &Places) {
    for folder in [&places.backup, &places.keys] {
        for path in files(Path::new(folder)) {
            let bytes = fs::read(&path).unwrap();
            for what in ["DOE^PAT", "C1P0^^^LAB", "19700101|F", "SQLite format"] {
                let found = memchr::memmem::find(&bytes, what.as_bytes());
                assert!(found.is_none(), "{what} in {}", path.display());
            }
        }
    }
}

fn each_wrong_way_is_told_apart(lab: &Installation, places: &Places, early: &str) {
    let data = lab.data().to_str().unwrap().to_owned();
    let key_file = lab.key_file().to_str().unwrap().to_owned();
    let restore = places.restore(&data, &key_file);
    let with = |from: &str, to: &str| -> Vec<String> {
        let words = restore.iter();
        words
            .map(|word| if *word == from { to } else { word }.to_owned())
            .collect()
    };
    let run = |words: &[String]| lab.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let other = Installation::create("");
    let others_key = other.key_file().to_str().unwrap().to_owned();
    run(&with(&key_file, &others_key)).fails(77, "keys.wrong-slot");
    run(&with(&places.keys, early)).fails(73, "backup.keys-older");
    run(&with(&places.keys, lab.beside("nowhere").to_str().unwrap()))
        .fails(66, "keys.archive-missing");
    run(&with(&places.backup, &places.keys)).fails(66, "backup.none");
    run(&[
        with("", ""),
        vec!["--generation".to_owned(), "9".to_owned()],
    ]
    .concat())
    .fails(66, "backup.none");
    let passphrase: Vec<&str> = restore[..restore.len() - 2].to_vec();
    lab.run_with(&passphrase, "eleven tubes on a tuesday\n")
        .fails(77, "keys.wrong-slot");
    let part = &needed_part(places);
    let bytes = fs::read(part).unwrap();
    fs::remove_file(part).unwrap();
    lab.run(&restore).fails(76, "backup.missing-part");
    let mut changed = bytes.clone();
    changed[70] ^= 1;
    fs::write(part, changed).unwrap();
    lab.run(&restore).fails(76, "backup.damaged");
    fs::write(part, bytes).unwrap();
    let marker = Path::new(&places.backup).join("labward-backup");
    let text = fs::read_to_string(&marker).unwrap();
    fs::write(&marker, text.replacen("folder 1", "folder 2", 1)).unwrap();
    lab.run(&restore).fails(73, "backup.newer");
    fs::write(&marker, text).unwrap();
    assert!(!lab.data().exists(), "nothing was made");
    let left = fs::read_dir(lab.data().parent().unwrap()).unwrap();
    let restoring = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".restoring")
    });
    assert_eq!(restoring.count(), 0, "nothing half made is left");
}

/// A part that the newest generation needs.
fn needed_part(places: &Places) -> PathBuf {
    let root = Path::new(&places.backup);
    let index = fs::read_to_string(root.join("generation/00000002.index")).unwrap();
    let run = index.lines().find(|line| line.starts_with("run ")).unwrap();
    let name = run.split(' ').nth(2).unwrap();
    root.join("parts").join(&name[..2]).join(name)
}

#[test]
fn a_backup_that_is_killed_leaves_the_one_before_whole() {
    const ROUNDS: u32 = 20;
    let lab = Installation::create("");
    let places = Places::of(&lab);
    let mut running = Some(lab.serve());
    import_large(&lab, "B0");
    places.archive(&lab);
    places.backup(&lab);
    let parts = Path::new(&places.backup).join("parts");
    let mut interrupted = 0;
    for round in 1..=ROUNDS {
        let server = running.take().unwrap_or_else(|| lab.serve());
        for number in 0..3 {
            import_large(&lab, &format!("B{round}-{number}"));
        }
        let before = (files(&parts).len(), generations(&lab, &places));
        let words = [&["backup", "create", "--to", &places.backup][..], &WHY].concat();
        let mut create = lab.command(&words).spawn().unwrap();
        eventually("the first new part", || {
            (files(&parts).len() > before.0).then_some(())
        });
        server.kill();
        create.wait().unwrap();
        interrupted += u32::from(generations(&lab, &places) == before.1);
        if interrupted == 2 {
            break;
        }
    }
    assert!(interrupted > 0, "no backup was ever interrupted");
    let server = lab.serve();
    let verify = ["backup", "verify", "--from", &places.backup];
    assert_eq!(lab.json(&verify)["good"], true);
    places.backup(&lab);
    assert_eq!(lab.json(&verify)["good"], true);
    let key_file = lab.key_file().to_str().unwrap().to_owned();
    let drill = ["--drill", "--keys", &places.keys, "--key-file", &key_file];
    // The archive is from before the later patients.
    lab.run(&[&verify[..], &drill, &WHY].concat())
        .fails(73, "backup.keys-older");
    places.archive(&lab);
    lab.run(&[&verify[..], &drill, &WHY].concat()).ok();
    server.stop();
}

fn generations(lab: &Installation, places: &Places) -> usize {
    let list = lab.json(&["backup", "list", "--from", &places.backup]);
    list.as_array().unwrap().len()
}
