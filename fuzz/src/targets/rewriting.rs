//! Any bytes as a message out of which something is taken at any places: the result is a message, every byte outside
//! the places stays, a comment stands where it should, and whose or what a result is never changes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use labward_astm::record;
use labward_gateway::inspect::{Finding, Place, rewrite, skeleton};
use labward_gateway::keep::MessageKind;
use labward_hl7::escape::escape;
use labward_hl7::{Delimiters, Message};

/// Names that places have; some of none.
const HL7: [&str; 10] = [
    "OBX", "NTE", "OBR", "ORC", "SPM", "PID", "MSH", "MRG", "ZLB", "obx",
];
const ASTM: [&str; 10] = ["C", "R", "O", "M", "P", "H", "L", "Q", "S", "RR"];

/// What a notice and its comment may add for one place: each of their bytes escaped, and what is around them.
const ADDED_MAX: usize = 3 * 300 + 64;

/// A message of any bytes behind a header or without one, and the places.
pub fn run(data: &[u8]) {
    let [choice, number, rest @ ..] = data else {
        return;
    };
    let (places, rest) = rest.split_at(rest.len().min(usize::from(number % 5) * 3));
    let is_hl7 = choice & 1 == 0;
    let verdict = [
        Finding::Malicious,
        Finding::Suspicious,
        Finding::Unscannable,
    ];
    let verdict = verdict[usize::from(choice >> 1) % 3];
    let head: &[u8] = match (choice & 128 == 0, is_hl7) {
        (true, true) => b"MSH|^~\\&|A\r",
        (true, false) => b"H|\\^&|||A\r",
        (false, _) => b"",
    };
    let bytes = [head, rest].concat();
    let names = if is_hl7 { HL7 } else { ASTM };
    let place = |place: &[u8]| {
        let &[name, number, field] = place else {
            return None;
        };
        Some(Place {
            segment: names[usize::from(name) % names.len()].to_owned(),
            number: u32::from(number % 5),
            field: u32::from(field % 9),
        })
    };
    let places: Vec<Place> = places.chunks(3).filter_map(place).collect();
    if is_hl7 {
        check::<Hl7>(&bytes, &places, verdict);
    } else {
        check::<Astm>(&bytes, &places, verdict);
    }
}

/// How a message is read, told a second time and slowly.
trait Reading {
    const KIND: MessageKind;
    /// The name of a comment; that of every line is as long.
    const COMMENT: &'static str;
    /// The piece of a line in which field 1 stands.
    const FIRST: usize;
    /// A message, and a place in it that becomes a notice.
    const PATTERN: (&'static [u8], &'static str, u32);

    /// The separator of fields, if it is one message.
    fn separator(bytes: &[u8]) -> Option<u8>;
    /// The lines, each with the breaks that follow it; the first may be breaks alone.
    fn lines(bytes: &[u8], separator: u8) -> Vec<(&[u8], &[u8])>;
    /// A text as it stands in a field of this message.
    fn escaped(bytes: &[u8], text: &[u8]) -> Vec<u8>;
    /// Fields that are never changed.
    fn is_whole(name: &str, field: u32) -> bool;
    fn has_comment(name: &[u8]) -> bool;
    /// Whose and what the results are, as the library reads it; `None` where it reads other lines.
    fn identifying(bytes: &[u8]) -> Option<Vec<Vec<u8>>>;
}

struct Hl7;

impl Reading for Hl7 {
    const KIND: MessageKind = MessageKind::Hl7V2;
    const COMMENT: &'static str = "NTE";
    const FIRST: usize = 1;
    const PATTERN: (&'static [u8], &'static str, u32) = (b"MSH|^~\\&|A\rOBX|1|ST|||x", "OBX", 5);

    fn separator(bytes: &[u8]) -> Option<u8> {
        let separator = Message::parse(bytes).ok()?.delimiters().field;
        let lines = Self::lines(bytes, separator);
        let is_header = |line: &[u8]| matches!(line.get(..3), Some(b"MSH" | b"FHS" | b"BHS"));
        let headers = lines.iter().filter(|(line, _)| is_header(line)).count();
        (headers == 1).then_some(separator)
    }

    fn lines(bytes: &[u8], separator: u8) -> Vec<(&[u8], &[u8])> {
        let begins = |at: usize| match &bytes[at..] {
            [b'M', b'S', b'H', c, ..] | [b'F' | b'B', b'H', b'S', c, ..] => {
                !c.is_ascii_alphanumeric() && !c.is_ascii_whitespace()
            }
            b"BTS" | b"FTS" => true,
            [a, b, c, d, ..] => {
                let is_letter = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
                a.is_ascii_uppercase() && is_letter(b) && is_letter(c) && *d == separator
            }
            _ => false,
        };
        let is_start = |at: &usize| *at == 0 || is_break(bytes[at - 1]) && begins(*at);
        let mut starts: Vec<usize> = (0..bytes.len()).filter(is_start).collect();
        starts.push(bytes.len());
        let line = |pair: &[usize]| {
            let whole = &bytes[pair[0]..pair[1]];
            let end = whole
                .iter()
                .rposition(|byte| !is_break(*byte))
                .map_or(0, |at| at + 1);
            whole.split_at(end)
        };
        starts.windows(2).map(line).collect()
    }

    fn escaped(bytes: &[u8], text: &[u8]) -> Vec<u8> {
        let delimiters = Message::parse(bytes).map_or(Delimiters::STANDARD, |m| m.delimiters());
        escape(text, &delimiters).into_owned()
    }

    fn is_whole(name: &str, field: u32) -> bool {
        match name {
            "MSH" | "FHS" | "BHS" | "PID" | "MRG" => true,
            "OBX" => field == 3,
            "OBR" => matches!(field, 2..=4),
            "ORC" => matches!(field, 2 | 3),
            "SPM" => field == 2,
            _ => false,
        }
    }

    fn has_comment(name: &[u8]) -> bool {
        matches!(name, b"NTE" | b"OBR" | b"OBX")
    }

    fn identifying(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        let message = Message::parse(bytes).expect("it is a message");
        if message.has_mixed_line_endings() {
            return None;
        }
        let separator = message.delimiters().field;
        // A line break in a value may be followed by three letters, but not by a field.
        let segments = message
            .segments()
            .filter(|segment| segment.raw().contains(&separator));
        let mut found = Vec::new();
        for segment in segments {
            let fields: &[usize] = match segment.id() {
                b"MSH" | b"PID" | b"MRG" => {
                    found.push(segment.raw().to_vec());
                    &[]
                }
                b"OBX" => &[3],
                b"OBR" => &[2, 3, 4],
                b"ORC" => &[2, 3],
                b"SPM" => &[2],
                _ => &[],
            };
            found.extend(fields.iter().map(|n| segment.field(*n).raw().to_vec()));
        }
        Some(found)
    }
}

struct Astm;

impl Reading for Astm {
    const KIND: MessageKind = MessageKind::Astm;
    const COMMENT: &'static str = "C";
    const FIRST: usize = 0;
    const PATTERN: (&'static [u8], &'static str, u32) = (b"H|\\^&\rM|1|x", "M", 3);

    fn separator(bytes: &[u8]) -> Option<u8> {
        let message = record::Message::parse(&with_cr(bytes)).ok()?.delimiters();
        Some(message.field)
    }

    fn lines(bytes: &[u8], _: u8) -> Vec<(&[u8], &[u8])> {
        let separator = if bytes.contains(&b'\r') { b'\r' } else { b'\n' };
        let mut starts = vec![0];
        let mut is_blank = true;
        for (at, byte) in bytes.iter().enumerate() {
            if !is_break(*byte) && is_blank && at > 0 {
                starts.push(at);
            }
            is_blank = *byte == separator || is_blank && is_break(*byte);
        }
        starts.push(bytes.len());
        let line = |pair: &[usize]| {
            let whole = &bytes[pair[0]..pair[1]];
            let end = whole.iter().position(|byte| *byte == separator);
            whole.split_at(end.unwrap_or(whole.len()))
        };
        starts.windows(2).map(line).collect()
    }

    fn escaped(bytes: &[u8], text: &[u8]) -> Vec<u8> {
        let bytes = with_cr(bytes);
        let message = record::Message::parse(&bytes).expect("it is a message");
        let mut out = Vec::new();
        record::escape_into(text, message.delimiters(), &mut out);
        out
    }

    fn is_whole(name: &str, field: u32) -> bool {
        match name {
            "H" | "L" | "P" | "Q" => true,
            "O" => matches!(field, 1 | 3..=5),
            "R" => matches!(field, 1 | 3),
            _ => field == 1,
        }
    }

    fn has_comment(_: &[u8]) -> bool {
        true
    }

    fn identifying(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        let bytes = with_cr(bytes);
        let message = record::Message::parse(&bytes).expect("it is a message");
        let mut found = Vec::new();
        for record in message.records() {
            let fields: &[usize] = match record.record_type().letter() {
                b'H' | b'P' | b'Q' | b'L' => {
                    found.push(record.bytes().to_vec());
                    &[]
                }
                b'O' => &[3, 4, 5],
                b'R' => &[3],
                _ => &[],
            };
            found.extend(fields.iter().map(|n| record.field(*n).bytes().to_vec()));
        }
        Some(found)
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// A text without any CR has its lines ended by LF.
fn with_cr(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.contains(&b'\r') {
        return Cow::Borrowed(bytes);
    }
    let cr = |byte: &u8| if *byte == b'\n' { b'\r' } else { *byte };
    Cow::Owned(bytes.iter().map(cr).collect())
}

fn check<R: Reading>(bytes: &[u8], places: &[Place], verdict: Finding) {
    let out = rewrite(R::KIND, bytes, places, verdict);
    let expect = expected::<R>(bytes, places, verdict);
    assert_eq!(
        out.as_ref().map(|out| shown(out)),
        expect.as_ref().map(|out| shown(out))
    );
    if let Some(out) = &out {
        assert!(out.len() <= bytes.len() + places.len() * ADDED_MAX);
        assert!(R::separator(out).is_some(), "it is one message");
        if let Some(identifying) = R::identifying(bytes) {
            assert_eq!(Some(identifying), R::identifying(out));
        }
    }
    if let Some(skeleton) = skeleton(R::KIND, bytes, places, verdict) {
        let separator = R::separator(&skeleton).expect("it is one message");
        let (lines, before) = (R::lines(&skeleton, separator), R::lines(bytes, separator));
        let (header, was) = (header(&lines), header(&before));
        assert!(header.is_some() && header.map(|(line, _)| line) == was.map(|(line, _)| line));
        let last: &[&[u8]] = if R::COMMENT == "C" {
            &[b"H", b"C", b"L"]
        } else {
            &[b"MSH", b"NTE"]
        };
        let names: Vec<&[u8]> = lines
            .iter()
            .map(|(line, _)| &line[..R::COMMENT.len()])
            .collect();
        assert_eq!(names, last);
        assert!(skeleton.len() <= bytes.len() + ADDED_MAX);
    }
}

/// The first line; breaks may stand before it.
fn header<'a>(lines: &[(&'a [u8], &'a [u8])]) -> Option<(&'a [u8], &'a [u8])> {
    let mut lines = lines.iter().copied();
    lines.find(|(line, _)| line.first().is_some_and(|byte| !is_break(*byte)))
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// The notice and its comment, as they stand where nothing of them needs an escape.
fn texts<R: Reading>(verdict: Finding) -> (Vec<u8>, Vec<u8>) {
    let (message, segment, field) = R::PATTERN;
    let place = Place {
        segment: segment.to_owned(),
        number: 1,
        field,
    };
    let out = rewrite(R::KIND, message, &[place], verdict).expect("it has the place");
    let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\r').collect();
    let value = lines[1]
        .rsplit(|byte| *byte == b'|')
        .next()
        .unwrap_or_default();
    let comment = lines[2]
        .split(|byte| *byte == b'|')
        .nth(3)
        .unwrap_or_default();
    assert!(
        value.starts_with(b"[removed by Labward: ") && comment.starts_with(b"Labward removed ")
    );
    (value.to_vec(), comment.to_vec())
}

/// What the message becomes.
fn expected<R: Reading>(bytes: &[u8], places: &[Place], verdict: Finding) -> Option<Vec<u8>> {
    let separator = R::separator(bytes)?;
    let lines = R::lines(bytes, separator);
    let (value, text) = texts::<R>(verdict);
    let (value, text) = (R::escaped(bytes, &value), R::escaped(bytes, &text));
    let named = |line: &[u8], name: &str| line.get(..R::COMMENT.len()) == Some(name.as_bytes());
    let mut fields: BTreeMap<(usize, usize), &[u8]> = BTreeMap::new();
    let mut commented = BTreeSet::new();
    for place in places {
        if R::is_whole(&place.segment, place.field) || place.field == 0 {
            return None;
        }
        let mut of_name = (0..lines.len()).filter(|at| named(lines[*at].0, &place.segment));
        let at = of_name.nth((place.number as usize).checked_sub(1)?)?;
        let index = place.field as usize - 1 + R::FIRST;
        let pieces: Vec<&[u8]> = lines[at].0.split(|byte| *byte == separator).collect();
        pieces.get(index)?;
        // Who ends a segment at every break would find another identifying field than before.
        let moves = |index: usize| {
            let behind = index as u32 + 1..=9;
            let mut behind = behind.filter(|_| R::COMMENT == "NTE");
            pieces[index].iter().any(|byte| is_break(*byte))
                && behind.any(|field| R::is_whole(&place.segment, field))
        };
        if moves(index) {
            return None;
        }
        let is_type = place.segment == "OBX" && place.field == 2;
        fields.insert((at, index), if is_type { b"ST" } else { &value });
        if place.segment == "OBX" && place.field == 5 && !matches!(pieces[2], b"FT" | b"ST" | b"TX")
        {
            if moves(2) {
                return None;
            }
            fields.insert((at, 2), b"ST");
        }
        if R::has_comment(place.segment.as_bytes()) {
            let following = lines[at + 1..].iter();
            commented.insert(
                at + following
                    .take_while(|(line, _)| named(line, R::COMMENT))
                    .count(),
            );
        }
    }
    if places.is_empty() {
        return None;
    }
    let end_of = |end: &'static [u8], breaks: &[u8]| match breaks {
        [] => end,
        [b'\r', b'\n', ..] => b"\r\n",
        [b'\r', ..] => b"\r",
        _ => b"\n",
    };
    let end = end_of(b"\r", header(&lines).map_or(&[][..], |(_, breaks)| breaks));
    let mut out = Vec::new();
    for (at, (line, breaks)) in lines.iter().enumerate() {
        let pieces = line.split(|byte| *byte == separator).enumerate();
        let pieces: Vec<&[u8]> = pieces
            .map(|(index, piece)| *fields.get(&(at, index)).unwrap_or(&piece))
            .collect();
        out.extend(pieces.join(&separator));
        if commented.contains(&at) {
            out.extend_from_slice(end_of(end, breaks));
            let number = line
                .split(|byte| *byte == separator)
                .nth(1)
                .unwrap_or_default();
            let number = String::from_utf8_lossy(number).parse::<u32>();
            let number = match named(line, R::COMMENT) {
                true => number.map_or(1, |number| number.saturating_add(1)),
                false => 1,
            };
            let number = number.to_string();
            let mut comment = vec![R::COMMENT.as_bytes(), number.as_bytes(), b"L", &text];
            if R::COMMENT == "C" {
                comment.push(b"G");
            }
            out.extend(comment.join(&separator));
        }
        out.extend_from_slice(breaks);
    }
    Some(out)
}
