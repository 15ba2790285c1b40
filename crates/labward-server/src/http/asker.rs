//! Who asks: over the socket the kernel says it, over TLS a token does.
//!
//! It must never take a cookie for a token, so that no page of another site can ask in a person's
//! name. Person or entity authentication is 45 CFR 164.312(d).
//!
//! An outside expert's engagement is held against the moment of asking here, once for every endpoint
//! and page: what lies outside it is not there for them.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use labward_base::{Clock as _, problem, remark};
use labward_identity::{Client, Permission, Person, Token, TokenSecret};

use super::failure::Failure;
use super::listener::{Caller, Line};
use crate::app::Core;

/// Who asks.
pub(super) enum Asker {
    /// A person, by their account of the operating system.
    Account(Person),
    /// A program, by a token.
    Program(Token),
}

impl Asker {
    /// Who it is, before anything else is looked at.
    pub(super) fn of(core: &Core, caller: &Caller, headers: &HeaderMap) -> Result<Self, Failure> {
        match caller.line {
            Line::Socket(uid) => {
                let person = uid.and_then(|uid| core.people.by_uid(uid));
                let person = person.and_then(|person| person.at(core.clock.now()));
                let person = person.ok_or(Failure::new(&problem::IDENTITY_UNKNOWN))?;
                Ok(Self::Account(person))
            }
            Line::Console(address) => by_token(core, address, headers).map(Self::Program),
        }
    }

    /// Refuses what they may not do.
    pub(super) fn admit(&self, permission: Permission) -> Result<(), Failure> {
        let (person, scopes) = match self {
            Self::Account(person) => (person, None),
            Self::Program(token) => (&token.person, Some(token.scopes.as_slice())),
        };
        admit(person, scopes, permission)
    }

    /// What the token was made for, if it is one.
    pub(super) fn scopes(&self) -> Option<Vec<Permission>> {
        match self {
            Self::Account(_) => None,
            Self::Program(token) => Some(token.scopes.clone()),
        }
    }

    /// In whose name it is done.
    pub(super) fn person(self) -> Person {
        match self {
            Self::Account(person) => person,
            Self::Program(token) => token.person,
        }
    }
}

/// Refuses what this person may not do, by a token within these scopes; what an expert's role permits
/// and their engagement leaves out is not there for them.
pub(super) fn admit(
    person: &Person,
    scopes: Option<&[Permission]>,
    permission: Permission,
) -> Result<(), Failure> {
    let in_scope = scopes.is_none_or(|scopes| scopes.contains(&permission));
    match in_scope && person.roles.permits(permission) {
        true if person.permits(permission) => Ok(()),
        true => Err(Failure::new(&problem::SERVER_NO_ENDPOINT)),
        false => {
            Err(Failure::new(&problem::IDENTITY_DENIED)
                .about(remark::permission(permission.name())))
        }
    }
}

fn by_token(core: &Core, address: IpAddr, headers: &HeaderMap) -> Result<Token, Failure> {
    let refused = || Failure::new(&problem::IDENTITY_TOKEN_REFUSED);
    // A program that sent none yet is asked for one, and that is no entry.
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Err(refused());
    };
    let now = core.clock.now();
    let secret = given.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        TokenSecret::parse(token.trim()).filter(|_| is_bearer)
    });
    let token = secret.and_then(|secret| core.tokens.find(&secret, now));
    token.ok_or_else(|| {
        core.sign_in.refused_token(&Client::new(address, ""), now);
        refused()
    })
}
