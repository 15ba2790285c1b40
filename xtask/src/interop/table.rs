//! `docs/ref/interop.md`: what became of the test data, with nothing in it that changes by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;

use super::compare::{Fate, Row, Rows, reasons, totals};

/// What became of one ASTM capture, sent one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replay {
    /// Frames in the capture.
    pub(super) frames: usize,
    /// Bytes of the message that was kept.
    pub(super) bytes: usize,
    /// `received` or `held`.
    pub(super) state: String,
    /// What was answered, one after the other.
    pub(super) answers: Vec<String>,
    /// What was outside the standard, by stable names; and why it is held.
    pub(super) noted: Vec<String>,
}

/// The captures by file and way of sending.
pub(super) type Replays = BTreeMap<(String, String), Replay>;

/// Everything that was found out.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    /// The HL7 files with the default policy.
    pub(super) held: Rows,
    /// The HL7 files where the same id with other content is delivered.
    pub(super) delivered: Rows,
    /// The ASTM captures.
    pub(super) replays: Replays,
}

impl Findings {
    /// The page.
    pub(super) fn page(&self) -> Result<String> {
        let mut page = String::from(INTRODUCTION);
        self.write_totals(&mut page)?;
        self.write_reasons(&mut page)?;
        self.write_replays(&mut page)?;
        self.write_files(&mut page)?;
        Ok(page)
    }

    fn write_totals(&self, page: &mut String) -> Result<()> {
        let messages: usize = self.held.values().map(|row| row.messages).sum();
        writeln!(
            page,
            "\n## HL7: {} files, {messages} messages\n\n\
             | `same_id_other_content` | Accepted | Held | Repeated | Refused |\n\
             |---|---|---|---|---|",
            self.held.len()
        )?;
        for (policy, rows) in [("hold", &self.held), ("deliver", &self.delivered)] {
            let totals = totals(rows);
            let of = |fate| totals.get(&fate).copied().unwrap_or_default();
            writeln!(
                page,
                "| `\"{policy}\"` | {} | {} | {} | {} |",
                of(Fate::Accepted),
                of(Fate::Held),
                of(Fate::Repeated),
                of(Fate::Refused)
            )?;
        }
        Ok(())
    }

    fn write_reasons(&self, page: &mut String) -> Result<()> {
        let mut all = reasons(&self.held);
        all.extend(reasons(&self.delivered));
        for reason in all {
            let what = labward_base::problem::ALL
                .iter()
                .find(|problem| problem.code == reason)
                .map_or("", |problem| problem.what);
            writeln!(page, "\n- `{reason}`: {what}")?;
        }
        Ok(())
    }

    fn write_replays(&self, page: &mut String) -> Result<()> {
        writeln!(
            page,
            "\n## ASTM: captures of instruments\n\n\
             `raw` is the capture as it stands, without ENQ and EOT; `session` is ENQ, each frame after the\n\
             answer to the one before, EOT.\n\n\
             | Capture | Sent as | Frames | Message bytes | Became | Answers | Outside the standard |\n\
             |---|---|---|---|---|---|---|"
        )?;
        for ((file, mode), replay) in &self.replays {
            writeln!(
                page,
                "| {file} | {mode} | {} | {} | {} | {} | {} |",
                replay.frames,
                replay.bytes,
                replay.state,
                counted(&replay.answers),
                replay.noted.join(", ")
            )?;
        }
        Ok(())
    }

    fn write_files(&self, page: &mut String) -> Result<()> {
        writeln!(
            page,
            "\n## HL7: each file\n\n\
             | File | Messages | With `\"hold\"` | With `\"deliver\"` |\n|---|---|---|---|"
        )?;
        for (file, row) in &self.held {
            let delivered = self.delivered.get(file).map(cell).unwrap_or_default();
            writeln!(
                page,
                "| {file} | {} | {} | {delivered} |",
                row.messages,
                cell(row)
            )?;
        }
        Ok(())
    }
}

/// `3 accepted AA; 1 held AE gateway.id-reused`; the number is left out where there is one message.
fn cell(row: &Row) -> String {
    let mut words = Vec::new();
    for ((fate, code, reason), count) in &row.fates {
        let mut parts = Vec::new();
        if row.messages != 1 {
            parts.push(count.to_string());
        }
        parts.push(fate.name().to_owned());
        parts.push(if code.is_empty() {
            "unanswered".to_owned()
        } else {
            code.clone()
        });
        if !reason.is_empty() {
            parts.push(format!("`{reason}`"));
        }
        words.push(parts.join(" "));
    }
    words.join("; ")
}

/// `ACK × 7`, in the order in which they came.
fn counted(answers: &[String]) -> String {
    let runs = answers.chunk_by(|a, b| a == b);
    let words = runs.filter_map(|run| match run {
        [] => None,
        [one] => Some(one.clone()),
        [one, ..] => Some(format!("{one} × {}", run.len())),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The first line in which two pages differ, as `stands` and `is`.
pub(super) fn difference<'a>(stands: &'a str, is: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut a, mut b) = (stands.lines(), is.lines());
    loop {
        match (a.next(), b.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => return Some((a.unwrap_or("(nothing)"), b.unwrap_or("(nothing)"))),
        }
    }
}

/// What the page says before its tables.
const INTRODUCTION: &str = "\
# Interoperability

Written by `cargo xtask interop --write`; `cargo xtask interop` sends everything again and fails if
anything became of it that does not stand here, if an answer is missing or late, if a record does not
hold the very bytes that were sent, or if the ledger does not verify.

The test data (`LABWARD_TEST_DATA`) goes through the program itself, as its users run it:

- **HL7**: each file, its line ends turned into CR, by `MLLPClient` of the Python package `hl7` 0.4.5
  through Debian's stunnel: mutual TLS with a certificate from `labward peer add`. A batch (FHS or BHS) is
  one frame, else each message is one. The link has `acknowledge = \"always\"`, because that client waits
  for an answer whatever MSH-15 and MSH-16 say. The files reuse their control ids over other content, so all
  of them go twice, each time to a new installation: with `same_id_other_content = \"hold\"`, the default,
  and with `\"deliver\"`.
- **ASTM**: each capture over a plain loopback link with `strictness = \"lenient\"`, from a Python socket.

*Accepted* messages are kept and go to their destinations, *held* ones are kept sealed for a person,
*repeated* ones came before and are answered as then, *refused* ones are not kept. Every kept record is
exported again and compared with what was sent.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn row(messages: usize, fates: &[(Fate, &str, &str, usize)]) -> Row {
        Row {
            messages,
            fates: fates
                .iter()
                .map(|(fate, code, why, n)| ((*fate, (*code).to_owned(), (*why).to_owned()), *n))
                .collect(),
        }
    }

    #[test]
    fn the_page_says_what_became_of_each_file() {
        let one = row(1, &[(Fate::Accepted, "AA", "", 1)]);
        let held = row(
            3,
            &[
                (Fate::Accepted, "AA", "", 2),
                (Fate::Held, "AE", "gateway.x", 1),
            ],
        );
        let rows: Rows = [
            ("a.hl7".to_owned(), one.clone()),
            ("b.hl7".to_owned(), held),
        ]
        .into();
        let findings = Findings {
            delivered: [("a.hl7".to_owned(), one)].into(),
            held: rows,
            replays: Replays::new(),
        };
        let page = findings.page().unwrap();
        for line in [
            "## HL7: 2 files, 4 messages",
            "| `\"hold\"` | 3 | 1 | 0 | 0 |",
            "| a.hl7 | 1 | accepted AA | accepted AA |",
            "| b.hl7 | 3 | 2 accepted AA; 1 held AE `gateway.x` |  |",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }

    #[test]
    fn answers_are_counted_in_their_order() {
        let answers = ["ACK", "ACK", "NAK", "ACK"].map(str::to_owned);
        assert_eq!(counted(&answers), "ACK × 2, NAK, ACK");
    }

    #[test]
    fn any_other_line_is_a_difference() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\n", "a\nc\n"), Some(("b", "c")));
        assert_eq!(difference("a\n", "a\nb\n"), Some(("(nothing)", "b")));
    }
}
