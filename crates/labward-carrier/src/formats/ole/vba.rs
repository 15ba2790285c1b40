//! VBA projects (MS-OVBA): the sources of the modules, and whether one runs by itself.

use memchr::memmem;

use crate::formats::bytes::{len16, len32, slice, text, up_to};

/// A source of more bytes is cut: no module is as long.
pub(super) const LONGEST_SOURCE: usize = 4 << 20;
const CHUNK: usize = 4_096;

/// Procedures that the programs start when a document is opened, closed or used.
const AUTO_RUN: &[&str] = &[
    "autoopen",
    "auto_open",
    "autoclose",
    "auto_close",
    "autoexec",
    "autoexit",
    "autonew",
    "auto_activate",
    "auto_deactivate",
    "auto_add",
    "auto_remove",
    "auto_range",
    "document_open",
    "document_close",
    "document_new",
    "document_beforeclose",
    "document_contentcontrolonenter",
    "document_contentcontrolonexit",
    "document_change",
    "documentopen",
    "documentclose",
    "documentbeforeclose",
    "documentchange",
    "newdocument",
    "workbook_open",
    "workbook_activate",
    "workbook_close",
    "workbook_beforeclose",
    "workbook_deactivate",
    "workbook_sheetactivate",
    "workbook_sheetchange",
    "worksheet_activate",
    "worksheet_change",
    "worksheet_calculate",
    "worksheet_selectionchange",
    "frame1_layout",
    "inkpicture1_painted",
    "inkpicture1_painting",
    "multipage1_layout",
    "systemmonitor1_gotfocus",
    "webbrowser1_documentcomplete",
    "userform_click",
    "userform_activate",
    "userform_initialize",
    "onload_ribbon",
    "app_workbookopen",
];

/// Whether a module has a procedure that runs by itself.
pub(super) fn runs_by_itself(source: &[u8]) -> bool {
    let source = source.to_ascii_lowercase();
    let is_word = |at: usize| {
        source
            .get(at)
            .is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')
    };
    AUTO_RUN.iter().any(|name| {
        memmem::find_iter(&source, name).any(|at| {
            let before = source.get(..at).unwrap_or_default().trim_ascii_end();
            // The name of a procedure, not a word in a comment or a string.
            (before.ends_with(b"sub") || before.ends_with(b"function")) && !is_word(at + name.len())
        })
    })
}

/// The name of each module's stream and where its source begins in it, by the `dir` stream (2.3.4.2).
pub(super) fn modules(dir: &[u8]) -> Vec<(String, usize)> {
    const NAME: u16 = 0x1a;
    const OFFSET: u16 = 0x31;
    /// The one record whose length field does not count all of it.
    const VERSION: u16 = 0x09;
    let mut out = Vec::new();
    let mut name = String::new();
    let mut at = 0;
    while let (Some(id), Some(len)) = (len16(dir, at), len32(dir, at + 2)) {
        let id = u16::try_from(id).unwrap_or(0);
        let content = up_to(dir, at + 6, len);
        match id {
            NAME => name = text(content),
            OFFSET => out.extend(len32(content, 0).map(|offset| (name.clone(), offset))),
            _ => {}
        }
        let len = if id == VERSION { len + 2 } else { len };
        at = at.saturating_add(6).saturating_add(len);
    }
    out
}

/// The source in a module's stream: at the offset that `dir` names, or where one begins as every source does.
/// At most `most` bytes, and whether that is all.
pub(super) fn source(stream: &[u8], offset: Option<usize>, most: usize) -> Option<(Vec<u8>, bool)> {
    let named = offset.and_then(|offset| decompressed(stream.get(offset..)?, most));
    named.filter(|(source, _)| !source.is_empty()).or_else(|| {
        let at = memmem::find(stream, b"\0Attribut")?;
        decompressed(stream.get(at.checked_sub(3)?..)?, most)
    })
}

/// A compressed container (2.4.1): a signature, then chunks of at most 4 KiB, cut where it is damaged;
/// at most `most` bytes, and whether that is all.
pub(super) fn decompressed(container: &[u8], most: usize) -> Option<(Vec<u8>, bool)> {
    let mut rest = container.strip_prefix(&[1])?;
    let mut out = Vec::new();
    while let Some(header) = len16(rest, 0) {
        if out.len() >= most {
            out.truncate(most);
            return Some((out, false));
        }
        let len = (header & 0x0fff) + 1;
        let chunk = up_to(rest, 2, len);
        match header & 0x8000 {
            0 => out.extend_from_slice(up_to(rest, 2, CHUNK)),
            _ => {
                if decompress_chunk(chunk, &mut out).is_none() {
                    break;
                }
            }
        }
        rest = rest.get(2 + chunk.len()..).unwrap_or_default();
    }
    out.truncate(most);
    Some((out, true))
}

/// Groups of eight tokens behind a byte of flags: a literal, or a copy from what the chunk gave before.
fn decompress_chunk(chunk: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    let mut at = 0;
    while let Some(flags) = chunk.get(at) {
        at += 1;
        for bit in 0..8 {
            if flags >> bit & 1 == 0 {
                let Some(literal) = chunk.get(at) else {
                    return Some(());
                };
                out.push(*literal);
                at += 1;
                continue;
            }
            let Some(token) = len16(chunk, at) else {
                return Some(());
            };
            at += 2;
            let done = out.len() - start;
            // As many bits of the token are the distance as the number of bytes so far needs, 4 at least.
            let distance_bits = (4..12).find(|bits| done <= 1 << bits).unwrap_or(12);
            let length = (token & (0xffff >> distance_bits)) + 3;
            let distance = (token >> (16 - distance_bits)) + 1;
            let from = out
                .len()
                .checked_sub(distance)
                .filter(|from| *from >= start)?;
            if done + length > CHUNK {
                return None;
            }
            for i in 0..length {
                let byte = *out.get(from + i)?;
                out.push(byte);
            }
        }
    }
    Some(())
}

/// Whether bytes are the beginning of a compressed container.
pub(super) fn is_container(bytes: &[u8]) -> bool {
    slice(bytes, 0, 3).is_some_and(|head| matches!(head, [1, _, high] if high & 0x70 == 0x30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_decompressed() {
        // MS-OVBA 3.2.2, "normal compression example".
        let container = [
            0x01, 0x2f, 0xb0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66,
            0x00, 0x70, 0x61, 0x67, 0x68, 0x69, 0x6a, 0x01, 0x38, 0x08, 0x61, 0x6b, 0x6c, 0x00,
            0x30, 0x6d, 0x6e, 0x6f, 0x70, 0x06, 0x71, 0x02, 0x70, 0x04, 0x10, 0x72, 0x73, 0x74,
            0x75, 0x76, 0x10, 0x77, 0x78, 0x79, 0x7a, 0x00, 0x3c,
        ];
        let text = b"#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa";
        let (source, whole) = decompressed(&container, 4_096).unwrap();
        assert_eq!(source, text);
        assert!(whole);
    }

    #[test]
    fn only_procedures_run_by_themselves() {
        assert!(runs_by_itself(b"Private Sub Document_Open()\r\n"));
        assert!(runs_by_itself(b"Sub  AUTOOPEN\r\n"));
        assert!(!runs_by_itself(
            b"' does what AutoOpen did\r\nSub Other()\r\n"
        ));
        assert!(!runs_by_itself(b"Sub AutoOpenLater()\r\n"));
    }
}
