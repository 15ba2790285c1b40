//! The SQL of passkeys, and the entries that go with each change.
//!
//! It must never write a passkey that is known already. **Invariant:** no change without an entry;
//! the sign counter within `data` is a measurement as `last_used` is, and has none.

use labward_base::id::{EntryIndex, PasskeyNumber, PersonId, SiteId};
use labward_base::{Timestamp, remark};
use labward_ledger::{Action, Actor, Facts, NewEntry, Outcome, Subject};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use super::damaged;
use super::sign_in::refuse_removed;
use crate::passkey::{Kept, NewPasskey, Passkey};
use crate::{Client, IdentityError, SignInError};

/// The step with which the table of credentials has room for passkeys.
pub const PASSKEY_MIGRATIONS: &[Migration] = &[Migration {
    name: "passkey",
    sql: include_str!("../../passkey.sql"),
}];

/// Passkeys that one person may have.
const MAX_OF_A_PERSON: i64 = 20;

/// Writes a new passkey, and the entry whose index is its number.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    site: SiteId,
    new: &NewPasskey,
    now: Timestamp,
) -> Result<PasskeyNumber, IdentityError> {
    let person = new.person;
    refuse_removed(tx, person)?;
    let sql = "SELECT count(*) FROM credential WHERE webauthn_id_sha256 = $1";
    let known = tx.query_one(sql, &[(&new.id_sha256).into()], |row| row.int(0))?;
    let sql = "SELECT count(*) FROM credential WHERE person = $1 AND kind = 'passkey'";
    let theirs = tx.query_one(sql, &[person.as_sql().into()], |row| row.int(0))?;
    let refused = match (known, theirs) {
        (0, ..MAX_OF_A_PERSON) => None,
        (0, _) => Some(remark::passkey_too_many()),
        _ => Some(remark::passkey_known()),
    };
    if let Some(what) = refused {
        return Err(SignInError::BadPasskey { what }.into());
    }
    let facts = Facts::new()
        .text("kind", "passkey")
        .text("how", "added")
        .text("name", &new.name)
        .text("relying_party", &new.relying_party);
    let (actor, subject) = (Actor::Person(person), Subject::Person(person));
    let entry = NewEntry::new(site, actor, Action::CredentialChanged, subject).facts(facts);
    let number = PasskeyNumber::new(labward_ledger::append(tx, &entry)?.get());
    tx.execute(
        "INSERT INTO credential (site, person, id, kind, data, label, created, last_used, failures, \
         webauthn_id_sha256, relying_party) VALUES ($1, $2, $3, 'passkey', $4, $5, $6, NULL, 0, $7, $8)",
        &[
            site.as_sql().into(),
            person.as_sql().into(),
            number.as_sql().into(),
            new.data.as_slice().into(),
            (&new.name).into(),
            now.as_micros().into(),
            (&new.id_sha256).into(),
            (&new.relying_party).into(),
        ],
    )?;
    Ok(number)
}

/// Removes a passkey, of this person if one is named, and writes the entry.
pub(crate) fn remove(
    tx: &mut Tx<'_>,
    site: SiteId,
    number: PasskeyNumber,
    of: Option<PersonId>,
    by: Actor,
) -> Result<EntryIndex, IdentityError> {
    let none = || IdentityError::from(SignInError::NoPasskey(number));
    let sql = "SELECT person, label FROM credential WHERE id = $1 AND kind = 'passkey'";
    let found = tx.query_opt(sql, &[number.as_sql().into()], |row| {
        let person = PersonId::from_sql(row.int(0)?).ok_or_else(|| damaged("credential"))?;
        Ok::<_, StoreError>((person, row.text(1)?.to_owned()))
    })?;
    let (person, name) = found.ok_or_else(none)?;
    if of.is_some_and(|of| of != person) {
        return Err(none());
    }
    let sql = "DELETE FROM credential WHERE id = $1";
    tx.execute(sql, &[number.as_sql().into()])?;
    let facts = Facts::new()
        .text("kind", "passkey")
        .text("how", "removed")
        .text("name", name)
        .number("passkey", number.get());
    let entry = NewEntry::new(site, by, Action::CredentialChanged, Subject::Person(person));
    Ok(labward_ledger::append(tx, &entry.facts(facts))?)
}

/// The passkey with this SHA-256 of its id, as the ceremonies need it.
pub(crate) fn by_id(
    query: &mut impl Query,
    id_sha256: &[u8; 32],
) -> Result<Option<Kept>, IdentityError> {
    let sql = "SELECT id, person, data FROM credential \
               WHERE webauthn_id_sha256 = $1 AND kind = 'passkey'";
    Ok(query.query_opt(sql, &[id_sha256.into()], read_kept)?)
}

/// Every passkey of a person, as the ceremonies need them.
pub(crate) fn kept_of(
    query: &mut impl Query,
    person: PersonId,
) -> Result<Vec<Kept>, IdentityError> {
    let sql = "SELECT id, person, data FROM credential WHERE person = $1 AND kind = 'passkey'";
    Ok(query.query_all(sql, &[person.as_sql().into()], read_kept)?)
}

/// Every passkey as people see them, the newest first.
pub(crate) fn list(query: &mut impl Query) -> Result<Vec<Passkey>, IdentityError> {
    let sql = "SELECT id, person, label, relying_party, created, last_used FROM credential \
               WHERE kind = 'passkey' ORDER BY id DESC";
    Ok(query.query_all(sql, &[], |row| {
        let bad = || damaged("credential");
        Ok::<_, StoreError>(Passkey {
            number: PasskeyNumber::from_sql(row.int(0)?).ok_or_else(bad)?,
            person: PersonId::from_sql(row.int(1)?).ok_or_else(bad)?,
            name: row.text(2)?.to_owned(),
            relying_party: row.text(3)?.to_owned(),
            created: Timestamp::from_micros(row.int(4)?),
            last_used: row.opt_int(5)?.map(Timestamp::from_micros),
        })
    })?)
}

/// Keeps what a sign-in changed of a passkey: its counter.
pub(crate) fn note_counter(tx: &mut Tx<'_>, id: i64, data: &[u8]) -> Result<(), StoreError> {
    let sql = "UPDATE credential SET data = $1 WHERE id = $2";
    tx.execute(sql, &[data.into(), id.into()])?;
    Ok(())
}

/// Writes the entry of a passkey whose counter did not go forward: there may be a copy of it.
pub(crate) fn record_copy(
    tx: &mut Tx<'_>,
    site: SiteId,
    (person, passkey): (PersonId, i64),
    client: &Client,
) -> Result<(), IdentityError> {
    let facts = Facts::new()
        .number("count", 1)
        .number("passkey-counter", 1)
        .number("passkey", passkey)
        .text("source", client.address.to_string());
    let code = labward_base::problem::IDENTITY_PASSKEY_REFUSED.code;
    let subject = Subject::Person(person);
    let entry = NewEntry::new(site, Actor::System, Action::SessionRefused, subject)
        .outcome(Outcome::Refused(code))
        .facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

fn read_kept(row: &Row<'_>) -> Result<Kept, StoreError> {
    let bad = || damaged("credential");
    Ok(Kept {
        id: row.int(0)?,
        person: PersonId::from_sql(row.int(1)?).ok_or_else(bad)?,
        passkey: serde_json::from_slice(row.bytes(2)?).map_err(|_| bad())?,
    })
}
