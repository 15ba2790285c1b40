//! A peer that asks for its next certificate itself.

use super::*;
use crate::{KeyRequest, RenewalRequest};
use labward_base::problem;

/// An edge that enrolled for 30 days, of which 20 have passed.
struct Edge {
    lab: Lab,
    peer: Arc<Peer>,
    shown: Identification,
    old: Bundle,
}

impl Edge {
    fn due() -> Self {
        let lab = Lab::new();
        let (old, shown) = lab.issue("bench-1");
        let peer = lab.add("bench-1", shown.clone()).unwrap();
        lab.clock.advance(DAY * 20);
        Self {
            lab,
            peer,
            shown,
            old,
        }
    }

    fn ask(&self, shown: &Identification, made: &KeyRequest) -> Result<String, IdentityError> {
        let asked = RenewalRequest {
            peer: self.peer.id,
            shown: shown.clone(),
            request: made.request.clone(),
        };
        let Lab {
            peers,
            authority,
            clock,
            ..
        } = &self.lab;
        peers.renew_by_request(authority, &asked, clock.now())
    }

    /// Refused with this code, and nothing is otherwise than before.
    #[track_caller]
    fn is_refused(&self, shown: &Identification, made: &KeyRequest, code: &str) {
        let before = (self.lab.peers.list(), self.lab.entries());
        let refused = self.ask(shown, made).unwrap_err();
        assert_eq!(refused.problem().code, code);
        assert_eq!((self.lab.peers.list(), self.lab.entries()), before);
    }
}

fn made() -> KeyRequest {
    KeyRequest::generate().unwrap()
}

#[test]
fn a_peer_that_asks_gets_its_next_certificate_and_the_same_one_when_the_answer_was_lost() {
    let edge = Edge::due();
    let next = made();
    let first = edge.ask(&edge.shown, &next).unwrap();
    let again = edge.ask(&edge.shown, &next).unwrap();
    assert_eq!(again, first);
    let lab = &edge.lab;
    assert_eq!(lab.entries(), ["peer.added peer:1", "peer.renewed peer:1"]);
    let authority = lab.authority.certificate();
    let issued = next.check_issued(&first, authority, lab.clock.now());
    let issued = issued.unwrap();
    assert_eq!(issued.days(), 30, "as many days as before");
    let peer = lab.peers.by_name("bench-1").unwrap();
    assert_eq!(
        (peer.spki_sha256, peer.not_before, peer.not_after),
        (
            issued.spki_sha256,
            Some(issued.not_before),
            issued.not_after
        )
    );
    let previous = peer.previous.unwrap();
    assert_eq!(previous.spki_sha256, edge.shown.spki_sha256);
    assert_eq!(previous.until, edge.shown.not_after, "it lasts 10 days");
    let loaded = Peers::load(lab.store.clone()).unwrap();
    assert_eq!(loaded.list(), lab.peers.list());
    // Both open the line, and by the one before the same one may still be asked for.
    let bundle = Bundle {
        cert_pem: first.clone(),
        key_pem: next.key_pem.clone(),
        ca_pem: String::new(),
    };
    assert_eq!(lab.listen(Some(&bundle)).unwrap().id, peer.id);
    assert_eq!(lab.listen(Some(&edge.old)).unwrap().id, peer.id);
    lab.clock.advance(DAY * 9);
    assert_eq!(edge.ask(&edge.shown, &next).unwrap(), first);
}

#[test]
fn the_key_before_is_never_lost_to_a_second_request() {
    let edge = Edge::due();
    edge.ask(&edge.shown, &made()).unwrap();
    // A copy of the edge, or one that lost the key that it asked for.
    edge.is_refused(&edge.shown, &made(), "edge.renewal-key");
    let peer = edge.lab.peers.by_name("bench-1").unwrap();
    let previous = peer.previous.unwrap();
    assert_eq!(previous.spki_sha256, edge.shown.spki_sha256);
}

#[test]
fn what_is_early_not_sound_or_not_its_own_is_refused_and_changes_nothing() {
    let edge = Edge::due();
    let next = made();
    let bad = KeyRequest {
        request: next.request[1..].to_vec(),
        key_pem: next.key_pem.clone(),
    };
    edge.is_refused(&edge.shown, &bad, "identity.bad-certificate");
    let other = made();
    let issued = edge.lab.authority.issue_for_request(
        "other",
        PeerKind::Edge,
        &other.request,
        edge.lab.clock.now(),
        30,
    );
    let issued = issued.unwrap().identification;
    edge.lab.add("other", issued.clone()).unwrap();
    edge.is_refused(&edge.shown, &other, "identity.peer-exists");
    // The certificate of another opens no renewal of this one.
    edge.is_refused(&issued, &next, "edge.renewal-key");
    edge.lab.clock.set(edge.shown.not_before.plus(DAY * 20));
    edge.is_refused(&edge.shown, &next, "edge.renewal-early");
}

#[test]
fn the_present_key_is_no_next_one() {
    let lab = Lab::new();
    let present = made();
    let now = lab.clock.now();
    let issued =
        lab.authority
            .issue_for_request("bench-1", PeerKind::Edge, &present.request, now, 30);
    let shown = issued.unwrap().identification;
    let peer = lab.add("bench-1", shown.clone()).unwrap();
    lab.clock.advance(DAY * 20);
    let (old, _) = lab.issue("unused");
    let edge = Edge {
        lab,
        peer,
        shown,
        old,
    };
    edge.is_refused(&edge.shown, &present, "edge.renewal-key");
}

#[test]
fn a_revoked_peer_is_not_renewed() {
    let edge = Edge::due();
    edge.lab.peers.revoke(edge.peer.id, BY).unwrap();
    let code = problem::IDENTITY_PEER_REVOKED.code;
    edge.is_refused(&edge.shown, &made(), code);
}

#[test]
fn what_was_issued_is_taken_for_the_key_that_asked_from_the_own_authority_in_its_time_only() {
    let edge = Edge::due();
    let next = made();
    let pem = edge.ask(&edge.shown, &next).unwrap();
    let own = edge.lab.authority.certificate();
    let now = edge.lab.clock.now();
    assert!(next.check_issued(&pem, own, now).is_ok());
    assert!(made().check_issued(&pem, own, now).is_err(), "another key");
    let other = Authority::create("Other", now).unwrap().authority;
    let other = other.certificate();
    assert!(next.check_issued(&pem, other, now).is_err());
    let late = now.plus(DAY * 31);
    assert!(next.check_issued(&pem, own, late).is_err());
    let early = now.minus(DAY * 2);
    assert!(next.check_issued(&pem, own, early).is_err());
    for text in ["", "hello", &pem[..pem.len() / 2]] {
        assert!(next.check_issued(text, own, now).is_err(), "{text:?}");
    }
}
