//! Tests of the vulnerabilities, but for their scores.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use labward_base::Timestamp;

use super::facts::Facts;
use super::form::is_cve;
use super::schema::JUSTIFICATIONS;
use crate::flaw::{Flaws, quote};

/// Statuses that exclude each other, by the group that they belong to.
const GROUPS: [(&[&str], &str); 4] = [
    (
        &["first_affected", "known_affected", "last_affected"],
        "affected",
    ),
    (&["known_not_affected"], "not affected"),
    (&["first_fixed", "fixed"], "fixed"),
    (&["under_investigation"], "under investigation"),
];

/// 6.1.6.
pub(super) fn contradicting_status(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        let mut groups: HashMap<&str, &str> = HashMap::new();
        for (statuses, group) in GROUPS {
            for product in Facts::with_status(*vulnerability, statuses) {
                let Some(id) = product.text() else { continue };
                let before = *groups.entry(id).or_insert(group);
                if before != group {
                    let what = format!("{} is both {before} and {group}", quote(id));
                    flaws.add("6.1.6", product, what);
                }
            }
        }
    }
}

/// The table of weaknesses: number and name.
fn weaknesses() -> &'static HashMap<&'static str, &'static str> {
    static TABLE: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    TABLE.get_or_init(|| {
        include_str!("cwe.tsv")
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .collect()
    })
}

/// 6.1.11, 6.3.4.
pub(super) fn weakness(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        let Some(cwe) = vulnerability.get("cwe") else {
            flaws.add("6.3.4", *vulnerability, "no weakness (CWE) is given");
            continue;
        };
        let number = cwe.text_of("id").and_then(|id| id.strip_prefix("CWE-"));
        let (Some(number), Some(name)) = (number, cwe.text_of("name")) else {
            continue;
        };
        match weaknesses().get(number) {
            None => flaws.add("6.1.11", cwe, "no such weakness in CWE 4.17"),
            Some(real) if real.trim() != name.trim() => {
                flaws.add(
                    "6.1.11",
                    cwe,
                    format!("CWE-{number} is named {}", quote(real)),
                );
            }
            Some(_) => {}
        }
    }
}

/// 6.1.23, 6.3.3.
pub(super) fn same_cve(facts: &Facts<'_>, flaws: &mut Flaws) {
    let mut seen = HashSet::new();
    for vulnerability in &facts.vulnerabilities {
        match vulnerability.get("cve") {
            None => flaws.add("6.3.3", *vulnerability, "no CVE is given"),
            Some(at) => {
                if let Some(cve) = at.text()
                    && !seen.insert(cve)
                {
                    flaws.add("6.1.23", at, format!("{} stands twice", quote(cve)));
                }
            }
        }
    }
}

/// 6.1.24, 6.2.7.
pub(super) fn involvements(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        let mut seen = HashSet::new();
        for involvement in vulnerability.list("involvements") {
            let date = involvement.text_of("date");
            if date.is_none() {
                flaws.add("6.2.7", involvement, "the date is missing");
            }
            // The same moment may be written in two ways.
            let moment = date.and_then(Timestamp::parse_rfc3339);
            let when = moment.ok_or(date);
            if !seen.insert((involvement.text_of("party"), when)) {
                let what = "a second involvement of the same party at the same time";
                flaws.add("6.1.24", involvement, what);
            }
        }
    }
}

/// 6.1.27.7 to 6.1.27.10.
pub(super) fn vex(facts: &Facts<'_>, flaws: &mut Flaws) {
    if facts.category != "csaf_vex" {
        return;
    }
    for vulnerability in &facts.vulnerabilities {
        let status = vulnerability.get("product_status");
        let has = |key: &&str| status.is_some_and(|status| status.get(key).is_some());
        let wanted = [
            "fixed",
            "known_affected",
            "known_not_affected",
            "under_investigation",
        ];
        if !wanted.iter().any(has) {
            let what = "no product is fixed, affected, not affected or under investigation";
            flaws.add("6.1.27.7", status.unwrap_or(*vulnerability), what);
        }
        if vulnerability.get("cve").is_none() && vulnerability.get("ids").is_none() {
            flaws.add("6.1.27.8", *vulnerability, "neither `cve` nor `ids`");
        }
        let impacts = vulnerability
            .list("threats")
            .filter(|threat| threat.text_of("category") == Some("impact"));
        let mut explained = HashSet::new();
        facts.covered(vulnerability.list("flags").chain(impacts), &mut explained);
        let mut acted = HashSet::new();
        facts.covered(vulnerability.list("remediations"), &mut acted);
        for (key, covered, rule, what) in [
            (
                "known_not_affected",
                &explained,
                "6.1.27.9",
                "it is not said why it is not affected",
            ),
            (
                "known_affected",
                &acted,
                "6.1.27.10",
                "it is not said what to do",
            ),
        ] {
            let Some(list) = status.and_then(|status| status.get(key)) else {
                continue;
            };
            for product in list.items() {
                if product.text().is_some_and(|id| !covered.contains(id)) {
                    flaws.add(rule, product, what);
                }
            }
        }
    }
}

/// 6.1.29, 6.1.32.
pub(super) fn without_products(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        for (key, rule) in [("remediations", "6.1.29"), ("flags", "6.1.32")] {
            for item in vulnerability.list(key) {
                if item.get("product_ids").is_none() && item.get("group_ids").is_none() {
                    flaws.add(rule, item, "it names no products");
                }
            }
        }
    }
}

/// 6.1.33.
pub(super) fn justifications(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        let mut seen = HashSet::new();
        for flag in vulnerability.list("flags") {
            if !flag
                .text_of("label")
                .is_some_and(|label| JUSTIFICATIONS.contains(&label))
            {
                continue;
            }
            let mut products = HashSet::new();
            facts.covered(std::iter::once(flag), &mut products);
            if products.iter().any(|product| seen.contains(product)) {
                flaws.add("6.1.33", flag, "a product has a justification before");
            }
            seen.extend(products);
        }
    }
}

/// 6.2.2.
pub(super) fn remediation_missing(facts: &Facts<'_>, flaws: &mut Flaws) {
    const OPEN: &[&str] = &[
        "first_affected",
        "known_affected",
        "last_affected",
        "under_investigation",
    ];
    for vulnerability in &facts.vulnerabilities {
        let mut covered = HashSet::new();
        facts.covered(vulnerability.list("remediations"), &mut covered);
        for product in Facts::with_status(*vulnerability, OPEN) {
            if product.text().is_some_and(|id| !covered.contains(id)) {
                flaws.add("6.2.2", product, "no remediation covers it");
            }
        }
    }
}

/// 6.2.17.
pub(super) fn ids(facts: &Facts<'_>, flaws: &mut Flaws) {
    for id in facts.vulnerabilities.iter().flat_map(|one| one.list("ids")) {
        if id.text_of("text").is_some_and(is_cve) {
            flaws.add("6.2.17", id, "a CVE belongs under `cve`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_weaknesses_is_whole() {
        assert_eq!(weaknesses().len(), 968);
        assert_eq!(
            weaknesses().get("522"),
            Some(&"Insufficiently Protected Credentials")
        );
    }
}
