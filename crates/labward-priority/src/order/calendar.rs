//! Due work as a calendar (RFC 5545).
//!
//! A vulnerability that is not treated is a secret of the laboratory: events are confidential, and whoever gets
//! the file sees its weak points. It must never let a name break out of its line.

use std::fmt::Write as _;

use labward_base::{Saying, Timestamp};
use time::Date;

use super::{Work, one_line};
use crate::clocks::Clocks;
use crate::priority::Band;
use crate::standing::State;

/// What the calendar says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub name: String,
    /// What makes keys of hits unique in the world: a name of the site, such as its domain.
    pub site: String,
    /// When it is written.
    pub written: Timestamp,
}

/// The calendar of what is due, in the words of `say`; `Saying::to_string` says it in English.
///
/// Each hit that nothing treats is an all-day event on its due day, with alarms at 9 o'clock of that day and
/// `soon_days` before. What is treated up to a day is one on that day, and what is treated without an end is left
/// out. A hit keeps its UID, so that a changed day moves its event.
pub fn calendar(
    head: &Head,
    work: &[Work],
    clocks: &Clocks,
    say: impl Fn(&Saying) -> String,
) -> String {
    let mut lines = Lines::default();
    lines.put("BEGIN", "VCALENDAR");
    lines.put("VERSION", "2.0");
    lines.put("PRODID", "-//Labward//Labward//EN");
    lines.put("CALSCALE", "GREGORIAN");
    // The name of before RFC 7986, which many readers know alone, and that of RFC 7986.
    lines.put("X-WR-CALNAME", &escaped(&one_line(&head.name)));
    lines.put("NAME", &escaped(&one_line(&head.name)));
    for one in work {
        if let Some(day) = day_of(one) {
            event(&mut lines, head, one, day, clocks, &say);
        }
    }
    lines.put("END", "VCALENDAR");
    lines.text
}

/// The day of the event; `None` if there is nothing to be done, or the day has no four digits.
fn day_of(work: &Work) -> Option<Date> {
    let day = match work.standing.state {
        State::Treated => work.standing.until?,
        _ => work.due.day,
    };
    (0..=9_999).contains(&day.year()).then_some(day)
}

fn event(
    lines: &mut Lines,
    head: &Head,
    work: &Work,
    day: Date,
    clocks: &Clocks,
    say: &impl Fn(&Saying) -> String,
) {
    let uid = format!("{}@{}", safe(&work.hit), safe(&head.site));
    let title = escaped(&one_line(&say(&work.title())));
    lines.put("BEGIN", "VEVENT");
    lines.put("UID", &uid);
    lines.put("DTSTAMP", &moment(head.written));
    let date = format!(
        "{:04}{:02}{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    );
    lines.put("DTSTART;VALUE=DATE", &date);
    lines.put("SUMMARY", &title);
    lines.put("DESCRIPTION", &description(work, say));
    lines.put("PRIORITY", priority(work.priority.band));
    lines.put("CLASS", "CONFIDENTIAL");
    lines.put("TRANSP", "TRANSPARENT");
    // A duration counts from the midnight at which the day begins.
    alarm(lines, &title, "PT9H");
    if let Some(whole) = clocks.soon_days.checked_sub(1) {
        alarm(lines, &title, &format!("-P{whole}DT15H"));
    }
    lines.put("END", "VEVENT");
}

fn alarm(lines: &mut Lines, title: &str, trigger: &str) {
    lines.put("BEGIN", "VALARM");
    lines.put("ACTION", "DISPLAY");
    lines.put("DESCRIPTION", title);
    lines.put("TRIGGER", trigger);
    lines.put("END", "VALARM");
}

/// `YYYYMMDDTHHMMSSZ`.
fn moment(time: Timestamp) -> String {
    let time = time.to_offset();
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Why, by which rule, and in which advisory: a line each.
fn description(work: &Work, say: &impl Fn(&Saying) -> String) -> String {
    let mut lines = vec![work.due_day(), work.due.rule.saying(), work.published()];
    lines.extend(work.standing.notes.iter().map(|note| note.saying()));
    lines.extend(work.priority.reasons.iter().map(|reason| reason.saying()));
    let lines: Vec<String> = lines.iter().map(|line| one_line(&say(line))).collect();
    escaped(&lines.join("\n"))
}

/// 1 is the highest and 9 the lowest (RFC 5545, 3.8.1.9).
const fn priority(band: Band) -> &'static str {
    match band {
        Band::Critical => "1",
        Band::High => "3",
        Band::Medium => "5",
        Band::Low => "9",
    }
}

/// A value of the type TEXT (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ',' | ';' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\n' => escaped.push_str("\\n"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Letters, digits, `-` and `.` as they are, any other byte in hexadecimal, so that two keys stay two.
fn safe(key: &str) -> String {
    let mut safe = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => safe.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(safe, "_{byte:02x}")),
        }
    }
    safe
}

/// Content lines (RFC 5545, 3.1): none is longer than 75 octets, and none breaks within a letter.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// Writes a line; the value must hold no line break.
    fn put(&mut self, name: &str, value: &str) {
        let mut octets = 0;
        for letter in name.chars().chain([':']).chain(value.chars()) {
            if octets + letter.len_utf8() > 75 {
                self.text.push_str("\r\n ");
                octets = 1;
            }
            self.text.push(letter);
            octets += letter.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}
