//! What becomes of a message: read, may its sender send it, copy or not, on its way to the disk.
//!
//! It must never change a byte, drop what cannot be read, or put anything a device sent into a fact.

use labward_astm::Deviation;
use labward_astm::record::{Message, ParseError, split_messages};

use super::repeat;
use crate::keep::MessageKind;
use crate::notice;
use crate::path::{Caller, Incoming, Pending, Shared};
use crate::policy::{self, Admission};
use crate::reason::Reason;
use crate::watch::Outline;

/// The type of an E1394 message in facts and routes.
const E1394: &str = "ASTM";

/// The type of any other text that came over the link, complete by its ETX.
const OTHER_TEXT: &str = "LIS01";

/// What is known of a message before it is kept.
struct Read {
    kind: MessageKind,
    message_type: &'static str,
    admission: Admission,
    /// It does not end as it should: its sender may have given it up.
    is_cut: bool,
    outline: Option<Outline>,
}

/// The messages of a text; nearly always one.
pub(super) fn messages_of(text: Vec<u8>) -> Vec<Vec<u8>> {
    match Message::parse(&text) {
        Err(ParseError::SeveralMessages) => split_messages(&text).map(<[u8]>::to_vec).collect(),
        _ => vec![text],
    }
}

/// What is to be kept: once more from the beginning, if it could not be.
#[derive(Clone)]
pub(super) enum Draft {
    /// A message, with what was outside the standard.
    Message(Vec<u8>, Vec<&'static str>),
    /// What is no message, and why it is held.
    Held(Vec<u8>, Reason, Vec<&'static str>),
}

impl Draft {
    /// Sends it on its way.
    pub(super) async fn send(self, shared: &Shared, caller: &Caller) -> Pending {
        let mut incoming = match self {
            Self::Message(bytes, deviations) => message(shared, caller, bytes, deviations),
            Self::Held(bytes, reason, deviations) => held(bytes, reason, deviations),
        };
        let admitted = incoming.admission == Admission::Admit;
        let (id, is_marked) = repeat::identify(shared, caller, &incoming.bytes, admitted);
        incoming.id = Some(id);
        if is_marked {
            incoming.deviations.push(repeat::SAME_CONTENT);
        }
        shared.receive(caller, incoming).await
    }
}

/// A message; it is held for a person if it may be cut or its sender is not admitted.
fn message(
    shared: &Shared,
    caller: &Caller,
    bytes: Vec<u8>,
    mut deviations: Vec<&'static str>,
) -> Incoming {
    let Read {
        kind,
        message_type,
        mut admission,
        is_cut,
        outline,
    } = read(shared, caller, &bytes, &mut deviations);
    let no_terminator = Deviation::NoTerminator.name();
    if is_cut && !deviations.contains(&no_terminator) {
        deviations.push(no_terminator);
    }
    if admission == Admission::Admit && deviations.contains(&no_terminator) {
        admission = Admission::Refuse(Reason::Damaged);
    }
    Incoming {
        kind,
        bytes,
        message_type: message_type.to_owned(),
        admission,
        id: None,
        device: device(caller),
        deviations,
        outline,
    }
}

/// What is no message, for a person.
fn held(bytes: Vec<u8>, reason: Reason, deviations: Vec<&'static str>) -> Incoming {
    Incoming {
        kind: MessageKind::Other,
        bytes,
        message_type: String::new(),
        admission: Admission::Refuse(reason),
        id: None,
        device: None,
        deviations,
        outline: None,
    }
}

fn read(
    shared: &Shared,
    caller: &Caller,
    bytes: &[u8],
    deviations: &mut Vec<&'static str>,
) -> Read {
    match Message::parse(bytes) {
        Ok(message) => {
            let header = message.header();
            let admission = policy::decide_astm(&caller.peer, header.sender_name().bytes());
            let mut outline = None;
            if admission == Admission::Admit {
                notice::of_astm(shared, caller, &header);
                outline = shared.watch.as_ref().map(|_| Outline::of_astm(&message));
            }
            Read {
                kind: MessageKind::Astm,
                message_type: E1394,
                admission,
                is_cut: !message.is_terminated(),
                outline,
            }
        }
        // It names no sender, so only a peer that may be any sender may send it.
        Err(ParseError::NotE1394) => Read {
            kind: MessageKind::Other,
            message_type: OTHER_TEXT,
            admission: policy::decide_astm(&caller.peer, b""),
            is_cut: false,
            outline: None,
        },
        Err(_) => {
            deviations.push("unreadable-records");
            Read {
                kind: MessageKind::Other,
                message_type: "",
                admission: Admission::Refuse(Reason::Framing),
                is_cut: false,
                outline: None,
            }
        }
    }
}

/// Where no assigning authority is configured, patient ids are known per instrument only.
fn device(caller: &Caller) -> Option<String> {
    let authority = caller.link.config.authority.as_ref();
    let has_authority = authority.or(caller.peer.authority.as_ref()).is_some();
    (!has_authority).then(|| caller.peer.name.clone())
}
