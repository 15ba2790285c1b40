//! Tests of the CVSS objects: their schema (6.1.8), their numbers (6.1.9), their properties (6.1.10).

use super::facts::Facts;
use crate::flaw::{Flaws, quote};
use crate::json::{Kind, Value};
use crate::score::{Scored, Severity};

/// A property of a CVSS object: its key, the metric of the vector, its words.
type Property = (&'static str, &'static str, &'static [&'static str]);

const LEVELS: &[&str] = &["NONE", "LOW", "HIGH"];
const LEVELS_X: &[&str] = &["NONE", "LOW", "HIGH", "NOT_DEFINED"];
const REQUIREMENT: &[&str] = &["LOW", "MEDIUM", "HIGH", "NOT_DEFINED"];

/// CVSS 3.0 and 3.1; the value of the vector is the first letter, `X` for `NOT_DEFINED`.
const V3: &[Property] = &[
    (
        "attackVector",
        "AV",
        &["NETWORK", "ADJACENT_NETWORK", "LOCAL", "PHYSICAL"],
    ),
    ("attackComplexity", "AC", &["HIGH", "LOW"]),
    ("privilegesRequired", "PR", LEVELS),
    ("userInteraction", "UI", &["NONE", "REQUIRED"]),
    ("scope", "S", &["UNCHANGED", "CHANGED"]),
    ("confidentialityImpact", "C", LEVELS),
    ("integrityImpact", "I", LEVELS),
    ("availabilityImpact", "A", LEVELS),
    (
        "exploitCodeMaturity",
        "E",
        &[
            "UNPROVEN",
            "PROOF_OF_CONCEPT",
            "FUNCTIONAL",
            "HIGH",
            "NOT_DEFINED",
        ],
    ),
    (
        "remediationLevel",
        "RL",
        &[
            "OFFICIAL_FIX",
            "TEMPORARY_FIX",
            "WORKAROUND",
            "UNAVAILABLE",
            "NOT_DEFINED",
        ],
    ),
    (
        "reportConfidence",
        "RC",
        &["UNKNOWN", "REASONABLE", "CONFIRMED", "NOT_DEFINED"],
    ),
    ("confidentialityRequirement", "CR", REQUIREMENT),
    ("integrityRequirement", "IR", REQUIREMENT),
    ("availabilityRequirement", "AR", REQUIREMENT),
    (
        "modifiedAttackVector",
        "MAV",
        &[
            "NETWORK",
            "ADJACENT_NETWORK",
            "LOCAL",
            "PHYSICAL",
            "NOT_DEFINED",
        ],
    ),
    (
        "modifiedAttackComplexity",
        "MAC",
        &["HIGH", "LOW", "NOT_DEFINED"],
    ),
    ("modifiedPrivilegesRequired", "MPR", LEVELS_X),
    (
        "modifiedUserInteraction",
        "MUI",
        &["NONE", "REQUIRED", "NOT_DEFINED"],
    ),
    (
        "modifiedScope",
        "MS",
        &["UNCHANGED", "CHANGED", "NOT_DEFINED"],
    ),
    ("modifiedConfidentialityImpact", "MC", LEVELS_X),
    ("modifiedIntegrityImpact", "MI", LEVELS_X),
    ("modifiedAvailabilityImpact", "MA", LEVELS_X),
];

const PARTIAL: &[&str] = &["NONE", "PARTIAL", "COMPLETE"];

const V2: &[Property] = &[
    (
        "accessVector",
        "AV",
        &["LOCAL", "ADJACENT_NETWORK", "NETWORK"],
    ),
    ("accessComplexity", "AC", &["HIGH", "MEDIUM", "LOW"]),
    ("authentication", "Au", &["MULTIPLE", "SINGLE", "NONE"]),
    ("confidentialityImpact", "C", PARTIAL),
    ("integrityImpact", "I", PARTIAL),
    ("availabilityImpact", "A", PARTIAL),
    (
        "exploitability",
        "E",
        &[
            "UNPROVEN",
            "PROOF_OF_CONCEPT",
            "FUNCTIONAL",
            "HIGH",
            "NOT_DEFINED",
        ],
    ),
    (
        "remediationLevel",
        "RL",
        &[
            "OFFICIAL_FIX",
            "TEMPORARY_FIX",
            "WORKAROUND",
            "UNAVAILABLE",
            "NOT_DEFINED",
        ],
    ),
    (
        "reportConfidence",
        "RC",
        &["UNCONFIRMED", "UNCORROBORATED", "CONFIRMED", "NOT_DEFINED"],
    ),
    (
        "collateralDamagePotential",
        "CDP",
        &[
            "NONE",
            "LOW",
            "LOW_MEDIUM",
            "MEDIUM_HIGH",
            "HIGH",
            "NOT_DEFINED",
        ],
    ),
    (
        "targetDistribution",
        "TD",
        &["NONE", "LOW", "MEDIUM", "HIGH", "NOT_DEFINED"],
    ),
    ("confidentialityRequirement", "CR", REQUIREMENT),
    ("integrityRequirement", "IR", REQUIREMENT),
    ("availabilityRequirement", "AR", REQUIREMENT),
];

/// How a vector of version 2 writes the word of a property.
fn v2_value(metric: &str, word: &'static str) -> &'static str {
    match (metric, word) {
        (_, "NOT_DEFINED") => "ND",
        ("E", "PROOF_OF_CONCEPT") => "POC",
        ("RL", "OFFICIAL_FIX") => "OF",
        ("RL", "TEMPORARY_FIX") => "TF",
        ("RC", "UNCONFIRMED") => "UC",
        ("RC", "UNCORROBORATED") => "UR",
        ("CDP", "LOW_MEDIUM") => "LM",
        ("CDP", "MEDIUM_HIGH") => "MH",
        _ => word.get(..1).unwrap_or(word),
    }
}

fn v3_value(word: &'static str) -> &'static str {
    if word == "NOT_DEFINED" {
        "X"
    } else {
        word.get(..1).unwrap_or(word)
    }
}

/// 6.1.8, 6.1.9, 6.1.10.
pub(super) fn cvss(facts: &Facts<'_>, flaws: &mut Flaws) {
    for score in facts
        .vulnerabilities
        .iter()
        .flat_map(|one| one.list("scores"))
    {
        if let Some(value) = score.get("cvss_v2") {
            one(value, &["2.0"], V2, flaws);
        }
        if let Some(value) = score.get("cvss_v3") {
            one(value, &["3.0", "3.1"], V3, flaws);
        }
    }
}

fn one(value: Value<'_>, versions: &[&str], properties: &[Property], flaws: &mut Flaws) {
    if value.kind() != Kind::Object {
        return flaws.add("6.1.8", value, "a CVSS object is expected");
    }
    let is_v2 = versions == ["2.0"];
    let required: &[&str] = if is_v2 {
        &["version", "vectorString", "baseScore"]
    } else {
        &["version", "vectorString", "baseScore", "baseSeverity"]
    };
    for key in required {
        if value.get(key).is_none() {
            flaws.add("6.1.8", value, format!("`{key}` is missing"));
        }
    }
    if let Some(at) = value.get("version")
        && !at.text().is_some_and(|version| versions.contains(&version))
    {
        flaws.add("6.1.8", at, "no version that this object may have");
    }
    let scored = value.text_of("vectorString").and_then(Scored::parse);
    if let Some(at) = value.get("vectorString") {
        let stated = value.text_of("version");
        match &scored {
            None => flaws.add("6.1.8", at, "no CVSS vector"),
            Some(scored) if stated.is_some_and(|one| one != scored.version().as_str()) => {
                flaws.add("6.1.8", at, "the vector is of another version");
            }
            Some(_) => {}
        }
    }
    words(value, properties, scored.as_ref(), is_v2, flaws);
    numbers(value, scored.as_ref(), flaws);
}

fn words(
    value: Value<'_>,
    properties: &[Property],
    scored: Option<&Scored>,
    is_v2: bool,
    flaws: &mut Flaws,
) {
    for (key, metric, allowed) in properties {
        let Some(at) = value.get(key) else { continue };
        let Some(word) = allowed.iter().find(|word| at.text() == Some(word)) else {
            flaws.add("6.1.8", at, format!("no word that `{key}` may have"));
            continue;
        };
        let Some(scored) = scored else { continue };
        let written = if is_v2 {
            v2_value(metric, word)
        } else {
            v3_value(word)
        };
        // What the vector leaves out, the property may add (OASIS, case 6.2.19-12).
        if scored.metric(metric).is_some_and(|given| given != written) {
            let what = format!("{} is not what the vector says", quote(word));
            flaws.add("6.1.10", at, what);
        }
    }
}

fn numbers(value: Value<'_>, scored: Option<&Scored>, flaws: &mut Flaws) {
    for (score, severity, computed) in [
        ("baseScore", "baseSeverity", scored.map(Scored::base_tenths)),
        (
            "temporalScore",
            "temporalSeverity",
            scored.and_then(Scored::temporal_tenths),
        ),
        (
            "environmentalScore",
            "environmentalSeverity",
            scored.and_then(Scored::environmental_tenths),
        ),
    ] {
        if let Some(at) = value.get(score) {
            match (at.number(), computed) {
                (Some(stated), Some(computed)) => {
                    let computed = f64::from(computed) / 10.0;
                    if (stated - computed).abs() > 0.01 {
                        let what = format!("the vector gives {computed:.1}");
                        flaws.add("6.1.9", at, what);
                    }
                }
                (Some(stated), None) if (0.0..=10.0).contains(&stated) => {}
                _ => flaws.add("6.1.8", at, "a number from 0 to 10 is expected"),
            }
        }
        if let Some(at) = value.get(severity) {
            let known = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
            let stated = at.text().filter(|word| known.contains(word));
            let right = computed.map(|tenths| Severity::of_tenths(tenths).as_str());
            match (stated, right) {
                (None, _) => flaws.add("6.1.8", at, "no severity of CVSS"),
                (Some(stated), Some(right)) if stated != right => {
                    flaws.add("6.1.9", at, format!("the vector gives `{right}`"));
                }
                _ => {}
            }
        }
    }
}
