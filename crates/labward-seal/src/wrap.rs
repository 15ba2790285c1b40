//! Keys under the root key: AES-256-KWP (NIST SP 800-38F, RFC 5649).
//!
//! KWP has no associated data, so the context is bound one step earlier: each wrapping uses a key
//! of its own, `HKDF-Expand(SHA-256, root, "labward/wrap1" ‖ "AES-256-KWP" ‖ 00 ‖ site 4 ‖ scope 1 ‖
//! owner 8 ‖ epoch 4)`, integers big-endian. A wrapped key moved to another row therefore meets
//! another wrapping key, and its integrity check fails; one context also never gives away, by equal
//! bytes, that two rows hold one key.
//!
//! It must never wrap under the root key itself.

use zeroize::Zeroizing;

use labward_base::id::SiteId;
use labward_base::{Problem, problem};

use crate::error::CryptoFailed;
use crate::key::{KEY_BYTES, RootKey, SealKey};
use crate::primitive::{aes_256_kwp_unwrap, aes_256_kwp_wrap, hkdf_sha256_expand};

/// Length of a wrapped key, in bytes.
pub const WRAPPED_BYTES: usize = KEY_BYTES + 8;

const LABEL: &[u8] = b"labward/wrap1";
const CIPHER_NAME: &[u8] = b"AES-256-KWP";

/// What a wrapped key is for; the number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The key of one patient.
    Patient,
    /// The key of what belongs to a site and to no patient.
    Site,
    /// The key of what is kept on who read what, which outlives the patient's.
    Audit,
    /// The key of the search index.
    Index,
    /// The seed of the ledger's signing key.
    Signing,
    /// The key of Labward's own secrets, such as TLS private keys.
    Secret,
}

impl Scope {
    /// The number under which the scope is stored.
    pub const fn number(self) -> u8 {
        match self {
            Self::Patient => 1,
            Self::Site => 2,
            Self::Audit => 3,
            Self::Index => 4,
            Self::Signing => 5,
            Self::Secret => 6,
        }
    }

    /// The scope of this number, if there is one.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Patient,
            2 => Self::Site,
            3 => Self::Audit,
            4 => Self::Index,
            5 => Self::Signing,
            6 => Self::Secret,
            _ => return None,
        })
    }
}

/// Which key of whom a wrapped key is: it unwraps only as the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WrapContext {
    /// The site that keeps the key.
    pub site: SiteId,
    /// What the key is for.
    pub scope: Scope,
    /// Whose key it is within the scope: a patient's number, or 0.
    pub owner: u64,
    /// The key's epoch, counted from 1.
    pub epoch: u32,
}

/// The wrapped key was changed, belongs elsewhere, or is under another root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unwrap a key: it does not fit the root key or its place")]
pub struct UnwrapError;

impl UnwrapError {
    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        &problem::RECORDS_DAMAGED
    }
}

/// Wraps `key` as `context` under the root key; the same again gives the same bytes.
///
/// # Errors
/// [`CryptoFailed`] if the library refuses.
pub fn wrap_key(
    root: &RootKey,
    context: &WrapContext,
    key: &SealKey,
) -> Result<[u8; WRAPPED_BYTES], CryptoFailed> {
    let wrapped = aes_256_kwp_wrap(&*wrapping_key(root, context)?, key.expose())?;
    wrapped.try_into().map_err(|_| CryptoFailed)
}

/// Unwraps what [`wrap_key`] wrapped under the same root key and as the same `context`.
///
/// # Errors
/// [`UnwrapError`] for anything else.
pub fn unwrap_key(
    root: &RootKey,
    context: &WrapContext,
    wrapped: &[u8],
) -> Result<SealKey, UnwrapError> {
    if wrapped.len() != WRAPPED_BYTES {
        return Err(UnwrapError);
    }
    let kek = wrapping_key(root, context).map_err(|_| UnwrapError)?;
    let key = aes_256_kwp_unwrap(&kek, wrapped).map_err(|_| UnwrapError)?;
    let bytes = <[u8; KEY_BYTES]>::try_from(key.as_slice()).map_err(|_| UnwrapError)?;
    Ok(SealKey::from_bytes(bytes))
}

fn wrapping_key(
    root: &RootKey,
    context: &WrapContext,
) -> Result<Zeroizing<[u8; KEY_BYTES]>, CryptoFailed> {
    let mut kek = Zeroizing::new([0; KEY_BYTES]);
    hkdf_sha256_expand(
        root.expose(),
        &[
            LABEL,
            CIPHER_NAME,
            &[0],
            &context.site.get().to_be_bytes(),
            &[context.scope.number()],
            &context.owner.to_be_bytes(),
            &context.epoch.to_be_bytes(),
        ],
        kek.as_mut_slice(),
    )?;
    Ok(kek)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTEXT: WrapContext = WrapContext {
        site: SiteId::new(1),
        scope: Scope::Patient,
        owner: 81,
        epoch: 1,
    };

    fn root() -> RootKey {
        RootKey::from_bytes([0x11; 32])
    }

    fn wrapped() -> [u8; WRAPPED_BYTES] {
        wrap_key(&root(), &CONTEXT, &SealKey::from_bytes([0x22; 32])).unwrap()
    }

    /// Made with HKDFExpand and aes_key_wrap_with_padding of pyca/cryptography 48, after this
    /// file's first lines.
    #[test]
    fn a_wrapped_key_is_the_one_another_implementation_makes() {
        let hex: String = wrapped().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(
            hex,
            "6e978ab48137cc0738560d0b458e29520dbea284084aebcbbe49df69f3c366cb2313601a24ba281a"
        );
    }

    #[test]
    fn a_wrapped_key_unwraps_in_its_place_only() {
        let key = unwrap_key(&root(), &CONTEXT, &wrapped()).unwrap();
        assert_eq!(key.expose(), &[0x22; 32]);
        let others = [
            WrapContext {
                site: SiteId::new(2),
                ..CONTEXT
            },
            WrapContext {
                scope: Scope::Audit,
                ..CONTEXT
            },
            WrapContext {
                owner: 82,
                ..CONTEXT
            },
            WrapContext {
                epoch: 2,
                ..CONTEXT
            },
        ];
        for other in others {
            assert!(
                unwrap_key(&root(), &other, &wrapped()).is_err(),
                "{other:?}"
            );
        }
    }

    #[test]
    fn another_root_key_does_not_unwrap() {
        let other = RootKey::from_bytes([0x12; 32]);
        assert!(unwrap_key(&other, &CONTEXT, &wrapped()).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        for place in 0..WRAPPED_BYTES {
            for bit in 0..8 {
                let mut changed = wrapped();
                changed[place] ^= 1 << bit;
                assert!(
                    unwrap_key(&root(), &CONTEXT, &changed).is_err(),
                    "{place}.{bit}"
                );
            }
            assert!(unwrap_key(&root(), &CONTEXT, &wrapped()[..place]).is_err());
        }
        let longer = [wrapped().as_slice(), &[0; 8]].concat();
        assert!(unwrap_key(&root(), &CONTEXT, &longer).is_err());
    }

    #[test]
    fn a_shorter_wrapped_secret_is_not_taken_for_a_key() {
        let kek = wrapping_key(&root(), &CONTEXT).unwrap();
        let short = aes_256_kwp_wrap(&kek, &[1; 31]).unwrap();
        assert_eq!(short.len(), WRAPPED_BYTES);
        assert!(unwrap_key(&root(), &CONTEXT, &short).is_err());
    }

    #[test]
    fn scope_numbers_are_read_back() {
        for number in 0..=u8::MAX {
            if let Some(scope) = Scope::from_number(number) {
                assert_eq!(scope.number(), number);
            }
        }
        assert_eq!(Scope::from_number(0), None);
    }

    proptest! {
        #[test]
        fn any_key_comes_back(root in any::<[u8; 32]>(), key in any::<[u8; 32]>(), owner in any::<u64>()) {
            let root = RootKey::from_bytes(root);
            let context = WrapContext { owner, ..CONTEXT };
            let wrapped = wrap_key(&root, &context, &SealKey::from_bytes(key)).unwrap();
            let unwrapped = unwrap_key(&root, &context, &wrapped).unwrap();
            prop_assert_eq!(unwrapped.expose(), &key);
        }
    }
}
