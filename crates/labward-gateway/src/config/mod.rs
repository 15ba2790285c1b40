//! What the gateway is told: links, routes and destinations, with their defaults and limits.
//!
//! Every key has its default and unit beside it; an unknown key is refused. A configuration that
//! asks for a plain line without owner and end never starts (**Invariant:** plaintext never
//! rests, nor travels unseen).

mod check;
mod destination;
mod limits;
mod link;
mod name;
mod plain;
mod route;

use serde::Deserialize;

pub use check::{ConfigError, PlainException};
pub use destination::{
    DestinationConfig, FailurePolicies, OnFailure, OutboundTransport, RetryConfig, Target,
};
pub use limits::Limits;
pub use link::{AckMode, BatchPolicy, DuplicatePolicy, Framing, LinkConfig, Strictness, Transport};
pub use name::{DestinationName, LinkName, NotAName};
pub use plain::{Expiry, NotADay};
pub use route::RouteConfig;

/// The whole configuration of the gateway; every key is optional.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Threads for sockets, TLS, parsing and sealing, 1 to 64. Default 2.
    pub runtimes: usize,
    /// Seconds that messages in flight may take when the gateway stops. Default 10.
    pub drain_seconds: u64,
    /// The links; none by default.
    pub links: Vec<LinkConfig>,
    /// The routes; none by default, so that messages are kept and go nowhere.
    pub routes: Vec<RouteConfig>,
    /// The destinations; none by default.
    pub destinations: Vec<DestinationConfig>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            runtimes: 2,
            drain_seconds: 10,
            links: Vec::new(),
            routes: Vec::new(),
            destinations: Vec::new(),
        }
    }
}
