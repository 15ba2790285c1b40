//! A long capture for `devices`: those of the test data over and over, each time as new connections of the same
//! machines.
//!
//! It must never be a capture that one of the measured programs refuses: one link layer, classic pcap.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use labward_capture::CaptureReader;
use labward_capture::packet::Link;

/// Between two frames.
const STEP_US: u64 = 100;

/// When the capture begins, in seconds of Unix time.
const BEGIN: u64 = 1_790_000_000;

/// Ports of the clients; each connection has its own.
const FIRST_PORT: u16 = 10_000;
const PORTS: u16 = 50_000;

const ETHERNET_BYTES: usize = 14;
/// Two cards that exist nowhere (locally administered), and IPv4.
const ETHERNET: [u8; ETHERNET_BYTES] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
const LOOPBACK_BYTES: usize = 4;

/// A written capture and what stands in it.
pub(super) struct Traffic {
    pub(super) file: PathBuf,
    pub(super) frames: u64,
    /// Bytes of all frames.
    pub(super) bytes: u64,
    /// How often each capture stands in it.
    pub(super) times: u16,
}

/// One frame of TCP over IPv4 and Ethernet.
struct Template {
    frame: Vec<u8>,
    /// Where the client's port stands.
    port_at: usize,
    /// Where the checksum of TCP stands.
    sum_at: usize,
}

/// Writes the captures of `folder` into `file`, until there are so many bytes.
pub(super) fn write(folder: &Path, file: PathBuf, least_bytes: u64) -> Result<Traffic> {
    let templates = templates(folder)?;
    let mut out =
        BufWriter::new(File::create(&file).with_context(|| format!("write {}", file.display()))?);
    let mut traffic = Traffic {
        file,
        frames: 0,
        bytes: 0,
        times: 0,
    };
    // Little-endian, times in µs, frames of up to 64 KiB, Ethernet.
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0xffff, 1] {
        out.write_all(&word.to_le_bytes())?;
    }
    while traffic.bytes < least_bytes {
        ensure!(
            traffic.times < PORTS,
            "so many bytes need more ports than there are"
        );
        let port = FIRST_PORT + traffic.times;
        for template in &templates {
            let frame = template.with_port(port)?;
            let at = traffic.frames * STEP_US;
            let length = u32::try_from(frame.len())?;
            let seconds = u32::try_from(BEGIN + at / 1_000_000)?;
            let micros = u32::try_from(at % 1_000_000)?;
            for word in [seconds, micros, length, length] {
                out.write_all(&word.to_le_bytes())?;
            }
            out.write_all(&frame)?;
            traffic.frames += 1;
            traffic.bytes += u64::from(length);
        }
        traffic.times += 1;
    }
    out.flush()?;
    Ok(traffic)
}

/// The frames of every capture in `folder`, file by file.
fn templates(folder: &Path) -> Result<Vec<Template>> {
    let list = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = list.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let mut all = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "pcap"))
    {
        let bytes = fs::read(file)?;
        let mut frames = Vec::new();
        let mut reader = CaptureReader::new();
        reader.read(&bytes, true, |frame| {
            frames.push(as_ethernet(frame.link, frame.bytes))
        });
        ensure!(
            reader.flaw().is_none(),
            "{} is no whole capture",
            file.display()
        );
        let frames: Vec<Vec<u8>> = frames
            .into_iter()
            .collect::<Option<_>>()
            .with_context(|| format!("{} is of another link layer", file.display()))?;
        let client = frames
            .first()
            .and_then(|frame| port(frame, source_at(frame)?));
        for frame in frames {
            let template = Template::of(frame, client);
            all.push(template.with_context(|| format!("{} holds more than TCP", file.display()))?);
        }
    }
    ensure!(!all.is_empty(), "{} holds no capture", folder.display());
    Ok(all)
}

fn as_ethernet(link: Link, frame: &[u8]) -> Option<Vec<u8>> {
    match link {
        Link::Ethernet => Some(frame.to_vec()),
        Link::Loopback => Some([&ETHERNET[..], frame.get(LOOPBACK_BYTES..)?].concat()),
        _ => None,
    }
}

/// Where the source port of TCP over IPv4 stands; the destination's is behind it.
fn source_at(frame: &[u8]) -> Option<usize> {
    let head = frame.get(ETHERNET_BYTES..)?;
    let words = head.first()? & 0x0f;
    let is_tcp = frame.get(12..14)? == [8, 0] && *head.get(9)? == 6;
    is_tcp.then(|| ETHERNET_BYTES + usize::from(words) * 4)
}

fn port(frame: &[u8], at: usize) -> Option<u16> {
    let two = frame.get(at..at + 2)?;
    Some(u16::from_be_bytes(two.try_into().ok()?))
}

impl Template {
    fn of(frame: Vec<u8>, client: Option<u16>) -> Option<Self> {
        let source = source_at(&frame)?;
        let port_at = [source, source + 2]
            .into_iter()
            .find(|at| port(&frame, *at) == client)?;
        Some(Self {
            sum_at: source + 16,
            frame,
            port_at,
        })
    }

    /// The frame with another port of the client, and a checksum that is as right as it was (RFC 1624, eqn. 3).
    fn with_port(&self, new: u16) -> Result<Vec<u8>> {
        let mut frame = self.frame.clone();
        let old = port(&frame, self.port_at).context("read a port")?;
        let sum = port(&frame, self.sum_at).context("read a checksum")?;
        let total = u32::from(!sum) + u32::from(!old) + u32::from(new);
        let folded = (total & 0xffff) + (total >> 16);
        let folded = (folded & 0xffff) + (folded >> 16);
        let changes = [(self.port_at, new), (self.sum_at, !u16::try_from(folded)?)];
        for (at, value) in changes {
            let place = frame.get_mut(at..at + 2).context("find a field")?;
            place.copy_from_slice(&value.to_be_bytes());
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Workplace;

    /// SYN from 10.0.0.1:49242 to 10.0.0.2:6661 with a right checksum.
    fn syn() -> Vec<u8> {
        let mut frame = ETHERNET.to_vec();
        frame.extend([
            0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        frame.extend(49_242_u16.to_be_bytes());
        frame.extend(6_661_u16.to_be_bytes());
        frame.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0]);
        let sum = !sum(&frame);
        frame[50..52].copy_from_slice(&sum.to_be_bytes());
        frame
    }

    /// The ones' complement sum of pseudo-header and segment; all ones if the checksum in it is right.
    fn sum(frame: &[u8]) -> u16 {
        let segment = &frame[34..];
        let mut words: Vec<u8> =
            [&frame[26..34], &[0, 6], &20_u16.to_be_bytes()[..], segment].concat();
        words.resize(words.len().next_multiple_of(2), 0);
        let pairs = words
            .chunks(2)
            .map(|two| u32::from(u16::from_be_bytes([two[0], two[1]])));
        let total = pairs.sum::<u32>();
        let folded = (total & 0xffff) + (total >> 16);
        u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap()
    }

    #[test]
    fn another_port_keeps_the_checksum_right() {
        assert_eq!(sum(&syn()), 0xffff);
        let template = Template::of(syn(), Some(49_242)).unwrap();
        for port in [1, 10_000, 49_242, 59_999, 65_535] {
            let frame = template.with_port(port).unwrap();
            assert_eq!((super::port(&frame, 34), sum(&frame)), (Some(port), 0xffff));
        }
        assert!(Template::of(syn(), Some(1)).is_none());
    }

    #[test]
    fn the_captures_stand_in_it_as_often_as_it_says() {
        let Some(data) = std::env::var_os(crate::interop::TEST_DATA) else {
            eprintln!("labward-skip: long capture: LABWARD_TEST_DATA is not set");
            return;
        };
        let place = Workplace::create("xtask-traffic").unwrap();
        let folder = Path::new(&data).join("pcap");
        let traffic = write(&folder, place.join("long.pcap"), 20_000).unwrap();
        let bytes = fs::read(&traffic.file).unwrap();
        let (mut frames, mut held) = (0, 0);
        let mut reader = CaptureReader::new();
        reader.read(&bytes, true, |frame| {
            frames += 1;
            held += frame.bytes.len() as u64;
            assert_eq!(frame.link, Link::Ethernet);
        });
        assert_eq!(reader.flaw(), None);
        assert_eq!((frames, held), (traffic.frames, traffic.bytes));
        assert_eq!(frames, 21 * u64::from(traffic.times));
    }
}
