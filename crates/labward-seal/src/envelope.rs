//! An envelope: bytes sealed to a public key, so that who seals them cannot open them again.
//!
//! HPKE in base mode (RFC 9180), the suite of the slots: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and
//! AES-256-GCM. An envelope is `encapsulated key 65 ‖ ciphertext n ‖ tag 16`, each under a key of its
//! own. It must be opened under the place that it was sealed for; base mode does not say who sealed
//! it, so whoever takes envelopes must know their sender otherwise.
//!
//! Opening leaves one copy of the content in freed memory, inside the HPKE provider, which does not
//! wipe its buffer: the process must run without core dumps.

use labward_base::Secret;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};

use crate::slot::{PRIVATE_BYTES, PUBLIC_BYTES};

/// How many bytes an envelope is longer than what it holds.
pub const ENVELOPE_BYTES: usize = PUBLIC_BYTES + TAG_BYTES;

const TAG_BYTES: usize = 16;
const LABEL: &[u8] = b"labward/envelope1";

/// Why bytes were not sealed into an envelope, or not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The bytes are not a public key.
    #[error("seal an envelope: the public key is not a point of the curve")]
    BadPublic,
    /// The private key or the place is another one, or the envelope was changed or cut.
    #[error("open an envelope: key or place does not fit, or it was changed")]
    Mismatch,
}

/// Seals `content` to `public` (an uncompressed P-256 point) for the place `place`.
///
/// # Errors
/// [`EnvelopeError::BadPublic`] if `public` is not a point of the curve.
pub fn seal_envelope(
    public: &[u8],
    place: &[u8],
    content: &[u8],
) -> Result<Vec<u8>, EnvelopeError> {
    let public = HpkePublicKey(public.to_vec());
    let (encapsulated, ciphertext) = SUITE
        .seal(LABEL, place, content, &public)
        .map_err(|_| EnvelopeError::BadPublic)?;
    Ok([encapsulated.0, ciphertext].concat())
}

/// Opens what [`seal_envelope`] sealed, with the private key and for the same place.
///
/// # Errors
/// [`EnvelopeError::Mismatch`] for anything else.
pub fn open_envelope(
    private: &Secret<[u8; PRIVATE_BYTES]>,
    place: &[u8],
    envelope: &[u8],
) -> Result<Secret<Vec<u8>>, EnvelopeError> {
    if envelope.len() < ENVELOPE_BYTES {
        return Err(EnvelopeError::Mismatch);
    }
    let (encapsulated, ciphertext) = envelope.split_at(PUBLIC_BYTES);
    SUITE
        .open(
            &EncapsulatedSecret(encapsulated.to_vec()),
            LABEL,
            place,
            ciphertext,
            &HpkePrivateKey::from(private.expose().to_vec()),
        )
        .map(Secret::new)
        .map_err(|_| EnvelopeError::Mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::SlotKeyPair;
    use proptest::prelude::*;

    #[test]
    fn only_the_private_key_opens_and_only_for_the_same_place() {
        let pair = SlotKeyPair::generate().unwrap();
        let other = SlotKeyPair::generate().unwrap();
        let envelope = seal_envelope(pair.public(), b"item 1", b"PID|1||4711").unwrap();
        assert_eq!(envelope.len(), ENVELOPE_BYTES + 11);
        let opened = open_envelope(pair.private(), b"item 1", &envelope).unwrap();
        assert_eq!(opened.expose(), b"PID|1||4711");
        for (key, place) in [(other.private(), b"item 1"), (pair.private(), b"item 2")] {
            let refused = open_envelope(key, place, &envelope);
            assert_eq!(refused.err(), Some(EnvelopeError::Mismatch));
        }
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_refused() {
        let pair = SlotKeyPair::generate().unwrap();
        let envelope = seal_envelope(pair.public(), b"1", b"result").unwrap();
        for place in 0..envelope.len() {
            let mut changed = envelope.clone();
            changed[place] ^= 0x40;
            assert!(
                open_envelope(pair.private(), b"1", &changed).is_err(),
                "{place}"
            );
            assert!(open_envelope(pair.private(), b"1", &envelope[..place]).is_err());
        }
    }

    #[test]
    fn what_is_no_point_of_the_curve_is_no_public_key() {
        for public in [&[][..], &[4; 65], &[0; 65]] {
            let refused = seal_envelope(public, b"1", b"x");
            assert_eq!(refused, Err(EnvelopeError::BadPublic));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_two_envelopes_are_alike(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            let pair = SlotKeyPair::generate().unwrap();
            let seal = || seal_envelope(pair.public(), b"1", &content).unwrap();
            prop_assert_ne!(seal(), seal());
        }
    }
}
