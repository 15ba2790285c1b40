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
mod summary;

pub use anomaly::{Anomaly, Kind, KindParts};
pub use baseline::{Baseline, Progress, Settings};
pub use event::{Event, SenderClock};
pub use state::{BadState, MAX_STATE_BYTES};
pub use summary::Summary;
