//! The engine for lists of known hashes, and the list of known good ones.
//!
//! Of each hash the first 16 bytes are kept, sorted, 16 bytes an entry: to meet one of five million by chance or by design
//! takes about 2^105 tries, a filter in front would save nothing that the search (a table by the first two bytes, then
//! halving) costs, and reading 80 MB that are sorted already is faster than building a filter.
//!
//! MD5 and SHA-1 are computed only if a list with them is loaded. They never clear anything.

mod read;

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use md5::Digest as _;

pub use read::{ListError, ListSummary};

use crate::engine::{Deadline, Engine, EngineError, Hit, Look};
use crate::verdict::{FindingKind, Severity};
use crate::{bounded, hex};

/// What is kept of a hash.
type Key = [u8; 16];

/// The most different words that are kept for hits; beyond, a hash has none.
const LABELS_MAX: usize = 200_000;

/// Which hash an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
}

impl Algorithm {
    /// By the number of hexadecimal digits.
    fn of_digits(digits: usize) -> Option<Self> {
        match digits {
            32 => Some(Self::Md5),
            40 => Some(Self::Sha1),
            64 => Some(Self::Sha256),
            _ => None,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    fn key(self, bytes: &[u8], sha256: &[u8; 32]) -> Key {
        match self {
            Self::Md5 => md5::Md5::digest(bytes).into(),
            Self::Sha1 => first16(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()),
            Self::Sha256 => first16(sha256),
        }
    }
}

fn first16(hash: &[u8]) -> Key {
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(hash) {
        *to = *from;
    }
    key
}

/// One entry before it is sorted in.
#[derive(Clone, Copy)]
struct Entry {
    key: Key,
    /// The size that the bytes must have; 0 for any.
    size: u64,
    /// Which word belongs to it; 0 for none.
    label: u32,
}

/// Sorted entries of one algorithm. The columns beside the keys are empty if no entry has such a value.
#[derive(Default)]
struct Sorted {
    keys: Vec<Key>,
    sizes: Vec<u64>,
    labels: Vec<u32>,
    /// Where the keys with each first two bytes begin.
    starts: Vec<u32>,
}

impl Sorted {
    fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by_key(|entry| (entry.key, entry.size, entry.label));
        entries.dedup_by_key(|entry| (entry.key, entry.size));
        let mut sorted = Self {
            keys: entries.iter().map(|entry| entry.key).collect(),
            ..Self::default()
        };
        if entries.iter().any(|entry| entry.size != 0) {
            sorted.sizes = entries.iter().map(|entry| entry.size).collect();
        }
        if entries.iter().any(|entry| entry.label != 0) {
            sorted.labels = entries.iter().map(|entry| entry.label).collect();
        }
        let mut at = 0;
        sorted.starts = (0..=1_u32 << 16)
            .map(|first| {
                while entries
                    .get(at)
                    .is_some_and(|entry| first_two(&entry.key) < first)
                {
                    at += 1;
                }
                u32::try_from(at).unwrap_or(u32::MAX)
            })
            .collect();
        sorted
    }

    /// The word of the entry for `key` and `size`, if there is one.
    fn find(&self, key: &Key, size: u64) -> Option<u32> {
        let bucket = first_two(key) as usize;
        let from = *self.starts.get(bucket)? as usize;
        let to = *self.starts.get(bucket + 1)? as usize;
        let keys = self.keys.get(from..to)?;
        let first = from + keys.partition_point(|one| one < key);
        let same = self.keys.iter().enumerate().skip(first);
        for (at, _) in same.take_while(|(_, one)| *one == key) {
            let wanted = self.sizes.get(at).copied().unwrap_or(0);
            if wanted == 0 || wanted == size {
                return Some(self.labels.get(at).copied().unwrap_or(0));
            }
        }
        None
    }
}

fn first_two(key: &Key) -> u32 {
    let [a, b, ..] = *key;
    u32::from(a) << 8 | u32::from(b)
}

/// Collects lists; [`Collector::finish`] makes the engine, [`Collector::finish_allow`] the list of known good hashes.
#[derive(Default)]
pub struct Collector {
    md5: Vec<Entry>,
    sha1: Vec<Entry>,
    sha256: Vec<Entry>,
    labels: Vec<Box<str>>,
    label_of: HashMap<Box<str>, u32>,
    lists: Vec<ListSummary>,
}

impl Collector {
    /// Reads a list. `name` is its file's name, by whose ending forms of ClamAV are told.
    ///
    /// # Errors
    /// [`ListError`] if it is no list of hashes.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<&ListSummary, ListError> {
        let summary = read::read(name, bytes, &mut |algorithm, hash, size, label| {
            let label = self.label(label);
            let entry = Entry {
                key: first16(hash),
                size,
                label,
            };
            match algorithm {
                Algorithm::Md5 => self.md5.push(entry),
                Algorithm::Sha1 => self.sha1.push(entry),
                Algorithm::Sha256 => self.sha256.push(entry),
            }
        })?;
        self.lists.push(summary);
        self.lists.last().ok_or(ListError::NoHashes)
    }

    /// What was read.
    #[must_use]
    pub fn lists(&self) -> &[ListSummary] {
        &self.lists
    }

    fn label(&mut self, label: &str) -> u32 {
        if label.is_empty() {
            return 0;
        }
        let label = bounded(label);
        if let Some(known) = self.label_of.get(label.as_str()) {
            return *known;
        }
        if self.labels.len() >= LABELS_MAX {
            return 0;
        }
        self.labels.push(label.clone().into());
        let number = u32::try_from(self.labels.len()).unwrap_or(0);
        self.label_of.insert(label.into(), number);
        number
    }

    /// The engine that finds these hashes.
    #[must_use]
    pub fn finish(self) -> Hashes {
        let hashes: Vec<&str> = self.lists.iter().map(|list| list.sha256.as_str()).collect();
        Hashes {
            state: hex(digest(&SHA256, hashes.join("\n").as_bytes()).as_ref()),
            md5: Sorted::of(self.md5),
            sha1: Sorted::of(self.sha1),
            sha256: Sorted::of(self.sha256),
            labels: self.labels,
            lists: self.lists,
        }
    }

    /// The list of known good hashes; only SHA-256 counts, since two files of one MD5 or SHA-1 can be made.
    #[must_use]
    pub fn finish_allow(self) -> Allowed {
        Allowed {
            sha256: Sorted::of(self.sha256),
            ignored: self.md5.len() + self.sha1.len(),
            lists: self.lists,
        }
    }
}

/// Hashes of known harmful bytes.
pub struct Hashes {
    md5: Sorted,
    sha1: Sorted,
    sha256: Sorted,
    labels: Vec<Box<str>>,
    lists: Vec<ListSummary>,
    state: String,
}

impl Hashes {
    /// What was read.
    #[must_use]
    pub fn lists(&self) -> &[ListSummary] {
        &self.lists
    }

    /// How many hashes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.md5.keys.len() + self.sha1.keys.len() + self.sha256.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Engine for Hashes {
    fn name(&self) -> &'static str {
        "hashes"
    }

    fn look(&self, part: &Look<'_>, _: &Deadline) -> Result<Vec<Hit>, EngineError> {
        let sets = [
            (Algorithm::Sha256, &self.sha256),
            (Algorithm::Sha1, &self.sha1),
            (Algorithm::Md5, &self.md5),
        ];
        let mut hits = Vec::new();
        for (algorithm, set) in sets {
            if set.keys.is_empty() {
                continue;
            }
            let key = algorithm.key(part.bytes, part.sha256);
            if let Some(label) = set.find(&key, part.bytes.len() as u64) {
                let label = (label as usize).checked_sub(1);
                let label = label.and_then(|at| self.labels.get(at));
                hits.push(Hit {
                    rule: format!("{}:{}", algorithm.code(), hex(&key)),
                    description: label.map_or_else(String::new, |label| label.to_string()),
                    severity: Severity::Critical,
                    kind: FindingKind::Hash,
                });
            }
        }
        Ok(hits)
    }

    fn state(&self) -> String {
        self.state.clone()
    }
}

/// Hashes of bytes that a person knows to be good: no finding about such a part is told.
pub struct Allowed {
    sha256: Sorted,
    ignored: usize,
    lists: Vec<ListSummary>,
}

impl Allowed {
    /// Whether the bytes with this SHA-256 are known to be good.
    #[must_use]
    pub fn holds(&self, sha256: &[u8; 32]) -> bool {
        self.sha256.find(&first16(sha256), 0).is_some()
    }

    /// How many MD5 and SHA-1 were read and do not count.
    #[must_use]
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    /// What was read.
    #[must_use]
    pub fn lists(&self) -> &[ListSummary] {
        &self.lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_hash_and_its_size() {
        let entries: Vec<Entry> = (0..5_000_u32)
            .map(|n| Entry {
                key: first16(digest(&SHA256, &n.to_le_bytes()).as_ref()),
                size: u64::from(n % 3),
                label: n % 2,
            })
            .collect();
        let sorted = Sorted::of(entries.clone());
        for entry in &entries {
            let size = if entry.size == 0 { 77 } else { entry.size };
            assert_eq!(sorted.find(&entry.key, size), Some(entry.label));
            if entry.size != 0 {
                assert_eq!(sorted.find(&entry.key, 77), None);
            }
            let mut other = entry.key;
            other[15] ^= 1;
            assert_eq!(sorted.find(&other, size), None);
        }
        assert_eq!(Sorted::of(Vec::new()).find(&[0; 16], 1), None);
        assert_eq!(Sorted::of(Vec::new()).find(&[0xff; 16], 1), None);
    }
}
