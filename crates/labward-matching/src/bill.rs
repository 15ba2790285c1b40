//! A bill of materials, whatever its format, as it is matched and listed.
//!
//! It must never leave out a component for having no package URL: what cannot be matched is there, and counted.

use labward_advisory::cyclonedx::Bom;
use labward_advisory::spdx::Spdx;
use labward_advisory::{Error, Flaws, Limits, Purl, Text};
use labward_base::Timestamp;

/// Components of a bill at most; the rest is told as left out.
const COMPONENTS_MAX: usize = 100_000;

/// What a product is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// `cyclonedx` or `spdx`.
    pub format: &'static str,
    /// What names the document everywhere, without a version.
    pub serial: Option<Text>,
    /// When it was made, as it says itself.
    pub made: Option<Timestamp>,
    /// What the document is about.
    pub subject: Option<Component>,
    /// The components without the subject, in the order of the file.
    pub components: Vec<Component>,
    /// How many places of the file could not be read.
    pub flaws: usize,
}

/// One component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// What names it within the document.
    pub reference: Option<Text>,
    /// Its name, with its group or namespace before it.
    pub name: String,
    /// Its version.
    pub version: Option<Text>,
    /// Who supplies it.
    pub supplier: Option<Text>,
    /// Its package URL, as it is written.
    pub written: Option<Text>,
    /// Its package URL, where it can be read.
    pub purl: Option<Purl>,
}

impl Bill {
    /// Reads a bill in CycloneDX or SPDX 2 (JSON).
    ///
    /// # Errors
    /// If it is neither, passes a limit, or is no JSON.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        match Bom::parse(bytes, limits) {
            Err(Error::NotA(_)) => match Spdx::parse(bytes, limits) {
                Err(Error::NotA(_)) => Err(Error::NotA("CycloneDX or SPDX 2")),
                read => read.map(|spdx| Self::of_spdx(&spdx)),
            },
            read => read.map(|bom| Self::of_cyclonedx(&bom)),
        }
    }

    fn of_cyclonedx(bom: &Bom) -> Self {
        let component = |one: &labward_advisory::cyclonedx::Component| Component {
            reference: one.bom_ref.clone(),
            name: match &one.group {
                Some(group) => format!("{group}/{}", one.name),
                None => one.name.to_string(),
            },
            version: one.version.clone(),
            supplier: one.supplier.clone(),
            purl: one.purl.as_deref().and_then(Purl::parse),
            written: one.purl.clone(),
        };
        let subject = bom.subject.and_then(|place| bom.components.get(place));
        let others = bom.components.iter().enumerate();
        let others = others.filter(|(place, _)| Some(*place) != bom.subject);
        Self {
            format: "cyclonedx",
            serial: bom.serial_number.clone(),
            made: bom.made,
            subject: subject.map(component),
            components: others
                .take(COMPONENTS_MAX)
                .map(|(_, one)| component(one))
                .collect(),
            flaws: told(&bom.flaws) + bom.components.len().saturating_sub(COMPONENTS_MAX),
        }
    }

    fn of_spdx(spdx: &Spdx) -> Self {
        let component = |one: &labward_advisory::spdx::Package| Component {
            reference: Some(one.id.clone()),
            name: one.name.to_string(),
            version: one.version.clone(),
            supplier: one.supplier.clone(),
            purl: one.purls.iter().find_map(|text| Purl::parse(text)),
            written: one.purls.first().cloned(),
        };
        let is_subject = |one: &labward_advisory::spdx::Package| spdx.describes.contains(&one.id);
        let others = spdx.packages.iter().filter(|one| !is_subject(one));
        Self {
            format: "spdx",
            serial: spdx.namespace.clone(),
            made: spdx.made,
            subject: spdx
                .packages
                .iter()
                .find(|one| is_subject(one))
                .map(component),
            components: others.take(COMPONENTS_MAX).map(component).collect(),
            flaws: told(&spdx.flaws) + spdx.packages.len().saturating_sub(COMPONENTS_MAX),
        }
    }

    /// How many components have a package URL whose ecosystem is known, and can be matched.
    pub fn matchable(&self) -> usize {
        let purls = self.components.iter().filter_map(|one| one.purl.as_ref());
        purls
            .filter(|purl| crate::package_of_purl(purl).is_some())
            .count()
    }
}

/// How many flaws there are, listed or not.
fn told(flaws: &Flaws) -> usize {
    let unlisted = usize::try_from(flaws.unlisted()).unwrap_or(usize::MAX);
    flaws.listed().len().saturating_add(unlisted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.4","serialNumber":"urn:uuid:1",
        "metadata":{"component":{"name":"Analyzer","type":"device","bom-ref":"a"}},
        "components":[{"type":"library","group":"org.x","name":"y","version":"1.0",
          "purl":"pkg:maven/org.x/y@1.0","bom-ref":"y"},{"type":"library","name":"driver"}]}"#;
    const SPDX: &str = r#"{"spdxVersion":"SPDX-2.3","name":"d","documentNamespace":"https://e.x/1",
        "documentDescribes":["SPDXRef-a"],"packages":[{"SPDXID":"SPDXRef-a","name":"Analyzer"},
        {"SPDXID":"SPDXRef-y","name":"y","versionInfo":"1.0","externalRefs":[{"referenceCategory":
        "PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/y@1.0"}]}]}"#;

    #[test]
    fn both_formats_give_the_same_shape() {
        for (text, format, total) in [(CYCLONEDX, "cyclonedx", 2), (SPDX, "spdx", 1)] {
            let bill = Bill::read(text.as_bytes(), &Limits::sbom()).unwrap();
            assert_eq!((bill.format, bill.components.len()), (format, total));
            assert_eq!(bill.subject.as_ref().unwrap().name, "Analyzer");
            assert_eq!(bill.matchable(), 1, "{format}");
            assert_eq!(bill.components[0].version.as_deref(), Some("1.0"));
            assert!(bill.serial.is_some());
        }
        let read = Bill::read(CYCLONEDX.as_bytes(), &Limits::sbom()).unwrap();
        assert_eq!(read.components[0].name, "org.x/y");
        assert!(read.components[1].purl.is_none());
    }

    #[test]
    fn what_is_no_bill_is_named_and_cut_bytes_panic_nowhere() {
        let none = Bill::read(b"{\"document\":{}}", &Limits::sbom());
        assert_eq!(none.err(), Some(Error::NotA("CycloneDX or SPDX 2")));
        for end in 0..SPDX.len() {
            let _ = Bill::read(&SPDX.as_bytes()[..end], &Limits::sbom());
        }
    }
}
