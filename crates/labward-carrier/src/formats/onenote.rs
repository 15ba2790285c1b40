//! OneNote sections (MS-ONESTORE): the files in them.

use memchr::memmem;

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part, Sign};
use crate::walk::Walker;

use super::bytes::{le64, up_to};

/// What a file in a section begins with (2.6.13), then its length, 12 bytes, the file.
const FILE: &[u8] = b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac";
const HEADER: usize = 36;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    for (i, at) in memmem::find_iter(part.bytes, FILE).enumerate() {
        if !walker.goes_on() {
            return;
        }
        let len = le64(part.bytes, at + FILE.len()).unwrap_or(0);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let file = up_to(part.bytes, at + HEADER, len);
        let step = Step::Place(format!("file {}", i + 1));
        walker.enter([step.clone()], &Declared::nothing(), file);
        walker.sign_at(step.clone(), Sign::EmbeddedObject);
        if file.len() < len {
            walker.obstacle_at(step, Obstacle::Damaged(Kind::OneNote));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::seen;

    #[test]
    fn files_in_a_section_are_shown() {
        let mut note = b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3".to_vec();
        note.extend([7; 100]);
        for len in [10_u64, 1 << 40] {
            note.extend(super::FILE);
            note.extend(len.to_le_bytes());
            note.extend([0; 12]);
            note.extend(b"#!/bin/sh\n");
        }
        assert_eq!(
            seen(&note),
            [
                " = onenote",
                "file 1 = script",
                "file 1 ! embedded-object",
                "file 2 = script",
                "file 2 ! embedded-object",
                "file 2 ? damaged"
            ]
        );
    }
}
