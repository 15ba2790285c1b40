//! Any bytes as a batch: every message is a part of the input, in order, without overlap, and what
//! is recognized as a batch can be split.

use labward_hl7::{Batch, Message};

pub fn run(data: &[u8]) {
    let Ok(batch) = Batch::parse(data) else {
        return;
    };
    let mut end = data.as_ptr().addr();
    for message in batch.messages() {
        assert!(message.starts_with(b"MSH"));
        assert!(message.as_ptr().addr() >= end);
        end = message.as_ptr().addr() + message.len();
        let _ = Message::parse(message);
    }
    assert!(end <= data.as_ptr().addr() + data.len());
    assert!(batch.messages().len() + batch.batches() + batch.files() > 0);
    // Splitting the parts that were found finds the same parts.
    let joined: Vec<u8> = batch.messages().flatten().copied().collect();
    if Batch::is_batch(data) && batch.deviations().is_empty() && !data.contains(&b'\n') {
        let again = Batch::parse(&joined);
        assert_eq!(
            again.map_or(0, |again| again.messages().len()),
            batch.messages().len()
        );
    }
}
