//! DICOM upper layer (PS3.8): the titles of A-ASSOCIATE-RQ and -AC, implementation class UID and version.
//!
//! It must never read a data set: P-DATA is not opened.

use crate::bytes::Cursor;
use crate::sighting::{About, Attribute, Facts, Source};

const USER_INFORMATION: u8 = 0x50;
const IMPLEMENTATION_CLASS: u8 = 0x52;
const IMPLEMENTATION_VERSION: u8 = 0x55;
/// Protocol version, reserved bytes, two titles of 16 bytes and 32 more reserved ones.
const FIXED_BYTES: usize = 68;
/// A longer request is none.
const LENGTH_MAX: usize = 1 << 20;

/// What a stream says, if it begins with an association.
pub fn stream(bytes: &[u8]) -> Option<Facts> {
    let mut pdu = Cursor::new(bytes);
    let kind = pdu.u8()?;
    let reserved = pdu.u8()?;
    let length = usize::try_from(pdu.u32()?).ok()?;
    let version = pdu.u16()?;
    let is_association = matches!(kind, 1 | 2)
        && reserved == 0
        && version & 1 == 1
        && (FIXED_BYTES..LENGTH_MAX).contains(&length);
    if !is_association {
        return None;
    }
    pdu.skip(2)?;
    let called = title(pdu.take(16)?)?;
    let calling = title(pdu.take(16)?)?;
    pdu.skip(32)?;
    let mut facts = Facts::new(Source::Dicom);
    if kind == 1 {
        facts.stated(Attribute::AeTitle, calling);
        facts.about(About::Listener);
        facts.likely(Attribute::AeTitle, called);
        facts.about(About::Speaker);
    } else {
        // An answer repeats the titles of the request, so that the called one is the speaker's.
        facts.likely(Attribute::AeTitle, called);
    }
    let mut items = Cursor::new(pdu.take_up_to(length - FIXED_BYTES));
    while let Some((kind, content)) = item(&mut items) {
        if kind == USER_INFORMATION {
            user_information(content, &mut facts);
        }
    }
    Some(facts)
}

fn user_information(content: &[u8], facts: &mut Facts) {
    let mut items = Cursor::new(content);
    while let Some((kind, content)) = item(&mut items) {
        let Some(text) = plain(content) else { continue };
        match kind {
            IMPLEMENTATION_CLASS => facts.stated(Attribute::Implementation, text),
            IMPLEMENTATION_VERSION => facts.stated(Attribute::Version, text),
            _ => {}
        }
    }
}

fn item<'a>(bytes: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let kind = bytes.u8()?;
    bytes.skip(1)?;
    let length = bytes.u16()?;
    Some((kind, bytes.take(usize::from(length))?))
}

/// An application entity's title: characters of ISO 646 without control characters, filled with spaces.
fn title(bytes: &[u8]) -> Option<&str> {
    plain(bytes)
        .map(str::trim)
        .filter(|title| !title.is_empty())
}

fn plain(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\0');
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    text.bytes().all(is_plain).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::associate;
    use crate::dissect::check::{of, said};

    #[test]
    fn a_request_names_both_sides_and_the_software_of_its_sender() {
        let facts = stream(&associate(1, "PACS", "XRAY_1", "1.2.3.4", "ACME_2_1")).unwrap();
        assert_eq!(
            said(&facts),
            [
                (Attribute::AeTitle, "XRAY_1"),
                (Attribute::Implementation, "1.2.3.4"),
                (Attribute::Version, "ACME_2_1"),
            ]
        );
        assert_eq!(of(&facts, About::Listener), [(Attribute::AeTitle, "PACS")]);
    }

    #[test]
    fn an_answer_names_the_software_of_the_called_side() {
        let facts = stream(&associate(2, "PACS", "XRAY_1", "1.2.3.4", "DCM4CHE")).unwrap();
        assert_eq!(said(&facts)[0], (Attribute::AeTitle, "PACS"));
        assert!(said(&facts).contains(&(Attribute::Version, "DCM4CHE")));
        assert!(of(&facts, About::Listener).is_empty());
    }

    #[test]
    fn data_and_other_bytes_are_no_association() {
        let mut data = associate(1, "PACS", "XRAY_1", "1.2.3.4", "ACME_2_1");
        data[0] = 4;
        assert!(stream(&data).is_none());
        let mut control = associate(1, "PACS", "XRAY_1", "1.2.3.4", "ACME_2_1");
        control[12] = 7;
        assert!(stream(&control).is_none());
    }
}
