//! What a machine peer is.
//!
//! A peer is known by its public key, never by what it says about itself.

use std::net::IpAddr;

use labward_base::Timestamp;
use labward_base::id::{PeerId, SiteId};

use crate::role::names;
use crate::{IdentityError, Pattern, PeerRules};

names! {
    /// What kind of machine or partner a peer is.
    PeerKind {
        /// An instrument of the lab.
        Analyzer = "analyzer",
        /// The laboratory information system.
        Lis = "lis",
        /// An electronic health record of the lab or a partner.
        Ehr = "ehr",
        /// A phlebotomy (blood-draw) site.
        DrawSite = "draw-site",
        /// An edge: Labward beside devices without TLS.
        Edge = "edge",
        /// A provider that orders tests and receives results.
        Provider = "provider",
        /// A public health authority that receives reportable results.
        PublicHealth = "public-health",
    }
}

names! {
    /// Who issued a peer's certificate.
    Origin {
        /// Another authority, or the peer itself: the public key alone is pinned.
        Foreign = "foreign",
        /// The built-in authority of this installation.
        OwnCa = "own-ca",
    }
}

names! {
    /// Whether a peer may connect.
    PeerState {
        /// It may.
        Active = "active",
        /// It may not, ever again.
        Revoked = "revoked",
    }
}

/// One machine peer as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its number.
    pub id: PeerId,
    /// Its name; unique, and never another peer's later.
    pub name: String,
    /// What it is.
    pub kind: PeerKind,
    /// The site it belongs to.
    pub site: SiteId,
    /// SHA-256 of its certificate's SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// Who issued its certificate.
    pub origin: Origin,
    /// The certificate's serial number in hex.
    pub serial: String,
    /// From when the certificate is valid; `None`: not known, of a peer from before this was kept.
    pub not_before: Option<Timestamp>,
    /// When the certificate ends.
    pub not_after: Timestamp,
    /// The certificate, PEM, if the peer asked for it itself: it may ask again, and gets this one.
    pub certificate: Option<String>,
    /// Whether it may connect.
    pub state: PeerState,
    /// What it may send.
    pub rules: PeerRules,
    /// The assigning authority of its patient identifiers where a message names none.
    pub authority: Option<String>,
    /// From where it may use a plain link; empty: from nowhere.
    pub addresses: Vec<IpAddr>,
    /// The key it had before its last renewal, good for a while so that the change needs no haste.
    pub previous: Option<PreviousKey>,
}

/// A peer's key from before its renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousKey {
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// Until when it is still accepted.
    pub until: Timestamp,
}

/// A peer to be added.
#[derive(Clone, Debug)]
pub struct NewPeer {
    /// Its name: letters, digits, `-`, `_` and `.`, 1 to 64.
    pub name: String,
    /// What it is.
    pub kind: PeerKind,
    /// The site it belongs to.
    pub site: SiteId,
    /// What it may send.
    pub rules: PeerRules,
    /// The assigning authority of its patient identifiers where a message names none.
    pub authority: Option<String>,
    /// From where it may use a plain link.
    pub addresses: Vec<IpAddr>,
    /// Its certificate, issued by [`Authority::issue_peer`](crate::Authority::issue_peer) or read by
    /// [`Identification::from_pem`](crate::Identification::from_pem).
    pub identification: crate::Identification,
}

/// What is changed about a peer; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerChange {
    /// Allowed sending applications (MSH-3).
    pub sending_applications: Option<Vec<Pattern>>,
    /// Allowed sending facilities (MSH-4).
    pub sending_facilities: Option<Vec<Pattern>>,
    /// Allowed message types (MSH-9).
    pub message_types: Option<Vec<Pattern>>,
    /// Allowed processing ids (MSH-11).
    pub processing_ids: Option<Vec<Pattern>>,
    /// Allowed ASTM senders (H-5).
    pub astm_senders: Option<Vec<Pattern>>,
    /// From where it may use a plain link.
    pub addresses: Option<Vec<IpAddr>>,
    /// The assigning authority of its patient identifiers where a message names none; an inner
    /// `None` takes it away.
    pub authority: Option<Option<String>>,
}

impl PeerChange {
    /// Makes the change in `peer`, and names what is now otherwise.
    pub(crate) fn apply(&self, peer: &mut Peer) -> Vec<&'static str> {
        let mut changed = Vec::new();
        let rules = &mut peer.rules;
        let lists = [
            (
                "applications",
                &self.sending_applications,
                &mut rules.sending_applications,
            ),
            (
                "facilities",
                &self.sending_facilities,
                &mut rules.sending_facilities,
            ),
            ("types", &self.message_types, &mut rules.message_types),
            (
                "processing",
                &self.processing_ids,
                &mut rules.processing_ids,
            ),
            ("astm_senders", &self.astm_senders, &mut rules.astm_senders),
        ];
        for (name, wanted, present) in lists {
            replace(name, wanted.as_ref(), present, &mut changed);
        }
        replace(
            "addresses",
            self.addresses.as_ref(),
            &mut peer.addresses,
            &mut changed,
        );
        replace(
            "authority",
            self.authority.as_ref(),
            &mut peer.authority,
            &mut changed,
        );
        changed
    }
}

fn replace<T: Clone + PartialEq>(
    name: &'static str,
    wanted: Option<&T>,
    present: &mut T,
    changed: &mut Vec<&'static str>,
) {
    if let Some(wanted) = wanted.filter(|wanted| *wanted != present) {
        present.clone_from(wanted);
        changed.push(name);
    }
}

impl Peer {
    /// Whether it may connect.
    pub fn is_active(&self) -> bool {
        self.state == PeerState::Active
    }

    /// Whether `spki_sha256` identifies it at `now`: its own key, or the one before until its end.
    pub fn holds_key(&self, spki_sha256: &[u8; 32], now: Timestamp) -> bool {
        self.spki_sha256 == *spki_sha256
            || self
                .previous
                .is_some_and(|key| key.spki_sha256 == *spki_sha256 && now <= key.until)
    }
}

/// Refuses names that are not 1 to 64 letters, digits, `-`, `_` or `.` of ASCII.
///
/// # Errors
///
/// [`IdentityError::NotAName`].
pub fn check_name(name: &str) -> Result<(), IdentityError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) || name.starts_with('.') {
        return Err(IdentityError::NotAName { what: "name" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_a_path_an_option_with_spaces_or_empty() {
        for name in ["", "..", ".x", "a/b", "a b", "ä", "x\n", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["cobas-1", "LIS", "a.b_c", &"x".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn kinds_are_read_back_as_written() {
        for kind in PeerKind::ALL {
            assert_eq!(kind.name().parse::<PeerKind>().unwrap(), *kind);
        }
        assert!("printer".parse::<PeerKind>().is_err());
    }
}
