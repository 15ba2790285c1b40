//! A sender and a receiver over a line that damages, loses and repeats what it carries.
//!
//! The claim: a message arrives, or its sender is told that it failed; it arrives again only where an
//! acknowledgement was lost, which the gateway finds by its content; nothing that arrives as a message
//! is altered. An 8-bit checksum finds any single flipped bit, so one is flipped.

use labward_base::Timestamp;
use proptest::prelude::*;

use super::{
    Action, Conduct, LinkMessage, Receiver, Role, SendAction, SendFailure, Sender, SenderConduct,
};
use crate::Deviation;

#[derive(Clone, Copy, Debug)]
enum Fault {
    Flip { at: prop::sample::Index, bit: u8 },
    Lose,
    None,
    Repeat,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        2 => (any::<prop::sample::Index>(), 0_u8..8).prop_map(|(at, bit)| Fault::Flip { at, bit }),
        1 => Just(Fault::Lose),
        1 => Just(Fault::Repeat),
    ]
}

fn message(number: usize) -> Vec<u8> {
    format!(
        "H|\\^&|||Analyzer^{number}\rP|1||MRN{number}\rO|1|S{number}\rR|1|^^^WBC|8.{number}|10*3/uL\r\
         C|1|I|{}\rL|1|N\r",
        "a comment that is longer than a frame ".repeat(number)
    )
    .into_bytes()
}

struct Line {
    receiver: Receiver,
    sender: Sender,
    now: Timestamp,
    faults: Vec<Fault>,
    /// Which of the messages handed out the host cannot keep.
    refusals: Vec<bool>,
    kept: Vec<LinkMessage>,
    outcome: Option<Result<(), SendFailure>>,
    /// How many acknowledgements of this message did not arrive as they were sent.
    lost_answers: usize,
}

impl Line {
    fn carry(&mut self, bytes: &[u8], may_repeat: bool) -> Vec<u8> {
        match self.faults.pop().unwrap_or(Fault::None) {
            Fault::Flip { at, bit } => {
                let mut bytes = bytes.to_vec();
                let at = at.index(bytes.len());
                bytes[at] ^= 1_u8 << bit;
                bytes
            }
            Fault::Lose => Vec::new(),
            Fault::Repeat if may_repeat => bytes.repeat(2),
            Fault::None | Fault::Repeat => bytes.to_vec(),
        }
    }

    fn write_to_host(&mut self, bytes: &[u8]) {
        let bytes = self.carry(bytes, true);
        assert_eq!(self.receiver.receive(&bytes, self.now), bytes.len());
        self.host_acts();
    }

    fn host_acts(&mut self) {
        let mut answer = Vec::new();
        while let Some(action) = self.receiver.next_action() {
            match action {
                Action::Send(byte) => answer.push(byte),
                Action::Message(message) if !message.awaits_commit => self.kept.push(message),
                Action::Message(message) => {
                    if self.refusals.pop().unwrap_or(false) {
                        self.receiver.refused(self.now);
                    } else {
                        self.kept.push(message);
                        self.receiver.committed(self.now);
                    }
                }
                Action::Damaged { .. } | Action::Noted(_) | Action::Refused { .. } => {}
            }
        }
        if !answer.is_empty() {
            let arrived = self.carry(&answer, false);
            self.lost_answers += usize::from(arrived != answer);
            self.sender.receive(&arrived, self.now);
        }
    }

    /// Sends one message to its end, whichever it is.
    fn send(&mut self, message: &[u8]) -> Result<(), SendFailure> {
        self.sender
            .send(message, self.now)
            .expect("the sender is idle");
        for _ in 0..10_000 {
            if let Some(action) = self.sender.next_action() {
                match action {
                    SendAction::Delivered => self.outcome = Some(Ok(())),
                    SendAction::Failed(failure) => self.outcome = Some(Err(failure)),
                    SendAction::Send(bytes) => self.write_to_host(&bytes),
                    SendAction::Yielded => panic!("an instrument does not yield"),
                }
            } else if let Some(outcome) = self.outcome.take() {
                return outcome;
            } else {
                let deadlines = [self.sender.deadline(), self.receiver.deadline()];
                self.now = deadlines
                    .into_iter()
                    .flatten()
                    .min()
                    .expect("someone waits");
                self.sender.tick(self.now);
                self.receiver.tick(self.now);
                self.host_acts();
            }
        }
        panic!("it does not end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_message_arrives_or_its_sender_knows_and_again_only_if_an_acknowledgement_was_lost(
        faults in proptest::collection::vec(fault(), 0..60),
        refusals in proptest::collection::vec(prop::bool::weighted(0.2), 0..10),
        strict: bool,
        frame_per_record: bool,
    ) {
        let conduct = if strict { Conduct::strict() } else { Conduct::lenient() };
        let sending = SenderConduct { frame_per_record, ..SenderConduct::standard(Role::Instrument) };
        let mut line = Line {
            receiver: Receiver::new(conduct),
            sender: Sender::new(sending),
            now: Timestamp::from_seconds(1_000),
            faults,
            refusals,
            kept: Vec::new(),
            outcome: None,
            lost_answers: 0,
        };
        let mut failed: Vec<Vec<u8>> = Vec::new();
        for number in 1..9 {
            let sent = message(number);
            let before = line.kept.len();
            line.lost_answers = 0;
            let outcome = line.send(&sent);
            if outcome.is_err() {
                failed.push(sent.clone());
            }
            let arrived = line.kept.split_off(before);
            let (cut, whole): (Vec<_>, Vec<_>) = arrived
                .into_iter()
                .partition(|kept| kept.deviations.contains(&Deviation::NoTerminator));
            for kept in &whole {
                prop_assert_eq!(&kept.bytes, &sent);
                prop_assert!(kept.awaits_commit);
            }
            // What its sender gave up between records is marked as cut, and not altered.
            for kept in &cut {
                prop_assert!(!strict && failed.iter().any(|sent| sent.starts_with(&kept.bytes)));
            }
            prop_assert!(whole.len() <= 1 + line.lost_answers);
            if outcome.is_ok() {
                prop_assert!(!whole.is_empty(), "the sender believes that it arrived");
            }
        }
        // When the line has become good, everything gets through.
        line.faults.clear();
        line.refusals.clear();
        for number in 1..3 {
            prop_assert_eq!(line.send(&message(number)), Ok(()));
        }
    }
}
