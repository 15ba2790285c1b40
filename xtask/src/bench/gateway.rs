//! Messages in: the gateway beside stunnel and HAProxy in front of a receiver that stores nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::certificates::{self, Bundles};
use super::load::{Load, Measured, Read};
use super::message::Messages;
use super::report::Findings;
use super::row::{Figure, Goal, Row};
use super::sink::Sink;
use super::{Bench, Context, each, haproxy};
use crate::guard::{Guarded, Workplace, free_ports, loopback};
use crate::installation::{self, Installation, Link};
use crate::stunnel;

pub(super) const BENCH: Bench = Bench {
    name: "gateway",
    title: "Messages in",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
A load client sends HL7 ORU^R01 messages of 505 bytes (8 OBX, 1,000 patients) over mutual TLS, one in flight
on each connection, and checks MSA-1 and MSA-2 of every acknowledgement: one wrong answer ends the run as
failed. 1 s of load, then 3 s measured; p50 and p99 end with the checked acknowledgement.

- **Labward**: the release program with the configuration that `init` writes and one link. Each message is
  parsed, checked against its peer's rules and the duplicate window, sealed with AES-256-GCM under its
  patient's key, written with its ledger entry and synced to the disk; then it is acknowledged. Each run
  starts from a new, empty installation without a destination.
- **stunnel**: Debian's stunnel with its defaults and `TCP_NODELAY`, mutual TLS, in front of a receiver
  that answers AA from memory and stores nothing. It is what labs put before an engine that knows no TLS,
  and a lower bound of what any receiver costs.
- **HAProxy**: Debian's HAProxy with its defaults, mutual TLS, in front of the same receiver.

The peers' figures do not contain that receiver's processor time. The disk decides at one connection: a
message then waits for one sync of its own.
";

/// What is asked of the gateway at one number of connections.
#[derive(Clone, Copy)]
struct Case {
    connections: usize,
    /// Messages a second, to stunnel's.
    stunnel: f64,
    /// Messages a second, to HAProxy's.
    haproxy: Option<f64>,
    /// The 99th percentile, stunnel's to ours.
    p99: Option<f64>,
    cpu_us: Option<f64>,
    written: Option<f64>,
}

const CASES: [Case; 4] = [
    Case::new(1, 0.40),
    Case {
        written: Some(8_000.0),
        ..Case::new(16, 0.80)
    },
    Case {
        haproxy: Some(1.1),
        cpu_us: Some(75.0),
        written: Some(5_000.0),
        ..Case::new(64, 1.5)
    },
    Case {
        // Half of stunnel's, which is twice as good.
        p99: Some(2.0),
        ..Case::new(256, 2.2)
    },
];

pub(super) const MESSAGES: Figure = Figure::more("msg/s");
pub(super) const P50: Figure = Figure::less("p50 ms");
pub(super) const P99: Figure = Figure::less("p99 ms");
pub(super) const CPU: Figure = Figure::less("CPU µs/msg");
pub(super) const RSS: Figure = Figure::less("RSS MB");
pub(super) const WRITTEN: Figure = Figure::less("bytes written/msg");

const SYSTEMS: [&str; 3] = ["Labward", "stunnel", "HAProxy"];

impl Case {
    const fn new(connections: usize, stunnel: f64) -> Self {
        Self {
            connections,
            stunnel,
            haproxy: None,
            p99: None,
            cpu_us: None,
            written: None,
        }
    }

    /// The six figures beside one peer; absolute goals stand beside the first peer only.
    fn rows(&self, ours: &[Measured], peer: &[Measured], name: &str) -> Vec<Row> {
        let beside_stunnel = name == "stunnel";
        let case = format!("{}, beside {name}", connections(self.connections));
        let least = if beside_stunnel {
            Some(self.stunnel)
        } else {
            self.haproxy
        };
        let absolute = |goal: Option<f64>| goal.filter(|_| beside_stunnel).map(Goal::AtMost);
        let p99 = self.p99.filter(|_| beside_stunnel).map(Goal::Ratio);
        let figures: [(Figure, Read, Option<Goal>); 6] = [
            (MESSAGES, |m| m.per_second, least.map(Goal::Ratio)),
            (P50, |m| m.p50_ms, None),
            (P99, |m| m.p99_ms, p99),
            (CPU, |m| m.cpu_us, absolute(self.cpu_us)),
            (RSS, |m| m.rss_mb, None),
            (WRITTEN, |m| m.written, absolute(self.written)),
        ];
        figures
            .into_iter()
            .map(|(figure, read, goal)| {
                Row::beside(&case, figure, &each(ours, read), &each(peer, read)).goal(goal)
            })
            .collect()
    }
}

/// `1 connection`, `16 connections`.
pub(super) fn connections(number: usize) -> String {
    match number {
        1 => "1 connection".to_owned(),
        many => format!("{many} connections"),
    }
}

/// Whether there is a case with so many connections.
pub(super) fn has_case(connections: usize) -> bool {
    CASES.iter().any(|case| case.connections == connections)
}

fn run(context: &Context<'_>) -> Result<Findings> {
    let place = context.place;
    let bundles = certificates::make(place)?;
    let template = Template::make(place)?;
    let messages = Messages::new();
    let mut suites = std::collections::BTreeSet::new();
    let mut rows = Vec::new();
    let only = context.options.connections;
    for case in CASES
        .iter()
        .filter(|case| only.is_none_or(|n| n == case.connections))
    {
        let [ours, stunnel, haproxy] = context.rounds(SYSTEMS, |system| {
            let measured = match system {
                0 => ours(context, &template, case.connections, &messages),
                _ => peer(context, &bundles, system, case.connections, &messages),
            }?;
            eprintln!(
                "bench gateway: {}, {}: {:.0} msg/s",
                connections(case.connections),
                SYSTEMS.get(system).unwrap_or(&""),
                measured.per_second
            );
            suites.insert(measured.suite.clone());
            Ok(measured)
        })?;
        rows.extend(case.rows(&ours, &stunnel, "stunnel"));
        rows.extend(case.rows(&ours, &haproxy, "HAProxy"));
    }
    Ok(Findings {
        how: format!(
            "{}, {}; {}; medians of {} rounds.",
            stunnel::version()?,
            haproxy::version()?,
            suites.into_iter().collect::<Vec<_>>().join(", "),
            context.options.rounds
        ),
        rows,
    })
}

/// One run of Labward, on a fresh copy of the installation.
fn ours(
    context: &Context<'_>,
    template: &Template,
    connections: usize,
    messages: &Messages,
) -> Result<Measured> {
    let copy = template.installation.copy(&context.place.join("data"))?;
    let server = copy.serve()?;
    let measured = load(
        context,
        template.port,
        &template.bundle,
        connections,
        &[server.id()],
    )
    .run(messages)?;
    server.stop()?;
    copy.remove()?;
    Ok(measured)
}

/// One run of a proxy in front of a receiver that stores nothing.
fn peer(
    context: &Context<'_>,
    bundles: &Bundles,
    system: usize,
    connections: usize,
    messages: &Messages,
) -> Result<Measured> {
    let behind = Behind::start(context.place, bundles, system)?;
    load(
        context,
        behind.port,
        &bundles.client,
        connections,
        &[behind.proxy.id()],
    )
    .run(messages)
}

/// The load of one run.
pub(super) fn load<'a>(
    context: &Context<'_>,
    port: u16,
    bundle: &'a Path,
    connections: usize,
    processes: &'a [u32],
) -> Load<'a> {
    Load {
        address: loopback(port),
        bundle,
        connections,
        // So that keys, pages and branches are warm and every patient known.
        warm_up: context.size(Duration::from_secs(1), Duration::from_millis(500)),
        window: context.size(Duration::from_secs(3), Duration::from_millis(1_500)),
        processes,
        tick_us: context.tick_us,
    }
}

/// A running proxy and the receiver behind it.
struct Behind {
    port: u16,
    proxy: Guarded,
    _sink: Sink,
}

impl Behind {
    fn start(place: &Workplace, bundles: &Bundles, system: usize) -> Result<Self> {
        let sink = Sink::plain()?;
        let [port] = free_ports()?;
        let behind = sink.address.port();
        let proxy = match system {
            1 => stunnel::server(place, "measured", port, behind, &bundles.server)?,
            _ => haproxy::server(place, port, behind, bundles)?,
        };
        Ok(Self {
            port,
            proxy,
            _sink: sink,
        })
    }
}

/// An installation that received nothing yet: each run gets a copy of it.
struct Template {
    installation: Installation,
    port: u16,
    bundle: PathBuf,
}

impl Template {
    fn make(place: &Workplace) -> Result<Self> {
        let program = installation::build()?;
        let [port] = free_ports()?;
        let link = Link::mutual_tls("load", port, "");
        let installation = Installation::create(&program, place, "template", &[link])?;
        let server = installation.serve()?;
        let bundle = installation.add_peer("load", place)?;
        server.stop()?;
        Ok(Self {
            installation,
            port,
            bundle,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::quick;
    use super::*;
    use crate::tools;

    fn checks_the_load_client(program: &str, system: usize) {
        if !tools::on_path(program) {
            eprintln!("labward-skip: bench: {program} is not installed");
            return;
        }
        let place = Workplace::create(&format!("xtask-{program}")).unwrap();
        let bundles = certificates::make(&place).unwrap();
        let context = quick(&place, 1);
        let measured = peer(&context, &bundles, system, 4, &Messages::new()).unwrap();
        assert!(
            measured.per_second > 10.0 && measured.rss_mb > 1.0,
            "{measured:?}"
        );
        assert!(measured.suite.starts_with("TLS13_AES"), "{measured:?}");
    }

    #[test]
    fn the_load_client_counts_every_message_of_a_receiver_behind_stunnel() {
        checks_the_load_client("stunnel", 1);
    }

    #[test]
    fn the_load_client_counts_every_message_of_a_receiver_behind_haproxy() {
        checks_the_load_client("haproxy", 2);
    }

    #[test]
    fn absolute_goals_stand_once_and_each_peer_has_its_own_ratio() {
        let run = [Measured {
            per_second: 100.0,
            p99_ms: 1.0,
            cpu_us: 80.0,
            ..Measured::default()
        }];
        let goals = |rows: Vec<Row>| -> Vec<String> {
            rows.iter().map(|row| row.cells()[5].clone()).collect()
        };
        let [_, _, at_64, at_256] = CASES;
        let beside_stunnel = goals(at_64.rows(&run, &run, "stunnel"));
        assert_eq!(beside_stunnel[0], "≥ 1.5 ×, **missed**");
        assert_eq!(beside_stunnel[3], "≤ 75, **missed**");
        assert_eq!(beside_stunnel[5], "≤ 5000, holds");
        let beside_haproxy = goals(at_64.rows(&run, &run, "HAProxy"));
        assert_eq!(beside_haproxy[0], "≥ 1.1 ×, **missed**");
        assert!(beside_haproxy[1..].iter().all(String::is_empty));
        assert_eq!(
            goals(at_256.rows(&run, &run, "stunnel"))[2],
            "≥ 2 ×, **missed**"
        );
    }
}
