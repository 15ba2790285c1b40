//! Encapsulated data: source, type, subtype, encoding, data (HL7 v2 chapter 2A.2.24).

use labward_hl7::escape::unescape;

use super::{Reader, Segment, split};
use crate::decode;
use crate::find;
use crate::formats::text;
use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle};
use crate::walk::Walker;

/// How the sender says that the data are written (table 0299).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Base64,
    Hex,
    Text,
    Other,
}

impl Encoding {
    fn of(raw: &[u8]) -> Self {
        let word = raw.trim_ascii().to_ascii_lowercase();
        match word.as_slice() {
            b"base64" | b"b64" | b"base-64" => Self::Base64,
            b"hex" | b"hexadecimal" => Self::Hex,
            b"a" | b"" | b"ascii" | b"text" => Self::Text,
            _ => Self::Other,
        }
    }
}

/// The data of a value of type ED, and how they are written.
pub(super) struct Ed<'a> {
    encoding: Encoding,
    pub(super) declared: Declared,
    /// The component of the data.
    pub(super) data: &'a [u8],
    /// The same and everything behind it: text may hold delimiters.
    data_and_rest: &'a [u8],
}

impl<'a> Ed<'a> {
    /// Reads a repetition as ED: by its declared type, or because it names an encoding where ED does.
    pub(super) fn of(repetition: &'a [u8], component: u8, is_ed: bool) -> Option<Self> {
        let mut at = 0;
        let mut parts: [&[u8]; 5] = [&[]; 5];
        let mut found = 0;
        for (slot, part) in parts.iter_mut().zip(split(repetition, Some(component))) {
            *slot = part;
            found += 1;
            if found < 5 {
                at += part.len() + 1;
            }
        }
        let [_, of_data, subtype, encoding, data] = parts;
        let encoding = Encoding::of(encoding);
        let names_encoding = matches!(encoding, Encoding::Base64 | Encoding::Hex);
        if found < 5 || !(is_ed || names_encoding) {
            return None;
        }
        Some(Self {
            encoding,
            declared: declared(of_data, subtype),
            data,
            data_and_rest: repetition.get(at..).unwrap_or_default(),
        })
    }

    pub(super) fn is_base64(&self) -> bool {
        self.encoding == Encoding::Base64
    }
}

/// `application` and `pdf`, or `application/pdf` and nothing, or only one of them.
fn declared(of_data: &[u8], subtype: &[u8]) -> Declared {
    let word = |raw: &[u8]| String::from_utf8_lossy(raw.trim_ascii()).into_owned();
    match (word(of_data), word(subtype)) {
        (of_data, subtype) if of_data.is_empty() && subtype.is_empty() => Declared::nothing(),
        (of_data, subtype) if subtype.is_empty() || of_data.contains('/') => {
            Declared::typed(&of_data)
        }
        (of_data, subtype) if of_data.is_empty() => Declared::typed(&subtype),
        (of_data, subtype) => Declared::typed(&format!("{of_data}/{subtype}")),
    }
}

/// Enters the data, if the repetition is ED.
pub(super) fn open(
    walker: &mut Walker<'_>,
    reader: &Reader<'_>,
    segment: &Segment<'_>,
    place: &str,
    repetition: &[u8],
    is_ed: bool,
) -> bool {
    let Some(ed) = Ed::of(repetition, segment.delimiters.component, is_ed) else {
        return false;
    };
    let steps: Vec<Step> = reader.steps(format!("{place}.5")).collect();
    let data = match ed.encoding {
        Encoding::Base64 | Encoding::Hex => ed.data,
        Encoding::Text | Encoding::Other => ed.data_and_rest,
    };
    let text = unescape(data, &segment.delimiters);
    enter(walker, &steps, &ed, &text);
    true
}

/// Enters what the text says, whatever encoding was declared; the declared one if nothing speaks against it.
pub(super) fn enter(walker: &mut Walker<'_>, steps: &[Step], ed: &Ed<'_>, text: &[u8]) {
    if text.trim_ascii().is_empty() {
        return;
    }
    let at = |writing| steps.iter().cloned().chain([Step::Packing(writing)]);
    // What is declared and sound needs no guess, unless all of it is hex.
    let is_sound = ed.is_base64() && decode::is_sound_base64(text);
    let may_differ = !is_sound || text.iter().all(u8::is_ascii_hexdigit);
    if let Some(found) = may_differ.then(|| find::whole(text)).flatten() {
        walker.enter(at(found.writing), &ed.declared, &found.bytes);
        return;
    }
    let (writing, decoded) = match ed.encoding {
        Encoding::Base64 => ("base64", decode::base64(text)),
        Encoding::Hex => ("hex", decode::hex(text)),
        Encoding::Text | Encoding::Other => {
            walker.enter(steps.iter().cloned(), &ed.declared, text);
            if ed.encoding == Encoding::Other {
                tell(walker, steps, Obstacle::UnknownPacking(Kind::Hl7));
            }
            return;
        }
    };
    if !decoded.bytes.is_empty() {
        walker.enter(at(writing), &ed.declared, &decoded.bytes);
    }
    let rest = text.get(decoded.used..).unwrap_or_default();
    let found = rest.len() >= find::SHORTEST && text::search(walker, steps, rest);
    if !found && (decoded.bytes.is_empty() || rest.len() > decoded.used) {
        tell(walker, steps, Obstacle::Damaged(Kind::Hl7));
    }
}

fn tell(walker: &mut Walker<'_>, steps: &[Step], obstacle: Obstacle) {
    if let Some(place) = steps.last() {
        walker.obstacle_at(place.clone(), obstacle);
    }
}
