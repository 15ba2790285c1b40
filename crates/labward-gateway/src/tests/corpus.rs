//! Real messages of many senders: each is answered, and kept byte for byte.

use std::path::PathBuf;

use labward_hl7::{Message, to_cr};

use crate::config::AckMode;
use crate::testing::Lab;

/// Every HL7 file of the test data, or of the sample that comes with the tests.
fn files() -> Vec<PathBuf> {
    let folder = match std::env::var_os("LABWARD_TEST_DATA") {
        Some(data) => PathBuf::from(data).join("hl7"),
        None => labward_testkit::sample_hl7(),
    };
    let mut left = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn every_given_file_is_answered_and_kept_or_held_as_it_came() {
    let lab = Lab::with_link(|link| link.acknowledge = AckMode::Always);
    let mut client = lab.connect().await;
    let mut hl7 = 0;
    for path in files() {
        let file = std::fs::read(&path).unwrap();
        let Ok(message) = Message::parse(&file) else {
            continue;
        };
        if message.message_type().is_ack() || labward_hl7::Batch::is_batch(&file) {
            continue;
        }
        hl7 += 1;
        let sent = to_cr(&file).into_owned();
        let answer = client.exchange(&sent).await;
        let (code, id) = answer.split_once(' ').unwrap();
        let expect = String::from_utf8_lossy(message.header().control_id()).into_owned();
        assert_eq!(id, expect, "{}", path.display());
        let newest = match code {
            "AA" => lab.sent.all().pop().map(|one| one.bytes),
            // The given files reuse their control ids over other bodies.
            "AE" => lab.held().first().map(|held| lab.content(held)),
            other => panic!("{} got {other}", path.display()),
        };
        let repeated = lab.actions().last() == Some(&"message.duplicate");
        assert!(repeated || newest == Some(sent), "{}", path.display());
    }
    assert!(hl7 > 15, "{hl7}");
    let counts = lab.gateway().status()[0].counts;
    assert_eq!(
        counts.accepted + counts.held + counts.duplicates,
        hl7,
        "{counts:?}"
    );
}
