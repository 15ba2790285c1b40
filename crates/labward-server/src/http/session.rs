//! `people/{id}/invite` and `sessions`.
//!
//! It must never keep a code or show the id of a session: the first is in the answer once, the second
//! is with its browser alone.

use labward_api::session::{Invitation, Session};
use labward_base::Clock as _;
use labward_base::id::{PersonId, SessionNumber};

use super::call::{Answer, Call};
use super::failure::Failure;

/// Where a code is typed in the console.
const JOIN: &str = "/join";

/// `POST people/{id}/invite`
pub(super) fn invite(call: &Call) -> Result<Answer, Failure> {
    let id: PersonId = call.param("id")?;
    let (core, now) = (&call.core, call.core.clock.now());
    let made = core.invitations.create(id, call.actor(), now)?;
    let code = made.code.to_text().expose().clone();
    // Behind the `#`, so that no server and no log sees it.
    let link = core.console_url().map(|url| format!("{url}{JOIN}#{code}"));
    Answer::json(&Invitation {
        person: id.get(),
        code,
        link,
        expires: made.expires.to_rfc3339(),
    })
}

/// `GET sessions`
pub(super) fn sessions(call: &Call) -> Result<Answer, Failure> {
    let all = call.core.sessions.all(call.core.clock.now());
    Answer::json(&all.iter().map(shown).collect::<Vec<_>>())
}

/// `DELETE sessions/{number}`
pub(super) fn end(call: &Call) -> Result<Answer, Failure> {
    let number: SessionNumber = call.param("number")?;
    Answer::done(call.core.sessions.end(number, call.actor())?)
}

pub(super) fn shown(session: &labward_identity::Session) -> Session {
    Session {
        number: session.number.get(),
        person: session.person.id.get(),
        name: session.person.name.clone(),
        created: session.created.to_rfc3339(),
        last_seen: session.last_seen.to_rfc3339(),
        idle_ends_at: session.idle_ends_at.to_rfc3339(),
        ends_at: session.ends_at.to_rfc3339(),
        source: session.client.address.to_string(),
        agent: session.client.agent.clone(),
    }
}
