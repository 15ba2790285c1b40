//! Certificate, peer, allowed fields: may this peer send this message? Default deny.
//!
//! **Invariant:** refusal is an outcome, not an error. The decision is a pure function of the peer's
//! rules and the header; it must never look behind the header or trust what a message says of its
//! sender. Carries out 45 CFR 164.312(d) for machines.

use labward_hl7::{Header, MessageType};
use labward_identity::{Decision, Peer, PeerRules};

use crate::reason::Reason;

/// What the gateway decided about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is accepted once it is durable.
    Admit,
    /// It is kept for a person and refused.
    Refuse(Reason),
}

/// Whether `peer` may send an HL7 v2 message with this header.
pub fn decide(peer: &Peer, header: &Header<'_>) -> Admission {
    let message_type = type_name(&header.message_type());
    let header = labward_identity::Header {
        sending_application: header.sending_application().component(1).raw(),
        sending_facility: header.sending_facility().component(1).raw(),
        message_type: message_type.as_bytes(),
        processing_id: header.processing_id().component(1).raw(),
        version: header.version().component(1).raw(),
    };
    admission(peer, |rules| rules.decide(&header))
}

/// Whether `peer` may send an ASTM message of this sender (H-5, first component).
pub fn decide_astm(peer: &Peer, sender: &[u8]) -> Admission {
    admission(peer, |rules| rules.decide_astm(sender))
}

/// MSH-9 as code and event joined by `^`, whatever the message's own separator is.
///
/// Bytes that no message type has become `?`, so that the name may stand in facts and routes.
pub(crate) fn type_name(message_type: &MessageType<'_>) -> String {
    let event = message_type.effective_event();
    let mut name = String::with_capacity(message_type.code.len() + event.len() + 1);
    push_plain(&mut name, message_type.code);
    if !event.is_empty() {
        name.push('^');
        push_plain(&mut name, event);
    }
    name
}

fn push_plain(name: &mut String, raw: &[u8]) {
    // A sender may write anything into MSH-9, a patient's name too: only a code's form is shown.
    let plain = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    if raw.len() <= 8 && raw.iter().all(plain) {
        name.extend(raw.iter().map(|byte| char::from(*byte)));
    } else {
        name.push('?');
    }
}

fn admission(peer: &Peer, decide: impl FnOnce(&PeerRules) -> Decision) -> Admission {
    match decide(&peer.rules) {
        Decision::Admit => Admission::Admit,
        Decision::Refuse(field) => Admission::Refuse(Reason::NotAllowed(field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use labward_hl7::Message;
    use labward_identity::{Pattern, RuleField};

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn check(rules: PeerRules, message: &[u8], expect: Admission) {
        let peer = Peer {
            rules,
            ..testing::peer("chem-1")
        };
        let message = Message::parse(message).unwrap();
        assert_eq!(decide(&peer, &message.header()), expect);
    }

    const ORU: &[u8] = b"MSH|^~\\&|APP^1.2^ISO|FAC|||||ORU^R01^ORU_R01|1|P|2.5.1\r";

    #[test]
    fn a_peer_without_rules_may_send_nothing() {
        check(
            PeerRules::default(),
            ORU,
            Admission::Refuse(Reason::NotAllowed(RuleField::SendingApplication)),
        );
        assert!(matches!(
            decide_astm(&testing::peer("x"), b"H550"),
            Admission::Refuse(_)
        ));
    }

    #[test]
    fn type_and_processing_id_are_those_of_the_header_in_any_delimiters() {
        let rules = PeerRules {
            message_types: patterns(&["ORU^R01"]),
            processing_ids: patterns(&["P"]),
            ..PeerRules::admit_all()
        };
        check(rules.clone(), ORU, Admission::Admit);
        check(
            rules.clone(),
            b"MSH#*%\\!#A#B#####ORU*R01#1#P#2.5\r",
            Admission::Admit,
        );
        check(
            rules.clone(),
            b"MSH|^~\\&|A|B|||||ORU^^ORU_R01|1|P\r",
            Admission::Admit,
        );
        let refuse = |field| Admission::Refuse(Reason::NotAllowed(field));
        check(
            rules.clone(),
            b"MSH|^~\\&|A|B|||||ADT^A01|1|P\r",
            refuse(RuleField::MessageType),
        );
        check(
            rules,
            b"MSH|^~\\&|A|B|||||ORU^R01|1|T\r",
            refuse(RuleField::ProcessingId),
        );
    }

    #[test]
    fn a_name_in_the_place_of_the_type_is_not_shown() {
        let message = Message::parse(b"MSH|^~\\&|||||||Doe^Jane|1|P\r").unwrap();
        assert_eq!(type_name(&message.message_type()), "?^?");
    }
}
