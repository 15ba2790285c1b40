//! The power of an edge is cut at random moments while devices send and the uplink delivers; what each
//! cut leaves goes on with the same server, as after a real one.
//!
//! **Invariant:** no acknowledgement before durability. The same test with syncs switched off must
//! find a loss; otherwise it proves nothing.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use labward_base::Clock;
use labward_base::id::EntryIndex;
use labward_gateway::edge::parcel::Parcel;
use labward_ledger::{LedgerJournal, entries_with_payload, verify};
use labward_os::Stopwatch;
use labward_seal::envelope::open_envelope;
use labward_store::{Durability, Options, Store, StoreError};
use labward_testkit::vfs::{FaultVfs, Survivors};
use labward_testkit::{FakeClock, Random, TempDir};
use tokio::sync::Notify;

use super::server::{Server, control_id, run};
use super::{PATIENCE, id, keep_of, result};
use crate::run::NODE;
use crate::run::tests::keep_message;
use crate::store::migrations;

const DEVICES: usize = 3;
/// Results of each device after the last cut.
const MORE: u32 = 5;

/// An edge and its server over many power cuts of the edge.
struct Life {
    vfs: FaultVfs,
    durability: Durability,
    clock: Arc<dyn Clock>,
    server: Server,
    disk: TempDir,
    /// What each device was told before the last cut: all results up to this number.
    told: [u32; DEVICES],
    random: Random,
}

impl Life {
    fn begin(vfs_name: &str, durability: Durability) -> Self {
        let clock = Arc::new(FakeClock::default()) as Arc<dyn Clock>;
        let server = Server::start(&clock);
        server.line.open();
        Self {
            vfs: FaultVfs::register(vfs_name),
            durability,
            clock,
            server,
            disk: TempDir::new(),
            told: [0; DEVICES],
            random: Random::new(2026),
        }
    }

    /// Lives until the power is cut at some change soon.
    fn live(&mut self) {
        let options = Options {
            // Small, so that cuts also hit the move from the log into the database.
            autocheckpoint_bytes: 128 << 10,
            durability: self.durability,
            vfs: Some(self.vfs.name().to_owned()),
            ..options(self.disk.path())
        };
        let store = open(options, &self.clock).unwrap();
        let wake = Arc::new(Notify::new());
        let keep = keep_of(&self.server, &store, &self.clock, &wake);
        let ledger = TempDir::new();
        let (send, said) = mpsc::channel();
        let (uplink, stop) = self
            .server
            .uplink(&store, &ledger, &self.clock, &wake, move |_| {
                let _ = send.send(());
            });
        let uplink = run(uplink);
        // Most cuts come while it delivers, some before it is connected. It speaks after its first
        // batch, or when it is refused.
        if self.random.below(4) > 0 {
            let _ = said.recv_timeout(PATIENCE);
        }
        let told = Arc::new(Mutex::new(self.told));
        let at_cut = self.arm(&told);
        let is_dark = AtomicBool::new(false);
        thread::scope(|scope| {
            for device in 0..DEVICES {
                let (keep, told, is_dark, from) = (&keep, &told, &is_dark, self.told[device]);
                scope.spawn(move || {
                    let mut number = from;
                    while !is_dark.load(Ordering::Relaxed) {
                        number += 1;
                        keep_message(keep, &result(device, number)).unwrap();
                        told.lock().unwrap()[device] = number;
                    }
                });
            }
            let at_cut = at_cut.recv_timeout(PATIENCE);
            is_dark.store(true, Ordering::Relaxed);
            self.told = at_cut.unwrap();
        });
        stop.send_replace(true);
        uplink.join().unwrap();
        let left = TempDir::new();
        assert!(self.vfs.take_cut(self.disk.path(), left.path()).unwrap());
        store.close().unwrap();
        self.disk = left;
        self.server.line.mend();
    }

    /// Arms a cut, with that of the line; the answer is what the devices had been told by then.
    fn arm(&mut self, told: &Arc<Mutex<[u32; DEVICES]>>) -> mpsc::Receiver<[u32; DEVICES]> {
        let survivors = match self.random.below(3) {
            0 => Survivors::None,
            _ => Survivors::Some(self.random.next_u64()),
        };
        let operations = 1 + self.random.below(200);
        let (send, at_cut) = mpsc::channel();
        let (told, cut) = (Arc::clone(told), self.server.line.cutter());
        self.vfs.arm_power_cut(operations, survivors, move || {
            cut();
            send.send(*told.lock().unwrap()).unwrap();
        });
        at_cut
    }

    /// Results that a device was told to be kept, and that are neither here nor at the server.
    fn lost(&self) -> Result<usize, StoreError> {
        let store = open(options(self.disk.path()), &self.clock)?;
        let mut there: HashSet<String> = self.waiting(&store)?.into_iter().collect();
        there.extend(self.server.received());
        let sound = verify(&store, NODE, None).is_ok_and(|report| report.is_sound());
        assert!(
            sound || self.durability != Durability::Full,
            "the ledger is not sound"
        );
        store.close()?;
        let told = self.told.iter().enumerate();
        let all = told.flat_map(|(device, last)| (1..=*last).map(move |number| id(device, number)));
        Ok(all.filter(|id| !there.contains(id)).count())
    }

    /// The control ids of what still stands in the queue.
    fn waiting(&self, store: &Store) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        let mut from = EntryIndex::new(0);
        loop {
            let page = store.read(|snapshot| entries_with_payload(snapshot, from, 1_000))?;
            let Some(last) = page.last() else {
                return Ok(found);
            };
            from = EntryIndex::new(last.index.get() + 1);
            for entry in page {
                let (Some(record), Some(envelope)) = (entry.record, entry.payload) else {
                    continue;
                };
                let place = Parcel::place(&self.server.identity.roots.queue, record.get());
                // What does not open is not there.
                let opened = open_envelope(self.server.pair.private(), &place, &envelope);
                let parcel = opened.map(|opened| Parcel::parse(opened.expose()));
                if let Ok(Ok(parcel)) = parcel {
                    found.push(control_id(&parcel.bytes));
                }
            }
        }
    }

    /// Sends some more and delivers everything.
    fn come_to_an_end(&mut self) {
        let store = open(options(self.disk.path()), &self.clock).unwrap();
        let wake = Arc::new(Notify::new());
        let keep = keep_of(&self.server, &store, &self.clock, &wake);
        for device in 0..DEVICES {
            for number in 1..=MORE {
                keep_message(&keep, &result(device, self.told[device] + number)).unwrap();
            }
        }
        let ledger = TempDir::new();
        let (send, waiting) = mpsc::channel();
        let (uplink, stop) =
            self.server
                .uplink(&store, &ledger, &self.clock, &wake, move |standing| {
                    let _ = send.send((standing.connected, standing.state.waiting));
                });
        let uplink = run(uplink);
        let watch = Stopwatch::start();
        while waiting.recv_timeout(PATIENCE).unwrap() != (true, 0) {
            assert!(watch.elapsed() < PATIENCE, "{:?}", self.server.fault());
        }
        stop.send_replace(true);
        uplink.join().unwrap();
        store.close().unwrap();
    }
}

fn options(disk: &Path) -> Options {
    Options::new(disk.join("edge.sqlite"))
}

fn open(options: Options, clock: &Arc<dyn Clock>) -> Result<Store, StoreError> {
    let journal = LedgerJournal::new(NODE, Arc::clone(clock));
    Store::open(options, &migrations(), Box::new(journal))
}

#[test]
fn what_an_edge_acknowledged_outlives_every_power_cut_and_is_forwarded_once_in_order() {
    let mut life = Life::begin("edge-full", Durability::Full);
    for cut in 1..=30 {
        life.live();
        assert_eq!(life.lost().unwrap(), 0, "after cut {cut}");
        // No checkpoint was shown that the disk did not hold.
        assert_eq!(life.server.fault(), None, "after cut {cut}");
    }
    // It delivered between the cuts, too.
    assert!(life.server.received().len() > 300);
    life.come_to_an_end();
    let received = life.server.received();
    for device in 0..DEVICES {
        let last = life.told[device] + MORE;
        assert!(last > 50, "device {device} sent {last}");
        let of_one = |id: &&String| id.starts_with(&format!("D{device}-"));
        let came: Vec<&String> = received.iter().filter(of_one).collect();
        let sent: Vec<String> = (1..=last).map(|number| id(device, number)).collect();
        assert_eq!(came, sent.iter().collect::<Vec<_>>(), "device {device}");
    }
    assert_eq!(life.server.fault(), None);
}

#[test]
fn the_same_test_finds_the_loss_at_an_edge_whose_syncs_are_off() {
    let mut life = Life::begin("edge-off", Durability::UnsafeOff);
    let found = (1..=10).any(|_| {
        life.live();
        // A database that cannot be opened any more has lost everything; and the server knows a
        // ledger that has lost what was shown of it.
        life.lost().unwrap_or(usize::MAX) > 0 || life.server.fault().is_some()
    });
    assert!(found, "nothing was lost without a sync");
}
