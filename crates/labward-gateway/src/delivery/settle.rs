//! What follows an outcome, and the unit that makes it durable.
//!
//! **Invariant:** no change without an entry: the entry of the outcome, the cursor and the rows of
//! exceptions commit together, and only then does the lane send its next message.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use labward_base::id::EntryIndex;
use labward_base::{Problem, Timestamp, problem};
use labward_hl7::AckCode;
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject, append};
use labward_store::{StoreError, Tx};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::destination::{Destination, Down, State, after};
use super::error::DeliveryError;
use super::schedule::{Item, Job};
use super::status::ExceptionState;
use super::store::{self, Exception, Place};
use crate::config::{OnFailure, RetryConfig};

/// As many attempts without an answer, one after the other, and the destination counts as down.
const SILENT_MAX: u32 = 3;

/// How long to wait before a unit is tried again that the database refused.
const REFUSED_BY_STORE: Duration = Duration::from_millis(500);

/// How an attempt ended.
pub(super) enum Outcome {
    /// It arrived.
    Delivered {
        /// The code of the acknowledgement, or how else it is known.
        answer: &'static str,
        line: String,
        size: usize,
    },
    /// The receiver answered that it does not take it.
    Refused { code: AckCode, line: String },
    /// It was sent, and nobody knows whether it arrived.
    Unknown(&'static Problem),
    /// It was not sent.
    NotSent(&'static Problem),
    /// It can never be sent.
    Impossible(&'static Problem),
}

/// An attempt that ended and is not settled yet.
pub(super) struct Ended {
    entry: EntryIndex,
    outcome: Outcome,
    settled: oneshot::Sender<()>,
}

/// What outcomes change in the database, in the order in which they ended: one unit.
struct Plans {
    place: Place,
    all: Vec<Plan>,
}

/// What an outcome changes in the database.
#[derive(Default)]
struct Plan {
    entries: Vec<NewEntry>,
    done: Option<EntryIndex>,
    put: Option<Exception>,
    park: Vec<Exception>,
    cursor: Option<EntryIndex>,
    stop: Option<&'static str>,
}

/// What an outcome changes in memory, once it is durable.
enum Then {
    Delivered(usize),
    Dead,
    Retry(Exception, Duration),
    Hold(Exception),
    Stop(Exception, &'static str),
    PutBack,
}

impl Destination {
    /// Makes the outcome of an attempt durable and lets what follows from it happen; fails only
    /// when the store is closed.
    ///
    /// Outcomes that end while a unit is under way share the next one.
    pub(super) async fn settle(&self, job: &Job, outcome: Outcome) -> Result<(), StoreError> {
        let (settled, done) = oneshot::channel();
        self.state().ended.push(Ended {
            entry: job.entry,
            outcome,
            settled,
        });
        {
            let _writing = self.writing.lock().await;
            self.settle_ended().await?;
        }
        // Whoever had the unit before this one may have settled it, or gone with the store.
        done.await.map_err(|_| StoreError::Closed)
    }

    /// Settles everything that has ended by now in one unit; the caller holds `writing`.
    async fn settle_ended(&self) -> Result<(), StoreError> {
        let mut plans = Plans::new(self.place.clone());
        let mut follow = Vec::new();
        {
            // From plan to submission nothing may come between: what a person orders is then
            // written before or after it as a whole.
            let state = &mut *self.state();
            for ended in std::mem::take(&mut state.ended) {
                let (plan, then) = self.plan(state, ended.entry, &ended.outcome);
                plans.add(plan);
                follow.push((ended.entry, then, ended.settled));
            }
        }
        self.commit(plans).await?;
        for (entry, then, settled) in follow {
            self.apply(entry, then);
            // The lane may be gone; what it sent is settled all the same.
            let _ = settled.send(());
        }
        Ok(())
    }

    /// Gives the messages that only wait behind others their rows, so that the window goes on.
    pub(super) async fn park_blocked(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let mut plan = Plan::default();
        {
            let state = &mut *self.state();
            let Some(last) = state.schedule.last_of_blocked() else {
                return Ok(());
            };
            plan.park = state.schedule.park_before(after(last), self.clock.now());
            plan.advance(state, after(last));
        }
        self.commit(self.plans_of(plan)).await?;
        self.changed.notify_waiters();
        Ok(())
    }

    /// Moves the cursor past entries that do not concern this destination, if they are at least
    /// so many.
    pub(super) async fn pass_to(&self, seen: EntryIndex, least: u64) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let mut plan = Plan::default();
        {
            let state = &mut *self.state();
            state.seen = state.seen.max(seen);
            let passed = state.seen.get().saturating_sub(state.cursor.get());
            if state.schedule.fresh() > 0 || passed < least.max(1) {
                return Ok(());
            }
            plan.advance(state, state.seen);
        }
        self.commit(self.plans_of(plan)).await
    }

    fn plans_of(&self, plan: Plan) -> Plans {
        let mut plans = Plans::new(self.place.clone());
        plans.add(plan);
        plans
    }

    /// Commits plans, again and again while the database refuses it; the caller holds `writing`,
    /// so that no later plan overtakes this one.
    async fn commit(&self, plans: Plans) -> Result<(), StoreError> {
        if plans.all.is_empty() {
            return Ok(());
        }
        let plans = Arc::new(plans);
        loop {
            let (send, receive) = oneshot::channel();
            let unit = Arc::clone(&plans);
            self.store.submit(
                move |tx| unit.write(tx),
                move |result| {
                    // Whoever waits may be gone; it is durable all the same.
                    let _ = send.send(result);
                },
            );
            match receive.await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(DeliveryError::Store(StoreError::Closed))) | Err(_) => {
                    return Err(StoreError::Closed);
                }
                Ok(Err(error)) => {
                    tracing::error!(destination = %self.name(), error = %error, "an outcome of delivery could not be recorded; trying again");
                    tokio::time::sleep(REFUSED_BY_STORE).await;
                }
            }
        }
    }

    fn plan(&self, state: &mut State, at: EntryIndex, outcome: &Outcome) -> (Plan, Then) {
        let now = self.clock.now();
        let mut plan = Plan::default();
        let Some(row) = state.schedule.get(at).map(|item| row_of(item, now)) else {
            return (plan, Then::PutBack);
        };
        let then = match outcome {
            Outcome::Delivered { answer, line, size } => {
                let facts = self.facts(&row, row.attempts.saturating_add(1));
                let facts = came_back(state, facts.text("answer", *answer).text("line", line), now);
                plan.record(self.entry(Action::MessageDelivered, &row, facts));
                Then::Delivered(*size)
            }
            Outcome::Refused { code, line } => {
                let facts = Facts::new()
                    .text("answer", code.as_str())
                    .text("line", line);
                let facts = came_back(state, facts, now);
                self.after_refusal(&mut plan, row, *code, facts, now)
            }
            Outcome::Unknown(problem) => self.after_silence(state, &mut plan, row, problem, now),
            Outcome::NotSent(problem) => {
                self.mark_down(state, &mut plan, problem, now);
                let age = now.since(state.schedule.get(at).map_or(now, |item| item.at));
                let down = state.down.as_ref().map(|down| now.since(down.since));
                if self.is_too_old(age) && down.is_some_and(|down| self.is_too_old(down)) {
                    self.bury(&mut plan, row, problem, Facts::new())
                } else {
                    Then::PutBack
                }
            }
            Outcome::Impossible(problem) => self.bury(&mut plan, row, problem, Facts::new()),
        };
        plan.pass(state, at, &then, now);
        (plan, then)
    }

    fn after_refusal(
        &self,
        plan: &mut Plan,
        mut row: Exception,
        code: AckCode,
        facts: Facts,
        now: Timestamp,
    ) -> Then {
        let policy = match code {
            AckCode::Ar | AckCode::Cr => self.config().on.reject,
            _ => self.config().on.error,
        };
        self.counters.count_refused();
        row.failed(&problem::SEND_REFUSED, now);
        row.answers = row.answers.saturating_add(1);
        let limit = self.config().retry.max_attempts;
        if policy == OnFailure::Retry && limit > 0 && row.answers >= limit {
            return self.bury(plan, row, &problem::SEND_REFUSED, facts);
        }
        let mut all = self.facts(&row, row.attempts).text("then", name_of(policy));
        for name in ["answer", "line"] {
            if let Some(text) = facts.get_text(name) {
                all = all.text(name, text);
            }
        }
        let entry = self.entry(Action::MessageDeliveryFailed, &row, all);
        plan.record(entry.outcome(failed(&problem::SEND_REFUSED)));
        let retries = row.answers;
        self.follow(plan, policy, row, retries, &problem::SEND_REFUSED)
    }

    fn after_silence(
        &self,
        state: &mut State,
        plan: &mut Plan,
        mut row: Exception,
        problem: &'static Problem,
        now: Timestamp,
    ) -> Then {
        state.silent = state.silent.saturating_add(1);
        if state.silent >= SILENT_MAX || state.down.is_some() {
            self.mark_down(state, plan, problem, now);
        }
        let policy = self.config().on.timeout;
        let known = row.reason == problem.code && policy == OnFailure::Retry;
        row.failed(problem, now);
        if policy == OnFailure::Retry && self.is_too_old(now.since(row.since)) {
            return self.bury(plan, row, problem, Facts::new());
        }
        // One entry a change, not one an attempt: a receiver may be silent for days.
        if !known {
            let facts = self.facts(&row, row.attempts).text("then", name_of(policy));
            let entry = self.entry(Action::MessageDeliveryFailed, &row, facts);
            plan.record(entry.outcome(failed(problem)));
        }
        let retries = row.attempts;
        self.follow(plan, policy, row, retries, problem)
    }

    /// Carries out the policy for a failed attempt.
    fn follow(
        &self,
        plan: &mut Plan,
        policy: OnFailure,
        mut row: Exception,
        retries: u32,
        problem: &'static Problem,
    ) -> Then {
        match policy {
            OnFailure::Hold => {
                row.state = ExceptionState::Held;
                Then::Hold(row)
            }
            OnFailure::Retry => {
                let delay = back_off(&self.config().retry, retries);
                row.state = ExceptionState::Retrying;
                row.next = self.clock.now().plus(delay);
                Then::Retry(row, delay)
            }
            OnFailure::Stop => {
                plan.stop = Some(problem.code);
                let facts = Facts::new().text("reason", problem.code);
                plan.record(self.entry_of_destination(Action::DestinationHeld, facts));
                Then::Stop(row, problem.code)
            }
        }
    }

    /// Gives a message up.
    fn bury(
        &self,
        plan: &mut Plan,
        mut row: Exception,
        problem: &'static Problem,
        facts: Facts,
    ) -> Then {
        row.state = ExceptionState::Dead;
        problem.code.clone_into(&mut row.reason);
        let mut all = self.facts(&row, row.attempts);
        if let Some(answer) = facts.get_text("answer") {
            all = all.text("answer", answer);
        }
        let entry = self.entry(Action::MessageDead, &row, all);
        plan.record(entry.outcome(failed(problem)));
        plan.put = Some(row);
        Then::Dead
    }

    /// Notes that the destination does not answer; only the change is an entry.
    fn mark_down(
        &self,
        state: &mut State,
        plan: &mut Plan,
        problem: &'static Problem,
        now: Timestamp,
    ) {
        let attempts = state
            .down
            .as_ref()
            .map_or(1, |down| down.attempts.saturating_add(1));
        let since = state.down.as_ref().map_or(now, |down| down.since);
        if state.down.is_none() {
            let facts = Facts::new().text("reason", problem.code);
            let entry = self.entry_of_destination(Action::MessageDeliveryFailed, facts);
            plan.record(entry.outcome(failed(problem)));
        }
        state.down = Some(Down {
            since,
            reason: problem.code,
            attempts,
            until: Instant::now() + back_off(&self.config().retry, attempts),
            probing: state.down.as_ref().is_some_and(|down| down.probing),
        });
    }

    fn is_too_old(&self, age: Duration) -> bool {
        let hours = self.config().retry.max_hours;
        hours > 0 && age >= Duration::from_secs(hours.saturating_mul(3_600))
    }

    fn facts(&self, row: &Exception, attempts: u32) -> Facts {
        Facts::new()
            .text("destination", self.name().as_str())
            .number("message", row.entry.get())
            .number("attempts", attempts)
    }

    fn entry(&self, action: Action, row: &Exception, facts: Facts) -> NewEntry {
        let subject = Subject::Record(row.record);
        NewEntry::new(self.place.site, Actor::System, action, subject).facts(facts)
    }

    fn entry_of_destination(&self, action: Action, facts: Facts) -> NewEntry {
        let subject = Subject::Destination(self.name().as_str().to_owned().into());
        NewEntry::new(self.place.site, Actor::System, action, subject).facts(facts)
    }

    fn apply(&self, entry: EntryIndex, then: Then) {
        let now = self.clock.now();
        let state = &mut *self.state();
        if let Some(down) = &mut state.down {
            down.probing = false;
        }
        match then {
            Then::Delivered(size) => {
                state.schedule.finish(entry);
                state.delivered += 1;
                state.last_delivered = Some(now);
                self.counters.count_accepted(size, now);
                // The lane goes on with what this let go; the others need not be woken for it.
                if !std::mem::take(&mut state.room_is_wanted) {
                    return;
                }
            }
            Then::Dead => {
                state.schedule.finish(entry);
                state.dead += 1;
            }
            Then::Retry(row, delay) => {
                note(state, row);
                state.schedule.retry_at(entry, Instant::now() + delay);
            }
            Then::Hold(row) => {
                note(state, row);
                state.schedule.hold(entry);
                self.counters.count_held(0, now);
            }
            Then::Stop(row, reason) => {
                note(state, row);
                state.schedule.put_back(entry);
                state.stopped = Some(reason.to_owned());
            }
            Then::PutBack => state.schedule.put_back(entry),
        }
        self.changed.notify_waiters();
    }
}

impl Plans {
    const fn new(place: Place) -> Self {
        Self {
            place,
            all: Vec::new(),
        }
    }

    fn add(&mut self, plan: Plan) {
        if !plan.is_empty() {
            self.all.push(plan);
        }
    }

    fn write(&self, tx: &mut Tx<'_>) -> Result<(), DeliveryError> {
        for plan in &self.all {
            plan.write(tx, &self.place)?;
        }
        // It only moves on: the last one holds for all.
        if let Some(next) = self.all.iter().filter_map(|plan| plan.cursor).max() {
            store::advance(tx, &self.place, next)?;
        }
        Ok(())
    }
}

impl Plan {
    fn record(&mut self, entry: NewEntry) {
        self.entries.push(entry);
    }

    /// Moves the cursor past a message that is done or has a row; those before it get rows.
    fn pass(&mut self, state: &mut State, entry: EntryIndex, then: &Then, now: Timestamp) {
        match then {
            Then::PutBack => return,
            // What is fresh has no row that would have to go.
            Then::Delivered(_) => self.done = (!state.schedule.is_fresh(entry)).then_some(entry),
            Then::Dead => {}
            Then::Retry(row, _) | Then::Hold(row) | Then::Stop(row, _) => {
                self.put = Some(row.clone());
            }
        }
        if state.schedule.is_fresh(entry) {
            self.park = state.schedule.park_before(entry, now);
            // Its own row is `put`, or none if it is done.
            drop(state.schedule.park(entry, now));
            self.advance(state, after(entry));
        }
    }

    fn advance(&mut self, state: &mut State, next: EntryIndex) {
        state.cursor = state.cursor.max(next);
        self.cursor = Some(next);
    }

    const fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.done.is_none()
            && self.put.is_none()
            && self.cursor.is_none()
            && self.stop.is_none()
    }

    /// Writes everything but the cursor.
    fn write(&self, tx: &mut Tx<'_>, place: &Place) -> Result<(), DeliveryError> {
        for entry in &self.entries {
            append(tx, entry)?;
        }
        for row in &self.park {
            store::park(tx, place, row)?;
        }
        if let Some(row) = &self.put {
            store::put(tx, place, row)?;
        }
        if let Some(entry) = self.done {
            store::remove(tx, place, entry)?;
        }
        if self.stop.is_some() {
            store::set_stopped(tx, place, self.stop)?;
        }
        Ok(())
    }
}

impl Exception {
    fn failed(&mut self, problem: &'static Problem, now: Timestamp) {
        if self.attempts == 0 {
            self.since = now;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.next = now;
        problem.code.clone_into(&mut self.reason);
    }
}

fn row_of(item: &Item, now: Timestamp) -> Exception {
    Exception {
        entry: item.entry,
        record: item.record,
        state: ExceptionState::Waiting,
        attempts: item.attempts,
        answers: item.answers,
        next: now,
        since: item.since.unwrap_or(item.at),
        reason: item.reason.clone(),
        keys: item.keys.clone(),
    }
}

fn note(state: &mut State, row: Exception) {
    if let Some(item) = state.schedule.get_mut(row.entry) {
        item.attempts = row.attempts;
        item.answers = row.answers;
        item.since = Some(row.since);
        item.reason = row.reason;
    }
}

/// Any answer shows that the destination is up again; the entry says how long it was not.
fn came_back(state: &mut State, facts: Facts, now: Timestamp) -> Facts {
    state.silent = 0;
    let Some(down) = state.down.take() else {
        return facts;
    };
    let silent = [&problem::SEND_NO_ACK, &problem::GATEWAY_FOREIGN_ACK];
    state.schedule.hurry(&silent.map(|problem| problem.code));
    facts
        .number("down_seconds", now.since(down.since).as_secs())
        .number("down_attempts", down.attempts)
}

const fn failed(problem: &'static Problem) -> labward_ledger::Outcome {
    labward_ledger::Outcome::Failed(problem.code)
}

const fn name_of(policy: OnFailure) -> &'static str {
    match policy {
        OnFailure::Hold => "hold",
        OnFailure::Retry => "retry",
        OnFailure::Stop => "stop",
    }
}

/// The time before retry number `retry` (from 1): doubled each time up to the limit, of which a
/// random half is taken off, so that many do not come back at the same moment.
fn back_off(config: &RetryConfig, retry: u32) -> Duration {
    let doubled = config
        .first_ms
        .max(1)
        .saturating_mul(1 << retry.saturating_sub(1).min(30));
    let most = doubled.min(config.max_ms.max(1));
    let random = RandomState::new().hash_one(retry);
    let half = most / 2;
    Duration::from_millis(most - random % (half + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_its_limit_with_jitter() {
        let config = RetryConfig {
            first_ms: 1_000,
            max_ms: 60_000,
            ..RetryConfig::default()
        };
        for (retry, most) in [
            (1, 1_000),
            (2, 2_000),
            (5, 16_000),
            (7, 60_000),
            (99, 60_000),
        ] {
            let drawn: Vec<_> = (0..64)
                .map(|_| back_off(&config, retry).as_millis())
                .collect();
            let range = most / 2..=most;
            assert!(drawn.iter().all(|ms| range.contains(ms)), "{drawn:?}");
            assert!(drawn.iter().any(|ms| *ms != drawn[0]), "no jitter");
        }
    }
}
