//! Root-key slots: the root key is sealed to a slot's public half, so that a rotation needs no
//! passphrase at hand; the private half opens it.
//!
//! HPKE in base mode (RFC 9180) with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, all
//! within FIPS. A sealed root is `encapsulated key 65 ‖ ciphertext 32 ‖ tag 16`.
//!
//! A public half lies with the data, where whoever can write may put one of their own and wait for
//! the next rotation. So the root key endorses it ([`endorse`]), and a rotation must check that
//! ([`is_endorsed`]) before it seals the new root key to it.
//!
//! Opening leaves one copy of the root key in freed memory, inside the HPKE provider, which does
//! not wipe its buffer: the process must run without core dumps.

use labward_base::{Problem, Secret, problem};
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

use crate::error::CryptoFailed;
use crate::key::{KEY_BYTES, RootKey};
use crate::primitive::{constant_time_eq, hkdf_sha256_expand, hmac_sha256, sha256};

/// Length of a slot's public half, an uncompressed P-256 point, in bytes.
pub const PUBLIC_BYTES: usize = 65;
/// Length of a slot's private half, a P-256 scalar, in bytes.
pub const PRIVATE_BYTES: usize = 32;
/// Length of a sealed root key, in bytes.
pub const SEALED_ROOT_BYTES: usize = PUBLIC_BYTES + KEY_BYTES + 16;

const LABEL: &[u8] = b"labward/slot1";
const ENDORSEMENT_LABEL: &[u8] = b"labward/slot-endorsement1";

/// The two halves of a slot.
pub struct SlotKeyPair {
    public: [u8; PUBLIC_BYTES],
    private: Secret<[u8; PRIVATE_BYTES]>,
}

impl SlotKeyPair {
    /// A new random pair.
    ///
    /// # Errors
    /// [`CryptoFailed`] if the library refuses.
    pub fn generate() -> Result<Self, CryptoFailed> {
        let (public, private) = SUITE.generate_key_pair().map_err(|_| CryptoFailed)?;
        Ok(Self {
            public: public.0.try_into().map_err(|_| CryptoFailed)?,
            private: Secret::new(
                private
                    .secret_bytes()
                    .try_into()
                    .map_err(|_| CryptoFailed)?,
            ),
        })
    }

    /// The half that the root key is sealed to.
    pub const fn public(&self) -> &[u8; PUBLIC_BYTES] {
        &self.public
    }

    /// The half that opens; it must go under a passphrase, a key file or shares.
    pub const fn private(&self) -> &Secret<[u8; PRIVATE_BYTES]> {
        &self.private
    }
}

/// Why a slot did not give the root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The bytes are not a public half.
    #[error("seal the root key to a slot: its public half is not a point of the curve")]
    BadPublic,
    /// The private half, the slot's info or the sealed root is another one or was changed.
    #[error("open a slot: the private half does not fit the sealed root key")]
    Mismatch,
}

impl SlotError {
    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadPublic => &problem::STORE_DAMAGED,
            Self::Mismatch => &problem::KEYS_WRONG,
        }
    }
}

/// Seals the root key to a slot's public half; `info` says which slot of which site it is.
///
/// # Errors
/// [`SlotError::BadPublic`] if `public` is not a point of the curve.
pub fn seal_root(public: &[u8], info: &[u8], root: &RootKey) -> Result<Vec<u8>, SlotError> {
    let public = HpkePublicKey(public.to_vec());
    let (encapsulated, ciphertext) = SUITE
        .seal(&bound(info), &[], root.expose(), &public)
        .map_err(|_| SlotError::BadPublic)?;
    Ok([encapsulated.0, ciphertext].concat())
}

/// Opens what [`seal_root`] sealed, with the private half and the same `info`.
///
/// # Errors
/// [`SlotError::Mismatch`] for anything else.
pub fn open_root(private: &[u8], info: &[u8], sealed: &[u8]) -> Result<RootKey, SlotError> {
    if sealed.len() != SEALED_ROOT_BYTES || private.len() != PRIVATE_BYTES {
        return Err(SlotError::Mismatch);
    }
    let (encapsulated, ciphertext) = sealed.split_at(PUBLIC_BYTES);
    let root = SUITE
        .open(
            &EncapsulatedSecret(encapsulated.to_vec()),
            &bound(info),
            &[],
            ciphertext,
            &HpkePrivateKey::from(private.to_vec()),
        )
        .map(Zeroizing::new)
        .map_err(|_| SlotError::Mismatch)?;
    let bytes = <[u8; KEY_BYTES]>::try_from(root.as_slice()).map_err(|_| SlotError::Mismatch)?;
    Ok(RootKey::from_bytes(bytes))
}

/// The root key's word that `public` is the public half of the slot `info`.
///
/// # Errors
/// [`CryptoFailed`] if the library refuses.
pub fn endorse(root: &RootKey, info: &[u8], public: &[u8]) -> Result<[u8; 32], CryptoFailed> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    hkdf_sha256_expand(root.expose(), &[ENDORSEMENT_LABEL], key.as_mut_slice())?;
    let message = [sha256(info), sha256(public)].concat();
    Ok(hmac_sha256(key.as_slice(), &message))
}

/// Whether `endorsement` is the root key's word for `public` as the slot `info`.
pub fn is_endorsed(root: &RootKey, info: &[u8], public: &[u8], endorsement: &[u8]) -> bool {
    endorse(root, info, public).is_ok_and(|expected| constant_time_eq(&expected, endorsement))
}

fn bound(info: &[u8]) -> Vec<u8> {
    [LABEL, info].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> RootKey {
        RootKey::from_bytes([0x33; 32])
    }

    #[test]
    fn the_private_half_opens_what_was_sealed_to_the_public_one() {
        let pair = SlotKeyPair::generate().unwrap();
        let sealed = seal_root(pair.public(), b"site 1 slot 1", &root()).unwrap();
        assert_eq!(sealed.len(), SEALED_ROOT_BYTES);
        let opened = open_root(pair.private().expose(), b"site 1 slot 1", &sealed).unwrap();
        assert_eq!(opened.expose(), root().expose());
    }

    #[test]
    fn another_slot_opens_nothing() {
        let pair = SlotKeyPair::generate().unwrap();
        let other = SlotKeyPair::generate().unwrap();
        let sealed = seal_root(pair.public(), b"site 1 slot 1", &root()).unwrap();
        for (private, info) in [
            (other.private(), b"site 1 slot 1"),
            (pair.private(), b"site 1 slot 2"),
        ] {
            let answer = open_root(private.expose(), info, &sealed);
            assert_eq!(answer.err(), Some(SlotError::Mismatch));
        }
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_refused() {
        let pair = SlotKeyPair::generate().unwrap();
        let sealed = seal_root(pair.public(), b"1", &root()).unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 0x40;
            assert!(
                open_root(pair.private().expose(), b"1", &changed).is_err(),
                "{place}"
            );
            assert!(open_root(pair.private().expose(), b"1", &sealed[..place]).is_err());
        }
    }

    #[test]
    fn what_is_no_point_of_the_curve_is_no_public_half() {
        for public in [&[][..], &[4; 65], &[0; 65]] {
            let answer = seal_root(public, b"1", &root());
            assert_eq!(answer, Err(SlotError::BadPublic));
        }
        assert!(open_root(&[0; 32], b"1", &[4; SEALED_ROOT_BYTES]).is_err());
    }

    #[test]
    fn a_public_half_put_in_by_a_stranger_is_not_endorsed() {
        let pair = SlotKeyPair::generate().unwrap();
        let stranger = SlotKeyPair::generate().unwrap();
        let word = endorse(&root(), b"1", pair.public()).unwrap();
        assert!(is_endorsed(&root(), b"1", pair.public(), &word));
        assert!(!is_endorsed(&root(), b"1", stranger.public(), &word));
        assert!(!is_endorsed(&root(), b"2", pair.public(), &word));
        let other = RootKey::from_bytes([0x34; 32]);
        assert!(!is_endorsed(&other, b"1", pair.public(), &word));
        assert!(!is_endorsed(&root(), b"1", pair.public(), &word[..31]));
    }
}
