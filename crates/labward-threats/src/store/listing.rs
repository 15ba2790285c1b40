//! The SQL of what was fetched of lists.

use std::collections::BTreeMap;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, SiteId};
use labward_store::{Migration, Query, StoreError, Tx};

use super::number;
use crate::listing::{Fetched, Listing, Progress};

/// The step that leads to the tables of lists.
pub const LISTING_MIGRATIONS: &[Migration] = &[Migration {
    name: "what was fetched of lists of advisories",
    sql: include_str!("../../listing.sql"),
}];

/// What was fetched of each source that is a list.
pub(crate) fn read(
    query: &mut impl Query,
    site: SiteId,
) -> Result<BTreeMap<String, Listing>, StoreError> {
    let mut all = BTreeMap::new();
    query.query_all(
        "SELECT source, kind, publisher, keys, waiting FROM advisory_listing WHERE site = $1",
        &[site.as_sql().into()],
        |row| {
            let keys = row.text(3)?.split_whitespace().map(str::to_owned);
            let listing = Listing {
                kind: row.text(1)?.to_owned(),
                publisher: row.text(2)?.to_owned(),
                keys: keys.collect(),
                waiting: number(row, 4)?,
                fetched: BTreeMap::new(),
            };
            all.insert(row.text(0)?.to_owned(), listing);
            Ok(())
        },
    )?;
    query.query_all(
        "SELECT source, address, changed_us, fetched_us, fault FROM advisory_listed \
         WHERE site = $1",
        &[site.as_sql().into()],
        |row| {
            let fetched = Fetched {
                changed: row.opt_int(2)?.map(Timestamp::from_micros),
                at: Timestamp::from_micros(row.int(3)?),
                fault: row.opt_text(4)?.map(str::to_owned),
            };
            if let Some(listing) = all.get_mut(row.text(0)?) {
                listing.fetched.insert(row.text(1)?.to_owned(), fetched);
            }
            Ok(())
        },
    )?;
    Ok(all)
}

/// Writes what a look into a list brought.
pub(super) fn write(
    tx: &mut Tx<'_>,
    site: SiteId,
    source: &str,
    progress: &Progress,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO advisory_listing (site, source, kind, publisher, keys, waiting, entry) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site, source) DO UPDATE SET \
         kind = excluded.kind, publisher = excluded.publisher, keys = excluded.keys, \
         waiting = excluded.waiting, entry = excluded.entry",
        &[
            site.as_sql().into(),
            source.into(),
            progress.kind.as_str().into(),
            progress.publisher.as_str().into(),
            progress.keys.join(" ").as_str().into(),
            i64::try_from(progress.waiting).unwrap_or(i64::MAX).into(),
            entry.as_sql().into(),
        ],
    )?;
    for (address, one) in &progress.fetched {
        tx.execute(
            "INSERT INTO advisory_listed (site, source, address, changed_us, fetched_us, fault) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site, source, address) DO UPDATE SET \
             changed_us = excluded.changed_us, fetched_us = excluded.fetched_us, \
             fault = excluded.fault",
            &[
                site.as_sql().into(),
                source.into(),
                address.as_str().into(),
                one.changed.map(Timestamp::as_micros).into(),
                one.at.as_micros().into(),
                one.fault.as_deref().into(),
            ],
        )?;
    }
    for address in &progress.gone {
        tx.execute(
            "DELETE FROM advisory_listed WHERE site = $1 AND source = $2 AND address = $3",
            &[site.as_sql().into(), source.into(), address.as_str().into()],
        )?;
    }
    Ok(())
}
