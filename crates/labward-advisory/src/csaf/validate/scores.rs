//! Tests of which scores there are, and for which products.

use std::collections::HashSet;

use super::facts::Facts;
use crate::flaw::{Flaws, quote};
use crate::json::Value;
use crate::score::Scored;

/// The CVSS objects of a score, each with its version.
fn parts<'t>(score: Value<'t>) -> impl Iterator<Item = (&'t str, Value<'t>)> {
    ["cvss_v2", "cvss_v3", "cvss_v4"]
        .into_iter()
        .filter_map(move |key| {
            let cvss = score.get(key)?;
            let version = cvss.text_of("version").unwrap_or(match key {
                "cvss_v2" => "2.0",
                "cvss_v3" => "3.1",
                _ => "4.0",
            });
            Some((version, cvss))
        })
}

/// 6.1.7.
pub(super) fn multiple_scores(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        let mut seen: HashSet<(&str, &str)> = HashSet::new();
        for score in vulnerability.list("scores") {
            for (version, _) in parts(score) {
                for product in score.list("products") {
                    if product.text().is_some_and(|id| !seen.insert((id, version))) {
                        let what = format!("a second score by CVSS {}", quote(version));
                        flaws.add("6.1.7", product, what);
                    }
                }
            }
        }
    }
}

/// 6.2.3.
pub(super) fn missing_score(facts: &Facts<'_>, flaws: &mut Flaws) {
    const AFFECTED: &[&str] = &["first_affected", "known_affected", "last_affected"];
    for vulnerability in &facts.vulnerabilities {
        let scores = vulnerability.list("scores");
        let covered: HashSet<&str> = scores
            .flat_map(|score| score.list("products"))
            .filter_map(Value::text)
            .collect();
        for product in Facts::with_status(*vulnerability, AFFECTED) {
            if product.text().is_some_and(|id| !covered.contains(id)) {
                flaws.add("6.2.3", product, "no score covers it");
            }
        }
    }
}

/// 6.2.19: whoever has the fix has no risk left.
pub(super) fn fixed_products(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        let mut risky: HashSet<&str> = HashSet::new();
        for score in vulnerability.list("scores") {
            let mut cvss = parts(score).map(|(_, cvss)| cvss);
            if cvss.any(|cvss| !has_no_risk(cvss)) {
                risky.extend(score.list("products").filter_map(Value::text));
            }
        }
        for product in Facts::with_status(*vulnerability, &["first_fixed", "fixed"]) {
            if product.text().is_some_and(|id| risky.contains(id)) {
                let what = "fixed, and its environmental score is not 0";
                flaws.add("6.2.19", product, what);
            }
        }
    }
}

fn has_no_risk(cvss: Value<'_>) -> bool {
    if let Some(score) = cvss.get("environmentalScore").and_then(Value::number) {
        return score == 0.0;
    }
    let modified = [
        "modifiedConfidentialityImpact",
        "modifiedIntegrityImpact",
        "modifiedAvailabilityImpact",
    ];
    if modified.iter().all(|key| cvss.text_of(key) == Some("NONE"))
        || cvss.text_of("targetDistribution") == Some("NONE")
    {
        return true;
    }
    let vector = cvss.text_of("vectorString").and_then(Scored::parse);
    vector.is_some_and(|vector| {
        let is_none = |name: &str| vector.metric(name).as_deref() == Some("N");
        is_none("TD") || (is_none("MC") && is_none("MI") && is_none("MA"))
    })
}

/// 6.3.1, 6.3.2.
pub(super) fn old_versions(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        let mut newer: HashSet<&str> = HashSet::new();
        for score in vulnerability.list("scores") {
            if score.get("cvss_v3").is_some() || score.get("cvss_v4").is_some() {
                newer.extend(score.list("products").filter_map(Value::text));
            }
            if let Some(at) = score.get("cvss_v3")
                && at.text_of("version") == Some("3.0")
            {
                flaws.add("6.3.2", at, "CVSS 3.0");
            }
        }
        for score in vulnerability
            .list("scores")
            .filter(|one| one.get("cvss_v2").is_some())
        {
            let mut products = score.list("products").filter_map(Value::text);
            if products.any(|id| !newer.contains(id)) {
                flaws.add("6.3.1", score, "CVSS 2.0 is the only score of a product");
            }
        }
    }
}
