//! Records, comments and delimiters; nothing but the named fields may change.

use proptest::prelude::*;

use super::*;
use crate::inspect::Finding;
use crate::testing::field;

const NOTICE: Notice = Notice::of(Finding::Malicious);
const VALUE: &str = "[removed by Labward: malware; ask the laboratory]";

fn check(message: &str, places: &[Place], expect: &str) {
    let note = format!("|L|{}|G", NOTICE.comment);
    let expect = expect.replace("<value>", VALUE).replace("<note>", &note);
    let out = rewrite(message.as_bytes(), places, &NOTICE).unwrap();
    assert_eq!(
        out.escape_ascii().to_string(),
        expect.as_bytes().escape_ascii().to_string()
    );
}

#[test]
fn a_field_becomes_the_notice_and_a_comment_follows() {
    for end in ["\r", "\n", "\r\n"] {
        let of = |text: &str| text.replace('/', end);
        check(
            &of("H|\\^&/P|1/R|1|^^^G|9/C|1|I|xx^yy\\zz|G/C|2|I|a/L|1|N/"),
            &[field("C", 1, 4)],
            &of("H|\\^&/P|1/R|1|^^^G|9/C|1|I|<value>|G/C|2|I|a/C|3<note>/L|1|N/"),
        );
        check(
            &of("H|\\^&/M|1|RR|xx/M|2|RR|yy/L|1|N"),
            &[field("M", 1, 4), field("M", 2, 4)],
            &of("H|\\^&/M|1|RR|<value>/C|1<note>/M|2|RR|<value>/C|1<note>/L|1|N"),
        );
    }
    let out = rewrite(b"H;\\^&\rM;1;x\rL;1\r", &[field("M", 1, 3)], &NOTICE).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains(&VALUE.replace(';', "&F&")), "{text}");
    assert!(Message::parse(text.as_bytes()).unwrap().is_terminated());
}

#[test]
fn what_is_not_there_or_says_whose_it_is_is_not_replaced() {
    let message = b"H|\\^&|||X\rP|1||4711\rO|1|S\rR|1|^^^G|9\rL|1|N\r";
    for place in [
        field("H", 1, 5),
        field("P", 1, 3),
        field("O", 1, 3),
        field("R", 1, 3),
        field("L", 1, 3),
        field("R", 1, 1),
        field("R", 1, 9),
        field("R", 2, 4),
        field("R", 0, 4),
        field("?", 1, 4),
        field("RR", 1, 4),
    ] {
        assert_eq!(
            rewrite(message, std::slice::from_ref(&place), &NOTICE),
            None,
            "{place:?}"
        );
    }
    let two = [&message[..], message].concat();
    assert_eq!(rewrite(&two, &[field("R", 1, 4)], &NOTICE), None);
}

#[test]
fn a_skeleton_is_a_message_of_the_header_alone() {
    let expect = format!("H|\\^&|||X\rC|1|L|{}|G\rL|1|N\r", NOTICE.skeleton);
    let message = b"H|\\^&|||X\rP|1||4711\rL|1|N\r";
    assert_eq!(
        skeleton(message, &[], &NOTICE),
        Some(expect.clone().into_bytes())
    );
    assert_eq!(skeleton(message, &[field("H", 1, 5)], &NOTICE), None);
    assert_eq!(bare(&NOTICE), expect.replace("|||X", "").into_bytes());
}

proptest! {
    #[test]
    fn only_the_places_change_and_any_bytes_are_read(
        values in proptest::collection::vec("[A-Za-z0-9+/=^&\\\\ ]{0,40}", 1..6),
        which: prop::sample::Index,
        noise in "[HCMR|^&\\\\\r\n0-9]{0,80}",
    ) {
        let number = which.index(values.len());
        let line = |value: &String| format!("M|1|{value}|x\r");
        let lines: Vec<String> = values.iter().map(line).collect();
        let message = format!("H|\\^&|||X\r{}L|1|N\r", lines.concat());
        let place = field("M", u32::try_from(number + 1).unwrap(), 3);
        let out = rewrite(message.as_bytes(), std::slice::from_ref(&place), &NOTICE).unwrap();
        let mut expect = lines.clone();
        expect[number] = format!("M|1|{VALUE}|x\rC|1|L|{}|G\r", NOTICE.comment);
        let expect = format!("H|\\^&|||X\r{}L|1|N\r", expect.concat());
        prop_assert_eq!(String::from_utf8(out).unwrap(), expect);
        let noise = format!("H|\\^&\r{noise}");
        let _ = rewrite(noise.as_bytes(), std::slice::from_ref(&place), &NOTICE);
        let _ = skeleton(noise.as_bytes(), &[place], &NOTICE);
    }
}
