//! Segments, value types, comments and delimiters; nothing but the named fields may change, in real messages too.

use labward_hl7::Batch;
use proptest::prelude::*;

use super::*;
use crate::inspect::Finding;
use crate::inspect::splice::{Edit, splice};
use crate::testing::field;

const NOTICE: Notice = Notice::of(Finding::Malicious);
const VALUE: &str = "[removed by Labward: malware; ask the laboratory]";

/// The message with `text` replaced by what stands for a value, a comment or both.
fn check(message: &str, places: &[Place], expect: &str) {
    let note = format!("|L|{}", NOTICE.comment);
    let expect = expect.replace("<value>", VALUE).replace("<note>", &note);
    let out = rewrite(message.as_bytes(), places, &NOTICE).unwrap();
    assert_eq!(
        out.escape_ascii().to_string(),
        expect.as_bytes().escape_ascii().to_string()
    );
}

fn fails(message: &str, place: Place) {
    assert_eq!(
        rewrite(message.as_bytes(), std::slice::from_ref(&place), &NOTICE),
        None,
        "{place:?}"
    );
}

#[test]
fn a_value_that_is_no_text_becomes_one_and_the_rest_of_its_segment_stays() {
    let head = "MSH|^~\\&|A\rOBX|1|NM|G||9|mg\r";
    for (before, after) in [
        (
            "OBX|2|ED|P||A^B^C^Base64^xx~yy||||||F|||2027\r",
            "OBX|2|ST|P||<value>||||||F|||2027\r",
        ),
        ("OBX|2|RP|P||x\r", "OBX|2|ST|P||<value>\r"),
        ("OBX|2||P||x\r", "OBX|2|ST|P||<value>\r"),
        ("OBX|2|TX|P||x\r", "OBX|2|TX|P||<value>\r"),
        ("OBX|2|FT|P||x\r", "OBX|2|FT|P||<value>\r"),
    ] {
        let (before, after) = (
            format!("{head}{before}"),
            format!("{head}{after}NTE|1<note>\r"),
        );
        check(&before, &[field("OBX", 2, 5)], &after);
    }
}

#[test]
fn a_comment_stands_behind_those_of_its_segment_and_counts_on() {
    check(
        "MSH|^~\\&|A\rOBX|1|ED|P||x\rNTE|1||a\rNTE|2||b\rOBX|2|NM|G||9\r",
        &[field("OBX", 1, 5)],
        "MSH|^~\\&|A\rOBX|1|ST|P||<value>\rNTE|1||a\rNTE|2||b\rNTE|3<note>\rOBX|2|NM|G||9\r",
    );
    check(
        "MSH|^~\\&|A\rNTE|1||x\rNTE|2||y\rOBX|1|ED|P||z\rOBX|2|ED|P||z\r",
        &[
            field("NTE", 1, 3),
            field("NTE", 2, 3),
            field("OBX", 1, 5),
            field("OBX", 2, 5),
        ],
        "MSH|^~\\&|A\rNTE|1||<value>\rNTE|2||<value>\rNTE|3<note>\r\
         OBX|1|ST|P||<value>\rNTE|1<note>\rOBX|2|ST|P||<value>\rNTE|1<note>\r",
    );
}

#[test]
fn any_other_field_becomes_the_notice_and_only_commented_segments_get_a_comment() {
    check(
        "MSH|^~\\&|A\rZLB|1|x|y\rPV1|1|I\r",
        &[field("ZLB", 1, 2)],
        "MSH|^~\\&|A\rZLB|1|<value>|y\rPV1|1|I\r",
    );
    check(
        "MSH|^~\\&|A\rOBR|1|2|3|4||||||||||x\r",
        &[field("OBR", 1, 14)],
        "MSH|^~\\&|A\rOBR|1|2|3|4||||||||||<value>\rNTE|1<note>\r",
    );
    check(
        "MSH|^~\\&|A\rOBX|1|xx|P||yy\r",
        &[field("OBX", 1, 2), field("OBX", 1, 5)],
        "MSH|^~\\&|A\rOBX|1|ST|P||<value>\rNTE|1<note>\r",
    );
}

#[test]
fn every_line_end_and_delimiter_is_the_messages_own() {
    for end in ["\r\n", "\n", "\r"] {
        let message = format!("MSH|^~\\&|A{end}OBX|1|ED|P||x|{end}OBX|2|NM|G||9");
        let expect =
            format!("MSH|^~\\&|A{end}OBX|1|ST|P||<value>|{end}NTE|1<note>{end}OBX|2|NM|G||9");
        check(&message, &[field("OBX", 1, 5)], &expect);
        let message = format!("MSH|^~\\&|A{end}OBX|1|ED|P||x{end}{end}");
        let expect = format!("MSH|^~\\&|A{end}OBX|1|ST|P||<value>{end}NTE|1<note>{end}{end}");
        check(&message, &[field("OBX", 1, 5)], &expect);
        let message = format!("MSH|^~\\&|A{end}OBX|1|ED|P||x");
        let expect = format!("MSH|^~\\&|A{end}OBX|1|ST|P||<value>{end}NTE|1<note>");
        check(&message, &[field("OBX", 1, 5)], &expect);
    }
    let out = rewrite(
        b"MSH;^~\\&;A\rOBX;1;ED;P;;x\r",
        &[field("OBX", 1, 5)],
        &NOTICE,
    )
    .unwrap();
    let text = String::from_utf8(out).unwrap();
    let escaped = VALUE.replace(';', "\\F\\");
    assert!(
        text.contains(&format!("OBX;1;ST;P;;{escaped}\rNTE;1;L;Labward")),
        "{text}"
    );
}

#[test]
fn line_breaks_inside_a_value_go_with_it() {
    check(
        "MSH|^~\\&|A\rOBX|1|ED|P||AA\nBB\r\nCC=|x\rOBX|2|NM|G||9\r",
        &[field("OBX", 1, 5)],
        "MSH|^~\\&|A\rOBX|1|ST|P||<value>|x\rNTE|1<note>\rOBX|2|NM|G||9\r",
    );
}

#[test]
fn a_line_break_before_what_identifies_stays() {
    // Who ends a segment at every CR sees an observation without a test here, and must not see one of test G then.
    for (message, at) in [
        ("OBX|1\rx|ED|G||9\r", 1),
        ("OBX|1|E\rD|G||9\r", 2),
        ("OBX|1|E\rD|G||9\r", 5),
    ] {
        fails(&format!("MSH|^~\\&|A\r{message}"), field("OBX", 1, at));
    }
    fails("MSH|^~\\&|A\rOBR|1\rx|2|3|4\r", field("OBR", 1, 1));
}

#[test]
fn what_is_not_there_or_says_whose_it_is_is_not_replaced() {
    let message = "MSH|^~\\&|A\rPID|1||4711\rOBR|1|2|3|4\rOBX|1|ED|P||x\r";
    for place in [
        field("MSH", 1, 3),
        field("PID", 1, 3),
        field("OBR", 1, 3),
        field("OBX", 1, 3),
        field("OBX", 1, 0),
        field("OBX", 1, 9),
        field("OBX", 2, 5),
        field("OBX", 0, 5),
        field("obx", 1, 5),
        field("", 1, 5),
        field("ZZZ", 1, 1),
    ] {
        fails(message, place);
    }
    let two = format!("{message}MSH|^~\\&|B\rOBX|1|ED|P||x\r");
    fails(&two, field("OBX", 1, 5));
    fails("no message", field("OBX", 1, 5));
}

#[test]
fn a_skeleton_is_the_header_and_a_comment() {
    let message = b"MSH|^~\\&|A\nPID|1||4711\nOBX|1|ED|P||x\n";
    let expect = format!("MSH|^~\\&|A\nNTE|1|L|{}\n", NOTICE.skeleton);
    assert_eq!(skeleton(message, &[], &NOTICE), Some(expect.into_bytes()));
    assert_eq!(skeleton(message, &[field("MSH", 1, 3)], &NOTICE), None);
    assert!(Message::parse(&bare(&NOTICE)).is_ok());
}

/// Takes the comment out again and puts the value back: what is left must be the message as it came.
fn restored(bytes: &[u8], out: &[u8], number: usize) -> Vec<u8> {
    let before = segments(bytes).unwrap();
    let place = field("OBX", u32::try_from(number).unwrap(), 5);
    let nth = |segments: &Lines<'_, Delimiters>| segments.find(&place).unwrap();
    let at = nth(&before);
    let after = segments(out).unwrap();
    assert_eq!(after.lines.len(), before.lines.len() + 1);
    let (new, comment) = (nth(&after), after.last_comment(nth(&after)));
    let put_back = |number| Edit {
        at: after.piece(new, number).unwrap(),
        with: bytes[before.piece(at, number).unwrap()].to_vec(),
    };
    let cut = Edit {
        at: after.lines[comment - 1].end..after.lines[comment].end,
        with: Vec::new(),
    };
    splice(out, vec![put_back(2), put_back(5), cut]).unwrap()
}

#[test]
fn in_real_messages_nothing_but_the_replaced_field_changes() {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: inspect real messages: LABWARD_TEST_DATA is not set");
        return;
    };
    let (mut messages, mut replaced) = (0, 0);
    for entry in std::fs::read_dir(std::path::Path::new(&data).join("hl7")).unwrap() {
        let file = std::fs::read(entry.unwrap().path()).unwrap();
        let batch = Batch::parse(&file).unwrap();
        for bytes in batch.messages() {
            messages += 1;
            let view = segments(bytes).unwrap();
            let observations = (0..view.lines.len()).filter(|at| view.name(*at) == b"OBX");
            for (number, at) in (1..).zip(observations) {
                if view.piece(at, 5).is_none() {
                    continue;
                }
                replaced += 1;
                let place = field("OBX", u32::try_from(number).unwrap(), 5);
                let out = rewrite(bytes, &[place], &NOTICE).unwrap();
                assert!(
                    restored(bytes, &out, number) == bytes,
                    "{}",
                    bytes.escape_ascii()
                );
                let read = Message::parse(&out).unwrap();
                let mut obx = read.segments().filter(|segment| segment.id() == b"OBX");
                let value = obx.nth(number - 1).unwrap().field(5);
                assert_eq!(value.unescaped().as_ref(), VALUE.as_bytes());
            }
        }
    }
    assert_eq!(messages, 219);
    assert!(replaced > 500, "{replaced}");
}

proptest! {
    #[test]
    fn only_the_places_change_and_any_bytes_are_read(
        values in proptest::collection::vec("[A-Za-z0-9+/=^~&\\\\ ]{0,40}", 1..6),
        end in prop_oneof![Just("\r"), Just("\n"), Just("\r\n")],
        which: prop::sample::Index,
        noise: Vec<u8>,
    ) {
        let number = which.index(values.len());
        let line = |(n, value): (usize, &String)| format!("OBX|{n}|ED|X||{value}|u{end}");
        let lines: String = values.iter().enumerate().map(line).collect();
        let message = format!("MSH|^~\\&|A{end}{lines}");
        let place = field("OBX", u32::try_from(number + 1).unwrap(), 5);
        let out = rewrite(message.as_bytes(), std::slice::from_ref(&place), &NOTICE).unwrap();
        prop_assert_eq!(restored(message.as_bytes(), &out, number + 1), message.as_bytes());
        let noise = [b"MSH|^~\\&|A\r", noise.as_slice()].concat();
        let _ = rewrite(&noise, std::slice::from_ref(&place), &NOTICE);
        let _ = skeleton(&noise, &[place], &NOTICE);
    }
}
