//! A passphrase becomes a sealing key: Argon2id (RFC 9106), which seals a slot's private half.
//!
//! It must never run with parameters outside its bounds: weaker ones would undo the passphrase,
//! larger ones would let a damaged row ask for a terabyte.

use argon2::{Algorithm, Argon2, Params, Version};
use labward_base::{Problem, problem};
use zeroize::Zeroizing;

use crate::error::CryptoFailed;
use crate::key::{KEY_BYTES, SealKey};
use crate::primitive::random_bytes;

/// Length of a salt, in bytes.
pub const SALT_BYTES: usize = 16;
/// The longest passphrase that is taken, in bytes.
pub const MAX_PASSPHRASE_BYTES: usize = 1_024;

/// How hard a passphrase is to guess; stored beside what it seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Memory in KiB, 19,456 (19 MiB) to 4,194,304 (4 GiB).
    pub memory_kib: u32,
    /// Passes over the memory, 1 to 64; 19 MiB needs 2.
    pub passes: u32,
    /// Lanes, 1 to 16.
    pub lanes: u32,
}

impl Default for Stretch {
    /// 64 MiB, 3 passes, 1 lane: about 0.4 s on one core, in a slot opened a few times a year.
    fn default() -> Self {
        Self {
            memory_kib: 64 * 1_024,
            passes: 3,
            lanes: 1,
        }
    }
}

/// Why a passphrase was not turned into a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// The passphrase is empty or longer than [`MAX_PASSPHRASE_BYTES`].
    #[error("read a passphrase: expected 1 to 1,024 bytes")]
    BadLength,
    /// The machine does not have the memory that was asked for.
    #[error("stretch a passphrase: not enough memory")]
    NoMemory,
    /// The parameters are outside the bounds of [`Stretch`].
    #[error("stretch a passphrase: the stored parameters are out of bounds")]
    OutOfBounds,
}

impl PassphraseError {
    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadLength => &problem::KEYS_WRONG,
            Self::NoMemory => &problem::SERVER_INTERNAL,
            Self::OutOfBounds => &problem::STORE_DAMAGED,
        }
    }
}

impl Stretch {
    const MIN_MEMORY_KIB: u32 = 19 * 1_024;
    const MAX_MEMORY_KIB: u32 = 4 * 1_024 * 1_024;
    const MAX_PASSES: u32 = 64;
    const MAX_LANES: u32 = 16;

    /// The sealing key of `passphrase` under these parameters; takes memory and time as they say.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn derive(
        &self,
        salt: &[u8; SALT_BYTES],
        passphrase: &[u8],
    ) -> Result<SealKey, PassphraseError> {
        if passphrase.is_empty() || passphrase.len() > MAX_PASSPHRASE_BYTES {
            return Err(PassphraseError::BadLength);
        }
        let params = self.checked()?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase, salt, key.as_mut_slice())
            .map_err(|_| PassphraseError::NoMemory)?;
        Ok(SealKey::from_bytes(*key))
    }

    fn checked(&self) -> Result<Params, PassphraseError> {
        // OWASP's floor: 19 MiB with 2 passes, or more memory.
        let least_passes = if self.memory_kib < 46 * 1_024 { 2 } else { 1 };
        let fits = (Self::MIN_MEMORY_KIB..=Self::MAX_MEMORY_KIB).contains(&self.memory_kib)
            && (least_passes..=Self::MAX_PASSES).contains(&self.passes)
            && (1..=Self::MAX_LANES).contains(&self.lanes);
        if !fits {
            return Err(PassphraseError::OutOfBounds);
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_BYTES))
            .map_err(|_| PassphraseError::OutOfBounds)
    }
}

/// A new random salt; each passphrase needs its own.
///
/// # Errors
/// [`CryptoFailed`] if the library gives no random bytes.
pub fn new_salt() -> Result<[u8; SALT_BYTES], CryptoFailed> {
    random_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Stretch = Stretch {
        memory_kib: 19 * 1_024,
        passes: 2,
        lanes: 1,
    };
    const PASSPHRASE: &[u8] = b"correct horse battery staple";

    fn salt() -> [u8; SALT_BYTES] {
        std::array::from_fn(|i| u8::try_from(i).unwrap())
    }

    fn hex(key: &SealKey) -> String {
        key.expose().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Made with the Argon2id of pyca/cryptography 48 (OpenSSL).
    #[test]
    fn keys_are_the_ones_another_implementation_derives() {
        assert_eq!(
            hex(&LEAST.derive(&salt(), PASSPHRASE).unwrap()),
            "818259b6310026a8e0dbac5d2e6927abcfdb07b32258fac4f61b18b80f929085"
        );
        let lanes = Stretch {
            memory_kib: 64 * 1_024,
            passes: 1,
            lanes: 4,
        };
        assert_eq!(
            hex(&lanes.derive(&salt(), PASSPHRASE).unwrap()),
            "f70970bc416cd587d1a54e0b10e1a910817fd152c30e372cece37e5bb66a4839"
        );
    }

    #[test]
    fn passphrase_and_salt_both_count() {
        let key = hex(&LEAST.derive(&salt(), PASSPHRASE).unwrap());
        assert_ne!(key, hex(&LEAST.derive(&[0; 16], PASSPHRASE).unwrap()));
        let other = b"correct horse battery stapl";
        assert_ne!(key, hex(&LEAST.derive(&salt(), other).unwrap()));
    }

    #[test]
    fn parameters_out_of_bounds_are_refused_before_any_work() {
        let wrong = [
            (0, 0, 0),
            (19 * 1_024 - 1, 2, 1),
            (19 * 1_024, 1, 1),
            (46 * 1_024, 0, 1),
            (4 * 1_024 * 1_024 + 1, 1, 1),
            (u32::MAX, u32::MAX, 1),
            (64 * 1_024, 65, 1),
            (64 * 1_024, 3, 0),
            (64 * 1_024, 3, 17),
        ];
        for (memory_kib, passes, lanes) in wrong {
            let stretch = Stretch {
                memory_kib,
                passes,
                lanes,
            };
            let answer = stretch.derive(&salt(), PASSPHRASE);
            assert_eq!(
                answer.err(),
                Some(PassphraseError::OutOfBounds),
                "{stretch:?}"
            );
        }
        assert!(Stretch::default().checked().is_ok());
    }

    #[test]
    fn an_empty_or_endless_passphrase_is_refused() {
        for passphrase in [&[][..], &[b'a'; MAX_PASSPHRASE_BYTES + 1]] {
            let answer = LEAST.derive(&salt(), passphrase);
            assert_eq!(answer.err(), Some(PassphraseError::BadLength));
        }
        assert_ne!(new_salt().unwrap(), new_salt().unwrap());
    }
}
