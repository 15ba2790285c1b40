//! Over mutual TLS, to known peers, and into files.

use age::x25519::Identity;
use labward_identity::{NewPeer, PeerRules};
use labward_ledger::Actor;

use super::bench::{Bench, SITE};
use super::delivered;
use super::receiver::{AA, Receiver};
use crate::delivery::{DeliveryError, DestinationState};

fn over_tls(port: u16, transport: &str) -> String {
    format!(
        "[[destinations]]\nname = \"ehr\"\n\
         [destinations.target]\nkind = \"mllp\"\naddress = \"localhost:{port}\"\n\
         {transport}\n[destinations.retry]\nfirst_ms = 10\nmax_ms = 50\n"
    )
}

fn start_with(bench: Bench, config: String) -> Bench {
    let mut bench = bench.with_config(config);
    bench.start();
    bench
}

#[test]
fn mutual_tls_reaches_the_receiver_of_our_authority_only() {
    let bench = Bench::new("");
    let (receiver, _) = Receiver::tls(&bench, |_, _| AA);
    let mut bench = start_with(bench, over_tls(receiver.address.port(), ""));
    bench.send(7);
    bench.wait("delivery", |bench| delivered(bench) == 1);
    let leaf = bench.leaves().pop().unwrap();
    let line = leaf.facts.get_text("line").unwrap().to_owned();
    assert!(
        line.starts_with("TLSv1_3 ") && line.ends_with(" X25519MLKEM768"),
        "{line}"
    );
    assert!(bench.delivery().findings().is_empty());

    // The same receiver under a name that its certificate does not have.
    bench.kill();
    let transport = "transport = { mode = \"mutual-tls\", server_name = \"elsewhere\" }";
    let mut bench = start_with(bench, over_tls(receiver.address.port(), transport));
    bench.send(7);
    bench.wait("down", |bench| {
        let state = bench.status().state;
        matches!(
            state,
            DestinationState::Down {
                reason: "gateway.untrusted-receiver",
                ..
            }
        )
    });
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_pinned_peer_is_reached_whatever_its_name_and_not_when_it_is_revoked() {
    let bench = Bench::new("");
    let (receiver, issued) = Receiver::tls(&bench, |_, _| AA);
    let new = NewPeer {
        name: "main-ehr".to_owned(),
        kind: labward_identity::PeerKind::Ehr,
        site: SITE,
        rules: PeerRules::admit_all(),
        authority: None,
        addresses: Vec::new(),
        identification: issued.identification,
    };
    let peer = bench.peers.add(new, Actor::System).unwrap();
    let transport = "transport = { mode = \"mutual-tls\", peer = \"main-ehr\" }";
    let config = over_tls(receiver.address.port(), transport).replace("localhost", "127.0.0.1");
    let mut bench = start_with(bench, config);
    bench.send(7);
    bench.wait("delivery", |bench| delivered(bench) == 1);
    bench.kill();
    bench.peers.revoke(peer.id, Actor::System).unwrap();
    bench.start();
    bench.send(7);
    bench.wait("down", |bench| {
        matches!(bench.status().state, DestinationState::Down { .. })
    });
    assert_eq!(receiver.count(), 1);
}

#[test]
fn a_file_drop_holds_each_message_for_its_recipient() {
    let identity = Identity::generate();
    let bench = Bench::new("");
    let folder = bench.folder.join("out");
    let config = format!(
        "[[destinations]]\nname = \"ehr\"\n[destinations.target]\nkind = \"file-drop\"\n\
         folder = {folder:?}\nrecipient = \"{}\"\n\
         [destinations.retry]\nfirst_ms = 10\nmax_ms = 50\n",
        identity.to_public()
    );
    let mut bench = start_with(bench, config);
    let record = bench.send(7);
    bench.wait("down", |bench| {
        let state = bench.status().state;
        matches!(
            state,
            DestinationState::Down {
                reason: "gateway.drop-failed",
                ..
            }
        )
    });
    std::fs::create_dir(&folder).unwrap();
    bench.wait("delivery", |bench| delivered(bench) == 1);
    let sealed = std::fs::read(folder.join(format!("{record}.hl7.age"))).unwrap();
    let opened = age::decrypt(&identity, &sealed).unwrap();
    assert!(opened.starts_with(b"MSH|^~\\&|LAB"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn what_could_never_work_is_refused_at_start() {
    for (config, rule) in [
        (
            "[[destinations]]\nname = \"ehr\"\n[destinations.target]\nkind = \"file-drop\"\n\
             folder = \"/x\"\nrecipient = \"age1nonsense\"\n",
            "age public key",
        ),
        (
            "[[destinations]]\nname = \"ehr\"\n[destinations.target]\nkind = \"mllp\"\n\
             address = \"localhost:1\"\ntransport = { mode = \"mutual-tls\", spki_sha256 = \"0\" }\n",
            "64 hexadecimal digits",
        ),
        (
            "[[destinations]]\nname = \"ehr\"\n[destinations.target]\nkind = \"mllp\"\n\
             address = \"localhost:1\"\ntransport = { mode = \"mutual-tls\", ca = \"/none\" }\n",
            "cannot be read as PEM",
        ),
    ] {
        let error = Bench::new(config).try_start().unwrap_err();
        assert!(matches!(error, DeliveryError::Config { .. }));
        assert!(error.to_string().contains(rule), "{error}");
    }
}
