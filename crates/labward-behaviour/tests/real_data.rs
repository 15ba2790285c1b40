//! Message types and codes of tests of 219 real messages, at times that are made up: no real series of an
//! analyzer's messages is at hand, so this shows what the rules do with real names, not how many anomalies a
//! real device shows.
//!
//! The messages lie outside the repository, where `LABWARD_TEST_DATA` points; without it the test says that it was
//! skipped.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of a test file"
)]

use std::path::Path;

use labward_base::Timestamp;
use labward_behaviour::{Anomaly, Baseline, Event, MAX_STATE_BYTES, SenderClock, Settings};
use labward_hl7::{Batch, Message};

const DAY: i64 = 86_400;
/// A Monday, 00:00 UTC.
const MONDAY: i64 = 1_767_571_200;

/// The type and the codes of tests of each real message, in the order of the files' names.
fn messages() -> Option<Vec<(String, Vec<String>)>> {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: behaviour on real messages: LABWARD_TEST_DATA is not set");
        return None;
    };
    let folder = std::fs::read_dir(Path::new(&data).join("hl7")).unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path).unwrap();
        for one in Batch::parse(&bytes).unwrap().messages() {
            let message = Message::parse(one).unwrap();
            let kind = message.message_type();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let name = format!("{}^{}", text(kind.code), text(kind.effective_event()));
            let tests = message.segments().filter(|segment| segment.id() == b"OBX");
            let codes = tests.map(|segment| text(segment.field(3).component(1).raw()));
            all.push((name, codes.collect()));
        }
    }
    Some(all)
}

/// Numbers that are the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Every message once on every day from Monday to Saturday, at its hour from 6 to 20 o'clock and a minute by chance; a
/// tenth is left out by chance, and numbers count what is sent.
fn week(week: i64, count: usize, dice: &mut Dice, number: &mut u64) -> Vec<(i64, usize, u64)> {
    let mut sent = Vec::new();
    for day in 0..6 {
        for message in 0..count {
            let minute = i64::try_from(dice.below(3_600)).unwrap();
            let hour = 6 + i64::try_from(message % 14).unwrap();
            if dice.below(10) > 0 {
                let at = MONDAY + (week * 7 + day) * DAY + hour * 3_600 + minute;
                sent.push((at, message));
            }
        }
    }
    sent.sort_unstable();
    let numbered = sent.into_iter().map(|(at, message)| {
        *number += 1;
        (at, message, *number)
    });
    numbered.collect()
}

fn observe(
    baseline: &mut Baseline,
    at: i64,
    number: u64,
    message: &(String, Vec<String>),
) -> Vec<Anomaly> {
    let settings = Settings::default();
    let tests: Vec<&str> = message.1.iter().map(String::as_str).collect();
    let at = Timestamp::from_seconds(at);
    let event = Event {
        at,
        message_type: &message.0,
        tests: &tests,
        sequence: Some(number),
        sender_clock: Some(SenderClock {
            at,
            has_zone: false,
        }),
    };
    let mut told = baseline.look(at, &settings);
    told.extend(baseline.observe(&event, &settings));
    told
}

#[test]
fn weeks_of_real_messages_show_no_anomaly_and_what_is_otherwise_is_told() {
    let Some(messages) = messages() else { return };
    assert_eq!(messages.len(), 219);
    let (mut dice, mut number) = (Dice(0x9e37_79b9_7f4a_7c15), 0);
    let mut baseline = Baseline::begin(Timestamp::from_seconds(MONDAY));
    let mut told_before = Vec::new();
    for at in 0..12 {
        for (at, message, number) in week(at, messages.len(), &mut dice, &mut number) {
            told_before.extend(observe(&mut baseline, at, number, &messages[message]));
        }
    }
    assert!(baseline.has_learned() && !baseline.is_overfull());
    assert_eq!(told_before, [], "ten weeks after two of learning");
    let size = baseline.to_bytes().len();
    eprintln!("a state of {size} octets");
    assert!(size <= MAX_STATE_BYTES);

    let sunday = MONDAY + (11 * 7 + 6) * DAY + 3 * 3_600 + 600;
    let odd = ("QBP^Q11".to_owned(), vec!["no-such-test".to_owned()]);
    let mut told = observe(&mut baseline, sunday, number + 9, &odd);
    told.extend(baseline.look(Timestamp::from_seconds(sunday + 1), &Settings::default()));
    told.extend(baseline.look(
        Timestamp::from_seconds(sunday + DAY + 6 * 3_600),
        &Settings::default(),
    ));
    let codes: Vec<_> = told.iter().map(|one| one.saying().code).collect();
    assert_eq!(
        codes,
        [
            "unusual-hour",
            "new-message-type",
            "new-test",
            "sequence-gap",
            "silent"
        ]
    );
}
