//! The peer of `cargo xtask bench records`: the same number of records of the same size in plain
//! SQLite, or in SQLCipher 4 if it was built with that feature.
//!
//! It measures itself and prints one JSON object. It must never do more than a program has to that
//! keeps, reads and scans blobs: what it leaves out is what Labward's figures contain besides.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

/// A raw key: what deriving one from a passphrase costs at opening is left out.
#[cfg(feature = "sqlcipher")]
const KEY: &str = "x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'";

/// What is to be done, in the order of the arguments.
struct Task {
    database: PathBuf,
    records: i64,
    record_bytes: usize,
    reads: i64,
    per_commit: i64,
    page_size: i64,
    autocheckpoint_bytes: i64,
}

/// Processor time of this process and time on the wall, both in µs.
struct Meter {
    cpu_us: f64,
    wall: Instant,
}

fn main() -> Result<()> {
    let task = Task::read()?;
    let mut connection = task.open()?;
    connection.execute_batch(
        "CREATE TABLE record (id INTEGER PRIMARY KEY, patient BIGINT NOT NULL, body BLOB NOT NULL)",
    )?;
    let insert = measure(|| task.insert(&mut connection))?;
    connection
        .close()
        .map_err(|(_, error)| error)
        .context("close the database")?;
    let bytes = fs::metadata(&task.database)?.len();
    let connection = task.open()?;
    let read = measure(|| task.read_points(&connection))?;
    let scan = measure(|| task.scan(&connection))?;
    let version = match (
        said(&connection, "cipher_version"),
        said(&connection, "cipher_provider"),
    ) {
        (Some(version), Some(provider)) => format!("SQLCipher {version} with {provider}"),
        _ => format!("SQLite {}", rusqlite::version()),
    };
    println!(
        "{}",
        json!({ "version": version, "bytes": bytes, "insert": insert, "read": read, "scan": scan })
    );
    Ok(())
}

impl Task {
    fn read() -> Result<Self> {
        let mut words = std::env::args().skip(1);
        let database = PathBuf::from(words.next().context("name the database")?);
        let mut number = || -> Result<i64> {
            let word = words.next().context("a number is missing")?;
            word.parse().with_context(|| format!("read {word}"))
        };
        Ok(Self {
            database,
            records: number()?,
            record_bytes: usize::try_from(number()?)?,
            reads: number()?,
            per_commit: number()?,
            page_size: number()?,
            autocheckpoint_bytes: number()?,
        })
    }

    /// Opens the database as Labward opens its own.
    fn open(&self) -> Result<Connection> {
        let connection = open_engine(&self.database, self.page_size)?;
        connection.pragma_update(None, "page_size", self.page_size)?;
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        ensure!(mode == "wal", "the journal mode is {mode}");
        for (name, value) in [
            ("synchronous", 2),
            ("temp_store", 2),
            ("secure_delete", 1),
            ("trusted_schema", 0),
            ("cell_size_check", 1),
            (
                "wal_autocheckpoint",
                self.autocheckpoint_bytes / self.page_size,
            ),
        ] {
            connection.pragma_update(None, name, value)?;
        }
        // SQLCipher answers with text.
        let page_size = connection.pragma_query_value(None, "page_size", |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Integer(number) => number.to_string(),
                other => other.as_str()?.to_owned(),
            })
        })?;
        ensure!(
            page_size == self.page_size.to_string(),
            "the pages have {page_size} bytes"
        );
        Ok(connection)
    }

    fn insert(&self, connection: &mut Connection) -> Result<i64> {
        let mut body = vec![b'x'; self.record_bytes];
        let mut id = 0;
        while id < self.records {
            let transaction = connection.transaction()?;
            {
                let mut statement = transaction
                    .prepare_cached("INSERT INTO record (id, patient, body) VALUES (?1, ?2, ?3)")?;
                let end = (id + self.per_commit).min(self.records);
                while id < end {
                    id += 1;
                    fill(&mut body, id);
                    statement.execute(params![id, id % 1000, body])?;
                }
            }
            transaction.commit()?;
        }
        Ok(self.records)
    }

    fn read_points(&self, connection: &Connection) -> Result<i64> {
        let mut statement = connection.prepare_cached("SELECT body FROM record WHERE id = ?1")?;
        for number in 0..self.reads {
            // A prime step, so that neighbours in time are not neighbours on a page.
            let id = number.wrapping_mul(7_919) % self.records + 1;
            let body: Vec<u8> = statement.query_row([id], |row| row.get(0))?;
            ensure!(is_whole(&body, id), "record {id} is not what was kept");
        }
        Ok(self.reads)
    }

    fn scan(&self, connection: &Connection) -> Result<i64> {
        let mut statement = connection.prepare("SELECT id, body FROM record ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let (id, body): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            ensure!(is_whole(&body, id), "record {id} is not what was kept");
            count += 1;
        }
        ensure!(count == self.records, "{count} records were found");
        Ok(count)
    }
}

impl Meter {
    fn start() -> Self {
        Self {
            cpu_us: cpu_us(),
            wall: Instant::now(),
        }
    }
}

/// Runs `work`, which says how many records it handled, and gives the figures of one.
fn measure(work: impl FnOnce() -> Result<i64>) -> Result<serde_json::Value> {
    let meter = Meter::start();
    let count = u32::try_from(work()?).context("count records")?;
    let records = f64::from(count.max(1));
    Ok(json!({
        "cpu_us": (cpu_us() - meter.cpu_us) / records,
        "wall_us": meter.wall.elapsed().as_secs_f64() * 1_000_000.0 / records,
    }))
}

/// Processor time of this process so far, in µs.
fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let nanos = time.tv_sec.saturating_mul(1_000_000_000) + time.tv_nsec;
    std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or_default()).as_secs_f64()
        * 1_000_000.0
}

fn fill(body: &mut [u8], id: i64) {
    if let Some(head) = body.first_chunk_mut::<8>() {
        *head = id.to_be_bytes();
    }
}

fn is_whole(body: &[u8], id: i64) -> bool {
    body.first_chunk::<8>() == Some(&id.to_be_bytes()) && body.last() == Some(&b'x')
}

#[cfg(feature = "sqlcipher")]
fn open_engine(path: &Path, page_size: i64) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "key", KEY)?;
    connection.pragma_update(None, "cipher_page_size", page_size)?;
    Ok(connection)
}

#[cfg(not(feature = "sqlcipher"))]
fn open_engine(path: &Path, _page_size: i64) -> Result<Connection> {
    Ok(Connection::open(path)?)
}

/// What the engine says of itself; `None` of one that does not encrypt.
fn said(connection: &Connection, pragma: &str) -> Option<String> {
    connection
        .pragma_query_value(None, pragma, |row| row.get(0))
        .ok()
}
