//! Slots: what opens the root key, each on its own.
//!
//! A slot is a key pair. The root key is sealed to the public half, so that a rotation needs nobody
//! at hand; the private half is under a passphrase, in a key file, or under recovery shares. It
//! must never be stored in clear beside the data.
//! **Invariant:** root-key slots do not live with the data.

use std::fmt;
use std::path::{Path, PathBuf};

use labward_base::id::{PatientId, RecordId, SiteId, SlotId};
use labward_base::{Secret, Timestamp};
use labward_seal::passphrase::Stretch;
use labward_seal::slot::{SlotKeyPair, endorse, is_endorsed, open_root, seal_root};
use labward_seal::{Context, CryptoFailed, RootKey, SealKey, open, passphrase, seal, shares};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{KeysError, key_file};

/// The fewest characters of a passphrase; NIST SP 800-63B-4 asks for as many where it stands alone.
pub const MIN_PASSPHRASE_CHARS: usize = 15;

/// The most shares of one slot.
pub const MAX_SHARES: u8 = 16;

const MAX_LABEL_CHARS: usize = 64;

/// In the place of a record's kind: a slot's private half. Kinds of records are small numbers.
const PRIVATE_KIND: u16 = 0xf001;

/// What a slot's private half is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// In a file on another volume.
    KeyFile,
    /// Under a passphrase, by Argon2id.
    Passphrase,
    /// Under recovery shares on paper.
    Shares,
}

/// A slot to be added.
pub enum NewSlot {
    /// A key file is written here, readable by its owner alone.
    KeyFile {
        /// What the lab calls it, 1 to 64 characters.
        label: String,
        /// A file that does not exist yet, outside the data folder.
        path: PathBuf,
    },
    /// A passphrase.
    Passphrase {
        /// What the lab calls it, 1 to 64 characters.
        label: String,
        /// At least [`MIN_PASSPHRASE_CHARS`] characters.
        passphrase: Secret<String>,
        /// How hard guessing is made; [`Stretch::default`] unless there is a reason.
        stretch: Stretch,
    },
    /// Recovery shares.
    Shares {
        /// What the lab calls it, 1 to 64 characters.
        label: String,
        /// How many are needed, at least 2.
        threshold: u8,
        /// How many there are, at most [`MAX_SHARES`].
        count: u8,
    },
}

/// A slot that was added.
pub struct AddedSlot {
    /// Its number.
    pub id: SlotId,
    /// The recovery shares of a slot of shares: handed out this once, kept nowhere.
    pub shares: Vec<Secret<String>>,
}

/// What a person or a start script opens a slot with.
pub enum SlotOpener {
    /// The key file at this place.
    KeyFile(PathBuf),
    /// A passphrase.
    Passphrase(Secret<String>),
    /// Recovery shares as they were typed.
    Shares(Vec<Secret<String>>),
}

/// What may be seen of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotInfo {
    /// Its number.
    pub id: SlotId,
    /// What its private half is under.
    pub kind: SlotKind,
    /// What the lab calls it.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last opened.
    pub last_tested: Option<Timestamp>,
    /// Where the key file was written.
    pub path: Option<PathBuf>,
    /// How many shares are needed, and how many there are.
    pub shares: Option<(u8, u8)>,
}

/// Where a slot's private half lives: a fact for the breach safe harbour (74 FR 19006).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotPlace {
    /// The slot.
    pub slot: SlotId,
    /// What its private half is under.
    pub kind: SlotKind,
    /// The key file's path.
    pub path: Option<PathBuf>,
    /// Whether the key file lies on the data's own device; `None` if it cannot be seen now.
    pub same_device: Option<bool>,
    /// Whether nobody but the key file's owner may read it; `None` if it cannot be seen now.
    pub owner_only: Option<bool>,
}

/// What a slot's row keeps beside its halves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Params {
    KeyFile {
        path: PathBuf,
    },
    Passphrase {
        salt: [u8; passphrase::SALT_BYTES],
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    Shares {
        threshold: u8,
        count: u8,
        set: u32,
    },
}

/// A row of the table of slots.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) id: SlotId,
    pub(crate) label: String,
    pub(crate) public: Vec<u8>,
    pub(crate) private: Option<Vec<u8>>,
    pub(crate) params: Params,
    pub(crate) wrapped_root: Vec<u8>,
    pub(crate) endorsement: [u8; 32],
    pub(crate) generation: u32,
    pub(crate) created: Timestamp,
    pub(crate) last_tested: Option<Timestamp>,
}

/// A slot that was made and not written yet, with what its maker gets.
pub(crate) struct Made {
    pub(crate) slot: Slot,
    pub(crate) shares: Vec<Secret<String>>,
    /// The key file that was written; removed again if the slot is not committed.
    pub(crate) file: Option<key_file::Written>,
}

/// Where a slot belongs: what it is made with besides the root key.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) site: SiteId,
    pub(crate) data: &'a Path,
    pub(crate) now: Timestamp,
}

impl SlotKind {
    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyFile => "key-file",
            Self::Passphrase => "passphrase",
            Self::Shares => "shares",
        }
    }
}

impl fmt::Display for SlotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SlotOpener {
    /// The kind of slot that it opens.
    pub const fn kind(&self) -> SlotKind {
        match self {
            Self::KeyFile(_) => SlotKind::KeyFile,
            Self::Passphrase(_) => SlotKind::Passphrase,
            Self::Shares(_) => SlotKind::Shares,
        }
    }
}

impl Params {
    pub(crate) const fn kind(&self) -> SlotKind {
        match self {
            Self::KeyFile { .. } => SlotKind::KeyFile,
            Self::Passphrase { .. } => SlotKind::Passphrase,
            Self::Shares { .. } => SlotKind::Shares,
        }
    }
}

impl Slot {
    /// Makes the slot that `new` asks for, under `root`; a key file is on the disk afterwards.
    pub(crate) fn make(
        new: &NewSlot,
        id: SlotId,
        root: &RootKey,
        generation: u32,
        place: Place<'_>,
    ) -> Result<Made, KeysError> {
        let pair = SlotKeyPair::generate()?;
        let site = place.site;
        let mut made = Made {
            slot: Self {
                id,
                label: checked_label(new)?,
                public: pair.public().to_vec(),
                private: None,
                params: Params::KeyFile {
                    path: PathBuf::new(),
                },
                wrapped_root: Vec::new(),
                endorsement: [0; 32],
                generation,
                created: place.now,
                last_tested: None,
            },
            shares: Vec::new(),
            file: None,
        };
        made.slot.seal_root(site, root, generation)?;
        made.protect(new, &pair, place)?;
        Ok(made)
    }

    /// Seals `root` to the public half and endorses it.
    pub(crate) fn seal_root(
        &mut self,
        site: SiteId,
        root: &RootKey,
        generation: u32,
    ) -> Result<(), KeysError> {
        let info = info(site, self.id);
        self.wrapped_root =
            seal_root(&self.public, &info, root).map_err(|_| self.public_damaged())?;
        self.endorsement = endorse(root, &info, &self.public)?;
        self.generation = generation;
        Ok(())
    }

    /// Refuses a public half that the root key has not endorsed: whoever can write the database
    /// could wait there for the next rotation.
    pub(crate) fn check_endorsed(&self, site: SiteId, root: &RootKey) -> Result<(), KeysError> {
        let info = info(site, self.id);
        if is_endorsed(root, &info, &self.public, &self.endorsement) {
            Ok(())
        } else {
            Err(self.public_damaged())
        }
    }

    /// The root key, if `given` opens this slot.
    pub(crate) fn open(&self, site: SiteId, given: &Given) -> Result<RootKey, KeysError> {
        let kind = self.params.kind();
        let wrong = || KeysError::Wrong { kind };
        let private = match (&self.params, given) {
            (Params::KeyFile { .. }, Given::Private { slot, private }) if *slot == self.id => {
                private.clone()
            }
            (Params::Passphrase { .. }, Given::Passphrase(passphrase)) => {
                let key = self.stretched(passphrase)?;
                self.open_private(site, &key).ok_or_else(wrong)?
            }
            (Params::Shares { set, .. }, Given::Shares { set: given, key }) if set == given => {
                self.open_private(site, key).ok_or_else(wrong)?
            }
            _ => return Err(wrong()),
        };
        let info = info(site, self.id);
        open_root(private.expose(), &info, &self.wrapped_root).map_err(|_| wrong())
    }

    /// What may be seen of it.
    pub(crate) fn info(&self) -> SlotInfo {
        let (path, shares) = match &self.params {
            Params::KeyFile { path } => (Some(path.clone()), None),
            Params::Passphrase { .. } => (None, None),
            Params::Shares {
                threshold, count, ..
            } => (None, Some((*threshold, *count))),
        };
        SlotInfo {
            id: self.id,
            kind: self.params.kind(),
            label: self.label.clone(),
            created: self.created,
            last_tested: self.last_tested,
            path,
            shares,
        }
    }

    fn stretched(&self, passphrase: &Secret<String>) -> Result<SealKey, KeysError> {
        let Params::Passphrase {
            salt,
            memory_kib,
            passes,
            lanes,
        } = &self.params
        else {
            return Err(KeysError::Wrong {
                kind: self.params.kind(),
            });
        };
        let stretch = Stretch {
            memory_kib: *memory_kib,
            passes: *passes,
            lanes: *lanes,
        };
        stretch
            .derive(salt, passphrase.expose().as_bytes())
            .map_err(|error| match error {
                passphrase::PassphraseError::BadLength => KeysError::Wrong {
                    kind: SlotKind::Passphrase,
                },
                passphrase::PassphraseError::NoMemory => KeysError::Crypto(CryptoFailed),
                passphrase::PassphraseError::OutOfBounds => {
                    KeysError::damaged(format!("the cost of slot {}", self.id))
                }
            })
    }

    fn open_private(&self, site: SiteId, key: &SealKey) -> Option<Secret<Vec<u8>>> {
        let sealed = self.private.as_deref()?;
        open(key, &private_context(site, self.id), sealed).ok()
    }

    fn public_damaged(&self) -> KeysError {
        KeysError::damaged(format!("the public half of slot {}", self.id))
    }
}

impl Made {
    /// Puts the private half where `new` says.
    fn protect(
        &mut self,
        new: &NewSlot,
        pair: &SlotKeyPair,
        place: Place<'_>,
    ) -> Result<(), KeysError> {
        let (id, site) = (self.slot.id, place.site);
        match new {
            NewSlot::KeyFile { path, .. } => {
                let path = key_file::checked_place(path, place.data)?;
                self.file = Some(key_file::write(&path, site, id, pair.private())?);
                self.slot.params = Params::KeyFile { path };
            }
            NewSlot::Passphrase {
                passphrase,
                stretch,
                ..
            } => {
                if passphrase.expose().chars().count() < MIN_PASSPHRASE_CHARS {
                    return Err(KeysError::BadSlot {
                        why: "the passphrase has fewer than 15 characters",
                    });
                }
                self.slot.params = Params::Passphrase {
                    salt: passphrase::new_salt()?,
                    memory_kib: stretch.memory_kib,
                    passes: stretch.passes,
                    lanes: stretch.lanes,
                };
                let key = self.slot.stretched(passphrase)?;
                self.seal_private(site, &key, pair)?;
            }
            NewSlot::Shares {
                threshold, count, ..
            } => {
                let secret = Secret::new(*Zeroizing::new(labward_seal::random_bytes::<32>()?));
                let split = match count {
                    1..=MAX_SHARES => shares::split(&secret, *threshold, *count),
                    _ => Err(shares::ShareError::BadNumbers),
                };
                let split = split.map_err(|_| KeysError::BadSlot {
                    why: "of 2 to 16 shares at least 2 must be needed",
                })?;
                self.slot.params = Params::Shares {
                    threshold: *threshold,
                    count: *count,
                    set: split.first().map_or(0, shares::Share::set),
                };
                self.seal_private(site, &SealKey::from(secret), pair)?;
                self.shares = split.iter().map(shares::Share::to_text).collect();
            }
        }
        Ok(())
    }

    fn seal_private(
        &mut self,
        site: SiteId,
        key: &SealKey,
        pair: &SlotKeyPair,
    ) -> Result<(), KeysError> {
        let context = private_context(site, self.slot.id);
        let sealed = seal(key, 1, &context, pair.private().expose()).map_err(|_| CryptoFailed)?;
        self.slot.private = Some(sealed);
        Ok(())
    }
}

/// What an opener gives, read once and tried on every slot.
pub(crate) enum Given {
    Passphrase(Secret<String>),
    Private {
        slot: SlotId,
        private: Secret<Vec<u8>>,
    },
    Shares {
        set: u32,
        key: SealKey,
    },
}

impl Given {
    /// Reads the key file, or puts the shares together.
    pub(crate) fn read(opener: &SlotOpener, site: SiteId) -> Result<Self, KeysError> {
        match opener {
            SlotOpener::KeyFile(path) => {
                let (slot, private) = key_file::read(path, site)?;
                Ok(Self::Private { slot, private })
            }
            SlotOpener::Passphrase(passphrase) => Ok(Self::Passphrase(passphrase.clone())),
            SlotOpener::Shares(texts) => {
                let texts: Vec<&str> = texts.iter().map(|text| text.expose().as_str()).collect();
                let read = shares::parse_all(&texts).map_err(KeysError::BadShares)?;
                let secret = shares::combine(&read).map_err(KeysError::BadShares)?;
                Ok(Self::Shares {
                    set: read.first().map_or(0, shares::Share::set),
                    key: SealKey::from(secret),
                })
            }
        }
    }
}

fn checked_label(new: &NewSlot) -> Result<String, KeysError> {
    let (NewSlot::KeyFile { label, .. }
    | NewSlot::Passphrase { label, .. }
    | NewSlot::Shares { label, .. }) = new;
    let length = label.chars().count();
    if !(1..=MAX_LABEL_CHARS).contains(&length) || label.chars().any(char::is_control) {
        return Err(KeysError::BadSlot {
            why: "the label has not 1 to 64 characters",
        });
    }
    Ok(label.clone())
}

fn info(site: SiteId, slot: SlotId) -> Vec<u8> {
    let (site, slot) = (site.get().to_be_bytes(), slot.get().to_be_bytes());
    [&b"labward/slot-info1"[..], &site, &slot].concat()
}

fn private_context(site: SiteId, slot: SlotId) -> Context {
    Context {
        site,
        patient: PatientId::new(0),
        kind: PRIVATE_KIND,
        record: RecordId::new(slot.get().into()),
        version: 1,
    }
}
