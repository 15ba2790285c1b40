//! The devices over a real store: what is known again, what people decided, what contradicts what.

use std::sync::Arc;
use std::time::Duration;

use labward_base::Clock as _;
use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, NodeId, PeerId, PersonId, SiteId};
use labward_ledger::{Leaf, LedgerJournal, entries};
use labward_store::{Options, Store, StoreError};
use labward_testkit::{FakeClock, TempDir};

use crate::{
    Attribute, Conflict, Devices, DevicesError, ImportFormat, Imported, KeyKind, LineFault,
    LineState, NewValues, Said, Shown, Sighting,
};

const SITE: SiteId = SiteId::new(1);
const ANNE: PersonId = PersonId::new(4);
const XN: PeerId = PeerId::new(3);

struct Lab {
    folder: TempDir,
    clock: FakeClock,
    store: Store,
    devices: Devices,
}

impl Lab {
    fn new() -> Self {
        let (folder, clock) = (TempDir::new(), FakeClock::default());
        let store = open(&folder, &clock);
        let devices = Devices::load(store.clone(), SITE).unwrap();
        Self {
            folder,
            clock,
            store,
            devices,
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.advance(Duration::from_secs(60));
        self.clock.now()
    }

    fn add(&self, values: &[(Attribute, &str)]) -> DeviceId {
        self.devices.add(&new(values), ANNE, self.now()).unwrap()
    }

    fn set(&self, id: DeviceId, values: &[(Attribute, &str)]) -> Option<EntryIndex> {
        let revision = self.get(id).device.revision;
        self.devices
            .set(id, revision, &new(values), ANNE, self.now())
            .unwrap()
    }

    fn get(&self, id: DeviceId) -> Shown {
        self.devices.get(id).unwrap()
    }

    fn text(&self, id: DeviceId, attribute: Attribute) -> String {
        self.get(id).text(attribute).unwrap_or_default()
    }

    fn import(&self, text: &str) -> Imported {
        let list = (None, "list.csv", text.as_bytes());
        self.devices.import(list, false, ANNE, self.now()).unwrap()
    }

    fn states(&self, text: &str) -> Vec<LineState> {
        self.import(text)
            .lines
            .into_iter()
            .map(|line| line.state)
            .collect()
    }

    fn sighted(&self, sender: &str) -> Option<EntryIndex> {
        let astm_sender = sender.split('^').map(str::to_owned).collect();
        self.heard(
            XN,
            Said {
                astm_sender,
                ..Said::default()
            },
        )
    }

    fn heard(&self, peer: PeerId, said: Said) -> Option<EntryIndex> {
        let sighting = Sighting {
            peer,
            peer_name: "xn550".to_owned(),
            link: "astm".to_owned(),
            said,
        };
        self.devices.sighted(&sighting, self.now()).unwrap()
    }

    fn merge(&self, into: DeviceId, other: DeviceId) -> Result<EntryIndex, DevicesError> {
        self.devices
            .merge([into, other], ANNE, vec![7; 9], self.now())
    }

    fn split(&self, id: DeviceId) -> Result<EntryIndex, DevicesError> {
        self.devices.split(id, ANNE, vec![7; 9], self.now())
    }

    fn remove(&self, id: DeviceId, is_removed: bool) -> Result<EntryIndex, DevicesError> {
        self.devices
            .set_removed(id, is_removed, ANNE, vec![7; 9], self.now())
    }

    fn leaves(&self) -> Vec<Leaf> {
        let written = self
            .store
            .read(|snapshot| entries(snapshot, EntryIndex::new(0), 100));
        let written = written.unwrap_or_else(|error: StoreError| panic!("{error}"));
        written
            .iter()
            .map(|row| Leaf::parse(&row.leaf).unwrap())
            .collect()
    }

    fn acts(&self) -> Vec<String> {
        let leaves = self.leaves();
        leaves
            .iter()
            .map(|leaf| format!("{} {} {}", leaf.action, leaf.actor, leaf.subject))
            .collect()
    }

    /// The same devices as a restarted server reads them.
    fn again(&self) -> Devices {
        Devices::load(self.store.clone(), SITE).unwrap()
    }
}

fn open(folder: &TempDir, clock: &FakeClock) -> Store {
    let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
    let migrations = [labward_ledger::MIGRATIONS, crate::MIGRATIONS].concat();
    Store::open(
        Options::new(folder.join("db.sqlite")),
        &migrations,
        Box::new(journal),
    )
    .unwrap()
}

fn new(values: &[(Attribute, &str)]) -> NewValues {
    let values = values
        .iter()
        .map(|(attribute, text)| (*attribute, (*text).to_owned()));
    NewValues {
        values: values.collect(),
        peers: None,
    }
}

#[test]
fn every_change_is_one_entry_and_a_restart_reads_the_same_devices() {
    let lab = Lab::new();
    let one = lab.add(&[(Attribute::Name, "Counter 1"), (Attribute::Serial, "S-100")]);
    lab.set(
        one,
        &[
            (Attribute::Location, "Room 2"),
            (Attribute::Mac, "00:1b:2c:3d:4e:5f 00:1b:2c:3d:4e:60"),
        ],
    );
    assert_eq!(
        lab.set(one, &[(Attribute::Location, "Room 2")]),
        None,
        "it is so already"
    );
    let two = lab.add(&[(Attribute::Name, "Counter 2")]);
    lab.merge(one, two).unwrap();
    lab.split(two).unwrap();
    lab.remove(two, true).unwrap();
    lab.import("name,manufacturer,serial\nCounter 3,Sysmex,S-300\n");
    lab.sighted("XN-550^00-24^22723");
    assert_eq!(
        lab.acts(),
        [
            "device.added person:4 device:1",
            "device.changed person:4 device:1",
            "device.added person:4 device:2",
            "device.merged person:4 device:1",
            "device.split person:4 device:2",
            "device.removed person:4 device:2",
            "device.imported person:4 devices",
            "device.added peer:3 device:4",
        ]
    );
    assert_eq!(
        lab.text(one, Attribute::Mac),
        "00:1b:2c:3d:4e:5f; 00:1b:2c:3d:4e:60"
    );
    let leaves = lab.leaves();
    assert_eq!(leaves[3].detail.as_deref(), Some(&[7; 9][..]));
    for leaf in &leaves {
        let facts = format!("{:?}", leaf.facts);
        for said in ["Counter", "S-100", "22723", "Room"] {
            assert!(!facts.contains(said), "a ledger cannot forget: {facts}");
        }
    }
    let sorted = |devices: &Devices| {
        let mut all = devices.list();
        for shown in &mut all {
            shown
                .device
                .observations
                .sort_by_key(|one| (one.attribute, one.value.clone(), one.last));
            for value in &mut shown.values {
                value
                    .observed
                    .sort_by_key(|(one, _)| (one.value.clone(), one.last));
                value.values.sort();
            }
        }
        all
    };
    assert_eq!(sorted(&lab.again()), sorted(&lab.devices));
    drop(lab.folder);
}

#[test]
fn a_persons_word_comes_before_the_wire_and_the_wire_before_a_file() {
    let lab = Lab::new();
    lab.import("manufacturer,model,serial,version\nSysmex,XN-550,22723,00-22\n");
    let id = DeviceId::new(1);
    assert_eq!(lab.text(id, Attribute::Version), "00-22");
    lab.sighted("XN-550^00-24^22723");
    assert_eq!(
        lab.devices.list().len(),
        1,
        "known by model and serial number"
    );
    let shown = lab.get(id);
    assert_eq!(shown.text(Attribute::Version).as_deref(), Some("00-24"));
    assert_eq!(shown.conflicts, [Conflict::Values(Attribute::Version)]);
    assert_eq!(
        (shown.peers.as_slice(), shown.links.as_slice()),
        (&[XN][..], &["astm".to_owned()][..])
    );
    // A later file does not outdo the wire; a person does, and settles what was said until then.
    lab.import("manufacturer,model,serial,version\nSysmex,XN-550,22723,00-23\n");
    assert_eq!(lab.text(id, Attribute::Version), "00-24");
    lab.set(id, &[(Attribute::Version, "00-24A")]);
    let shown = lab.get(id);
    assert_eq!(shown.text(Attribute::Version).as_deref(), Some("00-24A"));
    assert_eq!(shown.conflicts, []);
    let version = shown
        .values
        .iter()
        .find(|one| one.attribute == Attribute::Version)
        .unwrap();
    let said: Vec<(&str, bool)> = version
        .observed
        .iter()
        .map(|(one, now)| (one.value.as_str(), *now))
        .collect();
    assert_eq!(
        said,
        [
            ("00-24A", true),
            ("00-24", true),
            ("00-23", true),
            ("00-22", false)
        ]
    );
    // What is said afterwards is a conflict again, and is what counts once the word is taken back.
    lab.sighted("XN-550^00-25^22723");
    assert_eq!(
        lab.get(id).conflicts,
        [Conflict::Values(Attribute::Version)]
    );
    lab.set(id, &[(Attribute::Version, "")]);
    assert_eq!(lab.text(id, Attribute::Version), "00-25");
}

#[test]
fn a_peer_that_says_nothing_new_writes_nothing() {
    let lab = Lab::new();
    assert!(lab.sighted("XN-550^00-24^22723").is_some());
    for _ in 0..3 {
        assert_eq!(lab.sighted("XN-550^00-24^22723"), None);
    }
    assert!(lab.sighted("XN-550^00-25^22723").is_some());
    assert_eq!(
        lab.acts(),
        [
            "device.added peer:3 device:1",
            "device.seen peer:3 device:1"
        ]
    );
    assert_eq!(
        lab.get(DeviceId::new(1)).conflicts,
        [],
        "a newer version of one voice is no conflict"
    );
}

#[test]
fn a_peer_that_says_something_else_each_time_does_not_fill_the_disk() {
    let lab = Lab::new();
    for number in 0..100 {
        lab.sighted(&format!("XN-550^00-{number}^22723"));
    }
    let shown = lab.again().get(DeviceId::new(1)).unwrap();
    let version = shown
        .values
        .iter()
        .find(|one| one.attribute == Attribute::Version)
        .unwrap();
    assert_eq!(
        (version.observed.len(), version.values[0].as_str()),
        (32, "00-99")
    );
}

#[test]
fn what_was_merged_is_known_again_by_either_key_and_a_split_undoes_it() {
    let lab = Lab::new();
    let list = "name,manufacturer,serial,mac\nPC of the counter,Dell,7XK2LM3,\nXN,Sysmex,22723,00:1b:2c:3d:4e:5f\n";
    lab.import(list);
    let (pc, xn) = (DeviceId::new(1), DeviceId::new(2));
    lab.merge(xn, pc).unwrap();
    assert_eq!(lab.devices.list().len(), 1);
    assert_eq!(
        lab.get(pc).device.id,
        xn,
        "the number of the merged one leads to it"
    );
    // Both lines are of the one device now; the second of them says so.
    assert_eq!(
        lab.states(list),
        [
            LineState::Known(xn),
            LineState::Refused(LineFault::Twice(xn))
        ]
    );
    lab.import("name,manufacturer,serial,location\nPC,Dell,7XK2LM3,Room 9\n");
    assert_eq!(
        lab.devices.list().len(),
        1,
        "what was merged is not created anew"
    );
    assert_eq!(lab.text(xn, Attribute::Location), "Room 9");
    assert!(matches!(lab.merge(xn, pc), Err(DevicesError::NotMergeable)));

    lab.split(pc).unwrap();
    assert_eq!(lab.devices.list().len(), 2);
    assert_eq!(
        lab.text(xn, Attribute::Location),
        "",
        "each has its own again"
    );
    assert_eq!(lab.text(pc, Attribute::Location), "Room 9");
    assert!(matches!(lab.split(pc), Err(DevicesError::NotMerged(_))));
    assert_eq!(
        lab.states(list),
        [LineState::Changed(pc), LineState::Known(xn)]
    );
}

#[test]
fn two_devices_that_claim_one_key_are_a_conflict_of_both_and_a_list_chooses_none() {
    let lab = Lab::new();
    let one = lab.add(&[(Attribute::Name, "A"), (Attribute::AssetTag, "00417")]);
    let two = lab.add(&[(Attribute::Name, "B")]);
    lab.set(two, &[(Attribute::AssetTag, "00417")]);
    assert_eq!(
        lab.get(one).conflicts,
        [Conflict::Claim(KeyKind::AssetTag, vec![two])]
    );
    assert_eq!(
        lab.get(two).conflicts,
        [Conflict::Claim(KeyKind::AssetTag, vec![one])]
    );
    let list = "asset tag,location\n00417,Room 1\n";
    assert_eq!(
        lab.states(list),
        [LineState::Refused(LineFault::Ambiguous(vec![one, two]))]
    );
    // The tag of the second was a slip; the first alone has it now.
    lab.set(two, &[(Attribute::AssetTag, "00418")]);
    assert_eq!(
        (lab.get(one).conflicts, lab.get(two).conflicts),
        (vec![], vec![])
    );
    assert_eq!(lab.states(list), [LineState::Changed(one)]);
    let again = lab
        .devices
        .add(&new(&[(Attribute::AssetTag, "00418")]), ANNE, lab.now());
    assert!(matches!(again, Err(DevicesError::Exists(id)) if id == two));
}

#[test]
fn a_host_name_or_a_mac_does_not_make_one_of_two_serial_numbers() {
    let lab = Lab::new();
    let list = |serial: &str| {
        lab.states(&format!(
            "hostname,manufacturer,serial,mac\nLAB-PC-7,Dell,{serial},00:1b:2c:3d:4e:5f\n"
        ))
    };
    let (old, replaced) = (DeviceId::new(1), DeviceId::new(2));
    assert_eq!(list("7XK2LM3"), [LineState::Added(old)]);
    assert_eq!(
        list("9ZZ8PP1"),
        [LineState::Added(replaced)],
        "another machine under the name"
    );
    assert_eq!(
        lab.get(old).conflicts,
        [Conflict::Claim(KeyKind::Mac, vec![replaced])]
    );
    assert_eq!(list("7XK2LM3"), [LineState::Known(old)]);
}

#[test]
fn what_was_removed_is_not_created_anew_and_is_a_conflict_when_it_is_heard() {
    let lab = Lab::new();
    lab.sighted("XN-550^00-24^22723");
    let id = DeviceId::new(1);
    lab.remove(id, true).unwrap();
    assert!(matches!(
        lab.remove(id, true),
        Err(DevicesError::Removed(_))
    ));
    let list = "model,serial,manufacturer\nXN-550,22723,Sysmex\n";
    assert_eq!(
        lab.states(list),
        [LineState::Refused(LineFault::Removed(id))]
    );
    let refused = lab
        .devices
        .set(id, 2, &new(&[(Attribute::Name, "x")]), ANNE, lab.now());
    assert!(matches!(refused, Err(DevicesError::Removed(_))));
    assert_eq!(lab.get(id).conflicts, []);
    lab.sighted("XN-550^00-25^22723");
    assert!(matches!(
        lab.get(id).conflicts[..],
        [Conflict::SeenAfterRemoval(_)]
    ));
    lab.remove(id, false).unwrap();
    assert_eq!(lab.get(id).conflicts, []);
    assert_eq!(lab.states(list), [LineState::Changed(id)]);
}

#[test]
fn an_import_is_one_entry_and_a_preview_none() {
    let lab = Lab::new();
    let list = "name,manufacturer,serial,mac\nA,Sysmex,S-100,\nB,Roche,S-200,nonsense\nC,,,\nD,Abbott,S-400,\nD,Abbott,S-400,\n";
    let bytes = (None, "C:\\lists\\inventory.csv", list.as_bytes());
    let seen = lab.devices.import(bytes, true, ANNE, lab.now()).unwrap();
    assert_eq!(
        (seen.entry, lab.devices.list().len(), lab.leaves().len()),
        (None, 0, 0)
    );
    let done = lab.import(list);
    assert_eq!(done.format, ImportFormat::Csv);
    assert_eq!(done.lines, seen.lines);
    let states: Vec<_> = done
        .lines
        .iter()
        .map(|line| (line.line, line.state.clone()))
        .collect();
    let [one, two] = [1, 2].map(DeviceId::new);
    assert_eq!(
        states,
        [
            (2, LineState::Added(one)),
            (3, LineState::Refused(LineFault::BadValue(Attribute::Mac))),
            (4, LineState::Refused(LineFault::NoKey)),
            (5, LineState::Added(two)),
            (6, LineState::Refused(LineFault::Twice(two))),
        ]
    );
    let leaf = lab.leaves().remove(0);
    let number = |name| leaf.facts.get_number(name);
    assert_eq!(
        (number("lines"), number("added"), number("refused")),
        (Some(5), Some(2), Some(3))
    );
    assert_eq!(leaf.facts.get_text("source"), Some("csv"));
    let known = lab.import("name,manufacturer,serial\nA,Sysmex,S-100\n");
    assert_eq!(known.lines[0].state, LineState::Known(one));
    assert_eq!(lab.get(one).device.revision, 1, "nothing new was said");
    assert!(
        lab.get(one).last > lab.get(two).last,
        "but it was said again"
    );
}

#[test]
fn who_changes_what_somebody_else_changed_meanwhile_is_told() {
    let lab = Lab::new();
    let id = lab.add(&[(Attribute::Name, "A")]);
    let set = |revision, name| {
        lab.devices.set(
            id,
            revision,
            &new(&[(Attribute::Name, name)]),
            ANNE,
            lab.now(),
        )
    };
    set(1, "B").unwrap();
    assert!(matches!(
        set(1, "C"),
        Err(DevicesError::ChangedMeanwhile(_))
    ));
    assert_eq!(lab.text(id, Attribute::Name), "B");
    let bad = lab
        .devices
        .set(id, 2, &new(&[(Attribute::Ip, "x")]), ANNE, lab.now());
    assert!(matches!(bad, Err(DevicesError::BadValue(Attribute::Ip))));
    let own = lab
        .devices
        .set(id, 2, &new(&[(Attribute::Sender, "x")]), ANNE, lab.now());
    assert!(matches!(
        own,
        Err(DevicesError::BadValue(Attribute::Sender))
    ));
    let nothing = lab
        .devices
        .add(&new(&[(Attribute::Name, " ")]), ANNE, lab.now());
    assert!(matches!(nothing, Err(DevicesError::NothingSaid)));
}

#[test]
fn a_person_binds_a_peer_to_a_device_that_is_there() {
    let lab = Lab::new();
    let id = lab.add(&[(Attribute::Name, "Counter")]);
    let bind = |id: DeviceId, peers: Vec<PeerId>| {
        let revision = lab.get(id).device.revision;
        let values = NewValues {
            values: Vec::new(),
            peers: Some(peers),
        };
        lab.devices
            .set(id, revision, &values, ANNE, lab.now())
            .unwrap()
    };
    bind(id, vec![XN]);
    lab.sighted("XN-550^00-24^22723");
    assert_eq!(lab.devices.list().len(), 1);
    assert_eq!(lab.text(id, Attribute::Version), "00-24");
    let other = lab.add(&[(Attribute::Name, "Another")]);
    bind(other, vec![XN]);
    assert_eq!(
        (lab.get(id).peers, lab.get(other).peers),
        (vec![], vec![XN])
    );
    assert_eq!(lab.again().get(other).unwrap().peers, [XN]);
    assert_eq!(bind(other, vec![XN]), None);
}

#[test]
fn a_peer_that_names_several_instruments_has_a_device_of_each() {
    let lab = Lab::new();
    let lis = |equipment: &str| {
        let said = Said {
            application: "LIS".to_owned(),
            facility: "LAB".to_owned(),
            equipment: equipment.to_owned(),
            ..Said::default()
        };
        lab.heard(PeerId::new(9), said)
    };
    lis("");
    lis("XN-550^Sysmex");
    assert_eq!(
        lab.devices.list().len(),
        1,
        "the first is taken for the peer itself"
    );
    lis("c111^Roche");
    lis("XN-550^Sysmex");
    assert_eq!(lis("c111^Roche"), None);
    let models: Vec<_> = lab
        .devices
        .list()
        .iter()
        .map(|one| one.text(Attribute::Model))
        .collect();
    assert_eq!(models, [Some("c111".to_owned()), Some("XN-550".to_owned())]);
    for number in 0..100 {
        lis(&format!("instrument-{number}"));
    }
    assert!(
        lab.devices.list().len() <= 65,
        "a peer does not fill the list"
    );
}

#[test]
fn a_device_behind_an_edge_is_known_by_the_name_that_the_edge_gives_it() {
    let lab = Lab::new();
    let edge = PeerId::new(9);
    let behind = |name: &str| {
        let said = Said {
            behind_edge: name.to_owned(),
            ..Said::default()
        };
        lab.heard(edge, said)
    };
    assert!(behind("xn").is_some() && behind("c111").is_some());
    assert_eq!(behind("xn"), None, "it is known");
    let of = |name: &str| lab.devices.of_line(edge, Some(name));
    let (xn, c111) = (of("xn").unwrap(), of("c111").unwrap());
    assert_ne!(xn, c111);
    assert_eq!(of("other"), None);
    assert_eq!(
        lab.devices.of_line(edge, None),
        None,
        "the edge itself is no device"
    );
    let name = lab.devices.get(xn).unwrap().text(Attribute::Name);
    assert_eq!(name.as_deref(), Some("xn"));
    assert_eq!(lab.devices.present(), [xn, c111].into());
    lab.merge(c111, xn).unwrap();
    assert_eq!(
        (of("xn"), lab.devices.present()),
        (Some(c111), [c111].into())
    );
}

#[test]
fn a_thousand_devices_are_listed_at_once() {
    let lab = Lab::new();
    let lines = (0..1_000).map(|n| {
        format!(
            "Device {n},Maker {},SN-{n:05},00:1b:2c:00:{:02x}:{:02x}\n",
            n % 9,
            n / 256,
            n % 256
        )
    });
    let list: String = std::iter::once("name,manufacturer,serial,mac\n".to_owned())
        .chain(lines)
        .collect();
    assert!(
        lab.states(&list)
            .iter()
            .all(|state| matches!(state, LineState::Added(_)))
    );
    assert!(
        lab.states(&list)
            .iter()
            .all(|state| matches!(state, LineState::Known(_)))
    );
    assert_eq!(lab.again().list().len(), 1_000);
}

#[test]
fn what_is_overheard_is_of_the_device_with_that_address_unless_its_serial_number_is_another() {
    use crate::Confidence::Medium;
    let lab = Lab::new();
    let known = lab.add(&[(Attribute::Name, "Hematology"), (Attribute::Ip, "10.0.0.7")]);
    let heard = |serial: &str| {
        vec![vec![
            (Attribute::Ip, "10.0.0.7".to_owned(), Medium),
            (Attribute::Model, "XN-550".to_owned(), Medium),
            (Attribute::Serial, serial.to_owned(), Medium),
        ]]
    };
    let hear = |serial: &str| {
        let by = labward_ledger::Actor::Person(ANNE);
        let heard = heard(serial);
        lab.devices
            .overheard(&heard, "eth1", by, lab.now())
            .unwrap()
    };
    assert!(hear("22723").is_some());
    assert_eq!(lab.text(known, Attribute::Model), "XN-550");
    assert_eq!(hear("22723"), None, "nothing is new");
    assert_eq!(lab.devices.list().len(), 1);
    // Another instrument has that address now.
    assert!(hear("99887").is_some());
    assert_eq!(lab.devices.list().len(), 2);
    let read = Devices::load(lab.store.clone(), SITE).unwrap();
    let model = read.get(known).unwrap().text(Attribute::Model);
    assert_eq!(model.as_deref(), Some("XN-550"));
}
