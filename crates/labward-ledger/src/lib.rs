//! The tamper-evident ledger: the only way to record a fact.
//!
//! **Invariant:** no change without an entry: [`append`] runs in the transaction of the act itself.
//! **Invariant:** the ledger is append-only and checkable without us: with the log's public key and
//! an export, offline.
//!
//! It must never change or delete an entry, hold plaintext about a patient, or sign two histories.
//! It proves what was recorded and when, not that the world was so.
//!
//! | Module | Holds |
//! |---|---|
//! | [`action`] | the vocabulary: actions, actors, subjects, outcomes |
//! | [`facts`] | facts in clear of an entry |
//! | [`mod@entry`] | [`NewEntry`] and the canonical [`Leaf`] |
//! | `journal` | [`LedgerJournal`], [`append`], [`append_timed`], [`Appended`], [`drop_payload`], [`open_epoch`], [`RecordIds`] |
//! | [`store`] | the rows, and the only SQL |
//! | [`detail`] | the sealed detail |
//! | [`tree`], [`proof`] | RFC 6962: digests, frontier, inclusion and consistency |
//! | [`note`], [`checkpoint`], [`tile`] | C2SP signed-note, tlog-checkpoint, tlog-tiles |
//! | [`cosigned`] | what witnesses cosigned of this ledger |
//! | [`cosignature`], [`witness`] | C2SP tlog-cosignature, tlog-witness: [`Witness`], [`WitnessKey`] |
//! | [`publish`] | [`Publisher`]: tiles and checkpoints on disk |
//! | `proof_text`, `prover` | [`EntryProof`]: C2SP tlog-proof; [`Prover`] makes them |
//! | [`verify`](mod@verify) | [`verify()`]: everything where it lives, each fault named by its place |
//! | [`fhir`] | [`to_audit_event`]: FHIR R4 AuditEvent after IHE BALP |
//! | [`bundle`] | [`export_bundle`], [`verify_bundle`]: checked offline, without us |
//!
//! # The leaf
//!
//! One line of JSON, at most 65,535 bytes, keys in this order and left out when there is nothing to
//! say: `v` 1, `n` index, `node`, `site`, `time` (RFC 3339, UTC, microseconds), `actor`, `action`,
//! `subject`, `outcome`, `facts`, `detail` (base64, sealed), `record`, `patient`, `kind`, `payload`
//! (`sha256` in hex and `bytes` of the sealed record). Its digest is SHA-256(00 ‖ leaf).

pub mod action;
pub mod bundle;
pub mod checkpoint;
pub mod cosignature;
pub mod cosigned;
mod derived;
pub mod detail;
mod encode;
pub mod entry;
mod error;
mod export;
pub mod facts;
pub mod fhir;
mod journal;
pub mod note;
mod parse;
pub mod proof;
mod proof_text;
mod prover;
pub mod publish;
pub mod store;
#[cfg(test)]
mod testing;
pub mod tile;
pub mod tree;
pub mod verify;
pub mod witness;

pub use action::{Action, Actor, Outcome, Subject};
pub use bundle::{
    BundleError, BundleReport, CosignedSize, Trust, verify_bundle, verify_bundle_with,
};
pub use checkpoint::Checkpoint;
pub use cosignature::{Cosignature, Cosigner, WitnessKey};
pub use cosigned::{CosignedNote, cosigned_notes, read_cosigned, save_cosigned};
pub use detail::{open_detail, seal_detail};
pub use entry::{Leaf, NewEntry, PayloadDigest};
pub use error::LedgerError;
pub use export::{BundleRange, export_bundle};
pub use facts::{Fact, Facts};
pub use fhir::{export_audit_events, to_audit_event};
pub use journal::{
    Appended, CLOCK_TOLERANCE, LedgerJournal, RecordIds, append, append_timed, drop_payload,
    open_epoch,
};
pub use note::{Note, VerifierKey};
pub use proof::{ConsistencyProof, InclusionProof};
pub use proof_text::{EntryProof, ProofError};
pub use prover::Prover;
pub use publish::{Publisher, read_checkpoint, tiles_lead_to};
pub use store::{
    ACT_MIGRATIONS, Epoch, MIGRATIONS, StoredEntry, TRAFFIC, TreeHead, acts, acts_before,
    count_records_after, entries, entries_before, entries_with_payload, entry, entry_of_record,
    entry_of_record_after, entry_of_record_with_payload, entry_since, epochs, message_before,
    newest_payload_heads, payload_of, tree_head,
};
pub use tree::Digest;
pub use verify::{Fault, Known, VerifyReport, verify, verify_with};
pub use witness::{
    AddCheckpoint, Answer, Contradiction, Cosigned, Witness, WitnessState, WitnessedLog,
};
