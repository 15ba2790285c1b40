//! What the server says of itself, in the reader's language: problems, findings, remarks.
//!
//! The server sends a code, what stands in the places, and the English text. English readers get that
//! text; for others the code is looked up in the files of their language. It must never mix the two in
//! silence: what another program said, and what has no text in the language, is marked as English.

use std::fmt;

use askama::filters::{Escaper as _, Html, HtmlSafe};
use fluent_bundle::{FluentArgs, FluentValue};
use labward_api::ProblemBody;
use labward_api::hit::Saying;
use labward_api::remark::{PlaceValue, Remark};
use labward_api::safeguard::{FactNote, SafeguardFact};
use labward_api::status::{CheckFinding, NotMeasured};
use labward_base::Problem;
use labward_base::remark::QUOTE;
use labward_identity::{Language, Theme};

use crate::frame::{Frame, Place};
use crate::language::find;

/// The remark that only says the problem again.
const RESTATED: &str = "restated";

/// Pieces of text for a page, in the reader's language but for what is marked as English.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// In the reader's language, or in none: a name, a path.
    Own(String),
    /// English that should be in the reader's language and is not.
    Foreign(String),
    /// What another program said.
    Quote(String),
    /// What a publisher wrote: a quotation without marks.
    Published(String),
}

impl HtmlSafe for Said {}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Own(text) => Html.write_escaped_str(&mut *f, text)?,
                Piece::Foreign(text) => {
                    f.write_str("<span lang=\"en\">")?;
                    Html.write_escaped_str(&mut *f, text)?;
                    f.write_str("</span>")?;
                }
                Piece::Published(text) => {
                    f.write_str("<q class=\"published\" lang=\"en\">")?;
                    Html.write_escaped_str(&mut *f, text)?;
                    f.write_str("</q>")?;
                }
                Piece::Quote(text) => {
                    f.write_str("<q lang=\"en\">")?;
                    Html.write_escaped_str(&mut *f, text)?;
                    f.write_str("</q>")?;
                }
            }
        }
        Ok(())
    }
}

impl Said {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn plain(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Foreign(text) | Piece::Own(text) => text.clone(),
            Piece::Published(text) | Piece::Quote(text) => format!("\"{text}\""),
        });
        pieces.collect()
    }

    fn own(text: impl Into<String>) -> Self {
        Self(vec![Piece::Own(text.into())])
    }

    fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn and(self, text: &str) -> Self {
        self.then(Self::own(text))
    }

    fn joined(all: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut said = Self::default();
        for one in all {
            if !said.is_empty() {
                said = said.and(between);
            }
            said = said.then(one);
        }
        said
    }
}

/// What is wrong and what to do, without marks: for a reader who has no page.
pub fn finding_lines(language: Language, finding: &CheckFinding) -> (String, String) {
    let frame = Frame {
        language,
        theme: Theme::Auto,
        viewer: None,
        nonce: String::new(),
        lab: String::new(),
        place: Place::Elsewhere,
        done: None,
        alarm: None,
        glass: None,
    };
    (
        frame.finding(finding).plain(),
        frame.finding_todo(finding).plain(),
    )
}

impl Frame {
    /// What happened.
    pub fn what(&self, fault: &ProblemBody) -> Said {
        self.of_table(&key("problem", &fault.code), None, &fault.what, None)
    }

    /// What to do about it.
    pub fn todo(&self, fault: &ProblemBody) -> Said {
        self.of_table(
            &key("problem", &fault.code),
            Some("todo"),
            &fault.todo,
            None,
        )
    }

    /// What varies, if the server said it.
    pub fn detail(&self, fault: &ProblemBody) -> Option<Said> {
        let detail = fault.detail.as_deref()?;
        Some(match (&fault.remark, self.language) {
            (Some(remark), Language::Es) if remark.code == RESTATED => return None,
            (Some(remark), _) => self.remark(remark),
            (None, Language::En) => Said::own(detail),
            (None, Language::Es) => {
                let lead = Said::own(format!("{} ", self.t("problem-detail")));
                lead.then(Said(vec![Piece::Quote(detail.to_owned())]))
            }
        })
    }

    /// What happened, what to do and what varies, in one line.
    pub fn fault(&self, fault: &ProblemBody) -> Said {
        let said = self.what(fault).and(": ").then(self.todo(fault)).and(".");
        match self.detail(fault) {
            Some(detail) => said.and(" (").then(detail).and(")"),
            None => said,
        }
    }

    /// What the code of a problem means, with the code itself; a text that is no code is quoted.
    pub fn reason(&self, code: &str) -> Said {
        match Problem::by_code(code) {
            Some(problem) => {
                let what = self.of_table(&key("problem", code), None, problem.what, None);
                what.and(&format!(" ({code})"))
            }
            None => self.quoted(code),
        }
    }

    /// What is wrong, and where.
    pub fn finding(&self, finding: &CheckFinding) -> Said {
        if self.language == Language::En {
            return Said::own(finding.what.as_str());
        }
        let counted = finding.places.first().filter(|place| place.code == "count");
        let what = self.of_table(&key("finding", &finding.code), None, &finding.what, counted);
        match finding.places.is_empty() || finding.code == "check.unmeasured" {
            true => what,
            false => what.and(": ").then(self.remarks(&finding.places)),
        }
    }

    /// What to do about a finding.
    pub fn finding_todo(&self, finding: &CheckFinding) -> Said {
        let key = key("finding", &finding.code);
        self.of_table(&key, Some("todo"), &finding.todo, None)
    }

    /// What could not be looked at, and why.
    pub fn not_measured(&self, item: &NotMeasured) -> Said {
        let what = self.of_table(&key("finding", &item.code), None, &item.what, None);
        what.and(": ").then(self.remark(&item.remark))
    }

    /// What stands beside a fact.
    pub fn notes(&self, fact: &SafeguardFact) -> Said {
        if self.language == Language::En {
            return Said::own(fact.note.as_deref().unwrap_or_default());
        }
        let one = |note: &FactNote| {
            let remarks = self.remarks(&note.remarks);
            let Some(check) = &note.check else {
                return remarks;
            };
            let what = self.of_table(&key("finding", check), None, check, None);
            match remarks.is_empty() {
                true => what,
                false => what.and(": ").then(remarks),
            }
        };
        Said::joined(fact.notes.iter().map(one), "; ")
    }

    /// Remarks in one line.
    pub fn remarks(&self, remarks: &[Remark]) -> Said {
        let mut said = Said::default();
        for one in remarks {
            said = match (said.is_empty(), one.code.as_str()) {
                (true, _) => said,
                (false, "and-more") => said.and(" "),
                (false, _) => said.and(", "),
            };
            said = said.then(self.remark(one));
        }
        said
    }

    /// A remark with what follows it.
    pub fn remark(&self, remark: &Remark) -> Said {
        if self.language == Language::En {
            return Said::own(remark.text.as_str());
        }
        let text = find(
            self.language,
            &key("remark", &remark.code),
            None,
            Some(&arguments(remark)),
        );
        let Some(text) = text else {
            return Said(vec![Piece::Foreign(remark.text.clone())]);
        };
        let mut said = Said::own(text);
        if let Some(PlaceValue::Text(quote)) = remark.places.get(QUOTE) {
            said = said.and(" ").then(Said(vec![Piece::Quote(quote.clone())]));
        }
        match &remark.because {
            Some(because) => said.and(": ").then(self.remark(because)),
            None => said,
        }
    }

    /// A sentence that came with its code and the values of its places.
    pub fn saying(&self, saying: &Saying) -> Said {
        match spoken(self.language, saying) {
            Some(text) => Said::own(text),
            None => Said(vec![Piece::Foreign(saying.text.clone())]),
        }
    }

    /// What a publisher wrote: English, whatever the reader's language is.
    pub fn published(&self, text: &str) -> Said {
        match self.language {
            Language::En => Said::own(text),
            Language::Es => Said(vec![Piece::Published(text.to_owned())]),
        }
    }

    fn quoted(&self, text: &str) -> Said {
        match self.language {
            Language::En => Said::own(text),
            Language::Es => Said(vec![Piece::Quote(text.to_owned())]),
        }
    }

    /// A text of a table, which in English is the server's own.
    fn of_table(
        &self,
        key: &str,
        attribute: Option<&str>,
        english: &str,
        counted: Option<&Remark>,
    ) -> Said {
        if self.language == Language::En {
            return Said::own(english);
        }
        let arguments = counted.map(arguments);
        match find(self.language, key, attribute, arguments.as_ref()) {
            Some(text) => Said::own(text),
            None => Said(vec![Piece::Foreign(english.to_owned())]),
        }
    }
}

/// A sentence that came with its code and the values of its places, in a language that has it.
pub fn spoken(language: Language, saying: &Saying) -> Option<String> {
    if language == Language::En {
        return Some(saying.text.clone());
    }
    let mut arguments = FluentArgs::new();
    for (place, value) in &saying.values {
        let word = format!("saying-{place}-{}", value.replace(' ', "-"));
        let word = find(language, &word, None, None);
        let value = word.unwrap_or_else(|| value.clone());
        arguments.set(place.clone(), FluentValue::from(value));
    }
    let key = key("saying", &saying.code);
    find(language, &key, None, Some(&arguments))
}

/// The key of a code in a family, such as `problem-` and `keys.sealed`.
fn key(family: &str, code: &str) -> String {
    let code = code
        .strip_prefix("check.")
        .filter(|_| family == "finding")
        .unwrap_or(code);
    format!("{family}-{}", code.replace('.', "-"))
}

fn arguments(remark: &Remark) -> FluentArgs<'static> {
    let mut arguments = FluentArgs::new();
    for (name, value) in &remark.places {
        let value = match value {
            // Grammar and digits of a number this large are the same.
            PlaceValue::Number(number) => {
                FluentValue::from(i64::try_from(*number).unwrap_or(i64::MAX))
            }
            PlaceValue::Text(text) => FluentValue::from(shown(text)),
        };
        arguments.set(name.clone(), value);
    }
    arguments
}

/// A time in RFC 3339 as the pages show times; any other text as it is.
fn shown(text: &str) -> String {
    let is_time = text.get(10..11) == Some("T")
        && text.ends_with('Z')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-:TZ.".contains(&byte));
    match text.get(..16).filter(|_| is_time) {
        Some(minutes) => format!("{} UTC", minutes.replace('T', " ")),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::remark;

    fn frame(language: Language) -> Frame {
        Frame {
            language,
            theme: Theme::Auto,
            viewer: None,
            nonce: String::new(),
            lab: String::new(),
            place: Place::Elsewhere,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    fn body(code: &str, detail: Option<&str>) -> ProblemBody {
        let problem = Problem::by_code(code).unwrap();
        ProblemBody {
            code: code.to_owned(),
            what: problem.what.to_owned(),
            todo: problem.todo.to_owned(),
            detail: detail.map(str::to_owned),
            remark: None,
            reference: None,
        }
    }

    #[test]
    fn a_problem_is_said_in_the_readers_language() {
        let fault = body("keys.no-slot", None);
        let said = |language| frame(language).fault(&fault).to_string();
        assert_eq!(
            said(Language::Es),
            "no existe esa ranura: liste las ranuras con labward key slots."
        );
        assert_eq!(
            said(Language::En),
            "there is no such slot: list the slots with labward key slots."
        );
    }

    #[test]
    fn a_detail_that_is_no_remark_is_a_quotation_behind_a_spanish_lead() {
        let fault = body("config.unreadable", Some("line 3: <x>"));
        let said = frame(Language::Es).detail(&fault).unwrap().to_string();
        assert_eq!(
            said,
            "Detalle técnico, en inglés: <q lang=\"en\">line 3: &#60;x&#62;</q>"
        );
        let said = frame(Language::En).detail(&fault).unwrap().to_string();
        assert_eq!(said, "line 3: &#60;x&#62;");
    }

    #[test]
    fn what_has_no_spanish_text_is_marked_as_english_and_never_passed_off() {
        let mut fault = body("keys.no-slot", None);
        fault.code = "no.such-code".to_owned();
        let said = frame(Language::Es).what(&fault).to_string();
        assert_eq!(said, "<span lang=\"en\">there is no such slot</span>");
    }

    #[test]
    fn nouns_bend_and_times_are_shown_as_on_every_page() {
        let f = frame(Language::Es);
        let said = |remark: labward_base::Remark| f.remark(&remark.into()).to_string();
        assert_eq!(said(remark::waiting("ehr", 1_u64)), "ehr (1 espera)");
        assert_eq!(said(remark::waiting("ehr", 2_u64)), "ehr (2 esperan)");
        assert_eq!(
            said(remark::last("2026-11-22T20:33:00.000001Z")),
            "la última vez 2026-11-22 20:33 UTC"
        );
        assert_eq!(
            said(remark::witness_not_compared("<w>").because(remark::witness_silent("EIO"))),
            "&#60;w&#62;: no se comparó: no responde; el sistema dijo, en inglés: <q lang=\"en\">EIO</q>"
        );
    }

    #[test]
    fn a_finding_names_its_places_in_spanish() {
        let f = frame(Language::Es);
        let finding = CheckFinding {
            code: "check.plain-link".to_owned(),
            what: "english".to_owned(),
            places: vec![remark::link("lis").into(), remark::and_more(3_u64).into()],
            ..CheckFinding::default()
        };
        assert_eq!(
            f.finding(&finding).to_string(),
            "un enlace fuera de esta máquina va sin cifrar: enlace lis y 3 más"
        );
        let unmeasured = CheckFinding {
            code: "check.unmeasured".to_owned(),
            places: vec![remark::count(1_u64).into()],
            ..CheckFinding::default()
        };
        assert_eq!(
            f.finding(&unmeasured).to_string(),
            "1 cosa no se pudo mirar"
        );
    }

    #[test]
    fn what_stands_beside_a_fact_is_what_the_check_says() {
        let fact = SafeguardFact {
            note: Some("english".to_owned()),
            notes: vec![
                FactNote {
                    check: Some("check.no-backup".to_owned()),
                    remarks: Vec::new(),
                },
                FactNote {
                    check: None,
                    remarks: vec![remark::no_record().into()],
                },
            ],
            ..SafeguardFact::default()
        };
        let said = |language| frame(language).notes(&fact).to_string();
        assert_eq!(said(Language::En), "english");
        assert_eq!(
            said(Language::Es),
            "nunca se hizo una copia de seguridad, así que un disco roto lo pierde todo; \
             todavía no se guarda ningún documento"
        );
    }

    #[test]
    fn the_reason_of_a_delivery_is_said_with_its_code() {
        let said = |language| frame(language).reason("send.unreachable").to_string();
        assert_eq!(
            said(Language::Es),
            "no se pudo llegar al receptor (send.unreachable)"
        );
        assert_eq!(
            said(Language::En),
            "the receiver could not be reached (send.unreachable)"
        );
        let old = frame(Language::Es).reason("something old").to_string();
        assert_eq!(old, "<q lang=\"en\">something old</q>");
    }
}
