//! The ledger's derived files: published in a loop, exported, proved and verified.
//!
//! It must never publish and export at the same time, nor sign when the rows no longer lead to
//! what was signed before: that is said once, loudly, and the files stay as they are.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use labward_base::id::{EntryIndex, NodeId};
use labward_base::{Timestamp, remark};
use labward_ledger::publish::read_note;
use labward_ledger::tile::TileFolder;
use labward_ledger::verify::Fault;
use labward_ledger::{
    BundleRange, Checkpoint, ConsistencyProof, Cosigned, EntryProof, Known, LedgerError, Note,
    Prover, Publisher, VerifierKey, VerifyReport, WitnessKey, export_bundle, read_checkpoint,
    read_cosigned, save_cosigned, tiles_lead_to, tree_head, verify_with,
};
use labward_seal::sign::SigningKey;
use labward_store::Store;

use crate::check::PublishingState;
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
    prover: Mutex<Prover>,
}

/// The thread that publishes now and then; dropped, it ends.
pub(crate) struct PublishLoop {
    orders: mpsc::Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

/// What the loop is told.
enum Order {
    /// To publish so often.
    Every(Duration),
    /// To end.
    Stop,
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
        let prover = Prover::new(&folder, verifier.clone());
        Ok(Self {
            store,
            node,
            folder,
            key,
            verifier,
            publisher: Mutex::new(publisher),
            prover: Mutex::new(prover),
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

    /// Proves one entry; what is not published yet is published first.
    pub(crate) fn prove(&self, index: EntryIndex) -> Result<EntryProof, LedgerError> {
        let publisher = self.lock();
        let mut prover = self.prover.lock().unwrap_or_else(PoisonError::into_inner);
        match prover.prove(&self.store, index) {
            Err(LedgerError::NoEntry { .. }) => {
                publisher.publish(&self.store, &self.key)?;
                prover.prove(&self.store, index)
            }
            proved => proved,
        }
    }

    /// The newest checkpoint as it is published, and its size; `None` before the first.
    pub(crate) fn newest(&self) -> Result<Option<(Note, u64)>, LedgerError> {
        let _publisher = self.lock();
        let Some(checkpoint) = read_checkpoint(&self.folder, &self.verifier)? else {
            return Ok(None);
        };
        let note = read_note(&self.folder)?;
        Ok(Some((note, checkpoint.size)))
    }

    /// The proof that the published ledger of `new` entries goes on from its first `old`.
    pub(crate) fn consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, LedgerError> {
        let _publisher = self.lock();
        let mut tiles = TileFolder::new(&self.folder, new);
        let proof = ConsistencyProof::compute(old, new, &mut tiles)?;
        proof.ok_or(LedgerError::NoEntry { index: old })
    }

    /// What this witness cosigned last, as it is kept.
    pub(crate) fn cosigned(&self, witness: &WitnessKey) -> Result<Option<Cosigned>, LedgerError> {
        read_cosigned(&self.folder, &self.verifier, witness)
    }

    /// Keeps what a witness cosigned.
    pub(crate) fn save_cosigned(
        &self,
        witness: &WitnessKey,
        cosigned: &Cosigned,
    ) -> Result<(), LedgerError> {
        let _publisher = self.lock();
        save_cosigned(&self.folder, witness, cosigned)
    }

    /// Publishes, and verifies rows, payloads and files, also against what others hold.
    pub(crate) fn verify(&self, known: Vec<Known>) -> Result<VerifyReport, LedgerError> {
        let publisher = self.lock();
        // What keeps it from publishing is found, with its place, by verifying.
        if let Err(error) = publisher.publish(&self.store, &self.key) {
            tracing::warn!(error = %chain(&error), "the ledger could not be published before verifying");
        }
        let files = (self.folder.as_path(), &self.verifier);
        let mut report = verify_with(&self.store, self.node, Some(files), known)?;
        for place in self.store.unsound_places()? {
            report.fault_count += 1;
            report.faults.push(Fault {
                place: remark::in_database(place),
                what: remark::database_unsound(),
            });
        }
        Ok(report)
    }

    /// How the files stand beside the rows, and whether the tiles lead to the last checkpoint.
    pub(crate) fn state(&self) -> Result<PublishingState, LedgerError> {
        let _still = self.lock();
        let head = self.store.read(|snapshot| tree_head(snapshot, self.node))?;
        let size = head.map_or(0, |head| head.frontier.size());
        let Some(last) = read_checkpoint(&self.folder, &self.verifier)? else {
            return Ok(PublishingState {
                behind: size,
                ..PublishingState::default()
            });
        };
        let written =
            fs::metadata(self.folder.join("checkpoint")).and_then(|facts| facts.modified());
        let since = written
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let fault = (!tiles_lead_to(&self.folder, &last)).then(|| remark::other_root(last.size));
        Ok(PublishingState {
            behind: size.saturating_sub(last.size),
            since: since.map(|since| Timestamp::from_micros(0).plus(since)),
            fault,
            ..PublishingState::default()
        })
    }

    fn lock(&self) -> MutexGuard<'_, Publisher> {
        self.publisher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl PublishLoop {
    /// Publishes every `interval` until it is stopped, and calls `published` after each time, which
    /// must not wait for anything.
    pub(crate) fn start(
        publishing: Arc<Publishing>,
        interval: Duration,
        published: impl Fn() + Send + 'static,
    ) -> Result<Self, ServerError> {
        let (orders, given) = mpsc::channel();
        let run = move || {
            let mut failing = false;
            let mut interval = interval;
            loop {
                match given.recv_timeout(interval) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(Order::Every(other)) => {
                        interval = other;
                        continue;
                    }
                    Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                }
                match publishing.publish() {
                    Ok(_) => {
                        failing = false;
                        published();
                    }
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
            orders,
            thread: Some(thread),
        })
    }

    /// Publishes so often from now on.
    pub(crate) fn set_interval(&self, interval: Duration) {
        // It may have ended by itself.
        let _ = self.orders.send(Order::Every(interval));
    }
}

impl Drop for PublishLoop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.orders.send(Order::Stop);
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the thread that publishes the ledger panicked");
        }
    }
}
