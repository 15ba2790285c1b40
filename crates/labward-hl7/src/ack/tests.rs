//! What is claimed of acknowledgements.

use proptest::prelude::*;

use super::*;

fn answer(bytes: &[u8], code: AckCode) -> String {
    let header = Message::parse(bytes).unwrap().header();
    let ack = Ack::new(&header, code, "L1", "20260102030405+0000").to_vec();
    String::from_utf8(ack).unwrap()
}

#[test]
fn an_acknowledgement_goes_back_to_the_sender_in_its_own_delimiters() {
    let oru =
        b"MSH|^~\\&#|APP^1.2^ISO|FAC|LIS|LAB|2024||ORU^R01^ORU_R01|id-1|P^T|2.5.1\rPID|1||77\r";
    assert_eq!(
        answer(oru, AckCode::Aa),
        "MSH|^~\\&#|LIS|LAB|APP^1.2^ISO|FAC|20260102030405+0000||ACK^R01^ACK|L1|P^T|2.5.1\rMSA|AA|id-1\r"
    );
    let odd = b"MSH#*%\\!#APP#F#L#B#2024##ORU*R01#9#D#2.3\n";
    assert_eq!(
        answer(odd, AckCode::Ca),
        "MSH#*%\\!#L#B#APP#F#20260102030405+0000##ACK*R01*ACK#L1#D#2.3\rMSA#CA#9\r"
    );
}

#[test]
fn the_event_may_be_missing_or_stand_in_the_structure() {
    assert!(answer(b"MSH|^~\\&|||||||ORU^^ORU_R01|1", AckCode::Aa).contains("|ACK^R01^ACK|"));
    assert!(answer(b"MSH|^~\\&|||||||ORU|1", AckCode::Aa).contains("|ACK|L1|"));
}

#[test]
fn the_senders_charset_goes_with_its_bytes() {
    let text = answer(
        b"MSH|^~\\&|A|||||ORU|x|1|P|2.5||||||8859/1~ISO IR87\r",
        AckCode::Aa,
    );
    assert!(text.contains("|P|2.5||||||8859/1~ISO IR87\rMSA|"), "{text}");
    let view = parse_ack(text.as_bytes()).unwrap();
    assert_eq!(
        view.message.header().charset_field().raw(),
        b"8859/1~ISO IR87"
    );
}

#[test]
fn an_error_says_why_in_codes_and_fixed_words() {
    let header = Header::anonymous();
    let ack = Ack::new(&header, AckCode::Ar, "L2", "2026")
        .with_error(
            ErrorCondition::UnsupportedMessageType,
            &problem::GATEWAY_NOT_HL7,
        )
        .to_vec();
    let view = parse_ack(&ack).unwrap();
    assert_eq!(view.code, AckCode::Ar);
    assert_eq!(view.acknowledged_id, b"");
    assert_eq!(view.text, problem::GATEWAY_NOT_HL7.what.as_bytes());
    assert_eq!(view.condition, Some(ErrorCondition::UnsupportedMessageType));
    assert_eq!(view.application_code, b"gateway.not-hl7");
    let err = view.message.segment(b"ERR").unwrap();
    assert_eq!(err.field(3).raw(), b"200^Unsupported message type^HL70357");
    assert_eq!(err.field(4).raw(), b"E");
    assert_eq!(
        err.field(5).component(3).raw(),
        PROBLEM_CODING_SYSTEM.as_bytes()
    );
    assert_eq!(
        err.field(8).unescaped().as_ref(),
        problem::GATEWAY_NOT_HL7.todo.as_bytes()
    );
}

#[test]
fn every_problem_stays_one_text_in_any_delimiters() {
    let header = Message::parse(b"MSH.-'/,.A.B.C.D...ORU-R01.1")
        .unwrap()
        .header();
    for problem in problem::ALL {
        let ack = Ack::new(&header, AckCode::Ae, "1.2-3", "2026")
            .with_error(ErrorCondition::Internal, problem)
            .to_vec();
        let view = parse_ack(&ack).unwrap();
        let err = view.message.segment(b"ERR").unwrap();
        assert_eq!(
            err.field(5).component(1).unescaped().as_ref(),
            problem.code.as_bytes()
        );
        assert_eq!(err.field(8).unescaped().as_ref(), problem.todo.as_bytes());
        assert_eq!(
            view.message.header().field(10).unescaped().as_ref(),
            b"1.2-3"
        );
    }
}

#[test]
fn an_acknowledgement_never_ends_its_own_frame() {
    let bytes = b"MSH|^~\\&|A|B|C|D|||ORU^R01|id\x1c|P|2.5\x1c\r";
    let header = Message::parse(bytes).unwrap().header();
    let ack = Ack::new(&header, AckCode::Aa, "L", "2026").to_vec();
    assert!(!ack.windows(2).any(|pair| pair == [crate::mllp::END, b'\r']));
    assert!(parse_ack(&ack).unwrap().answers(b"id\x1c"));
}

#[test]
fn acknowledgements_of_real_peers_are_read() {
    for bytes in [
        &b"MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|AA|77\r"[..],
        b"MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|AA|77",
        b"MSH|^~\\&|||||||ACK|1|P|2.5\nMSA|AA|77\n",
        b"MSH|^~\\&|||||||ACK|1|P|2.5\r\nMSA|AA|77|\r\n\r\n",
    ] {
        let view = parse_ack(bytes).unwrap();
        assert_eq!(view.code, AckCode::Aa);
        assert!(view.answers(b"77") && !view.answers(b"7") && !view.answers(b""));
    }
}

#[test]
fn what_is_no_acknowledgement_is_refused() {
    let check = |bytes: &[u8], expect| assert_eq!(parse_ack(bytes).unwrap_err(), expect);
    check(b"", AckParseError::Message(ParseError::NotHl7));
    check(b"MSH|^~\\&|||||||ORU^R01|1\rPID|1\r", AckParseError::NoMsa);
    check(b"MSH|^~\\&|\rMSA|OK|1\r", AckParseError::UnknownCode);
    check(b"MSH|^~\\&|\rMSA\r", AckParseError::UnknownCode);
}

#[test]
fn codes_and_conditions_keep_their_names() {
    for text in ["AA", "AE", "AR", "CA", "CE", "CR"] {
        let code = AckCode::from_raw(text.as_bytes()).unwrap();
        assert_eq!(code.as_str(), text);
        assert_eq!(code.is_commit(), text.starts_with('C'));
        assert_eq!(code.is_accept(), text.ends_with('A'));
    }
    assert_eq!(AckCode::from_raw(b"aa"), None);
    for condition in ErrorCondition::ALL {
        let code = condition.code_and_text().0;
        assert_eq!(ErrorCondition::from_raw(code.as_bytes()), Some(condition));
    }
    assert_eq!(ErrorCondition::from_raw(b"0"), None);
}

/// Headers with any bytes in their fields.
fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    let set = prop::sample::select(vec![
        &b"|^~\\&"[..],
        b"|^~\\&#",
        b"#*%\\!",
        b"|^",
        b"\x1d\x1e\x1f",
    ]);
    let fields = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..24);
    (set, fields).prop_map(|(set, fields)| {
        let mut bytes = [b"MSH", set].concat();
        for field in fields {
            bytes.push(set[0]);
            bytes.extend(field);
        }
        bytes
    })
}

proptest! {
    #[test]
    fn every_parseable_message_gets_an_acknowledgement_that_answers_it(
        bytes in header_bytes(),
        id in "[ -~\r]{0,20}",
        with_error: bool,
    ) {
        let Ok(message) = Message::parse(&bytes) else { return Ok(()) };
        let header = message.header();
        let mut ack = Ack::new(&header, AckCode::Ae, &id, "20260102");
        if with_error {
            ack = ack.with_error(ErrorCondition::DataType, &problem::GATEWAY_NOT_ALLOWED);
        }
        let written = ack.to_vec();
        let view = parse_ack(&written).unwrap();
        prop_assert!(view.answers(header.control_id()));
        prop_assert_eq!(view.code, AckCode::Ae);
        prop_assert_eq!(view.condition.is_some(), with_error);
        prop_assert_eq!(view.message.segments().count(), if with_error { 3 } else { 2 });
        let back = view.message.header();
        prop_assert_eq!(back.sending_application().raw(), header.receiving_application().raw());
        prop_assert_eq!(back.receiving_facility().raw(), header.sending_facility().raw());
        prop_assert_eq!(back.message_type().code, b"ACK");
        if message.delimiters().escape.is_some() {
            let own_id = back.field(10);
            prop_assert_eq!(own_id.unescaped().into_owned(), id.as_bytes());
        }
        prop_assert!(!written.windows(2).any(|pair| pair == [0x1C, b'\r']));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        let _ = parse_ack(&bytes);
        let _ = parse_ack(&[b"MSH|^~\\&|\rMSA|AA|", &bytes[..]].concat());
    }
}
