//! What a CSAF document says, in types.

use labward_base::Timestamp;

use crate::Text;
use crate::flaw::Flaws;
use crate::score::Score;

/// One security advisory or VEX document.
#[derive(Clone, Debug)]
pub struct Advisory {
    /// `document.tracking.id`; empty if there is none.
    pub id: Text,
    /// `document.title`.
    pub title: Text,
    /// `document.category`: the profile, for example `csaf_vex`.
    pub category: Text,
    /// `document.csaf_version`.
    pub csaf_version: Text,
    /// `document.lang`.
    pub lang: Option<Text>,
    /// Who published it.
    pub publisher: Publisher,
    /// Which release of it this is.
    pub tracking: Tracking,
    /// To whom it may be given.
    pub tlp: Option<Tlp>,
    /// `document.notes`, in order; legal disclaimers and texts for a part of the audience too.
    pub notes: Vec<Note>,
    /// `document.references`.
    pub references: Vec<Reference>,
    /// Every product that the tree defines, in the order of the file.
    pub products: Vec<Product>,
    /// Every vulnerability, in the order of the file.
    pub vulnerabilities: Vec<Vulnerability>,
    /// What could not be read, or contradicts itself so that reading had to choose.
    pub flaws: Flaws,
}

impl Advisory {
    /// A product by its index.
    pub fn product(&self, index: ProductIndex) -> Option<&Product> {
        self.products.get(index.to_usize())
    }

    /// The index of a product by its id, in linear time.
    pub fn find_product(&self, id: &str) -> Option<ProductIndex> {
        let at = self
            .products
            .iter()
            .position(|product| &*product.id == id)?;
        u32::try_from(at).ok().map(ProductIndex)
    }

    /// The highest computed base score of all vulnerabilities, in tenths.
    pub fn worst_tenths(&self) -> Option<u8> {
        let scores = self.vulnerabilities.iter().flat_map(|one| &one.scores);
        scores.filter_map(|entry| entry.score.base_tenths).max()
    }
}

/// `document.publisher`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publisher {
    /// Its name.
    pub name: Text,
    /// `vendor`, `coordinator`, …
    pub category: Text,
    /// The URL under which its ids are unique.
    pub namespace: Text,
}

/// `document.tracking`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    /// The version: a number, or a semantic version.
    pub version: Text,
    /// `draft`, `interim` or `final`.
    pub status: Text,
    /// When it was first released.
    pub initial_release: Option<Timestamp>,
    /// When this version was released.
    pub current_release: Option<Timestamp>,
    /// `legacy_version` of the newest revision, or the letter of an "(Update A)" in the title.
    pub legacy_version: Option<Text>,
    /// Other ids of the same document.
    pub aliases: Vec<Text>,
    /// The revision history, in the order of the file.
    pub revisions: Vec<Revision>,
}

/// One item of the revision history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its version.
    pub number: Text,
    /// When it was made.
    pub date: Option<Timestamp>,
    /// The publisher's own word for it.
    pub legacy_version: Option<Text>,
    /// What changed.
    pub summary: Text,
}

/// The label of the Traffic Light Protocol, version 1 as CSAF 2.0 writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tlp {
    /// May be given to anybody.
    White,
    /// May be given within a community.
    Green,
    /// May be given to those who need to know, and their clients.
    Amber,
    /// For the named recipients alone.
    Red,
    /// Another label, for example `CLEAR` of version 2.
    Other(Text),
}

/// A text about the document or a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `summary`, `description`, `general`, …
    pub category: Text,
    /// Its title.
    pub title: Option<Text>,
    /// For whom it is.
    pub audience: Option<Text>,
    /// The text.
    pub text: Text,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `self` or `external`, which is the default.
    pub category: Text,
    /// What stands there.
    pub summary: Text,
    /// Where.
    pub url: Text,
}

/// The place of a product in [`Advisory::products`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductIndex(pub(crate) u32);

impl ProductIndex {
    /// The index into [`Advisory::products`].
    pub fn to_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// One product: a full product name with what its branches say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// `product_id`, unique in the document.
    pub id: Text,
    /// The full product name, for people.
    pub full_name: Text,
    /// The branch `vendor`.
    pub vendor: Option<Text>,
    /// The branch `product_family`.
    pub family: Option<Text>,
    /// The branch `product_name`.
    pub name: Option<Text>,
    /// The branch `product_version` or `product_version_range`.
    pub version: Option<VersionText>,
    /// Branches of other categories (`patch_level`, `architecture`, …), and outer ones of a category
    /// that stands more than once on the way; from the outermost in.
    pub other_branches: Vec<Branch>,
    /// What identifies it to a machine.
    pub helper: Option<Box<Helper>>,
    /// For a product that is one product on, in or with another: both. Vendor, family, name and
    /// version above are then those of the component.
    pub relation: Option<Relation>,
}

/// One branch of the product tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its category.
    pub category: Text,
    /// Its name.
    pub name: Text,
}

/// What a publisher wrote where the version stands; read it with care, people typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionText {
    /// The text as it stands.
    pub text: Text,
    /// Under which category; it may lie (`vers:all/*` as a version).
    pub kind: VersionKind,
}

/// The category of a version's branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionKind {
    /// `product_version`: one version.
    Version,
    /// `product_version_range`: a range, in `vers` or in free text.
    Range,
}

/// `product_identification_helper`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Helper {
    /// A CPE name, 2.2 or 2.3.
    pub cpe: Option<Text>,
    /// A package URL.
    pub purl: Option<Text>,
    /// Model numbers; `*` and `?` stand for any characters.
    pub model_numbers: Vec<Text>,
    /// Serial numbers.
    pub serial_numbers: Vec<Text>,
    /// Stock keeping units.
    pub skus: Vec<Text>,
    /// Hashes of its files.
    pub hashes: Vec<FileHash>,
    /// Where its bill of materials stands.
    pub sbom_urls: Vec<Text>,
    /// Other identifying URIs: namespace and URI.
    pub generic_uris: Vec<(Text, Text)>,
}

/// One hash of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHash {
    /// The file's name.
    pub filename: Text,
    /// The algorithm as the file names it, for example `sha256`.
    pub algorithm: Text,
    /// The value in hexadecimal.
    pub value: Text,
}

/// Which two products a product is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// How they stand to each other.
    pub kind: RelationKind,
    /// The component, `product_reference`; `None` if the id is not defined.
    pub component: Option<ProductIndex>,
    /// What it is on, in or with, `relates_to_product_reference`; `None` if the id is not defined.
    pub platform: Option<ProductIndex>,
}

/// How a component stands to its platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// `default_component_of`.
    DefaultComponentOf,
    /// `external_component_of`.
    ExternalComponentOf,
    /// `installed_on`.
    InstalledOn,
    /// `installed_with`.
    InstalledWith,
    /// `optional_component_of`.
    OptionalComponentOf,
    /// A word that CSAF 2.0 does not know.
    Other(Text),
}

/// One vulnerability.
#[derive(Clone, Debug, Default)]
pub struct Vulnerability {
    /// The CVE id.
    pub cve: Option<Text>,
    /// The weakness, for example `CWE-522`, and its name.
    pub cwe: Option<(Text, Text)>,
    /// Its title.
    pub title: Option<Text>,
    /// Ids in other systems: name of the system and id.
    pub ids: Vec<(Text, Text)>,
    /// When it was found.
    pub discovered: Option<Timestamp>,
    /// When it was first published.
    pub released: Option<Timestamp>,
    /// Texts about it.
    pub notes: Vec<Note>,
    /// Links about it.
    pub references: Vec<Reference>,
    /// What is said of each product, in the order of [`Status`] and of the file.
    pub statuses: Vec<StatusEntry>,
    /// Scores, each with its products.
    pub scores: Vec<ProductScore>,
    /// What to do.
    pub remediations: Vec<Remediation>,
    /// Why a product is not affected, in the words of VEX.
    pub flags: Vec<Flag>,
    /// Impact, exploitation, targets.
    pub threats: Vec<Threat>,
}

impl Vulnerability {
    /// What is said of one product; contradicting statuses are all given.
    pub fn statuses_of(&self, product: ProductIndex) -> impl Iterator<Item = Status> + '_ {
        let entries = self.statuses.iter();
        entries.filter_map(move |entry| (entry.product == product).then_some(entry.status))
    }
}

/// One product status of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// The status.
    pub status: Status,
    /// The product.
    pub product: ProductIndex,
}

/// The product statuses of CSAF 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The first version that has the vulnerability.
    FirstAffected,
    /// The first version that has the fix.
    FirstFixed,
    /// Has the fix.
    Fixed,
    /// Has the vulnerability.
    KnownAffected,
    /// Has not the vulnerability.
    KnownNotAffected,
    /// The last version that has the vulnerability.
    LastAffected,
    /// The publisher recommends it.
    Recommended,
    /// The publisher does not know yet.
    UnderInvestigation,
}

impl Status {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::FirstAffected,
        Self::FirstFixed,
        Self::Fixed,
        Self::KnownAffected,
        Self::KnownNotAffected,
        Self::LastAffected,
        Self::Recommended,
        Self::UnderInvestigation,
    ];

    /// Its key in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstAffected => "first_affected",
            Self::FirstFixed => "first_fixed",
            Self::Fixed => "fixed",
            Self::KnownAffected => "known_affected",
            Self::KnownNotAffected => "known_not_affected",
            Self::LastAffected => "last_affected",
            Self::Recommended => "recommended",
            Self::UnderInvestigation => "under_investigation",
        }
    }
}

/// A score and the products that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductScore {
    /// The score.
    pub score: Score,
    /// The products.
    pub products: Vec<ProductIndex>,
}

/// What can be done about a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remediation {
    /// Its category; it may lie, see the text.
    pub kind: RemediationKind,
    /// The text.
    pub details: Text,
    /// Where to get it.
    pub url: Option<Text>,
    /// Since when it is available.
    pub date: Option<Timestamp>,
    /// What it needs, for example a service contract.
    pub entitlements: Vec<Text>,
    /// What must be restarted, for example `machine`.
    pub restart_required: Option<Text>,
    /// For which products; those of its groups too.
    pub products: Vec<ProductIndex>,
}

/// The category of a remediation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemediationKind {
    /// Lowers the risk.
    Mitigation,
    /// There will be no fix.
    NoFixPlanned,
    /// There is none now.
    NoneAvailable,
    /// The vendor's fix.
    VendorFix,
    /// Avoids the vulnerability.
    Workaround,
    /// A word that CSAF 2.0 does not know.
    Other(Text),
}

/// A flag of products, in CSAF 2.0 a VEX justification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The label, for example `vulnerable_code_not_present`.
    pub label: Text,
    /// Since when.
    pub date: Option<Timestamp>,
    /// For which products; those of its groups too.
    pub products: Vec<ProductIndex>,
}

/// A threat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threat {
    /// `exploit_status`, `impact` or `target_set`.
    pub category: Text,
    /// The text.
    pub details: Text,
    /// Since when.
    pub date: Option<Timestamp>,
    /// For which products; those of its groups too; none if it is said of all.
    pub products: Vec<ProductIndex>,
}
