//! `accounts`: which account at the identity provider is whose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account at the lab's identity provider, linked to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LinkedAccount {
    /// The person's number; 0 when linking.
    #[serde(default)]
    pub person: u64,
    /// The person's name; empty when linking.
    #[serde(default)]
    pub name: String,
    /// The e-mail address or user name there, whichever the lab goes by; 1 to 254 characters without a
    /// space.
    pub account: String,
    /// Who vouches for them; none until somebody signed in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What the issuer knows them by, and never gives to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The last sign-in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}
