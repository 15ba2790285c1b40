//! Tests of the pages: the advisories.

use labward_api::advisory::{AdvisoryNote, AdvisoryProduct, AnnouncedKey, SourceFault};
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

#[test]
fn a_list_says_what_waits_what_could_not_be_read_and_which_keys_its_publisher_claims() {
    let page = Advisories {
        sources: vec![
            AdvisorySource {
                name: "psirt".to_owned(),
                publisher: Some("A <PSIRT>".to_owned()),
                refused: 1,
                waiting: 7,
                age_seconds: Some(60),
                keys: vec![AnnouncedKey {
                    fingerprint: "144AED0A".to_owned(),
                    trusted: false,
                }],
                faults: vec![SourceFault {
                    address: "https://a/<x>.json".to_owned(),
                    why: "answered 404: it is not there".to_owned(),
                }],
                ..AdvisorySource::default()
            },
            AdvisorySource {
                name: "down".to_owned(),
                failure: Some("no answer".to_owned()),
                ..AdvisorySource::default()
            },
        ],
        ..Advisories::default()
    };
    let filter = AdvisoryFilter::default();
    let html = advisories(&frame(Role::It, Language::Es), &filter, &page).unwrap();
    for part in [
        "psirt: A &#60;PSIRT&#62;",
        "7 más están en la lista y esperan",
        "no está en signing_keys, así que sus firmas no cuentan.",
        "https://a/&#60;x&#62;.json",
        "<q class=\"published\" lang=\"en\">answered 404: it is not there</q>",
        "todavía nunca",
        "no se pudo consultar:",
        "href=\"/advisories/import\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let html = advisories(&frame(Role::Expert, Language::En), &filter, &page).unwrap();
    assert!(!html.contains("href=\"/advisories/import\""));
}

#[test]
fn what_was_refused_stands_first_with_its_reason() {
    let line = |file: &str, state: &str, why: Option<&str>| ImportedAdvisory {
        file: file.to_owned(),
        state: state.to_owned(),
        why: why.map(str::to_owned),
        ..ImportedAdvisory::default()
    };
    let read = ImportedAdvisories {
        source: "cisa".to_owned(),
        added: 2,
        refused: 1,
        lines: vec![
            line("old.json", "older", None),
            line(
                "<b>.json",
                "refused",
                Some("its hash is not the one beside it"),
            ),
        ],
        opened: 1,
        ..ImportedAdvisories::default()
    };
    let asked = ImportAdvisories {
        source: "ci\"sa".to_owned(),
        ..ImportAdvisories::default()
    };
    let shown = |language, read| {
        let f = frame(Role::It, language);
        advisories_import(&f, &asked, &[], read, None).unwrap()
    };
    let html = shown(Language::En, Some(&read));
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}: {html}"));
    assert!(at("&#60;b&#62;.json") < at("old.json"));
    assert!(html.contains("2 added, 0 updated") && html.contains("a later release is held"));
    assert!(html.contains("value=\"ci&#34;sa\"") && html.contains("multipart/form-data"));
    assert!(shown(Language::Es, Some(&read)).contains("1 vulnerabilidad abierta"));
    assert!(!shown(Language::En, None).contains("<table"));
}
