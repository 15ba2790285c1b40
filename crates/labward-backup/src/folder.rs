//! The folder of backups: where parts lie, which generations are whole, what nobody needs any more.
//!
//! It must never remove a part while it is not known which parts are needed, or touch a folder that
//! is not its own.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use labward_base::hex;
use labward_ledger::{Note, VerifierKey};
use labward_os::{create_durably, sync_folder};
use labward_seal::sha256;

use crate::error::BackupError;
use crate::index::Index;
use crate::key::BackupKey;
use crate::manifest::{Manifest, NoManifest, is_number};

/// How many generations are kept unless somebody says otherwise.
pub const KEEP_DEFAULT: usize = 7;
/// The file by which a backup folder is known.
pub(crate) const MARKER: &str = "labward-backup";

const MARKER_FORMAT: &str = "labward backup folder ";
const MARKER_VERSION: &str = "1";
const GENERATIONS: &str = "generation";
const PARTS: &str = "parts";
const MANIFEST_ENDING: &str = ".manifest";
const INDEX_ENDING: &str = ".index";
pub(crate) const FILE_MODE: u32 = 0o600;
/// An index has about 140 bytes for each run: this is one of 700 GB.
const INDEX_MAX_BYTES: u64 = 400 << 20;

/// A folder of backups.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    /// Whose backups its mark says they are.
    identity: [u8; 32],
}

/// A manifest that was read, with what is needed to believe it.
pub(crate) struct Unverified {
    manifest: Manifest,
    mac: [u8; 32],
    note: Note,
}

/// By whom a backup is checked.
pub enum Trust<'a> {
    /// By the site's secret key: every part is opened too.
    Key(&'a BackupKey),
    /// By the ledger's public key alone: every part is what was written.
    Ledger(&'a VerifierKey),
}

impl Folder {
    /// The backups in `root`.
    ///
    /// # Errors
    /// [`BackupError::None`] if it holds none, [`BackupError::Newer`], [`BackupError::Damaged`].
    pub fn open(root: &Path) -> Result<Self, BackupError> {
        let path = root.join(MARKER);
        let marker = match fs::read(&path) {
            Ok(marker) => marker,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::None(root.to_owned()));
            }
            Err(error) => return Err(BackupError::file(&path)(error)),
        };
        let marker = String::from_utf8(marker).map_err(|_| bad_marker())?;
        Ok(Self {
            root: root.to_owned(),
            identity: identity_of(&marker)?,
        })
    }

    /// The folder for backups under `key`, made if it is empty or not there.
    pub(crate) fn make(root: &Path, key: &BackupKey) -> Result<Self, BackupError> {
        make_folder(root)?;
        let folder = match Self::open(root) {
            Ok(folder) if folder.identity == key.identity() => folder,
            Ok(_) => return Err(BackupError::NotEmpty(root.to_owned())),
            Err(BackupError::None(_)) => {
                refuse_used(root)?;
                let identity = key.identity();
                let marker = marker_of(&identity);
                create_durably(&root.join(MARKER), marker.as_bytes(), FILE_MODE)?;
                Self {
                    root: root.to_owned(),
                    identity,
                }
            }
            Err(error) => return Err(error),
        };
        make_folder(&root.join(GENERATIONS))?;
        make_folder(&root.join(PARTS))?;
        Ok(folder)
    }

    /// Held while a backup is written; the system frees it when the process ends.
    pub(crate) fn lock(&self) -> Result<File, BackupError> {
        let path = self.root.join("lock");
        let lock = labward_store::take_lock(&path).map_err(BackupError::file(&path))?;
        lock.ok_or_else(|| BackupError::Busy(self.root.clone()))
    }

    /// Whether the folder's mark names the same installation as a manifest that was verified.
    pub(crate) fn is_of(&self, manifest: &Manifest) -> bool {
        self.identity == manifest.identity
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The generations that exist, the oldest first; nothing about them is verified.
    ///
    /// # Errors
    /// [`BackupError::File`].
    pub fn generations(&self) -> Result<Vec<u64>, BackupError> {
        let mut numbers: Vec<u64> = self
            .names_of_generations()?
            .iter()
            .filter_map(|name| name.strip_suffix(MANIFEST_ENDING)?.parse().ok())
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// What a generation says of itself, once `trust` has confirmed it.
    ///
    /// # Errors
    /// [`BackupError::None`] if there is no such generation, [`BackupError::Newer`],
    /// [`BackupError::Damaged`], [`BackupError::WrongKeys`], [`BackupError::BadSignature`].
    pub fn manifest(&self, generation: u64, trust: &Trust<'_>) -> Result<Manifest, BackupError> {
        let part = manifest_name(generation);
        let damaged = |what| BackupError::damaged(&part, what);
        let Unverified {
            manifest,
            mac,
            note,
        } = self.read_manifest(generation)?;
        match trust {
            Trust::Key(key) => {
                // One changed line is damage; other keys differ from the folder's mark too.
                if manifest.identity != key.identity() && self.identity != key.identity() {
                    return Err(BackupError::WrongKeys(generation));
                }
                if !manifest.is_mac(key, &mac) || manifest.key_epoch != key.epoch() {
                    return Err(damaged("it was changed"));
                }
                if note.verify(&manifest.ledger_key).is_err() {
                    return Err(damaged("its signature was changed"));
                }
            }
            Trust::Ledger(key) => {
                if note.verify(key).is_err() {
                    return Err(BackupError::BadSignature(generation));
                }
            }
        }
        if manifest.generation != generation {
            return Err(damaged("it is another generation's"));
        }
        Ok(manifest)
    }

    /// What a generation says of itself, believed by nobody yet: for a list.
    ///
    /// # Errors
    /// As [`Folder::manifest`].
    pub fn claimed(&self, generation: u64) -> Result<Manifest, BackupError> {
        Ok(self.read_manifest(generation)?.manifest)
    }

    /// The parts of a generation whose manifest was verified.
    pub(crate) fn index(&self, manifest: &Manifest) -> Result<Index, BackupError> {
        let part = index_name(manifest.generation);
        let bytes = self.read(&part, manifest.index_bytes.min(INDEX_MAX_BYTES))?;
        if sha256(&bytes) != manifest.index_sha256 {
            return Err(BackupError::damaged(part, "it was changed or swapped"));
        }
        let text = String::from_utf8(bytes).ok();
        let index = text.and_then(|text| Index::parse(&text));
        index.ok_or_else(|| BackupError::damaged(part, "it is not an index"))
    }

    /// A part as it lies there, at most `limit` bytes and one; a longer one is damaged.
    pub(crate) fn read(&self, part: &str, limit: u64) -> Result<Vec<u8>, BackupError> {
        let path = self.root.join(part);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::MissingPart(part.to_owned()));
            }
            Err(error) => return Err(BackupError::file(&path)(error)),
        };
        let length = file.metadata().map_err(BackupError::file(&path))?.len();
        // One byte more, so that the end is found without making room again.
        let room = length.min(limit).saturating_add(1);
        let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(BackupError::file(&path))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) {
            return Ok(bytes);
        }
        Err(BackupError::damaged(part, "it is longer than it was"))
    }

    /// A part whose digest is `sha256`.
    pub(crate) fn read_part(&self, sha: &[u8; 32], bytes: u64) -> Result<Vec<u8>, BackupError> {
        let part = part_name(sha);
        let read = self.read(&part, bytes)?;
        if u64::try_from(read.len()) != Ok(bytes) {
            return Err(BackupError::damaged(part, "it was cut"));
        }
        if sha256(&read) != *sha {
            return Err(BackupError::damaged(part, "it was changed or swapped"));
        }
        Ok(read)
    }

    /// Whether a part of this length lies there.
    pub(crate) fn has_part(&self, sha: &[u8; 32], bytes: u64) -> bool {
        let facts = fs::metadata(self.root.join(part_name(sha)));
        facts.is_ok_and(|facts| facts.is_file() && facts.len() == bytes)
    }

    /// Writes a part; it is durable once the file system was synced.
    pub(crate) fn write_part(&self, bytes: &[u8]) -> Result<[u8; 32], BackupError> {
        let sha = sha256(bytes);
        let path = self.root.join(part_name(&sha));
        let write = |path: &Path| -> io::Result<()> {
            let mut open = OpenOptions::new();
            open.create(true).truncate(true).write(true).mode(FILE_MODE);
            open.open(path)?.write_all(bytes)
        };
        let written = match write(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(path.parent().unwrap_or(&self.root))?;
                write(&path)
            }
            other => other,
        };
        written.map_err(BackupError::file(&path))?;
        Ok(sha)
    }

    /// Makes a generation exist: everything written before, then its index, then its manifest.
    pub(crate) fn finish(
        &self,
        generation: u64,
        index: &str,
        manifest: &Note,
    ) -> Result<(), BackupError> {
        let index_path = self.root.join(index_name(generation));
        fs::write(&index_path, index).map_err(BackupError::file(&index_path))?;
        labward_os::sync_file_system(&self.root)?;
        let path = self.root.join(manifest_name(generation));
        Ok(create_durably(
            &path,
            manifest.to_string().as_bytes(),
            FILE_MODE,
        )?)
    }

    /// Removes all but the newest `keep` generations, and every part that none of these needs;
    /// whether that was possible.
    pub(crate) fn sweep(&self, keep: usize, key: &BackupKey) -> Result<bool, BackupError> {
        let mut generations = self.generations()?;
        let kept = generations.split_off(generations.len().saturating_sub(keep.max(1)));
        let mut needed = HashSet::new();
        for generation in &kept {
            let read = self
                .manifest(*generation, &Trust::Key(key))
                .and_then(|manifest| self.index(&manifest));
            match read {
                Ok(index) => needed.extend(index.digests()),
                // What it needs is not known, so nothing may go.
                Err(error) => {
                    tracing::warn!(generation, error = %error, "old backups are kept: a generation cannot be read");
                    return Ok(false);
                }
            }
        }
        for generation in generations {
            // The manifest first: what has none does not exist.
            self.remove(&manifest_name(generation))?;
        }
        sync_folder(&self.root.join(GENERATIONS))?;
        for name in self.names_of_generations()? {
            let number = name
                .strip_suffix(MANIFEST_ENDING)
                .or_else(|| name.strip_suffix(INDEX_ENDING))
                .and_then(|number| number.parse().ok());
            if number.is_none_or(|number: u64| !kept.contains(&number)) {
                self.remove(&format!("{GENERATIONS}/{name}"))?;
            }
        }
        self.sweep_parts(&needed)?;
        Ok(true)
    }

    fn sweep_parts(&self, needed: &HashSet<[u8; 32]>) -> Result<(), BackupError> {
        let root = self.root.join(PARTS);
        for folder in entries(&root)? {
            for path in entries(&folder)? {
                let name = path.file_name().and_then(|name| name.to_str());
                let sha = name.and_then(hex::decode::<32>);
                if sha.is_none_or(|sha| !needed.contains(&sha)) {
                    fs::remove_file(&path).map_err(BackupError::file(&path))?;
                }
            }
        }
        Ok(())
    }

    fn remove(&self, part: &str) -> Result<(), BackupError> {
        let path = self.root.join(part);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(BackupError::file(&path)(error))
            }
            _ => Ok(()),
        }
    }

    fn read_manifest(&self, generation: u64) -> Result<Unverified, BackupError> {
        let part = manifest_name(generation);
        let limit = u64::try_from(labward_ledger::note::NOTE_MAX_BYTES).unwrap_or(u64::MAX);
        let bytes = match self.read(&part, limit) {
            Err(BackupError::MissingPart(_)) => return Err(BackupError::None(self.root.clone())),
            read => read?,
        };
        // Asked of the raw text: a newer format may have another shape around it.
        if let Some(Err(NoManifest::Newer)) = std::str::from_utf8(&bytes).ok().map(Manifest::parse)
        {
            return Err(BackupError::Newer(part));
        }
        let damaged = |what| BackupError::damaged(&part, what);
        let note = Note::parse(&bytes).map_err(|_| damaged("it is not a signed text"))?;
        let parsed = Manifest::parse(note.unverified_text());
        let (manifest, mac) = parsed.map_err(|_| damaged("it is not a manifest"))?;
        Ok(Unverified {
            manifest,
            mac,
            note,
        })
    }

    fn names_of_generations(&self) -> Result<Vec<String>, BackupError> {
        let paths = entries(&self.root.join(GENERATIONS))?;
        let name = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
        Ok(paths.iter().filter_map(name).collect())
    }
}

fn bad_marker() -> BackupError {
    BackupError::damaged(MARKER, "it is not the mark of a backup folder")
}

/// Whose backups a folder with this mark holds.
pub(crate) fn identity_of(marker: &str) -> Result<[u8; 32], BackupError> {
    let rest = marker.strip_prefix(MARKER_FORMAT).ok_or_else(bad_marker)?;
    let (version, rest) = rest.split_once('\n').ok_or_else(bad_marker)?;
    if version != MARKER_VERSION && is_number(version) {
        return Err(BackupError::Newer(MARKER.to_owned()));
    }
    let identity = rest
        .strip_prefix("identity ")
        .and_then(|rest| hex::decode(rest.strip_suffix('\n')?))
        .filter(|_| version == MARKER_VERSION);
    identity.ok_or_else(bad_marker)
}

/// The mark of a folder for the backups of this installation.
pub(crate) fn marker_of(identity: &[u8; 32]) -> String {
    let identity = hex::encode(identity);
    format!("{MARKER_FORMAT}{MARKER_VERSION}\nidentity {identity}\n")
}

pub(crate) fn manifest_name(generation: u64) -> String {
    format!("{GENERATIONS}/{generation:08}{MANIFEST_ENDING}")
}

fn index_name(generation: u64) -> String {
    format!("{GENERATIONS}/{generation:08}{INDEX_ENDING}")
}

pub(crate) fn part_name(sha: &[u8; 32]) -> String {
    let name = hex::encode(sha);
    let folder = name.get(..2).unwrap_or_default();
    format!("{PARTS}/{folder}/{name}")
}

fn refuse_used(root: &Path) -> Result<(), BackupError> {
    const HARMLESS: [&str; 1] = ["lost+found"];
    let harmless = |path: &PathBuf| HARMLESS.iter().any(|name| path.ends_with(name));
    match entries(root)?.iter().all(harmless) {
        true => Ok(()),
        false => Err(BackupError::NotEmpty(root.to_owned())),
    }
}

pub(crate) fn make_folder(path: &Path) -> Result<(), BackupError> {
    let mut build = DirBuilder::new();
    build.mode(0o700).recursive(true);
    build.create(path).map_err(BackupError::file(path))
}

/// What lies in a folder; nothing if it is not there.
pub(crate) fn entries(path: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(path)?;
        entries.map(|entry| Ok(entry?.path())).collect()
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(BackupError::file(path)),
    }
}
