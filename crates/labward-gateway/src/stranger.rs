//! Strangers: whoever has no valid certificate, comes from a wrong address or speaks something else.
//!
//! **Invariant:** strangers get one aggregated entry per source and minute, never one each: a
//! scanner must not be able to fill the ledger. The map is bounded; what does not fit is counted
//! under one common source.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::SiteId;
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Outcome, Subject, append};
use labward_store::Store;

use crate::config::LinkName;
use crate::reason::Reason;

/// Sources counted one by one at the same time.
const MAX_SOURCES: usize = 4_096;

/// How long refusals of one source are gathered into one entry.
const SPAN: Duration = Duration::from_secs(60);

/// Refused connections that were not recorded yet.
#[derive(Default)]
pub(crate) struct Strangers {
    sources: Mutex<HashMap<Source, Seen>>,
}

/// A source address, or all that did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Source {
    Address(IpAddr),
    Others,
}

struct Seen {
    since: Timestamp,
    count: u64,
    reasons: BTreeMap<&'static str, u64>,
    links: Vec<LinkName>,
}

impl Strangers {
    /// Counts a refused connection; `reason` is a stable name.
    pub(crate) fn note(
        &self,
        source: IpAddr,
        link: &LinkName,
        reason: &'static str,
        now: Timestamp,
    ) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let source = Source::Address(source);
        let fits = sources.len() < MAX_SOURCES || sources.contains_key(&source);
        let seen = sources
            .entry(if fits { source } else { Source::Others })
            .or_insert(Seen {
                since: now,
                count: 0,
                reasons: BTreeMap::new(),
                links: Vec::new(),
            });
        seen.count += 1;
        *seen.reasons.entry(reason).or_default() += 1;
        if !seen.links.contains(link) {
            seen.links.push(link.clone());
        }
    }

    /// Writes an entry for each source whose minute is over, or for all of them.
    pub(crate) fn record(&self, store: &Store, site: SiteId, now: Timestamp, all: bool) {
        for entry in self.take(site, now, all) {
            let unit = move |tx: &mut labward_store::Tx<'_>| append(tx, &entry);
            store.submit(unit, |result: Result<_, LedgerError>| {
                if let Err(error) = result {
                    tracing::error!(error = %error, "refused strangers could not be recorded");
                }
            });
        }
    }

    fn take(&self, site: SiteId, now: Timestamp, all: bool) -> Vec<NewEntry> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |seen: &mut Seen| all || now.since(seen.since) >= SPAN || now < seen.since;
        let mut due: Vec<_> = sources.extract_if(|_, seen| due(seen)).collect();
        drop(sources);
        due.sort_by_key(|(source, _)| *source);
        due.into_iter()
            .map(|(source, seen)| entry_of(site, source, &seen))
            .collect()
    }
}

fn entry_of(site: SiteId, source: Source, seen: &Seen) -> NewEntry {
    let source = match source {
        Source::Address(address) => address.to_string(),
        Source::Others => "others".into(),
    };
    let mut facts = Facts::new()
        .number("count", seen.count)
        .text("since", seen.since.to_rfc3339())
        .texts("links", seen.links.iter().map(LinkName::as_str));
    for (reason, count) in &seen.reasons {
        facts = facts.number(reason, *count);
    }
    NewEntry::new(
        site,
        Actor::System,
        Action::StrangerRefused,
        Subject::Source(source.into()),
    )
    .outcome(Outcome::Refused(Reason::Framing.problem().code))
    .facts(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    fn link() -> LinkName {
        "hl7".parse().unwrap()
    }

    #[test]
    fn a_source_gets_one_entry_a_minute_with_its_reasons() {
        let strangers = Strangers::default();
        let start = Timestamp::from_seconds(100);
        for _ in 0..500 {
            strangers.note(address(1), &link(), "http", start);
        }
        strangers.note(address(1), &link(), "no-certificate", start.plus(SPAN / 2));
        assert!(
            strangers
                .take(SiteId::new(1), start.plus(SPAN / 2), false)
                .is_empty()
        );
        let entries = strangers.take(SiteId::new(1), start.plus(SPAN), false);
        let [entry] = entries.as_slice() else {
            panic!("{entries:?}")
        };
        assert_eq!(entry.subject, Subject::Source("0.0.0.1".into()));
        assert_eq!(entry.facts.get_number("count"), Some(501));
        assert_eq!(entry.facts.get_number("http"), Some(500));
        assert!(
            strangers
                .take(SiteId::new(1), start.plus(SPAN), true)
                .is_empty()
        );
    }

    #[test]
    fn an_hour_of_junk_from_one_source_is_sixty_entries() {
        const A_SECOND: usize = 50;
        let strangers = Strangers::default();
        let start = Timestamp::from_seconds(100);
        let (mut entries, mut counted, mut bytes) = (0, 0, 0);
        for second in 0..3_600 {
            let now = start.plus(Duration::from_secs(second));
            for junk in 0..A_SECOND {
                let reason = ["http", "tls", "noise"][junk % 3];
                strangers.note(address(1), &link(), reason, now);
            }
            for entry in strangers.take(SiteId::new(1), now.plus(Duration::from_secs(1)), false) {
                entries += 1;
                counted += entry.facts.get_number("count").unwrap();
                bytes += format!("{:?}", entry.facts).len();
            }
            assert!(strangers.sources.lock().unwrap().len() <= 1);
        }
        assert_eq!((entries, counted), (60, 3_600 * 50));
        assert!(bytes < 60 * 512, "{bytes} bytes of facts");
    }

    #[test]
    fn a_flood_of_sources_is_bounded_and_counted() {
        let strangers = Strangers::default();
        let flood = u32::try_from(MAX_SOURCES).unwrap() + 1_000;
        for number in 0..flood {
            strangers.note(address(number), &link(), "http", Timestamp::default());
        }
        let entries = strangers.take(SiteId::new(1), Timestamp::default(), true);
        assert_eq!(entries.len(), MAX_SOURCES + 1);
        let counts = entries
            .iter()
            .filter_map(|entry| entry.facts.get_number("count"));
        assert_eq!(counts.sum::<i64>(), i64::from(flood));
    }
}
