//! `advisory`: documents of publishers, read and tested without any server.
//!
//! What cannot be read is named, and the rest goes on.

pub(super) mod files;
mod held;
mod hits;
mod look;
mod pack;

use std::io::{self, Write};
use std::path::PathBuf;

use labward_advisory::bundle::Checks;
use labward_advisory::integrity::{MinisignKey, PublicKey, SignatureFault};
use labward_base::{Clock as _, problem};
use serde::Serialize;

use super::{Context, read};
use crate::args::{AdvisoryCheckArgs, AdvisoryCommand};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use look::Document;

/// Everything that was looked at.
#[derive(Debug, Default, Serialize)]
struct Checked {
    documents: Vec<Document>,
    unread: Vec<Unread>,
}

/// A path that gave no document.
#[derive(Debug, Serialize)]
pub(super) struct Unread {
    pub(super) path: String,
    pub(super) why: String,
}

impl Unread {
    fn new(path: impl ToString, why: impl ToString) -> Self {
        Self {
            path: path.to_string(),
            why: why.to_string(),
        }
    }
}

/// `labward advisory …`
pub(super) fn run(context: &Context, command: &AdvisoryCommand) -> Result<(), Failure> {
    match command {
        AdvisoryCommand::Check(arguments) => check(context, arguments),
        AdvisoryCommand::Manifest(arguments) => {
            pack::run(context, arguments, labward_os::SystemClock.now())
        }
        AdvisoryCommand::Match(arguments) => hits::run(context, arguments),
        AdvisoryCommand::Import {
            paths,
            source,
            preview,
        } => held::import(context, paths, source, *preview),
        AdvisoryCommand::List { find, hits } => held::list(context, find.as_deref(), *hits),
        AdvisoryCommand::Show { id } => held::one(context, id),
    }
}

fn check(context: &Context, arguments: &AdvisoryCheckArgs) -> Result<(), Failure> {
    let keys: Vec<PublicKey> = all(&arguments.key, PublicKey::parse)?;
    let bundle_keys = all(&arguments.bundle_key, MinisignKey::parse)?;
    let checks = Checks {
        keys: &keys,
        bundle_keys: &bundle_keys,
        now: labward_os::SystemClock.now(),
    };
    let checked = look_at(&arguments.paths, &checks);
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

fn look_at(paths: &[PathBuf], checks: &Checks<'_>) -> Checked {
    let must_be_signed = !checks.keys.is_empty() || !checks.bundle_keys.is_empty();
    let mut documents = Vec::new();
    let unread = files::each(paths, checks, |path, item| {
        documents.push(look::look(path, item, must_be_signed)?);
        Ok(())
    });
    Checked { documents, unread }
}

/// The keys that some files hold.
fn all<T>(
    paths: &[PathBuf],
    parse: impl Fn(&[u8]) -> Result<T, SignatureFault>,
) -> Result<Vec<T>, Failure> {
    let one = |path: &PathBuf| {
        let key = parse(&read(path)?);
        key.map_err(|error| {
            Failure::new(&problem::CLI_FILE, format!("{}: {error}", path.display()))
        })
    };
    paths.iter().map(one).collect()
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
pub(in crate::commands) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// A folder of this test's own below the target folder.
    fn folder(name: &str) -> PathBuf {
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
        let checks = Checks {
            keys: &[],
            bundle_keys: &[],
            now: labward_base::Timestamp::from_seconds(1_800_000_000),
        };
        look_at(&[folder.to_owned()], &checks)
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
        let folder = folder("rest");
        fs::write(folder.join("a.json"), "{\"document\":").unwrap();
        fs::write(folder.join("b.json"), "{}").unwrap();
        fs::write(folder.join("below/c.json"), SMALL).unwrap();
        fs::write(folder.join("d.txt"), SMALL).unwrap();
        let kev = r#"{"catalogVersion":"1","vulnerabilities":[]}"#;
        fs::write(folder.join("f.json"), kev).unwrap();
        let checked = looked(&folder);
        assert_eq!(checked.documents.len(), 1);
        assert!(checked.documents[0].is_sound());
        let unread: Vec<_> = checked
            .unread
            .iter()
            .map(|one| (one.path.rsplit('/').next().unwrap(), &*one.why))
            .collect();
        assert_eq!(
            unread,
            [
                ("a.json", "no JSON: end of file at line 1, column 12"),
                ("b.json", "no document of a kind that is known"),
                ("f.json", "no CSAF document, but kev"),
            ]
        );
        let mut text = Vec::new();
        write(&mut text, &checked, false).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("MAKER-1  1 (A)"), "{text}");
        assert!(text.ends_with("1 documents, 3 not read\n"), "{text}");
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
