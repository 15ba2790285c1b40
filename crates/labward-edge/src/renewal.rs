//! The edge's next certificate: a new key, a request over the line, and the change of both at once.
//!
//! It must never ask for a certificate before the key of it is synced to disk, ask for another key
//! while an answer may be on its way, or leave the folder without a working pair. The files change by
//! renaming: after a kill at any step the edge has its present key and certificate, or the next ones.
//!
//! | Step | On disk | Killed behind it, the next start |
//! |---|---|---|
//! | make the key | `renewal.json` | asks for the same key |
//! | ask; the server knows the next key | | asks for the same key, gets the same certificate |
//! | take the answer: entry, then rename | `identity.json` | uses the next certificate |
//! | clear away | no `renewal.json` | |

use std::fs;
use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::{Problem, Secret, Timestamp, problem};
use labward_identity::{Identification, IdentityError, KeyRequest, Origin};
use labward_ledger::{Action, Facts};
use labward_seal::sha256;
use labward_store::Store;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use crate::error::EdgeError;
use crate::folder::{EdgeFolder, Identity, PRIVATE};
use crate::run::record;

/// Time before the first new try, doubled with each up to [`MAX_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(60);
const MAX_WAIT: Duration = Duration::from_secs(3_600);

/// The renewal of one edge's certificate.
pub(crate) struct Renewal {
    folder: EdgeFolder,
    store: Store,
    wait: Duration,
    tried: Option<Timestamp>,
    fault: Option<&'static Problem>,
}

/// A key that waits for its certificate, as it stands in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pending {
    version: u8,
    /// SHA-256 of the certificate that it comes after, so that it never comes after another.
    after: String,
    key: String,
    request: String,
}

impl Renewal {
    /// The renewal in `folder`, with entries in `store`.
    pub(crate) const fn new(folder: EdgeFolder, store: Store) -> Self {
        Self {
            folder,
            store,
            wait: FIRST_WAIT,
            tried: None,
            fault: None,
        }
    }

    /// Why the last try brought nothing.
    pub(crate) const fn fault(&self) -> Option<&'static Problem> {
        self.fault
    }

    /// The request for the next certificate, if it is time to ask: its key is durable.
    ///
    /// # Errors
    /// [`EdgeError`]; it is tried again later then.
    pub(crate) fn request(
        &mut self,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, EdgeError> {
        if !self.is_due(identity, now)? {
            return Ok(None);
        }
        if self.tried.replace(now).is_some() {
            self.wait = (self.wait * 2).min(MAX_WAIT);
        }
        let pending = match self.pending(identity)? {
            Some(pending) => pending,
            None => {
                let made = KeyRequest::generate()?;
                self.save(identity, &made)?;
                made
            }
        };
        Ok(Some(pending.request))
    }

    fn is_due(&self, identity: &Identity, now: Timestamp) -> Result<bool, EdgeError> {
        // A clock that was set back puts nothing off for longer than a wait.
        let rests = |tried: Timestamp| tried <= now && now.since(tried) < self.wait;
        if self.tried.is_some_and(rests) {
            return Ok(false);
        }
        let authority = authority(identity)?;
        let authority = Identification::from_der(&authority, Origin::OwnCa)?;
        Ok(identity.certificate()?.is_due(authority.not_after, now))
    }

    /// Puts what the server issued in the place of `identity`'s certificate, and its key with it.
    ///
    /// # Errors
    /// [`IdentityError::BadCertificate`] if it is not for the key that was asked for, or the
    /// authority did not issue it; [`EdgeError`]. The present pair stays then.
    pub(crate) fn take(
        &mut self,
        identity: &mut Identity,
        certificate: String,
        now: Timestamp,
    ) -> Result<(), EdgeError> {
        let pending = self.pending(identity)?.ok_or(NOTHING_ASKED)?;
        let issued = pending.check_issued(&certificate, &authority(identity)?, now)?;
        let facts = Facts::new()
            .text("serial", issued.serial.as_str())
            .hex("spki_sha256", &issued.spki_sha256)
            .text("not_after", issued.not_after.to_rfc3339())
            .text("because", "a third of its life was left");
        // Before the change: killed in between, the edge asks again and writes it again.
        record(&self.store, Action::CertificateRenewed, facts)?;
        let mut next = identity.clone();
        next.certificate_pem = certificate;
        next.key_pem = pending.key_pem;
        next.save(&self.folder)?;
        *identity = next;
        self.clear_away(identity)?;
        (self.wait, self.tried, self.fault) = (FIRST_WAIT, None, None);
        Ok(())
    }

    /// Remembers why there is none; it is tried again later.
    pub(crate) fn put_off(&mut self, fault: &'static Problem) {
        if self.fault != Some(fault) {
            tracing::warn!(
                code = fault.code,
                "the edge's certificate is not renewed yet: {}",
                fault.what
            );
        }
        self.fault = Some(fault);
    }

    /// Removes a key that comes after another certificate than the present one: that has been
    /// renewed, or the edge was enrolled again.
    ///
    /// # Errors
    /// [`EdgeError::File`].
    pub(crate) fn clear_away(&self, identity: &Identity) -> Result<(), EdgeError> {
        if self.pending(identity)?.is_some() {
            return Ok(());
        }
        let path = self.folder.renewal();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EdgeError::file(path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The key that waits for the certificate after the present one; one that cannot be read is none.
    fn pending(&self, identity: &Identity) -> Result<Option<KeyRequest>, EdgeError> {
        let path = self.folder.renewal();
        let bytes = match fs::read(&path) {
            Ok(bytes) => Secret::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(EdgeError::file(path)(error)),
        };
        let pending: Option<Pending> = serde_json::from_slice(bytes.expose()).ok();
        let pending = pending.filter(|one| one.version == 1 && one.after == after(identity));
        Ok(pending.and_then(|pending| {
            Some(KeyRequest {
                request: STANDARD.decode(&pending.request).ok()?,
                key_pem: Secret::new(pending.key),
            })
        }))
    }

    fn save(&self, identity: &Identity, made: &KeyRequest) -> Result<(), EdgeError> {
        let path = self.folder.renewal();
        let pending = Pending {
            version: 1,
            after: after(identity),
            key: made.key_pem.expose().clone(),
            request: STANDARD.encode(&made.request),
        };
        let text = serde_json::to_vec_pretty(&pending).map(Secret::new);
        // Wiped.
        drop(Secret::new(pending.key));
        let text = text.map_err(|error| EdgeError::file(&path)(error.into()))?;
        labward_os::write_durably(&path, text.expose(), PRIVATE)?;
        Ok(())
    }
}

const NOTHING_ASKED: EdgeError = EdgeError::Refused(&problem::EDGE_NOT_SPOKEN);

fn authority(identity: &Identity) -> Result<CertificateDer<'static>, IdentityError> {
    CertificateDer::from_pem_slice(identity.authority_pem.as_bytes()).map_err(|_| {
        IdentityError::BadCertificate {
            why: "the authority's is not in PEM form",
        }
    })
}

/// What names the certificate that a pending key comes after.
fn after(identity: &Identity) -> String {
    STANDARD.encode(sha256(identity.certificate_pem.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Roots;
    use crate::run::tests::open_store;
    use labward_base::Clock as _;
    use labward_identity::{Authority, PeerKind};
    use labward_testkit::{FakeClock, TempDir};
    use std::sync::Arc;

    const DAY: Duration = Duration::from_secs(86_400);

    /// A folder with an edge whose certificate is due.
    struct Due {
        clock: FakeClock,
        authority: Authority,
        folder: EdgeFolder,
        store: Store,
        identity: Identity,
        _places: [TempDir; 2],
    }

    impl Due {
        fn new() -> Self {
            let clock = FakeClock::default();
            let places = [TempDir::new(), TempDir::new()];
            let authority = Authority::create("Lab", clock.now()).unwrap().authority;
            let made = KeyRequest::generate().unwrap();
            let mut due = Self {
                folder: EdgeFolder::new(places[0].path()),
                store: open_store(&places[1], &Arc::new(clock.clone())),
                identity: Identity {
                    name: "bench-1".to_owned(),
                    roots: Roots::generate().unwrap(),
                    certificate_pem: String::new(),
                    key_pem: made.key_pem,
                    authority_pem: authority.certificate_pem().to_owned(),
                    seal_key: vec![4; 65],
                },
                clock,
                authority,
                _places: places,
            };
            due.identity.certificate_pem = due.issue(&made.request);
            due.identity.save(&due.folder).unwrap();
            due.clock.advance(DAY * 20);
            due
        }

        fn issue(&self, request: &[u8]) -> String {
            let now = self.clock.now();
            let kind = PeerKind::Edge;
            let issued = self
                .authority
                .issue_for_request("bench-1", kind, request, now, 30);
            issued.unwrap().cert_pem
        }

        /// As after a kill: what stands on the disk.
        fn restart(&mut self) -> Renewal {
            self.identity = Identity::load(&self.folder).unwrap().unwrap();
            let renewal = Renewal::new(self.folder.clone(), self.store.clone());
            renewal.clear_away(&self.identity).unwrap();
            renewal
        }

        fn request(&self, renewal: &mut Renewal) -> Option<Vec<u8>> {
            let now = self.clock.now();
            renewal.request(&self.identity, now).unwrap()
        }

        /// Key and certificate belong together, and TLS takes them.
        fn is_a_working_pair(&self) -> bool {
            let parts = self.identity.tls().unwrap();
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            rustls::sign::CertifiedKey::from_der(parts.chain, parts.key, &provider)
                .and_then(|pair| pair.keys_match())
                .is_ok()
        }
    }

    #[test]
    fn at_whatever_step_it_is_killed_it_has_a_working_pair_and_asks_for_the_same_key() {
        let mut due = Due::new();
        let mut renewal = due.restart();
        let first = due.request(&mut renewal).unwrap();
        let mut renewal = due.restart();
        assert_eq!(due.request(&mut renewal).unwrap(), first);
        assert!(due.is_a_working_pair());
        // Killed between the change and the clearing away: the key that waited is the present one.
        let pending = fs::read(due.folder.renewal()).unwrap();
        let certificate = due.issue(&first);
        let now = due.clock.now();
        renewal
            .take(&mut due.identity, certificate.clone(), now)
            .unwrap();
        assert!(!due.folder.renewal().exists());
        fs::write(due.folder.renewal(), pending).unwrap();
        let mut renewal = due.restart();
        assert_eq!(due.identity.certificate_pem, certificate);
        assert!(due.is_a_working_pair());
        assert!(!due.folder.renewal().exists());
        assert_eq!(due.request(&mut renewal), None, "it is not due any more");
        due.clock.advance(DAY * 20);
        assert_ne!(due.request(&mut renewal).unwrap(), first, "a new key");
    }

    #[test]
    fn what_is_not_for_its_key_or_not_of_its_authority_changes_nothing() {
        let mut due = Due::new();
        let mut renewal = due.restart();
        let present = due.identity.certificate_pem.clone();
        let now = due.clock.now();
        let other = due.issue(&KeyRequest::generate().unwrap().request);
        // Nobody asked.
        assert!(renewal.take(&mut due.identity, other.clone(), now).is_err());
        let asked = due.request(&mut renewal).unwrap();
        let foreign = Authority::create("Other", now).unwrap().authority;
        let foreign = foreign.issue_for_request("bench-1", PeerKind::Edge, &asked, now, 30);
        for wrong in [other, foreign.unwrap().cert_pem, String::new()] {
            assert!(renewal.take(&mut due.identity, wrong, now).is_err());
            assert_eq!(due.identity.certificate_pem, present);
            due.restart();
            assert_eq!(due.identity.certificate_pem, present);
        }
        assert!(due.is_a_working_pair());
    }

    #[test]
    fn a_key_that_cannot_be_read_or_comes_after_another_certificate_is_made_anew() {
        let mut due = Due::new();
        let mut renewal = due.restart();
        let first = due.request(&mut renewal).unwrap();
        let whole = fs::read(due.folder.renewal()).unwrap();
        fs::write(due.folder.renewal(), &whole[..whole.len() / 2]).unwrap();
        let mut renewal = due.restart();
        assert!(!due.folder.renewal().exists());
        let second = due.request(&mut renewal).unwrap();
        assert_ne!(second, first);
        // It was enrolled again meanwhile.
        let made = KeyRequest::generate().unwrap();
        due.identity.certificate_pem = due.issue(&made.request);
        due.identity.key_pem = made.key_pem;
        due.identity.save(&due.folder).unwrap();
        let mut renewal = due.restart();
        assert!(!due.folder.renewal().exists());
        due.clock.advance(DAY * 20);
        assert_ne!(due.request(&mut renewal).unwrap(), second);
    }

    #[test]
    fn tries_grow_apart_to_an_hour_and_begin_anew_when_one_succeeds() {
        let mut due = Due::new();
        let mut renewal = due.restart();
        let begin = due.clock.now();
        let mut tries = Vec::new();
        while tries.len() < 10 {
            if due.request(&mut renewal).is_some() {
                tries.push(due.clock.now().since(begin).as_secs() / 60);
                renewal.put_off(&problem::EDGE_RENEWAL_EARLY);
            }
            due.clock.advance(Duration::from_secs(60));
        }
        assert_eq!(tries, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
        assert_eq!(renewal.fault(), Some(&problem::EDGE_RENEWAL_EARLY));
        // A clock that was set back puts nothing off.
        due.clock.set(begin);
        let asked = due.request(&mut renewal).unwrap();
        let (certificate, now) = (due.issue(&asked), due.clock.now());
        renewal.take(&mut due.identity, certificate, now).unwrap();
        assert_eq!(renewal.fault(), None);
        due.clock.advance(DAY * 20);
        assert!(due.request(&mut renewal).is_some());
        due.clock.advance(Duration::from_secs(60));
        assert!(due.request(&mut renewal).is_some());
    }
}
