//! The components of a bill of materials and vulnerable ranges of packages, for `matching`.
//!
//! It must never name a package otherwise than the databases do: then nothing would be found, and fast.

use anyhow::{Context as _, Result, bail, ensure};
use labward_advisory::cyclonedx::Bom;
use labward_advisory::osv::{Osv, Vulnerability};
use labward_advisory::{Limits, Purl};
use labward_matching::Components;
use labward_testkit::Random;
use serde_json::{Value, json};

use super::csaf::test_data;
use super::matching::Answered;

/// Bills of the test data that name packages of npm, Maven and Packagist.
const BILLS: [&str; 3] = [
    "sbom/juice-shop-11.1.2.cdx.json",
    "sbom/dropwizard-1.3.15.cdx.json",
    "sbom/laravel-7.12.0.cdx.json",
];

/// One range of so many is of a package in the bill.
const ONE_IN: u64 = 20;

/// Other packages.
const OTHERS: u64 = 20_000;

/// The package URLs of so many components.
pub(super) fn bill(many: usize) -> Result<Vec<Purl>> {
    let mut purls = Vec::new();
    for name in BILLS {
        let bytes =
            std::fs::read(test_data()?.join(name)).with_context(|| format!("read {name}"))?;
        let bom = Bom::parse(&bytes, &Limits::sbom()).with_context(|| format!("read {name}"))?;
        let all = bom.components.iter().filter_map(|one| one.purl.as_deref());
        purls.extend(all.filter_map(Purl::parse));
    }
    purls.truncate(many);
    ensure!(
        purls.len() == many,
        "the bills name {} packages only",
        purls.len()
    );
    Ok(purls)
}

/// So many vulnerabilities of one range each, made up and read as OSV; the same each time.
pub(super) fn vulnerabilities(bill: &[Purl], ranges: u32) -> Result<Vec<Vulnerability>> {
    let mut random = Random::new(1);
    let list = (0..ranges).map(|number| vulnerability(number, bill, &mut random));
    let list: Vec<Value> = list.collect::<Result<_>>()?;
    let text = serde_json::to_string(&list)?;
    let osv = Osv::parse(text.as_bytes(), &Limits::sbom()).context("read the vulnerabilities")?;
    ensure!(osv.flaws.is_empty(), "the vulnerabilities are flawed");
    Ok(osv.vulnerabilities)
}

fn vulnerability(number: u32, bill: &[Purl], random: &mut Random) -> Result<Value> {
    let (ecosystem, name) = match random.below(ONE_IN) {
        0 => {
            let place = random.below(u64::try_from(bill.len())?);
            named(
                bill.get(usize::try_from(place)?)
                    .context("the bill is empty")?,
            )?
        }
        _ => ("npm", format!("package-{}", random.below(OTHERS))),
    };
    let kind = if ecosystem == "npm" {
        "SEMVER"
    } else {
        "ECOSYSTEM"
    };
    let (major, minor) = (random.below(8), random.below(20));
    let introduced = match random.coin() {
        true => "0".to_owned(),
        false => format!("{major}.{minor}.0"),
    };
    let fixed = format!(
        "{}.{}.{}",
        major + random.below(2),
        minor + 1,
        random.below(10)
    );
    Ok(json!({
        "id": format!("BENCH-{number}"),
        "modified": "2026-01-01T00:00:00Z",
        "affected": [{
            "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{ "type": kind, "events": [{ "introduced": introduced }, { "fixed": fixed }] }],
        }],
    }))
}

/// Ecosystem and name of a package as OSV writes them.
fn named(purl: &Purl) -> Result<(&'static str, String)> {
    let (ecosystem, between) = match purl.kind.as_str() {
        "composer" => ("Packagist", '/'),
        "maven" => ("Maven", ':'),
        "npm" => ("npm", '/'),
        other => bail!("a package of {other} is in the bill"),
    };
    let name = match &purl.namespace {
        Some(group) => format!("{group}{between}{}", purl.name),
        None => purl.name.clone(),
    };
    Ok((ecosystem, name))
}

/// Matches every component.
pub(super) fn answer(components: &Components, bill: &[Purl]) -> Result<Answered> {
    let mut answered = Answered::default();
    for purl in bill {
        for answer in components.answers(purl)? {
            answered.count(answer.verdict);
        }
    }
    Ok(answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_the_bill_are_found_and_some_affect() {
        let purls = [
            "pkg:npm/%40babel/code@7.0.0",
            "pkg:maven/io.x/core@1.3.15",
            "pkg:composer/a/b@2.0.0",
        ];
        let bill: Vec<Purl> = purls.iter().filter_map(|text| Purl::parse(text)).collect();
        let made = vulnerabilities(&bill, 2_000).unwrap();
        assert_eq!(made.len(), 2_000);
        let Answered {
            affected,
            not_affected,
            cannot_tell,
        } = answer(&Components::new(made.clone()), &bill).unwrap();
        // About one in twenty is of the three packages.
        assert!((60..160).contains(&(affected + not_affected)));
        assert!(affected > 0 && not_affected > 0 && cannot_tell == 0);
        let again = vulnerabilities(&bill, 2_000).unwrap();
        let names = |all: &[Vulnerability]| {
            all.iter()
                .map(|one| one.affected.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&made), names(&again));
        assert!(named(&Purl::parse("pkg:deb/debian/curl@1").unwrap()).is_err());
    }
}
