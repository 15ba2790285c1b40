//! Any bytes as an HL7 v2 message: views agree with each other, escapes and `to_cr` round-trip.

use labward_hl7::escape::{escape, unescape};
use labward_hl7::message::MAX_SEGMENTS;
use labward_hl7::{LineEnding, Message, patient, to_cr};

pub fn run(data: &[u8]) {
    let Ok(message) = Message::parse(data) else {
        return;
    };
    let header = message.header();
    let msh = message.segments().next().expect("a message has a header");
    assert_eq!(msh.id(), b"MSH");
    for n in 3..=21 {
        assert_eq!(header.field(n).raw(), msh.field(n).raw());
    }
    let delimiters = message.delimiters();
    assert!(message.segments().count() <= MAX_SEGMENTS + 1);
    for segment in message.segments().take(64) {
        for n in 1..8 {
            let field = segment.field(n);
            let parts = field
                .repetitions()
                .map(|one| one.raw().len())
                .sum::<usize>();
            assert!(parts + field.repetitions().count() - 1 == field.raw().len());
            let _ = field.text(header.charset());
            if delimiters.escape.is_some() {
                let escaped = escape(field.raw(), &delimiters);
                assert_eq!(unescape(&escaped, &delimiters), field.raw());
            }
        }
    }
    for identifier in patient::identifiers(&message) {
        let _ = identifier.authority.is_empty();
    }
    let _ = (
        patient::accessions(&message).count(),
        patient::merges(&message).count(),
    );

    let sent = to_cr(data);
    if let Ok(again) = Message::parse(&sent) {
        assert_eq!(again.line_ending(), LineEnding::Cr);
        assert_eq!(to_cr(&sent), sent);
        if message.line_ending() != LineEnding::Lf {
            assert!(
                again
                    .segments()
                    .map(|one| one.raw())
                    .eq(message.segments().map(|one| one.raw()))
            );
        }
    }
}
