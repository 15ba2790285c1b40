//! 7z archives, by `sevenz-rust2`.

use std::io::{Cursor, Read};

use sevenz_rust2::{ArchiveReader, EncoderMethod, Error, Password};

use crate::budget::Limit;
use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::guard::guarded;
use super::member::Member;

/// The most memory for a dictionary, in KiB: what the largest usual setting of its own tool takes, and some.
const MEMORY_KB: usize = 192 << 10;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let opened = guarded(|| {
        let bytes = Cursor::new(part.bytes);
        let mut reader = ArchiveReader::new_with_memory_limit(bytes, Password::empty(), MEMORY_KB)?;
        reader.set_thread_count(1);
        open_members(walker, &mut reader, part.bytes.len())
    });
    match opened {
        Some(Ok(())) => {}
        Some(Err(error)) => walker.obstacle(reason(&error)),
        None => walker.obstacle(Obstacle::Damaged(Kind::SevenZip)),
    }
}

fn open_members(
    walker: &mut Walker<'_>,
    reader: &mut ArchiveReader<Cursor<&[u8]>>,
    packed_len: usize,
) -> Result<(), Error> {
    use sevenz_rust2::EntryDecision::{Continue, Stop};
    let mut number = 0;
    reader.for_each_entries_with_decision(|entry, content| {
        if !walker.goes_on() {
            return Ok(Stop);
        }
        number += 1;
        let member = Member {
            kind: Kind::SevenZip,
            number,
            name: entry.name(),
        };
        if !entry.has_stream() {
            member.tell_escape(walker);
            return Ok(Continue);
        }
        let (room, _) = walker.room(packed_len as u64);
        let mut faults = Faults {
            content,
            fault: false,
        };
        member.unpack(walker, packed_len, &mut faults);
        let fault = faults.fault;
        // What is left of a member beyond the room would be unpacked to reach the next one.
        Ok(if fault || entry.size() > room {
            Stop
        } else {
            Continue
        })
    })
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
