//! A link: one listener, its framing, its transport and how it answers.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::name::LinkName;
use super::plain::Expiry;
use crate::inspect::InspectPolicy;

/// One link: a listener and the rules for what comes in through it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkConfig {
    /// The link's name, in facts and status. Required.
    pub name: LinkName,
    /// The address to listen on, such as `"0.0.0.0:2575"`. Required.
    pub listen: SocketAddr,
    /// How messages are framed: `"mllp"`, `"mllp-release-2"`, `"astm"`, or `"edge"` for Labward
    /// beside devices. Default `"mllp"`.
    #[serde(default)]
    pub framing: Framing,
    /// How the line is protected. Default `{ mode = "mutual-tls" }`.
    #[serde(default)]
    pub transport: Transport,
    /// The peer on a plain link, by name; over mutual TLS the certificate says it, and a name here
    /// admits that peer only. Default none: a plain link then knows its peer by its address.
    #[serde(default)]
    pub peer: Option<String>,
    /// How HL7 messages are acknowledged: `"by-message"`, `"enhanced"`, `"aa-only"` or
    /// `"always"`. Default `"by-message"`.
    #[serde(default)]
    pub acknowledge: AckMode,
    /// What happens to a message with a known control id but another body: `"hold"` or
    /// `"deliver"`. Default `"hold"`.
    #[serde(default)]
    pub same_id_other_content: DuplicatePolicy,
    /// Whether the messages of an FHS/BHS batch are kept and answered one by one
    /// (`"per-message"`) or the batch as one (`"whole"`). Default `"per-message"`.
    #[serde(default)]
    pub batch: BatchPolicy,
    /// Whether small framing faults are passed over and recorded (`"lenient"`) or end the
    /// connection (`"strict"`). Default `"lenient"`.
    #[serde(default)]
    pub strictness: Strictness,
    /// Whether the peer has only one connection, so that a new one replaces the old: devices
    /// reboot without closing. Default false.
    #[serde(default)]
    pub one_connection: bool,
    /// The assigning authority of patient ids that name none. Default: the peer's, else none.
    #[serde(default)]
    pub authority: Option<String>,
    /// What is done with messages in which malware was found, or that could not be looked into. Default: malware is
    /// replaced by a notice, everything else passes.
    #[serde(default)]
    pub inspect: InspectPolicy,
    /// The limits of this link; every key has a default of its own.
    #[serde(default)]
    pub limits: Limits,
}

impl LinkConfig {
    /// A link over mutual TLS with every default.
    pub fn new(name: LinkName, listen: SocketAddr) -> Self {
        Self {
            name,
            listen,
            framing: Framing::default(),
            transport: Transport::default(),
            peer: None,
            acknowledge: AckMode::default(),
            same_id_other_content: DuplicatePolicy::default(),
            batch: BatchPolicy::default(),
            strictness: Strictness::default(),
            one_connection: false,
            authority: None,
            inspect: InspectPolicy::default(),
            limits: Limits::default(),
        }
    }
}

/// How messages are framed on a link or towards a destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// ASTM E1381 / LIS01 frames and E1394 / LIS02 records.
    Astm,
    /// Sealed messages of an edge.
    Edge,
    /// HL7 MLLP release 1.
    #[default]
    Mllp,
    /// HL7 MLLP release 2: a commit block answers each frame before the acknowledgement.
    #[serde(rename = "mllp-release-2")]
    MllpRelease2,
}

/// How a line is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Transport {
    /// TLS 1.2 or 1.3 with a certificate on both sides.
    #[default]
    MutualTls,
    /// Unencrypted: on loopback, or a named exception with owner and end.
    Plain {
        /// Why this line cannot be encrypted. Required off loopback.
        #[serde(default)]
        reason: Option<String>,
        /// Who answers for the exception. Required off loopback.
        #[serde(default)]
        owner: Option<String>,
        /// The exception's last day, `"YYYY-MM-DD"`. Required off loopback.
        #[serde(default)]
        expires: Option<Expiry>,
        /// The source addresses that are accepted. Required off loopback; empty there means
        /// loopback only.
        #[serde(default)]
        from_addresses: Vec<IpAddr>,
    },
}

impl Transport {
    /// Whether the line is unencrypted.
    pub const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain { .. })
    }
}

/// How HL7 messages are acknowledged on a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AckMode {
    /// One AA, AE or AR a message, never a CA, CE or CR, where MSH-15 or MSH-16 asks for an answer.
    AaOnly,
    /// One AA, AE or AR a message, whatever MSH-15 and MSH-16 say: some peers say NE and wait.
    Always,
    /// Original mode, or enhanced mode where MSH-15 or MSH-16 is valued.
    #[default]
    ByMessage,
    /// Enhanced mode, where an empty MSH-15 or MSH-16 counts as AL.
    Enhanced,
}

/// What happens to a message whose control id is known but whose body is another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicatePolicy {
    /// It is kept, delivered and marked.
    Deliver,
    /// It is held for a person and answered AE 205.
    #[default]
    Hold,
}

/// How an FHS/BHS batch is kept and answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchPolicy {
    /// Each message is kept and answered by itself.
    #[default]
    PerMessage,
    /// Each message is kept by itself, and one acknowledgement answers the batch.
    Whole,
}

/// How framing faults are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// What can be understood is taken, and the deviation is recorded.
    #[default]
    Lenient,
    /// A frame with a fault is kept for a person, and the connection ends.
    Strict,
}
