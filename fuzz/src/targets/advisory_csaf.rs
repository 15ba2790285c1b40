//! Any bytes as a CSAF document: a value or an error, within bounds; every index is of a product, every flaw has
//! a known rule, and the tests of the standard end.

use labward_advisory::Limits;
use labward_advisory::csaf::{Advisory, Document, validate::TESTS};
use labward_advisory::json::to_text;

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 100,
        max_flaws: 50,
        ..Limits::default()
    };
    let Ok(advisory) = Advisory::parse(data, &limits) else { return };
    assert!(advisory.products.len() <= 100);
    assert!(advisory.flaws.listed().len() <= 50);
    let mut references = 0;
    for one in &advisory.vulnerabilities {
        let scopes = one
            .remediations
            .iter()
            .map(|one| &one.products)
            .chain(one.flags.iter().map(|one| &one.products))
            .chain(one.threats.iter().map(|one| &one.products));
        for index in scopes.flatten().copied().chain(one.statuses.iter().map(|one| one.product)) {
            assert!(advisory.product(index).is_some());
            references += 1;
        }
        assert!(one.scores.iter().all(|one| one.score.base_tenths.is_none_or(|score| score <= 100)));
    }
    assert!(references <= 800);
    for relation in advisory.products.iter().filter_map(|one| one.relation.as_ref()) {
        for index in relation.component.into_iter().chain(relation.platform) {
            assert!(advisory.product(index).is_some());
        }
    }
    let (text, _) = to_text(data);
    let Ok(document) = Document::parse(&text, &limits) else { return };
    for flaw in document.validate().listed() {
        assert!(matches!(flaw.rule, "schema" | "limit") || TESTS.contains(&flaw.rule), "{flaw}");
        assert!(flaw.place.is_empty() || flaw.place.starts_with('/'));
    }
}
