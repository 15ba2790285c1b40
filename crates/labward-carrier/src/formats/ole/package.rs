//! Objects embedded in documents: OLE 1 objects (MS-OLEDS 2.2) and the packages of files in them.

use crate::formats::bytes::{c_string, len32, slice, text, up_to, utf16le};
use crate::path::Step;
use crate::seen::{Declared, Sign};
use crate::walk::Walker;

/// A file that a package carries: its name, and its bytes.
pub(crate) struct Packaged<'b> {
    pub(crate) name: String,
    pub(crate) content: &'b [u8],
}

/// Reads the native data of a package: mark, label, name, a path, the content, and the names in Unicode.
pub(crate) fn packaged(native: &[u8]) -> Option<Packaged<'_>> {
    let (label, at) = c_string(native, 2)?;
    let (path, at) = c_string(native, at)?;
    // A number of 16 bits that tells link from file, then the path in the sender's temporary folder.
    let at = at + 4;
    let path_len = len32(native, at)?;
    let at = at.checked_add(4)?.checked_add(path_len)?;
    let len = len32(native, at)?;
    let content = slice(native, at + 4, len)?;
    // A longer name may stand behind it, three of them in Unicode.
    let unicode = len32(native, at + 4 + len)
        .and_then(|_| len32(native, at + 4 + len))
        .and_then(|units| Some((at + 8 + len, units.checked_mul(2)?)))
        .and_then(|(at, len)| slice(native, at, len))
        .map(utf16le);
    let name = [unicode.unwrap_or_default(), text(label), text(path)]
        .into_iter()
        .map(|name| {
            name.rsplit(['\\', '/'])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    Some(Packaged { name, content })
}

/// Enters what the native data of an object holds: the file of a package, or the data as it is.
pub(crate) fn enter_native(walker: &mut Walker<'_>, number: usize, class: &str, native: &[u8]) {
    match packaged(native) {
        Some(file) => {
            let step = Step::member(number, &file.name);
            walker.enter([step.clone()], &Declared::named(&file.name), file.content);
            walker.sign_at(step, Sign::EmbeddedObject);
        }
        None => {
            let step = Step::member(number, class);
            walker.enter([step.clone()], &Declared::nothing(), native);
            walker.sign_at(step, Sign::EmbeddedObject);
        }
    }
}

/// An object in the format of OLE 1.
pub(crate) struct Ole1<'b> {
    pub(crate) class: String,
    /// What a linked object points to.
    pub(crate) topic: Option<String>,
    pub(crate) native: &'b [u8],
}

/// Reads one: version, format, class, topic, item, the length and the native data, cut where the bytes end.
pub(crate) fn ole1(bytes: &[u8]) -> Option<Ole1<'_>> {
    const LINKED: usize = 1;
    let format = len32(bytes, 4).filter(|format| (1..=5).contains(format))?;
    let (class, at) = counted(bytes, 8)?;
    let (topic, at) = counted(bytes, at)?;
    let (_, at) = counted(bytes, at)?;
    if format == LINKED {
        return Some(Ole1 {
            class,
            topic: Some(topic),
            native: &[],
        });
    }
    let len = len32(bytes, at)?;
    Some(Ole1 {
        class,
        topic: None,
        native: up_to(bytes, at + 4, len),
    })
}

/// A length of 32 bits and as many bytes with a zero at the end.
fn counted(bytes: &[u8], at: usize) -> Option<(String, usize)> {
    let len = len32(bytes, at)?;
    let content = slice(bytes, at + 4, len)?;
    Some((
        text(content.strip_suffix(&[0]).unwrap_or(content)),
        at + 4 + len,
    ))
}
