#![doc = include_str!("../README.md")]

mod answer;
mod matcher;

pub use answer::{Answer, Reason, Trail, Verdict};
pub use matcher::{Books, Device, Matcher};

#[cfg(test)]
mod tests;
