//! From the reserve into the ledger, as soon as that can be written again.
//!
//! It must never write a reading twice, leave one out without saying so, or wipe the journal before
//! the ledger is durable: how far it came is written in the unit that appends the entries.

use labward_base::Timestamp;
use labward_base::id::{NodeId, PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Outcome, Subject, append};
use labward_seal::Scope;
use labward_store::{StoreError, Tx};

use super::journal::{Found, Journal};
use super::opening::{Standing, end, ensure, read};
use super::{BREAK_GLASS, READ_AT, Reading, Reserve, What, merged_up_to};
use crate::error::RecordsError;

/// Readings merged in one unit.
const CHUNK: usize = 256;

/// What one page of the journal becomes.
enum Step {
    /// An entry that belongs to no emergency access.
    Entry(Box<NewEntry>),
    /// Something that was done under one.
    Under {
        by: PersonId,
        glass: Standing,
        /// The entry of the opening, for the first page that tells of it.
        opened: Box<NewEntry>,
        what: Under,
    },
}

/// What was done under an emergency access.
enum Under {
    Ended(Box<NewEntry>, Timestamp),
    Nothing,
    Read(Box<NewEntry>),
}

/// What was merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Readings that are in the ledger now.
    pub readings: u64,
    /// Readings that were lost: a gap in the numbers shows it.
    pub missing: u64,
    /// Readings that do not open; each is an entry that says so.
    pub unreadable: u64,
    /// Places where writing broke off, or that were changed.
    pub unfinished: u64,
}

impl Reserve {
    /// Appends what waits in the journal to the ledger, and that the ledger goes on: since
    /// `failing_since` it could not be written. Without either it does nothing.
    ///
    /// It may be interrupted at any moment and called again: nothing is doubled or lost.
    ///
    /// # Errors
    /// [`RecordsError::Store`] or [`RecordsError::Ledger`] while the ledger still cannot be
    /// written; [`RecordsError::Keys`] while the root key is not open.
    pub fn merge(&self, failing_since: Option<Timestamp>) -> Result<Merged, RecordsError> {
        let mut journal = self.journal();
        let node = self.0.node;
        let merged_before = self.0.store.read(|snapshot| merged_up_to(snapshot, node))?;
        let found = match journal.as_ref() {
            Some(journal) => journal
                .scan(merged_before)
                .map_err(|_| RecordsError::ReserveUnusable)?,
            None => Found::default(),
        };
        if found.readings.is_empty() && found.unfinished == 0 && failing_since.is_none() {
            // A crash behind the last merge left what was merged.
            if let Some(journal) = journal.as_mut().filter(|journal| journal.room().1 > 0) {
                wipe(journal);
            }
            return Ok(Merged::default());
        }
        let mut merged = Merged {
            missing: found.missing,
            unfinished: found.unfinished,
            ..Merged::default()
        };
        let entries = self.entries(&found, &mut merged)?;
        let resumed = self.resumed(failing_since, &merged);
        self.write(entries, resumed, merged_before)?;
        if let Some(journal) = journal.as_mut() {
            wipe(journal);
        }
        drop(journal);
        self.take_up_standing()?;
        Ok(merged)
    }

    fn entries(
        &self,
        found: &Found,
        merged: &mut Merged,
    ) -> Result<Vec<(u64, Step)>, RecordsError> {
        let (key, _) = self.0.keys.site_key(Scope::Audit)?;
        let mut entries = Vec::with_capacity(found.readings.len());
        for (number, sealed) in &found.readings {
            let opened = labward_seal::open(&key, &self.context(*number), sealed).ok();
            let reading: Option<Reading> =
                opened.and_then(|plain| serde_json::from_slice(plain.expose()).ok());
            let step = match reading {
                Some(reading) => {
                    merged.readings += u64::from(reading.what.is_reading());
                    self.step(*number, reading)?
                }
                None => {
                    merged.unreadable += 1;
                    Step::Entry(Box::new(self.unreadable_entry(*number)))
                }
            };
            entries.push((*number, step));
        }
        Ok(entries)
    }

    fn step(&self, number: u64, reading: Reading) -> Result<Step, RecordsError> {
        let entry = Box::new(self.merged_entry(number, &reading)?);
        let Some(glass) = reading.glass else {
            return Ok(Step::Entry(entry));
        };
        let by = PersonId::new(reading.person);
        Ok(Step::Under {
            by,
            opened: Box::new(self.opened_entry(by, &glass)?),
            glass,
            what: match reading.what {
                What::Ended => Under::Ended(entry, Timestamp::from_micros(reading.time_us)),
                What::Opened => Under::Nothing,
                _ => Under::Read(entry),
            },
        })
    }

    fn merged_entry(&self, number: u64, reading: &Reading) -> Result<NewEntry, RecordsError> {
        let mut entry = self.entry(reading)?;
        let read_at = Timestamp::from_micros(reading.time_us).to_rfc3339();
        entry.facts = entry
            .facts
            .text(BREAK_GLASS, "reserve")
            .text(READ_AT, read_at)
            .number("reserve", number);
        Ok(entry)
    }

    /// Somebody read something; more is not known.
    fn unreadable_entry(&self, number: u64) -> NewEntry {
        let action = Action::RecordShown;
        let facts = Facts::new()
            .text(BREAK_GLASS, "reserve")
            .number("reserve", number);
        NewEntry::new(self.0.site, Actor::System, action, Subject::Records)
            .facts(facts)
            .outcome(Outcome::Failed(RecordsError::Damaged.problem().code))
    }

    fn resumed(&self, failing_since: Option<Timestamp>, merged: &Merged) -> NewEntry {
        let mut facts = Facts::new().number("readings", merged.readings);
        if let Some(since) = failing_since {
            facts = facts.text("since", since.to_rfc3339());
        }
        for (name, count) in [
            ("missing", merged.missing),
            ("unreadable", merged.unreadable),
            ("unfinished", merged.unfinished),
        ] {
            if count > 0 {
                facts = facts.number(name, count);
            }
        }
        let action = Action::LedgerResumed;
        let entry = NewEntry::new(self.0.site, Actor::System, action, Subject::Ledger).facts(facts);
        match merged.missing + merged.unreadable {
            0 => entry,
            _ => entry.outcome(Outcome::Failed(RecordsError::Damaged.problem().code)),
        }
    }

    fn write(
        &self,
        mut entries: Vec<(u64, Step)>,
        resumed: NewEntry,
        merged_before: u64,
    ) -> Result<(), RecordsError> {
        let mut resumed = Some(resumed);
        loop {
            let rest = entries.split_off(entries.len().min(CHUNK));
            let last = rest.is_empty();
            let chunk = std::mem::replace(&mut entries, rest);
            let end = last.then(|| resumed.take()).flatten();
            self.write_chunk(chunk, end, merged_before)?;
            if last {
                return Ok(());
            }
        }
    }

    fn write_chunk(
        &self,
        chunk: Vec<(u64, Step)>,
        end: Option<NewEntry>,
        merged_before: u64,
    ) -> Result<(), RecordsError> {
        let (node, site) = (self.0.node, self.0.site);
        let unit = move |tx: &mut Tx<'_>| -> Result<(), RecordsError> {
            let merged = merged_up_to(tx, node)?;
            for (_, step) in chunk.iter().filter(|(number, _)| *number > merged) {
                take(tx, site, step)?;
            }
            if let Some(end) = &end {
                append(tx, end)?;
            }
            let last = chunk.last().map_or(merged_before, |(number, _)| *number);
            Ok(set_merged(tx, node, site.as_sql(), last.max(merged))?)
        };
        self.0.store.write(unit)
    }
}

/// Appends what a page of the journal becomes, with the rows that belong to it.
fn take(tx: &mut Tx<'_>, site: SiteId, step: &Step) -> Result<(), RecordsError> {
    let (by, glass, opened, what) = match step {
        Step::Entry(entry) => {
            append(tx, entry)?;
            return Ok(());
        }
        Step::Under {
            by,
            glass,
            opened,
            what,
        } => (*by, glass, opened, what),
    };
    let number = ensure(tx, site, by, glass, opened)?;
    match what {
        Under::Ended(entry, time) => end(tx, number, *time, entry).map(|_| ()),
        Under::Nothing => Ok(()),
        Under::Read(entry) => read(tx, number, entry.as_ref().clone()).map(|_| ()),
    }
}

/// What is left of it harms nothing: its numbers are merged.
fn wipe(journal: &mut Journal) {
    if let Err(error) = journal.wipe() {
        tracing::warn!(error = %error, "the reserve was merged and could not be wiped");
    }
}

fn set_merged(tx: &mut Tx<'_>, node: NodeId, site: i64, merged: u64) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO reserve_cursor (node, site, merged) VALUES ($1, $2, $3) \
         ON CONFLICT (node) DO UPDATE SET merged = excluded.merged",
        &[
            node.as_sql().into(),
            site.into(),
            i64::try_from(merged).unwrap_or(i64::MAX).into(),
        ],
    )?;
    Ok(())
}
