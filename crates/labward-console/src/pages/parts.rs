//! What manufacturers disclose: the components of devices, their disclosure statements, and which patches they approve.
//!
//! It must never show a component that cannot be matched as one that nothing hits, or a manufacturer's word as measured.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::disclosure::{
    ComponentFilter, DeviceComponents, DeviceDisclosure, DeviceMds2, NewPatchApproval,
    PatchApprovals,
};
use labward_identity::Permission;

use super::devices::{entry_text, numbered};
use super::hit::who;
use super::{When, in_address};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Components on a page.
pub const COMPONENTS_ON_PAGE: u32 = 100;

/// What a vendor may say of a patch.
const APPROVALS: &[&str] = &["approved", "rejected", "pending"];

#[derive(Template)]
#[template(path = "components.html")]
struct ComponentsPage<'a> {
    f: &'a Frame,
    filter: &'a ComponentFilter,
    page: &'a DeviceComponents,
}

impl ComponentsPage<'_> {
    fn q(&self) -> &str {
        self.filter.q.as_deref().unwrap_or_default()
    }

    fn q_in_address(&self) -> String {
        in_address(self.q())
    }

    fn address(&self, skip: u32) -> String {
        let device = self.filter.device.map(|id| format!("&device={id}"));
        let (q, device) = (self.q_in_address(), device.unwrap_or_default());
        format!("/components?q={q}{device}&skip={skip}")
    }

    fn earlier(&self) -> Option<String> {
        let skip = self.filter.skip.filter(|skip| *skip > 0)?;
        Some(self.address(skip.saturating_sub(COMPONENTS_ON_PAGE)))
    }

    fn later(&self) -> Option<String> {
        self.page.next.map(|skip| self.address(skip))
    }
}

/// The components of a device or of all of them.
///
/// # Errors
///
/// [`RenderError`].
pub fn components(
    f: &Frame,
    filter: &ComponentFilter,
    page: &DeviceComponents,
) -> Result<String, RenderError> {
    ComponentsPage { f, filter, page }.render()
}

#[derive(Template)]
#[template(path = "mds2.html")]
struct Mds2Page<'a> {
    f: &'a Frame,
    device: u64,
    one: &'a DeviceMds2,
}

/// What the manufacturer of a device discloses of its security, by section.
///
/// # Errors
///
/// [`RenderError`].
pub fn mds2(f: &Frame, device: u64, one: &DeviceMds2) -> Result<String, RenderError> {
    Mds2Page { f, device, one }.render()
}

#[derive(Template)]
#[template(path = "approvals.html")]
struct ApprovalsPage<'a> {
    f: &'a Frame,
    page: &'a PatchApprovals,
    asked: &'a NewPatchApproval,
    fault: Option<&'a ProblemBody>,
}

impl ApprovalsPage<'_> {
    fn may(&self) -> bool {
        self.f.may(Permission::DeviceChange)
    }
}

/// Which patches vendors approve for their models, and the form for another.
///
/// # Errors
///
/// [`RenderError`].
pub fn patch_approvals(
    f: &Frame,
    page: &PatchApprovals,
    asked: &NewPatchApproval,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    ApprovalsPage {
        f,
        page,
        asked,
        fault,
    }
    .render()
}

/// Of which devices a disclosure is.
pub(super) fn attached_to(f: &Frame, one: &DeviceDisclosure) -> Cow<'static, str> {
    if one.device.is_some() {
        return f.t("attached-device");
    }
    let version = one.version.as_deref().unwrap_or_default();
    let model = format!("{} {} {version}", one.manufacturer, one.model);
    f.w("attached-model", "model", model.trim())
}

#[cfg(test)]
mod tests {
    use labward_api::disclosure::{DeviceComponent, Mds2Disclosure};
    use labward_identity::{Language, Theme};

    use super::*;

    fn frame() -> Frame {
        Frame {
            language: Language::Es,
            theme: Theme::Light,
            viewer: None,
            nonce: String::new(),
            lab: "Lab".to_owned(),
            place: Place::Devices,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    #[test]
    fn what_cannot_be_matched_is_told_apart_from_what_nothing_hits() {
        let one = |name: &str, matchable, vulnerabilities: &[&str]| DeviceComponent {
            name: name.to_owned(),
            matchable,
            vulnerabilities: vulnerabilities.iter().map(ToString::to_string).collect(),
            ..DeviceComponent::default()
        };
        let page = DeviceComponents {
            components: vec![
                one("<driver>", false, &[]),
                one("lodash", true, &["CVE-2021-23337"]),
            ],
            next: Some(100),
            ..DeviceComponents::default()
        };
        let filter = ComponentFilter {
            device: Some(7),
            q: Some("a b".to_owned()),
            ..ComponentFilter::default()
        };
        let text = components(&frame(), &filter, &page).unwrap();
        assert!(text.contains("&#60;driver&#62;"), "{text}");
        assert!(text.contains(&*frame().t("component-unmatched")));
        assert!(text.contains("q=CVE-2021-23337"));
        assert!(text.contains("device=7&#38;skip=100"), "{text}");
    }

    #[test]
    fn every_code_of_a_disclosure_has_a_text_in_each_language() {
        for language in [Language::En, Language::Es] {
            let frame = Frame {
                language,
                ..frame()
            };
            let has = |family: &str, name: &str| {
                let key = format!("{family}-{name}");
                let text = frame.of(family, name);
                assert!(!text.is_empty() && !text.contains(&key), "{key}");
            };
            let empty = labward_mds2::sections();
            empty.for_each(|one| has("mds2-section", &one.to_lowercase()));
            for one in labward_mds2::Capability::all() {
                has("mds2-capability", one.name());
            }
            for one in ["yes", "no", "not-applicable", "unclear", "unanswered"] {
                has("mds2-disclosed", one);
            }
            APPROVALS.iter().for_each(|one| has("approval", one));
            for one in labward_matching::VexStatus::ALL {
                has("vex-status", &one.as_str().replace('_', "-"));
            }
            for one in labward_matching::Justification::ALL {
                has("vex-why", &one.as_str().replace('_', "-"));
            }
        }
    }

    #[test]
    fn a_manufacturers_word_is_shown_as_one() {
        let one = DeviceMds2 {
            disclosures: vec![Mds2Disclosure {
                capability: "anti-malware".to_owned(),
                disclosed: "no".to_owned(),
                question: "MLDP-2".to_owned(),
                note: Some("closed <system>".to_owned()),
            }],
            ..DeviceMds2::default()
        };
        let text = mds2(&frame(), 7, &one).unwrap();
        for part in [
            "MLDP-2",
            "closed &#60;system&#62;",
            &*frame().t("mds2-lead"),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
