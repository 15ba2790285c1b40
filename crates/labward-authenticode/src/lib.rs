#![doc = include_str!("../README.md")]

mod der;
mod image;
mod signature;
mod signed_data;
mod signer;

pub use image::{HEADER_MAX, TABLE_MAX};
pub use signature::{Fit, Hash, Misfit, Signature, Unread, read};
pub use signer::{Continuity, Signer};
