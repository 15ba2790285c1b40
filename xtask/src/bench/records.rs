//! Records at rest: Labward's beside the same bytes in plain SQLite and in SQLCipher 4.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use labward_base::id::{PatientId, RecordId};
use labward_records::{Format, Records, What};
use labward_store::Options;
use serde_json::Value;

use super::message::{RECORD_BYTES, results};
use super::process::Cost;
use super::report::Findings;
use super::rooms::{ME, Rooms, WHY};
use super::row::{Figure, Goal, Row};
use super::{Bench, Context, each};
use crate::run::{capture, cargo, root, run as show};

pub(super) const BENCH: Bench = Bench {
    name: "records",
    title: "Records at rest",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
100,000 records of 2 KiB about 1,000 patients, 200 in a commit, each commit synced; then 50,000 point reads
in a scattered order; then every record once.

- **Labward**: the rooms below the server, in one process. Insert is the import of HL7 files of 10,000
  messages (`Records::import`): parsed, matched to patients, sealed under the patient's key, each with its
  ledger entry, and afterwards merged into the indexes, which is counted. A point read is `Records::open`.
  The scan is `Records::export` of the original bytes, patient by patient, each export with its own synced
  entry.
- **SQLite**: a table of number, patient and bytes in the SQLite that Labward is built with, and the same
  pages (4 KiB), journal, syncs, checkpoints and `secure_delete`; a scan is one `SELECT` in the table's order.
- **SQLCipher**: the same program with SQLCipher 4 and a raw key, so that no passphrase is derived.

Peers are written in Rust (`xtask/sqlite-peer`), measure themselves, and neither parse nor know whose a
record is. Processor time is that of all threads of the process. Bytes on disk are the database file after it
was closed; Labward's holds the ledger, the keys and the indexes too.
";

/// How much is kept, read and scanned.
#[derive(Clone, Copy)]
struct Size {
    records: u32,
    /// Whose they are, the same number of each.
    patients: u64,
    reads: u32,
    /// Messages in one file.
    per_file: u32,
}

const FULL: Size = Size {
    records: 100_000,
    patients: 1_000,
    reads: 50_000,
    per_file: 10_000,
};

const QUICK: Size = Size {
    records: 4_000,
    patients: 100,
    reads: 1_000,
    per_file: 2_000,
};

/// Records that share a sync, as an import has them.
const PER_COMMIT: u32 = 200;

/// What one run showed, for one record.
#[derive(Clone, Copy, Debug)]
struct Measured {
    insert: One,
    read: One,
    scan: One,
    bytes: f64,
}

/// Processor time and time on the wall of one record, in µs.
#[derive(Clone, Copy, Debug)]
struct One {
    cpu_us: f64,
    wall_us: f64,
}

/// How one act is read off a run.
type Act = fn(&Measured) -> One;

const SYSTEMS: [&str; 3] = ["Labward", "SQLite", "SQLCipher"];

const CPU: Figure = Figure::less("CPU µs/record");
const SPEED: Figure = Figure::more("records/s");
const BYTES: Figure = Figure::less("bytes/record");

fn run(context: &Context<'_>) -> Result<Findings> {
    let size = context.size(FULL, QUICK);
    let peers = [
        Peer::build("sqlite-plain", &[])?,
        Peer::build("sqlite-cipher", &["--features", "sqlcipher"])?,
    ];
    let mut versions = [String::new(), String::new()];
    let [ours, plain, cipher] = context.rounds(SYSTEMS, |system| {
        let measured = match system.checked_sub(1).and_then(|peer| peers.get(peer)) {
            None => ours(context.place.join("records"), size)?,
            Some(peer) => {
                let (measured, version) = peer.run(context.place.join("peer"), size)?;
                if let Some(known) = versions.get_mut(system - 1) {
                    *known = version;
                }
                measured
            }
        };
        eprintln!(
            "bench records: {}: {:.1} µs CPU to insert, {:.1} to read, {:.1} to scan a record",
            SYSTEMS.get(system).unwrap_or(&""),
            measured.insert.cpu_us,
            measured.read.cpu_us,
            measured.scan.cpu_us
        );
        Ok(measured)
    })?;
    let mut rows = beside(&ours, &plain, "SQLite", None);
    let more: Vec<f64> = ours
        .iter()
        .zip(&plain)
        .map(|(ours, plain)| ours.insert.cpu_us - plain.insert.cpu_us)
        .collect();
    let more = Row::alone("insert, more than SQLite", CPU, &more);
    rows.push(more.goal(Some(Goal::AtMost(5.0))));
    rows.extend(beside(&ours, &cipher, "SQLCipher", Some(Goal::Ratio(1.0))));
    let [plain, cipher] = versions;
    Ok(Findings {
        how: format!(
            "{plain}, {cipher}; {} records, {} reads; medians of {} rounds.",
            size.records, size.reads, context.options.rounds
        ),
        rows,
    })
}

/// The figures beside one peer; `cheaper` is asked of the three that cost processor time.
fn beside(ours: &[Measured], peer: &[Measured], name: &str, cheaper: Option<Goal>) -> Vec<Row> {
    let acts: [(&str, Act); 3] = [
        ("insert", |m| m.insert),
        ("point read", |m| m.read),
        ("scan", |m| m.scan),
    ];
    let mut rows = Vec::new();
    for (act, read) in acts {
        let case = format!("{act}, beside {name}");
        let of = |runs: &[Measured], figure: fn(One) -> f64| each(runs, |run| figure(read(run)));
        let cpu = |one: One| one.cpu_us;
        let speed = |one: One| 1_000_000.0 / one.wall_us;
        rows.push(Row::beside(&case, CPU, &of(ours, cpu), &of(peer, cpu)).goal(cheaper));
        rows.push(Row::beside(
            &case,
            SPEED,
            &of(ours, speed),
            &of(peer, speed),
        ));
    }
    let bytes = |run: &Measured| run.bytes;
    rows.push(Row::beside(
        format!("on disk, beside {name}"),
        BYTES,
        &each(ours, bytes),
        &each(peer, bytes),
    ));
    rows
}

/// One run of Labward in a new folder.
fn ours(folder: PathBuf, size: Size) -> Result<Measured> {
    let rooms = Rooms::create(folder)?;
    let ground = rooms.ground()?;
    rooms.unseal(&ground)?;
    let records = rooms.records(&ground)?;
    let insert = insert(&records, size)?;
    drop(records);
    ground.store.close()?;
    drop(ground);
    let bytes = f64::from(u32::try_from(
        fs::metadata(rooms.database())?.len() / u64::from(size.records),
    )?);
    let ground = rooms.ground()?;
    rooms.unseal(&ground)?;
    let records = rooms.records(&ground)?;
    super::rooms::wait_for_names(&records);
    let ((), read) = Cost::of(|| read(&records, size))?;
    let ((), scan) = Cost::of(|| scan(&records, size))?;
    drop(records);
    ground.store.close()?;
    drop(ground);
    rooms.remove()?;
    Ok(Measured {
        insert,
        read: One::of(read, size.reads),
        scan: One::of(scan, size.records),
        bytes,
    })
}

fn insert(records: &Records, size: Size) -> Result<One> {
    let mut total = Cost {
        cpu_us: 0.0,
        seconds: 0.0,
    };
    let mut done = 0;
    while done < size.records {
        let end = (done + size.per_file).min(size.records);
        // The file is there before the clock starts, as it is on a disk.
        let file = results(done.into()..end.into(), size.patients);
        let (imported, cost) = Cost::of(|| {
            let imported = records.import(&file, None, ME, WHY)?;
            while records.merge_behind()? {}
            Ok(imported)
        })?;
        ensure!(
            imported.records == u64::from(end - done),
            "an import kept {} records",
            imported.records
        );
        total.cpu_us += cost.cpu_us;
        total.seconds += cost.seconds;
        done = end;
    }
    Ok(One::of(total, size.records))
}

fn read(records: &Records, size: Size) -> Result<()> {
    for number in 0..u64::from(size.reads) {
        // A prime step, so that neighbours in time are not neighbours on a page.
        let record = number.wrapping_mul(7_919) % u64::from(size.records) + 1;
        let opened = records.open(RecordId::new(record))?;
        ensure!(
            opened.bytes.expose().len() == RECORD_BYTES,
            "record {record} is not what was kept"
        );
    }
    Ok(())
}

fn scan(records: &Records, size: Size) -> Result<()> {
    let mut count = 0;
    for patient in 1..=size.patients {
        let what = What::Patient(PatientId::new(patient));
        let exported = records.export(what, Format::Original, ME, WHY)?;
        let mut bytes = Vec::new();
        exported.write_to(&mut bytes)?;
        count += bytes.len() / RECORD_BYTES;
    }
    ensure!(
        u32::try_from(count)? == size.records,
        "{count} records were exported"
    );
    Ok(())
}

impl One {
    fn of(cost: Cost, records: u32) -> Self {
        Self {
            cpu_us: cost.cpu_us / f64::from(records),
            wall_us: cost.seconds * 1_000_000.0 / f64::from(records),
        }
    }
}

/// The program `sqlite-peer` in one of its two builds.
struct Peer {
    program: PathBuf,
}

impl Peer {
    fn build(name: &str, features: &[&str]) -> Result<Self> {
        let target = format!("target/{name}");
        show(
            &format!("build {name}"),
            cargo()
                .args(["build", "--quiet", "--release", "--locked"])
                .args(["--manifest-path", "xtask/sqlite-peer/Cargo.toml"])
                .args(["--target-dir", &target])
                .args(features),
        )?;
        Ok(Self {
            program: root().join(target).join("release/sqlite-peer"),
        })
    }

    /// One run in a new folder, and which engine it was.
    fn run(&self, folder: PathBuf, size: Size) -> Result<(Measured, String)> {
        fs::create_dir(&folder)?;
        let options = Options::new("");
        let text = capture(
            "sqlite-peer",
            Command::new(&self.program)
                .arg(folder.join("peer.sqlite"))
                .arg(size.records.to_string())
                .arg(RECORD_BYTES.to_string())
                .arg(size.reads.to_string())
                .arg(PER_COMMIT.to_string())
                .arg(options.page_size.to_string())
                .arg(options.autocheckpoint_bytes.to_string()),
        )?;
        fs::remove_dir_all(&folder)?;
        read_peer(&text, size)
    }
}

/// What a peer printed.
fn read_peer(text: &str, size: Size) -> Result<(Measured, String)> {
    let said: Value = serde_json::from_str(text).context("read what the peer found")?;
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    let one = |act: &str| {
        let of = |figure: &str| number(said.get(act).and_then(|act| act.get(figure)));
        Some(One {
            cpu_us: of("cpu_us")?,
            wall_us: of("wall_us")?,
        })
    };
    let measured = || {
        Some(Measured {
            insert: one("insert")?,
            read: one("read")?,
            scan: one("scan")?,
            bytes: number(said.get("bytes"))? / f64::from(size.records),
        })
    };
    let version = said.get("version").and_then(Value::as_str);
    Ok((
        measured().context("the peer left a figure out")?,
        version.unwrap_or("an unknown engine").to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Workplace;

    const TINY: Size = Size {
        records: 2_000,
        patients: 20,
        reads: 50,
        per_file: 1_000,
    };

    #[test]
    fn every_record_that_is_inserted_is_read_and_scanned() {
        let place = Workplace::create("xtask-records").unwrap();
        let measured = ours(place.join("records"), TINY).unwrap();
        // Packed, but with an entry and indexes.
        assert!((500.0..2_000.0).contains(&measured.bytes), "{measured:?}");
        for one in [measured.insert, measured.read, measured.scan] {
            assert!(one.cpu_us > 0.0 && one.wall_us > 0.0, "{measured:?}");
        }
    }

    #[test]
    fn a_peer_that_leaves_a_figure_out_is_an_error() {
        let whole = r#"{"version":"SQLite 3","bytes":4096000,"insert":{"cpu_us":1,"wall_us":2},
            "read":{"cpu_us":3,"wall_us":4},"scan":{"cpu_us":5,"wall_us":6}}"#;
        let (measured, version) = read_peer(whole, TINY).unwrap();
        assert_eq!(version, "SQLite 3");
        assert!((measured.bytes - 2_048.0).abs() < 1e-9 && measured.scan.wall_us > 5.0);
        assert!(read_peer(&whole.replace("scan", "scam"), TINY).is_err());
        assert!(read_peer("", TINY).is_err());
    }
}
