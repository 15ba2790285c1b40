//! What stands beside an entry, outside its leaf, to rebuild memory at start.
//!
//! A hint is a sequence of fields: tag (1 byte), length (2 bytes, big-endian), value. Records owns
//! the layout; what the gateway hands over is one opaque field of it.
//!
//! | Tag | Field | Value |
//! |---|---|---|
//! | 1 [`GATEWAY`] | what came as [`crate::Intake::hints`] | opaque |
//! | 16 [`ACCESSIONS`] | keyed tags of the accession numbers | n × 16 bytes |
//! | 17 [`RETENTION`] | how long the record is retained | 1 byte, see [`crate::RetentionClass`] |
//!
//! It must never hold what identifies a patient: hints are stored unsealed.

/// What the gateway handed over, opaque here.
pub const GATEWAY: u8 = 1;
/// Keyed tags of the record's accession numbers, 16 bytes each.
pub const ACCESSIONS: u8 = 16;
/// The record's [`crate::RetentionClass`].
pub const RETENTION: u8 = 17;
/// The first field with this tag; `None` if there is none or the bytes are not hints.
pub fn get(hints: &[u8], tag: u8) -> Option<&[u8]> {
    let mut rest = hints;
    loop {
        let (field, length, behind) = split(rest)?;
        let value = behind.get(..length)?;
        if field == tag {
            return Some(value);
        }
        rest = behind.get(length..)?;
    }
}

/// Appends one field; a value over 65,535 bytes is left out and `false` returned.
pub fn put(hints: &mut Vec<u8>, tag: u8, value: &[u8]) -> bool {
    let Ok(length) = u16::try_from(value.len()) else {
        return false;
    };
    hints.push(tag);
    hints.extend_from_slice(&length.to_be_bytes());
    hints.extend_from_slice(value);
    true
}

fn split(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (head, behind) = bytes.split_first_chunk::<3>()?;
    let [tag, high, low] = *head;
    Some((tag, usize::from(u16::from_be_bytes([high, low])), behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cut_hint_is_no_hint() {
        let mut hints = Vec::new();
        assert!(put(&mut hints, GATEWAY, b"window"));
        assert!(put(&mut hints, RETENTION, &[1]));
        assert_eq!(get(&hints, RETENTION), Some(&[1u8][..]));
        assert_eq!(get(&hints, ACCESSIONS), None);
        hints.pop();
        assert_eq!(get(&hints, RETENTION), None);
        assert_eq!(get(&hints, GATEWAY), Some(&b"window"[..]));
    }

    #[test]
    fn a_value_too_long_for_its_length_is_left_out() {
        let mut hints = Vec::new();
        assert!(!put(&mut hints, GATEWAY, &vec![0; 65_536]));
        assert!(hints.is_empty());
    }

    proptest! {
        #[test]
        fn fields_are_read_back_as_written(
            fields in proptest::collection::vec((0u8..4, proptest::collection::vec(any::<u8>(), 0..40)), 0..6)
        ) {
            let mut hints = Vec::new();
            for (tag, value) in &fields {
                put(&mut hints, *tag, value);
            }
            for tag in 0..4 {
                let first = fields.iter().find(|(t, _)| *t == tag).map(|(_, v)| v.as_slice());
                prop_assert_eq!(get(&hints, tag), first);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), tag: u8) {
            let _ = get(&bytes, tag);
        }
    }
}
