//! Captures of real devices become plans; skipped unless `LABWARD_TEST_DATA` names their folder.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;

use labward_base::id::DeviceId;
use labward_capture::{CaptureReader, Observer};
use labward_segmentation::network::{is_local, is_public};
use labward_segmentation::{
    Baseline, Decision, Direction, ListedDevice, Mode, Network, Observation, Plan, Ruleset,
};
use labward_testkit::test_data;

fn observations(bytes: &[u8]) -> Vec<Observation> {
    let (mut observer, mut reader) = (Observer::default(), CaptureReader::new());
    reader.read(bytes, true, |frame| {
        observer.observe(frame.at, frame.link, frame.bytes)
    });
    let conversations = observer.finish().conversations;
    conversations.iter().filter_map(Observation::of).collect()
}

#[test]
fn whatever_real_devices_did_is_a_conduit_and_nothing_else_is() {
    let Some(folder) = test_data("whatever_real_devices_did_is_a_conduit_and_nothing_else_is")
    else {
        return;
    };
    let mut files = 0;
    for entry in fs::read_dir(folder.join("pcap")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|end| end != "pcap" && end != "pcapng")
        {
            continue;
        }
        files += 1;
        let seen = observations(&fs::read(&path).unwrap());
        let ends = seen.iter().flat_map(|one| [one.client, one.server]);
        let is_device = |ip: &IpAddr| !is_local(*ip) && !ip.is_multicast();
        let addresses: BTreeSet<IpAddr> = ends.filter(is_device).collect();
        let devices = (1_u64..).zip(&addresses).map(|(id, ip)| ListedDevice {
            id: DeviceId::new(id),
            name: ip.to_string(),
            addresses: [*ip].into(),
            mac: None,
            zone: None,
        });
        let mut plan = Plan::default();
        plan.enrol(devices.collect()).unwrap();
        let public = Baseline::of(&plan).alerts(&seen);
        assert!(
            public.iter().all(|alert| is_public(alert.peer)),
            "{}",
            path.display()
        );
        plan.learn(&seen).unwrap();
        let mut conduits = 0;
        for device in plan.devices() {
            for conduit in &device.conduits {
                conduits += 1;
                let own = *device.addresses.first().unwrap();
                let peer = conduit.peer.address();
                let (client, server) = match conduit.direction {
                    Direction::Outbound => (own, peer),
                    Direction::Inbound => (peer, own),
                };
                let really = |one: &Observation| {
                    (one.client, one.server, one.service) == (client, server, conduit.service)
                };
                assert!(seen.iter().any(really), "{}: {conduit:?}", path.display());
                assert_eq!(conduit.decision, Decision::Learned);
                assert!(Network::host(peer) == conduit.peer);
            }
        }
        let sides = seen.iter().flat_map(|one| [one.client, one.server]);
        assert_eq!(
            conduits,
            sides.filter(|ip| addresses.contains(ip)).count(),
            "{}",
            path.display()
        );
        plan.change(|devices| {
            for device in devices {
                device.mode = Mode::Enforce;
                // One that only ever spoke to its own link.
                device.isolate = true;
                for conduit in &mut device.conduits {
                    conduit.decision = Decision::Approved;
                }
            }
        })
        .unwrap();
        assert!(Baseline::of(&plan).alerts(&seen).is_empty());
        let again = Plan::read(plan.write().unwrap().as_bytes()).unwrap();
        assert_eq!(again, plan);
        Ruleset::of(&plan).unwrap();
    }
    assert!(files > 0);
}
