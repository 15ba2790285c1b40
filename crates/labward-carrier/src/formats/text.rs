//! Plain text: `data:` URIs, blocks of Base64 and hex, uuencoded and BinHex files. UTF-16 is read as the
//! text that it is.

use crate::find;
use crate::formats::binhex;
use crate::path::Step;
use crate::seen::{Declared, Part};
use crate::walk::Walker;

/// What a file packed with BinHex begins with.
pub(crate) const BINHEX: &[u8] = b"(This file must be converted with BinHex";

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    if let Some(text) = from_utf16(part.bytes) {
        let step = Step::Packing("utf-16");
        walker.enter([step], &Declared::nothing(), text.as_bytes());
        return;
    }
    search(walker, &[], part.bytes);
    if memchr::memmem::find(part.bytes, BINHEX).is_some() {
        binhex::open(walker, part);
    }
}

/// Enters whatever is written into the text that lies at `steps`; whether there was anything.
pub(crate) fn search(walker: &mut Walker<'_>, steps: &[Step], text: &[u8]) -> bool {
    let (mut line, mut counted, mut any) = (1, 0, false);
    find::all(text, &mut |found| {
        any = true;
        let before = text.get(counted..found.at).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', before).count();
        counted = found.at;
        let place = (!found.is_whole).then(|| Step::Place(format!("line {line}")));
        let name = found.declared.name.as_deref();
        let member = name.map(|name| Step::member(1, name));
        let steps = steps.iter().cloned().chain(place);
        let steps = steps.chain([Step::Packing(found.writing)]).chain(member);
        walker.enter(steps, &found.declared, &found.bytes);
        walker.goes_on()
    });
    any
}

/// The text of bytes that begin with the mark of UTF-16; `None` without it.
fn from_utf16(bytes: &[u8]) -> Option<String> {
    let (unit, rest): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return None,
    };
    let (pairs, _) = rest.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    Some(
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::seen;

    #[test]
    fn what_is_written_into_a_text_is_shown_with_its_line() {
        let text = b"A letter.\nIVBORw0 data:text/html,%3Cscript%3E\nbegin 644 a.sh\n)(R$O8FEN+W-H\n`\nend\n";
        assert_eq!(
            seen(text),
            [
                " = text",
                "line 2 / percent = html",
                "line 3 / uuencode : a.sh = script"
            ]
        );
    }

    #[test]
    fn utf_16_is_read() {
        let text: Vec<u8> = "\u{feff}<html>Grüße"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(seen(&text), [" = text", "utf-16 = html"]);
    }
}
