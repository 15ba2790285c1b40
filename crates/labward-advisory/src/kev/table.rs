//! The catalog as CSV: the same columns, one line an entry; it says no version and no date of its own.

use csv::StringRecord;
use time::Date;
use time::macros::format_description;

use super::{Catalog, KnownExploited};
use crate::flaw::Flaws;
use crate::json::to_text;
use crate::{Error, Limits, Text};

/// Whether the first line names the columns of the catalog.
pub(super) fn is_table(bytes: &[u8]) -> bool {
    let start = bytes.get(..bytes.len().min(1_024)).unwrap_or_default();
    let first = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    first.contains("cveID") && first.contains("dateAdded") && !first.contains('{')
}

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Catalog, Error> {
    if bytes.len() > limits.max_bytes {
        return Err(Error::TooLarge {
            bytes: bytes.len(),
            limit: limits.max_bytes,
        });
    }
    let (text, replaced) = to_text(bytes);
    let mut flaws = Flaws::new(limits.max_flaws);
    if replaced {
        let what = "bytes that are no UTF-8 were replaced by U+FFFD";
        flaws.add_at("text", "", what);
    }
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let head = reader.headers().map_err(|_| Error::NotA("KEV"))?.clone();
    let mut entries = Vec::new();
    for (number, record) in (1_usize..).zip(reader.records()) {
        let place = format!("entry {number}");
        match record {
            Ok(_) if entries.len() >= limits.max_entries => {
                let what = "more entries than the limit; the rest was left out";
                flaws.add_at("read", place, what);
                break;
            }
            Ok(record) => {
                let line = Line {
                    head: &head,
                    record: &record,
                };
                entries.push(line.entry(|what| flaws.add_at("read", place.clone(), what)));
            }
            Err(_) => flaws.add_at("read", place, "no line of CSV"),
        }
    }
    Ok(Catalog {
        version: Text::default(),
        released: None,
        entries,
        flaws,
    })
}

struct Line<'r> {
    head: &'r StringRecord,
    record: &'r StringRecord,
}

impl Line<'_> {
    fn text(&self, column: &str) -> &str {
        let mut cells = self.head.iter().zip(self.record);
        let cell = cells.find(|(name, _)| name.trim().eq_ignore_ascii_case(column));
        cell.map_or("", |(_, cell)| cell.trim())
    }

    fn date(&self, column: &str, flaw: &mut impl FnMut(String)) -> Option<Date> {
        let text = self.text(column);
        let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
        if date.is_err() && !text.is_empty() {
            flaw(format!("{column} is no date (YYYY-MM-DD)"));
        }
        date.ok()
    }

    fn entry(&self, mut flaw: impl FnMut(String)) -> KnownExploited {
        let added = self.date("dateAdded", &mut flaw);
        let due = self.date("dueDate", &mut flaw);
        let known_ransomware = match self.text("knownRansomwareCampaignUse") {
            "" | "Unknown" => false,
            "Known" => true,
            _ => {
                flaw("neither `Known` nor `Unknown`; read as known".to_owned());
                true
            }
        };
        if self.text("cveID").is_empty() {
            flaw("`cveID` is missing".to_owned());
        }
        let cwes = self.text("cwes").split(',').map(str::trim);
        KnownExploited {
            cve: self.text("cveID").into(),
            vendor: self.text("vendorProject").into(),
            product: self.text("product").into(),
            name: self.text("vulnerabilityName").into(),
            added,
            due,
            known_ransomware,
            required_action: self.text("requiredAction").into(),
            description: self.text("shortDescription").into(),
            notes: Some(self.text("notes"))
                .filter(|it| !it.is_empty())
                .map(Text::from),
            cwes: cwes.filter(|it| !it.is_empty()).map(Text::from).collect(),
        }
    }
}
