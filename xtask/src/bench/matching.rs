//! Matching: how soon every advisory is in memory, what validating them costs, and how long all devices take.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use labward_advisory::csaf::Advisory;
use labward_advisory::osv::Vulnerability;
use labward_advisory::{Limits, Purl};
use labward_matching::{Books, Components, Device, Matcher, Verdict};
use labward_testkit::Random;
use serde::{Deserialize, Serialize};

use super::csaf::{self, PEER, Validated};
use super::process::{Cost, Memory};
use super::report::Findings;
use super::row::{Figure, Goal, Row};
use super::{Bench, Context, components, each};
use crate::run::{capture, root};

pub(super) const BENCH: Bench = Bench {
    name: "matching",
    title: "Advisories and devices",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
The 2,035 advisories of CISA for industrial and medical products of 2017 to 2023 (CSAF 2.0, from the test data,
`LABWARD_TEST_DATA`), unpacked before. The rooms below the server, one thread; all times are processor time.

- **Load**: from the bytes of every document in memory to every product prepared for matching
  (`Advisory::parse`, `Matcher::new`, the books of vendors and names included), in a process of its own. The memory
  is the most that it ever had (`VmHWM`), less what it had when the bytes were read.
- **Validate**: every document parsed from its bytes and tested by its schema and clause 6 of the standard.
- **csaf-validator-lib**: the validator of the German BSI in Node, in one process, with the same tests: none that
  asks the network (6.3.6, 6.3.7) or needs dictionaries (6.3.8). The files are read before, and `JSON.parse` is part
  of it, as parsing is of ours. It judges otherwise where `vers:all/*` stands as one version, which 6.1.31 forbids as
  Labward reads it, and on the names of three weaknesses (6.1.11).
- **Devices**: 500 devices, made from the 60 of `testkit/data/devices.csv` by other versions and other spellings
  (seeded), each matched with every advisory (`Matcher::answers`).
- **Components**: 1,000 components of three bills of materials of the test data (npm, Maven, Packagist) with 100,000
  ranges in OSV's form, which are made up: one in twenty is of a package in the bills (`Components::answers`).
  Preparing the ranges stands by itself; reading their JSON is not measured.
";

/// How much is measured.
#[derive(Clone, Copy)]
struct Size {
    /// Advisories at most.
    advisories: usize,
    devices: usize,
    components: usize,
    ranges: u32,
}

const FULL: Size = Size {
    advisories: usize::MAX,
    devices: 500,
    components: 1_000,
    ranges: 100_000,
};

const QUICK: Size = Size {
    advisories: 100,
    devices: 60,
    components: 100,
    ranges: 5_000,
};

const SYSTEMS: [&str; 5] = [
    "load",
    "devices",
    "components",
    "Labward's validator",
    "csaf-validator-lib",
];

/// What a process that only loads says of itself.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Loaded {
    advisories: usize,
    products: usize,
    cpu_us: f64,
    /// The most that was needed beside the documents' bytes.
    peak_bytes: f64,
    /// What is still needed at the end.
    kept_bytes: f64,
}

/// How often matching gave each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) affected: usize,
    pub(super) not_affected: usize,
    pub(super) cannot_tell: usize,
}

impl Answered {
    pub(super) const fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Affected => self.affected += 1,
            Verdict::CannotTell => self.cannot_tell += 1,
            Verdict::NotAffected => self.not_affected += 1,
        }
    }
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} answers affected, {} not affected, {} cannot tell",
            self.affected, self.not_affected, self.cannot_tell
        )
    }
}

/// What one turn of one system showed.
#[derive(Default)]
struct Turn {
    loaded: Loaded,
    answered: Answered,
    validated: Option<Validated>,
    /// Of preparing ranges.
    prepare_us: f64,
    /// Of matching.
    cpu_us: f64,
}

/// What is matched and validated.
struct Work {
    documents: Vec<Vec<u8>>,
    devices: Vec<Device>,
    bill: Vec<Purl>,
    vulnerabilities: Vec<Vulnerability>,
    /// Names the documents' files, for other processes.
    list: PathBuf,
    peer: Option<csaf::Peer>,
}

fn run(context: &Context<'_>) -> Result<Findings> {
    let work = Work::prepare(context)?;
    let advisories = parse(&work.documents)?;
    let books = Books::shipped()?;
    let matcher = Matcher::new(&books, &advisories);
    let turns = context.rounds(SYSTEMS, |system| work.turn(system, &matcher))?;
    let [loads, matches, components, ours, peers] = &turns;
    let products = loads.first().map_or(0, |turn| turn.loaded.products);
    let answered = |turns: &[Turn]| turns.first().map(|turn| turn.answered).unwrap_or_default();
    Ok(Findings {
        how: format!(
            "{}; {products} products; of devices {}; of components {}; medians of {} rounds.",
            beside(judged(ours), judged(peers))?,
            answered(matches),
            answered(components),
            context.options.rounds
        ),
        rows: work.rows(&turns),
    })
}

impl Work {
    fn prepare(context: &Context<'_>) -> Result<Self> {
        let size = context.size(FULL, QUICK);
        let files = csaf::unpack(&context.place.join("csaf"), size.advisories)?;
        let list = context.place.join("list");
        let names: Vec<String> = files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        fs::write(&list, names.join("\n"))?;
        let peer = csaf::Peer::prepare(&list)?;
        if peer.is_none() {
            eprintln!("bench matching: node or npm is not there, so {PEER} is not measured");
        }
        let bill = components::bill(size.components)?;
        Ok(Self {
            documents: csaf::read_all(&files)?,
            devices: devices(size.devices)?,
            vulnerabilities: components::vulnerabilities(&bill, size.ranges)?,
            bill,
            list,
            peer,
        })
    }

    /// One turn of one of [`SYSTEMS`].
    fn turn(&self, system: usize, matcher: &Matcher<'_>) -> Result<Turn> {
        let mut turn = Turn::default();
        match system {
            0 => turn.loaded = load_elsewhere(&self.list)?,
            1 => {
                let (answered, cost) = Cost::of(|| Ok(answer(matcher, &self.devices)))?;
                (turn.answered, turn.cpu_us) = (answered, cost.cpu_us);
            }
            2 => {
                let made = self.vulnerabilities.clone();
                let (prepared, cost) = Cost::of(|| Ok(Components::new(made)))?;
                turn.prepare_us = cost.cpu_us;
                let (answered, cost) = Cost::of(|| components::answer(&prepared, &self.bill))?;
                (turn.answered, turn.cpu_us) = (answered, cost.cpu_us);
            }
            3 => turn.validated = Some(csaf::validate(&self.documents)?),
            _ => turn.validated = self.peer.as_ref().map(csaf::Peer::validate).transpose()?,
        }
        Ok(turn)
    }

    fn rows(&self, [loads, matches, components, ours, peers]: &[Vec<Turn>; 5]) -> Vec<Row> {
        let advisories = self.documents.len();
        let name = format!("load and index {advisories} advisories");
        let load = |figure, read: fn(&Loaded) -> f64| {
            Row::alone(&name, figure, &each(loads, |turn| read(&turn.loaded)))
        };
        let speeds = [ours, peers].map(|turns| {
            let done = turns.iter().filter_map(|turn| turn.validated.as_ref());
            done.map(Validated::a_second).collect::<Vec<f64>>()
        });
        let [ours, peers] = speeds;
        let validate = "validate, beside csaf-validator-lib";
        let devices = format!(
            "{} devices with {advisories} advisories",
            self.devices.len()
        );
        let components_of = format!(
            "{} components with {} ranges",
            self.bill.len(),
            self.vulnerabilities.len()
        );
        let time = |turns: &[Turn]| each(turns, |turn| turn.cpu_us / 1_000.0);
        let prepare = each(components, |turn| turn.prepare_us / 1_000.0);
        let ms = Figure::less("CPU ms");
        vec![
            load(Figure::less("CPU s"), |one| one.cpu_us / 1e6).goal(Some(Goal::AtMost(0.2))),
            load(Figure::less("MB at most"), |one| one.peak_bytes / 1e6)
                .goal(Some(Goal::AtMost(70.0))),
            load(Figure::less("MB kept"), |one| one.kept_bytes / 1e6),
            Row::beside(validate, Figure::more("documents/CPU s"), &ours, &peers)
                .goal(Some(Goal::AtLeast(1_000.0))),
            Row::alone(devices, ms, &time(matches)).goal(Some(Goal::AtMost(20.0))),
            Row::alone(&components_of, ms, &time(components)).goal(Some(Goal::AtMost(50.0))),
            Row::alone(format!("{components_of}, prepare"), ms, &prepare),
        ]
    }
}

fn judged(turns: &[Turn]) -> Option<&Validated> {
    turns.first()?.validated.as_ref()
}

/// Which peer it was, and how often it judged otherwise than ours.
fn beside(ours: Option<&Validated>, peer: Option<&Validated>) -> Result<String> {
    let (Some(ours), Some(peer)) = (ours, peer) else {
        return Ok(format!(
            "{PEER} was not measured, since node or npm is not there"
        ));
    };
    let (all, others) = (ours.valid.len(), csaf::differences(ours, peer)?);
    Ok(format!(
        "{PEER} judges {others} of {all} documents otherwise"
    ))
}

fn parse(documents: &[Vec<u8>]) -> Result<Vec<Advisory>> {
    let limits = Limits::default();
    let parse = |bytes: &Vec<u8>| Advisory::parse(bytes, &limits);
    let parsed: Result<Vec<Advisory>, _> = documents.iter().map(parse).collect();
    parsed.context("parse an advisory")
}

/// Matches every device with every advisory.
fn answer(matcher: &Matcher<'_>, devices: &[Device]) -> Answered {
    let mut answered = Answered::default();
    for answer in devices.iter().flat_map(|device| matcher.answers(device)) {
        answered.count(answer.verdict);
    }
    answered
}

/// Loads what `list` names in a process of its own.
fn load_elsewhere(list: &Path) -> Result<Loaded> {
    let program = std::env::current_exe().context("find this program")?;
    let mut child = Command::new(program);
    child.args([super::CHILD, "load"]).arg(list);
    serde_json::from_str(&capture("load", &mut child)?).context("read what was loaded")
}

/// The work of that process; what it says.
pub(super) fn load(list: &Path) -> Result<String> {
    let names = fs::read_to_string(list).context("read the list")?;
    let files: Vec<PathBuf> = names.lines().map(PathBuf::from).collect();
    let documents = csaf::read_all(&files)?;
    let before = Memory::reset()?;
    // Nothing is given back while it is measured.
    let (books, of_books) = Cost::of(|| Ok(Books::shipped()?))?;
    let (advisories, of_parsing) = Cost::of(|| parse(&documents))?;
    let (matcher, of_index) = Cost::of(|| Ok(Matcher::new(&books, &advisories)))?;
    let after = Memory::now()?;
    let loaded = Loaded {
        advisories: advisories.len(),
        products: matcher.product_count(),
        cpu_us: of_books.cpu_us + of_parsing.cpu_us + of_index.cpu_us,
        peak_bytes: after.peak_bytes - before.resident_bytes,
        kept_bytes: after.resident_bytes - before.resident_bytes,
    };
    ensure!(
        loaded.advisories == files.len() && loaded.products > 0,
        "{loaded:?}"
    );
    Ok(serde_json::to_string(&loaded)?)
}

/// A line of the list of devices.
#[derive(Deserialize)]
struct Listed {
    manufacturer: String,
    model: String,
    product: String,
    version: String,
}

/// So many devices: those of the list, then the same with other versions and spellings.
fn devices(many: usize) -> Result<Vec<Device>> {
    let path = root().join("testkit/data/devices.csv");
    let mut reader =
        csv::Reader::from_path(&path).with_context(|| format!("read {}", path.display()))?;
    let listed: Vec<Listed> = reader.deserialize().collect::<Result<_, _>>()?;
    let mut random = Random::new(1);
    let all = listed.iter().cycle().take(many).enumerate();
    Ok(all
        .map(|(number, one)| match number < listed.len() {
            true => device(&one.manufacturer, &one.model, &one.product, &one.version),
            false => vary(one, &mut random),
        })
        .collect())
}

fn device(manufacturer: &str, model: &str, product: &str, version: &str) -> Device {
    Device {
        manufacturer: manufacturer.to_owned(),
        model: model.to_owned(),
        product: product.to_owned(),
        version: version.to_owned(),
    }
}

/// The same device as somebody else would have typed it, with another version.
fn vary(one: &Listed, random: &mut Random) -> Device {
    let manufacturer = match random.below(5) {
        0 => one.manufacturer.to_uppercase(),
        1 => format!("{}, Inc.", one.manufacturer),
        2 => format!(" {} GmbH", one.manufacturer),
        3 => one.manufacturer.to_lowercase(),
        _ => one.manufacturer.clone(),
    };
    let model = match random.below(5) {
        0 => one.model.replace(' ', "-"),
        1 => one.model.replace(' ', ""),
        2 => format!("{} {}", one.manufacturer, one.model),
        3 => one.model.to_uppercase(),
        _ => format!("{}  ", one.model),
    };
    let version = match (one.version.rsplit_once('.'), random.below(5)) {
        (_, 0) => String::new(),
        (_, 1) => format!("V{}", one.version),
        (Some((front, _)), 2) => front.to_owned(),
        (Some((front, _)), _) => format!("{front}.{}", random.below(20)),
        (None, _) => format!("{}.{}", one.version, random.below(20)),
    };
    device(&manufacturer, &model, &one.product, &version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_the_same_each_time_and_begin_with_the_list() {
        let all = devices(200).unwrap();
        assert_eq!(all, devices(200).unwrap());
        assert_eq!(all.len(), 200);
        assert_eq!(
            (all[0].model.as_str(), all[0].version.as_str()),
            ("NextSeq 550", "4.0.2")
        );
        let others = all.iter().skip(60).zip(all.iter().cycle());
        assert!(others.filter(|(one, other)| one != other).count() > 130);
    }

    #[test]
    fn a_peer_that_was_not_there_is_named_and_one_that_judged_less_is_no_peer() {
        let judged = |valid: &[bool]| Validated {
            valid: valid.to_vec(),
            cpu_us: 2.0,
        };
        let ours = judged(&[true, false, true, true]);
        let same = beside(Some(&ours), Some(&judged(&[true, true, true, true]))).unwrap();
        assert!(same.ends_with("judges 1 of 4 documents otherwise"));
        assert!(
            beside(Some(&ours), None)
                .unwrap()
                .contains("was not measured")
        );
        assert!(beside(Some(&ours), Some(&judged(&[true]))).is_err());
        assert!((ours.a_second() - 2_000_000.0).abs() < 1.0);
    }
}
