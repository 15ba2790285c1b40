//! Each check is made true and found; the healthy installation has none of them.

use std::collections::BTreeSet;
use std::time::Duration;

use labward_base::id::{PeerId, PersonId, SiteId, SlotId};
use labward_identity::{Origin, PeerKind, PeerRules, PeerState, Role};
use labward_keys::SlotKind;

use super::*;

const DAY: u64 = 86_400;

type Change = fn(&mut CheckInput);

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-06-15T12:00:00Z").unwrap()
}

fn days_ago(days: u64) -> Timestamp {
    now().minus(Duration::from_secs(days * DAY))
}

fn in_days(days: u64) -> Timestamp {
    now().plus(Duration::from_secs(days * DAY))
}

fn config(rest: &str) -> Config {
    Config::parse(&format!("version = 1\n{rest}")).unwrap()
}

fn slot(id: u32, kind: SlotKind) -> SlotInfo {
    SlotInfo {
        id: SlotId::new(id),
        kind,
        label: format!("label {id}"),
        created: days_ago(400),
        last_tested: Some(days_ago(10)),
        path: None,
        shares: None,
    }
}

fn peer() -> Peer {
    let patterns = |text: &str| vec![text.parse().unwrap()];
    Peer {
        id: PeerId::new(1),
        name: "xn550".to_owned(),
        kind: PeerKind::Analyzer,
        site: SiteId::new(1),
        spki_sha256: [7; 32],
        origin: Origin::OwnCa,
        serial: "01".to_owned(),
        not_after: in_days(300),
        state: PeerState::Active,
        rules: PeerRules {
            sending_applications: patterns("XN*"),
            sending_facilities: patterns("LAB"),
            message_types: patterns("ORU^R01"),
            processing_ids: patterns("*"),
            versions: None,
            astm_senders: Vec::new(),
        },
        authority: None,
        addresses: Vec::new(),
        previous: None,
    }
}

fn person(id: u64) -> Person {
    Person {
        id: PersonId::new(id),
        name: "J. Doe".to_owned(),
        roles: Role::Administrator.into(),
        uid: u32::try_from(id).ok(),
    }
}

fn destination(name: &str) -> DestinationStatus {
    DestinationStatus {
        name: name.to_owned(),
        state: "up".to_owned(),
        ..DestinationStatus::default()
    }
}

/// An installation with which nothing is wrong.
fn healthy() -> CheckInput {
    CheckInput {
        now: now(),
        config: config(
            "[[link]]\nname = \"chem\"\nlisten = \"192.0.2.1:2575\"\n\
             [[destination]]\nname = \"ehr\"\n\
             target = { kind = \"mllp\", address = \"ehr.example:2575\" }\n",
        ),
        slots: vec![slot(1, SlotKind::KeyFile), slot(2, SlotKind::Shares)],
        places: vec![SlotPlace {
            slot: SlotId::new(1),
            kind: SlotKind::KeyFile,
            path: Some(PathBuf::from("/mnt/keys/root.key")),
            same_device: Some(false),
            owner_only: Some(true),
        }],
        root_is_locked: Some(true),
        people: vec![person(1), person(2)],
        peers: vec![Arc::new(peer())],
        authority_until: Some(in_days(3_000)),
        server_until: Some(in_days(300)),
        machine: Machine {
            uid: 998,
            disk: Some(DiskSpace {
                free_bytes: 60 << 30,
                total_bytes: 100 << 30,
            }),
            in_memory: Some(false),
            open_to_others: Some(Vec::new()),
            core_dumps: Some(false),
            swap: Some(false),
        },
        held_since: Some(vec![days_ago(1)]),
        destinations: Some(vec![destination("ehr")]),
        edges: Some(vec![("bench-1".to_owned(), edge())]),
        ledger: Some(LedgerActs {
            back_to: days_ago(40),
            exported: Some(days_ago(20)),
            verified: Some(days_ago(2)),
            clock_jumped: None,
        }),
        witnesses: 1,
    }
}

fn edge() -> EdgeStatus {
    EdgeStatus {
        state: "connected".to_owned(),
        seen: Some(days_ago(0).to_rfc3339()),
        ..EdgeStatus::default()
    }
}

fn change_edge(input: &mut CheckInput, change: impl Fn(&mut EdgeStatus)) {
    let mut status = edge();
    change(&mut status);
    input.edges = Some(vec![("bench-1".to_owned(), status)]);
}

fn codes(input: &CheckInput) -> BTreeSet<String> {
    let findings = check(input).findings.into_iter();
    findings.map(|finding| finding.code).collect()
}

fn change_peer(input: &mut CheckInput, change: impl Fn(&mut Peer)) {
    let mut peer = peer();
    change(&mut peer);
    input.peers = vec![Arc::new(peer)];
}

fn set_destination(input: &mut CheckInput, change: impl Fn(&mut DestinationStatus)) {
    let mut status = destination("ehr");
    change(&mut status);
    input.destinations = Some(vec![status]);
}

fn disk(input: &mut CheckInput, free_percent: u64) {
    input.machine.disk = Some(DiskSpace {
        free_bytes: free_percent << 30,
        total_bytes: 100 << 30,
    });
}

const PLAIN_LINK: &str = "[[link]]\nname = \"old\"\nlisten = \"192.0.2.1:4010\"\n\
    transport = { mode = \"plain\", reason = \"r\", owner = \"o\", expires = \"2026-12-31\", \
    from_addresses = [\"192.0.2.9\"] }\n";

/// What makes each check true, and the place that it names.
const CHANGES: &[(&str, &str, Change)] = &[
    ("check.one-slot", "", |i| i.slots.truncate(1)),
    ("check.edge-refused", "bench-1", |i| {
        change_edge(i, |edge| edge.fault = Some("edge.forked".to_owned()))
    }),
    ("check.edge-damaged-items", "bench-1", |i| {
        change_edge(i, |edge| edge.damaged = 1)
    }),
    ("check.edge-away", "bench-1", |i| {
        change_edge(i, |edge| {
            edge.state = "away".to_owned();
            edge.seen = Some(days_ago(1).to_rfc3339());
        })
    }),
    ("check.edge-waiting", "bench-1", |i| {
        change_edge(i, |edge| edge.oldest = Some(days_ago(1).to_rfc3339()))
    }),
    ("check.key-beside-data", "/mnt/keys/root.key", |i| {
        i.places[0].same_device = Some(true)
    }),
    ("check.key-file-readable", "slot 1", |i| {
        i.places[0].owner_only = Some(false)
    }),
    ("check.key-file-missing", "slot 1", |i| {
        i.places[0].same_device = None
    }),
    ("check.slot-never-tested", "slot 2 (label 2)", |i| {
        i.slots[1].last_tested = None
    }),
    ("check.slot-not-tested-lately", "slot 1", |i| {
        i.slots[0].last_tested = Some(days_ago(91))
    }),
    ("check.no-recovery-shares", "", |i| {
        i.slots[1].kind = SlotKind::Passphrase
    }),
    ("check.no-key-file", "", |i| {
        i.slots[0].kind = SlotKind::Passphrase
    }),
    ("check.root-key-not-locked", "", |i| {
        i.root_is_locked = Some(false)
    }),
    ("check.plain-exception-ended", "link old", |i| {
        i.config = config(&PLAIN_LINK.replace("2026-12-31", "2026-06-14"))
    }),
    ("check.plain-link", "link old", |i| {
        i.config = config(PLAIN_LINK)
    }),
    ("check.plain-destination", "destination ehr", |i| {
        i.config = config(
            "[[destination]]\nname = \"ehr\"\ntarget = { kind = \"mllp\", address = \"e:1\", \
             transport = { mode = \"plain\", reason = \"r\", owner = \"o\", \
             expires = \"2026-12-31\" } }\n",
        )
    }),
    ("check.plain-loopback", "link cl", |i| {
        i.config = config(
            "[[link]]\nname = \"cl\"\nlisten = \"127.0.0.1:1\"\ntransport = { mode = \"plain\" }\n",
        )
    }),
    ("check.open-address", "link chem (0.0.0.0:2575)", |i| {
        i.config = config("[[link]]\nname = \"chem\"\nlisten = \"0.0.0.0:2575\"\n")
    }),
    ("check.certificate-ended", "xn550 (2026-06-15)", |i| {
        change_peer(i, |peer| peer.not_after = now())
    }),
    (
        "check.certificate-ends-this-week",
        "the server's own",
        |i| i.server_until = Some(in_days(6)),
    ),
    (
        "check.certificate-ends-this-month",
        "the authority's",
        |i| i.authority_until = Some(in_days(29)),
    ),
    ("check.no-peers", "", |i| {
        change_peer(i, |peer| peer.state = PeerState::Revoked)
    }),
    ("check.peer-admits-all", "xn550", |i| {
        change_peer(i, |peer| peer.rules = PeerRules::admit_all())
    }),
    ("check.held-too-long", ": 1", |i| {
        i.held_since = Some(vec![days_ago(91), days_ago(1)])
    }),
    ("check.held-a-week", ": 2", |i| {
        i.held_since = Some(vec![days_ago(8), days_ago(90)])
    }),
    ("check.dead-letters", "ehr", |i| {
        set_destination(i, |destination| destination.dead = 1)
    }),
    ("check.destination-stopped", "ehr", |i| {
        set_destination(i, |destination| destination.state = "stopped".to_owned())
    }),
    ("check.destination-down", "ehr", |i| {
        set_destination(i, |destination| destination.state = "down".to_owned())
    }),
    ("check.ledger-not-verified", "", |i| {
        i.ledger.as_mut().unwrap().verified = None
    }),
    ("check.ledger-not-exported", "", |i| {
        i.ledger.as_mut().unwrap().exported = Some(days_ago(31))
    }),
    ("check.clock-jumped", "", |i| {
        i.ledger.as_mut().unwrap().clock_jumped = Some(days_ago(6))
    }),
    ("check.no-witness", "", |i| i.witnesses = 0),
    ("check.one-administrator", "", |i| {
        i.people[1].roles = Role::ClinicalStaff.into()
    }),
    ("check.retention-below-floor", "results 5 years", |i| {
        i.config.retention.results_years = 5
    }),
    ("check.data-in-memory", "", |i| {
        i.machine.in_memory = Some(true)
    }),
    ("check.data-readable", "/data/db", |i| {
        i.machine.open_to_others = Some(vec![PathBuf::from("/data/db")])
    }),
    ("check.disk-full", "", |i| disk(i, 4)),
    ("check.disk-low", "", |i| disk(i, 14)),
    ("check.core-dumps", "", |i| {
        i.machine.core_dumps = Some(true)
    }),
    ("check.swap", "", |i| i.machine.swap = Some(true)),
    ("check.runs-as-root", "", |i| i.machine.uid = 0),
];

#[test]
fn nothing_is_wrong_with_a_healthy_installation() {
    let check = check(&healthy());
    assert_eq!(check.findings, []);
    assert!(check.looked_at >= 30, "{}", check.looked_at);
}

#[test]
fn each_check_is_found_when_it_is_true_and_names_the_place() {
    for (code, place, change) in CHANGES {
        let mut input = healthy();
        change(&mut input);
        let found = check(&input).findings;
        let finding = found.iter().find(|finding| finding.code == *code);
        let Some(finding) = finding else {
            panic!("{code} is not found among {found:?}");
        };
        assert!(finding.what.contains(place), "{code}: {}", finding.what);
        assert!(!finding.todo.is_empty());
    }
}

#[test]
fn every_check_of_the_table_is_tested_here_and_has_a_code_of_its_own() {
    let tested: BTreeSet<&str> = CHANGES.iter().map(|(code, ..)| *code).collect();
    let table: BTreeSet<&str> = CHECKS.iter().map(|item| item.code).collect();
    assert_eq!(tested, table);
    assert_eq!(table.len(), CHECKS.len());
    let page = reference();
    for item in CHECKS {
        assert!(item.code.starts_with("check."));
        assert!(page.contains(item.code));
        assert!(
            !item.what.ends_with('.') && !item.todo.ends_with('.'),
            "{}",
            item.code
        );
    }
}

#[test]
fn the_most_harmful_comes_first() {
    let mut input = healthy();
    // All but the first, which leaves no second slot to change.
    for (_, _, change) in CHANGES.iter().skip(1) {
        change(&mut input);
    }
    let order = ["high", "medium", "low"];
    let ranks: Vec<usize> = check(&input)
        .findings
        .iter()
        .map(|finding| order.iter().position(|harm| *harm == finding.harm).unwrap())
        .collect();
    assert!(ranks.is_sorted(), "{ranks:?}");
    assert_eq!(ranks.first(), Some(&0));
}

#[test]
fn what_could_not_be_measured_is_never_taken_for_good() {
    let changes: &[(&str, Change)] = &[
        ("disk-full", |i| i.machine.disk = None),
        ("disk-low", |i| i.machine.disk = None),
        ("data-in-memory", |i| i.machine.in_memory = None),
        ("data-readable", |i| i.machine.open_to_others = None),
        ("core-dumps", |i| i.machine.core_dumps = None),
        ("swap", |i| i.machine.swap = None),
        ("held-too-long", |i| i.held_since = None),
        ("destination-stopped", |i| i.destinations = None),
        ("dead-letters", |i| i.destinations = None),
        ("ledger-not-verified", |i| i.ledger = None),
        ("clock-jumped", |i| i.ledger = None),
        ("certificate-ended", |i| i.server_until = None),
        ("root-key-not-locked", |i| i.root_is_locked = None),
        // Not done as far back as was looked, which is not far enough.
        ("ledger-not-exported", |i| {
            let acts = i.ledger.as_mut().unwrap();
            (acts.exported, acts.back_to) = (None, days_ago(3));
        }),
        ("clock-jumped", |i| {
            i.ledger.as_mut().unwrap().back_to = days_ago(3)
        }),
    ];
    for (name, change) in changes {
        let mut input = healthy();
        change(&mut input);
        let found = check(&input).findings;
        let finding = found.iter().find(|f| f.code == "check.unmeasured");
        let what = finding
            .map(|finding| finding.what.as_str())
            .unwrap_or_default();
        assert!(what.contains(name), "{name}: {found:?}");
    }
}

#[test]
fn a_limit_is_passed_the_moment_after_it() {
    let found = |change: Change, code: &str| {
        let mut input = healthy();
        change(&mut input);
        codes(&input).contains(code)
    };
    assert!(!found(|i| disk(i, 5), "check.disk-full"));
    assert!(found(|i| disk(i, 5), "check.disk-low"));
    assert!(
        !found(|i| disk(i, 4), "check.disk-low"),
        "said once, as full"
    );
    assert!(!found(|i| disk(i, 15), "check.disk-low"));
    let tested = |i: &mut CheckInput| i.slots[0].last_tested = Some(days_ago(90));
    assert!(!found(tested, "check.slot-not-tested-lately"));
    let a_week: Change = |i| i.server_until = Some(in_days(7));
    assert!(!found(a_week, "check.certificate-ends-this-week"));
    assert!(found(a_week, "check.certificate-ends-this-month"));
    let revoked: Change = |i| {
        change_peer(i, |peer| {
            peer.state = PeerState::Revoked;
            peer.not_after = days_ago(1);
        })
    };
    assert!(!found(revoked, "check.certificate-ended"));
    let last_day: Change = |i| i.config = config(&PLAIN_LINK.replace("2026-12-31", "2026-06-15"));
    assert!(!found(last_day, "check.plain-exception-ended"));
}

#[test]
fn many_places_are_counted_rather_than_listed() {
    let mut input = healthy();
    input.machine.open_to_others = Some((0..20).map(|n| PathBuf::from(format!("/f{n}"))).collect());
    let found = check(&input).findings;
    assert!(
        found[0].what.ends_with("/f7 and 12 more"),
        "{}",
        found[0].what
    );
}
