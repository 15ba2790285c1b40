//! `cargo xtask bench`: what Labward does beside what it is compared with, in one run.
//!
//! Systems are measured in turn, round by round, so that what else the machine does hits all of
//! them; only ratios within a round are compared. It must never count an unchecked answer, or leave
//! a row out because something is missing here.

mod backup;
mod certificates;
mod components;
mod console;
mod csaf;
mod devices;
mod gateway;
mod haproxy;
mod keys;
mod ledger;
mod load;
mod malware;
mod matching;
mod message;
pub(crate) mod page;
pub(crate) mod process;
mod records;
mod report;
mod rooms;
mod row;
mod sink;
mod start;
mod through;
mod traffic;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::guard::Workplace;
use crate::run::cargo;
use crate::tools;

use report::{Findings, Report, Surroundings};

/// Rounds of each case if nothing else is asked for.
const ROUNDS: usize = 5;

/// Messages that are stored already in one case of `through`, if nothing else is asked for.
const STORED: u64 = 1_000_000;

/// One bench.
pub(crate) struct Bench {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// The head of its section.
    title: &'static str,
    /// What its section says before the results, in Markdown.
    about: &'static str,
    run: fn(&Context<'_>) -> Result<Findings>,
}

/// Every bench, in the order in which they run.
pub(crate) const BENCHES: [Bench; 11] = [
    gateway::BENCH,
    through::BENCH,
    records::BENCH,
    ledger::BENCH,
    keys::BENCH,
    backup::BENCH,
    start::BENCH,
    console::BENCH,
    matching::BENCH,
    devices::BENCH,
    malware::BENCH,
];

/// The word by which a bench starts this program as a process of its own, which is measured alone.
pub(crate) const CHILD: &str = "bench-process";

/// What `cargo xtask bench` was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Options {
    /// Only this one, by its place in [`BENCHES`].
    only: Option<usize>,
    rounds: usize,
    /// Only the case with so many connections.
    connections: Option<usize>,
    /// Messages that are stored already in one case.
    stored: u64,
    /// Where the lab of `console` is kept from run to run, since filling it takes most of the time.
    kept: Option<PathBuf>,
    /// The folder with the rules of `malware`; they are made if there is none.
    rules: Option<PathBuf>,
    quick: bool,
    json: bool,
    write: bool,
}

/// What every bench is given.
struct Context<'a> {
    place: &'a Workplace,
    options: Options,
    tick_us: u64,
}

/// Runs `cargo xtask bench` with these words.
pub(crate) fn bench(words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    if cfg!(debug_assertions) && !options.quick {
        // A slow load client would make all systems look alike; to see that it works, it may be slow.
        let status = cargo()
            .args(["run", "--quiet", "--release", "--package", "xtask", "--"])
            .arg("bench")
            .args(words)
            .status()
            .context("start the release build")?;
        ensure!(status.success(), "the bench failed ({status})");
        return Ok(());
    }
    tools::ensure_for_bench()?;
    for bench in options.chosen() {
        let place = Workplace::create("bench")?;
        let context = Context {
            place: &place,
            options: options.clone(),
            tick_us: process::tick_us()?,
        };
        let report = Report {
            bench: bench.name,
            surroundings: Surroundings::look(place.path())?,
            findings: (bench.run)(&context).with_context(|| format!("bench {}", bench.name))?,
        };
        if options.json {
            print!("{}", report.json_lines()?);
        } else {
            println!("{}", report.text());
        }
        if options.write {
            page::write(bench.name, &report.section())?;
        }
    }
    Ok(())
}

/// Does the work of a process that a bench started, and prints what it found.
pub(crate) fn child(words: &[&str]) -> Result<()> {
    match words {
        ["load", list] => println!("{}", matching::load(Path::new(list))?),
        _ => bail!("no bench starts {words:?}"),
    }
    Ok(())
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self {
            only: None,
            rounds: ROUNDS,
            connections: None,
            stored: STORED,
            kept: None,
            rules: None,
            quick: false,
            json: false,
            write: false,
        };
        let (mut rounds, mut stored) = (None, None);
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            if let "--kept" | "--rules" = word {
                let folder = words.next().map(PathBuf::from);
                ensure!(folder.is_some(), "{word} takes a folder");
                match word {
                    "--kept" => options.kept = folder,
                    _ => options.rules = folder,
                }
                continue;
            }
            let mut number = |most: u64| {
                let given = words.next().and_then(|word| word.parse().ok());
                given
                    .filter(|number| (1..=most).contains(number))
                    .with_context(|| format!("{word} takes a number from 1 to {most}"))
            };
            match word {
                "--json" => options.json = true,
                "--write" => options.write = true,
                "--quick" => options.quick = true,
                "--pairs" => rounds = Some(usize::try_from(number(1_000)?)?),
                "--stored" => stored = Some(number(100_000_000)?),
                "--connections" => {
                    let wanted = usize::try_from(number(256)?)?;
                    ensure!(
                        gateway::has_case(wanted),
                        "--connections takes 1, 16, 64 or 256"
                    );
                    options.connections = Some(wanted);
                }
                name if options.only.is_none() => {
                    let place = BENCHES.iter().position(|bench| bench.name == name);
                    options.only =
                        Some(place.with_context(|| format!("there is no bench {name}"))?);
                }
                other => bail!("bench does not know {other}"),
            }
        }
        ensure!(
            !(options.write && (options.quick || options.connections.is_some())),
            "the page holds whole measurements: --write goes without --quick and --connections"
        );
        options.rounds = rounds.unwrap_or(if options.quick { 1 } else { ROUNDS });
        options.stored = stored.unwrap_or(if options.quick { 5_000 } else { STORED });
        Ok(options)
    }

    /// The benches that are to run.
    fn chosen(&self) -> impl Iterator<Item = &'static Bench> {
        let only = self.only;
        BENCHES
            .iter()
            .enumerate()
            .filter(move |(place, _)| only.is_none_or(|only| only == *place))
            .map(|(_, bench)| bench)
    }
}

impl Context<'_> {
    /// `full`, or `quick` where it is only to be seen that the bench works.
    const fn size<T: Copy>(&self, full: T, quick: T) -> T {
        if self.options.quick { quick } else { full }
    }

    /// Runs each of `systems` once a round, another one first each time; what each run gave stands in
    /// the order of the rounds.
    fn rounds<T, const N: usize>(
        &self,
        systems: [&str; N],
        mut run: impl FnMut(usize) -> Result<T>,
    ) -> Result<[Vec<T>; N]> {
        let mut all: [Vec<T>; N] = std::array::from_fn(|_| Vec::new());
        for round in 0..self.options.rounds {
            for turn in 0..N {
                // Who goes second finds a warmer machine; it is another one each time.
                let system = (round + turn) % N;
                let name = systems.get(system).copied().unwrap_or_default();
                let ran = run(system).with_context(|| format!("measure {name}"))?;
                if let Some(runs) = all.get_mut(system) {
                    runs.push(ran);
                }
            }
        }
        Ok(all)
    }
}

/// One number of each run.
fn each<T>(runs: &[T], read: impl Fn(&T) -> f64) -> Vec<f64> {
    runs.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A context that measures `rounds` rounds of the small sizes.
    pub(super) fn quick(place: &Workplace, rounds: usize) -> Context<'_> {
        let options = Options {
            rounds,
            ..Options::parse(&["--quick"]).unwrap()
        };
        Context {
            place,
            options,
            tick_us: process::tick_us().unwrap(),
        }
    }

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let options = Options::parse(&["through", "--pairs", "7", "--json"]).unwrap();
        assert_eq!(
            (options.rounds, options.json, options.write),
            (7, true, false)
        );
        let names: Vec<&str> = options.chosen().map(|bench| bench.name).collect();
        assert_eq!(names, ["through"]);
        let options = Options::parse(&["--connections", "64", "--stored", "10000000"]).unwrap();
        assert_eq!(
            (options.connections, options.stored),
            (Some(64), 10_000_000)
        );
        let options = Options::parse(&["console", "--kept", "lab"]).unwrap();
        assert_eq!(options.kept, Some(PathBuf::from("lab")));
        let options = Options::parse(&["malware", "--rules", "set"]).unwrap();
        assert_eq!(options.rules, Some(PathBuf::from("set")));
        for wrong in [
            &["--pair"][..],
            &["--pairs"],
            &["--pairs", "0"],
            &["--kept"],
            &["--rules"],
            &["--connections", "7"],
            &["--stored", "many"],
            &["gateway", "keys"],
            &["gateways"],
            &["gateway", "--write", "--quick"],
            &["gateway", "--write", "--connections", "64"],
        ] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn without_a_name_every_bench_runs_and_quickly_means_small() {
        let options = Options::parse(&["--quick"]).unwrap();
        assert_eq!(options.chosen().count(), BENCHES.len());
        assert_eq!((options.rounds, options.stored), (1, 5_000));
        assert_eq!(
            Options::parse(&["--quick", "--pairs", "3"]).unwrap().rounds,
            3
        );
    }

    #[test]
    fn the_benches_are_those_that_the_usage_names() {
        let (_, rest) = crate::USAGE.split_once("bench [").unwrap();
        let (names, _) = rest.split_once(']').unwrap();
        let named: Vec<&str> = names.split('|').collect();
        let there: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        assert_eq!(named, there);
    }

    #[test]
    fn each_round_begins_with_another_system_and_results_stay_in_order() {
        let place = Workplace::create("xtask-rounds").unwrap();
        let mut order = Vec::new();
        let [a, b, c] = quick(&place, 3)
            .rounds(["a", "b", "c"], |system| {
                order.push(system);
                Ok(order.len())
            })
            .unwrap();
        assert_eq!(order, [0, 1, 2, 1, 2, 0, 2, 0, 1]);
        assert_eq!((a, b, c), (vec![1, 6, 8], vec![2, 4, 9], vec![3, 5, 7]));
    }
}
