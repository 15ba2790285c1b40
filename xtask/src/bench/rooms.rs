//! The rooms below the server in this very process, for what is measured without sockets: store,
//! ledger, keys and records of one folder, opened as the server opens them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use labward_base::Clock;
use labward_base::id::{NodeId, PersonId, SiteId};
use labward_keys::{Keys, NewSlot, SlotOpener};
use labward_ledger::{Actor, LedgerJournal, RecordIds};
use labward_os::SystemClock;
use labward_records::{Records, Retention, Setup};
use labward_store::{Journal, Migration, Options, Store};

pub(super) const SITE: SiteId = SiteId::new(1);
pub(super) const NODE: NodeId = NodeId::new(1);
pub(super) const ME: PersonId = PersonId::new(1);
pub(super) const WHY: &str = "a measurement";

/// The folder of one installation and the key file beside it.
pub(super) struct Rooms {
    folder: PathBuf,
    key: PathBuf,
}

/// The store and the keys, sealed.
pub(super) struct Ground {
    pub(super) store: Store,
    pub(super) keys: Keys,
}

impl Rooms {
    /// Makes a new empty folder with the first root key; nothing is open afterwards.
    pub(super) fn create(folder: PathBuf) -> Result<Self> {
        fs::create_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        let rooms = Self {
            key: folder.with_extension("key"),
            folder,
        };
        let label = "bench".to_owned();
        let path = rooms.key.clone();
        let ground = rooms.ground()?;
        ground
            .keys
            .create(&[NewSlot::KeyFile { label, path }], Actor::System)?;
        Ok(rooms)
    }

    /// The database's file.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("labward.sqlite")
    }

    /// Opens the store and reads the slots.
    pub(super) fn ground(&self) -> Result<Ground> {
        let all = [
            labward_ledger::MIGRATIONS,
            labward_keys::MIGRATIONS,
            labward_records::MIGRATIONS,
            labward_records::ACCESS_MIGRATIONS,
        ];
        let migrations: Vec<Migration> = all.into_iter().flatten().copied().collect();
        let store = open_store(&self.database(), &migrations, journal())?;
        let keys = Keys::load(store.clone(), SITE, &self.folder, clock())?;
        Ok(Ground { store, keys })
    }

    /// Opens the root key with the key file.
    pub(super) fn unseal(&self, ground: &Ground) -> Result<()> {
        let opener = SlotOpener::KeyFile(self.key.clone());
        ground.keys.unseal(&opener, Actor::System)?;
        Ok(())
    }

    /// Loads the records; the root key must be open.
    pub(super) fn records(&self, ground: &Ground) -> Result<Records> {
        let store = ground.store.clone();
        Ok(Records::load(Setup {
            ids: store.read(|snapshot| RecordIds::load(snapshot))?,
            store,
            keys: ground.keys.clone(),
            clock: clock(),
            site: SITE,
            node: NODE,
            blobs: self.folder.join("blob"),
            retention: Retention::DEFAULT,
        })?)
    }

    /// Removes it from the disk.
    pub(super) fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.folder)?;
        Ok(fs::remove_file(&self.key)?)
    }
}

/// Opens a database as Labward opens its own, with the values that were measured to be best.
pub(super) fn open_store(
    path: &Path,
    migrations: &[Migration],
    journal: Box<dyn Journal>,
) -> Result<Store> {
    wait_for_lock(path);
    Store::open(Options::new(path), migrations, journal)
        .with_context(|| format!("open {}", path.display()))
}

/// Waits while a process that was just started still holds the descriptor of a store that is closed:
/// until it becomes another program it has a copy of each.
fn wait_for_lock(path: &Path) {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    for _ in 0..100 {
        let Ok(file) = fs::File::open(&lock) else {
            return;
        };
        if file.try_lock().is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The journal of a ledger that lives by the system's clock.
pub(super) fn journal() -> Box<dyn Journal> {
    Box::new(LedgerJournal::new(NODE, clock()))
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// Waits until names can be searched.
pub(super) fn wait_for_names(records: &Records) {
    while records.is_loading() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
