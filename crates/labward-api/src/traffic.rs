//! `traffic`: what listening on a network says of the devices that speak, and who talks to whom.
//!
//! Nothing of what was said is in it: no payload, no field of a patient.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most conversations of one report; more go into further reports.
pub const CONVERSATIONS_MAX: usize = 1_000;
/// The most sightings of one report; more go into further reports.
pub const SIGHTINGS_MAX: usize = 500;

/// What was heard since the last report of the same listening.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficReport {
    /// The interface on the machine that listens, or the name of the capture.
    #[schemars(length(min = 1, max = 255))]
    pub source: String,
    /// When this listening began, RFC 3339: together with `source` the same in each of its reports.
    pub started: String,
    /// Until when this report counts, RFC 3339.
    pub ended: String,
    /// Packets since the last report that was taken.
    pub packets: u64,
    /// Packets since then that the kernel dropped because they were not read soon enough; what they
    /// held is in no conversation.
    pub dropped_packets: u64,
    /// Who talked to whom since then; each client, server, protocol and port once.
    #[schemars(length(max = 1000))]
    pub conversations: Vec<TrafficConversation>,
    /// What devices were seen to be that was in no report before.
    #[schemars(length(max = 500))]
    pub sightings: Vec<TrafficSighting>,
}

/// What was counted between two addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficConversation {
    /// The IP address of who asks.
    pub client: String,
    /// The IP address of who is asked; a group's if many are.
    pub server: String,
    /// The client's network card, as `00:10:7f:01:02:03`, if a protocol names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_mac: Option<String>,
    /// The server's network card, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_mac: Option<String>,
    /// `tcp`, `udp`, `icmp`, `igmp`, `icmpv6`, or `ip-` and the number of another protocol of IP.
    pub protocol: String,
    /// The server's port; 0 without ports.
    pub port: u16,
    /// How sure it is which side is the client: `stated` (its opening was seen), `likely` (one port alone
    /// is registered or usual, or many are asked at once) or `hint` (the lower port, or who spoke first).
    pub roles: String,
    /// What is spoken, such as `HL7 v2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// Whether `application` was recognised by its bytes; otherwise only the port says so.
    #[serde(default)]
    pub recognised: bool,
    /// Packets in both directions since the last report that was taken.
    pub packets: u64,
    /// Bytes of their frames.
    pub bytes: u64,
    /// Its first packet in this listening, RFC 3339.
    pub first: String,
    /// Its last packet, RFC 3339.
    pub last: String,
}

/// One thing that a device was seen to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficSighting {
    /// Its network card, if a protocol names it; card or address is always there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Its IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// What the value says of it, such as `model`, `version`, `serial_number`, `hostname`; the names are
    /// those of `labward --json device read-capture`.
    pub attribute: String,
    /// The value, at most 256 bytes.
    #[schemars(length(min = 1, max = 256))]
    pub value: String,
    /// `stated` (it said so of itself), `likely` (another said it, or the field can mean several things)
    /// or `hint` (a conclusion).
    pub confidence: String,
    /// The protocol that said it, such as `hl7`, `astm`, `arp`.
    pub by: String,
    /// When it was seen first, RFC 3339.
    pub at: String,
}

/// What became of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TrafficTaken {
    /// Conversations that were known before.
    pub known: u64,
    /// Conversations that are new.
    pub new: u64,
    /// New ones that somebody must look at.
    #[serde(default)]
    pub alerts: Vec<TrafficAlert>,
}

/// A device that talks to somebody it never talked to before.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TrafficAlert {
    /// The number of the device.
    pub device: u64,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The IP address of the other side.
    pub destination: String,
    /// The port there; 0 without ports.
    pub port: u16,
    /// `tcp`, `udp` or another, as in a conversation.
    pub protocol: String,
    /// Whether the destination is an address of the public internet.
    pub public: bool,
    /// The entry that records it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}
