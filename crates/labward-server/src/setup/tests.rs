//! Tests of set-up as a whole: real folders, the real database, the real keys.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::rc::Rc;

use labward_identity::{Authority, Identification, Origin, People, Permission};
use labward_keys::{Keys, SlotOpener, Stretch};
use labward_ledger::{Action, Actor, LedgerJournal, VerifierKey, entries};
use labward_os::SystemClock;
use labward_seal::sign::SigningKey;
use labward_store::{Options, Store};
use labward_testkit::TempDir;

use super::*;
use crate::folder::{AUTHORITY_KEY, DataFolder, LEDGER_KEY, NODE, SERVER_KEY, SITE};
use crate::migrations::migrations;

/// A folder with a place for data and one for key files.
struct Lab {
    folder: TempDir,
}

impl Lab {
    fn new() -> Self {
        let folder = TempDir::new();
        fs::create_dir(folder.join("keys")).unwrap();
        Self { folder }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn key(&self, name: &str) -> PathBuf {
        self.folder.join("keys").join(name)
    }

    fn begin(&self) -> Result<Setup, SetupError> {
        Setup::begin(&self.data(), clock())
    }

    /// A set-up that has come to its slots.
    fn at_slots(&self) -> Setup {
        let mut setup = self.begin().unwrap();
        setup.reserve(1).unwrap();
        setup
            .answer(Answer::Administrator(administrator()))
            .unwrap();
        let site = Site {
            name: "Lab".to_owned(),
            names: Vec::new(),
        };
        setup.answer(Answer::Site(site)).unwrap();
        setup
    }

    fn key_slot(&self, name: &str) -> Answer {
        Answer::Slot(NewSlot::KeyFile {
            label: "key".to_owned(),
            path: self.key(name),
        })
    }

    fn answers(&self, more: &str) -> Answers {
        let text = format!(
            "version = 1\nreserve_mib = 1\n[administrator]\nname = \"J. Doe\"\nuid = 4711\n\
             [site]\nname = \"Lab \\\"North\\\"\"\nnames = [\"lab.example\"]\n\
             [[slot]]\nkind = \"key-file\"\nlabel = \"volume\"\npath = {:?}\n{more}",
            self.key("root.key")
        );
        Answers::parse(&text).unwrap()
    }

    fn unattended(&self, more: &str) -> Result<Report, SetupError> {
        self.unattended_with(more, "")
    }

    fn unattended_with(&self, more: &str, input: &str) -> Result<Report, SetupError> {
        let answers = self.answers(more);
        init_unattended(&self.data(), clock(), &answers, &mut input.as_bytes())
    }

    fn open(&self) -> (Store, Keys) {
        let data = DataFolder::new(self.data());
        let journal = LedgerJournal::new(NODE, clock());
        let options = Options::new(data.database());
        let store = Store::open(options, &migrations(), Box::new(journal)).unwrap();
        let keys = Keys::load(store.clone(), SITE, data.root(), clock()).unwrap();
        (store, keys)
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn administrator() -> Administrator {
    Administrator {
        name: "J. Doe".to_owned(),
        uid: 4711,
        roles: Role::Administrator.into(),
    }
}

fn shares_slot(threshold: u8, count: u8) -> Answer {
    Answer::Slot(NewSlot::Shares {
        label: "paper".to_owned(),
        threshold,
        count,
    })
}

fn refused(result: Result<impl Sized, SetupError>) -> SetupError {
    match result {
        Err(error) => error,
        Ok(_) => panic!("it was taken"),
    }
}

fn all_files(folder: &Path, then: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        then(&path);
        if path.is_dir() {
            all_files(&path, then);
        }
    }
}

#[test]
fn an_unattended_set_up_makes_all_that_a_server_needs() {
    let lab = Lab::new();
    let report = lab.unattended("").unwrap();
    assert_eq!(
        report.beside_data,
        [SlotId::new(1)],
        "one file system for both"
    );
    let (store, keys) = lab.open();
    keys.unseal(&SlotOpener::KeyFile(lab.key("root.key")), Actor::System)
        .unwrap();
    let data = DataFolder::new(lab.data());
    let pem = fs::read_to_string(data.authority_certificate()).unwrap();
    let key = keys.secret(AUTHORITY_KEY).unwrap().unwrap();
    let authority = Authority::load(&pem, key).unwrap();
    let spki = Identification::from_der(authority.certificate(), Origin::OwnCa).unwrap();
    let hex: String = spki
        .spki_sha256
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(report.authority_sha256, hex);
    let server = keys.secret(SERVER_KEY).unwrap().unwrap();
    let server = std::str::from_utf8(server.expose()).unwrap().to_owned();
    assert!(server.starts_with("-----BEGIN PRIVATE KEY-----"));
    let seed = keys.secret(LEDGER_KEY).unwrap().unwrap();
    let seed = Secret::new(<[u8; 32]>::try_from(seed.expose().as_slice()).unwrap());
    let signing = SigningKey::from_seed(&seed).unwrap();
    let public = fs::read_to_string(data.ledger_public_key()).unwrap();
    let verifier: VerifierKey = public.trim_end().parse().unwrap();
    assert_eq!(verifier.public(), signing.public());
    assert_eq!(verifier.name(), "labward.local/main");
    assert_eq!(report.ledger_key, public.trim_end());
    let checkpoint = labward_ledger::read_checkpoint(&data.ledger(), &verifier).unwrap();
    assert!(checkpoint.unwrap().size > 0);
    let person = People::load(store.clone(), SITE)
        .unwrap()
        .by_uid(4711)
        .unwrap();
    assert_eq!(person.name, "J. Doe");
    assert!(person.permits(Permission::PersonChange));
    let config = Config::load(&data.config()).unwrap();
    assert_eq!(config.site.name, "Lab \"North\"");
    assert_eq!(config.tls.names, ["lab.example"]);
    store.close().unwrap();
}

#[test]
fn the_set_up_and_every_slot_stand_in_the_ledger() {
    let lab = Lab::new();
    let shares = lab.key("shares.txt");
    let more = format!(
        "[[slot]]\nkind = \"shares\"\nlabel = \"paper\"\nthreshold = 2\ncount = 3\nfile = {shares:?}\n"
    );
    lab.unattended(&more).unwrap();
    let (store, keys) = lab.open();
    let leaves: Vec<_> = store
        .read(|snapshot| entries(snapshot, labward_base::id::EntryIndex::new(0), 100))
        .unwrap()
        .into_iter()
        .map(|row| labward_ledger::Leaf::parse(&row.leaf).unwrap())
        .collect();
    let count = |action| leaves.iter().filter(|leaf| leaf.action == action).count();
    assert_eq!(count(Action::InstallationInitialized), 1);
    assert_eq!(count(Action::KeySlotAdded), 2);
    assert_eq!(
        count(Action::KeySlotTested),
        2,
        "the key file and the shares"
    );
    assert_eq!(count(Action::PersonAdded), 1);
    let made = leaves
        .iter()
        .find(|leaf| leaf.action == Action::InstallationInitialized)
        .unwrap();
    assert_eq!(made.facts.get_number("reserve_bytes"), Some(1 << 20));
    assert!(keys.slots().iter().all(|slot| slot.last_tested.is_some()));
    store.close().unwrap();
}

#[test]
fn nobody_but_the_owner_reaches_any_of_it_and_no_private_key_lies_there() {
    let lab = Lab::new();
    lab.unattended("").unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&lab.data()), 0o700);
    let mut seen = 0;
    all_files(&lab.data(), &mut |path| {
        assert_eq!(mode(path) & 0o077, 0, "{}", path.display());
        if path.is_file() {
            let bytes = fs::read(path).unwrap();
            let private = bytes.windows(11).any(|window| window == b"PRIVATE KEY");
            assert!(!private, "{} holds a private key", path.display());
            seen += 1;
        }
    });
    assert!(seen >= 7, "{seen}");
    let reserve = DataFolder::new(lab.data()).reserve().metadata().unwrap();
    assert_eq!(reserve.len(), 1 << 20);
    assert!(
        reserve.blocks() * 512 >= 1 << 20,
        "the room is only promised"
    );
}

#[test]
fn shares_in_a_file_open_and_the_file_is_its_owners_alone() {
    let lab = Lab::new();
    let file = lab.key("shares.txt");
    let more = format!(
        "[[slot]]\nkind = \"shares\"\nlabel = \"paper\"\nthreshold = 2\ncount = 3\nfile = {file:?}\n"
    );
    lab.unattended(&more).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    let shares: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| Secret::new(line.to_owned()))
        .collect();
    assert_eq!(shares.len(), 2);
    let (store, keys) = lab.open();
    keys.unseal(&SlotOpener::Shares(shares), Actor::System)
        .unwrap();
    store.close().unwrap();
}

#[test]
fn a_passphrase_comes_from_a_file_or_standard_input() {
    let lab = Lab::new();
    let file = lab.key("passphrase");
    fs::write(&file, "correct horse battery\nsecond line\n").unwrap();
    let slot = |from: &Path| {
        format!("[[slot]]\nkind = \"passphrase\"\nlabel = \"p\"\npassphrase_file = {from:?}\n")
    };
    let more = slot(&file) + &slot(Path::new("-"));
    lab.unattended_with(&more, "another long passphrase\n")
        .unwrap();
    let (store, keys) = lab.open();
    for passphrase in ["correct horse battery", "another long passphrase"] {
        let opener = SlotOpener::Passphrase(Secret::new(passphrase.to_owned()));
        keys.unseal(&opener, Actor::System).unwrap();
    }
    store.close().unwrap();
    let short = Lab::new();
    let error = refused(short.unattended_with(&slot(Path::new("-")), "short\n"));
    assert_eq!(error.problem().code, "init.bad-answer");
    assert!(!error.detail().contains("short"), "{}", error.detail());
}

#[test]
fn an_installation_is_never_set_up_again() {
    let lab = Lab::new();
    lab.unattended("").unwrap();
    let config = DataFolder::new(lab.data()).config();
    let before = fs::read(&config).unwrap();
    assert_eq!(refused(lab.begin()).problem().code, "init.exists");
    assert_eq!(fs::read(&config).unwrap(), before);
    // Nor when its configuration was moved away.
    fs::rename(&config, lab.key("labward.toml")).unwrap();
    assert_eq!(refused(lab.begin()).problem().code, "init.exists");
    assert!(DataFolder::new(lab.data()).database().exists());
}

#[test]
fn a_folder_with_anything_else_in_it_is_refused_and_left_as_it_is() {
    let lab = Lab::new();
    fs::create_dir(lab.data()).unwrap();
    fs::write(lab.data().join("thesis.tex"), "x").unwrap();
    assert_eq!(refused(lab.begin()).problem().code, "init.not-empty");
    let names: Vec<_> = fs::read_dir(lab.data()).unwrap().collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn two_set_ups_never_work_on_one_folder() {
    let lab = Lab::new();
    let first = lab.begin().unwrap();
    assert_eq!(refused(lab.begin()).problem().code, "store.busy");
    drop(first);
    assert!(lab.begin().is_ok());
}

#[test]
fn an_interrupted_set_up_is_cleared_by_the_next_one() {
    let lab = Lab::new();
    let mut first = lab.at_slots();
    first.answer(lab.key_slot("first.key")).unwrap();
    first.answer(shares_slot(2, 3)).unwrap();
    first.answer(Answer::NoMoreSlots).unwrap();
    assert_eq!(first.step(), Step::Confirm);
    assert_eq!(first.take_shares().len(), 1);
    assert!(first.take_shares().is_empty(), "shares are shown once");
    // The shares were never confirmed: there is no installation.
    let error = refused(first.finish());
    assert_eq!(error.problem().code, "init.bad-answer");
    let data = DataFolder::new(lab.data());
    assert!(data.database().exists() && !data.config().exists());

    let mut second = lab.at_slots();
    assert!(second.cleared_interrupted());
    assert!(!data.database().exists());
    // The key file of the first is not ours to delete, and never overwritten.
    let old = fs::read(lab.key("first.key")).unwrap();
    let error = refused(second.answer(lab.key_slot("first.key")));
    assert!(
        error.detail().contains("may be deleted"),
        "{}",
        error.detail()
    );
    assert_eq!(fs::read(lab.key("first.key")).unwrap(), old);
    second.answer(lab.key_slot("second.key")).unwrap();
    second.answer(Answer::NoMoreSlots).unwrap();
    assert_eq!(second.step(), Step::Finish);
    second.finish().unwrap();
    let (store, keys) = lab.open();
    let foreign = SlotOpener::KeyFile(lab.key("first.key"));
    assert!(keys.unseal(&foreign, Actor::System).is_err());
    let own = SlotOpener::KeyFile(lab.key("second.key"));
    keys.unseal(&own, Actor::System).unwrap();
    store.close().unwrap();
}

#[test]
fn a_set_up_that_fails_half_way_can_only_be_begun_again() {
    let lab = Lab::new();
    let mut setup = lab.at_slots();
    setup.answer(lab.key_slot("root.key")).unwrap();
    // The volume goes away between the answer and the making.
    fs::remove_dir_all(lab.folder.join("keys")).unwrap();
    let error = refused(setup.answer(Answer::NoMoreSlots));
    assert_eq!(error.problem().code, "keys.unreadable-file");
    assert_eq!(setup.step(), Step::Failed);
    assert!(setup.answer(Answer::NoMoreSlots).is_err());
    assert!(setup.finish().is_err());
    fs::create_dir(lab.folder.join("keys")).unwrap();
    lab.unattended("").unwrap();
}

#[test]
fn answers_that_do_not_fit_are_refused_and_asked_for_again() {
    let lab = Lab::new();
    let mut setup = lab.begin().unwrap();
    let nobody = Administrator {
        name: " ".to_owned(),
        ..administrator()
    };
    let reader = Administrator {
        roles: Role::LabManager.into(),
        ..administrator()
    };
    for person in [nobody, reader] {
        assert!(setup.answer(Answer::Administrator(person)).is_err());
    }
    assert!(setup.answer(Answer::NoMoreSlots).is_err(), "out of turn");
    assert_eq!(setup.step(), Step::Administrator);
    setup
        .answer(Answer::Administrator(administrator()))
        .unwrap();
    for (name, host) in [("", "lab"), ("Lab\n", "lab"), ("Lab", "two words")] {
        let site = Site {
            name: name.to_owned(),
            names: vec![host.to_owned()],
        };
        assert!(
            setup.answer(Answer::Site(site)).is_err(),
            "{name:?} {host:?}"
        );
    }
    assert_eq!(setup.step(), Step::Site);
    for mib in [0, MAX_RESERVE_MIB + 1] {
        assert!(setup.reserve(mib).is_err());
    }
    assert!(setup.finish().is_err());
}

#[test]
fn slots_that_could_never_open_or_would_lie_with_the_data_are_refused() {
    let lab = Lab::new();
    let mut setup = lab.at_slots();
    symlink(lab.data(), lab.key("link")).unwrap();
    fs::write(lab.key("taken"), "x").unwrap();
    for name in [
        "taken",
        "link/root.key",
        "none/root.key",
        "../data/root.key",
    ] {
        assert!(setup.answer(lab.key_slot(name)).is_err(), "{name}");
    }
    for (threshold, count) in [(1, 3), (4, 3), (2, 17), (0, 0)] {
        assert!(setup.answer(shares_slot(threshold, count)).is_err());
    }
    let short = NewSlot::Passphrase {
        label: "p".to_owned(),
        passphrase: Secret::new("x".repeat(14)),
        stretch: Stretch::default(),
    };
    assert!(setup.answer(Answer::Slot(short)).is_err());
    let none = refused(setup.answer(Answer::NoMoreSlots));
    assert!(none.detail().contains("at least one"), "{}", none.detail());
    setup.answer(lab.key_slot("root.key")).unwrap();
    assert!(setup.answer(lab.key_slot("root.key")).is_err(), "twice");
    assert_eq!(setup.slot_count(), 1);
    assert_eq!(fs::read(lab.key("taken")).unwrap(), b"x");
}

#[test]
fn shares_are_never_written_into_the_data_folder() {
    let lab = Lab::new();
    let inside = lab.data().join("shares.txt");
    let more = format!(
        "[[slot]]\nkind = \"shares\"\nlabel = \"s\"\nthreshold = 2\ncount = 2\nfile = {inside:?}\n"
    );
    assert_eq!(
        refused(lab.unattended(&more)).problem().code,
        "init.bad-answer"
    );
    assert!(
        !lab.key("root.key").exists(),
        "refused before anything was made"
    );
}

#[test]
fn the_documented_answers_are_read_and_unknown_ones_refused_with_their_line() {
    let page = include_str!("../../../../docs/ref/init.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    Answers::parse(example).unwrap();
    let error = refused(Answers::parse(
        &example.replace("reserve_mib", "reserve_mb"),
    ));
    assert!(error.detail().starts_with("line 4: "), "{}", error.detail());
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("passphrase_file = \"-\"", "passphrase = \"in the clear\""),
        ("kind = \"shares\"", "kind = \"tpm\""),
        ("name = \"J. Doe\"", ""),
    ] {
        assert!(Answers::parse(&example.replace(from, to)).is_err(), "{to}");
    }
}

/// A person at the terminal: answers in turn, and reads the shares off the screen when asked.
struct Person {
    screen: Rc<RefCell<Vec<u8>>>,
    answers: VecDeque<&'static str>,
    copies_wrongly: bool,
}

struct Screen(Rc<RefCell<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Person {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let screen = String::from_utf8(self.screen.borrow().clone()).unwrap();
        let question = screen.lines().last().unwrap_or_default();
        let answer = match question.rsplit_once(": groups ") {
            Some((share, groups)) => self.groups(&screen, share, groups),
            None => match self.answers.pop_front() {
                Some(answer) => answer.to_owned(),
                None => return Ok(0),
            },
        };
        let line = format!("{answer}\n");
        buffer[..line.len()].copy_from_slice(line.as_bytes());
        Ok(line.len())
    }
}

impl Person {
    fn groups(&self, screen: &str, share: &str, groups: &str) -> String {
        if self.copies_wrongly {
            return "0000 0000".to_owned();
        }
        let number = share.rsplit(' ').next().unwrap();
        let heading = format!(": share {number} of ");
        let mut lines = screen
            .lines()
            .skip_while(|line| !line.contains(&heading))
            .skip(1);
        let all: Vec<&str> = (0..3)
            .flat_map(|_| lines.next().unwrap().split_whitespace().skip(1))
            .collect();
        assert_eq!(all.len(), 18);
        let wanted = groups.trim_end_matches([':', ' ']).split(" and ");
        wanted
            .map(|group| all[group.parse::<usize>().unwrap() - 1].to_lowercase())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn interactive(
    lab: &Lab,
    answers: &[&'static str],
    copies_wrongly: bool,
) -> (Result<Report, SetupError>, String) {
    let screen = Rc::new(RefCell::new(Vec::new()));
    let person = Person {
        screen: Rc::clone(&screen),
        answers: answers.iter().copied().collect(),
        copies_wrongly,
    };
    let mut input = BufReader::new(person);
    let mut output = Screen(Rc::clone(&screen));
    let mut ask = |_: &str| Ok(Secret::new("a long enough passphrase".to_owned()));
    let mut terminal = Terminal {
        input: &mut input as &mut dyn BufRead,
        output: &mut output,
        passphrase: &mut ask,
    };
    let result = init_interactive(&lab.data(), clock(), &mut terminal);
    let shown = String::from_utf8(screen.borrow().clone()).unwrap();
    (result, shown)
}

fn leak(path: PathBuf) -> &'static str {
    Box::leak(path.to_str().unwrap().to_owned().into_boxed_str())
}

#[test]
fn a_person_is_led_through_and_types_shares_back() {
    let lab = Lab::new();
    let key = leak(lab.key("root.key"));
    let answers = [
        "", "J. Doe", "", "", // no name is refused, then all asked again: account, records
        "", "", "", // laboratory, names, first slot: the proposed key file
        key, "", "2", "2/3", "paper", "3", "safe", "done",
    ];
    // The first empty name takes its account and its records question with it.
    let answers: Vec<_> = ["", "4711", ""]
        .into_iter()
        .chain(answers[1..].iter().copied())
        .collect();
    let (result, shown) = interactive(&lab, &answers, false);
    let report = result.unwrap_or_else(|error| panic!("{}\n{shown}", error.detail()));
    assert_eq!(report.slots.len(), 3);
    assert!(shown.contains("Not so: a person's name has 1 to 100 characters."));
    assert!(shown.contains(&report.ledger_key));
    assert!(shown.contains("Attention: a key file lies on the data's own file system"));
    assert!(!shown.contains("a long enough passphrase"));
    let (store, keys) = lab.open();
    let opener = SlotOpener::Passphrase(Secret::new("a long enough passphrase".to_owned()));
    keys.unseal(&opener, Actor::System).unwrap();
    store.close().unwrap();
}

#[test]
fn the_first_person_reads_records_only_if_that_was_said() {
    for (typed, reads) in [
        (&[""][..], false),
        (&["no"], false),
        (&["perhaps", "Yes"], true),
    ] {
        let lab = Lab::new();
        let key = leak(lab.key("root.key"));
        let answers = [&["J. Doe", "4711"], typed, &["", "", "1", key, "", "done"]].concat();
        let (result, shown) = interactive(&lab, &answers, false);
        result.unwrap();
        assert_eq!(shown.contains("Not so: type yes or no."), typed.len() > 1);
        let (store, _) = lab.open();
        let person = People::load(store.clone(), SITE)
            .unwrap()
            .by_uid(4711)
            .unwrap();
        assert!(person.permits(Permission::PersonChange));
        assert_eq!(person.permits(Permission::RecordFind), reads);
        assert_eq!(person.permits(Permission::RecordShow), reads);
        store.close().unwrap();
    }
}

#[test]
fn shares_that_were_not_written_down_make_no_installation() {
    let lab = Lab::new();
    let answers = ["J. Doe", "", "", "", "", "2", "", "", "done"];
    let (result, shown) = interactive(&lab, &answers, true);
    let error = refused(result);
    assert_eq!(error.problem().code, "init.shares-not-confirmed", "{shown}");
    assert!(!DataFolder::new(lab.data()).config().exists());
    let (result, shown) = interactive(&lab, &answers, false);
    result.unwrap();
    assert!(shown.contains("An interrupted set-up was cleared."));
}

#[test]
fn an_input_that_ends_makes_no_installation() {
    let lab = Lab::new();
    for answers in [&[][..], &["J. Doe"], &["J. Doe", "", "", "", "", "1"]] {
        let (result, _) = interactive(&lab, answers, false);
        assert!(matches!(refused(result), SetupError::InputEnded));
        assert!(!DataFolder::new(lab.data()).config().exists());
    }
}
