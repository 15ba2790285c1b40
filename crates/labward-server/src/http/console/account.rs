//!
//! It must never change what somebody signs in with, or make a token, before they have given their password anew, or
//! reach anything of another person.

use labward_api::ProblemBody;
use labward_api::session::{AddedToken, Passkey, Session as SessionShown, Token};
use labward_base::id::{PasskeyNumber, SessionNumber, TokenNumber};
use labward_base::{Clock as _, Secret, problem, remark};
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_identity::{
    IdentityError, NewToken, Permission, Preferences, RelyingParty, SignInError, Theme,
};
use labward_ledger::Actor;

use super::entrance::refused;
use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /session`: how long it lasts stands in the header of every answer. A page asks with `?live=1`,
/// which is no use of the session.
#[expect(clippy::unnecessary_wraps, reason = "every page may fail")]
pub(super) fn session(_visit: &Visit) -> Result<Page, Failure> {
    Ok(Page::Nothing)
}

/// `POST /session`: its person stays, which is a use of it as every request of a person is.
pub(super) fn stay(visit: &Visit) -> Result<Page, Failure> {
    session(visit)
}

/// `GET /me`
pub(super) fn me(visit: &Visit) -> Result<Page, Failure> {
    me_with(visit, None)
}

fn me_with(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    me_showing(
        visit,
        html::Account {
            fault,
            ..html::Account::default()
        },
    )
}

/// The page with what `account` says already.
fn me_showing(visit: &Visit, account: html::Account<'_>) -> Result<Page, Failure> {
    let (_, session) = visit.session()?;
    let (core, id) = (&visit.core, session.person.id);
    let sessions = core.sessions.list(id, core.clock.now());
    let sessions: Vec<SessionShown> = sessions.iter().map(crate::http::session::shown).collect();
    let passkeys = core.passkeys.of(id)?;
    let shown = |one| crate::http::session::passkey(core, one);
    let passkeys: Vec<Passkey> = passkeys.iter().map(shown).collect();
    let tokens = core.tokens.list(core.clock.now());
    let mine = tokens.iter().filter(|token| token.person.id == id);
    let tokens: Vec<Token> = mine.map(crate::http::session::token).collect();
    let at = core.relying_party();
    let linked = core.sign_on.accounts().of(id)?;
    let linked = linked.map(|one| crate::http::account::shown(core, one));
    let config = core.config();
    let account = html::Account {
        language: session.person.language,
        sessions: &sessions,
        this: session.number.get(),
        passkeys: &passkeys,
        relying_party: at.as_ref().map(RelyingParty::name),
        provider: config.console.oidc.as_ref().map(|oidc| oidc.name.as_str()),
        linked: linked.as_ref(),
        tokens: &tokens,
        ..account
    };
    written(html::me(&visit.frame(Place::Me), &account))
}

/// `POST /me/passkeys`
pub(super) fn ask_passkey(visit: &Visit) -> Result<Page, Failure> {
    or_within(visit, || {
        let (_, session) = visit.session()?;
        let (core, at) = (&visit.core, named(visit)?);
        confirm(visit)?;
        let now = core.clock.now();
        let asked = core
            .passkeys
            .ask_new(&at, session, visit.form.text("name"), now)?;
        let asking = html::Asking {
            is_new: true,
            ticket: &asked.ticket,
            options: &asked.options,
            relying_party: at.name(),
            fault: None,
        };
        written(html::asking(&visit.frame(Place::Me), &asking))
    })
}

/// `POST /me/passkeys/add`
pub(super) fn add_passkey(visit: &Visit) -> Result<Page, Failure> {
    or_within(visit, || {
        let (_, session) = visit.session()?;
        let (core, at) = (&visit.core, named(visit)?);
        let answer = (visit.form.text("ticket"), visit.form.text("answer"));
        core.passkeys.add(&at, session, answer, core.clock.now())?;
        Ok(Page::To("/me?done=passkey-added".to_owned()))
    })
}

/// `POST /me/passkeys/{number}/remove`
pub(super) fn remove_passkey(visit: &Visit) -> Result<Page, Failure> {
    or_within(visit, || {
        let (_, session) = visit.session()?;
        let number = visit.text("number").parse::<PasskeyNumber>();
        let number = number.map_err(|_| Failure::misunderstood(remark::no_such_passkey()))?;
        confirm(visit)?;
        let me = session.person.id;
        let by = Actor::Person(me);
        visit.core.passkeys.remove(number, Some(me), by)?;
        Ok(Page::To("/me?done=passkey-removed".to_owned()))
    })
}

/// `POST /me/tokens`
pub(super) fn add_token(visit: &Visit) -> Result<Page, Failure> {
    match make_token(visit) {
        Ok(made) => me_showing(
            visit,
            html::Account {
                made: Some(&made),
                ..html::Account::default()
            },
        ),
        Err(failure) => {
            let fault = shown_within(failure)?;
            let account = html::Account {
                token_fault: Some(&fault),
                ..html::Account::default()
            };
            me_showing(visit, account)
        }
    }
}

fn make_token(visit: &Visit) -> Result<AddedToken, Failure> {
    let (_, session) = visit.session()?;
    let (core, form) = (&visit.core, &visit.form);
    confirm(visit)?;
    let days = form.text("days").trim().parse();
    let scopes = form.all("scope").map(str::parse);
    let new = NewToken {
        person: session.person.id,
        name: form.text("name").trim().to_owned(),
        scopes: scopes.collect::<Result<Vec<Permission>, _>>()?,
        days: days.map_err(|_| Failure::bad_request("how many days is a number"))?,
    };
    let by = Actor::Person(session.person.id);
    let (token, secret) = core.tokens.create(new, by, core.clock.now())?;
    Ok(crate::http::session::added_token(core, &token, &secret))
}

/// `POST /me/tokens/{number}/end`
pub(super) fn end_token(visit: &Visit) -> Result<Page, Failure> {
    let (_, session) = visit.session()?;
    let number = visit.text("number").parse::<TokenNumber>();
    let number = number.map_err(|_| Failure::bad_request("there is no such token"))?;
    let (core, me) = (&visit.core, session.person.id);
    let all = core.tokens.list(core.clock.now());
    let is_mine = |one: &labward_identity::Token| one.number == number && one.person.id == me;
    if !all.iter().any(is_mine) {
        return Err(IdentityError::from(SignInError::NoToken(number)).into());
    }
    core.tokens.end(number, Actor::Person(me))?;
    Ok(Page::To("/me?done=token-ended".to_owned()))
}

/// That whoever sits there knows the password: a session that was left open is not enough.
fn confirm(visit: &Visit) -> Result<(), Failure> {
    let (_, session) = visit.session()?;
    let (core, client) = (&visit.core, &visit.visitor.client);
    let password = Secret::new(visit.form.text("password").to_owned());
    let now = core.clock.now();
    let confirmed = core
        .sign_in
        .confirm(&session.person, &password, client, now)?;
    confirmed.map_err(refused)
}

fn named(visit: &Visit) -> Result<RelyingParty, Failure> {
    let at = visit.core.relying_party();
    at.ok_or(Failure::new(&problem::IDENTITY_PASSKEYS_NEED_NAME))
}

/// The page that `act` gives, or one's account with what was wrong.
fn or_within(visit: &Visit, act: impl FnOnce() -> Result<Page, Failure>) -> Result<Page, Failure> {
    match act() {
        Ok(page) => Ok(page),
        Err(failure) => {
            let fault = shown_within(failure)?;
            me_with(visit, Some(&fault))
        }
    }
}

/// `POST /me`
pub(super) fn set_me(visit: &Visit) -> Result<Page, Failure> {
    let (_, session) = visit.session()?;
    let preferences = Preferences {
        // What is no language is the browser's.
        language: visit.form.text("language").parse().ok(),
        theme: visit.form.text("theme").parse().unwrap_or(Theme::Auto),
    };
    let id = session.person.id;
    let people = &visit.core.people;
    people.set_preferences(id, preferences, Actor::Person(id))?;
    Ok(Page::To("/me?done=saved".to_owned()))
}

/// `POST /me/sessions/{number}/end`
pub(super) fn end_my_session(visit: &Visit) -> Result<Page, Failure> {
    let (_, session) = visit.session()?;
    let number = visit.text("number").parse::<SessionNumber>();
    let number = number.map_err(|_| Failure::misunderstood(remark::no_such_session()))?;
    let (core, me) = (&visit.core, session.person.id);
    let mine = core.sessions.list(me, core.clock.now());
    if !mine.iter().any(|one| one.number == number) {
        return Err(IdentityError::from(SignInError::NoSession(number)).into());
    }
    core.sessions.end(number, Actor::Person(me))?;
    Ok(Page::To("/me?done=ended".to_owned()))
}
