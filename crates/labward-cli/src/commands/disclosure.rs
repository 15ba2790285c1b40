//! `device attach-sbom`, `attach-mds2`, `components`, `approve` and what belongs to them: what manufacturers disclose.
//!
//! It must never print what a manufacturer wrote as a terminal would obey it.

use std::io::{self, Write};

use labward_api::disclosure::{
    AttachedDisclosure, DeviceComponent, DeviceComponents, DeviceDisclosure, DeviceMds2,
    NewPatchApproval, PatchApproval, PatchApprovals,
};
use labward_api::{Done, Why};

use super::advisory::plain;
use super::{Context, read};
use crate::args::{ApproveArgs, AttachArgs};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward device attach-sbom` and `attach-mds2`
pub(super) fn attach(context: &Context, kind: &str, asked: &AttachArgs) -> Result<(), Failure> {
    let name = asked.file.file_name().unwrap_or_default();
    let query = [
        ("file", name.to_string_lossy().into_owned()),
        ("model", asked.model.to_string()),
    ];
    let path = format!("devices/{}/{kind}", asked.id);
    let bytes = read(&asked.file)?;
    let done: AttachedDisclosure = context.client.upload(&path, &query, &bytes)?;
    show(context.json, &done, |out| {
        disclosed(out, &done.disclosure)?;
        match kind {
            "sbom" => writeln!(out, "{} hits opened, {} closed", done.opened, done.closed),
            _ => writeln!(out, "it says something new of {} devices", done.changed),
        }
    })
}

/// What is attached, in a line.
pub(super) fn disclosed(out: &mut dyn Write, one: &DeviceDisclosure) -> io::Result<()> {
    let of = match (one.device, one.version.as_deref()) {
        (Some(id), _) => format!("device {id}"),
        (None, Some(version)) => format!("{} {} {version}", one.manufacturer, one.model),
        (None, None) => format!("{} {}", one.manufacturer, one.model),
    };
    let holds = match one.kind.as_str() {
        "sbom" => format!(
            "{} components, {} of them matched",
            one.total, one.matchable
        ),
        _ => format!("{} answers", one.total),
    };
    writeln!(
        out,
        "{} {} of {}: {}, {holds}; SHA-256 {}, attached {}",
        one.kind,
        one.id,
        plain(&of),
        plain(&one.file),
        one.sha256,
        one.attached
    )
}

/// `labward device detach`
pub(super) fn detach(context: &Context, id: u64, why: Option<&str>) -> Result<(), Failure> {
    let asked = Why {
        why: prompt::why(why)?,
    };
    let path = format!("disclosures/{id}/remove");
    let done: Done = context.client.post(&path, &asked)?;
    show(context.json, &done, |out| {
        writeln!(out, "disclosure {id} is attached no more")
    })
}

/// `labward device components`
pub(super) fn components(
    context: &Context,
    device: Option<u64>,
    find: Option<&str>,
) -> Result<(), Failure> {
    let mut all = DeviceComponents::default();
    let mut skip = Some(0);
    while let Some(from) = skip {
        let mut query = vec![("limit", "1000".to_owned()), ("skip", from.to_string())];
        query.extend(find.map(|find| ("q", find.to_owned())));
        query.extend(device.map(|id| ("device", id.to_string())));
        let page: DeviceComponents = context.client.get("components", &query)?;
        let before = std::mem::take(&mut all.components);
        skip = page.next;
        all = page;
        all.components.splice(0..0, before);
    }
    show(context.json, &all, |out| {
        if let Some(sbom) = &all.sbom {
            disclosed(out, sbom)?;
        }
        let rows: Vec<Vec<String>> = all.components.iter().map(component).collect();
        let head = [
            "device",
            "component",
            "version",
            "supplier",
            "package",
            "hits",
        ];
        table(out, &head, &rows)?;
        writeln!(out, "{} components of {} devices", all.total, all.devices)
    })
}

fn component(one: &DeviceComponent) -> Vec<String> {
    let shown = |text: &Option<String>| or_dash(text.as_deref().map(plain).as_deref());
    let hits = match (one.matchable, one.vulnerabilities.is_empty()) {
        (false, _) => "not matched".to_owned(),
        (true, true) => "-".to_owned(),
        (true, false) => plain(&one.vulnerabilities.join(", ")),
    };
    vec![
        format!("{} {}", one.device.id, plain(&one.device.name)),
        plain(&one.name),
        shown(&one.version),
        shown(&one.supplier),
        shown(&one.purl),
        hits,
    ]
}

/// `labward device mds2`
pub(super) fn mds2(context: &Context, id: u64, with_all: bool) -> Result<(), Failure> {
    let one: DeviceMds2 = context.client.get(&format!("devices/{id}/mds2"), &[])?;
    show(context.json, &one, |out| {
        disclosed(out, &one.disclosure)?;
        writeln!(
            out,
            "The manufacturer says, and nothing of it was measured:"
        )?;
        let note = |note: &Option<String>| or_dash(note.as_deref().map(plain).as_deref());
        let said = one.disclosures.iter().map(|line| {
            let what = line.capability.replace('-', " ");
            let (said, question) = (line.disclosed.clone(), line.question.clone());
            vec![what, said, question, note(&line.note)]
        });
        let said: Vec<Vec<String>> = said.collect();
        table(out, &["what", "says", "question", "note"], &said)?;
        if with_all {
            let all = one.sections.iter().flat_map(|section| &section.answers);
            let all = all.map(|line| {
                let answer = plain(&line.answer);
                let answer = or_dash(Some(answer.as_str()).filter(|text| !text.is_empty()));
                vec![
                    line.id.clone(),
                    answer,
                    note(&line.note),
                    plain(&line.question),
                ]
            });
            let all: Vec<Vec<String>> = all.collect();
            writeln!(out)?;
            table(out, &["id", "answer", "note", "question"], &all)?;
        }
        writeln!(out, "{} questions of the form are missing", one.missing)
    })
}

/// `labward device approvals`
pub(super) fn approvals(
    context: &Context,
    find: Option<&str>,
    with_all: bool,
) -> Result<(), Failure> {
    let mut query = vec![("state", if with_all { "all" } else { "holding" }.to_owned())];
    query.extend(find.map(|find| ("q", find.to_owned())));
    let all: PatchApprovals = context.client.get("patch-approvals", &query)?;
    show(context.json, &all, |out| patches(out, &all.approvals))
}

/// Approvals of patches as a table.
pub(super) fn patches(out: &mut dyn Write, all: &[PatchApproval]) -> io::Result<()> {
    let row = |one: &PatchApproval| {
        let holds = match &one.withdrawn {
            Some(withdrawn) => format!("until {withdrawn}"),
            None => "yes".to_owned(),
        };
        vec![
            one.id.to_string(),
            plain(&format!("{} {}", one.manufacturer, one.model)),
            or_dash(one.version.as_deref().map(plain).as_deref()),
            plain(&one.patch),
            one.approved.clone(),
            or_dash(Some(plain(&one.document).as_str()).filter(|text| !text.is_empty())),
            one.stated.clone(),
            holds,
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let head = [
        "number",
        "model",
        "version",
        "patch",
        "vendor says",
        "document",
        "stated",
        "holds",
    ];
    table(out, &head, &rows)
}

/// `labward device approve`
pub(super) fn approve(context: &Context, asked: &ApproveArgs) -> Result<(), Failure> {
    let new = NewPatchApproval {
        manufacturer: asked.manufacturer.clone(),
        model: asked.model.clone(),
        version: asked.for_version.clone(),
        patch: asked.patch.clone(),
        approved: asked.approved.name().to_owned(),
        document: asked.document.clone(),
        why: prompt::why(asked.why.as_deref())?,
    };
    let one: PatchApproval = context.client.post("patch-approvals", &new)?;
    show(context.json, &one, |out| {
        patches(out, std::slice::from_ref(&one))
    })
}

/// `labward device unapprove`
pub(super) fn unapprove(context: &Context, id: u64, why: Option<&str>) -> Result<(), Failure> {
    let asked = Why {
        why: prompt::why(why)?,
    };
    let path = format!("patch-approvals/{id}/withdraw");
    let one: PatchApproval = context.client.post(&path, &asked)?;
    show(context.json, &one, |out| {
        writeln!(out, "approval {id} holds no more")
    })
}
