//! The SQL of backups: the last runs, and restores that wait for a person.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, SiteId};
use labward_store::{Migration, Query, StoreError, Tx, Value};

/// The step that leads to the schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "backups",
    sql: include_str!("../schema.sql"),
}];

/// What a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// It made a backup.
    Created,
    /// It restored into a scratch folder and compared.
    Drilled,
    /// It read and compared every part.
    Verified,
}

/// The newest run of one kind that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What it did.
    pub kind: RunKind,
    /// When it ended.
    pub time: Timestamp,
    /// The generation that it wrote or read.
    pub generation: u64,
    /// The folder.
    pub folder: String,
    /// Whether the folder lay on the data's own file system.
    pub beside_data: Option<bool>,
}

/// A restore of this installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restore {
    /// The epoch of the ledger that it opened.
    pub epoch: u32,
    /// When.
    pub time: Timestamp,
}

impl RunKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Drilled => "drilled",
            Self::Verified => "verified",
        }
    }
}

/// Notes a run, in the unit of its entry.
///
/// # Errors
/// [`StoreError`].
pub fn put_run(
    tx: &mut Tx<'_>,
    site: SiteId,
    run: &Run,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO backup_run (site, kind, time_us, generation, folder, beside_data, entry) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site, kind) DO UPDATE SET \
         time_us = excluded.time_us, generation = excluded.generation, folder = excluded.folder, \
         beside_data = excluded.beside_data, entry = excluded.entry",
        &[
            site.as_sql().into(),
            run.kind.name().into(),
            run.time.as_micros().into(),
            i64::try_from(run.generation).unwrap_or(i64::MAX).into(),
            run.folder.as_str().into(),
            run.beside_data
                .map(i64::from)
                .map_or(Value::Null, Value::Int),
            entry.as_sql().into(),
        ],
    )?;
    Ok(())
}

/// The newest run of each kind.
///
/// # Errors
/// [`StoreError`].
pub fn last_runs(query: &mut impl Query, site: SiteId) -> Result<Vec<Run>, StoreError> {
    query.query_all(
        "SELECT kind, time_us, generation, folder, beside_data FROM backup_run WHERE site = $1",
        &[site.as_sql().into()],
        |row| {
            let name = row.text(0)?;
            let kinds = [RunKind::Created, RunKind::Drilled, RunKind::Verified];
            let kind = kinds.into_iter().find(|kind| kind.name() == name);
            Ok(Run {
                kind: kind.ok_or_else(damaged)?,
                time: Timestamp::from_micros(row.int(1)?),
                generation: u64::try_from(row.int(2)?).map_err(|_| damaged())?,
                folder: row.text(3)?.to_owned(),
                beside_data: row.opt_int(4)?.map(|beside| beside == 1),
            })
        },
    )
}

/// The entry that records the newest run of this kind.
///
/// # Errors
/// [`StoreError`].
pub fn entry_of_last_run(
    query: &mut impl Query,
    site: SiteId,
    kind: RunKind,
) -> Result<Option<EntryIndex>, StoreError> {
    query.query_opt(
        "SELECT entry FROM backup_run WHERE site = $1 AND kind = $2",
        &[site.as_sql().into(), kind.name().into()],
        |row| EntryIndex::from_sql(row.int(0)?).ok_or_else(damaged),
    )
}

/// Notes a restore, which a person must confirm.
///
/// # Errors
/// [`StoreError`].
pub fn insert_restore(tx: &mut Tx<'_>, site: SiteId, restore: &Restore) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO restore (site, epoch, time_us) VALUES ($1, $2, $3)",
        &[
            site.as_sql().into(),
            restore.epoch.into(),
            restore.time.as_micros().into(),
        ],
    )?;
    Ok(())
}

/// The newest restore that waits for a person's confirmation.
///
/// # Errors
/// [`StoreError`].
pub fn unconfirmed_restore(
    query: &mut impl Query,
    site: SiteId,
) -> Result<Option<Restore>, StoreError> {
    query.query_opt(
        "SELECT epoch, time_us FROM restore WHERE site = $1 AND confirmed IS NULL \
         ORDER BY epoch DESC LIMIT 1",
        &[site.as_sql().into()],
        |row| {
            Ok(Restore {
                epoch: u32::try_from(row.int(0)?).map_err(|_| damaged())?,
                time: Timestamp::from_micros(row.int(1)?),
            })
        },
    )
}

/// Notes a person's confirmation of every restore that waits for one; how many there were.
///
/// # Errors
/// [`StoreError`].
pub fn confirm_restore(
    tx: &mut Tx<'_>,
    site: SiteId,
    entry: EntryIndex,
) -> Result<usize, StoreError> {
    tx.execute(
        "UPDATE restore SET confirmed = $1 WHERE site = $2 AND confirmed IS NULL",
        &[entry.as_sql().into(), site.as_sql().into()],
    )
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "a row of table backup_run or restore".to_owned(),
    }
}
