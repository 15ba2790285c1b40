//! What bytes are, by the bytes alone.

use memchr::{memmem, memrchr_iter};

use crate::formats;

/// What a part really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is named after its format")]
pub enum Kind {
    // Clinical.
    Mllp,
    Hl7,
    Astm,
    FhirJson,
    FhirXml,
    Cda,
    Dicom,
    // Mail.
    Mime,
    Tnef,
    Uuencode,
    BinHex,
    // Documents.
    Pdf,
    Ole,
    Rtf,
    Html,
    OneNote,
    Chm,
    ActiveMime,
    // Archives and single packed files.
    Zip,
    Gzip,
    Bzip2,
    Xz,
    Lzma,
    Zstd,
    Tar,
    Cpio,
    Ar,
    SevenZip,
    Cab,
    Arj,
    Rar,
    Szdd,
    Iso,
    InstallShield,
    Sis,
    // Programs.
    Pe,
    Dos,
    Elf,
    MachO,
    JavaClass,
    Script,
    Shortcut,
    // Pictures.
    Jpeg,
    Png,
    Gif,
    Tiff,
    Bmp,
    // The rest.
    Json,
    Xml,
    Text,
    Unknown,
}

impl Kind {
    /// The stable code of the kind, also the step of a path.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Mllp => "mllp",
            Self::Hl7 => "hl7",
            Self::Astm => "astm",
            Self::FhirJson => "fhir-json",
            Self::FhirXml => "fhir-xml",
            Self::Cda => "cda",
            Self::Dicom => "dicom",
            Self::Mime => "mime",
            Self::Tnef => "tnef",
            Self::Uuencode => "uuencode",
            Self::BinHex => "binhex",
            Self::Pdf => "pdf",
            Self::Ole => "ole",
            Self::Rtf => "rtf",
            Self::Html => "html",
            Self::OneNote => "onenote",
            Self::Chm => "chm",
            Self::ActiveMime => "activemime",
            Self::Zip => "zip",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Zstd => "zstd",
            Self::Tar => "tar",
            Self::Cpio => "cpio",
            Self::Ar => "ar",
            Self::SevenZip => "7z",
            Self::Cab => "cab",
            Self::Arj => "arj",
            Self::Rar => "rar",
            Self::Szdd => "szdd",
            Self::Iso => "iso",
            Self::InstallShield => "installshield",
            Self::Sis => "sis",
            Self::Pe => "pe",
            Self::Dos => "dos",
            Self::Elf => "elf",
            Self::MachO => "macho",
            Self::JavaClass => "java-class",
            Self::Script => "script",
            Self::Shortcut => "shortcut",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Tiff => "tiff",
            Self::Bmp => "bmp",
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Text => "text",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a machine runs it as it is.
    #[must_use]
    pub fn is_program(self) -> bool {
        matches!(
            self,
            Self::Pe
                | Self::Dos
                | Self::Elf
                | Self::MachO
                | Self::JavaClass
                | Self::Script
                | Self::Shortcut
        )
    }

    /// Whether it is a carrier of clinical data.
    #[must_use]
    pub fn is_clinical(self) -> bool {
        matches!(
            self,
            Self::Mllp
                | Self::Hl7
                | Self::Astm
                | Self::FhirJson
                | Self::FhirXml
                | Self::Cda
                | Self::Dicom
        )
    }
}

/// What bytes claim to be: one kind, or several for a file that is more than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    main: Kind,
    also: Vec<Kind>,
}

impl Claims {
    /// Looks at the beginning, at the offsets where formats have their marks, and at the end.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut found = marks(bytes);
        if found.is_empty() {
            found.push(text(bytes));
        } else if found.iter().all(|kind| is_afloat(bytes, *kind)) {
            // Words of another format in a message do not make it one.
            let text = text(bytes);
            if !matches!(text, Kind::Text | Kind::Unknown) {
                found.retain(|kind| *kind != Kind::Pdf || ends_as_pdf(bytes));
                found.insert(0, text);
            }
        }
        let mut kinds = found.into_iter();
        let main = kinds.next().unwrap_or(Kind::Unknown);
        let mut also: Vec<Kind> = kinds.filter(|kind| *kind != main).collect();
        also.dedup();
        Self { main, also }
    }

    /// What stands at the beginning.
    #[must_use]
    pub fn main(&self) -> Kind {
        self.main
    }

    /// Every kind, the main one first.
    pub fn all(&self) -> impl Iterator<Item = Kind> + '_ {
        std::iter::once(self.main).chain(self.also.iter().copied())
    }

    /// Whether it is more than one kind.
    #[must_use]
    pub fn is_polyglot(&self) -> bool {
        !self.also.is_empty()
    }
}

/// Marks at the very beginning.
const AT_START: &[(&[u8], Kind)] = &[
    (b"\x7fELF", Kind::Elf),
    (b"\xcf\xfa\xed\xfe", Kind::MachO),
    (b"\xce\xfa\xed\xfe", Kind::MachO),
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"\x1f\x8b\x08", Kind::Gzip),
    (b"\xfd7zXZ\0", Kind::Xz),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
    (b"MSCF\0\0\0\0", Kind::Cab),
    (b"Rar!\x1a\x07", Kind::Rar),
    (b"SZDD\x88\xf0\x27\x33", Kind::Szdd),
    (b"ISc(", Kind::InstallShield),
    (b"!<arch>\n", Kind::Ar),
    (b"070701", Kind::Cpio),
    (b"070702", Kind::Cpio),
    (b"070707", Kind::Cpio),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Ole),
    (b"{\\rt", Kind::Rtf),
    (b"ITSF", Kind::Chm),
    (b"ActiveMime", Kind::ActiveMime),
    (
        b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
        Kind::OneNote,
    ),
    (b"\x78\x9f\x3e\x22", Kind::Tnef),
    (b"L\0\0\0\x01\x14\x02\0", Kind::Shortcut),
    (b"\xff\xd8\xff", Kind::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Kind::Png),
    (b"GIF8", Kind::Gif),
    // The first element of a file without its preamble.
    (b"\x02\0\0\0UL\x04\0", Kind::Dicom),
    (b"II*\0", Kind::Tiff),
    (b"MM\0*", Kind::Tiff),
    (b"#!", Kind::Script),
];

/// How far from the beginning a reader of PDF looks for its header.
const PDF_HEADER_WITHIN: usize = 1_024;

/// A zip's end record and the longest comment behind it.
const ZIP_END_WITHIN: usize = 22 + 65_535;

fn marks(bytes: &[u8]) -> Vec<Kind> {
    let mut found = Vec::new();
    for (mark, kind) in AT_START {
        if bytes.starts_with(mark) {
            found.push(*kind);
        }
    }
    found.extend(short_mark(bytes));
    if bytes.starts_with(b"MZ") {
        found.push(windows_program(bytes));
    }
    if bytes.starts_with(b"\xca\xfe\xba\xbe") {
        found.push(fat_or_class(bytes));
    }
    if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
        found.push(Kind::Bmp);
    }
    if bytes.get(8..12) == Some(b"\x19\x04\0\x10") {
        found.push(Kind::Sis);
    }
    if bytes.get(128..132) == Some(b"DICM") {
        found.push(Kind::Dicom);
    }
    if bytes.get(257..262) == Some(b"ustar") || formats::is_tar_header(bytes) {
        found.push(Kind::Tar);
    }
    if bytes.get(0x8001..0x8006) == Some(b"CD001") {
        found.push(Kind::Iso);
    }
    let head = bytes.get(..PDF_HEADER_WITHIN).unwrap_or(bytes);
    if memmem::find(head, b"%PDF-").is_some_and(|at| !is_stored(bytes, &found, at)) {
        found.push(Kind::Pdf);
    }
    // Streams of a compound file often hold a zip, and the last of them may end it.
    let whole = found.contains(&Kind::Ole);
    if !found.contains(&Kind::Zip) && ends_as_zip(bytes, whole) {
        found.push(Kind::Zip);
    }
    found
}

/// Whether what begins at `at` is the first that a container holds, as it is.
fn is_stored(bytes: &[u8], found: &[Kind], at: usize) -> bool {
    let le16 = |at: usize| match bytes.get(at..at + 2) {
        Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
        _ => 0,
    };
    found.iter().any(|kind| match kind {
        Kind::Ar => at == 68,
        Kind::Dicom => at > 132,
        Kind::Tar => at == 512,
        Kind::Zip => le16(8) == 0 && at == 30 + le16(26) + le16(28),
        _ => false,
    })
}

fn ends_as_pdf(bytes: &[u8]) -> bool {
    memmem::rfind(bytes, b"startxref").is_some()
}

/// Marks of two or three bytes, with what must stand behind them: else texts and numbers begin so too.
fn short_mark(bytes: &[u8]) -> Option<Kind> {
    let le16 = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let kind = match bytes.get(..3)? {
        b"BZh" => Kind::Bzip2,
        [0x5d, 0, 0] => Kind::Lzma,
        [0x60, 0xea, _] => Kind::Arj,
        [0xc7, 0x71, _] | [0x71, 0xc7, _] => Kind::Cpio,
        _ => return None,
    };
    let holds = match kind {
        Kind::Bzip2 => matches!(
            bytes.get(4..10)?,
            [0x31, 0x41, 0x59, 0x26, 0x53, 0x59] | [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]
        ),
        // The size is unknown or below a terabyte, and the packed bytes begin with a zero.
        Kind::Lzma => {
            bytes.get(13) == Some(&0)
                && (bytes.get(5..13)? == [0xff; 8] || bytes.get(10..13)? == [0; 3])
        }
        Kind::Arj => (30..=2_600).contains(&le16(2)?),
        // The length of the name, in either order.
        _ => matches!(bytes.get(20..22)?, [len, 0] | [0, len] if *len > 1),
    };
    holds.then_some(kind)
}

/// Whether a kind was found by a mark that may stand anywhere.
fn is_afloat(bytes: &[u8], kind: Kind) -> bool {
    match kind {
        Kind::Pdf => !bytes.starts_with(b"%PDF-"),
        Kind::Zip => !bytes.starts_with(b"PK"),
        _ => false,
    }
}

fn windows_program(bytes: &[u8]) -> Kind {
    let at = bytes
        .get(0x3c..0x40)
        .and_then(|b| <[u8; 4]>::try_from(b).ok())
        .map_or(usize::MAX, |b| u32::from_le_bytes(b) as usize);
    let header = at.checked_add(4).and_then(|end| bytes.get(at..end));
    match header {
        Some(b"PE\0\0") => Kind::Pe,
        _ => Kind::Dos,
    }
}

/// The two share a mark: a Mach-O for several machines counts them (few), a class file has its version there.
fn fat_or_class(bytes: &[u8]) -> Kind {
    match bytes.get(4..8) {
        Some([0, 0, 0, count]) if *count < 40 => Kind::MachO,
        _ => Kind::JavaClass,
    }
}

/// `whole`: only where nothing stands behind the end record and its comment.
fn ends_as_zip(bytes: &[u8], whole: bool) -> bool {
    let from = bytes.len().saturating_sub(ZIP_END_WITHIN);
    let Some(tail) = bytes.get(from..) else {
        return false;
    };
    // Its last byte alone is seldom: most documents have none, and are passed over many bytes at a time.
    let mut ends = memrchr_iter(0x06, tail).filter_map(|last| last.checked_sub(3));
    let Some(at) = ends.find(|at| tail.get(*at..at + 4) == Some(b"PK\x05\x06")) else {
        return false;
    };
    let size = tail
        .get(at + 12..at + 16)
        .and_then(|b| <[u8; 4]>::try_from(b).ok())
        .map_or(usize::MAX, |b| u32::from_le_bytes(b) as usize);
    let comment = tail.get(at + 20..at + 22).and_then(|b| b.try_into().ok());
    let end = comment.map(|b| at + 22 + usize::from(u16::from_le_bytes(b)));
    if whole && end != Some(tail.len()) {
        return false;
    }
    // The list of files ends where the end record begins.
    (from + at)
        .checked_sub(size)
        .and_then(|list| bytes.get(list..list + 4))
        .is_some_and(|mark| mark == b"PK\x01\x02")
}

/// How much of a text is looked at.
const TEXT_HEAD: usize = 4_096;

fn text(bytes: &[u8]) -> Kind {
    if bytes.first() == Some(&0x0b) {
        return Kind::Mllp;
    }
    let head = bytes.get(..TEXT_HEAD).unwrap_or(bytes);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let start = head.trim_ascii_start();
    if is_hl7(start) {
        return Kind::Hl7;
    }
    if is_astm(head) {
        return Kind::Astm;
    }
    if is_utf16(head) {
        return Kind::Text;
    }
    if is_mail(start) {
        return Kind::Mime;
    }
    if !is_mostly_text(head) {
        return Kind::Unknown;
    }
    match start.first() {
        Some(b'{' | b'[') => json(start),
        Some(b'<') => markup(start),
        _ if memmem::find(start, b"(This file must be converted with BinHex").is_some() => {
            Kind::BinHex
        }
        _ if start.starts_with(b"begin ") && start.get(6).is_some_and(u8::is_ascii_digit) => {
            Kind::Uuencode
        }
        _ => markup_later(start),
    }
}

fn is_utf16(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff")
}

fn is_hl7(start: &[u8]) -> bool {
    matches!(start.get(..3), Some(b"MSH" | b"FHS" | b"BHS"))
        && start
            .get(3)
            .is_some_and(|c| !c.is_ascii_alphanumeric() && !c.is_ascii_whitespace())
}

/// A header record, bare or in a frame.
fn is_astm(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\x05").unwrap_or(head);
    let head = match head {
        [0x02, b'0'..=b'7', rest @ ..] => rest,
        other => other.trim_ascii_start(),
    };
    matches!(head, [b'H', separator, repeat, component, escape, ..]
        if !separator.is_ascii_alphanumeric()
            && !separator.is_ascii_whitespace()
            && [repeat, component, escape].iter().all(|c| c.is_ascii_punctuation()))
}

fn json(start: &[u8]) -> Kind {
    if memmem::find(start, b"\"resourceType\"").is_some() {
        Kind::FhirJson
    } else {
        Kind::Json
    }
}

fn markup(start: &[u8]) -> Kind {
    let has = |needle: &[u8]| memmem::find(start, needle).is_some();
    if has(b"ClinicalDocument") && has(b"urn:hl7-org:v3") {
        return Kind::Cda;
    }
    if has(b"http://hl7.org/fhir") {
        return Kind::FhirXml;
    }
    let low = start.to_ascii_lowercase();
    let page = [&b"<html"[..], b"<!doctype html", b"<script", b"<body"];
    // A form in a PDF has scripts of its own.
    if page.iter().any(|needle| has_tag(&low, needle)) && !has(b"http://ns.adobe.com/xdp/") {
        return Kind::Html;
    }
    if start.starts_with(b"<?xml")
        || start
            .get(1)
            .is_some_and(|c| c.is_ascii_alphabetic() || *c == b'!')
    {
        return Kind::Xml;
    }
    Kind::Text
}

/// Whether the tag stands in it, and not only as the beginning of a longer name (`script:module`).
fn has_tag(low: &[u8], tag: &[u8]) -> bool {
    memmem::find_iter(low, tag).any(|at| {
        !low.get(at + tag.len())
            .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, b':' | b'-'))
    })
}

fn markup_later(start: &[u8]) -> Kind {
    let low = start.to_ascii_lowercase();
    if memmem::find(&low, b"<html").is_some() || memmem::find(&low, b"<script").is_some() {
        Kind::Html
    } else {
        Kind::Text
    }
}

/// Instruments and old printers put a control character into a text here and there; what is packed or
/// compiled has one in ten.
fn is_mostly_text(head: &[u8]) -> bool {
    let is_control = |c: &&u8| **c < 0x20 && !matches!(**c, b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
    head.iter().filter(is_control).count() * 16 <= head.len()
}

/// A block of header lines with one that only a mail has, or the line that parts mails in a mailbox.
fn is_mail(start: &[u8]) -> bool {
    if start.starts_with(b"From ") {
        return memmem::find(start, b"\nSubject:").is_some()
            || memmem::find(start, b"\nFrom:").is_some();
    }
    let mut known = 0;
    for line in start.split(|c| *c == b'\n').take(60) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some(colon) = line.iter().position(|c| *c == b':') else {
            return false;
        };
        let name = line.get(..colon).unwrap_or_default();
        if name.is_empty() || !name.iter().all(|c| c.is_ascii_graphic()) {
            return false;
        }
        let name = name.to_ascii_lowercase();
        known += usize::from(matches!(
            name.as_slice(),
            b"mime-version"
                | b"content-type"
                | b"content-transfer-encoding"
                | b"received"
                | b"message-id"
                | b"return-path"
                | b"subject"
                | b"from"
        ));
    }
    known >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide() {
        let is = |bytes: &[u8]| Claims::of(bytes).main();
        assert_eq!(is(b"\x0bMSH|^~\\&|A\r\x1c\r"), Kind::Mllp);
        assert_eq!(is(b"MSH|^~\\&|A\r"), Kind::Hl7);
        assert_eq!(is(b"H|\\^&|||XN-550\r"), Kind::Astm);
        assert_eq!(is(b"\x021H|\\^&|||XN-550\r"), Kind::Astm);
        assert_eq!(is(b"{\"resourceType\":\"Binary\"}"), Kind::FhirJson);
        assert_eq!(
            is(b"<Binary xmlns=\"http://hl7.org/fhir\"/>"),
            Kind::FhirXml
        );
        assert_eq!(
            is(b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"),
            Kind::Mime
        );
        assert_eq!(is(b"Glucose: 5.1\nHello"), Kind::Text);
        assert_eq!(is(b"MZ not really"), Kind::Dos);
        assert_eq!(is(b""), Kind::Text);
        assert_eq!(is(b"\0\0\0\0\0\0"), Kind::Unknown);
        assert_eq!(
            is(b"\x0224/10/29 13:08 Na 131 mmol/L K 9.7 mmol/L\x03"),
            Kind::Text
        );
    }

    #[test]
    fn a_message_that_speaks_of_other_kinds_stays_a_message() {
        let is = |bytes: &[u8]| Claims::of(bytes).all().collect::<Vec<_>>();
        assert_eq!(
            is(b"MSH|^~\\&|A\rOBX|1|ED|||^AP^PDF^A^%PDF-1.4\r"),
            [Kind::Hl7]
        );
        assert_eq!(is(b"%PDF-1.4\n<html>"), [Kind::Pdf]);
        assert_eq!(
            is(b"<html>%PDF-1.4 startxref 9 %%EOF"),
            [Kind::Html, Kind::Pdf]
        );
    }

    #[test]
    fn a_picture_that_is_a_program_is_both() {
        let mut dicom = vec![0; 128];
        dicom.extend_from_slice(b"DICM");
        assert!(!Claims::of(&dicom).is_polyglot());
        dicom.get_mut(..2).unwrap().copy_from_slice(b"MZ");
        let claims = Claims::of(&dicom);
        assert_eq!(claims.all().collect::<Vec<_>>(), [Kind::Dos, Kind::Dicom]);
    }

    #[test]
    fn short_marks_need_what_stands_behind_them() {
        let is = |bytes: &[u8]| Claims::of(bytes).main();
        assert_eq!(is(b"BZhang, W.: Glucose"), Kind::Text);
        assert_eq!(is(b"BZh91AY&SY"), Kind::Bzip2);
        assert_eq!(is(b"]\0\0 not packed at all"), Kind::Unknown);
        assert_eq!(is(b"\x60\xea\xff\xff is no header"), Kind::Text);
    }

    #[test]
    fn words_of_another_format_do_not_hide_what_a_message_is() {
        let message = b"MSH|^~\\&|A\rOBX|1|TX|||begins with %PDF-1.7\r";
        let claims = Claims::of(message);
        assert_eq!(claims.all().collect::<Vec<_>>(), [Kind::Hl7]);
        assert_eq!(Claims::of(b"<script:module>").main(), Kind::Xml);
        assert_eq!(Claims::of(b"<p><SCRIPT>").main(), Kind::Html);
    }
}
