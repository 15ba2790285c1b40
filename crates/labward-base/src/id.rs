//! One type per kind of id: a [`RecordId`] is never passed where a [`PatientId`] is meant.
//!
//! Ids are opaque counters of the node that gave them out; they say nothing about a person.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that was to be an id but is not a whole number in its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read an id: expected a whole number such as {example}")]
pub struct NotAnId {
    example: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($repr:ty);)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($repr);

        impl $name {
            /// The id with this number.
            pub const fn new(number: $repr) -> Self {
                Self(number)
            }

            /// The number of this id.
            pub const fn get(self) -> $repr {
                self.0
            }

            /// The number as SQL stores it; numbers above `i64::MAX` are never given out.
            pub fn as_sql(self) -> i64 {
                i64::try_from(self.0).unwrap_or(i64::MAX)
            }

            /// The id that SQL stored as `number`, or `None` if it is out of range.
            pub fn from_sql(number: i64) -> Option<Self> {
                <$repr>::try_from(number).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().map(Self).map_err(|_| NotAnId { example: "42" })
            }
        }
    )+};
}

ids! {
    /// A site of the lab: the main laboratory or a draw site.
    SiteId(u32);
    /// A node: one running Labward with its own ledger tree.
    NodeId(u32);
    /// A record: one message, resource or document, counted per node from 1.
    RecordId(u64);
    /// A patient, counted per node from 1; 0 stands for "no patient".
    PatientId(u64);
    /// The place of an entry in its node's ledger, counted from 0.
    EntryIndex(u64);
    /// A peer: an analyzer, LIS, EHR or draw site that holds a certificate.
    PeerId(u64);
    /// A person of the lab who may use Labward.
    PersonId(u64);
    /// A session of a person: the place of the entry with which it began.
    SessionNumber(u64);
    /// A token of a person: the place of the entry that records it.
    TokenNumber(u64);
    /// A passkey of a person: the place of the entry that records it.
    PasskeyNumber(u64);
    /// A device of the lab, counted from 1.
    DeviceId(u64);
    /// A document of a publisher that the lab holds, such as an advisory, counted from 1.
    DocumentId(u64);
    /// A hit: one device and one published vulnerability that may concern it, counted from 1.
    HitId(u64);
    /// What a person said about products or about a vulnerability of a device, counted from 1.
    StatementId(u64);
    /// What a manufacturer discloses of devices, as it is attached to them, counted from 1.
    DisclosureId(u64);
    /// What is known of a vendor's approval of a patch for a model, counted from 1.
    ApprovalId(u64);
    /// A root-key slot.
    SlotId(u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_as_shown_and_nothing_else_is_read() {
        assert_eq!("42".parse(), Ok(RecordId::new(42)));
        assert_eq!(RecordId::new(42).to_string(), "42");
        for text in ["", "-1", "4 2", "18446744073709551616"] {
            assert!(text.parse::<RecordId>().is_err(), "{text:?}");
        }
        assert_eq!(SiteId::from_sql(-1), None);
        assert_eq!(SiteId::from_sql(1), Some(SiteId::new(1)));
    }
}
