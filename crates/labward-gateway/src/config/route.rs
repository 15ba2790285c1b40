//! Routes: which messages go to which destinations.

use serde::Deserialize;

use super::name::{DestinationName, LinkName};

/// One route; a message goes to the destinations of every route that matches it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Message types, such as `"ORU^R01"`, `"ADT^*"` or `"*"`; `"ASTM"` for ASTM messages.
    /// Required.
    pub types: Vec<String>,
    /// Names of the sending peers, exact or ending in `*`. Default `["*"]`.
    #[serde(default = "every_peer")]
    pub from: Vec<String>,
    /// The links it holds for. Default empty: every link.
    #[serde(default)]
    pub links: Vec<LinkName>,
    /// Destinations, by name. Required.
    pub to: Vec<DestinationName>,
}

fn every_peer() -> Vec<String> {
    vec!["*".into()]
}
