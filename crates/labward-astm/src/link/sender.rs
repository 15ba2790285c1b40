//! The sending end of a link: asks for the line, sends frames, waits for their answers (E1381 /
//! LIS01-A2).
//!
//! It must never say that a message is delivered before its last frame was acknowledged. Nothing is
//! repeated after a failure: whether the receiver has the message is then not known, and the caller
//! decides.

use std::collections::VecDeque;
use std::time::Duration;

use labward_base::Timestamp;

use crate::control::{self, ACK, CR, ENQ, EOT, NAK};
use crate::frame::{Frame, FrameEnd, MAX_TEXT_BYTES, next_number};

/// Which side gives way when both ask for the line at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The host gives way and waits 20 s for the instrument to ask again.
    Host,
    /// The instrument asks again after 1 s.
    Instrument,
}

/// How a [`Sender`] behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderConduct {
    /// Which side gives way.
    pub role: Role,
    /// The longest text of a frame, in bytes; at least 1.
    pub max_text_bytes: usize,
    /// Whether each record gets frames of its own, or the message is cut wherever a frame is full.
    pub frame_per_record: bool,
    /// How often a frame or ENQ is sent at most (E1381: 6).
    pub tries: u8,
    /// How long to wait for an answer (E1381: 15 s).
    pub reply_timeout: Duration,
    /// How long to wait after a NAK to ENQ (E1381: 10 s).
    pub busy_wait: Duration,
    /// How long to wait after both asked at once: 1 s for an instrument, 20 s for a host.
    pub contention_wait: Duration,
}

/// What whoever drives a [`Sender`] has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendAction {
    /// The receiver acknowledged every frame of the message.
    Delivered,
    /// The message was given up.
    Failed(SendFailure),
    /// These bytes are to be sent, in one write.
    Send(Vec<u8>),
    /// The instrument asked for the line too: until [`Sender::deadline`] what comes is for the
    /// [`Receiver`](super::Receiver), then the sender asks again.
    Yielded,
}

/// Why a message was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendFailure {
    /// The receiver stayed busy.
    Busy,
    /// Both sides asked for the line at once, again and again.
    Contention,
    /// No answer came in time.
    NoReply,
    /// A frame was refused six times.
    Refused,
}

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The text holds a control character that no frame can carry.
    #[error("the message holds a control character that a frame cannot carry")]
    ControlInText,
    /// The message is empty.
    #[error("the message is empty")]
    Empty,
    /// Another message is being sent.
    #[error("another message is being sent")]
    Sending,
}

/// The sending end of a link, as a state machine.
#[derive(Debug)]
pub struct Sender {
    conduct: SenderConduct,
    state: State,
    frames: VecDeque<Vec<u8>>,
    tries: u8,
    actions: VecDeque<SendAction>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    AwaitingEnqReply {
        until: Timestamp,
    },
    AwaitingFrameReply {
        until: Timestamp,
    },
    Idle,
    /// Waiting before ENQ is sent again.
    Waiting {
        until: Timestamp,
    },
}

impl SenderConduct {
    /// The standard's times and sizes for this role.
    pub const fn standard(role: Role) -> Self {
        Self {
            role,
            max_text_bytes: MAX_TEXT_BYTES,
            frame_per_record: true,
            tries: 6,
            reply_timeout: Duration::from_secs(15),
            busy_wait: Duration::from_secs(10),
            contention_wait: match role {
                Role::Host => Duration::from_secs(20),
                Role::Instrument => Duration::from_secs(1),
            },
        }
    }
}

impl Sender {
    /// A sender with nothing to send.
    pub const fn new(conduct: SenderConduct) -> Self {
        Self {
            conduct,
            state: State::Idle,
            frames: VecDeque::new(),
            tries: 0,
            actions: VecDeque::new(),
        }
    }

    /// Begins to send a message: records, each ended by CR.
    ///
    /// # Errors
    /// Another message is being sent, or this one is empty or holds what no frame can carry.
    pub fn send(&mut self, message: &[u8], now: Timestamp) -> Result<(), SendError> {
        if !self.is_idle() {
            return Err(SendError::Sending);
        }
        if message.is_empty() {
            return Err(SendError::Empty);
        }
        if message.iter().copied().any(control::is_forbidden_in_text) {
            return Err(SendError::ControlInText);
        }
        self.frames = self.cut_into_frames(message);
        self.tries = 0;
        self.ask(now);
        Ok(())
    }

    /// Takes the receiver's answers, as they were read.
    ///
    /// What stands in one read after an answer cannot answer what was not sent yet, and is ignored.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) {
        let prepared = self.actions.len();
        for byte in bytes {
            if self.actions.len() > prepared {
                return;
            }
            match self.state {
                State::AwaitingEnqReply { .. } => self.take_enq_reply(*byte, now),
                State::AwaitingFrameReply { .. } => self.take_frame_reply(*byte, now),
                // Nothing was asked, so this answers nothing.
                State::Idle | State::Waiting { .. } => {}
            }
        }
    }

    /// The next thing to do, if there is one.
    pub fn next_action(&mut self) -> Option<SendAction> {
        self.actions.pop_front()
    }

    /// Whether there is no message to send.
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Whether the sender has the line or asks for it, so that what comes is for it.
    pub fn holds_line(&self) -> bool {
        matches!(
            self.state,
            State::AwaitingEnqReply { .. } | State::AwaitingFrameReply { .. }
        )
    }

    /// When [`tick`](Self::tick) is to be called, if nothing comes before.
    pub fn deadline(&self) -> Option<Timestamp> {
        match self.state {
            State::AwaitingEnqReply { until }
            | State::AwaitingFrameReply { until }
            | State::Waiting { until } => Some(until),
            State::Idle => None,
        }
    }

    /// Carries out what is due at this time.
    pub fn tick(&mut self, now: Timestamp) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.state {
            State::Waiting { .. } => self.ask(now),
            State::AwaitingEnqReply { .. } | State::AwaitingFrameReply { .. } => {
                self.fail(SendFailure::NoReply);
            }
            State::Idle => {}
        }
    }

    /// Puts off asking for the line again, because the instrument is using it.
    pub fn postpone(&mut self, now: Timestamp) {
        if let State::Waiting { .. } = self.state {
            self.state = State::Waiting {
                until: now.plus(self.conduct.contention_wait),
            };
        }
    }

    fn cut_into_frames(&self, message: &[u8]) -> VecDeque<Vec<u8>> {
        let max = self.conduct.max_text_bytes.max(1);
        let mut frames = VecDeque::new();
        let mut number = 1;
        let mut cut = |part: &[u8]| {
            let mut chunks = part.chunks(max).peekable();
            while let Some(text) = chunks.next() {
                let is_last = chunks.peek().is_none();
                let end = if is_last {
                    FrameEnd::Last
                } else {
                    FrameEnd::Intermediate
                };
                let mut bytes = Vec::new();
                Frame { number, text, end }.encode(&mut bytes);
                frames.push_back(bytes);
                number = next_number(number);
            }
        };
        if self.conduct.frame_per_record {
            message
                .split_inclusive(|byte| *byte == CR)
                .for_each(&mut cut);
        } else {
            cut(message);
        }
        frames
    }

    fn ask(&mut self, now: Timestamp) {
        self.tries = self.tries.saturating_add(1);
        self.actions.push_back(SendAction::Send(vec![ENQ]));
        self.state = State::AwaitingEnqReply {
            until: now.plus(self.conduct.reply_timeout),
        };
    }

    fn take_enq_reply(&mut self, byte: u8, now: Timestamp) {
        match byte {
            ACK => {
                self.tries = 0;
                self.send_frame(now);
            }
            ENQ if self.tries >= self.conduct.tries => self.fail(SendFailure::Contention),
            ENQ => {
                if self.conduct.role == Role::Host {
                    self.actions.push_back(SendAction::Yielded);
                }
                self.state = State::Waiting {
                    until: now.plus(self.conduct.contention_wait),
                };
            }
            NAK if self.tries >= self.conduct.tries => self.fail(SendFailure::Busy),
            NAK => {
                self.state = State::Waiting {
                    until: now.plus(self.conduct.busy_wait),
                }
            }
            // Garbled, and ENQ may not be repeated before its time: the timer decides.
            _ => {}
        }
    }

    fn take_frame_reply(&mut self, byte: u8, now: Timestamp) {
        if byte == ACK || byte == EOT {
            // EOT accepts the frame and asks for the line, which E1381 lets the sender ignore.
            self.frames.pop_front();
            self.tries = 0;
            self.send_frame(now);
        } else if self.tries >= self.conduct.tries {
            self.fail(SendFailure::Refused);
        } else {
            // E1381: whatever is neither ACK nor EOT counts as NAK.
            self.send_frame(now);
        }
    }

    fn send_frame(&mut self, now: Timestamp) {
        if let Some(frame) = self.frames.front() {
            self.tries = self.tries.saturating_add(1);
            self.actions.push_back(SendAction::Send(frame.clone()));
            self.state = State::AwaitingFrameReply {
                until: now.plus(self.conduct.reply_timeout),
            };
        } else {
            self.actions.push_back(SendAction::Send(vec![EOT]));
            self.actions.push_back(SendAction::Delivered);
            self.state = State::Idle;
        }
    }

    fn fail(&mut self, failure: SendFailure) {
        self.frames.clear();
        // Busy or contending, the sender never had the line, and EOT would disturb who has it.
        if matches!(failure, SendFailure::NoReply | SendFailure::Refused) {
            self.actions.push_back(SendAction::Send(vec![EOT]));
        }
        self.actions.push_back(SendAction::Failed(failure));
        self.state = State::Idle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::STX;

    const START: Timestamp = Timestamp::from_seconds(1_000);
    const MESSAGE: &[u8] = b"H|\\^&\rL|1|N\r";

    struct Instrument {
        sender: Sender,
        now: Timestamp,
    }

    impl Instrument {
        fn sending(conduct: SenderConduct, message: &[u8]) -> Self {
            let mut sender = Sender::new(conduct);
            assert_eq!(sender.send(message, START), Ok(()));
            Self { sender, now: START }
        }

        fn answer(&mut self, bytes: &[u8]) -> Vec<String> {
            self.sender.receive(bytes, self.now);
            self.actions()
        }

        fn wait(&mut self, seconds: u64) -> Vec<String> {
            self.now = self.now.plus(Duration::from_secs(seconds));
            self.sender.tick(self.now);
            self.actions()
        }

        fn actions(&mut self) -> Vec<String> {
            let actions = std::iter::from_fn(|| self.sender.next_action());
            let text = |action| match action {
                SendAction::Send(bytes) => bytes.escape_ascii().to_string(),
                other => format!("{other:?}"),
            };
            actions.map(text).collect()
        }
    }

    const ENQUIRY: &str = "\\x05";
    const FIRST: &str = "\\x021H|\\\\^&\\r\\x03E5\\r\\n";
    const SECOND: &str = "\\x022L|1|N\\r\\x0305\\r\\n";
    const END: &str = "\\x04";

    fn instrument() -> Instrument {
        let mut this = Instrument::sending(SenderConduct::standard(Role::Instrument), MESSAGE);
        assert_eq!(this.actions(), [ENQUIRY]);
        this
    }

    #[test]
    fn each_frame_waits_for_its_answer() {
        let mut this = instrument();
        assert_eq!(this.answer(&[ACK]), [FIRST]);
        assert_eq!(this.answer(&[ACK]), [SECOND]);
        assert_eq!(this.answer(&[ACK]), [END, "Delivered"]);
        assert!(this.sender.is_idle());
        assert_eq!(this.sender.deadline(), None);
        assert!(this.answer(&[ACK, NAK, ENQ]).is_empty());
    }

    #[test]
    fn a_second_answer_in_one_read_answers_nothing() {
        let mut this = instrument();
        assert_eq!(this.answer(&[ACK, ACK, ACK, ACK]), [FIRST]);
    }

    #[test]
    fn eot_for_ack_accepts_the_frame() {
        let mut this = instrument();
        assert_eq!(this.answer(&[ACK]), [FIRST]);
        assert_eq!(this.answer(&[EOT]), [SECOND]);
    }

    #[test]
    fn a_frame_is_sent_six_times_and_no_more() {
        for answer in [NAK, b'?', STX] {
            let mut this = instrument();
            assert_eq!(this.answer(&[ACK]), [FIRST]);
            for _ in 0..5 {
                assert_eq!(this.answer(&[answer]), [FIRST]);
            }
            assert_eq!(this.answer(&[answer]), [END, "Failed(Refused)"]);
            assert!(this.sender.is_idle());
        }
    }

    #[test]
    fn silence_of_fifteen_seconds_ends_the_transmission() {
        let mut this = instrument();
        assert!(this.wait(14).is_empty());
        assert_eq!(this.wait(1), [END, "Failed(NoReply)"]);
        let mut this = instrument();
        this.wait(14);
        assert_eq!(this.answer(&[ACK]), [FIRST]);
        assert!(this.wait(14).is_empty());
        assert_eq!(this.wait(1), [END, "Failed(NoReply)"]);
    }

    #[test]
    fn a_busy_receiver_is_asked_again_after_ten_seconds_six_times_in_all() {
        let mut this = instrument();
        for _ in 0..5 {
            assert!(this.answer(&[NAK]).is_empty());
            assert!(!this.sender.holds_line());
            assert!(this.wait(9).is_empty());
            assert_eq!(this.wait(1), [ENQUIRY]);
        }
        assert_eq!(this.answer(&[NAK]), ["Failed(Busy)"]);
    }

    #[test]
    fn in_contention_the_instrument_asks_again_first() {
        let mut this = instrument();
        for _ in 0..5 {
            assert!(this.answer(&[ENQ]).is_empty());
            assert_eq!(this.wait(1), [ENQUIRY]);
        }
        assert_eq!(this.answer(&[ENQ]), ["Failed(Contention)"]);
        let mut host = Instrument::sending(SenderConduct::standard(Role::Host), MESSAGE);
        assert_eq!(host.actions(), [ENQUIRY]);
        assert_eq!(host.answer(&[ENQ]), ["Yielded"]);
        assert!(!host.sender.holds_line());
        assert!(host.wait(19).is_empty());
        host.sender.postpone(host.now);
        assert!(host.wait(19).is_empty());
        assert_eq!(host.wait(1), [ENQUIRY]);
    }

    #[test]
    fn what_no_frame_can_carry_is_refused() {
        let mut sender = Sender::new(SenderConduct::standard(Role::Instrument));
        assert_eq!(sender.send(b"", START), Err(SendError::Empty));
        assert_eq!(
            sender.send(b"H|\x03\r", START),
            Err(SendError::ControlInText)
        );
        assert_eq!(sender.send(MESSAGE, START), Ok(()));
        assert_eq!(sender.send(MESSAGE, START), Err(SendError::Sending));
    }

    #[test]
    fn long_records_are_cut_with_etb() {
        let conduct = SenderConduct {
            max_text_bytes: 4,
            ..SenderConduct::standard(Role::Host)
        };
        let frames = |frame_per_record| {
            let sender = Sender::new(SenderConduct {
                frame_per_record,
                ..conduct.clone()
            });
            let frames = sender.cut_into_frames(MESSAGE);
            let texts = frames.iter().map(|bytes| {
                let frame = Frame::parse(bytes).expect("it is a frame");
                format!(
                    "{}{}{:?}",
                    frame.number,
                    frame.text.escape_ascii(),
                    frame.end
                )
            });
            texts.collect::<Vec<_>>()
        };
        let expect = [
            "1H|\\\\^Intermediate",
            "2&\\rLast",
            "3L|1|Intermediate",
            "4N\\rLast",
        ];
        assert_eq!(frames(true), expect);
        let expect = ["1H|\\\\^Intermediate", "2&\\rL|Intermediate", "31|N\\rLast"];
        assert_eq!(frames(false), expect);
    }
}
