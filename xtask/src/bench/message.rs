//! What the load client sends: ORU^R01 of 505 bytes with eight OBX, for a thousand patients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use labward_hl7::mllp;

/// How many patients the messages are about.
const PATIENTS: u64 = 1_000;

/// The length of each message in bytes, without its frame.
pub(crate) const MESSAGE_BYTES: usize = 505;

/// Digits of a control id.
const ID_DIGITS: usize = 10;

/// A stream of messages, no two with the same control id.
#[derive(Debug)]
pub(crate) struct Messages {
    next: Arc<AtomicU64>,
    frame: Vec<u8>,
}

impl Messages {
    /// A new stream.
    pub(crate) fn new() -> Self {
        Self {
            next: Arc::default(),
            frame: Vec::new(),
        }
    }

    /// A stream for one connection; its control ids differ from those of every other lane.
    pub(crate) fn lane(&self) -> Self {
        Self {
            next: Arc::clone(&self.next),
            frame: Vec::with_capacity(MESSAGE_BYTES + 3),
        }
    }

    /// The next message in its MLLP frame, and its control id.
    pub(crate) fn next(&mut self) -> (&[u8], &[u8]) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // A prime step, so that neighbours in time are not neighbours in number.
        let patient = number.wrapping_mul(7919) % PATIENTS;
        let head = format!(
            "MSH|^~\\&|XN550|HEMA|LIS|LAB|20260101120000||ORU^R01^ORU_R01|{number:0width$}|P|2.5.1\r",
            width = ID_DIGITS
        );
        let before_id = head.len() - ID_DIGITS - "|P|2.5.1\r".len();
        self.frame.clear();
        self.frame.push(mllp::START);
        self.frame.extend_from_slice(head.as_bytes());
        self.frame.extend_from_slice(
            format!("PID|1||{patient:06}^^^LAB^MR||DOE^J||19700101|F\r").as_bytes(),
        );
        self.frame.extend_from_slice(BODY);
        self.frame.extend_from_slice(&[mllp::END, b'\r']);
        let id = 1 + before_id..1 + before_id + ID_DIGITS;
        (&self.frame, self.frame.get(id).unwrap_or_default())
    }
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
    use labward_hl7::Message;

    #[test]
    fn each_message_has_the_stated_size_and_a_control_id_of_its_own() {
        let messages = Messages::new();
        let (mut a, mut b) = (messages.lane(), messages.lane());
        let mut ids = Vec::new();
        for lane in [&mut a, &mut b] {
            let (frame, id) = lane.next();
            let bytes = &frame[1..frame.len() - 2];
            assert_eq!(bytes.len(), MESSAGE_BYTES);
            let message = Message::parse(bytes).unwrap();
            assert_eq!(message.header().control_id(), id);
            let results = message.segments().filter(|one| one.id() == b"OBX").count();
            assert_eq!(results, 8);
            ids.push(id.to_vec());
        }
        assert_ne!(ids[0], ids[1]);
    }
}
