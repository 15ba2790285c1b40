//! Claims of `docs/ref/matching.md`, checked over real data; skipped unless `LABWARD_TEST_DATA` names its folder.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "helpers of a test file; the archive is unpacked by the system's tar"
)]

#[path = "../../labward-product/tests/documented/mod.rs"]
mod documented;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use documented::documented;
use labward_advisory::csaf::Advisory;
use labward_advisory::cyclonedx::Bom;
use labward_advisory::eol::ReleaseData;
use labward_advisory::kev::Catalog;
use labward_advisory::{Limits, Purl};
use labward_matching::{
    Answers, Books, Components, Device, EndOfLifeTable, Exploited, FixTable, Matcher, Reason,
    Verdict,
};
use labward_product::OperatingSystem;
use serde_json::Value;

/// The folder of the test data, or `None` and a word about it.
fn folder(test: &str) -> Option<PathBuf> {
    let data = std::env::var_os("LABWARD_TEST_DATA");
    if data.is_none() {
        eprintln!("labward-skip: {test}: LABWARD_TEST_DATA is not set");
    }
    data.map(PathBuf::from)
}

/// The JSON documents of an archive whose paths end so, one behind the other.
fn documents(archive: PathBuf, end: &str) -> Vec<String> {
    let unpacked = Command::new("tar")
        .args(["-xJO", "--wildcards", end, "-f"])
        .arg(archive)
        .output()
        .unwrap();
    assert!(unpacked.status.success(), "tar unpacks the archive");
    let text = String::from_utf8(unpacked.stdout).unwrap();
    let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let mut documents = Vec::new();
    let mut begin = 0;
    while let Some(document) = stream.next() {
        document.unwrap();
        documents.push(text.get(begin..stream.byte_offset()).unwrap().to_owned());
        begin = stream.byte_offset();
    }
    documents
}

/// The systems of `testkit/data/devices.csv`, and others that instruments run on.
const SYSTEMS: [(&str, &str); 9] = [
    ("Windows 10 IoT Enterprise LTSC 2019", "17763.6414"),
    ("Windows 10 Pro", "19045.5011"),
    ("Windows 11 Pro", "22631.4317"),
    ("Windows Server 2016", "14393.7259"),
    ("Windows Embedded Standard 7", "7601"),
    ("Windows XP Embedded SP3", ""),
    ("Windows XP Professional SP3", ""),
    ("Windows 10 Pro", "17763.1"),
    ("Windows 7 Professional", ""),
];

#[test]
fn the_catalogue_of_what_is_exploited_is_told_for_the_systems_of_a_lab() {
    let Some(data) = folder("the_catalogue") else {
        return;
    };
    let path = data.join("kev/known_exploited_vulnerabilities.json");
    let catalog = Catalog::parse(&std::fs::read(path).unwrap(), &Limits::default()).unwrap();
    let (fixes, ends) = (
        FixTable::shipped().unwrap(),
        EndOfLifeTable::shipped().unwrap(),
    );
    for cve in fixes.cves() {
        let is_in = catalog.entries.iter().any(|one| &*one.cve == cve);
        assert!(is_in, "{cve} is not in the catalogue");
    }
    let exploited = Exploited::new(&catalog, &fixes, &ends);
    let mut table = String::from(
        "| System | affected | not affected | cannot tell | of these updated since | past its end of life |\n\
         |---|---|---|---|---|---|\n",
    );
    for (name, build) in SYSTEMS {
        let os = OperatingSystem::read(name, build).unwrap();
        let told = exploited.answers_with(&os, 1, "", &Answers::default());
        let with = |verdict| told.iter().filter(|one| one.verdict == verdict).count();
        let because = |reason| {
            told.iter()
                .filter(|one| one.reasons.contains(&reason))
                .count()
        };
        writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} |",
            format!("{name} {build}").trim(),
            with(Verdict::Affected),
            with(Verdict::NotAffected),
            with(Verdict::CannotTell),
            because(Reason::UpdatedSince),
            because(Reason::PastEndOfLife),
        )
        .unwrap();
    }
    documented("exploited", &table);
}

/// Every system of the list of devices is read and has an end; the others of the list name none.
#[test]
fn the_systems_of_the_list_of_devices_are_read() {
    let list = include_str!("../../../testkit/data/devices.csv");
    let mut reader = csv::Reader::from_reader(list.as_bytes());
    let table = EndOfLifeTable::shipped().unwrap();
    let mut read = 0;
    for record in reader.records() {
        let record = record.unwrap();
        let (name, build) = (&record[11], &record[12]);
        match OperatingSystem::read(name, build) {
            Ok(os) => {
                let found = table.end_of_life(&os).unwrap();
                assert_eq!(found.earliest, found.latest, "{name} {build}");
                read += 1;
            }
            Err(_) => assert!(name.is_empty(), "{name} {build}"),
        }
    }
    assert_eq!(read, 33);
}

/// What the advisories say of the devices of the list: model, software, advisory, verdict. Each was read by hand.
const READ_BY_HAND: &[(&str, &str, &str, Verdict)] = &[
    (
        "BD FACSLyric",
        "FACSuite Clinical 1.5",
        "ICSMA-19-029-02",
        Verdict::CannotTell,
    ),
    (
        "BD FACSMelody",
        "FACSChorus 1.3.2",
        "ICSMA-23-331-01",
        Verdict::NotAffected,
    ),
    (
        "CoaguChek Pro II",
        "CoaguChek 03.07.00",
        "ICSMA-18-310-01",
        Verdict::CannotTell,
    ),
    (
        "MiSeqDx",
        "MiSeqDx Operating Software 2.6.2",
        "ICSMA-23-117-01",
        Verdict::NotAffected,
    ),
    ("NPort 5110A", "2.6", "ICSA-17-320-01", Verdict::CannotTell),
    ("NPort 5110A", "2.6", "ICSA-20-287-01", Verdict::CannotTell),
    ("NPort 5110A", "2.6", "ICSA-22-207-04", Verdict::CannotTell),
    (
        "NextSeq 550",
        "NextSeq Control Software 4.0.1",
        "ICSA-22-153-02",
        Verdict::CannotTell,
    ),
    (
        "NextSeq 550",
        "NextSeq Control Software 4.0.1",
        "ICSMA-23-117-01",
        Verdict::CannotTell,
    ),
    (
        "NextSeq 550",
        "NextSeq Control Software 4.0.2",
        "ICSA-22-153-02",
        Verdict::CannotTell,
    ),
    (
        "NextSeq 550",
        "NextSeq Control Software 4.0.2",
        "ICSMA-23-117-01",
        Verdict::CannotTell,
    ),
    (
        "NovaSeq 6000",
        "NovaSeq Control Software 1.8.0",
        "ICSMA-23-117-01",
        Verdict::Affected,
    ),
];

#[test]
fn the_devices_of_the_list_are_hit_as_a_person_reads_it() {
    let Some(data) = folder("the_devices_of_the_list") else {
        return;
    };
    let archive = data.join("csaf/cisa-ot-2017-2023.tar.xz");
    let advisories: Vec<Advisory> = documents(archive, "*.json")
        .iter()
        .map(|text| Advisory::parse(text.as_bytes(), &Limits::default()).unwrap())
        .collect();
    assert_eq!(advisories.len(), 2_035);
    let books = Books::shipped().unwrap();
    let matcher = Matcher::new(&books, &advisories);
    let list = include_str!("../../../testkit/data/devices.csv");
    let mut reader = csv::Reader::from_reader(list.as_bytes());
    let mut told: BTreeMap<(String, String, String), BTreeSet<Verdict>> = BTreeMap::new();
    let mut devices = 0;
    for record in reader.records() {
        let record = record.unwrap();
        devices += 1;
        let device = Device {
            manufacturer: record[2].to_owned(),
            model: record[3].to_owned(),
            product: record[4].to_owned(),
            version: record[5].to_owned(),
        };
        for answer in matcher.answers(&device) {
            let id = advisories.get(answer.advisory).unwrap().id.to_string();
            let software = format!("{} {}", device.product, device.version);
            let key = (device.model.clone(), software.trim().to_owned(), id);
            told.entry(key).or_default().insert(answer.verdict);
        }
    }
    assert_eq!(devices, 60);
    let expect: BTreeMap<(String, String, String), BTreeSet<Verdict>> = READ_BY_HAND
        .iter()
        .map(|(model, software, id, verdict)| {
            let key = (
                (*model).to_owned(),
                (*software).to_owned(),
                (*id).to_owned(),
            );
            (key, BTreeSet::from([*verdict]))
        })
        .collect();
    assert_eq!(told, expect);
}

/// What Labward's own table holds is not in the data that it can be joined with; where it will be, both are compared.
#[test]
fn ends_of_life_of_other_systems_are_joined_with_our_own() {
    let Some(data) = folder("ends_of_life") else {
        return;
    };
    let archive = data.join("eol/endoflife-release-data.tar.xz");
    let mut table = EndOfLifeTable::shipped().unwrap();
    for product in [
        "debian",
        "rhel",
        "sles",
        "windows",
        "windows-server",
        "mssqlserver",
    ] {
        let found = documents_of(&archive, product);
        match product {
            "debian" | "rhel" | "sles" => table.add(product, &found.unwrap()),
            _ => assert!(found.is_none(), "{product}: compare it with our own table"),
        }
    }
    let end = |name| {
        let os = OperatingSystem::read(name, "").unwrap();
        let found = table.end_of_life(&os).unwrap();
        (
            found.earliest.extended.to_string(),
            found.latest.end().to_string(),
        )
    };
    let days = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        end("Debian GNU/Linux 9 (stretch)"),
        days("2020-07-18", "2022-07-01")
    );
    assert_eq!(
        end("Red Hat Enterprise Linux release 8.6"),
        days("2029-05-31", "2033-05-31")
    );
}

fn documents_of(archive: &std::path::Path, product: &str) -> Option<ReleaseData> {
    let file = format!("releases/{product}.json");
    let listed = Command::new("tar")
        .arg("-tJf")
        .arg(archive)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    if !listed.lines().any(|line| line == file) {
        return None;
    }
    let all = documents(archive.to_owned(), &file);
    let text = all.first().unwrap();
    Some(ReleaseData::parse(text.as_bytes(), &Limits::default()).unwrap())
}

#[test]
fn the_package_urls_of_real_bills_of_materials_are_of_known_ecosystems() {
    let Some(data) = folder("the_package_urls") else {
        return;
    };
    let none = Components::new([]);
    let mut asked = 0;
    for file in ["dropwizard-1.3.15", "juice-shop-11.1.2", "laravel-7.12.0"] {
        let path = data.join(format!("sbom/{file}.cdx.json"));
        let bom = Bom::parse(&std::fs::read(path).unwrap(), &Limits::sbom()).unwrap();
        for component in &bom.components {
            let Some(text) = &component.purl else {
                continue;
            };
            let purl = Purl::parse(text).unwrap();
            assert!(none.answers(&purl).is_ok(), "{text}");
            asked += 1;
        }
    }
    assert_eq!(asked, 1_072);
}
