//! The SQL of engagements, and the entries that go with each change.
//!
//! It must never change a row without its entry. **Invariant:** no change without an entry.

use labward_base::Timestamp;
use labward_base::id::{PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use super::damaged;
use super::sign_in::refuse_removed;
use crate::engagement::{Engagement, Topic};
use crate::{IdentityError, SessionEnd};

/// The step of the table of engagements.
pub const ENGAGEMENT_MIGRATIONS: &[Migration] = &[Migration {
    name: "engagements",
    sql: include_str!("../../engagement.sql"),
}];

/// An engagement of somebody, and whether its end was recorded.
pub(crate) type Kept = (PersonId, Engagement, bool);

/// Every engagement.
pub(crate) fn read(query: &mut impl Query) -> Result<Vec<Kept>, IdentityError> {
    let sql = "SELECT person, since, until, ends_at, topics, ended FROM engagement";
    Ok(query.query_all(sql, &[], read_row)?)
}

fn read_row(row: &Row<'_>) -> Result<Kept, StoreError> {
    let bad = || damaged("engagement");
    let at = |column| row.int(column).map(Timestamp::from_micros);
    let topics: Result<Vec<Topic>, _> = row.text(4)?.split(',').map(str::parse).collect();
    let engagement = Engagement::kept([at(1)?, at(2)?, at(3)?], topics.map_err(|_| bad())?);
    let person = PersonId::from_sql(row.int(0)?).ok_or_else(bad)?;
    Ok((person, engagement, row.int(5)? != 0))
}

/// Writes what an expert is engaged for in the place of what they were, and the entry that says so.
pub(crate) fn set(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: PersonId,
    engagement: &Engagement,
    by: Actor,
) -> Result<(), IdentityError> {
    refuse_removed(tx, person)?;
    let topics = engagement.topics_text();
    tx.execute(
        "INSERT INTO engagement (site, person, since, until, ends_at, topics, ended) \
         VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (person) DO UPDATE SET \
         since = excluded.since, until = excluded.until, ends_at = excluded.ends_at, \
         topics = excluded.topics, ended = 0",
        &[
            site.as_sql().into(),
            person.as_sql().into(),
            engagement.from.as_micros().into(),
            engagement.until.as_micros().into(),
            engagement.ends_at.as_micros().into(),
            (&topics).into(),
        ],
    )?;
    let facts = Facts::new()
        .text("from", engagement.from.to_rfc3339())
        .text("until", engagement.until.to_rfc3339())
        .text("ends_at", engagement.ends_at.to_rfc3339())
        .text("topics", topics);
    let subject = Subject::Person(person);
    let entry = NewEntry::new(site, by, Action::EngagementSet, subject).facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

/// Notes that an engagement is over, and writes the entry; with it ends what they could go on by, if
/// it was all that they had.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: PersonId,
    is_all: bool,
) -> Result<(), IdentityError> {
    let id = [person.as_sql().into()];
    let sql = "UPDATE engagement SET ended = 1 WHERE person = $1 AND ended = 0";
    if tx.execute(sql, &id)? == 0 {
        return Ok(());
    }
    let mut facts = Facts::new().text("how", SessionEnd::Expired.name());
    if is_all {
        tx.execute("DELETE FROM invitation WHERE person = $1", &id)?;
        let tokens = tx.execute("DELETE FROM token WHERE person = $1", &id)?;
        let sessions = tx.execute("DELETE FROM session WHERE person = $1", &id)?;
        facts = facts
            .number("sessions_ended", sessions)
            .number("tokens_ended", tokens);
    }
    let subject = Subject::Person(person);
    let entry = NewEntry::new(site, Actor::System, Action::EngagementEnded, subject).facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}
