//! The schema of CSAF 2.0 as a table, and the walk that compares a document with it.
//!
//! The CVSS objects are not part of it: [`super::cvss`] tests them. A key that the schema does not
//! know is no fault of the schema, but of test 6.2.20.

use std::collections::HashSet;

use super::form::Form;
use crate::flaw::{Flaws, quote};
use crate::json::{Kind, Value};

/// What a value must look like.
pub(super) enum Shape {
    /// Tested elsewhere.
    Any,
    Text(Form),
    OneOf(&'static [&'static str]),
    List {
        min: usize,
        unique: bool,
        items: &'static Shape,
    },
    Object {
        min: usize,
        max: usize,
        members: &'static [Member],
    },
}

/// One key of an object.
pub(super) struct Member(&'static str, bool, &'static Shape);

const fn must(key: &'static str, shape: &'static Shape) -> Member {
    Member(key, true, shape)
}

const fn may(key: &'static str, shape: &'static Shape) -> Member {
    Member(key, false, shape)
}

const fn list(items: &'static Shape) -> Shape {
    Shape::List {
        min: 1,
        unique: false,
        items,
    }
}

const fn set(items: &'static Shape) -> Shape {
    Shape::List {
        min: 1,
        unique: true,
        items,
    }
}

const fn object(members: &'static [Member]) -> Shape {
    Shape::Object {
        min: 0,
        max: usize::MAX,
        members,
    }
}

const fn filled(members: &'static [Member]) -> Shape {
    Shape::Object {
        min: 1,
        max: usize::MAX,
        members,
    }
}

static ANY: Shape = Shape::Any;
static TEXT: Shape = Shape::Text(Form::NotEmpty);
static TEXTS: Shape = list(&TEXT);
static TEXT_SET: Shape = set(&TEXT);
static URI: Shape = Shape::Text(Form::Uri);
static URIS: Shape = list(&URI);
static TIME: Shape = Shape::Text(Form::DateTime);
static LANG: Shape = Shape::Text(Form::Language);
static VERSION: Shape = Shape::Text(Form::Version);

static ACKNOWLEDGMENTS: Shape = list(&ACKNOWLEDGMENT);
static ACKNOWLEDGMENT: Shape = filled(&[
    may("names", &TEXTS),
    may("organization", &TEXT),
    may("summary", &TEXT),
    may("urls", &URIS),
]);

static NOTES: Shape = list(&NOTE);
static NOTE: Shape = object(&[
    may("audience", &TEXT),
    must("category", &NOTE_CATEGORY),
    must("text", &TEXT),
    may("title", &TEXT),
]);
static NOTE_CATEGORY: Shape = Shape::OneOf(&[
    "description",
    "details",
    "faq",
    "general",
    "legal_disclaimer",
    "other",
    "summary",
]);

static REFERENCES: Shape = list(&REFERENCE);
static REFERENCE: Shape = object(&[
    may("category", &REFERENCE_CATEGORY),
    must("summary", &TEXT),
    must("url", &URI),
]);
static REFERENCE_CATEGORY: Shape = Shape::OneOf(&["external", "self"]);

/// The whole document.
pub(super) static ROOT: Shape = object(&[
    must("document", &DOCUMENT),
    may("product_tree", &PRODUCT_TREE),
    may("vulnerabilities", &VULNERABILITIES),
]);

static DOCUMENT: Shape = object(&[
    may("acknowledgments", &ACKNOWLEDGMENTS),
    may("aggregate_severity", &AGGREGATE_SEVERITY),
    must("category", &Shape::Text(Form::Category)),
    must("csaf_version", &Shape::OneOf(&["2.0"])),
    may("distribution", &DISTRIBUTION),
    may("lang", &LANG),
    may("notes", &NOTES),
    must("publisher", &PUBLISHER),
    may("references", &REFERENCES),
    may("source_lang", &LANG),
    must("title", &TEXT),
    must("tracking", &TRACKING),
]);
static AGGREGATE_SEVERITY: Shape = object(&[may("namespace", &URI), must("text", &TEXT)]);
static DISTRIBUTION: Shape = filled(&[may("text", &TEXT), may("tlp", &TLP)]);
static TLP: Shape = object(&[must("label", &TLP_LABEL), may("url", &URI)]);
static TLP_LABEL: Shape = Shape::OneOf(&["AMBER", "GREEN", "RED", "WHITE"]);
static PUBLISHER: Shape = object(&[
    must("category", &PUBLISHER_CATEGORY),
    may("contact_details", &TEXT),
    may("issuing_authority", &TEXT),
    must("name", &TEXT),
    must("namespace", &URI),
]);
static PUBLISHER_CATEGORY: Shape = Shape::OneOf(&[
    "coordinator",
    "discoverer",
    "other",
    "translator",
    "user",
    "vendor",
]);
static TRACKING: Shape = object(&[
    may("aliases", &TEXT_SET),
    must("current_release_date", &TIME),
    may("generator", &GENERATOR),
    must("id", &Shape::Text(Form::Id)),
    must("initial_release_date", &TIME),
    must("revision_history", &REVISIONS),
    must("status", &Shape::OneOf(&["draft", "final", "interim"])),
    must("version", &VERSION),
]);
static GENERATOR: Shape = object(&[may("date", &TIME), must("engine", &ENGINE)]);
static ENGINE: Shape = object(&[must("name", &TEXT), may("version", &TEXT)]);
static REVISIONS: Shape = list(&REVISION);
static REVISION: Shape = object(&[
    must("date", &TIME),
    may("legacy_version", &TEXT),
    must("number", &VERSION),
    must("summary", &TEXT),
]);

static PRODUCT_TREE: Shape = filled(&[
    may("branches", &BRANCHES),
    may("full_product_names", &FULL_PRODUCT_NAMES),
    may("product_groups", &PRODUCT_GROUPS),
    may("relationships", &RELATIONSHIPS),
]);
static BRANCHES: Shape = list(&BRANCH);
static BRANCH: Shape = Shape::Object {
    min: 3,
    max: 3,
    members: &[
        may("branches", &BRANCHES),
        must("category", &BRANCH_CATEGORY),
        must("name", &TEXT),
        may("product", &FULL_PRODUCT_NAME),
    ],
};
static BRANCH_CATEGORY: Shape = Shape::OneOf(&[
    "architecture",
    "host_name",
    "language",
    "legacy",
    "patch_level",
    "product_family",
    "product_name",
    "product_version",
    "product_version_range",
    "service_pack",
    "specification",
    "vendor",
]);
static FULL_PRODUCT_NAMES: Shape = list(&FULL_PRODUCT_NAME);
static FULL_PRODUCT_NAME: Shape = object(&[
    must("name", &TEXT),
    must("product_id", &TEXT),
    may("product_identification_helper", &HELPER),
]);
static HELPER: Shape = filled(&[
    may("cpe", &Shape::Text(Form::Cpe)),
    may("hashes", &HASHES),
    may("model_numbers", &TEXT_SET),
    may("purl", &Shape::Text(Form::Purl)),
    may("sbom_urls", &URIS),
    may("serial_numbers", &TEXT_SET),
    may("skus", &TEXTS),
    may("x_generic_uris", &GENERIC_URIS),
]);
static HASHES: Shape = list(&HASH);
static HASH: Shape = object(&[must("file_hashes", &FILE_HASHES), must("filename", &TEXT)]);
static FILE_HASHES: Shape = list(&FILE_HASH);
static FILE_HASH: Shape = object(&[
    must("algorithm", &TEXT),
    must("value", &Shape::Text(Form::Hash)),
]);
static GENERIC_URIS: Shape = list(&GENERIC_URI);
static GENERIC_URI: Shape = object(&[must("namespace", &URI), must("uri", &URI)]);
static PRODUCT_GROUPS: Shape = list(&PRODUCT_GROUP);
static PRODUCT_GROUP: Shape = object(&[
    must("group_id", &TEXT),
    must(
        "product_ids",
        &Shape::List {
            min: 2,
            unique: true,
            items: &TEXT,
        },
    ),
    may("summary", &TEXT),
]);
static RELATIONSHIPS: Shape = list(&RELATIONSHIP);
static RELATIONSHIP: Shape = object(&[
    must("category", &RELATIONSHIP_CATEGORY),
    must("full_product_name", &FULL_PRODUCT_NAME),
    must("product_reference", &TEXT),
    must("relates_to_product_reference", &TEXT),
]);
static RELATIONSHIP_CATEGORY: Shape = Shape::OneOf(&[
    "default_component_of",
    "external_component_of",
    "installed_on",
    "installed_with",
    "optional_component_of",
]);

static VULNERABILITIES: Shape = list(&VULNERABILITY);
static VULNERABILITY: Shape = filled(&[
    may("acknowledgments", &ACKNOWLEDGMENTS),
    may("cve", &Shape::Text(Form::Cve)),
    may("cwe", &CWE),
    may("discovery_date", &TIME),
    may("flags", &FLAGS),
    may("ids", &IDS),
    may("involvements", &INVOLVEMENTS),
    may("notes", &NOTES),
    may("product_status", &PRODUCT_STATUS),
    may("references", &REFERENCES),
    may("release_date", &TIME),
    may("remediations", &REMEDIATIONS),
    may("scores", &SCORES),
    may("threats", &THREATS),
    may("title", &TEXT),
]);
static CWE: Shape = object(&[must("id", &Shape::Text(Form::CweId)), must("name", &TEXT)]);
static FLAGS: Shape = set(&FLAG);
static FLAG: Shape = object(&[
    may("date", &TIME),
    may("group_ids", &TEXT_SET),
    must("label", &FLAG_LABEL),
    may("product_ids", &TEXT_SET),
]);
/// The VEX justifications of CSAF 2.0, 3.2.3.5.
pub(super) static JUSTIFICATIONS: &[&str] = &[
    "component_not_present",
    "inline_mitigations_already_exist",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_not_present",
];
static FLAG_LABEL: Shape = Shape::OneOf(JUSTIFICATIONS);
static IDS: Shape = set(&ID);
static ID: Shape = object(&[must("system_name", &TEXT), must("text", &TEXT)]);
static INVOLVEMENTS: Shape = set(&INVOLVEMENT);
static INVOLVEMENT: Shape = object(&[
    may("date", &TIME),
    must("party", &PARTY),
    must("status", &INVOLVEMENT_STATUS),
    may("summary", &TEXT),
]);
static PARTY: Shape = Shape::OneOf(&["coordinator", "discoverer", "other", "user", "vendor"]);
static INVOLVEMENT_STATUS: Shape = Shape::OneOf(&[
    "completed",
    "contact_attempted",
    "disputed",
    "in_progress",
    "not_contacted",
    "open",
]);
static PRODUCT_STATUS: Shape = filled(&[
    may("first_affected", &TEXT_SET),
    may("first_fixed", &TEXT_SET),
    may("fixed", &TEXT_SET),
    may("known_affected", &TEXT_SET),
    may("known_not_affected", &TEXT_SET),
    may("last_affected", &TEXT_SET),
    may("recommended", &TEXT_SET),
    may("under_investigation", &TEXT_SET),
]);
static REMEDIATIONS: Shape = list(&REMEDIATION);
static REMEDIATION: Shape = object(&[
    must("category", &REMEDIATION_CATEGORY),
    may("date", &TIME),
    must("details", &TEXT),
    may("entitlements", &TEXTS),
    may("group_ids", &TEXT_SET),
    may("product_ids", &TEXT_SET),
    may("restart_required", &RESTART),
    may("url", &URI),
]);
static REMEDIATION_CATEGORY: Shape = Shape::OneOf(&[
    "mitigation",
    "no_fix_planned",
    "none_available",
    "vendor_fix",
    "workaround",
]);
static RESTART: Shape = object(&[must("category", &RESTART_CATEGORY), may("details", &TEXT)]);
static RESTART_CATEGORY: Shape = Shape::OneOf(&[
    "connected",
    "dependencies",
    "machine",
    "none",
    "parent",
    "service",
    "system",
    "vulnerable_component",
    "zone",
]);
static SCORES: Shape = list(&SCORE);
static SCORE: Shape = Shape::Object {
    min: 2,
    max: usize::MAX,
    members: &[
        may("cvss_v2", &ANY),
        may("cvss_v3", &ANY),
        must("products", &TEXT_SET),
    ],
};
static THREATS: Shape = list(&THREAT);
static THREAT: Shape = object(&[
    must("category", &THREAT_CATEGORY),
    may("date", &TIME),
    must("details", &TEXT),
    may("group_ids", &TEXT_SET),
    may("product_ids", &TEXT_SET),
]);
static THREAT_CATEGORY: Shape = Shape::OneOf(&["exploit_status", "impact", "target_set"]);

/// Compares a value with its shape; the nesting is bounded by that of the document.
pub(super) fn compare(value: Value<'_>, shape: &Shape, flaws: &mut Flaws) {
    match shape {
        Shape::Any => {}
        Shape::Text(form) => match value.text() {
            None => kind(value, "text", flaws),
            Some(text) if !form.fits(text) => {
                flaws.add(
                    "schema",
                    value,
                    format!("{} is no {}", quote(text), form.name()),
                );
            }
            Some(_) => {}
        },
        Shape::OneOf(words) => match value.text() {
            None => kind(value, "text", flaws),
            Some(text) if !words.contains(&text) => {
                let what = format!("{} is none of the allowed words", quote(text));
                flaws.add("schema", value, what);
            }
            Some(_) => {}
        },
        Shape::List { min, unique, items } => {
            if value.kind() != Kind::Array {
                return kind(value, "a list", flaws);
            }
            if value.items().take(*min).count() < *min {
                flaws.add("schema", value, format!("fewer than {min} items"));
            }
            if *unique {
                same_items(value, flaws);
            }
            for item in value.items() {
                compare(item, items, flaws);
            }
        }
        Shape::Object { min, max, members } => {
            if value.kind() != Kind::Object {
                return kind(value, "an object", flaws);
            }
            keys(value, members, flaws);
            let count = value.members().count();
            if !(*min..=*max).contains(&count) {
                flaws.add(
                    "schema",
                    value,
                    format!("{count} keys are too few or too many"),
                );
            }
        }
    }
}

fn keys(value: Value<'_>, members: &[Member], flaws: &mut Flaws) {
    for Member(key, required, _) in members {
        if *required && value.get(key).is_none() {
            flaws.add("schema", value, format!("`{key}` is missing"));
        }
    }
    for (key, inner) in value.members() {
        match members.iter().find(|Member(name, ..)| *name == key) {
            Some(Member(_, _, shape)) => compare(inner, shape, flaws),
            None => flaws.add(
                "6.2.20",
                inner,
                format!("{} is no key of the schema", quote(key)),
            ),
        }
    }
}

fn kind(value: Value<'_>, wanted: &str, flaws: &mut Flaws) {
    let what = format!("{} where {wanted} is expected", value.kind());
    flaws.add("schema", value, what);
}

fn same_items(value: Value<'_>, flaws: &mut Flaws) {
    /// Objects are compared pairwise, so a list of very many is not.
    const MOST_OBJECTS: usize = 1_000;
    let mut texts = HashSet::new();
    let mut objects: Vec<Value<'_>> = Vec::new();
    for item in value.items() {
        let again = match item.text() {
            Some(text) => !texts.insert(text),
            None if objects.len() < MOST_OBJECTS => objects.iter().any(|one| one.same_as(item)),
            None => false,
        };
        if again {
            flaws.add("schema", item, "the same item stands in the list before");
        } else if item.text().is_none() && objects.len() < MOST_OBJECTS {
            objects.push(item);
        }
    }
}
