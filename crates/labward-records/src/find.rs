//! Searching: masked hits, and one entry that was durable before they are shown.
//!
//! It must never show a name, a birth date or an identifier, or put the query into the entry: of it
//! there stands a keyed digest, the reason sealed, and the opaque numbers of the hits.
//! Carries out 45 CFR 164.312(b) and 164.502(b) (minimum necessary).

use std::collections::HashMap;

use labward_base::id::{PatientId, PersonId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use serde_json::json;

use crate::demographics::{Identifier, birth_date as read_birth_date};
use crate::error::RecordsError;
use crate::identify::{accession_tag, tags_of, value_tag};
use crate::records::Records;
use crate::show::Recorded;
use crate::store::{self, IndexedRecord};

/// Patients shown if the search does not say how many.
const LIMIT_DEFAULT: usize = 20;
/// Patients shown at most.
const LIMIT_MAX: usize = 100;
/// Records listed of one patient.
const RECORDS_MAX: u32 = 100;
/// Identifier types tried when an authority is named.
const KINDS: &[&str] = &[
    "MR", "PI", "PT", "PE", "AN", "VN", "SS", "DL", "PPN", "NI", "NH", "HC", "MA", "MC", "U", "XX",
    "LR", "FHIR", "P-3", "P-4", "P-5",
];

/// What to search by; all that is given must fit.
#[derive(Clone, Default)]
pub struct Criteria {
    /// An identifier of the patient, exact.
    pub mrn: Option<String>,
    /// The authority that assigned it, if several do.
    pub authority: Option<String>,
    /// A name, typing errors tolerated.
    pub name: Option<String>,
    /// A birth date: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    pub birth_date: Option<String>,
    /// An accession number, exact.
    pub accession: Option<String>,
    /// How many patients at most, 1 to 100; 20 if not given.
    pub limit: Option<u32>,
}

/// What a search found, masked.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The patients, the best first.
    pub patients: Vec<PatientHit>,
    /// Whether an index is still being built or far behind the ledger, so that hits may be missing.
    pub loading: bool,
    /// What records this search.
    pub recorded: Recorded,
}

/// A search that was made and not yet recorded, so not to be shown.
pub(crate) struct Searched {
    pub(crate) patients: Vec<PatientHit>,
    pub(crate) query: crate::Tag,
    /// Patients that fit; not all may be listed.
    pub(crate) hits: usize,
    loading: bool,
}

/// One patient (with all that were merged into one), masked.
#[derive(Clone, Debug, PartialEq)]
pub struct PatientHit {
    /// The opaque number to go on with.
    pub patient: PatientId,
    /// The name, masked: `J••• S•••`.
    pub name: String,
    /// The year of birth.
    pub birth_year: Option<String>,
    /// How well it fits, above 0 and up to 1.
    pub score: f32,
    /// The records, the newest first, at most 100.
    pub records: Vec<IndexedRecord>,
    /// How many there are in all.
    pub record_count: u64,
}

/// Patients that fit so far, each once with its score, in no order.
type Fitting = Vec<(PatientId, f32)>;

/// Patients that fit exactly; one whom several identifiers name is one hit.
fn each_once(mut found: Vec<PatientId>) -> impl Iterator<Item = (PatientId, f32)> {
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|patient| (patient, 1.0))
}

impl Records {
    /// Searches for patients, records that this was done, and then answers.
    pub fn find(
        &self,
        criteria: &Criteria,
        by: PersonId,
        why: &str,
    ) -> Result<Found, RecordsError> {
        let is_near = self.come_near().map_err(RecordsError::of_reading)?;
        let mut searched = self.search(criteria, &[])?;
        searched.loading |= !is_near;
        let facts = Facts::new()
            .hex("query", &searched.query)
            .number("hits", searched.hits)
            .numbers(
                "patients",
                searched.patients.iter().map(|hit| hit.patient.get()),
            );
        let detail = self.shared.seal_detail(&json!({ "why": why }))?;
        let actor = Actor::Person(by);
        let entry = NewEntry::new(
            self.shared.site,
            actor,
            Action::RecordSearched,
            Subject::Records,
        );
        let entry = self.record(entry.facts(facts).detail(detail));
        let entry = entry.map_err(RecordsError::of_reading)?;
        Ok(searched.found(Recorded::Entry(entry)))
    }

    /// Searches while the indexes cannot be brought up to date, for a caller that records it before
    /// it answers.
    pub(crate) fn search_as_it_is(&self, criteria: &Criteria) -> Result<Searched, RecordsError> {
        let unindexed = self.unindexed_if_unwritable()?;
        self.search(criteria, &unindexed)
    }

    fn search(
        &self,
        criteria: &Criteria,
        unindexed: &[IndexedRecord],
    ) -> Result<Searched, RecordsError> {
        // Asked first: an index that is complete only afterwards may have been searched too early.
        let loading = self.is_loading();
        let mut fitting = self.fitting(criteria)?.ok_or(RecordsError::NoCriteria)?;
        let hits = fitting.len();
        keep_best(&mut fitting, limit_of(criteria));
        let patients = fitting
            .into_iter()
            .map(|(patient, score)| self.hit(patient, score, unindexed))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Searched {
            patients,
            query: self.query_tag(criteria),
            hits,
            loading,
        })
    }

    /// The patients that fit every criterion; `None` if there is no criterion.
    fn fitting(&self, criteria: &Criteria) -> Result<Option<Fitting>, RecordsError> {
        let mut fitting = None;
        if let Some(mrn) = given(&criteria.mrn) {
            let found = self.by_identifier(mrn, given(&criteria.authority));
            self.narrow(&mut fitting, each_once(found));
        }
        if let Some(accession) = given(&criteria.accession) {
            let tag = accession_tag(&self.shared.index_key, accession);
            let found: Vec<PatientId> = self
                .shared
                .store
                .read(|snapshot| store::patients_of_accession(snapshot, &tag))?;
            self.narrow(&mut fitting, each_once(found));
        }
        let (name, birth_date) = (given(&criteria.name), given(&criteria.birth_date));
        // Left out, it would let everybody of that name in; taken literally, nobody.
        if birth_date.is_some_and(|date| read_birth_date(date).is_none()) {
            return Err(RecordsError::BadCriterion { what: "birth date" });
        }
        if name.is_some() || birth_date.is_some() {
            let found = self.shared.names().search(name, birth_date);
            self.narrow(
                &mut fitting,
                found.into_iter().map(|hit| (hit.patient, hit.score)),
            );
        }
        Ok(fitting)
    }

    /// Keeps of `fitting` what `found` names too; scores are multiplied.
    fn narrow(&self, fitting: &mut Option<Fitting>, found: impl Iterator<Item = (PatientId, f32)>) {
        let mut now = self.shared.patients.roots(found);
        if let Some(before) = fitting.take() {
            let before: HashMap<PatientId, f32> = before.into_iter().collect();
            now.retain_mut(|(patient, score)| match before.get(patient) {
                Some(fitted) => {
                    *score *= fitted;
                    true
                }
                None => false,
            });
        }
        *fitting = Some(now);
    }

    fn by_identifier(&self, value: &str, authority: Option<&str>) -> Vec<PatientId> {
        let (key, patients) = (&self.shared.index_key, &self.shared.patients);
        let Some(authority) = authority else {
            return patients.find(&value_tag(key, value));
        };
        let identifiers: Vec<Identifier> = KINDS
            .iter()
            .map(|kind| Identifier {
                authority: authority.to_owned(),
                value: value.to_owned(),
                kind: (*kind).to_owned(),
            })
            .collect();
        let tags = tags_of(key, &identifiers);
        tags.iter()
            .flat_map(|tag| patients.find(&tag.tag))
            .collect()
    }

    fn hit(
        &self,
        root: PatientId,
        score: f32,
        unindexed: &[IndexedRecord],
    ) -> Result<PatientHit, RecordsError> {
        let group = self.shared.patients.group(root);
        let of_group = |row: &&IndexedRecord| group.contains(&row.patient);
        let mut records: Vec<_> = unindexed.iter().filter(of_group).cloned().collect();
        let mut record_count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        for patient in &group {
            let (listed, count) = self.shared.store.read(|snapshot| {
                let listed = store::records_of(snapshot, *patient, i64::MAX, RECORDS_MAX)?;
                Ok::<_, RecordsError>((listed, store::count_records(snapshot, *patient)?))
            })?;
            records.extend(listed);
            record_count += count;
        }
        records.sort_by_key(|row| std::cmp::Reverse(row.record));
        records.truncate(usize::try_from(RECORDS_MAX).unwrap_or(usize::MAX));
        let names = self.shared.names();
        let mut of_group = std::iter::once(&root).chain(&group);
        let masked = of_group.find_map(|patient| names.masked(*patient));
        let (name, birth_year) = masked.unwrap_or_else(|| ("•••".to_owned(), None));
        Ok(PatientHit {
            patient: root,
            name,
            birth_year,
            score,
            records,
            record_count,
        })
    }

    fn query_tag(&self, criteria: &Criteria) -> crate::Tag {
        let Criteria {
            mrn,
            authority,
            name,
            birth_date,
            accession,
            limit: _,
        } = criteria;
        let parts: Vec<&[u8]> = [mrn, authority, name, birth_date, accession]
            .into_iter()
            .map(|part| given(part).unwrap_or_default().as_bytes())
            .collect();
        self.shared.index_key.tag("query", &parts)
    }
}

impl Searched {
    /// What was found, now that it is recorded.
    pub(crate) fn found(self, recorded: Recorded) -> Found {
        Found {
            patients: self.patients,
            loading: self.loading,
            recorded,
        }
    }
}

fn given(criterion: &Option<String>) -> Option<&str> {
    criterion
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// Keeps the best of these and brings them into order, without ordering the others.
fn keep_best(fitting: &mut Fitting, limit: usize) {
    let order =
        |a: &(PatientId, f32), b: &(PatientId, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if limit < fitting.len() {
        fitting.select_nth_unstable_by(limit, order);
        fitting.truncate(limit);
    }
    fitting.sort_unstable_by(order);
}

fn limit_of(criteria: &Criteria) -> usize {
    let limit = criteria.limit.and_then(|limit| usize::try_from(limit).ok());
    limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
}
