//! Zip archives (APPNOTE 6.3): the members that the list at the end names, and those that only stand in the
//! bytes.
//!
//! Readers disagree about which of the two lists counts, and files are made so that a scanner reads another one
//! than the victim's program: both are read, and a member whose two headers disagree is opened as each says.

mod directory;
mod method;

use std::collections::HashSet;

use crate::kind::Kind;
use crate::seen::{Obstacle, Part, Sign};
use crate::walk::Walker;

use super::member::Member;
use directory::{Entry, Listed};

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let listed = Listed::read(part.bytes);
    let mut number = 0;
    for entry in listed.entries() {
        if !walker.goes_on() {
            return;
        }
        number += 1;
        open_entry(walker, part.bytes, entry, number);
    }
    let mut from = 0;
    while let Some(entry) = listed.next_unlisted(part.bytes, from) {
        if !walker.goes_on() {
            return;
        }
        number += 1;
        let used = open_entry(walker, part.bytes, &entry, number);
        from = entry.data.saturating_add(used).max(from + 1);
    }
    if has_dde_link(&listed) {
        walker.sign(Sign::Dde);
    }
    if listed.is_cut() || number == 0 && !listed.is_empty_archive() {
        walker.obstacle(Obstacle::Damaged(Kind::Zip));
    }
    // A zip in the middle of another file has something of that behind it.
    if part.bytes.starts_with(b"PK") {
        super::trailing::tell(walker, part.bytes, listed.end());
    }
}

/// A binary workbook keeps a link as a part: to another file with a relationship beside it, to a DDE server
/// without.
fn has_dde_link(listed: &Listed) -> bool {
    const FOLDER: &str = "xl/externalLinks/";
    let names = || listed.entries().iter().map(|entry| entry.name.as_str());
    let linked: HashSet<_> = names()
        .filter_map(|name| {
            name.strip_prefix(FOLDER)?
                .strip_prefix("_rels/")?
                .strip_suffix(".rels")
        })
        .collect();
    names()
        .filter_map(|name| name.strip_prefix(FOLDER))
        .any(|name| name.ends_with(".bin") && !linked.contains(name))
}

/// Opens one member; returns how many bytes of packed content it has.
fn open_entry(walker: &mut Walker<'_>, bytes: &[u8], entry: &Entry, number: usize) -> usize {
    let member = Member {
        kind: Kind::Zip,
        number,
        name: &entry.name,
    };
    if entry.name.ends_with('/') && entry.packed_len == Some(0) {
        member.tell_escape(walker);
        return 0;
    }
    if entry.is_encrypted() {
        member.obstacle(walker, Obstacle::Encrypted);
        return entry.packed_len.unwrap_or(0);
    }
    let used = method::open(walker, bytes, entry, member);
    if entry.name.contains("/macrosheets/") {
        member.sign(walker, Sign::Xlm);
    }
    used
}

#[cfg(test)]
mod tests;
