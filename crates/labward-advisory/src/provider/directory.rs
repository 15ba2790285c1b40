//! `changes.csv` and `index.txt`: what a directory holds, by names relative to it.

use labward_base::Timestamp;

use super::{List, Listed};
use crate::flaw::Flaws;
use crate::json::to_text;
use crate::{Limits, Text};

/// The longest path of a document, in bytes.
const LONGEST_PATH: usize = 1_024;

/// Reads the file if its name is one of the two.
pub(super) fn read(name: &str, bytes: &[u8], limits: &Limits) -> Option<List> {
    let has_dates = match name.rsplit('/').next().unwrap_or_default() {
        "changes.csv" => true,
        "index.txt" => false,
        _ => return None,
    };
    let (text, replaced) = to_text(bytes);
    let mut flaws = Flaws::new(limits.max_flaws);
    if replaced {
        let what = "bytes that are no UTF-8 were replaced by U+FFFD";
        flaws.add_at("text", "", what);
    }
    let mut entries = Vec::new();
    let mut add = |number: usize, path: &str, changed: Option<Timestamp>| {
        let place = || format!("line {number}");
        if entries.len() >= limits.max_entries {
            flaws.add_at("limit", place(), "more lines than the limit");
            return false;
        }
        match is_path(path) {
            true => entries.push(Listed {
                address: Text::from(path),
                changed,
                hashes: Vec::new(),
                signature: None,
            }),
            false => flaws.add_at("read", place(), "no path of a document below the directory"),
        }
        true
    };
    if has_dates {
        changes(&text, &mut add);
    } else {
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if !line.is_empty() && !add(number, line, None) {
                break;
            }
        }
    }
    Some(List { entries, flaws })
}

/// Two columns without a head: the path, and when the document was changed last.
fn changes(text: &str, add: &mut impl FnMut(usize, &str, Option<Timestamp>) -> bool) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut number = 0_usize;
    // Text that is UTF-8 is always some record.
    while let Ok(true) = reader.read_record(&mut record) {
        number += 1;
        let path = record.get(0).unwrap_or_default().trim();
        let changed = record.get(1).unwrap_or_default().trim();
        if !add(number, path, Timestamp::parse_rfc3339(changed)) {
            return;
        }
    }
}

/// Whether it is a path of a document below the directory: it must never lead out of it.
fn is_path(path: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !matches!(c, '\\' | '?' | '#' | '%' | ':');
    path.len() <= LONGEST_PATH
        && path.ends_with(".json")
        && path.chars().all(is_plain)
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
