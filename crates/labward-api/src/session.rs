//! How people come to sign in at the console, and who is signed in.

use serde::{Deserialize, Serialize};

/// The answer to `POST people/{id}/invite`; the code is in it once and kept nowhere.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// The person's number.
    pub person: u64,
    /// The one-time code.
    pub code: String,
    /// The console's page where it is typed, with the code behind its `#`; none without a console.
    pub link: Option<String>,
    /// When it ends, RFC 3339.
    pub expires: String,
}

/// `GET sessions`: one session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its number: the index of the entry with which it began.
    pub number: u64,
    /// The number of the person who is signed in.
    pub person: u64,
    /// Their name.
    pub name: String,
    /// When it began, RFC 3339.
    pub created: String,
    /// When it was last used.
    pub last_seen: String,
    /// When it ends if it is not used again.
    pub idle_ends_at: String,
    /// When it ends in any case.
    pub ends_at: String,
    /// The address that it was begun from.
    pub source: String,
    /// What the browser calls itself.
    pub agent: String,
}
