//! What the tests of this room share: a lab with a real store, ledger and listeners, and clients.

mod client;
mod inspector;
mod lab;

pub(crate) use client::Client;
pub(crate) use inspector::{Inspector, Way, field, planted};
pub(crate) use lab::{Lab, LabOptions, PEER, bundle_of};

use labward_base::Timestamp;
use labward_base::id::{PeerId, SiteId};
use labward_identity::{Origin, Peer, PeerKind, PeerRules, PeerState};

/// A peer that may send nothing.
pub(crate) fn peer(name: &str) -> Peer {
    Peer {
        id: PeerId::new(1),
        name: name.to_owned(),
        kind: PeerKind::Analyzer,
        site: SiteId::new(1),
        spki_sha256: [0; 32],
        origin: Origin::OwnCa,
        serial: "01".to_owned(),
        not_before: None,
        not_after: Timestamp::from_seconds(4_000_000_000),
        certificate: None,
        state: PeerState::Active,
        rules: PeerRules::default(),
        authority: None,
        addresses: Vec::new(),
        previous: None,
    }
}
