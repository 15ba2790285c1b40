//! Passkeys: key pairs on a person's device, with which they sign in without a password (WebAuthn).
//!
//! It must never leave a challenge with the browser alone, take one twice or late, take an answer that
//! was given to another name than the console's, or one without the device having verified its
//! person. Person or entity authentication is 45 CFR 164.312(d).
//!
//! Challenges live in memory: bounded for all and for each place, and over after five minutes.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_base::id::{EntryIndex, PasskeyNumber, PersonId, SessionNumber, SiteId};
use labward_base::{Timestamp, remark};
use labward_ledger::Actor;
use labward_seal::{random_bytes, sha256};
use labward_store::Store;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use crate::refusals::Reason;
use crate::store::passkey as store;
use crate::throttle::place_of;
use crate::{IdentityError, Person, Session, SignInError};

/// How long a challenge may be answered.
const CHALLENGE_LASTS: Duration = Duration::from_secs(5 * 60);
/// Challenges that wait at the same time.
const MAX_WAITING: usize = 2_048;
/// Of these from one place, behind which a whole draw site may sit.
const MAX_OF_A_PLACE: usize = 128;
const TICKET_BYTES: usize = 16;
const NAME_CHARS: usize = 64;

/// Who asks for passkeys: the console, by its DNS name and its address.
pub struct RelyingParty {
    webauthn: Webauthn,
    name: String,
}

/// A passkey as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its number: no secret.
    pub number: PasskeyNumber,
    /// Whose it is.
    pub person: PersonId,
    /// What the person calls it.
    pub name: String,
    /// The console's name that it was made for; it is of no use at another.
    pub relying_party: String,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

/// What a browser is asked, for its `navigator.credentials`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// By which the answer finds its challenge; comes back with it.
    pub ticket: String,
    /// The options, JSON; byte strings are base64url.
    pub options: String,
}

/// All passkeys, and the challenges that wait for an answer; clones share them.
#[derive(Clone)]
pub struct Passkeys(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    waiting: Mutex<VecDeque<Waiting>>,
    /// One sign-in at a time, so that no two answers are held against the same counter.
    counting: Mutex<()>,
}

/// A passkey as it is kept.
pub(crate) struct Kept {
    pub(crate) id: i64,
    pub(crate) person: PersonId,
    pub(crate) passkey: webauthn_rs::prelude::Passkey,
}

/// Whose passkey an answer is, and its row; or why it is refused, and whose it would be if known.
pub(crate) type Looked = Result<(PersonId, i64), (Option<(PersonId, i64)>, Reason)>;

/// A passkey to be written.
pub(crate) struct NewPasskey {
    pub(crate) person: PersonId,
    pub(crate) name: String,
    pub(crate) relying_party: String,
    pub(crate) id_sha256: [u8; 32],
    pub(crate) data: Vec<u8>,
}

struct Waiting {
    ticket: String,
    place: IpAddr,
    until: Timestamp,
    challenge: Challenge,
}

enum Challenge {
    Add {
        session: SessionNumber,
        name: String,
        state: PasskeyRegistration,
    },
    SignIn(DiscoverableAuthentication),
}

impl RelyingParty {
    /// The console at this `https` address, for the lab called `lab`; `None` if its host is an
    /// address and no name, which browsers refuse.
    pub fn of(url: &str, lab: &str) -> Option<Self> {
        let origin = Url::parse(url).ok()?;
        let name = origin.domain()?.to_owned();
        let builder = WebauthnBuilder::new(&name, &origin).ok()?;
        let builder = builder.rp_name(lab).timeout(CHALLENGE_LASTS);
        let webauthn = builder.build().ok()?;
        Some(Self { webauthn, name })
    }

    /// The DNS name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// By what a device knows a person of this lab: tells nothing but whether it is the same.
    fn handle(&self, person: PersonId) -> Uuid {
        let label = &b"labward/passkey-user1"[..];
        let whole = [label, self.name.as_bytes(), &person.get().to_be_bytes()].concat();
        let mut handle = [0; 16];
        handle
            .iter_mut()
            .zip(sha256(&whole))
            .for_each(|(to, from)| *to = from);
        Uuid::from_bytes(handle)
    }
}

/// By what a passkey is found.
pub(crate) fn id_digest(id: &[u8]) -> [u8; 32] {
    sha256(&[b"labward/passkey-id1", id].concat())
}

impl Passkeys {
    /// Over what the store holds.
    pub fn new(store: Store, site: SiteId) -> Self {
        Self(Arc::new(Shared {
            store,
            site,
            waiting: Mutex::default(),
            counting: Mutex::default(),
        }))
    }

    /// Everybody's passkeys, the newest first.
    ///
    /// # Errors
    /// [`IdentityError::Store`].
    pub fn all(&self) -> Result<Vec<Passkey>, IdentityError> {
        self.0.store.read(|snapshot| store::list(snapshot))
    }

    /// The passkeys of a person, the newest first.
    ///
    /// # Errors
    /// [`IdentityError::Store`].
    pub fn of(&self, person: PersonId) -> Result<Vec<Passkey>, IdentityError> {
        let mut all = self.all()?;
        all.retain(|passkey| passkey.person == person);
        Ok(all)
    }

    /// Asks for a new passkey of the person of this session, which they call `name`; that they are
    /// who they were at the sign-in is the caller's to ask ([`crate::SignIn::confirm`]).
    ///
    /// # Errors
    /// [`SignInError::BadPasskey`] for what cannot be a name; [`SignInError::NoRandom`];
    /// [`IdentityError::Store`].
    pub fn ask_new(
        &self,
        at: &RelyingParty,
        session: &Session,
        name: &str,
        now: Timestamp,
    ) -> Result<Asked, IdentityError> {
        let name = name.trim();
        let length = name.chars().count();
        if !(1..=NAME_CHARS).contains(&length) || name.chars().any(char::is_control) {
            let what = remark::passkey_name();
            return Err(SignInError::BadPasskey { what }.into());
        }
        let person = &session.person;
        let known = self
            .0
            .store
            .read(|snapshot| store::kept_of(snapshot, person.id))?;
        let known = known.iter().map(|kept| kept.passkey.cred_id().clone());
        let (mut options, state) = at
            .webauthn
            .start_passkey_registration(
                at.handle(person.id),
                login_of(person),
                &person.name,
                Some(known.collect()),
            )
            .map_err(|_| not_asked())?;
        // Without it nobody could sign in without typing a name.
        if let Some(wanted) = &mut options.public_key.authenticator_selection {
            wanted.require_resident_key = true;
            wanted.resident_key = serde_json::from_str("\"required\"").ok();
        }
        let options = serde_json::to_string(&options).map_err(|_| not_asked())?;
        let challenge = Challenge::Add {
            session: session.number,
            name: name.to_owned(),
            state,
        };
        let ticket = self.wait(challenge, session.client.address, now)?;
        Ok(Asked { ticket, options })
    }

    /// Adds the passkey that answers what this session was asked, with its entry.
    ///
    /// # Errors
    /// [`SignInError::BadPasskey`]: the challenge is over or another's, or the answer does not fit it;
    /// [`IdentityError::NoPerson`], [`IdentityError::Store`].
    pub fn add(
        &self,
        at: &RelyingParty,
        session: &Session,
        (ticket, answer): (&str, &str),
        now: Timestamp,
    ) -> Result<Passkey, IdentityError> {
        let refused = |what| IdentityError::from(SignInError::BadPasskey { what });
        let over = || refused(remark::passkey_over());
        let Some(Challenge::Add {
            session: asked,
            name,
            state,
        }) = self.take(ticket, now)
        else {
            return Err(over());
        };
        if asked != session.number {
            return Err(over());
        }
        let answer: RegisterPublicKeyCredential = serde_json::from_str(answer)
            .map_err(|_| refused(remark::passkey_answer_malformed()))?;
        let props = answer.extensions.cred_props.as_ref();
        if props.is_some_and(|props| props.rk == Some(false)) {
            return Err(refused(remark::passkey_not_kept_there()));
        }
        let made = at.webauthn.finish_passkey_registration(&answer, &state);
        let made = made.map_err(|_| refused(remark::passkey_answer_wrong()))?;
        let new = NewPasskey {
            person: session.person.id,
            name: name.clone(),
            relying_party: at.name.clone(),
            id_sha256: id_digest(made.cred_id()),
            data: serde_json::to_vec(&made).map_err(|_| refused(remark::passkey_not_kept()))?,
        };
        let site = self.0.site;
        let number = self
            .0
            .store
            .write(move |tx| store::add(tx, site, &new, now))?;
        Ok(Passkey {
            number,
            person: session.person.id,
            name,
            relying_party: at.name.clone(),
            created: now,
            last_used: None,
        })
    }

    /// Removes a passkey, with its entry; if `of` is somebody, only one of theirs.
    ///
    /// # Errors
    /// [`SignInError::NoPasskey`], [`IdentityError::Store`].
    pub fn remove(
        &self,
        number: PasskeyNumber,
        of: Option<PersonId>,
        by: Actor,
    ) -> Result<EntryIndex, IdentityError> {
        let site = self.0.site;
        self.0
            .store
            .write(move |tx| store::remove(tx, site, number, of, by))
    }

    /// Asks whoever is at `address` for any passkey of this console; the device shows whose it has.
    ///
    /// # Errors
    /// [`SignInError::NoRandom`].
    pub fn ask_any(
        &self,
        at: &RelyingParty,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Asked, IdentityError> {
        let (mut options, state) = at
            .webauthn
            .start_discoverable_authentication()
            .map_err(|_| not_asked())?;
        // The person has pressed the button: the browser is to ask now.
        options.mediation = None;
        let options = serde_json::to_string(&options).map_err(|_| not_asked())?;
        let ticket = self.wait(Challenge::SignIn(state), address, now)?;
        Ok(Asked { ticket, options })
    }

    /// Whose passkey the answer is, and its row; or why not, and of whom if that is known. A counter
    /// that went forward is kept.
    pub(crate) fn look(
        &self,
        at: &RelyingParty,
        ticket: &str,
        answer: &PublicKeyCredential,
        now: Timestamp,
    ) -> Result<Looked, IdentityError> {
        // Before anything else, so that it is spent.
        let challenge = self.take(ticket, now);
        let counting = self.0.counting.lock();
        let _counting = counting.unwrap_or_else(PoisonError::into_inner);
        let digest = id_digest(&answer.raw_id);
        let found = self
            .0
            .store
            .read(|snapshot| store::by_id(snapshot, &digest))?;
        let Some(mut kept) = found else {
            return Ok(Err((None, Reason::UnknownPasskey)));
        };
        let whose = (kept.person, kept.id);
        let handle = at.webauthn.identify_discoverable_authentication(answer);
        let fits = handle.is_ok_and(|(handle, _)| handle == at.handle(kept.person));
        let Some(Challenge::SignIn(state)) = challenge.filter(|_| fits) else {
            return Ok(Err((Some(whose), Reason::WrongPasskey)));
        };
        let done = at
            .webauthn
            .finish_discoverable_authentication_v2(answer, state, &kept.passkey);
        match done {
            Ok(done) => {
                if kept.passkey.update_credential(&done) == Some(true) {
                    let data = serde_json::to_vec(&kept.passkey).map_err(|_| not_asked())?;
                    let id = kept.id;
                    self.0.store.write(move |tx| {
                        store::note_counter(tx, id, &data).map_err(IdentityError::from)
                    })?;
                }
                Ok(Ok(whose))
            }
            Err(WebauthnError::CredentialPossibleCompromise) => {
                Ok(Err((Some(whose), Reason::PasskeyCounter)))
            }
            Err(_) => Ok(Err((Some(whose), Reason::WrongPasskey))),
        }
    }

    /// Keeps a challenge until it is answered; the oldest of a place makes room for its next.
    fn wait(
        &self,
        challenge: Challenge,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<String, IdentityError> {
        let bytes = random_bytes::<TICKET_BYTES>().map_err(SignInError::from)?;
        let ticket = URL_SAFE_NO_PAD.encode(bytes);
        let place = place_of(address);
        let mut waiting = self.waiting();
        waiting.retain(|one| now < one.until);
        let theirs = waiting.iter().filter(|one| one.place == place).count();
        if theirs >= MAX_OF_A_PLACE {
            let oldest = waiting.iter().position(|one| one.place == place);
            oldest.and_then(|oldest| waiting.remove(oldest));
        } else if waiting.len() >= MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            ticket: ticket.clone(),
            place,
            until: now.plus(CHALLENGE_LASTS),
            challenge,
        });
        Ok(ticket)
    }

    /// The challenge of this ticket, once and in time.
    fn take(&self, ticket: &str, now: Timestamp) -> Option<Challenge> {
        let mut waiting = self.waiting();
        let place = waiting.iter().position(|one| one.ticket == ticket)?;
        let found = waiting.remove(place)?;
        (now < found.until).then_some(found.challenge)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a device shows beside the passkey.
fn login_of(person: &Person) -> &str {
    person.login.as_deref().unwrap_or(&person.name)
}

fn not_asked() -> IdentityError {
    let what = remark::passkey_not_asked();
    SignInError::BadPasskey { what }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_asked_for_by_a_name_and_never_by_an_address() {
        let of = |url: &str| RelyingParty::of(url, "Lab").map(|at| at.name().to_owned());
        assert_eq!(
            of("https://lab.example:8443").as_deref(),
            Some("lab.example")
        );
        assert_eq!(of("https://localhost:8443").as_deref(), Some("localhost"));
        for address in [
            "https://10.0.0.7:8443",
            "https://[2001:db8::7]:8443",
            "lab.example",
            "",
        ] {
            assert_eq!(of(address), None, "{address}");
        }
    }

    #[test]
    fn a_device_learns_nothing_of_a_person_but_that_it_is_the_same() {
        let lab = RelyingParty::of("https://lab.example:8443", "Lab").unwrap();
        let other = RelyingParty::of("https://other.example", "Lab").unwrap();
        let (one, two) = (PersonId::new(1), PersonId::new(2));
        assert_eq!(lab.handle(one), lab.handle(one));
        assert_ne!(lab.handle(one), lab.handle(two));
        assert_ne!(lab.handle(one), other.handle(one));
    }
}
