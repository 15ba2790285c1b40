//! What a process has used up, as the kernel counts it in `/proc`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};

/// What one process has used since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Processor time, user and system, in microseconds; the kernel counts in ticks of 10 ms.
    pub(crate) cpu_us: u64,
    /// Memory resident now, in KiB.
    pub(crate) rss_kib: u64,
    /// Bytes that it caused to be written to a disk; `None` where only root may know.
    pub(crate) written: Option<u64>,
}

/// What the process `id` has used so far; `tick_us` is the length of one tick.
pub(crate) fn used(id: u32, tick_us: u64) -> Result<Used> {
    let read = |name: &str| {
        let path = format!("/proc/{id}/{name}");
        fs::read_to_string(&path).with_context(|| format!("read {path}"))
    };
    Ok(Used {
        cpu_us: ticks(&read("stat")?, OWN).context("read processor time")? * tick_us,
        rss_kib: value(&read("status")?, "VmRSS:").context("read resident memory")?,
        written: read("io").ok().and_then(|io| value(&io, "write_bytes:")),
    })
}

impl Used {
    /// What several processes have used together.
    pub(crate) fn of(processes: &[u32], tick_us: u64) -> Result<Self> {
        let nothing = Self {
            written: Some(0),
            ..Self::default()
        };
        processes.iter().try_fold(nothing, |sum, id| {
            let one = used(*id, tick_us)?;
            Ok(Self {
                cpu_us: sum.cpu_us + one.cpu_us,
                rss_kib: sum.rss_kib + one.rss_kib,
                written: sum.written.zip(one.written).map(|(a, b)| a + b),
            })
        })
    }

    /// Memory resident, in 10^6 bytes.
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
    pub(crate) fn rss_mb(&self) -> f64 {
        self.rss_kib as f64 * 1024.0 / 1_000_000.0
    }
}

/// What something that this very process does has cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Processor time of all threads, in µs.
    pub(crate) cpu_us: f64,
    /// Time on the wall, in seconds.
    pub(crate) seconds: f64,
}

impl Cost {
    /// Does `work` and says what it gave and cost.
    pub(crate) fn of<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Self)> {
        let (wall, cpu) = (Instant::now(), own_cpu());
        let done = work()?;
        let cost = Self {
            cpu_us: (own_cpu().saturating_sub(cpu)).as_secs_f64() * 1_000_000.0,
            seconds: wall.elapsed().as_secs_f64(),
        };
        Ok((done, cost))
    }
}

/// Memory of this process, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// What is resident now.
    pub(crate) resident_bytes: f64,
    /// The most that was since the start, or since [`Memory::reset`].
    pub(crate) peak_bytes: f64,
}

impl Memory {
    /// Memory now.
    pub(crate) fn now() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("read own memory")?;
        let bytes = |name: &str| -> Result<f64> {
            let kib = value(&status, name).with_context(|| format!("read {name}"))?;
            Ok(f64::from(u32::try_from(kib)?) * 1024.0)
        };
        Ok(Self {
            resident_bytes: bytes("VmRSS:")?,
            peak_bytes: bytes("VmHWM:")?,
        })
    }

    /// Has the peak begin anew; memory now.
    pub(crate) fn reset() -> Result<Self> {
        fs::write("/proc/self/clear_refs", "5").context("reset the peak of own memory")?;
        Self::now()
    }
}

/// Processor time, in µs, of the processes that this one started and waited for; `tick_us` is the length of one tick.
pub(crate) fn children_cpu_us(tick_us: u64) -> Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat").context("read own times")?;
    Ok(ticks(&stat, CHILDREN).context("read the children's processor time")? * tick_us)
}

/// Processor time of all threads of this process so far.
fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let whole = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(whole, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The length of the kernel's tick in microseconds.
pub(crate) fn tick_us() -> Result<u64> {
    let text = crate::run::capture("getconf", Command::new("getconf").arg("CLK_TCK"))?;
    let per_second: u64 = text.trim().parse().context("read CLK_TCK")?;
    Ok(1_000_000 / per_second.max(1))
}

/// Where in `/proc/PID/stat`, behind the name, user time stands, with system time behind it: the process's own
/// (proc(5), fields 14 and 15) and its children's (16 and 17).
const OWN: usize = 11;
const CHILDREN: usize = 13;

/// User and system time of a `/proc/PID/stat` line together, in ticks.
fn ticks(stat: &str, place: usize) -> Option<u64> {
    // The program's name stands in parentheses and may hold spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(place);
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

/// Programs that wanted a core at the same time, over the last minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

/// The median time, in ms, to overwrite 16 KiB of a file in `folder` and sync it: what one commit
/// costs at least.
pub(crate) fn sync_ms(folder: &Path) -> Result<f64> {
    const BLOCK: [u8; 16 * 1024] = [1; 16 * 1024];
    const TIMES: u64 = 200;
    let path = folder.join("sync");
    let file = fs::File::create(&path).with_context(|| format!("write {}", path.display()))?;
    for _ in 0..TIMES {
        (&file).write_all(&BLOCK)?;
    }
    file.sync_all()?;
    let mut times = Vec::new();
    for number in 0..TIMES {
        let begin = Instant::now();
        file.write_all_at(&BLOCK, number * 16 * 1024)?;
        file.sync_data()?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
    }
    fs::remove_file(&path)?;
    times.sort_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_a_name_with_spaces_and_parentheses() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 7 5 2 1 20 0 1 0 9 9 9";
        assert_eq!(
            (ticks(stat, OWN), ticks(stat, CHILDREN)),
            (Some(12), Some(3))
        );
        assert_eq!(ticks("42 (cut) S 1", OWN), None);
    }

    #[test]
    fn work_costs_processor_time_and_waiting_costs_time() {
        let busy = || {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(20) {
                std::hint::black_box(begin);
            }
            Ok(())
        };
        let ((), busy) = Cost::of(busy).unwrap();
        let mut sleeper = Command::new("sleep");
        sleeper.arg("0.2");
        let (_, waiting) = Cost::of(|| crate::run::capture("sleep", &mut sleeper)).unwrap();
        assert!(
            busy.cpu_us > 1_000.0 && waiting.seconds >= 0.2,
            "{busy:?} {waiting:?}"
        );
    }

    #[test]
    fn the_peak_of_memory_begins_anew_and_grows() {
        let before = Memory::reset().unwrap();
        let filled = vec![1_u8; 32 << 20];
        let with = Memory::now().unwrap();
        assert!(
            with.peak_bytes > before.resident_bytes + 20e6,
            "{before:?} {with:?}"
        );
        drop(filled);
        // The kernel adds up what each core counted, now and then.
        let after = Memory::now().unwrap();
        assert!(
            after.peak_bytes > before.resident_bytes + 20e6,
            "{before:?} {after:?}"
        );
        assert!(Memory::reset().unwrap().peak_bytes < with.peak_bytes - 10e6);
    }

    #[test]
    fn a_child_that_was_waited_for_is_counted() {
        let tick = tick_us().unwrap();
        let before = children_cpu_us(tick).unwrap();
        let mut busy = Command::new("sh");
        busy.args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]);
        crate::run::capture("sh", &mut busy).unwrap();
        assert!(children_cpu_us(tick).unwrap() > before);
    }

    #[test]
    fn several_processes_are_added_up() {
        let (id, tick) = (std::process::id(), tick_us().unwrap());
        let one = used(id, tick).unwrap();
        let two = Used::of(&[id, id], tick).unwrap();
        assert!(two.rss_kib > one.rss_kib && two.rss_mb() > one.rss_mb());
        assert!(Used::of(&[id, 0], tick).is_err());
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
