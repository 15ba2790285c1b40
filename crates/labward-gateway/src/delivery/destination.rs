//! One destination: its messages, whether it is up, and what its lanes do next.
//!
//! The lock of its state is never held while something is waited for, and never taken on the
//! writer's thread.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use labward_base::id::EntryIndex;
use labward_base::{Clock, Timestamp};
use labward_store::Store;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::DeliveryParts;
use super::dial::{SeenCertificate, Way, WayParts};
use super::error::DeliveryError;
use super::inbox::Inbox;
use super::schedule::{Job, Schedule};
use super::settle::Ended;
use super::status::{DestinationState, DestinationStatus};
use super::store::{self, Place};
use crate::config::{DestinationConfig, DestinationName};
use crate::events::Counters;
use crate::keep::Keep;

/// Messages without a row that are known at the same time.
const WINDOW: usize = 256;

/// Messages that are known at the same time; beyond them the ledger waits.
const MAX_KNOWN: usize = 100_000;

/// How long a lane waits for a change at most.
const WATCH: Duration = Duration::from_secs(60);

pub(super) struct Destination {
    pub(super) place: Place,
    settings: RwLock<Arc<Settings>>,
    pub(super) store: Store,
    pub(super) keep: Arc<dyn Keep>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Arc<Counters>,
    pub(super) inbox: Inbox,
    pub(super) certificate: Arc<SeenCertificate>,
    /// Something else than one more message: whoever waits is to look again.
    pub(super) changed: Notify,
    /// A message may go: one lane is to look, and wakes another if there are more.
    pub(super) ready: Notify,
    /// Held while a unit is under way: if one fails, none may overtake it, else the cursor could
    /// pass a message whose row was not written.
    pub(super) writing: tokio::sync::Mutex<()>,
    closing: AtomicBool,
    /// Since when it is configured no more, in microseconds; 0 if it is.
    leaving: AtomicI64,
    state: Mutex<State>,
}

/// What a reload replaces: how the destination is reached, and what follows a failure.
pub(super) struct Settings {
    /// The same one as long as nothing of it was changed.
    pub(super) config: Arc<DestinationConfig>,
    pub(super) way: Way,
}

pub(super) struct State {
    pub(super) schedule: Schedule,
    /// Attempts that ended and are not settled yet, in that order.
    pub(super) ended: Vec<Ended>,
    /// Whether the feed waits until messages are done.
    pub(super) room_is_wanted: bool,
    /// Lanes that run, or will as soon as the thread gets to them.
    pub(super) lanes: usize,
    /// Every entry before it is done or has a row.
    pub(super) cursor: EntryIndex,
    /// Every entry before it was looked at.
    pub(super) seen: EntryIndex,
    pub(super) stopped: Option<String>,
    pub(super) down: Option<Down>,
    /// Attempts without an answer since the last answer.
    pub(super) silent: u32,
    pub(super) dead: usize,
    pub(super) delivered: u64,
    pub(super) last_delivered: Option<Timestamp>,
    pub(super) catching_up: bool,
}

/// The destination cannot be reached, or does not answer.
pub(super) struct Down {
    pub(super) since: Timestamp,
    pub(super) reason: &'static str,
    pub(super) attempts: u32,
    /// Not tried before.
    pub(super) until: Instant,
    /// Whether a lane tries at this moment.
    pub(super) probing: bool,
}

impl Destination {
    /// The destination as the database knows it; new ones begin with the ledger.
    pub(super) fn load(
        config: DestinationConfig,
        parts: &DeliveryParts,
    ) -> Result<Self, DeliveryError> {
        let certificate = Arc::new(SeenCertificate::default());
        let way = Way::of(
            &config,
            &WayParts {
                identity: parts.identity.as_ref(),
                peers: &parts.peers,
                clock: &parts.clock,
                certificate: &certificate,
            },
        )?;
        let place = Place {
            site: parts.site,
            destination: config.name.clone(),
        };
        let begin = place.clone();
        let cursor = parts
            .store
            .write(move |tx| store::begin(tx, &begin).map_err(DeliveryError::from))?;
        let now = parts.clock.now();
        let longest = Duration::from_millis(config.retry.max_ms);
        let mut schedule = Schedule::default();
        let mut from = EntryIndex::new(0);
        loop {
            let rows = parts
                .store
                .read(|snapshot| store::load(snapshot, &place, from, 1_000))?;
            let Some(last) = rows.last() else { break };
            from = after(last.entry);
            for row in rows {
                // A clock that was set back must not make a message wait longer than ever.
                let due = Instant::now() + row.next.since(now).min(longest);
                schedule.restore(row, due);
            }
        }
        let dead = parts
            .store
            .read(|snapshot| store::count_dead(snapshot, &place))?;
        Ok(Self {
            store: parts.store.clone(),
            keep: Arc::clone(&parts.keep),
            clock: Arc::clone(&parts.clock),
            counters: parts.events.destination(&config.name),
            inbox: Inbox::default(),
            certificate,
            changed: Notify::new(),
            ready: Notify::new(),
            writing: tokio::sync::Mutex::new(()),
            closing: AtomicBool::new(false),
            leaving: AtomicI64::new(0),
            state: Mutex::new(State {
                schedule,
                ended: Vec::new(),
                room_is_wanted: false,
                lanes: config.connections,
                cursor: cursor.next,
                seen: cursor.next,
                stopped: cursor.stopped,
                down: None,
                silent: 0,
                dead,
                delivered: 0,
                last_delivered: None,
                catching_up: true,
            }),
            place,
            settings: RwLock::new(Arc::new(Settings {
                config: Arc::new(config),
                way,
            })),
        })
    }

    pub(super) const fn name(&self) -> &DestinationName {
        &self.place.destination
    }

    /// How it is reached, and what follows a failure, at this moment.
    pub(super) fn settings(&self) -> Arc<Settings> {
        let settings = self.settings.read();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    /// What the configuration says of it at this moment.
    pub(super) fn config(&self) -> Arc<DestinationConfig> {
        Arc::clone(&self.settings().config)
    }

    /// Takes other settings, which hold for the next message; says how many more lanes it needs.
    ///
    /// What waited for the old place or the old times is tried at once.
    pub(super) fn reload(&self, settings: Arc<Settings>) -> usize {
        let is_changed = self.config() != settings.config;
        let connections = settings.config.connections;
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
        let mut state = self.state();
        let more = connections.saturating_sub(state.lanes);
        state.lanes += more;
        if is_changed {
            state.schedule.hurry_all();
            if let Some(down) = &mut state.down {
                down.until = Instant::now();
            }
        }
        drop(state);
        self.changed.notify_waiters();
        more
    }

    /// Whether nothing is on its way here, or could be found to be.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        let tally = state.schedule.tally();
        let waiting = tally.waiting + tally.in_flight + tally.retrying + tally.held;
        !state.catching_up && waiting == 0
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the lanes finish what is in flight and end.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
        self.inbox.rouse();
    }

    /// Notes whether it is configured, and since when it is not.
    pub(super) fn set_leaving(&self, since: Option<Timestamp>) {
        let micros = since.map_or(0, Timestamp::as_micros);
        self.leaving.store(micros, Ordering::SeqCst);
    }

    /// Since when it is configured no more.
    pub(super) fn leaving_since(&self) -> Option<Timestamp> {
        let micros = self.leaving.load(Ordering::SeqCst);
        (micros != 0).then(|| Timestamp::from_micros(micros))
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving_since().is_some()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// The next message for a lane, as soon as there is one; `None` when it is to end.
    pub(super) async fn next_job(&self) -> Option<Job> {
        loop {
            // Registered before looking, so that no change between is missed.
            let (changed, ready) = (self.changed.notified(), self.ready.notified());
            tokio::pin!(changed, ready);
            changed.as_mut().enable();
            ready.as_mut().enable();
            if self.is_closing() || self.gives_up_a_lane() {
                return None;
            }
            let now = Instant::now();
            let due = match self.pick(now) {
                Ok(job) => return Some(job),
                Err(due) => due.unwrap_or(now + WATCH),
            };
            // Each of these ends means: look again.
            tokio::select! {
                () = changed => {}
                () = ready => {}
                () = sleep_until(due) => {}
            }
        }
    }

    /// Whether the lane that asks is one too many; it then ends.
    fn gives_up_a_lane(&self) -> bool {
        let connections = self.config().connections;
        let mut state = self.state();
        let is_one_too_many = state.lanes > connections;
        state.lanes -= usize::from(is_one_too_many);
        is_one_too_many
    }

    /// A message that may go now, or when to look again.
    fn pick(&self, now: Instant) -> Result<Job, Option<Instant>> {
        let state = &mut *self.state();
        if state.stopped.is_some() {
            return Err(None);
        }
        if let Some(down) = &state.down
            && (down.probing || now < down.until)
        {
            return Err((!down.probing).then_some(down.until));
        }
        let due = |schedule: &Schedule| schedule.next_due();
        let Some(job) = state.schedule.next(now) else {
            return Err(due(&state.schedule));
        };
        if let Some(down) = &mut state.down {
            down.probing = true;
        }
        if state.schedule.has_ready() {
            self.ready.notify_one();
        }
        Ok(job)
    }

    /// How many more messages may become known now.
    pub(super) fn room(&self) -> usize {
        let state = self.state();
        if state.schedule.len() >= MAX_KNOWN {
            return 0;
        }
        WINDOW.saturating_sub(state.schedule.fresh())
    }

    /// What people see of it.
    pub(super) fn status(&self) -> DestinationStatus {
        let state = self.state();
        let tally = state.schedule.tally();
        DestinationStatus {
            name: self.name().clone(),
            state: match (&state.stopped, &state.down) {
                (Some(reason), _) => DestinationState::Stopped {
                    reason: reason.clone(),
                },
                (None, Some(down)) => DestinationState::Down {
                    since: down.since,
                    reason: down.reason,
                },
                (None, None) => DestinationState::Up,
            },
            plain: matches!(&self.settings().way, Way::Mllp(dial) if dial.tls.is_none()),
            catching_up: state.catching_up,
            in_flight: tally.in_flight,
            waiting: tally.waiting,
            retrying: tally.retrying,
            held: tally.held,
            dead: state.dead,
            delivered: state.delivered,
            last_delivered: state.last_delivered,
            oldest_waiting: state.schedule.oldest(),
            certificate_until: self.certificate.until(),
        }
    }
}

/// The entry behind this one.
pub(super) fn after(entry: EntryIndex) -> EntryIndex {
    EntryIndex::new(entry.get().saturating_add(1))
}
