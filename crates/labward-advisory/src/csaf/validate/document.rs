//! Tests of what a document says of itself: languages, versions, profile, links.

use std::collections::HashMap;

use labward_base::Timestamp;

use super::facts::Facts;
use super::language::{self, Finding};
use super::version::Version;
use crate::flaw::{Flaws, quote};
use crate::json::{Kind, Value};

/// 6.1.12, 6.1.28, 6.2.12, 6.2.14, 6.2.15.
pub(super) fn languages(facts: &Facts<'_>, flaws: &mut Flaws) {
    for key in ["lang", "source_lang"] {
        let Some(value) = facts.document.get(key) else {
            continue;
        };
        let Some(tag) = value.text() else { continue };
        match language::look(tag) {
            Finding::Registered => {}
            Finding::Default => {
                flaws.add("6.2.15", value, "`i-default` names no language");
            }
            Finding::Private => {
                let what = format!("{} is for private use", quote(tag));
                flaws.add("6.2.14", value, what);
            }
            Finding::Unknown => {
                let what = format!("{} is no registered language", quote(tag));
                flaws.add("6.1.12", value, what);
            }
        }
    }
    let lang = facts.document.get("lang");
    if lang.is_none() {
        flaws.add(
            "6.2.12",
            facts.document,
            "the language of the document is not given",
        );
    }
    if let (Some(lang), Some(source)) = (lang, facts.document.get("source_lang"))
        && let (Some(one), Some(two)) = (lang.text(), source.text())
        && one.eq_ignore_ascii_case(two)
    {
        flaws.add(
            "6.1.28",
            source,
            "source language and language are the same",
        );
    }
}

/// 6.1.15.
pub(super) fn translator(facts: &Facts<'_>, flaws: &mut Flaws) {
    let publisher = facts.document.get("publisher");
    let is_translator = publisher.and_then(|one| one.text_of("category")) == Some("translator");
    if is_translator
        && facts
            .document
            .text_of("source_lang")
            .is_none_or(str::is_empty)
    {
        let what = "a translator must name the source language";
        flaws.add("6.1.15", facts.document, what);
    }
}

/// 6.1.14, 6.1.19, 6.1.21, 6.1.22, 6.2.4.
pub(super) fn revisions(facts: &Facts<'_>, flaws: &mut Flaws) {
    for pair in facts.revisions.windows(2) {
        let [earlier, later] = pair else { continue };
        if earlier.version.compare(&later.version).is_gt() {
            flaws.add(
                "6.1.14",
                later.at,
                "an earlier revision has a higher number",
            );
        }
        let (Some(one), Some(two)) = (earlier.version.major(), later.version.major()) else {
            continue;
        };
        if two > one.saturating_add(1) {
            flaws.add("6.1.21", later.at, "the revision before it is missing");
        }
    }
    if let Some(first) = facts.revisions.first()
        && first.version.major().is_none_or(|major| major > 1)
    {
        flaws.add(
            "6.1.21",
            first.at,
            "the first revision has neither version 0 nor 1",
        );
    }
    let mut numbers: HashMap<&str, ()> = HashMap::new();
    for revision in facts.tracking.list("revision_history") {
        let Some(number) = revision.text_of("number") else {
            continue;
        };
        if numbers.insert(number, ()).is_some() {
            flaws.add(
                "6.1.22",
                revision,
                format!("{} stands twice", quote(number)),
            );
        }
        let Some(version) = Version::parse(number) else {
            continue;
        };
        if version.pre_release.is_some() {
            flaws.add("6.1.19", revision, "a revision with a pre-release version");
        }
        if version.build.is_some() {
            flaws.add("6.2.4", revision, "a revision with build metadata");
        }
    }
}

/// 6.1.16, 6.1.17, 6.1.18, 6.1.20.
pub(super) fn version(facts: &Facts<'_>, flaws: &mut Flaws) {
    let status = facts.tracking.text_of("status").unwrap_or_default();
    let is_released = matches!(status, "final" | "interim");
    let is_draft = status == "draft";
    if is_released {
        for revision in &facts.revisions {
            if revision.version.is_zero() {
                flaws.add(
                    "6.1.18",
                    revision.at,
                    "a released document with a revision 0",
                );
            }
        }
    }
    let Some(at) = facts.tracking.get("version") else {
        return;
    };
    let Some(version) = at.text().and_then(Version::parse) else {
        return;
    };
    if let Some(newest) = facts.revisions.last() {
        let same = if is_draft {
            version.compare_numbers(&newest.version).is_eq()
        } else {
            version.compare(&newest.version).is_eq()
        };
        if !same || version.is_integer != newest.version.is_integer {
            flaws.add("6.1.16", at, "not the version of the newest revision");
        }
    }
    if !is_draft && (version.is_zero() || version.pre_release.is_some()) {
        flaws.add("6.1.17", at, "a version 0 or a pre-release, and no draft");
    }
    if is_released && version.pre_release.is_some() {
        flaws.add(
            "6.1.20",
            at,
            "a released document with a pre-release version",
        );
    }
}

/// 6.1.30.
pub(super) fn one_scheme_of_versions(facts: &Facts<'_>, flaws: &mut Flaws) {
    let revisions = facts.tracking.list("revision_history");
    let numbers = revisions.filter_map(|revision| revision.get("number"));
    let mut first = None;
    for at in facts.tracking.get("version").into_iter().chain(numbers) {
        let Some(version) = at.text().and_then(Version::parse) else {
            continue;
        };
        if *first.get_or_insert(version.is_integer) != version.is_integer {
            flaws.add(
                "6.1.30",
                at,
                "numbers and semantic versions in one document",
            );
        }
    }
}

const PROFILES: [&str; 4] = [
    "csaf_informational_advisory",
    "csaf_security_advisory",
    "csaf_security_incident_response",
    "csaf_vex",
];

/// 6.1.26.
pub(super) fn category_name(facts: &Facts<'_>, flaws: &mut Flaws) {
    let Some(at) = facts.document.get("category") else {
        return;
    };
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'))
            .flat_map(char::to_lowercase)
            .collect()
    };
    if facts.category.is_empty() || PROFILES.contains(&facts.category) {
        return;
    }
    let name = plain(facts.category);
    let is_taken = PROFILES.iter().any(|profile| {
        let profile = plain(profile);
        profile == name || profile.strip_prefix("csaf") == Some(&*name)
    });
    let reserved = facts.category.to_lowercase().starts_with("csaf_");
    if is_taken || (reserved && facts.category != "csaf_base") {
        flaws.add(
            "6.1.26",
            at,
            "the name of another profile, or one that starts with `csaf_`",
        );
    }
}

/// 6.1.27.1 to 6.1.27.6 and 6.1.27.11.
pub(super) fn profile(facts: &Facts<'_>, flaws: &mut Flaws) {
    let is = |profile: &str| facts.category == profile;
    if is("csaf_informational_advisory") || is("csaf_security_incident_response") {
        let mut notes = facts.document.list("notes");
        if !notes.any(|note| {
            let category = note.text_of("category");
            matches!(
                category,
                Some("description" | "details" | "general" | "summary")
            )
        }) {
            let what = "no note of category description, details, general or summary";
            flaws.add("6.1.27.1", facts.document, what);
        }
        let mut references = facts.document.list("references");
        if !references.any(|one| one.text_of("category").unwrap_or("external") == "external") {
            flaws.add("6.1.27.2", facts.document, "no external reference");
        }
    }
    let vulnerabilities = facts.root.get("vulnerabilities");
    if is("csaf_informational_advisory")
        && let Some(value) = vulnerabilities
    {
        flaws.add(
            "6.1.27.3",
            value,
            "an informational advisory lists no vulnerabilities",
        );
    }
    if !is("csaf_security_advisory") && !is("csaf_vex") {
        return;
    }
    if facts.root.get("product_tree").is_none() {
        flaws.add("6.1.27.4", facts.root, "the product tree is missing");
    }
    if vulnerabilities.is_none() {
        flaws.add("6.1.27.11", facts.root, "the vulnerabilities are missing");
    }
    for vulnerability in &facts.vulnerabilities {
        if vulnerability.get("notes").is_none() {
            flaws.add("6.1.27.5", *vulnerability, "the notes are missing");
        }
        if is("csaf_security_advisory") && vulnerability.get("product_status").is_none() {
            flaws.add("6.1.27.6", *vulnerability, "the product status is missing");
        }
    }
}

/// 6.2.5, 6.2.6.
pub(super) fn releases(facts: &Facts<'_>, flaws: &mut Flaws) {
    let release = |key| {
        let at = facts.tracking.get(key)?;
        Some((at, Timestamp::parse_rfc3339(at.text()?)?))
    };
    if let Some((at, time)) = release("initial_release_date")
        && facts
            .revisions
            .first()
            .is_some_and(|first| time < first.date)
    {
        flaws.add("6.2.5", at, "older than the oldest revision");
    }
    if let Some((at, time)) = release("current_release_date")
        && facts.revisions.last().is_some_and(|last| time < last.date)
    {
        flaws.add("6.2.6", at, "older than the newest revision");
    }
}

/// 6.2.10.
pub(super) fn distribution(facts: &Facts<'_>, flaws: &mut Flaws) {
    let tlp = facts
        .document
        .get("distribution")
        .and_then(|one| one.get("tlp"));
    let label = tlp.and_then(|tlp| tlp.text_of("label"));
    if !matches!(label, Some("AMBER" | "GREEN" | "RED" | "WHITE")) {
        flaws.add("6.2.10", facts.document, "no TLP label");
    }
}

/// 6.2.11; the file name by clause 5.1.
pub(super) fn canonical_url(facts: &Facts<'_>, flaws: &mut Flaws) {
    let id = facts.tracking.text_of("id").unwrap_or_default();
    let mut name = String::from("/");
    for c in id.to_lowercase().chars() {
        match c {
            '+' | '-' | 'a'..='z' | '0'..='9' => name.push(c),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    name.push_str(".json");
    let mut references = facts.document.list("references");
    if !references.any(|one| {
        let url = one.text_of("url").unwrap_or_default();
        one.text_of("category") == Some("self")
            && url.starts_with("https://")
            && url.ends_with(&name)
    }) {
        flaws.add(
            "6.2.11",
            facts.document,
            "no reference to the document's own place",
        );
    }
}

/// 6.2.13; told once, at the first key out of its place.
pub(super) fn sorted_keys(facts: &Facts<'_>, flaws: &mut Flaws) {
    if let Some((key, value)) = unsorted(facts.root) {
        let what = format!("{} is not where the alphabet puts it", quote(key));
        flaws.add("6.2.13", value, what);
    }
}

fn unsorted(value: Value<'_>) -> Option<(&str, Value<'_>)> {
    match value.kind() {
        Kind::Array => value.items().find_map(unsorted),
        Kind::Object => {
            let mut last = "";
            for (key, inner) in value.members() {
                if key < last {
                    return Some((key, inner));
                }
                last = key;
                if let Some(found) = unsorted(inner) {
                    return Some(found);
                }
            }
            None
        }
        _ => None,
    }
}
