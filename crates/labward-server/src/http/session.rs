//! `people/{id}/invite`, `sessions`, `passkeys` and `tokens`.
//!
//! It must never keep a code or a token, or show the id of a session: the first two are in an answer
//! once, the third is with its browser alone.

use labward_api::PREFIX;
use labward_api::session::{AddedToken, Invitation, NewToken, Passkey, Session, Token};
use labward_base::Clock as _;
use labward_base::id::{PasskeyNumber, PersonId, SessionNumber, TokenNumber};
use labward_identity::{Permission, TokenSecret};

use super::call::{Answer, Call};
use super::failure::Failure;
use crate::app::Core;

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

/// `GET tokens`
pub(super) fn tokens(call: &Call) -> Result<Answer, Failure> {
    let all = call.core.tokens.list(call.core.clock.now());
    Answer::json(&all.iter().map(token).collect::<Vec<_>>())
}

/// `POST tokens`
pub(super) fn add_token(call: &Call) -> Result<Answer, Failure> {
    let new: NewToken = call.json()?;
    let scopes = new.scopes.iter().map(|scope| scope.parse());
    let new = labward_identity::NewToken {
        person: PersonId::new(new.person),
        name: new.name.trim().to_owned(),
        scopes: scopes.collect::<Result<Vec<Permission>, _>>()?,
        days: new.days,
    };
    let core = &call.core;
    let (made, secret) = core.tokens.create(new, call.actor(), core.clock.now())?;
    Answer::json(&added_token(core, &made, &secret))
}

/// A token with its secret, which is shown this once.
pub(super) fn added_token(
    core: &Core,
    made: &labward_identity::Token,
    secret: &TokenSecret,
) -> AddedToken {
    AddedToken {
        secret: secret.to_text().expose().clone(),
        url: core.console_url().map(|url| format!("{url}{PREFIX}")),
        token: token(made),
    }
}

/// `DELETE tokens/{number}`
pub(super) fn end_token(call: &Call) -> Result<Answer, Failure> {
    let number: TokenNumber = call.param("number")?;
    Answer::done(call.core.tokens.end(number, call.actor())?)
}

/// `GET passkeys`
pub(super) fn passkeys(call: &Call) -> Result<Answer, Failure> {
    let all = call.core.passkeys.all()?;
    let all = all.iter().map(|one| passkey(&call.core, one));
    Answer::json(&all.collect::<Vec<_>>())
}

/// `DELETE passkeys/{number}`
pub(super) fn remove_passkey(call: &Call) -> Result<Answer, Failure> {
    let number: PasskeyNumber = call.param("number")?;
    let entry = call.core.passkeys.remove(number, None, call.actor())?;
    Answer::done(Some(entry))
}

pub(super) fn passkey(core: &Core, passkey: &labward_identity::Passkey) -> Passkey {
    Passkey {
        number: passkey.number.get(),
        person: passkey.person.get(),
        person_name: core.people.name_of(passkey.person).unwrap_or_default(),
        name: passkey.name.clone(),
        relying_party: passkey.relying_party.clone(),
        created: passkey.created.to_rfc3339(),
        last_used: passkey.last_used.map(|used| used.to_rfc3339()),
    }
}

pub(super) fn token(token: &labward_identity::Token) -> Token {
    let scopes = token.scopes.iter().map(|scope| scope.name().to_owned());
    Token {
        number: token.number.get(),
        person: token.person.id.get(),
        person_name: token.person.name.clone(),
        name: token.name.clone(),
        scopes: scopes.collect(),
        created: token.created.to_rfc3339(),
        ends_at: token.ends_at.to_rfc3339(),
        last_used: token.last_used.map(|used| used.to_rfc3339()),
    }
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
