//! How fast a capture is read on one core: `cargo bench -p labward-capture`.
//!
//! The capture is made in memory: streams of HL7, of DICOM and of bulk data with their acknowledgements,
//! announcements over UDP, and ARP; about 670 bytes a frame.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench measures time and prints it"
)]

use std::time::Instant;

use etherparse::PacketBuilder;
use labward_capture::{CaptureReader, Observer};

const CAPTURE_BYTES: usize = 400 << 20;
const PIECE_BYTES: usize = 1 << 20;
const ROUNDS: usize = 5;

/// A capture in the form of pcap.
struct Capture {
    file: Vec<u8>,
    micros: u32,
    frames: u64,
}

impl Capture {
    fn frame(&mut self, bytes: &[u8]) {
        self.micros += 50;
        self.frames += 1;
        let length = u32::try_from(bytes.len()).unwrap_or(0);
        for word in [
            1_790_000_000 + self.micros / 1_000_000,
            self.micros % 1_000_000,
            length,
            length,
        ] {
            self.file.extend(word.to_le_bytes());
        }
        self.file.extend_from_slice(bytes);
    }

    /// One segment from or to the client with this number.
    fn segment(&mut self, client: u32, port: u16, is_client: bool, sequence: u32, payload: &[u8]) {
        let [_, _, high, low] = client.to_be_bytes();
        let (here, there) = ([10, 0, high, low], [10, 1, 0, 9]);
        let source = 40_000 + u16::try_from(client % 20_000).unwrap_or(0);
        let (from, to) = if is_client {
            (here, there)
        } else {
            (there, here)
        };
        let (source, target) = if is_client {
            (source, port)
        } else {
            (port, source)
        };
        let builder =
            PacketBuilder::ethernet2([0, 0x10, 0x7f, 0, high, low], [0, 0x1b, 0x21, 0, 0, 9])
                .ipv4(from, to, 64)
                .tcp(source, target, sequence, 8192)
                .ack(1);
        let mut bytes = Vec::with_capacity(payload.len() + 64);
        if builder.write(&mut bytes, payload).is_ok() {
            self.frame(&bytes);
        }
    }

    fn datagram(&mut self, client: u32, port: u16, payload: &[u8]) {
        let [_, _, high, low] = client.to_be_bytes();
        let builder = PacketBuilder::ethernet2([0, 0x10, 0x7f, 0, high, low], [0xff; 6])
            .ipv4([10, 0, high, low], [224, 0, 0, 251], 1)
            .udp(port, port);
        let mut bytes = Vec::new();
        if builder.write(&mut bytes, payload).is_ok() {
            self.frame(&bytes);
        }
    }
}

/// Mixed traffic of a laboratory, as much as is wanted.
fn capture() -> Capture {
    let mut file = vec![
        0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0,
    ];
    file.extend(1u32.to_le_bytes());
    file.reserve(CAPTURE_BYTES + (1 << 20));
    let mut capture = Capture {
        file,
        micros: 0,
        frames: 0,
    };
    let observation =
        "OBX|1|NM|6690-2^Leukocytes^LN||7.0|10*3/uL|4.0-11.0||||F|||20261127||||X900\r";
    let message = format!(
        "\u{b}MSH|^~\\&|LIS|LAB|EHR|CLINIC|20261127||ORU^R01|1|P|2.5\rPID|1\rOBR|1\r{}\u{1c}\r",
        observation.repeat(30)
    );
    let announcement = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x05an-77\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\x0a\0\0\x07";
    let bulk = [0x5a; 1_400];
    let mut round = 0u32;
    while capture.file.len() < CAPTURE_BYTES {
        round += 1;
        let client = round % 3_000;
        for (n, piece) in (0u32..).zip(message.as_bytes().chunks(1_000)) {
            capture.segment(client, 2575, true, 1 + n * 1_000, piece);
            capture.segment(client, 2575, false, 1, b"");
        }
        for n in 0..6 {
            capture.segment(
                client + 4_000,
                445,
                true,
                1 + (round * 6 + n) * 1_400,
                &bulk,
            );
            capture.segment(client + 4_000, 445, false, 1, b"");
        }
        if round.is_multiple_of(8) {
            capture.datagram(client, 5353, announcement);
        }
    }
    capture
}

fn main() {
    let capture = capture();
    let bits = capture.file.len() as f64 * 8.0;
    println!(
        "{} MB, {} frames",
        capture.file.len() / 1_000_000,
        capture.frames
    );
    let mut best = 0.0f64;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut observer = Observer::default();
        let mut reader = CaptureReader::new();
        let mut from = 0;
        let mut to = 0;
        while to < capture.file.len() {
            to = (to + PIECE_BYTES).min(capture.file.len());
            let piece = capture.file.get(from..to).unwrap_or_default();
            from += reader.read(piece, to == capture.file.len(), |frame| {
                observer.observe(frame.at, frame.link, frame.bytes);
            });
        }
        let observed = observer.finish();
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(
            (observed.counts.frames, reader.flaw()),
            (capture.frames, None)
        );
        let rate = bits / seconds / 1e9;
        best = best.max(rate);
        println!(
            "{rate:.2} Gbit/s, {:.2} M frames/s, {} sightings, {} conversations",
            capture.frames as f64 / seconds / 1e6,
            observed.sightings.len(),
            observed.conversations.len()
        );
    }
    println!("best: {best:.2} Gbit/s");
}
