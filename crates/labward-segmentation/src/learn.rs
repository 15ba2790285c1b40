//! Observations become conduits that wait for a person.
//!
//! It must never approve anything, nor change what a person decided.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::conduit::{Conduit, Decision, Direction, Observation, Seen};
use crate::network::Network;
use crate::plan::{ALL_CONDUITS_MAX, CONDUITS_MAX, Plan, PlanError, TEXT_MAX};

/// What became of observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// New conduits.
    pub new: usize,
    /// Conduits that were known.
    pub known: usize,
    /// Observations without a listed device.
    pub foreign: usize,
    /// Observations for which there was no room.
    pub no_room: usize,
}

impl Observation {
    /// The parties as their devices see them: device's address, direction, peer.
    pub(crate) fn sides(&self) -> [(IpAddr, Direction, IpAddr); 2] {
        let (client, server) = (self.client.to_canonical(), self.server.to_canonical());
        [
            (client, Direction::Outbound, server),
            (server, Direction::Inbound, client),
        ]
    }
}

impl Plan {
    /// Adds what was observed of its devices; what is new waits as [`Decision::Learned`].
    ///
    /// # Errors
    /// [`PlanError`] if the plan would not be one any more; then nothing is changed.
    pub fn learn(&mut self, observations: &[Observation]) -> Result<Learned, PlanError> {
        let mut learned = Learned::default();
        let all = self.devices().iter().map(|device| device.conduits.len());
        let mut room = ALL_CONDUITS_MAX.saturating_sub(all.sum());
        self.change(|devices| {
            let mut places: BTreeMap<IpAddr, usize> = BTreeMap::new();
            for (place, device) in devices.iter().enumerate() {
                places.extend(device.addresses.iter().map(|ip| (*ip, place)));
            }
            for observation in observations {
                let mut is_ours = false;
                for (own, direction, peer) in observation.sides() {
                    let place = places.get(&own);
                    let Some(device) = place.and_then(|&place| devices.get_mut(place)) else {
                        continue;
                    };
                    is_ours = true;
                    take(
                        &mut device.conduits,
                        (direction, peer, observation),
                        &mut room,
                        &mut learned,
                    );
                }
                learned.foreign += usize::from(!is_ours);
            }
        })?;
        Ok(learned)
    }
}

fn take(
    conduits: &mut Vec<Conduit>,
    (direction, peer, observation): (Direction, IpAddr, &Observation),
    room: &mut usize,
    learned: &mut Learned,
) {
    let (peer, service) = (Network::host(peer), observation.service);
    let exact = conduits
        .iter()
        .position(|one| one.key() == (direction, peer, service));
    let wider = || {
        let mut all = conduits.iter();
        all.position(|one| {
            one.decision != Decision::Learned && one.covers(direction, peer, service)
        })
    };
    if let Some(one) = exact
        .or_else(wider)
        .and_then(|place| conduits.get_mut(place))
    {
        one.seen = Some(match &one.seen {
            Some(seen) => seen.and(&observation.seen),
            None => observation.seen.clone(),
        });
        learned.known += 1;
        return;
    }
    if *room == 0 || conduits.len() >= CONDUITS_MAX {
        learned.no_room += 1;
        return;
    }
    *room -= 1;
    learned.new += 1;
    let name = observation.known_as.as_deref();
    conduits.push(Conduit {
        direction,
        peer,
        service,
        decision: Decision::Learned,
        known_as: name.or(service.usual_name()).map(plain),
        seen: Some(observation.seen.clone()),
        note: None,
    });
}

/// A name that a plan may hold.
fn plain(text: &str) -> String {
    let signs = text.chars().filter(|sign| !sign.is_control());
    signs.take(TEXT_MAX).collect()
}

impl Seen {
    /// Both together; a time that was counted already, as of a capture that is read again, counts once.
    fn and(&self, other: &Self) -> Self {
        if self.first <= other.first && other.last <= self.last {
            return self.clone();
        }
        Self {
            packets: self.packets.saturating_add(other.packets),
            bytes: self.bytes.saturating_add(other.bytes),
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use labward_base::id::DeviceId;

    use super::*;
    use crate::samples::{listed, observation};

    fn two() -> Plan {
        let mut plan = Plan::default();
        let list = vec![listed(7, "a", "10.1.0.7"), listed(8, "b", "10.1.0.8")];
        plan.enrol(list).unwrap();
        plan
    }

    fn conduits(plan: &Plan, id: u64) -> Vec<String> {
        let device = plan.device(DeviceId::new(id)).unwrap();
        let shown = device.conduits.iter().map(|one| {
            let known = one.known_as.as_deref().unwrap_or("-");
            let (direction, decision) = (one.direction.name(), one.decision.name());
            format!(
                "{direction} {} {} {known} {decision}",
                one.peer, one.service
            )
        });
        shown.collect()
    }

    #[test]
    fn what_a_device_really_does_waits_for_a_person_with_its_direction() {
        let mut plan = two();
        let learned = plan
            .learn(&[
                observation("10.1.0.7", "10.1.9.1", "tcp/2575"),
                observation("10.1.9.2", "10.1.0.7", "tcp/104"),
                observation("10.1.0.7", "224.0.0.251", "udp/5353"),
                observation("10.1.0.7", "255.255.255.255", "udp/67"),
                observation("10.1.0.7", "10.1.0.8", "icmp"),
                observation("10.1.9.1", "10.1.9.2", "tcp/22"),
            ])
            .unwrap();
        let expected = Learned {
            new: 6,
            foreign: 1,
            ..Learned::default()
        };
        assert_eq!(learned, expected);
        assert_eq!(
            conduits(&plan, 7),
            [
                "inbound 10.1.9.2 tcp/104 DICOM learned",
                "outbound 10.1.0.8 icmp - learned",
                "outbound 10.1.9.1 tcp/2575 HL7 v2 learned",
                "outbound 224.0.0.251 udp/5353 mDNS learned",
                "outbound 255.255.255.255 udp/67 DHCP learned",
            ]
        );
        assert_eq!(conduits(&plan, 8), ["inbound 10.1.0.7 icmp - learned"]);
    }

    #[test]
    fn what_people_decided_stays_and_a_capture_read_again_counts_once() {
        let mut plan = two();
        let seen = [observation("10.1.0.7", "10.1.9.1", "tcp/2575")];
        plan.learn(&seen).unwrap();
        plan.change(|devices| {
            devices[0].conduits[0].decision = Decision::Refused;
            devices[0].conduits[0].peer = "10.1.9.0/24".parse().unwrap();
        })
        .unwrap();
        let learned = plan.learn(&seen).unwrap();
        assert_eq!((learned.new, learned.known), (0, 1));
        assert_eq!(
            conduits(&plan, 7),
            ["outbound 10.1.9.0/24 tcp/2575 HL7 v2 refused"]
        );
        let counted = plan.devices()[0].conduits[0].seen.clone().unwrap();
        assert_eq!(counted, seen[0].seen);
    }

    #[test]
    fn what_has_no_room_is_counted_as_such() {
        let mut plan = two();
        let scan: Vec<_> = (1..=CONDUITS_MAX + 5)
            .map(|port| observation("10.1.0.7", "10.1.9.1", &format!("tcp/{port}")))
            .collect();
        let learned = plan.learn(&scan).unwrap();
        assert_eq!((learned.new, learned.no_room), (CONDUITS_MAX, 5));
    }
}
