//! HL7 v2: another control id (MSH-10), for a message that a receiver would take for one that it has.
//!
//! It must never change anything else of the message.

use labward_hl7::Message;
use memchr::memchr2;

use super::splice::{Edit, piece, splice};

/// Which piece of the header, counted from its name, MSH-10 is: MSH-1 is the separator itself.
const CONTROL_ID: usize = 9;

/// The message with this control id; `None` if it is no message, has no place for one, or `id` would not stand in it as
/// it is.
pub(crate) fn renumbered(bytes: &[u8], id: &str) -> Option<Vec<u8>> {
    let delimiters = Message::parse(bytes).ok()?.delimiters();
    let is_plain = !id.is_empty() && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if !is_plain || !bytes.starts_with(b"MSH") || delimiters.field == b'-' {
        return None;
    }
    let end = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
    let at = piece(bytes, &(0..end), delimiters.field, CONTROL_ID)?;
    let with = id.as_bytes().to_vec();
    let out = splice(bytes, vec![Edit { at, with }])?;
    let header_says = |out: &[u8]| {
        let message = Message::parse(out).ok()?;
        Some(message.header().control_id() == id.as_bytes())
    };
    header_says(&out)?.then_some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &str, expect: Option<&str>) {
        let out = renumbered(bytes.as_bytes(), "LBW12-0a");
        let out = out.map(|out| String::from_utf8(out).unwrap());
        assert_eq!(out.as_deref(), expect, "{bytes:?}");
    }

    #[test]
    fn only_the_control_id_is_another() {
        check(
            "MSH|^~\\&|A|F|L|L|20260101||ORU^R01|42|P|2.5\rOBX|1|ST|42||42\r",
            Some("MSH|^~\\&|A|F|L|L|20260101||ORU^R01|LBW12-0a|P|2.5\rOBX|1|ST|42||42\r"),
        );
        check(
            "MSH#^~\\&#A#F#L#L###ORU^R01#42",
            Some("MSH#^~\\&#A#F#L#L###ORU^R01#LBW12-0a"),
        );
        check(
            "MSH|^~\\&|A|F|L|L|||ORU^R01||P\nPID|1\n",
            Some("MSH|^~\\&|A|F|L|L|||ORU^R01|LBW12-0a|P\nPID|1\n"),
        );
    }

    #[test]
    fn what_has_no_place_for_one_stays_as_it_is() {
        check("MSH|^~\\&|A|F\rOBX|1|2|3|4|5|6|7|8|9|10\r", None);
        check("H|\\^&|||LIS", None);
        check("", None);
        let message = b"MSH|^~\\&|A|F|L|L|||ORU^R01|42|P\r";
        for id in ["", "a|b", "a^b", "a\rb", "\u{e9}"] {
            assert_eq!(renumbered(message, id), None, "{id}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let message = [b"MSH|^~\\&|".as_slice(), &bytes].concat();
            if let Some(out) = renumbered(&message, "LBW1") {
                prop_assert_eq!(Message::parse(&out).unwrap().header().control_id(), b"LBW1");
            }
        }
    }
}
