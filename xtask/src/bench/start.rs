//! The start: how soon an installation is open, and what the program takes when nothing happens.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::process::Used;
use super::report::Findings;
use super::row::{Figure, Goal, Row};
use super::{Bench, Context, each};
use crate::guard::free_ports;
use crate::installation::{self, Installation, Link};

pub(super) const BENCH: Bench = Bench {
    name: "start",
    title: "Start",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
The release program on a new, empty installation with one key-file slot and one link; each run starts from a
fresh copy. The start is from the process until the admin socket says that the root key is open and the
listener up, asked every millisecond; program and files are in the system's memory by then. Idle memory is
`VmRSS` after 3 s without a request.
";

/// Between two questions.
const LOOK: Duration = Duration::from_millis(1);

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Measured {
    open: Duration,
    rss_mb: f64,
}

fn run(context: &Context<'_>) -> Result<Findings> {
    let place = context.place;
    let program = installation::build()?;
    let [port] = free_ports()?;
    let link = Link::mutual_tls("main", port, "");
    let template = Installation::create(&program, place, "template", &[link])?;
    let [runs] = context.rounds(["Labward"], |_| {
        let copy = template.copy(&place.join("data"))?;
        let measured = measure(context, &copy)?;
        copy.remove()?;
        eprintln!(
            "bench start: open after {} ms, idle {:.1} MB",
            measured.open.as_millis(),
            measured.rss_mb
        );
        Ok(measured)
    })?;
    let millis = each(&runs, |run| run.open.as_secs_f64() * 1_000.0);
    let memory = each(&runs, |run| run.rss_mb);
    let rows = vec![
        Row::alone(
            "empty installation until it is open",
            Figure::less("ms"),
            &millis,
        )
        .goal(Some(Goal::AtMost(300.0))),
        Row::alone("idle", Figure::less("RSS MB"), &memory).goal(Some(Goal::AtMost(25.0))),
        Row::alone("the program", Figure::less("MB"), &[megabytes(&program)?])
            .goal(Some(Goal::AtMost(30.0))),
    ];
    Ok(Findings {
        how: format!("Medians of {} starts.", context.options.rounds),
        rows,
    })
}

fn measure(context: &Context<'_>, installation: &Installation) -> Result<Measured> {
    let begin = Instant::now();
    let server = installation.start()?;
    while !installation.is_open() {
        if begin.elapsed() > PATIENCE {
            bail!("the server did not open");
        }
        sleep(LOOK);
    }
    let open = begin.elapsed();
    sleep(context.size(Duration::from_secs(3), Duration::from_millis(500)));
    let rss_mb = Used::of(&[server.id()], context.tick_us)?.rss_mb();
    server.stop()?;
    Ok(Measured { open, rss_mb })
}

/// The size of a file in 10^6 bytes.
fn megabytes(file: &Path) -> Result<f64> {
    let kilobytes = u32::try_from(fs::metadata(file)?.len() / 1_000)?;
    Ok(f64::from(kilobytes) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Workplace;

    #[test]
    fn a_megabyte_is_a_million_bytes() {
        let place = Workplace::create("xtask-start").unwrap();
        let file = place.join("program");
        fs::write(&file, vec![0; 2_500_000]).unwrap();
        assert!((megabytes(&file).unwrap() - 2.5).abs() < 1e-9);
        assert!(megabytes(&place.join("nothing")).is_err());
    }
}
