//! Refused sign-ins on their way into the ledger.
//!
//! **Invariant:** refusal is an outcome and recorded; whoever guesses must not be able to fill the
//! ledger. The first refusal of a person or place is an entry at once, what follows within a minute
//! is counted into one more. The map is bounded; what does not fit is counted under one common
//! source. It must never hold what was typed as a login: people type their password there.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::{PersonId, SiteId};
use labward_base::problem::{self, Problem};
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Outcome, Subject, append};
use labward_store::Store;

use crate::throttle::place_of;

/// People and places counted one by one at the same time.
const MAX_COUNTED: usize = 1_024;
/// How long refusals are gathered into one entry.
const SPAN: Duration = Duration::from_secs(60);

/// Why somebody was not let in; for the ledger, never told to whoever tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    BadToken,
    Declined,
    EndedPassword,
    EngagementOver,
    ForeignAnswer,
    LastAdministrator,
    NoGroup,
    NoPassword,
    NotLinked,
    NotVerified,
    OtherSubject,
    PasskeyCounter,
    Removed,
    TooMany,
    UnknownLogin,
    UnknownPasskey,
    WrongPasskey,
    WrongPassword,
}

impl Reason {
    const fn name(self) -> &'static str {
        match self {
            Self::BadToken => "bad-token",
            Self::Declined => "declined-by-provider",
            Self::EndedPassword => "ended-password",
            Self::EngagementOver => "engagement-over",
            Self::ForeignAnswer => "foreign-answer",
            Self::LastAdministrator => "last-administrator",
            Self::NoGroup => "no-group",
            Self::NoPassword => "no-password",
            Self::NotLinked => "not-linked",
            Self::NotVerified => "answer-not-verified",
            Self::OtherSubject => "other-subject",
            Self::PasskeyCounter => "passkey-counter",
            Self::Removed => "removed",
            Self::TooMany => "too-many-attempts",
            Self::UnknownLogin => "unknown-login",
            Self::UnknownPasskey => "unknown-passkey",
            Self::WrongPasskey => "wrong-passkey",
            Self::WrongPassword => "wrong-password",
        }
    }

    const fn problem(self) -> &'static Problem {
        match self {
            Self::BadToken => &problem::IDENTITY_TOKEN_REFUSED,
            Self::Declined => &problem::SIGN_ON_DECLINED,
            Self::ForeignAnswer => &problem::SIGN_ON_NOT_BEGUN,
            Self::LastAdministrator => &problem::IDENTITY_LAST_ADMINISTRATOR,
            Self::NoGroup => &problem::SIGN_ON_NO_GROUP,
            Self::NotLinked | Self::Removed => &problem::SIGN_ON_NOT_LINKED,
            Self::NotVerified => &problem::SIGN_ON_NOT_VERIFIED,
            Self::OtherSubject => &problem::SIGN_ON_OTHER_SUBJECT,
            Self::PasskeyCounter | Self::UnknownPasskey | Self::WrongPasskey => {
                &problem::IDENTITY_PASSKEY_REFUSED
            }
            Self::TooMany => &problem::IDENTITY_TOO_MANY_ATTEMPTS,
            _ => &problem::IDENTITY_SIGN_IN_REFUSED,
        }
    }
}

/// Refusals that were not recorded yet.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<Who, Seen>>);

/// Who was to be signed in as, or from where nobody known was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Who {
    Person(PersonId),
    Place(IpAddr),
    Others,
}

struct Seen {
    since: Timestamp,
    count: u64,
    last: Option<(IpAddr, Reason)>,
    reasons: BTreeMap<&'static str, u64>,
}

impl Refusals {
    /// Counts a refusal; the entries to be written now.
    pub(crate) fn note(
        &self,
        site: SiteId,
        person: Option<PersonId>,
        reason: Reason,
        source: IpAddr,
        now: Timestamp,
    ) -> Vec<NewEntry> {
        let mut due = self.take(site, now, false);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let who = person.map_or(Who::Place(place_of(source)), Who::Person);
        let fits = all.len() < MAX_COUNTED || all.contains_key(&who);
        let who = if fits { who } else { Who::Others };
        let is_first = !all.contains_key(&who);
        let seen = all.entry(who).or_insert_with(|| Seen::at(now));
        seen.add(source, reason);
        if is_first {
            due.push(entry_of(site, who, seen));
            *seen = Seen::at(now);
        }
        due
    }

    /// The entries of everybody whose minute is over, or of all.
    pub(crate) fn take(&self, site: SiteId, now: Timestamp, all: bool) -> Vec<NewEntry> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |seen: &mut Seen| all || now.since(seen.since) >= SPAN || now < seen.since;
        let mut due: Vec<_> = seen.extract_if(|_, seen| is_due(seen)).collect();
        drop(seen);
        due.retain(|(_, seen)| seen.count > 0);
        due.sort_by_key(|(who, _)| *who);
        due.iter()
            .map(|(who, seen)| entry_of(site, *who, seen))
            .collect()
    }
}

/// Hands entries to the store; not waited for, so that it takes as long whether there are any.
pub(crate) fn record(store: &Store, entries: Vec<NewEntry>) {
    for entry in entries {
        store.submit(
            move |tx| append(tx, &entry),
            |result: Result<_, LedgerError>| {
                if let Err(error) = result {
                    tracing::error!(error = %error, "a refused sign-in could not be recorded");
                }
            },
        );
    }
}

impl Seen {
    fn at(since: Timestamp) -> Self {
        Self {
            since,
            count: 0,
            last: None,
            reasons: BTreeMap::new(),
        }
    }

    fn add(&mut self, source: IpAddr, reason: Reason) {
        self.count += 1;
        self.last = Some((source, reason));
        *self.reasons.entry(reason.name()).or_default() += 1;
    }
}

fn entry_of(site: SiteId, who: Who, seen: &Seen) -> NewEntry {
    let subject = match who {
        Who::Person(person) => Subject::Person(person),
        Who::Place(place) => Subject::Source(place.to_string().into()),
        Who::Others => Subject::Source("others".into()),
    };
    let mut facts = Facts::new()
        .number("count", seen.count)
        .text("since", seen.since.to_rfc3339());
    let mut code = &problem::IDENTITY_SIGN_IN_REFUSED;
    if let Some((source, reason)) = seen.last {
        facts = facts.text("source", source.to_string());
        code = reason.problem();
    }
    for (reason, count) in &seen.reasons {
        facts = facts.number(reason, *count);
    }
    NewEntry::new(site, Actor::System, Action::SessionRefused, subject)
        .outcome(Outcome::Refused(code.code))
        .facts(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: SiteId = SiteId::new(1);

    fn start() -> Timestamp {
        Timestamp::from_seconds(1_795_000_000)
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn count(entry: &NewEntry) -> i64 {
        entry.facts.get_number("count").unwrap()
    }

    #[test]
    fn the_first_refusal_is_an_entry_and_a_minutes_others_are_one_more() {
        let refusals = Refusals::default();
        let note = |reason, now| refusals.note(SITE, None, reason, address(1), now);
        let first = note(Reason::UnknownLogin, start());
        assert_eq!(first.iter().map(count).collect::<Vec<_>>(), [1]);
        for _ in 0..500 {
            assert!(note(Reason::UnknownLogin, start()).is_empty());
        }
        assert!(note(Reason::TooMany, start().plus(SPAN / 2)).is_empty());
        let minute = refusals.take(SITE, start().plus(SPAN), false);
        let [minute] = &minute[..] else { panic!() };
        assert_eq!(count(minute), 501);
        assert_eq!(minute.facts.get_number("unknown-login"), Some(500));
        assert_eq!(minute.facts.get_number("too-many-attempts"), Some(1));
        assert_eq!(minute.subject.to_string(), "source:0.0.0.1");
        assert!(refusals.take(SITE, start().plus(SPAN), true).is_empty());
    }

    #[test]
    fn a_person_is_named_and_what_was_typed_is_not() {
        let refusals = Refusals::default();
        let person = Some(PersonId::new(7));
        let entries = refusals.note(SITE, person, Reason::WrongPassword, address(1), start());
        assert_eq!(entries[0].subject, Subject::Person(PersonId::new(7)));
        let code = "identity.sign-in-refused";
        assert_eq!(entries[0].outcome, Outcome::Refused(code));
        assert_eq!(entries[0].facts.get_text("source"), Some("0.0.0.1"));
    }

    #[test]
    fn a_guesser_from_everywhere_fills_neither_memory_nor_ledger() {
        let refusals = Refusals::default();
        let mut entries = 0;
        for number in 0..20_000 {
            let source = address(number);
            let due = refusals.note(SITE, None, Reason::UnknownLogin, source, start());
            entries += due.len();
        }
        assert_eq!(entries, MAX_COUNTED + 1);
        let last = refusals.take(SITE, start().plus(SPAN), false);
        let [others] = &last[..] else { panic!() };
        assert_eq!(others.subject.to_string(), "source:others");
        assert_eq!(usize::try_from(count(others)).unwrap() + entries, 20_000);
    }
}
