//! The SQL of credentials, invitations and sessions, and the entries that go with each change.
//!
//! It must never read or write a secret: what comes in is hashed already. **Invariant:** no change
//! without an entry. Three columns are kept without one of their own, since they are measurements:
//! `last_seen` of a session, `last_used` and `failures` of a credential.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PersonId, SessionNumber, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use super::damaged;
use crate::invitation::{Accepted, Invited};
use crate::session::{Live, SessionEnd};
use crate::{IdentityError, SignInError};

/// The step of the tables of signing in, which came later than the first one.
pub const SIGN_IN_MIGRATIONS: &[Migration] = &[Migration {
    name: "sign-in",
    sql: include_str!("../../sign-in.sql"),
}];

/// The tables of what lasts for hours, which a backup leaves out: a restore must not bring a session
/// or token back that was ended, or an invitation that was accepted.
pub const SHORT_LIVED_TABLES: &[&str] = &["invitation", "session", "token"];

/// Wrong tries in a row after which a password has ended (NIST SP 800-63B-4, 3.2.2).
pub(crate) const MAX_FAILURES: i64 = 100;

/// A person's password as it is kept.
pub(crate) struct StoredPassword {
    pub(crate) id: i64,
    pub(crate) phc: String,
    pub(crate) failures: i64,
}

/// The password of this person, if there is one.
pub(crate) fn password_of(
    query: &mut impl Query,
    person: PersonId,
) -> Result<Option<StoredPassword>, IdentityError> {
    let sql = "SELECT id, data, failures FROM credential WHERE person = $1 AND kind = 'password'";
    Ok(query.query_opt(sql, &[person.as_sql().into()], |row| {
        let phc = String::from_utf8(row.bytes(1)?.to_vec());
        Ok(StoredPassword {
            id: row.int(0)?,
            phc: phc.map_err(|_| damaged("credential"))?,
            failures: row.int(2)?,
        })
    })?)
}

/// Counts a wrong try; the one with which the password ends has an entry.
pub(crate) fn count_failure(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: PersonId,
    credential: i64,
) -> Result<(), IdentityError> {
    let sql = "UPDATE credential SET failures = failures + 1 WHERE id = $1 AND failures < $2";
    let counted = tx.execute(sql, &[credential.into(), MAX_FAILURES.into()])?;
    let sql = "SELECT failures FROM credential WHERE id = $1";
    let failures = tx.query_opt(sql, &[credential.into()], |row| row.int(0))?;
    if counted == 1 && failures == Some(MAX_FAILURES) {
        let facts = Facts::new()
            .text("kind", "password")
            .text("how", "ended by wrong tries")
            .number("failures", MAX_FAILURES);
        let subject = Subject::Person(person);
        let entry = NewEntry::new(site, Actor::System, Action::CredentialChanged, subject);
        labward_ledger::append(tx, &entry.facts(facts))?;
    }
    Ok(())
}

/// Writes a new invitation in the place of any earlier one, and the entry that says who invited whom.
pub(crate) fn invite(
    tx: &mut Tx<'_>,
    site: SiteId,
    invited: &Invited,
    by: Actor,
) -> Result<(), IdentityError> {
    let person = invited.person;
    refuse_removed(tx, person)?;
    let is_reset = password_of(tx, person)?.is_some();
    tx.execute(
        "INSERT INTO invitation (site, person, code_sha256, invited_by, expires) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person) DO UPDATE SET \
         code_sha256 = excluded.code_sha256, invited_by = excluded.invited_by, \
         expires = excluded.expires",
        &[
            site.as_sql().into(),
            person.as_sql().into(),
            (&invited.code_sha256).into(),
            by_of(by).into(),
            invited.expires.as_micros().into(),
        ],
    )?;
    let facts = Facts::new()
        .text("expires", invited.expires.to_rfc3339())
        .number("reset", i64::from(is_reset));
    let subject = Subject::Person(person);
    let entry = NewEntry::new(site, by, Action::PersonInvited, subject).facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

/// Whom this code invites, if it holds at `now`.
pub(crate) fn invited(
    query: &mut impl Query,
    code_sha256: &[u8; 32],
    now: Timestamp,
) -> Result<Option<PersonId>, IdentityError> {
    let sql = "SELECT person FROM invitation WHERE code_sha256 = $1 AND expires > $2";
    let params = [code_sha256.into(), now.as_micros().into()];
    Ok(query.query_opt(sql, &params, |row| {
        PersonId::from_sql(row.int(0)?).ok_or_else(|| damaged("invitation"))
    })?)
}

/// Spends the code, sets login and password, ends every session, and writes the entry.
pub(crate) fn accept(
    tx: &mut Tx<'_>,
    site: SiteId,
    accepted: &Accepted,
) -> Result<(), IdentityError> {
    let person = accepted.person;
    let id = person.as_sql();
    if invited(tx, &accepted.code_sha256, accepted.now)? != Some(person) {
        return Err(SignInError::InvitationEnded.into());
    }
    refuse_removed(tx, person)?;
    let taken = tx.query_one(
        "SELECT count(*) FROM person WHERE login = $1 AND id <> $2",
        &[(&accepted.login).into(), id.into()],
        |row| row.int(0),
    )?;
    if taken != 0 {
        return Err(SignInError::LoginTaken.into());
    }
    let sql = "SELECT invited_by FROM invitation WHERE person = $1";
    let by = tx.query_one(sql, &[id.into()], |row| row.opt_int(0))?;
    tx.execute("DELETE FROM invitation WHERE person = $1", &[id.into()])?;
    let sql = "DELETE FROM credential WHERE person = $1 AND kind = 'password'";
    let replaced = tx.execute(sql, &[id.into()])?;
    // Whoever knew the old password may have added one.
    let passkeys = tx.execute("DELETE FROM credential WHERE person = $1", &[id.into()])?;
    let sessions = tx.execute("DELETE FROM session WHERE person = $1", &[id.into()])?;
    let sql = "UPDATE person SET login = $1 WHERE id = $2";
    tx.execute(sql, &[(&accepted.login).into(), id.into()])?;
    let mut facts = Facts::new()
        .text("kind", "password")
        .text("how", "invitation")
        .text("login", &accepted.login)
        .number("reset", i64::from(replaced != 0))
        .number("sessions_ended", sessions)
        .number("passkeys_removed", passkeys);
    if let Some(by) = by {
        facts = facts.number("invited_by", by);
    }
    let (actor, subject) = (Actor::Person(person), Subject::Person(person));
    let entry = NewEntry::new(site, actor, Action::CredentialChanged, subject).facts(facts);
    let index = labward_ledger::append(tx, &entry)?;
    tx.execute(
        "INSERT INTO credential (site, person, id, kind, data, label, created, last_used, failures) \
         VALUES ($1, $2, $3, 'password', $4, '', $5, NULL, 0)",
        &[
            site.as_sql().into(),
            id.into(),
            index.as_sql().into(),
            accepted.phc.as_bytes().into(),
            accepted.now.as_micros().into(),
        ],
    )?;
    Ok(())
}

/// Begins a session, if its credential still stands, and writes the entry whose index is its number.
pub(crate) fn begin_session(
    tx: &mut Tx<'_>,
    site: SiteId,
    id_sha256: &[u8; 32],
    live: &Live,
    credential: i64,
) -> Result<SessionNumber, IdentityError> {
    refuse_removed(tx, live.person)?;
    // Whoever was admitted by a password that was replaced meanwhile stays outside.
    let used = tx.execute(
        "UPDATE credential SET last_used = $1, failures = 0 WHERE id = $2 AND person = $3",
        &[
            live.created.as_micros().into(),
            credential.into(),
            live.person.as_sql().into(),
        ],
    )?;
    if used != 1 {
        return Err(IdentityError::NoPerson(live.person));
    }
    let sql = "SELECT kind FROM credential WHERE id = $1";
    let kind = tx.query_one(sql, &[credential.into()], |row| Ok(row.text(0)?.to_owned()))?;
    let facts = Facts::new()
        .text("how", kind)
        .text("source", live.client.address.to_string())
        .text("ends_at", live.ends_at.to_rfc3339());
    let (actor, subject) = (Actor::Person(live.person), Subject::Person(live.person));
    let entry = NewEntry::new(site, actor, Action::SessionBegan, subject).facts(facts);
    let number = SessionNumber::new(labward_ledger::append(tx, &entry)?.get());
    tx.execute(
        "INSERT INTO session (site, number, person, id_sha256, created, last_seen, ends_at, \
         source, agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            site.as_sql().into(),
            number.as_sql().into(),
            live.person.as_sql().into(),
            id_sha256.into(),
            live.created.as_micros().into(),
            live.created.as_micros().into(),
            live.ends_at.as_micros().into(),
            (&live.client.address.to_string()).into(),
            (&live.client.agent).into(),
        ],
    )?;
    Ok(number)
}

/// Ends a session, and writes the entry; nothing if it has ended already.
pub(crate) fn end_session(
    tx: &mut Tx<'_>,
    site: SiteId,
    session: (SessionNumber, PersonId),
    why: SessionEnd,
    by: Actor,
) -> Result<Option<EntryIndex>, IdentityError> {
    let (number, person) = session;
    let sql = "DELETE FROM session WHERE number = $1";
    if tx.execute(sql, &[number.as_sql().into()])? == 0 {
        return Ok(None);
    }
    let facts = Facts::new()
        .number("session", number.get())
        .text("how", why.name());
    let subject = Subject::Person(person);
    let entry = NewEntry::new(site, by, Action::SessionEnded, subject).facts(facts);
    Ok(Some(labward_ledger::append(tx, &entry)?))
}

/// Notes when a session was last used.
pub(crate) fn note_seen(
    tx: &mut Tx<'_>,
    number: SessionNumber,
    seen: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE session SET last_seen = $1 WHERE number = $2";
    tx.execute(sql, &[seen.as_micros().into(), number.as_sql().into()])?;
    Ok(())
}

/// Every session with the SHA-256 of its id, in the order of their numbers.
pub(crate) fn read_sessions(
    query: &mut impl Query,
) -> Result<Vec<([u8; 32], Live)>, IdentityError> {
    let sql = "SELECT number, person, id_sha256, created, last_seen, ends_at, source, agent \
               FROM session ORDER BY number";
    Ok(query.query_all(sql, &[], read_session)?)
}

/// Takes everything by which this person could sign in or go on; how many sessions ended.
pub(crate) fn forget_person(tx: &mut Tx<'_>, person: PersonId) -> Result<usize, StoreError> {
    let id = [person.as_sql().into()];
    tx.execute("DELETE FROM credential WHERE person = $1", &id)?;
    tx.execute("DELETE FROM invitation WHERE person = $1", &id)?;
    tx.execute("DELETE FROM token WHERE person = $1", &id)?;
    // One that was used stays: it is how whoever was removed is known and refused.
    let sql = "DELETE FROM provider_account WHERE person = $1 AND subject IS NULL";
    tx.execute(sql, &id)?;
    tx.execute("DELETE FROM session WHERE person = $1", &id)
}

pub(super) fn refuse_removed(tx: &mut Tx<'_>, person: PersonId) -> Result<(), IdentityError> {
    let sql = "SELECT count(*) FROM person WHERE id = $1 AND removed = 0";
    match tx.query_one(sql, &[person.as_sql().into()], |row| row.int(0))? {
        0 => Err(IdentityError::NoPerson(person)),
        _ => Ok(()),
    }
}

fn by_of(by: Actor) -> Option<i64> {
    match by {
        Actor::Person(person) => Some(person.as_sql()),
        _ => None,
    }
}

fn read_session(row: &Row<'_>) -> Result<([u8; 32], Live), StoreError> {
    let bad = || damaged("session");
    let at = |column| row.int(column).map(Timestamp::from_micros);
    let live = Live::new(
        SessionNumber::from_sql(row.int(0)?).ok_or_else(bad)?,
        PersonId::from_sql(row.int(1)?).ok_or_else(bad)?,
        [at(3)?, at(4)?, at(5)?],
        crate::Client::new(row.text(6)?.parse().map_err(|_| bad())?, row.text(7)?),
    );
    Ok((row.bytes(2)?.try_into().map_err(|_| bad())?, live))
}
