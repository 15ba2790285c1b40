//! Opening the database: one process, a sound file, the right schema, nothing readable by others.
//!
//! It must never touch a file that is another program's, damaged, or newer than this program.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::from_engine;
use crate::lock::take_lock;
use crate::{Durability, Journal, Migration, Options, StoreError, Tx};

/// `Labw` in ASCII, in the header of every database of Labward.
const APPLICATION_ID: i64 = 0x4c61_6277;
/// Statements kept prepared per connection; preparing again costs 13–15 µs each.
const CACHED_STATEMENTS: usize = 256;
/// How long to wait for a lock of the engine, which only an outside tool can hold.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long emptying the log waits for readers: so long no unit is answered.
const TRUNCATION_TIMEOUT: Duration = Duration::from_millis(200);
/// Read at once when the whole file is read.
const READ_AHEAD_BYTES: usize = 1 << 20;
/// A log that grew behind a long reader is cut back to this many times the autocheckpoint size.
const LOG_LIMIT_FACTOR: u64 = 4;

/// An open database: its lock, its one writing connection, and how the last run ended.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) lock: File,
    pub(crate) after_crash: bool,
}

/// Opens or creates the database, checks it, brings its schema up to date and loads the journal.
pub(crate) fn open(
    options: &Options,
    migrations: &[Migration],
    journal: &mut dyn Journal,
) -> Result<Opened, StoreError> {
    let lock = take_lock(&beside(&options.path, ".lock"))?.ok_or(StoreError::Busy)?;
    let after_crash = fs::exists(beside(&options.path, "-wal"))?;
    create_private(&options.path)?;
    if after_crash && options.vfs.is_none() {
        read_ahead(&options.path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(options, flags)?;
    let version = check_header(&connection, migrations.len())?;
    // By name, never by a descriptor: closing one would drop the engine's POSIX locks.
    fs::set_permissions(&options.path, fs::Permissions::from_mode(0o600))?;
    set_up_writer(&connection, options)?;
    if after_crash {
        check_integrity(&connection)?;
    }
    let missing = migrations.get(version..).unwrap_or_default();
    if version > 0 && !missing.is_empty() {
        keep_copy(&connection, &options.path, migrations.len())?;
    }
    migrate(&mut connection, missing, migrations.len(), journal)?;
    sync_folder(&options.path)?;
    Ok(Opened {
        lock,
        connection,
        after_crash,
    })
}

/// One more connection that can only read.
pub(crate) fn open_reader(options: &Options) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(options, flags)
}

/// Moves the whole log into the database and empties it; `false` if a reader still needs it.
pub(crate) fn truncate_log(connection: &Connection) -> Result<bool, StoreError> {
    connection
        .busy_timeout(TRUNCATION_TIMEOUT)
        .map_err(from_engine)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, i64>(0)
    });
    connection.busy_timeout(BUSY_TIMEOUT).map_err(from_engine)?;
    busy.map(|busy| busy == 0).map_err(from_engine)
}

/// Writes a compact copy of the database to `copy`: written aside, synced, then renamed.
pub(crate) fn copy_into(connection: &Connection, copy: &Path) -> Result<(), StoreError> {
    let part = beside(copy, ".part");
    if fs::exists(&part)? {
        fs::remove_file(&part)?;
    }
    create_private(&part)?;
    let target = part
        .to_str()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"))?;
    connection
        .execute("VACUUM INTO $1", [target])
        .map_err(from_engine)?;
    File::open(&part)?.sync_all()?;
    fs::rename(&part, copy)?;
    sync_folder(copy)
}

/// `path` with `suffix` added to its last part.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Creates the file unless it is there; the engine gives its log and index the same mode.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut open = OpenOptions::new();
    match open.create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

fn connect(options: &Options, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(&options.path, flags, vfs.as_str()),
        None => Connection::open_with_flags(&options.path, flags),
    }
    .map_err(from_engine)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(from_engine)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    for (name, value) in [
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("foreign_keys", 1),
    ] {
        set(&connection, name, value)?;
    }
    set(&connection, "temp_store", 2)?;
    Ok(connection)
}

/// The schema's version, 0 for a new file; refuses what is not ours or too new.
fn check_header(connection: &Connection, known: usize) -> Result<usize, StoreError> {
    let application_id = get(connection, "application_id")?;
    let found = get(connection, "user_version")?;
    if application_id != APPLICATION_ID {
        if application_id != 0 || get(connection, "schema_version")? != 0 {
            return Err(StoreError::Foreign { application_id });
        }
        return Ok(0);
    }
    match usize::try_from(found) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(StoreError::NewerSchema {
            found,
            known: i64::try_from(known).unwrap_or(i64::MAX),
        }),
    }
}

fn set_up_writer(connection: &Connection, options: &Options) -> Result<(), StoreError> {
    // The page size of a new file is fixed by the first write, which the journal mode is.
    set(connection, "page_size", options.page_size.into())?;
    connection
        .pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
        .map_err(from_engine)?;
    let page_size = get(connection, "page_size")?.max(512);
    let autocheckpoint = i64::try_from(options.autocheckpoint_bytes).unwrap_or(i64::MAX);
    let log_limit = options
        .autocheckpoint_bytes
        .saturating_mul(LOG_LIMIT_FACTOR);
    set(
        connection,
        "wal_autocheckpoint",
        (autocheckpoint / page_size).clamp(1, i32::MAX.into()),
    )?;
    set(
        connection,
        "journal_size_limit",
        i64::try_from(log_limit).unwrap_or(i64::MAX),
    )?;
    set(
        connection,
        "synchronous",
        match options.durability {
            Durability::Full => 2,
            #[cfg(feature = "fault-injection")]
            Durability::UnsafeOff => 0,
        },
    )?;
    // What disposal deletes is overwritten, not only unlinked (NIST SP 800-88).
    set(connection, "secure_delete", 1)
}

/// Reads the file once in order. The check after a crash reads every page in the order of the trees, one
/// by one: ten times as slow on a disk, and meanwhile no message is taken. Before the engine opens the
/// file: closing a descriptor of it later would drop the engine's POSIX locks.
fn read_ahead(path: &Path) -> Result<(), StoreError> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; READ_AHEAD_BYTES];
    while file.read(&mut piece)? > 0 {}
    Ok(())
}

fn check_integrity(connection: &Connection) -> Result<(), StoreError> {
    let place: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(from_engine)?;
    if place == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged { place })
    }
}

/// Every place of the whole file that is not sound, the first hundred; and every table and index
/// whose definition is another than these steps make.
pub(crate) fn unsound_places(
    connection: &Connection,
    migrations: &[Migration],
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection
        .prepare("PRAGMA integrity_check(100)")
        .map_err(from_engine)?;
    let places = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(from_engine)?;
    let mut all = places.collect::<Result<Vec<_>, _>>().map_err(from_engine)?;
    all.retain(|place| place != "ok");
    all.extend(foreign_definitions(connection, migrations)?);
    Ok(all)
}

/// The engine believes any definition that parses, so a changed one is found by making it anew.
fn foreign_definitions(
    connection: &Connection,
    migrations: &[Migration],
) -> Result<Vec<String>, StoreError> {
    let anew = Connection::open_in_memory().map_err(from_engine)?;
    for migration in migrations {
        anew.execute_batch(migration.sql).map_err(from_engine)?;
    }
    let (expected, present) = (definitions(&anew)?, definitions(connection)?);
    let differs = |name: &&Vec<u8>| expected.get(*name) != present.get(*name);
    let all: BTreeSet<&Vec<u8>> = expected.keys().chain(present.keys()).collect();
    let named = |name: &Vec<u8>| {
        let name = String::from_utf8_lossy(name);
        format!("schema, {name}: its definition is not the one that was made")
    };
    Ok(all.into_iter().filter(differs).map(named).collect())
}

/// The definition of every table and index by its name, but for what the engine keeps for itself.
fn definitions(connection: &Connection) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
    let sql = "SELECT CAST(name AS BLOB), \
               CAST(type || ' ' || tbl_name || ' ' || coalesce(sql, '') AS BLOB) \
               FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'";
    let mut statement = connection.prepare(sql).map_err(from_engine)?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(from_engine)?;
    rows.collect::<Result<_, _>>().map_err(from_engine)
}

/// Keeps the database as it was before version `to`.
fn keep_copy(connection: &Connection, path: &Path, to: usize) -> Result<(), StoreError> {
    let copy = beside(path, &format!(".before-v{to}"));
    // One from an earlier attempt holds no more than this one will.
    copy_into(connection, &copy)
}

/// All missing steps, the version and the journal's first state in one transaction.
fn migrate(
    connection: &mut Connection,
    missing: &[Migration],
    to: usize,
    journal: &mut dyn Journal,
) -> Result<(), StoreError> {
    let begun = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(from_engine)?;
    for migration in missing {
        tracing::info!(name = migration.name, to, "migrate the database");
        begun.execute_batch(migration.sql).map_err(from_engine)?;
    }
    if !missing.is_empty() || get(&begun, "application_id")? == 0 {
        set(&begun, "application_id", APPLICATION_ID)?;
        set(
            &begun,
            "user_version",
            i64::try_from(to).unwrap_or(i64::MAX),
        )?;
    }
    journal.load(&mut Tx::new(&begun, None))?;
    begun.commit().map_err(from_engine)
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(File::open(folder)?.sync_all()?)
}

fn get(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .map_err(from_engine)
}

fn set(connection: &Connection, name: &str, value: i64) -> Result<(), StoreError> {
    // Some of them answer with a row and some do not.
    connection
        .pragma_update(None, name, value)
        .map_err(from_engine)
}
