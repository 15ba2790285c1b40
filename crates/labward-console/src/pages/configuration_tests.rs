//! The pages of the configuration: what is said where, in which language, and to whom.

use super::*;
use labward_api::config::ClosedLink;
use labward_identity::{Language, Role, Theme};
use serde_json::json;

const HOSTILE: &str = "<script>alert('x')</script>\" onload=\"y";

fn frame(language: Language, role: Role) -> Frame {
    Frame {
        language,
        theme: Theme::Light,
        viewer: Some(crate::frame::Viewer {
            name: "Ada".to_owned(),
            roles: role.into(),
            engagement: None,
            mark: None,
            csrf: "token".to_owned(),
            lasts: crate::frame::Lasts::default(),
        }),
        nonce: "nonce".to_owned(),
        lab: "Lab".to_owned(),
        place: Place::Settings,
        done: None,
        alarm: None,
        glass: None,
    }
}

fn key(name: &str, form: ConfigForm) -> ConfigKey {
    ConfigKey {
        key: name.to_owned(),
        form,
        ..ConfigKey::default()
    }
}

fn links(name: &str) -> ConfigTable {
    let number = ConfigForm::Number { least: 1, most: 60 };
    ConfigTable {
        table: "link".to_owned(),
        many: true,
        keys: vec![
            key("name", ConfigForm::Name),
            key("listen", ConfigForm::Listen),
            key("limits.frame_seconds", number),
        ],
        parts: vec![ConfigPart {
            name: Some(name.to_owned()),
            values: [("listen".to_owned(), json!(HOSTILE))].into(),
        }],
    }
}

fn problem(code: &str) -> ProblemBody {
    ProblemBody {
        code: code.to_owned(),
        what: HOSTILE.to_owned(),
        todo: HOSTILE.to_owned(),
        detail: Some(HOSTILE.to_owned()),
        remark: None,
        reference: None,
    }
}

fn form(language: Language, fault: Option<&ConfigFault>) -> String {
    let table = links("hl7");
    let filled = [("limits.frame_seconds".to_owned(), "900".to_owned())];
    let page = Filling {
        table: &table,
        part: table.parts.first(),
        base: "00",
        filled: fault.map(|_| &filled[..]),
        fault,
    };
    filling(&frame(language, Role::It), &page).unwrap()
}

#[test]
fn a_mistake_stands_beside_its_field_in_the_readers_language_and_what_was_typed_stays() {
    let fault = ConfigFault {
        problem: problem("config.bad-value"),
        key: Some("limits.frame_seconds".to_owned()),
        expected: Some(ConfigForm::Number { least: 1, most: 60 }),
    };
    for (language, said) in [
        (Language::En, "A whole number from 1 to 60."),
        (Language::Es, "Un número entero de 1 a 60."),
    ] {
        let page = form(language, Some(&fault));
        let behind = page
            .split("id=\"limits-frame-seconds-help\"")
            .nth(1)
            .unwrap();
        let (beside, _) = behind.split_once("</form>").unwrap();
        assert!(
            beside.contains(said) && beside.contains("role=\"alert\""),
            "{beside}"
        );
        assert!(page.contains("value=\"900\"") && page.contains("<details class=\"mb-3\" open>"));
        assert!(!page.contains("alert-danger"), "it is said once");
        // No script, no title and no attribute comes of what a person wrote.
        assert!(!page.contains("<script>alert") && !page.contains("\" onload=\"y"));
    }
    let whole = ConfigFault {
        problem: problem("config.unsafe"),
        key: None,
        expected: None,
    };
    assert!(form(Language::En, Some(&whole)).contains("alert-danger"));
    assert!(!form(Language::En, None).contains("role=\"alert\""));
}

#[test]
fn a_preview_names_what_closes_what_others_did_and_what_is_refused() {
    let change = ConfigChange {
        table: HOSTILE.to_owned(),
        key: "listen".to_owned(),
        old: Some(HOSTILE.to_owned()),
        ..ConfigChange::default()
    };
    let mut seen = ConfigPreview {
        changes: vec![change],
        closes: vec![ClosedLink {
            link: "hl7".to_owned(),
            connections: 2,
        }],
        ..ConfigPreview::default()
    };
    let f = frame(Language::En, Role::Administrator);
    let page = |seen: &ConfigPreview| {
        let shown = Previewed {
            preview: seen,
            edits: HOSTILE,
            does: EditKind::Change,
            leaving: None,
            fault: None,
            why: HOSTILE,
        };
        let page = previewed(&f, &shown).unwrap();
        assert!(!page.contains("<script>alert") && !page.contains("\" onload=\"y"));
        page
    };
    let shown = page(&seen);
    assert!(shown.contains("The link hl7 closes.") && shown.contains("2 connections end"));
    assert!(shown.contains("action=\"/settings/change\""));
    seen.meanwhile = Some(Meanwhile {
        by: Some("Bo".to_owned()),
        time: Some("2026-11-27T00:00:00Z".to_owned()),
        changed: vec!["[log] level".to_owned()],
        both: Vec::new(),
    });
    let shown = page(&seen);
    assert!(shown.contains("Meanwhile Bo changed") && shown.contains("both together"));
    assert!(shown.contains("action=\"/settings/change\""));
    let fault = |code| ConfigFault {
        problem: problem(code),
        key: None,
        expected: None,
    };
    seen.refused = Some(fault("config.changed"));
    let shown = page(&seen);
    assert!(shown.contains("action=\"/settings/confirm\"") && !shown.contains("/settings/change"));
    seen.refused = Some(fault("config.destination-waits"));
    let shown = page(&seen);
    assert!(shown.contains("cannot be put in force") && !shown.contains("name=\"why\""));
}

#[test]
fn who_may_not_change_is_offered_no_change_and_nobody_is_while_the_file_differs() {
    let offered = |role: Role, is_file: bool| {
        let configuration = Configuration {
            sha256: String::new(),
            is_file,
            tables: vec![links("hl7")],
        };
        let (status, reload) = (Status::default(), Reload::default());
        let page = settings(&frame(Language::Es, role), &status, &reload, &configuration);
        let page = page.unwrap();
        assert!(page.contains("hl7") && !page.contains("<script>alert"));
        page.contains("/settings/edit")
    };
    assert!(offered(Role::It, true));
    assert!(!offered(Role::SecurityOfficer, true));
    assert!(!offered(Role::It, false));
}
