//! A request as a page sees it, and its answer.
//!
//! It must never reach past the API: a page asks it in the person's name, and what their roles do not
//! permit is refused there.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};

use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use labward_api::ProblemBody;
use labward_base::{Clock as _, Timestamp, problem, remark};
use labward_console::frame::{Alarm, Frame, Glass, Lasts, Place, Viewer};
use labward_console::language::accepted;
use labward_identity::{
    Client, Language, Permission, Session, SessionId, Theme, csrf_fits, csrf_token,
};
use labward_records::reserve::Standing;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::form::Form;
use super::headers::{Nonce, cookie_of, sign_on_of};
use crate::app::Core;
use crate::check::CheckInput;
use crate::http::asker::admit;
use crate::http::call::{Answer, Call, Writer};
use crate::http::endpoint::{ENDPOINTS, Verb};
use crate::http::failure::Failure;
use crate::http::mark::Mark;

/// Who visits, before it is known which page.
#[derive(Clone)]
pub(super) struct Visitor {
    signed_in: Option<(SessionId, Session)>,
    /// Where from.
    pub(super) client: Client,
    language: Language,
    nonce: Nonce,
    lab: String,
    alarm: Option<Alarm>,
    glass: Option<Standing>,
    now: Timestamp,
    done: Option<&'static str>,
    /// Whether the browser says that one of our pages sent it.
    same_site: bool,
    /// Whether the person asked for the page themselves: by one of ours, or by its address.
    pub(super) is_own_wish: bool,
    /// By which name the browser found us.
    pub(super) host: String,
    /// The cookie of a sign-in with the identity provider.
    pub(super) sign_on: String,
    /// Whether a script of a page asks, and whether for a part of that page.
    is_script: bool,
    asks_for_part: bool,
}

/// One request for a page.
pub(super) struct Visit {
    pub(super) core: Arc<Core>,
    pub(super) visitor: Visitor,
    /// What stands in the path's places.
    pub(super) params: Vec<(String, String)>,
    /// What stands behind the `?`.
    pub(super) query: Form,
    /// What was sent.
    pub(super) form: Form,
    /// What the checks look at, measured once for a page that asks for it twice.
    pub(super) measured: Arc<OnceLock<CheckInput>>,
}

/// What a page answers.
pub(super) enum Page {
    /// A page.
    Html(String),
    /// Nothing but what every answer says.
    Nothing,
    /// Another page, to be got anew.
    To(String),
    /// A session begins: its cookie, and where to.
    Begin { cookie: String, place: String },
    /// The session has ended: where to.
    End { place: String },
    /// A file to keep.
    File {
        writer: Writer,
        name: String,
        kind: &'static str,
    },
}

impl Visitor {
    /// Who sent this.
    pub(super) fn of(
        core: &Core,
        address: IpAddr,
        headers: &HeaderMap,
        uri: &Uri,
        nonce: &Nonce,
    ) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let query = Form::parse(uri.query().unwrap_or_default().as_bytes());
        let id = cookie_of(headers).and_then(SessionId::parse);
        let now = core.clock.now();
        let signed_in = id.and_then(|id| {
            let session = match is_live(&query) {
                true => core.sessions.look(&id, now),
                false => core.sessions.find(&id, now),
            };
            Some((id, session?))
        });
        let person = signed_in
            .as_ref()
            .map(|(_, session): &(SessionId, Session)| session.person.id);
        let chosen = signed_in
            .as_ref()
            .and_then(|(_, session)| session.person.language);
        let asked = query.text("language").parse().ok();
        let by_browser = || accepted(text("accept-language").unwrap_or_default());
        let alarm = match (core.ledger.failing_since(), core.opened()) {
            (Some(_), _) => Some(Alarm::LedgerFails),
            (None, None) => Some(Alarm::Sealed),
            _ => None,
        };
        Self {
            client: Client::new(address, text("user-agent").unwrap_or_default()),
            language: chosen.or(asked).unwrap_or_else(by_browser),
            nonce: nonce.clone(),
            lab: core.config().site.name.clone(),
            alarm: alarm.filter(|_| signed_in.is_some()),
            done: Frame::done_named(query.text("done")),
            same_site: is_same_site(headers),
            is_script: text("hx-request").is_some(),
            asks_for_part: text("hx-request-type") == Some("partial"),
            glass: person.and_then(|person| core.reserve.standing_of(person)),
            now,
            is_own_wish: matches!(text_of(headers, "sec-fetch-site"), "same-origin" | "none"),
            host: text_of(headers, "host").to_owned(),
            sign_on: sign_on_of(headers).unwrap_or_default().to_owned(),
            signed_in,
        }
    }

    /// Whether there is a session.
    pub(super) const fn is_signed_in(&self) -> bool {
        self.signed_in.is_some()
    }

    /// Whether a script of one of our pages asks.
    pub(super) const fn is_script(&self) -> bool {
        self.is_script
    }

    /// Whether it asks for a part of its page, and not for a page.
    pub(super) const fn asks_for_part(&self) -> bool {
        self.asks_for_part
    }

    /// Whether they may do this.
    pub(super) fn permits(&self, permission: Permission) -> bool {
        let session = self.signed_in.as_ref();
        session.is_some_and(|(_, session)| session.person.permits(permission))
    }

    /// Whether they have an emergency access open.
    pub(super) const fn has_glass_open(&self) -> bool {
        self.glass.is_some()
    }

    /// Why they opened the emergency access that is open; empty if none is.
    pub(super) fn glass_why(&self) -> &str {
        self.glass.as_ref().map_or("", Standing::why)
    }

    /// Whether one of our own pages sent this form: the browser says so, and with a session the form
    /// carries the session's token.
    pub(super) fn sent_this(&self, form: &Form) -> bool {
        let fits = |(id, _): &(SessionId, Session)| csrf_fits(id, form.text("csrf"));
        self.same_site && self.signed_in.as_ref().is_none_or(fits)
    }

    /// How long the session lasts; nothing without one.
    pub(super) fn lasts(&self) -> Option<Lasts> {
        let session = self.signed_in.as_ref();
        session.map(|(_, session)| self.lasts_of(session))
    }

    fn lasts_of(&self, session: &Session) -> Lasts {
        let left = |end: Timestamp| end.since(self.now).as_secs();
        Lasts {
            idle: left(session.idle_ends_at),
            absolute: left(session.ends_at),
        }
    }

    /// What is the same on every page.
    pub(super) fn frame(&self, place: Place) -> Frame {
        let session = self.signed_in.as_ref();
        Frame {
            language: self.language,
            theme: session.map_or(Theme::Auto, |(_, session)| session.person.theme),
            viewer: session.map(|(id, session)| Viewer {
                name: session.person.name.clone(),
                roles: session.person.roles,
                engagement: session.person.engagement.clone(),
                mark: Mark::of_pages(&session.person, self.now).map(Mark::into_text),
                csrf: csrf_token(id),
                lasts: self.lasts_of(session),
            }),
            nonce: self.nonce.as_str().to_owned(),
            lab: self.lab.clone(),
            place,
            done: self.done,
            alarm: self.alarm,
            glass: self.glass.as_ref().map(|glass| Glass {
                until: glass.until().to_rfc3339(),
                minutes: glass.until().since(self.now).as_secs().div_ceil(60),
            }),
        }
    }
}

/// Whether a page asks by itself: nobody is at the keyboard, so it is no use of a session.
fn is_live(query: &Form) -> bool {
    !query.text("live").is_empty()
}

/// A header's text; empty if there is none.
fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// `Sec-Fetch-Site` where the browser sends it, else `Origin` beside `Host`; neither is no proof.
pub(in crate::http) fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    match (text("origin"), text("host")) {
        (Some(origin), Some(host)) => origin.strip_prefix("https://") == Some(host),
        _ => false,
    }
}

impl Visit {
    /// What is the same on every page.
    pub(super) fn frame(&self, place: Place) -> Frame {
        self.visitor.frame(place)
    }

    /// The session and its id.
    pub(super) fn session(&self) -> Result<(&SessionId, &Session), Failure> {
        let session = self.visitor.signed_in.as_ref();
        let (id, session) = session.ok_or(Failure::new(&problem::IDENTITY_UNKNOWN))?;
        Ok((id, session))
    }

    /// Whether the page asks by itself, to stay fresh.
    pub(super) fn is_live(&self) -> bool {
        is_live(&self.query)
    }

    /// The text in the path's place `name`.
    pub(super) fn text(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, text)| text)
    }

    /// Asks the API for what needs no body.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Verb::Get, path, &[], Vec::new())
    }

    /// Has the API do something; what stands in the path's places are `params`.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        params: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|_| fault("write a request as JSON"))?;
        self.ask(Verb::Post, path, params, body)
    }

    /// Asks the API; the answer is of this type.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        verb: Verb,
        path: &str,
        params: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<T, Failure> {
        match self.call(verb, path, params, body)? {
            Answer::Json(json) => {
                serde_json::from_slice(&json).map_err(|_| fault("read an answer of the API"))
            }
            Answer::Stream(_) | Answer::File { .. } => Err(fault("take a stream for JSON")),
        }
    }

    /// Asks the API, whatever it answers. `path` may have a query behind its `?`.
    pub(super) fn call(
        &self,
        verb: Verb,
        path: &str,
        params: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, Failure> {
        let (_, session) = self.session()?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let found = ENDPOINTS
            .iter()
            .find(|one| one.verb == verb && one.path == path);
        let endpoint = found.ok_or_else(|| fault("find an endpoint of the API"))?;
        admit(&session.person, None, endpoint.permission)?;
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        // Handlers read the query of it, and nothing else.
        let uri: Uri = format!("/?{query}")
            .parse()
            .map_err(|_| Failure::misunderstood(remark::address_form()))?;
        endpoint.run(&Call {
            core: Arc::clone(&self.core),
            person: session.person.clone(),
            scopes: None,
            params: params.iter().map(owned).collect(),
            uri,
            body: body.into(),
            measured: Arc::clone(&self.measured),
            upload: Mutex::new(None),
        })
    }
}

/// A fault of our own.
fn fault(what: &str) -> Failure {
    Failure::new(&problem::SERVER_INTERNAL).with(what)
}

/// A failure to be shown within a page, if it is the caller's; one of ours is a page of its own.
pub(super) fn shown_within(failure: Failure) -> Result<ProblemBody, Failure> {
    match failure.problem().kind.http_status() {
        500.. => Err(failure),
        _ => Ok(failure.into_body().1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    #[test]
    fn only_our_own_pages_send_our_forms() {
        for (pairs, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://lab:8443"),
                    ("host", "lab:8443"),
                ],
                false,
            ),
            (&[("sec-fetch-site", "none")], false),
            (
                &[("origin", "https://lab:8443"), ("host", "lab:8443")],
                true,
            ),
            (
                &[("origin", "http://lab:8443"), ("host", "lab:8443")],
                false,
            ),
            (
                &[("origin", "https://lab:8443.evil"), ("host", "lab:8443")],
                false,
            ),
            (&[("origin", "null"), ("host", "lab:8443")], false),
            (&[], false),
        ] {
            assert_eq!(is_same_site(&headers(pairs)), expected, "{pairs:?}");
        }
    }
}
