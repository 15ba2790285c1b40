//! [`Threats`]: every change of documents, hits, statements and treatments, each with its entry.
//!
//! **Invariant:** no change without an entry; memory follows only after the commit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::{DeviceId, DocumentId, EntryIndex, HitId, PersonId, SiteId, StatementId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject as Of};
use labward_matching::{Books, EndOfLife, EndOfLifeTable, FixTable};
use labward_product::os::OperatingSystem;
use labward_seal::sha256;
use labward_store::Store;

use crate::ThreatsError;
use crate::document::{Document, DocumentKind, Source};
use crate::hit::{Hit, Judged};
use crate::intake::{Content, Intake, Line, LineState, unpack};
use crate::library::Library;
use crate::listing::Progress;
use crate::osv::{self, Record};
use crate::parts::{self, Index};
use crate::rematch::{self, Subject};
use crate::statement::{NewStatement, Said, Statement};
use crate::store;
use crate::treatment::{NewTreatment, Treatment};

/// Names that one entry lists at most.
const LISTED: usize = 40;
/// How often it is recorded that a source brought nothing new.
const CHECKED_EVERY: Duration = Duration::from_secs(86_400);

/// All documents and hits; clones share them.
#[derive(Clone)]
pub struct Threats(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    known: Known,
    state: RwLock<State>,
    changing: Mutex<()>,
}

/// What comes with Labward.
pub(crate) struct Known {
    pub(crate) books: Books,
    pub(crate) fixes: FixTable,
    pub(crate) ends: EndOfLifeTable,
}

#[derive(Clone, Default)]
struct State {
    library: Arc<Library>,
    hits: Arc<BTreeMap<HitId, Hit>>,
    treatments: Arc<BTreeMap<HitId, Treatment>>,
    statements: Arc<BTreeMap<StatementId, Statement>>,
    matched: Arc<Matched>,
    /// The vulnerabilities of the packages in the bills of materials; `None` until it is needed, and once a document of
    /// them changed.
    index: Option<Arc<Index>>,
}

/// A document with its packed bytes.
type Packed = (Document, Vec<u8>);

/// What the last matching said.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    /// When; `None` before the first.
    pub at: Option<Timestamp>,
    /// Of each device and vulnerability what was said, ordered by device.
    pub judged: Vec<Judged>,
    /// How many hits opened and how many closed.
    pub changed: (usize, usize),
    /// Documents about packages that cannot be read any more; hits of bills of materials stay open for them.
    pub unread: Vec<DocumentId>,
}

/// What became of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What became of each file.
    pub lines: Vec<Line>,
    /// The entry, if it was recorded.
    pub entry: Option<EntryIndex>,
}

/// How an import is recorded.
struct How {
    is_preview: bool,
    by: Actor,
    progress: Option<Progress>,
}

impl Imported {
    /// How many files are in a state of this name.
    pub fn count(&self, state: &str) -> usize {
        let of = self.lines.iter().filter(|line| line.state.name() == state);
        of.count()
    }
}

impl Threats {
    /// Reads everything; a document that cannot be read any more is left out, and named.
    ///
    /// # Errors
    /// [`ThreatsError::Store`], [`ThreatsError::Books`].
    pub fn load(store: Store, site: SiteId) -> Result<(Self, Vec<Document>), ThreatsError> {
        let known = Known {
            books: Books::shipped()?,
            fixes: FixTable::shipped()?,
            ends: EndOfLifeTable::shipped()?,
        };
        let mut library = Library::default();
        let mut damaged = Vec::new();
        let state = store.read(|snapshot| {
            store::each_document(snapshot, site, |document, packed| {
                match unpack(document.kind, packed) {
                    Some(content) => library.put(document, content),
                    None => damaged.push(document),
                }
            })?;
            for source in store::sources(snapshot, site)? {
                library.put_source(source);
            }
            for (source, listing) in store::listing::read(snapshot, site)? {
                library.put_listing(source, listing);
            }
            let hits = store::hits(snapshot, site)?;
            let treatments = store::treatments(snapshot, site)?;
            let statements = store::statements(snapshot, site)?;
            Ok::<_, labward_store::StoreError>(State {
                library: Arc::default(),
                hits: Arc::new(hits.into_iter().map(|hit| (hit.id, hit)).collect()),
                treatments: Arc::new(treatments.into_iter().collect()),
                statements: Arc::new(statements.into_iter().map(|one| (one.id, one)).collect()),
                matched: Arc::default(),
                index: None,
            })
        })?;
        let state = State {
            library: Arc::new(library),
            ..state
        };
        let threats = Self(Arc::new(Shared {
            store,
            site,
            known,
            state: RwLock::new(state),
            changing: Mutex::new(()),
        }));
        Ok((threats, damaged))
    }

    /// Every document.
    pub fn library(&self) -> Arc<Library> {
        self.state().library
    }

    /// Every hit, closed ones too.
    pub fn hits(&self) -> Arc<BTreeMap<HitId, Hit>> {
        self.state().hits
    }

    /// How hits are treated.
    pub fn treatments(&self) -> Arc<BTreeMap<HitId, Treatment>> {
        self.state().treatments
    }

    /// What people said, withdrawn statements too.
    pub fn statements(&self) -> Arc<BTreeMap<StatementId, Statement>> {
        self.state().statements
    }

    /// What the last matching said.
    pub fn matched(&self) -> Arc<Matched> {
        self.state().matched
    }

    /// A hit.
    ///
    /// # Errors
    /// [`ThreatsError::NoHit`].
    pub fn hit(&self, id: HitId) -> Result<Hit, ThreatsError> {
        let hit = self.state().hits.get(&id).cloned();
        hit.ok_or(ThreatsError::NoHit(id))
    }

    /// Until when an operating system is supported: the end of the release that it may be and that ends first,
    /// and of the one that ends last; `None` where nothing is known.
    pub fn support(&self, os: &str, build: &str) -> Option<[&EndOfLife; 2]> {
        let os = OperatingSystem::read(os, build).ok()?;
        let found = self.0.known.ends.end_of_life(&os)?;
        Some([found.earliest, found.latest])
    }

    /// Takes over what was read of a source, or says what would become of each file. One entry holds the
    /// source and what became of how many files; that a source brought nothing new is recorded once a day.
    ///
    /// # Errors
    /// [`ThreatsError::BadSource`], and what the store says.
    pub fn import(
        &self,
        source: &str,
        intake: Intake,
        is_preview: bool,
        by: Actor,
        now: Timestamp,
    ) -> Result<Imported, ThreatsError> {
        let how = How {
            is_preview,
            by,
            progress: None,
        };
        self.import_so(source, intake, how, now)
    }

    /// As [`Threats::import`], of a source that is a list: what was fetched of it is written with the same entry,
    /// and what counts as refused is all of it that could not be read.
    ///
    /// # Errors
    /// As [`Threats::import`].
    pub fn import_listed(
        &self,
        source: &str,
        intake: Intake,
        progress: Progress,
        now: Timestamp,
    ) -> Result<Imported, ThreatsError> {
        let how = How {
            is_preview: false,
            by: Actor::System,
            progress: Some(progress),
        };
        self.import_so(source, intake, how, now)
    }

    fn import_so(
        &self,
        source: &str,
        intake: Intake,
        how: How,
        now: Timestamp,
    ) -> Result<Imported, ThreatsError> {
        if !Source::is_name(source) {
            return Err(ThreatsError::BadSource);
        }
        let _order = self.order();
        let mut library = Library::clone(&self.library());
        let mut lines = Vec::with_capacity(intake.taken.len());
        let mut documents: BTreeMap<DocumentId, (Document, Vec<u8>)> = BTreeMap::new();
        for taken in intake.taken {
            let fresh = match taken.outcome {
                Ok(fresh) => fresh,
                Err(why) => {
                    lines.push(Line {
                        file: taken.file,
                        name: String::new(),
                        state: LineState::Refused(why),
                        document: None,
                    });
                    continue;
                }
            };
            let state = library.state_of(&fresh);
            let id = library.id_of(&fresh);
            lines.push(Line {
                file: taken.file.clone(),
                name: fresh.name.clone(),
                state: state.clone(),
                document: Some(id),
            });
            if matches!(state, LineState::Added | LineState::Updated) {
                let document = Document {
                    id,
                    kind: fresh.kind,
                    publisher: fresh.publisher,
                    name: fresh.name,
                    version: fresh.version,
                    released: fresh.released,
                    source: source.to_owned(),
                    file: taken.file,
                    sha256: fresh.sha256,
                    has_hash: fresh.has_hash,
                    signer: fresh.signer,
                    imported: now,
                    entry: EntryIndex::new(0),
                };
                library.put(document.clone(), fresh.content);
                documents.insert(id, (document, fresh.packed));
            }
        }
        // Beside others they say nothing of devices; alone somebody has taken the wrong file.
        if intake.osv.by_ecosystem.is_empty() && intake.osv.of_none > 0 {
            let why = "no package of any ecosystem is in it".to_owned();
            lines.push(Line {
                file: "OSV".to_owned(),
                name: String::new(),
                state: LineState::Refused(why),
                document: None,
            });
        }
        for (ecosystem, records) in &intake.osv.by_ecosystem {
            let (line, document) =
                self.ecosystem(&mut library, (source, ecosystem), records, now)?;
            documents.extend(document.map(|one| (one.0.id, one)));
            lines.push(line);
        }
        let mut imported = Imported { lines, entry: None };
        if !how.is_preview {
            let documents: Vec<_> = documents.into_values().collect();
            imported.entry = self.record_import(library, source, &imported, documents, how, now)?;
        }
        Ok(imported)
    }

    /// Puts vulnerabilities to those of their ecosystem; the document as it is then, if anything is new.
    fn ecosystem(
        &self,
        library: &mut Library,
        (source, ecosystem): (&str, &str),
        records: &BTreeMap<String, Record>,
        now: Timestamp,
    ) -> Result<(Line, Option<Packed>), ThreatsError> {
        let id = library.id_by(DocumentKind::Osv, "", ecosystem);
        let (site, is_held) = (self.0.site, library.document(id).is_some());
        let held = self
            .0
            .store
            .read(|snapshot| store::content(snapshot, site, id))?;
        let line = |state| Line {
            file: format!("OSV, {} vulnerabilities", records.len()),
            name: ecosystem.to_owned(),
            state,
            document: Some(id),
        };
        let merged = match osv::merge(held.as_deref(), records) {
            Ok(merged) => merged,
            Err(why) => return Ok((line(LineState::Refused(why)), None)),
        };
        if merged.added + merged.updated == 0 {
            return Ok((line(LineState::Known), None));
        }
        let document = Document {
            id,
            kind: DocumentKind::Osv,
            publisher: String::new(),
            name: ecosystem.to_owned(),
            version: merged.total.to_string(),
            released: merged.newest,
            source: source.to_owned(),
            file: String::new(),
            sha256: sha256(&merged.packed),
            has_hash: false,
            signer: None,
            imported: now,
            entry: EntryIndex::new(0),
        };
        library.put(document.clone(), Content::Osv);
        let state = match is_held {
            true => LineState::Updated,
            false => LineState::Added,
        };
        Ok((line(state), Some((document, merged.packed))))
    }

    fn record_import(
        &self,
        mut library: Library,
        name: &str,
        imported: &Imported,
        documents: Vec<(Document, Vec<u8>)>,
        how: How,
        now: Timestamp,
    ) -> Result<Option<EntryIndex>, ThreatsError> {
        let known = library.source(name).cloned();
        let How { by, progress, .. } = how;
        let (mut refused, mut has_moved) = (count(imported.count("refused")), false);
        let listed = progress.map(|mut progress| {
            let before = library.listing(name).map(Arc::clone).unwrap_or_default();
            has_moved = progress.reduce(&before);
            let after = progress.applied(&before);
            refused = count(after.faults().count());
            (progress, after)
        });
        let is_new = !documents.is_empty();
        let quiet = known.as_ref().is_some_and(|known| {
            !is_new
                && !has_moved
                && known.refused == refused
                && now.since(known.checked) < CHECKED_EVERY
        });
        if quiet && by == Actor::System {
            return Ok(None);
        }
        let source = Source {
            name: name.to_owned(),
            checked: now,
            changed: match known {
                Some(known) if !is_new => known.changed,
                _ => now,
            },
            refused,
            entry: EntryIndex::new(0),
        };
        let mut facts = Facts::new().text("source", name);
        for state in ["added", "updated", "known", "older", "refused"] {
            facts = facts.number(state, imported.count(state));
        }
        let new = imported
            .lines
            .iter()
            .filter(|line| matches!(line.state, LineState::Added | LineState::Updated))
            .map(|line| line.name.as_str());
        let facts = facts.texts(
            "advisories",
            new.filter(|name| !name.is_empty()).take(LISTED),
        );
        let facts = match &listed {
            Some((_, listing)) => facts.number("waiting", listing.waiting),
            None => facts,
        };
        let entry = NewEntry::new(self.0.site, by, Action::AdvisoryImported, Of::Advisories);
        let entry = entry.facts(facts);
        let site = self.0.site;
        let documents = Arc::new(documents);
        let (rows, row) = (Arc::clone(&documents), source.clone());
        let (progress, listing) = listed.unzip();
        let entry = self.0.store.write(move |tx| {
            store::write_documents(tx, site, &entry, &rows, &row, progress.as_ref())
        })?;
        if let Some(listing) = listing {
            library.put_listing(name.to_owned(), listing);
        }
        for (document, _) in documents.iter() {
            library.set_entry(document.id, entry);
        }
        library.put_source(Source { entry, ..source });
        let is_osv = |(one, _): &(Document, Vec<u8>)| one.kind == DocumentKind::Osv;
        let has_packages = documents.iter().any(is_osv);
        self.change(|state| {
            state.library = Arc::new(library);
            if has_packages {
                state.index = None;
            }
        });
        Ok(Some(entry))
    }

    /// Matches every device again; hits open and close, each device's with an entry.
    ///
    /// # Errors
    /// What the store says; memory stays as it was.
    pub fn rematch(
        &self,
        subjects: &[Subject],
        now: Timestamp,
    ) -> Result<Arc<Matched>, ThreatsError> {
        let _order = self.order();
        let state = self.state();
        let index = self.index(&state, subjects)?;
        let judged = rematch::judge(
            &self.0.known,
            &state.library,
            &state.statements,
            subjects,
            &index,
        );
        let changed = rematch::settle(&state.hits, &judged, subjects, index.unread(), now);
        let is_closed = |hit: &&Hit| hit.closed.is_some();
        let closed = changed.iter().filter(is_closed).count();
        let matched = Arc::new(Matched {
            at: Some(now),
            judged,
            changed: (changed.len() - closed, closed),
            unread: index.unread().to_vec(),
        });
        let mut hits = BTreeMap::clone(&state.hits);
        for hit in self.record_hits(changed)? {
            hits.insert(hit.id, hit);
        }
        let shown = Arc::clone(&matched);
        self.change(|state| {
            state.hits = Arc::new(hits);
            state.matched = shown;
            state.index = Some(index);
        });
        Ok(matched)
    }

    /// The vulnerabilities of the packages in the devices' bills of materials: those that are prepared already, unless a
    /// package or a document is new.
    fn index(&self, state: &State, subjects: &[Subject]) -> Result<Arc<Index>, ThreatsError> {
        let packages = parts::packages(subjects);
        if let Some(index) = state.index.as_ref().filter(|index| index.covers(&packages)) {
            return Ok(Arc::clone(index));
        }
        let (mut all, mut unread) = (Vec::new(), Vec::new());
        if !packages.is_empty() {
            for document in state.library.ecosystems() {
                let (site, id) = (self.0.site, document.id);
                let packed = self
                    .0
                    .store
                    .read(|snapshot| store::content(snapshot, site, id))?;
                let found = packed.and_then(|packed| osv::about(&packed, &packages));
                match found {
                    Some(found) => all.extend(found.into_iter().map(|one| (id, one))),
                    None => unread.push(id),
                }
            }
        }
        Ok(Arc::new(Index::new(packages, all, unread)))
    }

    /// Writes the hits that are other than before; as they are afterwards.
    fn record_hits(&self, changed: Vec<Hit>) -> Result<Vec<Hit>, ThreatsError> {
        let mut by_device: BTreeMap<DeviceId, Vec<Hit>> = BTreeMap::new();
        for hit in changed {
            by_device.entry(hit.device).or_default().push(hit);
        }
        if by_device.is_empty() {
            return Ok(Vec::new());
        }
        let groups: Vec<(NewEntry, Vec<Hit>)> = by_device
            .into_iter()
            .map(|(device, hits)| (self.hits_entry(device, &hits), hits))
            .collect();
        let groups = Arc::new(groups);
        let (site, rows) = (self.0.site, Arc::clone(&groups));
        let entries = self
            .0
            .store
            .write(move |tx| store::write_hits(tx, site, &rows))?;
        let mut all = Vec::new();
        for ((_, hits), entry) in groups.iter().zip(entries) {
            all.extend(hits.iter().map(|hit| Hit {
                entry,
                ..hit.clone()
            }));
        }
        Ok(all)
    }

    fn hits_entry(&self, device: DeviceId, hits: &[Hit]) -> NewEntry {
        let of = |is_closed: bool| {
            let of = hits
                .iter()
                .filter(move |hit| hit.closed.is_some() == is_closed);
            of.map(|hit| hit.key.to_string()).collect::<Vec<String>>()
        };
        let (open, closed) = (of(false), of(true));
        let whys = hits.iter().filter_map(|hit| hit.closed);
        let mut whys: Vec<&str> = whys.map(|(_, why)| why.name()).collect();
        whys.sort_unstable();
        whys.dedup();
        let mut facts = Facts::new()
            .number("open", open.len())
            .number("closed", closed.len());
        if !open.is_empty() {
            facts = facts.texts("opened", open.into_iter().take(LISTED));
        }
        if !closed.is_empty() {
            facts = facts.texts("gone", closed.into_iter().take(LISTED));
            facts = facts.texts("why", whys);
        }
        let subject = Of::Device(device);
        NewEntry::new(self.0.site, Actor::System, Action::HitChanged, subject).facts(facts)
    }

    /// Takes down how open hits are treated; one entry for each device.
    ///
    /// # Errors
    /// [`ThreatsError::NoHit`], [`ThreatsError::Closed`], and what the store says; then none is treated.
    pub fn treat(
        &self,
        hits: &[HitId],
        new: &NewTreatment,
        by: PersonId,
        now: Timestamp,
    ) -> Result<Vec<EntryIndex>, ThreatsError> {
        let _order = self.order();
        let state = self.state();
        let mut by_device: BTreeMap<DeviceId, Vec<&Hit>> = BTreeMap::new();
        for id in hits {
            let hit = state.hits.get(id).ok_or(ThreatsError::NoHit(*id))?;
            if hit.closed.is_some() {
                return Err(ThreatsError::Closed(*id));
            }
            by_device.entry(hit.device).or_default().push(hit);
        }
        let treatment = Treatment {
            kind: new.kind,
            ends: new.ends,
            approved: new.approved,
            person: by,
            decided: now,
            why: new.why.clone(),
            entry: EntryIndex::new(0),
        };
        let groups: Vec<(NewEntry, Vec<HitId>)> = by_device
            .into_iter()
            .map(|(device, hits)| {
                let keys = hits.iter().take(LISTED).map(|hit| hit.key.to_string());
                let mut facts = Facts::new()
                    .text("treatment", new.kind.name())
                    .numbers("hits", hits.iter().map(|hit| hit.id.get()))
                    .texts("advisories", keys);
                if let Some(last_day) = treatment.last_day() {
                    facts = facts.text("until", last_day);
                }
                if let Some(approved) = new.approved {
                    facts = facts.text("approved", if approved { "yes" } else { "no" });
                }
                let subject = Of::Device(device);
                let entry =
                    NewEntry::new(self.0.site, Actor::Person(by), Action::HitTreated, subject);
                let entry = entry.facts(facts).detail(new.why.clone());
                (entry, hits.iter().map(|hit| hit.id).collect())
            })
            .collect();
        let groups = Arc::new(groups);
        let (site, rows, row) = (self.0.site, Arc::clone(&groups), treatment.clone());
        let entries = self
            .0
            .store
            .write(move |tx| store::write_treatment(tx, site, &rows, &row))?;
        let mut treatments = BTreeMap::clone(&state.treatments);
        for ((_, hits), entry) in groups.iter().zip(&entries) {
            for hit in hits {
                let entry = *entry;
                treatments.insert(
                    *hit,
                    Treatment {
                        entry,
                        ..treatment.clone()
                    },
                );
            }
        }
        self.change(|state| state.treatments = Arc::new(treatments));
        Ok(entries)
    }

    /// Takes down what a person says; it counts from the next matching on.
    ///
    /// # Errors
    /// What the store says.
    pub fn state_that(
        &self,
        new: &NewStatement,
        by: PersonId,
        now: Timestamp,
    ) -> Result<Statement, ThreatsError> {
        let _order = self.order();
        let statements = self.statements();
        let last = statements.last_key_value().map_or(0, |(id, _)| id.get());
        let statement = Statement {
            id: StatementId::new(last.saturating_add(1)),
            said: new.said.clone(),
            person: by,
            at: now,
            why: new.why.clone(),
            withdrawn: None,
            entry: EntryIndex::new(0),
        };
        let entry = self.statement_entry(&statement, by, Action::HitStated);
        self.record_statement(statement, entry.detail(new.why.clone()))
    }

    /// Takes a statement back, for the sealed reason `why`; it counts no more from the next matching on.
    ///
    /// # Errors
    /// [`ThreatsError::NoStatement`], and what the store says.
    pub fn withdraw(
        &self,
        id: StatementId,
        by: PersonId,
        why: Vec<u8>,
        now: Timestamp,
    ) -> Result<Statement, ThreatsError> {
        let _order = self.order();
        let statements = self.statements();
        let known = statements
            .get(&id)
            .filter(|known| known.withdrawn.is_none());
        let known = known.ok_or(ThreatsError::NoStatement(id))?;
        let statement = Statement {
            withdrawn: Some(now),
            ..known.clone()
        };
        let entry = self.statement_entry(&statement, by, Action::HitStatementWithdrawn);
        self.record_statement(statement, entry.detail(why))
    }

    fn record_statement(
        &self,
        statement: Statement,
        entry: NewEntry,
    ) -> Result<Statement, ThreatsError> {
        let (site, row) = (self.0.site, statement.clone());
        let entry = self
            .0
            .store
            .write(move |tx| store::write_statement(tx, site, &entry, &row))?;
        let statement = Statement { entry, ..statement };
        let mut statements = BTreeMap::clone(&self.statements());
        statements.insert(statement.id, statement.clone());
        self.change(|state| state.statements = Arc::new(statements));
        Ok(statement)
    }

    fn statement_entry(&self, statement: &Statement, by: PersonId, action: Action) -> NewEntry {
        let facts = Facts::new().number("statement", statement.id.get());
        let (subject, facts) = match &statement.said {
            Said::Product {
                vendor,
                product,
                same,
                ..
            } => {
                let says = if *same { "same" } else { "other" };
                let facts = facts.text("says", says).text("vendor", vendor.as_str());
                (Of::Advisories, facts.text("product", product.as_str()))
            }
            Said::Status {
                device,
                vulnerability,
                status,
                ..
            } => {
                let facts = facts.text("says", status.name());
                let facts = facts.text("vulnerability", vulnerability.to_string());
                (Of::Device(*device), facts)
            }
        };
        NewEntry::new(self.0.site, Actor::Person(by), action, subject).facts(facts)
    }

    fn state(&self) -> State {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        state.clone()
    }

    fn change(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        act(&mut state);
    }

    fn order(&self) -> MutexGuard<'_, ()> {
        self.0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
