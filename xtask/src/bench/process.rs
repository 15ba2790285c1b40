//! What a process has used up, as the kernel counts it in `/proc`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

/// What one process has used since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Processor time, user and system, in microseconds; the kernel counts in ticks of 10 ms.
    pub(crate) cpu_us: u64,
    /// Memory resident now, in KiB.
    pub(crate) rss_kib: u64,
    /// Bytes that it caused to be written to a disk.
    pub(crate) written: u64,
}

/// What the process `id` has used so far; `tick_us` is the length of one tick.
pub(crate) fn used(id: u32, tick_us: u64) -> Result<Used> {
    let read = |name: &str| {
        let path = format!("/proc/{id}/{name}");
        fs::read_to_string(&path).with_context(|| format!("read {path}"))
    };
    Ok(Used {
        cpu_us: ticks(&read("stat")?).context("read processor time")? * tick_us,
        rss_kib: value(&read("status")?, "VmRSS:").context("read resident memory")?,
        // Not everybody may read it; root may.
        written: read("io")
            .ok()
            .and_then(|io| value(&io, "write_bytes:"))
            .unwrap_or_default(),
    })
}

/// The length of the kernel's tick in microseconds.
pub(crate) fn tick_us() -> Result<u64> {
    let text = crate::run::capture("getconf", Command::new("getconf").arg("CLK_TCK"))?;
    let per_second: u64 = text.trim().parse().context("read CLK_TCK")?;
    Ok(1_000_000 / per_second.max(1))
}

/// utime and stime of a `/proc/PID/stat` line, in ticks (proc(5), fields 14 and 15).
fn ticks(stat: &str) -> Option<u64> {
    // The program's name stands in parentheses and may hold spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The number behind `name` in a file of `name value` lines.
fn value(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The machine in a few words: processor, cores, kernel.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_a_name_with_spaces_and_parentheses() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 7 5 0 0 20 0 1 0 9 9 9";
        assert_eq!(ticks(stat), Some(12));
        assert_eq!(ticks("42 (cut) S 1"), None);
    }

    #[test]
    fn a_busy_process_uses_time_and_memory() {
        let tick = tick_us().unwrap();
        let id = std::process::id();
        let before = used(id, tick).unwrap();
        let mut sum = 0_u64;
        while used(id, tick).unwrap().cpu_us < before.cpu_us + 2 * tick {
            sum = sum.wrapping_add(std::hint::black_box(1));
        }
        assert!(before.rss_kib > 100 && sum > 0, "{before:?}");
    }
}
