//! Any bytes on an MLLP link: the events do not depend on how the bytes were cut, stay within the
//! limits, and what is encoded again is decoded again.

use labward_hl7::mllp::{self, Decoder, Event, JUNK_LIMIT, NOISE_LIMIT};

pub fn run(data: &[u8]) {
    let Some(([limit, piece], bytes)) = data.split_first_chunk::<2>() else {
        return;
    };
    let limit = usize::from(*limit) * 8;
    let whole = events(bytes, bytes.len(), limit);
    assert_eq!(events(bytes, 1, limit), whole);
    assert_eq!(events(bytes, usize::from(*piece), limit), whole);

    for event in whole {
        match event {
            Event::Frame(content) => {
                assert!(content.len() <= limit);
                let again = events(&mllp::encode(&content), usize::MAX, limit);
                assert_eq!(again, [Event::Frame(content)]);
            }
            Event::LenientFrame(content) => assert!(content.len() <= limit),
            Event::Cut(content) => assert!(content.len() <= limit + 3),
            Event::Oversized { head } => assert_eq!(head.len(), limit),
            Event::Junk { bytes, .. } => assert!(bytes.len() <= JUNK_LIMIT),
            Event::Noise { count } => assert!(count <= NOISE_LIMIT),
            _ => {}
        }
    }
}

fn events(bytes: &[u8], piece: usize, limit: usize) -> Vec<Event> {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        decoder.feed(piece);
        events.extend(std::iter::from_fn(|| decoder.next_event()));
        assert!(decoder.frame_bytes() <= limit + 4);
    }
    events.extend(decoder.finish());
    events
}
