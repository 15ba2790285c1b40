//! One module's worth of every page: what the API answered goes in, HTML comes out.
//!
//! It must never decide what somebody may do: it leaves out what the reader could not do anyway, and
//! the server refuses it all the same.

use std::borrow::Cow;
use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use labward_api::ProblemBody;
use labward_api::glass::Opening;
use labward_api::hit::HitCounts;
use labward_api::message::{Message, MessageFilter, MessagePath, Step};
use labward_api::peer::{Engagement, Person};
use labward_api::safeguard::SafeguardCounts;
use labward_api::session::Session;
use labward_api::status::{Check, Status};
use labward_identity::{Language, Permission, Role, Topic};

use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;
use crate::qr::Qr;

mod accesses;
mod account;
mod accounts;
mod advisories;
mod behaviour;
mod configuration;
mod devices;
mod entries;
mod first_analyzer;
mod glass;
mod hit;
mod hits;
mod integrity;
mod ledger;
mod malware;
mod malware_rules;
mod map;
mod matrix;
mod network;
mod parts;
mod patient;
mod people;
mod plot;
mod quarantine;
mod records;
mod reference;
mod safeguards;
pub mod setup;

pub use self::accesses::accesses;
pub use self::account::{Account, Asking, asking, me, need_name};
pub use self::accounts::Accounts;
pub use self::advisories::{ADVISORIES_ON_PAGE, advisories, advisories_import, advisory};
pub use self::behaviour::{UNUSUAL_ON_PAGE, Usual, unusual};
pub use self::configuration::{Filling, Previewed, filling, previewed, settings};
pub use self::devices::{
    DEVICE_FIELDS, DEVICES_ON_PAGE, DeviceFields, device, devices, devices_import,
};
pub use self::entries::{Row, rows};
pub use self::first_analyzer::{
    Awaited, Connecting, Refusal, analyzer_recorded, first_analyzer, first_message,
};
pub use self::glass::{glass, opening, openings};
pub use self::hit::{Stating, hit, hit_order, hit_statements};
pub use self::hits::{DecidingHits, DueList, HITS_READ_MAX, due_list};
pub use self::integrity::{integrity, integrity_baseline};
pub use self::ledger::{entry, ledger};
pub use self::malware::{DETECTIONS_ON_PAGE, detection, detections};
pub use self::malware_rules::malware_rules;
use self::map::Map;
pub use self::matrix::hits_matrix;
pub use self::network::network;
pub use self::parts::{COMPONENTS_ON_PAGE, components, mds2, patch_approvals};
pub use self::patient::results;
pub use self::people::{invitations, people_import, person};
pub use self::quarantine::{ITEMS_ON_PAGE, Named, quarantine, quarantine_item};
pub use self::records::{Searched, hits, record, records};
pub use self::reference::{ApiType, Member, Operation, reference};
pub use self::safeguards::{Deciding, deciding, safeguards};

/// A time as `<time>`: in the zone of the server's clock (UTC), and by script in the reader's.
struct When<'a>(&'a str);

impl HtmlSafe for When<'_> {}

impl fmt::Display for When<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is no time of ours is not shown, so that nothing has to be escaped.
        let is_time = |byte: u8| byte.is_ascii_digit() || b"-:TZ.+".contains(&byte);
        if self.0.is_empty() || !self.0.bytes().all(is_time) {
            return Ok(());
        }
        let shown = self.0.get(..19).unwrap_or(self.0);
        let (day, time) = shown.split_once('T').unwrap_or((shown, ""));
        write!(f, "<time datetime=\"{}\">{day} {time} UTC</time>", self.0)
    }
}

/// Words of a search as they stand in an address.
fn in_address(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bytes = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    bytes.collect()
}

/// The states by which messages are listed.
struct States;

impl States {
    const ALL: &[&str] = &["received", "held", "waiting", "dead"];
}

/// Messages on one page of the list.
pub const MESSAGES_ON_PAGE: u32 = 50;
/// Entries on one page of the ledger.
pub const ENTRIES_ON_PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    f: &'a Frame,
    passkeys: bool,
    fault: Option<&'a ProblemBody>,
    provider: Option<&'a str>,
}

/// The sign-in, with what was wrong the last time, whether `passkeys` can be used here, and the name of the
/// identity `provider`, if there is one.
///
/// # Errors
///
/// [`RenderError`].
pub fn sign_in(
    f: &Frame,
    passkeys: bool,
    provider: Option<&str>,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    let page = SignInPage {
        f,
        passkeys,
        fault,
        provider,
    };
    page.render()
}

#[derive(Template)]
#[template(path = "join.html")]
struct JoinPage<'a> {
    f: &'a Frame,
    code: &'a str,
    login: &'a str,
    different: bool,
    fault: Option<&'a ProblemBody>,
}

/// What an invited person has filled in so far.
#[derive(Default)]
pub struct Joining<'a> {
    /// The code of the invitation.
    pub code: &'a str,
    /// The name they chose to sign in with.
    pub login: &'a str,
    /// Whether the two passwords differed.
    pub different: bool,
    /// What was wrong.
    pub fault: Option<&'a ProblemBody>,
}

/// The page of an invitation.
///
/// # Errors
///
/// [`RenderError`].
pub fn join(f: &Frame, joining: &Joining<'_>) -> Result<String, RenderError> {
    JoinPage {
        f,
        code: joining.code,
        login: joining.login,
        different: joining.different,
        fault: joining.fault,
    }
    .render()
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    f: &'a Frame,
    text: Option<&'a str>,
    fault: Option<&'a ProblemBody>,
}

#[derive(Template)]
#[template(path = "problem_part.html")]
struct ProblemPart<'a> {
    f: &'a Frame,
    text: Option<&'a str>,
    fault: Option<&'a ProblemBody>,
}

/// The key of what is said about a form that did not come from one of our pages.
const FOREIGN: Option<&str> = Some("problem-form");

/// What went wrong: a page, or where only a part of one was asked for, that part.
///
/// # Errors
///
/// [`RenderError`].
pub fn problem(f: &Frame, fault: &ProblemBody, is_part: bool) -> Result<String, RenderError> {
    problem_of(f, None, Some(fault), is_part)
}

/// A form that did not come from one of our pages; as [`problem`].
///
/// # Errors
///
/// [`RenderError`].
pub fn foreign_form(f: &Frame, is_part: bool) -> Result<String, RenderError> {
    problem_of(f, FOREIGN, None, is_part)
}

fn problem_of(
    f: &Frame,
    text: Option<&str>,
    fault: Option<&ProblemBody>,
    is_part: bool,
) -> Result<String, RenderError> {
    match is_part {
        true => ProblemPart { f, text, fault }.render(),
        false => ProblemPage { f, text, fault }.render(),
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    f: &'a Frame,
    status: &'a Status,
    openings: &'a [Opening],
    check: Option<&'a Check>,
    safeguards: Option<SafeguardCounts>,
    hits: Option<HitCounts>,
    is_silent: bool,
}

/// Where a finding is looked at, and what a reader must be permitted for that.
const LOOKED_AT: &[(&str, &str, Permission)] = &[(
    "check.integrity-changed",
    "/malware/integrity",
    Permission::MalwareRead,
)];

impl HomePage<'_> {
    /// The page on which a finding is looked at, if there is one that the reader may see.
    fn looked_at_on(&self, code: &str) -> Option<&'static str> {
        let mut pages = LOOKED_AT.iter().filter(|(one, ..)| *one == code);
        let (_, page, permission) = pages.next()?;
        self.f.may(*permission).then_some(*page)
    }

    fn opened_by(&self, one: &Opening) -> Cow<'static, str> {
        let name = glass::named(self.f, one.name.as_deref(), one.person);
        self.f.w("home-opening", "name", &name)
    }

    fn at_a_glance(&self, counts: &SafeguardCounts) -> Cow<'static, str> {
        safeguards::at_a_glance(self.f, counts)
    }

    fn dead(&self) -> u64 {
        self.status.destinations.iter().map(|one| one.dead).sum()
    }

    fn waiting(&self) -> u64 {
        self.status.destinations.iter().map(|one| one.waiting).sum()
    }

    fn delivered(&self) -> u64 {
        self.status
            .destinations
            .iter()
            .map(|one| one.delivered)
            .sum()
    }

    fn accepted(&self) -> u64 {
        self.status.links.iter().map(|one| one.accepted).sum()
    }

    fn looked_at(&self, check: &Check) -> u64 {
        u64::from(check.looked_at)
    }

    fn unmeasured(&self, check: &Check) -> u64 {
        count(check.unmeasured.len())
    }
}

/// What needs a person now; the part that keeps itself fresh needs no `check` and no safeguards,
/// which take longer. `hits`: for who may read devices. `is_silent`: no analyzer has sent anything yet.
///
/// # Errors
///
/// [`RenderError`].
pub fn home(
    f: &Frame,
    status: &Status,
    openings: &[Opening],
    check: Option<&Check>,
    safeguards: Option<SafeguardCounts>,
    hits: Option<HitCounts>,
    is_silent: bool,
) -> Result<String, RenderError> {
    HomePage {
        f,
        status,
        openings,
        check,
        safeguards,
        hits,
        is_silent,
    }
    .render()
}

#[derive(Template)]
#[template(path = "flow.html")]
struct FlowPage<'a> {
    f: &'a Frame,
    status: &'a Status,
    map: Map,
}

/// The links, the destinations, the witnesses and the webhooks.
///
/// # Errors
///
/// [`RenderError`].
pub fn flow(f: &Frame, status: &Status) -> Result<String, RenderError> {
    let map = Map::of(status);
    FlowPage { f, status, map }.render()
}

#[derive(Template)]
#[template(path = "messages.html")]
struct MessagesPage<'a> {
    f: &'a Frame,
    filter: &'a MessageFilter,
    messages: &'a [Message],
}

impl MessagesPage<'_> {
    fn is_state(&self, state: &str) -> bool {
        self.filter.state.as_deref() == Some(state)
    }

    /// From where the next page goes on, if this one is full.
    fn older(&self) -> Option<u64> {
        let is_full = self.messages.len() >= usize::try_from(MESSAGES_ON_PAGE).ok()?;
        self.messages
            .last()
            .filter(|_| is_full)
            .map(|last| last.record)
    }
}

/// The list of messages.
///
/// # Errors
///
/// [`RenderError`].
pub fn messages(
    f: &Frame,
    filter: &MessageFilter,
    messages: &[Message],
) -> Result<String, RenderError> {
    MessagesPage {
        f,
        filter,
        messages,
    }
    .render()
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    f: &'a Frame,
    title: Cow<'static, str>,
    message: &'a Message,
    path: &'a MessagePath,
}

impl MessagePage<'_> {
    /// What the reader may decide about this message now.
    fn decisions(&self) -> Vec<&'static str> {
        let message = self.message;
        let mut decisions = Vec::new();
        if message.state == "held" && self.f.may(Permission::MessageDecide) {
            decisions.extend(["release", "reject"]);
        }
        let stands = |state: &str| message.deliveries.iter().any(|one| one.state == state);
        if self.f.may(Permission::MessageResend) && (stands("dead") || stands("delivered")) {
            decisions.push("resend");
        }
        let waits = ["retrying", "held", "dead"].into_iter().any(stands);
        if self.f.may(Permission::MessageDecide) && waits {
            decisions.push("skip");
        }
        decisions
    }

    /// What was done, in words.
    fn step(&self, step: &Step) -> Cow<'static, str> {
        self.f.of("step", &step.action.replace('.', "-"))
    }

    fn help(&self, decision: &str) -> Cow<'static, str> {
        self.f.t(&format!("message-{decision}-help"))
    }
}

/// One message and its path, without its content.
///
/// # Errors
///
/// [`RenderError`].
pub fn message(f: &Frame, message: &Message, path: &MessagePath) -> Result<String, RenderError> {
    MessagePage {
        f,
        title: numbered(f, "message-title", message.record),
        message,
        path,
    }
    .render()
}

/// An invitation that was just made.
pub struct Invited {
    /// Who is invited.
    pub name: String,
    /// The link, shown this once.
    pub link: String,
    /// The link as a code for a phone.
    pub qr: Option<Qr>,
    /// Until when it works.
    pub until: String,
}

/// A time to the minute, in UTC.
fn minute(time: &str) -> String {
    let until = time.get(..16).unwrap_or(time);
    format!("{} UTC", until.replace('T', " "))
}

/// Whether an engagement is about this topic.
fn is_about(engagement: &Engagement, topic: &Topic) -> bool {
    engagement.topics.iter().any(|one| one == topic.name())
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage<'a> {
    f: &'a Frame,
    people: &'a [Person],
    sessions: &'a [Session],
    accounts: Option<&'a Accounts>,
    invited: Option<&'a Invited>,
    fault: Option<&'a ProblemBody>,
}

impl PeoplePage<'_> {
    fn is_expert(&self, person: &Person) -> bool {
        person.role.split(',').any(|role| role == "expert")
    }

    fn no_engagement(&self) -> Engagement {
        Engagement::default()
    }

    fn engagement(&self, person: &Person) -> Engagement {
        person.engagement.clone().unwrap_or_default()
    }

    /// What an outside expert sees and until when.
    fn sees(&self, person: &Person) -> Option<String> {
        if !self.is_expert(person) {
            return None;
        }
        let Some(one) = &person.engagement else {
            return Some(self.f.t("engage-none").into_owned());
        };
        let topics = one.topics.iter().map(|topic| self.f.of("topic", topic));
        let topics = topics.collect::<Vec<_>>().join(", ");
        let words = [
            ("from", one.from.as_str()),
            ("until", one.until.as_str()),
            ("ends", one.expires.as_str()),
            ("topics", topics.as_str()),
        ];
        Some(self.f.language.with("engage-sees", &words).into_owned())
    }

    fn roles(&self, person: &Person) -> Vec<String> {
        person.role.split(',').map(str::to_owned).collect()
    }

    fn invite_lead(&self, invited: &Invited) -> Cow<'static, str> {
        let until = minute(&invited.until);
        let words = [("name", invited.name.as_str()), ("until", until.as_str())];
        self.f.language.with("people-invite-lead", &words)
    }
}

/// The lab's people and their sessions.
///
/// # Errors
///
/// [`RenderError`].
pub fn people(
    f: &Frame,
    people: &[Person],
    sessions: &[Session],
    accounts: Option<&Accounts>,
    invited: Option<&Invited>,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    PeoplePage {
        f,
        people,
        sessions,
        accounts,
        invited,
        fault,
    }
    .render()
}

/// A title that names a record by its number, which is no one's but ours.
fn numbered(f: &Frame, key: &str, record: u64) -> Cow<'static, str> {
    f.w(key, "record", &record.to_string())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_api::record::{Access, Accesses, AskedAccesses, Find, Results, Shown};
    use labward_api::status::{CheckFinding, LinkStatus};
    use labward_identity::Theme;
    use labward_report::{LabResult, Measured, TestLine};

    fn frame() -> Frame {
        Frame {
            language: Language::Es,
            theme: Theme::Dark,
            viewer: Some(crate::frame::Viewer {
                name: "<b>Eva</b>".to_owned(),
                roles: Role::Administrator.into(),
                engagement: None,
                mark: None,
                csrf: "token".to_owned(),
                lasts: crate::frame::Lasts::default(),
            }),
            nonce: "nonce".to_owned(),
            lab: "\"Lab\" & <i>Sons</i>".to_owned(),
            place: Place::Home,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    #[test]
    fn what_a_person_or_a_device_wrote_is_escaped() {
        let hostile = "<script>alert('x')</script>\" onload=\"y";
        let status = Status {
            links: vec![LinkStatus {
                name: hostile.to_owned(),
                last_message: Some(hostile.to_owned()),
                ..LinkStatus::default()
            }],
            ..Status::default()
        };
        let check = Check {
            findings: vec![CheckFinding {
                harm: "high".to_owned(),
                what: hostile.to_owned(),
                ..CheckFinding::default()
            }],
            ..Check::default()
        };
        let shown = Shown {
            record: 1,
            kind: "hl7-v2".to_owned(),
            patient: Some(2),
            time: "2026-11-27T00:00:00Z".to_owned(),
            view: serde_json::json!({ "segments": [
                { "id": "PID", "fields": [hostile, "", hostile, "", hostile] },
                { "id": "OBX", "fields": ["1", "ST", hostile, "", hostile, hostile] },
            ]}),
            report: Some(labward_report::Report {
                patient: labward_report::Patient {
                    name: hostile.to_owned(),
                    ..labward_report::Patient::default()
                },
                orders: vec![labward_report::Order {
                    name: hostile.to_owned(),
                    results: vec![LabResult {
                        value: hostile.to_owned(),
                        observed: hostile.to_owned(),
                        ..LabResult::default()
                    }],
                    ..labward_report::Order::default()
                }],
                ..labward_report::Report::default()
            }),
            earlier: Some(labward_api::record::Earlier {
                tests: hostile_results(hostile).tests,
                ..labward_api::record::Earlier::default()
            }),
            entry: Some(3),
            reserve: None,
        };
        let asked = Find {
            name: Some(hostile.to_owned()),
            why: hostile.to_owned(),
            ..Find::default()
        };
        let searched = Searched {
            asked,
            ..Searched::default()
        };
        let pages = [
            home(&frame(), &status, &[], Some(&check), None, None, false),
            flow(&frame(), &status),
            record(&frame(), &shown, hostile),
            records(&frame(), &searched),
            results(&frame(), &hostile_results(hostile), hostile),
            accesses(
                &frame(),
                hostile,
                &AskedAccesses::default(),
                &hostile_accesses(hostile),
            ),
        ];
        for page in pages.map(Result::unwrap) {
            assert!(!page.contains("<script>alert") && !page.contains("\" onload=\"y"));
            assert!(!page.contains("<b>Eva") && !page.contains("<i>Sons"));
            assert!(page.contains("lang=\"es\"") && page.contains("data-bs-theme=\"dark\""));
        }
    }

    fn hostile_results(hostile: &str) -> Results {
        let value = |seconds: i64| Measured {
            value: seconds.to_string(),
            flag: hostile.to_owned(),
            range: hostile.to_owned(),
            time: hostile.to_owned(),
            seconds,
            replaced: vec![labward_report::Replaced {
                value: hostile.to_owned(),
                ..labward_report::Replaced::default()
            }],
            ..Measured::default()
        };
        let test = labward_report::Test {
            code: hostile.to_owned(),
            system: hostile.to_owned(),
            name: hostile.to_owned(),
        };
        Results {
            names: vec![hostile.to_owned(); 2],
            tests: vec![TestLine {
                test,
                unit: hostile.to_owned(),
                sender: hostile.to_owned(),
                values: vec![value(2), value(1)],
            }],
            ..Results::default()
        }
    }

    fn hostile_accesses(hostile: &str) -> Accesses {
        Accesses {
            accesses: vec![Access {
                action: hostile.to_owned(),
                name: Some(hostile.to_owned()),
                to: Some(hostile.to_owned()),
                why: Some(hostile.to_owned()),
                outcome: hostile.to_owned(),
                ..Access::default()
            }],
            ..Accesses::default()
        }
    }

    #[test]
    fn what_is_no_time_is_not_shown() {
        let time = "2026-11-22T20:33:00.000001Z";
        assert_eq!(
            When(time).to_string(),
            format!("<time datetime=\"{time}\">2026-11-22 20:33:00 UTC</time>")
        );
        assert_eq!(When("<script>").to_string(), "");
        assert_eq!(When("").to_string(), "");
    }

    #[test]
    fn a_reader_is_offered_what_they_may_decide_now() {
        let message = |state: &str, delivery: &str| Message {
            state: state.to_owned(),
            deliveries: vec![labward_api::message::Delivery {
                state: delivery.to_owned(),
                ..labward_api::message::Delivery::default()
            }],
            ..Message::default()
        };
        let decisions = |role: Role, message: &Message| {
            let mut f = frame();
            f.viewer.as_mut().unwrap().roles = role.into();
            let title = Cow::Borrowed("");
            MessagePage {
                f: &f,
                title,
                message,
                path: &MessagePath::default(),
            }
            .decisions()
        };
        let held = message("held", "waiting");
        assert_eq!(decisions(Role::ClinicalStaff, &held), ["release", "reject"]);
        assert!(decisions(Role::It, &held).is_empty());
        let dead = message("received", "dead");
        assert_eq!(decisions(Role::It, &dead), ["resend"]);
        assert_eq!(decisions(Role::LabManager, &dead), ["resend", "skip"]);
        assert!(decisions(Role::Expert, &dead).is_empty());
    }
}
