//! Ed25519 signatures (RFC 8032, FIPS 186-5): the ledger signs its checkpoints with them.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use labward_base::Secret;

use crate::error::CryptoFailed;
use crate::primitive::random_bytes;

/// Length of a public key, in bytes.
pub const PUBLIC_KEY_BYTES: usize = 32;
/// Length of a signature, in bytes.
pub const SIGNATURE_BYTES: usize = 64;

/// A private signing key.
///
/// ```compile_fail,E0277
/// let key = labward_seal::sign::SigningKey::generate().unwrap();
/// println!("{key:?}"); // no Debug
/// ```
pub struct SigningKey {
    seed: Secret<[u8; 32]>,
    pair: Ed25519KeyPair,
    public: [u8; PUBLIC_KEY_BYTES],
}

impl SigningKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`CryptoFailed`] if the library gives no random bytes.
    pub fn generate() -> Result<Self, CryptoFailed> {
        Self::from_seed(&Secret::new(random_bytes()?))
    }

    /// The key that grows from `seed`, always the same one.
    ///
    /// # Errors
    /// [`CryptoFailed`] if the library refuses.
    pub fn from_seed(seed: &Secret<[u8; 32]>) -> Result<Self, CryptoFailed> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| CryptoFailed)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| CryptoFailed)?;
        Ok(Self {
            seed: seed.clone(),
            pair,
            public,
        })
    }

    /// The seed, to be wrapped and kept.
    pub const fn seed(&self) -> &Secret<[u8; 32]> {
        &self.seed
    }

    /// The public key that checks this key's signatures.
    pub const fn public(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.public
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// [`CryptoFailed`] if the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], CryptoFailed> {
        let signature = self.pair.try_sign(message)?;
        signature.as_ref().try_into().map_err(|_| CryptoFailed)
    }
}

/// The signature is not one of this message by this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("verify a signature: it does not fit message and key")]
pub struct BadSignature;

/// Checks that `signature` is one of `message` by the key of `public`.
///
/// # Errors
/// [`BadSignature`] if it is not, or if key or signature is malformed.
pub fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(message, signature)
        .map_err(|_| BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_its_message_and_key_only() {
        let key = SigningKey::generate().unwrap();
        let other = SigningKey::generate().unwrap();
        let signature = key.sign(b"checkpoint").unwrap();
        assert_eq!(verify(key.public(), b"checkpoint", &signature), Ok(()));
        assert_eq!(
            verify(key.public(), b"checkpoin", &signature),
            Err(BadSignature)
        );
        assert_eq!(
            verify(other.public(), b"checkpoint", &signature),
            Err(BadSignature)
        );
        for place in 0..SIGNATURE_BYTES {
            let mut changed = signature;
            changed[place] ^= 1;
            assert_eq!(
                verify(key.public(), b"checkpoint", &changed),
                Err(BadSignature)
            );
        }
        assert_eq!(
            verify(key.public(), b"checkpoint", &signature[..63]),
            Err(BadSignature)
        );
        assert_eq!(
            verify(&key.public()[..31], b"checkpoint", &signature),
            Err(BadSignature)
        );
    }

    #[test]
    fn the_seed_gives_the_same_key_again() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_seed(key.seed()).unwrap();
        assert_eq!(key.public(), again.public());
        assert_eq!(key.sign(b"x").unwrap(), again.sign(b"x").unwrap());
    }
}
