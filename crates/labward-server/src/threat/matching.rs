//! Matches the devices and what they are made of with the advisories again whenever any of them is other than before.
//!
//! It must never keep the writer from messages: it writes only what opened or closed.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use labward_base::Clock as _;
use labward_devices::{Attribute, Shown};
use labward_threats::{Matched, Subject, ThreatsError};

use super::kin::parts;
use super::sources::Sources;
use crate::app::Core;
use crate::error::ServerError;
use crate::http::chain;

/// How often it looks whether a device changed.
const INTERVAL: Duration = Duration::from_secs(1);

/// The thread that does it; dropped, it ends.
pub(crate) struct MatchingLoop {
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl MatchingLoop {
    /// Starts for a server whose root key is open, as long as that is there.
    pub(crate) fn start(core: Weak<Core>) -> Result<Self, ServerError> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            let (mut seen, mut is_failing) = (None, false);
            let mut sources = Sources::default();
            loop {
                let Some(core) = core.upgrade() else { return };
                let changes = (core.devices.changes(), core.disclosures.changes());
                if seen != Some(changes) {
                    match rematch(&core) {
                        Ok(matched) => {
                            if !is_failing {
                                for document in &matched.unread {
                                    tracing::error!(advisory = %document, "an advisory cannot be read any more: import it again");
                                }
                            }
                            (seen, is_failing) = (Some(changes), !matched.unread.is_empty());
                        }
                        Err(error) => {
                            if !is_failing {
                                tracing::warn!(error = %chain(&error), "the devices were not matched with the advisories");
                            }
                            is_failing = true;
                        }
                    }
                }
                sources.look(&core);
                drop(core);
                if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("matching".to_owned())
            .spawn(run)
            .map_err(ServerError::Threads)?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for MatchingLoop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.stop.send(());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The last one to hold the server may be that thread itself.
        let is_own = thread.thread().id() == std::thread::current().id();
        if !is_own && thread.join().is_err() {
            tracing::error!("the thread of the matching panicked");
        }
    }
}

/// Matches every device that is there with every advisory.
pub(crate) fn rematch(core: &Core) -> Result<Arc<Matched>, ThreatsError> {
    let devices = core.devices.list().into_iter();
    let mut subjects: Vec<Subject> = devices
        .filter(|one| one.device.removed.is_none())
        .map(|one| subject(core, &one))
        .collect();
    subjects.sort_by_key(|one| one.id);
    core.threats.rematch(&subjects, core.clock.now())
}

fn subject(core: &Core, one: &Shown) -> Subject {
    let text = |attribute| one.text(attribute).unwrap_or_default();
    Subject {
        id: one.device.id,
        device: labward_matching::Device {
            manufacturer: text(Attribute::Manufacturer),
            model: text(Attribute::Model),
            product: text(Attribute::Product),
            version: text(Attribute::Version),
        },
        os: [text(Attribute::Os), text(Attribute::OsBuild)],
        parts: parts(core, one),
    }
}
