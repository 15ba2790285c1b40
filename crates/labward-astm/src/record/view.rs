//! What the gateway reads of a message, by the field numbers of E1394 / LIS02-A2; must never guess
//! at what a device left out.

use super::{Component, Field, Record};

/// The H record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a>(Record<'a>);

/// A P record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patient<'a>(Record<'a>);

/// An O record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<'a>(Record<'a>);

impl<'a> Header<'a> {
    pub(super) const fn new(record: Record<'a>) -> Self {
        Self(record)
    }

    /// The record itself.
    pub const fn record(&self) -> Record<'a> {
        self.0
    }

    /// H-3, the message's control id; few devices send one.
    pub fn control_id(&self) -> Field<'a> {
        self.0.field(3)
    }

    /// H-5, the sender: name, then often model, version and serial number.
    pub fn sender(&self) -> Field<'a> {
        self.0.field(5)
    }

    /// H-5, first component: the sender's name.
    pub fn sender_name(&self) -> Component<'a> {
        self.sender().component(1)
    }

    /// H-10, the receiver.
    pub fn receiver(&self) -> Field<'a> {
        self.0.field(10)
    }

    /// H-12, the processing id: P production, T training, D debugging, Q quality control.
    pub fn processing_id(&self) -> Field<'a> {
        self.0.field(12)
    }

    /// H-13, the version of the standard.
    pub fn version(&self) -> Field<'a> {
        self.0.field(13)
    }

    /// H-14, when the message was made, as sent (`YYYYMMDDHHMMSS`).
    pub fn timestamp(&self) -> Field<'a> {
        self.0.field(14)
    }
}

impl<'a> Patient<'a> {
    pub(super) const fn new(record: Record<'a>) -> Self {
        Self(record)
    }

    /// The record itself.
    pub const fn record(&self) -> Record<'a> {
        self.0
    }

    /// P-3, the practice's patient id.
    pub fn practice_id(&self) -> Field<'a> {
        self.0.field(3)
    }

    /// P-4, the laboratory's patient id.
    pub fn laboratory_id(&self) -> Field<'a> {
        self.0.field(4)
    }

    /// P-5, a third patient id.
    pub fn third_id(&self) -> Field<'a> {
        self.0.field(5)
    }

    /// P-6, the name: last, first, middle.
    pub fn name(&self) -> Field<'a> {
        self.0.field(6)
    }

    /// P-8, the birth date as sent (`YYYYMMDD`).
    pub fn birth_date(&self) -> Field<'a> {
        self.0.field(8)
    }

    /// P-9, the sex: M, F or U.
    pub fn sex(&self) -> Field<'a> {
        self.0.field(9)
    }
}

impl<'a> Order<'a> {
    pub(super) const fn new(record: Record<'a>) -> Self {
        Self(record)
    }

    /// The record itself.
    pub const fn record(&self) -> Record<'a> {
        self.0
    }

    /// O-3, the specimen id (the accession).
    pub fn specimen_id(&self) -> Field<'a> {
        self.0.field(3)
    }

    /// O-4, the instrument's specimen id.
    pub fn instrument_specimen_id(&self) -> Field<'a> {
        self.0.field(4)
    }

    /// O-5, the tests.
    pub fn test_id(&self) -> Field<'a> {
        self.0.field(5)
    }
}
