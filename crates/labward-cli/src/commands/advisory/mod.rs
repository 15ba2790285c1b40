//! `advisory`: documents of publishers, read and tested without any server.
//!
//! What cannot be read is named, and the rest goes on.

mod files;
mod hits;
mod look;

use std::io::{self, Write};
use std::path::Path;

use labward_advisory::integrity::PublicKey;
use labward_base::{Clock as _, problem};
use serde::Serialize;

use super::{Context, read};
use crate::args::{AdvisoryCheckArgs, AdvisoryCommand};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use look::{Document, Keys};

/// Everything that was looked at.
#[derive(Debug, Default, Serialize)]
struct Checked {
    documents: Vec<Document>,
    unread: Vec<Unread>,
}

/// A path that gave no document.
#[derive(Debug, Serialize)]
struct Unread {
    path: String,
    why: String,
}

/// `labward advisory …`
pub(super) fn run(context: &Context, command: &AdvisoryCommand) -> Result<(), Failure> {
    match command {
        AdvisoryCommand::Check(arguments) => check(context, arguments),
        AdvisoryCommand::Match(arguments) => hits::run(context, arguments),
    }
}

fn check(context: &Context, arguments: &AdvisoryCheckArgs) -> Result<(), Failure> {
    let keys = Keys {
        keys: arguments
            .key
            .iter()
            .map(|path| key(path))
            .collect::<Result<_, _>>()?,
        now: labward_os::SystemClock.now(),
    };
    let mut checked = Checked::default();
    for found in files::find(&arguments.paths) {
        let looked = found.and_then(|path| look::look(&path, &keys).map_err(|why| (path, why)));
        match looked {
            Ok(document) => checked.documents.push(document),
            Err((path, why)) => checked.unread.push(Unread {
                path: path.display().to_string(),
                why,
            }),
        }
    }
    show(context.json, &checked, |out| {
        write(out, &checked, arguments.flaws)
    })?;
    let bad = checked
        .documents
        .iter()
        .filter(|one| !one.is_sound())
        .count();
    if bad + checked.unread.len() > 0 {
        let detail = format!(
            "{bad} of {} documents are not sound, {} could not be read",
            checked.documents.len(),
            checked.unread.len()
        );
        return Err(Failure::new(&problem::ADVISORY_UNSOUND, detail));
    }
    Ok(())
}

fn key(path: &Path) -> Result<PublicKey, Failure> {
    PublicKey::parse(&read(path)?)
        .map_err(|error| Failure::new(&problem::CLI_FILE, format!("{}: {error}", path.display())))
}

fn write(out: &mut dyn Write, checked: &Checked, flaws: bool) -> io::Result<()> {
    let head = [
        "id",
        "version",
        "products",
        "vulnerabilities",
        "worst CVSS",
        "hash",
        "signature",
        "flaws",
        "file",
    ];
    let rows: Vec<Vec<String>> = checked.documents.iter().map(row).collect();
    if !rows.is_empty() {
        table(out, &head, &rows)?;
    }
    if flaws {
        for document in checked.documents.iter().filter(|one| !one.flaws.is_empty()) {
            writeln!(out, "\n{}", plain(&document.path))?;
            for flaw in &document.flaws {
                let place = if flaw.place.is_empty() {
                    "/"
                } else {
                    &flaw.place
                };
                let line = format!("{} {} at {place}: {}", flaw.weight, flaw.rule, flaw.what);
                writeln!(out, "  {}", plain(&line))?;
            }
            if document.unlisted_flaws > 0 {
                writeln!(out, "  and {} more", document.unlisted_flaws)?;
            }
        }
    }
    for unread in &checked.unread {
        let line = format!("not read: {}: {}", unread.path, unread.why);
        writeln!(out, "{}", plain(&line))?;
    }
    let (documents, unread) = (checked.documents.len(), checked.unread.len());
    writeln!(out, "{documents} documents, {unread} not read")
}

fn row(document: &Document) -> Vec<String> {
    let worst = document.worst_cvss.as_ref();
    vec![
        plain(&document.id),
        plain(&match &document.legacy_version {
            Some(legacy) => format!("{} ({legacy})", document.version),
            None => document.version.clone(),
        }),
        document.products.to_string(),
        document.vulnerabilities.to_string(),
        worst.map_or_else(
            || "-".to_owned(),
            |worst| format!("{:.1} {}", worst.score, worst.severity),
        ),
        or_dash(document.hash.as_deref()),
        or_dash(document.signature.as_deref()),
        or_dash(
            Some(document.by_rule())
                .filter(|text| !text.is_empty())
                .as_deref(),
        ),
        plain(&document.path),
    ]
}

/// Text of a document without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder of this test's own below the target folder.
    fn folder(name: &str) -> std::path::PathBuf {
        let folder =
            std::env::temp_dir().join(format!("labward-advisory-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("below")).unwrap();
        folder
    }

    const SMALL: &str = r#"{"document":{"category":"csaf_base","csaf_version":"2.0","lang":"en",
        "publisher":{"category":"vendor","name":"Maker","namespace":"https://maker.example"},"title":"T",
        "tracking":{"current_release_date":"2024-01-01T00:00:00Z","id":"MAKER-1",
          "initial_release_date":"2024-01-01T00:00:00Z","status":"final","version":"1",
          "revision_history":[{"date":"2024-01-01T00:00:00Z","number":"1","summary":"I","legacy_version":"A"}]}}}"#;

    fn looked(folder: &Path) -> Checked {
        let keys = Keys {
            keys: Vec::new(),
            now: labward_base::Timestamp::from_seconds(1_800_000_000),
        };
        let mut checked = Checked::default();
        for found in files::find(&[folder.to_owned()]) {
            match found.and_then(|path| look::look(&path, &keys).map_err(|why| (path, why))) {
                Ok(document) => checked.documents.push(document),
                Err((path, why)) => checked.unread.push(Unread {
                    path: path.file_name().unwrap().to_string_lossy().into_owned(),
                    why,
                }),
            }
        }
        checked
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
        let folder = folder("rest");
        fs::write(folder.join("a.json"), "{\"document\":").unwrap();
        fs::write(folder.join("b.json"), "{}").unwrap();
        fs::write(folder.join("below/c.json"), SMALL).unwrap();
        fs::write(folder.join("d.txt"), SMALL).unwrap();
        let checked = looked(&folder);
        assert_eq!(checked.documents.len(), 1);
        assert!(checked.documents[0].is_sound());
        let unread: Vec<_> = checked
            .unread
            .iter()
            .map(|one| (&*one.path, &*one.why))
            .collect();
        assert_eq!(
            unread,
            [
                ("a.json", "no JSON: end of file at line 1, column 12"),
                ("b.json", "no CSAF document"),
            ]
        );
        let mut text = Vec::new();
        write(&mut text, &checked, false).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("MAKER-1  1 (A)"), "{text}");
        assert!(text.ends_with("1 documents, 2 not read\n"), "{text}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_document_that_is_not_what_its_hash_says_is_not_sound() {
        let folder = folder("hash");
        fs::write(folder.join("a.json"), SMALL).unwrap();
        fs::write(
            folder.join("a.json.sha512"),
            format!("{}  a.json\n", "0".repeat(128)),
        )
        .unwrap();
        let checked = looked(&folder);
        assert_eq!(checked.documents[0].hash.as_deref(), Some("differs"));
        assert!(!checked.documents[0].is_sound());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn flaws_are_counted_by_rule_and_listed_by_place() {
        let folder = folder("flaws");
        fs::write(
            folder.join("a.json"),
            SMALL.replace("\"version\":\"1\"", "\"version\":\"2\""),
        )
        .unwrap();
        let checked = looked(&folder);
        let document = &checked.documents[0];
        assert!(!document.is_sound());
        assert!(
            document.by_rule().starts_with("6.1.16"),
            "{}",
            document.by_rule()
        );
        let mut text = Vec::new();
        write(&mut text, &checked, true).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("  error 6.1.16 at /document/tracking/version: "),
            "{text}"
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_terminal_obeys_no_document() {
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
