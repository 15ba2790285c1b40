//! `device read-mds2`: what a manufacturer discloses of a device, read here and now without a server.

use std::collections::BTreeMap;
use std::io::{self, Write};

use labward_base::problem;
use labward_mds2::{Answer, FlawKind, Mds2};
use serde::Serialize;

use super::{Context, read};
use crate::args::ReadMds2Args;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

/// The whole disclosure, for a machine.
#[derive(Debug, Serialize)]
struct Disclosure {
    manufacturer: Option<String>,
    model: Option<String>,
    description: Option<String>,
    document: Option<String>,
    released: Option<String>,
    /// What matters for safeguards.
    disclosures: Vec<Line>,
    answers: Vec<AnswerLine>,
    /// The ids of questions, by what is wrong with them.
    flaws: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Line {
    capability: &'static str,
    disclosed: &'static str,
    question: &'static str,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct AnswerLine {
    id: String,
    question: String,
    answer: String,
    note: Option<String>,
    sheet: String,
    cell: String,
}

/// `labward device read-mds2`
pub(super) fn run(context: &Context, arguments: &ReadMds2Args) -> Result<(), Failure> {
    let path = &arguments.file;
    let mds2 = Mds2::read(&read(path)?).map_err(|error| {
        let detail = format!("{}: {error} [{}]", path.display(), error.code());
        Failure::new(&problem::CLI_FILE, detail)
    })?;
    let disclosure = Disclosure::from(&mds2);
    show(context.json, &disclosure, |out| {
        write(out, &disclosure, arguments.all)
    })
}

impl From<&Mds2> for Disclosure {
    fn from(mds2: &Mds2) -> Self {
        let owned = |text: &Option<labward_mds2::Text>| text.as_deref().map(str::to_owned);
        let mut flaws: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for flaw in &mds2.flaws {
            let of_kind = flaws.entry(flaw.kind.code()).or_default();
            of_kind.push(flaw.id.to_string());
        }
        let lines = mds2.disclosures().into_iter().map(|one| Line {
            capability: one.capability.name(),
            disclosed: one.disclosed.name(),
            question: one.question,
            note: owned(&one.note),
        });
        let answers = mds2.answers.iter().map(|(id, one)| AnswerLine {
            id: id.to_string(),
            question: one.question.to_string(),
            answer: word(&one.answer).to_owned(),
            note: owned(&one.note),
            sheet: one.sheet.to_string(),
            cell: one.cell.clone(),
        });
        Self {
            manufacturer: owned(&mds2.manufacturer),
            model: owned(&mds2.model),
            description: owned(&mds2.description),
            document: owned(&mds2.document),
            released: mds2
                .released_on
                .map(|date| date.to_string())
                .or_else(|| owned(&mds2.released)),
            disclosures: lines.collect(),
            answers: answers.collect(),
            flaws,
        }
    }
}

fn word(answer: &Answer) -> &str {
    match answer {
        Answer::No => "No",
        Answer::NotApplicable => "N/A",
        Answer::SeeNote => "See Note",
        Answer::Text(text) => text,
        Answer::Unanswered => "",
        Answer::Yes => "Yes",
    }
}

/// Text of a workbook on one line, without what a terminal would obey.
fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    line.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn write(out: &mut dyn Write, one: &Disclosure, all: bool) -> io::Result<()> {
    let head = [
        ("manufacturer", &one.manufacturer),
        ("model", &one.model),
        ("description", &one.description),
        ("document", &one.document),
        ("released", &one.released),
    ];
    for (what, text) in head {
        let text = text.as_deref().map(plain);
        writeln!(out, "{what:<13} {}", or_dash(text.as_deref()))?;
    }
    writeln!(
        out,
        "\nThe manufacturer says, and nothing of it was measured:"
    )?;
    let note = |note: &Option<String>| or_dash(note.as_deref().map(plain).as_deref());
    let rows: Vec<Vec<String>> = one
        .disclosures
        .iter()
        .map(|line| {
            let capability = line.capability.replace('-', " ");
            let cells = [capability.as_str(), line.disclosed, line.question];
            let cells = cells.into_iter().map(str::to_owned);
            cells.chain([note(&line.note)]).collect()
        })
        .collect();
    table(out, &["what", "says", "question", "note"], &rows)?;
    if all {
        writeln!(out)?;
        let rows: Vec<Vec<String>> = one
            .answers
            .iter()
            .map(|line| {
                let answer = plain(&line.answer);
                vec![
                    line.id.clone(),
                    or_dash(Some(answer.as_str()).filter(|it| !it.is_empty())),
                    note(&line.note),
                    plain(&line.question),
                ]
            })
            .collect();
        table(out, &["id", "answer", "note", "question"], &rows)?;
    }
    writeln!(out)?;
    let missing = one.flaws.get(FlawKind::Missing.code()).map_or(0, Vec::len);
    let answered = one.answers.iter().filter(|line| !line.answer.is_empty());
    writeln!(
        out,
        "questions: {} in the workbook, {} answered, {missing} of the form missing",
        one.answers.len(),
        answered.count()
    )?;
    let open = one.flaws.iter();
    for (what, ids) in open.filter(|(what, _)| **what != FlawKind::Missing.code()) {
        writeln!(out, "{}: {}", what.replace('-', " "), ids.join(", "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workbook of one sheet with a row for each of some texts.
    fn workbook(rows: &[[&str; 3]]) -> Vec<u8> {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        for (row, texts) in (0..).zip(rows) {
            for (column, text) in (0..).zip(texts) {
                sheet.write_string(row, column, *text).unwrap();
            }
        }
        workbook.save_to_buffer().unwrap()
    }

    #[test]
    fn what_matters_is_shown_and_what_is_open_is_named() {
        let bytes = workbook(&[
            ["DOC-1", "Manufacturer Name", "Maker\u{1b}[2J\nInc."],
            ["MLDP-2", "Anti-malware?", "No (closed system)"],
            ["STCF-1", "Encrypted at rest?", "Perhaps"],
            ["SBOM-1", "List of software?", ""],
        ]);
        let disclosure = Disclosure::from(&Mds2::read(&bytes).unwrap());
        let mut text = Vec::new();
        write(&mut text, &disclosure, true).unwrap();
        let text = String::from_utf8(text).unwrap();
        for line in [
            "manufacturer  Maker\u{fffd}[2J Inc.\n",
            "anti malware                 no          MLDP-2    closed system\n",
            "encryption at rest           unclear     STCF-1    Perhaps\n",
            "questions: 4 in the workbook, 3 answered, 236 of the form missing\n",
            "not an answer: STCF-1\nunanswered: SBOM-1\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        let json = serde_json::to_value(&disclosure).unwrap();
        assert_eq!(json["disclosures"][8]["disclosed"], "no");
        assert_eq!(json["answers"][1]["cell"], "A2");
    }
}
