//! Sealing and opening of one record; the layout stands on the crate's front page.
//!
//! It must never hand out a byte of plaintext before the tag was checked, nor try a key whose
//! commitment does not fit. Carries out 45 CFR 164.312(a)(2)(iv).

use std::mem;

use labward_base::Secret;
use labward_base::id::{PatientId, RecordId, SiteId};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::{CryptoFailed, OpenError, SealError};
use crate::key::{KEY_BYTES, SealKey};
use crate::primitive::{
    NONCE_BYTES, TAG_BYTES, aes_256_gcm_open, aes_256_gcm_seal, constant_time_eq,
    hkdf_sha256_expand, random_bytes,
};

/// What sealing adds to a plaintext, in bytes.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;
/// The longest plaintext that is sealed as one record; longer ones go through [`crate::chunked`].
pub const MAX_PLAINTEXT_BYTES: usize = 64 * 1024 * 1024;
/// Length of an encoded [`Context`], in bytes.
pub const CONTEXT_BYTES: usize = 26;

const VERSION: u8 = 1;
const HKDF_SHA256_AES_256_GCM: u8 = 1;
const SALT_BYTES: usize = 24;
const COMMITMENT_BYTES: usize = 32;
const HEADER_BYTES: usize = 1 + 1 + 4 + SALT_BYTES + COMMITMENT_BYTES;

const LABEL: &[u8] = b"labward/seal1";
const AEAD_NAME: &[u8] = b"AEAD_AES_256_GCM";

/// What a record is: it opens only as the same record again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// The site that keeps the record.
    pub site: SiteId,
    /// The patient whose record it is; 0 stands for "no patient".
    pub patient: PatientId,
    /// The number of the record's kind.
    pub kind: u16,
    /// The record.
    pub record: RecordId,
    /// The record's version, counted from 1.
    pub version: u32,
}

impl Context {
    /// The context as it is bound into key and tag: every field big-endian in the order above.
    pub fn to_bytes(&self) -> [u8; CONTEXT_BYTES] {
        let mut bytes = [0; CONTEXT_BYTES];
        let (site, rest) = bytes.split_at_mut(4);
        let (patient, rest) = rest.split_at_mut(8);
        let (kind, rest) = rest.split_at_mut(2);
        let (record, version) = rest.split_at_mut(8);
        site.copy_from_slice(&self.site.get().to_be_bytes());
        patient.copy_from_slice(&self.patient.get().to_be_bytes());
        kind.copy_from_slice(&self.kind.to_be_bytes());
        record.copy_from_slice(&self.record.get().to_be_bytes());
        version.copy_from_slice(&self.version.to_be_bytes());
        bytes
    }
}

/// Seals `plaintext` as the record `context` under `key`, which is of `epoch`.
///
/// The answer is [`OVERHEAD_BYTES`] longer than the plaintext and different at every call.
///
/// # Errors
/// [`SealError::TooLarge`] above [`MAX_PLAINTEXT_BYTES`]; [`SealError::Crypto`] if the library
/// gives no salt.
pub fn seal(
    key: &SealKey,
    epoch: u32,
    context: &Context,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    if plaintext.len() > MAX_PLAINTEXT_BYTES {
        return Err(SealError::TooLarge {
            bytes: plaintext.len(),
        });
    }
    let salt = random_bytes()?;
    let context = context.to_bytes();
    let derived = Derived::of(key, &salt, &context)?;
    let header = Header {
        epoch,
        salt,
        commitment: derived.commitment,
    }
    .to_bytes();

    let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD_BYTES);
    sealed.extend_from_slice(&header);
    sealed.extend_from_slice(plaintext);
    let (_, body) = sealed.split_at_mut(HEADER_BYTES);
    let tag = aes_256_gcm_seal(
        &derived.key,
        &derived.nonce,
        &associated_data(&header, &context),
        body,
    )?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens what [`seal`] sealed under the same key and as the same record.
///
/// # Errors
/// [`OpenError`], which says what it can safely say.
pub fn open(key: &SealKey, context: &Context, sealed: &[u8]) -> Result<Secret<Vec<u8>>, OpenError> {
    let (header, fields, body) = split(sealed)?;
    let context = context.to_bytes();
    let derived = Derived::of(key, &fields.salt, &context).map_err(|_| OpenError::Mismatch)?;
    // Before decryption: a key that only pretends to fit must not reach the cipher.
    if !constant_time_eq(&derived.commitment, &fields.commitment) {
        return Err(OpenError::Mismatch);
    }
    let mut plaintext = Zeroizing::new(body.to_vec());
    aes_256_gcm_open(
        &derived.key,
        &derived.nonce,
        &associated_data(header, &context),
        &mut plaintext,
    )
    .map_err(|_| OpenError::Damaged)?;
    plaintext.truncate(body.len() - TAG_BYTES);
    Ok(Secret::new(mem::take(&mut *plaintext)))
}

/// The epoch of the key under which `sealed` was sealed; trustworthy only once it has opened.
///
/// # Errors
/// [`OpenError::Malformed`] if it is not a sealed record.
pub fn epoch_of(sealed: &[u8]) -> Result<u32, OpenError> {
    split(sealed).map(|(_, fields, _)| fields.epoch)
}

struct Header {
    epoch: u32,
    salt: [u8; SALT_BYTES],
    commitment: [u8; COMMITMENT_BYTES],
}

impl Header {
    fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let (version, rest) = bytes.split_at_mut(1);
        let (algorithm, rest) = rest.split_at_mut(1);
        let (epoch, rest) = rest.split_at_mut(4);
        let (salt, commitment) = rest.split_at_mut(SALT_BYTES);
        version.copy_from_slice(&[VERSION]);
        algorithm.copy_from_slice(&[HKDF_SHA256_AES_256_GCM]);
        epoch.copy_from_slice(&self.epoch.to_be_bytes());
        salt.copy_from_slice(&self.salt);
        commitment.copy_from_slice(&self.commitment);
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk::<1>()?;
        let (algorithm, rest) = rest.split_first_chunk::<1>()?;
        let (epoch, rest) = rest.split_first_chunk::<4>()?;
        let (salt, commitment) = rest.split_first_chunk::<SALT_BYTES>()?;
        (*version == [VERSION] && *algorithm == [HKDF_SHA256_AES_256_GCM]).then_some(())?;
        Some(Self {
            epoch: u32::from_be_bytes(*epoch),
            salt: *salt,
            commitment: *commitment.first_chunk()?,
        })
    }
}

/// Header bytes, their fields, and ciphertext with tag.
fn split(sealed: &[u8]) -> Result<(&[u8; HEADER_BYTES], Header, &[u8]), OpenError> {
    let (header, body) = sealed
        .split_first_chunk::<HEADER_BYTES>()
        .ok_or(OpenError::Malformed)?;
    if body.len() < TAG_BYTES || body.len() > MAX_PLAINTEXT_BYTES + TAG_BYTES {
        return Err(OpenError::Malformed);
    }
    let fields = Header::from_bytes(header).ok_or(OpenError::Malformed)?;
    Ok((header, fields, body))
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct Derived {
    key: [u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    commitment: [u8; COMMITMENT_BYTES],
}

impl Derived {
    fn of(
        key: &SealKey,
        salt: &[u8; SALT_BYTES],
        context: &[u8; CONTEXT_BYTES],
    ) -> Result<Self, CryptoFailed> {
        let mut okm = Zeroizing::new([0; KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES]);
        // Every part but the name has a fixed length, and 00 ends the name: no two differ alike.
        hkdf_sha256_expand(
            key.expose(),
            &[LABEL, AEAD_NAME, &[0], salt, context],
            okm.as_mut_slice(),
        )?;
        let mut derived = Self {
            key: [0; KEY_BYTES],
            nonce: [0; NONCE_BYTES],
            commitment: [0; COMMITMENT_BYTES],
        };
        let (key, rest) = okm.split_at(KEY_BYTES);
        let (nonce, commitment) = rest.split_at(NONCE_BYTES);
        derived.key.copy_from_slice(key);
        derived.nonce.copy_from_slice(nonce);
        derived.commitment.copy_from_slice(commitment);
        Ok(derived)
    }
}

fn associated_data(
    header: &[u8; HEADER_BYTES],
    context: &[u8; CONTEXT_BYTES],
) -> [u8; HEADER_BYTES + CONTEXT_BYTES] {
    let mut data = [0; HEADER_BYTES + CONTEXT_BYTES];
    let (first, second) = data.split_at_mut(HEADER_BYTES);
    first.copy_from_slice(header);
    second.copy_from_slice(context);
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTEXT: Context = Context {
        site: SiteId::new(3),
        patient: PatientId::new(81),
        kind: 2,
        record: RecordId::new(1_000_001),
        version: 4,
    };

    fn key(byte: u8) -> SealKey {
        SealKey::from_bytes([byte; 32])
    }

    fn error(key: &SealKey, context: &Context, sealed: &[u8]) -> OpenError {
        match open(key, context, sealed) {
            Ok(_) => panic!("it opened"),
            Err(error) => error,
        }
    }

    #[test]
    fn overhead_is_78_bytes_and_the_epoch_can_be_read() {
        for length in [0, 1, 505, 70_000] {
            let plaintext = vec![0x5a; length];
            let sealed = seal(&key(1), 7, &CONTEXT, &plaintext).unwrap();
            assert_eq!(sealed.len(), length + 78);
            assert_eq!(sealed.capacity(), sealed.len(), "one allocation");
            assert_eq!(epoch_of(&sealed), Ok(7));
            assert_eq!(
                open(&key(1), &CONTEXT, &sealed).unwrap().expose(),
                &plaintext
            );
        }
    }

    /// Made with HKDFExpand and AESGCM of pyca/cryptography 48, after the crate's front page: key
    /// 00…1f, epoch 7, salt 64…7b, the context above.
    #[test]
    fn a_record_sealed_by_another_implementation_opens() {
        let sealed = "0101000000076465666768696a6b6c6d6e6f707172737475767778797a7bbff09729f9e95f16\
                      d79a842ec6f4d0c4756d7af3b2ec2d6fbfc34e1f258add298dd3d3a24e70dac8f1a686c9594a\
                      cf1f869735a5e165208671a663b589f9";
        let sealed: Vec<u8> = (0..sealed.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&sealed[i..i + 2], 16).unwrap())
            .collect();
        let key = SealKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let opened = open(&key, &CONTEXT, &sealed).unwrap();
        assert_eq!(opened.expose(), b"HBsAg positive");
        assert_eq!(epoch_of(&sealed), Ok(7));
    }

    #[test]
    fn two_seals_of_one_plaintext_share_no_salt_and_no_ciphertext() {
        let a = seal(&key(1), 7, &CONTEXT, b"HBsAg positive").unwrap();
        let b = seal(&key(1), 7, &CONTEXT, b"HBsAg positive").unwrap();
        assert_ne!(a[6..30], b[6..30]);
        assert_ne!(a[62..], b[62..]);
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let sealed = seal(&key(1), 7, &CONTEXT, b"HBsAg positive").unwrap();
        for place in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[place] ^= 1 << bit;
                let expected = match place {
                    0..2 => OpenError::Malformed,
                    2..6 => OpenError::Damaged,
                    6..62 => OpenError::Mismatch,
                    _ => OpenError::Damaged,
                };
                assert_eq!(
                    error(&key(1), &CONTEXT, &changed),
                    expected,
                    "{place}.{bit}"
                );
            }
        }
    }

    #[test]
    fn every_swapped_context_field_is_refused() {
        let sealed = seal(&key(1), 7, &CONTEXT, b"HBsAg positive").unwrap();
        let others = [
            Context {
                site: SiteId::new(4),
                ..CONTEXT
            },
            Context {
                patient: PatientId::new(82),
                ..CONTEXT
            },
            Context { kind: 3, ..CONTEXT },
            Context {
                record: RecordId::new(1_000_002),
                ..CONTEXT
            },
            Context {
                version: 5,
                ..CONTEXT
            },
            // Two fields changed against each other must not cancel out.
            Context {
                patient: PatientId::new(1_000_001),
                record: RecordId::new(81),
                ..CONTEXT
            },
        ];
        for other in others {
            assert_eq!(
                error(&key(1), &other, &sealed),
                OpenError::Mismatch,
                "{other:?}"
            );
        }
    }

    #[test]
    fn an_older_version_does_not_stand_in_for_the_newer_one() {
        let older = Context {
            version: 1,
            ..CONTEXT
        };
        let newer = Context {
            version: 2,
            ..CONTEXT
        };
        let first = seal(&key(1), 7, &older, b"preliminary").unwrap();
        assert_eq!(error(&key(1), &newer, &first), OpenError::Mismatch);
    }

    #[test]
    fn a_cut_or_lengthened_record_is_refused() {
        let sealed = seal(&key(1), 7, &CONTEXT, b"HBsAg positive").unwrap();
        for length in 0..sealed.len() {
            let expected = if length < 78 {
                OpenError::Malformed
            } else {
                OpenError::Damaged
            };
            assert_eq!(
                error(&key(1), &CONTEXT, &sealed[..length]),
                expected,
                "{length}"
            );
        }
        let mut longer = sealed;
        longer.push(0);
        assert_eq!(error(&key(1), &CONTEXT, &longer), OpenError::Damaged);
    }

    #[test]
    fn another_key_is_refused_before_decryption() {
        let sealed = seal(&key(1), 7, &CONTEXT, b"HBsAg positive").unwrap();
        assert_eq!(error(&key(2), &CONTEXT, &sealed), OpenError::Mismatch);
    }

    #[test]
    fn no_two_keys_open_one_ciphertext() {
        // Whoever knows both keys may write any header; the commitment can match only one of them.
        let (first, second) = (key(1), key(2));
        let sealed = seal(&first, 7, &CONTEXT, b"HBsAg positive").unwrap();
        let salt: [u8; SALT_BYTES] = sealed[6..30].try_into().unwrap();
        let theirs = Derived::of(&second, &salt, &CONTEXT.to_bytes()).unwrap();
        let mut crafted = sealed.clone();
        crafted[30..62].copy_from_slice(&theirs.commitment);
        assert_eq!(error(&first, &CONTEXT, &crafted), OpenError::Mismatch);
        assert_eq!(error(&second, &CONTEXT, &crafted), OpenError::Damaged);
    }

    #[test]
    fn a_plaintext_above_the_bound_is_refused() {
        let plaintext = vec![0; MAX_PLAINTEXT_BYTES + 1];
        assert_eq!(
            seal(&key(1), 7, &CONTEXT, &plaintext),
            Err(SealError::TooLarge {
                bytes: MAX_PLAINTEXT_BYTES + 1
            })
        );
        let sealed = vec![1; MAX_PLAINTEXT_BYTES + OVERHEAD_BYTES + 1];
        assert_eq!(error(&key(1), &CONTEXT, &sealed), OpenError::Malformed);
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(
            key in any::<[u8; 32]>(),
            epoch in any::<u32>(),
            fields in any::<(u32, u64, u16, u64, u32)>(),
            plaintext in proptest::collection::vec(any::<u8>(), 0..3_000),
        ) {
            let key = SealKey::from_bytes(key);
            let context = Context {
                site: SiteId::new(fields.0),
                patient: PatientId::new(fields.1),
                kind: fields.2,
                record: RecordId::new(fields.3),
                version: fields.4,
            };
            let sealed = seal(&key, epoch, &context, &plaintext).unwrap();
            prop_assert_eq!(epoch_of(&sealed), Ok(epoch));
            let opened = open(&key, &context, &sealed).unwrap();
            prop_assert_eq!(opened.expose(), &plaintext);
        }

        #[test]
        fn no_bytes_open_or_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&key(1), &CONTEXT, &bytes).is_err());
        }
    }
}
