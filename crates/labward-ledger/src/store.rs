//! The SQL of the ledger: the `entry` table, the tree head and the epochs.
//!
//! It must never change or delete an entry; only a payload may go, and only with an entry that says
//! so. The columns are explained in `schema.sql`.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, NodeId, PatientId, RecordId, SiteId};
use labward_store::{Migration, Query, Row, StoreError, Tx, Value};

use crate::action::Action;
use crate::entry::{Leaf, NewEntry};
use crate::tree::{Digest, Frontier};

/// The steps that lead to the ledger's schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "ledger",
    sql: include_str!("../schema.sql"),
}];

/// The step that leads to the index of acts.
pub const ACT_MIGRATIONS: &[Migration] = &[Migration {
    name: "ledger acts",
    sql: include_str!("../schema-acts.sql"),
}];

/// The actions of a message on its way, of which there are far more than of all others.
pub const TRAFFIC: [Action; 3] = [
    Action::MessageReceived,
    Action::MessageDelivered,
    Action::MessageForwarded,
];

/// An entry as its row holds it; nothing about it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its place in the ledger.
    pub index: EntryIndex,
    /// The site at which it happened.
    pub site: SiteId,
    /// The record that it keeps.
    pub record: Option<RecordId>,
    /// The patient of the record or act.
    pub patient: Option<PatientId>,
    /// The kind of record; 0 if there is none.
    pub kind: u16,
    /// The action's name.
    pub action: String,
    /// The canonical leaf.
    pub leaf: Vec<u8>,
    /// The sealed record; `None` also if it was not asked for.
    pub payload: Option<Vec<u8>>,
    /// The bytes of the room that wrote the entry.
    pub hints: Option<Vec<u8>>,
    /// The entry that records why the payload was dropped.
    pub dropped_by: Option<EntryIndex>,
}

/// The tree as of the last commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// The frontier of the tree.
    pub frontier: Frontier,
    /// The root as it was stored beside the frontier.
    pub root: Digest,
    /// The time of the last entry.
    pub time: Timestamp,
}

/// An origin under which the ledger signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Counted from 1.
    pub number: u32,
    /// The origin of its checkpoints.
    pub origin: String,
    /// The entry with which it began.
    pub first: EntryIndex,
    /// The last checkpoint known of the epoch before.
    pub cites: Option<String>,
}

/// Up to `limit` entries from `from` on, in order, without their payloads.
pub fn entries<Q: Query>(
    query: &mut Q,
    from: EntryIndex,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    query.query_all(
        "SELECT idx, site, record, patient, kind, action, leaf, NULL, hints, dropped_by \
         FROM entry WHERE idx >= $1 ORDER BY idx LIMIT $2",
        &[from.as_sql().into(), limit.into()],
        read_entry,
    )
}

/// Up to `limit` entries from `from` on, in order, with their payloads.
pub fn entries_with_payload<Q: Query>(
    query: &mut Q,
    from: EntryIndex,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    query.query_all(
        "SELECT idx, site, record, patient, kind, action, leaf, payload, hints, dropped_by \
         FROM entry WHERE idx >= $1 ORDER BY idx LIMIT $2",
        &[from.as_sql().into(), limit.into()],
        read_entry,
    )
}

/// Up to `limit` entries before `before`, the newest first, without their payloads.
pub fn entries_before<Q: Query>(
    query: &mut Q,
    before: EntryIndex,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    query.query_all(
        "SELECT idx, site, record, patient, kind, action, leaf, NULL, hints, dropped_by \
         FROM entry WHERE idx < $1 ORDER BY idx DESC LIMIT $2",
        &[before.as_sql().into(), limit.into()],
        read_entry,
    )
}

/// The newest entry before `before` with which a message came, taken or held, however far back that is:
/// behind an import of a million records it looks at all of them, about a second.
pub fn message_before<Q: Query>(
    query: &mut Q,
    before: EntryIndex,
) -> Result<Option<EntryIndex>, StoreError> {
    query.query_opt(
        "SELECT idx FROM entry WHERE idx < $1 \
         AND (action = 'message.received' OR action = 'message.held') ORDER BY idx DESC LIMIT 1",
        &[before.as_sql().into()],
        |row| Ok(EntryIndex::new(u64::try_from(row.int(0)?).unwrap_or(0))),
    )
}

/// As [`entries_before`], without those whose action is [`TRAFFIC`].
pub fn acts_before<Q: Query>(
    query: &mut Q,
    before: EntryIndex,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    let sql = format!("SELECT {ACT} AND idx < $1 ORDER BY idx DESC LIMIT $2");
    query.query_all(&sql, &[before.as_sql().into(), limit.into()], read_entry)
}

/// As [`entries`], without those whose action is [`TRAFFIC`].
pub fn acts<Q: Query>(
    query: &mut Q,
    from: EntryIndex,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreError> {
    let sql = format!("SELECT {ACT} AND idx >= $1 ORDER BY idx LIMIT $2");
    query.query_all(&sql, &[from.as_sql().into(), limit.into()], read_entry)
}

/// The columns of [`read_entry`], and the condition of the index, word for word; without its name a
/// database would rather read every entry.
const ACT: &str = "idx, site, record, patient, kind, action, leaf, NULL, hints, dropped_by \
    FROM entry INDEXED BY entry_act \
    WHERE action <> 'message.received' AND action <> 'message.delivered' \
    AND action <> 'message.forwarded'";

/// The entry at `index`, without its payload.
pub fn entry<Q: Query>(
    query: &mut Q,
    index: EntryIndex,
) -> Result<Option<StoredEntry>, StoreError> {
    query.query_opt(
        "SELECT idx, site, record, patient, kind, action, leaf, NULL, hints, dropped_by \
         FROM entry WHERE idx = $1",
        &[index.as_sql().into()],
        read_entry,
    )
}

/// The first of `size` entries that was recorded at `time` or later; `size` if there is none. Entry
/// times never go back, so it looks at a few rows only.
pub fn entry_since<Q: Query>(
    query: &mut Q,
    size: u64,
    time: Timestamp,
) -> Result<EntryIndex, StoreError> {
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = entry(query, EntryIndex::new(middle))?;
        let leaf = found.and_then(|found| Leaf::parse(&found.leaf).ok());
        let leaf = leaf.ok_or_else(|| damaged("the time of an entry"))?;
        match leaf.time < time {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(EntryIndex::new(low))
}

/// The entry that keeps `record`, without its payload.
pub fn entry_of_record<Q: Query>(
    query: &mut Q,
    record: RecordId,
) -> Result<Option<StoredEntry>, StoreError> {
    query.query_opt(
        "SELECT idx, site, record, patient, kind, action, leaf, NULL, hints, dropped_by \
         FROM entry WHERE record = $1",
        &[record.as_sql().into()],
        read_entry,
    )
}

/// The entry that keeps `record`, with its payload.
pub fn entry_of_record_with_payload<Q: Query>(
    query: &mut Q,
    record: RecordId,
) -> Result<Option<StoredEntry>, StoreError> {
    query.query_opt(
        "SELECT idx, site, record, patient, kind, action, leaf, payload, hints, dropped_by \
         FROM entry WHERE record = $1",
        &[record.as_sql().into()],
        read_entry,
    )
}

/// Hands up to `limit` entries from `from` on to `each`, in order, with their payloads; an entry
/// whose row cannot be read is `None`.
pub(crate) fn each_entry<Q: Query>(
    query: &mut Q,
    from: EntryIndex,
    limit: u32,
    each: &mut dyn FnMut(EntryIndex, Option<StoredEntry>),
) -> Result<(), StoreError> {
    query.query(
        "SELECT idx, site, record, patient, kind, action, leaf, payload, hints, dropped_by \
         FROM entry WHERE idx >= $1 ORDER BY idx LIMIT $2",
        &[from.as_sql().into(), limit.into()],
        &mut |row| {
            let index = EntryIndex::from_sql(row.int(0)?);
            each(
                index.ok_or_else(|| damaged("the index of an entry"))?,
                read_entry(row).ok(),
            );
            Ok(())
        },
    )
}

/// The first bytes of the payloads of the newest records, at most `limit` of them: enough to see how
/// they are sealed.
///
/// # Errors
/// [`StoreError`].
pub fn newest_payload_heads<Q: Query>(
    query: &mut Q,
    limit: u32,
) -> Result<Vec<Vec<u8>>, StoreError> {
    query.query_all(
        "SELECT substr(payload, 1, 128) FROM entry WHERE record IS NOT NULL \
         AND payload IS NOT NULL ORDER BY record DESC LIMIT $1",
        &[limit.into()],
        |row| {
            let head = row.opt_bytes(0)?;
            Ok(head.unwrap_or_default().to_owned())
        },
    )
}

/// How many records have a larger id than `record`.
pub fn count_records_after<Q: Query>(query: &mut Q, record: RecordId) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM entry WHERE record > $1";
    let count = query.query_one(sql, &[record.as_sql().into()], |row| row.int(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The entry that keeps the record with the next larger id, without its payload.
pub fn entry_of_record_after<Q: Query>(
    query: &mut Q,
    record: RecordId,
) -> Result<Option<StoredEntry>, StoreError> {
    query.query_opt(
        "SELECT idx, site, record, patient, kind, action, leaf, NULL, hints, dropped_by \
         FROM entry WHERE record > $1 ORDER BY record LIMIT 1",
        &[record.as_sql().into()],
        read_entry,
    )
}

/// The sealed bytes of `record`; `None` if there is no such record or they were dropped.
pub fn payload_of<Q: Query>(
    query: &mut Q,
    record: RecordId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let payload = query.query_opt(
        "SELECT payload FROM entry WHERE record = $1",
        &[record.as_sql().into()],
        |row| Ok(row.opt_bytes(0)?.map(<[u8]>::to_vec)),
    )?;
    Ok(payload.flatten())
}

/// The tree of `node` as of the last commit; `None` before the first entry.
pub fn tree_head<Q: Query>(query: &mut Q, node: NodeId) -> Result<Option<TreeHead>, StoreError> {
    query.query_opt(
        "SELECT size, root, frontier, time_us FROM tree_head WHERE node = $1",
        &[node.as_sql().into()],
        |row| {
            let damaged = || damaged("the ledger's tree head");
            let size = u64::try_from(row.int(0)?).map_err(|_| damaged())?;
            Ok(TreeHead {
                frontier: Frontier::from_bytes(size, row.bytes(2)?).ok_or_else(damaged)?,
                root: Digest::from_slice(row.bytes(1)?).ok_or_else(damaged)?,
                time: Timestamp::from_micros(row.int(3)?),
            })
        },
    )
}

/// The epochs of the ledger, the first one first.
pub fn epochs<Q: Query>(query: &mut Q) -> Result<Vec<Epoch>, StoreError> {
    query.query_all(
        "SELECT epoch, origin, first_idx, cites FROM ledger_epoch ORDER BY epoch",
        &[],
        |row| {
            Ok(Epoch {
                number: row
                    .int(0)?
                    .try_into()
                    .map_err(|_| damaged("an epoch's number"))?,
                origin: row.text(1)?.to_owned(),
                first: EntryIndex::from_sql(row.int(2)?)
                    .ok_or_else(|| damaged("an epoch's first entry"))?,
                cites: row.opt_text(3)?.map(str::to_owned),
            })
        },
    )
}

/// The index of the last entry and the largest record id; `None` where there is none.
pub(crate) fn last_ids<Q: Query>(
    query: &mut Q,
) -> Result<(Option<EntryIndex>, Option<RecordId>), StoreError> {
    let last = query.query_one("SELECT max(idx) FROM entry", &[], |row| row.opt_int(0))?;
    let record = query.query_one(
        "SELECT max(record) FROM entry WHERE record IS NOT NULL",
        &[],
        |row| row.opt_int(0),
    )?;
    Ok((
        last.and_then(EntryIndex::from_sql),
        record.and_then(RecordId::from_sql),
    ))
}

pub(crate) fn insert_entry(
    tx: &mut Tx<'_>,
    index: u64,
    entry: &NewEntry,
    leaf: &[u8],
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO entry (idx, site, record, patient, kind, action, leaf, payload, hints) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            EntryIndex::new(index).as_sql().into(),
            entry.site.as_sql().into(),
            entry.record.map(RecordId::as_sql).into(),
            entry.patient.map(PatientId::as_sql).into(),
            entry.kind.into(),
            entry.action.name().into(),
            leaf.into(),
            entry.payload.as_deref().into(),
            entry.hints.as_deref().into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn put_tree_head(
    tx: &mut Tx<'_>,
    node: NodeId,
    frontier: &Frontier,
    time: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO tree_head (node, size, root, frontier, time_us) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (node) DO UPDATE SET size = excluded.size, root = excluded.root, \
         frontier = excluded.frontier, time_us = excluded.time_us",
        &[
            node.as_sql().into(),
            EntryIndex::new(frontier.size()).as_sql().into(),
            frontier.root().as_bytes().into(),
            Value::Bytes(&frontier.to_bytes()),
            time.as_micros().into(),
        ],
    )?;
    Ok(())
}

/// Removes the payload of `record`; `false` if there was none.
pub(crate) fn clear_payload(
    tx: &mut Tx<'_>,
    record: RecordId,
    by: EntryIndex,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE entry SET payload = NULL, dropped_by = $1 \
         WHERE record = $2 AND payload IS NOT NULL",
        &[by.as_sql().into(), record.as_sql().into()],
    )?;
    Ok(changed > 0)
}

pub(crate) fn insert_epoch(tx: &mut Tx<'_>, epoch: &Epoch) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO ledger_epoch (epoch, origin, first_idx, cites) VALUES ($1, $2, $3, $4)",
        &[
            epoch.number.into(),
            (&epoch.origin).into(),
            epoch.first.as_sql().into(),
            epoch.cites.as_deref().into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn damaged(place: &str) -> StoreError {
    StoreError::Damaged {
        place: place.to_owned(),
    }
}

fn read_entry(row: &Row<'_>) -> Result<StoredEntry, StoreError> {
    let out_of_range = || damaged("a number of an entry");
    let number = |i: usize| row.opt_int(i);
    Ok(StoredEntry {
        index: EntryIndex::from_sql(row.int(0)?).ok_or_else(out_of_range)?,
        site: SiteId::from_sql(row.int(1)?).ok_or_else(out_of_range)?,
        record: number(2)?
            .map(|record| RecordId::from_sql(record).ok_or_else(out_of_range))
            .transpose()?,
        patient: number(3)?
            .map(|patient| PatientId::from_sql(patient).ok_or_else(out_of_range))
            .transpose()?,
        kind: row.int(4)?.try_into().map_err(|_| out_of_range())?,
        action: row.text(5)?.to_owned(),
        leaf: row.bytes(6)?.to_vec(),
        payload: row.opt_bytes(7)?.map(<[u8]>::to_vec),
        hints: row.opt_bytes(8)?.map(<[u8]>::to_vec),
        dropped_by: number(9)?
            .map(|index| EntryIndex::from_sql(index).ok_or_else(out_of_range))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SITE, TestLedger};
    use crate::{Actor, Subject, append};

    #[test]
    fn acts_are_found_among_messages_by_their_index_and_none_is_left_out() {
        let ledger = TestLedger::new();
        let store = ledger.store();
        let write = |action| {
            let entry = NewEntry::new(SITE, Actor::System, action, Subject::Ledger);
            store.write(move |tx| append(tx, &entry)).unwrap();
        };
        for action in Action::ALL {
            write(*action);
        }
        let expected: Vec<&str> = Action::ALL
            .iter()
            .filter(|action| !TRAFFIC.contains(action))
            .map(|action| action.name())
            .collect();
        let (forth, mut back) = store
            .read(|snapshot| {
                let forth = acts(snapshot, EntryIndex::new(0), 1_000)?;
                let back = acts_before(snapshot, EntryIndex::new(1_000), 1_000)?;
                Ok::<_, StoreError>((forth, back))
            })
            .unwrap();
        back.reverse();
        assert_eq!(forth, back);
        let found: Vec<&str> = forth.iter().map(|one| one.action.as_str()).collect();
        assert_eq!(found, expected);
        let few = store
            .read(|snapshot| acts(snapshot, forth[2].index, 3))
            .unwrap();
        assert_eq!(few, forth[2..5]);
    }
}
