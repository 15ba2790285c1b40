//! Any bytes as a zip: the walk ends within its budget, and what could not be opened is told.

use labward_carrier::{Budget, Declared, Seen, walk};

pub fn run(data: &[u8]) {
    walked(&[b"PK\x03\x04", data].concat());
    walked(data);
}

/// Walks with a small budget and holds the walk to it.
pub(super) fn walked(bytes: &[u8]) {
    let budget = Budget {
        depth: 6,
        parts: 200,
        part_bytes: 1 << 20,
        total_bytes: 4 << 20,
        ratio: 20,
    };
    let mut obstacles = 0;
    let summary = walk(
        bytes,
        &Declared::nothing(),
        &budget,
        &|| true,
        &mut |_, seen| match seen {
            Seen::Part(part) => assert!(part.bytes.len() <= bytes.len().max(1 << 20)),
            Seen::Obstacle(_) => obstacles += 1,
            Seen::Sign(_) => {}
        },
    );
    assert!(summary.parts <= budget.parts);
    assert_eq!(summary.complete, obstacles == 0);
}
