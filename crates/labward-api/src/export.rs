//! Lists as files.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which rows of a list to take out.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListExport {
    /// The members of the list's filter, each as text; none is the whole list.
    pub filter: BTreeMap<String, String>,
    /// The patient, for `results` and `accesses`.
    pub patient: Option<u64>,
    /// Why, for `results` and `accesses`; recorded, sealed.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: Option<String>,
}
