//! The elements of a data set (PS3.5 section 7), one after the other, out of sequences of any depth that is
//! allowed.

use crate::Limit;
use crate::find;
use crate::kind::Kind;
use crate::seen::Obstacle;

/// Sequences in one another.
const DEEPEST: usize = 64;
const UNDEFINED: u32 = 0xffff_ffff;

const ITEM: Tag = Tag(0xfffe, 0xe000);
const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);

/// Group and element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag(pub(super) u16, pub(super) u16);

/// How a data set is written.
#[derive(Clone, Copy)]
pub(super) struct Syntax {
    is_explicit: bool,
    is_big: bool,
}

impl Syntax {
    pub(super) const EXPLICIT: Self = Self {
        is_explicit: true,
        is_big: false,
    };

    /// By the transfer syntax, corrected by what the data begin with.
    pub(super) fn of(uid: &[u8], data: &[u8]) -> Self {
        let is_letters = |at: usize| {
            data.get(at..at + 2)
                .is_some_and(|vr| vr.iter().all(u8::is_ascii_uppercase))
        };
        Self {
            is_explicit: is_letters(4) || data.len() < 8 && uid != b"1.2.840.10008.1.2",
            is_big: uid == b"1.2.840.10008.1.2.2",
        }
    }
}

/// One element that has a value of its own.
pub(super) struct Element<'a> {
    pub(super) tag: Tag,
    pub(super) place: String,
    pub(super) value: &'a [u8],
    /// Its value representation is bytes (OB, OW, UN), or not known.
    pub(super) is_bytes: bool,
    /// Its value representation is numbers.
    pub(super) is_numbers: bool,
    /// It is a fragment of encapsulated pixels.
    pub(super) is_fragment: bool,
    is_big: bool,
}

impl Element<'_> {
    pub(super) fn u32_of(&self, bytes: [u8; 4]) -> u32 {
        if self.is_big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }
}

/// What comes next.
pub(super) enum Event<'a> {
    Element(Element<'a>),
    /// An item or sequence has ended.
    ItemEnd,
    /// Nothing more.
    End,
    /// Bytes that are no element, where one could have ended the file.
    Rest(&'a [u8]),
    /// Bytes that should have been an element.
    Fault(Obstacle, &'a [u8]),
}

/// A sequence or an item that is open.
struct Level {
    /// `None` where a delimiter ends it.
    end: Option<usize>,
    is_item: bool,
    /// The fragments of encapsulated pixels.
    is_fragments: bool,
    tag: Tag,
    items: usize,
    last: Option<Tag>,
    /// A value of type UN and undefined length is a sequence in implicit little-endian (PS3.5 6.2.2).
    outer_syntax: Syntax,
}

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    syntax: Syntax,
    levels: Vec<Level>,
    last: Option<Tag>,
}

struct Header {
    tag: Tag,
    vr: [u8; 2],
    len: u32,
    value_at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize, syntax: Syntax) -> Self {
        Self {
            bytes,
            at,
            syntax,
            levels: Vec::new(),
            last: None,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn next_event(&mut self) -> Event<'a> {
        loop {
            let ends = |level: &Level| level.end.is_some_and(|end| self.at >= end);
            if self.levels.last().is_some_and(ends) {
                self.pop();
                return Event::ItemEnd;
            }
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if rest.is_empty() {
                return self.end();
            }
            let Some(header) = self.header() else {
                return self.foreign(rest);
            };
            match header.tag {
                ITEM_END | SEQUENCE_END => {
                    self.at = header.value_at;
                    self.close(header.tag == SEQUENCE_END);
                    return Event::ItemEnd;
                }
                ITEM => match self.item(&header) {
                    Some(event) => return event,
                    None => continue,
                },
                _ => {}
            }
            if !self.ascends(header.tag) || self.is_sequence_open() {
                return self.foreign(rest);
            }
            if let Some(event) = self.element(&header, rest) {
                return event;
            }
        }
    }

    /// The bytes have ended; what should have been closed is damage.
    fn end(&self) -> Event<'a> {
        if self.levels.is_empty() {
            Event::End
        } else {
            Event::Fault(Obstacle::Damaged(Kind::Dicom), &[])
        }
    }

    /// What is no element: behind the data set, or in it.
    fn foreign(&self, rest: &'a [u8]) -> Event<'a> {
        if self.levels.is_empty() && self.last.is_some() {
            Event::Rest(rest)
        } else {
            Event::Fault(Obstacle::Damaged(Kind::Dicom), rest)
        }
    }

    fn is_sequence_open(&self) -> bool {
        self.levels.last().is_some_and(|level| !level.is_item)
    }

    /// Elements stand in the order of their tags.
    fn ascends(&mut self, tag: Tag) -> bool {
        let last = match self.levels.last_mut() {
            Some(level) => &mut level.last,
            None => &mut self.last,
        };
        let ascends = last.is_none_or(|last| last < tag);
        *last = Some(tag);
        ascends
    }

    /// The value of the element, or the sequence that it begins.
    fn element(&mut self, header: &Header, rest: &'a [u8]) -> Option<Event<'a>> {
        let begins_item = self.tag_at(header.value_at) == Some(ITEM);
        let is_pixels = header.tag == super::PIXELS;
        let is_undefined = header.len == UNDEFINED;
        let has_items = header.vr == *b"SQ"
            || is_undefined
            || begins_item && (!self.syntax.is_explicit || header.vr == *b"UN");
        let end = usize::try_from(header.len)
            .ok()
            .and_then(|len| header.value_at.checked_add(len))
            .filter(|end| *end <= self.bytes.len());
        if !is_undefined && end.is_none() {
            // Behind the end of the data set anything may look like an element.
            return Some(Event::Fault(Obstacle::Damaged(Kind::Dicom), rest));
        }
        if !has_items {
            let end = end?;
            self.at = end;
            let value = self.bytes.get(header.value_at..end).unwrap_or_default();
            return Some(Event::Element(self.value(header, value, false)));
        }
        if self.levels.len() >= DEEPEST {
            return Some(Event::Fault(Obstacle::OverBudget(Limit::Depth), &[]));
        }
        self.at = header.value_at;
        self.levels.push(Level {
            end: if is_undefined { None } else { end },
            is_item: false,
            is_fragments: is_pixels || matches!(&header.vr, b"OB" | b"OW"),
            tag: header.tag,
            items: 0,
            last: None,
            outer_syntax: self.syntax,
        });
        if header.vr == *b"UN" {
            self.syntax = Syntax {
                is_explicit: false,
                is_big: false,
            };
        }
        None
    }

    fn value(&self, header: &Header, value: &'a [u8], is_fragment: bool) -> Element<'a> {
        Element {
            tag: header.tag,
            // Only of what may hold something: there may be very many elements.
            place: if value.len() < find::SHORTEST && header.tag != super::DOCUMENT {
                String::new()
            } else {
                self.place(header.tag)
            },
            value,
            is_bytes: matches!(&header.vr, b"OB" | b"OW" | b"UN" | b"\0\0"),
            is_numbers: matches!(
                &header.vr,
                b"FD"
                    | b"FL"
                    | b"SL"
                    | b"SS"
                    | b"UL"
                    | b"US"
                    | b"OF"
                    | b"OD"
                    | b"OL"
                    | b"OV"
                    | b"AT"
            ),
            is_fragment,
            is_big: self.syntax.is_big,
        }
    }

    /// An item of the sequence that is open: a fragment of pixels, or elements.
    fn item(&mut self, header: &Header) -> Option<Event<'a>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(sequence) = self.levels.last_mut().filter(|level| !level.is_item) else {
            return Some(self.foreign(rest));
        };
        sequence.items += 1;
        let is_fragments = sequence.is_fragments;
        let is_undefined = header.len == UNDEFINED;
        let end = usize::try_from(header.len)
            .ok()
            .and_then(|len| header.value_at.checked_add(len))
            .filter(|end| *end <= self.bytes.len());
        if end.is_none() && !is_undefined {
            return Some(Event::Fault(Obstacle::Damaged(Kind::Dicom), rest));
        }
        if let (true, Some(end)) = (is_fragments, end) {
            self.at = end;
            let value = self.bytes.get(header.value_at..end).unwrap_or_default();
            return Some(Event::Element(self.value(header, value, true)));
        }
        if self.levels.len() >= DEEPEST {
            return Some(Event::Fault(Obstacle::OverBudget(Limit::Depth), &[]));
        }
        self.at = header.value_at;
        self.levels.push(Level {
            end: if is_undefined { None } else { end },
            is_item: true,
            is_fragments: false,
            tag: ITEM,
            items: 0,
            last: None,
            outer_syntax: self.syntax,
        });
        None
    }

    fn pop(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.syntax = level.outer_syntax;
        }
    }

    /// A delimiter came: it ends the item, or the sequence and what is open in it.
    fn close(&mut self, is_sequence: bool) {
        while let Some(level) = self.levels.last() {
            let is_it = level.is_item != is_sequence;
            self.pop();
            if is_it {
                break;
            }
        }
    }

    fn tag_at(&self, at: usize) -> Option<Tag> {
        Some(Tag(self.u16_at(at)?, self.u16_at(at + 2)?))
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if self.syntax.is_big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if self.syntax.is_big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    /// The header of the element here; `None` if it is none.
    fn header(&self) -> Option<Header> {
        let tag = self.tag_at(self.at)?;
        if tag.0 == 0xfffe || !self.syntax.is_explicit {
            return Some(Header {
                tag,
                vr: [0; 2],
                len: self.u32_at(self.at + 4)?,
                value_at: self.at + 8,
            });
        }
        let vr: [u8; 2] = self.bytes.get(self.at + 4..self.at + 6)?.try_into().ok()?;
        if !vr.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        let is_long = matches!(
            &vr,
            b"OB"
                | b"OW"
                | b"OF"
                | b"OD"
                | b"OL"
                | b"OV"
                | b"SQ"
                | b"UN"
                | b"UC"
                | b"UR"
                | b"UT"
                | b"SV"
                | b"UV"
        );
        let (len, value_at) = if is_long {
            (self.u32_at(self.at + 8)?, self.at + 12)
        } else {
            (u32::from(self.u16_at(self.at + 6)?), self.at + 8)
        };
        Some(Header {
            tag,
            vr,
            len,
            value_at,
        })
    }

    /// The path of the element through the sequences that are open.
    fn place(&self, tag: Tag) -> String {
        let mut out = String::new();
        for level in self.levels.iter().filter(|level| !level.is_item) {
            let Tag(group, element) = level.tag;
            out.push_str(&format!("({group:04x},{element:04x})[{}]", level.items));
            if tag != ITEM {
                out.push('.');
            }
        }
        if tag != ITEM {
            out.push_str(&format!("({:04x},{:04x})", tag.0, tag.1));
        }
        out
    }
}
