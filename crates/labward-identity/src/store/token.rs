//! The SQL of tokens, and the entries that go with each change.
//!
//! It must never read or write a token itself. **Invariant:** no change without an entry; `last_used`
//! is a measurement and has none.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PersonId, SiteId, TokenNumber};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use super::damaged;
use super::sign_in::refuse_removed;
use crate::token::{Kept, scopes_of, scopes_text};
use crate::{IdentityError, NewToken};

/// The step of the table of tokens.
pub const TOKEN_MIGRATIONS: &[Migration] = &[Migration {
    name: "token",
    sql: include_str!("../../token.sql"),
}];

/// Writes a new token, and the entry whose index is its number; tokens whose time is over go.
pub(crate) fn create(
    tx: &mut Tx<'_>,
    site: SiteId,
    new: &NewToken,
    token_sha256: &[u8; 32],
    [now, ends_at]: [Timestamp; 2],
    by: Actor,
) -> Result<TokenNumber, IdentityError> {
    refuse_removed(tx, new.person)?;
    let over = [now.as_micros().into()];
    tx.execute("DELETE FROM token WHERE ends_at <= $1", &over)?;
    let scopes = scopes_text(&new.scopes);
    let facts = Facts::new()
        .text("name", &new.name)
        .text("scopes", &scopes)
        .text("ends_at", ends_at.to_rfc3339());
    let subject = Subject::Person(new.person);
    let entry = NewEntry::new(site, by, Action::TokenCreated, subject).facts(facts);
    let number = TokenNumber::new(labward_ledger::append(tx, &entry)?.get());
    tx.execute(
        "INSERT INTO token (site, number, person, token_sha256, name, scopes, created, ends_at, \
         last_used) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)",
        &[
            site.as_sql().into(),
            number.as_sql().into(),
            new.person.as_sql().into(),
            token_sha256.into(),
            (&new.name).into(),
            (&scopes).into(),
            now.as_micros().into(),
            ends_at.as_micros().into(),
        ],
    )?;
    Ok(number)
}

/// Ends a token, and writes the entry; nothing if there is none.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    site: SiteId,
    number: TokenNumber,
    person: PersonId,
    by: Actor,
) -> Result<Option<EntryIndex>, IdentityError> {
    let sql = "DELETE FROM token WHERE number = $1";
    if tx.execute(sql, &[number.as_sql().into()])? == 0 {
        return Ok(None);
    }
    let facts = Facts::new().number("token", number.get());
    let subject = Subject::Person(person);
    let entry = NewEntry::new(site, by, Action::TokenEnded, subject).facts(facts);
    Ok(Some(labward_ledger::append(tx, &entry)?))
}

/// Notes when a token was last used.
pub(crate) fn note_used(
    tx: &mut Tx<'_>,
    number: TokenNumber,
    used: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE token SET last_used = $1 WHERE number = $2";
    tx.execute(sql, &[used.as_micros().into(), number.as_sql().into()])?;
    Ok(())
}

/// Every token with the SHA-256 by which it is known, in the order of their numbers.
pub(crate) fn read(query: &mut impl Query) -> Result<Vec<([u8; 32], Kept)>, IdentityError> {
    let sql = "SELECT number, person, token_sha256, name, scopes, created, ends_at, last_used \
               FROM token ORDER BY number";
    Ok(query.query_all(sql, &[], read_token)?)
}

fn read_token(row: &Row<'_>) -> Result<([u8; 32], Kept), StoreError> {
    let bad = || damaged("token");
    let at = |column| row.int(column).map(Timestamp::from_micros);
    let kept = Kept::new(
        TokenNumber::from_sql(row.int(0)?).ok_or_else(bad)?,
        PersonId::from_sql(row.int(1)?).ok_or_else(bad)?,
        row.text(3)?,
        scopes_of(row.text(4)?).map_err(|_| bad())?,
        [at(5)?, at(6)?],
        row.opt_int(7)?.map(Timestamp::from_micros),
    );
    Ok((row.bytes(2)?.try_into().map_err(|_| bad())?, kept))
}
