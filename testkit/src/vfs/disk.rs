//! What a disk would hold after the power failed: a model in memory, without any file.
//!
//! It must never count a byte or a folder entry as kept before it was synced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Survivors;
use crate::Random;

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// All files that were ever opened through the layer.
#[derive(Default)]
pub(super) struct Disk {
    files: BTreeMap<PathBuf, DiskFile>,
    /// Deleted files whose folder was not synced since: they may come back.
    ghosts: BTreeMap<PathBuf, DiskFile>,
}

/// One file, as programs see it and as the disk holds it.
#[derive(Clone, Default)]
struct DiskFile {
    current: Vec<u8>,
    synced: Vec<u8>,
    /// Sectors in which the two may differ.
    dirty: BTreeSet<usize>,
    entry_synced: bool,
}

/// The files of a disk at the moment of a power cut, by name.
pub(super) struct Frozen(Vec<(PathBuf, Vec<u8>)>);

impl Disk {
    /// Whether the file is known already.
    pub(super) fn knows(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// Takes up a file that was on the disk before, or that is new.
    pub(super) fn open(&mut self, path: &Path, content: Vec<u8>, existed: bool) {
        let file = DiskFile {
            current: content.clone(),
            synced: content,
            dirty: BTreeSet::new(),
            entry_synced: existed,
        };
        self.files.entry(path.to_owned()).or_insert(file);
    }

    pub(super) fn write(&mut self, path: &Path, offset: usize, bytes: &[u8]) {
        let Some(file) = self.files.get_mut(path) else {
            return;
        };
        let end = offset.saturating_add(bytes.len());
        if file.current.len() < end {
            file.current.resize(end, 0);
        }
        if let Some(place) = file.current.get_mut(offset..end) {
            place.copy_from_slice(bytes);
        }
        file.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    pub(super) fn truncate(&mut self, path: &Path, len: usize) {
        let Some(file) = self.files.get_mut(path) else {
            return;
        };
        let kept = file.current.len().min(len);
        file.current.resize(len, 0);
        // From the last kept sector on, the file reads as zeros if it grows again.
        file.dirty.extend(kept / SECTOR..=len / SECTOR);
    }

    /// Syncs a file and, if `with_folder`, the entries of its folder.
    pub(super) fn sync(&mut self, path: &Path, with_folder: bool) {
        let Some(file) = self.files.get_mut(path) else {
            return;
        };
        file.synced.clone_from(&file.current);
        file.dirty.clear();
        let entry_synced = file.entry_synced;
        if with_folder && !entry_synced {
            self.sync_folder(path.parent());
        }
    }

    pub(super) fn delete(&mut self, path: &Path, with_folder: bool) {
        if let Some(file) = self.files.remove(path)
            && file.entry_synced
        {
            self.ghosts.insert(path.to_owned(), file);
        }
        if with_folder {
            self.sync_folder(path.parent());
        }
    }

    /// What the disk holds if the power fails now.
    pub(super) fn freeze(&self, survivors: Survivors) -> Frozen {
        let mut random = match survivors {
            Survivors::None => None,
            Survivors::Some(seed) => Some(Random::new(seed)),
        };
        let mut kept = BTreeMap::new();
        for (path, ghost) in &self.ghosts {
            if random.as_mut().is_none_or(Random::coin) {
                kept.insert(path.clone(), ghost.after_cut(random.as_mut()));
            }
        }
        for (path, file) in &self.files {
            if file.entry_synced || random.as_mut().is_some_and(Random::coin) {
                kept.insert(path.clone(), file.after_cut(random.as_mut()));
            }
        }
        Frozen(kept.into_iter().collect())
    }

    fn sync_folder(&mut self, folder: Option<&Path>) {
        self.ghosts.retain(|path, _| path.parent() != folder);
        for (path, file) in &mut self.files {
            file.entry_synced |= path.parent() == folder;
        }
    }
}

impl DiskFile {
    /// The synced bytes, with the part of the rest that `random` lets through.
    fn after_cut(&self, random: Option<&mut Random>) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        let Some(random) = random else {
            return bytes;
        };
        if self.current.len() < bytes.len() && random.coin() {
            bytes.truncate(self.current.len());
        }
        for sector in &self.dirty {
            let start = sector * SECTOR;
            let end = (start + SECTOR).min(self.current.len());
            let Some(new) = self.current.get(start..end) else {
                continue;
            };
            if new.is_empty() || random.coin() {
                continue;
            }
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            if let Some(place) = bytes.get_mut(start..end) {
                place.copy_from_slice(new);
            }
        }
        bytes
    }
}

impl Frozen {
    /// Writes the files of the folder `of` into the folder `into`.
    pub(super) fn write_into(&self, of: &Path, into: &Path) -> io::Result<()> {
        // The engine names files by their real paths.
        let of = fs::canonicalize(of)?;
        for (path, bytes) in &self.0 {
            if let (Some(folder), Some(name)) = (path.parent(), path.file_name())
                && folder == of
            {
                fs::write(into.join(name), bytes)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/folder/file";

    fn check(steps: impl Fn(&mut Disk), expect: Option<&[u8]>) {
        let mut disk = Disk::default();
        disk.open(Path::new(FILE), b"old".to_vec(), true);
        steps(&mut disk);
        assert_eq!(content(&disk.freeze(Survivors::None), FILE), expect);
    }

    fn content<'a>(frozen: &'a Frozen, path: &str) -> Option<&'a [u8]> {
        let found = frozen.0.iter().find(|(kept, _)| kept == Path::new(path));
        found.map(|(_, bytes)| bytes.as_slice())
    }

    #[test]
    fn only_a_sync_makes_a_write_or_a_truncation_last() {
        let file = Path::new(FILE);
        check(|disk| disk.write(file, 0, b"new"), Some(b"old"));
        check(|disk| disk.truncate(file, 1), Some(b"old"));
        let written = |disk: &mut Disk| {
            disk.write(file, 4, b"new");
            disk.sync(file, false);
        };
        check(written, Some(b"old\0new"));
    }

    #[test]
    fn a_deleted_file_comes_back_and_a_new_one_is_gone_until_the_folder_is_synced() {
        let (file, log) = (Path::new(FILE), Path::new("/folder/log"));
        check(|disk| disk.delete(file, false), Some(b"old"));
        check(|disk| disk.delete(file, true), None);
        let mut disk = Disk::default();
        disk.open(log, Vec::new(), false);
        disk.write(log, 0, b"new");
        disk.sync(log, false);
        assert_eq!(content(&disk.freeze(Survivors::None), "/folder/log"), None);
        disk.sync(log, true);
        let frozen = disk.freeze(Survivors::None);
        assert_eq!(content(&frozen, "/folder/log"), Some(&b"new"[..]));
    }

    #[test]
    fn a_page_of_the_unsynced_tail_is_torn_between_its_sectors() {
        const PAGE: usize = 8192;
        let file = Path::new(FILE);
        let mut disk = Disk::default();
        disk.open(file, vec![0; 4 * PAGE], true);
        disk.write(file, 0, &[1; 2 * PAGE]);
        disk.sync(file, false);
        disk.write(file, PAGE, &[2; 2 * PAGE]);
        let frozen = disk.freeze(Survivors::Some(3));
        let bytes = content(&frozen, FILE).unwrap();
        assert!(bytes[..PAGE].iter().all(|byte| *byte == 1), "it was synced");
        for (page, old) in [(1, 1), (2, 0)] {
            let torn = &bytes[page * PAGE..(page + 1) * PAGE];
            assert!(
                torn.contains(&old) && torn.contains(&2),
                "page {page} is whole"
            );
        }
    }

    #[test]
    fn a_seed_lets_part_of_the_unsynced_sectors_through_and_repeats_it() {
        let file = Path::new(FILE);
        let mut disk = Disk::default();
        disk.open(file, vec![0; 64 * SECTOR], true);
        disk.write(file, 0, &[1; 64 * SECTOR]);
        let sectors = |seed| {
            let frozen = disk.freeze(Survivors::Some(seed));
            let bytes = content(&frozen, FILE).unwrap().to_vec();
            let whole = |sector: &[u8]| sector.iter().all(|byte| byte == &sector[0]);
            assert!(bytes.chunks(SECTOR).all(whole), "a sector is torn");
            bytes.chunks(SECTOR).filter(|sector| sector[0] == 1).count()
        };
        assert_eq!(sectors(7), sectors(7));
        assert!((1..64).contains(&sectors(7)));
    }
}
