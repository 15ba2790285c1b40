//! The pages before a session, and the one that ends it.
//!
//! It must never tell whether somebody is known here, or keep a password longer than it is looked at.

use std::str::FromStr as _;

use labward_base::{Clock as _, Secret, problem};
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_identity::{Attempt, InvitationCode, Refusal};

use super::headers;
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /sign-in`
pub(super) fn sign_in(visit: &Visit) -> Result<Page, Failure> {
    if visit.visitor.is_signed_in() {
        return Ok(Page::To("/".to_owned()));
    }
    let page = html::sign_in(&visit.frame(Place::Elsewhere), None);
    Ok(Page::Html(page.map_err(unwritten)?))
}

/// `POST /sign-in`
pub(super) fn signed_in(visit: &Visit) -> Result<Page, Failure> {
    let password = Secret::new(visit.form.text("password").to_owned());
    let failure = match begin(visit, visit.form.text("login"), &password) {
        Ok(page) => return Ok(page),
        Err(failure) => shown_within(failure)?,
    };
    let page = html::sign_in(&visit.frame(Place::Elsewhere), Some(&failure));
    Ok(Page::Html(page.map_err(unwritten)?))
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
    match core.sign_in.with_password(login, password, client, now)? {
        Attempt::Admitted { id, .. } => Ok(Page::Begin {
            cookie: headers::session_cookie(id.to_text().expose()),
            place: "/".to_owned(),
        }),
        Attempt::Refused(refusal) => {
            let failure = Failure::new(refusal.problem());
            Err(match refusal {
                Refusal::TooManyAttempts { wait_seconds } => {
                    failure.with(format!("{wait_seconds} s"))
                }
                Refusal::NotRecognized => failure,
            })
        }
    }
}

/// A page that could not be written.
pub(super) fn unwritten(error: labward_console::RenderError) -> Failure {
    Failure::new(&problem::SERVER_INTERNAL).with(error.to_string())
}
