//! What plugs the records, the key of edges, and the authority for them, into the gateway.
//!
//! It must never decide anything: it translates types, and nothing else.

use std::ops::ControlFlow;
use std::sync::Arc;

use labward_base::id::{EntryIndex, RecordId, SiteId};
use labward_base::{Clock, Problem, Secret, Timestamp};
use labward_gateway::edge::{OpenEnvelope, RenewCertificate};
use labward_gateway::keep::{
    Intake, Keep, KeepDone, KeepError, Kept, MessageKind, Opened, Recalled,
};
use labward_identity::{Peers, RenewalRequest};
use labward_keys::{Keys, KeysError, Scope};
use labward_ledger::{
    Action, Leaf, LedgerError, StoredEntry, entries, entries_before, entry_of_record,
};
use labward_records::{RecordKind, Records, RecordsError, hints};
use labward_seal::envelope::open_envelope;
use labward_seal::sha256;
use labward_seal::slot::{PRIVATE_BYTES, PUBLIC_BYTES};
use labward_store::{Store, StoreError};

use crate::app::authority;
use crate::folder::DataFolder;

/// Entries read at once when the ledger is walked back.
const PAGE: u32 = 1_000;
/// Merges of one message are looked for in so many entries behind its own.
const MERGES_MAX: u32 = 64;

/// Keeps the gateway's messages as records.
#[derive(Clone)]
pub(crate) struct RecordsKeep {
    /// The records.
    pub(crate) records: Records,
    /// The database that they are in.
    pub(crate) store: Store,
    /// The keys.
    pub(crate) keys: Keys,
}

impl Keep for RecordsKeep {
    fn keep(&self, intake: Intake, done: KeepDone) {
        let intake = labward_records::Intake {
            kind: record_kind(intake.kind),
            action: intake.action,
            actor: intake.actor,
            site: intake.site,
            authority: intake.authority,
            device: intake.device,
            facts: intake.facts,
            hints: intake.hints,
            bytes: intake.bytes,
            also: intake.also,
        };
        let done = move |kept: Result<labward_records::Kept, RecordsError>| {
            done(kept.map(kept_message).map_err(|error| keep_error(&error)));
        };
        self.records.keep(intake, Box::new(done));
    }

    fn open(&self, record: RecordId) -> Result<Opened, KeepError> {
        let opened = self.records.open(record);
        let opened = opened.map_err(|error| keep_error(&error))?;
        Ok(Opened {
            kind: message_kind(opened.kind),
            patient: opened.patient,
            bytes: opened.bytes,
        })
    }

    fn ordering(&self, record: RecordId) -> Vec<u64> {
        let read = self.store.read(|snapshot| -> Result<_, StoreError> {
            let Some(own) = entry_of_record(snapshot, record)? else {
                return Ok(None);
            };
            let behind = EntryIndex::new(own.index.get().saturating_add(1));
            let behind = entries(snapshot, behind, MERGES_MAX)?;
            Ok(Some((own, behind)))
        });
        match read {
            Ok(Some((own, behind))) => ordering_of(record, &own, &behind),
            Ok(None) => Vec::new(),
            Err(error) => {
                tracing::error!(record = %record, error = %error, "the order of a merge is not known");
                Vec::new()
            }
        }
    }

    fn hints(&self, record: RecordId) -> Result<Option<Vec<u8>>, KeepError> {
        let entry: Result<_, StoreError> = self
            .store
            .read(|snapshot| entry_of_record(snapshot, record));
        let entry = entry.map_err(|error| store_error(&error))?;
        let all = entry.and_then(|entry| entry.hints);
        Ok(all.and_then(|all| hints::get(&all, hints::GATEWAY).map(<[u8]>::to_vec)))
    }

    fn seal_detail(&self, site: SiteId, detail: &[u8]) -> Result<Vec<u8>, KeepError> {
        let (key, epoch) = self
            .keys
            .site_key(Scope::Audit)
            .map_err(|error| keys_error(&error))?;
        labward_ledger::seal_detail(&key, epoch, site, detail).map_err(|_| KeepError::Internal)
    }

    fn recall(
        &self,
        oldest: Timestamp,
        each: &mut dyn FnMut(Recalled<'_>) -> ControlFlow<()>,
    ) -> Result<(), KeepError> {
        let mut before = EntryIndex::new(u64::MAX);
        loop {
            let page: Vec<StoredEntry> = self
                .store
                .read(|snapshot| entries_before(snapshot, before, PAGE))
                .map_err(|error: StoreError| store_error(&error))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            before = last.index;
            for entry in &page {
                let hint = entry.hints.as_deref();
                let (Some(record), Some(hint)) = (
                    entry.record,
                    hint.and_then(|all| hints::get(all, hints::GATEWAY)),
                ) else {
                    continue;
                };
                let time = time_of(entry)?;
                let recalled = Recalled {
                    record,
                    time,
                    hints: hint,
                };
                if time < oldest || each(recalled).is_break() {
                    return Ok(());
                }
            }
            if time_of(last)? < oldest {
                return Ok(());
            }
        }
    }

    fn is_ready(&self) -> bool {
        self.keys.is_open()
    }
}

/// Opens what edges sealed, with the key pair that is there while the root key is open.
pub(crate) struct EdgeOpener {
    private: Secret<[u8; PRIVATE_BYTES]>,
    public: [u8; PUBLIC_BYTES],
}

impl EdgeOpener {
    /// The opener of this pair, `private 32 ‖ public 65` as the secret holds it.
    pub(crate) fn of(pair: &[u8]) -> Option<Self> {
        let (private, public) = pair.split_first_chunk()?;
        Some(Self {
            private: Secret::new(*private),
            public: public.try_into().ok()?,
        })
    }

    /// The key that edges seal to.
    pub(crate) const fn public(&self) -> &[u8; PUBLIC_BYTES] {
        &self.public
    }
}

impl OpenEnvelope for EdgeOpener {
    fn key_id(&self) -> [u8; 8] {
        let digest = sha256(&self.public);
        digest.first_chunk().copied().unwrap_or_default()
    }

    fn open(&self, place: &[u8], envelope: &[u8]) -> Option<Secret<Vec<u8>>> {
        open_envelope(&self.private, place, envelope).ok()
    }
}

/// Issues edges their next certificate by the built-in authority.
pub(crate) struct EdgeRenewer {
    pub(crate) data: DataFolder,
    pub(crate) keys: Keys,
    pub(crate) peers: Peers,
    pub(crate) clock: Arc<dyn Clock>,
}

impl RenewCertificate for EdgeRenewer {
    fn renew(&self, asked: &RenewalRequest) -> Result<String, &'static Problem> {
        let authority = authority(&self.data, &self.keys).map_err(|error| error.problem())?;
        let now = self.clock.now();
        let renewed = self.peers.renew_by_request(&authority, asked, now);
        renewed.map_err(|error| error.problem())
    }
}

/// The record's own patient and both sides of the merges that were written in its unit, which
/// stand directly behind it.
fn ordering_of(record: RecordId, own: &StoredEntry, behind: &[StoredEntry]) -> Vec<u64> {
    let mut ordering: Vec<u64> = own.patient.iter().map(|patient| patient.get()).collect();
    for entry in behind {
        let leaf = Leaf::parse(&entry.leaf).ok();
        let merge = leaf.filter(|leaf| leaf.action == Action::PatientMerged);
        let number = i64::try_from(record.get()).ok();
        let Some(merge) = merge.filter(|leaf| leaf.facts.get_number("record") == number) else {
            break;
        };
        let prior = merge.facts.get_number("prior");
        let prior = prior.and_then(|prior| u64::try_from(prior).ok());
        for patient in merge
            .patient
            .iter()
            .map(|patient| patient.get())
            .chain(prior)
        {
            if !ordering.contains(&patient) {
                ordering.push(patient);
            }
        }
    }
    ordering
}

fn time_of(entry: &StoredEntry) -> Result<Timestamp, KeepError> {
    let leaf = Leaf::parse(&entry.leaf).map_err(|_| KeepError::Damaged)?;
    Ok(leaf.time)
}

fn kept_message(kept: labward_records::Kept) -> Kept {
    Kept {
        record: kept.record,
        entry: kept.entry,
        time: kept.time,
        patient: kept.patient,
        ordering: kept.ordering,
        bytes: kept.bytes,
    }
}

const fn record_kind(kind: MessageKind) -> RecordKind {
    match kind {
        MessageKind::Astm => RecordKind::Astm,
        MessageKind::Hl7V2 => RecordKind::Hl7V2,
        MessageKind::Other => RecordKind::Document,
    }
}

const fn message_kind(kind: RecordKind) -> MessageKind {
    match kind {
        RecordKind::Astm => MessageKind::Astm,
        RecordKind::Hl7V2 => MessageKind::Hl7V2,
        RecordKind::Document | RecordKind::FhirResource => MessageKind::Other,
    }
}

fn keep_error(error: &RecordsError) -> KeepError {
    match error {
        RecordsError::Blob(_) => KeepError::Unwritable,
        RecordsError::Damaged => KeepError::Damaged,
        RecordsError::Keys(error) => keys_error(error),
        RecordsError::Ledger(error) => ledger_error(error),
        RecordsError::NotFound | RecordsError::NoPatient => KeepError::NotFound,
        RecordsError::Store(error) => store_error(error),
        RecordsError::AlreadyOpen
        | RecordsError::BadCriterion { .. }
        | RecordsError::BadVerdict
        | RecordsError::Beyond { .. }
        | RecordsError::LegalHold
        | RecordsError::NoCriteria
        | RecordsError::NoOpening
        | RecordsError::NotMerged
        | RecordsError::OwnOpening
        | RecordsError::Retention { .. }
        | RecordsError::Reviewed
        | RecordsError::Seal(_)
        | RecordsError::NotRecorded(_)
        | RecordsError::ReserveFull
        | RecordsError::ReserveUnusable
        | RecordsError::StillOpen
        | RecordsError::Unreadable => KeepError::Internal,
    }
}

pub(crate) fn keys_error(error: &KeysError) -> KeepError {
    match error {
        KeysError::Damaged { .. } | KeysError::NoKey(_) => KeepError::Damaged,
        KeysError::Disposed(_) => KeepError::Disposed,
        KeysError::Ledger(error) => ledger_error(error),
        KeysError::Sealed => KeepError::Sealed,
        KeysError::Store(error) => store_error(error),
        _ => KeepError::Internal,
    }
}

pub(crate) fn ledger_error(error: &LedgerError) -> KeepError {
    match error {
        LedgerError::Store(error) => store_error(error),
        LedgerError::Tampered { .. } => KeepError::Damaged,
        _ => KeepError::Internal,
    }
}

pub(crate) fn store_error(error: &StoreError) -> KeepError {
    match error {
        StoreError::Damaged { .. } => KeepError::Damaged,
        StoreError::Overloaded => KeepError::Overloaded,
        StoreError::Busy | StoreError::Closed | StoreError::Unwritable { .. } => {
            KeepError::Unwritable
        }
        StoreError::Constraint { .. }
        | StoreError::Foreign { .. }
        | StoreError::NewerSchema { .. }
        | StoreError::Panicked
        | StoreError::Statement { .. } => KeepError::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::PatientId;

    #[test]
    fn a_kind_comes_back_as_what_it_was_handed_over() {
        for kind in [MessageKind::Astm, MessageKind::Hl7V2, MessageKind::Other] {
            assert_eq!(message_kind(record_kind(kind)), kind);
        }
    }

    #[test]
    fn a_sealed_root_a_full_queue_and_a_full_disk_stay_apart() {
        let sealed = RecordsError::Keys(KeysError::Sealed);
        assert_eq!(keep_error(&sealed), KeepError::Sealed);
        let full = RecordsError::Ledger(LedgerError::Store(StoreError::Overloaded));
        assert_eq!(keep_error(&full), KeepError::Overloaded);
        let closed = RecordsError::Keys(KeysError::Store(StoreError::Closed));
        assert_eq!(keep_error(&closed), KeepError::Unwritable);
        let gone = RecordsError::Keys(KeysError::Disposed(PatientId::new(3)));
        assert_eq!(keep_error(&gone), KeepError::Disposed);
    }
}
