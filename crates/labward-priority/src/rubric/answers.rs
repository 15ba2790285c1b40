//! Answers to the rubric, and the one line in which they are kept.
//!
//! It must never hold an answer to a question that the rubric does not ask, or one of the wrong kind.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::questions::{Kind, Question};

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Somebody looked, and it cannot be told: the worse value counts.
    Unknown,
    /// No.
    No,
    /// Yes.
    Yes,
    /// Not at all.
    None,
    /// In part, or without much harm.
    Low,
    /// All, or with much harm.
    High,
}

impl Answer {
    const fn letter(self) -> &'static str {
        match self {
            Self::Unknown => "U",
            Self::No | Self::None => "N",
            Self::Yes => "Y",
            Self::Low => "L",
            Self::High => "H",
        }
    }

    fn read(letter: &str, kind: Kind) -> Option<Self> {
        Some(match (letter, kind) {
            ("U", _) => Self::Unknown,
            ("N", Kind::YesNo) => Self::No,
            ("Y", Kind::YesNo) => Self::Yes,
            ("N", Kind::Level) => Self::None,
            ("L", Kind::Level) => Self::Low,
            ("H", Kind::Level) => Self::High,
            _ => return None,
        })
    }

    const fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Unknown => true,
            Self::No | Self::Yes => matches!(kind, Kind::YesNo),
            Self::None | Self::Low | Self::High => matches!(kind, Kind::Level),
        }
    }
}

/// Why a text is no answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswers {
    /// The rubric has no such question.
    #[error("read answers to the rubric: it has no such question")]
    NoQuestion,
    /// The question is not answered in this way.
    #[error("read answers to the rubric: this is no answer to the question")]
    NoAnswer,
    /// A question is answered twice.
    #[error("read answers to the rubric: a question is answered twice")]
    Twice,
}

/// Answers by the code of their question; there need not be one for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    by_code: BTreeMap<&'static str, Answer>,
}

impl Answers {
    /// Takes an answer, in place of an earlier one to the same question.
    ///
    /// # Errors
    /// If there is no such question, or this is no answer to it.
    pub fn give(&mut self, code: &str, answer: Answer) -> Result<(), BadAnswers> {
        let question = Question::find(code).ok_or(BadAnswers::NoQuestion)?;
        if !answer.fits(question.kind) {
            return Err(BadAnswers::NoAnswer);
        }
        self.by_code.insert(question.code, answer);
        Ok(())
    }

    /// The answer to a question.
    pub fn get(&self, code: &str) -> Option<Answer> {
        self.by_code.get(code).copied()
    }

    /// How many questions are answered.
    pub fn count(&self) -> usize {
        self.by_code.len()
    }

    /// Whether none is answered.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }
}

/// `XAVN:Y/XAVT:N`: codes in alphabetical order; Yes, No or None, Low, High, Unknown by their first letter.
impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (code, answer)) in self.by_code.iter().enumerate() {
            let slash = if number == 0 { "" } else { "/" };
            write!(f, "{slash}{code}:{}", answer.letter())?;
        }
        Ok(())
    }
}

impl FromStr for Answers {
    type Err = BadAnswers;

    fn from_str(text: &str) -> Result<Self, BadAnswers> {
        let mut answers = Self::default();
        if text.is_empty() {
            return Ok(answers);
        }
        // A question is taken once, so that there are at most as many as the rubric has.
        for part in text.split('/') {
            let (code, letter) = part.split_once(':').ok_or(BadAnswers::NoAnswer)?;
            let question = Question::find(code).ok_or(BadAnswers::NoQuestion)?;
            let answer = Answer::read(letter, question.kind).ok_or(BadAnswers::NoAnswer)?;
            if answers.by_code.insert(question.code, answer).is_some() {
                return Err(BadAnswers::Twice);
            }
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rubric::QUESTIONS;

    #[test]
    fn an_answer_of_the_wrong_kind_is_refused() {
        let mut answers = Answers::default();
        assert_eq!(
            answers.give("XAVN", Answer::High),
            Err(BadAnswers::NoAnswer)
        );
        assert_eq!(answers.give("XCD", Answer::Yes), Err(BadAnswers::NoAnswer));
        assert_eq!(
            answers.give("XYZ", Answer::Yes),
            Err(BadAnswers::NoQuestion)
        );
        assert_eq!("XAVN:Y/XAVN:N".parse::<Answers>(), Err(BadAnswers::Twice));
        assert_eq!("XAVN".parse::<Answers>(), Err(BadAnswers::NoAnswer));
        assert!(answers.is_empty());
    }

    #[test]
    fn every_code_is_there_once() {
        let mut codes: Vec<_> = QUESTIONS.iter().map(|question| question.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), QUESTIONS.len());
    }

    proptest! {
        #[test]
        fn answers_are_read_back_as_written(picks in prop::collection::vec((0..QUESTIONS.len(), 0..4_u8), 0..40)) {
            let mut answers = Answers::default();
            for (at, pick) in picks {
                let answer = match (QUESTIONS[at].kind, pick) {
                    (_, 0) => Answer::Unknown,
                    (Kind::YesNo, 1) => Answer::No,
                    (Kind::YesNo, _) => Answer::Yes,
                    (Kind::Level, 1) => Answer::None,
                    (Kind::Level, 2) => Answer::Low,
                    (Kind::Level, _) => Answer::High,
                };
                answers.give(QUESTIONS[at].code, answer).unwrap();
            }
            prop_assert_eq!(answers.to_string().parse::<Answers>(), Ok(answers));
        }

        #[test]
        fn no_text_panics(text in "(X[A-Z]{1,4}:[YNLHUx]/?){0,5}.{0,5}") {
            let _ = text.parse::<Answers>();
        }
    }
}
