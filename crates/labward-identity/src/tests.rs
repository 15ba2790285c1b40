//! The claims about people and peers, on a real store with a real ledger and real handshakes.

mod engagement;
mod oidc;
mod passkey;
mod renewal;
mod sign_in;
mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use labward_base::id::{NodeId, PeerId, PersonId, SiteId};
use labward_base::{Clock, Timestamp};
use labward_ledger::{Actor, LedgerJournal};
use labward_store::{Migration, Options, Query, Store};
use labward_testkit::{FakeClock, TempDir};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, Error, ServerConfig, ServerConnection};

use crate::{
    Authority, Bundle, ExpectedServer, Identification, IdentityError, Language, NewPeer, NewPerson,
    Peer, PeerChange, PeerKind, PeerRules, Peers, People, Preferences, Role, Roles, Stranger,
    Theme, TlsTime, client_verifier, server_verifier,
};

const SITE: SiteId = SiteId::new(1);
const BY: Actor = Actor::System;
const DAY: Duration = Duration::from_secs(86_400);

struct Lab {
    _folder: TempDir,
    store: Store,
    clock: FakeClock,
    peers: Peers,
    people: People,
    authority: Authority,
    server: Bundle,
}

impl Lab {
    fn new() -> Self {
        let folder = TempDir::new();
        let clock = FakeClock::new(Timestamp::from_seconds(1_795_000_000));
        let migrations: Vec<Migration> = labward_ledger::MIGRATIONS
            .iter()
            .chain(crate::MIGRATIONS)
            .chain(crate::RENEWAL_MIGRATIONS)
            .chain(crate::SIGN_IN_MIGRATIONS)
            .chain(crate::TOKEN_MIGRATIONS)
            .chain(crate::PASSKEY_MIGRATIONS)
            .chain(crate::PROVIDER_MIGRATIONS)
            .chain(crate::ENGAGEMENT_MIGRATIONS)
            .copied()
            .collect();
        let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
        let options = Options::new(folder.join("labward.sqlite"));
        let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
        let authority = Authority::create("Test lab", clock.now())
            .unwrap()
            .authority;
        let names = ["labward.lab.example".to_owned()];
        let server = authority.issue_server(&names, clock.now(), 397).unwrap();
        Self {
            peers: Peers::load(store.clone()).unwrap(),
            people: People::load(store.clone(), SITE).unwrap(),
            _folder: folder,
            store,
            clock,
            authority,
            server: server.bundle,
        }
    }

    fn add(&self, name: &str, identification: Identification) -> Result<Arc<Peer>, IdentityError> {
        let new = NewPeer {
            name: name.to_owned(),
            kind: PeerKind::Analyzer,
            site: SITE,
            rules: PeerRules::admit_all(),
            authority: Some("LAB".to_owned()),
            addresses: vec!["10.0.0.7".parse().unwrap()],
            identification,
        };
        self.peers.add(new, BY)
    }

    fn issue(&self, name: &str) -> (Bundle, Identification) {
        let now = self.clock.now();
        let issued = self.authority.issue_peer(name, PeerKind::Analyzer, now, 30);
        let issued = issued.unwrap();
        (issued.bundle, issued.identification)
    }

    fn known(&self, name: &str) -> (Bundle, Arc<Peer>) {
        let (bundle, identification) = self.issue(name);
        (bundle, self.add(name, identification).unwrap())
    }

    /// A self-signed certificate that our authority has nothing to do with.
    fn foreign(&self) -> Bundle {
        let pair = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["other.example".to_owned()]).unwrap();
        params.not_before = self.clock.now().minus(DAY).to_offset();
        params.not_after = self.clock.now().plus(DAY * 30).to_offset();
        let cert_pem = params.self_signed(&pair).unwrap().pem();
        Bundle {
            cert_pem,
            key_pem: pair.serialize_pem().into(),
            ca_pem: String::new(),
        }
    }

    fn time(&self) -> Arc<TlsTime> {
        Arc::new(TlsTime(Arc::new(self.clock.clone())))
    }

    fn server_config(&self) -> ServerConfig {
        let verifier = client_verifier(&self.peers, self.authority.certificate()).unwrap();
        ServerConfig::builder_with_details(provider(), self.time())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain(&self.server), key(&self.server))
            .unwrap()
    }

    fn client_config(&self, bundle: Option<&Bundle>) -> ClientConfig {
        let expected = ExpectedServer::Authorities(vec![self.authority.certificate().clone()]);
        let verifier = server_verifier(expected, &self.peers, self.authority.certificate());
        let builder = ClientConfig::builder_with_details(provider(), self.time())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.unwrap());
        match bundle {
            Some(bundle) => builder
                .with_client_auth_cert(chain(bundle), key(bundle))
                .unwrap(),
            None => builder.with_no_client_auth(),
        }
    }

    /// What our listener makes of whoever presents `bundle`.
    fn listen(&self, bundle: Option<&Bundle>) -> Result<Arc<Peer>, Stranger> {
        let client = self.client_config(bundle);
        let chain = match handshake(client, self.server_config(), "labward.lab.example") {
            Ok((_, server)) => server.peer_certificates().unwrap_or_default().to_vec(),
            Err(error) => return Err(Stranger::from_tls(&error).expect("over a certificate")),
        };
        self.peers.authenticate(&chain, self.clock.now())
    }

    fn entries(&self) -> Vec<String> {
        let leaves: Vec<Vec<u8>> = self
            .store
            .read(|snapshot| {
                snapshot.query_all("SELECT leaf FROM entry ORDER BY idx", &[], |row| {
                    Ok(row.bytes(0)?.to_vec())
                })
            })
            .unwrap();
        leaves
            .iter()
            .map(|leaf| {
                let json: serde_json::Value = serde_json::from_slice(leaf).unwrap();
                let text = |name: &str| json[name].as_str().unwrap().to_owned();
                format!("{} {}", text("action"), text("subject"))
            })
            .collect()
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn chain(bundle: &Bundle) -> Vec<CertificateDer<'static>> {
    vec![CertificateDer::from_pem_slice(bundle.cert_pem.as_bytes()).unwrap()]
}

fn key(bundle: &Bundle) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(bundle.key_pem.expose().as_bytes()).unwrap()
}

/// Joins both ends by buffers until neither has more to say; the first error of either end.
fn handshake(
    client: ClientConfig,
    server: ServerConfig,
    name: &str,
) -> Result<(ClientConnection, ServerConnection), Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

#[test]
fn what_a_peer_may_send_is_changed_in_place_with_an_entry_that_names_it() {
    let lab = Lab::new();
    let (_, peer) = lab.known("a");
    let generation = lab.peers.generation();
    let change = PeerChange {
        message_types: Some(vec!["ORU^R01".parse().unwrap()]),
        addresses: Some(vec!["10.0.0.8".parse().unwrap()]),
        authority: Some(None),
        ..PeerChange::default()
    };
    let changed = lab.peers.set(peer.id, change.clone(), BY, vec![7]).unwrap();
    assert_eq!(
        changed.rules.message_types,
        change.message_types.clone().unwrap()
    );
    assert_eq!(
        changed.rules.sending_applications,
        peer.rules.sending_applications
    );
    assert_eq!(changed.authority, None);
    assert!(
        lab.peers.generation() > generation,
        "connections look again"
    );
    assert_eq!(lab.peers.by_address("10.0.0.7".parse().unwrap()), None);
    let again = Peers::load(lab.store.clone()).unwrap();
    assert_eq!(
        again.by_name("a").as_deref(),
        Some(&*changed),
        "it was written"
    );
    let changes = |lab: &Lab| {
        let read = lab.store.read(|snapshot| {
            labward_ledger::entries(snapshot, labward_base::id::EntryIndex::new(0), 100)
        });
        let all: Vec<labward_ledger::StoredEntry> =
            Result::<_, labward_store::StoreError>::unwrap(read);
        let leaves = all
            .iter()
            .map(|row| labward_ledger::Leaf::parse(&row.leaf).unwrap());
        let changes = leaves.filter(|leaf| leaf.action.name() == "peer.changed");
        changes.collect::<Vec<_>>()
    };
    let [entry] = changes(&lab).try_into().unwrap();
    let named = format!("{:?}", entry.facts.get("changed").unwrap());
    for name in ["types", "addresses", "authority"] {
        assert!(named.contains(name), "{named}");
    }
    assert!(!named.contains("applications"), "{named}");
    lab.peers.set(peer.id, change.clone(), BY, vec![7]).unwrap();
    assert_eq!(changes(&lab).len(), 1, "what changes nothing is no entry");

    let (_, identification) = lab.issue("b");
    let other = NewPeer {
        name: "b".to_owned(),
        kind: PeerKind::Analyzer,
        site: SITE,
        rules: PeerRules::default(),
        authority: None,
        addresses: Vec::new(),
        identification,
    };
    let other = lab.peers.add(other, BY).unwrap();
    let taken = lab.peers.set(other.id, change.clone(), BY, vec![7]);
    assert!(matches!(taken, Err(IdentityError::AddressTaken(_))));
    lab.peers.revoke(peer.id, BY).unwrap();
    let revoked = lab.peers.set(peer.id, change, BY, vec![7]);
    assert!(matches!(revoked, Err(IdentityError::PeerRevoked(_))));
}

#[test]
fn an_active_peer_is_admitted_and_known_by_its_key() {
    let lab = Lab::new();
    let (bundle, peer) = lab.known("cobas-1");
    assert_eq!(lab.listen(Some(&bundle)).unwrap(), peer);
    assert_eq!(lab.peers.by_name("cobas-1").unwrap(), peer);
    assert_eq!(
        lab.peers.by_address("10.0.0.7".parse().unwrap()).unwrap(),
        peer
    );
    assert_eq!(lab.entries(), ["peer.added peer:1"]);
    assert_eq!(
        Peers::load(lab.store.clone()).unwrap().list(),
        [peer],
        "as it was written"
    );
}

#[test]
fn strangers_are_refused_in_the_handshake_each_for_its_own_reason() {
    let lab = Lab::new();
    let (bundle, _) = lab.known("cobas-1");
    assert_eq!(lab.listen(None), Err(Stranger::NoCertificate));
    let (unknown, _) = lab.issue("unknown");
    assert_eq!(
        lab.listen(Some(&unknown)),
        Err(Stranger::UnknownKey),
        "our own CA's, of no peer"
    );
    assert_eq!(lab.listen(Some(&lab.foreign())), Err(Stranger::UnknownKey));
    lab.clock.advance(DAY * 31);
    assert_eq!(lab.listen(Some(&bundle)), Err(Stranger::Expired));
    lab.clock
        .set(Timestamp::from_seconds(1_795_000_000).minus(DAY * 2));
    let early = Identification::from_pem(bundle.cert_pem.as_bytes()).unwrap();
    let chain = chain(&bundle);
    assert!(lab.clock.now() < early.not_before);
    assert_eq!(
        lab.peers.authenticate(&chain, lab.clock.now()),
        Err(Stranger::NotYetValid)
    );
}

#[test]
fn a_revoked_peer_is_refused_at_the_next_handshake_and_seen_at_once() {
    let lab = Lab::new();
    let (bundle, peer) = lab.known("cobas-1");
    let seen = Arc::new(AtomicU64::new(0));
    let watched = seen.clone();
    lab.peers.watch(move |peer| {
        watched.store(peer.id.get(), Ordering::Release);
    });
    let before = lab.peers.generation();
    lab.peers.revoke(peer.id, BY).unwrap();
    assert!(lab.peers.generation() > before);
    assert_eq!(seen.load(Ordering::Acquire), peer.id.get());
    assert_eq!(lab.listen(Some(&bundle)), Err(Stranger::Revoked));
    assert!(lab.peers.by_address("10.0.0.7".parse().unwrap()).is_none());
    lab.peers.revoke(peer.id, BY).unwrap();
    assert_eq!(
        lab.entries(),
        ["peer.added peer:1", "peer.revoked peer:1"],
        "one entry a change"
    );
    let (_, identification) = lab.issue("cobas-1");
    let renewed = lab
        .peers
        .renew(peer.id, identification.clone(), BY, lab.clock.now());
    assert!(matches!(renewed, Err(IdentityError::PeerRevoked(_))));
    assert!(matches!(
        lab.add("cobas-1", identification),
        Err(IdentityError::PeerExists)
    ));
}

#[test]
fn a_revoked_peer_cannot_come_back_by_resuming_its_session() {
    let lab = Lab::new();
    let (bundle, peer) = lab.known("cobas-1");
    let (client, server) = (
        Arc::new(lab.client_config(Some(&bundle))),
        Arc::new(lab.server_config()),
    );
    let resume = || {
        let pair = handshake((*client).clone(), (*server).clone(), "labward.lab.example");
        pair.map(|(_, server)| server)
    };
    resume().unwrap();
    lab.peers.revoke(peer.id, BY).unwrap();
    let Ok(resumed) = resume() else {
        panic!("the session was resumed past the verifier");
    };
    let chain = resumed.peer_certificates().unwrap();
    let decided = lab.peers.authenticate(chain, lab.clock.now());
    assert_eq!(
        decided,
        Err(Stranger::Revoked),
        "so the listener asks again"
    );
}

#[test]
fn a_foreign_peer_is_pinned_by_its_key_until_its_certificate_ends() {
    let lab = Lab::new();
    let bundle = lab.foreign();
    let identification = Identification::from_pem(bundle.cert_pem.as_bytes()).unwrap();
    let peer = lab.add("ehr", identification.clone()).unwrap();
    assert_eq!(lab.listen(Some(&bundle)).unwrap().id, peer.id);
    assert!(matches!(
        lab.add("other", identification),
        Err(IdentityError::PeerExists)
    ));
    lab.clock.advance(DAY * 31);
    assert_eq!(lab.listen(Some(&bundle)), Err(Stranger::Expired));
}

#[test]
fn an_own_peers_key_under_another_issuer_is_refused() {
    let lab = Lab::new();
    let (bundle, _) = lab.known("cobas-1");
    let pair = rcgen::KeyPair::from_pem(bundle.key_pem.expose()).unwrap();
    let mut params = rcgen::CertificateParams::new(["cobas-1".to_owned()]).unwrap();
    params.not_after = lab.clock.now().plus(DAY * 30_000).to_offset();
    let forged = Bundle {
        cert_pem: params.self_signed(&pair).unwrap().pem(),
        key_pem: pair.serialize_pem().into(),
        ca_pem: String::new(),
    };
    assert_eq!(
        lab.listen(Some(&forged)),
        Err(Stranger::WrongIssuer),
        "it may not extend itself"
    );
}

#[test]
fn a_peers_certificate_with_another_key_is_refused() {
    let lab = Lab::new();
    let (bundle, _) = lab.known("cobas-1");
    let (other, _) = lab.issue("other");
    let provider = provider();
    let wrong_key = provider.key_provider.load_private_key(key(&other)).unwrap();
    let stolen = rustls::sign::CertifiedKey::new(chain(&bundle), wrong_key);
    let mut config = lab.client_config(None);
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(stolen));
    let refused = handshake(config, lab.server_config(), "labward.lab.example")
        .err()
        .unwrap();
    assert_eq!(Stranger::from_tls(&refused), Some(Stranger::BadCertificate));
}

#[test]
fn a_renewed_peer_is_admitted_by_both_keys_for_a_while() {
    let lab = Lab::new();
    let (old, peer) = lab.known("cobas-1");
    let (new, identification) = lab.issue("cobas-1");
    let now = lab.clock.now();
    let renewed = lab.peers.renew(peer.id, identification, BY, now).unwrap();
    assert_ne!(renewed.spki_sha256, peer.spki_sha256);
    assert_eq!(lab.listen(Some(&old)).unwrap().id, peer.id);
    assert_eq!(lab.listen(Some(&new)).unwrap().id, peer.id);
    lab.clock.advance(crate::RENEWAL_OVERLAP + DAY);
    assert_eq!(lab.listen(Some(&old)), Err(Stranger::Expired));
    assert_eq!(lab.listen(Some(&new)).unwrap().id, peer.id);
    assert_eq!(lab.entries(), ["peer.added peer:1", "peer.renewed peer:1"]);
    let loaded = Peers::load(lab.store.clone()).unwrap();
    assert_eq!(loaded.list(), lab.peers.list());
    let nobody = lab.peers.renew(PeerId::new(9), lab.issue("x").1, BY, now);
    assert!(matches!(nobody, Err(IdentityError::NoPeer(_))));
}

#[test]
fn a_connection_out_reaches_the_expected_peer_and_no_other() {
    let lab = Lab::new();
    let now = lab.clock.now();
    let issue = |name: &str| {
        lab.authority
            .issue_peer(name, PeerKind::Ehr, now, 30)
            .unwrap()
    };
    let (ehr, other) = (issue("ehr"), issue("other"));
    let peer = lab.add("ehr", ehr.identification).unwrap();
    lab.add("other", other.identification).unwrap();
    let dial = |to: &Bundle| {
        let expected = ExpectedServer::Peer(peer.id);
        let verifier = server_verifier(expected, &lab.peers, lab.authority.certificate());
        let client = ClientConfig::builder_with_details(provider(), lab.time())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.unwrap())
            .with_no_client_auth();
        let server = ServerConfig::builder_with_details(provider(), lab.time())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain(to), key(to))
            .unwrap();
        match handshake(client, server, "whatever.example") {
            Ok(_) => Ok(()),
            Err(error) => Err(Stranger::from_tls(&error)),
        }
    };
    assert_eq!(dial(&ehr.bundle), Ok(()));
    assert_eq!(
        dial(&other.bundle),
        Err(Some(Stranger::UnknownKey)),
        "a peer, but not this one"
    );
    lab.peers.revoke(peer.id, BY).unwrap();
    assert_eq!(dial(&ehr.bundle), Err(Some(Stranger::Revoked)));
}

fn person(name: &str, roles: impl Into<Roles>, uid: Option<u32>) -> NewPerson {
    NewPerson {
        name: name.to_owned(),
        roles: roles.into(),
        uid,
    }
}

#[test]
fn a_person_is_known_by_the_account_and_by_no_other() {
    let lab = Lab::new();
    let admin = lab
        .people
        .add(person("Ada", Role::Administrator, Some(1000)), BY)
        .unwrap();
    let both = Roles::from(Role::LabManager).and(Role::It);
    let kim = lab.people.add(person("Kim", both, Some(1001)), BY).unwrap();
    assert_eq!(lab.people.by_uid(1001).unwrap(), kim);
    assert_eq!(lab.people.by_uid(0), None, "not even root");
    let again = lab.people.add(person("Eve", Role::It, Some(1001)), BY);
    assert!(matches!(again, Err(IdentityError::PersonExists)));
    for name in ["", " x", "a\nb", &"x".repeat(101)] {
        assert!(
            lab.people.add(person(name, Role::It, None), BY).is_err(),
            "{name:?}"
        );
    }
    let loaded = People::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(loaded.list(), [admin, kim]);
    assert_eq!(
        lab.entries(),
        ["person.added person:1", "person.added person:2"]
    );
}

#[test]
fn a_removed_person_may_do_nothing_and_the_number_stays_theirs() {
    let lab = Lab::new();
    lab.people
        .add(person("Ada", Role::Administrator, Some(1000)), BY)
        .unwrap();
    let kim = lab
        .people
        .add(person("Kim", Role::SecurityOfficer, Some(1001)), BY)
        .unwrap();
    lab.people.remove(kim.id, BY).unwrap();
    for people in [
        lab.people.clone(),
        People::load(lab.store.clone(), SITE).unwrap(),
    ] {
        assert_eq!(people.by_uid(1001), None);
        assert_eq!(people.by_id(kim.id), None);
        assert_eq!(people.name_of(kim.id).as_deref(), Some("Kim"));
    }
    let next = lab
        .people
        .add(person("Lou", Role::It, Some(1001)), BY)
        .unwrap();
    assert_eq!(next.id, PersonId::new(3));
    assert!(matches!(
        lab.people.remove(kim.id, BY),
        Err(IdentityError::NoPerson(_))
    ));
    let last = lab.people.remove(PersonId::new(1), BY);
    assert!(matches!(last, Err(IdentityError::LastAdministrator(_))));
}

#[test]
fn roles_change_at_once_with_an_entry_and_the_last_administrator_stays() {
    let lab = Lab::new();
    let ada = person("Ada", Role::Administrator, None);
    let ada = lab.people.add(ada, BY).unwrap();
    let kim = person("Kim", Role::ClinicalStaff, None);
    let kim = lab.people.add(kim, BY).unwrap();
    let both = Roles::from(Role::ClinicalStaff).and(Role::LabManager);
    for _ in 0..2 {
        let set = lab.people.set_roles(kim.id, both, BY).unwrap();
        assert_eq!(set.roles, both);
        assert_eq!(lab.people.by_id(kim.id), Some(set));
    }
    let lost = lab.people.set_roles(ada.id, Role::It.into(), BY);
    assert!(matches!(lost, Err(IdentityError::LastAdministrator(_))));
    lab.people
        .set_roles(kim.id, Role::SecurityOfficer.into(), BY)
        .unwrap();
    lab.people.set_roles(ada.id, Role::It.into(), BY).unwrap();
    let loaded = People::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(loaded.list(), lab.people.list());
    assert_eq!(
        lab.entries(),
        [
            "person.added person:1",
            "person.added person:2",
            "person.changed person:2",
            "person.changed person:2",
            "person.changed person:1"
        ]
    );
    lab.people.remove(ada.id, BY).unwrap();
    let gone = lab.people.set_roles(ada.id, both, BY);
    assert!(matches!(gone, Err(IdentityError::NoPerson(_))));
}

#[test]
fn what_a_person_prefers_is_kept_with_an_entry_and_once() {
    let lab = Lab::new();
    let ada = person("Ada", Role::Administrator, None);
    let ada = lab.people.add(ada, BY).unwrap();
    assert_eq!((ada.language, ada.theme), (None, Theme::Auto));
    let wish = Preferences {
        language: Some(Language::Es),
        theme: Theme::Dark,
    };
    for _ in 0..2 {
        let set = lab.people.set_preferences(ada.id, wish, BY).unwrap();
        assert_eq!((set.language, set.theme), (wish.language, wish.theme));
        assert_eq!(lab.people.by_id(ada.id), Some(set));
    }
    let loaded = People::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(loaded.list(), lab.people.list());
    assert_eq!(
        lab.entries(),
        ["person.added person:1", "person.changed person:1"]
    );
    let nobody = lab.people.set_preferences(PersonId::new(9), wish, BY);
    assert!(matches!(nobody, Err(IdentityError::NoPerson(_))));
}
