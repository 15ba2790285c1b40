//! Who talks to whom: the devices by where they stand, with their conduits, and what nobody expected.
//!
//! It must never show what is allowed, refused or new by colour alone.

use std::collections::BTreeMap;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::conduit::{ConduitDevice, Conduits};
use labward_identity::Permission;

use super::{When, count};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Conduits of a device that are shown at once; the rest is a click away.
const SHOWN: usize = 8;

/// The devices of one place.
struct Zone<'a> {
    name: &'a str,
    devices: Vec<&'a ConduitDevice>,
}

#[derive(Template)]
#[template(path = "network.html")]
struct NetworkPage<'a> {
    f: &'a Frame,
    all: &'a Conduits,
    zones: Vec<Zone<'a>>,
    fault: Option<&'a ProblemBody>,
}

impl NetworkPage<'_> {
    fn may(&self) -> bool {
        self.f.may(Permission::DeviceChange)
    }

    fn is_guarded(&self, device: &ConduitDevice) -> bool {
        self.all.guarded.contains(&device.device)
    }
}

/// Which way a conversation goes, as a sign that is read as a word beside it.
fn arrow(direction: &str) -> &'static str {
    match direction {
        "inbound" => "←",
        _ => "→",
    }
}

/// Who talks to whom.
///
/// # Errors
///
/// [`RenderError`].
pub fn network(
    f: &Frame,
    all: &Conduits,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    let mut zones: BTreeMap<&str, Vec<&ConduitDevice>> = BTreeMap::new();
    for device in &all.devices {
        let zone = device.zone.as_deref().unwrap_or_default();
        zones.entry(zone).or_default().push(device);
    }
    let zones = zones.into_iter();
    let page = NetworkPage {
        f,
        all,
        zones: zones
            .map(|(name, devices)| Zone { name, devices })
            .collect(),
        fault,
    };
    page.render()
}

#[cfg(test)]
mod tests {
    use labward_api::conduit::{Conduit, ConduitAlert};
    use labward_identity::{Language, Role};

    use super::super::hits::tests::frame;
    use super::*;

    fn all() -> Conduits {
        let conduit = |peer: &str, decision: &str, public| Conduit {
            direction: "outbound".to_owned(),
            peer: peer.to_owned(),
            service: "tcp/2575".to_owned(),
            decision: decision.to_owned(),
            public,
            ..Conduit::default()
        };
        Conduits {
            devices: vec![ConduitDevice {
                device: 7,
                name: "XN <i>".to_owned(),
                addresses: vec!["10.9.0.7".to_owned()],
                zone: Some("Room 2".to_owned()),
                mode: "test".to_owned(),
                learning: true,
                conduits: vec![
                    conduit("10.9.0.1", "approved", false),
                    conduit("93.184.216.34", "learned", true),
                ],
            }],
            alerts: vec![ConduitAlert {
                id: 1,
                device: 7,
                name: "XN <i>".to_owned(),
                novelty: "public".to_owned(),
                direction: "outbound".to_owned(),
                peer: "93.184.216.34".to_owned(),
                service: "tcp/443".to_owned(),
                public: true,
                raised: "2026-11-27T10:00:00Z".to_owned(),
                entry: 9,
            }],
            guarded: vec![7],
            ..Conduits::default()
        }
    }

    #[test]
    fn devices_stand_by_their_place_and_only_who_may_decides() {
        let it = network(&frame(Role::SecurityOfficer, Language::En), &all(), None).unwrap();
        assert!(it.contains("Room 2") && it.contains("10.9.0.1"));
        assert!(!it.contains("XN <i>"), "names are escaped");
        assert!(it.contains("action=\"/devices/map/decide\""));
        let it = network(&frame(Role::Expert, Language::Es), &all(), None).unwrap();
        assert!(it.contains("93.184.216.34"));
        assert!(!it.contains("action=\"/devices/map/decide\""));
        let none = network(
            &frame(Role::Expert, Language::Es),
            &Conduits::default(),
            None,
        )
        .unwrap();
        assert!(none.contains("labward device listen"));
    }
}
