//! The SQL of documents, hits, statements and treatments, and the entries that go with each change.
//!
//! **Invariant:** no change without an entry: rows and entry are written in one unit. It must never hold
//! a reason in clear.

pub(crate) mod listing;

use labward_base::Timestamp;
use labward_base::id::{DeviceId, DocumentId, EntryIndex, HitId, PersonId, SiteId, StatementId};
use labward_ledger::{NewEntry, append};
use labward_matching::Verdict;
use labward_store::{Migration, Query, Row, StoreError, Tx};

use crate::ThreatsError;
use crate::document::{Document, Source};
use crate::hit::{Hit, HitKey};
use crate::listing::Progress;
use crate::statement::{Said, Statement};
use crate::treatment::Treatment;

/// The step that leads to the schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "advisories, hits, statements and treatments",
    sql: include_str!("../schema.sql"),
}];

/// Every document with its packed bytes, given one after another.
pub(crate) fn each_document(
    query: &mut impl Query,
    site: SiteId,
    mut take: impl FnMut(Document, &[u8]),
) -> Result<(), StoreError> {
    query.query_all(
        "SELECT id, kind, publisher, name, version, released_us, source, file, sha256, hash, signer, \
         imported_us, entry, content FROM advisory WHERE site = $1 ORDER BY id",
        &[site.as_sql().into()],
        |row| {
            let text = |column| Ok::<_, StoreError>(row.text(column)?.to_owned());
            let sha256 = row.opt_bytes(8)?.and_then(|all| all.try_into().ok());
            let document = Document {
                id: DocumentId::new(number(row, 0)?),
                kind: row.text(1)?.parse().map_err(|()| damaged())?,
                publisher: text(2)?,
                name: text(3)?,
                version: text(4)?,
                released: row.opt_int(5)?.map(Timestamp::from_micros),
                source: text(6)?,
                file: text(7)?,
                sha256: sha256.ok_or_else(damaged)?,
                has_hash: row.text(9)? == "good",
                signer: row.opt_text(10)?.map(str::to_owned),
                imported: Timestamp::from_micros(row.int(11)?),
                entry: EntryIndex::new(number(row, 12)?),
            };
            take(document, row.opt_bytes(13)?.ok_or_else(damaged)?);
            Ok(())
        },
    )?;
    Ok(())
}

/// The packed bytes of a document.
pub(crate) fn content(
    query: &mut impl Query,
    site: SiteId,
    id: DocumentId,
) -> Result<Option<Vec<u8>>, StoreError> {
    query.query_opt(
        "SELECT content FROM advisory WHERE site = $1 AND id = $2",
        &[site.as_sql().into(), id.as_sql().into()],
        |row| Ok(row.opt_bytes(0)?.ok_or_else(damaged)?.to_owned()),
    )
}

/// Every source.
pub(crate) fn sources(query: &mut impl Query, site: SiteId) -> Result<Vec<Source>, StoreError> {
    query.query_all(
        "SELECT name, checked_us, changed_us, refused, entry FROM advisory_source \
         WHERE site = $1 ORDER BY name",
        &[site.as_sql().into()],
        |row| {
            Ok(Source {
                name: row.text(0)?.to_owned(),
                checked: Timestamp::from_micros(row.int(1)?),
                changed: Timestamp::from_micros(row.int(2)?),
                refused: number(row, 3)?,
                entry: EntryIndex::new(number(row, 4)?),
            })
        },
    )
}

/// Every hit.
pub(crate) fn hits(query: &mut impl Query, site: SiteId) -> Result<Vec<Hit>, StoreError> {
    query.query_all(
        "SELECT id, device, publisher, advisory, vulnerability, verdict, version, found_us, \
         opened_us, closed_us, closed_by, entry FROM hit WHERE site = $1 ORDER BY id",
        &[site.as_sql().into()],
        |row| {
            let closed = match (row.opt_int(9)?, row.opt_text(10)?) {
                (Some(at), Some(by)) => Some((
                    Timestamp::from_micros(at),
                    by.parse().map_err(|()| damaged())?,
                )),
                (None, None) => None,
                _ => return Err(damaged()),
            };
            Ok(Hit {
                id: HitId::new(number(row, 0)?),
                device: DeviceId::new(number(row, 1)?),
                key: HitKey {
                    publisher: row.text(2)?.to_owned(),
                    advisory: row.text(3)?.to_owned(),
                    vulnerability: row.text(4)?.to_owned(),
                },
                verdict: verdict(row.text(5)?)?,
                version: row.text(6)?.to_owned(),
                found: Timestamp::from_micros(row.int(7)?),
                opened: Timestamp::from_micros(row.int(8)?),
                closed,
                entry: EntryIndex::new(number(row, 11)?),
            })
        },
    )
}

/// Every treatment, by its hit.
pub(crate) fn treatments(
    query: &mut impl Query,
    site: SiteId,
) -> Result<Vec<(HitId, Treatment)>, StoreError> {
    query.query_all(
        "SELECT hit, kind, ends_us, approved, person, decided_us, why, entry FROM hit_treatment \
         WHERE site = $1 ORDER BY hit",
        &[site.as_sql().into()],
        |row| {
            let treatment = Treatment {
                kind: row.text(1)?.parse().map_err(|_| damaged())?,
                ends: row.opt_int(2)?.map(Timestamp::from_micros),
                approved: row.opt_int(3)?.map(|approved| approved == 1),
                person: PersonId::new(number(row, 4)?),
                decided: Timestamp::from_micros(row.int(5)?),
                why: row.opt_bytes(6)?.ok_or_else(damaged)?.to_owned(),
                entry: EntryIndex::new(number(row, 7)?),
            };
            Ok((HitId::new(number(row, 0)?), treatment))
        },
    )
}

/// Every statement, withdrawn ones too.
pub(crate) fn statements(
    query: &mut impl Query,
    site: SiteId,
) -> Result<Vec<Statement>, StoreError> {
    query.query_all(
        "SELECT id, kind, manufacturer, model, vendor, product, device, vulnerability, status, \
         version, person, said_us, why, withdrawn_us, entry FROM hit_statement \
         WHERE site = $1 ORDER BY id",
        &[site.as_sql().into()],
        |row| {
            Ok(Statement {
                id: StatementId::new(number(row, 0)?),
                said: said(row)?,
                person: PersonId::new(number(row, 10)?),
                at: Timestamp::from_micros(row.int(11)?),
                why: row.opt_bytes(12)?.ok_or_else(damaged)?.to_owned(),
                withdrawn: row.opt_int(13)?.map(Timestamp::from_micros),
                entry: EntryIndex::new(number(row, 14)?),
            })
        },
    )
}

fn said(row: &Row<'_>) -> Result<Said, StoreError> {
    let text = |column| Ok::<_, StoreError>(row.text(column)?.to_owned());
    let needed = |column| row.opt_text(column)?.ok_or_else(damaged);
    match row.text(1)? {
        kind @ ("same" | "other") => Ok(Said::Product {
            manufacturer: text(2)?,
            model: text(3)?,
            vendor: text(4)?,
            product: text(5)?,
            same: kind == "same",
        }),
        "status" => Ok(Said::Status {
            device: row
                .opt_int(6)?
                .and_then(DeviceId::from_sql)
                .ok_or_else(damaged)?,
            vulnerability: needed(7)?.parse().map_err(|_| damaged())?,
            status: needed(8)?.parse().map_err(|_| damaged())?,
            version: row.opt_text(9)?.map(str::to_owned),
        }),
        _ => Err(damaged()),
    }
}

/// Writes documents that were taken over, with their source and one entry.
pub(crate) fn write_documents(
    tx: &mut Tx<'_>,
    site: SiteId,
    entry: &NewEntry,
    documents: &[(Document, Vec<u8>)],
    source: &Source,
    progress: Option<&Progress>,
) -> Result<EntryIndex, ThreatsError> {
    let entry = append(tx, entry)?;
    if let Some(progress) = progress {
        listing::write(tx, site, &source.name, progress, entry)?;
    }
    for (document, packed) in documents {
        tx.execute(
            "INSERT INTO advisory (site, id, kind, publisher, name, version, released_us, source, \
             file, sha256, hash, signer, imported_us, entry, content) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
             ON CONFLICT (site, id) DO UPDATE SET version = excluded.version, \
             released_us = excluded.released_us, source = excluded.source, file = excluded.file, \
             sha256 = excluded.sha256, hash = excluded.hash, signer = excluded.signer, \
             imported_us = excluded.imported_us, entry = excluded.entry, \
             content = excluded.content",
            &[
                site.as_sql().into(),
                document.id.as_sql().into(),
                document.kind.name().into(),
                document.publisher.as_str().into(),
                document.name.as_str().into(),
                document.version.as_str().into(),
                document.released.map(Timestamp::as_micros).into(),
                document.source.as_str().into(),
                document.file.as_str().into(),
                document.sha256.as_slice().into(),
                if document.has_hash { "good" } else { "absent" }.into(),
                document.signer.as_deref().into(),
                document.imported.as_micros().into(),
                entry.as_sql().into(),
                packed.as_slice().into(),
            ],
        )?;
    }
    tx.execute(
        "INSERT INTO advisory_source (site, name, checked_us, changed_us, refused, entry) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (site, name) DO UPDATE SET \
         checked_us = excluded.checked_us, changed_us = excluded.changed_us, \
         refused = excluded.refused, entry = excluded.entry",
        &[
            site.as_sql().into(),
            source.name.as_str().into(),
            source.checked.as_micros().into(),
            source.changed.as_micros().into(),
            i64::try_from(source.refused).unwrap_or(i64::MAX).into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(entry)
}

/// Writes the hits of each device that are other than before, each device with its entry.
pub(crate) fn write_hits(
    tx: &mut Tx<'_>,
    site: SiteId,
    changed: &[(NewEntry, Vec<Hit>)],
) -> Result<Vec<EntryIndex>, ThreatsError> {
    let mut entries = Vec::with_capacity(changed.len());
    for (entry, hits) in changed {
        let entry = append(tx, entry)?;
        for hit in hits {
            put_hit(tx, site, hit, entry)?;
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn put_hit(tx: &mut Tx<'_>, site: SiteId, hit: &Hit, entry: EntryIndex) -> Result<(), StoreError> {
    let closed = hit.closed;
    tx.execute(
        "INSERT INTO hit (site, id, device, publisher, advisory, vulnerability, verdict, version, \
         found_us, opened_us, closed_us, closed_by, entry) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (site, id) DO UPDATE SET verdict = excluded.verdict, \
         version = excluded.version, opened_us = excluded.opened_us, \
         closed_us = excluded.closed_us, closed_by = excluded.closed_by, entry = excluded.entry",
        &[
            site.as_sql().into(),
            hit.id.as_sql().into(),
            hit.device.as_sql().into(),
            hit.key.publisher.as_str().into(),
            hit.key.advisory.as_str().into(),
            hit.key.vulnerability.as_str().into(),
            hit.verdict.name().into(),
            hit.version.as_str().into(),
            hit.found.as_micros().into(),
            hit.opened.as_micros().into(),
            closed.map(|(at, _)| at.as_micros()).into(),
            closed.map(|(_, by)| by.name()).into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(())
}

/// Writes one treatment of several hits, each group with its entry.
pub(crate) fn write_treatment(
    tx: &mut Tx<'_>,
    site: SiteId,
    groups: &[(NewEntry, Vec<HitId>)],
    treatment: &Treatment,
) -> Result<Vec<EntryIndex>, ThreatsError> {
    let mut entries = Vec::with_capacity(groups.len());
    for (entry, hits) in groups {
        let entry = append(tx, entry)?;
        for hit in hits {
            tx.execute(
                "INSERT INTO hit_treatment (site, hit, kind, ends_us, approved, person, decided_us, \
                 why, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                 ON CONFLICT (site, hit) DO UPDATE SET kind = excluded.kind, \
                 ends_us = excluded.ends_us, approved = excluded.approved, \
                 person = excluded.person, decided_us = excluded.decided_us, why = excluded.why, \
                 entry = excluded.entry",
                &[
                    site.as_sql().into(),
                    hit.as_sql().into(),
                    treatment.kind.name().into(),
                    treatment.ends.map(Timestamp::as_micros).into(),
                    treatment.approved.map(i64::from).into(),
                    treatment.person.as_sql().into(),
                    treatment.decided.as_micros().into(),
                    treatment.why.as_slice().into(),
                    entry.as_sql().into(),
                ],
            )?;
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Writes a statement, or that it was taken back, with its entry.
pub(crate) fn write_statement(
    tx: &mut Tx<'_>,
    site: SiteId,
    entry: &NewEntry,
    statement: &Statement,
) -> Result<EntryIndex, ThreatsError> {
    let entry = append(tx, entry)?;
    let (kind, names) = match &statement.said {
        Said::Product {
            manufacturer,
            model,
            vendor,
            product,
            same,
        } => (
            if *same { "same" } else { "other" },
            [manufacturer, model, vendor, product].map(String::as_str),
        ),
        Said::Status { .. } => ("status", [""; 4]),
    };
    let (device, vulnerability, status, version) = match &statement.said {
        Said::Product { .. } => (None, None, None, None),
        Said::Status {
            device,
            vulnerability,
            status,
            version,
        } => (
            Some(device.as_sql()),
            Some(vulnerability.to_string()),
            Some(status.name()),
            version.as_deref(),
        ),
    };
    let [manufacturer, model, vendor, product] = names;
    tx.execute(
        "INSERT INTO hit_statement (site, id, kind, manufacturer, model, vendor, product, device, \
         vulnerability, status, version, person, said_us, why, withdrawn_us, entry) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT (site, id) DO UPDATE SET withdrawn_us = excluded.withdrawn_us, \
         entry = excluded.entry",
        &[
            site.as_sql().into(),
            statement.id.as_sql().into(),
            kind.into(),
            manufacturer.into(),
            model.into(),
            vendor.into(),
            product.into(),
            device.into(),
            vulnerability.as_deref().into(),
            status.into(),
            version.into(),
            statement.person.as_sql().into(),
            statement.at.as_micros().into(),
            statement.why.as_slice().into(),
            statement.withdrawn.map(Timestamp::as_micros).into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(entry)
}

fn verdict(text: &str) -> Result<Verdict, StoreError> {
    let open = [Verdict::Affected, Verdict::CannotTell];
    let found = open.into_iter().find(|one| one.name() == text);
    found.ok_or_else(damaged)
}

fn number(row: &Row<'_>, column: usize) -> Result<u64, StoreError> {
    u64::try_from(row.int(column)?).map_err(|_| damaged())
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "a row of the tables of advisories and hits".to_owned(),
    }
}
