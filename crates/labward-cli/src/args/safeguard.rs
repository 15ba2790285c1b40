//! The commands about safeguards.

use clap::{Subcommand, ValueEnum};

/// `labward safeguard …`
#[derive(Debug, Subcommand)]
pub enum SafeguardCommand {
    /// List every requirement with its state.
    List {
        /// Which text: the rule in force, or what was proposed in 2025 and is not law.
        #[arg(long, value_enum, default_value_t = Profile::Law)]
        profile: Profile,
    },
    /// Show one requirement of the rule in force: its facts with their age, and the decision.
    Show {
        /// Its citation, such as 164.312(a)(2)(iv); quote it for the shell.
        citation: String,
    },
    /// Record a decision about a requirement; it stands in for what is not measured.
    Decide {
        /// Its citation, such as 164.312(a)(2)(iv); quote it for the shell.
        citation: String,
        /// What is decided; alternative and not-reasonable are for addressable specifications only.
        #[arg(long = "as", value_enum, value_name = "KIND")]
        kind: DecisionKind,
        /// The last day on which it holds, at most 24 months ahead.
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: String,
        /// The rationale; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Take a decision about a requirement back.
    Withdraw {
        /// Its citation, such as 164.312(a)(2)(iv); quote it for the shell.
        citation: String,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
}

/// The texts that can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// 45 CFR 164.308 to 164.316, the rule in force.
    Law,
    /// The proposed rule of 6 January 2025 (90 FR 898): not law.
    #[value(name = "proposed-2025")]
    Proposed2025,
}

/// What can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DecisionKind {
    /// Another measure takes its place (addressable specifications only).
    Alternative,
    /// Its condition is not met here (where the rule states one).
    DoesNotApply,
    /// It is done where Labward does not measure it.
    Implemented,
    /// It is not reasonable and appropriate here (addressable specifications only).
    NotReasonable,
}
