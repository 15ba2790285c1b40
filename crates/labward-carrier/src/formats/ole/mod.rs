//! Compound files: Word, Excel and PowerPoint up to 2003, Outlook messages, installer packages, VBA projects,
//! embedded objects. Every stream is shown; what is known to lie in one is opened.

mod file;
pub(crate) mod office;
pub(crate) mod package;
mod vba;

use std::collections::HashSet;

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part, Sign};
use crate::walk::Walker;

use super::bytes::{len32, up_to};
use super::member::Member;
use file::{OleFile, Stream};

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let file = OleFile::read(part.bytes).filter(|file| !file.streams.is_empty());
    let Some(file) = file else {
        return walker.obstacle(Obstacle::Damaged(Kind::Ole));
    };
    if file
        .streams
        .iter()
        .any(|stream| stream.name() == "EncryptedPackage")
    {
        return walker.obstacle(Obstacle::Encrypted);
    }
    let mut number = 0;
    for stream in &file.streams {
        if !walker.goes_on() {
            return;
        }
        number += 1;
        open_stream(walker, &file, stream, number);
    }
    open_vba(walker, &file, number);
}

fn open_stream(walker: &mut Walker<'_>, file: &OleFile<'_>, stream: &Stream, number: usize) {
    let (room, limit) = walker.room(file.len() as u64);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let (content, whole) = file.content(stream, room);
    let member = Member {
        kind: Kind::Ole,
        number,
        name: &stream.path,
    };
    walker.enter(
        [
            Step::Packing(Kind::Ole.code()),
            Step::member(number, &stream.path),
        ],
        &Declared::nothing(),
        &content,
    );
    if content.len() >= room && stream.len > room {
        member.obstacle(walker, Obstacle::OverBudget(limit));
    } else if !whole || stream.len > room {
        member.obstacle(walker, Obstacle::Damaged(Kind::Ole));
    }
    walker.within(Step::Packing(Kind::Ole.code()), |walker| {
        walker.within(Step::member(number, &stream.path), |walker| {
            open_known(walker, stream, &content);
        });
    });
}

/// What is known to lie in a stream of this name.
fn open_known(walker: &mut Walker<'_>, stream: &Stream, content: &[u8]) {
    match stream.name() {
        "WordDocument" => office::word(walker, content),
        "Workbook" | "Book" => office::excel(walker, content),
        "PowerPoint Document" => office::powerpoint(walker, content),
        "Current User" if office::is_encrypted_user(content) => {
            walker.obstacle(Obstacle::Encrypted);
        }
        "\u{1}Ole10Native" => {
            // The length stands before it.
            let len = len32(content, 0).unwrap_or(0);
            package::enter_native(walker, 1, "Ole10Native", up_to(content, 4, len));
        }
        // Documents of Word saved as one XML keep each object so.
        name if name.starts_with('_')
            && stream.storage().is_empty()
            && content.get(4) == Some(&0x78) =>
        {
            office::object(walker, Step::Place("object".to_owned()), true, content);
        }
        _ => {}
    }
}

/// Shows the source of each VBA module. A project whose sources are gone (only its compiled form is left) is a
/// macro too.
fn open_vba(walker: &mut Walker<'_>, file: &OleFile<'_>, mut number: usize) {
    let with_dir: HashSet<_> = file
        .streams
        .iter()
        .filter(|stream| stream.name().eq_ignore_ascii_case("dir"))
        .map(Stream::storage)
        .collect();
    let mut told = false;
    for dir in &file.streams {
        if !walker.goes_on() {
            return;
        }
        if !is_vba(file, dir, &with_dir) {
            continue;
        }
        if !told {
            walker.sign(Sign::Macro);
            told = true;
        }
        let (packed, _) = file.content(dir, dir.len);
        walker.spend(packed.len());
        let (dir_content, _) = vba::decompressed(&packed, vba::LONGEST_SOURCE).unwrap_or_default();
        let modules = vba::modules(&dir_content);
        let in_project = file
            .streams
            .iter()
            .filter(|stream| stream.storage() == dir.storage() && !is_own(stream.name()));
        for stream in in_project {
            if !walker.goes_on() {
                return;
            }
            let offset = modules.iter().find(|(name, _)| name == stream.name());
            number += 1;
            open_module(
                walker,
                file,
                stream,
                offset.map(|(_, offset)| *offset),
                number,
            );
        }
    }
}

/// The `dir` stream of a project, or what stands for it where that was taken away.
fn is_vba(file: &OleFile<'_>, stream: &Stream, with_dir: &HashSet<&str>) -> bool {
    let name = stream.name();
    if name.eq_ignore_ascii_case("dir") {
        return vba::is_container(&file.content(stream, 8).0);
    }
    name.eq_ignore_ascii_case("_VBA_PROJECT") && !with_dir.contains(stream.storage())
}

/// Streams of a project that are no modules.
fn is_own(name: &str) -> bool {
    name.eq_ignore_ascii_case("dir") || name.starts_with("_VBA") || name.starts_with("__SRP")
}

fn open_module(
    walker: &mut Walker<'_>,
    file: &OleFile<'_>,
    stream: &Stream,
    offset: Option<usize>,
    number: usize,
) {
    let (content, _) = file.content(stream, stream.len);
    walker.spend(content.len());
    let (room, limit) = walker.room(content.len() as u64);
    let most = usize::try_from(room).unwrap_or(usize::MAX);
    let Some((source, whole)) = vba::source(&content, offset, most.min(vba::LONGEST_SOURCE)) else {
        return;
    };
    let step = Step::member(number, stream.name());
    walker.enter(
        [Step::Packing("vba"), step.clone()],
        &Declared::typed("text/vbscript"),
        &source,
    );
    if !whole {
        walker.obstacle_at(step, Obstacle::OverBudget(limit));
    }
    if vba::runs_by_itself(&source) {
        walker.sign(Sign::MacroAutoRun);
    }
}

#[cfg(test)]
mod tests;
