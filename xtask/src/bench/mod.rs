//! `cargo xtask bench`: what the gateway does beside what it is compared with, in one run.
//!
//! The two are measured in turn, pair by pair, so that what else the machine does hits both;
//! only ratios of a pair are compared. It must never count an unchecked acknowledgement.

mod certificates;
mod load;
mod message;
mod process;
mod report;
mod sink;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::guard::{Guarded, Workplace, free_ports, loopback};
use crate::installation::{self, Installation, Link};
use crate::run::{cargo, root, run};
use crate::{stunnel, tools};

use load::{Load, Measured};
use message::Messages;
use report::{Case, Pair, Report};
use sink::Sink;

/// Connections of each case, and the ratio of messages a second that the design asks for.
const CASES: [(usize, f64); 4] = [(1, 0.40), (16, 0.80), (64, 1.5), (256, 2.2)];

/// Pairs of each case if nothing else is asked for.
const PAIRS: usize = 5;

/// Load before each measurement, so that keys, pages and branches are warm and every patient known.
const WARM_UP: Duration = Duration::from_secs(1);

/// What is measured of each run.
const WINDOW: Duration = Duration::from_secs(3);

/// What `cargo xtask bench gateway` was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Options {
    pairs: usize,
    /// Only the case with so many connections.
    connections: Option<usize>,
    json: bool,
    write: bool,
}

/// Runs `cargo xtask bench` with these words.
pub(crate) fn bench(words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    ensure!(
        !options.write || options.connections.is_none(),
        "the page holds all cases: --write goes without --connections"
    );
    if cfg!(debug_assertions) {
        // A slow load client would make both look alike.
        return run(
            "bench: release build",
            cargo()
                .args(["run", "--quiet", "--release", "--package", "xtask", "--"])
                .args(["bench", "gateway"])
                .args(words),
        );
    }
    tools::ensure_debian()?;
    let place = Workplace::create("bench")?;
    let bench = Bench::prepare(&place, options)?;
    let report = bench.measure()?;
    if options.json {
        print!("{}", report.json_lines()?);
    } else {
        print!("{}", report.text());
    }
    if options.write {
        let path = root().join("docs/ref/benchmarks.md");
        fs::write(&path, report.page()).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self {
            pairs: PAIRS,
            connections: None,
            json: false,
            write: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--json" => options.json = true,
                "--write" => options.write = true,
                "--connections" => {
                    let known = |wanted: &usize| CASES.iter().any(|(case, _)| case == wanted);
                    let wanted = words.next().and_then(|n| n.parse().ok()).filter(known);
                    options.connections =
                        Some(wanted.context("--connections takes 1, 16, 64 or 256")?);
                }
                "--pairs" => {
                    options.pairs = words
                        .next()
                        .and_then(|n| n.parse().ok())
                        .filter(|pairs| (1..=1_000).contains(pairs))
                        .context("--pairs takes a number from 1 to 1000")?;
                }
                other => bail!("bench gateway does not know {other}"),
            }
        }
        Ok(options)
    }
}

/// Everything that stays the same between runs.
struct Bench<'a> {
    place: &'a Workplace,
    options: Options,
    tick_us: u64,
    bundles: certificates::Bundles,
    template: Template,
}

/// An installation that received nothing yet: each run gets a copy of it.
struct Template {
    installation: Installation,
    port: u16,
    bundle: PathBuf,
}

impl<'a> Bench<'a> {
    fn prepare(place: &'a Workplace, options: Options) -> Result<Self> {
        Ok(Self {
            place,
            options,
            tick_us: process::tick_us()?,
            bundles: certificates::make(place)?,
            template: Template::make(place)?,
        })
    }

    fn measure(&self) -> Result<Report> {
        let messages = Messages::new();
        let mut cases = Vec::new();
        let (load, sync_ms) = (
            process::load_average(),
            process::sync_ms(self.place.path())?,
        );
        let chosen = |case: &(usize, f64)| self.options.connections.is_none_or(|n| n == case.0);
        for (connections, goal) in CASES.into_iter().filter(chosen) {
            let mut pairs = Vec::new();
            for number in 0..self.options.pairs {
                // Who goes second finds a warmer machine; it is the other one each time.
                let pair = if number % 2 == 0 {
                    let ours = self.ours(connections, &messages)?;
                    let peer = self.peer(connections, &messages)?;
                    Pair { ours, peer }
                } else {
                    let peer = self.peer(connections, &messages)?;
                    let ours = self.ours(connections, &messages)?;
                    Pair { ours, peer }
                };
                eprintln!(
                    "bench: {connections} connections, pair {}: ours {:.0}, stunnel {:.0} msg/s",
                    number + 1,
                    pair.ours.per_second,
                    pair.peer.per_second
                );
                pairs.push(pair);
            }
            cases.push(Case {
                connections,
                goal,
                pairs,
            });
        }
        Ok(Report {
            machine: process::machine(),
            load,
            sync_ms,
            day: crate::run::capture("date", Command::new("date").arg("+%F"))?
                .trim()
                .to_owned(),
            stunnel: stunnel::version()?,
            revision: crate::run::capture(
                "git",
                Command::new("git")
                    .current_dir(root())
                    .args(["rev-parse", "--short=12", "HEAD"]),
            )
            .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
            cases,
        })
    }

    /// One run of Labward, on a fresh copy of the installation.
    fn ours(&self, connections: usize, messages: &Messages) -> Result<Measured> {
        let template = &self.template;
        let copy = template.installation.copy(&self.place.join("data"))?;
        let server = copy.serve()?;
        let measured = self
            .load(template.port, &template.bundle, connections, server.id())
            .run(messages)
            .with_context(|| format!("measure Labward at {connections} connections"))?;
        server.stop()?;
        copy.remove()?;
        Ok(measured)
    }

    /// One run of stunnel in front of a receiver that stores nothing.
    fn peer(&self, connections: usize, messages: &Messages) -> Result<Measured> {
        let behind = Behind::start(self.place, &self.bundles.server)?;
        self.load(
            behind.port,
            &self.bundles.client,
            connections,
            behind.proxy.id(),
        )
        .run(messages)
        .with_context(|| format!("measure stunnel at {connections} connections"))
    }

    fn load<'b>(&self, port: u16, bundle: &'b Path, connections: usize, process: u32) -> Load<'b> {
        Load {
            address: loopback(port),
            bundle,
            connections,
            warm_up: WARM_UP,
            window: WINDOW,
            process,
            tick_us: self.tick_us,
        }
    }
}

/// A running stunnel and the receiver behind it.
struct Behind {
    port: u16,
    proxy: Guarded,
    _sink: Sink,
}

impl Behind {
    fn start(place: &Workplace, bundle: &Path) -> Result<Self> {
        let sink = Sink::start()?;
        let [port] = free_ports()?;
        let proxy = stunnel::server(place, "measured", port, sink.address.port(), bundle)?;
        Ok(Self {
            port,
            proxy,
            _sink: sink,
        })
    }
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
    use super::*;

    #[test]
    fn the_load_client_counts_every_message_of_a_receiver_behind_stunnel() {
        if !tools::on_path("stunnel") {
            eprintln!("labward-skip: bench: stunnel is not installed");
            return;
        }
        let place = Workplace::create("xtask-bench").unwrap();
        let bundles = certificates::make(&place).unwrap();
        let behind = Behind::start(&place, &bundles.server).unwrap();
        let measured = Load {
            address: loopback(behind.port),
            bundle: &bundles.client,
            connections: 4,
            warm_up: Duration::from_millis(50),
            window: Duration::from_millis(300),
            process: behind.proxy.id(),
            tick_us: process::tick_us().unwrap(),
        }
        .run(&Messages::new())
        .unwrap();
        assert!(
            measured.per_second > 10.0 && measured.rss_mib > 1.0,
            "{measured:?}"
        );
        assert!(measured.suite.starts_with("TLS13_AES"), "{measured:?}");
    }

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let options = Options::parse(&["--pairs", "7", "--json"]).unwrap();
        assert_eq!(
            (options.pairs, options.json, options.write),
            (7, true, false)
        );
        let options = Options::parse(&["--connections", "64"]).unwrap();
        assert_eq!(options.connections, Some(64));
        for wrong in [
            &["--pair"][..],
            &["--pairs"],
            &["--pairs", "0"],
            &["--connections", "7"],
        ] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
