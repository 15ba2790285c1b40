//! Markup that carries or points: relationships and parts of Office Open XML, flat documents with files in
//! Base64, OpenDocument, forms in PDF (XFA).

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use memchr::memmem;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part, Sign};
use crate::walk::Walker;

use super::ole::office::is_dde;

/// One of these must stand in it, else it is not read at all.
const WORTH: &[&[u8]] = &[
    b"TargetMode",
    b"instrText",
    b"fldSimple",
    b"ddeLink",
    b"binData",
    b"binaryData",
    b"macrosheet",
    b"script:module",
    b"script:event-listener",
    b"encryption-data",
    b"dde-source",
    b"dde-link",
    b"application/x-javascript",
    b"<f>",
    b":Formula",
    b"_xlnm.Auto",
];

/// The most of a text that is kept for a look at it.
const LONGEST_CODE: usize = 1 << 20;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    if !WORTH
        .iter()
        .any(|word| memmem::find(part.bytes, word).is_some())
    {
        return;
    }
    let mut markup = Markup::default();
    let text = String::from_utf8_lossy(part.bytes);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    let mut rounds = 0_u32;
    loop {
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(1_024) && !walker.goes_on() {
            return;
        }
        match reader.read_event() {
            Ok(Event::Start(start)) => markup.start(walker, &start),
            Ok(Event::Empty(start)) => {
                markup.start(walker, &start);
                markup.inside = Inside::Nothing;
            }
            Ok(Event::Text(text)) => markup.text(walker, text.as_bytes()),
            Ok(Event::End(_)) => markup.end(walker),
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    if fields(&markup.codes) {
        markup.tell(walker, Sign::Dde);
    }
}

/// What the text of the current element is.
#[derive(Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    Code,
    Formula,
    Base64,
}

#[derive(Default)]
struct Markup {
    inside: Inside,
    /// Field codes, one behind the other: a word may be split over many elements.
    codes: Vec<u8>,
    base64: Vec<u8>,
    number: usize,
    told: Vec<Sign>,
}

impl Markup {
    fn tell(&mut self, walker: &mut Walker<'_>, sign: Sign) {
        if !self.told.contains(&sign) {
            self.told.push(sign);
            walker.sign(sign);
        }
    }

    fn start(&mut self, walker: &mut Walker<'_>, start: &BytesStart<'_>) {
        self.inside = Inside::Nothing;
        match start.local_name().as_ref() {
            "Relationship" if points_outside(start) => self.tell(walker, Sign::ExternalLink),
            "instrText" => self.inside = Inside::Code,
            "fldSimple" => {
                let code = attribute(start, "instr").unwrap_or_default();
                self.codes.push(b'\n');
                self.add_code(code.as_bytes());
            }
            // A new field: what comes is another code.
            "fldChar" if attribute(start, "fldCharType").is_some_and(|t| t == "begin") => {
                self.codes.push(b'\n');
            }
            "ddeLink" | "dde-source" | "dde-link" => self.tell(walker, Sign::Dde),
            "definedName" if attribute(start, "name").is_some_and(|n| is_auto(&n)) => {
                self.tell(walker, Sign::MacroAutoRun);
            }
            "macrosheet" => self.tell(walker, Sign::Xlm),
            "module" if start.name().as_ref() == "script:module" => {
                self.tell(walker, Sign::Macro);
            }
            "event-listener" => {
                self.tell(walker, Sign::MacroAutoRun);
            }
            "encryption-data" if !self.told.contains(&Sign::TypeMismatch) => {
                // Told once; the mark is never given as a sign by markup.
                self.told.push(Sign::TypeMismatch);
                walker.obstacle(Obstacle::Encrypted);
            }
            "script" if is_form_script(start) => self.tell(walker, Sign::PdfScript),
            "binData" | "binaryData" => self.inside = Inside::Base64,
            "f" => self.inside = Inside::Formula,
            _ => {}
        }
        if attribute(start, "Formula").is_some_and(|formula| is_dde_formula(formula.as_bytes())) {
            self.tell(walker, Sign::Dde);
        }
    }

    fn text(&mut self, walker: &mut Walker<'_>, text: &[u8]) {
        match self.inside {
            Inside::Nothing => {}
            Inside::Code => self.add_code(text),
            Inside::Formula if is_dde_formula(text) => self.tell(walker, Sign::Dde),
            Inside::Formula => {}
            Inside::Base64 => self.base64.extend_from_slice(text),
        }
    }

    fn end(&mut self, walker: &mut Walker<'_>) {
        self.inside = Inside::Nothing;
        if self.base64.is_empty() {
            return;
        }
        let packed = std::mem::take(&mut self.base64);
        self.number += 1;
        let step = Step::Place(format!("data {}", self.number));
        match decoded(packed) {
            Some(bytes) => walker.enter(
                [step, Step::Packing("base64")],
                &Declared::nothing(),
                &bytes,
            ),
            None => walker.obstacle_at(step, Obstacle::Damaged(Kind::Xml)),
        }
    }

    fn add_code(&mut self, code: &[u8]) {
        if self.codes.len() < LONGEST_CODE {
            self.codes.extend_from_slice(code);
        }
    }
}

fn decoded(mut text: Vec<u8>) -> Option<Vec<u8>> {
    use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    text.retain(|c| !c.is_ascii_whitespace());
    LENIENT.decode(text).ok()
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    start
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .map(|attribute| attribute.value.into_owned())
}

/// A relationship that makes the program load something from elsewhere by itself. A link that a person clicks
/// is none.
fn points_outside(start: &BytesStart<'_>) -> bool {
    const LOADED: &[&str] = &[
        "/attachedTemplate",
        "/oleObject",
        "/externalLink",
        "/externalLinkPath",
        "/xlPathMissing",
        "/frame",
        "/subDocument",
        "/aFChunk",
        "/control",
    ];
    let is_external =
        attribute(start, "TargetMode").is_some_and(|mode| mode.eq_ignore_ascii_case("External"));
    let kind = attribute(start, "Type").unwrap_or_default();
    is_external && LOADED.iter().any(|loaded| kind.ends_with(loaded))
}

/// The names of a workbook whose macros Excel runs by itself.
fn is_auto(name: &str) -> bool {
    name.strip_prefix("_xlnm.")
        .is_some_and(|name| name.to_ascii_lowercase().starts_with("auto_"))
}

fn is_form_script(start: &BytesStart<'_>) -> bool {
    attribute(start, "contentType").is_some_and(|t| t == "application/x-javascript")
}

fn fields(codes: &[u8]) -> bool {
    codes.split(|c| *c == b'\n').any(is_dde)
}

/// `application|topic!item`, as a formula of a spreadsheet; quotation marks are written as entities.
pub(crate) fn is_dde_formula(formula: &[u8]) -> bool {
    let Some(bar) = memchr::memchr(b'|', formula) else {
        return false;
    };
    let (application, rest) = formula.split_at(bar);
    let application = application.trim_ascii();
    let application = application
        .strip_prefix(b"=")
        .or_else(|| application.strip_prefix(b"+"))
        .or_else(|| application.strip_prefix(b"-"))
        .or_else(|| application.strip_prefix(b"@"))
        .unwrap_or(application);
    application
        .first()
        .is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, b'\'' | b'['))
        && application
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'[' | b']' | b'\''))
        && memchr::memchr(b'!', rest).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::seen;

    #[test]
    fn what_is_loaded_from_elsewhere_is_told_and_a_link_to_click_is_not() {
        let rel = |kind: &str| {
            format!(
                "<?xml version=\"1.0\"?><Relationships><Relationship Id=\"1\" Target=\"http://a.test\" \
                 TargetMode=\"External\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/\
                 relationships/{kind}\"/></Relationships>"
            )
        };
        assert!(seen(rel("attachedTemplate").as_bytes()).contains(&" ! external-link".to_owned()));
        assert_eq!(seen(rel("hyperlink").as_bytes()), [" = xml"]);
    }

    #[test]
    fn field_codes_split_over_elements_are_read_together() {
        let field = |parts: [&str; 2]| {
            let [a, b] = parts;
            format!(
                "<?xml version=\"1.0\"?><w:p><w:fldChar w:fldCharType=\"begin\"/><w:instrText> {a}\
                 </w:instrText></w:p><w:p><w:instrText>{b} cmd</w:instrText></w:p>"
            )
        };
        assert!(seen(field(["DD", "EAUTO"]).as_bytes()).contains(&" ! dde".to_owned()));
        assert_eq!(seen(field(["PA", "GE"]).as_bytes()), [" = xml"]);
    }

    #[test]
    fn macros_encryption_and_files_in_markup_are_told() {
        let basic =
            b"<?xml version=\"1.0\"?><script:module xmlns:script=\"a\">Sub Main</script:module>";
        assert_eq!(seen(basic), [" = xml", " ! macro"]);
        let manifest = b"<?xml version=\"1.0\"?><m:file-entry><m:encryption-data/></m:file-entry>";
        assert_eq!(seen(manifest), [" = xml", " ? encrypted"]);
        let data = b"<?xml version=\"1.0\"?><w:binData>IyEv\r\nYmluL3No</w:binData>";
        assert_eq!(seen(data), [" = xml", "data 1 / base64 = script"]);
        let bad = b"<?xml version=\"1.0\"?><w:binData>*</w:binData>";
        assert_eq!(seen(bad), [" = xml", "data 1 ? damaged"]);
    }

    #[test]
    fn formulas_of_dde_are_known() {
        assert!(is_dde_formula(b"=cmd|'/c calc'!A0"));
        assert!(is_dde_formula(b"MSEXCEL|'\\..\\cmd.exe'!''"));
        for formula in [
            &b"SUM(A1:A2)"[..],
            b"IF(A1,\"|!\",1)",
            b"Sheet1!A1",
            b"5|6!",
        ] {
            assert!(!is_dde_formula(formula), "{formula:?}");
        }
    }
}
