//! A due list, work orders and a calendar, which is read again by another's parser (the crate `icalendar`).

use icalendar::parser::{read_calendar, unfold};
use labward_base::Timestamp;
use proptest::prelude::*;
use time::Date;
use time::macros::date;

use super::*;
use crate::{Band, Clocks, Days, Kev, Known, Support, Treatment, prioritise, standing};

const TODAY: Date = date!(2026 - 03 - 01);

fn work(hit: &str, known: &Known, found: Date, treatments: &[Treatment]) -> Work {
    let clocks = Clocks::default();
    let priority = prioritise(known, TODAY);
    let days = Days {
        found,
        patch_available: Some(found),
        kev_due: None,
    };
    let due = clocks.due(priority.band, &days, TODAY);
    Work {
        hit: hit.to_owned(),
        device: "Cobas c111, bench 3; core lab".to_owned(),
        vulnerability: "CVE-2023-1968".to_owned(),
        advisory: "ICSMA-23-117-01".to_owned(),
        standing: standing(&due, treatments, &clocks, TODAY),
        priority,
        due,
    }
}

fn listed() -> Known {
    Known {
        vectors: vec!["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N".into()],
        kev: Kev::NotListed,
        ..Known::default()
    }
}

fn head() -> Head {
    Head {
        name: "Due work".to_owned(),
        site: "lab.example".to_owned(),
        written: Timestamp::from_seconds(1_772_323_200),
    }
}

#[test]
fn a_due_list_has_one_order() {
    let nothing = Known::default();
    let mut all = vec![
        work("d", &listed(), TODAY, &[]),
        work("c", &nothing, TODAY, &[]),
        work("b", &nothing, date!(2026 - 01 - 01), &[]),
        work("a", &nothing, TODAY, &[]),
    ];
    all[2].due.day = all[1].due.day;
    all[2].priority.band = Band::Low;
    sort_by_due(&mut all);
    let keys: Vec<_> = all.iter().map(|one| one.hit.as_str()).collect();
    assert_eq!(keys, ["a", "c", "b", "d"]);
}

#[test]
fn a_work_order_says_what_why_when_and_how() {
    let order = work("a", &Known::default(), TODAY, &[]).order();
    let text = order.to_text(Saying::to_string);
    for part in [
        "Cobas c111, bench 3; core lab: CVE-2023-1968 (critical, open)\n",
        "\nWhy\n- Whether the device is affected cannot be told",
        "- Due on 2026-03-16.\n- 15 days for critical, from 2026-03-01, when it was found.\n",
        "\nWhat to do\n- Look at the device",
        "- Have it measured who reaches the device.\n",
        "\nDone\n",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    for (heading, lines) in &order.parts {
        assert!(heading.is_whole());
        assert!(lines.iter().all(Saying::is_whole));
    }
    let ended = Known {
        support: Support::Until(date!(2020 - 01 - 14)),
        ..Known::default()
    };
    let steps: Vec<_> = work("a", &ended, TODAY, &[])
        .steps()
        .iter()
        .map(|step| step.code)
        .collect();
    assert!(steps.contains(&"step-replace") && !steps.contains(&"step-ask"));
}

#[test]
fn a_calendar_is_read_back_with_its_days_and_alarms() {
    let untreated = work("hit 1/7", &Known::default(), TODAY, &[]);
    let accepted = work(
        "hit-2",
        &listed(),
        TODAY,
        &[Treatment::Accept {
            until: date!(2026 - 12 - 31),
        }],
    );
    let measured = work(
        "hit-3",
        &listed(),
        TODAY,
        &[Treatment::Control { measured: true }],
    );
    let all = [untreated, accepted, measured];
    let text = calendar(&head(), &all, &Clocks::default(), Saying::to_string);
    let again = calendar(&head(), &all, &Clocks::default(), Saying::to_string);
    assert_eq!(text, again, "nothing of it is by chance or of the clock");
    let unfolded = unfold(&text);
    let read = read_calendar(&unfolded).unwrap();
    assert_eq!(read.components.len(), 2);
    let value = |at: usize, name: &str| {
        let event = &read.components[at];
        event.find_prop(name).unwrap().val.to_string()
    };
    assert_eq!(value(0, "UID"), "hit_201_2f7@lab.example");
    assert_eq!(
        (value(0, "DTSTART"), value(1, "DTSTART")),
        ("20260316".into(), "20261231".into())
    );
    assert_eq!(
        (value(0, "PRIORITY"), value(0, "CLASS")),
        ("1".into(), "CONFIDENTIAL".into())
    );
    assert_eq!(value(0, "DTSTAMP"), "20260301T000000Z");
    assert!(text.contains("DTSTART;VALUE=DATE:20260316\r\n"));
    // The parser has undone what was escaped.
    assert_eq!(
        value(0, "SUMMARY"),
        "Cobas c111, bench 3; core lab: CVE-2023-1968 (critical, open)"
    );
    assert!(value(0, "DESCRIPTION").starts_with("Due on 2026-03-16.\n15 days for critical"));
    assert!(text.contains("\r\nSUMMARY:Cobas c111\\, bench 3\\; core lab"));
    let alarms = &read.components[0].components;
    let triggers: Vec<_> = alarms
        .iter()
        .map(|one| one.find_prop("TRIGGER").unwrap().val.to_string())
        .collect();
    assert_eq!(triggers, ["PT9H", "-P6DT15H"]);
}

/// RFC 5545: lines end in CR LF and are at most 75 octets long; a line break in a text is two letters.
#[track_caller]
fn check_form(text: &str) {
    assert!(text.ends_with("\r\n"));
    for line in text.split_terminator("\r\n") {
        assert!(line.len() <= 75, "{line}");
        assert!(!line.contains(['\r', '\n']), "{line:?}");
    }
    for (begin, end) in [
        ("BEGIN:VCALENDAR", "END:VCALENDAR"),
        ("BEGIN:VEVENT", "END:VEVENT"),
    ] {
        let count = |mark: &str| text.split("\r\n").filter(|line| *line == mark).count();
        assert_eq!(count(begin), count(end));
    }
}

proptest! {
    #[test]
    fn no_name_breaks_out_of_its_line(device in "\\PC{0,60}|[\\r\\n\\t;,:\\\\\"A-Z\u{e9}\u{4e16}]{0,200}", hit in "\\PC{0,20}") {
        let mut one = work(&hit, &Known::default(), TODAY, &[]);
        one.device = format!("{device}\r\nEND:VEVENT\nX:{device}");
        let title = one_line(&one.title().to_string());
        let text = calendar(&head(), &[one], &Clocks::default(), Saying::to_string);
        check_form(&text);
        let unfolded = unfold(&text);
        let read = read_calendar(&unfolded).unwrap();
        prop_assert_eq!(read.components.len(), 1);
        let summary = read.components[0].find_prop("SUMMARY").unwrap().val.to_string();
        prop_assert_eq!(summary, title);
    }

    #[test]
    fn no_day_panics(days in any::<i32>(), soon_days in any::<u16>(), micros in any::<i64>()) {
        let mut one = work("a", &Known::default(), TODAY, &[]);
        one.due.day = TODAY.saturating_add(time::Duration::days(days.into()));
        let clocks = Clocks { soon_days, ..Clocks::default() };
        let head = Head { written: Timestamp::from_micros(micros), ..head() };
        check_form(&calendar(&head, &[one], &clocks, Saying::to_string));
    }
}
