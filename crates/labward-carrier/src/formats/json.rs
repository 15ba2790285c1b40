//! JSON, above all FHIR: what `data` and `valueBase64Binary` hold, and any other string that decodes to
//! something. `url` is never followed.
//!
//! It is read from front to end without a tree and without recursion: neither its depth nor its length
//! takes more than the strings that wait for the end of their object, because the type may be named behind
//! the data. A place is a FHIR path from the resource that it stands in; in a bundle the entry stands
//! before it: `Bundle.entry[3] / DiagnosticReport.presentedForm[0].data`. In other JSON the names may be
//! anybody's, so there a place is the number of the string.

use std::borrow::Cow;

use memchr::memchr2;

use crate::Limit;
use crate::decode;
use crate::find;
use crate::formats::text;
use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

/// Objects and lists in one another; FHIR has some twenty.
const DEEPEST: usize = 500;
/// A path is not told beyond this, in bytes.
const LONGEST_PATH: usize = 500;
/// The longest name of an element that stands in a place.
const LONGEST_NAME: usize = 64;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let is_fhir = part.claims.all().any(|kind| kind == Kind::FhirJson);
    let bytes = part.bytes;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Reader {
        bytes,
        at: 0,
        is_fhir,
        strings: 0,
        path: String::new(),
        frames: Vec::new(),
    };
    let fault = reader.read(walker);
    if let Some(obstacle) = fault {
        reader.end_all(walker);
        // What is no JSON is a text all the same.
        text::search(walker, &[], bytes.get(reader.at..).unwrap_or_default());
        if is_fhir || matches!(obstacle, Obstacle::OverBudget(_)) {
            walker.obstacle(obstacle);
        }
    }
}

/// An object or list that is open.
struct Frame<'a> {
    is_object: bool,
    /// The length of the path to it.
    path_len: usize,
    /// The name of the value that comes, in an object.
    key: Option<Cow<'a, [u8]>>,
    /// The number of the value that comes, in a list.
    index: usize,
    media_type: Option<Cow<'a, [u8]>>,
    title: Option<Cow<'a, [u8]>>,
    /// What waits for the end of the object.
    waiting: Vec<Waiting<'a>>,
}

struct Waiting<'a> {
    key: Option<Cow<'a, [u8]>>,
    /// Its number in its list, or among all strings where names are not told.
    number: usize,
    text: Cow<'a, [u8]>,
    /// Its element holds Base64 by definition.
    is_data: bool,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    is_fhir: bool,
    strings: usize,
    /// The places so far, a line each.
    path: String,
    frames: Vec<Frame<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads to the end, or to what is no JSON.
    fn read(&mut self, walker: &mut Walker<'_>) -> Option<Obstacle> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'{' | b'[' => {
                    if self.frames.len() >= DEEPEST {
                        return Some(Obstacle::OverBudget(Limit::Depth));
                    }
                    self.begin(*byte == b'{');
                    self.at += 1;
                }
                b'}' | b']' => {
                    let frame = self.frames.pop();
                    let fits = frame.as_ref().map(|frame| frame.is_object) == Some(*byte == b'}');
                    if let Some(frame) = frame {
                        self.end(walker, frame);
                    }
                    if !fits {
                        return Some(Obstacle::Damaged(Kind::FhirJson));
                    }
                    self.at += 1;
                }
                b'"' => {
                    let Some(text) = self.string() else {
                        return Some(Obstacle::Damaged(Kind::FhirJson));
                    };
                    self.take(text);
                    if !walker.goes_on() {
                        return None;
                    }
                }
                b',' => {
                    self.next_value();
                    self.at += 1;
                }
                b':' | b'-' | b'+' | b'.' => self.at += 1,
                // Numbers, true, false, null.
                byte if byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() => self.at += 1,
                _ => return Some(Obstacle::Damaged(Kind::FhirJson)),
            }
        }
        (!self.frames.is_empty()).then_some(Obstacle::Damaged(Kind::FhirJson))
    }

    fn begin(&mut self, is_object: bool) {
        self.push_name();
        self.frames.push(Frame {
            is_object,
            path_len: self.path.len(),
            key: None,
            index: 0,
            media_type: None,
            title: None,
            waiting: Vec::new(),
        });
    }

    /// Adds the name or number of the value that comes to the path.
    fn push_name(&mut self) {
        let Some(frame) = self.frames.last() else {
            self.path.clear();
            return;
        };
        self.path.truncate(frame.path_len);
        if !self.is_fhir {
            return;
        }
        if self.path.len() > LONGEST_PATH {
            return;
        }
        if let Some(key) = &frame.key {
            self.path.push('.');
            self.path.push_str(element_name(key));
        } else if !frame.is_object {
            self.path.push_str(&format!("[{}]", frame.index));
        }
    }

    fn next_value(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.index += 1;
            frame.key = None;
        }
    }

    /// The string that begins here, its escapes undone; `None` if it does not end.
    fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        let start = self.at + 1;
        let (mut from, mut escapes) = (start, false);
        loop {
            let found = from + memchr2(b'"', b'\\', self.bytes.get(from..)?)?;
            if self.bytes.get(found) == Some(&b'"') {
                self.at = found + 1;
                let raw = self.bytes.get(start..found)?;
                return Some(if escapes {
                    Cow::Owned(unescape(raw))
                } else {
                    Cow::Borrowed(raw)
                });
            }
            escapes = true;
            from = found + 2;
        }
    }

    /// A string: the name of the value that comes, or a value.
    fn take(&mut self, text: Cow<'a, [u8]>) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let after = rest.iter().find(|byte| !byte.is_ascii_whitespace());
        let in_object = self.frames.last().is_some_and(|frame| frame.is_object);
        if in_object && after == Some(&b':') {
            if let Some(frame) = self.frames.last_mut() {
                frame.key = Some(text);
            }
            return;
        }
        self.strings += 1;
        let key = self.frames.last_mut().and_then(|frame| frame.key.take());
        match key.as_deref() {
            Some(b"resourceType") if self.is_fhir => self.name_resource(&text),
            Some(b"contentType") => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.media_type = Some(text);
                }
            }
            Some(b"title" | b"filename" | b"fileName") if text.len() < 256 => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.title = Some(text);
                }
            }
            named => {
                let is_data = matches!(named, Some(b"data" | b"valueBase64Binary"))
                    || self.is_fhir && named == Some(b"content");
                if is_data && text.len() >= 4 || text.len() >= find::SHORTEST {
                    self.wait(key, text, is_data);
                }
            }
        }
    }

    /// The resource that this object is begins a place of its own.
    fn name_resource(&mut self, text: &[u8]) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        self.path.truncate(frame.path_len);
        let before = self.path.strip_suffix(".resource").unwrap_or(&self.path);
        let len = before.len();
        self.path.truncate(len);
        if !self.path.is_empty() {
            self.path.push('\n');
        }
        self.path.push_str(element_name(text));
        frame.path_len = self.path.len();
    }

    /// Keeps a string for the end of its object: only then its place is told, which may be long.
    fn wait(&mut self, key: Option<Cow<'a, [u8]>>, text: Cow<'a, [u8]>, is_data: bool) {
        let (is_fhir, strings) = (self.is_fhir, self.strings);
        if let Some(frame) = self.frames.last_mut() {
            frame.waiting.push(Waiting {
                key,
                number: if is_fhir { frame.index } else { strings },
                text,
                is_data,
            });
        }
    }

    fn steps(&self, frame: &Frame<'_>, waiting: &Waiting<'_>) -> Vec<Step> {
        if !self.is_fhir {
            return vec![Step::Place(format!("string {}", waiting.number))];
        }
        let path = self.path.get(..frame.path_len).unwrap_or_default();
        let place = match &waiting.key {
            Some(key) => format!("{path}.{}", element_name(key)),
            None => format!("{path}[{}]", waiting.number),
        };
        let places = place.split('\n').filter(|place| !place.is_empty());
        places.map(|place| Step::Place(place.to_owned())).collect()
    }

    /// An object or list has ended: its type is known now.
    fn end(&mut self, walker: &mut Walker<'_>, frame: Frame<'a>) {
        let text = |text: &Option<Cow<'_, [u8]>>| {
            text.as_deref()
                .map(|text| String::from_utf8_lossy(text).chars().take(255).collect())
        };
        let declared = Declared {
            media_type: text(&frame.media_type),
            name: text(&frame.title),
        };
        for waiting in &frame.waiting {
            if !walker.goes_on() {
                return;
            }
            let steps = self.steps(&frame, waiting);
            enter_data(walker, &steps, &waiting.text, waiting.is_data, &declared);
        }
        if let Some(outer) = self.frames.last_mut() {
            self.path.truncate(outer.path_len);
            outer.key = None;
        }
    }

    /// The bytes ended before the objects did.
    fn end_all(&mut self, walker: &mut Walker<'_>) {
        while let Some(frame) = self.frames.pop() {
            self.end(walker, frame);
        }
    }
}

/// Enters what `text` says: Base64 where the element is defined so, else whatever it decodes to.
pub(super) fn enter_data(
    walker: &mut Walker<'_>,
    steps: &[Step],
    text: &[u8],
    is_data: bool,
    declared: &Declared,
) {
    if !is_data {
        text::search(walker, steps, text);
        return;
    }
    let decoded = decode::base64(text);
    let is_all = decoded.used == text.len() && !decoded.bytes.is_empty();
    let at = |writing| steps.iter().cloned().chain([Step::Packing(writing)]);
    let may_be_hex = !is_all || text.iter().all(u8::is_ascii_hexdigit);
    match may_be_hex.then(|| find::whole(text)).flatten() {
        Some(found) if found.writing != "base64" || !is_all => {
            walker.enter(at(found.writing), declared, &found.bytes);
        }
        _ if is_all => walker.enter(at("base64"), declared, &decoded.bytes),
        // A `data` that is none: the samples of a curve, numbers and blanks.
        _ if declared.media_type.is_none() => {
            text::search(walker, steps, text);
        }
        _ => {
            if !decoded.bytes.is_empty() {
                walker.enter(at("base64"), declared, &decoded.bytes);
            }
            let rest = text.get(decoded.used..).unwrap_or_default();
            let found = text::search(walker, steps, rest);
            if !found && rest.len() > decoded.used {
                let place = steps.last().cloned();
                let place = place.unwrap_or(Step::Packing("base64"));
                walker.obstacle_at(place, Obstacle::Damaged(Kind::FhirJson));
            }
        }
    }
}

/// A name as it may stand in a place: letters and digits, as every name of FHIR.
pub(super) fn element_name(name: &[u8]) -> &str {
    let is_name = name.len() <= LONGEST_NAME
        && !name.is_empty()
        && name.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_');
    std::str::from_utf8(name)
        .ok()
        .filter(|_| is_name)
        .unwrap_or("?")
}

/// The string with its escapes undone; what is none stays.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some((escape, after)) = after.split_first() else {
            break;
        };
        rest = after;
        match escape {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => {
                let digits = after
                    .get(..4)
                    .and_then(|digits| std::str::from_utf8(digits).ok());
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let c = code
                    .and_then(char::from_u32)
                    .unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after.get(4..).unwrap_or_default();
            }
            other => out.push(*other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::testing::{parts, seen};

    #[test]
    fn a_resource_in_a_bundle_has_its_place() {
        let bundle = br#"{"resourceType":"Bundle","entry":[{"fullUrl":"a"},{"resource":{
            "resourceType":"DiagnosticReport","contained":[{"resourceType":"Binary","contentType":"text/plain","data":"SGVsbG8="}],
            "extension":[{"url":"x","valueBase64Binary":"SGVsbG8="}],
            "presentedForm":[{"url":"https://lab.example/a"},{"data":"SGVsbG8=","contentType":"application/pdf","title":"a.pdf.exe"}]}}]}"#;
        assert_eq!(
            seen(bundle),
            [
                " = fhir-json",
                "Bundle.entry[1] / DiagnosticReport.contained[0] / Binary.data / base64 = text",
                "Bundle.entry[1] / DiagnosticReport.extension[0].valueBase64Binary / base64 = text",
                "Bundle.entry[1] / DiagnosticReport.presentedForm[1].data / base64 = text",
                "Bundle.entry[1] / DiagnosticReport.presentedForm[1].data / base64 ! type-mismatch",
                "Bundle.entry[1] / DiagnosticReport.presentedForm[1].data / base64 ! deceptive-name",
            ]
        );
    }

    #[test]
    fn escapes_and_breaks_in_data_are_read() {
        let found = parts(
            br#"{"resourceType":"Binary","contentType":"a/b","d\u0061ta":"SGVs\/\r\nbG8\u003d"}"#,
        );
        assert_eq!(found.last().unwrap().0, "Binary.data / base64");
        assert_eq!(found.last().unwrap().1, b"Hel\xfd\xb1\xbc");
    }

    #[test]
    fn damage_is_told_and_numbers_are_no_data() {
        let cut = br#"{"resourceType":"Binary","contentType":"a/b","data":"SGVsbG8=""#;
        assert_eq!(
            seen(cut),
            [" = fhir-json", "Binary.data / base64 = text", " ? damaged"]
        );
        assert_eq!(
            seen(br#"{"resourceType":"Observation","valueSampledData":{"data":"2041.5 2043 2037 E U L"}}"#),
            [" = fhir-json"]
        );
        assert_eq!(seen(b"[section]\nname=value\n"), [" = json"]);
        let deep = [&b"{\"resourceType\":"[..], &b"[".repeat(100_000)].concat();
        assert_eq!(seen(&deep).last().unwrap(), " ? over-budget-depth");
        let lines =
            b"{\"resourceType\":\"A\"}\n{\"resourceType\":\"Binary\",\"data\":\"SGVsbG8=\"}\n";
        assert_eq!(seen(lines).last().unwrap(), "Binary.data / base64 = text");
    }

    #[test]
    fn names_that_are_anybodys_stay_out_of_a_place() {
        let text = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVy";
        let other = format!("{{\"Jane Doe\":{{\"x\":\"{text}\"}}}}");
        assert_eq!(
            seen(other.as_bytes()),
            [" = json", "string 1 / base64 = text"]
        );
        let fhir = format!("{{\"resourceType\":\"Jane Doe\",\"Jane Doe\":\"{text}\"}}");
        assert_eq!(seen(fhir.as_bytes()).last().unwrap(), "?.? / base64 = text");
    }

    proptest! {
        #[test]
        fn any_json_ends(rest in "[\\[\\]{},:\"\\\\a-z0-9+/= ]{0,200}", bytes: Vec<u8>) {
            for rest in [rest.as_bytes(), &bytes] {
                let text = [&b"{\"resourceType\":\"B\","[..], rest].concat();
                prop_assert!(!seen(&text).is_empty());
            }
        }
    }
}
