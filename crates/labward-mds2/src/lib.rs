#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `form` | the ids of the questions, by section |
//! | `sheet` | cells of a workbook: zip, XML, shared texts |
//! | `read` | questions and answers found among the cells |
//! | `disclosure` | what matters for safeguards |

mod disclosure;
mod form;
mod read;
mod sheet;

use std::sync::Arc;

pub use disclosure::{Capability, Disclosed, Disclosure};
pub use form::{QuestionId, sections};
pub use read::{Answer, Answered, Flaw, FlawKind, Mds2};

/// A text of the workbook, shared by all cells that hold it.
pub type Text = Arc<str>;

/// Why bytes are not a disclosure that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The zip or its XML is damaged.
    #[error("the workbook is damaged: {0}")]
    Damaged(&'static str),
    /// It is no workbook of Excel 2007 or later.
    #[error("no workbook in the form of Excel 2007 or later (.xlsx)")]
    NotAWorkbook,
    /// It is a workbook without questions of the form.
    #[error("no question of the form MDS2 (HN 1-2019) is in it")]
    NotMds2,
    /// It is a workbook of Excel 97, or one with a password.
    #[error("a workbook of Excel 97 (.xls), or one with a password: save it as .xlsx without one")]
    OldWorkbook,
    /// It is the form of an earlier year.
    #[error("the form of {0}, whose questions are others: ask for the form of 2019")]
    OldForm(u16),
    /// It is a PDF file.
    #[error("a PDF file: ask the manufacturer for the workbook")]
    Pdf,
    /// It is larger, or holds more, than a filled form can.
    #[error("larger than a filled form can be: {0}")]
    TooLarge(&'static str),
}

impl Error {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::NotAWorkbook => "not-a-workbook",
            Self::NotMds2 => "not-mds2",
            Self::OldWorkbook => "old-workbook",
            Self::OldForm(_) => "old-form",
            Self::Pdf => "pdf",
            Self::TooLarge(_) => "too-large",
        }
    }
}

#[cfg(test)]
mod tests;
