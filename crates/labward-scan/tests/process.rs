//! The scanner's process: real children of this binary that answer, hang, die and talk nonsense.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test without the usual harness says itself what it did"
)]

use std::io::{self, Read as _, Write as _};
use std::process::{Command, ExitCode};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use labward_os::Stopwatch;
use labward_scan::process::protocol::{Ask, Frame, Hello};
use labward_scan::process::{Bytes, Pool, PoolOptions, Source, Started, serve, unconfined};
use labward_scan::yara::Loader;
use labward_scan::{
    Deadline, Engine, EngineError, Hit, Look, Policy, Report, Scanner, Setting, Verdict,
};
use labward_testkit::carrier::eicar;

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A claim and what shows it.
type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    (
        "a_child_answers_as_the_scanner_in_this_process_does",
        answers,
    ),
    ("a_file_is_read_from_its_beginning_by_every_child", files),
    (
        "bytes_that_kill_two_children_are_a_scanner_error_that_says_so",
        dies,
    ),
    (
        "a_child_that_was_killed_while_it_waited_costs_nobody_the_answer",
        killed_while_idle,
    ),
    (
        "a_child_that_loads_longer_than_its_request_waits_answers_the_next",
        slow_to_load,
    ),
    ("a_child_that_dies_once_costs_nobody_the_answer", dies_once),
    (
        "a_child_that_hangs_is_killed_in_time_and_the_next_request_is_answered",
        hangs,
    ),
    (
        "a_child_that_takes_no_bytes_is_killed_in_time_however_many_there_are",
        deaf,
    ),
    (
        "bytes_that_never_come_cannot_be_opened_or_break_off_keep_nobody_waiting",
        sources,
    ),
    (
        "a_child_that_talks_nonsense_or_calls_a_finding_clean_is_a_scanner_error",
        nonsense,
    ),
    (
        "a_child_that_cannot_load_or_does_not_exist_is_a_scanner_error",
        does_not_start,
    ),
    (
        "a_reload_lets_new_children_answer_and_a_stop_ends_them",
        reload,
    ),
    (
        "requests_beyond_the_children_wait_and_all_are_answered",
        crowd,
    ),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, how] = words.as_slice()
        && first == "child"
    {
        return child(how);
    }
    let wanted = words.iter().find(|word| !word.starts_with('-'));
    for (name, test) in TESTS {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            test();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

/// An engine that does what the bytes say.
struct Obedient;

impl Engine for Obedient {
    fn name(&self) -> &'static str {
        "obedient"
    }

    fn look(&self, part: &Look<'_>, _: &Deadline) -> Result<Vec<Hit>, EngineError> {
        match part.bytes {
            b"die" => std::process::abort(),
            b"hang" => loop {
                thread::park();
            },

            bytes => {
                // `once:PATH` ends the first process that is asked, and no other.
                let path = bytes
                    .strip_prefix(b"once:")
                    .and_then(|path| std::str::from_utf8(path).ok());
                if path.is_some_and(|path| std::fs::remove_file(path).is_ok()) {
                    std::process::abort();
                }
                Ok(Vec::new())
            }
        }
    }

    fn state(&self) -> String {
        std::process::id().to_string()
    }
}

fn scanner() -> Scanner {
    let mut rules = Loader::default();
    rules.add_own();
    Scanner::new(
        vec![Box::new(rules.finish()), Box::new(Obedient)],
        Policy::default(),
        None,
        None,
    )
}

fn child(how: &str) -> ExitCode {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let started = || {
        if how == "unloadable" {
            return Err("no rules".to_owned());
        }
        if how == "slow" {
            thread::park_timeout(Duration::from_secs(1));
        }
        Ok(Started {
            scanner: scanner(),
            hello: Hello::default(),
        })
    };
    if matches!(how, "well" | "slow" | "unloadable") {
        return match serve(&mut input, &mut output, started, unconfined) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let hello = serde_json::to_vec(&Hello::default()).unwrap();
    Frame::Hello(hello).write(&mut output).unwrap();
    output.flush().unwrap();
    if how == "deaf" {
        loop {
            thread::park();
        }
    }
    while Frame::read(&mut input).is_ok_and(|frame| frame != Frame::End) {}
    if how == "nonsense" {
        output.write_all(&[200; 64]).unwrap();
    } else {
        let mut report = scanner().scan(
            Setting::File,
            &EICAR,
            &labward_carrier::Declared::nothing(),
            &Deadline::after(PATIENCE),
        );
        report.verdict = Verdict::Clean;
        Frame::Report(serde_json::to_vec(&report).unwrap())
            .write(&mut output)
            .unwrap();
    }
    output.flush().unwrap();
    let _ = input.read(&mut [0]);
    ExitCode::SUCCESS
}

static EICAR: LazyLock<Vec<u8>> = LazyLock::new(eicar);

fn pool(how: &str, children: usize) -> Pool {
    Pool::new(PoolOptions {
        program: std::env::current_exe().unwrap(),
        arguments: vec!["child".into(), how.into()],
        children,
        start_limit: PATIENCE,
        spawn: Command::spawn,
    })
}

fn ask(pool: &Pool, bytes: &[u8], limit: Duration) -> Report {
    let ask = Ask::of(Setting::File, &labward_carrier::Declared::named("a.bin"));
    pool.scan(&ask, &Bytes::Memory(Arc::new(bytes.to_vec())), limit)
}

fn fault(report: &Report) -> (Verdict, &str) {
    let fault = report.faults.first().unwrap();
    assert_eq!(
        (report.faults.len(), fault.engine.as_str()),
        (1, "process"),
        "{report:?}"
    );
    (report.verdict, fault.code.as_str())
}

fn answers() {
    let pool = pool("well", 1);
    assert_eq!(ask(&pool, b"Glucose 5.1", PATIENCE).verdict, Verdict::Clean);
    let found = ask(&pool, &EICAR, PATIENCE);
    assert_eq!(found.verdict, Verdict::Malicious);
    assert_eq!(
        found.sha256,
        "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
    );
    let mut large = vec![7; 3 << 20];
    large.extend_from_slice(b"end");
    let report = ask(&pool, &large, PATIENCE);
    assert_eq!(
        (report.verdict, report.bytes),
        (Verdict::Clean, large.len() as u64)
    );
}

fn files() {
    let folder = labward_testkit::TempDir::new();
    let path = folder.join("eicar");
    std::fs::write(&path, EICAR.as_slice()).unwrap();
    let mut file = std::fs::File::open(&path).unwrap();
    file.read_to_end(&mut Vec::new()).unwrap();
    let pool = pool("well", 1);
    let asked = Ask::of(Setting::File, &labward_carrier::Declared::nothing());
    let report = pool.scan(&asked, &Bytes::File(Arc::new(file)), PATIENCE);
    assert_eq!(report.verdict, Verdict::Malicious);
    let folder = std::fs::File::open("/").unwrap();
    let report = pool.scan(&asked, &Bytes::File(Arc::new(folder)), PATIENCE);
    assert_eq!(fault(&report), (Verdict::ScannerError, "unreadable"));
    assert_eq!(
        ask(&pool, b"x", PATIENCE).verdict,
        Verdict::Clean,
        "the child is well"
    );
}

fn dies() {
    let pool = pool("well", 2);
    let report = ask(&pool, b"die", PATIENCE);
    assert_eq!(fault(&report), (Verdict::ScannerError, "died-twice"));
    let detail = &report.faults.first().unwrap().detail;
    assert_eq!(detail.matches("SIGABRT").count(), 2, "{detail}");
    assert_eq!(ask(&pool, b"x", PATIENCE).verdict, Verdict::Clean);
}

fn killed_while_idle() {
    let pool = pool("well", 2);
    for _ in 0..10 {
        pool.fill();
        // The state of the obedient engine is the number of its process.
        let idle = pool.hello(PATIENCE).unwrap();
        let engine = idle.engines.iter().find(|one| one.engine == "obedient");
        let number = engine.unwrap().state.parse().unwrap();
        let process = rustix::process::Pid::from_raw(number).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        assert_eq!(ask(&pool, &EICAR, PATIENCE).verdict, Verdict::Malicious);
    }
}

fn slow_to_load() {
    let pool = pool("slow", 1);
    let report = ask(&pool, &EICAR, Duration::from_millis(50));
    assert_eq!(fault(&report), (Verdict::ScannerError, "busy"));
    // The child that was started for it is there when it is ready.
    let first = ask(&pool, &EICAR, PATIENCE);
    assert_eq!(first.verdict, Verdict::Malicious);
}

fn dies_once() {
    let folder = labward_testkit::TempDir::new();
    let path = folder.join("once");
    std::fs::write(&path, b"").unwrap();
    let bytes = format!("once:{}", path.display());
    let report = ask(&pool("well", 1), bytes.as_bytes(), PATIENCE);
    assert_eq!(report.verdict, Verdict::Clean, "{report:?}");
    assert!(!path.exists());
}

fn hangs() {
    let pool = pool("well", 1);
    pool.hello(PATIENCE).unwrap();
    let watch = Stopwatch::start();
    let report = ask(&pool, b"hang", Duration::from_millis(300));
    assert!(
        watch.elapsed() < Duration::from_secs(20),
        "{:?}",
        watch.elapsed()
    );
    assert_eq!(fault(&report), (Verdict::ScannerError, "late"));
    assert_eq!(ask(&pool, &EICAR, PATIENCE).verdict, Verdict::Malicious);
}

fn deaf() {
    let pool = pool("deaf", 1);
    pool.hello(PATIENCE).unwrap();
    for bytes in [10, 8 << 20] {
        let watch = Stopwatch::start();
        let report = ask(&pool, &vec![7; bytes], Duration::from_secs(1));
        assert!(watch.elapsed() < Duration::from_secs(20));
        let (verdict, code) = fault(&report);
        assert_eq!(verdict, Verdict::ScannerError);
        // A new child may take longer to start than was left.
        assert!(matches!(code, "late" | "busy"), "{code}");
    }
}

fn sources() {
    let pool = pool("well", 1);
    let asked = Ask::of(Setting::File, &labward_carrier::Declared::nothing());
    let look = |source: Source, limit| pool.scan(&asked, &Bytes::Source(source), limit);
    let report = look(Arc::new(|| Ok(Box::new(EICAR.as_slice()))), PATIENCE);
    assert_eq!(report.verdict, Verdict::Malicious);
    let first = pool.hello(PATIENCE).unwrap().rules;
    let closed: Source = Arc::new(|| Err(io::ErrorKind::PermissionDenied.into()));
    let broken: Source = Arc::new(|| Ok(Box::new(EICAR.as_slice().chain(Broken))));
    for source in [closed, broken] {
        let report = look(source, PATIENCE);
        assert_eq!(fault(&report), (Verdict::ScannerError, "unreadable"));
    }
    assert_eq!(
        pool.hello(PATIENCE).unwrap().rules,
        first,
        "the child is well"
    );
    let watch = Stopwatch::start();
    let never: Source = Arc::new(|| {
        loop {
            thread::park();
        }
    });
    let report = look(never, Duration::from_millis(300));
    assert!(watch.elapsed() < Duration::from_secs(20));
    assert_eq!(fault(&report), (Verdict::ScannerError, "late"));
    assert_eq!(ask(&pool, &EICAR, PATIENCE).verdict, Verdict::Malicious);
}

/// Breaks off at once.
struct Broken;

impl io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

fn nonsense() {
    for how in ["nonsense", "lies"] {
        let report = ask(&pool(how, 1), b"x", PATIENCE);
        assert_eq!(
            fault(&report),
            (Verdict::ScannerError, "died-twice"),
            "{how}"
        );
    }
}

fn does_not_start() {
    let report = ask(&pool("unloadable", 1), b"x", PATIENCE);
    assert_eq!(fault(&report), (Verdict::ScannerError, "not-started"));
    assert!(
        report
            .faults
            .iter()
            .any(|fault| fault.detail.starts_with("no rules")),
        "{report:?}"
    );
    let missing = Pool::new(PoolOptions {
        program: "/nonexistent/scanner".into(),
        arguments: Vec::new(),
        children: 1,
        start_limit: PATIENCE,
        spawn: Command::spawn,
    });
    for _ in 0..3 {
        assert_eq!(
            fault(&ask(&missing, b"x", PATIENCE)),
            (Verdict::ScannerError, "not-started")
        );
    }
}

fn reload() {
    let pool = pool("well", 1);
    // The state of the obedient engine is the number of its process.
    let first = pool.hello(PATIENCE).unwrap();
    assert_eq!(first.rules, pool.hello(PATIENCE).unwrap().rules);
    assert_eq!(ask(&pool, b"x", PATIENCE).rules, first.rules);
    pool.reload();
    let second = ask(&pool, b"x", PATIENCE);
    assert_eq!(second.verdict, Verdict::Clean);
    assert_ne!(second.rules, first.rules);
    pool.stop();
    assert_eq!(
        fault(&ask(&pool, b"x", PATIENCE)),
        (Verdict::ScannerError, "stopped")
    );
}

fn crowd() {
    let pool = pool("well", 2);
    thread::scope(|scope| {
        let asked: Vec<_> = (0..12)
            .map(|n| {
                let pool = &pool;
                scope.spawn(move || {
                    ask(pool, if n % 2 == 0 { &EICAR } else { b"x" }, PATIENCE).verdict
                })
            })
            .collect();
        let malicious = asked
            .into_iter()
            .map(|one| one.join().unwrap())
            .filter(|one| *one == Verdict::Malicious);
        assert_eq!(malicious.count(), 6);
    });
}
