//! What is claimed of batches.

use proptest::prelude::*;

use super::*;

/// Builds segments from words: `F B m b f` are FHS, BHS, a message, BTS and FTS.
fn wire(words: &str, end: &str) -> Vec<u8> {
    let mut out = String::new();
    for word in words.split_whitespace() {
        let lines = match word {
            "F" => vec!["FHS|^~\\&|APP"],
            "B" => vec!["BHS|^~\\&|APP||||||||b-7"],
            "m" => vec!["MSH|^~\\&|APP", "PID|1"],
            other => vec![other],
        };
        for line in lines {
            out += line;
            out += end;
        }
    }
    out.into_bytes()
}

fn check(words: &str, messages: usize, expect: &[Deviation]) {
    for end in ["\r", "\n", "\r\n", "\n\n"] {
        let bytes = wire(words, end);
        let batch = Batch::parse(&bytes).unwrap();
        assert_eq!(batch.messages().len(), messages, "{words}");
        assert_eq!(batch.deviations(), expect, "{words}");
        for message in batch.messages() {
            let message = crate::Message::parse(message).unwrap();
            assert_eq!(message.segments().count(), 2, "{words}");
        }
    }
}

#[test]
fn sound_batches_and_rows_of_messages_have_no_deviation() {
    check("F B m m BTS|2 FTS|1", 2, &[]);
    check("F B m BTS|1 B m m BTS|2 FTS|2", 3, &[]);
    check("B m BTS", 1, &[]);
    check("B m BTS|1|", 1, &[]);
    check("F B BTS|0 FTS|1", 0, &[]);
    check("m", 1, &[]);
    check("m m m", 3, &[]);
}

#[test]
fn a_count_that_does_not_fit_is_reported() {
    let count = |batch, stated, found| Deviation::BatchCount {
        batch,
        stated,
        found,
    };
    check("B m m BTS|3", 2, &[count(1, Some(3), 2)]);
    check("B m BTS|1 B m BTS|9", 2, &[count(2, Some(9), 1)]);
    check("B m BTS|many", 1, &[count(1, None, 1)]);
    check(
        "F B m BTS|1 FTS|2",
        1,
        &[Deviation::FileCount {
            file: 1,
            stated: Some(2),
            found: 1,
        }],
    );
}

#[test]
fn missing_headers_and_trailers_are_reported() {
    check(
        "F B m BTS|1",
        1,
        &[Deviation::MissingFileTrailer { file: 1 }],
    );
    check(
        "F B m FTS|1",
        1,
        &[Deviation::MissingBatchTrailer { batch: 1 }],
    );
    check("B m", 1, &[Deviation::MissingBatchTrailer { batch: 1 }]);
    check("m BTS|1", 1, &[Deviation::MissingBatchHeader]);
    check("m FTS|1", 1, &[Deviation::MissingFileHeader]);
    check("B m BTS|1 m m", 3, &[Deviation::MissingBatchHeader]);
    check(
        "B m B m BTS|1",
        2,
        &[Deviation::MissingBatchTrailer { batch: 1 }],
    );
    check(
        "F B m BTS|1 F B m BTS|1 FTS|1",
        2,
        &[Deviation::MissingFileTrailer { file: 1 }],
    );
}

#[test]
fn segments_outside_of_messages_are_counted() {
    check(
        "NTE|1 B m BTS|1 ZZZ|2",
        1,
        &[Deviation::StraySegments { count: 2 }],
    );
}

#[test]
fn headers_and_numbers_of_the_wrapping_are_given() {
    let bytes = wire("F B m BTS|1 B BTS|0 FTS|2", "\r");
    let batch = Batch::parse(&bytes).unwrap();
    assert_eq!((batch.files(), batch.batches()), (1, 2));
    assert_eq!(batch.file_header().unwrap().field(3).raw(), b"APP");
    assert_eq!(batch.batch_header().unwrap().field(11).raw(), b"b-7");
    assert_eq!(batch.batch_header().unwrap().field(2).raw(), b"^~\\&");
}

#[test]
fn a_frame_that_must_be_split_is_recognized() {
    for (words, expect) in [
        ("F B m BTS FTS", true),
        ("B m BTS", true),
        ("m m", true),
        ("m", false),
        ("", false),
        ("PID|1 m m", false),
    ] {
        assert_eq!(Batch::is_batch(&wire(words, "\r")), expect, "{words}");
    }
    assert!(!Batch::is_batch(
        b"MSH|^~\\&|A\rOBX|1|TX|n||text\nMSH|quoted\r"
    ));
}

#[test]
fn a_byte_order_mark_and_blank_lines_do_not_hide_the_first_message() {
    let batch = Batch::parse(b"\xef\xbb\xbf\n\nMSH|^~\\&|A\n\n").unwrap();
    assert_eq!(batch.messages().collect::<Vec<_>>(), [b"MSH|^~\\&|A\n\n"]);
}

#[test]
fn what_holds_no_message_is_refused() {
    for bytes in [&b""[..], b"\r\n", b"PID|1\r", b"{}", b"MSHX|", b"MSH"] {
        assert_eq!(Batch::parse(bytes).unwrap_err(), BatchError::NotHl7);
    }
}

#[test]
fn floods_are_refused() {
    assert_eq!(
        Batch::parse(&b"MSH|\r".repeat(MAX_MESSAGES))
            .unwrap()
            .messages()
            .len(),
        MAX_MESSAGES
    );
    for flood in [
        b"MSH|\r".repeat(MAX_MESSAGES + 1),
        b"BHS|\r".repeat(MAX_BATCHES),
        b"FTS|\r".repeat(MAX_BATCHES + 1),
        b"FHS|\rMSH|\rBTS|9\r".repeat(MAX_BATCHES),
    ] {
        assert_eq!(Batch::parse(&flood).unwrap_err(), BatchError::TooMany);
    }
}

proptest! {
    #[test]
    fn every_message_of_any_bytes_is_given_once_and_unchanged(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec!["MSH|^~\\&|", "BHS|", "FHS|", "BTS|1", "FTS|x", "\r", "\n", "PID|"])
                    .prop_map(|piece| piece.as_bytes().to_vec()),
                prop::collection::vec(any::<u8>(), 0..6),
            ],
            0..40,
        ),
    ) {
        let bytes = pieces.concat();
        if let Ok(batch) = Batch::parse(&bytes) {
            let mut rest = &bytes[..];
            for message in batch.messages() {
                prop_assert!(message.starts_with(b"MSH"));
                let at = rest.windows(message.len()).position(|part| part == message);
                rest = &rest[at.unwrap() + message.len()..];
            }
            prop_assert!(!Batch::is_batch(&bytes) || batch.messages().len() + batch.batches() + batch.files() > 0);
        } else {
            prop_assert!(!Batch::is_batch(&bytes));
        }
    }
}
