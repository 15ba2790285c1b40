//! Invitations: a one-time code with which a person chooses login and password, or a new password.
//!
//! It must never keep a code, only its SHA-256; take one twice, late or after a newer one; or leave a
//! session of before alive. Who invited whom is an entry: whoever may change people can let
//! themselves in as anybody, and this is what shows it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use labward_base::id::{PersonId, SiteId};
use labward_base::{Secret, Timestamp};
use labward_ledger::Actor;
use labward_seal::{base32, constant_time_eq, random_bytes, sha256};
use labward_store::Store;
use zeroize::Zeroizing;

use crate::store::sign_in as store;
use crate::{IdentityError, Passwords, People, Person, Sessions, SignInError, check_login};

/// How long an invitation holds.
pub const INVITATION_LASTS: Duration = Duration::from_secs(72 * 3_600);

const SECRET_BYTES: usize = 32;
const CHECK_BYTES: usize = 3;
const CODE_BYTES: usize = SECRET_BYTES + CHECK_BYTES;
const GROUP_CHARS: usize = 8;

/// A one-time code: 256 random bits and three bytes that catch typing errors.
#[derive(Clone)]
pub struct InvitationCode(Secret<[u8; SECRET_BYTES]>);

/// A fresh invitation; the code is known here alone.
#[derive(Debug)]
pub struct Invitation {
    /// The code.
    pub code: InvitationCode,
    /// From then on it is worth nothing.
    pub expires: Timestamp,
}

/// All invitations; clones share them.
#[derive(Clone)]
pub struct Invitations(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    people: People,
    sessions: Sessions,
    passwords: Passwords,
    lab: String,
}

/// An invitation as it is kept.
pub(crate) struct Invited {
    pub(crate) person: PersonId,
    pub(crate) code_sha256: [u8; 32],
    pub(crate) expires: Timestamp,
}

/// What an accepted invitation changes.
pub(crate) struct Accepted {
    pub(crate) person: PersonId,
    pub(crate) code_sha256: [u8; 32],
    pub(crate) login: String,
    pub(crate) phc: String,
    pub(crate) now: Timestamp,
}

impl InvitationCode {
    fn generate() -> Result<Self, SignInError> {
        Ok(Self(Secret::new(random_bytes()?)))
    }

    /// The code as it is read out, typed or put behind the `#` of an address: seven groups of eight.
    pub fn to_text(&self) -> Secret<String> {
        let secret = self.0.expose();
        let mut bytes = Zeroizing::new([0; CODE_BYTES]);
        let check = check_of(secret);
        let whole = secret.iter().chain(&check);
        bytes
            .iter_mut()
            .zip(whole)
            .for_each(|(to, from)| *to = *from);
        let mut text = String::with_capacity(2 * CODE_BYTES);
        for (place, symbol) in base32::symbols(bytes.as_slice()).enumerate() {
            if place > 0 && place % GROUP_CHARS == 0 {
                text.push('-');
            }
            text.push(symbol);
        }
        Secret::new(text)
    }

    fn digest(&self) -> [u8; 32] {
        let whole = Zeroizing::new([&b"labward/invitation1"[..], self.0.expose()].concat());
        sha256(&whole)
    }
}

impl FromStr for InvitationCode {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let wrong = || IdentityError::NotAName {
            what: "invitation code",
        };
        let bytes = base32::decode::<CODE_BYTES>(text).ok_or_else(wrong)?;
        let (secret, check) = bytes.split_first_chunk().ok_or_else(wrong)?;
        if !constant_time_eq(&check_of(secret), check) {
            return Err(wrong());
        }
        Ok(Self(Secret::new(*secret)))
    }
}

impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode")
    }
}

fn check_of(secret: &[u8; SECRET_BYTES]) -> [u8; CHECK_BYTES] {
    let whole = Zeroizing::new([&b"labward/invitation1 check"[..], secret].concat());
    let [a, b, c, ..] = sha256(&whole);
    [a, b, c]
}

impl Invitations {
    /// Over these rooms' state; `lab` is the lab's name, which is no password.
    pub fn new(
        store: Store,
        site: SiteId,
        sessions: Sessions,
        people: People,
        passwords: Passwords,
        lab: &str,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            site,
            people,
            sessions,
            passwords,
            lab: lab.to_owned(),
        }))
    }

    /// Makes a code for a person, in the place of any earlier one, with its entry. For a person who
    /// has a password it is a reset; nothing changes for them until it is accepted.
    ///
    /// # Errors
    /// [`IdentityError::NoPerson`], [`IdentityError::Store`], [`SignInError::NoRandom`].
    pub fn create(
        &self,
        person: PersonId,
        by: Actor,
        now: Timestamp,
    ) -> Result<Invitation, IdentityError> {
        let code = InvitationCode::generate()?;
        let expires = now.plus(INVITATION_LASTS);
        let invited = Invited {
            person,
            code_sha256: code.digest(),
            expires,
        };
        let site = self.0.site;
        self.0
            .store
            .write(move |tx| store::invite(tx, site, &invited, by))?;
        Ok(Invitation { code, expires })
    }

    /// Whom this code invites, if it holds at `now`.
    ///
    /// # Errors
    /// [`IdentityError::Store`].
    pub fn look(
        &self,
        code: &InvitationCode,
        now: Timestamp,
    ) -> Result<Option<Person>, IdentityError> {
        let digest = code.digest();
        let invited = self
            .0
            .store
            .read(|snapshot| store::invited(snapshot, &digest, now))?;
        Ok(invited.and_then(|person| self.0.people.by_id(person)))
    }

    /// Spends the code: sets login and password and ends every session that the person had, in one
    /// unit with its entry. What is refused spends nothing.
    ///
    /// # Errors
    /// [`SignInError::InvitationEnded`], [`SignInError::LoginTaken`], [`SignInError::WeakPassword`],
    /// [`SignInError::Busy`]; [`IdentityError::NotAName`] for what cannot be a login;
    /// [`IdentityError::Store`].
    pub fn accept(
        &self,
        code: &InvitationCode,
        login: &str,
        password: &Secret<String>,
        now: Timestamp,
    ) -> Result<Person, IdentityError> {
        // First, so that nobody without a code has a password hashed.
        let person = self.look(code, now)?;
        let person = person.ok_or(SignInError::InvitationEnded)?;
        check_login(login)?;
        let others = self.0.people.by_login(login);
        if others.is_some_and(|other| other.id != person.id) {
            return Err(SignInError::LoginTaken.into());
        }
        let words = [login, &person.name, &self.0.lab];
        let accepted = Accepted {
            person: person.id,
            code_sha256: code.digest(),
            login: login.to_owned(),
            phc: self.0.passwords.hash_new(password, &words)?,
            now,
        };
        let site = self.0.site;
        let unit = || {
            self.0
                .store
                .write(move |tx| store::accept(tx, site, &accepted))
        };
        let ((), person) = self.0.people.write_login(person.id, login, || {
            self.0.sessions.end_with(person.id, unit)
        })?;
        Ok(person)
    }
}
