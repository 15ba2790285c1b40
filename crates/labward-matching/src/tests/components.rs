//! Components against ranges: facts of real vulnerabilities, and the rules.

use labward_advisory::Purl;
use labward_advisory::osv::Osv;
use labward_base::Timestamp;
use proptest::prelude::*;

use super::*;

/// A vulnerability of one package: ecosystem, name, kind of range, events, listed versions.
fn osv(ecosystem: &str, name: &str, kind: &str, events: Value, versions: &[&str]) -> Osv {
    let mut affected = json!({
        "package": { "ecosystem": ecosystem, "name": name },
        "versions": versions,
    });
    if !kind.is_empty() {
        affected["ranges"] = json!([{ "type": kind, "events": events }]);
    }
    let text = json!([{ "id": "GHSA-1", "aliases": ["CVE-2021-44228"], "affected": [affected] }]);
    Osv::parse(text.to_string().as_bytes(), &Limits::default()).unwrap()
}

#[track_caller]
fn check(osv: &Osv, purl: &str, expect: Option<(Verdict, &[&str])>) {
    let components = Components::new(osv.vulnerabilities.clone());
    let told = components.answers(&Purl::parse(purl).unwrap()).unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|one| {
            assert!(!one.trails.is_empty());
            let reasons: Vec<_> = one.reasons.iter().map(|reason| reason.code()).collect();
            (one.verdict, reasons)
        })
        .collect();
    let expect = expect.map(|(verdict, reasons)| (verdict, reasons.to_vec()));
    assert_eq!(told, Vec::from_iter(expect), "{purl}");
}

const LOG4J: &str = "org.apache.logging.log4j:log4j-core";

#[test]
fn log4shell_hits_the_versions_that_it_hits() {
    // CVE-2021-44228: 2.13.0 to before 2.15.0, 2.4 to before 2.12.2, 2.0-beta9 to before 2.3.1.
    let events = json!([
        { "introduced": "2.13.0" }, { "fixed": "2.15.0" },
        { "introduced": "2.4" }, { "fixed": "2.12.2" },
        { "introduced": "2.0-beta9" }, { "fixed": "2.3.1" },
    ]);
    let osv = osv("Maven", LOG4J, "ECOSYSTEM", events, &[]);
    let purl = |version| format!("pkg:maven/org.apache.logging.log4j/log4j-core@{version}");
    for (version, expect) in [
        ("2.14.1", Verdict::Affected),
        ("2.13.0", Verdict::Affected),
        ("2.12.2", Verdict::NotAffected),
        ("2.12.1", Verdict::Affected),
        ("2.3.1", Verdict::NotAffected),
        ("2.3", Verdict::Affected),
        ("2.15.0", Verdict::NotAffected),
        ("2.17.1", Verdict::NotAffected),
        ("1.2.17", Verdict::NotAffected),
    ] {
        check(&osv, &purl(version), Some((expect, &[])));
    }
    check(
        &osv,
        &purl("2.0-rc1"),
        Some((Verdict::CannotTell, &["version-order"])),
    );
    check(
        &osv,
        "pkg:maven/org.apache.logging.log4j/log4j-core",
        Some((Verdict::CannotTell, &["no-version"])),
    );
    check(
        &osv,
        "pkg:maven/org.apache.logging.log4j/log4j-api@2.14.1",
        None,
    );
}

#[test]
fn a_semantic_range_orders_prereleases() {
    let events = json!([{ "introduced": "0" }, { "fixed": "4.17.12" }]);
    let osv = osv("npm", "lodash", "SEMVER", events, &[]);
    check(
        &osv,
        "pkg:npm/lodash@4.17.11",
        Some((Verdict::Affected, &[])),
    );
    check(
        &osv,
        "pkg:npm/lodash@4.17.12-pre",
        Some((Verdict::Affected, &[])),
    );
    check(
        &osv,
        "pkg:npm/lodash@4.17.12",
        Some((Verdict::NotAffected, &[])),
    );
    check(
        &osv,
        "pkg:npm/lodash@master",
        Some((Verdict::CannotTell, &["version-order"])),
    );
}

#[test]
fn the_last_affected_version_is_affected() {
    let events = json!([{ "introduced": "1.0" }, { "last_affected": "1.4" }]);
    let osv = osv("PyPI", "Some.Thing", "ECOSYSTEM", events, &["0.9rc1"]);
    check(
        &osv,
        "pkg:pypi/some-thing@1.4",
        Some((Verdict::Affected, &[])),
    );
    check(
        &osv,
        "pkg:pypi/some-thing@1.4.1",
        Some((Verdict::NotAffected, &[])),
    );
    check(
        &osv,
        "pkg:pypi/some-thing@0.9rc1",
        Some((Verdict::Affected, &[])),
    );
    check(
        &osv,
        "pkg:pypi/some-thing@1.4.post1",
        Some((Verdict::CannotTell, &["version-order"])),
    );
}

#[test]
fn where_the_order_is_not_known_only_listed_versions_count() {
    let events = json!([{ "introduced": "0" }, { "fixed": "3.0.11-1~deb12u2" }]);
    let osv_of = |kind| osv("Debian:12", "openssl", kind, events.clone(), &["3.0.9-1"]);
    let purl = |version, distro| format!("pkg:deb/debian/openssl@{version}?distro={distro}");
    check(
        &osv_of("ECOSYSTEM"),
        &purl("3.0.9-1", "debian-12"),
        Some((Verdict::Affected, &[])),
    );
    let open: (Verdict, &[&str]) = (Verdict::CannotTell, &["version-order"]);
    check(
        &osv_of("ECOSYSTEM"),
        &purl("3.0.14-1", "debian-12"),
        Some(open),
    );
    let other: (Verdict, &[&str]) = (Verdict::CannotTell, &["distribution"]);
    check(
        &osv_of("ECOSYSTEM"),
        &purl("3.0.9-1", "debian-11"),
        Some(other),
    );
    check(
        &osv_of("ECOSYSTEM"),
        "pkg:deb/debian/openssl@3.0.9-1",
        Some(other),
    );
    check(
        &osv_of("GIT"),
        &purl("3.0.14-1", "debian-12"),
        Some((Verdict::CannotTell, &["commits"])),
    );
    check(
        &osv_of(""),
        &purl("3.0.14-1", "debian-12"),
        Some((Verdict::NotAffected, &[])),
    );
}

#[test]
fn what_was_withdrawn_counts_no_longer_and_an_unknown_type_is_said() {
    let events = json!([{ "introduced": "0" }]);
    let mut osv = osv("npm", "lodash", "SEMVER", events, &[]);
    // Every version, so that none is needed.
    check(&osv, "pkg:npm/lodash", Some((Verdict::Affected, &[])));
    osv.vulnerabilities[0].withdrawn = Some(Timestamp::from_seconds(1));
    check(&osv, "pkg:npm/lodash@1.0.0", None);
    let components = Components::new(osv.vulnerabilities.clone());
    let generic = Purl::parse("pkg:generic/lodash@1").unwrap();
    assert_eq!(components.answers(&generic), Err(UnknownEcosystem));
}

#[test]
fn a_persons_statement_counts_by_the_alias_too() {
    let events = json!([{ "introduced": "0" }]);
    let osv = osv("npm", "lodash", "SEMVER", events, &[]);
    let components = Components::new(osv.vulnerabilities.clone());
    let statement = Statement {
        id: 3,
        said: Timestamp::from_seconds(1),
        device: 1,
        version: None,
        vulnerability: VulnerabilityId::public("CVE-2021-44228"),
        status: VexStatus::NotAffected,
        justification: Some(Justification::VulnerableCodeNotInExecutePath),
        words: String::new(),
    };
    let said = Answers::new([], [statement]);
    let purl = Purl::parse("pkg:npm/lodash@1.0.0").unwrap();
    let told = components
        .answers_with(&purl, 1, "", &said)
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(
        (told.verdict, told.stated.unwrap().id),
        (Verdict::NotAffected, 3)
    );
    assert_eq!(told.without.unwrap().verdict, Some(Verdict::Affected));
}

proptest! {
    /// The order of the events in the file does not matter, and a version is in exactly one interval or none.
    #[test]
    fn a_range_holds_what_its_intervals_hold(
        mut bounds in proptest::collection::btree_set(1..30_u64, 2..8),
        version in 0..32_u64,
        turned: bool,
    ) {
        if bounds.len() % 2 == 1 {
            bounds.pop_last();
        }
        let bounds: Vec<u64> = bounds.into_iter().collect();
        let mut events: Vec<Value> = bounds.iter().enumerate().map(|(at, bound)| match at % 2 {
            0 => json!({ "introduced": format!("1.{bound}") }),
            _ => json!({ "fixed": format!("1.{bound}") }),
        }).collect();
        if turned {
            events.reverse();
        }
        let osv = osv("npm", "a", "SEMVER", json!(events), &[]);
        let inside = bounds.chunks(2).any(|pair| (pair[0]..pair[1]).contains(&version));
        let components = Components::new(osv.vulnerabilities.clone());
        let purl = Purl::parse(&format!("pkg:npm/a@1.{version}.0")).unwrap();
        let told = components.answers(&purl).unwrap();
        prop_assert_eq!(told[0].verdict == Verdict::Affected, inside);
        prop_assert_eq!(told[0].verdict == Verdict::NotAffected, !inside);
    }
}
