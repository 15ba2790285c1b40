//! The SQL of disclosures and approvals, and the entries that go with each change.
//!
//! **Invariant:** no change without an entry: rows and entry are written in one unit. It must never hold a reason in
//! clear.

use labward_base::Timestamp;
use labward_base::id::{ApprovalId, DeviceId, DisclosureId, EntryIndex, PersonId, SiteId};
use labward_ledger::{NewEntry, append};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use crate::DisclosuresError;
use crate::approval::Approval;
use crate::disclosure::Disclosure;
use crate::scope::Scope;

/// The step that leads to the schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "disclosures and approvals of patches",
    sql: include_str!("../schema.sql"),
}];

/// Every disclosure with its packed bytes, given one after another.
pub(crate) fn each_disclosure(
    query: &mut impl Query,
    site: SiteId,
    mut take: impl FnMut(Disclosure, &[u8]),
) -> Result<(), StoreError> {
    query.query_all(
        "SELECT id, kind, device, manufacturer, model, version, file, sha256, size_bytes, person, \
         attached_us, entry, content FROM device_disclosure WHERE site = $1 ORDER BY id",
        &[site.as_sql().into()],
        |row| {
            let sha256 = row.opt_bytes(7)?.and_then(|all| all.try_into().ok());
            let disclosure = Disclosure {
                id: DisclosureId::new(number(row, 0)?),
                kind: row.text(1)?.parse().map_err(|()| damaged())?,
                scope: match row.opt_int(2)? {
                    Some(device) => Scope::Device(DeviceId::from_sql(device).ok_or_else(damaged)?),
                    None => model(row, 3)?,
                },
                file: row.text(6)?.to_owned(),
                sha256: sha256.ok_or_else(damaged)?,
                size_bytes: number(row, 8)?,
                person: PersonId::new(number(row, 9)?),
                attached: Timestamp::from_micros(row.int(10)?),
                entry: EntryIndex::new(number(row, 11)?),
            };
            take(disclosure, row.opt_bytes(12)?.ok_or_else(damaged)?);
            Ok(())
        },
    )?;
    Ok(())
}

/// Every approval, withdrawn ones too.
pub(crate) fn approvals(query: &mut impl Query, site: SiteId) -> Result<Vec<Approval>, StoreError> {
    query.query_all(
        "SELECT id, manufacturer, model, version, patch, approved, document, person, stated_us, \
         why, withdrawn_us, entry FROM patch_approval WHERE site = $1 ORDER BY id",
        &[site.as_sql().into()],
        |row| {
            Ok(Approval {
                id: ApprovalId::new(number(row, 0)?),
                scope: model(row, 1)?,
                patch: row.text(4)?.to_owned(),
                approved: row.text(5)?.parse().map_err(|_| damaged())?,
                document: row.text(6)?.to_owned(),
                person: PersonId::new(number(row, 7)?),
                stated: Timestamp::from_micros(row.int(8)?),
                why: row.opt_bytes(9)?.ok_or_else(damaged)?.to_owned(),
                withdrawn: row.opt_int(10)?.map(Timestamp::from_micros),
                entry: EntryIndex::new(number(row, 11)?),
            })
        },
    )
}

fn model(row: &Row<'_>, column: usize) -> Result<Scope, StoreError> {
    Ok(Scope::Model {
        manufacturer: row.text(column)?.to_owned(),
        model: row.text(column + 1)?.to_owned(),
        version: row.opt_text(column + 2)?.map(str::to_owned),
    })
}

/// A scope as its columns: device, manufacturer, model, version.
fn columns(scope: &Scope) -> (Option<i64>, &str, &str, Option<&str>) {
    match scope {
        Scope::Device(id) => (Some(id.as_sql()), "", "", None),
        Scope::Model {
            manufacturer,
            model,
            version,
        } => (None, manufacturer, model, version.as_deref()),
    }
}

/// Writes a disclosure, in the place of what had its number, with its entry.
pub(crate) fn write_disclosure(
    tx: &mut Tx<'_>,
    site: SiteId,
    entry: &NewEntry,
    disclosure: &Disclosure,
    packed: &[u8],
) -> Result<EntryIndex, DisclosuresError> {
    let entry = append(tx, entry)?;
    let (device, manufacturer, model, version) = columns(&disclosure.scope);
    tx.execute(
        "INSERT INTO device_disclosure (site, id, kind, device, manufacturer, model, version, file, \
         sha256, size_bytes, person, attached_us, entry, content) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (site, id) DO UPDATE SET manufacturer = excluded.manufacturer, \
         model = excluded.model, version = excluded.version, file = excluded.file, \
         sha256 = excluded.sha256, size_bytes = excluded.size_bytes, person = excluded.person, \
         attached_us = excluded.attached_us, entry = excluded.entry, content = excluded.content",
        &[
            site.as_sql().into(),
            disclosure.id.as_sql().into(),
            disclosure.kind.name().into(),
            device.into(),
            manufacturer.into(),
            model.into(),
            version.into(),
            disclosure.file.as_str().into(),
            disclosure.sha256.as_slice().into(),
            i64::try_from(disclosure.size_bytes)
                .unwrap_or(i64::MAX)
                .into(),
            disclosure.person.as_sql().into(),
            disclosure.attached.as_micros().into(),
            entry.as_sql().into(),
            packed.into(),
        ],
    )?;
    Ok(entry)
}

/// Takes a disclosure away, with its entry.
pub(crate) fn remove_disclosure(
    tx: &mut Tx<'_>,
    site: SiteId,
    entry: &NewEntry,
    id: DisclosureId,
) -> Result<EntryIndex, DisclosuresError> {
    let entry = append(tx, entry)?;
    tx.execute(
        "DELETE FROM device_disclosure WHERE site = $1 AND id = $2",
        &[site.as_sql().into(), id.as_sql().into()],
    )?;
    Ok(entry)
}

/// Writes approvals as they are afterwards, with one entry.
pub(crate) fn write_approvals(
    tx: &mut Tx<'_>,
    site: SiteId,
    entry: &NewEntry,
    approvals: &[Approval],
) -> Result<EntryIndex, DisclosuresError> {
    let entry = append(tx, entry)?;
    for approval in approvals {
        let (_, manufacturer, model, version) = columns(&approval.scope);
        tx.execute(
            "INSERT INTO patch_approval (site, id, manufacturer, model, version, patch, approved, \
             document, person, stated_us, why, withdrawn_us, entry) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
             ON CONFLICT (site, id) DO UPDATE SET withdrawn_us = excluded.withdrawn_us, \
             entry = excluded.entry",
            &[
                site.as_sql().into(),
                approval.id.as_sql().into(),
                manufacturer.into(),
                model.into(),
                version.into(),
                approval.patch.as_str().into(),
                approval.approved.name().into(),
                approval.document.as_str().into(),
                approval.person.as_sql().into(),
                approval.stated.as_micros().into(),
                approval.why.as_slice().into(),
                approval.withdrawn.map(Timestamp::as_micros).into(),
                entry.as_sql().into(),
            ],
        )?;
    }
    Ok(entry)
}

fn number(row: &Row<'_>, column: usize) -> Result<u64, StoreError> {
    u64::try_from(row.int(column)?).map_err(|_| damaged())
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "a row of the tables of disclosures".to_owned(),
    }
}
