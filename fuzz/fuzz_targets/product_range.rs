//! Any text is read or said to be unreadable, with its own text; any version gets an answer.
#![no_main]

use labward_product::{Version, range};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str)| {
    match range::read(data.0) {
        Ok(reading) => {
            assert_eq!(reading.text, data.0);
            assert!(!reading.alternatives.is_empty());
            let _ = reading.holds(&Version::read(data.1));
            let _ = reading.models().count();
        }
        Err(unreadable) => assert_eq!(unreadable.text, data.0),
    }
});
