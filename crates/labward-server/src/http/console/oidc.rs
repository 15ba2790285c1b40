//! Signing in with the identity provider, and the links between people and their accounts there.
//!
//! It must never begin a sign-in that the person did not ask for, or tell more than whether it held.

use labward_api::account::LinkedAccount;
use labward_base::problem;
use labward_console::pages as html;
use serde_json::Value;

use super::visit::{Page, Visit, shown_within};
use super::{entrance, headers, pages};
use crate::config::OidcConfig;
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;
use crate::sign_on::Returned;

/// `GET /sign-in/provider`
pub(super) fn begin(visit: &Visit) -> Result<Page, Failure> {
    let visitor = &visit.visitor;
    if visitor.is_signed_in() {
        return Ok(Page::To("/".to_owned()));
    }
    if !visitor.is_own_wish {
        return Ok(Page::To("/sign-in".to_owned()));
    }
    let base = visit.core.console_url();
    let base = base.ok_or(Failure::new(&problem::SIGN_ON_OFF))?;
    // The provider sends people back to that name, where alone the cookie is found again.
    if base.strip_prefix("https://") != Some(&visitor.host) {
        return Ok(Page::To(format!("{base}/sign-in")));
    }
    let begun = provider(visit).and_then(|config| {
        let begun = visit.core.sign_on.begin(&config, &base, &visitor.client)?;
        Ok(Page::Begin {
            cookie: headers::sign_on_cookie(&begun.browser),
            place: begun.url,
        })
    });
    begun.or_else(|failure| within(visit, failure))
}

/// `GET /sign-in/provider/callback`
pub(super) fn come_back(visit: &Visit) -> Result<Page, Failure> {
    let (query, client) = (&visit.query, &visit.visitor.client);
    let returned = Returned {
        state: query.text("state"),
        code: query.text("code"),
        error: query.text("error"),
        issuer: query.text("iss"),
        browser: &visit.visitor.sign_on,
    };
    let ended = provider(visit).and_then(|config| {
        let attempt = visit.core.sign_on.finish(&config, &returned, client)?;
        entrance::entered(attempt)
    });
    ended.or_else(|failure| within(visit, failure))
}

/// `POST /people/link`
pub(super) fn link(visit: &Visit) -> Result<Page, Failure> {
    let account = LinkedAccount {
        account: visit.form.text("account").trim().to_owned(),
        ..LinkedAccount::default()
    };
    let params = [("id", visit.form.text("person"))];
    match visit.post::<Value>("people/{id}/account", &params, &account) {
        Ok(_) => Ok(Page::To("/people?done=saved".to_owned())),
        Err(failure) => pages::people_with(visit, None, Some(&shown_within(failure)?)),
    }
}

/// `POST /people/unlink`
pub(super) fn unlink(visit: &Visit) -> Result<Page, Failure> {
    let params = [("id", visit.form.text("person"))];
    visit.ask::<Value>(Verb::Delete, "people/{id}/account", &params, Vec::new())?;
    Ok(Page::To("/people?done=saved".to_owned()))
}

/// What the page of the people shows of them; nothing where there is no provider.
pub(super) fn accounts(visit: &Visit) -> Result<Option<html::Accounts>, Failure> {
    match provider(visit) {
        Ok(config) => Ok(Some(html::Accounts {
            provider: config.name,
            all: visit.get("accounts")?,
        })),
        Err(_) => Ok(None),
    }
}

fn provider(visit: &Visit) -> Result<OidcConfig, Failure> {
    let config = visit.core.config().console.oidc.clone();
    config.ok_or(Failure::new(&problem::SIGN_ON_OFF))
}

/// Beside the way in that still stands: also a provider that is gone is no page of its own.
fn within(visit: &Visit, failure: Failure) -> Result<Page, Failure> {
    match failure.problem().kind.http_status() {
        500 => Err(failure),
        _ => entrance::sign_in_page(visit, Some(&failure.into_body().1)),
    }
}
