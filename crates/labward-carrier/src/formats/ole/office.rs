//! What Word, Excel and PowerPoint keep in their streams: encryption, macro sheets, DDE, objects.

use memchr::memmem;

use crate::formats::bytes::{le16, le32, len16, len32, slice, up_to};
use crate::formats::guard::Guarded;
use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Sign};
use crate::walk::Walker;

/// Word: the flags of the file information block (MS-DOC 2.5.1) and the field codes in the text.
pub(super) fn word(walker: &mut Walker<'_>, stream: &[u8]) {
    const ENCRYPTED: u16 = 0x0100;
    if le16(stream, 0x0a).is_some_and(|flags| flags & ENCRYPTED != 0) {
        return walker.obstacle(Obstacle::Encrypted);
    }
    if has_dde_field(stream) {
        walker.sign(Sign::Dde);
    }
}

/// A field begins with 0x13 (MS-DOC 2.8.25); its text has 8 or 16 bits a character.
fn has_dde_field(stream: &[u8]) -> bool {
    memchr::memchr_iter(0x13, stream).any(|at| {
        let wide = stream.get(at + 1) == Some(&0);
        let step = if wide { 2 } else { 1 };
        let text = up_to(stream, at + step, 64).iter().step_by(step);
        let code: Vec<u8> = text.copied().collect();
        let code = code.trim_ascii_start().to_ascii_uppercase();
        is_dde(&code)
    })
}

/// Whether a field code is `DDE` or `DDEAUTO`.
pub(crate) fn is_dde(code: &[u8]) -> bool {
    let code = code.trim_ascii_start();
    code.get(..3)
        .is_some_and(|c| c.eq_ignore_ascii_case(b"DDE"))
        && code.get(3).is_none_or(|c| {
            !c.is_ascii_alphanumeric()
                || code
                    .get(3..7)
                    .is_some_and(|c| c.eq_ignore_ascii_case(b"AUTO"))
        })
}

/// Excel, up to BIFF8 (MS-XLS): encryption, sheets of macros, links.
pub(super) fn excel(walker: &mut Walker<'_>, stream: &[u8]) {
    const FILE_PASS: usize = 0x2f;
    let signs = |id: usize, record: &[u8]| match id {
        // BoundSheet8: position (4), state (1), kind of sheet (1).
        0x85 if record.get(5) == Some(&1) => Some(Sign::Xlm),
        // Lbl: the built-in name Auto_Open.
        0x18 if is_auto_open(record) => Some(Sign::MacroAutoRun),
        // SupBook: application and topic parted by 3, where a path begins with 1.
        0x1ae if is_dde_link(record) => Some(Sign::Dde),
        // BOF: a sheet of macros.
        0x09 | 0x209 | 0x409 | 0x809 if le16(record, 2) == Some(0x40) => Some(Sign::Xlm),
        _ => None,
    };
    let mut told = Vec::new();
    let mut at = 0;
    while let (Some(id), Some(len)) = (len16(stream, at), len16(stream, at + 2)) {
        if id == FILE_PASS {
            return walker.obstacle(Obstacle::Encrypted);
        }
        if let Some(sign) = signs(id, up_to(stream, at + 4, len))
            && !told.contains(&sign)
        {
            told.push(sign);
            walker.sign(sign);
        }
        at += 4 + len;
    }
}

fn is_auto_open(record: &[u8]) -> bool {
    const BUILT_IN: u16 = 0x20;
    let built_in = le16(record, 0).is_some_and(|flags| flags & BUILT_IN != 0);
    // Length of the name (at 3), the name behind 14 bytes and, in BIFF8, a byte for its encoding.
    built_in && record.get(3) == Some(&1) && matches!(record.get(14..16), Some([1, _] | [0, 1]))
}

fn is_dde_link(record: &[u8]) -> bool {
    let text = record.get(4..).unwrap_or_default();
    let text = text.get(1..).unwrap_or_default();
    text.first() != Some(&1) && memchr::memchr(3, text).is_some()
}

/// PowerPoint: encryption by the `Current User` stream (MS-PPT 2.3.2).
pub(super) fn is_encrypted_user(stream: &[u8]) -> bool {
    le32(stream, 12) == Some(0xf3d1_c4df)
}

/// PowerPoint: the objects and VBA projects in the document stream, mostly packed with zlib (2.10.34).
pub(super) fn powerpoint(walker: &mut Walker<'_>, stream: &[u8]) {
    const OBJECT: usize = 0x1011;
    let mut number = 0;
    let mut at = 0;
    while let (Some(version), Some(id), Some(len)) = (
        len16(stream, at),
        len16(stream, at + 2),
        len32(stream, at + 4),
    ) {
        if !walker.goes_on() {
            return;
        }
        at += 8;
        if id == OBJECT {
            number += 1;
            let content = up_to(stream, at, len);
            let step = Step::Place(format!("object {number}"));
            object(walker, step, version >> 4 == 1, content);
        }
        // A container: its records follow.
        if version & 0x0f != 0x0f {
            at = at.saturating_add(len);
        }
    }
}

/// An object behind its unpacked length, packed with zlib if `packed`.
pub(super) fn object(walker: &mut Walker<'_>, step: Step, packed: bool, content: &[u8]) {
    if packed {
        // The unpacked length stands before the stream, which may end without its sum.
        let size = len32(content, 0).unwrap_or(0);
        let stream = content.get(4..).unwrap_or_default();
        let mut reader = Guarded(flate2::bufread::ZlibDecoder::new(stream));
        let (unpacked, obstacle) = walker.read(Kind::Ole, content.len() as u64, &mut reader);
        walker.enter([step.clone()], &Declared::nothing(), &unpacked);
        match obstacle {
            Some(Obstacle::Damaged(_)) if unpacked.len() >= size => {}
            Some(obstacle) => walker.obstacle_at(step.clone(), obstacle),
            None => {}
        }
    } else {
        walker.enter([step.clone()], &Declared::nothing(), content);
    }
    walker.sign_at(step, Sign::EmbeddedObject);
}

/// Where a compound file begins in other bytes.
pub(crate) fn find_ole(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
        .filter(|at| slice(bytes, *at, 512).is_some())
}
