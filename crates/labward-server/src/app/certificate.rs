//! The server's own certificate: issued anew in time, and shown without a connection being closed.
//!
//! It must never rest with its key in clear, or show a certificate whose issue is not recorded
//! (**Invariant:** no change without an entry). Key and certificate are one secret, so that no crash
//! parts them; the file in `tls/` is a copy for people. 45 CFR 164.312(e)(1).

use std::fs;
use std::sync::{Arc, PoisonError};

use labward_base::{Clock as _, Secret, Timestamp};
use labward_gateway::tls::{ServerIdentity, server_config};
use labward_identity::{
    Authority, DEFAULT_PEER_DAYS, Identification, IdentityError, Issued, Origin,
};
use labward_keys::{Keys, KeysError};
use labward_ledger::{Action, Facts, append};
use labward_store::Tx;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ground::server_identity;
use super::{Core, entry};
use crate::error::ServerError;
use crate::folder::{AUTHORITY_KEY, DataFolder, SERVER_KEY};
use crate::http::chain;
use crate::setup::server_names;

/// How long the server's own certificate lasts, in days.
pub(crate) const SERVER_DAYS: u32 = DEFAULT_PEER_DAYS;

/// A certificate that was issued and is not in force yet.
#[derive(Clone)]
pub(super) struct NewCertificate {
    issued: Arc<Issued>,
    names: Vec<String>,
    why: &'static str,
}

impl NewCertificate {
    /// What listeners and receivers are shown.
    pub(super) fn identity(&self) -> Result<ServerIdentity, ServerError> {
        let why = "what was issued cannot be read";
        let bad = |_| ServerError::Identity(IdentityError::BadCertificate { why });
        let bundle = &self.issued.bundle;
        let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes());
        Ok(ServerIdentity {
            chain: vec![certificate(&bundle.cert_pem).map_err(bad)?],
            key: PrivateKeyDer::from_pem_slice(bundle.key_pem.expose().as_bytes()).map_err(bad)?,
            authority: certificate(&bundle.ca_pem).map_err(bad)?,
        })
    }

    /// Puts it in the place of the present one, with its entry.
    pub(super) fn write(&self, tx: &mut Tx<'_>, keys: &Keys) -> Result<(), ServerError> {
        let bundle = &self.issued.bundle;
        let key = bundle.key_pem.expose();
        let mut secret = String::with_capacity(key.len() + bundle.cert_pem.len());
        secret.push_str(key);
        secret.push_str(&bundle.cert_pem);
        let secret = Secret::new(secret);
        keys.put_secret(tx, SERVER_KEY, secret.expose().as_bytes())?;
        let facts = &self.issued.identification;
        let facts = Facts::new()
            .texts("names", self.names.iter().map(String::as_str))
            .text("serial", &facts.serial)
            .hex("spki_sha256", &facts.spki_sha256)
            .text("not_after", facts.not_after.to_rfc3339())
            .text("because", self.why);
        append(tx, &entry(Action::CertificateRenewed).facts(facts))?;
        Ok(())
    }
}

/// The built-in authority, for as long as issuing takes.
pub(crate) fn authority(data: &DataFolder, keys: &Keys) -> Result<Authority, ServerError> {
    let path = data.authority_certificate();
    let certificate = fs::read_to_string(&path).map_err(ServerError::file(path))?;
    let key = keys.secret(AUTHORITY_KEY)?;
    let key = key.ok_or_else(|| KeysError::Damaged {
        what: "the authority's private key".to_owned(),
    })?;
    Ok(Authority::load(&certificate, key)?)
}

impl Core {
    /// The built-in authority, for as long as issuing takes.
    pub(crate) fn authority(&self) -> Result<Authority, ServerError> {
        authority(&self.data, &self.keys)
    }

    /// A certificate for these names, not in force yet.
    pub(super) fn new_certificate(
        &self,
        configured: &[String],
        why: &'static str,
    ) -> Result<NewCertificate, ServerError> {
        let names = server_names(configured);
        let now = self.clock.now();
        let issued = self.authority()?.issue_server(&names, now, SERVER_DAYS)?;
        Ok(NewCertificate {
            issued: Arc::new(issued),
            names,
            why,
        })
    }

    /// Until when the built-in authority's certificate is valid.
    pub(crate) fn authority_until(&self) -> Result<Timestamp, ServerError> {
        let path = self.data.authority_certificate();
        let pem = fs::read(&path).map_err(ServerError::file(path))?;
        Ok(Identification::from_pem(&pem)?.not_after)
    }

    /// The facts of the server's own certificate; none if none was issued.
    pub(crate) fn certificate(&self) -> Result<Option<Identification>, ServerError> {
        let Some(identity) = server_identity(self)? else {
            return Ok(None);
        };
        let first = identity.chain.first();
        let facts = first.map(|first| Identification::from_der(first, Origin::OwnCa));
        Ok(facts.transpose()?)
    }

    /// Renews the server's certificate if a third of its life or less is left, and shows it from
    /// the next handshake on, in and out; says whether it did.
    ///
    /// # Errors
    /// [`ServerError`]; the present one stays then.
    pub(crate) fn renew_certificate(&self) -> Result<bool, ServerError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(opened), Some(present)) = (self.opened(), self.certificate()?) else {
            return Ok(false);
        };
        let authority = self.authority()?;
        let authority = Identification::from_der(authority.certificate(), Origin::OwnCa)?;
        if !present.is_due(authority.not_after, self.clock.now()) {
            return Ok(false);
        }
        let why = "a third of its life was left";
        let new = self.new_certificate(&self.config().tls.names, why)?;
        let identity = new.identity()?;
        // Before it is recorded: what TLS does not take is not in force for a moment.
        server_config(&identity, &self.peers, Arc::clone(&self.clock))?;
        let keys = self.keys.clone();
        self.store.write(move |tx| new.write(tx, &keys))?;
        opened.gateway.show(&identity)?;
        opened.delivery.show(&identity)?;
        self.show_on_console(&identity)?;
        self.show_certificate_file();
        tracing::info!("the server's own certificate was renewed");
        Ok(true)
    }

    /// Writes the certificate in force to its file, for people and for `check`.
    pub(super) fn show_certificate_file(&self) {
        let written = self.keys.secret(SERVER_KEY).map_err(ServerError::from);
        let written = written.and_then(|secret| {
            let pem = secret.as_ref().and_then(|secret| certificate_in(secret));
            let path = self.data.server_certificate();
            match pem {
                Some(pem) if fs::read(&path).ok().as_deref() != Some(pem) => {
                    Ok(labward_os::write_durably(&path, pem, 0o600)?)
                }
                _ => Ok(()),
            }
        });
        if let Err(error) = written {
            tracing::warn!(error = %chain(&error), "the file of the server's certificate is not up to date");
        }
    }
}

/// The part of the secret behind the key, which is no secret.
fn certificate_in(secret: &Secret<Vec<u8>>) -> Option<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let bytes = secret.expose();
    let place = bytes.windows(BEGIN.len()).position(|part| part == BEGIN)?;
    bytes.get(place..)
}
