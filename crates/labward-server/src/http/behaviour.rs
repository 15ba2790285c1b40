//! `behaviour`: what devices usually do on their lines, what they did otherwise, and what people say of it.

use std::collections::BTreeMap;

use labward_api::behaviour::{
    AnswerUnusual, BehaviourFilter, BehaviourLearning, Behaviours, DeviceBehaviour, Unusual,
    UnusualFilter, UnusualPage,
};
use labward_base::Clock as _;
use labward_base::id::DeviceId;
use labward_behaviour::Progress;
use labward_conduits::{Answer as Said, Known};

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use super::hit::{device_name, saying};
use crate::app::Core;
use crate::backup::sealed_why;

/// Alerts on a page, where nobody asks for another number, and at most.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

/// `GET behaviour`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let asked: BehaviourFilter = call.query()?;
    let core = &call.core;
    let names = names(core);
    let known = core.behaviours.known(core.clock.now());
    let meant = known.iter().filter(|one| {
        // A device that was merged or removed keeps what was learned of it, and is not shown.
        let id = one.device.get();
        names.contains_key(&one.device) && asked.device.is_none_or(|wanted| wanted == id)
    });
    Answer::json(&Behaviours {
        devices: meant.map(|one| device(one, &names)).collect(),
        dropped: core.watching.dropped(),
    })
}

/// `GET behaviour/unusual`
pub(super) fn unusual(call: &Call) -> Result<Answer, Failure> {
    let asked: UnusualFilter = call.query()?;
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Failure::bad_request("limit is not between 1 and 1,000"));
    }
    let is_open = match asked.state.as_deref() {
        None | Some("open") => Some(true),
        Some("closed") => Some(false),
        Some("all") => None,
        Some(_) => {
            return Err(Failure::bad_request(
                "state is none of open, closed and all",
            ));
        }
    };
    let core = &call.core;
    let names = names(core);
    let mut all = core.behaviours.alerts();
    all.retain(|one| {
        is_open.is_none_or(|open| one.closed.is_none() == open)
            && asked.device.is_none_or(|wanted| one.device.get() == wanted)
            && asked.before.is_none_or(|before| one.id < before)
    });
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = all.get(..limit.min(all.len())).unwrap_or_default();
    let next = page.last().filter(|_| all.len() > limit);
    Answer::json(&UnusualPage {
        next: next.map(|one| one.id),
        alerts: page.iter().map(|one| alert(one, &names)).collect(),
    })
}

/// `POST behaviour/answer`
pub(super) fn answer(call: &Call) -> Result<Answer, Failure> {
    let asked: AnswerUnusual = call.json()?;
    let is_expected = match asked.answer.as_str() {
        "expected" => true,
        "unexpected" => false,
        _ => {
            return Err(Failure::bad_request(
                "answer is neither expected nor unexpected",
            ));
        }
    };
    let said = Said {
        alert: asked.alert,
        is_expected,
    };
    let core = &call.core;
    let why = sealed_why(core, reason(&asked.why)?)?;
    let now = core.clock.now();
    Answer::done(Some(core.behaviours.answer(said, call.by(), why, now)?))
}

/// Alerts that are open, each in a few words.
pub(super) fn open_alerts(core: &Core) -> Vec<String> {
    let alerts = core.behaviours.alerts();
    let open: Vec<_> = alerts.iter().filter(|one| one.closed.is_none()).collect();
    if open.is_empty() {
        return Vec::new();
    }
    let names = names(core);
    let words = open
        .iter()
        .map(|one| format!("{} {}", name(one.device, &names), one.kind));
    words.collect()
}

fn names(core: &Core) -> BTreeMap<DeviceId, String> {
    let devices = core.devices.list().into_iter();
    let present = devices.filter(|one| one.device.removed.is_none());
    present
        .map(|one| (one.device.id, device_name(&one)))
        .collect()
}

fn name(id: DeviceId, names: &BTreeMap<DeviceId, String>) -> String {
    names.get(&id).cloned().unwrap_or_else(|| format!("#{id}"))
}

fn device(one: &Known, names: &BTreeMap<DeviceId, String>) -> DeviceBehaviour {
    let usual = &one.usual;
    let texts = |all: &[Box<str>]| all.iter().map(|text| text.to_string()).collect();
    let hours = (0_u8..).zip(usual.hours);
    DeviceBehaviour {
        device: one.device.get(),
        name: name(one.device, names),
        learning: learning(&one.progress),
        first: usual.first.to_rfc3339(),
        last: usual.last.to_rfc3339(),
        hours: hours
            .filter_map(|(hour, is_used)| is_used.then_some(hour))
            .collect(),
        most: usual.most,
        types: texts(&usual.types),
        tests: texts(&usual.tests),
        clock_low_s: usual.clock_s.map(|(low, _)| low),
        clock_high_s: usual.clock_s.map(|(_, high)| high),
        number: usual.number,
        silent: usual.is_silent,
        overfull: one.is_overfull,
    }
}

fn learning(progress: &Progress) -> Option<BehaviourLearning> {
    (!progress.is_over).then_some(BehaviourLearning {
        day: progress.day,
        days: progress.days,
        active_days: progress.active_days,
        active_days_needed: progress.active_days_needed,
    })
}

fn alert(one: &labward_conduits::Unusual, names: &BTreeMap<DeviceId, String>) -> Unusual {
    let seen: Vec<_> = one.seen.iter().map(|seen| saying(&seen.saying())).collect();
    Unusual {
        id: one.id,
        device: one.device.get(),
        name: name(one.device, names),
        kind: one.kind.to_owned(),
        state: one
            .closed
            .map_or("open", |(_, outcome)| outcome.name())
            .to_owned(),
        text: seen
            .first()
            .map(|first| first.text.clone())
            .unwrap_or_default(),
        seen,
        count: one.count,
        raised: one.raised.to_rfc3339(),
        last: one.last.to_rfc3339(),
        closed: one.closed.map(|(at, _)| at.to_rfc3339()),
        entry: one.entry.get(),
    }
}
