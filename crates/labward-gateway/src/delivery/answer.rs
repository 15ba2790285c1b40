//! Whether what a receiver sends is the acknowledgement of what it was sent (HL7 v2 chapter 2).
//!
//! An acknowledgement counts only if its MSA-2 is the MSH-10 that was sent, whatever its code says:
//! one that is late or another's never marks a message as delivered.

use std::collections::VecDeque;

use labward_hl7::{AckCode, AckCondition, Message, parse_ack};

/// Acknowledgements that may still come for messages a commit acknowledgement has settled.
const LATE_MAX: usize = 64;

/// What a message's sender is to get as its answer.
pub(super) struct Expected {
    control_id: Vec<u8>,
    /// Whether a CA is not yet the end.
    waits_for_application: bool,
    /// Whether a receiver that follows MSH-15 and MSH-16 may stay silent though all went well.
    silence_is_consent: bool,
}

/// What a frame from the receiver means for the message that is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The answer that settles it.
    Final(AckCode),
    /// It is stored, and the application's answer is still to come.
    Interim,
    /// The application's answer to an earlier message, which is settled already.
    Earlier,
    /// No acknowledgement, or another message's.
    Foreign,
}

/// Control ids of messages that a commit acknowledgement settled on this connection.
#[derive(Default)]
pub(super) struct Settled(VecDeque<Vec<u8>>);

impl Expected {
    /// The answer to expect for these bytes; `None` if they are not an HL7 v2 message.
    pub(super) fn of(bytes: &[u8], wait_for_application: bool) -> Option<Self> {
        let message = Message::parse(bytes).ok()?;
        let header = message.header();
        let (accept, application) = (header.accept_ack(), header.application_ack());
        let asks = |condition| {
            !matches!(
                condition,
                AckCondition::Absent | AckCondition::Never | AckCondition::Error
            )
        };
        let enhanced = header.is_enhanced_mode();
        Some(Self {
            control_id: header.control_id().to_vec(),
            waits_for_application: wait_for_application && (!enhanced || asks(application)),
            silence_is_consent: enhanced && !asks(accept) && !asks(application),
        })
    }

    /// Whether silence may mean that all went well.
    pub(super) const fn silence_is_consent(&self) -> bool {
        self.silence_is_consent
    }

    /// What a frame from the receiver means.
    pub(super) fn judge(&self, frame: &[u8], settled: &mut Settled) -> Verdict {
        let Ok(ack) = parse_ack(frame) else {
            return Verdict::Foreign;
        };
        if !ack.answers(&self.control_id) {
            let earlier = !ack.code.is_commit() && settled.take(ack.acknowledged_id);
            return if earlier {
                Verdict::Earlier
            } else {
                Verdict::Foreign
            };
        }
        if ack.code == AckCode::Ca {
            if self.waits_for_application {
                return Verdict::Interim;
            }
            settled.add(&self.control_id);
        }
        Verdict::Final(ack.code)
    }
}

impl Settled {
    fn add(&mut self, control_id: &[u8]) {
        if self.0.len() >= LATE_MAX {
            self.0.pop_front();
        }
        self.0.push_back(control_id.to_vec());
    }

    fn take(&mut self, control_id: &[u8]) -> bool {
        let found = self.0.iter().position(|known| known == control_id);
        found.is_some_and(|at| self.0.remove(at).is_some())
    }

    /// Whether this frame is the application's answer to a settled message.
    pub(super) fn is_late(&mut self, frame: &[u8]) -> bool {
        parse_ack(frame).is_ok_and(|ack| !ack.code.is_commit() && self.take(ack.acknowledged_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(id: &str, fifteen: &str, sixteen: &str, wait: bool) -> Expected {
        let message = format!("MSH|^~\\&|A|B|C|D|||ORU^R01|{id}|P|2.5|||{fifteen}|{sixteen}\r");
        Expected::of(message.as_bytes(), wait).unwrap()
    }

    fn ack(code: &str, id: &str) -> Vec<u8> {
        format!("MSH|^~\\&|C|D|A|B|||ACK|9|P|2.5\rMSA|{code}|{id}").into_bytes()
    }

    #[test]
    fn only_the_same_control_id_settles_a_message() {
        let expected = expected("42", "", "", false);
        let settled = &mut Settled::default();
        let judged = |code, id| expected.judge(&ack(code, id), &mut Settled::default());
        assert_eq!(judged("AA", "42"), Verdict::Final(AckCode::Aa));
        assert_eq!(judged("AE", "42"), Verdict::Final(AckCode::Ae));
        for id in ["41", "", "042", "42 "] {
            assert_eq!(judged("AA", id), Verdict::Foreign, "{id:?}");
        }
        assert_eq!(expected.judge(b"hello", settled), Verdict::Foreign);
        assert_eq!(expected.judge(b"MSH|^~\\&|A\r", settled), Verdict::Foreign);
    }

    #[test]
    fn a_message_without_control_id_takes_an_answer_without_one() {
        let expected = expected("", "", "", false);
        let settled = &mut Settled::default();
        assert_eq!(
            expected.judge(&ack("AA", ""), settled),
            Verdict::Final(AckCode::Aa)
        );
        assert_eq!(expected.judge(&ack("AA", "7"), settled), Verdict::Foreign);
    }

    #[test]
    fn a_commit_is_final_unless_the_application_is_waited_for() {
        let settled = &mut Settled::default();
        let commit = ack("CA", "1");
        assert_eq!(
            expected("1", "AL", "AL", false).judge(&commit, settled),
            Verdict::Final(AckCode::Ca)
        );
        let next = expected("2", "AL", "AL", false);
        assert_eq!(next.judge(&ack("AA", "1"), settled), Verdict::Earlier);
        assert_eq!(next.judge(&ack("AA", "1"), settled), Verdict::Foreign);
        assert_eq!(
            expected("1", "AL", "AL", true).judge(&commit, settled),
            Verdict::Interim
        );
        assert_eq!(
            expected("1", "AL", "NE", true).judge(&commit, settled),
            Verdict::Final(AckCode::Ca)
        );
    }

    #[test]
    fn silence_is_consent_only_where_no_answer_is_asked_for() {
        for (fifteen, sixteen, consent) in [
            ("", "", false),
            ("NE", "NE", true),
            ("ER", "NE", true),
            ("NE", "", true),
            ("AL", "NE", false),
            ("NE", "AL", false),
            ("NE", "SU", false),
            ("ACCEPT", "", false),
        ] {
            let found = expected("1", fifteen, sixteen, false).silence_is_consent();
            assert_eq!(found, consent, "{fifteen:?} {sixteen:?}");
        }
    }

    #[test]
    fn what_is_no_message_has_no_answer() {
        assert!(Expected::of(b"H|\\^&|||", false).is_none());
    }
}
