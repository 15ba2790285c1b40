//! What is sent and kept: ORU^R01 of 505 bytes with eight OBX for the load client, of 2 KiB for a
//! bulk import, for a thousand patients; messages of which each brings a new patient; and results
//! of those.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use labward_hl7::mllp;

/// How many patients the messages of the load client are about.
pub(crate) const PATIENTS: u64 = 1_000;

/// The length of a record of a bulk import in bytes.
pub(crate) const RECORD_BYTES: usize = 2_048;

/// The length of each message in bytes, without its frame.
pub(crate) const MESSAGE_BYTES: usize = 505;

/// Digits of a control id.
const ID_DIGITS: usize = 10;

/// A stream of messages, no two with the same control id.
#[derive(Debug)]
pub(crate) struct Messages {
    next: Arc<AtomicU64>,
    frame: Vec<u8>,
    /// How many patients of [`registrations`] they are about; of the thousand if `None`.
    registered: Option<u64>,
}

impl Messages {
    /// A new stream.
    pub(crate) fn new() -> Self {
        Self {
            next: Arc::default(),
            frame: Vec::new(),
            registered: None,
        }
    }

    /// A new stream about the first `patients` of [`registrations`].
    pub(crate) fn of_registered(patients: u64) -> Self {
        Self {
            registered: Some(patients),
            ..Self::new()
        }
    }

    /// A stream for one connection; its control ids differ from those of every other lane.
    pub(crate) fn lane(&self) -> Self {
        Self {
            next: Arc::clone(&self.next),
            frame: Vec::with_capacity(MESSAGE_BYTES + 3),
            registered: self.registered,
        }
    }

    /// The next message.
    pub(crate) fn next(&mut self) -> Next<'_> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let patient = match self.registered {
            Some(patients) => registered(patient_of(number, patients)),
            None => format!(
                "{:06}^^^LAB^MR||DOE^J||19700101|F",
                patient_of(number, PATIENTS)
            ),
        };
        let head = format!(
            "MSH|^~\\&|XN550|HEMA|LIS|LAB|20260101120000||ORU^R01^ORU_R01|{number:0width$}|P|2.5.1\r",
            width = ID_DIGITS
        );
        let before_id = head.len() - ID_DIGITS - "|P|2.5.1\r".len();
        self.frame.clear();
        self.frame.push(mllp::START);
        self.frame.extend_from_slice(head.as_bytes());
        self.frame
            .extend_from_slice(format!("PID|1||{patient}\r").as_bytes());
        self.frame.extend_from_slice(BODY);
        self.frame.extend_from_slice(&[mllp::END, b'\r']);
        let id = 1 + before_id..1 + before_id + ID_DIGITS;
        Next {
            number,
            frame: &self.frame,
            control_id: self.frame.get(id).unwrap_or_default(),
        }
    }
}

/// One message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next<'a> {
    /// Its number, which is what its control id says.
    pub(crate) number: u64,
    /// Its MLLP frame.
    pub(crate) frame: &'a [u8],
    /// Its control id.
    pub(crate) control_id: &'a [u8],
}

/// A prime step, so that neighbours in time are not neighbours in number.
fn patient_of(number: u64, patients: u64) -> u64 {
    number.wrapping_mul(7919) % patients
}

/// A file of results of [`RECORD_BYTES`] each, one for every number of `range`, about so many
/// patients.
pub(crate) fn results(range: Range<u64>, patients: u64) -> Vec<u8> {
    let mut file = Vec::new();
    for number in range {
        let begin = file.len();
        let patient = patient_of(number, patients);
        file.extend_from_slice(
            format!(
                "MSH|^~\\&|XN550|HEMA|LIS|LAB|20260101120000||ORU^R01^ORU_R01|{number:010}|P|2.5.1\r\
                 PID|1||{patient:06}^^^LAB^MR||DOE^J||19700101|F\r"
            )
            .as_bytes(),
        );
        file.extend_from_slice(BODY);
        // A comment of the laboratory fills it up, as they do.
        file.extend_from_slice(b"NTE|1|L|");
        file.resize(begin + RECORD_BYTES - 1, b'x');
        file.push(b'\r');
    }
    file
}

/// A file of registrations of a new patient each, one for every number of `range`.
pub(crate) fn registrations(range: Range<u64>) -> Vec<u8> {
    let mut file = Vec::new();
    for number in range {
        let patient = registered(number);
        file.extend_from_slice(
            format!(
                "MSH|^~\\&|ADT|LAB|LIS|LAB|20260101120000||ADT^A04|{number:010}|P|2.5.1\r\
                 PID|1||{patient}\r"
            )
            .as_bytes(),
        );
    }
    file
}

/// PID-3 to PID-8 of one of [`registrations`].
fn registered(number: u64) -> String {
    let mrn = mrn(number);
    let (family, given) = name(number);
    let (year, month, day) = (1930 + number % 90, 1 + number % 12, 1 + number % 28);
    format!("{mrn}^^^LAB^MR||{family}^{given}||{year}{month:02}{day:02}|F")
}

/// The identifier of one of [`registrations`].
pub(crate) fn mrn(number: u64) -> String {
    format!("{number:08}")
}

/// Family and given name of one of [`registrations`]: they differ by their letters (digits are no part
/// of a name for a search), so that the index of names is as large as a real one.
pub(crate) fn name(number: u64) -> (String, String) {
    let (family, given) = (number % 50_021, number % 5_003);
    (syllables(family, 4), syllables(given, 3))
}

/// A number as so many syllables, of a hundred that there are.
fn syllables(number: u64, count: u32) -> String {
    const CONSONANTS: &str = "BCDFGHJKLMNPRSTVWXYZ";
    const VOWELS: &str = "AEIOU";
    // Spread over all of them, so that no beginning is everybody's; 7 and powers of 100 have no factor in common.
    let all = 100_u64.pow(count);
    let mut rest = number * 7_777_777 % all;
    let mut name = String::new();
    for _ in 0..count {
        let (consonant, vowel) = (rest % 20, rest / 20 % 5);
        for (letters, at) in [(CONSONANTS, consonant), (VOWELS, vowel)] {
            let at = usize::try_from(at).unwrap_or(0);
            name.extend(letters.chars().nth(at));
        }
        rest /= 100;
    }
    name
}

/// OBR and eight OBX: a blood count.
const BODY: &[u8] = b"OBR|1||A1|CBC^^L|||20260101115500\r\
OBX|1|NM|6690-2^WBC^LN||7|10*3/uL|4-11|N|||F\r\
OBX|2|NM|789-8^RBC^LN||4.61|10*6/uL|4-5|N|||F\r\
OBX|3|NM|718-7^HGB^LN||14|g/dL|12-16|N|||F\r\
OBX|4|NM|4544-3^HCT^LN||41|%|36-46|N|||F\r\
OBX|5|NM|787-2^MCV^LN||89|fL|80-96|N|||F\r\
OBX|6|NM|785-6^MCH^LN||30|pg|27-33|N|||F\r\
OBX|7|NM|786-4^MCHC^LN||34|g/dL|32-36|N|||F\r\
OBX|8|NM|777-3^PLT^LN||250|10*3/uL|150-400|N|||F\r";

#[cfg(test)]
mod tests {
    use super::*;
    use labward_hl7::{Batch, Message};

    #[test]
    fn each_message_has_the_stated_size_and_a_control_id_of_its_own() {
        let messages = Messages::new();
        let (mut a, mut b) = (messages.lane(), messages.lane());
        let mut ids = Vec::new();
        for lane in [&mut a, &mut b] {
            let next = lane.next();
            let bytes = &next.frame[1..next.frame.len() - 2];
            assert_eq!(bytes.len(), MESSAGE_BYTES);
            let message = Message::parse(bytes).unwrap();
            let id = message.header().control_id();
            assert_eq!(id, next.control_id);
            assert_eq!(std::str::from_utf8(id).unwrap().parse(), Ok(next.number));
            let results = message.segments().filter(|one| one.id() == b"OBX").count();
            assert_eq!(results, 8);
            ids.push(id.to_vec());
        }
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn a_file_of_results_holds_messages_of_the_stated_size() {
        let file = results(5..8, 2);
        assert_eq!(file.len(), 3 * RECORD_BYTES);
        let batch = Batch::parse(&file).unwrap();
        assert_eq!(batch.messages().len(), 3);
        for (number, message) in (5..).zip(batch.messages()) {
            let id = format!("{number:010}");
            let message = Message::parse(message).unwrap();
            assert_eq!(message.header().control_id(), id.as_bytes());
        }
    }

    #[test]
    fn a_file_of_registrations_brings_a_patient_with_each_message() {
        let file = registrations(1..4);
        let text = String::from_utf8(file.clone()).unwrap();
        assert_eq!(Batch::parse(&file).unwrap().messages().len(), 3);
        for number in 1..4 {
            assert!(text.contains(&format!("PID|1||{number:08}^^^LAB^MR||")));
        }
    }
}
