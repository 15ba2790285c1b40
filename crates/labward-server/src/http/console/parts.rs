//! The pages of what manufacturers disclose.
//!
//! It must never decide anything: the API does, in the person's name.

use axum::body::Bytes;
use labward_api::disclosure::{
    AttachedDisclosure, ComponentFilter, DeviceComponents, DeviceMds2, NewPatchApproval,
    PatchApproval, PatchApprovals,
};
use labward_api::{Done, ProblemBody};
use labward_base::remark;
use labward_console::frame::Place;
use labward_console::pages as html;

use super::devices::device_with;
use super::pages::{why, written};
use super::visit::{Page, Visit, shown_within};
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// `POST /devices/{id}/sbom`
pub(super) fn attach_sbom(visit: &Visit) -> Result<Page, Failure> {
    attach(visit, "sbom", "devices/{id}/sbom")
}

/// `POST /devices/{id}/mds2`
pub(super) fn attach_mds2(visit: &Visit) -> Result<Page, Failure> {
    attach(visit, "mds2", "devices/{id}/mds2")
}

fn attach(visit: &Visit, place: &str, endpoint: &str) -> Result<Page, Failure> {
    let file = visit.form.files().first();
    let name = file.map_or("", |file| &file.name);
    let bytes = file.map_or_else(Bytes::new, |file| file.bytes.clone());
    let is_of_model = visit.form.text("model") == "true";
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("file", name);
    query.append_pair("model", if is_of_model { "true" } else { "false" });
    let id = visit.text("id");
    let path = format!("{endpoint}?{}", query.finish());
    match visit.ask::<AttachedDisclosure>(Verb::Post, &path, &[("id", id)], bytes) {
        Ok(_) => Ok(Page::To(format!(
            "/devices/{id}?done=device-attached#{}",
            if place == "sbom" { "parts" } else { place }
        ))),
        Err(failure) => device_with(visit, Some(&shown_within(failure)?)),
    }
}

/// `POST /disclosures/{id}/remove`
pub(super) fn detach(visit: &Visit) -> Result<Page, Failure> {
    let device: u64 = visit
        .form
        .text("device")
        .parse()
        .map_err(|_| Failure::misunderstood(remark::query_form()))?;
    let params = [("id", visit.text("id"))];
    visit.post::<Done>("disclosures/{id}/remove", &params, &why(visit))?;
    Ok(Page::To(format!("/devices/{device}?done=device-detached")))
}

/// `GET /devices/{id}/mds2`
pub(super) fn mds2(visit: &Visit) -> Result<Page, Failure> {
    let id = visit.text("id");
    let one: DeviceMds2 = visit.ask(Verb::Get, "devices/{id}/mds2", &[("id", id)], Vec::new())?;
    let device = id.parse().unwrap_or_default();
    written(html::mds2(&visit.frame(Place::Devices), device, &one))
}

/// `GET /components`
pub(super) fn components(visit: &Visit) -> Result<Page, Failure> {
    let filter = ComponentFilter {
        device: visit.query.text("device").parse().ok(),
        q: visit.query.some("q"),
        skip: visit.query.text("skip").parse().ok(),
        limit: Some(html::COMPONENTS_ON_PAGE),
    };
    let pairs = [
        ("device", filter.device.map(|one| one.to_string())),
        ("q", filter.q.clone()),
        ("skip", filter.skip.map(|one| one.to_string())),
        ("limit", filter.limit.map(|one| one.to_string())),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, text) in pairs {
        if let Some(text) = text {
            query.append_pair(name, &text);
        }
    }
    let page: DeviceComponents = visit.get(&format!("components?{}", query.finish()))?;
    written(html::components(
        &visit.frame(Place::Devices),
        &filter,
        &page,
    ))
}

/// `GET /patch-approvals`
pub(super) fn approvals(visit: &Visit) -> Result<Page, Failure> {
    approvals_with(visit, &NewPatchApproval::default(), None)
}

fn approvals_with(
    visit: &Visit,
    asked: &NewPatchApproval,
    fault: Option<&ProblemBody>,
) -> Result<Page, Failure> {
    let page: PatchApprovals = visit.get("patch-approvals")?;
    let frame = visit.frame(Place::Devices);
    written(html::patch_approvals(&frame, &page, asked, fault))
}

/// `POST /patch-approvals`
pub(super) fn approve(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let text = |name: &str| form.text(name).trim().to_owned();
    let asked = NewPatchApproval {
        manufacturer: text("manufacturer"),
        model: text("model"),
        version: form.some("version"),
        patch: text("patch"),
        approved: text("approved"),
        document: text("document"),
        why: text("why"),
    };
    match visit.post::<PatchApproval>("patch-approvals", &[], &asked) {
        Ok(_) => Ok(Page::To("/patch-approvals?done=patch-stated".to_owned())),
        Err(failure) => approvals_with(visit, &asked, Some(&shown_within(failure)?)),
    }
}

/// `POST /patch-approvals/{id}/withdraw`
pub(super) fn unapprove(visit: &Visit) -> Result<Page, Failure> {
    let params = [("id", visit.text("id"))];
    visit.post::<PatchApproval>("patch-approvals/{id}/withdraw", &params, &why(visit))?;
    Ok(Page::To("/patch-approvals?done=patch-withdrawn".to_owned()))
}
