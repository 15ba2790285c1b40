//! A disk that loses what was not synced, under the gateway, the records, the ledger and the keys.
//!
//! **Invariant:** no acknowledgement before durability. Peers send over mutual TLS while the power
//! is cut at random changes of the disk; what each cut leaves is opened as after a real one. The
//! same test with syncs switched off must find a loss; otherwise it proves nothing.

mod lab;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::thread;

use labward_store::Durability;
use labward_testkit::vfs::{FaultVfs, Survivors};
use labward_testkit::{Random, TempDir};

use crate::support::{Client, Numbered, PATIENCE};
use lab::Lab;

const CLIENTS: u32 = 6;
/// A new patient after so many messages of all clients: most cuts meet keys that are new.
const PER_PATIENT: u32 = 16;

type Acknowledged = Arc<Mutex<Vec<Numbered>>>;

/// What the power cuts left, compared with what peers had been told before each.
#[derive(Debug, Default)]
struct Found {
    cuts: u32,
    acknowledged: usize,
    lost: usize,
    unopenable: u32,
}

/// Cuts the power `cuts` times under a lab that takes messages.
fn cut_the_power(vfs_name: &str, durability: Durability, cuts: u32) -> Found {
    let vfs = FaultVfs::register(vfs_name);
    let lab = Lab::create();
    let running = lab.open(&vfs, durability);
    let acknowledged = Acknowledged::default();
    let stop = AtomicBool::new(false);
    let next = AtomicU32::new(1);
    // The clients pause while a cut is looked at, or the database would grow without end.
    let gate = RwLock::new(());
    let mut found = Found::default();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (running, acknowledged, gate, stop, next) =
                (&running, &acknowledged, &gate, &stop, &next);
            scope.spawn(move || {
                let config = lab_config(running);
                let mut connection = Client::connect(running.address(), &config).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let _open = gate.read().unwrap();
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let message = Numbered {
                        client,
                        patient: number / PER_PATIENT,
                        number,
                    };
                    let code = connection.exchange(&message.message(), &message.control_id());
                    assert_eq!(code.unwrap(), "AA");
                    acknowledged.lock().unwrap().push(message);
                }
            });
        }
        let mut random = Random::new(2026);
        for _ in 0..cuts {
            let disk = TempDir::new();
            let before = arm(&vfs, &mut random, &acknowledged)
                .recv_timeout(PATIENCE)
                .unwrap();
            let _closed = gate.write().unwrap();
            assert!(vfs.take_cut(lab.database_folder(), disk.path()).unwrap());
            found.cuts += 1;
            found.acknowledged = before.len();
            match lab.reopen(disk.path()) {
                Ok(remains) => found.lost += lost(&before, &remains),
                Err(error) => {
                    eprintln!("cut {}: {error}", found.cuts);
                    found.unopenable += 1;
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    running.close();
    found
}

fn lab_config(running: &lab::Running) -> Arc<rustls::ClientConfig> {
    running.peer().client_config(true)
}

/// How many messages that were acknowledged are not there any more, byte for byte.
fn lost(acknowledged: &[Numbered], remains: &[Vec<u8>]) -> usize {
    let stored: HashSet<&[u8]> = remains.iter().map(Vec::as_slice).collect();
    let missing = |message: &&Numbered| !stored.contains(message.message().as_slice());
    acknowledged.iter().filter(missing).count()
}

/// Arms a cut at some change soon; the answer is what had been acknowledged at that very moment.
fn arm(
    vfs: &FaultVfs,
    random: &mut Random,
    acknowledged: &Acknowledged,
) -> mpsc::Receiver<Vec<Numbered>> {
    let survivors = match random.below(3) {
        0 => Survivors::None,
        _ => Survivors::Some(random.next_u64()),
    };
    let (send, before) = mpsc::channel();
    let acknowledged = Arc::clone(acknowledged);
    vfs.arm_power_cut(1 + random.below(150), survivors, move || {
        send.send(acknowledged.lock().unwrap().clone()).unwrap();
    });
    before
}

#[test]
fn every_message_that_was_acknowledged_opens_after_a_power_cut() {
    let found = cut_the_power("lab-full", Durability::Full, 40);
    assert_eq!(found.cuts, 40);
    assert!(found.acknowledged > 500, "{found:?}");
    assert_eq!((found.lost, found.unopenable), (0, 0), "{found:?}");
}

#[test]
fn the_same_test_finds_the_loss_when_syncs_are_off() {
    let found = cut_the_power("lab-off", Durability::UnsafeOff, 6);
    assert!(found.lost > 0, "{found:?}");
}
