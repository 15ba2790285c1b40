//! Break-glass: reading results for patient care while the ledger cannot be written.
//!
//! **Invariant:** no reading without a trace. A break-glass reading is an entry of the ledger; only
//! where that cannot be written it goes, sealed under the audit key, into the reserve: room that was
//! set aside at init. It is durable there before the answer, and merged into the ledger as soon as
//! that can be written again: in order, each once, with its own time as a fact.
//!
//! It must never answer before one of the two is durable, change anything, or serve an export.
//! Carries out 45 CFR 164.312(a)(2)(ii), the emergency access procedure.
//!
//! | Module | Holds |
//! |---|---|
//! | `journal` | the file: torn writes are found, numbers are never used again |
//! | `merge` | from the file into the ledger |
//! | `opening` | what is open, for how long, and what a second person found |
//! | `store` | the SQL; `opening.sql` explains the columns |
//! | `raw` | the file by itself, for the fuzz target |

mod journal;
mod merge;
mod opening;
#[doc(hidden)]
pub mod raw;
mod store;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_base::id::{NodeId, PatientId, PersonId, RecordId, SiteId};
use labward_base::{Clock, Secret, Timestamp};
use labward_keys::Keys;
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject, seal_detail};
use labward_seal::{Context, Scope};
use labward_store::{Migration, Query, Store, StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::RecordsError;
use crate::find::{Criteria, Found};
use crate::records::Records;
use crate::results::{GroupReading, Results};
use crate::show::{Recorded, Shown};
use journal::{AppendError, Journal};

pub use merge::Merged;
pub use opening::{OPENING, Opening, OpeningShown, ReadUnder, Review, Standing, Verdict};

/// The steps that lead to the schema of the reserve.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "reserve",
    sql: include_str!("schema.sql"),
}];

/// The step that leads to the tables of emergency accesses.
pub const OPENING_MIGRATIONS: &[Migration] = &[Migration {
    name: "emergency accesses",
    sql: include_str!("opening.sql"),
}];

/// In the place of a record's kind: a reading in the reserve. Kinds of records are small numbers.
const READING_KIND: u16 = 0xf003;

/// The fact that marks a break-glass reading: `ledger` or `reserve`, where it was first written.
pub const BREAK_GLASS: &str = "break_glass";
/// The fact that says when a reading that was merged later was made.
pub const READ_AT: &str = "read_at";

/// The reserve of one node; clones share it.
#[derive(Clone)]
pub struct Reserve(Arc<Shared>);

/// What the reserve stands on.
pub struct ReserveSetup {
    /// The file that init set aside.
    pub path: PathBuf,
    /// The database.
    pub store: Store,
    /// The keys; they need not be open yet.
    pub keys: Keys,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The site whose records are read.
    pub site: SiteId,
    /// The node whose ledger records it.
    pub node: NodeId,
}

/// How the reserve is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReserveState {
    /// Bytes that were set aside; 0 if the file is not there.
    pub size_bytes: u64,
    /// Bytes of them in use.
    pub used_bytes: u64,
    /// Readings that wait to be merged into the ledger.
    pub waiting: u64,
    /// Whether the disk really gave the room.
    pub is_set_aside: bool,
}

struct Shared {
    store: Store,
    keys: Keys,
    clock: Arc<dyn Clock>,
    site: SiteId,
    node: NodeId,
    /// `None`: there is no such file, or it could not be read.
    journal: Mutex<Option<Journal>>,
    /// Who has an emergency access open.
    standing: Mutex<HashMap<PersonId, Standing>>,
    /// Held while one is opened, used or ended.
    turn: Mutex<()>,
}

/// A reading as it stands in the journal, sealed.
#[derive(Serialize, Deserialize)]
struct Reading {
    time_us: i64,
    person: u64,
    why: String,
    what: What,
    /// Under which emergency access; none in a reserve of an earlier version.
    #[serde(default)]
    glass: Option<Standing>,
}

/// What was read.
#[derive(Serialize, Deserialize)]
enum What {
    #[serde(rename = "record")]
    Record { record: u64, patient: Option<u64> },
    #[serde(rename = "results")]
    Results(GroupReading),
    #[serde(rename = "search")]
    Search {
        query: [u8; 16],
        hits: u64,
        patients: Vec<u64>,
    },
    /// Nothing yet: an emergency access was opened.
    #[serde(rename = "opened")]
    Opened,
    /// Nothing any more: an emergency access was ended before its time.
    #[serde(rename = "ended")]
    Ended,
}

impl What {
    /// Whether something of a patient was read.
    const fn is_reading(&self) -> bool {
        !matches!(self, Self::Opened | Self::Ended)
    }
}

impl Reserve {
    /// Opens the reserve; a file that is missing or cannot be read is a state, not an error.
    ///
    /// # Errors
    /// [`RecordsError::Store`] if the database does not say how far it was merged.
    pub fn open(setup: ReserveSetup) -> Result<Self, RecordsError> {
        let node = setup.node;
        let merged = setup.store.read(|snapshot| merged_up_to(snapshot, node))?;
        let journal = Journal::open(&setup.path, merged)
            .inspect_err(|error| tracing::error!(error = %error, "there is no reserve"))
            .ok();
        let reserve = Self(Arc::new(Shared {
            store: setup.store,
            keys: setup.keys,
            clock: setup.clock,
            site: setup.site,
            node,
            journal: Mutex::new(journal),
            standing: Mutex::default(),
            turn: Mutex::default(),
        }));
        reserve.take_up_standing()?;
        Ok(reserve)
    }

    /// How the reserve is.
    pub fn state(&self) -> ReserveState {
        let journal = self.journal();
        journal
            .as_ref()
            .map_or_else(ReserveState::default, |journal| {
                let (size_bytes, used_bytes) = journal.room();
                ReserveState {
                    size_bytes,
                    used_bytes,
                    waiting: journal.waiting(),
                    is_set_aside: journal.is_set_aside(),
                }
            })
    }

    /// Shows one record by break-glass, after that was recorded in the ledger or in the reserve. It is
    /// read under the emergency access that the person has open, or under one that this opens, with
    /// the same reason, for `lasts`.
    ///
    /// # Errors
    /// As [`Records::show`]; [`RecordsError::ReserveFull`] and [`RecordsError::ReserveUnusable`]
    /// if neither can be written.
    pub fn show(
        &self,
        records: &Records,
        record: RecordId,
        by: PersonId,
        why: &str,
        lasts: Duration,
    ) -> Result<Shown, RecordsError> {
        let read = records.read_one(record)?;
        let what = What::Record {
            record: record.get(),
            patient: read.patient.map(PatientId::get),
        };
        let recorded = self.record(by, why, what, lasts)?;
        Ok(read.shown(recorded))
    }

    /// Shows all results of a patient by break-glass, after that was recorded in the ledger or in the
    /// reserve.
    ///
    /// # Errors
    /// As [`Records::results`] and [`Reserve::show`].
    pub fn results(
        &self,
        records: &Records,
        patient: PatientId,
        by: PersonId,
        why: &str,
        lasts: Duration,
    ) -> Result<Results, RecordsError> {
        let read = records.results_as_they_are(patient)?;
        let what = What::Results(read.reading.clone());
        let recorded = self.record(by, why, what, lasts)?;
        Ok(read.shown(recorded))
    }

    /// Searches by break-glass, after that was recorded in the ledger or in the reserve; a search
    /// by accession may miss what came in the last moments before the ledger failed.
    ///
    /// # Errors
    /// As [`Records::find`] and [`Reserve::show`].
    pub fn find(
        &self,
        records: &Records,
        criteria: &Criteria,
        by: PersonId,
        why: &str,
        lasts: Duration,
    ) -> Result<Found, RecordsError> {
        let searched = records.search_as_it_is(criteria)?;
        let what = What::Search {
            query: searched.query,
            hits: u64::try_from(searched.hits).unwrap_or(u64::MAX),
            patients: searched
                .patients
                .iter()
                .map(|hit| hit.patient.get())
                .collect(),
        };
        let recorded = self.record(by, why, what, lasts)?;
        Ok(searched.found(recorded))
    }

    fn reading(&self, by: PersonId, why: &str, what: What, glass: &Standing) -> Reading {
        Reading {
            time_us: self.0.clock.now().as_micros(),
            person: by.get(),
            why: why.to_owned(),
            what,
            glass: Some(glass.clone()),
        }
    }

    /// Records a reading, and the opening that it begins: in the ledger, or else in the journal.
    fn record(
        &self,
        by: PersonId,
        why: &str,
        what: What,
        lasts: Duration,
    ) -> Result<Recorded, RecordsError> {
        let _turn = self.turn();
        let glass = self.standing_of(by);
        let glass = glass.unwrap_or_else(|| self.new_standing(why, lasts));
        let reading = self.reading(by, why, what, &glass);
        let opened = self.opened_entry(by, &glass)?;
        let mut entry = self.entry(&reading)?;
        entry.facts = entry.facts.text(BREAK_GLASS, "ledger");
        let (site, under) = (self.0.site, glass.clone());
        let unit = move |tx: &mut Tx<'_>| -> Result<_, RecordsError> {
            let number = opening::ensure(tx, site, by, &under, &opened)?;
            opening::read(tx, number, entry.clone())
        };
        let recorded = match self.0.store.write(unit) {
            Ok(index) => Recorded::Entry(index),
            Err(error) if error.is_unwritable() => Recorded::Reserve(self.put(&reading)?),
            Err(error) => return Err(error),
        };
        self.standing().insert(by, glass);
        Ok(recorded)
    }

    /// Writes a reading into the journal; its number.
    fn put(&self, reading: &Reading) -> Result<u64, RecordsError> {
        let mut journal = self.journal();
        let journal = journal.as_mut().ok_or(RecordsError::ReserveUnusable)?;
        let (key, epoch) = self.0.keys.site_key(Scope::Audit)?;
        let plain = serde_json::to_vec(reading).map_err(|_| RecordsError::Damaged)?;
        let plain = Secret::new(plain);
        let context = self.context(journal.next());
        let sealed = labward_seal::seal(&key, epoch, &context, plain.expose())?;
        journal.append(&sealed).map_err(|error| match error {
            AppendError::Full => RecordsError::ReserveFull,
            AppendError::Io(error) => {
                tracing::error!(error = %error, "the reserve could not be written");
                RecordsError::ReserveUnusable
            }
        })
    }

    /// The entry of a reading, but for where it was first written.
    fn entry(&self, reading: &Reading) -> Result<NewEntry, RecordsError> {
        let (key, epoch) = self.0.keys.site_key(Scope::Audit)?;
        let detail = Secret::new(json!({ "why": reading.why }).to_string());
        let detail = seal_detail(&key, epoch, self.0.site, detail.expose().as_bytes())?;
        let actor = Actor::Person(PersonId::new(reading.person));
        let entry = match &reading.what {
            What::Record { record, patient } => {
                let subject = Subject::Record(RecordId::new(*record));
                let entry = NewEntry::new(self.0.site, actor, Action::RecordShown, subject);
                match patient {
                    Some(patient) => entry.patient(PatientId::new(*patient)),
                    None => entry,
                }
            }
            What::Results(reading) => {
                let patient = PatientId::new(reading.patient);
                let subject = Subject::Patient(patient);
                NewEntry::new(self.0.site, actor, Action::RecordShown, subject)
                    .patient(patient)
                    .facts(reading.facts())
            }
            What::Search {
                query,
                hits,
                patients,
            } => {
                let facts = Facts::new()
                    .hex("query", query)
                    .number("hits", *hits)
                    .numbers("patients", patients.iter().copied());
                let action = Action::RecordSearched;
                NewEntry::new(self.0.site, actor, action, Subject::Records).facts(facts)
            }
            What::Ended => return Ok(self.ended_entry(PersonId::new(reading.person))),
            What::Opened => {
                let action = Action::BreakGlassOpened;
                NewEntry::new(self.0.site, actor, action, Subject::Records)
            }
        };
        Ok(entry.detail(detail))
    }

    fn context(&self, number: u64) -> Context {
        Context {
            site: self.0.site,
            patient: PatientId::new(0),
            kind: READING_KIND,
            record: RecordId::new(number),
            version: 1,
        }
    }

    fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        let journal = &self.0.journal;
        journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReserveState {
    /// Whether a reading can still be written: there is room for at least sixteen.
    pub const fn is_usable(&self) -> bool {
        let left = self.size_bytes.saturating_sub(self.used_bytes);
        self.is_set_aside && left >= 16 * journal::PAGE
    }
}

/// The time at which a reading was made: that of its entry, or what the entry says it was.
pub(crate) fn time_of_reading(time: Timestamp, facts: &Facts) -> Timestamp {
    let read_at = facts.get_text(READ_AT).and_then(Timestamp::parse_rfc3339);
    read_at.unwrap_or(time)
}

/// The last number of the reserve that is in the ledger.
fn merged_up_to<Q: Query>(query: &mut Q, node: NodeId) -> Result<u64, StoreError> {
    let merged = query.query_opt(
        "SELECT merged FROM reserve_cursor WHERE node = $1",
        &[node.as_sql().into()],
        |row| row.int(0),
    )?;
    Ok(merged
        .and_then(|merged| u64::try_from(merged).ok())
        .unwrap_or(0))
}
