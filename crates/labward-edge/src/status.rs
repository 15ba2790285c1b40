//! What the edge is doing, in one small file beside the queue, for `labward edge status`.
//!
//! It must never hold anything of a message.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::error::EdgeError;
use crate::folder::{EdgeFolder, Identity};

/// What the edge is doing; times are RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EdgeState {
    /// The edge's name.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// Whether it runs.
    pub running: bool,
    /// Whether it is connected to the server.
    pub connected: bool,
    /// When this was written.
    pub time: String,
    /// When the server last answered.
    pub answered: Option<String>,
    /// Messages that wait.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub oldest: Option<String>,
    /// The last item that the server took.
    pub sent: u64,
    /// Items that were damaged in the queue.
    pub damaged: u64,
    /// Entries of the ledger as of the last checkpoint.
    pub ledger_size: u64,
    /// Whether there is room on the disk for more.
    pub has_room: bool,
    /// Why the last connection ended, as a code of the table of problems.
    pub fault: Option<String>,
    /// When the edge's certificate ends.
    pub certificate_until: Option<String>,
    /// Why the last try to renew it brought nothing, as a code of the table of problems.
    pub renewal_fault: Option<String>,
    /// The lines.
    pub devices: Vec<DeviceState>,
}

/// One device's line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceState {
    /// The device's name.
    pub name: String,
    /// Where it is listened for: an address, or the path of a serial line.
    pub line: String,
    /// Messages kept since the start.
    pub accepted: u64,
    /// Messages kept and not accepted.
    pub held: u64,
    /// Connections open now.
    pub connections: u64,
}

/// Writes the state; that it cannot be written stops nothing.
pub(crate) fn write_status(folder: &EdgeFolder, state: &EdgeState) {
    let written = serde_json::to_vec_pretty(state).map(|text| {
        let path = folder.status();
        let draft = path.with_extension("json.new");
        // Not synced: after a power cut an old state, or none, is as good.
        fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path))
    });
    if !matches!(written, Ok(Ok(()))) {
        tracing::debug!("the state of the edge was not written");
    }
}

/// The state of the edge in `folder`: what it wrote last, and whether it runs.
///
/// # Errors
/// [`EdgeError::NotEnrolled`] if there is none.
pub fn read_status(folder: &EdgeFolder) -> Result<EdgeState, EdgeError> {
    let Some(identity) = Identity::load(folder)? else {
        return Err(EdgeError::NotEnrolled(folder.root().to_owned()));
    };
    let text = fs::read(folder.status()).unwrap_or_default();
    let state: EdgeState = serde_json::from_slice(&text).unwrap_or_default();
    let running = folder.is_locked();
    let certificate = identity.certificate().ok();
    Ok(EdgeState {
        certificate_until: certificate.map(|one| one.not_after.to_rfc3339()),
        name: identity.name,
        running,
        connected: state.connected && running,
        ..state
    })
}
