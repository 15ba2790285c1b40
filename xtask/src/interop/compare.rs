//! What became of what was sent: each message is found among the kept records, byte for byte, or
//! its refusal is known; everything else is an error.
//!
//! It must never guess: a message without a record, an answer or a refusal is lost or hangs, and a
//! record that nobody sent is as wrong.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

/// One frame that was sent, the messages in it and the answers to it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// The file it came from.
    pub(super) file: String,
    /// Everything between the frame's first and last byte.
    pub(super) frame: Vec<u8>,
    /// The messages in it, as the sender split them.
    pub(super) messages: Vec<SentMessage>,
    /// What was answered.
    pub(super) answers: Vec<Answer>,
}

/// One message as it was sent.
#[derive(Clone, Debug)]
pub(super) struct SentMessage {
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// MSH-9.
    pub(super) message_type: String,
    /// MSH-10.
    pub(super) id: String,
}

/// An acknowledgement as the sender read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// MSA-1.
    pub(super) code: String,
    /// MSA-2.
    pub(super) id: String,
    /// ERR-5, our own code; empty if there is none.
    pub(super) error: String,
}

/// A record that the server kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Its number.
    pub(super) record: u64,
    /// `received` or `held`.
    pub(super) state: String,
    /// Why it is held.
    pub(super) reason: Option<String>,
    /// Its bytes, exported.
    pub(super) bytes: Vec<u8>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Kept, to be delivered.
    Accepted,
    /// Kept for a person.
    Held,
    /// The same message came before; answered as then.
    Repeated,
    /// Not kept: the sender was told so.
    Refused,
}

/// What became of the messages of one file: how many of each fate, answer and reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// How many messages it holds.
    pub(super) messages: usize,
    /// Fate, answer (MSA-1; empty if none) and reason → how many messages.
    pub(super) fates: BTreeMap<(Fate, String, String), usize>,
}

/// The rows by file.
pub(super) type Rows = BTreeMap<String, Row>;

/// Finds out what became of everything that was sent, in the order in which it was.
pub(super) fn settle(sent: &[Sent], kept: &[Kept]) -> Result<Rows> {
    let mut settling = Settling {
        kept: kept.iter(),
        next: None,
        before: BTreeMap::new(),
        rows: Rows::new(),
    };
    settling.advance();
    for frame in sent {
        settling
            .frame(frame)
            .with_context(|| format!("settle {}", frame.file))?;
    }
    if let Some(left) = settling.next {
        bail!("record {} holds what was not sent", left.record);
    }
    Ok(settling.rows)
}

struct Settling<'a> {
    kept: std::slice::Iter<'a, Kept>,
    /// The oldest record that is not accounted for.
    next: Option<&'a Kept>,
    /// What was kept before, and how it was answered.
    before: BTreeMap<&'a [u8], Answer>,
    rows: Rows,
}

impl<'a> Settling<'a> {
    fn advance(&mut self) {
        self.next = self.kept.next();
    }

    fn frame(&mut self, sent: &'a Sent) -> Result<()> {
        if sent.messages.len() != 1 && self.next.is_some_and(|next| next.bytes == sent.frame) {
            return self.whole(sent);
        }
        let mut answers = sent.answers.iter();
        for message in &sent.messages {
            // An acknowledgement is never acknowledged.
            let answer = if message.message_type.starts_with("ACK") {
                None
            } else {
                let answer = answers
                    .next()
                    .with_context(|| format!("message {} got no answer", message.id))?;
                ensure!(
                    answer.id == message.id,
                    "the answer to message {} names {}",
                    message.id,
                    answer.id
                );
                Some(answer)
            };
            self.message(&sent.file, message, answer)?;
        }
        ensure!(answers.next().is_none(), "more answers than messages");
        Ok(())
    }

    /// A frame that was kept as one: a batch that says something else than it holds.
    fn whole(&mut self, sent: &Sent) -> Result<()> {
        let kept = self.next.context("a record is missing")?;
        self.advance();
        ensure!(kept.state == "held", "a faulty batch was not held");
        let [answer] = sent.answers.as_slice() else {
            bail!("a batch held as one got {} answers", sent.answers.len());
        };
        ensure!(answer.code != "AA", "a held batch was answered AA");
        for _ in &sent.messages {
            self.count(&sent.file, Fate::Held, Some(answer), kept.reason.as_deref());
        }
        Ok(())
    }

    fn message(
        &mut self,
        file: &str,
        message: &'a SentMessage,
        answer: Option<&Answer>,
    ) -> Result<()> {
        let code = answer.map(|answer| answer.code.as_str());
        let id = &message.id;
        if let Some(kept) = self.next.filter(|next| next.bytes == message.bytes) {
            self.advance();
            let fate = match (kept.state.as_str(), code) {
                ("received", Some("AA") | None) => Fate::Accepted,
                ("held", Some("AE" | "AR") | None) => Fate::Held,
                (state, code) => bail!("message {id} is {state} and was answered {code:?}"),
            };
            if let Some(answer) = answer {
                self.before.insert(&message.bytes, answer.clone());
            }
            self.count(file, fate, answer, kept.reason.as_deref());
            return Ok(());
        }
        if let Some(earlier) = self.before.get(message.bytes.as_slice()) {
            ensure!(
                answer == Some(earlier),
                "the copy of message {id} was answered otherwise"
            );
            self.count(file, Fate::Repeated, answer, None);
            return Ok(());
        }
        match code {
            Some("AE" | "AR") => self.count(file, Fate::Refused, answer, None),
            code => bail!(
                "message {id} was answered {code:?} and is not kept as it was sent{}",
                self.nearest(message)
            ),
        }
        Ok(())
    }

    /// How the next record differs, for whoever looks for the fault.
    fn nearest(&self, message: &SentMessage) -> String {
        let Some(next) = self.next else {
            return String::new();
        };
        let same = next.bytes.iter().zip(&message.bytes);
        let same = same.take_while(|(kept, sent)| kept == sent).count();
        format!(
            ": of its {} bytes the first {same} are those of record {}, which has {}",
            message.bytes.len(),
            next.record,
            next.bytes.len()
        )
    }

    fn count(&mut self, file: &str, fate: Fate, answer: Option<&Answer>, reason: Option<&str>) {
        let row = self.rows.entry(file.to_owned()).or_default();
        row.messages += 1;
        let code = answer.map_or_else(String::new, |answer| answer.code.clone());
        let error = answer.map_or("", |answer| answer.error.as_str());
        let reason = reason.unwrap_or(error).to_owned();
        *row.fates.entry((fate, code, reason)).or_default() += 1;
    }
}

impl Fate {
    /// Its name in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Held => "held",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
        }
    }
}

/// How many messages of all files met each fate.
pub(super) fn totals(rows: &Rows) -> BTreeMap<Fate, usize> {
    let mut totals = BTreeMap::new();
    for ((fate, ..), count) in rows.values().flat_map(|row| &row.fates) {
        *totals.entry(*fate).or_default() += count;
    }
    totals
}

/// Every reason that stands in the rows.
pub(super) fn reasons(rows: &Rows) -> BTreeSet<&str> {
    let fates = rows.values().flat_map(|row| row.fates.keys());
    fates
        .map(|(_, _, reason)| reason.as_str())
        .filter(|reason| !reason.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> SentMessage {
        SentMessage {
            bytes: text.into(),
            message_type: "ORU^R01".to_owned(),
            id: "7".to_owned(),
        }
    }

    fn answer(code: &str) -> Answer {
        Answer {
            code: code.to_owned(),
            id: "7".to_owned(),
            error: if code == "AA" { "" } else { "the-code" }.to_owned(),
        }
    }

    fn sent(messages: &[&str], codes: &[&str]) -> Sent {
        Sent {
            file: "a.hl7".to_owned(),
            frame: messages.concat().into(),
            messages: messages.iter().map(|text| message(text)).collect(),
            answers: codes.iter().map(|code| answer(code)).collect(),
        }
    }

    fn kept(text: &str, state: &str) -> Kept {
        Kept {
            record: 1,
            state: state.to_owned(),
            reason: (state == "held").then(|| "the-reason".to_owned()),
            bytes: text.into(),
        }
    }

    fn fates(sent: &[Sent], kept: &[Kept]) -> String {
        let rows = settle(sent, kept).unwrap();
        let words = rows["a.hl7"].fates.iter();
        let words = words.map(|((fate, code, why), n)| format!("{n} {} {code} {why}", fate.name()));
        words.collect::<Vec<_>>().join("; ")
    }

    fn fault(sent: &[Sent], kept: &[Kept]) -> String {
        format!("{:#}", settle(sent, kept).unwrap_err())
    }

    #[test]
    fn each_message_is_found_byte_for_byte_or_its_refusal_is_known() {
        let all = [
            sent(&["one"], &["AA"]),
            sent(&["two"], &["AE"]),
            sent(&["one"], &["AA"]),
            sent(&["too long"], &["AR"]),
        ];
        let records = [kept("one", "received"), kept("two", "held")];
        assert_eq!(
            fates(&all, &records),
            "1 accepted AA ; 1 held AE the-reason; 1 repeated AA ; 1 refused AR the-code"
        );
    }

    #[test]
    fn a_batch_is_settled_by_message_or_as_one() {
        let batch = sent(&["one", "two"], &["AA", "AA"]);
        let records = [kept("one", "received"), kept("two", "received")];
        assert_eq!(fates(&[batch], &records), "2 accepted AA ");
        let faulty = sent(&["one", "two"], &["AE"]);
        assert_eq!(
            fates(&[faulty], &[kept("onetwo", "held")]),
            "2 held AE the-reason"
        );
    }

    #[test]
    fn what_was_accepted_and_is_not_there_is_a_loss() {
        let lost = fault(&[sent(&["one"], &["AA"])], &[]);
        assert!(lost.contains("not kept as it was sent"), "{lost}");
        let changed = fault(&[sent(&["one"], &["AA"])], &[kept("ONE", "received")]);
        assert!(changed.contains("not kept as it was sent"), "{changed}");
    }

    #[test]
    fn silence_a_foreign_answer_and_a_false_accept_are_faults() {
        let silence = fault(&[sent(&["one"], &[])], &[kept("one", "received")]);
        assert!(silence.contains("got no answer"), "{silence}");
        let mut foreign = sent(&["one"], &["AA"]);
        foreign.answers[0].id = "8".to_owned();
        let foreign = fault(&[foreign], &[kept("one", "received")]);
        assert!(foreign.contains("names 8"), "{foreign}");
        let lie = fault(&[sent(&["one"], &["AA"])], &[kept("one", "held")]);
        assert!(lie.contains("is held and was answered"), "{lie}");
    }

    #[test]
    fn a_record_that_nobody_sent_is_a_fault() {
        let records = [kept("one", "received"), kept("ghost", "received")];
        let fault = fault(&[sent(&["one"], &["AA"])], &records);
        assert!(fault.contains("not sent"), "{fault}");
    }

    #[test]
    fn an_acknowledgement_is_kept_and_not_answered() {
        let mut ack = sent(&["ack"], &[]);
        ack.messages[0].message_type = "ACK^R01".to_owned();
        assert_eq!(fates(&[ack], &[kept("ack", "received")]), "1 accepted  ");
    }
}
