//! What the wiring takes from the data folder and the operating system.
//!
//! It must never let an unsealed key rest anywhere but where it is used.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use labward_base::Secret;
use labward_gateway::config::Framing;
use labward_gateway::tls::ServerIdentity;
use labward_identity::IdentityError;
use labward_keys::KeysError;
use labward_ledger::{Action, Facts, append, epochs};
use labward_seal::sign::SigningKey;
use labward_seal::slot::SlotKeyPair;
use labward_seal::{CryptoFailed, sha256};
use labward_store::StoreError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Core;
use crate::adapters::EdgeOpener;
use crate::error::ServerError;
use crate::folder::{DataFolder, EDGE_KEY, LEDGER_KEY, NODE, SERVER_KEY};
use crate::publish::Publishing;

/// Takes the data folder's lock, which the system frees when the process ends.
pub(super) fn take_lock(data: &DataFolder) -> Result<File, ServerError> {
    let path = data.lock();
    let lock = labward_store::take_lock(&path).map_err(ServerError::file(&path))?;
    lock.ok_or_else(|| ServerError::Busy(data.root().to_owned()))
}

/// Lets the group pass these folders on its way to the admin socket; it cannot list them.
pub(super) fn let_through(folders: &[&Path], group: u32) -> Result<(), ServerError> {
    folders.iter().try_for_each(|folder| {
        std::os::unix::fs::chown(folder, None, Some(group))
            .and_then(|()| fs::set_permissions(folder, Permissions::from_mode(0o710)))
            .map_err(ServerError::file(folder))
    })
}

/// The publisher under the origin of the ledger's present epoch, with the unsealed signing key.
pub(super) fn publishing(core: &Core) -> Result<Publishing, ServerError> {
    let (origin, key) = signer(core)?;
    let folder = core.data.ledger();
    Ok(Publishing::new(
        core.store.clone(),
        NODE,
        folder,
        &origin,
        key,
    )?)
}

/// The origin of the ledger's present epoch, and the unsealed key that signs under it.
pub(crate) fn signer(core: &Core) -> Result<(String, SigningKey), ServerError> {
    let origin = origin(core)?;
    let seed = core.keys.secret(LEDGER_KEY)?;
    let damaged = || KeysError::Damaged {
        what: "the seed of the ledger's signing key".to_owned(),
    };
    let seed = seed.ok_or_else(damaged)?;
    let seed: [u8; 32] = seed.expose().as_slice().try_into().map_err(|_| damaged())?;
    let key = SigningKey::from_seed(&Secret::new(seed))
        .map_err(|error: CryptoFailed| KeysError::Crypto(error))?;
    Ok((origin, key))
}

/// The origin of the ledger's present epoch.
fn origin(core: &Core) -> Result<String, StoreError> {
    let epochs = core.store.read(|snapshot| epochs(snapshot))?;
    let present = epochs.into_iter().next_back();
    Ok(present.map_or_else(|| core.config().ledger_origin(), |epoch| epoch.origin))
}

/// The server's certificate with its unsealed key; `None` if none was issued.
pub(crate) fn server_identity(core: &Core) -> Result<Option<ServerIdentity>, ServerError> {
    let Some(key) = core.keys.secret(SERVER_KEY)? else {
        return Ok(None);
    };
    let authority = read(&core.data.authority_certificate())?;
    let bad = |why| ServerError::Identity(IdentityError::BadCertificate { why });
    Ok(Some(ServerIdentity {
        chain: server_chain(core, key.expose())?,
        key: PrivateKeyDer::from_pem_slice(key.expose())
            .map_err(|_| bad("the server's key is not in PEM form"))?,
        authority: CertificateDer::from_pem_slice(&authority)
            .map_err(|_| bad("the authority's is not in PEM form"))?,
    }))
}

/// The server's certificate: beside its key if it was renewed, so that the two never part, else in
/// its file.
fn server_chain(core: &Core, key: &[u8]) -> Result<Vec<CertificateDer<'static>>, ServerError> {
    let why = "the server's own is not in PEM form";
    let bad = |_| ServerError::Identity(IdentityError::BadCertificate { why });
    let parse = |pem: &[u8]| CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let beside = parse(key).map_err(bad)?;
    if !beside.is_empty() {
        return Ok(beside);
    }
    parse(&read(&core.data.server_certificate())?).map_err(bad)
}

fn read(path: &Path) -> Result<Vec<u8>, ServerError> {
    fs::read(path).map_err(ServerError::file(path))
}

/// The key pair that edges seal to; made, with its entry, when a link for edges first needs one.
pub(super) fn edge_opener(core: &Core) -> Result<Option<Arc<EdgeOpener>>, ServerError> {
    let config = core.config();
    let links = &config.gateway.links;
    if !links.iter().any(|link| link.framing == Framing::Edge) {
        return Ok(None);
    }
    let damaged = || KeysError::Damaged {
        what: "the key pair of edges' envelopes".to_owned(),
    };
    let pair = match core.keys.secret(EDGE_KEY)? {
        Some(pair) => pair,
        None => {
            let made = SlotKeyPair::generate().map_err(KeysError::Crypto)?;
            let parts = [&made.private().expose()[..], made.public()];
            let pair = Secret::new(parts.concat());
            let (keys, secret) = (core.keys.clone(), pair.clone());
            let facts = Facts::new().hex("edge_key", &sha256(made.public()));
            let entry = super::entry(Action::ConfigLoaded).facts(facts);
            core.store.write(move |tx| -> Result<(), KeysError> {
                keys.put_secret(tx, EDGE_KEY, secret.expose())?;
                append(tx, &entry)?;
                Ok(())
            })?;
            pair
        }
    };
    let opener = EdgeOpener::of(pair.expose()).ok_or_else(damaged)?;
    Ok(Some(Arc::new(opener)))
}

/// The number of a group of the operating system, given by number or by its name.
pub(super) fn group_id(name: &str) -> Result<u32, ServerError> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let path = Path::new("/etc/group");
    let groups = fs::read_to_string(path).map_err(ServerError::file(path))?;
    let found = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    });
    found.ok_or_else(|| {
        let what = format!("there is no group {name}");
        ServerError::file(path)(io::Error::new(io::ErrorKind::NotFound, what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_known_by_its_number_or_its_name() {
        assert_eq!(group_id("0").unwrap(), 0);
        assert_eq!(group_id("root").unwrap(), 0);
        assert!(group_id("no-such-group-here").is_err());
    }
}
