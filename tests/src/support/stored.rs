//! What an installation holds, opened without its server.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use labward_base::id::{EntryIndex, RecordId};
use labward_keys::{Keys, SlotOpener};
use labward_ledger::{Action, Actor, Leaf, LedgerJournal, RecordIds, entries};
use labward_os::SystemClock;
use labward_records::{Records, Retention, Setup};
use labward_store::{Options, Store, StoreError};

use super::{NODE, SITE};

/// Rows read at once.
const PAGE: u32 = 1_000;

/// The rooms on one database.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) records: Records,
}

/// Opens the database with the schema of all rooms and the real clock.
pub(crate) fn open_store(options: Options) -> Result<Store, StoreError> {
    let journal = LedgerJournal::new(NODE, Arc::new(SystemClock));
    Store::open(options, &labward_server::migrations(), Box::new(journal))
}

/// Opens the root key with this key file, and the records.
pub(crate) fn open_rooms(
    options: Options,
    data: &Path,
    key_file: &Path,
    blobs: &Path,
) -> Result<Opened, Box<dyn Error>> {
    let store = open_store(options)?;
    let keys = Keys::load(store.clone(), SITE, data, Arc::new(SystemClock))?;
    keys.unseal(&SlotOpener::KeyFile(key_file.to_owned()), Actor::System)?;
    let records = Records::load(Setup {
        store: store.clone(),
        keys: keys.clone(),
        ids: store.read(|snapshot| RecordIds::load(snapshot))?,
        clock: Arc::new(SystemClock),
        site: SITE,
        node: NODE,
        blobs: blobs.to_owned(),
        retention: Retention::DEFAULT,
    })?;
    Ok(Opened {
        store,
        keys,
        records,
    })
}

impl Opened {
    /// Every message that was received, opened, in the order of the ledger.
    pub(crate) fn messages(&self) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
        let mut messages = Vec::new();
        for record in self.received()? {
            messages.push(self.records.open(record)?.bytes.expose().clone());
        }
        Ok(messages)
    }

    fn received(&self) -> Result<Vec<RecordId>, Box<dyn Error>> {
        let mut records = Vec::new();
        let mut from = EntryIndex::new(0);
        loop {
            let page = self.store.read(|snapshot| entries(snapshot, from, PAGE));
            let page = page.map_err(|error: StoreError| error)?;
            let Some(last) = page.last() else {
                return Ok(records);
            };
            from = EntryIndex::new(last.index.get() + 1);
            for entry in &page {
                if Leaf::parse(&entry.leaf)?.action == Action::MessageReceived {
                    records.extend(entry.record);
                }
            }
        }
    }
}
