//! [`Watch`]: who is told that a message was accepted, without anything of what it says.
//!
//! Told is what an analyzer does on its line: when, which type, which tests by their codes, its number and the sender's
//! clock. It must never hold up a message or the commit, or hand over anything of a patient: what is not of the form
//! of a code or a time is not read.

use labward_astm::record::{Field as AstmField, Message as AstmMessage, RecordType};
use labward_base::Timestamp;
use labward_base::id::PeerId;
use labward_hl7::{Message, Segment};

/// Bytes of a code; what is longer is none.
const CODE_MAX_BYTES: usize = 32;
/// Bytes of all codes of one message; those that come after are not told.
const CODES_MAX_BYTES: usize = 2_048;
/// Segments or records of a message that are looked at.
const PARTS_MAX: usize = 1_024;
/// Bytes of a time.
const CLOCK_MAX_BYTES: usize = 32;
/// Digits of a number.
const DIGITS_MAX: usize = 18;
/// What stands for a code that is none.
const NO_CODE: &str = "?";
/// What separates codes; no code holds it.
const SEPARATOR: char = '\n';

/// Is told of messages that were accepted.
pub trait Watch: Send + Sync + 'static {
    /// Takes this without waiting: the writer of the database calls it. What is dropped must be counted, so that it is
    /// not taken for something that never came.
    fn accepted(&self, accepted: Accepted);
}

/// A message that was accepted and is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Whose it is.
    pub peer: PeerId,
    /// The device, where the peer is an edge.
    pub behind: Option<Behind>,
    /// When it came; of an edge when the edge received it.
    pub received: Timestamp,
    /// `ORU^R01`; of ASTM `ASTM^R` with results, `ASTM^Q` with a query, `ASTM^O` with orders alone.
    pub message_type: String,
    /// MSH-13, of ASTM H-3, if it is a number.
    pub sequence: Option<u64>,
    /// MSH-7, of ASTM H-14, as sent; empty if it is no time.
    pub sender_clock: Box<str>,
    codes: String,
}

/// A device as its edge calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The edge, as the lab calls it.
    pub edge: String,
    /// The link on which the edge speaks.
    pub link: String,
    /// The device, as the edge calls it.
    pub device: String,
}

impl Accepted {
    /// The codes of its tests, in order and maybe more than once; `?` for one that is not of the form of a code.
    pub fn tests(&self) -> impl Iterator<Item = &str> {
        let codes = self.codes.split(SEPARATOR);
        codes.filter(|code| !code.is_empty())
    }
}

/// What is told of a message, read while it is parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    message_type: String,
    sequence: Option<u64>,
    sender_clock: Box<str>,
    codes: String,
}

impl Outline {
    /// Of an HL7 message: OBR-4 and OBX-3, the identifier or else the alternate one.
    pub(crate) fn of_hl7(message: &Message<'_>, message_type: &str) -> Self {
        let header = message.header();
        let mut codes = String::new();
        for segment in message.segments().skip(1).take(PARTS_MAX) {
            let raw = segment.raw();
            if raw.starts_with(b"OBX") {
                push(&mut codes, hl7_code(&segment, 3));
            } else if raw.starts_with(b"OBR") {
                push(&mut codes, hl7_code(&segment, 4));
            }
        }
        Self {
            message_type: message_type.to_owned(),
            sequence: number(header.field(13).raw()),
            sender_clock: clock(header.message_time().component(1).raw()),
            codes,
        }
    }

    /// Of an ASTM message: the first component of O-5 and R-3 that is not empty, of each repeat.
    pub(crate) fn of_astm(message: &AstmMessage<'_>) -> Self {
        let header = message.header();
        let mut codes = String::new();
        let mut kind = "ASTM";
        for record in message.records().iter().take(PARTS_MAX) {
            let tests = match record.record_type() {
                RecordType::LabResult => {
                    kind = "ASTM^R";
                    record.field(3)
                }
                RecordType::Order => {
                    kind = if kind == "ASTM" { "ASTM^O" } else { kind };
                    record.field(5)
                }
                RecordType::Query => {
                    kind = "ASTM^Q";
                    continue;
                }
                _ => continue,
            };
            for test in tests.repeats() {
                push(&mut codes, astm_code(&test));
            }
        }
        Self {
            message_type: kind.to_owned(),
            sequence: number(header.control_id().bytes()),
            sender_clock: clock(header.timestamp().bytes()),
            codes,
        }
    }

    /// What is told, now that it is known whose it is and when it came.
    pub(crate) fn accepted(
        self,
        peer: PeerId,
        behind: Option<Behind>,
        received: Timestamp,
    ) -> Accepted {
        Accepted {
            peer,
            behind,
            received,
            message_type: self.message_type,
            sequence: self.sequence,
            sender_clock: self.sender_clock,
            codes: self.codes,
        }
    }
}

fn hl7_code<'a>(segment: &Segment<'a>, field: usize) -> &'a [u8] {
    let field = segment.field(field);
    match field.component(1).raw() {
        [] => field.component(4).raw(),
        code => code,
    }
}

fn astm_code<'a>(test: &AstmField<'a>) -> &'a [u8] {
    let parts = test.components().map(|part| part.bytes());
    parts
        .map(<[u8]>::trim_ascii)
        .find(|part| !part.is_empty())
        .unwrap_or_default()
}

/// Adds a code. A sender may write anything into its place, a name too: only the form of a code is told.
fn push(codes: &mut String, code: &[u8]) {
    let code = match code.trim_ascii() {
        [] => return,
        code if code.len() <= CODE_MAX_BYTES && code.iter().all(u8::is_ascii_graphic) => {
            std::str::from_utf8(code).unwrap_or(NO_CODE)
        }
        _ => NO_CODE,
    };
    if codes.len() + code.len() < CODES_MAX_BYTES {
        codes.push_str(code);
        codes.push(SEPARATOR);
    }
}

fn number(raw: &[u8]) -> Option<u64> {
    let raw = raw.trim_ascii();
    let is_number = (1..=DIGITS_MAX).contains(&raw.len()) && raw.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(raw)
        .ok()?
        .parse()
        .ok()
        .filter(|_| is_number)
}

/// A time as sent, if it is made of what times are made of.
fn clock(raw: &[u8]) -> Box<str> {
    let raw = raw.trim_ascii();
    let fits = |byte: &u8| byte.is_ascii_digit() || b".+-:TZ".contains(byte);
    let is_time = raw.len() <= CLOCK_MAX_BYTES && raw.iter().all(fits);
    std::str::from_utf8(raw)
        .ok()
        .filter(|_| is_time)
        .unwrap_or_default()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hl7(text: &str) -> Outline {
        let message = Message::parse(text.as_bytes()).unwrap();
        Outline::of_hl7(&message, "ORU^R01")
    }

    #[test]
    fn type_tests_number_and_clock_are_told_and_nothing_of_the_patient() {
        let text = "MSH|^~\\&|XN|LAB|||20261127093000+0100||ORU^R01|77|P|2.5|4711\r\
            PID|1||4711^^^LAB^MR||MUSTERFRAU^ERIKA||19640812|F\r\
            OBR|1||ACC-1|58410-2^CBC^LN\r\
            OBX|1|NM|718-7^Hemoglobin^LN||14.1|g/dL\r\
            OBX|2|NM|^^^HGB||14.1|g/dL\r\
            OBX|3|TX|Erika Musterfrau||she was told\r\
            NTE|1||called the patient\r";
        let told = hl7(text);
        let expect = Outline {
            message_type: "ORU^R01".to_owned(),
            sequence: Some(4711),
            sender_clock: "20261127093000+0100".into(),
            codes: "58410-2\n718-7\nHGB\n?\n".to_owned(),
        };
        assert_eq!(told, expect);
        let told = told.accepted(PeerId::new(7), None, Timestamp::default());
        assert_eq!(
            told.tests().collect::<Vec<_>>(),
            ["58410-2", "718-7", "HGB", "?"]
        );
    }

    #[test]
    fn what_is_no_number_and_no_time_is_not_told() {
        let head = |time: &str, number: &str| {
            let told = hl7(&format!(
                "MSH|^~\\&|A|B|||{time}||ORU^R01|1|P|2.5|{number}\r"
            ));
            (told.sender_clock, told.sequence)
        };
        assert_eq!(head("Erika Musterfrau", "12a"), ("".into(), None));
        assert_eq!(head("", "9999999999999999999"), ("".into(), None));
        assert_eq!(head("20261127^M", "0"), ("20261127".into(), Some(0)));
        let wide = format!("OBX|1|NM|{}\r", "7".repeat(33)).repeat(3_000);
        let told = hl7(&format!("MSH|^~\\&|A|B|||||ORU^R01|1|P|2.5\r{wide}"));
        assert!(told.codes.len() <= CODES_MAX_BYTES);
        assert!(told.codes.split_terminator('\n').all(|code| code == "?"));
    }

    fn astm(text: &str) -> (String, Vec<String>, String, Option<u64>) {
        let message = AstmMessage::parse(text.as_bytes()).unwrap();
        let told = Outline::of_astm(&message);
        let told = told.accepted(PeerId::new(7), None, Timestamp::default());
        let tests = told.tests().map(str::to_owned).collect();
        (
            told.message_type,
            tests,
            told.sender_clock.into(),
            told.sequence,
        )
    }

    #[test]
    fn makers_write_the_test_into_different_components() {
        let head = "H|\\^&|12||XN-550^00-24||||||||E1394-97|20261127093000\rP|1||4711||Doe^Jane\r";
        let results = "O|1|S-1||^^^WBC\\^^^^RBC^1|R\rR|1|^^^^WBC^1|8.1\rR|2|^^^LYM#^731-0^1|3.3\r\
            R|3|MTB-RIF^^Xpert|NO\rL|1|N\r";
        let (kind, tests, clock, number) = astm(&format!("{head}{results}"));
        assert_eq!(
            (kind.as_str(), clock.as_str(), number),
            ("ASTM^R", "20261127093000", Some(12))
        );
        assert_eq!(tests, ["WBC", "RBC", "WBC", "LYM#", "MTB-RIF"]);
        let query = "H|\\^&|||XN-550|||||||P|E1394-97|20261127093000\rQ|1|^S-1||ALL\rL|1|N\r";
        let (kind, tests, clock, _) = astm(query);
        assert_eq!(
            (kind.as_str(), clock.as_str()),
            ("ASTM^Q", "20261127093000")
        );
        assert!(tests.is_empty());
    }
}
