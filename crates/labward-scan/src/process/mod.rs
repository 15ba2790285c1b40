//! The scanner's process: a child that looks, and a parent that trusts it with nothing but its answer.
//!
//! | Part | Holds |
//! |---|---|
//! | [`protocol`] | the frames between the two |
//! | [`serve`](fn@serve) | the child's side: load, confine, answer |
//! | [`Pool`] | the parent's side: start, ask, kill, start again |
//!
//! **Invariant:** a child that dies, is late or answers nonsense is a scanner error, never a verdict.
//!
//! What it does not do: a child that is taken over can answer "clean". Confinement keeps it from anything else.

mod pool;
pub mod protocol;
mod serve;

pub use pool::{Bytes, Pool, PoolOptions, Source};
pub use serve::{Confine, Started, serve, unconfined};
