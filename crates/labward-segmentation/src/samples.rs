//! Plans and observations for tests.

use labward_base::Timestamp;
use labward_base::id::DeviceId;

use crate::conduit::{Conduit, Decision, Direction, Observation, Seen};
use crate::plan::{ListedDevice, Mode, Plan};

pub(crate) fn listed(id: u64, name: &str, address: &str) -> ListedDevice {
    ListedDevice {
        id: DeviceId::new(id),
        name: name.to_owned(),
        addresses: [address.parse().unwrap()].into(),
        mac: None,
        zone: None,
    }
}

pub(crate) fn observation(client: &str, server: &str, service: &str) -> Observation {
    Observation {
        client: client.parse().unwrap(),
        server: server.parse().unwrap(),
        service: service.parse().unwrap(),
        known_as: None,
        seen: Seen {
            packets: 10,
            bytes: 1_000,
            first: Timestamp::from_seconds(1_800_000_000),
            last: Timestamp::from_seconds(1_800_000_060),
        },
    }
}

pub(crate) fn conduit(direction: Direction, peer: &str, service: &str) -> Conduit {
    Conduit {
        direction,
        peer: peer.parse().unwrap(),
        service: service.parse().unwrap(),
        decision: Decision::Approved,
        known_as: None,
        seen: None,
        note: None,
    }
}

/// A device that is enforced, and one that is tested.
pub(crate) fn plan() -> Plan {
    let mut plan = Plan::default();
    let list = vec![
        listed(7, "Haematology 1", "10.1.0.7"),
        listed(8, "Chemistry", "10.1.0.8"),
    ];
    plan.enrol(list).unwrap();
    plan.change(|devices| {
        let [one, other] = &mut devices[..] else {
            panic!("two devices")
        };
        one.mode = Mode::Enforce;
        one.conduits = vec![
            conduit(Direction::Outbound, "10.1.9.1", "tcp/2575"),
            conduit(Direction::Inbound, "10.1.9.1", "tcp/104"),
        ];
        other.mode = Mode::Test;
        other.addresses.insert("fd00:1::8".parse().unwrap());
        other.conduits = vec![
            conduit(Direction::Outbound, "10.1.8.0/22", "tcp/1024-2048"),
            conduit(Direction::Outbound, "fd00:9::1", "udp/123"),
            conduit(Direction::Inbound, "fd00:9::1", "icmpv6"),
            conduit(Direction::Outbound, "224.0.0.251", "udp/5353"),
        ];
        let mut refused = conduit(Direction::Outbound, "10.1.9.9", "tcp/445");
        refused.decision = Decision::Refused;
        let mut learned = conduit(Direction::Outbound, "10.1.9.8", "tcp/80");
        learned.decision = Decision::Learned;
        other.conduits.extend([refused, learned]);
    })
    .unwrap();
    plan
}
