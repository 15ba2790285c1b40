//! The outside expert: a bundle and a public key, another account, no server and no data folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use labward_ledger::{VerifierKey, verify_bundle};
use labward_testkit::{Random, TempDir};

use crate::support::{Client, Installation, Numbered, Outcome, as_account, program, run};

/// The account that owns nothing.
const NOBODY: u32 = 65_534;

/// A lab whose ledger holds messages, its bundle and its public key.
struct Exported {
    lab: Installation,
    bundle: PathBuf,
    key: PathBuf,
}

fn exported() -> Exported {
    let lab = Installation::create("[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n");
    let server = lab.serve();
    let config = lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.address("hl7"), &config).unwrap();
    for number in 1..=30 {
        let message = Numbered {
            client: 1,
            patient: number % 4,
            number,
        };
        let code = client.exchange(&message.message(), &message.control_id());
        assert_eq!(code.unwrap(), "AA");
    }
    let (bundle, key) = (lab.beside("ledger.bundle"), lab.beside("ledger.pub"));
    lab.run(&["ledger", "export", "--out", bundle.to_str().unwrap()])
        .ok();
    fs::write(&key, lab.run(&["ledger", "key"]).ok()).unwrap();
    assert_eq!(
        fs::read_to_string(&key).unwrap().trim(),
        fs::read_to_string(lab.data().join("ledger/key.pub"))
            .unwrap()
            .trim()
    );
    server.stop();
    Exported { lab, bundle, key }
}

fn verify(command: &mut Command, bundle: &Path, key: &Path) -> Outcome {
    command.args(["ledger", "verify", "--bundle"]).arg(bundle);
    run(command.arg("--key").arg(key), b"")
}

#[test]
fn another_account_verifies_the_bundle_without_server_data_folder_or_secrets() {
    let exported = exported();
    let public = TempDir::new();
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(public.path(), 0o755);
    let places = ["labward", "bundle", "key"].map(|name| public.join(name));
    let originals = [program(), &exported.bundle, &exported.key];
    for ((original, place), mode) in originals
        .into_iter()
        .zip(&places)
        .zip([0o755, 0o644, 0o644])
    {
        fs::copy(original, place).unwrap();
        open(place, mode);
    }
    let [program, bundle, key] = &places;
    let (Some(mut verifier), Some(mut reader), Some(mut person)) = (
        as_account(NOBODY, program),
        as_account(NOBODY, Path::new("cat")),
        as_account(NOBODY, program),
    ) else {
        eprintln!(
            "labward-skip: another_account_verifies_the_bundle: setpriv to another account needs \
             root and util-linux"
        );
        return;
    };
    // The data folder, the key file and the server are out of reach.
    let secret = exported.lab.data().join("labward.toml");
    assert_ne!(run(reader.arg(secret), b"").code, Some(0));
    let data = exported.lab.data();
    run(person.arg("--data").arg(data).arg("status"), b"").fails(69, "server.not-running");
    let said = verify(&mut verifier, bundle, key).ok();
    assert!(said.contains("verify"), "{said}");
}

#[test]
fn any_one_byte_of_the_bundle_changed_is_found_and_its_place_named() {
    let exported = exported();
    let original = fs::read(&exported.bundle).unwrap();
    let key: VerifierKey = fs::read_to_string(&exported.key)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let report = verify_bundle(original.as_slice(), &key).unwrap();
    assert!(report.entries > 30, "{report:?}");
    let mut random = Random::new(5);
    for round in 0..500 {
        let (at, changed) = change(&original, &mut random);
        let error = verify_bundle(changed.as_slice(), &key).unwrap_err();
        let line = line_of(&original, at);
        // A changed line feed shows in the line behind it.
        assert!(
            (line..=line + 1).contains(&error.line),
            "byte {at} in line {line}: {error}"
        );
        if round % 100 == 0 {
            program_finds(&exported, &changed, error.line);
        }
    }
}

/// The program says the same as the library.
fn program_finds(exported: &Exported, changed: &[u8], line: u64) {
    let file = exported.lab.beside("changed.bundle");
    fs::write(&file, changed).unwrap();
    let mut command = exported.lab.command(&[]);
    let outcome = verify(&mut command, &file, &exported.key);
    assert!(matches!(outcome.code, Some(65 | 76)), "{outcome:?}");
    let place = format!("line {line}");
    assert!(outcome.err.contains(&place), "not {place}: {}", outcome.err);
}

/// The bundle with one byte changed, and where.
fn change(original: &[u8], random: &mut Random) -> (usize, Vec<u8>) {
    let at = usize::try_from(random.below(original.len() as u64)).unwrap();
    let mut changed = original.to_vec();
    let bit = 1 << random.below(8);
    changed[at] ^= bit;
    (at, changed)
}

fn line_of(text: &[u8], at: usize) -> u64 {
    1 + text[..at].iter().filter(|byte| **byte == b'\n').count() as u64
}

#[test]
fn a_bundle_is_worth_nothing_cut_off_or_under_another_key() {
    let exported = exported();
    let other = Installation::create("");
    let verify = |bundle: &Path, key: &Path| verify(&mut exported.lab.command(&[]), bundle, key);
    verify(&exported.bundle, &other.data().join("ledger/key.pub"))
        .fails(76, "ledger.bad-signature");
    let short = exported.lab.beside("short.bundle");
    let bytes = fs::read(&exported.bundle).unwrap();
    fs::write(&short, &bytes[..bytes.len() / 2]).unwrap();
    verify(&short, &exported.key).fails(65, "ledger.bad-bundle");
    verify(&exported.key, &exported.key).fails(65, "ledger.bad-bundle");
    verify(&exported.lab.beside("none"), &exported.key).fails(65, "cli.file");
}

#[test]
fn the_ledger_leaves_as_audit_events_and_each_entry_is_proved() {
    let lab = Installation::create("");
    let server = lab.serve();
    let out = lab.beside("events.ndjson");
    let words = [
        "ledger",
        "export",
        "--format",
        "fhir",
        "--out",
        out.to_str().unwrap(),
    ];
    lab.run(&words).ok();
    let text = fs::read_to_string(&out).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let events: Vec<serde_json::Value> = events.collect();
    assert!(events.len() > 3);
    assert!(
        events
            .iter()
            .all(|event| event["resourceType"] == "AuditEvent")
    );
    let proof = lab.run(&["ledger", "prove", "0"]).ok();
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\n"), "{proof}");
    lab.run(&["ledger", "prove", "999999"])
        .fails(66, "ledger.no-entry");
    server.stop();
}
