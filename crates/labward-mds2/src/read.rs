//! Questions and answers among the cells of a workbook.
//!
//! It must never take a word for an answer that is none, or choose between two answers in silence.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use time::macros::{date, format_description};
use time::{Date, Duration};

use crate::form::{QuestionId, of_form};
use crate::sheet::{Place, Sheet, Workbook, shown};
use crate::{Error, Text};

/// The form has some 220; copies of it in one workbook make more.
const MOST_QUESTIONS: usize = 2_000;
/// So far right of its id the answer of a question is looked for.
const WIDEST: u32 = 12;
/// Fewer questions than these make no form.
const FEWEST_QUESTIONS: usize = 3;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// "No".
    No,
    /// "N/A".
    NotApplicable,
    /// Neither yes nor no: the note says more.
    SeeNote,
    /// Words that are none of the answers of the form, as the head of it has.
    Text(Text),
    /// Nothing.
    Unanswered,
    /// "Yes".
    Yes,
}

/// A question as the workbook holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The question, as the workbook words it; may be empty.
    pub question: Text,
    /// Its answer.
    pub answer: Answer,
    /// What is said besides.
    pub note: Option<Text>,
    /// It stands in the workbook again with another answer.
    pub contradicted: bool,
    /// The name of the sheet.
    pub sheet: Text,
    /// The cell of the id, such as `B12`.
    pub cell: String,
}

/// What is wrong with a disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlawKind {
    /// The question is answered twice, differently; the first answer is kept.
    Contradiction,
    /// The question of the form is not in the workbook.
    Missing,
    /// The answer is neither yes, no, N/A nor a reference to the note.
    NotAnAnswer,
    /// The form of 2019 has no question of this id.
    NotInForm,
    /// More questions than a form can have; the rest was left out.
    TooMany,
    /// The question has no answer.
    Unanswered,
}

impl FlawKind {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Contradiction => "contradiction",
            Self::Missing => "missing",
            Self::NotAnAnswer => "not-an-answer",
            Self::NotInForm => "not-in-form",
            Self::TooMany => "too-many",
            Self::Unanswered => "unanswered",
        }
    }
}

/// One flaw, and the question it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub kind: FlawKind,
    /// The question.
    pub id: QuestionId,
}

/// A disclosure that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mds2 {
    /// Who makes the device (DOC-1).
    pub manufacturer: Option<Text>,
    /// What it is (DOC-2).
    pub description: Option<Text>,
    /// Its model, or models, as the manufacturer writes them (DOC-3).
    pub model: Option<Text>,
    /// The number of the document (DOC-4).
    pub document: Option<Text>,
    /// When it was released, as written (DOC-7).
    pub released: Option<Text>,
    /// The same as a date, where it is one without doubt.
    pub released_on: Option<Date>,
    /// All questions that were found.
    pub answers: BTreeMap<QuestionId, Answered>,
    /// What is wrong with it, in the order of the form.
    pub flaws: Vec<Flaw>,
}

impl Answer {
    /// An answer, and what the same cell says besides.
    fn parse(text: &Text) -> (Self, Option<Text>) {
        let trimmed = text.trim();
        if let Some(answer) = Self::word(trimmed) {
            return (answer, None);
        }
        // `Yes, optional`: what follows a mark is a note; `No default accounts` is no answer.
        let mark = [',', ';', ':', '(', '\u{2013}', '\n'];
        let at = trimmed.find(mark).or_else(|| trimmed.find(" - "));
        if let Some((word, rest)) = at.and_then(|at| trimmed.split_at_checked(at))
            && let Some(answer) = Self::word(word)
        {
            let rest = rest
                .trim_start_matches(['-', ',', ';', ':', '\u{2013}', ' ', '\n'])
                .trim_end();
            let inner = rest.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
            let rest = inner.unwrap_or(rest);
            return (answer, (!rest.is_empty()).then(|| Text::from(rest)));
        }
        (Self::Text(text.clone()), None)
    }

    fn word(text: &str) -> Option<Self> {
        let word = text.trim().trim_end_matches('.').to_lowercase();
        Some(match word.as_str() {
            "yes" | "y" | "true" | "s\u{ed}" => Self::Yes,
            "no" | "n" | "false" => Self::No,
            "n/a" | "na" | "n.a" | "not applicable" | "no aplica" => Self::NotApplicable,
            "see note" | "see notes" | "see note below" | "ver nota" => Self::SeeNote,
            _ => {
                let number = word
                    .strip_prefix("see note ")
                    .or(word.strip_prefix("note "));
                let number = number?.trim_start_matches('#');
                let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
                (is_number && !number.is_empty()).then_some(Self::SeeNote)?
            }
        })
    }
}

impl Mds2 {
    /// Reads a workbook.
    ///
    /// # Errors
    /// If it is none, holds no such form, or holds that of an earlier year.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let workbook = Workbook::read(bytes)?;
        let mut found = Found::default();
        for sheet in &workbook.sheets {
            found.look(sheet);
        }
        if found.answers.len() < FEWEST_QUESTIONS {
            return Err(older(&workbook).map_or(Error::NotMds2, Error::OldForm));
        }
        Ok(found.finish(workbook.from_1904))
    }
}

/// The year of an earlier form, told by its title or by questions such as `5-1.2`.
fn older(workbook: &Workbook) -> Option<u16> {
    let mut numbered = 0;
    for text in workbook
        .sheets
        .iter()
        .flat_map(|sheet| sheet.cells.values())
    {
        let text = text
            .get(..text.floor_char_boundary(2_000))
            .unwrap_or_default();
        if text.contains("HN 1-2013") {
            return Some(2013);
        }
        if text.contains("HN 1-2008") || text.contains("HN 1-2004") {
            return Some(2008);
        }
        let digits = |part: &str| (1..=2).contains(&part.len()) && part.parse::<u8>().is_ok();
        let parts = text.trim().split_once('-');
        numbered +=
            u32::from(parts.is_some_and(|(section, question)| {
                digits(section) && question.split('.').all(digits)
            }));
    }
    (numbered >= 10).then_some(2013)
}

#[derive(Default)]
struct Found {
    answers: BTreeMap<QuestionId, Answered>,
    flaws: Vec<Flaw>,
}

/// Columns that a head names.
#[derive(Default)]
struct Columns {
    note: Option<u32>,
    references: Vec<u32>,
}

impl Columns {
    /// A head is a row that names at least two of the columns.
    fn of(sheet: &Sheet) -> Self {
        let mut rows: BTreeMap<u32, (Self, u32)> = BTreeMap::new();
        for ((row, column), text) in &sheet.cells {
            if text.len() > 60 {
                continue;
            }
            let text = text.trim().to_lowercase();
            let (columns, named) = rows.entry(*row).or_default();
            match text.as_str() {
                "question" | "question id" | "id" | "answer" | "response" => *named += 1,
                "note" | "notes" | "see note" => {
                    columns.note = Some(*column);
                    *named += 1;
                }
                _ if ["iec tr", "nist sp", "iso 27"]
                    .iter()
                    .any(|it| text.starts_with(it)) =>
                {
                    columns.references.push(*column);
                    *named += 1;
                }
                _ => {}
            }
        }
        let mut heads = rows.into_values().filter(|(_, named)| *named >= 2);
        heads.next().map(|(columns, _)| columns).unwrap_or_default()
    }
}

/// References to other standards, in columns of their own that have no head.
fn is_reference(text: &str) -> bool {
    let text = text.trim();
    let number = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    text.strip_prefix("Section ").is_some_and(number)
        || text.strip_prefix("A.").is_some_and(number)
        || text.split_once('-').is_some_and(|(family, rest)| {
            family.len() == 2 && family.bytes().all(|it| it.is_ascii_uppercase()) && number(rest)
        })
}

/// Lines to write on are no text.
fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || matches!(c, '_' | '-' | '\u{2014}'))
}

impl Found {
    fn look(&mut self, sheet: &Sheet) {
        let columns = Columns::of(sheet);
        for (place, text) in &sheet.cells {
            let Some(id) = QuestionId::parse(text) else {
                continue;
            };
            if self.answers.len() >= MOST_QUESTIONS {
                self.flaws.push(Flaw {
                    kind: FlawKind::TooMany,
                    id,
                });
                return;
            }
            self.take(id, answered(sheet, *place, &columns));
        }
    }

    fn take(&mut self, id: QuestionId, new: Answered) {
        match self.answers.entry(id) {
            Entry::Vacant(place) => drop(place.insert(new)),
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                if known.answer == Answer::Unanswered {
                    *known = new;
                } else if new.answer != Answer::Unanswered && new.answer != known.answer {
                    known.contradicted = true;
                }
            }
        }
    }

    fn finish(mut self, from_1904: bool) -> Mds2 {
        for id in of_form().filter(|id| !self.answers.contains_key(id)) {
            self.flaws.push(Flaw {
                kind: FlawKind::Missing,
                id,
            });
        }
        for (id, answered) in &self.answers {
            let mut flaw = |kind| self.flaws.push(Flaw { kind, id: *id });
            if answered.contradicted {
                flaw(FlawKind::Contradiction);
            }
            if !id.is_in_form() {
                flaw(FlawKind::NotInForm);
            }
            match answered.answer {
                Answer::Unanswered => flaw(FlawKind::Unanswered),
                Answer::Text(_) if id.section() != "DOC" => flaw(FlawKind::NotAnAnswer),
                _ => {}
            }
        }
        self.flaws.sort_by_key(|flaw| (flaw.id, flaw.kind));
        let head = |number: &str| {
            let id = QuestionId::parse(number)?;
            match &self.answers.get(&id)?.answer {
                Answer::Text(text) => Some(Arc::from(text.trim())),
                _ => None,
            }
        };
        let released = head("DOC-7");
        Mds2 {
            manufacturer: head("DOC-1"),
            description: head("DOC-2"),
            model: head("DOC-3"),
            document: head("DOC-4"),
            released_on: released
                .as_deref()
                .and_then(|text| date_of(text, from_1904)),
            released,
            flaws: self.flaws,
            answers: self.answers,
        }
    }
}

/// What stands right of the id of a question.
fn answered(sheet: &Sheet, place: Place, columns: &Columns) -> Answered {
    let (row, column) = place;
    let own = sheet.cells.get(&place);
    let last = column.saturating_add(WIDEST);
    let texts = (column.saturating_add(1)..=last).filter_map(|at| {
        let text = sheet.at((row, at))?;
        let is_own = own.is_some_and(|own| Arc::ptr_eq(own, text));
        (!is_own && !is_blank(text) && !columns.references.contains(&at)).then_some((at, text))
    });
    let mut texts: Vec<(u32, &Text)> = texts.collect();
    // Cells that are merged hold one text.
    texts.dedup_by(|two, one| Arc::ptr_eq(one.1, two.1));
    let mut texts = texts.into_iter().peekable();
    let is_note = |at: u32| columns.note == Some(at);
    let is_word = |text: &Text| !matches!(Answer::parse(text).0, Answer::Text(_));
    let question = texts.next_if(|(at, text)| !is_note(*at) && !is_word(text));
    let given = texts.next_if(|(at, text)| {
        !is_note(*at) && (columns.note.is_some() || is_word(text) || !is_reference(text))
    });
    let (answer, more) = given.map_or((Answer::Unanswered, None), |(_, text)| Answer::parse(text));
    let note = texts
        .next()
        .filter(|(_, text)| columns.note.is_some() || !is_reference(text));
    let note = note.map(|(_, text)| text.clone());
    Answered {
        question: question.map(|(_, text)| text.clone()).unwrap_or_default(),
        answer,
        note: match (more, note) {
            (Some(more), Some(note)) => Some(format!("{more}; {note}").into()),
            (more, note) => more.or(note),
        },
        contradicted: false,
        sheet: sheet.name.clone(),
        cell: shown(place),
    }
}

/// A date where there is no doubt: `2026-03-20`, `20-Mar-2026`, or a day as Excel counts them.
fn date_of(text: &str, from_1904: bool) -> Option<Date> {
    let text = text.trim();
    if let Ok(days) = text.parse::<f64>() {
        // The years from 2000 to 2100, in either count.
        let range = if from_1904 {
            35_063.0..71_588.0
        } else {
            36_526.0..73_051.0
        };
        #[expect(clippy::cast_possible_truncation, reason = "its range was checked")]
        let days = range.contains(&days).then_some(days as i64)?;
        let start = if from_1904 {
            date!(1904 - 01 - 01)
        } else {
            date!(1899 - 12 - 30)
        };
        return start.checked_add(Duration::days(days));
    }
    let iso = format_description!("[year]-[month]-[day]");
    let words =
        format_description!("[day padding:none]-[month repr:short case_sensitive:false]-[year]");
    Date::parse(text, iso)
        .or_else(|_| Date::parse(text, words))
        .ok()
}
