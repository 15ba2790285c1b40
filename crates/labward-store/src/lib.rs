//! Units of work on an embedded database with group commit.
//!
//! A unit is a plain synchronous function over [`Tx`]. One writer thread runs whatever waits in one
//! transaction and answers every unit after the shared sync; if one is refused after it wrote, they
//! all run again with a savepoint per unit.
//! **Invariant:** no acknowledgement before durability (synced, not merely written).
//!
//! It must never answer early, wait to fill a batch, know what a row means, or show a type of the
//! engine below: the same units are to run on a PostgreSQL-compatible engine. SQL therefore keeps to
//! the portable subset, with parameters `$1`…`$n` that first appear in this order.
//!
//! ```
//! use labward_store::{Migration, NoJournal, Options, Query, Store, StoreError};
//!
//! # fn main() -> Result<(), StoreError> {
//! # let folder = std::env::temp_dir().join(format!("labward-store-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).ok();
//! const SCHEMA: &[Migration] = &[Migration {
//!     name: "notes",
//!     sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL);",
//! }];
//! let store = Store::open(Options::new(folder.join("db.sqlite")), SCHEMA, Box::new(NoJournal))?;
//! store.write(|tx| tx.execute("INSERT INTO note (body) VALUES ($1)", &["kept".into()]))?;
//! let bodies = store.read(|snapshot| {
//!     snapshot.query_all("SELECT body FROM note", &[], |row| Ok(row.text(0)?.to_owned()))
//! })?;
//! assert_eq!(bodies, ["kept"]);
//! store.close()?;
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok::<(), StoreError>(())
//! # }
//! ```
//!
//! | Module | Holds |
//! |---|---|
//! | `store` | [`Store`]: submit, write, read, close |
//! | `writer` | the writer thread: one batch, one transaction, one sync |
//! | `lock` | [`take_lock`]: one process at a time |
//! | `open` | PRAGMAs, integrity check, migrations and the copy before them |
//! | `readers` | the pool of connections that only read |
//! | `query` | [`Value`], [`Row`], [`Query`] |
//! | `tx` | [`Tx`] and [`Snapshot`] |
//! | `journal` | [`Journal`]: the one participant in memory |
//! | `pages` | [`Pages`]: the file as it is at one moment, some tables emptied |

mod error;
mod journal;
mod lock;
mod open;
mod options;
mod pages;
mod query;
mod readers;
mod store;
mod tx;
mod writer;

pub use error::StoreError;
pub use journal::{Journal, NoJournal};
pub use lock::take_lock;
pub use options::{Durability, Migration, Options};
pub use pages::Pages;
pub use query::{Query, Row, Value};
pub use store::{Stats, Store};
pub use tx::{Snapshot, Tx};
