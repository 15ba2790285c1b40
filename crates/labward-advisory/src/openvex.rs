//! OpenVEX documents (JSON): which product a vulnerability affects, and why not.
//!
//! A word for a status that the format does not know must never read as "not affected".

use labward_base::Timestamp;

use crate::flaw::{Flaws, quote};
use crate::json::{self, Value};
use crate::lenient::{Ground, Lenient as _};
use crate::{Error, Limits, Text};

/// One document.
#[derive(Clone, Debug)]
pub struct OpenVex {
    /// `@id`.
    pub id: Text,
    /// Who says it.
    pub author: Text,
    /// When it was issued.
    pub issued: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// The version of the document, as it is written.
    pub version: Option<Text>,
    /// Its statements, in the order of the file.
    pub statements: Vec<Statement>,
    /// What could not be read.
    pub flaws: Flaws,
}

/// What is said of one vulnerability in some products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The vulnerability, mostly its CVE.
    pub vulnerability: Text,
    /// Other ids of it.
    pub aliases: Vec<Text>,
    /// The products.
    pub products: Vec<Product>,
    /// What is said of them; `None` if the word is none of the format.
    pub status: Option<Status>,
    /// Why they are not affected, by a word of the format.
    pub justification: Option<Text>,
    /// Why they are not affected, in words.
    pub impact: Option<Text>,
    /// What to do.
    pub action: Option<Text>,
    /// Since when; without it that of the document counts.
    pub issued: Option<Timestamp>,
}

/// A product or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// `@id`, mostly a package URL.
    pub id: Option<Text>,
    /// Identifiers by kind: `purl`, `cpe22`, `cpe23`.
    pub identifiers: Vec<(Text, Text)>,
    /// Hashes by algorithm.
    pub hashes: Vec<(Text, Text)>,
    /// The parts in which the vulnerability is.
    pub subcomponents: Vec<Product>,
}

/// The statuses of VEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Has the vulnerability, and something must be done.
    Affected,
    /// Has the fix.
    Fixed,
    /// Nothing needs to be done.
    NotAffected,
    /// Not known yet.
    UnderInvestigation,
}

impl Status {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [
        Self::Affected,
        Self::Fixed,
        Self::NotAffected,
        Self::UnderInvestigation,
    ];

    /// Its word in the format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::NotAffected => "not_affected",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// The status of a word; `None` if it is none of the format.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

impl OpenVex {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// If it is no JSON, passes a limit, or its `@context` is not that of OpenVEX.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        json::read(bytes, limits, |root, ground| {
            let context = root.text_of("@context").unwrap_or_default();
            if !context.contains("openvex") {
                return Err(Error::NotA("OpenVEX"));
            }
            let version = root.get("version");
            let statements = ground.entries(root, "statements");
            Ok(Self {
                statements: statements
                    .into_iter()
                    .map(|one| statement(ground, one))
                    .collect(),
                id: ground.needed(root, "@id"),
                author: ground.needed(root, "author"),
                issued: ground.time(root, "timestamp"),
                updated: ground.time(root, "last_updated"),
                version: version.and_then(|one| match one.number() {
                    Some(number) => Some(number.to_string().into()),
                    None => ground.text(root, "version"),
                }),
                flaws: std::mem::take(&mut ground.flaws),
            })
        })
    }
}

fn statement<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Statement {
    let vulnerability = value.get("vulnerability");
    let (name, aliases) = match vulnerability {
        // Before version 0.2 it was text.
        Some(one) if one.text().is_some() => (ground.needed(value, "vulnerability"), Vec::new()),
        Some(one) => {
            let name = ground.text(one, "name").or_else(|| ground.text(one, "@id"));
            if name.is_none() {
                ground.flaw("read", one, "a vulnerability without name");
            }
            (name.unwrap_or_default(), ground.texts(one, "aliases"))
        }
        None => (ground.needed(value, "vulnerability"), Vec::new()),
    };
    let status = ground.needed(value, "status");
    let products = ground.items(value, "products");
    Statement {
        vulnerability: name,
        aliases,
        products: products.filter_map(|one| product(ground, one)).collect(),
        status: Status::of(&status).or_else(|| {
            let at = value.get("status").unwrap_or(value);
            ground.flaw("read", at, format!("{} is no status", quote(&status)));
            None
        }),
        justification: ground.text(value, "justification"),
        impact: ground.text(value, "impact_statement"),
        action: ground.text(value, "action_statement"),
        issued: ground.time(value, "timestamp"),
    }
}

/// The nesting is bounded by that of the document.
fn product<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> Option<Product> {
    if let Some(id) = value.text() {
        return Some(Product {
            id: Some(ground.keep(id)),
            ..Product::default()
        });
    }
    if value.kind() != json::Kind::Object {
        ground.flaw(
            "read",
            value,
            "a product that is neither text nor an object was left out",
        );
        return None;
    }
    let mut pairs = |key: &str| -> Vec<(Text, Text)> {
        let members = value.get(key).into_iter().flat_map(Value::members);
        members
            .filter_map(|(kind, one)| match one.text() {
                Some(text) => Some((ground.keep(kind), ground.keep(text))),
                None => {
                    ground.flaw("read", one, "text is expected");
                    None
                }
            })
            .collect()
    };
    let (identifiers, hashes) = (pairs("identifiers"), pairs("hashes"));
    let parts = ground.items(value, "subcomponents");
    Some(Product {
        id: ground.text(value, "@id"),
        identifiers,
        hashes,
        subcomponents: parts.filter_map(|one| product(ground, one)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.x/vex-1","author":"Lab",
        "timestamp":"2024-01-02T00:00:00Z","version":1,"statements":[
        {"vulnerability":{"name":"CVE-2024-0001","aliases":["GHSA-a"]},
         "products":[{"@id":"pkg:oci/a@1","identifiers":{"purl":"pkg:oci/a@1"},"hashes":{"sha-256":"ab"},
                      "subcomponents":[{"@id":"pkg:npm/b@2"}]},"pkg:npm/c"],
         "status":"not_affected","justification":"component_not_present"},
        {"vulnerability":"CVE-2024-0002","products":[7],"status":"harmless"}]}"#;

    #[test]
    fn statements_are_read_in_both_forms() {
        let vex = OpenVex::parse(SMALL.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(
            (&*vex.id, vex.version.as_deref()),
            ("https://e.x/vex-1", Some("1"))
        );
        let [one, two] = &vex.statements[..] else {
            panic!()
        };
        assert_eq!(
            (&*one.vulnerability, one.status),
            ("CVE-2024-0001", Some(Status::NotAffected))
        );
        assert_eq!(
            one.products[0].subcomponents[0].id.as_deref(),
            Some("pkg:npm/b@2")
        );
        assert_eq!(one.products[1].id.as_deref(), Some("pkg:npm/c"));
        assert_eq!(&*two.vulnerability, "CVE-2024-0002");
    }

    #[test]
    fn an_unknown_status_is_never_not_affected() {
        let vex = OpenVex::parse(SMALL.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(vex.statements[1].status, None);
        let places: Vec<&str> = vex
            .flaws
            .listed()
            .iter()
            .map(|one| one.place.as_str())
            .collect();
        assert_eq!(places, ["/statements/1/products/0", "/statements/1/status"]);
        let other = OpenVex::parse(b"{\"statements\":[]}", &Limits::default());
        assert_eq!(other.err(), Some(Error::NotA("OpenVEX")));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0..SMALL.len(), byte: u8) {
            let mut bytes = SMALL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = OpenVex::parse(&bytes, &Limits::default());
        }
    }
}
