//! What publishers say in VEX documents: OpenVEX, the VEX of CycloneDX, and CSAF.
//!
//! It must never guess which product is meant: a statement whose product has neither a package URL nor vendor, name and
//! one version is left out with the reason.

use labward_advisory::csaf::{Advisory, Product, ProductIndex, Status, VersionKind, Vulnerability};
use labward_advisory::cyclonedx::{Bom, State};
use labward_advisory::openvex::OpenVex;
use labward_advisory::{Purl, Text};
use labward_base::Timestamp;

use crate::package::key_of;
use crate::people::{Justification, VexStatus, VulnerabilityId};

/// What a document says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The statements whose product is clear, in the order of the document.
    pub statements: Vec<PublishedStatement>,
    /// The others.
    pub left_out: Vec<LeftOut>,
}

/// One statement of a publisher about one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedStatement {
    /// The vulnerability and its other names.
    pub vulnerability: Vec<VulnerabilityId>,
    /// The product.
    pub product: PublishedProduct,
    /// What is said of it.
    pub status: VexStatus,
    /// Why it is not affected.
    pub justification: Option<Justification>,
    /// Why, or what to do, in the publisher's words.
    pub words: Option<Text>,
    /// When it was said, if the document says so.
    pub said: Option<Timestamp>,
}

/// A product that is clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishedProduct {
    /// By a link into a bill of materials (BOM-Link).
    Linked {
        /// The serial number of the bill, as a `urn:uuid:`.
        serial: Text,
        /// What names the component there.
        reference: Text,
    },
    /// By vendor, name and version.
    Named {
        /// The vendor.
        vendor: Text,
        /// The name.
        name: Text,
        /// The version.
        version: Text,
    },
    /// By package URL; without a version every version is meant.
    Package(Purl),
}

/// A statement that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The vulnerability, as it is written.
    pub vulnerability: Text,
    /// The product, as it is written.
    pub product: Text,
    /// Why.
    pub why: WhyLeftOut,
}

/// Why a statement is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyLeftOut {
    /// It is one product on, in or with another.
    Combined,
    /// Which product is meant is not clear to a machine.
    NoIdentity,
    /// It has no status that the format knows.
    NoStatus,
    /// It speaks of a range of versions; a [`Matcher`](crate::Matcher) reads that.
    Versions,
}

impl WhyLeftOut {
    /// Its stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Combined => "combined",
            Self::NoIdentity => "no-identity",
            Self::NoStatus => "no-status",
            Self::Versions => "versions",
        }
    }
}

impl PublishedStatement {
    /// Whether it is about this package, in this version.
    pub fn is_about(&self, purl: &Purl) -> bool {
        let PublishedProduct::Package(of) = &self.product else {
            return false;
        };
        let same_version = of.version.is_none() || of.version == purl.version;
        same_version && key_of(of).is_some_and(|key| key_of(purl) == Some(key))
    }
}

impl Published {
    fn add(
        &mut self,
        product: Result<PublishedProduct, WhyLeftOut>,
        written: (&Text, &Text),
        statement: impl FnOnce(PublishedProduct) -> Option<PublishedStatement>,
    ) {
        let said = product.and_then(|product| statement(product).ok_or(WhyLeftOut::NoStatus));
        match said {
            Ok(statement) => self.statements.push(statement),
            Err(why) => self.left_out.push(LeftOut {
                vulnerability: written.0.clone(),
                product: written.1.clone(),
                why,
            }),
        }
    }

    /// Of an OpenVEX document.
    pub fn of_openvex(document: &OpenVex) -> Self {
        let mut published = Self::default();
        for one in &document.statements {
            let names = std::iter::once(&one.vulnerability).chain(&one.aliases);
            let vulnerability: Vec<_> = names.map(|id| VulnerabilityId::public(id)).collect();
            for product in &one.products {
                let purls = product
                    .identifiers
                    .iter()
                    .filter(|(kind, _)| &**kind == "purl");
                let named = purls.map(|(_, text)| text).chain(&product.id);
                let purl = named.filter_map(|text| Purl::parse(text)).next();
                let written = product.id.clone().unwrap_or_default();
                let product = purl
                    .map(PublishedProduct::Package)
                    .ok_or(WhyLeftOut::NoIdentity);
                published.add(product, (&one.vulnerability, &written), |product| {
                    Some(PublishedStatement {
                        vulnerability: vulnerability.clone(),
                        product,
                        status: one.status?,
                        justification: one.justification.as_deref().and_then(Justification::of),
                        words: one.impact.clone().or_else(|| one.action.clone()),
                        said: one.issued.or(document.updated).or(document.issued),
                    })
                });
            }
        }
        published
    }

    /// Of the VEX in a CycloneDX document; a component of another document is clear by a BOM-Link.
    pub fn of_cyclonedx(bom: &Bom) -> Self {
        let mut published = Self::default();
        for one in &bom.vulnerabilities {
            let analysis = one.analysis.as_ref();
            let why = analysis.and_then(|one| one.justification.as_deref());
            for affects in &one.affects {
                let component = bom
                    .components
                    .iter()
                    .find(|of| of.bom_ref.as_ref() == Some(&affects.target));
                let product = match component {
                    _ if !affects.versions.is_empty() => Err(WhyLeftOut::Versions),
                    Some(of) => clear(
                        of.purl.as_deref(),
                        of.supplier.as_ref(),
                        Some(&of.name),
                        of.version.as_ref(),
                    ),
                    // Many documents take the package URL for the reference.
                    None => linked(&affects.target)
                        .map_or_else(|| clear(Some(&affects.target), None, None, None), Ok),
                };
                published.add(product, (&one.id, &affects.target), |product| {
                    Some(PublishedStatement {
                        vulnerability: vec![VulnerabilityId::public(&one.id)],
                        product,
                        status: status_of(analysis?.state?),
                        justification: why.and_then(justification_of),
                        words: analysis?.detail.clone(),
                        said: bom.made,
                    })
                });
            }
        }
        published
    }

    /// Of the statuses of a CSAF document, whatever its profile.
    pub fn of_csaf(advisory: &Advisory) -> Self {
        let mut published = Self::default();
        for (place, one) in advisory.vulnerabilities.iter().enumerate() {
            let Some(id) = VulnerabilityId::of(advisory, place) else {
                continue;
            };
            let written: Text = id.to_string().into();
            for entry in &one.statuses {
                let status = match entry.status {
                    Status::FirstAffected | Status::KnownAffected | Status::LastAffected => {
                        VexStatus::Affected
                    }
                    Status::FirstFixed | Status::Fixed => VexStatus::Fixed,
                    Status::KnownNotAffected => VexStatus::NotAffected,
                    Status::UnderInvestigation => VexStatus::UnderInvestigation,
                    // It says nothing of the vulnerability.
                    Status::Recommended => continue,
                };
                let Some(product) = advisory.product(entry.product) else {
                    continue;
                };
                published.add(clear_in_csaf(product), (&written, &product.id), |product| {
                    Some(PublishedStatement {
                        vulnerability: vec![id.clone()],
                        product,
                        status,
                        justification: flagged(one, entry.product),
                        words: impact(one, entry.product),
                        said: advisory.tracking.current_release,
                    })
                });
            }
        }
        published
    }
}

/// What `urn:cdx:SERIAL/VERSION#REFERENCE` leads to.
fn linked(target: &str) -> Option<PublishedProduct> {
    let (document, reference) = target.strip_prefix("urn:cdx:")?.split_once('#')?;
    let (serial, _) = document.split_once('/')?;
    let is_full = !serial.is_empty() && !reference.is_empty();
    is_full.then(|| PublishedProduct::Linked {
        serial: format!("urn:uuid:{serial}").into(),
        reference: reference.into(),
    })
}

/// Why a CSAF document says that a product is not affected: by a word of VEX, and in the publisher's words.
pub fn reason_in_csaf(
    vulnerability: &Vulnerability,
    product: ProductIndex,
) -> (Option<Justification>, Option<Text>) {
    (
        flagged(vulnerability, product),
        impact(vulnerability, product),
    )
}

fn clear(
    purl: Option<&str>,
    vendor: Option<&Text>,
    name: Option<&Text>,
    version: Option<&Text>,
) -> Result<PublishedProduct, WhyLeftOut> {
    if let Some(purl) = purl.and_then(Purl::parse) {
        return Ok(PublishedProduct::Package(purl));
    }
    match (vendor, name, version) {
        (Some(vendor), Some(name), Some(version)) => Ok(PublishedProduct::Named {
            vendor: vendor.clone(),
            name: name.clone(),
            version: version.clone(),
        }),
        _ => Err(WhyLeftOut::NoIdentity),
    }
}

fn clear_in_csaf(product: &Product) -> Result<PublishedProduct, WhyLeftOut> {
    if product.relation.is_some() {
        return Err(WhyLeftOut::Combined);
    }
    let purl = product
        .helper
        .as_ref()
        .and_then(|helper| helper.purl.as_deref());
    let version = product.version.as_ref();
    if purl.is_none() && version.is_some_and(|of| of.kind == VersionKind::Range) {
        return Err(WhyLeftOut::Versions);
    }
    let version = version.map(|of| &of.text);
    clear(
        purl,
        product.vendor.as_ref(),
        product.name.as_ref(),
        version,
    )
}

/// The justification that a CSAF document gives for a product.
fn flagged(vulnerability: &Vulnerability, product: ProductIndex) -> Option<Justification> {
    let flags = vulnerability.flags.iter();
    let mut of_it = flags.filter(|flag| flag.products.contains(&product));
    of_it.find_map(|flag| Justification::of(&flag.label))
}

/// The words of a CSAF document about the impact on a product.
fn impact(vulnerability: &Vulnerability, product: ProductIndex) -> Option<Text> {
    let mut threats = vulnerability
        .threats
        .iter()
        .filter(|one| &*one.category == "impact");
    let found = threats.find(|one| one.products.is_empty() || one.products.contains(&product));
    found.map(|one| one.details.clone())
}

const fn status_of(state: State) -> VexStatus {
    match state {
        State::Exploitable => VexStatus::Affected,
        State::FalsePositive | State::NotAffected => VexStatus::NotAffected,
        State::InTriage => VexStatus::UnderInvestigation,
        State::Resolved | State::ResolvedWithPedigree => VexStatus::Fixed,
    }
}

/// The words of CycloneDX that OpenVEX and CSAF have, too; for `requires_…` they have none.
fn justification_of(word: &str) -> Option<Justification> {
    match word {
        "code_not_present" => Some(Justification::VulnerableCodeNotPresent),
        "code_not_reachable" => Some(Justification::VulnerableCodeNotInExecutePath),
        "protected_at_perimeter"
        | "protected_at_runtime"
        | "protected_by_compiler"
        | "protected_by_mitigating_control" => Some(Justification::InlineMitigationsAlreadyExist),
        _ => None,
    }
}
