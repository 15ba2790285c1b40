//! Backups of a real database: whole, incremental, sealed, and every change found.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_base::id::{NodeId, RecordId, SiteId};
use labward_base::{Clock, problem};
use labward_ledger::{
    Action, Actor, LedgerJournal, NewEntry, Subject, VerifierKey, append, tree_head,
};
use labward_seal::SealKey;
use labward_seal::sign::SigningKey;
use labward_store::{Migration, Options, Query, Store, StoreError};
use labward_testkit::{FakeClock, TempDir};

use crate::*;

const SITE: SiteId = SiteId::new(1);
const NODE: NodeId = NodeId::new(1);
const ORIGIN: &str = "labward.local/main";
/// Legible on purpose: what is sealed here is sealed whatever it was before.
const TRACE: &str = "MUSTERFRAU-ERIKA-19640812";
const HIDDEN: &str = "a-wrapped-key-that-stays-at-home";
const HIDDEN_TABLE: Migration = Migration {
    name: "keys",
    sql: "CREATE TABLE hidden (id INTEGER PRIMARY KEY, body TEXT NOT NULL);",
};

struct Lab {
    place: TempDir,
    store: Store,
    clock: FakeClock,
    key: BackupKey,
    signing: SigningKey,
}

impl Lab {
    fn new() -> Self {
        let place = TempDir::new();
        fs::create_dir(place.join("data")).unwrap();
        fs::create_dir_all(place.join("data/blob/07")).unwrap();
        let clock = FakeClock::default();
        let lab = Self {
            store: open(&place.join("data/db.sqlite"), &clock),
            place,
            clock,
            key: key(1),
            signing: SigningKey::generate().unwrap(),
        };
        fs::write(lab.file("labward.toml"), format!("# {TRACE}\n")).unwrap();
        fs::write(lab.file("checkpoint"), "a checkpoint").unwrap();
        fs::write(lab.file("blob/07/0000000000000107"), vec![7; 300_000]).unwrap();
        fs::write(lab.file("blob/07/.half.tmp"), "half").unwrap();
        // The same name as a record's, with other bytes.
        fs::create_dir_all(lab.file("quarantine/07")).unwrap();
        fs::write(lab.file("quarantine/07/0000000000000107"), vec![9; 200_001]).unwrap();
        lab.record(0, 600);
        lab
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.join("data").join(name)
    }

    fn folder(&self) -> PathBuf {
        self.place.join("backup")
    }

    fn record(&self, from: u64, to: u64) {
        self.store
            .write(move |tx| {
                for number in from..to {
                    let subject = Subject::Record(RecordId::new(number + 1));
                    let mut entry =
                        NewEntry::new(SITE, Actor::System, Action::MessageReceived, subject);
                    entry.record = Some(RecordId::new(number + 1));
                    entry.kind = 1;
                    entry.payload = Some(format!("{number} {TRACE}").repeat(40).into_bytes());
                    append(tx, &entry).map_err(|_| StoreError::Panicked)?;
                    tx.execute("INSERT INTO hidden (body) VALUES ($1)", &[HIDDEN.into()])?;
                }
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }

    fn create_keeping(&self, keep: usize) -> Result<Created, BackupError> {
        let source = Source {
            store: &self.store,
            left_out: &["hidden"],
            node: NODE,
            files: vec![
                ("labward.toml", self.file("labward.toml")),
                ("ledger/checkpoint", self.file("checkpoint")),
                ("tls/none.pem", self.file("none.pem")),
            ],
            blobs: self.file("blob"),
            quarantine: self.file("quarantine"),
            reserve_bytes: 77,
        };
        create(
            &source,
            &Request {
                folder: &self.folder(),
                key: &self.key,
                signer: (ORIGIN, &self.signing),
                now: self.clock.now(),
                program: "0.1.0",
                keep,
                after: 0,
            },
        )
    }

    fn create(&self) -> Created {
        self.create_keeping(KEEP_DEFAULT).unwrap()
    }

    fn verifier(&self) -> VerifierKey {
        VerifierKey::new(ORIGIN, *self.signing.public()).unwrap()
    }

    /// What is wrong with the folder, with the key and with the ledger's public key alone.
    fn faults(&self) -> [Vec<(String, &'static str)>; 2] {
        let verifier = self.verifier();
        [Trust::Key(&self.key), Trust::Ledger(&verifier)].map(|trust| {
            let checked =
                Folder::open(&self.folder()).and_then(|folder| verify(&folder, None, &trust, None));
            match checked {
                Ok(verified) => {
                    let faults = verified.faults.into_iter();
                    faults.map(|f| (f.place, f.problem.code)).collect()
                }
                Err(error) => vec![(error.to_string(), error.problem().code)],
            }
        })
    }
}

fn key(byte: u8) -> BackupKey {
    BackupKey::derive(SITE, &SealKey::from_bytes([byte; 32]), 1).unwrap()
}

fn open(path: &Path, clock: &FakeClock) -> Store {
    let migrations = [labward_ledger::MIGRATIONS, &[HIDDEN_TABLE]].concat();
    let journal = LedgerJournal::new(NODE, Arc::new(clock.clone()));
    Store::open(Options::new(path), &migrations, Box::new(journal)).unwrap()
}

/// Every file below a folder, by its place.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for path in folder::entries(&folder).unwrap() {
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn contains(bytes: &[u8], what: &str) -> bool {
    bytes
        .windows(what.len())
        .any(|window| window == what.as_bytes())
}

#[test]
fn what_is_restored_is_what_was_there_without_the_tables_left_out() {
    let lab = Lab::new();
    let created = lab.create();
    assert_eq!((created.generation, created.entries), (1, 600));
    lab.record(600, 610);
    let folder = Folder::open(&lab.folder()).unwrap();
    let restorer = Restorer::open(&folder, None, &lab.key).unwrap();
    assert_eq!(restorer.manifest().reserve_bytes, 77);
    let back = lab.place.join("back");
    fs::create_dir(&back).unwrap();
    let database = back.join("db.sqlite");
    assert!(restorer.file(DATABASE, &database).unwrap().is_some());
    assert_eq!(
        restorer.file("no/such.file", &back.join("x")).unwrap(),
        None
    );
    assert!(
        restorer.file(DATABASE, &database).is_err(),
        "never replaces a file"
    );
    let toml = restorer.small_file("labward.toml").unwrap().unwrap();
    assert_eq!(toml, fs::read(lab.file("labward.toml")).unwrap());
    assert_eq!(restorer.blobs(&back.join("blob")).unwrap(), (1, 300_000));
    let name = "07/0000000000000107";
    let blob = fs::read(back.join("blob").join(name)).unwrap();
    assert_eq!(blob, vec![7; 300_000]);
    let quarantine = back.join("quarantine");
    assert_eq!(restorer.quarantine(&quarantine).unwrap(), (1, 200_001));
    assert_eq!(fs::read(quarantine.join(name)).unwrap(), vec![9; 200_001]);
    assert!(!contains(&fs::read(&database).unwrap(), HIDDEN));
    let store = open(&database, &lab.clock);
    let head = store
        .read(|snapshot| tree_head(snapshot, NODE))
        .unwrap()
        .unwrap();
    assert_eq!(
        (head.frontier.size(), head.root),
        (600, restorer.manifest().root)
    );
    let payloads = |store: &Store| -> Vec<Vec<u8>> {
        let sql = "SELECT payload FROM entry WHERE idx < 600 ORDER BY idx";
        let read = store.read(|s| s.query_all(sql, &[], |row| Ok(row.bytes(0)?.to_vec())));
        read.map_err(|error: StoreError| error).unwrap()
    };
    assert!(payloads(&store) == payloads(&lab.store), "byte for byte");
    let hidden = store.read(|s| s.query_one("SELECT count(*) FROM hidden", &[], |row| row.int(0)));
    assert_eq!(hidden.map_err(|error: StoreError| error).unwrap(), 0);
    store.close().unwrap();
}

#[test]
fn only_what_changed_is_written_again() {
    let lab = Lab::new();
    let first = lab.create();
    assert_eq!(first.parts, first.written_parts);
    assert!(first.total_bytes > 600_000, "{first:?}");
    let second = lab.create();
    assert_eq!((second.generation, second.written_parts), (2, 0));
    assert_eq!(
        (second.parts, second.total_bytes),
        (first.parts, first.total_bytes)
    );
    lab.record(600, 601);
    fs::write(lab.file("blob/07/0000000000000108"), vec![8; 10]).unwrap();
    let third = lab.create();
    assert!(third.written_parts <= 4, "{third:?}");
    assert!(third.written_parts >= 2, "{third:?}");
    assert_eq!(lab.faults(), [vec![], vec![]]);
}

#[test]
fn nothing_in_the_folder_is_legible_and_no_left_out_row_is_in_it() {
    let lab = Lab::new();
    lab.create();
    let all = files(&lab.folder());
    assert!(all.len() > 5);
    for (name, bytes) in all {
        for what in [TRACE, "SQLite format", "message.received", HIDDEN] {
            assert!(!contains(&bytes, what), "{what} in {name}");
        }
    }
}

#[test]
fn any_byte_changed_or_cut_in_any_file_is_found_and_the_file_is_named() {
    let lab = Lab::new();
    lab.create();
    lab.record(600, 640);
    lab.create();
    assert_eq!(lab.faults(), [vec![], vec![]], "whole before");
    for (name, bytes) in files(&lab.folder()) {
        if name == "lock" {
            continue;
        }
        let path = lab.folder().join(&name);
        let step = (bytes.len() / 9).max(1);
        for place in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            fs::write(&path, &changed).unwrap();
            for faults in lab.faults() {
                assert!(!faults.is_empty(), "byte {place} of {name}");
                let named = faults
                    .iter()
                    .any(|(at, _)| name.contains(at.as_str()) || at.contains(&name));
                let by_number = faults.iter().any(|(at, _)| at.contains("generation"));
                assert!(named || by_number, "byte {place} of {name}: {faults:?}");
            }
        }
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(
            lab.faults().iter().all(|faults| !faults.is_empty()),
            "{name} cut"
        );
        fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
        assert!(
            lab.faults().iter().all(|faults| !faults.is_empty()),
            "{name} grown"
        );
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(lab.faults(), [vec![], vec![]], "whole again");
}

#[test]
fn a_part_that_is_missing_or_swapped_is_found_and_never_restored() {
    let lab = Lab::new();
    lab.create();
    lab.record(600, 640);
    lab.create();
    let all = files(&lab.folder());
    let parts: Vec<&String> = all
        .keys()
        .filter(|name| name.starts_with("parts/"))
        .collect();
    for name in &parts {
        fs::remove_file(lab.folder().join(name)).unwrap();
        let missing = vec![((*name).clone(), problem::BACKUP_MISSING_PART.code)];
        assert_eq!(lab.faults(), [missing.clone(), missing]);
        fs::write(lab.folder().join(name), &all[*name]).unwrap();
    }
    // One generation in the place of the other, and one part in the place of another.
    let [old, new] = ["generation/00000001", "generation/00000002"];
    for (from, to) in [(new, old), (old, new)] {
        let name = format!("{to}.manifest");
        fs::write(lab.folder().join(&name), &all[&format!("{from}.manifest")]).unwrap();
        for faults in lab.faults() {
            assert!(faults.iter().any(|(place, _)| *place == name), "{faults:?}");
        }
        fs::write(lab.folder().join(&name), &all[&name]).unwrap();
    }
    let index = String::from_utf8_lossy(&all[&format!("{new}.index")]);
    let is_newest = |name: &&&String| index.contains(name.rsplit('/').next().unwrap());
    let first = *parts.iter().find(is_newest).unwrap();
    let second = *parts.iter().find(|name| **name != first).unwrap();
    fs::write(lab.folder().join(first), &all[second]).unwrap();
    assert!(lab.faults().iter().all(|faults| faults[0].0 == **first));
    let folder = Folder::open(&lab.folder()).unwrap();
    let restored = Restorer::open(&folder, None, &lab.key).and_then(|restorer| {
        restorer.small_file("labward.toml")?;
        restorer.small_file("ledger/checkpoint")?;
        restorer.blobs(&lab.place.join("blobs"))?;
        restorer.quarantine(&lab.place.join("quarantine"))?;
        restorer.file(DATABASE, &lab.place.join("restored"))
    });
    assert_eq!(restored.unwrap_err().problem(), &problem::BACKUP_DAMAGED);
}

#[test]
fn the_newest_generation_that_is_known_of_must_be_there() {
    let lab = Lab::new();
    lab.create();
    let folder = Folder::open(&lab.folder()).unwrap();
    let check = |expected| {
        let verified = verify(&folder, None, &Trust::Key(&lab.key), Some(expected)).unwrap();
        verified
            .faults
            .iter()
            .map(|fault| fault.place.clone())
            .collect::<Vec<_>>()
    };
    assert!(check(1).is_empty());
    assert_eq!(check(2), ["generation/00000002.manifest"]);
}

#[test]
fn old_generations_go_and_so_does_what_only_they_needed() {
    let lab = Lab::new();
    for round in 0..4 {
        lab.record(600 + round * 40, 640 + round * 40);
        fs::write(lab.file("checkpoint"), format!("checkpoint {round}")).unwrap();
        let created = lab.create_keeping(2).unwrap();
        assert!(created.swept);
        assert_eq!(created.generations, (round + 1).min(2));
    }
    let folder = Folder::open(&lab.folder()).unwrap();
    assert_eq!(folder.generations().unwrap(), [3, 4]);
    assert_eq!(lab.faults(), [vec![], vec![]]);
    let names = files(&lab.folder());
    let indexes = names.keys().filter(|name| name.ends_with(".index")).count();
    assert_eq!(indexes, 2);
    let needed: usize = {
        let mut digests = std::collections::HashSet::new();
        for generation in [3, 4] {
            let manifest = folder.manifest(generation, &Trust::Key(&lab.key)).unwrap();
            digests.extend(folder.index(&manifest).unwrap().digests());
        }
        digests.len()
    };
    let parts = names
        .keys()
        .filter(|name| name.starts_with("parts/"))
        .count();
    assert_eq!(parts, needed);
}

#[test]
fn what_an_interrupted_run_left_is_no_backup_and_goes_with_the_next_one() {
    let lab = Lab::new();
    lab.create();
    let before = files(&lab.folder());
    // A crash before the manifest: parts and an index, whole or half.
    for name in [
        format!("parts/aa/{}", "aa".repeat(32)),
        "parts/aa/.half.tmp".to_owned(),
        "generation/00000002.index".to_owned(),
        "generation/.00000002.manifest.7-0.tmp".to_owned(),
    ] {
        let path = lab.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "half").unwrap();
    }
    assert_eq!(lab.faults(), [vec![], vec![]], "the backup before is whole");
    let folder = Folder::open(&lab.folder()).unwrap();
    assert_eq!(folder.generations().unwrap(), [1]);
    let created = lab.create();
    assert_eq!((created.generation, created.written_parts), (2, 0));
    let after = files(&lab.folder());
    assert_eq!(after.len(), before.len() + 2, "a manifest and an index");
}

#[test]
fn a_damaged_generation_is_no_base_and_nothing_is_swept_while_it_is_kept() {
    let lab = Lab::new();
    let first = lab.create();
    let manifest = lab.folder().join("generation/00000001.manifest");
    fs::write(&manifest, "nothing of use").unwrap();
    let second = lab.create();
    assert_eq!(second.written_parts, first.parts);
    assert!(!second.swept);
    let [faults, _] = lab.faults();
    assert_eq!(
        faults,
        [("generation/00000001.manifest".to_owned(), "backup.damaged")]
    );
}

#[test]
fn wrong_keys_foreign_folders_and_newer_formats_are_told_apart() {
    let lab = Lab::new();
    lab.create();
    let folder = Folder::open(&lab.folder()).unwrap();
    let other = key(2);
    let code = |error: BackupError| error.problem().code;
    let opened = Restorer::open(&folder, None, &other).map(drop);
    assert_eq!(opened.map_err(code), Err("backup.wrong-keys"));
    let opened = Restorer::open(&folder, Some(9), &lab.key).map(drop);
    assert_eq!(opened.map_err(code), Err("backup.none"));
    let nowhere = Folder::open(&lab.place.join("nowhere")).map(drop);
    assert_eq!(nowhere.map_err(code), Err("backup.none"));
    let stranger = SigningKey::generate().unwrap();
    let stranger = VerifierKey::new(ORIGIN, *stranger.public()).unwrap();
    let read = folder.manifest(1, &Trust::Ledger(&stranger)).map(drop);
    assert_eq!(read.map_err(code), Err("backup.bad-signature"));
    // Another installation's backups, and somebody's holiday pictures.
    let lab = Lab { key: other, ..lab };
    assert_eq!(lab.create_keeping(1).map_err(code), Err("backup.not-empty"));
    fs::remove_dir_all(lab.folder()).unwrap();
    fs::create_dir(lab.folder()).unwrap();
    fs::write(lab.folder().join("holiday.jpg"), "x").unwrap();
    assert_eq!(lab.create_keeping(1).map_err(code), Err("backup.not-empty"));
    fs::remove_file(lab.folder().join("holiday.jpg")).unwrap();
    lab.create();
    for name in ["generation/00000001.manifest", folder::MARKER] {
        let path = lab.folder().join(name);
        let text = fs::read_to_string(&path).unwrap();
        let newer = text.replacen(" 1\n", " 2\n", 1);
        assert_ne!(newer, text);
        fs::write(&path, newer).unwrap();
        let opened = Folder::open(&lab.folder())
            .and_then(|folder| Restorer::open(&folder, None, &lab.key).map(drop));
        assert_eq!(opened.map_err(code), Err("backup.newer"), "{name}");
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn two_runs_never_write_at_the_same_time() {
    let lab = Lab::new();
    lab.create();
    let folder = Folder::open(&lab.folder()).unwrap();
    let lock = folder.lock().unwrap();
    let busy = lab.create_keeping(1).map_err(|error| error.problem().code);
    assert_eq!(busy, Err("backup.busy"));
    drop(lock);
    lab.create();
}

#[test]
fn a_backup_that_cannot_write_its_parts_ends_with_the_reason() {
    let lab = Lab::new();
    lab.create();
    // More than waits between reading and sealing.
    lab.record(600, 6_000);
    let parts = lab.folder().join("parts");
    fs::remove_dir_all(&parts).unwrap();
    fs::write(&parts, "in the way").unwrap();
    let failed = lab.create_keeping(KEEP_DEFAULT);
    assert!(
        matches!(failed, Err(BackupError::File { .. })),
        "{failed:?}"
    );
    fs::remove_file(&parts).unwrap();
    assert_eq!(lab.create().generation, 2);
    let folder = Folder::open(&lab.folder()).unwrap();
    let verified = verify(&folder, Some(2), &Trust::Key(&lab.key), None).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.faults);
}
