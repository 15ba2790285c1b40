//! `labward scan --device` and `labward integrity` on disks of real file systems, with what a laboratory moves on them.
//!
//! This binary is the program when its first word is one of its commands. Skipped where the account cannot mount.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test without the usual harness says itself what it did"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser as _;
use labward_cli::Arguments;
use labward_testkit::{TempDir, carrier};
use serde_json::Value;

/// A claim and what shows it.
type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    (
        "every_carrier_on_a_disk_is_found_and_nothing_on_it_is_changed",
        every_carrier,
    ),
    ("a_stick_that_can_be_written_to_is_refused", stick),
    ("a_disk_is_compared_with_how_it_was", compared),
    ("a_path_behind_an_option_is_scanned", option_then_path),
];

fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    if word.is_some_and(|word| ["scan", "scan-child", "integrity"].contains(&word.as_str())) {
        let arguments = Arguments::parse();
        return labward_cli::run(&arguments, &arguments.command);
    }
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    for (name, test) in TESTS {
        if filter
            .as_ref()
            .is_none_or(|filter| name.contains(filter.as_str()))
        {
            test();
            println!("{name}: ok");
        }
    }
    ExitCode::SUCCESS
}

/// What a command came to.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    out: String,
    err: String,
}

fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn run(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A disk of 16 MiB in a file, mounted while it lives.
struct Mounted {
    folder: TempDir,
    point: PathBuf,
}

impl Mounted {
    /// Makes the file system, lets `fill` write on it, and mounts it again with `options`; none where that cannot be done.
    fn new(make: &[&str], options: &str, fill: impl FnOnce(&Path)) -> Option<Self> {
        let folder = TempDir::new();
        let (image, point) = (folder.join("disk.img"), folder.join("disk"));
        fs::write(&image, vec![0; 16 << 20]).unwrap();
        fs::create_dir(&point).unwrap();
        let (first, words) = make.split_first().unwrap();
        let made = Command::new(first).args(words).arg(&image).output();
        if !made.is_ok_and(|made| made.status.success()) {
            if !first.ends_with("vfat") {
                eprintln!("labward-skip: {first} is not there");
            }
            return None;
        }
        let disk = Self { folder, point };
        if !disk.mount("loop") {
            // FAT may be left out of a kernel that is otherwise good; the same is tried on ext4 then.
            if !first.ends_with("vfat") {
                eprintln!("labward-skip: this account or kernel mounts no {first}");
            }
            return None;
        }
        fill(&disk.point);
        disk.unmount();
        assert!(disk.mount(options), "{options}");
        Some(disk)
    }

    fn mount(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-o", options]);
        mount.args([&self.folder.join("disk.img"), &self.point]);
        mount.output().is_ok_and(|out| out.status.success())
    }

    fn unmount(&self) {
        let out = Command::new("umount").arg(&self.point).output().unwrap();
        assert!(out.status.success(), "{out:?}");
    }

    fn image(&self) -> Vec<u8> {
        fs::read(self.folder.join("disk.img")).unwrap()
    }

    fn scan(&self, words: &[&str]) -> Outcome {
        let mut command = Command::new(program());
        command
            .env_clear()
            .args(["scan", "--device"])
            .arg(&self.point)
            .args(words);
        run(&mut command)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.point).output();
    }
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(text)))
}

/// Every carrier around the test string of EICAR, and clean files beside.
fn fill(point: &Path) -> usize {
    let carriers = carrier::all(&carrier::eicar());
    let infected = point.join("results");
    fs::create_dir(&infected).unwrap();
    for (number, one) in carriers.iter().enumerate() {
        fs::write(infected.join(format!("{number:02}.dat")), &one.bytes).unwrap();
    }
    for name in ["a.txt", "b.hl7"] {
        fs::write(point.join(name), b"Glucose 5.1 mmol/l\r").unwrap();
    }
    carriers.len()
}

fn every_carrier() {
    let mut carriers = 0;
    let make = ["mkfs.ext4", "-q", "-F", "-L", "XN-550"];
    let Some(disk) = Mounted::new(&make, "loop,ro,strictatime,noload", |point| {
        carriers = fill(point);
        symlink("/etc", point.join("etc-of-the-machine")).unwrap();
        UnixListener::bind(point.join("socket")).unwrap();
        fs::create_dir_all(point.join("usr/lib")).unwrap();
        fs::write(
            point.join("usr/lib/os-release"),
            "PRETTY_NAME=\"Lab OS 4\"\n",
        )
        .unwrap();
    }) else {
        return;
    };
    assert!(carriers >= 26, "{carriers}");
    let read = |name: &str| {
        fs::symlink_metadata(disk.point.join(name))
            .unwrap()
            .atime_nsec()
    };
    let before = (disk.image(), read("a.txt"));
    let place = TempDir::new();
    let (report, words) = (place.join("disk.json"), ["--name", "XN-550, room 3"]);
    let shown = report.to_str().unwrap();
    let outcome = disk.scan(&[&words[..], &["--report", shown, "--language", "es"]].concat());
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(before, (disk.image(), read("a.txt")));

    let told = fs::read(&report).unwrap();
    let answer = json(&told);
    let sums = &answer["sums"];
    let counted =
        ["files", "malicious", "clean", "links", "special"].map(|name| sums[name].as_u64());
    let carriers = u64::try_from(carriers).unwrap();
    assert_eq!(
        counted,
        [
            Some(carriers + 3),
            Some(carriers),
            Some(3),
            Some(1),
            Some(1)
        ],
        "{answer:#}"
    );
    assert_eq!(answer["verdict"], "found");
    let known = &answer["disk"];
    assert_eq!(known["file_system"], "ext4");
    assert_eq!(known["label"], "XN-550");
    assert_eq!(known["systems"][0], "Lab OS 4");
    assert_eq!(known["read_only"], true);
    assert_eq!(answer["files"][0]["path"], "results/00.dat");

    let page = fs::read_to_string(place.join("disk.html")).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &told);
    let hex: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for words in [
        &hex,
        "<html lang=\"es\">",
        "XN-550, room 3",
        "results/00.dat",
        "maliciosos",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(outcome.out.contains(&hex), "{}", outcome.out);
    let again = disk.scan(&["--report", shown]);
    assert_eq!(again.code, Some(73), "{again:?}");
    assert!(again.err.contains("[scan.report]"), "{}", again.err);
}

fn stick() {
    // What sticks have, and where the kernel does not know it, another one.
    let makes = [
        &["mkfs.vfat", "-n", "STICK"][..],
        &["mkfs.ext4", "-q", "-F"],
    ];
    let mut disks = makes.iter().filter_map(|make| {
        Mounted::new(make, "loop", |point| {
            fill(point);
        })
    });
    let Some(disk) = disks.next() else { return };
    let refused = disk.scan(&[]);
    assert_eq!(refused.code, Some(73), "{refused:?}");
    assert!(refused.err.contains("[scan.writable]"), "{}", refused.err);
    let allowed = disk.scan(&["--allow-writable", "--json"]);
    assert_eq!(allowed.code, Some(1), "{allowed:?}");
    let answer = json(allowed.out.as_bytes());
    assert_eq!(answer["disk"]["read_only"], false);
    disk.unmount();
    assert!(disk.mount("loop,ro"));
    let looked = disk.scan(&["--json"]);
    let answer = json(looked.out.as_bytes());
    assert_eq!(
        answer["sums"]["malicious"],
        answer["files"].as_array().unwrap().len()
    );
    assert_eq!(answer["sums"]["clean"], 2);
    let below = Command::new(program())
        .args(["scan", "--device"])
        .arg(disk.point.join("results"))
        .output()
        .unwrap();
    assert_eq!(below.status.code(), Some(66), "{below:?}");
}

fn integrity(words: &[&str], paths: &[&Path]) -> Outcome {
    let mut command = Command::new(program());
    command.env_clear().arg("integrity").args(words).args(paths);
    run(&mut command)
}

fn compared() {
    let make = ["mkfs.ext4", "-q", "-F"];
    let Some(disk) = Mounted::new(&make, "loop,ro,noload", |point| {
        fs::create_dir_all(point.join("windows/system32")).unwrap();
        fs::write(point.join("windows/system32/a.exe"), b"MZ old").unwrap();
        fs::write(point.join("result.txt"), b"Glucose 5.1").unwrap();
    }) else {
        return;
    };
    let place = TempDir::new();
    let baseline = place.join("pc.baseline");
    let to = [
        "baseline",
        "--json",
        "--name",
        "pc",
        "--to",
        baseline.to_str().unwrap(),
    ];
    let made = integrity(&to, &[&disk.point]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(json(made.out.as_bytes())["end"]["files"], 2);
    assert_eq!(
        integrity(&to, &[&disk.point]).code,
        Some(65),
        "nothing is replaced"
    );
    let same = integrity(&["compare", "--json"], &[&baseline, &disk.point]);
    assert_eq!(same.code, Some(0), "{same:?}");

    disk.unmount();
    assert!(disk.mount("loop"));
    fs::write(disk.point.join("windows/system32/a.exe"), b"MZ new!").unwrap();
    fs::rename(disk.point.join("result.txt"), disk.point.join("moved.txt")).unwrap();
    fs::write(disk.point.join("notes.txt"), carrier::eicar()).unwrap();
    disk.unmount();
    assert!(disk.mount("loop,ro,noload"));
    let other = integrity(&["compare", "--json"], &[&baseline, &disk.point]);
    assert_eq!(other.code, Some(1), "{other:?}");
    let answer = json(other.out.as_bytes());
    let told = |at: usize| {
        let change = &answer["changes"][at];
        (
            change["kind"].clone(),
            change["path"].clone(),
            change["alarms"].clone(),
        )
    };
    assert_eq!(
        told(0),
        ("moved".into(), "moved.txt".into(), Value::Array(vec![]))
    );
    assert_eq!(
        told(1),
        ("added".into(), "notes.txt".into(), vec!["malware"].into())
    );
    let path = "windows/system32/a.exe".into();
    assert_eq!(
        told(2),
        ("changed".into(), path, vec!["unsigned-program"].into())
    );
    let text = integrity(&["compare", "--no-scan"], &[&baseline, &disk.point]);
    assert!(
        text.out.contains("moved moved.txt from result.txt"),
        "{}",
        text.out
    );
    assert!(text.out.contains("[server.not-running]"), "{}", text.out);

    let mut cut = fs::read(&baseline).unwrap();
    cut[200] ^= 1;
    fs::write(&baseline, cut).unwrap();
    let bad = integrity(&["compare"], &[&baseline, &disk.point]);
    assert_eq!(bad.code, Some(76), "{bad:?}");
    assert!(bad.err.contains("[integrity.bad-baseline]"), "{}", bad.err);
}

fn option_then_path() {
    let folder = TempDir::new();
    let (rules, target) = (folder.join("r.yar"), folder.join("text"));
    fs::write(
        &rules,
        "rule good { strings: $a = \"needle\" condition: $a }",
    )
    .unwrap();
    fs::write(&target, b"a needle").unwrap();
    let mut command = Command::new(program());
    command
        .env_clear()
        .args(["scan", "--rules"])
        .args([&rules, &target]);
    let outcome = run(&mut command);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.out.contains("text: suspicious"), "{}", outcome.out);
}
