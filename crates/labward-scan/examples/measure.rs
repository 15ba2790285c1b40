//! Measures the engines: how long rules take to load, and what a scan of a message, of a document
//! and of many files costs. `measure RULES-FOLDER FILE-OR-FOLDER… [--hashes]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measuring tool ends where it cannot measure"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_carrier::Declared;
use labward_os::Stopwatch;
use labward_scan::hashes::Collector;
use labward_scan::yara::Loader;
use labward_scan::{Deadline, Policy, Scanner, Setting};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut paths = words
        .iter()
        .filter(|word| !word.starts_with("--"))
        .map(PathBuf::from);
    let folder = paths.next().unwrap();
    let watch = Stopwatch::start();
    let mut loader = Loader::default();
    loader.add_own();
    loader.add_path(&folder, "", None);
    let rules = loader.finish();
    println!("{} rules compiled in {:?}", rules.len(), watch.elapsed());
    let scanner = Scanner::new(vec![Box::new(rules)], Policy::default(), None, None);
    for path in paths {
        measure(&scanner, &path);
    }
    if words.iter().any(|word| word == "--hashes") {
        hashes();
    }
}

fn measure(scanner: &Scanner, path: &Path) {
    let mut files = Vec::new();
    collect(path, &mut files);
    let (mut bytes, mut found, mut spent) = (0, 0, Duration::ZERO);
    let mut times = Vec::new();
    for file in &files {
        let Ok(content) = std::fs::read(file) else {
            continue;
        };
        let rounds = if files.len() == 1 { 1_000 } else { 1 };
        for _ in 0..rounds {
            let watch = Stopwatch::start();
            let deadline = Deadline::after(Duration::from_secs(600));
            let report = scanner.scan(Setting::Message, &content, &Declared::nothing(), &deadline);
            let took = watch.elapsed();
            times.push(took);
            spent += took;
            bytes += content.len();
            found += usize::from(!report.findings.is_empty());
        }
    }
    times.sort();
    let at = |hundredths: usize| {
        times
            .get(times.len() * hundredths / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{}: {} scans, {found} with findings, {bytes} bytes, {:.1} MB/s, p50 {:?}, p99 {:?}",
        path.display(),
        times.len(),
        bytes as f64 / 1e6 / spent.as_secs_f64(),
        at(50),
        at(99)
    );
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    let Ok(facts) = std::fs::symlink_metadata(path) else {
        return;
    };
    if facts.is_file() {
        files.push(path.to_owned());
    } else if facts.is_dir()
        && let Ok(entries) = std::fs::read_dir(path)
    {
        for entry in entries.flatten() {
            collect(&entry.path(), files);
        }
    }
}

/// Five million SHA-256 as text.
fn hashes() {
    let mut text = String::new();
    let mut seed = 1_u64;
    for _ in 0..5_000_000 {
        for _ in 0..4 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!("{:016x}", seed ^ (seed >> 29)));
        }
        text.push('\n');
    }
    let watch = Stopwatch::start();
    let mut collector = Collector::default();
    collector.add("list", text.as_bytes()).unwrap();
    let engine = collector.finish();
    println!(
        "{} hashes of {} bytes of text in {:?}",
        engine.len(),
        text.len(),
        watch.elapsed()
    );
    let scanner = Scanner::new(vec![Box::new(engine)], Policy::default(), None, None);
    let folder = std::env::temp_dir().join(format!("labward-measure-{}", std::process::id()));
    std::fs::write(&folder, [7; 500]).unwrap();
    measure(&scanner, &folder);
    std::fs::remove_file(&folder).unwrap();
}
