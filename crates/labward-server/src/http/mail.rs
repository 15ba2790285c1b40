//! `mail/…`: who is reminded by e-mail, and what of.
//!
//! It must never show an address, or put into a reminder what its recipient did not ask for.

use std::collections::BTreeMap;

use labward_api::status::CheckFinding;
use labward_base::Timestamp;
use labward_base::id::DeviceId;
use labward_priority::State;

use super::call::{Answer, Call};
use super::failure::Failure;
use super::hit::{Seen, View, device_name};
use crate::app::Core;
use crate::check::{check, standing_text};
use crate::config::{MailRecipientConfig, MailTopic};
use crate::mail::{Digest, Told, Work};

/// `GET mail`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    Answer::json(&call.core.mail_status()?)
}

/// `POST mail/{name}/test`
pub(super) fn test(call: &Call) -> Result<Answer, Failure> {
    call.opened()?;
    Answer::json(&call.core.test_mail(call.text("name"), call.actor())?)
}

/// What a recipient is to be told who knows of `told`, and what they know of then.
pub(crate) fn digest(core: &Core, recipient: &MailRecipientConfig, told: &Told) -> (Digest, Told) {
    let mut digest = Digest {
        lab: core.config().site.name.clone(),
        recipient: recipient.name.clone(),
        console: core.console_url(),
        details: recipient.details,
        within_days: recipient.within_days,
        ..Digest::default()
    };
    let mut knows = told.clone();
    knows.until = Some(core.clock.now());
    if recipient.wants(MailTopic::Due) {
        due(core, told.until, &mut digest);
    }
    if recipient.wants(MailTopic::Alerts) {
        digest.alerts = super::conduit::open_alerts(core);
    }
    if recipient.wants(MailTopic::Findings) {
        let found = check(&super::check::measure(core)).findings;
        knows.findings = found.iter().map(|one| one.code.clone()).collect();
        changes(found, told, &mut digest);
    }
    (digest, knows)
}

/// What is due, one piece of work for each document in each device.
fn due(core: &Core, told: Option<Timestamp>, digest: &mut Digest) {
    let view = View::of(core);
    let open = view.sorted(|hit| hit.closed.is_none());
    let open = open
        .iter()
        .filter(|seen| seen.urgency.standing.state != State::Treated);
    let mut works: BTreeMap<(DeviceId, &str, &str), (&Seen<'_>, usize)> = BTreeMap::new();
    let mut order = Vec::new();
    for seen in open {
        let key = &seen.hit.key;
        let place = (seen.hit.device, &*key.publisher, &*key.advisory);
        // The first of them is due first.
        let counted = works.entry(place).or_insert_with(|| {
            order.push(place);
            (seen, 0)
        });
        counted.1 += 1;
    }
    for (seen, count) in order.iter().filter_map(|place| works.get(place)) {
        let standing = &seen.urgency.standing;
        let late = matches!(standing.state, State::Overdue | State::AcceptanceExpired);
        let is_new = told.is_some_and(|told| seen.hit.found > told);
        let kept = match standing.days_left {
            _ if late => &mut digest.overdue,
            left if left <= i64::from(digest.within_days) => &mut digest.soon,
            _ if is_new => &mut digest.new,
            _ => continue,
        };
        kept.push(work(seen, count.saturating_sub(1)));
    }
}

fn work(seen: &Seen<'_>, more: usize) -> Work {
    let device = seen.device.map(device_name);
    Work {
        device: device.unwrap_or_else(|| format!("#{}", seen.hit.device)),
        vulnerability: seen.hit.key.vulnerability.clone(),
        more,
        advisory: seen.hit.key.advisory.clone(),
        band: seen.urgency.priority.band.name(),
        decision: seen.urgency.priority.decision.name(),
        due: seen.urgency.due.day.to_string(),
        days_left: seen.urgency.standing.days_left,
        hit: seen.hit.id.get(),
    }
}

/// What of the findings is new, stands, and is gone.
fn changes(found: Vec<CheckFinding>, told: &Told, digest: &mut Digest) {
    let gone = told.findings.iter();
    let gone = gone.filter(|code| !found.iter().any(|one| one.code == **code));
    digest.cleared = gone.filter_map(|code| standing_text(code)).collect();
    for one in found {
        if !told.findings.contains(&one.code) {
            digest.raised.push(one);
        } else if one.harm == "high" {
            digest.standing.push(one);
        } else {
            digest.others = digest.others.saturating_add(1);
        }
    }
}
