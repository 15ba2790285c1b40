//! Made-up weeks: what is told, what is not, and that it stays so for any series.

use proptest::prelude::*;

use super::*;
use crate::anomaly::KindParts;
use crate::state::MAX_STATE_BYTES;
use crate::{BadState, Kind, SenderClock};

/// A Monday, 00:00 UTC.
const MONDAY: i64 = 1_767_571_200;
const WEEK: i64 = 7 * DAY;

/// One message of a series; the owner of what an event borrows.
#[derive(Clone, Debug)]
struct Message {
    at_s: i64,
    message_type: String,
    tests: Vec<String>,
    sequence: Option<u64>,
    ahead_s: Option<i64>,
}

impl Message {
    fn at(at_s: i64) -> Self {
        Self {
            at_s,
            message_type: "ORU^R01".to_owned(),
            tests: vec!["GLU".to_owned()],
            sequence: None,
            ahead_s: Some(2),
        }
    }
}

fn feed(baseline: &mut Baseline, messages: &[Message], settings: &Settings) -> Vec<Anomaly> {
    let mut told = Vec::new();
    for message in messages {
        let at = Timestamp::from_seconds(message.at_s);
        let tests: Vec<&str> = message.tests.iter().map(String::as_str).collect();
        let event = Event {
            at,
            message_type: &message.message_type,
            tests: &tests,
            sequence: message.sequence,
            sender_clock: message.ahead_s.map(|ahead| SenderClock {
                at: Timestamp::from_seconds(message.at_s + ahead),
                has_zone: true,
            }),
        };
        told.extend(baseline.look(at, settings));
        told.extend(baseline.observe(&event, settings));
    }
    told
}

/// Four messages an hour from 7 to 18 o'clock, Monday to Friday, with numbers.
fn weeks(first: i64, count: i64) -> Vec<Message> {
    let mut messages = Vec::new();
    for day in (0..count * 7).filter(|day| day % 7 < 5) {
        for quarter in 28..72 {
            let mut message = Message::at(MONDAY + first * WEEK + day * DAY + quarter * 900);
            message.sequence = Some(u64::try_from(messages.len()).unwrap() + 1);
            messages.push(message);
        }
    }
    messages
}

fn learned(count: i64) -> Baseline {
    let messages = weeks(0, count);
    let mut baseline = Baseline::begin(Timestamp::from_seconds(messages[0].at_s));
    assert_eq!(feed(&mut baseline, &messages, &Settings::default()), []);
    baseline
}

/// What a message is told as, after so many weeks, and a look a second later.
#[track_caller]
fn check(count: i64, message: Message, codes: &[&str]) -> Vec<Anomaly> {
    let settings = Settings::default();
    let mut baseline = learned(count);
    let later = Timestamp::from_seconds(message.at_s + 1);
    let mut told = feed(&mut baseline, &[message], &settings);
    told.extend(baseline.look(later, &settings));
    let found: Vec<_> = told.iter().map(|one| one.saying().code).collect();
    assert_eq!(found, codes);
    for one in &told {
        assert!(one.saying().is_whole(), "{one:?}");
    }
    told
}

/// The next of the numbers, and the hour of the week after, as seconds from its Monday.
fn next(count: i64, seconds: i64) -> Message {
    let mut message = Message::at(MONDAY + count * WEEK + seconds);
    message.sequence = Some(weeks(0, count).len() as u64 + 1);
    message
}

const MORNING: i64 = 7 * 3_600;

#[test]
fn the_usual_is_not_told() {
    check(2, next(2, MORNING), &[]);
    check(6, next(6, MORNING), &[]);
    // Summer time moves an hour.
    check(6, next(6, MORNING - 3_600), &[]);
}

#[test]
fn an_hour_at_which_it_never_sent_is_told() {
    let told = check(4, next(4, 3 * 3_600 + 600), &["unusual-hour"]);
    assert_eq!(
        told[0].saying().to_string(),
        "Sends at 2026-02-02 03:10 UTC, an hour at which it did not use to send in 27 days."
    );
    // Before there were four weeks a Saturday counts as any day.
    for (count, codes) in [(4, &[][..]), (6, &["unusual-hour"])] {
        let mut saturday = next(count - 1, 5 * DAY + MORNING);
        saturday.sequence = None;
        check(count, saturday, codes);
    }
}

#[test]
fn a_new_type_or_test_is_told_and_becomes_usual() {
    let mut message = next(2, MORNING);
    message.message_type = "QRY^R02".to_owned();
    message.tests.push("HIV\u{1b}".to_owned());
    check(2, message.clone(), &["new-message-type", "new-test"]);
    let (mut baseline, settings) = (learned(2), Settings::default());
    let days: Vec<usize> = (0..5)
        .map(|day| {
            let mut one = message.clone();
            one.at_s += day * DAY;
            one.sequence = None;
            let later = Message::at(one.at_s + 1);
            let mut told = feed(&mut baseline, &[one.clone(), one, later], &settings);
            told.retain(|one| !matches!(one.kind, Kind::Silent { .. }));
            told.len()
        })
        .collect();
    assert_eq!(days, [2, 2, 2, 0, 0]);
}

#[test]
fn missing_numbers_and_steps_back_are_told() {
    let mut gap = next(2, MORNING);
    gap.sequence = gap.sequence.map(|number| number + 3);
    let told = check(2, gap, &["sequence-gap"]);
    assert!(matches!(told[0].kind, Kind::SequenceGap { expected, found } if found == expected + 3));
    let mut back = next(2, MORNING);
    back.sequence = Some(1);
    check(2, back, &["sequence-back"]);
}

#[test]
fn a_flood_is_told_once_an_hour() {
    let (mut baseline, settings) = (learned(2), Settings::default());
    let flood: Vec<Message> = (0..600)
        .map(|second| {
            let mut message = next(2, MORNING + second);
            message.sequence = None;
            message
        })
        .collect();
    let told = feed(&mut baseline, &flood, &settings);
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].kind,
        Kind::TooMany {
            count: 37,
            usual: 4
        }
    );
}

#[test]
fn a_clock_that_goes_off_is_told_on_three_days() {
    let (mut baseline, settings) = (learned(2), Settings::default());
    let days: Vec<Vec<&str>> = (0..5)
        .map(|day| {
            let mut message = next(2, day * DAY + MORNING);
            message.sequence = None;
            message.ahead_s = Some(3_600);
            let told = feed(&mut baseline, &[message], &settings);
            let codes = told.iter().map(|one| one.kind.code());
            codes.filter(|code| *code != "silent").collect()
        })
        .collect();
    let off = vec!["clock-off"];
    // Each is told when its day is over.
    assert_eq!(days, [vec![], off.clone(), off.clone(), off, vec![]]);
    // Messages that lay about for a day do not make the clock late while another of the day is in time.
    let mut late = next(2, MORNING);
    late.ahead_s = Some(-DAY);
    let mut both = vec![late, next(2, MORNING + 900), next(2, DAY + MORNING)];
    both.iter_mut().for_each(|message| message.sequence = None);
    let told = feed(&mut learned(2), &both, &settings);
    assert!(
        told.iter()
            .all(|one| matches!(one.kind, Kind::Silent { .. })),
        "{told:?}"
    );
}

#[test]
fn silence_is_told_only_of_hours_in_which_it_always_sent() {
    let settings = Settings::default();
    let look = |baseline: &mut Baseline, seconds: i64| {
        let told = baseline.look(
            Timestamp::from_seconds(MONDAY + 3 * WEEK + seconds),
            &settings,
        );
        told.into_iter().map(|one| one.kind).collect::<Vec<_>>()
    };
    let mut baseline = learned(3);
    assert_eq!(
        look(&mut baseline, 6 * 3_600),
        [],
        "the weekend is its usual silence"
    );
    assert_eq!(look(&mut baseline, 10 * 3_600 - 1), []);
    let since = Timestamp::from_seconds(MONDAY + 2 * WEEK + 4 * DAY + 71 * 900);
    assert_eq!(
        look(&mut baseline, 10 * 3_600),
        [Kind::Silent { since, hours: 3 }]
    );
    assert_eq!(look(&mut baseline, 20 * 3_600), [], "it is told once");
    let mut young = learned(1);
    assert_eq!(look(&mut young, 12 * 3_600), [], "it is not known yet");
}

#[test]
fn a_device_that_hardly_sends_is_learned_as_long_as_it_takes() {
    let messages: Vec<Message> = (0..6)
        .map(|month| Message::at(MONDAY + month * 30 * DAY))
        .collect();
    let mut baseline = Baseline::begin(Timestamp::from_seconds(MONDAY));
    assert_eq!(feed(&mut baseline, &messages, &Settings::default()), []);
    assert!(!baseline.has_learned());
}

fn message() -> impl Strategy<Value = Message> {
    let at = prop_oneof![
        0..4 * WEEK,
        (0..4 * WEEK).prop_map(|at| at / DAY * DAY + 36_000)
    ];
    let tests = prop::collection::vec("[A-F]", 0..3);
    let number = prop::option::of(prop_oneof![0..20_u64, 0..1_000_000_u64]);
    (
        at,
        "[A-C]?",
        tests,
        number,
        prop::option::of(-5_000..5_000_i64),
    )
        .prop_map(|(at, message_type, tests, sequence, ahead_s)| Message {
            at_s: MONDAY + at,
            message_type,
            tests,
            sequence,
            ahead_s,
        })
}

fn series(weeks: i64) -> impl Strategy<Value = Vec<Message>> {
    prop::collection::vec(message(), 1..250).prop_map(move |mut messages| {
        messages.retain(|message| message.at_s < MONDAY + weeks * WEEK);
        messages.sort_by_key(|message| message.at_s);
        messages
    })
}

/// The same weeks again, with numbers that go on.
fn again(messages: &[Message], weeks: i64) -> Vec<Message> {
    let numbers = || messages.iter().filter_map(|message| message.sequence);
    let mut next = messages.to_vec();
    for message in &mut next {
        message.at_s += weeks * WEEK;
        message.sequence = None;
    }
    // Numbers of one time are judged together, so only a series of single times can go on.
    let is_single = messages.windows(2).all(|pair| pair[0].at_s < pair[1].at_s);
    if let (true, Some(first), Some(last)) = (is_single, numbers().next(), numbers().next_back()) {
        for (message, before) in next.iter_mut().zip(messages) {
            let moved =
                |number: u64| (1_000_000 + number + last + 1).checked_sub(first + 1_000_000);
            message.sequence = before.sequence.and_then(moved);
        }
    }
    next
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_was_learned_is_not_told_when_it_comes_again(weeks in 2..=4_i64, messages in series(4)) {
        let mut messages = messages;
        messages.retain(|message| message.at_s < MONDAY + weeks * WEEK);
        prop_assume!(!messages.is_empty());
        let settings = Settings { learning_days: u16::try_from(weeks * 7).unwrap(), ..Settings::default() };
        let mut baseline = Baseline::begin(Timestamp::from_seconds(messages[0].at_s));
        prop_assert_eq!(feed(&mut baseline, &messages, &settings), []);
        let told = feed(&mut baseline, &again(&messages, weeks), &settings);
        let told: Vec<_> = told.iter().map(|one| one.saying().to_string()).collect();
        prop_assert_eq!(told, Vec::<String>::new());
    }

    #[test]
    fn the_order_of_one_time_does_not_matter(messages in series(4), seed in any::<u64>()) {
        prop_assume!(!messages.is_empty());
        let mut turned = messages.clone();
        turned.sort_by_key(|message| {
            let mixed = message.sequence.unwrap_or(7).wrapping_mul(seed | 1) ^ seed;
            (message.at_s, mixed, std::cmp::Reverse(message.ahead_s))
        });
        let settings = Settings::default();
        let run = |messages: &[Message]| {
            let mut baseline = Baseline::begin(Timestamp::from_seconds(messages[0].at_s));
            let told = feed(&mut baseline, messages, &settings);
            (baseline, told)
        };
        prop_assert_eq!(run(&messages), run(&turned));
    }

    #[test]
    fn a_state_is_read_back_as_it_was(messages in series(4), looks in 1..400_i64) {
        prop_assume!(!messages.is_empty());
        let settings = Settings::default();
        let mut baseline = Baseline::begin(Timestamp::from_seconds(messages[0].at_s));
        feed(&mut baseline, &messages, &settings);
        baseline.look(baseline.last.plus(std::time::Duration::from_secs(3_600 * looks.unsigned_abs())), &settings);
        let bytes = baseline.to_bytes();
        prop_assert!(bytes.len() <= MAX_STATE_BYTES);
        prop_assert_eq!(Baseline::from_bytes(&bytes), Ok(baseline));
        prop_assert_eq!(Baseline::from_bytes(&bytes[..bytes.len() - 1]), Err(BadState));
    }

    #[test]
    fn no_state_and_no_time_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..64), micros in any::<i64>(), number in any::<u64>()) {
        let settings = Settings::default();
        let mut bytes = learned(2).to_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let Ok(mut baseline) = Baseline::from_bytes(&bytes) else { return Ok(()) };
        let at = Timestamp::from_micros(micros);
        let event = Event { at, message_type: "A", tests: &["B"], sequence: Some(number), sender_clock: Some(SenderClock { at, has_zone: false }) };
        baseline.observe(&event, &settings);
        baseline.look(at, &settings);
        baseline.look(Timestamp::from_micros(i64::MAX), &settings);
        for kind in told_of(at, number) {
            let anomaly = Anomaly { at, kind };
            baseline.is_over(&anomaly);
            baseline.expect(&anomaly);
        }
        baseline.lost(at);
        baseline.summary();
        baseline.progress(at, &settings);
        prop_assert!(baseline.to_bytes().len() <= MAX_STATE_BYTES);
    }
}

/// One of each kind.
fn told_of(at: Timestamp, number: u64) -> Vec<Kind> {
    let number = number >> 1;
    let short = u32::try_from(number & 0xffff).unwrap();
    vec![
        Kind::ClockOff {
            ahead_s: -at.as_seconds(),
            low_s: -3,
            high_s: 5,
        },
        Kind::NewMessageType("QBP^Q11".into()),
        Kind::NewTest("94531-1".into()),
        Kind::SequenceBack {
            last: number,
            found: 1,
        },
        Kind::SequenceGap {
            expected: 1,
            found: number,
        },
        Kind::Silent {
            since: at,
            hours: short,
        },
        Kind::TooMany {
            count: short,
            usual: 4,
        },
        Kind::UnusualHour { days: short },
    ]
}

#[test]
fn a_kind_is_put_together_as_it_was_taken_apart() {
    let at = Timestamp::from_seconds(MONDAY);
    let kinds = told_of(at, 77);
    assert_eq!(kinds.len(), Kind::CODES.len());
    for (kind, code) in kinds.into_iter().zip(Kind::CODES) {
        let KindParts {
            code: found,
            name,
            numbers,
        } = kind.to_parts();
        assert_eq!(found, code);
        assert_eq!(Kind::of_parts(code, &name, numbers), Some(kind.clone()));
        assert!(Anomaly { at, kind }.saying().is_whole());
    }
    assert_eq!(Kind::of_parts("silent", "", [0, -1, 0]), None);
    assert_eq!(Kind::of_parts("other", "", [0; 3]), None);
}

#[test]
fn what_may_be_lost_is_no_silence_and_no_gap() {
    let settings = Settings::default();
    let mut baseline = learned(3);
    let noon = MONDAY + 3 * WEEK + 12 * 3_600;
    assert_eq!(baseline.lost(Timestamp::from_seconds(noon)), []);
    // From then on three hours must be missing again.
    let look = |baseline: &mut Baseline, hours: i64| {
        let told = baseline.look(Timestamp::from_seconds(noon + hours * 3_600), &settings);
        told.iter().map(|one| one.kind.code()).collect::<Vec<_>>()
    };
    assert_eq!(look(&mut baseline, 3), Vec::<&str>::new());
    assert_eq!(look(&mut baseline, 4), ["silent"]);
    let mut message = Message::at(noon + 5 * 3_600);
    message.sequence = Some(9_999);
    let later = Message::at(message.at_s + 1);
    assert_eq!(feed(&mut baseline, &[message, later], &settings), []);
    // A start on each day keeps no day from being counted.
    let mut young = Baseline::begin(Timestamp::from_seconds(MONDAY));
    for day in 0..15 {
        young.lost(Timestamp::from_seconds(MONDAY + day * DAY + 3_600));
        feed(
            &mut young,
            &[Message::at(MONDAY + day * DAY + MORNING)],
            &settings,
        );
    }
    assert!(young.has_learned());
}

#[test]
fn what_a_person_expects_is_not_told_again_and_is_over() {
    let settings = Settings::default();
    let mut odd = next(4, 3 * 3_600 + 600);
    odd.message_type = "QRY^R02".to_owned();
    odd.tests = vec!["HIV1".to_owned()];
    odd.ahead_s = Some(7_200);
    odd.sequence = odd.sequence.map(|number| number + 10);
    let mut baseline = learned(4);
    let mut told = feed(&mut baseline, &[odd.clone()], &settings);
    told.extend(baseline.look(Timestamp::from_seconds(odd.at_s + DAY), &settings));
    told.retain(|one| !matches!(one.kind, Kind::Silent { .. }));
    let codes: Vec<_> = told.iter().map(|one| one.kind.code()).collect();
    let all = [
        "unusual-hour",
        "new-message-type",
        "new-test",
        "sequence-gap",
        "clock-off",
    ];
    assert_eq!(codes, all);
    assert!(told.iter().all(|one| !baseline.is_over(one)));
    for one in &told {
        baseline.expect(one);
        assert!(baseline.is_over(one), "{one:?}");
    }
    odd.at_s += 7 * DAY;
    odd.sequence = Some(5_000);
    let mut again = feed(&mut baseline, &[odd.clone()], &settings);
    again.extend(baseline.look(Timestamp::from_seconds(odd.at_s + DAY), &settings));
    again.retain(|one| !matches!(one.kind, Kind::Silent { .. }));
    assert_eq!(again, []);
}

#[test]
fn a_clock_without_a_zone_may_change_to_summer_time_and_no_further() {
    let settings = Settings::default();
    for (ahead_s, has_zone, codes) in [
        (3_602, false, &[][..]),
        (3_602, true, &["clock-off"][..]),
        (-3_598, false, &[]),
        (7_202, false, &["clock-off"]),
    ] {
        let mut baseline = learned(2);
        let at = Timestamp::from_seconds(MONDAY + 2 * WEEK + MORNING);
        let event = Event {
            at,
            sender_clock: Some(SenderClock {
                at: Timestamp::from_seconds(at.as_seconds() + ahead_s),
                has_zone,
            }),
            ..Event::default()
        };
        baseline.observe(&event, &settings);
        let told = baseline.look(at.plus(std::time::Duration::from_secs(86_400)), &settings);
        let told = told.iter().map(|one| one.kind.code());
        let told: Vec<_> = told.filter(|code| *code != "silent").collect();
        assert_eq!(told, codes, "{ahead_s} {has_zone}");
    }
}

#[test]
fn a_clocks_error_is_said_in_hours_and_minutes() {
    let said = |ahead_s| {
        let kind = Kind::ClockOff {
            ahead_s,
            low_s: -3,
            high_s: 65,
        };
        let at = Timestamp::from_seconds(MONDAY);
        Anomaly { at, kind }.saying().to_string()
    };
    assert_eq!(
        said(7_200),
        "On the day of 2026-01-05 00:00 UTC its clock was 2 h ahead of ours; usual is from -3 s to 1 min 5 s."
    );
    assert!(said(-3_720).contains("1 h 2 min behind ours"));
}

#[test]
fn a_device_that_sends_ever_new_names_stays_small() {
    let settings = Settings::default();
    let mut baseline = learned(2);
    let mut told = 0;
    for number in 0..5_000 {
        let mut message = next(2, MORNING + number);
        message.sequence = None;
        message.message_type = format!("{number:x}").repeat(90);
        message.tests = (0..40)
            .map(|test| format!("{number}-{test}\u{e9}").repeat(20))
            .collect();
        told += feed(&mut baseline, &[message], &settings).len();
    }
    assert!(baseline.to_bytes().len() <= MAX_STATE_BYTES);
    assert!(baseline.is_overfull());
    assert!(told < 600, "{told}");
}
