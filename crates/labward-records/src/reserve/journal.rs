//! The reserve's file: sealed readings one behind the other in room that was set aside.
//!
//! | Offset | Bytes | Holds |
//! |---|---|---|
//! | 0 | 8 | `LBRESRV1` |
//! | 8 | 8 | number, big-endian: one more than that of the reading before, never used again |
//! | 16 | 4 | length n of what is sealed, big-endian |
//! | 20 | n | the sealed reading |
//! | 20 + n | 32 | SHA-256 of all before it |
//!
//! Each begins at a page of 4,096 bytes of its own, so that one that was torn while it was written
//! harms none before it. Where nothing stands there are zeros.
//!
//! It must never make the file longer, answer before the bytes are synced, or take what is left of
//! a torn or older reading for a good one.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use labward_seal::sha256;

/// Bytes of a page.
pub(super) const PAGE: u64 = 4096;
/// The longest sealed reading: many times a reason of 1,000 characters and 100 patients.
const SEALED_MAX_BYTES: usize = 64 * 1024;
/// So many pages of zeros in a row are the end: 4 MiB.
const BLANK_PAGES: u64 = 1024;

const MAGIC: &[u8; 8] = b"LBRESRV1";
const HEADER: usize = 20;
const DIGEST: usize = 32;

/// The open file, and where the next reading goes.
pub(super) struct Journal {
    file: File,
    size: u64,
    end: u64,
    last: u64,
    waiting: u64,
}

/// What stands in the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Number and sealed bytes of each reading that was not merged yet, in order.
    pub(super) readings: Vec<(u64, Vec<u8>)>,
    /// Readings that a gap in the numbers shows to be lost.
    pub(super) missing: u64,
    /// Places that hold neither a reading nor zeros: writing broke off there, or it was changed.
    pub(super) unfinished: u64,
    /// Behind the last byte that is not zero, in whole pages.
    end: u64,
    /// The last number that was used.
    last: u64,
}

/// Why a reading was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum AppendError {
    #[error("write into the reserve: it is full")]
    Full,
    #[error("write into the reserve")]
    Io(#[from] io::Error),
}

impl Journal {
    /// Opens the file and looks where its readings end; those up to the number `merged` are in the
    /// ledger already.
    pub(super) fn open(path: &Path, merged: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let size = file.metadata()?.len() / PAGE * PAGE;
        let mut journal = Self {
            file,
            size,
            end: 0,
            last: merged,
            waiting: 0,
        };
        let found = journal.scan(merged)?;
        (journal.end, journal.last) = (found.end, found.last);
        journal.waiting = found.readings.len().try_into().unwrap_or(u64::MAX);
        Ok(journal)
    }

    /// The number of the next reading.
    pub(super) const fn next(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Readings that wait to be merged.
    pub(super) const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Bytes of the whole file, and of them those in use.
    pub(super) const fn room(&self) -> (u64, u64) {
        (self.size, self.end)
    }

    /// Whether the disk gave all the room that the file's length promises.
    pub(super) fn is_set_aside(&self) -> bool {
        let facts = self.file.metadata();
        facts.is_ok_and(|facts| facts.blocks().saturating_mul(512) >= self.size)
    }

    /// Writes the reading with the number [`Journal::next`]; durable when it returns.
    ///
    /// After an error the same number is given again, over what was written of it.
    pub(super) fn append(&mut self, sealed: &[u8]) -> Result<u64, AppendError> {
        let number = self.next();
        let bytes = encode(number, sealed).ok_or(AppendError::Full)?;
        let length = u64::try_from(bytes.len()).map_err(|_| AppendError::Full)?;
        let end = self.end.checked_add(length).ok_or(AppendError::Full)?;
        if end > self.size {
            return Err(AppendError::Full);
        }
        self.file.write_all_at(&bytes, self.end)?;
        self.file.sync_data()?;
        (self.end, self.last) = (end, number);
        self.waiting += 1;
        Ok(number)
    }

    /// Everything in the file behind the number `merged`.
    pub(super) fn scan(&self, merged: u64) -> io::Result<Found> {
        let mut found = Found {
            last: merged,
            ..Found::default()
        };
        let (mut at, mut blank, mut in_unfinished) = (0, 0, false);
        while at < self.size && blank < BLANK_PAGES {
            let page = self.read(at, usize::try_from(PAGE).unwrap_or_default())?;
            if let Some((number, sealed, pages)) = self.reading_at(at, &page)? {
                at += pages * PAGE;
                (found.end, blank, in_unfinished) = (at, 0, false);
                // A smaller number was merged before a crash kept it from being wiped.
                if let Some(gap) = number.checked_sub(found.last.saturating_add(1)) {
                    found.missing += gap;
                    found.last = number;
                    found.readings.push((number, sealed));
                }
                continue;
            }
            at += PAGE;
            if page.iter().all(|byte| *byte == 0) {
                (blank, in_unfinished) = (blank + 1, false);
            } else {
                found.unfinished += u64::from(!in_unfinished);
                (found.end, blank, in_unfinished) = (at, 0, true);
            }
        }
        Ok(found)
    }

    /// Writes zeros over everything, once it is in the ledger; the numbers go on.
    pub(super) fn wipe(&mut self) -> io::Result<()> {
        self.waiting = 0;
        let zeros = vec![0; usize::try_from(PAGE).unwrap_or_default()];
        // From the end, so that what a crash leaves are whole readings that were merged.
        let mut at = self.end;
        while at > 0 {
            at -= PAGE;
            self.file.write_all_at(&zeros, at)?;
        }
        self.file.sync_data()?;
        self.end = 0;
        Ok(())
    }

    fn reading_at(&self, at: u64, page: &[u8]) -> io::Result<Option<(u64, Vec<u8>, u64)>> {
        let Some(length) = total_length(page) else {
            return Ok(None);
        };
        let pages = u64::try_from(length).unwrap_or(u64::MAX).div_ceil(PAGE);
        if at + pages * PAGE > self.size {
            return Ok(None);
        }
        let bytes = self.read(at, length)?;
        Ok(decode(&bytes).map(|(number, sealed)| (number, sealed.to_vec(), pages)))
    }

    fn read(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

/// A reading as it stands in the file, in whole pages; `None` if it is too long.
fn encode(number: u64, sealed: &[u8]) -> Option<Vec<u8>> {
    if sealed.len() > SEALED_MAX_BYTES {
        return None;
    }
    let mut bytes = Vec::with_capacity(HEADER + sealed.len() + DIGEST);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&u32::try_from(sealed.len()).ok()?.to_be_bytes());
    bytes.extend_from_slice(sealed);
    let digest = sha256(&bytes);
    bytes.extend_from_slice(&digest);
    let page = usize::try_from(PAGE).ok()?;
    bytes.resize(bytes.len().next_multiple_of(page), 0);
    Some(bytes)
}

/// How long the reading that begins here says it is, without its padding.
fn total_length(page: &[u8]) -> Option<usize> {
    let rest = page.strip_prefix(MAGIC)?;
    let (_, rest) = rest.split_first_chunk::<8>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    (length <= SEALED_MAX_BYTES).then_some(HEADER + length + DIGEST)
}

/// Number and sealed bytes, if every byte is as it was written.
fn decode(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (before, digest) = bytes.split_last_chunk::<DIGEST>()?;
    if sha256(before) != *digest {
        return None;
    }
    let rest = before.strip_prefix(MAGIC)?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (_, sealed) = rest.split_first_chunk::<4>()?;
    Some((u64::from_be_bytes(*number), sealed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::{Random, TempDir};
    use std::fs;
    use std::path::PathBuf;

    const SECTOR: usize = 512;

    fn reserve(pages: u64) -> (TempDir, PathBuf) {
        let folder = TempDir::new();
        let path = folder.join("reserve");
        labward_os::set_aside(&path, pages * PAGE).unwrap();
        (folder, path)
    }

    fn sealed(number: u64, length: usize) -> Vec<u8> {
        let mut random = Random::new(number);
        (0..length)
            .map(|_| random.next_u64().to_be_bytes()[0] | 1)
            .collect()
    }

    /// A journal with readings of these lengths, numbered from `first` on.
    fn filled(path: &Path, first: u64, lengths: &[usize]) -> Journal {
        let mut journal = Journal::open(path, first - 1).unwrap();
        for length in lengths {
            let bytes = sealed(journal.next(), *length);
            journal.append(&bytes).unwrap();
        }
        journal
    }

    fn numbers(found: &Found) -> Vec<u64> {
        found.readings.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn readings_are_found_again_in_order_and_the_file_does_not_grow() {
        let (_folder, path) = reserve(8);
        let journal = filled(&path, 1, &[10, 5_000, 4_044]);
        assert_eq!(journal.room(), (8 * PAGE, 4 * PAGE));
        assert!(journal.is_set_aside());
        let again = Journal::open(&path, 0).unwrap();
        let found = again.scan(0).unwrap();
        assert_eq!((again.next(), again.waiting()), (4, 3));
        for (number, bytes) in &found.readings {
            assert_eq!(*bytes, sealed(*number, bytes.len()));
        }
        assert_eq!((numbers(&found), found.missing), (vec![1, 2, 3], 0));
        assert_eq!(numbers(&again.scan(2).unwrap()), [3], "two were merged");
        assert_eq!(fs::metadata(&path).unwrap().len(), 8 * PAGE);
    }

    #[test]
    fn a_full_reserve_takes_nothing_more_and_keeps_what_it_has() {
        let (_folder, path) = reserve(3);
        let mut journal = filled(&path, 1, &[10, 10]);
        let too_long = journal.append(&sealed(3, 5_000));
        assert!(matches!(too_long, Err(AppendError::Full)));
        assert_eq!(journal.append(&sealed(3, 10)).unwrap(), 3);
        assert!(matches!(journal.append(&[1]), Err(AppendError::Full)));
        assert!(matches!(
            journal.append(&vec![1; SEALED_MAX_BYTES + 1]),
            Err(AppendError::Full)
        ));
        let again = Journal::open(&path, 0).unwrap();
        assert_eq!(numbers(&again.scan(0).unwrap()), [1, 2, 3]);
    }

    #[test]
    fn what_was_wiped_is_gone_from_the_disk_and_the_numbers_go_on() {
        let (_folder, path) = reserve(8);
        let mut journal = filled(&path, 1, &[10, 5_000]);
        journal.wipe().unwrap();
        assert!(fs::read(&path).unwrap().iter().all(|byte| *byte == 0));
        assert_eq!((journal.next(), journal.room().1), (3, 0));
        assert_eq!(journal.append(b"next").unwrap(), 3);
        let again = Journal::open(&path, 2).unwrap();
        assert_eq!((again.next(), again.waiting()), (4, 1));
    }

    #[test]
    fn merged_readings_that_a_crash_left_are_not_taken_again() {
        let (_folder, path) = reserve(8);
        drop(filled(&path, 1, &[10, 5_000]));
        let mut journal = Journal::open(&path, 2).unwrap();
        assert_eq!((journal.waiting(), journal.next()), (0, 3));
        journal.append(b"next").unwrap();
        let found = Journal::open(&path, 2).unwrap().scan(2).unwrap();
        assert_eq!((numbers(&found), found.missing), (vec![3], 0));
        assert_eq!(found.unfinished, 0);
    }

    /// Whatever part of a write reached the disk, sector by sector: the readings before it stand,
    /// and it is there whole or not at all.
    #[test]
    fn a_torn_reading_harms_none_before_it_and_is_never_half_there() {
        let mut random = Random::new(4);
        for round in 0..400 {
            let (_folder, path) = reserve(8);
            let mut journal = filled(&path, 1, &[10, 5_000]);
            let before = fs::read(&path).unwrap();
            journal.append(&sealed(3, 5_000)).unwrap();
            let after = fs::read(&path).unwrap();
            let torn: Vec<u8> = before
                .chunks(SECTOR)
                .zip(after.chunks(SECTOR))
                .flat_map(|(old, new)| if random.coin() { old } else { new })
                .copied()
                .collect();
            fs::write(&path, &torn).unwrap();
            let mut again = Journal::open(&path, 0).unwrap();
            let found = again.scan(0).unwrap();
            let whole = torn == after;
            let expected: &[u64] = if whole { &[1, 2, 3] } else { &[1, 2] };
            assert_eq!(numbers(&found), expected, "round {round}");
            assert_eq!(found.missing, 0);
            assert_eq!(found.unfinished, u64::from(torn != before && !whole));
            // It goes on behind the place, and both ends are found.
            let next = again.next();
            again.append(&sealed(next, 10)).unwrap();
            let found = Journal::open(&path, 0).unwrap().scan(0).unwrap();
            assert_eq!(found.readings.last().unwrap().0, next);
            assert_eq!(found.missing, 0);
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed_and_the_other_readings_stand() {
        let (_folder, path) = reserve(8);
        drop(filled(&path, 1, &[100, 5_000, 100]));
        let good = fs::read(&path).unwrap();
        let used: [(usize, usize, u64); 3] = [(0, 152, 1), (4_096, 5_052, 2), (12_288, 152, 3)];
        for (start, length, number) in used {
            for byte in (start..start + length).step_by(7) {
                let mut bad = good.clone();
                bad[byte] ^= 0x10;
                fs::write(&path, &bad).unwrap();
                let found = Journal::open(&path, 0).unwrap().scan(0).unwrap();
                let others: Vec<u64> = (1..=3).filter(|other| *other != number).collect();
                assert_eq!(numbers(&found), others, "byte {byte}");
                let gap = u64::from(number < 3);
                assert_eq!((found.missing, found.unfinished), (gap, 1), "byte {byte}");
            }
        }
    }

    #[test]
    fn a_file_that_is_too_short_or_not_there_is_no_reserve() {
        let folder = TempDir::new();
        assert!(Journal::open(&folder.join("none"), 0).is_err());
        let path = folder.join("short");
        fs::write(&path, [0; 100]).unwrap();
        let mut journal = Journal::open(&path, 0).unwrap();
        assert!(matches!(journal.append(b"x"), Err(AppendError::Full)));
    }
}
