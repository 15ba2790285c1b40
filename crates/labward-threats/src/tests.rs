//! What becomes of documents, hits, statements and treatments, each change with its entry.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use labward_base::id::{DeviceId, EntryIndex, HitId, NodeId, PersonId, SiteId};
use labward_base::{Clock as _, Timestamp};
use labward_ledger::{Actor, Leaf, LedgerJournal, entries};
use labward_matching::{Device, Verdict, VulnerabilityId};
use labward_store::{Options, Store, StoreError};
use labward_testkit::{FakeClock, TempDir};

use super::*;

mod parts;

const SITE: SiteId = SiteId::new(1);
const OFFICER: PersonId = PersonId::new(4);

struct Lab {
    _folder: TempDir,
    clock: FakeClock,
    store: Store,
    threats: Threats,
}

fn lab() -> Lab {
    let (folder, clock) = (TempDir::new(), FakeClock::default());
    let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
    let migrations = [labward_ledger::MIGRATIONS, MIGRATIONS, LISTING_MIGRATIONS].concat();
    let options = Options::new(folder.join("db.sqlite"));
    let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
    let (threats, damaged) = Threats::load(store.clone(), SITE).unwrap();
    assert!(damaged.is_empty());
    Lab {
        _folder: folder,
        clock,
        store,
        threats,
    }
}

/// An advisory about MiSeqDx of Illumina, in one release.
fn advisory(release: u64, versions: &str) -> String {
    format!(
        r#"{{"document":{{"category":"csaf_security_advisory","csaf_version":"2.0",
        "title":"Illumina MiSeqDx","publisher":{{"category":"coordinator","name":"CISA",
        "namespace":"https://www.cisa.gov/"}},"tracking":{{"id":"ICSMA-23-117-01","version":"{release}",
        "status":"final","initial_release_date":"2023-04-27T00:00:00Z",
        "current_release_date":"2023-04-2{release}T00:00:00Z","revision_history":[{{"number":"{release}",
        "date":"2023-04-2{release}T00:00:00Z","summary":"x"}}]}}}},
        "product_tree":{{"branches":[{{"category":"vendor","name":"Illumina","branches":[
        {{"category":"product_name","name":"MiSeqDx","branches":[{{"category":"product_version_range",
        "name":"{versions}","product":{{"product_id":"P1","name":"Illumina MiSeqDx {versions}"}}}}]}}]}}]}},
        "vulnerabilities":[{{"cve":"CVE-2023-1968","product_status":{{"known_affected":["P1"]}}}}]}}"#
    )
}

fn import(lab: &Lab, files: &[(&str, &str)]) -> Imported {
    let mut intake = Intake::default();
    for (file, text) in files {
        let bytes = text.as_bytes();
        intake.take(Incoming { file, bytes }, &Integrity::default());
    }
    let by = Actor::Person(OFFICER);
    let now = lab.clock.now();
    lab.threats.import("cisa", intake, false, by, now).unwrap()
}

fn states(imported: &Imported) -> Vec<&'static str> {
    imported
        .lines
        .iter()
        .map(|line| line.state.name())
        .collect()
}

fn miseq(version: &str) -> Vec<Subject> {
    vec![Subject {
        id: DeviceId::new(7),
        device: Device {
            manufacturer: "Illumina, Inc.".to_owned(),
            model: "MiSeqDx".to_owned(),
            product: String::new(),
            version: version.to_owned(),
        },
        os: Default::default(),
        parts: None,
    }]
}

fn leaves(store: &Store) -> Vec<Leaf> {
    let rows = store
        .read(|snapshot| entries(snapshot, EntryIndex::new(0), 1000))
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
    let leaves = rows.iter().map(|row| Leaf::parse(&row.leaf).unwrap());
    leaves.collect()
}

#[test]
fn a_later_release_takes_the_place_of_an_earlier_one_and_never_the_other_way() {
    let lab = lab();
    let first = import(
        &lab,
        &[
            ("a.json", &advisory(2, "<= 4.0.1")),
            ("b.json", "{}"),
            ("c.csv", "cve,epss\nCVE-2023-1968,0.5\n"),
        ],
    );
    assert_eq!(states(&first), ["added", "refused", "added"]);
    let again = import(&lab, &[("a.json", &advisory(2, "<= 4.0.1"))]);
    assert_eq!(states(&again), ["known"]);
    assert_eq!(
        states(&import(&lab, &[("a.json", &advisory(1, "*"))])),
        ["older"]
    );
    assert_eq!(
        states(&import(&lab, &[("a.json", &advisory(3, "<= 4.0.2"))])),
        ["updated"]
    );
    let library = lab.threats.library();
    assert_eq!(library.advisories().len(), 1);
    assert!(library.probability("CVE-2023-1968").is_some());
    let held = library.named("icsma-23-117-01").unwrap();
    assert_eq!(held.version, "3");
    // What is in memory is what is in the database.
    let (read, damaged) = Threats::load(lab.store.clone(), SITE).unwrap();
    assert!(damaged.is_empty());
    let read = read.library();
    assert_eq!(read.named("ICSMA-23-117-01").unwrap().version, "3");
    assert_eq!(
        read.advisory(held.id).unwrap().tracking.version.as_ref(),
        "3"
    );
    assert_eq!(read.sources().count(), 1);
    let facts = &leaves(&lab.store)[0].facts;
    assert_eq!(facts.get_number("added"), Some(2));
    assert_eq!(facts.get_number("refused"), Some(1));
}

#[test]
fn what_is_not_what_its_hash_says_is_not_kept() {
    let lab = lab();
    let text = advisory(1, "*");
    let bad = [
        Integrity {
            hash: Some(false),
            signature: None,
        },
        Integrity {
            hash: Some(true),
            signature: Some(Err("it was changed")),
        },
    ];
    for integrity in bad {
        let mut intake = Intake::default();
        let incoming = Incoming {
            file: "a.json",
            bytes: text.as_bytes(),
        };
        intake.take(incoming, &integrity);
        let by = Actor::Person(OFFICER);
        let imported = lab.threats.import("x", intake, false, by, lab.clock.now());
        assert_eq!(states(&imported.unwrap()), ["refused"]);
    }
    assert_eq!(lab.threats.library().documents().count(), 0);
    let bad_name = lab.threats.import(
        "../x",
        Intake::default(),
        false,
        Actor::System,
        lab.clock.now(),
    );
    assert!(matches!(bad_name, Err(ThreatsError::BadSource)));
}

#[test]
fn a_hit_opens_closes_by_retest_and_opens_again_under_its_number() {
    let lab = lab();
    import(&lab, &[("a.json", &advisory(1, "<= 4.0.1"))]);
    let matched = lab
        .threats
        .rematch(&miseq("4.0.1"), lab.clock.now())
        .unwrap();
    assert_eq!(matched.changed, (1, 0));
    let hit = lab.threats.hit(HitId::new(1)).unwrap();
    assert_eq!(hit.verdict, Verdict::Affected);
    assert_eq!(hit.key.to_string(), "ICSMA-23-117-01 CVE-2023-1968");
    // Nothing new, no entry.
    let before = leaves(&lab.store).len();
    lab.threats
        .rematch(&miseq("4.0.1"), lab.clock.now())
        .unwrap();
    assert_eq!(leaves(&lab.store).len(), before);
    lab.clock.advance(Duration::from_secs(60));
    lab.threats
        .rematch(&miseq("4.1.0"), lab.clock.now())
        .unwrap();
    let hit = lab.threats.hit(HitId::new(1)).unwrap();
    assert_eq!(hit.closed.map(|(_, why)| why), Some(ClosedBy::Retest));
    let leaf = leaves(&lab.store).pop().unwrap();
    assert_eq!(leaf.action.to_string(), "hit.changed");
    assert_eq!(leaf.subject.to_string(), "device:7");
    assert_eq!(leaf.facts.get_number("closed"), Some(1));
    lab.threats
        .rematch(&miseq("4.0.0"), lab.clock.now())
        .unwrap();
    let again = lab.threats.hit(HitId::new(1)).unwrap();
    assert!(again.closed.is_none() && again.opened > again.found);
    lab.threats.rematch(&[], lab.clock.now()).unwrap();
    let gone = lab.threats.hit(HitId::new(1)).unwrap();
    assert_eq!(
        gone.closed.map(|(_, why)| why),
        Some(ClosedBy::DeviceRemoved)
    );
    // All of it is read back.
    let (read, _) = Threats::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(read.hits(), lab.threats.hits());
}

#[test]
fn a_person_s_statement_outlives_a_new_release_until_it_is_withdrawn() {
    let lab = lab();
    import(&lab, &[("a.json", &advisory(1, "<= 4.0.1"))]);
    lab.threats
        .rematch(&miseq("4.0.1"), lab.clock.now())
        .unwrap();
    let said = Said::Status {
        device: DeviceId::new(7),
        vulnerability: VulnerabilityId::public("CVE-2023-1968"),
        status: Status::NotAffected,
        version: None,
    };
    let new = NewStatement::new(said, vec![9; 80]).unwrap();
    let statement = lab
        .threats
        .state_that(&new, OFFICER, lab.clock.now())
        .unwrap();
    lab.threats
        .rematch(&miseq("4.0.1"), lab.clock.now())
        .unwrap();
    let closed = || lab.threats.hit(HitId::new(1)).unwrap().closed;
    assert_eq!(closed().map(|(_, why)| why), Some(ClosedBy::Statement));
    import(&lab, &[("a.json", &advisory(2, "<= 4.0.3"))]);
    let matched = lab
        .threats
        .rematch(&miseq("4.0.2"), lab.clock.now())
        .unwrap();
    assert!(closed().is_some());
    assert_eq!(matched.judged[0].without, Some(Verdict::Affected));
    assert_eq!(matched.judged[0].statements, [statement.id]);
    lab.threats
        .withdraw(statement.id, OFFICER, vec![8; 80], lab.clock.now())
        .unwrap();
    let twice = lab
        .threats
        .withdraw(statement.id, OFFICER, vec![8; 80], lab.clock.now());
    assert!(matches!(twice, Err(ThreatsError::NoStatement(_))));
    lab.threats
        .rematch(&miseq("4.0.2"), lab.clock.now())
        .unwrap();
    assert!(closed().is_none());
    let (read, _) = Threats::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(read.statements(), lab.threats.statements());
    let clear = leaves(&lab.store).iter().all(|leaf| {
        !leaf
            .facts
            .iter()
            .any(|(name, _)| name == "why" && leaf.detail.is_some())
    });
    assert!(clear, "a reason stands sealed");
}

#[test]
fn an_acceptance_has_a_last_day_and_only_an_open_hit_is_treated() {
    let lab = lab();
    import(&lab, &[("a.json", &advisory(1, "<= 4.0.1"))]);
    lab.threats
        .rematch(&miseq("4.0.1"), lab.clock.now())
        .unwrap();
    let now = lab.clock.now();
    let today: String = now.to_rfc3339().chars().take(10).collect();
    let new = |kind, until| NewTreatment::new(kind, until, None, vec![9; 80], now);
    for (kind, until) in [
        (TreatmentKind::Accept, None),
        (TreatmentKind::Accept, Some("1969-01-01")),
        (TreatmentKind::Accept, Some("2999-01-01")),
        (TreatmentKind::Accept, Some("soon")),
        (TreatmentKind::Patch, Some(today.as_str())),
    ] {
        let refused = new(kind, until);
        assert!(
            matches!(refused, Err(ThreatsError::BadTreatment(_))),
            "{kind:?} {until:?}"
        );
    }
    let accept = new(TreatmentKind::Accept, Some(&today)).unwrap();
    let none = lab.threats.treat(&[HitId::new(9)], &accept, OFFICER, now);
    assert!(matches!(none, Err(ThreatsError::NoHit(_))));
    let entries = lab
        .threats
        .treat(&[HitId::new(1)], &accept, OFFICER, now)
        .unwrap();
    assert_eq!(entries.len(), 1);
    let treatments = lab.threats.treatments();
    let held = treatments.get(&HitId::new(1)).unwrap();
    assert_eq!(held.last_day().as_deref(), Some(today.as_str()));
    assert!(held.holds(now));
    assert!(!held.holds(now.plus(Duration::from_secs(2 * 86_400))));
    let (read, _) = Threats::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(read.treatments(), treatments);
    lab.threats.rematch(&miseq("5"), now).unwrap();
    let closed = lab.threats.treat(&[HitId::new(1)], &accept, OFFICER, now);
    assert!(matches!(closed, Err(ThreatsError::Closed(_))));
}

#[test]
fn every_medical_advisory_of_cisa_is_held_and_read_back() {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: medical advisories: LABWARD_TEST_DATA is not set");
        return;
    };
    let lab = lab();
    let mut intake = Intake::default();
    let mut files = 0;
    for folder in ["csaf/medical", "kev"] {
        for file in std::fs::read_dir(PathBuf::from(&data).join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            intake.take(
                Incoming {
                    file: &file,
                    bytes: &bytes,
                },
                &Integrity::default(),
            );
            files += 1;
        }
    }
    let now = lab.clock.now();
    let imported = lab
        .threats
        .import("cisa", intake, false, Actor::System, now)
        .unwrap();
    assert_eq!(imported.count("added"), files, "{:?}", imported.lines);
    assert!(lab.threats.library().exploited("CVE-2017-0144").is_some());
    let (read, damaged) = Threats::load(lab.store.clone(), SITE).unwrap();
    assert!(damaged.is_empty());
    assert_eq!(read.library().documents().count(), files);
}

#[test]
fn an_exploited_vulnerability_of_windows_is_a_hit_and_what_cannot_be_told_is_one_hit() {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: exploited vulnerabilities: LABWARD_TEST_DATA is not set");
        return;
    };
    let lab = lab();
    let folder = PathBuf::from(data).join("kev");
    let mut files = std::fs::read_dir(folder)
        .unwrap()
        .map(|one| one.unwrap().path());
    let path = files.find(|path| path.extension().is_some_and(|end| end == "json"));
    let text = std::fs::read_to_string(path.unwrap()).unwrap();
    import(&lab, &[("kev.json", &text)]);
    let mut subjects = miseq("4.0.1");
    subjects[0].os = ["Windows 7 Professional", ""].map(str::to_owned);
    let matched = lab.threats.rematch(&subjects, lab.clock.now()).unwrap();
    let summed = matched.judged.iter().filter(|one| one.is_summed).count();
    assert!(summed > 50, "{summed}");
    let hits = lab.threats.hits();
    let open: Vec<&Hit> = hits
        .values()
        .filter(|hit| hit.verdict == Verdict::CannotTell)
        .collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].key.to_string(), "KEV#=Windows 7 Professional");
    let [earliest, latest] = lab.threats.support("Windows 7 Professional", "").unwrap();
    assert!(earliest.end() <= latest.end());
    assert!(lab.threats.support("a toaster", "").is_none());
    // A person who put the updates in says so once for all of them.
    let said = Said::Status {
        device: DeviceId::new(7),
        vulnerability: open[0].key.vulnerability.parse().unwrap(),
        status: Status::Fixed,
        version: None,
    };
    let new = NewStatement::new(said, vec![9; 80]).unwrap();
    lab.threats
        .state_that(&new, OFFICER, lab.clock.now())
        .unwrap();
    lab.threats.rematch(&subjects, lab.clock.now()).unwrap();
    let closed = lab.threats.hit(open[0].id).unwrap().closed;
    assert_eq!(closed.map(|(_, why)| why), Some(ClosedBy::Statement));
}

/// What a look into a list brought: each address with why it could not be read.
fn progress(now: Timestamp, waiting: u64, fetched: &[(&str, Option<&str>)]) -> Progress {
    let fetched = fetched.iter().map(|(address, fault)| {
        let fetched = Fetched {
            changed: Some(Timestamp::from_seconds(1)),
            at: now,
            fault: fault.map(str::to_owned),
        };
        ((*address).to_owned(), fetched)
    });
    Progress {
        kind: "feed".to_owned(),
        publisher: "Example".to_owned(),
        keys: vec!["AB".to_owned(), "CD".to_owned()],
        waiting,
        fetched: fetched.collect(),
        gone: Vec::new(),
    }
}

#[test]
fn what_was_fetched_of_a_list_is_kept_with_its_entry_and_said_once() {
    let lab = lab();
    let look = |text: Option<&str>, progress: Progress| {
        let mut intake = Intake::default();
        if let Some(text) = text {
            let bytes = text.as_bytes();
            let file = "a.json";
            intake.take(Incoming { file, bytes }, &Integrity::default());
        }
        let now = lab.clock.now();
        lab.threats.import_listed("psirt", intake, progress, now)
    };
    let now = lab.clock.now();
    let text = advisory(2, "<= 4.0.1");
    let first = [("https://a/1", None), ("https://a/2", Some("404"))];
    let done = look(Some(&text), progress(now, 3, &first)).unwrap();
    assert!(done.entry.is_some());
    let state = |threats: &Threats| {
        let library = threats.library();
        let refused = library.sources().next().unwrap().refused;
        let listing = library.listing("psirt").unwrap();
        (refused, listing.waiting, listing.fetched.len())
    };
    assert_eq!(state(&lab.threats), (1, 3, 2));
    // The same again says nothing new; what is left over and what is gone does.
    let again = look(None, progress(now, 3, &[("https://a/2", Some("404"))])).unwrap();
    assert_eq!(again.entry, None);
    assert!(look(None, progress(now, 0, &[])).unwrap().entry.is_some());
    let gone = Progress {
        gone: vec!["https://a/2".to_owned(), "https://a/9".to_owned()],
        ..progress(now, 0, &[])
    };
    assert!(look(None, gone).unwrap().entry.is_some());
    assert_eq!(state(&lab.threats), (0, 0, 1));
    let (read, _) = Threats::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(state(&read), (0, 0, 1));
    let (held, read) = (lab.threats.library(), read.library());
    assert_eq!(held.listing("psirt"), read.listing("psirt"));
    let facts: Vec<_> = leaves(&lab.store)
        .iter()
        .map(|leaf| leaf.facts.get_number("waiting"))
        .collect();
    assert_eq!(facts, [Some(3), Some(0), Some(0)]);
}
