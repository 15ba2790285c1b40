//! Messages through: from the sender to the receiver behind, over mutual TLS on both sides.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use labward_api::record::{Find, Found};

use super::certificates::{self, Bundles};
use super::gateway::{CPU, MESSAGES, P50, P99, RSS, WRITTEN, connections, load};
use super::load::{Measured, Read};
use super::message::{Messages, PATIENTS};
use super::report::Findings;
use super::row::{Figure, Goal, Row};
use super::sink::{Arrivals, Sink};
use super::{Bench, Context, each};
use crate::guard::{Workplace, free_ports};
use crate::installation::{self, Installation, Link};
use crate::stunnel;

pub(super) const BENCH: Bench = Bench {
    name: "through",
    title: "Messages through",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
The same load client at 64 connections, and behind what is measured a receiver over mutual TLS that answers AA
from memory. 1 s of load and everything of it delivered; then 3 s of load, measured until the last of its
messages has arrived. msg/s, processor time and bytes are of whole messages, in and out; p50 and p99 are from
a message's first byte at the client to its arrival at the receiver. A message that is acknowledged and never
arrives ends the run as failed.

- **Labward**: as for messages in, and one destination with 64 connections, to which every message is routed.
  A message is acknowledged when it is kept and delivered afterwards, so that a sender faster than the receiver
  makes a backlog: `waiting` is how many messages had not arrived when the last one was acknowledged.
- **stunnel**: one in front that takes mutual TLS, a second one behind it in client mode that makes mutual TLS
  to the same receiver; both together. Nothing is stored, and the acknowledgement is the receiver's own.
- **Stored**: the same Labward with so many messages received and kept through the gateway before, through a
  link that is not routed, beside one with none.
- **Readers**: 4 people at the admin socket meanwhile, each searching by number and by name in turn with 50 ms
  between two searches, beside Labward without them.
";

/// Senders at the same time.
const CONNECTIONS: usize = 64;

/// Senders while an installation is filled.
const FILLERS: usize = 256;

const READERS: u64 = 4;

/// Between a reader's searches.
const PAUSE: Duration = Duration::from_millis(50);

const SYSTEMS: [&str; 4] = [
    "Labward",
    "stunnel in and out",
    "Labward with messages stored",
    "Labward with readers",
];

fn run(context: &Context<'_>) -> Result<Findings> {
    let lab = Lab::make(context.place)?;
    let messages = Messages::new();
    let stored = lab.fill(context, &messages)?;
    let mut searches = Vec::new();
    let [ours, stunnel, with_stored, with_readers] = context.rounds(SYSTEMS, |system| {
        let measured = match system {
            0 => lab.fresh(context, &messages, 0)?.0,
            1 => stunnel_chain(context, &lab.bundles, &messages)?,
            2 => lab.labward(context, &stored, &messages, 0)?.0,
            _ => {
                let (measured, answered) = lab.fresh(context, &messages, READERS)?;
                searches.push(answered);
                measured
            }
        };
        eprintln!(
            "bench through: {}: {:.0} msg/s",
            SYSTEMS.get(system).unwrap_or(&""),
            measured.per_second
        );
        Ok(measured)
    })?;
    let mut rows = beside_stunnel(&ours, &stunnel);
    let speed = |runs: &[Measured]| each(runs, |run| run.per_second);
    let at = connections(CONNECTIONS);
    let memory = |runs: &[Measured]| each(runs, |run| run.rss_mb);
    let case = format!("{at}, {} stored, beside none", context.options.stored);
    rows.push(Row::beside(
        &case,
        MESSAGES,
        &speed(&with_stored),
        &speed(&ours),
    ));
    rows.push(Row::beside(
        &case,
        RSS,
        &memory(&with_stored),
        &memory(&ours),
    ));
    let case = format!("{at}, {READERS} readers, beside none");
    rows.push(Row::beside(
        &case,
        MESSAGES,
        &speed(&with_readers),
        &speed(&ours),
    ));
    rows.push(Row::alone(
        format!("{at}, {READERS} readers"),
        Figure::more("searches/s"),
        &searches,
    ));
    Ok(Findings {
        how: format!(
            "{}; medians of {} rounds.",
            stunnel::version()?,
            context.options.rounds
        ),
        rows,
    })
}

fn beside_stunnel(ours: &[Measured], stunnel: &[Measured]) -> Vec<Row> {
    let at = connections(CONNECTIONS);
    let case = format!("{at}, beside stunnel in and out");
    let figures: [(Figure, Read, Option<Goal>); 6] = [
        (MESSAGES, |m| m.per_second, Some(Goal::Ratio(1.0))),
        (P50, |m| m.p50_ms, None),
        (P99, |m| m.p99_ms, None),
        (CPU, |m| m.cpu_us, Some(Goal::AtMost(120.0))),
        (RSS, |m| m.rss_mb, Some(Goal::AtMost(50.0))),
        (WRITTEN, |m| m.written, None),
    ];
    let mut rows: Vec<Row> = figures
        .into_iter()
        .map(|(figure, read, goal)| {
            Row::beside(&case, figure, &each(ours, read), &each(stunnel, read)).goal(goal)
        })
        .collect();
    let waiting = Figure::less("messages waiting");
    rows.push(Row::alone(at, waiting, &each(ours, |m| m.behind)));
    rows
}

/// An installation that passes everything on to one receiver, and what stunnel needs for the same.
struct Lab<'a> {
    place: &'a Workplace,
    bundles: Bundles,
    /// An installation that received nothing yet.
    template: Installation,
    /// The certificate of the sender.
    bundle: PathBuf,
    /// The port of the link that is measured.
    port: u16,
    /// The port of the link that goes nowhere.
    fill_port: u16,
    receiver_port: u16,
}

impl<'a> Lab<'a> {
    fn make(place: &'a Workplace) -> Result<Self> {
        let program = installation::build()?;
        let bundles = certificates::make(place)?;
        let [port, fill_port, receiver_port] = free_ports()?;
        let links = [
            Link::mutual_tls("fill", fill_port, ""),
            Link::mutual_tls("load", port, &deliver_to(receiver_port, &bundles)),
        ];
        let template = Installation::create(&program, place, "template", &links)?;
        let server = template.serve()?;
        let bundle = template.add_peer("load", place)?;
        server.stop()?;
        Ok(Self {
            place,
            bundles,
            template,
            bundle,
            port,
            fill_port,
            receiver_port,
        })
    }

    /// A copy that has received and kept as many messages as were asked for.
    fn fill(&self, context: &Context<'_>, messages: &Messages) -> Result<Installation> {
        let stored = self.template.copy(&self.place.join("stored"))?;
        let server = stored.serve()?;
        let begin = Instant::now();
        load(context, self.fill_port, &self.bundle, FILLERS, &[])
            .fill(messages, context.options.stored)
            .context("store messages")?;
        eprintln!(
            "bench through: {} messages stored in {:.0} s",
            context.options.stored,
            begin.elapsed().as_secs_f64()
        );
        server.stop()?;
        Ok(stored)
    }

    /// As [`Lab::labward`], on a fresh copy.
    fn fresh(
        &self,
        context: &Context<'_>,
        messages: &Messages,
        readers: u64,
    ) -> Result<(Measured, f64)> {
        let copy = self.template.copy(&self.place.join("data"))?;
        let measured = self.labward(context, &copy, messages, readers)?;
        copy.remove()?;
        Ok(measured)
    }

    /// One run of Labward, and how many searches of so many readers it answered in a second
    /// meanwhile.
    fn labward(
        &self,
        context: &Context<'_>,
        installation: &Installation,
        messages: &Messages,
        readers: u64,
    ) -> Result<(Measured, f64)> {
        let arrivals = Arrivals::default();
        let (port, receiver) = (self.receiver_port, &self.bundles.server);
        let _sink = Sink::mutual_tls(port, receiver, &self.bundle, &arrivals)?;
        let server = installation.serve()?;
        let readers = Readers::start(installation, readers);
        let measured = load(
            context,
            self.port,
            &self.bundle,
            CONNECTIONS,
            &[server.id()],
        )
        .run_through(messages, &arrivals);
        let searches = readers.stop();
        let measured = measured?;
        server.stop()?;
        Ok((measured, searches?))
    }
}

/// One run of two stunnels in a chain.
fn stunnel_chain(
    context: &Context<'_>,
    bundles: &Bundles,
    messages: &Messages,
) -> Result<Measured> {
    let arrivals = Arrivals::default();
    let sink = Sink::mutual_tls(0, &bundles.server, &bundles.client, &arrivals)?;
    let [port, between] = free_ports()?;
    let place = context.place;
    let behind = sink.address.port();
    let out = stunnel::client(place, "out", between, behind, &bundles.client)?;
    let inward = stunnel::server(place, "in", port, between, &bundles.server)?;
    let processes = [inward.id(), out.id()];
    load(context, port, &bundles.client, CONNECTIONS, &processes).run_through(messages, &arrivals)
}

/// The lines of a configuration that have all messages of the link `load` delivered.
fn deliver_to(port: u16, bundles: &Bundles) -> String {
    format!(
        "\n[[destination]]\nname = \"receiver\"\nconnections = {CONNECTIONS}\n\
         target = {{ kind = \"mllp\", address = \"127.0.0.1:{port}\", \
         transport = {{ mode = \"mutual-tls\", server_name = \"localhost\", ca = {:?} }} }}\n\
         \n[[route]]\ntypes = [\"*\"]\nlinks = [\"load\"]\nto = [\"receiver\"]\n",
        bundles.authority.display().to_string()
    )
}

/// People who search while messages go through.
struct Readers {
    stop: Arc<AtomicBool>,
    begin: Instant,
    threads: Vec<JoinHandle<Result<u32>>>,
}

impl Readers {
    fn start(installation: &Installation, count: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..count)
            .map(|reader| {
                let (installation, stop) = (installation.clone(), Arc::clone(&stop));
                thread::spawn(move || search(&installation, reader, &stop))
            })
            .collect();
        Self {
            stop,
            begin: Instant::now(),
            threads,
        }
    }

    /// Ends them, and says how many searches were answered in a second.
    fn stop(self) -> Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        let seconds = self.begin.elapsed().as_secs_f64();
        let mut searches = 0.0;
        for thread in self.threads {
            let answered = thread.join().map_err(|_| anyhow!("a reader panicked"))?;
            searches += f64::from(answered?);
        }
        Ok(searches / seconds)
    }
}

/// Searches until it is to stop; how many searches were answered.
fn search(installation: &Installation, reader: u64, stop: &AtomicBool) -> Result<u32> {
    let client = installation.client();
    let mut answered = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut find = Find {
            why: "a measurement".to_owned(),
            ..Find::default()
        };
        if answered % 2 == 0 {
            let patient = (u64::from(answered) * READERS + reader) % PATIENTS;
            find.mrn = Some(format!("{patient:06}"));
        } else {
            find.name = Some("Doe".to_owned());
        }
        client
            .post::<Found>("records/find", &find)
            .map_err(|failure| anyhow!("search: {failure:?}"))?;
        answered += 1;
        thread::sleep(PAUSE);
    }
    Ok(answered)
}

#[cfg(test)]
mod tests {
    use super::super::tests::quick;
    use super::*;
    use crate::tools;

    #[test]
    fn every_message_arrives_behind_two_stunnels() {
        if !tools::on_path("stunnel") {
            eprintln!("labward-skip: bench: stunnel is not installed");
            return;
        }
        let place = Workplace::create("xtask-through").unwrap();
        let bundles = certificates::make(&place).unwrap();
        let context = quick(&place, 1);
        let measured = stunnel_chain(&context, &bundles, &Messages::new()).unwrap();
        assert!(
            measured.per_second > 10.0 && measured.p99_ms > 0.0,
            "{measured:?}"
        );
        // The acknowledgement is the receiver's, so nothing is behind it.
        assert!(measured.behind.abs() < 0.5, "{measured:?}");
    }

    #[test]
    fn only_what_is_asked_of_messages_through_is_a_goal() {
        let run = [Measured {
            per_second: 100.0,
            cpu_us: 130.0,
            rss_mb: 40.0,
            ..Measured::default()
        }];
        let goals: Vec<String> = beside_stunnel(&run, &run)
            .iter()
            .map(|row| row.cells()[5].clone())
            .filter(|goal| !goal.is_empty())
            .collect();
        assert_eq!(goals, ["≥ 1 ×, holds", "≤ 120, **missed**", "≤ 50, holds"]);
    }
}
