//! How people come to sign in at the console, who is signed in, and the tokens of programs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to `POST people/{id}/invite`; the code is in it once and kept nowhere.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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

/// `POST tokens`: a token with which a program is to act.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The number of the person in whose name it acts.
    pub person: u64,
    /// What it is for, 1 to 64 characters.
    pub name: String,
    /// The permissions it is made for, such as `message.list`.
    pub scopes: Vec<String>,
    /// How many days it lasts, 1 to 366.
    pub days: u32,
}

/// The answer: the token stands in it once and is kept nowhere.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
pub struct AddedToken {
    /// The token, to be sent as `Authorization: Bearer`.
    pub secret: String,
    /// Where the API is over TLS; none without a console.
    pub url: Option<String>,
    /// What is known about it.
    pub token: Token,
}

/// `GET tokens`: one token.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Token {
    /// Its number: the index of the entry that records it.
    pub number: u64,
    /// The number of the person in whose name it acts.
    pub person: u64,
    /// Their name.
    pub person_name: String,
    /// What it is for.
    pub name: String,
    /// The permissions it was made for; what the person may not do, it may not do either.
    pub scopes: Vec<String>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it ends.
    pub ends_at: String,
    /// When it was last used, at most a minute behind; none: never.
    pub last_used: Option<String>,
}

/// `GET passkeys`: one passkey.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Passkey {
    /// Its number: the index of the entry that records it.
    pub number: u64,
    /// The number of the person whose it is.
    pub person: u64,
    /// Their name.
    pub person_name: String,
    /// What they call it.
    pub name: String,
    /// The console's name that it was made for; it is of no use at another.
    pub relying_party: String,
    /// When it was added, RFC 3339.
    pub created: String,
    /// When somebody last signed in with it; none: never.
    pub last_used: Option<String>,
}
