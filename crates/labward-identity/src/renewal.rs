//! A peer asks for its next certificate itself, over the line that its present one opened.
//!
//! It must never issue for another name than that of the peer which asks, for a key whose private
//! half nobody showed to be held, or let go of the key before while the peer may not have heard of
//! the new one. A request that is repeated gets the same certificate again: its answer may have been
//! lost. 45 CFR 164.312(d).

use std::sync::Arc;
use std::time::Duration;

use labward_base::id::PeerId;
use labward_base::{Problem, Timestamp, problem};
use labward_ledger::{Action, Actor};
use rcgen::PublicKeyData as _;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;

use crate::certificate::sha256;
use crate::enrolment::requested_key;
use crate::{
    Authority, Enrolled, Identification, IdentityError, KeyRequest, Origin, Peer, Peers,
    PreviousKey, store,
};

/// How long the key before a renewal is still accepted, if its certificate lasts that long.
pub const RENEWAL_OVERLAP: Duration = Duration::from_secs(14 * 86_400);

/// A peer's request for its next certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalRequest {
    /// The peer that the line belongs to.
    pub peer: PeerId,
    /// The certificate that opened the line.
    pub shown: Identification,
    /// The request (PKCS #10, DER): what it says besides its key counts for nothing.
    pub request: Vec<u8>,
}

impl Peers {
    /// Gives a peer that asks for it its next certificate (PEM), for as many days as the present one,
    /// with an entry whose actor is the peer.
    ///
    /// The key before is accepted as after [`Peers::renew`]. Asked again for the same key, it gives
    /// the same certificate and writes nothing.
    ///
    /// # Errors
    ///
    /// [`IdentityError::RenewalRefused`] if the present one is not due or the key is not the peer's
    /// next one; [`IdentityError::PeerRevoked`], [`IdentityError::NoPeer`],
    /// [`IdentityError::BadCertificate`] if the request is not sound, [`IdentityError::PeerExists`] if
    /// the key is another peer's; [`IdentityError::Signing`], [`IdentityError::Store`].
    pub fn renew_by_request(
        &self,
        authority: &Authority,
        asked: &RenewalRequest,
        now: Timestamp,
    ) -> Result<String, IdentityError> {
        let key = sha256(&requested_key(&asked.request)?.subject_public_key_info());
        let peer = self
            .by_id(asked.peer)
            .ok_or(IdentityError::NoPeer(asked.peer))?;
        if !peer.is_active() {
            return Err(IdentityError::PeerRevoked(peer.id));
        }
        if peer.spki_sha256 == key {
            return peer.certificate.clone().ok_or(OTHER_KEY);
        }
        if peer.spki_sha256 != asked.shown.spki_sha256 || peer.origin != Origin::OwnCa {
            return Err(OTHER_KEY);
        }
        let own = Identification::from_der(authority.certificate(), Origin::OwnCa)?;
        if !asked.shown.is_due(own.not_after, now) {
            return Err(refused(&problem::EDGE_RENEWAL_EARLY));
        }
        let days = asked.shown.days();
        let issued =
            authority.issue_for_request(&peer.name, peer.kind, &asked.request, now, days)?;
        let Enrolled {
            cert_pem,
            identification,
            ..
        } = issued;
        let shown = asked.shown.spki_sha256;
        let certificate = cert_pem.clone();
        self.change(move |tx| {
            let mut peer = store::peer_by_id(tx, peer.id)?;
            if !peer.is_active() {
                return Err(IdentityError::PeerRevoked(peer.id));
            }
            if peer.spki_sha256 != shown {
                // Somebody else was faster: a person, or a copy of the peer.
                return Err(OTHER_KEY);
            }
            peer.take_over(&identification, now);
            peer.certificate = Some(certificate.clone());
            store::refuse_known_peer(tx, &peer)?;
            store::write_peer(tx, &peer, Action::PeerRenewed, Actor::Peer(peer.id))?;
            Ok(peer)
        })?;
        Ok(cert_pem)
    }
}

impl Peer {
    /// Is known by this certificate from now on, and by its key before for a while.
    pub(crate) fn take_over(&mut self, identification: &Identification, now: Timestamp) {
        if self.spki_sha256 != identification.spki_sha256 {
            self.previous = Some(PreviousKey {
                spki_sha256: self.spki_sha256,
                until: self.not_after.min(now.plus(RENEWAL_OVERLAP)),
            });
        }
        self.spki_sha256 = identification.spki_sha256;
        self.origin = identification.origin;
        self.serial.clone_from(&identification.serial);
        self.not_before = Some(identification.not_before);
        self.not_after = identification.not_after;
    }
}

impl KeyRequest {
    /// The facts of the certificate in `pem`, if `authority` issued it for the key of this request
    /// and it is in date at `now`.
    ///
    /// # Errors
    ///
    /// [`IdentityError::BadCertificate`].
    pub fn check_issued(
        &self,
        pem: &str,
        authority: &CertificateDer<'static>,
        now: Timestamp,
    ) -> Result<Identification, IdentityError> {
        let bad = |why| IdentityError::BadCertificate { why };
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| bad("what was issued is not in PEM form"))?;
        let facts = Identification::from_der(&der, Origin::OwnCa)?;
        let key = sha256(&requested_key(&self.request)?.subject_public_key_info());
        if facts.spki_sha256 != key {
            return Err(bad("what was issued is for another key"));
        }
        let not_ours = |_| bad("what was issued is not the authority's, or not in date");
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone()).map_err(not_ours)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|_| bad("the authority's cannot anchor trust"))?;
        let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        verifier
            .verify_client_cert(&der, &[], at)
            .map_err(not_ours)?;
        Ok(facts)
    }
}

/// The key is the present one, or the peer was renewed to another one before: by a copy of it, or
/// since it lost the key that it asked for first.
const OTHER_KEY: IdentityError = refused(&problem::EDGE_RENEWAL_KEY);

const fn refused(problem: &'static Problem) -> IdentityError {
    IdentityError::RenewalRefused(problem)
}
