//! The same measurements as facts about safeguards (45 CFR 164.308 to 316).
//!
//! It must never measure a thing in another way than the checks do, or answer for a thing that was
//! not measured.

use std::time::Duration;

use labward_api::status::Check;
use labward_assess::{Fact, FactKind, Figure, Note, Value};
use labward_base::{Timestamp, remark};
use labward_identity::{MIN_PASSWORD_CHARS, Permission, Person, Role};
use labward_ledger::Action;

use super::table::CHECKS;
use super::{Act, CheckInput, Found, MalwareState, Measured, check, few, lines};

/// The proposal's time for a restore.
const RESTORED_WITHIN: Duration = Duration::from_secs(72 * 3_600);

/// How long what was found may stay without an answer.
const REACTED_WITHIN: Duration = Duration::from_secs(72 * 3_600);

/// Acts by which somebody is given or loses a right.
const RIGHTS: &[Action] = &[
    Action::CredentialChanged,
    Action::PeerAdded,
    Action::PeerChanged,
    Action::PeerRevoked,
    Action::PersonAdded,
    Action::PersonChanged,
    Action::PersonInvited,
    Action::PersonRemoved,
];

/// Every fact, from what the checks look at; `sealed` says how many of the newest records have the
/// seal of AES-256-GCM, and of how many.
pub(crate) fn facts(input: &CheckInput, sealed: &Measured<(u64, u64)>) -> Vec<Fact> {
    let checked = check(input);
    let one = |kind: &FactKind| fact(*kind, input, sealed, &checked);
    FactKind::ALL.iter().map(one).collect()
}

fn fact(
    kind: FactKind,
    input: &CheckInput,
    sealed: &Measured<(u64, u64)>,
    checked: &Check,
) -> Fact {
    let by = |codes: &[&str]| by_checks(kind, input, codes);
    match kind {
        FactKind::AccessEnded => by(&["check.account-gone"])
            .entry(last(input, &[Action::PersonRemoved]).map(|act| act.entry)),
        FactKind::AccountsKnown => {
            let known = count(input.people.iter().filter(|one| can_act(one)));
            by(&["check.account-gone", "check.socket-group-wide"]).figure(Figure::Count(known))
        }
        FactKind::BackupApart => {
            of_backup(by(&["check.no-backup", "check.backup-beside-data"]), input)
        }
        FactKind::BackupRecent => of_backup(by(&["check.no-backup", "check.backup-old"]), input),
        FactKind::BreakGlassRoles => people(kind, input, |one| {
            can_act(one) && one.permits(Permission::RecordBreakGlass)
        }),
        FactKind::BreakGlassReviewed => by(&["check.break-glass-overdue"])
            .entry(last(input, &[Action::BreakGlassReviewed]).map(|act| act.entry)),
        FactKind::CertificatesValid => {
            by(&["check.certificate-ended", "check.edge-certificate-ended"])
        }
        FactKind::ChecksMeasured => checks_measured(input, checked),
        FactKind::ClockKept => by(&["check.clock-not-kept", "check.clock-jumped"]),
        FactKind::DisposalComplete => by(&["check.key-archive-overdue"]),
        FactKind::FilesPrivate => by(&["check.data-readable", "check.foreign-owner"]),
        FactKind::AdvisoriesFresh => of_devices(
            by(&["check.no-advisories", "check.advisories-stale"]),
            input,
        ),
        FactKind::HitsInTime => {
            of_devices(by(&["check.hits-overdue", "check.no-advisories"]), input)
        }
        FactKind::HighFindings => high_findings(input, checked),
        FactKind::KeyArchiveRecent => {
            let archived = input.backups.as_ref().ok().and_then(|all| all.archived);
            at(
                by(&["check.no-key-archive", "check.key-archive-old"]),
                archived,
            )
        }
        FactKind::KeysApart => keys_apart(input),
        FactKind::LedgerPublished => by(&["check.ledger-files", "check.checkpoint-behind"]),
        FactKind::LedgerVerified => ledger_verified(input),
        FactKind::LedgerWritten => by(&["check.ledger-unwritable"]),
        FactKind::LinesEncrypted => {
            let (all, of) = lines::off_machine(input);
            let plain = ["check.plain-link", "check.plain-destination"];
            of_lines(by(&plain), input, of, all)
        }
        FactKind::LinksAuthenticated => {
            let (all, of) = lines::links_off(input);
            of_lines(by(&["check.plain-link"]), input, of, all)
        }
        FactKind::MalwareScanned => {
            let codes = [
                "check.malware-off",
                "check.malware-failing",
                "check.malware-unscanned-link",
            ];
            let (of, all) = input.malware.as_ref().map_or((0, 0), looked_at);
            of_lines(by(&codes), input, of, all)
        }
        FactKind::MalwareRules => {
            let newest = input.malware.as_ref().ok();
            let newest = newest.and_then(|state| state.newest_rules);
            at(
                by(&["check.malware-off", "check.malware-rules-old"]),
                newest,
            )
        }
        FactKind::MalwareReacted => malware_reacted(input),
        FactKind::MemoryGuarded => by(&[
            "check.swap",
            "check.core-dumps",
            "check.root-key-not-locked",
        ]),
        FactKind::PasswordRule => {
            let chars = u64::try_from(MIN_PASSWORD_CHARS).unwrap_or(u64::MAX);
            Fact::new(kind, Value::Good, input.now).figure(Figure::Count(chars))
        }
        FactKind::PeersLimited => by(&["check.peer-admits-all"]),
        FactKind::PeopleUnique => people_unique(input),
        FactKind::ReadsRecorded => {
            recorded(kind, input, &[Action::RecordShown, Action::RecordSearched])
        }
        FactKind::RecordsSealed => records_sealed(input, sealed),
        FactKind::ReserveReady => by(&["check.reserve-unusable", "check.reserve-missing"]),
        FactKind::RestoreDrilled => {
            let fact = by(&["check.no-drill", "check.drill-old"]);
            let backups = input.backups.as_ref().ok();
            let entry = backups.and_then(|all| all.drilled_entry);
            at(fact, backups.and_then(|all| all.drilled)).entry(entry)
        }
        FactKind::RestoreTime => restore_time(input),
        FactKind::RetentionFloor => by(&["check.retention-below-floor"]),
        FactKind::RightsRecorded => recorded(kind, input, RIGHTS),
        FactKind::SecondFactor => second_factor(input),
        FactKind::SecurityOfficer => {
            people(kind, input, |one| one.roles.contains(Role::SecurityOfficer))
        }
        FactKind::SessionIdle => session_idle(input),
        FactKind::SignInsRefused => match input.config.console.listen {
            Some(_) => recorded(kind, input, &[Action::SessionRefused]),
            None => no_console(kind, input),
        },
        FactKind::SlotsTested => by(&[
            "check.slot-never-tested",
            "check.shares-never-tested",
            "check.slot-not-tested-lately",
        ]),
    }
}

/// Bad if any of these checks finds something, unknown if one could not be looked at.
fn by_checks(kind: FactKind, input: &CheckInput, codes: &[&str]) -> Fact {
    let (mut bad, mut why) = (Vec::new(), None);
    for code in codes {
        let Some(item) = CHECKS.iter().find(|item| item.code == *code) else {
            why = Some(remark::no_check(*code));
            continue;
        };
        let found = |remarks| Note {
            check: Some((item.code, item.what)),
            remarks,
        };
        match (item.find)(input) {
            Found::Fine => {}
            Found::Wrong => bad.push(found(Vec::new())),
            Found::At(places) => bad.push(found(few(places))),
            Found::Unmeasured(reason) => why = Some(reason),
        }
    }
    match (bad.is_empty(), why) {
        (false, _) => Fact {
            notes: bad,
            ..Fact::new(kind, Value::Bad, input.now)
        },
        (true, Some(why)) => Fact::unknown(kind, input.now, why),
        (true, None) => Fact::new(kind, Value::Good, input.now),
    }
}

/// The fact as of the moment on which it rests; bad without one means that it never happened.
fn at(fact: Fact, time: Option<Timestamp>) -> Fact {
    match (time, fact.value) {
        (Some(time), _) => {
            let figure = fact.figure(Figure::Time(time));
            Fact {
                measured: time,
                ..figure
            }
        }
        (None, Value::Bad) => fact.figure(Figure::Never),
        (None, _) => fact,
    }
}

fn of_backup(fact: Fact, input: &CheckInput) -> Fact {
    let backups = input.backups.as_ref().ok();
    let entry = backups.and_then(|all| all.created_entry);
    at(fact, backups.and_then(|all| all.created)).entry(entry)
}

/// What was found of lines, with how many are good; without a line nothing is shown.
fn of_lines(fact: Fact, input: &CheckInput, of: u64, all: u64) -> Fact {
    let kind = fact.kind;
    match all {
        0 => Fact::unknown(kind, input.now, remark::no_line()),
        _ => fact.figure(Figure::Share { of, all }),
    }
}

/// Links of which every message is looked at, and all.
fn looked_at(state: &MalwareState) -> (u64, u64) {
    let unscanned = match state.is_off || state.failing.is_some() {
        true => state.links,
        false => count(state.unscanned.iter()),
    };
    (state.links.saturating_sub(unscanned), state.links)
}

/// How long what is found stays without an answer; the median is told, and the longest beside it.
fn malware_reacted(input: &CheckInput) -> Fact {
    let kind = FactKind::MalwareReacted;
    let state = match &input.malware {
        Ok(state) => state,
        Err(why) => return Fact::unknown(kind, input.now, why.clone()),
    };
    let Some((median, longest)) = state.reaction(input.now) else {
        return Fact::unknown(kind, input.now, remark::no_act());
    };
    let value = match longest <= REACTED_WITHIN {
        true => Value::Good,
        false => Value::Bad,
    };
    let closed = last(input, &[Action::MalwareClosed]).map(|act| act.entry);
    let hours = longest.as_secs().div_ceil(3_600);
    Fact::new(kind, value, input.now)
        .figure(Figure::Seconds(median.as_secs().max(1)))
        .note(Note::of(remark::longest_open(hours)))
        .entry(closed)
}

/// What was found of devices; without one nothing is shown.
fn of_devices(fact: Fact, input: &CheckInput) -> Fact {
    match &input.threats {
        Ok(state) if state.devices > 0 => fact.figure(Figure::Count(state.devices)),
        Ok(_) => Fact::unknown(fact.kind, input.now, remark::no_device()),
        Err(_) => fact,
    }
}

fn people(kind: FactKind, input: &CheckInput, is_one: impl Fn(&Person) -> bool) -> Fact {
    let number = count(input.people.iter().filter(|one| is_one(one)));
    let value = if number == 0 { Value::Bad } else { Value::Good };
    Fact::new(kind, value, input.now).figure(Figure::Count(number))
}

/// Whether a person can get in at all.
fn can_act(person: &Person) -> bool {
    person.uid.is_some() || person.login.is_some()
}

/// A key file that cannot be seen may lie anywhere.
fn keys_apart(input: &CheckInput) -> Fact {
    let kind = FactKind::KeysApart;
    let seen = by_checks(
        kind,
        input,
        &["check.key-beside-data", "check.key-file-readable"],
    );
    let missing = by_checks(kind, input, &["check.key-file-missing"]);
    match (seen.value, missing.value) {
        (Value::Good, Value::Bad) => Fact {
            value: Value::Unknown,
            ..missing
        },
        _ => seen,
    }
}

fn people_unique(input: &CheckInput) -> Fact {
    let people = || input.people.iter();
    let is_shared = |one: &&Person| {
        let others = people().filter(|other| other.id != one.id);
        let mut others = others.filter(|other| {
            let account = one.uid.is_some() && one.uid == other.uid;
            account || (one.login.is_some() && one.login == other.login)
        });
        others.next().is_some()
    };
    let all = count(people());
    let shared = count(people().filter(is_shared));
    let value = if shared == 0 { Value::Good } else { Value::Bad };
    let of = all.saturating_sub(shared);
    Fact::new(FactKind::PeopleUnique, value, input.now).figure(Figure::Share { of, all })
}

fn second_factor(input: &CheckInput) -> Fact {
    let kind = FactKind::SecondFactor;
    // Labward takes a password only: no sign-in at the console shows a second factor.
    match count(input.people.iter().filter(|one| one.login.is_some())) {
        0 => Fact::unknown(kind, input.now, remark::nobody_signs_in()),
        all => Fact::new(kind, Value::Bad, input.now).figure(Figure::Share { of: 0, all }),
    }
}

fn session_idle(input: &CheckInput) -> Fact {
    let kind = FactKind::SessionIdle;
    let console = &input.config.console;
    match console.listen {
        Some(_) => {
            let seconds = console.session_limits().idle.as_secs();
            Fact::new(kind, Value::Good, input.now).figure(Figure::Seconds(seconds))
        }
        None => no_console(kind, input),
    }
}

fn no_console(kind: FactKind, input: &CheckInput) -> Fact {
    Fact::unknown(kind, input.now, remark::console_off())
}

fn checks_measured(input: &CheckInput, checked: &Check) -> Fact {
    let all = u64::from(checked.looked_at);
    let of = all.saturating_sub(count(checked.unmeasured.iter()));
    let value = if of == all {
        Value::Good
    } else {
        Value::Unknown
    };
    let fact = Fact::new(FactKind::ChecksMeasured, value, input.now);
    fact.figure(Figure::Share { of, all })
}

fn high_findings(input: &CheckInput, checked: &Check) -> Fact {
    let kind = FactKind::HighFindings;
    let high = checked.findings.iter().filter(|one| one.harm == "high");
    let codes: Vec<_> = high.map(|one| remark::name(&one.code)).collect();
    let figure = Figure::Count(count(codes.iter()));
    match codes.is_empty() {
        true => Fact::new(kind, Value::Good, input.now).figure(figure),
        false => Fact::new(kind, Value::Bad, input.now)
            .figure(figure)
            .note(Note {
                check: None,
                remarks: few(codes),
            }),
    }
}

fn records_sealed(input: &CheckInput, sealed: &Measured<(u64, u64)>) -> Fact {
    let kind = FactKind::RecordsSealed;
    match sealed {
        Err(why) => Fact::unknown(kind, input.now, why.clone()),
        Ok((_, 0)) => Fact::unknown(kind, input.now, remark::no_record()),
        Ok((of, all)) => {
            let value = if of == all { Value::Good } else { Value::Bad };
            let figure = Figure::Share { of: *of, all: *all };
            Fact::new(kind, value, input.now).figure(figure)
        }
    }
}

fn restore_time(input: &CheckInput) -> Fact {
    let kind = FactKind::RestoreTime;
    let backups = input.backups.as_ref().ok();
    let took = backups.and_then(|all| Some((all.drilled?, all.drill_took?, all.drilled_entry)));
    match took {
        None => Fact::unknown(kind, input.now, remark::no_restore()),
        Some((time, took, entry)) => {
            let value = if took <= RESTORED_WITHIN {
                Value::Good
            } else {
                Value::Bad
            };
            let figure = Figure::Seconds(took.as_secs().max(1));
            Fact::new(kind, value, time).figure(figure).entry(entry)
        }
    }
}

/// A verification that found faults is worse than none.
fn ledger_verified(input: &CheckInput) -> Fact {
    let fact = by_checks(
        FactKind::LedgerVerified,
        input,
        &["check.ledger-not-verified"],
    );
    let Some(act) = last(input, &[Action::LedgerVerified]) else {
        return at(fact, None);
    };
    let fact = at(fact, Some(act.time)).entry(Some(act.entry));
    match act.succeeded {
        true => fact,
        false => Fact {
            value: Value::Bad,
            ..fact
        }
        .note(Note::of(remark::found_faults())),
    }
}

/// That acts of these kinds are recorded: how many lately, and the last one.
fn recorded(kind: FactKind, input: &CheckInput, actions: &[Action]) -> Fact {
    let acts = match &input.ledger {
        Ok(acts) => acts,
        Err(why) => return Fact::unknown(kind, input.now, why.clone()),
    };
    let known = actions.iter().filter_map(|action| acts.last.get(action));
    let times = known.map(|act| act.times).sum();
    // What did not happen was not seen to be recorded.
    let why = match (input.ledger_fails, times) {
        (true, _) => Some(remark::ledger_unwritable()),
        (false, 0) => Some(remark::no_act()),
        (false, _) => None,
    };
    if let Some(why) = why {
        return Fact::unknown(kind, input.now, why);
    }
    let fact = Fact::new(kind, Value::Good, input.now).figure(Figure::Count(times));
    fact.entry(last(input, actions).map(|act| act.entry))
}

/// The last act of any of these kinds.
fn last(input: &CheckInput, actions: &[Action]) -> Option<Act> {
    let acts = input.ledger.as_ref().ok()?;
    let known = actions.iter().filter_map(|action| acts.last.get(action));
    known.max_by_key(|act| act.entry).copied()
}

fn count(all: impl Iterator) -> u64 {
    u64::try_from(all.count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::{PLAIN_LINK, healthy, now};
    use crate::config::Config;
    use labward_assess::{Profile, State, assess};
    use labward_base::id::EntryIndex;

    const DAY: Duration = Duration::from_secs(86_400);

    type Change = fn(&mut CheckInput);

    fn fine() -> CheckInput {
        let mut input = healthy();
        input.people[0].roles = input.people[0].roles.and(Role::SecurityOfficer);
        input.config.console.listen = Some("192.0.2.1:8443".parse().unwrap());
        let last = &mut input.ledger.as_mut().unwrap().last;
        let act = last[&Action::LedgerVerified];
        for action in [
            Action::PersonAdded,
            Action::RecordShown,
            Action::SessionRefused,
        ] {
            last.insert(action, act);
        }
        input
    }

    fn found(input: &CheckInput, kind: FactKind) -> Fact {
        let all = facts(input, &Ok((10, 10)));
        all.into_iter().find(|fact| fact.kind == kind).unwrap()
    }

    #[test]
    fn the_server_fills_every_fact_once_and_a_healthy_installation_has_good_ones() {
        let all = facts(&fine(), &Ok((10, 10)));
        let kinds: Vec<FactKind> = all.iter().map(|fact| fact.kind).collect();
        assert_eq!(kinds, FactKind::ALL);
        for fact in &all {
            let expected = match fact.kind {
                // Nobody of it signs in with a password.
                FactKind::SecondFactor => Value::Unknown,
                _ => Value::Good,
            };
            assert_eq!(fact.value, expected, "{fact:?}");
        }
        let states = assess(Profile::Law, &all, &[], now());
        let technical = |state: State| {
            let all = states.iter().filter(|one| one.state == state);
            all.filter(|one| one.requirement.citation.starts_with("164.312"))
                .count()
        };
        assert_eq!((technical(State::Met), technical(State::NotMet)), (12, 0));
    }

    #[test]
    fn each_fact_turns_bad_with_what_it_measures() {
        let changes: &[(FactKind, Change)] = &[
            (FactKind::AccessEnded, |i| {
                i.lost_accounts = Ok(vec![remark::name("Ada")])
            }),
            (FactKind::AccountsKnown, |i| {
                i.group_strangers = Ok(vec!["eve".to_owned()])
            }),
            (FactKind::BackupApart, |i| {
                i.backups.as_mut().unwrap().beside_data = Some(true)
            }),
            (FactKind::BackupRecent, |i| {
                i.backups.as_mut().unwrap().created = None
            }),
            (FactKind::BreakGlassRoles, |i| {
                i.people.iter_mut().for_each(|p| p.uid = None)
            }),
            (FactKind::CertificatesValid, |i| i.server_until = Ok(now())),
            (FactKind::ClockKept, |i| i.machine.clock_is_kept = Ok(false)),
            (FactKind::DisposalComplete, |i| {
                i.backups.as_mut().unwrap().overdue = vec![3]
            }),
            (FactKind::FilesPrivate, |i| {
                i.machine.open_to_others = Ok(vec!["/f".into()])
            }),
            (FactKind::HitsInTime, |i| {
                i.threats.iter_mut().for_each(|state| state.overdue = 1)
            }),
            (FactKind::AdvisoriesFresh, |i| {
                i.threats.iter_mut().for_each(|state| state.advisories = 0)
            }),
            (FactKind::HighFindings, |i| i.slots.truncate(1)),
            (FactKind::KeyArchiveRecent, |i| {
                i.backups.as_mut().unwrap().archived = None
            }),
            (FactKind::KeysApart, |i| {
                i.places[0].same_device = Some(true)
            }),
            (FactKind::LedgerPublished, |i| {
                i.publishing.as_mut().unwrap().fault = Some(remark::other_root(7_u64));
            }),
            (FactKind::LedgerVerified, |i| {
                let acts = &mut i.ledger.as_mut().unwrap().last;
                acts.get_mut(&Action::LedgerVerified).unwrap().succeeded = false;
            }),
            (FactKind::LedgerWritten, |i| i.ledger_fails = true),
            (FactKind::LinesEncrypted, |i| i.config = plain_link()),
            (FactKind::LinksAuthenticated, |i| i.config = plain_link()),
            (FactKind::MemoryGuarded, |i| {
                i.machine.open_swaps = Ok(vec!["/swap".to_owned()])
            }),
            (FactKind::MalwareScanned, |i| {
                i.malware.as_mut().unwrap().unscanned = vec!["a".to_owned()]
            }),
            (FactKind::MalwareRules, |i| {
                i.malware.as_mut().unwrap().newest_rules = None
            }),
            (FactKind::MalwareReacted, |i| {
                i.malware.as_mut().unwrap().closed_within = vec![DAY * 4]
            }),
            (FactKind::PeopleUnique, |i| {
                i.people[1].uid = i.people[0].uid
            }),
            (FactKind::ReserveReady, |i| i.reserve.is_set_aside = false),
            (FactKind::RestoreDrilled, |i| {
                i.backups.as_mut().unwrap().drilled = None
            }),
            (FactKind::RestoreTime, |i| {
                i.backups.as_mut().unwrap().drill_took = Some(Duration::from_secs(73 * 3_600));
            }),
            (FactKind::RetentionFloor, |i| {
                i.config.retention.results_years = 1
            }),
            (FactKind::SecondFactor, |i| {
                i.people[0].login = Some("ada".to_owned())
            }),
            (FactKind::SecurityOfficer, |i| {
                i.people
                    .iter_mut()
                    .for_each(|p| p.roles = Role::Administrator.into());
            }),
            (FactKind::SlotsTested, |i| i.slots[0].last_tested = None),
        ];
        for (kind, change) in changes {
            let mut input = fine();
            change(&mut input);
            assert_eq!(found(&input, *kind).value, Value::Bad, "{kind:?}");
        }
        let plain = facts(&fine(), &Ok((9, 10)));
        let sealed = plain
            .iter()
            .find(|fact| fact.kind == FactKind::RecordsSealed);
        assert_eq!(sealed.unwrap().value, Value::Bad);
    }

    fn plain_link() -> Config {
        Config::parse(&format!("version = 1\n{PLAIN_LINK}")).unwrap()
    }

    #[test]
    fn what_cannot_be_measured_is_unknown_and_says_why() {
        let changes: &[(FactKind, Change)] = &[
            (FactKind::BackupRecent, |i| {
                i.backups = Err(remark::technical("why"))
            }),
            (FactKind::ChecksMeasured, |i| {
                i.witnesses = Err(remark::technical("why"))
            }),
            (FactKind::ClockKept, |i| {
                i.machine.clock_is_kept = Err(remark::technical("why"))
            }),
            (FactKind::KeysApart, |i| i.places[0].same_device = None),
            (FactKind::LedgerVerified, |i| {
                i.ledger = Err(remark::technical("why"))
            }),
            (FactKind::LinesEncrypted, |i| i.config = Config::default()),
            (FactKind::LinksAuthenticated, |i| {
                i.config = Config::default()
            }),
            (FactKind::MalwareScanned, |i| {
                i.malware = Err(remark::technical("why"))
            }),
            (FactKind::MalwareReacted, |i| {
                i.malware.as_mut().unwrap().closed_within.clear()
            }),
            (FactKind::ReadsRecorded, |i| {
                i.ledger = Err(remark::technical("why"))
            }),
            (FactKind::RestoreTime, |i| {
                i.backups.as_mut().unwrap().drilled = None
            }),
            (FactKind::ReadsRecorded, |i| {
                i.ledger.as_mut().unwrap().last.clear()
            }),
            (FactKind::RightsRecorded, |i| i.ledger_fails = true),
            (FactKind::SessionIdle, |i| i.config.console.listen = None),
            (FactKind::SignInsRefused, |i| i.config.console.listen = None),
        ];
        for (kind, change) in changes {
            let mut input = fine();
            change(&mut input);
            let fact = found(&input, *kind);
            assert_eq!(fact.value, Value::Unknown, "{fact:?}");
            assert!(!fact.notes.is_empty() || fact.figure.is_some(), "{fact:?}");
        }
        for sealed in [Err(remark::technical("why")), Ok((0, 0))] {
            let all = facts(&fine(), &sealed);
            let fact = all.iter().find(|fact| fact.kind == FactKind::RecordsSealed);
            assert_eq!(fact.unwrap().value, Value::Unknown, "{sealed:?}");
        }
    }

    #[test]
    fn a_fact_says_how_old_it_is_and_on_which_entry_it_rests() {
        let mut input = fine();
        let verified = found(&input, FactKind::LedgerVerified);
        assert_eq!(verified.entry, Some(EntryIndex::new(150)));
        assert_eq!(now().since(verified.measured), DAY * 2);
        let backups = input.backups.as_mut().unwrap();
        (backups.created_entry, backups.drilled_entry) =
            (Some(EntryIndex::new(3)), Some(EntryIndex::new(4)));
        let backup = found(&input, FactKind::BackupRecent);
        assert_eq!(
            (backup.entry, backup.measured),
            (Some(EntryIndex::new(3)), now().minus(DAY))
        );
        let drill = found(&input, FactKind::RestoreTime);
        assert_eq!(drill.entry, Some(EntryIndex::new(4)));
        assert_eq!(drill.figure, Some(Figure::Seconds(90)));
        let lines = found(&input, FactKind::LinesEncrypted);
        assert_eq!(lines.figure, Some(Figure::Share { of: 2, all: 2 }));
        assert_eq!(lines.measured, now());
    }
}
