#![doc = include_str!("../README.md")]
//!
//! | Module | Endpoints below `/api/v1` |
//! |---|---|
//! | [`status`] | `status`, `check`, `unseal`, `destinations` |
//! | [`config`] | `config/preview`, `config/reload` |
//! | [`backup`] | `backups`, `key/archives` |
//! | [`key`] | `key/slots`, `key/rotate`, `key/where` |
//! | [`peer`] | `peers`, `people` |
//! | [`session`] | `people/{id}/invite`, `sessions`, `tokens` |
//! | [`advisory`] | `advisories` |
//! | [`behaviour`] | `behaviour` |
//! | [`conduit`] | `conduits` |
//! | [`device`] | `devices` |
//! | [`hit`] | `hits` |
//! | [`edge`] | `peers/{name}/enroll`; how an edge enrols, and how it is |
//! | [`message`] | `messages` |
//! | [`record`] | `records`, `patients` |
//! | [`ledger`] | `ledger` |
//! | [`schema`] | `openapi.json`: every type as JSON Schema |
//! | [`safeguard`] | `safeguards` |
//! | [`traffic`] | `traffic` |
//! | [`mail`] | `mail`: who is reminded by e-mail |
//! | [`webhook`] | `webhooks`, and what is sent to them |
//!
//! Every request that reads or changes records carries `why`; who asks is known by the socket, or by a token over TLS.

pub mod account;
pub mod advisory;
pub mod backup;
pub mod behaviour;
pub mod conduit;
pub mod config;
pub mod device;
pub mod disclosure;
pub mod edge;
pub mod export;
pub mod glass;
pub mod hit;
pub mod integrity;
pub mod key;
pub mod ledger;
pub mod mail;
pub mod malware;
pub mod message;
pub mod peer;
pub mod person;
pub mod record;
pub mod remark;
pub mod safeguard;
pub mod schema;
pub mod session;
pub mod status;
pub mod traffic;
pub mod webhook;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The prefix of every endpoint.
pub const PREFIX: &str = "/api/v1";

/// The answer to a request that failed, in the shape of RFC 9457 with our own member names.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ProblemBody {
    /// The stable code; `docs/ref/errors.md` lists all.
    pub code: String,
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub todo: String,
    /// What varies: a name, a date, a place; never patient data, never in a 5xx answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The same as a remark, if it is one of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<remark::Remark>,
    /// The reference to look for in the log, in a 5xx answer only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A request that only needs a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Why it is done, in the person's own words; recorded, sealed under the site's audit key.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
}

/// An answer that says only that it was done and where the ledger says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Done {
    /// The index of the entry that records it, if it changed anything.
    pub entry: Option<u64>,
}
