//! The SQL of people and peers, and the entries that go with each change; `sign_in` has what people
//! sign in with.
//!
//! It must never change a row without its entry. **Invariant:** no change without an entry.

pub(crate) mod engagement;
pub(crate) mod oidc;
pub(crate) mod passkey;
pub(crate) mod sign_in;
pub(crate) mod token;

use std::net::IpAddr;

use labward_base::Timestamp;
use labward_base::id::{PeerId, PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use crate::{IdentityError, Peer, Person, Preferences, PreviousKey, Roles, Theme};

/// The steps of this room's tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "identity",
    sql: include_str!("../schema.sql"),
}];

/// The step that came with renewal over the peer's own line.
pub const RENEWAL_MIGRATIONS: &[Migration] = &[Migration {
    name: "renewal of peers",
    sql: include_str!("../renewal.sql"),
}];

const PEER_COLUMNS: &str = "site, id, name, kind, spki_sha256, origin, serial, not_after, state, \
     rules, authority, addresses, previous_spki, previous_until, not_before, certificate";

/// Every peer, in the order of their ids.
pub(crate) fn read_peers(query: &mut impl Query) -> Result<Vec<Peer>, IdentityError> {
    let sql = format!("SELECT {PEER_COLUMNS} FROM peer ORDER BY id");
    Ok(query.query_all(&sql, &[], read_peer)?)
}

/// The peer of this id as it stands in the database now.
pub(crate) fn peer_by_id(tx: &mut Tx<'_>, id: PeerId) -> Result<Peer, IdentityError> {
    let sql = format!("SELECT {PEER_COLUMNS} FROM peer WHERE id = $1");
    tx.query_opt(&sql, &[id.as_sql().into()], read_peer)?
        .ok_or(IdentityError::NoPeer(id))
}

/// Refuses a name or public key that any other peer has or had.
pub(crate) fn refuse_known_peer(tx: &mut Tx<'_>, peer: &Peer) -> Result<(), IdentityError> {
    let known = tx.query_one(
        "SELECT count(*) FROM peer WHERE id <> $1 AND (name = $2 OR spki_sha256 = $3 \
         OR previous_spki = $4)",
        &[
            peer.id.as_sql().into(),
            (&peer.name).into(),
            (&peer.spki_sha256).into(),
            (&peer.spki_sha256).into(),
        ],
        |row| row.int(0),
    )?;
    match known {
        0 => Ok(()),
        _ => Err(IdentityError::PeerExists),
    }
}

pub(crate) fn next_peer_id(tx: &mut Tx<'_>) -> Result<PeerId, IdentityError> {
    let last = tx.query_one("SELECT coalesce(max(id), 0) FROM peer", &[], |row| {
        row.int(0)
    })?;
    Ok(PeerId::from_sql(last.saturating_add(1)).ok_or_else(|| damaged("peer"))?)
}

/// Writes `peer` as it is given, and the entry that says so.
pub(crate) fn write_peer(
    tx: &mut Tx<'_>,
    peer: &Peer,
    action: Action,
    actor: Actor,
) -> Result<(), IdentityError> {
    put_peer(tx, peer)?;
    let entry = entry_of(peer, action, actor)?;
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

/// Writes `peer` with what is otherwise about it, and the entry that says so; `why` is sealed.
pub(crate) fn change_peer(
    tx: &mut Tx<'_>,
    peer: &Peer,
    changed: &[&'static str],
    actor: Actor,
    why: Vec<u8>,
) -> Result<(), IdentityError> {
    put_peer(tx, peer)?;
    let mut entry = entry_of(peer, Action::PeerChanged, actor)?;
    entry.facts = entry
        .facts
        .texts("changed", changed.iter().copied())
        .texts("addresses", peer.addresses.iter().map(IpAddr::to_string));
    labward_ledger::append(tx, &entry.detail(why))?;
    Ok(())
}

fn put_peer(tx: &mut Tx<'_>, peer: &Peer) -> Result<(), IdentityError> {
    let rules = json(peer)?;
    let addresses: Vec<String> = peer.addresses.iter().map(IpAddr::to_string).collect();
    let previous = peer.previous.as_ref();
    tx.execute(
        "INSERT INTO peer (site, id, name, kind, spki_sha256, origin, serial, not_after, state, \
         rules, authority, addresses, previous_spki, previous_until, not_before, certificate) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT (id) DO UPDATE SET spki_sha256 = excluded.spki_sha256, \
         origin = excluded.origin, serial = excluded.serial, not_after = excluded.not_after, \
         state = excluded.state, rules = excluded.rules, authority = excluded.authority, \
         addresses = excluded.addresses, previous_spki = excluded.previous_spki, \
         previous_until = excluded.previous_until, not_before = excluded.not_before, \
         certificate = excluded.certificate",
        &[
            peer.site.as_sql().into(),
            peer.id.as_sql().into(),
            (&peer.name).into(),
            peer.kind.name().into(),
            (&peer.spki_sha256).into(),
            peer.origin.name().into(),
            (&peer.serial).into(),
            peer.not_after.as_micros().into(),
            peer.state.name().into(),
            (&rules).into(),
            peer.authority.as_ref().into(),
            (&addresses.join(" ")).into(),
            previous.map(|key| &key.spki_sha256).into(),
            previous.map(|key| key.until.as_micros()).into(),
            peer.not_before.map(Timestamp::as_micros).into(),
            peer.certificate.as_ref().into(),
        ],
    )?;
    Ok(())
}

fn entry_of(peer: &Peer, action: Action, actor: Actor) -> Result<NewEntry, IdentityError> {
    let facts = Facts::new()
        .text("peer", &peer.name)
        .text("kind", peer.kind.name())
        .text("origin", peer.origin.name())
        .hex("spki_sha256", &peer.spki_sha256)
        .text("serial", &peer.serial)
        .text("not_after", peer.not_after.to_rfc3339())
        .text("rules", json(peer)?);
    Ok(NewEntry::new(peer.site, actor, action, Subject::Peer(peer.id)).facts(facts))
}

/// Every person, removed ones too, in the order of their ids.
pub(crate) fn read_people(query: &mut impl Query) -> Result<Vec<(Person, bool)>, IdentityError> {
    Ok(query.query_all(
        "SELECT id, name, roles, uid, removed, login, language, theme FROM person ORDER BY id",
        &[],
        read_person,
    )?)
}

/// Adds `person` under the next id, and the entry that says so.
pub(crate) fn add_person(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: &mut Person,
    actor: Actor,
) -> Result<(), IdentityError> {
    let last = tx.query_one("SELECT coalesce(max(id), 0) FROM person", &[], |row| {
        row.int(0)
    })?;
    person.id = PersonId::from_sql(last.saturating_add(1)).ok_or_else(|| damaged("person"))?;
    let bound = tx.query_one(
        "SELECT count(*) FROM person WHERE uid = $1",
        &[person.uid.into()],
        |row| row.int(0),
    )?;
    if bound != 0 {
        return Err(IdentityError::PersonExists);
    }
    let roles = person.roles.to_string();
    tx.execute(
        "INSERT INTO person (site, id, name, roles, uid, removed) VALUES ($1, $2, $3, $4, $5, 0)",
        &[
            site.as_sql().into(),
            person.id.as_sql().into(),
            (&person.name).into(),
            (&roles).into(),
            person.uid.into(),
        ],
    )?;
    let mut facts = Facts::new()
        .text("person", &person.name)
        .text("roles", roles);
    if let Some(uid) = person.uid {
        facts = facts.number("uid", uid);
    }
    let subject = Subject::Person(person.id);
    let entry = NewEntry::new(site, actor, Action::PersonAdded, subject).facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

/// Writes what a person prefers, and the entry that says so.
pub(crate) fn set_preferences(
    tx: &mut Tx<'_>,
    site: SiteId,
    id: PersonId,
    preferences: Preferences,
    actor: Actor,
) -> Result<(), IdentityError> {
    let language = preferences.language.map(crate::Language::name);
    let theme = preferences.theme.name();
    let sql = "UPDATE person SET language = $1, theme = $2 WHERE id = $3 AND removed = 0";
    let params = [language.into(), theme.into(), id.as_sql().into()];
    if tx.execute(sql, &params)? != 1 {
        return Err(IdentityError::NoPerson(id));
    }
    let facts = Facts::new()
        .text("language", language.unwrap_or("browser"))
        .text("theme", theme);
    let subject = Subject::Person(id);
    let entry = NewEntry::new(site, actor, Action::PersonChanged, subject).facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

/// Writes what a person is in the lab from now on, and the entry that says so.
pub(crate) fn set_roles(
    tx: &mut Tx<'_>,
    site: SiteId,
    id: PersonId,
    [old, new]: [Roles; 2],
    actor: Actor,
) -> Result<(), IdentityError> {
    let (old, new) = (old.to_string(), new.to_string());
    let sql = "UPDATE person SET roles = $1 WHERE id = $2 AND removed = 0";
    if tx.execute(sql, &[(&new).into(), id.as_sql().into()])? != 1 {
        return Err(IdentityError::NoPerson(id));
    }
    let mut facts = Facts::new().text("roles", new).text("roles_before", old);
    if actor == Actor::System {
        facts = facts.text("how", "groups of the identity provider");
    }
    let subject = Subject::Person(id);
    let entry = NewEntry::new(site, actor, Action::PersonChanged, subject).facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

/// Takes every right from a person and ends their sessions, and writes the entry that says so.
pub(crate) fn remove_person(
    tx: &mut Tx<'_>,
    site: SiteId,
    person: &Person,
    actor: Actor,
) -> Result<(), IdentityError> {
    tx.execute(
        "UPDATE person SET removed = 1, uid = NULL, login = NULL WHERE id = $1",
        &[person.id.as_sql().into()],
    )?;
    let sessions = sign_in::forget_person(tx, person.id)?;
    let id = [person.id.as_sql().into()];
    tx.execute("DELETE FROM engagement WHERE person = $1", &id)?;
    let subject = Subject::Person(person.id);
    let facts = Facts::new()
        .text("person", &person.name)
        .number("sessions_ended", sessions);
    let entry = NewEntry::new(site, actor, Action::PersonRemoved, subject).facts(facts);
    labward_ledger::append(tx, &entry)?;
    Ok(())
}

fn json(peer: &Peer) -> Result<String, IdentityError> {
    serde_json::to_string(&peer.rules).map_err(|_| IdentityError::NotAName { what: "rules" })
}

fn read_peer(row: &Row<'_>) -> Result<Peer, StoreError> {
    let bad = || damaged("peer");
    let addresses = row.text(11)?.split_ascii_whitespace().map(str::parse);
    let previous = match (row.opt_bytes(12)?, row.opt_int(13)?) {
        (Some(spki), Some(until)) => Some(PreviousKey {
            spki_sha256: spki.try_into().map_err(|_| bad())?,
            until: Timestamp::from_micros(until),
        }),
        _ => None,
    };
    Ok(Peer {
        site: SiteId::from_sql(row.int(0)?).ok_or_else(bad)?,
        id: PeerId::from_sql(row.int(1)?).ok_or_else(bad)?,
        name: row.text(2)?.to_owned(),
        kind: row.text(3)?.parse().map_err(|_| bad())?,
        spki_sha256: row.bytes(4)?.try_into().map_err(|_| bad())?,
        origin: row.text(5)?.parse().map_err(|_| bad())?,
        serial: row.text(6)?.to_owned(),
        not_before: row.opt_int(14)?.map(Timestamp::from_micros),
        not_after: Timestamp::from_micros(row.int(7)?),
        certificate: row.opt_text(15)?.map(str::to_owned),
        state: row.text(8)?.parse().map_err(|_| bad())?,
        rules: serde_json::from_str(row.text(9)?).map_err(|_| bad())?,
        authority: row.opt_text(10)?.map(str::to_owned),
        addresses: addresses.collect::<Result<_, _>>().map_err(|_| bad())?,
        previous,
    })
}

fn read_person(row: &Row<'_>) -> Result<(Person, bool), StoreError> {
    let bad = || damaged("person");
    let uid = row.opt_int(3)?.map(u32::try_from).transpose();
    let person = Person {
        id: PersonId::from_sql(row.int(0)?).ok_or_else(bad)?,
        name: row.text(1)?.to_owned(),
        roles: row.text(2)?.parse().map_err(|_| bad())?,
        uid: uid.map_err(|_| bad())?,
        login: row.opt_text(5)?.map(str::to_owned),
        language: row
            .opt_text(6)?
            .map(str::parse)
            .transpose()
            .map_err(|_| bad())?,
        theme: row.text(7)?.parse::<Theme>().map_err(|_| bad())?,
        engagement: None,
    };
    Ok((person, row.int(4)? != 0))
}

fn damaged(table: &str) -> StoreError {
    StoreError::Damaged {
        place: format!("a row of table {table}"),
    }
}
