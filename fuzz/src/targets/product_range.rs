//! Any text is read or said to be unreadable, with its own text; any version gets an answer.

use labward_product::{Version, range};

pub fn run(data: &[u8]) {
    let Some(data) = crate::read::<(&str, &str)>(data) else { return };
    match range::read(data.0) {
        Ok(reading) => {
            assert_eq!(reading.text, data.0);
            assert!(!reading.alternatives.is_empty());
            let _ = reading.holds(&Version::read(data.1));
            let _ = reading.models().count();
        }
        Err(unreadable) => assert_eq!(unreadable.text, data.0),
    }
}
