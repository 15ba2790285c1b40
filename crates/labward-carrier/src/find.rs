//! What is written into text as text: blocks of Base64 and hex, `data:` URIs, uuencoded files.
//!
//! It must never take chance for a find: what nothing declares is found only when it decodes to a kind
//! with a sure mark, or to clean text.

use memchr::memchr_iter;

use crate::decode::{self, Decoded};
use crate::kind::{Claims, Kind};
use crate::seen::Declared;

/// Shorter than this, in characters, nothing is looked for: 24 bytes hold no file.
pub(crate) const SHORTEST: usize = 32;
/// Hex says half as much a character.
const SHORTEST_HEX: usize = 48;
/// The longest media type and parameters of a `data:` URI that are read.
const LONGEST_URI_HEAD: usize = 200;

/// Something that was written into a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it begins in the text, in bytes.
    pub(crate) at: usize,
    /// Whether it is all of the text but for blanks.
    pub(crate) is_whole: bool,
    /// How it was written.
    pub(crate) writing: &'static str,
    /// What the text says of it.
    pub(crate) declared: Declared,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Everything that is written into the text, in order; `take` says whether to go on.
pub(crate) fn all(text: &[u8], take: &mut dyn FnMut(Found) -> bool) {
    let mut colons = memchr_iter(b':', text).peekable();
    let mut at = 0;
    while at < text.len() {
        while colons.next_if(|colon| *colon < at).is_some() {}
        let uri = colons.peek().copied();
        let run_end = run(text, at);
        if run_end - at >= SHORTEST {
            let (end, found) = block(text, at, run_end);
            if found.is_some_and(|found| !take(found)) {
                return;
            }
            at = end;
        } else if run_end == at && uri == Some(at) {
            match data_uri(text, at) {
                Some((end, found)) => {
                    if !take(found) {
                        return;
                    }
                    at = end;
                }
                None => at += 1,
            }
        } else if is_begin(text, at) {
            match uuencoded(text, at) {
                Some((end, found)) => {
                    if !take(found) {
                        return;
                    }
                    at = end;
                }
                None => at = run_end.max(at + 1),
            }
        } else {
            at = run_end.max(at + 1);
        }
    }
}

/// The first find, if it is all of the text.
pub(crate) fn whole(text: &[u8]) -> Option<Found> {
    if text.len() < SHORTEST {
        return None;
    }
    let mut first = None;
    all(text, &mut |found| {
        first = Some(found);
        false
    });
    first.filter(|found| found.is_whole)
}

/// Whether pieces in a row may be one text: none of the later ones begins a file of its own.
pub(crate) fn may_be_one(pieces: &[Vec<u8>]) -> bool {
    let later = pieces.get(1..).unwrap_or_default();
    let begins = |piece: &Vec<u8>| whole(piece).is_some_and(|found| has_sure_mark(&found.bytes));
    pieces.iter().all(|piece| !piece.is_empty()) && !later.iter().any(begins)
}

/// Whether each of the pieces says something by itself as well: each may be a text of its own.
pub(crate) fn may_be_many(pieces: &[Vec<u8>]) -> bool {
    pieces.iter().all(|piece| whole(piece).is_some())
}

/// The end of the digits of Base64 that begin at `at`.
fn run(text: &[u8], at: usize) -> usize {
    let is_digit = |byte: &u8| decode::base64_digit(*byte).is_some();
    let rest = text.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .position(|byte| !is_digit(byte))
        .unwrap_or(rest.len())
}

/// The block whose first line ends at `line_end`, and where it ends; found if it decodes to something.
fn block(text: &[u8], at: usize, line_end: usize) -> (usize, Option<Found>) {
    let mut width = line_end - at;
    let mut end = line_end;
    let mut last_width = width;
    while last_width == width {
        let next = after_break(text, end);
        let next_end = run(text, next);
        if end == line_end && next_end - next > width {
            // Words stand before the first line's block.
            width = next_end - next;
        }
        if next == end || next_end == next || next_end - next > width || !ends_line(text, next_end)
        {
            break;
        }
        last_width = next_end - next;
        end = next_end;
    }
    let padding = text.get(end..).unwrap_or_default();
    end += padding.iter().take(2).take_while(|b| **b == b'=').count();
    let content = text.get(at..end).unwrap_or_default();
    let Some((writing, bytes)) = written(content) else {
        return (end, None);
    };
    let found = Found {
        at,
        is_whole: is_blank(text.get(..at)) && is_blank(text.get(end..)),
        writing,
        declared: Declared::nothing(),
        bytes,
    };
    (end, Some(found))
}

fn written(content: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let is_hex = |byte: &u8| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace();
    if content.len() >= SHORTEST_HEX && content.iter().all(is_hex) {
        let bytes = decode::hex(content).bytes;
        if is_something(&bytes) {
            return Some(("hex", bytes));
        }
    }
    let bytes = decode::base64(content).bytes;
    is_something(&bytes).then_some(("base64", bytes))
}

/// Where the next line begins, if a line ends at `at`; else `at`. A break may be written out, and lines may
/// be parted by one blank.
fn after_break(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let written_out = [
        &b"\\r\\n"[..],
        b"\\n",
        b"\\.br\\",
        b"&#10;",
        b"&#xA;",
        b"&#13;",
    ];
    if let Some(mark) = written_out.iter().find(|mark| rest.starts_with(mark)) {
        return at + mark.len();
    }
    let blanks = rest
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .take(80);
    let next = at + blanks.count();
    let quotes = text.get(next..).unwrap_or_default();
    if next > at && quotes.starts_with(b"> ") {
        return next + 2;
    }
    next
}

/// Whether nothing but the end of a line, padding or the end of a value stands at `at`.
fn ends_line(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| {
        byte.is_ascii_whitespace()
            || matches!(byte, b'=' | b'"' | b'\'' | b'<' | b'\\' | b'|' | b'&')
    })
}

fn is_blank(text: Option<&[u8]>) -> bool {
    let is_edge = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | 0);
    text.unwrap_or_default().iter().all(is_edge)
}

/// A `data:` URI (RFC 2397) whose colon stands at `colon`, and where it ends.
fn data_uri(text: &[u8], colon: usize) -> Option<(usize, Found)> {
    let at = colon.checked_sub(4)?;
    if !text.get(at..colon)?.eq_ignore_ascii_case(b"data") {
        return None;
    }
    let rest = text.get(colon + 1..)?;
    let head_end = rest
        .iter()
        .take(LONGEST_URI_HEAD)
        .position(|byte| *byte == b',')?;
    let head = decode::percent(rest.get(..head_end)?).into_owned();
    let head = std::str::from_utf8(&head).ok()?.trim();
    let is_word = |c: char| c.is_ascii_alphanumeric() || "/;=+-.\"_!#$&^* ".contains(c);
    if !head.chars().all(is_word) {
        return None;
    }
    let (media_type, is_base64) = match head.rsplit_once(';') {
        Some((media_type, "base64" | "BASE64" | "Base64")) => (media_type, true),
        _ => (head, false),
    };
    if !is_base64 && !media_type.contains('/') {
        return None;
    }
    let content = rest.get(head_end + 1..)?;
    let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b'<' | b'>' | b')' | b'`');
    let (writing, bytes, used) = if is_base64 {
        base64_of_uri(content)
    } else {
        let ends = |byte: &u8| ends(byte) || byte.is_ascii_whitespace();
        let until = content.iter().position(ends).unwrap_or(content.len());
        let bytes = decode::percent(content.get(..until)?).into_owned();
        ("percent", bytes, until)
    };
    if bytes.is_empty() {
        return None;
    }
    let end = colon + 1 + head_end + 1 + used;
    let found = Found {
        at,
        is_whole: is_blank(text.get(..at)) && is_blank(text.get(end..)),
        writing,
        declared: if media_type.is_empty() {
            Declared::nothing()
        } else {
            Declared::typed(media_type)
        },
        bytes,
    };
    Some((end, found))
}

/// The Base64 of a URI, in which `+`, `/` and `=` may be written as `%2B` and so on.
fn base64_of_uri(content: &[u8]) -> (&'static str, Vec<u8>, usize) {
    let found = decode::base64(content);
    if content.get(found.used) != Some(&b'%') {
        return ("base64", found.bytes, found.used);
    }
    let belongs = |byte: &u8| decode::base64_digit(*byte).is_some() || matches!(byte, b'%' | b'=');
    let until = content.iter().position(|byte| !belongs(byte));
    let content = until.and_then(|end| content.get(..end)).unwrap_or(content);
    let bytes = decode::base64(&decode::percent(content)).bytes;
    ("base64", bytes, content.len())
}

fn is_begin(text: &[u8], at: usize) -> bool {
    let starts_line = at == 0 || matches!(text.get(at - 1), Some(b'\n' | b'\r'));
    let rest = text.get(at..).unwrap_or_default();
    starts_line && rest.starts_with(b"begin") && matches!(rest.get(5), Some(b' ' | b'-'))
}

/// A uuencoded file, `begin 644 name` or `begin-base64 644 name`, and where it ends.
fn uuencoded(text: &[u8], at: usize) -> Option<(usize, Found)> {
    let rest = text.get(at..)?;
    let line_end = rest.iter().take(400).position(|byte| *byte == b'\n')?;
    let line = rest.get(..line_end)?.trim_ascii_end();
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let is_base64 = match words.next()? {
        b"begin" => false,
        b"begin-base64" => true,
        _ => return None,
    };
    let mode = words.next()?;
    if mode.is_empty() || !mode.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let name = String::from_utf8_lossy(words.next().unwrap_or_default());
    let content = rest.get(line_end + 1..)?;
    let (writing, Decoded { bytes, used }) = if is_base64 {
        ("base64", decode::base64(content))
    } else {
        ("uuencode", decode::uuencoded(content))
    };
    if bytes.is_empty() {
        return None;
    }
    let end = at + line_end + 1 + used;
    let found = Found {
        at,
        is_whole: is_blank(text.get(..at)) && is_blank(text.get(end..)),
        writing,
        declared: Declared::named(name.trim()),
        bytes,
    };
    Some((end, found))
}

/// Whether bytes that came of a guess are something: chance does not write them.
pub(crate) fn is_something(bytes: &[u8]) -> bool {
    if bytes.len() < 16 {
        return false;
    }
    is_clean_text(bytes) || is_wide_text(bytes) || has_sure_mark(bytes)
}

/// At least 20 characters, all of them printable ASCII, or UTF-8 with less than a quarter beyond it.
fn is_clean_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..4_096).unwrap_or(bytes);
    let (mut control, mut beyond) = (0, 0);
    for byte in head {
        match byte {
            b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1c | b' '..=b'~' => {}
            0x80.. => beyond += 1,
            _ => control += 1,
        }
    }
    let is_utf8 = || match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(fault) => fault.error_len().is_none(),
    };
    head.len() >= 20 && control == 0 && beyond * 4 < head.len() && (beyond == 0 || is_utf8())
}

/// UTF-16 of ASCII, little-endian, as encoded commands of PowerShell are.
fn is_wide_text(bytes: &[u8]) -> bool {
    let (pairs, _) = bytes.get(..256).unwrap_or(bytes).as_chunks::<2>();
    let bytes = bytes.strip_prefix(b"\xff\xfe").unwrap_or(bytes);
    pairs.len() >= 10
        && bytes
            .chunks_exact(2)
            .take(128)
            .all(|pair| matches!(pair, [b'\t' | b'\n' | b'\r' | b' '..=b'~', 0]))
}

/// A mark that chance does not write: long enough, or followed by what its format wants there.
pub(crate) fn has_sure_mark(bytes: &[u8]) -> bool {
    let claims = Claims::of(bytes);
    let word = |at: usize| {
        bytes
            .get(at..at + 2)
            .and_then(|pair| <[u8; 2]>::try_from(pair).ok())
            .map_or(0, u16::from_le_bytes)
    };
    claims.all().any(|kind| match kind {
        // MZ: bytes on the last page, pages, and the header's size in paragraphs.
        Kind::Dos => {
            word(2) < 512 && (1..0x0800).contains(&word(4)) && (2..0x1000).contains(&word(8))
        }
        Kind::Script => matches!(bytes.get(2..4), Some([b'/', _] | [b' ', b'/'])),
        Kind::Arj => (30..=2_600).contains(&word(2)),
        Kind::Cpio => {
            bytes.starts_with(b"0707") || word(4) > 0 && word(24) == 0 && word(20) < 1_024
        }
        Kind::Bzip2 => bytes.get(4..8) == Some(b"1AY&"),
        Kind::Lzma => {
            bytes.len() >= 18 && bytes.get(3..5).is_some_and(|top| matches!(top, [_, 0..=8]))
        }
        Kind::Gzip => bytes.get(3).is_some_and(|flags| *flags < 32),
        Kind::Gif => matches!(bytes.get(4), Some(b'7' | b'9')),
        Kind::Json
        | Kind::Xml
        | Kind::Text
        | Kind::Unknown
        | Kind::Mllp
        | Kind::Astm
        | Kind::Html => false,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn finds(text: &[u8]) -> Vec<(usize, &'static str, Vec<u8>)> {
        let mut out = Vec::new();
        all(text, &mut |found| {
            out.push((found.at, found.writing, found.bytes));
            true
        });
        out
    }

    fn program() -> Vec<u8> {
        let mut bytes = b"MZ\x50\0\x02\0\0\0\x04\0".to_vec();
        bytes.resize(120, 0xa5);
        bytes
    }

    #[test]
    fn a_block_is_found_with_the_lines_it_has() {
        let text = STANDARD.encode(program());
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(60)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        for between in ["\n", "\r\n", " ", "\\r\\n", "\n  "] {
            let block = format!("See this: \"{}\" and more text", lines.join(between));
            let found = finds(block.as_bytes());
            assert_eq!(found, [(11, "base64", program())], "{between:?}");
        }
    }

    #[test]
    fn a_data_uri_and_a_uuencoded_file_are_found() {
        let text = b"<a href=\"DATA:text/plain;charset=utf-8;base64,SGVsbG8=\">x\n";
        let mut declared = None;
        all(text, &mut |found| {
            declared = found.declared.media_type.clone();
            assert_eq!((found.at, &*found.bytes), (9, &b"Hello"[..]));
            true
        });
        assert_eq!(declared.as_deref(), Some("text/plain;charset=utf-8"));
        assert_eq!(
            finds(b"data:text/html,%3Cscript%3E x"),
            [(0, "percent", b"<script>".to_vec())]
        );
        assert_eq!(
            finds(b"a line\nbegin 644 cat.txt\n#0V%T\n`\nend\n"),
            [(7, "uuencode", b"Cat".to_vec())]
        );
    }

    #[test]
    fn words_and_numbers_are_no_find() {
        for text in [
            &b"Glucose, fasting: 5.1 mmol/L; data: none, to follow. begin 12 more"[..],
            b"https://lab.example/reports/2026/0123456789abcdef0123456789abcdef/index",
            b"2.16.840.1.113883.3.72.5.24 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            b"------------------------------------------------------------------",
            b"________________________________________________________",
        ] {
            assert_eq!(finds(text), [], "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_text_ends(text: Vec<u8>, other in "(data:|begin 644 a\n|[A-Za-z0-9+/=\\\\ \n]{30,70}|,|;base64){0,8}") {
            for text in [&text[..], other.as_bytes()] {
                for (at, writing, bytes) in finds(text) {
                    // A line of two characters that lost its blanks may stand for 63 zeros.
                    let most = if writing == "uuencode" { 32 * text.len() } else { text.len() };
                    prop_assert!(at < text.len() && bytes.len() <= most);
                }
            }
        }

        #[test]
        fn chance_is_no_find(text in "[A-Za-z0-9+/]{32,400}") {
            prop_assert_eq!(finds(text.as_bytes()), []);
        }

        #[test]
        fn what_is_written_is_found(bytes in proptest::collection::vec(b' '..b'~', 24..400)) {
            let text = STANDARD.encode(&bytes);
            prop_assert_eq!(finds(text.as_bytes()), [(0, "base64", bytes)]);
        }
    }
}
