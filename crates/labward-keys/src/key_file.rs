//! The key file: a slot's private half on a volume that is not the data's.
//!
//! Four lines of text: the format, the site, the slot, and 64 hex digits. It must never be written
//! into the data folder, over another file, or so that anyone but its owner may read it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use labward_base::id::{SiteId, SlotId};
use labward_base::{Secret, hex};
use labward_os::{create_durably, device_of};
use labward_seal::slot::PRIVATE_BYTES;
use zeroize::Zeroizing;

use crate::{KeysError, SlotKind};

const FORMAT: &str = "labward key file 1";
const MAX_BYTES: u64 = 1_024;
const OWNER_ONLY: u32 = 0o600;

/// A key file whose slot is not committed yet: dropped, it is removed again.
pub(crate) struct Written(Option<PathBuf>);

impl Written {
    /// The slot is committed: the file stays.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Opens nothing, since its slot was never committed; what stays is only untidy.
            let _ = fs::remove_file(path);
        }
    }
}

/// The absolute form of `path`, with every link in its folder resolved.
///
/// # Errors
///
/// [`KeysError::BesideData`] if that is inside `data`; [`KeysError::KeyFile`] if the folder is not
/// there.
pub(crate) fn checked_place(path: &Path, data: &Path) -> Result<PathBuf, KeysError> {
    let Some(name) = path.file_name() else {
        return Err(KeysError::BadSlot {
            why: "the key file's path names no file",
        });
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Asked first for its error, which says what the system said about this folder.
    device_of(folder)?;
    let resolved = |path: &Path| {
        path.canonicalize().map_err(|_| KeysError::BadSlot {
            why: "the key file's folder, or the data's, cannot be resolved",
        })
    };
    let folder = resolved(folder)?;
    if folder.starts_with(resolved(data)?) {
        return Err(KeysError::BesideData);
    }
    Ok(folder.join(name))
}

/// Writes a new key file durably, for its owner alone.
pub(crate) fn write(
    path: &Path,
    site: SiteId,
    slot: SlotId,
    private: &Secret<[u8; PRIVATE_BYTES]>,
) -> Result<Written, KeysError> {
    use std::fmt::Write as _;
    // Room for all of it at once: growing would leave copies of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(256));
    // Writing to a String cannot fail.
    let _ = write!(*text, "{FORMAT}\nsite {site}\nslot {slot}\n");
    hex::encode_into(private.expose(), &mut text);
    text.push('\n');
    create_durably(path, text.as_bytes(), OWNER_ONLY)?;
    Ok(Written(Some(path.to_owned())))
}

/// The slot and its private half in the key file at `path`.
///
/// # Errors
///
/// [`KeysError::KeyFile`] if it cannot be read, [`KeysError::Wrong`] if it is not a key file of
/// this site.
pub(crate) fn read(path: &Path, site: SiteId) -> Result<(SlotId, Secret<Vec<u8>>), KeysError> {
    device_of(path)?;
    let wrong = || KeysError::Wrong {
        kind: SlotKind::KeyFile,
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(1_025));
    let file = File::open(path).map_err(|_| wrong())?;
    let length = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    if length.map_err(|_| wrong())? > 1_024 {
        return Err(wrong());
    }
    parse(&bytes, site).ok_or_else(wrong)
}

fn parse(bytes: &[u8], site: SiteId) -> Option<(SlotId, Secret<Vec<u8>>)> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    let format = lines.next()?;
    let of_site = lines.next()?.strip_prefix("site ")?;
    let slot = lines.next()?.strip_prefix("slot ")?.parse().ok()?;
    let private = private_of(lines.next()?)?;
    let fits = format == FORMAT && of_site.parse() == Ok(site) && lines.next().is_none();
    fits.then_some((slot, private))
}

/// Digits of either case, and no copy of them or of the key.
fn private_of(digits: &str) -> Option<Secret<Vec<u8>>> {
    let digits = Zeroizing::new(digits.to_ascii_lowercase());
    let mut bytes = Zeroizing::new(vec![0; PRIVATE_BYTES]);
    hex::decode_into(&digits, &mut bytes).then(|| Secret::new(std::mem::take(&mut *bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;
    use proptest::prelude::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const SITE: SiteId = SiteId::new(1);
    const SLOT: SlotId = SlotId::new(3);

    #[test]
    fn a_key_file_is_read_back_and_only_its_owner_may_read_it() {
        let folder = TempDir::new();
        let path = folder.join("root.key");
        let private = Secret::new([0xa7; PRIVATE_BYTES]);
        write(&path, SITE, SLOT, &private).unwrap().keep();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (slot, read_back) = read(&path, SITE).unwrap();
        assert_eq!(slot, SLOT);
        assert_eq!(read_back.expose(), private.expose());
        assert!(read(&path, SiteId::new(2)).is_err(), "another site's");
    }

    #[test]
    fn a_key_file_never_replaces_a_file_and_goes_again_without_its_slot() {
        let folder = TempDir::new();
        let path = folder.join("root.key");
        let private = Secret::new([1; PRIVATE_BYTES]);
        let written = write(&path, SITE, SLOT, &private).unwrap();
        assert!(matches!(
            write(&path, SITE, SLOT, &private),
            Err(KeysError::KeyFile(_))
        ));
        drop(written);
        assert!(!path.exists());
    }

    #[test]
    fn the_data_folder_is_refused_through_links_and_dots_too() {
        let data = TempDir::new();
        let other = TempDir::new();
        fs::create_dir(data.join("db")).unwrap();
        symlink(data.join("db"), other.join("elsewhere")).unwrap();
        for place in [
            data.join("root.key"),
            data.join("db/root.key"),
            data.join("db/../root.key"),
            other.join("elsewhere/root.key"),
        ] {
            let refused = checked_place(&place, data.path());
            assert!(matches!(refused, Err(KeysError::BesideData)), "{place:?}");
        }
        assert!(checked_place(&other.join("root.key"), data.path()).is_ok());
        assert!(matches!(
            checked_place(&other.join("none/root.key"), data.path()),
            Err(KeysError::KeyFile(_))
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, SITE);
        }

        #[test]
        fn a_changed_key_file_is_another_key_or_none(place in 0usize..98, byte in any::<u8>()) {
            let mut text = format!("{FORMAT}\nsite 1\nslot 3\n{}\n", "a7".repeat(32)).into_bytes();
            let before = parse(&text, SITE).unwrap();
            if let Some(old) = text.get_mut(place)
                && *old != byte
            {
                *old = byte;
                if let Some((slot, private)) = parse(&text, SITE) {
                    let same = slot == before.0 && private.expose() == before.1.expose();
                    // The case of a hex digit and the last line's end say nothing.
                    prop_assert!(!same || byte.is_ascii_alphabetic() || place == 97);
                }
            }
        }
    }
}
