//! How many versions are compared, texts read and devices looked up in a second, on one core.
//!
//! `LABWARD_TEST_DATA=… cargo run --release -p labward-product --example speed`

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures time, and the archive is unpacked by the system's tar"
)]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use labward_product::{Name, NameBook, NameIndex, VendorBook, Version, range};
use serde_json::Value;

/// Vendor, name and text of the versions of every product.
type Products = Vec<(String, String, Option<String>)>;

fn collect(branches: &Value, place: (&str, &str, Option<&str>), products: &mut Products) {
    for branch in branches.as_array().into_iter().flatten() {
        let text = branch["name"].as_str().unwrap_or("");
        let mut place = place;
        match branch["category"].as_str().unwrap_or("") {
            "vendor" => place.0 = text,
            "product_version" | "product_version_range" => place.2 = Some(text),
            _ => place.1 = text,
        }
        if branch.get("product").is_some() {
            products.push((
                place.0.to_owned(),
                place.1.to_owned(),
                place.2.map(str::to_owned),
            ));
        }
        collect(&branch["branches"], place, products);
    }
}

/// The shortest of five runs.
fn shortest(mut run: impl FnMut()) -> Duration {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap()
}

fn main() {
    let archive = format!(
        "{}/csaf/cisa-ot-2017-2023.tar.xz",
        std::env::var("LABWARD_TEST_DATA").unwrap()
    );
    let unpacked = Command::new("tar")
        .args(["-xJO", "--wildcards", "*.json", "-f", &archive])
        .output()
        .unwrap();
    let mut products = Products::new();
    for document in serde_json::Deserializer::from_slice(&unpacked.stdout).into_iter::<Value>() {
        collect(
            &document.unwrap()["product_tree"]["branches"],
            ("", "", None),
            &mut products,
        );
    }

    let texts: Vec<&str> = products.iter().filter_map(|p| p.2.as_deref()).collect();
    let reading = shortest(|| {
        for text in &texts {
            black_box(range::read(black_box(text)).is_ok());
        }
    });
    println!(
        "{} texts read: {:.0} a second",
        texts.len(),
        texts.len() as f64 / reading.as_secs_f64()
    );

    let versions: Vec<Version> = texts
        .iter()
        .filter_map(|text| range::read(text).ok()?.alternatives.first()?.high.clone())
        .map(|bound| bound.version)
        .take(2000)
        .collect();
    let comparing = shortest(|| {
        for a in &versions {
            for b in &versions {
                black_box(black_box(a).compare(black_box(b)).is_ok());
            }
        }
    });
    let count = versions.len() * versions.len();
    println!(
        "{count} comparisons: {:.1} million a second",
        count as f64 / comparing.as_secs_f64() / 1e6
    );

    let (vendors, names) = (VendorBook::shipped().unwrap(), NameBook::shipped().unwrap());
    let build = shortest(|| {
        black_box(
            NameIndex::new(
                &vendors,
                &names,
                products.iter().map(|p| (p.0.as_str(), p.1.as_str())),
            )
            .len(),
        );
    });
    let index = NameIndex::new(
        &vendors,
        &names,
        products.iter().map(|p| (p.0.as_str(), p.1.as_str())),
    );
    println!(
        "index of {} products ({} names): {build:?}",
        products.len(),
        index.len()
    );
    // Every 27th product as a device, which is one of the models that the name packs; every fifth with a letter of
    // its vendor lost.
    let devices: Vec<(String, String)> = products
        .iter()
        .step_by(27)
        .take(500)
        .enumerate()
        .map(|(at, p)| {
            let mut vendor = p.0.clone();
            if at % 5 == 0 && vendor.is_char_boundary(1) {
                vendor.remove(1);
            }
            let model = Name::read(&p.1, &names)
                .variants()
                .first()
                .map_or_else(String::new, |words| words.join(" "));
            (vendor, model)
        })
        .collect();
    let mut hits = 0;
    let finding: Duration = devices
        .iter()
        .map(|(vendor, name)| {
            hits += index.find(vendor, name).len();
            shortest(|| {
                black_box(index.find(vendor, name).len());
            })
        })
        .sum();
    println!(
        "{} devices looked up: {finding:?} for {hits} matches",
        devices.len()
    );
}
