//! The hosts of an XML file of nmap: addresses, names, and what system it took them for.
//!
//! A reader of tags, and no more of XML than such a file has: what it does not know it passes over.
//! It must never follow an entity, a reference or a depth.

use super::{Row, row};
use crate::DevicesError;
use crate::attribute::Attribute;

/// Bytes of a tag at most.
const TAG_MAX_BYTES: usize = 64 * 1024;

pub(super) fn read(text: &str) -> Result<Vec<Row>, DevicesError> {
    let mut rows = Vec::new();
    let mut host: Option<Host> = None;
    let mut is_nmap = false;
    let mut rest = text;
    while let Some((_, from)) = rest.split_once('<') {
        if let Some(comment) = from.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let Some(end) = end_of_tag(from) else { break };
        let (tag, behind) = from.split_at(end);
        rest = behind;
        match tag_name(tag) {
            "nmaprun" => is_nmap = true,
            "host" => host = Some(Host::default()),
            "/host" => {
                let place = u64::try_from(rows.len())
                    .unwrap_or(u64::MAX)
                    .saturating_add(1);
                rows.extend(
                    host.take()
                        .filter(|host| host.is_up)
                        .map(|host| host.row(place)),
                );
            }
            name => {
                if let Some(host) = &mut host {
                    host.take(name, tag);
                }
            }
        }
    }
    match is_nmap {
        true => Ok(rows),
        false => Err(DevicesError::BadList("it is no XML of nmap")),
    }
}

#[derive(Default)]
struct Host {
    is_up: bool,
    texts: Vec<(Attribute, String)>,
    /// How sure nmap is of the system, in per cent.
    accuracy: u8,
}

impl Host {
    fn take(&mut self, name: &str, tag: &str) {
        match name {
            "status" => self.is_up = value(tag, "state").as_deref() == Some("up"),
            "address" => {
                let kind = value(tag, "addrtype").unwrap_or_default();
                let attribute = if kind == "mac" {
                    Attribute::Mac
                } else {
                    Attribute::Ip
                };
                self.add(attribute, value(tag, "addr"));
            }
            "hostname" => self.add(Attribute::Hostname, value(tag, "name")),
            "osmatch" => {
                let accuracy = value(tag, "accuracy")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                if accuracy > self.accuracy {
                    self.accuracy = accuracy;
                    self.texts
                        .retain(|(attribute, _)| *attribute != Attribute::Os);
                    self.add(Attribute::Os, value(tag, "name"));
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, attribute: Attribute, value: Option<String>) {
        // More than a host has is no host's.
        if self.texts.len() < 64 {
            self.texts.extend(value.map(|value| (attribute, value)));
        }
    }

    fn row(self, place: u64) -> Row {
        let texts: Vec<_> = self
            .texts
            .iter()
            .map(|(attribute, text)| (*attribute, text.as_str()))
            .collect();
        row(place, &texts, &[])
    }
}

/// Where a tag ends: at the first `>` outside quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().take(TAG_MAX_BYTES) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn tag_name(tag: &str) -> &str {
    let end = tag
        .find(|char: char| char.is_whitespace())
        .unwrap_or(tag.len());
    tag.get(..end).unwrap_or(tag).trim_end_matches('/')
}

/// The value of an attribute of a tag.
fn value(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        let (before, behind) = rest.split_once('=')?;
        let quote = behind
            .chars()
            .next()
            .filter(|char| matches!(char, '"' | '\''))?;
        let (text, after) = behind.get(1..)?.split_once(quote)?;
        let is_it = before.trim_end().rsplit(char::is_whitespace).next() == Some(name);
        if is_it {
            return Some(unescaped(text));
        }
        rest = after;
    }
}

fn unescaped(text: &str) -> String {
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#45;", "-"),
        ("&amp;", "&"),
    ];
    named.iter().fold(text.to_owned(), |text, (name, char)| {
        text.replace(name, char)
    })
}
