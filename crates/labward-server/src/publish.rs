//! The ledger's derived files: published in a loop, exported, proved and verified.
//!
//! It must never publish and export at the same time, nor sign when the rows no longer lead to
//! what was signed before: that is said once, loudly, and the files stay as they are.

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use labward_base::id::{EntryIndex, NodeId};
use labward_ledger::verify::Fault;
use labward_ledger::{
    BundleRange, Checkpoint, EntryProof, LedgerError, Publisher, VerifierKey, VerifyReport,
    export_bundle, prove, verify,
};
use labward_seal::sign::SigningKey;
use labward_store::Store;

use crate::error::ServerError;
use crate::http::chain;

/// What publishes the ledger while the root key is open.
pub(crate) struct Publishing {
    store: Store,
    node: NodeId,
    folder: PathBuf,
    key: SigningKey,
    verifier: VerifierKey,
    publisher: Mutex<Publisher>,
}

/// The thread that publishes now and then; dropped, it ends.
pub(crate) struct PublishLoop {
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Publishing {
    /// Publishes the ledger of `node` under `origin` into `folder`.
    pub(crate) fn new(
        store: Store,
        node: NodeId,
        folder: PathBuf,
        origin: &str,
        key: SigningKey,
    ) -> Result<Self, LedgerError> {
        let publisher = Publisher::new(&folder, node, origin);
        let verifier = publisher.verifier(&key)?;
        Ok(Self {
            store,
            node,
            folder,
            key,
            verifier,
            publisher: Mutex::new(publisher),
        })
    }

    /// The key with which others verify the ledger.
    pub(crate) const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Publishes what the ledger gained.
    pub(crate) fn publish(&self) -> Result<Checkpoint, LedgerError> {
        self.lock().publish(&self.store, &self.key)
    }

    /// Publishes, and writes everything published to `out`.
    pub(crate) fn export(&self, out: &mut dyn Write) -> Result<Checkpoint, LedgerError> {
        let publisher = self.lock();
        publisher.publish(&self.store, &self.key)?;
        let range = BundleRange::default();
        export_bundle(&self.store, &self.folder, &self.verifier, &range, out)
    }

    /// Publishes, and proves one entry.
    pub(crate) fn prove(&self, index: EntryIndex) -> Result<EntryProof, LedgerError> {
        let publisher = self.lock();
        publisher.publish(&self.store, &self.key)?;
        prove(&self.store, &self.folder, &self.verifier, index)
    }

    /// Publishes, and verifies rows, payloads and files.
    pub(crate) fn verify(&self) -> Result<VerifyReport, LedgerError> {
        let publisher = self.lock();
        // What keeps it from publishing is found, with its place, by verifying.
        if let Err(error) = publisher.publish(&self.store, &self.key) {
            tracing::warn!(error = %chain(&error), "the ledger could not be published before verifying");
        }
        let files = (self.folder.as_path(), &self.verifier);
        let mut report = verify(&self.store, self.node, Some(files))?;
        for place in self.store.unsound_places()? {
            report.fault_count += 1;
            report.faults.push(Fault {
                place: format!("database: {place}"),
                what: "the file is not sound there",
            });
        }
        Ok(report)
    }

    fn lock(&self) -> MutexGuard<'_, Publisher> {
        self.publisher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl PublishLoop {
    /// Publishes every `interval` until it is stopped.
    pub(crate) fn start(
        publishing: Arc<Publishing>,
        interval: Duration,
    ) -> Result<Self, ServerError> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            let mut failing = false;
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                match publishing.publish() {
                    Ok(_) => failing = false,
                    // Once, and again when it has worked in between.
                    Err(error) if !failing => {
                        failing = true;
                        tracing::error!(
                            code = error.problem().code,
                            error = %chain(&error),
                            "the ledger could not be published"
                        );
                    }
                    Err(_) => {}
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("ledger-publish".to_owned())
            .spawn(run)
            .map_err(ServerError::Threads)?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for PublishLoop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.stop.send(());
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the thread that publishes the ledger panicked");
        }
    }
}
