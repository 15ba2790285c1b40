//! The pages before a session, and the one that ends it.
//!
//! It must never tell whether somebody is known here, or keep a password longer than it is looked at.

use std::str::FromStr as _;

use labward_api::ProblemBody;
use labward_base::{Clock as _, Secret, problem, remark};
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_identity::{Attempt, InvitationCode, Refusal};

use super::headers;
use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /sign-in`
pub(super) fn sign_in(visit: &Visit) -> Result<Page, Failure> {
    if visit.visitor.is_signed_in() {
        return Ok(Page::To("/".to_owned()));
    }
    sign_in_page(visit, None)
}

/// `POST /sign-in`
pub(super) fn signed_in(visit: &Visit) -> Result<Page, Failure> {
    let password = Secret::new(visit.form.text("password").to_owned());
    let failure = match begin(visit, visit.form.text("login"), &password) {
        Ok(page) => return Ok(page),
        Err(failure) => shown_within(failure)?,
    };
    sign_in_page(visit, Some(&failure))
}

/// The sign-in with all its ways, and what was wrong.
pub(super) fn sign_in_page(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    let passkeys = visit.core.relying_party().is_some();
    let config = visit.core.config();
    let provider = config.console.oidc.as_ref().map(|oidc| oidc.name.as_str());
    let frame = visit.frame(Place::Elsewhere);
    written(html::sign_in(&frame, passkeys, provider, fault))
}

/// `GET /sign-in/passkey`
pub(super) fn ask_passkey(visit: &Visit) -> Result<Page, Failure> {
    match visit.visitor.is_signed_in() {
        true => Ok(Page::To("/".to_owned())),
        false => ask_passkey_with(visit, None),
    }
}

/// `POST /sign-in/passkey`
pub(super) fn signed_in_by_passkey(visit: &Visit) -> Result<Page, Failure> {
    let core = &visit.core;
    let Some(at) = core.relying_party() else {
        return ask_passkey_with(visit, None);
    };
    let (client, now) = (&visit.visitor.client, core.clock.now());
    let answer = (visit.form.text("ticket"), visit.form.text("answer"));
    let attempt = core
        .sign_in
        .with_passkey(&core.passkeys, &at, answer, client, now)?;
    match entered(attempt) {
        Ok(page) => Ok(page),
        Err(failure) => {
            let fault = shown_within(failure)?;
            ask_passkey_with(visit, Some(&fault))
        }
    }
}

fn ask_passkey_with(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    let (core, frame) = (&visit.core, visit.frame(Place::Elsewhere));
    let Some(at) = core.relying_party() else {
        return written(html::need_name(&frame));
    };
    let (address, now) = (visit.visitor.client.address, core.clock.now());
    let asked = core.passkeys.ask_any(&at, address, now)?;
    let asking = html::Asking {
        is_new: false,
        ticket: &asked.ticket,
        options: &asked.options,
        relying_party: at.name(),
        fault,
    };
    written(html::asking(&frame, &asking))
}

/// `GET /join`
pub(super) fn join(visit: &Visit) -> Result<Page, Failure> {
    let page = html::join(&visit.frame(Place::Elsewhere), &html::Joining::default());
    Ok(Page::Html(page.map_err(unwritten)?))
}

/// `POST /join`
pub(super) fn joined(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let (code, login) = (form.text("code").trim(), form.text("login").trim());
    let password = Secret::new(form.text("password").to_owned());
    let different = password.expose() != form.text("again");
    let mut joining = html::Joining {
        code,
        login,
        different,
        fault: None,
    };
    let fault;
    if !different {
        match accept(visit, code, login, &password) {
            Ok(page) => return Ok(page),
            Err(failure) => {
                fault = shown_within(failure)?;
                joining.fault = Some(&fault);
            }
        }
    }
    let page = html::join(&visit.frame(Place::Elsewhere), &joining);
    Ok(Page::Html(page.map_err(unwritten)?))
}

/// `POST /sign-out`
pub(super) fn sign_out(visit: &Visit) -> Result<Page, Failure> {
    let (id, _) = visit.session()?;
    visit.core.sessions.sign_out(id)?;
    Ok(Page::End {
        place: "/sign-in?done=signed-out".to_owned(),
    })
}

/// `POST /switch`
pub(super) fn switch(visit: &Visit) -> Result<Page, Failure> {
    let (id, _) = visit.session()?;
    visit.core.sessions.sign_out(id)?;
    let place = match visit.core.relying_party() {
        Some(_) => "/sign-in/passkey",
        None => "/sign-in?done=signed-out",
    };
    Ok(Page::End {
        place: place.to_owned(),
    })
}

fn accept(
    visit: &Visit,
    code: &str,
    login: &str,
    password: &Secret<String>,
) -> Result<Page, Failure> {
    let core = &visit.core;
    // One that was never made looks like one that has ended.
    let ended = |_| Failure::new(&problem::IDENTITY_INVITATION_ENDED);
    let code = InvitationCode::from_str(code).map_err(ended)?;
    core.invitations
        .accept(&code, login, password, core.clock.now())?;
    begin(visit, login, password)
}

fn begin(visit: &Visit, login: &str, password: &Secret<String>) -> Result<Page, Failure> {
    let core = &visit.core;
    let (client, now) = (&visit.visitor.client, core.clock.now());
    entered(core.sign_in.with_password(login, password, client, now)?)
}

/// The session of who was admitted.
pub(super) fn entered(attempt: Attempt) -> Result<Page, Failure> {
    match attempt {
        Attempt::Admitted { id, .. } => Ok(Page::Begin {
            cookie: headers::session_cookie(id.to_text().expose()),
            place: "/".to_owned(),
        }),
        Attempt::Refused(refusal) => Err(refused(refusal)),
    }
}

/// A refusal as a page shows it.
pub(super) fn refused(refusal: Refusal) -> Failure {
    let failure = Failure::new(refusal.problem());
    match refusal {
        Refusal::TooManyAttempts { wait_seconds } => failure.about(remark::wait(wait_seconds)),
        _ => failure,
    }
}

/// A page that could not be written.
pub(super) fn unwritten(error: labward_console::RenderError) -> Failure {
    Failure::new(&problem::SERVER_INTERNAL).with(error.to_string())
}
