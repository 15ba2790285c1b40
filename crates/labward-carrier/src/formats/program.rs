//! What is packed into, or stands behind, a program of Windows (PE): archives that unpack themselves, installers, other
//! programs.
//!
//! A program is shown as it is and not run; one that a packer made unreadable is told.

use memchr::memmem;

use crate::kind::{Claims, Kind};
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{len16, len32, slice, up_to};
use super::{installshield, rar};

/// Names of sections that packers leave, as far as they are their own.
const PACKERS: &[&[u8]] = &[
    b"UPX0",
    b"UPX1",
    b"UPX!",
    b".aspack",
    b".adata",
    b"FSG!",
    b"MEW",
    b".petite",
    b".WWP32",
    b"yC\0",
    b".nsp0",
    b"nsp0",
    b".nsp1",
    b"PEC2",
    b"PECompact2",
    b".Upack",
    b"PS\xff\xd5\xab\xeb\xe7\xc3",
    b".MPRESS1",
    b".MPRESS2",
    b".themida",
    b".vmp0",
    b".vmp1",
    b".enigma1",
    b" KuNgBiM",
    b".pespin",
    b"ExeS",
    b"kkrunchy",
    b".neolit",
    b"PELOCKnt",
    b"pebundle",
    b".perplex",
    b"_winzip_",
    b".y0da",
];

/// What AutoIt writes before a compiled script.
const AUTO_IT: &[u8] = b"\xa3\x48\x4b\xbe\x98\x6c\x4a\xa9\x99\x4c\x53\x0a\x86\xd6\x48\x7d";
/// What the installers of NSIS begin with, behind four bytes of flags.
const NSIS: &[u8] = b"\xef\xbe\xad\xdeNullsoftInst";

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let Some(layout) = Layout::read(part.bytes) else {
        return;
    };
    if layout.packed || memmem::find(part.bytes, AUTO_IT).is_some() {
        walker.obstacle(Obstacle::UnknownPacking(Kind::Pe));
    }
    let overlay = part.bytes.get(layout.end..).unwrap_or_default();
    let is_zip = part.claims.all().any(|kind| kind == Kind::Zip);
    if memmem::find(up_to(overlay, 0, 4_096), NSIS).is_some() {
        walker.obstacle(Obstacle::UnknownPacking(Kind::Pe));
        return;
    }
    if !overlay.iter().all(|c| *c == 0) {
        if installshield::open_list(walker, overlay) {
            return;
        }
        if !is_zip && open_overlay(walker, overlay) {
            return;
        }
    }
    open_inside(walker, part.bytes);
}

/// A known file at the beginning of what stands behind the program, or an archive further on.
fn open_overlay(walker: &mut Walker<'_>, overlay: &[u8]) -> bool {
    let claims = Claims::of(overlay);
    let known = !matches!(claims.main(), Kind::Unknown | Kind::Text);
    let at = match known {
        true => Some(0),
        false => memmem::find(overlay, b"Rar!\x1a\x07")
            .filter(|at| overlay.get(*at..).is_some_and(rar::begins)),
    };
    let Some(file) = at.and_then(|at| overlay.get(at..)) else {
        return false;
    };
    let step = Step::Place("behind the program".to_owned());
    walker.enter([step], &Declared::nothing(), file);
    true
}

/// Cabinets and 7z archives anywhere in the program, as resources are; their headers are checked, for the marks
/// alone stand in every program that unpacks them.
fn open_inside(walker: &mut Walker<'_>, bytes: &[u8]) {
    let cab = |at: usize| {
        let size = len32(bytes, at + 8)?;
        let major = *bytes.get(at + 25)?;
        (major == 1 && size > 36).then(|| up_to(bytes, at, size))
    };
    let seven = |at: usize| {
        let file = bytes.get(at..)?;
        // Version 0, and the header behind the 32 bytes of the beginning lies in the file.
        let next = len32(file, 12)?.checked_add(len32(file, 20)?)?;
        (file.get(6) == Some(&0) && next.checked_add(32)? <= file.len()).then_some(file)
    };
    let mut from = 1;
    while let Some((at, file)) = next_file(bytes, from, b"MSCF\0\0\0\0", cab) {
        if !walker.goes_on() {
            return;
        }
        enter(walker, at, file);
        from = at + file.len();
    }
    if let Some((at, file)) = next_file(bytes, 1, b"7z\xbc\xaf\x27\x1c", seven) {
        enter(walker, at, file);
    }
    open_programs(walker, bytes);
}

/// Programs that stand in it as they are, each up to the next one: how long the last of them is, nothing says.
fn open_programs(walker: &mut Walker<'_>, bytes: &[u8]) {
    let behind_first = bytes.get(1..).unwrap_or_default();
    let mut begins = memmem::find_iter(behind_first, b"MZ")
        .map(|at| at + 1)
        .filter(|at| is_program(bytes.get(*at..).unwrap_or_default()))
        .peekable();
    while let Some(at) = begins.next() {
        if !walker.goes_on() {
            return;
        }
        let end = begins.peek().copied().unwrap_or(bytes.len());
        enter(walker, at, bytes.get(at..end).unwrap_or_default());
    }
}

/// Whether bytes that begin `MZ` have the headers of a program.
fn is_program(bytes: &[u8]) -> bool {
    let checked = || {
        let pe = len32(bytes, 0x3c)?;
        let sections = len16(bytes, pe.checked_add(6)?)?;
        let magic = len16(bytes, pe.checked_add(24)?)?;
        let is_whole = slice(bytes, pe, 4)? == b"PE\0\0";
        Some(is_whole && (1..=96).contains(&sections) && matches!(magic, 0x10b | 0x20b))
    };
    checked() == Some(true)
}

fn enter(walker: &mut Walker<'_>, at: usize, file: &[u8]) {
    let step = Step::Place(format!("byte {at}"));
    walker.enter([step], &Declared::nothing(), file);
}

fn next_file<'b>(
    bytes: &'b [u8],
    from: usize,
    mark: &[u8],
    file: impl Fn(usize) -> Option<&'b [u8]>,
) -> Option<(usize, &'b [u8])> {
    memmem::find_iter(bytes.get(from..)?, mark)
        .map(|at| from + at)
        .find_map(|at| Some((at, file(at)?)))
}

/// The sections of a program (PE format, "Section Table").
struct Layout {
    /// Where the last section ends.
    end: usize,
    packed: bool,
}

impl Layout {
    fn read(bytes: &[u8]) -> Option<Self> {
        let pe = len32(bytes, 0x3c)?;
        let optional = pe.checked_add(24)?;
        let sections = optional.checked_add(len16(bytes, pe + 20)?)?;
        let mut layout = Self {
            end: 0,
            packed: false,
        };
        for i in 0..len16(bytes, pe + 6)?.min(96) {
            let Some(section) = slice(bytes, sections + i * 40, 40) else {
                break;
            };
            layout.packed |= PACKERS.iter().any(|name| section.starts_with(name));
            let end = len32(section, 16)?.saturating_add(len32(section, 20)?);
            layout.end = layout.end.max(end);
        }
        layout.end = signed_end(bytes, optional, layout.end);
        Some(layout)
    }
}

/// A signature stands behind the sections too; what counts is what stands behind it.
fn signed_end(bytes: &[u8], optional: usize, end: usize) -> usize {
    let directories = match len16(bytes, optional) {
        Some(0x20b) => optional + 112,
        _ => optional + 96,
    };
    let signature = len32(bytes, directories + 32).zip(len32(bytes, directories + 36));
    match signature {
        Some((at, len)) if at > 0 && at <= end.next_multiple_of(512) && at >= end => {
            at.saturating_add(len).next_multiple_of(8)
        }
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::seen;

    /// A program of one section of 512 bytes.
    fn program(section: &[u8; 8]) -> Vec<u8> {
        let mut out = vec![0; 1_024];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(0x3c, &[0x40]);
        put(0x40, b"PE\0\0\x4c\x01\x01");
        put(0x40 + 20, &[0xe0]);
        put(0x40 + 24, &[0x0b, 0x01]);
        let at = 0x40 + 24 + 0xe0;
        put(at, section);
        put(at + 16, &512_u32.to_le_bytes());
        put(at + 20, &512_u32.to_le_bytes());
        out
    }

    #[test]
    fn archives_in_and_behind_a_program_are_opened() {
        let plain = program(b".text\0\0\0");
        assert_eq!(seen(&plain), [" = pe"]);
        let behind = [plain.clone(), b"!<arch>\n".to_vec()].concat();
        assert_eq!(seen(&behind), [" = pe", "behind the program = ar"]);
        let mut cab = b"MSCF\0\0\0\0".to_vec();
        cab.resize(44, 0);
        cab[8] = 44;
        cab[25] = 1;
        let mut inside = plain;
        inside[600..644].copy_from_slice(&cab);
        assert_eq!(seen(&inside), [" = pe", "byte 600 = cab"]);
    }

    #[test]
    fn programs_in_a_program_are_shown_each_by_itself() {
        let plain = program(b".text\0\0\0");
        let mut outer = [plain.clone(), vec![1; 100], plain.clone(), plain.clone()].concat();
        // The letters alone are none.
        outer[600..602].copy_from_slice(b"MZ");
        // All of it is the section's.
        outer[0x40 + 24 + 0xe0 + 16..][..4].copy_from_slice(&4_096_u32.to_le_bytes());
        assert_eq!(seen(&outer), [" = pe", "byte 1124 = pe", "byte 2148 = pe"]);
    }

    #[test]
    fn what_a_packer_or_an_installer_hides_is_told() {
        assert_eq!(
            seen(&program(b"UPX0\0\0\0\0")),
            [" = pe", " ? unknown-packing"]
        );
        let nsis = [
            program(b".text\0\0\0"),
            b"\0\0\0\0\xef\xbe\xad\xdeNullsoftInst".to_vec(),
        ];
        assert_eq!(seen(&nsis.concat()), [" = pe", " ? unknown-packing"]);
    }
}
