#![doc = include_str!("../README.md")]

mod clocks;
mod evidence;
mod known;
pub mod order;
mod priority;
mod reason;
pub mod rubric;
pub mod ssvc;
mod standing;

pub use clocks::{Clocks, Days, Due, Rule};
pub use evidence::exploitation_said;
pub use known::{Certainty, Criticality, Epss, Exposure, Kev, Known, Said, Source, Support};
pub use labward_base::Saying;
pub use priority::{Band, Priority, Rank, prioritise};
pub use reason::{
    AutomatableFrom, ExploitationFrom, ExposureFrom, ImpactFrom, RaisedBy, Reason, SeverityFrom,
};
pub use standing::{Note, Standing, State, Treatment, standing};
