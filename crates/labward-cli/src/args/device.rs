//! The commands about devices.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::behaviour::BehaviourCommand;

/// `labward device …`
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// List the devices, the newest first.
    List {
        /// Only those of which a value holds this text.
        #[arg(long, value_name = "TEXT")]
        find: Option<String>,
        /// Which of them.
        #[arg(long, value_enum, default_value_t = DeviceState::Present)]
        state: DeviceState,
    },
    /// Show a device: every value with who said it and when, and what contradicts what.
    Show {
        /// Its number.
        id: u64,
    },
    /// Add a device by hand.
    Add(DeviceValues),
    /// Say what a device is; a person's word counts before what peers and files say.
    Set {
        /// Its number.
        id: u64,
        /// What it is.
        #[command(flatten)]
        values: DeviceValues,
    },
    /// Declare that another device is the same one; lists and peers find it by either from now on.
    Merge {
        /// The number of the device that stands for both.
        id: u64,
        /// The number of the other.
        other: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Take a merged device apart again.
    Split {
        /// The number of the device that was merged into another.
        id: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Mark a device as no longer there; what was known of it is kept.
    Remove {
        /// Its number.
        id: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Mark a removed device as there again.
    Restore {
        /// Its number.
        id: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Take over a list: CSV, or an export of Snipe-IT, GLPI, NetBox or nmap.
    Import {
        /// The file, in UTF-8 and below 1 MiB.
        file: PathBuf,
        /// What kind of list it is; found out if not given.
        #[arg(long, value_enum)]
        format: Option<DeviceListFormat>,
        /// Only say what would become of each line.
        #[arg(long)]
        preview: bool,
    },
    /// What devices usually do on their lines, and what they did otherwise.
    #[command(flatten)]
    Behaviour(BehaviourCommand),
    /// Attach a bill of materials (CycloneDX or SPDX) to a device: its components are matched with vulnerabilities.
    ///
    /// It takes the place of the one that was attached before.
    AttachSbom(AttachArgs),
    /// Attach a manufacturer's disclosure (MDS2) to a device: what it says is shown and known of the device.
    ///
    /// It takes the place of the one that was attached before.
    #[command(name = "attach-mds2")]
    AttachMds2(AttachArgs),
    /// Take a bill of materials or a disclosure away.
    Detach {
        /// Its number, as device show says it.
        disclosure: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// List what devices are made of, and which components make hits.
    Components {
        /// The number of a device; all of them without it.
        id: Option<u64>,
        /// Only those of which the name, version, supplier or package URL holds this text.
        #[arg(long, value_name = "TEXT")]
        find: Option<String>,
    },
    /// Show what the manufacturer of a device disclosed of its security, by section.
    #[command(name = "mds2")]
    Mds2 {
        /// The number of the device.
        id: u64,
        /// Show every question with its answer, too.
        #[arg(long)]
        all: bool,
    },
    /// List which patches vendors approve for their models.
    Approvals {
        /// Only those of which the vendor, the model, the patch or the document holds this text.
        #[arg(long, value_name = "TEXT")]
        find: Option<String>,
        /// Those that were taken back or replaced, too.
        #[arg(long)]
        all: bool,
    },
    /// Take down whether a vendor approves a patch for a model.
    Approve(ApproveArgs),
    /// Take back what was taken down of a patch.
    Unapprove {
        /// The number of the approval.
        approval: u64,
        /// Why; asked for if not given.
        #[arg(long)]
        why: Option<String>,
    },
    /// Listen on a network interface: which devices speak, what they say of themselves, who talks to whom.
    ///
    /// It sends nothing into that network, keeps no traffic, and shows nothing of a patient. It takes root or
    /// CAP_NET_RAW to begin, and gives every right up once the interface is open. Ctrl-C ends it.
    Listen(ListenArgs),
    /// Read captures of traffic: which devices speak, what they say of themselves, who talks to whom.
    ///
    /// It needs no server and sends nothing. Nothing of a patient is read or shown.
    ReadCapture(ReadCaptureArgs),
    /// Read a manufacturer's disclosure (MDS2) and say what it means for safeguards.
    ///
    /// The workbook is the form of ANSI/NEMA HN 1-2019 as the manufacturer filled it in (.xlsx). It needs no
    /// server, and nothing is kept.
    #[command(name = "read-mds2")]
    ReadMds2(ReadMds2Args),
}

/// What `device attach-sbom` and `device attach-mds2` take.
#[derive(Args, Debug)]
pub struct AttachArgs {
    /// The number of the device.
    pub id: u64,
    /// The file.
    pub file: PathBuf,
    /// It is of every device of the same manufacturer and model, in the version of this one's software.
    #[arg(long)]
    pub model: bool,
}

/// What `device approve` takes.
#[derive(Args, Debug)]
pub struct ApproveArgs {
    /// Who makes the model.
    #[arg(long, value_name = "NAME")]
    pub manufacturer: String,
    /// The model.
    #[arg(long, value_name = "NAME")]
    pub model: String,
    /// The only version of its software that is meant; every one without it.
    #[arg(long, value_name = "VERSION")]
    pub for_version: Option<String>,
    /// The patch: a version, the number of an update such as KB5034441, a CVE, or words.
    #[arg(long, value_name = "PATCH")]
    pub patch: String,
    /// What the vendor says of it.
    #[arg(long = "as", value_enum, value_name = "WORD")]
    pub approved: ApprovedWord,
    /// Where the vendor says so: a bulletin, a mail, an address.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub document: String,
    /// How it is known; asked for if not given.
    #[arg(long)]
    pub why: Option<String>,
}

/// What a vendor says of a patch.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ApprovedWord {
    /// It may be put in.
    Approved,
    /// It must not be put in.
    Rejected,
    /// The vendor has not said yet.
    Pending,
}

impl ApprovedWord {
    /// The name that the API knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
        }
    }
}

/// What `device read-mds2` takes.
#[derive(Args, Debug)]
pub struct ReadMds2Args {
    /// The workbook.
    pub file: PathBuf,
    /// Show every question with its answer, too.
    #[arg(long)]
    pub all: bool,
}

/// What `device listen` takes.
#[derive(Args, Debug)]
pub struct ListenArgs {
    /// The interface, such as eth0; best one at a port of the switch that mirrors the analyzers' network.
    #[arg(long, value_name = "NAME")]
    pub interface: String,
    /// End after so long: 90s, 15m, 8h or 7d; otherwise with Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// Hear only what is meant for this machine or for all.
    #[arg(long)]
    pub no_promiscuous: bool,
    /// Send what was learnt to the running server: now, every minute, and at the end.
    #[arg(long)]
    pub report: bool,
    /// The registry of manufacturers of network cards: oui.txt or oui.csv of IEEE, or Wireshark's manuf.
    #[arg(long, value_name = "FILE")]
    pub oui: Option<PathBuf>,
}

/// What `device read-capture` takes.
#[derive(Args, Debug)]
pub struct ReadCaptureArgs {
    /// Captures in the form of pcap or pcapng, as tcpdump and Wireshark write them.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The registry of manufacturers of network cards: oui.txt or oui.csv of IEEE, or Wireshark's manuf.
    #[arg(long, value_name = "FILE")]
    pub oui: Option<PathBuf>,
}

/// What is said of a device.
#[derive(Args, Debug)]
pub struct DeviceValues {
    /// A value, such as serial=22723; empty takes your word back. The attributes are name, category,
    /// manufacturer, model, product, version, serial, udi, asset-tag, hostname, mac, ip, os, os-build,
    /// criticality, location, owner, contact, support-until and notes.
    #[arg(value_name = "ATTRIBUTE=VALUE", value_parser = pair)]
    pub values: Vec<(String, String)>,
    /// A peer that is this device; may be given several times, and replaces those that were bound.
    #[arg(long = "peer", value_name = "NAME")]
    pub peers: Vec<String>,
    /// Bind no peer to it any more.
    #[arg(long, conflicts_with = "peers")]
    pub no_peer: bool,
}

/// Which devices are listed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DeviceState {
    /// Those that are there.
    Present,
    /// Those with something that contradicts something else.
    Conflict,
    /// Those that were removed.
    Removed,
    /// All of them.
    All,
}

/// What kind of list it is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DeviceListFormat {
    /// CSV with the columns of the guide.
    Csv,
    /// The CSV export of Snipe-IT.
    SnipeIt,
    /// The CSV export of GLPI.
    Glpi,
    /// CSV or JSON of NetBox.
    #[value(name = "netbox")]
    NetBox,
    /// The XML of nmap.
    Nmap,
}

impl DeviceState {
    /// The name that the API knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Conflict => "conflict",
            Self::Present => "present",
            Self::Removed => "removed",
        }
    }
}

impl DeviceListFormat {
    /// The name that the API knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Glpi => "glpi",
            Self::NetBox => "netbox",
            Self::Nmap => "nmap",
            Self::SnipeIt => "snipe-it",
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=');
    let (attribute, value) = pair.ok_or("write it as ATTRIBUTE=VALUE, such as serial=22723")?;
    Ok((attribute.trim().to_owned(), value.trim().to_owned()))
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write it as a number and s, m, h or d, such as 15m".to_owned();
    let unit_seconds = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let number = text.get(..text.len() - 1).unwrap_or_default();
    let seconds = number
        .parse()
        .ok()
        .and_then(|n: u64| n.checked_mul(unit_seconds));
    match seconds {
        Some(seconds @ 1..=31_622_400) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err("it is between 1s and 366d".to_owned()),
        None => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("8h", 28_800), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in [
            "",
            "s",
            "90",
            "1 m",
            "-1s",
            "0s",
            "400d",
            "99999999999999999999s",
            "9µ",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
