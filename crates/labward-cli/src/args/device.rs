//! The commands about devices.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
    /// Read captures of traffic: which devices speak, what they say of themselves, who talks to whom.
    ///
    /// It needs no server and sends nothing. Nothing of a patient is read or shown.
    ReadCapture(ReadCaptureArgs),
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
