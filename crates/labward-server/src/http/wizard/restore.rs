//! Restoring from a backup instead of setting up: what was typed, the thread that does it, and what came
//! of it.
//!
//! It must never touch the folder while the set-up holds it, or keep a secret longer than the thread
//! needs it, but for what opens the root key of the restored server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use labward_api::status::Opener;
use labward_base::Clock;
use labward_console::pages::setup as html;
use labward_keys::SlotOpener;
use labward_os::SystemClock;

use crate::backup::{RestoreError, RestoreRequest, Restored, restore};
use crate::config::Config;
use crate::error::ServerError;
use crate::folder::DataFolder;
use crate::http::slot_opener;
use crate::setup::server_names;

/// A restore that was begun.
pub(super) struct Restoring {
    data: PathBuf,
    opener: Opener,
    thread: JoinHandle<Result<Restored, RestoreError>>,
}

/// What was restored, and what opens its root key.
pub(super) struct Whole {
    pub(super) shown: html::Restored,
    pub(super) opener: SlotOpener,
}

impl Restoring {
    /// Begins to restore into the folder `data`, which nobody holds.
    pub(super) fn begin(
        data: &Path,
        from: &html::Restore,
        opener: Opener,
    ) -> Result<Self, ServerError> {
        let request = RestoreRequest {
            from: from.backups.clone().into(),
            keys: from.archives.clone().into(),
            opener: opener.clone(),
            to: data.to_owned(),
            generation: None,
            without_missing_keys: from.without_missing_keys,
            is_drill: false,
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let thread = std::thread::Builder::new()
            .name("restore".to_owned())
            .spawn(move || restore(&request, &clock))
            .map_err(ServerError::Threads)?;
        Ok(Self {
            data: data.to_owned(),
            opener,
            thread,
        })
    }

    /// Whether it has ended, however it did.
    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// What came of it.
    pub(super) fn outcome(self) -> Result<Whole, RestoreError> {
        let panicked = |_| RestoreError::Unsound("the thread panicked".to_owned());
        let restored = self.thread.join().map_err(panicked)??;
        let (names, console) = reached_at(&self.data);
        Ok(Whole {
            opener: slot_opener(self.opener),
            shown: html::Restored {
                generation: restored.generation,
                created: restored.created.to_rfc3339(),
                entries: restored.entries,
                missing_keys: restored.missing_keys,
                disposed_since: restored.disposed_since,
                ledger_key: restored.ledger_key,
                names,
                console,
            },
        })
    }
}

/// The names of the restored server and the port of its console, if its configuration has one.
fn reached_at(data: &Path) -> (Vec<String>, Option<u16>) {
    let text = std::fs::read_to_string(DataFolder::new(data).config());
    let config = text.ok().and_then(|text| Config::parse(&text).ok());
    let names = config.as_ref().map_or(&[][..], |one| &one.tls.names);
    let listen = config.as_ref().and_then(|one| one.console.listen);
    (server_names(names), listen.map(|at| at.port()))
}
