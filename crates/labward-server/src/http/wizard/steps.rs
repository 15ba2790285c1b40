//! The table of the wizard's pages: the address of each, and what it answers.
//!
//! It must never answer a step to another browser than the one that spent the link, or take a form that
//! another site sent.

use axum::http::{HeaderMap, StatusCode, header};
use labward_api::status::Opener;
use labward_base::Secret;
use labward_console::frame::Frame;
use labward_console::pages as console;
use labward_console::pages::setup as html;
use labward_console::pages::setup::Wrong;
use labward_keys::SlotOpener;
use labward_seal::constant_time_eq;
use zeroize::Zeroizing;

use super::state::{At, WantedSlots, Wizard};
use super::{Form, cookie_of, is_same_site};
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;
use crate::setup::SetupError;

/// What a page answers.
pub(super) enum Page {
    /// A page with its status.
    Html(StatusCode, String),
    /// The page of shares, in memory that is wiped.
    Shares(Zeroizing<Vec<u8>>),
    /// Another page, to be got anew.
    To(&'static str),
    /// The link is spent: the cookie.
    Begin(Secret<String>),
    /// The installation is there.
    Made,
    /// A backup is being restored.
    Restoring,
    /// The last page: the server starts.
    Last(String),
    /// A certificate to keep.
    Pem(String),
}

/// A request as a step sees it.
pub(super) struct Asked {
    same_site: bool,
    cookie: Option<Secret<String>>,
    /// The name by which the browser came.
    host: String,
    query: Form,
    /// What was sent.
    pub(super) form: Form,
}

/// One page.
pub(super) struct Step {
    /// Its verb.
    pub(super) verb: Verb,
    /// Its path.
    pub(super) path: &'static str,
    /// Whether it is there without the cookie.
    is_public: bool,
    make: fn(&mut Wizard, &Asked, &Frame) -> Result<Page, Failure>,
}

const fn step(
    verb: Verb,
    path: &'static str,
    make: fn(&mut Wizard, &Asked, &Frame) -> Result<Page, Failure>,
) -> Step {
    Step {
        verb,
        path,
        is_public: false,
        make,
    }
}

/// Every page.
pub(super) const STEPS: &[Step] = &[
    Step {
        is_public: true,
        ..step(Verb::Get, "/", now)
    },
    Step {
        is_public: true,
        ..step(Verb::Post, "/open", open)
    },
    step(Verb::Get, "/lab", lab),
    step(Verb::Post, "/lab", set_lab),
    step(Verb::Get, "/administrator", administrator),
    step(Verb::Post, "/administrator", set_administrator),
    step(Verb::Post, "/keys", create),
    step(Verb::Post, "/written", written),
    step(Verb::Post, "/groups", groups),
    step(Verb::Post, "/again", again),
    step(Verb::Get, "/restore", restore),
    step(Verb::Post, "/restore", begin_restore),
    step(Verb::Get, "/authority.pem", authority),
    step(Verb::Post, "/start", start),
];

impl Asked {
    pub(super) fn new(headers: &HeaderMap, query: Form) -> Self {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = host.unwrap_or_default();
        // A port behind a name or an address; the colons of a bare IPv6 address stand in brackets.
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        Self {
            same_site: is_same_site(headers),
            cookie: cookie_of(headers).map(|text| Secret::new(text.to_owned())),
            host: name.trim_matches(['[', ']']).to_owned(),
            query,
            form: Form::default(),
        }
    }

    fn secret(&self, name: &str) -> Secret<String> {
        Secret::new(self.form.text(name).to_owned())
    }

    fn trimmed(&self, name: &str) -> String {
        self.form.text(name).trim().to_owned()
    }
}

impl Step {
    /// Answers a request, in the language that was chosen.
    pub(super) fn answer(
        &self,
        wizard: &mut Wizard,
        mut frame: Frame,
        asked: &Asked,
    ) -> Result<Page, Failure> {
        let is_ours = wizard.knows(asked.cookie.as_ref().map(|text| text.expose().as_str()));
        let chosen = asked.query.text("language").parse().ok();
        if is_ours {
            wizard.language = chosen.or(wizard.language);
        }
        let language = match is_ours {
            true => wizard.language,
            false => chosen,
        };
        frame.language = language.unwrap_or(frame.language);
        if !is_ours && !self.is_public {
            return Ok(Page::To("/"));
        }
        let carries = || {
            let csrf = wizard.csrf();
            constant_time_eq(csrf.as_bytes(), asked.form.text("csrf").as_bytes())
        };
        if self.verb != Verb::Get && !(asked.same_site && (self.is_public || carries())) {
            let page = console::foreign_form(&frame, false).map_err(unwritten)?;
            return Ok(Page::Html(StatusCode::FORBIDDEN, page));
        }
        if !is_ours && self.verb == Verb::Get {
            return opening(wizard, &frame, None);
        }
        (self.make)(wizard, asked, &frame)
    }
}

/// Shows the page of a step; `fault` is what was wrong with what was sent.
fn show(
    wizard: &Wizard,
    asked: &Asked,
    frame: &Frame,
    at: At,
    fault: Option<SetupError>,
    wrong: Option<Wrong>,
) -> Result<Page, Failure> {
    let fault = fault.map(|error| Failure::from(error).into_body());
    let status = match (&fault, wrong) {
        (Some((status, _)), _) => *status,
        (None, Some(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, None) => StatusCode::OK,
    };
    let csrf = wizard.csrf();
    let s = html::Step {
        f: frame,
        csrf: &csrf,
        fault: fault.as_ref().map(|(_, body)| body),
        wrong,
    };
    let text = match at {
        At::Lab => html::lab(s, &wizard.lab),
        At::Administrator => html::administrator(s, &wizard.person),
        At::Keys => html::keys(s, &wizard.slots),
        At::Shares => {
            let mut page = html::shares(s, &shares(wizard)).map_err(unwritten)?;
            // Moved, not copied.
            let bytes = std::mem::take(&mut *page).into_bytes();
            return Ok(Page::Shares(Zeroizing::new(bytes)));
        }
        At::Confirm => match wizard.challenge() {
            Some(challenge) => html::confirm(s, &challenge),
            None => html::failed(s),
        },
        At::Failed => html::failed(s),
        At::Restoring => html::restoring(s),
        At::Restored => html::restored(s, &restored(wizard, asked, false)?),
        At::Left if wizard.restored.is_some() => html::restored(s, &restored(wizard, asked, true)?),
        At::Done | At::Left => {
            let made = wizard.made(&asked.host);
            let made = made.ok_or(Failure::new(&labward_base::problem::SERVER_INTERNAL))?;
            match at {
                At::Done => html::done(s, &made),
                _ => html::started(s, &made),
            }
        }
    };
    Ok(Page::Html(status, text.map_err(unwritten)?))
}

fn shares(wizard: &Wizard) -> Vec<html::Share<'_>> {
    let of_sheet = |sheet: &crate::setup::ShareSheet| (sheet.shares.len(), sheet.threshold);
    let all = wizard.sheets.iter().flat_map(|sheet| {
        let (count, threshold) = of_sheet(sheet);
        let numbered = (1..).zip(&sheet.shares);
        numbered.map(move |(number, share)| html::Share {
            label: &sheet.label,
            number,
            count,
            threshold: u64::from(threshold),
            groups: share.expose().split('-').collect(),
        })
    });
    all.collect()
}

/// What was restored, for a browser that came by this name.
fn restored(
    wizard: &Wizard,
    asked: &Asked,
    is_started: bool,
) -> Result<html::RestoredView, Failure> {
    let restored = wizard.restored.clone();
    let restored = restored.ok_or(Failure::new(&labward_base::problem::SERVER_INTERNAL))?;
    let names = &restored.names;
    let host = names.iter().find(|name| **name == asked.host);
    let host = host.or(names.first()).map_or("localhost", String::as_str);
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    let port = restored.console;
    Ok(html::RestoredView {
        sign_in: port.map(|port| format!("https://{host}:{port}/sign-in")),
        is_started,
        restored,
    })
}

/// `GET /restore`: what is to be restored; after a restore that failed, why.
fn restore(wizard: &mut Wizard, _: &Asked, frame: &Frame) -> Result<Page, Failure> {
    wizard.look_after_restore();
    if wizard.at > At::Keys {
        return Ok(Page::To("/"));
    }
    let fault = wizard.take_restore_failure();
    let fault = fault.map(|error| Failure::from(error).into_body());
    restore_page(wizard, frame, fault.as_ref())
}

fn restore_page(
    wizard: &Wizard,
    frame: &Frame,
    fault: Option<&(StatusCode, labward_api::ProblemBody)>,
) -> Result<Page, Failure> {
    let csrf = wizard.csrf();
    let s = html::Step {
        f: frame,
        csrf: &csrf,
        fault: fault.map(|(_, body)| body),
        wrong: None,
    };
    let status = fault.map_or(StatusCode::OK, |(status, _)| *status);
    let page = html::restore(s, &wizard.restore).map_err(unwritten)?;
    Ok(Page::Html(status, page))
}

/// `POST /restore`
fn begin_restore(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    if wizard.at > At::Keys {
        return Ok(Page::To("/"));
    }
    let text = |name: &str| asked.form.text(name);
    wizard.restore = html::Restore {
        backups: asked.trimmed("backups"),
        archives: asked.trimmed("archives"),
        slot: asked.trimmed("slot"),
        path: asked.trimmed("path"),
        without_missing_keys: text("without") == "yes",
    };
    let opener = match text("slot") {
        "passphrase" => Opener::Passphrase {
            passphrase: text("passphrase").to_owned(),
        },
        "shares" => Opener::Shares {
            shares: text("shares")
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
        },
        _ => Opener::KeyFile {
            path: wizard.restore.path.clone(),
        },
    };
    match wizard.restore(opener) {
        Ok(()) => Ok(Page::Restoring),
        Err(failure) => restore_page(wizard, frame, Some(&failure.into_body())),
    }
}

fn opening(wizard: &Wizard, frame: &Frame, wrong: Option<Wrong>) -> Result<Page, Failure> {
    let s = html::Step {
        f: frame,
        csrf: "",
        fault: None,
        wrong,
    };
    let spent = wizard.link.is_none();
    let status = match spent || wrong.is_some() {
        true => StatusCode::FORBIDDEN,
        false => StatusCode::OK,
    };
    Ok(Page::Html(status, html::open(s, spent).map_err(unwritten)?))
}

/// `GET /`: where the set-up stands.
fn now(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    wizard.look_after_restore();
    if wizard.has_restore_failure() {
        return Ok(Page::To("/restore"));
    }
    show(wizard, asked, frame, wizard.at, None, None)
}

/// `POST /open`
fn open(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    if wizard.knows(asked.cookie.as_ref().map(|text| text.expose().as_str())) {
        return Ok(Page::To("/"));
    }
    match wizard.open(asked.form.text("code"))? {
        Some(cookie) => Ok(Page::Begin(cookie)),
        None => {
            let wrong = wizard.link.is_some().then_some(Wrong::Code);
            opening(wizard, frame, wrong)
        }
    }
}

/// `GET /lab`: back to it.
fn lab(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    match wizard.at > At::Keys {
        true => Ok(Page::To("/")),
        false => show(wizard, asked, frame, At::Lab, None, None),
    }
}

/// `POST /lab`
fn set_lab(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    if wizard.at > At::Keys {
        return Ok(Page::To("/"));
    }
    wizard.language = asked.form.text("language").parse().ok().or(wizard.language);
    match wizard.set_lab(&asked.trimmed("name"), asked.form.text("names")) {
        Ok(()) => Ok(Page::To("/")),
        Err(error) => show(wizard, asked, frame, At::Lab, Some(error), None),
    }
}

/// `GET /administrator`: back to it.
fn administrator(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    match wizard.at {
        At::Administrator | At::Keys => show(wizard, asked, frame, At::Administrator, None, None),
        _ => Ok(Page::To("/")),
    }
}

/// `POST /administrator`
fn set_administrator(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    if !matches!(wizard.at, At::Administrator | At::Keys) {
        return Ok(Page::To("/"));
    }
    let person = html::Administrator {
        name: asked.trimmed("name"),
        login: asked.trimmed("login"),
        reads: asked.form.text("reads") == "yes",
    };
    let at = At::Administrator;
    if asked.form.text("password") != asked.form.text("again") {
        wizard.person = person;
        return show(wizard, asked, frame, at, None, Some(Wrong::Passwords));
    }
    match wizard.set_administrator(person, asked.secret("password")) {
        Ok(()) => Ok(Page::To("/")),
        Err(error) => show(wizard, asked, frame, at, Some(error), None),
    }
}

/// `POST /keys`: makes the installation.
fn create(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    if wizard.at != At::Keys {
        return Ok(Page::To("/"));
    }
    let text = |name: &str| asked.form.text(name);
    wizard.slots = html::Slots {
        passphrase: text("slot") == "passphrase",
        path: asked.trimmed("path"),
        five: text("shares") == "3/5",
    };
    if wizard.slots.passphrase && text("passphrase") != text("passphrase-again") {
        let wrong = Some(Wrong::Passphrases);
        return show(wizard, asked, frame, At::Keys, None, wrong);
    }
    let opener = match wizard.slots.passphrase {
        true => SlotOpener::Passphrase(asked.secret("passphrase")),
        false => SlotOpener::KeyFile(wizard.slots.path.as_str().into()),
    };
    let wanted = WantedSlots {
        opener,
        shares: if wizard.slots.five { (3, 5) } else { (2, 3) },
        labels: html::labels(frame, &wizard.slots),
    };
    match wizard.create(wanted) {
        Ok(()) => Ok(Page::To("/")),
        Err(error) => show(wizard, asked, frame, wizard.at, Some(error), None),
    }
}

/// `POST /written`: the shares are on paper.
fn written(wizard: &mut Wizard, _: &Asked, _: &Frame) -> Result<Page, Failure> {
    if wizard.at == At::Shares {
        wizard.written();
    }
    Ok(Page::To("/"))
}

/// `POST /groups`
fn groups(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    if wizard.at != At::Confirm {
        return Ok(Page::To("/"));
    }
    match wizard.groups(asked.secret("groups")) {
        Ok(()) if wizard.at == At::Done => Ok(Page::Made),
        Ok(()) => Ok(Page::To("/")),
        Err(error) => show(wizard, asked, frame, wizard.at, Some(error), None),
    }
}

/// `POST /again`
fn again(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    if !matches!(wizard.at, At::Shares | At::Confirm | At::Failed) {
        return Ok(Page::To("/"));
    }
    match wizard.again() {
        Ok(()) => Ok(Page::To("/")),
        Err(error) => show(wizard, asked, frame, wizard.at, Some(error), None),
    }
}

/// `GET /authority.pem`
fn authority(wizard: &mut Wizard, _: &Asked, _: &Frame) -> Result<Page, Failure> {
    Ok(wizard.authority().map_or(Page::To("/"), Page::Pem))
}

/// `POST /start`
fn start(wizard: &mut Wizard, asked: &Asked, frame: &Frame) -> Result<Page, Failure> {
    if wizard.at < At::Done {
        return Ok(Page::To("/"));
    }
    wizard.leave();
    match show(wizard, asked, frame, At::Left, None, None)? {
        Page::Html(_, text) => Ok(Page::Last(text)),
        other => Ok(other),
    }
}

/// A page that could not be written.
fn unwritten(error: labward_console::RenderError) -> Failure {
    Failure::new(&labward_base::problem::SERVER_INTERNAL).with(error.to_string())
}
