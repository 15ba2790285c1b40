//! Signing in: a login and a password, or a passkey, become a session, or a refusal that is recorded.
//!
//! It must never tell whether it was the login or the password that was wrong, whether the person was
//! removed or never had a password; the work done and the answer are the same. Person or entity
//! authentication is 45 CFR 164.312(d), monitoring of log-ins 164.308(a)(5)(ii)(C).
//!
//! A password that was tried wrongly 100 times in a row has ended (NIST SP 800-63B-4, 3.2.2); an
//! invitation gives another. Until then tries are only slowed, so that nobody is shut out for good
//! by somebody else's guessing.

mod passkey;

use std::sync::Arc;
use std::time::Duration;

use labward_base::id::{PersonId, SiteId};
use labward_base::problem::{self, Problem};
use labward_base::{Secret, Timestamp};
use labward_seal::sha256;
use labward_store::Store;

use crate::refusals::{Reason, Refusals, record};
use crate::store::sign_in as store;
use crate::throttle::{Throttle, Try};
use crate::{Client, IdentityError, Passwords, People, Person, Session, SessionId, Sessions};

/// Lets people in; clones share the counters.
#[derive(Clone)]
pub struct SignIn(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    people: People,
    sessions: Sessions,
    passwords: Passwords,
    throttle: Throttle,
    refusals: Refusals,
}

/// How a sign-in ended.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each sign-in, and it is taken apart at once"
)]
pub enum Attempt {
    /// A session began.
    Admitted {
        /// Its secret id, for the cookie and nothing else.
        id: SessionId,
        /// The session.
        session: Session,
    },
    /// It was refused, and that was recorded.
    Refused(Refusal),
}

/// Why somebody was not let in, as far as they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The groups of the provider would leave nobody who may change people.
    LastAdministrator,
    /// No group that the provider names has a role here.
    NoGroup,
    /// The provider's account is linked to nobody here.
    NotLinked,
    /// Login and password do not fit together.
    NotRecognized,
    /// The name is linked to another subject of the provider.
    OtherSubject,
    /// The passkey is not known, or does not answer what was asked.
    PasskeyRefused,
    /// Passwords are tried too fast, for this login or from this place.
    TooManyAttempts {
        /// How long to wait, in seconds; at most 900.
        wait_seconds: u64,
    },
}

impl Refusal {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::LastAdministrator => &problem::IDENTITY_LAST_ADMINISTRATOR,
            Self::NoGroup => &problem::SIGN_ON_NO_GROUP,
            Self::NotLinked => &problem::SIGN_ON_NOT_LINKED,
            Self::NotRecognized => &problem::IDENTITY_SIGN_IN_REFUSED,
            Self::OtherSubject => &problem::SIGN_ON_OTHER_SUBJECT,
            Self::PasskeyRefused => &problem::IDENTITY_PASSKEY_REFUSED,
            Self::TooManyAttempts { .. } => &problem::IDENTITY_TOO_MANY_ATTEMPTS,
        }
    }
}

/// The try that a password fitted in, with the person and the number of the credential.
type Recognized = (Try, (PersonId, i64));

impl SignIn {
    /// Over these rooms' state.
    pub fn new(
        store: Store,
        site: SiteId,
        sessions: Sessions,
        people: People,
        passwords: Passwords,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            site,
            people,
            sessions,
            passwords,
            throttle: Throttle::default(),
            refusals: Refusals::default(),
        }))
    }

    /// Begins a session for whom login and password fit; case and blanks around the login do not
    /// count. Takes a hashing, so it is called where blocking does no harm.
    ///
    /// # Errors
    /// [`crate::SignInError::Busy`]: nothing was looked at, try again; [`IdentityError::Store`].
    pub fn with_password(
        &self,
        login: &str,
        password: &Secret<String>,
        client: &Client,
        now: Timestamp,
    ) -> Result<Attempt, IdentityError> {
        match self.try_password(login, password, client, now)? {
            Err(refusal) => Ok(Attempt::Refused(refusal)),
            Ok((tried, fits)) => {
                let otherwise = (Reason::WrongPassword, Refusal::NotRecognized);
                self.enter(&tried, fits, otherwise, client, now)
            }
        }
    }

    /// Whether this is the password of a person who has a session, before they change what they sign
    /// in with; slowed and recorded as a sign-in is.
    ///
    /// # Errors
    /// As [`Self::with_password`]; [`IdentityError::NoPerson`] for who has no login.
    pub fn confirm(
        &self,
        person: &Person,
        password: &Secret<String>,
        client: &Client,
        now: Timestamp,
    ) -> Result<Result<(), Refusal>, IdentityError> {
        let login = person.login.as_deref();
        let login = login.ok_or(IdentityError::NoPerson(person.id))?;
        let tried = self.try_password(login, password, client, now)?;
        Ok(tried.map(|(tried, _)| self.0.throttle.was_right(&tried)))
    }

    /// The person and the credential if the password fits, and the try that it was.
    fn try_password(
        &self,
        login: &str,
        password: &Secret<String>,
        client: &Client,
        now: Timestamp,
    ) -> Result<Result<Recognized, Refusal>, IdentityError> {
        let login = login.trim().to_ascii_lowercase();
        let person = self.0.people.by_login(&login).map(|person| person.id);
        let tried = match self.begin_try(sha256(login.as_bytes()), person, client, now) {
            Ok(tried) => tried,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match self.look(person, password) {
            Err(error) => {
                self.0.throttle.was_none(&tried);
                Err(error)
            }
            Ok(Err(reason)) => {
                self.refused(person, reason, client, now);
                Ok(Err(Refusal::NotRecognized))
            }
            Ok(Ok(fits)) => Ok(Ok((tried, fits))),
        }
    }

    /// Counts a try before anything is looked at, or refuses it.
    fn begin_try(
        &self,
        what: [u8; 32],
        person: Option<PersonId>,
        client: &Client,
        now: Timestamp,
    ) -> Result<Try, Refusal> {
        let begun = self.0.throttle.begin(what, client.address, now);
        begun.map_err(|wait| {
            self.refused(person, Reason::TooMany, client, now);
            let wait_seconds = whole_seconds(wait);
            Refusal::TooManyAttempts { wait_seconds }
        })
    }

    /// Begins the session of a person whose credential fits; `otherwise` if it stands no more.
    fn enter(
        &self,
        tried: &Try,
        (person, credential): (PersonId, i64),
        (reason, refusal): (Reason, Refusal),
        client: &Client,
        now: Timestamp,
    ) -> Result<Attempt, IdentityError> {
        let shared = &*self.0;
        match shared.sessions.begin(person, credential, client, now) {
            Ok((id, session)) => {
                shared.throttle.was_right(tried);
                Ok(Attempt::Admitted { id, session })
            }
            // Removed, or given another credential, while this one was looked at.
            Err(IdentityError::NoPerson(_)) => {
                let known = shared.people.by_id(person);
                let is_over = known.is_some_and(|known| known.at(now).is_none());
                let reason = match is_over {
                    true => Reason::EngagementOver,
                    false => reason,
                };
                self.refused(Some(person), reason, client, now);
                Ok(Attempt::Refused(refusal))
            }
            Err(error) => {
                shared.throttle.was_none(tried);
                Err(error)
            }
        }
    }

    /// Counts a token that does not hold among the refusals.
    pub fn refused_token(&self, client: &Client, now: Timestamp) {
        self.refused(None, Reason::BadToken, client, now);
    }

    /// Records the refusals whose minute is over, or all of them before the end.
    pub fn settle(&self, now: Timestamp, all: bool) {
        let shared = &*self.0;
        record(&shared.store, shared.refusals.take(shared.site, now, all));
    }

    /// The person and the credential that fits; the same work whoever it is.
    fn look(
        &self,
        person: Option<PersonId>,
        password: &Secret<String>,
    ) -> Result<Result<(PersonId, i64), Reason>, IdentityError> {
        let shared = &*self.0;
        // Nobody has the number 0, and is looked up as everybody is.
        let number = person.unwrap_or(PersonId::new(0));
        let stored = shared
            .store
            .read(|snapshot| store::password_of(snapshot, number))?;
        let holds = |stored: &&store::StoredPassword| stored.failures < store::MAX_FAILURES;
        let held = stored.as_ref().filter(holds);
        let phc = held.map(|stored| stored.phc.as_str());
        let fits = shared.passwords.fits(password, phc)?;
        Ok(match (person, &stored, held) {
            (None, ..) => Err(Reason::UnknownLogin),
            (Some(_), None, _) => Err(Reason::NoPassword),
            (Some(_), Some(_), None) => Err(Reason::EndedPassword),
            (Some(person), _, Some(held)) if fits => Ok((person, held.id)),
            (Some(person), _, Some(held)) => {
                self.count_failure(person, held.id);
                Err(Reason::WrongPassword)
            }
        })
    }

    /// Not waited for, so that the answer comes as soon as for a login that nobody has.
    fn count_failure(&self, person: PersonId, credential: i64) {
        let site = self.0.site;
        self.0.store.submit(
            move |tx| store::count_failure(tx, site, person, credential),
            |counted| {
                if let Err(error) = counted {
                    tracing::error!(error = %error, "a wrong password could not be counted");
                }
            },
        );
    }

    pub(crate) fn refused(
        &self,
        person: Option<PersonId>,
        reason: Reason,
        client: &Client,
        now: Timestamp,
    ) {
        let shared = &*self.0;
        let due = shared
            .refusals
            .note(shared.site, person, reason, client.address, now);
        record(&shared.store, due);
    }
}

/// Rounded up, so that whoever waits as long is let through.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
