//! The edge's folder, and the identity in it.
//!
//! It must never hold a key that opens what the edge queued, or be readable by other accounts.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::{Secret, hex};
use labward_identity::{Identification, IdentityError};
use labward_ledger::Checkpoint;
use labward_seal::sign::SigningKey;
use labward_seal::{random_bytes, sha256};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use crate::error::EdgeError;

/// Nobody but the owner.
pub(crate) const PRIVATE: u32 = 0o600;

/// The places below one edge's folder; all of it is its owner's alone (mode 0700).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeFolder(PathBuf);

impl EdgeFolder {
    /// The folder at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.0.join("edge.toml")
    }

    /// Who the edge is: its key, its certificate, and whom it trusts.
    pub fn identity(&self) -> PathBuf {
        self.0.join("identity.json")
    }

    /// The key that waits for the next certificate.
    pub fn renewal(&self) -> PathBuf {
        self.0.join("renewal.json")
    }

    /// The queue and the ledger's rows.
    pub fn database(&self) -> PathBuf {
        self.0.join("db").join("edge.sqlite")
    }

    /// Tiles and checkpoints of the ledger.
    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    /// What the running edge said about itself last.
    pub fn status(&self) -> PathBuf {
        self.0.join("status.json")
    }

    /// The lock that the running edge holds.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Makes the folders that are not there yet.
    pub(crate) fn create(&self) -> Result<(), EdgeError> {
        for folder in [self.0.clone(), self.0.join("db"), self.ledger()] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(EdgeError::file(folder))?;
        }
        Ok(())
    }

    /// Takes the folder's lock, which the system frees when the process ends.
    pub(crate) fn take_lock(&self) -> Result<File, EdgeError> {
        let path = self.lock();
        let lock = labward_store::take_lock(&path).map_err(EdgeError::file(&path))?;
        lock.ok_or_else(|| EdgeError::Busy(self.0.clone()))
    }

    /// Whether an edge runs on this folder now.
    pub(crate) fn is_locked(&self) -> bool {
        let lock = File::open(self.lock());
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// What the queue and the ledger of an edge are known by, made once and kept when it enrols again.
#[derive(Clone)]
pub(crate) struct Roots {
    /// The number of the queue.
    pub(crate) queue: [u8; 16],
    seed: Secret<[u8; 32]>,
}

impl Roots {
    pub(crate) fn generate() -> Result<Self, EdgeError> {
        Ok(Self {
            queue: random_bytes()?,
            seed: Secret::new(random_bytes()?),
        })
    }

    /// The key that signs the ledger's checkpoints.
    pub(crate) fn signing_key(&self) -> Result<SigningKey, EdgeError> {
        Ok(SigningKey::from_seed(&self.seed)?)
    }

    /// The origin of the ledger: the edge has it before it has a name.
    pub(crate) fn origin(&self) -> String {
        let number = hex::encode(self.queue.get(..8).unwrap_or(&self.queue));
        Checkpoint::origin_of(&format!("edge-{number}"), 1)
    }
}

/// Who the edge is, and whom it trusts.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) roots: Roots,
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: Secret<String>,
    pub(crate) authority_pem: String,
    /// The server's public key for envelopes.
    pub(crate) seal_key: Vec<u8>,
}

/// The identity as it stands in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u8,
    name: String,
    queue: String,
    ledger_seed: String,
    certificate: String,
    key: String,
    authority: String,
    seal_key: String,
}

impl Identity {
    /// The identity in this folder; `None` if it holds none.
    pub(crate) fn load(folder: &EdgeFolder) -> Result<Option<Self>, EdgeError> {
        let path = folder.identity();
        let bytes = match fs::read(&path) {
            Ok(bytes) => Secret::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(EdgeError::file(path)(error)),
        };
        let damaged = || EdgeError::File {
            path: folder.identity(),
            source: io::ErrorKind::InvalidData.into(),
        };
        let stored: Stored = serde_json::from_slice(bytes.expose()).map_err(|_| damaged())?;
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| damaged());
        let roots = Roots {
            queue: decode(&stored.queue)?.try_into().map_err(|_| damaged())?,
            seed: Secret::new(
                decode(&stored.ledger_seed)?
                    .try_into()
                    .map_err(|_| damaged())?,
            ),
        };
        Ok(Some(Self {
            name: stored.name,
            roots,
            certificate_pem: stored.certificate,
            key_pem: Secret::new(stored.key),
            authority_pem: stored.authority,
            seal_key: decode(&stored.seal_key)?,
        }))
    }

    /// Writes it so that a power cut leaves the old one or this one.
    pub(crate) fn save(&self, folder: &EdgeFolder) -> Result<(), EdgeError> {
        let stored = Stored {
            version: 1,
            name: self.name.clone(),
            queue: STANDARD.encode(self.roots.queue),
            ledger_seed: STANDARD.encode(self.roots.seed.expose()),
            certificate: self.certificate_pem.clone(),
            key: self.key_pem.expose().clone(),
            authority: self.authority_pem.clone(),
            seal_key: STANDARD.encode(&self.seal_key),
        };
        let text = serde_json::to_vec_pretty(&stored).map(Secret::new);
        let text = text.map_err(|error| EdgeError::file(folder.identity())(error.into()))?;
        labward_os::write_durably(&folder.identity(), text.expose(), PRIVATE)?;
        Ok(())
    }

    /// The beginning of the SHA-256 of the key that envelopes are sealed to.
    pub(crate) fn key_id(&self) -> [u8; 8] {
        let digest = sha256(&self.seal_key);
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// The facts of its certificate.
    pub(crate) fn certificate(&self) -> Result<Identification, IdentityError> {
        Identification::from_pem(self.certificate_pem.as_bytes())
    }

    /// The certificate and key as TLS takes them, and the authority.
    pub(crate) fn tls(&self) -> Result<TlsParts, EdgeError> {
        let bad = |why| IdentityError::BadCertificate { why };
        let authority = CertificateDer::from_pem_slice(self.authority_pem.as_bytes());
        let chain = CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes());
        let chain: Result<Vec<_>, _> = chain.collect();
        Ok(TlsParts {
            authority: authority.map_err(|_| bad("the authority's is not in PEM form"))?,
            chain: chain.map_err(|_| bad("the edge's own is not in PEM form"))?,
            key: PrivateKeyDer::from_pem_slice(self.key_pem.expose().as_bytes())
                .map_err(|_| bad("the edge's key is not in PEM form"))?,
        })
    }
}

/// What a connection out needs.
pub(crate) struct TlsParts {
    pub(crate) authority: CertificateDer<'static>,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;
    use std::os::unix::fs::PermissionsExt as _;

    fn identity() -> Identity {
        Identity {
            name: "bench-1".to_owned(),
            roots: Roots::generate().unwrap(),
            certificate_pem: "certificate".to_owned(),
            key_pem: Secret::new("key".to_owned()),
            authority_pem: "authority".to_owned(),
            seal_key: vec![4; 65],
        }
    }

    #[test]
    fn an_identity_is_read_back_as_written_and_nobody_else_may_read_it() {
        let place = TempDir::new();
        let folder = EdgeFolder::new(place.join("edge"));
        folder.create().unwrap();
        assert!(Identity::load(&folder).unwrap().is_none());
        let made = identity();
        made.save(&folder).unwrap();
        let read = Identity::load(&folder).unwrap().unwrap();
        assert_eq!((read.name, read.seal_key), (made.name, made.seal_key));
        assert_eq!(read.roots.queue, made.roots.queue);
        assert_eq!(read.roots.origin(), made.roots.origin());
        assert_eq!(read.key_pem.expose(), made.key_pem.expose());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.identity()), 0o600);
        assert_eq!(mode(folder.root()), 0o700);
    }

    #[test]
    fn an_identity_that_was_cut_is_an_error_and_no_new_edge() {
        let place = TempDir::new();
        let folder = EdgeFolder::new(place.path());
        identity().save(&folder).unwrap();
        let text = fs::read(folder.identity()).unwrap();
        fs::write(folder.identity(), &text[..text.len() / 2]).unwrap();
        assert!(Identity::load(&folder).is_err());
    }

    #[test]
    fn one_folder_takes_one_edge() {
        let place = TempDir::new();
        let folder = EdgeFolder::new(place.path());
        assert!(!folder.is_locked());
        let lock = folder.take_lock().unwrap();
        assert!(folder.is_locked());
        assert!(matches!(folder.take_lock(), Err(EdgeError::Busy(_))));
        drop(lock);
        assert!(!folder.is_locked());
    }
}
