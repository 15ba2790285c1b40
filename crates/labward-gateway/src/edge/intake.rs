//! An opened parcel on the ordinary path of a message.
//!
//! It must never admit what the edge's own rules do not, or take two results for one.

use std::time::Duration;

use labward_astm::record::Message as AstmMessage;
use labward_base::Timestamp;
use labward_hl7::Message;
use labward_ledger::{Leaf, entry_of_record};
use labward_store::StoreError;

use super::parcel::Parcel;
use crate::duplicate::Tag;
use crate::keep::MessageKind;
use crate::path::{Caller, Incoming, Shared};
use crate::policy::{self, Admission};
use crate::reason::Reason;
use crate::watch::Outline;

/// So long after an ASTM message its identical body is the same message sent again, by the edge's
/// clock: after a power cut the device repeats what was not answered.
const RETRANSMISSION: Duration = Duration::from_secs(600);

/// A parcel as the path takes it; `own` is the tag of its queue and envelope.
pub(super) fn incoming(shared: &Shared, caller: &Caller, own: Tag, parcel: Parcel) -> Incoming {
    let held = (!parcel.reason.is_empty())
        .then(|| Reason::by_code(&parcel.reason).unwrap_or(Reason::Damaged));
    let device = parcel.device.as_bytes();
    let mut outline = None;
    let (message_type, admission, id) = match parcel.kind {
        MessageKind::Hl7V2 => hl7(shared, caller, device, &parcel.bytes, &mut outline),
        MessageKind::Astm => {
            let sender = AstmMessage::parse(&parcel.bytes);
            let admission = match &sender {
                Ok(message) => {
                    outline = shared.watch.as_ref().map(|_| Outline::of_astm(message));
                    policy::decide_astm(&caller.peer, message.header().sender_name().bytes())
                }
                Err(_) => Admission::Refuse(Reason::Framing),
            };
            ("ASTM".to_owned(), admission, None)
        }
        MessageKind::Other if held.is_none() => (
            "LIS01".to_owned(),
            policy::decide_astm(&caller.peer, b""),
            None,
        ),
        MessageKind::Other => (String::new(), Admission::Refuse(Reason::Damaged), None),
    };
    let admission = held.map_or(admission, Admission::Refuse);
    let id = match parcel.kind {
        MessageKind::Hl7V2 => id.unwrap_or(own),
        MessageKind::Other if held.is_some() => own,
        _ => copy_of(shared, caller, &parcel, admission == Admission::Admit),
    };
    let has_authority = caller.link.config.authority.is_some() || caller.peer.authority.is_some();
    let per_device = parcel.kind != MessageKind::Hl7V2 && !has_authority;
    Incoming {
        kind: parcel.kind,
        message_type,
        admission,
        id: Some(id),
        device: per_device.then(|| format!("{}/{}", caller.peer.name, parcel.device)),
        deviations: Vec::new(),
        outline,
        bytes: parcel.bytes,
    }
}

fn hl7(
    shared: &Shared,
    caller: &Caller,
    device: &[u8],
    bytes: &[u8],
    outline: &mut Option<Outline>,
) -> (String, Admission, Option<Tag>) {
    let Ok(message) = Message::parse(bytes) else {
        return (String::new(), Admission::Refuse(Reason::NotHl7), None);
    };
    let header = message.header();
    // Two devices of one edge may both count from 1 and name no sender.
    let sender = [device, b"\0", header.sending_application().raw()].concat();
    let id = match header.control_id() {
        [] => None,
        id => Some(shared.id_tag(caller, [&sender, header.sending_facility().raw(), id])),
    };
    let admission = policy::decide(&caller.peer, &header);
    let message_type = policy::type_name(&header.message_type());
    let watch = shared.watch.as_ref();
    *outline = watch.map(|_| Outline::of_hl7(&message, &message_type));
    (message_type, admission, id)
}

/// The tag of a message that carries no number of its own: its device and body, and the span of
/// [`RETRANSMISSION`] in which the edge received it.
fn copy_of(shared: &Shared, caller: &Caller, parcel: &Parcel, admitted: bool) -> Tag {
    let body = shared
        .index_key
        .tag("gateway.message-body", &[&parcel.bytes]);
    let device = [b"astm\0", parcel.device.as_bytes()].concat();
    let span = i64::try_from(RETRANSMISSION.as_secs()).unwrap_or(i64::MAX);
    let number = parcel.received.as_seconds().div_euclid(span);
    let of_span = |number: i64| shared.id_tag(caller, [&device, &body, &number.to_be_bytes()]);
    let before = of_span(number.saturating_sub(1));
    let found = caller.link.window.find((before, body), admitted).flatten();
    let is_copy = found.is_some_and(|record| {
        let entry: Result<_, StoreError> = shared
            .store
            .read(|snapshot| entry_of_record(snapshot, record));
        let leaf = entry.ok().flatten();
        let leaf = leaf.and_then(|entry| Leaf::parse(&entry.leaf).ok());
        let received =
            leaf.and_then(|leaf| Timestamp::parse_rfc3339(leaf.facts.get_text("received")?));
        // What cannot be read counts as old: a result twice is less harm than one that is missing.
        received.is_some_and(|first| parcel.received.since(first) < RETRANSMISSION)
    });
    if is_copy { before } else { of_span(number) }
}
