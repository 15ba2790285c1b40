//! The rules on small advisories, and real ones against devices as labs have them.

use std::path::PathBuf;

use labward_advisory::Limits;
use labward_advisory::csaf::Advisory;
use serde_json::{Value, json};

use super::*;

mod components;
mod exploited;
mod people;
mod published;
mod vex;

/// An advisory of one vulnerability: vendor, product, version text and status of each product.
fn advisory(products: &[(&str, &str, &str, &str)]) -> Advisory {
    let branch = |category: &str, name: &str, inner: Value| json!({ "category": category, "name": name, "branches": [inner] });
    let mut tree = Vec::new();
    let mut statuses = serde_json::Map::new();
    for (number, (vendor, name, version, status)) in products.iter().enumerate() {
        let id = format!("P{number}");
        let product = json!({ "product_id": id, "name": name });
        let leaf = match version.is_empty() {
            true => json!({ "category": "product_name", "name": name, "product": product }),
            false => branch(
                "product_name",
                name,
                json!({ "category": "product_version_range", "name": version, "product": product }),
            ),
        };
        tree.push(branch("vendor", vendor, leaf));
        let listed = statuses.entry(status.to_string()).or_insert(json!([]));
        listed.as_array_mut().unwrap().push(json!(id));
    }
    let text = json!({
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "title": "T",
            "publisher": { "category": "coordinator", "name": "P", "namespace": "https://example.org" },
            "tracking": { "id": "A-1", "status": "final", "version": "1" },
        },
        "product_tree": { "branches": tree },
        "vulnerabilities": [{ "cve": "CVE-2023-1968", "product_status": statuses }],
    });
    Advisory::parse(text.to_string().as_bytes(), &Limits::default()).unwrap()
}

fn device(manufacturer: &str, model: &str, version: &str) -> Device {
    Device {
        manufacturer: manufacturer.to_owned(),
        model: model.to_owned(),
        version: version.to_owned(),
        ..Device::default()
    }
}

/// The verdict about the one vulnerability and its reasons; none if it does not concern the device.
fn verdict(
    products: &[(&str, &str, &str, &str)],
    device: &Device,
) -> Option<(Verdict, Vec<&'static str>)> {
    let (books, all) = (Books::shipped().unwrap(), [advisory(products)]);
    let answers = Matcher::new(&books, &all).answers(device);
    assert!(answers.len() <= 1, "one vulnerability is one answer");
    let answer = answers.into_iter().next()?;
    assert!(
        !answer.trails.is_empty(),
        "no verdict without the way to it"
    );
    assert_eq!(
        answer.reasons.is_empty(),
        answer.verdict != Verdict::CannotTell
    );
    let reasons = answer.reasons.iter().map(|reason| reason.code());
    Some((answer.verdict, reasons.collect()))
}

#[track_caller]
fn check(
    products: &[(&str, &str, &str, &str)],
    device: &Device,
    expect: Option<(Verdict, &[&'static str])>,
) {
    let expect = expect.map(|(verdict, reasons)| (verdict, reasons.to_vec()));
    assert_eq!(verdict(products, device), expect, "{device:?}");
}

const AFFECTED: &str = "known_affected";

#[test]
fn a_version_inside_is_affected_and_one_outside_is_not() {
    let products = [("Illumina", "MiSeq Control Software", "<= 4.0", AFFECTED)];
    let with = |version| device("Illumina", "MiSeq Control Software", version);
    check(&products, &with("3.9"), Some((Verdict::Affected, &[])));
    check(&products, &with("4.1"), Some((Verdict::NotAffected, &[])));
    check(
        &products,
        &with(""),
        Some((Verdict::CannotTell, &["no-version"])),
    );
    check(
        &products,
        &device("Roche", "MiSeq Control Software", "3.9"),
        None,
    );
    check(&products, &device("Illumina", "NovaSeq", "3.9"), None);
}

#[test]
fn all_versions_hit_a_device_whose_version_nobody_knows() {
    let products = [("Illumina", "iSeq 100", "vers:all/*", AFFECTED)];
    check(
        &products,
        &device("illumina, Inc.", "iSeq100", ""),
        None.or(Some((Verdict::Affected, &[]))),
    );
}

#[test]
fn what_a_publisher_does_not_say_of_versions_is_a_doubt() {
    let silent = [("Philips", "Vue PACS", "", AFFECTED)];
    check(
        &silent,
        &device("Philips", "Vue PACS", "12"),
        Some((Verdict::CannotTell, &["no-range"])),
    );
    let model = [(
        "Roche Diagnostics",
        "Point of Care devices",
        "CoaguChek XS Pro",
        AFFECTED,
    )];
    check(
        &model,
        &device("Roche", "CoaguChek XS Pro", "1.0"),
        Some((Verdict::CannotTell, &["no-range"])),
    );
}

#[test]
fn another_version_of_what_may_be_another_product_is_no_clearance() {
    let products = [("Illumina", "MiSeq Dx LRM", ">= 1.3 | <= 3.1", AFFECTED)];
    let here = device("Illumina", "MiSeq", "4.0");
    check(
        &products,
        &here,
        Some((Verdict::CannotTell, &["other-version"])),
    );
}

#[test]
fn a_sibling_says_nothing_of_a_product_that_is_listed_itself() {
    let products = [
        ("Moxa", "NPort 5110", "< 2.0", AFFECTED),
        ("Moxa", "NPort 5110 Series A", "< 9.0", AFFECTED),
    ];
    let here = device("Moxa", "NPort 5110", "2.6");
    check(&products, &here, Some((Verdict::NotAffected, &[])));
}

#[test]
fn a_fix_clears_the_very_version_and_a_contradiction_is_said() {
    let fixed = [
        ("Siemens", "SIMATIC S7", "< 2.0", AFFECTED),
        ("Siemens", "SIMATIC S7", "2.0", "fixed"),
    ];
    let with = |version| device("Siemens", "SIMATIC S7", version);
    check(&fixed, &with("2.0"), Some((Verdict::NotAffected, &[])));
    check(&fixed, &with("1.9"), Some((Verdict::Affected, &[])));
    let both = [
        ("Siemens", "SIMATIC S7", "<= 2.0", AFFECTED),
        ("Siemens", "SIMATIC S7", "2.0", "known_not_affected"),
    ];
    check(
        &both,
        &with("2.0"),
        Some((Verdict::CannotTell, &["contradiction"])),
    );
    let asked = [("Siemens", "SIMATIC S7", "<= 2.0", "under_investigation")];
    check(
        &asked,
        &with("2.0"),
        Some((Verdict::CannotTell, &["under-investigation"])),
    );
    let advised = [("Siemens", "SIMATIC S7", "<= 2.0", "recommended")];
    check(&advised, &with("2.0"), None);
}

#[test]
fn the_end_of_a_range_and_what_is_looked_into_clear_no_other_version() {
    let with = |version| device("Siemens", "SIMATIC S7", version);
    for status in ["first_affected", "last_affected"] {
        let products = [("Siemens", "SIMATIC S7", "2.0", status)];
        let expect: (Verdict, &[&'static str]) = (Verdict::CannotTell, &["other-version"]);
        check(&products, &with("1.9"), Some(expect));
        check(&products, &with("2.0"), Some((Verdict::Affected, &[])));
    }
    let asked = [("Siemens", "SIMATIC S7", "<= 2.0", "under_investigation")];
    check(&asked, &with("2.1"), None);
}

/// The medical advisories of the test data, in the order of their ids.
fn medical(test: &str) -> Option<Vec<Advisory>> {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: {test}: LABWARD_TEST_DATA is not set");
        return None;
    };
    let folder = PathBuf::from(data).join("csaf/medical");
    let mut all: Vec<Advisory> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| Advisory::parse(&std::fs::read(path).unwrap(), &Limits::default()).unwrap())
        .collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Some(all)
}

/// What was read by hand: manufacturer, model, software, version, advisory, verdict.
const READ_BY_HAND: &[(&str, &str, &str, &str, &str, Verdict)] = &[
    (
        "Illumina",
        "MiSeqDx",
        "MiSeqDx Operating Software",
        "4.0.1",
        "ICSMA-23-117-01",
        Verdict::Affected,
    ),
    (
        "Illumina",
        "NextSeq 550Dx",
        "NextSeq 550Dx Operating Software",
        "1.3.1",
        "ICSMA-23-117-01",
        Verdict::Affected,
    ),
    (
        "Illumina",
        "NextSeq 550Dx",
        "NextSeq 550Dx Operating Software",
        "1.3.2",
        "ICSMA-23-117-01",
        Verdict::NotAffected,
    ),
    (
        "Illumina",
        "iSeq 100",
        "",
        "",
        "ICSMA-23-117-01",
        Verdict::Affected,
    ),
    (
        "BD",
        "FACSChorus",
        "",
        "5.1",
        "ICSMA-23-331-01",
        Verdict::Affected,
    ),
    (
        "BD",
        "Viper LT",
        "",
        "4.10",
        "ICSMA-22-062-02",
        Verdict::Affected,
    ),
    (
        "BD",
        "Totalys MultiProcessor",
        "",
        "1.71",
        "ICSMA-22-277-01",
        Verdict::NotAffected,
    ),
    (
        "Becton Dickinson",
        "Synapsys",
        "",
        "4.20 SR1",
        "ICSMA-22-151-02",
        Verdict::Affected,
    ),
    (
        "BD",
        "FACSLyric",
        "",
        "1.2",
        "ICSMA-19-029-02",
        Verdict::CannotTell,
    ),
    (
        "Roche",
        "CoaguChek XS Pro",
        "",
        "",
        "ICSMA-18-310-01",
        Verdict::CannotTell,
    ),
    (
        "Roche",
        "Accu-Chek Inform II",
        "",
        "03.06.00",
        "ICSMA-18-310-01",
        Verdict::CannotTell,
    ),
    (
        "Swisslog Healthcare",
        "Nexus Control Panel",
        "",
        "7.2.5.6",
        "ICSMA-21-215-01",
        Verdict::Affected,
    ),
    (
        "Swisslog",
        "Nexus Control Panel",
        "",
        "7.2.5.7",
        "ICSMA-21-215-01",
        Verdict::NotAffected,
    ),
    (
        "Baxter",
        "ExactaMix EM2400",
        "",
        "1.13",
        "ICSMA-20-170-01",
        Verdict::Affected,
    ),
];

#[test]
fn real_advisories_say_of_devices_what_a_person_reads_in_them() {
    let Some(advisories) = medical("real_advisories") else {
        return;
    };
    let books = Books::shipped().unwrap();
    let matcher = Matcher::new(&books, &advisories);
    for (manufacturer, model, product, version, id, expect) in READ_BY_HAND {
        let device = Device {
            product: (*product).to_owned(),
            ..device(manufacturer, model, version)
        };
        let answers = matcher.answers(&device);
        let of_it = |answer: &&Answer| &*advisories[answer.advisory].id == *id;
        let found: Vec<Verdict> = answers
            .iter()
            .filter(of_it)
            .map(|one| one.verdict)
            .collect();
        assert!(!found.is_empty(), "{model} {version}: {id} is not found");
        assert!(
            found.iter().all(|one| one == expect),
            "{model} {version}: {id}: {found:?}"
        );
    }
    for (manufacturer, model) in [
        ("Sysmex", "XN-550"),
        ("Cepheid", "GeneXpert"),
        ("Dell", "OptiPlex 7070"),
    ] {
        assert!(
            matcher
                .answers(&device(manufacturer, model, "1.0"))
                .is_empty(),
            "{model}"
        );
    }
}

#[test]
fn every_product_is_hit_by_a_device_that_bears_its_very_name() {
    let Some(advisories) = medical("every_product") else {
        return;
    };
    let books = Books::shipped().unwrap();
    let matcher = Matcher::new(&books, &advisories);
    for advisory in &advisories {
        for product in &advisory.products {
            let (Some(vendor), Some(name)) = (&product.vendor, &product.name) else {
                continue;
            };
            let answers = matcher.answers(&device(vendor, name, "1.0"));
            let is_told = answers
                .iter()
                .any(|one| advisories[one.advisory].id == advisory.id);
            assert!(is_told, "{}: {vendor} {name} is dropped", advisory.id);
        }
    }
}
