//! The pages of a session.
//!
//! It must never take an identifier of a patient from an address: what is searched for comes in a
//! form.

use labward_api::glass::Opening;
use labward_api::hit::Hits;
use labward_api::message::{Decision, Message, MessageFilter, MessagePath};
use labward_api::peer::{Engagement, Person};
use labward_api::safeguard::Safeguards;
use labward_api::session::Session as SessionShown;
use labward_api::status::{Check, Status};
use labward_api::{Done, Why};
use labward_base::id::{PeerId, PersonId};
use labward_base::{Clock as _, remark};
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_identity::Permission;

use super::entrance::unwritten;
use super::form::Form;
use super::visit::{Page, Visit, shown_within};
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// `GET /`
pub(super) fn home(visit: &Visit) -> Result<Page, Failure> {
    // Every role may, but an expert's engagement may be about something else.
    if !visit.visitor.permits(Permission::StatusRead) {
        let first = visit.frame(Place::Home).navigation();
        let first = first.first().map_or("/me", |item| item.href);
        return Ok(Page::To(first.to_owned()));
    }
    let status: Status = visit.get("status")?;
    let check: Option<Check> = match visit.is_live() {
        true => None,
        false => Some(visit.get("check")?),
    };
    let reads_safeguards = visit.visitor.permits(Permission::SafeguardRead);
    let safeguards: Option<Safeguards> = match reads_safeguards && !visit.is_live() {
        true => Some(visit.get("safeguards")?),
        false => None,
    };
    let reviews = visit.visitor.permits(Permission::BreakGlassReview);
    let openings: Vec<Opening> = match reviews {
        true => visit.get("break-glass?state=waiting&limit=20")?,
        false => Vec::new(),
    };
    let reads_devices = visit.visitor.permits(Permission::DeviceRead);
    let hits: Option<Hits> = match reads_devices && !visit.is_live() {
        true => Some(visit.get("hits?limit=1")?),
        false => None,
    };
    written(html::home(
        &visit.frame(Place::Home),
        &status,
        &openings,
        check.as_ref(),
        safeguards.as_ref().map(|all| all.counts),
        hits.map(|all| all.counts),
        is_silent(visit, &status)?,
    ))
}

/// Whether nothing has come through any link, ever; looked at for who may connect an analyzer.
fn is_silent(visit: &Visit, status: &Status) -> Result<bool, Failure> {
    let may = [Permission::ConfigChange, Permission::MessageList];
    let may = may.iter().all(|one| visit.visitor.permits(*one));
    let heard = status.links.iter().any(|link| link.last_message.is_some());
    if !may || heard || !status.open {
        return Ok(false);
    }
    let newest: Vec<Message> = visit.get("messages?limit=1")?;
    Ok(newest.is_empty())
}

/// `GET /flow`
pub(super) fn flow(visit: &Visit) -> Result<Page, Failure> {
    let status: Status = visit.get("status")?;
    written(html::flow(&visit.frame(Place::Flow), &status))
}

/// `POST /flow/{name}/resume`
pub(super) fn resume(visit: &Visit) -> Result<Page, Failure> {
    let params = [("name", visit.text("name"))];
    visit.post::<Done>("destinations/{name}/resume", &params, &why(visit))?;
    Ok(Page::To("/flow?done=resumed".to_owned()))
}

/// `GET /messages`
pub(super) fn messages(visit: &Visit) -> Result<Page, Failure> {
    let filter = MessageFilter {
        state: visit.query.some("state"),
        before: visit.query.text("before").parse().ok(),
        limit: Some(html::MESSAGES_ON_PAGE),
        ..MessageFilter::default()
    };
    let mut path = format!("messages?limit={}", html::MESSAGES_ON_PAGE);
    if let Some(state) = &filter.state {
        // What is no word is no state.
        if !state.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Err(Failure::misunderstood(remark::no_such_state()));
        }
        path.push_str(&format!("&state={state}"));
    }
    if let Some(before) = filter.before {
        path.push_str(&format!("&before={before}"));
    }
    let messages: Vec<Message> = visit.get(&path)?;
    written(html::messages(
        &visit.frame(Place::Messages),
        &filter,
        &messages,
    ))
}

/// `GET /messages/{record}`
pub(super) fn message(visit: &Visit) -> Result<Page, Failure> {
    let params = [("record", visit.text("record"))];
    let message: Message = visit.ask(Verb::Get, "messages/{record}", &params, Vec::new())?;
    let mut path: MessagePath =
        visit.ask(Verb::Get, "messages/{record}/path", &params, Vec::new())?;
    for step in &mut path.steps {
        if let Some(name) = name_of(visit, &step.actor) {
            step.actor = name;
        }
    }
    written(html::message(
        &visit.frame(Place::Messages),
        &message,
        &path,
    ))
}

/// `POST /messages/{record}/decide`
pub(super) fn decide(visit: &Visit) -> Result<Page, Failure> {
    let (path, done) = match visit.form.text("decision") {
        "release" => ("messages/{record}/release", "released"),
        "reject" => ("messages/{record}/reject", "rejected"),
        "resend" => ("messages/{record}/resend", "resent"),
        "skip" => ("messages/{record}/skip", "skipped"),
        _ => return Err(Failure::misunderstood(remark::no_such_decision())),
    };
    let record = visit.text("record");
    let decision = Decision {
        why: visit.form.text("why").to_owned(),
        destination: None,
    };
    visit.post::<Done>(path, &[("record", record)], &decision)?;
    Ok(Page::To(format!("/messages/{record}?done={done}")))
}

/// The name of `person:3` or `peer:7`, for who may see the people or the peers.
pub(super) fn name_of(visit: &Visit, who: &str) -> Option<String> {
    let (kind, id) = who.split_once(':')?;
    match kind {
        "person" if visit.visitor.permits(Permission::PersonRead) => {
            visit.core.people.name_of(PersonId::new(id.parse().ok()?))
        }
        "peer" if visit.visitor.permits(Permission::PeerRead) => {
            let peer = visit.core.peers.by_id(PeerId::new(id.parse().ok()?))?;
            Some(peer.name.clone())
        }
        _ => None,
    }
}

/// `GET /people`
pub(super) fn people(visit: &Visit) -> Result<Page, Failure> {
    people_with(visit, None, None)
}

/// `POST /people`
pub(super) fn add_person(visit: &Visit) -> Result<Page, Failure> {
    let roles: Vec<&str> = visit.form.all("role").collect();
    let person = Person {
        name: visit.form.text("name").trim().to_owned(),
        role: roles.join(","),
        engagement: engagement_of(&visit.form).filter(|_| roles.contains(&"expert")),
        ..Person::default()
    };
    match visit.post::<Person>("people", &[], &person) {
        Ok(added) => invited(visit, added.id),
        Err(failure) => {
            let fault = shown_within(failure)?;
            people_with(visit, None, Some(&fault))
        }
    }
}

/// `POST /people/{id}/engage`
pub(super) fn engage(visit: &Visit) -> Result<Page, Failure> {
    let params = [("id", visit.text("id"))];
    let engagement = engagement_of(&visit.form).unwrap_or_default();
    match visit.post::<Person>("people/{id}/engage", &params, &engagement) {
        Ok(_) => Ok(Page::To("/people?done=engaged".to_owned())),
        Err(failure) => {
            let fault = shown_within(failure)?;
            people_with(visit, None, Some(&fault))
        }
    }
}

/// The engagement of a form, if a word of it was filled in.
fn engagement_of(form: &Form) -> Option<Engagement> {
    let text = |name| form.text(name).trim().to_owned();
    let engagement = Engagement {
        from: text("expert-from"),
        until: text("expert-until"),
        expires: text("expires"),
        topics: form.all("expert-topic").map(str::to_owned).collect(),
    };
    (engagement != Engagement::default()).then_some(engagement)
}

/// `POST /people/{id}/invite`
pub(super) fn invite(visit: &Visit) -> Result<Page, Failure> {
    let id = visit.text("id").parse();
    invited(
        visit,
        id.map_err(|_| Failure::misunderstood(remark::no_such_person()))?,
    )
}

/// The page of the people with a fresh invitation for one of them.
fn invited(visit: &Visit, id: u64) -> Result<Page, Failure> {
    let name = visit
        .core
        .people
        .name_of(PersonId::new(id))
        .unwrap_or_default();
    let invited = super::people::invite(visit, id, &name)?;
    people_with(visit, Some(&invited), None)
}

/// `POST /people/{id}/remove`
pub(super) fn remove_person(visit: &Visit) -> Result<Page, Failure> {
    let params = [("id", visit.text("id"))];
    visit.ask::<Done>(Verb::Delete, "people/{id}", &params, Vec::new())?;
    Ok(Page::To("/people?done=removed".to_owned()))
}

/// `POST /sessions/{number}/end`
pub(super) fn end_session(visit: &Visit) -> Result<Page, Failure> {
    let params = [("number", visit.text("number"))];
    visit.ask::<Done>(Verb::Delete, "sessions/{number}", &params, Vec::new())?;
    Ok(Page::To("/people?done=ended".to_owned()))
}

pub(super) fn people_with(
    visit: &Visit,
    invited: Option<&html::Invited>,
    fault: Option<&labward_api::ProblemBody>,
) -> Result<Page, Failure> {
    let frame = visit.frame(Place::People);
    let people: Vec<Person> = visit.get("people")?;
    let sessions: Vec<SessionShown> = match frame.may(Permission::PersonChange) {
        true => visit.get("sessions")?,
        false => Vec::new(),
    };
    let accounts = super::oidc::accounts(visit)?;
    let accounts = accounts.as_ref();
    written(html::people(
        &frame, &people, &sessions, accounts, invited, fault,
    ))
}

pub(super) fn why(visit: &Visit) -> Why {
    Why {
        why: visit.form.text("why").to_owned(),
    }
}

/// The day of today, for the name of a file.
pub(super) fn day(visit: &Visit) -> String {
    let now = visit.core.clock.now().to_rfc3339();
    now.get(..10).unwrap_or_default().to_owned()
}

pub(super) fn written(page: Result<String, labward_console::RenderError>) -> Result<Page, Failure> {
    Ok(Page::Html(page.map_err(unwritten)?))
}
