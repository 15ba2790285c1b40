//! One bit changed in every page of the database, every tile and checkpoint and every sealed file:
//! it is found and its place named, or nothing that anybody reads has changed.
//!
//! Who finds it: the start (a page that the engine cannot read, a tree head that does not fit, a key
//! or patient that does not open), `ledger verify` (rows, payloads, tiles, checkpoints, structure of
//! the file), or the opening of the record.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_base::Clock as _;
use labward_base::id::RecordId;
use labward_ledger::{VerifierKey, verify};
use labward_malware::{Malware, NewDetection, Origin, Particulars, Treatment, Way};
use labward_scan::Verdict;
use labward_store::{Options, Query, Store, StoreError};
use labward_testkit::{Random, TempDir};

use crate::support::{
    Client, Installation, NODE, Numbered, Opened, SITE, from_environment, open_rooms,
};

/// The database's page; a new database has this size.
const PAGE: usize = 4096;
/// Bits changed in each page; `LABWARD_FLIPS` sets another number.
const FLIPS: usize = 2;

/// Tables whose rows nothing vouches for beyond the structure of the file: what stands in them is
/// rebuilt, or was entered by an act that the ledger holds.
const UNSEALED: &[&str] = &[
    "accession_index",
    "behaviour_baseline",
    "delivery_cursor",
    "delivery_exception",
    "finding",
    "held_message",
    "malware_detection",
    "malware_rescan",
    "malware_rule_set",
    "patient",
    "patient_identifier",
    "peer",
    "person",
    "quarantine_item",
    "record_cursor",
    "record_index",
    "reserve_cursor",
    "sqlite_sequence",
];

/// Where the program keeps things, copied so that each change begins from what is sound.
struct Copy {
    folder: TempDir,
}

impl Copy {
    fn of(data: &Path) -> Self {
        let folder = TempDir::new();
        copy_all(data, folder.path());
        Self { folder }
    }

    fn flip(&self, file: &Path, bit: usize) {
        let path = self.folder.join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(path, bytes).unwrap();
    }

    /// Every place that is found to be wrong, by who found it.
    fn faults(&self, lab: &Installation) -> Vec<String> {
        match self.look(lab) {
            Ok(faults) => faults,
            Err(error) => vec![format!("start: {}", chain(error.as_ref()))],
        }
    }

    fn look(&self, lab: &Installation) -> Result<Vec<String>, Box<dyn Error>> {
        let data = self.folder.path();
        let rooms = open_rooms(
            Options::new(data.join("db/labward.sqlite")),
            data,
            &lab.key_file(),
            &data.join("blob"),
        )?;
        let looked = look_inside(&rooms, data);
        let closed = rooms.store.close();
        let faults = looked?;
        closed?;
        Ok(faults)
    }

    fn rows(&self) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
        let options = Options::new(self.folder.join("db/labward.sqlite"));
        let store = Store::open(
            options,
            &labward_server::migrations(),
            Box::new(labward_store::NoJournal),
        )?;
        let rows = rows(&store);
        store.close()?;
        rows
    }
}

fn look_inside(rooms: &Opened, data: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut faults = Vec::new();
    let key = fs::read_to_string(data.join("ledger/key.pub"))?;
    let key: VerifierKey = key.trim().parse()?;
    let report = verify(&rooms.store, NODE, Some((&data.join("ledger"), &key)))?;
    faults.extend(
        report
            .faults
            .iter()
            .map(|fault| format!("verify: {}: {}", fault.place, fault.what)),
    );
    for place in rooms.store.unsound_places()? {
        faults.push(format!("verify: database: {place}"));
    }
    for name in rooms.keys.damaged_secrets()? {
        faults.push(format!("verify: database: secret {name}"));
    }
    for item in quarantine(rooms, data)?.damaged()? {
        faults.push(format!("verify: item {item} of the quarantine"));
    }
    for record in records(&rooms.store)? {
        if let Err(error) = rooms.records.open(record) {
            faults.push(format!("record {record}: {error}"));
        }
    }
    Ok(faults)
}

fn quarantine(rooms: &Opened, data: &Path) -> Result<Malware, Box<dyn Error>> {
    Ok(Malware::load(labward_malware::Setup {
        store: rooms.store.clone(),
        keys: rooms.keys.clone(),
        site: SITE,
        folder: data.join("quarantine"),
        retention: Duration::from_secs(90 * 86_400),
        largest: 1 << 30,
    })?)
}

/// Puts something small and something that is a file into quarantine.
fn put_into_quarantine(lab: &Installation) {
    let rooms = lab.open();
    let malware = quarantine(&rooms, lab.data()).unwrap();
    for length in [3_000, (1 << 20) + 1] {
        let bytes: Vec<u8> = (0..length)
            .map(|i: u32| i.to_le_bytes()[0] ^ 0x5a)
            .collect();
        let origin = Origin {
            way: Way::Folder,
            place: "incoming".to_owned(),
            from: "pc-7".to_owned(),
            peer: None,
            record: None,
        };
        let now = labward_os::SystemClock.now();
        let sealed = malware
            .seal(
                origin.clone(),
                &Particulars::default(),
                &mut bytes.as_slice(),
                now,
            )
            .unwrap();
        let detection = NewDetection {
            origin,
            verdict: Verdict::Malicious,
            found: Vec::new(),
            treatment: Treatment::Removed,
            is_late: false,
            rules: "00".repeat(32),
            sha256: sealed.sha256().to_owned(),
            size_bytes: sealed.size_bytes(),
        };
        let by = labward_ledger::Actor::System;
        malware.commit(Some(&sealed), &detection, by, now).unwrap();
    }
    rooms.store.close().unwrap();
}

fn records(store: &Store) -> Result<Vec<RecordId>, StoreError> {
    store.read(|snapshot| {
        snapshot.query_all(
            "SELECT record FROM entry WHERE record IS NOT NULL ORDER BY record",
            &[],
            |row| Ok(RecordId::from_sql(row.int(0)?).unwrap_or(RecordId::new(0))),
        )
    })
}

/// Every value of every table, as text; what is not UTF-8 any more is another text.
fn rows(store: &Store) -> Result<BTreeMap<String, Vec<String>>, StoreError> {
    store.read(|snapshot| {
        let text = |row: &labward_store::Row<'_>| Ok(row.text(0)?.to_owned());
        let tables = snapshot.query_all(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
            &[],
            text,
        )?;
        let mut all = BTreeMap::new();
        for table in tables {
            let columns: Vec<String> = snapshot.query_all(
                "SELECT 'quote(\"' || name || '\")' FROM pragma_table_info($1)",
                &[table.as_str().into()],
                text,
            )?;
            let sql = format!(
                "SELECT CAST({} AS BLOB) FROM {table} ORDER BY 1",
                columns.join(" || ',' || ")
            );
            let rows = snapshot.query_all(&sql, &[], |row| {
                Ok(String::from_utf8_lossy(row.bytes(0)?).into_owned())
            });
            // A table that cannot be read is another one than it was.
            let unreadable = |error: StoreError| vec![chain(&error)];
            all.insert(table, rows.unwrap_or_else(unreadable));
        }
        Ok(all)
    })
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        text.push_str(&format!(": {cause}"));
        below = cause.source();
    }
    text
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            copy_all(&path, &target);
        } else if path.is_file() {
            fs::copy(&path, target).unwrap();
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// A lab with messages of several patients, one record that is a sealed file, and something in quarantine.
fn lab() -> Installation {
    let lab = Installation::create("[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n");
    let server = lab.serve();
    let peer = lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.address("hl7"), &peer).unwrap();
    for number in 1..=40 {
        let message = Numbered {
            client: 1,
            patient: number % 4,
            number,
        };
        let code = client.exchange(&message.message(), &message.control_id());
        assert_eq!(code.unwrap(), "AA");
    }
    let mut large = Numbered {
        client: 2,
        patient: 1,
        number: 1,
    }
    .message();
    let mut random = Random::new(1);
    let noise: String = (0..100_000)
        .map(|_| format!("{:016x}", random.next_u64()))
        .collect();
    large.extend_from_slice(format!("OBX|2|ED|PDF||^AP^^HEX^{noise}\r").as_bytes());
    let code = client.exchange(&large, "K2-1-1");
    assert_eq!(code.unwrap(), "AA");
    lab.run(&["ledger", "verify"]).ok();
    server.stop();
    put_into_quarantine(&lab);
    lab
}

#[test]
fn one_bit_changed_anywhere_is_found_and_named_or_changes_nothing_that_is_read() {
    let lab = lab();
    let data = lab.data();
    assert_eq!(
        Copy::of(data).faults(&lab),
        Vec::<String>::new(),
        "sound before"
    );
    let sound = Copy::of(data).rows().unwrap();
    let mut random = Random::new(7);
    let mut who: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unvouched = BTreeSet::new();

    let database = PathBuf::from("db/labward.sqlite");
    let length = fs::read(data.join(&database)).unwrap().len();
    assert!(length / PAGE > 30, "{} pages", length / PAGE);
    let flips = from_environment("LABWARD_FLIPS", FLIPS);
    for page in 0..length / PAGE {
        for _ in 0..flips {
            let within = usize::try_from(random.below(PAGE as u64 * 8)).unwrap();
            let copy = Copy::of(data);
            copy.flip(&database, page * PAGE * 8 + within);
            let changed = Copy::of(copy.folder.path()).rows();
            let faults = copy.faults(&lab);
            if let Some(fault) = faults.first() {
                let finder = fault.split(' ').next().unwrap();
                let finder = ["start:", "verify:"].into_iter().find(|one| *one == finder);
                *who.entry(finder.unwrap_or("record")).or_default() += 1;
                continue;
            }
            // Nobody complains: then nothing is different, but for rows that nothing vouches for.
            let changed = changed.unwrap_or_else(|error| panic!("page {page}: {}", chain(&error)));
            let tables = sound
                .keys()
                .filter(|table| changed.get(*table) != sound.get(*table));
            for table in tables {
                assert!(
                    is_unvouched(table, &sound, &changed),
                    "page {page}: {table} changed unseen"
                );
                unvouched.insert(table.clone());
            }
            *who.entry("nothing that is read").or_default() += 1;
        }
    }
    for folder in ["ledger", "blob", "quarantine"] {
        let mut found = Vec::new();
        files(&data.join(folder), &mut found);
        assert!(!found.is_empty(), "{folder}");
        for path in found.iter().filter(|path| !path.ends_with("key.pub")) {
            let file = path.strip_prefix(data).unwrap();
            let bits = fs::metadata(path).unwrap().len() * 8;
            for _ in 0..flips * 4 {
                let bit = usize::try_from(random.below(bits)).unwrap();
                let copy = Copy::of(data);
                copy.flip(file, bit);
                let faults = copy.faults(&lab);
                assert!(!faults.is_empty(), "{} bit {bit}", file.display());
                *who.entry(folder).or_default() += 1;
            }
        }
    }
    eprintln!("found by: {who:?}; changed unseen: {unvouched:?}");
    assert!(who["verify:"] > 0 && who["start:"] > 0, "{who:?}");
}

/// Rows that no digest or seal covers; of an entry these are the hints beside its leaf.
fn is_unvouched(
    table: &str,
    sound: &BTreeMap<String, Vec<String>>,
    changed: &BTreeMap<String, Vec<String>>,
) -> bool {
    if table != "entry" {
        return UNSEALED.contains(&table);
    }
    // idx, site, record, patient, kind, action, leaf, payload, hints, dropped_by
    let without_hints = |rows: &Vec<String>| -> Vec<Vec<String>> {
        let cut = |row: &String| {
            let mut parts: Vec<String> = row.split(',').map(str::to_owned).collect();
            parts.remove(8);
            parts
        };
        rows.iter().map(cut).collect()
    };
    without_hints(&sound[table]) == without_hints(&changed[table])
}
