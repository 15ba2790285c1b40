//! What the rest of the crate stands on: thin calls into aws-lc-rs, without a choice to get wrong.
//!
//! It must never offer an algorithm that the crate does not use. Public so that the published test
//! vectors run against exactly what is used; rooms above take [`crate::seal`] and its kin.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::{constant_time, digest, hkdf, hmac, rand};
use zeroize::Zeroizing;

use crate::error::CryptoFailed;
use crate::key::KEY_BYTES;

/// Length of a GCM nonce, in bytes.
pub const NONCE_BYTES: usize = 12;
/// Length of a GCM tag, in bytes.
pub const TAG_BYTES: usize = 16;

/// `N` random bytes from the library's generator.
///
/// # Errors
/// [`CryptoFailed`] if the library gives none.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], CryptoFailed> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// The SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    to_array(digest::digest(&digest::SHA256, data).as_ref())
}

/// SHA-256 over data that comes in parts.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Over nothing yet.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Takes in the next part.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all parts, as if they were one.
    pub fn finish(self) -> [u8; 32] {
        to_array(self.0.finish().as_ref())
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

/// The HMAC-SHA256 of `message` under `key` (RFC 2104).
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    to_array(hmac::sign(&key, message).as_ref())
}

/// Whether `a` and `b` are equal, in a time that depends on their length alone.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// HKDF-Expand with SHA-256 (RFC 5869): fills `out` from `key`, which must be uniformly random.
///
/// # Errors
/// [`CryptoFailed`] if `out` is longer than 8,160 bytes.
pub fn hkdf_sha256_expand(
    key: &[u8; KEY_BYTES],
    info: &[&[u8]],
    out: &mut [u8],
) -> Result<(), CryptoFailed> {
    expand(hkdf::HKDF_SHA256, key, info, out)
}

/// HKDF-Expand with SHA-512, for [`crate::chunked`] alone.
pub(crate) fn hkdf_sha512_expand(
    key: &[u8; KEY_BYTES],
    info: &[&[u8]],
    out: &mut [u8],
) -> Result<(), CryptoFailed> {
    expand(hkdf::HKDF_SHA512, key, info, out)
}

/// Encrypts `in_out` in place with AES-256-GCM (SP 800-38D) and answers the tag.
///
/// # Errors
/// [`CryptoFailed`] if the library refuses the length of `in_out`.
pub fn aes_256_gcm_seal(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    aad: &[u8],
    in_out: &mut [u8],
) -> Result<[u8; TAG_BYTES], CryptoFailed> {
    gcm_key(key)?.seal(nonce, aad, in_out)
}

/// Decrypts `in_out` (ciphertext and tag) in place with AES-256-GCM; the plaintext is what is left
/// when the last 16 bytes are cut off.
///
/// # Errors
/// [`CryptoFailed`] if the tag does not fit; `in_out` then holds nothing of use.
pub fn aes_256_gcm_open(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    aad: &[u8],
    in_out: &mut [u8],
) -> Result<(), CryptoFailed> {
    gcm_key(key)?.open(nonce, aad, in_out)
}

/// An AES-256-GCM key with its schedule expanded, for many chunks under one key.
pub(crate) struct GcmKey(LessSafeKey);

pub(crate) fn gcm_key(key: &[u8; KEY_BYTES]) -> Result<GcmKey, CryptoFailed> {
    Ok(GcmKey(LessSafeKey::new(UnboundKey::new(
        &AES_256_GCM,
        key,
    )?)))
}

impl GcmKey {
    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        in_out: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], CryptoFailed> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag: Tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), in_out)?;
        Ok(to_array(tag.as_ref()))
    }

    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        in_out: &mut [u8],
    ) -> Result<(), CryptoFailed> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_in_place(nonce, Aad::from(aad), in_out)?;
        Ok(())
    }
}

/// Wraps `plaintext` under `kek` with AES-256-KWP (SP 800-38F, RFC 5649).
///
/// # Errors
/// [`CryptoFailed`] if `plaintext` is empty.
pub fn aes_256_kwp_wrap(kek: &[u8; KEY_BYTES], plaintext: &[u8]) -> Result<Vec<u8>, CryptoFailed> {
    let mut out = vec![0; plaintext.len().saturating_add(15)];
    let written = AesKek::new(&AES_256, kek)?
        .wrap_with_padding(plaintext, &mut out)?
        .len();
    out.truncate(written);
    Ok(out)
}

/// Unwraps what [`aes_256_kwp_wrap`] wrapped.
///
/// # Errors
/// [`CryptoFailed`] if `wrapped` was changed or wrapped under another key.
pub fn aes_256_kwp_unwrap(
    kek: &[u8; KEY_BYTES],
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoFailed> {
    let mut out = Zeroizing::new(vec![0; wrapped.len()]);
    let written = AesKek::new(&AES_256, kek)?
        .unwrap_with_padding(wrapped, &mut out)?
        .len();
    out.truncate(written);
    Ok(out)
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(
    hash: hkdf::Algorithm,
    key: &[u8; KEY_BYTES],
    info: &[&[u8]],
    out: &mut [u8],
) -> Result<(), CryptoFailed> {
    // "Less safe" because the library cannot see that the key is uniformly random; ours are.
    hkdf::Prk::new_less_safe(hash, key)
        .expand(info, Length(out.len()))?
        .fill(out)?;
    Ok(())
}

fn to_array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_in_parts_is_sha256_in_one() {
        let mut parts = Sha256::new();
        parts.update(b"spec");
        parts.update(b"");
        parts.update(b"imen");
        assert_eq!(parts.finish(), sha256(b"specimen"));
        assert_eq!(
            sha256(b"")[..4],
            [0xe3, 0xb0, 0xc4, 0x42],
            "FIPS 180-4, the empty message"
        );
    }

    #[test]
    fn equality_needs_the_same_length() {
        assert!(constant_time_eq(b"", b""));
        assert!(constant_time_eq(b"ab", b"ab"));
        assert!(!constant_time_eq(b"ab", b"abc"));
        assert!(!constant_time_eq(b"ab", b"ac"));
    }

    #[test]
    fn random_bytes_are_not_repeated() {
        assert_ne!(random_bytes::<24>().unwrap(), random_bytes::<24>().unwrap());
    }
}
