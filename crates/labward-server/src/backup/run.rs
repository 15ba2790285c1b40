//! What the running server does with backups: make one, verify, confirm a restore.

use std::path::Path;
use std::sync::PoisonError;

use labward_api::backup::{Backup, NewBackup, VerifiedBackup, VerifyBackup};
use labward_backup::{BackupKey, Created, Folder, Request, Run, RunKind, Source, Trust};
use labward_base::id::{EntryIndex, PersonId};
use labward_base::{Clock, problem};
use labward_gateway::delivery::DestinationState;
use labward_identity::SHORT_LIVED_TABLES;
use labward_keys::{KEY_TABLES, KeysError};
use labward_ledger::{
    Action, Actor, Facts, LedgerError, NewEntry, Outcome, Subject, VerifierKey, append,
};
use labward_os::Stopwatch;
use labward_seal::{CryptoFailed, Scope};
use labward_store::StoreError;
use serde_json::json;

use super::{lies_in, small_files};
use crate::app::{Core, Opened, signer};
use crate::folder::{NODE, SITE};
use crate::http::idempotency::TABLE as IDEMPOTENCY;
use crate::http::{Failure, chain};

/// Who and why, sealed under the audit key.
pub(crate) fn sealed_why(core: &Core, why: &str) -> Result<Vec<u8>, KeysError> {
    let (key, epoch) = core.keys.site_key(Scope::Audit)?;
    let text = json!({ "why": why }).to_string();
    labward_ledger::seal_detail(&key, epoch, SITE, text.as_bytes())
        .map_err(|_| KeysError::Crypto(CryptoFailed))
}

/// Makes one more generation, with its entry, a failed one too.
pub(crate) fn create(
    core: &Core,
    opened: &Opened,
    request: &NewBackup,
    actor: Actor,
) -> Result<Backup, Failure> {
    let one_at_a_time = core.backups.lock();
    let _one_at_a_time = one_at_a_time.unwrap_or_else(PoisonError::into_inner);
    let to = Path::new(&request.to);
    if lies_in(to, core.data.root()) {
        return Err(Failure::new(&problem::BACKUP_INSIDE_DATA).with(request.to.clone()));
    }
    let detail = sealed_why(core, &request.why)?;
    // So that the backup's checkpoint covers what is in it; a tampered ledger is backed up too.
    if let Err(error) = opened.publishing.publish() {
        tracing::warn!(error = %chain(&error), "the ledger could not be published before a backup");
    }
    let watch = Stopwatch::start();
    let made = write(core, request);
    let duration_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let beside_data = labward_os::same_device(to, core.data.root()).ok();
    let mut facts = Facts::new()
        .text("folder", request.to.as_str())
        .number("duration_ms", duration_ms);
    if let Some(beside) = beside_data {
        facts = facts.number("beside_data", i64::from(beside));
    }
    let entry = NewEntry::new(SITE, actor, Action::BackupCreated, Subject::Installation);
    let entry = entry.detail(detail);
    let created = match made {
        Ok(created) => created,
        Err(failure) => {
            let outcome = Outcome::Failed(failure.problem().code);
            record(core, entry.facts(facts).outcome(outcome), None)?;
            return Err(failure);
        }
    };
    facts = facts
        .number("generation", created.generation)
        .number("bytes", created.total_bytes)
        .number("written_bytes", created.written_bytes)
        .number("parts", created.parts)
        .number("written_parts", created.written_parts)
        .number("entries", created.entries);
    let run = Run {
        kind: RunKind::Created,
        time: core.clock.now(),
        generation: created.generation,
        folder: request.to.clone(),
        beside_data,
    };
    let entry = record(core, entry.facts(facts), Some(run))?;
    Ok(Backup {
        generation: created.generation,
        total_bytes: created.total_bytes,
        written_bytes: created.written_bytes,
        parts: created.parts,
        written_parts: created.written_parts,
        entries: created.entries,
        generations: created.generations,
        swept: created.swept,
        duration_ms,
        entry: entry.get(),
    })
}

fn write(core: &Core, request: &NewBackup) -> Result<Created, Failure> {
    let (origin, signing) = signer(core)?;
    let key = backup_key(core)?;
    let reserve = std::fs::metadata(core.data.reserve());
    let source = Source {
        store: &core.store,
        left_out: &[KEY_TABLES, SHORT_LIVED_TABLES, &[IDEMPOTENCY]].concat(),
        node: NODE,
        files: small_files(&core.data),
        blobs: core.data.blobs(),
        quarantine: core.data.quarantine(),
        reserve_bytes: reserve.map_or(0, |facts| facts.len()),
    };
    let known = last_run(core, RunKind::Created)?;
    let same_folder = known.filter(|run| run.folder == request.to);
    Ok(labward_backup::create(
        &source,
        &Request {
            folder: Path::new(&request.to),
            key: &key,
            signer: (&origin, &signing),
            now: core.clock.now(),
            program: env!("CARGO_PKG_VERSION"),
            keep: usize::try_from(request.keep).unwrap_or(labward_backup::KEEP_DEFAULT),
            after: same_folder.map_or(0, |run| run.generation),
        },
    )?)
}

/// Reads every part: with the open root key each is opened, otherwise compared with what was
/// signed.
pub(crate) fn verify(
    core: &Core,
    request: &VerifyBackup,
    actor: Actor,
) -> Result<VerifiedBackup, Failure> {
    let folder = Folder::open(Path::new(&request.from))?;
    let known = last_run(core, RunKind::Created)?;
    let expected = known
        .filter(|run| run.folder == request.from && request.generation.is_none())
        .map(|run| run.generation);
    let watch = Stopwatch::start();
    let (verified, opened) = match core.keys.is_open() {
        true => {
            let key = backup_key(core)?;
            let trust = Trust::Key(&key);
            let verified = labward_backup::verify(&folder, request.generation, &trust, expected)?;
            (verified, true)
        }
        false => {
            let key = public_key(core)?;
            let trust = Trust::Ledger(&key);
            let verified = labward_backup::verify(&folder, request.generation, &trust, expected)?;
            (verified, false)
        }
    };
    let duration_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let code = verified.faults.first().map(|fault| fault.problem.code);
    let facts = Facts::new()
        .text("folder", request.from.as_str())
        .number("generations", verified.generations)
        .number("parts", verified.parts)
        .number("bytes", verified.bytes)
        .number("opened", i64::from(opened))
        .number("faults", verified.fault_count)
        .number("duration_ms", duration_ms);
    let entry = NewEntry::new(SITE, actor, Action::BackupVerified, Subject::Installation);
    let entry = entry
        .facts(facts)
        .outcome(code.map_or(Outcome::Success, Outcome::Failed));
    let run = verified
        .newest
        .as_ref()
        .filter(|_| code.is_none())
        .map(|newest| Run {
            kind: RunKind::Verified,
            time: core.clock.now(),
            generation: newest.generation,
            beside_data: labward_os::same_device(Path::new(&request.from), core.data.root()).ok(),
            folder: request.from.clone(),
        });
    record(core, entry, run)?;
    Ok(VerifiedBackup {
        good: verified.is_sound(),
        generations: verified.generations,
        parts: verified.parts,
        bytes: verified.bytes,
        opened,
        faults: verified
            .faults
            .iter()
            .map(|fault| format!("{}: {}", fault.place, fault.what))
            .collect(),
        code: code.map(str::to_owned),
    })
}

/// Lets delivery go on after a restore: every destination that it holds, then the entry.
pub(crate) fn confirm(
    core: &Core,
    opened: &Opened,
    person: PersonId,
    why: &str,
) -> Result<EntryIndex, Failure> {
    let waits = core
        .store
        .read(|snapshot| labward_backup::unconfirmed_restore(snapshot, SITE))?;
    let Some(restore) = waits else {
        return Err(Failure::new(&problem::BACKUP_NOT_RESTORED));
    };
    let detail = sealed_why(core, why)?;
    let mut released = Vec::new();
    for destination in opened.delivery.status() {
        let held = match &destination.state {
            DestinationState::Stopped { reason } => reason == problem::BACKUP_RESTORED.code,
            _ => false,
        };
        if held {
            opened.delivery.resume(&destination.name, person, why)?;
            released.push(destination.name.to_string());
        }
    }
    let facts = Facts::new()
        .number("epoch", restore.epoch)
        .texts("destinations", released);
    let entry = NewEntry::new(
        SITE,
        Actor::Person(person),
        Action::InstallationConfirmed,
        Subject::Installation,
    );
    let entry = entry.facts(facts).detail(detail);
    Ok(core.store.write(move |tx| {
        let index = append(tx, &entry)?;
        labward_backup::confirm_restore(tx, SITE, index)?;
        Ok::<_, LedgerError>(index)
    })?)
}

fn backup_key(core: &Core) -> Result<BackupKey, Failure> {
    let (secret, epoch) = core.keys.site_key(Scope::Secret)?;
    let key = BackupKey::derive(SITE, &secret, epoch);
    Ok(key.map_err(KeysError::Crypto)?)
}

/// The ledger's public key, for a server that is sealed.
fn public_key(core: &Core) -> Result<VerifierKey, Failure> {
    let path = core.data.ledger_public_key();
    let text = std::fs::read_to_string(&path).map_err(crate::ServerError::file(path))?;
    let key: Result<VerifierKey, _> = text.trim().parse();
    Ok(key.map_err(LedgerError::from)?)
}

fn last_run(core: &Core, kind: RunKind) -> Result<Option<Run>, StoreError> {
    let runs = core
        .store
        .read(|snapshot| labward_backup::last_runs(snapshot, SITE))?;
    Ok(runs.into_iter().find(|run| run.kind == kind))
}

fn record(core: &Core, entry: NewEntry, run: Option<Run>) -> Result<EntryIndex, LedgerError> {
    core.store.write(move |tx| {
        let index = append(tx, &entry)?;
        if let Some(run) = &run {
            labward_backup::put_run(tx, SITE, run, index)?;
        }
        Ok(index)
    })
}
