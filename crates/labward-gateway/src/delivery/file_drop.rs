//! A file a message, encrypted to its recipient with age (age-encryption.org/v1).
//!
//! **Invariant:** plaintext never rests: it is encrypted in memory, and the file's name is the
//! record's number and nothing else. A file is whole under its name or not there: it is written
//! beside it, synced, renamed, and then the folder is synced.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use age::x25519::Recipient;
use labward_base::id::RecordId;

/// Where files go, and who can read them.
#[derive(Clone)]
pub(super) struct FileDrop {
    pub(super) folder: PathBuf,
    pub(super) recipient: Recipient,
}

impl FileDrop {
    /// Writes one message durably, replacing the same record's file; blocks.
    pub(super) fn write(&self, record: RecordId, message: &[u8]) -> io::Result<()> {
        let sealed = age::encrypt(&self.recipient, message).map_err(io::Error::other)?;
        let name = format!("{record}.{}.age", extension(message));
        let beside = self.folder.join(format!(".{name}.part"));
        let written =
            write_new(&beside, &sealed).and_then(|()| rename(&beside, &self.folder, &name));
        if written.is_err() {
            // What stays behind is encrypted, and is replaced by the next attempt.
            let _ = std::fs::remove_file(&beside);
        }
        written
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn rename(beside: &Path, folder: &Path, name: &str) -> io::Result<()> {
    std::fs::rename(beside, folder.join(name))?;
    File::open(folder)?.sync_all()
}

const fn extension(message: &[u8]) -> &'static str {
    match message {
        [b'M', b'S', b'H', ..] => "hl7",
        [b'H', ..] => "astm",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use age::x25519::Identity;
    use labward_testkit::TempDir;

    use super::*;

    #[test]
    fn only_the_recipient_can_read_it_and_its_name_says_nothing() {
        let folder = TempDir::new();
        let identity = Identity::generate();
        let drop = FileDrop {
            folder: folder.path().to_owned(),
            recipient: identity.to_public(),
        };
        let message = b"MSH|^~\\&|A\rPID|||4711||DOE^JANE\r";
        drop.write(RecordId::new(12), message).unwrap();
        drop.write(RecordId::new(12), message).unwrap();
        drop.write(RecordId::new(13), b"H|\\^&\r").unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["12.hl7.age", "13.astm.age"]);
        let sealed = std::fs::read(folder.join("12.hl7.age")).unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"JANE"));
        assert_eq!(age::decrypt(&identity, &sealed).unwrap(), message);
        assert!(age::decrypt(&Identity::generate(), &sealed).is_err());
    }

    #[test]
    fn a_missing_folder_is_a_failure_and_leaves_nothing() {
        let folder = TempDir::new();
        let drop = FileDrop {
            folder: folder.join("missing"),
            recipient: Identity::generate().to_public(),
        };
        assert!(drop.write(RecordId::new(1), b"MSH|^~\\&|A\r").is_err());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    }
}
