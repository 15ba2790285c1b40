//! Vulnerabilities of packages (OSV) as they are kept: one document for each ecosystem, one line for each vulnerability.
//!
//! An export holds hundreds of thousands of them, and a lab's devices hold parts of a few: what is kept is packed and read
//! through line by line, and only what is about the packages of some bill of materials is held in memory. It must never
//! unpack a whole document into memory, or take an older record of a vulnerability for the newer one.
//!
//! A line is the time of the last change in microseconds, the id, the packages, and the record without its long texts,
//! between tabs; the lines are in the order of the ids.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use labward_advisory::Limits;
use labward_advisory::osv::{Affected, Event, Osv, Range, RangeKind, Vulnerability};
use labward_base::Timestamp;
use labward_matching::package_of;
use serde_json::{Map, Value, json};

/// The largest line, in bytes.
const LINE_MAX_BYTES: usize = 4 << 20;
/// Lines that one import takes at most, in bytes.
const INTAKE_MAX_BYTES: usize = 512 << 20;
/// Vulnerabilities of one ecosystem at most.
const RECORDS_MAX: usize = 1_000_000;
/// Characters of a summary that are kept.
const SUMMARY_MAX_CHARS: usize = 300;
/// Links of a record that are kept.
const REFERENCES_MAX: usize = 8;
/// How hard a document is packed.
const LEVEL: i32 = 6;

/// One vulnerability on its way in.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    modified: i64,
    line: String,
}

/// The vulnerabilities of one import, by ecosystem and id.
#[derive(Debug, Default)]
pub(crate) struct OsvIntake {
    pub(crate) by_ecosystem: BTreeMap<String, BTreeMap<String, Record>>,
    bytes: usize,
    /// Records that are of no package.
    pub(crate) of_none: usize,
}

/// What came of putting records to those that are held.
pub(crate) struct Merged {
    pub(crate) packed: Vec<u8>,
    pub(crate) total: usize,
    pub(crate) added: usize,
    pub(crate) updated: usize,
    /// When the newest of all was changed.
    pub(crate) newest: Option<Timestamp>,
}

impl OsvIntake {
    /// Whether no record was seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_ecosystem.is_empty() && self.of_none == 0
    }

    /// Takes the vulnerabilities of a file.
    ///
    /// # Errors
    /// Why they are not taken: there are too many.
    pub(crate) fn take(&mut self, osv: &Osv) -> Result<(), String> {
        for one in &osv.vulnerabilities {
            let Some((ecosystem, record)) = record(one) else {
                self.of_none += 1;
                continue;
            };
            self.bytes = self.bytes.saturating_add(record.line.len());
            if self.bytes > INTAKE_MAX_BYTES {
                let what = "more than 512 MiB of OSV at once: import one ecosystem after the other";
                return Err(what.to_owned());
            }
            let of = self.by_ecosystem.entry(ecosystem).or_default();
            let known = of.get(&*one.id);
            if known.is_none_or(|known| known.modified <= record.modified) {
                of.insert(one.id.to_string(), record);
            }
        }
        Ok(())
    }
}

/// The ecosystem under which a vulnerability is kept, and its line; `None` if it is of no package.
fn record(one: &Vulnerability) -> Option<(String, Record)> {
    let packages: BTreeSet<String> = one.affected.iter().filter_map(package_of).collect();
    let ecosystem = one.affected.iter().find_map(package_of)?;
    let ecosystem = ecosystem.split('\n').next()?.to_owned();
    let packages: Vec<String> = packages.iter().map(|one| shielded(one)).collect();
    let modified = one.modified.map_or(0, Timestamp::as_micros);
    let id = shielded(&one.id);
    let line = format!(
        "{modified}\t{id}\t{}\t{}\n",
        packages.join("\u{1f}"),
        brief(one)
    );
    let fits = line.len() <= LINE_MAX_BYTES && !id.trim().is_empty();
    fits.then_some((ecosystem, Record { modified, line }))
}

/// A text without what separates the parts of a line; the ecosystem and the name of a package are parted by another mark.
fn shielded(text: &str) -> String {
    let mark = |c: char| match c {
        '\n' => '\u{1e}',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(mark).collect()
}

/// What is kept of a vulnerability.
fn brief(one: &Vulnerability) -> Value {
    let time = |time: Option<Timestamp>| time.map(Timestamp::to_rfc3339);
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            fields.insert(key.to_owned(), value);
        }
    };
    let texts = |all: &[labward_advisory::Text]| all.iter().map(|one| json!(&**one)).collect();
    let summary = one.summary.as_deref().map(|text| {
        let shown: String = text.chars().take(SUMMARY_MAX_CHARS).collect();
        shown
    });
    let references = one.references.iter().take(REFERENCES_MAX);
    put("id", json!(&*one.id));
    put("aliases", texts(&one.aliases));
    put("upstream", texts(&one.upstream));
    put("modified", json!(time(one.modified)));
    put("published", json!(time(one.published)));
    put("withdrawn", json!(time(one.withdrawn)));
    put("summary", json!(summary));
    put("severity", scores(&one.scores));
    put("affected", one.affected.iter().map(affected).collect());
    put(
        "references",
        references
            .map(|(kind, url)| json!({ "type": &**kind, "url": &**url }))
            .collect(),
    );
    Value::Object(fields)
}

fn scores(scores: &[labward_advisory::Score]) -> Value {
    let known = scores.iter().filter(|score| score.version.is_some());
    known
        .map(|score| json!({ "type": "CVSS", "score": &*score.vector }))
        .collect()
}

fn affected(one: &Affected) -> Value {
    json!({
        "package": {
            "ecosystem": one.ecosystem.as_deref(),
            "name": one.name.as_deref(),
            "purl": one.purl.as_deref(),
        },
        "severity": scores(&one.scores),
        "ranges": one.ranges.iter().map(range).collect::<Value>(),
        "versions": one.versions.iter().map(|one| json!(&**one)).collect::<Value>(),
    })
}

fn range(one: &Range) -> Value {
    let kind = match &one.kind {
        RangeKind::Ecosystem => "ECOSYSTEM",
        RangeKind::Git => "GIT",
        RangeKind::Semver => "SEMVER",
        RangeKind::Other(word) => word,
    };
    // Of commits nothing is decided, but that they are all that is said.
    let counts = |_: &&Event| one.kind != RangeKind::Git;
    let events = one.events.iter().filter(counts).map(|event| match event {
        Event::Introduced(text) => json!({ "introduced": &**text }),
        Event::Fixed(text) => json!({ "fixed": &**text }),
        Event::LastAffected(text) => json!({ "last_affected": &**text }),
        Event::Limit(text) => json!({ "limit": &**text }),
    });
    json!({ "type": kind, "events": events.collect::<Value>() })
}

/// Puts records to those that a document holds; of two of one id the one that was changed last stays.
///
/// # Errors
/// If the document cannot be read any more, or would hold too many.
pub(crate) fn merge(
    held: Option<&[u8]>,
    fresh: &BTreeMap<String, Record>,
) -> Result<Merged, String> {
    let unpackable = |_: std::io::Error| "it cannot be packed".to_owned();
    let out = zstd::Encoder::new(Vec::new(), LEVEL).map_err(unpackable)?;
    let mut merging = Merging {
        out,
        merged: Merged {
            packed: Vec::new(),
            total: 0,
            added: 0,
            updated: 0,
            newest: None,
        },
    };
    let mut fresh = fresh.iter().peekable();
    let mut failed = Ok(());
    if let Some(held) = held {
        each_line(held, |line| {
            let Some((modified, id)) = head(line) else {
                return true;
            };
            while let Some((_, record)) = fresh.next_if(|(next, _)| next.as_str() < id) {
                merging.merged.added += 1;
                failed = merging.put(record.modified, &record.line);
            }
            let newer = fresh.next_if(|(next, _)| next.as_str() == id);
            let newer = newer.filter(|(_, record)| {
                record.modified > modified
                    || (record.modified == modified && record.line != format!("{line}\n"))
            });
            failed = match newer {
                Some((_, record)) => {
                    merging.merged.updated += 1;
                    merging.put(record.modified, &record.line)
                }
                None => merging.put(modified, &format!("{line}\n")),
            };
            failed.is_ok()
        })
        .ok_or("what is held of it cannot be read any more")?;
    }
    failed?;
    for (_, record) in fresh {
        merging.merged.added += 1;
        merging.put(record.modified, &record.line)?;
    }
    let packed = merging.out.finish().map_err(unpackable)?;
    Ok(Merged {
        packed,
        ..merging.merged
    })
}

struct Merging {
    out: zstd::Encoder<'static, Vec<u8>>,
    merged: Merged,
}

impl Merging {
    fn put(&mut self, modified: i64, line: &str) -> Result<(), String> {
        self.merged.total += 1;
        if self.merged.total > RECORDS_MAX {
            return Err("more than 1,000,000 vulnerabilities of one ecosystem".to_owned());
        }
        let modified = Timestamp::from_micros(modified);
        self.merged.newest = self.merged.newest.max(Some(modified));
        let written = self.out.write_all(line.as_bytes());
        written.map_err(|_| "it cannot be packed".to_owned())
    }
}

/// The time and the id of a line.
fn head(line: &str) -> Option<(i64, &str)> {
    let mut parts = line.splitn(3, '\t');
    Some((parts.next()?.parse().ok()?, parts.next()?))
}

/// Goes through the lines of a document until `take` says that it is enough; `None` if it cannot be read.
fn each_line(packed: &[u8], mut take: impl FnMut(&str) -> bool) -> Option<()> {
    let mut lines = BufReader::new(zstd::Decoder::new(packed).ok()?);
    let most = u64::try_from(LINE_MAX_BYTES).ok()? + 1;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines
            .by_ref()
            .take(most)
            .read_until(b'\n', &mut line)
            .ok()?;
        if read == 0 {
            return Some(());
        }
        let text = std::str::from_utf8(&line).ok()?.strip_suffix('\n')?;
        if !take(text) {
            return Some(());
        }
    }
}

/// The vulnerabilities of a document that are about any of these packages; `None` if it cannot be read.
pub(crate) fn about(packed: &[u8], packages: &BTreeSet<String>) -> Option<Vec<Vulnerability>> {
    let packages: BTreeSet<String> = packages.iter().map(|one| shielded(one)).collect();
    let mut found = Vec::new();
    each_line(packed, |line| {
        let mut parts = line.splitn(4, '\t').skip(2);
        let (Some(of), Some(json)) = (parts.next(), parts.next()) else {
            return true;
        };
        if of.split('\u{1f}').any(|one| packages.contains(one))
            && let Ok(osv) = Osv::parse(json.as_bytes(), &Limits::default())
        {
            found.extend(osv.vulnerabilities);
        }
        true
    })?;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn osv(id: &str, modified: &str, fixed: &str) -> Osv {
        let text = json!({ "id": id, "aliases": ["CVE-2021-44228"], "modified": modified,
            "summary": "Of y\n", "details": "long ".repeat(10_000),
            "severity": [{ "type": "CVSS_V3",
                "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
            "affected": [{ "package": { "ecosystem": "npm", "name": "y" },
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": fixed }] },
                    { "type": "GIT", "repo": "https://e.x", "events": [{ "introduced": "abc" }] }],
                "versions": ["1.0.0"] }] });
        Osv::parse(text.to_string().as_bytes(), &Limits::default()).unwrap()
    }

    fn intake(all: &[Osv]) -> BTreeMap<String, Record> {
        let mut intake = OsvIntake::default();
        all.iter().for_each(|one| intake.take(one).unwrap());
        intake.by_ecosystem.remove("npm").unwrap()
    }

    fn npm(name: &str) -> BTreeSet<String> {
        BTreeSet::from([format!("npm\n{name}")])
    }

    #[test]
    fn what_is_kept_decides_as_the_whole_record_does_and_is_short() {
        let whole = osv("GHSA-1", "2024-01-01T00:00:00Z", "1.2.3");
        let merged = merge(None, &intake(std::slice::from_ref(&whole))).unwrap();
        assert!(merged.packed.len() < 1_000, "{}", merged.packed.len());
        let kept = about(&merged.packed, &npm("y")).unwrap();
        assert_eq!(kept.len(), 1);
        let (whole, kept) = (&whole.vulnerabilities[0], &kept[0]);
        assert_eq!((&kept.id, &kept.aliases), (&whole.id, &whole.aliases));
        assert_eq!(
            (&kept.scores, kept.modified),
            (&whole.scores, whole.modified)
        );
        assert_eq!(kept.affected[0].ranges[0], whole.affected[0].ranges[0]);
        assert_eq!(kept.affected[0].versions, whole.affected[0].versions);
        assert_eq!(kept.affected[0].ranges[1].kind, RangeKind::Git);
        assert!(about(&merged.packed, &npm("z")).unwrap().is_empty());
    }

    #[test]
    fn the_record_that_was_changed_last_stays_whatever_the_order() {
        let old = osv("GHSA-2", "2024-01-01T00:00:00Z", "1.0.0");
        let new = osv("GHSA-2", "2024-06-01T00:00:00Z", "2.0.0");
        let others = [
            osv("GHSA-1", "2024-01-01T00:00:00Z", "1"),
            osv("GHSA-3", "2024-01-01T00:00:00Z", "1"),
        ];
        let first = merge(None, &intake(std::slice::from_ref(&new))).unwrap();
        let second = merge(
            Some(&first.packed),
            &intake(&[old, others[0].clone(), others[1].clone()]),
        );
        let second = second.unwrap();
        assert_eq!((second.total, second.added, second.updated), (3, 2, 0));
        assert_eq!(second.newest, new.vulnerabilities[0].modified);
        let held = about(&second.packed, &npm("y")).unwrap();
        let ids: Vec<&str> = held.iter().map(|one| &*one.id).collect();
        assert_eq!(ids, ["GHSA-1", "GHSA-2", "GHSA-3"]);
        assert_eq!(
            held[1].affected[0].ranges[0],
            new.vulnerabilities[0].affected[0].ranges[0]
        );
        let newest = osv("GHSA-2", "2024-07-01T00:00:00Z", "3.0.0");
        let third = merge(Some(&second.packed), &intake(&[newest])).unwrap();
        assert_eq!((third.total, third.added, third.updated), (3, 0, 1));
        let same = merge(Some(&third.packed), &intake(&others)).unwrap();
        assert_eq!((same.added, same.updated), (0, 0));
    }

    #[test]
    fn bytes_that_are_damaged_are_told_and_nothing_panics() {
        let merged = merge(None, &intake(&[osv("GHSA-1", "2024-01-01T00:00:00Z", "1")])).unwrap();
        for end in 0..merged.packed.len() {
            assert_eq!(
                about(&merged.packed[..end], &npm("y")).map(|_| ()),
                None,
                "{end}"
            );
        }
        for at in 0..merged.packed.len() {
            let mut bytes = merged.packed.clone();
            bytes[at] ^= 0x55;
            let _ = about(&bytes, &npm("y"));
            let _ = merge(Some(&bytes), &BTreeMap::new());
        }
        let none = Osv::parse(
            br#"{"id":"X","modified":"2024-01-01T00:00:00Z"}"#,
            &Limits::default(),
        );
        let mut intake = OsvIntake::default();
        intake.take(&none.unwrap()).unwrap();
        assert_eq!((intake.by_ecosystem.len(), intake.of_none), (0, 1));
    }
}
