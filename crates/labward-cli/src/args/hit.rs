//! The commands about hits: published vulnerabilities that concern devices of the lab.

use clap::{Args, Subcommand, ValueEnum};

/// `labward hit …`
#[derive(Debug, Subcommand)]
pub enum HitCommand {
    /// List hits: what is due first.
    List {
        /// Only those of which the device, the advisory, its title or the CVE holds this text.
        #[arg(long, value_name = "TEXT")]
        find: Option<String>,
        /// Only those of the device with this number.
        #[arg(long, value_name = "NUMBER")]
        device: Option<u64>,
        /// Which of them.
        #[arg(long, value_enum, default_value_t = HitState::Open)]
        state: HitState,
    },
    /// Show a hit: the way to it, how urgent it is and why, and what can be done.
    Show {
        /// Its number.
        id: u64,
    },
    /// Say that hits are patched, or held off by a control; a retest closes them by itself.
    Treat {
        /// Their numbers.
        #[arg(required = true, value_name = "NUMBER")]
        hits: Vec<u64>,
        /// What is done; a control counts while it is measured.
        #[arg(long = "as", value_enum, value_name = "KIND")]
        kind: HitTreatment,
        /// Whether the vendor approves the patch for the device.
        #[arg(long, value_enum, value_name = "yes|no")]
        approved: Option<YesNo>,
        /// Why, or what is done; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Accept the risk of hits until a day, or have their devices replaced by it.
    Accept {
        /// Their numbers.
        #[arg(required = true, value_name = "NUMBER")]
        hits: Vec<u64>,
        /// The last day, at most two years away.
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: String,
        /// The devices are replaced by that day.
        #[arg(long)]
        replace: bool,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Say how the device of a hit stands to its vulnerability; it counts for later releases, too.
    State(HitStateArgs),
    /// Say that what the lab and what publishers call a product is one product, or is not.
    Product(HitProductArgs),
    /// List what people said, the newest first.
    Statements,
    /// Write what the lab says of vulnerabilities of its devices as an OpenVEX document, for others.
    ///
    /// It holds the reasons that people gave.
    Vex,
    /// Take a statement back.
    Withdraw {
        /// Its number.
        id: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
}

/// What `hit state` takes.
#[derive(Args, Debug)]
pub struct HitStateArgs {
    /// The number of the hit.
    pub id: u64,
    /// How the device stands to it.
    #[arg(long = "as", value_enum, value_name = "STATUS")]
    pub status: HitStatus,
    /// Only the version that the device has now is meant.
    #[arg(long)]
    pub this_version: bool,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// What `hit product` takes.
#[derive(Args, Debug)]
pub struct HitProductArgs {
    /// What the lab calls the model or the software.
    #[arg(long)]
    pub model: String,
    /// Who makes it, as the lab writes it.
    #[arg(long, default_value = "")]
    pub manufacturer: String,
    /// What publishers call the product.
    #[arg(long)]
    pub product: String,
    /// The vendor, as publishers write it.
    #[arg(long, default_value = "")]
    pub vendor: String,
    /// They are not one product.
    #[arg(long)]
    pub other: bool,
    /// Why; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// Which hits are listed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum HitState {
    /// Those that are open.
    Open,
    /// Those that are due soon or late, and not treated.
    Due,
    /// Those that are late and not treated.
    Overdue,
    /// Those with no treatment that counts.
    Untreated,
    /// Those with one.
    Treated,
    /// Those that closed.
    Closed,
    /// All of them.
    All,
}

impl HitState {
    /// The name that the API knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Closed => "closed",
            Self::Due => "due",
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Treated => "treated",
            Self::Untreated => "untreated",
        }
    }
}

/// What is done about hits.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum HitTreatment {
    /// The vendor's update is put in.
    Patch,
    /// A compensating control.
    Control,
}

impl HitTreatment {
    /// The name that the API knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Patch => "patch",
        }
    }
}

/// How a device stands to a vulnerability.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum HitStatus {
    /// It is affected.
    Affected,
    /// It holds a fix.
    Fixed,
    /// It is not affected.
    NotAffected,
}

impl HitStatus {
    /// The name that the API knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::NotAffected => "not-affected",
        }
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}
