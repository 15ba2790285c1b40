#![doc = include_str!("../README.md")]

mod answer;
mod components;
mod eol;
mod exploited;
mod fixes;
mod judge;
mod matcher;
mod package;
mod people;
mod published;
mod vex;

pub use answer::{Answer, Reason, Stated, Trail, Verdict, Without};
pub use components::{ComponentAnswer, Components, RangeTrail, UnknownEcosystem};
pub use eol::{EndOfLife, EndOfLifeTable, Lifecycle, Support, TableError};
pub use exploited::{Exploited, ExploitedAnswer, SystemTrail};
pub use fixes::{Fix, FixState, FixTable};
pub use matcher::{Books, Device, Matcher};
pub use people::{
    Alias, Answers, Justification, NoVulnerabilityId, Statement, VexStatus, VulnerabilityId,
};
pub use published::{LeftOut, Published, PublishedProduct, PublishedStatement, WhyLeftOut};
pub use vex::{VexDevice, VexHeading, to_openvex};

#[cfg(test)]
mod tests;
