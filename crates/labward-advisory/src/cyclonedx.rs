//! CycloneDX bills of materials and VEX documents (JSON, 1.2 to 1.6).
//!
//! What is read: components (nested ones too) with package URL, CPE and hashes, dependencies, and
//! vulnerabilities with their analysis. Licences, services, compositions, formulation and annotations
//! say nothing about which product is vulnerable, and are not read.

use labward_base::Timestamp;

use crate::flaw::{Flaws, quote};
use crate::json::{self, Kind, Value};
use crate::lenient::{Ground, Lenient as _};
use crate::score::Score;
use crate::{Error, Limits, Text};

/// One document.
#[derive(Clone, Debug)]
pub struct Bom {
    /// `specVersion`, for example `1.4`.
    pub spec_version: Text,
    /// `serialNumber`, a URN that names the document.
    pub serial_number: Option<Text>,
    /// When it was made.
    pub made: Option<Timestamp>,
    /// The place in [`Bom::components`] of what the document is about, `metadata.component`.
    pub subject: Option<usize>,
    /// Every component, each before those nested in it.
    pub components: Vec<Component>,
    /// Which component needs which, by `bom-ref`.
    pub dependencies: Vec<(Text, Vec<Text>)>,
    /// What is said of vulnerabilities.
    pub vulnerabilities: Vec<Vulnerability>,
    /// What could not be read.
    pub flaws: Flaws,
}

/// One component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// `bom-ref`, unique in the document.
    pub bom_ref: Option<Text>,
    /// `application`, `library`, `operating-system`, `device`, …
    pub kind: Text,
    /// The group or namespace.
    pub group: Option<Text>,
    /// The name.
    pub name: Text,
    /// The version.
    pub version: Option<Text>,
    /// Who supplies it: the name of `supplier`, else `manufacturer`, `publisher` or `author`.
    pub supplier: Option<Text>,
    /// The package URL.
    pub purl: Option<Text>,
    /// The CPE name.
    pub cpe: Option<Text>,
    /// Hashes: algorithm and value in hexadecimal.
    pub hashes: Vec<(Text, Text)>,
    /// The place in [`Bom::components`] of the component that it is nested in.
    pub parent: Option<usize>,
}

/// What is said of one vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vulnerability {
    /// Its id, mostly a CVE.
    pub id: Text,
    /// Who gave the id, for example `NVD`.
    pub source: Option<Text>,
    /// Scores whose rating has a vector; numbers without one are not taken.
    pub scores: Vec<Score>,
    /// Its weaknesses, by number.
    pub cwes: Vec<u32>,
    /// What it is.
    pub description: Option<Text>,
    /// What to do.
    pub recommendation: Option<Text>,
    /// What the publisher found about it.
    pub analysis: Option<Analysis>,
    /// What it is about.
    pub affects: Vec<Affects>,
}

/// `vulnerabilities[].analysis`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// The state; `None` if the word is none of the format.
    pub state: Option<State>,
    /// Why it is not affected, by a word of the format.
    pub justification: Option<Text>,
    /// What is done: `update`, `will_not_fix`, …
    pub responses: Vec<Text>,
    /// In words.
    pub detail: Option<Text>,
}

/// The states of an analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It can be exploited.
    Exploitable,
    /// It was reported and is none.
    FalsePositive,
    /// It is being looked at.
    InTriage,
    /// It does not affect the component.
    NotAffected,
    /// It was fixed.
    Resolved,
    /// It was fixed, and that was proved.
    ResolvedWithPedigree,
}

/// A component that a vulnerability is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affects {
    /// Its `bom-ref`, in this document or, as a BOM-Link, in another.
    pub target: Text,
    /// Versions or ranges (`vers`), and `affected`, `unaffected` or `unknown`.
    pub versions: Vec<(Text, Text)>,
}

impl Bom {
    /// Reads the bytes of a file; take [`Limits::sbom`].
    ///
    /// # Errors
    /// If it is no JSON, passes a limit, or its `bomFormat` is not `CycloneDX`.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        json::read(bytes, limits, |root, ground| {
            if root.text_of("bomFormat") != Some("CycloneDX") {
                return Err(Error::NotA("CycloneDX"));
            }
            ground.repeated_keys(root);
            let mut components = Vec::new();
            let metadata = root.get("metadata").unwrap_or(root);
            let subject = metadata
                .get("component")
                .filter(|_| root.get("metadata").is_some())
                .and_then(|value| component(ground, value, None, &mut components));
            nested(ground, root, None, &mut components);
            Ok(Self {
                spec_version: ground.needed(root, "specVersion"),
                serial_number: ground.text(root, "serialNumber"),
                made: ground.time(metadata, "timestamp"),
                subject,
                components,
                dependencies: dependencies(ground, root),
                vulnerabilities: ground
                    .entries(root, "vulnerabilities")
                    .into_iter()
                    .map(|one| vulnerability(ground, one))
                    .collect(),
                flaws: std::mem::take(&mut ground.flaws),
            })
        })
    }
}

/// The nesting is bounded by that of the document.
fn nested<'t>(
    ground: &mut Ground<'t>,
    owner: Value<'t>,
    parent: Option<usize>,
    components: &mut Vec<Component>,
) {
    for value in ground.items(owner, "components") {
        if components.len() >= ground.limits.max_entries {
            let what = "more components than the limit; the rest was left out";
            ground.flaw("read", value, what);
            return;
        }
        component(ground, value, parent, components);
    }
}

fn component<'t>(
    ground: &mut Ground<'t>,
    value: Value<'t>,
    parent: Option<usize>,
    components: &mut Vec<Component>,
) -> Option<usize> {
    if value.kind() != Kind::Object {
        ground.flaw("read", value, "a component that is no object was left out");
        return None;
    }
    ground.repeated_keys(value);
    let hashes = ground
        .objects(value, "hashes")
        .into_iter()
        .map(|hash| {
            (
                ground.needed(hash, "alg"),
                ground.needed_unshared(hash, "content"),
            )
        })
        .collect();
    let supplier = supplier(ground, value);
    let at = components.len();
    components.push(Component {
        bom_ref: ground.text(value, "bom-ref"),
        kind: ground.needed(value, "type"),
        group: ground.text(value, "group"),
        name: ground.needed_unshared(value, "name"),
        version: ground.unshared(value, "version"),
        supplier,
        purl: ground.unshared(value, "purl"),
        cpe: ground.unshared(value, "cpe"),
        hashes,
        parent,
    });
    nested(ground, value, Some(at), components);
    Some(at)
}

fn supplier<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Option<Text> {
    for key in ["supplier", "manufacturer"] {
        if let Some(one) = value.get(key)
            && let Some(name) = ground.text(one, "name")
        {
            return Some(name);
        }
    }
    ground
        .text(value, "publisher")
        .or_else(|| ground.text(value, "author"))
}

fn dependencies<'t>(ground: &mut Ground<'t>, root: Value<'t>) -> Vec<(Text, Vec<Text>)> {
    let values = ground.entries(root, "dependencies").into_iter();
    values
        .map(|one| (ground.needed(one, "ref"), ground.texts(one, "dependsOn")))
        .collect()
}

fn vulnerability<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Vulnerability {
    let source = value.get("source");
    let mut scores = Vec::new();
    for rating in ground.objects(value, "ratings") {
        let Some(mut vector) = ground.text(rating, "vector") else {
            continue;
        };
        // Version 1.4 files leave the version to `method`.
        let prefix = match rating.text_of("method") {
            Some("CVSSv3") => "CVSS:3.0/",
            Some("CVSSv31") => "CVSS:3.1/",
            Some("CVSSv4") => "CVSS:4.0/",
            _ => "",
        };
        if !prefix.is_empty() && !vector.starts_with("CVSS:") {
            vector = format!("{prefix}{vector}").into();
        }
        scores.push(Score::of(vector));
    }
    let analysis = value.get("analysis");
    Vulnerability {
        id: ground.needed(value, "id"),
        source: source.and_then(|one| ground.text(one, "name")),
        scores,
        cwes: cwes(ground, value),
        description: ground.text(value, "description"),
        recommendation: ground.text(value, "recommendation"),
        analysis: analysis.map(|one| read_analysis(ground, one)),
        affects: affects(ground, value),
    }
}

fn cwes<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Vec<u32> {
    let mut numbers = Vec::new();
    for item in ground.items(value, "cwes") {
        let number = item.number().filter(|one| one.fract() == 0.0);
        // Through text: a number is never cast.
        match number.and_then(|one| one.to_string().parse().ok()) {
            Some(number) => numbers.push(number),
            None => ground.flaw("read", item, "no number of a weakness"),
        }
    }
    numbers
}

fn read_analysis<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Analysis {
    let state = match value.text_of("state") {
        None => None,
        Some("exploitable") => Some(State::Exploitable),
        Some("false_positive") => Some(State::FalsePositive),
        Some("in_triage") => Some(State::InTriage),
        Some("not_affected") => Some(State::NotAffected),
        Some("resolved") => Some(State::Resolved),
        Some("resolved_with_pedigree") => Some(State::ResolvedWithPedigree),
        Some(word) => {
            ground.flaw("read", value, format!("{} is no state", quote(word)));
            None
        }
    };
    Analysis {
        state,
        justification: ground.text(value, "justification"),
        responses: ground.texts(value, "response"),
        detail: ground.text(value, "detail"),
    }
}

fn affects<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Vec<Affects> {
    let values = ground.objects(value, "affects").into_iter();
    values
        .map(|one| {
            let versions = ground.objects(one, "versions").into_iter();
            let versions = versions
                .map(|version| {
                    let text = ground
                        .text(version, "version")
                        .or_else(|| ground.text(version, "range"))
                        .unwrap_or_default();
                    let status = ground.text(version, "status");
                    (text, status.unwrap_or_else(|| ground.keep("affected")))
                })
                .collect();
            Affects {
                target: ground.needed(one, "ref"),
                versions,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.4","metadata":{"timestamp":"2022-03-03T00:00:00Z",
        "component":{"name":"Analyzer","type":"application","bom-ref":"a"}},
        "components":[{"type":"library","group":"g","name":"outer","version":"1","purl":"pkg:npm/outer@1",
           "hashes":[{"alg":"SHA-256","content":"ab"}],"supplier":{"name":"S"},
           "components":[{"type":"library","name":"inner","version":2},7]}],
        "dependencies":[{"ref":"a","dependsOn":["b"]}],
        "vulnerabilities":[{"id":"CVE-2020-11896","source":{"name":"NVD"},"cwes":[20],
           "ratings":[{"method":"CVSSv31","vector":"AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H","score":1.0}],
           "analysis":{"state":"not_affected","justification":"code_not_reachable","response":["update"]},
           "affects":[{"ref":"a","versions":[{"range":"vers:generic/<2","status":"affected"}]}]},
          {"id":"CVE-1","analysis":{"state":"fine"}}]}"#;

    #[test]
    fn nested_components_know_their_parent() {
        let bom = Bom::parse(SMALL.as_bytes(), &Limits::sbom()).unwrap();
        assert_eq!(bom.subject, Some(0));
        let names: Vec<_> = bom
            .components
            .iter()
            .map(|one| (&*one.name, one.parent))
            .collect();
        assert_eq!(
            names,
            [("Analyzer", None), ("outer", None), ("inner", Some(1))]
        );
        assert_eq!(bom.components[1].supplier.as_deref(), Some("S"));
        assert_eq!(&*bom.components[1].hashes[0].1, "ab");
        assert_eq!(&*bom.dependencies[0].1[0], "b");
    }

    #[test]
    fn the_analysis_is_read_and_the_score_computed() {
        let bom = Bom::parse(SMALL.as_bytes(), &Limits::sbom()).unwrap();
        let one = &bom.vulnerabilities[0];
        assert_eq!(one.scores[0].base_tenths, Some(100));
        assert_eq!(one.cwes, [20]);
        assert_eq!(
            one.analysis.as_ref().unwrap().state,
            Some(State::NotAffected)
        );
        assert_eq!(&*one.affects[0].versions[0].0, "vers:generic/<2");
        assert_eq!(
            bom.vulnerabilities[1].analysis.as_ref().unwrap().state,
            None
        );
        let places: Vec<&str> = bom
            .flaws
            .listed()
            .iter()
            .map(|one| one.place.as_str())
            .collect();
        assert_eq!(
            places,
            [
                "/components/0/components/0/version",
                "/components/0/components/1",
                "/vulnerabilities/1/analysis",
            ]
        );
    }

    #[test]
    fn a_bill_above_a_limit_is_refused_or_told() {
        let limits = Limits {
            max_bytes: 100,
            ..Limits::sbom()
        };
        let refused = Bom::parse(SMALL.as_bytes(), &limits).err().unwrap();
        assert_eq!(
            refused.to_string(),
            format!("{} bytes, more than the limit of 100", SMALL.len())
        );
        let limits = Limits {
            max_entries: 1,
            ..Limits::sbom()
        };
        let bom = Bom::parse(SMALL.as_bytes(), &limits).unwrap();
        assert_eq!(bom.components.len(), 1);
        assert!(
            bom.flaws
                .listed()
                .iter()
                .any(|one| one.place == "/components/0")
        );
    }

    #[test]
    fn real_bills_are_read_whole() {
        let Some(data) = crate::real_data::folder("bills of materials") else {
            return;
        };
        for (name, components, vulnerabilities) in [
            ("dropwizard-1.3.15.cdx.json", 167, 0),
            ("juice-shop-11.1.2.cdx.json", 840, 0),
            ("laravel-7.12.0.cdx.json", 62, 0),
            ("vex-case-2.cdx.json", 0, 1),
            ("vex-case-3.cdx.json", 0, 1),
            ("vex-case-6.cdx.json", 0, 1),
            ("vex-case-8.cdx.json", 0, 1),
        ] {
            let bytes = std::fs::read(data.join("sbom").join(name)).unwrap();
            let bom = Bom::parse(&bytes, &Limits::sbom()).unwrap();
            let listed = bom.components.len() - usize::from(bom.subject.is_some());
            if components > 0 {
                assert_eq!(listed, components, "{name}");
                assert!(bom.components.iter().skip(1).all(|one| {
                    one.purl
                        .as_deref()
                        .is_some_and(|purl| crate::Purl::parse(purl).is_some())
                }));
            }
            assert!(bom.vulnerabilities.len() >= vulnerabilities, "{name}");
            assert!(bom.flaws.is_empty(), "{name}: {:?}", bom.flaws.listed());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0..SMALL.len(), byte: u8) {
            let mut bytes = SMALL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Bom::parse(&bytes, &Limits::sbom());
        }
    }
}
