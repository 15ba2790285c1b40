//! QR codes: what a phone at the bench reads off the screen or off paper.
//!
//! It must never hold anything about a patient: a code can be read from across the room.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};

/// Modules of light around the code (ISO/IEC 18004, 6.3.8).
const QUIET: usize = 4;

/// A QR code, drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    /// Modules along each side, with the quiet zone.
    pub size: usize,
    /// The dark modules, as the path of an SVG in units of one module.
    pub path: String,
}

impl Qr {
    /// The code for `text`; `None` if it is longer than any code holds.
    pub fn of(text: &str) -> Option<Self> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let mut path = String::new();
        for (y, row) in code.data.chunks(code.size).take(code.size).enumerate() {
            let dark = row.iter().enumerate().filter(|(_, module)| module.value());
            for (x, _) in dark {
                // Writing to a string does not fail.
                let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
        Some(Self {
            size: code.size + 2 * QUIET,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_finder_patterns_stand_behind_the_quiet_zone() {
        let qr = Qr::of("https://labward.example/join#0123-4567").unwrap();
        let last = qr.size - QUIET - 1;
        for (x, y) in [(QUIET, QUIET), (last, QUIET), (QUIET, last)] {
            assert!(qr.path.contains(&format!("M{x} {y}h1v1h-1z")), "{x} {y}");
        }
        // The fourth corner has none, and nothing stands in the quiet zone.
        assert!(!qr.path.contains(&format!("M{} ", QUIET - 1)));
        assert!(!qr.path.contains(&format!("M{} ", last + 1)));
    }

    #[test]
    fn a_text_that_no_code_holds_gives_none() {
        assert_eq!(Qr::of(&"x".repeat(4_000)), None);
    }
}
