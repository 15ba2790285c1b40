//! `labward scan`: what is found and where, what is not looked into, and a process that is killed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

use labward_base::hex;
use labward_testkit::TempDir;
use labward_testkit::carrier::eicar;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Outcome, program, run};

static EICAR: LazyLock<Vec<u8>> = LazyLock::new(eicar);

/// `labward scan` with these words and a path.
fn scan(words: &[&str], path: &Path) -> Outcome {
    let mut command = Command::new(program());
    command.env_clear().arg("scan").args(words).arg(path);
    run(&mut command, b"")
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.out).unwrap_or_else(|_| panic!("{outcome:?}"))
}

/// gzip with stored blocks: no library is needed for it.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap();
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01".to_vec();
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&(!len).to_le_bytes());
    out.extend_from_slice(bytes);
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    out.extend_from_slice(&(!crc).to_le_bytes());
    out.extend_from_slice(&u32::from(len).to_le_bytes());
    out
}

#[test]
fn what_is_packed_is_found_and_a_clean_folder_is_clean() {
    let folder = TempDir::new();
    fs::write(
        folder.join("result.hl7"),
        b"MSH|^~\\&|XN||LIS||20260101||ORU^R01|1|P|2.5.1\rOBX|1|NM|GLU||5.1\r",
    )
    .unwrap();
    fs::write(folder.join("notes.txt"), b"Glucose 5.1").unwrap();
    let clean = scan(&["--json"], folder.path());
    assert_eq!(clean.code, Some(0), "{clean:?}");
    assert_eq!(json(&clean)["sums"]["clean"], 2);

    let packed = folder.join("attachment.gz");
    fs::write(&packed, gzip(&gzip(&EICAR))).unwrap();
    let before = (fs::read(&packed).unwrap(), fs::metadata(&packed).unwrap());
    let found = scan(&["--json"], folder.path());
    assert_eq!(found.code, Some(1), "{found:?}");
    let answer = json(&found);
    let file = &answer["files"][0];
    assert_eq!(file["verdict"], "malicious");
    assert_eq!(file["findings"][0]["path"], "gzip / gzip");
    assert_eq!(file["findings"][0]["kind"], "eicar");
    assert_eq!(answer["sums"]["clean"], 2);
    let after = (fs::read(&packed).unwrap(), fs::metadata(&packed).unwrap());
    assert_eq!(before.0, after.0);
    assert_eq!(before.1.modified().unwrap(), after.1.modified().unwrap());

    let text = scan(&[], folder.path());
    assert!(
        text.out.contains("gzip / gzip: Labward_EICAR_Test_File"),
        "{}",
        text.out
    );
    assert_eq!(text.err, "", "no progress where nobody looks");
}

#[test]
fn a_confined_process_opens_the_test_files_of_clamav() {
    let carriers = Path::new("/usr/share/clamav-testfiles");
    let Ok(program) = fs::read(carriers.join("clam.exe")) else {
        eprintln!("labward-skip: a_confined_process_opens: clamav-testfiles is not installed");
        return;
    };
    let folder = TempDir::new();
    let list = folder.join("list.txt");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &program);
    fs::write(&list, format!("{}\n", hex::encode(digest.as_ref()))).unwrap();
    let outcome = scan(
        &["--json", &format!("--hashes={}", list.display())],
        carriers,
    );
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let answer = json(&outcome);
    let confined = answer["loaded"]["confined"].as_array().unwrap();
    assert!(confined.contains(&"confine.seccomp".into()), "{confined:?}");
    // Not opened are programs that unpack themselves, a cabinet of InstallShield's own, and more archives in one another than
    // are gone into.
    let sums = &answer["sums"];
    let counted = ["malicious", "unscannable", "scanner_errors"].map(|name| sums[name].as_u64());
    assert_eq!(counted, [Some(32), Some(12), Some(0)], "{sums}");
}

#[test]
fn what_cannot_be_looked_into_has_its_own_exit_code() {
    let folder = TempDir::new();
    let mut cut = gzip(&[b'a'; 2_000]);
    cut.truncate(900);
    fs::write(folder.join("cut.gz"), &cut).unwrap();
    let outcome = scan(&[], folder.path());
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.out.contains("unscannable"), "{}", outcome.out);
    let gone = scan(&[], &folder.join("gone"));
    assert_eq!(gone.code, Some(2), "{gone:?}");
}

#[test]
fn a_bad_rule_is_named_and_a_file_without_a_good_one_stops_the_scan() {
    let folder = TempDir::new();
    let (half, bad) = (folder.join("half.yar"), folder.join("bad.yar"));
    fs::write(
        &half,
        "rule good { strings: $a = \"needle\" condition: $a }\nrule bad { condition: nothing }\n",
    )
    .unwrap();
    fs::write(&bad, "rule {").unwrap();
    let target = folder.join("text");
    fs::write(&target, b"a needle").unwrap();
    let some = scan(&[&format!("--rules={}", half.display())], &target);
    assert_eq!(some.code, Some(1), "{some:?}");
    assert!(
        some.out
            .contains("text: suspicious\n    good [medium, rule]\n"),
        "{}",
        some.out
    );
    assert!(
        some.out
            .contains("not taken: half.yar:2 bad: unknown identifier"),
        "{}",
        some.out
    );
    let none = scan(&[&format!("--rules={}", bad.display())], &target);
    assert_eq!(none.code, Some(65), "{none:?}");
    assert!(
        none.err.contains("[scan.rules]") && none.err.contains("bad.yar"),
        "{}",
        none.err
    );
    let wrong = scan(&["--no-such-thing"], &target);
    assert_eq!(wrong.code, Some(64));
}

/// Reads the daemon's command, and the stream behind it if one comes.
fn command(line: &mut UnixStream) -> Vec<u8> {
    let mut got = Vec::new();
    let mut byte = [0];
    while !got.ends_with(&[0]) && line.read(&mut byte).unwrap() == 1 {
        got.push(byte[0]);
    }
    got
}

#[test]
fn a_killed_process_is_a_scanner_error_and_never_clean() {
    let folder = TempDir::new();
    let target = folder.join("text");
    fs::write(&target, b"Glucose 5.1").unwrap();
    let socket = folder.join("clamd");
    let listener = UnixListener::bind(&socket).unwrap();
    // A daemon that kills whoever gives it a stream to look at.
    thread::spawn(move || {
        for line in listener.incoming() {
            let mut line = line.unwrap();
            if command(&mut line) == b"zVERSION\0" {
                line.write_all(b"ClamAV 1.4.6\0").unwrap();
            } else {
                let peer: Pid = rustix::net::sockopt::socket_peercred(&line).unwrap().pid;
                kill_process(peer, Signal::KILL).unwrap();
            }
        }
    });
    let outcome = scan(
        &["--json", &format!("--clamd={}", socket.display())],
        &target,
    );
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let file = json(&outcome)["files"][0].clone();
    assert_eq!(file["verdict"], "scanner-error");
    assert_eq!(file["faults"][0]["code"], "died-twice");
    let detail = file["faults"][0]["detail"].as_str().unwrap();
    assert_eq!(detail.matches("SIGKILL").count(), 2, "{detail}");
}
