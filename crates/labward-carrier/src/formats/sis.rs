//! Installers for old Symbian telephones (SIS before version 9): the files in them, packed with zlib or not.

use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{len16, len32, slice, up_to, utf16le};
use super::guard::Guarded;
use super::member::Member;

/// The first files begin where the header says; each record is longer by 12 bytes a language.
const RECORD: usize = 36;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let bytes = part.bytes;
    let languages = len16(bytes, 0x12).unwrap_or(0);
    let count = len16(bytes, 0x14).unwrap_or(0);
    let mut at = len32(bytes, 0x34).unwrap_or(usize::MAX);
    for number in 1..=count {
        let record = slice(bytes, at, RECORD + 12 * languages);
        // Another kind of record: a condition or an option, of another length.
        let Some(record) = record.filter(|record| len32(record, 0) == Some(0)) else {
            return walker.obstacle(Obstacle::UnknownPacking(Kind::Sis));
        };
        if !walker.goes_on() {
            return;
        }
        let name = len32(record, 12).zip(len32(record, 16));
        let name = name.map(|(len, at)| utf16le(up_to(bytes, at, len)));
        for language in 0..languages {
            let at = 28 + 4 * language;
            let lengths = len32(record, at).zip(len32(record, at + 4 * languages));
            let member = Member {
                kind: Kind::Sis,
                number,
                name: name.as_deref().unwrap_or_default(),
            };
            match lengths {
                Some((len, at)) => open_file(walker, member, up_to(bytes, at, len)),
                None => member.obstacle(walker, Obstacle::Damaged(Kind::Sis)),
            }
        }
        at += record.len();
    }
    if count == 0 {
        walker.obstacle(Obstacle::Damaged(Kind::Sis));
    }
}

fn open_file(walker: &mut Walker<'_>, member: Member<'_>, content: &[u8]) {
    if content.first() == Some(&0x78) {
        let mut reader = Guarded(flate2::bufread::ZlibDecoder::new(content));
        member.unpack(walker, content.len(), &mut reader);
    } else {
        member.enter(walker, content);
    }
}
