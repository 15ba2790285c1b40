//! Any bytes as an answer of nft: what is loaded, or an error; never live without the hash of what was read.

use labward_segmentation::{Liveness, Loaded};

pub fn run(data: &[u8]) {
    let Ok(loaded) = Loaded::read(data) else { return };
    if let Some(loaded) = &loaded {
        let devices = loaded.device_counts();
        assert!(devices.windows(2).all(|pair| pair[0].device < pair[1].device));
    }
    match Loaded::liveness(loaded.as_ref(), None) {
        Liveness::Live { hash, .. } => {
            assert_eq!(loaded.map(|loaded| loaded.ruleset().hash()), Some(hash));
        }
        Liveness::Missing => assert!(loaded.is_none()),
        Liveness::Changed { why, .. } => assert!(!why.is_empty()),
        Liveness::Lapsed { .. } => {}
    }
}
