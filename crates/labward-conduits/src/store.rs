//! The SQL of conduits and alerts, and the entries that go with each change.
//!
//! **Invariant:** no change without an entry: rows and entry are written in one unit.

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, SiteId};
use labward_ledger::{NewEntry, append};
use labward_segmentation::{Direction, Plan};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use crate::ConduitsError;
use crate::alert::Raised;

/// The step that leads to the schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "conduits and alerts",
    sql: include_str!("../schema.sql"),
}];

/// The step that leads to the schema of what devices do.
pub const BEHAVIOUR_MIGRATIONS: &[Migration] = &[Migration {
    name: "what devices do on their lines",
    sql: include_str!("../behaviour.sql"),
}];

/// The plan with its revision and entry; an empty one if there is none.
pub(crate) fn plan(query: &mut impl Query, site: SiteId) -> Result<(Plan, u64), StoreError> {
    let found = query.query_opt(
        "SELECT plan, revision FROM segmentation_plan WHERE site = $1",
        &[site.as_sql().into()],
        |row| {
            let bytes = row.opt_bytes(0)?.ok_or_else(damaged)?;
            let plan = Plan::read(bytes).map_err(|_| damaged())?;
            Ok((plan, number(row, 1)?))
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// Every alert, settled ones too.
pub(crate) fn alerts(query: &mut impl Query, site: SiteId) -> Result<Vec<Raised>, StoreError> {
    query.query_all(
        "SELECT id, device, novelty, direction, peer, service, is_public, seen_us, raised_us, \
         settled_us, entry FROM segmentation_alert WHERE site = $1 ORDER BY id",
        &[site.as_sql().into()],
        |row| {
            Ok(Raised {
                id: number(row, 0)?,
                device: DeviceId::new(number(row, 1)?),
                novelty: row.text(2)?.to_owned(),
                direction: match row.text(3)? {
                    "inbound" => Direction::Inbound,
                    "outbound" => Direction::Outbound,
                    _ => return Err(damaged()),
                },
                peer: row.text(4)?.parse().map_err(|_| damaged())?,
                service: row.text(5)?.parse().map_err(|_| damaged())?,
                is_public: row.int(6)? == 1,
                seen: Timestamp::from_micros(row.int(7)?),
                raised: Timestamp::from_micros(row.int(8)?),
                settled: row.opt_int(9)?.map(Timestamp::from_micros),
                entry: EntryIndex::new(number(row, 10)?),
            })
        },
    )
}

/// Writes the plan with its entry, and alerts, each with its own where it has one.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    site: SiteId,
    (entry, plan, revision): (&NewEntry, &str, u64),
    alerts: &[(Option<NewEntry>, Raised)],
) -> Result<(EntryIndex, Vec<EntryIndex>), ConduitsError> {
    let entry = append(tx, entry)?;
    tx.execute(
        "INSERT INTO segmentation_plan (site, revision, plan, entry) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (site) DO UPDATE SET revision = excluded.revision, plan = excluded.plan, \
         entry = excluded.entry",
        &[
            site.as_sql().into(),
            i64::try_from(revision).unwrap_or(i64::MAX).into(),
            plan.as_bytes().into(),
            entry.as_sql().into(),
        ],
    )?;
    let mut entries = Vec::with_capacity(alerts.len());
    for (own, alert) in alerts {
        let of = match own {
            Some(own) => append(tx, own)?,
            None => entry,
        };
        put_alert(tx, site, alert, of)?;
        entries.push(of);
    }
    Ok((entry, entries))
}

fn put_alert(
    tx: &mut Tx<'_>,
    site: SiteId,
    alert: &Raised,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    let (peer, service) = (alert.peer.to_string(), alert.service.to_string());
    tx.execute(
        "INSERT INTO segmentation_alert (site, id, device, novelty, direction, peer, service, \
         is_public, seen_us, raised_us, settled_us, entry) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (site, id) DO UPDATE SET settled_us = excluded.settled_us, \
         entry = excluded.entry",
        &[
            site.as_sql().into(),
            i64::try_from(alert.id).unwrap_or(i64::MAX).into(),
            alert.device.as_sql().into(),
            alert.novelty.as_str().into(),
            alert.direction.name().into(),
            peer.as_str().into(),
            service.as_str().into(),
            i64::from(alert.is_public).into(),
            alert.seen.as_micros().into(),
            alert.raised.as_micros().into(),
            alert.settled.map(Timestamp::as_micros).into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn number(row: &Row<'_>, column: usize) -> Result<u64, StoreError> {
    u64::try_from(row.int(column)?).map_err(|_| damaged())
}

pub(crate) fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "a row of the tables of segmentation".to_owned(),
    }
}
