//! Secrets that somebody gave Labward, each in a file of its own.
//!
//! It must never read a file that others may read, or say what stands in one.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use labward_base::Secret;
use zeroize::Zeroizing;

/// Bytes of a secret at most.
const MAX_BYTES: u64 = 4 << 10;

/// Why a secret was not read.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// Group or others may reach it.
    #[error("others may read it; chmod 600")]
    Exposed,
    /// It is not there, cannot be read, or holds no text.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
}

/// What stands in the file, at most 4 KiB of it, without white space at its end.
///
/// # Errors
/// As [`SecretFileError`] says.
pub fn read_secret(path: &Path) -> Result<Secret<String>, SecretFileError> {
    let file = File::open(path)?;
    // An access control list shows as rights of the group.
    if file.metadata()?.mode() & 0o077 != 0 {
        return Err(SecretFileError::Exposed);
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(Secret::new(text.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_secret_that_others_may_read_is_none() {
        let path = std::env::temp_dir().join(format!("labward-secret-{}", std::process::id()));
        fs::write(&path, "lbw_secret \n").unwrap();
        for (mode, is_read) in [(0o400, true), (0o600, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let read = read_secret(&path);
            let text = read.ok().map(|secret| secret.expose().clone());
            assert_eq!(text.as_deref(), is_read.then_some("lbw_secret"), "{mode:o}");
        }
        fs::remove_file(&path).unwrap();
        let none = read_secret(&path);
        assert!(matches!(none, Err(SecretFileError::Unreadable(_))));
    }
}
