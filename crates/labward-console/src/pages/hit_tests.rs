//! Tests of the pages: one hit, statements and work orders.

use std::collections::BTreeMap;

use labward_api::hit::{HitDevice, Saying};
use labward_identity::Role;

use super::super::hits::tests::{frame, one};
use super::*;

fn shown() -> HitShown {
    let mut hit = one(5, 7, "CVE-2023-1", "high");
    hit.verdict = "cannot-tell".to_owned();
    hit.reasons = vec!["family".to_owned()];
    let step = |product: &str| HitStep {
        vendor: "Sysmex".to_owned(),
        product: product.to_owned(),
        versions: Some("< 3.0".to_owned()),
        found_by: "XN-550".to_owned(),
        name: "device-is-narrower".to_owned(),
        read_as: Some("operator".to_owned()),
        status: "known_affected".to_owned(),
    };
    HitShown {
        hit,
        steps: vec![step("XN-Series"), step("XN-Series"), step("XT <i>Series")],
        statements: vec![HitStatement {
            id: 2,
            says: "fixed".to_owned(),
            device: Some(HitDevice::default()),
            vulnerability: "CVE-2023-1".to_owned(),
            version: Some("2.1".to_owned()),
            person: 4,
            ..HitStatement::default()
        }],
        without: Some("affected".to_owned()),
        urgency: vec![Saying {
            code: "exposure-assumed".to_owned(),
            values: BTreeMap::from([("value".to_owned(), "open".to_owned())]),
            text: "Exposure: open is assumed.".to_owned(),
        }],
        due_rule: Saying {
            code: "due-kev".to_owned(),
            values: BTreeMap::from([("day".to_owned(), "2026-12-12".to_owned())]),
            text: "CISA asks for it.".to_owned(),
        },
        remediations: vec![
            AdvisoryRemediation {
                kind: "mitigation".to_owned(),
                text: "Close the port.".to_owned(),
                url: Some("javascript:alert(1)".to_owned()),
            },
            AdvisoryRemediation {
                kind: "vendor_fix".to_owned(),
                text: "Install 3.0.".to_owned(),
                url: Some("https://vendor.example/3".to_owned()),
            },
        ],
        manufacturer: "Sysmex".to_owned(),
        model: "XN-550".to_owned(),
        ..HitShown::default()
    }
}

fn page(role: Role, language: Language) -> String {
    let f = frame(role, language);
    hit(
        &f,
        &shown(),
        &DecidingHits::default(),
        &Stating::default(),
        None,
    )
    .unwrap()
}

#[test]
fn the_way_to_the_verdict_is_said_in_the_readers_language() {
    let html = page(Role::LabManager, Language::Es);
    for part in [
        "No se sabe si este dispositivo está afectado",
        "puede ser de toda una familia",
        "el nombre de aquí dice más",
        "un límite",
        "&#60; 3.0",
        "Exposición: se supone abierta",
        "El catálogo de CISA lo pide para el 2026-12-12.",
        "<q class=\"published\" lang=\"en\">Install 3.0.</q>",
        "Sin la palabra de nadie sería: Afectado",
        "solo para la versión 2.1",
        "XT &#60;i&#62;Series",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("href=\"javascript"));
    let at = |text: &str| html.find(text).unwrap();
    assert!(at("Install 3.0.") < at("Close the port."));
}

#[test]
fn each_form_is_for_who_may_and_each_product_is_asked_about_once() {
    let html = page(Role::LabManager, Language::En);
    assert_eq!(html.matches("action=\"/hits/5/products\"").count(), 2);
    assert!(html.contains("Is Sysmex XN-550 the product Sysmex XN-Series?"));
    for action in ["decide", "5/vulnerability", "statements/2/withdraw"] {
        assert!(html.contains(&format!("action=\"/hits/{action}\"")));
    }
    let html = page(Role::It, Language::En);
    assert!(html.contains("/5/products") && !html.contains("/5/vulnerability"));
    let html = page(Role::Expert, Language::En);
    assert!(!html.contains("action=\"/hits"), "{html}");
}

#[test]
fn a_work_order_tells_what_to_do_once_for_each_advisory_and_has_room_to_sign() {
    let mut other = shown();
    other.hit.vulnerability = "CVE-2023-2".to_owned();
    other.hit.due = "2026-12-01".to_owned();
    let values = [("location", "Room <2>"), ("contact", "")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let device = Device {
        values: BTreeMap::from(values),
        ..Device::default()
    };
    let f = frame(Role::It, Language::En);
    let html = hit_order(&f, &device, &[shown(), other], 3, "/devices/7").unwrap();
    assert_eq!(html.matches("Install 3.0.").count(), 1);
    for part in [
        "CVE-2023-1, CVE-2023-2",
        "2026-12-01",
        "Room &#60;2&#62;",
        "3 more did not fit",
        "Signature",
        "patient samples",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn statements_say_what_they_hold_for_and_are_taken_back_by_who_may() {
    let mut product = shown().statements.remove(0);
    product.device = None;
    product.says = "other".to_owned();
    (product.model, product.product) = ("XN-550".to_owned(), "XN-Series".to_owned());
    let all = [product];
    let html = |role| hit_statements(&frame(role, Language::En), &all, None).unwrap();
    let it = html(Role::It);
    assert!(it.contains("XN-550 is not the product XN-Series") && it.contains("every device"));
    assert!(it.contains("/hits/statements/2/withdraw"));
    assert!(!html(Role::Expert).contains("/hits/statements/2/withdraw"));
}
