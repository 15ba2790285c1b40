//! Devices: how fast a capture of traffic becomes a list of the devices that speak in it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use labward_capture::{CaptureReader, Observer, inventory};

use super::process::{Cost, children_cpu_us};
use super::report::Findings;
use super::row::{Figure, Goal, Row};
use super::traffic::{self, Traffic};
use super::{Bench, Context, csaf, each};
use crate::run::capture;
use crate::tools;

pub(super) const BENCH: Bench = Bench {
    name: "devices",
    title: "Devices in traffic",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
A capture made of those of the test data (`LABWARD_TEST_DATA`: two of HL7, one of DICOM, 21 frames of 54 to 1,514
bytes), over and over, each time with another port of the client, so that each time is three new connections of the
same machines; 64 MB of frames in one classic pcap file, in the system's memory. Processor time of all threads; megabits are
those of the frames.

- **Labward**: `labward-capture` in the bench's process, from the file to the list of devices: frames read, streams
  put together, HL7 and DICOM read for what the sender says of itself, conversations counted. One thread.
- **tshark**: Debian's, without name resolution, with the port of this HL7 named; prints who sends each HL7 and DICOM
  message. It takes far more of a message apart than Labward does, and is what an expert would look with.
- **ndpiReader**: Debian's, quiet, one thread: names the protocol of each connection, and knows no HL7.
";

/// How many bytes of frames.
const FULL: u64 = 64_000_000;
const QUICK: u64 = 400_000;

/// So much of the file is read at once, as the program does.
const PIECE_BYTES: u64 = 1 << 20;

const SYSTEMS: [&str; 3] = ["Labward", "tshark", "ndpiReader"];

/// What was found in the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    frames: u64,
    sightings: usize,
    devices: usize,
}

fn run(context: &Context<'_>) -> Result<Findings> {
    tools::ensure_for_captures()?;
    let folder = csaf::test_data()?.join("pcap");
    let file = context.place.join("traffic.pcap");
    let traffic = traffic::write(&folder, file, context.size(FULL, QUICK))?;
    let mut found = Found::default();
    let turns = context.rounds(SYSTEMS, |system| match system {
        0 => {
            let (seen, cost) = Cost::of(|| observe(&traffic.file))?;
            ensure!(
                seen.frames == traffic.frames && seen.devices > 0,
                "{seen:?}"
            );
            found = seen;
            Ok(cost.cpu_us)
        }
        1 => with_tshark(context, &traffic),
        _ => with_ndpi(context, &traffic),
    })?;
    let frames = u32::try_from(traffic.frames)?;
    let megabits = f64::from(u32::try_from(traffic.bytes)?) * 8.0 / 1e6;
    let [ours, tshark, ndpi] = &turns;
    let speed = |turns: &[f64]| each(turns, |cpu_us| megabits / cpu_us * 1e6);
    let rate = |turns: &[f64]| each(turns, |cpu_us| f64::from(frames) / cpu_us * 1e6);
    let mut rows = Vec::new();
    for (peer, name) in [(tshark, "tshark"), (ndpi, "ndpiReader")] {
        let case = format!("a capture to devices, beside {name}");
        let goal = (name == "tshark").then_some(Goal::AtLeast(1_000.0));
        let figure = Figure::more("Mbit/CPU s");
        rows.push(Row::beside(&case, figure, &speed(ours), &speed(peer)).goal(goal));
        rows.push(Row::beside(
            &case,
            Figure::more("frames/CPU s"),
            &rate(ours),
            &rate(peer),
        ));
    }
    Ok(Findings {
        how: format!(
            "{}, nDPI {}; {} frames in {} connections, {} sightings of {} devices; medians of {} rounds.",
            tshark_version()?,
            ndpi_version()?,
            traffic.frames,
            u32::from(traffic.times) * 3,
            found.sightings,
            found.devices,
            context.options.rounds
        ),
        rows,
    })
}

/// Reads the capture as `labward device read-capture` does.
fn observe(path: &Path) -> Result<Found> {
    let mut file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut reader = CaptureReader::new();
    let mut observer = Observer::default();
    let mut buffer = Vec::new();
    loop {
        let read = file.by_ref().take(PIECE_BYTES).read_to_end(&mut buffer)?;
        let done = reader.read(&buffer, read == 0, |frame| {
            observer.observe(frame.at, frame.link, frame.bytes);
        });
        buffer.drain(..done);
        if read == 0 {
            break;
        }
    }
    ensure!(
        reader.flaw().is_none(),
        "the capture is flawed: {:?}",
        reader.flaw()
    );
    let observed = observer.finish();
    Ok(Found {
        frames: observed.counts.frames,
        sightings: observed.sightings.len(),
        devices: inventory::devices(&observed.sightings, None).len(),
    })
}

/// Processor time, in µs, of tshark over the capture.
fn with_tshark(context: &Context<'_>, traffic: &Traffic) -> Result<f64> {
    let mut tshark = Command::new("tshark");
    tshark
        .args(["-n", "-d", "tcp.port==6661,hl7", "-Y", "hl7 or dicom"])
        .args([
            "-T",
            "fields",
            "-e",
            "ip.src",
            "-e",
            "_ws.col.Protocol",
            "-r",
        ])
        .arg(&traffic.file);
    let (said, cpu_us) = child(context, "tshark", &mut tshark)?;
    // At least one message of HL7 or DICOM in each connection.
    let messages = said.lines().count();
    ensure!(
        messages >= usize::from(traffic.times) * 3,
        "tshark found {messages} messages only"
    );
    Ok(cpu_us)
}

/// The same of ndpiReader.
fn with_ndpi(context: &Context<'_>, traffic: &Traffic) -> Result<f64> {
    let mut ndpi = Command::new("ndpiReader");
    ndpi.args(["-n", "1", "-i"]).arg(&traffic.file);
    let (said, cpu_us) = child(context, "ndpiReader", &mut ndpi)?;
    let frames =
        number_behind(&said, "IP packets:").context("ndpiReader does not say what it read")?;
    ensure!(frames == traffic.frames, "ndpiReader read {frames} frames");
    Ok(cpu_us)
}

/// What a program prints, and its processor time in µs.
fn child(context: &Context<'_>, name: &str, command: &mut Command) -> Result<(String, f64)> {
    let before = children_cpu_us(context.tick_us)?;
    let said = capture(name, command)?;
    let took = children_cpu_us(context.tick_us)? - before;
    Ok((said, f64::from(u32::try_from(took)?)))
}

fn number_behind(text: &str, name: &str) -> Option<u64> {
    let rest = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn tshark_version() -> Result<String> {
    let said = capture("tshark", Command::new("tshark").arg("--version"))?;
    let words: Vec<&str> = said.split_whitespace().take(3).collect();
    Ok(words.join(" "))
}

/// What it says when it is asked for help, which it gives with an error.
fn ndpi_version() -> Result<String> {
    let said = Command::new("ndpiReader")
        .arg("-h")
        .output()
        .context("start ndpiReader")?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let version = said.lines().find_map(|line| line.split_once("nDPI "));
    Ok(version
        .map_or("of unknown version", |(_, version)| version)
        .trim()
        .to_owned())
}
