//! ASTM records (E1394 / LIS02-A2), bare or in frames (E1381 / LIS01-A2): any field that is long enough and
//! decodes to something, also when it is split over frames or over the comments that follow each other.
//!
//! A place is `C[2].4`: the second C record of its message, field 4. Instruments leave out checksums, line
//! ends and ETB; here a frame is what stands between STX and ETB or ETX, whatever follows.

use std::borrow::Cow;

use labward_astm::control::{ETB, ETX, STX};
use labward_astm::record::{Field, Message, ParseError, Record, split_messages};

use crate::find;
use crate::formats::text;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;
use crate::{Kind, Limit};

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    for outside in between_frames(part.bytes) {
        text::search(walker, &[Step::Place("between frames".to_owned())], outside);
    }
    let records = unframed(part.bytes);
    let lines = with_cr(&records);
    for (n, message) in split_messages(&lines).enumerate() {
        if !walker.goes_on() {
            return;
        }
        let place = (n > 0).then(|| Step::Place(format!("message {}", n + 1)));
        let before: Vec<Step> = place.into_iter().collect();
        match Message::parse(message) {
            Ok(message) => read(walker, &before, &message),
            Err(ParseError::TooManyRecords) => {
                walker.obstacle(Obstacle::OverBudget(Limit::Parts));
            }
            // Without delimiters there are no fields; what is written into the text is found all the same.
            Err(_) => {
                if !text::search(walker, &before, message) {
                    walker.obstacle(Obstacle::Damaged(Kind::Astm));
                }
            }
        }
    }
}

/// The texts of the frames, joined; the bytes themselves if there is none.
fn unframed(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut frames = bytes.split(|byte| *byte == STX).skip(1).peekable();
    if frames.peek().is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(frame) = frames.next() {
        let (text, end) = text_of(frame);
        out.extend_from_slice(text);
        // The standard ends a record with CR, some instruments with the frame alone.
        let next_begins = frames.peek().is_none_or(|next| {
            matches!(text_of(next).0, [b'A'..=b'Z', separator, ..] if separator.is_ascii_punctuation())
        });
        if end == Some(ETX) && next_begins && !text.ends_with(b"\r") {
            out.push(b'\r');
        }
    }
    Cow::Owned(out)
}

/// The text of a frame without its number, and what ended it.
fn text_of(frame: &[u8]) -> (&[u8], Option<u8>) {
    let end = frame.iter().position(|byte| matches!(*byte, ETB | ETX));
    let body = end.and_then(|end| frame.get(..end)).unwrap_or(frame);
    let text = match body {
        [b'0'..=b'7', text @ ..] => text,
        body => body,
    };
    (text, end.and_then(|end| frame.get(end).copied()))
}

/// What stands behind the checksums of the frames, where no receiver looks.
fn between_frames(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let frames = bytes.split(|byte| *byte == STX);
    frames.filter_map(|frame| {
        let end = frame.iter().position(|byte| matches!(*byte, ETB | ETX))?;
        frame
            .get(end + 1..)
            .filter(|outside| outside.len() >= find::SHORTEST)
    })
}

/// The records of a file that ends them with LF alone.
fn with_cr(records: &[u8]) -> Cow<'_, [u8]> {
    if records.contains(&b'\r') || !records.contains(&b'\n') {
        return Cow::Borrowed(records);
    }
    let cr = |byte: &u8| if *byte == b'\n' { b'\r' } else { *byte };
    Cow::Owned(records.iter().map(cr).collect())
}

fn read(walker: &mut Walker<'_>, before: &[Step], message: &Message<'_>) {
    let mut counts = [0_usize; 256];
    let mut row: Vec<(usize, Record<'_>)> = Vec::new();
    for record in message.records() {
        if !walker.goes_on() {
            return;
        }
        let letter = record.record_type().letter();
        let Some(count) = counts.get_mut(usize::from(letter)) else {
            continue;
        };
        *count += 1;
        if row
            .last()
            .is_some_and(|(_, last)| last.record_type() != record.record_type())
        {
            end_row(walker, before, &mut row);
        }
        row.push((*count, *record));
    }
    end_row(walker, before, &mut row);
}

/// Reads records of one type that follow each other: as one value if it is split over them, and each for
/// itself.
fn end_row(walker: &mut Walker<'_>, before: &[Step], row: &mut Vec<(usize, Record<'_>)>) {
    let joined = enter_joined(walker, before, row);
    for (number, record) in row.drain(..) {
        for (n, field) in record.fields().enumerate().skip(1) {
            if field.bytes().len() < find::SHORTEST || Some(n + 1) == joined {
                continue;
            }
            let place = format!("{}[{number}].{}", name(&record), n + 1);
            read_field(walker, before, &place, field);
        }
    }
}

/// The letter of the record, if it is one.
fn name(record: &Record<'_>) -> char {
    match record.record_type().letter() {
        letter if letter.is_ascii_uppercase() => char::from(letter),
        _ => '?',
    }
}

/// The field that held one value over all the records, which was entered.
fn enter_joined(
    walker: &mut Walker<'_>,
    before: &[Step],
    row: &[(usize, Record<'_>)],
) -> Option<usize> {
    let ((first_number, first), (last_number, _)) = (row.first()?, row.last()?);
    if row.len() < 2 {
        return None;
    }
    let mut many = false;
    let joined = (2..=16).find(|field| {
        let of = |(_, record): &(usize, Record<'_>)| record.field(*field).unescape().into_owned();
        let pieces: Vec<Vec<u8>> = row.iter().map(of).collect();
        if !find::may_be_one(&pieces) {
            return false;
        }
        let Some(found) = find::whole(&pieces.concat()) else {
            return false;
        };
        let place = format!("{}[{first_number}-{last_number}].{field}", name(first));
        let steps = [Step::Place(place), Step::Packing(found.writing)];
        let steps = before.iter().cloned().chain(steps);
        walker.enter(steps, &found.declared, &found.bytes);
        many = find::may_be_many(&pieces);
        true
    });
    joined.filter(|_| !many)
}

fn read_field(walker: &mut Walker<'_>, before: &[Step], place: &str, field: Field<'_>) {
    for (n, repeat) in field.repeats().enumerate() {
        let place = if n == 0 {
            place.to_owned()
        } else {
            format!("{place}({})", n + 1)
        };
        let several = repeat.components().nth(1).is_some();
        for (n, component) in repeat.components().enumerate() {
            let raw = component.bytes();
            if raw.len() < find::SHORTEST {
                continue;
            }
            let place = if several {
                format!("{place}.{}", n + 1)
            } else {
                place.clone()
            };
            let steps: Vec<Step> = before.iter().cloned().chain([Step::Place(place)]).collect();
            let plain = component.unescape();
            if plain.len() * 2 < raw.len() && find::is_something(&plain) {
                let steps = steps.into_iter().chain([Step::Packing("hex")]);
                walker.enter(steps, &Declared::nothing(), &plain);
            } else {
                text::search(walker, &steps, &plain);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use labward_astm::frame::{Frame, FrameEnd, next_number};
    use proptest::prelude::*;

    use crate::testing::{parts, seen};

    fn program() -> Vec<u8> {
        let mut bytes = b"MZ\x50\0\x02\0\0\0\x04\0".to_vec();
        bytes.resize(600, 0xa5);
        bytes
    }

    fn places(bytes: &[u8]) -> Vec<String> {
        parts(bytes)
            .into_iter()
            .filter(|(_, bytes)| *bytes == program())
            .map(|(path, _)| path)
            .collect()
    }

    fn framed(records: &[u8]) -> Vec<u8> {
        let mut out = vec![0x05];
        let mut number = 1;
        let mut pieces = records.chunks(240).peekable();
        while let Some(text) = pieces.next() {
            let end = match pieces.peek() {
                Some(_) => FrameEnd::Intermediate,
                None => FrameEnd::Last,
            };
            Frame { number, text, end }.encode(&mut out);
            number = next_number(number);
        }
        out.push(0x04);
        out
    }

    #[test]
    fn long_fields_come_out_of_records_and_of_frames() {
        let base64 = STANDARD.encode(program());
        let escapes: String = program()
            .iter()
            .map(|byte| format!("&X{byte:02X}&"))
            .collect();
        for (record, place) in [
            (format!("C|1|I|{base64}|G\r"), "C[1].4 / base64"),
            (format!("C|1|I|a^{base64}|G\r"), "C[1].4.2 / base64"),
            (format!("C|1|I|a\\{base64}|G\r"), "C[1].4(2) / base64"),
            (format!("C|1|I|a\rM|1|RR^BM|{base64}\r"), "M[1].4 / base64"),
            (format!("R|1|^^^X|{base64}\r"), "R[1].4 / base64"),
            (format!("C|1|I|{escapes}\r"), "C[1].4 / hex"),
        ] {
            let message = format!("H|\\^&|||X\rP|1\r{record}L|1|N\r");
            assert_eq!(places(message.as_bytes()), [place]);
            assert_eq!(places(message.replace('\r', "\n").as_bytes()), [place]);
            assert_eq!(places(&framed(message.as_bytes())), [place]);
        }
    }

    #[test]
    fn what_is_split_over_comments_is_joined() {
        let base64 = STANDARD.encode(program());
        let comments: String = base64
            .as_bytes()
            .chunks(70)
            .map(|piece| format!("C|1|I|{}|G\r", std::str::from_utf8(piece).unwrap()))
            .collect();
        let message = format!("H|@^\\|||X\r{comments}L|1|N\r");
        assert_eq!(places(message.as_bytes()), ["C[1-12].4 / base64"]);
    }

    #[test]
    fn frames_without_their_ends_and_headers_without_delimiters_are_read() {
        let base64 = STANDARD.encode(program());
        let (one, two) = base64.split_at(300);
        let message =
            format!("\x021H|\\^&|||X\x03\x022C|1|I|{one}\x03\x023{two}|G\x03\x024L|1\x03");
        assert_eq!(places(message.as_bytes()), ["C[1].4 / base64"]);
        assert_eq!(seen(b"H|\\\\\\|x|X\rP|1\r"), [" = astm", " ? damaged"]);
    }

    proptest! {
        #[test]
        fn any_message_ends(rest: Vec<u8>, records in "([CHMR][|^&\\\\]?[A-Za-z0-9+/=|^&\x02\x03\x17]{0,60}\r){0,6}") {
            for rest in [&rest[..], records.as_bytes()] {
                prop_assert!(!seen(&[b"\x021H|\\^&|||X\r", rest].concat()).is_empty());
            }
        }
    }
}
