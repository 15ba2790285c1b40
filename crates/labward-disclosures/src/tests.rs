//! What becomes of disclosures and approvals, each change with its entry.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use labward_base::Clock as _;
use labward_base::id::{DeviceId, EntryIndex, NodeId, PersonId, SiteId};
use labward_ledger::{Leaf, LedgerJournal, entries};
use labward_store::{Options, Store};
use labward_testkit::{FakeClock, TempDir};

use super::*;

const SITE: SiteId = SiteId::new(1);
const OFFICER: PersonId = PersonId::new(4);
const SBOM: &[u8] = br#"{"bomFormat":"CycloneDX","specVersion":"1.4","components":[
    {"type":"library","name":"y","version":"1.0","purl":"pkg:npm/y@1.0"}]}"#;

struct Lab {
    _folder: TempDir,
    clock: FakeClock,
    store: Store,
    all: Disclosures,
}

fn lab() -> Lab {
    let (folder, clock) = (TempDir::new(), FakeClock::default());
    let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
    let migrations = [labward_ledger::MIGRATIONS, MIGRATIONS].concat();
    let options = Options::new(folder.join("db.sqlite"));
    let store = Store::open(options, &migrations, Box::new(journal)).unwrap();
    let (all, damaged) = Disclosures::load(store.clone(), SITE).unwrap();
    assert!(damaged.is_empty());
    Lab {
        _folder: folder,
        clock,
        store,
        all,
    }
}

fn attach(lab: &Lab, bytes: &[u8], scope: Scope) -> Arc<Held> {
    let new = NewDisclosure::read(DisclosureKind::Sbom, "dir/a.json", bytes).unwrap();
    lab.clock.advance(Duration::from_secs(1));
    let now = lab.clock.now();
    lab.all.attach(new, scope, OFFICER, now).unwrap()
}

fn kin(id: u64, version: &str) -> Kin {
    Kin {
        devices: vec![DeviceId::new(id)],
        manufacturer: "Sysmex".to_owned(),
        model: "XN-550".to_owned(),
        version: version.to_owned(),
    }
}

fn actions(lab: &Lab) -> Vec<String> {
    let all = lab
        .store
        .read(|snapshot| entries(snapshot, EntryIndex::new(0), 100));
    let all = all.unwrap();
    let leaf = |one: &labward_ledger::StoredEntry| Leaf::parse(&one.leaf).unwrap();
    all.iter().map(|one| leaf(one).action.to_string()).collect()
}

#[test]
fn what_is_said_of_the_very_device_counts_and_a_newer_file_takes_the_place() {
    let lab = lab();
    let model = |version| Scope::model("SYSMEX", "XN 550", version).unwrap();
    let of_model = attach(&lab, SBOM, model(""));
    let of_version = attach(&lab, SBOM, model("00-24"));
    let own = attach(&lab, SBOM, Scope::Device(DeviceId::new(1)));
    let of = |kin: &Kin| {
        lab.all
            .of(DisclosureKind::Sbom, kin)
            .map(|one| one.about.id)
    };
    assert_eq!(of(&kin(1, "00-24")), Some(own.about.id));
    assert_eq!(of(&kin(2, "00-24")), Some(of_version.about.id));
    assert_eq!(of(&kin(2, "00-25")), Some(of_model.about.id));
    assert_eq!(
        lab.all.of(DisclosureKind::Mds2, &kin(1, "")).map(|_| ()),
        None
    );
    let newer = String::from_utf8(SBOM.to_vec())
        .unwrap()
        .replace("1.0", "2.0");
    let before = lab.all.changes();
    let again = attach(&lab, newer.as_bytes(), Scope::Device(DeviceId::new(1)));
    assert_eq!(
        (again.about.id, again.about.file.as_str()),
        (own.about.id, "a.json")
    );
    assert_ne!(again.about.sha256, own.about.sha256);
    assert!(lab.all.changes() > before);
    // The very file again is no change.
    attach(&lab, newer.as_bytes(), Scope::Device(DeviceId::new(1)));
    assert_eq!(actions(&lab), ["device.disclosed"; 4]);
    lab.all
        .remove(own.about.id, OFFICER, b"sealed".to_vec())
        .unwrap();
    assert_eq!(of(&kin(1, "00-24")), Some(of_version.about.id));
    let gone = lab.all.remove(own.about.id, OFFICER, Vec::new());
    assert!(matches!(gone, Err(DisclosuresError::NoDisclosure(_))));
    let (read, damaged) = Disclosures::load(lab.store.clone(), SITE).unwrap();
    assert!(damaged.is_empty());
    assert_eq!(read.held().len(), 2);
    let one = read.of(DisclosureKind::Sbom, &kin(2, "00-24")).unwrap();
    assert_eq!(one.about, of_version.about);
    assert_eq!(one.bill().unwrap().components.len(), 1);
}

#[test]
fn what_is_no_bill_and_what_names_nothing_is_refused() {
    let read = |kind, bytes: &[u8]| NewDisclosure::read(kind, "x", bytes).unwrap_err();
    let empty = read(
        DisclosureKind::Sbom,
        br#"{"bomFormat":"CycloneDX","specVersion":"1.4"}"#,
    );
    assert!(matches!(empty, DisclosuresError::NoComponent));
    for bytes in [&b"{"[..], b"", b"[]", b"{\"document\":{}}"] {
        let refused = read(DisclosureKind::Sbom, bytes);
        assert_eq!(refused.problem().code, "device.bad-sbom");
    }
    let refused = read(DisclosureKind::Mds2, b"%PDF-1.7");
    assert_eq!(refused.problem().code, "device.bad-mds2");
    assert!(refused.remark().is_some());
}

#[test]
fn an_approval_holds_until_another_of_the_same_patch_or_its_withdrawal() {
    let lab = lab();
    let now = lab.clock.now();
    let approve = |patch: &str, approved| {
        let scope = Scope::model("Sysmex", "XN-550", "").unwrap();
        let new = NewApproval::new(scope, patch, approved, "TB-7", b"sealed".to_vec());
        lab.all.approve(&new.unwrap(), OFFICER, now).unwrap()
    };
    approve(" KB5034441 ", Approved::Pending);
    approve("kb5034441", Approved::Approved);
    let other = approve("CVE-2023-1968", Approved::Rejected);
    let of = lab.all.approvals_of(&kin(1, "00-24"));
    let shown: Vec<_> = of
        .iter()
        .map(|one| (one.patch.as_str(), one.approved))
        .collect();
    let expected = [
        ("CVE-2023-1968", Approved::Rejected),
        ("kb5034441", Approved::Approved),
    ];
    assert_eq!(shown, expected);
    assert!(
        lab.all
            .approvals_of(&Kin {
                model: "XN-1000".to_owned(),
                ..kin(1, "")
            })
            .is_empty()
    );
    lab.all
        .withdraw(other.id, OFFICER, Vec::new(), now)
        .unwrap();
    let twice = lab.all.withdraw(other.id, OFFICER, Vec::new(), now);
    assert!(matches!(twice, Err(DisclosuresError::NoApproval(_))));
    let (read, _) = Disclosures::load(lab.store.clone(), SITE).unwrap();
    assert_eq!(*read.approvals(), *lab.all.approvals());
    assert_eq!(read.approvals_of(&kin(1, "")).len(), 1);
    assert_eq!(
        actions(&lab).join(" "),
        "device.patch-stated device.patch-stated device.patch-stated device.patch-withdrawn"
    );
}

#[test]
fn a_patch_is_named_by_whole_words() {
    let lab = lab();
    let scope = Scope::model("Sysmex", "XN-550", "").unwrap();
    let new = NewApproval::new(scope, "2.1", Approved::Approved, "", Vec::new()).unwrap();
    let approval = lab.all.approve(&new, OFFICER, lab.clock.now()).unwrap();
    for (text, is_named) in [
        ("Update to 2.1.", true),
        ("version 2.1 or later", true),
        ("2.1", true),
        ("Update to 2.10", false),
        ("Update to 12.1", false),
        ("Update to 2.1.4", false),
        ("", false),
    ] {
        assert_eq!(approval.is_named_in(text), is_named, "{text}");
    }
}

#[test]
fn the_real_bills_of_materials_are_kept_and_read_again() {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA").map(PathBuf::from) else {
        eprintln!("labward-skip: real bills of materials: LABWARD_TEST_DATA is not set");
        return;
    };
    let lab = lab();
    for (device, (name, total)) in (1..).zip([
        ("dropwizard-1.3.15", 167),
        ("juice-shop-11.1.2", 840),
        ("laravel-7.12.0", 62),
    ]) {
        let bytes = std::fs::read(data.join(format!("sbom/{name}.cdx.json"))).unwrap();
        let held = attach(&lab, &bytes, Scope::Device(DeviceId::new(device)));
        let bill = held.bill().unwrap();
        assert_eq!(
            (bill.components.len(), bill.matchable()),
            (total, total),
            "{name}"
        );
    }
    let (read, damaged) = Disclosures::load(lab.store.clone(), SITE).unwrap();
    assert!(damaged.is_empty());
    assert_eq!(read.held().len(), 3);
}
