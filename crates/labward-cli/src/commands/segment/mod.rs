//! `segment`: what devices may do on the network, without any server.
//!
//! It must never change a rule of the kernel outside Labward's own table, nor begin a trial that it could not undo.

mod learn;
mod list;
mod nft;
mod status;
mod trial;

use std::path::Path;

use labward_base::{Problem, problem};
use labward_segmentation::{CompileError, Plan, Ruleset};
use serde::Serialize;

use super::{Context, read};
use crate::args::{SegmentArgs, SegmentCommand, SegmentExportArgs, SegmentFormat};
use crate::failure::Failure;
use crate::output::show;

/// `labward segment …`
pub(super) fn run(context: &Context, arguments: &SegmentArgs) -> Result<(), Failure> {
    let folder = trial::Folder::at(&arguments.run_folder);
    match &arguments.command {
        SegmentCommand::Plan(arguments) => learn::run(context, arguments),
        SegmentCommand::Export(arguments) => export(arguments),
        SegmentCommand::Check(arguments) => check(context, &arguments.plan),
        SegmentCommand::Apply(arguments) => trial::apply(context, &folder, arguments),
        SegmentCommand::Confirm => trial::confirm(context, &folder),
        SegmentCommand::Rollback(arguments) if arguments.when_due => trial::wait(&folder),
        SegmentCommand::Rollback(_) => trial::rollback(context, &folder),
        SegmentCommand::Status(arguments) => status::run(context, &folder, arguments),
    }
}

/// What `check` found.
#[derive(Serialize)]
struct Checked {
    hash: String,
    guarded: usize,
}

fn check(context: &Context, path: &Path) -> Result<(), Failure> {
    let plan = plan(path)?;
    let ruleset = ruleset(&plan)?;
    nft::require_root()?;
    nft::check(&(plan.legend() + &ruleset.nft(None)))?;
    let checked = Checked {
        hash: ruleset.hash().to_string(),
        guarded: guarded(&plan),
    };
    show(context.json, &checked, |out| {
        writeln!(
            out,
            "nft takes the rules of {} guarded devices; nothing was changed",
            checked.guarded
        )?;
        writeln!(out, "hash {}", checked.hash)
    })
}

fn export(arguments: &SegmentExportArgs) -> Result<(), Failure> {
    let plan = plan(&arguments.plan)?;
    let text = match arguments.format {
        // What cuts a device off does so on a switch, too.
        SegmentFormat::Acl => ruleset(&plan).map(|_| plan.access_lists())?,
        SegmentFormat::Csv => plan.csv().map_err(|error| {
            Failure::new(
                &problem::SERVER_INTERNAL,
                format!("write the table: {error}"),
            )
        })?,
        SegmentFormat::Nftables => plan.legend() + &ruleset(&plan)?.nft(None),
    };
    // It is what it is, for a machine too.
    show(false, &(), |out| out.write_all(text.as_bytes()))
}

/// The plan in a file.
fn plan(path: &Path) -> Result<Plan, Failure> {
    Plan::read(&read(path)?).map_err(|error| bad_plan(path, &error))
}

fn bad_plan(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        &problem::SEGMENTATION_BAD_PLAN,
        format!("{}: {why}", path.display()),
    )
}

fn ruleset(plan: &Plan) -> Result<Ruleset, Failure> {
    let failure =
        |error: CompileError| Failure::new(&problem::SEGMENTATION_CUTS_OFF, error.to_string());
    Ruleset::of(plan).map_err(failure)
}

fn guarded(plan: &Plan) -> usize {
    let all = plan.devices().iter();
    all.filter(|device| device.mode != labward_segmentation::Mode::Off)
        .count()
}

/// A failure about a file of ours.
fn about(problem: &Problem, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(problem, format!("{}: {error}", path.display()))
}
