//! The SQL of the queue; the columns are explained in `schema.sql`.
//!
//! The row changes in the unit that records why (**Invariant:** no change without an entry).

use labward_base::id::EntryIndex;
use labward_store::{Migration, Query, StoreError, Tx};

/// The steps of this room's table.
const OWN: &[Migration] = &[Migration {
    name: "edge queue",
    sql: include_str!("../schema.sql"),
}];

/// Every step of the edge's database, in the order of the rooms' levels.
pub(crate) fn migrations() -> Vec<Migration> {
    [
        labward_ledger::MIGRATIONS,
        labward_identity::MIGRATIONS,
        labward_gateway::MIGRATIONS,
        OWN,
        labward_identity::RENEWAL_MIGRATIONS,
    ]
    .concat()
}

/// How far the queue has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The entry from which on items may still wait.
    pub(crate) next: EntryIndex,
    /// The last item that the server took.
    pub(crate) sent: u64,
    /// Items that were found damaged and passed over.
    pub(crate) damaged: u64,
}

/// How far the queue has come.
pub(crate) fn progress<Q: Query>(query: &mut Q) -> Result<Progress, StoreError> {
    let sql = "SELECT next, sent, damaged FROM queue WHERE id = 1";
    query.query_one(sql, &[], |row| {
        let damaged = || StoreError::Damaged {
            place: "the row of the queue".to_owned(),
        };
        Ok(Progress {
            next: EntryIndex::from_sql(row.int(0)?).ok_or_else(damaged)?,
            sent: u64::try_from(row.int(1)?).map_err(|_| damaged())?,
            damaged: u64::try_from(row.int(2)?).map_err(|_| damaged())?,
        })
    })
}

/// Writes how far the queue has come.
pub(crate) fn put_progress(tx: &mut Tx<'_>, progress: &Progress) -> Result<(), StoreError> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    tx.execute(
        "UPDATE queue SET next = $1, sent = $2, damaged = $3 WHERE id = 1",
        &[
            progress.next.as_sql().into(),
            number(progress.sent).into(),
            number(progress.damaged).into(),
        ],
    )?;
    Ok(())
}
