//! The cells of a workbook (ECMA-376): a zip of XML, of which only sheets and shared texts are read.
//!
//! It must never hold a text more than once, expand an entity of its own, believe a size or a count that
//! the file states, or follow a link out of the file.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::{Error, Text};

const MOST_BYTES: usize = 32 << 20;
const MOST_PARTS: usize = 2_000;
/// Of one part, and of all parts that are read.
const MOST_UNPACKED: usize = 64 << 20;
const MOST_SHEETS: usize = 64;
const MOST_CELLS: usize = 200_000;
const MOST_MERGES: usize = 5_000;
/// What Excel allows in a cell.
const LONGEST_TEXT: usize = 4 * 32_767;
const DEEPEST: usize = 64;

/// A row and a column, counted from 0.
pub(crate) type Place = (u32, u32);

/// One sheet.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) name: Text,
    pub(crate) cells: BTreeMap<Place, Text>,
    /// First and last cell of those that are shown as one.
    merges: Vec<(Place, Place)>,
}

/// A workbook.
#[derive(Debug, Default)]
pub(crate) struct Workbook {
    pub(crate) sheets: Vec<Sheet>,
    /// Days are counted from 1904, as Excel for the Macintosh did.
    pub(crate) from_1904: bool,
}

impl Sheet {
    /// The text of a cell, that of the first cell for one that is merged with it.
    pub(crate) fn at(&self, place: Place) -> Option<&Text> {
        self.cells.get(&place).or_else(|| {
            let within = |(first, last): &&(Place, Place)| {
                (first.0..=last.0).contains(&place.0) && (first.1..=last.1).contains(&place.1)
            };
            let (first, _) = self.merges.iter().find(within)?;
            self.cells.get(first)
        })
    }
}

struct Parts<'b> {
    zip: zip::ZipArchive<Cursor<&'b [u8]>>,
    unpacked: usize,
}

impl Parts<'_> {
    /// The text of a part; `None` if there is none.
    fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        let name = name.trim_start_matches('/');
        let Some(index) = self.zip.index_for_name(name) else {
            return Ok(None);
        };
        let part = self.zip.by_index(index);
        let part = part.map_err(|_| Error::Damaged("a part cannot be unpacked"))?;
        let mut bytes = Vec::new();
        let left = MOST_UNPACKED - self.unpacked;
        let read = part.take(left as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|_| Error::Damaged("a part cannot be unpacked"))?;
        if bytes.len() > left {
            return Err(Error::TooLarge("unpacked bytes"));
        }
        self.unpacked += bytes.len();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
    }
}

impl Workbook {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
            return Err(Error::OldWorkbook);
        }
        if bytes.starts_with(b"%PDF") {
            return Err(Error::Pdf);
        }
        if bytes.len() > MOST_BYTES {
            return Err(Error::TooLarge("bytes"));
        }
        let zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| Error::NotAWorkbook)?;
        if zip.len() > MOST_PARTS {
            return Err(Error::TooLarge("parts"));
        }
        let mut parts = Parts { zip, unpacked: 0 };
        let list = parts.text("xl/workbook.xml")?.ok_or(Error::NotAWorkbook)?;
        let links = parts
            .text("xl/_rels/workbook.xml.rels")?
            .unwrap_or_default();
        let links = links_of(&links)?;
        let strings = parts.text("xl/sharedStrings.xml")?.unwrap_or_default();
        let strings = strings_of(&strings)?;
        let (named, from_1904) = sheets_of(&list)?;
        let mut workbook = Self {
            from_1904,
            ..Self::default()
        };
        let mut cells = 0;
        for (name, link) in named.into_iter().take(MOST_SHEETS) {
            let Some(path) = links.get(&link) else {
                continue;
            };
            let Some(text) = parts.text(path)? else {
                continue;
            };
            let sheet = sheet_of(name, &text, &strings, &mut cells)?;
            workbook.sheets.push(sheet);
        }
        Ok(workbook)
    }
}

/// Goes through the XML; an error of its form ends it.
fn events<'x>(
    text: &'x str,
    mut take: impl FnMut(Event<'x>, bool) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = Reader::from_str(text);
    let mut depth = 0;
    loop {
        let event = reader.read_event();
        match event.map_err(|_| Error::Damaged("no well-formed XML"))? {
            Event::Eof => return Ok(()),
            Event::Start(start) => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(Error::TooLarge("nesting"));
                }
                take(Event::Start(start), false)?;
            }
            Event::End(end) => {
                depth -= 1;
                take(Event::End(end), false)?;
            }
            // One that is empty has no end of its own.
            Event::Empty(start) => take(Event::Start(start), true)?,
            event => take(event, false)?,
        }
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = start.attributes();
    let all = all.with_checks(false).flatten();
    let mut named = all.filter(|one| one.key.local_name().as_ref() == name);
    let value = named
        .next()?
        .normalized_value(XmlVersion::Implicit1_0)
        .ok()?;
    Some(value.into_owned())
}

/// Adds what a text event says to a text that may not grow without end.
fn add(to: &mut String, event: &Event<'_>) {
    if to.len() > LONGEST_TEXT {
        return;
    }
    match event {
        Event::Text(text) => to.push_str(text),
        Event::CData(text) => to.push_str(text),
        Event::GeneralRef(reference) => match reference.resolve_char_ref() {
            Ok(Some(char)) => to.push(char),
            _ => to.push_str(resolve_predefined_entity(reference).unwrap_or_default()),
        },
        _ => {}
    }
}

/// A text whose control characters are written as `_x000D_` (ECMA-376, ST_Xstring).
fn unescaped(text: &str) -> Text {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let code = after.get(..4).filter(|_| after.get(4..5) == Some("_"));
        let code = code.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(char) => {
                plain.push(char);
                rest = after.get(5..).unwrap_or_default();
            }
            None => {
                plain.push_str("_x");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    Text::from(plain)
}

/// The sheets in their order, each with the id of its link; and whether days count from 1904.
fn sheets_of(text: &str) -> Result<(Vec<(Text, String)>, bool), Error> {
    let mut sheets = Vec::new();
    let mut from_1904 = false;
    events(text, |event, _| {
        if let Event::Start(start) = &event {
            match start.local_name().as_ref() {
                "sheet" => {
                    let name = attribute(start, "name").unwrap_or_default();
                    let link = attribute(start, "id").unwrap_or_default();
                    sheets.push((Text::from(name), link));
                }
                "workbookPr" => {
                    let value = attribute(start, "date1904");
                    from_1904 = matches!(value.as_deref(), Some("1" | "true"));
                }
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok((sheets, from_1904))
}

fn links_of(text: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut links = BTreeMap::new();
    events(text, |event, _| {
        if let Event::Start(start) = &event
            && let (Some(id), Some(target)) = (attribute(start, "Id"), attribute(start, "Target"))
        {
            let path = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => format!("xl/{target}"),
            };
            links.insert(id, path);
        }
        Ok(())
    })?;
    Ok(links)
}

/// The shared texts, by their number; what is said of their pronunciation is no part of them.
fn strings_of(text: &str) -> Result<Vec<Text>, Error> {
    let mut strings = Vec::new();
    let (mut now, mut in_text, mut in_reading) = (String::new(), false, false);
    events(text, |event, is_empty| {
        match &event {
            Event::Start(start) => match start.local_name().as_ref() {
                "si" if is_empty => strings.push(Text::default()),
                "si" => now.clear(),
                "t" => in_text = !is_empty,
                "rPh" => in_reading = !is_empty,
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "si" => strings.push(unescaped(&now)),
                "t" => in_text = false,
                "rPh" => in_reading = false,
                _ => {}
            },
            event if in_text && !in_reading => add(&mut now, event),
            _ => {}
        }
        Ok(())
    })?;
    Ok(strings)
}

/// The cell that is being read.
#[derive(Default)]
struct Cell {
    place: Place,
    kind: String,
    text: String,
    /// Inside `v` or `t`, and so inside the text.
    is_open: bool,
}

fn sheet_of(name: Text, text: &str, strings: &[Text], count: &mut usize) -> Result<Sheet, Error> {
    let mut sheet = Sheet {
        name,
        ..Sheet::default()
    };
    let mut cell = Cell::default();
    let mut next: Place = (0, 0);
    events(text, |event, is_empty| {
        match &event {
            Event::Start(start) => match start.local_name().as_ref() {
                "row" => {
                    let row = attribute(start, "r").and_then(|row| row.parse::<u32>().ok());
                    next = (row.map_or(next.0, |row| row.saturating_sub(1)), 0);
                    // An empty row has no end that would count it.
                    next.0 += u32::from(is_empty);
                }
                "c" => {
                    let place = attribute(start, "r").and_then(|place| place_of(&place));
                    cell = Cell {
                        place: place.unwrap_or(next),
                        kind: attribute(start, "t").unwrap_or_default(),
                        ..Cell::default()
                    };
                    next = (cell.place.0, cell.place.1.saturating_add(1));
                }
                "v" | "t" => cell.is_open = !is_empty,
                "mergeCell" if sheet.merges.len() < MOST_MERGES => {
                    let range = attribute(start, "ref").unwrap_or_default();
                    if let Some((first, last)) = range.split_once(':')
                        && let (Some(first), Some(last)) = (place_of(first), place_of(last))
                    {
                        sheet.merges.push((first, last));
                    }
                }
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "row" => next = (next.0.saturating_add(1), 0),
                "v" | "t" => cell.is_open = false,
                "c" => {
                    let cell = std::mem::take(&mut cell);
                    let place = cell.place;
                    if let Some(text) = cell.into_text(strings) {
                        *count += 1;
                        sheet.cells.insert(place, text);
                    }
                }
                _ => {}
            },
            event if cell.is_open => add(&mut cell.text, event),
            _ => {}
        }
        match *count > MOST_CELLS {
            true => Err(Error::TooLarge("cells")),
            false => Ok(()),
        }
    })?;
    Ok(sheet)
}

impl Cell {
    fn into_text(self, strings: &[Text]) -> Option<Text> {
        let text = match self.kind.as_str() {
            "s" => strings
                .get(self.text.trim().parse::<usize>().ok()?)?
                .clone(),
            "b" if self.text.trim() == "1" => Text::from("TRUE"),
            "b" => Text::from("FALSE"),
            "e" => return None,
            _ => unescaped(&self.text),
        };
        (!text.trim().is_empty()).then_some(text)
    }
}

/// A place such as `B12`.
fn place_of(text: &str) -> Option<Place> {
    let text = text.trim_start_matches('$');
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let (letters, digits) = text.split_at_checked(end)?;
    let mut column = 0_u32;
    for letter in letters.bytes() {
        let digit = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.checked_mul(26)?.checked_add(digit)?;
    }
    let row: u32 = digits.trim_start_matches('$').parse().ok()?;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

/// A place as Excel shows it, such as `B12`.
pub(crate) fn shown(place: Place) -> String {
    let mut letters = Vec::new();
    let mut column = u64::from(place.1) + 1;
    while column > 0 {
        let letter = u8::try_from((column - 1) % 26).unwrap_or_default();
        letters.push(char::from(b'A' + letter));
        column = (column - 1) / 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", u64::from(place.0) + 1)
}
