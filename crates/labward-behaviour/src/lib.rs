#![doc = include_str!("../README.md")]

mod anomaly;
mod baseline;
mod event;
mod habit;
mod hours;
mod moment;
mod sequence;
mod skew;
mod state;

pub use anomaly::{Anomaly, Kind};
pub use baseline::{Baseline, Settings};
pub use event::Event;
pub use state::{BadState, MAX_STATE_BYTES};
