//! MLLP frames (HL7 v2 appendix C): one or several in a buffer, whole or cut. The decoder of `labward-hl7`
//! is for a link, with limits and events; here every byte is shown, so nothing is passed over.

use memchr::memchr2;

use crate::path::Step;
use crate::seen::{Declared, Part, Sign};
use crate::walk::Walker;

const START: u8 = 0x0b;
const END: u8 = 0x1c;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let several = frames(part.bytes).nth(1).is_some();
    let mut last_end = part.bytes.len();
    for (n, frame) in frames(part.bytes).enumerate() {
        if !walker.goes_on() {
            return;
        }
        if !frame.content.is_empty() {
            let place = several.then(|| Step::Place(format!("frame {}", n + 1)));
            let steps = std::iter::once(Step::Packing("mllp")).chain(place);
            walker.enter(steps, &Declared::nothing(), frame.content);
        }
        let outside = part.bytes.get(frame.end..frame.next).unwrap_or_default();
        if is_more_than_noise(outside) {
            let place = Step::Place(format!("behind frame {}", n + 1));
            walker.enter([place], &Declared::nothing(), outside);
        }
        last_end = frame.end;
    }
    if is_more_than_noise(part.bytes.get(last_end..).unwrap_or_default()) {
        walker.sign(Sign::TrailingData);
    }
}

/// The content of a frame, where the frame ends, and where the next begins.
struct Frame<'a> {
    content: &'a [u8],
    end: usize,
    next: usize,
}

fn frames(bytes: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let mut at = memchr::memchr(START, bytes);
    std::iter::from_fn(move || {
        let first = at?;
        let rest = bytes.get(first..)?;
        // A doubled start is one.
        let start = first + rest.iter().take_while(|byte| **byte == START).count();
        let (content_end, end) = end_of(bytes, start);
        let next = bytes
            .get(end..)
            .and_then(|rest| memchr::memchr(START, rest))
            .map(|start| end + start);
        at = next;
        Some(Frame {
            content: bytes.get(start..content_end).unwrap_or_default(),
            end,
            next: next.unwrap_or(bytes.len()),
        })
    })
}

/// Where the content that begins at `start` ends, and where its frame does: at `1C 0D`, at `1C` before
/// another frame or the end, or where another message's frame begins.
fn end_of(bytes: &[u8], start: usize) -> (usize, usize) {
    let mut from = start;
    while let Some(found) = bytes.get(from..).and_then(|rest| memchr2(END, START, rest)) {
        let at = from + found;
        let after = bytes.get(at + 1..).unwrap_or_default();
        match (bytes.get(at), after) {
            (Some(&END), [b'\r', ..]) => return (at, at + 2),
            (Some(&END), [] | [START, ..]) => return (at, at + 1),
            (Some(&START), [b'M', b'S', b'H', ..] | [b'F' | b'B', b'H', b'S', ..]) => {
                return (at, at);
            }
            _ => from = at + 1,
        }
    }
    (bytes.len(), bytes.len())
}

fn is_more_than_noise(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .any(|byte| !matches!(*byte, 0 | b'\r' | b'\n' | b' ' | START | END))
}

#[cfg(test)]
mod tests {
    use crate::testing::{parts, seen};

    #[test]
    fn frames_are_parted_whole_or_cut() {
        assert_eq!(seen(b"\x0bMSH|^~\\&|A\r\x1c\r"), [" = mllp", "mllp = hl7"]);
        let several = parts(b"\x0bMSH|^~\\&|A\r\x1c\r\n\x0bMSH|^~\\&|B\r\x0bMSH|^~\\&|C\x1c");
        let several: Vec<_> = several
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
            .collect();
        assert_eq!(
            several.get(1..).unwrap(),
            [
                ("mllp / frame 1", &b"MSH|^~\\&|A\r"[..]),
                ("mllp / frame 2", b"MSH|^~\\&|B\r"),
                ("mllp / frame 3", b"MSH|^~\\&|C"),
            ]
        );
    }

    #[test]
    fn what_is_doubled_or_empty_is_passed_over() {
        assert_eq!(
            seen(b"\x0b\x0b\x0bMSH|^~\\&|A\r\x1c\r"),
            [" = mllp", "mllp = hl7"]
        );
        assert_eq!(seen(&[0x0b; 1_000]), [" = mllp"]);
        assert_eq!(seen(b"\x0b\x1c\r"), [" = mllp"]);
    }

    #[test]
    fn what_stands_between_frames_is_shown() {
        assert_eq!(
            seen(b"\x0bMSH|^~\\&|A\r\x1c\r\x7fELF and more"),
            [
                " = mllp",
                "mllp = hl7",
                "behind frame 1 = elf",
                "behind frame 1 ! program-in-clinical",
                " ! trailing-data"
            ]
        );
    }
}
