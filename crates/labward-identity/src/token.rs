//! Tokens: how a program acts at the API over TLS, in a person's name and within what it was made for.
//!
//! It must never keep a token, only its SHA-256; permit what the person's roles do not permit at that
//! moment; or let a token do what somebody must do in person ([`NEVER_BY_TOKEN`]), so that none can
//! make itself mightier. Unique user identification is 45 CFR 164.312(a)(2)(i).

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_base::id::{EntryIndex, PersonId, SiteId, TokenNumber};
use labward_base::{Secret, Timestamp};
use labward_ledger::Actor;
use labward_seal::{random_bytes, sha256};
use labward_store::Store;
use zeroize::Zeroizing;

use crate::store::token as store;
use crate::{IdentityError, People, Permission, Person, SignInError};

/// What stands before every token, so that one that leaked is found by who looks for it.
pub const TOKEN_PREFIX: &str = "lbw_";

/// Days that a token may last.
pub const TOKEN_MAX_DAYS: u32 = 366;

/// What nobody may do by a token.
pub const NEVER_BY_TOKEN: &[Permission] = &[
    Permission::KeyUnseal,
    Permission::KeyChange,
    Permission::PersonChange,
    Permission::RecordBreakGlass,
    Permission::BreakGlassReview,
    Permission::PatientDispose,
    Permission::AuditOpen,
    Permission::SafeguardDecide,
    Permission::RiskAccept,
    Permission::MalwareDecide,
    Permission::MalwareRules,
    // A configuration says where results go.
    Permission::ConfigChange,
];

/// Tokens that one person may have.
const MAX_OF_A_PERSON: usize = 50;
const TOKEN_BYTES: usize = 32;
const NAME_CHARS: usize = 64;
const DAY: Duration = Duration::from_secs(86_400);
/// How old the `last_used` of the database may be.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// A time that never was.
const NEVER: i64 = i64::MIN;

/// The secret by which a program is known: 256 random bits.
#[derive(Clone)]
pub struct TokenSecret(Secret<[u8; TOKEN_BYTES]>);

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// In whose name it acts.
    pub person: PersonId,
    /// What it is for, 1 to 64 characters.
    pub name: String,
    /// What it may do, as far as the person may.
    pub scopes: Vec<Permission>,
    /// How many days it lasts, 1 to [`TOKEN_MAX_DAYS`].
    pub days: u32,
}

/// A token as it is at the moment of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its number: no secret.
    pub number: TokenNumber,
    /// In whose name it acts, with the roles of this moment.
    pub person: Person,
    /// What it is for.
    pub name: String,
    /// What it was made for.
    pub scopes: Vec<Permission>,
    /// When it was made.
    pub created: Timestamp,
    /// From then on it is worth nothing.
    pub ends_at: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

/// All tokens; clones share them.
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    people: People,
    all: RwLock<HashMap<[u8; 32], Arc<Kept>>>,
    /// One change at a time, so that memory ends with what the database holds.
    changing: Mutex<()>,
}

/// A token in memory.
pub(crate) struct Kept {
    number: TokenNumber,
    person: PersonId,
    name: String,
    scopes: Vec<Permission>,
    created: Timestamp,
    ends_at: Timestamp,
    /// Microseconds; as in memory and as in the database.
    last_used: AtomicI64,
    written: AtomicI64,
}

impl TokenSecret {
    fn generate() -> Result<Self, SignInError> {
        Ok(Self(Secret::new(random_bytes()?)))
    }

    /// The token as it is sent: the prefix and 43 characters of base64url.
    pub fn to_text(&self) -> Secret<String> {
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.expose()));
        Secret::new([TOKEN_PREFIX, encoded.as_str()].concat())
    }

    /// The token of a header, if it has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(TOKEN_PREFIX)?;
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice());
        (length == Ok(TOKEN_BYTES)).then(|| Self(Secret::new(*bytes)))
    }

    fn digest(&self) -> [u8; 32] {
        let whole = Zeroizing::new([&b"labward/token1"[..], self.0.expose()].concat());
        sha256(&whole)
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret")
    }
}

impl Token {
    /// Whether it may be used for this now.
    pub fn permits(&self, permission: Permission) -> bool {
        self.scopes.contains(&permission) && self.person.permits(permission)
    }
}

impl NewToken {
    fn check(&self) -> Result<(), SignInError> {
        let bad = |what| Err(SignInError::BadToken { what });
        let length = self.name.chars().count();
        if !(1..=NAME_CHARS).contains(&length) || self.name.chars().any(char::is_control) {
            return bad("its name has 1 to 64 characters");
        }
        if !(1..=TOKEN_MAX_DAYS).contains(&self.days) {
            return bad("it lasts 1 to 366 days");
        }
        if self.scopes.is_empty() {
            return bad("it has no scope");
        }
        if self.scopes.iter().any(|one| NEVER_BY_TOKEN.contains(one)) {
            return bad("one of its scopes is for people in person only");
        }
        Ok(())
    }
}

impl Kept {
    pub(crate) fn new(
        number: TokenNumber,
        person: PersonId,
        name: &str,
        scopes: Vec<Permission>,
        [created, ends_at]: [Timestamp; 2],
        last_used: Option<Timestamp>,
    ) -> Self {
        let used = last_used.map_or(NEVER, Timestamp::as_micros);
        // One of an earlier version may have what no token has any more.
        let scopes = scopes.into_iter();
        let scopes = scopes.filter(|one| !NEVER_BY_TOKEN.contains(one));
        Self {
            number,
            person,
            name: name.to_owned(),
            scopes: scopes.collect(),
            created,
            ends_at,
            last_used: AtomicI64::new(used),
            written: AtomicI64::new(used),
        }
    }

    /// Whether it is time to write when it was last used; to be asked by one.
    fn is_due(&self, now: Timestamp) -> bool {
        let written = self.written.load(Ordering::Relaxed);
        let fresh = written != NEVER
            && now.since(Timestamp::from_micros(written)) < WRITE_EVERY
            && now.as_micros() >= written;
        let swap = || {
            self.written.compare_exchange(
                written,
                now.as_micros(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
        };
        !fresh && swap().is_ok()
    }

    fn shown(&self, person: Person) -> Token {
        let used = self.last_used.load(Ordering::Relaxed);
        Token {
            number: self.number,
            person,
            name: self.name.clone(),
            scopes: self.scopes.clone(),
            created: self.created,
            ends_at: self.ends_at,
            last_used: (used != NEVER).then(|| Timestamp::from_micros(used)),
        }
    }
}

impl Tokens {
    /// Reads every token.
    ///
    /// # Errors
    /// [`IdentityError::Store`].
    pub fn load(store: Store, site: SiteId, people: People) -> Result<Self, IdentityError> {
        let rows = store.read(|snapshot| store::read(snapshot))?;
        let all = rows
            .into_iter()
            .map(|(digest, kept)| (digest, Arc::new(kept)));
        Ok(Self(Arc::new(Shared {
            all: RwLock::new(all.collect()),
            store,
            site,
            people,
            changing: Mutex::default(),
        })))
    }

    /// Makes a token, with its entry; the secret is known here alone. What the person may not do at
    /// all cannot be a scope.
    ///
    /// # Errors
    /// [`SignInError::BadToken`], [`SignInError::NoRandom`]; [`IdentityError::NoPerson`],
    /// [`IdentityError::Store`].
    pub fn create(
        &self,
        mut new: NewToken,
        by: Actor,
        now: Timestamp,
    ) -> Result<(Token, TokenSecret), IdentityError> {
        new.scopes.sort_unstable();
        new.scopes.dedup();
        new.check()?;
        let person = self.0.people.by_id(new.person);
        let person = person.and_then(|person| person.at(now));
        let person = person.ok_or(IdentityError::NoPerson(new.person))?;
        if new.scopes.iter().any(|scope| !person.permits(*scope)) {
            let what = "one of its scopes is nothing that this person may do";
            return Err(SignInError::BadToken { what }.into());
        }
        let _order = self.0.changing.lock();
        let theirs = |token: &Token| token.person.id == person.id;
        if self.list(now).into_iter().filter(theirs).count() >= MAX_OF_A_PERSON {
            let what = "this person has 50 of them: end one first";
            return Err(SignInError::BadToken { what }.into());
        }
        let secret = TokenSecret::generate()?;
        let digest = secret.digest();
        let ends_at = now.plus(DAY * new.days);
        let site = self.0.site;
        let kept = self.0.store.write(move |tx| {
            let number = store::create(tx, site, &new, &digest, [now, ends_at], by)?;
            let scopes = new.scopes.clone();
            let times = [now, ends_at];
            let kept = Kept::new(number, new.person, &new.name, scopes, times, None);
            Ok::<_, IdentityError>(kept)
        })?;
        let token = kept.shown(person);
        let mut all = self.0.all.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, kept| kept.ends_at > now);
        all.insert(digest, Arc::new(kept));
        Ok((token, secret))
    }

    /// The token of this secret, if it holds at `now`, which counts as its use.
    pub fn find(&self, secret: &TokenSecret, now: Timestamp) -> Option<Token> {
        let all = self.0.all.read().unwrap_or_else(PoisonError::into_inner);
        let kept = Arc::clone(all.get(&secret.digest())?);
        drop(all);
        if now >= kept.ends_at {
            return None;
        }
        let person = self.0.people.by_id(kept.person)?.at(now)?;
        kept.last_used.fetch_max(now.as_micros(), Ordering::Relaxed);
        if kept.is_due(now) {
            let number = kept.number;
            self.0.store.submit(
                move |tx| store::note_used(tx, number, now),
                |noted| {
                    if let Err(error) = noted {
                        tracing::warn!(error = %error, "the use of a token could not be noted");
                    }
                },
            );
        }
        Some(kept.shown(person))
    }

    /// Every token that holds at `now`, the newest first.
    pub fn list(&self, now: Timestamp) -> Vec<Token> {
        let all = self.0.all.read().unwrap_or_else(PoisonError::into_inner);
        let kept: Vec<Arc<Kept>> = all.values().map(Arc::clone).collect();
        drop(all);
        let shown = |kept: Arc<Kept>| {
            let person = self.0.people.by_id(kept.person)?.at(now)?;
            (now < kept.ends_at).then(|| kept.shown(person))
        };
        let mut tokens: Vec<Token> = kept.into_iter().filter_map(shown).collect();
        tokens.sort_by_key(|token| std::cmp::Reverse(token.number));
        tokens
    }

    /// Ends a token at once, with its entry.
    ///
    /// # Errors
    /// [`SignInError::NoToken`]; [`IdentityError::Store`]: it has not ended then.
    pub fn end(&self, number: TokenNumber, by: Actor) -> Result<Option<EntryIndex>, IdentityError> {
        let _order = self.0.changing.lock();
        let all = self.0.all.read().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|(_, kept)| kept.number == number);
        let found = found.map(|(digest, kept)| (*digest, kept.person));
        drop(all);
        let (digest, person) = found.ok_or(SignInError::NoToken(number))?;
        let site = self.0.site;
        let entry = self
            .0
            .store
            .write(move |tx| store::end(tx, site, number, person, by))?;
        let mut all = self.0.all.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(&digest);
        Ok(entry)
    }

    /// Runs a unit that deletes the tokens of a person, and forgets them when it has.
    pub(crate) fn end_with<T>(
        &self,
        person: PersonId,
        unit: impl FnOnce() -> Result<T, IdentityError>,
    ) -> Result<T, IdentityError> {
        let _order = self.0.changing.lock();
        let done = unit()?;
        let mut all = self.0.all.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, kept| kept.person != person);
        Ok(done)
    }
}

/// Scopes as they are stored, joined by commas.
pub(crate) fn scopes_text(scopes: &[Permission]) -> String {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    names.join(",")
}

/// The scopes of such a text.
pub(crate) fn scopes_of(text: &str) -> Result<Vec<Permission>, IdentityError> {
    text.split(',').map(str::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_as_sent_and_nothing_else_is_one() {
        let secret = TokenSecret::generate().unwrap();
        let text = secret.to_text();
        assert_eq!(text.expose().len(), 47);
        let again = TokenSecret::parse(text.expose()).unwrap();
        assert_eq!(again.digest(), secret.digest());
        for wrong in ["", "lbw_", "lbw_abc", &text.expose()[4..], "Lbw_aaaa"] {
            assert!(TokenSecret::parse(wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "TokenSecret");
    }

    #[test]
    fn a_token_of_an_earlier_version_loses_what_no_token_has_any_more() {
        let scopes = vec![Permission::StatusRead, Permission::ConfigChange];
        let (number, at) = (TokenNumber::new(1), Timestamp::from_seconds(1));
        let kept = Kept::new(number, PersonId::new(1), "old", scopes, [at, at], None);
        assert_eq!(kept.scopes, [Permission::StatusRead]);
    }

    #[test]
    fn what_is_to_be_done_in_person_is_no_scope() {
        let new = |scopes: &[Permission], days, name: &str| NewToken {
            person: PersonId::new(1),
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            days,
        };
        let read = [Permission::StatusRead];
        assert!(new(&read, 366, "monitor").check().is_ok());
        for one in NEVER_BY_TOKEN {
            assert!(new(&[*one], 1, "monitor").check().is_err(), "{one}");
        }
        assert!(new(&[], 1, "monitor").check().is_err());
        assert!(new(&read, 0, "monitor").check().is_err());
        assert!(new(&read, 367, "monitor").check().is_err());
        assert!(new(&read, 1, "").check().is_err());
        assert!(new(&read, 1, "a\nb").check().is_err());
    }
}
