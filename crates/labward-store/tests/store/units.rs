//! Units of work: shared syncs, refusals, panics, limits and the end of the store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use labward_base::problem;
use labward_store::{NoJournal, Options, Query, Store, StoreError, Tx};
use labward_testkit::TempDir;

use crate::{SCHEMA, add, bodies, hold_writer, open_new, submit_all};

/// What a room above the store makes of its errors.
#[derive(Debug)]
enum RoomError {
    Refused,
    Store(StoreError),
}

impl From<StoreError> for RoomError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[test]
fn units_that_wait_share_one_sync() {
    let opened = open_new();
    let before = opened.store.stats();
    let release = hold_writer(&opened.store);
    let answers = submit_all(&opened.store, &["a", "b", "c", "d"]);
    assert_eq!(opened.store.stats().waiting, 4);
    drop(release);
    assert_eq!(answers.iter().take(4).filter(Result::is_ok).count(), 4);
    let stats = opened.store.stats();
    assert_eq!(stats.batches - before.batches, 2);
    assert_eq!((stats.units - before.units, stats.largest_batch), (5, 4));
    assert_eq!(opened.bodies(), ["a", "b", "c", "d"]);
}

#[test]
fn a_refused_unit_leaves_no_trace_and_the_others_go_on() {
    let opened = open_new();
    let release = hold_writer(&opened.store);
    let first = submit_all(&opened.store, &["a"]);
    let (send, refused) = mpsc::channel();
    opened.store.submit(
        |tx| {
            add(tx, "refused")?;
            Err::<(), _>(RoomError::Refused)
        },
        move |result| send.send(result).unwrap(),
    );
    let second = submit_all(&opened.store, &["b"]);
    drop(release);
    first.recv().unwrap().unwrap();
    assert!(matches!(refused.recv().unwrap(), Err(RoomError::Refused)));
    second.recv().unwrap().unwrap();
    assert_eq!(opened.store.stats().largest_batch, 2);
    assert_eq!(opened.bodies(), ["a", "b"]);
    opened.store.close().unwrap();
    let late = opened.store.write(|_| Err::<(), _>(RoomError::Refused));
    assert!(matches!(late, Err(RoomError::Store(StoreError::Closed))));
}

#[test]
fn a_refusal_that_wrote_nothing_runs_no_other_unit_twice() {
    let opened = open_new();
    let release = hold_writer(&opened.store);
    let (send, runs) = mpsc::channel();
    for body in ["a", "refused", "b"] {
        let send = send.clone();
        opened.store.submit(
            move |tx| {
                send.send(body).unwrap();
                if body == "refused" {
                    return Err(RoomError::Refused);
                }
                Ok(add(tx, body)?)
            },
            |_| {},
        );
    }
    drop(send);
    drop(release);
    opened.store.close().unwrap();
    assert_eq!(runs.iter().collect::<Vec<_>>(), ["a", "refused", "b"]);
    assert_eq!(opened.store.stats().largest_batch, 3);
}

#[test]
fn a_refused_row_names_the_constraint_but_never_the_value() {
    let opened = open_new();
    opened.add("Doe^Jane").unwrap();
    let error = opened.add("Doe^Jane").unwrap_err();
    assert!(matches!(error, StoreError::Constraint { .. }));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("note.body"), "{source}");
    assert!(!format!("{error} {error:?} {source}").contains("Doe"));
}

#[test]
fn a_unit_that_passes_over_a_refused_row_keeps_its_other_rows() {
    let opened = open_new();
    let unit = |tx: &mut Tx<'_>| {
        add(tx, "a")?;
        assert!(add(tx, "a").is_err());
        add(tx, "b")
    };
    opened.store.write(unit).unwrap();
    assert_eq!(opened.bodies(), ["a", "b"]);
}

#[test]
fn a_panic_in_a_unit_is_an_error_of_that_unit_alone() {
    let opened = open_new();
    let release = hold_writer(&opened.store);
    let first = submit_all(&opened.store, &["a"]);
    let (send, panicked) = mpsc::channel();
    opened.store.submit(
        |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            add(tx, "trace")?;
            panic!("a fault of a unit")
        },
        move |result| send.send(result).unwrap(),
    );
    let second = submit_all(&opened.store, &["b"]);
    drop(release);
    first.recv().unwrap().unwrap();
    let error = panicked.recv().unwrap().unwrap_err();
    assert_eq!(error.problem(), &problem::SERVER_INTERNAL);
    second.recv().unwrap().unwrap();
    assert_eq!(opened.bodies(), ["a", "b"]);
}

#[test]
fn a_panic_in_a_callback_or_a_hook_does_not_end_the_writer() {
    let opened = open_new();
    opened.store.on_batch(|| panic!("a fault of a hook"));
    opened.store.submit(
        |tx: &mut Tx<'_>| add(tx, "a"),
        |_: Result<(), StoreError>| panic!("a fault of a callback"),
    );
    opened.add("b").unwrap();
    assert_eq!(opened.bodies(), ["a", "b"]);
}

#[test]
fn a_unit_that_ends_the_shared_transaction_gives_the_batch_up() {
    let opened = open_new();
    let unit = |tx: &mut Tx<'_>| {
        add(tx, "a")?;
        tx.execute("ROLLBACK", &[])
    };
    let error = opened.store.write(unit).unwrap_err();
    assert!(matches!(error, StoreError::Statement { .. }));
    opened.add("b").unwrap();
    assert_eq!(opened.bodies(), ["b"]);
}

#[test]
fn a_hook_runs_once_a_batch_after_every_callback() {
    let opened = open_new();
    let events = Arc::new(Mutex::new(Vec::new()));
    let release = hold_writer(&opened.store);
    for name in ["a", "b"] {
        let events = Arc::clone(&events);
        let done = move |_: Result<(), StoreError>| events.lock().unwrap().push(name);
        opened.store.submit(move |tx| add(tx, name), done);
    }
    let (send, woken) = mpsc::channel();
    let seen = Arc::clone(&events);
    opened.store.on_batch(move || {
        seen.lock().unwrap().push("hook");
        send.send(()).unwrap();
    });
    drop(release);
    // The first batch held only the unit that held the writer.
    woken.recv().unwrap();
    woken.recv().unwrap();
    assert_eq!(*events.lock().unwrap(), ["hook", "a", "b", "hook"]);
}

#[test]
fn a_full_queue_refuses_at_once_and_stores_nothing() {
    let folder = TempDir::new();
    let mut options = Options::new(folder.join("db.sqlite"));
    options.queue = 2;
    let store = Store::open(options, SCHEMA, Box::new(NoJournal)).unwrap();
    let release = hold_writer(&store);
    let taken = submit_all(&store, &["a", "b"]);
    let error = submit_all(&store, &["c"]).recv().unwrap().unwrap_err();
    assert_eq!(error.problem(), &problem::STORE_OVERLOADED);
    drop(release);
    assert_eq!(taken.iter().take(2).filter(Result::is_ok).count(), 2);
    assert_eq!(bodies(&store), ["a", "b"]);
}

#[test]
fn closing_commits_what_waits_and_answers_what_comes_later() {
    let opened = open_new();
    let release = hold_writer(&opened.store);
    let answers = submit_all(&opened.store, &["a", "b", "c"]);
    let clone = opened.store.clone();
    let closing = std::thread::spawn(move || clone.close());
    drop(release);
    closing.join().unwrap().unwrap();
    assert_eq!(answers.iter().take(3).filter(Result::is_ok).count(), 3);
    let late = opened.add("late").unwrap_err();
    assert_eq!(late.problem(), &problem::STORE_CLOSED);
    let read = opened.store.read(|_| Ok::<_, StoreError>(()));
    assert!(matches!(read, Err(StoreError::Closed)));
    assert!(matches!(
        opened.store.checkpoint_truncate(),
        Err(StoreError::Closed)
    ));
    opened.store.close().unwrap();
    let again = Store::open(Options::new(opened.path()), SCHEMA, Box::new(NoJournal));
    let again = again.unwrap();
    assert!(!again.started_after_crash());
    assert_eq!(bodies(&again), ["a", "b", "c"]);
}

#[test]
fn every_callback_is_called_once_however_the_store_ends() {
    let called = Arc::new(AtomicUsize::new(0));
    let (folder, total) = (TempDir::new(), 400);
    let options = Options::new(folder.join("db.sqlite"));
    let store = Store::open(options, SCHEMA, Box::new(NoJournal)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..total / 4 {
                    let called = Arc::clone(&called);
                    let unit = |tx: &mut Tx<'_>| tx.execute("DELETE FROM note", &[]);
                    store.submit(unit, move |_| {
                        called.fetch_add(1, Ordering::SeqCst);
                    });
                }
            });
        }
        scope.spawn(|| store.close().unwrap());
    });
    assert_eq!(called.load(Ordering::SeqCst), total);
}

#[test]
fn a_blocking_call_from_a_callback_is_refused_instead_of_waiting_for_itself() {
    let opened = open_new();
    let (send, answer) = mpsc::channel();
    let inner = opened.store.clone();
    let done = move |_: Result<(), StoreError>| {
        let written = inner.write(|tx| add(tx, "b"));
        send.send((written, inner.close())).unwrap();
    };
    opened.store.submit(|tx| add(tx, "a"), done);
    let (written, closed) = answer.recv().unwrap();
    assert!(matches!(written, Err(StoreError::Statement { .. })));
    assert!(matches!(closed, Err(StoreError::Statement { .. })));
}

#[test]
fn the_last_store_may_be_dropped_in_a_callback() {
    let opened = open_new();
    let path = opened.path();
    let (send, dropped) = mpsc::channel();
    let release = hold_writer(&opened.store);
    let inner = opened.store.clone();
    opened.store.submit(
        |tx| add(tx, "a"),
        move |result: Result<(), StoreError>| {
            result.unwrap();
            drop(inner);
            send.send(()).unwrap();
        },
    );
    let crate::Opened { store, folder } = opened;
    drop(store);
    drop(release);
    dropped.recv().unwrap();
    // The writer still closes the file behind the callback.
    let again = loop {
        match Store::open(Options::new(&path), SCHEMA, Box::new(NoJournal)) {
            Err(StoreError::Busy) => std::thread::yield_now(),
            other => break other.unwrap(),
        }
    };
    assert_eq!(bodies(&again), ["a"]);
    drop(folder);
}

#[test]
fn parameters_out_of_order_or_number_are_refused() {
    let opened = open_new();
    for (sql, given) in [
        ("SELECT $2, $1", 2),
        ("SELECT $1, $2", 1),
        ("SELECT $1", 2),
        ("SELECT ?", 1),
        ("SELECT $1, $3", 2),
    ] {
        let params = vec![1_i64.into(); given];
        let read = opened
            .store
            .read(|snapshot| snapshot.query_one(sql, &params, |_| Ok(())));
        assert!(matches!(read, Err(StoreError::Statement { .. })), "{sql}");
    }
    let twice = opened.store.read(|snapshot| {
        let sql = "SELECT $1 + $2 + $1";
        snapshot.query_one(sql, &[1.into(), 2.into()], |row| row.int(0))
    });
    assert_eq!(twice.map_err(|e: StoreError| e).unwrap(), 4);
}
