//! The SQL of records; the columns are explained in `schema.sql`.
//!
//! It must never write a row of a patient outside the unit that also writes the entry of the act.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, NodeId, PatientId, RecordId, SiteId};
use labward_store::{Migration, Query, Row, StoreError, Tx, Value};

use crate::Tag;
use crate::kind::RecordKind;
use crate::retention::RetentionClass;

/// The steps that lead to the schema of records.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "records",
    sql: include_str!("schema.sql"),
}];

/// The step that leads to the index of accesses.
pub const ACCESS_MIGRATIONS: &[Migration] = &[Migration {
    name: "record accesses",
    sql: include_str!("schema-access.sql"),
}];

const ACTIVE: i64 = 1;
const DISPOSED: i64 = 2;

/// A patient's row without the demographics.
pub(crate) struct PatientRow {
    pub(crate) id: PatientId,
    pub(crate) site: SiteId,
    pub(crate) is_disposed: bool,
    pub(crate) is_provisional: bool,
    pub(crate) merged_into: Option<PatientId>,
    pub(crate) absorbed: Vec<u8>,
    pub(crate) legal_hold: bool,
}

/// An identifier's row.
pub(crate) struct IdentifierRow {
    pub(crate) row: i64,
    pub(crate) patient: PatientId,
    pub(crate) tag: Tag,
    pub(crate) value_tag: Option<Tag>,
}

/// A patient's demographics as stored.
pub(crate) struct SealedDemographics {
    pub(crate) patient: PatientId,
    pub(crate) site: SiteId,
    pub(crate) version: u32,
    pub(crate) sealed: Vec<u8>,
}

/// One row of the record index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexedRecord {
    /// The record.
    pub record: RecordId,
    /// The patient under whose key it is sealed.
    pub patient: PatientId,
    /// The entry that keeps it.
    pub entry: EntryIndex,
    /// What it is.
    pub kind: RecordKind,
    /// By which rule it is retained.
    pub class: RetentionClass,
    /// When it was kept.
    pub time: Timestamp,
    /// Its length in bytes as it came, or sealed if it came in a file with others.
    pub size_bytes: u64,
}

/// Every patient, by number.
pub(crate) fn patients<Q: Query>(
    query: &mut Q,
    each: &mut dyn FnMut(PatientRow),
) -> Result<(), StoreError> {
    query.query(
        "SELECT id, site, state, provisional, merged_into, absorbed, legal_hold FROM patient \
         ORDER BY id",
        &[],
        &mut |row| {
            each(PatientRow {
                id: patient_at(row, 0)?,
                site: site_at(row, 1)?,
                is_disposed: row.int(2)? == DISPOSED,
                is_provisional: row.int(3)? == 1,
                merged_into: row.opt_int(4)?.and_then(PatientId::from_sql),
                absorbed: row.bytes(5)?.to_vec(),
                legal_hold: row.int(6)? == 1,
            });
            Ok(())
        },
    )
}

/// Every identifier.
pub(crate) fn identifiers<Q: Query>(
    query: &mut Q,
    each: &mut dyn FnMut(IdentifierRow),
) -> Result<(), StoreError> {
    query.query(
        "SELECT id, patient, tag, value_tag FROM patient_identifier ORDER BY id",
        &[],
        &mut |row| {
            each(IdentifierRow {
                row: row.int(0)?,
                patient: patient_at(row, 1)?,
                tag: tag_of(row.bytes(2)?)?,
                value_tag: row.opt_bytes(3)?.map(tag_of).transpose()?,
            });
            Ok(())
        },
    )
}

/// Up to `limit` patients' demographics behind patient `after`.
pub(crate) fn demographics_page<Q: Query>(
    query: &mut Q,
    after: PatientId,
    limit: u32,
) -> Result<Vec<SealedDemographics>, StoreError> {
    query.query_all(
        "SELECT id, site, demographics_version, sealed_demographics FROM patient \
         WHERE id > $1 AND sealed_demographics IS NOT NULL ORDER BY id LIMIT $2",
        &[after.as_sql().into(), limit.into()],
        read_demographics,
    )
}

/// One patient's demographics; `None` if nothing is known.
pub(crate) fn demographics<Q: Query>(
    query: &mut Q,
    patient: PatientId,
) -> Result<Option<SealedDemographics>, StoreError> {
    query.query_opt(
        "SELECT id, site, demographics_version, sealed_demographics FROM patient \
         WHERE id = $1 AND sealed_demographics IS NOT NULL",
        &[patient.as_sql().into()],
        read_demographics,
    )
}

/// Writes a new patient's row, unless another message of the same patient has.
pub(crate) fn insert_patient(
    tx: &mut Tx<'_>,
    patient: PatientId,
    site: SiteId,
    provisional: bool,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO patient (id, site, state, provisional, demographics_version, absorbed, \
         legal_hold) VALUES ($1, $2, $3, $4, 0, $5, 0) ON CONFLICT (id) DO NOTHING",
        &[
            patient.as_sql().into(),
            site.as_sql().into(),
            ACTIVE.into(),
            provisional.into(),
            Value::Bytes(&[]),
        ],
    )?;
    Ok(())
}

/// Writes an identifier, unless another message with it has.
pub(crate) fn insert_identifier(
    tx: &mut Tx<'_>,
    site: SiteId,
    identifier: &IdentifierRow,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO patient_identifier (id, site, patient, tag, value_tag) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
        &[
            identifier.row.into(),
            site.as_sql().into(),
            identifier.patient.as_sql().into(),
            Value::Bytes(&identifier.tag),
            identifier
                .value_tag
                .as_ref()
                .map(<[u8; 16]>::as_slice)
                .into(),
        ],
    )?;
    Ok(())
}

/// Replaces a patient's demographics, unless newer ones are there already.
pub(crate) fn update_demographics(
    tx: &mut Tx<'_>,
    new: &SealedDemographics,
    absorbed: &[u8],
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE patient SET sealed_demographics = $1, demographics_version = $2, absorbed = $3 \
         WHERE id = $4 AND state = $5 AND demographics_version < $6",
        &[
            (&new.sealed).into(),
            new.version.into(),
            absorbed.into(),
            new.patient.as_sql().into(),
            ACTIVE.into(),
            new.version.into(),
        ],
    )?;
    Ok(())
}

/// Whether the patient's key has not been destroyed; `None` if there is no such patient.
pub(crate) fn is_active<Q: Query>(
    query: &mut Q,
    patient: PatientId,
) -> Result<Option<bool>, StoreError> {
    query.query_opt(
        "SELECT state FROM patient WHERE id = $1",
        &[patient.as_sql().into()],
        |row| Ok(row.int(0)? == ACTIVE),
    )
}

/// The patient into which this one was merged directly.
pub(crate) fn merged_into<Q: Query>(
    query: &mut Q,
    patient: PatientId,
) -> Result<Option<PatientId>, StoreError> {
    let into = query.query_opt(
        "SELECT merged_into FROM patient WHERE id = $1",
        &[patient.as_sql().into()],
        |row| row.opt_int(0),
    )?;
    Ok(into.flatten().and_then(PatientId::from_sql))
}

/// Sets or ends a merge.
pub(crate) fn set_merged_into(
    tx: &mut Tx<'_>,
    patient: PatientId,
    into: Option<PatientId>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE patient SET merged_into = $1 WHERE id = $2",
        &[into.map(PatientId::as_sql).into(), patient.as_sql().into()],
    )?;
    Ok(())
}

/// Sets or lifts a legal hold.
pub(crate) fn set_legal_hold(
    tx: &mut Tx<'_>,
    patient: PatientId,
    hold: bool,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE patient SET legal_hold = $1 WHERE id = $2",
        &[hold.into(), patient.as_sql().into()],
    )?;
    Ok(())
}

/// Whether a legal hold lies on the patient.
pub(crate) fn legal_hold<Q: Query>(query: &mut Q, patient: PatientId) -> Result<bool, StoreError> {
    let hold = query.query_opt(
        "SELECT legal_hold FROM patient WHERE id = $1",
        &[patient.as_sql().into()],
        |row| row.int(0),
    )?;
    Ok(hold == Some(1))
}

/// Takes away all that says who the patient was.
pub(crate) fn erase_patient(tx: &mut Tx<'_>, patient: PatientId) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE patient SET state = $1, sealed_demographics = NULL, demographics_version = 0, \
         absorbed = $2 WHERE id = $3",
        &[DISPOSED.into(), Value::Bytes(&[]), patient.as_sql().into()],
    )?;
    for sql in [
        "DELETE FROM patient_identifier WHERE patient = $1",
        "DELETE FROM accession_index WHERE patient = $1",
    ] {
        tx.execute(sql, &[patient.as_sql().into()])?;
    }
    Ok(())
}

/// Hands the number of every patient to `each`, and whether it was disposed of: a restore compares
/// them with the keys that an archive holds.
///
/// # Errors
/// [`StoreError`].
pub fn each_patient<Q: Query>(
    query: &mut Q,
    each: &mut dyn FnMut(PatientId, bool),
) -> Result<(), StoreError> {
    patients(query, &mut |row| each(row.id, row.is_disposed))
}

/// Takes out what a database from before their disposal still knows of these patients; their keys
/// are destroyed already.
///
/// # Errors
/// [`StoreError`].
pub fn erase_disposed(tx: &mut Tx<'_>, patients: &[PatientId]) -> Result<(), StoreError> {
    patients
        .iter()
        .try_for_each(|patient| erase_patient(tx, *patient))
}

/// The first entry not yet in the indexes.
pub(crate) fn cursor<Q: Query>(query: &mut Q, node: NodeId) -> Result<EntryIndex, StoreError> {
    let next = query.query_opt(
        "SELECT next_entry FROM record_cursor WHERE node = $1",
        &[node.as_sql().into()],
        |row| row.int(0),
    )?;
    Ok(next
        .and_then(EntryIndex::from_sql)
        .unwrap_or(EntryIndex::new(0)))
}

/// Moves the cursor on; it never goes back.
pub(crate) fn set_cursor(
    tx: &mut Tx<'_>,
    node: NodeId,
    next: EntryIndex,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO record_cursor (node, next_entry) VALUES ($1, $2) \
         ON CONFLICT (node) DO UPDATE SET next_entry = excluded.next_entry \
         WHERE record_cursor.next_entry < excluded.next_entry",
        &[node.as_sql().into(), next.as_sql().into()],
    )?;
    Ok(())
}

/// Takes a record up into the index of its patient.
pub(crate) fn index_record(
    tx: &mut Tx<'_>,
    site: SiteId,
    row: &IndexedRecord,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO record_index (patient, record, site, entry, kind, class, time_us, size_bytes) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (patient, record) DO NOTHING",
        &[
            row.patient.as_sql().into(),
            row.record.as_sql().into(),
            site.as_sql().into(),
            row.entry.as_sql().into(),
            row.kind.code().into(),
            row.class.code().into(),
            row.time.as_micros().into(),
            i64::try_from(row.size_bytes).unwrap_or(i64::MAX).into(),
        ],
    )?;
    Ok(())
}

/// Takes an entry up into the index of what was done with a patient's records.
pub(crate) fn index_access(
    tx: &mut Tx<'_>,
    patient: PatientId,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO access_index (patient, entry) VALUES ($1, $2) \
         ON CONFLICT (patient, entry) DO NOTHING",
        &[patient.as_sql().into(), entry.as_sql().into()],
    )?;
    Ok(())
}

/// Up to `limit` entries about a patient that keep no record, in front of `before`, the newest first.
pub(crate) fn accesses_of<Q: Query>(
    query: &mut Q,
    patient: PatientId,
    before: EntryIndex,
    limit: u32,
) -> Result<Vec<EntryIndex>, StoreError> {
    query.query_all(
        "SELECT entry FROM access_index WHERE patient = $1 AND entry < $2 \
         ORDER BY entry DESC LIMIT $3",
        &[
            patient.as_sql().into(),
            before.as_sql().into(),
            limit.into(),
        ],
        |row| EntryIndex::from_sql(row.int(0)?).ok_or_else(damaged),
    )
}

/// The patient of a record; `None` if it is nobody's or there is no such record.
pub(crate) fn patient_of_record<Q: Query>(
    query: &mut Q,
    record: RecordId,
) -> Result<Option<PatientId>, StoreError> {
    let patient = query.query_opt(
        "SELECT patient FROM entry WHERE record = $1",
        &[record.as_sql().into()],
        |row| row.opt_int(0),
    )?;
    Ok(patient.flatten().and_then(PatientId::from_sql))
}

/// Takes a record up into the index of accession numbers.
pub(crate) fn index_accession(
    tx: &mut Tx<'_>,
    site: SiteId,
    tag: &[u8],
    record: RecordId,
    patient: Option<PatientId>,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO accession_index (tag, record, site, patient) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tag, record) DO NOTHING",
        &[
            tag.into(),
            record.as_sql().into(),
            site.as_sql().into(),
            patient.map(PatientId::as_sql).into(),
        ],
    )?;
    Ok(())
}

/// The patients whose records bear this accession number.
pub(crate) fn patients_of_accession<Q: Query>(
    query: &mut Q,
    tag: &Tag,
) -> Result<Vec<PatientId>, StoreError> {
    let found = query.query_all(
        "SELECT DISTINCT patient FROM accession_index \
         WHERE tag = $1 AND patient IS NOT NULL ORDER BY patient",
        &[Value::Bytes(tag)],
        |row| patient_at(row, 0),
    )?;
    Ok(found)
}

/// Up to `limit` records of a patient before `before`, the newest first.
pub(crate) fn records_of<Q: Query>(
    query: &mut Q,
    patient: PatientId,
    before: i64,
    limit: u32,
) -> Result<Vec<IndexedRecord>, StoreError> {
    query.query_all(
        "SELECT record, patient, entry, kind, class, time_us, size_bytes FROM record_index \
         WHERE patient = $1 AND record < $2 ORDER BY record DESC LIMIT $3",
        &[patient.as_sql().into(), before.into(), limit.into()],
        read_indexed,
    )
}

/// How many records a patient has.
pub(crate) fn count_records<Q: Query>(
    query: &mut Q,
    patient: PatientId,
) -> Result<u64, StoreError> {
    query.query_one(
        "SELECT count(*) FROM record_index WHERE patient = $1",
        &[patient.as_sql().into()],
        |row| Ok(u64::try_from(row.int(0)?).unwrap_or(0)),
    )
}

/// When the newest record of each retention class of a patient was kept.
pub(crate) fn newest_by_class<Q: Query>(
    query: &mut Q,
    patient: PatientId,
) -> Result<Vec<(RetentionClass, Timestamp)>, StoreError> {
    query.query_all(
        "SELECT class, max(time_us) FROM record_index WHERE patient = $1 GROUP BY class",
        &[patient.as_sql().into()],
        |row| {
            let class = RetentionClass::from_code(u8::try_from(row.int(0)?).unwrap_or(u8::MAX));
            Ok((class, Timestamp::from_micros(row.int(1)?)))
        },
    )
}

fn read_indexed(row: &Row<'_>) -> Result<IndexedRecord, StoreError> {
    let kind = u16::try_from(row.int(3)?)
        .ok()
        .and_then(RecordKind::from_code);
    Ok(IndexedRecord {
        record: RecordId::from_sql(row.int(0)?).ok_or_else(damaged)?,
        patient: patient_at(row, 1)?,
        entry: EntryIndex::from_sql(row.int(2)?).ok_or_else(damaged)?,
        kind: kind.ok_or_else(damaged)?,
        class: RetentionClass::from_code(u8::try_from(row.int(4)?).unwrap_or(u8::MAX)),
        time: Timestamp::from_micros(row.int(5)?),
        size_bytes: u64::try_from(row.int(6)?).unwrap_or(0),
    })
}

fn read_demographics(row: &Row<'_>) -> Result<SealedDemographics, StoreError> {
    Ok(SealedDemographics {
        patient: patient_at(row, 0)?,
        site: site_at(row, 1)?,
        version: u32::try_from(row.int(2)?).map_err(|_| damaged())?,
        sealed: row.bytes(3)?.to_vec(),
    })
}

fn patient_at(row: &Row<'_>, i: usize) -> Result<PatientId, StoreError> {
    PatientId::from_sql(row.int(i)?).ok_or_else(damaged)
}

fn site_at(row: &Row<'_>, i: usize) -> Result<SiteId, StoreError> {
    SiteId::from_sql(row.int(i)?).ok_or_else(damaged)
}

fn tag_of(bytes: &[u8]) -> Result<Tag, StoreError> {
    bytes.try_into().map_err(|_| damaged())
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "a row of records".to_owned(),
    }
}
