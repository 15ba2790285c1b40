//! [`Notice`]: who is told what a peer says of itself; the server plugs it in.
//!
//! Told is what is new on a connection, at most eight times. It must never cost a message more
//! than a look at a few fields, wait for whoever is told, or hand over anything of a patient: only the
//! sender of a header, its software and the instrument are read.

use std::sync::atomic::{AtomicU64, Ordering};

use labward_astm::record::Header as AstmHeader;
use labward_base::id::PeerId;
use labward_hl7::{Charset, Message, Segment};
use memchr::memmem;

use crate::path::{Caller, Shared};

/// How often one connection may say something else of itself.
const TOLD_MAX: usize = 8;
/// Segments of a message that are looked at.
const SEGMENTS_MAX: usize = 24;
/// Observations of implanted devices are named so (IEEE 11073-10103).
const IMPLANT: &[u8] = b"MDC_IDC_";
/// What PRT-4 says of a device; everybody else in a PRT is a person.
const EQUIPMENT: &[u8] = b"EQUIP";
/// Bytes of a field that are read.
const FIELD_MAX_BYTES: usize = 256;

/// Is told what peers say of themselves.
pub trait Notice: Send + Sync + 'static {
    /// Takes this without waiting; it may be dropped, and will come again with the next connection.
    fn notice(&self, noticed: Noticed);
}

/// What a peer said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noticed {
    /// The peer.
    pub peer: PeerId,
    /// What the lab calls it.
    pub peer_name: String,
    /// The link, by its name in the configuration.
    pub link: String,
    /// What it said.
    pub said: SelfDescription,
}

/// What a peer says of itself, by protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelfDescription {
    /// The components of H-5 of an ASTM header.
    Astm(Vec<String>),
    /// Fields of HL7 v2 by their names in [`HL7_FIELDS`], in that order; empty where nothing was sent.
    Hl7(Box<[String; HL7_FIELDS.len()]>),
}

/// The fields of HL7 v2 in which a sender describes itself and its instrument.
pub const HL7_FIELDS: [&str; 10] = [
    "MSH-3", "MSH-4", "SFT-1", "SFT-2", "SFT-3", "OBX-18", "PRT-10", "PRT-16", "PRT-20", "EQU-1",
];

/// What one connection said of itself already.
#[derive(Debug, Default)]
pub(crate) struct Told([AtomicU64; TOLD_MAX]);

impl Told {
    /// Whether this is new, and there is still room for it.
    fn is_new(&self, mark: u64) -> bool {
        for place in &self.0 {
            // A connection is served by one task; atomic only because it is shared with nobody by type.
            match place.load(Ordering::Relaxed) {
                0 => {
                    place.store(mark, Ordering::Relaxed);
                    return true;
                }
                known if known == mark => return false,
                _ => {}
            }
        }
        false
    }
}

/// Tells what the header of an ASTM message says, if it is new on this connection.
pub(crate) fn of_astm(shared: &Shared, caller: &Caller, header: &AstmHeader<'_>) {
    let Some(notice) = &shared.notice else { return };
    let sender = header.sender();
    let bytes = cut(sender.bytes());
    if bytes.is_empty() || !caller.told.is_new(mark(&[bytes])) {
        return;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(cut(bytes)).into_owned();
    let parts = sender.components().take(TOLD_MAX);
    let parts = parts.map(|part| text(&part.unescape())).collect();
    notice.notice(caller.noticed(SelfDescription::Astm(parts)));
}

/// Tells what an HL7 message says of its sender, if it is new on this connection.
pub(crate) fn of_hl7(shared: &Shared, caller: &Caller, message: &Message<'_>) {
    let Some(notice) = &shared.notice else { return };
    let fields = fields(message);
    if fields.iter().all(|field| field.is_empty()) || !caller.told.is_new(mark(&fields)) {
        return;
    }
    let charset = message.header().charset();
    let text = |field: &[u8]| charset_text(charset, field);
    notice.notice(caller.noticed(SelfDescription::Hl7(Box::new(fields.map(text)))));
}

/// The fields of [`HL7_FIELDS`], as sent: of the first segment of each kind.
fn fields<'a>(message: &Message<'a>) -> [&'a [u8]; HL7_FIELDS.len()] {
    let mut all: [&[u8]; HL7_FIELDS.len()] = [&[]; HL7_FIELDS.len()];
    let header = message.header();
    let [
        application,
        facility,
        sft1,
        sft2,
        sft3,
        obx18,
        prt10,
        prt16,
        prt20,
        equ1,
    ] = &mut all;
    *application = cut(header.sending_application().raw());
    *facility = cut(header.sending_facility().raw());
    let first = |segment: &Segment<'a>, place: &mut &'a [u8], number: usize| {
        if place.is_empty() {
            *place = cut(segment.field(number).raw());
        }
    };
    for segment in message.segments().skip(1).take(SEGMENTS_MAX) {
        // The serial number of an implant tells who its bearer is.
        if segment.id() == b"OBX" && memmem::find(segment.field(3).raw(), IMPLANT).is_some() {
            for place in [obx18, prt10, prt16, prt20, equ1] {
                *place = &[];
            }
            break;
        }
        match segment.id() {
            b"SFT" => {
                first(&segment, sft1, 1);
                first(&segment, sft2, 2);
                first(&segment, sft3, 3);
            }
            b"OBX" => first(&segment, obx18, 18),
            b"PRT" if segment.field(4).raw().starts_with(EQUIPMENT) => {
                first(&segment, prt10, 10);
                first(&segment, prt16, 16);
                first(&segment, prt20, 20);
            }
            b"EQU" => first(&segment, equ1, 1),
            _ => {}
        }
    }
    all
}

fn charset_text(charset: Charset, field: &[u8]) -> String {
    charset.decode(field).into_owned()
}

fn cut(bytes: &[u8]) -> &[u8] {
    bytes.get(..FIELD_MAX_BYTES).unwrap_or(bytes)
}

/// FNV-1a over all parts; never 0. Two things that share a mark cost a value that is not seen.
fn mark(parts: &[&[u8]]) -> u64 {
    let mut mark: u64 = 0xcbf2_9ce4_8422_2325;
    let bytes = parts
        .iter()
        .flat_map(|part| part.iter().copied().chain([0xff]));
    for byte in bytes {
        mark = (mark ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mark.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_not_told_again_and_a_talker_is_heard_only_so_often() {
        let told = Told::default();
        let one = mark(&[b"XN-550", b"00-24"]);
        assert!(told.is_new(one) && !told.is_new(one));
        assert_ne!(one, mark(&[b"XN-55", b"000-24"]));
        let new = (0..100_u8).filter(|number| told.is_new(mark(&[&[*number]])));
        assert_eq!(new.count(), TOLD_MAX - 1);
        assert!(!told.is_new(one));
    }

    #[test]
    fn nothing_is_read_of_an_implant_or_of_a_person() {
        let implant =
            b"MSH|^~\\&|PROG|LAB|EHR|X|20260101||ORU^R01|1|P|2.9\rPID|1||4711||Doe^Jane\r\
            PRT|1|UC||EQUIP||||||Pacer|||||(01)0088||||SN-1\r\
            OBX|1|ST|720898^MDC_IDC_DEV_SERIAL_NUMBER^MDC||SN-1||||||F|||||||SN-1^Pacer\r";
        let message = Message::parse(implant).unwrap();
        let said = fields(&message).map(|field| String::from_utf8_lossy(field).into_owned());
        assert_eq!(said[..2], ["PROG", "LAB"]);
        assert!(said[2..].iter().all(String::is_empty), "{said:?}");
        let person = b"MSH|^~\\&|LIS|LAB|EHR|X|20260101||ORU^R01|1|P|2.9\r\
            PRT|1|UC||AP|Doe^Jane|||||Doe^Jane||||||||||77\r";
        let message = Message::parse(person).unwrap();
        assert!(fields(&message)[2..].iter().all(|field| field.is_empty()));
    }

    #[test]
    fn only_what_describes_the_sender_is_read() {
        let text = b"MSH|^~\\&|LIS^1.2^ISO|LAB|EHR|X|20260101||ORU^R01|1|P|2.9\r\
            SFT|Acme|8.1|AcmeLink\rPID|1||4711||Doe^Jane\r\
            OBX|1|NM|WBC||5|||||||||||||XN-550^Sysmex\r\
            PRT|1|UC||EQUIP|Doe^Jane|||||Plum A+||||||(01)0088||||P-77\r";
        let text: Vec<u8> = String::from_utf8_lossy(text)
            .replace("            ", "")
            .into_bytes();
        let message = Message::parse(&text).unwrap();
        let said = fields(&message).map(|field| String::from_utf8_lossy(field).into_owned());
        assert_eq!(
            said,
            [
                "LIS^1.2^ISO",
                "LAB",
                "Acme",
                "8.1",
                "AcmeLink",
                "XN-550^Sysmex",
                "Plum A+",
                "(01)0088",
                "P-77",
                ""
            ]
            .map(str::to_owned)
        );
    }
}
