//! What a walk shows: parts, signs, obstacles.

use crate::budget::Limit;
use crate::kind::{Claims, Kind};
use crate::path::Path;

/// What the carrier said about a part; nothing of it is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// The media type or the words of a format for it (`application/pdf`, `PDF`), as written, bounded.
    pub media_type: Option<String>,
    /// The file name, as written, bounded.
    pub name: Option<String>,
}

impl Declared {
    /// Nothing was said.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// By a file name alone.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            media_type: None,
            name: Some(bounded(name)),
        }
    }

    /// By a media type alone.
    #[must_use]
    pub fn typed(media_type: &str) -> Self {
        Self {
            media_type: Some(bounded(media_type)),
            name: None,
        }
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(255).collect()
}

/// Bytes that lie in a carrier, or the outermost bytes themselves.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The bytes, unwrapped.
    pub bytes: &'a [u8],
    /// What they really are; more than one for a polyglot.
    pub claims: &'a Claims,
    /// What they were said to be.
    pub declared: &'a Declared,
}

/// A fact of the structure that a policy may care about. None is a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sign {
    /// A program stands in a clinical carrier (message, FHIR, CDA, DICOM).
    ProgramInClinical,
    /// The declared type is another than the real one.
    TypeMismatch,
    /// The bytes are more than one kind of file.
    Polyglot,
    /// A DICOM preamble that is neither zero nor a TIFF header.
    DicomPreamble,
    /// VBA macros.
    Macro,
    /// A macro that runs when the document is opened or closed.
    MacroAutoRun,
    /// Excel 4 macros (XLM).
    Xlm,
    /// A DDE field or formula.
    Dde,
    /// A document that loads a template or object from elsewhere.
    ExternalLink,
    /// An embedded object that is opened by a click (OLE package, RTF object).
    EmbeddedObject,
    /// A script in a PDF.
    PdfScript,
    /// A PDF that starts something when opened.
    PdfAction,
    /// A web page that builds a file and hands it to the reader.
    HtmlSmuggling,
    /// A Windows shortcut that starts a command.
    ShortcutCommand,
    /// A name that hides what it is: direction of writing, double ending, many blanks.
    DeceptiveName,
    /// A name that would leave the folder it is unpacked into.
    NameEscapes,
    /// Bytes stand behind the end of the format.
    TrailingData,
}

impl Sign {
    /// Every sign.
    pub const ALL: &[Self] = &[
        Self::ProgramInClinical,
        Self::TypeMismatch,
        Self::Polyglot,
        Self::DicomPreamble,
        Self::Macro,
        Self::MacroAutoRun,
        Self::Xlm,
        Self::Dde,
        Self::ExternalLink,
        Self::EmbeddedObject,
        Self::PdfScript,
        Self::PdfAction,
        Self::HtmlSmuggling,
        Self::ShortcutCommand,
        Self::DeceptiveName,
        Self::NameEscapes,
        Self::TrailingData,
    ];

    /// The stable code of the sign.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ProgramInClinical => "program-in-clinical",
            Self::TypeMismatch => "type-mismatch",
            Self::Polyglot => "polyglot",
            Self::DicomPreamble => "dicom-preamble",
            Self::Macro => "macro",
            Self::MacroAutoRun => "macro-auto-run",
            Self::Xlm => "xlm",
            Self::Dde => "dde",
            Self::ExternalLink => "external-link",
            Self::EmbeddedObject => "embedded-object",
            Self::PdfScript => "pdf-script",
            Self::PdfAction => "pdf-action",
            Self::HtmlSmuggling => "html-smuggling",
            Self::ShortcutCommand => "shortcut-command",
            Self::DeceptiveName => "deceptive-name",
            Self::NameEscapes => "name-escapes",
            Self::TrailingData => "trailing-data",
        }
    }
}

/// Why something could not be looked into. It is never the same as "nothing is there".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Obstacle {
    /// It is encrypted; the key is not ours.
    Encrypted,
    /// The bytes do not follow their format, and what they carry could not be told.
    Damaged(Kind),
    /// It is packed in a way that is not known here.
    UnknownPacking(Kind),
    /// It would have gone beyond the budget.
    OverBudget(Limit),
}

impl Obstacle {
    /// The stable code of the obstacle.
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::Encrypted => "encrypted".to_owned(),
            Self::Damaged(_) => "damaged".to_owned(),
            Self::UnknownPacking(_) => "unknown-packing".to_owned(),
            Self::OverBudget(limit) => format!("over-budget-{}", limit.code()),
        }
    }
}

/// One thing that a walk shows, at its [`Path`].
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// Bytes to look at.
    Part(Part<'a>),
    /// A fact about the part that was shown last at this path.
    Sign(Sign),
    /// Something at this path that could not be looked into.
    Obstacle(Obstacle),
}

/// Who looks at what a walk shows.
pub(crate) type Look<'v> = dyn FnMut(&Path, Seen<'_>) + 'v;
