//! Sessions: who is signed in at the console, from where and until when.
//!
//! It must never keep a session's id, only its SHA-256; take an id that somebody else chose; or let a
//! session go on whose time is over, whose person was removed or whose password was replaced.
//! Automatic logoff is 45 CFR 164.312(a)(2)(iii), unique user identification 164.312(a)(2)(i).
//!
//! Beginning and ending are entries. When a session was last used is kept in memory and written at
//! most once a minute, without an entry: it is a measurement that changes with every click, and what
//! it decides has its entry when it happens. Lost by a crash, it only ends the session sooner.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_base::id::{EntryIndex, PersonId, SessionNumber, SiteId};
use labward_base::{Secret, Timestamp};
use labward_ledger::Actor;
use labward_seal::{constant_time_eq, random_bytes, sha256};
use labward_store::Store;
use zeroize::Zeroizing;

use crate::role::names;
use crate::store::sign_in as store;
use crate::{IdentityError, People, Person, SignInError};

/// Sessions that one person may have at the same time; the oldest ends for one more.
pub(crate) const MAX_OF_A_PERSON: usize = 20;

const ID_BYTES: usize = 32;
const AGENT_CHARS: usize = 100;
/// How old the `last_seen` of the database may be.
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// The secret by which a browser is known again: 256 random bits.
#[derive(Clone)]
pub struct SessionId(Secret<[u8; ID_BYTES]>);

/// How long a session may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request.
    pub idle: Duration,
    /// Altogether.
    pub absolute: Duration,
}

/// Where a sign-in comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address.
    pub address: IpAddr,
    /// What the browser calls itself, at most 100 characters, none of them a control character; good
    /// only for the person to know their own session by.
    pub agent: String,
}

/// A session as it is at the moment of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number: no secret.
    pub number: SessionNumber,
    /// Who is signed in, with the roles of this moment.
    pub person: Person,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// When it ends without another request.
    pub idle_ends_at: Timestamp,
    /// When it ends in any case.
    pub ends_at: Timestamp,
    /// Where it was begun from.
    pub client: Client,
}

names! {
    /// How a session ended.
    SessionEnd {
        /// Its absolute limit was reached.
        Expired = "expired",
        /// It was not used for too long.
        Idle = "idle",
        /// Somebody who may ended it.
        Revoked = "revoked",
        /// The person signed out.
        SignedOut = "signed-out",
        /// The person had too many, and it was the oldest.
        TooMany = "too-many",
    }
}

/// All sessions; clones share them.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    people: People,
    limits: SessionLimits,
    live: RwLock<HashMap<[u8; 32], Arc<Live>>>,
    /// Found to be over, its row and entry still to be written.
    over: Mutex<Vec<(Arc<Live>, SessionEnd)>>,
    /// One change at a time, so that memory ends with what the database holds.
    changing: Mutex<()>,
}

/// A session in memory.
pub(crate) struct Live {
    pub(crate) number: SessionNumber,
    pub(crate) person: PersonId,
    pub(crate) created: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) client: Client,
    /// Microseconds; as in memory and as in the database.
    last_seen: AtomicI64,
    written: AtomicI64,
}

impl Default for SessionLimits {
    /// 15 minutes without a request, 12 hours altogether.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15 * 60),
            absolute: Duration::from_secs(12 * 3_600),
        }
    }
}

impl Client {
    /// A client at `address` that calls itself `agent`, of which the bounded, printable part is kept.
    pub fn new(address: IpAddr, agent: &str) -> Self {
        let printable = agent.chars().filter(|c| !is_unprintable(*c));
        Self {
            address: address.to_canonical(),
            agent: printable.take(AGENT_CHARS).collect(),
        }
    }
}

/// Control characters, and those that turn the direction of a line or cannot be seen.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl SessionId {
    pub(crate) fn generate() -> Result<Self, SignInError> {
        Ok(Self(Secret::new(random_bytes()?)))
    }

    /// The id as it stands in the cookie: 43 characters of base64url.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0.expose()))
    }

    /// The id of a cookie, if it has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; ID_BYTES]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice());
        (length == Ok(ID_BYTES)).then(|| Self(Secret::new(*bytes)))
    }

    fn digest(&self) -> [u8; 32] {
        labelled(b"labward/session1", self)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId")
    }
}

fn labelled(label: &[u8], id: &SessionId) -> [u8; 32] {
    let whole = Zeroizing::new([label, id.0.expose()].concat());
    sha256(&whole)
}

/// What the forms of this session carry, so that no other site can send them: derived from the id,
/// which it does not tell.
pub fn csrf_token(id: &SessionId) -> String {
    URL_SAFE_NO_PAD.encode(labelled(b"labward/csrf1", id))
}

/// Whether `given` is the token of this session, without telling how much of it fits.
pub fn csrf_fits(id: &SessionId, given: &str) -> bool {
    constant_time_eq(csrf_token(id).as_bytes(), given.as_bytes())
}

impl Live {
    pub(crate) fn new(
        number: SessionNumber,
        person: PersonId,
        [created, last_seen, ends_at]: [Timestamp; 3],
        client: Client,
    ) -> Self {
        Self {
            number,
            person,
            created,
            ends_at,
            client,
            last_seen: AtomicI64::new(last_seen.as_micros()),
            written: AtomicI64::new(last_seen.as_micros()),
        }
    }

    fn seen(&self) -> Timestamp {
        Timestamp::from_micros(self.last_seen.load(Ordering::Relaxed))
    }

    fn over(&self, limits: &SessionLimits, now: Timestamp) -> Option<SessionEnd> {
        if now >= self.ends_at {
            return Some(SessionEnd::Expired);
        }
        (now >= self.seen().plus(limits.idle)).then_some(SessionEnd::Idle)
    }

    /// Whether it is time to write when it was last seen; to be asked by one.
    fn is_due(&self, now: Timestamp) -> bool {
        let written = self.written.load(Ordering::Relaxed);
        let micros = now.as_micros();
        now.since(Timestamp::from_micros(written)) >= WRITE_EVERY
            && self
                .written
                .compare_exchange(written, micros, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    fn shown(&self, person: Person, limits: &SessionLimits) -> Session {
        let last_seen = self.seen();
        Session {
            number: self.number,
            person,
            created: self.created,
            last_seen,
            idle_ends_at: last_seen.plus(limits.idle).min(self.ends_at),
            ends_at: self.ends_at,
            client: self.client.clone(),
        }
    }
}

impl Sessions {
    /// Reads the sessions that a restart interrupted; those that are over by now are swept later.
    ///
    /// # Errors
    /// [`IdentityError::Store`].
    pub fn load(
        store: Store,
        site: SiteId,
        people: People,
        limits: SessionLimits,
    ) -> Result<Self, IdentityError> {
        let rows = store.read(|snapshot| store::read_sessions(snapshot))?;
        let live = rows.into_iter().map(|(digest, mut live)| {
            // A shorter limit of a changed configuration holds for what began before it, too.
            live.ends_at = live.ends_at.min(live.created.plus(limits.absolute));
            (digest, Arc::new(live))
        });
        Ok(Self(Arc::new(Shared {
            live: RwLock::new(live.collect()),
            store,
            site,
            people,
            limits,
            over: Mutex::default(),
            changing: Mutex::default(),
        })))
    }

    /// Begins a session for a person who was admitted by this credential, always under a new id.
    pub(crate) fn begin(
        &self,
        person: PersonId,
        credential: i64,
        client: &Client,
        now: Timestamp,
    ) -> Result<(SessionId, Session), IdentityError> {
        let _order = self.order();
        // Who is nothing but an expert whose engagement is over does not come in.
        let known = self.0.people.by_id(person).and_then(|known| known.at(now));
        let known = known.ok_or(IdentityError::NoPerson(person))?;
        let id = SessionId::generate()?;
        let digest = id.digest();
        let oldest = self.oldest_beyond(person, MAX_OF_A_PERSON - 1);
        let (site, limits, client) = (self.0.site, self.0.limits, client.clone());
        let ending: Vec<SessionNumber> = oldest.iter().map(|(_, live)| live.number).collect();
        let live = self.0.store.write(move |tx| {
            for number in &ending {
                let (why, by) = (SessionEnd::TooMany, Actor::System);
                store::end_session(tx, site, (*number, person), why, by)?;
            }
            let ends_at = now.plus(limits.absolute);
            let unnumbered = SessionNumber::new(0);
            let mut live = Live::new(unnumbered, person, [now, now, ends_at], client.clone());
            live.number = store::begin_session(tx, site, &digest, &live, credential)?;
            Ok::<_, IdentityError>(live)
        })?;
        let session = live.shown(known, &limits);
        let mut all = self.0.live.write().unwrap_or_else(PoisonError::into_inner);
        for (digest, _) in &oldest {
            all.remove(digest);
        }
        all.insert(digest, Arc::new(live));
        Ok((id, session))
    }

    /// The session of this id, if it holds at `now`, which does not count as its use: for what a page
    /// asks by itself while nobody is there.
    pub fn look(&self, id: &SessionId, now: Timestamp) -> Option<Session> {
        let live = self.holding(&id.digest(), now)?;
        let person = self.0.people.by_id(live.person)?.at(now)?;
        Some(live.shown(person, &self.0.limits))
    }

    /// The session of this id, if it holds at `now`, which counts as its use.
    pub fn find(&self, id: &SessionId, now: Timestamp) -> Option<Session> {
        let live = self.holding(&id.digest(), now)?;
        let person = self.0.people.by_id(live.person)?.at(now)?;
        live.last_seen.fetch_max(now.as_micros(), Ordering::Relaxed);
        if live.is_due(now) {
            let number = live.number;
            self.0.store.submit(
                move |tx| store::note_seen(tx, number, now),
                |noted| {
                    if let Err(error) = noted {
                        tracing::warn!(error = %error, "the use of a session could not be noted");
                    }
                },
            );
        }
        Some(live.shown(person, &self.0.limits))
    }

    /// The session of this digest, if it holds at `now`.
    fn holding(&self, digest: &[u8; 32], now: Timestamp) -> Option<Arc<Live>> {
        let all = self.0.live.read().unwrap_or_else(PoisonError::into_inner);
        let live = Arc::clone(all.get(digest)?);
        drop(all);
        match live.over(&self.0.limits, now) {
            None => Some(live),
            Some(why) => {
                // For good: a clock that goes back does not bring it back.
                self.put_aside(digest, why);
                None
            }
        }
    }

    /// The sessions of a person that hold at `now`, the newest first.
    pub fn list(&self, person: PersonId, now: Timestamp) -> Vec<Session> {
        let mut all = self.all(now);
        all.retain(|session| session.person.id == person);
        all
    }

    /// Everybody's sessions that hold at `now`, the newest first.
    pub fn all(&self, now: Timestamp) -> Vec<Session> {
        let all = self.0.live.read().unwrap_or_else(PoisonError::into_inner);
        let live: Vec<Arc<Live>> = all.values().map(Arc::clone).collect();
        drop(all);
        let shown = |live: Arc<Live>| {
            let person = self.0.people.by_id(live.person)?.at(now)?;
            let holds = live.over(&self.0.limits, now).is_none();
            holds.then(|| live.shown(person, &self.0.limits))
        };
        let mut shown: Vec<Session> = live.into_iter().filter_map(shown).collect();
        shown.sort_by_key(|session| std::cmp::Reverse(session.number));
        shown
    }

    /// Ends the session of this id because its person signs out; nothing if it has ended.
    ///
    /// # Errors
    /// [`IdentityError::Store`]: it has not ended then.
    pub fn sign_out(&self, id: &SessionId) -> Result<(), IdentityError> {
        let _order = self.order();
        let digest = id.digest();
        let all = self.0.live.read().unwrap_or_else(PoisonError::into_inner);
        let found = all.get(&digest).map(Arc::clone);
        drop(all);
        let Some(live) = found else { return Ok(()) };
        let by = Actor::Person(live.person);
        self.end_these(vec![(digest, live)], SessionEnd::SignedOut, by)?;
        Ok(())
    }

    /// Ends the session of this number; whose it may be is the caller's to decide.
    ///
    /// # Errors
    /// [`SignInError::NoSession`]; [`IdentityError::Store`]: it has not ended then.
    pub fn end(
        &self,
        number: SessionNumber,
        by: Actor,
    ) -> Result<Option<EntryIndex>, IdentityError> {
        let _order = self.order();
        let found = self.these(|live| live.number == number);
        if found.is_empty() {
            return Err(SignInError::NoSession(number).into());
        }
        let entries = self.end_these(found, SessionEnd::Revoked, by)?;
        Ok(entries.last().copied())
    }

    /// Ends every session of a person; how many there were.
    ///
    /// # Errors
    /// [`IdentityError::Store`]: none has ended then.
    pub fn end_all(&self, person: PersonId, by: Actor) -> Result<usize, IdentityError> {
        let _order = self.order();
        let found = self.these(|live| live.person == person);
        Ok(self.end_these(found, SessionEnd::Revoked, by)?.len())
    }

    /// Records the end of every session whose time is over at `now`, and lets it go; how many.
    ///
    /// # Errors
    /// [`IdentityError::Store`]; they are over all the same, and recorded by the next sweep.
    pub fn sweep(&self, now: Timestamp) -> Result<usize, IdentityError> {
        let _order = self.order();
        for (digest, live) in self.these(|_| true) {
            if self.0.people.by_id(live.person).is_none() {
                // Its row went with the person.
                let mut all = self.0.live.write().unwrap_or_else(PoisonError::into_inner);
                all.remove(&digest);
            } else if let Some(why) = live.over(&self.0.limits, now) {
                self.put_aside(&digest, why);
            }
        }
        let over: Vec<_> = self.over().iter().cloned().collect();
        if over.is_empty() {
            return Ok(0);
        }
        let site = self.0.site;
        let ended: Vec<_> = over
            .iter()
            .map(|(live, why)| ((live.number, live.person), *why))
            .collect();
        self.0.store.write(move |tx| {
            for (session, why) in &ended {
                store::end_session(tx, site, *session, *why, Actor::System)?;
            }
            Ok::<_, IdentityError>(())
        })?;
        // Meanwhile others may have been put aside behind them.
        self.over().drain(..over.len());
        Ok(over.len())
    }

    /// Runs a unit that deletes the sessions of a person, and forgets them when it has.
    pub(crate) fn end_with<T>(
        &self,
        person: PersonId,
        unit: impl FnOnce() -> Result<T, IdentityError>,
    ) -> Result<T, IdentityError> {
        let _order = self.order();
        let done = unit()?;
        let mut all = self.0.live.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, live| live.person != person);
        Ok(done)
    }

    fn end_these(
        &self,
        these: Vec<([u8; 32], Arc<Live>)>,
        why: SessionEnd,
        by: Actor,
    ) -> Result<Vec<EntryIndex>, IdentityError> {
        let site = self.0.site;
        let ending: Vec<_> = these
            .iter()
            .map(|(_, live)| (live.number, live.person))
            .collect();
        let entries = self.0.store.write(move |tx| {
            let mut entries = Vec::new();
            for session in &ending {
                entries.extend(store::end_session(tx, site, *session, why, by)?);
            }
            Ok::<_, IdentityError>(entries)
        })?;
        let mut all = self.0.live.write().unwrap_or_else(PoisonError::into_inner);
        for (digest, _) in &these {
            all.remove(digest);
        }
        Ok(entries)
    }

    fn put_aside(&self, digest: &[u8; 32], why: SessionEnd) {
        let mut all = self.0.live.write().unwrap_or_else(PoisonError::into_inner);
        let removed = all.remove(digest);
        drop(all);
        if let Some(live) = removed {
            self.over().push((live, why));
        }
    }

    /// The oldest sessions of a person, all but the newest `keep`.
    fn oldest_beyond(&self, person: PersonId, keep: usize) -> Vec<([u8; 32], Arc<Live>)> {
        let mut these = self.these(|live| live.person == person);
        these.sort_by_key(|(_, live)| live.number);
        these.truncate(these.len().saturating_sub(keep));
        these
    }

    fn these(&self, fits: impl Fn(&Live) -> bool) -> Vec<([u8; 32], Arc<Live>)> {
        let all = self.0.live.read().unwrap_or_else(PoisonError::into_inner);
        let these = all.iter().filter(|(_, live)| fits(live));
        these
            .map(|(digest, live)| (*digest, Arc::clone(live)))
            .collect()
    }

    fn order(&self) -> MutexGuard<'_, ()> {
        let changing = self.0.changing.lock();
        changing.unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self) -> MutexGuard<'_, Vec<(Arc<Live>, SessionEnd)>> {
        self.0.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
