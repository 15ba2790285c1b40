//! Asking the ledger's witnesses to cosign its checkpoints, beside everything else.
//!
//! It must never stand in a message's path or hold up publishing: each witness has a thread of its
//! own that is woken when there is a new checkpoint, and one that does not answer delays nobody. A
//! witness that holds another history of this ledger raises a finding, which is an entry.
//!
//! | Module | Holds |
//! |---|---|
//! | `client` | HTTP to one witness, over mutual TLS |
//! | `ask` | one round of questions to one witness, and what its answer means |

mod ask;
mod client;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use labward_api::status::WitnessStatus;
use labward_base::{Clock, Remark, Timestamp, remark};
use labward_gateway::tls::ServerIdentity;
use labward_identity::Peers;
use labward_ledger::{Known, LedgerError};
use labward_store::Store;

use self::ask::{Outcome, Questioner};
use self::client::WitnessClient;
use crate::config::WitnessConfig;
use crate::error::ServerError;
use crate::findings::{self, Finding};
use crate::folder::SITE;
use crate::http::chain;
use crate::publish::Publishing;

/// The key of the finding that a witness holds another history begins so.
pub(crate) const SECOND_HISTORY: &str = "second-history:";

/// How long a witness that is being asked is waited for when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// What asking leans on.
pub(crate) struct WitnessParts {
    pub(crate) store: Store,
    pub(crate) publishing: Arc<Publishing>,
    pub(crate) peers: Peers,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where two checkpoints that do not fit are kept.
    pub(crate) evidence: PathBuf,
}

/// The witnesses of this ledger.
pub(crate) struct Witnesses {
    all: Vec<Asking>,
}

/// One witness and the thread that asks it.
struct Asking {
    questioner: Arc<Questioner>,
    state: Arc<Mutex<State>>,
    wake: Option<SyncSender<()>>,
    /// Gone when the thread is; a mutex only so that it may be shared.
    ended: Mutex<Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What is known of a witness.
#[derive(Clone, Debug, Default)]
struct State {
    /// The size that it cosigned last, and when.
    cosigned: Option<(u64, Timestamp)>,
    /// Whether it was asked since the start, and answered.
    asked: bool,
    /// Why it did not cosign when it was asked last.
    failure: Option<Remark>,
}

impl Witnesses {
    /// Starts to ask; `interval` is the time after which one that failed is asked again.
    ///
    /// # Errors
    /// [`ServerError::Witness`] if one can never be asked as it is configured,
    /// [`ServerError::Threads`].
    pub(crate) fn start(
        configs: &[WitnessConfig],
        interval: Duration,
        identity: Option<&ServerIdentity>,
        parts: &Arc<WitnessParts>,
    ) -> Result<Self, ServerError> {
        let mut all = Vec::new();
        for config in configs {
            let client = WitnessClient::new(config, identity, &parts.peers, &parts.clock);
            let client = client.map_err(|rule| ServerError::Witness {
                name: config.name.clone(),
                rule,
            })?;
            let questioner = Questioner::new(config, client, Arc::clone(&parts.publishing));
            all.push(Asking::start(questioner, interval, Arc::clone(parts))?);
        }
        Ok(Self { all })
    }

    /// Says that there is a new checkpoint; never waits.
    pub(crate) fn wake(&self) {
        for asking in &self.all {
            if let Some(wake) = &asking.wake {
                // One that is being asked, or is gone, finds the checkpoint by itself.
                let _ = wake.try_send(());
            }
        }
    }

    /// Each witness, in the order of the configuration.
    pub(crate) fn status(&self) -> Vec<WitnessStatus> {
        self.all.iter().map(Asking::status).collect()
    }

    /// What each witness says that it cosigned last, asked now: what fits the form is to be held
    /// against the rows; what could not be learned is said in words.
    pub(crate) fn known(&self) -> (Vec<Known>, Vec<Remark>) {
        let (mut known, mut said) = (Vec::new(), Vec::new());
        for asking in &self.all {
            let name = &asking.questioner.name;
            match asking.questioner.latest() {
                Ok(Some(latest)) => {
                    said.push(remark::witness_cosigned(
                        name,
                        latest.checkpoint.size,
                        latest.cosignature.time.to_rfc3339(),
                    ));
                    known.push(Known {
                        place: format!("witness {name}"),
                        checkpoint: latest.checkpoint,
                        note: latest.note,
                    });
                }
                Ok(None) => said.push(remark::witness_nothing(name)),
                Err(why) => said.push(remark::witness_not_compared(name).because(why)),
            }
        }
        (known, said)
    }
}

impl Drop for Witnesses {
    fn drop(&mut self) {
        for asking in &mut self.all {
            asking.wake = None;
        }
        for asking in &mut self.all {
            // The request in flight has a limit of its own; it is not waited for that long.
            let ended = asking
                .ended
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            let ended = ended.recv_timeout(DRAIN) != Err(RecvTimeoutError::Timeout);
            let thread = asking.thread.take().filter(|_| ended);
            if thread.is_some_and(|thread| thread.join().is_err()) {
                tracing::error!(witness = %asking.questioner.name, "the thread of a witness panicked");
            }
        }
    }
}

impl Asking {
    fn start(
        questioner: Questioner,
        interval: Duration,
        parts: Arc<WitnessParts>,
    ) -> Result<Self, ServerError> {
        let kept = questioner.kept().unwrap_or_else(|error| {
            tracing::error!(
                witness = %questioner.name,
                error = %chain(&error),
                "what a witness cosigned cannot be read; it is asked again"
            );
            None
        });
        let state = State {
            cosigned: kept.map(|kept| (kept.checkpoint.size, kept.cosignature.time)),
            ..State::default()
        };
        let (state, questioner) = (Arc::new(Mutex::new(state)), Arc::new(questioner));
        let (wake, woken) = mpsc::sync_channel(1);
        let (end, ended) = mpsc::channel();
        let (of_thread, asking) = (Arc::clone(&state), Arc::clone(&questioner));
        let run = move || {
            loop {
                ask(&asking, &of_thread, &parts);
                match woken.recv_timeout(interval) {
                    Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            drop(end);
        };
        let thread = std::thread::Builder::new()
            .name("witness".to_owned())
            .spawn(run)
            .map_err(ServerError::Threads)?;
        Ok(Self {
            questioner,
            state,
            wake: Some(wake),
            ended: Mutex::new(ended),
            thread: Some(thread),
        })
    }

    fn status(&self) -> WitnessStatus {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let word = match (&state.failure, state.asked) {
            (Some(_), _) => "failing",
            (None, true) => "cosigned",
            (None, false) => "not-asked",
        };
        WitnessStatus {
            name: self.questioner.name.clone(),
            key: self.questioner.key.to_string(),
            state: word.to_owned(),
            size: state.cosigned.map(|(size, _)| size),
            cosigned: state.cosigned.map(|(_, time)| time.to_rfc3339()),
            last_error: state.failure.as_ref().map(ToString::to_string),
            remark: state.failure.as_ref().map(Into::into),
        }
    }
}

/// One round, and what follows from it.
fn ask(asking: &Questioner, state: &Mutex<State>, parts: &WitnessParts) {
    let asked = state.lock().unwrap_or_else(PoisonError::into_inner).asked;
    // At least once after each start, even if there is nothing new: the folder may be an old copy.
    let outcome = asking.ask(!asked);
    let before = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.failure.take();
        match &outcome {
            Outcome::Nothing => state.failure = before.clone(),
            Outcome::Cosigned(size, time) => {
                state.cosigned = Some((*size, *time));
                state.asked = true;
            }
            Outcome::Failed(why) => state.failure = Some(why.clone()),
            Outcome::Refused(refused) => {
                state.failure = Some(refused.what.clone());
                state.asked = true;
            }
        }
        before
    };
    let name = &asking.name;
    match outcome {
        Outcome::Nothing => {}
        Outcome::Cosigned(..) => settle(parts, name, None),
        Outcome::Failed(why) if before.as_ref() != Some(&why) => {
            tracing::warn!(witness = %name, "a witness did not cosign: {why}");
        }
        Outcome::Failed(_) => {}
        Outcome::Refused(refused) => {
            if before.as_ref() != Some(&refused.what) {
                tracing::error!(
                    code = labward_base::problem::LEDGER_SECOND_HISTORY.code,
                    witness = %name,
                    "a witness refuses to cosign: {}",
                    refused.what
                );
                keep_evidence(parts, name, &refused.evidence);
            }
            settle(parts, name, Some(refused.what.to_string()));
        }
    }
}

/// Raises or clears the finding about one witness; an entry only if something changed.
fn settle(parts: &WitnessParts, name: &str, refused: Option<String>) {
    let key = format!("{SECOND_HISTORY}{name}");
    let present: Vec<Finding> = refused
        .map(|detail| Finding {
            key: key.clone(),
            detail,
        })
        .into_iter()
        .collect();
    let now = parts.clock.now();
    let held = parts
        .store
        .read(|snapshot| findings::all_that_hold(snapshot, SITE))
        .map(|all| all.iter().any(|one| one.key == key));
    // Read first, so that nothing is written while nothing changed.
    if held.is_ok_and(|held| held != present.is_empty()) {
        return;
    }
    let written = parts.store.write(move |tx| -> Result<_, LedgerError> {
        findings::reconcile_one(tx, SITE, &key, present.first(), now)
    });
    if let Err(error) = written {
        tracing::error!(error = %chain(&error), "a finding about a witness was not recorded");
    }
}

fn keep_evidence(parts: &WitnessParts, name: &str, evidence: &str) {
    let path = parts.evidence.join(format!("{name}.txt"));
    let kept = std::fs::create_dir_all(&parts.evidence)
        .map_err(|error| error.to_string())
        .and_then(|()| {
            let written = labward_os::write_durably(&path, evidence.as_bytes(), 0o600);
            written.map_err(|error| chain(&error))
        });
    match kept {
        Ok(()) => tracing::error!(path = %path.display(), "both checkpoints are kept as evidence"),
        Err(error) => tracing::error!(error, "the evidence could not be kept"),
    }
}
