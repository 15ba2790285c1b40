//! The engagement of an outside expert: about what and of which time they see entries, and until when
//! they have access at all.
//!
//! It must never open more than the role does, or anything by omission: an expert without an
//! engagement sees nothing, and what stands under no topic is under none. Limiting what is shown to
//! what a purpose needs is 45 CFR 164.502(b) and 164.308(a)(4)(ii)(B), ending access
//! 164.308(a)(3)(ii)(C).

use std::time::Duration;

use labward_base::Timestamp;

use crate::role::names;
use crate::{IdentityError, People, Permission, Role, Roles, Sessions, Tokens};

/// Days that an engagement may give access at most.
pub const ENGAGEMENT_MAX_DAYS: u32 = 366;

/// A day in UTC.
const DAY: Duration = Duration::from_secs(86_400);

names! {
    /// What an engagement is about: it opens pages that show the present, and entries of the ledger.
    Topic {
        /// Backups, trials of a restore, and restores.
        Backups = "backups",
        /// What configuration took effect when.
        Configuration = "configuration",
        /// What devices there are, what advisories hit them, what malware was found, and what was said and decided of it.
        Devices = "devices",
        /// The root key's slots, key archives and the server's certificate.
        Keys = "keys",
        /// The ledger itself: who verified and exported it, and taking it out.
        Ledger = "ledger",
        /// Links, machine peers, edges and messages on their way, never what is in them.
        Links = "links",
        /// People, roles, sessions and tokens.
        People = "people",
        /// What was done with records, by opaque numbers, never whose they are.
        Records = "records",
        /// The requirements of the rule and what was decided about them.
        Safeguards = "safeguards",
        /// How the server is now, its findings, starts and stops.
        Status = "status",
    }
}

impl Topic {
    /// The topic of the entries with this action; one that is not known has none.
    pub fn of_action(action: &str) -> Option<Self> {
        if action == "installation.initialized" {
            return Some(Self::Configuration);
        }
        let (family, _) = action.split_once('.')?;
        Some(match family {
            "backup" | "installation" => Self::Backups,
            "config" => Self::Configuration,
            "advisory" | "behaviour" | "conduit" | "device" | "hit" | "integrity" | "malware"
            | "quarantine" | "rule-set" | "scanner" | "segmentation" | "traffic" => Self::Devices,
            "key" | "certificate" => Self::Keys,
            "ledger" => Self::Ledger,
            "destination" | "edge" | "enrolment" | "message" | "peer" | "stranger" | "webhook" => {
                Self::Links
            }
            "credential" | "engagement" | "person" | "session" | "token" => Self::People,
            "break-glass" | "list" | "patient" | "record" => Self::Records,
            "safeguard" => Self::Safeguards,
            "clock" | "finding" | "reminder" | "server" => Self::Status,
            _ => return None,
        })
    }

    /// Whether it opens what needs this permission.
    const fn opens(self, permission: Permission) -> bool {
        match permission {
            // Entries are looked at one by one, lists by what they are of.
            Permission::LedgerRead | Permission::ListExport => true,
            Permission::LedgerExport => matches!(self, Self::Ledger),
            Permission::StatusRead => matches!(self, Self::Status),
            Permission::KeyRead => matches!(self, Self::Keys),
            Permission::PeerRead => matches!(self, Self::Links),
            Permission::PersonRead => matches!(self, Self::People),
            Permission::DeviceRead | Permission::MalwareRead => matches!(self, Self::Devices),
            Permission::SafeguardRead => matches!(self, Self::Safeguards),
            _ => false,
        }
    }
}

/// What an outside expert was engaged for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engagement {
    /// The time of the first entries they see.
    pub from: Timestamp,
    /// Entries of this time and later they do not see.
    pub until: Timestamp,
    /// From then on they have no access.
    pub ends_at: Timestamp,
    /// What they see entries and pages about, each once and in the order of [`Topic::ALL`].
    pub topics: Vec<Topic>,
    /// Whether the moment of asking lies within the period; nobody has asked yet if it is not set.
    is_present: bool,
}

impl Engagement {
    /// An engagement about these topics, made at `now`.
    ///
    /// # Errors
    /// [`IdentityError::BadEngagement`]: it is about nothing, its period is empty, or it gives access
    /// for no time or for more than [`ENGAGEMENT_MAX_DAYS`].
    pub fn new(
        [from, until, ends_at]: [Timestamp; 3],
        topics: Vec<Topic>,
        now: Timestamp,
    ) -> Result<Self, IdentityError> {
        let bad = |what| Err(IdentityError::BadEngagement { what });
        if topics.is_empty() {
            return bad("it is about no topic");
        }
        if until <= from {
            return bad("its period ends before it begins");
        }
        if ends_at <= now {
            return bad("its access ends in the past");
        }
        if ends_at > now.plus(DAY * ENGAGEMENT_MAX_DAYS) {
            return bad("its access ends more than 366 days from now");
        }
        Ok(Self::kept([from, until, ends_at], topics))
    }

    /// One that was made before.
    pub(crate) fn kept([from, until, ends_at]: [Timestamp; 3], mut topics: Vec<Topic>) -> Self {
        topics.sort_unstable();
        topics.dedup();
        Self {
            from,
            until,
            ends_at,
            topics,
            is_present: false,
        }
    }

    /// Whether it gives access at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        now < self.ends_at
    }

    /// Whether they see the entries of this action and time.
    pub fn sees(&self, action: &str, time: Timestamp) -> bool {
        let topic = Topic::of_action(action);
        self.from <= time
            && time < self.until
            && topic.is_some_and(|topic| self.topics.contains(&topic))
    }

    /// Whether they see every entry from `first` to `last`, as a bundle of the whole ledger needs.
    pub fn sees_all(&self, first: Timestamp, last: Timestamp) -> bool {
        self.from <= first && last < self.until && self.topics == Topic::ALL
    }

    /// The topics, joined by commas.
    pub fn topics_text(&self) -> String {
        let names: Vec<&str> = self.topics.iter().map(|topic| topic.name()).collect();
        names.join(",")
    }

    /// The first day of the period, or the moment in RFC 3339 where it is no whole day.
    pub fn from_text(&self) -> String {
        let text = self.from.to_rfc3339();
        match is_midnight(self.from) {
            true => text.get(..10).unwrap_or(&text).to_owned(),
            false => text,
        }
    }

    /// The last day of the period, or the moment in front of which it ends.
    pub fn until_text(&self) -> String {
        last_day(self.until)
    }

    /// The last day of access, or the moment at which it ends.
    pub fn ends_text(&self) -> String {
        last_day(self.ends_at)
    }

    fn opens(&self, permission: Permission) -> bool {
        let shows_past = matches!(
            permission,
            Permission::LedgerRead | Permission::LedgerExport | Permission::ListExport
        );
        // What shows the present lies outside a period that is over or has not begun.
        (shows_past || self.is_present) && self.topics.iter().any(|topic| topic.opens(permission))
    }

    fn asked_at(&mut self, now: Timestamp) {
        self.is_present = self.from <= now && now < self.until;
    }
}

fn is_midnight(time: Timestamp) -> bool {
    time.as_micros().rem_euclid(86_400_000_000) == 0
}

fn last_day(end: Timestamp) -> String {
    if !is_midnight(end) {
        return end.to_rfc3339();
    }
    let text = Timestamp::from_micros(end.as_micros().saturating_sub(1)).to_rfc3339();
    text.get(..10).unwrap_or(&text).to_owned()
}

/// Whether these roles permit it, the expert's within their engagement.
pub fn permits(roles: Roles, engagement: Option<&Engagement>, permission: Permission) -> bool {
    permits_otherwise(roles, permission)
        || (roles.contains(Role::Expert)
            && Role::Expert.permits(permission)
            && engagement.is_some_and(|engagement| engagement.opens(permission)))
}

/// Whether a role other than the expert's permits it.
fn permits_otherwise(roles: Roles, permission: Permission) -> bool {
    let mut others = roles.iter().filter(|role| *role != Role::Expert);
    others.any(|role| role.permits(permission))
}

impl crate::Person {
    /// The person as they may act at `now`: an engagement that is over takes the expert's role with
    /// it. `None` if nothing is left: nobody may sign in or act as them.
    pub fn at(mut self, now: Timestamp) -> Option<Self> {
        if !self.roles.contains(Role::Expert) {
            return Some(self);
        }
        match self.engagement.as_mut().filter(|one| one.holds(now)) {
            Some(engagement) => engagement.asked_at(now),
            None => {
                self.engagement = None;
                self.roles = self.roles.without(Role::Expert)?;
            }
        }
        Some(self)
    }

    /// The engagement within which alone they may do this; `None` where another role permits it.
    pub fn narrowed(&self, permission: Permission) -> Option<&Engagement> {
        let engagement = self.engagement.as_ref();
        engagement.filter(|_| !permits_otherwise(self.roles, permission))
    }

    /// The engagement of somebody who is nothing but an outside expert.
    pub fn outside(&self) -> Option<&Engagement> {
        let engagement = self.engagement.as_ref();
        engagement.filter(|_| self.roles == Role::Expert.into())
    }
}

/// Ends the engagements that are over at `now`: sessions, tokens and invitations of who is nothing
/// else end with it, with one entry each engagement; how many.
///
/// # Errors
/// [`IdentityError::Store`]; nobody has access by them all the same, and the next time records it.
pub fn end_engagements(
    people: &People,
    sessions: &Sessions,
    tokens: &Tokens,
    now: Timestamp,
) -> Result<usize, IdentityError> {
    people.end_over(now, |person, is_all, end| match is_all {
        true => sessions.end_with(person, || tokens.end_with(person, end)),
        false => end(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::PersonId;
    use labward_ledger::Action;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn quarter(topics: &[Topic]) -> Engagement {
        let times = ["2026-01-01", "2026-04-01", "2026-05-01"];
        let times = times.map(|day| at(&format!("{day}T00:00:00Z")));
        Engagement::kept(times, topics.to_vec())
    }

    fn expert(roles: &str, engagement: Option<Engagement>) -> crate::Person {
        crate::Person {
            id: PersonId::new(7),
            name: "Eve".to_owned(),
            roles: roles.parse().unwrap(),
            uid: None,
            login: None,
            language: None,
            theme: crate::Theme::Auto,
            engagement,
        }
    }

    #[test]
    fn every_act_of_the_ledger_stands_under_a_topic_and_what_is_unknown_under_none() {
        for action in Action::ALL {
            assert!(Topic::of_action(action.name()).is_some(), "{action:?}");
        }
        for unknown in ["", "ledger", "new.act", ".read"] {
            assert_eq!(Topic::of_action(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_engagement_opens_nothing_that_the_role_does_not_and_all_topics_open_all_of_it() {
        let mut all = quarter(Topic::ALL);
        all.asked_at(at("2026-02-01T00:00:00Z"));
        for permission in Permission::ALL {
            let opened = permits(Role::Expert.into(), Some(&all), *permission);
            assert_eq!(opened, Role::Expert.permits(*permission), "{permission}");
            assert!(!permits(Role::Expert.into(), None, *permission));
        }
    }

    #[test]
    fn what_shows_the_present_is_there_only_while_the_period_lasts() {
        let asked = |topic, now: &str| {
            let person = expert("expert", Some(quarter(&[topic])));
            person.at(at(now)).unwrap()
        };
        let within = asked(Topic::Safeguards, "2026-03-31T23:59:59Z");
        assert!(within.permits(Permission::SafeguardRead));
        assert!(within.permits(Permission::LedgerRead));
        assert!(!within.permits(Permission::LedgerExport));
        assert!(!within.permits(Permission::PersonRead));
        let behind = asked(Topic::Safeguards, "2026-04-01T00:00:00Z");
        assert!(!behind.permits(Permission::SafeguardRead));
        assert!(behind.permits(Permission::LedgerRead));
        assert!(asked(Topic::Ledger, "2026-04-02T00:00:00Z").permits(Permission::LedgerExport));
        let unasked = expert("expert", Some(quarter(Topic::ALL)));
        assert!(!unasked.permits(Permission::SafeguardRead));
    }

    #[test]
    fn entries_are_seen_by_topic_and_time() {
        let engagement = quarter(&[Topic::People]);
        for (action, time, seen) in [
            ("person.added", "2026-01-01T00:00:00Z", true),
            ("session.began", "2026-03-31T23:59:59.999999Z", true),
            ("person.added", "2025-12-31T23:59:59.999999Z", false),
            ("person.added", "2026-04-01T00:00:00Z", false),
            ("record.shown", "2026-02-01T00:00:00Z", false),
            ("no.such", "2026-02-01T00:00:00Z", false),
        ] {
            assert_eq!(engagement.sees(action, at(time)), seen, "{action} {time}");
        }
        let (first, last) = (at("2026-01-01T00:00:00Z"), at("2026-03-01T00:00:00Z"));
        assert!(quarter(Topic::ALL).sees_all(first, last));
        assert!(!engagement.sees_all(first, last), "not every topic");
        assert!(!quarter(Topic::ALL).sees_all(at("2025-12-31T00:00:00Z"), last));
        assert!(!quarter(Topic::ALL).sees_all(first, at("2026-04-01T00:00:00Z")));
    }

    #[test]
    fn who_is_nothing_else_is_nobody_when_the_engagement_is_over() {
        let (last, over) = (at("2026-04-30T23:59:59Z"), at("2026-05-01T00:00:00Z"));
        let eve = expert("expert", Some(quarter(Topic::ALL)));
        assert!(eve.clone().at(last).is_some() && eve.at(over).is_none());
        assert!(expert("expert", None).at(last).is_none());
        let both = expert("it,expert", Some(quarter(&[Topic::People])));
        let both = both.at(over).unwrap();
        assert_eq!(both.roles, Role::It.into());
        assert!(both.engagement.is_none());
    }

    #[test]
    fn another_role_is_not_narrowed() {
        let engaged = Some(quarter(&[Topic::Keys]));
        let both = expert("it,expert", engaged).at(at("2026-02-01T00:00:00Z"));
        let both = both.unwrap();
        assert!(both.narrowed(Permission::LedgerRead).is_none());
        assert!(both.permits(Permission::SafeguardRead), "as IT");
        assert!(both.narrowed(Permission::ListExport).is_some());
        assert!(
            !both.permits(Permission::PersonRead),
            "no topic, and not IT"
        );
        assert!(both.outside().is_none());
    }

    #[test]
    fn days_are_shown_as_they_were_given_and_moments_as_they_are() {
        let engagement = quarter(&[Topic::People, Topic::Keys, Topic::People]);
        assert_eq!(engagement.from_text(), "2026-01-01");
        assert_eq!(engagement.until_text(), "2026-03-31");
        assert_eq!(engagement.ends_text(), "2026-04-30");
        assert_eq!(engagement.topics_text(), "keys,people");
        let ends = at("2026-05-01T08:30:00Z");
        let engagement = Engagement {
            ends_at: ends,
            ..engagement
        };
        assert_eq!(engagement.ends_text(), ends.to_rfc3339());
    }

    #[test]
    fn an_engagement_that_opens_nothing_is_over_or_lasts_for_ever_is_refused() {
        let kept = quarter(&[Topic::Keys]);
        let [from, until, ends] = [kept.from, kept.until, kept.ends_at];
        let last = at("2026-04-30T23:59:59Z");
        let keys = || vec![Topic::Keys];
        assert_eq!(
            Engagement::new([from, until, ends], keys(), last).unwrap(),
            kept
        );
        assert!(Engagement::new([from, until, ends], vec![], last).is_err());
        assert!(Engagement::new([until, from, ends], keys(), last).is_err());
        assert!(Engagement::new([from, until, ends], keys(), ends).is_err());
        let long_before = at("2025-04-29T00:00:00Z");
        assert!(Engagement::new([from, until, ends], keys(), long_before).is_err());
    }
}
