//! Sealing of records, wrapping of keys and root-key slots: pure functions on top of aws-lc-rs.
//!
//! It must never implement a primitive of its own, touch a disk or a socket, read a clock, or keep
//! a key anywhere but in the caller's hands.
//!
//! Carries out 45 CFR 164.312(a)(2)(iv) and (e)(2)(ii) (encryption) with NIST SP 800-38D (GCM),
//! SP 800-38F (key wrapping), SP 800-108 (key derivation) and RFC 9180 (HPKE).
//!
//! # The sealed record
//!
//! | Offset | Bytes | Holds |
//! |---|---|---|
//! | 0 | 1 | layout version, 1 |
//! | 1 | 1 | algorithm, 1 = HKDF-SHA256 (Expand) with AES-256-GCM |
//! | 2 | 4 | epoch of the sealing key, big-endian |
//! | 6 | 24 | salt, random |
//! | 30 | 32 | commitment to key, salt and context |
//! | 62 | n | ciphertext, as long as the plaintext |
//! | 62 + n | 16 | tag |
//!
//! `record key 32 ‖ nonce 12 ‖ commitment 32 = HKDF-Expand(SHA-256, sealing key, info)` with
//! `info = "labward/seal1" ‖ "AEAD_AES_256_GCM" ‖ 00 ‖ salt ‖ context`, where `context = site 4 ‖
//! patient 8 ‖ kind 2 ‖ record 8 ‖ version 4`, all big-endian. The associated data is the whole
//! header (bytes 0 to 61) followed by the context.
//!
//! What follows from it:
//!
//! - Extract is left out because a sealing key is uniformly random, which makes Expand an
//!   SP 800-108 KDF in feedback mode.
//! - A record has a key of its own, so 2^80 records may be sealed under one key before two share a
//!   salt with probability 2^-32; plain GCM with random nonces ends at 2^32.
//! - The commitment is compared before anything is decrypted: no two keys open one ciphertext,
//!   which GCM alone does not promise.
//! - A record opens only as the same record of the same patient at the same site in the same
//!   version: rows cannot be swapped, and an older version cannot stand in for a newer one.
//!
//! # Rooms of this crate
//!
//! | Module | Holds |
//! |---|---|
//! | [`record`] | [`seal`], [`open`]: one record, as above |
//! | [`chunked`] | large files, as C2SP chunked-encryption (SHA-512, AES-256-GCM), streamed and seekable |
//! | [`wrap`] | keys under the root key, AES-256-KWP |
//! | [`slot`] | the root key under a slot's HPKE key pair |
//! | [`envelope`] | bytes sealed to a public key by who cannot open them again |
//! | [`passphrase`] | Argon2id: a passphrase becomes a sealing key |
//! | [`shares`] | k-of-n recovery shares on paper |
//! | [`base32`] | what people write down and type back in |
//! | [`index`] | keyed HMACs under which exact identifiers are found |
//! | [`sign`] | Ed25519 |
//! | [`primitive`] | what all of it stands on, thin over aws-lc-rs |

pub mod base32;
pub mod chunked;
pub mod envelope;
mod error;
pub mod index;
mod key;
pub mod passphrase;
pub mod primitive;
pub mod record;
pub mod shares;
pub mod sign;
pub mod slot;
pub mod wrap;

pub use error::{CryptoFailed, OpenError, SealError};
pub use index::IndexKey;
pub use key::{KEY_BYTES, RootKey, SealKey};
pub use primitive::{Sha256, constant_time_eq, hmac_sha256, random_bytes, sha256};
pub use record::{Context, OVERHEAD_BYTES, epoch_of, open, seal};
pub use wrap::{Scope, WrapContext, unwrap_key, wrap_key};
