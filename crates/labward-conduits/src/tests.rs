//! What is heard becomes conduits and alerts, and what people decide settles them.

use std::sync::Arc;

use labward_base::Clock as _;
use labward_base::id::NodeId;
use labward_base::id::{DeviceId, EntryIndex, PersonId, SiteId};
use labward_ledger::{Actor, Leaf, LedgerJournal, entries};
use labward_segmentation::{
    Decision, Direction, ListedDevice, Mode, Network, Observation, Seen, Service,
};
use labward_store::{Options, Store, StoreError};
use labward_testkit::{FakeClock, TempDir};

use super::*;

const SITE: SiteId = SiteId::new(1);
const OFFICER: PersonId = PersonId::new(4);
const ANALYZER: DeviceId = DeviceId::new(7);

struct Lab {
    _folder: TempDir,
    clock: FakeClock,
    store: Store,
    conduits: Conduits,
}

fn lab() -> Lab {
    let (folder, clock) = (TempDir::new(), FakeClock::default());
    let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
    let migrations = [labward_ledger::MIGRATIONS, MIGRATIONS].concat();
    let options = Options::new(folder.join("db.sqlite"));
    let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
    let conduits = Conduits::load(store.clone(), SITE).unwrap();
    Lab {
        _folder: folder,
        clock,
        store,
        conduits,
    }
}

fn hear(lab: &Lab, server: &str, port: u16) -> Heard {
    let now = lab.clock.now();
    let devices = vec![ListedDevice {
        id: ANALYZER,
        name: "Analyzer".to_owned(),
        addresses: ["10.0.0.7".parse().unwrap()].into(),
        mac: None,
        zone: None,
    }];
    let observation = Observation {
        client: "10.0.0.7".parse().unwrap(),
        server: server.parse().unwrap(),
        service: Service::tcp(port).unwrap(),
        known_as: None,
        seen: Seen {
            packets: 3,
            bytes: 180,
            first: now,
            last: now,
        },
    };
    let by = Actor::Person(OFFICER);
    lab.conduits
        .heard(devices, &[observation], "eth0", by, now)
        .unwrap()
}

fn actions(lab: &Lab) -> Vec<String> {
    let rows = lab
        .store
        .read(|snapshot| entries(snapshot, EntryIndex::new(0), 1000))
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
    let leaves = rows.iter().map(|row| Leaf::parse(&row.leaf).unwrap());
    leaves.map(|leaf| leaf.action.to_string()).collect()
}

#[test]
fn what_is_learned_is_silent_what_is_public_is_not_and_nothing_is_told_twice() {
    let lab = lab();
    let lis = hear(&lab, "10.0.0.1", 2575);
    assert_eq!((lis.new, lis.alerts.len()), (1, 0));
    let again = hear(&lab, "10.0.0.1", 2575);
    assert_eq!((again.new, again.known), (0, 1));
    let public = hear(&lab, "93.184.216.34", 443);
    assert_eq!(public.alerts.len(), 1);
    assert!(public.alerts[0].is_public);
    assert!(hear(&lab, "93.184.216.34", 443).alerts.is_empty());
    assert_eq!(
        actions(&lab),
        ["traffic.heard", "traffic.heard", "conduit.alerted"]
    );
    let read = Conduits::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(read.alerts(), lab.conduits.alerts());
    assert_eq!(read.plan().devices()[0].conduits.len(), 2);
}

#[test]
fn after_learning_a_new_destination_is_told_until_a_person_decides() {
    let lab = lab();
    hear(&lab, "10.0.0.1", 2575);
    lab.conduits
        .set_mode(ANALYZER, (Mode::Test, false), OFFICER, vec![1; 80])
        .unwrap();
    let alert = hear(&lab, "10.0.0.99", 445).alerts.remove(0);
    assert_eq!(alert.service.to_string(), "tcp/445");
    let deciding = Deciding {
        device: ANALYZER,
        direction: Direction::Outbound,
        peer: Network::host("10.0.0.99".parse().unwrap()),
        service: Service::tcp(445).unwrap(),
        decision: Decision::Approved,
    };
    let decide = |deciding: &Deciding| {
        lab.conduits
            .decide(deciding, OFFICER, vec![2; 80], lab.clock.now())
    };
    decide(&deciding).unwrap();
    assert!(lab.conduits.alerts()[&alert.id].settled.is_some());
    assert!(hear(&lab, "10.0.0.99", 445).alerts.is_empty());
    let other = Deciding {
        device: DeviceId::new(8),
        ..deciding.clone()
    };
    assert!(matches!(decide(&other), Err(ConduitsError::NoDevice(_))));
    let other = Deciding {
        service: Service::tcp(446).unwrap(),
        ..deciding
    };
    assert!(matches!(decide(&other), Err(ConduitsError::NoConduit(_))));
    let read = Conduits::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(read.plan(), lab.conduits.plan());
}

#[test]
fn a_device_learns_for_fourteen_days() {
    let lab = lab();
    hear(&lab, "10.0.0.1", 2575);
    lab.clock
        .advance(std::time::Duration::from_secs(13 * 86_400));
    assert!(hear(&lab, "10.0.0.2", 2575).alerts.is_empty());
    lab.clock
        .advance(std::time::Duration::from_secs(2 * 86_400));
    assert_eq!(hear(&lab, "10.0.0.3", 2575).alerts.len(), 1);
}
