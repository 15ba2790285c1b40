//! [`Secret`]: a value that is wiped when dropped and cannot be printed or serialized.
//!
//! A secret never reaches a log, an error text or a wire by accident: the type has neither
//! `Debug`, `Display` nor `Serialize`, and its value is reached only through [`Secret::expose`].

use zeroize::Zeroize;

/// A secret value, zeroized on drop.
///
/// ```compile_fail
/// let key = labward_base::Secret::new([0u8; 32]);
/// println!("{key:?}"); // no Debug
/// ```
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes `value` into custody.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; the caller must not let it rest anywhere.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<Vec<u8>> for Secret<Vec<u8>> {
    fn from(value: Vec<u8>) -> Self {
        Self(value)
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Self(value)
    }
}
