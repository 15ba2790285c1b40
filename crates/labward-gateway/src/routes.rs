//! Routes: where a message goes, decided once, at receipt.
//!
//! What was decided stands in the entry's facts; a later change of the configuration never moves a
//! message that was received before, and holds for the next one. A message without a route is kept
//! and goes nowhere.

use std::sync::{PoisonError, RwLock};

use crate::config::{DestinationName, LinkName, RouteConfig};

/// The routes of the configuration.
#[derive(Debug, Default)]
pub struct Routes(RwLock<Vec<RouteConfig>>);

impl Routes {
    /// These routes.
    pub fn new(routes: Vec<RouteConfig>) -> Self {
        Self(RwLock::new(routes))
    }

    /// Puts these routes in the place of the present ones, all at once.
    pub fn replace(&self, routes: Vec<RouteConfig>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    /// The destinations of a message of this type (`ORU^R01`, `ASTM`), each once, in the order of
    /// the configuration.
    pub fn of(&self, link: &LinkName, peer: &str, message_type: &str) -> Vec<DestinationName> {
        let mut to = Vec::new();
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for route in routes
            .iter()
            .filter(|route| matches(route, link, peer, message_type))
        {
            for name in &route.to {
                if !to.contains(name) {
                    to.push(name.clone());
                }
            }
        }
        to
    }
}

fn matches(route: &RouteConfig, link: &LinkName, peer: &str, message_type: &str) -> bool {
    (route.links.is_empty() || route.links.contains(link))
        && route
            .types
            .iter()
            .any(|pattern| fits(pattern, message_type))
        && route.from.iter().any(|pattern| fits(pattern, peer))
}

/// Exact, or a prefix followed by `*`.
fn fits(pattern: &str, text: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == text, |prefix| text.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(types: &[&str], from: &[&str], links: &[&str], to: &[&str]) -> RouteConfig {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        RouteConfig {
            types: texts(types),
            from: texts(from),
            links: links.iter().map(|name| name.parse().unwrap()).collect(),
            to: to.iter().map(|name| name.parse().unwrap()).collect(),
        }
    }

    #[test]
    fn a_message_goes_to_every_matching_route_once() {
        let routes = Routes::new(vec![
            route(&["ORU^R01"], &["*"], &[], &["ehr", "archive"]),
            route(&["ADT^*"], &["adt-*"], &["adt"], &["lis"]),
            route(&["*"], &["chem-1"], &[], &["archive", "lab"]),
        ]);
        let check = |link: &str, peer: &str, message_type: &str, expect: &[&str]| {
            let found = routes.of(&link.parse().unwrap(), peer, message_type);
            let found: Vec<_> = found.iter().map(DestinationName::as_str).collect();
            assert_eq!(found, expect, "{link} {peer} {message_type}");
        };
        check("hl7", "chem-1", "ORU^R01", &["ehr", "archive", "lab"]);
        check("hl7", "chem-2", "ORU^R01", &["ehr", "archive"]);
        check("adt", "adt-1", "ADT^A08", &["lis"]);
        check("hl7", "adt-1", "ADT^A08", &[]);
        check("hl7", "chem-2", "ORU^R30", &[]);
        routes.replace(vec![route(&["ORU^R30"], &["*"], &[], &["lis"])]);
        check("hl7", "chem-2", "ORU^R30", &["lis"]);
        check("hl7", "chem-1", "ORU^R01", &[]);
    }
}
