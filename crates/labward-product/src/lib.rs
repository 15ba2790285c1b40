//! Names and versions of products as people write them in advisories and on devices; text in, values out.
//!
//! It must never do I/O, read a clock, or guess: "affected" and "not affected" are both claims, and whatever may be
//! meant otherwise is "cannot tell", with the reason. Every reader here is total and bounded by the length of its text.
//!
//! | Module | Holds |
//! |---|---|
//! | [`version`] | [`Version`]: what a device says, and the order of two versions |
//! | [`range`] | [`Reading`]: what an advisory says of versions, and whether a version is among them |
//! | [`vendor`] | [`VendorBook`]: which spellings are one vendor |
//! | [`name`] | [`Name`], [`NameIndex`]: which names may be one product |
//! | [`os`] | [`OperatingSystem`]: which release of Windows, of a Unix or of SQL Server a text names |

mod date;
pub mod name;
pub mod os;
pub mod range;
mod scan;
pub mod vendor;
pub mod version;

pub use name::{Match, Name, NameBook, NameIndex};
pub use os::OperatingSystem;
pub use range::{Holds, Reading, Unreadable};
pub use vendor::VendorBook;
pub use version::Version;

/// Words and names are found here; nothing depends on its order.
type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
