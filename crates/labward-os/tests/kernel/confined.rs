//! A confined process: what it can, what it cannot, and how it ends.

use std::collections::HashMap;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use labward_os::confine::trial::Attempt;
use labward_os::confine::{
    ConfineError, ConfinedChild, Confinement, Ending, Layer, Limits, State, enter, spawn,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, getpgrp, pidfd_open};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use super::{PART, SELF, Test};

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
const MEMORY: u64 = 512 << 20;

pub(super) const TESTS: &[Test] = &[
    (
        "without_a_layer_every_attempt_succeeds",
        without_a_layer_every_attempt_succeeds,
    ),
    (
        "with_seccomp_every_attempt_ends_the_process",
        with_seccomp_every_attempt_ends_the_process,
    ),
    (
        "without_seccomp_the_other_layers_refuse",
        without_seccomp_the_other_layers_refuse,
    ),
    (
        "each_layer_alone_refuses_what_is_its_own",
        each_layer_alone_refuses_what_is_its_own,
    ),
    ("every_layer_is_told_as_it_is", every_layer_is_told_as_it_is),
    (
        "what_is_told_is_what_another_process_sees",
        what_is_told_is_what_another_process_sees,
    ),
    (
        "an_old_kernel_confines_less_and_says_so",
        an_old_kernel_confines_less_and_says_so,
    ),
    (
        "a_confined_process_computes_and_panics_in_good_order",
        a_confined_process_computes_and_panics_in_good_order,
    ),
    (
        "threads_are_made_only_where_they_are_allowed",
        threads_are_made_only_where_they_are_allowed,
    ),
    (
        "memory_beyond_the_limit_is_not_had",
        memory_beyond_the_limit_is_not_had,
    ),
    (
        "processor_time_beyond_the_limit_ends_it",
        processor_time_beyond_the_limit_ends_it,
    ),
    (
        "a_child_inherits_nothing_but_its_pipes",
        a_child_inherits_nothing_but_its_pipes,
    ),
    ("a_child_dies_with_its_parent", a_child_dies_with_its_parent),
    (
        "a_child_outlives_the_thread_that_asked_for_it",
        a_child_outlives_the_thread_that_asked_for_it,
    ),
    ("a_dropped_child_is_gone", a_dropped_child_is_gone),
    (
        "a_process_with_several_threads_is_not_confined",
        a_process_with_several_threads_is_not_confined,
    ),
    (
        "a_required_layer_that_is_missing_is_an_error",
        a_required_layer_that_is_missing_is_an_error,
    ),
];

/// The child's part: which layers it leaves out, then what it does.
pub(super) fn child(arguments: &[&str]) -> ExitCode {
    let [layers, does, rest @ ..] = arguments else {
        panic!("a child is told its layers and what to do")
    };
    // What is opened before must not be there afterwards.
    let before = descriptors();
    match *layers {
        "old" => grow_old(),
        "no-seccomp" | "no-seccomp-wanted" => refuse_calls(&[libc::SYS_seccomp], libc::ENOSYS),
        "few-rights" => lose_most_rights(),
        _ => {}
    }
    if *layers != "none" {
        match enter(&limits(layers)) {
            Ok(confinement) => tell(&confinement),
            Err(error) => {
                say(&format!("error {error}"));
                return ExitCode::from(3);
            }
        }
    }
    match *does {
        "attempt" => attempt(Attempt::of_name(rest[0]).unwrap()),
        "compute" => compute(),
        "threads" => threads(),
        "processors" => say(&format!("{:?}", std::thread::available_parallelism())),
        "panic" => panic!("as any parser may"),
        "allocate" => {
            let mut all = Vec::<u8>::with_capacity(2 << 30);
            all.resize(2 << 30, 1);
            black_box(all);
        }
        "loop" => {
            say("looping");
            let mut count = 0_u64;
            loop {
                count = black_box(count + 1);
            }
        }
        "inherited" => say(&format!(
            "{} {} {} {}",
            before,
            std::env::vars_os().count(),
            getpgrp() == rustix::process::getpid(),
            std::env::current_dir().unwrap().display()
        )),
        "nothing" => {}
        other => panic!("a child cannot {other}"),
    }
    ExitCode::SUCCESS
}

/// `all`, or the layers that are left out, or `+` and the only ones that are taken.
fn limits(layers: &str) -> Limits {
    let mut limits = Limits::of(MEMORY);
    limits.threads = layers == "threads";
    match layers {
        "second" => limits.cpu_seconds = Some(1),
        "no-seccomp-wanted" => limits.required.clear(),
        _ => {}
    }
    let named = |list: &str| -> Vec<Layer> { list.split(',').filter_map(Layer::of_code).collect() };
    if let Some(only) = layers.strip_prefix('+') {
        let only = named(only);
        let mut all = Layer::ALL.to_vec();
        all.retain(|layer| !only.contains(layer));
        limits.left_out = all;
        limits.required = only;
    } else {
        limits.left_out = named(layers);
        limits
            .required
            .retain(|layer| !limits.left_out.contains(layer));
    }
    limits
}

/// Makes the kernel look to this process like one that has neither Landlock nor `close_range`, and
/// like one whose administrator forbids namespaces to ordinary accounts.
fn grow_old() {
    let absent = [
        libc::SYS_close_range,
        libc::SYS_landlock_create_ruleset,
        libc::SYS_landlock_restrict_self,
    ];
    refuse_calls(&absent, libc::ENOSYS);
    refuse_calls(&[libc::SYS_unshare], libc::EPERM);
}

fn refuse_calls(calls: &[libc::c_long], error: libc::c_int) {
    let filter = SeccompFilter::new(
        calls.iter().map(|call| (*call, Vec::new())).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(error.cast_unsigned()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program = BpfProgram::try_from(filter.unwrap()).unwrap();
    apply_filter(&program).unwrap();
}

/// As root in a container: it may change its account, and not make a namespace as root does.
fn lose_most_rights() {
    let mut rights = capabilities(None).unwrap();
    rights.effective.remove(CapabilitySet::SYS_ADMIN);
    rights.permitted.remove(CapabilitySet::SYS_ADMIN);
    rights.inheritable.remove(CapabilitySet::SYS_ADMIN);
    set_capabilities(None, rights).unwrap();
}

fn descriptors() -> usize {
    // The listing itself is one.
    fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

fn tell(confinement: &Confinement) {
    for (layer, state) in confinement.layers() {
        let number = match state {
            State::Refused(number) => *number,
            _ => 0,
        };
        say(&format!("layer {} {} {number}", layer.code(), state.code()));
    }
    say(&format!("complete {}", confinement.is_complete()));
}

fn attempt(attempt: Attempt) {
    say("attempting");
    match attempt.make() {
        Ok(()) => say("succeeded"),
        Err(error) => say(&format!("refused {}", error.raw_os_error().unwrap())),
    }
}

fn compute() {
    let mut read = Vec::new();
    std::io::stdin().read_to_end(&mut read).unwrap();
    let mut words: HashMap<&[u8], usize> = HashMap::new();
    for word in read.split(|byte| *byte == b' ') {
        *words.entry(word).or_default() += 1;
    }
    let mut large = vec![7_u64; 16 << 20];
    large[3] = Instant::now().elapsed().as_secs();
    large.sort_unstable();
    let caught = std::panic::catch_unwind(|| panic!("on purpose")).is_err();
    say(&format!(
        "{} {} {} {caught}",
        read.len(),
        words.len(),
        large[9]
    ));
}

fn threads() {
    let sums = [1_u64, 2, 3, 4].map(|number| {
        let thread = std::thread::Builder::new().name("engine".to_owned());
        thread
            .spawn(move || (0..1000 * number).sum::<u64>())
            .unwrap()
    });
    let sum: u64 = sums.map(|thread| thread.join().unwrap()).iter().sum();
    say(&format!("sum {sum}"));
}

/// The part of a parent that is killed: it says which child it has.
pub(super) fn parent() -> ExitCode {
    let mut child = start("all", &["loop"]);
    let mut said = BufReader::new(child.stdout.take().unwrap());
    wait_for(&mut said, "looping");
    say(&format!("child {}", child.id()));
    std::thread::park();
    ExitCode::SUCCESS
}

fn wait_for(said: &mut impl BufRead, wanted: &str) {
    let mut line = String::new();
    while line.trim() != wanted {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "{wanted}");
    }
}

fn start(layers: &str, does: &[&str]) -> ConfinedChild {
    let mut arguments = vec![PART, "confined", layers];
    arguments.extend(does);
    // The same limit that the child sets itself, unless it is a control without any.
    let memory = if layers == "none" { u64::MAX } else { MEMORY };
    let mut limits = Limits::of(memory);
    if layers == "second" {
        limits.cpu_seconds = Some(1);
    }
    spawn(Path::new(SELF), &arguments, &limits).unwrap()
}

/// What the child said and how it ended.
fn outcome(layers: &str, does: &[&str]) -> (String, Ending) {
    let mut child = start(layers, does);
    let mut input = child.stdin.take().unwrap();
    // Whether it reads is its own matter.
    let _ = input.write_all(b"a b a");
    drop(input);
    let mut said = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    let ending = child.wait_within(PATIENCE).unwrap();
    (said, ending.unwrap())
}

fn attempts() -> impl Iterator<Item = &'static str> {
    Attempt::ALL.iter().map(|(name, _)| *name)
}

fn without_a_layer_every_attempt_succeeds() {
    for name in attempts() {
        let (said, ending) = outcome("none", &["attempt", name]);
        assert_eq!(ending, Ending::Exited(0), "{name}: {said}");
        // Another program takes the place of this one, which then says nothing more. Whether a
        // parent may be traced is for Yama or its own rights to say.
        let allowed = match name {
            "execute" => said == "attempting\n",
            "trace-parent" => true,
            _ => said == "attempting\nsucceeded\n",
        };
        assert!(allowed, "{name}: {said}");
    }
}

fn with_seccomp_every_attempt_ends_the_process() {
    for name in attempts() {
        let (said, ending) = outcome("all", &["attempt", name]);
        if name == "allocate" {
            assert!(
                said.ends_with(&format!("refused {}\n", libc::ENOMEM)),
                "{said}"
            );
            assert_eq!(ending, Ending::Exited(0));
        } else {
            assert!(said.ends_with("attempting\n"), "{name}: {said}");
            assert_eq!(ending, Ending::Forbidden, "{name}");
        }
    }
}

fn without_seccomp_the_other_layers_refuse() {
    let (told, _) = outcome("all", &["nothing"]);
    let has = |layer: Layer| told.contains(&format!("layer {} in-force", layer.code()));
    let files = has(Layer::LandlockFiles) || has(Layer::EmptyRoot);
    for name in attempts() {
        let held = match name {
            "executable-memory" => continue,
            // A socket that reaches nobody is nothing by itself.
            "socket" => continue,
            "connect" => has(Layer::NetworkNamespace) || has(Layer::LandlockNetwork),
            "execute" | "read-file" | "write-file" => files,
            "read-root" => has(Layer::EmptyRoot) || has(Layer::LandlockFiles),
            "signal-parent" => has(Layer::LandlockScope),
            _ => true,
        };
        let (said, ending) = outcome("confine.seccomp", &["attempt", name]);
        assert_eq!(ending, Ending::Exited(0), "{name}: {said}");
        if held {
            assert!(said.contains("attempting\nrefused "), "{name}: {said}");
        } else {
            eprintln!("labward-skip: without_seccomp {name}: no other layer is to be had here");
        }
    }
}

fn each_layer_alone_refuses_what_is_its_own() {
    let rights = "confine.rights";
    for (layers, name) in [
        (format!("+{rights},confine.landlock-files"), "read-file"),
        (format!("+{rights},confine.landlock-files"), "write-file"),
        (format!("+{rights},confine.landlock-files"), "execute"),
        (format!("+{rights},confine.landlock-network"), "connect"),
        (format!("+{rights},confine.landlock-scope"), "signal-parent"),
        (
            format!("+{rights},confine.user-namespace,confine.network-namespace"),
            "connect",
        ),
        (
            format!("+{rights},confine.user-namespace,confine.mount-namespace,confine.empty-root"),
            "read-file",
        ),
        (
            format!("+{rights},confine.user-namespace,confine.mount-namespace,confine.empty-root"),
            "read-root",
        ),
        ("+confine.limits".to_owned(), "allocate"),
        (format!("+{rights},confine.limits"), "fork"),
        ("+confine.seccomp".to_owned(), "executable-memory"),
    ] {
        let (said, ending) = outcome(&layers, &["attempt", name]);
        if ending == Ending::Exited(3) {
            eprintln!("labward-skip: {name} by {layers} alone: {}", said.trim());
            continue;
        }
        let refused = said.contains("attempting\nrefused ") || ending == Ending::Forbidden;
        assert!(refused, "{name} by {layers} alone: {said}");
    }
}

fn every_layer_is_told_as_it_is() {
    let (said, ending) = outcome("all", &["nothing"]);
    assert_eq!(ending, Ending::Exited(0), "{said}");
    eprintln!("as user {}:\n{said}", labward_os::current_uid());
    assert_eq!(said.matches("layer ").count(), Layer::ALL.len());
    for layer in [
        Layer::Seccomp,
        Layer::Rights,
        Layer::Account,
        Layer::Limits,
        Layer::Descriptors,
        Layer::ParentDeath,
        Layer::Untraceable,
    ] {
        assert!(
            said.contains(&format!("layer {} in-force", layer.code())),
            "{said}"
        );
    }
    let begin = Instant::now();
    for _ in 0..20 {
        outcome("all", &["nothing"]);
    }
    eprintln!("start, confinement and end take {:?}", begin.elapsed() / 20);
    let landlock = fs::read_to_string("/sys/kernel/security/lsm");
    if let Ok(list) = landlock {
        let here = list.contains("landlock");
        assert_eq!(said.contains("layer confine.landlock-files in-force"), here);
    }
    let (said, _) = outcome("confine.seccomp", &["nothing"]);
    assert!(said.contains("layer confine.seccomp left-out"), "{said}");
    assert!(said.contains("complete false"));
}

fn what_is_told_is_what_another_process_sees() {
    let account = if super::is_root() {
        labward_os::NOBODY.0
    } else {
        labward_os::current_uid()
    };
    for layers in ["all", "few-rights"] {
        let mut child = start(layers, &["loop"]);
        let mut said = BufReader::new(child.stdout.take().unwrap());
        wait_for(&mut said, "looping");
        let proc = Path::new("/proc").join(child.id().to_string());
        let status = fs::read_to_string(proc.join("status")).unwrap();
        let value = |name: &str| {
            let mut lines = status.lines();
            let words = lines.find_map(|line| line.strip_prefix(name)).unwrap();
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            value("Uid:"),
            vec![account.to_string(); 4].join(" "),
            "{layers}"
        );
        for rights in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(value(rights), "0000000000000000", "{layers} {rights}");
        }
        assert_eq!(value("NoNewPrivs:"), "1");
        assert_eq!(value("Seccomp:"), "2");
        let limits = fs::read_to_string(proc.join("limits")).unwrap();
        for (limit, soft) in [
            ("Max open files", "3"),
            ("Max processes", "0"),
            ("Max file size", "0"),
            ("Max address space", "536870912"),
        ] {
            let line = limits.lines().find_map(|line| line.strip_prefix(limit));
            assert_eq!(
                line.unwrap().split_whitespace().next(),
                Some(soft),
                "{limit}"
            );
        }
        if super::is_root() {
            assert_eq!(fs::read_dir(proc.join("fd")).unwrap().count(), 3);
            assert_eq!(fs::read_dir(proc.join("root")).unwrap().count(), 0);
            for own in ["net", "mnt", "ipc", "uts", "user"] {
                let theirs = fs::read_link(proc.join("ns").join(own)).unwrap();
                assert_ne!(
                    theirs,
                    fs::read_link(Path::new("/proc/self/ns").join(own)).unwrap()
                );
            }
        }
    }
}

fn an_old_kernel_confines_less_and_says_so() {
    let (said, ending) = outcome("old", &["nothing"]);
    assert_eq!(ending, Ending::Exited(0), "{said}");
    for (layer, state) in [
        (Layer::Seccomp, "in-force 0"),
        (Layer::Rights, "in-force 0"),
        (Layer::Descriptors, "in-force 0"),
        (Layer::LandlockFiles, "not-there 0"),
        (Layer::LandlockNetwork, "not-there 0"),
        (Layer::LandlockScope, "not-there 0"),
        (Layer::NetworkNamespace, "refused 1"),
        (Layer::MountNamespace, "refused 1"),
        (Layer::EmptyRoot, "left-out 0"),
    ] {
        assert!(
            said.contains(&format!("layer {} {state}", layer.code())),
            "{said}"
        );
    }
    assert!(said.ends_with("complete false\n"));
    for name in ["read-file", "connect", "fork"] {
        let (_, ending) = outcome("old", &["attempt", name]);
        assert_eq!(ending, Ending::Forbidden, "{name}");
    }
}

fn a_confined_process_computes_and_panics_in_good_order() {
    let (said, ending) = outcome("all", &["compute"]);
    assert!(said.ends_with("5 2 7 true\n"), "{said}");
    assert_eq!(ending, Ending::Exited(0));
    let (_, ending) = outcome("all", &["panic"]);
    assert_eq!(ending, Ending::Exited(101));
}

fn threads_are_made_only_where_they_are_allowed() {
    let (said, ending) = outcome("threads", &["threads"]);
    let expected: u64 = [1_000_u64, 2_000, 3_000, 4_000]
        .iter()
        .map(|n| n * (n - 1) / 2)
        .sum();
    assert!(said.ends_with(&format!("sum {expected}\n")), "{said}");
    assert_eq!(ending, Ending::Exited(0));
    let (_, ending) = outcome("all", &["threads"]);
    assert_eq!(ending, Ending::Forbidden);
    let (_, ending) = outcome("threads", &["processors"]);
    assert_eq!(ending, Ending::Forbidden, "it would open files");
    let (_, ending) = outcome("threads", &["attempt", "fork"]);
    assert_eq!(ending, Ending::Forbidden);
}

fn memory_beyond_the_limit_is_not_had() {
    let (_, ending) = outcome("all", &["allocate"]);
    assert_eq!(ending, Ending::Signalled(libc::SIGABRT));
    let (_, ending) = outcome("none", &["nothing"]);
    assert_eq!(ending, Ending::Exited(0));
}

fn processor_time_beyond_the_limit_ends_it() {
    let mut child = start("second", &["loop"]);
    assert_eq!(
        child.wait_within(PATIENCE).unwrap(),
        Some(Ending::OutOfTime)
    );
}

fn a_child_inherits_nothing_but_its_pipes() {
    let file = File::open("/dev/null").unwrap();
    // SAFETY: the descriptor is open, and only a mark of it is taken away.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) };
    assert_eq!(answer, 0);
    let (said, _) = outcome("none", &["inherited"]);
    assert_eq!(said, "3 0 true /\n");
    // The control: a child that is started otherwise does inherit it.
    let output = Command::new(SELF)
        .args([PART, "confined", "none", "inherited"])
        .output()
        .unwrap();
    assert!(!output.stdout.starts_with(b"3 "), "{output:?}");
}

/// Whether the process ends within the time.
fn ends(process: &impl std::os::fd::AsFd, within: Duration) -> bool {
    let mut fds = [PollFd::new(process, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::try_from(within).unwrap())).unwrap() == 1
}

fn a_child_dies_with_its_parent() {
    let mut parent = Command::new(SELF)
        .args([PART, "parent"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(parent.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    let number = line.trim().strip_prefix("child ").unwrap();
    let child = Pid::from_raw(number.parse().unwrap()).unwrap();
    let child = pidfd_open(child, PidfdFlags::empty()).unwrap();
    assert!(!ends(&child, Duration::from_millis(300)), "the child runs");
    parent.kill().unwrap();
    assert!(ends(&child, PATIENCE), "the child outlives its parent");
    parent.wait().unwrap();
}

fn a_child_outlives_the_thread_that_asked_for_it() {
    let asked = std::thread::spawn(|| start("all", &["loop"]));
    let mut child = asked.join().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    wait_for(&mut said, "looping");
    assert_eq!(child.wait_within(Duration::from_millis(300)).unwrap(), None);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap(), Ending::Signalled(libc::SIGKILL));
}

fn a_dropped_child_is_gone() {
    let mut child = start("all", &["loop"]);
    let mut said = BufReader::new(child.stdout.take().unwrap());
    wait_for(&mut said, "looping");
    let number = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let process = pidfd_open(number, PidfdFlags::empty()).unwrap();
    drop(child);
    assert!(ends(&process, Duration::ZERO));
}

fn a_process_with_several_threads_is_not_confined() {
    let other = std::thread::spawn(std::thread::park);
    let error = enter(&Limits::of(MEMORY)).unwrap_err();
    assert!(matches!(error, ConfineError::Threads), "{error}");
    other.thread().unpark();
    other.join().unwrap();
}

fn a_required_layer_that_is_missing_is_an_error() {
    // Mounts of its own are left out, so that an empty root cannot be had.
    let (said, ending) = outcome("+confine.empty-root", &["nothing"]);
    assert_eq!(
        said,
        "error confine this process: confine.empty-root is left-out\n"
    );
    assert_eq!(ending, Ending::Exited(3));
    // A kernel without `seccomp`: only who says so goes on.
    let (said, ending) = outcome("no-seccomp", &["nothing"]);
    let expected = "error confine this process: confine.seccomp is not-there\n";
    assert_eq!((&*said, ending), (expected, Ending::Exited(3)));
    let (said, ending) = outcome("no-seccomp-wanted", &["nothing"]);
    assert!(
        said.starts_with("layer confine.seccomp not-there"),
        "{said}"
    );
    assert_eq!(ending, Ending::Exited(0));
}
