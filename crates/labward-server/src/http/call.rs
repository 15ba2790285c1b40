//! One request as a handler sees it, and its answer.
//!
//! A handler is a plain blocking function: who asks is known and permitted before it runs. It must
//! never be given an address, a header or a body larger than its endpoint takes.

use std::io::Write;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::Uri;
use labward_api::Done;
use labward_base::id::{EntryIndex, PersonId};
use labward_base::{problem, remark};
use labward_identity::{Permission, Person};
use labward_ledger::Actor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::asker::admit;
use super::failure::Failure;
use super::upload::Upload;
use crate::app::{Core, Opened};
use crate::check::CheckInput;

/// Characters of a reason at most.
const WHY_MAX_CHARS: usize = 1_000;

/// One permitted request.
pub(crate) struct Call {
    /// The server.
    pub(crate) core: Arc<Core>,
    /// Who asks.
    pub(crate) person: Person,
    /// What the token was made for, if a program asks by one.
    pub(crate) scopes: Option<Vec<Permission>>,
    /// What stands in the path's places.
    pub(crate) params: Vec<(String, String)>,
    /// The path and query.
    pub(crate) uri: Uri,
    /// The body; empty where it is an upload.
    pub(crate) body: Bytes,
    /// What the checks look at, once it was measured: at most once for what is answered together.
    pub(crate) measured: Arc<OnceLock<CheckInput>>,
    /// The body that is still coming in, until the handler takes it.
    pub(crate) upload: Mutex<Option<Upload>>,
}

/// What a handler answers.
pub(crate) enum Answer {
    /// JSON.
    Json(Vec<u8>),
    /// Bytes that are written while they are sent, and wiped when they were.
    Stream(Writer),
    /// The same with a kind and a name to keep it under.
    File {
        writer: Writer,
        kind: &'static str,
        name: String,
    },
}

/// Writes a streamed answer; a failure before the first byte is answered as one.
pub(crate) type Writer = Box<dyn FnOnce(&mut dyn Write) -> Result<(), Failure> + Send>;

impl Call {
    /// The number of the person who asks.
    pub(crate) fn by(&self) -> PersonId {
        self.person.id
    }

    /// The person who asks, as entries name them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Person(self.person.id)
    }

    /// Refuses what who asks may not do, too.
    pub(crate) fn admit(&self, permission: Permission) -> Result<(), Failure> {
        admit(&self.person, self.scopes.as_deref(), permission)
    }

    /// What needs the root key to be open.
    pub(crate) fn opened(&self) -> Result<Arc<Opened>, Failure> {
        self.core
            .opened()
            .ok_or(Failure::new(&problem::KEYS_SEALED))
    }

    /// What the checks look at.
    pub(crate) fn measured(&self) -> &CheckInput {
        self.measured
            .get_or_init(|| super::check::measure(&self.core))
    }

    /// The text in the path's place `name`.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, text)| text)
    }

    /// What stands in the path's place `name`.
    pub(crate) fn param<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        let wrong = |_| Failure::misunderstood(remark::path_form(name));
        self.text(name).parse().map_err(wrong)
    }

    /// The body that is still coming in; to be taken once.
    pub(crate) fn upload(&self) -> Result<Upload, Failure> {
        let mut upload = self.upload.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || Failure::new(&problem::SERVER_INTERNAL).with("an upload was taken twice");
        upload.take().ok_or_else(missing)
    }

    /// What a file in the body is called, as far as the query says so.
    pub(crate) fn file_name(&self) -> Option<String> {
        let query = self.uri.query()?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(name, _)| matches!(&**name, "name" | "file" | "ending"));
        found.map(|(name, value)| match &*name {
            "ending" => format!("file.{value}"),
            _ => value.into_owned(),
        })
    }

    /// The query string.
    pub(crate) fn query<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        // The cause may quote the query, so it is not shown.
        let query = Query::try_from_uri(&self.uri)
            .map_err(|_| Failure::misunderstood(remark::query_form()))?;
        Ok(query.0)
    }

    /// The body, as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // The cause may quote the body, so only the place is shown.
            let (line, column) = (error.line(), error.column());
            let what = match error.classify() {
                serde_json::error::Category::Data => {
                    "a member is unknown, missing or of another type"
                }
                _ => "it is not JSON",
            };
            Failure::bad_request(format!("the body at line {line}, column {column}: {what}"))
        })
    }
}

impl Answer {
    /// That it was done, and where the ledger says so.
    pub(crate) fn done(entry: Option<EntryIndex>) -> Result<Self, Failure> {
        Self::json(&Done {
            entry: entry.map(EntryIndex::get),
        })
    }

    /// This value as JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Failure> {
        let json = serde_json::to_vec(value);
        json.map(Self::Json)
            .map_err(|_| Failure::new(&problem::SERVER_INTERNAL).with("write an answer as JSON"))
    }
}

/// The reason, trimmed; an empty one is refused.
pub(crate) fn reason(why: &str) -> Result<&str, Failure> {
    let why = why.trim();
    if why.is_empty() {
        return Err(Failure::new(&problem::SERVER_NO_REASON));
    }
    if why.chars().count() > WHY_MAX_CHARS {
        return Err(Failure::bad_request(
            "the reason is longer than 1,000 characters",
        ));
    }
    Ok(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_words_and_not_a_book() {
        assert_eq!(reason("  audit  ").unwrap(), "audit");
        for empty in ["", " ", "\n\t"] {
            let failure = reason(empty).unwrap_err();
            assert_eq!(failure.problem().code, "server.no-reason");
        }
        assert!(reason(&"x".repeat(WHY_MAX_CHARS)).is_ok());
        assert!(reason(&"x".repeat(WHY_MAX_CHARS + 1)).is_err());
    }
}
