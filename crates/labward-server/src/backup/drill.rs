//! The restore drill: a whole restore in a scratch folder, timed, with a sample of records opened.
//!
//! It must never leave the scratch folder behind, which holds data and keys together, or call a
//! restore good of which a record does not open.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use labward_api::backup::{Drill, Drilled};
use labward_api::status::Opener;
use labward_backup::{Run, RunKind};
use labward_base::Clock;
use labward_base::id::EntryIndex;
use labward_keys::{Keys, KeysError};
use labward_ledger::{
    Action, Actor, Facts, LedgerError, LedgerJournal, NewEntry, Outcome, RecordIds, Subject,
    append, entries_with_payload, tree_head,
};
use labward_os::Stopwatch;
use labward_records::{Records, RecordsError, Setup};
use labward_store::{Options, Store, StoreError};

use super::{RestoreError, RestoreRequest, restore, sealed_why};
use crate::app::Core;
use crate::folder::{DataFolder, NODE, SITE};
use crate::http::slot_opener;
use crate::migrations::migrations;

/// Places of the ledger at which a record is looked for.
const SAMPLES: u64 = 200;
/// Entries that are looked at for a record at each place.
const LOOK: u32 = 16;

/// What was opened as a sample.
#[derive(Default)]
struct Sampled {
    records: u64,
    key_epochs: BTreeSet<u32>,
}

/// Restores into a scratch folder, opens a sample, and records how long it took.
pub(crate) fn drill(core: &Core, request: Drill, actor: Actor) -> Result<Drilled, RestoreError> {
    let one_at_a_time = core.backups.lock();
    let _one_at_a_time = one_at_a_time.unwrap_or_else(PoisonError::into_inner);
    let detail = sealed_why(core, &request.why)?;
    // In the data folder: it is the one place where data and keys stand together anyway.
    let scratch = core.data.run().join("drill");
    remove(&scratch)?;
    let from = request.from.clone();
    let watch = Stopwatch::start();
    let tried = attempt(core, request, &scratch);
    let duration_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let removed = remove(&scratch);
    let mut facts = Facts::new()
        .text("folder", from.as_str())
        .number("duration_ms", duration_ms);
    let outcome = match &tried {
        Ok((restored, sampled)) => {
            facts = facts
                .number("generation", restored.generation)
                .number("bytes", restored.bytes)
                .number("entries", restored.entries)
                .number("sampled", sampled.records)
                .numbers("key_epochs", sampled.key_epochs.iter().copied());
            Outcome::Success
        }
        Err(error) => Outcome::Failed(error.problem().code),
    };
    let entry = NewEntry::new(SITE, actor, Action::BackupDrilled, Subject::Installation);
    let entry = entry.facts(facts).outcome(outcome).detail(detail);
    let run = tried.as_ref().ok().map(|(restored, _)| Run {
        kind: RunKind::Drilled,
        time: core.clock.now(),
        generation: restored.generation,
        beside_data: labward_os::same_device(Path::new(&from), core.data.root()).ok(),
        folder: from,
    });
    let entry = core.store.write(move |tx| {
        let index = append(tx, &entry)?;
        if let Some(run) = &run {
            labward_backup::put_run(tx, SITE, run, index)?;
        }
        Ok::<_, LedgerError>(index)
    })?;
    removed?;
    let (restored, sampled) = tried?;
    Ok(Drilled {
        generation: restored.generation,
        created: restored.created.to_rfc3339(),
        duration_ms,
        bytes: restored.bytes,
        entries: restored.entries,
        sampled: sampled.records,
        key_epochs: sampled.key_epochs.into_iter().collect(),
        entry: entry.get(),
    })
}

fn attempt(
    core: &Core,
    request: Drill,
    scratch: &Path,
) -> Result<(super::Restored, Sampled), RestoreError> {
    let opener = request.opener.clone();
    let request = RestoreRequest {
        from: request.from.into(),
        keys: request.keys.into(),
        opener: request.opener,
        to: scratch.to_owned(),
        generation: request.generation,
        without_missing_keys: false,
        is_drill: true,
    };
    let restored = restore(&request, &core.clock)?;
    let sampled = open_sample(core, &DataFolder::new(scratch), opener)?;
    Ok((restored, sampled))
}

/// Opens the restored installation as a server would, and a sample of its records.
fn open_sample(core: &Core, data: &DataFolder, opener: Opener) -> Result<Sampled, RestoreError> {
    let clock: Arc<dyn Clock> = Arc::clone(&core.clock);
    let journal = LedgerJournal::new(NODE, Arc::clone(&clock));
    let options = Options::new(data.database());
    let store = Store::open(options, &migrations(), Box::new(journal))?;
    let keys = Keys::load(store.clone(), SITE, data.root(), Arc::clone(&clock))?;
    keys.unseal(&slot_opener(opener), Actor::System)?;
    let records = Records::load(Setup {
        store: store.clone(),
        keys,
        ids: store.read(|snapshot| RecordIds::load(snapshot))?,
        clock,
        site: SITE,
        node: NODE,
        blobs: data.blobs(),
        retention: core.config().retention(),
    })?;
    let sampled = sample(&store, &records);
    drop(records);
    store.close()?;
    sampled
}

fn sample(store: &Store, records: &Records) -> Result<Sampled, RestoreError> {
    let head = store.read(|snapshot| tree_head(snapshot, NODE))?;
    let size = head.map_or(0, |head| head.frontier.size());
    let step = size.div_ceil(SAMPLES).max(1);
    let (mut sampled, mut at) = (Sampled::default(), 0);
    while at < size {
        let from = EntryIndex::new(at);
        let page = store.read(|snapshot| -> Result<_, StoreError> {
            entries_with_payload(snapshot, from, LOOK)
        })?;
        let found = page
            .iter()
            .find_map(|entry| Some((entry.index, entry.record?, entry.payload.as_ref()?)));
        if let Some((index, record, payload)) = found {
            match records.open(record) {
                Ok(_) => {
                    sampled.records += 1;
                    sampled.key_epochs.extend(labward_seal::epoch_of(payload));
                }
                // Destroyed for good, as it must be.
                Err(RecordsError::Keys(KeysError::Disposed(_))) => {}
                Err(error) => {
                    let code = error.problem().code;
                    let what = format!("record {record} of entry {index} does not open ({code})");
                    return Err(RestoreError::Unsound(what));
                }
            }
        }
        at += step;
    }
    Ok(sampled)
}

fn remove(scratch: &Path) -> Result<(), RestoreError> {
    match fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(RestoreError::file(scratch)(error))
        }
        _ => Ok(()),
    }
}
