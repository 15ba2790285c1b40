//! Capture files: pcap (both byte orders, microseconds and nanoseconds) and pcapng, read piece by piece.
//!
//! It must never lose what was read before the file breaks off, nor keep more than one block of it.

use std::fmt;

use labward_base::Timestamp;
use pcap_parser::pcapng::{Block, parse_block_be, parse_block_le};
use pcap_parser::{
    parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified, parse_pcap_header,
};

use crate::packet::Link;

/// A record or block longer than this, in bytes, is no capture of a network.
pub const BLOCK_BYTES_MAX: usize = 16 << 20;
/// The most interfaces that one section of pcapng may describe.
const INTERFACES_MAX: usize = 1_024;
const PCAP_HEADER_BYTES: usize = 24;
const NG_SECTION: u32 = 0x0a0d_0d0a;

/// One frame of a capture.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// When it was captured, by the clock of that machine; the epoch if the file does not say.
    pub at: Timestamp,
    /// What its first byte begins.
    pub link: Link,
    /// The bytes that were kept of it.
    pub bytes: &'a [u8],
}

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlawKind {
    /// The bytes are not what the format says.
    Damaged,
    /// It begins neither like pcap nor like pcapng.
    NotACapture,
    /// A record or block says that it is longer than [`BLOCK_BYTES_MAX`].
    TooLong,
    /// It ends within a record or block.
    Truncated,
}

/// Why and where reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Why.
    pub kind: FlawKind,
    /// At which byte of the file, from 0.
    pub offset: u64,
}

/// Reads a capture that is handed over in pieces.
#[derive(Debug, Default)]
pub struct CaptureReader {
    form: Form,
    offset: u64,
    frames: u64,
    flaw: Option<Flaw>,
}

#[derive(Debug, Default)]
enum Form {
    #[default]
    Unknown,
    Pcap {
        order: Order,
        ticks: u64,
        link: Link,
    },
    PcapNg {
        is_big: bool,
        interfaces: Vec<Interface>,
    },
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Big,
    Little,
    /// The form of Kuznetzov's patches, with longer record headers.
    Modified,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Link,
    /// Ticks a second.
    ticks: u64,
    /// Seconds to add to each time.
    offset: i64,
    snap_bytes: usize,
}

/// What stands at the beginning of the bytes.
enum Step<'a> {
    Frame(Frame<'a>, usize),
    More,
    Passed(usize),
    Stop(FlawKind),
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("at", &self.at)
            .field("link", &self.link)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.kind {
            FlawKind::Damaged => "the capture is damaged",
            FlawKind::NotACapture => "it is neither pcap nor pcapng",
            FlawKind::TooLong => "a packet says that it is longer than 16 MiB",
            FlawKind::Truncated => "the capture ends within a packet",
        };
        write!(f, "{why} (byte {})", self.offset)
    }
}

impl CaptureReader {
    /// A reader at the beginning of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands every whole frame in `bytes` to `each`; how many bytes are done with.
    ///
    /// `bytes` are what the last call left and what follows it in the file; `is_end` says that nothing
    /// follows. After a flaw everything is passed over.
    pub fn read(&mut self, bytes: &[u8], is_end: bool, mut each: impl FnMut(Frame<'_>)) -> usize {
        let mut done = 0;
        while self.flaw.is_none() {
            let rest = bytes.get(done..).unwrap_or_default();
            if rest.is_empty() && !(is_end && matches!(self.form, Form::Unknown)) {
                return done;
            }
            let passed = match self.step(rest) {
                Step::Frame(frame, passed) => {
                    self.frames = self.frames.saturating_add(1);
                    each(frame);
                    passed
                }
                Step::Passed(passed) => passed,
                Step::More if is_end => {
                    self.stop(FlawKind::Truncated);
                    break;
                }
                Step::More => return done,
                Step::Stop(kind) => {
                    self.stop(kind);
                    break;
                }
            };
            done = done.saturating_add(passed);
            self.offset = self
                .offset
                .saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
        }
        bytes.len()
    }

    /// Why it stopped before the end, if it did.
    pub const fn flaw(&self) -> Option<Flaw> {
        self.flaw
    }

    /// How many frames it gave.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    fn stop(&mut self, kind: FlawKind) {
        let offset = self.offset;
        self.flaw = Some(Flaw { kind, offset });
    }

    fn step<'a>(&mut self, bytes: &'a [u8]) -> Step<'a> {
        match &mut self.form {
            Form::Unknown => self.begin(bytes),
            Form::Pcap { order, ticks, link } => record(bytes, *order, *ticks, *link),
            Form::PcapNg { is_big, interfaces } => block(bytes, is_big, interfaces),
        }
    }

    fn begin<'a>(&mut self, bytes: &'a [u8]) -> Step<'a> {
        let Some(magic) = bytes.first_chunk::<4>() else {
            return Step::More;
        };
        if u32::from_be_bytes(*magic) == NG_SECTION {
            self.form = Form::PcapNg {
                is_big: false,
                interfaces: Vec::new(),
            };
            return Step::Passed(0);
        }
        match parse_pcap_header(bytes) {
            Ok((_, header)) => {
                let order = match (header.is_modified_format(), header.is_bigendian()) {
                    (true, _) => Order::Modified,
                    (false, true) => Order::Big,
                    (false, false) => Order::Little,
                };
                let is_nano = header.is_nanosecond_precision();
                self.form = Form::Pcap {
                    order,
                    ticks: if is_nano { 1_000_000_000 } else { 1_000_000 },
                    link: Link::of(header.network.0),
                };
                Step::Passed(PCAP_HEADER_BYTES)
            }
            Err(error) if error.is_incomplete() => Step::More,
            Err(_) => Step::Stop(FlawKind::NotACapture),
        }
    }
}

/// One record of pcap.
fn record(bytes: &[u8], order: Order, ticks: u64, link: Link) -> Step<'_> {
    let Some(length) = bytes.get(8..12).and_then(|b| b.first_chunk::<4>()) else {
        return Step::More;
    };
    let length = match order {
        Order::Big => u32::from_be_bytes(*length),
        Order::Little | Order::Modified => u32::from_le_bytes(*length),
    };
    if usize::try_from(length).is_ok_and(|length| length > BLOCK_BYTES_MAX) {
        return Step::Stop(FlawKind::TooLong);
    }
    let parsed = match order {
        Order::Big => parse_pcap_frame_be(bytes),
        Order::Little => parse_pcap_frame(bytes),
        Order::Modified => parse_pcap_frame_modified(bytes),
    };
    match parsed {
        Ok((rest, one)) => {
            let seconds = Timestamp::from_seconds(i64::from(one.ts_sec)).as_micros();
            let fraction = micros(u64::from(one.ts_usec), ticks);
            let frame = Frame {
                at: Timestamp::from_micros(seconds.saturating_add(fraction)),
                link,
                bytes: one.data,
            };
            Step::Frame(frame, bytes.len() - rest.len())
        }
        Err(error) if error.is_incomplete() => Step::More,
        Err(_) => Step::Stop(FlawKind::Damaged),
    }
}

/// One block of pcapng; a section header decides the byte order of what follows.
fn block<'a>(bytes: &'a [u8], is_big: &mut bool, interfaces: &mut Vec<Interface>) -> Step<'a> {
    let word = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk::<4>()).copied();
    let (Some(kind), Some(length), Some(third)) = (word(0), word(4), word(8)) else {
        return Step::More;
    };
    let is_section = u32::from_be_bytes(kind) == NG_SECTION;
    if is_section {
        *is_big = match u32::from_be_bytes(third) {
            0x1a2b_3c4d => true,
            0x4d3c_2b1a => false,
            _ => return Step::Stop(FlawKind::Damaged),
        };
    }
    let length = if *is_big {
        u32::from_be_bytes(length)
    } else {
        u32::from_le_bytes(length)
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > BLOCK_BYTES_MAX {
        return Step::Stop(FlawKind::TooLong);
    }
    if length < 12 || length % 4 != 0 {
        return Step::Stop(FlawKind::Damaged);
    }
    let Some(whole) = bytes.get(..length) else {
        return Step::More;
    };
    let parsed = if *is_big {
        parse_block_be(whole)
    } else {
        parse_block_le(whole)
    };
    let frame = match parsed {
        Ok((_, Block::SectionHeader(_))) => {
            interfaces.clear();
            None
        }
        Ok((_, Block::InterfaceDescription(one))) => {
            if interfaces.len() == INTERFACES_MAX {
                return Step::Stop(FlawKind::Damaged);
            }
            interfaces.push(Interface {
                link: Link::of(one.linktype.0),
                ticks: ticks(one.if_tsresol),
                offset: one.if_tsoffset,
                snap_bytes: usize::try_from(one.snaplen).unwrap_or(usize::MAX),
            });
            None
        }
        Ok((_, Block::EnhancedPacket(one))) => {
            let index = usize::try_from(one.if_id).unwrap_or(usize::MAX);
            let Some(interface) = interfaces.get(index) else {
                return Step::Stop(FlawKind::Damaged);
            };
            let count = u64::from(one.ts_high) << 32 | u64::from(one.ts_low);
            Some(Frame {
                at: interface.time(count),
                link: interface.link,
                bytes: kept(one.data, one.caplen),
            })
        }
        Ok((_, Block::SimplePacket(one))) => {
            let Some(interface) = interfaces.first() else {
                return Step::Stop(FlawKind::Damaged);
            };
            let bytes = kept(one.data, one.origlen);
            let cut = match interface.snap_bytes {
                0 => bytes.len(),
                snap => snap.min(bytes.len()),
            };
            Some(Frame {
                at: Timestamp::from_micros(0),
                link: interface.link,
                bytes: bytes.get(..cut).unwrap_or_default(),
            })
        }
        Ok(_) => None,
        Err(_) => return Step::Stop(FlawKind::Damaged),
    };
    match frame {
        Some(frame) => Step::Frame(frame, length),
        None => Step::Passed(length),
    }
}

/// The data of a block without what fills it up.
fn kept(data: &[u8], length: u32) -> &[u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    data.get(..length.min(data.len())).unwrap_or_default()
}

impl Interface {
    fn time(&self, count: u64) -> Timestamp {
        let whole = i64::try_from(count / self.ticks).unwrap_or(i64::MAX);
        let seconds = Timestamp::from_seconds(whole.saturating_add(self.offset)).as_micros();
        let fraction = micros(count % self.ticks, self.ticks);
        Timestamp::from_micros(seconds.saturating_add(fraction))
    }
}

/// `count` ticks in microseconds, rounded down.
fn micros(count: u64, ticks: u64) -> i64 {
    let micros = u128::from(count) * 1_000_000 / u128::from(ticks.max(1));
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// Ticks a second by the option `if_tsresol`: a power of ten, or with the highest bit of two.
fn ticks(resolution: u8) -> u64 {
    let power = u32::from(resolution & 0x7f);
    let ticks = match resolution & 0x80 {
        0 => 10u64.checked_pow(power),
        _ => 1u64.checked_shl(power),
    };
    ticks.unwrap_or(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{pcap, pcap_ng};
    use proptest::prelude::*;

    /// Time in microseconds, link and bytes of every frame, and the flaw.
    type Read = (Vec<(i64, Link, Vec<u8>)>, Option<Flaw>);

    /// What a file holds when it is handed over in pieces of `step` bytes.
    fn read(file: &[u8], step: usize) -> Read {
        let mut reader = CaptureReader::new();
        let mut frames = Vec::new();
        let mut waiting = Vec::new();
        let mut pieces = file.chunks(step).peekable();
        loop {
            let piece = pieces.next().unwrap_or_default();
            waiting.extend_from_slice(piece);
            let is_end = pieces.peek().is_none();
            let done = reader.read(&waiting, is_end, |frame| {
                frames.push((frame.at.as_micros(), frame.link, frame.bytes.to_vec()));
            });
            waiting.drain(..done);
            if is_end {
                assert_eq!(reader.frames(), frames.len() as u64);
                return (frames, reader.flaw());
            }
        }
    }

    #[test]
    fn every_form_of_pcap_gives_the_same_frames() {
        let frames = [(7_000_001_i64, &b"abc"[..]), (8_000_999, b"")];
        for is_big in [false, true] {
            for is_nano in [false, true] {
                let file = pcap(is_big, is_nano, 1, &frames);
                for step in [1, 3, 1000] {
                    let (read, flaw) = read(&file, step);
                    assert_eq!(flaw, None);
                    let expected = frames.map(|(at, b)| (at, Link::Ethernet, b.to_vec()));
                    assert_eq!(read, expected);
                }
            }
        }
    }

    #[test]
    fn pcapng_is_read_in_both_byte_orders_with_its_own_clock() {
        let frames = [(7_000_001_i64, &b"abc"[..]), (8_000_999, b"defgh")];
        for is_big in [false, true] {
            // Microseconds, nanoseconds, and 2^-20 of a second.
            for resolution in [6, 9, 0x94] {
                let file = pcap_ng(is_big, resolution, 276, &frames);
                let (read, flaw) = read(&file, 5);
                assert_eq!(flaw, None);
                for ((at, link, bytes), (expected, data)) in read.iter().zip(frames) {
                    assert!((at - expected).abs() <= 1, "{at} {expected}");
                    assert_eq!((*link, &bytes[..]), (Link::LinuxSll2, data));
                }
                assert_eq!(read.len(), 2);
            }
        }
    }

    #[test]
    fn what_was_read_before_a_file_breaks_off_stands() {
        let frames = [(1, &b"abc"[..]), (2, b"defg")];
        let file = pcap(false, false, 1, &frames);
        let (read_cut, flaw) = read(&file[..file.len() - 1], 1000);
        assert_eq!(read_cut.len(), 1);
        let offset = 24 + 16 + 3;
        let kind = FlawKind::Truncated;
        assert_eq!(flaw, Some(Flaw { kind, offset }));

        let mut hostile = file.clone();
        hostile[24 + 19 + 8..][..4].copy_from_slice(&[0xff; 4]);
        let (read_hostile, flaw) = read(&hostile, 1);
        assert_eq!(read_hostile.len(), 1);
        let kind = FlawKind::TooLong;
        assert_eq!(flaw, Some(Flaw { kind, offset }));
    }

    #[test]
    fn a_file_of_another_kind_is_named_as_such() {
        for file in [&b""[..], b"ab"] {
            let (_, flaw) = read(file, 1000);
            assert_eq!(flaw.unwrap().kind, FlawKind::Truncated);
        }
        let (_, flaw) = read(b"PK\x03\x04 not a capture, but long enough", 1000);
        let flaw = flaw.unwrap();
        assert_eq!(flaw.kind, FlawKind::NotACapture);
        assert_eq!(flaw.to_string(), "it is neither pcap nor pcapng (byte 0)");
    }

    #[test]
    fn a_packet_of_an_interface_that_was_never_described_stops_the_reading() {
        let mut file = pcap_ng(false, 6, 1, &[(1, b"abc")]);
        let at = file.len() - 36 + 8;
        file[at] = 9;
        let (frames, flaw) = read(&file, 1000);
        assert_eq!((frames.len(), flaw.unwrap().kind), (0, FlawKind::Damaged));
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_same_however_they_are_cut(
            mut file in prop::collection::vec(any::<u8>(), 0..400),
            head in 0..5usize,
            step in 1..50usize,
        ) {
            let begin = [
                pcap(false, false, 1, &[(1, b"abc")]), pcap(true, true, 113, &[]),
                pcap_ng(false, 6, 1, &[(1, b"abc")]), pcap_ng(true, 9, 0, &[]), Vec::new(),
            ];
            file.splice(0..0, begin[head].iter().copied());
            prop_assert_eq!(read(&file, step), read(&file, 10_000));
        }

        #[test]
        fn a_damaged_file_never_panics(at in 0..120usize, byte in any::<u8>(), is_big in any::<bool>()) {
            for mut file in [
                pcap(is_big, false, 1, &[(1, b"abc"), (2, b"defg")]),
                pcap_ng(is_big, 6, 1, &[(1, b"abc"), (2, b"defg")]),
            ] {
                let at = at % file.len();
                file[at] = byte;
                read(&file, 7);
            }
        }
    }
}
