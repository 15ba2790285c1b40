//! `patch-approvals`: which patches vendors approve for their models, as people keep it.
//!
//! It must never show who took something down to somebody who may not see people, or why while the root key is sealed.

use labward_api::Why;
use labward_api::disclosure::{ApprovalFilter, NewPatchApproval, PatchApproval, PatchApprovals};
use labward_base::id::ApprovalId;
use labward_base::{Clock as _, Timestamp, remark};
use labward_devices::Shown;
use labward_disclosures::{Approval, Approved, DisclosuresError, NewApproval, Scope};
use labward_records::why_in;

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use super::hit::{Seen, person_name};
use crate::backup::sealed_why;
use crate::folder::SITE;
use crate::threat::kin::kin;

/// `GET patch-approvals`
pub(super) fn list(call: &Call) -> Result<Answer, Failure> {
    let asked: ApprovalFilter = call.query()?;
    let with_withdrawn = match asked.state.as_deref().unwrap_or_default() {
        "" | "holding" => false,
        "all" => true,
        _ => return Err(Failure::misunderstood(remark::query_form())),
    };
    let wanted = asked.q.unwrap_or_default().trim().to_lowercase();
    let all = call.core.disclosures.approvals();
    let kept = all.values().rev();
    let kept = kept.filter(|one| with_withdrawn || one.withdrawn.is_none());
    let kept = kept.map(|one| shown(call, one)).filter(|one| {
        let texts = [&one.manufacturer, &one.model, &one.patch, &one.document];
        texts
            .iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    });
    Answer::json(&PatchApprovals {
        approvals: kept.collect(),
    })
}

/// `POST patch-approvals`
pub(super) fn state(call: &Call) -> Result<Answer, Failure> {
    let asked: NewPatchApproval = call.json()?;
    let version = asked.version.as_deref().unwrap_or_default();
    let scope = Scope::model(&asked.manufacturer, &asked.model, version);
    let missing = "the vendor or the model is missing or too long";
    let scope = scope.ok_or(DisclosuresError::BadApproval(missing))?;
    let approved: Approved = asked.approved.parse()?;
    let core = &call.core;
    let why = reason(&asked.why)?;
    let new = NewApproval::new(scope, &asked.patch, approved, &asked.document, Vec::new())?;
    let new = NewApproval {
        why: sealed_why(core, why)?,
        ..new
    };
    let stated = core
        .disclosures
        .approve(&new, call.by(), core.clock.now())?;
    Answer::json(&shown(call, &stated))
}

/// `POST patch-approvals/{id}/withdraw`
pub(super) fn withdraw(call: &Call) -> Result<Answer, Failure> {
    let id: ApprovalId = call.param("id")?;
    let asked: Why = call.json()?;
    let core = &call.core;
    let why = sealed_why(core, reason(&asked.why)?)?;
    let now = core.clock.now();
    let withdrawn = core.disclosures.withdraw(id, call.by(), why, now)?;
    Answer::json(&shown(call, &withdrawn))
}

/// What holds for a device.
pub(super) fn of(call: &Call, one: &Shown) -> Vec<PatchApproval> {
    let all = call.core.disclosures.approvals_of(&kin(one));
    all.iter().map(|one| shown(call, one)).collect()
}

/// What the vendors of these hits' devices say of the patch that is meant, where all of them say the same of each: the patch
/// is named by the vulnerability, by what the advisory says is to be done, or by the person's own words.
pub(super) fn answer(call: &Call, hits: &[Seen<'_>], why: &str) -> Option<bool> {
    let mut answer = None;
    for seen in hits {
        let mut text = format!("{} {why}", seen.hit.key.vulnerability);
        for one in seen.vulnerability.iter().flat_map(|of| &of.remediations) {
            text.push(' ');
            text.push_str(&one.details);
        }
        let of = call.core.disclosures.approvals_of(&kin(seen.device?));
        let named = of.iter().filter(|one| one.is_named_in(&text));
        let said = named.filter_map(|one| match one.approved {
            Approved::Approved => Some(true),
            Approved::Rejected => Some(false),
            Approved::Pending => None,
        });
        // Of several patches that are named, one that is rejected decides.
        let said = said.min()?;
        if answer.is_some_and(|answer| answer != said) {
            return None;
        }
        answer = Some(said);
    }
    answer
}

fn shown(call: &Call, one: &Approval) -> PatchApproval {
    let mut shown = PatchApproval {
        id: one.id.get(),
        patch: one.patch.clone(),
        approved: one.approved.name().to_owned(),
        document: one.document.clone(),
        person: one.person.get(),
        person_name: person_name(call, one.person),
        stated: one.stated.to_rfc3339(),
        why: why_in(&call.core.keys, SITE, &one.why),
        withdrawn: one.withdrawn.map(Timestamp::to_rfc3339),
        entry: one.entry.get(),
        ..PatchApproval::default()
    };
    if let Scope::Model {
        manufacturer,
        model,
        version,
    } = &one.scope
    {
        shown.manufacturer.clone_from(manufacturer);
        shown.model.clone_from(model);
        shown.version.clone_from(version);
    }
    shown
}
