//! Key archives: slots and wrapped keys in a folder of their own, which expire.
//!
//! A backup of the data leaves the wrapped keys out, so that destroying a patient's key kills the
//! backup's copy too; what it needs to be read again stands here. An archive is known before it
//! exists, so that a disposal can always say until when an old copy may hold the key. It must never
//! be written into the data folder, nor outlive its time unnoticed.
//! Data backup plan and disposal are 45 CFR 164.308(a)(7)(ii)(A) and 164.310(d)(2)(i).

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::SiteId;
use labward_base::problem::{self, Problem};
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Outcome, Subject};
use labward_os::{OsError, create_durably, sync_folder};
use labward_store::{Query, StoreError, Tx};

use crate::archive_file::{self, Contents};
use crate::store;
use crate::{Keys, KeysError};

/// How long an archive is kept unless somebody says otherwise.
pub const ARCHIVE_LIFE: Duration = Duration::from_secs(35 * 86_400);

/// What is known of one archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveInfo {
    /// Its number, from 1.
    pub id: u32,
    /// The folder it was written to.
    pub folder: PathBuf,
    /// When it was made.
    pub created: Timestamp,
    /// When the next run deletes it.
    pub expires: Timestamp,
    /// Whether its file may exist; `false`: it was deleted, with an entry.
    pub may_exist: bool,
}

/// What the end of archives' time brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Deleted in this run, each with an entry.
    pub deleted: Vec<ArchiveInfo>,
    /// Their time is over, but their folder cannot be reached.
    pub overdue: Vec<ArchiveInfo>,
}

/// Why an archive was not written, deleted or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Operator: the archive would lie with the data.
    #[error("write a key archive: its folder is inside the data folder")]
    BesideData,
    /// The disk's, or an intruder's: the archive is not what was written.
    #[error("read the key archive {path}: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A file or folder could not be read or written.
    #[error("read or write the key archive {path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's report.
        source: io::Error,
    },
    /// Slots, the root key or the database.
    #[error("take the keys for an archive, or out of it")]
    Keys(#[from] KeysError),
    /// Operator: there is no archive in the folder.
    #[error("find a key archive in {0}")]
    Missing(PathBuf),
    /// Operator: a newer program wrote it.
    #[error("read the key archive {0}: a newer Labward wrote it")]
    Newer(PathBuf),
    /// The archive could not be made durable.
    #[error("write a key archive")]
    Os(#[from] OsError),
}

impl ArchiveError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BesideData => &problem::KEYS_BESIDE_DATA,
            Self::Damaged { .. } => &problem::KEYS_ARCHIVE_DAMAGED,
            Self::File { .. } | Self::Os(_) => &problem::KEYS_ARCHIVE_FILE,
            Self::Keys(error) => error.problem(),
            Self::Missing(_) => &problem::KEYS_ARCHIVE_MISSING,
            Self::Newer(_) => &problem::KEYS_ARCHIVE_NEWER,
        }
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        Self::Keys(error.into())
    }
}

impl From<LedgerError> for ArchiveError {
    fn from(error: LedgerError) -> Self {
        Self::Keys(error.into())
    }
}

impl Keys {
    /// Writes slots and wrapped keys into `folder`, to be deleted by the first run after `life`;
    /// archives whose time is over are deleted first. `detail` is the sealed reason.
    ///
    /// # Errors
    /// [`ArchiveError::BesideData`], [`ArchiveError::File`], [`KeysError::Sealed`].
    pub fn archive(
        &self,
        folder: &Path,
        life: Duration,
        actor: Actor,
        detail: Vec<u8>,
    ) -> Result<ArchiveInfo, ArchiveError> {
        if !self.is_open() {
            return Err(KeysError::Sealed.into());
        }
        self.expire_archives(actor)?;
        let _order = self.lock_changes();
        let folder = self.archive_folder(folder)?;
        let info = self.announce(&folder, life, actor, detail)?;
        let written = self.archive_contents(&info).and_then(|contents| {
            let path = archive_file::path_of(&folder, info.id);
            let bytes = contents.to_bytes()?;
            Ok(create_durably(&path, &bytes, 0o600)?)
        });
        match written {
            Ok(()) => Ok(info),
            Err(error) => {
                self.withdraw(&info, actor, error.problem().code)?;
                Err(error)
            }
        }
    }

    /// Every archive that was made, the newest first.
    ///
    /// # Errors
    /// [`ArchiveError::Keys`].
    pub fn archives(&self) -> Result<Vec<ArchiveInfo>, ArchiveError> {
        let site = self.0.site;
        let all = self
            .0
            .store
            .read(|snapshot| store::archives(snapshot, site));
        all.map_err(ArchiveError::from)
    }

    /// The archives that may hold a key that is destroyed now; read in the unit that destroys it.
    ///
    /// # Errors
    /// [`KeysError::Store`].
    pub fn archives_that_may_exist(
        &self,
        query: &mut impl Query,
    ) -> Result<Vec<ArchiveInfo>, KeysError> {
        let mut all = store::archives(query, self.0.site)?;
        all.retain(|info| info.may_exist);
        Ok(all)
    }

    /// Deletes the archives whose time is over, with an entry each.
    ///
    /// # Errors
    /// [`ArchiveError::File`] for one that cannot be deleted, [`ArchiveError::Keys`].
    pub fn expire_archives(&self, actor: Actor) -> Result<Expired, ArchiveError> {
        let _order = self.lock_changes();
        let (now, site) = (self.0.clock.now(), self.0.site);
        let mut expired = Expired::default();
        for info in self.archives()? {
            if !info.may_exist || info.expires > now {
                continue;
            }
            // A volume that is not there may still hold it.
            if !info.folder.is_dir() {
                expired.overdue.push(info);
                continue;
            }
            let was_there = delete(&archive_file::path_of(&info.folder, info.id))?;
            let facts = archive_facts(&info).number("was_there", i64::from(was_there));
            let id = info.id;
            self.0.store.write(move |tx| {
                store::set_archive_deleted(tx, site, id)?;
                let entry = archive_entry(site, actor, Action::KeyArchiveExpired);
                labward_ledger::append(tx, &entry.facts(facts.clone()))?;
                Ok::<_, ArchiveError>(())
            })?;
            expired.deleted.push(info);
        }
        Ok(expired)
    }

    /// Makes the folder if it is not there, and refuses one in the data folder.
    fn archive_folder(&self, folder: &Path) -> Result<PathBuf, ArchiveError> {
        let file = ArchiveError::file;
        if !folder.is_dir() {
            let mut build = DirBuilder::new();
            build.mode(0o700).recursive(true);
            // Where it would lie is asked before it is made.
            let above = folder.ancestors().find(|path| path.is_dir());
            self.refuse_beside_data(above.unwrap_or(folder))?;
            build.create(folder).map_err(file(folder))?;
        }
        let folder = folder.canonicalize().map_err(file(folder))?;
        self.refuse_beside_data(&folder)?;
        Ok(folder)
    }

    fn refuse_beside_data(&self, folder: &Path) -> Result<(), ArchiveError> {
        let file = ArchiveError::file;
        let folder = folder.canonicalize().map_err(file(folder))?;
        let data = self.data().canonicalize().map_err(file(self.data()))?;
        match folder.starts_with(data) {
            true => Err(ArchiveError::BesideData),
            false => Ok(()),
        }
    }

    /// Records the archive before it exists: a disposal in between names it already.
    fn announce(
        &self,
        folder: &Path,
        life: Duration,
        actor: Actor,
        detail: Vec<u8>,
    ) -> Result<ArchiveInfo, ArchiveError> {
        let (site, now, folder) = (self.0.site, self.0.clock.now(), folder.to_owned());
        let in_folder = archive_file::list(&folder)?;
        let above = in_folder.iter().map(|(id, _)| *id).max().unwrap_or(0);
        self.0.store.write(move |tx| {
            let known = store::archives(tx, site)?;
            let highest = known.first().map_or(0, |info| info.id).max(above);
            let info = ArchiveInfo {
                id: highest.saturating_add(1),
                folder: folder.clone(),
                created: now,
                expires: now.plus(life),
                may_exist: true,
            };
            store::insert_archive(tx, site, &info)?;
            let entry = archive_entry(site, actor, Action::KeyArchived);
            let entry = entry.facts(archive_facts(&info)).detail(detail.clone());
            labward_ledger::append(tx, &entry)?;
            Ok(info)
        })
    }

    /// The archive was not written after all.
    fn withdraw(
        &self,
        info: &ArchiveInfo,
        actor: Actor,
        code: &'static str,
    ) -> Result<(), ArchiveError> {
        let (site, info) = (self.0.site, info.clone());
        self.0.store.write(move |tx| {
            store::set_archive_deleted(tx, site, info.id)?;
            let entry = archive_entry(site, actor, Action::KeyArchived);
            let entry = entry
                .facts(archive_facts(&info))
                .outcome(Outcome::Failed(code));
            labward_ledger::append(tx, &entry)?;
            Ok(())
        })
    }

    fn archive_contents(&self, info: &ArchiveInfo) -> Result<Contents, ArchiveError> {
        let site = self.0.site;
        let (slots, root) = {
            let state = self.state();
            let open = state.open.as_ref().ok_or(KeysError::Sealed)?;
            let slots = state.slots.values().cloned().collect();
            (slots, std::sync::Arc::clone(&open.root))
        };
        let mut rows = Vec::new();
        let state = self.0.store.read(|snapshot| {
            store::each_wrapped(snapshot, site, &mut |row| rows.push(row))?;
            store::root_state(snapshot, site)
        })?;
        Ok(Contents {
            site,
            id: info.id,
            created: info.created,
            expires: info.expires,
            state: state.ok_or_else(|| KeysError::damaged("the state of the root key"))?,
            slots,
            rows,
            root,
        })
    }
}

/// Makes archives that lie in a folder known to a database that was restored from before them.
///
/// # Errors
/// [`StoreError`].
pub fn adopt_archives(
    tx: &mut Tx<'_>,
    site: SiteId,
    found: &[ArchiveInfo],
) -> Result<(), StoreError> {
    let known = store::archives(tx, site)?;
    for info in found {
        if known.iter().all(|other| other.id != info.id) {
            store::insert_archive(tx, site, info)?;
        }
    }
    Ok(())
}

/// Overwrites and removes a file; `false` if it was gone already.
fn delete(path: &Path) -> Result<bool, ArchiveError> {
    let file = ArchiveError::file;
    let length = match fs::metadata(path) {
        Ok(facts) => facts.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(file(path)(error)),
    };
    // What an undelete would find is zeros, on a disk that writes in place (NIST SP 800-88).
    let mut open = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(file(path))?;
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut open)
        .and_then(|_| open.flush())
        .and_then(|()| open.sync_all())
        .map_err(file(path))?;
    fs::remove_file(path).map_err(file(path))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    Ok(true)
}

fn archive_entry(site: SiteId, actor: Actor, action: Action) -> NewEntry {
    NewEntry::new(site, actor, action, Subject::Installation)
}

fn archive_facts(info: &ArchiveInfo) -> Facts {
    Facts::new()
        .number("archive", info.id)
        .text("folder", info.folder.display().to_string())
        .text("expires", info.expires.to_rfc3339())
}
