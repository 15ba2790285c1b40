//! A message without what was found in it: a notice in its place, or a skeleton that only says what happened.
//!
//! It must never change anything else of the message, or put bytes of what is taken out anywhere.

use super::{Finding, Place, astm, hl7};
use crate::keep::MessageKind;

/// What a reader is told, in plain ASCII.
pub(super) struct Notice {
    /// In the place of a value.
    pub(super) value: &'static str,
    /// Behind what held the value.
    pub(super) comment: &'static str,
    /// In the place of the whole message.
    pub(super) skeleton: &'static str,
}

impl Notice {
    /// The notice of this verdict.
    pub(super) const fn of(verdict: Finding) -> Self {
        match verdict {
            Finding::Malicious => Self {
                value: "[removed by Labward: malware; ask the laboratory]",
                comment: "Labward removed an attachment here because malware was found in it. The rest of the \
                          result is complete. The laboratory has the original under lock.",
                skeleton: "Labward holds this message because malware was found in it. Nothing of its content is \
                           here. The laboratory has the original under lock.",
            },
            Finding::Suspicious => Self {
                value: "[removed by Labward: it may be malware; ask the laboratory]",
                comment: "Labward removed an attachment here because it may be malware. The rest of the result is \
                          complete. The laboratory has the original under lock.",
                skeleton: "Labward holds this message because something in it may be malware. Nothing of its \
                           content is here. The laboratory has the original under lock.",
            },
            Finding::Clean | Finding::Unscannable | Finding::Failed => Self {
                value: "[removed by Labward: could not be checked for malware; ask the laboratory]",
                comment: "Labward removed an attachment here because it could not be checked for malware. The rest \
                          of the result is complete. The laboratory has the original under lock.",
                skeleton: "Labward holds this message because something in it could not be checked for malware. \
                           Nothing of its content is here. The laboratory has the original under lock.",
            },
        }
    }
}

/// The message with a notice in these places and a comment behind each; `None` if one of them is not there, says
/// whose or what the message is, or belongs to the header.
pub fn rewrite(
    kind: MessageKind,
    bytes: &[u8],
    places: &[Place],
    verdict: Finding,
) -> Option<Vec<u8>> {
    if places.is_empty() {
        return None;
    }
    let notice = Notice::of(verdict);
    match kind {
        MessageKind::Astm => astm::rewrite(bytes, places, &notice),
        MessageKind::Hl7V2 => hl7::rewrite(bytes, places, &notice),
        MessageKind::Other => None,
    }
}

/// The message's header and a comment; `None` if there is no header that nothing was found in.
pub fn skeleton(
    kind: MessageKind,
    bytes: &[u8],
    places: &[Place],
    verdict: Finding,
) -> Option<Vec<u8>> {
    let notice = Notice::of(verdict);
    match kind {
        MessageKind::Astm => astm::skeleton(bytes, places, &notice),
        MessageKind::Hl7V2 => hl7::skeleton(bytes, places, &notice),
        MessageKind::Other => None,
    }
}

/// A comment, and nothing that came with the message.
pub(super) fn bare(kind: MessageKind, verdict: Finding) -> Vec<u8> {
    let notice = Notice::of(verdict);
    match kind {
        MessageKind::Astm => astm::bare(&notice),
        MessageKind::Hl7V2 => hl7::bare(&notice),
        MessageKind::Other => notice.skeleton.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_a_message_needs_no_charset_and_fits_a_string_value() {
        for verdict in [
            Finding::Malicious,
            Finding::Suspicious,
            Finding::Unscannable,
        ] {
            let Notice {
                value,
                comment,
                skeleton,
            } = Notice::of(verdict);
            // ST holds 199 characters (HL7 v2.5.1 chapter 2A.2.74).
            assert!(value.len() <= 199, "{value}");
            for text in [value, comment, skeleton] {
                assert!(
                    text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn of_what_is_no_message_only_the_notice_is_left() {
        let verdict = Finding::Malicious;
        let place = Place {
            segment: "OBX".to_owned(),
            number: 1,
            field: 5,
        };
        let other = MessageKind::Other;
        assert_eq!(rewrite(other, b"OBX|1|ED|||x\r", &[place], verdict), None);
        assert_eq!(skeleton(other, b"x", &[], verdict), None);
        assert_eq!(
            bare(other, verdict),
            Notice::of(verdict).skeleton.as_bytes()
        );
    }
}
