//! The web console: pages over TLS for the people of the lab, and the API beside them for programs.
//!
//! It must never answer a page to somebody without a session, take a form that another site sent, let
//! a page do what the API would refuse (each asks the API in the person's name), or put anything of
//! a patient into an address, a title or a header. 45 CFR 164.312(a)(2)(iii), (d), (e)(1).
//!
//! | Module | Holds |
//! |---|---|
//! | `listener` | TLS, how many connections and for how long |
//! | `route` | the one table of pages |
//! | `visit` | a request as a page sees it, and its answer |
//! | `form` | the fields of a form or an address, and the files of a form |
//! | `headers` | what every answer tells the browser it must not do |
//! | `pages`, `configuration`, `safeguards`, `entrance` | the pages: those of a session, and those before it |
//! | `account` | the page of one's own account |
//! | `oidc` | signing in with the identity provider |
//! | `first_analyzer` | the guided way of an analyzer, up to its first message |
//! | `devices`, `behaviour`, `network`, `hits`, `advisories` | the devices, the vulnerabilities that concern them, and what publishers say |
//! | `integrity` | baselines of files, and what people say of changes |
//! | `malware` | what malware was found, the quarantine, and the rules |
//! | `records`, `patient` | the search, one record, and one patient |
//! | `people` | one person, a list of people, and their invitations |
//! | `reference` | the reference of the API |
//! | `webhook` | trying a webhook, and letting it go on |
//! | `ledger`, `glass` | the pages of the ledger, and of emergency access |

mod account;
mod advisories;
mod behaviour;
mod configuration;
mod devices;
mod entrance;
mod export;
mod first_analyzer;
pub(in crate::http) mod form;
mod glass;
pub(crate) mod headers;
mod hits;
mod integrity;
mod ledger;
mod listener;
mod malware;
mod network;
mod oidc;
mod pages;
mod parts;
mod patient;
mod people;
mod records;
mod reference;
mod route;
mod safeguards;
mod visit;
mod webhook;

pub(crate) use self::listener::console_config;
pub(in crate::http) use self::listener::{ConsoleListener, browser_config};
pub(in crate::http) use self::visit::is_same_site;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{ConnectInfo, Path, RawPathParams, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use labward_api::ProblemBody;
use labward_base::problem;
use labward_console::{assets, pages as html};
use tokio::time::timeout;

use self::form::Form;
use self::headers::Nonce;
use self::route::{ROUTES, Route};
use self::visit::{Page, Visit, Visitor};
use super::endpoint::{Takes, Verb};
use super::failure::Failure;
use super::listener::{Caller, Line};
use super::{HttpServer, PATIENCE, Service, read, stream};
use crate::app::Core;
use crate::error::ServerError;

/// Bytes that a form may have.
const FORM_MAX_BYTES: usize = 64 << 10;

/// Bytes that a form with a list of devices may have: 1 MiB in which every byte is written as three.
const LIST_MAX_BYTES: usize = 3 << 20;
/// The form that holds one.
const LIST_FORM: &str = "/devices/import";

/// The forms that hold files, and bytes that one may have: those of the API, and the fields beside them.
const FILES_FORMS: &[&str] = &[
    "/advisories/import",
    "/devices/{id}/mds2",
    "/devices/{id}/sbom",
    "/malware/rules",
];
const FILES_MAX_BYTES: usize = Takes::File.limit_bytes() + (64 << 10);
/// So many bytes beyond a limit are read and thrown away, so that the browser hears why it is refused.
const BEYOND_BYTES: usize = 1 << 30;

/// Where a session begins.
const SIGN_IN: &str = "/sign-in";

/// The server of the console.
pub(crate) struct ConsoleServer {
    address: SocketAddr,
    server: HttpServer,
}

impl ConsoleServer {
    /// Listens at `address`; what it shows in a handshake is `core`'s to say, and while the root key
    /// is sealed there is nothing to show.
    pub(crate) fn start(core: Arc<Core>, address: SocketAddr) -> Result<Self, ServerError> {
        let router = router(&Service::new(Arc::clone(&core)));
        let mut bound = address;
        let server = HttpServer::spawn("console", router, || {
            let listener = ConsoleListener::bind(address, move || core.console_tls());
            let listener = listener.map_err(|source| ServerError::Console { address, source })?;
            bound = listener.address();
            Ok(listener)
        })?;
        Ok(Self {
            address: bound,
            server,
        })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// As [`HttpServer::stop`].
    pub(crate) fn stop(self) {
        self.server.stop();
    }
}

fn router(service: &Arc<Service>) -> Router {
    let api = super::api(service).layer(map_response(protected));
    let mut router = Router::new()
        .route("/assets/{revision}/{name}", get(asset))
        .merge(api);
    for route in ROUTES {
        let service = Arc::clone(service);
        let handler =
            move |caller: ConnectInfo<Caller>, params: RawPathParams, request: Request| {
                let service = Arc::clone(&service);
                async move { answer(&service, Some(route), &caller.0, &params, request).await }
            };
        router = match route.verb {
            Verb::Get => router.route(route.path, get(handler)),
            _ => router.route(route.path, post(handler)),
        };
    }
    let service = Arc::clone(service);
    let nowhere = move |caller: ConnectInfo<Caller>, params: RawPathParams, request: Request| {
        let service = Arc::clone(&service);
        async move { answer(&service, None, &caller.0, &params, request).await }
    };
    router
        .fallback(nowhere.clone())
        .method_not_allowed_fallback(nowhere)
}

/// An answer of the API over TLS.
async fn protected(mut response: Response) -> Response {
    headers::protect(response.headers_mut(), None);
    response
}

/// A style sheet or a script; another revision than ours is of another version of the program.
pub(in crate::http) async fn asset(Path((revision, name)): Path<(String, String)>) -> Response {
    let found = assets::find(&name).filter(|_| revision == assets::revision());
    let mut response = match found {
        Some(asset) => {
            let kind = HeaderValue::from_static(asset.content_type);
            let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, forever),
            ];
            (headers, Bytes::from_static(asset.bytes)).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    };
    headers::protect(response.headers_mut(), None);
    response
}

/// One page; whatever goes wrong is a page, too.
async fn answer(
    service: &Arc<Service>,
    route: Option<&'static Route>,
    caller: &Caller,
    params: &RawPathParams,
    request: Request,
) -> Response {
    let nonce = Nonce::new();
    let (parts, body) = request.into_parts();
    let Line::Console(address) = caller.line else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let visitor = Visitor::of(&service.core, address, &parts.headers, &parts.uri, &nonce);
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let sent = Sent {
        uri: &parts.uri,
        content_type: kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default(),
        body,
    };
    let mut response = match answered(service, route, caller, params, &visitor, sent).await {
        Ok(response) => response,
        Err(failure) => failed(&visitor, failure),
    };
    headers::protect(response.headers_mut(), Some(&nonce));
    if let Some(lasts) = visitor.lasts() {
        headers::lasts(response.headers_mut(), lasts);
    }
    response
}

/// What was sent for a page.
struct Sent<'r> {
    uri: &'r Uri,
    content_type: &'r str,
    body: Body,
}

/// A body of at most so many bytes. What is larger is read to its end all the same, and thrown away: a browser
/// that still sends when it is answered shows a broken connection, and not the answer.
async fn read_wholly(mut body: Body, limit_bytes: usize) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    let mut beyond = 0;
    loop {
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let frame = timeout(PATIENCE, frame).await;
        let frame = frame.map_err(|_| Failure::new(&problem::SERVER_BUSY))?;
        let too_large = || {
            let what = format!("at most {limit_bytes} bytes, or the body broke off");
            Failure::new(&problem::SERVER_TOO_LARGE).with(what)
        };
        let chunk = match frame {
            None if beyond > 0 => return Err(too_large()),
            None => return Ok(Bytes::from(bytes)),
            Some(frame) => frame.map_err(|_| too_large())?.into_data(),
        };
        // Trailers say nothing here.
        let Ok(chunk) = chunk else { continue };
        if beyond > 0 || bytes.len() + chunk.len() > limit_bytes {
            bytes = Vec::new();
            beyond += chunk.len();
            if beyond > BEYOND_BYTES {
                return Err(too_large());
            }
        } else {
            bytes.extend_from_slice(&chunk);
        }
    }
}

async fn answered(
    service: &Arc<Service>,
    route: Option<&'static Route>,
    caller: &Caller,
    params: &RawPathParams,
    visitor: &Visitor,
    sent: Sent<'_>,
) -> Result<Response, Failure> {
    let Sent {
        uri,
        content_type,
        body,
    } = sent;
    let answering = caller.answering();
    let Some(route) = route else {
        return match visitor.is_signed_in() {
            true => Err(Failure::new(&problem::SERVER_NO_ENDPOINT)),
            false => Ok(to_sign_in(visitor)),
        };
    };
    if !visitor.is_signed_in() && !route.is_public {
        return Ok(to_sign_in(visitor));
    }
    // What somebody may not see is not there for them.
    if !route
        .permission
        .is_none_or(|permission| visitor.permits(permission))
    {
        return Err(Failure::new(&problem::SERVER_NO_ENDPOINT));
    }
    let turn = service.turn().await?;
    let form = match route.verb {
        Verb::Get => Form::default(),
        _ if FILES_FORMS.contains(&route.path) => {
            let body = read_wholly(body, FILES_MAX_BYTES).await?;
            Form::with_files(content_type, body).await
        }
        _ if route.path == LIST_FORM => Form::parse(&read(body, LIST_MAX_BYTES).await?),
        _ => Form::parse(&read(body, FORM_MAX_BYTES).await?),
    };
    if route.verb != Verb::Get && !visitor.sent_this(&form) {
        return Ok(foreign(visitor));
    }
    let visit = Visit {
        core: Arc::clone(&service.core),
        visitor: visitor.clone(),
        params: params
            .iter()
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect(),
        query: Form::parse(uri.query().unwrap_or_default().as_bytes()),
        form,
        measured: Arc::default(),
    };
    let page = tokio::task::spawn_blocking(move || {
        let page = (route.page)(&visit);
        drop(turn);
        page
    });
    let page = page.await.map_err(|_| {
        Failure::new(&problem::SERVER_INTERNAL).with(format!("{} panicked", route.path))
    })??;
    match page {
        Page::Html(text) => Ok(with_html(StatusCode::OK, text)),
        Page::Nothing => Ok(StatusCode::NO_CONTENT.into_response()),
        Page::To(place) => Ok(to(&place)),
        Page::Begin { cookie, place } => Ok(with_cookie(to(&place), &cookie)),
        Page::End { place } => Ok(with_cookie(to(&place), &headers::no_cookie())),
        Page::File { writer, name, kind } => {
            let body = stream::body(writer, answering).await?;
            let disposition = format!("attachment; filename=\"{name}\"");
            let mut response = body.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            if let Ok(value) = HeaderValue::from_str(&disposition) {
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
            Ok(response)
        }
    }
}

/// The page of a failure, with its status.
fn failed(visitor: &Visitor, failure: Failure) -> Response {
    let (status, body) = failure.into_body();
    let page = html::problem(
        &visitor.frame(labward_console::frame::Place::Elsewhere),
        &body,
        visitor.asks_for_part(),
    );
    with_html(status, page.unwrap_or_else(|_| plain(&body)))
}

/// A form that another site sent, or that was open for longer than the session.
fn foreign(visitor: &Visitor) -> Response {
    let frame = visitor.frame(labward_console::frame::Place::Elsewhere);
    match html::foreign_form(&frame, visitor.asks_for_part()) {
        Ok(page) => with_html(StatusCode::FORBIDDEN, page),
        Err(_) => StatusCode::FORBIDDEN.into_response(),
    }
}

/// What is left when not even the page of a failure can be written.
fn plain(body: &ProblemBody) -> String {
    body.code
        .chars()
        .filter(|c| c.is_ascii_lowercase() || ".-".contains(*c))
        .collect()
}

/// The sign-in; what a script of a page asked for is not answered by it, but the page leaves.
fn to_sign_in(visitor: &Visitor) -> Response {
    if !visitor.is_script() {
        return to(SIGN_IN);
    }
    let leave = HeaderValue::from_static(SIGN_IN);
    let headers = [(HeaderName::from_static("hx-redirect"), leave)];
    (StatusCode::UNAUTHORIZED, headers).into_response()
}

/// The other page, got anew: what was sent is not sent again by going back.
fn to(place: &str) -> Response {
    match HeaderValue::from_str(place) {
        Ok(place) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

fn with_html(status: StatusCode, text: String) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], text).into_response()
}
