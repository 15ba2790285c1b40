//! Folders that are watched, and other processes that open, run and write their files.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use labward_os::fanotify::{
    Answer, Event, Fanotify, FanotifyError, News, Notice, Overflow, Question, Scope, Settings,
    Tree, Verdict, Watch,
};
use labward_os::held::HeldFolder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::mount::{MountPropagationFlags, mount_bind, mount_change};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::{PART, SELF, Test};

const PATIENCE: Duration = Duration::from_secs(20);
/// How long is waited for what must not come.
const SILENCE: Duration = Duration::from_millis(300);

const OPEN: Watch = Watch {
    open: true,
    execute: false,
    written: false,
};

/// For an ordinary account.
pub(super) const ORDINARY: &[Test] = &[(
    "an_ordinary_account_is_told_that_it_may_not_watch",
    an_ordinary_account_is_told_that_it_may_not_watch,
)];

/// For root.
pub(super) const TESTS: &[Test] = &[
    (
        "when_too_much_happens_in_a_tree_all_of_it_is_looked_through_again",
        when_too_much_happens_in_a_tree_all_of_it_is_looked_through_again,
    ),
    (
        "folders_that_are_made_later_are_watched_with_the_rest",
        folders_that_are_made_later_are_watched_with_the_rest,
    ),
    (
        "who_is_denied_cannot_open_and_who_is_allowed_reads",
        who_is_denied_cannot_open_and_who_is_allowed_reads,
    ),
    (
        "a_question_that_is_dropped_is_answered_by_the_default",
        a_question_that_is_dropped_is_answered_by_the_default,
    ),
    (
        "a_question_that_is_too_old_is_answered_by_the_default",
        a_question_that_is_too_old_is_answered_by_the_default,
    ),
    (
        "questions_that_nobody_fetches_stop_nobody",
        questions_that_nobody_fetches_stop_nobody,
    ),
    (
        "too_many_questions_are_answered_by_the_default_and_told",
        too_many_questions_are_answered_by_the_default_and_told,
    ),
    (
        "what_is_written_is_told_with_who_wrote_it",
        what_is_written_is_told_with_who_wrote_it,
    ),
    (
        "what_is_run_is_asked_apart_from_what_is_read",
        what_is_run_is_asked_apart_from_what_is_read,
    ),
    (
        "a_burst_of_openings_is_answered_one_by_one",
        a_burst_of_openings_is_answered_one_by_one,
    ),
    (
        "this_process_itself_is_neither_asked_nor_told",
        this_process_itself_is_neither_asked_nor_told,
    ),
    (
        "when_listening_ends_everybody_goes_on",
        when_listening_ends_everybody_goes_on,
    ),
    (
        "when_the_listener_is_killed_everybody_goes_on",
        when_the_listener_is_killed_everybody_goes_on,
    ),
    (
        "what_is_not_watched_any_more_is_not_asked",
        what_is_not_watched_any_more_is_not_asked,
    ),
    (
        "a_mount_is_watched_with_folders_that_did_not_exist",
        a_mount_is_watched_with_folders_that_did_not_exist,
    ),
];

/// A folder with the file `file` in it, removed when dropped.
struct Intake(PathBuf);

impl Intake {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("labward-watched-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), b"content").unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("file")
    }

    /// Watches it; none where this account may not.
    fn watch(&self, settings: Settings, watch: Watch) -> Option<Fanotify> {
        match Fanotify::open(settings) {
            Ok(fanotify) => {
                let folder = HeldFolder::open(&self.0).unwrap();
                fanotify.mark(&folder, Scope::Folder, watch).unwrap();
                Some(fanotify)
            }
            Err(FanotifyError::Denied | FanotifyError::NotThere) => {
                eprintln!(
                    "labward-skip: {}: fanotify is not to be had",
                    self.0.display()
                );
                None
            }
            Err(other) => panic!("{other}"),
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(default_verdict: Verdict, deadline: Duration) -> Settings {
    Settings {
        default_verdict,
        deadline,
        ..Settings::default()
    }
}

/// Another process that reads the file.
fn reader(path: &Path) -> Child {
    Command::new("cat")
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn question(fanotify: &Fanotify) -> Question {
    match fanotify.next(PATIENCE).unwrap() {
        Some(Event::Question(question)) => question,
        other => panic!("{other:?}"),
    }
}

fn notice(fanotify: &Fanotify) -> Notice {
    match fanotify.next(PATIENCE).unwrap() {
        Some(Event::Written(notice)) => notice,
        other => panic!("{other:?}"),
    }
}

fn was_read(output: &Output) {
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"content");
}

fn was_denied(output: &Output) {
    assert!(!output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Operation not permitted"), "{said}");
}

fn is_running(child: &Child) -> bool {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    let mut fds = [PollFd::new(&process, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::try_from(SILENCE).unwrap())).unwrap() == 0
}

fn an_ordinary_account_is_told_that_it_may_not_watch() {
    let error = Fanotify::open(Settings::default()).unwrap_err();
    let told = ["fanotify.denied", "fanotify.not-there"];
    assert!(told.contains(&error.code()), "{error}");
}

fn who_is_denied_cannot_open_and_who_is_allowed_reads() {
    let intake = Intake::new("verdict");
    let Some(fanotify) = intake.watch(Settings::default(), OPEN) else {
        return;
    };
    let child = reader(&intake.file());
    let asked = question(&fanotify);
    assert_eq!(asked.pid(), i32::try_from(child.id()).unwrap());
    assert_eq!(asked.path().unwrap(), intake.file());
    assert_eq!(asked.identity().unwrap().size_bytes, 7);
    assert!(!asked.is_execute() && !asked.is_expired());
    assert_eq!(std::io::read_to_string(asked.file()).unwrap(), "content");
    if asked.process().is_none() {
        eprintln!("labward-skip: the process of a question: kernel before 5.15");
    }
    assert!(is_running(&child), "it waits");
    assert_eq!(asked.answer(Verdict::Deny), Answer::Given);
    was_denied(&child.wait_with_output().unwrap());
    let child = reader(&intake.file());
    assert_eq!(question(&fanotify).answer(Verdict::Allow), Answer::Given);
    was_read(&child.wait_with_output().unwrap());
    assert_eq!(fanotify.counts().answered, 2);
}

fn a_question_that_is_dropped_is_answered_by_the_default() {
    for default in [Verdict::Allow, Verdict::Deny] {
        let intake = Intake::new("dropped");
        let Some(fanotify) = intake.watch(settings(default, PATIENCE), OPEN) else {
            return;
        };
        let child = reader(&intake.file());
        drop(question(&fanotify));
        let output = child.wait_with_output().unwrap();
        match default {
            Verdict::Allow => was_read(&output),
            Verdict::Deny => was_denied(&output),
        }
        assert_eq!(fanotify.counts().by_default, 1);
    }
}

fn a_question_that_is_too_old_is_answered_by_the_default() {
    let deadline = Duration::from_secs(1);
    for default in [Verdict::Allow, Verdict::Deny] {
        let intake = Intake::new("old");
        let Some(fanotify) = intake.watch(settings(default, deadline), OPEN) else {
            return;
        };
        let begin = Instant::now();
        let child = reader(&intake.file());
        let asked = question(&fanotify);
        assert!(!asked.is_expired());
        let output = child.wait_with_output().unwrap();
        let took = begin.elapsed();
        match default {
            Verdict::Allow => was_read(&output),
            Verdict::Deny => was_denied(&output),
        }
        assert!(took >= deadline && took < PATIENCE, "{took:?}");
        assert!(asked.is_expired() && asked.waited() >= deadline);
        let other = match default {
            Verdict::Allow => Verdict::Deny,
            Verdict::Deny => Verdict::Allow,
        };
        assert_eq!(asked.answer(other), Answer::TooLate);
        assert_eq!(fanotify.counts().expired, 1);
    }
}

fn questions_that_nobody_fetches_stop_nobody() {
    let intake = Intake::new("nobody");
    let short = Settings {
        outstanding_max: 3,
        ..settings(Verdict::Allow, Duration::from_millis(50))
    };
    let Some(fanotify) = intake.watch(short, OPEN) else {
        return;
    };
    for _ in 0..10 {
        was_read(&reader(&intake.file()).wait_with_output().unwrap());
    }
    let counts = fanotify.counts();
    assert_eq!(counts.asked, 10);
    assert_eq!(counts.expired + counts.by_default, 10);
    let Some(Event::Overflow(overflow)) = fanotify.next(PATIENCE).unwrap() else {
        panic!("seven were too many")
    };
    assert_eq!(overflow.answered_by_default, 7);
    for _ in 0..3 {
        assert!(question(&fanotify).is_expired());
    }
    assert!(fanotify.next(Duration::ZERO).unwrap().is_none());
}

fn too_many_questions_are_answered_by_the_default_and_told() {
    let intake = Intake::new("many");
    let few = Settings {
        outstanding_max: 2,
        ..settings(Verdict::Allow, PATIENCE)
    };
    let Some(fanotify) = intake.watch(few, OPEN) else {
        return;
    };
    let waiting = [reader(&intake.file()), reader(&intake.file())];
    let asked = [question(&fanotify), question(&fanotify)];
    was_read(&reader(&intake.file()).wait_with_output().unwrap());
    match fanotify.next(PATIENCE).unwrap() {
        Some(Event::Overflow(overflow)) => {
            let expected = Overflow {
                answered_by_default: 1,
                ..Overflow::default()
            };
            assert_eq!(overflow, expected);
        }
        other => panic!("{other:?}"),
    }
    for one in asked {
        assert_eq!(one.answer(Verdict::Deny), Answer::Given);
    }
    for child in waiting {
        was_denied(&child.wait_with_output().unwrap());
    }
}

fn what_is_written_is_told_with_who_wrote_it() {
    let intake = Intake::new("written");
    let watch = Watch {
        written: true,
        ..Watch::default()
    };
    let Some(fanotify) = intake.watch(Settings::default(), watch) else {
        return;
    };
    let mut child = Command::new("dd")
        .arg(format!("of={}", intake.0.join("new").display()))
        .stdin(Stdio::from(File::open("/bin/true").unwrap()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    assert!(child.wait().unwrap().success());
    let written = notice(&fanotify);
    assert_eq!(written.pid(), pid);
    assert_eq!(written.path().unwrap(), intake.0.join("new"));
    let size = fs::metadata("/bin/true").unwrap().len();
    assert_eq!(written.identity().unwrap().size_bytes, size);
    // Reading is not writing.
    was_read(&reader(&intake.file()).wait_with_output().unwrap());
    assert!(fanotify.next(SILENCE).unwrap().is_none());
}

fn what_is_run_is_asked_apart_from_what_is_read() {
    let intake = Intake::new("run");
    let program = intake.0.join("program");
    fs::copy("/bin/true", &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let watch = Watch {
        execute: true,
        ..Watch::default()
    };
    let Some(fanotify) = intake.watch(Settings::default(), watch) else {
        return;
    };
    assert!(
        reader(&program)
            .wait_with_output()
            .unwrap()
            .status
            .success()
    );
    for verdict in [Verdict::Deny, Verdict::Allow] {
        let path = program.clone();
        // The error of exec comes back to whoever starts it, so that must not be this thread.
        let run = std::thread::spawn(move || Command::new(path).status());
        let asked = question(&fanotify);
        assert!(asked.is_execute());
        asked.answer(verdict);
        let outcome = run.join().unwrap();
        match verdict {
            Verdict::Allow => assert!(outcome.unwrap().success()),
            Verdict::Deny => assert_eq!(outcome.unwrap_err().raw_os_error(), Some(libc::EPERM)),
        }
    }
}

fn a_burst_of_openings_is_answered_one_by_one() {
    const EACH: u32 = 250;
    let intake = Intake::new("burst");
    let Some(fanotify) = intake.watch(settings(Verdict::Deny, PATIENCE), OPEN) else {
        return;
    };
    let script = format!(
        "i=0; while [ $i -lt {EACH} ]; do read x < \"$0\" || [ \"$x\" ] || exit 9; i=$((i+1)); done"
    );
    let begin = Instant::now();
    let children: Vec<Child> = (0..4)
        .map(|_| {
            Command::new("sh")
                .args(["-c", &script])
                .arg(intake.file())
                .spawn()
                .unwrap()
        })
        .collect();
    for _ in 0..EACH * 4 {
        assert_eq!(question(&fanotify).answer(Verdict::Allow), Answer::Given);
    }
    let took = begin.elapsed();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let counts = fanotify.counts();
    assert_eq!((counts.asked, counts.answered), (1_000, 1_000));
    eprintln!("1,000 openings were asked and answered in {took:?}");
}

fn this_process_itself_is_neither_asked_nor_told() {
    let intake = Intake::new("self");
    let all = Watch {
        open: true,
        execute: true,
        written: true,
    };
    let Some(fanotify) = intake.watch(settings(Verdict::Deny, PATIENCE), all) else {
        return;
    };
    assert_eq!(fs::read(intake.file()).unwrap(), b"content");
    fs::write(intake.file(), b"other").unwrap();
    assert!(fanotify.next(SILENCE).unwrap().is_none());
    assert_eq!(fanotify.counts().asked, 0);
}

fn when_listening_ends_everybody_goes_on() {
    let intake = Intake::new("ends");
    let Some(fanotify) = intake.watch(settings(Verdict::Deny, PATIENCE), OPEN) else {
        return;
    };
    let children = [reader(&intake.file()), reader(&intake.file())];
    let kept = question(&fanotify);
    let begin = Instant::now();
    drop(fanotify);
    for child in children {
        // Which of them was asked about first is not said; both were answered by the default, or
        // let go by the kernel if the question had not been read yet.
        let output = child.wait_with_output().unwrap();
        if !output.status.success() {
            was_denied(&output);
        }
    }
    assert!(begin.elapsed() < PATIENCE / 2);
    assert_eq!(kept.answer(Verdict::Allow), Answer::TooLate);
    was_read(&reader(&intake.file()).wait_with_output().unwrap());
}

/// The part of a listener that hears everything and never answers.
pub(super) fn listener(arguments: &[&str]) -> ExitCode {
    let [folder] = arguments else {
        panic!("a listener is told a folder")
    };
    let fanotify = Fanotify::open(settings(Verdict::Deny, PATIENCE * 10)).unwrap();
    let folder = HeldFolder::open(Path::new(folder)).unwrap();
    fanotify.mark(&folder, Scope::Folder, OPEN).unwrap();
    println!("listening");
    let _kept = question(&fanotify);
    std::thread::park();
    ExitCode::SUCCESS
}

fn when_the_listener_is_killed_everybody_goes_on() {
    let intake = Intake::new("killed");
    if intake
        .watch(Settings::default(), Watch::default())
        .is_none()
    {
        return;
    }
    let mut listener = Command::new(SELF)
        .args([PART, "listener"])
        .arg(&intake.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let said = listener.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(said), &mut line).unwrap();
    assert_eq!(line, "listening\n");
    let child = reader(&intake.file());
    assert!(is_running(&child), "it waits for the listener");
    listener.kill().unwrap();
    listener.wait().unwrap();
    was_read(&child.wait_with_output().unwrap());
}

fn what_is_not_watched_any_more_is_not_asked() {
    let intake = Intake::new("unmark");
    let Some(fanotify) = intake.watch(settings(Verdict::Deny, PATIENCE), OPEN) else {
        return;
    };
    let folder = HeldFolder::open(&intake.0).unwrap();
    fanotify.unmark(&folder, Scope::Folder, OPEN).unwrap();
    was_read(&reader(&intake.file()).wait_with_output().unwrap());
    assert!(fanotify.unmark(&folder, Scope::Folder, OPEN).is_err());
    assert_eq!(fanotify.counts().asked, 0);
}

/// The part that makes a folder a mount of its own, where nobody else sees it.
pub(super) fn mount(arguments: &[&str]) -> ExitCode {
    let [folder] = arguments else {
        panic!("this part is told a folder")
    };
    let folder = Path::new(folder);
    // SAFETY: the flag does not take the table of descriptors apart.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.unwrap();
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .unwrap();
    mount_bind(folder, folder).unwrap();
    let fanotify = Fanotify::open(settings(Verdict::Allow, PATIENCE)).unwrap();
    let held = HeldFolder::open(folder).unwrap();
    fanotify.mark(&held, Scope::Mount, OPEN).unwrap();
    let deep = folder.join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("file"), b"content").unwrap();
    let child = reader(&deep.join("file"));
    question(&fanotify).answer(Verdict::Deny);
    was_denied(&child.wait_with_output().unwrap());
    // The same file system, but not this mount.
    was_read(&reader(&outside(folder)).wait_with_output().unwrap());
    assert_eq!(fanotify.counts().asked, 1);
    ExitCode::SUCCESS
}

fn folders_that_are_made_later_are_watched_with_the_rest() {
    let intake = Intake::new("tree");
    let Some(fanotify) = intake.watch(settings(Verdict::Allow, PATIENCE), Watch::default()) else {
        return;
    };
    fs::create_dir_all(intake.0.join("there/deep")).unwrap();
    std::os::unix::fs::symlink("/etc", intake.0.join("link")).unwrap();
    let root = HeldFolder::open(&intake.0).unwrap();
    let mut tree = Tree::begin(&fanotify, &root, OPEN, 6).unwrap();
    assert_eq!((tree.watched(), tree.left_out()), (3, 0));
    // Made by somebody, with a file that nobody could be asked about.
    fs::create_dir_all(intake.0.join("made/below")).unwrap();
    fs::write(intake.0.join("made/below/file"), b"content").unwrap();
    let mut added = tree.update(&fanotify, PATIENCE).unwrap();
    added.sort();
    assert_eq!(
        added,
        ["made", "made/below"].map(|path| News::Folder(path.into()))
    );
    for folder in ["", "there/deep", "made/below"] {
        let file = intake.0.join(folder).join("file");
        fs::write(&file, b"content").unwrap();
        let child = reader(&file);
        assert_eq!(question(&fanotify).answer(Verdict::Deny), Answer::Given);
        was_denied(&child.wait_with_output().unwrap());
    }
    // One that is moved is known by its new place, with what is made in it.
    fs::rename(intake.0.join("made"), intake.0.join("there/moved")).unwrap();
    fs::create_dir(intake.0.join("there/moved/below/new")).unwrap();
    let added = tree.update(&fanotify, PATIENCE).unwrap();
    let new = News::Folder("there/moved/below/new".into());
    assert!(added.contains(&new), "{added:?}");
    // What is moved here was not written here.
    fs::write(outside(&intake.0), b"content").unwrap();
    fs::rename(outside(&intake.0), intake.0.join("there/came")).unwrap();
    let came = tree.update(&fanotify, PATIENCE).unwrap();
    assert_eq!(came, [News::File("there/came".into())]);
    assert_eq!((tree.watched(), tree.left_out()), (6, 0));
    fs::create_dir(intake.0.join("one-too-many")).unwrap();
    assert!(tree.update(&fanotify, PATIENCE).unwrap().is_empty());
    assert_eq!(tree.left_out(), 1);
    fs::remove_dir_all(intake.0.join("there")).unwrap();
    tree.update(&fanotify, PATIENCE).unwrap();
    assert_eq!(tree.watched(), 1);
}

fn when_too_much_happens_in_a_tree_all_of_it_is_looked_through_again() {
    let intake = Intake::new("flood");
    let Some(fanotify) = intake.watch(settings(Verdict::Allow, PATIENCE), Watch::default()) else {
        return;
    };
    fs::create_dir_all(intake.0.join("a/b")).unwrap();
    let root = HeldFolder::open(&intake.0).unwrap();
    let mut tree = Tree::begin(&fanotify, &root, OPEN, 100).unwrap();
    let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let most: usize = most.trim().parse().unwrap();
    if most > 100_000 {
        eprintln!("labward-skip: when_too_much_happens: the kernel keeps {most} events");
        return;
    }
    let [one, other] = ["one", "other"].map(|name| intake.0.join(name));
    fs::write(&one, b"content").unwrap();
    for _ in 0..=most / 2 {
        fs::rename(&one, &other).unwrap();
        fs::rename(&other, &one).unwrap();
    }
    // Nothing tells of this one any more.
    fs::create_dir(intake.0.join("a/b/c")).unwrap();
    let news = tree.update(&fanotify, PATIENCE).unwrap();
    assert!(news.contains(&News::Everything));
    assert!(news.contains(&News::Folder("a/b/c".into())));
    assert_eq!((tree.watched(), tree.left_out()), (4, 0));
}

fn outside(folder: &Path) -> PathBuf {
    folder.with_extension("outside")
}

fn a_mount_is_watched_with_folders_that_did_not_exist() {
    let intake = Intake::new("mount");
    if intake
        .watch(Settings::default(), Watch::default())
        .is_none()
    {
        return;
    }
    fs::write(outside(&intake.0), b"content").unwrap();
    let output = Command::new(SELF)
        .args([PART, "mount"])
        .arg(&intake.0)
        .output()
        .unwrap();
    fs::remove_file(outside(&intake.0)).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
