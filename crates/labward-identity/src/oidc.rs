//! Accounts at the lab's identity provider (OpenID Connect): who they let in, and as what.
//!
//! It must never take a claim that was not verified before, let somebody in without a group that has
//! a role here, or let a name that the provider gave to another subject open a person's account.
//! Unique user identification is 45 CFR 164.312(a)(2)(i), person or entity authentication 164.312(d).
//!
//! What a person is known by is the pair of issuer and subject, which a provider never gives twice. An
//! e-mail address or user name counts once, at the first sign-in, and only where an administrator
//! noted it; the roles are those of the groups at each sign-in.

use std::sync::{Arc, Mutex, PoisonError};

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PersonId, SiteId};
use labward_ledger::Actor;
use labward_store::Store;

use crate::refusals::Reason;
use crate::store::oidc as store;
use crate::{
    Attempt, Client, IdentityError, NewPerson, People, Person, Refusal, Role, Roles, Sessions,
    SignIn,
};

/// Characters of an account's name: as long as an e-mail address may be.
const ACCOUNT_CHARS: std::ops::RangeInclusive<usize> = 1..=254;

/// What a person may be called, in characters.
const NAME_CHARS: usize = 100;

/// What the provider says of whoever signed in there, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// Who says it.
    pub issuer: String,
    /// What the issuer knows them by.
    pub subject: String,
    /// Their verified e-mail address or their user name, whichever the lab goes by, if it is given.
    pub account: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// The roles that their groups have here; `None`: no group of theirs has one.
    pub roles: Option<Roles>,
}

/// An account at the identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderAccount {
    /// Whose it is.
    pub person: PersonId,
    /// The e-mail address or user name there, in lower case.
    pub account: String,
    /// What the provider knows them by; `None`: nobody signed in with it yet.
    pub bound: Option<Bound>,
    /// The last sign-in with it.
    pub last_used: Option<Timestamp>,
}

/// The pair that a provider never gives to two people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Who vouches.
    pub issuer: String,
    /// What the issuer knows them by.
    pub subject: String,
}

/// Why what came back from the provider let nobody in; for the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// The provider itself refused, or the person turned back.
    Declined,
    /// It belongs to no sign-in that was begun here by this browser within the time.
    Foreign,
    /// Signature, issuer, audience, nonce or time do not fit.
    NotVerified,
}

/// All accounts at the identity provider; clones share them.
#[derive(Clone)]
pub struct ProviderAccounts(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    people: People,
    sessions: Sessions,
    sign_in: SignIn,
    /// One change or sign-in at a time: two first sign-ins of one subject make one person.
    changing: Mutex<()>,
}

/// How a subject stands to the people of the lab.
enum Found {
    Bound(Person, i64),
    Expected(Person, String),
    Unknown,
}

impl ProviderAccounts {
    /// Over these rooms' state.
    pub fn new(
        store: Store,
        site: SiteId,
        people: People,
        sessions: Sessions,
        sign_in: SignIn,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            site,
            people,
            sessions,
            sign_in,
            changing: Mutex::default(),
        }))
    }

    /// The accounts of everybody who was not removed, in the order of the people.
    ///
    /// # Errors
    /// [`IdentityError::Store`].
    pub fn list(&self) -> Result<Vec<ProviderAccount>, IdentityError> {
        let all = self.0.store.read(|snapshot| store::read_all(snapshot))?;
        let all = all.into_iter().map(|kept| kept.account);
        let present = |one: &ProviderAccount| self.0.people.by_id(one.person).is_some();
        Ok(all.filter(present).collect())
    }

    /// The account of a person.
    ///
    /// # Errors
    /// [`IdentityError::Store`].
    pub fn of(&self, person: PersonId) -> Result<Option<ProviderAccount>, IdentityError> {
        let mut all = self.list()?.into_iter();
        Ok(all.find(|one| one.person == person))
    }

    /// Notes which account at the provider is a person's; the first who signs in there under this name
    /// is them from then on. With its entry.
    ///
    /// # Errors
    /// [`IdentityError::NotAName`], [`IdentityError::NoPerson`],
    /// [`crate::SignInError::AccountTaken`] if it is another's or the person has one that was used;
    /// [`IdentityError::Store`].
    pub fn expect(
        &self,
        person: PersonId,
        account: &str,
        by: Actor,
    ) -> Result<EntryIndex, IdentityError> {
        let account = account_of(account).ok_or(IdentityError::NotAName { what: "account" })?;
        let _order = self.order();
        let site = self.0.site;
        self.0
            .store
            .write(move |tx| store::expect(tx, site, person, &account, by))
    }

    /// Takes the account from a person, with its entry; every session of theirs ends.
    ///
    /// # Errors
    /// [`crate::SignInError::NoAccount`], [`IdentityError::Store`].
    pub fn unlink(&self, person: PersonId, by: Actor) -> Result<EntryIndex, IdentityError> {
        let _order = self.order();
        let site = self.0.site;
        let unit = || {
            self.0
                .store
                .write(move |tx| store::unlink(tx, site, person, by))
        };
        self.0.sessions.end_with(person, unit)
    }

    /// Begins a session for whom the provider vouches, if they are known here and a group of theirs
    /// has a role; `adds_people` lets in, and adds, who is not known yet. The roles become those of
    /// the groups, with an entry if they were others.
    ///
    /// # Errors
    /// [`IdentityError::Store`]; a refusal is no error.
    pub fn admit(
        &self,
        vouched: &Vouched,
        adds_people: bool,
        client: &Client,
        now: Timestamp,
    ) -> Result<Attempt, IdentityError> {
        let _order = self.order();
        let refuse = |person, reason| Ok(self.refuse(person, reason, client, now));
        let found = match self.find(vouched)? {
            Ok(found) => found,
            Err((person, reason)) => return refuse(person, reason),
        };
        let known = match &found {
            Found::Bound(person, _) | Found::Expected(person, _) => Some(person.clone()),
            Found::Unknown => None,
        };
        let Some(roles) = vouched.roles else {
            return refuse(known.map(|person| person.id), Reason::NoGroup);
        };
        let (person, account, credential) = match found {
            Found::Bound(person, credential) => (person, None, Some(credential)),
            Found::Expected(person, account) => (person, Some(account), None),
            // An outside expert is engaged first, by a person.
            Found::Unknown if !adds_people || roles.contains(Role::Expert) => {
                return refuse(None, Reason::NotLinked);
            }
            Found::Unknown => (self.add(vouched, roles)?, None, None),
        };
        match self.0.people.set_roles(person.id, roles, Actor::System) {
            Err(IdentityError::LastAdministrator(_)) => {
                return refuse(Some(person.id), Reason::LastAdministrator);
            }
            set => {
                set?;
            }
        }
        let credential = match credential {
            Some(credential) => credential,
            None => self.bind(&person, account, vouched, now)?,
        };
        match self.0.sessions.begin(person.id, credential, client, now) {
            Ok((id, session)) => Ok(Attempt::Admitted { id, session }),
            // Removed or unlinked meanwhile.
            Err(IdentityError::NoPerson(_)) => refuse(Some(person.id), Reason::NotLinked),
            Err(error) => Err(error),
        }
    }

    /// Counts what came back and let nobody in among the refusals.
    pub fn refused(&self, fault: AnswerFault, client: &Client, now: Timestamp) {
        let reason = match fault {
            AnswerFault::Declined => Reason::Declined,
            AnswerFault::Foreign => Reason::ForeignAnswer,
            AnswerFault::NotVerified => Reason::NotVerified,
        };
        self.0.sign_in.refused(None, reason, client, now);
    }

    /// Whom the provider means.
    fn find(
        &self,
        vouched: &Vouched,
    ) -> Result<Result<Found, (Option<PersonId>, Reason)>, IdentityError> {
        let account = vouched.account.as_deref().and_then(account_of);
        let (bound, named) = self.0.store.read(|snapshot| {
            let bound = store::by_subject(snapshot, &vouched.issuer, &vouched.subject)?;
            let named = match &account {
                Some(account) => store::by_account(snapshot, account)?,
                None => None,
            };
            Ok::<_, IdentityError>((bound, named))
        })?;
        let person = |kept: &store::Kept| self.0.people.by_id(kept.account.person);
        Ok(match (bound, named) {
            (Some(bound), _) => match (person(&bound), bound.credential) {
                (Some(person), Some(credential)) => Ok(Found::Bound(person, credential)),
                _ => Err((None, Reason::Removed)),
            },
            (None, Some(named)) => match person(&named) {
                None => Err((None, Reason::Removed)),
                Some(person) if named.account.bound.is_some() => {
                    Err((Some(person.id), Reason::OtherSubject))
                }
                Some(person) => Ok(Found::Expected(person, named.account.account)),
            },
            (None, None) => Ok(Found::Unknown),
        })
    }

    fn add(&self, vouched: &Vouched, roles: Roles) -> Result<Person, IdentityError> {
        let candidates = [&vouched.name, &vouched.account];
        let mut names = candidates.into_iter().flatten().map(|name| named(name));
        let name = names.find(|name| !name.is_empty());
        self.0.people.add(
            NewPerson {
                name: name.unwrap_or_else(|| named(&vouched.subject)),
                roles,
                uid: None,
            },
            Actor::System,
        )
    }

    fn bind(
        &self,
        person: &Person,
        account: Option<String>,
        vouched: &Vouched,
        now: Timestamp,
    ) -> Result<i64, IdentityError> {
        let given = || vouched.account.as_deref().and_then(account_of);
        let account = account.or_else(given);
        // No name of an account has a space, so it is nobody else's.
        let unnamed = || format!("{} {}", vouched.issuer, vouched.subject);
        let account = account.unwrap_or_else(unnamed);
        let (site, id, vouched) = (self.0.site, person.id, vouched.clone());
        self.0
            .store
            .write(move |tx| store::bind(tx, site, id, &account, &vouched, now))
    }

    fn refuse(
        &self,
        person: Option<PersonId>,
        reason: Reason,
        client: &Client,
        now: Timestamp,
    ) -> Attempt {
        self.0.sign_in.refused(person, reason, client, now);
        Attempt::Refused(match reason {
            Reason::NoGroup => Refusal::NoGroup,
            Reason::LastAdministrator => Refusal::LastAdministrator,
            Reason::OtherSubject => Refusal::OtherSubject,
            _ => Refusal::NotLinked,
        })
    }

    fn order(&self) -> std::sync::MutexGuard<'_, ()> {
        let changing = self.0.changing.lock();
        changing.unwrap_or_else(PoisonError::into_inner)
    }
}

/// An account's name as it is kept and compared, if it may be one.
fn account_of(text: &str) -> Option<String> {
    let account = text.trim().to_lowercase();
    let is_plain = !account.chars().any(|c| c.is_control() || c.is_whitespace());
    (is_plain && ACCOUNT_CHARS.contains(&account.chars().count())).then_some(account)
}

/// What a person is called, of what the provider calls them.
fn named(text: &str) -> String {
    let printable = text.trim().chars().filter(|c| !c.is_control());
    let cut: String = printable.take(NAME_CHARS).collect();
    cut.trim().to_owned()
}
