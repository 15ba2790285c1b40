//! Witnesses: two nodes, a server and a witness as separate processes; a copy of the data folder is
//! caught, an export verifies offline with its cosignatures, a killed witness cosigns one history.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use labward_ledger::tree::{Digest, Frontier, leaf_digest};
use labward_ledger::{Checkpoint, Cosigned, VerifierKey, WitnessKey};
use labward_seal::sign::SigningKey;
use labward_testkit::{Random, TempDir};

use crate::support::{Installation, Outcome, dial, eventually, program, run};

/// A witness process; killed when dropped.
struct Witness {
    place: TempDir,
    key: WitnessKey,
    running: Option<(Child, SocketAddr)>,
}

impl Witness {
    fn new() -> Self {
        let place = TempDir::new();
        let folder = place.join("w");
        let out = ledger_witness(&[
            "init",
            "--folder",
            folder.to_str().unwrap(),
            "witness.example/w1",
        ]);
        Self {
            key: out.ok().trim().parse().unwrap(),
            place,
            running: None,
        }
    }

    fn folder(&self) -> PathBuf {
        self.place.join("w")
    }

    fn run(&self, words: &[&str]) -> Outcome {
        let folder = self.folder();
        let mut all = vec![words[0], "--folder", folder.to_str().unwrap()];
        all.extend(&words[1..]);
        ledger_witness(&all)
    }

    /// Serves on loopback, on this port or any free one; gives the address.
    fn serve(&mut self, port: u16) -> SocketAddr {
        let log = self.place.join("log");
        let file = File::create(&log).unwrap();
        let child = Command::new(program())
            .env_clear()
            .args(["ledger", "witness", "serve", "--folder"])
            .arg(self.folder())
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        let said = "the witness listens on ";
        let address = eventually("the witness to listen", || {
            let text = fs::read_to_string(&log).unwrap();
            let (_, rest) = text.split_once(said)?;
            rest.split_whitespace().next()?.parse().ok()
        });
        self.running = Some((child, address));
        address
    }

    /// SIGKILL: nothing is finished.
    fn kill(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.kill();
    }
}

fn ledger_witness(words: &[&str]) -> Outcome {
    let mut command = Command::new(program());
    run(
        command.env_clear().args(["ledger", "witness"]).args(words),
        b"",
    )
}

fn table(witness: &Witness, address: SocketAddr) -> String {
    format!(
        "[ledger]\npublish_seconds = 1\n[[witness]]\nname = \"partner\"\nkey = \"{}\"\n\
         address = \"{address}\"\ntransport = {{ mode = \"plain\" }}\n",
        witness.key
    )
}

/// Adds the table; `[ledger]` stands in the file that `init` wrote.
fn configure(lab: &Installation, witness: &Witness, address: SocketAddr) {
    let table = table(witness, address);
    let (ledger, witness) = table.split_once("[[witness]]").unwrap();
    lab.configure("[ledger]\n", ledger);
    let path = lab.data().join("labward.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}\n[[witness]]{witness}")).unwrap();
}

fn state(lab: &Installation) -> (String, u64) {
    let status = lab.json(&["status"]);
    let witness = &status["witnesses"][0];
    let size = witness["size"].as_u64().unwrap_or_default();
    (witness["state"].as_str().unwrap().to_owned(), size)
}

fn findings(lab: &Installation) -> String {
    let check = lab.run(&["--json", "check"]);
    format!("{}{}", check.out, check.err)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else if path.is_file() {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn a_forked_copy_of_the_data_folder_is_caught_by_the_witness() {
    let mut witness = Witness::new();
    let address = witness.serve(0);
    let lab = Installation::create("");
    configure(&lab, &witness, address);
    let key = fs::read_to_string(lab.data().join("ledger/key.pub")).unwrap();
    witness.run(&["add-log", key.trim()]).ok();
    let server = lab.serve();
    eventually("the first cosignature", || {
        (state(&lab).0 == "cosigned").then_some(())
    });
    let said = findings(&lab);
    assert!(!said.contains("witness"), "{said}");
    server.stop();

    // The copy, and then the original, each go on.
    let copy = lab.beside("copy");
    copy_folder(lab.data(), &copy);
    let server = lab.serve();
    let before = state(&lab).1;
    lab.run(&["ledger", "verify"]).ok();
    eventually("the next cosignature", || {
        (state(&lab).1 > before + 1).then_some(())
    });
    let good = lab.run(&["ledger", "verify"]).ok();
    assert!(good.contains("witness partner: cosigned"), "{good}");
    let (bundle, keys) = (lab.beside("lab.bundle"), lab.beside("w.pub"));
    lab.run(&["ledger", "export", "--out", bundle.to_str().unwrap()])
        .ok();
    fs::write(&keys, witness.key.to_string()).unwrap();
    server.stop();

    // The copy takes the original's place, as after a restore from an old backup.
    fs::rename(lab.data(), lab.beside("original")).unwrap();
    fs::rename(&copy, lab.data()).unwrap();
    let server = lab.serve();
    for _ in 0..6 {
        // Acts, so that the copy has entries of its own.
        lab.run(&["ledger", "verify"]);
    }
    eventually("the refusal", || (state(&lab).0 == "refused").then_some(()));
    let said = findings(&lab);
    assert!(said.contains("check.witness-refuses"), "{said}");
    let verified = lab
        .run(&["ledger", "verify"])
        .fails(76, "ledger.second-history");
    assert!(verified.out.contains("EVIDENCE"), "{}", verified.out);
    assert!(
        verified.out.contains("witness.example/w1"),
        "{}",
        verified.out
    );
    let evidence = fs::read_to_string(lab.data().join("ledger/evidence/partner.txt")).unwrap();
    let origin = key.split('+').next().unwrap();
    assert!(evidence.matches(origin).count() >= 4, "{evidence}");
    let entries = lab.run(&["ledger", "list", "--limit", "1000"]).ok();
    assert!(entries.contains("second-history:partner"), "{entries}");
    server.stop();

    offline(&lab, &bundle, key.trim(), &keys);
}

/// The expert, with the files alone.
fn offline(lab: &Installation, bundle: &Path, key: &str, witness: &Path) {
    let (bundle, witness) = (bundle.to_str().unwrap(), witness.to_str().unwrap());
    let base = ["ledger", "verify", "--bundle", bundle, "--key", key];
    let verify = |more: &[&str]| lab.run(&[&base[..], more].concat());
    let said = verify(&["--witness", witness]).ok();
    assert!(said.contains("witness.example/w1 cosigned"), "{said}");
    assert!(
        said.contains("1 of 1 witnesses saw no second history"),
        "{said}"
    );
    let other = Witness::new().key.to_string();
    verify(&["--witness", &other]).fails(76, "ledger.not-witnessed");
    verify(&["--witness", witness, "--witness", &other]).fails(76, "ledger.not-witnessed");
    verify(&["--witness", witness, "--witness", &other, "--quorum", "1"]).ok();
    // What the original signed is held against what the copy signed.
    let copys = lab.data().join("ledger/checkpoint");
    let against = verify(&["--checkpoint", copys.to_str().unwrap()]);
    let against = against.fails(76, "ledger.second-history");
    assert!(against.out.contains("EVIDENCE"), "{}", against.out);
}

#[test]
fn a_witness_that_is_down_delays_nothing_and_is_a_finding_not_a_failure() {
    let mut witness = Witness::new();
    let address = witness.serve(0);
    let lab = Installation::create("");
    configure(&lab, &witness, address);
    let key = fs::read_to_string(lab.data().join("ledger/key.pub")).unwrap();
    witness.run(&["add-log", key.trim()]).ok();
    witness.kill();
    let server = lab.serve();
    eventually("the failure to show", || {
        (state(&lab).0 == "failing").then_some(())
    });
    assert!(findings(&lab).contains("check.witness-behind"));
    lab.run(&["ledger", "verify"]).ok();
    witness.serve(address.port());
    eventually("the cosignature", || {
        (state(&lab).0 == "cosigned").then_some(())
    });
    server.stop();
}

/// A log that tells two histories, as far as the witness lets it.
struct Liar {
    key: SigningKey,
    origin: String,
}

impl Liar {
    fn note(&self, tree: &Frontier) -> String {
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: tree.size(),
            root: tree.root(),
        };
        checkpoint.sign(&self.key).unwrap().to_string()
    }

    fn tree(leaf: &str) -> Frontier {
        let mut tree = Frontier::new();
        tree.push(leaf_digest(leaf.as_bytes()));
        tree
    }
}

/// Sends a call, and reads what comes back before the witness is gone.
fn send(address: SocketAddr, body: &str) -> Option<String> {
    let mut stream = dial(address).ok()?;
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = String::new();
    // A connection that breaks off may have answered already.
    let _ = stream.read_to_string(&mut answer);
    (!answer.is_empty()).then_some(answer)
}

#[test]
fn a_witness_killed_again_and_again_cosigns_one_history() {
    let mut witness = Witness::new();
    let mut random = Random::new(11);
    for round in 0..25 {
        let liar = Liar {
            key: SigningKey::generate().unwrap(),
            origin: format!("liar.example/{round}"),
        };
        let log = VerifierKey::new(&liar.origin, *liar.key.public()).unwrap();
        witness.run(&["add-log", &log.to_string()]).ok();
        let address = witness.serve(0);
        let notes = ["one", "two"].map(|leaf| liar.note(&Liar::tree(leaf)));
        let calls = notes.clone().map(|note| format!("old 0\n\n{note}"));
        let spins = random.below(400_000);
        let mut answers = Vec::new();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| send(address, &calls[0]));
            for _ in 0..spins {
                std::hint::spin_loop();
            }
            witness.kill();
            answers.extend(asked.join().unwrap());
        });
        // After the crash the other history is tried, from nothing and from what is said.
        let address = witness.serve(0);
        answers.extend(send(address, &calls[1]));
        answers.extend(send(address, &calls[1].replace("old 0", "old 1")));
        answers.extend(send(address, &calls[0].replace("old 0", "old 1")));
        witness.kill();
        let cosigned = |note: &String| {
            let note = labward_ledger::Note::parse(note.as_bytes()).unwrap();
            answers.iter().any(|answer| {
                let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
                let body = body.as_bytes();
                head.starts_with("HTTP/1.1 200")
                    && Cosigned::from_answer(note.clone(), body, &witness.key).is_ok()
            })
        };
        let both = notes.iter().filter(|note| cosigned(note)).count();
        assert_eq!(both, 1, "round {round}: {answers:?}");
    }
    let shown = witness.run(&["show"]).ok();
    assert_eq!(
        shown.matches("1 entries cosigned at").count(),
        25,
        "{shown}"
    );
}

#[test]
fn a_witness_refuses_to_listen_in_clear_off_this_machine_or_to_be_made_twice() {
    let witness = Witness::new();
    witness
        .run(&["serve", "--listen", "0.0.0.0:0"])
        .fails(65, "config.unsafe");
    witness
        .run(&["serve", "--listen", "0.0.0.0:0", "--tls", "/no/such/file"])
        .fails(65, "ledger.witness");
    witness
        .run(&["init", "witness.example/w2"])
        .fails(65, "ledger.witness");
    witness
        .run(&["add-log", "no key"])
        .fails(65, "ledger.witness");
    let hash = Digest::of(b"x").to_string();
    fs::remove_file(witness.folder().join("key.pub")).unwrap();
    witness.run(&["show"]).fails(65, "ledger.witness");
    assert!(!witness.folder().join("log").join(hash).exists());
}
