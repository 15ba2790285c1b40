//! POCT1-A (CLSI): the hello message `HEL.R01`, object `DEV`.
//!
//! It must never read another message: observations hold patients and operators.

use std::borrow::Cow;

use crate::bytes::{find, from};
use crate::sighting::{Attribute, Facts, Source};

/// A hello message is looked for in so many bytes.
const HELLO_BYTES_MAX: usize = 16 << 10;

/// What each element of `DEV` means.
const ELEMENTS: &[(&str, Attribute)] = &[
    ("DEV.device_id", Attribute::Identifier),
    ("DEV.vendor_id", Attribute::Manufacturer),
    ("DEV.manufacturer_name", Attribute::Manufacturer),
    ("DEV.model_id", Attribute::Model),
    ("DEV.serial_id", Attribute::SerialNumber),
    ("DEV.sw_version", Attribute::Version),
    ("DEV.device_name", Attribute::Product),
];

/// What a stream says, if a hello message stands in it.
pub fn stream(bytes: &[u8]) -> Option<Facts> {
    let bytes = bytes.get(..bytes.len().min(HELLO_BYTES_MAX))?;
    let hello = from(bytes, find(bytes, b"<HEL.R01")?);
    let hello = match find(hello, b"</HEL.R01") {
        Some(end) => hello.get(..end)?,
        None => hello,
    };
    let text = String::from_utf8_lossy(hello);
    let mut facts = Facts::new(Source::Poct1a);
    let mut is_device = false;
    for tag in text.split('<').skip(1) {
        // What no `>` ends was cut off, or is no tag.
        let Some(end) = tag_end(tag) else { continue };
        let tag = tag.get(..end).unwrap_or_default();
        let name = tag
            .split(|c: char| c.is_whitespace() || c == '/')
            .next()
            .unwrap_or_default();
        match name {
            "DEV" => is_device = true,
            "" if tag == "/DEV" => is_device = false,
            _ => {}
        }
        let Some((_, attribute)) = ELEMENTS.iter().find(|(element, _)| *element == name) else {
            continue;
        };
        if let (true, Some(value)) = (is_device, value(tag)) {
            facts.stated(*attribute, &value);
        }
    }
    if !facts.facts().is_empty() {
        facts.likely(Attribute::Role, "point-of-care analyzer");
    }
    Some(facts)
}

/// Where the tag ends: at the first `>` outside of quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// The value of the attribute `V`.
fn value(tag: &str) -> Option<Cow<'_, str>> {
    let mut rest = tag;
    let raw = loop {
        let (before, after) = rest.split_once('V')?;
        let assigned = after.trim_start().strip_prefix('=').map(str::trim_start);
        if let (true, Some(quoted)) = (before.ends_with(char::is_whitespace), assigned) {
            let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            break quoted.get(1..)?.split(quote).next()?;
        }
        rest = after;
    };
    if !raw.contains('&') {
        return Some(Cow::Borrowed(raw));
    }
    let mut text = raw.to_owned();
    // `&amp;` last, so that nothing is undone twice.
    for (escape, sign) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(escape, sign);
    }
    Some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::HELLO;
    use crate::dissect::check::said;

    #[test]
    fn a_hello_says_maker_model_serial_number_and_version() {
        let facts = stream(HELLO.as_bytes()).unwrap();
        assert_eq!(
            said(&facts),
            [
                (Attribute::Identifier, "00-60-55-FF-FE-12-34-56"),
                (Attribute::Manufacturer, "Acme & Sons"),
                (Attribute::Model, "POC 100"),
                (Attribute::SerialNumber, "12345678"),
                (Attribute::Version, "3.2.1"),
                (Attribute::Role, "point-of-care analyzer"),
            ]
        );
    }

    #[test]
    fn an_observation_says_nothing() {
        let bytes = b"<OBS.R01><PT><PT.patient_id V=\"77\"/><DEV.model_id V=\"X\"/></PT></OBS.R01>";
        assert!(stream(bytes).is_none());
        let behind = [
            HELLO.as_bytes(),
            b"<OBS.R01><DEV><DEV.serial_id V=\"77\"/></DEV></OBS.R01>",
        ];
        assert!(!format!("{:?}", stream(&behind.concat())).contains("77"));
    }

    #[test]
    fn a_value_that_the_end_cut_off_is_not_taken() {
        let facts = stream(b"<HEL.R01><DEV><DEV.model_id V=\"POC 1").unwrap();
        assert!(facts.facts().is_empty());
    }
}
