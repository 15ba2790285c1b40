//! Installers of InstallShield: lists of files behind a program, as they are or scrambled; their own cabinets
//! (`ISc(`) are told.

use std::io::Read;

use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{c_string, len16, len32, slice, text, up_to};
use super::guard::Guarded;
use super::member::Member;

const MARK: &[u8] = b"InstallShield\0";
const HEADER: usize = 46;
const FILE_HEADER: usize = 312;

/// A cabinet of its own format.
pub(crate) fn open_cabinet(walker: &mut Walker<'_>, _part: &Part<'_>) {
    walker.obstacle(Obstacle::UnknownPacking(Kind::InstallShield));
}

/// Opens what stands behind a program, if it is a list of files of either form.
pub(crate) fn open_list(walker: &mut Walker<'_>, overlay: &[u8]) -> bool {
    // The name of a file of debugging symbols may stand before it.
    let scrambled = memchr::memmem::find(up_to(overlay, 0, 1_024), MARK);
    if let Some(at) = scrambled {
        open_scrambled(walker, overlay.get(at..).unwrap_or_default());
        return true;
    }
    let mut at = 0;
    let mut number = 0;
    while let Some((name, content, len)) = plain(overlay, at) {
        if !walker.goes_on() {
            return true;
        }
        number += 1;
        let member = Member {
            kind: Kind::InstallShield,
            number,
            name: &name,
        };
        let bytes = up_to(overlay, content, len);
        member.enter(walker, bytes);
        if bytes.len() < len {
            member.obstacle(walker, Obstacle::Damaged(Kind::InstallShield));
        }
        at = content.saturating_add(len);
    }
    if number > 0 && at < overlay.len() {
        walker.obstacle(Obstacle::Damaged(Kind::InstallShield));
    }
    number > 0
}

/// Name, path, version and length as texts, then the content.
fn plain(bytes: &[u8], at: usize) -> Option<(String, usize, usize)> {
    let (name, at) = c_string(bytes, at)?;
    let (path, at) = c_string(bytes, at)?;
    let (version, at) = c_string(bytes, at)?;
    let (len, at) = c_string(bytes, at)?;
    let plausible = !name.is_empty()
        && path.ends_with(name)
        && version.iter().all(|c| c.is_ascii_digit() || *c == b'.')
        && len.len() < 12;
    let len = text(len).parse().ok().filter(|_| plausible)?;
    Some((text(path).replace('\\', "/"), at, len))
}

fn open_scrambled(walker: &mut Walker<'_>, bytes: &[u8]) {
    let count = len16(bytes, MARK.len()).unwrap_or(0);
    let mut at = HEADER;
    for number in 1..=count {
        let header = slice(bytes, at, FILE_HEADER);
        let Some((header, len)) = header.and_then(|h| Some((h, len32(h, 268)?))) else {
            return walker.obstacle(Obstacle::Damaged(Kind::InstallShield));
        };
        if !walker.goes_on() {
            return;
        }
        let name = up_to(header, 0, 260).split(|c| *c == 0).next();
        let name = name.unwrap_or_default();
        let content = up_to(bytes, at + FILE_HEADER, len);
        let mut reader = Guarded(flate2::read::ZlibDecoder::new(Scrambled {
            bytes: content.iter(),
            key: key(name),
            at: 0,
        }));
        let name = text(name);
        let member = Member {
            kind: Kind::InstallShield,
            number,
            name: &name,
        };
        member.unpack(walker, content.len(), &mut reader);
        at = at.saturating_add(FILE_HEADER).saturating_add(len);
    }
}

/// Each byte of the name, by turns with four fixed ones.
fn key(name: &[u8]) -> Vec<u8> {
    let fixed = [0xec, 0xca, 0x79, 0xf8].iter().cycle();
    name.iter().zip(fixed).map(|(c, f)| c ^ f).collect()
}

/// Undoes the scrambling: the halves of each byte are swapped, then the key is added.
struct Scrambled<'b> {
    bytes: std::slice::Iter<'b, u8>,
    key: Vec<u8>,
    at: usize,
}

impl Read for Scrambled<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut read = 0;
        for (place, byte) in into.iter_mut().zip(self.bytes.by_ref()) {
            let key = self.key.get(self.at % self.key.len().max(1));
            *place = byte.rotate_left(4) ^ key.copied().unwrap_or(0);
            // The key begins again every 1,024 bytes.
            self.at = (self.at + 1) % 1_024;
            read += 1;
        }
        Ok(read)
    }
}
