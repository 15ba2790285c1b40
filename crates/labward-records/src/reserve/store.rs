//! The SQL of emergency accesses; `opening.sql` explains the columns.
//!
//! It must never delete a row, or change one that was reviewed.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PersonId, SiteId};
use labward_store::{Query, StoreError, Tx};

use super::opening::{Opening, Review, Standing, Verdict};

const COLUMNS: &str =
    "number, person, opened_us, until_us, ended_us, verdict, reviewer, reviewed_us, review_entry";

/// One row.
pub(super) struct Row {
    number: EntryIndex,
    person: PersonId,
    opened_us: i64,
    until_us: i64,
    ended_us: Option<i64>,
    review: Option<Review>,
}

impl Row {
    pub(super) fn opening(self) -> Opening {
        Opening {
            number: self.number,
            person: self.person,
            opened: Timestamp::from_micros(self.opened_us),
            until: Timestamp::from_micros(self.ended_us.unwrap_or(self.until_us)),
            is_ended_early: self.ended_us.is_some(),
            review: self.review,
        }
    }
}

pub(super) fn openings<Q: Query>(
    query: &mut Q,
    site: SiteId,
    waiting: bool,
    before: Option<EntryIndex>,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let which = match waiting {
        true => "verdict IS NULL AND ",
        false => "",
    };
    query.query_all(
        &format!(
            "SELECT {COLUMNS} FROM opening WHERE {which} site = $1 AND number < $2 \
             ORDER BY number DESC LIMIT $3"
        ),
        &[
            site.as_sql().into(),
            before.map_or(i64::MAX, EntryIndex::as_sql).into(),
            limit.into(),
        ],
        row,
    )
}

pub(super) fn opening<Q: Query>(
    query: &mut Q,
    site: SiteId,
    number: EntryIndex,
) -> Result<Option<Row>, StoreError> {
    query.query_opt(
        &format!("SELECT {COLUMNS} FROM opening WHERE site = $1 AND number = $2"),
        &[site.as_sql().into(), number.as_sql().into()],
        row,
    )
}

/// Who has one open at `now`: its number, when it was opened and until when.
pub(super) fn standing<Q: Query>(
    query: &mut Q,
    site: SiteId,
    now: Timestamp,
) -> Result<Vec<(PersonId, EntryIndex, i64, i64)>, StoreError> {
    query.query_all(
        "SELECT person, number, opened_us, until_us FROM opening \
         WHERE site = $1 AND until_us > $2 AND ended_us IS NULL ORDER BY number",
        &[site.as_sql().into(), now.as_micros().into()],
        |row| {
            Ok((
                PersonId::new(unsigned(row.int(0)?)?),
                EntryIndex::new(unsigned(row.int(1)?)?),
                row.int(2)?,
                row.int(3)?,
            ))
        },
    )
}

pub(super) fn find<Q: Query>(
    query: &mut Q,
    site: SiteId,
    person: PersonId,
    opened_us: i64,
) -> Result<Option<EntryIndex>, StoreError> {
    let found = query.query_opt(
        "SELECT MAX(number) FROM opening WHERE site = $1 AND person = $2 AND opened_us = $3 \
         AND ended_us IS NULL",
        &[
            site.as_sql().into(),
            person.as_sql().into(),
            opened_us.into(),
        ],
        |row| row.opt_int(0),
    )?;
    match found.flatten() {
        Some(number) => Ok(Some(EntryIndex::new(unsigned(number)?))),
        None => Ok(None),
    }
}

/// The entries of what was read, the oldest first.
pub(super) fn readings<Q: Query>(
    query: &mut Q,
    number: EntryIndex,
    limit: u32,
) -> Result<Vec<EntryIndex>, StoreError> {
    query.query_all(
        "SELECT entry FROM opening_reading WHERE opening = $1 ORDER BY entry LIMIT $2",
        &[number.as_sql().into(), limit.into()],
        |row| Ok(EntryIndex::new(unsigned(row.int(0)?)?)),
    )
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    site: SiteId,
    number: EntryIndex,
    person: PersonId,
    glass: &Standing,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO opening (number, site, person, opened_us, until_us) \
         VALUES ($1, $2, $3, $4, $5)",
        &[
            number.as_sql().into(),
            site.as_sql().into(),
            person.as_sql().into(),
            glass.opened_us.into(),
            glass.until_us.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn insert_reading(
    tx: &mut Tx<'_>,
    site: SiteId,
    number: EntryIndex,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO opening_reading (opening, entry, site) VALUES ($1, $2, $3)",
        &[
            number.as_sql().into(),
            entry.as_sql().into(),
            site.as_sql().into(),
        ],
    )?;
    Ok(())
}

pub(super) fn set_ended(
    tx: &mut Tx<'_>,
    number: EntryIndex,
    time: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE opening SET ended_us = $1 WHERE number = $2",
        &[time.as_micros().into(), number.as_sql().into()],
    )?;
    Ok(())
}

pub(super) fn set_review(
    tx: &mut Tx<'_>,
    number: EntryIndex,
    by: PersonId,
    verdict: Verdict,
    time: Timestamp,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    let verdict = match verdict {
        Verdict::Appropriate => 1,
        Verdict::NotAppropriate => 2,
    };
    tx.execute(
        "UPDATE opening SET verdict = $1, reviewer = $2, reviewed_us = $3, review_entry = $4 \
         WHERE number = $5",
        &[
            verdict.into(),
            by.as_sql().into(),
            time.as_micros().into(),
            entry.as_sql().into(),
            number.as_sql().into(),
        ],
    )?;
    Ok(())
}

fn row(row: &labward_store::Row<'_>) -> Result<Row, StoreError> {
    let review = match (
        row.opt_int(5)?,
        row.opt_int(6)?,
        row.opt_int(7)?,
        row.opt_int(8)?,
    ) {
        (Some(verdict), Some(by), Some(time), Some(entry)) => Some(Review {
            verdict: match verdict {
                1 => Verdict::Appropriate,
                2 => Verdict::NotAppropriate,
                _ => return Err(damaged()),
            },
            by: PersonId::new(unsigned(by)?),
            time: Timestamp::from_micros(time),
            entry: EntryIndex::new(unsigned(entry)?),
        }),
        _ => None,
    };
    Ok(Row {
        number: EntryIndex::new(unsigned(row.int(0)?)?),
        person: PersonId::new(unsigned(row.int(1)?)?),
        opened_us: row.int(2)?,
        until_us: row.int(3)?,
        ended_us: row.opt_int(4)?,
        review,
    })
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged())
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "a row of table opening".to_owned(),
    }
}
