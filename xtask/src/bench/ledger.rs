//! The ledger: what an entry costs, how long an outsider verifies, what a proof costs.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use labward_base::id::{EntryIndex, PatientId, PeerId, RecordId};
use labward_ledger::{
    Action, Actor, BundleRange, Facts, LedgerError, MIGRATIONS, NewEntry, Prover, Publisher,
    StoredEntry, Subject, VerifierKey, append, entries_with_payload, export_bundle, verify_bundle,
};
use labward_seal::OVERHEAD_BYTES;
use labward_seal::sign::SigningKey;
use labward_store::{NoJournal, Store, StoreError, Tx, Value};

use super::message::MESSAGE_BYTES;
use super::process::Cost;
use super::report::Findings;
use super::rooms::{NODE, SITE, journal, open_store};
use super::row::{Figure, Goal, Row};
use super::{Bench, Context, each};

pub(super) const BENCH: Bench = Bench {
    name: "ledger",
    title: "The ledger",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
The rooms below the server, in one process.

- **Append**: entries as the gateway writes them, each with a sealed record of 583 bytes, 64 in a commit, each
  commit synced. The peer is the same database without the ledger's work: the finished rows of such a ledger,
  inserted with the same columns, indexes and commits. The difference is what the ledger does: the time, the
  canonical leaf, the SHA-256 of record and leaf, the tree and its head.
- **Verify**: the bundle of 1,000,000 entries, as `labward ledger export` writes it, read from a file and
  checked offline with the public key: form, every hash, the root, the signature, the order of time.
- **Proof**: the inclusion proof of one entry out of those 1,000,000, made from tiles and row and verified
  (`labward_ledger::Prover`, a new one each round, as the server keeps one), 1,000 of them in a scattered
  order: nearly each needs a tile of leaves that was not read before.
";

/// How much is measured.
#[derive(Clone, Copy)]
struct Size {
    /// Entries of each run of append.
    appended: u64,
    /// Entries of the ledger that is verified and proved from.
    verified: u64,
    proofs: u32,
}

const FULL: Size = Size {
    appended: 50_000,
    verified: 1_000_000,
    proofs: 1_000,
};

const QUICK: Size = Size {
    appended: 2_000,
    verified: 5_000,
    proofs: 50,
};

/// Entries of one commit: what 64 connections bring together.
const PER_COMMIT: u64 = 64;

/// Entries of one commit where only the end counts.
const PER_COMMIT_IN_BULK: u64 = 5_000;

const CPU: Figure = Figure::less("CPU µs/entry");
const SYSTEMS: [&str; 2] = ["the ledger", "the rows alone"];

fn run(context: &Context<'_>) -> Result<Findings> {
    let size = context.size(FULL, QUICK);
    let path = context.place.join("append.sqlite");
    let rows = Arc::new(finished_rows(&path, size.appended)?);
    let [with, without] = context.rounds(SYSTEMS, |system| {
        let cost = match system {
            0 => append_entries(&path, size.appended, PER_COMMIT),
            _ => insert_rows(&path, &rows),
        }?;
        remove(&path)?;
        let micros = cost.cpu_us / f64::from(u32::try_from(size.appended)?);
        eprintln!(
            "bench ledger: {}: {micros:.2} µs CPU",
            SYSTEMS.get(system).unwrap_or(&"")
        );
        Ok(micros)
    })?;
    let more: Vec<f64> = with.iter().zip(&without).map(|(a, b)| a - b).collect();
    let mut found = vec![
        Row::beside(
            "commit of entries, beside their rows alone",
            CPU,
            &with,
            &without,
        ),
        Row::alone("append", CPU, &more).goal(Some(Goal::AtMost(3.0))),
    ];
    drop(rows);
    found.extend(Published::make(context, size)?.measure(context, size)?);
    Ok(Findings {
        how: format!(
            "{} entries appended, {} verified, {} proofs; medians of {} rounds.",
            size.appended, size.verified, size.proofs, context.options.rounds
        ),
        rows: found,
    })
}

/// The rows of a ledger with so many entries.
fn finished_rows(path: &Path, count: u64) -> Result<Vec<StoredEntry>> {
    append_entries(path, count, PER_COMMIT_IN_BULK)?;
    let store = open_store(path, MIGRATIONS, journal())?;
    let rows = store.read(|snapshot| {
        let limit = u32::try_from(count).unwrap_or(u32::MAX);
        entries_with_payload(snapshot, EntryIndex::new(0), limit)
    })?;
    store.close()?;
    ensure!(rows.len() as u64 == count, "the ledger lacks entries");
    remove(path)?;
    Ok(rows)
}

/// Appends so many entries to a new ledger at `path`.
fn append_entries(path: &Path, count: u64, per_commit: u64) -> Result<Cost> {
    let store = open_store(path, MIGRATIONS, journal())?;
    let ((), cost) = Cost::of(|| append_to(&store, count, per_commit))?;
    store.close()?;
    Ok(cost)
}

fn append_to(store: &Store, count: u64, per_commit: u64) -> Result<()> {
    let mut done = 0;
    while done < count {
        let end = (done + per_commit).min(count);
        store.write(move |tx| -> Result<(), LedgerError> {
            (done..end).try_for_each(|number| append(tx, &entry(number)).map(drop))
        })?;
        done = end;
    }
    Ok(())
}

/// Inserts finished rows into a new database at `path`, with as many in a commit.
fn insert_rows(path: &Path, rows: &Arc<Vec<StoredEntry>>) -> Result<Cost> {
    let store = open_store(path, MIGRATIONS, Box::new(NoJournal))?;
    let per_commit = usize::try_from(PER_COMMIT)?;
    let ((), cost) = Cost::of(|| {
        for begin in (0..rows.len()).step_by(per_commit) {
            let rows = Arc::clone(rows);
            store.write(move |tx| -> Result<(), StoreError> {
                let part = rows.iter().skip(begin).take(per_commit);
                for row in part {
                    // The payload is made anew by both, so that both are handed the same work.
                    insert(tx, row, &payload())?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    store.close()?;
    Ok(cost)
}

fn insert(tx: &mut Tx<'_>, row: &StoredEntry, payload: &[u8]) -> Result<(), StoreError> {
    let number = |number: Option<i64>| number.map_or(Value::Null, Value::Int);
    tx.execute(
        "INSERT INTO entry (idx, site, record, patient, kind, action, leaf, payload, hints) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            row.index.as_sql().into(),
            row.site.as_sql().into(),
            number(row.record.map(RecordId::as_sql)),
            number(row.patient.map(PatientId::as_sql)),
            row.kind.into(),
            row.action.as_str().into(),
            Value::Bytes(&row.leaf),
            Value::Bytes(payload),
            Value::Null,
        ],
    )?;
    Ok(())
}

/// What the gateway records of a message.
fn entry(number: u64) -> NewEntry {
    let record = RecordId::new(number + 1);
    let actor = Actor::Peer(PeerId::new(7));
    let facts = Facts::new()
        .text("link", "load")
        .text("type", "ORU^R01")
        .number("bytes", MESSAGE_BYTES);
    let mut entry = NewEntry::new(
        SITE,
        actor,
        Action::MessageReceived,
        Subject::Record(record),
    );
    entry.facts = facts;
    entry.patient = Some(PatientId::new(number % 1_000 + 1));
    entry.record = Some(record);
    entry.kind = 1;
    entry.payload = Some(payload());
    entry
}

fn payload() -> Vec<u8> {
    vec![0x5a; MESSAGE_BYTES + OVERHEAD_BYTES]
}

/// A ledger with tiles, a signed checkpoint and its bundle.
struct Published {
    store: Store,
    folder: std::path::PathBuf,
    bundle: std::path::PathBuf,
    verifier: VerifierKey,
}

impl Published {
    fn make(context: &Context<'_>, size: Size) -> Result<Self> {
        let path = context.place.join("published.sqlite");
        let store = open_store(&path, MIGRATIONS, journal())?;
        append_to(&store, size.verified, PER_COMMIT_IN_BULK)?;
        let (folder, bundle) = (context.place.join("ledger"), context.place.join("bundle"));
        let key = SigningKey::generate().ok().context("make a signing key")?;
        let publisher = Publisher::new(&folder, NODE, "labward.local/bench");
        publisher.publish(&store, &key)?;
        let verifier = publisher.verifier(&key)?;
        let mut out = BufWriter::new(File::create(&bundle)?);
        export_bundle(
            &store,
            &folder,
            &verifier,
            &BundleRange::default(),
            &mut out,
        )?;
        out.flush()?;
        Ok(Self {
            store,
            folder,
            bundle,
            verifier,
        })
    }

    fn measure(&self, context: &Context<'_>, size: Size) -> Result<Vec<Row>> {
        let [verified, proved] = context.rounds(["verify", "prove"], |what| match what {
            0 => self.verify(size.verified),
            _ => self.prove(size),
        })?;
        let case = format!("verify {} entries offline", size.verified);
        let seconds = each(&verified, |cost| cost.seconds);
        let proofs = f64::from(size.proofs);
        let one = each(&proved, |cost| cost.seconds * 1_000_000.0 / proofs);
        Ok(vec![
            Row::alone(case, Figure::less("s"), &seconds).goal(Some(Goal::AtMost(5.0))),
            Row::alone("proof of one entry", Figure::less("µs"), &one)
                .goal(Some(Goal::AtMost(50.0))),
        ])
    }

    fn verify(&self, count: u64) -> Result<Cost> {
        let (report, cost) = Cost::of(|| {
            let reader = BufReader::with_capacity(1 << 16, File::open(&self.bundle)?);
            Ok(verify_bundle(reader, &self.verifier)?)
        })?;
        ensure!(report.entries == count, "the bundle lacks entries");
        Ok(cost)
    }

    fn prove(&self, size: Size) -> Result<Cost> {
        // A new one each time: what it keeps from proof to proof is what it has read in this run.
        let mut prover = Prover::new(&self.folder, self.verifier.clone());
        let ((), cost) = Cost::of(|| {
            for number in 0..u64::from(size.proofs) {
                let index = number.wrapping_mul(7_919) % size.verified;
                prover.prove(&self.store, EntryIndex::new(index))?;
            }
            Ok(())
        })?;
        Ok(cost)
    }
}

/// Removes a database and what stands beside it.
fn remove(path: &Path) -> Result<()> {
    for name in ["sqlite", "sqlite-wal", "sqlite-shm", "sqlite.lock"] {
        let file = path.with_extension(name);
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::quick;
    use super::*;
    use crate::guard::Workplace;

    const TINY: Size = Size {
        appended: 200,
        verified: 600,
        proofs: 20,
    };

    #[test]
    fn the_rows_alone_are_those_that_the_ledger_writes() {
        let place = Workplace::create("xtask-ledger-rows").unwrap();
        let path = place.join("append.sqlite");
        let rows = Arc::new(finished_rows(&path, TINY.appended).unwrap());
        assert!(
            rows.iter()
                .all(|row| row.payload.as_ref() == Some(&payload()))
        );
        insert_rows(&path, &rows).unwrap();
        let store = open_store(&path, MIGRATIONS, Box::new(NoJournal)).unwrap();
        let again = store
            .read(|snapshot| entries_with_payload(snapshot, EntryIndex::new(0), 1_000))
            .unwrap();
        assert_eq!(again, *rows);
    }

    #[test]
    fn a_published_ledger_is_verified_and_proved_entry_by_entry() {
        let place = Workplace::create("xtask-ledger").unwrap();
        let context = quick(&place, 1);
        let published = Published::make(&context, TINY).unwrap();
        let rows = published.measure(&context, TINY).unwrap();
        assert_eq!(rows.len(), 2);
        assert!(published.verify(TINY.verified + 1).is_err());
    }
}
