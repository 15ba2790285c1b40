//! What a device does that it did not do before: the class of threat of a monitor that sends patient data to an
//! address on another continent, found without any advisory.
//!
//! It must never stay silent about a public address that no person approved.

use std::collections::BTreeMap;
use std::net::IpAddr;

use labward_base::Timestamp;
use labward_base::id::DeviceId;

use crate::conduit::{Conduit, Decision, Direction, Observation, Service};
use crate::network::{Network, is_local, is_public};
use crate::plan::{Plan, PlannedDevice};

/// What is expected of each device: its conduits.
#[derive(Debug)]
pub struct Baseline<'a> {
    devices: BTreeMap<IpAddr, &'a PlannedDevice>,
}

/// What about it is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Novelty {
    /// The device had nothing to do with this peer.
    Destination,
    /// It is known, but the address is public and nobody approved it.
    Public,
    /// A person refused it.
    Refused,
    /// The peer is known, and this service is not.
    Service,
}

/// A device does what is not expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Which device.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// What is new.
    pub novelty: Novelty,
    /// Who opened the conversation.
    pub direction: Direction,
    /// With whom.
    pub peer: IpAddr,
    /// Whether that may be anywhere in the Internet.
    pub is_public: bool,
    /// What was asked for.
    pub service: Service,
    /// What it was recognised as or is usually called.
    pub known_as: Option<String>,
    /// Its first packet.
    pub first_seen: Timestamp,
    /// Bytes in both directions.
    pub bytes: u64,
}

impl Novelty {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Destination => "destination",
            Self::Public => "public",
            Self::Refused => "refused",
            Self::Service => "service",
        }
    }
}

impl<'a> Baseline<'a> {
    /// What a plan expects; ask before the plan learns what is asked about.
    pub fn of(plan: &'a Plan) -> Self {
        let devices = plan.devices().iter();
        Self {
            devices: devices
                .flat_map(|device| device.addresses.iter().map(move |ip| (*ip, device)))
                .collect(),
        }
    }

    /// What is not expected, public addresses first, then in the order in which it was seen first.
    ///
    /// What never leaves the link gives none: no router can stop it.
    pub fn alerts(&self, observations: &[Observation]) -> Vec<Alert> {
        let mut alerts: Vec<_> = observations
            .iter()
            .flat_map(|one| one.sides().map(|side| (one, side)))
            .filter_map(|(one, (own, direction, peer))| {
                let device = *self.devices.get(&own)?;
                let novelty = novelty(device, direction, peer, one.service)?;
                Some(Alert {
                    device: device.id,
                    name: device.name.clone(),
                    novelty,
                    direction,
                    peer,
                    is_public: is_public(peer),
                    service: one.service,
                    known_as: (one.known_as.clone())
                        .or_else(|| one.service.usual_name().map(str::to_owned)),
                    first_seen: one.seen.first,
                    bytes: one.seen.bytes,
                })
            })
            .collect();
        alerts.sort_by_key(|alert| (!alert.is_public, alert.first_seen, alert.device));
        alerts
    }
}

fn novelty(
    device: &PlannedDevice,
    direction: Direction,
    peer: IpAddr,
    service: Service,
) -> Option<Novelty> {
    if is_local(peer) {
        return None;
    }
    let peer = Network::host(peer);
    let covering = |decision| {
        let covers =
            move |one: &Conduit| one.decision == decision && one.covers(direction, peer, service);
        device.conduits.iter().any(covers)
    };
    if covering(Decision::Refused) {
        return Some(Novelty::Refused);
    }
    if covering(Decision::Approved) {
        return None;
    }
    let is_known_peer = || device.conduits.iter().any(|one| one.peer.covers(peer));
    let is_public = is_public(peer.address());
    if covering(Decision::Learned) {
        return is_public.then_some(Novelty::Public);
    }
    if device.learning && !is_public {
        return None;
    }
    Some(match is_known_peer() {
        true => Novelty::Service,
        false => Novelty::Destination,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{listed, observation};

    fn shown(plan: &Plan, observations: &[Observation]) -> Vec<String> {
        let alerts = Baseline::of(plan).alerts(observations);
        let lines = alerts.iter().map(|alert| {
            let public = if alert.is_public { "public " } else { "" };
            let (novelty, direction) = (alert.novelty.name(), alert.direction.name());
            format!(
                "{} {novelty}: {direction} {public}{} {}",
                alert.device, alert.peer, alert.service
            )
        });
        lines.collect()
    }

    #[test]
    fn while_it_learns_only_a_public_address_that_nobody_approved_is_an_alert() {
        let mut plan = Plan::default();
        plan.enrol(vec![listed(7, "a", "10.1.0.7")]).unwrap();
        let seen = [
            observation("10.1.0.7", "10.1.9.1", "tcp/2575"),
            observation("10.1.0.7", "202.114.4.119", "tcp/515"),
            observation("10.1.0.7", "224.0.0.251", "udp/5353"),
        ];
        let phones_home = "7 destination: outbound public 202.114.4.119 tcp/515";
        assert_eq!(shown(&plan, &seen), [phones_home]);
        plan.learn(&seen).unwrap();
        assert_eq!(
            shown(&plan, &seen),
            ["7 public: outbound public 202.114.4.119 tcp/515"]
        );
        plan.change(|devices| {
            for conduit in &mut devices[0].conduits {
                conduit.decision = Decision::Approved;
            }
        })
        .unwrap();
        assert!(shown(&plan, &seen).is_empty());
    }

    #[test]
    fn after_learning_every_new_peer_service_and_direction_is_an_alert() {
        let mut plan = Plan::default();
        plan.enrol(vec![listed(7, "a", "10.1.0.7")]).unwrap();
        let known = observation("10.1.0.7", "10.1.9.1", "tcp/2575");
        let refused = observation("10.1.0.7", "10.1.9.3", "tcp/445");
        plan.learn(&[known.clone(), refused.clone()]).unwrap();
        plan.change(|devices| {
            devices[0].learning = false;
            devices[0].conduits[1].decision = Decision::Refused;
        })
        .unwrap();
        let seen = [
            known,
            refused,
            observation("10.1.0.7", "10.1.9.1", "tcp/3389"),
            observation("10.1.9.1", "10.1.0.7", "tcp/2575"),
            observation("10.1.0.7", "10.1.9.2", "tcp/2575"),
            observation("10.1.0.7", "202.114.4.119", "udp/53"),
        ];
        assert_eq!(
            shown(&plan, &seen),
            [
                "7 destination: outbound public 202.114.4.119 udp/53",
                "7 refused: outbound 10.1.9.3 tcp/445",
                "7 service: outbound 10.1.9.1 tcp/3389",
                "7 service: inbound 10.1.9.1 tcp/2575",
                "7 destination: outbound 10.1.9.2 tcp/2575",
            ]
        );
    }
}
