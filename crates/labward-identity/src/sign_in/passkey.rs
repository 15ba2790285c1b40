//! Signing in with a passkey: slowed, recorded and answered as with a password.
//!
//! It must never tell a passkey that was removed from one that never was.

use labward_base::Timestamp;
use webauthn_rs::prelude::PublicKeyCredential;

use super::{Attempt, Refusal, SignIn};
use crate::passkey::id_digest;
use crate::refusals::Reason;
use crate::store::passkey as store;
use crate::{Client, IdentityError, Passkeys, RelyingParty};

impl SignIn {
    /// Begins a session for whom the passkey answers the challenge of `ticket`. Tries count for the
    /// passkey and its place, so that guessing at a login slows nobody's passkey.
    ///
    /// # Errors
    /// [`IdentityError::Store`].
    pub fn with_passkey(
        &self,
        passkeys: &Passkeys,
        at: &RelyingParty,
        (ticket, answer): (&str, &str),
        client: &Client,
        now: Timestamp,
    ) -> Result<Attempt, IdentityError> {
        let answer = serde_json::from_str::<PublicKeyCredential>(answer).ok();
        let digest = id_digest(answer.as_ref().map_or(&[], |answer| &answer.raw_id));
        let tried = match self.begin_try(digest, None, client, now) {
            Ok(tried) => tried,
            Err(refusal) => return Ok(Attempt::Refused(refusal)),
        };
        let otherwise = (Reason::WrongPasskey, Refusal::PasskeyRefused);
        let looked = match &answer {
            Some(answer) => passkeys.look(at, ticket, answer, now),
            None => Ok(Err((None, Reason::UnknownPasskey))),
        };
        match looked {
            Err(error) => {
                self.0.throttle.was_none(&tried);
                Err(error)
            }
            Ok(Ok(fits)) => self.enter(&tried, fits, otherwise, client, now),
            Ok(Err((Some(whose), Reason::PasskeyCounter))) => {
                // Its signature was right, so strangers cannot fill the ledger with it.
                let (site, client) = (self.0.site, client.clone());
                self.0
                    .store
                    .write(move |tx| store::record_copy(tx, site, whose, &client))?;
                Ok(Attempt::Refused(Refusal::PasskeyRefused))
            }
            Ok(Err((whose, reason))) => {
                let person = whose.map(|(person, _)| person);
                self.refused(person, reason, client, now);
                Ok(Attempt::Refused(Refusal::PasskeyRefused))
            }
        }
    }
}
