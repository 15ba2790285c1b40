//! SPDX bills of materials (JSON, 2.2 and 2.3).
//!
//! What is read: packages with their external references and checksums, and relationships. Files,
//! snippets, licences and annotations say nothing about which product is vulnerable, and are not read.

use labward_base::Timestamp;

use crate::flaw::Flaws;
use crate::json::{self, Value};
use crate::lenient::{Ground, Lenient as _};
use crate::{Error, Limits, Text};

/// One document.
#[derive(Clone, Debug)]
pub struct Spdx {
    /// `spdxVersion`, for example `SPDX-2.3`.
    pub spdx_version: Text,
    /// Its name.
    pub name: Text,
    /// `documentNamespace`, which names it everywhere.
    pub namespace: Option<Text>,
    /// When it was made.
    pub made: Option<Timestamp>,
    /// Its packages, in the order of the file.
    pub packages: Vec<Package>,
    /// The ids of what the document is about.
    pub describes: Vec<Text>,
    /// How packages and files stand to each other.
    pub relationships: Vec<Relationship>,
    /// What could not be read.
    pub flaws: Flaws,
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// `SPDXID`, unique in the document.
    pub id: Text,
    /// Its name.
    pub name: Text,
    /// Its version.
    pub version: Option<Text>,
    /// Who supplies it, without the `Organization:` before it; `None` if nobody says.
    pub supplier: Option<Text>,
    /// What it is for, for example `OPERATING-SYSTEM`.
    pub purpose: Option<Text>,
    /// Its package URLs.
    pub purls: Vec<Text>,
    /// Its CPE names.
    pub cpes: Vec<Text>,
    /// Checksums: algorithm and value in hexadecimal.
    pub checksums: Vec<(Text, Text)>,
}

/// How two elements stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    /// The element that is spoken of.
    pub element: Text,
    /// The word, for example `DEPENDS_ON`.
    pub kind: Text,
    /// The other element.
    pub related: Text,
}

impl Spdx {
    /// Reads the bytes of a file; take [`Limits::sbom`].
    ///
    /// # Errors
    /// If it is no JSON, passes a limit, or its `spdxVersion` is not 2.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        json::read(bytes, limits, |root, ground| {
            let version = root.text_of("spdxVersion").unwrap_or_default();
            if !version.starts_with("SPDX-2.") {
                return Err(Error::NotA("SPDX 2"));
            }
            ground.repeated_keys(root);
            let creation = root.get("creationInfo");
            let packages = ground.entries(root, "packages");
            Ok(Self {
                spdx_version: ground.keep(version),
                name: ground.needed(root, "name"),
                namespace: ground.text(root, "documentNamespace"),
                made: creation.and_then(|one| ground.time(one, "created")),
                packages: packages
                    .into_iter()
                    .map(|one| package(ground, one))
                    .collect(),
                describes: ground.texts(root, "documentDescribes"),
                relationships: relationships(ground, root),
                flaws: std::mem::take(&mut ground.flaws),
            })
        })
    }
}

fn package<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Package {
    let (mut purls, mut cpes) = (Vec::new(), Vec::new());
    for reference in ground.objects(value, "externalRefs") {
        let locator = ground.needed_unshared(reference, "referenceLocator");
        match reference.text_of("referenceType") {
            Some("purl") => purls.push(locator),
            Some(kind) if kind.ends_with("cpe22Type") || kind.ends_with("cpe23Type") => {
                cpes.push(locator);
            }
            // Other references lead to pages about the package, not to its identity.
            _ => {}
        }
    }
    let supplier = value.text_of("supplier").map(|text| {
        let bare = text
            .strip_prefix("Organization:")
            .or_else(|| text.strip_prefix("Person:"));
        bare.unwrap_or(text).trim()
    });
    let checksums = ground.objects(value, "checksums").into_iter();
    Package {
        checksums: checksums
            .map(|one| {
                let algorithm = ground.needed(one, "algorithm");
                (algorithm, ground.needed_unshared(one, "checksumValue"))
            })
            .collect(),
        id: ground.needed(value, "SPDXID"),
        name: ground.needed_unshared(value, "name"),
        version: ground.unshared(value, "versionInfo"),
        supplier: supplier
            .filter(|text| *text != "NOASSERTION")
            .map(|text| ground.keep(text)),
        purpose: ground.text(value, "primaryPackagePurpose"),
        purls,
        cpes,
    }
}

fn relationships<'t>(ground: &mut Ground<'t>, root: Value<'t>) -> Vec<Relationship> {
    let values = ground.entries(root, "relationships").into_iter();
    values
        .map(|one| Relationship {
            element: ground.needed(one, "spdxElementId"),
            kind: ground.needed(one, "relationshipType"),
            related: ground.needed(one, "relatedSpdxElement"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: &str = r#"{"spdxVersion":"SPDX-2.3","name":"analyzer","documentNamespace":"https://e.x/1",
        "creationInfo":{"created":"2024-01-02T00:00:00Z"},"documentDescribes":["SPDXRef-a"],
        "packages":[{"SPDXID":"SPDXRef-a","name":"openssl","versionInfo":"3.0.1","supplier":"Organization: OpenSSL",
           "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/openssl@3.0.1"},
             {"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*"}],
           "checksums":[{"algorithm":"SHA256","checksumValue":"ab"}],"primaryPackagePurpose":"LIBRARY"},
          {"SPDXID":"SPDXRef-b","name":7,"supplier":"NOASSERTION"}],
        "relationships":[{"spdxElementId":"SPDXRef-a","relationshipType":"DEPENDS_ON","relatedSpdxElement":"SPDXRef-b"}]}"#;

    #[test]
    fn packages_are_read_with_what_identifies_them() {
        let spdx = Spdx::parse(SMALL.as_bytes(), &Limits::sbom()).unwrap();
        let [one, two] = &spdx.packages[..] else {
            panic!()
        };
        assert_eq!(
            (&*one.name, one.version.as_deref()),
            ("openssl", Some("3.0.1"))
        );
        assert_eq!(one.supplier.as_deref(), Some("OpenSSL"));
        assert_eq!(
            (one.purls.len(), one.cpes.len(), one.checksums.len()),
            (1, 1, 1)
        );
        assert_eq!(two.supplier, None);
        assert_eq!(&*spdx.relationships[0].kind, "DEPENDS_ON");
        assert_eq!(spdx.flaws.listed()[0].place, "/packages/1/name");
        assert_eq!(&*spdx.describes[0], "SPDXRef-a");
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let three = Spdx::parse(br#"{"spdxVersion":"SPDX-3.0"}"#, &Limits::sbom());
        assert_eq!(three.err().unwrap().to_string(), "no SPDX 2 document");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0..SMALL.len(), byte: u8) {
            let mut bytes = SMALL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Spdx::parse(&bytes, &Limits::sbom());
        }
    }
}
