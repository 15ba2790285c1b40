//! `ledger/entries`: a page of the ledger, filtered; what is sealed in an entry stays sealed.
//!
//! It must never say that there is nothing where it stopped looking: an answer says how far it looked;
//! or show an entry outside the engagement of who asks.

use labward_api::ledger::{Entries, EntryFilter};
use labward_base::Timestamp;
use labward_base::id::EntryIndex;
use labward_identity::{Engagement, Permission};
use labward_ledger::{
    Action, LedgerError, StoredEntry, TRAFFIC, acts, acts_before, entries as entries_from,
    entries_before, entry_since, tree_head,
};
use labward_store::StoreError;
use memchr::memmem;
use serde_json::Value;

use super::call::{Answer, Call};
use super::failure::Failure;
use super::span::{since, until};
use crate::folder::NODE;

/// Entries listed if the request does not say how many.
const LIMIT_DEFAULT: u32 = 100;
/// Entries listed at most.
const LIMIT_MAX: u32 = 1_000;
/// Entries read at once.
const PAGE: u32 = 1_000;
/// Entries looked at for one answer: what a page may take, 100 ms.
const WALK_MAX: u64 = 30_000;

/// `GET ledger/entries`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let filter: EntryFilter = call.query()?;
    let (since, until) = (
        since(filter.since.as_deref())?,
        until(filter.until.as_deref())?,
    );
    let engagement = call.person.narrowed(Permission::LedgerRead);
    let since = since.max(engagement.map(|one| one.from));
    let within = engagement.map(|one| one.until);
    let until = match (until, within) {
        (Some(until), Some(within)) => Some(until.min(within)),
        (until, within) => until.or(within),
    };
    let store = &call.core.store;
    let (size, first, end) = store.read(|snapshot| -> Result<_, StoreError> {
        let size = tree_head(snapshot, NODE)?.map_or(0, |head| head.frontier.size());
        let mut bound = |time, otherwise| match time {
            Some(time) => Ok(entry_since(snapshot, size, time)?.get()),
            None => Ok::<_, StoreError>(otherwise),
        };
        Ok((size, bound(since, 0)?, bound(until, size)?))
    })?;
    let mut walk = Walk {
        limit: filter.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX),
        filter: &filter,
        engagement,
        found: Vec::new(),
        looked: 0,
    };
    let from = first.max(filter.from.unwrap_or(0));
    let next = match filter.before {
        Some(before) => walk.back(call, from, end.min(before))?,
        None => walk.forth(call, from, end)?,
    };
    Answer::json(&Entries {
        entries: walk.found,
        size,
        looked: walk.looked,
        next,
    })
}

/// A walk over entries that keeps those that fit.
struct Walk<'a> {
    filter: &'a EntryFilter,
    /// What else leaves entries out.
    engagement: Option<&'a Engagement>,
    limit: u32,
    found: Vec<Value>,
    looked: u64,
}

impl Walk<'_> {
    /// From `from` on; where to go on if there may be more in front of `end`.
    fn forth(&mut self, call: &Call, mut from: u64, end: u64) -> Result<Option<u64>, Failure> {
        while from < end && self.goes_on() {
            let index = EntryIndex::new(from);
            let page: Vec<StoredEntry> =
                call.core.store.read(|snapshot| match self.only_acts() {
                    true => acts(snapshot, index, self.page()),
                    false => entries_from(snapshot, index, self.page()),
                })?;
            if page.is_empty() {
                return Ok(None);
            }
            for stored in page.iter().take_while(|one| one.index.get() < end) {
                from = stored.index.get().saturating_add(1);
                self.look(stored)?;
                if !self.goes_on() {
                    break;
                }
            }
            if page.last().is_some_and(|last| last.index.get() >= end) && self.goes_on() {
                return Ok(None);
            }
        }
        Ok((from < end).then_some(from))
    }

    /// In front of `before`, back to `first`; where to go on if there may be more.
    fn back(&mut self, call: &Call, first: u64, mut before: u64) -> Result<Option<u64>, Failure> {
        while before > first && self.goes_on() {
            let index = EntryIndex::new(before);
            let page: Vec<StoredEntry> =
                call.core.store.read(|snapshot| match self.only_acts() {
                    true => acts_before(snapshot, index, self.page()),
                    false => entries_before(snapshot, index, self.page()),
                })?;
            if page.is_empty() {
                return Ok(None);
            }
            for stored in page {
                if stored.index.get() < first {
                    return Ok(None);
                }
                before = stored.index.get();
                self.look(&stored)?;
                if !self.goes_on() {
                    break;
                }
            }
        }
        Ok((before > first).then_some(before))
    }

    fn goes_on(&self) -> bool {
        self.looked < WALK_MAX && self.missing() > 0
    }

    fn missing(&self) -> u32 {
        let found = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        self.limit.saturating_sub(found)
    }

    /// How many to read at once: without a filter each fits.
    fn page(&self) -> u32 {
        match is_open(self.filter) && self.engagement.is_none() {
            true => self.missing(),
            false => PAGE,
        }
    }

    /// Whether no entry of a message on its way can fit: by what was done, or because people do
    /// nothing of that kind.
    fn only_acts(&self) -> bool {
        let of_traffic = |one: &Action| fits(&self.filter.action, one.name());
        let by_people = given(&self.filter.actor).is_some_and(|by| by.starts_with("person:"));
        by_people || !TRAFFIC.iter().any(of_traffic)
    }

    fn look(&mut self, stored: &StoredEntry) -> Result<(), Failure> {
        self.looked += 1;
        // Without opening the leaf, which costs most.
        if !fits(&self.filter.action, &stored.action) || !self.may_fit(&stored.leaf) {
            return Ok(());
        }
        let leaf = leaf_value(stored)?;
        let is_seen = self.engagement.is_none_or(|one| sees(one, &leaf));
        if is_seen && self.fits(&leaf) {
            self.found.push(leaf);
        }
        Ok(())
    }

    /// Whether the bytes of a leaf name who and what is asked for: a leaf is JSON without spaces, and
    /// what says who and what needs no escapes, so that one without these bytes is about somebody else.
    fn may_fit(&self, leaf: &[u8]) -> bool {
        let names = |name: &str, wanted: &Option<String>| {
            given(wanted).is_none_or(|wanted| {
                let end = if wanted.ends_with(['.', ':']) {
                    ""
                } else {
                    "\""
                };
                let text = format!("\"{name}\":\"{wanted}{end}");
                let is_plain = |of: char| of >= ' ' && of != '"' && of != '\\';
                !wanted.chars().all(is_plain) || memmem::find(leaf, text.as_bytes()).is_some()
            })
        };
        names("actor", &self.filter.actor) && names("subject", &self.filter.subject)
    }

    fn fits(&self, leaf: &Value) -> bool {
        let text = |name: &str| leaf.get(name).and_then(Value::as_str).unwrap_or_default();
        let outcome = text("outcome");
        let word = outcome.split(':').next();
        let ended = |wanted: &str| wanted == outcome || Some(wanted) == word;
        fits(&self.filter.actor, text("actor"))
            && fits(&self.filter.subject, text("subject"))
            && given(&self.filter.outcome).is_none_or(ended)
            && self
                .filter
                .patient
                .is_none_or(|patient| is_about(leaf, patient))
    }
}

/// Whether nothing is left out.
fn is_open(filter: &EntryFilter) -> bool {
    let texts = [
        &filter.actor,
        &filter.action,
        &filter.subject,
        &filter.outcome,
    ];
    texts.into_iter().all(|text| given(text).is_none()) && filter.patient.is_none()
}

/// A field of a form that was left empty asks for nothing.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// Whether a name is the wanted one, or begins as one that ends with `.` or `:` does.
fn fits(wanted: &Option<String>, name: &str) -> bool {
    given(wanted).is_none_or(|wanted| match wanted.ends_with(['.', ':']) {
        true => name.starts_with(wanted),
        false => name == wanted,
    })
}

/// Whether an entry names this patient: as whose it is, as its subject, or among its facts.
fn is_about(leaf: &Value, patient: u64) -> bool {
    let is = |value: Option<&Value>| value.and_then(Value::as_u64) == Some(patient);
    let subject = leaf.get("subject").and_then(Value::as_str);
    let listed = leaf.get("facts").and_then(|facts| facts.get("patients"));
    let mut listed = listed.and_then(Value::as_array).into_iter().flatten();
    is(leaf.get("patient"))
        || subject == Some(format!("patient:{patient}").as_str())
        || listed.any(|one| is(Some(one)))
}

/// Refuses an entry outside the engagement of who asks as one that there is not.
pub(super) fn admit_entry(call: &Call, index: EntryIndex) -> Result<(), Failure> {
    let Some(engagement) = call.person.narrowed(Permission::LedgerRead) else {
        return Ok(());
    };
    let page = call
        .core
        .store
        .read(|snapshot| entries_from(snapshot, index, 1))?;
    let found = page.first().filter(|stored| stored.index == index);
    let leaf = found.map(leaf_value).transpose()?;
    match leaf.is_some_and(|leaf| sees(engagement, &leaf)) {
        true => Ok(()),
        false => Err(LedgerError::NoEntry { index: index.get() }.into()),
    }
}

/// Whether an entry lies within this engagement; one that cannot be read does not.
fn sees(engagement: &Engagement, leaf: &Value) -> bool {
    let text = |name: &str| leaf.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = Timestamp::parse_rfc3339(text("time"));
    time.is_some_and(|time| engagement.sees(text("action"), time))
}

fn leaf_value(entry: &StoredEntry) -> Result<Value, Failure> {
    let read = serde_json::from_slice(&entry.leaf);
    read.map_err(|_| {
        let place = format!("entry {}: it is not JSON", entry.index);
        LedgerError::Tampered { place }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(filter: EntryFilter, expect: bool) {
        let leaf = json!({
            "actor": "person:3", "action": "record.shown", "subject": "record:42",
            "outcome": "refused:policy.size", "patient": 9, "facts": { "patients": [9, 11] },
        });
        let walk = Walk {
            filter: &filter,
            engagement: None,
            limit: 1,
            found: Vec::new(),
            looked: 0,
        };
        let fits_action = fits(&filter.action, "record.shown");
        let may_fit = walk.may_fit(&serde_json::to_vec(&leaf).unwrap());
        let fits = fits_action && may_fit && walk.fits(&leaf);
        assert_eq!(fits, expect, "{filter:?}");
        assert!(may_fit || !walk.fits(&leaf), "{filter:?}");
    }

    #[test]
    fn a_name_fits_whole_or_by_its_beginning_where_that_is_meant() {
        let some = |text: &str| Some(text.to_owned());
        let none = EntryFilter::default;
        for (actor, expect) in [
            ("person:3", true),
            ("person:", true),
            ("person", false),
            ("person:33", false),
            ("", true),
        ] {
            check(
                EntryFilter {
                    actor: some(actor),
                    ..none()
                },
                expect,
            );
        }
        for (action, expect) in [
            ("record.", true),
            ("record.shown", true),
            ("record", false),
            ("message.", false),
        ] {
            check(
                EntryFilter {
                    action: some(action),
                    ..none()
                },
                expect,
            );
        }
        for (outcome, expect) in [
            ("refused", true),
            ("refused:policy.size", true),
            ("refused:x", false),
            ("success", false),
        ] {
            check(
                EntryFilter {
                    outcome: some(outcome),
                    ..none()
                },
                expect,
            );
        }
        for (patient, expect) in [(9, true), (11, true), (1, false)] {
            check(
                EntryFilter {
                    patient: Some(patient),
                    ..none()
                },
                expect,
            );
        }
        check(
            EntryFilter {
                subject: some("record:42"),
                actor: some("peer:"),
                ..none()
            },
            false,
        );
    }
}
