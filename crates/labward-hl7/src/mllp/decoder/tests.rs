//! What is claimed of the frame decoder: the dirty-input table, and that cuts do not matter.

use proptest::prelude::*;

use super::super::{COMMIT_ACK, COMMIT_NAK, encode};
use super::*;

const LIMIT: usize = 4096;

fn drain(decoder: &mut Decoder) -> Vec<Event> {
    std::iter::from_fn(|| decoder.next_event()).collect()
}

/// Feeds the bytes in pieces of this size, closes the link, and gives all events.
fn decode_in(bytes: &[u8], piece: usize, limit: usize) -> Vec<Event> {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        decoder.feed(piece);
        events.extend(drain(&mut decoder));
    }
    events.extend(decoder.finish());
    events
}

fn check(bytes: &[u8], expect: &[Event]) {
    for piece in 1..=bytes.len().max(1) {
        let found = decode_in(bytes, piece, LIMIT);
        assert_eq!(
            found,
            expect,
            "{} in pieces of {piece}",
            bytes.escape_ascii()
        );
    }
}

fn frame(content: &[u8]) -> Event {
    Event::Frame(content.to_vec())
}

fn cut(content: &[u8]) -> Event {
    Event::Cut(content.to_vec())
}

#[test]
fn several_frames_in_one_write_come_in_order() {
    check(
        b"\x0bMSH|1\x1c\r\x0bMSH|2\r\x1c\r\x0bx\x1c\r",
        &[frame(b"MSH|1"), frame(b"MSH|2\r"), frame(b"x")],
    );
}

#[test]
fn noise_between_frames_is_passed_over_and_counted() {
    check(
        b"\x0bA\x1c\r\0\r\n\x0bB\x1c\r",
        &[frame(b"A"), Event::Noise { count: 3 }, frame(b"B")],
    );
    check(
        b"\x0b\x0b\x0bA\x1c\r\x1c\r\x0bB\x1c\r",
        &[
            Event::Noise { count: 2 },
            frame(b"A"),
            Event::Noise { count: 2 },
            frame(b"B"),
        ],
    );
    check(b"\r\n", &[Event::Noise { count: 2 }]);
}

#[test]
fn more_noise_than_the_limit_is_junk() {
    for (count, is_noise) in [(NOISE_LIMIT, true), (NOISE_LIMIT + 1, false)] {
        let mut bytes = vec![0; count];
        bytes.extend(encode(b"A"));
        let before = if is_noise {
            Event::Noise { count }
        } else {
            Event::Junk {
                bytes: vec![0; count],
                resumed: true,
            }
        };
        check(&bytes, &[before, frame(b"A")]);
    }
}

#[test]
fn an_empty_frame_is_no_message() {
    check(b"\x0b\x1c\r\x0bA\x1c\r", &[Event::EmptyFrame, frame(b"A")]);
}

#[test]
fn release_2_commit_blocks_are_told_from_messages() {
    assert_eq!(decode_in(&COMMIT_ACK, 4, LIMIT), [Event::CommitAck]);
    assert_eq!(decode_in(&COMMIT_NAK, 1, LIMIT), [Event::CommitNak]);
    check(b"\x0b\x06\x06\x1c\r", &[frame(b"\x06\x06")]);
}

#[test]
fn control_bytes_inside_a_frame_belong_to_the_message() {
    check(
        b"\x0bMSH|\0\x0bMS\x0b\x1cx\x1c\x1c\r",
        &[frame(b"MSH|\0\x0bMS\x0b\x1cx\x1c")],
    );
    check(
        b"\x0bMSH|\nPID|\r\nOBX\x1c\r",
        &[frame(b"MSH|\nPID|\r\nOBX")],
    );
}

#[test]
fn a_frame_inside_a_frame_shows_that_the_first_was_cut() {
    check(
        b"\x0bMSH|1\rPID\x0bMSH|2\x1c\r",
        &[cut(b"MSH|1\rPID"), frame(b"MSH|2")],
    );
    check(
        b"\x0bMSH|1\x0bBHS|2\x1c\r",
        &[cut(b"MSH|1"), frame(b"BHS|2")],
    );
    check(
        b"\x0bMSH|1\x1c\x1c\x0bFHS|2\x1c\r",
        &[Event::LenientFrame(b"MSH|1\x1c".to_vec()), frame(b"FHS|2")],
    );
    check(b"\x0bA\x0bM\x0bMSH\x1c\r", &[cut(b"A\x0bM"), frame(b"MSH")]);
}

#[test]
fn a_frame_without_its_last_cr_ends_only_where_the_next_begins() {
    check(
        b"\x0bA\x1c\x0bB\x1c\r",
        &[Event::LenientFrame(b"A".to_vec()), frame(b"B")],
    );
    check(b"\x0bA\x1cB\x1c\r", &[frame(b"A\x1cB")]);
}

#[test]
fn the_caller_ends_a_frame_whose_cr_does_not_come() {
    let mut decoder = Decoder::new(LIMIT);
    decoder.feed(b"\x0bMSH|1");
    assert!(!decoder.awaits_cr() && decoder.is_inside_frame());
    assert_eq!(decoder.finish_lenient(), None);
    decoder.feed(b"\x1c");
    assert!(decoder.awaits_cr());
    assert_eq!(
        decoder.finish_lenient(),
        Some(Event::LenientFrame(b"MSH|1".to_vec()))
    );
    assert!(!decoder.is_inside_frame());
    decoder.feed(b"\r\x0bB\x1c\r");
    assert_eq!(
        drain(&mut decoder),
        [Event::Noise { count: 1 }, frame(b"B")]
    );
}

#[test]
fn a_closed_link_gives_what_was_begun() {
    check(b"\x0bMSH|1\x1c", &[cut(b"MSH|1\x1c")]);
    check(b"\x0bMSH|1\x0bM", &[cut(b"MSH|1\x0bM")]);
    check(
        b"hello",
        &[Event::Junk {
            bytes: b"hello".to_vec(),
            resumed: false,
        }],
    );
    check(b"\x0b", &[]);
    check(b"", &[]);
}

#[test]
fn text_without_a_frame_is_junk_after_its_limit() {
    let text = vec![b'M'; JUNK_LIMIT + 9];
    let expect = [Event::Junk {
        bytes: vec![b'M'; JUNK_LIMIT],
        resumed: false,
    }];
    for piece in [1, 7, JUNK_LIMIT - 1, JUNK_LIMIT, JUNK_LIMIT + 9] {
        assert_eq!(decode_in(&text, piece, LIMIT), expect);
    }
    check(
        b"hello\x0bA\x1c\r",
        &[
            Event::Junk {
                bytes: b"hello".to_vec(),
                resumed: true,
            },
            frame(b"A"),
        ],
    );
}

#[test]
fn the_caller_takes_junk_when_its_time_is_up() {
    let mut decoder = Decoder::new(LIMIT);
    decoder.feed(b"\r\n");
    assert_eq!(decoder.pending_junk(), 0);
    decoder.feed(b"MSH|^~\\&|");
    assert_eq!(decoder.pending_junk(), 11);
    assert_eq!(decoder.take_junk(), b"\r\nMSH|^~\\&|");
    decoder.feed(b"\x0bA\x1c\r");
    assert_eq!(drain(&mut decoder), []);
    assert_eq!(decoder.finish(), None);
}

#[test]
fn tls_and_http_clients_are_recognized_by_their_first_bytes() {
    check(b"\x16\x03\x01\x02\0", &[Event::TlsHello]);
    check(b"GET / HTTP/1.1\r\n", &[Event::Http]);
    check(b"POST /x HTTP/1.1\r\n", &[Event::Http]);
    check(b"PRI * HTTP/2.0\r\n", &[Event::Http]);
    check(
        b"GETTER",
        &[Event::Junk {
            bytes: b"GETTER".to_vec(),
            resumed: false,
        }],
    );
    check(
        b"\x0bA\x1c\rGET /",
        &[
            frame(b"A"),
            Event::Junk {
                bytes: b"GET /".to_vec(),
                resumed: false,
            },
        ],
    );
    check(b"\x0b\x16\x1c\r", &[frame(b"\x16")]);
}

#[test]
fn an_oversized_frame_is_reported_at_its_limit_and_the_next_one_read() {
    let mut decoder = Decoder::new(4);
    decoder.feed(b"\x0b1234");
    assert_eq!(drain(&mut decoder), []);
    decoder.feed(b"5");
    assert_eq!(
        drain(&mut decoder),
        [Event::Oversized {
            head: b"1234".to_vec()
        }]
    );
    decoder.feed(&[b'x'; 100_000]);
    assert_eq!(decoder.frame_bytes(), 0);
    decoder.feed(b"\x1cx\x0b\x1c\r\x0bok\x1c\r");
    assert_eq!(drain(&mut decoder), [frame(b"ok")]);
    for piece in 1..12 {
        assert_eq!(decode_in(b"\x0b1234\x1c\r", piece, 4), [frame(b"1234")]);
        assert_eq!(
            decode_in(b"\x0b12345\x1c\x0bok\x1c\r", piece, 4),
            [
                Event::Oversized {
                    head: b"1234".to_vec()
                },
                frame(b"ok"),
            ]
        );
        assert_eq!(
            decode_in(b"\x0b1234\x1c5\x0bMSH|\x1c\r", piece, 4),
            [
                Event::Oversized {
                    head: b"1234".to_vec()
                },
                frame(b"MSH|"),
            ]
        );
    }
}

/// Bytes that are mostly framing.
fn dirty() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(&b"\x0b\x1c\r\n\0MSHFB\x06\x15\x16G"[..]).prop_map(|byte| vec![byte]),
        1 => Just(b"\x0bMSH|".to_vec()),
        1 => Just(b"\x1c\r".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..90),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_events_do_not_depend_on_the_cuts(
        bytes in dirty(),
        limit in prop_oneof![Just(LIMIT), 0usize..24],
        cuts in prop::collection::vec(1usize..40, 1..30),
    ) {
        let whole = decode_in(&bytes, usize::MAX, limit);
        prop_assert_eq!(&decode_in(&bytes, 1, limit), &whole);
        let mut decoder = Decoder::new(limit);
        let mut events = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at(rest.len().min(*cut));
            decoder.feed(piece);
            events.extend(drain(&mut decoder));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        events.extend(decoder.finish());
        prop_assert_eq!(events, whole);
    }

    #[test]
    fn no_event_is_larger_than_its_limit(bytes in dirty(), limit in 0usize..24) {
        for event in decode_in(&bytes, 3, limit) {
            match event {
                Event::Frame(content) | Event::LenientFrame(content) => {
                    prop_assert!(content.len() <= limit);
                }
                // What a cut frame ended in may have been half of an end.
                Event::Cut(content) => prop_assert!(content.len() <= limit + 3),
                Event::Oversized { head } => prop_assert_eq!(head.len(), limit),
                Event::Junk { bytes, .. } => prop_assert!(bytes.len() <= JUNK_LIMIT),
                Event::Noise { count } => prop_assert!(count <= NOISE_LIMIT),
                _ => {}
            }
        }
    }

    #[test]
    fn what_is_encoded_is_decoded(messages in prop::collection::vec("MSH[A-Z|^\r\n]{0,80}", 0..8)) {
        let mut wire = Vec::new();
        for message in &messages {
            super::super::encode_into(message.as_bytes(), &mut wire);
        }
        let expect: Vec<_> = messages.iter().map(|message| frame(message.as_bytes())).collect();
        prop_assert_eq!(decode_in(&wire, 13, LIMIT), expect);
    }
}
