//! The ASTM record reader never panics on any bytes and loses none of them.

use labward_astm::frame::Frame;
use labward_astm::record::{MAX_RECORDS, Message, split_messages};

fn without_line_ends(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !matches!(*byte, b'\r' | b'\n')).collect()
}

pub fn run(data: &[u8]) {
    if let Ok(frame) = Frame::parse(data) {
        let mut again = Vec::new();
        frame.encode(&mut again);
        assert_eq!(again, data, "a frame is written as it was read");
    }
    let parts: Vec<_> = split_messages(data).collect();
    assert_eq!(parts.concat(), data, "the parts are the whole");
    let Ok(message) = Message::parse(data) else { return };
    assert!(message.delimiters().is_usable());
    assert!(message.records().len() <= MAX_RECORDS);
    assert_eq!(split_messages(data).count(), 1, "what is one message is not taken apart");
    let mut kept = Vec::new();
    for record in message.records() {
        kept.extend_from_slice(record.bytes());
        let fields: Vec<_> = record.fields().map(|field| field.bytes()).collect();
        assert_eq!(fields.join(&message.delimiters().field), record.bytes());
        for field in record.fields() {
            assert!(field.unescape().len() <= field.bytes().len());
            let repeats: Vec<_> = field.repeats().map(|repeat| repeat.bytes()).collect();
            assert_eq!(repeats.join(&message.delimiters().repeat), field.bytes());
            assert!(field.components().count() >= 1);
            let first = field.component(1);
            assert!(first.unescape().len() <= first.bytes().len());
        }
    }
    assert_eq!(without_line_ends(&kept), without_line_ends(data), "no byte is lost");
    let patients = message.patients().count() + message.orders().count() + message.result_count();
    assert!(patients < message.records().len());
    let _ = (message.header().sender_name().unescape(), message.is_query(), message.is_terminated());
}
