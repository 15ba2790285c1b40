//! Tests of the product tree.

use std::collections::{HashMap, HashSet};

use super::facts::{Facts, SCOPED};
use crate::flaw::{Flaws, quote};
use crate::json::Value;
use crate::purl::Purl;

/// 6.1.1.
pub(super) fn missing_definition(facts: &Facts<'_>, flaws: &mut Flaws) {
    for reference in facts.references() {
        if let Some(id) = reference.text()
            && !facts.defined.contains(id)
        {
            let what = format!("the product {} is not defined", quote(id));
            flaws.add("6.1.1", reference, what);
        }
    }
}

/// 6.1.2.
pub(super) fn multiple_definition(facts: &Facts<'_>, flaws: &mut Flaws) {
    let mut seen = HashSet::new();
    for definition in &facts.definitions {
        if !seen.insert(definition.id) {
            let what = format!("the product {} is defined before", quote(definition.id));
            flaws.add("6.1.2", definition.at, what);
        }
    }
}

/// 6.1.3: an id must not be reached from itself by the references of relationships.
pub(super) fn circular_definition(facts: &Facts<'_>, flaws: &mut Flaws) {
    let mut edges: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut ids = Vec::new();
    for relationship in &facts.relationships {
        let name = relationship.get("full_product_name");
        let Some(id) = name.and_then(|name| name.text_of("product_id")) else {
            continue;
        };
        ids.push((id, *relationship));
        let ends = ["product_reference", "relates_to_product_reference"];
        let ends = ends.into_iter().filter_map(|key| relationship.text_of(key));
        edges.entry(id).or_default().extend(ends);
    }
    // A depth-first walk without recursion; `open` are the ids on the way to the present one.
    let mut done: HashSet<&str> = HashSet::new();
    for (start, at) in ids {
        if done.contains(start) {
            continue;
        }
        let mut open: HashSet<&str> = HashSet::from([start]);
        let mut stack = vec![(start, 0_usize)];
        let mut is_circular = false;
        while let Some((id, next)) = stack.last_mut() {
            let Some(end) = edges.get(id).and_then(|ends| ends.get(*next)).copied() else {
                done.insert(id);
                open.remove(id);
                stack.pop();
                continue;
            };
            *next += 1;
            if open.contains(end) {
                is_circular = true;
            } else if edges.contains_key(end) && !done.contains(end) {
                open.insert(end);
                stack.push((end, 0));
            }
        }
        if is_circular {
            flaws.add(
                "6.1.3",
                at,
                format!("{} is defined by itself", quote(start)),
            );
        }
    }
}

/// 6.1.4.
pub(super) fn missing_group(facts: &Facts<'_>, flaws: &mut Flaws) {
    for vulnerability in &facts.vulnerabilities {
        for item in SCOPED.iter().flat_map(|key| vulnerability.list(key)) {
            for group in item.list("group_ids") {
                if let Some(id) = group.text()
                    && !facts.groups.contains_key(id)
                {
                    let what = format!("the product group {} is not defined", quote(id));
                    flaws.add("6.1.4", group, what);
                }
            }
        }
    }
}

/// 6.1.5.
pub(super) fn multiple_group(facts: &Facts<'_>, flaws: &mut Flaws) {
    let mut seen = HashSet::new();
    for group in &facts.group_values {
        if let Some(at) = group.get("group_id")
            && let Some(id) = at.text()
            && !seen.insert(id)
        {
            let what = format!("the product group {} is defined before", quote(id));
            flaws.add("6.1.5", at, what);
        }
    }
}

fn helpers<'t>(facts: &Facts<'t>) -> impl Iterator<Item = Value<'t>> {
    let definitions = facts.definitions.iter();
    definitions.filter_map(|one| one.value.get("product_identification_helper"))
}

/// 6.1.13.
pub(super) fn purl(facts: &Facts<'_>, flaws: &mut Flaws) {
    for at in helpers(facts).filter_map(|helper| helper.get("purl")) {
        if at.text().is_some_and(|text| Purl::parse(text).is_none()) {
            flaws.add("6.1.13", at, "no package URL");
        }
    }
}

/// 6.1.25, 6.2.8, 6.2.9, 6.3.5.
pub(super) fn hashes(facts: &Facts<'_>, flaws: &mut Flaws) {
    for file in helpers(facts).flat_map(|helper| helper.list("hashes")) {
        let mut algorithms = HashSet::new();
        for hash in file.list("file_hashes") {
            let algorithm = hash.text_of("algorithm").unwrap_or_default();
            if !algorithms.insert(algorithm) {
                let what = format!("a second hash by {}", quote(algorithm));
                flaws.add("6.1.25", hash, what);
            }
            if hash.text_of("value").is_some_and(|value| value.len() < 64) {
                flaws.add("6.3.5", hash, "a hash of fewer than 64 characters");
            }
        }
        if algorithms.len() == 1 {
            if algorithms.contains("md5") {
                flaws.add("6.2.8", file, "MD5 is the only hash");
            }
            if algorithms.contains("sha1") {
                flaws.add("6.2.9", file, "SHA-1 is the only hash");
            }
        }
    }
}

/// Words that tell a range (6.1.31).
const RANGE_WORDS: [&str; 7] = [
    "after", "all", "before", "earlier", "later", "prior", "versions",
];

/// Whether a name tells a range: by an operator, by a word of its own (`after-eight` is a name), or
/// because it is a `vers`.
fn is_range(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.contains(['<', '>'])
        || lower.starts_with("vers:")
        || lower
            .split_whitespace()
            .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
            .any(|word| RANGE_WORDS.contains(&word))
}

/// 6.1.31, 6.2.18, 6.3.10, 6.3.11.
pub(super) fn branches(facts: &Facts<'_>, flaws: &mut Flaws) {
    for branch in &facts.branches {
        let Some(at) = branch.get("name") else {
            continue;
        };
        let Some(name) = at.text() else { continue };
        match branch.text_of("category") {
            Some("product_version") => {
                if is_range(name) {
                    flaws.add(
                        "6.1.31",
                        at,
                        "a range of versions where one version belongs",
                    );
                }
                let mut characters = name.chars();
                if matches!(characters.next(), Some('v' | 'V'))
                    && characters.next().is_some_and(|c| c.is_ascii_digit())
                {
                    flaws.add("6.3.11", at, "the version starts with a `v`");
                }
            }
            Some("product_version_range") => {
                flaws.add("6.3.10", *branch, "a range of versions");
                if !is_vers(name) {
                    flaws.add("6.2.18", at, "the range is not written as `vers`");
                }
            }
            _ => {}
        }
    }
}

fn is_vers(name: &str) -> bool {
    let is_word = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+')
    };
    name.strip_prefix("vers:")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(scheme, range)| {
            !range.is_empty()
                && scheme.bytes().all(is_word)
                && scheme
                    .bytes()
                    .next()
                    .is_some_and(|byte| !byte.is_ascii_digit())
        })
}

/// 6.2.1.
pub(super) fn unused(facts: &Facts<'_>, flaws: &mut Flaws) {
    if facts.category == "csaf_informational_advisory" {
        return;
    }
    let used: HashSet<&str> = facts
        .references()
        .into_iter()
        .filter_map(Value::text)
        .collect();
    for definition in &facts.definitions {
        if !used.contains(definition.id) {
            let what = format!("the product {} is not used", quote(definition.id));
            flaws.add("6.2.1", definition.at, what);
        }
    }
}

/// 6.2.16.
pub(super) fn helper_missing(facts: &Facts<'_>, flaws: &mut Flaws) {
    for definition in &facts.definitions {
        if definition
            .value
            .get("product_identification_helper")
            .is_none()
        {
            flaws.add(
                "6.2.16",
                definition.value,
                "nothing identifies it to a machine",
            );
        }
    }
}

/// 6.3.9.
pub(super) fn branch_order(facts: &Facts<'_>, flaws: &mut Flaws) {
    for definition in &facts.definitions {
        let Some(way) = &definition.way else { continue };
        let mut wanted = ["vendor", "product_name", "product_version"]
            .into_iter()
            .peekable();
        for category in way {
            wanted.next_if(|next| next == category);
        }
        if let Some(missing) = wanted.next() {
            let what = format!("no branch `{missing}` in its place above the product");
            flaws.add("6.3.9", definition.value, what);
        }
    }
}
