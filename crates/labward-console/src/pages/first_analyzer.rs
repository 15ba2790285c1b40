//! Connecting an analyzer: what it speaks and what it may send, its file, and the wait for its first message.
//!
//! It must never hold a private key, or say that a message came which the server does not list.

use askama::Template;
use labward_api::ProblemBody;
use labward_api::message::Message;
use labward_api::peer::Peer;
use labward_api::status::LinkStatus;

use super::When;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// What is known of an analyzer before it is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connecting {
    /// What it is to be called.
    pub name: String,
    /// Whether it speaks ASTM, else HL7 v2.
    pub astm: bool,
    /// Whether its software runs on this machine, so that it may connect without TLS.
    pub loopback: bool,
    /// The port; as it was written.
    pub port: String,
    /// What it writes into MSH-3.
    pub application: String,
    /// What it writes into MSH-4.
    pub facility: String,
    /// The kinds of message that it sends, separated by commas.
    pub types: String,
    /// What it writes into H-5.
    pub sender: String,
    /// Whose its patient numbers are where a message does not say it.
    pub authority: String,
}

impl Default for Connecting {
    fn default() -> Self {
        Self {
            name: String::new(),
            astm: false,
            loopback: false,
            // The port that is registered for HL7.
            port: "2575".to_owned(),
            application: String::new(),
            facility: String::new(),
            types: "ORU^R01".to_owned(),
            sender: String::new(),
            authority: String::new(),
        }
    }
}

#[derive(Template)]
#[template(path = "first_analyzer.html")]
struct ConnectingPage<'a> {
    f: &'a Frame,
    filled: &'a Connecting,
    analyzers: &'a [&'a Peer],
    fault: Option<&'a ProblemBody>,
}

/// The form for an analyzer, and those that are there already.
///
/// # Errors
///
/// [`RenderError`].
pub fn first_analyzer(
    f: &Frame,
    filled: &Connecting,
    analyzers: &[&Peer],
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    ConnectingPage {
        f,
        filled,
        analyzers,
        fault,
    }
    .render()
}

/// Why a link is opened for this analyzer, as it is recorded.
pub fn analyzer_recorded(f: &Frame, name: &str) -> String {
    f.w("analyzer-recorded", "name", name).into_owned()
}

/// Connections that were refused: who tried, when, and why, as stable names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// When it was recorded, RFC 3339.
    pub time: String,
    /// The address that tried.
    pub source: String,
    /// The reasons.
    pub reasons: Vec<String>,
}

/// An analyzer whose first message is waited for.
pub struct Awaited<'a> {
    /// The analyzer.
    pub peer: &'a Peer,
    /// The link that it is to use; none if no link fits it.
    pub link: Option<&'a LinkStatus>,
    /// The name by which it reaches this machine.
    pub host: &'a str,
    /// Its newest message.
    pub message: Option<&'a Message>,
    /// The field for which that message is held, such as `MSH-4`.
    pub field: Option<&'a str>,
    /// What is told about the reason for which it is held.
    pub problem: Option<&'a ProblemBody>,
    /// Connections to the link that were refused lately, the newest first.
    pub refusals: &'a [Refusal],
}

#[derive(Template)]
#[template(path = "first_message.html")]
struct AwaitedPage<'a> {
    f: &'a Frame,
    a: &'a Awaited<'a>,
}

impl AwaitedPage<'_> {
    fn title(&self) -> std::borrow::Cow<'static, str> {
        self.f.w("analyzer-title", "name", &self.a.peer.name)
    }

    fn is_plain(&self) -> bool {
        self.a.link.is_some_and(|link| link.transport == "plain")
    }

    fn is_held(&self) -> bool {
        self.a.message.is_some_and(|one| one.state == "held")
    }

    /// How long until the page asks again: looking for one peer among the messages of others costs more.
    fn pause_seconds(&self) -> u8 {
        match self.a.link.is_some_and(|link| link.last_message.is_some()) {
            true => 5,
            false => 2,
        }
    }

    fn link_name(&self) -> &str {
        self.a.link.map_or("", |link| &link.name)
    }

    fn port(&self) -> &str {
        let address = self.a.link.map_or("", |link| &link.address);
        address.rsplit(':').next().unwrap_or_default()
    }

    /// The name by which the analyzer reaches this machine; on this machine that is loopback.
    fn host(&self) -> &str {
        match self.is_plain() {
            true => "127.0.0.1",
            false => self.a.host,
        }
    }

    fn protocol(&self) -> &'static str {
        match self.a.link.is_some_and(|link| link.protocol == "astm") {
            true => "analyzer-astm",
            false => "analyzer-hl7",
        }
    }

    /// Why a connection was refused, in words; a name that has none is shown as it is.
    fn why(&self, reason: &str) -> String {
        let key = format!("stranger-{reason}");
        let text = self.f.language.text(&key);
        match *text == key {
            true => reason.to_owned(),
            false => text.into_owned(),
        }
    }
}

/// How an analyzer is set, and whether its first message came.
///
/// # Errors
///
/// [`RenderError`].
pub fn first_message(f: &Frame, awaited: &Awaited<'_>) -> Result<String, RenderError> {
    AwaitedPage { f, a: awaited }.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_identity::{Language, Role, Theme};

    const HOSTILE: &str = "<script>alert('x')</script>\" onload=\"y";

    fn frame(language: Language) -> Frame {
        Frame {
            language,
            theme: Theme::Auto,
            viewer: Some(crate::frame::Viewer {
                name: "Olga".to_owned(),
                roles: Role::It.into(),
                engagement: None,
                mark: None,
                lasts: crate::frame::Lasts::default(),
                csrf: "token".to_owned(),
            }),
            nonce: "nonce".to_owned(),
            lab: "Lab".to_owned(),
            place: Place::Flow,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    fn page(message: Option<&Message>, refusals: &[Refusal], transport: &str) -> String {
        let peer = Peer {
            name: HOSTILE.to_owned(),
            not_after: "2027-01-02T03:04:05Z".to_owned(),
            ..Peer::default()
        };
        let link = LinkStatus {
            name: "hl7".to_owned(),
            protocol: "mllp".to_owned(),
            transport: transport.to_owned(),
            address: "0.0.0.0:2575".to_owned(),
            refused: 2,
            ..LinkStatus::default()
        };
        let problem = ProblemBody {
            code: "gateway.not-allowed".to_owned(),
            what: HOSTILE.to_owned(),
            todo: String::new(),
            detail: None,
            reference: None,
            remark: None,
        };
        let awaited = Awaited {
            peer: &peer,
            link: Some(&link),
            host: "lab.example",
            message,
            field: Some("MSH-4"),
            problem: Some(&problem),
            refusals,
        };
        first_message(&frame(Language::En), &awaited).unwrap()
    }

    #[test]
    fn the_page_asks_again_by_itself_until_a_message_came_and_then_leads_to_it() {
        let waiting = page(None, &[], "mutual-tls");
        assert!(waiting.contains("hx-trigger") && waiting.contains("/file\""));
        assert!(waiting.contains("lab.example") && waiting.contains("2575"));
        let message = Message {
            record: 7,
            time: "2026-11-27T10:42:00Z".to_owned(),
            kind: "ORU^R01".to_owned(),
            state: "received".to_owned(),
            ..Message::default()
        };
        let received = page(Some(&message), &[], "mutual-tls");
        assert!(!received.contains("hx-trigger") && received.contains("/messages/7\""));
        assert!(received.contains("ORU^R01") && received.contains("2026-11-27 10:42:00"));
    }

    #[test]
    fn a_message_that_is_held_is_no_success_and_names_the_field_that_does_not_fit() {
        let message = Message {
            record: 8,
            time: "2026-11-27T10:42:00Z".to_owned(),
            state: "held".to_owned(),
            reason: Some("gateway.not-allowed".to_owned()),
            ..Message::default()
        };
        let held = page(Some(&message), &[], "mutual-tls");
        assert!(held.contains("MSH-4") && held.contains("gateway.not-allowed"));
        assert!(held.contains("hx-trigger"), "the next one may fit");
        assert!(!held.contains("<script>alert"));
    }

    #[test]
    fn who_was_refused_is_said_in_words_and_what_others_wrote_is_escaped() {
        let refusals = [Refusal {
            time: "2026-11-27T10:42:00Z".to_owned(),
            source: HOSTILE.to_owned(),
            reasons: vec!["no-certificate".to_owned(), HOSTILE.to_owned()],
        }];
        let waiting = page(None, &refusals, "mutual-tls");
        assert!(waiting.contains("It showed no certificate"), "{waiting}");
        let filled = Connecting {
            name: HOSTILE.to_owned(),
            port: HOSTILE.to_owned(),
            ..Connecting::default()
        };
        let form = first_analyzer(&frame(Language::Es), &filled, &[], None).unwrap();
        for page in [waiting, form] {
            assert!(!page.contains("<script>alert") && !page.contains("\" onload=\"y"));
        }
    }

    #[test]
    fn an_analyzer_on_this_machine_needs_no_file_and_connects_to_loopback() {
        let plain = page(None, &[], "plain");
        assert!(!plain.contains("/file\"") && plain.contains("127.0.0.1"));
    }

    #[test]
    fn every_reason_of_a_refusal_has_words_in_each_language() {
        for reason in [
            "bad-certificate",
            "connection-lost",
            "expired",
            "handshake-failed",
            "handshake-timeout",
            "http",
            "no-certificate",
            "not-tls",
            "not-yet-valid",
            "other-peer",
            "revoked",
            "tls-on-plain-port",
            "tls-too-old",
            "unknown-address",
            "unknown-key",
            "wrong-issuer",
        ] {
            for language in [Language::En, Language::Es] {
                let key = format!("stranger-{reason}");
                assert_ne!(language.text(&key), key.as_str(), "{reason}");
            }
        }
    }
}
