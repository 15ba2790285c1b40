//! Any bytes as a capture, pcap or pcapng: read whole or in pieces it gives the same frames and the same
//! flaw, and what is observed of them stays within its limits.

use labward_capture::inventory::devices;
use labward_capture::{CaptureReader, Limits, Observed, Observer, VALUE_BYTES_MAX};

const LIMITS: Limits = Limits {
    cards: 8,
    conversations: 16,
    flows: 8,
    head_bytes: 2_048,
    sightings: 32,
    stream_bytes: 4_096,
};

/// What is observed of the capture, handed over in pieces of `step` bytes.
fn observe(bytes: &[u8], step: usize) -> (Observed, Option<labward_capture::file::Flaw>) {
    let mut reader = CaptureReader::new();
    let mut observer = Observer::new(LIMITS);
    let (mut from, mut to) = (0, 0_usize);
    loop {
        to = to.saturating_add(step).min(bytes.len());
        let is_end = to == bytes.len();
        from += reader.read(&bytes[from..to], is_end, |frame| {
            observer.observe(frame.at, frame.link, frame.bytes);
        });
        if is_end {
            return (observer.finish(), reader.flaw());
        }
    }
}

pub fn run(data: &[u8]) {
    let (step, bytes) = data.split_first().unwrap_or((&0, &[]));
    let (observed, flaw) = observe(bytes, usize::MAX);
    assert!(observed.sightings.len() <= LIMITS.sightings);
    assert!(observed.conversations.len() <= LIMITS.conversations);
    for one in &observed.sightings {
        assert!(!one.value.is_empty() && one.value.len() <= VALUE_BYTES_MAX);
        assert!(!one.value.chars().any(char::is_control));
    }
    let found = devices(&observed.sightings, None);
    assert!(found.len() <= observed.sightings.len());
    let again = observe(bytes, usize::from(*step) + 1);
    assert_eq!(again, (observed, flaw));
}
