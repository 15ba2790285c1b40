//! `exports/{list}`: a list as CSV, all pages of it, as the same filter shows it.
//!
//! It must never give out what the list itself would not show to who asks, hold a long list in
//! memory, or end a file as whole before the entry stands that says which list it was, how many rows
//! and what its bytes hash to. Recording what is taken out is 45 CFR 164.312(b).

mod columns;
mod csv;
mod lists;

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use axum::body::Bytes;
use axum::http::Uri;
use labward_api::export::ListExport;
use labward_base::id::{EntryIndex, PatientId};
use labward_base::{Clock as _, problem, remark};
use labward_identity::{Permission, Person};
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Outcome, Subject, append};
use serde_json::{Map, Value, json};

use self::csv::CsvFile;
use self::lists::{List, list_named};
use super::call::{Answer, Call, reason};
use super::failure::Failure;
use super::mark::Mark;
use crate::app::{Core, Opened};
use crate::folder::SITE;

pub(super) use self::lists::names;

/// Rows of one file at most; a spreadsheet takes 1,048,576.
const ROWS_MAX: u64 = 1_000_000;

/// `POST exports/{list}`
pub(super) fn export(call: &Call) -> Result<Answer, Failure> {
    let unknown = || Failure::new(&problem::SERVER_NO_ENDPOINT).about(remark::no_such_list());
    let list = list_named(call.text("list")).ok_or_else(unknown)?;
    let asked: ListExport = call.json()?;
    let needed = [Some(list.permission), list.also];
    for needed in needed.into_iter().flatten() {
        call.admit(needed)?;
    }
    let export = Export::of(call, list, asked)?;
    let name = export.file_name();
    Ok(Answer::File {
        writer: Box::new(move |out| export.write(out, ROWS_MAX)),
        kind: "text/csv; charset=utf-8",
        name,
    })
}

/// One list on its way out.
struct Export {
    core: Arc<Core>,
    opened: Arc<Opened>,
    list: &'static List,
    person: Person,
    scopes: Option<Vec<Permission>>,
    filter: Map<String, Value>,
    patient: Option<PatientId>,
    why: Option<String>,
}

impl Export {
    fn of(call: &Call, list: &'static List, asked: ListExport) -> Result<Self, Failure> {
        let given = asked
            .filter
            .into_iter()
            .filter(|(_, text)| !text.trim().is_empty());
        let filter: Map<String, Value> = given.map(|(name, text)| (name, text.into())).collect();
        if filter
            .keys()
            .any(|name| !list.filter.contains(&name.as_str()))
        {
            let known = match list.filter {
                [] => "this list has no filter".to_owned(),
                known => format!("this list is filtered by {}", known.join(", ")),
            };
            return Err(Failure::bad_request(known));
        }
        if list.is_of_patient() != asked.patient.is_some() {
            let which = "a patient's number belongs to the lists of a patient, and to no other";
            return Err(Failure::bad_request(which));
        }
        let why = match (list.is_of_patient(), asked.why.as_deref()) {
            (true, why) => Some(reason(why.unwrap_or_default())?.to_owned()),
            // None is needed, so one that is given is not kept; it is a reason all the same.
            (false, Some(why)) => {
                reason(why)?;
                None
            }
            (false, None) => None,
        };
        Ok(Self {
            core: Arc::clone(&call.core),
            opened: call.opened()?,
            list,
            person: call.person.clone(),
            scopes: call.scopes.clone(),
            filter,
            patient: asked.patient.map(PatientId::new),
            why,
        })
    }

    /// The list, the day and what it is filtered by, without a word that somebody typed.
    fn file_name(&self) -> String {
        let now = self.core.clock.now().to_rfc3339();
        let day = now.get(..10).unwrap_or_default();
        let mark = Mark::on(&self.core, &self.person, Permission::ListExport);
        let kind = if mark.is_some() { "confidential-" } else { "" };
        let mut name = format!("{kind}{}-{day}", self.list.name);
        for (by, value) in &self.filter {
            let value = value.as_str().unwrap_or_default();
            let known = self.list.shown_values.contains(&value) || is_day(value);
            name.push_str(&match known {
                true => format!("-{by}-{value}"),
                false => format!("-{by}"),
            });
        }
        name + ".csv"
    }

    /// Writes the file, and its entry before the last of its bytes leaves.
    fn write(&self, out: &mut dyn Write, rows_max: u64) -> Result<(), Failure> {
        let mark = Mark::on(&self.core, &self.person, Permission::ListExport);
        let mut file = CsvFile::begin(out, mark);
        let written = self.write_rows(&mut file, rows_max);
        let outcome = match &written {
            Ok(_) => Outcome::Success,
            Err(failure) => Outcome::Failed(failure.problem().code),
        };
        let facts = Facts::new()
            .text("list", self.list.name)
            .texts("filter", self.filter.keys())
            .number("rows", file.rows())
            .number(
                "whole",
                u8::from(written.as_ref().is_ok_and(|whole| *whole)),
            )
            .hex("sha256", &file.sha256()?);
        // What is broken off is recorded, too, as far as it came.
        self.record(facts, outcome)?;
        written?;
        file.end()
    }

    /// Whether all rows are in it.
    fn write_rows(&self, file: &mut CsvFile<'_>, rows_max: u64) -> Result<bool, Failure> {
        file.head(self.list.columns)?;
        let mut place = None;
        loop {
            let answer = self.page(place)?;
            let rows = (self.list.rows)(&answer);
            for row in &rows {
                if file.rows() >= rows_max {
                    let words = format!("only the first {rows_max} rows: narrow the filter");
                    file.note(&words, self.list.columns)?;
                    return Ok(false);
                }
                file.row(row, self.list.columns)?;
            }
            match self.list.next.after(&answer, &rows) {
                Some(next) if Some(next) != place => place = Some(next),
                _ => return Ok(true),
            }
        }
    }

    /// One page of the list, as the API answers it.
    fn page(&self, place: Option<u64>) -> Result<Value, Failure> {
        let mut asked = self.filter.clone();
        let number = |number: u64| match self.patient {
            Some(_) => Value::from(number),
            None => number.to_string().into(),
        };
        if let Some(limit) = self.list.page_rows {
            asked.insert("limit".to_owned(), number(limit));
        }
        if let (Some(name), Some(at)) = (self.list.next.member(), place.or(self.list.first)) {
            asked.insert(name.to_owned(), number(at));
        }
        let (uri, body) = match &self.why {
            Some(why) => {
                asked.insert("why".to_owned(), why.as_str().into());
                ("/".to_owned(), Value::Object(asked).to_string())
            }
            None => {
                let mut query = form_urlencoded::Serializer::new("/?".to_owned());
                for (name, text) in &asked {
                    query.append_pair(name, text.as_str().unwrap_or_default());
                }
                (query.finish(), String::new())
            }
        };
        let uri: Uri = uri
            .parse()
            .map_err(|_| Failure::bad_request("a filter does not fit its form"))?;
        let patient = self
            .patient
            .map(|patient| ("patient".to_owned(), patient.to_string()));
        let answer = (self.list.page)(&Call {
            core: Arc::clone(&self.core),
            person: self.person.clone(),
            scopes: self.scopes.clone(),
            params: patient.into_iter().collect(),
            uri,
            body: Bytes::from(body),
            measured: Arc::new(OnceLock::new()),
            upload: Mutex::new(None),
        })?;
        let fault = || Failure::new(&problem::SERVER_INTERNAL).with("read a list to export");
        match answer {
            Answer::Json(json) => serde_json::from_slice(&json).map_err(|_| fault()),
            Answer::Stream(_) | Answer::File { .. } => Err(fault()),
        }
    }

    fn record(&self, facts: Facts, outcome: Outcome) -> Result<EntryIndex, Failure> {
        // What was typed into a filter may name somebody: it is sealed like a reason.
        let asked = json!({ "filter": self.filter, "why": self.why });
        let detail = self.opened.seal_why(&asked.to_string())?;
        let subject = self.patient.map_or(Subject::Installation, Subject::Patient);
        let actor = Actor::Person(self.person.id);
        let mut entry = NewEntry::new(SITE, actor, Action::ListExported, subject)
            .facts(facts)
            .outcome(outcome)
            .detail(detail);
        if let Some(patient) = self.patient {
            entry = entry.patient(patient);
        }
        let written = self.core.store.write(move |tx| append(tx, &entry));
        Ok(written.map_err(|error: LedgerError| error)?)
    }
}

/// Whether it is a day as `2026-11-27`.
fn is_day(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day() {
        assert!(is_day("2026-11-27"));
        for text in ["", "2026-11-2", "2026/11/27", "Smith-John", "2026-11-27T"] {
            assert!(!is_day(text), "{text}");
        }
    }
}
