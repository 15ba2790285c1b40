//! libFuzzer on the stable toolchain: the coverage instrumentation is asked of LLVM directly.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::run::{capture, cargo, root, run};

/// The flags that `cargo fuzz` would pass, as far as a stable compiler takes them.
const INSTRUMENT: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cdebug-assertions --cfg fuzzing";

/// Where each target is a file.
const TARGETS: &str = "fuzz/src/targets";

/// Builds the targets and runs `target`, or all, for `seconds` each, as many at once as there are cores; a finding
/// is an error.
pub(crate) fn fuzz(target: Option<&str>, seconds: u32) -> Result<()> {
    let names: Vec<String> = targets()?
        .into_iter()
        .filter(|name| target.is_none_or(|wanted| wanted == name))
        .collect();
    ensure!(!names.is_empty(), "there is no such fuzz target");
    let program = build()?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    for together in names.chunks(cores) {
        thread::scope(|scope| {
            let program = &program;
            let runs: Vec<_> = together
                .iter()
                .map(|name| scope.spawn(move || run_target(program, name, seconds)))
                .collect();
            // All are waited for, whatever the first found.
            let ends: Vec<Result<()>> = runs
                .into_iter()
                .map(|run| run.join().map_err(|_| anyhow!("a run did not end"))?)
                .collect();
            ends.into_iter().collect::<Result<()>>()
        })?;
    }
    Ok(())
}

/// Builds the one program of all targets and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    let triple = host_triple()?;
    let mut build = cargo();
    build
        .args([
            "build",
            "--quiet",
            "--release",
            "--manifest-path",
            "fuzz/Cargo.toml",
        ])
        // With --target the flags reach our code and not the build scripts.
        .args(["--target", &triple, "--target-dir", "target/fuzz"])
        .env("RUSTFLAGS", INSTRUMENT);
    run("fuzz: build", &mut build)?;
    let folder = root().join("target/fuzz").join(triple);
    Ok(folder.join("release/labward-fuzz"))
}

/// The names of all fuzz targets, sorted.
fn targets() -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(root().join(TARGETS))
        .context("list the fuzz targets")?
        .filter_map(|entry| {
            entry
                .ok()?
                .path()
                .file_stem()
                .map(|s| s.to_string_lossy().into_owned())
        })
        .collect();
    names.sort();
    ensure!(!names.is_empty(), "there is no fuzz target");
    Ok(names)
}

fn run_target(program: &Path, name: &str, seconds: u32) -> Result<()> {
    let found = root().join("target/fuzz/corpus").join(name);
    let artifacts = root().join("target/fuzz/artifacts").join(name);
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&artifacts)?;
    let seeds: PathBuf = root().join("fuzz/corpus").join(name);
    let mut command = Command::new(program);
    command
        .env("LABWARD_FUZZ_TARGET", name)
        .arg(format!("-max_total_time={seconds}"))
        .args([
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-max_len=65536",
            "-print_funcs=0",
            "-print_final_stats=1",
            "-verbosity=0",
        ])
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&found);
    if seeds.is_dir() {
        command.arg(&seeds);
    }
    // libFuzzer says much that matters only when it finds something.
    let output = command.output().with_context(|| format!("start {name}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprint!("{text}");
        bail!("fuzz: {name} found something ({})", output.status);
    }
    let inputs = inputs(&text).with_context(|| format!("{name} does not say what it ran"))?;
    println!("── fuzz: {name}: {inputs} inputs in {seconds} s, nothing found");
    Ok(())
}

/// How many inputs libFuzzer says that it ran.
fn inputs(text: &str) -> Option<u64> {
    let stat = "stat::number_of_executed_units:";
    let line = text.lines().find_map(|line| line.strip_prefix(stat))?;
    line.trim().parse().ok()
}

fn host_triple() -> Result<String> {
    let version = capture("rustc -vV", Command::new("rustc").arg("-vV"))?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc does not name its host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_the_folder_is_in_the_program_and_has_seeds_of_no_other_name() {
        let main = fs::read_to_string(root().join("fuzz/src/main.rs")).unwrap();
        let (_, rest) = main.split_once("    targets! {").unwrap();
        let (names, _) = rest.split_once('}').unwrap();
        let named: Vec<&str> = names.split_whitespace().collect();
        let there = targets().unwrap();
        assert_eq!(
            named, there,
            "fuzz/src/main.rs names the files of {TARGETS}"
        );
        for seeds in fs::read_dir(root().join("fuzz/corpus")).unwrap() {
            let name = seeds.unwrap().file_name().into_string().unwrap();
            assert!(there.contains(&name), "fuzz/corpus/{name} is of no target");
        }
    }

    #[test]
    fn what_libfuzzer_ran_is_read() {
        let text = "stat::number_of_executed_units: 1234\nstat::average_exec_per_sec:     600\n";
        assert_eq!(inputs(text), Some(1_234));
        assert_eq!(inputs("nothing"), None);
    }
}
