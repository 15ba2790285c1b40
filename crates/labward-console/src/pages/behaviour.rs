//! What a device usually does on its line, as a part of its page, and the page of what devices did otherwise.
//!
//! It must never show an alert without a way to its entry, or by colour alone whether it is open.

use askama::Template;
use labward_api::ProblemBody;
use labward_api::behaviour::{DeviceBehaviour, Unusual, UnusualFilter, UnusualPage};
use labward_identity::Permission;

use super::{When, count};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Alerts on a page.
pub const UNUSUAL_ON_PAGE: u32 = 50;

/// What was seen of an alert that is shown at once; the rest is a click away.
const SEEN_SHOWN: usize = 3;

/// Which alerts the page may show, the first without a word in the address.
const STATES: &[&str] = &["open", "closed", "all"];

/// What is known of what one device does.
#[derive(Clone, Copy, Default)]
pub struct Usual<'a> {
    /// What it usually does; nothing while no message of it was accepted.
    pub known: Option<&'a DeviceBehaviour>,
    /// What it did otherwise and nobody answered.
    pub open: &'a [Unusual],
}

impl Usual<'_> {
    /// The hours as spans: `06:00–19:00`.
    pub(super) fn hours(&self) -> String {
        let hours = self.known.map_or(&[][..], |known| &known.hours);
        let mut spans: Vec<(u8, u8)> = Vec::new();
        for hour in hours {
            match spans.last_mut() {
                Some((_, end)) if *end == *hour => *end = hour.saturating_add(1),
                _ => spans.push((*hour, hour.saturating_add(1))),
            }
        }
        let spans = spans
            .iter()
            .map(|(from, to)| format!("{from:02}:00–{to:02}:00"));
        spans.collect::<Vec<_>>().join(", ")
    }

    /// By how much its clock is usually off, in seconds: `-3 … 2`.
    pub(super) fn clock(&self) -> Option<String> {
        let known = self.known?;
        Some(format!("{} … {}", known.clock_low_s?, known.clock_high_s?))
    }
}

#[derive(Template)]
#[template(path = "unusual.html")]
struct UnusualList<'a> {
    f: &'a Frame,
    filter: &'a UnusualFilter,
    page: &'a UnusualPage,
    dropped: u64,
    fault: Option<&'a ProblemBody>,
}

impl UnusualList<'_> {
    fn may(&self) -> bool {
        self.f.may(Permission::DeviceChange)
    }

    fn dropped(&self) -> u64 {
        self.dropped
    }

    fn state(&self) -> &str {
        self.filter.state.as_deref().unwrap_or("open")
    }

    fn device(&self) -> String {
        self.filter
            .device
            .map(|id| id.to_string())
            .unwrap_or_default()
    }

    /// How often it was seen besides what is listed.
    fn more(&self, one: &Unusual) -> u64 {
        one.count.saturating_sub(count(one.seen.len()))
    }
}

/// What devices did otherwise than usual, with what people may say of it.
///
/// # Errors
///
/// [`RenderError`].
pub fn unusual(
    f: &Frame,
    filter: &UnusualFilter,
    page: &UnusualPage,
    dropped: u64,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    let page = UnusualList {
        f,
        filter,
        page,
        dropped,
        fault,
    };
    page.render()
}

#[cfg(test)]
mod tests {
    use labward_api::hit::Saying;
    use labward_identity::{Language, Role};

    use super::super::hits::tests::frame;
    use super::*;

    fn alert() -> Unusual {
        let values = [("name", "94531-1"), ("time", "2026-11-27 03:00")];
        let saying = Saying {
            code: "new-test".to_owned(),
            values: values
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            text: "Sent the test 94531-1 at 2026-11-27 03:00 UTC, which it does not use to send."
                .to_owned(),
        };
        Unusual {
            id: 4,
            device: 7,
            name: "XN <i>".to_owned(),
            kind: "new-test".to_owned(),
            seen: vec![saying],
            count: 3,
            entry: 9,
            ..Unusual::default()
        }
    }

    fn shown(role: Role, language: Language, state: &str) -> String {
        let alert = Unusual {
            state: state.to_owned(),
            ..alert()
        };
        let page = UnusualPage {
            alerts: vec![alert],
            next: None,
        };
        let filter = UnusualFilter::default();
        unusual(&frame(role, language), &filter, &page, 0, None).unwrap()
    }

    #[test]
    fn an_alert_is_said_in_the_readers_language_and_only_who_may_answers_it() {
        let form = "action=\"/devices/unusual/answer\"";
        let it = shown(Role::SecurityOfficer, Language::En, "open");
        assert!(it.contains("Sent the test 94531-1") && !it.contains("XN <i>"));
        assert!(it.contains(form));
        let it = shown(Role::SecurityOfficer, Language::Es, "open");
        assert!(it.contains("Envió la prueba"), "{it}");
        for (role, state) in [(Role::Expert, "open"), (Role::SecurityOfficer, "expected")] {
            assert!(!shown(role, Language::En, state).contains(form));
        }
    }

    #[test]
    fn hours_are_shown_as_spans() {
        let known = DeviceBehaviour {
            hours: vec![0, 6, 7, 8, 23],
            clock_low_s: Some(-3),
            clock_high_s: Some(2),
            ..DeviceBehaviour::default()
        };
        let usual = Usual {
            known: Some(&known),
            open: &[],
        };
        assert_eq!(usual.hours(), "00:00–01:00, 06:00–09:00, 23:00–24:00");
        assert_eq!(usual.clock().unwrap(), "-3 … 2");
        assert_eq!(Usual::default().hours(), "");
    }
}
