//! What was found in a file or an archive, on its way to the advisories; and the keys by which it is checked.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use labward_advisory::bundle::{Checks, HashCheck, Item, Kind, SignatureCheck, Trust};
use labward_advisory::integrity::{MinisignKey, PublicKey};
use labward_base::Timestamp;
use labward_threats::{Incoming, Intake, Integrity};

use crate::app::Core;

/// The keys that a person trusts.
pub(crate) struct Keys {
    publishers: Vec<PublicKey>,
    bundles: Vec<MinisignKey>,
}

impl Keys {
    /// Reads the configured files.
    ///
    /// # Errors
    /// Which file holds no key.
    pub(crate) fn read(core: &Core) -> Result<Self, String> {
        let config = core.config();
        let bytes = |path: &PathBuf| {
            let read = fs::read(path);
            read.map_err(|error| format!("{}: {error}", path.display()))
        };
        let no_key = |path: &PathBuf| format!("{}: no key", path.display());
        let mut keys = Self {
            publishers: Vec::new(),
            bundles: Vec::new(),
        };
        for path in &config.advisories.signing_keys {
            let key = PublicKey::parse(&bytes(path)?).map_err(|_| no_key(path))?;
            keys.publishers.push(key);
        }
        for path in &config.advisories.bundle_keys {
            let key = MinisignKey::parse(&bytes(path)?).map_err(|_| no_key(path))?;
            keys.bundles.push(key);
        }
        Ok(keys)
    }

    /// The fingerprints of the publishers' keys.
    pub(crate) fn fingerprints(&self) -> BTreeSet<String> {
        self.publishers.iter().map(PublicKey::fingerprint).collect()
    }

    /// What is asked of a signature now.
    pub(crate) fn checks(&self, now: Timestamp) -> Checks<'_> {
        Checks {
            keys: &self.publishers,
            bundle_keys: &self.bundles,
            now,
        }
    }
}

/// Takes a document in, if it is of a kind that is kept.
pub(crate) fn take(item: &Item<'_>, intake: &mut Intake) -> bool {
    if !is_kept(item) {
        return false;
    }
    let incoming = Incoming {
        file: item.name,
        bytes: item.bytes,
    };
    intake.take(incoming, &integrity(item));
    true
}

/// Whether it is of a kind that is kept; a bill of materials is attached to its device instead.
fn is_kept(item: &Item<'_>) -> bool {
    match item.kind {
        Kind::Csaf | Kind::Epss | Kind::Kev | Kind::OpenVex | Kind::Osv => true,
        Kind::CycloneDx => String::from_utf8_lossy(item.bytes).contains("\"vulnerabilities\""),
        Kind::Spdx => false,
    }
}

fn integrity(item: &Item<'_>) -> Integrity {
    let signed = |check: &SignatureCheck| match check {
        SignatureCheck::Good(signer) => Some(Ok(signer.key.clone())),
        _ => None,
    };
    Integrity {
        hash: match item.hash {
            HashCheck::Absent => None,
            HashCheck::Bad(_) => Some(false),
            HashCheck::Good => Some(true),
        },
        signature: match (item.trust(), item.signature) {
            (Trust::Refuted, SignatureCheck::Bad(_)) => Some(Err("it was changed")),
            (Trust::Refuted, _) if !matches!(item.hash, HashCheck::Bad(_)) => {
                Some(Err("the list of its bundle says otherwise"))
            }
            (_, SignatureCheck::Good(signer)) => Some(Ok(signer.key.clone())),
            (Trust::Signed, _) => item.manifest.and_then(|list| signed(&list.signature)),
            _ => None,
        },
    }
}
