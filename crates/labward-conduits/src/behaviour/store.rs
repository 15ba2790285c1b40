//! The SQL of baselines and of what devices did otherwise.

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, SiteId};
use labward_behaviour::{Anomaly, Baseline, Kind, KindParts};
use labward_ledger::{NewEntry, append};
use labward_store::{Query, StoreError, Tx};

use super::alert::{Outcome, Unusual};
use crate::ConduitsError;
use crate::alert::AlertId;
use crate::store::{damaged, number};

/// Closed alerts that are read at a start.
const CLOSED_MAX: usize = 1_000;

/// What is written of one device, and the time.
pub(super) type Saved = (DeviceId, Vec<u8>);

/// A change of an alert: the entry that records it, where it is one that is recorded.
pub(super) type Change = (Option<NewEntry>, Unusual);

/// Every baseline; `None` of one whose state cannot be read any more.
pub(super) fn baselines(
    query: &mut impl Query,
    site: SiteId,
) -> Result<Vec<(DeviceId, Option<Baseline>)>, StoreError> {
    query.query_all(
        "SELECT device, state FROM behaviour_baseline WHERE site = $1 ORDER BY device",
        &[site.as_sql().into()],
        |row| {
            let state = row.opt_bytes(1)?.unwrap_or_default();
            let device = DeviceId::new(number(row, 0)?);
            Ok((device, Baseline::from_bytes(state).ok()))
        },
    )
}

/// The open alerts, and the last of the closed ones.
pub(super) fn alerts(query: &mut impl Query, site: SiteId) -> Result<Vec<Unusual>, StoreError> {
    let mut all = query.query_all(
        "SELECT id, device, kind, raised_us, last_us, count, closed_us, outcome, entry \
         FROM behaviour_alert WHERE site = $1 ORDER BY id DESC",
        &[site.as_sql().into()],
        |row| {
            let kind = row.text(2)?;
            let kind = Kind::CODES.into_iter().find(|code| *code == kind);
            let closed = row.opt_int(6)?.map(Timestamp::from_micros);
            let outcome = Outcome::by_name(row.text(7)?);
            Ok(Unusual {
                id: number(row, 0)?,
                device: DeviceId::new(number(row, 1)?),
                kind: kind.ok_or_else(damaged)?,
                seen: Vec::new(),
                raised: Timestamp::from_micros(row.int(3)?),
                last: Timestamp::from_micros(row.int(4)?),
                count: number(row, 5)?,
                closed: closed.zip(outcome),
                entry: EntryIndex::new(number(row, 8)?),
            })
        },
    )?;
    let mut closed = 0;
    all.retain(|one| {
        closed += usize::from(one.closed.is_some());
        one.closed.is_none() || closed <= CLOSED_MAX
    });
    for one in &mut all {
        one.seen = seen(query, site, one.id, one.kind)?;
    }
    Ok(all)
}

fn seen(
    query: &mut impl Query,
    site: SiteId,
    alert: AlertId,
    code: &str,
) -> Result<Vec<Anomaly>, StoreError> {
    query.query_all(
        "SELECT at_us, name, one, two, three FROM behaviour_anomaly \
         WHERE site = $1 AND alert = $2 ORDER BY place",
        &[site.as_sql().into(), signed(alert).into()],
        |row| {
            let numbers = [row.int(2)?, row.int(3)?, row.int(4)?];
            let kind = Kind::of_parts(code, row.text(1)?, numbers);
            Ok(Anomaly {
                at: Timestamp::from_micros(row.int(0)?),
                kind: kind.ok_or_else(damaged)?,
            })
        },
    )
}

/// Writes baselines and alerts, each alert with its entry; the entries.
pub(super) fn write(
    tx: &mut Tx<'_>,
    site: SiteId,
    baselines: &[Saved],
    alerts: &[Change],
    now: Timestamp,
) -> Result<Vec<EntryIndex>, ConduitsError> {
    for (device, state) in baselines {
        put_baseline(tx, site, (*device, state), now)?;
    }
    let mut entries = Vec::with_capacity(alerts.len());
    for (entry, alert) in alerts {
        let entry = match entry {
            Some(entry) => append(tx, entry)?,
            None => alert.entry,
        };
        put_alert(tx, site, alert, entry)?;
        entries.push(entry);
    }
    Ok(entries)
}

fn put_baseline(
    tx: &mut Tx<'_>,
    site: SiteId,
    (device, state): (DeviceId, &[u8]),
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO behaviour_baseline (site, device, state, saved_us) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (site, device) DO UPDATE SET state = excluded.state, saved_us = excluded.saved_us",
        &[
            site.as_sql().into(),
            device.as_sql().into(),
            state.into(),
            now.as_micros().into(),
        ],
    )?;
    Ok(())
}

fn put_alert(
    tx: &mut Tx<'_>,
    site: SiteId,
    alert: &Unusual,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    let (closed, outcome) = alert.closed.unzip();
    tx.execute(
        "INSERT INTO behaviour_alert (site, id, device, kind, raised_us, last_us, count, closed_us, \
         outcome, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (site, id) DO UPDATE SET last_us = excluded.last_us, count = excluded.count, \
         closed_us = excluded.closed_us, outcome = excluded.outcome, entry = excluded.entry",
        &[
            site.as_sql().into(),
            signed(alert.id).into(),
            alert.device.as_sql().into(),
            alert.kind.into(),
            alert.raised.as_micros().into(),
            alert.last.as_micros().into(),
            signed(alert.count).into(),
            closed.map(Timestamp::as_micros).into(),
            outcome.map_or("", Outcome::name).into(),
            entry.as_sql().into(),
        ],
    )?;
    for (place, one) in (0_i64..).zip(&alert.seen) {
        let KindParts { name, numbers, .. } = one.kind.to_parts();
        let [first, second, third] = numbers;
        tx.execute(
            "INSERT INTO behaviour_anomaly (site, alert, place, at_us, name, one, two, three) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (site, alert, place) DO NOTHING",
            &[
                site.as_sql().into(),
                signed(alert.id).into(),
                place.into(),
                one.at.as_micros().into(),
                (&*name).into(),
                first.into(),
                second.into(),
                third.into(),
            ],
        )?;
    }
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
