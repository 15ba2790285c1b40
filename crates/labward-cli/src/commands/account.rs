//! `person link`, `unlink` and `accounts`: who signs in with the identity provider.

use labward_api::Done;
use labward_api::account::LinkedAccount;

use super::Context;
use super::session::number_of;
use crate::failure::Failure;
use crate::output::{show, table};

/// `labward person accounts`
pub(super) fn list(context: &Context) -> Result<(), Failure> {
    let accounts: Vec<LinkedAccount> = context.client.get("accounts", &[])?;
    show(context.json, &accounts, |out| {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let row = |one: &LinkedAccount| {
            vec![
                one.person.to_string(),
                one.name.clone(),
                one.account.clone(),
                or_none(&one.subject),
                or_none(&one.issuer),
                or_none(&one.last_used),
            ]
        };
        let rows: Vec<Vec<String>> = accounts.iter().map(row).collect();
        let head = [
            "person",
            "name",
            "account",
            "subject",
            "issuer",
            "last used",
        ];
        table(out, &head, &rows)
    })
}

/// `labward person link …`
pub(super) fn link(context: &Context, person: &str, account: &str) -> Result<(), Failure> {
    let id = number_of(context, person)?;
    let new = LinkedAccount {
        account: account.to_owned(),
        ..LinkedAccount::default()
    };
    let path = format!("people/{id}/account");
    let done: Done = context.client.post(&path, &new)?;
    show(context.json, &done, |out| {
        writeln!(out, "{account} is person {id} from its first sign-in on")
    })
}

/// `labward person unlink …`
pub(super) fn unlink(context: &Context, person: &str) -> Result<(), Failure> {
    let id = number_of(context, person)?;
    let path = format!("people/{id}/account");
    let done: Done = context.client.delete(&path)?;
    show(context.json, &done, |out| {
        writeln!(
            out,
            "person {id} has no account at the identity provider any more"
        )
    })
}
