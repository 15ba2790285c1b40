//! Whether a document is the one that its publisher made: hashes beside it, and detached signatures.
//!
//! A hash alone says that nothing was damaged, not who made it: whoever can change the document can
//! change its hash. Only [`verify`] or [`verify_minisign`] with a key that a person has checked says who.

mod hash;
mod minisign;
mod openpgp;

pub use hash::{HashFault, check_hash};
pub use minisign::{MinisignKey, MinisignVerified, verify_minisign};
pub use openpgp::{PublicKey, SignatureFault, Verified, verify};
