//! The commands about records, patients and emergency access.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labward record …`
#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// Find patients; the criteria are asked for, or read from standard input as `mrn: …`,
    /// `authority: …`, `name: …`, `birth-date: …`, `accession: …`, `why: …`, one a line.
    Find {
        /// How many patients at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// For a patient who cannot wait, also while the ledger cannot be written; it is reviewed.
        #[arg(long)]
        break_glass: bool,
    },
    /// Show one record.
    Show {
        /// The record's number.
        record: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// For a patient who cannot wait, also while the ledger cannot be written; it is reviewed.
        #[arg(long)]
        break_glass: bool,
    },
    /// Export one record, or all of one patient.
    Export(ExportArgs),
    /// Keep any file, of any size, as a document of a patient.
    Add {
        /// The file.
        file: PathBuf,
        /// The patient (the opaque number that `find` shows).
        #[arg(long)]
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Import HL7 v2 files and FHIR bundles (also .bz2).
    Import {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
}

/// What `record export` takes.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// This record.
    #[arg(long, group = "what")]
    pub record: Option<u64>,
    /// All records of this patient (the opaque number that `find` shows).
    #[arg(long, group = "what")]
    pub patient: Option<u64>,
    /// As the bytes came, or as JSON, one object a line; there a document above 1 MiB is its size only.
    #[arg(long, default_value = "original", value_parser = ["original", "json"])]
    pub format: String,
    /// Only these bytes of one record, counted from 0 and both included: 0-1023, or 4096- to the end.
    #[arg(long, value_name = "FIRST-LAST", requires = "record", value_parser = byte_range)]
    pub bytes: Option<(u64, Option<u64>)>,
    /// Where to write; the file must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// `FIRST-LAST` or `FIRST-`.
fn byte_range(text: &str) -> Result<(u64, Option<u64>), String> {
    let wrong = || "write it as 0-1023, or 4096- to the end".to_owned();
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let first = first.parse().map_err(|_| wrong())?;
    let last = match last {
        "" => None,
        last => Some(last.parse().map_err(|_| wrong())?),
    };
    if last.is_some_and(|last| last < first) {
        return Err("the last byte comes before the first".to_owned());
    }
    Ok((first, last))
}

/// `labward break-glass …`
#[derive(Debug, Subcommand)]
pub enum BreakGlassCommand {
    /// End the emergency access that you have open, before its time.
    End,
    /// List the emergency accesses, the newest first.
    List {
        /// Only those that nobody reviewed yet.
        #[arg(long)]
        waiting: bool,
    },
    /// Open an emergency access for a patient who cannot wait; it ends by itself.
    Open {
        /// Why the patient cannot wait; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// For how many minutes; as long as the configuration allows if not given.
        #[arg(long)]
        minutes: Option<u64>,
    },
    /// Record what you found about an emergency access of somebody else that is over.
    Review {
        /// Its number.
        number: u64,
        /// What you found.
        #[arg(value_parser = ["appropriate", "not-appropriate"])]
        verdict: String,
        /// What you noted; asked for if not given.
        #[arg(long)]
        note: Option<String>,
    },
    /// Show one emergency access: who, when, why, and what was read under it.
    Show {
        /// Its number.
        number: u64,
    },
}

/// `labward patient …`
#[derive(Debug, Subcommand)]
pub enum PatientCommand {
    /// List who received, saw and was given the patient's records, when and why (an accounting of
    /// disclosures and more).
    Accesses {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// From this day (YYYY-MM-DD, UTC) or moment (RFC 3339) on; the last six years if not given.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// To the end of this day, or before this moment; until now if not given.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Destroy the keys of a patient's whole merge group; the proof says what it does not cover.
    Dispose {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// The decision that overrides the retention time.
        #[arg(long, value_name = "DECISION")]
        override_retention: Option<String>,
    },
    /// Forbid disposal until the hold is lifted.
    Hold {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Lift a legal hold.
    Lift {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Show all results of the patient as one table.
    Results {
        /// The patient's opaque number.
        patient: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
        /// For a patient who cannot wait, also while the ledger cannot be written; it is reviewed.
        #[arg(long)]
        break_glass: bool,
    },
}
