//! Sealed health records: keep, find, show, export, dispose.
//!
//! **Invariant:** no change without an entry: a record *is* the payload of its entry, and a
//! patient's rows are written in the same unit. **Invariant:** plaintext never rests: what
//! identifies a patient is on disk only sealed or as a keyed digest.
//!
//! It must never show a record without having recorded that first, join two patients because a
//! message names both, or reseal a record to link it.
//!
//! Carries out 45 CFR 164.312(a)(2)(iv) (encryption), (b) (audit), 164.310(d)(2)(i) (disposal),
//! 164.528 (accounting of disclosures).
//!
//! | Module | Holds |
//! |---|---|
//! | `intake` | [`Records::keep`]: resolve, seal, one durable row |
//! | `identify`, `fhir` | whose record a message, instrument text or resource is |
//! | `patient` | the map from identifiers to patients, with what is not yet committed |
//! | `demographics`, `names` | who patients are: sealed at rest, searchable in memory |
//! | `find`, `show`, `export` | searching, reading and exporting, each recorded before it answers |
//! | `accesses` | who received, saw and was given a patient's records, and why |
//! | `results` | all results of a patient as one table, recorded before it answers |
//! | `import` | HL7 files and FHIR bundles |
//! | `merge` | patients that are one, and the end of it |
//! | `dispose`, `retention` | legal holds, retention, destroyed keys and their proof |
//! | [`reserve`] | break-glass: reading while the ledger cannot be written |
//! | `index` | record and accession indexes, merged in bulk behind the commits |
//! | `pack` | records made shorter before they are sealed |
//! | `blob` | records over 1 MiB as sealed files |
//! | `document` | any bytes of a patient, of any size, read in any part |
//! | [`hints`] | what stands beside an entry, outside its leaf |
//! | `store` | the SQL; `schema.sql` explains the columns |

mod accesses;
mod blob;
mod demographics;
mod dispose;
mod document;
mod error;
mod export;
mod fhir;
mod find;
pub mod hints;
mod identify;
mod import;
mod index;
mod intake;
mod kind;
mod merge;
mod names;
mod pack;
mod patient;
mod records;
pub mod reserve;
mod results;
mod retention;
mod show;
mod store;

pub use accesses::{Access, Accounting, AskedAccesses, why_in};
pub use demographics::{Demographics, Identifier, PersonName};
pub use dispose::{DisposalProof, Override};
pub use document::{Arriving, KeptDocument, Part, Reading, Written};
pub use error::RecordsError;
pub use export::{Exported, Format, What};
pub use find::{Criteria, Found, PatientHit};
pub use import::Imported;
pub use intake::{Also, Intake, Kept};
pub use kind::RecordKind;
pub use records::{Opened, Opener, Records, Setup};
pub use reserve::{Merged, Reserve, ReserveSetup, ReserveState};
pub use results::{Earlier, Results};
pub use retention::{Retention, RetentionClass, TooShort};
pub use show::{Recorded, Shown};
pub use store::{ACCESS_MIGRATIONS, IndexedRecord, MIGRATIONS, each_patient, erase_disposed};

/// A keyed digest under which something exact is found.
pub(crate) type Tag = [u8; 16];

#[cfg(test)]
mod tests;
