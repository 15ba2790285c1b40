//! `messages/{record}/path`: what happened to a message, entry by entry.
//!
//! It must never show more than the ledger says in clear, or call a path whole that it did not follow to
//! its end.

use labward_api::message::{MessagePath, Step};
use labward_base::id::{EntryIndex, RecordId};
use labward_base::problem;
use labward_ledger::{Fact, Leaf, StoredEntry, Subject, entries};

use super::call::{Answer, Call};
use super::failure::Failure;
use super::message::leaf_of;

/// Entries read at once.
const PAGE: u32 = 1_000;
/// Entries looked at behind the one that received it.
const WALK_MAX: usize = 50_000;
/// Steps shown at most.
const STEPS_MAX: usize = 200;

/// `GET messages/{record}/path`
pub(super) fn show(call: &Call) -> Result<Answer, Failure> {
    let record: RecordId = call.param("record")?;
    let leaf = leaf_of(call, record)?.ok_or(Failure::new(&problem::GATEWAY_NO_MESSAGE))?;
    let mut path = MessagePath::default();
    match behind(call, &leaf) {
        Some(mut entries) => {
            entries.reverse();
            path.complete = true;
            follow(&mut path, record, &entries);
            path.steps.insert(0, step(leaf));
        }
        None => walk(call, &mut path, record, leaf.index)?,
    }
    Answer::json(&path)
}

/// What was done with the patient's records behind the entry of a message, the newest first; `None` if
/// no index says it.
fn behind(call: &Call, leaf: &Leaf) -> Option<Vec<StoredEntry>> {
    let opened = call.opened().ok()?;
    let from = EntryIndex::new(leaf.index.get().saturating_add(1));
    let entries = opened.records.entries_about(leaf.patient?, from, WALK_MAX);
    entries.ok().flatten()
}

/// Reads everything from the entry `from` on.
fn walk(
    call: &Call,
    path: &mut MessagePath,
    record: RecordId,
    mut from: EntryIndex,
) -> Result<(), Failure> {
    let mut walked = 0;
    while walked < WALK_MAX && path.steps.len() < STEPS_MAX {
        let page: Vec<StoredEntry> = call
            .core
            .store
            .read(|snapshot| entries(snapshot, from, PAGE))?;
        let Some(last) = page.last() else {
            path.complete = true;
            break;
        };
        from = EntryIndex::new(last.index.get().saturating_add(1));
        walked += page.len();
        follow(path, record, &page);
    }
    Ok(())
}

/// Takes those of these entries in that are about the record.
fn follow(path: &mut MessagePath, record: RecordId, page: &[StoredEntry]) {
    let acts = page.iter().filter(|entry| {
        entry.action.starts_with("message.") || entry.action.starts_with("record.")
    });
    for leaf in acts.filter_map(|entry| Leaf::parse(&entry.leaf).ok()) {
        if is_about(&leaf, record) {
            if path.steps.len() >= STEPS_MAX {
                path.complete = false;
                return;
            }
            path.steps.push(step(leaf));
        }
    }
}

/// Whether it was done to this record, by itself or with others.
fn is_about(leaf: &Leaf, record: RecordId) -> bool {
    let is = |fact: &Fact| match fact {
        Fact::Number(number) => u64::try_from(*number) == Ok(record.get()),
        _ => false,
    };
    let listed = match leaf.facts.get("records") {
        Some(Fact::List(list)) => list.iter().any(is),
        _ => false,
    };
    listed || matches!(leaf.subject, Subject::Record(one) if one == record)
}

fn step(leaf: Leaf) -> Step {
    Step {
        entry: leaf.index.get(),
        time: leaf.time.to_rfc3339(),
        actor: leaf.actor.to_string(),
        action: leaf.action.name().to_owned(),
        outcome: leaf.outcome.to_string(),
        destination: leaf.facts.get_text("destination").map(str::to_owned),
    }
}
