//! The rules of the structure: what the carrier's signs and kinds say, under ids that begin `labward.structure.`.
//!
//! They are never malicious by themselves, and hold no matter which rules a lab brings.

use labward_carrier::{Kind, Sign};

use crate::engine::{Deadline, Engine, EngineError, Hit, Look};
use crate::verdict::{FindingKind, Severity};

/// The engine of the structure. Signs are judged by the scanner's policy; parts here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Structure;

impl Structure {
    /// The hit that a sign is where the policy counts it.
    #[must_use]
    pub fn of_sign(sign: Sign) -> Hit {
        let (severity, description) = match sign {
            Sign::ProgramInClinical => (
                Severity::High,
                "a program in a clinical message or document",
            ),
            Sign::TypeMismatch => (Severity::Low, "it is something else than it was said to be"),
            Sign::Polyglot => (Severity::Medium, "the bytes are more than one kind of file"),
            Sign::DicomPreamble => (
                Severity::High,
                "the preamble of a DICOM file is neither zero nor a TIFF header",
            ),
            Sign::Macro => (Severity::Medium, "macros"),
            Sign::MacroAutoRun => (
                Severity::High,
                "a macro that runs when the document is opened",
            ),
            Sign::Xlm => (Severity::High, "Excel 4 macros"),
            Sign::Dde => (Severity::High, "a field that starts a program (DDE)"),
            Sign::ExternalLink => (
                Severity::Medium,
                "a template or object is loaded from elsewhere",
            ),
            Sign::EmbeddedObject => (Severity::Medium, "an object that a click opens"),
            Sign::PdfScript => (Severity::Medium, "a script in a PDF"),
            Sign::PdfAction => (Severity::Medium, "a PDF that starts something when opened"),
            Sign::HtmlSmuggling => (
                Severity::High,
                "a page that builds a file and hands it to its reader",
            ),
            Sign::ShortcutCommand => (Severity::High, "a shortcut that starts a command"),
            Sign::DeceptiveName => (Severity::High, "a name that hides what it is"),
            Sign::NameEscapes => (
                Severity::High,
                "a name that would leave the folder it is unpacked into",
            ),
            Sign::TrailingData => (Severity::Low, "bytes behind the end of the format"),
        };
        Hit {
            rule: format!("labward.structure.{}", sign.code()),
            description: description.to_owned(),
            severity,
            kind: FindingKind::Structure,
        }
    }
}

impl Engine for Structure {
    fn name(&self) -> &'static str {
        "structure"
    }

    fn look(&self, part: &Look<'_>, _: &Deadline) -> Result<Vec<Hit>, EngineError> {
        if !is_machine_code(part) || !is_said_to_be_document(part) {
            return Ok(Vec::new());
        }
        Ok(vec![Hit {
            rule: "labward.structure.program-as-document".to_owned(),
            description: "a program that was said to be a document or picture".to_owned(),
            severity: Severity::High,
            kind: FindingKind::Structure,
        }])
    }

    fn state(&self) -> String {
        "1".to_owned()
    }
}

/// Two letters alone are no program: a DOS one has at least its header of 28 bytes.
fn is_machine_code(part: &Look<'_>) -> bool {
    match part.claims.main() {
        Kind::Pe | Kind::Elf | Kind::MachO => true,
        Kind::Dos => part.bytes.len() >= 28 && part.bytes.contains(&0),
        _ => false,
    }
}

fn is_said_to_be_document(part: &Look<'_>) -> bool {
    const WORDS: &[&str] = &[
        "pdf", "jpeg", "jpg", "png", "gif", "tiff", "bmp", "rtf", "text", "xml", "json", "html",
        "hl7", "dicom",
    ];
    const ENDINGS: &[&str] = &[
        "pdf", "jpeg", "jpg", "png", "gif", "tif", "tiff", "bmp", "rtf", "txt", "xml", "json",
        "csv", "html", "htm", "hl7", "dcm", "doc", "docx", "xls", "xlsx", "ppt", "pptx",
    ];
    let media_type = part
        .declared
        .media_type
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut words = media_type.split(|c: char| !c.is_ascii_alphanumeric());
    let ending = part
        .declared
        .name
        .as_deref()
        .and_then(|name| name.rsplit_once('.'));
    let ending = ending.map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    words.any(|word| WORDS.contains(&word)) || ENDINGS.contains(&ending.as_str())
}
