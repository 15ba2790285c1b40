//! The folder of a witness: its key, the logs that it knows, what it cosigned last, evidence.
//!
//! | Place | Holds |
//! |---|---|
//! | `key` | the private key, for its owner alone |
//! | `key.pub` | the key that others get |
//! | `log/<SHA-256 of the origin>/keys` | the log's keys, one a line |
//! | `log/<SHA-256 of the origin>/checkpoint` | the latest that was cosigned; empty before the first |
//! | `evidence/` | two signed checkpoints of one log that do not fit, a file each |
//! | `lock` | held by the one process that serves it |
//!
//! It must never take a missing checkpoint for a log that was never cosigned: whoever removes the
//! file would get a second history cosigned.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use labward_base::{Secret, hex};
use labward_ledger::note::NOTE_MAX_BYTES;
use labward_ledger::{
    Contradiction, Cosigned, Cosigner, VerifierKey, WitnessKey, WitnessState, WitnessedLog,
};
use labward_os::{create_durably, sync_folder, write_durably};
use labward_seal::sha256;
use labward_seal::sign::SigningKey;

use super::{Shown, ShownLog, WitnessError};

/// Files of evidence that are kept; further ones are only logged.
const EVIDENCE_MAX: usize = 1_000;

/// Logs that a witness may know.
const LOGS_MAX: usize = 10_000;

/// The folder, with the key that what stands in it must be cosigned by.
#[derive(Clone, Debug)]
pub(super) struct WitnessFolder {
    root: PathBuf,
    key: WitnessKey,
}

impl WitnessFolder {
    /// Makes the folder, with a new key; the last file makes it a witness.
    pub(super) fn create(root: &Path, name: &str) -> Result<WitnessKey, WitnessError> {
        let key = SigningKey::generate().map_err(|_| labward_ledger::note::NoteError::NotMade)?;
        let cosigner = Cosigner::new(name, key)?;
        make_folder(root)?;
        let mut entries = fs::read_dir(root).map_err(WitnessError::file(root))?;
        if entries.next().is_some() {
            return Err(WitnessError::Exists(root.to_owned()));
        }
        for folder in ["log", "evidence"] {
            make_folder(&root.join(folder))?;
        }
        create_durably(
            &root.join("key"),
            cosigner.to_private_line().expose().as_bytes(),
            0o600,
        )?;
        let key = cosigner.verifier();
        create_durably(&root.join("key.pub"), format!("{key}\n").as_bytes(), 0o644)?;
        if let Some(above) = root.parent().filter(|above| above.is_dir()) {
            sync_folder(above)?;
        }
        Ok(key)
    }

    /// The witness in this folder.
    pub(super) fn open(root: &Path) -> Result<Self, WitnessError> {
        let path = root.join("key.pub");
        let Some(text) = read(&path)? else {
            return Err(WitnessError::NoWitness(root.to_owned()));
        };
        let key = String::from_utf8_lossy(&text).trim().parse();
        Ok(Self {
            root: root.to_owned(),
            key: key.map_err(|_| WitnessError::Damaged(path))?,
        })
    }

    /// Takes the lock, which the system frees when the process ends, however it does.
    pub(super) fn lock(&self) -> Result<File, WitnessError> {
        let path = self.root.join("lock");
        let lock = labward_store::take_lock(&path).map_err(WitnessError::file(&path))?;
        lock.ok_or_else(|| WitnessError::Busy(self.root.clone()))
    }

    /// The private key.
    pub(super) fn cosigner(&self) -> Result<Cosigner, WitnessError> {
        let path = self.root.join("key");
        let line = fs::read_to_string(&path).map_err(WitnessError::file(&path))?;
        let cosigner = Cosigner::from_private_line(&Secret::new(line));
        let cosigner = cosigner.map_err(|_| WitnessError::Damaged(path.clone()))?;
        match cosigner.verifier() == self.key {
            true => Ok(cosigner),
            false => Err(WitnessError::Damaged(path)),
        }
    }

    /// The key with which others verify what this witness cosigned.
    pub(super) const fn key(&self) -> &WitnessKey {
        &self.key
    }

    /// Lets a log be witnessed; a further key of a known origin is trusted beside the others.
    pub(super) fn add_log(&self, key: &VerifierKey) -> Result<bool, WitnessError> {
        let folder = self.log_folder(key.name());
        let known = self.keys(&folder)?;
        // Once, and never again: from then on a missing one is damage.
        if known.is_none() {
            make_folder(&folder)?;
            sync_folder(&self.root.join("log"))?;
            match create_durably(&folder.join("checkpoint"), b"", 0o600) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        let mut keys = known.unwrap_or_default();
        if keys.contains(key) {
            return Ok(false);
        }
        keys.push(key.clone());
        let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
        write_durably(&folder.join("keys"), lines.as_bytes(), 0o600)?;
        Ok(true)
    }

    /// What stands in the folder.
    pub(super) fn show(&self) -> Result<Shown, WitnessError> {
        let mut logs = Vec::new();
        for folder in list(&self.root.join("log"))?.into_iter().take(LOGS_MAX) {
            let Some(log) = self.read_log(&folder)? else {
                continue;
            };
            let origin = log.keys.first().map(|key| key.name().to_owned());
            logs.push(ShownLog {
                origin: origin.unwrap_or_default(),
                latest: log
                    .latest
                    .map(|latest| (latest.checkpoint.size, latest.cosignature.time)),
                keys: log.keys,
            });
        }
        logs.sort_by(|a, b| a.origin.cmp(&b.origin));
        Ok(Shown {
            key: self.key.clone(),
            logs,
            evidence: list(&self.root.join("evidence"))?,
        })
    }

    /// The latest checkpoint that was cosigned for the origin with this SHA-256, as a note.
    pub(super) fn latest(&self, origin_sha256: &str) -> Result<Option<String>, WitnessError> {
        let hex = origin_sha256.len() == 64
            && origin_sha256
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !hex {
            return Ok(None);
        }
        let log = self.read_log(&self.root.join("log").join(origin_sha256))?;
        Ok(log.and_then(|log| Some(log.latest?.note.to_string())))
    }

    /// Keeps two checkpoints that do not fit; the same pair is kept once.
    pub(super) fn keep_evidence(&self, found: &Contradiction) -> Result<PathBuf, WitnessError> {
        let text = found.to_string();
        let digest = hex::encode(&sha256(text.as_bytes()));
        let folder = self.root.join("evidence");
        let path = folder.join(format!("{}.txt", digest.get(..16).unwrap_or(&digest)));
        if list(&folder)?.len() < EVIDENCE_MAX {
            match create_durably(&path, text.as_bytes(), 0o600) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        Ok(path)
    }

    fn log_folder(&self, origin: &str) -> PathBuf {
        self.root
            .join("log")
            .join(hex::encode(&sha256(origin.as_bytes())))
    }

    fn keys(&self, folder: &Path) -> Result<Option<Vec<VerifierKey>>, WitnessError> {
        let path = folder.join("keys");
        let Some(bytes) = read(&path)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        let keys: Result<Vec<_>, _> = text.lines().map(str::parse).collect();
        match keys {
            Ok(keys) => Ok(Some(keys)),
            Err(_) => Err(WitnessError::Damaged(path)),
        }
    }

    fn read_log(&self, folder: &Path) -> Result<Option<WitnessedLog>, WitnessError> {
        let Some(keys) = self.keys(folder)? else {
            return Ok(None);
        };
        let path = folder.join("checkpoint");
        let damaged = || WitnessError::Damaged(path.clone());
        let note = read(&path)?.ok_or_else(damaged)?;
        let latest = match note.is_empty() {
            true => None,
            false => Some(Cosigned::open(&note, &self.key).map_err(|_| damaged())?),
        };
        let of_this_log = |latest: &Cosigned| {
            let origin = &latest.checkpoint.origin;
            keys.iter().all(|key| key.name() == origin)
                && keys.iter().any(|key| latest.note.verify(key).is_ok())
        };
        if !latest.as_ref().is_none_or(of_this_log) {
            return Err(damaged());
        }
        Ok(Some(WitnessedLog { keys, latest }))
    }
}

impl WitnessState for WitnessFolder {
    type Error = WitnessError;

    fn log(&self, origin: &str) -> Result<Option<WitnessedLog>, WitnessError> {
        self.read_log(&self.log_folder(origin))
    }

    fn save(&mut self, cosigned: &Cosigned) -> Result<(), WitnessError> {
        let path = self
            .log_folder(&cosigned.checkpoint.origin)
            .join("checkpoint");
        Ok(write_durably(
            &path,
            cosigned.note.to_string().as_bytes(),
            0o600,
        )?)
    }
}

fn make_folder(path: &Path) -> Result<(), WitnessError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(WitnessError::file(path)(error))
        }
        _ => Ok(()),
    }
}

/// The bytes of a small file; `None` if it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, WitnessError> {
    let most = u64::try_from(NOTE_MAX_BYTES).unwrap_or(u64::MAX);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(facts) if facts.len() > most => return Err(WitnessError::Damaged(path.to_owned())),
        _ => {}
    }
    fs::read(path).map(Some).map_err(WitnessError::file(path))
}

/// What stands in a folder, without what a crash left half written.
fn list(folder: &Path) -> Result<Vec<PathBuf>, WitnessError> {
    let fail = |error| WitnessError::file(folder)(error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(|error| WitnessError::file(folder)(error))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
