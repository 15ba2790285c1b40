//! `labward segment` on a router: learned from a capture, decided, tried, confirmed, rolled back.
//!
//! This binary is the program when its first word is one of its commands, so that the process that ends a trial is
//! the real one. Skipped where the account or the machine cannot make network namespaces, or `nft` is not there.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test without the usual harness says itself what it did"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser as _;
use labward_cli::Arguments;
use labward_os::Stopwatch;
use labward_testkit::{RoutedNetwork, TempDir};
use serde_json::Value;

/// How long is waited for what must not come.
const SILENCE: Duration = Duration::from_millis(700);
/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long is waited for what takes the kernel's margin, too.
const LONG: Duration = Duration::from_secs(60);

/// A claim and what shows it.
type Test = (&'static str, fn(&Lab));

const TESTS: &[Test] = &[
    (
        "a_capture_becomes_a_plan_and_what_people_decided_becomes_rules",
        learn_and_decide,
    ),
    (
        "a_trial_that_nobody_confirms_is_undone_after_its_time",
        roll_back_in_time,
    ),
    (
        "a_confirmed_trial_stays_and_no_connection_is_lost_by_it",
        confirm,
    ),
    (
        "a_killed_process_is_noticed_and_the_kernel_still_ends_the_trial",
        killed,
    ),
    (
        "what_cannot_be_undone_or_cuts_a_device_off_is_refused_with_its_reason",
        refusals,
    ),
];

fn main() -> ExitCode {
    if std::env::args()
        .nth(1)
        .is_some_and(|word| word == "segment" || word == "--json")
    {
        let arguments = Arguments::parse();
        return labward_cli::run(&arguments, &arguments.command);
    }
    let filter = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    // At the same time, because each waits most of its own.
    thread::scope(|scope| {
        let wanted = |name: &str| {
            filter
                .as_ref()
                .is_none_or(|filter| name.contains(filter.as_str()))
        };
        for (name, test) in TESTS.iter().filter(|(name, _)| wanted(name)) {
            scope.spawn(move || run(name, *test));
        }
    });
    ExitCode::SUCCESS
}

fn run(name: &str, test: fn(&Lab)) {
    match Lab::new() {
        Some(lab) => {
            test(&lab);
            println!("test {name} ... ok");
        }
        None => {
            eprintln!("labward-skip: {name}: namespaces and nft take root, iproute2 and nftables");
        }
    }
}

/// A routed network, and a folder for plans and the trial.
struct Lab {
    network: RoutedNetwork,
    folder: TempDir,
}

/// How a command ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    fn refused(self, code: i32, says: &str) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert!(self.err.contains(says), "{says}: {}", self.err);
    }
}

impl Lab {
    fn new() -> Option<Self> {
        let network = RoutedNetwork::lay()?;
        let has_nft = ["/usr/sbin/nft", "/usr/bin/nft", "/sbin/nft"];
        let lab = Self {
            network,
            folder: TempDir::new(),
        };
        has_nft
            .iter()
            .any(|nft| Path::new(nft).exists())
            .then_some(lab)
    }

    /// Runs the program on the router.
    fn labward(&self, words: &[&str]) -> Ended {
        let program = std::env::current_exe().unwrap();
        let folder = self.folder.join("run");
        let (first, rest) =
            words.split_at(words.iter().position(|word| *word == "segment").unwrap() + 1);
        let words = [first, &["--run-folder", folder.to_str().unwrap()], rest].concat();
        let output = self
            .network
            .router
            .run(program.to_str().unwrap(), &words, b"");
        Ended {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.labward(&["--json", "segment", "status"]).out).unwrap()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A plan of device 7 with one approved conduit to the servers.
    fn plan(&self, mode: &str, service: &str) -> String {
        let plan = format!(
            r#"{{"version": 1, "devices": [{{"id": 7, "name": "Haematology", "addresses": ["10.1.0.7"],
                "mode": "{mode}", "conduits": [{{"direction": "outbound", "peer": "10.1.9.1",
                "service": "{service}", "decision": "approved"}}]}}]}}"#
        );
        self.file(&format!("{mode}-{}.json", service.replace('/', "-")), plan)
    }

    fn listen(&self, port: u16) -> TcpListener {
        let bind = || TcpListener::bind(("10.1.9.1", port));
        self.network.servers.inside(bind).unwrap()
    }

    fn connect(&self, port: u16, wait: Duration) -> Option<TcpStream> {
        let address = RoutedNetwork::address(&format!("10.1.9.1:{port}"));
        let connect = || TcpStream::connect_timeout(&address, wait);
        self.network.device.inside(connect).ok()
    }

    /// Waits until this holds.
    fn eventually(&self, what: &str, holds: impl Fn() -> bool) {
        let watch = Stopwatch::start();
        while !holds() {
            assert!(watch.elapsed() < LONG, "{what}: {}", self.status());
        }
    }
}

/// A capture in which `client` opens a connection to each of the servers.
fn capture(client: [u8; 4], servers: &[([u8; 4], u16)]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(word.to_le_bytes());
    }
    for (second, (server, port)) in (1_800_000_000_u32..).zip(servers) {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend([0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0]);
        frame.extend(client);
        frame.extend(server);
        frame.extend(50_000_u16.to_be_bytes());
        frame.extend(port.to_be_bytes());
        // Sequence, acknowledgement, header of 20 bytes, SYN, window, checksum, urgent.
        frame.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0]);
        let length = u32::try_from(frame.len()).unwrap();
        for word in [second, 0, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

fn learn_and_decide(lab: &Lab) {
    let devices = lab.file(
        "devices.csv",
        "id,name,ip,zone\n7,Haematology,10.1.0.7,Lab\n8,Nowhere,,\n",
    );
    let seen = [
        ([10, 1, 9, 1], 2575),
        ([10, 1, 9, 1], 445),
        ([202, 114, 4, 119], 515),
    ];
    let pcap = lab.file("lab.pcap", capture([10, 1, 0, 7], &seen));
    let plan = lab.folder.join("plan.json");
    let plan = plan.to_str().unwrap();
    let words = [
        "--json",
        "segment",
        "plan",
        "--capture",
        &pcap,
        "--devices",
        &devices,
        "--out",
        plan,
    ];
    let answer: Value = serde_json::from_str(&lab.labward(&words).ok()).unwrap();
    assert_eq!(answer["new_conduits"], 3);
    assert_eq!(answer["undecided"], 3);
    let alerts = answer["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "{answer}");
    assert_eq!(
        (&alerts[0]["peer"], &alerts[0]["is_public"]),
        (&"202.114.4.119".into(), &true.into())
    );
    assert_eq!(
        answer["remarks"][0],
        "line 3: a device without an IP address is left out"
    );

    // A person edits the file: results may go out, the rest may not.
    let mut edited: Value = serde_json::from_slice(&fs::read(plan).unwrap()).unwrap();
    edited["devices"][0]["mode"] = "enforce".into();
    edited["devices"][0]["learning"] = false.into();
    for conduit in edited["devices"][0]["conduits"].as_array_mut().unwrap() {
        let decision = if conduit["service"] == "tcp/2575" {
            "approved"
        } else {
            "refused"
        };
        conduit["decision"] = decision.into();
    }
    fs::write(plan, edited.to_string()).unwrap();
    let more = lab.file(
        "more.pcap",
        capture([10, 1, 0, 7], &[([10, 1, 9, 2], 2575), seen[2]]),
    );
    let words = [
        "segment",
        "plan",
        "--capture",
        &more,
        "--state",
        plan,
        "--out",
        plan,
    ];
    let said = lab.labward(&words).ok();
    assert!(
        said.contains("new conduits: 1; known: 1; waiting for a decision: 1; alerts: 2"),
        "{said}"
    );
    assert!(
        said.contains("refused      outbound   202.114.4.119 (public)  tcp/515"),
        "{said}"
    );

    for (format, expected) in [
        (
            "nftables",
            "ip daddr 10.1.9.1 tcp dport 2575 counter name \"d7_from_allowed\" return",
        ),
        (
            "csv",
            "7,Haematology,Lab,enforce,outbound,10.1.0.7,10.1.9.1,tcp,2575,HL7 v2,approved,routed,1,",
        ),
        (
            "acl",
            " permit tcp host 10.1.0.7 host 10.1.9.1 eq 2575\n deny ip host 10.1.0.7 any log",
        ),
    ] {
        let text = lab
            .labward(&["segment", "export", "--plan", plan, "--format", format])
            .ok();
        assert!(text.contains(expected), "{text}");
        assert!(format == "csv" || !text.contains("202.114.4.119"), "{text}");
    }
    let checked = lab.labward(&["segment", "check", "--plan", plan]).ok();
    assert!(
        checked.contains("rules of 1 guarded devices; nothing was changed"),
        "{checked}"
    );
    assert_eq!(lab.status()["liveness"]["state"], "missing");

    // What goes to a person's screen is the plan alone.
    let printed = lab.labward(&["segment", "plan", "--state", plan]);
    let again: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(again["version"], 1);
    assert!(
        printed.err.starts_with("devices: 1; new conduits: 0"),
        "{}",
        printed.err
    );
}

fn roll_back_in_time(lab: &Lab) {
    let (_lis, _other) = (lab.listen(2575), lab.listen(445));
    let (first, second) = (
        lab.plan("enforce", "tcp/2575"),
        lab.plan("enforce", "tcp/445"),
    );
    lab.labward(&["segment", "apply", "--plan", &first, "--without-trial"])
        .ok();
    assert!(lab.connect(2575, PATIENCE).is_some());
    let before = lab.status();
    assert_eq!(before["liveness"]["state"], "live");
    let allowed = before["devices"][0]["from_allowed"]["packets"]
        .as_u64()
        .unwrap();
    assert!(allowed > 0);

    let watch = Stopwatch::start();
    let said = lab
        .labward(&[
            "segment",
            "apply",
            "--plan",
            &second,
            "--roll-back-after",
            "3s",
        ])
        .ok();
    assert!(said.contains("on trial until"), "{said}");
    let during = lab.status();
    assert_eq!(during["liveness"]["state"], "live", "{during}");
    assert!(during["liveness"]["lapses_in_s"].as_u64().unwrap() <= 33);
    assert_eq!(during["trial"]["is_waited_for"], true);
    assert!(lab.connect(445, PATIENCE).is_some());
    assert!(lab.connect(2575, SILENCE).is_none());
    lab.eventually("the trial to be over", || lab.status()["trial"].is_null());
    assert!(watch.elapsed() >= Duration::from_secs(3));
    let after = lab.status();
    assert_eq!(after["liveness"], before["liveness"]);
    // With what was counted before.
    assert!(
        after["devices"][0]["from_allowed"]["packets"]
            .as_u64()
            .unwrap()
            >= allowed
    );
    assert!(lab.connect(2575, PATIENCE).is_some());
    assert!(lab.connect(445, SILENCE).is_none());
}

fn confirm(lab: &Lab) {
    let lis = lab.listen(2575);
    let _other = lab.listen(445);
    let mut device = lab.connect(2575, PATIENCE).unwrap();
    let (mut server, _) = lis.accept().unwrap();
    let mut talk = || {
        device.write_all(b"?").unwrap();
        server.set_read_timeout(Some(PATIENCE)).unwrap();
        server.read_exact(&mut [0]).unwrap();
        server.write_all(b"!").unwrap();
        device.set_read_timeout(Some(PATIENCE)).unwrap();
        device.read_exact(&mut [0]).unwrap();
    };
    let test = lab.plan("test", "tcp/2575");
    lab.labward(&[
        "segment",
        "apply",
        "--plan",
        &test,
        "--roll-back-after",
        "2s",
    ])
    .ok();
    talk();
    assert!(
        lab.connect(445, PATIENCE).is_some(),
        "on test nothing is dropped"
    );
    assert!(
        lab.status()["devices"][0]["from_refused"]["packets"]
            .as_u64()
            .unwrap()
            > 0
    );
    lab.labward(&["segment", "rollback"]).ok();
    assert_eq!(lab.status()["liveness"]["state"], "missing");
    talk();

    let enforce = lab.plan("enforce", "tcp/2575");
    lab.labward(&[
        "segment",
        "apply",
        "--plan",
        &enforce,
        "--roll-back-after",
        "2s",
    ])
    .ok();
    talk();
    lab.labward(&["segment", "confirm"]).ok();
    talk();
    let watch = Stopwatch::start();
    // Longer than the trial was.
    while watch.elapsed() < Duration::from_secs(3) {
        assert!(lab.connect(445, SILENCE).is_none());
    }
    talk();
    let status = lab.status();
    assert_eq!(status["liveness"]["state"], "live");
    assert!(
        status["liveness"]["lapses_in_s"].is_null() && status["trial"].is_null(),
        "{status}"
    );
    assert!(
        status["devices"][0]["from_refused"]["packets"]
            .as_u64()
            .unwrap()
            > 0
    );
    let shown = lab.labward(&["segment", "status", "--plan", &enforce]).ok();
    assert!(shown.contains("7       Haematology  enforce"), "{shown}");
    lab.labward(&["segment", "status", "--plan", &test])
        .refused(73, "segmentation.not-live");
}

fn killed(lab: &Lab) {
    let plan = lab.plan("enforce", "tcp/2575");
    lab.labward(&[
        "segment",
        "apply",
        "--plan",
        &plan,
        "--roll-back-after",
        "1s",
    ])
    .ok();
    let run = lab.folder.join("run");
    let waiting = fs::read_dir("/proc").unwrap().find_map(|entry| {
        let path: PathBuf = entry.unwrap().path();
        let words = fs::read_to_string(path.join("cmdline")).unwrap_or_default();
        let is_it = words.contains("--when-due") && words.contains(run.to_str().unwrap());
        is_it.then(|| path.file_name().unwrap().to_str().unwrap().to_owned())
    });
    let kill = lab
        .network
        .router
        .run("kill", &["-9", &waiting.unwrap()], b"");
    assert!(kill.status.success());
    lab.eventually("it to be noticed", || {
        lab.status()["trial"]["is_waited_for"] == false
    });
    let _other = lab.listen(445);
    assert!(lab.connect(445, SILENCE).is_none());
    lab.eventually("the kernel to let the device go", || {
        // Past the end of the trial and its margin; looked at by the traffic itself.
        lab.connect(445, Duration::from_secs(15)).is_some()
    });
    lab.labward(&["segment", "status"])
        .refused(73, "segmentation.not-live");
    assert_eq!(lab.status()["liveness"]["state"], "lapsed");
    lab.labward(&["segment", "confirm"])
        .refused(73, "end it with labward segment rollback");
    lab.labward(&["segment", "rollback"]).ok();
    assert_eq!(lab.status()["liveness"]["state"], "missing");
}

fn refusals(lab: &Lab) {
    let good = lab.plan("enforce", "tcp/2575");
    let bare = lab.file(
        "bare.json",
        r#"{"version": 1, "devices": [{"id": 7, "name": "", "addresses": ["10.1.0.7"], "mode": "enforce",
            "conduits": []}]}"#,
    );
    let apply = |plan: &str| lab.labward(&["segment", "apply", "--plan", plan]);
    apply(&bare).refused(73, "device 7 has no approved conduit that a router sees");
    lab.labward(&["segment", "export", "--plan", &bare, "--format", "acl"])
        .refused(73, "segmentation.cuts-off");
    apply(&lab.file("new.json", r#"{"version": 2, "devices": []}"#))
        .refused(65, "the plan has version 2; this program reads version 1");
    apply(&lab.file(
        "typo.json",
        r#"{"version": 1, "devices": [], "device": []}"#,
    ))
    .refused(65, "unknown field `device`");
    apply("/nowhere/plan.json").refused(65, "cli.file");
    lab.labward(&["segment", "confirm"])
        .refused(66, "segmentation.no-trial");
    lab.labward(&["segment", "rollback"])
        .refused(66, "segmentation.no-trial");

    apply(&good).ok();
    apply(&good).refused(73, "segmentation.on-trial");
    let touch = [
        "add",
        "rule",
        "inet",
        "labward_segmentation",
        "d7_from",
        "accept",
    ];
    let touched = lab.network.router.run("nft", &touch, b"");
    assert!(touched.status.success());
    lab.labward(&["segment", "confirm"])
        .refused(73, "rule 6 of the chain d7_from is not Labward's");
    lab.labward(&["segment", "rollback"]).ok();
    assert_eq!(lab.status()["liveness"]["state"], "missing");
    // A folder that others may write in is not trusted with rules.
    let run = lab.folder.join("run");
    let open = lab
        .network
        .router
        .run("chmod", &["777", run.to_str().unwrap()], b"");
    assert!(open.status.success());
    apply(&good).refused(65, "others may write in it");
    // Another account reads and changes nothing.
    let program = std::env::current_exe().unwrap();
    let words = [
        "--reuid=65534",
        "--clear-groups",
        program.to_str().unwrap(),
        "segment",
        "status",
    ];
    let output = lab.network.router.run("setpriv", &words, b"");
    // Where it may not even start the program there is nothing to see.
    if output.status.code() != Some(127) && output.status.code() != Some(126) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("segmentation.not-root"), "{said}");
    }
}
