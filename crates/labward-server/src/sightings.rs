//! What joins the gateway and the devices: what a peer says of itself goes to a thread of its own.
//!
//! It must never keep a message waiting: what does not fit into the queue is let go, and is said again
//! with the peer's next connection.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use labward_base::Clock;
use labward_devices::{Devices, Said, Sighting};
use labward_gateway::notice::{Notice, Noticed, SelfDescription};

use crate::error::ServerError;
use crate::http::chain;

/// Sightings that wait at most.
const QUEUE: usize = 256;

/// Hands what peers say of themselves to the devices; its thread ends when the last of it is dropped.
pub(crate) struct Sightings(SyncSender<Noticed>);

impl Sightings {
    /// Starts the thread.
    pub(crate) fn start(devices: Devices, clock: Arc<dyn Clock>) -> Result<Self, ServerError> {
        let (sender, receiver) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("sightings".to_owned())
            .spawn(move || take(&receiver, &devices, clock.as_ref()))
            .map_err(ServerError::Threads)?;
        Ok(Self(sender))
    }
}

impl Notice for Sightings {
    fn notice(&self, noticed: Noticed) {
        if self.0.try_send(noticed).is_err() {
            tracing::debug!("what a peer says of itself was let go: too much waits");
        }
    }
}

fn take(receiver: &Receiver<Noticed>, devices: &Devices, clock: &dyn Clock) {
    while let Ok(noticed) = receiver.recv() {
        let peer = noticed.peer;
        if let Err(error) = devices.sighted(&sighting(noticed), clock.now()) {
            tracing::warn!(peer = %peer, error = %chain(&error), "what a peer says of itself was not recorded");
        }
    }
}

fn sighting(noticed: Noticed) -> Sighting {
    let said = match noticed.said {
        SelfDescription::Astm(astm_sender) => Said {
            astm_sender,
            ..Said::default()
        },
        SelfDescription::Hl7(fields) => {
            let [
                application,
                facility,
                vendor,
                version,
                product,
                obx_18,
                prt_10,
                udi,
                serial,
                equ_1,
            ] = *fields;
            let equipment = [obx_18, prt_10, equ_1]
                .into_iter()
                .find(|text| !text.is_empty());
            Said {
                application,
                facility,
                software: [vendor, version, product].map(|text| first_component(&text)),
                equipment: equipment.unwrap_or_default(),
                udi: first_component(&udi),
                serial: first_component(&serial),
                ..Said::default()
            }
        }
    };
    Sighting {
        peer: noticed.peer,
        peer_name: noticed.peer_name,
        link: noticed.link,
        said,
    }
}

/// Of a name with its authority and the like the name.
fn first_component(text: &str) -> String {
    text.split(['^', '~']).next().unwrap_or_default().to_owned()
}
