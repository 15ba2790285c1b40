//! Which acknowledgements a message gets: original and enhanced mode, MSH-15 and MSH-16
//! (HL7 v2.5.1 chapter 2.9, tables HL70008 and HL70155), MLLP release 2 commit blocks.
//!
//! **Invariant:** no acknowledgement before durability: whoever calls this has the outcome of the
//! commit. It must never copy more of a message than the standard says.

use std::sync::atomic::{AtomicU64, Ordering};

use labward_base::Timestamp;
use labward_hl7::{Ack, AckCode, AckCondition, Header, Message, mllp};

use crate::config::AckMode;
use crate::outcome::Settled;
use crate::reason::Reason;

/// The MSH segment of a message: all that its acknowledgements need of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AckSeed(Vec<u8>);

/// Writes acknowledgements, each with a control id of its own.
#[derive(Debug)]
pub(crate) struct AckWriter {
    next_id: AtomicU64,
}

/// When an acknowledgement is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    Error,
    Never,
    Success,
}

/// What a message gets: a commit acknowledgement, an application acknowledgement, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    commit: bool,
    application: bool,
}

impl AckSeed {
    /// The seed of a message.
    pub(crate) fn of(message: &Message<'_>) -> Self {
        Self(
            message
                .segments()
                .next()
                .map_or_else(Vec::new, |msh| msh.raw().to_vec()),
        )
    }

    /// The seed of what has no header: its acknowledgement names nobody.
    pub(crate) const fn anonymous() -> Self {
        Self(Vec::new())
    }

    /// The seed of a batch, whose acknowledgement repeats BHS-11.
    pub(crate) fn of_batch(header: &labward_hl7::Segment<'_>) -> Self {
        let raw = header.raw();
        let Some(separator) = raw.get(3) else {
            return Self::anonymous();
        };
        let mut msh = b"MSH".to_vec();
        for field in 2..=7 {
            msh.push(*separator);
            msh.extend_from_slice(header.field(field).raw());
        }
        // MSH-8 and MSH-9 stay empty, MSH-10 is the batch's control id.
        msh.extend_from_slice(&[*separator; 3]);
        msh.extend_from_slice(header.field(11).raw());
        Self(msh)
    }

    /// The seed of the beginning of a message that was cut or is too long.
    pub(crate) fn of_head(head: &[u8]) -> Self {
        Message::parse(head).map_or_else(|_| Self::anonymous(), |message| Self::of(&message))
    }
}

impl AckWriter {
    /// Control ids count from the microsecond of `now`, so that they differ from those of every
    /// earlier run.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            next_id: AtomicU64::new(u64::try_from(now.as_micros()).unwrap_or(0)),
        }
    }

    /// Appends the acknowledgements of one message, framed, in the order of the standard.
    pub(crate) fn write(
        &self,
        mode: AckMode,
        seed: &AckSeed,
        settled: Settled,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) {
        let message = Message::parse(&seed.0);
        let header = message
            .as_ref()
            .map_or_else(|_| Header::anonymous(), Message::header);
        // An acknowledgement of an acknowledgement would be answered for ever.
        if header.message_type().is_ack() {
            return;
        }
        let plan = Plan::of(mode, &header, settled);
        let now = now.to_hl7();
        if plan.commit {
            self.write_one(&header, commit_code(settled), settled, &now, out);
        }
        if plan.application {
            self.write_one(&header, application_code(settled), settled, &now, out);
        }
    }

    fn write_one(
        &self,
        header: &Header<'_>,
        code: AckCode,
        settled: Settled,
        now: &str,
        out: &mut Vec<u8>,
    ) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).to_string();
        let ack = Ack::new(header, code, &id, now);
        out.push(mllp::START);
        match settled {
            Settled::Accepted => ack.write_into(out),
            Settled::Refused(reason) => {
                ack.with_error(reason.condition(), reason.problem())
                    .write_into(out);
            }
        }
        out.extend_from_slice(&[mllp::END, b'\r']);
    }
}

impl Plan {
    fn of(mode: AckMode, header: &Header<'_>, settled: Settled) -> Self {
        let ok = settled == Settled::Accepted;
        let accept = header.accept_ack();
        let application = header.application_ack();
        let enhanced = |absent: When| Self {
            commit: When::of(accept, absent).applies(ok),
            application: When::of(application, absent).applies(ok),
        };
        const ORIGINAL: Plan = Plan {
            commit: false,
            application: true,
        };
        match mode {
            AckMode::Always => ORIGINAL,
            AckMode::AaOnly | AckMode::ByMessage if !header.is_enhanced_mode() => ORIGINAL,
            AckMode::ByMessage => enhanced(When::Never),
            AckMode::Enhanced => enhanced(When::Always),
            AckMode::AaOnly => {
                let plan = enhanced(When::Never);
                Self {
                    commit: false,
                    application: plan.commit || plan.application,
                }
            }
        }
    }
}

impl When {
    fn of(condition: AckCondition, absent: Self) -> Self {
        match condition {
            AckCondition::Absent => absent,
            // Who writes something else there wants an answer rather than none.
            AckCondition::Always | AckCondition::Unknown => Self::Always,
            AckCondition::Error => Self::Error,
            AckCondition::Never => Self::Never,
            AckCondition::Success => Self::Success,
        }
    }

    const fn applies(self, ok: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Error => !ok,
            Self::Never => false,
            Self::Success => ok,
        }
    }
}

/// The commit block of MLLP release 2.
pub(crate) const fn commit_block(settled: Settled) -> [u8; 4] {
    match settled {
        // A held message was stored as well: sending it again would not help.
        Settled::Accepted => mllp::COMMIT_ACK,
        Settled::Refused(Reason::CannotKeep) => mllp::COMMIT_NAK,
        Settled::Refused(_) => mllp::COMMIT_ACK,
    }
}

const fn application_code(settled: Settled) -> AckCode {
    match settled {
        Settled::Accepted => AckCode::Aa,
        Settled::Refused(reason) => reason.application_code(),
    }
}

const fn commit_code(settled: Settled) -> AckCode {
    match settled {
        Settled::Accepted => AckCode::Ca,
        Settled::Refused(reason) => reason.commit_code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_hl7::parse_ack;

    const OK: Settled = Settled::Accepted;
    const BAD: Settled = Settled::Refused(Reason::IdReused);

    fn acks(mode: AckMode, msh: &[u8], settled: Settled) -> Vec<String> {
        let seed = AckSeed::of_head(msh);
        let mut out = Vec::new();
        AckWriter::new(Timestamp::from_seconds(1)).write(
            mode,
            &seed,
            settled,
            Timestamp::default(),
            &mut out,
        );
        let mut decoder = mllp::Decoder::new(10_000);
        decoder.feed(&out);
        std::iter::from_fn(|| decoder.next_event())
            .map(|event| {
                let mllp::Event::Frame(frame) = event else {
                    panic!("{event:?}")
                };
                let ack = parse_ack(&frame).unwrap();
                assert!(ack.answers(b"id-1"));
                ack.code.as_str().to_owned()
            })
            .collect()
    }

    fn check(mode: AckMode, conditions: &str, ok: &[&str], bad: &[&str]) {
        let msh = format!("MSH|^~\\&|A|B|C|D|||ORU^R01|id-1|P|2.5.1|||{conditions}\r");
        assert_eq!(
            acks(mode, msh.as_bytes(), OK),
            ok,
            "{mode:?} {conditions} ok"
        );
        assert_eq!(
            acks(mode, msh.as_bytes(), BAD),
            bad,
            "{mode:?} {conditions} bad"
        );
    }

    #[test]
    fn the_message_says_which_mode_it_wants() {
        check(AckMode::ByMessage, "|", &["AA"], &["AE"]);
        check(AckMode::ByMessage, "AL|AL", &["CA", "AA"], &["CE", "AE"]);
        check(AckMode::ByMessage, "AL|NE", &["CA"], &["CE"]);
        check(AckMode::ByMessage, "ER|SU", &["AA"], &["CE"]);
        check(AckMode::ByMessage, "NE|NE", &[], &[]);
        check(AckMode::ByMessage, "|AL", &["AA"], &["AE"]);
        check(AckMode::ByMessage, "ACCEPT|NE", &["CA"], &["CE"]);
    }

    #[test]
    fn the_link_may_override_what_the_message_says() {
        check(AckMode::Always, "NE|NE", &["AA"], &["AE"]);
        check(AckMode::Always, "AL|AL", &["AA"], &["AE"]);
        check(AckMode::AaOnly, "AL|NE", &["AA"], &["AE"]);
        check(AckMode::AaOnly, "NE|NE", &[], &[]);
        check(AckMode::AaOnly, "|", &["AA"], &["AE"]);
        check(AckMode::Enhanced, "|", &["CA", "AA"], &["CE", "AE"]);
        check(AckMode::Enhanced, "NE|", &["AA"], &["AE"]);
    }

    #[test]
    fn acknowledgements_have_ids_of_their_own_and_the_senders_delimiters() {
        let seed = AckSeed::of_head(b"MSH#*%\\!#A#B#C#D###ORU*R01#id-1#P#2.5###AL#AL\r");
        let mut out = Vec::new();
        let writer = AckWriter::new(Timestamp::from_seconds(1));
        writer.write(
            AckMode::ByMessage,
            &seed,
            BAD,
            Timestamp::default(),
            &mut out,
        );
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("#1000000#P#2.5") && text.contains("#1000001#P#2.5"),
            "{text}"
        );
        assert!(
            text.contains("MSA#CE#id-1#") && text.contains("205*"),
            "{text}"
        );
    }

    #[test]
    fn an_acknowledgement_is_never_acknowledged() {
        let msh = b"MSH|^~\\&|A|B|C|D|||ACK^R01^ACK|id-1|P|2.5.1\r";
        assert!(acks(AckMode::Always, msh, OK).is_empty());
    }

    #[test]
    fn a_batch_is_answered_with_its_own_id() {
        let bytes = b"BHS|^~\\&|A|B|C|D|20260101||||id-1\rBTS|0\r";
        let batch = labward_hl7::Batch::parse(bytes).unwrap();
        let seed = AckSeed::of_batch(&batch.batch_header().unwrap());
        assert_eq!(seed.0, b"MSH|^~\\&|A|B|C|D|20260101|||id-1");
        assert_eq!(acks(AckMode::ByMessage, &seed.0, OK), ["AA"]);
    }

    #[test]
    fn what_has_no_header_is_answered_without_an_id() {
        let mut out = Vec::new();
        let writer = AckWriter::new(Timestamp::from_seconds(1));
        let refused = Settled::Refused(Reason::NotHl7);
        let seed = AckSeed::anonymous();
        writer.write(
            AckMode::ByMessage,
            &seed,
            refused,
            Timestamp::default(),
            &mut out,
        );
        let ack = parse_ack(out.get(1..out.len() - 2).unwrap()).unwrap();
        assert_eq!((ack.code, ack.acknowledged_id), (AckCode::Ar, &b""[..]));
    }
}
