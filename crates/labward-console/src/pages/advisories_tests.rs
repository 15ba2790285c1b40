//! Tests of the pages: the advisories.

use labward_api::advisory::{AdvisoryNote, AdvisoryProduct, AdvisorySource};
use labward_api::hit::HitDevice;
use labward_identity::Role;

use super::super::hits::tests::{frame, one};
use super::*;

fn shown() -> AdvisoryShown {
    AdvisoryShown {
        advisory: Advisory {
            id: 3,
            kind: "csaf".to_owned(),
            name: "ICSMA-23-1".to_owned(),
            title: "A <b>title".to_owned(),
            sha256: "ab".repeat(32),
            hash_checked: true,
            ..Advisory::default()
        },
        notes: vec![AdvisoryNote {
            title: "Summary".to_owned(),
            text: "Two\nlines".to_owned(),
        }],
        products: (0..12)
            .map(|number| AdvisoryProduct {
                product: format!("product {number}"),
                ..AdvisoryProduct::default()
            })
            .collect(),
        ..AdvisoryShown::default()
    }
}

#[test]
fn whether_the_lab_is_hit_stands_first_and_is_counted_by_device() {
    let mut document = shown();
    document.hits = vec![
        one(1, 7, "CVE-2023-1", "high"),
        one(2, 7, "CVE-2023-2", "critical"),
        one(3, 8, "CVE-2023-1", "high"),
    ];
    document.hits[2].verdict = "cannot-tell".to_owned();
    document.not_affected = vec![HitDevice {
        id: 9,
        name: "centrifuge".to_owned(),
        ..HitDevice::default()
    }];
    let html = advisory(&frame(Role::It, Language::Es), &document).unwrap();
    for part in [
        "1 dispositivo afectado",
        "1 dispositivo por mirar",
        "href=\"/hits/2\"",
        "centrifuge",
        "A &#60;b&#62;title",
        "2 productos más",
        "Se comprobó una suma",
        "No se comprobó ninguna.",
        "<q class=\"published\" lang=\"en\">Two\nlines</q>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let html = advisory(&frame(Role::It, Language::En), &shown()).unwrap();
    assert!(html.contains("None of the lab’s devices is named in it."));
}

#[test]
fn a_source_that_is_old_or_could_not_be_read_in_part_says_so() {
    let page = Advisories {
        advisories: vec![shown().advisory],
        total: 1,
        next: Some(50),
        sources: vec![AdvisorySource {
            name: "cisa".to_owned(),
            stale: true,
            refused: 2,
            ..AdvisorySource::default()
        }],
        ..Advisories::default()
    };
    let filter = AdvisoryFilter {
        q: Some("a&b".to_owned()),
        ..AdvisoryFilter::default()
    };
    let html = advisories(&frame(Role::LabManager, Language::En), &filter, &page).unwrap();
    for part in [
        "old: import it anew",
        "<strong class=\"state-held\">2</strong>",
        "q=a%26b&#38;skip=50",
        "action=\"/export/advisories\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}
