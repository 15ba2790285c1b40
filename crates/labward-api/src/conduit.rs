//! `conduits`: with whom each device talks, what people decided about it, and what nobody expected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which conduits are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConduitFilter {
    /// Only those of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
}

/// The devices of which traffic was heard, and the alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Conduits {
    /// The devices, by number.
    pub devices: Vec<ConduitDevice>,
    /// The alerts about which nobody decided yet, the newest first.
    pub alerts: Vec<ConduitAlert>,
    /// What the machine that forwards said of its rules last, since the server started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<ConduitRules>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<String>,
    /// Devices that are kept apart now, as was measured within the last hour.
    #[serde(default)]
    pub guarded: Vec<u64>,
}

/// A device and its conduits.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConduitDevice {
    /// Its number.
    pub device: u64,
    /// What it is called.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// `off`, `test` or `enforce`.
    pub mode: String,
    /// Whether what is new is expected still.
    pub learning: bool,
    /// With whom it talks.
    pub conduits: Vec<Conduit>,
}

/// One kind of conversation between a device and a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Conduit {
    /// `inbound` (the peer asks) or `outbound` (the device asks).
    pub direction: String,
    /// The other side: an address or a network.
    pub peer: String,
    /// What the other side is called, if it is a device of the lab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_name: Option<String>,
    /// What is asked for, such as `tcp/2575`.
    pub service: String,
    /// What that is usually called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<String>,
    /// `learned`, `approved` or `refused`.
    pub decision: String,
    /// Whether the other side is of the public internet.
    pub public: bool,
    /// Packets in both directions; since the last start or change only what was written with it.
    pub packets: u64,
    /// When it was seen first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// When it was seen last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// A conversation that nobody expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConduitAlert {
    /// Its number.
    pub id: u64,
    /// The device.
    pub device: u64,
    /// What it is called.
    pub name: String,
    /// `destination`, `service`, `public` or `refused`.
    pub novelty: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The other side.
    pub peer: String,
    /// What was asked for.
    pub service: String,
    /// Whether the other side is of the public internet.
    pub public: bool,
    /// When it was raised.
    pub raised: String,
    /// The entry that recorded it.
    pub entry: u64,
}

/// What a person decides about a conduit.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideConduit {
    /// The device.
    pub device: u64,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The other side.
    pub peer: String,
    /// What is asked for, such as `tcp/2575`.
    pub service: String,
    /// `approved` or `refused`.
    pub decision: String,
    /// Why.
    pub why: String,
}

/// What the machine that forwards has loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConduitRules {
    /// `live`, `trial`, `missing`, `changed` or `lapsed`.
    pub state: String,
    /// The hash of what is loaded, in hex, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// How a device is treated.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetConduitMode {
    /// The device.
    pub device: u64,
    /// `off`, `test` or `enforce`: what the rules are made of that a firewall loads (labward segment).
    pub mode: String,
    /// Whether what is new is expected still.
    pub learning: bool,
    /// Why.
    pub why: String,
}
