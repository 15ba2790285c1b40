//! Every product of CISA's advisories of industrial control systems, 2017 to 2023, read without a panic and
//! without one that is dropped.
//!
//! They lie outside the repository, where `LABWARD_TEST_DATA` points; without it the tests say that they were skipped.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "helpers of a test file; the archive is unpacked by the system's tar"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use labward_product::name::products_match;
use labward_product::range::{self, Confidence};
use labward_product::{Match, Name, NameBook, NameIndex, VendorBook, Version};
use serde_json::Value;

mod documented;
use documented::documented;

/// A product of an advisory: vendor, name and the text of its versions.
struct Product {
    vendor: String,
    name: String,
    versions: Option<String>,
}

fn collect(
    branches: &Value,
    vendor: &str,
    name: &str,
    versions: Option<&str>,
    products: &mut Vec<Product>,
) {
    for branch in branches.as_array().into_iter().flatten() {
        let text = branch["name"].as_str().unwrap_or("");
        let category = branch["category"].as_str().unwrap_or("");
        let (mut vendor, mut name, mut versions) = (vendor, name, versions);
        match category {
            "vendor" => vendor = text,
            "product_version" | "product_version_range" => versions = Some(text),
            _ => name = text,
        }
        if branch.get("product").is_some() {
            products.push(Product {
                vendor: vendor.to_owned(),
                name: name.to_owned(),
                versions: versions.map(str::to_owned),
            });
        }
        collect(&branch["branches"], vendor, name, versions, products);
    }
}

fn products() -> Option<Vec<Product>> {
    let Some(folder) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: products of advisories: LABWARD_TEST_DATA is not set");
        return None;
    };
    let archive = Path::new(&folder).join("csaf/cisa-ot-2017-2023.tar.xz");
    let unpacked = Command::new("tar")
        .args(["-xJO", "--wildcards", "*.json", "-f"])
        .arg(archive)
        .output()
        .unwrap();
    assert!(unpacked.status.success(), "tar unpacks the archive");
    let mut products = Vec::new();
    for document in serde_json::Deserializer::from_slice(&unpacked.stdout).into_iter::<Value>() {
        collect(
            &document.unwrap()["product_tree"]["branches"],
            "",
            "",
            None,
            &mut products,
        );
    }
    Some(products)
}

#[test]
fn every_version_string_of_the_advisories_is_read_or_said_to_be_unreadable() {
    let Some(products) = products() else { return };
    assert_eq!(products.len(), 13_541);
    let probes = ["1.0", "V7.4 SP1", "R8.2", "B.06", "May 2018", "12U000040"].map(Version::read);
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    let mut read = 0;
    let texts = products
        .iter()
        .filter_map(|product| product.versions.as_deref());
    let mut count = 0;
    for text in texts {
        count += 1;
        let class = match range::read(text) {
            Ok(reading) => {
                read += 1;
                for probe in &probes {
                    let _ = reading.holds(probe);
                }
                if reading.confidence == Confidence::Doubtful {
                    "read, doubtful".to_owned()
                } else {
                    format!("read, {}", reading.alternatives.first().unwrap().how.code())
                }
            }
            Err(unreadable) => {
                assert_eq!(unreadable.text, text, "the text is kept");
                format!("unreadable, {}", unreadable.why.code())
            }
        };
        *classes.entry(class).or_default() += 1;
    }
    let mut table = String::from("| How it was read | Products |\n|---|---|\n");
    for (class, number) in &classes {
        writeln!(table, "| {class} | {number} |").unwrap();
    }
    writeln!(table, "| all | {count} |").unwrap();
    documented("advisories", &table);
    assert_eq!(classes.values().sum::<usize>(), count, "nothing is dropped");
    assert!(read * 100 >= count * 97, "{read} of {count} are read");
}

#[test]
fn the_book_knows_every_vendor_of_the_advisories() {
    let Some(products) = products() else { return };
    let book = VendorBook::shipped().unwrap();
    let spellings: BTreeSet<&str> = products
        .iter()
        .map(|product| product.vendor.as_str())
        .collect();
    assert_eq!(spellings.len(), 434);
    let unknown: Vec<&str> = spellings
        .into_iter()
        .filter(|spelling| book.identify(spelling).is_empty())
        .collect();
    // These name no vendor.
    assert_eq!(
        unknown,
        [
            "multiple",
            "multiple open source",
            "multiple trailer and brake manufacturers",
            "n/a"
        ]
    );
}

#[test]
fn the_index_finds_what_a_comparison_with_every_product_finds() {
    let Some(products) = products() else { return };
    let (vendors, names) = (VendorBook::shipped().unwrap(), NameBook::shipped().unwrap());
    // Every fifth product, so that comparing each with each does not take long.
    let products: Vec<(&str, &str)> = products
        .iter()
        .step_by(5)
        .map(|product| (product.vendor.as_str(), product.name.as_str()))
        .collect();
    let index = NameIndex::new(&vendors, &names, products.iter().copied());
    let read: Vec<Name> = products
        .iter()
        .map(|(vendor, name)| Name::of_vendor(name, vendor, &vendors, &names))
        .collect();
    let mut matches = 0;
    // Products as devices, a wrong letter, and vendors that the book does not know.
    let others = [
        ("Ilumina", "NextSeq 550Dx"),
        ("General", "CARESCAPE"),
        ("Nobody at all", "Monitor"),
    ];
    for (vendor, name) in products.iter().copied().step_by(300).chain(others) {
        let device = Name::of_vendor(name, vendor, &vendors, &names);
        let every: BTreeSet<(usize, &str)> = products
            .iter()
            .zip(&read)
            .map(|((other, _), product)| {
                products_match(&vendors, &names, (vendor, &device), (other, product))
            })
            .enumerate()
            .filter(|(_, matched)| *matched != Match::No)
            .map(|(number, matched)| (number, matched.code()))
            .collect();
        let found: BTreeSet<(usize, &str)> = index
            .find(vendor, name)
            .iter()
            .map(|found| (found.product, found.matched.code()))
            .collect();
        assert_eq!(found, every, "{vendor} {name}");
        matches += found.len();
    }
    assert!(matches > 20, "{matches} matches are compared");
}
