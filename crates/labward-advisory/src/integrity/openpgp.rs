//! Detached OpenPGP signatures (`.asc`, RFC 9580), verified by the crate `pgp`.
//!
//! It must never trust a key that came with a document: keys are given, and whoever gives them has
//! compared their fingerprints. Nothing here signs, encrypts or holds a secret.

use labward_base::Timestamp;
use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails as _, Mpi, PublicParams, SignatureBytes, Tag};

/// A public key with its subkeys, whose bindings were verified.
#[derive(Clone, Debug)]
pub struct PublicKey(Box<SignedPublicKey>);

/// Who signed, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The fingerprint of the primary key, in capital letters.
    pub fingerprint: String,
    /// When the signature says it was made.
    pub signed: Timestamp,
    /// Since when the key has run out, if it has: the signature was made before, and counts.
    pub expired: Option<Timestamp>,
}

/// Why a signature does not vouch for a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The signature or the document was changed.
    #[error("the signature does not fit the document")]
    Forged,
    /// It was made after its key ran out, before the key was made, or has itself run out.
    #[error("the signature was made, or is used, when it did not count")]
    Expired,
    /// It says that it was made later than now.
    #[error("the signature was made in the future")]
    Future,
    /// The bytes are no public key, or its parts are not bound to each other.
    #[error("no OpenPGP public key")]
    NotAKey,
    /// The bytes are no detached signature.
    #[error("no detached OpenPGP signature")]
    NotASignature,
    /// It was made by a key that was not given; its fingerprint or id, where the signature names it.
    #[error("signed by another key: {0}")]
    OtherKey(String),
    /// Its key was revoked.
    #[error("the key was revoked")]
    Revoked,
    /// The hash, the key or the algorithm can be broken.
    #[error("signed with a hash or a key that can be broken")]
    Weak,
}

/// Signatures and keys are small; what is larger is none.
const LONGEST_KEY: usize = 1 << 20;
const LONGEST_SIGNATURE: usize = 1 << 16;
/// 2,048 bits, less the zeros that may stand in front of a signature once in 2^128 times.
const SMALLEST_RSA_BYTES: usize = 240;

fn is_armored(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"-----BEGIN PGP")
}

impl PublicKey {
    /// Reads one key, armored or not, and verifies that its parts belong together.
    ///
    /// # Errors
    /// [`SignatureFault::NotAKey`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureFault> {
        if bytes.len() > LONGEST_KEY {
            return Err(SignatureFault::NotAKey);
        }
        let key = if is_armored(bytes) {
            SignedPublicKey::from_armor_single(bytes).map(|(key, _)| key)
        } else {
            SignedPublicKey::from_bytes(bytes)
        };
        let key = key.map_err(|_| SignatureFault::NotAKey)?;
        let has_self_signature =
            !key.details.users.is_empty() || !key.details.direct_signatures.is_empty();
        if !has_self_signature {
            return Err(SignatureFault::NotAKey);
        }
        Ok(Self(Box::new(key)))
    }

    /// The fingerprint of the primary key, in capital letters.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.0.fingerprint())
    }

    /// Whether the key revoked itself.
    fn is_revoked(&self) -> bool {
        let revocations = self.0.details.revocation_signatures.iter();
        revocations
            .filter(|one| one.typ() == Some(SignatureType::KeyRevocation))
            .any(|one| one.verify_key(&self.0.primary_key).is_ok())
    }

    /// The self-signatures of the primary key that hold.
    fn self_signatures(&self) -> impl Iterator<Item = &Signature> {
        let key = &self.0.primary_key;
        let direct = self.0.details.direct_signatures.iter();
        let direct = direct.filter(move |one| one.verify_key(key).is_ok());
        let certified = self.0.details.users.iter().flat_map(move |user| {
            let own = user.signatures.iter();
            own.filter(move |one| {
                one.is_certification()
                    && one.verify_certification(key, Tag::UserId, &user.id).is_ok()
            })
        });
        direct.chain(certified)
    }
}

/// What one key of a [`PublicKey`] may sign, and until when.
struct Signer {
    created_secs: u32,
    /// Seconds after the making of the key; `None` if it does not run out.
    lives_secs: Option<u32>,
}

/// The newest of some signatures, by the time that it holds.
fn newest<'s>(signatures: impl Iterator<Item = &'s Signature>) -> Option<&'s Signature> {
    signatures.max_by_key(|one| one.created().map(pgp::types::Timestamp::as_secs))
}

fn moment(secs: u64) -> Timestamp {
    Timestamp::from_seconds(i64::try_from(secs).unwrap_or(i64::MAX))
}

/// Verifies a detached signature of a document by any of some keys.
///
/// # Errors
/// If none of the keys made it, or it counts no longer or not yet.
pub fn verify(
    signature: &[u8],
    document: &[u8],
    keys: &[PublicKey],
    now: Timestamp,
) -> Result<Verified, SignatureFault> {
    if signature.len() > LONGEST_SIGNATURE {
        return Err(SignatureFault::NotASignature);
    }
    let detached = if is_armored(signature) {
        DetachedSignature::from_armor_single(signature).map(|(one, _)| one)
    } else {
        DetachedSignature::from_bytes(signature)
    };
    let signature = detached
        .map_err(|_| SignatureFault::NotASignature)?
        .signature;
    let is_of_data = matches!(
        signature.typ(),
        Some(SignatureType::Binary | SignatureType::Text)
    );
    let (true, Some(signed)) = (is_of_data, signature.created()) else {
        return Err(SignatureFault::NotASignature);
    };
    let strong = [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
        HashAlgorithm::Sha3_256,
        HashAlgorithm::Sha3_512,
    ];
    if !signature
        .hash_alg()
        .is_some_and(|hash| strong.contains(&hash))
    {
        return Err(SignatureFault::Weak);
    }
    // An id of eight bytes may name two keys.
    let mut fault = other(&signature);
    for key in keys.iter().filter(|key| names(&signature, key)) {
        let outcome = check(&signature, document, key)
            .and_then(|signer| judge(&signature, signed.as_secs(), &signer, key, now));
        match outcome {
            Ok(verified) => return Ok(verified),
            Err(found) => fault = found,
        }
    }
    Err(fault)
}

/// Whether a signature names a key or one of its subkeys; one that names none fits all.
fn names(signature: &Signature, key: &PublicKey) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    let ids = signature.issuer_key_id();
    let subkeys = key.0.public_subkeys.iter();
    let mut parts = subkeys
        .map(|sub| (sub.key.fingerprint(), sub.key.legacy_key_id()))
        .chain([(key.0.fingerprint(), key.0.legacy_key_id())]);
    (fingerprints.is_empty() && ids.is_empty())
        || parts.any(|(fingerprint, id)| fingerprints.contains(&&fingerprint) || ids.contains(&&id))
}

fn other(signature: &Signature) -> SignatureFault {
    let fingerprints = signature.issuer_fingerprint();
    let name = match (fingerprints.first(), signature.issuer_key_id().first()) {
        (Some(fingerprint), _) => format!("{fingerprint:X}"),
        (None, Some(id)) => id
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect(),
        (None, None) => "it names none".to_owned(),
    };
    SignatureFault::OtherKey(name)
}

/// Finds the part of the key that made the signature.
fn check(
    signature: &Signature,
    document: &[u8],
    key: &PublicKey,
) -> Result<Signer, SignatureFault> {
    if key.is_revoked() {
        return Err(SignatureFault::Revoked);
    }
    let primary = &key.0.primary_key;
    let bound = newest(key.self_signatures()).ok_or(SignatureFault::NotAKey)?;
    if may_sign(bound) && signature.verify(primary, document).is_ok() {
        strong_key(primary.public_params(), signature)?;
        return Ok(Signer {
            created_secs: primary.created_at().as_secs(),
            lives_secs: bound
                .key_expiration_time()
                .map(pgp::types::Duration::as_secs),
        });
    }
    for sub in &key.0.public_subkeys {
        if signature.verify(&sub.key, document).is_err() {
            continue;
        }
        let holds = |one: &&Signature| one.verify_subkey_binding(primary, &sub.key).is_ok();
        let of_type = |kind| {
            let all = sub.signatures.iter();
            all.filter(move |one| one.typ() == Some(kind)).filter(holds)
        };
        if of_type(SignatureType::SubkeyRevocation).next().is_some() {
            return Err(SignatureFault::Revoked);
        }
        let Some(binding) = newest(of_type(SignatureType::SubkeyBinding)) else {
            continue;
        };
        // The subkey must say, too, that it belongs to the primary key (RFC 9580, 5.2.1.8).
        let agrees = binding
            .embedded_signature()
            .is_some_and(|one| one.verify_primary_key_binding(&sub.key, primary).is_ok());
        if !binding.key_flags().sign() || !agrees {
            continue;
        }
        strong_key(sub.key.public_params(), signature)?;
        return Ok(Signer {
            created_secs: sub.key.created_at().as_secs(),
            lives_secs: earlier_end(key, sub.key.created_at().as_secs(), binding, bound),
        });
    }
    Err(SignatureFault::Forged)
}

/// Whether a primary key may sign data: it says so, or says nothing of what it is for.
fn may_sign(bound: &Signature) -> bool {
    let is_flags = |one: &Subpacket| matches!(one.data, SubpacketData::KeyFlags(_));
    let says_nothing = |config: &SignatureConfig| !config.hashed_subpackets().any(is_flags);
    bound.key_flags().sign() || bound.config().is_some_and(says_nothing)
}

/// A subkey lives no longer than its primary key.
fn earlier_end(
    key: &PublicKey,
    created_secs: u32,
    binding: &Signature,
    primary: &Signature,
) -> Option<u32> {
    let own = binding
        .key_expiration_time()
        .map(pgp::types::Duration::as_secs);
    let of_primary = primary.key_expiration_time().map(|lives| {
        let end = key
            .0
            .primary_key
            .created_at()
            .as_secs()
            .saturating_add(lives.as_secs());
        end.saturating_sub(created_secs)
    });
    match (own, of_primary) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}

fn strong_key(params: &PublicParams, signature: &Signature) -> Result<(), SignatureFault> {
    match (params, signature.signature()) {
        // A signature is as long as its modulus, but for zeros in front.
        (PublicParams::RSA(_), Some(SignatureBytes::Mpis(numbers))) => {
            let bytes = numbers.first().map_or(0, Mpi::len);
            if bytes < SMALLEST_RSA_BYTES {
                Err(SignatureFault::Weak)
            } else {
                Ok(())
            }
        }
        (PublicParams::ECDSA(_) | PublicParams::EdDSALegacy(_), Some(_)) => Ok(()),
        (PublicParams::Ed25519(_) | PublicParams::Ed448(_), Some(_)) => Ok(()),
        _ => Err(SignatureFault::Weak),
    }
}

/// Whether the signature counts at its time and now.
fn judge(
    signature: &Signature,
    signed_secs: u32,
    signer: &Signer,
    key: &PublicKey,
    now: Timestamp,
) -> Result<Verified, SignatureFault> {
    let signed = moment(signed_secs.into());
    if signed > now {
        return Err(SignatureFault::Future);
    }
    if signed_secs < signer.created_secs {
        return Err(SignatureFault::Expired);
    }
    let own_end = signature
        .signature_expiration_time()
        .map(pgp::types::Duration::as_secs);
    let own_end = own_end.filter(|secs| *secs > 0);
    if own_end.is_some_and(|secs| moment(u64::from(signed_secs) + u64::from(secs)) <= now) {
        return Err(SignatureFault::Expired);
    }
    let lives = signer.lives_secs.filter(|secs| *secs > 0);
    let end = lives.map(|secs| moment(u64::from(signer.created_secs) + u64::from(secs)));
    if end.is_some_and(|end| end <= signed) {
        return Err(SignatureFault::Expired);
    }
    Ok(Verified {
        fingerprint: key.fingerprint(),
        signed,
        expired: end.filter(|end| *end <= now),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &[u8] = include_bytes!("fixtures/advisory.json");
    const RSA_KEY: &[u8] = include_bytes!("fixtures/rsa.key.asc");
    const RSA: &[u8] = include_bytes!("fixtures/rsa.json.asc");

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn check(signature: &[u8], keys: &[&[u8]]) -> Result<Verified, SignatureFault> {
        let keys: Vec<_> = keys
            .iter()
            .map(|key| PublicKey::parse(key).unwrap())
            .collect();
        verify(signature, DOCUMENT, &keys, at("2026-01-01T00:00:00Z"))
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("fixtures/", $name)).as_slice()
        };
    }

    #[test]
    fn signatures_of_gpg_are_verified() {
        let verified = check(RSA, &[fixture!("other.key.asc"), RSA_KEY]).unwrap();
        assert_eq!(
            verified.fingerprint,
            "7C3951F20AD33368C233095E1834337C47EE198B"
        );
        assert_eq!(verified.signed, at("2024-06-01T00:00:00Z"));
        assert_eq!(verified.expired, None);
        assert!(check(fixture!("other.json.asc"), &[fixture!("other.key.asc")]).is_ok());
        let by_subkey = check(fixture!("subkey.json.asc"), &[fixture!("subkey.key.asc")]).unwrap();
        assert_eq!(
            by_subkey.fingerprint,
            "55E75308322174BC713DE92F3289247AF08FFBE4"
        );
    }

    #[test]
    fn another_key_is_named() {
        assert_eq!(
            check(RSA, &[fixture!("other.key.asc")]),
            Err(SignatureFault::OtherKey(
                "7C3951F20AD33368C233095E1834337C47EE198B".to_owned()
            ))
        );
        assert!(matches!(check(RSA, &[]), Err(SignatureFault::OtherKey(_))));
    }

    #[test]
    fn a_changed_document_is_forged() {
        let key = PublicKey::parse(RSA_KEY).unwrap();
        let now = at("2026-01-01T00:00:00Z");
        for place in 0..DOCUMENT.len() {
            let mut changed = DOCUMENT.to_vec();
            changed[place] ^= 1;
            let outcome = verify(RSA, &changed, std::slice::from_ref(&key), now);
            assert_eq!(outcome, Err(SignatureFault::Forged));
        }
    }

    #[test]
    fn sha1_is_too_weak() {
        assert_eq!(
            check(fixture!("sha1.json.asc"), &[RSA_KEY]),
            Err(SignatureFault::Weak)
        );
    }

    #[test]
    fn a_key_that_ran_out_vouches_for_what_it_signed_before_only() {
        let key = fixture!("expiring.key.asc");
        let before = check(fixture!("expiring.json.asc"), &[key]).unwrap();
        assert!(
            before
                .expired
                .is_some_and(|end| end < at("2025-01-02T00:00:00Z"))
        );
        assert_eq!(
            check(fixture!("after-expiry.json.asc"), &[key]),
            Err(SignatureFault::Expired)
        );
    }

    #[test]
    fn a_revoked_key_vouches_for_nothing() {
        let revoked = check(fixture!("revoked.json.asc"), &[fixture!("revoked.key.asc")]);
        assert_eq!(revoked, Err(SignatureFault::Revoked));
    }

    #[test]
    fn a_signature_of_the_future_does_not_count() {
        let key = PublicKey::parse(RSA_KEY).unwrap();
        let early = verify(RSA, DOCUMENT, &[key], at("2024-05-31T23:59:59Z"));
        assert_eq!(early, Err(SignatureFault::Future));
    }

    #[test]
    fn what_was_cut_is_no_signature_and_no_key() {
        for end in [0, 1, 30, 100, RSA.len() / 2] {
            let cut = check(&RSA[..end], &[RSA_KEY]);
            assert_eq!(cut, Err(SignatureFault::NotASignature), "{end}");
        }
        for end in [0, 1, 30, 100, RSA_KEY.len() / 2] {
            assert_eq!(
                PublicKey::parse(&RSA_KEY[..end]).err(),
                Some(SignatureFault::NotAKey),
                "{end}"
            );
        }
        assert_eq!(PublicKey::parse(RSA).err(), Some(SignatureFault::NotAKey));
        assert_eq!(
            check(RSA_KEY, &[RSA_KEY]),
            Err(SignatureFault::NotASignature)
        );
        let large = vec![b'x'; LONGEST_SIGNATURE + 1];
        assert_eq!(
            check(&large, &[RSA_KEY]),
            Err(SignatureFault::NotASignature)
        );
    }

    #[test]
    fn every_signature_of_cisa_names_its_key() {
        let Some(data) = crate::real_data::folder("signatures of CISA") else {
            return;
        };
        let files = crate::real_data::unpack(data.join("csaf/cisa-ot-2017-2023.tar.xz"));
        let other = [PublicKey::parse(RSA_KEY).unwrap()];
        let mut read = 0;
        for (name, signature) in files.iter().filter(|(name, _)| name.ends_with(".asc")) {
            let document = &files[name.trim_end_matches(".asc")];
            let outcome = verify(signature, document, &other, at("2026-01-01T00:00:00Z"));
            let cisa = "144AED0A57BE7D4AE835D9D8CAC5AC4F74164B17";
            assert_eq!(
                outcome,
                Err(SignatureFault::OtherKey(cisa.to_owned())),
                "{name}"
            );
            read += 1;
        }
        assert_eq!(read, 2_035);
    }

    proptest! {
        #[test]
        fn no_changed_signature_is_taken(place in 0..RSA.len(), bit in 0..7_u8) {
            let mut bytes = RSA.to_vec();
            bytes[place] ^= 1 << bit;
            let key = PublicKey::parse(RSA_KEY).unwrap();
            let outcome = verify(&bytes, DOCUMENT, &[key], at("2026-01-01T00:00:00Z"));
            // Armor has places that mean nothing: then the signature is the same one.
            if let Ok(verified) = outcome {
                prop_assert_eq!(verified.signed, at("2024-06-01T00:00:00Z"));
            }
        }

        #[test]
        fn no_bytes_panic_as_a_key(place in 0..RSA_KEY.len(), byte: u8) {
            let mut bytes = RSA_KEY.to_vec();
            bytes[place] = byte;
            if let Ok(key) = PublicKey::parse(&bytes) {
                let _ = verify(RSA, DOCUMENT, &[key], at("2026-01-01T00:00:00Z"));
            }
        }
    }
}
