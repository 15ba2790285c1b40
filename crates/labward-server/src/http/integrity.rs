//! `integrity/…`: files of machines that were compared with how they were, and what people say of it.
//!
//! It must never take or give the name of a file.

use std::collections::BTreeMap;

use labward_api::integrity::{
    DecideIntegrity, IntegrityAlarm, IntegrityBaseline, IntegrityCompared, IntegrityCounts,
    IntegritySigner,
};
use labward_base::{Clock as _, Timestamp, hex};
use labward_malware::integrity::{Baseline, Comparison, Counts, Signers, Standing};

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use crate::app::Core;
use crate::backup::sealed_why;

/// `GET integrity`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let all = call.core.integrity.all();
    Answer::json(&all.iter().map(shown).collect::<Vec<_>>())
}

/// `POST integrity/compared`
pub(super) fn compared(call: &Call) -> Result<Answer, Failure> {
    let told: IntegrityCompared = call.json()?;
    let hash = |text: &str| {
        let bad = || Failure::bad_request("a SHA-256 has 64 hexadecimal digits");
        digest(text).ok_or_else(bad)
    };
    let mut alarms = BTreeMap::new();
    for alarm in told.alarms {
        alarms.insert(alarm.code, alarm.count);
    }
    let counts = told.counts;
    let comparison = Comparison {
        name: told.name,
        manifest: hash(&told.baseline)?,
        is_new: told.made,
        changes: told.changes.as_deref().map(hash).transpose()?,
        counts: Counts {
            files: counts.files,
            added: counts.added,
            changed: counts.changed,
            moved: counts.moved,
            removed: counts.removed,
            rights: counts.rights,
            unread: counts.unread,
            updates: counts.updates,
        },
        alarms,
        signers: told.signers.into_iter().map(signers).collect(),
    };
    let core = &call.core;
    let recorded = core
        .integrity
        .record(comparison, call.actor(), core.clock.now())?;
    Answer::json(&shown(&recorded))
}

/// `POST integrity/decide`
pub(super) fn decide(call: &Call) -> Result<Answer, Failure> {
    let asked: DecideIntegrity = call.json()?;
    let answer = Standing::of_answer(&asked.answer).ok_or_else(|| {
        Failure::bad_request("answer is none of update, expected, unexpected and malware")
    })?;
    let core = &call.core;
    let why = sealed_why(core, reason(&asked.why)?)?;
    let decided = core.integrity.decide(&asked.name, answer, call.by(), why)?;
    Answer::done(Some(decided))
}

/// The baselines of which changes wait for a person, by name.
pub(super) fn open(core: &Core) -> Vec<String> {
    let all = core.integrity.all().into_iter();
    let open = all.filter(|one| one.standing == Standing::Open);
    open.map(|one| one.told.name).collect()
}

fn shown(one: &Baseline) -> IntegrityBaseline {
    let (told, counts) = (&one.told, &one.told.counts);
    let alarms = told.alarms.iter().map(|(code, count)| IntegrityAlarm {
        code: code.clone(),
        count: *count,
    });
    IntegrityBaseline {
        name: told.name.clone(),
        baseline: hex::encode(&told.manifest),
        since: one.since.to_rfc3339(),
        compared: one.compared.map(Timestamp::to_rfc3339),
        counts: IntegrityCounts {
            files: counts.files,
            added: counts.added,
            changed: counts.changed,
            moved: counts.moved,
            removed: counts.removed,
            rights: counts.rights,
            unread: counts.unread,
            updates: counts.updates,
        },
        alarms: alarms.collect(),
        signers: told.signers.iter().map(shown_signers).collect(),
        state: one.standing.code().to_owned(),
        entry: one.entry.get(),
    }
}

fn signers(told: IntegritySigner) -> Signers {
    Signers {
        how: told.how,
        was: told.was,
        is: told.is,
        count: told.count,
    }
}

fn shown_signers(one: &Signers) -> IntegritySigner {
    IntegritySigner {
        how: one.how.clone(),
        was: one.was.clone(),
        is: one.is.clone(),
        count: one.count,
    }
}

/// A SHA-256 from its digits.
fn digest(text: &str) -> Option<[u8; 32]> {
    hex::decode(&text.to_ascii_lowercase())
}
