//! Matches the devices and what they are made of with the advisories again whenever any of them is other than before.
//!
//! It must never keep the writer from messages: it writes only what opened or closed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use labward_base::Clock as _;
use labward_base::id::DocumentId;
use labward_devices::{Attribute, Shown};
use labward_threats::{Matched, Subject, ThreatsError};

use super::kin::parts;
use super::sources::Sources;
use crate::app::Core;
use crate::error::ServerError;
use crate::http::chain;
use crate::recurring::{Failing, Recurring};

/// How often it looks whether a device changed.
const INTERVAL: Duration = Duration::from_secs(1);

/// Starts for a server whose root key is open, as long as that is there.
pub(crate) fn start(core: Weak<Core>) -> Result<Recurring, ServerError> {
    let (mut seen, mut failing) = (None, Failing::default());
    let mut sources = Sources::default();
    Recurring::start("matching", Duration::ZERO, move || {
        let core = core.upgrade()?;
        let changes = (core.devices.changes(), core.disclosures.changes());
        if seen != Some(changes) && look(&core, &mut failing) {
            seen = Some(changes);
        }
        sources.look(&core);
        Some(INTERVAL)
    })
}

/// What is said of a matching, once.
enum Fault {
    Unmatched(ThreatsError),
    Unread(Vec<DocumentId>),
}

/// Matches; whether that came to its end.
fn look(core: &Core, failing: &mut Failing) -> bool {
    let done = match rematch(core) {
        Err(error) => Err(Fault::Unmatched(error)),
        Ok(matched) if matched.unread.is_empty() => Ok(()),
        Ok(matched) => Err(Fault::Unread(matched.unread.clone())),
    };
    let is_done = !matches!(done, Err(Fault::Unmatched(_)));
    failing.told(done, |fault| match fault {
        Fault::Unmatched(error) => {
            tracing::warn!(error = %chain(error), "the devices were not matched with the advisories");
        }
        Fault::Unread(documents) => {
            for document in documents {
                tracing::error!(advisory = %document, "an advisory cannot be read any more: import it again");
            }
        }
    });
    is_done
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
