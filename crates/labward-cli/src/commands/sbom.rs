//! `sbom`: what this program is made of, as CycloneDX, and which known vulnerabilities that hits.
//!
//! The document is made from the resolved dependencies by `cargo xtask docs`, which also compares it. It must
//! never say "not affected" of a component for which nothing could be compared.

use std::io::{self, Write};

use labward_advisory::bundle::{Checks, Kind, Trust};
use labward_advisory::cyclonedx::Bom;
use labward_advisory::osv::{Osv, Vulnerability};
use labward_advisory::{Limits, Purl};
use labward_base::{Clock as _, problem};
use labward_matching::{Components, Verdict};
use serde::Serialize;

use super::Context;
use super::advisory::{Unread, files, plain};
use crate::args::SbomArgs;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

/// The bill of materials that belongs to this source.
const SBOM: &str = include_str!("../../../../docs/ref/sbom.cdx.json");

/// What hits this program.
#[derive(Debug, Serialize)]
struct Hits {
    components: usize,
    vulnerabilities: usize,
    hits: Vec<Hit>,
    unread: Vec<Unread>,
}

#[derive(Debug, Serialize)]
struct Hit {
    verdict: &'static str,
    purl: String,
    vulnerability: String,
    aliases: Vec<String>,
    summary: Option<String>,
    /// Why it cannot be told.
    reasons: Vec<&'static str>,
}

/// `labward sbom`
pub(super) fn run(context: &Context, arguments: &SbomArgs) -> Result<(), Failure> {
    if arguments.paths.is_empty() {
        return print();
    }
    let checks = Checks {
        keys: &[],
        bundle_keys: &[],
        now: labward_os::SystemClock.now(),
    };
    let mut vulnerabilities = Vec::new();
    let unread = files::each(&arguments.paths, &checks, |_, item| {
        if item.kind != Kind::Osv {
            return Err(format!("no OSV document, but {}", item.kind.name()));
        }
        if item.trust() == Trust::Refuted {
            return Err("not what its hash, its signature or its bundle says".to_owned());
        }
        let osv = Osv::parse(item.bytes, &Limits::default());
        vulnerabilities.extend(osv.map_err(|error| error.to_string())?.vulnerabilities);
        Ok(())
    });
    let hits = Hits {
        unread,
        ..hits(&vulnerabilities).map_err(|why| Failure::new(&problem::SERVER_INTERNAL, why))?
    };
    show(context.json, &hits, |out| write(out, &hits))
}

fn print() -> Result<(), Failure> {
    match io::stdout().lock().write_all(SBOM.as_bytes()) {
        // `labward sbom | head` is no fault.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(
            &problem::SERVER_INTERNAL,
            format!("write the answer: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}

/// Holds every component of this program against the vulnerabilities.
fn hits(vulnerabilities: &[Vulnerability]) -> Result<Hits, String> {
    let bom = Bom::parse(SBOM.as_bytes(), &Limits::sbom()).map_err(|error| error.to_string())?;
    let components = Components::new(vulnerabilities.to_vec());
    let mut compared = 0;
    let mut hits = Vec::new();
    for text in bom.components.iter().filter_map(|one| one.purl.as_deref()) {
        let unfit = |why: &dyn std::fmt::Display| format!("{text}: {why}");
        let purl = Purl::parse(text).ok_or_else(|| unfit(&"no package URL"))?;
        let answers = components.answers(&purl).map_err(|why| unfit(&why))?;
        compared += 1;
        for answer in answers
            .iter()
            .filter(|one| one.verdict != Verdict::NotAffected)
        {
            let Some(known) = vulnerabilities.get(answer.vulnerability) else {
                continue;
            };
            hits.push(Hit {
                verdict: answer.verdict.name(),
                purl: text.to_owned(),
                vulnerability: known.id.to_string(),
                aliases: known.aliases.iter().map(ToString::to_string).collect(),
                summary: known.summary.as_deref().map(str::to_owned),
                reasons: answer.reasons.iter().map(|reason| reason.code()).collect(),
            });
        }
    }
    Ok(Hits {
        components: compared,
        vulnerabilities: vulnerabilities.len(),
        hits,
        unread: Vec::new(),
    })
}

fn write(out: &mut dyn Write, all: &Hits) -> io::Result<()> {
    let rows: Vec<Vec<String>> = all
        .hits
        .iter()
        .map(|hit| {
            vec![
                hit.verdict.to_owned(),
                hit.purl.clone(),
                plain(&hit.vulnerability),
                or_dash(hit.summary.as_deref().map(plain).as_deref()),
                hit.reasons.join(", "),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let head = ["verdict", "component", "vulnerability", "summary", "why"];
        table(out, &head, &rows)?;
        writeln!(out)?;
    }
    for unread in &all.unread {
        writeln!(
            out,
            "{}",
            plain(&format!("not read: {}: {}", unread.path, unread.why))
        )?;
    }
    writeln!(
        out,
        "{} components, {} vulnerabilities, {} hits, {} documents not read",
        all.components,
        all.vulnerabilities,
        all.hits.len(),
        all.unread.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_bill_of_materials_is_read_without_a_flaw() {
        let bom = Bom::parse(SBOM.as_bytes(), &Limits::sbom()).unwrap();
        assert!(bom.flaws.is_empty(), "{:?}", bom.flaws);
        let subject = &bom.components[bom.subject.unwrap()];
        let own = (&*subject.name, subject.version.as_deref());
        assert_eq!(own, ("labward", Some(env!("CARGO_PKG_VERSION"))));
        let others = || bom.components.iter().filter(|one| one.name != subject.name);
        assert!(others().count() > 200, "{} components", others().count());
        assert!(others().all(|one| one.purl.is_some()));
        for needed in ["rustls", "aws-lc-rs", "rusqlite", "clap"] {
            assert!(others().any(|one| &*one.name == needed), "{needed}");
        }
        assert!(
            !others().any(|one| &*one.name == "proptest"),
            "tests are no part of it"
        );
        let json: serde_json::Value = serde_json::from_str(SBOM).unwrap();
        for one in json["components"].as_array().unwrap() {
            let licence = &one["licenses"][0]["expression"];
            assert_ne!(licence, "NOASSERTION", "{}", one["name"]);
        }
    }

    #[test]
    fn what_hits_a_component_is_told_and_what_is_fixed_is_not() {
        let osv = |id: &str, name: &str, fixed: &str| {
            format!(
                r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","summary":"Of {name}","affected":[
                {{"package":{{"ecosystem":"crates.io","name":"{name}"}},
                  "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0.0.0-0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
            )
        };
        let text = format!(
            "[{},{},{}]",
            osv("RUSTSEC-1", "rustls", "99.0.0"),
            osv("RUSTSEC-2", "clap", "1.0.0"),
            osv("RUSTSEC-3", "not-in-it", "99.0.0"),
        );
        let osv = Osv::parse(text.as_bytes(), &Limits::default()).unwrap();
        let all = hits(&osv.vulnerabilities).unwrap();
        assert_eq!(all.hits.len(), 1, "{:?}", all.hits);
        assert!(all.hits[0].purl.starts_with("pkg:cargo/rustls@"));
        assert_eq!(
            (all.hits[0].verdict, &*all.hits[0].vulnerability),
            ("affected", "RUSTSEC-1")
        );
        let mut out = Vec::new();
        write(&mut out, &all).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("RUSTSEC-1      Of rustls"), "{out}");
        assert!(
            out.ends_with("3 vulnerabilities, 1 hits, 0 documents not read\n"),
            "{out}"
        );
    }
}
