//! The data folder: where everything of an installation lies, and what its secrets are called.
//!
//! It must never name a place for a key file: those never lie below the data folder
//! (**Invariant:** root-key slots do not live with the data).

use std::path::{Path, PathBuf};

use labward_base::id::{NodeId, SiteId};

/// The site of an installation of one site.
pub const SITE: SiteId = SiteId::new(1);
/// The node of an installation of one node.
pub const NODE: NodeId = NodeId::new(1);

/// The secret that holds the private key of the built-in authority: PKCS #8, DER.
pub const AUTHORITY_KEY: &str = "authority-key";
/// The secret that holds the private key of the server's certificate: PKCS #8, PEM.
pub const SERVER_KEY: &str = "server-key";
/// The secret that holds the seed of the ledger's signing key: 32 bytes.
pub const LEDGER_KEY: &str = "ledger-key";

/// The secret that holds the key pair of edges' envelopes: P-256, `private 32 ‖ public 65`.
pub const EDGE_KEY: &str = "edge-key";

/// The places below one data folder; all of it is its owner's alone (mode 0700).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The data folder at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.0.join("labward.toml")
    }

    /// The configuration while `init` is under way: no installation yet.
    pub fn unfinished_config(&self) -> PathBuf {
        self.0.join("labward.toml.unfinished")
    }

    /// Whether there is an installation, or what is left of one; not what an `init` left half made.
    pub fn is_set_up(&self) -> bool {
        let there = self.config().symlink_metadata().is_ok();
        there || (self.database().exists() && !self.unfinished_config().exists())
    }

    /// The database; its folder is `db`.
    pub fn database(&self) -> PathBuf {
        self.0.join("db").join("labward.sqlite")
    }

    /// The sealed files of large records.
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blob")
    }

    /// The sealed files of the quarantine.
    pub fn quarantine(&self) -> PathBuf {
        self.0.join("quarantine")
    }

    /// What only the scanner needs, made anew at each start; never what came in.
    pub fn malware(&self) -> PathBuf {
        self.0.join("malware")
    }

    /// Tiles and checkpoints of the ledger.
    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    /// The ledger's public key, as a C2SP verifier key in one line.
    pub fn ledger_public_key(&self) -> PathBuf {
        self.ledger().join("key.pub")
    }

    /// Checkpoints of this ledger that contradict each other, a file a witness.
    pub fn evidence(&self) -> PathBuf {
        self.ledger().join("evidence")
    }

    /// The certificates; no private key lies there.
    pub fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    /// The certificate of the built-in authority, PEM.
    pub fn authority_certificate(&self) -> PathBuf {
        self.tls().join("authority.pem")
    }

    /// The server's certificate, PEM.
    pub fn server_certificate(&self) -> PathBuf {
        self.tls().join("server.pem")
    }

    /// What exists only while the server runs.
    pub fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// The admin socket.
    pub fn socket(&self) -> PathBuf {
        self.run().join("admin.sock")
    }

    /// The lock that the running server holds.
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Room that was set aside for patient care on a full disk.
    pub fn reserve(&self) -> PathBuf {
        self.0.join("reserve")
    }

    /// The folders below this one, in the order in which they are made.
    pub fn subfolders(&self) -> [PathBuf; 5] {
        [
            self.0.join("db"),
            self.blobs(),
            self.ledger(),
            self.tls(),
            self.run(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_lies_below_the_data_folder() {
        let folder = DataFolder::new("/var/lib/labward");
        for path in [
            folder.config(),
            folder.database(),
            folder.ledger_public_key(),
            folder.authority_certificate(),
            folder.server_certificate(),
            folder.socket(),
            folder.lock(),
            folder.reserve(),
        ] {
            assert!(path.starts_with(folder.root()), "{}", path.display());
        }
        for path in folder.subfolders() {
            assert_eq!(path.parent(), Some(folder.root()));
        }
    }
}
