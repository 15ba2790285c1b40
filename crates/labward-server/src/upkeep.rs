//! What the server does again and again by itself: renew its certificate, raise the alarm about
//! those that end, let go of destinations that left and sessions that are over, and look how disk and
//! backlogs grow.
//!
//! It must never write an entry while nothing changed, or stop because one of these failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::Duration;

use labward_base::{Clock as _, Timestamp};
use labward_gateway::config::DestinationName;
use labward_identity::end_engagements;
use labward_ledger::{LedgerError, tree_head};
use labward_store::StoreError;

use crate::app::{Core, Opened};
use crate::backup::Backups;
use crate::check::{BACKED_UP_WITHIN, KnownActs, LedgerActs, Measured, Trends};
use crate::error::ServerError;
use crate::findings::{self, Finding, all_that_hold};
use crate::folder::{NODE, SITE};
use crate::http::{chain, unread};
use crate::recurring::{Failing, Recurring};

/// How often it looks whether access is over.
const EVERY: Duration = Duration::from_secs(2);

/// How many times it looks until it does everything else: each minute.
const ROUND: u32 = 30;

/// After a start, so that what ended meanwhile is renewed at once.
const FIRST: Duration = Duration::from_secs(1);

/// Findings of certificates that end begin so.
pub(crate) const CERTIFICATE: &str = "certificate-ends:";

/// The finding that the last backup is too old.
pub(crate) const BACKUP_OVERDUE: &str = "backup-overdue";

const DAY: Duration = Duration::from_secs(86_400);

/// What the upkeep has seen.
#[derive(Default)]
pub(crate) struct Upkeep {
    trends: Mutex<Trends>,
    acts: Mutex<KnownActs>,
    failing: Mutex<Failing>,
    /// The day on which the quarantine was looked through last.
    quarantine: Mutex<Option<i64>>,
    /// Whether it was seen that no message is left to be delivered from quarantine.
    delivered: AtomicBool,
    /// About the end of an engagement.
    access_failing: Mutex<Failing>,
}

/// A certificate and when it ends.
struct Ends<'a> {
    whose: String,
    until: Timestamp,
    alarm_days: &'a [u16],
}

/// Starts for a server, as long as that is there.
pub(crate) fn start(core: Weak<Core>) -> Result<Recurring, ServerError> {
    let mut looked = 0;
    Recurring::start("upkeep", FIRST, move || {
        let core = core.upgrade()?;
        core.end_engagements();
        if looked == 0 {
            core.look_after();
        }
        looked = (looked + 1) % ROUND;
        Some(EVERY)
    })
}

impl Upkeep {
    /// How disk and backlogs have grown.
    pub(crate) fn trends(&self) -> Trends {
        let trends = self.trends.lock().unwrap_or_else(PoisonError::into_inner);
        trends.clone()
    }
}

impl Core {
    /// What was done lately, after the ledger.
    pub(crate) fn acts(&self, now: Timestamp) -> Measured<LedgerActs> {
        let known = self.upkeep.acts.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        let read = self.store.read(|snapshot| -> Result<_, StoreError> {
            let size = tree_head(snapshot, NODE)?.map_or(0, |head| head.frontier.size());
            known.read(snapshot, size, now)
        });
        read.map_err(|error| unread(&error))
    }

    /// Records the engagements of outside experts that are over; their access is over all the same.
    fn end_engagements(&self) {
        let now = self.clock.now();
        let ended = end_engagements(&self.people, &self.sessions, &self.tokens, now);
        let failing = &self.upkeep.access_failing;
        let mut failing = failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.told(ended, |error| {
            tracing::error!(
                code = error.problem().code,
                error = %chain(error),
                "the end of an engagement could not be recorded"
            );
        });
    }

    /// Does everything once.
    pub(crate) fn look_after(&self) {
        let Some(opened) = self.opened() else { return };
        let renewed = self.renew_certificate().map(drop);
        let done = renewed.and(self.alarm(&opened));
        let done = done.and(self.backup_alarm());
        opened.delivery.sweep();
        self.sweep_sessions();
        self.finish_deliveries(&opened);
        self.keep_quarantine(&opened);
        self.note_trends(&opened);
        self.look_at_provider();
        // So that no page waits for more than what is new; it says itself if this fails.
        let _ = self.acts(self.clock.now());
        let failing = &self.upkeep.failing;
        let mut failing = failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.told(done, |error| {
            tracing::error!(
                code = error.problem().code,
                error = %chain(error),
                "a certificate could not be renewed or its end not be recorded"
            );
        });
    }

    /// Sees whether the identity provider answers, which may take seconds: nothing waits for it.
    fn look_at_provider(&self) {
        let Some(config) = self.config().console.oidc.clone() else {
            return;
        };
        let core = self.me.clone();
        let look = move || {
            if let Some(core) = core.upgrade() {
                core.sign_on.look(&config);
            }
        };
        let spawned = std::thread::Builder::new()
            .name("sign-on-look".to_owned())
            .spawn(look);
        if let Err(error) = spawned {
            tracing::error!(error = %error, "the identity provider cannot be looked at");
        }
    }

    /// Once a run: delivers what was agreed to when an earlier one ended.
    fn finish_deliveries(&self, opened: &Opened) {
        if !self.upkeep.delivered.swap(true, Ordering::Relaxed) {
            crate::malware::delivering::finish(self, opened);
        }
    }

    /// Once a day: destroys what lies in quarantine longer than its time.
    fn keep_quarantine(&self, opened: &Opened) {
        let today = self.clock.now().as_seconds().div_euclid(86_400);
        let looked = self.upkeep.quarantine.lock();
        let mut looked = looked.unwrap_or_else(PoisonError::into_inner);
        if *looked == Some(today) {
            return;
        }
        *looked = Some(today);
        if let Err(error) = crate::malware::keeping::keep(self, opened) {
            tracing::error!(
                code = error.problem().code,
                error = %chain(&error),
                "what lies in quarantine too long could not be destroyed"
            );
        }
    }

    /// Records the sessions whose time is over, and the sign-ins that were refused.
    fn sweep_sessions(&self) {
        let now = self.clock.now();
        self.sign_in.settle(now, false);
        if let Err(error) = self.sessions.sweep(now) {
            tracing::error!(
                code = error.problem().code,
                error = %chain(&error),
                "the end of a session could not be recorded"
            );
        }
    }

    /// Raises and clears the findings about certificates that end, one each and for each number of
    /// days that is configured.
    fn alarm(&self, opened: &Opened) -> Result<(), ServerError> {
        let now = self.clock.now();
        let mut present = self.ending(opened, now)?;
        let held = self.store.read(|snapshot| all_that_hold(snapshot, SITE))?;
        let held: Vec<Finding> = held
            .into_iter()
            .filter(|finding| finding.key.starts_with(CERTIFICATE))
            .collect();
        // A receiver that was not reached since the start is not known to have another certificate.
        let unseen = opened.delivery.status().into_iter();
        let unseen = unseen.filter(|one| one.certificate_until.is_none());
        for name in unseen.map(|one| destination(&one.name)) {
            let of_it = |finding: &&Finding| finding.key.ends_with(&format!(":{name}"));
            present.extend(held.iter().filter(of_it).cloned());
        }
        let is_held = |one: &Finding| held.iter().any(|held| held.key == one.key);
        for one in present.iter().filter(|one| !is_held(one)) {
            tracing::warn!("{}", one.detail);
        }
        if present.len() == held.len() && present.iter().all(is_held) {
            return Ok(());
        }
        self.store.write(move |tx| -> Result<(), LedgerError> {
            findings::reconcile(tx, SITE, CERTIFICATE, &present, now)?;
            Ok(())
        })?;
        Ok(())
    }

    /// Raises and clears the finding that the last backup is too old, where there was one.
    fn backup_alarm(&self) -> Result<(), ServerError> {
        let now = self.clock.now();
        let Some(backups) = Backups::measure(self, now) else {
            return Ok(());
        };
        let is_old = |time: &Timestamp| now.since(*time) > BACKED_UP_WITHIN;
        let overdue = backups.created.filter(is_old).map(|time| Finding {
            key: BACKUP_OVERDUE.to_owned(),
            detail: format!("the last backup was made on {:.10}", time.to_rfc3339()),
        });
        let held = self.store.read(|snapshot| all_that_hold(snapshot, SITE))?;
        // Read first, so that nothing is written while nothing changed.
        if held.iter().any(|one| one.key == BACKUP_OVERDUE) == overdue.is_some() {
            return Ok(());
        }
        self.store.write(move |tx| -> Result<(), LedgerError> {
            findings::reconcile_one(tx, SITE, BACKUP_OVERDUE, overdue.as_ref(), now)
        })?;
        Ok(())
    }

    fn ending(&self, opened: &Opened, now: Timestamp) -> Result<Vec<Finding>, ServerError> {
        let config = self.config();
        let days = config.tls.alarm_days.as_slice();
        let mut all = Vec::new();
        let mut ends = |whose: String, until, alarm_days| {
            let ends = Ends {
                whose,
                until,
                alarm_days,
            };
            all.extend(ends.finding(now));
        };
        if let Some(own) = self.certificate()? {
            ends("the server".to_owned(), own.not_after, days);
        }
        let authority = self.authority_until()?;
        let authority_days = config.tls.authority_alarm_days.as_slice();
        ends(
            "the built-in authority".to_owned(),
            authority,
            authority_days,
        );
        let peers = self.peers.list();
        for peer in peers.iter().filter(|peer| peer.is_active()) {
            ends(format!("peer {}", peer.name), peer.not_after, days);
        }
        for destination in opened.delivery.status() {
            if let Some(until) = destination.certificate_until {
                ends(self::destination(&destination.name), until, days);
            }
        }
        Ok(all)
    }

    fn note_trends(&self, opened: &Opened) {
        let now = self.clock.now();
        let disk = labward_os::disk_space(self.data.root()).ok();
        let destinations = opened.delivery.status();
        let backlogs = destinations.iter().map(|one| {
            let waiting = one.waiting + one.retrying + one.in_flight;
            (
                one.name.to_string(),
                u64::try_from(waiting).unwrap_or(u64::MAX),
            )
        });
        let trends = self.upkeep.trends.lock();
        let mut trends = trends.unwrap_or_else(PoisonError::into_inner);
        trends.note(now, disk.map(|disk| disk.free_bytes), backlogs);
    }
}

/// A destination as the keys of findings name it.
fn destination(name: &DestinationName) -> String {
    format!("destination {name}")
}

impl Ends<'_> {
    /// The finding of the last alarm that is due, if one is.
    fn finding(&self, now: Timestamp) -> Option<Finding> {
        let left = self.until.since(now);
        let is_over = self.until <= now;
        let due = |days: &&u16| left <= DAY * u32::from(**days);
        let days = self.alarm_days.iter().filter(due).min();
        let days = if is_over { 0 } else { *days? };
        let day = self.until.to_rfc3339();
        let day = day.get(..10).unwrap_or(&day);
        let whose = &self.whose;
        Some(Finding {
            key: format!("{CERTIFICATE}{days}:{whose}"),
            detail: match is_over {
                true => format!("the certificate of {whose} ended on {day}"),
                false => format!("the certificate of {whose} ends on {day}, within {days} days"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(days_left: i64, alarm_days: &[u16]) -> Option<String> {
        let now = Timestamp::from_seconds(1_800_000_000);
        let ends = Ends {
            whose: "peer a".to_owned(),
            until: Timestamp::from_seconds(1_800_000_000 + days_left * 86_400),
            alarm_days,
        };
        ends.finding(now).map(|finding| finding.key)
    }

    #[test]
    fn the_nearest_alarm_that_is_due_is_the_finding() {
        let days = [30, 14, 7, 1];
        assert_eq!(key(31, &days), None);
        for (left, alarm) in [(30, 30), (15, 30), (14, 14), (7, 7), (6, 7), (1, 1)] {
            let expect = format!("certificate-ends:{alarm}:peer a");
            assert_eq!(key(left, &days), Some(expect), "{left}");
        }
        assert_eq!(key(0, &days).unwrap(), "certificate-ends:0:peer a");
        assert_eq!(key(-3, &[]).unwrap(), "certificate-ends:0:peer a");
        assert_eq!(key(3, &[]), None, "nobody asked for one");
    }
}
