//! The rules in a real kernel: a device, a router and servers in network namespaces of their own.
//!
//! Skipped where the account or the machine cannot make them, or `nft` is not there.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of a test file; one that cannot run says so"
)]

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use labward_base::id::DeviceId;
use labward_segmentation::{
    Conduit, Decision, DeviceCounts, Direction, Hash, Liveness, Loaded, Mode, Network, Plan,
    PlannedDevice, Ports, ReadError, Ruleset, Service, TABLE, holds_table,
};
use labward_testkit::RoutedNetwork;
use labward_testkit::network::Space;
use proptest::prelude::*;

/// How long is waited for what must not come.
const SILENCE: Duration = Duration::from_millis(700);
/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

fn network(test: &str) -> Option<RoutedNetwork> {
    let network = RoutedNetwork::lay().filter(|network| {
        let nft = network.router.inside(|| {
            std::panic::catch_unwind(|| network.router.run("nft", &["list", "tables"], b""))
        });
        nft.is_ok_and(|output| output.status.success())
    });
    if network.is_none() {
        eprintln!("labward-skip: {test}: namespaces and nft take root, iproute2 and nftables");
    }
    network
}

fn conduit(direction: Direction, peer: &str, service: &str) -> Conduit {
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

/// Device 7 with its IPv4 and IPv6 address, so treated and with these conduits.
fn plan(mode: Mode, conduits: Vec<Conduit>) -> Plan {
    let addresses = ["10.1.0.7", "fd00:1::7"].map(|ip| ip.parse().unwrap());
    Plan::of(vec![PlannedDevice {
        id: DeviceId::new(7),
        name: "Haematology \"1\"".to_owned(),
        addresses: addresses.into(),
        mac: None,
        zone: None,
        mode,
        learning: false,
        isolate: false,
        conduits,
    }])
    .unwrap()
}

/// What the device really needs: results out, queries in, name service.
fn usual(mode: Mode) -> Plan {
    plan(
        mode,
        vec![
            conduit(Direction::Outbound, "10.1.9.1", "tcp/2575"),
            conduit(Direction::Outbound, "10.1.9.1", "udp/53"),
            conduit(Direction::Outbound, "fd00:9::1", "tcp/2575"),
            conduit(Direction::Inbound, "10.1.9.0/24", "tcp/104"),
        ],
    )
}

fn nft(space: &Space, words: &[&str], input: &str) -> String {
    let output = space.run("nft", words, input.as_bytes());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "nft {words:?}: {said}\n{input}");
    String::from_utf8(output.stdout).unwrap()
}

fn load(space: &Space, plan: &Plan) -> Hash {
    let ruleset = Ruleset::of(plan).unwrap();
    nft(space, &["-f", "-"], &(plan.legend() + &ruleset.nft(None)));
    ruleset.hash()
}

fn read(space: &Space) -> Result<Option<Loaded>, ReadError> {
    if !holds_table(&nft(space, &["list", "tables"], "")) {
        return Ok(None);
    }
    let answer = nft(space, &["-j", "-n", "list", "table", "inet", TABLE], "");
    Loaded::read(answer.as_bytes())
}

fn loaded(space: &Space) -> Option<Loaded> {
    read(space).unwrap()
}

fn liveness(space: &Space, expected: Hash) -> Liveness {
    Loaded::liveness(loaded(space).as_ref(), Some(expected))
}

fn counts(space: &Space) -> DeviceCounts {
    let counts = loaded(space).unwrap().device_counts();
    let [counts] = &counts[..] else {
        panic!("{counts:?}")
    };
    *counts
}

fn listen(space: &Space, at: &str) -> TcpListener {
    let address = RoutedNetwork::address(at);
    space.inside(|| TcpListener::bind(address)).unwrap()
}

/// Opens a connection, or does not within the time.
fn connect(space: &Space, to: &str, wait: Duration) -> Option<TcpStream> {
    let address = RoutedNetwork::address(to);
    match space.inside(|| TcpStream::connect_timeout(&address, wait)) {
        Ok(stream) => {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            Some(stream)
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{to}: {error}");
            None
        }
    }
}

/// Whether what one end says arrives at the other within the time.
fn passes(from: &mut TcpStream, to: &mut TcpStream, wait: Duration) -> bool {
    from.write_all(b"?").unwrap();
    to.set_read_timeout(Some(wait)).unwrap();
    let mut heard = [0];
    to.read_exact(&mut heard).is_ok()
}

fn udp(space: &Space, at: &str) -> UdpSocket {
    let address = RoutedNetwork::address(at);
    space.inside(|| UdpSocket::bind(address)).unwrap()
}

fn heard(socket: &UdpSocket, wait: Duration) -> Option<SocketAddr> {
    socket.set_read_timeout(Some(wait)).unwrap();
    socket.recv_from(&mut [0; 8]).ok().map(|(_, from)| from)
}

#[test]
fn on_test_what_is_not_approved_goes_through_and_is_counted() {
    let Some(network) = network("on_test_what_is_not_approved_goes_through_and_is_counted") else {
        return;
    };
    let hash = load(&network.router, &usual(Mode::Test));
    let (_lis, _file) = (
        listen(&network.servers, "10.1.9.1:2575"),
        listen(&network.servers, "10.1.9.2:445"),
    );
    assert!(connect(&network.device, "10.1.9.1:2575", PATIENCE).is_some());
    let before = counts(&network.router);
    assert_eq!(before.mode, Mode::Test);
    assert!(before.from_allowed.packets > 0 && before.to_allowed.packets > 0);
    assert_eq!(
        (before.from_refused.packets, before.to_refused.packets),
        (0, 0)
    );
    assert!(connect(&network.device, "10.1.9.2:445", PATIENCE).is_some());
    let after = counts(&network.router);
    assert!(after.from_refused.packets > 0 && after.to_refused.packets > 0);
    assert!(after.from_refused.bytes >= 40);
    let live = Liveness::Live {
        hash,
        lapses_in_s: None,
    };
    assert_eq!(liveness(&network.router, hash), live);
    assert!(loaded(&network.router).unwrap().forwarded().packets > 0);
}

#[test]
fn enforced_only_what_is_approved_goes_on_and_the_rest_is_dropped_and_counted() {
    let Some(network) =
        network("enforced_only_what_is_approved_goes_on_and_the_rest_is_dropped_and_counted")
    else {
        return;
    };
    load(&network.router, &usual(Mode::Enforce));
    let (device, servers, router) = (&network.device, &network.servers, &network.router);
    let _lis = [
        listen(servers, "10.1.9.1:2575"),
        listen(servers, "[fd00:9::1]:2575"),
    ];
    let _file = [
        listen(servers, "10.1.9.2:2575"),
        listen(servers, "10.1.9.1:445"),
    ];
    let _own = [
        listen(device, "10.1.0.7:104"),
        listen(device, "10.1.0.7:5900"),
        listen(device, "10.1.0.8:5900"),
    ];
    let _here = listen(router, "10.1.0.1:22");

    assert!(connect(device, "10.1.9.1:2575", PATIENCE).is_some());
    assert!(connect(device, "[fd00:9::1]:2575", PATIENCE).is_some());
    assert!(connect(servers, "10.1.0.7:104", PATIENCE).is_some());
    let before = counts(router);
    assert_eq!(before.mode, Mode::Enforce);
    assert_eq!(
        (before.from_refused.packets, before.to_refused.packets),
        (0, 0)
    );

    assert!(connect(device, "10.1.9.1:445", SILENCE).is_none());
    assert!(connect(device, "10.1.9.2:2575", SILENCE).is_none());
    let after = counts(router);
    assert!(after.from_refused.packets >= 2, "{after:?}");
    assert_eq!(after.to_refused.packets, 0);
    assert!(connect(servers, "10.1.0.7:5900", SILENCE).is_none());
    assert!(counts(router).to_refused.packets >= 1);

    // Neither another device nor the machine itself is touched.
    assert!(connect(servers, "10.1.0.8:5900", PATIENCE).is_some());
    assert!(connect(device, "10.1.0.1:22", PATIENCE).is_some());
}

#[test]
fn an_answer_passes_and_what_only_looks_like_one_does_not() {
    let Some(network) = network("an_answer_passes_and_what_only_looks_like_one_does_not") else {
        return;
    };
    load(&network.router, &usual(Mode::Enforce));
    let names = udp(&network.servers, "10.1.9.1:53");
    let asking = udp(&network.device, "10.1.0.7:40000");
    let other = udp(&network.device, "10.1.0.7:40001");
    asking.send_to(b"?", "10.1.9.1:53").unwrap();
    let from = heard(&names, PATIENCE).unwrap();
    names.send_to(b"!", from).unwrap();
    assert_eq!(heard(&asking, PATIENCE).unwrap().port(), 53);
    // From the port of the answers, but nobody asked.
    names.send_to(b"!", "10.1.0.7:40001").unwrap();
    assert_eq!(heard(&other, SILENCE), None);
    assert_eq!(counts(&network.router).to_refused.packets, 1);
    // A connection from the port that answers elsewhere is opened, so it is no answer.
    let _own = listen(&network.device, "10.1.0.7:5900");
    let bound = network.servers.inside(|| {
        let python = "import socket,sys\ns=socket.socket()\ns.setsockopt(1,2,1)\ns.bind(('10.1.9.1',2575))\n\
            s.settimeout(0.7)\nsys.exit(s.connect_ex(('10.1.0.7',5900)) == 0)";
        network.servers.run("python3", &["-c", python], b"")
    });
    assert!(bound.status.success(), "{bound:?}");
    assert!(counts(&network.router).to_refused.packets >= 2);
}

#[test]
fn an_open_connection_outlives_a_new_ruleset_until_its_conduit_is_refused() {
    let Some(network) =
        network("an_open_connection_outlives_a_new_ruleset_until_its_conduit_is_refused")
    else {
        return;
    };
    let lis = listen(&network.servers, "10.1.9.1:2575");
    // Before any rule the router knows of no connection, as after its restart.
    let mut device = connect(&network.device, "10.1.9.1:2575", PATIENCE).unwrap();
    let (mut server, _) = lis.accept().unwrap();
    load(&network.router, &usual(Mode::Enforce));
    assert!(
        passes(&mut server, &mut device, PATIENCE),
        "the server speaks first"
    );
    for mode in [Mode::Test, Mode::Enforce, Mode::Enforce] {
        load(&network.router, &usual(mode));
        assert!(passes(&mut device, &mut server, PATIENCE));
        assert!(passes(&mut server, &mut device, PATIENCE));
    }
    assert_eq!(counts(&network.router).from_refused.packets, 0);
    let mut less = usual(Mode::Enforce);
    less.change(|devices| {
        for conduit in &mut devices[0].conduits {
            if conduit.peer.is_host() {
                conduit.decision = Decision::Refused;
            }
        }
    })
    .unwrap();
    load(&network.router, &less);
    assert!(!passes(&mut device, &mut server, SILENCE));
    assert!(counts(&network.router).from_refused.packets > 0);
    // What was sent meanwhile arrives when it is allowed again: TCP asks for it.
    load(&network.router, &usual(Mode::Enforce));
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    server.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_ruleset_that_was_touched_is_a_changed_one() {
    let Some(network) = network("a_ruleset_that_was_touched_is_a_changed_one") else {
        return;
    };
    let router = &network.router;
    let at = |words: &str| words.replace("TABLE", &format!("inet {TABLE}"));
    for touch in [
        "add rule TABLE d7_from accept",
        "insert rule TABLE forward accept",
        "flush chain TABLE d7_to",
        "delete element TABLE from_v4 { 10.1.0.7 }",
        "add element TABLE from_v4 { 10.1.0.8 : jump d7_from }",
        "add set TABLE mine { type ipv4_addr; }",
        "add chain TABLE mine",
        "add counter TABLE mine",
        "add chain TABLE input { type filter hook input priority 0; policy drop; }",
        "add chain TABLE forward { type filter hook forward priority 0; policy drop; }",
        "add table TABLE { flags dormant; }",
    ] {
        let hash = load(router, &usual(Mode::Enforce));
        assert!(matches!(liveness(router, hash), Liveness::Live { .. }));
        nft(router, &[&at(touch)], "");
        // Of a dormant table nft 1.0.6 may write something that is no JSON.
        let after = read(router).map(|loaded| Loaded::liveness(loaded.as_ref(), Some(hash)));
        let is_unread = after.is_err() && touch.contains("dormant");
        assert!(
            is_unread || matches!(after, Ok(Liveness::Changed { .. })),
            "{touch}: {after:?}"
        );
    }
    let hash = load(router, &usual(Mode::Enforce));
    let other = Ruleset::of(&usual(Mode::Test)).unwrap().hash();
    assert!(matches!(liveness(router, other), Liveness::Changed { .. }));
    nft(router, &[&at("delete table TABLE")], "");
    assert_eq!(liveness(router, hash), Liveness::Missing);
}

#[test]
fn a_trial_that_nobody_ends_opens_by_itself() {
    let Some(network) = network("a_trial_that_nobody_ends_opens_by_itself") else {
        return;
    };
    let ruleset = Ruleset::of(&usual(Mode::Enforce)).unwrap();
    let router = &network.router;
    nft(
        router,
        &["-f", "-"],
        &ruleset.nft(Some(Duration::from_secs(3))),
    );
    let hash = ruleset.hash();
    assert!(matches!(
        liveness(router, hash),
        Liveness::Live {
            lapses_in_s: Some(0..=3),
            ..
        }
    ));
    let _file = listen(&network.servers, "10.1.9.2:445");
    assert!(connect(&network.device, "10.1.9.2:445", SILENCE).is_none());
    // The kernel lets the addresses go; the client asks again meanwhile.
    assert!(connect(&network.device, "10.1.9.2:445", PATIENCE).is_some());
    assert_eq!(liveness(router, hash), Liveness::Lapsed { hash });
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (1_u32..0xe000_0000).prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ]
}

fn peer() -> impl Strategy<Value = Network> {
    (address(), any::<u8>()).prop_filter_map("host bits", |(ip, length)| {
        let length = length % if ip.is_ipv4() { 33 } else { 129 };
        let rest = u32::from(length);
        match ip {
            IpAddr::V4(v4) => {
                let bits = v4.to_bits() & u32::MAX.checked_shl(32 - rest).unwrap_or(0);
                Network::new(Ipv4Addr::from_bits(bits).into(), length)
            }
            IpAddr::V6(v6) => {
                let bits = v6.to_bits() & u128::MAX.checked_shl(128 - rest).unwrap_or(0);
                Network::new(Ipv6Addr::from_bits(bits).into(), length)
            }
        }
    })
}

fn service() -> impl Strategy<Value = Service> {
    let ports = (1_u16.., 0_u16..3).prop_filter_map("ports", |(first, more)| {
        Ports::range(first, first.saturating_add(more))
    });
    prop_oneof![
        ports.clone().prop_map(Service::Tcp),
        ports.prop_map(Service::Udp),
        (0_u8..).prop_filter_map("TCP and UDP have ports", |number| {
            format!("ip-{number}").parse().ok()
        }),
    ]
}

fn any_device(id: u64) -> impl Strategy<Value = PlannedDevice> {
    let conduits = proptest::collection::vec((any::<bool>(), peer(), service()), 1..12);
    let addresses = proptest::collection::btree_set(address(), 1..4);
    (conduits, addresses, any::<bool>()).prop_map(move |(conduits, addresses, is_enforced)| {
        let conduits = conduits.into_iter().map(|(asks, peer, service)| Conduit {
            direction: if asks {
                Direction::Outbound
            } else {
                Direction::Inbound
            },
            peer,
            service,
            ..conduit(Direction::Inbound, "10.1.9.1", "icmp")
        });
        PlannedDevice {
            id: DeviceId::new(id),
            name: String::new(),
            addresses,
            mac: None,
            zone: None,
            mode: if is_enforced {
                Mode::Enforce
            } else {
                Mode::Test
            },
            learning: false,
            isolate: true,
            conduits: conduits.collect(),
        }
    })
}

#[test]
fn no_address_and_no_port_is_lost_between_plan_kernel_and_what_is_read_back() {
    let name = "no_address_and_no_port_is_lost_between_plan_kernel_and_what_is_read_back";
    let Some(network) = network(name) else { return };
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let devices = (any_device(1), any_device(u64::MAX)).prop_map(|(one, other)| vec![one, other]);
    let outcome = runner.run(&devices, |devices| {
        // Local addresses, two devices with one address and the like are refused, which other tests look at.
        let Ok(plan) = Plan::of(devices) else {
            return Err(TestCaseError::reject("no plan"));
        };
        let plan = Plan::read(plan.write().unwrap().as_bytes()).unwrap();
        let ruleset = Ruleset::of(&plan).unwrap();
        let text = ruleset.nft(None);
        for conduit in plan.devices().iter().flat_map(|device| &device.conduits) {
            let is_there = text.contains(&format!("addr {} ", conduit.peer));
            prop_assert!(is_there || conduit.is_local(), "{}", conduit.peer);
            if let Some(ports) = conduit.service.ports() {
                let is_there = text.contains(&format!("port {ports} "));
                prop_assert!(is_there || conduit.is_local(), "{}", ports);
            }
        }
        let known: BTreeSet<Hash> = [load(&network.router, &plan)].into();
        let loaded = loaded(&network.router).unwrap();
        let state = Loaded::liveness(Some(&loaded), known.first().copied());
        prop_assert!(matches!(state, Liveness::Live { .. }), "{state:?}\n{text}");
        prop_assert_eq!(loaded.ruleset(), &ruleset);
        Ok(())
    });
    outcome.unwrap();
}
