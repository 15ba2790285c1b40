//! The SQL of slots, wrapped keys and secrets.
//!
//! It must never see a key in clear: what it is given is sealed or wrapped.

use labward_base::Timestamp;
use labward_base::id::{SiteId, SlotId};
use labward_seal::Scope;
use labward_store::{Migration, Query, StoreError, Tx};

use crate::KeysError;
use crate::archive::ArchiveInfo;
use crate::slot::{Params, Slot};

/// The steps of this room's tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "keys",
    sql: include_str!("../schema.sql"),
}];

/// The step of the table of key archives, which came later than every other room's first one.
pub const ARCHIVE_MIGRATIONS: &[Migration] = &[Migration {
    name: "key archives",
    sql: include_str!("../archive.sql"),
}];

/// The tables of slots and wrapped keys, which a backup of the data leaves out.
pub const KEY_TABLES: &[&str] = &["root_state", "slot", "wrapped_key"];

/// The one row of the root key.
pub(crate) struct RootState {
    pub(crate) generation: u32,
    pub(crate) next_slot: u32,
    pub(crate) old: Option<(u32, Vec<u8>)>,
}

/// One row of wrapped keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrappedRow {
    pub(crate) scope: Scope,
    pub(crate) owner: u64,
    pub(crate) epoch: u32,
    pub(crate) generation: u32,
    /// `None`: destroyed.
    pub(crate) wrapped: Option<[u8; 40]>,
}

pub(crate) fn root_state(
    query: &mut impl Query,
    site: SiteId,
) -> Result<Option<RootState>, StoreError> {
    query.query_opt(
        "SELECT generation, next_slot, old_generation, old_wrapped FROM root_state WHERE site = $1",
        &[site.as_sql().into()],
        |row| {
            Ok(RootState {
                generation: number(row.int(0)?)?,
                next_slot: number(row.int(1)?)?,
                old: match (row.opt_int(2)?, row.opt_bytes(3)?) {
                    (Some(generation), Some(wrapped)) => {
                        Some((number(generation)?, wrapped.to_vec()))
                    }
                    _ => None,
                },
            })
        },
    )
}

pub(crate) fn insert_root_state(
    tx: &mut Tx<'_>,
    site: SiteId,
    next_slot: u32,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO root_state (site, generation, next_slot) VALUES ($1, 1, $2)",
        &[site.as_sql().into(), next_slot.into()],
    )?;
    Ok(())
}

pub(crate) fn set_next_slot(tx: &mut Tx<'_>, site: SiteId, next: u32) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE root_state SET next_slot = $1 WHERE site = $2",
        &[next.into(), site.as_sql().into()],
    )?;
    Ok(())
}

pub(crate) fn set_root_state(
    tx: &mut Tx<'_>,
    site: SiteId,
    generation: u32,
    old: Option<(u32, &[u8])>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE root_state SET generation = $1, old_generation = $2, old_wrapped = $3 \
         WHERE site = $4",
        &[
            generation.into(),
            old.map(|(generation, _)| generation).into(),
            old.map(|(_, wrapped)| wrapped).into(),
            site.as_sql().into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn slots(query: &mut impl Query, site: SiteId) -> Result<Vec<Slot>, StoreError> {
    query.query_all(
        "SELECT id, label, public, private, params, wrapped_root, endorsement, generation, \
         created, last_tested FROM slot WHERE site = $1 ORDER BY id",
        &[site.as_sql().into()],
        |row| {
            let params: Params = serde_json::from_str(row.text(4)?).map_err(|_| damaged("slot"))?;
            let endorsement = row.bytes(6)?.try_into();
            Ok(Slot {
                id: SlotId::from_sql(row.int(0)?).ok_or_else(|| damaged("slot"))?,
                label: row.text(1)?.to_owned(),
                public: row.bytes(2)?.to_vec(),
                private: row.opt_bytes(3)?.map(<[u8]>::to_vec),
                params,
                wrapped_root: row.bytes(5)?.to_vec(),
                endorsement: endorsement.map_err(|_| damaged("slot"))?,
                generation: number(row.int(7)?)?,
                created: Timestamp::from_micros(row.int(8)?),
                last_tested: row.opt_int(9)?.map(Timestamp::from_micros),
            })
        },
    )
}

pub(crate) fn insert_slot(tx: &mut Tx<'_>, site: SiteId, slot: &Slot) -> Result<(), KeysError> {
    let params = serde_json::to_string(&slot.params).map_err(|_| KeysError::BadSlot {
        why: "the key file's path is not UTF-8",
    })?;
    tx.execute(
        "INSERT INTO slot (site, id, kind, label, public, private, params, wrapped_root, \
         endorsement, generation, created, last_tested) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            site.as_sql().into(),
            slot.id.as_sql().into(),
            slot.params.kind().name().into(),
            (&slot.label).into(),
            (&slot.public).into(),
            slot.private.as_ref().into(),
            (&params).into(),
            (&slot.wrapped_root).into(),
            (&slot.endorsement).into(),
            slot.generation.into(),
            slot.created.as_micros().into(),
            slot.last_tested.map(Timestamp::as_micros).into(),
        ],
    )?;
    Ok(())
}

/// Writes what a rotation changes of a slot.
pub(crate) fn reseal_slot(tx: &mut Tx<'_>, site: SiteId, slot: &Slot) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE slot SET wrapped_root = $1, endorsement = $2, generation = $3 \
         WHERE site = $4 AND id = $5",
        &[
            (&slot.wrapped_root).into(),
            (&slot.endorsement).into(),
            slot.generation.into(),
            site.as_sql().into(),
            slot.id.as_sql().into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn set_tested(
    tx: &mut Tx<'_>,
    site: SiteId,
    slot: SlotId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE slot SET last_tested = $1 WHERE site = $2 AND id = $3",
        &[
            now.as_micros().into(),
            site.as_sql().into(),
            slot.as_sql().into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn delete_slot(tx: &mut Tx<'_>, site: SiteId, slot: SlotId) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM slot WHERE site = $1 AND id = $2",
        &[site.as_sql().into(), slot.as_sql().into()],
    )?;
    Ok(())
}

/// Hands every wrapped key, destroyed ones too, to `each` in the order of scope, owner and epoch.
pub(crate) fn each_wrapped(
    query: &mut impl Query,
    site: SiteId,
    each: &mut dyn FnMut(WrappedRow),
) -> Result<(), StoreError> {
    query.query(
        "SELECT scope, owner, epoch, generation, wrapped FROM wrapped_key WHERE site = $1 \
         ORDER BY scope, owner, epoch",
        &[site.as_sql().into()],
        &mut |row| {
            each(wrapped_row(row)?);
            Ok(())
        },
    )
}

/// At most `limit` keys of `generation` behind `after`, in the order of scope, owner and epoch.
pub(crate) fn wrapped_of_generation(
    query: &mut impl Query,
    site: SiteId,
    after: Option<&WrappedRow>,
    generation: u32,
    limit: u32,
) -> Result<Vec<WrappedRow>, StoreError> {
    let (scope, owner, epoch) = after.map_or((0, 0, 0), |row| {
        (
            i64::from(row.scope.number()),
            sql(row.owner),
            i64::from(row.epoch),
        )
    });
    query.query_all(
        "SELECT scope, owner, epoch, generation, wrapped FROM wrapped_key WHERE site = $1 \
         AND (scope, owner, epoch) > ($2, $3, $4) AND generation = $5 \
         ORDER BY scope, owner, epoch LIMIT $6",
        &[
            site.as_sql().into(),
            scope.into(),
            owner.into(),
            epoch.into(),
            generation.into(),
            limit.into(),
        ],
        wrapped_row,
    )
}

/// The key of this place, if it stands there.
pub(crate) fn wrapped_at(
    query: &mut impl Query,
    site: SiteId,
    like: &WrappedRow,
) -> Result<Option<WrappedRow>, StoreError> {
    query.query_opt(
        "SELECT scope, owner, epoch, generation, wrapped FROM wrapped_key \
         WHERE site = $1 AND scope = $2 AND owner = $3 AND epoch = $4",
        &[
            site.as_sql().into(),
            like.scope.number().into(),
            sql(like.owner).into(),
            like.epoch.into(),
        ],
        wrapped_row,
    )
}

/// Inserts a wrapped key; `false` if one stands in its place.
pub(crate) fn insert_wrapped(
    tx: &mut Tx<'_>,
    site: SiteId,
    row: &WrappedRow,
) -> Result<bool, StoreError> {
    let inserted = tx.execute(
        "INSERT INTO wrapped_key (site, scope, owner, epoch, generation, wrapped) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site, scope, owner, epoch) DO NOTHING",
        &[
            site.as_sql().into(),
            row.scope.number().into(),
            sql(row.owner).into(),
            row.epoch.into(),
            row.generation.into(),
            row.wrapped.as_ref().into(),
        ],
    )?;
    Ok(inserted == 1)
}

/// Puts `row` in the place of the same key of generation `old`; `false` if it was destroyed since.
pub(crate) fn replace_wrapped(
    tx: &mut Tx<'_>,
    site: SiteId,
    row: &WrappedRow,
    old: u32,
) -> Result<bool, StoreError> {
    let replaced = tx.execute(
        "UPDATE wrapped_key SET generation = $1, wrapped = $2 \
         WHERE site = $3 AND scope = $4 AND owner = $5 AND epoch = $6 AND generation = $7",
        &[
            row.generation.into(),
            row.wrapped.as_ref().into(),
            site.as_sql().into(),
            row.scope.number().into(),
            sql(row.owner).into(),
            row.epoch.into(),
            old.into(),
        ],
    )?;
    Ok(replaced == 1)
}

/// Destroys every key of a patient; how many there were.
pub(crate) fn destroy_wrapped(
    tx: &mut Tx<'_>,
    site: SiteId,
    patient: u64,
) -> Result<usize, StoreError> {
    tx.execute(
        "UPDATE wrapped_key SET generation = 0, wrapped = NULL \
         WHERE site = $1 AND scope = $2 AND owner = $3 AND generation > 0",
        &[
            site.as_sql().into(),
            Scope::Patient.number().into(),
            sql(patient).into(),
        ],
    )
}

pub(crate) fn put_secret(
    tx: &mut Tx<'_>,
    site: SiteId,
    name: &str,
    sealed: &[u8],
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO secret (site, name, sealed) VALUES ($1, $2, $3) \
         ON CONFLICT (site, name) DO UPDATE SET sealed = excluded.sealed",
        &[site.as_sql().into(), name.into(), sealed.into()],
    )?;
    Ok(())
}

pub(crate) fn drop_secret(tx: &mut Tx<'_>, site: SiteId, name: &str) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM secret WHERE site = $1 AND name = $2",
        &[site.as_sql().into(), name.into()],
    )?;
    Ok(())
}

pub(crate) fn secret(
    query: &mut impl Query,
    site: SiteId,
    name: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    query.query_opt(
        "SELECT sealed FROM secret WHERE site = $1 AND name = $2",
        &[site.as_sql().into(), name.into()],
        |row| Ok(row.bytes(0)?.to_vec()),
    )
}

/// Every secret's name and sealed bytes. What cannot be read as what it should be, or says that it is
/// of another site, comes out empty, for this is how damage is looked for.
pub(crate) fn secrets(
    query: &mut impl Query,
    site: SiteId,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    query.query_all(
        "SELECT name, sealed, site FROM secret ORDER BY name",
        &[],
        |row| {
            let name = row.text(0).unwrap_or_default().to_owned();
            let is_ours = row.int(2).is_ok_and(|of| of == site.as_sql());
            let sealed = row.bytes(1).ok().filter(|_| is_ours);
            Ok((name, sealed.unwrap_or_default().to_vec()))
        },
    )
}

/// Every archive that was made, the newest first.
pub(crate) fn archives(
    query: &mut impl Query,
    site: SiteId,
) -> Result<Vec<ArchiveInfo>, StoreError> {
    query.query_all(
        "SELECT id, folder, created, expires, state FROM key_archive WHERE site = $1 \
         ORDER BY id DESC",
        &[site.as_sql().into()],
        |row| {
            Ok(ArchiveInfo {
                id: number(row.int(0)?)?,
                folder: row.text(1)?.into(),
                created: Timestamp::from_micros(row.int(2)?),
                expires: Timestamp::from_micros(row.int(3)?),
                may_exist: row.int(4)? == 1,
            })
        },
    )
}

pub(crate) fn insert_archive(
    tx: &mut Tx<'_>,
    site: SiteId,
    info: &ArchiveInfo,
) -> Result<(), StoreError> {
    let folder = info.folder.to_string_lossy();
    tx.execute(
        "INSERT INTO key_archive (site, id, folder, created, expires, state) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            site.as_sql().into(),
            info.id.into(),
            folder.as_ref().into(),
            info.created.as_micros().into(),
            info.expires.as_micros().into(),
            i64::from(info.may_exist).into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn set_archive_deleted(
    tx: &mut Tx<'_>,
    site: SiteId,
    id: u32,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE key_archive SET state = 0 WHERE site = $1 AND id = $2",
        &[site.as_sql().into(), id.into()],
    )?;
    Ok(())
}

fn wrapped_row(row: &labward_store::Row<'_>) -> Result<WrappedRow, StoreError> {
    let bad = || damaged("wrapped_key");
    let scope = u8::try_from(row.int(0)?).ok().and_then(Scope::from_number);
    let wrapped = row.opt_bytes(4)?.map(<[u8; 40]>::try_from).transpose();
    Ok(WrappedRow {
        scope: scope.ok_or_else(bad)?,
        owner: u64::try_from(row.int(1)?).map_err(|_| bad())?,
        epoch: number(row.int(2)?)?,
        generation: number(row.int(3)?)?,
        wrapped: wrapped.map_err(|_| bad())?,
    })
}

fn number(stored: i64) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|_| damaged("root_state, slot or wrapped_key"))
}

/// Patients' numbers are never above `i64::MAX`.
fn sql(owner: u64) -> i64 {
    i64::try_from(owner).unwrap_or(i64::MAX)
}

fn damaged(table: &str) -> StoreError {
    StoreError::Damaged {
        place: format!("a row of table {table}"),
    }
}
