//! Any bytes as frames between the scanner's process and its parent: what is read is written again byte for byte.

use labward_scan::process::protocol::{Ask, Frame};

pub fn run(data: &[u8]) {
    let mut from = data;
    let mut written = Vec::new();
    while let Ok(frame) = Frame::read(&mut from) {
        if let Frame::Ask(ask) = &frame
            && let Ok(ask) = serde_json::from_slice::<Ask>(ask)
        {
            let name = ask.declared().name.unwrap_or_default();
            assert!(name.chars().count() <= 255);
        }
        frame.write(&mut written).expect("what was read is within its bound");
        assert!(data.starts_with(&written));
    }
}
