//! Detached signatures of minisign (Ed25519 over BLAKE2b-512), verified by the crate `minisign-verify`.
//!
//! It must never take a signature of the older kind that is not over a hash: minisign has made none
//! without being asked for it since version 0.10. Nothing here signs or holds a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, PublicKey, Signature};

use super::SignatureFault;

/// Keys and signatures are a few lines; what is longer is none.
const LONGEST: usize = 8 << 10;

/// A public key of minisign.
#[derive(Clone, Debug)]
pub struct MinisignKey {
    key: PublicKey,
    id: String,
}

/// Which key signed, and what the signature says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinisignVerified {
    /// The id of the key, as minisign prints it.
    pub key_id: String,
    /// The trusted comment, which the signature covers.
    pub comment: String,
}

/// The eight bytes of an id as minisign prints them.
fn id_of(base64: &str) -> Option<String> {
    let bytes = STANDARD.decode(base64.trim()).ok()?;
    let id = bytes.get(2..10)?.iter().rev();
    Some(id.map(|byte| format!("{byte:02X}")).collect())
}

fn second_line(text: &str) -> &str {
    text.lines().nth(1).unwrap_or_default()
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (text.len() <= LONGEST).then_some(text)
}

impl MinisignKey {
    /// Reads a key: the file that minisign writes, or its line of base64 alone.
    ///
    /// # Errors
    /// [`SignatureFault::NotAKey`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SignatureFault> {
        let read = |text: &str| {
            let line = match text.trim().contains('\n') {
                true => second_line(text).trim().to_owned(),
                false => text.trim().to_owned(),
            };
            Some(Self {
                key: PublicKey::from_base64(&line).ok()?,
                id: id_of(&line)?,
            })
        };
        text(bytes).and_then(read).ok_or(SignatureFault::NotAKey)
    }

    /// The id of the key, as minisign prints it: 16 hexadecimal digits. It is a name, not a fingerprint.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Verifies a detached signature (`.minisig`) of a document by any of some keys.
///
/// # Errors
/// If none of the keys made it.
pub fn verify_minisign(
    signature: &[u8],
    document: &[u8],
    keys: &[MinisignKey],
) -> Result<MinisignVerified, SignatureFault> {
    let lines = text(signature).ok_or(SignatureFault::NotASignature)?;
    let signature = Signature::decode(lines).map_err(|_| SignatureFault::NotASignature)?;
    let id = id_of(second_line(lines)).ok_or(SignatureFault::NotASignature)?;
    let mut fault = SignatureFault::OtherKey(id.clone());
    for key in keys.iter().filter(|key| key.id == id) {
        match key.key.verify(document, &signature, false) {
            Ok(()) => {
                return Ok(MinisignVerified {
                    key_id: id,
                    comment: signature.trusted_comment().to_owned(),
                });
            }
            Err(Error::InvalidSignature) => fault = SignatureFault::Forged,
            Err(_) => fault = SignatureFault::NotASignature,
        }
    }
    Err(fault)
}
