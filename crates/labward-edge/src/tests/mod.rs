//! The edge at its limits: a day without its server, a disk whose power is cut, a certificate that
//! ends.
//!
//! | Module | Holds |
//! |---|---|
//! | `day` | a whole day of fake time without the server |
//! | `power` | power cuts while devices send and the uplink delivers |
//! | `renewal` | the next certificate, with a line that is cut and kills between the steps |
//! | `server` | a server with the gateway's own session, and a line that can be cut |

mod day;
mod power;
mod renewal;
mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use labward_base::Clock;
use labward_ledger::RecordIds;
use labward_store::Store;
use tokio::sync::Notify;

use crate::keep::{EdgeKeep, Space};
use server::Server;

/// How long anything may take before a test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the devices of an edge of this server send to.
fn keep_of(server: &Server, store: &Store, clock: &Arc<dyn Clock>, wake: &Arc<Notify>) -> EdgeKeep {
    EdgeKeep {
        store: store.clone(),
        clock: Arc::clone(clock),
        queue: server.identity.roots.queue,
        seal_key: server.identity.seal_key.clone(),
        space: Space::new(std::env::temp_dir(), 0),
        wake: Arc::clone(wake),
        ids: Mutex::new(store.read(|snapshot| RecordIds::load(snapshot)).unwrap()),
    }
}

/// The control id of a device's result.
fn id(device: usize, number: u32) -> String {
    format!("D{device}-{number}")
}

/// A device's result with this number.
fn result(device: usize, number: u32) -> String {
    let id = id(device, number);
    format!(
        "MSH|^~\\&|XN550|HEMA|LIS|LAB|20260101120000||ORU^R01^ORU_R01|{id}|P|2.5.1\r\
         PID|1||P{device}^^^LAB^MR||DOE^PAT||19700101|F\r\
         OBR|1||A{id}|CBC^^L|||20260101115500\r\
         OBX|1|NM|6690-2^WBC^LN||{number}|10*3/uL|4-11|N|||F\r"
    )
}
