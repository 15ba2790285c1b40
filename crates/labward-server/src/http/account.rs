//! `accounts` and `people/{id}/account`.
//!
//! It must never link an account whose first sign-in was another's, or forget who did it: both are for
//! the ledger.

use labward_api::account::LinkedAccount;
use labward_base::id::PersonId;
use labward_identity::ProviderAccount;

use super::call::{Answer, Call};
use super::failure::Failure;
use crate::app::Core;

/// `GET accounts`
pub(super) fn accounts(call: &Call) -> Result<Answer, Failure> {
    let all = call.core.sign_on.accounts().list()?.into_iter();
    let all = all.map(|one| shown(&call.core, one));
    Answer::json(&all.collect::<Vec<_>>())
}

/// An account as it is shown.
pub(super) fn shown(core: &Core, account: ProviderAccount) -> LinkedAccount {
    let bound = account.bound.map(|bound| (bound.issuer, bound.subject));
    let (issuer, subject) = bound.unzip();
    LinkedAccount {
        person: account.person.get(),
        name: core.people.name_of(account.person).unwrap_or_default(),
        account: account.account,
        issuer,
        subject,
        last_used: account.last_used.map(|used| used.to_rfc3339()),
    }
}

/// `POST people/{id}/account`
pub(super) fn link(call: &Call) -> Result<Answer, Failure> {
    let id: PersonId = call.param("id")?;
    let new: LinkedAccount = call.json()?;
    let accounts = call.core.sign_on.accounts();
    Answer::done(Some(accounts.expect(id, &new.account, call.actor())?))
}

/// `DELETE people/{id}/account`
pub(super) fn unlink(call: &Call) -> Result<Answer, Failure> {
    let id: PersonId = call.param("id")?;
    Answer::done(Some(call.core.sign_on.accounts().unlink(id, call.actor())?))
}
