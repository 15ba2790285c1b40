//! Any bytes as a message to acknowledge and as an acknowledgement: whatever parses gets an answer
//! that names it, cannot be mistaken for another, and travels in one frame.

use labward_base::problem;
use labward_hl7::mllp::{self, Decoder, Event};
use labward_hl7::{Ack, AckCode, ErrorCondition, Message, parse_ack};

pub fn run(data: &[u8]) {
    if let Ok(view) = parse_ack(data) {
        assert!(view.answers(view.acknowledged_id));
    }
    let Ok(message) = Message::parse(data) else {
        return;
    };
    let header = message.header();
    let written = Ack::new(&header, AckCode::Ar, "L|1^2", "20260102030405")
        .with_error(ErrorCondition::Internal, &problem::GATEWAY_CANNOT_KEEP)
        .to_vec();
    let view = parse_ack(&written).expect("what we write is an acknowledgement");
    assert_eq!(view.code, AckCode::Ar);
    assert!(view.answers(header.control_id()));
    assert_eq!(view.condition, Some(ErrorCondition::Internal));
    assert_eq!(view.message.segments().count(), 3);
    let back = view.message.header();
    assert_eq!(
        back.receiving_application().raw(),
        header.sending_application().raw()
    );
    assert_eq!(
        back.sending_facility().raw(),
        header.receiving_facility().raw()
    );

    // Only what came in a frame is answered in a frame, and no frame holds a second start.
    if !has_start(data) {
        let mut decoder = Decoder::new(written.len());
        decoder.feed(&mllp::encode(&written));
        assert_eq!(decoder.next_event(), Some(Event::Frame(written)));
        assert_eq!(decoder.next_event(), None);
    }
}

fn has_start(data: &[u8]) -> bool {
    data.contains(&mllp::START)
}
