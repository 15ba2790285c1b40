//! `messages`: lists without content, and what a person decides about what waits.
//!
//! It must never show what a message holds: that is `records/{record}/show`, which is recorded.

use std::collections::{BTreeSet, HashMap};

use labward_api::message::{Decision, Delivery, Message, MessageFilter};
use labward_base::id::{EntryIndex, RecordId};
use labward_base::{Timestamp, problem, remark};
use labward_gateway::config::DestinationName;
use labward_gateway::delivery::{ExceptionState, WaitingFilter, WaitingMessage};
use labward_gateway::messages::{HeldFilter, HeldMessage, HeldState, MessageError};
use labward_ledger::{
    Action, Fact, Leaf, StoredEntry, Subject, entries, entries_before, entry_of_record,
    message_before,
};
use labward_store::{Snapshot, StoreError};

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use crate::app::Opened;

/// Messages listed if the request does not say how many.
const LIMIT_DEFAULT: u32 = 50;
/// Messages listed at most.
const LIMIT_MAX: u32 = 1_000;
/// Entries read at once.
const PAGE: u32 = 1_000;
/// Entries that one list looks at, so that a rare peer does not cost a walk of the whole ledger.
const WALK_MAX: usize = 50_000;

/// Deliveries that the ledger says were done: with how many attempts, and when.
type Delivered = HashMap<(RecordId, String), (u32, Timestamp)>;

/// `GET messages`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    list_within(call, WALK_MAX)
}

/// The same however far the next message lies: a page without a message is the end.
pub(super) fn list_whole(call: &Call) -> Result<Answer, Failure> {
    list_within(call, usize::MAX)
}

fn list_within(call: &Call, walk_max: usize) -> Result<Answer, Failure> {
    let filter: MessageFilter = call.query()?;
    let opened = call.opened()?;
    let leaves = match filter.state.as_deref() {
        None | Some("received") => walk(call, &filter, walk_max)?,
        Some("held") => held(call, &opened, &filter)?,
        Some("waiting") => waiting(call, &opened, &filter, false)?,
        Some("dead") => waiting(call, &opened, &filter, true)?,
        Some(_) => {
            return Err(Failure::misunderstood(remark::message_states()));
        }
    };
    let delivered = delivered(call, &leaves)?;
    let messages = leaves.iter().map(|leaf| message(&opened, leaf, &delivered));
    Answer::json(&messages.collect::<Result<Vec<_>, _>>()?)
}

/// `GET messages/{record}`
pub(super) fn show(call: &Call) -> Result<Answer, Failure> {
    let record: RecordId = call.param("record")?;
    let leaf = leaf_of(call, record)?;
    let leaf = leaf.ok_or(Failure::new(&problem::GATEWAY_NO_MESSAGE))?;
    let delivered = delivered(call, std::slice::from_ref(&leaf))?;
    Answer::json(&message(&*call.opened()?, &leaf, &delivered)?)
}

/// `POST messages/{record}/release`
pub(super) fn release(call: &Call) -> Result<Answer, Failure> {
    let record: RecordId = call.param("record")?;
    let Decision { why, .. } = call.json()?;
    let messages = &call.opened()?.messages;
    Answer::done(Some(messages.release(record, call.by(), reason(&why)?)?))
}

/// `POST messages/{record}/reject`
pub(super) fn reject(call: &Call) -> Result<Answer, Failure> {
    let record: RecordId = call.param("record")?;
    let Decision { why, .. } = call.json()?;
    let messages = &call.opened()?.messages;
    Answer::done(Some(messages.reject(record, call.by(), reason(&why)?)?))
}

/// `POST messages/{record}/resend`
pub(super) fn resend(call: &Call) -> Result<Answer, Failure> {
    let record: RecordId = call.param("record")?;
    let Decision { why, destination } = call.json()?;
    let destination = destination.as_deref().map(destination_name).transpose()?;
    let delivery = &call.opened()?.delivery;
    let entry = delivery.resend(record, destination.as_ref(), call.by(), reason(&why)?)?;
    Answer::done(Some(entry))
}

/// `POST messages/{record}/skip`
pub(super) fn skip(call: &Call) -> Result<Answer, Failure> {
    let record: RecordId = call.param("record")?;
    let Decision { why, destination } = call.json()?;
    let why = reason(&why)?;
    let delivery = &call.opened()?.delivery;
    let destination = match destination {
        Some(name) => destination_name(&name)?,
        None => only_place(&delivery.waiting_of(record)?)?,
    };
    Answer::done(Some(delivery.give_up(
        record,
        &destination,
        call.by(),
        why,
    )?))
}

/// The one destination at which a message can be skipped.
fn only_place(rows: &[WaitingMessage]) -> Result<DestinationName, Failure> {
    let states = [ExceptionState::Held, ExceptionState::Retrying];
    let mut places = rows.iter().filter(|row| states.contains(&row.state));
    match (places.next(), places.next()) {
        (Some(one), None) => Ok(one.destination.clone()),
        (None, _) => Err(Failure::new(&problem::GATEWAY_NOT_WAITING)),
        (Some(_), Some(_)) => Err(Failure::misunderstood(remark::several_destinations())),
    }
}

fn destination_name(name: &str) -> Result<DestinationName, Failure> {
    name.parse()
        .map_err(|_| Failure::new(&problem::GATEWAY_NO_DESTINATION))
}

fn limit(filter: &MessageFilter) -> u32 {
    filter.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
}

/// The entries of messages that came, the newest first.
fn walk(call: &Call, filter: &MessageFilter, walk_max: usize) -> Result<Vec<Leaf>, Failure> {
    let wanted = usize::try_from(limit(filter)).unwrap_or(usize::MAX);
    let only_received = filter.state.is_some();
    let mut before = match filter.before {
        None => EntryIndex::new(u64::MAX),
        Some(record) => match leaf_of(call, RecordId::new(record))? {
            Some(leaf) => leaf.index,
            None => return Ok(Vec::new()),
        },
    };
    let (mut found, mut walked) = (Vec::new(), 0);
    while walked < walk_max {
        let page: Vec<StoredEntry> = call
            .core
            .store
            .read(|snapshot| entries_before(snapshot, before, PAGE))?;
        let Some(last) = page.last() else { break };
        before = last.index;
        walked += page.len();
        if !page.iter().any(came) {
            // Acts of people or of an import, maybe very many: where the next message lies.
            let read = |snapshot: &mut Snapshot<'_>| message_before(snapshot, before);
            let Some(next) = call.core.store.read(read)? else {
                break;
            };
            before = EntryIndex::new(next.get().saturating_add(1));
            continue;
        }
        for entry in &page {
            let is_held = entry.action == Action::MessageHeld.name();
            if entry.action != Action::MessageReceived.name() && (only_received || !is_held) {
                continue;
            }
            let Some(leaf) = Leaf::parse(&entry.leaf)
                .ok()
                .filter(|leaf| fits(leaf, filter))
            else {
                continue;
            };
            found.push(leaf);
            if found.len() >= wanted {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Whether a message came with this entry, taken or held.
fn came(entry: &StoredEntry) -> bool {
    let acts = [Action::MessageReceived, Action::MessageHeld];
    acts.iter().any(|act| act.name() == entry.action)
}

fn fits(leaf: &Leaf, filter: &MessageFilter) -> bool {
    let says = |name, wanted: &Option<String>| {
        wanted.is_none() || leaf.facts.get_text(name) == wanted.as_deref()
    };
    let goes_there = filter
        .destination
        .as_ref()
        .is_none_or(|wanted| goes_to(leaf).iter().any(|to| to == wanted));
    says("link", &filter.link) && says("peer", &filter.peer) && goes_there
}

fn held(call: &Call, opened: &Opened, filter: &MessageFilter) -> Result<Vec<Leaf>, Failure> {
    let held = opened.messages.list(&HeldFilter {
        state: Some(HeldState::Held),
        link: filter.link.clone(),
        peer: filter.peer.clone(),
        since: None,
        before: filter.before.map(RecordId::new),
        limit: limit(filter),
    })?;
    let leaves = held.iter().map(|held| leaf_of(call, held.record));
    Ok(leaves
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// Messages that wait at a destination, or were given up there.
fn waiting(
    call: &Call,
    opened: &Opened,
    filter: &MessageFilter,
    dead: bool,
) -> Result<Vec<Leaf>, Failure> {
    let destination = filter.destination.as_deref();
    let mut wanted = WaitingFilter {
        destination: destination.map(destination_name).transpose()?,
        state: dead.then_some(ExceptionState::Dead),
        after: None,
        limit: LIMIT_MAX,
    };
    let mut records: Vec<RecordId> = Vec::new();
    loop {
        let rows = opened.delivery.waiting(&wanted)?;
        let Some(last) = rows.last() else { break };
        wanted.after = Some((last.destination.clone(), last.entry));
        let rows = rows.iter();
        let rows = rows.filter(|row| dead || row.state != ExceptionState::Dead);
        let before = |record: &RecordId| filter.before.is_none_or(|at| record.get() < at);
        records.extend(rows.map(|row| row.record).filter(before));
    }
    records.sort_unstable_by(|a, b| b.cmp(a));
    records.dedup();
    let mut found = Vec::new();
    let wanted = usize::try_from(limit(filter)).unwrap_or(usize::MAX);
    for record in records {
        found.extend(leaf_of(call, record)?.filter(|leaf| fits(leaf, filter)));
        if found.len() >= wanted {
            break;
        }
    }
    Ok(found)
}

/// The entry by which a message was kept; `None` if the record is not one.
pub(super) fn leaf_of(call: &Call, record: RecordId) -> Result<Option<Leaf>, Failure> {
    let entry = call
        .core
        .store
        .read(|snapshot| entry_of_record(snapshot, record))
        .map_err(|error: StoreError| error)?;
    let leaf = entry.and_then(|entry| Leaf::parse(&entry.leaf).ok());
    let is_message =
        |leaf: &Leaf| matches!(leaf.action, Action::MessageReceived | Action::MessageHeld);
    Ok(leaf.filter(is_message))
}

/// What the ledger says was delivered of these messages, looked for behind the oldest of them.
fn delivered(call: &Call, leaves: &[Leaf]) -> Result<Delivered, Failure> {
    let mut delivered = Delivered::new();
    let Some(oldest) = leaves.iter().map(|leaf| leaf.index).min() else {
        return Ok(delivered);
    };
    // Once each is found there is nothing more to look for.
    let mut wanted: BTreeSet<(RecordId, String)> = leaves
        .iter()
        .filter_map(|leaf| Some((leaf.record?, leaf)))
        .flat_map(|(record, leaf)| goes_to(leaf).into_iter().map(move |to| (record, to)))
        .collect();
    let is_held = leaves.iter().any(|leaf| leaf.action == Action::MessageHeld);
    let (mut from, mut walked) = (oldest, 0);
    while walked < WALK_MAX && (is_held || !wanted.is_empty()) {
        let page: Vec<StoredEntry> = call
            .core
            .store
            .read(|snapshot| entries(snapshot, from, PAGE))?;
        let Some(last) = page.last() else { break };
        from = EntryIndex::new(last.index.get().saturating_add(1));
        walked += page.len();
        let done = page
            .iter()
            .filter(|entry| entry.action == Action::MessageDelivered.name());
        for leaf in done.filter_map(|entry| Leaf::parse(&entry.leaf).ok()) {
            let Subject::Record(record) = leaf.subject else {
                continue;
            };
            if let Some(to) = leaf.facts.get_text("destination") {
                let attempts = leaf.facts.get_number("attempts").unwrap_or(1);
                let attempts = u32::try_from(attempts).unwrap_or(1);
                let place = (record, to.to_owned());
                wanted.remove(&place);
                delivered.insert(place, (attempts, leaf.time));
            }
        }
    }
    Ok(delivered)
}

/// To which destinations the ledger says that a message was delivered, and when; the first of them first.
pub(super) fn delivered_to(
    call: &Call,
    record: RecordId,
) -> Result<Vec<(String, Timestamp)>, Failure> {
    let Some(leaf) = leaf_of(call, record)? else {
        return Ok(Vec::new());
    };
    let delivered = delivered(call, std::slice::from_ref(&leaf))?.into_iter();
    let of_it = delivered.filter(|((of, _), _)| *of == record);
    let mut all: Vec<_> = of_it.map(|((_, to), (_, at))| (to, at)).collect();
    all.sort_by(|(one, at), (other, then)| at.cmp(then).then_with(|| one.cmp(other)));
    Ok(all)
}

fn message(opened: &Opened, leaf: &Leaf, delivered: &Delivered) -> Result<Message, Failure> {
    let record = leaf.record.unwrap_or(RecordId::new(0));
    let held = match leaf.action {
        Action::MessageHeld => found(opened.messages.show(record))?,
        _ => None,
    };
    let text = |name| leaf.facts.get_text(name).unwrap_or_default().to_owned();
    let state = held.as_ref().map_or("received", |held| held.state.name());
    let mut deliveries = Vec::new();
    let (destinations, sent_by) = match &held {
        None => (goes_to(leaf), Some(leaf.index)),
        // The entry of a held message names no destinations: it goes nowhere by itself.
        Some(held) if held.state == HeldState::Released => {
            let names = held.destinations.iter().map(ToString::to_string);
            (names.collect(), held.decided)
        }
        Some(_) => (Vec::new(), None),
    };
    for to in destinations {
        let entry = sent_by.unwrap_or(leaf.index);
        deliveries.push(delivery(opened, record, entry, to, delivered)?);
    }
    let size = leaf.facts.get_number("size").unwrap_or_default();
    Ok(Message {
        record: record.get(),
        entry: leaf.index.get(),
        time: leaf.time.to_rfc3339(),
        state: state.to_owned(),
        link: text("link"),
        peer: text("peer"),
        kind: text("type"),
        size_bytes: u64::try_from(size).unwrap_or_default(),
        reason: held.map(|held| held.reason),
        deliveries,
    })
}

fn found(held: Result<HeldMessage, MessageError>) -> Result<Option<HeldMessage>, Failure> {
    match held {
        Ok(held) => Ok(Some(held)),
        Err(MessageError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What became of a message at one destination: a row of exceptions, an entry, or its turn has
/// not come.
fn delivery(
    opened: &Opened,
    record: RecordId,
    entry: EntryIndex,
    to: String,
    delivered: &Delivered,
) -> Result<Delivery, Failure> {
    if let Some(row) = exception(opened, record, entry, &to)? {
        return Ok(Delivery {
            destination: to,
            state: row.state.name().to_owned(),
            attempts: row.attempts,
            reason: (!row.reason.is_empty()).then_some(row.reason),
        });
    }
    let attempts = delivered.get(&(record, to.clone()));
    let state = if attempts.is_some() {
        "delivered"
    } else {
        "waiting"
    };
    Ok(Delivery {
        destination: to,
        state: state.to_owned(),
        attempts: attempts.map_or(0, |(attempts, _)| *attempts),
        reason: None,
    })
}

fn exception(
    opened: &Opened,
    record: RecordId,
    entry: EntryIndex,
    to: &str,
) -> Result<Option<WaitingMessage>, Failure> {
    let Ok(to) = to.parse::<DestinationName>() else {
        return Ok(None);
    };
    let before = EntryIndex::new(entry.get().saturating_sub(1));
    let rows = opened.delivery.waiting(&WaitingFilter {
        destination: Some(to.clone()),
        state: None,
        after: Some((to, before)),
        limit: 1,
    })?;
    Ok(rows.into_iter().find(|row| row.record == record))
}

/// The destinations that stand in the entry.
pub(super) fn goes_to(leaf: &Leaf) -> Vec<String> {
    match leaf.facts.get("to") {
        Some(Fact::List(list)) => list
            .iter()
            .filter_map(|to| match to {
                Fact::Text(name) => Some(name.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
