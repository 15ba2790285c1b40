//! `behaviour`: what each device usually does on its line, and what it did otherwise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hit::Saying;

/// Whose behaviour is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BehaviourFilter {
    /// Only that of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
}

/// What devices usually do on their lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Behaviours {
    /// Every device of which a message was accepted, by number.
    pub devices: Vec<DeviceBehaviour>,
    /// Messages that were accepted since the start and could not be looked at, since too many came at once.
    pub dropped: u64,
}

/// What one device usually does.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeviceBehaviour {
    /// Its number.
    pub device: u64,
    /// What it is called.
    pub name: String,
    /// How far learning is; nothing once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<BehaviourLearning>,
    /// When its first message came.
    pub first: String,
    /// When its last message came.
    pub last: String,
    /// The hours of the day, 0 to 23 in UTC, in which it usually sends on some day of the week.
    pub hours: Vec<u8>,
    /// The most messages that came in an hour.
    pub most: u32,
    /// The message types that it usually sends.
    pub types: Vec<String>,
    /// The tests that it usually sends, by their codes.
    pub tests: Vec<String>,
    /// By how many seconds its clock is usually ahead of ours at least; a clock that names no zone is read as UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_low_s: Option<i64>,
    /// By how many seconds its clock is usually ahead of ours at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_high_s: Option<i64>,
    /// The last number of its messages, if it numbers them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Whether it is silent in hours in which it always sent.
    pub silent: bool,
    /// Whether it sends more types or tests than are remembered; then new ones are not told.
    pub overfull: bool,
}

/// How far learning is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct BehaviourLearning {
    /// Which day it is, from 1.
    pub day: u16,
    /// Of how many.
    pub days: u16,
    /// On how many days there were messages so far.
    pub active_days: u32,
    /// On how many there must be.
    pub active_days_needed: u32,
}

/// Which alerts are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnusualFilter {
    /// Only those of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
    /// `open` (without it, too), `closed` or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only those before this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// So many at most, 1 to 1,000; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of alerts, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct UnusualPage {
    /// The alerts.
    pub alerts: Vec<Unusual>,
    /// `before` of the next page; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// What one device did otherwise, of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Unusual {
    /// Its number.
    pub id: u64,
    /// The device.
    pub device: u64,
    /// What the device is called.
    pub name: String,
    /// `clock-off`, `new-message-type`, `new-test`, `sequence-back`, `sequence-gap`, `silent`, `too-many` or
    /// `unusual-hour`.
    pub kind: String,
    /// `open`; `expected` or `unexpected`, as a person said; `ended`, by itself.
    pub state: String,
    /// What was seen first, in an English sentence.
    pub text: String,
    /// What was seen, the first 64 of it.
    pub seen: Vec<Saying>,
    /// How often it was seen.
    pub count: u64,
    /// When it was raised.
    pub raised: String,
    /// When it was seen last.
    pub last: String,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// The entry that recorded the last change.
    pub entry: u64,
}

/// What a person says of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerUnusual {
    /// Its number.
    pub alert: u64,
    /// `expected`: it is usual from now on; or `unexpected`.
    pub answer: String,
    /// Why, in a person's words.
    pub why: String,
}
