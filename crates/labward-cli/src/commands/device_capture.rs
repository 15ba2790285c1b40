//! `device read-capture`: captures of traffic, read here and now without a server.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use labward_base::problem;
use labward_capture::conversation::{Basis, Conversation};
use labward_capture::file::FlawKind;
use labward_capture::inventory::{Device, devices};
use labward_capture::observer::Counts;
use labward_capture::oui::Registry;
use labward_capture::{CaptureReader, Observer};
use serde::Serialize;

use super::{Context, read};
use crate::args::ReadCaptureArgs;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

/// So much of a file is read at once.
const PIECE_BYTES: u64 = 1 << 20;

/// What the captures say, for a machine.
#[derive(Debug, Default, Serialize)]
struct Answer {
    devices: Vec<DeviceAnswer>,
    conversations: Vec<ConversationAnswer>,
    frames: u64,
    bytes: u64,
    /// What of the captures was not looked at.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    /// Its bytes were recognised; otherwise only its port says what it is.
    recognised: bool,
    packets: u64,
    bytes: u64,
    first: String,
    last: String,
}

pub(super) fn run(context: &Context, arguments: &ReadCaptureArgs) -> Result<(), Failure> {
    let registry = arguments.oui.as_deref().map(registry).transpose()?;
    let (answer, damaged) = answer(arguments.files.iter().map(open), registry.as_ref())?;
    show(context.json, &answer, |out| write(out, &answer))?;
    match damaged {
        Some(text) => Err(Failure::new(&problem::CLI_FILE, text)),
        None => Ok(()),
    }
}

/// Reads all captures as one, because a device may be in several; and which of them is damaged, if one is.
fn answer<'a, R: Read>(
    files: impl Iterator<Item = Result<(&'a Path, R), Failure>>,
    registry: Option<&Registry>,
) -> Result<(Answer, Option<String>), Failure> {
    let mut observer = Observer::default();
    let mut remarks = Vec::new();
    let mut damaged = None;
    for file in files {
        let (path, mut file) = file?;
        let mut reader = CaptureReader::new();
        feed(&mut file, &mut reader, &mut observer).map_err(|error| unreadable(path, &error))?;
        let Some(flaw) = reader.flaw() else { continue };
        let text = format!("{}: {flaw}", path.display());
        match flaw.kind {
            FlawKind::NotACapture => return Err(Failure::new(&problem::CLI_FILE, text)),
            // A capture that is stopped often ends within a packet.
            FlawKind::Truncated => {}
            FlawKind::Damaged | FlawKind::TooLong => damaged = Some(text.clone()),
        }
        remarks.push(text);
    }
    let observed = observer.finish();
    remarks.extend(counted(&observed.counts));
    let answer = Answer {
        devices: devices(&observed.sightings, registry)
            .into_iter()
            .map(DeviceAnswer::from)
            .collect(),
        conversations: observed
            .conversations
            .into_iter()
            .map(ConversationAnswer::from)
            .collect(),
        frames: observed.counts.frames,
        bytes: observed.counts.bytes,
        remarks,
    };
    Ok((answer, damaged))
}

fn open(path: &PathBuf) -> Result<(&Path, File), Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok((path, file))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        &problem::CLI_FILE,
        format!("read {}: {error}", path.display()),
    )
}

fn registry(path: &Path) -> Result<Registry, Failure> {
    Registry::read(&read(path)?)
        .map_err(|error| Failure::new(&problem::CLI_FILE, format!("{}: {error}", path.display())))
}

/// Hands a file over piece by piece; what is not done with stays for the next piece.
fn feed(
    file: &mut impl Read,
    reader: &mut CaptureReader,
    observer: &mut Observer,
) -> io::Result<()> {
    let mut waiting = Vec::new();
    loop {
        let mut piece = file.by_ref().take(PIECE_BYTES);
        let is_end = piece.read_to_end(&mut waiting)? == 0;
        let done = reader.read(&waiting, is_end, |frame| {
            observer.observe(frame.at, frame.link, frame.bytes);
        });
        waiting.drain(..done);
        if is_end || reader.flaw().is_some() {
            return Ok(());
        }
    }
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
        "client", "server", "port", "protocol", "packets", "bytes", "first", "last",
    ];
    table(out, &head, &rows)?;
    writeln!(
        out,
        "\ndevices: {}; conversations: {}; frames: {} ({} bytes)",
        answer.devices.len(),
        answer.conversations.len(),
        answer.frames,
        answer.bytes
    )?;
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
            protocol: Some(("HL7 v2", Basis::Port)),
            packets: 3,
            bytes: 180,
            first: Timestamp::from_seconds(1),
            last: Timestamp::from_seconds(2),
        };
        let row = ConversationAnswer::from(one.clone()).row();
        assert_eq!(row[2..5], ["2575/tcp", "HL7 v2 (by port)", "3"]);
        one.protocol = Some(("HL7 v2", Basis::Content));
        assert_eq!(ConversationAnswer::from(one.clone()).row()[3], "HL7 v2");
        one.parties.port = 0;
        one.parties.carrier = Carrier::Other(1);
        one.protocol = None;
        assert_eq!(ConversationAnswer::from(one).row()[2..4], ["icmp", "-"]);
    }

    /// An ARP request of 10.0.0.7 as a capture in the form of pcap.
    fn capture() -> Vec<u8> {
        let mut frame = vec![0xff; 6];
        frame.extend([
            0, 0x10, 0x7f, 1, 2, 3, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 0, 0x10, 0x7f, 1, 2, 3,
        ]);
        frame.extend([10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 10, 0, 0, 9]);
        let mut file = vec![
            0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0,
        ];
        file.extend([1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 42, 0, 0, 0]);
        file.extend(frame);
        file
    }

    fn read_all(files: &[&[u8]]) -> Result<(Answer, Option<String>), Failure> {
        let registry = Registry::read(b"MA-L,00107F,Acme Converters,x\n").unwrap();
        let files = files.iter().map(|file| Ok((Path::new("lab.pcap"), *file)));
        answer(files, Some(&registry))
    }

    #[test]
    fn a_device_in_two_captures_is_one_with_its_card_and_its_maker() {
        let (answer, damaged) = read_all(&[&capture(), &capture()]).unwrap();
        assert_eq!(damaged, None);
        let json = serde_json::to_value(&answer).unwrap();
        let device = &json["devices"][0];
        assert_eq!(
            (&device["mac"], &device["ips"][0]),
            (&"00:10:7f:01:02:03".into(), &"10.0.0.7".into())
        );
        assert_eq!(device["known"][0]["value"], "Acme Converters");
        assert_eq!(device["known"][0]["confidence"], "hint");
        assert_eq!(device["known"][0]["seen"], "1970-01-01T00:00:07.000000Z");
        assert_eq!((answer.devices.len(), answer.frames), (1, 2));
        let mut text = Vec::new();
        write(&mut text, &answer).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.starts_with("10.0.0.7  00:10:7f:01:02:03\n  what          value"),
            "{text}"
        );
        assert!(
            text.ends_with("devices: 1; conversations: 0; frames: 2 (84 bytes)\n"),
            "{text}"
        );
    }

    #[test]
    fn a_capture_that_breaks_off_is_read_so_far_and_a_damaged_one_is_a_failure_after_it() {
        let whole = capture();
        let cut = [&whole[..], &whole[24..50]].concat();
        let (answer, damaged) = read_all(&[&cut]).unwrap();
        assert_eq!((answer.frames, damaged), (1, None));
        assert_eq!(
            answer.remarks,
            ["lab.pcap: the capture ends within a packet (byte 82)"]
        );
        let hostile = [&whole[..], &[0xff; 16]].concat();
        let (answer, damaged) = read_all(&[&hostile]).unwrap();
        assert_eq!(answer.frames, 1);
        assert!(damaged.unwrap().contains("byte 82"));
        assert!(read_all(&[b"no capture at all"]).is_err());
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
