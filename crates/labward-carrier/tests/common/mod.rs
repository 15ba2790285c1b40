//! What the tests share: a walk as lines, and whether some bytes came out of it.
#![allow(dead_code, reason = "each test file uses its own part")]

use labward_carrier::{Budget, Declared, Seen, Summary, walk};

/// Each thing that a walk shows as a line: `path = kind`, `path ! sign`, `path ? obstacle`.
pub(crate) fn lines(bytes: &[u8], budget: &Budget) -> Vec<String> {
    let mut out = Vec::new();
    walk(
        bytes,
        &Declared::nothing(),
        budget,
        &|| true,
        &mut |path, seen| {
            out.push(match seen {
                Seen::Part(part) => format!("{path} = {}", part.claims.main().code()),
                Seen::Sign(sign) => format!("{path} ! {}", sign.code()),
                Seen::Obstacle(obstacle) => format!("{path} ? {}", obstacle.code()),
            });
        },
    );
    out
}

/// Whether exactly these bytes were shown as a part.
pub(crate) fn payload_seen(bytes: &[u8], payload: &[u8], budget: &Budget) -> (bool, Summary) {
    let mut found = false;
    let summary = walk(
        bytes,
        &Declared::nothing(),
        budget,
        &|| true,
        &mut |_, seen| {
            found |= matches!(seen, Seen::Part(part) if part.bytes == payload);
        },
    );
    (found, summary)
}
