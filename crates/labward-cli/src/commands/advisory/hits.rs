//! `advisory match`: which devices of a list the advisories hit, without any server.
//!
//! It must never leave out in silence a document or a line of the list that it could not read.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use labward_advisory::bundle::{Checks, Item, Kind, Trust};
use labward_advisory::csaf::Advisory;
use labward_advisory::epss::Scores;
use labward_advisory::kev::Catalog;
use labward_advisory::{Limits, Severity};
use labward_base::{Clock as _, problem};
use labward_matching::{Answer, Books, Device, Matcher, Verdict};
use serde::Serialize;

use super::{Unread, files, plain};
use crate::args::AdvisoryMatchArgs;
use crate::commands::{Context, read};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

/// What a column of the list may be called.
const COLUMNS: [(Column, &[&str]); 5] = [
    (Column::Name, &["name", "device", "nombre", "equipo"]),
    (
        Column::Manufacturer,
        &["manufacturer", "vendor", "maker", "fabricante"],
    ),
    (Column::Model, &["model", "modelo"]),
    (Column::Product, &["software", "product", "producto"]),
    (Column::Version, &["version", "software version", "versión"]),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Manufacturer,
    Model,
    Product,
    Version,
}

/// Everything that was found.
#[derive(Debug, Default, Serialize)]
struct Hits {
    /// How many advisories were read.
    advisories: usize,
    devices: Vec<DeviceHits>,
    unread: Vec<Unread>,
}

/// What hits one device.
#[derive(Debug, Serialize)]
struct DeviceHits {
    line: u64,
    name: String,
    manufacturer: String,
    model: String,
    software: String,
    version: String,
    /// Advisories that speak of it and do not affect it; shown when all are asked for.
    not_affected_by: usize,
    hits: Vec<Hit>,
}

/// One advisory, and what it says of the device with one verdict.
#[derive(Debug, Serialize)]
struct Hit {
    verdict: &'static str,
    advisory: String,
    title: String,
    /// CVE numbers, or the vulnerability's place where it has none.
    vulnerabilities: Vec<String>,
    /// Those of them that are known to be exploited.
    exploited: Vec<String>,
    /// The highest probability that one of them is exploited within 30 days.
    epss: Option<f64>,
    worst_cvss: Option<f64>,
    /// Why it cannot be told.
    reasons: Vec<&'static str>,
    trail: Vec<Step>,
}

/// One product as its publisher wrote it, and how it was compared.
#[derive(Debug, PartialEq, Serialize)]
struct Step {
    vendor: String,
    product: String,
    versions: Option<String>,
    found_by: String,
    name: &'static str,
    read_as: Option<&'static str>,
    status: &'static str,
}

/// What is known besides of vulnerabilities.
#[derive(Default)]
struct Threats {
    kev: Option<Catalog>,
    epss: Option<Scores>,
}

/// `labward advisory match`
pub(super) fn run(context: &Context, arguments: &AdvisoryMatchArgs) -> Result<(), Failure> {
    let devices = devices(&arguments.devices)?;
    let limits = Limits::default();
    let checks = Checks {
        keys: &[],
        bundle_keys: &[],
        now: labward_os::SystemClock.now(),
    };
    let mut threats = Threats::default();
    for path in arguments.kev.iter().chain(&arguments.epss) {
        let unread = files::each(std::slice::from_ref(path), &checks, |_, item| {
            threats.take(item, &limits)
        });
        if let Some(one) = unread.first() {
            let detail = format!("{}: {}", one.path, one.why);
            return Err(Failure::new(&problem::CLI_FILE, detail));
        }
    }
    let mut advisories = Vec::new();
    let unread = files::each(&arguments.paths, &checks, |_, item| {
        if item.kind != Kind::Csaf {
            return threats.take(item, &limits);
        }
        advisories.push(parsed(item, |bytes| Advisory::parse(bytes, &limits))?);
        Ok(())
    });
    let books = Books::shipped().map_err(|error| {
        Failure::new(
            &problem::SERVER_INTERNAL,
            format!("read the books of names: {error}"),
        )
    })?;
    let matcher = Matcher::new(&books, &advisories);
    let hits = Hits {
        advisories: advisories.len(),
        devices: devices
            .into_iter()
            .map(|listed| listed.hit_by(&matcher, &threats, arguments.all))
            .collect(),
        unread,
    };
    show(context.json, &hits, |out| write(out, &hits))
}

/// The value of a document, unless something says that it is another one.
fn parsed<T>(
    item: &Item<'_>,
    parse: impl Fn(&[u8]) -> Result<T, labward_advisory::Error>,
) -> Result<T, String> {
    if item.trust() == Trust::Refuted {
        return Err("not what its hash, its signature or its bundle says".to_owned());
    }
    parse(item.bytes).map_err(|error| error.to_string())
}

impl Threats {
    /// Takes the first catalog and the first scores; what else there is, is told.
    fn take(&mut self, item: &Item<'_>, limits: &Limits) -> Result<(), String> {
        match item.kind {
            Kind::Kev if self.kev.is_none() => {
                self.kev = Some(parsed(item, |bytes| Catalog::parse(bytes, limits))?);
            }
            Kind::Epss if self.epss.is_none() => {
                self.epss = Some(parsed(item, |bytes| Scores::parse(bytes, limits))?);
            }
            Kind::Epss | Kind::Kev => return Err("another one was read before it".to_owned()),
            kind => return Err(files::another_kind(kind)),
        }
        Ok(())
    }
}

/// A device of the list.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    line: u64,
    name: String,
    device: Device,
}

/// The devices of a list.
fn devices(path: &Path) -> Result<Vec<Listed>, Failure> {
    read_devices(&read(path)?)
        .map_err(|why| Failure::new(&problem::CLI_FILE, format!("{}: {why}", path.display())))
}

fn read_devices(bytes: &[u8]) -> Result<Vec<Listed>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first_line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let delimiter = match first_line.contains(&b';') {
        true => b';',
        false => b',',
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(bytes);
    let head = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| {
        let name = name.trim().to_lowercase();
        let mut known = COLUMNS.iter();
        known.find_map(|(column, names)| names.contains(&name.as_str()).then_some(*column))
    };
    let columns: Vec<Option<Column>> = head.iter().map(column).collect();
    if !columns.contains(&Some(Column::Manufacturer)) || !columns.contains(&Some(Column::Model)) {
        return Err("its head must name the columns manufacturer and model".to_owned());
    }
    let mut listed = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let text = |wanted: Column| {
            let mut cells = columns.iter().zip(record.iter());
            let cell = cells.find(|(column, _)| **column == Some(wanted));
            cell.map_or("", |(_, cell)| cell.trim()).to_owned()
        };
        listed.push(Listed {
            line: record.position().map_or(0, csv::Position::line),
            name: text(Column::Name),
            device: Device {
                manufacturer: text(Column::Manufacturer),
                model: text(Column::Model),
                product: text(Column::Product),
                version: text(Column::Version),
            },
        });
    }
    Ok(listed)
}

impl Listed {
    fn hit_by(self, matcher: &Matcher<'_>, threats: &Threats, all: bool) -> DeviceHits {
        let mut answers = matcher.answers(&self.device);
        let harms = |one: &&Answer| one.verdict != Verdict::NotAffected;
        let harming: BTreeSet<usize> = answers
            .iter()
            .filter(harms)
            .map(|one| one.advisory)
            .collect();
        let speaking: BTreeSet<usize> = answers.iter().map(|one| one.advisory).collect();
        answers.retain(|one| all || one.verdict != Verdict::NotAffected);
        let mut hits: Vec<(usize, Verdict, Hit)> = Vec::new();
        for answer in answers {
            let Some(advisory) = matcher.advisories().get(answer.advisory) else {
                continue;
            };
            let is_of = |(of, verdict, _): &&mut (usize, Verdict, Hit)| {
                *of == answer.advisory && *verdict == answer.verdict
            };
            match hits.iter_mut().find(is_of) {
                Some((_, _, hit)) => hit.add(&answer, advisory, threats),
                None => {
                    let mut hit = Hit::of(answer.verdict, advisory);
                    hit.add(&answer, advisory, threats);
                    hits.push((answer.advisory, answer.verdict, hit));
                }
            }
        }
        let Device {
            manufacturer,
            model,
            product,
            version,
        } = self.device;
        DeviceHits {
            line: self.line,
            name: self.name,
            manufacturer,
            model,
            software: product,
            version,
            not_affected_by: speaking.len() - harming.len(),
            hits: hits.into_iter().map(|(_, _, hit)| hit).collect(),
        }
    }
}

impl Hit {
    fn of(verdict: Verdict, advisory: &Advisory) -> Self {
        Self {
            verdict: verdict.name(),
            advisory: advisory.id.to_string(),
            title: advisory.title.to_string(),
            vulnerabilities: Vec::new(),
            exploited: Vec::new(),
            epss: None,
            worst_cvss: None,
            reasons: Vec::new(),
            trail: Vec::new(),
        }
    }

    fn add(&mut self, answer: &Answer, advisory: &Advisory, threats: &Threats) {
        let vulnerability = advisory.vulnerabilities.get(answer.vulnerability);
        let cve = vulnerability.and_then(|one| one.cve.as_deref());
        let place = || format!("#{}", answer.vulnerability + 1);
        self.vulnerabilities
            .push(cve.map_or_else(place, str::to_owned));
        if let Some(cve) = cve {
            let catalog = threats.kev.iter();
            if catalog
                .flat_map(|one| &one.entries)
                .any(|one| &*one.cve == cve)
            {
                self.exploited.push(cve.to_owned());
            }
            let score = threats.epss.as_ref().and_then(|scores| scores.get(cve));
            let probability = score.map(|row| row.probability);
            self.epss = match (self.epss, probability) {
                (Some(known), Some(new)) => Some(known.max(new)),
                (known, new) => known.or(new),
            };
        }
        let products: Vec<_> = answer.trails.iter().map(|trail| trail.product).collect();
        let scores = vulnerability.into_iter().flat_map(|one| &one.scores);
        let of_product = scores.filter(|one| one.products.iter().any(|p| products.contains(p)));
        let worst = of_product.filter_map(|one| one.score.base_tenths).max();
        if let Some(worst) = worst.map(|tenths| f64::from(tenths) / 10.0) {
            self.worst_cvss = Some(self.worst_cvss.map_or(worst, |known| known.max(worst)));
        }
        for reason in answer.reasons.iter().map(|reason| reason.code()) {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        for trail in &answer.trails {
            let Some(product) = advisory.product(trail.product) else {
                continue;
            };
            let name = product.name.as_deref().or(product.family.as_deref());
            let step = Step {
                vendor: product.vendor.as_deref().unwrap_or_default().to_owned(),
                product: name.unwrap_or(&product.full_name).to_owned(),
                versions: product.version.as_ref().map(|one| one.text.to_string()),
                found_by: trail.found_by.clone(),
                name: trail.name.code(),
                read_as: trail.how.map(labward_product::range::How::code),
                status: trail.status.as_str(),
            };
            if !self.trail.contains(&step) {
                self.trail.push(step);
            }
        }
    }

    fn threat(&self) -> String {
        let cvss = self.worst_cvss.map(|score| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a score of 0.0 to 10.0 in tenths"
            )]
            let tenths = (score * 10.0).round() as u8;
            format!("{score:.1} {}", Severity::of_tenths(tenths).as_str())
        });
        let epss = self
            .epss
            .map(|probability| format!("EPSS {:.1} %", probability * 100.0));
        let kev = (!self.exploited.is_empty()).then(|| "exploited".to_owned());
        let parts: Vec<String> = [cvss, epss, kev].into_iter().flatten().collect();
        parts.join(", ")
    }
}

fn write(out: &mut dyn Write, hits: &Hits) -> io::Result<()> {
    let head = [
        "verdict",
        "advisory",
        "vulnerabilities",
        "threat",
        "product as published",
        "versions as published",
        "why",
    ];
    for device in &hits.devices {
        let parts = [
            &device.manufacturer,
            &device.model,
            &device.software,
            &device.version,
        ];
        let parts: Vec<&str> = parts
            .into_iter()
            .map(String::as_str)
            .filter(|one| !one.is_empty())
            .collect();
        let name = match device.name.is_empty() {
            true => format!("line {}", device.line),
            false => device.name.clone(),
        };
        writeln!(out, "{}: {}", plain(&name), plain(&parts.join(", ")))?;
        if device.hits.is_empty() {
            match device.not_affected_by {
                0 => writeln!(out, "  no advisory speaks of it\n")?,
                some => writeln!(
                    out,
                    "  no advisory affects it; {some} may speak of it: see --all\n"
                )?,
            }
            continue;
        }
        let rows: Vec<Vec<String>> = device.hits.iter().map(row).collect();
        table(out, &head, &rows)?;
        writeln!(out)?;
    }
    for unread in &hits.unread {
        writeln!(
            out,
            "{}",
            plain(&format!("not read: {}: {}", unread.path, unread.why))
        )?;
    }
    let count = |verdict: Verdict| {
        let of = |device: &&DeviceHits| device.hits.iter().any(|one| one.verdict == verdict.name());
        hits.devices.iter().filter(of).count()
    };
    writeln!(
        out,
        "{} devices, {} advisories: {} affected, {} where it cannot be told for all; {} documents not read",
        hits.devices.len(),
        hits.advisories,
        count(Verdict::Affected),
        count(Verdict::CannotTell),
        hits.unread.len()
    )
}

fn row(hit: &Hit) -> Vec<String> {
    let step = hit.trail.first();
    let many = match hit.vulnerabilities.as_slice() {
        [one] => one.clone(),
        all => format!("{} CVEs", all.len()),
    };
    vec![
        hit.verdict.to_owned(),
        plain(&hit.advisory),
        plain(&many),
        or_dash(
            Some(hit.threat())
                .filter(|text| !text.is_empty())
                .as_deref(),
        ),
        plain(&step.map_or_else(String::new, |one| one.product.clone())),
        plain(step.and_then(|one| one.versions.as_deref()).unwrap_or("-")),
        or_dash(
            Some(hit.reasons.join(", "))
                .filter(|text| !text.is_empty())
                .as_deref(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_devices_is_read_by_its_head_in_either_language() {
        let list = "Nombre;Fabricante;Modelo;Versión\nS1;Illumina;MiSeqDx;4.0.1\n";
        let read = read_devices(list.as_bytes()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].line, read[0].name.as_str()), (2, "S1"));
        assert_eq!(read[0].device.manufacturer, "Illumina");
        assert_eq!(read[0].device.version, "4.0.1");
        let quoted = "\u{feff}device,vendor,model,software\n\"A, B\",BD,FACSLyric,\n";
        let read = read_devices(quoted.as_bytes()).unwrap();
        assert_eq!(read[0].name, "A, B");
        assert!(
            read_devices(b"name,owner\nx,y\n").is_err(),
            "no column to match by"
        );
        assert!(read_devices(b"").is_err());
    }
}
