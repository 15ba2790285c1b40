#![doc = include_str!("../README.md")]

mod answer;
mod bill;
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
pub use bill::{Bill, Component};
pub use components::{
    ComponentAnswer, Components, RangeTrail, UnknownEcosystem, package_of, package_of_purl,
};
pub use eol::{EndOfLife, EndOfLifeTable, Lifecycle, Support, TableError};
pub use exploited::{Exploited, ExploitedAnswer, SystemTrail};
pub use fixes::{Fix, FixState, FixTable};
pub use matcher::{Books, Device, Matcher};
pub use people::{
    Alias, Answers, Justification, NoVulnerabilityId, Statement, VexStatus, VulnerabilityId,
};
pub use published::{
    LeftOut, Published, PublishedProduct, PublishedStatement, WhyLeftOut, reason_in_csaf,
};
pub use vex::{VexDevice, VexHeading, to_openvex};

#[cfg(test)]
mod tests;
