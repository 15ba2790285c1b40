//! Each check is made true and found; the healthy installation has none of them.

use std::collections::BTreeSet;
use std::time::Duration;

use labward_base::id::{EntryIndex, PeerId, PersonId, SiteId, SlotId, TokenNumber};
use labward_identity::{Origin, PeerKind, PeerRules, PeerState, Permission, Role};
use labward_keys::SlotKind;

use super::*;

const DAY: u64 = 86_400;

type Change = fn(&mut CheckInput);

pub(super) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-06-15T12:00:00Z").unwrap()
}

fn days_ago(days: u64) -> Timestamp {
    now().minus(Duration::from_secs(days * DAY))
}

fn token(name: &str, last_used: Option<Timestamp>, ends_at: Timestamp) -> Token {
    Token {
        number: TokenNumber::new(7),
        person: person(1),
        name: name.to_owned(),
        scopes: vec![Permission::MalwareInspect],
        created: days_ago(300),
        ends_at,
        last_used,
    }
}

/// An emergency access of a person, that ended so many days and a minute ago.
fn opening(days: u64) -> Opening {
    let until = days_ago(days);
    Opening {
        number: EntryIndex::new(17),
        person: PersonId::new(3),
        opened: until.minus(Duration::from_secs(60)),
        until,
        is_ended_early: true,
        review: None,
    }
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
        not_before: Some(days_ago(98)),
        not_after: in_days(300),
        certificate: None,
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
        roles: labward_identity::Roles::from(Role::Administrator).and(Role::LabManager),
        uid: u32::try_from(id).ok(),
        login: None,
        language: None,
        theme: labward_identity::Theme::Auto,
        engagement: None,
    }
}

fn destination(name: &str) -> DestinationStatus {
    DestinationStatus {
        name: name.to_owned(),
        kind: "mllp-tls".to_owned(),
        state: "up".to_owned(),
        certificate_until: Some(in_days(300).to_rfc3339()),
        ..DestinationStatus::default()
    }
}

/// A peer that sent every eight hours, the last time so many hours ago.
fn sender(hours_ago: u64) -> Sender {
    Sender {
        last: now().minus(Duration::from_secs(3_600 * hours_ago)),
        first: days_ago(30),
        messages: 90,
        longest_gap: Duration::from_secs(8 * 3_600),
    }
}

/// Measurements an hour apart of the free room, and 10 minutes apart of the backlog of `ehr`.
fn trends(free: &[u64], backlog: &[u64]) -> Trends {
    let mut trends = Trends::default();
    for (hours, free) in (0..).zip(free) {
        let at = days_ago(1).plus(Duration::from_secs(3_600 * hours));
        trends.note(at, Some(*free), []);
    }
    for (tens, waiting) in (0..).zip(backlog) {
        let at = now().plus(Duration::from_secs(600 * tens));
        trends.note(at, None, [("ehr".to_owned(), *waiting)]);
    }
    trends
}

/// An installation with which nothing is wrong.
pub(super) fn healthy() -> CheckInput {
    CheckInput {
        now: now(),
        config: config(
            "[[link]]\nname = \"chem\"\nlisten = \"192.0.2.1:2575\"\n\
             [[destination]]\nname = \"ehr\"\n\
             target = { kind = \"mllp\", address = \"ehr.example:2575\" }\n\
             [[witness]]\nname = \"partner\"\n\
             key = \"witness.example/w1+aaa5fcb8+BNkv2YTVOUnrpvjvoEFQc2+FvxIOVkjFWLyBfwz7u8IS\"\n\
             address = \"witness.example:8443\"\n",
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
        damaged_secrets: Ok(Vec::new()),
        people: vec![person(1), person(2)],
        tokens: Vec::new(),
        lost_accounts: Ok(Vec::new()),
        group_strangers: Ok(Vec::new()),
        peers: vec![Arc::new(peer())],
        authority_until: Ok(in_days(3_000)),
        server_until: Ok(in_days(300)),
        machine: Machine {
            uid: 998,
            disk: Ok(DiskSpace {
                free_bytes: 60 << 30,
                total_bytes: 100 << 30,
            }),
            inodes: Ok(Inodes {
                free: 900,
                total: 1_000,
            }),
            file_system: Ok("ext4".to_owned()),
            open_to_others: Ok(Vec::new()),
            foreign_owner: Ok(Vec::new()),
            core_dumps: Ok(Vec::new()),
            open_swaps: Ok(Vec::new()),
            clock_is_kept: Ok(true),
            memory_lock_bytes: Some(8 << 20),
            sync_time: Ok(Duration::from_millis(1)),
            reserve: Ok(Reserve {
                length: 64 << 20,
                allocated: 64 << 20,
            }),
        },
        held_since: Ok(vec![days_ago(1)]),
        destinations: Ok(vec![destination("ehr")]),
        edges: Ok(vec![("bench-1".to_owned(), edge())]),
        stranded: Ok(Vec::new()),
        trends: trends(&[60 << 30, 60 << 30], &[0]),
        ledger: Ok(LedgerActs {
            back_to: days_ago(40),
            exported: Some(days_ago(20)),
            verified: Some(days_ago(2)),
            senders: BTreeMap::from([(PeerId::new(1), sender(1))]),
            last: HashMap::from([(
                Action::LedgerVerified,
                Act {
                    time: days_ago(2),
                    entry: EntryIndex::new(150),
                    succeeded: true,
                    times: 4,
                },
            )]),
            ..LedgerActs::default()
        }),
        publishing: Ok(PublishingState {
            behind: 3,
            since: Some(now().minus(Duration::from_secs(30))),
            every: Duration::from_secs(60),
            fault: None,
        }),
        config_differs: Ok(false),
        published: Ok(200),
        witnesses: Ok(vec![WitnessStatus {
            name: "partner".to_owned(),
            state: "cosigned".to_owned(),
            size: Some(190),
            cosigned: Some(days_ago(0).to_rfc3339()),
            ..WitnessStatus::default()
        }]),
        webhooks: Ok(vec![WebhookStatus {
            name: "alarm".to_owned(),
            state: "ready".to_owned(),
            ..WebhookStatus::default()
        }]),
        mail: Ok(vec![MailStatus {
            name: "manager".to_owned(),
            state: "ready".to_owned(),
            ..MailStatus::default()
        }]),
        integrity: Vec::new(),
        threats: Ok(ThreatsState {
            devices: 3,
            advisories: 40,
            ..ThreatsState::default()
        }),
        malware: Ok(MalwareState {
            newest_rules: Some(days_ago(3)),
            closed_within: vec![Duration::from_secs(3_600)],
            links: 1,
            ..MalwareState::default()
        }),
        sign_on: Ok(None),
        backups: Ok(Backups {
            created: Some(days_ago(1)),
            beside_data: Some(false),
            drilled: Some(days_ago(80)),
            archived: Some(days_ago(1)),
            drill_took: Some(Duration::from_secs(90)),
            ..Backups::default()
        }),
        ledger_fails: false,
        openings: Ok(Vec::new()),
        reserve: ReserveState {
            size_bytes: 64 << 20,
            used_bytes: 0,
            waiting: 0,
            is_set_aside: true,
        },
    }
}

fn change_backups(input: &mut CheckInput, change: impl Fn(&mut Backups)) {
    change(input.backups.as_mut().unwrap());
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
    input.edges = Ok(vec![("bench-1".to_owned(), status)]);
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
    input.destinations = Ok(vec![status]);
}

fn set_witness(input: &mut CheckInput, change: impl Fn(&mut WitnessStatus)) {
    input.witnesses.iter_mut().flatten().for_each(change);
}

fn set_threats(input: &mut CheckInput, change: impl Fn(&mut ThreatsState)) {
    input.threats.iter_mut().for_each(change);
}

fn set_malware(input: &mut CheckInput, change: impl Fn(&mut MalwareState)) {
    input.malware.iter_mut().for_each(change);
}

fn set_webhook(input: &mut CheckInput, change: impl Fn(&mut WebhookStatus)) {
    input.webhooks.iter_mut().flatten().for_each(change);
}

fn disk(input: &mut CheckInput, free_percent: u64) {
    input.machine.disk = Ok(DiskSpace {
        free_bytes: free_percent << 30,
        total_bytes: 100 << 30,
    });
}

pub(super) const PLAIN_LINK: &str = "[[link]]\nname = \"old\"\nlisten = \"192.0.2.1:4010\"\n\
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
    ("check.slot-never-tested", "slot 1 (label 1)", |i| {
        i.slots[0].last_tested = None
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
    ("check.secret-damaged", "secret authority.key", |i| {
        i.damaged_secrets = Ok(vec!["authority.key".to_owned()])
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
    ("check.edge-certificate-ended", "xn550 (2026-06-15)", |i| {
        change_peer(i, |peer| {
            peer.kind = PeerKind::Edge;
            peer.not_after = now();
        })
    }),
    ("check.edge-certificate-not-renewed", "xn550 (", |i| {
        change_peer(i, |peer| {
            peer.kind = PeerKind::Edge;
            peer.not_before = Some(days_ago(301));
            peer.not_after = in_days(99);
        })
    }),
    ("check.certificate-ended", "xn550 (2026-06-15)", |i| {
        change_peer(i, |peer| peer.not_after = now())
    }),
    (
        "check.certificate-ends-this-week",
        "the server's own",
        |i| i.server_until = Ok(in_days(6)),
    ),
    (
        "check.certificate-ends-this-month",
        "the authority's",
        |i| i.authority_until = Ok(in_days(29)),
    ),
    ("check.no-peers", "", |i| {
        change_peer(i, |peer| peer.state = PeerState::Revoked)
    }),
    ("check.peer-admits-all", "xn550", |i| {
        change_peer(i, |peer| peer.rules = PeerRules::admit_all())
    }),
    ("check.held-too-long", ": 1", |i| {
        i.held_since = Ok(vec![days_ago(91), days_ago(1)])
    }),
    ("check.held-a-week", ": 2", |i| {
        i.held_since = Ok(vec![days_ago(8), days_ago(90)])
    }),
    ("check.ledger-unwritable", "", |i| i.ledger_fails = true),
    ("check.reserve-unusable", "", |i| {
        i.reserve.used_bytes = i.reserve.size_bytes
    }),
    ("check.break-glass", "17 of 2026-06-12", |i| {
        i.openings = Ok(vec![opening(3)])
    }),
    ("check.break-glass-overdue", "17 of 2026-06-11", |i| {
        i.openings = Ok(vec![opening(4)])
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
    ("check.no-witness", "", |i| i.config.witnesses.clear()),
    ("check.witness-refuses", "partner", |i| {
        set_witness(i, |witness| witness.state = "refused".to_owned())
    }),
    ("check.witness-behind", "partner", |i| {
        set_witness(i, |witness| {
            witness.cosigned = Some(days_ago(2).to_rfc3339())
        })
    }),
    ("check.malware-open", "12 of 2026", |i| {
        set_malware(i, |state| state.open.push((12, days_ago(40))))
    }),
    ("check.malware-off", "", |i| {
        set_malware(i, |state| state.is_off = true)
    }),
    ("check.malware-failing", "not-started", |i| {
        set_malware(i, |state| state.failing = Some("not-started".to_owned()))
    }),
    ("check.malware-unscanned-link", "link xn550", |i| {
        set_malware(i, |state| state.unscanned.push("xn550".to_owned()))
    }),
    ("check.malware-rules-old", "last ", |i| {
        set_malware(i, |state| state.newest_rules = Some(days_ago(31)))
    }),
    ("check.hits-overdue", "4", |i| {
        set_threats(i, |state| state.overdue = 4)
    }),
    ("check.hits-due-soon", "2", |i| {
        set_threats(i, |state| state.due_soon = 2)
    }),
    ("check.system-unsupported", "old", |i| {
        set_threats(i, |state| state.unsupported.push("old".to_owned()))
    }),
    ("check.new-destination", "CMS 202.114.4.119 tcp/515", |i| {
        let words = "CMS 202.114.4.119 tcp/515".to_owned();
        set_threats(i, |state| state.unexpected.push(words.clone()))
    }),
    ("check.device-unusual", "XN-550 silent", |i| {
        set_threats(i, |state| state.unusual.push("XN-550 silent".to_owned()))
    }),
    ("check.integrity-changed", "xn-550-pc", |i| {
        i.integrity.push("xn-550-pc".to_owned());
    }),
    ("check.no-advisories", "", |i| {
        set_threats(i, |state| state.advisories = 0)
    }),
    ("check.advisories-stale", "cisa", |i| {
        set_threats(i, |state| state.stale.push("cisa".to_owned()))
    }),
    ("check.advisories-refused", "cisa", |i| {
        set_threats(i, |state| state.refused.push("cisa".to_owned()))
    }),
    ("check.webhook-stopped", "alarm", |i| {
        set_webhook(i, |webhook| webhook.state = "stopped".to_owned())
    }),
    ("check.webhook-failing", "alarm", |i| {
        set_webhook(i, |webhook| {
            webhook.state = "failing".to_owned();
            webhook.failing_since = Some(days_ago(1).to_rfc3339());
        })
    }),
    ("check.reminders-failing", "manager", |i| {
        let since = now().minus(Duration::from_secs(3_600)).to_rfc3339();
        i.mail.iter_mut().flatten().for_each(|one| {
            one.failing_since = Some(since.clone());
        });
    }),
    ("check.webhook-no-secret", "alarm", |i| {
        set_webhook(i, |webhook| webhook.state = "no-secret".to_owned())
    }),
    ("check.provider-silent", "", |i| {
        i.sign_on = Ok(Some(now().minus(Duration::from_secs(600))))
    }),
    ("check.one-administrator", "", |i| {
        i.people[1].roles = Role::ClinicalStaff.into()
    }),
    ("check.retention-below-floor", "results 5 years", |i| {
        i.config.retention.results_years = 5
    }),
    ("check.no-backup", "", |i| {
        change_backups(i, |backups| backups.created = None)
    }),
    ("check.backup-old", "2026-06-12", |i| {
        change_backups(i, |backups| backups.created = Some(days_ago(3)))
    }),
    ("check.backup-beside-data", "", |i| {
        change_backups(i, |backups| backups.beside_data = Some(true))
    }),
    ("check.no-key-archive", "", |i| {
        change_backups(i, |backups| backups.archived = None)
    }),
    ("check.key-archive-old", "2026-06-12", |i| {
        change_backups(i, |backups| backups.archived = Some(days_ago(3)))
    }),
    ("check.key-archive-overdue", "archive 7", |i| {
        change_backups(i, |backups| backups.overdue = vec![7])
    }),
    ("check.no-drill", "", |i| {
        change_backups(i, |backups| backups.drilled = None)
    }),
    ("check.drill-old", "2026-03-16", |i| {
        change_backups(i, |backups| backups.drilled = Some(days_ago(91)))
    }),
    ("check.restore-not-confirmed", "", |i| {
        change_backups(i, |backups| backups.unconfirmed = true)
    }),
    ("check.data-in-memory", "tmpfs", |i| {
        i.machine.file_system = Ok("tmpfs".to_owned())
    }),
    ("check.data-on-overlay", "overlay", |i| {
        i.machine.file_system = Ok("overlay".to_owned())
    }),
    ("check.data-on-network", "nfs4", |i| {
        i.machine.file_system = Ok("nfs4".to_owned())
    }),
    ("check.data-readable", "/data/db", |i| {
        i.machine.open_to_others = Ok(vec![PathBuf::from("/data/db")])
    }),
    ("check.foreign-owner", "/data/db", |i| {
        i.machine.foreign_owner = Ok(vec![PathBuf::from("/data/db")])
    }),
    ("check.disk-full", "4096 of 102400 MiB are free", |i| {
        disk(i, 4)
    }),
    ("check.disk-low", "14336 of 102400 MiB", |i| disk(i, 14)),
    ("check.disk-fills-soon", "in 2 days", |i| {
        i.trends = trends(&[61 << 30, 60 << 30], &[0])
    }),
    ("check.inodes-low", "40 of 1000 are free", |i| {
        i.machine.inodes.as_mut().unwrap().free = 40
    }),
    ("check.reserve-missing", "4 of 65536 KiB", |i| {
        i.machine.reserve.as_mut().unwrap().allocated = 4_096
    }),
    ("check.core-dumps", "|/bin/dump", |i| {
        i.machine.core_dumps = Ok(vec![remark::core_pattern("|/bin/dump")])
    }),
    ("check.swap", "/dev/sda2", |i| {
        i.machine.open_swaps = Ok(vec!["/dev/sda2".to_owned()])
    }),
    ("check.clock-not-kept", "", |i| {
        i.machine.clock_is_kept = Ok(false)
    }),
    ("check.memory-lock-limit", "4096 bytes", |i| {
        i.machine.memory_lock_bytes = Some(4_096)
    }),
    ("check.sync-too-fast", "4 KiB in 2 µs", |i| {
        i.machine.sync_time = Ok(Duration::from_micros(2))
    }),
    ("check.sync-slow", "4 KiB in 250000 µs", |i| {
        i.machine.sync_time = Ok(Duration::from_millis(250))
    }),
    ("check.shares-never-tested", "slot 2 (label 2)", |i| {
        i.slots[1].last_tested = None
    }),
    (
        "check.plain-exception-ends-soon",
        "link old (2026-07-14)",
        |i| i.config = config(&PLAIN_LINK.replace("2026-12-31", "2026-07-14")),
    ),
    ("check.authority-ends", "2028", |i| {
        i.authority_until = Ok(in_days(700))
    }),
    ("check.receiver-certificate-ends", "ehr (2026-07-05)", |i| {
        set_destination(i, |destination| {
            destination.certificate_until = Some(in_days(20).to_rfc3339())
        })
    }),
    ("check.messages-without-destination", "lis (7)", |i| {
        i.stranded = Ok(vec![("lis".to_owned(), 7)])
    }),
    ("check.backlog-growing", "ehr (40 wait)", |i| {
        i.trends = trends(&[60 << 30, 60 << 30], &[10, 20, 30, 40])
    }),
    ("check.peer-silent", "xn550 since 2026-06-14T11:00", |i| {
        let acts = i.ledger.as_mut().unwrap();
        acts.senders = BTreeMap::from([(PeerId::new(1), sender(25))]);
    }),
    ("check.revoked-peer-connects", "192.0.2.7", |i| {
        let acts = i.ledger.as_mut().unwrap();
        acts.revoked = BTreeMap::from([("192.0.2.7".to_owned(), days_ago(1))]);
    }),
    ("check.ledger-files", "another root", |i| {
        i.publishing.as_mut().unwrap().fault = Some(remark::other_root(7_u64))
    }),
    ("check.checkpoint-behind", "3 entries since", |i| {
        i.publishing.as_mut().unwrap().since = Some(days_ago(1))
    }),
    ("check.config-not-loaded", "", |i| {
        i.config_differs = Ok(true)
    }),
    ("check.nobody-may", "release or reject held messages", |i| {
        i.people[0].roles = Role::Administrator.into();
        i.people[1].roles = Role::Administrator.into();
    }),
    ("check.expert-without-engagement", "J. Doe", |i| {
        i.people[0].roles = i.people[0].roles.and(Role::Expert);
    }),
    ("check.token-ends", "J. Doe, mx (2026-06-25)", |i| {
        i.tokens = vec![
            token("mx", Some(days_ago(1)), in_days(10)),
            token("nightly", Some(days_ago(1)), in_days(15)),
            token("forgotten", Some(days_ago(60)), in_days(10)),
            token("new", None, in_days(10)),
        ]
    }),
    ("check.account-gone", "J. Doe", |i| {
        i.lost_accounts = Ok(vec![remark::account("J. Doe", 901_u32)])
    }),
    ("check.socket-group-wide", "eve", |i| {
        i.group_strangers = Ok(vec!["eve".to_owned()])
    }),
    ("check.runs-as-root", "", |i| i.machine.uid = 0),
];

#[test]
fn nothing_is_wrong_with_a_healthy_installation() {
    let check = check(&healthy());
    assert_eq!(check.findings, []);
    assert_eq!(check.unmeasured, []);
    assert!(check.looked_at >= 60, "{}", check.looked_at);
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
fn what_could_not_be_measured_is_never_taken_for_good_and_says_why() {
    fn no<T>() -> Measured<T> {
        Err(remark::technical("nobody may look"))
    }
    let changes: &[(&str, Change)] = &[
        ("disk-full", |i| i.machine.disk = no()),
        ("disk-low", |i| i.machine.disk = no()),
        ("disk-fills-soon", |i| i.machine.disk = no()),
        ("inodes-low", |i| i.machine.inodes = no()),
        ("reserve-missing", |i| i.machine.reserve = no()),
        ("data-in-memory", |i| i.machine.file_system = no()),
        ("data-on-network", |i| i.machine.file_system = no()),
        ("data-readable", |i| i.machine.open_to_others = no()),
        ("foreign-owner", |i| i.machine.foreign_owner = no()),
        ("core-dumps", |i| i.machine.core_dumps = no()),
        ("swap", |i| i.machine.open_swaps = no()),
        ("clock-not-kept", |i| i.machine.clock_is_kept = no()),
        ("sync-too-fast", |i| i.machine.sync_time = no()),
        ("held-too-long", |i| i.held_since = no()),
        ("destination-stopped", |i| i.destinations = no()),
        ("dead-letters", |i| i.destinations = no()),
        ("messages-without-destination", |i| i.stranded = no()),
        ("ledger-not-verified", |i| i.ledger = no()),
        ("clock-jumped", |i| i.ledger = no()),
        ("break-glass", |i| i.openings = no()),
        ("break-glass-overdue", |i| i.openings = no()),
        ("peer-silent", |i| i.ledger = no()),
        ("certificate-ended", |i| i.server_until = no()),
        ("authority-ends", |i| i.authority_until = no()),
        ("account-gone", |i| i.lost_accounts = no()),
        ("socket-group-wide", |i| i.group_strangers = no()),
        ("checkpoint-behind", |i| i.publishing = no()),
        ("ledger-files", |i| i.publishing = no()),
        ("config-not-loaded", |i| i.config_differs = no()),
        ("no-backup", |i| i.backups = no()),
        ("restore-not-confirmed", |i| i.backups = no()),
    ];
    let others: &[(&str, &str, Change)] = &[
        ("root-key-not-locked", "sealed", |i| i.root_is_locked = None),
        ("disk-fills-soon", "not measured yet", |i| {
            i.trends = Trends::default()
        }),
        ("receiver-certificate-ends", "no handshake yet", |i| {
            set_destination(i, |destination| destination.certificate_until = None)
        }),
        ("backup-beside-data", "not known", |i| {
            change_backups(i, |backups| backups.beside_data = None)
        }),
        // Not done as far back as was looked, which is not far enough.
        ("ledger-not-exported", "read back to 2026-06-12", |i| {
            let acts = i.ledger.as_mut().unwrap();
            (acts.exported, acts.back_to) = (None, days_ago(3));
        }),
        ("clock-jumped", "read back to 2026-06-12", |i| {
            i.ledger.as_mut().unwrap().back_to = days_ago(3)
        }),
        ("revoked-peer-connects", "read back to", |i| {
            i.ledger.as_mut().unwrap().back_to = days_ago(3)
        }),
    ];
    let all = changes
        .iter()
        .map(|(name, change)| (name, &"nobody may look", change));
    for (name, why, change) in all.chain(others.iter().map(|(a, b, c)| (a, b, c))) {
        let mut input = healthy();
        change(&mut input);
        let check = check(&input);
        let code = format!("check.{name}");
        let one = check.unmeasured.iter().find(|one| one.code == code);
        let one = one.unwrap_or_else(|| panic!("{name}: {:?}", check.unmeasured));
        assert!(one.why.contains(why), "{name}: {}", one.why);
        let is_said = |finding: &CheckFinding| finding.code == "check.unmeasured";
        assert!(check.findings.iter().any(is_said), "{name}");
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
    let a_week: Change = |i| i.server_until = Ok(in_days(7));
    assert!(!found(a_week, "check.certificate-ends-this-week"));
    assert!(found(a_week, "check.certificate-ends-this-month"));
    let promised: Change = |i| i.reserve.is_set_aside = false;
    assert!(found(promised, "check.reserve-unusable"));
    let missing: Change = |i| i.reserve = ReserveState::default();
    assert!(found(missing, "check.reserve-unusable"));
    let in_time: Change = |i| i.openings = Ok(vec![opening(3)]);
    assert!(!found(in_time, "check.break-glass-overdue"));
    let overdue: Change = |i| i.openings = Ok(vec![opening(4)]);
    assert!(
        !found(overdue, "check.break-glass"),
        "said once, as overdue"
    );
    let revoked: Change = |i| {
        change_peer(i, |peer| {
            peer.state = PeerState::Revoked;
            peer.not_after = days_ago(1);
        })
    };
    assert!(!found(revoked, "check.certificate-ended"));
    let in_time: Change = |i| {
        change_peer(i, |peer| {
            peer.kind = PeerKind::Edge;
            peer.not_before = Some(days_ago(300));
            peer.not_after = in_days(100);
        })
    };
    assert!(!found(in_time, "check.edge-certificate-not-renewed"));
    let of_unknown_age: Change = |i| {
        change_peer(i, |peer| {
            peer.kind = PeerKind::Edge;
            peer.not_before = None;
            peer.not_after = in_days(29);
        })
    };
    assert!(found(of_unknown_age, "check.edge-certificate-not-renewed"));
    // A person could do nothing with what is said of other peers: it renews by itself.
    assert!(!found(of_unknown_age, "check.certificate-ends-this-month"));
    let last_day: Change = |i| i.config = config(&PLAIN_LINK.replace("2026-12-31", "2026-06-15"));
    assert!(!found(last_day, "check.plain-exception-ended"));
}

#[test]
fn many_places_are_counted_rather_than_listed() {
    let mut input = healthy();
    input.machine.open_to_others = Ok((0..20).map(|n| PathBuf::from(format!("/f{n}"))).collect());
    let found = check(&input).findings;
    assert!(
        found[0].what.ends_with("/f7 and 12 more"),
        "{}",
        found[0].what
    );
}

#[test]
fn every_check_has_both_its_texts_in_spanish_and_none_is_left_over() {
    let file = include_str!("../../../labward-console/locales/findings.es.ftl");
    let mut codes: BTreeSet<&str> = BTreeSet::new();
    let mut todos = 0;
    for line in file.lines() {
        if let Some((code, _)) = line
            .strip_prefix("finding-")
            .and_then(|l| l.split_once(" = "))
        {
            assert!(codes.insert(code), "{code} stands twice");
        }
        todos += usize::from(line.starts_with("    .todo = "));
    }
    assert_eq!(todos, codes.len(), "each says what to do");
    let all = CHECKS.iter().map(|item| item.code).chain([UNMEASURED]);
    let all: BTreeSet<&str> = all
        .map(|code| code.strip_prefix("check.").unwrap())
        .collect();
    assert_eq!(codes, all);
}
