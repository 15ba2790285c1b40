#![doc = include_str!("../README.md")]

pub mod clamd;
pub mod engine;
pub mod hashes;
mod policy;
pub mod process;
#[cfg(test)]
mod real_data;
mod report;
mod scanner;
mod structure;
#[cfg(test)]
mod tests;
mod verdict;
pub mod yara;

pub use engine::{Deadline, Engine, EngineError, Hit, Look};
pub use labward_carrier::Declared;
pub use policy::{Policy, Setting, Weight};
pub use report::{EngineFault, Finding, FoundObstacle, FoundSign, Report};
pub use scanner::{EngineState, Scanner};
pub use structure::Structure;
pub use verdict::{FindingKind, Severity, Verdict};

/// The longest text of a rule or an error that is kept, in characters.
const TEXT_MAX: usize = 300;

/// `text` on one line and bounded; what is not printable or turns the direction of writing becomes a blank.
fn bounded(text: &str) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n >= TEXT_MAX {
            out.push('…');
            break;
        }
        let plain = !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        out.push(if plain { c } else { ' ' });
    }
    out
}

/// Bytes as lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
