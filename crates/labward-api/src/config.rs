//! The configuration while the server runs: what a reload would change, and the reload itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ProblemBody;

/// `GET config/preview` and `POST config/reload`: what is otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Reload {
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// What differs from the configuration that was in force before.
    pub changes: Vec<ConfigChange>,
    /// In a preview: why a reload would be refused, and nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ProblemBody>,
}

/// One key that is otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConfigChange {
    /// The table, such as `[log]` or `[[link]] xn550`.
    pub table: String,
    /// The key, with the tables within that lead to it: `limits.frame_seconds`.
    pub key: String,
    /// The value before, as TOML; none if there was none.
    pub old: Option<String>,
    /// The value now, as TOML; none if there is none.
    pub new: Option<String>,
    /// Whether only a start reads it, so that a reload is refused.
    pub needs_restart: bool,
}
