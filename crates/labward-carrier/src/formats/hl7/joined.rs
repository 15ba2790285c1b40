//! A value that a sender split over several OBX of one observation, or over the lines of a note.

use std::borrow::Cow;

use labward_hl7::escape::unescape;

use super::ed::{self, Ed};
use super::{Reader, Segment, id_text, split};
use crate::decode;
use crate::find;
use crate::kind::{Claims, Kind};
use crate::path::Step;
use crate::seen::Declared;
use crate::walk::Walker;

/// Whether the two may hold one value: notes in a row, or OBX with the same OBX-3.
pub(super) fn belong_together(last: &Segment<'_>, next: &Segment<'_>) -> bool {
    last.id == next.id
        && match next.id {
            b"NTE" => true,
            b"OBX" => last.field(3) == next.field(3),
            _ => false,
        }
}

/// Enters the value that the row holds together; the number of the field that is done with, if it does.
pub(super) fn open(
    walker: &mut Walker<'_>,
    reader: &Reader<'_>,
    row: &[Segment<'_>],
) -> Option<usize> {
    let (first, last) = (row.first()?, row.last()?);
    let number = if first.id == b"NTE" { 3 } else { 5 };
    let is_text = first.id == b"NTE" || matches!(first.field(2), b"TX" | b"FT" | b"ST");
    if row.len() < 2 && !is_text {
        return None;
    }
    let length: usize = row.iter().map(|one| one.field(number).len()).sum();
    if length < find::SHORTEST {
        return None;
    }
    let place = if row.len() < 2 {
        format!("{}[{}].{number}", id_text(first.id), first.number)
    } else {
        let id = id_text(first.id);
        format!("{id}[{}-{}].{number}", first.number, last.number)
    };
    let steps: Vec<Step> = reader.steps(place).collect();
    if row.len() > 1
        && let Some(is_only) = enter_data(walker, &steps, row, number)
    {
        return is_only.then_some(number);
    }
    let lines: Vec<Cow<'_, [u8]>> = row
        .iter()
        .flat_map(|one| split(one.field(number), one.delimiters.repetition))
        .map(|line| unescape(line, &first.delimiters))
        .collect();
    let text = lines.join(&b'\n');
    if is_text && is_document(&text) {
        walker.enter(steps, &Declared::nothing(), &text);
        return Some(number);
    }
    None
}

/// Enters bytes whose Base64 or hex is split over the row; whether the pieces are nothing by themselves.
fn enter_data(
    walker: &mut Walker<'_>,
    steps: &[Step],
    row: &[Segment<'_>],
    number: usize,
) -> Option<bool> {
    let first = row.first()?;
    let ed = Ed::of(first.field(number), first.delimiters.component, false);
    let pieces: Vec<Vec<u8>> = row
        .iter()
        .map(|one| piece(one, number, ed.is_some()))
        .collect();
    if !find::may_be_one(&pieces) {
        return None;
    }
    let declared = ed.as_ref().map(|ed| ed.declared.clone());
    let at = |writing| steps.iter().cloned().chain([Step::Packing(writing)]);
    let ended = |piece: &Vec<u8>| piece.trim_ascii_end().ends_with(b"=");
    let before_last = pieces.get(..pieces.len() - 1).unwrap_or_default();
    if before_last.iter().any(ended) {
        let decoded = pieces.iter().map(|piece| decode::base64(piece).bytes);
        let bytes: Vec<u8> = decoded.flatten().collect();
        let declared = declared.unwrap_or_default();
        return find::is_something(&bytes).then(|| {
            walker.enter(at("base64"), &declared, &bytes);
            !find::may_be_many(&pieces)
        });
    }
    let text = pieces.concat();
    if let Some(found) = find::whole(&text) {
        let declared = declared.unwrap_or(found.declared);
        walker.enter(at(found.writing), &declared, &found.bytes);
        return Some(!find::may_be_many(&pieces));
    }
    // Its type names the encoding, and the others continue it.
    let ed = ed.filter(|ed| ed.is_base64() && decode::base64(&text).used == text.len())?;
    let continues = row.iter().skip(1).all(|one| !names_type(one, number));
    continues.then(|| {
        ed::enter(walker, steps, &ed, &text);
        true
    })
}

/// Whether the value says a type and encoding of its own.
fn names_type(segment: &Segment<'_>, number: usize) -> bool {
    let component = Some(segment.delimiters.component);
    split(segment.field(number), component)
        .nth(3)
        .is_some_and(|encoding| !encoding.is_empty())
}

/// What one segment of the row gives: the data of ED, or all of the field.
fn piece(segment: &Segment<'_>, number: usize, is_ed: bool) -> Vec<u8> {
    let field = segment.field(number);
    let ed = Ed::of(field, segment.delimiters.component, is_ed);
    let raw = ed.map_or(field, |ed| ed.data).trim_ascii();
    let repetition = segment.delimiters.repetition;
    let raw: Vec<u8> = split(raw, repetition).flatten().copied().collect();
    unescape(&raw, &segment.delimiters).into_owned()
}

/// Whether a text is a document of its own that no type declares.
pub(super) fn is_document(text: &[u8]) -> bool {
    matches!(
        Claims::of(text).main(),
        Kind::Rtf
            | Kind::Html
            | Kind::Pdf
            | Kind::Cda
            | Kind::FhirXml
            | Kind::FhirJson
            | Kind::Mime
            | Kind::Hl7
            | Kind::BinHex
    )
}
