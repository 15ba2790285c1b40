//! The SQL of edges; the columns are explained in `schema.sql`.
//!
//! How far an edge was taken repeats what the entries of its messages hold; everything else changes
//! in the unit that records why (**Invariant:** no change without an entry).

use labward_base::Timestamp;
use labward_base::id::{PeerId, SiteId};
use labward_ledger::{Checkpoint, VerifierKey};
use labward_store::{Migration, Query, Row, StoreError, Tx, Value};

/// The steps that lead to the schema of edges.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "edges",
    sql: include_str!("schema.sql"),
}];

/// What the server knows of an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) peer: PeerId,
    pub(super) site: SiteId,
    pub(super) queue: [u8; 16],
    pub(super) ledger_key: String,
    pub(super) taken: u64,
    pub(super) taken_sha256: Option<[u8; 32]>,
    pub(super) checkpoint: Option<String>,
    pub(super) fault: Option<String>,
    pub(super) version: String,
    pub(super) seen: Timestamp,
}

impl Known {
    /// The checkpoint that was kept last; it was verified before it was kept.
    pub(super) fn kept(&self) -> Option<Checkpoint> {
        let key: VerifierKey = self.ledger_key.parse().ok()?;
        Checkpoint::open(self.checkpoint.as_ref()?.as_bytes(), &key).ok()
    }
}

const COLUMNS: &str =
    "peer, site, queue, ledger_key, taken, taken_sha, checkpoint, fault, version, seen_us";

/// What is known of one edge.
pub(super) fn known<Q: Query>(query: &mut Q, peer: PeerId) -> Result<Option<Known>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM edge WHERE peer = $1");
    query.query_opt(&sql, &[peer.as_sql().into()], read)
}

/// What is known of every edge, in the order of their peers.
pub(super) fn all<Q: Query>(query: &mut Q) -> Result<Vec<Known>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM edge ORDER BY peer");
    query.query_all(&sql, &[], read)
}

/// Writes what is known of an edge as it is given.
pub(super) fn put(tx: &mut Tx<'_>, known: &Known) -> Result<(), StoreError> {
    let sha256 = known.taken_sha256.as_ref();
    tx.execute(
        "INSERT INTO edge (peer, site, queue, ledger_key, taken, taken_sha, checkpoint, fault, \
         version, seen_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (peer) DO UPDATE SET queue = excluded.queue, \
         ledger_key = excluded.ledger_key, taken = excluded.taken, \
         taken_sha = excluded.taken_sha, checkpoint = excluded.checkpoint, \
         fault = excluded.fault, version = excluded.version, seen_us = excluded.seen_us",
        &[
            known.peer.as_sql().into(),
            known.site.as_sql().into(),
            Value::Bytes(&known.queue),
            known.ledger_key.as_str().into(),
            i64::try_from(known.taken).unwrap_or(i64::MAX).into(),
            sha256.map_or(Value::Null, |sha256| Value::Bytes(sha256)),
            known.checkpoint.as_deref().map_or(Value::Null, Value::Text),
            known.fault.as_deref().map_or(Value::Null, Value::Text),
            known.version.as_str().into(),
            known.seen.as_micros().into(),
        ],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Known, StoreError> {
    let damaged = || StoreError::Damaged {
        place: "a row of edges".to_owned(),
    };
    let sha256 = row.opt_bytes(5)?.map(<[u8; 32]>::try_from).transpose();
    Ok(Known {
        peer: PeerId::from_sql(row.int(0)?).ok_or_else(damaged)?,
        site: SiteId::from_sql(row.int(1)?).ok_or_else(damaged)?,
        queue: row.bytes(2)?.try_into().map_err(|_| damaged())?,
        ledger_key: row.text(3)?.to_owned(),
        taken: u64::try_from(row.int(4)?).map_err(|_| damaged())?,
        taken_sha256: sha256.map_err(|_| damaged())?,
        checkpoint: row.opt_text(6)?.map(str::to_owned),
        fault: row.opt_text(7)?.map(str::to_owned),
        version: row.text(8)?.to_owned(),
        seen: Timestamp::from_micros(row.int(9)?),
    })
}

/// Changes what is known of an edge that still has this queue and ledger; does nothing if somebody
/// enrolled it anew meanwhile.
pub(super) fn change(
    tx: &mut Tx<'_>,
    seen: &Known,
    change: impl FnOnce(&mut Known),
) -> Result<(), StoreError> {
    let same = |now: &Known| now.queue == seen.queue && now.ledger_key == seen.ledger_key;
    if let Some(mut now) = known(tx, seen.peer)?.filter(same) {
        change(&mut now);
        put(tx, &now)?;
    }
    Ok(())
}
