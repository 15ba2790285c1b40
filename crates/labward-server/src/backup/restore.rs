//! A new installation from a backup, a key archive and any slot.
//!
//! It is built beside its place and renamed when it is whole: an interrupted restore leaves nothing
//! that could be taken for an installation. It must never overwrite anything, trust a part that is
//! not authenticated, go on signing under the old origin, or deliver before a person has confirmed.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_api::status::Opener;
use labward_backup::{BackupError, BackupKey, DATABASE, Folder, Manifest, Restore, Restorer};
use labward_base::id::{EntryIndex, PatientId};
use labward_base::{Clock, Timestamp, problem};
use labward_keys::{ArchivePut, OpenArchive, archives_in, open_archive};
use labward_ledger::tree::{Digest, Frontier, leaf_digest};
use labward_ledger::{
    Action, Actor, Checkpoint, Facts, LedgerJournal, NewEntry, Subject, VerifierKey, append,
    entries, epochs, open_epoch, verify,
};
use labward_os::{create_durably, preallocate, sync_folder};
use labward_store::{Options, Store, StoreError};

use super::{CONFIG, LEDGER_CHECKPOINT, RestoreError, lies_in, small_files};
use crate::config::Config;
use crate::folder::{DataFolder, NODE, SITE};
use crate::http::slot_opener;
use crate::migrations::migrations;

/// Entries read from the restored ledger at a time.
const PAGE: u32 = 1_000;

/// What is to be restored, and where.
pub struct RestoreRequest {
    /// The folder of backups.
    pub from: PathBuf,
    /// The folder of key archives, or one archive.
    pub keys: PathBuf,
    /// The slot that opens the archive.
    pub opener: Opener,
    /// The data folder to be made: nothing may be there.
    pub to: PathBuf,
    /// This generation; `None` means the newest.
    pub generation: Option<u64>,
    /// Whether to go on if the archive is older than the backup, and lose what it does not open.
    pub without_missing_keys: bool,
    /// Whether it is only tried: no room is set aside then.
    pub is_drill: bool,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The generation.
    pub generation: u64,
    /// The moment that it holds; what came later is not in it.
    pub created: Timestamp,
    /// Bytes that were restored.
    pub bytes: u64,
    /// Entries of the ledger before the new epoch.
    pub entries: u64,
    /// Keys that were put in.
    pub keys: u64,
    /// When the key archive was made.
    pub archived: Timestamp,
    /// Patients whose keys are missing, so that their records cannot be read.
    pub missing_keys: u64,
    /// Patients who were disposed of after the backup and stay so.
    pub disposed_since: u64,
    /// The ledger's new epoch.
    pub epoch: u32,
    /// Its origin.
    pub origin: String,
    /// The ledger's public key under that origin.
    pub ledger_key: String,
}

/// The place of the new installation, and the folder in which it is built.
struct Target {
    to: PathBuf,
    building: DataFolder,
}

/// How the patients of the backup fit the keys of the archive.
#[derive(Default)]
struct Fit {
    highest: u64,
    missing: u64,
    disposed_since: Vec<PatientId>,
}

/// Restores an installation into a new data folder.
///
/// # Errors
/// [`RestoreError`]; nothing was made then.
pub fn restore(request: &RestoreRequest, clock: &Arc<dyn Clock>) -> Result<Restored, RestoreError> {
    let archive = open_archive(&request.keys, &slot_opener(request.opener.clone()))?;
    let (secret, epoch) = archive.secret_key()?;
    let key = BackupKey::derive(archive.site(), &secret, epoch).map_err(BackupError::from)?;
    let folder = Folder::open(&request.from)?;
    let restorer = Restorer::open(&folder, request.generation, &key)?;
    let manifest = restorer.manifest();
    let known = migrations().len();
    if usize::try_from(manifest.schema).is_ok_and(|found| found > known) {
        return Err(RestoreError::NewerSchema {
            found: manifest.schema,
            known,
        });
    }
    let target = Target::make(request)?;
    let config = read_config(&restorer)?;
    let bytes = unpack(&restorer, &target.building)?;
    if !request.is_drill {
        set_aside(&target.building.reserve(), manifest.reserve_bytes)?;
    }
    let journal = LedgerJournal::new(NODE, Arc::clone(clock));
    let options = Options::new(target.building.database());
    let store = Store::open(options, &migrations(), Box::new(journal))?;
    let cites = check_ledger(&store, &restorer)?;
    let fit = compare(&store, &archive)?;
    if fit.missing > 0 && !request.without_missing_keys {
        return Err(RestoreError::KeysOlder {
            missing: fit.missing,
        });
    }
    let found = archives_in(archive_folder(&request.keys))?;
    let mut restored = Restored {
        generation: manifest.generation,
        created: manifest.created,
        bytes,
        entries: manifest.entries,
        keys: 0,
        archived: archive.info().created,
        missing_keys: fit.missing,
        disposed_since: u64::try_from(fit.disposed_since.len()).unwrap_or(u64::MAX),
        epoch: 0,
        origin: String::new(),
        ledger_key: String::new(),
    };
    let base = config.ledger_origin();
    let begin = Beginning {
        archive,
        fit,
        found,
        cites,
        base,
        now: clock.now(),
        facts: facts(&restored),
    };
    let (put, epoch, origin) = store.write(move |tx| begin.write(tx))?;
    store.close()?;
    let public = *manifest.ledger_key.public();
    let ledger_key =
        VerifierKey::new(&origin, public).map_err(labward_ledger::LedgerError::from)?;
    restored.ledger_key = ledger_key.to_string();
    (restored.keys, restored.epoch, restored.origin) = (put.keys, epoch, origin);
    begin_ledger_folder(&target.building, &restored)?;
    target.finish()?;
    Ok(restored)
}

/// What the first unit of the restored database writes.
struct Beginning {
    archive: OpenArchive,
    fit: Fit,
    found: Vec<labward_keys::ArchiveInfo>,
    cites: Option<String>,
    base: String,
    now: Timestamp,
    facts: Facts,
}

impl Beginning {
    /// Keys, disposals since, the new epoch and the hold of delivery, with the one entry.
    fn write(
        &self,
        tx: &mut labward_store::Tx<'_>,
    ) -> Result<(ArchivePut, u32, String), RestoreError> {
        let put = self.archive.put(tx, self.fit.highest)?;
        labward_records::erase_disposed(tx, &self.fit.disposed_since)?;
        labward_keys::adopt_archives(tx, SITE, &self.found)?;
        let number = epochs(tx)?.last().map_or(2, |epoch| epoch.number + 1);
        // Two restores of one backup must never sign two histories under one name.
        let moment = self.now.to_hl7();
        let moment = moment.split('+').next().unwrap_or_default();
        let origin = format!("{}/{number}-{moment}", self.base);
        let entry = |action, subject| NewEntry::new(SITE, Actor::System, action, subject);
        let opened = entry(Action::LedgerEpochOpened, Subject::Ledger);
        let epoch = open_epoch(tx, &origin, self.cites.as_deref(), &opened)?;
        let facts = self.facts.clone().number("keys", put.keys);
        let restored = entry(Action::InstallationRestored, Subject::Installation);
        append(tx, &restored.facts(facts))?;
        labward_gateway::delivery::hold_all(tx, SITE, problem::BACKUP_RESTORED.code)?;
        let restore = Restore {
            epoch: epoch.number,
            time: self.now,
        };
        labward_backup::insert_restore(tx, SITE, &restore)?;
        Ok((put, epoch.number, origin))
    }
}

impl Target {
    fn make(request: &RestoreRequest) -> Result<Self, RestoreError> {
        let to = &request.to;
        let exists = || RestoreError::TargetExists(to.clone());
        let is_free = match fs::read_dir(to) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if !is_free {
            return Err(exists());
        }
        if [&request.from, &request.keys]
            .iter()
            .any(|folder| lies_in(to, folder))
        {
            return Err(exists());
        }
        let name = to.file_name().ok_or_else(exists)?.to_string_lossy();
        let above = match to.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        let building = above.join(format!(".{name}.restoring"));
        // What an interrupted restore left: its name is nobody else's.
        match fs::remove_dir_all(&building) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(RestoreError::file(&building)(error));
            }
            _ => {}
        }
        let target = Self {
            to: to.clone(),
            building: DataFolder::new(building),
        };
        let mut build = DirBuilder::new();
        build.mode(0o700).recursive(true);
        let root = target.building.root().to_owned();
        for folder in [root].iter().chain(&target.building.subfolders()) {
            build.create(folder).map_err(RestoreError::file(folder))?;
        }
        Ok(target)
    }

    /// Makes the installation exist.
    fn finish(self) -> Result<(), RestoreError> {
        let from = self.building.root();
        sync_folder(from)?;
        // An empty folder gives way to the whole one.
        fs::rename(from, &self.to).map_err(RestoreError::file(&self.to))?;
        Ok(sync_folder(self.to.parent().unwrap_or(Path::new(".")))?)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Gone after the renaming; otherwise half made, and the next restore would remove it.
        let _ = fs::remove_dir_all(self.building.root());
    }
}

fn read_config(restorer: &Restorer<'_>) -> Result<Config, RestoreError> {
    let bytes = restorer.small_file(CONFIG)?;
    let bytes = bytes.ok_or_else(|| BackupError::MissingPart(CONFIG.to_owned()))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(Config::parse(&text)?)
}

/// Writes every file of the backup into the data folder; how many bytes.
fn unpack(restorer: &Restorer<'_>, data: &DataFolder) -> Result<u64, RestoreError> {
    let database = restorer.file(DATABASE, &data.database())?;
    let mut bytes = database.ok_or_else(|| BackupError::MissingPart(DATABASE.to_owned()))?;
    for (name, path) in small_files(data) {
        bytes += restorer.file(name, &path)?.unwrap_or(0);
    }
    let (_, blobs) = restorer.blobs(&data.blobs())?;
    let (_, quarantined) = restorer.quarantine(&data.quarantine())?;
    Ok(bytes + blobs + quarantined)
}

/// Sets the room for patient care aside again.
fn set_aside(path: &Path, bytes: u64) -> Result<(), RestoreError> {
    let mut open = OpenOptions::new();
    open.write(true).create_new(true).mode(0o600);
    let file = open.open(path).map_err(RestoreError::file(path))?;
    preallocate(&file, bytes)?;
    file.sync_all().map_err(RestoreError::file(path))
}

/// Every row and payload against its digest, the root against the one that the backup was signed
/// with and against the last checkpoint, which is answered.
fn check_ledger(store: &Store, restorer: &Restorer<'_>) -> Result<Option<String>, RestoreError> {
    let unsound = |what: &str| RestoreError::Unsound(what.to_owned());
    let manifest: &Manifest = restorer.manifest();
    let report = verify(store, NODE, None)?;
    if let Some(fault) = report.faults.first() {
        return Err(unsound(&format!("{}: {}", fault.place, fault.what)));
    }
    if (report.entries, report.root) != (manifest.entries, Some(manifest.root)) {
        return Err(unsound("the ledger's root is not the one that was signed"));
    }
    let Some(note) = restorer.small_file(LEDGER_CHECKPOINT)? else {
        return Ok(None);
    };
    let checkpoint = Checkpoint::open(&note, &manifest.ledger_key)
        .map_err(|_| unsound("the last checkpoint is not signed by the ledger's key"))?;
    let root = match checkpoint.size == report.entries {
        true => report.root,
        false => root_at(store, checkpoint.size)?,
    };
    if root != Some(checkpoint.root) {
        return Err(unsound("the entries do not lead to the last checkpoint"));
    }
    Ok(Some(String::from_utf8_lossy(&note).into_owned()))
}

/// The root over the first `size` entries, if there are so many.
fn root_at(store: &Store, size: u64) -> Result<Option<Digest>, StoreError> {
    let mut frontier = Frontier::new();
    while frontier.size() < size {
        let from = EntryIndex::new(frontier.size());
        let page = store.read(|snapshot| entries(snapshot, from, PAGE))?;
        if page.is_empty() {
            return Ok(None);
        }
        for entry in page {
            if frontier.size() < size {
                frontier.push(leaf_digest(&entry.leaf));
            }
        }
    }
    Ok(Some(frontier.root()))
}

fn compare(store: &Store, archive: &OpenArchive) -> Result<Fit, RestoreError> {
    let destroyed: std::collections::HashSet<PatientId> = archive.destroyed().into_iter().collect();
    let mut fit = Fit::default();
    store.read(|snapshot| {
        labward_records::each_patient(snapshot, &mut |patient, is_disposed| {
            fit.highest = fit.highest.max(patient.get());
            if is_disposed {
                return;
            }
            if destroyed.contains(&patient) {
                fit.disposed_since.push(patient);
            } else if !archive.knows(patient) {
                fit.missing += 1;
            }
        })
    })?;
    Ok(fit)
}

fn facts(restored: &Restored) -> Facts {
    Facts::new()
        .number("generation", restored.generation)
        .text("backup", restored.created.to_rfc3339())
        .text("key_archive", restored.archived.to_rfc3339())
        .number("entries", restored.entries)
        .number("missing_keys", restored.missing_keys)
        .number("disposed_since", restored.disposed_since)
}

/// Keeps what the old epoch signed beside, and writes the key under the new origin.
fn begin_ledger_folder(data: &DataFolder, restored: &Restored) -> Result<(), RestoreError> {
    let old = data.ledger().join(format!("before-{}", restored.epoch));
    let mut build = DirBuilder::new();
    build
        .mode(0o700)
        .create(&old)
        .map_err(RestoreError::file(&old))?;
    for (name, path) in small_files(data) {
        if let Some(name) = name.strip_prefix("ledger/")
            && path.exists()
        {
            let to = old.join(name);
            fs::rename(&path, &to).map_err(RestoreError::file(&to))?;
        }
    }
    sync_folder(&old)?;
    let key = format!("{}\n", restored.ledger_key);
    Ok(create_durably(
        &data.ledger_public_key(),
        key.as_bytes(),
        0o600,
    )?)
}

fn archive_folder(keys: &Path) -> &Path {
    match keys.is_file() {
        true => keys.parent().unwrap_or(keys),
        false => keys,
    }
}
