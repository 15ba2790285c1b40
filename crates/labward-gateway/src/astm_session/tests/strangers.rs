//! Whoever speaks something else on an ASTM port.

use labward_astm::control::{ACK, ENQ};
use labward_ledger::Actor;

use super::{Device, delivered, frames_of, lab, lab_with, only_held, records};
use crate::reason::Reason;

fn framing() -> String {
    Reason::Framing.problem().code.to_owned()
}

#[tokio::test]
async fn tls_and_http_are_refused_at_once_and_recorded_together() {
    let mut lab = lab();
    for hello in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(Device::connect(&lab).await.ask(hello).await, None);
    }
    assert!(lab.actions().is_empty());
    lab.gateway().shutdown();
    lab.gateway = None;
    lab.wait_for_entry("stranger.refused");
    let leaf = lab.leaves().pop().unwrap();
    assert_eq!(leaf.facts.get_number("count"), Some(2));
    assert_eq!(leaf.facts.get_number("http"), Some(1));
    assert_eq!(leaf.facts.get_number("tls-on-plain-port"), Some(1));
}

#[tokio::test]
async fn junk_is_kept_for_a_person_and_the_connection_ends() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[b'x'; 2_000]).await, None);
    assert_eq!(only_held(&lab), (framing(), vec![b'x'; 1_024]));
}

#[tokio::test]
async fn mllp_is_kept_for_a_person_after_the_time_for_noise() {
    let lab = lab_with(|link| link.limits.noise_seconds = 1);
    let message = b"\x0bMSH|^~\\&|A|B\r\x1c\r";
    assert_eq!(Device::connect(&lab).await.ask(message).await, None);
    assert_eq!(only_held(&lab), (framing(), message.to_vec()));
}

#[tokio::test]
async fn a_line_that_only_makes_noise_is_closed_and_recorded() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    device.deliver(&frames_of(&records("H550", "90"))).await;
    assert_eq!(device.ask(&[b'x'; 2_000]).await, None);
    assert_eq!(lab.actions(), ["message.received", "message.refused"]);
}

#[tokio::test]
async fn a_revoked_peer_is_cut_off_at_its_next_byte() {
    let lab = lab();
    let mut device = Device::connect(&lab).await;
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    let peer = lab.peers.by_name("chem-1").unwrap();
    lab.peers.revoke(peer.id, Actor::System).unwrap();
    let frames = frames_of(&records("H550", "90"));
    assert_eq!(device.ask(&frames[0]).await, None);
    assert!(delivered(&lab).is_empty());
}
