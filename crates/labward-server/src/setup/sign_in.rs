//! How the first administrator signs in at the console: by the same code path as everybody who is
//! invited, the invitation being spent at once.
//!
//! It must never keep the password beyond the set-up, or take one that an invitation would refuse.

use labward_base::{Secret, Timestamp};
use labward_identity::{
    Invitations, Language, Passwords, People, Person, Preferences, Sessions, check_login,
};
use labward_ledger::Actor;
use labward_store::Store;

use super::SetupError;
use crate::config::Config;
use crate::folder::SITE;

/// How the first administrator signs in.
pub struct FirstSignIn {
    /// The name they type.
    pub login: String,
    /// The password, by the rules of SP 800-63B-4.
    pub password: Secret<String>,
    /// The language of their pages; `None` is as their browser asks.
    pub language: Option<Language>,
}

impl FirstSignIn {
    /// Refuses a login that cannot be one, and a password that others would guess who know the
    /// names of `person` and `lab`.
    ///
    /// # Errors
    /// [`SetupError::Identity`].
    pub fn check(&self, person: &str, lab: &str) -> Result<(), SetupError> {
        check_login(&self.login)?;
        Passwords::new()?.hash_new(&self.password, &[&self.login, person, lab])?;
        Ok(())
    }

    /// Gives it to `person`, with its entries.
    pub(super) fn keep(
        &self,
        store: &Store,
        people: &People,
        person: &Person,
        config: &Config,
        now: Timestamp,
    ) -> Result<(), SetupError> {
        let limits = config.console.session_limits();
        let sessions = Sessions::load(store.clone(), SITE, people.clone(), limits)?;
        let invitations = Invitations::new(
            store.clone(),
            SITE,
            sessions,
            people.clone(),
            Passwords::new()?,
            &config.site.name,
        );
        let invitation = invitations.create(person.id, Actor::System, now)?;
        invitations.accept(&invitation.code, &self.login, &self.password, now)?;
        let preferences = Preferences {
            language: self.language,
            theme: person.theme,
        };
        people.set_preferences(person.id, preferences, Actor::System)?;
        Ok(())
    }
}
