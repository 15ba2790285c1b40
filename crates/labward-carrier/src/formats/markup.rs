//! XML: FHIR, CDA and any other. What `data` and `valueBase64Binary` hold in FHIR, what CDA declares as
//! Base64 (`representation="B64"`), packed or not, and any other value that decodes to something. The
//! narrative of a CDA section is not decoded.
//!
//! No entity is expanded and no DTD read: character references and the five predefined entities only. A
//! place is the path of the elements, from the resource in FHIR; where a list and a single element look
//! the same, the number stands from the second of a name on, counted from 0: `content[1]`.

use std::borrow::Cow;

use flate2::read::{DeflateDecoder, ZlibDecoder};
use quick_xml::Reader as Xml;
use quick_xml::events::{BytesStart, Event};

use crate::Limit;
use crate::decode;
use crate::find;
use crate::formats::json::{element_name, enter_data};
use crate::formats::text;
use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

/// Elements in one another.
const DEEPEST: usize = 500;
/// A path is not told beyond this, in bytes.
const LONGEST_PATH: usize = 500;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let is = |wanted| part.claims.all().any(|kind| kind == wanted);
    let kind = match (is(Kind::Cda), is(Kind::FhirXml)) {
        (true, _) => Kind::Cda,
        (_, true) => Kind::FhirXml,
        _ => Kind::Xml,
    };
    let text = String::from_utf8_lossy(part.bytes);
    let mut reader = Reader {
        kind,
        values: 0,
        elements: Vec::new(),
    };
    let (fault, at) = reader.read(walker, &text);
    if let Some(obstacle) = fault {
        while let Some(element) = reader.elements.pop() {
            reader.end(walker, element);
        }
        let rest = usize::try_from(at).ok().and_then(|at| text.get(at..));
        text::search(walker, &[], rest.unwrap_or_default().as_bytes());
        if kind != Kind::Xml || matches!(obstacle, Obstacle::OverBudget(_)) {
            walker.obstacle(obstacle);
        }
    }
}

/// An element that is open.
#[derive(Default)]
struct Element {
    name: String,
    /// Its number among those of its name around it, from 0.
    number: usize,
    /// How many children of each name it had.
    children: Vec<(String, usize)>,
    /// `mediaType` of CDA, `contentType` of FHIR.
    media_type: Option<String>,
    title: Option<String>,
    is_base64: bool,
    compression: Option<String>,
    text: String,
    /// Values that wait for the end of the element, because their type may be named behind them.
    waiting: Vec<Waiting>,
}

/// The value of an element of FHIR in the one that waits, or of an attribute.
struct Waiting {
    name: String,
    /// `None` for an attribute.
    number: Option<usize>,
    value: String,
    /// Its element holds Base64 by definition.
    is_data: bool,
}

struct Reader {
    kind: Kind,
    values: usize,
    elements: Vec<Element>,
}

impl Reader {
    /// Reads to the end or to what is no XML; where that was.
    fn read(&mut self, walker: &mut Walker<'_>, text: &str) -> (Option<Obstacle>, u64) {
        let mut xml = Xml::from_str(text);
        let config = xml.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        config.expand_empty_elements = true;
        loop {
            let at = xml.buffer_position();
            match xml.read_event() {
                Ok(Event::Start(start)) => {
                    if self.elements.len() >= DEEPEST {
                        return (Some(Obstacle::OverBudget(Limit::Depth)), at);
                    }
                    self.begin(&start);
                }
                Ok(Event::End(_)) => {
                    if let Some(element) = self.elements.pop() {
                        self.end(walker, element);
                    }
                    if !walker.goes_on() {
                        return (None, at);
                    }
                }
                Ok(Event::Text(text)) => self.add(&text.into_inner()),
                Ok(Event::CData(text)) => self.add(&text.into_inner()),
                Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                    Ok(Some(c)) => self.add(c.encode_utf8(&mut [0; 4])),
                    _ => self.add(predefined(&reference.into_inner())),
                },
                Ok(Event::Eof) => {
                    let cut = !self.elements.is_empty();
                    return (cut.then_some(Obstacle::Damaged(self.kind)), at);
                }
                Ok(_) => {}
                Err(_) => return (Some(Obstacle::Damaged(self.kind)), at),
            }
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>) {
        let name = start.local_name();
        let name: &str = name.as_ref();
        let name = element_name(name.as_bytes()).to_owned();
        let mut element = Element {
            number: self
                .elements
                .last_mut()
                .map_or(0, |outer| count(outer, &name)),
            name,
            ..Element::default()
        };
        let mut value = None;
        for attribute in start.attributes().with_checks(false).flatten() {
            let key = attribute.key.local_name();
            let key: &str = key.as_ref();
            let text = unescaped(&attribute.value);
            match key {
                "value" => value = Some(text.into_owned()),
                "representation" => element.is_base64 = text.trim().eq_ignore_ascii_case("B64"),
                "mediaType" => element.media_type = Some(text.into_owned()),
                "compression" => element.compression = Some(text.trim().to_ascii_uppercase()),
                _ if text.len() >= find::SHORTEST => {
                    element.waiting.push(Waiting {
                        name: key.to_owned(),
                        number: None,
                        value: text.into_owned(),
                        is_data: false,
                    });
                }
                _ => {}
            }
        }
        if let Some(value) = value {
            self.take_value(&element, value);
        }
        self.elements.push(element);
    }

    /// The value of a FHIR element: a fact of its parent, or what waits for the parent's type.
    fn take_value(&mut self, element: &Element, value: String) {
        let is_fhir = self.kind == Kind::FhirXml;
        let name = element.name.as_str();
        let is_data = is_fhir && matches!(name, "data" | "valueBase64Binary" | "content");
        let waits = is_data && value.len() >= 4 || value.len() >= find::SHORTEST;
        let is_fact = matches!(name, "contentType" | "title") && value.len() < 256;
        let Some(outer) = self.elements.last_mut() else {
            return;
        };
        match name {
            "contentType" if is_fact => outer.media_type = Some(value),
            "title" if is_fact => outer.title = Some(value),
            name if waits => outer.waiting.push(Waiting {
                name: name.to_owned(),
                number: Some(element.number),
                value,
                is_data,
            }),
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if let Some(element) = self.elements.last_mut() {
            element.text.push_str(text);
        }
    }

    /// An element has ended: what is in it is entered.
    fn end(&mut self, walker: &mut Walker<'_>, element: Element) {
        let declared = Declared {
            media_type: element.media_type.as_deref().map(short),
            name: element.title.as_deref().map(short),
        };
        for waiting in &element.waiting {
            if !walker.goes_on() {
                return;
            }
            let steps = steps(&self.place(&element, Some(waiting)));
            let value = waiting.value.as_bytes();
            enter_data(walker, &steps, value, waiting.is_data, &declared);
        }
        let text = element.text.trim();
        if element.is_base64 && !text.is_empty() {
            let steps = steps(&self.place(&element, None));
            enter_base64(walker, &steps, text, &element, &declared);
        } else if self.is_document(&element) && text.len() >= 4 {
            let steps = steps(&self.place(&element, None));
            walker.enter(steps, &declared, text.as_bytes());
        } else if text.len() >= find::SHORTEST
            && !self.is_narrative(&element)
            // Files in flat documents are read by their own module.
            && !matches!(element.name.as_str(), "binData" | "binaryData")
        {
            let steps = steps(&self.place(&element, None));
            text::search(walker, &steps, text.as_bytes());
        }
    }

    /// The body of a CDA that is not structured, written as text.
    fn is_document(&self, element: &Element) -> bool {
        let body = self.elements.last().map(|outer| outer.name.as_str());
        self.kind == Kind::Cda && element.name == "text" && body == Some("nonXMLBody")
    }

    /// The text of a section, or what stands in it.
    fn is_narrative(&self, element: &Element) -> bool {
        let names = self.elements.iter().map(|outer| outer.name.as_str());
        let names: Vec<&str> = names.chain([element.name.as_str()]).collect();
        self.kind == Kind::Cda && names.windows(2).any(|pair| pair == ["section", "text"])
    }

    /// The path of the element, or of a value in it: places, a line each.
    fn place(&mut self, element: &Element, value: Option<&Waiting>) -> String {
        if self.kind == Kind::Xml {
            self.values += 1;
            return format!("value {}", self.values);
        }
        let mut out = String::new();
        for element in self.elements.iter().chain([element]) {
            if out.len() > LONGEST_PATH {
                break;
            }
            self.add_name(&mut out, &element.name, element.number);
        }
        match value {
            Some(Waiting {
                name, number: None, ..
            }) => {
                out.push('@');
                out.push_str(element_name(name.as_bytes()));
            }
            Some(Waiting {
                name,
                number: Some(number),
                ..
            }) => {
                self.add_name(&mut out, name, *number);
            }
            None => {}
        }
        out
    }

    /// Adds an element to the path; a resource begins a place of its own.
    fn add_name(&self, out: &mut String, name: &str, number: usize) {
        let is_first = out.is_empty();
        let is_resource =
            self.kind == Kind::FhirXml && name.starts_with(|c: char| c.is_ascii_uppercase());
        if is_resource {
            let outer = out.strip_suffix(".resource").unwrap_or(out).len();
            out.truncate(outer);
        }
        if !is_first {
            out.push(if is_resource { '\n' } else { '.' });
        }
        out.push_str(name);
        if number > 0 {
            out.push_str(&format!("[{number}]"));
        }
    }
}

/// The steps of a place: one a line.
fn steps(place: &str) -> Vec<Step> {
    let places = place.split('\n').filter(|place| !place.is_empty());
    places.map(|place| Step::Place(place.to_owned())).collect()
}

/// The number of a new child of this name.
fn count(outer: &mut Element, name: &str) -> usize {
    // Beyond this many names the numbers end; no schema has so many.
    if let Some((_, count)) = outer.children.iter_mut().find(|(other, _)| other == name) {
        *count += 1;
        return *count;
    }
    if outer.children.len() < 100 {
        outer.children.push((name.to_owned(), 0));
    }
    0
}

fn short(text: &str) -> String {
    text.chars().take(255).collect()
}

fn predefined(name: &str) -> &'static str {
    match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

/// An attribute's value with its character references undone.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut pieces = value.split('&');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(';').unwrap_or(("", piece));
        let digits = name.strip_prefix('#').unwrap_or_default();
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        };
        match code.and_then(char::from_u32) {
            Some(c) => out.push(c),
            None => out.push_str(predefined(name)),
        }
        out.push_str(rest);
    }
    Cow::Owned(out)
}

/// Enters what CDA declares as Base64, unpacked as it declares (CompressionAlgorithm).
fn enter_base64(
    walker: &mut Walker<'_>,
    steps: &[Step],
    text: &str,
    element: &Element,
    declared: &Declared,
) {
    let decoded = decode::base64(text.as_bytes());
    let rest = text.len().saturating_sub(decoded.used);
    let bytes = decoded.bytes;
    let base64 = Step::Packing("base64");
    let at = |packing: Option<&'static str>| {
        let packing = packing.map(Step::Packing);
        steps.iter().cloned().chain([base64.clone()]).chain(packing)
    };
    let last = steps.last().cloned().unwrap_or(base64.clone());
    let (kind, packed_len) = (Kind::Cda, bytes.len() as u64);
    match element.compression.as_deref() {
        Some("DF") => {
            let steps = at(Some("deflate"));
            walker.unpack(
                steps,
                declared,
                kind,
                packed_len,
                &mut DeflateDecoder::new(&*bytes),
            );
        }
        Some("ZL") => {
            let steps = at(Some("zlib"));
            walker.unpack(
                steps,
                declared,
                kind,
                packed_len,
                &mut ZlibDecoder::new(&*bytes),
            );
        }
        Some("Z") => walker.obstacle_at(last.clone(), Obstacle::UnknownPacking(kind)),
        // What has a mark of its own (GZ, BZ, Z7) is known by it; its type is that of what it packs.
        Some(_) => walker.enter(at(None), &Declared::nothing(), &bytes),
        None if !bytes.is_empty() => walker.enter(at(None), declared, &bytes),
        None => {}
    }
    if bytes.is_empty() || rest > decoded.used {
        walker.obstacle_at(last, Obstacle::Damaged(kind));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use crate::testing::seen;

    #[test]
    fn resources_have_their_places() {
        let bundle = br#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>
            <Bundle xmlns="http://hl7.org/fhir"><entry/><entry><resource><DocumentReference>
            <contained><Binary><contentType value="text/plain"/><data value="SGVs&#10;bG8="/></Binary></contained>
            <content><attachment><data value="SGVsbG8="/><contentType value="application/pdf"/></attachment></content>
            <content><attachment><data value="SGVsbG8="/></attachment></content>
            </DocumentReference></resource></entry></Bundle>"#;
        assert_eq!(
            seen(bundle),
            [
                " = fhir-xml",
                "Bundle.entry[1] / DocumentReference.contained / Binary.data / base64 = text",
                "Bundle.entry[1] / DocumentReference.content.attachment.data / base64 = text",
                "Bundle.entry[1] / DocumentReference.content.attachment.data / base64 ! type-mismatch",
                "Bundle.entry[1] / DocumentReference.content[1].attachment.data / base64 = text",
            ]
        );
    }

    fn cda(inside: &str) -> String {
        format!(
            "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><component>{inside}</component></ClinicalDocument>"
        )
    }

    #[test]
    fn cda_is_read_as_it_declares() {
        let script = b"#!/bin/sh\necho hello from a carrier\n";
        let base64 = STANDARD.encode(script);
        let packed = |kind: &str| {
            let mut out = match kind {
                "GZ" => {
                    let mut packer = flate2::write::GzEncoder::new(Vec::new(), Default::default());
                    packer.write_all(script).unwrap();
                    packer.finish()
                }
                "ZL" => {
                    let mut packer =
                        flate2::write::ZlibEncoder::new(Vec::new(), Default::default());
                    packer.write_all(script).unwrap();
                    packer.finish()
                }
                _ => {
                    let mut packer =
                        flate2::write::DeflateEncoder::new(Vec::new(), Default::default());
                    packer.write_all(script).unwrap();
                    packer.finish()
                }
            }
            .unwrap();
            out.flush().unwrap();
            STANDARD.encode(out)
        };
        let body = "ClinicalDocument.component.nonXMLBody.text";
        for (attribute, data, path) in [
            ("", base64.clone(), " / base64"),
            ("compression=\"DF\"", packed("DF"), " / base64 / deflate"),
            ("compression=\"ZL\"", packed("ZL"), " / base64 / zlib"),
            ("compression=\"GZ\"", packed("GZ"), " / base64 / gzip"),
        ] {
            let text = format!(
                "<nonXMLBody><text representation=\"B64\" {attribute}>\n{data}\n</text></nonXMLBody>"
            );
            let found = seen(cda(&text).as_bytes());
            assert!(
                found.contains(&format!("{body}{path} = script")),
                "{found:?}"
            );
            assert!(found.iter().all(|line| !line.contains('?')), "{found:?}");
        }
        let media = format!(
            "<observationMedia><value mediaType=\"image/png\" representation=\"B64\">{base64}</value></observationMedia>"
        );
        let found = seen(cda(&media).as_bytes());
        assert!(
            found.contains(
                &"ClinicalDocument.component.observationMedia.value / base64 ! type-mismatch"
                    .to_owned()
            )
        );
        let narrative = format!("<section><text><paragraph>{base64}</paragraph></text></section>");
        assert_eq!(seen(cda(&narrative).as_bytes()), [" = cda"]);
        let plain = "<nonXMLBody><text mediaType=\"text/rtf\">{\\rtf1 hello}</text></nonXMLBody>";
        assert_eq!(
            seen(cda(plain).as_bytes()),
            [" = cda", &format!("{body} = rtf")]
        );
        let bad =
            "<nonXMLBody><text representation=\"B64\" compression=\"Z\">AAAA</text></nonXMLBody>";
        assert_eq!(
            seen(cda(bad).as_bytes()).last().unwrap(),
            &format!("{body} ? unknown-packing")
        );
    }

    #[test]
    fn damage_and_depth_are_told() {
        assert_eq!(
            seen(b"<Binary xmlns=\"http://hl7.org/fhir\"><data value=\"SGVsbG8=\"/>"),
            [" = fhir-xml", "Binary.data / base64 = text", " ? damaged"]
        );
        assert_eq!(seen(b"<a>never closed"), [" = xml"]);
        let deep = format!("<x xmlns=\"http://hl7.org/fhir\">{}", "<a>".repeat(10_000));
        assert_eq!(
            seen(deep.as_bytes()).last().unwrap(),
            " ? over-budget-depth"
        );
    }

    proptest! {
        #[test]
        fn any_xml_ends(rest in "[<>/a-z=\"&;#!\\[\\]A-Z0-9 -]{0,200}", bytes: Vec<u8>) {
            for rest in [rest.as_bytes(), &bytes] {
                prop_assert!(!seen(&[b"<B xmlns=\"http://hl7.org/fhir\">", rest].concat()).is_empty());
            }
        }
    }
}
