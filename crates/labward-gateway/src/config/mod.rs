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

pub use check::{ConfigError, PlainException, check_outbound};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{InspectPolicy, OnFailed, OnFound, OnMalicious};
    use labward_base::Timestamp;

    const WHOLE: &str = r#"
        [[links]]
        name = "chemistry"
        listen = "0.0.0.0:2575"
        framing = "mllp"
        acknowledge = "by-message"
        same_id_other_content = "hold"
        batch = "per-message"
        strictness = "lenient"
        inspect = { malicious = "hold", suspicious = "replace", unscannable = "hold", failed = "hold" }
        [links.limits]
        max_message_bytes = 1048576
        [[links]]
        name = "old"
        listen = "10.0.0.1:2576"
        framing = "mllp-release-2"
        [links.transport]
        mode = "plain"
        reason = "the device knows no TLS"
        owner = "J. Smith"
        expires = "2027-06-30"
        from_addresses = ["10.0.0.7"]
        [[routes]]
        types = ["ORU^R01"]
        to = ["ehr", "drop"]
        [[destinations]]
        name = "ehr"
        [destinations.target]
        kind = "mllp"
        address = "ehr.example:2575"
        [destinations.target.transport]
        mode = "mutual-tls"
        [destinations.on]
        reject = "stop"
        [[destinations]]
        name = "drop"
        [destinations.target]
        kind = "file-drop"
        folder = "/srv/drop"
        recipient = "age1"
    "#;

    fn at(day: &str) -> Timestamp {
        Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).unwrap()
    }

    fn check(text: &str, expect: &str) {
        let config: GatewayConfig = toml::from_str(text).unwrap();
        let error = config.check(at("2027-01-01")).unwrap_err();
        assert_eq!(error.to_string(), expect);
    }

    #[test]
    fn every_key_is_read_and_a_plain_line_is_a_finding() {
        let config: GatewayConfig = toml::from_str(WHOLE).unwrap();
        let plain = config.check(at("2027-01-01")).unwrap();
        assert_eq!(config.runtimes, 2);
        assert_eq!(config.links[0].limits.max_message_bytes, 1 << 20);
        assert_eq!(config.links[0].limits.frame_seconds, 30);
        let inspect = config.links[0].inspect;
        assert_eq!(inspect.malicious, OnMalicious::Hold);
        assert_eq!(inspect.suspicious, OnFound::Replace);
        assert_eq!(
            (inspect.unscannable, inspect.failed),
            (OnFound::Hold, OnFailed::Hold)
        );
        assert_eq!(config.links[1].inspect, InspectPolicy::default());
        assert_eq!(config.destinations[0].on.reject, OnFailure::Stop);
        let [plain] = plain.as_slice() else {
            panic!("{plain:?}")
        };
        assert_eq!((plain.place.as_str(), plain.loopback), ("link old", false));
        assert!(
            config.check(at("2027-07-01")).is_err(),
            "the exception has ended"
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        for text in [
            "threads = 2",
            "[[links]]\nname = \"a\"\nlisten = \"127.0.0.1:1\"\ntls = false",
            "[[links]]\nname = \"a\"\nlisten = \"127.0.0.1:1\"\ninspect = { clean = \"pass\" }",
            "[[links]]\nname = \"a\"\nlisten = \"127.0.0.1:1\"\ninspect = { malicious = \"pass\" }",
            "[[links]]\nname = \"a\"\nlisten = \"127.0.0.1:1\"\n[links.limits]\nrate = 1",
            "[[links]]\nname = \"a\"\nlisten = \"127.0.0.1:1\"\n[links.transport]\nmode = \"plain\"\nwhy = \"\"",
        ] {
            assert!(toml::from_str::<GatewayConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_must_not_run_is_refused_with_its_place() {
        let link = |more: &str| format!("[[links]]\nname = \"a\"\nlisten = \"10.0.0.1:1\"\n{more}");
        check(
            &link("[links.transport]\nmode = \"plain\"\nreason = \"x\"\nowner = \" \""),
            "check link a: a plain line off loopback needs a reason, an owner and a last day (expires)",
        );
        check(
            &link(
                "[links.transport]\nmode = \"plain\"\nreason = \"x\"\nowner = \"y\"\n\
                 expires = \"2027-06-30\"",
            ),
            "check link a: a plain link off loopback names the source addresses it accepts \
             (from_addresses)",
        );
        check(
            &[link(""), link("")].concat(),
            "check link a: the name stands twice",
        );
        check(
            &link("[links.limits]\nframe_seconds = 0"),
            "check link a: a time limit must be 1 to 3600 seconds",
        );
        check("runtimes = 0", "check gateway: runtimes must be 1 to 64");
        check(
            "[[routes]]\ntypes = [\"*\"]\nto = [\"nowhere\"]",
            "check route 1: it goes to a destination that is not configured",
        );
        let destination =
            "[[destinations]]\nname = \"d\"\n[destinations.target]\nkind = \"mllp\"\n";
        check(
            &format!("{destination}address = \"ehr.example\""),
            "check destination d: the address needs a host and a port",
        );
        check(
            &format!(
                "{destination}address = \"ehr.example:1\"\n[destinations.target.transport]\n\
                 mode = \"plain\""
            ),
            "check destination d: a plain line off loopback needs a reason, an owner and a last \
             day (expires)",
        );
    }
}
