//! What is known of files, kept over a restart: a share is not sent anew because the guard was started again.
//!
//! It must never be believed if it was cut, changed, written by somebody else, or is of another folder or file system.
//! It holds no name of a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use labward_base::Timestamp;
use labward_os::held::{Identity, Kind, Moment};
use labward_os::{FileSystem, current_uid, write_durably};
use labward_seal::sha256;
use rustix::fs::OFlags;

use super::cache::{FILES_MAX, Verdict};

/// The form of the file.
const MAGIC: &[u8] = b"labward-guard-known-1\n";
/// The most bytes of the hash of rules.
const RULES_BYTES_MAX: usize = 128;
/// Bytes of one file in it.
const ENTRY_BYTES: usize = 57;
const DIGEST_BYTES: usize = 32;
/// The largest file that is read.
const BYTES_MAX: u64 = 64 + 2 + 128 + (FILES_MAX * ENTRY_BYTES) as u64 + 32;

/// A file that was looked at, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) file: Identity,
    pub(super) verdict: Verdict,
    pub(super) at: Timestamp,
}

/// What was known, and by which rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) rules: String,
    pub(super) entries: Vec<Entry>,
}

/// Where it is kept, and of what it is.
pub(super) struct Memory {
    path: PathBuf,
    /// The file system and the folder: what is known of others says nothing of these.
    place: [u64; 2],
    /// Under which number the file system is mounted now.
    device: u64,
}

impl Memory {
    /// That of a folder, where the times of its files prove that they were not changed meanwhile.
    pub(super) fn of(state: &Path, name: &str, kind: &FileSystem, root: &Identity) -> Option<Self> {
        kind.keeps_times.then(|| Self {
            path: state.join(format!("known-{name}")),
            place: [kind.id, root.inode],
            device: root.device,
        })
    }

    /// What is kept; nothing if there is none, or it is not to be believed.
    pub(super) fn read(&self) -> Option<Known> {
        let bytes = read(&self.path).ok().flatten()?;
        decode(&bytes, self.place, self.device)
    }

    /// Keeps it, durably, in the place of what was kept.
    pub(super) fn write(&self, known: &Known) -> Result<(), String> {
        let bytes = encode(known, self.place, self.device);
        write_durably(&self.path, &bytes, 0o600).map_err(|error| error.to_string())
    }
}

/// The bytes of a file that nobody else could write.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let facts = file.metadata()?;
    let is_ours = facts.uid() == current_uid() && facts.mode() & 0o077 == 0;
    if !is_ours || !facts.is_file() || facts.len() > BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn encode(known: &Known, place: [u64; 2], device: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for number in place {
        bytes.extend(number.to_be_bytes());
    }
    let rules = known.rules.as_bytes();
    let rules = rules
        .get(..RULES_BYTES_MAX.min(rules.len()))
        .unwrap_or_default();
    bytes.extend(u16::try_from(rules.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(rules);
    // Its number may be another one when it is mounted again; what lies on others is not kept.
    let of_it = known.entries.iter().filter(|one| one.file.device == device);
    for one in of_it.take(FILES_MAX) {
        let file = &one.file;
        for number in [file.inode, file.links, file.size_bytes] {
            bytes.extend(number.to_be_bytes());
        }
        for moment in [file.modified, file.changed] {
            bytes.extend(moment.seconds.to_be_bytes());
            bytes.extend(moment.nanoseconds.to_be_bytes());
        }
        bytes.push(number_of(one.verdict));
        bytes.extend(one.at.as_micros().to_be_bytes());
    }
    let digest = sha256(&bytes);
    bytes.extend(digest);
    bytes
}

fn decode(bytes: &[u8], place: [u64; 2], device: u64) -> Option<Known> {
    let (body, digest) = bytes.split_last_chunk::<DIGEST_BYTES>()?;
    if sha256(body) != *digest {
        return None;
    }
    let mut rest = body.strip_prefix(MAGIC)?;
    for expected in place {
        if u64::from_be_bytes(taken(&mut rest)?) != expected {
            return None;
        }
    }
    let length = usize::from(u16::from_be_bytes(taken(&mut rest)?));
    let (rules, mut rest) = rest.split_at_checked(length)?;
    let rules = std::str::from_utf8(rules).ok()?.to_owned();
    let mut entries = Vec::new();
    while !rest.is_empty() && entries.len() < FILES_MAX {
        entries.push(entry(&mut rest, device)?);
    }
    Some(Known { rules, entries })
}

fn entry(rest: &mut &[u8], device: u64) -> Option<Entry> {
    let mut number = || Some(u64::from_be_bytes(taken(rest)?));
    let (inode, links, size_bytes) = (number()?, number()?, number()?);
    let mut moment = || {
        Some(Moment {
            seconds: i64::from_be_bytes(taken(rest)?),
            nanoseconds: u32::from_be_bytes(taken(rest)?),
        })
    };
    let (modified, changed) = (moment()?, moment()?);
    let [verdict] = taken(rest)?;
    Some(Entry {
        file: Identity {
            device,
            inode,
            kind: Kind::Regular,
            links,
            size_bytes,
            modified,
            changed,
        },
        verdict: verdict_of(verdict)?,
        at: Timestamp::from_micros(i64::from_be_bytes(taken(rest)?)),
    })
}

fn taken<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

const fn number_of(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Clean => 0,
        Verdict::Suspicious => 1,
        Verdict::Unscannable => 2,
        Verdict::Malicious => 3,
    }
}

/// What is malicious is asked about anew: it is not to be kept.
const fn verdict_of(number: u8) -> Option<Verdict> {
    match number {
        0 => Some(Verdict::Clean),
        1 => Some(Verdict::Suspicious),
        2 => Some(Verdict::Unscannable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    const PLACE: [u64; 2] = [7, 2];

    fn entry(inode: u64, device: u64) -> Entry {
        let moment = Moment {
            seconds: -3,
            nanoseconds: 999_999_999,
        };
        Entry {
            file: Identity {
                device,
                inode,
                kind: Kind::Regular,
                links: 2,
                size_bytes: u64::MAX,
                modified: moment,
                changed: moment,
            },
            verdict: Verdict::Unscannable,
            at: Timestamp::from_micros(1_234_567),
        }
    }

    fn known() -> Known {
        Known {
            rules: "ab".repeat(32),
            entries: vec![entry(1, 5), entry(2, 5)],
        }
    }

    #[test]
    fn what_is_kept_is_what_was_known_also_under_another_number_of_the_device() {
        let bytes = encode(&known(), PLACE, 5);
        assert_eq!(decode(&bytes, PLACE, 5), Some(known()));
        let moved = decode(&bytes, PLACE, 6).unwrap();
        assert_eq!(moved.entries, [entry(1, 6), entry(2, 6)]);
        let mut more = known();
        more.entries.push(entry(3, 9));
        assert_eq!(encode(&more, PLACE, 5), bytes, "of another file system");
        assert_eq!(decode(&bytes, [8, 2], 5), None, "another file system");
        assert_eq!(decode(&bytes, [7, 3], 5), None, "another folder");
    }

    #[test]
    fn what_was_cut_or_changed_anywhere_is_not_believed() {
        let bytes = encode(&known(), PLACE, 5);
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut], PLACE, 5), None, "{cut}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(decode(&changed, PLACE, 5), None, "{at}");
        }
        // Whole, but not of this form: half an entry, and a verdict that is none.
        for body in [&bytes[..bytes.len() - 33], b"labward-guard-known-2\n"] {
            let whole = [body, &sha256(body)].concat();
            assert_eq!(decode(&whole, PLACE, 5), None);
        }
        let mut bad = known();
        bad.entries[0].verdict = Verdict::Malicious;
        assert_eq!(decode(&encode(&bad, PLACE, 5), PLACE, 5), None);
    }

    #[test]
    fn a_file_that_others_may_read_or_write_is_not_believed() {
        let folder = TempDir::new();
        let memory = Memory {
            path: folder.join("known-intake"),
            place: PLACE,
            device: 5,
        };
        assert_eq!(memory.read(), None);
        memory.write(&known()).unwrap();
        assert_eq!(memory.read(), Some(known()));
        let mode = |mode| fs::set_permissions(&memory.path, fs::Permissions::from_mode(mode));
        assert_eq!(fs::metadata(&memory.path).unwrap().mode() & 0o777, 0o600);
        mode(0o620).unwrap();
        assert_eq!(memory.read(), None);
        mode(0o600).unwrap();
        fs::rename(&memory.path, folder.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink(folder.join("elsewhere"), &memory.path).unwrap();
        assert_eq!(memory.read(), None, "a link is not followed");
    }
}
