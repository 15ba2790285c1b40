//! What the tests of the formats share: a walk written as lines.

use crate::{Budget, Declared, Seen, Summary, walk};

/// Each thing that a walk shows as a line: `path = kind`, `path ! sign`, `path ? obstacle`.
pub(crate) fn seen(bytes: &[u8]) -> Vec<String> {
    seen_within(bytes, &Budget::default()).0
}

/// As [`seen`], within a budget of the test's.
pub(crate) fn seen_within(bytes: &[u8], budget: &Budget) -> (Vec<String>, Summary) {
    let mut out = Vec::new();
    let summary = walk(
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
    (out, summary)
}

/// The bytes of the part whose path ends so.
pub(crate) fn part(bytes: &[u8], path_end: &str) -> Vec<u8> {
    let mut out = None;
    walk(
        bytes,
        &Declared::nothing(),
        &Budget::default(),
        &|| true,
        &mut |path, seen| {
            if let Seen::Part(part) = seen
                && path.to_string().ends_with(path_end)
            {
                out = Some(part.bytes.to_vec());
            }
        },
    );
    out.unwrap()
}

/// Every part of a walk, with its path.
pub(crate) fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    walk(
        bytes,
        &Declared::nothing(),
        &Budget::default(),
        &|| true,
        &mut |path, seen| {
            if let Seen::Part(part) = seen {
                out.push((path.to_string(), part.bytes.to_vec()));
            }
        },
    );
    out
}
