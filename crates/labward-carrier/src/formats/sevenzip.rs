//! 7z archives, by `sevenz-rust2`.

use std::io::{Cursor, Read};

use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, EncoderMethod, Error, Password};

use crate::budget::Limit;
use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::guard::guarded;
use super::member::Member;

/// The most memory for a dictionary, in KiB: what the largest usual setting of its own tool takes, and some.
const MEMORY_KB: usize = 192 << 10;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    match guarded(|| list(part.bytes)) {
        Some(Ok(archive)) => open_blocks(walker, &archive, part.bytes),
        Some(Err(error)) => walker.obstacle(reason(&error)),
        None => walker.obstacle(Obstacle::Damaged(Kind::SevenZip)),
    }
}

/// `ArchiveReader` is not used: it asks how many processors there are, for which a confined process is killed.
fn list(bytes: &[u8]) -> Result<Archive, Error> {
    Archive::read_with_memory_limit(&mut Cursor::new(bytes), &Password::empty(), MEMORY_KB)
}

/// A fault ends its own block alone.
fn open_blocks(walker: &mut Walker<'_>, archive: &Archive, bytes: &[u8]) {
    let mut number = 0;
    for block in 0..archive.blocks.len() {
        if !walker.goes_on() {
            return;
        }
        match guarded(|| open_members(walker, archive, block, bytes, &mut number)) {
            Some(Ok(())) => {}
            Some(Err(error)) => walker.obstacle(reason(&error)),
            None => walker.obstacle(Obstacle::Damaged(Kind::SevenZip)),
        }
    }
    for entry in archive.files.iter().filter(|entry| !entry.has_stream()) {
        if !walker.goes_on() {
            return;
        }
        number += 1;
        let name = entry.name();
        let kind = Kind::SevenZip;
        Member { kind, number, name }.tell_escape(walker);
    }
}

fn open_members(
    walker: &mut Walker<'_>,
    archive: &Archive,
    block: usize,
    bytes: &[u8],
    number: &mut usize,
) -> Result<(), Error> {
    let password = Password::empty();
    let mut source = Cursor::new(bytes);
    let decoder =
        BlockDecoder::new_with_memory_limit(1, MEMORY_KB, block, archive, &password, &mut source);
    let mut each = |entry: &ArchiveEntry, content: &mut dyn Read| {
        if !walker.goes_on() {
            return Ok(false);
        }
        if !entry.has_stream() {
            return Ok(true);
        }
        *number += 1;
        let member = Member {
            kind: Kind::SevenZip,
            number: *number,
            name: entry.name(),
        };
        let (room, _) = walker.room(bytes.len() as u64);
        let mut faults = Faults {
            content,
            fault: false,
        };
        member.unpack(walker, bytes.len(), &mut faults);
        // What is left of a member beyond the room would be unpacked to reach the next one.
        Ok(!faults.fault && entry.size() <= room)
    };
    decoder.for_each_entries(&mut each)?;
    Ok(())
}

/// Remembers that reading failed: then the rest of the solid block cannot be reached.
struct Faults<'c> {
    content: &'c mut dyn Read,
    fault: bool,
}

impl Read for Faults<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.content.read(into);
        self.fault |= read.is_err();
        read
    }
}

fn reason(error: &Error) -> Obstacle {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => Obstacle::Encrypted,
        Error::UnsupportedCompressionMethod(name)
            if name == EncoderMethod::AES256_SHA256.name() =>
        {
            Obstacle::Encrypted
        }
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) => {
            Obstacle::UnknownPacking(Kind::SevenZip)
        }
        Error::MaxMemLimited { .. } => Obstacle::OverBudget(Limit::PartBytes),
        _ => Obstacle::Damaged(Kind::SevenZip),
    }
}
