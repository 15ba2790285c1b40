//! The SQL of held messages; the columns are explained in `schema.sql`.
//!
//! A row is written in the unit that keeps its message and changed in the unit that records the
//! decision (**Invariant:** no change without an entry).

use std::collections::HashSet;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, RecordId, SiteId};
use labward_store::{Query, Row, StoreError, Tx, Value};

use crate::config::DestinationName;
use crate::messages::{HeldFilter, HeldMessage, HeldState};

/// Columns of a held message, in the order of [`read_held`].
macro_rules! select_held {
    ($rest:literal) => {
        concat!(
            "SELECT record, entry, reason, link, peer, type, size_bytes, destinations, since_us, ",
            "state, decided FROM held_message ",
            $rest
        )
    };
}

/// Writes a message that now waits for a person.
pub(crate) fn insert_held(
    tx: &mut Tx<'_>,
    site: SiteId,
    held: &HeldMessage,
) -> Result<(), StoreError> {
    let destinations = join(&held.destinations);
    tx.execute(
        "INSERT INTO held_message (record, site, entry, reason, link, peer, type, size_bytes, \
         destinations, since_us, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            held.record.as_sql().into(),
            site.as_sql().into(),
            held.entry.as_sql().into(),
            held.reason.as_str().into(),
            held.link.as_str().into(),
            held.peer.as_str().into(),
            held.message_type.as_str().into(),
            i64::try_from(held.size_bytes).unwrap_or(i64::MAX).into(),
            destinations.as_str().into(),
            held.since.as_micros().into(),
            held.state.stored().into(),
        ],
    )?;
    Ok(())
}

/// Writes a person's decision about a message.
pub(crate) fn decide_held(
    tx: &mut Tx<'_>,
    record: RecordId,
    state: HeldState,
    decided: EntryIndex,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE held_message SET state = $1, decided = $2 WHERE record = $3",
        &[
            state.stored().into(),
            decided.as_sql().into(),
            record.as_sql().into(),
        ],
    )?;
    Ok(())
}

/// The held message of this record.
pub(crate) fn held<Q: Query>(
    query: &mut Q,
    record: RecordId,
) -> Result<Option<HeldMessage>, StoreError> {
    let sql = select_held!("WHERE record = $1");
    query.query_opt(sql, &[record.as_sql().into()], read_held)
}

/// Held messages, the newest first.
pub(crate) fn list_held<Q: Query>(
    query: &mut Q,
    filter: &HeldFilter,
) -> Result<Vec<HeldMessage>, StoreError> {
    let sql = select_held!(
        "WHERE record < $1 AND ($2 IS NULL OR state = $2) AND ($3 IS NULL OR link = $3) \
         AND ($4 IS NULL OR peer = $4) AND since_us >= $5 ORDER BY record DESC LIMIT $6"
    );
    let text = |text: &'_ Option<String>| text.clone();
    let (link, peer) = (text(&filter.link), text(&filter.peer));
    let before = filter.before.map_or(i64::MAX, RecordId::as_sql);
    let since = filter.since.map_or(i64::MIN, Timestamp::as_micros);
    query.query_all(
        sql,
        &[
            before.into(),
            filter
                .state
                .map_or(Value::Null, |state| state.stored().into()),
            link.as_deref().map_or(Value::Null, Value::Text),
            peer.as_deref().map_or(Value::Null, Value::Text),
            since.into(),
            i64::from(filter.limit.clamp(1, 1_000)).into(),
        ],
        read_held,
    )
}

/// Held messages that came since `since` and were released.
pub(crate) fn released_since<Q: Query>(
    query: &mut Q,
    since: Timestamp,
) -> Result<HashSet<RecordId>, StoreError> {
    let sql = "SELECT record FROM held_message WHERE state = $1 AND since_us >= $2";
    let params = [
        HeldState::Released.stored().into(),
        since.as_micros().into(),
    ];
    let records = query.query_all(sql, &params, |row| Ok(RecordId::from_sql(row.int(0)?)))?;
    Ok(records.into_iter().flatten().collect())
}

/// How many messages wait for a person.
pub(crate) fn count_held<Q: Query>(query: &mut Q) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM held_message WHERE state = 0";
    query.query_one(sql, &[], |row| Ok(u64::try_from(row.int(0)?).unwrap_or(0)))
}

fn read_held(row: &Row<'_>) -> Result<HeldMessage, StoreError> {
    let damaged = || StoreError::Damaged {
        place: "a row of held messages".to_owned(),
    };
    Ok(HeldMessage {
        record: RecordId::from_sql(row.int(0)?).ok_or_else(damaged)?,
        entry: EntryIndex::from_sql(row.int(1)?).ok_or_else(damaged)?,
        reason: row.text(2)?.to_owned(),
        link: row.text(3)?.to_owned(),
        peer: row.text(4)?.to_owned(),
        message_type: row.text(5)?.to_owned(),
        size_bytes: u64::try_from(row.int(6)?).map_err(|_| damaged())?,
        destinations: split(row.text(7)?).ok_or_else(damaged)?,
        since: Timestamp::from_micros(row.int(8)?),
        state: HeldState::from_stored(row.int(9)?).ok_or_else(damaged)?,
        decided: row.opt_int(10)?.and_then(EntryIndex::from_sql),
    })
}

fn join(names: &[DestinationName]) -> String {
    names
        .iter()
        .map(DestinationName::as_str)
        .collect::<Vec<_>>()
        .join(",")
}

/// A comma never stands in a name.
fn split(text: &str) -> Option<Vec<DestinationName>> {
    text.split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.parse().ok())
        .collect()
}
