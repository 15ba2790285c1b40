//! The first run: the pages with which a browser sets an installation up in an empty folder.
//!
//! It must never serve anything else, stand open without the one-time link, let in a second browser,
//! come back once there is an installation, or make one otherwise than `crate::setup` does. What is
//! answered is kept in memory alone: until the installation is created a restart begins anew.
//!
//! | Module | Holds |
//! |---|---|
//! | `link` | the one-time link and its file |
//! | `restore` | a backup restored instead of a new installation |
//! | `state` | how far the set-up is, and what was answered |
//! | `steps` | the table of pages |

mod link;
mod restore;
mod state;
mod steps;

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use labward_base::{Clock, problem};
use labward_console::frame::{Frame, Place};
use labward_console::language::accepted;
use labward_identity::{IdentityError, SelfSigned, Theme};
use labward_keys::SlotOpener;
use labward_seal::sha256;
use rustls::pki_types::PrivateKeyDer;
use tokio::sync::oneshot;

use self::link::SetupLink;
use self::state::{At, Wizard};
use self::steps::{Asked, Page, STEPS, Step};
use super::console::form::Form;
use super::console::headers::{self, Nonce};
use super::console::{ConsoleListener, asset, browser_config, is_same_site};
use super::endpoint::Verb;
use super::failure::Failure;
use super::{HttpServer, read};
use crate::error::ServerError;
use crate::setup::{Setup, SetupError, server_names};

/// How long the certificate of the set-up lasts, in days.
const CERTIFICATE_DAYS: u32 = 7;
/// Bytes that a form may have.
const FORM_MAX_BYTES: usize = 16 << 10;
/// How often it looks whether a restore has ended.
const RESTORE_POLL: Duration = Duration::from_secs(1);
/// When the server starts by itself after the installation was made.
const LEAVE_AFTER: Duration = Duration::from_secs(15 * 60);
/// The name of the cookie, apart from that of the console's sessions.
const COOKIE: &str = "__Host-labward-setup";

/// Why the first run did not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WizardError {
    /// The listener or its certificate.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The folder.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// What the server goes on with: how the root key is opened where no key file does it.
pub(crate) type Left = Option<SlotOpener>;

/// The running first run.
pub(crate) struct FirstRun {
    server: HttpServer,
    wizard: Arc<Mutex<Wizard>>,
    left: oneshot::Receiver<Left>,
}

impl FirstRun {
    /// Takes the folder `data`, listens at `listen` and says on `out` with which link the set-up is
    /// begun.
    ///
    /// # Errors
    /// [`WizardError`]: the folder is in use or not empty, or the address cannot be listened at.
    pub(crate) fn start(
        data: &Path,
        listen: SocketAddr,
        clock: &Arc<dyn Clock>,
        out: &mut dyn Write,
    ) -> Result<Self, WizardError> {
        let setup = Setup::begin(data, Arc::clone(clock))?;
        let cleared = setup.cleared_interrupted();
        let names = names_at(listen.ip());
        let made = SelfSigned::create(&names, clock.now(), CERTIFICATE_DAYS);
        let made = made.map_err(ServerError::from)?;
        let fingerprint = fingerprint(&made.certificate);
        let key = PrivateKeyDer::try_from(made.key.expose().clone());
        let key = key.map_err(|why| ServerError::from(IdentityError::BadCertificate { why }))?;
        let tls = browser_config(vec![made.certificate], key, Arc::clone(clock));
        let tls = tls.map_err(ServerError::from)?;
        let link = SetupLink::new().map_err(SetupError::from)?;
        let (leave, left) = oneshot::channel();
        let wizard = Wizard::new(setup, link, data, listen, leave);
        let wizard = Arc::new(Mutex::new(wizard));
        let router = router(&wizard);
        let mut bound = listen;
        let server = HttpServer::spawn("wizard", router, || {
            let listener = ConsoleListener::bind(listen, move || Some(Arc::clone(&tls)));
            let listener = listener.map_err(|source| ServerError::Console {
                address: listen,
                source,
            })?;
            bound = listener.address();
            Ok(listener)
        })?;
        let first = Self {
            server,
            wizard,
            left,
        };
        let host = names.first().map_or("localhost", String::as_str);
        let said = first.announce(data, host, bound, &fingerprint, cleared, out);
        if let Err(source) = said {
            first.stop();
            let path = Path::new("standard output").to_owned();
            return Err(SetupError::File { path, source }.into());
        }
        Ok(first)
    }

    fn announce(
        &self,
        data: &Path,
        host: &str,
        bound: SocketAddr,
        fingerprint: &str,
        cleared: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut wizard = self.wizard.lock().unwrap_or_else(PoisonError::into_inner);
        wizard.listen = bound;
        let Some(link) = &mut wizard.link else {
            return Ok(());
        };
        let url = link.url(host, bound);
        writeln!(out, "{} holds no laboratory yet.", data.display())?;
        if cleared {
            writeln!(
                out,
                "An interrupted set-up was cleared. Recovery shares and key files of it open \
                 nothing; destroy them."
            )?;
        }
        writeln!(out, "Set it up with this link, which works once:")?;
        writeln!(out, "  {}", url.as_str())?;
        writeln!(
            out,
            "The browser warns of the certificate; its SHA-256 fingerprint must be:"
        )?;
        writeln!(out, "  {fingerprint}")?;
        match link.write(data, &url) {
            Ok(path) => writeln!(out, "The link is also in {}", path.display())?,
            Err(error) => writeln!(out, "The link is in no file: {error}")?,
        }
        out.flush()
    }

    /// Waits until the installation is there and its server is to start.
    pub(crate) async fn left(&mut self) -> Left {
        match (&mut self.left).await {
            Ok(left) => left,
            // Whoever serves is gone without a word: nothing more comes.
            Err(_) => std::future::pending().await,
        }
    }

    /// Answers what is in flight and gives the address free; a folder in which nothing was made is
    /// left as it was.
    pub(crate) fn stop(self) {
        self.server.stop();
        let mut wizard = self.wizard.lock().unwrap_or_else(PoisonError::into_inner);
        wizard.give_up();
    }
}

/// The names of the certificate for who listens at this address; the first one is shown.
fn names_at(ip: IpAddr) -> Vec<String> {
    let mut names = server_names(&[]);
    if ip.is_loopback() {
        names.retain(|name| name != "localhost");
        names.insert(0, "localhost".to_owned());
    }
    let own = ip.to_string();
    if !ip.is_unspecified() && !names.contains(&own) {
        names.insert(0, own);
    }
    names
}

/// SHA-256 of a certificate as browsers show it.
fn fingerprint(certificate: &[u8]) -> String {
    let bytes = sha256(certificate).map(|byte| format!("{byte:02X}"));
    bytes.join(":")
}

fn router(wizard: &Arc<Mutex<Wizard>>) -> Router {
    let mut router = Router::new().route("/assets/{revision}/{name}", get(asset));
    for step in STEPS {
        let wizard = Arc::clone(wizard);
        let handler = move |request: Request| {
            let wizard = Arc::clone(&wizard);
            async move { answer(&wizard, step, request).await }
        };
        router = match step.verb {
            Verb::Get => router.route(step.path, get(handler)),
            _ => router.route(step.path, post(handler)),
        };
    }
    // Whatever else is asked for: where the set-up stands.
    let elsewhere = || async { to("/") };
    router
        .fallback(elsewhere)
        .method_not_allowed_fallback(elsewhere)
}

async fn answer(wizard: &Arc<Mutex<Wizard>>, step: &'static Step, request: Request) -> Response {
    let nonce = Nonce::new();
    let (parts, body) = request.into_parts();
    let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let mut asked = Asked::new(&parts.headers, query);
    let mut frame = frame(&parts.headers, &nonce);
    let answered = match step.verb {
        Verb::Get => Ok(Bytes::new()),
        _ => read(body, FORM_MAX_BYTES).await,
    };
    let page = match answered {
        Ok(bytes) => {
            asked.form = Form::parse(&bytes);
            let wizard = Arc::clone(wizard);
            let shown = frame.clone();
            let page = tokio::task::spawn_blocking(move || {
                let mut wizard = wizard.lock().unwrap_or_else(PoisonError::into_inner);
                step.answer(&mut wizard, shown, &asked)
            });
            let panicked = |_| Failure::new(&problem::SERVER_INTERNAL).with("the wizard panicked");
            page.await.map_err(panicked).and_then(|page| page)
        }
        Err(failure) => Err(failure),
    };
    let mut response = match page {
        Ok(page) => respond(page, wizard),
        Err(failure) => {
            let (status, body) = failure.into_body();
            frame.place = Place::Elsewhere;
            let page = labward_console::pages::problem(&frame, &body, false);
            html(status, Body::from(page.unwrap_or_default()))
        }
    };
    headers::protect(response.headers_mut(), Some(&nonce));
    // Told to a browser once, it would refuse the certificate of the next set-up at this name.
    let headers = response.headers_mut();
    headers.remove(header::STRICT_TRANSPORT_SECURITY);
    response
}

fn respond(page: Page, wizard: &Arc<Mutex<Wizard>>) -> Response {
    match page {
        Page::Html(status, text) => html(status, Body::from(text)),
        Page::Shares(text) => html(StatusCode::OK, Body::from(Bytes::from_owner(text))),
        Page::To(place) => to(place),
        Page::Begin(id) => {
            let cookie = format!(
                "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict",
                id.expose()
            );
            with_cookie(to("/"), &cookie)
        }
        Page::Made => {
            let wizard = Arc::clone(wizard);
            tokio::spawn(async move {
                tokio::time::sleep(LEAVE_AFTER).await;
                let mut wizard = wizard.lock().unwrap_or_else(PoisonError::into_inner);
                wizard.leave();
            });
            to("/")
        }
        Page::Restoring => {
            let wizard = Arc::clone(wizard);
            tokio::spawn(leave_once_restored(wizard));
            to("/")
        }
        Page::Last(text) => {
            let gone = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
            with_cookie(html(StatusCode::OK, Body::from(text)), &gone)
        }
        Page::Pem(text) => {
            let kind = HeaderValue::from_static("application/x-pem-file");
            let name = HeaderValue::from_static("attachment; filename=\"labward-authority.pem\"");
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CONTENT_DISPOSITION, name),
            ];
            (headers, text).into_response()
        }
    }
}

/// Sees to it that the server starts once a backup is restored, though nobody comes back to look.
async fn leave_once_restored(wizard: Arc<Mutex<Wizard>>) {
    let lock = || wizard.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        tokio::time::sleep(RESTORE_POLL).await;
        let mut wizard = lock();
        wizard.look_after_restore();
        match wizard.at {
            At::Restoring => {}
            At::Restored => break,
            _ => return,
        }
    }
    tokio::time::sleep(LEAVE_AFTER).await;
    lock().leave();
}

/// What is the same on every page, before the language that was chosen.
fn frame(headers: &HeaderMap, nonce: &Nonce) -> Frame {
    let asks = headers.get(header::ACCEPT_LANGUAGE);
    let asks = asks.and_then(|value| value.to_str().ok());
    Frame {
        language: accepted(asks.unwrap_or_default()),
        theme: Theme::Auto,
        viewer: None,
        nonce: nonce.as_str().to_owned(),
        lab: "Labward".to_owned(),
        place: Place::Elsewhere,
        done: None,
        alarm: None,
        glass: None,
    }
}

fn to(place: &'static str) -> Response {
    let place = HeaderValue::from_static(place);
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

fn html(status: StatusCode, body: Body) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// The value of the set-up's cookie.
fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE);
    let lines = all.iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_names_what_the_browser_can_reach() {
        let at = |ip: [u8; 4]| names_at(IpAddr::from(ip));
        assert_eq!(at([127, 0, 0, 1]).first().unwrap(), "localhost");
        assert_eq!(at([192, 0, 2, 10]).first().unwrap(), "192.0.2.10");
        assert_eq!(at([0, 0, 0, 0]), server_names(&[]));
    }

    #[test]
    fn a_fingerprint_is_written_as_browsers_do() {
        let text = fingerprint(b"certificate");
        assert_eq!(text.len(), 95);
        assert!(text.split(':').all(|byte| byte.len() == 2));
    }
}
