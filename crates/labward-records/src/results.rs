//! All results of a patient: what the records of the whole merge group report, as one table.
//!
//! It must never show a value before the entry that says who looked at which records is durable, or
//! leave out in silence a record that it did not read.
//! Carries out 45 CFR 164.312(b).

use labward_base::Timestamp;
use labward_base::id::{PatientId, PersonId, RecordId};
use labward_ledger::{Action, Facts, Subject};
use labward_report::{Measured, Report, Source, TestLine, cumulate};

use crate::demographics::Demographics;
use crate::error::RecordsError;
use crate::kind::RecordKind;
use crate::records::{Records, entry_in};
use crate::show::{Recorded, leaf_of};
use crate::store::{self, IndexedRecord};

/// Records that are read at most, the newest.
const RECORDS_MAX: usize = 200;
/// Records that are read for the earlier values of one report at most.
const EARLIER_MAX: u32 = 20;
/// Results that are taken at most; the record that passes it is the last one read.
const RESULTS_MAX: usize = 10_000;
/// Patients of a merge group that the entry names by number at most; it names the one asked for besides.
const PATIENTS_MAX: usize = 500;

/// All results of a patient.
pub struct Results {
    /// The patient whose group it is.
    pub patient: PatientId,
    /// Who the patient is, the newest names first.
    pub demographics: Demographics,
    /// The sex as the newest report has it.
    pub sex: String,
    /// Every test with its values.
    pub tests: Vec<TestLine>,
    /// How many records were read.
    pub read: u64,
    /// How many records there are.
    pub record_count: u64,
    /// Records that could not be opened: damaged, or their time of retention is over.
    pub unopened: Vec<RecordId>,
    /// What records this reading.
    pub recorded: Recorded,
}

/// The values that the tests of one report had before.
pub struct Earlier {
    /// The tests that the patient had before, each with this report's values and the earlier ones.
    pub tests: Vec<TestLine>,
    /// How many earlier records were read: the newest of them, at most 20.
    pub read: u64,
    /// Earlier records that could not be opened: damaged, or their time of retention is over.
    pub unopened: Vec<RecordId>,
}

/// Results that were read and not yet recorded, so not to be shown.
pub(crate) struct ReadResults {
    pub(crate) reading: GroupReading,
    demographics: Demographics,
    sources: Vec<Source>,
    record_count: u64,
    unopened: Vec<RecordId>,
}

/// Which records of which patients are looked at; opaque numbers only.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct GroupReading {
    pub(crate) patient: u64,
    patients: Vec<u64>,
    records: Vec<u64>,
}

impl Records {
    /// All results of a patient's merge group, after that was recorded.
    ///
    /// # Errors
    /// [`RecordsError::NoPatient`] if there is none, or no more.
    pub fn results(
        &self,
        patient: PatientId,
        by: PersonId,
        why: &str,
    ) -> Result<Results, RecordsError> {
        self.catch_up().map_err(RecordsError::of_reading)?;
        let read = self.read_results(patient, &[])?;
        let subject = Subject::Patient(PatientId::new(read.reading.patient));
        let mut entry = self.reading(Action::RecordShown, subject, by, why)?;
        entry.patient = Some(PatientId::new(read.reading.patient));
        entry.facts = read.reading.facts();
        let entry = self.record(entry).map_err(RecordsError::of_reading)?;
        Ok(read.shown(Recorded::Entry(entry)))
    }

    /// The same while the indexes cannot be brought up to date, for a caller that records it before it
    /// answers.
    pub(crate) fn results_as_they_are(
        &self,
        patient: PatientId,
    ) -> Result<ReadResults, RecordsError> {
        let unindexed = self.unindexed_if_unwritable()?;
        self.read_results(patient, &unindexed)
    }

    fn read_results(
        &self,
        patient: PatientId,
        unindexed: &[IndexedRecord],
    ) -> Result<ReadResults, RecordsError> {
        self.known(patient)?;
        let group = self.group(patient);
        let root = self.shared.patients.root(patient);
        let (rows, record_count) = self.newest_records(&group, unindexed)?;
        let mut read = ReadResults {
            reading: GroupReading {
                patient: root.get(),
                patients: group
                    .iter()
                    .take(PATIENTS_MAX)
                    .map(|one| one.get())
                    .collect(),
                records: Vec::new(),
            },
            demographics: self.demographics_of(root, &group)?,
            sources: Vec::new(),
            record_count,
            unopened: Vec::new(),
        };
        let mut results = 0;
        for row in &rows {
            if results >= RESULTS_MAX {
                break;
            }
            results += self.take_report(row, &mut read)?;
        }
        Ok(read)
    }

    /// The reports of the same patient's records before this one, read for a view that the caller records.
    pub(crate) fn read_earlier(
        &self,
        patient: PatientId,
        record: RecordId,
    ) -> Result<ReadResults, RecordsError> {
        let group = self.group(patient);
        let mut rows = Vec::new();
        for patient in &group {
            rows.extend(self.shared.store.read(|snapshot| {
                store::records_of(snapshot, *patient, record.as_sql(), EARLIER_MAX)
            })?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.record));
        rows.truncate(usize::try_from(EARLIER_MAX).unwrap_or(usize::MAX));
        let mut read = ReadResults {
            reading: GroupReading {
                patient: patient.get(),
                patients: Vec::new(),
                records: Vec::new(),
            },
            demographics: Demographics::default(),
            sources: Vec::new(),
            record_count: 0,
            unopened: Vec::new(),
        };
        // Documents hold no values: they are not opened, and so not named.
        for row in rows.iter().filter(|row| row.kind.report_format().is_some()) {
            self.take_report(row, &mut read)?;
        }
        Ok(read)
    }

    /// Takes up the report of one record; how many results it has.
    fn take_report(
        &self,
        row: &IndexedRecord,
        read: &mut ReadResults,
    ) -> Result<usize, RecordsError> {
        let Some(format) = row.kind.report_format() else {
            // A document holds no results.
            read.reading.records.push(row.record.get());
            return Ok(0);
        };
        let stored = self
            .shared
            .store
            .read(|snapshot| entry_in(snapshot, row.record));
        let opened = stored.and_then(|stored| {
            let opened = self.open_entry(row.record, &stored)?;
            Ok((opened, leaf_of(&stored)?.time))
        });
        let (opened, time) = match opened {
            Ok(opened) => opened,
            // One that does not open must not hide the others.
            Err(RecordsError::Damaged | RecordsError::NotFound) => {
                read.unopened.push(row.record);
                return Ok(0);
            }
            Err(error) => return Err(error),
        };
        read.reading.records.push(row.record.get());
        let Some(report) = Report::read(format, opened.bytes.expose()) else {
            return Ok(0);
        };
        let results = report.results();
        read.sources.push(Source {
            record: row.record.get(),
            kept: time.to_rfc3339(),
            report,
        });
        Ok(results)
    }

    /// The newest records of a group, and how many there are.
    fn newest_records(
        &self,
        group: &[PatientId],
        unindexed: &[IndexedRecord],
    ) -> Result<(Vec<IndexedRecord>, u64), RecordsError> {
        let of_group = |row: &&IndexedRecord| group.contains(&row.patient);
        let mut rows: Vec<IndexedRecord> = unindexed.iter().filter(of_group).cloned().collect();
        let mut count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let limit = u32::try_from(RECORDS_MAX).unwrap_or(u32::MAX);
        for patient in group {
            let (newest, all) = self.shared.store.read(|snapshot| {
                let newest = store::records_of(snapshot, *patient, i64::MAX, limit)?;
                Ok::<_, RecordsError>((newest, store::count_records(snapshot, *patient)?))
            })?;
            rows.extend(newest);
            count += all;
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.record));
        rows.dedup_by_key(|row| row.record);
        rows.truncate(RECORDS_MAX);
        Ok((rows, count))
    }

    /// What is known of a group: the patient that it is named by, then the others.
    fn demographics_of(
        &self,
        root: PatientId,
        group: &[PatientId],
    ) -> Result<Demographics, RecordsError> {
        let mut all = Demographics::default();
        let others = group.iter().filter(|one| **one != root).take(PATIENTS_MAX);
        for patient in std::iter::once(&root).chain(others) {
            let Some((_, known)) = self.shared.stored_demographics(*patient)? else {
                continue;
            };
            all.birth_date = all.birth_date.or(known.birth_date);
            for name in known.names {
                if !all.names.contains(&name) {
                    all.names.push(name);
                }
            }
            for identifier in known.identifiers {
                if !all.identifiers.contains(&identifier) {
                    all.identifiers.push(identifier);
                }
            }
        }
        Ok(all)
    }
}

impl GroupReading {
    /// What an entry says of it.
    pub(crate) fn facts(&self) -> Facts {
        Facts::new()
            .text("what", "results")
            .numbers("patients", self.patients.iter().copied())
            .numbers("records", self.records.iter().copied())
    }
}

impl ReadResults {
    /// The numbers of the records that were read.
    pub(crate) fn records(&self) -> impl Iterator<Item = u64> + '_ {
        self.reading.records.iter().copied()
    }

    /// What is shown beside the report of a record, now that it is recorded.
    pub(crate) fn earlier_than(
        self,
        report: &Report,
        record: RecordId,
        kept: Timestamp,
    ) -> Earlier {
        let read = u64::try_from(self.reading.records.len()).unwrap_or(u64::MAX);
        let mut sources = self.sources;
        sources.push(Source {
            record: record.get(),
            kept: kept.to_rfc3339(),
            report: report.clone(),
        });
        let is_here = |one: &Measured| one.record == record.get();
        let had_before =
            |line: &TestLine| line.values.iter().any(is_here) && !line.values.iter().all(is_here);
        let mut tests = cumulate(sources);
        tests.retain(had_before);
        Earlier {
            tests,
            read,
            unopened: self.unopened,
        }
    }

    /// What is shown, now that it is recorded.
    pub(crate) fn shown(self, recorded: Recorded) -> Results {
        let newest = self.sources.first();
        let sex = newest.map(|source| source.report.patient.sex.clone());
        Results {
            patient: PatientId::new(self.reading.patient),
            demographics: self.demographics,
            sex: sex.unwrap_or_default(),
            read: u64::try_from(self.reading.records.len()).unwrap_or(u64::MAX),
            tests: cumulate(self.sources),
            record_count: self.record_count,
            unopened: self.unopened,
            recorded,
        }
    }
}

impl RecordKind {
    /// How a report is read from a record of this kind; none from a document.
    pub(crate) const fn report_format(self) -> Option<labward_report::Format> {
        match self {
            Self::Astm => Some(labward_report::Format::Astm),
            Self::Document => None,
            Self::FhirResource => Some(labward_report::Format::Fhir),
            Self::Hl7V2 => Some(labward_report::Format::Hl7V2),
        }
    }
}
