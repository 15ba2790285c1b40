//! The tests of CSAF 2.0, clause 6, and the essentials of its schema.
//!
//! Mandatory tests (6.1) give errors, optional ones (6.2) warnings, informative ones (6.3)
//! information. Three need what this crate must not have, so they are not here: 6.3.6 and 6.3.7 ask the
//! network, 6.3.8 needs dictionaries.

mod cvss;
mod document;
mod facts;
mod form;
mod language;
mod products;
mod schema;
mod scores;
mod version;
mod vulnerabilities;

use facts::Facts;

use crate::Limits;
use crate::flaw::Flaws;
use crate::json::Value;

type Test = fn(&Facts<'_>, &mut Flaws);

/// Every test by its number, in the order of the standard; 6.2.20 is part of the schema's walk.
pub static TESTS: &[&str] = &[
    "6.1.1",
    "6.1.2",
    "6.1.3",
    "6.1.4",
    "6.1.5",
    "6.1.6",
    "6.1.7",
    "6.1.8",
    "6.1.9",
    "6.1.10",
    "6.1.11",
    "6.1.12",
    "6.1.13",
    "6.1.14",
    "6.1.15",
    "6.1.16",
    "6.1.17",
    "6.1.18",
    "6.1.19",
    "6.1.20",
    "6.1.21",
    "6.1.22",
    "6.1.23",
    "6.1.24",
    "6.1.25",
    "6.1.26",
    "6.1.27.1",
    "6.1.27.2",
    "6.1.27.3",
    "6.1.27.4",
    "6.1.27.5",
    "6.1.27.6",
    "6.1.27.7",
    "6.1.27.8",
    "6.1.27.9",
    "6.1.27.10",
    "6.1.27.11",
    "6.1.28",
    "6.1.29",
    "6.1.30",
    "6.1.31",
    "6.1.32",
    "6.1.33",
    "6.2.1",
    "6.2.2",
    "6.2.3",
    "6.2.4",
    "6.2.5",
    "6.2.6",
    "6.2.7",
    "6.2.8",
    "6.2.9",
    "6.2.10",
    "6.2.11",
    "6.2.12",
    "6.2.13",
    "6.2.14",
    "6.2.15",
    "6.2.16",
    "6.2.17",
    "6.2.18",
    "6.2.19",
    "6.2.20",
    "6.3.1",
    "6.3.2",
    "6.3.3",
    "6.3.4",
    "6.3.5",
    "6.3.9",
    "6.3.10",
    "6.3.11",
];

static RUN: &[Test] = &[
    products::missing_definition,
    products::multiple_definition,
    products::circular_definition,
    products::missing_group,
    products::multiple_group,
    vulnerabilities::contradicting_status,
    scores::multiple_scores,
    cvss::cvss,
    vulnerabilities::weakness,
    document::languages,
    products::purl,
    document::revisions,
    document::translator,
    document::version,
    document::one_scheme_of_versions,
    vulnerabilities::same_cve,
    vulnerabilities::involvements,
    products::hashes,
    document::category_name,
    document::profile,
    vulnerabilities::vex,
    vulnerabilities::without_products,
    vulnerabilities::justifications,
    products::branches,
    products::unused,
    products::helper_missing,
    vulnerabilities::remediation_missing,
    scores::missing_score,
    scores::fixed_products,
    scores::old_versions,
    document::releases,
    document::distribution,
    document::canonical_url,
    document::sorted_keys,
    vulnerabilities::ids,
    products::branch_order,
];

/// Tests a document whose root is known to be CSAF.
pub(super) fn validate(root: Value<'_>, limits: &Limits) -> Flaws {
    let mut flaws = Flaws::new(limits.max_flaws);
    schema::compare(root, &schema::ROOT, &mut flaws);
    let facts = Facts::gather(root, limits);
    for test in RUN {
        test(&facts, &mut flaws);
    }
    if facts.is_exhausted() {
        let what = "more members of groups than the limit; tests of products may be wrong";
        flaws.add("limit", root, what);
    }
    flaws
}
