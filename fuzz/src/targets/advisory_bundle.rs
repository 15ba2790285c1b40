//! Any bytes as a file that a person hands in, archives included: nothing is signed by a key that was not
//! given, and no more is unpacked than the bounds allow.

use labward_advisory::bundle::{Beside, Bounds, Checks, Trust, walk};
use labward_base::Timestamp;

const BOUNDS: Bounds = Bounds {
    max_total_bytes: 1 << 20,
    max_entry_bytes: 1 << 18,
    max_entries: 64,
    max_ratio: 100,
};

pub fn run(data: &[u8]) {
    let checks = Checks {
        keys: &[],
        bundle_keys: &[],
        now: Timestamp::from_seconds(1_800_000_000),
    };
    let mut documents = 0;
    let walked = walk("any", data, Beside::default(), &checks, &BOUNDS, |item| {
        assert_ne!(item.trust(), Trust::Signed);
        assert!(!item.name.chars().any(char::is_control));
        documents += 1;
    });
    assert_eq!(walked.documents, documents);
    assert!(documents <= BOUNDS.max_entries);
}
