//! The SQL of delivery; the columns are explained in `schema.sql`.
//!
//! A cursor and the exceptions change in the unit that records the outcome (**Invariant:** no
//! change without an entry); a row that only notes that a message waits repeats what the ledger
//! holds already.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, RecordId, SiteId};
use labward_store::{Migration, Query, Row, StoreError, Tx, Value};

use super::status::{ExceptionState, WaitingFilter, WaitingMessage};
use crate::config::DestinationName;

/// The steps that lead to delivery's schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "delivery",
    sql: include_str!("schema.sql"),
}];

/// Where the rows of one destination stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) site: SiteId,
    pub(super) destination: DestinationName,
}

/// How far a destination has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) next: EntryIndex,
    pub(super) stopped: Option<String>,
}

/// A row of what was not delivered in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) entry: EntryIndex,
    pub(super) record: RecordId,
    pub(super) state: ExceptionState,
    pub(super) attempts: u32,
    pub(super) answers: u32,
    pub(super) next: Timestamp,
    pub(super) since: Timestamp,
    pub(super) reason: String,
    pub(super) keys: Vec<u64>,
}

impl Exception {
    /// What people see of it.
    pub(super) fn at(self, destination: &DestinationName) -> WaitingMessage {
        WaitingMessage {
            destination: destination.clone(),
            entry: self.entry,
            record: self.record,
            state: self.state,
            attempts: self.attempts,
            answers: self.answers,
            next: self.next,
            since: self.since,
            reason: self.reason,
        }
    }
}

/// The cursor of a destination, written if it is new: it then begins with the ledger, so that
/// whatever names it is found.
pub(super) fn begin(tx: &mut Tx<'_>, place: &Place) -> Result<Cursor, StoreError> {
    tx.execute(
        "INSERT INTO delivery_cursor (site, destination, next_entry) VALUES ($1, $2, 0) \
         ON CONFLICT (site, destination) DO NOTHING",
        &[
            place.site.as_sql().into(),
            place.destination.as_str().into(),
        ],
    )?;
    tx.query_one(
        "SELECT next_entry, stopped FROM delivery_cursor WHERE site = $1 AND destination = $2",
        &[
            place.site.as_sql().into(),
            place.destination.as_str().into(),
        ],
        |row| {
            Ok(Cursor {
                next: EntryIndex::from_sql(row.int(0)?).ok_or_else(damaged)?,
                stopped: row.opt_text(1)?.map(str::to_owned),
            })
        },
    )
}

/// Moves a cursor; it never goes back.
pub(super) fn advance(tx: &mut Tx<'_>, place: &Place, next: EntryIndex) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE delivery_cursor SET next_entry = $1 \
         WHERE site = $2 AND destination = $3 AND next_entry < $1",
        &[
            next.as_sql().into(),
            place.site.as_sql().into(),
            place.destination.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Stops a destination, or lets it go on; `false` if it was so already.
pub(super) fn set_stopped(
    tx: &mut Tx<'_>,
    place: &Place,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE delivery_cursor SET stopped = $1 \
         WHERE site = $2 AND destination = $3 AND (stopped IS NULL) <> ($1 IS NULL)",
        &[
            reason.map_or(Value::Null, Value::Text),
            place.site.as_sql().into(),
            place.destination.as_str().into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Stops every destination that has begun, in the unit that records why; those that are stopped
/// already keep their reason. What runs does not see it: it is for a database before its start.
///
/// # Errors
/// [`StoreError`].
pub fn hold_all(tx: &mut Tx<'_>, site: SiteId, reason: &str) -> Result<usize, StoreError> {
    tx.execute(
        "UPDATE delivery_cursor SET stopped = $1 WHERE site = $2 AND stopped IS NULL",
        &[reason.into(), site.as_sql().into()],
    )
}

/// Notes that a message waits; what is known of it already stays.
pub(super) fn park(tx: &mut Tx<'_>, place: &Place, row: &Exception) -> Result<(), StoreError> {
    write(
        tx,
        place,
        row,
        "INSERT INTO delivery_exception (site, destination, entry, record, state, attempts, \
         answers, next_us, since_us, reason, ordering) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (site, destination, entry) DO NOTHING",
    )
}

/// Writes what is now known of a message.
pub(super) fn put(tx: &mut Tx<'_>, place: &Place, row: &Exception) -> Result<(), StoreError> {
    write(
        tx,
        place,
        row,
        "INSERT INTO delivery_exception (site, destination, entry, record, state, attempts, \
         answers, next_us, since_us, reason, ordering) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (site, destination, entry) DO UPDATE SET state = excluded.state, \
         attempts = excluded.attempts, answers = excluded.answers, next_us = excluded.next_us, \
         since_us = excluded.since_us, reason = excluded.reason",
    )
}

fn write(tx: &mut Tx<'_>, place: &Place, row: &Exception, sql: &str) -> Result<(), StoreError> {
    let keys: Vec<u8> = row.keys.iter().flat_map(|key| key.to_be_bytes()).collect();
    tx.execute(
        sql,
        &[
            place.site.as_sql().into(),
            place.destination.as_str().into(),
            row.entry.as_sql().into(),
            row.record.as_sql().into(),
            row.state.stored().into(),
            row.attempts.into(),
            row.answers.into(),
            row.next.as_micros().into(),
            row.since.as_micros().into(),
            row.reason.as_str().into(),
            (&keys).into(),
        ],
    )?;
    Ok(())
}

/// Removes the row of a message that is done; it need not be there.
pub(super) fn remove(tx: &mut Tx<'_>, place: &Place, entry: EntryIndex) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM delivery_exception WHERE site = $1 AND destination = $2 AND entry = $3",
        &[
            place.site.as_sql().into(),
            place.destination.as_str().into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(())
}

/// Columns of an exception, in the order of [`read`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT entry, record, state, attempts, answers, next_us, since_us, reason, ordering, ",
            "destination FROM delivery_exception ",
            $rest
        )
    };
}

/// Up to `limit` rows of a destination from `from` on that are not dead, in order.
pub(super) fn load<Q: Query>(
    query: &mut Q,
    place: &Place,
    from: EntryIndex,
    limit: u32,
) -> Result<Vec<Exception>, StoreError> {
    query.query_all(
        select!(
            "WHERE site = $1 AND destination = $2 AND entry >= $3 AND state <> 3 \
             ORDER BY entry LIMIT $4"
        ),
        &[
            place.site.as_sql().into(),
            place.destination.as_str().into(),
            from.as_sql().into(),
            limit.into(),
        ],
        read,
    )
}

/// The rows of one record at a destination, in order.
pub(super) fn of_record<Q: Query>(
    query: &mut Q,
    place: &Place,
    record: RecordId,
) -> Result<Vec<Exception>, StoreError> {
    query.query_all(
        select!("WHERE site = $1 AND destination = $2 AND record = $3 ORDER BY entry LIMIT 1000"),
        &[
            place.site.as_sql().into(),
            place.destination.as_str().into(),
            record.as_sql().into(),
        ],
        read,
    )
}

/// How many dead letters a destination has.
pub(super) fn count_dead<Q: Query>(query: &mut Q, place: &Place) -> Result<usize, StoreError> {
    query.query_one(
        "SELECT count(*) FROM delivery_exception \
         WHERE site = $1 AND destination = $2 AND state = 3",
        &[
            place.site.as_sql().into(),
            place.destination.as_str().into(),
        ],
        |row| usize::try_from(row.int(0)?).map_err(|_| damaged()),
    )
}

/// The messages of a site that were not delivered in turn, by destination and entry.
pub(super) fn list<Q: Query>(
    query: &mut Q,
    site: SiteId,
    filter: &WaitingFilter,
) -> Result<Vec<WaitingMessage>, StoreError> {
    let (after, entry) = match &filter.after {
        Some((destination, entry)) => (destination.as_str(), entry.as_sql()),
        None => ("", -1),
    };
    query.query_all(
        select!(
            "WHERE site = $1 AND ($2 IS NULL OR destination = $2) AND ($3 IS NULL OR state = $3) \
             AND (destination > $4 OR (destination = $4 AND entry > $5)) \
             ORDER BY destination, entry LIMIT $6"
        ),
        &[
            site.as_sql().into(),
            filter
                .destination
                .as_ref()
                .map_or(Value::Null, |name| Value::Text(name.as_str())),
            filter
                .state
                .map_or(Value::Null, |state| state.stored().into()),
            after.into(),
            entry.into(),
            filter.limit.clamp(1, 1_000).into(),
        ],
        |row| {
            let destination = row.text(9)?.parse().map_err(|_| damaged())?;
            Ok(read(row)?.at(&destination))
        },
    )
}

fn read(row: &Row<'_>) -> Result<Exception, StoreError> {
    let count = |at| u32::try_from(row.int(at)?).map_err(|_| damaged());
    Ok(Exception {
        entry: EntryIndex::from_sql(row.int(0)?).ok_or_else(damaged)?,
        record: RecordId::from_sql(row.int(1)?).ok_or_else(damaged)?,
        state: ExceptionState::from_stored(row.int(2)?).ok_or_else(damaged)?,
        attempts: count(3)?,
        answers: count(4)?,
        next: Timestamp::from_micros(row.int(5)?),
        since: Timestamp::from_micros(row.int(6)?),
        reason: row.text(7)?.to_owned(),
        keys: row
            .bytes(8)?
            .chunks(8)
            .map(|key| key.try_into().map(u64::from_be_bytes))
            .collect::<Result<_, _>>()
            .map_err(|_| damaged())?,
    })
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "the state of delivery".to_owned(),
    }
}
