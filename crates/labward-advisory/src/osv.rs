//! Vulnerabilities in the Open Source Vulnerability format (OSV, JSON).
//!
//! Ranges are given as they stand: what a version is in an ecosystem is not decided here.

use labward_base::Timestamp;

use crate::flaw::Flaws;
use crate::json::{self, Kind, Value};
use crate::lenient::{Ground, Lenient as _};
use crate::score::Score;
use crate::{Error, Limits, Text};

/// The vulnerabilities of one file.
#[derive(Clone, Debug)]
pub struct Osv {
    /// In the order of the file.
    pub vulnerabilities: Vec<Vulnerability>,
    /// What could not be read.
    pub flaws: Flaws,
}

/// One vulnerability.
#[derive(Clone, Debug)]
pub struct Vulnerability {
    /// Its id, for example `GHSA-…`.
    pub id: Text,
    /// Ids of the same vulnerability, mostly its CVE.
    pub aliases: Vec<Text>,
    /// Ids that it derives from, as in Linux distributions.
    pub upstream: Vec<Text>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was taken back; then it counts no longer.
    pub withdrawn: Option<Timestamp>,
    /// One line about it.
    pub summary: Option<Text>,
    /// More about it, in Markdown.
    pub details: Option<Text>,
    /// CVSS vectors for all packages; other kinds of severity are given as text without a score.
    pub scores: Vec<Score>,
    /// The packages that it affects.
    pub affected: Vec<Affected>,
    /// Links: kind and URL.
    pub references: Vec<(Text, Text)>,
}

/// One affected package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The ecosystem, for example `PyPI`.
    pub ecosystem: Option<Text>,
    /// The package.
    pub name: Option<Text>,
    /// Its package URL.
    pub purl: Option<Text>,
    /// CVSS vectors for this package.
    pub scores: Vec<Score>,
    /// Ranges of affected versions.
    pub ranges: Vec<Range>,
    /// Affected versions, one by one.
    pub versions: Vec<Text>,
}

/// One range of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// How versions are ordered.
    pub kind: RangeKind,
    /// The repository of a range of commits.
    pub repo: Option<Text>,
    /// Its events, in the order of the file.
    pub events: Vec<Event>,
}

/// How the versions of a range are ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeKind {
    /// As the ecosystem orders them.
    Ecosystem,
    /// As commits descend from each other.
    Git,
    /// As semantic versions.
    Semver,
    /// A word that the format does not know.
    Other(Text),
}

/// Where a range begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first version with the vulnerability; `0` is before all others.
    Introduced(Text),
    /// The first version without it.
    Fixed(Text),
    /// The last version with it.
    LastAffected(Text),
    /// Versions from here on were not looked at.
    Limit(Text),
}

impl Osv {
    /// Reads a file of one vulnerability, a list of them, or an answer with `vulns`.
    ///
    /// # Errors
    /// If it is no JSON, passes a limit, or holds no object with an `id`.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        json::read(bytes, limits, |root, ground| {
            let values = match root.kind() {
                Kind::Array => ground.within_limit(root, root.items()),
                Kind::Object if root.get("vulns").is_some() => ground.entries(root, "vulns"),
                _ => vec![root],
            };
            if !values.iter().any(|one| one.text_of("id").is_some()) {
                return Err(Error::NotA("OSV"));
            }
            Ok(Self {
                vulnerabilities: values
                    .into_iter()
                    .map(|one| vulnerability(ground, one))
                    .collect(),
                flaws: std::mem::take(&mut ground.flaws),
            })
        })
    }
}

fn vulnerability<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Vulnerability {
    Vulnerability {
        id: ground.needed(value, "id"),
        aliases: ground.texts(value, "aliases"),
        upstream: ground.texts(value, "upstream"),
        modified: ground.time(value, "modified"),
        published: ground.time(value, "published"),
        withdrawn: ground.time(value, "withdrawn"),
        summary: ground.text(value, "summary"),
        details: ground.text(value, "details"),
        scores: scores(ground, value),
        affected: ground
            .objects(value, "affected")
            .into_iter()
            .map(|one| affected(ground, one))
            .collect(),
        references: ground
            .objects(value, "references")
            .into_iter()
            .map(|one| {
                let kind = ground.text(one, "type").unwrap_or_default();
                (kind, ground.needed(one, "url"))
            })
            .collect(),
    }
}

fn scores<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Vec<Score> {
    let mut scores = Vec::new();
    for one in ground.objects(value, "severity") {
        let score = Score::of(ground.needed(one, "score"));
        let is_cvss = one
            .text_of("type")
            .is_some_and(|kind| kind.starts_with("CVSS"));
        if is_cvss && score.version.is_none() {
            ground.flaw("read", one, "no CVSS vector; it gives no score");
        }
        scores.push(score);
    }
    scores
}

fn affected<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Affected {
    let package = value.get("package");
    let mut part = |key| package.and_then(|package| ground.text(package, key));
    let (ecosystem, name, purl) = (part("ecosystem"), part("name"), part("purl"));
    Affected {
        ecosystem,
        name,
        purl,
        scores: scores(ground, value),
        ranges: ground
            .objects(value, "ranges")
            .into_iter()
            .map(|one| range(ground, one))
            .collect(),
        versions: ground.texts(value, "versions"),
    }
}

fn range<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Range {
    let kind = ground.needed(value, "type");
    let mut events = Vec::new();
    for event in ground.objects(value, "events") {
        for (key, at) in event.members() {
            let Some(version) = ground.text(event, key) else {
                continue;
            };
            match key {
                "introduced" => events.push(Event::Introduced(version)),
                "fixed" => events.push(Event::Fixed(version)),
                "last_affected" => events.push(Event::LastAffected(version)),
                "limit" => events.push(Event::Limit(version)),
                _ => ground.flaw("read", at, "no event of a range"),
            }
        }
    }
    if !events
        .iter()
        .any(|event| matches!(event, Event::Introduced(_)))
    {
        ground.flaw("read", value, "the range has no beginning");
    }
    Range {
        kind: match &*kind {
            "ECOSYSTEM" => RangeKind::Ecosystem,
            "GIT" => RangeKind::Git,
            "SEMVER" => RangeKind::Semver,
            _ => RangeKind::Other(kind),
        },
        repo: ground.text(value, "repo"),
        events,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: &str = r#"{"id":"GHSA-aaaa","aliases":["CVE-2024-0001"],"modified":"2024-01-02T00:00:00Z",
        "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
                    {"type":"CVSS_V3","score":"9.8"}],
        "affected":[{"package":{"ecosystem":"npm","name":"a","purl":"pkg:npm/a"},
          "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"}]},
                    {"type":"GIT","repo":"https://e.x/r","events":[{"last_affected":"abc"},{"x":"y"}]}],
          "versions":["1.0.0","1.1.0"]}],
        "references":[{"type":"WEB","url":"https://e.x"}]}"#;

    #[test]
    fn ranges_and_versions_are_read() {
        let osv = Osv::parse(SMALL.as_bytes(), &Limits::default()).unwrap();
        let one = &osv.vulnerabilities[0];
        assert_eq!(one.scores[0].base_tenths, Some(98));
        let affected = &one.affected[0];
        assert_eq!(affected.versions.len(), 2);
        assert_eq!(
            affected.ranges[0].events,
            [Event::Introduced("0".into()), Event::Fixed("1.2.3".into())]
        );
        assert_eq!(affected.ranges[1].kind, RangeKind::Git);
        let places: Vec<&str> = osv
            .flaws
            .listed()
            .iter()
            .map(|one| one.place.as_str())
            .collect();
        assert_eq!(
            places,
            [
                "/severity/1",
                "/affected/0/ranges/1/events/1/x",
                "/affected/0/ranges/1"
            ]
        );
    }

    #[test]
    fn a_list_and_an_answer_are_read_too() {
        for text in [
            format!("[{SMALL},{SMALL}]"),
            format!("{{\"vulns\":[{SMALL},{SMALL}]}}"),
        ] {
            let osv = Osv::parse(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(osv.vulnerabilities.len(), 2);
        }
        assert_eq!(
            Osv::parse(b"{}", &Limits::default()).err(),
            Some(Error::NotA("OSV"))
        );
        assert_eq!(
            Osv::parse(b"[]", &Limits::default()).err(),
            Some(Error::NotA("OSV"))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0..SMALL.len(), byte: u8) {
            let mut bytes = SMALL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Osv::parse(&bytes, &Limits::default());
        }
    }
}
