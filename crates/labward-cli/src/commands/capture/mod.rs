//! `device read-capture` and `device listen`: what traffic says, of files or as it passes.
//!
//! Both show the same; nothing of a patient is in it.

mod file;
mod listen;
mod report;

pub(in crate::commands) use file::{observe, open};

use std::io::{self, Write};
use std::path::Path;

use labward_api::traffic::TrafficAlert;
use labward_base::problem;
use labward_capture::Observed;
use labward_capture::conversation::{Basis, Conversation};
use labward_capture::inventory::{Device, devices};
use labward_capture::observer::Counts;
use labward_capture::oui::Registry;
use serde::Serialize;

use super::{Context, read};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

pub(super) use file::run as read_capture;
pub(super) use listen::run as listen;

/// What traffic says, for a machine.
#[derive(Debug, Default, Serialize)]
struct Answer {
    devices: Vec<DeviceAnswer>,
    conversations: Vec<ConversationAnswer>,
    frames: u64,
    bytes: u64,
    /// Frames that the kernel dropped while listening.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<u64>,
    /// What the server says must be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<Vec<TrafficAlert>>,
    /// What of the traffic was not looked at.
    remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DeviceAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
    ips: Vec<String>,
    known: Vec<KnownAnswer>,
}

#[derive(Debug, Serialize)]
struct KnownAnswer {
    attribute: &'static str,
    value: String,
    source: &'static str,
    confidence: &'static str,
    seen: String,
}

#[derive(Debug, Serialize)]
struct ConversationAnswer {
    client: String,
    server: String,
    carrier: String,
    port: u16,
    /// How sure it is which side is the client.
    roles: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    /// Its bytes were recognised; otherwise only its port says what it is.
    recognised: bool,
    packets: u64,
    bytes: u64,
    first: String,
    last: String,
}

impl Answer {
    fn new(observed: Observed, registry: Option<&Registry>, mut remarks: Vec<String>) -> Self {
        remarks.extend(counted(&observed.counts));
        let devices = devices(&observed.sightings, registry).into_iter();
        let conversations = observed.conversations.into_iter();
        Self {
            devices: devices.map(DeviceAnswer::from).collect(),
            conversations: conversations.map(ConversationAnswer::from).collect(),
            frames: observed.counts.frames,
            bytes: observed.counts.bytes,
            remarks,
            ..Self::default()
        }
    }
}

fn registry(path: &Path) -> Result<Registry, Failure> {
    Registry::read(&read(path)?)
        .map_err(|error| Failure::new(&problem::CLI_FILE, format!("{}: {error}", path.display())))
}

/// What was not looked at, each in a sentence.
fn counted(counts: &Counts) -> Vec<String> {
    [
        (
            counts.fragments,
            "fragments of packets were not put together",
        ),
        (
            counts.gaps,
            "streams have gaps: what follows a gap was not read",
        ),
        (counts.unread, "frames are of a kind that is not read"),
        (
            counts.evicted,
            "streams were let go before they ended, to bound the memory",
        ),
        (
            counts.uncounted,
            "packets are of conversations for which there was no room",
        ),
        (
            counts.let_go,
            "silent conversations were let go for others, and are not shown",
        ),
        (counts.unkept, "sightings had no room"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, text)| format!("{count} {text}"))
    .collect()
}

impl From<Device> for DeviceAnswer {
    fn from(device: Device) -> Self {
        let known = device.known.into_iter().map(|known| KnownAnswer {
            attribute: known.attribute.name(),
            value: known.value,
            source: known.source.name(),
            confidence: known.confidence.name(),
            seen: known.at.to_string(),
        });
        Self {
            mac: device.mac.map(|mac| mac.to_string()),
            ips: device.ips.iter().map(ToString::to_string).collect(),
            known: known.collect(),
        }
    }
}

impl From<Conversation> for ConversationAnswer {
    fn from(one: Conversation) -> Self {
        Self {
            client: one.parties.client.to_string(),
            server: one.parties.server.to_string(),
            carrier: one.parties.carrier.name(),
            port: one.parties.port,
            roles: one.roles.name(),
            protocol: one.protocol.map(|(name, _)| name),
            recognised: matches!(one.protocol, Some((_, Basis::Content))),
            packets: one.packets,
            bytes: one.bytes,
            first: one.first.to_string(),
            last: one.last.to_string(),
        }
    }
}

fn write(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    for device in &answer.devices {
        let mut names = device.ips.clone();
        names.extend(device.mac.clone());
        writeln!(out, "{}", names.join("  "))?;
        let rows: Vec<_> = device
            .known
            .iter()
            .map(|known| {
                let attribute = format!("  {}", known.attribute.replace('_', " "));
                let cells = [&known.value, known.source, known.confidence];
                std::iter::once(attribute)
                    .chain(cells.map(str::to_owned))
                    .collect()
            })
            .collect();
        if !rows.is_empty() {
            table(out, &["  what", "value", "said by", "how sure"], &rows)?;
        }
        writeln!(out)?;
    }
    let rows: Vec<_> = answer
        .conversations
        .iter()
        .map(ConversationAnswer::row)
        .collect();
    let head = [
        "client", "server", "roles", "port", "protocol", "packets", "bytes", "first", "last",
    ];
    table(out, &head, &rows)?;
    write!(
        out,
        "\ndevices: {}; conversations: {}; frames: {} ({} bytes)",
        answer.devices.len(),
        answer.conversations.len(),
        answer.frames,
        answer.bytes
    )?;
    if let Some(dropped) = answer.dropped {
        write!(out, "; dropped by the kernel: {dropped}")?;
    }
    writeln!(out)?;
    for remark in &answer.remarks {
        writeln!(out, "note: {remark}")?;
    }
    Ok(())
}

impl ConversationAnswer {
    fn row(&self) -> Vec<String> {
        let port = match self.port {
            0 => self.carrier.clone(),
            port => format!("{port}/{}", self.carrier),
        };
        let protocol = match (self.protocol, self.recognised) {
            (Some(name), false) => format!("{name} (by port)"),
            (name, _) => or_dash(name),
        };
        vec![
            self.client.clone(),
            self.server.clone(),
            self.roles.to_owned(),
            port,
            protocol,
            self.packets.to_string(),
            self.bytes.to_string(),
            self.first.clone(),
            self.last.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::Timestamp;
    use labward_capture::Confidence;
    use labward_capture::conversation::{Carrier, Parties};

    #[test]
    fn a_conversation_says_whether_its_protocol_is_known_or_guessed() {
        let mut one = Conversation {
            parties: Parties {
                client: "10.0.0.7".parse().unwrap(),
                server: "10.0.0.9".parse().unwrap(),
                carrier: Carrier::Tcp,
                port: 2575,
            },
            roles: Confidence::Likely,
            protocol: Some(("HL7 v2", Basis::Port)),
            packets: 3,
            bytes: 180,
            first: Timestamp::from_seconds(1),
            last: Timestamp::from_seconds(2),
        };
        let row = ConversationAnswer::from(one.clone()).row();
        assert_eq!(row[2..6], ["likely", "2575/tcp", "HL7 v2 (by port)", "3"]);
        one.protocol = Some(("HL7 v2", Basis::Content));
        assert_eq!(ConversationAnswer::from(one.clone()).row()[4], "HL7 v2");
        one.parties.port = 0;
        one.parties.carrier = Carrier::Other(1);
        one.protocol = None;
        assert_eq!(ConversationAnswer::from(one).row()[3..5], ["icmp", "-"]);
    }

    #[test]
    fn what_was_not_looked_at_is_said() {
        let counts = Counts {
            fragments: 2,
            ..Counts::default()
        };
        assert_eq!(
            counted(&counts),
            ["2 fragments of packets were not put together"]
        );
    }
}
