//! CSV as RFC 4180 has it, written while it is sent.
//!
//! It must never hand a cell to a spreadsheet that the spreadsheet would compute, or let the end of
//! a file go before it was asked to.
//!
//! The file is UTF-8 and begins with a byte order mark: without it Excel reads the code page of the
//! machine and breaks every name that is not English. Lines end with CR LF.

use std::borrow::Cow;
use std::io::{self, Write};

use ::csv::{Terminator, Writer, WriterBuilder};
use labward_base::problem;
use labward_seal::Sha256;
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::mark::{COLUMN, Mark};
use super::Failure;

/// Bytes that are held back: a file up to this size leaves only after its entry.
const HELD_BYTES: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file that is being written.
pub(super) struct CsvFile<'a> {
    /// What stands in one more column of every line.
    mark: Option<Mark>,
    csv: Writer<Held<'a>>,
    rows: u64,
}

/// Hashes what is written, and keeps the last of it back.
struct Held<'a> {
    out: &'a mut dyn Write,
    sha256: Sha256,
    held: Zeroizing<Vec<u8>>,
}

impl Write for Held<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.held.len().saturating_add(bytes.len()) > HELD_BYTES {
            self.out.write_all(&self.held)?;
            self.held.clear();
        }
        self.sha256.update(bytes);
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Only the end of the file lets the last of it go.
        Ok(())
    }
}

impl<'a> CsvFile<'a> {
    /// A file without a row, each line of which will bear this mark.
    pub(super) fn begin(out: &'a mut dyn Write, mark: Option<Mark>) -> Self {
        let mut sha256 = Sha256::new();
        sha256.update(BYTE_ORDER_MARK);
        let mut held = Zeroizing::new(Vec::with_capacity(HELD_BYTES));
        held.extend_from_slice(BYTE_ORDER_MARK);
        let held = Held { out, sha256, held };
        let csv = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(held);
        Self { mark, csv, rows: 0 }
    }

    /// The names of the columns.
    pub(super) fn head(&mut self, columns: &[&str]) -> Result<(), Failure> {
        let mark = self.mark.as_ref().map(|_| COLUMN);
        let names = columns.iter().copied().chain(mark);
        self.csv.write_record(names).map_err(broken)
    }

    /// One row: of each column the member at its dotted path.
    pub(super) fn row(&mut self, row: &Value, columns: &[&str]) -> Result<(), Failure> {
        let cells = columns.iter().map(|column| cell(at(row, column)));
        let cells: Vec<String> = cells.chain(self.marked()).collect();
        self.csv.write_record(&cells).map_err(broken)?;
        self.rows += 1;
        Ok(())
    }

    /// A last line that is no row: words in the first cell.
    pub(super) fn note(&mut self, words: &str, columns: &[&str]) -> Result<(), Failure> {
        let rest = columns.iter().skip(1).map(|_| "");
        let cells = std::iter::once(words).chain(rest).map(str::to_owned);
        let cells: Vec<String> = cells.chain(self.marked()).collect();
        self.csv.write_record(&cells).map_err(broken)
    }

    fn marked(&self) -> Option<String> {
        let mark = self.mark.as_ref();
        mark.map(|mark| defused(mark.text()).into_owned())
    }

    /// How many rows are in it.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// The SHA-256 of what was written until now.
    pub(super) fn sha256(&mut self) -> Result<[u8; 32], Failure> {
        self.csv.flush().map_err(broken)?;
        Ok(self.csv.get_ref().sha256.clone().finish())
    }

    /// Lets the last of it go.
    pub(super) fn end(self) -> Result<(), Failure> {
        let held = self.csv.into_inner().map_err(broken)?;
        held.out.write_all(&held.held).map_err(broken)
    }
}

/// Who reads has gone, or is too slow.
fn broken<E>(_: E) -> Failure {
    Failure::new(&problem::SERVER_BUSY)
}

/// The member of a row at a path such as `rules.types`.
fn at<'a>(row: &'a Value, path: &str) -> &'a Value {
    let members = path.split('.');
    members.fold(row, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// A value as the text of a cell: a list of words is joined, what has an inside stays JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
        Value::String(text) => defused(text).into_owned(),
        Value::Array(all) if all.iter().any(|one| one.is_object() || one.is_array()) => {
            value.to_string()
        }
        Value::Array(all) => {
            let words = all.iter().map(|one| match one {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            defused(&words.collect::<Vec<_>>().join("; ")).into_owned()
        }
    }
}

/// The text with an apostrophe in front if a spreadsheet would compute it.
///
/// What is a number, such as `-3.5`, and what is signs alone, such as `+++` of a test strip, computes
/// nothing and stays. Whoever reads the file by a program takes one apostrophe away from a cell of
/// apostrophes before such a sign, and has what was there.
fn defused(text: &str) -> Cow<'_, str> {
    let rest = text.trim_start_matches('\'');
    let begins = rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if !begins || (rest.len() == text.len() && is_harmless(text)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{text}"))
}

fn is_harmless(text: &str) -> bool {
    let signs = text.bytes().all(|byte| byte == b'+' || byte == b'-');
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    signs || (digits(whole) && digits(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn check(text: &str, expect: &str) {
        assert_eq!(defused(text), expect, "{text:?}");
    }

    #[test]
    fn what_would_be_computed_is_text_and_what_is_measured_stays_as_it_is() {
        for (text, expect) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3", "'-2+3"),
            ("-1.5e3", "'-1.5e3"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
        ] {
            check(text, expect);
        }
        for text in [
            "", "-3.5", "+12", "-0,7", "+", "+++", "--", "<5", ">100", "O'Hara", "'t Hooft", "1-2",
        ] {
            check(text, text);
        }
    }

    /// What a program that reads the file makes of a cell.
    fn read_back(cell: &str) -> &str {
        let rest = cell.trim_start_matches('\'');
        let signs = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
        match rest.starts_with(signs) {
            true => cell.strip_prefix('\'').unwrap_or(cell),
            false => cell,
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_and_none_is_computed(text in "['=+@\t\r\n0-9a,.\"-]{0,9}") {
            let mut bytes = Vec::new();
            let mut file = CsvFile::begin(&mut bytes, None);
            file.row(&json!({ "a": text, "b": 1 }), &["a", "b"]).unwrap();
            let sha256 = file.sha256().unwrap();
            file.end().unwrap();
            prop_assert_eq!(sha256, labward_seal::sha256(&bytes));
            let body = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap();
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(body);
            let row = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(read_back(&row[0]), text.as_str());
            prop_assert!(!row[0].starts_with(['=', '@', '\t', '\r', '\n']));
            prop_assert!(!row[0].starts_with(['+', '-']) || is_harmless(&row[0]));
        }
    }

    #[test]
    fn lists_are_joined_numbers_stay_and_what_has_an_inside_is_json() {
        for (value, expect) in [
            (json!(null), ""),
            (json!(true), "true"),
            (json!(-3.5), "-3.5"),
            (json!(["ORU^R01", "ORM^O01"]), "ORU^R01; ORM^O01"),
            (json!([1, 2]), "1; 2"),
            (json!([]), ""),
            (json!(["=1", "2"]), "'=1; 2"),
            (json!([{ "a": 1 }]), "[{\"a\":1}]"),
        ] {
            assert_eq!(cell(&value), expect);
        }
        assert_eq!(at(&json!({ "a": { "b": 7 } }), "a.b"), &json!(7));
        assert_eq!(at(&json!({}), "a.b"), &Value::Null);
    }

    #[test]
    fn nothing_of_a_small_file_leaves_before_it_is_let_go() {
        let mut bytes = Vec::new();
        let mut file = CsvFile::begin(&mut bytes, None);
        file.head(&["a"]).unwrap();
        file.row(&json!({ "a": 1 }), &["a"]).unwrap();
        file.sha256().unwrap();
        drop(file);
        assert!(bytes.is_empty());
    }
}
