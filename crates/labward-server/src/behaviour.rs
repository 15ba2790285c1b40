//! What joins the gateway and what devices usually do: accepted messages wait in a bounded queue, and a thread of its own
//! looks at them behind the message's path.
//!
//! It must never hold up the commit that tells it of a message: what does not fit is counted and let go, and then
//! nothing is told as missing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use labward_base::id::DeviceId;
use labward_base::{Clock as _, Timestamp};
use labward_behaviour::{Event, SenderClock};
use labward_devices::{Said, Sighting};
use labward_gateway::watch::{Accepted, Behind, Watch};
use labward_report::Moment;

use crate::app::Core;
use crate::error::ServerError;
use crate::http::chain;
use crate::recurring::Recurring;

/// Messages that wait at most: what a second brings where nothing is sealed or synced in between.
const QUEUE: usize = 4_096;
/// How often the queue is emptied.
const EVERY: Duration = Duration::from_secs(1);
/// How many times until it is looked for what is otherwise, and until baselines are written: half a minute, five minutes.
const LOOK: u32 = 30;
const SAVE: u32 = 300;
/// Digits of a time that names hour and minute: `202611270930`.
const TO_THE_MINUTE: usize = 12;

/// The messages that wait to be looked at.
#[derive(Default)]
pub(crate) struct Watching {
    queue: Mutex<Vec<Accepted>>,
    dropped: AtomicU64,
    /// Held while the queue is emptied: how many of what was dropped is known already.
    known: Mutex<u64>,
}

impl Watch for Watching {
    fn accepted(&self, accepted: Accepted) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() < QUEUE {
            queue.push(accepted);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Watching {
    /// Messages that did not fit since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn take(&self) -> Vec<Accepted> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *queue)
    }
}

/// The thread that does it; dropped, it looks a last time, writes what it learned, and ends.
pub(crate) struct BehaviourLoop {
    core: Weak<Core>,
    recurring: Option<Recurring>,
}

impl BehaviourLoop {
    /// Starts for a server whose listeners are about to open.
    pub(crate) fn start(core: Weak<Core>) -> Result<Self, ServerError> {
        if let Some(core) = core.upgrade() {
            core.behaviours.lost(core.clock.now());
        }
        let (watched, mut round) = (core.clone(), 0_u32);
        let recurring = Recurring::start("behaviour", EVERY, move || {
            let core = watched.upgrade()?;
            round = round.wrapping_add(1);
            core.observe_accepted();
            if round.is_multiple_of(LOOK) {
                core.look_at_behaviour();
            }
            if round.is_multiple_of(SAVE) {
                core.save_behaviour();
            }
            Some(EVERY)
        })?;
        Ok(Self {
            core,
            recurring: Some(recurring),
        })
    }
}

impl Drop for BehaviourLoop {
    fn drop(&mut self) {
        drop(self.recurring.take());
        if let Some(core) = self.core.upgrade() {
            core.look_at_behaviour();
            core.save_behaviour();
        }
    }
}

impl Core {
    /// Looks at the messages that wait.
    pub(crate) fn observe_accepted(&self) {
        let watching = &self.watching;
        let mut known = watching
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for accepted in watching.take() {
            if let Some(device) = self.device_of(&accepted) {
                observe(self, device, &accepted);
            }
        }
        let dropped = watching.dropped();
        if dropped != *known {
            *known = dropped;
            tracing::warn!(
                dropped,
                "messages came faster than what devices do can be looked at"
            );
            self.behaviours.lost(self.clock.now());
        }
    }

    /// Finds what is otherwise, and ends what is over.
    pub(crate) fn look_at_behaviour(&self) {
        self.observe_accepted();
        match self
            .behaviours
            .look(&self.devices.present(), self.clock.now())
        {
            Ok(raised) => {
                for one in raised {
                    tracing::warn!(device = %one.device, kind = one.kind, alert = one.id, "a device does what it does not usually do");
                }
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "what a device does otherwise was not recorded");
            }
        }
    }

    fn save_behaviour(&self) {
        if let Err(error) = self.behaviours.save(self.clock.now()) {
            tracing::error!(error = %chain(&error), "what devices usually do was not written");
        }
    }

    /// The device whose message it is; one behind an edge is added if it is not known.
    fn device_of(&self, accepted: &Accepted) -> Option<DeviceId> {
        let peer = accepted.peer;
        let Some(behind) = &accepted.behind else {
            return self.devices.of_line(peer, None);
        };
        let Behind { edge, link, device } = behind;
        let found = || self.devices.of_line(peer, Some(device));
        found().or_else(|| {
            let sighting = Sighting {
                peer,
                peer_name: edge.clone(),
                link: link.clone(),
                said: Said {
                    behind_edge: device.clone(),
                    ..Said::default()
                },
            };
            if let Err(error) = self.devices.sighted(&sighting, self.clock.now()) {
                tracing::warn!(peer = %peer, error = %chain(&error), "a device behind an edge was not recorded");
            }
            found()
        })
    }
}

fn observe(core: &Core, device: DeviceId, accepted: &Accepted) {
    let tests: Vec<&str> = accepted.tests().collect();
    let event = Event {
        at: accepted.received,
        message_type: &accepted.message_type,
        tests: &tests,
        sequence: accepted.sequence,
        sender_clock: sender_clock(&accepted.sender_clock),
    };
    core.behaviours.observe(device, &event);
}

/// The time that a sender's clock said, if it said it to the minute.
fn sender_clock(text: &str) -> Option<SenderClock> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let moment = Moment::read(text).filter(|_| digits >= TO_THE_MINUTE)?;
    let zone = text.trim_start_matches(|one: char| one.is_ascii_digit() || one == '.');
    Some(SenderClock {
        at: Timestamp::from_seconds(moment.seconds),
        has_zone: !zone.is_empty(),
    })
}

/// What the gateway is given.
pub(crate) fn watch(core: &Core) -> Arc<dyn Watch> {
    Arc::clone(&core.watching) as Arc<dyn Watch>
}

#[cfg(test)]
impl Watching {
    /// Holds up whoever empties the queue.
    pub(crate) fn hold(&self) -> std::sync::MutexGuard<'_, u64> {
        self.known.lock().unwrap()
    }

    /// Fills the queue with what it holds already.
    pub(crate) fn fill(&self) {
        let mut queue = self.queue.lock().unwrap();
        let one = queue.first().cloned().unwrap();
        queue.resize(QUEUE, one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_time_to_the_minute_is_a_clock() {
        let read = |text| sender_clock(text).map(|clock| (clock.at.as_seconds(), clock.has_zone));
        assert_eq!(read("20260105070003"), Some((1_767_596_403, false)));
        assert_eq!(read("202601050700"), Some((1_767_596_400, false)));
        assert_eq!(read("20260105080000+0100"), Some((1_767_596_400, true)));
        for none in ["", "2026", "20260105", "2026010507", "20261350", "+-:"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
