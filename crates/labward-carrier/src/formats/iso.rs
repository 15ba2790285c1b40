//! Images of optical discs (ECMA-119, with Joliet): the files that the folders name.

use std::collections::HashSet;

use crate::budget::Limit;
use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{len32, slice, text, up_to, utf16be};
use super::member::Member;

const SECTOR: usize = 2_048;
/// Volume descriptors begin here; more of them than this are not looked at.
const FIRST_DESCRIPTOR: usize = 16;
const MOST_DESCRIPTORS: usize = 32;
/// More folders than any disc has.
const MOST_FOLDERS: usize = 65_536;

/// More records than any disc has: folders may overlap.
const MOST_RECORDS: usize = 1_000_000;

/// A stretch of the image: the first sector and the length in bytes.
type Extent = (usize, usize);

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let mut image = Image {
        bytes: part.bytes,
        number: 0,
        records: 0,
        files: HashSet::new(),
    };
    let (roots, is_udf) = roots(part.bytes);
    // The long names of Joliet first; files of the other tree are mostly the same stretches.
    for (root, joliet) in roots.iter().rev() {
        image.open_tree(walker, *root, *joliet);
    }
    if image.number == 0 {
        let obstacle = match is_udf {
            true => Obstacle::UnknownPacking(Kind::Iso),
            false => Obstacle::Damaged(Kind::Iso),
        };
        walker.obstacle(obstacle);
    }
}

fn roots(bytes: &[u8]) -> (Vec<(Extent, bool)>, bool) {
    let mut roots = Vec::new();
    let mut is_udf = false;
    for sector in FIRST_DESCRIPTOR..FIRST_DESCRIPTOR + MOST_DESCRIPTORS {
        let Some(descriptor) = slice(bytes, sector * SECTOR, SECTOR) else {
            break;
        };
        is_udf |= matches!(descriptor.get(1..5), Some(b"NSR0" | b"BEA0"));
        let kind = descriptor.first().copied();
        if descriptor.get(1..6) != Some(b"CD001") || !matches!(kind, Some(1 | 2)) {
            continue;
        }
        let joliet = kind == Some(2) && descriptor.get(88..90) == Some(b"%/");
        if let Some(root) = extent(descriptor.get(156..).unwrap_or_default()) {
            roots.push((root, joliet));
        }
    }
    (roots, is_udf)
}

/// Where the content of a directory record lies (9.1.3, 9.1.4), the little-endian half of both numbers.
fn extent(record: &[u8]) -> Option<Extent> {
    Some((len32(record, 2)?, len32(record, 10)?))
}

struct Image<'b> {
    bytes: &'b [u8],
    number: usize,
    records: usize,
    files: HashSet<Extent>,
}

impl Image<'_> {
    fn open_tree(&mut self, walker: &mut Walker<'_>, root: Extent, joliet: bool) {
        let mut folders = vec![(root, String::new())];
        let mut known = HashSet::from([root.0]);
        while let Some((folder, path)) = folders.pop() {
            let content = up_to(self.bytes, folder.0.saturating_mul(SECTOR), folder.1);
            for record in records(content) {
                self.records += 1;
                if self.records == MOST_RECORDS {
                    walker.obstacle(Obstacle::OverBudget(Limit::Parts));
                }
                if self.records >= MOST_RECORDS || !walker.goes_on() {
                    return;
                }
                let Some((name, to)) = name(record, joliet).zip(extent(record)) else {
                    continue;
                };
                let name = format!("{path}{name}");
                let is_folder = record.get(25).is_some_and(|flags| flags & 2 != 0);
                if !is_folder {
                    self.open_file(walker, &name, to);
                } else if known.len() < MOST_FOLDERS && known.insert(to.0) {
                    folders.push((to, up_to_bound(name + "/")));
                }
            }
        }
    }

    fn open_file(&mut self, walker: &mut Walker<'_>, name: &str, to: Extent) {
        if !self.files.insert(to) {
            return;
        }
        self.number += 1;
        let member = Member {
            kind: Kind::Iso,
            number: self.number,
            name,
        };
        let content = up_to(self.bytes, to.0.saturating_mul(SECTOR), to.1);
        member.enter(walker, content);
        if content.len() < to.1 {
            member.obstacle(walker, Obstacle::Damaged(Kind::Iso));
        }
    }
}

/// Folders in folders may not let the names grow without end.
fn up_to_bound(path: String) -> String {
    match path.len() > 1_024 {
        true => String::from("…/"),
        false => path,
    }
}

/// The records of a folder; none crosses a sector, zeros fill what is left of one.
fn records(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.chunks(SECTOR).flat_map(|sector| {
        let mut rest = sector;
        std::iter::from_fn(move || {
            let len = usize::from(*rest.first()?);
            let record = rest.get(..len).filter(|_| len > 33)?;
            rest = rest.get(len..)?;
            Some(record)
        })
    })
}

/// Nothing for the two records that name the folder itself and the one above it.
fn name(record: &[u8], joliet: bool) -> Option<String> {
    let len = usize::from(*record.get(32)?);
    let name = slice(record, 33, len)?;
    if matches!(name, [0 | 1]) {
        return None;
    }
    let name = if joliet { utf16be(name) } else { text(name) };
    Some(name.split(';').next().unwrap_or_default().to_owned())
}
