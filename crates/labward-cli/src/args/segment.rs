//! The commands about what devices may do on the network.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// The longest trial, in seconds: a day.
const LONGEST_S: u64 = 86_400;

/// What `segment` takes.
#[derive(Args, Debug)]
pub struct SegmentArgs {
    /// Where a trial is kept; gone after a restart, as the kernel's rules are.
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        default_value = "/run/labward-segmentation"
    )]
    pub run_folder: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: SegmentCommand,
}

/// `labward segment …`
#[derive(Debug, Subcommand)]
pub enum SegmentCommand {
    /// Learn from captures which conversations devices have, and make a plan in which people decide.
    ///
    /// What is new waits as "learned" until somebody writes "approved" or "refused" into the plan. A device begins
    /// with the mode "off"; "test" counts what would be dropped, "enforce" drops it.
    Plan(SegmentPlanArgs),
    /// Print a plan for nftables, as a table (CSV), or as access lists for a switch.
    Export(SegmentExportArgs),
    /// Ask nft whether it takes the rules of a plan here; nothing is changed.
    Check(SegmentFileArgs),
    /// Put a plan in force on this machine, on trial: unless it is confirmed in time, the former rules come back.
    Apply(SegmentApplyArgs),
    /// Keep what is on trial.
    Confirm,
    /// Put back what was in force before the trial.
    Rollback(SegmentRollbackArgs),
    /// Say whether what is loaded is what was put in force, and what was counted of each device.
    ///
    /// Exit code 73 if it is not.
    Status(SegmentStatusArgs),
}

/// What `segment plan` takes.
#[derive(Args, Debug)]
pub struct SegmentPlanArgs {
    /// Captures in the form of pcap or pcapng; repeatable.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub capture: Vec<PathBuf>,
    /// The devices: CSV whose head names id and ip, and maybe name, mac and zone.
    #[arg(long, value_name = "FILE", required_unless_present = "state")]
    pub devices: Option<PathBuf>,
    /// An earlier plan, whose decisions are kept.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Write the plan to this file, which may be the earlier one; otherwise it is printed.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What `segment export` takes.
#[derive(Args, Debug)]
pub struct SegmentExportArgs {
    /// The plan.
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// For whom.
    #[arg(long, value_enum)]
    pub format: SegmentFormat,
}

/// For whom a plan is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SegmentFormat {
    /// Access lists in the form of Cisco IOS, for the VLAN of the devices.
    Acl,
    /// A table with a row a conduit, decided or not.
    Csv,
    /// A file for nft -f.
    Nftables,
}

/// What `segment check` takes.
#[derive(Args, Debug)]
pub struct SegmentFileArgs {
    /// The plan.
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
}

/// What `segment apply` takes.
#[derive(Args, Debug)]
pub struct SegmentApplyArgs {
    /// The plan.
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// How long the trial lasts: a number with s, m or h, up to 24h.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time)]
    pub roll_back_after: Duration,
    /// Without a trial: for the start of the machine, of a plan that was tried.
    #[arg(long, conflicts_with = "roll_back_after")]
    pub without_trial: bool,
}

/// What `segment rollback` takes.
#[derive(Args, Debug)]
pub struct SegmentRollbackArgs {
    /// Wait until the trial is over, and do nothing if it is confirmed before; apply starts one such by itself.
    #[arg(long)]
    pub when_due: bool,
}

/// What `segment status` takes.
#[derive(Args, Debug)]
pub struct SegmentStatusArgs {
    /// The plan that is to be in force; what was put in force last if not given.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Tell the server on this machine, too; a control of a hit counts for an hour from then.
    #[arg(long)]
    pub report: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    let wanted = || {
        format!(
            "write it as a number with s, m or h, such as 5m, from 1s to {}h",
            LONGEST_S / 3_600
        )
    };
    let unit = text.chars().next_back().ok_or_else(wanted)?;
    let number = text.strip_suffix(unit).unwrap_or_default();
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return Err(wanted()),
    };
    let seconds = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor));
    match seconds {
        Some(seconds @ 1..=LONGEST_S) => Ok(Duration::from_secs(seconds)),
        _ => Err(wanted()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit_and_no_more_than_a_day() {
        for (text, seconds) in [("1s", 1), ("5m", 300), ("24h", 86_400)] {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)));
        }
        for text in [
            "",
            "5",
            "s",
            "0s",
            "25h",
            "-1m",
            "5 m",
            "5é",
            "99999999999999999999h",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
