//! `docs/ref/benchmarks.md`: what each bench measures, which is written here, and what it last found,
//! which each bench writes into its own section.
//!
//! It must never change what another bench has found, or leave a bench out that was not run.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{BENCHES, Bench};
use crate::run::root;

/// What stands where a bench has not been run.
const NOT_MEASURED: &str = "Not measured yet.\n";

/// What ends a result.
const END: &str = "<!-- end -->\n";

/// Writes what `bench` found into its section.
pub(super) fn write(bench: &str, found: &str) -> Result<()> {
    let file = path();
    let stands = fs::read_to_string(&file).unwrap_or_default();
    let page = render(|each| {
        if each.name == bench {
            Some(found)
        } else {
            result_in(&stands, each)
        }
    });
    fs::write(&file, page).with_context(|| format!("write {}", file.display()))
}

/// The page with the results that stand in it now.
pub(crate) fn page() -> Result<String> {
    let stands = fs::read_to_string(path()).unwrap_or_default();
    Ok(render(|each| result_in(&stands, each)))
}

fn path() -> PathBuf {
    root().join("docs/ref/benchmarks.md")
}

fn begin(bench: &Bench) -> String {
    format!("<!-- result of {} -->\n", bench.name)
}

/// What the page says that `bench` found.
fn result_in<'a>(page: &'a str, bench: &Bench) -> Option<&'a str> {
    let (_, rest) = page.split_once(&begin(bench))?;
    let (result, _) = rest.split_once(END)?;
    Some(result)
}

fn render<'a>(result: impl Fn(&Bench) -> Option<&'a str>) -> String {
    let mut page = String::from(INTRODUCTION);
    for bench in &BENCHES {
        let result = result(bench).unwrap_or(NOT_MEASURED);
        page.push_str(&format!(
            "\n## {}\n\n`cargo xtask bench {}`\n\n{}\n{}{result}{END}",
            bench.title,
            bench.name,
            bench.about,
            begin(bench)
        ));
    }
    page.push_str(PROFILES);
    page
}

/// What profiles have shown, behind the sections.
const PROFILES: &str = include_str!("profiles.md");

/// What the page says before its sections.
const INTRODUCTION: &str = "\
# Benchmarks

Written by `cargo xtask bench --write`; never by hand. Each bench writes its own section, with the day, the
machine and the revision; one that was not run yet says so. Where the time goes stands at the end.

## How to read it

Labward and its peers run on the same machine, in turn, one round after the other; who goes first changes
from round to round, so that what else the machine does hits all of them. The ratio is that of the runs of
one round, and **above 1 Labward does better**, whatever the unit: for messages a second it is ours ÷ the
peer's, for time, processor time, memory and bytes the peer's ÷ ours. The table holds medians, of the ratios
with the lowest and the highest; the median of the ratios is not the ratio of the medians. A goal `≥ 1.5 ×`
is a ratio, `≤ 75` is in the row's own unit and does not depend on a peer. A row that misses its goal says
so, and so does one that could not be measured.

| Figure | From |
|---|---|
| msg/s | messages in the measured time, each with its checked acknowledgement |
| p50, p99 | at the client: from a message's first byte |
| CPU µs | user and system time of the server's processes (`/proc/PID/stat`, ticks of 10 ms), of a bench without a server of its own process (`CLOCK_PROCESS_CPUTIME_ID`) |
| RSS MB | `VmRSS` at the end of the run, in 10^6 bytes |
| bytes written | `write_bytes` of `/proc/PID/io`, which only root may read of Labward |

On a busy machine messages a second drift by a factor of 1.3 to 2, and a ratio that moves by less than 15 %
has not moved. Few cores favour nobody: the load client and the receivers take their part of the same cores.
With a disk that lies about syncs the numbers would be better and worth nothing.

## What is not measured

- New connections: all are open before a measurement begins.
- Larger messages, ASTM, batches, links with hundreds of peers, more than one machine.
- A cold disk, except for backups: files that another bench has just written are in the system's memory.
- Other machines than the one that each section names.

## How to repeat it

```sh
cargo xtask bench                          # all of them, one after the other
cargo xtask bench gateway                  # one, as a table
cargo xtask bench gateway --connections 64 # one case of it
cargo xtask bench through --stored 10000000 # with more messages already stored
cargo xtask bench console --stored 9000000 --kept FOLDER # the filled lab stays there, and is taken the next time
cargo xtask bench malware --rules FOLDER   # with a public set of YARA rules
cargo xtask bench records --pairs 9        # more rounds
cargo xtask bench keys --quick             # small, to see that it works; its figures mean nothing
cargo xtask bench ledger --json            # one JSON object a line
cargo xtask bench start --write            # this page
```

Debian's `stunnel4`, `haproxy`, `gcc` and `libssl-dev`, for `devices` `tshark` and `libndpi-bin`, are installed, or
the line to type is named; `matching` leaves its peer out where node or npm is not there, and both need the test data
(`LABWARD_TEST_DATA`). Let nothing else run meanwhile.
";

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn a_bench_replaces_its_own_section_and_no_other() {
        let first = render(|bench| (bench.name == "keys").then_some("old keys\n"));
        let both = render(|bench| match bench.name {
            "gateway" => Some("new gateway\n"),
            _ => result_in(&first, bench),
        });
        assert!(both.contains("new gateway\n") && both.contains("old keys\n"));
        assert_eq!(both.matches(NOT_MEASURED).count(), BENCHES.len() - 2);
        let again = render(|bench| result_in(&both, bench));
        assert_eq!(again, both);
    }

    #[test]
    fn a_section_is_found_again_as_it_was_written() {
        let section = report("start").section();
        let page = render(|bench| (bench.name == "start").then_some(section.as_str()));
        let start = BENCHES.iter().find(|bench| bench.name == "start").unwrap();
        assert_eq!(result_in(&page, start), Some(section.as_str()));
    }

    #[test]
    fn the_page_says_what_the_benches_say() {
        let stands = fs::read_to_string(path()).unwrap();
        assert!(stands == page().unwrap(), "run cargo xtask docs");
    }
}
