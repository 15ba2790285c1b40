#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `report` | [`Report`]: patient, orders, results |
//! | `hl7`, `astm`, `fhir` | how each is read: PID, OBR, OBX; P, O, R; Observation |
//! | `cumulative` | [`cumulate`]: tests with their values over time; corrections take a value's place |
//! | `value` | [`Reading`], [`Decimal`], [`Range`]: what of a value is a number, exactly |
//! | `moment` | [`Moment`]: times as senders write them |

mod astm;
mod cumulative;
mod fhir;
mod hl7;
mod moment;
mod report;
mod value;

pub use cumulative::{Measured, Replaced, Source, TestLine, cumulate};
pub use moment::Moment;
pub use report::{Format, LabResult, Order, Patient, RESULTS_MAX, Report, Test};
pub use value::{Decimal, Range, Reading};
