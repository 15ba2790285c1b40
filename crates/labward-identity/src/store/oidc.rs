//! The SQL of the accounts at the identity provider, and the entries that go with each change.
//!
//! It must never let a subject go from one person to another without an administrator's doing.
//! **Invariant:** no change without an entry. Beside its row here an account that somebody has signed
//! in with is a credential, so that a session begins as it does with a password.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use super::damaged;
use super::sign_in::refuse_removed;
use crate::oidc::{Bound, ProviderAccount};
use crate::{IdentityError, SignInError, Vouched};

/// The step of the table of accounts at the identity provider.
pub const PROVIDER_MIGRATIONS: &[Migration] = &[Migration {
    name: "provider-account",
    sql: include_str!("../../provider-account.sql"),
}];

/// The kind of the credential.
const KIND: &str = "oidc";

const SELECT: &str = "SELECT a.person, a.account, a.issuer, a.subject, c.id, c.last_used \
     FROM provider_account a LEFT JOIN credential c ON c.person = a.person AND c.kind = 'oidc'";

/// An account with the number of its credential, if somebody signed in with it.
pub(crate) struct Kept {
    pub(crate) account: ProviderAccount,
    pub(crate) credential: Option<i64>,
}

/// Every account, also those of people who were removed, in the order of the people.
pub(crate) fn read_all(query: &mut impl Query) -> Result<Vec<Kept>, IdentityError> {
    Ok(query.query_all(&format!("{SELECT} ORDER BY a.person"), &[], read)?)
}

/// The account that this subject of this issuer is bound to.
pub(crate) fn by_subject(
    query: &mut impl Query,
    issuer: &str,
    subject: &str,
) -> Result<Option<Kept>, IdentityError> {
    let sql = format!("{SELECT} WHERE a.issuer = $1 AND a.subject = $2");
    Ok(query.query_opt(&sql, &[issuer.into(), subject.into()], read)?)
}

/// The account of this name.
pub(crate) fn by_account(
    query: &mut impl Query,
    account: &str,
) -> Result<Option<Kept>, IdentityError> {
    let sql = format!("{SELECT} WHERE a.account = $1");
    Ok(query.query_opt(&sql, &[account.into()], read)?)
}

/// Notes which account is a person's, in the place of one that nobody has signed in with, and writes
/// the entry. One that a removed person had is free again by this.
pub(crate) fn expect(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: PersonId,
    account: &str,
    by: Actor,
) -> Result<EntryIndex, IdentityError> {
    refuse_removed(tx, person)?;
    let id = person.as_sql();
    let sql = "DELETE FROM provider_account WHERE account = $1 AND person IN \
               (SELECT id FROM person WHERE removed = 1)";
    tx.execute(sql, &[account.into()])?;
    let sql = "SELECT count(*) FROM provider_account WHERE (account = $1 AND person <> $2) \
               OR (person = $2 AND subject IS NOT NULL)";
    let taken = tx.query_one(sql, &[account.into(), id.into()], |row| row.int(0))?;
    if taken != 0 {
        return Err(SignInError::AccountTaken.into());
    }
    put(tx, site, person, account, None)?;
    entry(tx, site, person, by, "expected", account, Facts::new())
}

/// Binds a person to the subject that was vouched for, and writes the entry, whose index is the
/// number of the credential.
pub(crate) fn bind(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: PersonId,
    account: &str,
    vouched: &Vouched,
    now: Timestamp,
) -> Result<i64, IdentityError> {
    refuse_removed(tx, person)?;
    let subject = (vouched.issuer.as_str(), vouched.subject.as_str());
    put(tx, site, person, account, Some(subject))?;
    let facts = Facts::new()
        .text("issuer", subject.0)
        .text("subject", subject.1);
    let by = Actor::Person(person);
    let index = entry(tx, site, person, by, "first sign-in", account, facts)?;
    tx.execute(
        "INSERT INTO credential (site, person, id, kind, data, label, created, last_used, failures) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, 0)",
        &[
            site.as_sql().into(),
            person.as_sql().into(),
            index.as_sql().into(),
            KIND.into(),
            // What tells the right one stands in its own table.
            (&[] as &[u8]).into(),
            account.into(),
            now.as_micros().into(),
        ],
    )?;
    Ok(index.as_sql())
}

/// Takes the account from a person with every session of theirs, and writes the entry.
pub(crate) fn unlink(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: PersonId,
    by: Actor,
) -> Result<EntryIndex, IdentityError> {
    let id = [person.as_sql().into()];
    let sql = "SELECT account FROM provider_account WHERE person = $1";
    let account = tx.query_opt(sql, &id, |row| Ok(row.text(0)?.to_owned()))?;
    let account = account.ok_or(SignInError::NoAccount(person))?;
    tx.execute("DELETE FROM provider_account WHERE person = $1", &id)?;
    let sql = "DELETE FROM credential WHERE person = $1 AND kind = 'oidc'";
    tx.execute(sql, &id)?;
    let sessions = tx.execute("DELETE FROM session WHERE person = $1", &id)?;
    let facts = Facts::new().number("sessions_ended", sessions);
    entry(tx, site, person, by, "unlinked", &account, facts)
}

fn put(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: PersonId,
    account: &str,
    bound: Option<(&str, &str)>,
) -> Result<(), IdentityError> {
    tx.execute(
        "INSERT INTO provider_account (site, person, account, issuer, subject) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person) DO UPDATE SET \
         account = excluded.account, issuer = excluded.issuer, subject = excluded.subject",
        &[
            site.as_sql().into(),
            person.as_sql().into(),
            account.into(),
            bound.map(|(issuer, _)| issuer).into(),
            bound.map(|(_, subject)| subject).into(),
        ],
    )?;
    Ok(())
}

fn entry(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: PersonId,
    by: Actor,
    how: &str,
    account: &str,
    more: Facts,
) -> Result<EntryIndex, IdentityError> {
    let facts = more
        .text("kind", KIND)
        .text("how", how)
        .text("account", account);
    let subject = Subject::Person(person);
    let entry = NewEntry::new(site, by, Action::CredentialChanged, subject).facts(facts);
    Ok(labward_ledger::append(tx, &entry)?)
}

fn read(row: &Row<'_>) -> Result<Kept, StoreError> {
    let bad = || damaged("provider_account");
    let bound = match (row.opt_text(2)?, row.opt_text(3)?) {
        (Some(issuer), Some(subject)) => Some(Bound {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        }),
        _ => None,
    };
    Ok(Kept {
        account: ProviderAccount {
            person: PersonId::from_sql(row.int(0)?).ok_or_else(bad)?,
            account: row.text(1)?.to_owned(),
            bound,
            last_used: row.opt_int(5)?.map(Timestamp::from_micros),
        },
        credential: row.opt_int(4)?,
    })
}
