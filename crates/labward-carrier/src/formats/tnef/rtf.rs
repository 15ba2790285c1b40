//! The packing of RTF in Outlook's properties ([MS-OXRTFCP]): LZ77 with a dictionary that begins full.

/// What the dictionary holds before the first byte.
const BEGINNING: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const DICTIONARY: usize = 4_096;

/// Why there is no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Damaged,
    TooMuch,
}

/// The text, of at most `room` bytes. Its checksum is not compared.
pub(super) fn unpacked(packed: &[u8], room: usize) -> Result<Vec<u8>, Fault> {
    let (magic, content) = (packed.get(8..12), packed.get(16..));
    match magic {
        Some(b"LZFu") => unpack(content.unwrap_or_default(), room),
        Some(b"MELA") => Ok(content.unwrap_or_default().to_vec()),
        _ => Err(Fault::Damaged),
    }
}

fn unpack(packed: &[u8], room: usize) -> Result<Vec<u8>, Fault> {
    // The dictionary is the last 4,096 bytes of this.
    let mut all = BEGINNING.to_vec();
    let mut bytes = packed.iter().copied();
    while let Some(control) = bytes.next() {
        for bit in 0..8 {
            let Some(first) = bytes.next() else {
                return Ok(all.split_off(BEGINNING.len()));
            };
            if control >> bit & 1 == 0 {
                all.push(first);
            } else {
                let second = bytes.next().ok_or(Fault::Damaged)?;
                let reference = usize::from(first) << 4 | usize::from(second >> 4);
                let len = usize::from(second & 15) + 2;
                let write = all.len() % DICTIONARY;
                if reference == write {
                    return Ok(all.split_off(BEGINNING.len()));
                }
                let back = (write + DICTIONARY - reference) % DICTIONARY;
                for _ in 0..len {
                    let from = all.len().checked_sub(back).ok_or(Fault::Damaged)?;
                    let byte = *all.get(from).ok_or(Fault::Damaged)?;
                    all.push(byte);
                }
            }
            if all.len() > room.saturating_add(BEGINNING.len()) {
                return Err(Fault::TooMuch);
            }
        }
    }
    Ok(all.split_off(BEGINNING.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_dictionary_begins_full_and_the_end_is_seen() {
        assert_eq!(BEGINNING.len(), 207);
        let packed = b"\0\0\0\0\0\0\0\0LZFu\0\0\0\0\x01\x00\x04abc";
        assert_eq!(unpacked(packed, 100).unwrap(), b"{\\rtf1abc");
        assert_eq!(
            unpacked(b"\0\0\0\0\0\0\0\0MELA\0\0\0\0abc", 9).unwrap(),
            b"abc"
        );
        assert_eq!(unpacked(b"other", 9), Err(Fault::Damaged));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            let text = unpack(&bytes, 500).unwrap_or_default();
            prop_assert!(text.len() <= 500);
        }
    }
}
