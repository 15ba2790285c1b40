//! Claims checked over 194 files of real public-health messages; skipped unless
//! `LABWARD_TEST_DATA` names the folder that holds them.

use std::path::Path;

use crate::mllp::{self, Decoder, Event};
use crate::{Ack, AckCode, Batch, LineEnding, Message, parse_ack, patient, to_cr};

/// The contents of every HL7 file, or `None` if there is no test data.
fn files() -> Option<Vec<Vec<u8>>> {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: hl7 real files: LABWARD_TEST_DATA is not set");
        return None;
    };
    let folder = Path::new(&data).join("hl7");
    let entries = std::fs::read_dir(folder).unwrap();
    Some(
        entries
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect(),
    )
}

fn messages(files: &[Vec<u8>]) -> Vec<&[u8]> {
    files
        .iter()
        .flat_map(|file| Batch::parse(file).unwrap().messages().collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_real_message_is_found_and_parses() {
    let Some(files) = files() else { return };
    assert_eq!(files.len(), 194);
    let ended = |ending| {
        files
            .iter()
            .filter(|file| LineEnding::of(file) == ending)
            .count()
    };
    assert_eq!(
        [
            LineEnding::Lf,
            LineEnding::Cr,
            LineEnding::CrLf,
            LineEnding::None
        ]
        .map(ended),
        [148, 24, 0, 22]
    );
    let batches = files.iter().filter(|file| Batch::is_batch(file)).count();
    assert_eq!(batches, 5);
    assert!(
        files
            .iter()
            .all(|file| Batch::parse(file).unwrap().deviations().is_empty())
    );

    let messages = messages(&files);
    assert_eq!(messages.len(), 219);
    let parsed: Vec<_> = messages
        .iter()
        .map(|bytes| Message::parse(bytes).unwrap())
        .collect();
    let count =
        |claim: &dyn Fn(&Message<'_>) -> bool| parsed.iter().filter(|one| claim(one)).count();
    assert_eq!(
        count(&|one| one.header().encoding_characters() == b"^~\\&#"),
        145
    );
    assert_eq!(
        count(&|one| one.header().sending_application().is_empty()),
        124
    );
    assert_eq!(count(&|one| one.header().processing_id().is_empty()), 128);
    assert_eq!(count(&|one| one.header().charset_field().is_empty()), 103);
    assert_eq!(count(&|one| !one.header().is_enhanced_mode()), 137);
    assert_eq!(count(&|one| one.segment(b"PID").is_none()), 23);
    let pid_3_is_empty = |pid: crate::Segment<'_>| pid.field(3).is_empty();
    assert_eq!(
        count(&|one| one.segment(b"PID").is_some_and(pid_3_is_empty)),
        99
    );
    assert_eq!(count(&|one| one.has_mixed_line_endings()), 0);
}

#[test]
fn every_real_message_is_acknowledged_and_survives_the_wire() {
    let Some(files) = files() else { return };
    let mut decoder = Decoder::new(64 * 1024);
    for bytes in messages(&files) {
        let message = Message::parse(bytes).unwrap();
        let header = message.header();
        let ack = Ack::new(&header, AckCode::Aa, "L1", "20260102030405").to_vec();
        assert!(parse_ack(&ack).unwrap().answers(header.control_id()));

        let sent = to_cr(bytes);
        let received = Message::parse(&sent).unwrap();
        let raws = |message: &Message<'_>| -> Vec<Vec<u8>> {
            message
                .segments()
                .map(|segment| segment.raw().to_vec())
                .collect()
        };
        assert_eq!(raws(&received), raws(&message));
        assert_eq!(received.line_ending(), LineEnding::Cr);
        decoder.feed(&mllp::encode(&sent));
        assert_eq!(decoder.next_event(), Some(Event::Frame(sent.into_owned())));
    }
    assert_eq!(decoder.next_event(), None);
}

#[test]
fn every_real_identifier_has_a_value() {
    let Some(files) = files() else { return };
    let mut identified = 0;
    for bytes in messages(&files) {
        let message = Message::parse(bytes).unwrap();
        let found: Vec<_> = patient::identifiers(&message).collect();
        assert!(found.iter().all(|one| !one.value.is_empty()));
        identified += usize::from(!found.is_empty());
        assert!(patient::accessions(&message).all(|one| !one.value.is_empty()));
    }
    assert!(identified >= 219 - 23 - 99, "{identified}");
}
