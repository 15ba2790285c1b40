//! TNEF, the `winmail.dat` of Outlook ([MS-OXTNEF]): attachments, their names, and the bodies that its MAPI
//! properties hold.

mod rtf;

use crate::find;
use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

const BODY: u32 = 0x0002_800c;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
const RENDER: u32 = 0x0006_9002;
const TITLE: u32 = 0x0001_8010;
const DATA: u32 = 0x0006_800f;
const ATTACHMENT: u32 = 0x0006_9005;

/// `PR_ATTACH_LONG_FILENAME` and `PR_ATTACH_FILENAME`.
const NAMES: [u16; 2] = [0x3707, 0x3704];
/// `PR_ATTACH_MIME_TAG`.
const MEDIA_TYPE: u16 = 0x370e;
/// `PR_ATTACH_DATA_OBJ`: an embedded message, or an OLE object; a class identifier stands before it.
const OBJECT: u16 = 0x3701;

/// `PR_RTF_COMPRESSED`.
const PACKED_RTF: u16 = 0x1009;
/// So many bytes some writers leave behind the last attribute.
const NOISE: usize = 2;
/// More values of one property than this are damage.
const MOST_VALUES: u32 = 10_000;

/// An attachment as far as it was read.
#[derive(Default)]
struct Attachment<'a> {
    title: Option<String>,
    declared: Declared,
    data: Vec<&'a [u8]>,
}

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    // The signature and a key.
    let mut rest = part.bytes.get(6..).unwrap_or_default();
    let mut attachment = Attachment::default();
    let mut number = 0;
    while rest.len() > NOISE && walker.goes_on() {
        let Some((id, data, after)) = attribute(rest) else {
            end(walker, &mut attachment, &mut number);
            walker.obstacle(Obstacle::Damaged(Kind::Tnef));
            return;
        };
        rest = after;
        match id {
            RENDER => end(walker, &mut attachment, &mut number),
            TITLE => attachment.title = Some(text(data)),
            DATA => attachment.data.push(data),
            ATTACHMENT => {
                let whole = properties(data, &mut |property| attachment.take(&property));
                if whole.is_none() {
                    walker.obstacle(Obstacle::Damaged(Kind::Tnef));
                }
            }
            BODY => enter(walker, &Declared::nothing(), "body", data),
            MESSAGE_PROPERTIES => {
                let whole = properties(data, &mut |property| enter_property(walker, &property));
                if whole.is_none() {
                    walker.obstacle(Obstacle::Damaged(Kind::Tnef));
                }
            }
            _ => {}
        }
    }
    end(walker, &mut attachment, &mut number);
}

fn enter(walker: &mut Walker<'_>, declared: &Declared, place: &str, data: &[u8]) {
    let steps = [
        Step::Packing(Kind::Tnef.code()),
        Step::Place(place.to_owned()),
    ];
    walker.enter(steps, declared, data);
}

fn enter_property(walker: &mut Walker<'_>, property: &Property<'_>) {
    if property.data.len() < find::SHORTEST || !property.is_text_or_bytes {
        return;
    }
    let place = format!("property {:04x}", property.id);
    if property.id != PACKED_RTF {
        enter(walker, &Declared::nothing(), &place, property.data);
        return;
    }
    let (room, limit) = walker.room(property.data.len() as u64);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    match rtf::unpacked(property.data, room) {
        Ok(text) => enter(walker, &Declared::typed("text/rtf"), &place, &text),
        Err(rtf::Fault::Damaged) => walker.obstacle(Obstacle::Damaged(Kind::Tnef)),
        Err(rtf::Fault::TooMuch) => walker.obstacle(Obstacle::OverBudget(limit)),
    }
}

/// Shows the attachment that has ended.
fn end(walker: &mut Walker<'_>, attachment: &mut Attachment<'_>, number: &mut usize) {
    let mut attachment = std::mem::take(attachment);
    if attachment.data.is_empty() {
        return;
    }
    *number += 1;
    let name = attachment.declared.name.take().or(attachment.title);
    let declared = Declared {
        name: name.clone(),
        ..attachment.declared
    };
    for data in attachment.data {
        let steps = [
            Step::Packing(Kind::Tnef.code()),
            Step::member(*number, name.as_deref().unwrap_or("")),
        ];
        walker.enter(steps, &declared, data);
    }
}

/// An attribute: its level, its id, its length, its data, its checksum.
fn attribute(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let id = u32_at(bytes, 1)?;
    let len = usize::try_from(u32_at(bytes, 5)?).ok()?;
    let data = bytes.get(9..)?.get(..len)?;
    let after = bytes.get(9 + len..)?;
    Some((id, data, after.get(2..).unwrap_or_default()))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

/// Text of one byte a character, or UTF-16, up to its NUL.
fn text(data: &[u8]) -> String {
    let is_wide = data.len() >= 4 && data.iter().skip(1).step_by(2).all(|byte| *byte == 0);
    let text = if is_wide {
        let (pairs, _) = data.as_chunks::<2>();
        let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        String::from_utf8_lossy(data).into_owned()
    };
    let end = text.find('\0').unwrap_or(text.len());
    text.get(..end)
        .unwrap_or_default()
        .chars()
        .take(255)
        .collect()
}

struct Property<'a> {
    id: u16,
    is_text_or_bytes: bool,
    data: &'a [u8],
}

impl<'a> Attachment<'a> {
    fn take(&mut self, property: &Property<'a>) {
        match property.id {
            id if NAMES.contains(&id) => {
                let name = Some(text(property.data));
                if id == 0x3707 || self.declared.name.is_none() {
                    self.declared.name = name;
                }
            }
            MEDIA_TYPE => self.declared.media_type = Some(text(property.data)),
            OBJECT => self.data.push(property.data.get(16..).unwrap_or_default()),
            _ => {}
        }
    }
}

/// Gives each property that has bytes of its own; `None` where they do not follow the format.
fn properties<'a>(data: &'a [u8], take: &mut dyn FnMut(Property<'a>)) -> Option<()> {
    let count = u32_at(data, 0)?;
    let mut at = 4;
    for _ in 0..count {
        let tag = u32_at(data, at)?;
        at += 4;
        let [low, high, id_low, id_high] = tag.to_le_bytes();
        let (kind, id) = (
            u16::from_le_bytes([low, high]),
            u16::from_le_bytes([id_low, id_high]),
        );
        if id >= 0x8000 {
            at = after_name(data, at)?;
        }
        let is_multiple = kind & 0x1000 != 0;
        let base = kind & 0x0fff;
        let is_long = matches!(base, 0x000d | 0x001e | 0x001f | 0x0102);
        let mut values = 1;
        if is_multiple || is_long {
            values = u32_at(data, at)?;
            at += 4;
        }
        if values > MOST_VALUES {
            return None;
        }
        for _ in 0..values {
            let len = if is_long {
                let len = usize::try_from(u32_at(data, at)?).ok()?;
                at += 4;
                len
            } else {
                fixed_len(base)?
            };
            let data = data.get(at..)?.get(..len)?;
            at += len.next_multiple_of(4);
            take(Property {
                id,
                is_text_or_bytes: is_long,
                data,
            });
        }
    }
    Some(())
}

/// The end of the name of a property that has one.
fn after_name(data: &[u8], at: usize) -> Option<usize> {
    let by_text = u32_at(data, at + 16)? == 1;
    let value = usize::try_from(u32_at(data, at + 20)?).ok()?;
    let name = if by_text {
        value.checked_next_multiple_of(4)?
    } else {
        0
    };
    (at + 24).checked_add(name)
}

fn fixed_len(kind: u16) -> Option<usize> {
    match kind {
        0x0001 | 0x0002 | 0x0003 | 0x0004 | 0x000a | 0x000b => Some(4),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::testing::{parts, seen};

    fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
        let mut out = vec![level];
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
        out.extend_from_slice(data);
        out.extend_from_slice(&[0, 0]);
        out
    }

    fn file(attributes: &[Vec<u8>]) -> Vec<u8> {
        [&b"\x78\x9f\x3e\x22\x01\0"[..], &attributes.concat()].concat()
    }

    #[test]
    fn an_attachment_has_its_long_name() {
        let long = "report of the laboratory.pdf.exe";
        let mut properties = 1_u32.to_le_bytes().to_vec();
        properties.extend_from_slice(&0x3707_001e_u32.to_le_bytes());
        properties.extend_from_slice(&1_u32.to_le_bytes());
        properties.extend_from_slice(&u32::try_from(long.len() + 1).unwrap().to_le_bytes());
        properties.extend_from_slice(long.as_bytes());
        properties.resize(properties.len().next_multiple_of(4) + 4, 0);
        let bytes = file(&[
            attribute(2, super::RENDER, &[0; 14]),
            attribute(2, super::TITLE, b"REPORT~1.EXE\0"),
            attribute(2, super::DATA, b"MZ program"),
            attribute(2, super::ATTACHMENT, &properties),
        ]);
        assert_eq!(
            seen(&bytes),
            [
                " = tnef",
                "tnef : report of the laboratory.pdf.exe = dos",
                "tnef : report of the laboratory.pdf.exe ! deceptive-name"
            ]
        );
        let cut = bytes.get(..60).unwrap();
        assert_eq!(seen(cut).last().unwrap(), " ? damaged");
    }

    #[test]
    fn a_real_file_gives_its_program() {
        let folder = std::path::Path::new("/usr/share/clamav-testfiles");
        let (Ok(program), Ok(file)) = (
            std::fs::read(folder.join("clam.exe")),
            std::fs::read(folder.join("clam.tnef")),
        ) else {
            eprintln!("labward-skip: tnef real file: clamav-testfiles is not installed");
            return;
        };
        assert!(parts(&file).iter().any(|(_, bytes)| *bytes == program));
        let found = seen(&file);
        assert!(found.iter().all(|line| !line.contains(" ? ")), "{found:?}");
    }

    proptest! {
        #[test]
        fn any_file_ends(rest: Vec<u8>, ids in proptest::collection::vec(0_usize..6, 0..6)) {
            prop_assert!(!seen(&file(std::slice::from_ref(&rest))).is_empty());
            let all = [super::RENDER, super::TITLE, super::DATA, super::ATTACHMENT, super::BODY, super::MESSAGE_PROPERTIES];
            let attributes: Vec<_> = ids.iter().map(|n| attribute(1, all[*n], &rest)).collect();
            prop_assert!(!seen(&file(&attributes)).is_empty());
        }
    }
}
