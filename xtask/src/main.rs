#![doc = include_str!("../README.md")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a developer's tool: it prints, starts programs and measures time"
)]

mod alarms;
mod api;
mod bench;
mod browser;
mod carriers;
mod dictionaries;
mod docs;
mod fuzz;
mod guard;
mod installation;
mod interop;
mod links;
mod run;
mod sbom;
mod stunnel;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  test [--quick]         everything: formatting, lints, tests, documents, layering, licences, fuzz smoke, demo, real peers,
                         the console in a browser, the API by its document
  tidy                   rules that no compiler checks: arrows between rooms, front pages, sizes, links of the documents
  docs [--check]         write (or compare) the generated documents under docs/ref
  dictionaries           train the dictionaries with which records are packed, where there is none yet
  fuzz [TARGET] [SECS]   run one fuzz target, or all, for so many seconds each (default 10)
  bad-days               kills, flipped bits, endless frames, large documents, longer than test runs them
                         (docs/ref/failure.md)
  interop [--write]      send the test data through a live gateway with clients that are not ours
  carriers [--write]     what laboratories move, and the test files of ClamAV, through Labward, ClamAV and YARA
                         (docs/ref/malware.md)
  alarms [--write]       what Labward says of the files of this machine and of the test data, which are good
                         (docs/ref/false-alarms.md)
  api                    what the OpenAPI document allows and forbids, asked of a live server by Schemathesis
  browser [--pictures]   the console in Chromium: what people do there, and every page in each theme, language and
                         width, with its accessibility; pictures in target/screenshots. --pictures takes only those
                         of the guides, anew (docs/guide/pictures)
  bench [gateway|through|records|ledger|keys|backup|start|console|matching|devices|malware]
                         what Labward does beside its peers, one bench or all; --pairs N, --quick (small),
                         --json (one line a row), --write (docs/ref/benchmarks.md);
                         gateway: --connections N; through and console: --stored N; console: --kept FOLDER;
                         malware: --rules FOLDER

api, interop and browser run the program as it is built for tests, alarms and bench run the release program, or either the
one that LABWARD_PROGRAM names.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => test::test(false),
        ["test", "--quick"] => test::test(true),
        ["tidy"] => tidy::tidy(),
        ["docs"] => docs::docs(false),
        ["docs", "--check"] => docs::docs(true),
        ["dictionaries"] => dictionaries::dictionaries(),
        ["fuzz"] => fuzz::fuzz(None, 10),
        ["fuzz", target] => fuzz::fuzz(Some(target), 10),
        ["fuzz", target, seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::fuzz(Some(target), seconds),
            Err(_) => Err(anyhow::anyhow!("SECS is a whole number of seconds")),
        },
        ["bad-days"] => test::bad_days(),
        ["interop"] => interop::interop(false),
        ["interop", "--write"] => interop::interop(true),
        ["carriers"] => carriers::carriers(false),
        ["carriers", "--write"] => carriers::carriers(true),
        ["alarms"] => alarms::alarms(false),
        ["alarms", "--write"] => alarms::alarms(true),
        ["api"] => api::api(),
        ["browser"] => browser::browser(false),
        ["browser", "--pictures"] => browser::browser(true),
        ["bench", words @ ..] => bench::bench(words),
        [bench::CHILD, words @ ..] => bench::child(words),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
