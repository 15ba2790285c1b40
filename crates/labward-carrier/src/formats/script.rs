//! What a script has as strings and numbers: strings that are put together, escapes, lists of bytes.

use crate::decode;
use crate::find;

/// So many numbers in a row are bytes.
const SHORTEST_LIST: usize = 24;

/// Whom something is given to: its place, how it was written, the bytes; says whether to go on.
type Take<'t> = dyn FnMut(String, Option<&'static str>, &[u8]) -> bool + 't;

/// Everything that the script's strings and lists decode to; a string of one piece without escapes is left
/// to [`find::all`].
pub(crate) fn all(script: &[u8], take: &mut Take<'_>) {
    let (mut at, mut strings, mut lists) = (0, 0, 0);
    while let Some(byte) = script.get(at) {
        match byte {
            b'"' | b'\'' | b'`' => {
                let string = Literal::read(script, at);
                at = string.end;
                if string.text.len() < find::SHORTEST || !string.is_made {
                    continue;
                }
                strings += 1;
                let place = format!("string {strings}");
                let goes_on = if let Some(found) = find::whole(&string.text) {
                    take(place, Some(found.writing), &found.bytes)
                } else if find::is_something(&string.text) && string.has_escapes {
                    take(place, None, &string.text)
                } else {
                    true
                };
                if !goes_on {
                    return;
                }
            }
            b'0'..=b'9' => {
                let (bytes, end) = list(script, at);
                at = end;
                if bytes.len() >= SHORTEST_LIST && find::is_something(&bytes) {
                    lists += 1;
                    if !take(format!("numbers {lists}"), None, &bytes) {
                        return;
                    }
                }
            }
            // A name with a digit in it is no number.
            byte if byte.is_ascii_alphabetic() || *byte == b'_' => {
                let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
                let rest = script.get(at..).unwrap_or_default();
                at += rest.iter().take_while(is_name).count();
            }
            _ => at += 1,
        }
    }
}

/// A string, with those that are put behind it.
struct Literal {
    text: Vec<u8>,
    /// Of several pieces, or with escapes.
    is_made: bool,
    has_escapes: bool,
    end: usize,
}

impl Literal {
    /// The string that begins at `at`; `"a" + "b"` is one, and so is a list of digits of Base64.
    fn read(script: &[u8], at: usize) -> Self {
        let mut this = Self {
            text: Vec::new(),
            is_made: false,
            has_escapes: false,
            end: at,
        };
        let mut from = at;
        loop {
            let start = this.text.len();
            let Some(end) = this.piece(script, from) else {
                break;
            };
            this.end = end;
            let rest = script.get(end..).unwrap_or_default();
            let is_blank = |byte: &&u8| byte.is_ascii_whitespace();
            let blanks = rest.iter().take_while(is_blank).count();
            let is_digit = |byte: &u8| decode::base64_digit(*byte).is_some() || *byte == b'=';
            let piece = this.text.get(start..).unwrap_or_default();
            let joins = match rest.get(blanks) {
                Some(b'+') => true,
                Some(b',') => piece.len() >= 8 && piece.iter().all(is_digit),
                _ => false,
            };
            let after = rest.get(blanks + 1..).unwrap_or_default();
            let more = after.iter().take_while(is_blank).count();
            let next = end + blanks + 1 + more;
            if !joins || !matches!(script.get(next), Some(b'"' | b'\'' | b'`')) {
                break;
            }
            this.is_made = true;
            from = next;
        }
        this
    }

    /// Adds the piece between the quotes at `at` and gives its end; `None` at the end of the script.
    fn piece(&mut self, script: &[u8], at: usize) -> Option<usize> {
        let quote = *script.get(at)?;
        let mut at = at + 1;
        loop {
            let Some(&byte) = script.get(at) else {
                self.end = at;
                return None;
            };
            at += 1;
            match byte {
                b'\\' => {
                    self.has_escapes = true;
                    self.is_made = true;
                    at += escape(script.get(at..).unwrap_or_default(), &mut self.text);
                }
                b'\n' if quote != b'`' => return Some(at),
                byte if byte == quote => return Some(at),
                byte => self.text.push(byte),
            }
        }
    }
}

/// Adds what the escape behind a backslash stands for, and gives its length.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let number = |digits: Option<&[u8]>| {
        let digits = std::str::from_utf8(digits?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let (code, len) = match rest.first() {
        None => return 0,
        Some(b'n') => (Some(10), 1),
        Some(b'r') => (Some(13), 1),
        Some(b't') => (Some(9), 1),
        Some(b'0') => (Some(0), 1),
        Some(b'\n') => return 1,
        Some(b'x') => (number(rest.get(1..3)), 3),
        Some(b'u') => (number(rest.get(1..5)), 5),
        Some(other) => (Some(u32::from(*other)), 1),
    };
    match code {
        Some(code) => {
            if let Ok(byte) = u8::try_from(code) {
                out.push(byte);
            } else {
                let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            len
        }
        None => 1,
    }
}

/// The numbers from 0 to 255 that begin at `at`, parted by commas and blanks, and where they end.
fn list(script: &[u8], at: usize) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    let mut at = at;
    loop {
        let rest = script.get(at..).unwrap_or_default();
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let len = rest.iter().take_while(is_word).count();
        let word = std::str::from_utf8(rest.get(..len).unwrap_or_default()).unwrap_or("");
        let value = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(hex) => u8::from_str_radix(hex, 16).ok(),
            None => word.parse().ok(),
        };
        let Some(value) = value else {
            return (bytes, at + len.max(1));
        };
        bytes.push(value);
        at += len;
        let rest = script.get(at..).unwrap_or_default();
        let parts = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b',';
        let between = rest.iter().take_while(parts).count();
        if between == 0 || !script.get(at + between).is_some_and(u8::is_ascii_digit) {
            return (bytes, at);
        }
        at += between;
    }
}
