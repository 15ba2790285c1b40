//! Mutual TLS: who gets in, with what, and what is remembered of those who do not.

use labward_identity::{Authority, PeerKind};
use labward_ledger::Actor;
use rustls::version::TLS12;

use super::oru;
use crate::testing::{Client, Lab};

#[tokio::test]
async fn tls_1_3_with_hybrid_key_exchange_is_preferred() {
    let lab = Lab::start();
    let client = lab.connect().await;
    assert_eq!(client.protection, "TLSv1_3 Some(X25519MLKEM768)");
}

#[tokio::test]
async fn tls_1_2_is_taken_with_ecdhe_and_aead() {
    let lab = Lab::start();
    let (_, address) = lab.gateway().local_addresses().remove(0);
    let authority = lab.authority.certificate();
    let bundle = Some(lab.bundle());
    let client = Client::tls_versions(address, authority, bundle, &[&TLS12]).await;
    assert_eq!(client.unwrap().exchange(&oru("1", "90")).await, "AA 1");
    let leaf = lab.leaves().pop().unwrap();
    let line = leaf.facts.get_text("line").unwrap();
    assert!(
        line.starts_with("TLSv1_2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM"),
        "{line}"
    );
}

#[tokio::test]
async fn a_plain_line_says_so_in_each_entry() {
    let lab = Lab::plain();
    assert_eq!(lab.connect().await.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(
        lab.leaves().pop().unwrap().facts.get_text("line"),
        Some("UNENCRYPTED")
    );
    let plain = lab.gateway().plain_exceptions();
    assert!(plain.len() == 1 && plain[0].loopback);
}

/// Tries to send a message; whether anything was answered.
async fn is_answered(client: std::io::Result<Client>) -> bool {
    // In TLS 1.3 a client may write before it learns that its certificate was refused.
    let Ok(mut client) = client else { return false };
    client
        .try_write(&labward_hl7::mllp::encode(&oru("1", "90")))
        .await;
    client.ack().await.is_some()
}

#[tokio::test]
async fn strangers_are_refused_in_the_handshake_and_recorded_together() {
    let mut lab = Lab::start();
    let (_, address) = lab.gateway().local_addresses().remove(0);
    let authority = lab.authority.certificate().clone();
    let now = labward_base::Clock::now(&*lab.clock);
    let unknown = lab
        .authority
        .issue_peer("nobody", PeerKind::Lis, now, 30)
        .unwrap();
    let elsewhere = Authority::create("Elsewhere", now).unwrap().authority;
    let foreign = elsewhere
        .issue_peer("chem-1", PeerKind::Analyzer, now, 30)
        .unwrap();
    for issued in [None, Some(unknown), Some(foreign)] {
        let bundle = issued.map(|issued| crate::testing::bundle_of(&issued.bundle));
        let client = Client::tls(address, &authority, bundle).await;
        assert!(!is_answered(client).await);
    }
    lab.wait(|lab| lab.gateway().status()[0].counts.refused == 3)
        .await;
    lab.gateway = None;
    lab.wait_for_entry("stranger.refused");
    assert_eq!(lab.actions(), ["stranger.refused"]);
    let leaf = lab.leaves().pop().unwrap();
    assert_eq!(leaf.facts.get_number("count"), Some(3));
    assert_eq!(leaf.facts.get_number("no-certificate"), Some(1));
    assert_eq!(leaf.facts.get_number("unknown-key"), Some(2));
}

#[tokio::test]
async fn a_revoked_peer_is_cut_off_at_its_next_message_and_not_let_in_again() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    let peer = lab.peers.by_name("chem-1").unwrap();
    lab.peers.revoke(peer.id, Actor::System).unwrap();
    client
        .try_write(&labward_hl7::mllp::encode(&oru("2", "90")))
        .await;
    assert_eq!(client.ack().await, None);
    let (_, address) = lab.gateway().local_addresses().remove(0);
    let again = Client::tls(address, lab.authority.certificate(), Some(lab.bundle())).await;
    assert!(!is_answered(again).await);
    assert_eq!(lab.sent.all().len(), 1);
}

#[tokio::test]
async fn a_link_may_be_kept_for_one_peer() {
    let lab = Lab::with_link(|link| link.peer = Some("another".to_owned()));
    let (_, address) = lab.gateway().local_addresses().remove(0);
    let client = Client::tls(address, lab.authority.certificate(), Some(lab.bundle())).await;
    assert!(!is_answered(client).await);
}
