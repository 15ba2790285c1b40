//! All documents in memory.
//!
//! It must never show a document whose entry is not durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use labward_advisory::csaf::Advisory;
use labward_advisory::epss::{Row, Scores};
use labward_advisory::kev::{Catalog, KnownExploited};
use labward_base::id::{DocumentId, EntryIndex};

use crate::document::{Document, DocumentKind, Source};
use crate::intake::{Content, Fresh, LineState};
use crate::listing::Listing;
use crate::vex::VexDocument;

/// By what a document is known again.
type Key = (DocumentKind, String, String);

/// Every document, and what is read of each.
#[derive(Clone, Debug, Default)]
pub struct Library {
    documents: BTreeMap<DocumentId, Document>,
    by_key: BTreeMap<Key, DocumentId>,
    sources: BTreeMap<String, Source>,
    listings: BTreeMap<String, Arc<Listing>>,
    /// The advisories, in the order in which they are matched.
    advisories: Vec<Advisory>,
    /// The document of each.
    of: Vec<DocumentId>,
    places: BTreeMap<DocumentId, usize>,
    kev: Option<Arc<Catalog>>,
    exploited: Arc<BTreeMap<String, usize>>,
    epss: Option<Arc<Scores>>,
    vex: BTreeMap<DocumentId, Arc<VexDocument>>,
}

impl Library {
    /// Every document, the one that came last first.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values().rev()
    }

    /// A document.
    pub fn document(&self, id: DocumentId) -> Option<&Document> {
        self.documents.get(&id)
    }

    /// What an advisory says.
    pub fn advisory(&self, id: DocumentId) -> Option<&Advisory> {
        self.advisories.get(*self.places.get(&id)?)
    }

    /// The advisory of this publisher with this id.
    pub fn of(&self, publisher: &str, name: &str) -> Option<&Document> {
        let key = (DocumentKind::Csaf, publisher.to_owned(), name.to_owned());
        self.documents.get(self.by_key.get(&key)?)
    }

    /// The document with this publisher's id; where several have it the first.
    pub fn named(&self, name: &str) -> Option<&Document> {
        let same = |one: &&Document| one.name.eq_ignore_ascii_case(name);
        self.documents.values().find(same)
    }

    /// Every advisory, in the order in which they are matched.
    pub fn advisories(&self) -> &[Advisory] {
        &self.advisories
    }

    /// The document of the advisory at this place.
    pub fn document_at(&self, place: usize) -> Option<&Document> {
        self.documents.get(self.of.get(place)?)
    }

    /// Every document that holds nothing but statements of VEX.
    pub fn vex_documents(&self) -> impl Iterator<Item = (DocumentId, &VexDocument)> {
        self.vex.iter().map(|(id, one)| (*id, one.as_ref()))
    }

    /// The statements of such a document.
    pub fn vex(&self, id: DocumentId) -> Option<&VexDocument> {
        self.vex.get(&id).map(Arc::as_ref)
    }

    /// The documents that hold the vulnerabilities of an ecosystem each.
    pub fn ecosystems(&self) -> impl Iterator<Item = &Document> {
        let all = self.documents.values();
        all.filter(|one| one.kind == DocumentKind::Osv)
    }

    /// Every source, by its name.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    /// What was fetched of a source that is a list of documents.
    pub fn listing(&self, source: &str) -> Option<&Arc<Listing>> {
        self.listings.get(source)
    }

    /// What is known of the exploitation of a vulnerability.
    pub fn exploited(&self, cve: &str) -> Option<&KnownExploited> {
        let place = *self.exploited.get(cve)?;
        self.kev.as_ref()?.entries.get(place)
    }

    /// The catalog of known exploited vulnerabilities.
    pub fn kev(&self) -> Option<&Catalog> {
        self.kev.as_deref()
    }

    /// How probable the exploitation of a vulnerability is.
    pub fn probability(&self, cve: &str) -> Option<&Row> {
        self.epss.as_ref()?.get(cve)
    }

    /// Of how many vulnerabilities a probability is known.
    pub fn probabilities(&self) -> usize {
        self.epss.as_ref().map_or(0, |scores| scores.rows().len())
    }

    /// The document of a kind that has only one.
    pub fn only(&self, kind: DocumentKind) -> Option<&Document> {
        let key = (kind, String::new(), String::new());
        self.documents.get(self.by_key.get(&key)?)
    }

    /// What would become of a document that was read.
    pub(crate) fn state_of(&self, fresh: &Fresh) -> LineState {
        let key = (fresh.kind, fresh.publisher.clone(), fresh.name.clone());
        let known = self.by_key.get(&key).and_then(|id| self.documents.get(id));
        match known {
            None => LineState::Added,
            Some(known) if known.sha256 == fresh.sha256 => LineState::Known,
            Some(known) if is_older(fresh, known) => LineState::Older,
            Some(_) => LineState::Updated,
        }
    }

    /// The number of the document that is known again, or that the next new one gets.
    pub(crate) fn id_of(&self, fresh: &Fresh) -> DocumentId {
        self.id_by(fresh.kind, &fresh.publisher, &fresh.name)
    }

    /// The same by what a document is known by.
    pub(crate) fn id_by(&self, kind: DocumentKind, publisher: &str, name: &str) -> DocumentId {
        let key = (kind, publisher.to_owned(), name.to_owned());
        let last = self.documents.last_key_value();
        let next = last.map_or(1, |(id, _)| id.get().saturating_add(1));
        let known = self.by_key.get(&key).copied();
        known.unwrap_or(DocumentId::new(next))
    }

    /// Takes a document in, in the place of its earlier release.
    pub(crate) fn put(&mut self, document: Document, content: Content) {
        let id = document.id;
        match content {
            Content::Csaf(advisory) => match self.places.get(&id) {
                Some(place) => {
                    if let Some(known) = self.advisories.get_mut(*place) {
                        *known = *advisory;
                    }
                }
                None => {
                    self.places.insert(id, self.advisories.len());
                    self.advisories.push(*advisory);
                    self.of.push(id);
                }
            },
            Content::Epss(scores) => self.epss = Some(Arc::new(scores)),
            Content::Kev(catalog) => {
                let entries = catalog.entries.iter().enumerate();
                let places = entries.map(|(place, one)| (one.cve.to_string(), place));
                self.exploited = Arc::new(places.collect());
                self.kev = Some(Arc::new(catalog));
            }
            Content::Osv => {}
            Content::Vex(vex) => {
                self.vex.insert(id, Arc::from(vex));
            }
        }
        let key = (
            document.kind,
            document.publisher.clone(),
            document.name.clone(),
        );
        self.by_key.insert(key, id);
        self.documents.insert(id, document);
    }

    /// Notes the entry that recorded a document.
    pub(crate) fn set_entry(&mut self, id: DocumentId, entry: EntryIndex) {
        if let Some(document) = self.documents.get_mut(&id) {
            document.entry = entry;
        }
    }

    pub(crate) fn put_source(&mut self, source: Source) {
        self.sources.insert(source.name.clone(), source);
    }

    pub(crate) fn put_listing(&mut self, source: String, listing: Listing) {
        self.listings.insert(source, Arc::new(listing));
    }

    pub(crate) fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }
}

/// Whether a release was made before the one that is held.
fn is_older(fresh: &Fresh, known: &Document) -> bool {
    match (fresh.released, known.released) {
        (Some(fresh), Some(known)) if fresh != known => fresh < known,
        // A release that says no date is taken by its number where both have one.
        _ => match (fresh.version.parse::<u64>(), known.version.parse::<u64>()) {
            (Ok(fresh), Ok(known)) => fresh < known,
            _ => false,
        },
    }
}
