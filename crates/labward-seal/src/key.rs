//! The two kinds of keys: [`SealKey`] seals records, [`RootKey`] wraps sealing keys.
//!
//! Both are 32 uniformly random bytes and never mixed up: what one does, the other cannot.

use labward_base::Secret;

use crate::error::CryptoFailed;
use crate::primitive::random_bytes;

/// Length of every key, in bytes.
pub const KEY_BYTES: usize = 32;

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Secret<[u8; KEY_BYTES]>);

        impl $name {
            /// A new random key.
            ///
            /// # Errors
            /// [`CryptoFailed`] if the library gives no random bytes.
            pub fn generate() -> Result<Self, CryptoFailed> {
                Ok(Self(Secret::new(random_bytes()?)))
            }

            /// The key of these bytes, which must be uniformly random.
            pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
                Self(Secret::new(bytes))
            }

            /// The bytes themselves; the caller must not let them rest anywhere.
            pub const fn expose(&self) -> &[u8; KEY_BYTES] {
                self.0.expose()
            }
        }

        impl From<Secret<[u8; KEY_BYTES]>> for $name {
            fn from(bytes: Secret<[u8; KEY_BYTES]>) -> Self {
                Self(bytes)
            }
        }
    )+};
}

keys! {
    /// Seals records: a patient's key, a site's key, the audit key or a key from a passphrase.
    ///
    /// ```compile_fail,E0277
    /// let key = labward_seal::SealKey::from_bytes([7; 32]);
    /// println!("{key:?}"); // no Debug
    /// ```
    SealKey;

    /// Wraps sealing keys; itself under each slot.
    ///
    /// ```compile_fail,E0277
    /// let key = labward_seal::RootKey::from_bytes([7; 32]);
    /// println!("{key:?}"); // no Debug
    /// ```
    RootKey;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_keys_differ_and_keep_their_bytes() {
        let a = SealKey::generate().unwrap();
        let b = SealKey::generate().unwrap();
        assert_ne!(a.expose(), b.expose());
        assert_eq!(a.clone().expose(), a.expose());
        assert_eq!(RootKey::from_bytes([9; 32]).expose(), &[9; 32]);
    }
}
