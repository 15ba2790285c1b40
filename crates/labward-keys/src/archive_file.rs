//! The file of a key archive: written whole, believed only when a slot has opened it.
//!
//! `labward key archive 1`, a line of JSON (site, number, times, state of the root key, slots), the
//! wrapped keys of 57 bytes each (`scope 1 ‖ owner 8 ‖ epoch 4 ‖ generation 4 ‖ wrapped 40`,
//! big-endian; generation 0: destroyed), and 32 bytes of HMAC-SHA256 over all before under
//! `HKDF-Expand(root key, "labward/key-archive1")`. It holds no key in clear. It must never be
//! trusted before that HMAC fits, and reading it is total.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_base::Timestamp;
use labward_base::id::{PatientId, SiteId, SlotId};
use labward_seal::primitive::hkdf_sha256_expand;
use labward_seal::{
    CryptoFailed, KEY_BYTES, RootKey, Scope, SealKey, constant_time_eq, hmac_sha256, unwrap_key,
};
use labward_store::Tx;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::archive::{ArchiveError, ArchiveInfo};
use crate::open::{Open, Root, context};
use crate::rotation::old_root_row;
use crate::slot::{Given, Params, Slot};
use crate::store::{self, RootState, WrappedRow};
use crate::{KeysError, SlotOpener};

const FORMAT: &str = "labward key archive ";
const VERSION: &str = "1";
const LABEL: &[u8] = b"labward/key-archive1";
const ENDING: &str = "labward-keys";
const ROW_BYTES: usize = 57;
const MAC_BYTES: usize = 32;
/// A million patients are 57 MB; more than this is no archive.
const MAX_BYTES: u64 = 4 << 30;

/// What an archive is made of.
pub(crate) struct Contents {
    pub(crate) site: SiteId,
    pub(crate) id: u32,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) state: RootState,
    pub(crate) slots: Vec<Slot>,
    pub(crate) rows: Vec<WrappedRow>,
    pub(crate) root: Arc<Root>,
}

/// An archive that a slot has opened: everything in it fits the root key.
pub struct OpenArchive {
    info: ArchiveInfo,
    site: SiteId,
    state: RootState,
    slots: Vec<Slot>,
    rows: Vec<WrappedRow>,
    open: Open,
}

/// What an archive brought into a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchivePut {
    /// Keys that were put in, destroyed ones too.
    pub keys: u64,
    /// Keys of patients whom the database does not know, left out.
    pub left_out: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    site: u32,
    id: u32,
    created_us: i64,
    expires_us: i64,
    generation: u32,
    next_slot: u32,
    old_generation: Option<u32>,
    old_wrapped: Option<Vec<u8>>,
    slots: Vec<HeadSlot>,
    keys: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadSlot {
    id: u32,
    label: String,
    public: Vec<u8>,
    private: Option<Vec<u8>>,
    params: Params,
    wrapped_root: Vec<u8>,
    endorsement: [u8; 32],
    generation: u32,
    created_us: i64,
    last_tested_us: Option<i64>,
}

/// The file of the archive with this number.
pub(crate) fn path_of(folder: &Path, id: u32) -> PathBuf {
    folder.join(format!("{id:06}.{ENDING}"))
}

/// The archives in `folder`, by number; none if there is no such folder.
pub(crate) fn list(folder: &Path) -> Result<Vec<(u32, PathBuf)>, ArchiveError> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(ArchiveError::file(folder)(error)),
    };
    for entry in entries {
        let path = entry.map_err(ArchiveError::file(folder))?.path();
        let id = path.file_name().and_then(|name| {
            name.to_str()?
                .strip_suffix(ENDING)?
                .strip_suffix('.')?
                .parse()
                .ok()
        });
        if let Some(id) = id {
            found.push((id, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// What the archives in `folder` say of themselves, the newest first; unreadable ones are left out.
///
/// # Errors
/// [`ArchiveError::File`] if the folder cannot be read.
pub fn archives_in(folder: &Path) -> Result<Vec<ArchiveInfo>, ArchiveError> {
    let mut found: Vec<ArchiveInfo> = list(folder)?
        .into_iter()
        .filter_map(|(_, path)| {
            let bytes = read(&path).ok()?;
            let (head, _) = split(&path, &bytes).ok()?;
            Some(head.info(folder))
        })
        .collect();
    found.sort_by_key(|info| std::cmp::Reverse(info.id));
    Ok(found)
}

/// Opens the newest archive in `folder`, or the archive `folder` itself if it is a file, with a slot
/// that it holds.
///
/// # Errors
/// [`ArchiveError::Missing`], [`ArchiveError::Newer`], [`ArchiveError::Damaged`]; what the slot
/// reports ([`KeysError::Wrong`] and its kin).
pub fn open_archive(folder: &Path, opener: &SlotOpener) -> Result<OpenArchive, ArchiveError> {
    let path = match folder.is_file() {
        true => folder.to_owned(),
        false => list(folder)?
            .pop()
            .map(|(_, path)| path)
            .ok_or_else(|| ArchiveError::Missing(folder.to_owned()))?,
    };
    let bytes = read(&path)?;
    let (head, rows) = split(&path, &bytes)?;
    let site = SiteId::new(head.site);
    let slots: Vec<Slot> = head.slots.iter().map(HeadSlot::slot).collect();
    let root = root_by(site, &slots, opener)?;
    let damaged = |what| ArchiveError::Damaged {
        path: path.clone(),
        what,
    };
    let (signed, mac) = bytes
        .split_last_chunk::<MAC_BYTES>()
        .ok_or_else(|| damaged("it is cut short"))?;
    if !constant_time_eq(&mac_of(&root, signed).map_err(KeysError::from)?, mac) {
        return Err(damaged("it was changed, or put together from two"));
    }
    for slot in &slots {
        slot.check_endorsed(site, &root)?;
    }
    let info = head.info(path.parent().unwrap_or(folder));
    let state = head.state();
    let mut open = Open::new(site, state.generation, Root::new(root.clone()));
    if let Some((generation, wrapped)) = &state.old {
        let row = old_root_row(*generation);
        let key = unwrap_key(&root, &context(site, &row), wrapped)
            .map_err(|_| KeysError::damaged("the root key before the rotation"))?;
        let old = Root::new(RootKey::from_bytes(*key.expose()));
        open.old = Some((*generation, Arc::new(old)));
    }
    open.fill(&mut rows.iter().copied())?;
    Ok(OpenArchive {
        info,
        site,
        state,
        slots,
        rows,
        open,
    })
}

impl OpenArchive {
    /// What it says of itself.
    pub const fn info(&self) -> &ArchiveInfo {
        &self.info
    }

    /// Whose keys they are.
    pub const fn site(&self) -> SiteId {
        self.site
    }

    /// The site's secret key, from which a backup's keys come, and its epoch.
    ///
    /// # Errors
    /// [`KeysError::Damaged`].
    pub fn secret_key(&self) -> Result<(Arc<SealKey>, u32), KeysError> {
        self.open.site_key(Scope::Secret)
    }

    /// Whether it says anything of this patient's key, even that it was destroyed.
    pub fn knows(&self, patient: PatientId) -> bool {
        let place = (Scope::Patient, patient.get());
        self.rows
            .binary_search_by_key(&place, |row| (row.scope, row.owner))
            .is_ok()
    }

    /// The patients whose keys were destroyed.
    pub fn destroyed(&self) -> Vec<PatientId> {
        let gone = |row: &&WrappedRow| row.scope == Scope::Patient && row.wrapped.is_none();
        self.rows
            .iter()
            .filter(gone)
            .map(|row| PatientId::new(row.owner))
            .collect()
    }

    /// Puts slots and keys into a database that has none. Keys of patients above
    /// `highest_patient` are left out: the database will give these numbers to other people.
    ///
    /// # Errors
    /// [`KeysError::Exists`] if there are keys already.
    pub fn put(&self, tx: &mut Tx<'_>, highest_patient: u64) -> Result<ArchivePut, KeysError> {
        let site = self.site;
        if store::root_state(tx, site)?.is_some() {
            return Err(KeysError::Exists);
        }
        store::insert_root_state(tx, site, self.state.next_slot)?;
        let old = self.state.old.as_ref();
        let old = old.map(|(generation, wrapped)| (*generation, wrapped.as_slice()));
        store::set_root_state(tx, site, self.state.generation, old)?;
        for slot in &self.slots {
            store::insert_slot(tx, site, slot)?;
        }
        let mut put = ArchivePut::default();
        for row in &self.rows {
            if row.scope == Scope::Patient && row.owner > highest_patient {
                put.left_out += 1;
                continue;
            }
            if !store::insert_wrapped(tx, site, row)? {
                return Err(KeysError::Exists);
            }
            put.keys += 1;
        }
        Ok(put)
    }
}

impl Contents {
    /// The whole file.
    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
        let old = self.state.old.as_ref();
        let head = Head {
            site: self.site.get(),
            id: self.id,
            created_us: self.created.as_micros(),
            expires_us: self.expires.as_micros(),
            generation: self.state.generation,
            next_slot: self.state.next_slot,
            old_generation: old.map(|(generation, _)| *generation),
            old_wrapped: old.map(|(_, wrapped)| wrapped.clone()),
            slots: self.slots.iter().map(HeadSlot::of).collect(),
            keys: u64::try_from(self.rows.len()).unwrap_or(u64::MAX),
        };
        let json = serde_json::to_string(&head).map_err(|_| KeysError::BadSlot {
            why: "the key file's path is not UTF-8",
        })?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(
            json.len() + self.rows.len() * ROW_BYTES + 128,
        ));
        bytes.extend_from_slice(format!("{FORMAT}{VERSION}\n{json}\n").as_bytes());
        for row in &self.rows {
            push_row(&mut bytes, row);
        }
        let mac = mac_of(&self.root, &bytes).map_err(KeysError::from)?;
        bytes.extend_from_slice(&mac);
        Ok(bytes)
    }
}

impl Head {
    fn info(&self, folder: &Path) -> ArchiveInfo {
        ArchiveInfo {
            id: self.id,
            folder: folder.to_owned(),
            created: Timestamp::from_micros(self.created_us),
            expires: Timestamp::from_micros(self.expires_us),
            may_exist: true,
        }
    }

    fn state(&self) -> RootState {
        RootState {
            generation: self.generation,
            next_slot: self.next_slot,
            old: self.old_generation.zip(self.old_wrapped.clone()),
        }
    }
}

impl HeadSlot {
    fn of(slot: &Slot) -> Self {
        Self {
            id: slot.id.get(),
            label: slot.label.clone(),
            public: slot.public.clone(),
            private: slot.private.clone(),
            params: slot.params.clone(),
            wrapped_root: slot.wrapped_root.clone(),
            endorsement: slot.endorsement,
            generation: slot.generation,
            created_us: slot.created.as_micros(),
            last_tested_us: slot.last_tested.map(Timestamp::as_micros),
        }
    }

    fn slot(&self) -> Slot {
        Slot {
            id: SlotId::new(self.id),
            label: self.label.clone(),
            public: self.public.clone(),
            private: self.private.clone(),
            params: self.params.clone(),
            wrapped_root: self.wrapped_root.clone(),
            endorsement: self.endorsement,
            generation: self.generation,
            created: Timestamp::from_micros(self.created_us),
            last_tested: self.last_tested_us.map(Timestamp::from_micros),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ArchiveError> {
    let size = fs::metadata(path).map_err(ArchiveError::file(path))?.len();
    if size > MAX_BYTES {
        return Err(ArchiveError::Damaged {
            path: path.to_owned(),
            what: "it is too large",
        });
    }
    fs::read(path).map_err(ArchiveError::file(path))
}

/// Head and rows, of which nothing is verified yet.
fn split(path: &Path, bytes: &[u8]) -> Result<(Head, Vec<WrappedRow>), ArchiveError> {
    let damaged = |what| ArchiveError::Damaged {
        path: path.to_owned(),
        what,
    };
    let rest = bytes
        .strip_prefix(FORMAT.as_bytes())
        .ok_or_else(|| damaged("it does not begin as a key archive"))?;
    let (version, rest) = line(rest).ok_or_else(|| damaged("it is cut short"))?;
    if version != VERSION.as_bytes() {
        let digits = !version.is_empty() && version.iter().all(u8::is_ascii_digit);
        return Err(match digits {
            true => ArchiveError::Newer(path.to_owned()),
            false => damaged("its version is not a number"),
        });
    }
    let (json, rest) = line(rest).ok_or_else(|| damaged("it is cut short"))?;
    let head: Head = serde_json::from_slice(json).map_err(|_| damaged("its head is not whole"))?;
    let rows = rest
        .len()
        .checked_sub(MAC_BYTES)
        .and_then(|end| rest.get(..end))
        .ok_or_else(|| damaged("it is cut short"))?;
    let (rows, cut) = rows.as_chunks::<ROW_BYTES>();
    if !cut.is_empty() || u64::try_from(rows.len()) != Ok(head.keys) {
        return Err(damaged("it is cut short, or has a key too many"));
    }
    let rows: Option<Vec<_>> = rows.iter().map(row).collect();
    Ok((
        head,
        rows.ok_or_else(|| damaged("a key's place is no place"))?,
    ))
}

fn push_row(bytes: &mut Vec<u8>, row: &WrappedRow) {
    bytes.push(row.scope.number());
    bytes.extend_from_slice(&row.owner.to_be_bytes());
    bytes.extend_from_slice(&row.epoch.to_be_bytes());
    let generation = row.wrapped.map_or(0, |_| row.generation);
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(&row.wrapped.unwrap_or([0; 40]));
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

fn row(bytes: &[u8; ROW_BYTES]) -> Option<WrappedRow> {
    let (scope, rest) = bytes.split_first_chunk::<1>()?;
    let (owner, rest) = rest.split_first_chunk::<8>()?;
    let (epoch, rest) = rest.split_first_chunk::<4>()?;
    let (generation, rest) = rest.split_first_chunk::<4>()?;
    let wrapped: [u8; 40] = rest.try_into().ok()?;
    let [scope] = *scope;
    let generation = u32::from_be_bytes(*generation);
    Some(WrappedRow {
        scope: Scope::from_number(scope)?,
        owner: u64::from_be_bytes(*owner),
        epoch: u32::from_be_bytes(*epoch),
        generation,
        wrapped: (generation > 0).then_some(wrapped),
    })
}

fn root_by(site: SiteId, slots: &[Slot], opener: &SlotOpener) -> Result<RootKey, KeysError> {
    let kind = opener.kind();
    let given = Given::read(opener, site)?;
    for slot in slots.iter().filter(|slot| slot.params.kind() == kind) {
        match slot.open(site, &given) {
            Ok(root) => return Ok(root),
            Err(KeysError::Wrong { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(KeysError::Wrong { kind })
}

fn mac_of(root: &RootKey, bytes: &[u8]) -> Result<[u8; MAC_BYTES], CryptoFailed> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    hkdf_sha256_expand(root.expose(), &[LABEL], key.as_mut_slice())?;
    Ok(hmac_sha256(key.as_slice(), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reading_any_bytes_ends_without_panic(
            bytes: Vec<u8>, begins in 0usize..3, cut in 0usize..60
        ) {
            let begin = [
                "",
                "labward key archive 1\n",
                "labward key archive 1\n{\"site\":1,\"id\":1,\"created_us\":0,\"expires_us\":0,\
                 \"generation\":1,\"next_slot\":2,\"old_generation\":null,\"old_wrapped\":null,\
                 \"slots\":[],\"keys\":1}\n",
            ];
            let begin = begin.get(begins).copied().unwrap_or_default();
            let whole = [begin.as_bytes(), &bytes, &[0; 57 + 32][cut..]].concat();
            let _ = split(Path::new("archive"), &whole);
        }

        #[test]
        fn a_key_is_read_back_as_it_was_written(
            owner: u64, epoch: u32, generation in 1u32.., wrapped in any::<[u8; 40]>(), gone: bool
        ) {
            let written = WrappedRow {
                scope: Scope::Patient,
                owner,
                epoch,
                generation: if gone { 0 } else { generation },
                wrapped: (!gone).then_some(wrapped),
            };
            let mut bytes = Vec::new();
            push_row(&mut bytes, &written);
            let read = row(bytes.as_slice().try_into().unwrap());
            prop_assert_eq!(read, Some(written));
        }
    }
}
