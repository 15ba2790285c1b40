#![doc = include_str!("../README.md")]

mod budget;
mod decode;
mod find;
mod formats;
mod kind;
mod path;
mod said;
mod seen;
#[cfg(test)]
mod testing;
mod walk;

pub use budget::{Budget, Limit};
pub use kind::{Claims, Kind};
pub use path::{Path, Step};
pub use seen::{Declared, Obstacle, Part, Seen, Sign};
pub use walk::{Summary, walk};
