//! What is claimed of messages and segments.

use proptest::prelude::*;

use super::*;

const ORU: &[u8] =
    b"MSH|^~\\&|A|B|C|D|20240102||ORU^R01|1|P|2.5.1\rPID|1||77^^^H^MR\rOBX|1|NM|x||5\r";

fn ids(bytes: &[u8]) -> Vec<String> {
    let message = Message::parse(bytes).unwrap();
    message
        .segments()
        .map(|segment| segment.id().escape_ascii().to_string())
        .collect()
}

fn with_ends(end: &str) -> Vec<u8> {
    String::from_utf8(ORU.to_vec())
        .unwrap()
        .replace('\r', end)
        .into_bytes()
}

#[test]
fn segments_may_end_in_cr_lf_or_both() {
    for (end, expect) in [
        ("\r", LineEnding::Cr),
        ("\n", LineEnding::Lf),
        ("\r\n", LineEnding::CrLf),
        ("\r\r", LineEnding::Cr),
        ("\n\n", LineEnding::Lf),
        ("\r\n\r\n", LineEnding::CrLf),
    ] {
        let bytes = with_ends(end);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.line_ending(), expect);
        assert!(!message.has_mixed_line_endings(), "{}", end.escape_debug());
        assert_eq!(ids(&bytes), ["MSH", "PID", "OBX"], "{}", end.escape_debug());
        assert_eq!(message.segment(b"OBX").unwrap().field(5).raw(), b"5");
        assert_eq!(to_cr(&bytes).as_ref(), ORU);
    }
    assert_eq!(
        Message::parse(b"MSH|^~\\&|A").unwrap().line_ending(),
        LineEnding::None
    );
}

#[test]
fn the_first_segment_end_decides_for_the_whole_message() {
    let bytes = b"MSH|^~\\&|A\rOBX|1|TX|n||line one\nPID|not a segment\rOBX|2\r";
    assert_eq!(ids(bytes), ["MSH", "OBX", "OBX"]);
    assert!(Message::parse(bytes).unwrap().has_mixed_line_endings());
    let crlf_then_lf = b"MSH|^~\\&|A\r\nPID|1\nOBX|1\r\n";
    assert!(
        Message::parse(crlf_then_lf)
            .unwrap()
            .has_mixed_line_endings()
    );
}

#[test]
fn header_fields_are_numbered_as_the_standard_does() {
    let message = Message::parse(ORU).unwrap();
    let msh = message.segment(b"MSH").unwrap();
    assert_eq!(msh.field(1).raw(), b"|");
    assert_eq!(msh.field(2).raw(), b"^~\\&");
    assert_eq!(msh.field(2).component(1).raw(), b"^~\\&");
    assert_eq!(msh.field(2).repetitions().count(), 1);
    assert_eq!(msh.field(3).raw(), b"A");
    assert_eq!(msh.field(10).raw(), message.header().control_id());
    assert_eq!(message.segment(b"PID").unwrap().field(1).raw(), b"1");
    assert!(msh.field(0).is_empty() && msh.field(usize::MAX).is_empty());
}

#[test]
fn odd_delimiters_are_used_for_everything() {
    let bytes = b"MSH#*%\\!#APP*x#F#R#S#2024##ORU*R01#9\rPID#1##5***A!1.2%6***B\r";
    let message = Message::parse(bytes).unwrap();
    assert_eq!(message.header().message_type().event, b"R01");
    let pid3 = message.segment(b"PID").unwrap().field(3);
    assert_eq!(pid3.repetitions().count(), 2);
    assert_eq!(pid3.component(4).subcomponent(2).raw(), b"1.2");
}

#[test]
fn what_is_not_hl7_is_refused_with_its_reason() {
    for (bytes, expect) in [
        (&b""[..], ParseError::NotHl7),
        (b"MS", ParseError::NotHl7),
        (b"PID|1\r", ParseError::NotHl7),
        (b"\nMSH|^~\\&|\r", ParseError::NotHl7),
        (b"MSH", ParseError::BadDelimiters),
        (b"MSH\r", ParseError::BadDelimiters),
        (b"MSH||A", ParseError::BadDelimiters),
        (b"MSHA^~\\&A", ParseError::BadDelimiters),
    ] {
        assert_eq!(
            Message::parse(bytes).unwrap_err(),
            expect,
            "{}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn a_flood_of_segments_is_refused() {
    let mut bytes = b"MSH|^~\\&\r".to_vec();
    bytes.resize(bytes.len() + MAX_SEGMENTS - 1, b'\r');
    assert!(Message::parse(&bytes).is_ok());
    bytes.push(b'\r');
    assert_eq!(
        Message::parse(&bytes).unwrap_err(),
        ParseError::TooManySegments
    );
}

#[test]
fn any_bytes_may_stand_in_a_field() {
    let bytes = b"MSH|^~\\&|A\rOBX|1|ED|x||\0\x0b\x1c\xff\xfe|F\r";
    let obx = Message::parse(bytes).unwrap().segment(b"OBX").unwrap();
    assert_eq!(obx.field(5).raw(), b"\0\x0b\x1c\xff\xfe");
    assert!(obx.has_valid_id());
    for id in ["obx", "OB", "OBXX", "1BX"] {
        let bytes = format!("MSH|^~\\&|A\r{id}|1\r");
        let message = Message::parse(bytes.as_bytes()).unwrap();
        assert!(!message.segments().nth(1).unwrap().has_valid_id(), "{id}");
    }
}

#[test]
fn a_message_ready_to_send_is_not_copied() {
    assert!(matches!(to_cr(ORU), Cow::Borrowed(_)));
    assert_eq!(to_cr(b"MSH|^~\\&|A").as_ref(), b"MSH|^~\\&|A\r");
    assert_eq!(to_cr(b"").as_ref(), b"");
}

/// Text that is mostly structure.
fn dirty() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"MSH|^~\\&|".to_vec()),
        Just(b"\rPID|1||".to_vec()),
        Just(b"\nOBX|".to_vec()),
        "[|^~\\\\&#\r\n\"]{1,4}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in dirty(), n in 0usize..40) {
        if let Ok(message) = Message::parse(&bytes) {
            for segment in message.segments() {
                prop_assert!(!segment.raw().is_empty());
                let field = segment.field(n);
                let _ = (field.component(n).subcomponent(n), field.text(message.header().charset()));
            }
        }
    }

    #[test]
    fn a_header_agrees_with_its_segment(bytes in dirty(), n in 3usize..=21) {
        if let Ok(message) = Message::parse(&bytes) {
            let msh = message.segments().next().unwrap();
            prop_assert_eq!(msh.id(), b"MSH");
            prop_assert_eq!(message.header().field(n).raw(), msh.field(n).raw());
        }
    }

    #[test]
    fn to_cr_keeps_every_segment_and_is_done_after_once(bytes in dirty()) {
        let bytes = [b"MSH|^~\\&|", &bytes[..]].concat();
        let once = to_cr(&bytes).into_owned();
        prop_assert_eq!(to_cr(&once).into_owned(), &once[..]);
        let before = Message::parse(&bytes).unwrap();
        let after = Message::parse(&once).unwrap();
        prop_assert_eq!(after.line_ending(), LineEnding::Cr);
        // In an LF message a CR is part of a value until it is sent.
        if before.line_ending() != LineEnding::Lf {
            let raws = |message: &Message<'_>| -> Vec<Vec<u8>> {
                message.segments().map(|segment| segment.raw().to_vec()).collect()
            };
            prop_assert_eq!(raws(&before), raws(&after));
        }
    }
}
