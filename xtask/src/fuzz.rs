//! libFuzzer on the stable toolchain: the coverage instrumentation is asked of LLVM directly.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::run::{cargo, root, run};

/// The flags that `cargo fuzz` would pass, as far as a stable compiler takes them.
const INSTRUMENT: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cdebug-assertions --cfg fuzzing";

/// Builds the targets and runs `target`, or all, for `seconds` each; a finding is an error.
pub(crate) fn fuzz(target: Option<&str>, seconds: u32) -> Result<()> {
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
    for name in targets()? {
        if target.is_none_or(|wanted| wanted == name) {
            run_target(&triple, &name, seconds)?;
        }
    }
    Ok(())
}

/// The names of all fuzz targets, sorted.
fn targets() -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(root().join("fuzz/fuzz_targets"))
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

fn run_target(triple: &str, name: &str, seconds: u32) -> Result<()> {
    let binary = root()
        .join("target/fuzz")
        .join(triple)
        .join("release")
        .join(name);
    let found = root().join("target/fuzz/corpus").join(name);
    let artifacts = root().join("target/fuzz/artifacts").join(name);
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&artifacts)?;
    let seeds: PathBuf = root().join("fuzz/corpus").join(name);
    let mut command = std::process::Command::new(binary);
    command
        .arg(format!("-max_total_time={seconds}"))
        .args([
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-max_len=65536",
            "-print_funcs=0",
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
    println!("── fuzz: {name}: {seconds} s, nothing found");
    Ok(())
}

fn host_triple() -> Result<String> {
    let version = crate::run::capture("rustc -vV", std::process::Command::new("rustc").arg("-vV"))?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc does not name its host")
}
