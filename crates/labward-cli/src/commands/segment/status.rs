//! `segment status`: whether what is loaded is what was put in force, and what was counted of each device.

use std::io::{self, Write};

use labward_api::Done;
use labward_api::conduit::ConduitRules;
use labward_base::{Timestamp, problem};
use labward_segmentation::{Count, DeviceCounts, Liveness, Loaded, Plan};
use serde::Serialize;

use super::trial::Folder;
use super::{nft, plan, ruleset};
use crate::args::SegmentStatusArgs;
use crate::commands::Context;
use crate::failure::Failure;
use crate::output::{show, table};

/// What was found.
#[derive(Serialize)]
struct Answer {
    liveness: Liveness,
    /// When it was put in force, if this machine did not start again since.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial: Option<TrialAnswer>,
    /// Everything that this machine forwarded since the rules were loaded.
    forwarded: Count,
    devices: Vec<DeviceAnswer>,
}

#[derive(Serialize)]
struct TrialAnswer {
    ends: String,
    /// Whether a process waits to end it; if none does, the kernel lets the devices go half a minute later.
    is_waited_for: bool,
}

#[derive(Serialize)]
struct DeviceAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    counts: DeviceCounts,
}

/// `labward segment status`
pub(super) fn run(
    context: &Context,
    folder: &Folder,
    arguments: &SegmentStatusArgs,
) -> Result<(), Failure> {
    let plan = arguments.plan.as_deref().map(plan).transpose()?;
    nft::require_root()?;
    let trial = folder.trial()?;
    let in_force = folder.in_force()?;
    let tried = trial.as_ref().map(|trial| trial.hash);
    let expected = match &plan {
        Some(plan) => Some(ruleset(plan)?.hash()),
        None => tried.or(in_force.as_ref().map(|in_force| in_force.hash)),
    };
    let loaded = nft::loaded()?;
    let liveness = Loaded::liveness(loaded.as_ref(), expected);
    let since = in_force.filter(|in_force| tried.is_none() && Some(in_force.hash) == expected);
    let answer = Answer {
        since: since.map(|in_force| Timestamp::from_micros(in_force.since).to_string()),
        trial: trial.map(|trial| TrialAnswer {
            ends: trial.ends().to_string(),
            is_waited_for: folder.is_waited_for(),
        }),
        forwarded: loaded.as_ref().map(Loaded::forwarded).unwrap_or_default(),
        devices: devices(loaded.as_ref(), plan.as_ref()),
        liveness,
    };
    if arguments.report {
        let _: Done = context
            .client
            .post("conduits/rules", &said(&answer.liveness))?;
    }
    show(context.json, &answer, |out| write(out, &answer))?;
    let is_good = match answer.liveness {
        Liveness::Live { .. } => true,
        // Nothing was put in force here, and nothing is.
        Liveness::Missing => expected.is_none(),
        Liveness::Changed { .. } | Liveness::Lapsed { .. } => false,
    };
    match is_good {
        true => Ok(()),
        false => Err(Failure::new(&problem::SEGMENTATION_NOT_LIVE, None)),
    }
}

/// What the server is told.
fn said(liveness: &Liveness) -> ConduitRules {
    let (state, hash) = match liveness {
        Liveness::Live {
            hash,
            lapses_in_s: None,
        } => ("live", Some(hash)),
        Liveness::Live { hash, .. } => ("trial", Some(hash)),
        Liveness::Lapsed { hash } => ("lapsed", Some(hash)),
        Liveness::Changed { found, .. } => ("changed", Some(found)),
        Liveness::Missing => ("missing", None),
    };
    ConduitRules {
        state: state.to_owned(),
        hash: hash.map(ToString::to_string),
    }
}

fn devices(loaded: Option<&Loaded>, plan: Option<&Plan>) -> Vec<DeviceAnswer> {
    let counts = loaded.map(Loaded::device_counts).unwrap_or_default();
    let devices = counts.into_iter().map(|counts| DeviceAnswer {
        name: plan
            .and_then(|plan| plan.device(counts.device))
            .map(|device| device.name.clone()),
        counts,
    });
    devices.collect()
}

fn write(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    match &answer.liveness {
        Liveness::Live { hash, lapses_in_s } => {
            writeln!(out, "live: {hash}")?;
            if let Some(seconds) = lapses_in_s {
                writeln!(
                    out,
                    "  on trial; the kernel lets the devices go in {seconds} s"
                )?;
            }
        }
        Liveness::Missing => writeln!(out, "missing: nothing of Labward's is loaded")?,
        Liveness::Lapsed { hash } => {
            writeln!(
                out,
                "lapsed: {hash} was tried and not confirmed; no device is guarded"
            )?;
        }
        Liveness::Changed { found, why, .. } => {
            writeln!(out, "changed: {found}")?;
            for why in why {
                writeln!(out, "  {why}")?;
            }
        }
    }
    if let Some(since) = &answer.since {
        writeln!(out, "in force since {since}")?;
    }
    if let Some(trial) = &answer.trial {
        let who = match trial.is_waited_for {
            true => "a process waits to put the former rules back",
            false => "no process waits; roll back or confirm",
        };
        writeln!(out, "trial until {}: {who}", trial.ends)?;
    }
    writeln!(out, "forwarded: {} packets", answer.forwarded.packets)?;
    if answer.devices.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = answer.devices.iter().map(DeviceAnswer::row).collect();
    let head = [
        "device",
        "name",
        "mode",
        "from: allowed",
        "refused",
        "to: allowed",
        "refused",
    ];
    table(out, &head, &rows)
}

impl DeviceAnswer {
    fn row(&self) -> Vec<String> {
        let counts = &self.counts;
        vec![
            counts.device.to_string(),
            self.name.clone().unwrap_or_else(|| "-".to_owned()),
            counts.mode.name().to_owned(),
            counts.from_allowed.packets.to_string(),
            counts.from_refused.packets.to_string(),
            counts.to_allowed.packets.to_string(),
            counts.to_refused.packets.to_string(),
        ]
    }
}
