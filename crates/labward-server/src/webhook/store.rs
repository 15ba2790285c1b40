//! The SQL of webhooks: how far each one was told. The columns are explained in `webhook.sql`.
//!
//! It must never move a cursor back: what was taken once is not sent again by itself.

use labward_base::Timestamp;
use labward_base::id::EntryIndex;
use labward_store::{Migration, Query, Row as SqlRow, StoreError, Tx};

/// The steps that lead to the schema of webhooks.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    name: "webhooks",
    sql: include_str!("webhook.sql"),
}];

/// What is known of a webhook over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) next: EntryIndex,
    pub(super) delivered: Option<Timestamp>,
    pub(super) failing_since: Option<Timestamp>,
    pub(super) stopped: Option<Timestamp>,
    pub(super) secret_made: Option<Timestamp>,
    pub(super) former_until: Option<Timestamp>,
}

const COLUMNS: &str = "name, next_idx, delivered_us, failing_since_us, stopped_us, secret_us, \
    former_until_us FROM webhook";

pub(super) fn rows<Q: Query>(query: &mut Q) -> Result<Vec<Row>, StoreError> {
    query.query_all(&format!("SELECT {COLUMNS} ORDER BY name"), &[], read)
}

pub(super) fn row<Q: Query>(query: &mut Q, name: &str) -> Result<Option<Row>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE name = $1");
    query.query_opt(&sql, &[name.into()], read)
}

fn read(row: &SqlRow<'_>) -> Result<Row, StoreError> {
    let time = |column| Ok::<_, StoreError>(row.opt_int(column)?.map(Timestamp::from_micros));
    Ok(Row {
        name: row.text(0)?.to_owned(),
        next: EntryIndex::from_sql(row.int(1)?).unwrap_or(EntryIndex::new(0)),
        delivered: time(2)?,
        failing_since: time(3)?,
        stopped: time(4)?,
        secret_made: time(5)?,
        former_until: time(6)?,
    })
}

/// Adds one that is told of what is recorded from `next` on.
pub(super) fn insert(tx: &mut Tx<'_>, name: &str, next: EntryIndex) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO webhook (name, next_idx) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &[name.into(), next.as_sql().into()],
    )?;
    Ok(())
}

pub(super) fn delete(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM webhook WHERE name = $1", &[name.into()])?;
    Ok(())
}

/// All before `next` was taken, or is not meant for it; `taken` is when the last was, if one was.
pub(super) fn advance(
    tx: &mut Tx<'_>,
    name: &str,
    next: EntryIndex,
    taken: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook SET next_idx = $1 WHERE name = $2 AND next_idx < $3",
        &[next.as_sql().into(), name.into(), next.as_sql().into()],
    )?;
    if let Some(taken) = taken {
        tx.execute(
            "UPDATE webhook SET delivered_us = $1, failing_since_us = NULL WHERE name = $2",
            &[taken.as_micros().into(), name.into()],
        )?;
    }
    Ok(())
}

pub(super) fn set_failing(tx: &mut Tx<'_>, name: &str, since: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook SET failing_since_us = $1 WHERE name = $2 AND failing_since_us IS NULL",
        &[since.as_micros().into(), name.into()],
    )?;
    Ok(())
}

pub(super) fn set_stopped(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook SET stopped_us = $1 WHERE name = $2",
        &[now.as_micros().into(), name.into()],
    )?;
    Ok(())
}

pub(super) fn set_resumed(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook SET stopped_us = NULL, failing_since_us = NULL WHERE name = $1",
        &[name.into()],
    )?;
    Ok(())
}

/// A secret was made at `made`; the one before signs until `former_until`, too.
pub(super) fn set_secret(
    tx: &mut Tx<'_>,
    name: &str,
    made: Timestamp,
    former_until: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook SET secret_us = $1, former_until_us = $2 WHERE name = $3",
        &[
            made.as_micros().into(),
            former_until.map(Timestamp::as_micros).into(),
            name.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn end_former(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE webhook SET former_until_us = NULL WHERE name = $1",
        &[name.into()],
    )?;
    Ok(())
}
