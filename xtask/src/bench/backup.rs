//! Backups: whole, verified and restored, beside the same disk reading and writing as much.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use rustix::fs::{Advice, fadvise, syncfs};
use serde_json::Value;

use super::message::{RECORD_BYTES, results};
use super::report::Findings;
use super::row::{Figure, Goal, Row};
use super::{Bench, Context, each};
use crate::guard::Workplace;
use crate::installation::{self, Installation};

pub(super) const BENCH: Bench = Bench {
    name: "backup",
    title: "Backup and restore",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
The release program with 100,000 records of 2 KiB about 1,000 patients, made once by `record import`; every
figure is of one whole command, as a person waits for it. Before each, what it will read is dropped from the
system's memory (`posix_fadvise`), so that Labward and the peer read the disk itself; what a hypervisor keeps
is out of reach. Data, backup and what is restored lie on one disk.

- **Whole**: `backup create` into an empty folder: every page read, sealed, written and synced, with the
  ledger published before and an entry after. **Nothing changed**: the next one.
- **Verify**: `backup verify`: every part read, compared and opened.
- **Restore**: `backup restore` into a new data folder: every part opened, the database written and synced,
  then every row and payload of it checked against the ledger. **Until it is verified**: the restore, the start
  of the new server until it is open, and `ledger verify` there. Some records are then compared with what came.
- **The disk**: as many bytes read from the same database, in its order and 1 MiB at a time, and written to one
  new file that is synced at the end; for the restore the same from that file. Nothing is sealed, compared or
  checked.

MB/s are bytes of the installation, before sealing, by the time on the wall; a whole backup and a restore
read and write each of them once.
";

/// How much is kept.
#[derive(Clone, Copy)]
struct Size {
    records: u64,
    /// Whose they are, the same number of each.
    patients: u64,
    /// Messages in one file of the import.
    per_file: u64,
}

const FULL: Size = Size {
    records: 100_000,
    patients: 1_000,
    per_file: 10_000,
};

const QUICK: Size = Size {
    records: 2_000,
    patients: 100,
    per_file: 1_000,
};

/// Read and written at once by the peer.
const BLOCK_BYTES: usize = 1 << 20;

const SYSTEMS: [&str; 2] = ["Labward", "the disk"];
const WHY: [&str; 2] = ["--why", "a measurement"];

/// Bytes of a backup.
#[derive(Clone, Copy, Debug)]
struct Bytes {
    /// Of what it is taken of, before sealing.
    total: u64,
    /// That the first one writes.
    written: u64,
}

/// The time of each act in seconds; what the peer does not do is not measured.
#[derive(Clone, Copy, Debug)]
struct Measured {
    whole: f64,
    unchanged: f64,
    verify: f64,
    restore: f64,
    until_verified: f64,
}

fn run(context: &Context<'_>) -> Result<Findings> {
    let size = context.size(FULL, QUICK);
    let place = context.place;
    let program = installation::build()?;
    let lab = Installation::create(&program, place, "data", &[])?;
    let server = lab.serve()?;
    import(&lab, place, size)?;
    // What the log holds goes into the database, which is what the peer reads.
    server.stop()?;
    let server = lab.serve()?;
    let bytes = first(&lab, place)?;
    eprintln!(
        "bench backup: {} bytes, of which a backup writes {}",
        bytes.total, bytes.written
    );
    let [ours, disk] = context.rounds(SYSTEMS, |system| {
        let measured = match system {
            0 => ours(&lab, place, size)?,
            _ => disk(&lab.database(), place, bytes)?,
        };
        eprintln!(
            "bench backup: {}: {:.2} s whole, {:.2} unchanged, {:.2} to verify, {:.2} to restore",
            SYSTEMS.get(system).unwrap_or(&""),
            measured.whole,
            measured.unchanged,
            measured.verify,
            measured.restore
        );
        Ok(measured)
    })?;
    server.stop()?;
    Ok(Findings {
        how: format!(
            "{} records, an installation of {:.1} MB; medians of {} rounds.",
            size.records,
            megabytes(bytes.total)?,
            context.options.rounds
        ),
        rows: rows(&ours, &disk, megabytes(bytes.total)?),
    })
}

fn rows(ours: &[Measured], disk: &[Measured], total_mb: f64) -> Vec<Row> {
    type Act = fn(&Measured) -> f64;
    let acts: [(&str, Act, Option<f64>); 4] = [
        ("whole, beside the disk", |m| m.whole, Some(0.6)),
        ("nothing changed, beside the disk", |m| m.unchanged, None),
        ("verify, beside the disk", |m| m.verify, None),
        ("restore, beside the disk", |m| m.restore, Some(0.6)),
    ];
    let mut rows = Vec::new();
    for (case, act, least) in acts {
        let speed = |runs: &[Measured]| each(runs, |run| total_mb / act(run));
        let row = Row::beside(case, Figure::more("MB/s"), &speed(ours), &speed(disk));
        rows.push(row.goal(least.map(Goal::Ratio)));
    }
    let seconds = Figure::less("s");
    rows.push(Row::alone("restore", seconds, &each(ours, |m| m.restore)));
    let until_verified = each(ours, |m| m.until_verified);
    let row = Row::alone("restore until it is verified", seconds, &until_verified);
    rows.push(row.goal(Some(Goal::AtMost(60.0))));
    rows
}

/// Keeps the records.
fn import(lab: &Installation, place: &Workplace, size: Size) -> Result<()> {
    let file = place.join("import.hl7");
    let words = ["record", "import", &text(&file)];
    let mut kept = 0;
    while kept < size.records {
        let end = (kept + size.per_file).min(size.records);
        fs::write(&file, results(kept..end, size.patients)).context("write a file to import")?;
        let imported = lab.json(&[&words[..], &WHY].concat())?;
        let count = imported.pointer("/0/records").and_then(Value::as_u64);
        ensure!(count == Some(end - kept), "an import kept {count:?}");
        kept = end;
    }
    fs::remove_file(&file).context("remove what was imported")
}

/// The bytes of a first backup, which goes again.
fn first(lab: &Installation, place: &Workplace) -> Result<Bytes> {
    let folder = place.join("first");
    let made = create(lab, &folder)?;
    fs::remove_dir_all(&folder)?;
    let number = |name: &str| {
        let number = made.get(name).and_then(Value::as_u64);
        number.with_context(|| format!("the backup does not say {name}"))
    };
    Ok(Bytes {
        total: number("total_bytes")?,
        written: number("written_bytes")?,
    })
}

fn create(lab: &Installation, folder: &Path) -> Result<Value> {
    let words = ["backup", "create", "--to", &text(folder)];
    lab.json(&[&words[..], &WHY].concat())
}

/// One round of Labward, of which nothing stays.
fn ours(lab: &Installation, place: &Workplace, size: Size) -> Result<Measured> {
    let [backup, keys, data] = ["backup", "keys", "restored"].map(|name| place.join(name));
    forget(&[lab.data()])?;
    let (_, whole) = timed(|| create(lab, &backup))?;
    forget(&[lab.data()])?;
    let (_, unchanged) = timed(|| create(lab, &backup))?;
    forget(&[&backup])?;
    let (verified, verify) = timed(|| lab.json(&["backup", "verify", "--from", &text(&backup)]))?;
    let is_opened = ["good", "opened"].map(|name| verified.get(name).and_then(Value::as_bool));
    ensure!(is_opened == [Some(true); 2], "a part was not opened");
    let words = ["key", "archive", "create", "--to", &text(&keys)];
    lab.labward(&[&words[..], &WHY].concat())?;
    forget(&[&backup, &keys])?;
    let slot = lab.key_file();
    let ((), restore) = timed(|| {
        let from = ["backup", "restore", "--from", &text(&backup)];
        let with = ["--keys", &text(&keys), "--key-file", &text(slot)];
        let to = ["--to", &text(&data)];
        lab.labward(&[&from[..], &with, &to].concat()).map(drop)
    })?;
    let restored = lab.at(data);
    let (server, start_and_verify) = timed(|| {
        let server = restored.serve()?;
        let verified = restored.json(&["ledger", "verify"])?;
        let entries = verified.get("entries").and_then(Value::as_u64);
        ensure!(
            entries.is_some_and(|entries| entries >= size.records),
            "{entries:?} entries were restored"
        );
        Ok(server)
    })?;
    compare(&restored, place, size)?;
    server.stop()?;
    restored.remove()?;
    for folder in [backup, keys] {
        fs::remove_dir_all(folder)?;
    }
    Ok(Measured {
        whole,
        unchanged,
        verify,
        restore,
        until_verified: restore + start_and_verify,
    })
}

/// Some records of the restored installation, byte for byte.
fn compare(restored: &Installation, place: &Workplace, size: Size) -> Result<()> {
    for number in [0, size.records / 2, size.records - 1] {
        let out = place.join("record");
        let record = (number + 1).to_string();
        let words = [
            "record",
            "export",
            "--record",
            &record,
            "--out",
            &text(&out),
        ];
        restored.labward(&[&words[..], &WHY].concat())?;
        let came = results(number..number + 1, size.patients);
        ensure!(
            came.len() == RECORD_BYTES && fs::read(&out)?.starts_with(came.trim_ascii_end()),
            "record {record} is not what was kept"
        );
        fs::remove_file(&out)?;
    }
    Ok(())
}

/// One round of the disk, of which nothing stays.
fn disk(database: &Path, place: &Workplace, bytes: Bytes) -> Result<Measured> {
    let [copy, back] = ["copy", "back"].map(|name| place.join(name));
    let Bytes { total, written } = bytes;
    forget(&[database])?;
    let ((), whole) = timed(|| pass(database, total, Some((&copy, written))))?;
    forget(&[database])?;
    let ((), unchanged) = timed(|| pass(database, total, None))?;
    forget(&[&copy])?;
    let ((), verify) = timed(|| pass(&copy, written, None))?;
    forget(&[&copy])?;
    let ((), restore) = timed(|| pass(&copy, written, Some((&back, total))))?;
    for file in [copy, back] {
        fs::remove_file(file)?;
    }
    Ok(Measured {
        whole,
        unchanged,
        verify,
        restore,
        until_verified: f64::NAN,
    })
}

/// Reads `bytes` of a file, from its beginning again where it ends, and writes so many to a new one,
/// which is synced.
fn pass(from: &Path, bytes: u64, to: Option<(&Path, u64)>) -> Result<()> {
    let open = || File::open(from).with_context(|| format!("read {}", from.display()));
    let mut source = open()?;
    let mut target = match to {
        Some((path, bytes)) => Some((
            File::create_new(path).with_context(|| format!("write {}", path.display()))?,
            bytes,
        )),
        None => None,
    };
    let mut block = vec![0; BLOCK_BYTES];
    let mut left = bytes;
    loop {
        let wanted = at_most(&mut block, left);
        let read = source.read(wanted)?;
        if read == 0 && left > 0 {
            source = open()?;
            ensure!(source.metadata()?.len() > 0, "{} is empty", from.display());
        }
        left -= u64::try_from(read)?;
        let Some((file, left_to_write)) = &mut target else {
            if left == 0 {
                return Ok(());
            }
            continue;
        };
        // Sealing makes it longer: the rest is written when nothing is left to be read.
        let ready = if left == 0 {
            *left_to_write
        } else {
            u64::try_from(read)?
        };
        let ready = at_most(&mut block, ready.min(*left_to_write));
        file.write_all(ready)?;
        *left_to_write -= u64::try_from(ready.len())?;
        if left == 0 && *left_to_write == 0 {
            return Ok(file.sync_all()?);
        }
    }
}

/// The beginning of a block, no longer than `bytes`.
fn at_most(block: &mut [u8], bytes: u64) -> &mut [u8] {
    let bytes = usize::try_from(bytes)
        .unwrap_or(usize::MAX)
        .min(block.len());
    block.get_mut(..bytes).unwrap_or_default()
}

/// Syncs the disk and drops these files, and what is below these folders, from the system's memory.
fn forget(places: &[&Path]) -> Result<()> {
    for place in places {
        let opened = File::open(place).with_context(|| format!("open {}", place.display()))?;
        syncfs(&opened).with_context(|| format!("sync {}", place.display()))?;
        drop_from_memory(place)?;
    }
    Ok(())
}

fn drop_from_memory(place: &Path) -> Result<()> {
    let kind = fs::symlink_metadata(place)?.file_type();
    if kind.is_dir() {
        for entry in fs::read_dir(place)? {
            drop_from_memory(&entry?.path())?;
        }
    } else if kind.is_file() {
        fadvise(File::open(place)?, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// What `act` gives and how many seconds it takes.
fn timed<T>(act: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let begin = Instant::now();
    let done = act()?;
    Ok((done, begin.elapsed().as_secs_f64()))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// In 10^6 bytes.
fn megabytes(bytes: u64) -> Result<f64> {
    Ok(f64::from(u32::try_from(bytes / 1_000)?) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_reads_and_writes_as_much_as_it_is_told() {
        let place = Workplace::create("xtask-disk").unwrap();
        let from = place.join("from");
        fs::write(&from, vec![7; 3_000_000]).unwrap();
        for (read, written) in [
            (3_000_000, 3_100_000),
            (3_100_000, 3_000_000),
            (10, 2_500_000),
        ] {
            let to = place.join(&format!("to-{read}"));
            pass(&from, read, Some((&to, written))).unwrap();
            assert_eq!(fs::metadata(&to).unwrap().len(), written);
        }
        pass(&from, 7_000_000, None).unwrap();
        let empty = place.join("empty");
        fs::write(&empty, "").unwrap();
        assert!(pass(&empty, 1, None).is_err());
        let measured = disk(
            &from,
            &place,
            Bytes {
                total: 3_000_000,
                written: 3_100_000,
            },
        );
        let measured = measured.unwrap();
        assert!(
            measured.whole > 0.0 && measured.restore > 0.0,
            "{measured:?}"
        );
        assert!(!place.join("copy").exists() && !place.join("back").exists());
    }

    #[test]
    fn files_in_folders_are_dropped_and_stay_what_they_are() {
        let place = Workplace::create("xtask-forget").unwrap();
        fs::create_dir(place.join("below")).unwrap();
        let file = place.join("below/file");
        fs::write(&file, "kept").unwrap();
        forget(&[place.path()]).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"kept");
        assert!(forget(&[&place.join("none")]).is_err());
    }

    #[test]
    fn a_slow_backup_misses_its_goal_and_a_slow_restore_too() {
        let one = |seconds| Measured {
            whole: seconds,
            unchanged: 1.0,
            verify: 1.0,
            restore: seconds,
            until_verified: 100.0,
        };
        let rows = rows(&[one(2.0)], &[one(1.0)], 100.0);
        let missed: Vec<&str> = rows
            .iter()
            .filter(|row| row.holds() == Some(false))
            .map(|row| row.case.as_str())
            .collect();
        assert_eq!(
            missed,
            [
                "whole, beside the disk",
                "restore, beside the disk",
                "restore until it is verified"
            ]
        );
    }
}
