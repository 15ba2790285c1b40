//! Secrets that somebody else gave Labward, each in a file of its own.
//!
//! It must never read a file that others may read, or say what stands in one.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use labward_base::Secret;
use labward_os::file::access_of;
use zeroize::Zeroizing;

/// Bytes of a secret at most.
const MAX_BYTES: u64 = 4 << 10;

/// What stands in the file, without white space at its end; why it is refused, in words.
pub(crate) fn read(path: &Path) -> Result<Secret<String>, String> {
    let access = access_of(path).map_err(|error| error.to_string())?;
    if !access.is_owner_only() {
        return Err("others may read it; chmod 600".to_owned());
    }
    let read = || {
        let mut text = String::new();
        File::open(path)?
            .take(MAX_BYTES)
            .read_to_string(&mut text)?;
        Ok::<_, io::Error>(text)
    };
    let text = Zeroizing::new(read().map_err(|error| error.to_string())?);
    Ok(Secret::new(text.trim_end().to_owned()))
}
