//! The rubric for applying CVSS 3 to medical devices (MITRE, 2020; qualified by the FDA as a Medical
//! Device Development Tool): its questions as data, and what answers make of a vector.
//!
//! The questions are ours in wording and MITRE's in code and number; the flow of answers is taken from
//! public calculators that implement the rubric, not from MITRE's paper itself. It must never change a
//! metric that the answers leave open, and never compute a score by itself: the crate `cvss` does.

mod answers;
mod questions;
mod vector;

pub use answers::{Answer, Answers, BadAnswers};
pub use questions::{Kind, Metric, QUESTIONS, Question};
pub use vector::{Adjusted, adjust};
