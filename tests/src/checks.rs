//! What `labward check` finds in an installation that was made wrong for real.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{Client, Installation, Numbered, eventually};

const CONFIG: &str = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n\
    [[link]]\nname = \"wide\"\nlisten = \"0.0.0.0:0\"\n\
    [[link]]\nname = \"near\"\nlisten = \"127.0.0.1:0\"\ntransport = { mode = \"plain\" }\n\
    [[destination]]\nname = \"ehr\"\nconnect_seconds = 1\n\
    target = { kind = \"mllp\", address = \"127.0.0.1:1\" }\n\
    [[route]]\ntypes = [\"*\"]\nto = [\"ehr\"]\n";

/// The codes that were found, each with what it says.
fn found(lab: &Installation) -> Vec<(String, String)> {
    let check = lab.json_of(&["check"]);
    let findings = check["findings"].as_array().unwrap().iter();
    findings
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (text("code"), text("what"))
        })
        .collect()
}

/// The files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_file() {
            files.push(path);
            continue;
        }
        waiting.extend(
            fs::read_dir(&path)
                .unwrap()
                .map(|entry| entry.unwrap().path()),
        );
    }
    files
}

#[test]
fn an_installation_that_is_made_wrong_for_real_is_found_out_in_order_of_harm() {
    let lab = Installation::create(CONFIG);
    let server = lab.serve();
    let before: BTreeSet<String> = found(&lab).into_iter().map(|(code, _)| code).collect();
    let data = |name: &str| lab.data().join(name);
    fs::set_permissions(data("db/labward.sqlite"), Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(data("reserve")).unwrap();
    lab.configure("[log]", "# another file\n[log]");
    let words = [
        "person",
        "add",
        "Gone",
        "--role",
        "it",
        "--uid",
        "3999999999",
    ];
    lab.run(&words).ok();
    let out = lab.beside("");
    let out = out.to_str().unwrap();
    let add = [
        "peer", "add", "short", "--kind", "analyzer", "--days", "3", "--out", out,
    ];
    lab.run(&add).ok();
    let config = lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.address("hl7"), &config).unwrap();
    let message = Numbered {
        client: 1,
        patient: 1,
        number: 1,
    };
    let code = client.exchange(&message.message(), &message.control_id());
    assert_eq!(code.unwrap(), "AA");
    // Publishes, so that there is a tile that can be damaged.
    lab.run(&["ledger", "verify"]).ok();
    for tile in files_below(&data("ledger/tile/0")) {
        let mut bytes = fs::read(&tile).unwrap();
        bytes[5] ^= 1;
        fs::write(&tile, bytes).unwrap();
    }

    let made = [
        ("check.data-readable", "labward.sqlite"),
        ("check.reserve-missing", "0 of 0 KiB"),
        ("check.config-not-loaded", ""),
        ("check.account-gone", "Gone (account 3999999999)"),
        ("check.certificate-ends-this-week", "short"),
        ("check.peer-admits-all", "xn550"),
        ("check.ledger-files", "has another root"),
        ("check.destination-down", "ehr"),
        ("check.open-address", "wide"),
        ("check.plain-loopback", "near"),
        ("check.one-slot", ""),
        ("check.no-recovery-shares", ""),
        ("check.key-beside-data", "root.key"),
        ("check.one-administrator", ""),
    ];
    let all = eventually("everything that was made wrong", || {
        let all = found(&lab);
        let is_there = |code: &str| all.iter().any(|(one, _)| one == code);
        made.iter().all(|(code, _)| is_there(code)).then_some(all)
    });
    for (code, place) in made {
        let (_, what) = all.iter().find(|(one, _)| one == code).unwrap();
        assert!(what.contains(place), "{code}: {what}");
    }
    for code in [
        "check.data-readable",
        "check.reserve-missing",
        "check.ledger-files",
    ] {
        assert!(!before.contains(code), "{code} was made by the test");
    }
    let outcome = lab.run(&["check"]).fails(73, "check.harmful");
    let harms = outcome
        .out
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let ranks: Vec<usize> = harms
        .filter_map(|word| {
            ["high", "medium", "low"]
                .iter()
                .position(|harm| *harm == word)
        })
        .collect();
    assert!(ranks.is_sorted() && ranks.len() >= made.len(), "{ranks:?}");
    // Nothing was sent to the receiver yet, and the disk was not watched for long.
    for reason in ["no handshake yet", "check.disk-fills-soon"] {
        let is_said = |line: &&str| line.starts_with("not measured") && line.contains(reason);
        assert!(
            outcome.out.lines().any(|line| is_said(&line)),
            "{}",
            outcome.out
        );
    }
    server.stop();
}
