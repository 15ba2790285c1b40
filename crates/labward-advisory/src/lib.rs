//! What publishers say about products: bytes in, values out.
//!
//! It must never do I/O, read a clock (time comes in as [`labward_base::Timestamp`]), trust a number
//! that it can compute, or leave out silently what it cannot read: that is a [`Flaw`] with its place,
//! and the rest goes on. Every parser here is total and bounded by [`Limits`].
//!
//! | Module | Holds | Source |
//! |---|---|---|
//! | [`csaf`] | [`csaf::Advisory`]: products, vulnerabilities, statuses; [`csaf::validate`] | OASIS CSAF 2.0 |
//! | [`kev`] | [`kev::Catalog`] of known exploited vulnerabilities | CISA |
//! | [`epss`] | [`epss::Scores`]: how probable exploitation is | FIRST |
//! | [`eol`] | [`eol::ReleaseData`]: until when releases are supported | endoflife.date |
//! | [`osv`] | [`osv::Osv`]: vulnerable ranges of packages | OpenSSF |
//! | [`openvex`] | [`openvex::OpenVex`] statements | OpenVEX 0.2 |
//! | [`cyclonedx`], [`spdx`] | bills of materials, and VEX in the former | OWASP, SPDX 2.3 |
//! | [`bundle`] | files and archives as people hand them in: [`bundle::walk`] | tar, zip, gzip, xz, zstd |
//! | [`provider`] | where publishers list their documents: [`provider::Listing`] | OASIS CSAF 2.0, 7.1 |
//! | [`integrity`] | hash files and detached signatures | coreutils, RFC 9580, minisign |
//! | [`json`] | the values that the readers walk | RFC 8259 |
//! | [`Score`], [`Purl`] | CVSS vectors, computed; package URLs | FIRST, ECMA-427 |

pub mod bundle;
pub mod csaf;
pub mod cyclonedx;
pub mod eol;
pub mod epss;
mod flaw;
pub mod integrity;
pub mod json;
pub mod kev;
mod lenient;
mod limits;
pub mod openvex;
pub mod osv;
pub mod provider;
mod purl;
mod score;
pub mod spdx;

pub use flaw::{Flaw, Flaws, Weight};
pub use json::Error;
pub use limits::Limits;
pub use purl::Purl;
pub use score::{CvssVersion, Score, Scored, Severity};

/// A text of a document, shared by whatever repeats it.
pub type Text = std::sync::Arc<str>;

/// What documents name themselves is found here; no order depends on it.
type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

#[cfg(test)]
mod real_data;
